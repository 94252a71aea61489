from odoo import api, fields, models


class HealthcareAppointmentClock(models.TransientModel):
    """Enter the times of a visit that nobody clocked, or clocked wrongly."""

    _name = "healthcare.appointment.clock"
    _description = "Enter Times of a Visit"

    appointment_id = fields.Many2one(
        "healthcare.appointment", required=True, readonly=True, ondelete="cascade"
    )
    clock_in = fields.Datetime("From", required=True)
    clock_out = fields.Datetime("To", required=True)

    @api.model
    def default_get(self, fields):
        defaults = super().default_get(fields)
        appointment = self.env["healthcare.appointment"].browse(defaults.get("appointment_id"))
        if appointment:
            begun = appointment.clock_in or appointment.start
            length = (appointment.stop or appointment.start) - appointment.start
            defaults |= {"clock_in": begun, "clock_out": appointment.clock_out or begun + length}
        return defaults

    def action_save(self):
        """Keep the times; the appointment checks them."""
        self.ensure_one()
        self.appointment_id._enter_times(self.clock_in, self.clock_out)
        return {"type": "ir.actions.act_window_close"}
