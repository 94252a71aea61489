from lxml import etree

from odoo import api, models


class HealthcareAppointment(models.Model):
    """Superbills of chosen appointments."""

    _inherit = "healthcare.appointment"

    @api.model
    def get_view(self, view_id=None, view_type="form", **options):
        """Buttons above a list take one group only: the station. Who can't issue gets none."""
        result = super().get_view(view_id, view_type, **options)
        if view_type == "list" and not self.env.user.has_group(
            "healthcare_billing.group_billing_user"
        ):
            arch = etree.fromstring(result["arch"])
            for button in arch.xpath("//header/button[@name='action_superbill']"):
                button.getparent().remove(button)
            result["arch"] = etree.tostring(arch, encoding="unicode")
        return result

    def action_superbill(self):
        """Show what the superbills of these appointments would say, and what is missing."""
        return self.env["healthcare.superbill.preview"]._open(self.charge_ids)

    def _sync_service_charges(self, touched, former_sources=None):
        """A diagnosis that was forgotten reaches invoiced care, too: no invoice names it."""
        result = super()._sync_service_charges(touched, former_sources)
        if "diagnosis_ids" in touched:
            # sudo: charges follow the appointment, whoever may change that
            charges = self.sudo()._service_charges()
            charges.filtered(
                lambda c: c.is_live and not c.diagnosis_ids
            )._take_diagnoses_from_appointment()
        return result
