from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from ..models.account_payment_charge import OnAccount
from .receivable_common import ReceivableCommon


@tagged("post_install", "-at_install")
class TestAgedReceivables(ReceivableCommon):
    """Open items of the ledger by age: equal to the receivable accounts, on any day."""

    def _report(self, **vals):
        report = self.env["healthcare.aged.receivables"].create(vals)
        report.action_compute()
        self.assertEqual(report.difference, 0.0)
        self.assertEqual(report.total, report.ledger)
        self.assertEqual(
            report.currency_id.round(sum(report.row_ids.mapped("amount"))), report.ledger
        )
        return report

    def _invoice(self, client, days, **vals):
        """An invoice of 80.00, so many days old and due at once."""
        visit = self._appointment(client, day=self.today - timedelta(days=days), **vals)
        return self._execute(
            visit, post=True, invoice_date=self.today - timedelta(days=days)
        ).move_ids

    def _accounts(self):
        lines = self.env["account.move.line"].search(
            [
                ("company_id", "=", self.company.id),
                ("parent_state", "=", "posted"),
                ("account_type", "=", "asset_receivable"),
            ]
        )
        return sum(lines.mapped("balance"))

    def test_buckets(self):
        for days in (0, 30, 31, 60, 61, 90, 91, 200):
            self._invoice(self.anna, days)
        report = self._report()
        self.assertEqual(
            (report.amount_0_30, report.amount_31_60, report.amount_61_90, report.amount_90_plus),
            (160.0, 160.0, 160.0, 160.0),
        )
        self.assertEqual(report.total, self._accounts())
        self.assertEqual(
            report._table_by("partner_id"),
            [
                (
                    "Anna Adams",
                    {
                        "0_30": 160.0,
                        "31_60": 160.0,
                        "61_90": 160.0,
                        "90_plus": 160.0,
                        "total": 640.0,
                    },
                )
            ],
        )

    def test_by_payer_client_and_responsibility(self):
        client = self._insured_client("Ines", copay=20.0)
        self._invoice(client, 40)
        self._invoice(self.anna, 5)
        report = self._report()
        self.assertEqual(
            dict(report._table_by("responsibility")),
            {
                "Primary Payer": {"31_60": 60.0, "total": 60.0},
                "Client": {"0_30": 80.0, "31_60": 20.0, "total": 100.0},
            },
        )
        rows = report.row_ids
        self.assertEqual(
            {(row.partner_id, row.client_id, row.debtor_type, row.amount) for row in rows},
            {
                (self.payer, client, "insurance", 60.0),
                (client, client, "client", 20.0),
                (self.anna, self.anna, "client", 80.0),
            },
        )

    def test_due_date_or_invoice_date(self):
        move = self._invoice(self.anna, 100)
        line = move.line_ids.filtered(lambda line: line.display_type == "payment_term")
        line.date_maturity = self.today - timedelta(days=20)
        self.assertEqual(self._report().amount_0_30, 80.0)
        self.assertEqual(self._report(basis="invoice").amount_90_plus, 80.0)

    def test_on_an_earlier_day(self):
        move = self._invoice(self.anna, 50)
        self._pay(move, 30.0, payment_date=self.today - timedelta(days=10))
        self._pay(move, 50.0, payment_date=self.today)
        self.assertEqual(self._report().total, 0.0)
        for days, total in ((1, 50.0), (10, 50.0), (11, 80.0), (50, 80.0), (51, 0.0)):
            report = self._report(as_of=self.today - timedelta(days=days))
            self.assertEqual(report.total, total, days)

    def test_credits_money_on_account_and_other_receivables(self):
        self._invoice(self.anna, 5)
        other = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.partner_a.id,
                "invoice_date": self.today,
                "invoice_line_ids": [
                    Command.create({"name": "Rent", "price_unit": 100.0, "tax_ids": []})
                ],
            }
        )
        other.action_post()
        visit = self._appointment(self.anna, hour=13, state="scheduled")
        account = self.anna.property_account_receivable_id
        money = {"partner_id": self.anna.id, "account_id": account.id}
        named = {"charge_id": visit.charge_ids.id, "responsibility": "client"}
        bank = self.company_data["default_journal_bank"]
        entry = self.env["account.move"].create(
            {
                "journal_id": bank.id,
                "line_ids": [
                    Command.create({**money, **named, "credit": 15.0}),
                    Command.create({**money, "credit": 10.0}),
                    Command.create({"account_id": bank.default_account_id.id, "debit": 25.0}),
                ],
            }
        )
        entry.action_post()
        report = self._report()
        self.assertEqual(
            (report.amount_care, report.amount_on_account, report.amount_other),
            (80.0, -15.0, 90.0),
        )

    def test_money_received_before_the_care_is_priced(self):
        charge = self._charge(self.anna, state="scheduled")
        self.env["account.payment"]._receive_for_care(
            self.anna,
            self.company_data["default_journal_bank"],
            self.today,
            (),
            on_account=[OnAccount(self.anna, charge, "client", 30.0)],
        )
        report = self._report()
        self.assertEqual((report.amount_on_account, report.total), (-30.0, -30.0))
        row = report.row_ids
        self.assertEqual((row.client_id, row.responsibility), (self.anna, "client"))

    def test_one_debtor_of_both_parts_is_told_per_party(self):
        client = self._insured_client("Ines", copay=20.0, account={"guarantor_id": self.payer.id})
        moves = self._invoice(client, 5)
        report = self._report()
        told = {row.responsibility: row.amount for row in report.row_ids}
        self.assertEqual(told, {"client": 20.0, "primary": 60.0}, moves)

    def test_foreign_currency_is_told_in_the_companys(self):
        currency = self.setup_other_currency("EUR")
        schedule = self._fee_schedule({self.visit_service: 100.0}, currency_id=currency.id)
        self.assertTrue(schedule)
        client = self._insured_client("Ines")
        move = self._invoice(client, 5)
        self.assertEqual(move.currency_id, currency)
        self._pay(move, 40.0)
        report = self._report()
        self.assertEqual(report.total, move.amount_residual_signed)

    def test_accountants_see_it_and_no_charges(self):
        self._invoice(self.anna, 5)
        env = self._act_as(self._user("accountant"))
        action = env["healthcare.aged.receivables"].action_open()
        report = env["healthcare.aged.receivables"].browse(action["res_id"])
        self.assertEqual((report.total, report.difference), (self._accounts(), 0.0))
        rows = env["healthcare.aged.receivables.row"].search(report.action_view_pivot()["domain"])
        self.assertEqual(rows.mapped("partner_id.name"), ["Anna Adams"])
        self.assertIn("80.00", report.by_responsibility)
        html, _type = env["ir.actions.report"]._render_qweb_html(
            "healthcare_billing.report_aged_receivables", report.ids
        )
        self.assertIn(b"Equal to the ledger", html)
        self.assertIn(b"Anna Adams", html)
        with self.assertRaises(AccessError):
            self._act_as(self._user("coordinator"))["healthcare.aged.receivables"].create({})
        other = self._act_as(self._user("billing_user"))
        self.assertFalse(other["healthcare.aged.receivables"].search([("id", "=", report.id)]))

    def test_a_difference_is_shown(self):
        self._invoice(self.anna, 5)
        report = self._report()
        report.difference = 1.0
        html, _type = self.env["ir.actions.report"]._render_qweb_html(
            "healthcare_billing.report_aged_receivables", report.ids
        )
        self.assertIn(b"differ from the receivable accounts", html)

    def test_same_queries_for_more_items(self):
        def queries(number):
            for index in range(number):
                self._invoice(self.anna, 5 + index, hour=8)
            self.env.flush_all()
            self.env.invalidate_all()
            report = self.env["healthcare.aged.receivables"].create({})
            before = self.env.cr.sql_log_count
            report.action_compute()
            return self.env.cr.sql_log_count - before

        queries(1)
        self.assertEqual(queries(2), queries(4))
