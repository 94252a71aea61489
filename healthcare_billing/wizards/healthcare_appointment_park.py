from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError


class HealthcareAppointmentPark(models.TransientModel):
    """Park appointments until a day, with a reason; or snooze what is parked."""

    _name = "healthcare.appointment.park"
    _description = "Park Appointments"

    appointment_ids = fields.Many2many(
        "healthcare.appointment",
        "healthcare_appointment_park_rel",
        required=True,
        readonly=True,
        string="Appointments",
    )
    appointment_count = fields.Integer(compute="_compute_appointment_count")
    is_snooze = fields.Boolean(compute="_compute_appointment_count")
    until = fields.Date(
        help="From this day on, generators take it in again, and you get an activity. Empty: it "
        "stays parked until somebody takes it out.",
    )
    reason = fields.Char()

    @api.depends("appointment_ids")
    def _compute_appointment_count(self):
        for wizard in self:
            wizard.appointment_count = len(wizard.appointment_ids)
            wizard.is_snooze = bool(wizard.appointment_ids) and all(
                wizard.appointment_ids.mapped("parked")
            )

    @api.model
    def _open(self, appointments):
        """Ask for these appointments.

        :return: window action
        :raise UserError: there are none
        """
        if not appointments:
            raise UserError(self.env._("Choose appointments first."))
        reasons = set(appointments.mapped("parked_reason"))
        today = fields.Date.context_today(self)
        latest = max([day for day in appointments.mapped("parked_until") if day] + [today])
        wizard = self.create(
            {
                "appointment_ids": appointments.ids,
                "until": latest + relativedelta(weeks=1),
                "reason": reasons.pop() if len(reasons) == 1 else False,
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Snooze") if wizard.is_snooze else self.env._("Park"),
            "res_model": self._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def action_park(self):
        """Park, or snooze."""
        self.ensure_one()
        self.appointment_ids._park(self.until, self.reason or "")
        return {"type": "ir.actions.act_window_close"}
