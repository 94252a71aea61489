from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .healthcare_statement_items import LISTING


class HealthcareStatement(models.Model):
    """Commit and recommit (R18): what a statement tells is priced, invoiced and awaits payment.

    Works on many statements at once. What can't be committed is taken off, with the reason
    (``healthcare.statement.exclusion``), and stops nothing else.
    """

    _inherit = "healthcare.statement"

    exclusion_ids = fields.One2many(
        "healthcare.statement.exclusion", "statement_id", string="Left out"
    )
    exclusion_count = fields.Integer(compute="_compute_exclusion_count")
    needs_recommit = fields.Boolean(
        compute="_compute_needs_recommit",
        search="_search_needs_recommit",
        help="Items of it fell back to the billing office, or lost their price.",
    )

    move_count = fields.Integer(compute="_compute_move_count", string="Number of Invoices")

    @api.depends("move_ids")
    def _compute_move_count(self):
        for statement in self:
            statement.move_count = len(statement.move_ids)

    def action_view_moves(self):
        """Open the posted invoices behind the items."""
        return self.env["account.move"]._care_invoices_action(self.move_ids)

    @api.depends("exclusion_ids")
    def _compute_exclusion_count(self):
        for statement in self:
            statement.exclusion_count = len(statement.exclusion_ids)

    @api.depends("state", "line_ids.stage", "line_ids.waits_for_qa", "line_ids.outcome")
    def _compute_needs_recommit(self):
        for statement in self:
            statement.needs_recommit = bool(statement.line_ids._fallen_back())

    def _search_needs_recommit(self, operator, value):
        if operator != "in":
            return NotImplemented
        fallen = self.line_ids._fallen_back_sql()
        return Domain("id", "in" if True in value else "not in", fallen)

    # -- commit ----------------------------------------------------------------------------------
    def action_commit(self):
        """Commit drafts, and tell what was left out.

        :return: client action with the result
        """
        drafts = self.filtered(lambda statement: statement.state == "draft")
        drafts._commit()
        return drafts._commit_notification()

    def _commit(self):
        """Commit drafts, once: what is committed or closed already is passed over.

        :return: what was left out, ``healthcare.statement.exclusion`` records
        :raise UserError: somebody else is at work on one, or there is nothing to commit
        """
        drafts = self.filtered(lambda statement: statement.state == "draft")
        empty = drafts._commit_drafts()
        if empty:
            raise UserError("\n".join(statement._reasons_text() for statement in empty))
        return drafts.exclusion_ids

    def _commit_drafts(self, run=None):
        """See ``_commit``; drafts of which nothing can be committed stay drafts.

        :param run: ``healthcare.billing.run`` record of an express run, if any
        :return: those that stay drafts
        """
        self.check_access("write")
        self._in_turn()
        self.exclusion_ids.unlink()
        for (company, day), alike in self.grouped(lambda s: (s.company_id, s.date)).items():
            alike.with_company(company).line_ids._commit_items(day, run)
        empty = self.filtered(
            lambda statement: (
                not (statement.line_ids or (statement.settles_ledger and statement.ledger_amount))
            )
        )
        (self - empty)._record(
            {
                "state": "committed",
                "committed_on": fields.Date.context_today(self),
                "committed_by_id": self.env.uid,
            }
        )
        return empty

    def _reasons_text(self):
        """Why nothing of this statement can be committed."""
        self.ensure_one()
        reasons = "\n".join(
            f"{left.charge_id.display_name}: {left.message}" for left in self.exclusion_ids[:20]
        )
        if not reasons:
            return self.env._("%s has no items: add some, then commit it.", self.name)
        return self.env._(
            "Nothing of %(statement)s can be committed now:\n%(reasons)s",
            statement=self.name,
            reasons=reasons,
        )

    def _commit_notification(self):
        left = self.exclusion_ids
        message = self.env._("%s statements committed.", len(self))
        if len(self) == 1:
            message = self.env._("%(items)s items await payment.", items=self.line_count)
        if left:
            message = self.env._(
                "%(message)s %(count)s items were left out: see “Left Out”.",
                message=message,
                count=len(left),
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": ", ".join(self[:3].mapped("name")),
                "message": message,
                "type": "warning" if left else "success",
                "next": {"type": "ir.actions.act_window_close"},  # the view reads again
            },
        }

    # -- recommit --------------------------------------------------------------------------------
    def action_recommit(self):
        """Commit again what fell back, and what was left out; doing so twice changes nothing."""
        committed = self.filtered(lambda statement: statement.state == "committed")
        committed._recommit()
        return committed._commit_notification()

    def _recommit(self):
        """See ``action_recommit``.

        :return: what is left out now
        """
        self.check_access("write")
        committed = self.filtered(lambda statement: statement.state == "committed")
        committed._in_turn()
        lines = committed.line_ids._fallen_back() | committed._take_in_left_out()
        for company, own in lines.grouped("company_id").items():
            own.with_company(company)._commit_items()
        return committed.exclusion_ids

    def _take_in_left_out(self):
        """Make what was left out items again.

        :return: the new lines
        """
        left = self.exclusion_ids
        vals_list = [
            {
                "statement_id": item.statement_id.id,
                "charge_id": item.charge_id.id,
                "responsibility": item.responsibility,
                "price": item.price,
                "amount_due": item.amount_due,
                "by_hand": item.by_hand,
                "is_typed": item.is_typed,
                "distance": item.charge_id.appointment_id.distance,
                "waiting_minutes": item.charge_id.appointment_id.waiting_minutes,
            }
            for item in left
        ]
        left.unlink()
        lines = self.env["healthcare.statement.line"].with_context(healthcare_listing=LISTING)
        return lines.create(vals_list).with_env(self.env)
