import logging
import random
import time

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import split_every

from .billing_engine_execution import CHUNK_SIZE

_logger = logging.getLogger(__name__)

# How often a chunk is tried again because others worked on the same records.
MAX_TRIES = 5


class HealthcareBillingRun(models.Model):
    """The background: a task of a large run is done in chunks, each committed.

    A chunk's invoices and the results of its rows are one transaction. Whenever the server stops,
    a row either has its invoice and its result, or neither, and is taken up again.
    """

    _inherit = "healthcare.billing.run"

    progress = fields.Float(
        compute="_compute_progress", help="Share of the rows that have their result, in %."
    )

    @api.depends("line_ids.state", "line_ids.message", "state", "task")
    def _compute_progress(self):
        for run in self:
            if run.state == "running":
                left = run._count_pending()
                total = max(run.task_total, left)
                run.progress = 100.0 * (total - left) / total if total else 100.0
            else:
                run.progress = 100.0 if run.state == "done" else 0.0

    # -- which rows ------------------------------------------------------------------------------
    def _task_domain(self, task):
        """Domain of the run's rows that a task is for, done or not tried yet."""
        self.ensure_one()
        domains = {
            "execute": [("state", "=", "planned"), ("selected", "=", True)],
            "post": [("state", "=", "created"), ("move_id.state", "=", "draft")],
            "undo": [("state", "=", "created"), ("move_id", "!=", False)],
        }
        return Domain("run_id", "=", self.id) & Domain(domains[task])

    def _pending_domain(self):
        """Domain of the rows that the current task has still to do.

        A created row stays created when it can't be posted or undone: then it has a message.
        """
        domain = self._task_domain(self.task)
        return domain if self.task == "execute" else domain & Domain("message", "=", False)

    def _pending_lines(self):
        """Rows that the current task has still to do, in the order in which it does them."""
        lines = self.env["healthcare.billing.run.line"].search(
            self._pending_domain(), order="company_id, sequence, id"
        )
        if self.task != "undo":
            return lines
        # The latest numbers first: only the end of a number series can be deleted.
        return lines.sorted(
            lambda line: (
                line.move_id.journal_id.id,
                line.move_id.sequence_prefix or "",
                line.move_id.sequence_number,
            ),
            reverse=True,
        )

    def _count_pending(self):
        return self.env["healthcare.billing.run.line"].search_count(self._pending_domain())

    # -- giving work to the background -----------------------------------------------------------
    def _goes_to_background(self, row_count=None):
        """Whether so many rows are too many for a request.

        :param int row_count: default: the selected rows of a preview
        """
        self.ensure_one()
        if row_count is None:
            row_count = self.selected_count
        # sudo: a setting, and a scheduled action that a biller may not read; where it is switched
        # off nobody would do the work
        cron = self.env.ref("healthcare_billing.ir_cron_billing_run").sudo()
        return cron.active and row_count > self.company_id.sudo().healthcare_background_rows

    def _enter_background(self, task, row_count):
        """Leave a task to the background, and show that it is under way."""
        self.ensure_one()
        self._set_task(task)
        # sudo: see write
        self.sudo().write({"state": "running", "task_total": row_count, "stop_requested": False})
        self._start_background()

    def _start_background(self):
        """Have the work begin as soon as this transaction is committed.

        Overriders may hand the chunks to something else than the scheduled action.
        """
        # sudo: a biller may not read scheduled actions, only have this one run
        self.env.ref("healthcare_billing.ir_cron_billing_run").sudo()._trigger()

    def action_stop(self):
        """Stop the background after the rows that are in the making; the others can be retried."""
        self.ensure_one()
        self.check_access("write")
        if self.state != "running":
            return self._result_notification()
        self.sudo().stop_requested = True  # sudo: see write
        pending = self._pending_lines()
        if len(pending.try_lock_for_update(allow_referencing=True)) == len(pending):
            # nobody is at work on it now, and nobody can begin before this is committed
            self._finish_task()
            return self._result_notification()
        return self._background_notification(
            self.env._("It stops after the rows that are in the making.")
        )

    # -- working in the background ---------------------------------------------------------------
    @api.model
    def _cron_work_on_runs(self):
        """Scheduled action: work on what was left to the background, until time is up."""
        for run in self._runs_for_cron():
            try:
                if not run._as_its_user()._work_on_task():
                    return
            except Exception as error:  # the other runs must go on
                _logger.exception("billing run %s was given up", run.id)
                self.env.cr.rollback()
                run._give_up(error)

    @api.model
    def _runs_for_cron(self):
        """Runs that the scheduled action works on, the oldest first."""
        return self.search([("state", "=", "running")], order="id")

    def _as_its_user(self):
        """The run with the rights, language and companies of the user who started its task."""
        self.ensure_one()
        user = self.task_user_id
        companies = self.company_id | self.line_ids.company_id
        return self.with_user(user).with_context(
            allowed_company_ids=companies.ids, lang=user.lang, tz=user.tz
        )

    def _task_chunks(self):
        """Split what is left of the task into chunks of one company each.

        :return: list of lists of row ids
        """
        self.ensure_one()
        chunks = []
        for lines in self._pending_lines().grouped("company_id").values():
            chunks += [list(ids) for ids in split_every(CHUNK_SIZE, lines.ids)]
        return chunks

    def _work_on_task(self):
        """Do the task chunk by chunk, and close it.

        :return: whether it is done; else time is up, and the scheduled action runs again soon
        """
        self.ensure_one()
        if not self.env.su and not self.env.user.active:
            raise UserError(
                self.env._(
                    "%s is archived, and can't go on. Retry as yourself.", self.env.user.name
                )
            )
        chunks = self._task_chunks()
        left = sum(map(len, chunks))
        self.env["ir.cron"]._commit_progress(remaining=left)
        for line_ids in chunks:
            # nothing is read before: the locks are the first statement of each transaction
            self._try_in_background(self._run_chunk, line_ids)
            left -= len(line_ids)
            # a step more: the task has to be closed, too
            seconds = self.env["ir.cron"]._commit_progress(len(line_ids), remaining=left + 1)
            if not seconds:
                return False
        self._try_in_background(self._finish_task)
        self.env["ir.cron"]._commit_progress(remaining=0)
        return True

    def _try_in_background(self, method, line_ids=None):
        """Call a method; when others worked on the same records, again on a new snapshot.

        The scheduled action commits before and after: nothing but this call is rolled back.
        """
        arguments = () if line_ids is None else (line_ids,)
        for trial in range(MAX_TRIES):
            try:
                method(*arguments)
                self.env.flush_all()
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                self.env.cr.rollback()
                time.sleep(random.uniform(0.0, 0.1 * 2**trial))  # not for secrets
            except Exception:  # the other chunks must go on
                _logger.exception("billing run %s: rows %s failed", self.id, line_ids)
                self.env.cr.rollback()
                break
            else:
                return
        if line_ids:
            self._fail_chunk(line_ids)

    def _fail_chunk(self, line_ids):
        """Say that rows couldn't be done; they can be retried."""
        lines = self.env["healthcare.billing.run.line"].browse(line_ids)
        self._set_failed(
            lines.filtered_domain(self._pending_domain()),
            self.env._("The server couldn't do this row now. Nothing was booked: retry."),
        )

    def _run_chunk(self, line_ids):
        """Do the current task for some rows of one company, in this transaction.

        The locks come first: in a fresh transaction the snapshot is then never older than they.
        Rows that are done, or held by another worker, are left alone, and so is everything when
        the run was stopped.

        :param list line_ids: ids of rows of this run
        :raise PG_CONCURRENCY_EXCEPTIONS_TO_RETRY: others worked on the same records; try again in
            a new transaction
        """
        self.ensure_one()
        lines = self.env["healthcare.billing.run.line"].browse(line_ids)
        lines = lines.try_lock_for_update(allow_referencing=True)
        if self.state != "running" or self.stop_requested:
            return
        lines = lines.filtered_domain(self._pending_domain())
        if lines:
            self._do_task(lines)

    def _do_task(self, lines):
        """Do the current task for these rows, with a result for each."""
        engine = self._engine().with_company(lines.company_id)
        if self.task == "execute":
            engine._execute_chunk(lines, post=self.post)
        elif self.task == "post":
            engine._post_chunk(lines)
        else:
            engine._undo_chunk(lines)

    def _set_failed(self, lines, message):
        """Keep with rows why the current task couldn't be done for them."""
        values = {"message": message}
        if self.task == "execute":
            values["state"] = "failed"
        lines._set_result(values)

    def _finish_task(self):
        """Close the run if nothing of its task is left, or it was stopped. Doing so twice is safe.

        :return: whether the run is closed
        """
        self.ensure_one()
        if self.state != "running":
            return True
        pending = self._pending_lines()
        if pending and not self.stop_requested:
            return False
        if pending and self.task == "execute":
            pending._set_result(
                {"state": "skipped", "message": self.env._("Stopped before it was billed. Retry.")}
            )
        self._finish()
        self._try_to_tell(self._notify_finished)
        return True

    def _give_up(self, error):
        """Close a run that can't be worked on, such as when its user lost his rights.

        :param Exception error: what stopped it
        """
        try:
            self._set_failed(self._pending_lines(), str(error))
            self._finish()
            self._try_to_tell(self._notify_finished)
            self.env["ir.cron"]._commit_progress(remaining=0)
        except Exception:  # deleted meanwhile, say: the other runs must go on
            _logger.exception("billing run %s couldn't be closed", self.id)
            self.env.cr.rollback()

    # -- telling ---------------------------------------------------------------------------------
    def _notify_finished(self):
        """Tell the user, wherever he is now: a message that stays, and one on the screen."""
        title = self.env._("%s is done", self.name)
        message = self._result_message()
        self.message_notify(
            partner_ids=self.task_user_id.partner_id.ids,
            author_id=self.env.ref("base.partner_root").id,  # nobody is notified of his own words
            subject=title,
            body=message,
        )
        self.task_user_id._bus_send(
            "simple_notification",
            {
                "title": title,
                "message": message,
                "type": "warning" if self._has_problems() else "success",
                "sticky": True,
            },
        )

    def _background_notification(self, message=None):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.name,
                "message": message
                or self.env._(
                    "%s rows are worked on in the background. You can go on with other things: a "
                    "message tells you when it is done.",
                    self.task_total,
                ),
                "type": "info",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _check_not_running(self):
        if self.state == "running":
            raise UserError(
                self.env._(
                    "%s is worked on in the background. Wait for its result, or stop it.", self.name
                )
            )
