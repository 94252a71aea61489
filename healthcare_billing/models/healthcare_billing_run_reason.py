from odoo import fields, models
from odoo.tools import SQL

# Where a block reason is mended -> the charge's field that holds that record.
TARGET_FIELDS = {
    "appointment": "appointment_id",
    "billing_account": "billing_account_id",
    "client": "client_id",
    "payer": "payer_id",
    "product": "product_id",
    "employee": "employee_id",
    "authorization": "authorization_id",
    "company": "company_id",
}


class HealthcareBillingRunReason(models.Model):
    """What a run leaves out, summed up: one row per reason, however many items there are."""

    _name = "healthcare.billing.run.reason"
    _description = "Reason for Which a Billing Run Leaves out Care"
    _auto = False
    _order = "reason_id, id"
    _rec_name = "reason_id"
    _depends = {  # noqa: RUF012  # an Odoo attribute
        "healthcare.billing.run.exclusion": ["run_id", "reason_id", "company_id", "charge_id"],
        "healthcare.charge": ["amount", "currency_id"],
    }

    run_id = fields.Many2one("healthcare.billing.run", readonly=True)
    reason_id = fields.Many2one("healthcare.block.reason", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    item_count = fields.Integer(string="Items", readonly=True)
    amount = fields.Monetary(readonly=True)
    remedy = fields.Text(related="reason_id.remedy", string="What to Do")
    has_mend_button = fields.Boolean(related="reason_id.has_mend_button")

    @property
    def _table_query(self):
        return SQL(
            """SELECT MIN(x.id) AS id, x.run_id, x.reason_id, x.company_id, c.currency_id,
                      COUNT(*)::int AS item_count, SUM(c.amount) AS amount
                 FROM healthcare_billing_run_exclusion x
                 JOIN healthcare_charge c ON c.id = x.charge_id
             GROUP BY x.run_id, x.reason_id, x.company_id, c.currency_id"""
        )

    def _exclusions(self):
        """The items behind this row."""
        self.ensure_one()
        return self.env["healthcare.billing.run.exclusion"].search(
            [
                ("run_id", "=", self.run_id.id),
                ("reason_id", "=", self.reason_id.id),
                ("company_id", "=", self.company_id.id),
            ]
        )

    def action_mend(self):
        """Open the record that mends all items, or else the items, each with its own button."""
        self.ensure_one()
        exclusions = self._exclusions()
        if self.has_mend_button and self._count_targets(exclusions) == 1:
            return exclusions[:1].action_mend()
        return self.action_view_items()

    def _count_targets(self, exclusions):
        """On how many records the reason is mended."""
        target = TARGET_FIELDS.get(self.reason_id.mend_target)
        if not target:
            return len(exclusions)
        groups = self.env["healthcare.charge"]._read_group(
            [("id", "in", exclusions.charge_id.ids)], [target], ["__count"], limit=2
        )
        # items without the record are mended one by one
        return len(groups) if groups[0][0] else len(exclusions)

    def action_view_items(self):
        """Open the items that are left out for this reason."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_billing_run_exclusion_action"
        )
        return {
            **action,
            "name": self.reason_id.name,
            "domain": [("run_id", "=", self.run_id.id), ("reason_id", "=", self.reason_id.id)],
            "context": {},
        }
