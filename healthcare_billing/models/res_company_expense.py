from odoo import api, fields, models


class ResCompany(models.Model):
    """What clients are billed for things that were bought for them."""

    _inherit = "res.company"

    healthcare_expense_product_id = fields.Many2one(
        "product.product",
        "Expense Service",
        default=lambda self: self.env.ref(
            "healthcare_billing.product_expense", raise_if_not_found=False
        ),
        domain="[('is_healthcare_service', '=', True)]",
        help="Expenses of clients that name no service of their own are booked on its income "
        "account.",
    )
    healthcare_expense_markup = fields.Float(
        "Markup on Expenses (%)",
        digits=(16, 2),
        help="Added to the cost of expenses, unless the billing account has a markup of its own.",
    )

    _check_healthcare_expense_markup = models.Constraint(
        "CHECK (healthcare_expense_markup >= 0)", "The markup on expenses can't be negative."
    )

    @api.model
    def _set_fee_products(self):
        result = super()._set_fee_products()
        self.search([("healthcare_expense_product_id", "=", False)]).write(
            {"healthcare_expense_product_id": self.env.ref("healthcare_billing.product_expense").id}
        )
        return result
