import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools.sql import escape_psql

from odoo.addons.queue_job.delay import chain, group
from odoo.addons.queue_job.exception import RetryableJobError

_logger = logging.getLogger(__name__)

# After so long without a job that began or ended, nobody works on a run's jobs.
STALLED_AFTER = timedelta(minutes=15)
# A job that waits for another one goes on when that one is done: it isn't counted.
ACTIVE_STATES = ("pending", "enqueued", "started")


class HealthcareBillingRun(models.Model):
    """The background is the job queue: each chunk is a job, and a last one closes the run.

    The scheduled action stays as a safety net: it takes up runs that have no job left, because
    jobs failed or were canceled.
    """

    _inherit = "healthcare.billing.run"

    # -- giving work to the queue ----------------------------------------------------------------
    def _start_background(self):
        """Make the jobs of the current task; they start when this transaction is committed."""
        # as the user who started it, in the companies of the rows: jobs keep both
        run = self._as_its_user()
        finish = (
            run._delayable("finish")
            .set(description=run.env._("%s: finish", run.name))
            ._job_finish()
        )
        chunks = run._task_chunks()
        jobs = [run._chunk_job(number, chunks) for number in range(len(chunks))]
        if not jobs:
            finish.delay()
        elif run._works_in_order():
            chain(*jobs, finish).delay()
        else:
            group(*jobs).on_done(finish).delay()

    def _works_in_order(self):
        """Whether one chunk has to wait for the other.

        Numbers of posted invoices are taken back from the last one on, and given one after the
        other: workers of the same journal would only wait for each other, and hold locks meanwhile.
        """
        return self.post or self.task in ("post", "undo")

    def _chunk_job(self, number, chunks):
        """The job of one chunk, not yet in the queue."""
        line_ids = chunks[number]
        description = self.env._(
            "%(run)s: part %(number)s of %(count)s",
            run=self.name,
            number=number + 1,
            count=len(chunks),
        )
        delayable = self._delayable(f"{line_ids[0]}-{line_ids[-1]}")
        return delayable.set(description=description)._job_run_chunk(line_ids)

    def _delayable(self, part):
        """A job to be, which the queue accepts only once while it waits.

        :param str part: which part of the current task
        """
        return self.delayable(identity_key=f"{self._job_key()}-{self.task}-{part}")

    def _job_key(self):
        """What the identity keys of all jobs of the run begin with."""
        self.ensure_one()
        return f"healthcare_billing_run-{self.id}"

    # -- jobs ------------------------------------------------------------------------------------
    def _job_run_chunk(self, line_ids):
        """Do a chunk; a fault of the server fails its rows, and the other chunks go on.

        :raise RetryableJobError: others worked on the same records
        """
        try:
            with self.env.cr.savepoint():
                self._run_chunk(line_ids)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY as error:
            raise RetryableJobError(str(error).strip()) from error
        except Exception:  # the other chunks must go on
            _logger.exception("billing run %s: rows %s failed", self.id, line_ids)
            self._fail_chunk(line_ids)

    def _job_finish(self):
        """Close the run; what is left, if anything, is the scheduled action's."""
        try:
            if not self._finish_task():
                self._wake_scheduled_action()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY as error:
            raise RetryableJobError(str(error).strip()) from error

    def _on_job_failed(self, **_values):
        """A job that is given up keeps those that wait for it from starting."""
        self._wake_scheduled_action()

    # -- safety net ------------------------------------------------------------------------------
    def _wake_scheduled_action(self):
        # sudo: a biller may not read scheduled actions, only have this one run
        self.env.ref("healthcare_billing.ir_cron_billing_run").sudo()._trigger()

    @api.model
    def _runs_for_cron(self):
        """Leave alone what the queue is working on."""
        return super()._runs_for_cron().filtered(lambda run: not run._has_active_jobs())

    def _has_active_jobs(self):
        """Whether the queue still works on the run.

        Where no job runner is started, jobs are made and never begin: after a while of that the
        scheduled action takes the run. If a runner comes up then, its jobs find the rows done.
        """
        jobs = self.env["queue.job"].sudo()  # sudo: billers see runs, not the queue
        own = Domain("identity_key", "=like", f"{escape_psql(self._job_key())}-%")
        since = fields.Datetime.now() - STALLED_AFTER
        recent = (
            Domain("date_created", ">", since)
            | Domain("date_started", ">", since)
            | Domain("date_done", ">", since)
        )
        return bool(
            jobs.search_count(own & Domain("state", "in", ACTIVE_STATES), limit=1)
            and jobs.search_count(own & recent, limit=1)
        )
