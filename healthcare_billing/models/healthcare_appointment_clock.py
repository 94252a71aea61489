from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools.misc import format_datetime

# A visit that is still open this long after its planned end was left without checking out.
FORGOTTEN_AFTER = timedelta(hours=4)
LONGEST_VISIT = timedelta(hours=24)
CLOCK_TOLERANCE = timedelta(minutes=5)


class HealthcareAppointment(models.Model):
    """Today's visits of a provider: when they came and went, and how to get there."""

    _inherit = "healthcare.appointment"

    is_my_day = fields.Boolean(
        compute="_compute_is_my_day",
        search="_search_is_my_day",
        help="Own visits of today's local day of care, and those begun that aren't completed yet.",
    )
    clock_state = fields.Selection(
        [("none", "Not There Yet"), ("open", "There"), ("closed", "Gone")],
        compute="_compute_clock_state",
    )
    has_started = fields.Boolean(
        compute="_compute_clock_state", help="Its time has come, or somebody is there already."
    )
    is_clock_forgotten = fields.Boolean(compute="_compute_clock_state", string="Check-out Missing")
    local_hours = fields.Char(
        compute="_compute_local_hours", string="Time", help="From and to, in the zone of care."
    )
    clocked_hours = fields.Char(compute="_compute_local_hours", string="Clocked")
    visit_phone = fields.Char(compute="_compute_visit_contact", string="Phone")
    visit_address = fields.Char(compute="_compute_visit_contact", string="Address")

    # -- my day --------------------------------------------------------------------------------
    @api.depends_context("uid")
    @api.depends("employee_id", "service_date", "clock_in", "state")
    def _compute_is_my_day(self):
        for appointment in self:
            company = appointment.company_id or self.env.company
            today = appointment.service_date == company._care_today()
            # a night's visit ends on another day, and still has to be completed then
            is_begun = appointment.state == "scheduled" and bool(appointment.clock_in)
            own = appointment.employee_user_id == self.env.user
            appointment.is_my_day = own and (today or is_begun)

    def _search_is_my_day(self, operator, value):
        """Asked for anew at every search: a phone that was left on shows the new day."""
        if operator != "in":
            return NotImplemented
        today = Domain.OR(
            Domain("company_id", "=", company.id)
            & Domain("service_date", "=", company._care_today())
            for company in self.env.companies
        )
        begun = Domain("state", "=", "scheduled") & Domain("clock_in", "!=", False)
        wanted = Domain("employee_user_id", "=", self.env.uid) & (today | begun)
        return wanted if True in value else ~wanted

    @api.depends("clock_in", "clock_out", "start", "stop", "state")
    def _compute_clock_state(self):
        now = fields.Datetime.now()
        for appointment in self:
            appointment.has_started = bool(
                appointment.clock_in or (appointment.start and appointment.start <= now)
            )
            if not appointment.clock_in:
                appointment.clock_state = "none"
            else:
                appointment.clock_state = "closed" if appointment.clock_out else "open"
            appointment.is_clock_forgotten = (
                appointment.clock_state == "open"
                and now > appointment._expected_clock_out() + FORGOTTEN_AFTER
            )

    def _expected_clock_out(self):
        """When a visit that was begun should be over: its planned length after it began."""
        self.ensure_one()
        length = (self.stop or self.start) - self.start
        return max(self.clock_in + length, self.stop or self.clock_in)

    @api.depends("start", "stop", "clock_in", "clock_out", "company_id")
    def _compute_local_hours(self):
        for appointment in self:
            appointment.local_hours = appointment._local_span(appointment.start, appointment.stop)
            appointment.clocked_hours = appointment._local_span(
                appointment.clock_in, appointment.clock_out
            )

    def _local_span(self, start, stop):
        self.ensure_one()
        zone = (self.company_id or self.env.company).healthcare_tz or "UTC"
        times = [
            format_datetime(self.env, moment, tz=zone, dt_format="h:mm a") if moment else "…"
            for moment in (start, stop)
        ]
        return " – ".join(times) if start else False

    @api.depends("client_id", "pickup_address")
    def _compute_visit_contact(self):
        for appointment in self:
            client = appointment.client_id
            lines = client._display_address(without_company=True).splitlines() if client else []
            address = ", ".join(line.strip() for line in lines if line.strip())
            appointment.visit_phone = client.phone
            appointment.visit_address = appointment.pickup_address or address

    # -- clock ---------------------------------------------------------------------------------
    def action_check_in(self):
        """The provider is there. A second click changes nothing."""
        for appointment in self:
            appointment._check_in(fields.Datetime.now())

    def _check_in(self, moment):
        self.ensure_one()
        self._lock_clock()
        if self.clock_in:
            return
        if self.state != "scheduled":
            raise UserError(
                self.env._("%s is not scheduled any more: nobody can check in.", self.name)
            )
        if self.service_date != self.company_id._care_local_date(moment):
            raise UserError(
                self.env._(
                    "%s is planned for another day. Move it to today, or enter the times of the "
                    "visit by hand.",
                    self.name,
                )
            )
        self.clock_in = moment

    def action_check_out(self):
        """The provider leaves. After a forgotten check-out, asks for the true time instead."""
        forgotten = self.filtered("is_clock_forgotten")[:1]
        if forgotten:
            return forgotten.action_enter_times()
        for appointment in self:
            appointment._check_out(fields.Datetime.now())
        return None

    def _check_out(self, moment):
        self.ensure_one()
        self._lock_clock()
        if not self.clock_in:
            raise UserError(
                self.env._(
                    "Check in at %s first. If that was forgotten, enter both times by hand.",
                    self.name,
                )
            )
        if not self.clock_out:
            self.clock_out = max(moment, self.clock_in)

    def _lock_clock(self):
        """Who clicks twice waits for nothing, and changes nothing."""
        self.check_access("write")
        if not self.try_lock_for_update(allow_referencing=True):
            raise UserError(self.env._("%s is being changed just now. Try again.", self.name))

    def action_enter_times(self):
        """Open the dialog in which forgotten times are entered."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Times of the Visit"),
            "res_model": "healthcare.appointment.clock",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_appointment_id": self.id},
        }

    def _enter_times(self, clock_in, clock_out):
        """Replace what the clock says by what was told, and remember that it was told.

        :param clock_in: naive UTC datetime
        :param clock_out: naive UTC datetime
        """
        self.ensure_one()
        self._lock_clock()
        if clock_out <= clock_in:
            raise UserError(self.env._("The end of the visit must be after its beginning."))
        if clock_out > fields.Datetime.now() + CLOCK_TOLERANCE:
            raise UserError(self.env._("The times of a visit can't be in the future."))
        if clock_out - clock_in > LONGEST_VISIT:
            raise UserError(self.env._("A visit lasts 24 hours at most. Please check the days."))
        if self.state not in ("scheduled", "completed"):
            raise UserError(self.env._("%s did not take place: it has no times.", self.name))
        self._check_no_live_charge()
        before = self.clocked_hours or self.env._("nothing")
        self.write({"clock_in": clock_in, "clock_out": clock_out})
        self.message_post(
            body=self.env._(
                "Times entered by hand: %(after)s (before: %(before)s)",
                after=self.clocked_hours,
                before=before,
            )
        )
