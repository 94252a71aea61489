from odoo import api, fields, models
from odoo.tools import SQL

from .healthcare_appointment import CHARGE_STAGES
from .healthcare_charge import RESPONSIBILITIES
from .healthcare_charge_balance import PARTIES

# Days up to which a receivable belongs to a bucket, wherever ages are told.
AGE_BUCKETS = (("0_30", 30), ("31_60", 60), ("61_90", 90))
AGE_LABELS = [("0_30", "0-30"), ("31_60", "31-60"), ("61_90", "61-90"), ("90_plus", "90+")]


def age_bucket_sql(age):
    """SQL expression: the bucket that a number of days belongs to.

    :param SQL age: number of days
    """
    return SQL(
        "CASE %s ELSE '90_plus' END",
        SQL(" ").join(SQL("WHEN %s <= %s THEN %s", age, days, key) for key, days in AGE_BUCKETS),
    )


class HealthcareReceivable(models.Model):
    """One party's balance of one charge with its corrections: what statements are made of.

    A row per charge and party with a balance, invoiced or not, negative ones (credits) included.
    Stored nowhere: read from what the charges tell (``healthcare_charge_balance.py``).
    """

    _name = "healthcare.receivable"
    _description = "Receivable of Care"
    _auto = False
    _order = "service_date, id"
    _rec_name = "charge_id"
    # what must be in the database before these rows are read
    _depends = {  # noqa: RUF012  # as the ORM declares it
        "healthcare.charge": [
            *(
                f"{name}_{suffix}"
                for name in ("balance", "ledger", "returned", "statement_count")
                for suffix in PARTIES.values()
            ),
            *(f"{suffix}_debtor_id" for suffix in PARTIES.values()),
            "billing_stage",
        ],
        "healthcare.appointment": ["parked", "parked_until"],
    }

    charge_id = fields.Many2one("healthcare.charge", readonly=True)
    responsibility = fields.Selection(RESPONSIBILITIES, readonly=True)
    partner_id = fields.Many2one("res.partner", string="Owed by", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    client_id = fields.Many2one("res.partner", readonly=True)
    payer_id = fields.Many2one("res.partner", readonly=True)
    billing_account_id = fields.Many2one("healthcare.billing.account", readonly=True)
    appointment_id = fields.Many2one("healthcare.appointment", readonly=True)
    employee_id = fields.Many2one("hr.employee", string="Provider", readonly=True)
    product_id = fields.Many2one("product.product", string="Service", readonly=True)
    service_date = fields.Date(readonly=True)
    age = fields.Integer(
        string="Age (Days)", readonly=True, aggregator="max", help="Since the day of care."
    )
    age_bucket = fields.Selection(
        AGE_LABELS,
        string="Age",
        readonly=True,
    )
    stage = fields.Selection(
        CHARGE_STAGES,
        readonly=True,
        help="For this party: what came back unpaid is to bill again, though it is invoiced.",
    )
    balance = fields.Monetary(readonly=True)
    ledger = fields.Monetary(
        string="Invoiced Balance", readonly=True, help="The part of it that is posted."
    )
    statement_count = fields.Integer(string="Times Billed", readonly=True, aggregator="max")
    parked = fields.Boolean(readonly=True)

    @property
    def _table_query(self):
        return SQL(
            "SELECT r.*, %s AS age_bucket FROM (%s) r",
            age_bucket_sql(SQL("r.age")),
            SQL(" UNION ALL ").join(
                self._party_sql(number, party) for number, party in enumerate(PARTIES)
            ),
        )

    @api.model
    def _party_sql(self, number, party):
        """Query of one party's balances."""
        suffix = PARTIES[party]
        columns = {
            name: SQL.identifier("c", f"{name}_{suffix}")
            for name in ("balance", "ledger", "returned", "statement_count")
        }
        return SQL(
            """SELECT c.id * 4 + %(number)s AS id, c.id AS charge_id, %(party)s AS responsibility,
                      %(debtor)s AS partner_id, c.company_id, c.currency_id, c.client_id,
                      c.payer_id, c.billing_account_id, c.appointment_id, c.employee_id,
                      c.product_id, c.service_date, %(today)s::date - c.service_date AS age,
                      CASE WHEN %(returned)s AND %(ledger)s <> 0 THEN 'billing_office'
                           WHEN %(ledger)s <> 0 THEN 'awaiting_payment'
                           WHEN c.billing_stage IN ('qa', 'draft') THEN c.billing_stage
                           ELSE 'billing_office' END AS stage,
                      %(balance)s AS balance, %(ledger)s AS ledger,
                      %(statement_count)s AS statement_count,
                      COALESCE(a.parked AND (a.parked_until IS NULL
                                             OR a.parked_until > %(today)s), FALSE) AS parked
                 FROM healthcare_charge c
            LEFT JOIN healthcare_appointment a ON a.id = c.appointment_id
                WHERE %(balance)s <> 0 AND c.parent_id IS NULL""",
            number=number,
            party=party,
            debtor=SQL.identifier("c", f"{suffix}_debtor_id"),
            today=fields.Date.context_today(self),
            **columns,
        )
