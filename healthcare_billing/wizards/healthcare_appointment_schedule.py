from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import format_date

from ..models.healthcare_series_mixin import RULE_FIELDS, WEEKDAYS


class HealthcareAppointmentSchedule(models.TransientModel):
    """Make, change or delete recurring appointments, after a look at every date.

    The dialog shows what would be made, with what it collides, what would be replaced or deleted,
    and what stays and why. The work itself is done by series and appointments.
    """

    _name = "healthcare.appointment.schedule"
    _inherit = ("healthcare.series.mixin",)
    _description = "Plan Recurring Appointments"

    mode = fields.Selection(
        [("new", "New"), ("edit", "Change"), ("delete", "Delete")], default="new", required=True
    )
    scope = fields.Selection(
        [("this", "This appointment only"), ("future", "This and all future appointments")],
        default="future",
        required=True,
    )
    # deleting the appointment must leave the answer of the dialog to a second click
    appointment_id = fields.Many2one(
        "healthcare.appointment", ondelete="set null", check_company=True
    )
    series_id = fields.Many2one(related="appointment_id.series_id", string="Present Series")
    date_ids = fields.One2many(
        "healthcare.appointment.schedule.date",
        "schedule_id",
        string="Dates",
        compute="_compute_date_ids",
        compute_sudo=False,  # names of appointments are for who may read them
        store=True,
        readonly=False,
    )
    member_ids = fields.One2many(
        "healthcare.appointment.schedule.member",
        "schedule_id",
        string="Appointments",
        compute="_compute_member_ids",
        compute_sudo=False,
        store=True,
        readonly=False,
    )
    rule_problem = fields.Char(compute="_compute_rule_problem")
    summary = fields.Char(compute="_compute_summary")
    is_done = fields.Boolean(readonly=True)
    result_id = fields.Many2one("healthcare.appointment.series", readonly=True)

    # -- defaults ------------------------------------------------------------------------------
    @api.model
    def default_get(self, fields):
        defaults = super().default_get(fields)
        appointment = self.env["healthcare.appointment"].browse(defaults.get("appointment_id"))
        if appointment:
            appointment.check_access("read")
            known = self._defaults_of(appointment, defaults.get("mode") or "new")
            defaults |= {name: value for name, value in known.items() if name in fields}
        elif defaults.get("date_start"):
            defaults |= self._weekday_values(self._to_date(defaults["date_start"]))
        return defaults

    @api.model
    def _to_date(self, value):
        return fields.Date.to_date(value)

    @api.model
    def _defaults_of(self, appointment, mode):
        """The rule and template with which the dialog opens on an appointment."""
        company, series = appointment.company_id, appointment.series_id
        day = appointment.service_date
        known = {
            **self._template_of(appointment),
            "date_start": day,
            "start_time": company._care_local_hours(appointment.start),
            "duration": appointment.duration or 1.0,
            **self._weekday_values(day),
        }
        if mode == "new" or not series:
            return known | {"scope": "future" if mode == "new" else "this"}
        left = [other for other in series._rule() if other.date() >= day]
        return known | {
            **{name: series[name] for name in ("frequency", "interval", "month_by", "end_type")},
            **{name: series[name] for name in WEEKDAYS},
            "until": max(series.until, day) if series.until else False,
            "count": max(len(left), 1),
        }

    @api.onchange("client_id", "company_id")
    def _onchange_client_id(self):
        """What a single appointment of this client would be by default."""
        if self.appointment_id:
            return
        appointment = self.env["healthcare.appointment"].new(
            {"client_id": self.client_id.id, "company_id": self.company_id.id}
        )
        self.billing_account_id = appointment.billing_account_id
        self.product_id = appointment.product_id or self.product_id
        self.place_of_service_id = appointment.place_of_service_id

    @api.onchange("product_id")
    def _onchange_product_id(self):
        if self.product_id and not self.appointment_id:
            self.duration = self.product_id.default_duration or self.duration
            self.place_of_service_id = (
                self.product_id.place_of_service_id or self.place_of_service_id
            )

    @api.onchange("date_start")
    def _onchange_date_start(self):
        """A rule on one weekday follows the first day."""
        if self.date_start and sum(self[name] for name in WEEKDAYS) <= 1:
            self.update(self._weekday_values(self.date_start))

    # -- preview -------------------------------------------------------------------------------
    @api.depends(*RULE_FIELDS, "mode", "scope", "company_id")
    def _compute_rule_problem(self):
        for dialog in self:
            dialog.rule_problem = dialog._makes_dates() and dialog._rule_problem()

    def _makes_dates(self):
        """Whether the rule counts: deleting needs none, and one appointment just moves."""
        return self.mode == "new" or (self.mode == "edit" and self.scope == "future")

    @api.depends("mode", "scope", "appointment_id")
    def _compute_member_ids(self):
        for dialog in self:
            dialog.member_ids = [
                fields.Command.clear(),
                *(fields.Command.create(vals) for vals in dialog._prepare_members()),
            ]

    def _prepare_members(self):
        """Lines of the appointments that are there already, with what becomes of each."""
        if self.mode == "new" or not self.appointment_id:
            return []
        if self.scope == "this":
            if self.mode == "edit":
                return []
            members = self.appointment_id
        else:
            members = self.appointment_id._this_and_future()
        stays = members._why_it_stays()
        by_hand = members._what_was_done_by_hand()
        return [
            {
                "appointment_id": member.id,
                "stays": member in stays,
                "remark": stays.get(member) or by_hand.get(member),
                "selected": member not in stays
                and (self.mode == "delete" or member not in by_hand),
            }
            for member in members
        ]

    @api.depends(
        *RULE_FIELDS,
        "mode",
        "scope",
        "appointment_id",
        "company_id",
        "client_id",
        "employee_id",
        "billing_account_id",
        "member_ids.selected",
    )
    def _compute_date_ids(self):
        for dialog in self:
            dialog.date_ids = [
                fields.Command.clear(),
                *(fields.Command.create(vals) for vals in dialog._prepare_dates()),
            ]

    def _prepare_dates(self):
        """Lines of the appointments to be made, with what each of them collides with."""
        days = self._new_days()
        if not days:
            return []
        if self.mode == "edit" and self.scope == "this":
            replaced, staying = self.appointment_id, self.appointment_id.browse()
        else:
            replaced = self.member_ids.filtered("selected").appointment_id
            staying = self.member_ids.filtered(lambda line: not line.selected).appointment_id
        kept = {self._period(member.service_date): member for member in staying}
        slots = [self._slot(day) for day in days]
        conflicts = self.env["healthcare.appointment"]._find_conflicts(
            slots,
            company=self.company_id,
            client=self.client_id,
            employee=self.employee_id,
            payer=self.payer_id if self.has_own_payer else self.billing_account_id.payer_id,
            without=replaced,
        )
        lines = []
        for day, texts in zip(days, conflicts, strict=True):
            member = kept.get(self._period(day))
            if member:
                stays_text = self.env._(
                    "%(appointment)s stays on %(day)s",
                    appointment=member.name,
                    day=format_date(self.env, member.service_date),
                )
                texts = [stays_text, *(text for text in texts if member.name not in text)]
            lines.append(
                {
                    "day": day,
                    "label": format_date(self.env, day, date_format="EEE, MMM d, y"),
                    "conflict": " · ".join(texts),
                    "selected": not texts,
                }
            )
        return lines

    def _new_days(self):
        """Local days of the appointments to be made."""
        if self.mode == "delete" or not self.date_start:
            return []
        if not self._makes_dates():
            return [self.date_start]
        if self._rule_problem():
            return []
        days = self._rule_dates()
        first = self.appointment_id.service_date if self.mode == "new" else None
        if first and self.end_type == "count" and first not in days:
            days.pop()  # the appointment at hand is one of them
        return [day for day in days if day != first]

    def _period(self, day):
        """Dates of one period are the same turn of the series, on whatever day they are."""
        if self.frequency == "monthly":
            return day.year, day.month
        if self.frequency == "weekly" and len(self._chosen_weekdays()) == 1:
            return day.isocalendar()[:2]
        return day

    @api.depends("date_ids.selected", "member_ids.selected", "mode", "scope")
    def _compute_summary(self):
        for dialog in self:
            dialog.summary = dialog._summarize()

    def _summarize(self):
        made = len(self.date_ids.filtered("selected"))
        skipped = len(self.date_ids) - made
        gone = len(self.member_ids.filtered("selected"))
        stay = len(self.member_ids) - gone
        parts = []
        if self._makes_dates():
            parts.append(self.env._("New appointments: %s", made))
            if skipped:
                parts.append(self.env._("skipped dates: %s", skipped))
        if self.member_ids:
            parts.append(
                self.env._("Deleted: %s", gone)
                if self.mode == "delete"
                else self.env._("replaced: %s", gone)
            )
            parts.append(self.env._("staying: %s", stay))
        return " · ".join(parts)

    # -- apply ---------------------------------------------------------------------------------
    def action_apply(self):
        """Do what the dialog shows; a second click does nothing more."""
        self.ensure_one()
        if not self.try_lock_for_update():
            raise UserError(self.env._("This is being done already. Please wait a moment."))
        if self.is_done:
            return self._result_action()
        self._lock_what_recurs()
        if self.mode == "new":
            self.result_id = self._make_series()
        elif self.scope == "this":
            self._apply_to_this()
        else:
            self._apply_to_future()
        self.is_done = True
        return self._result_action()

    def _lock_what_recurs(self):
        """Two users never change the same series at once, and nobody changes what isn't shown."""
        if self.mode == "new" and not self.appointment_id:
            return
        appointment = self.appointment_id.exists()
        recurring = appointment.series_id or appointment
        if not appointment or not recurring.try_lock_for_update(allow_referencing=True):
            raise UserError(
                self.env._(
                    "Somebody else is changing these appointments, or just did. Close this dialog "
                    "and open it again."
                )
            )
        if self.mode == "new" and appointment.series_id:
            raise UserError(self.env._("%s is part of a series already.", appointment.name))
        if self.mode != "new" and self.scope == "future":
            shown = self.member_ids.mapped("appointment_id")
            deleted = self.member_ids.filtered(lambda line: not line.appointment_id)
            if deleted or shown != appointment._this_and_future():
                raise UserError(
                    self.env._(
                        "The series was changed meanwhile. Close this dialog and open it again to "
                        "see its appointments as they are now."
                    )
                )

    def _ticked_days(self):
        problem = self.rule_problem
        if problem:
            raise UserError(problem)
        days = self.date_ids.filtered("selected").mapped("day")
        if not days:
            raise UserError(self.env._("Tick at least one date."))
        return days

    def _make_series(self):
        """The series with its appointments; the one that is repeated is its first."""
        days = self._ticked_days()
        if not self.client_id:
            raise UserError(self.env._("Choose the client."))
        series = self.env["healthcare.appointment.series"].create(self._series_values())
        series._create_appointments(days)
        self.appointment_id.series_id = series
        return series

    def _apply_to_this(self):
        appointment = self.appointment_id
        series = appointment.series_id
        if self.mode == "delete":
            appointment._delete_from_series()
            series.active = bool(series.appointment_ids)
        else:
            start, stop = self._slot(self.date_start)
            appointment.write(
                {
                    "start": start,
                    "stop": stop,
                    "product_id": self.product_id.id,
                    "employee_id": self.employee_id.id,
                    "place_of_service_id": self.place_of_service_id.id,
                }
            )
        self.result_id = series

    def _apply_to_future(self):
        appointment, series = self.appointment_id, self.appointment_id.series_id
        day = appointment.service_date
        gone = self.member_ids.filtered("selected").appointment_id
        if self.mode == "delete":
            if not gone:
                raise UserError(self.env._("Tick at least one appointment."))
            gone._delete_from_series()
            series._end_before(day)
            self.result_id = series
            return
        days = self._ticked_days()
        gone._delete_from_series()
        values = {**self._series_values(), "previous_id": series.id}
        self.result_id = self.env["healthcare.appointment.series"].create(values)
        self.result_id._create_appointments(days)
        series._end_before(min(day, self.date_start))

    def _result_action(self):
        if self.env.context.get("healthcare_stay") or not self.result_id:
            return {"type": "ir.actions.act_window_close"}
        return {
            "type": "ir.actions.act_window",
            "res_model": "healthcare.appointment.series",
            "res_id": self.result_id.id,
            "views": [(False, "form")],
        }


