from odoo import api, fields, models

from .healthcare_charge import RESPONSIBILITIES
from .healthcare_charge_balance import PARTIES


class HealthcareStatementLine(models.Model):
    """One party's part of a charge with its corrections, told on a statement.

    Price and amount are what the statement tells; the balance is what the ledger says today.
    Distance and waiting time are for print only.
    """

    _name = "healthcare.statement.line"
    _description = "Item of a Statement"
    _order = "statement_id, service_date, appointment_id, charge_id, id"
    _check_company_auto = True
    _rec_name = "charge_id"

    statement_id = fields.Many2one(
        "healthcare.statement", required=True, index=True, ondelete="cascade", check_company=True
    )
    company_id = fields.Many2one(related="statement_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="statement_id.currency_id")
    charge_id = fields.Many2one(
        "healthcare.charge",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        domain="[('parent_id', '=', False), ('company_id', '=', company_id)]",
    )
    responsibility = fields.Selection(RESPONSIBILITIES, required=True)
    appointment_id = fields.Many2one(
        related="charge_id.appointment_id", store=True, index="btree_not_null"
    )
    client_id = fields.Many2one(related="charge_id.client_id")
    product_id = fields.Many2one(related="charge_id.product_id", string="Service")
    service_date = fields.Date(related="charge_id.service_date", store=True)
    price = fields.Monetary(
        help="Of this party's part, as quoted on the statement, taxes included."
    )
    amount_due = fields.Monetary(
        help="As told on the statement: price less what was paid till then."
    )
    balance = fields.Monetary(
        string="Balance Now", compute="_compute_balance", help="What is open today."
    )
    distance = fields.Float(
        string="Distance (miles)", digits=(16, 2), help="As printed; the trip keeps its own."
    )
    waiting_minutes = fields.Integer(help="As printed; the trip keeps its own.")
    outcome = fields.Selection(
        [
            ("paid", "Paid"),
            ("short", "Paid in Part"),
            ("returned", "Returned"),
            ("sold", "Sold"),
            ("written_off", "Written off"),
            ("canceled", "Canceled"),
        ],
        readonly=True,
        copy=False,
        help="What became of the item when the statement was closed.",
    )

    _charge_once = models.UniqueIndex(
        "(statement_id, charge_id, responsibility)", "This item is on the statement already."
    )
    _charge_party_idx = models.Index("(charge_id, responsibility)")

    @api.depends(
        "responsibility",
        "charge_id.balance_client",
        "charge_id.balance_payer",
        "charge_id.balance_secondary",
    )
    def _compute_balance(self):
        """sudo: accountants read statements, and no charges."""
        for line in self:
            suffix = PARTIES.get(line.responsibility)
            line.balance = line.charge_id.sudo()[f"balance_{suffix}"] if suffix else 0.0

    def _posted_moves(self):
        """Posted invoices that bill these items to their parties.

        sudo: accountants read statements, and no charges.
        """
        parties = {(line.charge_id.id, line.responsibility) for line in self}
        lines = self.charge_id.sudo()._family()._posted_document_lines()
        return (
            lines.filtered(
                lambda line: (
                    line.charge_live and (line.charge_id._root().id, line.responsibility) in parties
                )
            )
            .move_id.with_env(self.env)
            .sorted("id")
        )
