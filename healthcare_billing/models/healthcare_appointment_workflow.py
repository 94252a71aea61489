from odoo import models
from odoo.exceptions import UserError


class HealthcareAppointment(models.Model):
    """What people do with an appointment: each button of its form, in one place."""

    _inherit = "healthcare.appointment"

    def action_complete(self):
        """The care was given."""
        self.filtered(lambda appointment: appointment.state == "scheduled").write(
            {"state": "completed", "cancel_reason_id": False}
        )

    def action_no_show(self):
        """The client didn't come."""
        self.filtered(lambda appointment: appointment.state == "scheduled").state = "no_show"

    def action_late_cancel(self):
        """The client canceled too late."""
        self.filtered(lambda appointment: appointment.state == "scheduled").state = "late_canceled"

    def action_cancel(self):
        """The appointment doesn't take place."""
        self.filtered(lambda appointment: appointment.state == "scheduled").state = "canceled"

    def action_schedule(self):
        """Back to the calendar, while nothing was billed."""
        self._check_no_live_charge()
        self.write({"state": "scheduled", "cancel_reason_id": False})

    def _check_no_live_charge(self):
        held = self.charge_ids.filtered("is_held")
        line = (held and held._live_lines())[:1]
        if line:
            raise UserError(
                self.env._(
                    "%(appointment)s is on invoice %(invoice)s. Delete the draft or credit the "
                    "invoice first.",
                    appointment=line.charge_id.appointment_id.name,
                    invoice=line.move_id._care_reference(),
                )
            )

    def action_view_invoices(self):
        """Open the invoices of these appointments."""
        return self.env["account.move"]._care_invoices_action(
            self.charge_ids._ledger_lines().move_id.with_env(self.env)
        )

    def action_batch_invoice(self):
        """Preview the invoices of the chosen appointments only."""
        wizard = self.env["healthcare.batch.invoicing"].create({"appointment_ids": self.ids})
        return wizard.action_search()
