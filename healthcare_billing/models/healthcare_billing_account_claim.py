from odoo import fields, models


class HealthcareBillingAccount(models.Model):
    _inherit = "healthcare.billing.account"

    billing_provider_id = fields.Many2one(
        "hr.employee",
        string="Bills under Own NPI",
        domain="[('is_rendering_provider', '=', True)]",
        check_company=True,
        tracking=True,
        help="On claims of this account, the provider who bills under the own NPI. Empty: the "
        "practice's NPI.",
    )
