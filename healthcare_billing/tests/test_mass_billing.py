from datetime import date

from odoo.tests import tagged

from .common import A_DAY
from .mass_common import MassCommon


@tagged("post_install", "-at_install")
class TestMassBilling(MassCommon):
    """Mass billing: a row per billing account, on the basis that was agreed (R24)."""

    def test_r24_a_row_per_account_with_work_and_expenses(self):
        account = self._matter(work=(100.0, 50.0), expenses=(20.0,))
        idle = self._matter("Idle", work=())
        run = self._mass_run()
        row = self._row(run, account)
        self.assertEqual(
            (row.amount_time, row.amount_expense, row.amount, row.basis),
            (150.0, 20.0, 170.0, "wip"),
        )
        self.assertFalse(self._row(run, idle))

    def test_r24_a_quote_is_billed_with_one_adjustment(self):
        account = self._matter(work=(100.0, 50.0), billing_basis="quote", quote_amount=200.0)
        run = self._mass_run()
        row = self._row(run, account)
        self.assertEqual((row.amount_wip, row.amount_agreed, row.amount), (150.0, 200.0, 200.0))
        move = self._bill(run, account)
        self.assertEqual(move.amount_untaxed, 200.0)
        self.assertEqual(
            sorted(move.invoice_line_ids.filtered("charge_id").mapped("price_subtotal")),
            [50.0, 50.0, 100.0],
        )
        adjustment = move.invoice_line_ids.charge_id.filtered("made_by_basis")
        self.assertEqual((adjustment.kind, adjustment.amount), ("adjustment", 50.0))
        self.assertEqual(account.quote_left, 0.0)
        move.action_post()
        self._record(account, work=(70.0,))
        row = self._row(self._mass_run(), account)
        self.assertEqual((row.amount, row.needs_tick, row.selected), (0.0, True, False))

    def test_r24_a_fixed_fee_is_billed_once_a_month(self):
        account = self._matter(work=(300.0,), billing_basis="fixed", quote_amount=250.0)
        run = self._mass_run()
        move = self._bill(run, account)
        self.assertEqual(move.amount_untaxed, 250.0)
        charges = move.invoice_line_ids.charge_id
        fee = charges.filtered(lambda charge: charge.kind == "fixed_fee")
        self.assertEqual((fee.fee_period, fee.fee_number), (A_DAY.replace(day=1), 1))
        self.assertEqual(charges.filtered(lambda c: c.kind == "adjustment").amount, -300.0)
        move.action_post()
        self._record(account, work=(10.0,))
        row = self._row(self._mass_run(), account)
        self.assertTrue(row.needs_tick)
        row.bill_again = True
        again = self._bill(row.run_id, account)
        self.assertEqual(again.amount_untaxed, 250.0)
        self.assertEqual(max(again.invoice_line_ids.charge_id.mapped("fee_number")), 2)

    def test_r24_a_due_fixed_fee_needs_no_work(self):
        account = self._matter(work=(), billing_basis="fixed", quote_amount=80.0)
        run = self._mass_run()
        self.assertEqual(self._row(run, account).amount, 80.0)
        self.assertEqual(self._bill(run, account).amount_untaxed, 80.0)

    def test_r24_deleting_the_draft_returns_everything(self):
        account = self._matter(work=(100.0,), billing_basis="quote", quote_amount=60.0)
        move = self._bill(self._mass_run(), account)
        self.assertFalse(self._row(self._mass_run(), account), "it has a draft bill")
        move.unlink()
        row = self._row(self._mass_run(), account)
        self.assertEqual((row.amount_wip, row.amount), (100.0, 60.0))
        self.assertEqual(
            len(account.env["healthcare.charge"].search([("billing_account_id", "=", account.id)])),
            1,
        )

    def test_r24_instalments_are_billed_when_due(self):
        account = self._matter(
            work=(100.0,),
            billing_basis="fixed",
            instalment_ids=[
                (0, 0, {"date": A_DAY, "amount": 40.0}),
                (0, 0, {"date": date(2099, 1, 1), "amount": 60.0}),
            ],
        )
        move = self._bill(self._mass_run(), account)
        self.assertEqual(move.amount_untaxed, 40.0)
        move.action_post()
        self._record(account, work=(10.0,))
        run = self._mass_run()
        self.assertFalse(self._row(run, account))
        self.assertIn("no_instalment_due", run.exclusion_ids.mapped("reason_id.code"))
