from odoo import api, fields, models


class HealthcareBillingInstalment(models.Model):
    """What billers see of an instalment."""

    _inherit = "healthcare.billing.instalment"

    billing_state = fields.Selection(
        [("later", "Later"), ("due", "Due"), ("billed", "Billed")],
        compute="_compute_billing_state",
        help="Billed: an invoice or draft holds it. Due: the next bill takes it.",
    )

    @api.depends("is_billed", "date")
    def _compute_billing_state(self):
        today = self.env.company._care_today()
        for instalment in self:
            if instalment.is_billed:
                instalment.billing_state = "billed"
            else:
                is_due = instalment.date and instalment.date <= today
                instalment.billing_state = "due" if is_due else "later"
