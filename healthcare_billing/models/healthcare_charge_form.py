from odoo import api, models
from odoo.fields import Domain


class HealthcareCharge(models.Model):
    """What the screens need of charges: which are to bill, and what follows while one types."""

    _inherit = "healthcare.charge"

    @api.model
    def _find_to_bill(self, domain):
        """Charges for a run, priced where a price can be found by now.

        :param domain: the run's criteria
        """
        unpriced = self.search(Domain(domain) & Domain("is_priced", "=", False))
        unpriced.action_find_price()
        return self.search(domain)

    @api.onchange("product_id")
    def _onchange_product_id(self):
        """On a run's row the fee follows the service; elsewhere it is found when saving."""
        if self.env.context.get("healthcare_row") and self.price_source != "typed":
            self.update(self._find_prices()[self])

    @api.onchange("amount_client")
    def _onchange_amount_client(self):
        self._follow_typed_part("amount_client")

    @api.onchange("amount_payer")
    def _onchange_amount_payer(self):
        self._follow_typed_part("amount_payer")

    def _follow_typed_part(self, name):
        """Move the rest to whoever was not typed, as saving does."""
        total = self.amount_client + self.amount_payer + self.amount_secondary
        if not self.currency_id.compare_amounts(total, self.amount):
            return
        if self._is_payer_responsible():  # else saving says why nobody else can owe a part
            self.update(self._completed_parts({name: self[name]}))

    def _correct(self, vals):
        """Write what a user corrected on a run's row; a service brings its fee, if none is typed.

        :param dict vals: values as the form sends them
        """
        self.ensure_one()
        if "product_id" not in vals:
            self.write(vals)
            return
        vals = dict(vals)
        price = vals.pop("price_unit", None)
        parts = self._only_parts(vals)
        self.write(self._without_parts(vals))
        self._apply_prices()
        if price is not None and price != self.price_unit:
            self.write({"price_unit": price})
        if parts:
            self.write(parts)
