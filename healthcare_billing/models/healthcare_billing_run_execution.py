from markupsafe import Markup

from odoo import fields, models
from odoo.exceptions import UserError


class HealthcareBillingRun(models.Model):
    """What is done with a run: execute, retry, post, undo, cancel."""

    _inherit = "healthcare.billing.run"

    # -- execution -------------------------------------------------------------------------------
    def _begin(self):
        """Take the run, once: the lock is what stops a double click and a second user."""
        self.ensure_one()
        self.check_access("write")
        if not self.try_lock_for_update():
            raise UserError(
                self.env._("%s is being executed by another user. Wait for its result.", self.name)
            )
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

    def _finish(self):
        """Close the run: what wasn't selected stays to bill, in no run."""
        # sudo: see write
        self.sudo().write({"state": "done", "executed_on": fields.Datetime.now()})
        self.message_post(body=self._result_message())

    def _result_message(self):
        self.ensure_one()
        self.env.flush_all()
        return Markup("%s") % self.env._(
            "%(created)s invoices created (%(amount)s), %(skipped)s rows skipped, "
            "%(failed)s failed.",
            created=self.created_count,
            amount=self.currency_id.format(self.amount_created),
            skipped=self.skipped_count,
            failed=self.failed_count,
        )

    def action_execute(self):
        """Create the selected invoices. A second click finds nothing left to do."""
        self.ensure_one()
        if self.state != "draft":
            return self._result_notification()
        if not self.line_ids.filtered(lambda line: line.selected and line.state == "planned"):
            raise UserError(self.env._("Select at least one row to invoice."))
        self._engine().execute(self, post=self.post)
        return self._result_notification()

    def _result_notification(self):
        """Tell the result, and show the run again."""
        problems = self.skipped_count + self.failed_count
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.name,
                "message": self._result_message(),
                "type": "warning" if problems else "success",
                "sticky": bool(problems),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_retry(self):
        """Try the rows again that failed or were skipped; what was created isn't touched."""
        self.ensure_one()
        lines = self.line_ids.filtered(lambda line: line.state in ("failed", "skipped"))
        if not lines:
            raise UserError(self.env._("There is nothing to retry: no row failed or was skipped."))
        lines._plan_again()
        self._engine().execute(self, post=self.post)
        return self._result_notification()

    def action_undo(self):
        """Take back the run's invoices (see ``_take_back``); their charges are free again."""
        self.ensure_one()
        self._begin()
        lines = self.line_ids.filtered(lambda line: line.state == "created")
        moves = lines.move_id
        if not moves:
            raise UserError(self.env._("There is nothing to undo: this run has no invoices."))
        credited = self._check_undo(moves)
        for line in lines:
            notes = line.move_id.reversal_move_ids if line.move_id in credited else ()
            names = ", ".join(move._care_reference() for move in notes)
            line._set_result(
                {"state": "undone", "message": names and self.env._("Credited by %s", names)}
            )
        reversals = (moves - credited)._take_back()
        if reversals:
            self.message_post(
                body=self.env._(
                    "Reversed by %s.", ", ".join(move._care_reference() for move in reversals)
                )
            )
        return self._result_notification()

    def _check_undo(self, moves):
        """Refuse what only people can take back.

        :return: the moves that credit notes have taken back already
        """
        posted = moves.filtered(lambda move: move.state == "posted")
        manager = self.env.user.has_group("healthcare_billing.group_billing_manager")
        if posted and not manager:
            raise UserError(
                self.env._(
                    "Only a billing manager can undo posted invoices: %s",
                    ", ".join(move._care_reference() for move in posted[:10]),
                )
            )
        paid = posted.filtered(
            lambda move: (
                move.payment_state in ("partial", "paid", "in_payment")
                and not move.currency_id.is_zero(move.amount_total)
            )
        )
        if paid:
            raise UserError(
                self.env._(
                    "Money is reconciled with these invoices: %s. Unreconcile it first, or credit "
                    "them one by one.",
                    ", ".join(move._care_reference() for move in paid[:10]),
                )
            )

        noted = posted.filtered("reversal_move_ids")
        credited = noted.filtered(
            lambda move: (
                set(move.reversal_move_ids.mapped("state")) == {"posted"}
                and not any(move.sudo().line_ids.mapped("charge_live"))
            )
        )
        if noted - credited:
            raise UserError(
                self.env._(
                    "These invoices have credit notes that are drafts or don't cover them: %s. "
                    "Delete, or post and complete these first.",
                    ", ".join(move._care_reference() for move in (noted - credited)[:10]),
                )
            )
        return credited

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
        """Post the run's drafts, the native way."""
        self.ensure_one()
        drafts = self._draft_moves()
        if not drafts:
            raise UserError(self.env._("There is nothing to post: this run has no drafts."))
        locked = drafts.filtered(
            lambda move: move._get_violated_lock_dates(move.date, move._affect_tax_report())
        )
        if locked:
            raise UserError(
                self.env._(
                    "The books are locked on the date of these invoices: %s. Change their date, or "
                    "delete the drafts and bill again.",
                    ", ".join(move._care_reference() for move in locked[:10]),
                )
            )
        return drafts.action_post()
