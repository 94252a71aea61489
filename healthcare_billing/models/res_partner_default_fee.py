from odoo import api, fields, models
from odoo.fields import Command

from .res_partner import CARE_GROUPS

DEFAULT_FIELDS = ("care_default_product_id", "care_has_default_fee", "care_default_fee")


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
        "billing_account_ids.default_product_id",
        "billing_account_ids.has_default_fee",
        "billing_account_ids.default_fee",
        "billing_account_ids.rate_ids.product_id",
        "billing_account_ids.rate_ids.fee",
    )
    @api.depends_context("company")
    def _compute_care_defaults(self):
        for partner in self:
            account = partner.care_account_id
            rate = account.default_rate_id  # comes first, so it is the fee
            partner.care_default_product_id = account.default_product_id
            partner.care_has_default_fee = bool(rate) or account.has_default_fee
            partner.care_default_fee = rate.fee if rate else account.default_fee

    def _inverse_care_defaults(self):
        """Keep them on the account: in the rate of the service, where there is one.

        What was agreed for a service stays, unless a fee was given along with it.
        """
        fee_given = self.env.context.get("care_fee_given")
        for partner in self.filtered("care_account_id"):
            account = partner.care_account_id
            service = partner.care_default_product_id
            vals = {}
            if account.default_product_id != service:
                vals["default_product_id"] = service.id
            if fee_given:
                vals.update(partner._care_fee_values())
            if vals:
                account.write(vals)

    def _care_fee_values(self):
        """:return: values of the billing account that say the fee of the default service"""
        self.ensure_one()
        account, service = self.care_account_id, self.care_default_product_id
        has_fee, fee = self.care_has_default_fee, self.care_default_fee
        rate = account.rate_ids.filtered(lambda rate: service and rate.product_id == service)
        if not rate:
            return {"has_default_fee": has_fee, "default_fee": fee}
        if has_fee:
            return {"rate_ids": [Command.update(rate.id, {"fee": fee})]}
        return {"rate_ids": [Command.delete(rate.id)], "has_default_fee": False}

    @api.onchange("care_default_product_id")
    def _onchange_care_default_product_id(self):
        """A service that has a rate brings it along; that of another service stays there."""
        account = self.care_account_id
        rate = account.rate_ids.filtered(
            lambda rate: rate.product_id == self.care_default_product_id
        )
        if rate and self.care_default_product_id:
            self.care_has_default_fee = True
            self.care_default_fee = rate.fee
        elif account.default_rate_id:
            self.care_has_default_fee = account.has_default_fee
            self.care_default_fee = account.default_fee if account.has_default_fee else 0.0

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
        if not any(name in vals for name in DEFAULT_FIELDS):
            return super().write(vals)
        fee_given = "care_has_default_fee" in vals
        res = super(ResPartner, self.with_context(care_fee_given=fee_given)).write(vals)
        self.invalidate_recordset(DEFAULT_FIELDS, flush=False)  # what wasn't given follows
        return res

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
            lambda account: account.company_id == self.env.company
        )
