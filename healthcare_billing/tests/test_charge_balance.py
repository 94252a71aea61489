from datetime import timedelta

from odoo.tests import tagged

from .common import A_DAY
from .test_superbill import SuperbillCommon


@tagged("post_install", "-at_install")
class TestChargeBalance(SuperbillCommon):
    """What is still owed of each charge, and by whom; always the ledger's sums (design 4)."""

    def _three(self, client=None, **vals):
        """Charges of 80.00 on three days, the newest first, and their invoice."""
        visits = self.env["healthcare.appointment"]
        for days in (2, 1, 0):
            visits += self._appointment(
                client or self.anna, day=A_DAY + timedelta(days=days), **vals
            )
        charges = visits.charge_ids.sorted("service_date")
        return charges, self._execute(visits, post=True).move_ids

    def assertProof(self):
        for own in self.env["healthcare.receivable"]._proof(self.company).values():
            self.assertEqual(own["difference"], 0.0, own)

    def _open_lines(self, moves):
        return moves.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        )

    def test_unbilled_care_is_owed_as_quoted(self):
        charge = self._charge(self.anna)
        self.assertEqual((charge.balance_client, charge.ledger_client), (80.0, 0.0))
        self.assertEqual(charge.client_debtor_id, self.anna)
        planned = self._charge(self.anna, hour=11, state="scheduled")
        self.assertEqual(planned.amount_residual, 0.0)
        free = self._charge(self.anna, hour=13, billable=False)
        self.assertEqual(free.amount_residual, 0.0)

    def test_posted_care_is_owed_as_the_ledger_says(self):
        charges, move = self._three()
        self.assertEqual(charges.mapped("ledger_client"), [80.0] * 3)
        self._pay(move, 100.0)
        self.assertEqual(charges.mapped("amount_residual"), [0.0, 60.0, 80.0])
        self.assertEqual(charges.mapped("amount_paid"), [80.0, 20.0, 0.0])
        self.assertProof()
        self._pay(move, 140.0)
        self.assertEqual(charges.mapped("amount_residual"), [0.0, 0.0, 0.0])
        self.assertEqual(set(charges.mapped("billing_stage")), {"finished"})
        self.assertProof()

    def test_undone_payment_is_owed_again(self):
        charges, move = self._three()
        payment = self._pay(move, 100.0)
        self._open_lines(move)
        move.line_ids.remove_move_reconcile()
        self.assertEqual(charges.mapped("amount_residual"), [80.0] * 3)
        self.assertTrue(payment)
        self.assertProof()

    def test_each_party_has_its_balance(self):
        client = self._insured_client("Ines", copay=20.0)
        charge = self._charge(client)
        self.assertEqual((charge.balance_client, charge.balance_payer), (20.0, 60.0))
        self.assertEqual(charge.payer_debtor_id, self.payer)
        moves = self._execute(charge, post=True).move_ids
        payers = moves.filtered(lambda move: move.partner_id == self.payer)
        self._pay(payers, 60.0)
        self.assertEqual((charge.balance_client, charge.balance_payer), (20.0, 0.0))
        self.assertEqual(charge.amount_residual, 20.0)
        self.assertProof()

    def test_credit_note_names_its_care(self):
        charges, move = self._three()
        note = self._credit(move, charges[2], 30.0)
        self.assertEqual(charges.mapped("ledger_client"), [80.0, 80.0, 50.0])
        note.line_ids.remove_move_reconcile()  # open credit of the same charge
        self.assertEqual(charges.mapped("ledger_client"), [80.0, 80.0, 50.0])
        self.assertProof()

    def test_credit_set_off_elsewhere_pays_there(self):
        charges, move = self._three()
        note = self._credit(move, charges[2], 30.0)
        note.line_ids.remove_move_reconcile()
        other, second = self._three(client=self.anna, hour=15)
        (self._open_lines(note) | self._open_lines(second)).reconcile()
        self.assertEqual(charges.mapped("ledger_client"), [80.0] * 3)
        self.assertEqual(other.mapped("ledger_client"), [50.0, 80.0, 80.0])
        self.assertProof()

    def test_voided_care_is_owed_as_unbilled(self):
        charges, move = self._three()
        self._credit(move)
        self.assertEqual(charges.mapped("ledger_client"), [0.0] * 3)
        self.assertEqual(charges.mapped("balance_client"), [80.0] * 3)
        self.assertEqual(set(charges.mapped("billing_stage")), {"billing_office"})
        self.assertProof()

    def test_corrections_are_told_at_the_charge(self):
        charge = self._charge(self.anna)
        self._execute(charge, post=True)
        child = self.env["healthcare.charge"].create(
            {"parent_id": charge.id, "kind": "adjustment", "price_unit": -30.0}
        )
        self.assertEqual(charge.amount_residual, 50.0)
        self.assertEqual(charge.ledger_client, 80.0)
        self._execute(child, post=True)
        self.assertEqual((charge.amount_residual, charge.ledger_client), (50.0, 50.0))
        self.assertEqual(child.amount_residual, 0.0)
        self.assertProof()

    def test_lines_without_care_are_paid_last(self):
        charge = self._charge(self.anna)
        extra = [{"name": "Copies", "price_unit": 5.0}]
        move = self._execute(charge, post=True, extra_lines=extra).move_ids
        self._pay(move, 80.0)
        self.assertEqual(charge.amount_residual, 0.0)
        proof = self.env["healthcare.receivable"]._proof(self.company)
        self.assertEqual(proof[self.company.currency_id]["pseudo"], 5.0)
        self.assertProof()

    def test_receivables_are_one_row_per_party(self):
        client = self._insured_client("Ines", copay=20.0)
        charge = self._charge(client)
        rows = self.env["healthcare.receivable"].search([("charge_id", "=", charge.id)])
        self.assertEqual(
            {row.responsibility: (row.partner_id, row.balance, row.stage) for row in rows},
            {
                "client": (client, 20.0, "billing_office"),
                "primary": (self.payer, 60.0, "billing_office"),
            },
        )
        self._execute(charge, post=True)
        rows.invalidate_recordset()
        self.assertEqual(set(rows.mapped("stage")), {"awaiting_payment"})
        charge._set_returned("client")
        self.env.flush_all()
        rows.invalidate_recordset()
        stages = {row.responsibility: row.stage for row in rows}
        self.assertEqual(stages, {"client": "billing_office", "primary": "awaiting_payment"})
        self.assertTrue(charge.returned_to_billing)
