from odoo import api, fields, models

from ..models.hr_employee import PROVIDER_FIELDS


class HealthcareProviderDetails(models.TransientModel):
    """A biller edits what claims say about a care provider.

    Billers see employees only as public profiles, which are read-only. All checks and the write
    itself are ``hr.employee._write_provider_details``.
    """

    _name = "healthcare.provider.details"
    _description = "Edit Provider Details"

    employee_id = fields.Many2one(
        "hr.employee", "Care Provider", required=True, readonly=True, ondelete="cascade"
    )
    is_rendering_provider = fields.Boolean(
        "Rendering Provider", help="Named on claims as the one who gave the care."
    )
    npi = fields.Char("NPI")
    taxonomy_code = fields.Char()
    credentials = fields.Char(help="Such as LCSW or RN.")

    @api.model
    def default_get(self, fields):
        defaults = super().default_get(fields)
        # the ids of employees and of their public profiles are the same
        if employee_id := defaults.get("employee_id"):
            profile = self.env["hr.employee.public"].browse(employee_id)
            defaults |= {name: profile[name] for name in PROVIDER_FIELDS if name in fields}
        return defaults

    @api.onchange("npi", "taxonomy_code")
    def _onchange_provider_codes(self):
        self.npi = "".join((self.npi or "").split()) or False
        self.taxonomy_code = (self.taxonomy_code or "").strip().upper() or False
        return self.employee_id._npi_warning(self.npi)

    def action_save(self):
        self.ensure_one()
        self.employee_id._write_provider_details({name: self[name] for name in PROVIDER_FIELDS})
        return {"type": "ir.actions.act_window_close"}
