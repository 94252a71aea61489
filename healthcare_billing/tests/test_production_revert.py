from datetime import date
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..models import account_move_production_revert as reverting
from .common import A_DAY
from .production_common import ProductionCommon


@tagged("post_install", "-at_install")
class TestRevertBills(ProductionCommon):
    """Approved bills are reverted by the rules of un-posting (R25)."""

    def _numbers(self):
        return self.env["account.move"].search(
            [
                ("company_id", "=", self.company.id),
                ("move_type", "=", "out_invoice"),
                ("name", "not in", (False, "/")),
            ],
            order="sequence_number",
        )

    # -- in place --------------------------------------------------------------------------------
    def test_r25_unsent_bills_are_reverted_in_place(self):
        account = self._matter(work=(100.0, 50.0), billing_basis="quote", quote_amount=200.0)
        bill = self._bills(account)
        name, ledger = bill.name, self._ledger()
        dialog = self._dialog(self._as_biller(bill).action_revert_bills())
        self.assertIn("nobody got them", " ".join(dialog.note_ids.mapped("name")))
        dialog.action_confirm()
        self.assertEqual((bill.state, bill.production_state), ("draft", "draft"))
        self.assertFalse(bill.is_manually_modified)
        self.assertEqual(account.quote_left, 0.0)
        bill._approve_bills()
        self.assertEqual((bill.name, bill.amount_untaxed), (name, 200.0))
        self.assertEqual(self._ledger(), ledger)

    def test_r25_what_only_left_the_list_is_reverted_in_place(self):
        bill = self._bills(self._matter())
        bill._produce()
        self.assertEqual(bill.production_state, "produced")
        done = bill._revert()
        self.assertEqual(done.drafts, bill)
        self.assertFalse(bill.produced_on)
        bill._approve_bills()
        self.assertEqual(bill.production_state, "production")

    def test_r25_a_queued_email_is_not_sent_after_reverting(self):
        bill = self._bills(self._matter(delivery_email="a@example.com"))
        bill._produce()
        bill._revert()
        self.assertFalse(bill.sending_data)
        self._send()
        self.assertFalse(self._mails)
        self.assertEqual(bill.production_state, "draft")

    # -- reversed --------------------------------------------------------------------------------
    def _assert_reverted_by_reversal(self, account, bill):
        """Reverted and approved again, the ledger is as it was, to the cent."""
        ledger, ref, name = self._ledger(), bill.billing_ref, bill.name
        charges = bill.invoice_line_ids.charge_id
        total = bill.amount_total
        done = self._as_biller(bill)._revert()
        self.assertFalse(done.refused)
        new = done.again[bill].with_env(self.env)
        self.assertEqual((new.state, new.production_state), ("draft", "draft"))
        self.assertEqual((new.billing_ref, new.amount_total), (ref, total))
        self.assertEqual(new.invoice_line_ids.charge_id, charges, "the same charges")
        self.assertFalse(new.is_manually_modified)
        self.assertEqual((bill.state, bill.name), ("posted", name))
        self.assertEqual(bill.payment_state, "reversed")
        self.assertFalse(bill.production_state, "it left production")
        credit = bill.reversal_move_ids
        self.assertEqual(credit.amount_total, total)
        self.assertEqual(new.invoice_date, credit.invoice_date)
        new._approve_bills()
        self.assertEqual(new.production_state, "production")
        self.assertEqual(self._ledger(), ledger)
        for moves in self._numbers().grouped("sequence_prefix").values():
            numbers = moves.mapped("sequence_number")
            self.assertEqual(numbers, list(range(1, len(numbers) + 1)), "no gaps")
        return new

    def test_r25_sent_bills_are_reversed_and_drafted_again(self):
        account = self._matter(work=(100.0, 50.0), delivery_email="a@example.com")
        bill = self._bills(account)
        bill._produce()
        self._send()
        self._assert_reverted_by_reversal(account, bill)

    def test_r25_printed_bills_are_sent(self):
        account = self._matter(work=(33.33,), print_copies="1")
        bill = self._bills(account)
        bill._produce()
        self._assert_reverted_by_reversal(account, bill)

    def test_r25_a_quote_is_billed_again_with_its_adjustment(self):
        account = self._matter(
            work=(100.0, 50.0), print_copies="1", billing_basis="quote", quote_amount=200.0
        )
        bill = self._bills(account)
        bill._produce()
        new = self._assert_reverted_by_reversal(account, bill)
        self.assertEqual(account.quote_left, 0.0)
        self.assertEqual(new.amount_untaxed, 200.0)
        self._record(account, work=(5.0,))
        self.assertTrue(self._row(self._mass_run(), account).needs_tick)

    def test_r25_a_fixed_fee_keeps_its_number(self):
        account = self._matter(
            work=(300.0,), print_copies="1", billing_basis="fixed", quote_amount=250.0
        )
        bill = self._bills(account)
        bill._produce()
        new = self._assert_reverted_by_reversal(account, bill)
        fee = new.invoice_line_ids.charge_id.filtered(lambda charge: charge.kind == "fixed_fee")
        self.assertEqual((len(fee), fee.fee_number), (1, 1))
        self.assertEqual(
            self.env["healthcare.charge"].search_count(
                [("billing_account_id", "=", account.id), ("kind", "=", "fixed_fee")]
            ),
            1,
        )

    def test_r25_terms_and_template_chosen_for_the_bill_are_kept(self):
        term = self.env.ref("account.account_payment_term_30days")
        account = self._matter(print_copies="1")
        run = self._mass_run()
        template = self.env.ref("account.account_invoices")
        run.set_on_all_rows({"payment_term_id": term.id, "invoice_template_id": template.id})
        bill = self._bill(run, account)
        bill._approve_bills()
        bill._produce()
        new = self._assert_reverted_by_reversal(account, bill)
        self.assertEqual((new.invoice_payment_term_id, new.invoice_template_id), (term, template))

    def test_r25_locked_books_are_reversed_on_the_first_open_day(self):
        account = self._matter()
        bill = self._bills(account)
        self.company.fiscalyear_lock_date = date(2025, 3, 31)
        done = bill._revert()
        new = done.again[bill]
        self.assertEqual(bill.date, A_DAY)
        self.assertGreater(bill.reversal_move_ids.date, date(2025, 3, 31))
        self.assertEqual(new.invoice_date, bill.reversal_move_ids.date)

    def test_r25_deleting_the_new_draft_returns_to_mass_billing(self):
        account = self._matter(
            work=(100.0,), print_copies="1", billing_basis="quote", quote_amount=60.0
        )
        bill = self._bills(account)
        bill._produce()
        new = bill._revert().again[bill]
        self.assertEqual(new._delete_bills(), (1, 0))
        row = self._row(self._mass_run(), account)
        self.assertEqual((row.amount_wip, row.amount), (100.0, 60.0))
        self.assertEqual(self._bill(row.run_id, account).amount_untaxed, 60.0)

    def test_r25_of_many_that_are_reversed_the_rest_is_left_for_the_next_time(self):
        accounts = [self._matter(name, print_copies="1") for name in ("One", "Two", "Three")]
        sent = self._bills(*accounts)
        plain = self._bills(self._matter("Plain"))
        sent._produce()
        with patch.object(reverting, "MAX_REVERSALS", 2):
            dialog = self._dialog(self._as_biller(sent | plain).action_revert_bills())
            told = " ".join(dialog.note_ids.mapped("name"))
            self.assertIn("2 were sent", told)
            self.assertIn("1 are left for the next time", told)
            result = dialog.action_confirm()
            self.assertIn("1 are left for the next time", result["params"]["message"])
            self.assertEqual(result["params"]["type"], "warning")
            self.assertEqual(plain.state, "draft", "those in place are never left")
            self.assertEqual(sent.mapped("payment_state"), ["reversed"] * 2 + ["not_paid"])
            done = sent[2]._revert()
        self.assertFalse(done.left)
        self.assertEqual(list(done.again), [sent[2]])

    # -- refused ---------------------------------------------------------------------------------
    def test_r25_paid_bills_are_refused_and_stop_no_others(self):
        paid, sent, plain = self._bills(
            self._matter("Paid"), self._matter("Sent", print_copies="1"), self._matter("Plain")
        )
        sent._produce()
        payment = (
            self.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=paid.ids)
            .create({})
            ._create_payments()
        )
        bills = paid | sent | plain
        dialog = self._dialog(self._as_biller(bills).action_revert_bills())
        self.assertEqual(dialog.note_ids.move_id, paid)
        result = dialog.action_confirm()
        self.assertEqual(result["res_id"], dialog.id)
        refused = dialog.note_ids.filtered("move_id")
        self.assertEqual(refused.move_id, paid)
        self.assertIn(payment.name or payment.display_name, refused.name)
        self.assertEqual((paid.state, paid.production_state), ("posted", "production"))
        self.assertEqual(plain.production_state, "draft")
        self.assertEqual(sent.payment_state, "reversed")

    def test_r25_part_credited_bills_are_refused(self):
        bill = self._bills(self._matter(work=(100.0, 50.0)))
        credit = bill._draft_credit_note("")
        self.assertIn("draft", bill._revert().refused[bill])
        credit.invoice_line_ids[-1].unlink()
        credit._post(soft=False)
        self.assertIn(credit.name, bill._revert().refused[bill])
        self.assertEqual(bill.state, "posted")

    def test_r25_credit_notes_are_reverted_in_place_or_say_what_to_do(self):
        sent, plain = self._credit_notes("Sent", "Plain")
        self.assertEqual((sent | plain).mapped("move_type"), ["out_refund"] * 2)
        sent._produce()
        dialog = self._dialog(self._as_biller(sent | plain).action_revert_bills())
        self.assertEqual(dialog.note_ids.move_id, sent, "nothing is promised for it")
        dialog.action_confirm()
        self.assertEqual(dialog.note_ids.move_id, sent)
        self.assertIn("bill that", dialog.note_ids.filtered("move_id").name)
        self.assertEqual((sent.state, sent.production_state), ("posted", "produced"))
        self.assertEqual((plain.state, plain.production_state), ("draft", "draft"))

    def test_r25_credit_notes_of_locked_books_say_what_to_do(self):
        (note,) = self._credit_notes("Locked")
        self.company.fiscalyear_lock_date = date(2025, 3, 31)
        self.assertIn("bill that", note._revert().refused[note])
        self.assertEqual(note.state, "posted")

    def _credit_notes(self, *names):
        """Approved bills of less than nothing; the first one is to be printed."""
        accounts = self.env["healthcare.billing.account"].union(
            *(
                self._matter(name, work=(-20.0,), print_copies="0" if index else "1")
                for index, name in enumerate(names)
            )
        )
        self.env["healthcare.charge"].search(
            [("billing_account_id", "in", accounts.ids)]
        ).kind = "discount"
        run = self._mass_run()
        run.line_ids.bill_again = True
        bills = self._bill(run, accounts).sorted(
            lambda move: accounts.ids.index(move._mass_accounts().id)
        )
        bills._approve_bills()
        return bills

    def test_r25_reverting_twice_changes_nothing(self):
        bill = self._bills(self._matter(print_copies="1"))
        bill._produce()
        bill._revert()
        again = bill._revert()
        self.assertIn(bill, again.refused)
        self.assertEqual(len(bill.reversal_move_ids), 1)

    def test_r25_credit_and_rebill_of_a_bill_goes_to_production(self):
        account = self._matter(work=(100.0,), print_copies="1")
        bill = self._bills(account)
        bill._produce()
        charge = bill.invoice_line_ids.charge_id
        new = bill._credit_and_rebill({charge: {"price_unit": 90.0}})
        self.assertEqual((new.amount_total, new.production_state), (90.0, "production"))
        self.assertFalse(bill.production_state)

    def test_r25_a_voided_bill_leaves_production(self):
        bill = self._bills(self._matter())
        bill._void("wrong client")
        self.assertFalse(bill.production_state)
        with self.assertRaises(UserError):
            self.env["account.move"].with_context(
                active_domain=[("id", "=", bill.id)]
            ).action_produce_bills()
