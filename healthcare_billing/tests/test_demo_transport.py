from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, tagged

from ..demo import main_job
from ..demo import transport_data as data
from ..demo.transport import TransportCompany
from ..demo.transport_months import TransportMonths


@tagged("post_install", "-at_install")
class TestTransportDemo(TransactionCase):
    """The transport company shows what it promises, and adds up to the cent."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        company = cls.env["res.company"].create({"name": "Demo Transport"})
        env = cls.env(context={"allowed_company_ids": company.ids, "tz": main_job.TIME_ZONE})
        main_job.set_up_company(env, env.company, "Demo Transport")
        cls.carrier = TransportCompany(env).load()
        cls.users = cls.carrier.create_users()
        manager = cls.carrier.env(user=cls.users["transport_manager"])
        cls.months = TransportMonths(cls.carrier, manager).work()
        # PostgreSQL knows nothing yet of what this transaction made, and would plan badly
        cls.env.cr.execute("ANALYZE")

    def _charges(self, *key):
        return self.carrier.trips[key].appointment.charge_ids.filtered(lambda c: not c.parent_id)

    def _statement(self, month, key):
        return self.months.statements[month, key]

    def test_adds_up(self):
        self.assertGreater(len(self.months.equations), 60)
        for equation in self.months.equations:
            self.assertTrue(equation.holds(), equation)

    def test_r1_a_blank_contract_price_is_retail(self):
        """0.00 is a price, a blank isn't."""
        dunn = self._charges(2, "dunn", 1)
        prices = {c.product_id.default_code: (c.price_unit, c.price_source) for c in dunn}
        self.assertEqual(
            prices,
            {
                "A0130": (34.0, "fee_schedule"),
                "S0215": (3.0, "practice_default"),
                "T2007": (0.0, "fee_schedule"),
            },
        )

    def test_every_state_of_a_statement(self):
        statements = self.env["healthcare.statement"].search(
            [("company_id", "=", self.carrier.company.id)]
        )
        states = statements._fields["state"].get_values(self.env)
        self.assertEqual(set(statements.mapped("state")), set(states))
        self.assertLessEqual(
            {"differential", "custom", "collections"}, set(statements.mapped("statement_type"))
        )

    def test_r18_what_is_reviewed_waits_on_its_statement(self):
        statement = self._statement(5, "northgate")
        waiting = statement.line_ids.filtered(
            lambda line: line.charge_id in self._charges(5, "dunn", 3)
        )
        self.assertTrue(waiting)
        self.assertEqual(set(waiting.charge_id.mapped("billing_stage")), {"qa"})

    def test_r9_parked_trips_are_on_no_statement(self):
        for key in ((3, "royce", 1), (5, "fry", 2)):
            self.assertFalse(self._charges(*key).statement_line_ids)

    def test_r20_rebilled_three_times_and_sold(self):
        charges = self._charges(1, "moody", 1)
        self.assertEqual(set(charges.mapped("statement_count")), {3})
        self.assertEqual(set(charges.mapped("amount_residual")), {0.0})
        self.assertEqual(set(charges.mapped("billing_stage")), {"finished"})
        lines = charges.statement_line_ids
        self.assertEqual(set(lines.statement_id.mapped("state")), {"unpaid", "sold"})
        self.assertEqual(len(charges._live_lines().move_id), 1, "posted once, told four times")

    def test_r20_the_affiliates_surplus_is_settled_by_its_next_statement(self):
        self.assertEqual(self._statement(2, "tricounty").ledger_amount, -data.OVERPAID)

    def test_r20_what_is_short_comes_again(self):
        before, after = self._statement(1, "northgate"), self._statement(2, "northgate")
        short = before.line_ids.filtered(lambda line: line.outcome == "short")
        self.assertTrue(short.charge_id)
        self.assertLessEqual(short.charge_id, after.line_ids.charge_id)
        self.assertEqual(before.state, "paid")

    def test_r4_denied_is_adjudicated_with_nothing(self):
        charges = self._charges(4, "ivers", 2)
        self.assertEqual(set(charges.mapped("is_adjudicated")), {True})
        self.assertEqual(charges.mapped("allowed_amount"), [0.0, 0.0])
        self.assertEqual(sum(charges.mapped("amount_residual")), 0.0)

    def test_denied_and_the_client_is_asked(self):
        jewell = self.carrier.clients["jewell"]
        charges = self._charges(*data.DENIED)
        self.assertEqual(sum(charges.mapped("balance_payer")), 0.0)
        self.assertEqual(self._statement(5, "jewell").partner_id, jewell)
        self.assertEqual(self._statement(5, "jewell").amount_total, 728.0)

    def test_r7_a_no_show_is_the_contacts_and_has_no_miles(self):
        charge = self._charges(5, "pratt", 1)
        self.assertEqual((len(charge), charge.amount_client), (1, 45.0))
        self.assertEqual(self._statement(5, "pratt").partner_id.name, data.GUARANTOR[1])

    def test_paid_without_a_statement(self):
        for key in (data.CASH, data.PREPAID):
            charges = self._charges(5, key, 1)
            self.assertEqual(set(charges.mapped("amount_residual")), {0.0}, key)
        self.assertFalse(self._charges(5, data.CASH, 1).statement_line_ids)

    def test_one_is_open_for_the_portal(self):
        statement = self._statement(5, data.PORTAL)
        self.assertIn(statement, self.months.open_statements())
        user = self.env["res.users"].search([("login", "=", data.PORTAL_LOGIN)])
        self.assertEqual(user.partner_id, statement.partner_id)
        self.assertTrue(user.share)

    def test_users(self):
        statements = self.env["healthcare.statement"].with_company(self.carrier.company)
        statements.with_user(self.users["transport_biller"]).search([], limit=1)
        with self.assertRaises(AccessError):
            statements.with_user(self.users["transport_coordinator"]).search([], limit=1)

    def test_nothing_leaves_the_house(self):
        mails = self.env["mail.mail"].sudo().search([("model", "=", "healthcare.statement")])
        ours = {statement.id for statement in self.months.statements.values()}
        self.assertFalse(mails.filtered(lambda mail: mail.res_id in ours))
