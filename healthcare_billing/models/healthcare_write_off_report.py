from odoo import fields, models
from odoo.tools import SQL

from .healthcare_charge import RESPONSIBILITIES
from .healthcare_charge_billing import CARE_DOCUMENTS


class HealthcareWriteOffReport(models.Model):
    """What isn't collected, by reason, period, client and payer, as the ledger says.

    Write-offs and sold receivables are told by what they take off the receivables, which names the
    care where items were written off; adjudications and discounts by their documents' own lines.
    Sums are those of the reasons' accounts: what was taken back is in with the opposite sign.

    Amounts are in company currency.
    """

    _name = "healthcare.write.off.report"
    _description = "Write-offs"
    _auto = False
    _order = "date desc, move_id desc, id"
    _rec_name = "move_id"
    # what must be in the database before these rows are read
    _depends = {  # noqa: RUF012  # as the ORM declares it
        "account.move": ["state", "move_type", "write_off_of_id", "reversed_entry_id"],
        "account.move.line": [
            "account_id",
            "adjustment_reason_id",
            "balance",
            "charge_id",
            "date",
            "display_type",
            "parent_state",
            "partner_id",
            "responsibility",
        ],
        "healthcare.charge": ["client_id", "product_id"],
    }

    date = fields.Date(readonly=True)
    move_id = fields.Many2one("account.move", string="Entry", readonly=True)
    invoice_id = fields.Many2one("account.move", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    reason_id = fields.Many2one("healthcare.adjustment.reason", readonly=True)
    kind = fields.Selection(
        lambda self: self.env["healthcare.adjustment.reason"]._fields["kind"].selection,
        readonly=True,
    )
    partner_id = fields.Many2one("res.partner", string="Owed by", readonly=True)
    client_id = fields.Many2one("res.partner", readonly=True)
    payer_id = fields.Many2one("res.partner", readonly=True, help="Empty for what the client owed.")
    responsibility = fields.Selection(RESPONSIBILITIES, readonly=True)
    product_id = fields.Many2one("product.product", string="Service", readonly=True)
    amount = fields.Monetary(string="Not Collected", readonly=True)

    @property
    def _table_query(self):
        return SQL(
            """SELECT l.id, l.date, l.move_id, l.company_id, l.adjustment_reason_id AS reason_id,
                      reason.kind, l.partner_id, l.responsibility, root.product_id,
                      invoice.id AS invoice_id,
                      COALESCE(c.client_id, invoice.healthcare_client_id) AS client_id,
                      CASE WHEN partner.is_payer THEN partner.id END AS payer_id,
                      CASE WHEN m.move_type = 'entry' THEN -l.balance ELSE l.balance END AS amount
                 FROM account_move_line l
                 JOIN account_move m ON m.id = l.move_id
                 JOIN account_account a ON a.id = l.account_id
                 JOIN healthcare_adjustment_reason reason ON reason.id = l.adjustment_reason_id
            LEFT JOIN account_move origin ON origin.id = m.reversed_entry_id
            LEFT JOIN account_move invoice ON invoice.id = COALESCE(
                      m.write_off_of_id, origin.write_off_of_id,
                      CASE WHEN m.move_type IN %(documents)s THEN m.id END)
            LEFT JOIN healthcare_charge c ON c.id = l.charge_id
            LEFT JOIN healthcare_charge root ON root.id = COALESCE(c.parent_id, c.id)
            LEFT JOIN res_partner partner ON partner.id = l.partner_id
                WHERE l.parent_state = 'posted'
                  AND CASE WHEN m.move_type = 'entry' THEN a.account_type = 'asset_receivable'
                           ELSE l.display_type = 'product' AND m.move_type IN %(documents)s END""",
            documents=CARE_DOCUMENTS,
        )

    def action_open_move(self):
        """Open the entry, credit note or invoice."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "res_id": self.move_id.id,
            "views": [(False, "form")],
        }
