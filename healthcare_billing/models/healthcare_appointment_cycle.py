from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .healthcare_appointment import QUANTITY_FIELDS, REPRICING_FIELDS, SPLIT_FIELDS

# What billing (and payroll) depend on: not changed any more once the cycle is closed (R14).
CLOSED_FIELDS = (
    REPRICING_FIELDS
    | QUANTITY_FIELDS
    | SPLIT_FIELDS
    | {
        "active", "billable", "client_id", "company_id", "department_id", "duration",
        "employee_id", "has_pay_override", "is_unscheduled", "is_vacant", "pay_override_qty",
        "to_resubmit", "removed_premium_ids",
    }
)  # fmt: skip
# What decides in which cycle's days and filters a visit is.
PLACE_FIELDS = {
    "start", "company_id", "payer_id", "billing_account_id", "department_id", "client_id",
    "product_id",
}  # fmt: skip


class HealthcareAppointment(models.Model):
    """What billing cycles mean for visits: restricted scheduling, and what is closed (R14)."""

    _inherit = "healthcare.appointment"

    @api.model_create_multi
    def create(self, vals_list):
        """No new visits in the days of a cycle that restricts scheduling.

        A clock-in without a schedule is no planning: it happened.
        """
        appointments = super().create(vals_list)
        appointments.filtered(lambda visit: not visit.is_unscheduled)._check_may_schedule()
        return appointments

    def write(self, vals):
        """Visits of closed cycles stay; others don't move into restricted days."""
        self._check_not_closed(vals)
        if not PLACE_FIELDS & set(vals):
            return super().write(vals)
        before = self._in_restricted_cycles()
        result = super().write(vals)
        (self - before)._check_may_schedule()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_closed(self):
        self._check_none_closed()

    def action_open_visit(self):
        """Open the visit, from a list of an invoice."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
        }

    # -- restricted scheduling -------------------------------------------------------------------
    def _check_may_schedule(self):
        """Refuse visits in the own days of a cycle that restricts scheduling.

        :raise UserError: names the cycle
        """
        for cycle in self._restricting_cycles():
            visits = self._of_cycle(cycle)
            if visits:
                raise UserError(
                    self.env._(
                        "%(cycle)s restricts scheduling: no visit can be planned on its days for "
                        "its payers (%(client)s, %(day)s). Choose another day, or have the "
                        "restriction lifted in the billing cycle.",
                        cycle=cycle.display_name,
                        client=visits[0].client_id.display_name,
                        day=visits[0].service_date,
                    )
                )

    def _in_restricted_cycles(self):
        """Those of these visits that are in restricted days already."""
        found = self.browse()
        for cycle in self._restricting_cycles():
            found |= self._of_cycle(cycle)
        return found

    def _restricting_cycles(self):
        return self._cycles_around(Domain("restrict_scheduling", "=", True))

    # -- closed cycles ---------------------------------------------------------------------------
    def _check_not_closed(self, vals):
        """Refuse to change what billing depends on in visits of a closed cycle.

        :raise UserError: names the cycle
        """
        names = CLOSED_FIELDS & set(vals)
        if names and self._cycles_guard_me():
            self.filtered(lambda visit: visit._would_change(vals, names))._check_none_closed()

    def _cycles_guard_me(self):
        """Whether the present user must leave closed visits alone. Superuser code may not."""
        return not self.env.su and not self.env.user.has_group(
            "healthcare_billing.group_closed_visit_adjustments"
        )

    def _would_change(self, vals, names):
        self.ensure_one()
        for name in names:
            field = self._fields[name]
            new = field.convert_to_cache(vals[name], self, validate=False)
            if (new or False) != (field.convert_to_cache(self[name], self) or False):
                return True
        return False

    def _check_none_closed(self):
        if not self or not self._cycles_guard_me():
            return
        visit, cycle = next(iter(self._closed_cycles().items()), (None, None))
        if visit:
            raise UserError(
                self.env._(
                    "%(visit)s belongs to %(cycle)s, which is closed. Only users with the right "
                    "“Closed billing visit adjustments” can change it.",
                    visit=visit.display_name,
                    cycle=cycle.display_name,
                )
            )

    def _in_closed_cycle(self):
        """Visits of closed billing cycles that the present user must leave alone."""
        closed = super()._in_closed_cycle()
        if not self._cycles_guard_me():
            return closed
        return closed | self.browse(visit.id for visit in self._closed_cycles())

    def _closed_cycles(self):
        """Visits of closed cycles, by their days or because they were invoiced in one.

        :return: ``{visit: cycle}``
        """
        found = {}
        for cycle in self._cycles_around(Domain("state", "=", "closed")):
            found.update(dict.fromkeys(self._of_cycle(cycle), cycle))
        # sudo: care staff may not read the ledger
        lines = (
            self.env["account.move.line"]
            .sudo()
            .search(
                Domain("charge_id.appointment_id", "in", self.ids)
                & Domain("charge_live", "=", True)
                & Domain("move_id.billing_cycle_id.state", "=", "closed")
            )
        )
        for line in lines:
            visit = self.browse(line.charge_id.appointment_id.id)
            found.setdefault(visit, line.move_id.billing_cycle_id)
        return found

    # -- which cycle -----------------------------------------------------------------------------
    def _cycles_around(self, domain):
        """Cycles of these visits' companies whose own days meet theirs.

        sudo: care staff may not read billing cycles, and are bound by them all the same.
        """
        days = [day for day in self.mapped("service_date") if day]
        if not days:
            return self.env["healthcare.billing.cycle"].sudo()
        return (
            self.env["healthcare.billing.cycle"]
            .sudo()
            .search(
                domain
                & Domain("company_id", "in", self.company_id.ids)
                & Domain("date_from", "<=", max(days))
                & Domain("date_to", ">", min(days))
            )
        )

    def _of_cycle(self, cycle):
        """Those of these visits that are in the own days and filters of a cycle."""
        visits = self.sudo().filtered_domain(cycle._own_days_domain() & cycle._scope_domain())
        return self.browse(visits.ids)
