from odoo import api, fields, models

# Reasons on the appointment that one step mends, without opening anything.
MEND_STEPS = {
    "planned": "action_complete",
    "parked": "action_unpark",
    "unsigned_note": "action_sign_note",
    "not_approved": "action_approve",
}


class HealthcareBlockReason(models.Model):
    """The words for a reason that keeps a charge from being billed, and for what mends it.

    Which charges a reason blocks is decided by the billing engine, which knows it by ``code``;
    nothing is stored on the charge. The rows come with the addon and are read-only in it.
    """

    _name = "healthcare.block.reason"
    _description = "Reason That Blocks Billing"
    _inherit = "healthcare.code.mixin"
    _order = "sequence, code, id"

    name = fields.Char(translate=True)
    description = fields.Text("Why", required=True, translate=True)
    remedy = fields.Text("What Mends It", required=True, translate=True)
    sequence = fields.Integer(default=100, help="Order in which the reasons of a charge are told.")
    mend_target = fields.Selection(
        [
            ("appointment", "Appointment"),
            ("charge", "Charge"),
            ("billing_account", "Billing account"),
            ("client", "Client"),
            ("payer", "Payer"),
            ("product", "Service"),
            ("employee", "Care provider"),
            ("authorization", "Authorization"),
            ("company", "Company"),
            ("none", "Nothing to mend"),
        ],
        "Mended On",
        required=True,
        default="none",
        help="The record that the button of this reason opens.",
    )
    has_mend_button = fields.Boolean(
        compute="_compute_has_mend_button",
        help="Something can be mended elsewhere, or in one step.",
    )

    @api.depends("code", "mend_target")
    @api.depends_context("healthcare_mend_appointment_id")
    def _compute_has_mend_button(self):
        """On the appointment itself, what is mended by filling in its form needs no button."""
        on_appointment = self.env.context.get("healthcare_mend_appointment_id")
        appointment = self.env["healthcare.appointment"].browse(on_appointment)
        steps = set(MEND_STEPS) if on_appointment else set()
        if on_appointment and not appointment.can_sign_note:
            steps.discard("unsigned_note")
        for reason in self:
            opens = reason.mend_target != "none" and not (
                on_appointment and reason.mend_target == "appointment"
            )
            reason.has_mend_button = opens or reason.code in steps

    def _compute_display_name(self):
        """Billers read the words; the code is the engine's."""
        for reason in self:
            reason.display_name = reason.name

    def action_mend(self):
        """Mend this reason of the appointment in the context: do the step, or open the record."""
        self.ensure_one()
        appointment = self.env["healthcare.appointment"].browse(
            self.env.context.get("healthcare_mend_appointment_id")
        )
        if self.code in MEND_STEPS:
            return getattr(appointment, MEND_STEPS[self.code])()
        reasons = self.env["healthcare.billing.engine"]._block_reasons(appointment.charge_ids)
        blocked = appointment.charge_ids.filtered(
            lambda c: self in reasons.get(c.id, self.browse())
        )
        return (blocked or appointment.charge_ids)[:1]._mend_action(self)
