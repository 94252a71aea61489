from odoo import api, fields, models

BILLING_USERS = "healthcare_billing.group_billing_user"


class ResPartner(models.Model):
    """What clients and payers owe for care; that somebody does is for the billing office only."""

    _inherit = "res.partner"

    care_currency_id = fields.Many2one(
        "res.currency", compute="_compute_care_balance", groups=BILLING_USERS
    )
    care_balance = fields.Monetary(
        string="Owed for Care",
        compute="_compute_care_balance",
        currency_field="care_currency_id",
        groups=BILLING_USERS,
        help="Invoiced or not, in all ticked companies, in the currency of this one.",
    )
    care_receivable_count = fields.Integer(
        string="Receivables", compute="_compute_care_balance", groups=BILLING_USERS
    )
    care_statement_count = fields.Integer(
        string="Statements", compute="_compute_care_statement_count", groups=BILLING_USERS
    )
    care_receivable_ids = fields.One2many(
        "healthcare.receivable",
        "client_id",
        string="Receivables of the Client's Care",
        groups=BILLING_USERS,
    )

    @api.depends_context("company", "allowed_company_ids")
    def _compute_care_balance(self):
        currency = self.env.company.currency_id
        today = fields.Date.context_today(self)
        sums = dict.fromkeys(self.ids, 0.0)
        counts = dict.fromkeys(self.ids, 0)
        for partner, foreign, amount, count in self.env["healthcare.receivable"]._read_group(
            [("partner_id", "in", self.ids)],
            ["partner_id", "currency_id"],
            ["balance:sum", "__count"],
        ):
            sums[partner.id] += foreign._convert(amount, currency, self.env.company, today)
            counts[partner.id] += count
        for partner in self:
            partner.care_currency_id = currency
            partner.care_balance = sums.get(partner._origin.id, 0.0)
            partner.care_receivable_count = counts.get(partner._origin.id, 0)

    @api.depends_context("allowed_company_ids")
    def _compute_care_statement_count(self):
        counts = dict(
            self.env["healthcare.statement"]._read_group(
                [("partner_id", "in", self.ids)], ["partner_id"], ["__count"]
            )
        )
        for partner in self:
            partner.care_statement_count = counts.get(partner._origin, 0)

    def action_view_care_receivables(self):
        """Open what these partners owe for care."""
        return self.env["healthcare.receivable"]._list_action(
            [("partner_id", "in", self.ids)], self.env._("Receivables")
        )

    def action_view_care_statements(self):
        """Open the statements addressed to these partners."""
        statements = self.env["healthcare.statement"].search([("partner_id", "in", self.ids)])
        return statements._list_action()
