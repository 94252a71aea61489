from odoo import api, fields, models
from odoo.tools import SQL


class HealthcareRealization(models.Model):
    """What work was worth, and what quotes and fixed fees made of it, as the ledger says.

    A row per posted line of recorded work that an agreement covers. What was made for its bill, the
    fee and the difference, is shared out among the bill's work by value, to the cent; a bill
    without such work has a row of its own. So sums are those of the ledger: ``amount_difference``
    is the balance of the account of differences.

    Amounts are untaxed, in company currency, less credits.
    """

    _name = "healthcare.realization"
    _description = "Realization of Agreed Fees"
    _auto = False
    _order = "date desc, move_id desc, id"
    _rec_name = "move_id"

    date = fields.Date(readonly=True)
    move_id = fields.Many2one("account.move", string="Invoice", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    basis = fields.Selection([("quote", "Quote"), ("fixed", "Fixed Fee")], readonly=True)
    client_id = fields.Many2one("res.partner", readonly=True)
    billing_account_id = fields.Many2one("healthcare.billing.account", readonly=True)
    payer_id = fields.Many2one("res.partner", readonly=True)
    employee_id = fields.Many2one("hr.employee", string="Provider", readonly=True)
    department_id = fields.Many2one("hr.department", readonly=True)
    product_id = fields.Many2one("product.product", string="Service", readonly=True)
    amount_recorded = fields.Monetary(
        string="Recorded", readonly=True, help="Value of the work and expenses that were billed."
    )
    amount_agreed = fields.Monetary(
        string="Agreed", readonly=True, help="What was billed for it in the end."
    )
    amount_fee = fields.Monetary(
        string="Fixed Fees", readonly=True, help="Booked on the service of fixed fees."
    )
    amount_difference = fields.Monetary(
        string="Booked Difference",
        readonly=True,
        help="On the account of the difference service. With a fixed fee it takes back the work "
        "that the fee covers.",
    )
    amount_gain = fields.Monetary(
        string="Gain or Loss", readonly=True, help="Agreed less recorded."
    )
    realization = fields.Float(
        string="Realization (%)",
        readonly=True,
        aggregator="avg",
        help="Agreed in percent of recorded; of totals, of their sums.",
    )

    def _read_group_select(self, aggregate_spec, query):
        """The percentage of a group is that of its sums, not the mean of percentages."""
        if aggregate_spec != "realization:avg":
            return super()._read_group_select(aggregate_spec, query)
        return SQL(
            "COALESCE(100 * SUM(%(agreed)s) / NULLIF(SUM(%(recorded)s), 0), 0)",
            agreed=self._field_to_sql(self._table, "amount_agreed", query),
            recorded=self._field_to_sql(self._table, "amount_recorded", query),
        )

    @property
    def _table_query(self):
        """Shares by running totals: their roundings can't add up to anything but the whole."""
        return SQL(
            """
            WITH posted AS (
                SELECT l.id, l.move_id, l.date, l.company_id, c.covered_by AS basis, c.client_id,
                       c.billing_account_id, c.payer_id, c.employee_id, c.department_id,
                       l.product_id, -l.balance AS amount, cur.decimal_places,
                       CASE WHEN NOT COALESCE(c.made_by_basis, FALSE) THEN 'work'
                            WHEN c.kind = 'fixed_fee' THEN 'fee' ELSE 'difference' END AS part
                  FROM account_move_line l
                  JOIN healthcare_charge c ON c.id = l.charge_id AND c.covered_by IS NOT NULL
                  JOIN res_company co ON co.id = l.company_id
                  JOIN res_currency cur ON cur.id = co.currency_id
                 WHERE l.parent_state = 'posted' AND l.display_type = 'product'
                   AND l.responsibility = c.covered_party
            ), bills AS (
                SELECT move_id, billing_account_id, basis,
                       COALESCE(SUM(amount) FILTER (WHERE part = 'work'), 0) AS work,
                       COALESCE(SUM(amount) FILTER (WHERE part = 'fee'), 0) AS fee,
                       COALESCE(SUM(amount) FILTER (WHERE part = 'difference'), 0) AS difference
                  FROM posted
              GROUP BY move_id, billing_account_id, basis
            ), shares AS (
                SELECT posted.*, posted.amount AS recorded,
                       bills.work, bills.fee, bills.difference,
                       SUM(posted.amount) OVER (
                           PARTITION BY posted.move_id, posted.billing_account_id, posted.basis
                           ORDER BY posted.id
                       ) AS upto
                  FROM posted
                  JOIN bills USING (move_id, billing_account_id, basis)
                 WHERE posted.part = 'work' AND bills.work <> 0
            ), rows AS (
                SELECT id, date, move_id, company_id, basis, client_id, billing_account_id,
                       payer_id, employee_id, department_id, product_id, recorded,
                       %(fee)s AS fee, %(difference)s AS difference
                  FROM shares
             UNION ALL
                SELECT MIN(posted.id), MIN(posted.date), posted.move_id, MIN(posted.company_id),
                       posted.basis, MIN(posted.client_id), posted.billing_account_id,
                       MIN(posted.payer_id), NULL, MIN(posted.department_id), NULL,
                       0, MIN(bills.fee), MIN(bills.difference)
                  FROM posted
                  JOIN bills USING (move_id, billing_account_id, basis)
                 WHERE bills.work = 0
              GROUP BY posted.move_id, posted.billing_account_id, posted.basis
            )
            SELECT id, date, move_id, company_id, basis, client_id, billing_account_id, payer_id,
                   employee_id, department_id, product_id, recorded AS amount_recorded,
                   recorded + fee + difference AS amount_agreed, fee AS amount_fee,
                   difference AS amount_difference, fee + difference AS amount_gain,
                   COALESCE(100 * (recorded + fee + difference) / NULLIF(recorded, 0), 0)
                       AS realization
              FROM rows
            """,
            fee=self._share_sql(SQL("fee")),
            difference=self._share_sql(SQL("difference")),
        )

    @api.model
    def _share_sql(self, total):
        """SQL expression: a line's share of a total of its bill, by running totals."""
        return SQL(
            "ROUND(%(total)s * upto / work, decimal_places)"
            " - ROUND(%(total)s * (upto - recorded) / work, decimal_places)",
            total=total,
        )

    def action_open_move(self):
        """Open the invoice."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "res_id": self.move_id.id,
            "views": [(False, "form")],
        }
