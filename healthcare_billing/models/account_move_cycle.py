from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain

from .healthcare_appointment import OPEN_STAGES

# What of an invoice line its credit repeats.
CREDITED_FIELDS = (
    "name", "quantity", "price_unit", "discount", "product_id", "product_uom_id", "account_id",
    "analytic_distribution", "responsibility", "charge_units",
)  # fmt: skip
MAX_TOLD = 20


class AccountMove(models.Model):
    """Drafts of a billing cycle: they follow their visits by being made again (R13)."""

    _inherit = "account.move"

    care_appointment_ids = fields.Many2many(
        "healthcare.appointment",
        compute="_compute_care_appointment_ids",
        string="Visits",
        groups="healthcare_billing.group_coordinator",
    )
    can_regenerate = fields.Boolean(
        compute="_compute_can_regenerate", compute_sudo=True, groups="base.group_user"
    )
    outdated_reason = fields.Char(
        compute="_compute_outdated_reason",
        groups="healthcare_billing.group_billing_user",
        help="Why this draft isn't what would be billed now.",
    )

    @api.depends("invoice_line_ids.charge_id")
    def _compute_care_appointment_ids(self):
        for move in self:
            move.care_appointment_ids = move.invoice_line_ids.charge_id.appointment_id

    @api.depends("state", "billing_cycle_id.state", "invoice_line_ids.charge_live")
    def _compute_can_regenerate(self):
        for move in self:
            move.can_regenerate = (
                move.state == "draft"
                and move.billing_cycle_id.state == "open"
                and any(move.invoice_line_ids.mapped("charge_live"))
            )

    @api.depends("state", "billing_cycle_id", "invoice_line_ids.charge_id.amount")
    def _compute_outdated_reason(self):
        drafts = self.filtered("can_regenerate")
        texts = self.env["healthcare.billing.engine"]._outdated_drafts(drafts._origin)
        for move in self:
            move.outdated_reason = texts.get(move._origin, False)

    # -- which drafts ----------------------------------------------------------------------------
    @api.model
    def _open_draft_domain(self, prefix=""):
        """Domain of drafts of open billing cycles: what is on them still follows its visit.

        :param str prefix: path to the invoice, with its dot
        """
        return Domain(f"{prefix}state", "=", "draft") & Domain(
            f"{prefix}billing_cycle_id.state", "=", "open"
        )

    def _edited_by_hand(self):
        """Those that somebody changed, or added a line to, since they were made."""
        return self.search(
            Domain("id", "in", self.ids)
            & (
                Domain("is_manually_modified", "=", True)
                | Domain(
                    "invoice_line_ids",
                    "any",
                    Domain("display_type", "=", "product") & Domain("charge_id", "=", False),
                )
            )
        )

    def _change_marks(self):
        """When each was changed last.

        :return: ``{id as text: text}``
        """
        return {str(move.id): f"{move.write_date}" for move in self}

    def _sections_of_only(self, lines):
        """Titles under which there is nothing but these lines."""
        self.ensure_one()
        empty = self.env["account.move.line"]
        title, own = empty, empty
        for line in [*self.invoice_line_ids.sorted(), empty]:
            if not line or line.display_type == "line_section":
                if title and own and not own - lines:
                    empty |= title
                title, own = line, self.env["account.move.line"]
            else:
                own |= line
        return empty

    # -- regenerating ----------------------------------------------------------------------------
    def action_regenerate(self):
        """Ask how to make this draft again.

        :return: window action on a new ``healthcare.cycle.regenerate``
        """
        self.ensure_one()
        self._check_may_regenerate()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_cycle_regenerate_action"
        )
        return {**action, "context": {"default_move_id": self.id}}

    def _check_may_regenerate(self):
        self.ensure_one()
        self.check_access("write")
        if not self.billing_cycle_id:
            raise UserError(
                self.env._("%s isn't of a billing cycle. Bill it again.", self._care_reference())
            )
        self.billing_cycle_id._check_open()
        if self.state != "draft":
            raise UserError(
                self.env._(
                    "%s isn't a draft: what was sent is never changed. Void it, and bill it again.",
                    self._care_reference(),
                )
            )

    def _regenerate_draft(self, with_new=False, *, overwrite=False):
        """Write this draft's lines again, from its visits as they are now.

        The record stays, with its billing reference, chatter and files. Visits that may not be
        billed any more drop off.

        :param bool with_new: also approved visits of the cycle that belong on it, and that no
            invoice holds
        :param bool overwrite: although somebody edited it
        :return: ``healthcare.billing.run`` record, done
        :raise UserError: edited by hand; nothing would be left on it; its visits belong on other
            invoices now
        """
        self.ensure_one()
        self._check_may_regenerate()
        if not self.try_lock_for_update(allow_referencing=True):
            raise UserError(
                self.env._("Another user is working on %s right now.", self._care_reference())
            )
        # sudo: whoever regenerates need not be allowed to see claims
        if self.sudo().claim_state:
            raise UserError(
                self.env._(
                    "%s is on a claim already: cancel the claim before you regenerate the draft.",
                    self._care_reference(),
                )
            )
        if not overwrite and self._edited_by_hand():
            raise UserError(
                self.env._(
                    "%s was edited by hand, and that would be lost. Tick “Overwrite” to do it all "
                    "the same.",
                    self._care_reference(),
                )
            )
        cycle = self.billing_cycle_id
        run = cycle._make_run(
            "regenerate",
            target_move_id=self.id,
            replaced_move_ids=[Command.set(self.ids)],
            replaced_marks=self._change_marks(),
            overwrites_edited=overwrite,
        )
        invoice, blocked = self._plan_draft_again(run, with_new)
        run._update_rows([invoice])
        run._replace_exclusions(blocked)
        run.action_execute()
        [line] = run.line_ids
        if line.state != "created":
            raise UserError(line.message)
        return run

    def _plan_draft_again(self, run, with_new):
        """What this draft would be now.

        :return: :class:`PlannedInvoice`, and what drops off: ``{charge id: codes}``
        """
        engine, options = run._engine(), run._plan_options()
        lines = self.invoice_line_ids.filtered(lambda line: line.charge_id and line.charge_live)
        own = lines.charge_id
        plan = engine.plan(own, **options)
        mine = [inv for inv in plan.invoices if engine._is_same_invoice(self, inv)]
        parts = {(line.charge_id.id, line.responsibility) for line in lines}
        kept = {charge_id for invoice in mine for charge_id in invoice.charge_ids}
        others = [
            invoice
            for invoice in plan.invoices
            if invoice not in mine
            and (
                any((part.charge_id, part.responsibility) in parts for part in invoice.parts)
                or not kept.issuperset(invoice.charge_ids)
            )
        ]
        if others or len(mine) > 1:
            raise UserError(self._moved_away_text(others or mine))
        if not mine and plan.invoices:
            raise UserError(self._moved_away_text(plan.invoices))
        if not mine:
            raise UserError(self._nothing_left_text(plan))
        if not with_new:
            return mine[0], dict(plan.blocked)
        wider = engine.plan(own | self._new_care(), **options)
        [invoice] = [inv for inv in wider.invoices if inv.key == mine[0].key]
        return invoice, dict(plan.blocked)

    def _new_care(self):
        """Charges of the cycle that no invoice holds, and that may belong on this one."""
        self.ensure_one()
        domain = self.billing_cycle_id._charge_domain()
        domain &= Domain("billing_stage", "in", OPEN_STAGES)
        if self.healthcare_client_id:
            domain &= Domain("client_id", "=", self.healthcare_client_id.id)
        else:
            domain &= Domain("payer_id", "=", self.partner_id.id)
        return self.env["healthcare.charge"]._find_to_bill(domain)

    def _moved_away_text(self, invoices):
        """Visits belong on other invoices: one draft alone can't be made again."""
        addressees = self.env["res.partner"].browse({inv.partner_id for inv in invoices})
        clients = self.invoice_line_ids.charge_id.client_id
        return self.env._(
            "Visits of %(invoice)s belong on other invoices now (to %(addressees)s): payer, "
            "billing contact, payment method, terms or fiscal position were changed. Nothing was "
            "done. Use Generate Invoices of the cycle with “All Invoices” for %(clients)s.",
            invoice=self._care_reference(),
            addressees=", ".join(addressees.mapped("display_name")[:5]),
            clients=", ".join(clients.mapped("display_name")[:5]),
        )

    def _nothing_left_text(self, plan):
        """Nothing would be on it: deleting is somebody's decision."""
        reasons = {r.code: r.name for r in self.env["healthcare.block.reason"].search([])}
        codes = dict.fromkeys(code for found in plan.blocked.values() for code in found)
        return self.env._(
            "Nothing of %(invoice)s can be billed now (%(reasons)s). Mend that, or delete the "
            "draft.",
            invoice=self._care_reference(),
            reasons=", ".join(reasons.get(code, code) for code in codes)
            or self.env._("nobody owes anything"),
        )

    # -- posting ---------------------------------------------------------------------------------
    def _post(self, soft=True):
        """A draft of a cycle is posted only as its visits are now."""
        # sudo: whoever keeps the books need not be allowed to read charges
        drafts = self.sudo().filtered(lambda move: move.state == "draft" and move.billing_cycle_id)
        outdated = self.env["healthcare.billing.engine"].sudo()._outdated_drafts(drafts)
        if outdated:
            raise UserError(
                "\n".join(
                    self.env._(
                        "%(invoice)s: %(reason)s Regenerate it first.",
                        invoice=move._care_reference(),
                        reason=reason,
                    )
                    for move, reason in list(outdated.items())[:MAX_TOLD]
                )
            )
        posted = super()._post(soft)
        posted._join_replaced_cycle()
        return posted

    def button_draft(self):
        """Taking an invoice back isn't an edit of what is on it."""
        moves = self.with_context(skip_is_manually_modified=True)
        return super(AccountMove, moves).button_draft()

    # -- resubmission ----------------------------------------------------------------------------
    def _prepare_credit_of_lines(self, lines, run):
        """Values of a credit note over some lines of this posted invoice.

        :param lines: of this invoice
        :param run: the run that bills them again
        """
        self.ensure_one()
        return {
            "move_type": "out_refund",
            "partner_id": self.partner_id.id,
            "company_id": self.company_id.id,
            "journal_id": self.journal_id.id,
            "currency_id": self.currency_id.id,
            "fiscal_position_id": self.fiscal_position_id.id,
            **self._reversal_dates(),
            "reversed_entry_id": self.id,
            "ref": self._credit_note_ref(self.env._("resubmission")),
            "billing_cycle_id": run.billing_cycle_id.id,
            "healthcare_client_id": self.healthcare_client_id.id,
            "invoice_line_ids": [Command.create(line._prepare_credit()) for line in lines],
        }


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _prepare_credit(self):
        """Values of the line that takes back what earlier credits left of this one."""
        self.ensure_one()
        vals = {
            name: self[name].id if self._fields[name].type == "many2one" else self[name]
            for name in CREDITED_FIELDS
        }
        if not self.currency_id.is_zero(self.charge_credited):
            vals |= self._values_to_credit(abs(self.price_subtotal) - self.charge_credited)
        return {
            **vals,
            "tax_ids": [Command.set(self.tax_ids.ids)],
            "charge_id": self.charge_id.id,
            "credit_of_line_id": self.id,
        }
