from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .cycle_common import CycleInvoicesCommon


@tagged("post_install", "-at_install")
class TestInvoiceVoid(CycleInvoicesCommon):
    """R15: a sent invoice is reversed, its visits are eligible again."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.receivable = cls.company_data["default_account_receivable"]
        cls.revenue = cls.company_data["default_account_revenue"]

    def _sent(self, name="Ann"):
        move = self._drafts(name)
        self.cycle._start_closing()
        return move

    def _balances(self, moves):
        """Posted lines per account."""
        return sorted(
            (line.move_id.move_type, line.account_id.code, line.balance)
            for line in moves.line_ids.filtered("account_id")
        )

    def test_r15_void_reverses_line_by_line(self):
        move = self._sent()
        charge = move.invoice_line_ids.charge_id
        credit = move._void("A visit was missing")
        receivable, revenue = self.receivable.code, self.revenue.code
        self.assertEqual(
            self._balances(move | credit),
            sorted(
                [
                    ("out_invoice", receivable, 80.0), ("out_invoice", revenue, -80.0),
                    ("out_refund", receivable, -80.0), ("out_refund", revenue, 80.0),
                ]
            ),
        )  # fmt: skip
        self.assertEqual(credit.date, fields.Date.context_today(move))
        self.assertEqual((move.amount_residual, credit.amount_residual), (0.0, 0.0))
        self.assertEqual(move.payment_state, "reversed")
        self.assertEqual(charge.billing_stage, "billing_office")
        self.assertIn("A visit was missing", move.message_ids[0].body)
        self.assertEqual(self._overview(move_id=move.id).status, "void")
        row = move.billing_run_id.line_ids
        self.assertEqual((row.state, row.message), ("undone", f"Voided by {credit.name}"))

    def test_r15_a_later_cycle_takes_its_visits_in(self):
        move = self._sent()
        charge = move.invoice_line_ids.charge_id
        move._void("Again, with another visit")
        later = self._cycle(
            date_from=self.cycle.date_to,
            date_to=self.cycle.date_to + timedelta(days=7),
            back_billing_date=self.cycle.date_from,
        )
        charges = self.env["healthcare.charge"].search(later._charge_domain())
        self.assertEqual(charges, charge)
        new = self._generate(charge.appointment_id, later)
        self.assertEqual((new.amount_total, new.billing_cycle_id), (80.0, later))
        with self.assertRaisesRegex(UserError, "bills no care now"):
            move._void("Twice")

    def test_r15_dated_on_the_first_open_day(self):
        move = self._sent()
        self.company.fiscalyear_lock_date = self.today + timedelta(days=3)
        credit = move._void("Wrong")
        self.assertEqual(credit.date, self.today + timedelta(days=4))

    def test_r15_void_of_a_paid_invoice_says_so_first(self):
        move = self._sent()
        payment = self._pay(move, 50.0)
        wizard = self.env["healthcare.invoice.void"].browse(move.action_void()["res_id"])
        wizard.reason = "Wrong payer"
        self.assertEqual(
            [(line.payment, line.amount) for line in wizard.line_ids],
            [(payment.move_id.name or payment.name, 50.0)],
        )
        with self.assertRaisesRegex(UserError, "unapplied credit"):
            wizard.action_confirm()
        self.assertEqual(move.amount_residual, 30.0)
        wizard.confirmed = True
        action = wizard.action_confirm()
        credit = self.env["account.move"].browse(action["res_id"])
        self.assertEqual((move.amount_residual, credit.amount_residual), (0.0, 0.0))
        line = payment.move_id.line_ids.filtered(lambda line: line.account_id == self.receivable)
        if line:
            self.assertEqual(line.amount_residual, -50.0)  # unapplied, whole
        self.assertNotIn(payment, move.matched_payment_ids)
        self.assertIn("Unapplied credit now", move.message_ids[0].body)

    def test_r15_paid_by_an_entry_becomes_unapplied_credit(self):
        move = self._sent()
        bank = self.company_data["default_journal_bank"]
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "journal_id": bank.id,
                "date": move.date,
                "line_ids": [
                    (0, 0, {"account_id": bank.default_account_id.id, "debit": 50.0}),
                    (0, 0, {"account_id": self.receivable.id, "credit": 50.0,
                            "partner_id": move.partner_id.id}),
                ],
            }
        )  # fmt: skip
        entry._post()
        money = entry.line_ids.filtered("credit")
        (
            move.line_ids.filtered(lambda line: line.account_id == self.receivable) | money
        ).reconcile()
        self.assertEqual(move._unapplied_by_voiding(), [(entry.name, 50.0, move.currency_id)])
        move._void("Wrong")
        self.assertEqual(money.amount_residual, -50.0)
        self.assertEqual(move.amount_residual, 0.0)

    def test_r15_what_was_shown_is_what_is_done(self):
        move = self._sent()
        wizard = self.env["healthcare.invoice.void"].browse(move.action_void()["res_id"])
        wizard.reason = "Wrong"
        self._pay(move, 50.0)
        with self.assertRaisesRegex(UserError, "has changed"):
            wizard.action_confirm()

    def test_r15_write_off_is_taken_back_along(self):
        move = self._sent()
        reason = self.env.ref("healthcare_billing.adjustment_reason_courtesy")
        reason.account_id = self.company_data["default_account_expense"]
        entry = move._write_off(reason, self.today, {move: 20.0})
        move._void("Wrong")
        self.assertEqual(entry.reversal_move_ids.state, "posted")
        self.assertEqual((move.amount_residual, move.payment_state), (0.0, "reversed"))
        open_lines = self.env["account.move.line"].search(
            [("account_id", "=", self.receivable.id), ("partner_id", "=", move.partner_id.id),
             ("reconciled", "=", False), ("parent_state", "=", "posted")]
        )  # fmt: skip
        self.assertFalse(open_lines)

    def test_r15_credited_in_part_before(self):
        move = self._generate(
            self._approved(client := self._client("Two")) | self._approved(client, hour=12)
        )
        move.action_post()
        lines = move.invoice_line_ids
        credit = move._draft_credit_note("One of them")
        credit.invoice_line_ids = [(2, credit.invoice_line_ids[1].id)]
        credit._post(soft=False)
        rest = move._void("The rest")
        self.assertEqual((credit.amount_total, rest.amount_total), (80.0, 80.0))
        self.assertEqual(move.amount_residual, 0.0)
        self.assertFalse(any(lines.mapped("charge_live")))

    def test_rights_and_reason(self):
        move = self._sent()
        user = self._user("billing_user")
        with self.assertRaisesRegex(AccessError, "Only a billing manager"):
            move.with_user(user).action_void()
        with self.assertRaisesRegex(AccessError, "Only a billing manager"):
            move.with_user(user)._void("Wrong")
        manager = self._user("billing_manager")
        with self.assertRaisesRegex(UserError, "Say why"):
            move.with_user(manager)._void("")
        credit = move.with_user(manager)._void("Wrong")
        self.assertEqual(credit.state, "posted")

    def test_drafts_are_refused(self):
        with self.assertRaisesRegex(UserError, "isn't a posted invoice"):
            self._drafts("Ann").action_void()
