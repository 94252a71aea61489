from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools.misc import format_date

from .healthcare_series_mixin import RULE_FIELDS


class HealthcareAppointmentSeries(models.Model):
    """Recurring appointments: the rule that made them, and what each of them was to be.

    A series is made with all its appointments at once, and never changes by itself. “This and all
    future” ends it and begins another, so that what was is kept as it was.
    """

    _name = "healthcare.appointment.series"
    _description = "Recurring Appointments"
    _inherit = ("mail.thread", "healthcare.series.mixin")
    _order = "id desc"
    _rec_names_search = ("client_id",)

    active = fields.Boolean(default=True)
    client_id = fields.Many2one(required=True)
    appointment_ids = fields.One2many("healthcare.appointment", "series_id")
    appointment_count = fields.Integer(compute="_compute_counts")
    upcoming_count = fields.Integer(
        compute="_compute_counts", string="Upcoming", help="Still scheduled, from today on."
    )
    next_start = fields.Datetime(compute="_compute_counts", string="Next")
    previous_id = fields.Many2one(
        "healthcare.appointment.series",
        string="Continues",
        index="btree_not_null",
        ondelete="set null",
        check_company=True,
        readonly=True,
    )
    next_ids = fields.One2many("healthcare.appointment.series", "previous_id", "Continued by")

    @api.depends("rule_text")
    def _compute_display_name(self):
        for series in self:
            series.display_name = series.rule_text or self.env._("Recurring Appointments")

    @api.depends("appointment_ids.state", "appointment_ids.service_date")
    def _compute_counts(self):
        own = ("series_id", "in", self.ids)
        appointments = self.env["healthcare.appointment"]
        counts = dict(appointments._read_group([own], ["series_id"], ["__count"]))
        upcoming = {
            series: values
            for series, *values in appointments._read_group(
                [own, ("state", "=", "scheduled"), ("is_from_today_on", "=", True)],
                ["series_id"],
                ["__count", "start:min"],
            )
        }
        for series in self:
            series.appointment_count = counts.get(series, 0)
            series.upcoming_count, series.next_start = upcoming.get(series, (0, False))

    @api.constrains(*RULE_FIELDS)
    def _check_rule(self):
        for series in self:
            # one that began between its weekdays may be ended before its first date
            problem = series._rule_problem(needs_dates=False)
            if problem:
                raise ValidationError(problem)

    @api.constrains("client_id", "billing_account_id")
    def _check_billing_account(self):
        for series in self:
            account = series.billing_account_id
            if account and account.client_id != series.client_id:
                raise ValidationError(
                    self.env._("The billing account belongs to another client than the series.")
                )

    def _create_appointments(self, days):
        """Make the appointments of these local days, with their charges, at today's fees (R1).

        :param list days: ``date`` objects
        :return: the new ``healthcare.appointment`` records
        """
        self.ensure_one()
        common = self._appointment_values()
        values = []
        for day in days:
            start, stop = self._slot(day)
            values.append({**common, "series_id": self.id, "start": start, "stop": stop})
        return self.env["healthcare.appointment"].with_company(self.company_id).create(values)

    def _end_before(self, day):
        """The series ends before a local day; without appointments it is put away."""
        self.ensure_one()
        goes_on = any(moment.date() >= day for moment in self._rule())
        if goes_on and day > self.date_start:
            self.write({"end_type": "until", "until": fields.Date.subtract(day, days=1)})
        self.active = bool(self.appointment_ids)

    def _log_deleted(self, appointments):
        """Remember which appointments are about to be deleted; to be called before that is."""
        self.ensure_one()
        days = ", ".join(
            f"{appointment.name} ({format_date(self.env, appointment.service_date)})"
            for appointment in appointments.sorted("start")
        )
        self.message_post(
            body=self.env._(
                "%(number)s appointments deleted: %(days)s", number=len(appointments), days=days
            )
        )

    def _next_upcoming(self):
        """The next appointment that is still scheduled; the one that buttons of a series act on."""
        self.ensure_one()
        appointment = self.env["healthcare.appointment"].search(
            [
                ("series_id", "=", self.id),
                ("state", "=", "scheduled"),
                ("is_from_today_on", "=", True),
            ],
            order="start, id",
            limit=1,
        )
        if not appointment:
            raise UserError(self.env._("No appointment of this series is still to come."))
        return appointment

    # -- buttons -------------------------------------------------------------------------------
    def action_change_upcoming(self):
        """Change all appointments that are still to come."""
        return self._next_upcoming().action_change_series()

    def action_delete_upcoming(self):
        """Delete all appointments that are still to come."""
        return self._next_upcoming().action_delete_series()

    def action_view_appointments(self):
        """Open the appointments of this series."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_appointment_action"
        )
        return action | {"domain": [("series_id", "=", self.id)], "context": {}, "path": False}
