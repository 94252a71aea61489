from odoo import models


class HealthcareBillingRun(models.Model):
    _inherit = "healthcare.billing.run"

    def action_add_to_claims(self):
        """Open the preview of the claims that this run's invoices would make."""
        self.ensure_one()
        return self.move_ids.action_add_to_claims()
