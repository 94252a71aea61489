from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .healthcare_appointment import REPRICING_FIELDS
from .healthcare_charge import PRICING

# What care staff can't decide on their own appointments.
DECISION_FIELDS = {
    "note_state",
    "note_signed_by_id",
    "note_cosigned_by_id",
    "is_unscheduled",
    "was_unscheduled",
    "is_vacant",
    "approval_state",
    "approved_qty",
    "has_approved_qty",
    "approved_on",
    "approved_by_id",
    "to_resubmit",
    "has_bill_override",
    "bill_override_qty",
    "has_pay_override",
    "pay_override_qty",
    "billable",
    "qa_state",
    "parked",
    "parked_until",
    "parked_reason",
    "parked_by_id",
    "removed_premium_ids",
}
STAFF_MAY = {("qa_state", "review"), ("note_state", "draft")}
# What somebody looked through is only taken back by those who decide.
DECIDED = {("qa_state", "done")}


class HealthcareAppointment(models.Model):
    """Making, changing and deleting appointments: who may decide what, and what it entails."""

    _inherit = "healthcare.appointment"

    # -- create, write, delete -------------------------------------------------------------------
    @api.model_create_multi
    def create(self, vals_list):
        unnamed = [vals for vals in vals_list if vals.get("name", "/") == "/"]
        numbers = self.env["ir.sequence"]._next_many("healthcare.appointment", len(unnamed))
        for vals, number in zip(unnamed, numbers, strict=True):
            vals["name"] = number
        for vals in vals_list:
            self._mark_given_overrides(vals)
        appointments = super().create(vals_list)
        defaults = self.default_get(sorted(self._guarded_names()))
        for appointment, vals in zip(appointments, vals_list, strict=True):
            appointment._check_may_decide(vals, defaults)
        appointments._enter_qa()
        appointments._sync_service_charges(REPRICING_FIELDS)
        appointments._sync_premiums(REPRICING_FIELDS)
        return appointments

    def write(self, vals):
        vals = self._mark_given_overrides(dict(vals))
        if vals.get("start") and not {"stop", "duration"} & set(vals):
            if len(self) != 1:  # each has its own length
                return all(appointment.write(vals) for appointment in self)
            vals["stop"] = self._stop_after_move(fields.Datetime.to_datetime(vals["start"]))
        for appointment in self:
            appointment._check_may_decide(
                vals, {name: appointment[name] for name in DECISION_FIELDS & set(vals)}
            )
        self._check_not_invoiced(vals)
        before = {appointment.id: appointment._charge_sources() for appointment in self}
        days = {appointment.id: appointment.service_date for appointment in self}
        ended_qa = self.filtered(
            lambda appointment: vals.get("qa_state") == "done" and appointment.qa_state != "done"
        )
        result = super().write(vals)
        if "state" in vals:
            self._enter_qa()
        # Only what changed reprices: a value that is written again is none (R2).
        repriced = self.filtered(lambda a: a._charge_sources() != before[a.id])
        repriced._sync_service_charges(set(vals) | REPRICING_FIELDS, before)
        (self - repriced)._sync_service_charges(set(vals) - REPRICING_FIELDS)
        moved = (self - repriced).filtered(lambda a: a.service_date != days[a.id])
        charges = moved.sudo()._service_charges()  # sudo: see _sync_service_charges
        charges._apply_prices_of_new_day({c: days[c.appointment_id.id] for c in charges})
        self._follow_with_premiums(set(vals), before, days)
        if ended_qa:
            ended_qa._freeze_prices_after_qa()
        return result

    @api.model
    def _mark_given_overrides(self, vals):
        """An override that is written is a given one, 0 included, unless the caller says not."""
        for kind in ("bill", "pay"):
            if f"{kind}_override_qty" in vals:
                vals.setdefault(f"has_{kind}_override", True)
        return vals

    @api.model
    def _guarded_names(self):
        """Care staff don't decide by defaults, either."""
        may_decide = self.env.su or self.env.user.has_group("healthcare_billing.group_coordinator")
        return super()._guarded_names() | (set() if may_decide else DECISION_FIELDS)

    def _check_may_decide(self, vals, current):
        """Care staff report their care; that it counts, and for how much, others decide.

        They may hand it in for review again after corrections.

        :param dict vals: values to be written
        :param dict current: the values before, or the defaults
        """
        for name in self._guarded_names().intersection(vals):
            field = self._fields[name]
            new = field.convert_to_cache(vals[name], self)
            old = field.convert_to_cache(current.get(name, False), self)
            if (new or False) == (old or False):
                continue
            if (name, new) not in STAFF_MAY or (name, old) in DECIDED:
                raise AccessError(
                    self.env._(
                        "Only coordinators and billing users can change “%s”.",
                        field._description_string(self.env),
                    )
                )

    def _stop_after_move(self, start):
        """The end of the appointment if it starts then and keeps its length."""
        self.ensure_one()
        return self.stop and start + (self.stop - self.start)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_invoiced(self):
        line = self.charge_ids._ledger_lines()[:1]
        if line:
            raise UserError(
                self.env._(
                    "%s was invoiced and can't be deleted. Cancel or archive it instead.",
                    line.charge_id.appointment_id.name,
                )
            )

    def unlink(self):
        """Charges go with their appointment, by the ORM: what it still has to write of them goes
        too, and is not left over for rows that the database removed."""
        self.check_access("unlink")
        self._unlink_except_invoiced()
        charges = self.sudo().charge_ids  # sudo: who may delete the appointment, may all of it
        charges.child_ids.unlink()
        charges.exists().with_context(healthcare_pricing=PRICING).unlink()
        return super().unlink()

    @api.onchange("bill_override_qty")
    def _onchange_bill_override_qty(self):
        if self.bill_override_qty:
            self.has_bill_override = True

    @api.onchange("pay_override_qty")
    def _onchange_pay_override_qty(self):
        if self.pay_override_qty:
            self.has_pay_override = True
