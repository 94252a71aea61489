from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.healthcare_receivable import AGE_LABELS


class HealthcareAgedReceivables(models.TransientModel):
    """What is owed to the practice, by age: the open journal items of its receivable accounts.

    The rows come from the ledger's items, not from charges, each with what was open on it at the
    end of a day. Their total is compared with the balance of the receivable accounts on that day,
    which is another sum: the difference is shown, and anything but nothing is an error.

    Who may: billing users, and accountants, who see no charges. Everybody sees own reports only.
    """

    _name = "healthcare.aged.receivables"
    _description = "Aged Receivables"

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    as_of = fields.Date(
        required=True,
        default=fields.Date.context_today,
        help="What was open at the end of this day.",
    )
    basis = fields.Selection(
        [("due", "Due Date"), ("invoice", "Invoice Date")],
        string="Age since",
        required=True,
        default="due",
    )
    computed_on = fields.Datetime(readonly=True, copy=False)
    amount_0_30 = fields.Monetary(string="0-30", readonly=True, help="Also what isn't due yet.")
    amount_31_60 = fields.Monetary(string="31-60", readonly=True)
    amount_61_90 = fields.Monetary(string="61-90", readonly=True)
    amount_90_plus = fields.Monetary(string="90+", readonly=True)
    amount_care = fields.Monetary(string="Documents of Care", readonly=True)
    amount_on_account = fields.Monetary(string="Money on Account of Care", readonly=True)
    amount_other = fields.Monetary(string="Other Receivables", readonly=True)
    total = fields.Monetary(readonly=True)
    ledger = fields.Monetary(
        string="Receivable Accounts", readonly=True, help="Their balance at the end of the day."
    )
    difference = fields.Monetary(
        readonly=True, help="Balance of the accounts less the rows. Must be nothing."
    )
    row_count = fields.Integer(string="Items", readonly=True)
    row_ids = fields.One2many("healthcare.aged.receivables.row", "report_id", readonly=True)
    by_responsibility = fields.Html(
        compute="_compute_by_responsibility",
        sanitize=False,  # made by our own template
    )

    @api.depends("as_of")
    def _compute_display_name(self):
        for report in self:
            report.display_name = self.env._("Aged Receivables")

    @api.depends("computed_on")
    def _compute_by_responsibility(self):
        for report in self:
            report.by_responsibility = report.row_count and self.env["ir.qweb"]._render(
                "healthcare_billing.aged_receivables_by_responsibility", {"o": report._origin}
            )

    @api.onchange("company_id", "as_of", "basis")
    def _onchange_criteria(self):
        """Figures of other criteria aren't shown."""
        self.computed_on = False

    # -- actions ---------------------------------------------------------------------------------
    @api.model
    def action_open(self):
        """Today's receivables, computed.

        :return: window action on a new report
        """
        report = self.create({})
        report.action_compute()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Aged Receivables"),
            "res_model": self._name,
            "res_id": report.id,
            "views": [(False, "form")],
        }

    def action_compute(self):
        """Read the ledger anew.

        :raise UserError: the company isn't ticked
        """
        for report in self:
            if report.company_id not in self.env.companies:
                raise UserError(
                    self.env._("Tick %s in the company menu first.", report.sudo().company_id.name)
                )  # sudo: only to name it
            report._compute_rows()
        return True

    def action_view_pivot(self):
        """The rows by who owes and age."""
        return self._rows_action([], ("pivot", "list", "graph", "kanban"))

    def action_view_bucket(self):
        """The rows of one age (in the context as ``healthcare_bucket``)."""
        bucket = self.env.context.get("healthcare_bucket")
        domain = [("age_bucket", "=", bucket)] if bucket in dict(AGE_LABELS) else []
        return self._rows_action(domain, ("list", "pivot", "graph", "kanban"))

    def action_view_origin(self):
        """The rows of one origin (in the context as ``healthcare_origin``)."""
        origin = self.env.context.get("healthcare_origin")
        return self._rows_action([("origin", "=", origin)], ("list", "pivot", "graph", "kanban"))

    def _rows_action(self, domain, kinds):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_aged_receivables_row_action"
        )
        return {
            **action,
            "domain": [("report_id", "=", self.id), *domain],
            "views": [(False, kind) for kind in kinds],
        }

    # -- print -----------------------------------------------------------------------------------
    def action_print(self):
        """The report as PDF."""
        self.ensure_one()
        if not self.computed_on:
            self.action_compute()
        report = self.env.ref("healthcare_billing.healthcare_aged_receivables_report")
        return report.report_action(self)

    @api.model
    def _bucket_labels(self):
        """``[(bucket, what the user reads)]``"""
        field = self.env["healthcare.aged.receivables.row"]._fields["age_bucket"]
        return field._description_selection(self.env)

    def _table_by(self, name, limit=None, domain=()):
        """Amounts per age, by a field of the rows, the largest sums first.

        :param str name: field of ``healthcare.aged.receivables.row``
        :param int limit: keep so many, and sum up the others
        :param domain: of the rows to tell, default all
        :return: list of (label, ``{bucket: amount}``), the buckets with their ``total``
        """
        self.ensure_one()
        Row = self.env["healthcare.aged.receivables.row"]
        field = Row._fields[name]
        labels = dict(field._description_selection(self.env)) if field.type == "selection" else {}
        table = {}
        for value, bucket, amount in Row._read_group(
            [("report_id", "=", self.id), *domain], [name, "age_bucket"], ["amount:sum"]
        ):
            sums = table.setdefault(value, {})
            sums[bucket] = amount
            sums["total"] = self.currency_id.round(sums.get("total", 0.0) + amount)
        rows = sorted(table.items(), key=lambda row: -abs(row[1]["total"]))
        result = [
            (labels.get(value, "") if labels else (value.display_name or ""), sums)
            for value, sums in rows[:limit]
        ]
        others = rows[limit:] if limit else []
        if others:
            keys = [*dict(AGE_LABELS), "total"]
            rest = {
                key: self.currency_id.round(sum(sums.get(key, 0.0) for _value, sums in others))
                for key in keys
            }
            result.append((self.env._("%s others", len(others)), rest))
        return result
