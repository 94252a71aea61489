from odoo.tests import tagged

from .statement_close_common import StatementCloseCommon


@tagged("post_install", "-at_install")
class TestPaymentReturned(StatementCloseCommon):
    """Money that is taken back after its statement was closed (R20)."""

    def _told(self, statement):
        return " ".join(statement.message_ids.mapped("body"))

    def test_r20_canceled_payment_is_rebilled(self):
        charges, _move = self._three()
        statement = self._statement()
        payment = self._close(statement, 240.0)
        user = self._user("billing_user")
        payment.with_env(self._act_as(user)).action_cancel_for_care()
        self.assertEqual(charges.mapped("balance_client"), [80.0] * 3)
        self.assertEqual(charges.mapped("returned_client"), [True] * 3)
        self.assertIn(payment.display_name, self._told(statement))
        self.assertIn(charges[0].display_name, self._told(statement))
        following = self._statement(statement_type="differential", commit=False)
        self.assertEqual(following.line_ids.mapped("amount_due"), [80.0] * 3)
        self.assertProof()

    def test_r20_what_another_statement_asks_for_stays_there(self):
        charges, _move = self._three()
        statement, other = self._statement(), self._statement()
        other._detach(other.line_ids.filtered(lambda line: line.charge_id == charges[2]))
        charges._set_returned("client", False)
        payment = self._close(statement, 240.0)
        payment.action_cancel_for_care()
        returned = dict(zip(charges, charges.mapped("returned_client"), strict=True))
        self.assertEqual(returned, {charges[0]: False, charges[1]: False, charges[2]: True})
        self.assertFalse(other.needs_recommit)

    def test_r20_open_statement_goes_on_asking(self):
        charges, _move = self._three()
        statement = self._statement()
        payment = self._close(statement, 100.0, under="leave_open")
        self.assertEqual(statement.state, "committed")
        payment.action_cancel_for_care()
        self.assertEqual(charges.mapped("returned_client"), [False] * 3)
        self.assertEqual(statement._amount_to_pay(), 240.0)
        self.assertIn(payment.display_name, self._told(statement))

    def test_r20_invoice_that_no_statement_told_goes_on_asking(self):
        charges, _move = self._three()
        self._receive([(charges[0], 80.0)]).action_cancel_for_care()
        self.assertEqual(charges.mapped("returned_client"), [False] * 3)

    def test_r20_unreconciled_payment_is_rebilled(self):
        charges, move = self._three()
        statement = self._statement()
        payment = self._close(statement, 240.0)
        line = self._receivables(payment).filtered(lambda line: line.charge_id == charges[1])
        move.js_remove_outstanding_partial(line.matched_debit_ids.id)
        self.assertEqual(charges.mapped("ledger_client"), [0.0, 80.0, 0.0])
        self.assertEqual(charges.mapped("returned_client"), [False, True, False])
        self.assertIn(payment.display_name, self._told(statement))

    def test_r20_unreconciled_from_the_list_is_rebilled(self):
        charges, _move = self._three()
        statement = self._statement()
        payment = self._close(statement, 240.0)
        lines = self._receivables(payment)
        lines.with_context(active_ids=lines.ids).action_unreconcile_match_entries()
        self.assertEqual(charges.mapped("returned_client"), [True] * 3)
        self.assertIn(payment.display_name, self._told(statement))
