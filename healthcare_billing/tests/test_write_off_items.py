from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .test_adjudication import CorrectionCommon


@tagged("post_install", "-at_install")
class TestWriteOffItems(CorrectionCommon):
    """Items are written off by name: Dr the reason's account, Cr the invoice's receivable."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.loss = cls.company_data["default_account_expense"]
        cls.receivable = cls.company_data["default_account_receivable"]
        cls.sold = cls.company._default_reason("sold")
        cls.bad_debt = cls.env.ref("healthcare_billing.adjustment_reason_bad_debt")
        cls.sold.account_id = cls.bad_debt.account_id = cls.loss

    def _three(self):
        visits = self.env["healthcare.appointment"]
        for hour in (9, 11, 13):
            visits += self._appointment(self.anna, hour=hour)
        return visits.charge_ids, self._execute(visits, post=True).move_ids

    def test_sold_line_by_line(self):
        charges, move = self._three()
        entry = charges._write_off_items(
            [(charges[2], "client", 80.0), (charges[1], "client", 30.0)],
            self.sold, self.today, "Lot 7",
        )  # fmt: skip
        self.assertEqual(
            [
                (line.account_id, line.charge_id, line.responsibility, line.debit, line.credit)
                for line in entry.line_ids.sorted("sequence")
            ],
            [
                (self.loss, self.env["healthcare.charge"], False, 110.0, 0.0),
                (self.receivable, charges[2], "client", 0.0, 80.0),
                (self.receivable, charges[1], "client", 0.0, 30.0),
            ],
        )
        self.assertEqual((entry.state, entry.write_off_of_id), ("posted", move))
        self.assertEqual(charges.mapped("amount_residual"), [80.0, 50.0, 0.0])
        self.assertEqual(charges.mapped("amount_paid"), [0.0] * 3)
        self.assertEqual((move.amount_residual, move.amount_untaxed), (130.0, 240.0))
        self.assertIn("Lot 7", move.message_ids[0].body)
        self.assertProof()

    def test_reversed_is_owed_again(self):
        charges, _move = self._three()
        entry = charges._write_off_items([(charges[2], "client", 80.0)], self.sold, self.today)
        entry._take_back_write_off("bought back")
        self.assertEqual(charges.mapped("amount_residual"), [80.0] * 3)
        self.assertProof()
        again = charges._write_off_items([(charges[2], "client", 80.0)], self.sold, self.today)
        self.assertEqual((len(again), charges[2].amount_residual), (1, 0.0))

    def test_an_entry_per_invoice_oldest_first(self):
        charge, move = self._posted_trip()
        child = charge._add_extra("finance_charge", {(charge, "primary"): 7.0})
        later = child.invoice_line_ids.move_id
        entries = charge._write_off_items([(charge, "primary", 1502.0)], self.bad_debt, self.today)
        self.assertEqual(entries.mapped("write_off_of_id"), move | later)
        self.assertEqual((move.amount_residual, later.amount_residual), (0.0, 5.0))
        self.assertEqual(charge.amount_residual, 5.0)
        self.assertProof()

    def test_due_in_parts(self):
        term = self.env["account.payment.term"].create(
            {
                "name": "Halves",
                "line_ids": [
                    (0, 0, {"value": "percent", "value_amount": 50, "nb_days": days})
                    for days in (0, 30)
                ],
            }
        )
        charge = self._trip(self.anna)
        move = self._execute(charge, post=True, payment_term_id=term.id).move_ids
        entry = charge._write_off_items([(charge, "client", 800.0)], self.bad_debt, self.today)
        self.assertEqual(sorted(entry.line_ids.mapped("credit")), [0.0, 50.0, 750.0])
        self.assertEqual((move.amount_residual, charge.amount_residual), (700.0, 700.0))
        self.assertProof()

    def test_open_credit_is_used_first(self):
        charge, _move = self._posted_trip()
        child = charge._add_extra("discount", {(charge, "primary"): 100.0})
        child.invoice_line_ids.move_id.line_ids.remove_move_reconcile()
        charge._write_off_items([(charge, "primary", 1400.0)], self.bad_debt, self.today)
        documents = self._documents(charge)
        self.assertEqual(documents.mapped("amount_residual"), [0.0, 0.0])
        self.assertProof()

    def test_what_is_refused(self):
        charges, _move = self._three()
        items = [(charges[0], "client", 80.0)]
        with self.assertRaisesRegex(UserError, "at most"):
            charges._write_off_items([(charges[0], "client", 80.01)], self.sold, self.today)
        with self.assertRaisesRegex(UserError, "at most"):
            charges._write_off_items([*items, *items], self.sold, self.today)
        unposted = self._charge(self.anna, hour=15)
        with self.assertRaisesRegex(UserError, "needs no write-off"):
            unposted._write_off_items([(unposted, "client", 80.0)], self.sold, self.today)
        with self.assertRaisesRegex(UserError, "comes with a payer's remittance"):
            charges._write_off_items(items, self.reason, self.today)
        with self.assertRaisesRegex(UserError, "in the future"):
            charges._write_off_items(items, self.sold, self.today + timedelta(days=1))
        self.sold.account_id = False
        with self.assertRaisesRegex(UserError, "has no account in"):
            charges._write_off_items(items, self.sold, self.today)
        with self.assertRaisesRegex(UserError, "Choose what"):
            charges._write_off_items([], self.sold, self.today)

    def test_rights(self):
        charges, _move = self._three()
        items = [(charges[0], "client", 80.0)]
        with self.assertRaisesRegex(AccessError, "Only a billing manager"):
            charges.with_user(self._user("billing_user"))._write_off_items(
                items, self.sold, self.today
            )
        manager = self._user("billing_manager")
        entry = charges.with_user(manager)._write_off_items(items, self.sold, self.today)
        self.assertEqual(entry.state, "posted")

    def test_whole_invoices_are_never_sold(self):
        _charges, move = self._three()
        with self.assertRaisesRegex(UserError, "comes with"):
            move._write_off(self.sold, self.today)
