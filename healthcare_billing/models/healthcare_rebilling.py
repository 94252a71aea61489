from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .healthcare_charge import RESPONSIBILITIES
from .healthcare_receivable import AGE_LABELS, HealthcareReceivable
from .healthcare_statement_type import TOLD_STATES

STEPS = [
    ("close", "Statement to Close"),
    ("collect", "For Collections"),
    ("bill", "To Bill"),
    ("wait", "Awaiting Payment"),
    ("untold", "Invoiced, on No Statement"),
]


class HealthcareRebilling(models.Model):
    """What is to do with each receivable in the weekly or monthly cycle of rebilling.

    ========  ==================================================================================
    step      means
    ========  ==================================================================================
    close     its statement is committed for as long as the company says: close it as unpaid
    collect   told, and billed as often or owed as long as the company says: what a collections
              statement takes in
    bill      at the billing office: the next differential statement takes it in
    wait      on a statement that isn't due yet
    untold    invoiced otherwise, and on no open statement
    ========  ==================================================================================

    Stored nowhere: read from receivables and statements. Parked ones are nobody's work now.
    """

    _name = "healthcare.rebilling"
    _description = "Rebilling"
    _auto = False
    _order = "age desc, id"
    _rec_name = "charge_id"
    _depends = {  # noqa: RUF012  # as the ORM declares it
        **HealthcareReceivable._depends,
        "healthcare.statement": ["committed_on", "state"],
        "healthcare.statement.line": ["charge_id", "responsibility", "statement_id"],
        "res.company": [
            "healthcare_collections_count", "healthcare_collections_days",
            "healthcare_rebilling_days",
        ],
    }  # fmt: skip

    charge_id = fields.Many2one("healthcare.charge", readonly=True)
    responsibility = fields.Selection(RESPONSIBILITIES, readonly=True)
    partner_id = fields.Many2one("res.partner", string="Owed by", readonly=True)
    client_id = fields.Many2one("res.partner", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    service_date = fields.Date(readonly=True)
    age = fields.Integer(string="Age (Days)", readonly=True, aggregator="max")
    age_bucket = fields.Selection(
        AGE_LABELS,
        string="Age",
        readonly=True,
    )
    balance = fields.Monetary(readonly=True)
    statement_count = fields.Integer(string="Times Billed", readonly=True, aggregator="max")
    statement_id = fields.Many2one(
        "healthcare.statement", string="Open Statement", readonly=True, help="The oldest one."
    )
    statement_age = fields.Integer(
        string="Statement's Age", readonly=True, aggregator="max", help="Days since committing."
    )
    step = fields.Selection(STEPS, string="Next Step", readonly=True)

    @property
    def _table_query(self):
        today = fields.Date.context_today(self)
        return SQL(
            """SELECT r.id, r.charge_id, r.responsibility, r.partner_id, r.client_id, r.company_id,
                      r.currency_id, r.service_date, r.age, r.age_bucket, r.balance,
                      r.statement_count, told.statement_id,
                      %(today)s::date - told.committed_on AS statement_age,
                      CASE WHEN %(today)s::date - told.committed_on >= c.healthcare_rebilling_days
                           THEN 'close'
                           WHEN told.statement_id IS NOT NULL THEN 'wait'
                           WHEN r.ledger > 0 AND r.id IN %(told)s
                                AND (r.statement_count >= c.healthcare_collections_count
                                     OR c.healthcare_collections_days > 0
                                        AND r.age > c.healthcare_collections_days)
                           THEN 'collect'
                           WHEN r.stage = 'billing_office' THEN 'bill'
                           ELSE 'untold' END AS step
                 FROM (%(receivables)s) r
                 JOIN res_company c ON c.id = r.company_id
            LEFT JOIN (SELECT DISTINCT ON (l.charge_id, l.responsibility) l.charge_id,
                              l.responsibility, l.statement_id, s.committed_on
                         FROM healthcare_statement_line l
                         JOIN healthcare_statement s ON s.id = l.statement_id
                        WHERE s.state = 'committed'
                     ORDER BY l.charge_id, l.responsibility, s.committed_on, s.id) told
                   ON told.charge_id = r.charge_id AND told.responsibility = r.responsibility
                WHERE NOT r.parked AND r.stage IN ('billing_office', 'awaiting_payment')""",
            today=today,
            told=self.env["healthcare.statement"]._items_told(TOLD_STATES),
            receivables=self.env["healthcare.receivable"]._table_query,
        )

    def action_open(self):
        """Open the appointment; care without one is opened as its charge."""
        return self._receivables().action_open()

    def _receivables(self):
        """The receivables that these rows are about: they have the same ids."""
        return self.env["healthcare.receivable"].browse(self.ids)

    def action_close_statements(self):
        """Close the open statements behind these rows.

        :return: window action on a new ``healthcare.statement.bulk``
        :raise UserError: none of them is on an open statement
        """
        statements = self.statement_id
        if not statements:
            raise UserError(
                self.env._("None of these is on an open statement: there is nothing to close.")
            )
        return self.env["healthcare.statement.bulk"]._open(statements)

    def action_make_collections(self):
        """A draft collections statement for each addressee of these rows, about just these.

        Rows that aren't for collections yet, or that nobody owes, are left out.

        :return: window action on the drafts, after telling what is left out
        :raise UserError: none of them is for collections
        """
        due = self.filtered(lambda row: row.step == "collect")
        rows = due.filtered("partner_id")
        if not due:
            raise UserError(
                self.env._("None of these is for collections yet: see the column Next Step.")
            )
        if not rows:
            raise UserError(self._left_out_text(due - rows))
        by_debtor = rows.grouped(lambda row: (row.company_id, row.partner_id, row.currency_id))
        statements = self.env["healthcare.statement"].create(
            [
                {
                    "partner_id": partner.id,
                    "company_id": company.id,
                    "currency_id": currency.id,
                    "statement_type": "collections",
                }
                for company, partner, currency in by_debtor
            ]
        )
        statements._list_receivables(
            {
                statement: own._receivables()
                for statement, own in zip(statements, by_debtor.values(), strict=True)
            }
        )
        action = {
            "type": "ir.actions.act_window",
            "name": self.env._("Collections Statements"),
            "res_model": "healthcare.statement",
            "views": [(False, "list"), (False, "form")],
            "domain": [("id", "in", statements.ids)],
        }
        texts = []
        if early := self - due:
            texts.append(
                self.env._("Not for collections yet, and left out: %s.", early._told_names())
            )
        if unowed := due - rows:
            texts.append(self._left_out_text(unowed))
        if not texts:
            return action
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": " ".join(texts),
                "type": "warning",
                "sticky": True,
                "next": action,
            },
        }

    @api.model
    def _left_out_text(self, rows):
        """Why rows are on no statement that nobody owes."""
        return self.env._(
            "Nobody is known who owes this, choose a payer or billing contact first: %s.",
            rows._told_names(),
        )

    def _told_names(self):
        """Which rows: the first five, and how many more there are."""
        names = ", ".join(self[:5].charge_id.mapped("display_name"))
        more = len(self) - 5
        return (
            self.env._("%(names)s and %(count)s more", names=names, count=more)
            if more > 0
            else names
        )


