"""What the engine would book: plain values, no records, nothing written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """One responsible party's part of one charge: an invoice line to be.

    :ivar charge_id: database id of the charge
    :ivar responsibility: client, primary, secondary or tertiary
    :ivar amount: untaxed, in the invoice's currency, signed as the charge
    :ivar is_whole: the part is all of the charge, so the line shows its units and fee
    """

    charge_id: int
    responsibility: str
    amount: float
    is_whole: bool


@dataclass(frozen=True, slots=True)
class PlannedFee:
    """A fixed fee to be: a charge that is made when its invoice is.

    :ivar instalment_id: the instalment that it is, or False
    :ivar period: first day of the month that it is for, or None for an instalment
    :ivar number: 1 for the first fee of the instalment or month, 2 when billed a second time, …
    :ivar amount: untaxed, in the billing account's currency
    """

    instalment_id: int | bool
    period: date | None
    number: int
    amount: float


@dataclass(frozen=True, slots=True)
class PlannedBasis:
    """On what terms a billing account's work is billed, where it isn't billed as recorded.

    :ivar account_id: database id of the billing account
    :ivar rule: quote or fixed
    :ivar responsibility: who agreed to it: client or primary
    :ivar covered_ids: ids of the charges that the quote or fee covers
    :ivar covered: their untaxed sum
    :ivar agreed: what is left of the quote, or the fees that are due
    :ivar fees: tuple of :class:`PlannedFee`
    :ivar adjustment: what makes up the difference; 0.0: nothing
    :ivar note: why this is billed, in words
    :ivar needs_tick: nothing is due any more: billed only when somebody says so
    """

    account_id: int
    rule: str
    responsibility: str
    covered_ids: tuple[int, ...]
    covered: float
    agreed: float
    fees: tuple[PlannedFee, ...]
    adjustment: float
    note: str
    needs_tick: bool

    @property
    def amount(self):
        """What the basis adds to the recorded work."""
        return sum(fee.amount for fee in self.fees) + self.adjustment


@dataclass(frozen=True, slots=True)
class PlannedInvoice:
    """An invoice to be (or a credit note, when the sum is negative).

    :ivar key: identifies the invoice within its run; the same charges give the same key
    :ivar partner_id: addressee
    :ivar client_id: the client all charges are of, or False
    :ivar charge_ids: database ids, in printing order
    :ivar parts: the lines, in printing order
    :ivar amounts: untaxed sum per responsibility
    :ivar amount: untaxed sum of the charges and extra lines, in the invoice's currency
    :ivar values: header values for ``account.move``
    :ivar extra_lines: lines besides the charges: dicts (name, price_unit, quantity, product_id)
    :ivar bases: quotes and fixed fees of mass billing: charges are made for them at booking
    :ivar details: further values for the run's row
    """

    key: str
    partner_id: int
    client_id: int | bool
    payer_id: int | bool
    company_id: int
    currency_id: int
    charge_ids: tuple[int, ...]
    parts: tuple[PlannedPart, ...]
    amounts: Mapping[str, float]
    amount: float
    values: Mapping[str, object] = field(default_factory=dict)
    extra_lines: tuple[Mapping[str, object], ...] = ()
    bases: tuple[PlannedBasis, ...] = ()
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def move_type(self):
        """A negative sum is a credit note; zero is an invoice of nothing."""
        return "out_refund" if self.amount < 0 else "out_invoice"


@dataclass(frozen=True)
class BillingPlan:
    """Result of ``healthcare.billing.engine.plan``: invoices to be, and what is left out and why.

    :ivar invoices: tuple of :class:`PlannedInvoice`
    :ivar blocked: ``{charge id: tuple of block reason codes}``
    :ivar options: the keyword arguments of ``plan`` that the run must remember
    """

    invoices: tuple[PlannedInvoice, ...]
    blocked: Mapping[int, tuple[str, ...]]
    options: Mapping[str, object] = field(default_factory=dict)
    engine: object = field(default=None, repr=False, compare=False)

    @property
    def charge_ids(self):
        """Ids of all charges that would be billed, each once."""
        return tuple(
            dict.fromkeys(charge for invoice in self.invoices for charge in invoice.charge_ids)
        )

    def save(self):
        """Keep the plan as a draft run: the preview of every door.

        :return: ``healthcare.billing.run`` record in state draft
        """
        return self.engine._save_plan(self)
