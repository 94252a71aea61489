from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_date


class HealthcareAccrualBook(models.TransientModel):
    """Shows what would be accrued, per account, before it is booked."""

    _name = "healthcare.accrual.book"
    _description = "Book Accrual"

    report_id = fields.Many2one(
        "healthcare.completeness", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="report_id.company_id")
    currency_id = fields.Many2one(related="report_id.currency_id")
    date = fields.Date(related="report_id.as_of", string="Cut-off")
    journal_id = fields.Many2one("account.journal", readonly=True)
    account_id = fields.Many2one("account.account", string="Accrued Revenue", readonly=True)
    line_ids = fields.One2many("healthcare.accrual.book.line", "book_id", readonly=True)
    amount = fields.Monetary(string="Total", readonly=True)
    has_changed = fields.Boolean(readonly=True, help="Sums differ from those shown before.")
    early_draft_amount = fields.Monetary(
        string="On Drafts of the Period",
        readonly=True,
        help="On draft invoices dated on or before the cut-off: not accrued.",
    )
    older_count = fields.Integer(
        string="Older Items", readonly=True, help="Not invoiced, and older than the report."
    )
    never_amount = fields.Monetary(
        string="Blocked, Not Accrued",
        readonly=True,
        help="Rejected and vacant visits, and those off the schedule, are never billed. Visits "
        "that nobody completed or clocked aren't delivered yet.",
    )
    open_cycles = fields.Char(
        string="Open Billing Cycles",
        readonly=True,
        help="They date invoices in the period, and some of their care is on none yet.",
    )

    @api.depends("date")
    def _compute_display_name(self):
        for book in self:
            book.display_name = self.env._("Book Accrual")

    @api.model
    def _prepare(self, report):
        """A confirmation with the sums of the report, which is computed anew.

        :param report: ``healthcare.completeness`` record
        """
        accruals = self.env["healthcare.accrual"]
        accruals._check_may_book()
        accruals._check_setup(report.company_id)
        report._check_accruable()
        accruals._check_open_period(report.company_id, report.as_of)
        report.action_compute()
        book = self.create(
            {
                "report_id": report.id,
                "journal_id": accruals._journal(report.company_id).id,
                # sudo: a setting
                "account_id": report.company_id.sudo().healthcare_accrual_account_id.id,
                "early_draft_amount": report._early_draft_amount(),
                "older_count": report._older_count(),
                "never_amount": report._never_amount(),
                "open_cycles": ", ".join(report._open_cycles().mapped("name")),
            }
        )
        book._take_amounts(report._accrual_amounts())
        return book

    def _take_amounts(self, amounts):
        self.line_ids.unlink()
        self.amount = sum(amounts.values())
        self.env["healthcare.accrual.book.line"].create(
            [
                {"book_id": self.id, "account_id": account.id, "amount": amount}
                for account, amount in sorted(amounts.items(), key=lambda item: item[0].code or "")
            ]
        )

    def _open(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Book Accrual"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def action_book(self):
        """Post entry and reversal; with other sums than shown, show these first.

        :return: action that opens the entries, also those that somebody booked before
        """
        self.ensure_one()
        accruals = self.env["healthcare.accrual"]
        existing = accruals._live(self.company_id, self.date)
        if existing:
            return existing.action_view_moves()
        self.report_id._check_accruable()
        self.report_id.action_compute()
        amounts = self.report_id._accrual_amounts()
        shown = {line.account_id: line.amount for line in self.line_ids}
        if amounts != shown:
            self._take_amounts(amounts)
            self.has_changed = True
            return self._open()
        accrual = accruals._book(self.company_id, self.date, amounts)
        return accrual.action_view_moves()


class HealthcareAccrualBookLine(models.TransientModel):
    """Sum to accrue of one income account."""

    _name = "healthcare.accrual.book.line"
    _description = "Book Accrual: Account"

    book_id = fields.Many2one(
        "healthcare.accrual.book", required=True, index=True, ondelete="cascade"
    )
    currency_id = fields.Many2one(related="book_id.currency_id")
    account_id = fields.Many2one("account.account", string="Income Account")
    amount = fields.Monetary()


class HealthcareCompleteness(models.TransientModel):
    """What of a report is accrued: delivered by the cut-off, and not invoiced on it."""

    _inherit = "healthcare.completeness"

    accruable = fields.Monetary(
        string="Delivered, Not Invoiced",
        readonly=True,
        help="Invoiced later, on drafts, ready or blocked, without what will never be billed: what "
        "the accrual of this cut-off would book.",
    )
    accrual_id = fields.Many2one("healthcare.accrual", compute="_compute_accrual_id")
    accrued = fields.Monetary(related="accrual_id.amount", string="Accrued")
    may_accrue = fields.Boolean(compute="_compute_may_accrue")

    @api.depends("company_id", "as_of", "computed_on")
    def _compute_accrual_id(self):
        for report in self:
            report.accrual_id = self.env["healthcare.accrual"]._live(
                report.company_id, report.as_of
            )

    @api.depends_context("uid")
    def _compute_may_accrue(self):
        self.may_accrue = self.env["healthcare.accrual"]._may_book()

    # -- actions ---------------------------------------------------------------------------------
    def action_accrue(self):
        """Show what would be accrued at the cut-off; or the entries, if it was."""
        self.ensure_one()
        existing = self.env["healthcare.accrual"]._live(self.company_id, self.as_of)
        if existing:
            return existing.action_view_moves()
        return self.env["healthcare.accrual.book"]._prepare(self)._open()

    def action_view_accrual(self):
        """Entry and reversal of the cut-off."""
        return self.accrual_id.action_view_moves()

    def action_undo_accrual(self):
        """Cancel entry and reversal of the cut-off."""
        self.accrual_id.action_undo()
        self.invalidate_recordset(["accrual_id"])
        return True

    # -- what is accrued -------------------------------------------------------------------------
    def _check_accruable(self):
        """An accrual is of all care of a company until one day.

        :raise UserError: says which criteria to change
        """
        self.ensure_one()
        self._check_criteria()
        filters = (
            self.client_ids | self.payer_ids,
            self.employee_ids,
            self.department_ids,
            self.product_ids,
        )
        if any(filters):
            raise UserError(
                self.env._(
                    "An accrual is of all care of the company. Take the filters by client, payer, "
                    "staff, department and service out of the report first."
                )
            )
        if self.as_of > fields.Date.context_today(self):
            raise UserError(
                self.env._("Nobody knows yet what will be delivered until a day in the future.")
            )
        if self.date_to != self.as_of:
            raise UserError(
                self.env._(
                    "The accrual is of care until the day of the books. Set the last day of care "
                    "(%(care)s) and “Books as of” (%(books)s) to the same day.",
                    care=format_date(self.env, self.date_to),
                    books=format_date(self.env, self.as_of),
                )
            )
        if self.has_foreign_currency and self.invoice_date != self.as_of:
            raise UserError(
                self.env._(
                    "Foreign currencies are accrued by the rate of the cut-off. Set “If invoiced "
                    "on” to %s.",
                    format_date(self.env, self.as_of),
                )
            )

    def _figures(self, charge_ids, delivered_ids, totals, rates):
        figures = super()._figures(charge_ids, delivered_ids, totals, rates)
        [(amount,)] = self.env["healthcare.completeness.row"]._read_group(
            [("report_id", "=", self.id), ("is_accruable", "=", True)],
            [],
            ["amount_company:sum"],
        )
        return {**figures, "accruable": self.currency_id.round(amount or 0.0)}

    def _accrual_amounts(self):
        """Sums to accrue per income account: of the draft's or invoice's line where there is one,
        else the one that the engine would take.

        :return: ``{account.account: amount in company currency}``, without zeros
        :raise UserError: a service has no income account
        """
        self.ensure_one()
        company = self.company_id
        engine = self.env["healthcare.billing.engine"].with_company(company).sudo()
        # sudo: accounts, journals and products of the company, whoever of those who may book asks
        journal = engine._sale_journal(company)
        rows = self.env.execute_query(self._accrual_sql())
        partners = engine.env["res.partner"].browse(
            {partner_id for _account, _product, partner_id, _amount in rows if partner_id}
        )
        positions = engine._fiscal_positions(partners, company)
        Product, Account = engine.env["product.product"], engine.env["account.account"]
        Position = engine.env["account.fiscal.position"]
        amounts, known = {}, {}
        for account_id, product_id, partner_id, amount in rows:
            if not account_id:
                key = (product_id, positions.get(partner_id))
                if key not in known:
                    known[key] = engine._income_account(
                        Product.browse(product_id or []), Position.browse(key[1] or []), journal
                    )
                    self._check_income_account(known[key], Product.browse(product_id or []))
                account_id = known[key].id
            account = Account.browse(account_id).sudo(False)
            amounts[account] = amounts.get(account, 0.0) + float(amount)
        currency = company.currency_id
        return {
            account: currency.round(amount)
            for account, amount in amounts.items()
            if not currency.is_zero(amount)
        }

    def _check_income_account(self, account, product):
        if not account:
            raise UserError(
                self.env._(
                    "%(service)s has no income account, and neither has its category or the sales "
                    "journal of %(company)s. Set one, then book the accrual.",
                    service=product.display_name or self.env._("Care without a service"),
                    company=self.company_id.name,
                )
            )

    def _accrual_sql(self):
        """SELECT of account (of the invoice line), else service and addressee, and the amount."""
        return SQL(
            """SELECT line.account_id, CASE WHEN line.account_id IS NULL THEN r.product_id END,
                      CASE WHEN line.account_id IS NOT NULL THEN NULL
                           WHEN r.responsibility = 'client' OR r.payer_id IS NULL
                             OR payer.invoicing_model = 'client_individual'
                           THEN COALESCE(b.guarantor_id, r.client_id)
                           ELSE r.payer_id END,
                      SUM(r.amount_company)
                 FROM healthcare_completeness_row r
                 JOIN healthcare_charge c ON c.id = r.charge_id
            LEFT JOIN healthcare_billing_account b ON b.id = c.billing_account_id
            LEFT JOIN res_partner payer ON payer.id = r.payer_id
            LEFT JOIN LATERAL (
                      SELECT l.account_id
                        FROM account_move_line l
                       WHERE r.move_id IS NOT NULL AND l.charge_id = r.charge_id
                         AND l.move_id = r.move_id
                    ORDER BY l.responsibility = r.responsibility DESC, l.id
                       LIMIT 1
                      ) line ON TRUE
                WHERE r.report_id = %s AND r.is_accruable
             GROUP BY 1, 2, 3
             ORDER BY 1, 2, 3""",
            self.id,
        )

    # -- what to look at first -------------------------------------------------------------------
    def _early_draft_amount(self):
        """On drafts dated on or before the cut-off: posted there, they would count twice, so that
        they aren't accrued.
        """
        [(amount,)] = self.env.execute_query(
            SQL(
                """SELECT SUM(r.amount_company)
                     FROM healthcare_completeness_row r
                    WHERE r.report_id = %s AND NOT r.is_accruable AND r.status = 'draft'""",
                self.id,
            )
        )
        return float(amount or 0.0)

    def _open_cycles(self):
        """Open cycles that would invoice accrued care in the period, where it would count twice.

        :return: ``healthcare.billing.cycle``, sudo: only to name them
        """
        cycles = (
            self.env["healthcare.billing.cycle"]
            .sudo()
            .search(
                [
                    ("company_id", "=", self.company_id.id),
                    ("state", "=", "open"),
                    ("invoice_date", "<=", self.as_of),
                ]
            )
        )
        if not cycles:
            return cycles
        found = self.env.execute_query(
            SQL(
                """SELECT DISTINCT charge_id FROM healthcare_completeness_row
                    WHERE report_id = %s AND is_accruable AND status IN ('ready', 'blocked')""",
                self.id,
            )
        )
        accrued = Domain("id", "in", [charge_id for (charge_id,) in found])
        charges = self.env["healthcare.charge"].sudo()  # sudo: see above
        return cycles.filtered(
            lambda cycle: charges.search_count(accrued & cycle._charge_domain(), limit=1)
        )

    def _never_amount(self):
        """Blocked for good (R12) or not delivered, and so not accrued."""
        [(amount,)] = self.env["healthcare.completeness.row"]._read_group(
            [
                ("report_id", "=", self.id),
                ("status", "=", "blocked"),
                ("is_accruable", "=", False),
            ],
            [],
            ["amount_company:sum"],
        )
        return amount or 0.0

    def _older_count(self):
        """Unbilled care from before the report begins."""
        # sudo: see _scope_ids
        charges = self.env["healthcare.charge"].sudo().with_context(active_test=False)
        return charges.search_count(
            [
                ("company_id", "=", self.company_id.id),
                ("service_date", "<", self.date_from),
                ("billing_stage", "in", ("planned", "qa", "billing_office", "draft")),
            ]
        )
