from collections import defaultdict

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import float_is_zero, float_round

from .healthcare_charge import PART_FIELDS, PRICING
from .healthcare_charge_balance import OWED_STAGES, PARTIES


class HealthcareCharge(models.Model):
    """A charge with its corrections as items of statements: one per party that owes a part."""

    _inherit = "healthcare.charge"

    def _debtor_of(self, party):
        """Who owes a party's part of this charge.

        :param str party: responsibility
        :return: ``res.partner`` record
        """
        self.ensure_one()
        return self[f"{PARTIES[party]}_debtor_id"]

    def _is_owed_by(self, party, partner):
        """Whether just this partner owes a party's part of this charge, or has its credit.

        Another address of the same company is somebody else: guarantors may be addresses of one
        employer, and none of them is told, or pays, what another one owes.

        :param str party: responsibility
        :param partner: ``res.partner`` record
        """
        return self._debtor_of(party) == partner._origin

    def _unpriced_debtor(self):
        """Who is told of this charge while it has no price: nobody knows the parts yet."""
        self.ensure_one()
        return self.payer_debtor_id or self.client_debtor_id

    def _item_amounts(self):
        """What is asked for these charges with their corrections, and what is left to pay of it.

        What is paid on account for care that isn't invoiced yet isn't asked for again.

        :return: ``{(charge id, responsibility): (price, amount due)}``, the posted part with taxes,
            in the charges' currency; (0.0, 0.0) by default
        """
        roots = self._roots()
        family = roots | roots.child_ids
        lines = family._posted_document_lines()
        prices = defaultdict(float)
        for move in lines.move_id:
            for key, amount in move._asked_per_party().items():
                prices[key] += amount
        for charge_id, parts in family._unbilled_amounts(lines).items():
            for party, amount in parts.items():
                prices[charge_id, party] += amount
        prepaid = roots._prepaid_amounts()
        return defaultdict(
            lambda: (0.0, 0.0),
            {
                (charge.id, party): (
                    charge.currency_id.round(prices[charge.id, party]),
                    charge.currency_id.round(
                        charge[f"balance_{suffix}"] - prepaid.get((charge.id, party), 0.0)
                    ),
                )
                for charge in roots
                for party, suffix in PARTIES.items()
            },
        )

    def _unbilled_parts(self):
        """Parts of these charges and their corrections that no invoice holds, drafts included.

        :return: ``{root id: {responsibility: [charge, …]}}``
        """
        family = self._family()
        held = {(line.charge_id.id, line.responsibility) for line in family._live_lines()}
        parts = defaultdict(lambda: defaultdict(list))
        for charge in family:
            if charge.billing_stage in OWED_STAGES:
                for party in charge._parts():
                    if (charge.id, party) not in held:
                        parts[charge._root().id][party].append(charge)
        return parts

    # -- quotes ----------------------------------------------------------------------------------
    def _own_fee_schedule(self):
        """A statement's fee schedule comes before the payer's; a record, so no client sends it."""
        chosen = self.env.context.get("healthcare_fee_schedule")
        return chosen if isinstance(chosen, models.BaseModel) else super()._own_fee_schedule()

    def _quoted_by(self, fee_schedule):
        """These charges, seeing a fee schedule instead of their payers' own.

        :param fee_schedule: ``product.pricelist`` record, or none: each payer's own
        """
        return self.with_context(healthcare_fee_schedule=fee_schedule) if fee_schedule else self

    def _item_quotes(self, fee_schedule):
        """What unbilled charges would be quoted now, with their corrections.

        What is paid on account for them isn't asked for again.

        :return: ``{(charge, responsibility): (price, amount due)}``, only what has a price other
            than 0.00
        """
        quotes = {}
        paid = self._on_account_amounts()  # none of it is invoiced: see _prepaid_amounts
        for charge, found in self._quoted_by(fee_schedule)._find_prices().items():
            if not found["is_priced"] or found["currency_id"] != charge.currency_id.id:
                continue
            amount = charge.currency_id.round(charge.quantity * found["price_unit"])
            parts = charge._parts_of_amount(amount)
            for party, name in PART_FIELDS.items():
                price = parts[name] + sum(
                    child[name] for child in charge.child_ids if child.billing_stage in OWED_STAGES
                )
                if not charge.currency_id.is_zero(price):
                    due = price - min(paid.get((charge.id, party), 0.0), max(price, 0.0))
                    quotes[charge.with_env(self.env), party] = (price, due)
        return quotes

    def _quote_item(self, party, price):
        """Make a party's item of this charge cost something else, for good.

        Before it is invoiced the fee is typed; after, the difference is a correction (kind
        adjustment) that has still to be booked.

        :param str party: responsibility
        :param float price: of the item with its corrections; taxes included once it is posted
        :return: the correction, or no record
        :raise UserError: on a draft, or without units to price
        """
        self.ensure_one()
        now, _due = self._item_amounts()[self.id, party]
        delta = self.currency_id.round(price - now)
        if self.is_priced and self.currency_id.is_zero(delta):
            return self.browse()
        if self.is_adjudicated:
            raise UserError(
                self.env._(
                    "%s was adjudicated: what the payer allowed counts, and no longer the quote. "
                    "Correct the adjudication instead.",
                    self.display_name,
                )
            )
        if self.is_held:  # what stands on an invoice is never changed
            self._check_not_on_draft(party)
            return self._correct_item(party, delta)
        amount = self.currency_id.round(self.amount + delta)
        price_unit = self._price_unit_for(amount)
        parts = {name: self[name] for name in PART_FIELDS.values()}
        parts[PART_FIELDS[party]] = self.currency_id.round(parts[PART_FIELDS[party]] + delta)
        self.write({"price_unit": price_unit, "is_priced": True})
        if any(self.currency_id.compare_amounts(self[name], parts[name]) for name in parts):
            self.write(parts)
        return self.browse()

    def _check_not_on_draft(self, party):
        draft = self._live_lines().filtered(
            lambda line: line.parent_state == "draft" and line.responsibility == party
        )
        if draft:
            raise UserError(
                self.env._(
                    "%(charge)s is on draft %(draft)s: delete it, or correct the price there.",
                    charge=self.display_name,
                    draft=draft[0].move_id._care_reference(),
                )
            )

    def _price_unit_for(self, amount):
        """The fee per unit that makes this charge of an amount.

        :raise UserError: there is none
        """
        self.ensure_one()
        digits = self._fields["price_unit"].get_digits(self.env)[1]
        if not float_is_zero(self.quantity, precision_digits=2):
            price_unit = float_round(amount / self.quantity, precision_digits=digits)
            if not self.currency_id.compare_amounts(self.quantity * price_unit, amount):
                return price_unit
        raise UserError(
            self.env._(
                "%(charge)s has %(units)s units: no fee per unit gives %(amount)s. Correct its "
                "units first.",
                charge=self.display_name,
                units=f"{self.quantity:g}",
                amount=self.currency_id.format(amount),
            )
        )

    def _correct_item(self, party, delta):
        """A correction by which a party owes more or less of what is invoiced.

        :param float delta: taxes included
        :return: the child charge, not booked yet
        """
        self.ensure_one()
        line = self._posted_document_lines().filtered(
            lambda line: (
                line.charge_live and line.charge_id == self and line.responsibility == party
            )
        )[:1]
        share = line.price_subtotal / line.price_total if line.price_total else 1.0
        untaxed = self.currency_id.round(delta * share)
        parts = dict.fromkeys(PART_FIELDS.values(), 0.0)
        parts[PART_FIELDS[party]] = untaxed
        return self.create(
            {"parent_id": self.id, "kind": "adjustment", "price_unit": untaxed, **parts}
        )

    def _find_missing_quotes(self, fee_schedule):
        """Price charges that have no price, and keep where it comes from (R1, R2)."""
        for charge, price in self._quoted_by(fee_schedule)._find_prices().items():
            if price["is_priced"] and price["currency_id"] == charge.currency_id.id:
                charge.with_context(healthcare_pricing=PRICING).write(price)
