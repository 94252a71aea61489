from odoo import api, fields, models


class HealthcareBillingRunConfirm(models.TransientModel):
    """Asks once more before a run books, with the true count and sum of what is selected."""

    _name = "healthcare.billing.run.confirm"
    _description = "Confirm a Billing Run"

    run_id = fields.Many2one("healthcare.billing.run", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="run_id.currency_id")
    invoice_count = fields.Integer(related="run_id.selected_count")
    item_count = fields.Integer(related="run_id.selected_charge_count")
    amount = fields.Monetary(related="run_id.amount_selected")
    invoice_date = fields.Date(related="run_id.invoice_date")
    post = fields.Boolean(related="run_id.post")
    in_background = fields.Boolean(compute="_compute_in_background")

    @api.depends("run_id")
    def _compute_in_background(self):
        for wizard in self:
            wizard.in_background = wizard.run_id._goes_to_background()

    def action_confirm(self):
        """Execute the run, close the question, and tell the result."""
        self.ensure_one()
        action = self.run_id.action_execute()
        action["params"]["next"] = {"type": "ir.actions.act_window_close"}
        return action
