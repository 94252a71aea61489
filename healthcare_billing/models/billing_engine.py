from collections import defaultdict
from datetime import date
from types import MappingProxyType

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, clean_context

from .billing_plan import BillingPlan, PlannedInvoice, PlannedPart

# split_by value -> column of the plan query
SPLIT_COLUMNS = {
    "client": "client_id",
    "staff": "employee_id",
    "department": "department_id",
    "appointment": "appointment_id",
    "service": "product_id",
}


class HealthcareBillingEngine(models.AbstractModel):
    """Turns charges into invoices. Nothing else in this addon creates an invoice of care.

    ``plan`` only reads and says who would be invoiced for what; ``execute`` writes it once, with a
    result per row. Front doors differ in which charges they select, how they split, and what
    happens afterwards.

    This file plans. ``models/billing_engine_blocks.py`` holds what keeps a charge back,
    ``models/billing_engine_execution.py`` how a plan is carried out, with a result per row, and
    ``models/billing_engine_moves.py`` how a planned invoice becomes an ``account.move``.
    """

    _name = "healthcare.billing.engine"
    _description = "Care Billing Engine"

    # -- plan ------------------------------------------------------------------------------------
    @api.model
    def plan(
        self,
        charges,
        *,
        invoice_date=None,
        split_by=(),
        group_single_claim=None,
        narration=None,
        reference=None,
        payment_term_id=None,
        extra_lines=(),
    ):
        """Say which invoices these charges make, and which charges make none, and why.

        Writes nothing.

        :param charges: ``healthcare.charge`` recordset
        :param date invoice_date: default today in the user's time zone
        :param split_by: subset of client, staff, department, appointment, service: besides the
            invoicing model's own grouping, one invoice for each of these
        :param group_single_claim: True/False for all invoices; None: as the billing accounts say
        :param str narration: note printed on every invoice
        :param str reference: customer reference on every invoice
        :param int payment_term_id: for every invoice, instead of the billing accounts' terms
        :param extra_lines: iterable of dicts (name, price_unit, optional quantity, product_id),
            added to every invoice
        :return: :class:`BillingPlan`
        :raise UserError: unknown split
        """
        unknown = set(split_by) - set(SPLIT_COLUMNS)
        if unknown:
            raise UserError(
                self.env._(
                    "Invoices can't be split by %(unknown)s. Choose from: %(known)s.",
                    unknown=", ".join(sorted(unknown)),
                    known=", ".join(SPLIT_COLUMNS),
                )
            )
        self._check_readable(charges)
        options = {
            "invoice_date": fields.Date.to_date(invoice_date) or fields.Date.context_today(self),
            "split_by": tuple(name for name in SPLIT_COLUMNS if name in split_by),
            "group_single_claim": group_single_claim,
            "narration": narration or False,
            "reference": reference or False,
            "payment_term_id": int(payment_term_id or 0) or False,
            "extra_lines": tuple(dict(line) for line in extra_lines),
        }
        blocked, ready = {}, []
        for row in self._plan_rows(charges, options["invoice_date"]):
            if row["codes"]:
                blocked[row["id"]] = tuple(row["codes"])
            else:
                ready.append(row)
        return BillingPlan(
            invoices=self._group_invoices(ready, options),
            blocked=MappingProxyType(blocked),
            options=MappingProxyType(options),
            engine=self,
        )

    @api.model
    def _check_readable(self, charges):
        """Refuse charges that the user may not read; one query, however many there are."""
        readable = charges.with_context(active_test=False).search_count([("id", "in", charges.ids)])
        if readable < len(charges):
            charges.exists().check_access("read")

    @api.model
    def _plan_rows(self, charges, invoice_date):
        """What the plan must know of each charge, in one query.

        :return: list of dicts, in printing order; ``codes`` holds the block reasons
        """
        if not charges.ids:
            return []
        self._flush_billing()
        self.env.cr.execute(
            SQL(
                """SELECT c.id, %(codes)s AS codes, c.company_id, c.currency_id, c.client_id,
                          c.payer_id, COALESCE(p.invoicing_model, 'client_individual') AS model,
                          COALESCE(b.guarantor_id, c.client_id) AS contact_id,
                          b.payment_term_id, b.preferred_payment_method_line_id AS method_id,
                          COALESCE(b.group_single_claim, FALSE) AS single_claim,
                          c.amount, c.amount_client AS client, c.amount_payer AS primary,
                          c.amount_secondary AS secondary, live.parts AS live, live.released,
                          %(secondary)s AS secondary_payer_id, c.employee_id, c.department_id,
                          c.appointment_id, c.product_id, a.state AS appointment_state,
                          c.billing_account_id, c.kind, c.covered_party
                     FROM %(source)s
                    WHERE c.id = ANY(%(ids)s)
                 ORDER BY c.service_date, a.start, c.appointment_id, c.parent_id NULLS FIRST,
                          c.id""",
                codes=self._block_codes_sql(self._companies_of(charges), invoice_date),
                secondary=self._secondary_payer_sql(),
                source=self._charge_source(SQL("c0.id = ANY(%s)", charges.ids)),
                ids=charges.ids,
            )
        )
        return self.env.cr.dictfetchall()

    @api.model
    def _group_invoices(self, rows, options):
        """Group the parts of unblocked charges into invoices.

        :param list rows: of ``_plan_rows``
        :return: tuple of :class:`PlannedInvoice`, in the order of their first charge
        """
        groups = self._group_parts(rows, options)
        headers = self._header_values(list(groups), options)
        return tuple(
            self._planned_invoice(group, parts, headers[group], options)
            for group, parts in groups.items()
        )

    @api.model
    def _group_parts(self, rows, options):
        """Which parts of charges go on one invoice.

        :return: ``{group: [(row, responsibility, amount), …]}``
        """
        models_of_payers = self._invoicing_models(
            {row["secondary_payer_id"] for row in rows} - {None}
        )
        groups = defaultdict(list)
        for row in rows:
            for responsibility, amount in self._open_parts(row):
                group = self._addressee(row, responsibility, models_of_payers)
                groups[group + self._splits(row, group, options)].append(
                    (row, responsibility, amount)
                )
        return groups

    @api.model
    def _splits(self, row, group, options):
        """What separates invoices besides their addressee. Overriders may add to it.

        :param dict row: of ``_plan_rows``
        :param tuple group: of ``_addressee``
        :rtype: tuple
        """
        return tuple(row[SPLIT_COLUMNS[name]] for name in options["split_by"])

    @api.model
    def _invoicing_models(self, payer_ids):
        payers = self.env["res.partner"].browse(payer_ids)
        return {payer.id: payer.invoicing_model or "payer_individual" for payer in payers}

    @api.model
    def _open_parts(self, row):
        """Parts of a charge that no invoice holds.

        A charge of 0.00 is somebody's too: it is billed once, as a receipt without a sum.

        :return: list of (responsibility, amount)
        """
        parts = [(name, row[name]) for name in ("client", "primary", "secondary") if row[name]]
        if not parts:
            missed = row["appointment_state"] in (
                "late_canceled", "no_show", "rescheduled", "canceled"
            )  # fmt: skip
            client_pays = missed or row["model"] == "client_individual"
            parts = [("client" if client_pays else "primary", 0.0)]
        live = row["live"] or ()
        return [(name, amount) for name, amount in parts if name not in live]

    @api.model
    def _addressee(self, row, responsibility, models_of_payers):
        """Who gets the invoice, and what else always separates invoices.

        :return: tuple (company, currency, addressee, client or False, payer or False, payment
            term, payment method): the invoice's grouping key without the run's own splits
        """
        payer = model = False
        if responsibility == "primary":
            payer, model = row["payer_id"], row["model"]
        elif responsibility == "secondary":
            payer = row["secondary_payer_id"]
            model = models_of_payers.get(payer, "payer_individual")
        terms = (row["payment_term_id"] or False, row["method_id"] or False)
        if not payer or model == "client_individual":
            return (
                row["company_id"], row["currency_id"], row["contact_id"], row["client_id"], False,
                *terms,
            )  # fmt: skip
        if model == "payer_individual":
            return (
                row["company_id"], row["currency_id"], payer, row["client_id"], payer, *terms,
            )  # fmt: skip
        # All clients on one invoice: one client's terms can't count for the others.
        return row["company_id"], row["currency_id"], payer, False, payer, False, False

    @api.model
    def _header_values(self, groups, options):
        """Header values per group, with the addressees' own settings read together.

        :return: ``{group: dict}``
        """
        headers = {}
        by_company = defaultdict(list)
        for group in groups:
            by_company[group[0]].append(group)
        immediate = self.env.ref("account.account_payment_term_immediate", raise_if_not_found=False)
        for company_id, own_groups in by_company.items():
            company = self.env["res.company"].browse(company_id)
            partners = (
                self.env["res.partner"]
                .with_company(company)
                .browse(dict.fromkeys(group[2] for group in own_groups))
            )
            positions = self._fiscal_positions(partners, company)
            by_id = {partner.id: partner for partner in partners}
            journal = self._sale_journal(company)
            for group in own_groups:
                partner = by_id[group[2]]
                term = options["payment_term_id"] or group[5]
                # Without a term core makes the invoice due on the day it is typed.
                term = term or partner.property_payment_term_id.id or immediate and immediate.id
                method = group[6] or partner.property_inbound_payment_method_line_id.id
                headers[group] = {
                    "journal_id": journal.id,
                    "invoice_date": options["invoice_date"],
                    "invoice_payment_term_id": term or False,
                    "preferred_payment_method_line_id": method or False,
                    "fiscal_position_id": positions[partner.id],
                    "narration": options["narration"],
                    "ref": options["reference"],
                }
        return headers

    @api.model
    def _fiscal_positions(self, partners, company):
        """Fiscal position per addressee: asked once per address, not once per partner.

        :return: ``{partner id: fiscal position id or False}``
        """
        FiscalPosition = self.env["account.fiscal.position"].with_company(company)
        automatic = FiscalPosition.search_count(
            [*FiscalPosition._check_company_domain(company), ("auto_apply", "=", True)], limit=1
        )
        found, by_address = {}, {}
        for partner in partners:
            own = partner.property_account_position_id
            if own or not automatic:
                found[partner.id] = own.id
                continue
            address = (partner.country_id, partner.state_id, partner.zip, partner.vat)
            if address not in by_address:
                by_address[address] = FiscalPosition._get_fiscal_position(partner).id
            found[partner.id] = by_address[address]
        return found

    @api.model
    def _planned_invoice(self, group, parts, header, options):
        """One :class:`PlannedInvoice` from the parts of its group."""
        company_id, currency_id, partner_id, client_id, payer_id = group[:5]
        currency = self.env["res.currency"].browse(currency_id)
        amounts = defaultdict(float)
        for _row, responsibility, amount in parts:
            amounts[responsibility] += amount
        amounts = {name: currency.round(amount) for name, amount in amounts.items()}
        extra = sum(
            currency.round(line.get("quantity", 1.0) * line["price_unit"])
            for line in options["extra_lines"]
        )
        single_claim = options["group_single_claim"]
        if single_claim is None:
            single_claim = all(row["single_claim"] for row, _responsibility, _amount in parts)
        return PlannedInvoice(
            key=self._plan_key(group, header),
            partner_id=partner_id,
            client_id=client_id,
            payer_id=payer_id,
            company_id=company_id,
            currency_id=currency_id,
            charge_ids=tuple(dict.fromkeys(row["id"] for row, _r, _a in parts)),
            parts=tuple(
                PlannedPart(row["id"], responsibility, amount, amount == row["amount"])
                for row, responsibility, amount in parts
            ),
            amounts=MappingProxyType(amounts),
            amount=currency.round(sum(amounts.values()) + extra),
            values=MappingProxyType({**header, "group_single_claim": bool(single_claim)}),
            extra_lines=options["extra_lines"],
        )

    @api.model
    def _plan_key(self, group, header):
        """Text that identifies an invoice among those of a run, whenever it is planned again."""
        parts = (*group, header["fiscal_position_id"])
        return "-".join(str(part or 0) for part in parts)

    # -- run -------------------------------------------------------------------------------------
    @api.model
    def _save_plan(self, plan):
        """Write a plan down as a draft run: one line per invoice, one exclusion per reason.

        :return: ``healthcare.billing.run`` record
        """
        runs = self.env["healthcare.billing.run"]
        runs.check_access("create")
        # sudo: users make no runs by hand; defaults that a caller sends along must not count either
        make = runs.sudo().with_context(clean_context(self.env.context)).create
        run = make(self._prepare_run(plan)).with_env(self.env)
        run._load_plan(plan)
        return run

    @api.model
    def _prepare_run(self, plan):
        return {
            "user_id": self.env.uid,
            "company_id": self.env.company.id,
            "invoice_date": plan.options["invoice_date"],
            "door": self.env.context.get("healthcare_billing_door") or "direct",
            "options": {
                name: value.isoformat() if isinstance(value, date) else value
                for name, value in plan.options.items()
            },
        }
