from odoo import fields, models


class ProductPricelistItem(models.Model):
    """A rule of a fee schedule may be a rate for holidays only."""

    _inherit = "product.pricelist.item"

    is_holiday_rate = fields.Boolean(
        string="Holiday Rate",
        help="Counts for care on holidays of the payer's or company's calendar, and on no other "
        "day. There it comes before the other rules, and before the payer's holiday multiplier. "
        "Sales orders and other price lists know nothing of it.",
    )

    def _compute_price(self, product, quantity, uom, date, currency=None, **kwargs):
        """A holiday rate may be based on another list: on its rules for every day."""
        kwargs.pop("care_holiday", None)
        return super()._compute_price(product, quantity, uom, date, currency=currency, **kwargs)


class ProductPricelist(models.Model):
    _inherit = "product.pricelist"

    def _get_applicable_rules_domain(self, products, date, **kwargs):
        """Holiday rates only where care is priced that was given on a holiday.

        The argument ``care_holiday`` of ``_compute_price_rule`` asks for them, and for no others.
        """
        domain = super()._get_applicable_rules_domain(products=products, date=date, **kwargs)
        return [*domain, ("is_holiday_rate", "=", bool(kwargs.get("care_holiday")))]
