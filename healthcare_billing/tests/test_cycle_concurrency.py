from datetime import date, timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_concurrency import RETRIED, RaceCommon


@tagged("post_install", "-at_install")
class TestCycleConcurrency(RaceCommon):
    """Closing, generating and posting by hand at once: whoever comes last closes the cycle."""

    @classmethod
    def _remove_billing(cls, env):
        cycles = env["healthcare.billing.cycle"].search([("company_id", "=", cls.company_id)])
        cycles.write({"state": "open", "closing_run_id": False})
        result = super()._remove_billing(env)
        cycles.unlink()
        return result

    def setUp(self):
        super().setUp()
        with self._committed() as env:
            env["res.company"].browse(self.company_id).healthcare_background_rows = 200
            charges = env["healthcare.charge"].browse(self.charge_ids)
            charges.appointment_id.write({"approval_state": "approved"})
            cycle = env["healthcare.billing.cycle"].create(
                {
                    "company_id": self.company_id,
                    "date_from": date(2025, 3, 1),
                    "date_to": date(2025, 4, 1),
                    "invoice_date": date(2025, 4, 1),
                }
            )
            self.cycle_id = cycle.id
            self.move_ids = self._generate(env).line_ids.move_id.ids

    def _cycle(self, env):
        return env["healthcare.billing.cycle"].browse(self.cycle_id)

    def _moves(self, env):
        return env["account.move"].browse(self.move_ids)

    def _preview(self, env):
        engine = env["healthcare.billing.engine"].with_context(healthcare_billing_door="cycle")
        charges = env["healthcare.charge"].browse(self.charge_ids)
        run = engine.plan(charges, invoice_date=date(2025, 4, 1)).save()
        run.write({"billing_cycle_id": self.cycle_id, "cycle_mode": "all"})
        return run

    def _generate(self, env):
        run = self._preview(env)
        run.action_execute()
        return run

    def _state(self):
        with self._committed() as env:
            return self._cycle(env).state, set(self._moves(env).exists().mapped("state"))

    # -- races -----------------------------------------------------------------------------------
    @mute_logger("odoo.sql_db")
    def test_two_users_close(self):
        with self._session() as ours:
            self._cycle(ours).state  # noqa: B018  # our snapshot
            with self._session() as rival:
                self._cycle(rival)._start_closing()
                rival.flush_all()
                with self.assertRaisesRegex(UserError, "another user"):
                    self._cycle(ours)._start_closing()
                rival.cr.commit()
            with self.assertRaises(RETRIED):
                self._cycle(ours)._start_closing()
        with self._committed() as again:
            cycle = self._cycle(again)
            cycle._start_closing()
            self.assertEqual(len(cycle.run_ids.filtered("marks_sent")), 1)
        self.assertEqual(self._state(), ("closed", {"posted"}))

    @mute_logger("odoo.sql_db")
    def test_posted_by_hand_while_it_closes(self):
        with self._session() as hand:
            move = self._moves(hand)[0]
            self.assertEqual(move.state, "draft")  # its snapshot
            with self._committed() as rival:
                self._cycle(rival)._start_closing()
            with self.assertRaises(RETRIED):
                move.action_post()
        with self._committed() as env:
            numbers = self._moves(env).mapped("name")
            self.assertEqual(len(set(numbers)), 3)
        self.assertEqual(self._state(), ("closed", {"posted"}))

    @mute_logger("odoo.sql_db")
    def test_last_two_drafts_posted_by_two_users(self):
        """Each sees the other's draft in its own snapshot: without care nobody would close."""
        with self._committed() as env:
            tomorrow = fields.Date.today() + timedelta(days=2)
            self._moves(env)[:2].write({"invoice_date": tomorrow, "date": tomorrow})
        with self._committed() as env:
            self._cycle(env)._start_closing()
        self.assertEqual(self._state(), ("closing", {"draft", "posted"}))
        with self._session() as ours:
            mine = self._moves(ours)[0]
            self.assertEqual(mine.state, "draft")  # our snapshot
            with self._committed() as rival:
                self._moves(rival)[1]._post(soft=False)
            with self.assertRaises(RETRIED):
                mine._post(soft=False)
                ours.flush_all()
        with self._committed() as again:
            self._moves(again)[0]._post(soft=False)
        self.assertEqual(self._state(), ("closed", {"posted"}))

    @mute_logger("odoo.sql_db")
    def test_generated_while_it_closes(self):
        with self._committed() as env:
            self._moves(env).unlink()
            run_id = self._preview(env).id
        with self._session() as ours:
            run = ours["healthcare.billing.run"].browse(run_id)
            self.assertEqual(run.state, "draft")  # our snapshot
            with self._committed() as rival:
                self._cycle(rival)._start_closing()
            with self.assertRaises(RETRIED):
                run.action_execute()
        self.assertEqual(self._state(), ("closed", set()))

    @mute_logger("odoo.sql_db")
    def test_closed_while_it_is_generated(self):
        with self._committed() as env:
            self._moves(env).unlink()
            run_id = self._preview(env).id
        with self._session() as ours:
            self.assertEqual(self._cycle(ours).state, "open")  # our snapshot
            with self._committed() as rival:
                run = rival["healthcare.billing.run"].browse(run_id)
                run.action_execute()
                self.move_ids = run.line_ids.move_id.ids
            with self.assertRaises(RETRIED):
                self._cycle(ours)._start_closing()
        with self._committed() as again:
            self._cycle(again)._start_closing()
        self.assertEqual(self._state(), ("closed", {"posted"}))

    def test_killed_between_two_chunks(self):
        """What is committed stays; the next start goes on with the rest, and closes."""
        with self._committed() as env:
            env["res.company"].browse(self.company_id).healthcare_background_rows = 1
            self._cycle(env)._start_closing()
        with self._committed() as env:
            run = self._cycle(env).closing_run_id
            self.assertEqual(run.state, "running")
            run._run_chunk(run.line_ids[:2].ids)
        with self._session() as killed:
            run = self._cycle(killed).closing_run_id
            run._run_chunk(run.line_ids.ids)  # never committed
        self.assertEqual(self._state(), ("closing", {"draft", "posted"}))
        with self._committed() as env:
            run = self._cycle(env).closing_run_id
            run._run_chunk(run.line_ids.ids)
            run._finish_task()
        self.assertEqual(self._state(), ("closed", {"posted"}))

    @mute_logger("odoo.sql_db")
    def test_reset_to_draft_while_it_closes(self):
        """Closing would overlook the draft that another snapshot holds."""
        with self._committed() as env:
            self._moves(env)._post(soft=False)
        with self._session() as ours:
            mine = self._moves(ours)[0]
            self.assertEqual(mine.billing_cycle_id.state, "open")  # our snapshot
            with self._committed() as rival:
                self._cycle(rival).write({"state": "closing"})
                self._cycle(rival)._close_if_done()
            with self.assertRaises(RETRIED):
                mine.button_draft()
        with self._committed() as again, self.assertRaisesRegex(UserError, "is closed"):
            self._moves(again)[0].button_draft()
        self.assertEqual(self._state(), ("closed", {"posted"}))

    @mute_logger("odoo.sql_db")
    def test_moved_to_a_cycle_that_is_closed_meanwhile(self):
        with self._committed() as env:
            following_id = self._cycle(env)._next_cycle().id
        with self._session() as ours:
            mine = self._moves(ours)[0]
            self.assertEqual(mine.state, "draft")  # our snapshot
            with self._committed() as rival:
                rival["healthcare.billing.cycle"].browse(following_id)._start_closing()
            with self.assertRaises(RETRIED):
                mine.action_move_to_next_cycle()
        with self._committed() as env:
            following = env["healthcare.billing.cycle"].browse(following_id)
            self.assertEqual((following.state, len(following.move_ids)), ("closed", 0))
