from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .healthcare_claim import CLAIM_STATES

# Which of an invoice's claims speaks for all: the one that needs somebody first.
STATE_URGENCY = ("rejected", "awaiting_submission", "submitted", "accepted", "paid")


class AccountMove(models.Model):
    """Claims made of an invoice: adding to them, and what becomes of them when it ends."""

    _inherit = "account.move"

    claim_item_ids = fields.One2many(
        "healthcare.claim.item",
        "move_id",
        string="Claimed Charges",
        groups="healthcare_billing.group_billing_user",
    )
    claim_ids = fields.Many2many(
        "healthcare.claim",
        string="Claims",
        compute="_compute_claim_ids",
        search="_search_claim_ids",
        groups="healthcare_billing.group_billing_user",
    )
    claim_count = fields.Integer(
        compute="_compute_claim_ids", groups="healthcare_billing.group_billing_user"
    )
    # stored also because two transactions that make a claim and cancel its invoice must meet
    claim_state = fields.Selection(
        [state for state in CLAIM_STATES if state[0] in STATE_URGENCY],
        string="Claim Status",
        compute="_compute_claim_state",
        store=True,
        copy=False,
        groups="base.group_user",
        help="Of several claims, the one that needs somebody first.",
    )
    can_add_to_claims = fields.Boolean(
        compute="_compute_can_add_to_claims", groups="base.group_user"
    )

    @api.depends("claim_item_ids.claim_id")
    def _compute_claim_ids(self):
        for move in self:
            move.claim_ids = move.claim_item_ids.claim_id
            move.claim_count = len(move.claim_ids)

    def _search_claim_ids(self, operator, value):
        if operator in ("any", "in"):
            return [("claim_item_ids.claim_id", operator, value)]
        return NotImplemented

    @api.depends("claim_item_ids.claim_live", "claim_item_ids.claim_id.state")
    def _compute_claim_state(self):
        # read together: each invoice's own items would be read one invoice after the other
        items = self.claim_item_ids.filtered("claim_live")
        states = {move: set() for move in self}
        for item in items:
            states.setdefault(item.move_id, set()).add(item.claim_id.state)
        for move in self:
            move.claim_state = next((s for s in STATE_URGENCY if s in states[move]), False)

    @api.depends("state", "move_type", "invoice_line_ids.responsibility")
    @api.depends_context("uid")
    def _compute_can_add_to_claims(self):
        biller = self.env.user.has_group("healthcare_billing.group_billing_user")
        for move in self:
            move.can_add_to_claims = (
                biller
                and move.move_type == "out_invoice"
                and move.state == "posted"
                and any(
                    line.responsibility not in (False, "client") for line in move.invoice_line_ids
                )
            )

    # -- doors -----------------------------------------------------------------------------------
    def action_add_to_claims(self):
        """Open the preview of the claims that these invoices would make.

        :return: window action of ``healthcare.claim.preview``
        """
        if not self.env.user.has_group("healthcare_billing.group_billing_user"):
            raise AccessError(self.env._("Only billing users can make claims."))
        return self.env["healthcare.claim.preview"]._open(self)

    def action_view_claims(self):
        """Open the claims of these invoices."""
        return self.claim_ids._form_action()

    # -- what becomes of claims ------------------------------------------------------------------
    def write(self, vals):
        if "group_single_claim" in vals:
            self._check_may_regroup(vals["group_single_claim"])
        result = super().write(vals)
        if "state" in vals:
            self._follow_up_claims()
        return result

    def _check_may_regroup(self, group_single_claim):
        """How claims are split is decided before there is one."""
        claimed = self.filtered(
            lambda move: move.claim_state and move.group_single_claim != bool(group_single_claim)
        )[:1]
        if claimed:
            raise UserError(
                self.env._(
                    "%s is on a claim already: cancel the claim before you group its appointments "
                    "otherwise.",
                    claimed._care_reference(),
                )
            )

    def _live_claims(self):
        """Claims that hold charges of these invoices, or of the invoices that these credit."""
        # sudo: whoever keeps the books need not be allowed to see claims
        items = (
            self.env["healthcare.claim.item"]
            .sudo()
            .search(
                [
                    ("claim_live", "=", True),
                    ("charge_id.invoice_line_ids.move_id", "in", self.ids),
                ]
            )
        )
        return items.claim_id

    def _follow_up_claims(self):
        """Close claims whose invoice was canceled or credited; a part of it is told on them."""
        claims = self._live_claims()
        if not claims:
            return
        texts = {}
        for claim in claims:
            moves = claim.invoice_ids
            invoices = ", ".join(move._care_reference() for move in moves)
            credits = self.filtered(lambda move: move.move_type == "out_refund") - moves
            if credits:
                texts[claim] = self.env._(
                    "Invoice %(invoice)s was credited by %(credit)s.",
                    invoice=invoices,
                    credit=", ".join(move._care_reference() for move in credits),
                )
            else:
                texts[claim] = self.env._("Invoice %s was canceled.", invoices)
        claims._follow_invoices(texts)


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def unlink(self):
        """A deleted draft, or a line taken off it, takes its charges off their claims."""
        moves = self.filtered("charge_id").move_id
        claims = moves._live_claims() if moves else moves
        references = {move: move._care_reference() for move in moves}
        texts = {
            claim: self.env._(
                "%s was deleted, or this care was taken off it.",
                ", ".join(references[move] for move in claim.invoice_ids & moves),
            )
            for claim in claims
        }
        result = super().unlink()
        if claims:
            claims._follow_invoices(texts)
        return result
