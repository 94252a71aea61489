from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

CARE_OFFICE = "healthcare_billing.group_coordinator"


class HealthcareBillingCycle(models.Model):
    """The visits of a cycle: of its own days, and what its back-billing date takes in (R11)."""

    _inherit = "healthcare.billing.cycle"

    visit_count = fields.Integer(
        compute="_compute_visit_counts", string="Visits", groups=CARE_OFFICE
    )
    not_approved_count = fields.Integer(
        compute="_compute_visit_counts", string="Not Approved", groups=CARE_OFFICE
    )
    unscheduled_count = fields.Integer(
        compute="_compute_visit_counts", string="Unscheduled", groups=CARE_OFFICE
    )

    def _compute_visit_counts(self):
        Appointment = self.env["healthcare.appointment"]
        for cycle in self:
            visits = cycle._visit_domain()
            open_ones = Domain("approval_state", "=", "not_approved")
            listed = visits & Appointment._approval_domain()
            cycle.visit_count = Appointment.search_count(listed)
            cycle.not_approved_count = Appointment.search_count(listed & open_ones)
            cycle.unscheduled_count = Appointment.search_count(
                visits & open_ones & Domain("is_unscheduled", "=", True)
            )

    def _visit_domain(self):
        """Visits of the cycle: its scope, on its own days, or earlier and on no other invoice.

        :return: :class:`Domain` on ``healthcare.appointment``
        """
        self.ensure_one()
        carried = self._carry_over_domain()
        if self.back_billing_date:
            carried &= Domain("id", "not in", self._billed_elsewhere())
        return self._scope_domain() & (self._own_days_domain() | carried)

    def _billed_elsewhere(self):
        """Earlier visits that a live invoice outside this cycle holds.

        In SQL: coordinators read no ledger, and are told no more than that it isn't theirs.

        :return: SQL of appointment ids
        """
        self.ensure_one()
        self.env["account.move.line"].flush_model(["charge_id", "charge_live", "move_id"])
        self.env["account.move"].flush_model(["billing_cycle_id"])
        self.env["healthcare.charge"].flush_model(["appointment_id", "service_date"])
        return SQL(
            "(SELECT charge.appointment_id FROM account_move_line line"
            " JOIN account_move move ON move.id = line.move_id"
            " JOIN healthcare_charge charge ON charge.id = line.charge_id"
            " WHERE line.charge_live AND charge.appointment_id IS NOT NULL"
            " AND charge.service_date >= %s AND charge.service_date < %s"
            " AND move.billing_cycle_id IS DISTINCT FROM %s)",
            self.back_billing_date,
            self.date_from,
            self.id,
        )

    def action_view_visits(self):
        """Visit approval, for this cycle."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_visit_approval_action"
        )
        return action | {
            "name": self.env._("Visits of %s", self.display_name),
            "path": False,
            "domain": [
                *self.env["healthcare.appointment"]._approval_domain(),
                ("billing_cycle_ids", "in", self.ids),
            ],
            "context": self._visit_context() | {"search_default_not_approved": 1},
        }

    def action_view_unscheduled(self):
        """Unscheduled visits on the days of this cycle."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_unscheduled_action"
        )
        return action | {
            "name": self.env._("Unscheduled Visits of %s", self.display_name),
            "path": False,
            "domain": [
                "|",
                ("is_unscheduled", "=", True),
                ("was_unscheduled", "=", True),
                ("billing_cycle_ids", "in", self.ids),
            ],
            "context": self._visit_context() | {"search_default_unscheduled": 1},
        }

    def _visit_context(self):
        """Context in which visits are looked at as this cycle's."""
        self.ensure_one()
        return {"billing_cycle_id": self.id, "healthcare_billing_door": "cycle"}


class HealthcareAppointment(models.Model):
    _inherit = "healthcare.appointment"

    billing_cycle_ids = fields.Many2many(
        "healthcare.billing.cycle",
        compute="_compute_billing_cycle_ids",
        search="_search_billing_cycle_ids",
        string="Billing Cycles",
        groups=CARE_OFFICE,
        help="Cycles whose days and filters take this visit in.",
    )

    @api.model
    def _approval_domain(self):
        """What visit approval is about: planned and given care, and missed care that is billed."""
        return (
            Domain("state", "in", ("scheduled", "completed", "late_canceled", "no_show"))
            | Domain("cancel_reason_id.bill", "=", True)
        ) & Domain("is_unscheduled", "=", False)

    def _compute_billing_cycle_ids(self):
        self.billing_cycle_ids = False
        for cycle in self._cycles_taking_in():
            found = self.search(cycle._visit_domain() & Domain("id", "in", self.ids))
            for appointment in self & found:
                appointment.billing_cycle_ids |= cycle

    def _search_billing_cycle_ids(self, operator, value):
        if operator != "in":
            return NotImplemented
        cycles = self.env["healthcare.billing.cycle"].browse(id_ for id_ in value if id_)
        return Domain.OR(cycle._visit_domain() for cycle in cycles.exists())

    def _cycles_taking_in(self, *domains):
        """Cycles of these visits' companies that begin and end around some of their days."""
        days = [day for day in self.mapped("service_date") if day]
        if not days:
            return self.env["healthcare.billing.cycle"]
        early = Domain("date_from", "<=", max(days)) | Domain("back_billing_date", "<=", max(days))
        return self.env["healthcare.billing.cycle"].search(
            Domain.AND(
                [
                    Domain("company_id", "in", self.company_id.ids),
                    Domain("date_to", ">", min(days)),
                    early,
                    *domains,
                ]
            )
        )

    def _in_closed_cycle(self):
        """R14: visits on the days of a closed cycle are for the group *Closed billing visit
        adjustments* only."""
        found = super()._in_closed_cycle()
        if self.env.user.has_group("healthcare_billing.group_closed_visit_adjustments"):
            return found
        for cycle in self._cycles_taking_in(Domain("state", "=", "closed")):
            own = cycle._scope_domain() & cycle._own_days_domain()
            found |= self.search(own & Domain("id", "in", self.ids))
        return found
