from odoo import api, fields, models

from .res_partner import CARE_GROUPS

DEFAULT_FIELDS = {
    "care_default_product_id": "default_product_id",
    "care_has_default_fee": "has_default_fee",
    "care_default_fee": "default_fee",
}


class ResPartner(models.Model):
    """Default service and fee of a client with one billing account: on the client's own form.

    A small practice never has to know what a billing account is.
    """

    _inherit = "res.partner"

    care_account_id = fields.Many2one(
        "healthcare.billing.account",
        compute="_compute_care_account_id",
        groups=CARE_GROUPS,
        help="The client's only billing account in this company.",
    )
    care_default_product_id = fields.Many2one(
        "product.product",
        string="Default Service",
        compute="_compute_care_defaults",
        inverse="_inverse_care_defaults",
        domain="[('is_healthcare_service', '=', True)]",
        groups=CARE_GROUPS,
    )
    care_has_default_fee = fields.Boolean(
        string="Own Fee",
        compute="_compute_care_defaults",
        inverse="_inverse_care_defaults",
        groups=CARE_GROUPS,
        help="The default service costs this client the fee given here. 0.00 is a fee too: free.",
    )
    care_default_fee = fields.Float(
        string="Fee",
        digits=(16, 4),
        min_display_digits=2,
        compute="_compute_care_defaults",
        inverse="_inverse_care_defaults",
        groups=CARE_GROUPS,
    )

    @api.depends("billing_account_ids.company_id", "billing_account_ids.active")
    @api.depends_context("company")
    def _compute_care_account_id(self):
        for partner in self:
            accounts = partner.billing_account_ids.filtered(
                lambda account: account.company_id == self.env.company
            )
            partner.care_account_id = accounts if len(accounts) == 1 else False

    @api.depends(
        "billing_account_ids.company_id",
        "billing_account_ids.active",
        *(f"billing_account_ids.{name}" for name in DEFAULT_FIELDS.values()),
    )
    @api.depends_context("company")
    def _compute_care_defaults(self):
        for partner in self:
            for name, source in DEFAULT_FIELDS.items():
                partner[name] = partner.care_account_id[source]

    def _inverse_care_defaults(self):
        for partner in self.filtered("care_account_id"):
            vals = {source: partner[name] for name, source in DEFAULT_FIELDS.items()}
            vals["default_product_id"] = partner.care_default_product_id.id
            account = partner.care_account_id
            # a fee that is the same is not written: it would count as given
            changed = {
                name: value
                for name, value in vals.items()
                if (account[name].id if name == "default_product_id" else account[name]) != value
            }
            if changed:
                account.write({**changed, "has_default_fee": vals["has_default_fee"]})

    @api.onchange("care_default_fee")
    def _onchange_care_default_fee(self):
        if self.care_default_fee:
            self.care_has_default_fee = True

    @api.model_create_multi
    def create(self, vals_list):
        """The account is made along with the client: only then its defaults can be kept."""
        given = [
            {name: vals[name] for name in DEFAULT_FIELDS if vals.get(name)} for vals in vals_list
        ]
        partners = super().create(
            [
                {name: value for name, value in vals.items() if name not in DEFAULT_FIELDS}
                for vals in vals_list
            ]
        )
        for partner, vals in zip(partners, given, strict=True):
            if vals:
                partner.write(vals)
        return partners

    def write(self, vals):
        if "care_default_fee" in vals:
            vals = {"care_has_default_fee": True, **vals}
        return super().write(vals)

    def action_reprice(self):
        """Show every charge of this client that today's defaults would price otherwise.

        :return: window action on a new ``healthcare.reprice``
        """
        return self._accounts_here().action_reprice()

    def action_reprice_if_affected(self):
        """See ``healthcare.billing.account``: for all accounts of the client."""
        return self._accounts_here().action_reprice_if_affected()

    def _accounts_here(self):
        return self.billing_account_ids.filtered(
            lambda account: account.company_id in self.env.companies
        )
