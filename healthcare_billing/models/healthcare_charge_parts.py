from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .healthcare_charge import PART_FIELDS


def _within(part, amount):
    """A part lies between nothing and the amount, which may be negative."""
    return min(max(part, min(amount, 0.0)), max(amount, 0.0))


class HealthcareCharge(models.Model):
    """Who owes a charge: parts of client and payers that always add up to its amount."""

    _inherit = "healthcare.charge"

    # Not on the coverage: a changed default touches no charge that exists (R2).
    @api.depends("payer_id", "billing_account_id")
    def _compute_copay(self):
        for charge in self:
            charge.copay = charge.billing_account_id._default_copay(
                charge.payer_id, charge.service_date or fields.Date.context_today(charge)
            )

    @api.depends(
        "amount",
        "copay",
        "payer_id",
        "billing_account_id",
        "appointment_id.state",
        "appointment_id.charge_ids",
    )
    def _compute_parts(self):
        """Split the amount; typed parts of client and secondary payer are kept as far as it goes.

        They fall with the payer's debt: when somebody owes again, the defaults count.
        """
        for charge in self:
            client, secondary = charge.amount_client, charge.amount_secondary
            if charge.is_held:  # who owes it stands in the ledger
                charge.amount_client, charge.amount_secondary = client, secondary
                charge.amount_payer = charge.amount_payer
                charge.parts_typed = charge.parts_typed
                continue
            charge.parts_typed = charge.parts_typed and charge._is_payer_responsible()
            if not charge.parts_typed:
                client, secondary = charge._default_client_part(), 0.0
            elif charge.kind != "transfer":
                client = _within(client, charge.amount)
                secondary = _within(secondary, charge.amount - client)
            charge.amount_client = client
            charge.amount_secondary = secondary
            charge.amount_payer = charge.currency_id.round(charge.amount - client - secondary)

    def _is_payer_responsible(self):
        """Whether anybody but the client can owe this charge (R7, invoicing model)."""
        self.ensure_one()
        return bool(
            self.payer_id
            and self.payer_id.invoicing_model != "client_individual"
            and not (self.appointment_id and self.appointment_id._is_client_only())
        )

    def _default_client_part(self, amount=None):
        """The co-pay for the first service of an appointment; all of it without a payer.

        :param float amount: of the charge, default its own
        """
        self.ensure_one()
        amount = self.amount if amount is None else amount
        if not self._is_payer_responsible():
            return amount
        if not self._is_first_service() or amount <= 0:
            return 0.0
        copay = self.company_id.currency_id._convert(
            self.copay,
            self.currency_id,
            self.company_id,
            self.service_date,
        )
        return min(copay, amount)

    def _is_first_service(self):
        """Whether this is the charge of its appointment that carries the co-pay."""
        self.ensure_one()
        if self.kind != "service" or self.parent_id:
            return False
        ids = self.appointment_id._service_charges()._origin.ids
        return not ids or self._origin.id == min(ids)

    def _parts(self):
        """Who owes how much of the charge; somebody always does, be it 0.00.

        :return: ``{responsibility: amount}`` in the charge's currency
        """
        self.ensure_one()
        parts = {
            responsibility: self[name]
            for responsibility, name in PART_FIELDS.items()
            if not self.currency_id.is_zero(self[name])
        }
        return parts or {"primary" if self._is_payer_responsible() else "client": 0.0}

    # Not on "amount": it is computed before its parts, which then still are those of the old one.
    @api.constrains("amount_client", "amount_payer", "amount_secondary")
    def _check_parts(self):
        for charge in self:
            total = charge.amount_client + charge.amount_payer + charge.amount_secondary
            if charge.currency_id.compare_amounts(total, charge.amount):
                raise ValidationError(
                    self.env._(
                        "%(charge)s: the parts of client and payers add up to %(total)s, not to "
                        "the charge's %(amount)s.",
                        charge=charge.display_name,
                        total=charge.currency_id.format(total),
                        amount=charge.currency_id.format(charge.amount),
                    )
                )
            parts = [charge[name] for name in PART_FIELDS.values()]
            low, high = sorted((0.0, charge.amount))
            if charge.kind != "transfer" and any(
                charge.currency_id.compare_amounts(part, low) < 0
                or charge.currency_id.compare_amounts(part, high) > 0
                for part in parts
            ):
                raise ValidationError(
                    self.env._(
                        "%(charge)s: nobody can owe more than the charge's %(amount)s, or less "
                        "than nothing.",
                        charge=charge.display_name,
                        amount=charge.currency_id.format(charge.amount),
                    )
                )

    @api.model
    def _only_parts(self, vals):
        return {name: vals[name] for name in PART_FIELDS.values() if name in vals}

    @api.model
    def _without_parts(self, vals):
        return {name: value for name, value in vals.items() if name not in PART_FIELDS.values()}

    def _completed_parts(self, typed):
        """Typed parts, and the rest on whoever was not typed: the sum never changes.

        Typing the client's part moves the difference to the payer, typing a payer's part moves it
        to the client; typing 0.00 so moves all of it.

        :param dict typed: some of the part fields
        :return: all of the part fields
        """
        self.ensure_one()
        insured = self._is_payer_responsible()
        if insured or not any(typed.get(n) for n in ("amount_payer", "amount_secondary")):
            parts = {name: typed.get(name, self[name]) for name in PART_FIELDS.values()}
            rest = "amount_payer" if "amount_payer" not in typed else "amount_client"
            if rest in typed:  # all typed: _check_parts tells when the sum is wrong
                return {**parts, "parts_typed": True}
            if rest == "amount_payer" and not insured:
                rest = "amount_client"
            others = sum(value for name, value in parts.items() if name != rest)
            parts[rest] = self.currency_id.round(self.amount - others)
            return {**parts, "parts_typed": True}
        raise UserError(
            self.env._(
                "%s has no payer who could owe a part: the client owes all of it. Choose a payer "
                "on the billing account first. Missed appointments are always the client's.",
                self.display_name,
            )
        )
