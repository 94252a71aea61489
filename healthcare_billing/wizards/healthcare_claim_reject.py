from odoo import fields, models


class HealthcareClaimReject(models.TransientModel):
    """Asks why the payer rejected claims."""

    _name = "healthcare.claim.reject"
    _description = "Reject Claims"

    claim_ids = fields.Many2many("healthcare.claim", required=True)
    reason = fields.Char(required=True, help="As the payer put it.")

    def action_reject(self):
        """Reject the claims for this reason."""
        self.ensure_one()
        self.claim_ids._reject(self.reason)
        return {"type": "ir.actions.act_window_close"}
