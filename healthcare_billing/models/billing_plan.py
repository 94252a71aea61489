"""What the engine would book: plain values, no records, nothing written."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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
