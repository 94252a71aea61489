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

        Of several, those of which nothing can be committed stay the drafts that they are, which
        their journals tell, and stop no other one (R28).

        :return: what was left out, ``healthcare.statement.exclusion`` records
        :raise UserError: somebody else is at work on one, or it is a single one, of which nothing
            can be committed
        """
        drafts = self.filtered(lambda statement: statement.state == "draft")
        empty = drafts._commit_drafts()
        if empty:
            reasons = {statement.id: statement._reasons_text() for statement in empty}
            if len(drafts) == 1:
                raise UserError(reasons[empty.id])
            empty._message_log_batch(bodies=reasons)
            empty._take_in_left_out()
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
        """What became of these statements: client action that tells it, and reads the view again.

        Counts come after their names, which so are right for one and for many.
        """
        committed = self.filtered(lambda statement: statement.state == "committed")
        stayed = self - committed
        left = committed.exclusion_ids
        lines = committed.line_ids
        in_qa = lines.filtered("waits_for_qa")
        awaiting = (lines - in_qa).filtered(lambda line: line.stage == "awaiting_payment")
        told = []
        if not self:
            told.append(self.env._("There was nothing to commit."))
        if len(self) > 1:
            told.append(self.env._("Statements committed: %s.", len(committed)))
        if committed:
            told.append(self.env._("Items that await payment: %s.", len(awaiting)))
        if in_qa:
            told.append(self.env._("Invoiced when QA is done: %s.", len(in_qa)))
        if left:
            told.append(self.env._("Left out: %s, see “Left Out”.", len(left)))
        if stayed:
            told.append(
                self.env._(
                    "Still drafts, their logs say why: %s.", ", ".join(stayed[:5].mapped("name"))
                )
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": ", ".join(self[:3].mapped("name")),
                "message": " ".join(told),
                "type": "success" if committed and not (left or stayed) else "warning",
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
