from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .statement_close_common import StatementCloseCommon


@tagged("post_install", "-at_install")
class TestStatementOverlap(StatementCloseCommon):
    """Several statements tell the same items: each is billed, and sold, once (R20)."""

    def _counts(self, charge):
        """How often each party was asked, as the list of receivables says."""
        self.env.flush_all()
        rows = self.env["healthcare.receivable"].search([("charge_id", "=", charge.id)])
        rows.invalidate_recordset()
        return {row.responsibility: row.statement_count for row in rows}

    # -- counted ---------------------------------------------------------------------------------
    def test_r20_closed_together_is_billed_once(self):
        charges, _move = self._three()
        first, second = self._statement(), self._statement()
        (first | second)._close_unpaid()
        self.assertEqual(charges.mapped("statement_count"), [1] * 3)
        self.assertEqual(set(self._outcomes(first)), {"held"})
        self.assertEqual(set(self._outcomes(second)), {"returned"})
        self._statement(statement_type="differential")._close_unpaid()
        self.assertEqual(charges.mapped("statement_count"), [2] * 3)

    def test_r20_each_party_is_counted_apart(self):
        carl = self._insured_client("Carl Cole", copay=20.0)
        charge = self._charge(carl)
        self._execute(charge, post=True)
        self._statement(carl)._close_unpaid()
        self.assertEqual(self._counts(charge), {"client": 1, "primary": 0})
        self._statement(carl, statement_type="differential")._close_unpaid()
        self._statement(self.payer)._close_unpaid()
        self.assertEqual(self._counts(charge), {"client": 2, "primary": 1})
        self.assertEqual(charge.statement_count, 2)
        again = self._statement(self.payer, statement_type="differential")
        self.assertEqual([row["times_billed"] for row in again._collections_rows()], [1])

    def test_r20_paid_items_of_an_unpaid_statement_were_not_billed_again(self):
        charges, _move = self._three()
        statement = self._statement()
        self._receive([(charges[0], 80.0)])
        statement._close_unpaid()
        self.assertEqual(charges.mapped("statement_count"), [0, 1, 1])

    def test_r20_taken_back_the_closing_before_counts(self):
        charges, _move = self._three()
        first, second = self._statement(), self._statement()
        first._close_unpaid()
        second._detach(second.line_ids.filtered(lambda line: line.charge_id == charges[0]))
        self.assertEqual(charges.mapped("statement_count"), [1, 0, 0])
        second._close_canceled()
        self.assertEqual(charges.mapped("statement_count"), [1] * 3)
        # a third one that is a mistake changes nothing
        self._statement()._close_canceled()
        self.assertEqual(charges.mapped("statement_count"), [1] * 3)

    # -- sold ------------------------------------------------------------------------------------
    def test_r20_sold_together_is_reopened_together(self):
        charges, _move = self._three()
        first, second = self._statement(), self._statement()
        (first | second)._close_sold(self.sold, self.today)
        self.assertEqual(first.write_off_ids, second.write_off_ids)
        second._reopen()
        self.assertEqual(charges.mapped("ledger_client"), [80.0] * 3)
        self.assertEqual(second._amount_to_pay(), 240.0)
        # the other one stays sold, and is told
        self.assertEqual(first.state, "sold")
        self.assertIn("owed again", first.message_ids[0].body)
        self.assertProof()
        second._close_sold(self.sold, self.today)
        sold = [row["amount_sold"] for row in (first | second)._collections_rows()]
        self.assertEqual(sold, [80.0] * 3)
        first._reopen()
        self.assertEqual(charges.mapped("ledger_client"), [80.0] * 3)
        self.assertProof()

    def test_r20_sold_one_by_one(self):
        """As the dialog of many does it."""
        charges, _move = self._three()
        first, second = self._statement(), self._statement()
        wizard = self.env["healthcare.statement.bulk"].browse(
            (first | second).action_bulk_close()["res_id"]
        )
        wizard.write({"operation": "sold", "reason_id": self.sold.id})
        wizard.action_run()
        self.assertEqual(self._outcomes(second), ["sold"] * 3)
        self.assertEqual(first.write_off_ids, second.write_off_ids)
        second._reopen()
        self.assertEqual(charges.mapped("ledger_client"), [80.0] * 3)
        self.assertProof()

    def test_r20_an_agencys_payment_is_reversed_before_reopening(self):
        charges, _move = self._three()
        first, second = self._statement(), self._statement()
        agency = self.env["res.partner"].create({"name": "Collect & Co."})
        entry = first._close_sold(
            self.sold, self.today, proceeds=60.0, journal=self.bank, agency=agency
        )
        second._close_sold(self.sold, self.today)
        for statement in first | second:
            with self.assertRaisesRegex(UserError, f"agency paid.*{entry.name}"):
                statement._reopen()
        self.assertEqual(charges.mapped("ledger_client"), [0.0] * 3)
        wizard = self.env["account.move.reversal"].create(
            {
                "move_ids": [Command.set(entry.ids)],
                "journal_id": entry.journal_id.id,
                "date": self.today,
            }
        )
        reversal = self.env["account.move"].browse(wizard.reverse_moves(is_modify=False)["res_id"])
        if reversal.state == "draft":
            reversal.action_post()
        first._reopen()
        self.assertFalse(first.agency_id)
        self.assertFalse(first.proceeds_move_id)
        lost = self.env["account.move.line"].search(
            [("account_id", "=", self.loss.id), ("adjustment_reason_id", "=", self.sold.id)]
        )
        self.assertEqual(sum(lost.mapped("balance")), 0.0)
        # sold again: the dialog books the second payment
        wizard = self.env["healthcare.statement.bulk"].browse(first.action_bulk_close()["res_id"])
        wizard.write(
            {
                "operation": "sold",
                "reason_id": self.sold.id,
                "proceeds": 50.0,
                "journal_id": self.bank.id,
            }
        )
        wizard.action_run()
        self.assertEqual(wizard.line_ids.mapped("state"), ["done"])
        self.assertEqual(first.proceeds_move_id.amount_total, 50.0)
        self.assertNotEqual(first.proceeds_move_id, entry)
        self.assertProof()
