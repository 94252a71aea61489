from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .healthcare_claim import CLAIM_STATES

# Which of an invoice's claims speaks for all: the one that needs somebody first.
STATE_URGENCY = ("rejected", "awaiting_submission", "submitted", "accepted", "paid")


class AccountMove(models.Model):
    """Claims made of an invoice: adding to them, and what becomes of them when it ends."""

    _name = "account.move"
    _inherit = ("account.move", "healthcare.computed.mixin")

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
        """Claims that hold charges of these invoices, or of those that these credit or transfer.

        :return: ``{claim: those of these documents that are about its care}``
        """
        move_ids = {}
        # sudo: whoever keeps the books need not be allowed to read charges and claims
        for line in self._care_lines():
            care = (line.charge_id._root().id, line.responsibility)
            move_ids.setdefault(care, set()).add(line.move_id.id)
        items = (
            self.env["healthcare.claim.item"]
            .sudo()
            .search(
                [
                    ("claim_live", "=", True),
                    ("charge_id", "in", [charge_id for charge_id, _party in move_ids]),
                ]
            )
        )
        claims = {}
        for item in items:
            if concerned := move_ids.get((item.charge_id.id, item.responsibility)):
                claims.setdefault(item.claim_id, set()).update(concerned)
        return {
            claim: self.browse(sorted(ids)).with_prefetch(self._prefetch_ids)
            for claim, ids in claims.items()
        }

    def _follow_up_claims(self):
        """Close claims whose invoice was canceled or credited; a part of it is told on them."""
        texts = {}
        for claim, moves in self._live_claims().items():
            credits = moves.filtered(
                lambda move: move.move_type == "out_refund" and move.state == "posted"
            )
            canceled = moves.filtered(lambda move: move.state == "cancel")
            if credits:
                texts[claim] = self.env._(
                    "Invoice %(invoice)s was credited by %(credit)s.",
                    invoice=", ".join(move._care_reference() for move in claim.invoice_ids),
                    credit=", ".join(move._care_reference() for move in credits),
                )
            elif canceled:
                texts[claim] = self.env._(
                    "Invoice %s was canceled.",
                    ", ".join(move._care_reference() for move in canceled),
                )
        self.env["healthcare.claim"].union(*texts)._follow_invoices(texts)


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def unlink(self):
        """A deleted draft, or a line taken off it, takes its charges off their claims."""
        moves = self.filtered("charge_id").move_id
        texts = {
            claim: self.env._(
                "%s was deleted, or this care was taken off it.",
                ", ".join(move._care_reference() for move in concerned),
            )
            for claim, concerned in moves._live_claims().items()
        }
        result = super().unlink()
        self.env["healthcare.claim"].union(*texts)._follow_invoices(texts)
        return result
