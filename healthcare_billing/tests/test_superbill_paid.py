from datetime import timedelta

from odoo.fields import Command
from odoo.tests import tagged

from .common import A_DAY
from .test_superbill import SuperbillCommon


@tagged("post_install", "-at_install")
class TestPaidAmounts(SuperbillCommon):
    """What was paid of each charge: R5, and the ledger to the cent."""

    def _three(self, client=None, **vals):
        """Charges of 80.00 on three days, the newest first, and their invoice."""
        client = client or self.anna
        visits = self.env["healthcare.appointment"]
        for days in (2, 1, 0):
            visits += self._appointment(client, day=A_DAY + timedelta(days=days), **vals)
        charges = visits.charge_ids.sorted("service_date")
        return charges, self._execute(visits, post=True).move_ids

    def _paid(self, charges, *args):
        paid = charges._paid_amounts(*args)
        return [paid[charge] for charge in charges]

    def test_nothing_paid(self):
        charges, _move = self._three()
        self.assertEqual(self._paid(charges), [0.0, 0.0, 0.0])
        self.assertEqual(charges.browse()._paid_amounts(), {})

    def test_r5_oldest_date_of_service_first(self):
        charges, move = self._three()
        self._pay(move, 100.01)
        self.assertEqual(self._paid(charges), [80.0, 20.01, 0.0])
        self._pay(move, 139.99)
        self.assertEqual(self._paid(charges), [80.0, 80.0, 80.0])
        self.assertEqual(move.payment_state, "paid")

    def test_r5_sums_equal_the_ledger(self):
        charges, move = self._three()
        for amount in (0.01, 33.33, 66.67, 13.37):
            self._pay(move, amount)
            self.assertAlmostEqual(
                sum(self._paid(charges)), move.amount_total - move.amount_residual, 2
            )

    def test_credit_is_no_payment(self):
        charges, move = self._three()
        self._credit(move, charges[0], amount=30.0)
        self.assertEqual(move.amount_residual, 210.0)
        self.assertEqual(self._paid(charges), [0.0, 0.0, 0.0])
        self._pay(move, 60.0)
        # the credit names the first charge: 50 are left of it
        self.assertEqual(self._paid(charges), [50.0, 10.0, 0.0])
        superbill = self._issue(charges)
        self.assertEqual(superbill.line_ids.mapped("amount_adjusted"), [-30.0, 0.0, 0.0])
        self.assertEqual((superbill.amount_paid, superbill.amount_balance), (60.0, 150.0))

    def test_write_off_is_no_payment(self):
        charges, move = self._three()
        self._pay(
            move,
            200.0,
            payment_difference_handling="reconcile",
            writeoff_account_id=self.company_data["default_account_expense"].id,
        )
        self.assertEqual(move.amount_residual, 0.0)
        self.assertEqual(self._paid(charges), [80.0, 80.0, 40.0])

    def test_journal_entry_to_expense_is_no_payment(self):
        charges, move = self._three()
        receivable = move.line_ids.filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        )
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "line_ids": [
                    Command.create(
                        {
                            "account_id": account.id,
                            "partner_id": self.anna.id,
                            "balance": balance,
                        }
                    )
                    for account, balance in (
                        (self.company_data["default_account_expense"], 50.0),
                        (receivable.account_id, -50.0),
                    )
                ],
            }
        )
        entry.action_post()
        (receivable + entry.line_ids.filtered(
            lambda line: line.account_id == receivable.account_id
        )).reconcile()  # fmt: skip
        self.assertEqual(move.amount_residual, 190.0)
        self.assertEqual(self._paid(charges), [0.0, 0.0, 0.0])

    def test_money_that_names_the_charge_comes_first(self):
        charges, move = self._three()
        payment = self._pay(move, 70.0)
        line = payment.move_id.line_ids.filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        )
        self.env.cr.execute(
            "UPDATE account_move_line SET charge_id = %s, responsibility = 'client' WHERE id = %s",
            [charges[2].id, line.id],
        )
        line.invalidate_recordset()
        self.assertEqual(self._paid(charges), [0.0, 0.0, 70.0])
        self._pay(move, 100.0)
        self.assertEqual(self._paid(charges), [80.0, 20.0, 70.0])

    def test_client_and_payer_are_told_apart(self):
        client = self._insured_client("Ivy Insured", copay=20.0, birth_date="1980-01-01")
        charge = self._charge(client)
        moves = self._execute(charge, post=True).move_ids
        own = moves.filtered(lambda move: move.partner_id == client)
        self._pay(own, 15.0)
        self._pay(moves - own, 60.0)
        self.assertEqual(self._paid(charge), [75.0])
        self.assertEqual(self._paid(charge, ("client",)), [15.0])
        superbill = self._issue(charge)
        self.assertRecordValues(
            superbill,
            [
                {
                    "amount_charged": 80.0,
                    "amount_paid": 15.0,
                    "amount_paid_others": 60.0,
                    "amount_balance": 5.0,
                }
            ],
        )

    def test_corrections_are_told_at_their_charge(self):
        charge = self._charge(self.anna)
        child = charge.create(
            {
                "parent_id": charge.id,
                "kind": "adjustment",
                "price_unit": -30.0,
                "quantity": 1.0,
            }
        )
        move = self._execute(charge + child, post=True).move_ids
        invoice = move.filtered(lambda m: m.move_type == "out_invoice")
        self._pay(invoice, invoice.amount_residual)
        self.assertEqual(self._paid(charge + child)[1], 0.0)
        superbill = self._issue(charge)
        self.assertEqual(superbill.line_ids.amount_adjusted, -30.0)
        self.assertEqual(superbill.amount_balance, 80.0 - 30.0 - self._paid(charge)[0])

    def test_lines_without_care_come_last(self):
        visit = self._appointment(self.anna)
        move = self._execute(visit).move_ids
        move.invoice_line_ids = [
            Command.create({"name": "Parking", "price_unit": 10.0, "tax_ids": [Command.clear()]})
        ]
        move.action_post()
        self._pay(move, 85.0)
        self.assertEqual(self._paid(visit.charge_ids), [80.0])

    def test_tax_is_paid_too(self):
        self.visit_service.taxes_id = self.tax_sale_a
        charge = self._charge(self.anna)
        move = self._execute(charge, post=True).move_ids
        tax = move.amount_tax
        self.assertGreater(tax, 0.0)
        self._pay(move, move.amount_total)
        self.assertEqual(self._paid(charge), [move.amount_total])
        superbill = self._issue(charge)
        self.assertEqual((superbill.amount_adjusted, superbill.amount_balance), (tax, 0.0))

    def test_canceled_and_credited_invoices_tell_nothing(self):
        charges, move = self._three()
        self._credit(move)
        self.assertEqual(self._paid(charges), [0.0, 0.0, 0.0])
        self.assertEqual(self._issue(charges).amount_balance, 240.0)

    def test_queries_dont_grow(self):
        few, _move = self._three()
        many = few.browse()
        for n in range(4):
            many |= self._three(self._patient(f"Client {n}"))[0]

        def queries(charges):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            charges._paid_amounts()
            return self.env.cr.sql_log_count - start

        queries(few)
        queries(many)
        self.assertLessEqual(queries(many), queries(few))
