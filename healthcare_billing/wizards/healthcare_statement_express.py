from odoo import fields, models
from odoo.exceptions import UserError

EXPRESS_TYPES = [
    ("differential", "Differential"),
    ("complete", "Complete"),
    ("collections", "Collections"),
]


class HealthcareStatementExpress(models.TransientModel):
    """Criteria of an express run: a committed statement for everybody who owes something."""

    _name = "healthcare.statement.express"
    _description = "Express Statements"

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    statement_type = fields.Selection(EXPRESS_TYPES, default="differential", required=True)
    date = fields.Date(
        string="Statement Date",
        required=True,
        default=fields.Date.context_today,
        help="Also the date of the invoices that are made.",
    )
    date_from = fields.Date(string="Care From")
    date_to = fields.Date(string="Care Before", help="The day after the last one (half-open).")
    to_clients = fields.Boolean(string="Clients", default=True)
    to_insurance = fields.Boolean(string="Insurance", default=True)
    to_government = fields.Boolean(string="Government Programs", default=True)
    to_facilities = fields.Boolean(string="Facilities", default=True)
    to_affiliates = fields.Boolean(string="Affiliates", default=True)
    to_others = fields.Boolean(string="Other Payers", default=True)
    minimum = fields.Monetary(
        string="Owed at Least", default=0.01, help="In sum. 0.00: also who has a credit."
    )
    settles_ledger = fields.Boolean(string="Include Ledger Balance")

    def _kinds(self):
        """Kinds of addressees that are ticked; none: all are."""
        self.ensure_one()
        ticks = {
            "client": self.to_clients,
            "insurance": self.to_insurance,
            "government": self.to_government,
            "facility": self.to_facilities,
            "affiliate": self.to_affiliates,
            "other": self.to_others,
        }
        kinds = [kind for kind, ticked in ticks.items() if ticked]
        if not kinds:
            raise UserError(self.env._("Tick at least one kind of addressee."))
        return [] if len(kinds) == len(ticks) else kinds

    def action_search(self):
        """Find who owes something, save it as a run, and show it.

        :return: window action on the run
        """
        self.ensure_one()
        date_from = self.date_from if self.statement_type != "differential" else False
        if date_from and self.date_to and date_from >= self.date_to:
            raise UserError(
                self.env._("The dates of care are empty: the first day is not before the last one.")
            )
        if self.date > fields.Date.context_today(self):
            raise UserError(
                self.env._("Statements of the future can't be committed: choose today or before.")
            )
        if self.minimum < 0:
            raise UserError(self.env._("Type an amount of 0.00 or more, or leave it as it is."))
        run = (
            self.env["healthcare.billing.run"]
            .with_company(self.company_id)
            ._open_express(
                self.date,
                {
                    "statement_type": self.statement_type,
                    "date_from": date_from,
                    "date_to": self.date_to,
                    "settles_ledger": self.settles_ledger,
                },
                kinds=self._kinds(),
                minimum=self.minimum,
            )
        )
        return {
            "type": "ir.actions.act_window",
            "name": run.name,
            "res_model": run._name,
            "res_id": run.id,
            "views": [(False, "form")],
        }
