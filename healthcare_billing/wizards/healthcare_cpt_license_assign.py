from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_list


class HealthcareCptLicenseAssign(models.TransientModel):
    """Choose care providers, a year and a fee; ``healthcare.cpt.license._assign`` does the rest."""

    _name = "healthcare.cpt.license.assign"
    _description = "Assign CPT License"

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    year = fields.Integer(required=True, default=lambda self: self.env.company._care_today().year)
    fee = fields.Monetary(
        "Fee per License",
        required=True,
        default=lambda self: self.env.company.healthcare_license_fee,
    )
    # public profiles: billing managers may not access employees, and the ids are the same
    employee_ids = fields.Many2many("hr.employee.public", string="Care Providers")
    renew = fields.Boolean(
        "Renew Every January",
        default=True,
        help="Switches CPT code access on. Without it, the license ends with the year.",
    )
    license_ids = fields.Many2many(
        "healthcare.cpt.license",
        string="Have One Already",
        compute="_compute_license_ids",
    )
    assign_count = fields.Integer("Licenses to Assign", compute="_compute_license_ids")
    amount = fields.Monetary("Sum", compute="_compute_license_ids")
    already_text = fields.Char(compute="_compute_license_ids")

    @api.model
    def default_get(self, fields):
        defaults = super().default_get(fields)
        context = self.env.context
        if "employee_ids" in fields and context.get("active_model") in (
            "hr.employee",
            "hr.employee.public",
        ):
            defaults.setdefault("employee_ids", context.get("active_ids"))
        return defaults

    @api.depends("employee_ids", "year", "fee")
    def _compute_license_ids(self):
        for wizard in self:
            employees = wizard._employees()
            licenses = self.env["healthcare.cpt.license"]._holders(employees, wizard.year)
            wizard.license_ids = licenses
            wizard.assign_count = len(employees) - len(licenses)
            wizard.amount = wizard.assign_count * wizard.fee
            wizard.already_text = False
            if licenses:
                wizard.already_text = self.env._(
                    "Have one for %(year)s already: %(names)s.",
                    year=wizard.year,
                    names=format_list(self.env, licenses.employee_id.mapped("name")),
                )

    def _employees(self):
        return self.env["hr.employee"].browse(self.employee_ids._origin.ids)

    def action_assign(self):
        """Assign, and show the licenses of these care providers and that year."""
        self.ensure_one()
        if not self.employee_ids:
            raise UserError(self.env._("Choose the care providers who need a CPT license."))
        if not 2000 <= self.year <= 2100:
            raise UserError(self.env._("Enter the year as four digits."))
        self._check_companies()
        licenses = self.env["healthcare.cpt.license"]
        employees = self._employees()
        licenses._assign(employees, self.year, self.fee)
        if self.renew:
            off = self.employee_ids.filtered(lambda profile: not profile.cpt_access)
            self.env["hr.employee"].browse(off.ids)._write_provider_details({"cpt_access": True})
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "healthcare_billing.healthcare_cpt_license_action"
            ),
            "domain": [("id", "in", licenses._holders(employees, self.year).ids)],
            "context": {},
        }

    def _check_companies(self):
        """The fee is in one currency, and each license is its own company's."""
        if others := self.employee_ids.filtered(lambda own: own.company_id != self.company_id):
            raise UserError(
                self.env._(
                    "These care providers belong to another company: %s. Switch to it first.",
                    format_list(self.env, others.mapped("name")),
                )
            )
