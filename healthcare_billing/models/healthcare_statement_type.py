from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .healthcare_charge_balance import PARTIES

# States of statements that were, or are, before the addressee.
TOLD_STATES = ("committed", "paid", "unpaid", "sold")
# Field of a custom statement -> stage of the receivables that it takes in.
CHOSEN_STAGES = {
    "with_billing_office": "billing_office",
    "with_awaiting_payment": "awaiting_payment",
    "with_qa": "qa",
    "with_drafts": "draft",
}


class HealthcareStatement(models.Model):
    """Which receivables a statement takes in, by its type (R17)."""

    _inherit = "healthcare.statement"

    with_billing_office = fields.Boolean(
        string="At the Billing Office", default=True, tracking=True
    )
    with_awaiting_payment = fields.Boolean(string="Awaiting Payment", default=True, tracking=True)
    with_qa = fields.Boolean(string="Still in QA", tracking=True)
    with_drafts = fields.Boolean(string="On Draft Invoices", tracking=True)

    def _type_domain(self):
        """Receivables that a statement of this type takes in, whoever owes them.

        :return: :class:`Domain` on ``healthcare.receivable``
        """
        return Domain("currency_id", "=", self.currency_id.id) & self._criteria_domain()

    def _criteria_domain(self):
        """The same, in any currency. Parked care is added by hand only, planned care never."""
        self.ensure_one()
        domain = (
            Domain("company_id", "=", self.company_id.id)
            & Domain("parked", "=", False)
            & self._date_domain()
        )
        return domain & getattr(self, f"_{self.statement_type}_domain")()

    def _date_domain(self):
        """Dates of care, half-open; a differential statement has no first one."""
        domain = Domain.TRUE
        if self.date_from and self.statement_type != "differential":
            domain &= Domain("service_date", ">=", self.date_from)
        if self.date_to:
            domain &= Domain("service_date", "<", self.date_to)
        return domain

    def _differential_domain(self):
        """What is at the billing office, and credits that no open statement tells."""
        credit = Domain("stage", "=", "awaiting_payment") & Domain("balance", "<", 0)
        return Domain("stage", "=", "billing_office") | (
            credit & Domain("id", "not in", self._items_told(("committed",)))
        )

    def _complete_domain(self):
        return Domain.TRUE

    def _collections_domain(self):
        """What was told before, and not paid for as many statements or days as the company says."""
        company = self.company_id
        late = Domain("statement_count", ">=", company.healthcare_collections_count)
        if company.healthcare_collections_days:
            late |= Domain("age", ">", company.healthcare_collections_days)
        return late & Domain("ledger", ">", 0) & Domain("id", "in", self._items_told(TOLD_STATES))

    def _custom_domain(self):
        stages = [stage for name, stage in CHOSEN_STAGES.items() if self[name]]
        return Domain("stage", "in", stages)

    @api.model
    def _items_told(self, states):
        """Ids of receivables that statements in these states hold, as a query."""
        self.env["healthcare.statement.line"].flush_model()
        self.env["healthcare.statement"].flush_model(["state"])
        return SQL(
            """(SELECT l.charge_id * 4 + CASE l.responsibility %(parties)s END
                  FROM healthcare_statement_line l
                  JOIN healthcare_statement s ON s.id = l.statement_id
                 WHERE s.state IN %(states)s)""",
            parties=SQL(" ").join(
                SQL("WHEN %s THEN %s", party, number) for number, party in enumerate(PARTIES)
            ),
            states=tuple(states),
        )
