from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ..tools.codes import is_valid_npi, is_valid_taxonomy_code

# What a claim says about a care provider, and all that a biller may change on an employee.
PROVIDER_FIELDS = ("npi", "taxonomy_code", "is_rendering_provider", "credentials")
# Those that cost money every year: only billing managers change them.
LICENSE_FIELDS = ("cpt_access",)


class HrEmployee(models.Model):
    """An employee who gives care.

    The fields are not private, and hr.employee.public has the same ones: billers read and search
    them without any right on Employees, and maintain them through ``_write_provider_details``.
    """

    _inherit = "hr.employee"

    is_rendering_provider = fields.Boolean(
        "Rendering Provider", tracking=True, help="Named on claims as the one who gave the care."
    )
    npi = fields.Char(
        "NPI",
        copy=False,
        tracking=True,
        help="National Provider Identifier of this person: ten digits.",
    )
    taxonomy_code = fields.Char(
        tracking=True,
        help="Provider taxonomy: the specialty under which this person bills, ten characters.",
    )
    credentials = fields.Char(
        tracking=True, help="Letters after the name on claims and superbills, such as LCSW or RN."
    )
    cpt_access = fields.Boolean(
        "CPT Code Access",
        copy=False,
        tracking=True,
        help="The CPT license of this person is renewed every 1 January. Switched on when one is "
        "assigned. Switched off, a paid license still holds until 31 December.",
    )

    @api.constrains("npi")
    def _check_npi(self):
        for employee in self:
            if employee.npi and not is_valid_npi(employee.npi):
                raise ValidationError(
                    self.env._(
                        "%(npi)s is not a National Provider Identifier: it has ten digits, the "
                        "last of which is a check digit. Please compare it with the NPI registry.",
                        npi=employee.npi,
                    )
                )

    @api.constrains("taxonomy_code")
    def _check_taxonomy_code(self):
        for employee in self:
            if employee.taxonomy_code and not is_valid_taxonomy_code(employee.taxonomy_code):
                raise ValidationError(
                    self.env._(
                        "%(code)s is not a provider taxonomy code: it has three digits, six "
                        "digits or capital letters, and an X at the end.",
                        code=employee.taxonomy_code,
                    )
                )

    @api.constrains("npi", "company_id", "active")
    def _check_npi_unique(self):
        """An NPI is one person's, who has one active employee per company."""
        for employee in self.filtered(lambda e: e.npi and e.active):
            other = employee._same_npi(employee.npi).filtered(
                lambda e, company=employee.company_id: e.active and e.company_id == company
            )[:1]
            if other:
                raise ValidationError(
                    self.env._(
                        "%(name)s already has the NPI %(npi)s. Each person has their own.",
                        name=other.name,
                        npi=employee.npi,
                    )
                )

    @api.onchange("npi", "taxonomy_code")
    def _onchange_provider_codes(self):
        """Take what is pasted from the registry: spaces and small letters don't matter."""
        for employee in self:
            employee.npi = "".join((employee.npi or "").split()) or False
            employee.taxonomy_code = (employee.taxonomy_code or "").strip().upper() or False
        return self._npi_warning(self.npi)

    def _same_npi(self, npi):
        """The other employees with this NPI, archived ones and those of other companies too."""
        if not npi:
            return self.browse()
        # sudo: an NPI is unique beyond what the user may see; only names and dates get out
        return (
            self.sudo()
            .with_context(active_test=False)
            .search([("npi", "=", npi), ("id", "not in", self._origin.ids)])
        )

    def _npi_warning(self, npi):
        """A warning for the form when someone else has this NPI, or None."""
        others = self._same_npi(npi)
        if not others:
            return None
        # who it is, is told only of employees whose public profile the user may see
        visible = self.env["hr.employee.public"].browse(others.ids)._filtered_access("read")[:1]
        return {
            "warning": {
                "title": self.env._("NPI in use"),
                "message": self.env._(
                    "%(name)s has the NPI %(npi)s too. That is right only if it is the same "
                    "person: someone employed by several companies, or hired again.",
                    name=visible.name or self.env._("An employee of another company"),
                    npi=npi,
                ),
            }
        }

    def _write_provider_details(self, vals):
        """Write the claim data of care providers on behalf of a biller without HR rights.

        :param dict vals: values of ``PROVIDER_FIELDS`` and, by a billing manager, of
            ``LICENSE_FIELDS``; no others
        """
        if not self.env.su and not self.env.user.has_group("healthcare_billing.group_billing_user"):
            raise AccessError(
                self.env._("Only billing users can change the billing details of care providers.")
            )
        if set(vals) & set(LICENSE_FIELDS) and not (
            self.env.su or self.env.user.has_group("healthcare_billing.group_billing_manager")
        ):
            raise AccessError(self.env._("Only billing managers can change CPT code access."))
        if private := set(vals) - {*PROVIDER_FIELDS, *LICENSE_FIELDS}:
            raise AccessError(
                self.env._("Not billing details of a care provider: %s", ", ".join(sorted(private)))
            )
        # the rules of the public profile (companies) hold for this door too
        self.env["hr.employee.public"].browse(self.ids).check_access("read")
        # sudo: billers have no write access to employees; the fields were limited just above
        return self.sudo().write(vals)
