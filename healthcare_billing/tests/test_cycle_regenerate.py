from datetime import timedelta

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .claim_common import ClaimCommon
from .common import A_DAY
from .test_cycle_generate import GenerateCommon


@tagged("post_install", "-at_install")
class TestCycleRegenerate(GenerateCommon):
    """R13: one draft made again, as the same record."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.visits = cls._approved(cls.alice) | cls._approved(cls.alice, hour=11)
        cls.move = cls._run().line_ids.move_id

    def _regenerate(self, move=None, what="own", overwrite=False):
        wizard = self.env["healthcare.cycle.regenerate"].create(
            {"move_id": (move or self.move).id, "what": what, "overwrite": overwrite}
        )
        wizard.action_regenerate()
        return self.env["healthcare.billing.run"].search(
            [("cycle_mode", "=", "regenerate")], limit=1
        )

    def test_r13_same_record_number_and_chatter(self):
        message = self.move.message_post(body="Called the client.")
        reference, other = self.move.billing_ref, self.move.payment_reference
        self.visits[0].approved_qty = 3.0
        self.assertEqual(self.move.amount_untaxed, 160.0)
        run = self._regenerate()
        self.assertEqual(run.state, "done")
        self.assertEqual(run.line_ids.move_id, self.move)
        self.assertEqual(run.line_ids.billing_ref, reference)
        self.assertEqual(self.move.amount_untaxed, 320.0)
        self.assertEqual((self.move.billing_ref, self.move.payment_reference), (reference, other))
        self.assertIn(message, self.move.message_ids)
        self.assertEqual(self._drafts_of_cycle(), self.move)
        self.assertFalse(self.move.is_manually_modified)
        self._assert_agrees(self.visits)
        self.move.action_post()
        self.assertEqual(self.move.amount_total, 320.0)
        self._assert_agrees(self.visits)

    def test_r13_one_draft_never_waits_for_the_background(self):
        self.company.healthcare_background_rows = 0
        self.visits[0].approved_qty = 3.0
        self.assertEqual(self._regenerate().state, "done")
        self.assertEqual(self.move.amount_untaxed, 320.0)

    def test_r13_rejected_visits_drop_off(self):
        self.visits[1].approval_state = "rejected"
        run = self._regenerate()
        self.assertEqual(run.excluded_count, 1)
        self._assert_agrees(self.visits[0])
        self.assertEqual(self.visits[1].billing_stage, "billing_office")

    def test_r13_own_visits_only_or_with_new_ones(self):
        new = self._approved(self.alice, hour=13)
        self._appointment(self.alice, hour=15)
        of_bob = self._approved(self.bob)
        self._regenerate()
        self._assert_agrees(self.visits)
        self._regenerate(what="new")
        self._assert_agrees(self.visits | new)
        self.assertFalse(of_bob.charge_ids.is_live)

    def test_r13_new_visits_on_a_draft_for_many_clients(self):
        carol = self._approved(self.carol)
        move = self._run("new", payers=self.batched).line_ids.move_id
        dave = self._approved(self.dave)
        self._regenerate(move, "new")
        self.assertEqual(move.care_appointment_ids, carol | dave)
        self._assert_agrees(self.visits | carol | dave)

    def test_r13_nothing_left_is_refused(self):
        self.visits.approval_state = "rejected"
        with self.assertRaisesRegex(UserError, "delete the draft"):
            self._regenerate()
        self.assertEqual(self.move.amount_untaxed, 160.0)

    def test_r13_visits_that_belong_elsewhere(self):
        self.visits[0].payer_id = self.batched
        with self.assertRaisesRegex(UserError, "(?s)All Invoices.*Alice"):
            self._regenerate()
        self.visits.payer_id = self.batched
        with self.assertRaisesRegex(UserError, "All Invoices"):
            self._regenerate()
        self._run(clients=self.alice)
        self.assertEqual(self._drafts_of_cycle().partner_id, self.batched)
        self._assert_agrees(self.visits)

    def test_r13_changed_terms_belong_elsewhere(self):
        self.alice.billing_account_ids.payment_term_id = self.pay_terms_b
        with self.assertRaisesRegex(UserError, "terms"):
            self._regenerate()

    def test_r13_edited_by_hand_needs_a_tick(self):
        self.move.invoice_line_ids = [Command.create({"name": "Key", "price_unit": 5.0})]
        with Form(
            self.env["healthcare.cycle.regenerate"].with_context(default_move_id=self.move.id)
        ) as form:
            self.assertTrue(form.is_edited)
        with self.assertRaises(UserError):
            form.record.action_regenerate()
        with self.assertRaisesRegex(UserError, "edited by hand"):
            self.move._regenerate_draft()
        self.assertEqual(self.move.amount_untaxed, 165.0)
        self._regenerate(overwrite=True)
        self.assertEqual(self.move.amount_untaxed, 160.0)
        self.assertFalse(self.move._edited_by_hand())
        self._assert_agrees(self.visits)

    def test_r13_draft_that_was_posted_once_keeps_its_number(self):
        self.move.action_post()
        name = self.move.name
        self.move.button_draft()
        self.visits[0].approved_qty = 2.0
        self._regenerate()
        self.assertEqual((self.move.name, self.move.state), (name, "draft"))
        self.assertEqual(self.move.amount_untaxed, 240.0)
        self.move.action_post()
        self.assertEqual(self.move.name, name)
        self._assert_agrees(self.visits)

    def test_r13_sent_is_never_regenerated(self):
        self.move._mark_as_sent()
        with self.assertRaisesRegex(UserError, "isn't a draft"):
            self._regenerate()
        self.assertFalse(self.move.can_regenerate)

    def test_regenerating_is_not_undone(self):
        run = self._regenerate()
        with self.assertRaisesRegex(UserError, "turned back"):
            run.action_undo()

    def test_synced_lines_as_well(self):
        """A service with a tax takes core's own way of making lines."""
        tax = self.env["account.tax"].create(
            {"name": "Care tax", "amount": 10.0, "price_include_override": "tax_excluded"}
        )
        self.visit_service.taxes_id = tax
        self.visits[0].approved_qty = 2.0
        self._regenerate()
        self.assertEqual((self.move.amount_untaxed, self.move.amount_tax), (240.0, 24.0))
        self.visits[0].approved_qty = 1.0
        self._regenerate()
        self.assertEqual((self.move.amount_untaxed, self.move.amount_total), (160.0, 176.0))
        self._assert_agrees(self.visits)

    def test_same_lines_as_a_new_invoice(self):
        """What regenerating writes is what generating writes, to the column."""

        def content(move):
            names = [
                name
                for name, field in move.line_ids._fields.items()
                if field.store
                and field.type not in ("one2many", "many2many")
                and name
                not in (
                    "id",
                    "move_id",
                    "create_date",
                    "write_date",
                    "payment_reference",
                    "name",
                    "ref",
                )
            ]
            return [
                {name: line[name] for name in names}
                for line in move.line_ids.sorted(lambda line: (line.sequence, line.id))
            ]

        self._regenerate()
        again = content(self.move)
        moves = self._run().line_ids.move_id
        self.assertEqual(len(moves), 1)
        self.assertEqual(again, content(moves))

    def test_visits_of_a_draft(self):
        self.assertEqual(self.move.care_appointment_ids, self.visits)
        self.assertEqual(self.visits[0].action_open_visit()["res_id"], self.visits[0].id)

    def test_invoice_date_of_the_cycle(self):
        self.cycle.invoice_date = self.cycle.date_to
        self._regenerate()
        self.assertEqual(self.move.invoice_date, self.cycle.date_to)
        self._assert_agrees(self.visits)

    def test_r13_an_edit_elsewhere_hides_no_changed_visit(self):
        self.move.ref = "As agreed"
        self.assertTrue(self.move.is_manually_modified)
        self.assertFalse(self.move.outdated_reason)
        self.visits[0].approved_qty = 2.0
        self.assertIn("amounts are others", self.move.outdated_reason)
        with self.assertRaisesRegex(UserError, "Regenerate it first"):
            self.move.action_post()

    def test_r13_typed_amounts_are_posted_unless_the_visit_changes(self):
        self.move.invoice_line_ids.filtered("charge_id")[0].price_unit = 70.0
        self.assertFalse(self.move.outdated_reason)
        self.visits[0].approved_qty = 2.0
        self.assertIn("amounts are others", self.move.outdated_reason)
        self.visits[0].approved_qty = 1.0
        self.move.action_post()
        self.assertEqual(self.move.amount_untaxed, 150.0)

    def test_r13_an_edit_elsewhere_hides_no_other_addressee(self):
        self.move.ref = "As agreed"
        self.visits[0].payer_id = self.batched
        self.assertTrue(self.move.outdated_reason)

    def test_r14_a_moved_draft_is_made_again_in_its_new_cycle(self):
        self.move.action_move_to_next_cycle()
        following = self.move.billing_cycle_id
        self.assertFalse(self.move.is_manually_modified)
        self.visits[0].approved_qty = 2.0
        self._regenerate()
        self.assertEqual(self.move.amount_untaxed, 240.0)
        self.assertEqual(self.move.billing_cycle_id, following)
        self.visits[0].approved_qty = 3.0
        run = self._run(cycle=following)
        self.assertFalse(self.move.exists())
        again = run.line_ids.move_id
        self.assertEqual(again.amount_untaxed, 320.0)
        self.assertEqual(again.billing_cycle_id, following)
        self.assertEqual(again.care_appointment_ids, self.visits)

    def test_r13_visits_that_left_the_days_leave_the_draft(self):
        """Only what was moved here comes from other days."""
        self.visits[0].start += timedelta(days=30)
        self.assertNotIn(self.visits[0].charge_ids, self._run(execute=False).line_ids.charge_ids)


@tagged("post_install", "-at_install")
class TestRegenerateClaimed(ClaimCommon):
    def test_r13_a_draft_on_a_claim_is_not_regenerated(self):
        cycle = self.env["healthcare.billing.cycle"].create(
            {
                "date_from": A_DAY,
                "date_to": A_DAY + timedelta(days=7),
                "invoice_date": A_DAY + timedelta(days=7),
            }
        )
        visit = self._visit(approval_state="approved")
        run = cycle._plan_run("all")
        run.action_execute()
        move = run.line_ids.move_id.filtered(lambda move: move.partner_id == self.payer)
        move.action_post()
        claim = self._claims(move)
        move.button_draft()
        self.assertEqual(claim.item_ids.charge_id, visit.charge_ids)
        with self.assertRaisesRegex(UserError, "is on a claim already"):
            move._regenerate_draft()
        self.assertEqual(claim.item_ids.invoice_line_id.charge_id, visit.charge_ids)
        claim.action_cancel()
        move._regenerate_draft()
