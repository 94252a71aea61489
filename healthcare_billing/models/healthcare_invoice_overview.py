from odoo import fields, models
from odoo.tools import SQL

STATUSES = [
    ("draft", "Draft"),
    ("posted", "Posted, Not Sent"),
    ("sent", "Sent"),
    ("paid", "Paid"),
    ("void", "Void"),
    ("written_off", "Written Off"),
    ("deleted", "Deleted"),
]


class HealthcareInvoiceOverview(models.Model):
    """Invoices that runs made, with what became of them: also of those that are gone.

    One query over the ledger and the runs' rows: an invoice that is there tells its own status, one
    that was deleted is remembered by the row that made it. Nothing is stored, so nothing can be
    stale, and each status can be searched and grouped by.

    ===========  ==================================================================
    status       means
    ===========  ==================================================================
    draft        can be changed and made again
    posted       in the books, not marked as sent
    sent         in the books and marked as sent, money is open
    paid         nothing is open (payments that the bank has still to confirm count)
    void         canceled, or credited so that its care is free again
    written_off  nothing is open, and a part of it was written off
    deleted      the draft was deleted, made again, or its run undone
    ===========  ==================================================================

    Who may: whoever may read invoices and runs. Money is in company currency; credit notes that a
    run made are negative.
    """

    _name = "healthcare.invoice.overview"
    _description = "Invoices by Status"
    _auto = False
    _order = "invoice_date desc, id desc"
    _rec_name = "reference"
    _depends = {  # noqa: RUF012  # core's way
        "account.move": [
            "amount_residual_signed", "amount_total_signed", "billing_cycle_id", "billing_ref",
            "billing_run_id", "company_id", "healthcare_client_id", "invoice_date",
            "invoice_date_due", "is_move_sent", "move_type", "name", "partner_id", "payment_state",
            "service_date_from", "service_date_to", "state", "write_off_of_id",
        ],
        "account.move.line": ["charge_id", "charge_live", "matched_debit_ids", "move_id"],
        "account.partial.reconcile": ["credit_move_id", "debit_move_id"],
        "healthcare.billing.run": ["billing_cycle_id", "invoice_date", "marks_sent"],
        "healthcare.billing.run.line": [
            "amount_company", "billing_ref", "client_id", "company_id", "move_id", "partner_id",
            "run_id", "state",
        ],
        "res.partner": ["is_payer"],
    }  # fmt: skip

    move_id = fields.Many2one("account.move", string="Invoice", readonly=True)
    run_id = fields.Many2one("healthcare.billing.run", string="Billing Run", readonly=True)
    billing_cycle_id = fields.Many2one("healthcare.billing.cycle", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    reference = fields.Char(string="Billing Reference", readonly=True)
    number = fields.Char(readonly=True, help="Legal number, once it is posted.")
    partner_id = fields.Many2one("res.partner", string="Invoiced to", readonly=True)
    client_id = fields.Many2one("res.partner", readonly=True)
    payer_id = fields.Many2one("res.partner", readonly=True)
    invoice_date = fields.Date(readonly=True)
    invoice_date_due = fields.Date(string="Due Date", readonly=True)
    service_date_from = fields.Date(string="Care From", readonly=True)
    service_date_to = fields.Date(string="Care To", readonly=True)
    amount = fields.Monetary(readonly=True, help="With taxes, in company currency.")
    balance = fields.Monetary(readonly=True, help="What is open, in company currency.")
    status = fields.Selection(STATUSES, readonly=True)

    @property
    def _table_query(self):
        return SQL("%s UNION ALL %s", self._moves_query(), self._deleted_query())

    def _moves_query(self):
        """Invoices that are there."""
        return SQL(
            """SELECT m.id * 2 AS id, m.id AS move_id, m.billing_run_id AS run_id,
                      m.billing_cycle_id, m.company_id, m.billing_ref AS reference,
                      NULLIF(m.name, '/') AS number, m.partner_id,
                      m.healthcare_client_id AS client_id,
                      CASE WHEN p.is_payer THEN p.id END AS payer_id,
                      m.invoice_date, m.invoice_date_due, m.service_date_from, m.service_date_to,
                      m.amount_total_signed AS amount,
                      CASE WHEN m.state = 'cancel' THEN 0 ELSE m.amount_residual_signed END
                      AS balance,
                      %s AS status
                 FROM account_move m
            LEFT JOIN res_partner p ON p.id = m.partner_id
            LEFT JOIN LATERAL (
                      SELECT BOOL_OR(l.charge_live) AS any
                        FROM account_move_line l
                       WHERE l.move_id = m.id AND l.charge_id IS NOT NULL
                      ) live ON TRUE
                WHERE m.billing_run_id IS NOT NULL OR m.billing_cycle_id IS NOT NULL""",
            self._status_sql(),
        )

    def _status_sql(self):
        return SQL(
            """CASE WHEN m.state = 'cancel' OR (m.state = 'posted' AND live.any = FALSE)
                    THEN 'void'
                    WHEN m.state = 'draft' THEN 'draft'
                    WHEN m.payment_state IN ('paid', 'in_payment', 'reversed')
                    THEN CASE WHEN m.amount_residual_signed = 0 AND %s
                              THEN 'written_off' ELSE 'paid' END
                    WHEN m.is_move_sent THEN 'sent'
                    ELSE 'posted' END""",
            self._is_written_off_sql(),
        )

    def _is_written_off_sql(self):
        """SQL condition: an entry that writes something of invoice ``m`` off is set off with it."""
        return SQL(
            """EXISTS (SELECT 1 FROM account_move w
                         JOIN account_move_line c ON c.move_id = w.id
                         JOIN account_partial_reconcile r ON r.credit_move_id = c.id
                         JOIN account_move_line d ON d.id = r.debit_move_id
                        WHERE w.write_off_of_id = m.id AND w.state = 'posted'
                          AND d.move_id = m.id)"""
        )

    def _deleted_query(self):
        """What runs remember of invoices that are gone."""
        return SQL(
            """SELECT row.id * 2 + 1 AS id, NULL::int AS move_id, row.run_id,
                      run.billing_cycle_id, row.company_id, row.billing_ref AS reference,
                      NULL AS number, row.partner_id, row.client_id, row.payer_id,
                      run.invoice_date, NULL::date AS invoice_date_due,
                      NULL::date AS service_date_from, NULL::date AS service_date_to,
                      row.amount_company AS amount, 0 AS balance, 'deleted' AS status
                 FROM healthcare_billing_run_line row
                 JOIN healthcare_billing_run run ON run.id = row.run_id
                WHERE row.move_id IS NULL AND row.state IN ('deleted', 'undone')
                  AND NOT COALESCE(run.marks_sent, FALSE)"""
        )

    # -- actions ---------------------------------------------------------------------------------
    def action_view_move(self):
        """Open the invoice; of a deleted one, the run that made it."""
        self.ensure_one()
        if self.move_id:
            return self.env["account.move"]._care_invoices_action(self.move_id)
        return {
            "type": "ir.actions.act_window",
            "res_model": "healthcare.billing.run",
            "res_id": self.run_id.id,
            "views": [(False, "form")],
        }

    def action_mark_as_sent(self):
        """Post what is a draft, and mark as sent, without sending."""
        return self.move_id.action_mark_as_sent()


class HealthcareBillingCycle(models.Model):
    _inherit = "healthcare.billing.cycle"

    invoice_count = fields.Integer(
        compute="_compute_invoice_count",
        groups="account.group_account_invoice,account.group_account_readonly",
        help="Without those that were deleted.",
    )

    def _compute_invoice_count(self):
        counts = dict(
            self.env["account.move"]._read_group(
                [("billing_cycle_id", "in", self.ids)], ["billing_cycle_id"], ["__count"]
            )
        )
        for cycle in self:
            cycle.invoice_count = counts.get(cycle._origin, 0)

    def action_view_invoices(self):
        """Open the invoices of the cycle, with what became of each."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_invoice_overview_action"
        )
        return {
            **action,
            "name": self.env._("Invoices of %s", self.name),
            "domain": [("billing_cycle_id", "=", self.id)],
            "context": {"search_default_not_deleted": 1},
        }
