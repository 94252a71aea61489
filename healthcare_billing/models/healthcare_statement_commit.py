from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .healthcare_statement_exclusion import LeftOut
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
        committed = self.search([("state", "=", "committed")])
        fallen = committed.line_ids._fallen_back().statement_id
        return Domain("id", "in" if True in value else "not in", fallen.ids)

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
        (self - empty).write(
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
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
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
                "distance": item.charge_id.appointment_id.distance,
                "waiting_minutes": item.charge_id.appointment_id.waiting_minutes,
            }
            for item in left
        ]
        left.unlink()
        lines = self.env["healthcare.statement.line"].with_context(healthcare_listing=LISTING)
        return lines.create(vals_list).with_env(self.env)


class HealthcareStatementLine(models.Model):
    """Items that are committed: priced, taken off drafts, invoiced, posted."""

    _inherit = "healthcare.statement.line"

    def _fallen_back(self):
        """Items of committed statements that don't await payment any more, though they should."""
        return self.filtered(
            lambda line: (
                line.state == "committed"
                and not line.outcome
                and not line.waits_for_qa
                and line.stage == "billing_office"
            )
        )

    def _commit_items(self, invoice_date=None, run=None):
        """Commit items of one company's statements.

        :param date invoice_date: of new invoices; default today
        :param run: ``healthcare.billing.run`` record of an express run, if any
        :return: the items that are committed; the others are left out, with the reason
        """
        if not self:
            return self
        invoice_date = invoice_date or fields.Date.context_today(self)
        left = self._refuse_others()
        left |= (self - self._of(left))._refuse_busy()
        left |= (self - self._of(left))._take_off_drafts()
        left |= (self - self._of(left))._set_quotes()
        lines = self - self._of(left)
        in_qa = lines.filtered(lambda line: line._is_in_qa())
        left |= (lines - in_qa)._book(invoice_date, run)
        committed = lines - self._of(left)
        committed._advance(in_qa & committed)
        self._leave_out(left)
        return committed

    @api.model
    def _of(self, left):
        """Lines that were left out.

        :param dict left: ``{line: LeftOut}``
        """
        return self.browse(line.id for line in left)

    def _is_in_qa(self):
        """Its care is under review: it is priced and invoiced when that is done."""
        self.ensure_one()
        return self.charge_id.billing_stage == "qa"

    # -- what keeps an item off ------------------------------------------------------------------
    def _refuse_others(self):
        """Items that another party owes, by its invoice or as the billing account says."""
        left = {}
        for line in self:
            debtor = line.charge_id._debtor_of(line.responsibility)
            if debtor and debtor != line.statement_id.partner_id:
                left[line] = LeftOut(
                    "other_party",
                    self.env._(
                        "%s owes it. Transfer it to this party: that credits and bills it again.",
                        debtor.display_name,
                    ),
                )
        return left

    def _refuse_busy(self):
        """Items whose charges another user is at work on.

        A charge that a rival billed after this transaction began raises a serialization failure
        here, and the whole transaction is tried again.
        """
        charges = self.charge_id._family()
        busy = (charges - charges.try_lock_for_update(allow_referencing=True))._roots()
        text = self.env._("Another user is at work on it. Recommit in a moment.")
        return {line: LeftOut("busy", text) for line in self if line.charge_id in busy}

    def _take_off_drafts(self):
        """Take items off drafts of ours; those that people had a hand in keep theirs."""
        roots = {(line.charge_id.id, line.responsibility): line for line in self}
        held = defaultdict(lambda: self.env["account.move.line"])
        for draft_line in self.charge_id._family()._live_lines():
            if draft_line.parent_state == "draft":
                key = (draft_line.charge_id._root().id, draft_line.responsibility)
                if key in roots:
                    held[roots[key]] |= draft_line
        if not held:
            return {}
        drafts = self.env["account.move.line"].union(*held.values()).move_id.with_env(self.env)
        refusals = drafts._refusal_to_detach()
        left = {}
        free = self.env["account.move.line"]
        for line, draft_lines in held.items():
            texts = [refusals[move] for move in draft_lines.move_id if move in refusals]
            if texts:
                left[line] = LeftOut("draft", " ".join(texts))
            else:
                free |= draft_lines
        free = free.with_env(self.env)
        free.move_id._detach_care(free)
        return left

    def _set_quotes(self):
        """Give a price to what has none; with override, make prices those of the statement.

        :return: ``{line: LeftOut}`` of what can't be priced so
        """
        left = {}
        reviewed = self.filtered(lambda line: line._is_in_qa())
        unpriced = (self - reviewed).filtered(lambda line: not line.charge_id.is_priced)
        for schedule, lines in unpriced.grouped(
            lambda line: line.statement_id.fee_schedule_id
        ).items():
            lines.charge_id._find_missing_quotes(schedule)
        override = (self - reviewed).filtered("statement_id.overrides_quotes")
        told = override | unpriced.filtered(lambda line: line.by_hand)
        left |= told._update_quotes()
        return left

    def _update_quotes(self):
        """Make the prices of these items' charges those that are told.

        :return: ``{line: LeftOut}`` of what can't be priced so
        """
        left = {}
        amounts = self.charge_id._item_amounts()
        for line in self:
            now, _balance = amounts[line.charge_id.id, line.responsibility]
            priced = line.charge_id.is_priced
            if priced and not line.currency_id.compare_amounts(now, line.price):
                continue
            try:
                line.charge_id._quote_item(line.responsibility, line.price)
            except UserError as error:  # checked before anything is written
                left[line] = LeftOut("failed", str(error))
        return left

    # -- what is done ----------------------------------------------------------------------------
    def _book(self, invoice_date, run):
        """Invoice what isn't invoiced yet.

        :return: ``{line: LeftOut}``
        """
        if not self:
            return {}
        items = {(line.charge_id.id, line.responsibility): line for line in self}
        engine = self.env["healthcare.billing.engine"]
        refused = engine._book_items(
            {key: line.statement_id for key, line in items.items()}, invoice_date, run
        )
        if not refused:
            return {}
        reasons = {reason.code: reason for reason in self.env["healthcare.block.reason"].search([])}
        return {
            items[key]: LeftOut(
                "blocked" if codes else "failed",
                "; ".join(reasons[code].name if code in reasons else code for code in codes)
                or text,
                next((code for code in codes if code in reasons), ""),
            )
            for key, (codes, text) in refused.items()
        }

    def _advance(self, in_qa):
        """These items await payment; those in QA do so when it is done.

        :param in_qa: those of them that are still in QA
        """
        listing = self.with_context(healthcare_listing=LISTING)
        (listing & in_qa).write({"waits_for_qa": True})
        booked = listing - in_qa
        booked.filtered("waits_for_qa").write({"waits_for_qa": False})
        for party, lines in booked.grouped("responsibility").items():
            returned = lines.charge_id.filtered("returned_to_billing")
            if returned:
                returned._set_returned(party, False)
        amounts = booked.charge_id._item_amounts()
        for line in booked.filtered(lambda line: not line.by_hand):
            price, balance = amounts[line.charge_id.id, line.responsibility]
            line._follow({"price": price, "amount_due": balance})

    def _leave_out(self, left):
        """Take what can't be committed off its statement, and keep why.

        :param dict left: ``{line: LeftOut}``
        """
        if not left:
            return
        lines = self._of(left)
        reasons = {reason.code: reason for reason in self.env["healthcare.block.reason"].search([])}
        none = self.env["healthcare.block.reason"]
        self.env["healthcare.statement.exclusion"].create(
            [
                {
                    "statement_id": line.statement_id.id,
                    "charge_id": line.charge_id.id,
                    "responsibility": line.responsibility,
                    "price": line.price,
                    "amount_due": line.amount_due,
                    "by_hand": line.by_hand,
                    "kind": why.kind,
                    "message": why.text,
                    "reason_id": reasons.get(why.code, none).id,
                }
                for line, why in left.items()
            ]
        )
        self.env["healthcare.statement"]._log_items(
            lines.grouped("statement_id"), self.env._("Left out")
        )
        lines.with_context(healthcare_listing=LISTING).unlink()
