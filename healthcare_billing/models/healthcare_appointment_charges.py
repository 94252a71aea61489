from odoo import fields, models
from odoo.exceptions import UserError

from .healthcare_appointment import QUANTITY_FIELDS, REPRICING_FIELDS, SPLIT_FIELDS
from .healthcare_charge import MAX_DIAGNOSES, MAX_MODIFIERS


class HealthcareAppointment(models.Model):
    """How an appointment makes its service charge, and keeps it true while nothing is billed."""

    _inherit = "healthcare.appointment"

    def _service_charges(self):
        return self.charge_ids.filtered(
            lambda charge: charge.kind == "service" and not charge.parent_id
        )

    def _ordered_diagnoses(self):
        """Diagnoses of the appointment, the client's primary one first."""
        self.ensure_one()
        return self.billing_account_id._order_diagnoses(self.diagnosis_ids)

    def _makes_charge(self):
        """Care with a service is charged when it is planned; given without one, all the same.

        Else a finished visit whose service was forgotten would be on no list, not even among what
        is left out.
        """
        self.ensure_one()
        return bool(self.product_id or self.state in ("completed", "late_canceled", "no_show"))

    def _prepare_service_charge(self):
        """Values of the charge that an appointment's service makes."""
        self.ensure_one()
        return {
            "appointment_id": self.id,
            "kind": "service",
            "product_id": self.product_id.id,
            "quantity": self._billable_units(),
            "quantity_typed": False,
            "modifier_ids": [fields.Command.set(self.product_id.modifier_ids[:MAX_MODIFIERS].ids)],
            "diagnosis_ids": [fields.Command.set(self._ordered_diagnoses()[:MAX_DIAGNOSES].ids)],
        }

    def _sync_service_charges(self, touched, former_sources=None):
        """Make the service charge of new appointments, and keep those of unbilled ones true.

        :param set touched: names of the fields that were written
        :param dict former_sources: ``_charge_sources`` before, per appointment id: charges of
            another service than that were added by hand, and don't follow the appointment's
        """
        relevant = REPRICING_FIELDS | QUANTITY_FIELDS | SPLIT_FIELDS | {"diagnosis_ids"}
        if not touched & relevant:
            return
        without = self.filtered(lambda a: a._makes_charge() and not a._service_charges())
        # sudo: charges follow the appointment, whoever may change that; care staff can't price
        self.env["healthcare.charge"].sudo().create(
            [appointment._prepare_service_charge() for appointment in without]
        )
        charges = (self - without).sudo()._service_charges().filtered(lambda c: not c.is_held)
        if touched & REPRICING_FIELDS:
            charges._follow_sources(former_sources or {})
        if touched & (REPRICING_FIELDS | QUANTITY_FIELDS):
            charges._take_quantity_from_appointment()
        if "diagnosis_ids" in touched:
            charges._take_diagnoses_from_appointment()

    def _billable_units(self, service=None):
        """Units to bill: the override, else what was approved, else from time or distance (R3).

        :param service: ``product.product``, default the appointment's own
        """
        self.ensure_one()
        service = self.product_id if service is None else service
        if self.has_bill_override:
            return self.bill_override_qty
        if self.approval_state == "approved" and self.has_approved_qty:
            return self.approved_qty
        if not service:
            return 1.0
        return service._care_units(
            scheduled_minutes=self.duration * 60.0,
            clocked_minutes=self.clocked_duration * 60.0,
            distance=self.distance,
        )

    def _is_billable(self):
        """Whether the care given (or refused) may be billed at all."""
        self.ensure_one()
        if not self.billable:
            return False
        if self.state in ("scheduled", "completed"):
            return True
        if self.cancel_reason_id:
            return self.cancel_reason_id.bill
        return self.state in ("late_canceled", "no_show")

    def _is_client_only(self):
        """A missed appointment is the client's alone (R7)."""
        self.ensure_one()
        return self.state in ("late_canceled", "no_show", "rescheduled", "canceled")

    def _freeze_prices_after_qa(self):
        """With QA review on, the price of the day QA ends counts (R2)."""
        reviewed = self.filtered("company_id.healthcare_qa_review")
        reviewed._service_charges().filtered(lambda charge: not charge.is_held)._apply_prices()

    def _charge_sources(self):
        """Values of the fields that reprice, some of them computed from what ``write`` is given."""
        self.ensure_one()
        return {name: self[name].id for name in REPRICING_FIELDS}

    def _check_not_invoiced(self, vals):
        changed = self.filtered(lambda appointment: appointment._changes_billing(vals))
        held = changed.charge_ids.filtered("is_held")
        line = (held and held._live_lines())[:1]
        if line:
            raise UserError(
                self.env._(
                    "%(appointment)s is on invoice %(invoice)s: its service, provider, client, "
                    "payer, day and state can't change any more. Delete the draft, or credit the "
                    "invoice, then bill it again.",
                    appointment=line.charge_id.appointment_id.name,
                    invoice=line.move_id._care_reference(),
                )
            )

    def _changes_billing(self, vals):
        """Whether these values differ in what an invoice says of the appointment."""
        self.ensure_one()
        if vals.get("start"):
            start = fields.Datetime.to_datetime(vals["start"])
            if self.company_id._care_local_date(start) != self.service_date:
                return True
        for name in (REPRICING_FIELDS | {"client_id", "company_id", "employee_id", "state"}) & set(
            vals
        ):
            old = self[name] if name == "state" else self[name].id
            if (old or False) != (vals[name] or False):
                return True
        return False
