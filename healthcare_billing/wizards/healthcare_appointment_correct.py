from odoo import api, fields, models
from odoo.exceptions import UserError


class HealthcareAppointmentCorrect(models.TransientModel):
    """Say what the provider of reviewed care should correct."""

    _name = "healthcare.appointment.correct"
    _description = "Ask for Corrections"

    appointment_ids = fields.Many2many(
        "healthcare.appointment",
        "healthcare_appointment_correct_rel",
        required=True,
        readonly=True,
        string="Appointments",
    )
    text = fields.Text(string="What to Correct", required=True)

    @api.model
    def _open(self, appointments):
        """Ask for these appointments.

        :return: window action
        :raise UserError: none of them is under review
        """
        reviewed = appointments.filtered(lambda a: a.qa_state in ("review", "corrections"))
        if not reviewed:
            raise UserError(self.env._("Choose appointments that are under review."))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Needs Corrections"),
            "res_model": self._name,
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_appointment_ids": reviewed.ids},
        }

    def action_ask(self):
        """Hand it back to the provider."""
        self.ensure_one()
        self.appointment_ids._ask_corrections(self.text)
        return {"type": "ir.actions.act_window_close"}
