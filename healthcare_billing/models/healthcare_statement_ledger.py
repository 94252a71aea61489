from collections import defaultdict

from odoo import api, models
from odoo.fields import Domain

from .healthcare_charge_billing import CARE_DOCUMENTS


class HealthcareStatement(models.Model):
    """What else the addressee owes, besides care: offered on a statement as one line.

    Told only: the ledger moves when the statement is paid.
    """

    _inherit = "healthcare.statement"

    def _ledger_domain(self):
        """Open receivables that are neither on documents of care nor about a charge.

        Money on account that names no charge is one of them, with its negative sum. What a
        write-off has open is no credit: it is set off, or reversed.

        :return: :class:`Domain` on ``account.move.line``, of any addressee
        """
        company, currency = self.company_id[:1], self.currency_id[:1]
        return (
            Domain("company_id", "=", company.id)
            & Domain("currency_id", "=", currency.id)
            & Domain("parent_state", "=", "posted")
            & Domain("account_type", "=", "asset_receivable")
            & Domain("reconciled", "=", False)
            & Domain("amount_residual_currency", "!=", 0)
            & Domain("charge_id", "=", False)
            & Domain("move_id.write_off_of_id", "=", False)
            & (
                Domain("move_id.move_type", "not in", CARE_DOCUMENTS)  # a payment's credit counts
                | Domain("move_id.line_ids", "not any", [("charge_id", "!=", False)])
            )
        )

    def _free_credits(self):
        """Money of the addressees that names care, but is more than that costs.

        :return: ``{account.move.line record: open amount below 0.00}``
        """
        return self.env["account.move.line"]._free_credits(
            Domain("partner_id", "in", self.partner_id.commercial_partner_id.ids)
            & Domain("company_id", "=", self.company_id[:1].id)
            & Domain("currency_id", "=", self.currency_id[:1].id)
        )

    def _ledger_amounts(self):
        """Open receivables of the addressee besides care, and how much of each.

        :return: ``{account.move.line record: open amount}``
        """
        self.ensure_one()
        if not self.partner_id:
            return {}
        partner = self.partner_id.commercial_partner_id
        lines = self.env["account.move.line"].search(
            self._ledger_domain() & Domain("partner_id", "=", partner.id)
        )
        return {line: line.amount_residual_currency for line in lines} | self._free_credits()

    def _ledger_lines(self):
        """Open receivables of the addressee besides care.

        :return: ``account.move.line`` records
        """
        return self.env["account.move.line"].union(*self._ledger_amounts())

    def _ledger_balance(self):
        """What the addressee owes besides care; negative: a credit.

        :return: amount in the statement's currency
        """
        self.ensure_one()
        return self.currency_id.round(sum(self._ledger_amounts().values()))

    def _ledger_balances(self):
        """The same for many statements, asked once per company and currency.

        :return: ``{statement: amount}``
        """
        balances = {}
        for statements in self.grouped(lambda s: (s.company_id, s.currency_id)).values():
            partners = statements.partner_id.commercial_partner_id
            sums = defaultdict(
                float,
                self.env["account.move.line"]._read_group(
                    statements._ledger_domain() & Domain("partner_id", "in", partners.ids),
                    ["partner_id"],
                    ["amount_residual_currency:sum"],
                ),
            )
            for line, amount in statements._free_credits().items():
                sums[line.partner_id] += amount
            for statement in statements:
                amount = sums[statement.partner_id.commercial_partner_id]
                balances[statement] = statement.currency_id.round(amount)
        return balances

    @api.onchange("partner_id", "settles_ledger")
    def _onchange_settles_ledger(self):
        if self.state == "draft":
            self._load_ledger()

    def _load_ledger(self):
        """Offer the ledger's balance as it is now."""
        balances = self.filtered("settles_ledger")._ledger_balances()
        for statement in self:
            amount = balances.get(statement, 0.0)
            if statement.ledger_amount != amount:
                statement.ledger_amount = amount
