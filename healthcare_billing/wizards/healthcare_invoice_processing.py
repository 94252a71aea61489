from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class HealthcareInvoiceProcessing(models.TransientModel):
    """Criteria of invoices to print, e-mail, post or claim. Dates are those of their creation."""

    _name = "healthcare.invoice.processing"
    _description = "Process Existing Invoices"

    company_id = fields.Many2one(
        "res.company",
        default=lambda self: self.env.company,
        domain=lambda self: [("id", "in", self.env.companies.ids)],
        help="Empty: all companies that are ticked in the company menu.",
    )
    date_from = fields.Date(
        string="Created from", default=lambda self: self.env.company._care_today().replace(day=1)
    )
    date_to = fields.Date(
        string="to",
        default=lambda self: self.env.company._care_today(),
        help="Last day of creation that is shown.",
    )
    client_ids = fields.Many2many(
        "res.partner",
        "healthcare_invoice_processing_client_rel",
        string="Clients",
        domain="[('is_healthcare_client', '=', True)]",
    )
    payer_ids = fields.Many2many(
        "res.partner",
        "healthcare_invoice_processing_payer_rel",
        string="Payers",
        domain="[('is_payer', '=', True)]",
        help="Who pays for the care, also on the invoices of the client's own part.",
    )
    state = fields.Selection([("draft", "Draft"), ("posted", "Posted")], string="Status")
    delivery_state = fields.Selection(
        [
            ("none", "Not sent yet"),
            ("queued", "Queued"),
            ("sent", "Sent"),
            ("failed", "Failed"),
            ("no_address", "No address"),
        ],
        string="Delivery",
    )
    billing_run_id = fields.Many2one("healthcare.billing.run")
    currency_id = fields.Many2one("res.currency", compute="_compute_totals")
    move_count = fields.Integer(string="Invoices", compute="_compute_totals")
    amount_total = fields.Monetary(string="Total", compute="_compute_totals")
    amount_residual = fields.Monetary(string="Amount Due", compute="_compute_totals")

    @api.depends(
        "company_id", "date_from", "date_to", "client_ids", "payer_ids", "state",
        "delivery_state", "billing_run_id",
    )  # fmt: skip
    def _compute_totals(self):
        for wizard in self:
            totals = self.env["account.move"]._read_group(
                wizard._move_domain(),
                ["company_id"],
                ["__count", "amount_total_signed:sum", "amount_residual_signed:sum"],
            )
            currencies = {company.currency_id for company, *_sums in totals}
            currencies = currencies or {wizard._companies()[:1].currency_id}
            # there is no sum of different currencies
            is_one = len(currencies) == 1
            wizard.currency_id = currencies.pop() if is_one else False
            wizard.move_count = sum(count for _company, count, _total, _due in totals)
            wizard.amount_total = is_one and sum(total for *_rest, total, _due in totals)
            wizard.amount_residual = is_one and sum(due for *_rest, due in totals)

    @api.onchange("date_from", "date_to")
    def _onchange_dates(self):
        if self.date_from and self.date_to and self.date_from > self.date_to:
            self.date_to = self.date_from + relativedelta(day=31)

    def _companies(self):
        """Companies whose invoices are searched."""
        self.ensure_one()
        return self.company_id or self.env.companies

    def _created_domain(self):
        """Created on these days: each company's own, midnight to midnight (R6)."""
        self.ensure_one()
        day_after = self.date_to and self.date_to + relativedelta(days=1)
        companies = []
        for company in self._companies():
            start, stop = company._care_day_bounds(self.date_from, day_after)
            domain = Domain("company_id", "=", company.id)
            if start:
                domain &= Domain("create_date", ">=", fields.Datetime.to_string(start))
            if stop:
                domain &= Domain("create_date", "<", fields.Datetime.to_string(stop))
            companies.append(domain)
        return Domain.OR(companies)

    def _move_domain(self):
        """Invoices and credit notes of care that match; empty criteria match all.

        :return: :class:`odoo.fields.Domain` on ``account.move``
        """
        self.ensure_one()
        domain = self._created_domain() & Domain(
            "move_type", "in", ["out_invoice", "out_refund"]
        ) & Domain("invoice_line_ids.charge_id", "!=", False)  # fmt: skip
        if self.client_ids:
            # one invoice of a payer may be for many clients
            domain &= Domain("invoice_line_ids.charge_id.client_id", "in", self.client_ids.ids)
        if self.payer_ids:
            domain &= Domain("partner_id", "in", self.payer_ids.ids) | Domain(
                "invoice_line_ids.charge_id.payer_id", "in", self.payer_ids.ids
            )
        if self.state:
            domain &= Domain("state", "=", self.state)
        if self.delivery_state:
            state = False if self.delivery_state == "none" else self.delivery_state
            domain &= Domain("delivery_state", "=", state)
        if self.billing_run_id:
            domain &= Domain("billing_run_id", "=", self.billing_run_id.id)
        return domain

    def action_search(self):
        """Show the invoices found, to be selected and processed.

        :return: window action on ``account.move``
        """
        self.ensure_one()
        if self.date_from and self.date_to and self.date_from > self.date_to:
            raise UserError(self.env._("The first day of creation is after the last one."))
        return self.env["account.move"]._process_action(list(self._move_domain()))
