from datetime import timedelta
from unittest.mock import patch

from psycopg2 import errors

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.healthcare_billing.models import healthcare_billing_run_background as background
from odoo.addons.healthcare_billing.tests.common import CareCommon
from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.job import Job
from odoo.addons.queue_job.tests.common import trap_jobs

CHANNEL = "root.healthcare_billing"


@tagged("post_install", "-at_install")
class TestJobs(CareCommon):
    """Chunks of a run as jobs: the same result as by the scheduled action, and nothing twice."""

    CLIENTS = 5

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.healthcare_background_rows = 0
        cls.clients = [cls._client(f"Client {number}") for number in range(cls.CLIENTS)]
        cls.biller = cls._user("billing_manager")

    def setUp(self):
        super().setUp()
        # chunks of two rows: with five clients three of them
        self.startPatcher(patch.object(background, "CHUNK_SIZE", 2))
        self.cron = self.env.ref("healthcare_billing.ir_cron_billing_run")

    def _run(self, post=False):
        """A preview of the biller's, with a row for each client."""
        charges = self.env["healthcare.charge"]
        for client in self.clients:
            charges += self._charge(client)
        env = self._act_as(self.biller)
        engine = env["healthcare.billing.engine"]
        run = engine.plan(charges.with_env(env), invoice_date=self.today).save()
        run.post = post
        return run

    def _in_order(self, trap):
        """The trapped jobs: those of chunks in the order of the rows, then the last one."""
        return sorted(trap.enqueued_jobs, key=lambda job: (not job.args, job.args))

    def _stored_jobs(self, run):
        domain = [("identity_key", "=like", f"{run._job_key()}-%")]
        return self.env["queue.job"].sudo().search(domain)

    def _states(self, run):
        run.invalidate_recordset()
        return run.line_ids.mapped("state")

    # -- enqueuing ------------------------------------------------------------------------------
    def test_one_job_per_chunk_and_one_to_finish(self):
        run = self._run()
        with trap_jobs() as trap:
            run.action_execute()
            self.assertEqual(run.state, "running")
            rows = run.line_ids.ids
            trap.assert_jobs_count(4)
            trap.assert_jobs_count(3, only=run._job_run_chunk)
            trap.assert_jobs_count(1, only=run._job_finish)
            for chunk in (rows[:2], rows[2:4], rows[4:]):
                key = f"healthcare_billing_run-{run.id}-execute-{chunk[0]}-{chunk[-1]}"
                trap.assert_enqueued_job(
                    run._job_run_chunk, args=(chunk,), properties={"identity_key": key}
                )
        for job in trap.enqueued_jobs:
            self.assertEqual(job.job_config.channel, CHANNEL)
            self.assertEqual(job.recordset.env.uid, self.biller.id)
            self.assertEqual(job.recordset.env.companies, self.company)
        self.assertEqual([len(job.depends_on) for job in self._in_order(trap)], [0, 0, 0, 3])
        self.assertFalse(self.env["ir.cron.trigger"].search([("cron_id", "=", self.cron.id)]))

    def test_starting_twice_adds_nothing(self):
        run = self._run()
        with trap_jobs() as trap:
            run.action_execute()
            run.action_execute()
            run._start_background()
        self.assertEqual(len(trap.enqueued_jobs), 4)

    def test_a_second_start_finds_the_stored_jobs(self):
        run = self._run()
        run.action_execute()
        jobs = self._stored_jobs(run)
        self.assertEqual(sorted(jobs.mapped("state")), ["pending"] * 3 + ["wait_dependencies"])
        self.assertEqual(set(jobs.mapped("channel")), {CHANNEL})
        self.assertEqual(jobs.user_id, self.biller)
        self.assertEqual(jobs.company_id, self.company)
        run._start_background()
        self.assertEqual(self._stored_jobs(run), jobs)

    # -- performing -----------------------------------------------------------------------------
    def _result(self, run):
        run.invalidate_recordset()
        moves = run.line_ids.move_id
        return {
            "state": run.state,
            "rows": run.line_ids.mapped("state"),
            "amounts": run.line_ids.mapped("move_id.amount_total"),
            "customers": moves.mapped("partner_id.name"),
            "moves": moves.mapped("state"),
            "creator": moves.create_uid.login,
        }

    def test_same_result_as_by_the_scheduled_action(self):
        for post in (False, True):
            with self.subTest(post=post):
                run = self._run(post=post)
                with trap_jobs() as trap:
                    run.action_execute()
                    trap.perform_enqueued_jobs()
                by_cron = self._run(post=post)
                with trap_jobs():
                    by_cron.action_execute()
                while by_cron.state == "running":  # what the scheduled action calls
                    for chunk in by_cron._as_its_user()._task_chunks():
                        by_cron._as_its_user()._run_chunk(chunk)
                    by_cron._as_its_user()._finish_task()
                self.assertEqual(self._result(run), self._result(by_cron))
                self.assertEqual(run.state, "done")
                self.assertEqual(self._states(run), ["created"] * self.CLIENTS)

    def test_jobs_performed_twice_book_once(self):
        run = self._run()
        with trap_jobs() as trap:
            run.action_execute()
            jobs = list(trap.enqueued_jobs)
            trap.perform_enqueued_jobs()
        moves = run.move_ids
        for job in jobs:
            job.perform()
        run.invalidate_recordset()
        self.assertEqual(run.move_ids, moves)
        self.assertEqual(len(moves), self.CLIENTS)

    def test_posting_and_undoing_go_one_chunk_after_the_other(self):
        run = self._run()
        with trap_jobs() as trap:
            run.action_execute()
            trap.perform_enqueued_jobs()
            for action, state in ((run.action_post_drafts, "created"), (run.action_undo, "undone")):
                action()
                waits = [len(job.depends_on) for job in trap.enqueued_jobs]
                self.assertEqual(sorted(waits), [0, 1, 1, 1])
                trap.perform_enqueued_jobs()
                run.invalidate_recordset()
                self.assertEqual(run.state, "done")
                self.assertEqual(self._states(run), [state] * self.CLIENTS)
                if state == "created":
                    self.assertEqual(set(run.move_ids.mapped("state")), {"posted"})
        self.assertFalse(any(charge._live_lines() for charge in run.line_ids.charge_ids))

    def test_stop(self):
        run = self._run()
        with trap_jobs() as trap:
            run.action_execute()
            first, *others = self._in_order(trap)
            first.perform()
            run.action_stop()
            for job in others:
                job.perform()
        self.assertEqual(run.state, "done")
        self.assertEqual(self._states(run), ["created"] * 2 + ["skipped"] * 3)
        with trap_jobs() as trap:
            run.action_retry()
            trap.perform_enqueued_jobs()
        self.assertEqual(self._states(run), ["created"] * self.CLIENTS)

    # -- faults ---------------------------------------------------------------------------------
    def test_others_in_the_way_are_waited_for(self):
        run = self._run()
        with trap_jobs() as trap:
            run.action_execute()
            job = self._in_order(trap)[0]
        method = "_execute_chunk"
        engine = self.registry["healthcare.billing.engine"]
        with (
            patch.object(engine, method, side_effect=errors.SerializationFailure("rival")),
            self.assertRaisesRegex(RetryableJobError, "rival"),
        ):
            job.perform()
        self.assertEqual(self._states(run), ["planned"] * self.CLIENTS)
        job.perform()
        self.assertEqual(self._states(run), ["created"] * 2 + ["planned"] * 3)

    def test_a_fault_of_the_server_fails_the_chunk_alone(self):
        run = self._run()
        engine = self.registry["healthcare.billing.engine"]
        original, rows = engine._execute_chunk, run.line_ids[:2]

        def fail(this, lines, post=False):
            if lines & rows:
                raise MemoryError
            return original(this, lines, post=post)

        with (
            trap_jobs() as trap,
            patch.object(engine, "_execute_chunk", fail),
            mute_logger("odoo.addons.healthcare_billing_queue_job.models.healthcare_billing_run"),
        ):
            run.action_execute()
            trap.perform_enqueued_jobs()
        self.assertEqual(run.state, "done")
        self.assertEqual(self._states(run), ["failed"] * 2 + ["created"] * 3)

    def test_the_scheduled_action_takes_up_what_the_queue_gave_up(self):
        run = self._run()
        Run = run.browse()
        run.action_execute()
        jobs = self._stored_jobs(run)
        self.assertNotIn(run, Run._runs_for_cron())
        chunks = jobs.filtered(lambda job: job.state == "pending")
        chunks[1:].state = "done"
        chunks[0].state = "started"
        self.assertNotIn(run, Run._runs_for_cron())
        chunks[0].state = "failed"
        self.assertIn(run, Run._runs_for_cron())
        run._on_job_failed(exc_name="x", exc_message="y", exc_info="z")
        self.assertTrue(self.env["ir.cron.trigger"].search([("cron_id", "=", self.cron.id)]))

    def test_the_scheduled_action_takes_up_what_no_runner_begins(self):
        run = self._run()
        Run = run.browse()
        run.action_execute()
        jobs = self._stored_jobs(run)
        now = fields.Datetime.now()

        def set_dates(column, moment):  # of jobs, only the queue itself may write them
            self.env.flush_all()
            self.env.cr.execute(
                SQL(
                    "UPDATE queue_job SET %s = %s WHERE id = ANY(%s)",
                    SQL.identifier(column), moment, jobs.ids,
                )
            )  # fmt: skip
            self.env.invalidate_all()

        set_dates("date_created", now - timedelta(minutes=16))
        self.assertIn(run, Run._runs_for_cron())
        set_dates("date_done", now)
        self.assertNotIn(run, Run._runs_for_cron())
        set_dates("date_done", now - timedelta(minutes=16))
        run._as_its_user()._run_chunk(run.line_ids.ids)
        run._finish_task()
        self.assertEqual(run.state, "done")
        for job in jobs:  # the runner comes up at last
            Job.load(job.env, job.uuid).perform()
        self.assertEqual(self._states(run), ["created"] * self.CLIENTS)
        self.assertEqual(len(run.move_ids), self.CLIENTS)

    def test_invoices_posted_at_once_get_their_numbers_in_order(self):
        run = self._run(post=True)
        with trap_jobs() as trap:
            run.action_execute()
            self.assertEqual(
                sorted(len(job.depends_on) for job in trap.enqueued_jobs), [0, 1, 1, 1]
            )
            trap.perform_enqueued_jobs()
        run.invalidate_recordset()
        numbers = run.line_ids.mapped("move_id.sequence_number")
        self.assertEqual(numbers, sorted(numbers))

    def test_a_run_with_jobs_cannot_be_changed(self):
        run = self._run()
        with trap_jobs():
            run.action_execute()
        with self.assertRaises(UserError):
            run.action_undo()
