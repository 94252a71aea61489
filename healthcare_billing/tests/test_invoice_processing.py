from datetime import datetime
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from odoo.addons.mail.tests.common import mail_new_test_user

from ..models import account_move_posting as posting
from ..wizards import healthcare_invoice_delivery as dialog
from .common import USER_GROUPS
from .test_delivery import DeliveryCommon


@tagged("post_install", "-at_install")
class TestInvoiceProcessing(DeliveryCommon):
    """Search by day of creation, and what is done with what was found."""

    def _created(self, moves, moment):
        """Make invoices look as if they were created then (naive UTC)."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_move SET create_date = %s WHERE id IN %s", (moment, tuple(moves.ids))
        )
        moves.invalidate_recordset(["create_date"])

    def _criteria(self, **vals):
        return self._act_as(self.biller)["healthcare.invoice.processing"].create(
            {"date_from": "2025-03-01", "date_to": "2025-03-31"} | vals
        )

    def _found(self, **vals):
        action = self._criteria(**vals).action_search()
        self.assertEqual(action["res_model"], "account.move")
        return self.env["account.move"].search(action["domain"])

    def _dialog(self, moves, task, **vals):
        action = getattr(moves.with_env(self._act_as(self.biller)), f"action_process_{task}")()
        wizard = self._act_as(self.biller)[action["res_model"]].browse(action["res_id"])
        wizard.write(vals)
        return wizard

    # -- search ----------------------------------------------------------------------------------
    def test_r6_by_day_of_creation_in_the_practices_time(self):
        moves = self._invoices(4)
        # New York: March 31 ends at 04:00 UTC of April 1 (summer time), March 1 begins at 05:00
        for move, moment in zip(
            moves,
            (
                datetime(2025, 3, 1, 4, 59, 59),
                datetime(2025, 3, 1, 5, 0, 0),
                datetime(2025, 4, 1, 3, 59, 59),
                datetime(2025, 4, 1, 4, 0, 0),
            ),
            strict=True,
        ):
            self._created(move, moment)
        self.assertEqual(self._found(), moves[1:3])
        self.assertEqual(self._found(date_from=False), moves[:3])
        self.assertEqual(self._found(date_to=False) & moves, moves[1:])

    def test_the_date_is_not_that_of_the_care(self):
        move = self._invoice(self.anna)  # care of March 2025, created now
        self.assertFalse(self._found())
        today = self.company._care_today()
        self.assertEqual(self._found(date_from=today, date_to=today), move)

    def test_default_is_this_month_up_to_today(self):
        wizard = self._act_as(self.biller)["healthcare.invoice.processing"].create({})
        today = self.company._care_today()
        self.assertEqual((wizard.date_from, wizard.date_to), (today.replace(day=1), today))

    def test_other_criteria(self):
        ivy = self._insured_client("Ivy", copay=20.0)
        mine = self._invoice(self.anna)
        draft = self._invoice(self.ben, post=False)
        both = self._invoice(ivy)
        moves = mine | draft | both
        self._created(moves, datetime(2025, 3, 10))
        run = both.billing_run_id
        ids = Command.set
        self.assertEqual(self._found(), moves)
        self.assertEqual(self._found(client_ids=[ids(self.anna.ids)]), mine)
        self.assertEqual(self._found(client_ids=[ids(ivy.ids)]), both)
        self.assertEqual(self._found(payer_ids=[ids(self.payer.ids)]), both)
        self.assertEqual(self._found(state="draft"), draft)
        self.assertEqual(self._found(state="posted"), moves - draft)
        self.assertEqual(self._found(billing_run_id=run.id), both)
        self._queue(mine)
        self.assertEqual(self._found(delivery_state="queued"), mine)
        self.assertEqual(self._found(delivery_state="none"), moves - mine)
        self.assertEqual(run.action_process_moves()["domain"], [("billing_run_id", "in", run.ids)])

    def test_one_payers_invoice_of_many_clients(self):
        self.payer.invoicing_model = "payer_batched"
        ivy, joe = (self._insured_client(name) for name in ("Ivy", "Joe"))
        move = self._execute(self._charge(ivy) | self._charge(joe), post=True).move_ids
        self.assertEqual(len(move), 1)
        self._created(move, datetime(2025, 3, 10))
        self.assertEqual(self._found(client_ids=[Command.set(joe.ids)]), move)

    def test_what_is_not_care_is_never_found(self):
        other = self.init_invoice("out_invoice", partner=self.anna, amounts=[10.0])
        self._created(other, datetime(2025, 3, 10))
        self.assertFalse(self._found())

    def test_r30_totals_are_of_all_that_is_found(self):
        moves = self._invoices(3)
        self._created(moves, datetime(2025, 3, 10))
        with Form(self._criteria()) as form:
            self.assertEqual((form.move_count, form.amount_total), (3, 240.0))
            form.client_ids.add(moves[0].partner_id)
            self.assertEqual((form.move_count, form.amount_residual), (1, 80.0))
            form.date_from = "2025-03-20"
            self.assertEqual((form.move_count, form.amount_total), (0, 0.0))
        view = self.env["account.move"].get_view(
            self.env.ref("healthcare_billing.account_move_view_list_process").id
        )
        self.assertNotIn("sum=", view["arch"])

    def test_days_that_contradict_each_other(self):
        with self.assertRaisesRegex(UserError, "after the last"):
            self._criteria(date_from="2025-04-01").action_search()

    def test_companies_have_their_own_days(self):
        tokyo = self.env["res.company"].create(
            {"name": "Tokyo practice", "healthcare_tz": "Asia/Tokyo"}
        )
        self.biller.company_ids |= tokyo
        env = self.env(
            user=self.biller, context={"allowed_company_ids": (self.company | tokyo).ids}
        )
        wizard = env["healthcare.invoice.processing"].create(
            {"date_from": "2025-03-01", "date_to": "2025-03-01", "company_id": False}
        )
        domain = list(wizard._created_domain())
        self.assertIn(("company_id", "=", self.company.id), domain)
        self.assertIn(("company_id", "=", tokyo.id), domain)
        self.assertIn(("create_date", ">=", "2025-03-01 05:00:00"), domain)
        self.assertIn(("create_date", ">=", "2025-02-28 15:00:00"), domain)

    # -- dialogs ---------------------------------------------------------------------------------
    def test_email_dialog_counts_all_before_anything_happens(self):
        ivy = self._insured_client("Ivy", copay=20.0, email="ivy@example.com")
        nobody = self._client("Nobody")
        draft = self._invoice(self.ben, post=False)
        moves = self._invoice(self.anna) | self._invoice(ivy) | self._invoice(nobody) | draft
        wizard = self._dialog(moves, "email")
        self.assertEqual((wizard.move_count, wizard.amount_total), (5, 320.0))
        counts = ("send_count", "payer_count", "waiting_draft_count", "no_address_count")
        self.assertEqual([wizard[name] for name in counts], [2, 1, 1, 1])
        self.payer.email = "payer@example.com"
        wizard.write({"post_drafts": True, "to_payers": True})
        self.assertEqual([wizard[name] for name in counts], [4, 0, 0, 1])
        self.assertFalse(any(moves.mapped("delivery_state")), "nothing happened yet")
        result = wizard.action_confirm()["params"]
        self.assertEqual(result["type"], "warning")
        self.assertIn("4 e-mails are queued", result["message"])
        self.assertIn("1 aren't sent", result["message"])
        self.assertEqual(draft.state, "posted")
        self._send()
        self.assertEqual(len(self._mails), 4)
        again = self._dialog(moves, "email")
        self.assertEqual((again.send_count, again.sent_count, again.payer_count), (0, 3, 1))

    def test_email_dialog_tells_who_sees_only_the_amount(self):
        """Behind a link, without a login: number, amount and payment."""
        self.payer.email = "payer@example.com"
        ivy = self._insured_client("Ivy", copay=20.0, email="ivy@example.com")
        moves = self._invoice(self.anna) | self._invoice(self.ben) | self._invoice(ivy)
        mail_new_test_user(
            self.env, login="anna_portal", groups="base.group_portal", partner_id=self.anna.id
        )
        wizard = self._dialog(moves, "email")
        counts = ("send_count", "no_login_count", "no_login_payer_count")
        self.assertEqual([wizard[name] for name in counts], [3, 2, 0])
        wizard.to_payers = True
        self.assertEqual([wizard[name] for name in counts], [4, 3, 1])
        # whoever works for the payer sees it
        clerk = self.env["res.partner"].create({"name": "Clerk", "parent_id": self.payer.id})
        mail_new_test_user(
            self.env, login="payer_portal", groups="base.group_portal", partner_id=clerk.id
        )
        wizard = self._dialog(moves, "email", to_payers=True)
        self.assertEqual([wizard[name] for name in counts], [4, 2, 0])
        self.company.healthcare_email_content = "pdf"
        wizard = self._dialog(moves, "email", to_payers=True)
        self.assertEqual([wizard[name] for name in counts], [4, 0, 0])

    def test_no_sum_of_different_currencies(self):
        foreign = self.env["res.company"].create(
            {"name": "Abroad", "currency_id": self.env.ref("base.CHF").id}
        )
        moves = self._invoices(2)
        self._created(moves, datetime(2025, 3, 10))
        wizard = self._criteria(company_id=False)
        self.assertEqual((wizard.currency_id, wizard.amount_total), (self.company.currency_id, 160))
        self.env.cr.execute(
            "UPDATE account_move SET company_id = %s WHERE id = %s", (foreign.id, moves[0].id)
        )
        self.env.invalidate_all()
        self.biller.company_ids |= foreign
        companies = (self.company | foreign).ids
        wizard = self._criteria(company_id=False).with_context(allowed_company_ids=companies)
        self.assertEqual((wizard.move_count, wizard.amount_total), (2, 0.0))
        self.assertFalse(wizard.currency_id)
        wizard = self._dialog(moves[1], "email").with_context(allowed_company_ids=companies)
        self.assertEqual((wizard.currency_id, wizard.amount_total), (self.company.currency_id, 80))
        wizard.move_ids = [Command.set(moves.ids)]
        self.assertEqual((wizard.move_count, wizard.amount_total), (2, 0.0))
        self.assertFalse(wizard.currency_id)

    def test_a_dialog_confirmed_twice_sends_once(self):
        wizard = self._dialog(self._invoice(self.anna), "email")
        wizard.action_confirm()
        self.assertIn("1 were queued already", wizard.action_confirm()["params"]["message"])
        self._send()
        self.assertEqual(len(self._mails), 1)

    def test_nothing_chosen(self):
        wizard = self._dialog(self.env["account.move"], "email")
        with self.assertRaisesRegex(UserError, "Select at least one"):
            wizard.action_confirm()

    def test_superbill_is_offered_where_in_use(self):
        wizard = self._dialog(self._invoice(self.anna), "print")
        options = dict(wizard._fields["document"]._description_selection(wizard.env))
        self.assertNotIn("superbill", options)
        self.env.ref("base.group_user").implied_ids |= self.env.ref(
            "healthcare_billing.group_use_superbills"
        )
        options = dict(wizard._fields["document"]._description_selection(wizard.env))
        self.assertIn("superbill", options)

    # -- print -----------------------------------------------------------------------------------
    def test_print_is_the_native_report_of_all_chosen(self):
        moves = self._invoices(2)
        action = self._dialog(moves, "print").action_confirm()
        self.assertEqual(action["type"], "ir.actions.report")
        self.assertEqual(action["report_name"], "account.report_invoice_with_payments")
        self.assertEqual(action["context"]["active_ids"], moves.ids)

    def test_many_are_printed_in_parts(self):
        moves = self._invoices(5)
        with patch.object(dialog, "PRINT_LIMIT", 2):
            wizard = self._dialog(moves, "print")
            self.assertEqual((wizard.part, wizard.part_count), (1, 3))
            printed = []
            for _part in range(3):
                printed += wizard.action_confirm()["context"]["active_ids"]
            self.assertEqual(printed, moves.ids)
            wizard.part = 4
            with self.assertRaisesRegex(UserError, "parts 1 to 3"):
                wizard.action_confirm()

    def test_canceled_ones_are_not_printed(self):
        move = self._invoice(self.anna, post=False)
        move.button_cancel()
        with self.assertRaisesRegex(UserError, "nothing to print"):
            self._dialog(move, "print").action_confirm()

    # -- post ------------------------------------------------------------------------------------
    def _bad_draft(self):
        """A draft that core refuses to post: its bank account was archived."""
        move = self._invoice(self._client("Bad"), post=False)
        move.partner_bank_id = self.env["res.partner.bank"].create(
            {"acc_number": "X1", "partner_id": self.company.partner_id.id, "active": False}
        )
        return move

    def test_post_isolates_what_cannot_be_posted(self):
        moves = self._invoices(3, post=False) | self._bad_draft()
        bad = moves[-1]
        result = self._dialog(moves, "post").action_confirm()["params"]
        self.assertIn("3 invoices are posted", result["message"])
        self.assertIn("1 stay drafts", result["message"])
        self.assertEqual(set((moves - bad).mapped("state")), {"posted"})
        self.assertEqual(bad.state, "draft")
        self.assertIn("Not posted", bad.delivery_message)
        bad.partner_bank_id = False
        self._dialog(bad, "post").action_confirm()
        self.assertEqual((bad.state, bad.delivery_message), ("posted", False))

    def test_nothing_moves_a_date(self):
        """A locked or future date keeps a draft, and what should be sent along isn't."""
        good, locked, future = self._invoices(3, post=False)
        locked.invoice_date = "2025-02-03"
        future.invoice_date = fields.Date.add(fields.Date.context_today(future), days=3)
        self.company.fiscalyear_lock_date = "2025-02-28"
        drafts = (good | locked | future).with_env(self._act_as(self.biller))
        drafts._queue_delivery("invoice", post=True)
        self.assertEqual((good | locked | future).mapped("state"), ["posted", "draft", "draft"])
        self.assertEqual(str(locked.date), "2025-02-03")
        self.assertIn("locked", locked.delivery_message)
        self.assertIn("in the future", future.delivery_message)
        self.assertEqual((locked | future).mapped("delivery_state"), ["failed", "failed"])
        self.assertFalse((locked | future).delivery_user_id)
        self.assertEqual(good.delivery_state, "queued")

    def test_post_nothing(self):
        with self.assertRaisesRegex(UserError, "nothing to post"):
            self._dialog(self._invoice(self.anna), "post").action_confirm()

    @mute_logger("odoo.addons.healthcare_billing.models.billing_engine_execution")
    def test_many_are_posted_in_the_background(self):
        self.company.healthcare_background_rows = 2
        moves = self._invoices(4, post=False) | self._bad_draft()
        bad = moves[-1]
        wizard = self._dialog(moves, "post")
        self.assertIn("5 invoices are posted in the background", str(wizard.action_confirm()))
        self.assertEqual(set(moves.mapped("state")), {"draft"})
        self.assertEqual(moves.posting_user_id, self.biller)
        # the second click finds them waiting
        self.assertFalse(
            moves.with_env(self._act_as(self.biller))._post_documents(), "asked for already"
        )
        with patch.object(posting, "CHUNK_SIZE", 2):
            self._run_cron(self.env.ref("healthcare_billing.ir_cron_invoice_posting"))
        self.assertEqual(set((moves - bad).mapped("state")), {"posted"})
        self.assertEqual(bad.state, "draft")
        self.assertIn("Not posted", bad.delivery_message)
        self.assertFalse(moves.posting_user_id)

    def test_many_drafts_are_posted_and_then_sent(self):
        self.company.healthcare_background_rows = 1
        moves = self._invoices(3, post=False)
        self._queue(moves, post=True)
        self._send()
        self.assertFalse(self._mails, "drafts wait to be posted")
        self._run_cron(self.env.ref("healthcare_billing.ir_cron_invoice_posting"))
        self.assertEqual(set(moves.mapped("state")), {"posted"})
        self._send()
        self.assertEqual(set(moves.mapped("delivery_state")), {"sent"})
        self.assertEqual(len(self._mails), 3)

    def _wait_for(self, moves, user):
        """Drafts that wait to be posted on behalf of a user."""
        moves.sudo().posting_user_id = user
        return self.env.ref("healthcare_billing.ir_cron_invoice_posting")

    def test_the_background_posts_invoices_of_care_only(self):
        bill = self.init_invoice("in_invoice", partner=self.anna, amounts=[99.0])
        self._run_cron(self._wait_for(bill, self.biller))
        self.assertEqual((bill.state, bill.posting_user_id.ids), ("draft", []))
        self.assertIn("Not an invoice of care", bill.delivery_message)
        self.assertFalse(bill.with_env(self._act_as(self.biller))._post_documents())
        self.assertEqual(bill.state, "draft")

    def test_the_background_asks_for_the_right_again(self):
        good, late = self._invoices(2, post=False)
        former = self._user("billing_user", login="former")
        cron = self._wait_for(good, self.biller)
        self._wait_for(late, former)
        former.group_ids = self.env.ref("base.group_user")
        self._run_cron(cron)
        self.assertEqual((good.state, late.state), ("posted", "draft"))
        self.assertIn("Only billing users", late.delivery_message)
        self.assertFalse(late.posting_user_id)
        former.group_ids = self.biller.group_ids
        former.active = False
        self._wait_for(late, former)
        self._run_cron(cron)
        self.assertEqual(late.state, "draft")
        self.assertIn("archived", late.delivery_message)

    # -- rights ----------------------------------------------------------------------------------
    def test_only_billers_process(self):
        move = self._invoice(self.anna)
        for kind in USER_GROUPS:
            user = self.biller if kind == "billing_user" else self._user(kind)
            moves = move.with_env(self._act_as(user))
            for task in ("print", "email", "post"):
                with self.subTest(kind=kind, task=task):
                    if kind in ("billing_user", "billing_manager"):
                        self.assertTrue(getattr(moves, f"action_process_{task}")())
                    else:
                        with self.assertRaises(AccessError):
                            getattr(moves, f"action_process_{task}")()
