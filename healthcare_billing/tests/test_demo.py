from datetime import date
from unittest.mock import patch

from odoo.tests import TransactionCase, tagged

from ..demo import main_job
from ..demo import practice_data as data
from ..demo.books import Equation
from ..demo.month_end import MonthEnd
from ..demo.office import Office
from ..demo.therapy_practice import TherapyPractice
from ..tools.codes import suggest_code_system


@tagged("post_install", "-at_install")
class TestDemo(TransactionCase):
    """The demo shows what it promises, adds up, and is the same whenever it is loaded."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.practice = TherapyPractice(cls._company_env("Demo")).load()
        cls.before_billing = cls._signature(cls.practice)
        cls.users = cls.practice.create_users()
        cls.biller = cls.practice.env(user=cls.users["biller"])
        cls.month = MonthEnd(cls.biller, cls.practice.last_month).invoice()
        cls.moves = cls.month.moves
        # PostgreSQL knows nothing yet of what this transaction made, and would plan badly
        cls.env.cr.execute("ANALYZE")

    @classmethod
    def _company_env(cls, name):
        """Environment of a new company that is set up as the demo's is."""
        company = cls.env["res.company"].create({"name": name})
        env = cls.env(context={"allowed_company_ids": company.ids, "tz": main_job.TIME_ZONE})
        main_job.set_up_company(env, env.company, name)
        return env

    @classmethod
    def _signature(cls, practice):
        """What became of every charge, without the dates."""
        practice.env.flush_all()
        charges = practice.charges.sorted("id")
        blocked = practice.env["healthcare.billing.engine"]._blocked_codes(charges, practice.today)
        return [
            (
                charge.client_id.name, charge.kind, charge.product_id.default_code,
                charge.appointment_id.state, charge.employee_id.name, charge.quantity,
                charge.price_unit, charge.price_source, charge.amount_client, charge.amount_payer,
                charge.amount_secondary, charge.billing_stage, blocked.get(charge.id),
            )
            for charge in charges
        ]  # fmt: skip

    def _visit(self, *key):
        return self.practice.visits[key[0] if len(key) == 1 else key]

    def test_same_whenever_loaded(self):
        """Another company, on the first day of a month with other lengths and clock changes."""
        again = TherapyPractice(self._company_env("Demo again"), today=date(2024, 3, 1)).load()
        self.assertEqual(self._signature(again), self.before_billing)

    def test_size(self):
        self.assertEqual(len(self.practice.staff), 6)
        self.assertTrue(30 <= len(self.practice.clients) <= 35)
        self.assertTrue(380 <= len(self.practice.appointments) <= 420)

    def test_every_block_reason(self):
        self.assertEqual(
            set(self.month.run.exclusion_ids.reason_id.mapped("code")), {*data.REASONS}
        )

    def test_every_price_source(self):
        """R1"""
        sources = self.practice.charges._fields["price_source"].get_values(self.env)
        self.assertEqual(set(self.practice.charges.mapped("price_source")), set(sources))

    def test_price_is_frozen(self):
        """R2: a list price was raised after care was priced, a contract price during the month."""
        self.assertEqual(self.practice.services["plan"].list_price, 132.00)
        abara = self.practice.clients["abara"]
        contract = self.practice.charges.filtered(
            lambda charge: charge.client_id == abara and charge.service_code == "H0004"
        )
        self.assertEqual(set(contract.mapped("price_unit")), {30.10, 31.40})

    def test_typed_units(self):
        """R3: 0 is a value."""
        self.assertEqual(self._visit("hale", 2).charge_ids.quantity, 2.0)
        self.assertEqual(self._visit("hale", 6).charge_ids.quantity, 0.0)

    def test_late_at_night(self):
        """R6: 23:30 on the last day of the month is that month's, 23:30 the night before isn't."""
        self.assertLessEqual(self._visit("night").charge_ids, self.month.selected)
        self.assertEqual(self._visit("night").start.month, self.practice.this_month.month)
        self.assertFalse(self._visit("night before").charge_ids & self.month.selected)

    def test_missed(self):
        """R7: billed to the client or to nobody, as the cancel reason says."""
        for key in (("pike", 2), ("carver", 2), ("hale", 3)):
            charge = self._visit(*key).charge_ids
            self.assertEqual(charge.amount_client, charge.amount)
            self.assertIn(charge, self.month.selected)
        for key in (("pike", 4), ("carver", 4), ("lomax", 2), ("keene", 5), ("pike", 6)):
            self.assertEqual(self._visit(*key).charge_ids.billing_stage, "not_billable")

    def test_odd_invoices(self):
        charges = self.moves.line_ids.charge_id
        self.assertIn(0.0, charges.filtered("is_priced").mapped("price_unit"), "zero-priced charge")
        self.assertTrue(charges.filtered(lambda c: c.kind == "adjustment" and c.amount < 0))
        self.assertIn("out_refund", self.moves.mapped("move_type"))
        self.assertIn("CAD", self.moves.currency_id.mapped("name"))
        self.assertTrue(self.moves.filtered("amount_tax"))
        self.assertGreater(len(self.moves.invoice_payment_term_id), 3)
        self.assertIn("Renee Moss", self.moves.partner_id.mapped("name"))
        self.assertEqual(
            set(self.moves.line_ids.filtered("charge_id").mapped("responsibility")),
            {"client", "primary", "secondary"},
        )

    def test_both_paths(self):
        """Invoices that core completes, and such that the engine gives complete."""
        plain = self.moves.filtered(
            lambda move: (
                move.amount_tax
                or move.currency_id != move.company_currency_id
                or len(move.invoice_payment_term_id.line_ids) > 1
            )
        )
        self.assertTrue(plain)
        self.assertTrue(self.moves - plain)

    def test_adds_up(self):
        for equation in self.month.equations():
            self.assertTrue(equation.holds(), equation)

    def test_month_before(self):
        before = main_job.bill_month_before(self.biller, self.practice)
        for equation in before.equations():
            self.assertTrue(equation.holds(), equation)
        self.assertIn("finished", before.selected.mapped("billing_stage"))
        self.assertIn("awaiting_payment", before.selected.mapped("billing_stage"))

    def test_office(self):
        """Every state of what comes after billing, and the books still add up."""
        before = main_job.bill_month_before(self.biller, self.practice)
        manager = self.practice.env(user=self.users["manager"])
        office = Office(self.practice, manager, before.moves).work()
        own = [("company_id", "=", self.practice.company.id)]
        states = {
            "healthcare.superbill": "state",
            "healthcare.claim": "state",
            "account.move": "delivery_state",
        }
        for model, name in states.items():
            with self.subTest(model):
                records = self.env[model].search(own)
                wanted = set(records._fields[name].get_values(self.env))
                self.assertEqual(set(records.mapped(name)) - {False}, wanted)
        self.assertTrue(before.moves.rebilled_by_ids)
        self.assertTrue(self.practice.charges.filtered(lambda c: c.kind == "transfer"))
        self.assertEqual(len(office.series.appointment_ids), 7, "8 dates, one on a holiday")
        self.assertEqual(office.today.mapped("note_state"), ["missing"] * 4)
        for equation in self.month.equations():
            self.assertTrue(equation.holds(), equation)
        self.assertFalse(before.completeness()._is_wrong())

    def test_wrong_sum_ends_the_script(self):
        wrong = [Equation("Rows", 1, "invoices", 2)]
        with (
            patch.object(MonthEnd, "equations", return_value=wrong),
            self.assertRaisesRegex(SystemExit, "Rows 1 is not invoices 2"),
        ):
            main_job._check(self.month)

    def test_table(self):
        table = self.month.table()
        for exclusion in self.month.run.exclusion_ids:
            self.assertIn(exclusion.reason_id.name, table)
        self.assertIn(self.env.company.currency_id.format(-35.0)[-5:], table)

    def test_users(self):
        """The therapist sees own appointments only."""
        own = self.practice.env(user=self.users["therapist"])["healthcare.appointment"].search([])
        self.assertEqual(own.employee_id, self.practice.staff["obi"])

    def test_no_licensed_codes(self):
        codes = [service.default_code for service in self.practice.services.values()]
        self.assertNotIn("cpt", [suggest_code_system(code) for code in codes])

    def test_r8_licenses(self):
        """Every state of a license, and care that lacks one."""
        staff = self.practice.staff
        licenses = self.env["healthcare.cpt.license"].search(
            [("company_id", "=", self.practice.company.id)]
        )
        self.assertEqual(set(licenses.mapped("state")), {"to_pay", "paid", "canceled", "expired"})
        self.assertIn(self._visit("finch", 2).charge_ids, self.month.selected)
        self.assertIn(self._visit("carver", 3).charge_ids, self.month.left_out)
        self.assertEqual(self._visit("carver", 3).employee_id, staff["whitfield"])
