from datetime import timedelta

from odoo.tests import tagged

from ..models.account_payment_charge import CareMoney, OnAccount
from .common import A_DAY
from .receivable_common import ReceivableCommon


@tagged("post_install", "-at_install")
class TestReceivableEvents(ReceivableCommon):
    """Everything that happened to a charge, and that it adds up to the balance (R4, R5)."""

    def _told(self, charges):
        events = charges._receivable_events()
        for charge in charges:
            total = sum(event.amount for event in events if event.charge == charge)
            self.assertEqual(
                charge.currency_id.compare_amounts(total, charge.amount_residual), 0, events
            )
        return [(event.kind, event.amount) for event in events]

    def test_unbilled_care_is_its_quote(self):
        charge = self._charge(self.anna)
        self.assertEqual(self._told(charge), [("care", 80.0)])
        planned = self._charge(self.anna, hour=11, state="scheduled")
        self.assertEqual(self._told(planned), [])

    def test_r5_money_that_names_nothing_goes_to_the_oldest(self):
        charges, move = self._three()
        self._pay(move, 100.0)
        self._pay(move, 30.0)
        self.assertEqual(self._told(charges[0]), [("invoice", 80.0), ("payment", -80.0)])
        self.assertEqual(
            self._told(charges[1]), [("invoice", 80.0), ("payment", -20.0), ("payment", -30.0)]
        )
        self.assertEqual(self._told(charges[2]), [("invoice", 80.0)])
        self._told(charges)
        self.assertProof()

    def _receive(self, items=(), on_account=()):
        return self.env["account.payment"]._receive_for_care(
            self.anna,
            self.company_data["default_journal_bank"],
            self.today,
            items,
            on_account=on_account,
        )

    def test_r5_money_that_names_its_charge_is_told_there(self):
        charges, move = self._three()
        self._pay(move, 90.0)
        self._receive([CareMoney(charges[2], "client", 80.0)])
        self.assertEqual(self._told(charges[2]), [("invoice", 80.0), ("payment", -80.0)])
        self.assertEqual(self._told(charges[1]), [("invoice", 80.0), ("payment", -10.0)])
        self._told(charges)
        self.assertProof()

    def test_money_on_account_changes_the_balance_when_it_is_applied(self):
        charge = self._charge(self.anna, state="scheduled")
        payment = self._receive(on_account=[OnAccount(self.anna, charge, "client", 30.0)])
        [event] = charge._receivable_events()
        self.assertEqual((event.kind, event.amount, event.told), ("on_account", 0.0, -30.0))
        self.assertEqual(event.document, payment.move_id)
        charge.appointment_id.action_complete()
        self._execute(charge, post=True)
        self.assertEqual(self._told(charge), [("invoice", 80.0), ("payment", -30.0)])
        self.assertProof()

    def test_a_settled_invoice_adds_up_to_nothing(self):
        charges, move = self._three()
        self._pay(move, 100.0)
        self._pay(move, 140.0)
        self.assertEqual(
            self._told(charges[1]), [("invoice", 80.0), ("payment", -20.0), ("payment", -60.0)]
        )
        self._told(charges)

    def test_a_credit_of_the_same_item_is_told_once(self):
        charges, move = self._three()
        self._credit(move, charges[2], 30.0)
        self.assertEqual(self._told(charges[2]), [("invoice", 80.0), ("credit", -30.0)])
        self._told(charges)

    def test_a_credit_that_pays_other_care_is_told_on_both(self):
        charges, move = self._three()
        note = self._credit(move, charges[2], 30.0)
        note.line_ids.remove_move_reconcile()
        other, second = self._three(hour=15)
        lines = (note | second).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        )
        lines.reconcile()
        self.assertEqual(
            self._told(charges[2]), [("invoice", 80.0), ("credit", -30.0), ("set_off", 30.0)]
        )
        self.assertEqual(self._told(other[0]), [("invoice", 80.0), ("set_off", -30.0)])
        self.assertProof()

    def test_write_off_and_undone_payment(self):
        charges, move = self._three()
        payment = self._pay(move, 80.0)
        reason = self.env["healthcare.adjustment.reason"].search(
            [("kind", "=", "courtesy")], limit=1
        )
        reason.account_id = self.company_data["default_account_expense"]
        move._write_off(reason, self.today, {move: 50.0})
        self.assertEqual(self._told(charges[1]), [("invoice", 80.0), ("write_off", -50.0)])
        payment.action_draft()
        self._told(charges)
        self.assertProof()

    def test_corrections_are_told_by_their_kind(self):
        charge = self._charge(self.anna)
        self._execute(charge, post=True)
        child = self.env["healthcare.charge"].create(
            {"parent_id": charge.id, "kind": "adjustment", "price_unit": -30.0}
        )
        self.assertEqual(self._told(charge), [("care", -30.0), ("invoice", 80.0)])
        self._execute(child, post=True)
        self.assertEqual(self._told(charge), [("invoice", 80.0), ("adjustment", -30.0)])

    def test_each_party_has_its_events(self):
        client = self._insured_client("Ines", copay=20.0)
        charge = self._charge(client)
        moves = self._execute(charge, post=True).move_ids
        self._pay(moves.filtered(lambda move: move.partner_id == self.payer), 25.0)
        told = {
            (event.responsibility, event.kind): event.amount
            for event in charge._receivable_events()
        }
        self.assertEqual(
            told,
            {
                ("client", "invoice"): 20.0,
                ("primary", "invoice"): 60.0,
                ("primary", "payment"): -25.0,
            },
        )

    def test_statements_change_no_balance(self):
        charge = self._charge(self.anna)
        statement = self._statement(charge, self.anna)
        statement.sudo().write(
            {"state": "unpaid", "committed_on": A_DAY, "closed_on": A_DAY + timedelta(days=30)}
        )
        events = charge._receivable_events()
        self.assertEqual(
            [(event.kind, event.amount, event.told) for event in events],
            [("care", 80.0, 0.0), ("statement", 0.0, 80.0), ("closed", 0.0, 0.0)],
        )
        self.assertEqual(events[1].document, statement)

    def test_a_statement_from_commit_to_unpaid(self):
        charge = self._charge(self.anna)
        statement = self.env["healthcare.statement"].create({"partner_id": self.anna.id})
        statement._load_items()
        statement._commit()
        statement._close_unpaid()
        told = self._told(charge)
        self.assertEqual(set(told), {("invoice", 80.0), ("statement", 0.0), ("closed", 0.0)})
        self.assertEqual(self._rows_of(charge).stage, "billing_office")
        self.assertProof()

    def test_table_on_the_appointment(self):
        charges, move = self._three()
        self._pay(move, 100.0)
        visit = charges[1].appointment_id
        html = visit.receivable_events
        self.assertIn(move.name, html)
        self.assertIn(f"/odoo/account.move/{move.id}", html)
        self.assertIn("60.00", html)
        self.assertEqual(visit.amount_residual, 60.0)
