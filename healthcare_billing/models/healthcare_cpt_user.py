from odoo import fields, models
from odoo.tools import SQL

from .healthcare_cpt_license import PAID_STATES


class HealthcareCptUser(models.Model):
    """Who used CPT codes in a year, and who was licensed: for the yearly royalty report.

    One row per employee and year. Used: gave CPT-coded care on a date of that year, or stands
    behind it on an invoice of that year. The counts are summed by the database over everything
    that is found, never over the page that is shown.
    """

    _name = "healthcare.cpt.user"
    _description = "CPT User of a Year"
    _auto = False
    _order = "year desc, employee_id"
    _rec_name = "employee_id"

    employee_id = fields.Many2one("hr.employee", "Care Provider", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    year = fields.Integer(readonly=True, aggregator=None)
    is_rendering_provider = fields.Boolean("Rendering Provider", readonly=True)
    charge_count = fields.Integer("Charges", readonly=True, help="CPT-coded care of the year.")
    invoiced_count = fields.Integer(
        "Invoiced", readonly=True, help="CPT-coded charges on posted invoices of the year."
    )
    first_used = fields.Date(readonly=True, aggregator=None)
    user_count = fields.Integer(
        "CPT Users", readonly=True, help="1 if this person used a CPT code in the year."
    )
    licensed_count = fields.Integer(
        "Licensed", readonly=True, help="1 if this person has a paid CPT license for the year."
    )
    unlicensed_count = fields.Integer(
        "Used without License",
        readonly=True,
        help="1 if this person used a CPT code in the year without a paid license.",
    )
    license_id = fields.Many2one("healthcare.cpt.license", "CPT License", readonly=True)
    license_state = fields.Selection(related="license_id.state")
    date_from = fields.Date("Licensed Since", readonly=True, aggregator=None)
    fee = fields.Monetary("Cost", readonly=True, aggregator="sum")
    currency_id = fields.Many2one("res.currency", readonly=True)

    @property
    def _table_query(self) -> SQL:
        return SQL(
            """
            WITH service AS (
                SELECT pp.id
                  FROM product_product pp
                  JOIN product_template pt ON pt.id = pp.product_tmpl_id
                 WHERE pt.code_system = 'cpt'
            ), used AS (
                SELECT used.employee_id,
                       EXTRACT(YEAR FROM used.day)::int AS year,
                       MIN(used.day) AS first_used,
                       COUNT(DISTINCT used.charge_id) FILTER (WHERE NOT invoiced) AS charge_count,
                       COUNT(DISTINCT used.charge_id) FILTER (WHERE invoiced) AS invoiced_count
                  FROM (%(care)s UNION ALL %(invoiced)s) used
              GROUP BY 1, 2
            ), license AS (
                SELECT * FROM healthcare_cpt_license WHERE state <> 'canceled'
            )
            SELECT e.id::bigint * 10000 + COALESCE(used.year, license.year) AS id,
                   e.id AS employee_id,
                   COALESCE(license.company_id, e.company_id) AS company_id,
                   COALESCE(used.year, license.year) AS year,
                   e.is_rendering_provider,
                   COALESCE(used.charge_count, 0)::int AS charge_count,
                   COALESCE(used.invoiced_count, 0)::int AS invoiced_count,
                   used.first_used,
                   (used.employee_id IS NOT NULL)::int AS user_count,
                   COALESCE(license.state IN %(paid)s, FALSE)::int AS licensed_count,
                   (used.employee_id IS NOT NULL
                    AND COALESCE(license.state NOT IN %(paid)s, TRUE))::int AS unlicensed_count,
                   license.id AS license_id,
                   license.date_from,
                   license.fee,
                   co.currency_id
              FROM used
         FULL JOIN license
                ON license.employee_id = used.employee_id AND license.year = used.year
              JOIN hr_employee e ON e.id = COALESCE(used.employee_id, license.employee_id)
              JOIN res_company co ON co.id = COALESCE(license.company_id, e.company_id)
            """,
            care=self._care_query(),
            invoiced=self._invoiced_query(),
            paid=PAID_STATES,
        )

    def _care_query(self):
        """Care that was given with a CPT code, by date of service."""
        return SQL(
            """
            SELECT c.employee_id, c.id AS charge_id, c.service_date AS day, FALSE AS invoiced
              FROM healthcare_charge c
              JOIN service ON service.id = c.product_id
         LEFT JOIN healthcare_appointment a ON a.id = c.appointment_id
             WHERE %s
               AND c.employee_id IS NOT NULL
               AND (a.id IS NULL OR a.state = 'completed')
            """,
            self.env["healthcare.cpt.license"]._bills_care_sql(SQL("c")),
        )

    def _invoiced_query(self):
        """Charges with a CPT code on posted invoices, by invoice date."""
        return SQL(
            """
            SELECT c.employee_id, c.id AS charge_id, m.invoice_date AS day, TRUE AS invoiced
              FROM healthcare_charge c
              JOIN service ON service.id = c.product_id
              JOIN account_move_line l ON l.charge_id = c.id
              JOIN account_move m ON m.id = l.move_id
             WHERE %s
               AND c.employee_id IS NOT NULL
               AND m.move_type = 'out_invoice'
               AND m.state = 'posted'
            """,
            self.env["healthcare.cpt.license"]._bills_care_sql(SQL("c")),
        )

    def action_view_license(self):
        """Open the license, or assign one."""
        self.ensure_one()
        return self.env["healthcare.cpt.license"]._mend_action(self.employee_id, self.year)
