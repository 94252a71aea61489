from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    """Where charges, discounts, courtesy and sold receivables are booked."""

    _inherit = "res.config.settings"

    healthcare_finance_charge_product_id = fields.Many2one(
        related="company_id.healthcare_finance_charge_product_id", readonly=False
    )
    healthcare_service_charge_product_id = fields.Many2one(
        related="company_id.healthcare_service_charge_product_id", readonly=False
    )
    healthcare_discount_product_id = fields.Many2one(
        related="company_id.healthcare_discount_product_id", readonly=False
    )
    healthcare_courtesy_reason_id = fields.Many2one(
        related="company_id.healthcare_courtesy_reason_id", readonly=False
    )
    healthcare_courtesy_account_id = fields.Many2one(
        related="healthcare_courtesy_reason_id.account_id",
        string="Courtesy Account",
        readonly=False,
    )
    healthcare_sold_reason_id = fields.Many2one(
        related="company_id.healthcare_sold_reason_id", readonly=False
    )
    healthcare_sold_account_id = fields.Many2one(
        related="healthcare_sold_reason_id.account_id",
        string="Loss on Sold Receivables",
        readonly=False,
    )
