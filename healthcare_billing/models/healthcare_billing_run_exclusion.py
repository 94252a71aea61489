from odoo import fields, models


class HealthcareBillingRunExclusion(models.Model):
    """Something a run leaves out, for one reason: the "left out" tab, groupable by reason."""

    _name = "healthcare.billing.run.exclusion"
    _description = "Left out of a Billing Run"
    _order = "reason_id, id"
    _rec_name = "reason_id"

    run_id = fields.Many2one(
        "healthcare.billing.run", required=True, index=True, ondelete="cascade"
    )
    charge_id = fields.Many2one("healthcare.charge", required=True, index=True, ondelete="cascade")
    reason_id = fields.Many2one(
        "healthcare.block.reason", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="charge_id.company_id", store=True)
    currency_id = fields.Many2one(related="charge_id.currency_id")
    appointment_id = fields.Many2one(related="charge_id.appointment_id")
    client_id = fields.Many2one(related="charge_id.client_id", store=True)
    service_date = fields.Date(related="charge_id.service_date", store=True)
    amount = fields.Monetary(related="charge_id.amount")
    remedy = fields.Text(related="reason_id.remedy", string="What to Do")
    has_mend_button = fields.Boolean(related="reason_id.has_mend_button")

    def action_mend(self):
        """Open the record on which the reason can be mended."""
        self.ensure_one()
        charge = self.charge_id.with_context(healthcare_invoice_date=self.run_id.invoice_date)
        return charge._mend_action(self.reason_id)
