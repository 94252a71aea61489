from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ..tools.units import TIME_RULES, minutes_between
from .healthcare_series_mixin import WEEKDAYS


class HealthcarePremium(models.Model):
    """What is billed on top of a visit, and for which visits.

    ============  ==============================================  ================================
    rule          visits that get it                              units, times ``quantity``
    ============  ==============================================  ================================
    weekend       start on one of the chosen local days           those of its service (R3)
    window        start in the window of local time; by time:     those of its service, for the
                  any minute of it                                time inside the window
    holiday       start on a local day that is a holiday          those of its service (R3)
    visit         all                                             1
    mile          all that have a distance                        miles
    manual        those to which somebody adds it                 1
    ============  ==============================================  ================================

    The units of its service: one per visit, or the visit's hours, if the service is billed by
    time. A visit that crosses midnight belongs to the day on which it starts (R6).
    """

    _name = "healthcare.premium"
    _description = "Visit Premium"
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    product_id = fields.Many2one(
        "product.product",
        string="Service",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        domain="[('is_healthcare_service', '=', True)]",
        help="Carries the premium's price: by the client's rates, the payer's fee schedule or its "
        "own list price, like any other service. Billed per hour or block, the premium counts the "
        "time of the visit.",
    )
    rule = fields.Selection(
        [
            ("weekend", "On chosen days of the week"),
            ("window", "At certain hours"),
            ("holiday", "On holidays"),
            ("visit", "For every visit"),
            ("mile", "Per mile"),
            ("manual", "By hand only"),
        ],
        required=True,
        default="weekend",
        string="Applies",
    )
    mon = fields.Boolean("Monday")
    tue = fields.Boolean("Tuesday")
    wed = fields.Boolean("Wednesday")
    thu = fields.Boolean("Thursday")
    fri = fields.Boolean("Friday")
    sat = fields.Boolean("Saturday", default=True)
    sun = fields.Boolean("Sunday", default=True)
    hour_from = fields.Float(
        string="From Hour", default=18.0, help="Local time at which the window opens."
    )
    hour_to = fields.Float(
        string="To Hour",
        default=6.0,
        help="Local time at which the window closes. Before the first one: on the next day.",
    )
    quantity = fields.Float(
        string="Times",
        digits=(16, 2),
        default=1.0,
        required=True,
        help="How many units: for each visit, for each hour of a service billed by time, or for "
        "each mile.",
    )
    payer_ids = fields.Many2many(
        "res.partner",
        "healthcare_premium_payer_rel",
        string="Payers",
        check_company=True,
        domain="[('is_payer', '=', True)]",
        help="Empty: all payers, and clients who pay for themselves.",
    )
    include_self_pay = fields.Boolean(
        string="Also Self-pay", help="With chosen payers: also clients who pay for themselves."
    )
    service_ids = fields.Many2many(
        "product.product",
        "healthcare_premium_service_rel",
        string="Services",
        check_company=True,
        domain="[('is_healthcare_service', '=', True)]",
        help="Services of the visits that get it. Empty: all.",
    )
    department_ids = fields.Many2many(
        "hr.department",
        "healthcare_premium_department_rel",
        string="Departments",
        check_company=True,
        help="Empty: all.",
    )
    rule_text = fields.Char(compute="_compute_rule_text", string="When")

    _check_quantity = models.Constraint(
        "CHECK (quantity > 0)", "A premium has a quantity of more than nothing."
    )

    # -- computes and constraints ----------------------------------------------------------------
    @api.depends("rule", "hour_from", "hour_to", *WEEKDAYS)
    def _compute_rule_text(self):
        labels = dict(self._fields["rule"]._description_selection(self.env))
        for premium in self:
            if premium.rule == "weekend":
                premium.rule_text = ", ".join(
                    premium._fields[name]._description_string(self.env)
                    for name in WEEKDAYS
                    if premium[name]
                )
            elif premium.rule == "window":
                premium.rule_text = self.env._(
                    "%(start)s to %(stop)s",
                    start=self._hour_text(premium.hour_from),
                    stop=self._hour_text(premium.hour_to),
                )
            else:
                premium.rule_text = labels.get(premium.rule)

    @api.model
    def _hour_text(self, hours):
        minutes = round(hours * 60)
        return f"{minutes // 60}:{minutes % 60:02}"

    @api.constrains("rule", "hour_from", "hour_to", *WEEKDAYS)
    def _check_rule(self):
        for premium in self:
            if premium.rule == "weekend" and not any(premium[name] for name in WEEKDAYS):
                raise ValidationError(
                    self.env._("%s: choose at least one day of the week.", premium.name)
                )
            hours = (premium.hour_from, premium.hour_to)
            if premium.rule == "window" and (
                min(hours) < 0 or max(hours) > 24 or hours[0] == hours[1] or hours[0] == 24
            ):
                raise ValidationError(
                    self.env._(
                        "%s: the window opens and closes at two different times between 0:00 and "
                        "24:00.",
                        premium.name,
                    )
                )

    # -- which visits get it ---------------------------------------------------------------------
    @api.model
    def _for_companies(self, companies):
        """Premiums in use that visits of these companies may get by themselves.

        sudo: visits get their premiums whoever makes them, as they get their service charge.
        """
        domain = Domain("company_id", "in", companies.ids) & Domain("rule", "!=", "manual")
        return self.sudo().search(domain)

    def _units_for(self, appointment, is_holiday):
        """Units of this premium on a visit; 0.0: the visit doesn't get it.

        :param bool is_holiday: whether the visit starts on a holiday of its payer
        """
        self.ensure_one()
        if not self._is_for(appointment):
            return 0.0
        units = getattr(self, f"_{self.rule}_units")(appointment, is_holiday)
        return round(units * self.quantity, 2)

    def _is_for(self, appointment):
        """Whether company, payer, service and department are among those that are chosen."""
        self.ensure_one()
        payer = appointment.payer_id
        payers = self.payer_ids
        return bool(
            self.company_id == appointment.company_id
            and (not payers or payer in payers or (self.include_self_pay and not payer))
            and (not self.service_ids or appointment.product_id in self.service_ids)
            and (not self.department_ids or appointment.department_id in self.department_ids)
        )

    def _weekend_units(self, appointment, is_holiday):
        chosen = self[WEEKDAYS[appointment.service_date.weekday()]]
        return self._visit_time_units(appointment) if chosen else 0.0

    def _holiday_units(self, appointment, is_holiday):
        return self._visit_time_units(appointment) if is_holiday else 0.0

    def _visit_units(self, appointment, is_holiday):
        return 1.0

    def _mile_units(self, appointment, is_holiday):
        return appointment.distance

    def _manual_units(self, appointment, is_holiday):
        return 0.0

    def _window_units(self, appointment, is_holiday):
        """By time: what lies inside the window, in real hours. Else one, if the visit starts in it.

        The hour that comes twice when the clocks go back counts twice, as it is worked twice.
        """
        start, stop = self._counted_time(appointment)
        minutes = sum(
            minutes_between(max(start, opens), min(stop, closes))
            for opens, closes in self._windows_around(appointment.company_id, start, stop)
        )
        if self.product_id.unit_rule in TIME_RULES:
            return minutes and self.product_id._care_units(
                scheduled_minutes=minutes, clocked_minutes=minutes
            )
        starts_in_it = any(
            opens <= appointment.start < closes
            for opens, closes in self._windows_around(
                appointment.company_id, appointment.start, appointment.start
            )
        )
        return self._visit_time_units(appointment) if starts_in_it else 0.0

    def _visit_time_units(self, appointment):
        """Units of the premium's service for the whole visit (R3)."""
        return self.product_id._care_units(
            scheduled_minutes=appointment.duration * 60.0,
            clocked_minutes=appointment.clocked_duration * 60.0,
            distance=appointment.distance,
        )

    def _counted_time(self, appointment):
        """Begin and end that the premium's service counts: clocked ones, if it says so."""
        if self.product_id.time_basis == "clocked" and appointment.clocked_duration:
            return appointment.clock_in, appointment.clock_out
        return appointment.start, appointment.stop or appointment.start

    def _windows_around(self, company, start, stop):
        """The windows of the local days of a visit, and of the day before, which may reach into it.

        :return: list of (opens, closes), naive UTC datetimes
        """
        self.ensure_one()
        day = company._care_local_date(start) - timedelta(days=1)
        last = company._care_local_date(stop)
        windows = []
        while day <= last:
            closing_day = day if self.hour_from < self.hour_to else day + timedelta(days=1)
            windows.append(
                (
                    company._care_moment(day, self.hour_from),
                    company._care_moment(closing_day, self.hour_to),
                )
            )
            day += timedelta(days=1)
        return windows
