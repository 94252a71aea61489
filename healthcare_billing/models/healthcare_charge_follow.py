from collections import defaultdict

from odoo import models
from odoo.fields import Command

from .healthcare_charge import MAX_DIAGNOSES, MAX_MODIFIERS, PRICING


class HealthcareCharge(models.Model):
    """How a charge that isn't billed follows its appointment."""

    _inherit = "healthcare.charge"

    def _follow_sources(self, former_sources):
        """Take the appointment's new service; reprice what has a new service, payer or account.

        A new service changes the price of its own charge only: those added by hand stay as they
        were frozen (R2).

        :param dict former_sources: of ``healthcare.appointment._sync_service_charges``
        """
        followers, repriced = self.browse(), self.browse()
        for charge in self:
            appointment = charge.appointment_id
            former = former_sources.get(appointment.id, {})
            now = appointment._charge_sources()
            follows = charge.product_id.id == former.get("product_id")
            others_changed = any(
                now[name] != former.get(name) for name in now if name != "product_id"
            )
            if follows:
                followers |= charge
            if others_changed or (
                follows and now["product_id"] not in (False, former["product_id"])
            ):
                repriced |= charge
        followers._take_service_from_appointment()
        repriced._apply_prices()

    def _take_service_from_appointment(self):
        for product, charges in self.grouped(lambda c: c.appointment_id.product_id).items():
            others = charges.filtered(lambda c, product=product: c.product_id != product)
            if product and others:
                others.with_context(healthcare_pricing=PRICING).write(
                    {
                        "product_id": product.id,
                        "modifier_ids": [Command.set(product.modifier_ids[:MAX_MODIFIERS].ids)],
                        "price_source": "missing",
                        "is_priced": False,
                        "quantity_typed": False,
                    }
                )

    def _take_quantity_from_appointment(self):
        changed = defaultdict(self.browse)  # one write for all charges of the same units
        for charge in self:
            units = charge.appointment_id._billable_units()
            if not charge.quantity_typed and charge.quantity != units:
                changed[units] |= charge
        for units, charges in changed.items():
            charges.with_context(healthcare_pricing=PRICING).quantity = units

    def _take_diagnoses_from_appointment(self):
        for charge in self:
            known = charge.appointment_id._ordered_diagnoses()
            kept = charge.diagnosis_ids & known
            charge.diagnosis_ids = kept or known[:MAX_DIAGNOSES]
