from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class HealthcareBillingRun(models.Model):
    """Runs that make no invoices: their rows are existing ones, to be posted and marked as sent.

    Closing a billing cycle, and marking many invoices as sent, have by this what every run has: a
    background with progress, a result per row, and servers that may stop at any moment.
    """

    _inherit = "healthcare.billing.run"

    marks_sent = fields.Boolean(
        string="Marks as Sent",
        readonly=True,
        copy=False,
        help="Posts invoices that exist already, and marks them as sent.",
    )

    # -- the task --------------------------------------------------------------------------------
    def _task_domain(self, task):
        """What is posted, but not marked as sent yet, has still to be done, too."""
        if task != "post" or not self.marks_sent:
            return super()._task_domain(task)
        domain = Domain("run_id", "=", self.id)
        if self.cycle_mode == "closing":  # what was left to another cycle isn't this one's any more
            domain &= Domain("move_id.billing_cycle_id", "=", self.billing_cycle_id.id)
        return domain & Domain(
            [
                ("state", "=", "created"),
                "|",
                ("move_id.state", "=", "draft"),
                "&",
                ("move_id.state", "=", "posted"),
                ("move_id.is_move_sent", "=", False),
            ]
        )

    def action_post_drafts(self):
        """What couldn't be posted or marked is tried again."""
        self.ensure_one()
        if not self.marks_sent:
            return super().action_post_drafts()
        self._begin()
        return self._start_task("post")

    def action_retry(self):
        self.ensure_one()
        if self.marks_sent:
            return self.action_post_drafts()
        return super().action_retry()

    def action_undo(self):
        """Others made these invoices: what this run did isn't theirs to be undone."""
        self.ensure_one()
        if self.marks_sent:
            raise UserError(
                self.env._(
                    "%s posted invoices that other runs made: void these invoices instead.",
                    self.name,
                )
            )
        return super().action_undo()

    def action_process_moves(self):
        """Open the run's invoices to print, e-mail or post them."""
        if any(run.marks_sent for run in self):
            return self.env["account.move"]._process_action(
                [("id", "in", self.line_ids.move_id.ids)]
            )
        return super().action_process_moves()

    # -- the end ---------------------------------------------------------------------------------
    def _finish(self):
        """The run that closes a cycle closes it, when no draft is left."""
        result = super()._finish()
        # sudo: state follows from what is there, whoever did the last of it
        self.filtered(
            lambda run: run.cycle_mode == "closing"
        ).billing_cycle_id.sudo()._close_if_done()
        return result

    def _result_message(self):
        """Counted by rows: these invoices belong to other runs."""
        if self.task != "post" or not self.marks_sent:
            return super()._result_message()
        self.env.flush_all()
        self.invalidate_recordset()
        lines = self.env["healthcare.billing.run.line"]
        done = lines.search_count(
            [
                ("run_id", "=", self.id),
                ("move_id.state", "=", "posted"),
                ("move_id.is_move_sent", "=", True),
            ]
        )
        left = lines.search_count(self._task_domain("post"))
        return self.env._(
            "%(done)s invoices are posted and marked as sent, %(left)s are left.",
            done=done,
            left=left,
        )


class HealthcareBillingEngine(models.AbstractModel):
    _inherit = "healthcare.billing.engine"

    @api.model
    def _post_chunk(self, lines):
        """What is posted already is only marked; no date is moved to post a draft."""
        if not lines.run_id.marks_sent:
            return super()._post_chunk(lines)
        drafts = lines.filtered(lambda line: line.move_id.state == "draft")
        self._isolate_faults(lines - drafts, self._post_rows)
        for line in drafts:
            refusal = line.move_id._refusal_of_future_date()
            if refusal:
                line._set_result({"message": refusal})
                drafts -= line
        return super()._post_chunk(drafts) if drafts else None

    @api.model
    def _post_rows(self, lines):
        if not lines.run_id.marks_sent:
            return super()._post_rows(lines)
        drafts = lines.filtered(lambda line: line.move_id.state == "draft")
        if drafts:
            # the run itself sees whether its cycle is done, once for all
            super()._post_rows(drafts.with_context(healthcare_closing_run=True))
        return lines.move_id._set_sent()
