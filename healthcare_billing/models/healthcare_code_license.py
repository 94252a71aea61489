from odoo import api, fields, models
from odoo.exceptions import UserError


class HealthcareCodeLicense(models.Model):
    """The practice's own license of a code set, without which its codes can't be imported.

    Nothing of a licensed code set comes with this addon: the practice brings its own list.
    """

    _name = "healthcare.code.license"
    _description = "Code Set License"
    _inherit = "mail.thread"
    _order = "date_to desc, id desc"
    _rec_names_search = ("number", "holder")
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    code_system = fields.Selection(
        [("cpt", "CPT")], "Code Set", required=True, default="cpt", tracking=True
    )
    holder = fields.Char(
        "License Holder",
        required=True,
        tracking=True,
        default=lambda self: self.env.company.name,
        help="To whom the license was issued.",
    )
    number = fields.Char("License Number", required=True, tracking=True)
    release_year = fields.Integer(
        required=True,
        tracking=True,
        aggregator=None,
        default=lambda self: self.env.company._care_today().year,
        help="The yearly release of the code set that is licensed.",
    )
    date_from = fields.Date(
        "Valid From",
        required=True,
        tracking=True,
        default=lambda self: self.env.company._care_today().replace(month=1, day=1),
    )
    date_to = fields.Date(
        "Valid Until",
        required=True,
        tracking=True,
        default=lambda self: self.env.company._care_today().replace(month=12, day=31),
    )
    users_paid = fields.Integer(tracking=True, help="For how many users the license was paid.")
    users_licensed = fields.Integer(
        compute="_compute_users_licensed",
        help="Care providers with a CPT license for the release year, canceled ones left out.",
    )
    active = fields.Boolean(default=True)
    note = fields.Text()

    _dates_in_order = models.Constraint(
        "CHECK (date_from <= date_to)", "A license can't end before it begins."
    )
    _users_not_negative = models.Constraint(
        "CHECK (users_paid IS NULL OR users_paid >= 0)", "The number of users can't be negative."
    )

    @api.depends("code_system", "number", "release_year")
    def _compute_display_name(self):
        names = dict(self._fields["code_system"]._description_selection(self.env))
        for code_license in self:
            code_license.display_name = " ".join(
                str(part)
                for part in (
                    names.get(code_license.code_system),
                    code_license.release_year,
                    code_license.number,
                )
                if part
            )

    @api.depends("company_id", "release_year", "code_system")
    def _compute_users_licensed(self):
        counts = {
            (company.id, year): count
            for company, year, count in self.env["healthcare.cpt.license"]._read_group(
                [("company_id", "in", self.company_id.ids), ("state", "!=", "canceled")],
                ["company_id", "year"],
                ["__count"],
            )
        }
        for code_license in self:
            code_license.users_licensed = counts.get(
                (code_license.company_id.id, code_license.release_year), 0
            )

    @api.model
    def _licensed_systems(self):
        """Code systems that need a license of the practice."""
        return [value for value, _name in self._fields["code_system"].selection]

    @api.model
    def _check_import(self, company, systems):
        """Refuse the import of codes whose code set the company has no license of today.

        The words are the same for each row, so that the import screen shows them once, with all
        rows that they are about.

        :param company: ``res.company`` record
        :param systems: licensed code systems of the codes that are imported
        """
        today = company._care_today()
        # sudo: whoever may import services need not be allowed to read licenses
        valid = (
            self.sudo()
            .search(
                [
                    *self._check_company_domain(company),
                    ("code_system", "in", list(systems)),
                    ("date_from", "<=", today),
                    ("date_to", ">=", today),
                ]
            )
            .mapped("code_system")
        )
        names = dict(self._fields["code_system"]._description_selection(self.env))
        for system in systems:
            if system not in valid:
                raise UserError(
                    self.env._(
                        "%(system)s codes are licensed, and %(company)s has no license that is "
                        "valid today. Enter it under Care Billing > Configuration > CPT Licenses > "
                        "Code Set Licenses, then import again. A local code that only looks like "
                        "one needs the value Local in the column Code System.",
                        system=names[system],
                        company=company.name,
                    )
                )
