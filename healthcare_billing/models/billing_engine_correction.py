from odoo import api, models
from odoo.tools import SQL

from .healthcare_charge_correction import Corrections

# What still keeps a correction of posted care off the ledger. Everything else is about the care,
# which was billed: a payer's decision counts whatever became of the account or the coverage.
LEDGER_CODES = (
    "already_invoiced", "not_billable", "missing_price", "included_tax", "currency_inactive",
    "missing_income_account", "service_after_invoice", "future_invoice_date", "locked_period",
)  # fmt: skip
# Printed by their own words, where they have some.
DESCRIBED_KINDS = ("finance_charge", "service_charge", "discount")


class HealthcareBillingEngine(models.AbstractModel):
    """Corrections of posted care: their addressee, their account, and what may keep them back."""

    _inherit = "healthcare.billing.engine"

    @api.model
    def _block_conditions(self, companies, invoice_date):
        conditions = super()._block_conditions(companies, invoice_date)
        if self._corrections() is None:
            return conditions
        return {
            code: condition if code in LEDGER_CODES else SQL("FALSE")
            for code, condition in conditions.items()
        }

    @api.model
    def _corrections(self):
        """What the corrections that are being booked know of their documents, or None."""
        corrections = self.env.context.get("healthcare_corrections")
        return corrections if isinstance(corrections, Corrections) else None

    @api.model
    def _addressee(self, row, responsibility, models_of_payers):
        """A correction goes to whom the care was billed, on a document of what it belongs to."""
        group = super()._addressee(row, responsibility, models_of_payers)
        corrections = self._corrections()
        known = corrections and corrections.parts.get((row["id"], responsibility))
        if not known:
            return group
        partner_id, document = known
        return (*group[:2], partner_id or group[2], *group[3:], *document)

    @api.model
    def _prepare_charge_line(self, charge, part, invoice, lang):
        """What is booked for a reason is booked on its account, and told by it in reports."""
        values = super()._prepare_charge_line(charge, part, invoice, lang)
        reason = charge.adjustment_reason_id
        if reason:
            values["adjustment_reason_id"] = reason.id
            account = reason._contra_account(self.env.company)
            if account:
                values["account_id"] = account.id
        return values

    @api.model
    def _charge_line_name(self, charge, part, lang):
        """Adjustments by their reason, charges and discounts by what was typed."""
        name = super()._charge_line_name(charge, part, lang)
        if charge.kind in DESCRIBED_KINDS and charge.description:
            return charge.description
        reason = charge.adjustment_reason_id
        if charge.kind == "adjustment" and reason:
            told = reason.product_id or reason
            return f"{name}: {told.with_context(lang=lang).name}"
        return name
