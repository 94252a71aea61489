import itertools
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .healthcare_charge_balance import PARTIES
from .healthcare_statement_exclusion import LeftOut
from .healthcare_statement_items import LISTING


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

    @api.model
    def _fallen_back_sql(self):
        """Ids of statements that have such items, as a query: ``_fallen_back`` of all of them."""
        self.flush_model(["statement_id", "charge_id", "responsibility", "outcome", "waits_for_qa"])
        self.env["healthcare.statement"].flush_model(["state"])
        columns = {
            name: [f"{name}_{suffix}" for suffix in PARTIES.values()]
            for name in ("balance", "ledger", "returned")
        }
        self.env["healthcare.charge"].flush_model(
            ["billing_stage", "is_priced", *itertools.chain(*columns.values())]
        )
        own = {  # of the line's party
            name: SQL(
                "CASE l.responsibility %s END",
                SQL(" ").join(
                    SQL("WHEN %s THEN %s", party, SQL.identifier("c", column))
                    for party, column in zip(PARTIES, by_party, strict=True)
                ),
            )
            for name, by_party in columns.items()
        }
        return SQL(
            """(SELECT l.statement_id
                  FROM healthcare_statement_line l
                  JOIN healthcare_statement s ON s.id = l.statement_id
                  JOIN healthcare_charge c ON c.id = l.charge_id
                 WHERE s.state = 'committed' AND l.outcome IS NULL
                   AND l.waits_for_qa IS NOT TRUE
                   AND CASE WHEN COALESCE(%(balance)s, 0) = 0
                            THEN c.is_priced IS NOT TRUE AND c.billing_stage = 'billing_office'
                            WHEN COALESCE(%(ledger)s, 0) <> 0 THEN %(returned)s
                            ELSE c.billing_stage NOT IN ('qa', 'draft') END)""",
            **own,
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
            if debtor and not line._is_owed_by_addressee():
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
        told = override | unpriced.filtered("is_typed")
        left |= told._update_quotes()
        return left

    def _update_quotes(self):
        """Make the prices of these items' charges those that are told.

        :return: ``{line: LeftOut}`` of what can't be priced so
        """
        left = {}
        amounts = self.charge_id._item_amounts()
        for line in self:
            now, _due = amounts[line.charge_id.id, line.responsibility]
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
            lines.charge_id._set_returned(party, False)
        amounts = booked.charge_id._item_amounts()
        for line in booked.filtered(lambda line: not line.is_typed):
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
                    "is_typed": line.is_typed,
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
