from odoo import api, fields, models
from odoo.fields import Domain

# What decides the price of charges to come.
PRICING_FIELDS = {"default_product_id", "default_fee", "has_default_fee", "rate_ids"}
UNBILLED_STAGES = ("planned", "qa", "billing_office")
INVOICED_STAGES = ("draft", "awaiting_payment", "finished")
# Kinds that have a price of their own; adjustments and transfers follow what they correct.
PRICED_KINDS = ("service", "premium", "expense", "fixed_fee")


class HealthcareBillingAccount(models.Model):
    """A changed default service or fee touches no charge silently (R2): it offers to reprice."""

    _inherit = "healthcare.billing.account"

    default_rate_id = fields.Many2one(
        "healthcare.billing.account.rate",
        compute="_compute_default_rate_id",
        help="The rate of the default service: it comes before the default fee.",
    )

    @api.depends("default_product_id", "rate_ids.product_id")
    def _compute_default_rate_id(self):
        for account in self:
            account.default_rate_id = account.rate_ids.filtered(
                lambda rate, service=account.default_product_id: (
                    service and rate.product_id == service
                )
            )[:1]

    def write(self, vals):
        if "default_product_id" in vals:
            # which default an appointment took must be known before that default is gone
            self.env["healthcare.appointment"].flush_model(["product_source"])
        return super().write(vals)

    def _repriceable_charges(self, stages, date_from=False):
        """Charges of these accounts that have a price of their own.

        :param stages: billing stages
        :param date date_from: first day of care, default all
        :return: ``healthcare.charge`` recordset in order of service
        """
        domain = Domain("billing_account_id", "in", self.ids)
        domain &= Domain("parent_id", "=", False) & Domain("kind", "in", PRICED_KINDS)
        domain &= Domain("billing_stage", "in", stages)
        if date_from:
            domain &= Domain("service_date", ">=", date_from)
        return self.env["healthcare.charge"].search(domain, order="service_date, id")

    def action_reprice(self):
        """Show every charge that the defaults of these accounts would price otherwise today.

        :return: window action on a new ``healthcare.reprice``
        """
        return self.env["healthcare.reprice"]._open(self)

    def action_reprice_if_affected(self):
        """What a form does after a default was saved: the dialog, if any unbilled charge differs.

        Who may change defaults, but not reprice, is told that the charges stay as they are.

        :return: window action, notification or False
        """
        affected = self._repriceable_charges(UNBILLED_STAGES)._reprice_proposals()
        if not affected:
            return False
        if self.env["healthcare.reprice"].has_access("create"):
            return self.action_reprice()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info",
                "message": self.env._(
                    "Unbilled charges keep their service and fee: %s. A billing user can reprice "
                    "them.",
                    len(affected),
                ),
            },
        }
