from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .cycle_common import CycleInvoicesCommon


@tagged("post_install", "-at_install")
class TestCycleClosing(CycleInvoicesCommon):
    """R14: drafts are posted and marked as sent, and the state follows from what is there."""

    def test_r14_close_posts_and_marks_as_sent(self):
        moves = self._drafts("Ann", "Ben")
        self.cycle._start_closing()
        self.assertEqual(self.cycle.state, "closed")
        self.assertEqual(set(moves.mapped("state")), {"posted"})
        self.assertEqual(moves.mapped("is_move_sent"), [True, True])
        self.assertEqual(set(moves.mapped("date")), {self.cycle.invoice_date})
        run = self.cycle.closing_run_id
        self.assertEqual((run.cycle_mode, run.task, run.state), ("closing", "post", "done"))
        self.assertEqual(run.line_ids.move_id, moves)
        self.assertIn("2 invoices are posted and marked as sent, 0 are left", run._result_message())

    def test_r14_closing_twice_changes_nothing(self):
        moves = self._drafts("Ann")
        self.cycle._start_closing()
        number = moves.name
        self.cycle._start_closing()
        self.assertEqual(moves.name, number)
        self.assertEqual(len(self.cycle.run_ids.filtered("marks_sent")), 1)

    def test_r14_empty_cycle_closes(self):
        self.cycle._start_closing(restrict_scheduling=True)
        self.assertEqual(self.cycle.state, "closed")
        self.assertTrue(self.cycle.restrict_scheduling)

    def test_r14_posted_ones_are_marked_too(self):
        moves = self._drafts("Ann")
        moves.action_post()
        self.assertEqual(self._overview(move_id=moves.id).status, "posted")
        self.cycle._start_closing()
        self.assertTrue(moves.is_move_sent)
        self.assertEqual(self.cycle.state, "closed")

    def test_r14_billed_again_in_a_closed_cycle(self):
        """What Credit & Rebill posts belongs to the cycle, even closed; a draft of it doesn't."""
        old = self._drafts("Ann", "Ben")
        self.cycle._start_closing()
        self.env.user.group_ids += self.env.ref("healthcare_billing.group_closed_visit_adjustments")
        for move, post in zip(old, (True, False), strict=True):
            charge = move.invoice_line_ids.charge_id
            new = move._credit_and_rebill({charge: {"price_unit": 90.0}}, post=post)
            self.assertEqual(new.billing_cycle_id, self.cycle if post else self.cycle.browse())
            self.assertFalse(self.cycle.move_ids.filtered(lambda move: move.state == "draft"))
            if not post:
                new.action_post()
            self.assertEqual(new.billing_cycle_id, self.cycle)
            self.assertEqual((new.state, self.cycle.state), ("posted", "closed"))

    def test_r13_generating_leaves_what_is_billed_again(self):
        """Deleted with the cycle's drafts, the payments that wait for it were lost."""
        old = self._drafts("Ann")
        old.action_post()
        charge = old.invoice_line_ids.charge_id
        new = old._credit_and_rebill({charge: {"price_unit": 90.0}}, post=False)
        self.cycle._plan_run("all")
        self.assertFalse(self.cycle._plan_run("all").replaced_move_ids)
        new.action_post()
        self.assertEqual(new.billing_cycle_id, self.cycle)

    # -- failures --------------------------------------------------------------------------------
    def _with_future_draft(self):
        moves = self._drafts("Ann", "Ben")
        tomorrow = self.today + timedelta(days=1)
        moves[1].write({"invoice_date": tomorrow, "date": tomorrow})
        self.cycle._start_closing()
        self.assertEqual(self.cycle.state, "closing")
        self.assertEqual(moves.mapped("state"), ["posted", "draft"])
        row = self.cycle.closing_run_id.line_ids.filtered(lambda line: line.move_id == moves[1])
        self.assertIn("is in the future", row.message)
        self.assertEqual(moves[1].date, tomorrow)  # never moved
        domain = self.cycle.action_view_drafts_left()["domain"]
        self.assertEqual(row.search(domain), row)
        return moves, row

    def test_r14_failure_is_mended_and_retried(self):
        moves, row = self._with_future_draft()
        moves[1].write({"invoice_date": self.today, "date": self.today})
        row.action_post_again()
        self.assertEqual(moves[1].state, "posted")
        self.assertTrue(moves[1].is_move_sent)
        self.assertEqual(self.cycle.state, "closed")

    def test_r14_reset_to_draft_is_listed(self):
        moves, row = self._with_future_draft()
        run = row.run_id
        run.line_ids.filtered(lambda line: line.move_id == moves[0]).sudo().unlink()
        moves[0].button_draft()
        for _twice in range(2):
            domain = self.cycle.action_view_drafts_left()["domain"]
            self.assertEqual(row.search(domain).move_id, moves)
        self.assertEqual(len(run.line_ids), 2)

    def test_r14_many_are_posted_again_in_the_background(self):
        moves, row = self._with_future_draft()
        moves[1].write({"invoice_date": self.today, "date": self.today})
        self.patch(type(row.run_id), "_goes_to_background", lambda run, count: count > 0)
        row.action_post_again()
        self.assertEqual((row.run_id.state, moves[1].state), ("running", "draft"))

    def test_accountant_opens_a_cycle(self):
        auditor = self._user("no_group", login="auditor")
        auditor.group_ids |= self.env.ref("account.group_account_readonly")
        cycle = self.cycle.with_env(self._act_as(auditor))
        Form(cycle, "healthcare_billing.healthcare_billing_cycle_view_form")

    def test_r14_retry_that_fails_again_says_why(self):
        moves, row = self._with_future_draft()
        row.action_post_again()
        self.assertIn("is in the future", row.message)
        self.assertEqual((moves[1].state, self.cycle.state), ("draft", "closing"))

    def test_r14_close_again_takes_up_what_is_left(self):
        moves, row = self._with_future_draft()
        moves[1].write({"invoice_date": self.today, "date": self.today})
        self.cycle._start_closing()
        self.assertEqual(row.run_id.line_ids.move_id, moves)  # no row twice
        self.assertEqual(self.cycle.state, "closed")

    def test_r14_last_draft_posted_by_hand(self):
        moves, _row = self._with_future_draft()
        moves[1].write({"invoice_date": self.today, "date": self.today})
        moves[1].action_post()
        self.assertTrue(moves[1].is_move_sent)
        self.assertEqual(self.cycle.state, "closed")

    def test_r14_last_draft_deleted(self):
        moves, row = self._with_future_draft()
        charge = moves[1].invoice_line_ids.charge_id
        row.action_delete_draft()
        self.assertFalse(moves[1].exists())
        self.assertEqual(charge.billing_stage, "billing_office")
        self.assertEqual(self.cycle.state, "closed")

    def test_r14_last_draft_moved_to_the_next_cycle(self):
        moves, row = self._with_future_draft()
        day = moves[1].date
        row.action_move_to_next_cycle()
        following = moves[1].billing_cycle_id
        self.assertEqual(following.date_from, self.cycle.date_to)
        self.assertEqual(following.origin_id, self.cycle)
        self.assertEqual(moves[1].date, day)
        self.assertEqual((self.cycle.state, following.state), ("closed", "open"))

    def test_r14_moved_to_the_open_cycle_that_is_there(self):
        other = self._cycle(
            date_from=self.cycle.date_to,
            date_to=self.cycle.date_to + timedelta(days=7),
            payer_ids=[(6, 0, self.payer.ids)],
        )
        same = self._cycle(
            date_from=self.cycle.date_to, date_to=self.cycle.date_to + timedelta(days=14)
        )
        moves, row = self._with_future_draft()
        row.action_move_to_next_cycle()
        self.assertEqual(moves[1].billing_cycle_id, same)
        self.assertFalse(other.move_ids)

    def test_r14_moved_drafts_are_not_this_cycles_any_more(self):
        moves = self._drafts("Ann", "Ben")
        tomorrow = self.today + timedelta(days=1)
        moves.write({"invoice_date": tomorrow, "date": tomorrow})
        self.cycle._start_closing()
        moves[0].action_move_to_next_cycle()
        rows = self.env["healthcare.billing.run.line"].search(
            self.cycle.action_view_drafts_left()["domain"]
        )
        self.assertEqual(rows.move_id, moves[1])
        moves.write({"invoice_date": self.today, "date": self.today})
        self.cycle._start_closing()
        self.assertEqual(moves.mapped("state"), ["draft", "posted"])
        self.assertEqual(self.cycle.state, "closed")

    def test_r14_locked_period_is_a_failure_with_its_reason(self):
        moves = self._drafts("Ann")
        self.company.fiscalyear_lock_date = moves.date
        self.cycle._start_closing()
        self.assertEqual((moves.state, self.cycle.state), ("draft", "closing"))
        self.assertIn("books are locked", self.cycle.closing_run_id.line_ids.message)
        self.assertEqual(moves.date, self.cycle.invoice_date)

    def test_r14_one_that_fails_to_post_never_stops_the_others(self):
        moves = self._drafts("Ann", "Ben", "Cy")
        moves[1].partner_id = False
        self.cycle._start_closing()
        self.assertEqual(moves.mapped("state"), ["posted", "draft", "posted"])
        self.assertEqual(self.cycle.state, "closing")

    # -- background ------------------------------------------------------------------------------
    def test_r14_large_cycles_close_in_the_background(self):
        moves = self._drafts("Ann", "Ben", "Cy")
        self.company.healthcare_background_rows = 2
        action = self.cycle._start_closing()
        run = self.cycle.closing_run_id
        self.assertEqual(run.state, "running")
        self.assertIn("background", action["params"]["message"])
        self.assertEqual(set(moves.mapped("state")), {"draft"})
        self.assertEqual(self.cycle.state, "closing")
        # a second user finds it under way
        self.assertIn("background", self.cycle._start_closing()["params"]["message"])
        run._run_chunk(run.line_ids[:2].ids)
        self.assertEqual(self.cycle.state, "closing")
        run._run_chunk(run.line_ids.ids)
        run._finish_task()
        self.assertEqual(set(moves.mapped("is_move_sent")), {True})
        self.assertEqual(self.cycle.state, "closed")

    def test_r14_waits_for_a_run_that_generates(self):
        self._drafts("Ann")
        self.cycle.run_ids.sudo().state = "running"
        with self.assertRaisesRegex(UserError, "works on this cycle in the background"):
            self.cycle._start_closing()

    # -- wizard ----------------------------------------------------------------------------------
    def test_wizard_says_what_happens(self):
        self._drafts("Ann", "Ben")
        insured = self._insured_client()
        self._generate(self._approved(insured))
        self._appointment(self._client("Late"), approval_state="not_approved")
        wizard = self.env["healthcare.cycle.close"].browse(self.cycle.action_close()["res_id"])
        self.assertEqual((wizard.draft_count, wizard.draft_amount), (3, 240.0))
        self.assertEqual(
            [(line.payer_id, line.draft_count, line.amount) for line in wizard.line_ids],
            [(self.payer, 1, 80.0), (self.env["res.partner"], 2, 160.0)],
        )
        self.assertEqual(wizard.unapproved_count, 1)
        self.assertEqual(wizard.unbilled_count, 0)
        wizard.restrict_scheduling = True
        wizard.action_confirm()
        self.assertEqual(self.cycle.state, "closed")
        self.assertTrue(self.cycle.restrict_scheduling)

    # -- closed ----------------------------------------------------------------------------------
    def test_r14_closed_invoices_stay_sent(self):
        moves = self._drafts("Ann")
        self.cycle._start_closing()
        with self.assertRaisesRegex(UserError, "Void the invoice instead"):
            moves.button_draft()
        with self.assertRaisesRegex(UserError, "void these invoices instead"):
            self.cycle.closing_run_id.action_undo()

    def test_r14_reopen_takes_a_manager_and_a_reason(self):
        self._drafts("Ann")
        self.cycle._start_closing()
        user, manager = self._user("billing_user"), self._user("billing_manager")
        with self.assertRaisesRegex(AccessError, "Only a billing manager"):
            self.cycle.with_user(user).action_reopen()
        with self.assertRaisesRegex(UserError, "Say why"):
            self.cycle.with_user(manager)._reopen(" ")
        wizard = self.env["healthcare.cycle.reopen"].with_user(manager)
        wizard.create({"cycle_id": self.cycle.id, "reason": "Late visits"}).action_confirm()
        self.assertEqual(self.cycle.state, "open")
        self.assertIn("Late visits", self.cycle.message_ids[0].body)

    def test_rights(self):
        moves = self._drafts("Ann")
        coordinator = self._user("coordinator")
        with self.assertRaises(AccessError):
            self.cycle.with_user(coordinator)._start_closing()
        user = self._user("billing_user")
        with self.assertRaisesRegex(AccessError, "changed by its buttons only"):
            self.cycle.with_user(user).state = "closed"
        with self.assertRaisesRegex(AccessError, "recorded"):
            moves.with_user(user).billing_cycle_id = False
        self.cycle.with_user(user)._start_closing()
        self.assertEqual(self.cycle.state, "closed")

    # -- mark as sent ----------------------------------------------------------------------------
    def test_mark_one_as_sent(self):
        moves = self._drafts("Ann")
        moves.action_mark_as_sent()
        self.assertEqual((moves.state, moves.is_move_sent), ("posted", True))
        self.assertEqual(self._overview(move_id=moves.id).status, "sent")
        self.assertFalse(moves.message_ids.filtered(lambda message: message.partner_ids))

    def test_mark_one_that_cannot_be_posted(self):
        moves = self._drafts("Ann")
        self.company.fiscalyear_lock_date = moves.date
        with self.assertRaisesRegex(UserError, "books are locked"):
            moves.action_mark_as_sent()

    def test_mark_many_lists_failures_and_goes_on(self):
        moves = self._drafts("Ann", "Ben", "Cy")
        tomorrow = self.today + timedelta(days=1)
        moves[1].write({"invoice_date": tomorrow, "date": tomorrow})
        action = moves.action_mark_as_sent()
        self.assertEqual(moves.mapped("is_move_sent"), [True, False, True])
        row = self.env["healthcare.billing.run.line"].search(action["domain"])
        self.assertEqual(row.move_id, moves[1])
        self.assertIn("future", row.message)
        self.assertEqual(self.cycle.state, "open")

    def test_mark_many_in_the_background(self):
        moves = self._drafts("Ann", "Ben", "Cy")
        self.company.healthcare_background_rows = 2
        run = moves._mark_as_sent()
        self.assertEqual(run.state, "running")
        run._run_chunk(run.line_ids.ids)
        run._finish_task()
        self.assertEqual(set(moves.mapped("is_move_sent")), {True})

    def test_canceled_ones_are_refused(self):
        moves = self._drafts("Ann")
        moves.button_cancel()
        with self.assertRaisesRegex(UserError, "Only invoices of care"):
            moves.action_mark_as_sent()


