from odoo.tests import tagged

from .statement_portal_common import StatementPaymentCommon


@tagged("post_install", "-at_install")
class TestStatementRefund(StatementPaymentCommon):
    """What was paid online goes back the same way: what was credited, and nothing else silently."""

    def _paid_online(self):
        """A statement of 80.00, paid by somebody else's card."""
        self._login("ben")
        transaction = self._pay_online()
        self.assertEqual(self.visit.charge_ids.amount_residual, 0.0)
        return transaction

    def _refund_online(self, transaction, amount):
        """A biller's refund by core's dialog, told of by the provider."""
        payment = transaction.payment_id
        wizard = self.env["payment.refund.wizard"].create(
            {"payment_id": payment.id, "amount_to_refund": amount}
        )
        wizard.action_refund()
        refund = transaction.child_transaction_ids.sorted("id")[-1:]
        self.assertEqual((refund.operation, refund.amount), ("refund", -amount))
        self.assertEqual(refund.state, "done")
        refund._post_process()
        refund._post_process()  # told twice
        self.env.invalidate_all()
        return refund

    def test_credit_is_paid_back(self):
        transaction = self._paid_online()
        charge = self.visit.charge_ids
        self._credit(self.statement.move_ids, charge, 30.0)
        self.assertEqual(charge.balance_client, -30.0)
        refund = self._refund_online(transaction, 20.0)
        payment = refund.payment_id
        self.assertEqual((payment.payment_type, payment.amount), ("outbound", 20.0))
        # whose money it is, not whose card it was
        self.assertEqual(payment.partner_id, self.anna)
        self.assertEqual(charge.balance_client, -10.0)
        self.assertEqual(transaction.payment_id.amount_available_for_refund, 60.0)
        self.assertFalse(self.statement.activity_ids)
        self.assertProof()

    def test_more_than_the_credit_is_told(self):
        """The provider gave it back: it is booked as owed by the addressee, and somebody looks."""
        transaction = self._paid_online()
        refund = self._refund_online(transaction, 80.0)
        payment = refund.payment_id
        self.assertEqual((payment.payment_type, payment.partner_id), ("outbound", self.anna))
        self.assertEqual(self.visit.charge_ids.balance_client, 0.0)
        self.assertEqual(self.anna.credit, 80.0)
        self.assertIn("refund", self.statement.activity_ids.summary)
        self.assertProof()

    def test_money_on_account_is_paid_back(self):
        """A statement that couldn't take the money: it never paid an item."""
        transaction = self._begin()
        self.statement.sudo().state = "canceled"
        self._notify(transaction)
        self.assertEqual(self.anna.care_on_account, 80.0)
        self._refund_online(transaction, 80.0)
        self.assertEqual(self.anna.care_on_account, 0.0)
        self.assertEqual(self.visit.charge_ids.amount_residual, 80.0)
        self.assertEqual(self.anna.credit, 80.0)
        self.assertProof()
