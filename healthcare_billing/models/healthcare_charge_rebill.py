from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import float_compare

from .healthcare_charge import BILLED_FIELDS, PART_FIELDS, PRICING, SIGNED_KINDS

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

        With another service all count: it brings its own units, modifiers and fee, and what is
        wanted may be what the charge says now.

        :param dict vals: field values; ids for many2one, lists of ids for many2many
        """
        changed = self._differences(vals)
        return dict(vals) if "product_id" in changed else changed

    def _differences(self, vals):
        self.ensure_one()
        changed = {}
        for name, value in vals.items():
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

    # -- doing it --------------------------------------------------------------------------------
    def _check_no_transfer_waits(self, corrections):
        """A transfer that is billed later would move parts that aren't the same any more.

        :param dict corrections: ``{charge: changed values}``
        """
        for charge, vals in corrections.items():
            if not charge._changes_invoice(vals):
                continue
            waiting = charge._family()._waiting_transfers()
            if waiting:
                raise UserError(
                    self.env._(
                        "A transfer of %(charge)s waits to be billed (%(transfer)s). Bill it, or "
                        "delete it, then credit and rebill.",
                        charge=charge._root().display_name,
                        transfer=waiting[0].display_name,
                    )
                )

    def _waiting_transfers(self):
        moving = self.filtered(lambda charge: charge.kind in SIGNED_KINDS)
        billed = {(line.charge_id, line.responsibility) for line in moving._live_lines()}
        return moving.filtered(
            lambda charge: any((charge, party) not in billed for party in charge._parts())
        )

    def _parts_before_rebill(self):
        return {charge: charge._parts() for charge in self}

    def _correct_all_for_rebill(self, corrections, before, agreed):
        """Write corrections on charges that no invoice holds any more.

        :param dict corrections: ``{charge: changed values}``
        :param dict before: of ``_parts_before_rebill``, for all charges to be billed again
        :param agreed: of ``account.move._agreed_charges``; its sums stay what they were
        :return: frozenset of ``(charge id, responsibility)``: whose debts the corrections changed
        :raise UserError: a charge that nobody corrected would change as well
        """
        for charge, vals in corrections.items():
            charge._correct_for_rebill(vals)
        differences = self._keep_agreed_sums(agreed, before)
        before = {charge: before.get(charge, {}) for charge in self | differences}
        moved = frozenset(
            (charge.id, party)
            for charge, parts in before.items()
            for party, amount in charge._parts().items()
            if party not in parts or charge.currency_id.compare_amounts(amount, parts[party])
        )
        changed = self.browse(charge_id for charge_id, _party in moved)
        leaked = changed - differences - self.browse(charge.id for charge in corrections)
        if leaked:
            raise UserError(
                self.env._(
                    "%s would change as well, though nobody corrected it. Correct it in the same "
                    "dialog, or look up what prices it. Nothing was changed.",
                    ", ".join(leaked.mapped("display_name")),
                )
            )
        changed._check_nobody_owes_less_than_nothing()
        return moved

    def _check_nobody_owes_less_than_nothing(self):
        """What was transferred is never more than what the corrected charge is."""
        names = dict(self._party_names())
        for charge in self._roots().filtered(lambda root: root.amount >= 0):
            family = charge._family()
            for party, field in PART_FIELDS.items():
                owed = charge.currency_id.round(sum(family.mapped(field)))
                if owed < 0:
                    raise UserError(
                        self.env._(
                            "%(charge)s: so corrected, %(amount)s more was transferred from "
                            "%(party)s than it would owe. Transfer %(amount)s back to it, then "
                            "credit and rebill.",
                            charge=charge.display_name,
                            amount=charge.currency_id.format(-owed),
                            party=names[party],
                        )
                    )

    @api.model
    def _party_names(self):
        """Names of the parties, in the user's language."""
        return (
            self.env["account.move.line"]._fields["responsibility"]._description_selection(self.env)
        )

    def _correct_for_rebill(self, vals):
        """Write corrections on a charge that no invoice holds any more.

        A fee that today's rules give keeps its source; any other fee is a typed one.

        :param dict vals: of ``_corrected_values``
        """
        self.ensure_one()
        wanted = dict(vals)
        if "product_id" in self._differences(vals):
            self._change_service(self.env["product.product"].browse(vals["product_id"]))
        vals = self._differences(vals)
        fee = vals.pop("price_unit", None)
        for name in ("modifier_ids", "diagnosis_ids"):
            if name in vals:
                vals[name] = [Command.set(vals[name])]
        rest = self._without_parts(vals)
        if rest:
            self.write(rest)
        if fee is not None:
            self._take_fee(fee)
        parts = self._only_parts(wanted)
        if self._differences(parts):
            self.write(parts)
        self._check_corrected(wanted)

    def _check_corrected(self, wanted):
        """What was confirmed is what is billed, to the cent."""
        differences = self._differences(wanted)
        if differences:
            raise UserError(
                self.env._(
                    "%(charge)s can't be corrected as shown (%(fields)s). Nothing was changed: "
                    "open the dialog again, and type what is right.",
                    charge=self.display_name,
                    fields=", ".join(
                        self._fields[name]._description_string(self.env) for name in differences
                    ),
                )
            )

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
