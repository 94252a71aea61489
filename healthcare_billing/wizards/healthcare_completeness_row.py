from odoo import api, fields, models
from odoo.tools import SQL

from ..models.healthcare_charge import RESPONSIBILITIES
from .healthcare_completeness import STATUSES


class LooseMany2one(fields.Many2one):
    """A many2one without foreign key: checking ten of them takes longer than making the rows.

    A report outlives what it names by an hour at most: partners are merged, departments deleted.
    Whatever is gone meanwhile reads, groups and searches as empty.
    """

    def update_db_foreign_key(self, model, column):
        """Make none."""

    def to_sql(self, model, alias):
        """The column, or nothing where its record is gone."""
        column = super().to_sql(model, alias)
        table = SQL.identifier(model.env[self.comodel_name]._table)
        return SQL("(SELECT there.id FROM %s there WHERE there.id = %s)", table, column)


class HealthcareCompletenessRow(models.TransientModel):
    """What became of one party's part of a charge. Made by SQL, see the report's query."""

    _name = "healthcare.completeness.row"
    _description = "Completeness of Billing: Item"
    _order = "service_date, id"
    _rec_name = "client_id"

    report_id = fields.Many2one(
        "healthcare.completeness", required=True, index=True, ondelete="cascade"
    )
    charge_id = fields.Many2one(
        "healthcare.charge",
        index=True,
        ondelete="cascade",
        aggregator="count_distinct",
        groups="healthcare_billing.group_care_staff",  # accountants may not read charges
    )
    appointment_id = LooseMany2one(
        "healthcare.appointment", groups="healthcare_billing.group_care_staff"
    )
    move_id = fields.Many2one(
        "account.move", string="Invoice", index="btree_not_null", ondelete="set null"
    )
    company_id = LooseMany2one("res.company")
    company_currency_id = LooseMany2one("res.currency")
    currency_id = LooseMany2one("res.currency")
    service_date = fields.Date()
    client_id = LooseMany2one("res.partner")
    payer_id = LooseMany2one("res.partner", help="Empty: self-pay.")
    responsibility = fields.Selection(RESPONSIBILITIES, string="Owed by")
    # its ids are those of employees, whom billers may not access
    employee_id = fields.Many2one("hr.employee.public", string="Provider")
    department_id = LooseMany2one("hr.department")
    product_id = LooseMany2one("product.product", string="Service")
    appointment_state = fields.Selection(
        lambda self: self._selection_of("healthcare.appointment", "state"),
        string="Visit",
    )
    kind = fields.Selection(lambda self: self._selection_of("healthcare.charge", "kind"))
    status = fields.Selection(STATUSES)
    reason_id = LooseMany2one("healthcare.block.reason", help="What to mend first.")
    reasons = fields.Char(string="All Reasons")
    is_accruable = fields.Boolean(
        string="To Accrue", help="Delivered and not invoiced, and to be billed some day."
    )
    amount = fields.Monetary(
        string="In Currency", help="Untaxed, in the charge's own currency.", aggregator=None
    )
    amount_company = fields.Monetary(string="Amount", currency_field="company_currency_id")
    amount_ledger = fields.Monetary(
        string="In the Books",
        currency_field="company_currency_id",
        help="What posted journal items, or the lines of the draft, say of it.",
    )
    difference = fields.Monetary(currency_field="company_currency_id")
    cause = fields.Selection(
        [
            ("edited", "Invoice Changed by Hand"),
            ("credit", "Credits Don't Match"),
            ("account", "Not on an Income Account"),
            ("exchange", "Exchange Rate"),
        ],
        string="Why It Differs",
    )

    @api.model
    def _selection_of(self, model, name):
        return self.env[model]._fields[name]._description_selection(self.env)

    def action_open(self):
        """Open what the row is about: the invoice, else the appointment or the charge."""
        self.ensure_one()
        if self.move_id:
            return self.env["account.move"]._care_invoices_action(self.move_id)
        if not self.env.user.has_group("healthcare_billing.group_care_staff"):
            return False
        return self.charge_id.action_view_appointment()


class HealthcareCompletenessLine(models.TransientModel):
    """Sum of the rows of one status, reason and currency."""

    _name = "healthcare.completeness.line"
    _description = "Completeness of Billing: Sum"
    _order = "sequence, id"
    _rec_name = "status"

    report_id = fields.Many2one(
        "healthcare.completeness", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer()
    company_id = fields.Many2one("res.company")
    company_currency_id = fields.Many2one("res.currency")
    currency_id = fields.Many2one("res.currency")
    status = fields.Selection(STATUSES)
    reason_id = fields.Many2one("healthcare.block.reason", ondelete="set null")
    remedy = fields.Text(related="reason_id.remedy", string="What to Do")
    charge_count = fields.Integer(
        string="Items", help="A charge that two parties owe may be on two lines."
    )
    amount = fields.Monetary(string="In Currency")
    amount_company = fields.Monetary(string="Amount", currency_field="company_currency_id")
    amount_ledger = fields.Monetary(string="In the Books", currency_field="company_currency_id")
    difference = fields.Monetary(currency_field="company_currency_id")

    def action_view_rows(self):
        """The items behind the sum."""
        self.ensure_one()
        labels = dict(self._fields["status"]._description_selection(self.env))
        return self.report_id._rows_action(
            self.reason_id.name or labels[self.status],
            [
                ("status", "=", self.status),
                ("reason_id", "=", self.reason_id.id),
                ("currency_id", "=", self.currency_id.id),
            ],
            pivot=False,
        )
