from odoo import models


class HealthcareCharge(models.Model):
    """What claims and superbills may say of a charge: whether it is on them, and its diagnoses."""

    _inherit = "healthcare.charge"

    def _is_reportable(self):
        """Whether a payer may be told of this care (R7).

        Only what was done: a missed or future appointment, and what isn't care of its own
        (corrections, fees, transfers), is on no claim and no superbill.
        """
        self.ensure_one()
        appointment = self.appointment_id
        done = not appointment or (appointment.state == "completed" and appointment._is_billable())
        return bool(self.kind == "service" and not self.parent_id and self.product_id and done)

    def _ordered_diagnoses(self):
        """Diagnoses of the charge in the order of pointers, the client's primary one first."""
        self.ensure_one()
        return self.billing_account_id._order_diagnoses(self.diagnosis_ids)

    def _late_diagnoses(self):
        """Diagnoses of the charge that were made after the day of care."""
        self.ensure_one()
        late = self.billing_account_id.diagnosis_line_ids.filtered(
            lambda line: not line._is_made_by(self.service_date)
        )
        return self._ordered_diagnoses() & late.diagnosis_id
