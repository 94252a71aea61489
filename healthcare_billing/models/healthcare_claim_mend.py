from odoo import models
from odoo.exceptions import UserError

# What a provider lacks by which issue; others are about the taxonomy code.
LACKING_FIELDS = {"provider_npi": "npi", "provider_not_rendering": "is_rendering_provider"}


class HealthcareClaim(models.Model):
    """The record that the button of an issue opens."""

    _inherit = "healthcare.claim"

    def _mend_action(self, issue):
        """Open the record on which an issue can be mended.

        :param issue: ``healthcare.claim.issue`` record
        :return: window action
        """
        self.ensure_one()
        if issue.mend_target in ("practice", "company"):
            return self._mend_practice_action(issue)
        if issue.mend_target in ("employee", "billing_employee"):
            return {
                **self.env["ir.actions.act_window"]._for_xml_id(
                    "healthcare_billing.healthcare_provider_details_action"
                ),
                "context": {"default_employee_id": self._provider_to_mend(issue).id},
            }
        if issue.mend_target == "license" and (missing := self._first_missing_license()):
            return self.env["healthcare.cpt.license"]._mend_action(*missing)
        target = {
            "client": self.client_id,
            "coverage": self.coverage_id,
            "subscriber": self.coverage_id.subscriber_id,
            "payer": self.payer_id,
            "billing_account": self.billing_account_id,
            "invoice": self.invoice_ids[:1],
        }.get(issue.mend_target) or self
        return {
            "type": "ir.actions.act_window",
            "name": issue.name,
            "res_model": target._name,
            "res_id": target.id,
            "views": [(False, "form")],
            "target": "new" if target._name not in ("account.move", self._name) else "current",
        }

    def _provider_to_mend(self, issue):
        """The first provider of the claim of whom the issue holds."""
        if issue.mend_target == "billing_employee":
            return self.billing_provider_id
        providers = self.line_ids.rendering_provider_id
        name = LACKING_FIELDS.get(issue.code, "taxonomy_code")
        # the ids of employees and of their public profiles are the same
        profiles = self.env["hr.employee.public"].browse(providers.ids)
        lacking = profiles.filtered(lambda profile: not profile[name])
        return providers.browse(lacking[:1].id) or providers[:1]

    def _mend_practice_action(self, issue):
        """The practice's own data is the administrator's."""
        if not self.env.user.has_group("base.group_system"):
            raise UserError(
                self.env._(
                    "%(issue)s: this is part of the settings of %(company)s. Please ask an "
                    "administrator.",
                    issue=issue.name,
                    company=self.company_id.display_name,
                )
            )
        if issue.mend_target == "practice":
            return self.env["ir.actions.act_window"]._for_xml_id(
                "healthcare_billing.res_config_settings_action"
            )
        return {
            "type": "ir.actions.act_window",
            "name": issue.name,
            "res_model": "res.company",
            "res_id": self.company_id.id,
            "views": [(False, "form")],
            "target": "current",
        }
