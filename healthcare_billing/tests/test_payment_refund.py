from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from ..models.account_payment_charge import CareMoney, OnAccount
from .test_payment_charge import PaymentCommon


@tagged("post_install", "-at_install")
class TestRefund(PaymentCommon):
    """Money that goes back: of credit notes, and on account."""

    def _credited(self, amount=30.0):
        """A charge of 80.00 that was paid, and then credited in part."""
        charge = self._charge(self.anna)
        move = self._execute(charge, post=True).move_ids
        self._receive([(charge, 80.0)])
        note = self._credit(move, amount=amount)
        self.assertEqual(charge.balance_client, -amount)
        return charge, note

    def _on_account(self, amount, charge=None):
        charge = charge if charge is not None else self.env["healthcare.charge"]
        money = OnAccount(self.anna, charge, "client" if charge else False, amount)
        return self._receive([], on_account=[money])

    def _refund(self, items=(), **options):
        items = [CareMoney(charge, "client", amount) for charge, amount in items]
        return self.payments._refund_for_care(self.anna, self.bank, self.today, items, **options)

    def _opened(self, action):
        return self.env["healthcare.refund.payment"].browse(action["res_id"])

    def test_credit_note_is_paid_back(self):
        charge, note = self._credited()
        payment = self._refund([(charge, 30.0)])
        self.assertEqual((payment.payment_type, payment.amount), ("outbound", 30.0))
        self.assertEqual(payment.move_id.state, "posted")
        self.assertEqual((charge.balance_client, note.amount_residual), (0.0, 0.0))
        self.assertEqual(charge.amount_paid, 50.0)
        self.assertProof()

    def test_more_than_the_credit_is_refused(self):
        charge, _note = self._credited()
        with self.assertRaisesRegex(UserError, "is open"):
            self._refund([(charge, 30.01)])
        self._refund([(charge, 10.0)])
        with self.assertRaisesRegex(UserError, "is open"):
            self._refund([(charge, 30.0)])
        self.assertEqual(charge.balance_client, -20.0)
        self.assertProof()

    def test_debt_is_no_credit(self):
        charge = self._charge(self.anna)
        self._execute(charge, post=True)
        with self.assertRaisesRegex(UserError, "is open"):
            self._refund([(charge, 10.0)])

    def test_money_on_account_is_paid_back(self):
        planned = self._charge(self.anna, state="scheduled")
        received = self._on_account(50.0, planned)
        action = received.action_refund_for_care()
        wizard = self._opened(action)
        wizard.line_ids.amount = 20.0
        wizard.action_refund()
        wizard.action_refund()  # a second click
        self.assertEqual(wizard.payment_id.amount, 20.0)
        self.assertEqual(received.care_unapplied, 30.0)
        self.assertEqual(planned._on_account_amounts(), {(planned.id, "client"): 30.0})
        planned.appointment_id.state = "completed"
        self._execute(planned, post=True)
        self.assertEqual(planned.balance_client, 50.0)
        self.assertProof()

    def test_all_credits_of_a_client(self):
        charge, _note = self._credited()
        received = self._on_account(25.0)
        wizard = self._opened(self.anna.action_refund_for_care())
        self.assertEqual(wizard.amount, 55.0)
        wizard.action_refund()
        self.assertEqual((charge.balance_client, received.care_unapplied), (0.0, 0.0))
        self.assertEqual(self.anna.care_on_account, 0.0)
        self.assertEqual(wizard.payment_id.care_unapplied, 0.0)
        with self.assertRaisesRegex(UserError, "no credit"):
            self.anna.action_refund_for_care()
        self.assertProof()

    def test_canceled_refund_is_credit_again(self):
        charge, _note = self._credited()
        payment = self._refund([(charge, 30.0)])
        payment.action_cancel_for_care()
        self.assertEqual(charge.balance_client, -30.0)
        self.assertProof()

    def test_less_than_nothing_is_refused(self):
        self._credited()
        wizard = self._opened(self.anna.action_refund_for_care())
        wizard.line_ids = [Command.update(wizard.line_ids.id, {"amount": -5.0})]
        with self.assertRaisesRegex(UserError, "more than 0.00"):
            wizard.action_refund()
        wizard.line_ids.amount = 0.0
        with self.assertRaisesRegex(UserError, "Nothing is paid back"):
            wizard.action_refund()
