from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import A_DAY
from .test_credit_rebill import RebillCommon


@tagged("post_install", "-at_install")
class TestTransferOwed(RebillCommon):
    """No more is moved than is owed, whoever asks, and however often."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = cls._insured_client()
        cls.older = cls._charge(cls.client)
        cls.newer = cls._charge(cls.client, day=A_DAY.replace(day=4))
        cls.charges = cls.older | cls.newer

    def _dialog(self, charges):
        action = charges.action_transfer_responsibility()
        return self.env["healthcare.responsibility.transfer"].browse(action["res_id"])

    def _move(self, charge, amount, from_party="primary", to_party="client"):
        return charge._transfer(amount, from_party=from_party, to_party=to_party, reason="x")

    def _owed(self, party="primary"):
        return [charge._owed_by(party) for charge in self.charges]

    # -- what is open ---------------------------------------------------------------------------

    def test_r5_payments_are_shared_among_the_charges_of_an_invoice(self):
        move = self._bill(self.charges)
        self._pay(move, 80.0)
        self.assertEqual(self._owed(), [0.0, 80.0])
        wizard = self._dialog(self.charges)
        wizard.write({"reason": "x", "move_all": True})
        wizard._onchange_move_all()
        self.assertEqual(wizard.line_ids.mapped("amount"), [0.0, 80.0])
        wizard.action_confirm()
        self.assertEqual(self.charges.child_ids.mapped("amount_client"), [80.0])
        self.assertEqual(move.amount_residual, 0.0)
        self.assertEqual((self._owed(), self._owed("client")), ([0.0, 0.0], [0.0, 80.0]))

    def test_charges_of_an_invoice_together_owe_what_is_open(self):
        move = self._bill(self.charges)
        self._pay(move, 80.0)
        self._move(self.newer, 50.0)
        with self.assertRaisesRegex(UserError, "still owes"):
            self._move(self.older, 30.01)
        self._move(self.older, 30.0)._bill_transfers()
        self.assertEqual(sum(self._owed()), 0.0)  # the other one waits

    def test_biller_knows_which_charge_the_payer_denied(self):
        """The payer paid the newer session: the older one is the client's, money follows."""
        move = self._bill(self.charges)
        self._pay(move, 80.0)
        self._move(self.older, 80.0)._bill_transfers()
        self.assertEqual(move.amount_residual, 0.0)
        self.assertEqual(self._owed("client"), [80.0, 0.0])
        self.assertEqual(self._owed(), [0.0, 0.0])
        paid = self.charges._paid_amounts()
        self.assertEqual([paid[charge] for charge in self.charges], [0.0, 80.0])

    def test_r5_whatever_happens_the_sum_is_what_is_open(self):
        move = self._bill(self.charges)
        for step in (
            lambda: self._pay(move, 33.33),
            lambda: self._move(self.newer, 20.01)._bill_transfers(),
            lambda: self._pay(move, 10.0),
            lambda: self._move(self.older, 5.0)._bill_transfers(),
        ):
            step()
            self.assertAlmostEqual(sum(self._owed()), move.amount_residual, 2)
        self._move(self.newer, 1.0)
        self.assertAlmostEqual(sum(self._owed()), move.amount_residual - 1.0, 2)

    def test_taxes_stay_with_what_is_moved(self):
        tax = self.env["account.tax"].create(
            {"name": "Ten", "amount": 10.0, "company_id": self.company.id}
        )
        self.visit_service.taxes_id = [Command.set(tax.ids)]
        move = self._bill(self.charges)
        self.assertEqual(move.amount_total, 176.0)
        self._pay(move, 88.0)
        self.assertEqual(self._owed(), [0.0, 80.0])
        self._move(self.newer, 80.0)._bill_transfers()
        self.assertEqual(move.amount_residual, 0.0)

    def test_written_off_is_owed_no_more(self):
        move = self._bill(self.charges)
        wizard = (
            self.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create(
                {
                    "amount": 60.0,
                    "payment_difference_handling": "reconcile",
                    "writeoff_account_id": self.company_data["default_account_expense"].id,
                }
            )
        )
        wizard._create_payments()
        self.assertEqual(self._owed(), [0.0, 0.0])

    def test_query_count_does_not_grow_with_the_charges(self):
        for number in range(2):
            extra = self._charge(self.client, day=A_DAY.replace(day=5 + number))
            self.charges |= extra
        self._bill(self.charges)

        def count(charges):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            charges._movable_amounts("primary")
            return self.cr.sql_log_count - before

        count(self.charges)
        self.assertLessEqual(count(self.charges), count(self.charges[:2]))

    def test_parties_are_named_in_the_users_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env["ir.model.fields.selection"].search(
            [
                ("field_id.model", "=", "account.move.line"),
                ("field_id.name", "=", "responsibility"),
                ("value", "=", "primary"),
            ]
        ).with_context(lang="fr_FR").name = "Payeur principal"
        self._bill(self.older)
        french = self.older.with_context(lang="fr_FR")
        with self.assertRaisesRegex(UserError, "Payeur principal"):
            self._move(french, 100.0)
        self._move(french, 10.0)._log_transfers()
        self.assertIn("Payeur principal", self.older.appointment_id.message_ids[:1].body)

    # -- once -----------------------------------------------------------------------------------

    def test_r29_confirming_twice_moves_once(self):
        move = self._bill(self.older)
        wizard = self._dialog(self.older)
        wizard.reason = "x"
        wizard.line_ids.amount = 20.0
        action = wizard.action_confirm()
        self.assertEqual(wizard.action_confirm(), action)
        self.assertEqual(self.older.child_ids, wizard.transfer_ids)
        self.assertEqual((len(wizard.transfer_ids), move.amount_residual), (1, 60.0))

    def test_r29_confirming_twice_without_billing(self):
        self._bill(self.older)
        wizard = self._dialog(self.older)
        wizard.write({"reason": "x", "bill_now": False})
        wizard.line_ids.amount = 20.0
        for _click in range(2):
            wizard.action_confirm()
        self.assertEqual(self.older.child_ids.mapped("amount_client"), [20.0])

    # -- only here ------------------------------------------------------------------------------

    def test_transfers_are_made_by_the_dialog_only(self):
        self._bill(self.older)
        env = self._act_as(self._user("coordinator"))
        charges = env["healthcare.charge"]
        vals = {"parent_id": self.older.id, "amount_client": 500.0, "amount_payer": -500.0}
        with self.assertRaisesRegex(UserError, "Transfer Responsibility"):
            charges.create({**vals, "kind": "transfer"})
        with self.assertRaisesRegex(UserError, "Transfer Responsibility"):
            charges.with_context(default_kind="transfer", healthcare_transfer=True).create(vals)
        with self.assertRaises(ValidationError):
            charges.create({**vals, "kind": "adjustment", "price_unit": 0.0})
        with self.assertRaisesRegex(UserError, "Transfer Responsibility"):
            self.newer.with_env(env).kind = "transfer"
        self.assertFalse(self.older.child_ids)

    def test_transfers_stay_as_they_were_made(self):
        self._bill(self.older)
        transfer = self._move(self.older, 20.0)
        env = self._act_as(self._user("coordinator"))
        for vals in (
            {"amount_client": 500.0, "amount_payer": -500.0},
            {"kind": "adjustment"},
            {"price_unit": 5.0},
            {"payer_id": self._payer("Somebody else").id},
        ):
            with self.assertRaisesRegex(UserError, "Transfer Responsibility"):
                transfer.with_env(env).write(vals)
        transfer.with_env(env).write({"amount_client": 20.0})  # a form sends back what it has
        with self.assertRaisesRegex(UserError, "Transfer Responsibility"):
            transfer.copy()

    # -- coverage that ended --------------------------------------------------------------------

    def test_r10_what_is_credited_needs_no_coverage(self):
        move = self._bill(self.older)
        self.client.coverage_ids.date_to = A_DAY.replace(day=1)
        self.payer.write({"requires_approval": True})
        transfer = self._move(self.older, 80.0)
        self.assertFalse(self._codes(transfer, door="transfer"))
        transfer._bill_transfers()
        self.assertEqual(move.payment_state, "reversed")
        with self.assertRaisesRegex(UserError, "No coverage|can't be billed"):
            self._move(self.older, 80.0, "client", "primary")._bill_transfers()

    def test_r10_secondary_payer_is_credited_after_coverage_ended(self):
        second = self._payer("Second Insurance")
        cover = self._coverage(self.client, second, sequence=20)
        self.client.billing_account_ids.coverage_ids |= cover
        self.older.write({"amount_secondary": 30.0, "amount_client": 0.0})
        self._bill(self.older)
        cover.date_to = A_DAY.replace(day=1)
        refund = (
            self._move(self.older, 30.0, "secondary", "primary")
            ._bill_transfers()
            .filtered(lambda move: move.move_type == "out_refund")
        )
        self.assertEqual((refund.partner_id, refund.amount_residual), (second, 0.0))

    def test_r10_reduction_of_unbilled_care_waits_with_it(self):
        self.client.coverage_ids.date_to = A_DAY.replace(day=1)
        adjustment = self.older.create(
            {"parent_id": self.older.id, "kind": "adjustment", "price_unit": -15.0}
        )
        self.assertEqual(self._codes(adjustment), {"missing_coverage"})
