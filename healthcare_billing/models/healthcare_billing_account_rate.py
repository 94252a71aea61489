from odoo import fields, models


class HealthcareBillingAccountRate(models.Model):
    """A price agreed with one client. A rate that exists counts, 0.00 included: free."""

    _name = "healthcare.billing.account.rate"
    _description = "Billing Account Rate"
    _inherit = "healthcare.computed.mixin"
    _order = "account_id, product_id"
    _rec_name = "product_id"
    _check_company_auto = True

    account_id = fields.Many2one(
        "healthcare.billing.account", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True, precompute=True)
    product_id = fields.Many2one(
        "product.product",
        required=True,
        ondelete="restrict",
        string="Service",
        domain="[('is_healthcare_service', '=', True)]",
        check_company=True,
    )
    fee = fields.Float(digits=(16, 4), min_display_digits=2, required=True)

    _account_product_unique = models.UniqueIndex(
        "(account_id, product_id)", "A service has one rate per billing account."
    )
    _check_fee = models.Constraint("CHECK (fee >= 0)", "A rate can't be negative.")
