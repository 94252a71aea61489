from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

# What can become of a part of a charge, in the order in which the equation tells it.
STATUSES = [
    ("invoiced", "Invoiced"),
    ("credited", "Credited in Part"),
    ("later", "Invoiced Later"),
    ("draft", "On Drafts"),
    ("ready", "Ready to Bill"),
    ("blocked", "Blocked"),
    ("not_billable", "Not Billable"),
]


class HealthcareCompleteness(models.TransientModel):
    """Proof that nothing was forgotten: what became of all care of a period, to the cent.

    Delivered = invoiced + credited in part + invoiced later + on drafts + ready + blocked + not
    billable, and what is invoiced is what the ledger says. Criteria and figures are this record;
    ``healthcare.completeness.row`` holds a row per charge and responsible party,
    ``healthcare.completeness.line`` their sums per status and reason.

    The figures come from sources of their own: delivered from the charges' amounts, the rows from
    the parts and the engine's block conditions, the ledger from posted journal items. See
    docs/accounting.md for what each of them means.

    Who may: billing users; accountants, who see no charges otherwise, see sums, clients, services
    and reasons. Rows hold no diagnosis. Everybody sees own reports only.
    """

    _name = "healthcare.completeness"
    _description = "Completeness of Billing"

    # -- criteria --------------------------------------------------------------------------------
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    date_from = fields.Date(
        string="Care from",
        required=True,
        default=lambda self: self.env.company._care_today() + relativedelta(months=-1, day=1),
    )
    date_to = fields.Date(
        string="to",
        required=True,
        default=lambda self: self.env.company._care_today(),
        help="Last day of care that is told, in the practice's own time zone.",
    )
    as_of = fields.Date(
        string="Books as of",
        required=True,
        default=fields.Date.context_today,
        help="Journal items up to this accounting date count as invoiced. With the last day of a "
        "month you see what was delivered but not invoiced by then.",
    )
    invoice_date = fields.Date(
        string="If invoiced on",
        required=True,
        default=fields.Date.context_today,
        help="Unbilled care is judged for this invoice date, and foreign currencies by its rate.",
    )
    client_ids = fields.Many2many(
        "res.partner", "healthcare_completeness_client_rel", string="Clients"
    )
    payer_ids = fields.Many2many(
        "res.partner",
        "healthcare_completeness_payer_rel",
        string="Payers",
        domain="[('is_payer', '=', True)]",
    )
    # public profiles: billers may not access employees, and the ids are the same
    employee_ids = fields.Many2many(
        "hr.employee.public", "healthcare_completeness_employee_rel", string="Staff"
    )
    department_ids = fields.Many2many("hr.department", string="Departments")
    product_ids = fields.Many2many("product.product", string="Services")

    # -- figures, in company currency ------------------------------------------------------------
    computed_on = fields.Datetime(readonly=True, copy=False)
    charge_count = fields.Integer(string="Items", readonly=True)
    delivered = fields.Monetary(readonly=True, help="Amounts of all charges, untaxed.")
    invoiced = fields.Monetary(readonly=True, help="By the charges, net of posted credits.")
    credited = fields.Monetary(
        string="Credited in Part",
        readonly=True,
        help="Given up by posted credit notes that cover a part of their invoice's line.",
    )
    later = fields.Monetary(
        string="Invoiced Later", readonly=True, help="Posted after the date of the books."
    )
    draft = fields.Monetary(string="On Drafts", readonly=True)
    ready = fields.Monetary(string="Ready to Bill", readonly=True)
    blocked = fields.Monetary(readonly=True)
    not_billable = fields.Monetary(readonly=True)
    gap = fields.Monetary(
        string="Unaccounted for",
        readonly=True,
        help="Delivered, less all that became of it. Anything but nothing is an error.",
    )
    ledger = fields.Monetary(
        readonly=True,
        help="Posted journal items of this care on income and expense accounts, net of credit "
        "notes, without taxes.",
    )
    ledger_gap = fields.Monetary(
        string="Unexplained in the Ledger",
        readonly=True,
        help="What the ledger says, less what the items say of it line by line. Anything but "
        "nothing is an error.",
    )
    exchange = fields.Monetary(
        string="Exchange Differences",
        readonly=True,
        help="Booked at another rate than the invoice's, as for a later credit note.",
    )
    difference = fields.Monetary(
        readonly=True, help="Invoiced by the charges, less what the ledger says of them."
    )
    draft_difference = fields.Monetary(
        string="Difference on Drafts",
        readonly=True,
        help="What charges on drafts say, less what the drafts' lines say.",
    )
    difference_count = fields.Integer(string="Lines that Differ", readonly=True)
    exchange_count = fields.Integer(string="Lines with Exchange Differences", readonly=True)
    state = fields.Selection(
        [
            ("none", "Not computed"),
            ("agrees", "The books agree"),
            ("drafts", "Drafts were changed by hand"),
            ("beside", "Lines beside care change the revenue"),
            ("differs", "The books differ"),
        ],
        compute="_compute_state",
    )
    planned_count = fields.Integer(string="Still Planned", readonly=True)
    planned_amount = fields.Monetary(readonly=True)
    has_foreign_currency = fields.Boolean(readonly=True)
    line_ids = fields.One2many("healthcare.completeness.line", "report_id", readonly=True)
    row_ids = fields.One2many("healthcare.completeness.row", "report_id", readonly=True)

    @api.depends(
        "computed_on", "gap", "difference", "difference_count", "draft_difference", "ledger_gap",
        "lost_count", "beside_count", "company_id",
    )  # fmt: skip
    def _compute_state(self):
        for report in self:
            if not report.computed_on:
                report.state = "none"
            elif report._is_wrong():
                report.state = "differs"
            elif report.difference_count:
                report.state = "drafts"
            elif report.beside_count:
                report.state = "beside"
            else:
                report.state = "agrees"

    def _is_wrong(self):
        """Whether the books differ, be it that two differences make up for each other."""
        self.ensure_one()
        amounts = (self.gap, self.difference, self.ledger_gap)
        if self.lost_count or not all(map(self.currency_id.is_zero, amounts)):
            return True
        if not self.difference_count:
            return False
        domain = Domain("report_id", "=", self._origin.id) & self._difference_domain("invoiced")
        return bool(self.env["healthcare.completeness.row"].search_count(domain, limit=1))

    @api.depends("date_from", "date_to")
    def _compute_display_name(self):
        for report in self:
            report.display_name = self.env._("Completeness of Billing")

    @api.onchange(
        "company_id", "date_from", "date_to", "as_of", "invoice_date", "client_ids", "payer_ids",
        "employee_ids", "department_ids", "product_ids",
    )  # fmt: skip
    def _onchange_criteria(self):
        """Figures of other criteria aren't shown."""
        self.computed_on = False

    # -- scope -----------------------------------------------------------------------------------
    def _check_criteria(self):
        self.ensure_one()
        if self.company_id not in self.env.companies:
            raise UserError(
                self.env._("Tick %s in the company menu first.", self.sudo().company_id.name)
            )  # sudo: only to name it
        if self.date_from > self.date_to:
            raise UserError(self.env._("The first day of care is after the last one."))
        if self.invoice_date > fields.Date.context_today(self):
            raise UserError(self.env._("Nothing can be invoiced on a date in the future."))

    def _charge_domain(self):
        """Charges of the period and the filters; empty filters match all."""
        self.ensure_one()
        domain = (
            Domain("company_id", "=", self.company_id.id)
            & Domain("service_date", ">=", self.date_from)
            & Domain("service_date", "<=", self.date_to)
        )
        for name, records in (
            ("client_id", self.client_ids),
            ("payer_id", self.payer_ids),
            ("employee_id", self.employee_ids),
            ("department_id", self.department_ids),
            ("product_id", self.product_ids),
        ):
            if records:
                domain &= Domain(name, "in", records.ids)
        return domain

    # -- actions ---------------------------------------------------------------------------------
    def action_compute(self):
        """Compute rows and figures anew, and show them.

        :return: True, so that the form shows the figures
        :raise UserError: criteria that can't be
        """
        for report in self:
            report._check_criteria()
            report._compute_rows()
        return True

    def action_view_rows(self):
        """Everything, to group as one likes."""
        return self._rows_action(self.env._("All Care"), [])

    def action_view_status(self):
        """The items of one figure: the status in the context; without one, everything."""
        status = self.env.context.get("healthcare_status")
        field = self.env["healthcare.completeness.row"]._fields["status"]
        names = dict(field._description_selection(self.env))
        if status not in names:
            return self.action_view_rows()
        return self._rows_action(names[status], [("status", "=", status)], pivot=False)

    def action_view_difference(self):
        """The lines behind the difference."""
        return self._differences_action(self.env._("Differences"), self._difference_domain())

    def action_view_exchange(self):
        """The lines with an exchange difference."""
        return self._differences_action(
            self.env._("Exchange Differences"), [("cause", "=", "exchange")]
        )

    def _differences_action(self, name, domain):
        action = self._rows_action(name, domain, pivot=False)
        return {**action, "context": {"healthcare_differences": True}}

    @api.model
    def _difference_domain(self, *statuses):
        """Rows whose charge and books differ, of these statuses (default all)."""
        domain = Domain("cause", "not in", [False, "exchange"])
        return domain & Domain("status", "in", statuses) if statuses else domain

    def _rows_action(self, name, domain, pivot=True):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_completeness_row_action"
        )
        kinds = ("list", "kanban", "pivot", "graph")
        if pivot:
            kinds = ("pivot", "list", "graph", "kanban")
        return {
            **action,
            "name": name,
            "domain": [("report_id", "=", self.id), *domain],
            "views": [(False, kind) for kind in kinds],
        }

    # -- print -----------------------------------------------------------------------------------
    def action_print(self):
        """The report as PDF."""
        self.ensure_one()
        if not self.computed_on:
            self.action_compute()
        return self.env.ref("healthcare_billing.healthcare_completeness_report").report_action(self)

    def _criteria_texts(self):
        """Filters in words, for print.

        :return: list of (label, text)
        """
        self.ensure_one()
        names = ("client_ids", "payer_ids", "employee_ids", "department_ids", "product_ids")
        labels = self.fields_get(names, ["string"])
        return [
            (labels[name]["string"], ", ".join(self[name].mapped("display_name")))
            for name in names
            if self[name]
        ]

    def _fields_of_equation(self):
        """Terms of the equation: those of the issue always, the others where there are any.

        :return: list of (label, amount)
        """
        self.ensure_one()
        labels = dict(
            self.env["healthcare.completeness.row"]
            ._fields["status"]
            ._description_selection(self.env)
        )
        return [
            (label, self[status])
            for status, label in labels.items()
            if status not in ("credited", "later") or not self.currency_id.is_zero(self[status])
        ]

    def _table_by(self, name, limit=None):
        """Amounts per status, by a field of the rows, largest unbilled amount first.

        :param str name: many2one field of ``healthcare.completeness.row``
        :param int limit: keep so many, and sum up the others
        :return: list of (label, ``{status: amount}``)
        """
        self.ensure_one()
        table = {}
        for record, status, amount in self.env["healthcare.completeness.row"]._read_group(
            [("report_id", "=", self.id)], [name, "status"], ["amount_company:sum"]
        ):
            table.setdefault(record, {})[status] = amount
        open_statuses = ("ready", "blocked", "draft", "later")
        rows = sorted(
            table.items(), key=lambda row: -sum(abs(row[1].get(s, 0.0)) for s in open_statuses)
        )
        names = {record: record.display_name for record, _amounts in rows if record}
        kept = rows[:limit]
        result = [(names.get(record, ""), amounts) for record, amounts in kept]
        others = rows[len(kept) :]
        if others:
            rest = {
                status: sum(amounts.get(status, 0.0) for _record, amounts in others)
                for status, _label in STATUSES
            }
            result.append((self.env._("%s others", len(others)), rest))
        return result

    def _difference_rows(self, limit=200):
        """Rows to print behind the difference."""
        self.ensure_one()
        return self.env["healthcare.completeness.row"].search(
            [("report_id", "=", self.id), *self._difference_domain()], limit=limit
        )
