from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .completeness_common import CompletenessCommon
from .cycle_common import CycleInvoicesCommon


@tagged("post_install", "-at_install")
class TestWriteOff(CycleInvoicesCommon):
    """Design, section 4: an entry reconciled with the invoice, revenue untouched."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.receivable = cls.company_data["default_account_receivable"]
        cls.loss = cls.company_data["default_account_expense"]
        cls.reason = cls.env.ref("healthcare_billing.adjustment_reason_bad_debt")
        cls.reason.account_id = cls.loss

    def _sent(self, *names):
        moves = self._drafts(*(names or ("Ann",)))
        moves.action_mark_as_sent()
        return moves

    def test_entry_line_by_line(self):
        move = self._sent()
        entry = move._write_off(self.reason, self.today, note="Moved away")
        self.assertEqual((entry.state, entry.date), ("posted", self.today))
        self.assertEqual(
            [
                (line.account_id, line.partner_id, line.debit, line.credit)
                for line in entry.line_ids.sorted("credit")
            ],
            [
                (self.loss, move.partner_id, 80.0, 0.0),
                (self.receivable, move.partner_id, 0.0, 80.0),
            ],
        )
        self.assertEqual(entry.line_ids.adjustment_reason_id, self.reason)
        self.assertEqual(entry.write_off_of_id, move)
        self.assertEqual((move.amount_residual, move.write_off_count), (0.0, 1))
        self.assertEqual(move.amount_untaxed, 80.0)
        self.assertIn("Moved away", move.message_ids[0].body)
        self.assertEqual(self._overview(move_id=move.id).status, "written_off")

    def test_r5_nobody_paid_what_was_written_off(self):
        move = self._sent()
        charge = move.invoice_line_ids.charge_id
        self._pay(move, 30.0)
        move._write_off(self.reason, self.today)
        self.assertEqual(charge._paid_amounts(), {charge: 30.0})
        self.assertEqual(charge._owed_by("client"), 0.0)
        self.assertEqual(charge.billing_stage, "finished")
        self.assertEqual(charge.amount_invoiced, 80.0)

    def test_a_part(self):
        move = self._sent()
        wizard = self.env["healthcare.write.off"].browse(move.action_write_off()["res_id"])
        self.assertEqual(wizard.line_ids.amount, 80.0)
        wizard.line_ids.amount = 5.0
        wizard.reason_id = self.reason
        self.assertEqual((wizard.amount, wizard.account_id), (5.0, self.loss))
        wizard.action_confirm()
        self.assertEqual(move.amount_residual, 75.0)
        row = self._overview(move_id=move.id)
        self.assertEqual((row.status, row.balance), ("sent", 75.0))

    def test_several_at_once(self):
        moves = self._sent("Ann", "Ben")
        wizard = self.env["healthcare.write.off"].browse(moves.action_write_off()["res_id"])
        wizard.reason_id = self.reason
        self.assertEqual(wizard.amount, 160.0)
        wizard.action_confirm()
        self.assertEqual(moves.mapped("amount_residual"), [0.0, 0.0])
        self.assertEqual(len(moves.write_off_ids), 2)
        with self.assertRaisesRegex(UserError, "Nothing is open"):
            wizard.action_confirm()

    def test_one_that_fails_leaves_all_as_they_were(self):
        moves = self._sent("Ann", "Ben")
        with self.assertRaisesRegex(UserError, "at most"):
            moves._write_off(self.reason, self.today, {moves[0]: 80.0, moves[1]: 81.0})
        self.assertFalse(moves.write_off_ids)

    def test_native_reversal_takes_it_back(self):
        move = self._sent()
        entry = move._write_off(self.reason, self.today)
        self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=entry.ids
        ).create({"journal_id": entry.journal_id.id, "date": self.today}).refund_moves()
        reversal = entry.reversal_move_ids
        if reversal.state == "draft":
            reversal.action_post()
        # the reversal says by its reason what it takes out of the report
        lines = self.env["account.move.line"].search(
            [("adjustment_reason_id", "=", self.reason.id), ("account_id", "=", self.loss.id),
             ("parent_state", "=", "posted")]
        )  # fmt: skip
        self.assertEqual(sum(lines.mapped("balance")), 0.0)

    def test_unreconciled_is_sent_again(self):
        move = self._sent()
        entry = move._write_off(self.reason, self.today)
        entry._take_back_write_off("Paid after all")
        self.assertEqual(move.amount_residual, 80.0)
        self.assertEqual(self._overview(move_id=move.id).status, "sent")

    def test_report_by_reason_and_month(self):
        moves = self._sent("Ann", "Ben")
        moves[0]._write_off(self.reason, self.today)
        other = self.env.ref("healthcare_billing.adjustment_reason_small")
        other.account_id = self.loss
        moves[1]._write_off(other, self.today, {moves[1]: 1.0})
        report = self.env["healthcare.write.off.report"]
        groups = report._read_group(
            [("company_id", "=", self.company.id)], ["reason_id"], ["amount:sum"]
        )
        self.assertEqual(dict(groups), {self.reason: 80.0, other: 1.0})

    # -- refusals --------------------------------------------------------------------------------
    def test_reason_without_account(self):
        move = self._sent()
        self.reason.account_id = False
        wizard = self.env["healthcare.write.off"].browse(move.action_write_off()["res_id"])
        wizard.reason_id = self.reason
        self.assertTrue(wizard.lacks_account)
        with self.assertRaisesRegex(UserError, "has no account in"):
            wizard.action_confirm()

    def test_reason_of_a_remittance(self):
        move = self._sent()
        with self.assertRaisesRegex(UserError, "comes with a payer's remittance"):
            move._write_off(self.env.ref("healthcare_billing.adjustment_reason_45"), self.today)

    def test_no_date_is_moved(self):
        move = self._sent()
        self.company.fiscalyear_lock_date = self.today - timedelta(days=1)
        with self.assertRaisesRegex(UserError, "are locked on"):
            move._write_off(self.reason, self.today - timedelta(days=1))
        with self.assertRaisesRegex(UserError, "in the future"):
            move._write_off(self.reason, self.today + timedelta(days=1))
        self.assertEqual(move._write_off(self.reason, self.today).date, self.today)

    def test_rights(self):
        move = self._sent()
        user, manager = self._user("billing_user"), self._user("billing_manager")
        with self.assertRaisesRegex(AccessError, "Only a billing manager"):
            move.with_user(user)._write_off(self.reason, self.today)
        with self.assertRaisesRegex(UserError, "is recorded"):
            self.env["account.move"].with_user(user).create(
                {"move_type": "entry", "write_off_of_id": move.id}
            )
        entry = move.with_user(manager)._write_off(self.reason.with_user(manager), self.today)
        self.assertEqual(entry.state, "posted")

    def test_drafts_are_refused(self):
        with self.assertRaisesRegex(UserError, "isn't a posted invoice"):
            self._drafts("Ann").action_write_off()

    def test_foreign_currency(self):
        """Part by part, company currency follows the invoice's own rate, to the last cent."""
        client = self._client("Euro")
        visit = self._approved(client)
        move = self._generate(visit)
        currency = (
            self.env["res.currency"].with_context(active_test=False).search([("name", "=", "CHF")])
        )
        currency.active = True
        self.env["res.currency.rate"].create(
            {"name": "2020-01-01", "currency_id": currency.id, "rate": 3.0,
             "company_id": self.company.id}
        )  # fmt: skip
        move.currency_id = currency
        move.action_post()
        residual = move.amount_residual
        entry = move._write_off(self.reason, self.today, {move: 10.0})
        self.assertEqual(move.amount_residual, residual - 10.0)
        self.assertAlmostEqual(sum(entry.line_ids.mapped("debit")), 3.33)
        move._write_off(self.reason, self.today)
        self.assertEqual(move.amount_residual, 0.0)
        self.assertEqual(move.amount_residual_signed, 0.0)


@tagged("post_install", "-at_install")
class TestWriteOffCompleteness(CompletenessCommon):
    """A write-off is no revenue: the proof of completeness doesn't see it."""

    def test_the_books_agree(self):
        charge = self._charge(self._client("Ann"))
        move = self._execute(charge, post=True).move_ids
        reason = self.env.ref("healthcare_billing.adjustment_reason_bad_debt")
        reason.account_id = self.company_data["default_account_expense"]
        before = self._report()
        move._write_off(reason, self.today)
        after = self._report()
        self.assertEqual(after.state, "agrees")
        for name in ("invoiced", "ledger", "gap", "beside_count", "other_income"):
            self.assertEqual(after[name], before[name], name)
