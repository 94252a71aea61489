from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import float_compare, format_date

from .account_move_line import COMPLETE

# Accounts of these types have residual amounts, reconcilable or not.
CASH_TYPES = ("asset_cash", "liability_credit_card")
# What core computes for titles.
SECTION_VALUES = {
    "account_id": False,
    "amount_currency": 0.0,
    "amount_residual": 0.0,
    "amount_residual_currency": 0.0,
    "balance": False,
    "charge_credited": 0.0,
    "price_subtotal": 0.0,
    "price_total": 0.0,
    "price_unit": 0.0,
    "product_uom_id": False,
    "quantity": False,
    "reconciled": False,
    "tax_ids": [],
}


class HealthcareBillingEngine(models.AbstractModel):
    """How planned invoices become ``account.move`` records.

    Core computes taxes, due dates and the receivable lines of every invoice by writing each line
    again. Where none of that can differ (``_can_use_fast_path``), the complete set of lines is
    given and the sync is skipped; the result is the same to the column, which a test proves.
    """

    _inherit = "healthcare.billing.engine"

    @api.model
    def _create_moves(self, planned, run):
        """Create the invoices, in the given order.

        :param planned: list of :class:`PlannedInvoice` of the current company
        :return: ``account.move`` recordset, one per planned invoice
        """
        self._check_extra_lines(planned)
        charges = self._prefetch_charges(planned)
        numbers = self.env["ir.sequence"]._next_many("healthcare.billing.ref", len(planned))
        vals_list = [
            self._prepare_move(invoice, charges, number, run)
            for invoice, number in zip(planned, numbers, strict=True)
        ]
        fast = [self._can_use_fast_path(invoice) for invoice in planned]
        created = {}
        for is_fast in (True, False):
            chosen = [index for index, value in enumerate(fast) if value is is_fast]
            vals = [vals_list[index] for index in chosen]
            moves = self._create_complete(vals) if is_fast else self._create_synced(vals)
            created.update(zip(chosen, moves.ids, strict=True))
        return self.env["account.move"].browse([created[index] for index in range(len(planned))])

    @api.model
    def _create_synced(self, vals_list):
        """The plain path: core adds taxes and receivable lines."""
        return self._quiet_moves().create(vals_list) if vals_list else self.env["account.move"]

    @api.model
    def _create_complete(self, vals_list):
        """The fast path: nothing is left for core to add."""
        if not vals_list:
            return self.env["account.move"]
        # Core asks for a distribution line by line, even where no company has a rule for it.
        distributes = self.env["account.analytic.distribution.model"].search_count([], limit=1)
        defaults = {} if distributes else {"analytic_distribution": False}
        for vals in vals_list:
            self._complete_lines(vals, defaults)
        complete = self._quiet_moves().with_context(
            skip_invoice_sync=True,  # taxes, receivable lines, balances ...
            skip_invoice_line_sync=True,  # ... and amounts in currency are all given, ...
            healthcare_complete_lines=COMPLETE,  # ... and so is what is computed line by line
        )
        moves = complete.create(vals_list)
        return moves.with_env(self.env)

    @api.model
    def _quiet_moves(self):
        """Moves without a chatter message each: the run is the record of who made them."""
        return self.env["account.move"].with_context(
            mail_create_nosubscribe=True,
            mail_create_nolog=True,
            tracking_disable=True,
            skip_is_manually_modified=True,
        )

    @api.model
    def _prefetch_charges(self, planned):
        """All charges of a chunk in one recordset, so that each field is read once."""
        ids = dict.fromkeys(charge_id for invoice in planned for charge_id in invoice.charge_ids)
        return self.env["healthcare.charge"].browse(ids)

    @api.model
    def _check_extra_lines(self, planned):
        """The service of an extra line may be deleted since the preview, or have taxes inside."""
        ids = {
            line["product_id"]
            for invoice in planned
            for line in invoice.extra_lines
            if line.get("product_id")
        }
        products = self.env["product.product"].browse(ids)
        if len(products.exists()) < len(products):
            raise UserError(
                self.env._("The service of the extra line was deleted. Choose another one for it.")
            )
        if any(tax.price_include for tax in products.taxes_id):
            raise UserError(
                self.env._(
                    "The price of the extra line's service includes taxes. Choose a service whose "
                    "price doesn't."
                )
            )

    # -- which path ------------------------------------------------------------------------------
    @api.model
    def _can_use_fast_path(self, invoice):
        """Whether the invoice's lines can be given complete.

        Overriders whose addon makes core add lines (taxes, rounding, cost of goods) return False.

        :param invoice: :class:`PlannedInvoice`
        """
        company = self.env["res.company"].browse(invoice.company_id)
        term = self.env["account.payment.term"].browse(
            invoice.values["invoice_payment_term_id"] or []
        )
        return (
            invoice.currency_id == company.currency_id.id
            and not company.account_storno
            and len(term.line_ids) == 1
            and term.line_ids.value == "percent"
            and not term.early_discount
            # core copies tax grids of products to their lines
            and not (products := self._products_of(invoice)).taxes_id
            and not products.account_tag_ids
        )

    @api.model
    def _products_of(self, invoice):
        charges = self.env["healthcare.charge"].browse(invoice.charge_ids)
        extra = [line["product_id"] for line in invoice.extra_lines if line.get("product_id")]
        return charges.product_id | self.env["product.product"].browse(extra)

    # -- values ----------------------------------------------------------------------------------
    @api.model
    def _prepare_move(self, invoice, charges, number, run):
        """Values of one invoice with its section and product lines.

        :param charges: recordset that holds at least the invoice's charges
        :param str number: its billing reference
        """
        return {
            "move_type": invoice.move_type,
            "partner_id": invoice.partner_id,
            "company_id": invoice.company_id,
            "currency_id": invoice.currency_id,
            "payment_reference": number,
            "billing_ref": number,
            "billing_run_id": run.id,
            "billing_cycle_id": run.billing_cycle_id.id,
            "healthcare_client_id": invoice.client_id,
            **{
                name: value
                for name, value in invoice.values.items()
                if value or name != "narration"
            },
            "line_ids": [
                Command.create({**vals, "sequence": sequence})
                for sequence, vals in enumerate(self._prepare_lines(invoice, charges), start=10)
            ],
        }

    @api.model
    def _prepare_lines(self, invoice, charges):
        """Lines in printing order: what has no appointment, then a section per appointment.

        What was made for this bill, a fixed fee or the difference to what was agreed, closes it.
        """
        lang = self.env["res.partner"].browse(invoice.partner_id).lang or self.env.lang
        loose = [self._prepare_extra_line(extra, invoice) for extra in invoice.extra_lines]
        grouped, closing = [], []
        appointment = None
        for part in invoice.parts:
            charge = charges.browse(part.charge_id).with_prefetch(charges._prefetch_ids)
            line = self._prepare_charge_line(charge, part, invoice, lang)
            if not charge.appointment_id:
                (closing if charge.made_by_basis else loose).append(line)
                continue
            if charge.appointment_id != appointment:
                appointment = charge.appointment_id
                grouped.append(self._prepare_section(appointment, invoice, lang))
            grouped.append(line)
        if grouped and closing:  # else it would belong to the last appointment
            title = {"display_type": "line_section", "name": self._closing_title(lang)}
            grouped.append(title)
        return loose + grouped + closing

    @api.model
    def _prepare_section(self, appointment, invoice, lang):
        """Title of an appointment: date, provider, service; the client where there are several."""
        names = [format_date(self.env, appointment.service_date, lang_code=lang)]
        if not invoice.client_id:
            names.append(appointment.client_id.name)
        names.append(appointment.employee_id.name)
        names.append(appointment.product_id.with_context(lang=lang).name)
        return {
            "display_type": "line_section",
            "name": " - ".join(name for name in names if name),
        }

    @api.model
    def _prepare_charge_line(self, charge, part, invoice, lang):
        """The line that bills one responsible party's part of a charge.

        A whole charge shows units and fee; a part has quantity 1 and the part as its price, so
        that no rounding of units can change the sum. So has a charge whose units times fee aren't
        full cents: with taxes rounded globally (the default of companies) core spreads these
        fractions over the lines, and cents of the ledger would not be those of the charges.
        """
        product = charge.quantity * charge.price_unit
        exact = not float_compare(product, part.amount, precision_digits=6)
        whole = part.is_whole and charge.quantity and exact
        return {
            "name": " - ".join(
                [
                    self._charge_line_name(charge, part, lang),
                    *self._day_names(charge, invoice, lang),
                ]
            ),
            "quantity": charge.quantity if whole else 1.0,
            "price_unit": self._sign(invoice) * (charge.price_unit if whole else part.amount),
            **self._product_values(charge.product_id, invoice),
            "charge_id": charge.id,
            "responsibility": part.responsibility,
            "charge_units": charge.quantity,
            "charge_planned": self._sign(invoice) * part.amount,
        }

    @api.model
    def _charge_line_name(self, charge, part, lang):
        """Service as the addressee reads it, the kind of what isn't one, and whose part it is."""
        engine = self.with_context(lang=lang)
        names = []
        if charge.kind != "service":
            kinds = charge._fields["kind"]._description_selection(engine.env)
            names.append(dict(kinds)[charge.kind])
        if charge.product_id:
            names.append(charge.product_id.with_context(lang=lang).display_name)
        name = " ".join(names)
        if part.is_whole:
            return name
        if part.responsibility == "client":
            return engine.env._("%s (client's part)", name)
        return engine.env._("%s (payer's part)", name)

    @api.model
    def _day_names(self, charge, invoice, lang):
        """What the title of an appointment says, where a client premium has none: day, client."""
        if not charge.client_premium_id:
            return []
        names = [format_date(self.env, charge.service_date, lang_code=lang)]
        return names if invoice.client_id else [*names, charge.client_id.name]

    @api.model
    def _prepare_extra_line(self, extra, invoice):
        """A line that isn't a charge, the same on every invoice of the run."""
        product = self.env["product.product"].browse(extra.get("product_id") or [])
        return {
            "name": extra.get("name") or product.display_name,
            "quantity": extra.get("quantity", 1.0),
            "price_unit": self._sign(invoice) * extra["price_unit"],
            **self._product_values(product, invoice),
        }

    @api.model
    def _product_values(self, product, invoice):
        """What the service says of its invoice line.

        Care has only the service's own taxes: those that core would take from the income account
        don't count. Revenue goes to the account of the service, its category or the company, else
        of the journal.
        """
        company = self.env.company
        position = self.env["account.fiscal.position"].browse(
            invoice.values["fiscal_position_id"] or []
        )
        journal = self.env["account.journal"].browse(invoice.values["journal_id"])
        taxes = position.map_tax(product.taxes_id._filter_taxes_by_company(company))
        return {
            "display_type": "product",
            "product_id": product.id,
            "product_uom_id": product.uom_id.id,
            "tax_ids": [Command.set(taxes.ids)],
            "account_id": self._income_account(product, position, journal).id,
        }

    @api.model
    def _income_account(self, product, position, journal):
        """Where revenue of a service goes: its account, its category's, the company's, or else
        the journal's.

        :param position: ``account.fiscal.position`` of the addressee
        """
        template = product.with_company(self.env.company).product_tmpl_id
        account = template.get_product_accounts(fiscal_pos=position)["income"]
        return account or journal.default_account_id

    @api.model
    def _sign(self, invoice):
        """Lines of a credit note carry the charges' opposite sums."""
        return -1 if invoice.move_type == "out_refund" else 1

    # -- fast path -------------------------------------------------------------------------------
    @api.model
    def _complete_lines(self, vals, defaults):
        """Add to an invoice's values what core's sync would: balances and the receivable line.

        :param dict vals: of ``_prepare_move``, changed in place
        :param dict defaults: values for every line with an account
        """
        currency = self.env["res.currency"].browse(vals["currency_id"])
        partner = self.env["res.partner"].browse(vals["partner_id"])
        commercial = partner.with_company(self.env.company).commercial_partner_id
        is_refund = vals["move_type"] == "out_refund"
        total = 0.0
        for _command, _id, line in vals["line_ids"]:
            if line["display_type"] == "product":
                subtotal = currency.round(line["quantity"] * line["price_unit"])
                total += subtotal
                self._complete_product_line(line, subtotal, subtotal if is_refund else -subtotal)
            else:
                line.update(SECTION_VALUES)
            line.update(defaults)
        total = currency.round(total)
        receivable = self._prepare_receivable_line(vals, commercial, -total if is_refund else total)
        vals["line_ids"].append(Command.create({**receivable, **defaults}))

    @api.model
    def _complete_product_line(self, line, subtotal, balance):
        """What core computes for a line without taxes and discount, in company currency."""
        line.update(
            balance=balance,
            amount_currency=balance,
            price_subtotal=subtotal,
            price_total=subtotal,
            charge_credited=0.0,
        )
        account = self.env["account.account"].browse(line["account_id"])
        if not account.reconcile and account.account_type not in CASH_TYPES:
            line.update(amount_residual=0.0, amount_residual_currency=0.0, reconciled=False)

    @api.model
    def _prepare_receivable_line(self, vals, commercial, balance):
        """The one receivable line of an invoice whose payment term has one due date."""
        company = self.env.company
        term = self.env["account.payment.term"].browse(vals["invoice_payment_term_id"])
        account = (
            commercial.property_account_receivable_id
            or company.partner_id.with_company(company).property_account_receivable_id
        )
        if vals["fiscal_position_id"]:
            position = self.env["account.fiscal.position"].browse(vals["fiscal_position_id"])
            account = position.map_account(account)
        reference, number = vals.get("ref"), vals["payment_reference"]
        return {
            "display_type": "payment_term",
            "name": f"{reference} - {number}" if reference else number,
            "account_id": account.id,
            "partner_id": commercial.id,
            "currency_id": vals["currency_id"],
            "balance": balance,
            "amount_currency": balance,
            "price_unit": 0.0,
            "price_subtotal": 0.0,
            "price_total": 0.0,
            "quantity": False,
            "product_uom_id": False,
            "tax_ids": [],
            "sequence": 12000,
            "date_maturity": term.line_ids._get_due_date(vals["invoice_date"]),
            "discount_date": False,
            "discount_balance": 0.0,
            "discount_amount_currency": 0.0,
        }
