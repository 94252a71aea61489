from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class HealthcareUnscheduledCheckIn(models.TransientModel):
    """Check in at a client without a schedule; a visit that is planned there today is shown."""

    _name = "healthcare.unscheduled.check.in"
    _description = "Check In Without a Schedule"

    client_id = fields.Many2one(
        "res.partner",
        required=True,
        domain="[('is_healthcare_client', '=', True)]",
    )
    planned_id = fields.Many2one(
        "healthcare.appointment", compute="_compute_planned_id", string="Planned Today"
    )
    planned_hours = fields.Char(related="planned_id.local_hours", string="Planned Time")

    @api.depends("client_id")
    def _compute_planned_id(self):
        """The user's own visit of today at this client, to which nobody checked in yet."""
        visits = self.env["healthcare.appointment"]
        for wizard in self:
            wizard.planned_id = visits.search(
                Domain("employee_user_id", "=", self.env.uid)
                & Domain("client_id", "in", wizard.client_id.ids)
                & Domain("service_date", "=", self.env.company._care_today())
                & Domain("state", "=", "scheduled")
                & Domain("clock_in", "=", False),
                order="start",
                limit=1,
            )

    def action_check_in(self):
        """Begin an unscheduled visit."""
        self.ensure_one()
        if not self.client_id.is_healthcare_client:
            raise UserError(self.env._("%s is not a care client.", self.client_id.display_name))
        self.env["healthcare.appointment"]._check_in_unscheduled(self.client_id)
        return {"type": "ir.actions.act_window_close"}

    def action_check_in_planned(self):
        """Check in to the visit that is planned."""
        self.ensure_one()
        self.planned_id.action_check_in()
        return {"type": "ir.actions.act_window_close"}
