from odoo import fields, models


class HealthcareSuperbillVoid(models.TransientModel):
    """Asks why superbills are void."""

    _name = "healthcare.superbill.void"
    _description = "Void Superbill"

    superbill_ids = fields.Many2many(
        "healthcare.superbill",
        required=True,
        readonly=True,
        default=lambda self: self.env.context.get("active_ids"),
    )
    reason = fields.Char(required=True)

    def action_void(self):
        """Declare the superbills void."""
        self.superbill_ids._void(self.reason)
        return {"type": "ir.actions.act_window_close"}
