from odoo.tests import TransactionCase, tagged

from ..demo import main_job
from ..demo.home_care import HomeCareAgency
from ..demo.home_care_month import VOIDED, AgencyMonths


@tagged("post_install", "-at_install")
class TestHomeCareDemo(TransactionCase):
    """The agency shows what it promises, and adds up to the cent."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        company = cls.env["res.company"].create({"name": "Demo Agency"})
        env = cls.env(context={"allowed_company_ids": company.ids, "tz": main_job.TIME_ZONE})
        main_job.set_up_company(env, env.company, "Demo Agency")
        cls.agency = HomeCareAgency(env).load()
        cls.users = cls.agency.create_users()
        manager = cls.agency.env(user=cls.users["agency_manager"])
        cls.months = AgencyMonths(cls.agency, manager).work()

    def test_adds_up(self):
        self.assertGreater(len(self.months.equations), 15)
        for equation in self.months.equations:
            self.assertTrue(equation.holds(), equation)

    def test_every_invoicing_model(self):
        moves = self.months.closed.move_ids
        models = self.agency.payers["waiver"]._fields["invoicing_model"].get_values(self.env)
        billed = moves.invoice_line_ids.charge_id.payer_id.mapped("invoicing_model")
        self.assertEqual(set(billed), set(models))
        batched = moves.filtered(lambda move: move.partner_id == self.agency.payers["pine"])
        self.assertEqual(len(batched), 1)
        self.assertEqual(
            batched.invoice_line_ids.charge_id.client_id,
            self.agency.clients["garner"] | self.agency.clients["hobbs"],
        )

    def test_r14_a_cycle_in_each_state(self):
        months = self.months
        self.assertEqual(
            [c.state for c in (months.closed, months.closing, months.open)],
            ["closed", "closing", "open"],
        )
        self.assertEqual(len(months.closing.move_ids.filtered(lambda m: m.state == "draft")), 1)

    def test_r11_taken_over(self):
        """What was approved late and what was voided is on the next cycle's drafts."""
        months = self.months
        self.assertEqual(months.open.origin_id, months.closed)
        self.assertEqual(months.open.date_from, months.closed.date_to)
        charges = months.open.move_ids.invoice_line_ids.charge_id
        before = charges.filtered(lambda c: c.service_date < months.open.date_from)
        self.assertEqual(before.client_id, self.agency.clients[VOIDED])
        self.assertEqual(months.voided.payment_state, "reversed")

    def test_premiums_and_holidays(self):
        kinds = self.env["healthcare.charge"].search(
            [("company_id", "=", self.agency.company.id), ("kind", "=", "premium")]
        )
        self.assertEqual(
            set(kinds.product_id), {self.agency.services[key] for key in
            ("weekend", "evening", "holiday", "mile", "button")},
        )  # fmt: skip
        fees = {
            visit.client.key: visit.appointment.charge_ids.filtered(
                lambda charge: charge.kind == "service"
            ).price_unit
            for visit in self.agency.visits_of(self.agency.last_month)
            if visit.day == self.agency.holiday and visit.service == "aide"
        }
        self.assertEqual(fees["ellis"], 46.5)  # 31.00, times the payer's 1.5
        self.assertEqual(fees["jonas"], 36.0)  # the fee schedule's holiday rate, not times 2

    def test_what_is_left(self):
        """R12: what is never billed, what waits, and what the issues tell."""
        months = self.months
        unbilled = self.agency.appointments.filtered(
            lambda a: a.start.date() < self.agency.this_month and not a.invoice_ids
        )
        self.assertTrue(unbilled.filtered("is_unscheduled"))
        self.assertTrue(unbilled.filtered("is_vacant"))
        self.assertTrue(unbilled.filtered(lambda a: a.approval_state == "rejected"))
        self.assertTrue(unbilled.filtered(lambda a: a.state == "canceled"))
        action = months.open.action_view_issues()
        check = months.env[action["res_model"]].browse(action["res_id"])
        self.assertLessEqual(
            {"missing_activity_code", "vacant", "unscheduled"},
            set(check.reason_ids.reason_id.mapped("code")),
        )
        canceled = self.agency.visits[self.agency.last_month, "irving", 2].appointment
        self.assertNotIn(canceled, check.issue_ids.appointment_id)
