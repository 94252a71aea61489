from odoo import models
from odoo.fields import Command
from odoo.tools import float_compare

from .healthcare_charge import BILLED_FIELDS, PART_FIELDS, PRICING

DIGITS = {"quantity": 2, "price_unit": 4}


class HealthcareCharge(models.Model):
    """Corrections of a charge whose invoice is credited and billed again."""

    _inherit = "healthcare.charge"

    def _rebill_values(self):
        """What credit and rebill can correct, as it is now."""
        self.ensure_one()
        return {
            "product_id": self.product_id.id,
            "quantity": self.quantity,
            "price_unit": self.price_unit,
            "modifier_ids": [Command.set(self.modifier_ids.ids)],
            "diagnosis_ids": [Command.set(self.diagnosis_ids.ids)],
            **{name: self[name] for name in PART_FIELDS.values()},
        }

    def _parts_of_amount(self, amount):
        """Who would owe which part, if the charge were of another amount.

        :return: ``{part field: amount}``
        """
        self.ensure_one()
        if self.parts_typed and self._is_payer_responsible():
            client = min(self.amount_client, amount)
            secondary = min(self.amount_secondary, amount - client)
        else:
            client, secondary = self._default_client_part(amount), 0.0
        return {
            "amount_client": client,
            "amount_payer": self.currency_id.round(amount - client - secondary),
            "amount_secondary": secondary,
        }

    def _corrected_values(self, vals):
        """Of wanted values, those that differ from what the charge says.

        :param dict vals: field values; ids for many2one, lists of ids for many2many
        """
        self.ensure_one()
        changed = {}
        for name, value in vals.items():  # what follows a changed service is compared again later
            field = self._fields[name]
            if field.type == "many2many":
                differs = set(self[name].ids) != set(value)
            elif field.type == "many2one":
                differs = (self[name].id or False) != (value or False)
            elif name in PART_FIELDS.values():
                differs = bool(self.currency_id.compare_amounts(self[name], value))
            else:
                differs = bool(float_compare(self[name], value, precision_digits=DIGITS[name]))
            if differs:
                changed[name] = value
        return changed

    def _changes_invoice(self, vals):
        """Whether these changes alter what the invoices of all parties say."""
        return bool(BILLED_FIELDS & set(vals))

    def _correct_for_rebill(self, vals):
        """Write corrections on a charge that no invoice holds any more.

        A fee that today's rules give keeps its source; any other fee is a typed one.

        :param dict vals: of ``_corrected_values``
        """
        self.ensure_one()
        vals = dict(vals)
        fee = vals.pop("price_unit", None)
        service_id = vals.pop("product_id", None)
        if service_id:
            self._change_service(self.env["product.product"].browse(service_id))
        if "quantity" in vals and not self._corrected_values({"quantity": vals["quantity"]}):
            vals.pop("quantity")  # the new service gave these units already
        for name in ("modifier_ids", "diagnosis_ids"):
            if name in vals:
                vals[name] = [Command.set(vals[name])]
        parts = self._only_parts(vals)
        rest = self._without_parts(vals)
        if rest:
            self.write(rest)
        if fee is not None and self._corrected_values({"price_unit": fee}):
            self._take_fee(fee)
        if parts:
            self.write(parts)

    def _change_service(self, service):
        """Through the appointment where this is its own service, so that everything follows."""
        appointment = self.appointment_id
        if self._is_own_service() and not appointment.charge_ids._live_lines():
            appointment.write({"product_id": service.id})
            return
        self.with_context(healthcare_pricing=PRICING).write(
            {"product_id": service.id, "price_source": "missing", "is_priced": False}
        )
        self._apply_prices()

    def _take_fee(self, fee):
        found = self._find_prices()[self]
        if found["is_priced"] and not float_compare(found["price_unit"], fee, precision_digits=4):
            self.with_context(healthcare_pricing=PRICING).write(found)
        else:
            self.write({"price_unit": fee})
