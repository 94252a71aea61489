from odoo import api, fields, models

from ..models.hr_employee import LICENSE_FIELDS, PROVIDER_FIELDS


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
    cpt_access = fields.Boolean(
        "CPT Code Access",
        help="The CPT license is renewed every 1 January. Switched off, a paid one still holds "
        "until 31 December.",
    )

    @api.model
    def default_get(self, fields):
        defaults = super().default_get(fields)
        # the ids of employees and of their public profiles are the same
        if employee_id := defaults.get("employee_id"):
            profile = self.env["hr.employee.public"].browse(employee_id)
            names = (*PROVIDER_FIELDS, *LICENSE_FIELDS)
            defaults |= {name: profile[name] for name in names if name in fields}
        return defaults

    @api.onchange("npi", "taxonomy_code")
    def _onchange_provider_codes(self):
        self.npi = "".join((self.npi or "").split()) or False
        self.taxonomy_code = (self.taxonomy_code or "").strip().upper() or False
        return self.employee_id._npi_warning(self.npi)

    def action_save(self):
        self.ensure_one()
        vals = {name: self[name] for name in PROVIDER_FIELDS}
        profile = self.env["hr.employee.public"].browse(self.employee_id.id)
        vals |= {name: self[name] for name in LICENSE_FIELDS if self[name] != profile[name]}
        self.employee_id._write_provider_details(vals)
        return {"type": "ir.actions.act_window_close"}
