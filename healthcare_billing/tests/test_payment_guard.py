from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from ..models.account_payment_charge import CareMoney, OnAccount
from .statement_close_common import StatementCloseCommon


@tagged("post_install", "-at_install")
class TestPaymentGuard(StatementCloseCommon):
    """What is money, whose it is, and that nobody makes something else of it."""

    # -- what is money ---------------------------------------------------------------------------
    def _loose_write_off(self, charge):
        """A write-off that somebody took off its invoice.

        :return: its open receivable line
        """
        entry = charge._write_off_items([(charge, "client", 80.0)], self.courtesy, self.today)
        line = entry.line_ids.filtered("charge_id")
        line.remove_move_reconcile()
        self.assertEqual(line.amount_residual, -80.0)
        return line

    def test_r5_write_off_is_no_money(self):
        charges, _move = self._three()
        line = self._loose_write_off(charges[0])
        self.assertFalse(charges._on_account_amounts())
        self.assertEqual(self.anna.care_on_account, 0.0)
        with self.assertRaisesRegex(UserError, "no credit"):
            self.anna.action_refund_for_care()
        with self.assertRaisesRegex(UserError, "no money that was received"):
            self.payments._refund_for_care(self.anna, self.bank, self.today, ledger=[(line, 80.0)])
        self.assertEqual(self._statement(commit=False)._ledger_balance(), 0.0)
        self.assertProof()

    def test_r5_write_off_of_an_invoice_is_no_credit(self):
        _charges, move = self._three()
        entry = move._write_off(self.courtesy, self.today, {move: 80.0})
        receivable = entry.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        receivable.remove_move_reconcile()
        statement = self._statement(commit=False)
        self.assertEqual((statement._ledger_balance(), self.anna.care_on_account), (0.0, 0.0))

    def test_r5_journal_entry_is_no_money(self):
        accounts = self.company_data
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "line_ids": [
                    Command.create(
                        {
                            "account_id": accounts["default_account_receivable"].id,
                            "partner_id": self.anna.id,
                            "credit": 40.0,
                        }
                    ),
                    Command.create(
                        {"account_id": accounts["default_account_expense"].id, "debit": 40.0}
                    ),
                ],
            }
        )
        entry.action_post()
        self.assertEqual(self.anna.care_on_account, 0.0)
        with self.assertRaisesRegex(UserError, "no money that was received"):
            self.payments._refund_for_care(
                self.anna, self.bank, self.today, ledger=[(entry.line_ids[0], 40.0)]
            )

    def test_r5_core_payments_are_money(self):
        self.env["account.payment"].create(
            {
                "partner_id": self.anna.id,
                "amount": 12.0,
                "payment_type": "inbound",
                "partner_type": "customer",
            }
        ).action_post()
        self.assertEqual(self.anna.care_on_account, 12.0)

    # -- never edited ----------------------------------------------------------------------------
    def _paid(self):
        charges, _move = self._three()
        payment = self._receive([(charges[2], 80.0)])
        user = self._user("billing_user")
        return charges, payment, payment.with_env(self._act_as(user))

    def test_payment_for_care_stays_one(self):
        charges, payment, own = self._paid()
        for record in (own, payment):  # nor does a superuser's form
            with self.assertRaisesRegex(UserError, "can't be changed"):
                record.write({"is_for_care": False})
            with self.assertRaisesRegex(UserError, "for which care"):
                record.write({"state": "draft"})
            with self.assertRaisesRegex(UserError, "for which care"):
                record.write({"state": "canceled"})
            with self.assertRaisesRegex(UserError, "for which care"):
                record.write({"amount": 5000.0})
        self.assertEqual(charges.mapped("balance_client"), [80.0, 80.0, 0.0])

    def test_other_payment_becomes_none(self):
        values = {"partner_id": self.anna.id, "amount": 12.0, "payment_type": "inbound"}
        with self.assertRaisesRegex(UserError, "can't be changed"):
            self.payments.create({**values, "is_for_care": True})
        with self.assertRaisesRegex(UserError, "can't be changed"):
            self.payments.with_context(default_is_for_care=True).create(values)
        payment = self.payments.create(values)
        with self.assertRaisesRegex(UserError, "can't be changed"):
            payment.write({"is_for_care": True})
        payment.write({"is_for_care": False, "amount": 13.0})
        payment.action_post()
        payment.action_draft()
        self.assertEqual(payment.state, "draft")

    def test_entry_of_a_payment_for_care_is_no_draft(self):
        charges, payment, _own = self._paid()
        entry = payment.move_id
        for change in (
            entry.button_draft,
            entry.button_cancel,
            payment.action_draft,
            payment.unlink,
            lambda: entry.write({"state": "draft"}),
            lambda: entry.write({"date": "2020-01-01"}),
            lambda: entry.write({"origin_payment_id": False}),
        ):
            with self.assertRaisesRegex(UserError, "for which care"), self.env.cr.savepoint():
                change()
        self.assertEqual((payment.state in ("paid", "in_process"), entry.state), (True, "posted"))
        self.assertEqual(charges.mapped("balance_client"), [80.0, 80.0, 0.0])
        self.assertProof()

    def test_items_of_a_payment_for_care_stay(self):
        charges, payment, _own = self._paid()
        line = self._receivables(payment)
        other = self.company_data["default_account_expense"]
        for vals in (
            {"account_id": other.id},
            {"partner_id": self._client("Berta").id},
            {"charge_id": charges[0].id},
            {"amount_currency": -70.0},
            {"credit": 70.0},
        ):
            with self.assertRaisesRegex(UserError, "for which care"), self.env.cr.savepoint():
                line.write(vals)
        line.name = "Check 17"  # says nothing about money
        self.assertEqual(charges.mapped("balance_client"), [80.0, 80.0, 0.0])

    def test_canceled_payment_for_care_stays_canceled(self):
        charges, payment, own = self._paid()
        own.action_cancel_for_care()
        self.assertEqual((payment.state, payment.move_id.state), ("canceled", "cancel"))
        self.assertEqual(charges.mapped("balance_client"), [80.0] * 3)
        with self.assertRaisesRegex(UserError, "for which care"):
            payment.move_id.button_draft()
        self.assertProof()

    # -- whose it is -----------------------------------------------------------------------------
    def test_credit_is_paid_back_to_whose_it_is(self):
        nothing = self.env["healthcare.charge"]
        payment = self._receive([], on_account=[OnAccount(self.anna, nothing, False, 100.0)])
        stranger = self.env["res.partner"].create({"name": "Stranger"})
        wizard = self.env["healthcare.refund.payment"].create(
            {
                "partner_id": stranger.id,
                "journal_id": self.bank.id,
                "line_ids": [
                    Command.create({"line_id": self._receivables(payment).id, "amount": 100.0})
                ],
            }
        )
        with self.assertRaisesRegex(UserError, "can't be paid back to Stranger"):
            wizard.action_refund()
        self.assertEqual(self.anna.care_on_account, 100.0)
        wizard.partner_id = self.anna
        wizard.action_refund()
        self.anna.invalidate_recordset(["care_on_account"])
        self.assertEqual(self.anna.care_on_account, 0.0)

    def test_credit_note_is_paid_back_to_whose_it_is(self):
        charges, _move, note = self._with_credit()
        stranger = self.env["res.partner"].create({"name": "Stranger"})
        credit = [CareMoney(charges[0], "client", 30.0)]
        with self.assertRaisesRegex(UserError, "can't be paid back to Stranger"):
            self.payments._refund_for_care(stranger, self.bank, self.today, credit)
        self.payments._refund_for_care(self.anna, self.bank, self.today, credit)
        self.assertEqual(note.amount_residual, 0.0)
        self.assertProof()