@tagged("post_install", "-at_install")
class TestInvoiceOverview(CycleInvoicesCommon):
    """What became of each invoice, also of those that are gone."""

    def test_statuses(self):
        draft, posted, sent, paid, void, off, gone = self._drafts(*"ABCDEFG")
        (posted | paid | void | off).action_post()
        sent.action_mark_as_sent()
        self._pay(paid)
        void._void("Wrong")
        reason = self.env.ref("healthcare_billing.adjustment_reason_bad_debt")
        reason.account_id = self.company_data["default_account_expense"]
        off._write_off(reason, self.today)
        reference = gone.billing_ref
        gone.unlink()
        overview = self.env["healthcare.invoice.overview"]
        found = {row.reference: row.status for row in overview.search([])}
        expected = {
            draft: "draft", posted: "posted", sent: "sent", paid: "paid", void: "void",
            off: "written_off",
        }  # fmt: skip
        self.assertEqual(
            found,
            {move.billing_ref: status for move, status in expected.items()}
            | {reference: "deleted"},
        )
        groups = dict(overview._read_group([], ["status"], ["__count"]))
        self.assertEqual(groups, dict.fromkeys(found.values(), 1))
        deleted = overview.search([("status", "=", "deleted")])
        self.assertEqual((deleted.amount, deleted.balance), (80.0, 0.0))
        self.assertEqual(deleted.billing_cycle_id, self.cycle)
        self.assertEqual(deleted.action_view_move()["res_model"], "healthcare.billing.run")

    def test_partly_paid_is_sent_with_its_balance(self):
        move = self._drafts("Ann")
        move.action_mark_as_sent()
        self._pay(move, 30.0)
        row = self._overview(move_id=move.id)
        self.assertEqual((row.status, row.amount, row.balance), ("sent", 80.0, 50.0))

    def test_of_one_cycle(self):
        moves = self._drafts("Ann")
        later = self.first + timedelta(days=30)
        other = self._cycle(date_from=later, date_to=later + timedelta(days=7))
        action = self.cycle.action_view_invoices()
        overview = self.env["healthcare.invoice.overview"]
        self.assertEqual(overview.search(action["domain"]).move_id, moves)
        self.assertFalse(overview.search(other.action_view_invoices()["domain"]))
        self.assertEqual(self.cycle.invoice_count, 1)

    def test_queries_do_not_grow(self):
        def count(names):
            self._drafts(*names)
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.env["healthcare.invoice.overview"].search([]).read(
                ["reference", "partner_id", "client_id", "payer_id", "status", "amount"]
            )
            return self.cr.sql_log_count - before

        first = count([f"N{n}" for n in range(5)])
        self.assertLessEqual(count([f"M{n}" for n in range(10)]), first)