class HealthcareAppointmentScheduleDate(models.TransientModel):
    """One date on which an appointment would be made."""

    _name = "healthcare.appointment.schedule.date"
    _description = "Date of Recurring Appointments"
    _order = "day, id"

    schedule_id = fields.Many2one(
        "healthcare.appointment.schedule", required=True, index=True, ondelete="cascade"
    )
    day = fields.Date(required=True)
    label = fields.Char(string="Date")
    conflict = fields.Char()
    selected = fields.Boolean(string="Make", default=True)


class HealthcareAppointmentScheduleMember(models.TransientModel):
    """One appointment of the series, and what becomes of it."""

    _name = "healthcare.appointment.schedule.member"
    _description = "Appointment of a Series That Changes"
    _order = "id"

    schedule_id = fields.Many2one(
        "healthcare.appointment.schedule", required=True, index=True, ondelete="cascade"
    )
    # the line of an appointment that was deleted tells that the preview is out of date
    appointment_id = fields.Many2one("healthcare.appointment", ondelete="set null")
    start = fields.Datetime(related="appointment_id.start")
    state = fields.Selection(related="appointment_id.state")
    stays = fields.Boolean(help="Nothing here can change it.")
    remark = fields.Char(string="Why")
    selected = fields.Boolean(string="Change")
