from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class HealthcareBillingAccount(models.Model):
    """Why an account isn't on the user's list of mass billing, and what mends it."""

    _inherit = "healthcare.billing.account"

    is_on_mass_list = fields.Boolean(
        string="On the List",
        compute="_compute_is_on_mass_list",
        search="_search_is_on_mass_list",
        help="On your open list of Mass Billing.",
    )

    @api.depends_context("uid", "company")
    def _compute_is_on_mass_list(self):
        listed = self.search([("id", "in", self.ids), ("is_on_mass_list", "=", True)])
        for account in self:
            account.is_on_mass_list = account._origin in listed

    @api.model
    def _search_is_on_mass_list(self, operator, value):
        if operator not in ("in", "not in"):
            return NotImplemented
        # sudo: one's own list; who may read no runs, as those who give care, has none
        run = self.env["healthcare.billing.run"].sudo()._own_mass_list()
        self.env["healthcare.billing.run.line"].flush_model(["run_id", "billing_account_id"])
        wanted = (True in value) == (operator == "in")
        return Domain("id", "in" if wanted else "not in", SQL("(%s)", run._mass_accounts_query()))

    def action_mend_mass_billing(self):
        """Open what keeps the account off the list: its draft, its blocked work, or itself."""
        self.ensure_one()
        drafts = self.env["account.move"].search(
            Domain("state", "=", "draft")
            & Domain("invoice_line_ids.charge_id.billing_account_id", "=", self.id)
        )
        if drafts:
            return self.env["account.move"]._care_invoices_action(drafts)
        run = self.env["healthcare.billing.run"]._own_mass_list()
        blocked = Domain("run_id", "=", run.id) & Domain(
            "charge_id.billing_account_id", "=", self.id
        )
        is_eligible = self.filtered_domain(self._mass_eligible_domain(run))
        if is_eligible and self.env["healthcare.billing.run.exclusion"].search_count(
            blocked, limit=1
        ):
            action = self.env["ir.actions.act_window"]._for_xml_id(
                "healthcare_billing.healthcare_billing_run_exclusion_action"
            )
            return {**action, "domain": list(blocked), "context": {}}
        return self.get_formview_action()
