from collections import defaultdict
from dataclasses import replace
from types import MappingProxyType

from odoo import api, models
from odoo.fields import Domain


class HealthcareBillingEngine(models.AbstractModel):
    """Mass billing (R24): a bill per billing account, on the basis that was agreed.

    A quote or fixed fee covers what the agreed party (payer, else client) owes: these charges keep
    their value on the bill, and one adjustment makes up the difference, so that the ledger shows
    what the work realized. What others owe (co-pays, other payers), and what was recorded in
    another currency, is billed as recorded.

    This file plans. ``models/billing_engine_agreement.py`` knows what was agreed on,
    ``models/billing_engine_mass_blocks.py`` what keeps work off the list, and
    ``models/billing_engine_basis.py`` makes the charges of a bill when it is booked.

    The engine knows the run by its context (``healthcare_mass_run``), and the accounts that it
    plans where these aren't all (``healthcare_mass_accounts``). A forged context changes what a
    plan shows, never what is booked: executing plans again, with the run that is executed.
    """

    _inherit = "healthcare.billing.engine"

    @api.model
    def _mass_run(self):
        """The run of mass billing that plans, if one does."""
        run_id = self.env.context.get("healthcare_mass_run")
        known = isinstance(run_id, int) and run_id
        return self.env["healthcare.billing.run"].browse(known or [])

    @api.model
    def _splits(self, row, group, options):
        """One bill per billing account; a payer that is billed for all clients at once gets one."""
        splits = super()._splits(row, group, options)
        if not self._mass_run():
            return splits
        is_individual = bool(group[3])
        return (*splits, (is_individual and row["billing_account_id"]) or False)

    @api.model
    def _group_invoices(self, rows, options):
        """Invoices on the basis of their accounts; fees that are due need no recorded work."""
        run = self._mass_run()
        if not run:
            return super()._group_invoices(rows, options)
        groups = self._group_parts(rows, options)
        with_fee = self._accounts_with_fees(run, options["invoice_date"])
        accounts = with_fee.browse(
            dict.fromkeys([*(row["billing_account_id"] for row in rows), *with_fee.ids])
        )
        agreements = self._agreements(accounts, run)
        owners = self._owners(agreements, groups, set(with_fee.ids), options)
        groups = {group: parts for group, parts in groups.items() if parts or group in owners}
        last_billed = accounts._last_billed()
        headers = self._header_values(list(groups), options)
        return tuple(
            self._with_bases(
                self._planned_invoice(group, parts, headers[group], options),
                parts,
                owners.get(group, ()),
                agreements,
                last_billed,
            )
            for group, parts in groups.items()
        )

    @api.model
    def _accounts_with_fees(self, run, invoice_date):
        """Accounts that may owe a fixed fee without any work being recorded."""
        accounts = self.env["healthcare.billing.account"]
        if self._is_blocked_date(run.company_id, invoice_date):
            return accounts
        return accounts.search(
            Domain("company_id", "=", run.company_id.id)
            & Domain("billing_basis", "=", "fixed")
            & self._mass_scope()
            & accounts._mass_eligible_domain(run)
        )

    @api.model
    def _mass_scope(self):
        """Domain of the accounts that are planned: all, or those of some rows.

        Those of a payer that gets one bill for all of them go together.
        """
        ids = self.env.context.get("healthcare_mass_accounts")
        if ids is None:
            return Domain.TRUE
        accounts = self.env["healthcare.billing.account"].browse(ids)
        batched = accounts.payer_id.filtered(lambda p: p.invoicing_model == "payer_batched")
        return Domain("id", "in", list(ids)) | Domain("payer_id", "in", batched.ids)

    @api.model
    def _owners(self, agreements, groups, with_fee, options):
        """Which invoices are those of whoever agreed to a quote or fee.

        Work that waits for an instalment is taken off them. An account has one such invoice:
        what another payer owes of its work is billed as recorded.

        :param dict groups: of ``_group_parts``; a fee that is due adds its own, without work
        :param set with_fee: ids of accounts whose fee needs no work
        :return: ``{group: [Agreement, …]}``
        """
        owners = defaultdict(list)
        for agreement in filter(None, agreements.values()):
            account = agreement.account
            party = account._agreed_party()
            row = self._account_row(account)
            group = self._addressee(row, party, {})
            group += self._splits(row, group, options)
            if agreement.waits and group in groups:
                groups[group] = [
                    part
                    for part in groups[group]
                    if part[1] != party or not agreement.covers(part[0])
                ]
            elif group in groups:
                owners[group].append(agreement)
            elif account.id in with_fee and agreement.fees and not agreement.needs_tick:
                groups[group] = []
                owners[group].append(agreement)
        return owners

    @api.model
    def _account_row(self, account):
        """What ``_addressee`` and ``_splits`` must know of an account without charges."""
        return {
            "company_id": account.company_id.id,
            "currency_id": account.currency_id.id,
            "client_id": account.client_id.id,
            "payer_id": account.payer_id.id or None,
            "model": account.payer_id.invoicing_model or "client_individual",
            "contact_id": (account.guarantor_id or account.client_id).id,
            "payment_term_id": account.payment_term_id.id or None,
            "method_id": account.preferred_payment_method_line_id.id or None,
            "secondary_payer_id": None,
            "billing_account_id": account.id,
            "employee_id": None,
            "department_id": account.department_id.id or None,
            "appointment_id": None,
            "product_id": None,
        }

    # -- the row ---------------------------------------------------------------------------------
    @api.model
    def _with_bases(self, invoice, parts, own, agreements, last_billed):
        """A planned invoice with what its accounts agreed on, and what its row shows.

        :param invoice: :class:`PlannedInvoice` of the recorded work
        :param list parts: ``(row, responsibility, amount)``
        :param own: agreements of which this is the invoice
        :param dict agreements: of all accounts, by id
        :param dict last_billed: date per account id
        """
        currency = self.env["res.currency"].browse(invoice.currency_id)
        bases = tuple(
            basis for agreement in own if (basis := self._planned_basis(agreement, parts, currency))
        )
        amounts = defaultdict(float, invoice.amounts)
        for basis in bases:
            amounts[basis.responsibility] += basis.amount
        amount = currency.round(invoice.amount + sum(basis.amount for basis in bases))
        ids = {row["billing_account_id"] for row, _party, _amount in parts}
        ids |= {basis.account_id for basis in bases}
        accounts = self.env["healthcare.billing.account"].browse(sorted(ids))
        notes = [basis.note for basis in bases]
        notes += self._notes_on_recorded(accounts, bases, invoice, agreements)
        if amount < 0:
            notes.append(self.env._("The sum is negative: billed, it makes a credit note."))
        expenses = sum(part for row, _party, part in parts if row["kind"] == "expense")
        template = accounts[:1].invoice_template_id
        needs_tick = amount < 0 or any(basis.needs_tick for basis in bases)
        rules = {basis.rule for basis in bases} or {"wip"}
        details = {
            "billing_account_id": accounts.id if len(accounts) == 1 else False,
            "account_count": len(accounts),
            "amount_time": currency.round(sum(invoice.amounts.values()) - expenses),
            "amount_expense": currency.round(expenses),
            "amount_agreed": currency.round(sum(basis.agreed for basis in bases)),
            "basis": rules.pop() if len(rules) == 1 else "mixed",
            "basis_note": " · ".join(dict.fromkeys(notes)) or False,
            "needs_tick": needs_tick,
            "selected": not needs_tick,
            "last_billed": max(
                (last_billed[id_] for id_ in accounts.ids if id_ in last_billed), default=False
            ),
            "payment_term_id": invoice.values["invoice_payment_term_id"],
            "invoice_template_id": template.id,
        }
        return replace(
            invoice,
            bases=bases,
            amount=amount,
            amounts=MappingProxyType({name: currency.round(v) for name, v in amounts.items()}),
            values=MappingProxyType({**invoice.values, "invoice_template_id": template.id}),
            details=MappingProxyType(details),
        )

    @api.model
    def _notes_on_recorded(self, accounts, bases, invoice, agreements):
        """Why an account's work is billed as recorded, although it has a quote or fee."""
        on_basis = {basis.account_id for basis in bases}
        notes = []
        for account in accounts:
            if account.id in on_basis or not agreements.get(account.id):
                continue
            if invoice.currency_id != account.currency_id.id:
                notes.append(
                    self.env._("In another currency than the quote or fee: billed as recorded.")
                )
            else:
                notes.append(self.env._("Not covered by the quote or fee: billed as recorded."))
        return notes
