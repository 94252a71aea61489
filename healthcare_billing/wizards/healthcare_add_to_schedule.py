from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class HealthcareAddToSchedule(models.TransientModel):
    """Add unscheduled visits to the schedule: one or many, conflicts first."""

    _name = "healthcare.add.to.schedule"
    _description = "Add to Schedule"

    line_ids = fields.One2many("healthcare.add.to.schedule.line", "wizard_id", string="Visits")
    auto_approve = fields.Boolean(
        string="Approve at Once",
        help="Approves the scheduled time, not the clocked one.",
    )
    conflict_count = fields.Integer(compute="_compute_conflict_count")
    selected_count = fields.Integer(compute="_compute_conflict_count")

    @api.model
    def _open_on(self, visits):
        """The dialog on these visits, each with its service's usual length.

        :param visits: unscheduled ``healthcare.appointment``
        """
        lines = [
            Command.create(
                {
                    "appointment_id": visit.id,
                    "product_id": visit._service_to_schedule().id,
                    "start": visit.clock_in or visit.start,
                }
            )
            for visit in visits.sorted("start")
        ]
        return self.create({"line_ids": lines})

    @api.depends("line_ids.selected", "line_ids.conflicts")
    def _compute_conflict_count(self):
        for wizard in self:
            chosen = wizard.line_ids.filtered("selected")
            wizard.selected_count = len(chosen)
            wizard.conflict_count = len(chosen.filtered("conflicts"))

    def action_apply(self):
        """Add what is ticked; all of it, or nothing."""
        self.ensure_one()
        lines = self.line_ids.filtered("selected")
        if not lines:
            raise UserError(self.env._("Tick the visits to be added."))
        without = lines.filtered(lambda line: not line.product_id)
        if without:
            raise UserError(
                self.env._(
                    "Choose a service for %s.",
                    ", ".join(without.appointment_id.mapped("name")),
                )
            )
        for line in lines:
            line.appointment_id._add_to_schedule(
                line.start, line._stop(), line.product_id, self.auto_approve
            )
        left = lines.appointment_id.filtered(
            lambda visit: self.auto_approve and visit.approval_state != "approved"
        )
        message = self.env._("Visits added to the schedule: %s.", len(lines))
        if left:
            names = ", ".join(left.mapped("name"))
            message += " " + self.env._("Not approved: %s.", names)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if left else "success",
                "message": message,
                "next": {"type": "ir.actions.act_window_close"},
            },
        }


class HealthcareAddToScheduleLine(models.TransientModel):
    """One visit that is to be added: its service, its time, and conflicts."""

    _name = "healthcare.add.to.schedule.line"
    _description = "Visit to Add to the Schedule"
    _order = "start, id"

    wizard_id = fields.Many2one(
        "healthcare.add.to.schedule", required=True, ondelete="cascade", index=True
    )
    selected = fields.Boolean(default=True)
    appointment_id = fields.Many2one(
        "healthcare.appointment", required=True, readonly=True, ondelete="cascade"
    )
    client_id = fields.Many2one(related="appointment_id.client_id")
    employee_id = fields.Many2one(related="appointment_id.employee_id")
    clocked_hours = fields.Char(related="appointment_id.clocked_hours")
    product_id = fields.Many2one(
        "product.product", string="Service", domain="[('is_healthcare_service', '=', True)]"
    )
    start = fields.Datetime(required=True)
    duration = fields.Float(
        compute="_compute_duration",
        store=True,
        readonly=False,
        precompute=True,
        help="Scheduled hours.",
    )
    conflicts = fields.Char(compute="_compute_conflicts")

    _check_duration = models.Constraint(
        "CHECK (duration >= 0)", "A visit can't be shorter than nothing."
    )

    @api.depends("product_id")
    def _compute_duration(self):
        """R12: the service's usual length, however long the provider stayed."""
        for line in self:
            line.duration = line.product_id._care_length().total_seconds() / 3600

    def _stop(self):
        self.ensure_one()
        return self.start + timedelta(hours=self.duration)

    @api.depends("start", "duration", "appointment_id")
    def _compute_conflicts(self):
        """Holidays, leave, and planned visits of the same provider or client at that time."""
        for line in self:
            visit = line.appointment_id
            line.conflicts = False
            if not visit or not line.start:
                continue
            (found,) = visit._find_conflicts(
                [(line.start, line._stop())],
                company=visit.company_id,
                client=visit.client_id,
                employee=visit.employee_id,
                payer=visit.payer_id,
                without=visit,
            )
            line.conflicts = ", ".join(found)
