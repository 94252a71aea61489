from odoo import api, models

from .healthcare_charge import BILLED_FIELDS, PRICING

# What of a charge is what its cycle closed with; modifiers and diagnoses bill nothing.
CLOSED_FIELDS = BILLED_FIELDS | {"quantity_typed", "parts_typed", "copay"}


class HealthcareCharge(models.Model):
    """Charges of visits of closed billing cycles stay as their visits do (R14)."""

    _inherit = "healthcare.charge"

    @api.model_create_multi
    def create(self, vals_list):
        """Nothing is added to a visit of a closed cycle, but corrections of what was invoiced."""
        charges = super().create(vals_list)
        charges.filtered(lambda charge: not charge.parent_id).appointment_id._check_none_closed()
        return charges

    def write(self, vals):
        """Nor is it priced otherwise.

        What follows from something else that is allowed, such as the end of a review, was asked
        about there.
        """
        names = CLOSED_FIELDS & set(vals)
        if names and self.env.context.get("healthcare_pricing") is not PRICING:
            changed = self.filtered(lambda charge: charge._changes(vals, names))
            changed.appointment_id._check_none_closed()
        return super().write(vals)

    def _reprice(self, marks):
        """Charges of closed cycles are left alone, and said."""
        visits = self.appointment_id._in_closed_cycle()
        closed = self.filtered(lambda charge: charge.appointment_id in visits)
        skipped = super(HealthcareCharge, self - closed)._reprice(marks)
        text = self.env._("Its billing cycle is closed.")
        return {**skipped, **dict.fromkeys(closed, text)}

    @api.ondelete(at_uninstall=False)
    def _unlink_except_closed(self):
        self.appointment_id._check_none_closed()
