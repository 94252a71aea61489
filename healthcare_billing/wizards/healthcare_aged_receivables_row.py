from odoo import fields, models

from ..models.healthcare_charge import RESPONSIBILITIES
from ..models.healthcare_receivable import AGE_LABELS
from .healthcare_completeness_row import LooseMany2one


class HealthcareAgedReceivablesRow(models.TransientModel):
    """What is open on a journal item, per responsible party. See the report's query.

    Money is in company currency. Rows name no charge and no appointment: accountants read them.
    """

    _name = "healthcare.aged.receivables.row"
    _description = "Aged Receivables: Item"
    _order = "age desc, id"
    _rec_name = "move_id"

    report_id = fields.Many2one(
        "healthcare.aged.receivables", required=True, index=True, ondelete="cascade"
    )
    company_id = LooseMany2one("res.company")
    currency_id = LooseMany2one("res.currency")
    move_id = LooseMany2one("account.move", string="Journal Entry")
    partner_id = LooseMany2one("res.partner", string="Owed by")
    client_id = LooseMany2one("res.partner", help="Empty: several clients, or no care.")
    debtor_type = fields.Selection(
        [
            ("client", "Client"),
            ("insurance", "Insurance"),
            ("government", "Government Program"),
            ("facility", "Facility"),
            ("affiliate", "Affiliate"),
            ("other", "Other Payer"),
            ("beside", "Others"),
        ],
        string="Kind of Debtor",
    )
    responsibility = fields.Selection(RESPONSIBILITIES)
    origin = fields.Selection(
        [
            ("care", "Care"),
            ("on_account", "Money on Account of Care"),
            ("other", "Other Receivables"),
        ],
        help="Open documents of care; payments that name care that isn't invoiced; everything else "
        "on receivable accounts.",
    )
    account_id = LooseMany2one("account.account")
    date = fields.Date(string="Invoice Date")
    date_due = fields.Date(string="Due Date")
    age = fields.Integer(string="Days", aggregator="max")
    age_bucket = fields.Selection(AGE_LABELS, string="Age")
    amount = fields.Monetary(string="Open")

    def action_open_move(self):
        """Open the journal entry."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "res_id": self.move_id.id,
            "views": [(False, "form")],
        }
