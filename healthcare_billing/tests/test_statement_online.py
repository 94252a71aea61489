from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import JsonRpcException, tagged
from odoo.tools import mute_logger

from ..models.healthcare_statement_items import LISTING
from .statement_portal_common import StatementPaymentCommon


@tagged("post_install", "-at_install")
class TestStatementOnline(StatementPaymentCommon):
    """Nobody is asked online for what is paid already, is on its way, or is owed by others."""

    def _tell(self, transaction, state):
        """What the provider tells."""
        transaction._process("demo", {"reference": transaction.reference, "simulated_state": state})
        transaction._post_process()
        self.env.invalidate_all()

    def test_r20_what_is_on_its_way_is_not_asked_again(self):
        transaction = self._begin(50.0)
        self._tell(transaction, "pending")
        self.assertEqual(self.statement._amount_to_pay(), 80.0)
        self.assertEqual(self.statement._payable_amount(), 30.0)
        with self.assertRaisesRegex(UserError, "at most"):
            self.statement._check_payable_amount(30.01)
        with mute_logger("odoo.http"), self.assertRaises(JsonRpcException):
            self._begin(80.0)
        self._tell(self._begin(30.0), "pending")
        self.assertFalse(self.statement._is_payable())
        self.assertNotIn('name="amount"', self._page(self._link()))
        self._tell(transaction, "done")
        self.assertEqual(self.statement._amount_to_pay(), 30.0)
        self.assertFalse(self.statement._is_payable())
        self.assertProof()

    def test_r20_a_payment_that_failed_is_asked_again(self):
        transaction = self._begin(80.0)
        self._tell(transaction, "pending")
        self._tell(transaction, "cancel")
        self.assertEqual(self.statement._payable_amount(), 80.0)

    def test_r20_authorized_and_captured_in_parts(self):
        self.provider_demo.capture_manually = True
        transaction = self._begin(80.0)
        self._tell(transaction, "done")
        self.assertEqual(transaction.state, "authorized")
        self.assertEqual(self.statement._payable_amount(), 0.0)
        part = transaction._create_child_transaction(50.0)
        self.assertEqual(self.statement._payable_amount(), 0.0)
        part._set_done()
        self.assertEqual(self.statement._payable_amount(), 0.0)
        part._post_process()
        self.assertEqual(self.statement._amount_to_pay(), 30.0)
        self.assertEqual(self.statement._payable_amount(), 0.0)
        self.assertProof()

    def test_r20_money_that_waits_as_a_credit_is_not_asked_again(self):
        """The statement couldn't take the money: it is on account, and isn't asked for."""
        transaction = self._begin(50.0)
        fault = UserError("The books are locked.")
        with patch.object(type(self.statement), "_close_paid", side_effect=fault):
            self._notify(transaction)
        self.assertEqual(self.statement.state, "committed")
        self.assertTrue(self.statement.activity_ids)
        self.assertEqual(self.visit.charge_ids.amount_residual, 80.0)
        self.assertEqual(self.statement._payable_amount(), 30.0)
        self.assertEqual(self.statement._printed()[0].now, 30.0)
        # what a statement tells as a credit it doesn't subtract twice
        following = self._statement(self.anna, settles_ledger=True, ledger_amount=-50.0)
        self.assertEqual(following._payable_amount(), 30.0)
        self.statement.sudo().write({"settles_ledger": True, "ledger_amount": -50.0})
        self.assertEqual(self.statement._payable_amount(), 30.0)
        self._pay_online(30.0)
        self.assertEqual(self.visit.charge_ids.amount_residual, 0.0)
        self.assertEqual(
            transaction.payment_id.move_id.line_ids.mapped("reconciled").count(True), 1
        )
        self.assertProof()

    def test_r20_what_others_owe_is_not_asked(self):
        other = self._charge(self.ben, hour=15)
        self._execute(other, post=True)
        self.env["healthcare.statement.line"].sudo().with_context(
            healthcare_listing=LISTING
        ).create(
            {
                "statement_id": self.statement.id,
                "charge_id": other.id,
                "responsibility": "client",
                "amount_due": 80.0,
            }
        )
        self.assertEqual(self.statement._payable_amount(), 80.0)
        self.assertEqual(self.statement._printed()[0].now, 80.0)
        with self.assertRaisesRegex(UserError, "at most"):
            self.statement._check_payable_amount(80.01)
        self._pay_online(80.0)
        self.assertEqual(self.statement.state, "paid")
        self.assertEqual(other.amount_residual, 80.0)
        self.assertProof()
