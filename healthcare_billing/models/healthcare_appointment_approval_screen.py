from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.units import minutes_between


class HealthcareAppointment(models.Model):
    """What the screen of visit approval shows, and by what it filters."""

    _inherit = "healthcare.appointment"

    clock_difference = fields.Float(
        compute="_compute_clock_difference",
        string="Difference",
        help="Clocked less scheduled hours, of visits with both clock stamps.",
    )
    has_clock_difference = fields.Boolean(
        compute="_compute_clock_difference",
        search="_search_has_clock_difference",
        help="Clocked and scheduled time aren't the same, to the minute.",
    )
    is_clock_missing = fields.Boolean(
        compute="_compute_clock_difference",
        search="_search_is_clock_missing",
        help="It has begun, and lacks a clock stamp.",
    )
    unit_text = fields.Char(
        compute="_compute_unit_text", string="Unit", help="What one unit of the service is."
    )
    units_to_bill = fields.Float(
        compute="_compute_units_to_bill",
        digits=(16, 2),
        help="Override, else approved units, else those of the service's rule.",
    )
    premium_count = fields.Integer(
        compute="_compute_premium_count",
        compute_sudo=True,  # how many there are is for those too who may not read charges
        string="Premiums",
    )
    is_my_department = fields.Boolean(
        compute="_compute_is_my_department",
        search="_search_is_my_department",
        help="Of the departments that the user belongs to, or manages.",
    )
    is_carry_over = fields.Boolean(
        compute="_compute_is_carry_over",
        search="_search_is_carry_over",
        help="Before the days of the billing cycle, which takes it in by its back-billing date.",
    )
    carry_over_mark = fields.Char(compute="_compute_is_carry_over", string="*")

    # -- clock ---------------------------------------------------------------------------------
    @api.depends("start", "stop", "clock_in", "clock_out", "state")
    def _compute_clock_difference(self):
        now = fields.Datetime.now()
        for appointment in self:
            clocked = appointment.clock_in and appointment.clock_out
            minutes = clocked and (
                minutes_between(appointment.clock_in, appointment.clock_out)
                - minutes_between(appointment.start, appointment.stop)
            )
            appointment.clock_difference = (minutes or 0.0) / 60.0
            appointment.has_clock_difference = bool(minutes)
            appointment.is_clock_missing = bool(
                not clocked
                and appointment.start
                and appointment.start <= now
                and appointment.state in ("scheduled", "completed")
            )

    def _search_has_clock_difference(self, operator, value):
        if operator != "in":
            return NotImplemented
        differs = Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "(date_trunc('minute', %s) - date_trunc('minute', %s)"
                " <> date_trunc('minute', %s) - date_trunc('minute', %s))",
                *(
                    model._field_to_sql(alias, name, query)
                    for name in ("clock_out", "clock_in", "stop", "start")
                ),
            ),
            predicate=lambda appointment: appointment.has_clock_difference,
        )
        return differs if True in value else ~differs

    def _search_is_clock_missing(self, operator, value):
        if operator != "in":
            return NotImplemented
        missing = (
            Domain("start", "<=", fields.Datetime.now())
            & Domain("state", "in", ("scheduled", "completed"))
            & (Domain("clock_in", "=", False) | Domain("clock_out", "=", False))
        )
        return missing if True in value else ~missing

    # -- units ---------------------------------------------------------------------------------
    @api.depends("product_id.unit_rule", "product_id.block_minutes")
    def _compute_unit_text(self):
        texts = {
            "visit": self.env._("visits"),
            "hour": self.env._("hours"),
            "mile": self.env._("miles"),
            "flat": self.env._("flat"),
        }
        for appointment in self:
            service = appointment.product_id
            rule = service.unit_rule or "visit"
            if not service:
                appointment.unit_text = False
            elif rule == "block":
                appointment.unit_text = self.env._("× %s min", service.block_minutes)
            else:
                appointment.unit_text = texts[rule]

    @api.depends(
        "product_id",
        "start",
        "stop",
        "clock_in",
        "clock_out",
        "distance",
        "approval_state",
        "approved_qty",
        "has_approved_qty",
        "bill_override_qty",
        "has_bill_override",
    )
    def _compute_units_to_bill(self):
        for appointment in self:
            appointment.units_to_bill = appointment._billable_units()

    def _approved_text(self):
        """Approved units in words, such as "2.00 hours"; nothing without units."""
        self.ensure_one()
        if not self.has_approved_qty:
            return ""
        return f"{self.approved_qty:.2f} {self.unit_text or ''}".strip()

    @api.depends("charge_ids.kind")
    def _compute_premium_count(self):
        counts = dict(
            self.env["healthcare.charge"]._read_group(
                [("appointment_id", "in", self.ids), ("kind", "=", "premium")],
                ["appointment_id"],
                ["__count"],
            )
        )
        for appointment in self:
            appointment.premium_count = counts.get(appointment._origin, 0)

    # -- whose, and when -----------------------------------------------------------------------
    @api.model
    def _my_departments(self):
        """Departments that the user belongs to or manages, with those below them."""
        # sudo: one's own departments are known to oneself, whoever may read employees
        employees = self.env.user.sudo().employee_ids
        return (
            self.env["hr.department"]
            .sudo()
            .search(
                Domain("id", "child_of", employees.department_id.ids)
                | Domain("manager_id", "in", employees.ids)
            )
        )

    @api.depends_context("uid")
    @api.depends("department_id")
    def _compute_is_my_department(self):
        mine = self._my_departments()
        for appointment in self:
            appointment.is_my_department = appointment.department_id.id in mine.ids

    def _search_is_my_department(self, operator, value):
        if operator != "in":
            return NotImplemented
        mine = Domain("department_id", "in", self._my_departments().ids)
        return mine if True in value else ~mine

    @api.model
    def _context_cycle(self):
        """The billing cycle that the screen is about, if any."""
        cycle_id = self.env.context.get("billing_cycle_id")
        return self.env["healthcare.billing.cycle"].browse(cycle_id or ()).exists()

    @api.depends_context("billing_cycle_id")
    @api.depends("service_date")
    def _compute_is_carry_over(self):
        cycle = self._context_cycle()
        for appointment in self:
            day = appointment.service_date
            appointment.is_carry_over = bool(cycle and day and day < cycle.date_from)
            appointment.carry_over_mark = "*" if appointment.is_carry_over else False

    def _search_is_carry_over(self, operator, value):
        if operator != "in":
            return NotImplemented
        cycle = self._context_cycle()
        earlier = Domain("service_date", "<", cycle.date_from) if cycle else Domain.FALSE
        return earlier if True in value else ~earlier