class HealthcareStatement(models.Model):
    _inherit = "healthcare.statement"

    is_due = fields.Boolean(
        string="Due to Close",
        compute="_compute_is_due",
        search="_search_is_due",
        help="Committed for as many days as the settings say, and not closed.",
    )

    @api.depends("state", "committed_on", "company_id.healthcare_rebilling_days")
    def _compute_is_due(self):
        for statement in self:
            statement.is_due = (
                statement.state == "committed"
                and statement.age >= statement.company_id.healthcare_rebilling_days
            )

    @api.model
    def _search_is_due(self, operator, value):
        if operator != "in":
            return NotImplemented
        today = fields.Date.context_today(self)
        due = Domain.OR(
            Domain("company_id", "=", company.id)
            & Domain("state", "=", "committed")
            & Domain("committed_on", "<=", today - timedelta(company.healthcare_rebilling_days))
            for company in self.env.companies
        )
        domain = Domain.FALSE
        if True in value:
            domain |= due
        if False in value:
            domain |= ~due
        return domain

    def action_bulk_close(self):
        """Close these statements together.

        :return: window action on a new ``healthcare.statement.bulk``
        """
        return self.env["healthcare.statement.bulk"]._open(self)


class ResCompany(models.Model):
    _inherit = "res.company"

    healthcare_rebilling_days = fields.Integer(
        string="Days between Statements",
        default=30,
        help="A committed statement this old is due to be closed as unpaid, and billed again.",
    )

    _check_rebilling_days = models.Constraint(
        "CHECK (healthcare_rebilling_days >= 0)", "A number of days can't be negative."
    )
