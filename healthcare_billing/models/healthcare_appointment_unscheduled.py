from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class HealthcareAppointment(models.Model):
    """Unscheduled visits: somebody clocked in at a client without being planned there (R12).

    They are never lost, and never billed before the office adds them to the schedule, or rejects
    them. Added ones remember that they were unscheduled.
    """

    _inherit = "healthcare.appointment"

    was_unscheduled = fields.Boolean(
        readonly=True,
        copy=False,
        help="Clocked in without a schedule, and added to the schedule later.",
    )

    # -- on the phone ----------------------------------------------------------------------------
    def action_check_in_unscheduled(self):
        """Open the dialog in which the provider chooses the client; on no visit, or any."""
        self._own_employee()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Check In Without a Schedule"),
            "res_model": "healthcare.unscheduled.check.in",
            "views": [(False, "form")],
            "target": "new",
        }

    @api.model
    def _own_employee(self):
        """The user's own employee in this company, who gives the care."""
        # sudo: that there is one is known to oneself, whoever may read employees
        employee = self.env.user.sudo().employee_ids.filtered(
            lambda employee: employee.company_id == self.env.company
        )[:1]
        if not employee:
            raise UserError(
                self.env._(
                    "You are no employee of %s, so nobody knows whose visit it is. Ask the office "
                    "to link your user to an employee.",
                    self.env.company.name,
                )
            )
        return employee

    @api.model
    def _check_in_unscheduled(self, client):
        """Begin a visit that nobody planned; a second click, or a second phone, finds the first.

        :param client: ``res.partner``
        :return: the visit
        """
        employee = self._own_employee()
        if not employee.try_lock_for_update(allow_referencing=True):
            raise UserError(self.env._("You are checking in already. Look at My Day in a moment."))
        still_open = self._open_visits(employee)
        here = still_open.filtered(lambda visit: visit.client_id == client)[:1]
        if here:
            return here
        if still_open:
            raise UserError(
                self.env._(
                    "You are still checked in at %(client)s (%(visit)s). Check out there first.",
                    client=still_open[0].client_id.name,
                    visit=still_open[0].name,
                )
            )
        now = fields.Datetime.now()
        # sudo: care staff can't say by writing that a visit is unscheduled; here it can't be
        # anything else, of nobody else, and at no other time
        visit = self.sudo().create(
            {
                "client_id": client.id,
                "employee_id": employee.id,
                "company_id": self.env.company.id,
                "start": now,
                "clock_in": now,
                "is_unscheduled": True,
            }
        )
        visit._message_log(body=self.env._("Checked in without a schedule."))
        return visit.sudo(self.env.su)

    @api.model
    def _open_visits(self, employee):
        """Visits at which this provider is checked in and not out."""
        return self.search(
            Domain("employee_id", "=", employee.id)
            & Domain("state", "=", "scheduled")
            & Domain("clock_in", "!=", False)
            & Domain("clock_out", "=", False)
        )

    # -- in the office ---------------------------------------------------------------------------
    def action_add_to_schedule(self):
        """Open the dialog that adds these unscheduled visits to the schedule."""
        visits = self.filtered(
            lambda visit: visit.is_unscheduled and visit.approval_state != "rejected"
        )
        if not visits:
            raise UserError(
                self.env._("Choose visits that are unscheduled, and that nobody rejected.")
            )
        wizard = self.env["healthcare.add.to.schedule"]._open_on(visits)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Add to Schedule"),
            "res_model": wizard._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def _service_to_schedule(self):
        """The service of an unscheduled visit: its own, else the client's usual one."""
        self.ensure_one()
        return self.product_id or self.billing_account_id.default_product_id

    def _add_to_schedule(self, start, stop, service, auto_approve=False):
        """Make an unscheduled visit a planned one; the clock stamps stay as they are.

        :param start: planned begin, naive UTC datetime
        :param stop: planned end
        :param service: ``product.product``
        :param bool auto_approve: approve the scheduled time, not the clocked one (R12)
        """
        self.ensure_one()
        if not self.try_lock_for_update(allow_referencing=True):
            raise UserError(self.env._("%s is being changed just now. Try again.", self.name))
        if not self.is_unscheduled or self.approval_state == "rejected":
            raise UserError(
                self.env._("%s isn't unscheduled any more: somebody was faster.", self.name)
            )
        clocked = self.clocked_hours
        self.write(
            {
                "is_unscheduled": False,
                "start": start,
                "stop": stop,
                "product_id": service.id,
            }
        )
        # sudo: nobody writes this by hand; the visit could be written, so it may be told
        self.sudo().was_unscheduled = True
        self._message_log(
            body=self.env._(
                "Added to the schedule: %(planned)s. It was clocked in without a schedule: "
                "%(clocked)s.",
                planned=self.local_hours,
                clocked=clocked,
            )
        )
        if auto_approve:
            self._approve("scheduled")

    @api.ondelete(at_uninstall=False)
    def _unlink_except_unscheduled(self):
        """What somebody clocked is evidence: it is added to the schedule, or rejected."""
        lost = self.filtered(lambda visit: visit.is_unscheduled and visit.clock_in)[:1]
        if lost:
            raise UserError(
                self.env._(
                    "%s was clocked in without a schedule, and can't be deleted. Add it to the "
                    "schedule, or reject it.",
                    lost.name,
                )
            )
