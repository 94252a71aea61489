from odoo import api, fields, models


class ResCompany(models.Model):
    """What clients are billed for things that were bought for them."""

    _inherit = "res.company"

    healthcare_expense_product_id = fields.Many2one(
        "product.product",
        "Expense Service",
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
    def _fee_services(self):
        return {
            **super()._fee_services(),
            "healthcare_expense_product_id": (self.env._("Expense"), "EXPENSE"),
        }
