from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError


class HealthcareSuperbillPeriod(models.TransientModel):
    """A client's superbills for a range of dates: asked for here, shown by the preview."""

    _name = "healthcare.superbill.period"
    _description = "Dates of a Superbill"

    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company,
        domain=lambda self: [("id", "in", self.env.companies.ids)],
    )
    client_id = fields.Many2one(
        "res.partner", required=True, domain="[('is_healthcare_client', '=', True)]"
    )
    date_from = fields.Date(
        required=True,
        default=lambda self: (
            self.env.company._care_today().replace(day=1) - relativedelta(months=1)
        ),
    )
    date_to = fields.Date(
        required=True,
        default=lambda self: self.env.company._care_today().replace(day=1) - relativedelta(days=1),
        help="Last day of care on the superbill.",
    )
    # public profiles: billers may not access employees, and the ids are the same
    employee_ids = fields.Many2many("hr.employee.public", string="Providers")

    @api.constrains("date_from", "date_to")
    def _check_dates(self):
        if any(wizard.date_to < wizard.date_from for wizard in self):
            raise UserError(self.env._("The range of dates ends before it starts."))

    def _charges(self):
        """The client's care in these dates."""
        self.ensure_one()
        domain = [
            ("company_id", "=", self.company_id.id),
            ("client_id", "=", self.client_id.id),
            ("service_date", ">=", self.date_from),
            ("service_date", "<=", self.date_to),
            ("kind", "=", "service"),
            ("parent_id", "=", False),
        ]
        if self.employee_ids:
            domain.append(("employee_id", "in", self.employee_ids.ids))
        return self.env["healthcare.charge"].search(domain)

    def action_preview(self):
        """Show what the superbills of these dates would say, and what is missing."""
        charges = self._charges()
        if not charges:
            raise UserError(
                self.env._(
                    "%s had no care in these dates. Choose other ones.", self.client_id.display_name
                )
            )
        return self.env["healthcare.superbill.preview"]._open(charges)
