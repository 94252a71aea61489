from collections import defaultdict
from math import inf

from odoo import api, models
from odoo.fields import Domain

from .healthcare_charge_balance import OWED_STAGES, PARTIES
from .healthcare_charge_paid import _root_id


class HealthcareCharge(models.Model):
    """Money that waits for a charge: received before it was invoiced."""

    _inherit = "healthcare.charge"

    def _on_account_lines(self):
        """Open credits of payments that name these charges or their corrections.

        sudo: who may see a charge may know what was paid for it, also without rights on the ledger.
        """
        if not self:
            return self.env["account.move.line"].sudo()
        return (
            self.env["account.move.line"]
            .sudo()
            .search(
                self.env["account.move.line"]._money_on_account_domain()
                & Domain("charge_id", "in", self._family().ids),
                order="date, id",
            )
        )

    def _on_account_amounts(self):
        """What was paid for these charges and isn't applied to an invoice yet.

        :return: ``{(id of the charge that is corrected, responsibility): amount above 0.00}`` in
            the currency of the money
        """
        amounts = defaultdict(float)
        for line in self._on_account_lines():
            amounts[_root_id(line), line.responsibility] -= line.amount_residual_currency
        return dict(amounts)

    def _prepaid_amounts(self):
        """What these charges with their corrections don't ask for, though no invoice holds it yet:
        money on account pays it as soon as it is invoiced.

        :return: ``{(id of the charge that is corrected, responsibility): amount above 0.00}``
        """
        prepaid = {}
        for (charge_id, party), amount in self._on_account_amounts().items():
            charge = self.browse(charge_id)
            part = charge.currency_id.round(min(amount, charge._unposted_amount(party)))
            if part > 0:
                prepaid[charge_id, party] = part
        return prepaid

    def _unposted_amount(self, party):
        """What a party owes of this charge, and no posted invoice asks for; at least 0.00."""
        self.ensure_one()
        suffix = PARTIES[party]
        return max(self[f"balance_{suffix}"] - self[f"ledger_{suffix}"], 0.0)

    def _reserved_amount(self, party):
        """How much of money on account waits for this charge.

        All of it before the care is given, or priced: nobody knows yet what it will cost.
        """
        self.ensure_one()
        known = self.billing_stage in OWED_STAGES and (self.is_priced or self.is_held)
        if known or self.billing_stage == "not_billable":
            return self._unposted_amount(party)
        return inf


class AccountMove(models.Model):
    """What was received for a charge pays its invoice as soon as that is posted, and no other."""

    _inherit = "account.move"

    def _post(self, soft=True):
        posted = super()._post(soft)
        posted._apply_on_account()
        return posted

    def _apply_on_account(self):
        """Set money on account that names a charge off against these invoices of it.

        Not more than is open there for that charge and party: the other charges of the invoice
        aren't paid by it. Money of another customer stays on account, and is told as unapplied.
        """
        # sudo: whoever posts need not be allowed to read charges
        invoices = self.sudo().filtered(
            lambda move: move.move_type == "out_invoice" and move.state == "posted"
        )
        credits = invoices.invoice_line_ids.charge_id._on_account_lines()
        if not credits:
            return
        waiting = credits.grouped(lambda line: (_root_id(line), line.responsibility))
        for move in invoices.sorted(lambda move: (move.invoice_date, move.id)):
            move._set_off_credits(waiting)

    def _set_off_credits(self, waiting):
        """Set credits off against this invoice, each up to what is open for its item.

        :param dict waiting: ``{(charge id, responsibility): journal items}``
        """
        self.ensure_one()
        receivable = self._open_receivable_lines()
        limits = {}
        for key, is_open in self._open_shares()[self].items():
            for line in waiting.get(key, ()):
                if (
                    line.reconciled
                    or line.account_id != receivable.account_id[:1]
                    or line.currency_id != self.currency_id
                    or line.partner_id.commercial_partner_id != self.commercial_partner_id
                ):
                    continue
                part = self.currency_id.round(min(is_open, -line.amount_residual_currency))
                if self.currency_id.compare_amounts(part, 0.0) > 0:
                    limits[line.id] = part
                    is_open -= part
        if limits:
            credits = receivable.browse(limits)
            credits._reconcile_up_to(limits, receivable)


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    @api.model
    def _money_on_account_domain(self):
        """Received, and not applied: open credits of payments and of the bank's statement lines.

        Neither documents nor write-offs, whatever is open on them: nobody paid those.

        :return: :class:`Domain` on ``account.move.line``
        """
        return (
            Domain("parent_state", "=", "posted")
            & Domain("account_type", "=", "asset_receivable")
            & Domain("reconciled", "=", False)
            & Domain("amount_residual_currency", "<", 0.0)
            & (Domain("payment_id", "!=", False) | Domain("statement_line_id", "!=", False))
            & Domain("adjustment_reason_id", "=", False)
        )

    def _may_be_paid_back(self):
        """Whether a credit is money that was received, or a document's."""
        self.ensure_one()
        return bool(
            self.payment_id
            or self.statement_line_id
            or self.move_id.is_sale_document(include_receipts=True)
        )

    @api.model
    def _free_credits(self, domain):
        """Money on account that names care, but isn't waiting for it: more than the care costs.

        sudo: who may see the ledger's balance need not be allowed to read charges.

        :param domain: which journal items
        :return: ``{account.move.line record: open amount below 0.00}``
        """
        lines = self.sudo().search(
            self._money_on_account_domain() & Domain("charge_id", "!=", False) & Domain(domain),
            order="date, id",
        )
        reserved, free = {}, {}
        for line in lines:
            key = (_root_id(line), line.responsibility)
            if key not in reserved:
                reserved[key] = line.charge_id._root()._reserved_amount(line.responsibility)
            held = min(reserved[key], -line.amount_residual_currency)
            reserved[key] -= held
            rest = line.currency_id.round(line.amount_residual_currency + held)
            if rest < 0:
                free[line.with_env(self.env)] = rest
        return free

    def _reconcile_up_to(self, limits, counterparts):
        """Reconcile these journal items with others, at most with these amounts.

        Core reconciles whatever is open. What is left over stays open.

        :param dict limits: ``{id of an item in self: amount above 0.00}`` in its currency
        :param counterparts: open items of the same account
        """
        self.with_context(healthcare_set_off_limits=limits)._reconcile_plan([self | counterparts])

    def _prepare_reconciliation_plan(self, plan, amls_values_map, shadowed_aml_values=None):
        """Only what a limit lets through is seen by core; the rest is open again afterwards."""
        limits = self.env.context.get("healthcare_set_off_limits") or {}
        hidden = {}
        for line in plan["amls"]:
            values, limit = amls_values_map[line], limits.get(line.id)
            is_open = values["amount_residual_currency"]
            if limit is None or line.currency_id.compare_amounts(abs(is_open), limit) <= 0:
                continue
            part = limit if is_open > 0 else -limit
            balance = line.company_currency_id.round(values["amount_residual"] * part / is_open)
            hidden[line] = (is_open - part, values["amount_residual"] - balance)
            values.update(amount_residual_currency=part, amount_residual=balance)
        results = super()._prepare_reconciliation_plan(plan, amls_values_map, shadowed_aml_values)
        for line, (in_currency, balance) in hidden.items():
            amls_values_map[line]["amount_residual_currency"] += in_currency
            amls_values_map[line]["amount_residual"] += balance
        return results
