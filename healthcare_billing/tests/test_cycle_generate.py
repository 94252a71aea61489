from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from odoo.addons.healthcare_billing.models import healthcare_billing_run_background as background

from .common import A_DAY
from .cycle_common import CycleInvoicesCommon


class GenerateCommon(CycleInvoicesCommon):
    """Two clients of a payer, two who pay themselves, each with an approved visit of 80.00."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.batched = cls._payer("Batched", payer_type="other", invoicing_model="payer_batched")
        cls.file_payer = cls._payer("Program", payer_type="other", invoicing_model="payer_file")
        cls.alice, cls.bob = cls._client("Alice"), cls._client("Bob")
        cls.carol = cls._client("Carol", account={"payer_id": cls.batched.id})
        cls.dave = cls._client("Dave", account={"payer_id": cls.batched.id})

    @classmethod
    def _run(cls, mode="all", clients=None, payers=None, execute=True, cycle=None, **options):
        run = (cycle or cls.cycle)._plan_run(mode, clients, payers, **options)
        if execute and (run.line_ids or run.dropped_count):
            run.action_execute()
        return run

    @classmethod
    def _drafts_of_cycle(cls):
        return cls.env["account.move"].search(
            [("billing_cycle_id", "=", cls.cycle.id), ("state", "=", "draft")]
        )

    def _assert_agrees(self, visits=None):
        """Charges and ledger agree: what is on drafts and posted is what the charges say."""
        self.env.flush_all()
        lines = self.env["account.move.line"].search(
            [("move_id.billing_cycle_id", "=", self.cycle.id), ("charge_live", "=", True)]
        )
        for line in lines:
            self.assertFalse(line.charge_id.invoiced_otherwise, line.charge_id.display_name)
        for move in lines.move_id:
            self.assertEqual(
                move.amount_untaxed, sum(move.invoice_line_ids.mapped("price_subtotal"))
            )
            self.assertAlmostEqual(sum(move.line_ids.mapped("balance")), 0.0)
            terms = move.line_ids.filtered(lambda line: line.display_type == "payment_term")
            self.assertEqual(sum(terms.mapped("amount_currency")), move.amount_total_signed)
        if visits is not None:
            self.assertEqual(lines.charge_id.appointment_id, visits)


@tagged("post_install", "-at_install")
class TestCycleGenerate(GenerateCommon):
    """R13: three modes, two scopes, and what is never touched."""

    # -- what a cycle bills ----------------------------------------------------------------------
    def test_r12_only_approved_visits_are_generated(self):
        approved = self._approved(self.alice)
        self._appointment(self.alice, hour=11)
        self._appointment(self.bob, approval_state="rejected")
        run = self._run(execute=False)
        self.assertEqual(run.line_ids.charge_ids.appointment_id, approved)
        reasons = {e.charge_id.client_id: e.reason_id.code for e in run.exclusion_ids}
        self.assertEqual(reasons, {self.alice: "not_approved", self.bob: "rejected"})
        run.action_execute()
        self.assertEqual(run.line_ids.move_id.billing_cycle_id, self.cycle)
        self.assertEqual(run.line_ids.move_id.state, "draft")
        self._assert_agrees(approved)

    def test_r11_carry_over_is_taken_in_once(self):
        self.cycle.back_billing_date = A_DAY - timedelta(days=7)
        late = self._approved(self.alice, day=A_DAY - timedelta(days=3))
        too_old = self._approved(self.alice, day=A_DAY - timedelta(days=8))
        run = self._run()
        self.assertEqual(run.line_ids.charge_ids.appointment_id, late)
        self.assertFalse(too_old.charge_ids.is_live)
        other = self._cycle(date_from=A_DAY - timedelta(days=7))
        self.assertFalse(self._run(cycle=other).line_ids, "nothing is billed twice")
        self.assertFalse(self._run("new", cycle=other).line_ids)

    def test_r6_the_last_day_is_in_and_the_next_is_not(self):
        last = self._approved(self.alice, day=A_DAY + timedelta(days=6), hour=23.5)
        self._approved(self.alice, day=A_DAY + timedelta(days=7), hour=0)
        self.cycle.invoice_date = A_DAY + timedelta(days=8)
        self.assertEqual(self._run().line_ids.charge_ids.appointment_id, last)

    def test_filters_of_the_cycle(self):
        group = self.env["res.partner.category"].create({"name": "Program A"})
        self.bob.category_id = group
        visits = self._approved(self.alice) | self._approved(self.bob) | self._approved(self.carol)
        self.cycle.client_group_ids = group
        run = self._run(execute=False)
        self.assertEqual(run.line_ids.charge_ids.appointment_id, visits[1])
        self.cycle.client_group_ids = False
        self.cycle.payer_ids = self.batched
        run = self._run(execute=False)
        self.assertEqual(run.line_ids.charge_ids.appointment_id, visits[2])
        self.cycle.include_self_pay = True
        run = self._run(execute=False)
        self.assertEqual(run.line_ids.charge_ids.appointment_id, visits)

    # -- all -------------------------------------------------------------------------------------
    def test_r13_all_replaces_drafts(self):
        visits = self._approved(self.alice) | self._approved(self.bob)
        old = self._run().line_ids.move_id
        self.assertEqual(len(old), 2)
        more = self._approved(self.alice, hour=11)
        visits[1].approval_state = "not_approved"
        run = self._run(execute=False)
        self.assertEqual(run.replaced_count, 2)
        self.assertEqual(run.dropped_count, 1)
        self.assertEqual(run.line_ids.mapped("amount"), [160.0])
        self.assertTrue(old.exists(), "a preview changes nothing")
        run.action_execute()
        self.assertFalse(old.exists())
        self.assertEqual(self._drafts_of_cycle(), run.line_ids.move_id)
        self._assert_agrees(visits[0] | more)
        again = self._run()
        self.assertEqual(again.line_ids.mapped("state"), ["created"])
        self._assert_agrees(visits[0] | more)

    def test_r13_a_draft_that_several_chunks_take_apart(self):
        """What one chunk takes off a draft isn't an edit by somebody else for the next chunk."""
        first, second = self._approved(self.alice), self._approved(self.alice, hour=11)
        old = self._run().line_ids.move_id
        contact = self.env["res.partner"].create({"name": "Guardian of Alice"})
        account = self.alice.billing_account_ids.copy({"guarantor_id": contact.id})
        second.billing_account_id = account
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_move SET write_date = '2020-01-01' WHERE id = %s", [old.id]
        )
        old.invalidate_recordset(["write_date"])
        run = self._run(execute=False)
        self.assertEqual(len(run.line_ids), 2)
        with patch.object(background, "CHUNK_SIZE", 1):
            run.action_execute()
        self.assertEqual(
            run.line_ids.mapped("state"), ["created", "created"], run.line_ids.mapped("message")
        )
        self.assertFalse(old.exists())
        self._assert_agrees(first | second)

    def test_r13_all_deletes_drafts_of_which_nothing_is_left(self):
        visit = self._approved(self.alice)
        self._run()
        visit.approval_state = "rejected"
        run = self._run(execute=False)
        self.assertFalse(run.line_ids)
        wizard = self.env["healthcare.billing.run.confirm"].create({"run_id": run.id})
        self.assertEqual(wizard.dropped_count, 1)
        wizard.action_confirm()
        self.assertEqual(run.state, "done")
        self.assertFalse(self._drafts_of_cycle())
        self.assertEqual(visit.billing_stage, "billing_office")

    def test_r13_sent_invoices_are_never_touched(self):
        visits = self._approved(self.alice) | self._approved(self.bob)
        sent = self._run().line_ids.move_id.filtered(lambda m: m.partner_id == self.alice)
        sent._mark_as_sent()
        lines = sent.line_ids
        more = self._approved(self.alice, hour=11)
        run = self._run()
        self.assertEqual(sent.state, "posted")
        self.assertEqual(sent.line_ids, lines)
        mine = run.line_ids.filtered(lambda line: line.partner_id == self.alice)
        self.assertEqual(mine.charge_ids.appointment_id, more, "on an invoice of its own")
        self._assert_agrees(visits | more)

    def test_r13_draft_posted_after_the_preview(self):
        visits = self._approved(self.alice) | self._approved(self.bob)
        old = self._run().line_ids.move_id
        run = self._run(execute=False)
        sent = old.filtered(lambda move: move.partner_id == self.alice)
        sent._mark_as_sent()
        run.action_execute()
        states = {line.partner_id: line.state for line in run.line_ids}
        self.assertEqual(states, {self.alice: "skipped", self.bob: "created"})
        message = run.line_ids.filtered(lambda line: line.state == "skipped").message
        self.assertIn(sent.name, message)
        self.assertEqual(sent.state, "posted")
        self._assert_agrees(visits)

    def test_r13_draft_edited_after_the_preview(self):
        self._approved(self.alice)
        old = self._run().line_ids.move_id
        run = self._run(execute=False)
        # within one test all is written at the same time
        run.sudo().replaced_marks = {str(old.id): "2025-03-01 00:00:00"}
        run.action_execute()
        self.assertEqual(run.line_ids.state, "skipped")
        self.assertIn("edited meanwhile", run.line_ids.message)
        self.assertTrue(old.exists())

    def test_r13_scope_chosen_clients_and_payers(self):
        visits = self._approved(self.alice) | self._approved(self.bob) | self._approved(self.carol)
        old = self._run().line_ids.move_id
        others = old.filtered(lambda move: move.partner_id != self.alice)
        more = self._approved(self.alice, hour=11) | self._approved(self.bob, hour=11)
        run = self._run(clients=self.alice)
        self.assertEqual(run.line_ids.partner_id, self.alice)
        self.assertEqual(run.line_ids.amount, 160.0)
        self.assertEqual(others.exists(), others)
        run = self._run(payers=self.batched)
        self.assertEqual(run.line_ids.partner_id, self.batched)
        self._assert_agrees(visits | more[0])

    def test_r13_a_draft_for_many_clients_is_made_again_as_a_whole(self):
        visits = self._approved(self.carol) | self._approved(self.dave)
        old = self._run().line_ids.move_id
        self.assertEqual(len(old), 1)
        more = self._approved(self.carol, hour=11)
        new_of_dave = self._approved(self.dave, hour=11)
        run = self._run(clients=self.carol)
        self.assertEqual(len(run.line_ids), 1)
        self.assertEqual(run.line_ids.charge_ids.appointment_id, visits | more)
        self.assertFalse(new_of_dave.charge_ids.is_live)
        self._assert_agrees(visits | more)

    def test_r13_what_is_deselected_stays_as_it_is(self):
        self._approved(self.alice)
        self._approved(self.bob)
        old = self._run().line_ids.move_id
        kept = old.filtered(lambda move: move.partner_id == self.alice)
        run = self._run(execute=False)
        row = run.line_ids.filtered(lambda line: line.partner_id == self.alice)
        run.set_selected(row.ids, False)
        run.action_execute()
        self.assertEqual(old.exists(), kept)

    def test_r13_split_key_moves_visits_between_drafts(self):
        """Part of a batched draft is another payer's now; the rest waits, deselected."""
        visits = self._approved(self.carol) | self._approved(self.dave)
        old = self._run().line_ids.move_id
        visits[1].payer_id = False
        run = self._run(execute=False)
        self.assertEqual(set(run.line_ids.partner_id.ids), {self.batched.id, self.dave.id})
        rest = run.line_ids.filtered(lambda line: line.partner_id == self.batched)
        run.set_selected(rest.ids, False)
        run.action_execute()
        self.assertEqual(old.exists(), old, "it holds the care of the row that waits")
        self.assertEqual(old.amount_untaxed, 80.0)
        self.assertEqual(len(old.invoice_line_ids), 2, "the section of what went is gone")
        self._assert_agrees(visits)

    def test_r13_failed_row_keeps_its_old_draft(self):
        self._approved(self.alice)
        self._approved(self.bob)
        old = self._run().line_ids.move_id
        of_bob = old.filtered(lambda move: move.partner_id == self.bob)
        run = self._run(execute=False)
        engine = type(self.env["healthcare.billing.engine"])
        create = engine._create_moves

        def fail(self, planned, run):
            if any(invoice.partner_id == of_bob.partner_id.id for invoice in planned):
                raise UserError(self.env._("no invoice for Bob"))
            return create(self, planned, run)

        with patch.object(engine, "_create_moves", fail):
            run.action_execute()
        states = {line.partner_id: line.state for line in run.line_ids}
        self.assertEqual(states, {self.alice: "created", self.bob: "failed"})
        self.assertEqual(old.exists(), of_bob)
        run.action_retry()
        self.assertFalse(old.exists())
        self._assert_agrees()

    # -- hand edits ------------------------------------------------------------------------------
    def test_r13_drafts_edited_by_hand_are_kept_unless_ticked(self):
        self._approved(self.alice)
        self._approved(self.bob)
        old = self._run().line_ids.move_id
        edited = old.filtered(lambda move: move.partner_id == self.alice)
        self.assertFalse(old._edited_by_hand())
        edited.invoice_line_ids = [Command.create({"name": "Key deposit", "price_unit": 5.0})]
        self.assertEqual(old._edited_by_hand(), edited)
        wizard = self.env["healthcare.cycle.generate"].create(
            {"cycle_id": self.cycle.id, "mode": "all"}
        )
        self.assertEqual((wizard.draft_count, wizard.edited_count), (2, 1))
        self.assertIn("Alice", wizard.edited_names)
        run = self.env["healthcare.billing.run"].browse(wizard.action_preview()["res_id"])
        self.assertEqual(run.kept_move_ids, edited)
        self.assertEqual(run.line_ids.partner_id, self.bob)
        run.action_execute()
        self.assertEqual(edited.exists().amount_untaxed, 85.0)
        wizard.overwrite = True
        run = self.env["healthcare.billing.run"].browse(wizard.action_preview()["res_id"])
        run.action_execute()
        self.assertFalse(edited.exists())
        self._assert_agrees()

    def test_r13_draft_that_was_posted_once_is_canceled(self):
        self._approved(self.alice)
        old = self._run().line_ids.move_id
        old.action_post()
        old.button_draft()
        name = old.name
        run = self._run()
        self.assertEqual((old.state, old.name), ("cancel", name))
        self.assertEqual(run.line_ids.state, "created")
        self._assert_agrees()

    # -- new -------------------------------------------------------------------------------------
    def test_r13_newly_approved_keeps_drafts(self):
        visits = self._approved(self.alice) | self._appointment(self.alice, hour=11)
        old = self._run("new").line_ids.move_id
        self.assertFalse(self._run("new").line_ids, "nothing is new")
        visits[1].approval_state = "approved"
        run = self._run("new")
        self.assertEqual(run.line_ids.charge_ids.appointment_id, visits[1])
        self.assertEqual(self._drafts_of_cycle(), old | run.line_ids.move_id)
        self._assert_agrees(visits)
        self.assertFalse(self._run("new", clients=self.bob).line_ids)

    # -- visits on drafts ------------------------------------------------------------------------
    def test_visit_on_a_draft_of_an_open_cycle_can_be_changed(self):
        visit = self._approved(self.alice)
        move = self._run().line_ids.move_id
        visit.approved_qty = 2.0
        self.assertEqual(visit.charge_ids.amount, 160.0)
        self.assertEqual(move.amount_untaxed, 80.0)
        self.assertTrue(visit.charge_ids.invoiced_otherwise)
        self.assertIn("amounts are others", move.outdated_reason)
        with self.assertRaisesRegex(UserError, "Regenerate it first"):
            move.action_post()
        self._run()
        self._assert_agrees(visit)
        move = self._drafts_of_cycle()
        self.assertFalse(move.outdated_reason)
        move.action_post()
        with self.assertRaisesRegex(UserError, "posted"):
            visit.approved_qty = 3.0
        with self.assertRaisesRegex(UserError, move.name):
            visit.product_id = self.service

    def test_r12_unapproved_visit_is_not_posted(self):
        visit = self._approved(self.alice)
        move = self._run().line_ids.move_id
        visit.approval_state = "rejected"
        with self.assertRaisesRegex(UserError, "approved"):
            move.action_post()

    # -- guards ----------------------------------------------------------------------------------
    def test_r14_nothing_is_generated_unless_open(self):
        self._approved(self.alice)
        run = self._run(execute=False)
        done = self._run()
        for state in ("closing", "closed"):
            self.cycle.sudo().state = state
            for act in (
                lambda: self._run(execute=False),
                run.action_execute,
                run.action_search_again,
                done.action_undo,
                done.action_post_drafts,
                self.cycle.action_generate,
                done.line_ids.move_id.action_regenerate,
            ):
                with self.assertRaises(UserError):
                    act()
        run.action_cancel()
        self.assertEqual(run.state, "canceled")

    def test_search_again_finds_the_drafts_of_now(self):
        self._approved(self.alice)
        run = self._run(execute=False)
        old = self._run().line_ids.move_id
        run.action_search_again()
        self.assertEqual(run.replaced_move_ids, old)
        run.action_execute()
        self.assertFalse(old.exists())

    def test_dialog_asks_for_a_scope(self):
        with Form(
            self.env["healthcare.cycle.generate"].with_context(default_cycle_id=self.cycle.id)
        ) as form:
            form.scope = "chosen"
        with self.assertRaisesRegex(UserError, "Choose clients"):
            form.record.action_preview()

    def test_many_rows_go_to_the_background(self):
        self.company.healthcare_background_rows = 1
        visits = self._approved(self.alice) | self._approved(self.bob)
        old = self._run()
        self.assertEqual(old.state, "running")
        with self.enter_registry_test_mode():
            self.env.ref("healthcare_billing.ir_cron_billing_run").method_direct_trigger()
        self.assertEqual(old.state, "done")
        moves = old.line_ids.move_id
        run = self._run()
        self.assertEqual(run.progress, 0.0)
        with self.assertRaisesRegex(UserError, "background"):
            self.cycle.action_close() and self.cycle._start_closing()
        with self.enter_registry_test_mode():
            self.env.ref("healthcare_billing.ir_cron_billing_run").method_direct_trigger()
        self.assertEqual(run.state, "done")
        self.assertFalse(moves.exists())
        self._assert_agrees(visits)
