from collections import defaultdict
from dataclasses import replace

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from .billing_engine_mass_blocks import REPEATING_DOORS
from .billing_plan import PlannedPart
from .healthcare_charge import PRICING


class HealthcareBillingEngine(models.AbstractModel):
    """How bills on a quote or fixed fee are booked: with the charges that are made for them."""

    _inherit = "healthcare.billing.engine"

    @api.model
    def _execute_chunk(self, lines, post=False):
        """Of fees that need no work, only those of these rows are planned again."""
        engine = self
        if lines.run_id.door == "mass":
            engine = self.with_context(healthcare_mass_accounts=lines._mass_accounts().ids)
        return super(HealthcareBillingEngine, engine)._execute_chunk(lines, post)

    @api.model
    def _lock_lines(self, lines):
        """Bills of an account come in turn: who has an older snapshot is run again on a new one."""
        lines = super()._lock_lines(lines)
        if lines.run_id.door == "mass":
            lines._mass_accounts()._touch()
        return lines

    @api.model
    def _book(self, planned, run, post):
        """Charges are made for what was agreed on, then booked with the work: both or none."""
        if run.door == "mass":
            planned = self._make_basis_charges(planned, run)
        elif run.door not in REPEATING_DOORS:
            self._prefetch_charges(planned)._mark_covered({})
        return super()._book(planned, run, post)

    @api.model
    def _moves_posted_at_once(self, moves, run):
        """Bills of mass billing are always looked through first (R25), those of nothing too."""
        if run.door == "mass":
            return moves.browse()
        return super()._moves_posted_at_once(moves, run)

    @api.model
    def _create_moves(self, planned, run):
        """Bills of mass billing are marked once they are made: in one write for all."""
        moves = super()._create_moves(planned, run)
        if run.door == "mass":
            # only the system says so: users, who these moves are created as, don't write it
            moves._write_result({"is_mass_bill": True})
        return moves

    # -- what is made for a bill -----------------------------------------------------------------
    @api.model
    def _make_basis_charges(self, planned, run):
        """Create fixed fees and differences of planned invoices, and mark what they cover.

        :param planned: list of :class:`PlannedInvoice`
        :return: the same with parts for the new charges
        """
        self._prefetch_charges(planned)._mark_covered(
            {
                charge_id: (basis.rule, basis.responsibility)
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
        charges = self.env["healthcare.charge"].with_context(healthcare_pricing=PRICING)
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
        day = min(run.date_up_to, run.invoice_date)
        common = self._prepare_basis_common(account, basis.rule, basis.responsibility, day)
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
        return [*fees, self._prepare_difference(account, common, basis.adjustment)]

    @api.model
    def _prepare_basis_common(self, account, rule, party, day):
        """Values of any charge that is made for a bill.

        :param str rule: quote or fixed
        :param str party: responsibility of whoever agreed
        :param date day: that it is dated
        """
        return {
            "company_id": account.company_id.id,
            "client_id": account.client_id.id,
            "billing_account_id": account.id,
            "payer_id": account.payer_id.id,
            "department_id": account.department_id.id,
            "service_date": day,
            "made_by_basis": True,
            "covered_by": rule,
            "covered_party": party,
            "quantity": 1.0,
        }

    @api.model
    def _prepare_difference(self, account, common, amount):
        """Values of the charge that makes up the difference to what was agreed.

        :param dict common: of ``_prepare_basis_common``
        :param float amount: signed, untaxed
        """
        product = account.adjustment_product_id or self._basis_product(
            account, "healthcare_fee_adjustment_product_id"
        )
        made = {"kind": "adjustment", "product_id": product.id, "price_unit": amount}
        return {**common, **made}

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

    # -- how it is printed -----------------------------------------------------------------------
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
    def _day_names(self, charge, invoice, lang):
        """Whose agreement it is, where a bill is for several clients."""
        names = super()._day_names(charge, invoice, lang)
        if charge.made_by_basis and not invoice.client_id:
            return [*names, charge.client_id.name]
        return names

    # -- what goes wrong -------------------------------------------------------------------------
    @api.model
    def _record_failure(self, line, error):
        """A fee that somebody else billed a moment ago is no fault."""
        name = getattr(getattr(error, "diag", None), "constraint_name", None)
        if name == "healthcare_charge_fixed_fee_uniq":
            text = self.env._("Its fixed fee was billed meanwhile. Search again.")
            line._set_result({"state": "skipped", "message": text})
            return
        super()._record_failure(line, error)
