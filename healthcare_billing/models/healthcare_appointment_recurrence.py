from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

# Texts that somebody wrote on one appointment.
OWN_TEXTS = ("preauthorization_note", "dispatcher_note", "billing_note")
# Decisions that somebody took on one appointment.
OWN_DECISIONS = ("has_bill_override", "has_pay_override", "parked", "waiting_minutes", "distance")


class HealthcareAppointment(models.Model):
    """An appointment of a series: what may still change with “this and all future”."""

    _inherit = "healthcare.appointment"

    series_id = fields.Many2one(
        "healthcare.appointment.series",
        index="btree_not_null",
        ondelete="set null",
        copy=False,
        check_company=True,
    )
    is_from_today_on = fields.Boolean(
        compute="_compute_is_from_today_on",
        search="_search_is_from_today_on",
        help="On today's local day of care, or later.",
    )

    @api.depends("service_date", "company_id")
    def _compute_is_from_today_on(self):
        for appointment in self:
            day = appointment.service_date
            company = appointment.company_id or self.env.company
            appointment.is_from_today_on = bool(day and day >= company._care_today())

    def _search_is_from_today_on(self, operator, value):
        if operator != "in":
            return NotImplemented
        wanted = Domain.OR(
            Domain("company_id", "=", company.id)
            & Domain("service_date", ">=", company._care_today())
            for company in self.env.companies
        )
        return wanted if True in value else ~wanted

    # -- this and all future ---------------------------------------------------------------------
    def _this_and_future(self):
        """The appointments of the series from this one on, itself included."""
        self.ensure_one()
        if not self.series_id:
            return self
        return self.search(
            [("series_id", "=", self.series_id.id), ("start", ">=", self.start)],
            order="start, id",
        )

    def _why_it_stays(self):
        """Why recurring changes must not touch these appointments.

        :return: ``{appointment: sentence}``, only of those that stay
        """
        states = dict(self._fields["state"]._description_selection(self.env))
        lines = self.charge_ids._ledger_lines()
        invoices = {}
        for line in lines:
            invoices.setdefault(line.charge_id.appointment_id, line.move_id._care_reference())
        reasons = {}
        for appointment in self:
            if appointment in invoices:
                reasons[appointment] = self.env._("On invoice %s", invoices[appointment])
            elif appointment.state != "scheduled":
                reasons[appointment] = states[appointment.state]
            elif appointment.clock_in:
                reasons[appointment] = self.env._("Checked in")
            elif not appointment.is_from_today_on:
                reasons[appointment] = self.env._(
                    "Its day is over: complete it, or mark it as missed"
                )
        return reasons

    def _what_was_done_by_hand(self):
        """What somebody did on single appointments, which replacing them would lose.

        :return: ``{appointment: sentence}``, only of those with something
        """
        found = {}
        for appointment in self:
            charges = appointment.charge_ids
            series = appointment.series_id
            parts = []
            if any(charge.price_source == "typed" for charge in charges):
                parts.append(self.env._("fee typed"))
            if any(charge.parts_typed for charge in charges):
                parts.append(self.env._("parts typed"))
            if len(charges) > 1:
                parts.append(self.env._("more than one charge"))
            if series and appointment.start != series._slot(appointment.service_date)[0]:
                parts.append(self.env._("other time"))
            if appointment.note_state != "missing":
                parts.append(self.env._("note begun"))
            if any(appointment[name] for name in OWN_TEXTS):
                parts.append(self.env._("notes"))
            if any(appointment[name] for name in OWN_DECISIONS) or not appointment.billable:
                parts.append(self.env._("billing decided"))
            if parts:
                found[appointment] = self.env._("Changed by hand: %s", ", ".join(parts))
        return found

    def _delete_from_series(self):
        """Delete appointments of one series, as far as nothing speaks against it.

        :raise UserError: naming the first one that has to stay
        """
        doomed = self.browse(self.ids)  # read together, wherever they come from
        stays = doomed._why_it_stays()
        if stays:
            appointment, reason = next(iter(stays.items()))
            raise UserError(
                self.env._(
                    "%(appointment)s can't be deleted: %(reason)s. Close this dialog and open it "
                    "again to see what is left.",
                    appointment=appointment.name,
                    reason=reason,
                )
            )
        for series, appointments in doomed.grouped("series_id").items():
            if series:
                series._log_deleted(appointments)
        doomed.unlink()

    # -- buttons ---------------------------------------------------------------------------------
    def action_repeat(self):
        """Make a series of this appointment."""
        self.ensure_one()
        if self.series_id:
            raise UserError(self.env._("%s is part of a series already.", self.name))
        return self._open_schedule("new", self.env._("Repeat"))

    def action_change_series(self):
        """Change this appointment, or this and all future ones."""
        return self._open_schedule("edit", self.env._("Change Recurring Appointments"))

    def action_delete_series(self):
        """Delete this appointment, or this and all future ones."""
        return self._open_schedule("delete", self.env._("Delete Recurring Appointments"))

    def _open_schedule(self, mode, title):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": "healthcare.appointment.schedule",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                **self.env.context,
                "default_mode": mode,
                "default_appointment_id": self.id,
            },
        }

    def action_view_series(self):
        """Open the series of this appointment."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "healthcare.appointment.series",
            "res_id": self.series_id.id,
            "views": [(False, "form")],
        }
