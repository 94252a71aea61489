from odoo import api, fields, models

MISSED_STATES = ("late_canceled", "no_show", "rescheduled", "canceled")


class HealthcareAppointment(models.Model):
    """What the screens of appointments show, and nothing else needs."""

    _inherit = "healthcare.appointment"

    is_striked = fields.Boolean(
        compute="_compute_is_striked", help="The calendar strikes it out: it didn't take place."
    )
    series_text = fields.Char(related="series_id.rule_text", string="Repeats")
    invoice_text = fields.Char(
        compute="_compute_invoice_text",
        compute_sudo=True,  # that it is invoiced is for those too who may not read invoices
        string="Invoice",
    )
    calendar_title = fields.Char(
        compute="_compute_calendar_title",
        help="Title in our own calendar, which only care groups see; never for synced calendars.",
    )

    @api.depends("state")
    def _compute_is_striked(self):
        for appointment in self:
            appointment.is_striked = appointment.state in MISSED_STATES

    @api.depends("charge_ids.billing_stage")
    def _compute_invoice_text(self):
        """Numbers of the invoices that bill the appointment now, with their status."""
        labels = dict(self.env["account.move"]._fields["state"]._description_selection(self.env))
        moves = {}
        for line in self.charge_ids._live_lines():
            of_appointment = moves.setdefault(line.charge_id.appointment_id.id, line.move_id)
            moves[line.charge_id.appointment_id.id] = of_appointment | line.move_id
        for appointment in self:
            appointment.invoice_text = ", ".join(
                f"{move._care_reference()} ({labels[move.state]})"
                for move in moves.get(appointment.id, ())
            )

    @api.depends("client_id.name", "name")
    def _compute_calendar_title(self):
        for appointment in self:
            appointment.calendar_title = appointment.client_id.name or appointment.name
