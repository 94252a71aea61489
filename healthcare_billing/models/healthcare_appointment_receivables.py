from odoo import api, fields, models

BILLING_USERS = "healthcare_billing.group_billing_user"


class HealthcareAppointment(models.Model):
    """What is owed for an appointment, and all that happened to it, for the billing office."""

    _inherit = "healthcare.appointment"

    receivable_ids = fields.One2many(
        "healthcare.receivable", "appointment_id", string="Receivables", groups=BILLING_USERS
    )
    amount_residual = fields.Monetary(
        string="Balance",
        compute="_compute_amount_residual",
        groups=BILLING_USERS,
        help="What all parties owe for it, with corrections, less what was paid. Negative: a "
        "credit.",
    )
    statement_count = fields.Integer(
        string="Statements", compute="_compute_statement_count", groups=BILLING_USERS
    )
    receivable_events = fields.Html(
        string="What Happened",
        compute="_compute_receivable_events",
        sanitize=False,  # made by our own template
        groups=BILLING_USERS,
    )

    @api.depends("charge_ids.amount_residual")
    def _compute_amount_residual(self):
        for appointment in self:
            appointment.amount_residual = sum(appointment.charge_ids.mapped("amount_residual"))

    @api.depends("charge_ids.statement_line_ids")
    def _compute_statement_count(self):
        counts = dict(
            self.env["healthcare.statement.line"]._read_group(
                [("appointment_id", "in", self.ids)],
                ["appointment_id"],
                ["statement_id:count_distinct"],
            )
        )
        for appointment in self:
            appointment.statement_count = counts.get(appointment._origin, 0)

    @api.depends("charge_ids.amount_residual", "charge_ids.statement_line_ids.statement_id.state")
    def _compute_receivable_events(self):
        Events = self.env["healthcare.receivable.events"]
        for appointment in self:
            events = appointment._origin.charge_ids._receivable_events()
            appointment.receivable_events = events and self.env["ir.qweb"]._render(
                "healthcare_billing.receivable_events", {"rows": Events._rows(events)}
            )

    def action_view_receivables(self):
        """Open what is owed for these appointments."""
        return self.env["healthcare.receivable"]._list_action(
            [("appointment_id", "in", self.ids)], self.env._("Receivables")
        )

    def action_view_statements(self):
        """Open the statements that tell something of these appointments."""
        lines = self.env["healthcare.statement.line"].search([("appointment_id", "in", self.ids)])
        return lines.statement_id._list_action()
