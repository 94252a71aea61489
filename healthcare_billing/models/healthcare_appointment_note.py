from odoo import api, fields, models
from odoo.exceptions import UserError


class HealthcareAppointment(models.Model):
    """The session note: who signs it, and who has to sign, too.

    Policy *approve*: one signature is enough: the provider's, or that of who stands in as their
    supervisor (the provider's manager, a billing manager). Policy *cosign*: the note of a provider
    who has a manager is signed when both of them signed. Nobody else signs for a provider who can
    log in.
    """

    _inherit = "healthcare.appointment"

    can_sign_note = fields.Boolean(
        compute="_compute_can_sign_note",
        compute_sudo=True,  # who the provider's manager is, isn't for everybody to read
        help="The signature of the present user is missing.",
    )
    is_cosign_awaited = fields.Boolean(
        compute="_compute_can_sign_note",
        compute_sudo=True,
        string="Waits for the Supervisor",
        help="The provider signed; the co-signature is missing.",
    )

    @api.depends_context("uid")
    @api.depends(
        "state",
        "note_state",
        "note_signed_by_id",
        "note_cosigned_by_id",
        "employee_id",
        "company_id.healthcare_note_policy",
    )
    def _compute_can_sign_note(self):
        for appointment in self:
            is_open = appointment.state == "completed" and appointment.note_state != "signed"
            signed, cosigned = appointment.note_signed_by_id, appointment.note_cosigned_by_id
            supervised = appointment._is_supervised()
            role = appointment._signing_role(self.env.user) if is_open else None
            appointment.can_sign_note = (role == "provider" and not (signed and supervised)) or (
                role == "supervisor" and not cosigned
            )
            appointment.is_cosign_awaited = bool(is_open and supervised and signed and not cosigned)

    def _is_supervised(self):
        """Whether the provider's manager signs, too."""
        self.ensure_one()
        policy = self.company_id.healthcare_note_policy
        return policy == "cosign" and bool(self.employee_id.parent_id)

    def _signing_role(self, user):
        """As whom a user signs.

        :return: ``provider`` (anybody of the office, for a provider without a login),
            ``supervisor`` or None
        """
        self.ensure_one()
        provider = self.employee_user_id
        if user == provider or not (provider or self._is_supervised()):
            return "provider"
        if user == self.employee_id.parent_id.user_id or user.has_group(
            "healthcare_billing.group_billing_manager"
        ):
            return "supervisor"
        return None if provider else "provider"

    def action_sign_note(self):
        """Sign the session note; where the company asks for it, the manager signs too.

        :return: a notification, if the signature of somebody else is still missing
        """
        for appointment in self:
            appointment._sign_note(self.env.user)
        waiting = self.filtered("is_cosign_awaited")
        return waiting._cosign_notification() if waiting else None

    def _cosign_notification(self):
        supervisors = self.sudo().employee_id.parent_id  # sudo: see can_sign_note
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info",
                "message": self.env._(
                    "Signed. Waits for the supervisor: %s.",
                    ", ".join(supervisors.mapped("name")),
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _sign_note(self, user):
        """Record one signature. The supervisor signs for a provider without a login, too."""
        self.ensure_one()
        self.check_access("write")
        # sudo: nobody signs by writing fields, not even the own note; this method decides who may
        appointment = self.sudo()
        if appointment.note_state == "signed":
            return
        role = appointment._signing_role(user)
        if not role:
            raise UserError(
                self.env._(
                    "%s: only the provider signs this note, or as their supervisor the provider's "
                    "manager or a billing manager.",
                    self.name,
                )
            )
        by_provider = role == "provider" or not appointment.employee_user_id
        signed = appointment.note_signed_by_id or (by_provider and user)
        cosigned = appointment.note_cosigned_by_id or (role == "supervisor" and user)
        supervised = appointment._is_supervised()
        complete = (signed and cosigned) if supervised else (signed or cosigned)
        appointment.write(
            {
                "note_signed_by_id": signed and signed.id,
                "note_cosigned_by_id": cosigned and cosigned.id,
                "note_state": "signed" if complete else "draft",
            }
        )
