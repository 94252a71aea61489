from odoo import api, fields, models
from odoo.exceptions import UserError

from .healthcare_charge_balance import OWED_STAGES


class HealthcareAppointment(models.Model):
    """Money for an appointment: before the care, at the desk, or afterwards."""

    _inherit = "healthcare.appointment"

    amount_on_account = fields.Monetary(
        string="On Account",
        compute="_compute_amount_on_account",
        help="Received for this care, and not applied to an invoice yet.",
    )

    @api.depends("charge_ids.invoice_line_ids.amount_residual_currency")
    def _compute_amount_on_account(self):
        waiting = self.charge_ids._on_account_amounts()
        for appointment in self:
            roots = appointment.charge_ids._roots()
            appointment.amount_on_account = sum(
                amount for (charge_id, _party), amount in waiting.items() if charge_id in roots._ids
            )

    def action_receive_payment(self):
        """Receive what the client pays of this care, or else what the payer does.

        :return: window action on a new ``healthcare.receive.payment``
        :raise UserError: nothing of it is billable
        """
        charges = self.charge_ids._roots().filtered(
            lambda charge: charge.billing_stage in (*OWED_STAGES, "planned")
        )
        if not charges:
            raise UserError(
                self.env._("This appointment has nothing that is billed: there is nothing to pay.")
            )
        keys = [(charge.id, party) for charge in charges for party in charge._parts()]
        keys = [key for key in keys if key[1] == "client"] or keys
        left = [
            item
            for item in charges._payable_items(keys)
            if item.how != "invoiced" or not item.charge.currency_id.is_zero(item.amount)
        ]
        partner = left[0].partner if left else self.client_id[:1]
        return self.env["healthcare.receive.payment"]._open(
            partner, [(item.charge.id, item.responsibility) for item in left], self.company_id
        )
