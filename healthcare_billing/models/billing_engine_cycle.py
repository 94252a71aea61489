from collections import defaultdict

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import SQL

from .account_move_line import COMPLETE

# What a draft that is made again must have in common with the plan, else it is another invoice.
KEY_VALUES = (
    "journal_id", "fiscal_position_id", "invoice_payment_term_id",
    "preferred_payment_method_line_id",
)  # fmt: skip
# Care with these codes must not stay on a draft that is posted (R12).
REVOKED_CODES = {"not_approved", "rejected", "vacant", "unscheduled", "not_billable", "planned"}


class HealthcareBillingEngine(models.AbstractModel):
    """Billing cycles: invoices that are made again, in place of drafts and of what is resubmitted.

    What a run replaces is stored with the run (``replaced_move_ids``, ``credited_line_ids``), and
    its engine knows the run by the context. A forged context changes what a plan shows, never what
    is booked: executing plans again, with the run that is executed.
    """

    _inherit = "healthcare.billing.engine"

    # -- plan ------------------------------------------------------------------------------------
    @api.model
    def _released_lines_sql(self, line):
        """Lines of drafts that the run replaces, and posted ones that it credits, are free."""
        run_id = self.env.context.get("healthcare_replacing_run")
        moves = self.env.context.get("healthcare_replaced_moves")
        conditions = []
        if run_id:
            conditions += [
                SQL(
                    "(%(line)s.parent_state = 'draft' AND %(line)s.move_id IN (SELECT move_id"
                    " FROM healthcare_run_replaced_move_rel WHERE run_id = %(run)s))",
                    line=line,
                    run=int(run_id),
                ),
                SQL(
                    "(%(line)s.parent_state = 'posted' AND %(line)s.id IN (SELECT line_id"
                    " FROM healthcare_run_credited_line_rel WHERE run_id = %(run)s))",
                    line=line,
                    run=int(run_id),
                ),
            ]
        if moves:
            conditions.append(
                SQL(
                    "(%(line)s.parent_state = 'draft' AND %(line)s.move_id = ANY(%(moves)s))",
                    line=line,
                    moves=[int(move_id) for move_id in moves],
                )
            )
        if not conditions:
            return super()._released_lines_sql(line)
        return SQL("(%s)", SQL(" OR ").join(conditions))

    @api.model
    def _open_parts(self, row):
        """Of what is resubmitted, only the parts that are credited are billed again."""
        parts = super()._open_parts(row)
        if not self.env.context.get("healthcare_only_released"):
            return parts
        return [part for part in parts if part[0] in (row["released"] or ())]

    # -- carrying out ----------------------------------------------------------------------------
    @api.model
    def _lock_lines(self, lines):
        """Take also the drafts that these rows replace; rows of which others hold one wait."""
        lines = super()._lock_lines(lines)
        run = lines.run_id
        if not run.billing_cycle_id or not lines:
            return lines
        holders = self._replaced_by_rows(lines)
        moves = self.env["account.move"].union(*holders.values())
        busy = moves - moves.try_lock_for_update(allow_referencing=True)
        held = lines.filtered(lambda line: line in holders and holders[line] & busy)
        held._set_result(
            {
                "state": "skipped",
                "message": self.env._(
                    "Another user is working on the draft that this replaces. Retry in a moment."
                ),
            }
        )
        changed = run._changed_drafts(moves - busy)
        stale = (lines - held).filtered(lambda line: line in holders and holders[line] & changed)
        for line in stale:
            line._set_result(
                {
                    "state": "skipped",
                    "message": self.env._(
                        "Changed since preview: %s was edited meanwhile. Generate again.",
                        ", ".join(move._care_reference() for move in holders[line] & changed),
                    ),
                }
            )
        return lines - held - stale

    @api.model
    def _replaced_by_rows(self, lines):
        """Invoices that hold what rows of a run bill, and that the run replaces or credits.

        :return: ``{row: account.move recordset}``
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """SELECT rel.line_id, array_agg(DISTINCT l.move_id)
                     FROM healthcare_run_line_charge_rel rel
                     JOIN account_move_line l ON l.charge_id = rel.charge_id AND l.charge_live
                    WHERE rel.line_id = ANY(%s) AND %s
                 GROUP BY rel.line_id""",
                lines.ids,
                self._released_lines_sql(SQL("l")),
            )
        )
        moves = self.env["account.move"]
        return {lines.browse(line_id): moves.browse(move_ids) for line_id, move_ids in rows}

    @api.model
    def _book(self, planned, run, post):
        """Free what the run replaces, then book: in one savepoint, so that both fail together."""
        if run.billing_cycle_id and run.cycle_mode in ("all", "resubmission"):
            parts = {
                (part.charge_id, part.responsibility)
                for invoice in planned
                for part in invoice.parts
            }
            if run.cycle_mode == "all":
                self._release_drafts(parts, [invoice.key for invoice in planned], run)
            else:
                self._credit_lines(parts, run)
            self.env.flush_all()  # what is freed must be free in the database
        return super()._book(planned, run, post)

    @api.model
    def _moves_posted_at_once(self, moves, run):
        """Invoices of a cycle stay drafts until it is closed, whatever their sum (R14)."""
        if run.billing_cycle_id:
            return moves.browse()
        return super()._moves_posted_at_once(moves, run)

    @api.model
    def _create_moves(self, planned, run):
        """A draft that is regenerated stays the record that it is."""
        if run.cycle_mode != "regenerate":
            return super()._create_moves(planned, run)
        [invoice] = planned
        self._rewrite_draft(run.target_move_id, invoice, run)
        return run.target_move_id

    # -- replacing drafts ------------------------------------------------------------------------
    @api.model
    def _release_drafts(self, parts, keys, run):
        """Delete the drafts that hold these parts. What rows not yet booked bill stays on them.

        :param set parts: ``(charge id, responsibility)``
        :param list keys: plan keys of the rows that are booked now
        """
        held = self._lines_to_release({charge_id for charge_id, _party in parts})
        moves = held.move_id
        if not moves:
            return
        others = self._lines_of_other_rows(moves, keys, run)
        # a part that nobody owes any more goes with the charge's last row
        lines = held.filtered(
            lambda line: line not in others or (line.charge_id.id, line.responsibility) in parts
        )
        moves, waiting = lines.move_id, others - lines
        shared = waiting.move_id
        taken = lines.filtered(lambda line: line.move_id in shared)
        thinned = taken.move_id
        self._drop_drafts(moves - shared)
        for move, own in taken.grouped("move_id").items():
            sections = move._sections_of_only(own)
            move.with_context(skip_is_manually_modified=True).write(
                {"line_ids": [Command.delete(line.id) for line in own | sections]}
            )
        if thinned:  # what the run itself changed, nobody edited meanwhile
            self.env.flush_all()
            run._add_marks(thinned)

    @api.model
    def _lines_to_release(self, charge_ids):
        """Live lines of these charges on what the run replaces or credits."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT l.id FROM account_move_line l"
                " WHERE l.charge_id = ANY(%s) AND l.charge_live AND %s",
                list(charge_ids),
                self._released_lines_sql(SQL("l")),
            )
        )
        return self.env["account.move.line"].browse(id_ for (id_,) in rows)

    @api.model
    def _lines_of_other_rows(self, moves, keys, run):
        """Live lines of drafts whose charges are in rows of the run that aren't booked now."""
        rows = self.env.execute_query(
            SQL(
                """SELECT DISTINCT l.id
                     FROM account_move_line l
                     JOIN healthcare_run_line_charge_rel rel ON rel.charge_id = l.charge_id
                     JOIN healthcare_billing_run_line row ON row.id = rel.line_id
                    WHERE l.move_id = ANY(%s) AND l.charge_live AND row.run_id = %s
                      AND row.state <> 'created' AND row.plan_key <> ALL(%s)""",
                moves.ids,
                run.id,
                keys,
            )
        )
        return self.env["account.move.line"].browse(id_ for (id_,) in rows)

    @api.model
    def _drop_drafts(self, moves):
        """Delete drafts; what was posted once keeps its number, and is canceled."""
        posted_once = moves.filtered("posted_before")
        posted_once.button_cancel()
        (moves - posted_once).unlink()

    # -- regenerating one draft ------------------------------------------------------------------
    @api.model
    def _rewrite_draft(self, move, invoice, run):
        """Give a draft the lines of a plan. Number, chatter and attachments stay with it.

        :param invoice: :class:`PlannedInvoice`
        """
        if move.state != "draft":
            raise UserError(
                self.env._(
                    "%s isn't a draft any more. Nothing was changed.", move._care_reference()
                )
            )
        self._check_extra_lines([invoice])
        charges = self._prefetch_charges([invoice])
        vals = self._prepare_move(invoice, charges, move.billing_ref, run)
        move = move.with_context(skip_is_manually_modified=True, tracking_disable=True)
        if move.invoice_date != vals["invoice_date"]:
            move.invoice_date = vals["invoice_date"]
        if self._can_use_fast_path(invoice):
            self._replace_lines_complete(move, vals)
        else:
            move.write(
                {
                    "invoice_line_ids": [
                        *(Command.delete(line.id) for line in move.invoice_line_ids),
                        *vals["line_ids"],
                    ]
                }
            )
        move.write({"is_manually_modified": False})

    @api.model
    def _replace_lines_complete(self, move, vals):
        """The fast path of rewriting: nothing is left for core to add.

        :param dict vals: of ``_prepare_move``
        """
        distributes = self.env["account.analytic.distribution.model"].search_count([], limit=1)
        self._complete_lines(vals, {} if distributes else {"analytic_distribution": False})
        synced = {"skip_invoice_sync": True, "skip_invoice_line_sync": True}
        move.line_ids.with_context(**synced, dynamic_unlink=True).unlink()
        self.env.flush_all()
        move.env["account.move.line"].with_context(
            **synced, healthcare_complete_lines=COMPLETE
        ).create([{**line, "move_id": move.id} for _command, _id, line in vals["line_ids"]])

    # -- resubmission ----------------------------------------------------------------------------
    @api.model
    def _credit_lines(self, parts, run):
        """Credit just these lines of posted invoices, by a posted credit note for each invoice.

        :param set parts: ``(charge id, responsibility)`` that are billed again
        """
        lines = self._lines_to_release({charge_id for charge_id, _party in parts}).filtered(
            lambda line: (line.charge_id.id, line.responsibility) in parts
        )
        by_move = lines.grouped("move_id")
        credits = self.env["account.move"].create(
            [move._prepare_credit_of_lines(own, run) for move, own in by_move.items()]
        )
        self._post_moves(credits)
        # sudo: the mark is taken away by billing, also from visits of a closed cycle
        lines.charge_id.appointment_id.sudo().write({"to_resubmit": False})
        for move, credit in zip(by_move, credits, strict=True):
            text = self.env._(
                "Resubmission: %(count)s items credited by %(credit)s, and billed again by "
                "%(run)s.",
                count=len(by_move[move]),
                credit=credit.name,
                run=run.name,
            )
            move._message_log(body=text)

    # -- drafts that don't say any more what they should -----------------------------------------
    @api.model
    def _outdated_drafts(self, moves):
        """Drafts of care whose visits were changed since, so that they would bill something else.

        What was typed on a line differs on purpose: today's part is compared with the planned one.

        :param moves: drafts, ``account.move`` recordset
        :return: ``{move: text}`` why it is to be made again
        """
        lines = moves.invoice_line_ids.filtered(lambda line: line.charge_id and line.charge_live)
        rows = {}
        engine = self.with_context(
            healthcare_replaced_moves=tuple(moves.ids),
            healthcare_replacing_run=False,
            healthcare_only_released=False,
            healthcare_billing_door="cycle",
        )
        for company, own in lines.grouped("company_id").items():
            day = max(own.move_id.mapped("invoice_date") or [False])
            company_engine = engine.with_company(company)
            rows.update({row["id"]: row for row in company_engine._plan_rows(own.charge_id, day)})
        models_of_payers = self._invoicing_models(
            {row["secondary_payer_id"] for row in rows.values()} - {None}
        )
        found = defaultdict(set)
        for line in lines:
            row = rows.get(line.charge_id.id)
            reason = row and self._outdated_reason(line, row, models_of_payers)
            if reason:
                found[line.move_id].add(reason)
        return {move: " ".join(sorted(reasons)) for move, reasons in found.items()}

    @api.model
    def _outdated_reason(self, line, row, models_of_payers):
        """Why a line of a draft isn't what a plan of today would bill, or None."""
        if REVOKED_CODES & set(row["codes"]):
            return self.env._("It bills visits that aren't approved, or not billable, any more.")
        parts = dict(self._open_parts(row))
        sign = -1 if line.move_id.move_type == "out_refund" else 1
        part = parts.get(line.responsibility)
        if part is None or line.currency_id.compare_amounts(line.charge_planned, sign * part):
            return self.env._("Visits were changed since: their amounts are others now.")
        partner = self._addressee(row, line.responsibility, models_of_payers)[2]
        if partner != line.move_id.partner_id.id:
            return self.env._("Visits belong on an invoice to somebody else now.")
        return None

    @api.model
    def _is_same_invoice(self, move, invoice):
        """Whether a planned invoice is the one that a draft is: addressee, terms, and so on."""
        return (
            invoice.partner_id == move.partner_id.id
            and (invoice.client_id or False) == move.healthcare_client_id.id
            and invoice.company_id == move.company_id.id
            and invoice.currency_id == move.currency_id.id
            and invoice.move_type == move.move_type
            and all((invoice.values[name] or False) == move[name].id for name in KEY_VALUES)
        )
