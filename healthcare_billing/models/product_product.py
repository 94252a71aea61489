from datetime import timedelta

from odoo import api, models

from ..tools.units import care_units


class ProductProduct(models.Model):
    _inherit = "product.product"

    @api.model_create_multi
    def create(self, vals_list):
        # a variant created on its own creates its template, with defaults that are taken here
        return super().create(self.env["product.template"]._care_service_vals(vals_list))

    def _care_units(self, *, visits=1, scheduled_minutes=0.0, clocked_minutes=0.0, distance=0.0):
        """The quantity to bill for this service by its unit rule (R3); see ``tools.units``.

        :return: units, not rounded
        :rtype: float
        """
        self.ensure_one()
        # products older than this addon have no values here until one is chosen
        return float(
            care_units(
                self.unit_rule or "visit",
                visits=visits,
                scheduled_minutes=scheduled_minutes,
                clocked_minutes=clocked_minutes,
                distance=distance,
                block_minutes=self.block_minutes,
                rounding_method=self.rounding_method or "none",
                rounding_minutes=int(self.rounding_minutes or 15),
                time_basis=self.time_basis or "scheduled",
            )
        )

    def _care_length(self):
        """How long a visit of this service usually is.

        :rtype: timedelta
        """
        return timedelta(hours=self.default_duration or 1.0)
