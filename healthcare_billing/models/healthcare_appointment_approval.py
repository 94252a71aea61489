from collections import defaultdict
from typing import NamedTuple

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import float_round

from ..tools.units import minutes_between

BASES = ("scheduled", "clocked", "as_is")
# What an approval sets; unapproving and rejecting take it back.
CLEARED = {
    "approved_qty": 0.0,
    "has_approved_qty": False,
    "approved_on": False,
    "approved_by_id": False,
}
UNIT_FIELDS = {"approved_qty", "has_approved_qty", "bill_override_qty", "has_bill_override"}
NAMED_AT_MOST = 5


class Decision(NamedTuple):
    """What became of a decision on many visits.

    :ivar done: ``healthcare.appointment`` records that were decided
    :ivar left_out: ``{code: records}``, see ``_left_out_texts``
    """

    done: models.BaseModel
    left_out: dict


class HealthcareAppointment(models.Model):
    """Approval of visits (R12): who approves says that it took place, and how much of it counts.

    Typing approved units approves; overrides never do. 0 is a value: ``has_approved_qty`` tells it
    from an empty cell, in which the service's own rule goes on counting. Vacant and unscheduled
    visits, and those that haven't begun, can't be approved, whoever writes it.

    A decision on many visits (``_approve``, ``_reject``, ``_unapprove``) leaves out what it can't
    decide, with the reason, and takes the same few queries for all of them.
    """

    _inherit = "healthcare.appointment"

    has_approved_qty = fields.Boolean(
        string="Approved Units Given",
        copy=False,
        help="Approved units were given; 0 is a value. Without them the service's rule counts.",
    )

    # -- writing -------------------------------------------------------------------------------
    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            # forms and imports send 0.00 for a cell that nobody filled
            if vals.get("approved_qty"):
                vals.setdefault("has_approved_qty", True)
            if vals.get("has_approved_qty"):
                vals.setdefault("approval_state", "approved")
        appointments = super().create(vals_list)
        approved = appointments.filtered(lambda a: a.approval_state == "approved")
        typed = approved.filtered("has_approved_qty")
        typed._check_approvable()
        typed.filtered(lambda a: a.state == "scheduled").state = "completed"
        # sudo: the practice may approve by default what care staff report
        approved.filtered(lambda a: not a.approved_on).sudo().write(self._approval_marks())
        return appointments

    def write(self, vals):
        vals = self._mark_given_units(dict(vals))
        self._check_units_not_posted(vals)
        decision = vals.get("approval_state")
        if not decision:
            return super().write(vals)
        changed = self.filtered(lambda a: a.approval_state != decision)
        if decision != "approved":
            if changed:
                changed._check_may_decide(vals, {"approval_state": changed[0].approval_state})
                changed._check_no_live_charge()
            return super().write({**vals, **CLEARED})
        changed._check_approvable(vals)
        planned = changed.filtered(lambda a: a.state == "scheduled")
        result = True
        for appointments, more in (
            (self - changed, {}),
            (changed - planned, self._approval_marks()),
            (planned, self._approval_marks() | {"state": "completed"}),
        ):
            if appointments:
                result = super(HealthcareAppointment, appointments).write({**more, **vals})
        return result

    @api.model
    def _mark_given_units(self, vals):
        """R12: units that are written are given ones, 0 included, and giving them approves."""
        if "approved_qty" in vals:
            vals.setdefault("has_approved_qty", True)
        if vals.get("has_approved_qty"):
            vals.setdefault("approval_state", "approved")
        elif "has_approved_qty" in vals:
            vals["approved_qty"] = 0.0
        return vals

    @api.model
    def _approval_marks(self):
        return {"approved_on": fields.Datetime.now(), "approved_by_id": self.env.uid}

    def _check_approvable(self, vals=None):
        """Refuse to approve what can't be, whatever is written with it.

        :param dict vals: values that are written together with the approval
        """
        vals = vals or {}
        for appointment in self:
            code = appointment._never_approved(vals)
            if code:
                appointment._check_may_decide(
                    {"approval_state": "approved"}, {"approval_state": appointment.approval_state}
                )
                raise UserError(
                    self.env._(
                        "%(visit)s can't be approved: %(reason)s",
                        visit=appointment.name,
                        reason=self._left_out_texts()[code],
                    )
                )

    def _never_approved(self, vals=None):
        """Why nobody can approve this visit, by whatever door.

        :param dict vals: values that are written together with the approval
        :return: code of ``_left_out_texts``, or None
        """
        self.ensure_one()
        vals = vals or {}
        if vals.get("is_vacant", self.is_vacant):
            return "vacant"
        if vals.get("is_unscheduled", self.is_unscheduled):
            return "unscheduled"
        start = fields.Datetime.to_datetime(vals.get("start")) or self.start
        if start > fields.Datetime.now() and not vals.get("clock_in", self.clock_in):
            return "not_begun"
        return None

    def _check_units_not_posted(self, vals):
        """Units of what is posted are changed by credit and rebill only."""
        names = UNIT_FIELDS & set(vals)
        changed = self.filtered(lambda a: any(a[name] != vals[name] for name in names))
        if not changed:
            return
        line = (
            changed._service_charges()
            ._live_lines()
            .filtered(lambda line: line.parent_state == "posted")[:1]
        )
        if line:
            raise UserError(
                self.env._(
                    "%(appointment)s is on invoice %(invoice)s, which is posted: its units can't "
                    "change any more. Credit and rebill the invoice.",
                    appointment=line.charge_id.appointment_id.name,
                    invoice=line.move_id._care_reference(),
                )
            )

    # -- decisions on many -----------------------------------------------------------------------
    def _approve(self, basis, matching=False):
        """Approve visits, and leave out those that can't be.

        :param str basis: ``scheduled`` or ``clocked``: the units are those of that time, by the
            service's unit rule and rounding; ``as_is``: given units stay, else the service's rule
            goes on counting
        :param bool matching: only visits whose clocked time is near the scheduled one
        :rtype: Decision
        """
        if basis not in BASES:
            raise ValueError(f"unknown basis of approval {basis!r}")
        free, left_out = self._lock_for_decision()
        problems = free._approval_problems(basis, matching)
        units = {}
        for appointment in free:
            if appointment in problems:
                left_out[problems[appointment]] |= appointment
            else:
                units[appointment] = appointment._units_to_approve(basis)
        done = self.browse(appointment.id for appointment in units).with_prefetch(self._ids)
        done._give_units({a: u for a, u in units.items() if u is not None})
        done.with_context(mail_notrack=True).write({"approval_state": "approved"})
        done._log_decision(
            {
                "scheduled": self.env._("Approved to the scheduled time"),
                "clocked": self.env._("Approved to the clocked time"),
                "as_is": self.env._("Approved"),
            }[basis]
        )
        return Decision(done, dict(left_out))

    def _reject(self):
        """Never bill these visits.

        :rtype: Decision
        """
        return self._take_back("rejected", self.env._("Rejected"))

    def _unapprove(self):
        """Take approvals and rejections back, with the units they gave.

        That a visit took place, which its approval said, stays known.

        :rtype: Decision
        """
        return self._take_back("not_approved", self.env._("Approval taken back"))

    def _take_back(self, state, text):
        free, left_out = self._lock_for_decision()
        problems = free._take_back_problems(state)
        for appointment, code in problems.items():
            left_out[code] |= appointment
        done = free.filtered(lambda appointment: appointment not in problems)
        done.with_context(mail_notrack=True).write({"approval_state": state})
        done._log_decision(text)
        return Decision(done, dict(left_out))

    def _lock_for_decision(self):
        """Who decides, and who invoices at the same moment, don't wait for each other.

        What somebody billed or decided since this transaction began raises a serialization
        failure here, and the request is tried again with what is true by now.

        :return: visits that are ours, and ``{code: visits}`` of the others
        """
        self.check_access("write")
        left_out = defaultdict(self.browse)
        free = self.try_lock_for_update(allow_referencing=True)
        # sudo: the charges of a visit are locked with it, by whoever may decide on the visit
        charges = free.sudo().charge_ids
        busy = charges - charges.try_lock_for_update(allow_referencing=True)
        free -= self.browse(busy.appointment_id.ids)
        if len(free) < len(self):
            left_out["busy"] |= self - free
        return self.browse(free.ids), left_out

    # -- what can't be decided -------------------------------------------------------------------
    def _approval_problems(self, basis, matching=False):
        """Why visits are left out of an approval: the first reason of each.

        :return: ``{appointment: code}``, see ``_left_out_texts``
        """
        ledger = self._ledger_problems()
        problems = {}
        for appointment in self:
            code = (
                ledger.get(appointment)
                or appointment._never_approved()
                or appointment._not_approved_to(basis, matching)
            )
            if code:
                problems[appointment] = code
        return problems

    def _take_back_problems(self, state):
        """Why visits are left out of a rejection, or of taking a decision back.

        :param str state: the approval state that they would get
        :return: ``{appointment: code}``
        """
        problems = self._ledger_problems()
        for appointment in self:
            if appointment.approval_state == state:
                problems.setdefault(appointment, f"already_{state}")
        return problems

    def _not_approved_to(self, basis, matching):
        """Why this visit isn't approved to that time, or None."""
        self.ensure_one()
        if self.approval_state == "approved":
            return "approved"
        if basis == "as_is":
            return None
        if self.approval_state == "rejected":
            return "rejected"
        if not self._is_billable():
            return "not_billable"
        if not self.product_id:
            return "no_service"
        clocked = self.clock_in and self.clock_out
        if (basis == "clocked" or matching) and not clocked:
            return "no_clock"
        if matching and not self._is_matching():
            return "no_match"
        return None

    def _ledger_problems(self):
        """Visits that an invoice or a closed cycle holds.

        :return: ``{appointment: code}``
        """
        problems = dict.fromkeys(self._in_closed_cycle(), "closed")
        # what is on a draft of an open cycle drops off when that is made again
        billed = self.sudo().charge_ids.filtered("is_held").appointment_id
        problems.update(dict.fromkeys(self.browse(billed.ids), "invoiced"))
        return problems

    def _in_closed_cycle(self):
        """Visits of closed billing cycles that the user may not edit (R14)."""
        return self.browse()

    @api.model
    def _left_out_texts(self):
        """``{code: sentence}``: why a visit is left out of a decision."""
        return {
            "busy": self.env._("somebody else is changing or billing it just now"),
            "invoiced": self.env._("it is invoiced"),
            "closed": self.env._("its billing cycle is closed"),
            "vacant": self.env._("nobody is assigned (vacant)"),
            "unscheduled": self.env._("it is unscheduled: add it to the schedule first"),
            "not_begun": self.env._("it hasn't begun"),
            "approved": self.env._("it is approved already"),
            "rejected": self.env._("it is rejected: unapprove it first"),
            "already_rejected": self.env._("it is rejected already"),
            "already_not_approved": self.env._("it isn't approved"),
            "not_billable": self.env._("it was canceled, and isn't billed"),
            "no_service": self.env._("it has no service, which says what a unit is"),
            "no_clock": self.env._("it has no clock stamps"),
            "no_match": self.env._(
                "clocked and scheduled time differ by more than %s minutes",
                self.env.company.healthcare_match_minutes,
            ),
        }

    # -- units -----------------------------------------------------------------------------------
    def _units_to_approve(self, basis):
        """Units of the scheduled or clocked time by the service's rule (R3), or None.

        Times are instants: a night in which the clocks change has the hours that it really had.
        """
        self.ensure_one()
        if basis == "as_is":
            return None
        if basis == "scheduled":
            minutes = minutes_between(self.start, self.stop)
        else:
            minutes = minutes_between(self.clock_in, self.clock_out)
        # as both: the time that was chosen counts, whatever the service counts by itself
        units = self.product_id._care_units(
            scheduled_minutes=minutes, clocked_minutes=minutes, distance=self.distance
        )
        return float_round(units, precision_digits=2)

    def _is_matching(self):
        """Whether the clocked time is the scheduled one, within the company's tolerance."""
        self.ensure_one()
        clocked = minutes_between(self.clock_in, self.clock_out)
        difference = abs(clocked - minutes_between(self.start, self.stop))
        return difference <= self.company_id.healthcare_match_minutes

    def _give_units(self, units):
        """Put the approved units of many visits down, before one ``write`` approves all of them.

        Not by ``write``: that would be one for each number of units.

        :param dict units: ``{appointment: units}``
        """
        by_units = defaultdict(self.browse)
        for appointment, quantity in units.items():
            by_units[quantity] |= appointment
        given = self.browse(appointment.id for appointment in units)
        if given:
            self._fields["has_approved_qty"].write(given, True)
        for quantity, appointments in by_units.items():
            self._fields["approved_qty"].write(appointments, quantity)
        given.modified(["approved_qty", "has_approved_qty"])

    def _log_decision(self, text):
        """Note on each visit who decided what; one statement for all of them."""
        bodies = {}
        for appointment in self:
            units = appointment._approved_text()
            bodies[appointment.id] = Markup("%s") % (f"{text}: {units}" if units else text)
        if bodies:
            self._message_log_batch(bodies=bodies)

    # -- what people are told --------------------------------------------------------------------
    @api.model
    def _left_out_lines(self, left_out):
        """One line per reason, with the numbers of the first visits.

        :param dict left_out: ``{code: appointments}``
        :return: list of str
        """
        texts = self._left_out_texts()
        lines = []
        for code, appointments in left_out.items():
            names = ", ".join(appointments[:NAMED_AT_MOST].mapped("name"))
            if len(appointments) > NAMED_AT_MOST:
                names = self.env._("%s, …", names)
            lines.append(
                self.env._(
                    "%(count)s left out because %(reason)s (%(names)s)",
                    count=len(appointments),
                    reason=texts[code],
                    names=names,
                )
            )
        return lines

    def _decision_action(self, decision, sentence):
        """Tell the result; a decision on one visit that can't be made is an error.

        :return: notification action
        """
        if len(self) == 1 and not decision.done:
            (code,) = decision.left_out
            raise UserError(
                self.env._(
                    "%(visit)s: %(reason)s.", visit=self.name, reason=self._left_out_texts()[code]
                )
            )
        if len(self) == 1:
            return None  # the screen shows it
        return self._result_action(decision, sentence)

    @api.model
    def _result_action(self, decision, sentence):
        """Tell what became of a decision; it stays on the screen if anything was left out.

        :return: notification action, which closes the dialog
        """
        lines = [sentence, *self._left_out_lines(decision.left_out)]
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if decision.left_out else "success",
                "sticky": bool(decision.left_out),
                "message": "\n".join(lines),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    # -- buttons ---------------------------------------------------------------------------------
    def action_decide(self):
        """Open the dialog that decides on many: the chosen visits, else all that the list shows."""
        visits = self or self.search(self.env.context.get("active_domain") or [])
        wizard = self.env["healthcare.visit.approval"].create(
            {"visit_ids": visits.ids, "is_selection": bool(self)}
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Batch Actions"),
            "res_model": wizard._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def action_approve(self):
        """Approve: given units stay, else those count that the service's rule gives."""
        return self._approved_action(self._approve("as_is"))

    def action_approve_scheduled(self):
        """Approve the scheduled time."""
        return self._approved_action(self._approve("scheduled"))

    def action_approve_clocked(self):
        """Approve the clocked time."""
        return self._approved_action(self._approve("clocked"))

    def _approved_action(self, decision):
        return self._decision_action(
            decision, self.env._("Visits approved: %s.", len(decision.done))
        )

    def action_reject(self):
        """Never bill these visits."""
        decision = self._reject()
        return self._decision_action(
            decision, self.env._("Visits rejected: %s.", len(decision.done))
        )

    def action_unapprove(self):
        """Take approvals and rejections back."""
        decision = self._unapprove()
        return self._decision_action(
            decision, self.env._("Visits not approved any more: %s.", len(decision.done))
        )
