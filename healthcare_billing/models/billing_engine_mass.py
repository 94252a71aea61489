from collections import defaultdict
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_date

from .billing_plan import PlannedBasis, PlannedFee, PlannedPart
from .healthcare_charge import PRICING

# Doors that take work as it was recorded: what is agreed otherwise isn't theirs.
RECORDED_DOORS = ("batch", "cycle", "adhoc")


class Agreement(NamedTuple):
    """What a billing account agreed on, as of a run's cut-off.

    :ivar account: ``healthcare.billing.account`` record
    :ivar left: what is left of the quote, or the sum of the fees; in company currency
    :ivar fees: tuple of :class:`PlannedFee`
    :ivar note: text
    :ivar needs_tick: nothing is due
    """

    account: object
    left: float
    fees: tuple
    note: str
    needs_tick: bool


class HealthcareBillingEngine(models.AbstractModel):
    """Mass billing (R24): a bill per billing account, on the basis that was agreed.

    A quote or fixed fee covers what the agreed party (payer, else client) owes: these charges keep
    their value on the bill, and one adjustment makes up the difference, so that the ledger shows
    what the work realized. What others owe (co-pays, other payers) is billed as recorded.

    The engine knows the run by its context (``healthcare_mass_run``). A forged context changes what
    a plan shows, never what is booked: executing plans again, with the run that is executed.
    """

    _inherit = "healthcare.billing.engine"

    # -- plan ------------------------------------------------------------------------------------
    @api.model
    def _mass_run(self):
        """The run of mass billing that plans, if one does."""
        run_id = self.env.context.get("healthcare_mass_run")
        return self.env["healthcare.billing.run"].browse(int(run_id) if run_id else [])

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
        owners = {
            group: dict.fromkeys(
                row["billing_account_id"]
                for row, responsibility, _amount in parts
                if responsibility == self._agreed_party_of(row)
            )
            for group, parts in groups.items()
        }
        with_work = {account_id for ids in owners.values() for account_id in ids}
        for account in self._accounts_with_fees(run, with_work):
            row = self._account_row(account)
            group = self._addressee(row, account._agreed_party(), {})
            group += self._splits(row, group, options)
            groups.setdefault(group, [])
            owners.setdefault(group, {})[account.id] = None
        accounts = self.env["healthcare.billing.account"].browse(
            dict.fromkeys(
                [id_ for ids in owners.values() for id_ in ids]
                + [row["billing_account_id"] for row in rows]
            )
        )
        agreements = self._agreements(accounts, run)
        last_billed = accounts._last_billed()
        headers = self._header_values(list(groups), options)
        invoices = []
        for group, parts in groups.items():
            invoice = self._planned_invoice(group, parts, headers[group], options)
            own = [agreements[account_id] for account_id in owners[group]]
            invoices.append(self._with_bases(invoice, parts, own, last_billed))
        return tuple(invoice for invoice in invoices if invoice.charge_ids or invoice.bases)

    @api.model
    def _agreed_party_of(self, row):
        """``_agreed_party`` of the account of a plan row."""
        return "client" if row["model"] == "client_individual" else "primary"

    @api.model
    def _accounts_with_fees(self, run, with_work):
        """Accounts whose fixed fee is due, without work that it would cover.

        :param set with_work: ids of accounts that have such work
        """
        accounts = self.env["healthcare.billing.account"].search(
            Domain("company_id", "=", run.company_id.id)
            & Domain("billing_basis", "=", "fixed")
            & Domain("id", "not in", list(with_work))
            & self.env["healthcare.billing.account"]._mass_eligible_domain(run)
        )
        agreements = self._agreements(accounts, run)
        return accounts.filtered(
            lambda account: agreements[account.id].fees and not agreements[account.id].needs_tick
        )

    @api.model
    def _account_row(self, account):
        """What ``_addressee`` must know of an account without charges."""
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

    # -- what was agreed -------------------------------------------------------------------------
    @api.model
    def _agreements(self, accounts, run):
        """What accounts agreed on, read together.

        :return: ``{account id: Agreement or None}``, None for work as recorded
        """
        quoted = accounts.filtered(lambda account: account.billing_basis == "quote")
        fixed = accounts.filtered(lambda account: account.billing_basis == "fixed")
        billed = quoted._billed_of_quote()
        known = self._known_fees(fixed)
        agreements = dict.fromkeys(accounts.ids)
        for account in quoted:
            agreements[account.id] = self._quote_agreement(account, billed.get(account.id, 0.0))
        for account in fixed:
            agreements[account.id] = self._fee_agreement(account, known, run)
        return agreements

    @api.model
    def _quote_agreement(self, account, billed):
        currency = account.currency_id
        left = max(currency.round(account.quote_amount - billed), 0.0)
        values = {"quote": currency.format(account.quote_amount), "billed": currency.format(billed)}
        if not account.quote_amount:
            note = self.env._("No quote is entered: the work would be billed at nothing.")
        elif currency.is_zero(left):
            note = self.env._(
                "Quote of %(quote)s is billed: more work would be billed at nothing. Raise the "
                "quote, or bill work in progress.",
                **values,
            )
        elif currency.is_zero(billed):
            note = self.env._("Quote of %(quote)s", **values)
        else:
            note = self.env._("Rest of the quote of %(quote)s: %(billed)s is billed", **values)
        return Agreement(account, left, (), note, currency.is_zero(left))

    @api.model
    def _known_fees(self, accounts):
        """Fixed fees that were made before.

        :return: ``{(account id, instalment id, period): (last number, whether one is billed)}``
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """SELECT c.billing_account_id, COALESCE(c.instalment_id, 0), c.fee_period,
                          MAX(c.fee_number), COALESCE(BOOL_OR(l.id IS NOT NULL), FALSE)
                     FROM healthcare_charge c
                LEFT JOIN account_move_line l ON l.charge_id = c.id AND l.charge_live
                    WHERE c.billing_account_id = ANY(%s) AND c.made_by_basis
                      AND c.kind = 'fixed_fee'
                 GROUP BY 1, 2, 3""",
                accounts.ids,
            )
        )
        return {tuple(key): (number, billed) for *key, number, billed in rows}

    @api.model
    def _fee_agreement(self, account, known, run):
        if account.instalment_ids:
            return self._instalment_agreement(account, known, run)
        period = run.date_up_to.replace(day=1)
        number, billed = known.get((account.id, 0, period), (0, False))
        month = format_date(self.env, period, date_format="MMMM y")
        if not account.quote_amount:
            note = self.env._("No fixed fee is entered: the work would be billed at nothing.")
            return Agreement(account, 0.0, (), note, True)
        fees = (PlannedFee(False, period, number + 1, account.quote_amount),)
        note = self.env._("Fixed fee for %s", month)
        if billed:
            note = self.env._(
                "The fixed fee for %s is billed already: bill it a second time?", month
            )
        return Agreement(account, account.quote_amount, fees, note, billed)

    @api.model
    def _instalment_agreement(self, account, known, run):
        fees, names = [], []
        for instalment in account.instalment_ids:
            number, billed = known.get((account.id, instalment.id, None), (0, False))
            if instalment.date <= run.date_up_to and not billed:
                fees.append(PlannedFee(instalment.id, None, number + 1, instalment.amount))
                names.append(instalment.display_name)
        note = ", ".join(names) or self.env._("No instalment is due.")
        return Agreement(account, sum(fee.amount for fee in fees), tuple(fees), note, not fees)

    @api.model
    def _with_bases(self, invoice, parts, agreements, last_billed):
        """A planned invoice with what its accounts agreed on, and what its row shows.

        :param list parts: ``(row, responsibility, amount)``
        :param agreements: :class:`Agreement` of its accounts; None: as recorded
        :param dict last_billed: date per account id
        """
        currency = self.env["res.currency"].browse(invoice.currency_id)
        accounts = {row["billing_account_id"] for row, _party, _amount in parts}
        bases = []
        for agreement in agreements:
            basis = agreement and self._planned_basis(agreement, invoice, parts, currency)
            if basis:
                bases.append(basis)
                accounts.add(basis.account_id)
        amounts = defaultdict(float, invoice.amounts)
        for basis in bases:
            amounts[basis.responsibility] += basis.amount
        accounts = self.env["healthcare.billing.account"].browse(sorted(accounts))
        expenses = sum(amount for row, _party, amount in parts if row["kind"] == "expense")
        template = accounts[:1].invoice_template_id
        values = {**invoice.values, "invoice_template_id": template.id}
        rules = {basis.rule for basis in bases} or {"wip"}
        details = {
            "billing_account_id": accounts.id if len(accounts) == 1 else False,
            "account_count": len(accounts),
            "amount_time": currency.round(sum(invoice.amounts.values()) - expenses),
            "amount_expense": currency.round(expenses),
            "amount_agreed": currency.round(sum(basis.agreed for basis in bases)),
            "basis": rules.pop() if len(rules) == 1 else "mixed",
            "basis_note": " · ".join(basis.note for basis in bases) or False,
            "needs_tick": any(basis.needs_tick for basis in bases),
            "selected": not any(basis.needs_tick for basis in bases),
            "last_billed": max(
                (last_billed[id_] for id_ in accounts.ids if id_ in last_billed), default=False
            ),
            "payment_term_id": invoice.values["invoice_payment_term_id"],
            "invoice_template_id": template.id,
        }
        return replace(
            invoice,
            bases=tuple(bases),
            amount=currency.round(invoice.amount + sum(basis.amount for basis in bases)),
            amounts=MappingProxyType({name: currency.round(v) for name, v in amounts.items()}),
            values=MappingProxyType(values),
            details=MappingProxyType(details),
        )

    @api.model
    def _planned_basis(self, agreement, invoice, parts, currency):
        """What an agreement makes of the parts of an invoice, or None when none is its.

        :return: :class:`PlannedBasis`
        """
        account = agreement.account
        party = account._agreed_party()
        if currency != account.currency_id:
            return None  # recorded in another currency than what was agreed on
        covered = [
            (row["id"], amount)
            for row, responsibility, amount in parts
            if row["billing_account_id"] == account.id
            and responsibility == party
            and not (account.expenses_on_top and row["kind"] == "expense")
        ]
        if not covered and (agreement.needs_tick or not agreement.fees):
            return None
        total = currency.round(sum(amount for _id, amount in covered))
        fees = sum(fee.amount for fee in agreement.fees)
        target = agreement.left
        return PlannedBasis(
            account_id=account.id,
            rule=account.billing_basis,
            responsibility=party,
            covered_ids=tuple(charge_id for charge_id, _amount in covered),
            covered=total,
            agreed=target,
            fees=agreement.fees,
            adjustment=currency.round(target - fees - total),
            note=agreement.note,
            needs_tick=agreement.needs_tick,
        )

    # -- what keeps work back --------------------------------------------------------------------
    @api.model
    def _block_conditions(self, companies, invoice_date):
        conditions = super()._block_conditions(companies, invoice_date)
        door = self.env.context.get("healthcare_billing_door")
        run = self._mass_run()
        if door in ("rebill", "transfer"):  # the same bill, made again
            conditions["not_billable"] = SQL(
                "(%s AND NOT COALESCE(c.made_by_basis, FALSE))", conditions["not_billable"]
            )
        return {
            **conditions,
            "agreed_basis": SQL(
                "(%s AND COALESCE(b.billing_basis, 'wip') <> 'wip')", door in RECORDED_DOORS
            ),
            "mass_excluded": SQL(
                "(%s AND COALESCE(b.exclude_from_mass_billing, FALSE))", door == "mass"
            ),
            "draft_bill": SQL(
                "(%s AND c.billing_account_id IN (%s))",
                door == "mass",
                self._accounts_with_draft_sql(run),
            ),
            "no_instalment_due": self._no_instalment_sql(run),
            "after_cut_off": SQL("c.service_date > %s", run.date_up_to) if run else SQL("FALSE"),
        }

    @api.model
    def _accounts_with_draft_sql(self, run):
        """SQL query of the ids of accounts that have a draft, of whatever door but this run."""
        return SQL(
            "SELECT drafted.billing_account_id FROM account_move_line l"
            " JOIN account_move m ON m.id = l.move_id"
            " JOIN healthcare_charge drafted ON drafted.id = l.charge_id"
            " WHERE l.charge_live AND m.state = 'draft' AND drafted.billing_account_id IS NOT NULL"
            " AND m.billing_run_id IS DISTINCT FROM %s",
            run.id or 0,
        )

    @api.model
    def _no_instalment_sql(self, run):
        """SQL condition: work that a fee by instalments covers, of which none is due."""
        if not run:
            return SQL("FALSE")
        return SQL(
            "(b.billing_basis = 'fixed'"
            " AND NOT (c.kind = 'expense' AND COALESCE(b.expenses_on_top, FALSE))"
            " AND EXISTS (SELECT 1 FROM healthcare_billing_instalment i WHERE i.account_id = b.id)"
            " AND NOT EXISTS (SELECT 1 FROM healthcare_billing_instalment i"
            " WHERE i.account_id = b.id AND i.date <= %s AND NOT EXISTS ("
            "SELECT 1 FROM healthcare_charge fee JOIN account_move_line l"
            " ON l.charge_id = fee.id AND l.charge_live WHERE fee.instalment_id = i.id)))",
            run.date_up_to,
        )

    # -- carrying out ----------------------------------------------------------------------------
    @api.model
    def _lock_lines(self, lines):
        """Bills of an account come in turn: who has an older snapshot is run again on a new one."""
        lines = super()._lock_lines(lines)
        if lines.run_id.door == "mass":
            (lines.billing_account_id | lines.charge_ids.billing_account_id)._touch()
        return lines

    @api.model
    def _book(self, planned, run, post):
        """Charges are made for what was agreed on, then booked with the work: both or none."""
        if run.door == "mass":
            planned = self._make_basis_charges(planned, run)
        return super()._book(planned, run, post)

    @api.model
    def _prepare_move(self, invoice, charges, number, run):
        vals = super()._prepare_move(invoice, charges, number, run)
        vals["is_mass_bill"] = run.door == "mass"
        return vals

    @api.model
    def _make_basis_charges(self, planned, run):
        """Create fixed fees and differences of planned invoices, and mark what they cover.

        :param planned: list of :class:`PlannedInvoice`
        :return: the same with parts for the new charges
        """
        charges = self.env["healthcare.charge"].with_context(healthcare_pricing=PRICING)
        charges.browse(
            charge_id for invoice in planned for charge_id in invoice.charge_ids
        )._mark_covered(
            {
                charge_id: basis.rule
                for invoice in planned
                for basis in invoice.bases
                for charge_id in basis.covered_ids
            }
        )
        values, targets = [], []
        for index, invoice in enumerate(planned):
            for basis in invoice.bases:
                for vals in self._prepare_basis_charges(basis, run):
                    values.append(vals)
                    targets.append((index, basis.responsibility))
        added = defaultdict(list)
        for charge, (index, party) in zip(charges.create(values), targets, strict=True):
            added[index].append(PlannedPart(charge.id, party, charge.amount, True))
        return [
            replace(
                invoice,
                parts=(*invoice.parts, *added[index]),
                charge_ids=(*invoice.charge_ids, *(part.charge_id for part in added[index])),
            )
            for index, invoice in enumerate(planned)
        ]

    @api.model
    def _prepare_basis_charges(self, basis, run):
        """Values of the charges that a basis needs.

        :param basis: :class:`PlannedBasis`
        :return: list of dicts
        """
        account = self.env["healthcare.billing.account"].browse(basis.account_id)
        common = {
            "company_id": account.company_id.id,
            "client_id": account.client_id.id,
            "billing_account_id": account.id,
            "payer_id": account.payer_id.id,
            "department_id": account.department_id.id,
            "service_date": min(run.date_up_to, run.invoice_date),
            "made_by_basis": True,
            "covered_by": basis.rule,
            "quantity": 1.0,
        }
        fees = [
            {
                **common,
                "kind": "fixed_fee",
                "product_id": self._basis_product(account, "healthcare_fixed_fee_product_id").id,
                "instalment_id": fee.instalment_id,
                "fee_period": fee.period,
                "fee_number": fee.number,
                "price_unit": fee.amount,
            }
            for fee in basis.fees
        ]
        if account.currency_id.is_zero(basis.adjustment):
            return fees
        product = account.adjustment_product_id or self._basis_product(
            account, "healthcare_fee_adjustment_product_id"
        )
        return [
            *fees,
            {
                **common,
                "kind": "adjustment",
                "product_id": product.id,
                "price_unit": basis.adjustment,
            },
        ]

    @api.model
    def _basis_product(self, account, name):
        """The service that a company books fixed fees, or differences, on.

        :raise UserError: none is chosen
        """
        company = account.company_id
        product = company[name]
        if not product:
            raise UserError(
                self.env._(
                    "Choose the “%(service)s” in Settings first (%(company)s).",
                    service=company._fields[name]._description_string(self.env),
                    company=company.name,
                )
            )
        return product

    @api.model
    def _closing_title(self, lang):
        """Title over what closes a bill, where appointments have titles too."""
        return self.with_context(lang=lang).env._("Agreed fee")

    @api.model
    def _charge_line_name(self, charge, part, lang):
        """What was made for a bill says what it is."""
        if not charge.made_by_basis:
            return super()._charge_line_name(charge, part, lang)
        engine = self.with_context(lang=lang)
        if charge.kind == "fixed_fee":
            if charge.instalment_id:
                return charge.instalment_id.with_context(lang=lang).display_name
            month = format_date(engine.env, charge.fee_period, date_format="MMMM y", lang_code=lang)
            return engine.env._("Fixed fee for %s", month)
        if charge.covered_by == "fixed":
            return engine.env._("Covered by the fixed fee")
        return engine.env._("Difference to the quote")

    @api.model
    def _record_failure(self, line, error):
        """A fee that somebody else billed a moment ago is no fault."""
        name = getattr(getattr(error, "diag", None), "constraint_name", None)
        if name == "healthcare_charge_fixed_fee_uniq":
            text = self.env._("Its fixed fee was billed meanwhile. Search again.")
            line._set_result({"state": "skipped", "message": text})
            return
        super()._record_failure(line, error)
