from dataclasses import dataclass

from odoo import models
from odoo.exceptions import UserError

from .healthcare_charge import PRICING


@dataclass(frozen=True, slots=True)
class RepriceProposal:
    """What a charge would become by today's defaults of its billing account.

    :ivar origin: ``default`` (an old default made it), ``no_default`` (the service was chosen when
        the client had no default one) or ``typed`` (somebody typed the fee)
    :ivar price: values of ``healthcare.charge._find_prices``
    """

    charge: object
    service: object
    quantity: float
    price: dict
    amount: float
    origin: str

    @property
    def mark(self):
        """Text that differs as soon as anything differs that the preview shows."""
        charge, price = self.charge, self.price
        return "|".join(
            (
                f"{charge.product_id.id} {charge.quantity:.2f} {charge.price_unit:.4f}",
                f"{charge.is_priced} {charge.price_source} {charge.amount:.4f}",
                f"{self.service.id} {self.quantity:.2f} {price['price_unit']:.4f}",
                f"{price['is_priced']} {price['price_source']} {price['currency_id']}",
            )
        )


class HealthcareCharge(models.Model):
    """Repricing (R2): what defaults of today would make of a charge, and doing so."""

    _inherit = "healthcare.charge"

    # -- preview ---------------------------------------------------------------------------------
    def _reprice_proposals(self):
        """What the billing accounts' defaults of today would change. Writes nothing.

        :return: ``{charge: RepriceProposal}``, only charges that would change
        """
        services = {charge: charge._service_by_default() for charge in self}
        prices = self._find_prices(services)
        proposals = {}
        for charge in self:
            service, price = services[charge], prices[charge]
            if charge._is_affected(service, price):
                proposals[charge] = charge._reprice_proposal(service, price)
        return proposals

    def _service_by_default(self):
        """The service that today's default gives; what was chosen against a default stays."""
        self.ensure_one()
        default = self.billing_account_id.default_product_id
        if not default or not self.product_id or not self._is_own_service():
            return self.product_id
        if self.appointment_id.product_source == "chosen":
            return self.product_id
        return default

    def _is_own_service(self):
        """Whether this is the one charge that follows the service of its appointment."""
        self.ensure_one()
        appointment = self.appointment_id
        followers = appointment._service_charges().filtered(
            lambda charge: charge.product_id == appointment.product_id
        )
        return bool(appointment) and followers == self

    def _is_affected(self, service, price):
        """Whether code or fee differ because of the billing account, and not of a price list."""
        self.ensure_one()
        if service != self.product_id:
            return True
        same_fee = (self.is_priced, round(self.price_unit, 4), self.currency_id.id) == (
            price["is_priced"], round(price["price_unit"], 4), price["currency_id"],
        )  # fmt: skip
        return not same_fee and "billing_account" in (self.price_source, price["price_source"])

    def _reprice_proposal(self, service, price):
        self.ensure_one()
        quantity = self.quantity
        if service != self.product_id:
            quantity = round(self.appointment_id._billable_units(service), 2)
        currency = self.env["res.currency"].browse(price["currency_id"])
        if self.price_source == "typed":
            origin = "typed"
        elif service != self.product_id and self.appointment_id.product_source == "no_default":
            origin = "no_default"
        else:
            origin = "default"
        return RepriceProposal(
            charge=self,
            service=service,
            quantity=quantity,
            price=price,
            amount=currency.round(quantity * price["price_unit"]) if price["is_priced"] else 0.0,
            origin=origin,
        )

    # -- doing it --------------------------------------------------------------------------------
    def _reprice(self, marks):
        """Give charges the service and fee that were shown; what changed meanwhile is left alone.

        :param dict marks: ``RepriceProposal.mark`` per charge, as shown
        :return: ``{charge: text}`` why a charge was skipped; the others are repriced
        """
        free = self.try_lock_for_update(allow_referencing=True)
        skipped = dict.fromkeys(
            self - free, self.env._("Another user is working on it right now. Try again.")
        )
        proposals = free._reprice_proposals()
        ready = self.browse()
        for charge in free:
            proposal = proposals.get(charge)
            if charge.is_live:
                skipped[charge] = self.env._("It was invoiced since the preview.")
            elif not proposal or proposal.mark != marks[charge]:
                skipped[charge] = self.env._("It was changed since the preview.")
            else:
                ready |= charge
        before = {charge: charge._price_text() for charge in ready}
        skipped.update(ready._take_proposals({c: proposals[c] for c in ready}))
        (ready - self.browse(charge.id for charge in skipped))._log_repricing(before)
        return skipped

    def _take_proposals(self, proposals):
        """Write services through the appointments, so that units and modifiers follow.

        :return: ``{charge: text}`` of those that were refused
        """
        groups = {}
        for charge in self:
            service = proposals[charge].service
            key = service if service != charge.product_id else None
            groups.setdefault(key, self.browse())
            groups[key] |= charge
        refused = {}
        for service, charges in groups.items():
            refused.update(charges._take_service_or_price(service))
        return refused

    def _forget_typed_prices(self):
        """A typed price makes room for the one that is found."""
        typed = self.filtered(lambda charge: charge.price_source == "typed")
        typed.with_context(healthcare_pricing=PRICING).write(
            {"price_source": "missing", "is_priced": False}
        )

    def _take_service_or_price(self, service):
        """All at once; if one is refused, one after the other.

        :return: ``{charge: text}`` of those that were refused
        """
        try:
            with self.env.cr.savepoint():
                self._forget_typed_prices()
                if service:
                    self.appointment_id.write({"product_id": service.id})
                self._apply_prices()
                self.env.flush_all()
        except UserError as error:
            if len(self) == 1:
                return {self: str(error)}
            refused = {}
            for charge in self:
                refused.update(charge._take_service_or_price(service))
            return refused
        return {}

    def _price_text(self):
        """Service, units and fee in one line, as a biller reads it."""
        self.ensure_one()
        if not self.is_priced:
            return self.env._("%s: no price", self.product_id.display_name or "")
        return self.env._(
            "%(service)s: %(units)s × %(fee)s",
            service=self.product_id.display_name or "",
            units=f"{self.quantity:g}",
            fee=self.currency_id.format(self.price_unit),
        )

    def _log_repricing(self, before):
        """Who repriced, from what to what, on each appointment."""
        lines = {}
        for charge in self.filtered("appointment_id"):
            text = self.env._(
                "Repriced: %(before)s → %(after)s",
                before=before[charge],
                after=charge._price_text(),
            )
            lines.setdefault(charge.appointment_id, []).append(text)
        appointments = self.env["healthcare.appointment"].browse(a.id for a in lines)
        appointments._message_log_batch(
            bodies={appointment.id: "\n".join(texts) for appointment, texts in lines.items()}
        )
