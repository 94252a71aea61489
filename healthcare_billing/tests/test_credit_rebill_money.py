from odoo.exceptions import UserError
from odoo.tests import tagged

from .test_credit_rebill import RebillCommon


@tagged("post_install", "-at_install")
class TestCreditRebillMoney(RebillCommon):
    """Who owes and who paid what, before and after: nothing appears, nothing gets lost."""

    def _receivable(self, partner):
        """What somebody owes by the ledger."""
        return sum(
            self.env["account.move.line"]
            .search(
                [
                    ("partner_id", "=", partner.id),
                    ("account_id.account_type", "=", "asset_receivable"),
                    ("parent_state", "=", "posted"),
                ]
            )
            .mapped("amount_residual")
        )

    def _credit_part(self, move, charge, amount):
        """A posted credit note of core over a part of one charge."""
        credit = move._reverse_moves([{"date": self.today, "invoice_date": self.today}])
        for line in credit.invoice_line_ids:
            if line.charge_id == charge:
                line.write({"quantity": 1.0, "price_unit": amount})
            else:
                line.unlink()
        credit.action_post()
        return credit

    def _pay_and_write_off(self, move, amount):
        """A payment that settles the invoice; what it doesn't pay is written off."""
        wizard = (
            self.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create(
                {
                    "amount": amount,
                    "payment_difference_handling": "reconcile",
                    "writeoff_account_id": self.company_data["default_account_expense"].id,
                }
            )
        )
        return wizard._create_payments()

    # -- what is billed again -------------------------------------------------------------------

    def test_what_was_not_invoiced_is_not_billed_along(self):
        """The client's part was left out on purpose: correcting the payer's doesn't bill it."""
        client = self._insured_client(copay=20.0)
        one, two = (self._charge(client, hour=9 + n) for n in range(2))
        run = self._plan(one | two).save()
        run.line_ids.filtered(lambda row: row.partner_id == client).selected = False
        run.action_execute()
        old = run.move_ids
        old.action_post()
        self.assertEqual((old.partner_id, old.amount_total), (self.payer, 120.0))
        new = old._credit_and_rebill({one: {"price_unit": 100.0}})
        self.assertEqual((new.partner_id, new.amount_total), (self.payer, 140.0))
        self.assertEqual(self._receivable(client), 0.0)
        self.assertEqual(set((one | two).mapped("billing_stage")), {"billing_office"})
        rest = self._bill(one, two)  # still to be billed, once
        self.assertEqual((rest.partner_id, rest.amount_total), (client, 40.0))

    def test_what_a_correction_moves_is_billed_to_whom_it_goes(self):
        client = self._insured_client(copay=0.0)
        charge = self._charge(client)
        old = self._bill(charge)
        new = old._credit_and_rebill({charge: {"amount_client": 35.0, "amount_payer": 45.0}})
        self.assertEqual(sorted(new.mapped("amount_total")), [35.0, 45.0])
        self._proof(charge)

    # -- write-offs -----------------------------------------------------------------------------

    def test_a_write_off_never_becomes_money(self):
        client = self._client()
        charge = self._charge(client)
        old = self._bill(charge)
        self._pay_and_write_off(old, 60.0)
        self.assertEqual(old.amount_residual, 0.0)
        with self.assertRaisesRegex(UserError, "written off"), self.cr.savepoint():
            old._credit_and_rebill({charge: {"price_unit": 60.0}})
        self.assertFalse(old.reversal_move_ids)
        self.assertEqual(self._receivable(client), 0.0)

    def test_a_write_off_goes_over_where_it_is_used(self):
        client = self._client()
        charge = self._charge(client)
        old = self._bill(charge)
        self._pay_and_write_off(old, 60.0)
        new = old._credit_and_rebill({charge: {"price_unit": 95.0}})
        self.assertEqual((new.amount_residual, self._receivable(client)), (15.0, 15.0))

    def test_money_goes_over_before_write_offs(self):
        """An old write-off by an entry, and money: the money pays, the rest is refused."""
        client = self._client()
        charge = self._charge(client)
        old = self._bill(charge)
        entry = self.env["account.move"].create(
            {
                "date": old.date,
                "line_ids": [
                    (0, 0, {"account_id": account.id, "partner_id": client.id, "balance": balance})
                    for account, balance in (
                        (self.company_data["default_account_receivable"], -20.0),
                        (self.company_data["default_account_expense"], 20.0),
                    )
                ],
            }
        )
        entry.action_post()
        (old | entry).line_ids.filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        ).reconcile()
        payment = self._pay(old)
        self.assertEqual((payment.amount, old.amount_residual), (60.0, 0.0))
        with self.assertRaisesRegex(UserError, "written off"), self.cr.savepoint():
            old._credit_and_rebill({charge: {"price_unit": 70.0}})
        with self.assertRaisesRegex(UserError, "written off"), self.cr.savepoint():
            old._credit_and_rebill({charge: {"price_unit": 95.0}}, post=False)
        self.env.invalidate_all()
        new = old._credit_and_rebill({charge: {"price_unit": 95.0}})
        self.assertEqual(new.amount_residual, 15.0)

    # -- credits of before ----------------------------------------------------------------------

    def test_a_part_credit_of_another_charge_is_kept(self):
        client = self._client()
        one, two = (self._charge(client, hour=9 + n) for n in range(2))
        old = self._bill(one, two)
        self._credit_part(old, one, 30.0)
        self.assertEqual(self._receivable(client), 130.0)
        new = old._credit_and_rebill({two: {"price_unit": 70.0}})
        self.assertEqual(new.amount_total, 150.0)
        self.assertEqual((new.amount_residual, self._receivable(client)), (120.0, 120.0))
        again = new.reversal_move_ids
        self.assertEqual((again.state, again.amount_total), ("posted", 30.0))
        self.assertEqual((one.amount_invoiced, two.amount_invoiced), (50.0, 70.0))
        self.assertTrue(one.is_live)
        newer = new._credit_and_rebill({two: {"price_unit": 80.0}})  # and the next time, too
        self.assertEqual((newer.amount_residual, self._receivable(client)), (130.0, 130.0))

    def test_a_part_credit_of_another_charge_is_kept_beside_payments(self):
        client = self._client()
        one, two = (self._charge(client, hour=9 + n) for n in range(2))
        old = self._bill(one, two)
        self._credit_part(old, one, 30.0)
        self._pay(old)
        new = old._credit_and_rebill({two: {"price_unit": 70.0}})
        self.assertEqual((new.amount_residual, self._receivable(client)), (0.0, -10.0))

    def test_a_part_credit_needs_the_new_invoice_posted(self):
        client = self._client()
        one, two = (self._charge(client, hour=9 + n) for n in range(2))
        old = self._bill(one, two)
        self._credit_part(old, one, 30.0)
        with self.assertRaisesRegex(UserError, "draft"), self.cr.savepoint():
            old._credit_and_rebill({two: {"price_unit": 70.0}}, post=False)

    def test_a_part_credit_of_what_is_corrected_is_told(self):
        """What is typed is what is owed: the dialog and the documents say what that replaces."""
        charge = self._charge(self._client())
        old = self._bill(charge)
        credit = self._credit_part(old, charge, 30.0)
        wizard = self.env["healthcare.credit.rebill"].browse(
            old.action_credit_and_rebill()["res_id"]
        )
        self.assertEqual(wizard.amount_credited, 30.0)
        new = old._credit_and_rebill({charge: {"price_unit": 60.0}})
        self.assertEqual(new.amount_residual, 60.0)
        body = new.message_ids[:1].body
        self.assertIn("30.00", body)
        self.assertIn(credit.name, body)

    # -- transfers ------------------------------------------------------------------------------

    def test_a_waiting_transfer_is_in_the_way(self):
        charge = self._charge(self._insured_client(copay=20.0))
        moves = self._bill(charge)
        transfer = charge._transfer(40.0, from_party="primary", to_party="client", reason="x")
        for vals in ({"amount_client": 80.0, "amount_payer": 0.0}, {"price_unit": 70.0}):
            with self.assertRaisesRegex(UserError, "waits to be billed"), self.cr.savepoint():
                moves[0]._credit_and_rebill({charge: vals})
        self.assertFalse(moves.reversal_move_ids)
        transfer.unlink()
        new = moves[0]._credit_and_rebill({charge: {"amount_client": 80.0, "amount_payer": 0.0}})
        self.assertEqual(new.amount_total, 80.0)

    def test_a_waiting_transfer_stays_when_only_codes_change(self):
        modifier = self.env["healthcare.modifier"].search([], limit=1)
        charge = self._charge(self._insured_client())
        old = self._bill(charge)
        transfer = charge._transfer(40.0, from_party="primary", to_party="client", reason="x")
        new = old._credit_and_rebill({charge: {"modifier_ids": modifier.ids}})
        self.assertEqual(new.amount_total, 80.0)
        self.assertEqual(transfer.billing_stage, "billing_office")

    def test_nobody_owes_less_than_nothing_after_a_transfer(self):
        client = self._insured_client()
        charge = self._charge(client)
        old = self._bill(charge)
        charge._transfer(
            50.0, from_party="primary", to_party="client", reason="x"
        )._bill_transfers()
        with self.assertRaisesRegex(UserError, "Transfer .*20.00.* back"), self.cr.savepoint():
            old._credit_and_rebill({charge: {"price_unit": 30.0}})
        self.assertFalse(old.reversal_move_ids - old.reversal_move_ids.filtered("billing_run_id"))
        old._credit_and_rebill({charge: {"price_unit": 50.0}})
        self.assertEqual(self._receivable(client), 50.0)
        self.assertEqual(self._receivable(self.payer), 0.0)

    # -- drafts ---------------------------------------------------------------------------------

    def test_a_draft_gets_its_payments_when_it_is_posted(self):
        client = self._client()
        charge = self._charge(client)
        old = self._bill(charge)
        payment = self._pay(old)
        new = old._credit_and_rebill({charge: {"price_unit": 95.0}}, post=False)
        self.assertEqual((new.state, self._receivable(client)), ("draft", -80.0))
        new.action_post()
        self.assertEqual((new.amount_residual, self._receivable(client)), (15.0, 15.0))
        self.assertEqual(payment.reconciled_invoice_ids, new)

    def test_a_draft_takes_only_what_is_left_of_its_payments(self):
        client = self._client()
        charge = self._charge(client)
        old = self._bill(charge)
        payment = self._pay(old)
        new = old._credit_and_rebill({charge: {"price_unit": 95.0}}, post=False)
        other = self._bill(self._charge(client, hour=12))
        (payment.move_id | other).line_ids.filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        ).reconcile()
        new.action_post()
        self.assertEqual((other.amount_residual, new.amount_residual), (0.0, 95.0))

    def _paid_draft(self):
        """A draft that waits for a payment: (client, draft, payment)."""
        client = self._client()
        charge = self._charge(client)
        old = self._bill(charge)
        payment = self._pay(old)
        new = old._credit_and_rebill({charge: {"price_unit": 95.0}}, post=False)
        self.assertTrue(new.rebill_credit_line_ids)
        return client, new, payment

    def _assert_inherits_nothing(self, new, entry):
        new.action_post()
        self.assertEqual((new.state, new.amount_residual), ("posted", 95.0))
        self.assertFalse(new.rebill_credit_line_ids)
        notes = " ".join(new.message_ids.mapped("body"))
        self.assertIn(f"another customer's now: {entry._care_reference()}", notes)

    def test_a_draft_takes_nothing_of_a_payment_that_is_a_draft_again(self):
        new, payment = self._paid_draft()[1:]
        payment.action_draft()
        self._assert_inherits_nothing(new, payment.move_id)

    def test_a_draft_takes_nothing_of_a_canceled_entry(self):
        new, payment = self._paid_draft()[1:]
        entry = payment.move_id
        entry.button_draft()
        entry.button_cancel()
        self.assertEqual(entry.state, "cancel")
        self._assert_inherits_nothing(new, entry)

    def test_a_draft_takes_nothing_of_what_another_customer_paid(self):
        """The payment was entered for the wrong customer, and corrected meanwhile."""
        new, payment = self._paid_draft()[1:]
        other = self._client("Other")
        payment.action_draft()
        payment.partner_id = other
        payment.action_post()
        self.assertEqual(payment.move_id.state, "posted")
        self._assert_inherits_nothing(new, payment.move_id)
        self.assertEqual(self._receivable(other), -80.0)

    def test_a_draft_takes_what_was_undone_and_posted_again(self):
        client, new, payment = self._paid_draft()
        payment.action_draft()
        payment.action_post()
        new.action_post()
        self.assertEqual((new.amount_residual, self._receivable(client)), (15.0, 15.0))

    # -- recorded -------------------------------------------------------------------------------

    def test_what_bills_again_is_recorded_not_written(self):
        """The link decides who inherits payments."""
        charge = self._charge(self._client())
        other = self._bill(self._charge(self._client("Other")))
        old = self._bill(charge)
        line = old.line_ids[0]
        for kind in ("billing_manager", "accountant"):
            env = self._act_as(self._user(kind))
            moves = (other | old).with_env(env)
            for write in (
                lambda moves=moves: moves[0].write({"rebill_of_id": moves[1].id}),
                lambda moves=moves: moves[1].write({"rebilled_by_ids": [(4, moves[0].id)]}),
                lambda moves=moves: moves[0].write({"rebill_credit_line_ids": [(4, line.id)]}),
                lambda env=env: env["account.move"].create(
                    {"move_type": "out_invoice", "rebill_of_id": old.id}
                ),
                lambda env=env: (
                    env["account.move"]
                    .with_context(default_rebill_of_id=old.id)
                    .create({"move_type": "out_invoice"})
                ),
            ):
                with self.assertRaises(UserError), self.cr.savepoint():
                    write()
        self.assertFalse(old.rebilled_by_ids)

    def test_among_many_a_failure_after_an_earlier_correction_is_told(self):
        client = self._insured_client(copay=20.0)
        charge = self._charge(client)
        moves = self._bill(charge)
        old = moves.filtered(lambda move: move.partner_id == self.payer)
        old.sudo().rebilled_by_ids = moves - old  # billed again in part, some time ago
        client.billing_account_ids.billing_status = "on_hold"
        results = old._credit_and_rebill_each({charge: {"price_unit": 95.0}})
        self.assertIn("can't be billed", results[old])
