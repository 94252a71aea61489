from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .healthcare_charge_balance import PARTIES

ALARM = "healthcare_billing.mail_activity_type_parked"


class HealthcareAppointment(models.Model):
    """Parked care waits, with a reason and an alarm, and is in no generator's way (R9).

    Whoever parks gets an activity for the day until which it waits: the alarm. On that day
    generators take the care in again, and the activity asks what has become of it. Snoozing moves
    both. Parking ends by hand, or once the care is paid in full.
    """

    _inherit = "healthcare.appointment"

    parked_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    is_park_alarm = fields.Boolean(
        string="Parking Is Over",
        compute="_compute_is_park_alarm",
        search="_search_is_park_alarm",
        help="Parked until a day that has come: generators take it in again.",
    )

    @api.depends("parked", "parked_until")
    def _compute_is_park_alarm(self):
        today = fields.Date.context_today(self)
        for appointment in self:
            until = appointment.parked_until
            appointment.is_park_alarm = bool(appointment.parked and until and until <= today)

    @api.model
    def _search_is_park_alarm(self, operator, value):
        if operator != "in":
            return NotImplemented
        domain = Domain("parked", "=", True) & Domain(
            "parked_until", "<=", fields.Date.context_today(self)
        )
        return domain if True in value else ~domain

    def action_park(self):
        """Ask until when, and why; of what is parked already, to snooze it.

        :return: window action on a new ``healthcare.appointment.park``
        """
        return self.env["healthcare.appointment.park"]._open(self)

    def _park(self, until=False, reason=""):
        """Keep out of every generator until a day, or for now (R9).

        :param until: date on which it is taken in again and the alarm goes off; False: only
            taken out by hand
        :param str reason: told on the appointment
        :raise UserError: a day that has come already
        """
        if until and until <= fields.Date.context_today(self):
            raise UserError(self.env._("Choose a day in the future: parked care waits until then."))
        self.write({"parked": True, "parked_until": until, "parked_reason": reason})

    def action_unpark(self):
        """Let generators pick it again."""
        self.write({"parked": False, "parked_until": False, "parked_reason": False})

    @api.model_create_multi
    def create(self, vals_list):
        appointments = super().create(vals_list)
        parked = appointments.filtered("parked")
        parked.sudo().parked_by_id = self.env.user  # sudo: system-only, as in ``write``
        parked._set_park_alarm()
        return appointments

    def write(self, vals):
        if not {"parked", "parked_until"} & set(vals):
            return super().write(vals)
        before = {appointment.id: appointment.parked for appointment in self}
        result = super().write(vals)
        # sudo: system-only; who may park was checked by the write
        newly = self.sudo().filtered(lambda a: a.parked and not before[a.id])
        newly.parked_by_id = self.env.user
        (self.sudo() - newly).filtered(
            lambda a: not a.parked and a.parked_by_id
        ).parked_by_id = False
        self._set_park_alarm()
        return result

    def _set_park_alarm(self):
        """One activity for each that is parked until a day, none for the others."""
        waiting = self.filtered(lambda a: a.parked and a.parked_until)
        # sudo: the alarm belongs to who parked it, whoever snoozes or ends the parking
        alarms = self.sudo().activity_search([ALARM])
        by_appointment = alarms.grouped("res_id")
        alarms.filtered(lambda a: a.res_id not in set(waiting.ids)).unlink()
        for appointment in waiting:
            alarm = by_appointment.get(appointment.id)
            if alarm:
                alarm.date_deadline = appointment.parked_until
                continue
            appointment.sudo().activity_schedule(
                ALARM,
                date_deadline=appointment.parked_until,
                user_id=(appointment.sudo().parked_by_id or self.env.user).id,
            )

    def _end_parking_of_paid(self):
        """Take out what is paid in full: there is nothing to wait for any more."""
        # sudo: whoever books the payment may not decide on appointments
        paid = self.sudo().filtered(
            lambda a: (
                a.parked
                and a.charge_ids
                and all(charge._is_paid_in_full() for charge in a.charge_ids)
            )
        )
        for appointment in paid:
            appointment._message_log(body=self.env._("Paid in full: taken out of parking."))
        paid.action_unpark()


class HealthcareCharge(models.Model):
    _inherit = "healthcare.charge"

    def _is_paid_in_full(self):
        """Whether all of it is invoiced, and no party owes or is owed anything (R5)."""
        self.ensure_one()
        root = self._root()
        return self.billing_stage in ("awaiting_payment", "finished") and all(
            root.currency_id.is_zero(root[f"balance_{suffix}"]) for suffix in PARTIES.values()
        )


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create(vals_list)
        lines = partials.debit_move_id | partials.credit_move_id
        # sudo: who books money may not read care, and is told nothing of it
        parked = (
            self.env["healthcare.appointment"]
            .sudo()
            .search(
                [
                    ("parked", "=", True),
                    ("charge_ids.invoice_line_ids.move_id", "in", lines.move_id.ids),
                ]
            )
        )
        if parked:
            parked._end_parking_of_paid()
        return partials
