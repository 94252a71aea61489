from odoo import api, fields, models
from odoo.fields import Domain


class ResPartner(models.Model):
    """What clients and payers paid and isn't applied yet."""

    _inherit = "res.partner"

    care_on_account = fields.Monetary(
        string="On Account",
        compute="_compute_care_on_account",
        compute_sudo=True,
        groups="healthcare_billing.group_billing_user",
        help="Received, in this company, and not applied to an invoice yet.",
    )

    @api.depends_context("company")
    def _compute_care_on_account(self):
        amounts = {
            partner.id: -amount
            for partner, amount in self.env["account.move.line"]._read_group(
                self._on_account_domain(), ["partner_id"], ["amount_residual:sum"]
            )
        }
        for partner in self:
            partner.care_on_account = amounts.get(partner.commercial_partner_id.id, 0.0)

    def _on_account_domain(self):
        """Domain on journal items: money of these partners that isn't applied."""
        return (
            self.env["account.move.line"]._money_on_account_domain()
            & Domain("partner_id", "in", self.commercial_partner_id.ids)
            & Domain("company_id", "=", self.env.company.id)
        )

    def action_receive_payment(self):
        """Receive what this client or payer pays.

        :return: window action on a new ``healthcare.receive.payment``
        """
        self.ensure_one()
        return self.env["healthcare.receive.payment"]._open_for_partner(self)

    def action_view_on_account(self):
        """Open the payments of which something isn't applied yet."""
        self.ensure_one()
        lines = self.env["account.move.line"].search(self._on_account_domain())
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.account_payment_action_care"
        )
        return {
            **action,
            "domain": [("move_id", "in", lines.move_id.ids)],
            "context": {"create": False},
        }

    def action_refund_for_care(self):
        """Pay back credits for care, and money on account.

        :return: window action on a new ``healthcare.refund.payment``
        """
        self.ensure_one()
        return self.env["healthcare.refund.payment"]._open_for_partner(self)
