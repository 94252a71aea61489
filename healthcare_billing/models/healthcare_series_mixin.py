from datetime import datetime, time, timedelta
from itertools import islice

from dateutil import rrule

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import format_date, format_time

# More than this nobody plans, and nobody checks the preview of.
MAX_APPOINTMENTS = 300
MAX_INTERVAL = 52
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FREQUENCIES = {"daily": rrule.DAILY, "weekly": rrule.WEEKLY, "monthly": rrule.MONTHLY}
# What decides the dates, and on whom they can be in conflict.
RULE_FIELDS = (
    "frequency", "interval", *WEEKDAYS, "month_by", "date_start", "start_time", "duration",
    "end_type", "count", "until",
)  # fmt: skip
TEMPLATE_FIELDS = (
    "company_id", "client_id", "billing_account_id", "has_own_payer", "payer_id", "employee_id",
    "department_id", "product_id", "place_of_service_id", "authorization_id", "diagnosis_ids",
    "pickup_address", "dropoff_address", "is_vacant",
)  # fmt: skip


class HealthcareSeriesMixin(models.AbstractModel):
    """When appointments recur, and what each of them is: of a series, and of its dialogs.

    Dates and times are those of the company's time zone of care: an appointment at 9:00 stays at
    9:00 when the clocks change (R6).
    """

    _name = "healthcare.series.mixin"
    _description = "Rule and Template of Recurring Appointments"
    _check_company_auto = True

    # -- rule ------------------------------------------------------------------------------------
    frequency = fields.Selection(
        [("daily", "Days"), ("weekly", "Weeks"), ("monthly", "Months")],
        string="Repeats",
        default="weekly",
        required=True,
    )
    interval = fields.Integer(string="Repeats Every", default=1, required=True)
    mon = fields.Boolean()
    tue = fields.Boolean()
    wed = fields.Boolean()
    thu = fields.Boolean()
    fri = fields.Boolean()
    sat = fields.Boolean()
    sun = fields.Boolean()
    month_by = fields.Selection(
        [("date", "Same date"), ("weekday", "Same weekday, such as the second Tuesday")],
        string="On the",
        default="date",
        required=True,
    )
    date_start = fields.Date(
        string="From", required=True, default=lambda self: self.env.company._care_today()
    )
    start_time = fields.Float(
        string="Starts at", default=9.0, required=True, help="In the time zone of care."
    )
    duration = fields.Float(default=1.0, required=True, help="Hours")
    end_type = fields.Selection(
        [("count", "After a number of dates"), ("until", "On a day")],
        string="Ends",
        default="count",
        required=True,
    )
    count = fields.Integer(string="Number of Dates", default=10)
    until = fields.Date(string="Last Day")
    rule_text = fields.Char(compute="_compute_rule_text", string="Rule")

    # -- template --------------------------------------------------------------------------------
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    client_id = fields.Many2one(
        "res.partner",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        domain="[('is_healthcare_client', '=', True)]",
    )
    billing_account_id = fields.Many2one(
        "healthcare.billing.account",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        domain="[('client_id', '=', client_id), ('company_id', '=', company_id)]",
    )
    has_own_payer = fields.Boolean(help="These appointments have another payer than the account.")
    payer_id = fields.Many2one(
        "res.partner", ondelete="restrict", check_company=True, domain="[('is_payer', '=', True)]"
    )
    employee_id = fields.Many2one(
        "hr.employee",
        string="Provider",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        default=lambda self: self.env["healthcare.appointment"]._default_employee_id(),
    )
    employee_user_id = fields.Many2one(
        related="employee_id.user_id", string="Provider's User", related_sudo=True
    )
    department_id = fields.Many2one("hr.department", check_company=True)
    product_id = fields.Many2one(
        "product.product",
        string="Service",
        ondelete="restrict",
        check_company=True,
        domain="[('is_healthcare_service', '=', True)]",
    )
    place_of_service_id = fields.Many2one("healthcare.place.of.service")
    authorization_id = fields.Many2one("healthcare.authorization", check_company=True)
    diagnosis_ids = fields.Many2many(
        "healthcare.diagnosis",
        string="Diagnoses",
        help="Chosen for these appointments. Empty: the client's own on the day.",
    )
    pickup_address = fields.Char(string="Pick-up")
    dropoff_address = fields.Char(string="Drop-off")
    is_vacant = fields.Boolean()

    # -- the rule ----------------------------------------------------------------------------
    @api.depends(*RULE_FIELDS)
    def _compute_rule_text(self):
        for rule in self:
            rule.rule_text = rule._describe_rule() if rule.date_start else False

    def _describe_rule(self):
        """The rule in one sentence, such as “Every 2 weeks on Mon, Wed at 9:00 AM”."""
        self.ensure_one()
        every = self.interval > 1
        if self.frequency == "daily":
            text = self.env._("Every %s days", self.interval) if every else self.env._("Every day")
        elif self.frequency == "weekly":
            labels = self._weekday_labels()
            days = ", ".join(labels[name] for name in self._chosen_weekdays())
            text = (
                self.env._("Every %(number)s weeks on %(days)s", number=self.interval, days=days)
                if every
                else self.env._("Every week on %s", days)
            )
        else:
            text = (
                self.env._("Every %s months", self.interval) if every else self.env._("Every month")
            )
        return self.env._("%(rule)s at %(time)s", rule=text, time=self._time_label())

    def _time_label(self):
        self.ensure_one()
        return format_time(self.env, self._naive_time(), time_format="short")

    def _weekday_labels(self):
        return {name: self._fields[name]._description_string(self.env) for name in WEEKDAYS}

    def _naive_time(self):
        minutes = min(max(round(self.start_time * 60), 0), 24 * 60 - 1)
        return time(minutes // 60, minutes % 60)

    def _chosen_weekdays(self):
        """Names of the weekdays that the rule is on; without a choice, that of the first day."""
        self.ensure_one()
        chosen = [name for name in WEEKDAYS if self[name]]
        return chosen or [WEEKDAYS[self.date_start.weekday()]]

    @api.model
    def _weekday_values(self, day):
        """Values that choose the weekday of ``day`` alone."""
        return {name: index == day.weekday() for index, name in enumerate(WEEKDAYS)}

    def _rule_problem(self, needs_dates=True):
        """What keeps the rule from making dates, as a sentence for the user, or False.

        :param bool needs_dates: a rule that makes none is a problem, too
        """
        self.ensure_one()
        if not self.date_start:
            return self.env._("Choose the first day.")
        if not 1 <= self.interval <= MAX_INTERVAL:
            return self.env._("Repeat every 1 to %s days, weeks or months.", MAX_INTERVAL)
        if not 0 <= round(self.start_time * 60) < 24 * 60:
            return self.env._("The starting time is a time of the day, from 0:00 to 23:59.")
        if not 0 < round(self.duration * 60) <= 24 * 60:
            return self.env._("An appointment lasts more than nothing, and 24 hours at most.")
        if self.end_type == "until" and not self.until:
            return self.env._("Choose the last day.")
        if self.end_type == "until" and self.until < self.date_start:
            return self.env._("The last day is before the first one.")
        if self.end_type == "count" and self.count < 1:
            return self.env._("Give the number of dates.")
        dates = list(islice(self._rule(), MAX_APPOINTMENTS + 1))
        if needs_dates and not dates:
            return self.env._("No date fits. Choose another weekday or a later last day.")
        if len(dates) > MAX_APPOINTMENTS:
            return self.env._(
                "A series has at most %(number)s appointments. End it on %(day)s or earlier.",
                number=MAX_APPOINTMENTS,
                day=format_date(self.env, dates[MAX_APPOINTMENTS - 1].date()),
            )
        return False

    def _rule(self):
        """The ``dateutil`` rule, over naive local times."""
        self.ensure_one()
        options = {"interval": self.interval}
        weekdays = [WEEKDAYS.index(name) for name in self._chosen_weekdays()]
        if self.frequency == "weekly":
            options["byweekday"] = weekdays
        elif self.frequency == "monthly" and self.month_by == "weekday":
            nth = (self.date_start.day - 1) // 7 + 1
            # a fifth one isn't in every month: who chooses it means the last
            nth = nth if nth < 5 else -1
            options["byweekday"] = rrule.weekday(self.date_start.weekday())(nth)
        if self.end_type == "until":
            options["until"] = datetime.combine(self.until, time.max)
        else:
            options["count"] = self.count
        start = datetime.combine(self.date_start, self._naive_time())
        return rrule.rrule(FREQUENCIES[self.frequency], dtstart=start, **options)

    def _rule_dates(self):
        """The local days of the rule, in order.

        :return: list of ``date``, at most ``MAX_APPOINTMENTS``
        :raise UserError: if the rule makes no dates, or too many
        """
        problem = self._rule_problem()
        if problem:
            raise UserError(problem)
        return [moment.date() for moment in self._rule()]

    def _slot(self, day):
        """Start and end of the appointment on a local day, as naive UTC datetimes."""
        self.ensure_one()
        start = self.company_id._care_moment(day, self.start_time)
        return start, start + timedelta(minutes=round(self.duration * 60))

    # -- the template ------------------------------------------------------------------------
    @api.model
    def _template_of(self, appointment):
        """Template values that make appointments like this one.

        What is not copied to recurrences (``copy=False``) isn't among them; and what the billing
        account says (payer, diagnoses, department) is left to it, where nobody chose otherwise.
        """
        account = appointment.billing_account_id
        own_payer = appointment.payer_id != account.payer_id
        own_diagnoses = appointment.diagnosis_ids != account._diagnoses_on(appointment.service_date)
        return {
            "company_id": appointment.company_id.id,
            "client_id": appointment.client_id.id,
            "billing_account_id": account.id,
            "has_own_payer": own_payer,
            "payer_id": appointment.payer_id.id,
            "employee_id": appointment.employee_id.id,
            "department_id": appointment.department_id.id,
            "product_id": appointment.product_id.id,
            "place_of_service_id": appointment.place_of_service_id.id,
            "authorization_id": appointment.authorization_id.id,
            "diagnosis_ids": [
                fields.Command.set(appointment.diagnosis_ids.ids if own_diagnoses else [])
            ],
            "pickup_address": appointment.pickup_address,
            "dropoff_address": appointment.dropoff_address,
            "is_vacant": appointment.is_vacant,
        }

    def _appointment_values(self):
        """Values that are the same for each appointment; what is empty, its defaults fill."""
        self.ensure_one()
        values = {
            name: self[name].id
            for name in (
                "billing_account_id",
                "department_id",
                "product_id",
                "place_of_service_id",
                "authorization_id",
            )
            if self[name]
        }
        if self.has_own_payer:
            values["payer_id"] = self.payer_id.id
        if self.diagnosis_ids:
            values["diagnosis_ids"] = [fields.Command.set(self.diagnosis_ids.ids)]
        if self.is_vacant:
            values["is_vacant"] = True
        return {
            "company_id": self.company_id.id,
            "client_id": self.client_id.id,
            "employee_id": self.employee_id.id,
            "pickup_address": self.pickup_address,
            "dropoff_address": self.dropoff_address,
            **values,
        }

    def _series_values(self):
        """Values of a series with this rule and template."""
        self.ensure_one()
        values = self._convert_to_write(
            {name: self[name] for name in (*RULE_FIELDS, *TEMPLATE_FIELDS)}
        )
        values["diagnosis_ids"] = [fields.Command.set(self.diagnosis_ids.ids)]
        return values
