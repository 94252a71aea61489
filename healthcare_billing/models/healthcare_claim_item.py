from odoo import fields, models

from .healthcare_claim import CLAIM_RESPONSIBILITIES


class HealthcareClaimItem(models.Model):
    """A charge on a claim, and the guard that lets it be on one live claim per payer only.

    The exclusion constraint holds whatever code path, user or race makes the item. It is
    deferrable, because a plain unique index is checked row by row and would refuse that a claim
    hands its charges to its next version within one flush.
    """

    _name = "healthcare.claim.item"
    _description = "Charge on a Claim"
    _order = "claim_id, line_id, id"
    _rec_name = "charge_id"

    line_id = fields.Many2one(
        "healthcare.claim.line", required=True, index=True, ondelete="cascade"
    )
    claim_id = fields.Many2one(
        related="line_id.claim_id", store=True, precompute=True, index=True, string="Claim"
    )
    company_id = fields.Many2one(related="line_id.company_id", store=True, precompute=True)
    currency_id = fields.Many2one(related="claim_id.currency_id")
    # what was claimed stays known when a draft of its invoice, or its charge, is deleted
    charge_id = fields.Many2one("healthcare.charge", index="btree_not_null", ondelete="set null")
    invoice_line_id = fields.Many2one(
        "account.move.line", index="btree_not_null", ondelete="set null"
    )
    move_id = fields.Many2one(
        "account.move", string="Invoice", index="btree_not_null", ondelete="set null"
    )
    responsibility = fields.Selection(CLAIM_RESPONSIBILITIES, required=True)
    amount = fields.Monetary(help="Full amount of the charge.")
    units = fields.Float(digits=(16, 2))
    claim_live = fields.Boolean(related="claim_id.is_live", store=True, precompute=True)

    _charge_live_once = models.Constraint(
        "EXCLUDE (charge_id WITH =, responsibility WITH =) WHERE (claim_live)"
        " DEFERRABLE INITIALLY IMMEDIATE",
        "This care is already on another claim. Refresh the page, and add the invoices again.",
    )
