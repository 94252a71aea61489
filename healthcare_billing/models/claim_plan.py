"""Which claims invoices would make: plain values, no records, nothing written."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlannedClaimItem:
    """One charge on a claim line, by the invoice line that bills the payer for it.

    :ivar amount: the charge's full amount (R27), not the payer's part
    """

    charge_id: int
    invoice_line_id: int
    amount: float
    units: float


@dataclass(frozen=True, slots=True)
class PlannedClaimLine:
    """A line of a claim to be; several items when the payer wants identical lines merged.

    :ivar code: service code as it stands on the claim
    :ivar diagnosis_ids: pointers, the line's own primary diagnosis first (at most 4)
    """

    items: tuple[PlannedClaimItem, ...]
    service_date: object
    product_id: int
    code: str | bool
    modifier_ids: tuple[int, ...]
    diagnosis_ids: tuple[int, ...]
    place_of_service_id: int | bool
    rendering_provider_id: int | bool
    authorization_id: int | bool

    @property
    def amount(self):
        return sum(item.amount for item in self.items)

    @property
    def units(self):
        return sum(item.units for item in self.items)

    @property
    def merge_key(self):
        """Lines of which all this is equal say the same to a payer."""
        return (
            self.service_date,
            self.product_id,
            self.modifier_ids,
            self.diagnosis_ids,
            self.place_of_service_id,
            self.rendering_provider_id,
            self.authorization_id,
        )


@dataclass(frozen=True, slots=True)
class PlannedClaim:
    """A claim to be.

    :ivar diagnosis_ids: of all lines, in claim order (at most 12)
    :ivar reasons: why this is not on one claim with the rest of the invoice (codes: code, provider,
        place, authorization, full)
    """

    move_id: int
    company_id: int
    currency_id: int
    client_id: int
    payer_id: int
    responsibility: str
    coverage_id: int | bool
    billing_account_id: int | bool
    billing_provider_id: int | bool
    claim_format: str
    lines: tuple[PlannedClaimLine, ...]
    diagnosis_ids: tuple[int, ...]
    reasons: tuple[str, ...] = ()

    @property
    def amount(self):
        return sum(line.amount for line in self.lines)

    @property
    def charge_ids(self):
        return tuple(item.charge_id for line in self.lines for item in line.items)

    @property
    def codes(self):
        """Service codes, each once."""
        return tuple(dict.fromkeys(line.code for line in self.lines if line.code))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something of an invoice that goes on no claim.

    :ivar reason: key of ``LEFT_OUT_REASONS``
    :ivar amount: untaxed, of the invoice line
    :ivar claim_id: claim that already holds the charge
    """

    move_id: int
    charge_id: int | bool
    reason: str
    amount: float
    claim_id: int | bool = False


@dataclass(frozen=True, slots=True)
class ClaimPlan:
    """Claims to be, and what is left out and why."""

    claims: tuple[PlannedClaim, ...]
    left_out: tuple[LeftOut, ...]
