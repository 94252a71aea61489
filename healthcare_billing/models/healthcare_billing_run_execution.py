import logging

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

_logger = logging.getLogger(__name__)


class HealthcareBillingRun(models.Model):
    """What is done with a run: execute, retry, post, undo, cancel."""

    _inherit = "healthcare.billing.run"

    # -- the run as a whole ----------------------------------------------------------------------
    def _begin(self):
        """Take the run, once: the lock is what stops a double click and a second user."""
        self.ensure_one()
        self.check_access("write")
        if not self.try_lock_for_update():
            raise UserError(
                self.env._("%s is being executed by another user. Wait for its result.", self.name)
            )
        self._check_not_running()
        if self.state == "canceled":
            raise UserError(self.env._("%s was canceled. Search again.", self.name))
        hidden = self.sudo().line_ids.company_id - self.env.companies  # sudo: only to name them
        if hidden:
            raise UserError(
                self.env._(
                    "%(run)s also bills care of %(companies)s. Tick these companies in the company "
                    "menu first.",
                    run=self.name,
                    companies=", ".join(hidden.mapped("name")),
                )
            )

    def _start_task(self, task, lines=None):
        """Do a task now, or leave it to the background when the run is large.

        :param str task: post or undo; execute with what the engine's ``execute`` does
        :param lines: only these rows; of post and undo, the others then keep their messages
        :return: client action that tells the result, or that it is under way
        """
        self.ensure_one()
        domain = self._task_domain(task)
        if lines is not None:
            # what has no message is pending: it would be done along with the chosen rows
            domain &= Domain("id", "in", lines.ids) | Domain("message", "=", False)
        lines = self.env["healthcare.billing.run.line"].search(domain)
        if task != "execute":
            lines._set_result({"message": False})  # from here on a message is a new one
        if self._goes_to_background(len(lines)):
            self._enter_background(task, len(lines))
            return self._background_notification()
        if task == "execute":
            self._engine().execute(self, post=self.post)
        else:
            self._set_task(task)
            for line_ids in self._task_chunks():
                self._do_task(lines.browse(line_ids))
            self._finish()
        return self._result_notification()

    def _set_task(self, task):
        """Say what is done with the run now, and by whom."""
        vals = {"task": task, "task_user_id": self.env.uid}
        if task == "execute":
            vals["user_id"] = self.env.uid
        self.sudo().write(vals)  # sudo: see write

    def _finish(self):
        """Close the run: what wasn't selected stays to bill, in no run."""
        vals = {"state": "done"}
        if self.task == "execute":
            vals["executed_on"] = fields.Datetime.now()
        self.sudo().write(vals)  # sudo: see write
        self._try_to_tell(lambda: self.message_post(body=self._result_message()))

    def _try_to_tell(self, tell):
        """What is booked is booked, whether or not a message can be made of it."""
        try:
            with self.env.cr.savepoint():
                tell()
                self.env.flush_all()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception:
            _logger.exception("billing run %s: nobody could be told", self.id)

    def _result_message(self):
        """What became of the last task, for a notification and for the chatter."""
        self.ensure_one()
        self.env.flush_all()
        self.invalidate_recordset()
        if self.task in ("post", "undo"):
            Line = self.env["healthcare.billing.run.line"]
            problems = Line.search_count(self._task_domain(self.task))
            if self.task == "post":
                moves = self.env["account.move"]
                done = moves.search_count(
                    [("billing_run_id", "=", self.id), ("state", "=", "posted")]
                )
                text = self.env._(
                    "%(done)s invoices are posted, %(left)s stay drafts.", done=done, left=problems
                )
            else:
                done = Line.search_count([("run_id", "=", self.id), ("state", "=", "undone")])
                text = self.env._(
                    "%(done)s invoices are taken back, %(left)s stay.", done=done, left=problems
                )
            return text
        return self.env._(
            "%(created)s invoices created (%(amount)s), %(skipped)s rows skipped, "
            "%(failed)s failed.",
            created=self.created_count,
            amount=self.currency_id.format(self.amount_created),
            skipped=self.skipped_count,
            failed=self.failed_count,
        )

    def _has_problems(self):
        """Whether rows of the last task wait for somebody to look at them."""
        self.ensure_one()
        if self.task in ("post", "undo"):
            domain = self._task_domain(self.task)
            return bool(self.env["healthcare.billing.run.line"].search_count(domain, limit=1))
        return bool(self.skipped_count + self.failed_count)

    def _result_notification(self):
        """Tell the result, and show the run again."""
        problems = self._has_problems()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.name,
                "message": self._result_message(),
                "type": "warning" if problems else "success",
                "sticky": problems,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    # -- execute, retry --------------------------------------------------------------------------
    def action_execute(self):
        """Create the selected invoices. A second click finds nothing left to do."""
        self.ensure_one()
        if self.state == "running":
            return self._background_notification()
        if self.state != "draft":
            return self._result_notification()
        self._begin()
        if not self.selected_count:
            raise UserError(self.env._("Select at least one row to invoice."))
        return self._start_task("execute")

    def action_retry(self):
        """Try the rows again that failed or were skipped; what was created isn't touched."""
        self.ensure_one()
        self._begin()
        lines = self.line_ids.filtered(lambda line: line.state in ("failed", "skipped"))
        if not lines:
            raise UserError(self.env._("There is nothing to retry: no row failed or was skipped."))
        lines._plan_again()
        return self._start_task("execute")

    # -- undo ------------------------------------------------------------------------------------
    def action_undo(self):
        """Take back the run's invoices (see ``_take_back``); their charges are free again."""
        self.ensure_one()
        self._begin()
        moves = self.line_ids.filtered(lambda line: line.state == "created").move_id
        if not moves:
            raise UserError(self.env._("There is nothing to undo: this run has no invoices."))
        self._check_may_undo(moves)
        obstacles = self._undo_obstacles(moves)
        if len(obstacles) == len(moves):  # else the others are taken back, and these say why not
            raise UserError(
                "\n".join(
                    f"{move._care_reference()}: {text}"
                    for move, text in list(obstacles.items())[:10]
                )
            )
        return self._start_task("undo")

    def _check_may_undo(self, moves):
        """Posted invoices are taken back by managers only."""
        posted = moves.filtered(lambda move: move.state == "posted")
        manager = self.env.user.has_group("healthcare_billing.group_billing_manager")
        if posted and not manager:
            raise UserError(
                self.env._(
                    "Only a billing manager can undo posted invoices: %s",
                    ", ".join(move._care_reference() for move in posted[:10]),
                )
            )

    def _undo_obstacles(self, moves):
        """What people have to take back themselves first.

        :param moves: ``account.move`` recordset
        :return: ``{move: text}``
        """
        posted = moves.filtered(lambda move: move.state == "posted")
        paid = posted.filtered(
            lambda move: (
                move.payment_state in ("partial", "paid", "in_payment")
                and not move.currency_id.is_zero(move.amount_total)
            )
        )
        noted = (posted - paid).filtered("reversal_move_ids") - self._credited_moves(posted)
        return {
            **dict.fromkeys(
                paid,
                self.env._(
                    "Money is reconciled with this invoice. Unreconcile it first, or credit it."
                ),
            ),
            **dict.fromkeys(
                noted,
                self.env._(
                    "It has credit notes that are drafts or don't cover it. Delete, or post and "
                    "complete these first."
                ),
            ),
        }

    def _credited_moves(self, moves):
        """Those that posted credit notes have taken back already."""
        return moves.filtered(
            lambda move: (
                set(move.reversal_move_ids.mapped("state")) == {"posted"}
                # sudo: whoever may undo need not be allowed to read charges
                and not any(move.sudo().line_ids.mapped("charge_live"))
            )
        )

    def action_cancel(self):
        """Drop a preview."""
        for run in self:
            run._begin()
            if run.state != "draft":
                raise UserError(
                    self.env._("%s has made invoices: undo it instead of canceling.", run.name)
                )
            run.sudo().state = "canceled"  # sudo: see write

    def action_post_drafts(self):
        """Post the run's drafts; what can't be posted stays a draft, and its row says why."""
        self.ensure_one()
        self._begin()
        if not self._draft_moves():
            raise UserError(self.env._("There is nothing to post: this run has no drafts."))
        return self._start_task("post")
