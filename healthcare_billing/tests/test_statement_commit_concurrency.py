import threading

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .statement_race_common import StatementRaceCommon
from .test_concurrency import RETRIED


@tagged("post_install", "-at_install")
class TestStatementCommitConcurrency(StatementRaceCommon):
    """Two commit statements at the same time: an item is invoiced and posted once (R18, R29)."""

    def setUp(self):
        super().setUp()
        with self._committed() as env:
            self.first_id = self._make_statement(env).id
            self.second_id = self._make_statement(env).id

    def _statement(self, env, statement_id=None):
        return env["healthcare.statement"].browse(statement_id or self.first_id)

    def _commit(self, env, statement_id=None):
        self._statement(env, statement_id)._commit()
        env.flush_all()

    def _at_once(self, *acts):
        """Do these things in threads, with Odoo's retries.

        :return: what users were told: one text per refusal
        """
        barrier = threading.Barrier(len(acts))
        told = []

        def click(act):
            barrier.wait(timeout=30)
            for _attempt in range(6):
                try:
                    with self._committed() as env:
                        act(env)
                    return
                except RETRIED:
                    continue
                except UserError as error:
                    told.append(str(error))
                    return

        threads = [threading.Thread(target=click, args=(act,)) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=90)
        self.assertFalse([thread for thread in threads if thread.is_alive()])
        return told

    def _express(self, env):
        run = env["healthcare.billing.run"]._open_express(
            env["healthcare.statement"]._fields["date"].context_today(env["healthcare.statement"]),
            {"statement_type": "complete", "settles_ledger": False},
            minimum=0.01,
        )
        env.flush_all()
        return run.id

    def _execute(self, env, run_id):
        env["healthcare.billing.run"].browse(run_id).action_execute()
        env.flush_all()

    def assertPostedOnce(self, charge_ids=None):
        """One invoice per charge, and no draft beside it."""
        with self._committed() as env:
            charges = env["healthcare.charge"].browse(charge_ids or self.charge_ids[:1])
            lines = charges.invoice_line_ids
            self.assertEqual(lines.charge_id, charges)
            self.assertEqual(len(lines), len(charges))
            self.assertEqual(set(lines.mapped("parent_state")), {"posted"})
            self.assertEqual(charges.mapped("ledger_client"), [50.0] * len(charges))
            self.assertEqual(set(charges.mapped("billing_stage")), {"awaiting_payment"})
            self.assertProof(env)

    # -- the same statement ----------------------------------------------------------------------
    @mute_logger("odoo.sql_db")
    def test_r29_rival_committed_the_statement_after_we_looked(self):
        with self._session() as ours:
            self.assertEqual(self._statement(ours).state, "draft")
            with self._committed() as rival:
                self._commit(rival)
            with self.assertRaises(RETRIED):
                self._commit(ours)
        with self._committed() as again:
            self._commit(again)
            self.assertEqual(self._statement(again).state, "committed")
        self.assertPostedOnce()

    @mute_logger("odoo.sql_db")
    def test_r29_rival_is_not_done_yet(self):
        with self._session() as rival:
            self._commit(rival)
            with self._session() as ours, self.assertRaisesRegex(UserError, "Another user"):
                self._commit(ours)
            rival.cr.commit()
        self.assertPostedOnce()

    @mute_logger("odoo.sql_db")
    def test_r29_double_click(self):
        told = self._at_once(self._commit, self._commit)
        self.assertTrue(all("Another user" in text for text in told), told)
        self.assertPostedOnce()

    # -- statements that share an item -----------------------------------------------------------
    @mute_logger("odoo.sql_db")
    def test_r29_rival_committed_another_statement_of_the_item(self):
        with self._session() as ours:
            self.assertEqual(self._statement(ours, self.second_id).state, "draft")
            with self._committed() as rival:
                self._commit(rival)
            with self.assertRaises(RETRIED):
                self._commit(ours, self.second_id)
        with self._committed() as again:  # both may tell it; it was invoiced by the first
            self._commit(again, self.second_id)
            lines = (self._statement(again) | self._statement(again, self.second_id)).line_ids
            self.assertEqual(set(lines.mapped("state")), {"committed"})
            self.assertEqual(lines.charge_id.ids, self.charge_ids[:1])
            moves = self._statement(again, self.second_id).move_ids
            self.assertEqual(moves, self._statement(again).move_ids)
            self.assertEqual(moves.care_statement_id.id, self.first_id)
        self.assertPostedOnce()

    @mute_logger("odoo.sql_db")
    def test_r29_rival_commits_another_statement_right_now(self):
        """Ours stays a draft, and says why; when the rival is done it tells the item, too."""
        with self._session() as rival:
            self._commit(rival)
            with self._session() as ours, self.assertRaisesRegex(UserError, "at work on it"):
                self._commit(ours, self.second_id)
            rival.cr.commit()
        with self._committed() as again:
            self._commit(again, self.second_id)
        self.assertPostedOnce()

    @mute_logger("odoo.sql_db")
    def test_r29_overlapping_statements_at_once(self):
        self._at_once(
            lambda env: self._commit(env, self.first_id),
            lambda env: self._commit(env, self.second_id),
        )
        with self._committed() as env:
            states = {self._statement(env, id_).state for id_ in (self.first_id, self.second_id)}
            self.assertIn("committed", states)
        self.assertPostedOnce()

    # -- express runs ----------------------------------------------------------------------------
    @mute_logger("odoo.sql_db")
    def test_r29_express_after_a_rival_committed_by_hand(self):
        with self._committed() as env:
            run_id = self._express(env)
        with self._session() as ours:
            self.assertEqual(ours["healthcare.billing.run"].browse(run_id).state, "draft")
            with self._committed() as rival:
                self._commit(rival)
            with self.assertRaises(RETRIED):
                self._execute(ours, run_id)
        with self._committed() as again:
            self._execute(again, run_id)
            statements = again["healthcare.billing.run"].browse(run_id).statement_ids
            self.assertEqual(set(statements.mapped("state")), {"committed"})
        self.assertPostedOnce(self.charge_ids)

    @mute_logger("odoo.sql_db")
    def test_r29_by_hand_after_an_express_run(self):
        with self._session() as ours:
            self.assertEqual(self._statement(ours).state, "draft")
            with self._committed() as rival:
                self._execute(rival, self._express(rival))
            with self.assertRaises(RETRIED):
                self._commit(ours)
        with self._committed() as again:
            self._commit(again)
        self.assertPostedOnce(self.charge_ids)

    @mute_logger("odoo.sql_db", "odoo.addons.healthcare_billing.models.billing_engine")
    def test_r29_express_and_by_hand_at_once(self):
        with self._committed() as env:
            run_id = self._express(env)
        self._at_once(self._commit, lambda env: self._execute(env, run_id))
        with self._committed() as env:  # who came second is told, and does it again
            self._statement(env)._commit()
            env["healthcare.billing.run"].browse(run_id).action_retry()
        self.assertPostedOnce(self.charge_ids)
