import datetime
from collections import defaultdict
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError

from .healthcare_charge import BILLED_FIELDS, PART_FIELDS
from .healthcare_charge_balance import PARTIES
from .healthcare_charge_correction import CORRECTING
from .healthcare_charge_transfer import TRANSFER

# What a payer said: written by ``_adjudicate`` only.
ADJUDICATED_FIELDS = {
    "is_adjudicated", "allowed_amount", "sequestration_amount", "is_adjudication",
}  # fmt: skip
# Void as soon as a payer has spoken; finance charges stay (R4).
VOIDED_KINDS = ("service_charge", "discount")


class Adjudication(NamedTuple):
    """What a payer decided on a charge, untaxed, in the charge's currency.

    :ivar allowed: price that the payer allows; 0.00 is a denial
    :ivar sequestration: what of it the government keeps back
    :ivar client_part: what of the rest the client owes (co-pay, deductible, co-insurance); None: as
        billed, at most all of it
    :ivar reason: ``healthcare.adjustment.reason`` that takes the difference, default contractual
    :ivar date: of the documents, default today
    """

    allowed: float
    sequestration: float = 0.0
    client_part: float | None = None
    reason: object = None
    date: datetime.date | None = None


class HealthcareCharge(models.Model):
    """Adjudication (R4): from then on the allowed price counts, whatever was quoted.

    What was billed stays. Per party one child ``adjustment`` books the difference between what is
    owed now (allowed - sequestered + finance charges) and what the charge with its corrections
    bills, on the reason's contra-revenue account; with it service charges and discounts are void.
    What moves to the client is a child ``transfer``: it changes nobody's revenue.
    """

    _inherit = "healthcare.charge"

    is_adjudicated = fields.Boolean(
        string="Adjudicated",
        readonly=True,
        copy=False,
        help="A payer decided: the allowed price counts, be it 0.00, instead of the quoted one.",
    )
    allowed_amount = fields.Monetary(string="Price Allowed", readonly=True, copy=False)
    sequestration_amount = fields.Monetary(
        string="Sequestered",
        readonly=True,
        copy=False,
        help="What of the allowed price the government keeps back.",
    )
    is_adjudication = fields.Boolean(
        string="Made by an Adjudication",
        readonly=True,
        copy=False,
        help="The difference to what a payer allows, or what it left to the client.",
    )

    # -- made by _adjudicate only ----------------------------------------------------------------
    @api.model
    def _guarded_names(self):
        return super()._guarded_names() | ADJUDICATED_FIELDS

    @api.model_create_multi
    def create(self, vals_list):
        if not self._is_correcting():
            for vals in vals_list:
                self._check_adjudicated_fields(vals)
        return super().create(vals_list)

    def write(self, vals):
        if not self._is_correcting():
            self._check_adjudicated_fields(vals)
            names = BILLED_FIELDS & set(vals)
            kept = self.filtered(lambda c: names and (c.is_adjudication or c.is_adjudicated))
            if any(charge._changes(vals, names) for charge in kept):
                raise self._adjudication_error()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_adjudication(self):
        kept = self.filtered(lambda charge: charge.is_adjudication and charge.parent_id not in self)
        if kept and not self._is_correcting():
            raise self._adjudication_error()

    @api.model
    def _is_correcting(self):
        return self.env.context.get("healthcare_correcting") is CORRECTING

    @api.model
    def _check_adjudicated_fields(self, vals):
        if any(vals.get(name) for name in ADJUDICATED_FIELDS) or (
            self and any(self._changes(vals, {name}) for name in ADJUDICATED_FIELDS & set(vals))
        ):
            raise self._adjudication_error()

    @api.model
    def _adjudication_error(self):
        return UserError(
            self.env._(
                "What a payer allowed is recorded by “Adjudicate” on the charge, and holds what "
                "was quoted fast. Take it back by “Undo Adjudication” first."
            )
        )

    # -- adjudicating ----------------------------------------------------------------------------
    def _adjudicate(self, adjudications):
        """Record what a payer decided, and book the difference to what was billed.

        Saying the same again books nothing; saying something else books the difference to that.

        :param dict adjudications: ``{charge: Adjudication}``, charges without corrections
        :return: the child charges that were made
        :raise UserError: what can't be allowed, or can't be booked now; then nothing is
        """
        charges = self.browse(charge.id for charge in adjudications)
        charges._check_may_correct()
        charges._lock_for_correction()
        rounded = {
            charge: charge._checked_adjudication(adjudication)
            for charge, adjudication in adjudications.items()
        }
        values = []
        net = charges._net_parts()
        for charge, adjudication in rounded.items():
            values += charge._adjudication_children(adjudication, net)
        children = charges._make_corrections(values)
        for charge, adjudication in rounded.items():
            charge.with_context(healthcare_correcting=CORRECTING).write(
                {
                    "is_adjudicated": True,
                    "allowed_amount": adjudication.allowed,
                    "sequestration_amount": adjudication.sequestration,
                }
            )
        charges._book_by_date(children, {c: a.date for c, a in rounded.items()})
        charges._return_what_is_left()
        charges._log_on_care(
            {charge: charge._adjudication_text(told) for charge, told in rounded.items()}
        )
        return children

    def _unadjudicate(self, date=None):
        """Take adjudications back: quote, service charges and discounts count again.

        What is posted gets its opposite, what isn't billed yet is deleted.

        :param date date: of the documents, default today
        :return: the child charges that were made
        :raise UserError: what can't be booked now; then nothing is
        """
        charges = self._roots().filtered("is_adjudicated")
        if not charges:
            return self.browse()
        charges._check_may_correct()
        charges._lock_for_correction()
        made = charges.child_ids.filtered("is_adjudication")
        billed = made & made._ledger_lines().charge_id.with_env(self.env)
        (made - billed).with_context(healthcare_correcting=CORRECTING).unlink()
        net = charges._net_parts()
        values = []
        for charge in charges:
            values += charge._opposite_children(billed & charge.child_ids, net)
        children = charges._make_corrections(values)
        charges.with_context(healthcare_correcting=CORRECTING).write(
            {"is_adjudicated": False, "allowed_amount": 0.0, "sequestration_amount": 0.0}
        )
        charges._book_by_date(children, dict.fromkeys(charges, date))
        charges._keep_returned()
        text = self.env._("the payer's decision was taken back, what was quoted counts again.")
        charges._log_on_care(dict.fromkeys(charges, text))
        return children

    def _checked_adjudication(self, adjudication):
        """The same, in cents and with its defaults.

        :raise UserError: negative amounts, more sequestered or left to the client than is allowed
        """
        self.ensure_one()
        rounded = self.currency_id.round
        if not self.is_priced:
            raise UserError(
                self.env._(
                    "%s has no price yet: nobody was asked for anything that a payer could allow.",
                    self.display_name,
                )
            )
        allowed, kept_back = rounded(adjudication.allowed), rounded(adjudication.sequestration)
        client_part = adjudication.client_part
        if allowed < 0 or not 0 <= kept_back <= allowed:
            raise UserError(
                self.env._(
                    "%s: the allowed price can't be negative, and no more than that can be "
                    "sequestered.",
                    self.display_name,
                )
            )
        if client_part is not None:
            client_part = rounded(client_part)
            if not 0 <= client_part <= rounded(allowed - kept_back):
                raise UserError(
                    self.env._(
                        "%(charge)s: the client can owe between 0.00 and %(most)s of what is "
                        "allowed.",
                        charge=self.display_name,
                        most=self.currency_id.format(allowed - kept_back),
                    )
                )
        reason = adjudication.reason or self.env.ref("healthcare_billing.adjustment_reason_45")
        day = adjudication.date or fields.Date.context_today(self)
        return Adjudication(allowed, kept_back, client_part, reason, day)

    def _adjudication_children(self, adjudication, net):
        """What is to be made so that each party owes what was decided.

        :param dict net: of ``_net_parts``
        :return: list of values for ``create``
        """
        self.ensure_one()
        base, moved, finance, total = self._adjudication_sums(net)
        owed = self._split_allowed(adjudication, base)
        change = self._moved_to_client(adjudication, owed, base)
        values = []
        parts = {p: self.currency_id.round(change[p] - moved[p]) for p in PARTIES}
        if any(parts.values()):
            values.append(self._transfer_values(parts, adjudication.reason))
        for party in PARTIES:
            delta = owed[party] + finance[party] - total[party] - parts[party]
            delta = self.currency_id.round(delta)
            if delta:
                values.append(
                    self._correction_values(
                        "adjustment", party, delta, adjudication.reason, is_adjudication=True
                    )
                )
        return values

    def _adjudication_sums(self, net):
        """What the charge with its corrections bills, by what a payer's decision does to it.

        :param dict net: of ``_net_parts``
        :return: four times ``{responsibility: amount}``: what the decision replaces, what earlier
            ones moved between the parties, finance charges, and all together
        """
        self.ensure_one()
        base, moved, finance, total = (defaultdict(float) for _number in range(4))
        for charge in self | self.child_ids:
            for party in PARTIES:
                amount = net[charge.id, party]
                total[party] += amount
                if charge.kind == "finance_charge":
                    finance[party] += amount
                elif charge.is_adjudication:
                    moved[party] += amount if charge.kind == "transfer" else 0.0
                elif charge.kind not in VOIDED_KINDS:
                    base[party] += amount
        return base, moved, finance, total

    def _split_allowed(self, adjudication, base):
        """Who owes how much of what is allowed, without finance charges.

        :param dict base: what each party was billed without extras and earlier decisions
        :return: ``{responsibility: amount}``
        """
        self.ensure_one()
        rest = self.currency_id.round(adjudication.allowed - adjudication.sequestration)
        others = self._is_payer_responsible() or base["primary"] or base["secondary"]
        client = adjudication.client_part
        if not others:
            if client is not None and self.currency_id.compare_amounts(client, rest):
                raise UserError(
                    self.env._(
                        "%(charge)s has no payer: the client owes all of the %(amount)s.",
                        charge=self.display_name,
                        amount=self.currency_id.format(rest),
                    )
                )
            client = rest
        elif client is None:
            client = min(max(base["client"], 0.0), rest)
        rest = self.currency_id.round(rest - client)
        secondary = min(max(base["secondary"], 0.0), rest)
        primary = self.currency_id.round(rest - secondary)
        if primary and base["secondary"] and not base["primary"]:
            secondary, primary = rest, 0.0
        return {"client": client, "primary": primary, "secondary": secondary}

    def _moved_to_client(self, adjudication, owed, base):
        """Of what the payers were billed, what they leave to the client (or take from it).

        :return: ``{responsibility: amount}`` that adds up to 0.00
        """
        change = dict.fromkeys(PARTIES, 0.0)
        if adjudication.client_part is None:
            return change
        other = "primary" if base["primary"] or not base["secondary"] else "secondary"
        more = self.currency_id.round(owed["client"] - base["client"])
        less = self.currency_id.round(max(base[other], 0.0) - owed[other])
        # what the one owes more and the other less; the rest is nobody's any more
        amount = min(more, max(less, 0.0)) if more > 0 else max(more, min(less, 0.0))
        return change | {"client": amount, other: -amount}

    def _opposite_children(self, made, net):
        """What takes back these children of an adjudication, by reason.

        :param dict net: of ``_net_parts``
        """
        self.ensure_one()
        moved, values = defaultdict(float), []
        sums = defaultdict(float)
        for child in made:
            for party in PARTIES:
                if child.kind == "transfer":
                    moved[party] -= net[child.id, party]
                else:
                    sums[child.adjustment_reason_id, party] -= net[child.id, party]
        parts = {party: self.currency_id.round(moved[party]) for party in PARTIES}
        if any(parts.values()):
            values.append(self._transfer_values(parts, made.adjustment_reason_id[:1]))
        for (reason, party), amount in sums.items():
            if not self.currency_id.is_zero(amount):
                values.append(
                    self._correction_values(
                        "adjustment", party, amount, reason, is_adjudication=True
                    )
                )
        return values

    # -- values, booking -------------------------------------------------------------------------
    def _correction_values(self, kind, party, amount, reason=None, **vals):
        """Values of a child that changes what one party owes.

        :param float amount: untaxed, negative for what is owed no more
        """
        self.ensure_one()
        return {
            "parent_id": self.id,
            "kind": kind,
            "quantity": 1.0,
            "price_unit": amount,
            "adjustment_reason_id": reason.id if reason else False,
            **dict.fromkeys(PART_FIELDS.values(), 0.0),
            PART_FIELDS[party]: amount,
            **vals,
        }

    def _transfer_values(self, parts, reason):
        self.ensure_one()
        return {
            "parent_id": self.id,
            "kind": "transfer",
            "is_adjudication": True,
            "transfer_reason": reason.display_name or self.env._("Adjudication"),
            **{PART_FIELDS[party]: amount for party, amount in parts.items()},
        }

    @api.model
    def _make_corrections(self, values):
        made = self.with_context(healthcare_correcting=CORRECTING, healthcare_transfer=TRANSFER)
        return made.create(values).with_env(self.env)

    def _book_by_date(self, children, dates):
        """Book these children, those of one date together.

        :param dict dates: ``{charge: date or None}``
        """
        by_date = defaultdict(self.browse)
        today = fields.Date.context_today(self)
        for child in children:
            by_date[dates[child.parent_id] or today] |= child
        for day, own in by_date.items():
            own._book_corrections(day)

    def _adjudication_text(self, adjudication):
        self.ensure_one()
        text = self.env._(
            "%(allowed)s allowed, %(kept_back)s sequestered: %(reason)s.",
            allowed=self.currency_id.format(adjudication.allowed),
            kept_back=self.currency_id.format(adjudication.sequestration),
            reason=adjudication.reason.display_name,
        )
        if adjudication.client_part is None:
            return text
        part = self.currency_id.format(adjudication.client_part)
        return text + " " + self.env._("The client owes %s of it.", part)
