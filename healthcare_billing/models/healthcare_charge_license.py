from odoo import fields, models


class HealthcareCharge(models.Model):
    """R8: a missing CPT license is mended where licenses are."""

    _inherit = "healthcare.charge"

    def _mend_action(self, reason):
        if reason.code != "missing_license" or not self.employee_id:
            return super()._mend_action(reason)
        return self.env["healthcare.cpt.license"]._mend_action(
            self.employee_id, self._license_year()
        )

    def _license_year(self):
        """The year whose license this charge needs.

        By invoice date: that in the context (``healthcare_invoice_date``), default today.
        """
        self.ensure_one()
        # sudo: a setting
        if self.company_id.sudo().healthcare_license_date == "service":
            return self.service_date.year
        day = self.env.context.get("healthcare_invoice_date")
        return (fields.Date.to_date(day) or fields.Date.context_today(self)).year
