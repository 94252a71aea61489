from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, tagged

from ..demo import main_job
from ..demo import mass_billing_data as data
from ..demo.mass_billing import MatterFirm
from ..demo.mass_billing_month import MatterMonths


@tagged("post_install", "-at_install")
class TestMassBillingDemo(TransactionCase):
    """The firm shows what it promises, and adds up to the cent."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        company = cls.env["res.company"].create({"name": "Demo Firm"})
        env = cls.env(context={"allowed_company_ids": company.ids, "tz": main_job.TIME_ZONE})
        main_job.set_up_company(env, env.company, "Demo Firm")
        cls.firm = MatterFirm(env).load()
        cls.users = cls.firm.create_users()
        manager = cls.firm.env(user=cls.users["matter_manager"])
        cls.months = MatterMonths(cls.firm, manager).work()

    def _row(self, key):
        account = self.firm.accounts[key]
        return self.months.run.line_ids.filtered(lambda row: row.billing_account_id == account)

    def _bill(self, *keys):
        return self.months._bills_of(*keys)

    def test_adds_up(self):
        self.assertGreater(len(self.months.equations), 20)
        for equation in self.months.equations:
            self.assertTrue(equation.holds(), equation)

    def test_r24_every_basis(self):
        rows = self.months.run.line_ids
        bases = set(rows._fields["basis"].get_values(self.env))
        self.assertEqual(set(rows.mapped("basis")), bases - {"mixed"})

    def test_r24_bills_as_the_tables_say(self):
        for key, matter in self.firm.matters.items():
            with self.subTest(key):
                if matter.payer == "guardian":
                    continue
                self.assertEqual(self._bill(key).amount_untaxed, matter.billed or 0.0)

    def test_r24_the_row_shows_both_amounts(self):
        for key, wip, agreed in (
            ("boyd", 1920.0, 2400.0), ("castle", 1705.0, 1500.0), ("duval", 720.0, 800.0),
        ):  # fmt: skip
            row = self._row(key)
            self.assertEqual((row.amount_wip, row.amount_agreed, row.amount), (wip, agreed, agreed))

    def test_r24_quote_used_up_waits_for_a_tick(self):
        row = self._row(data.QUOTE_USED_UP)
        self.assertRecordValues(row, [{"needs_tick": True, "state": "planned", "amount": 0.0}])

    def test_r24_rest_of_a_quote_that_was_raised(self):
        account = self.firm.accounts["boyd"]
        self.assertEqual((account.quote_billed, account.quote_left), (2400.0, 600.0))
        now = self.months._open_list(self.firm.today, self.firm.today)
        row = now.line_ids.filtered(lambda line: line.billing_account_id == account)
        self.assertEqual((row.amount_wip, row.amount), (240.0, 600.0))

    def test_r24_fee_with_and_without_work(self):
        self.assertEqual(self._row("frost").amount_wip, 560.0)
        self.assertEqual(self._row("grove").amount_wip, 0.0)
        self.assertEqual(len(self._bill("grove").invoice_line_ids), 1)
        self.assertEqual(self._bill("hurst").amount_untaxed, 300.0 + 48.75)

    def test_r24_why_matters_are_not_in_the_list(self):
        firm, months = self.firm, self.months
        now = months._open_list(firm.today, firm.today)
        left_out = (months.run | now).exclusion_ids
        reasons = {}
        for exclusion in left_out:
            client = exclusion.charge_id.client_id
            reasons.setdefault(client, set()).add(exclusion.reason_id.code)
        for key, code in (
            ("jarvis", "no_instalment_due"), ("ibsen", "no_instalment_due"),
            ("kranz", "mass_excluded"), ("lowe", "account_on_hold"), ("marsh", "account_closed"),
            (data.DRAFTED, "draft_bill"), ("castle", "draft_bill"),
        ):  # fmt: skip
            with self.subTest(key):
                self.assertIn(code, reasons.get(firm.clients[key], ()))

    def test_one_bill_for_all_wards(self):
        bill = self._bill("penn")
        self.assertEqual(bill, self._bill("quade") | self._bill("rusk"))
        self.assertEqual(bill.partner_id, self.firm.payers["guardian"])
        self.assertEqual(bill.amount_untaxed, 640.0)
        self.assertEqual(len(bill._mass_accounts()), 3)

    def test_billing_contact(self):
        self.assertEqual(self._bill("orr").partner_id, self.firm.contact)

    def test_r25_a_bill_in_each_state(self):
        bills = self.months.drafts
        left = {
            "draft": self._bill(*data.LEFT_AS_DRAFTS),
            "production": self._bill(*data.LEFT_IN_PRODUCTION, data.MAIL_FAILED),
        }
        for state, expected in left.items():
            self.assertEqual(self.months._in(bills, state), expected)
        self.assertEqual(
            self.months._in(bills, "produced"), bills - left["draft"] - left["production"]
        )
        self.assertEqual(self._bill(data.MAIL_FAILED).delivery_state, "failed")

    def test_r25_with_no_way_to_deliver_it_only_leaves_the_list(self):
        bill = self._bill("stern")
        self.assertEqual((bill.delivery_email, bill.print_copies), (False, "0"))
        self.assertRecordValues(
            bill, [{"production_state": "produced", "is_move_sent": False, "delivery_state": False}]
        )

    def test_r25_options_edited_on_bills_are_the_accounts(self):
        for key, options in data.OPTIONS_CHANGED.items():
            self.assertRecordValues(self.firm.accounts[key], [dict(options)])

    def test_r25_only_bills_of_mass_billing_enter_production(self):
        """Who changes over finds no pile of bills that were sent long ago."""
        bill = self.months.by_hand
        self.assertEqual(bill.invoice_line_ids.charge_id.client_id, self.firm.clients["noble"])
        bill.action_post()
        self.assertFalse(bill.production_state)

    def test_expenses_of_a_vendor_bill(self):
        """Each line is somebody's, at cost and markup, or waits for a decision."""
        lines = self.firm.vendor_bill.invoice_line_ids
        charges = lines.client_charge_ids
        self.assertEqual((len(lines), charges.mapped("kind")), (3, ["expense"] * 2))
        self.assertEqual(charges.mapped("price_unit"), [18.75, 25.0])
        self.assertTrue(all(charges.mapped("is_live")), "billed with the time")

    def test_nothing_leaves_the_house(self):
        mails = self.env["mail.mail"].sudo().search([("model", "=", "account.move")])
        self.assertFalse(mails.filtered(lambda mail: mail.res_id in self.months.drafts.ids))
        self.assertFalse((self.months.before | self.months.drafts).sudo().filtered("sending_data"))

    def test_users(self):
        """A biller may do all of it; a coordinator sees no invoices."""
        run = self.env["healthcare.billing.run"].with_company(self.firm.company)
        run.with_user(self.users["matter_biller"])._open_mass_billing()
        with self.assertRaises(AccessError):
            run.with_user(self.users["matter_coordinator"])._open_mass_billing()
