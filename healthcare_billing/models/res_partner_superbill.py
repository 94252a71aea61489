from odoo import fields, models


class ResPartner(models.Model):
    """The superbills of a client."""

    _inherit = "res.partner"

    superbill_count = fields.Integer(
        compute="_compute_superbill_count", groups="healthcare_billing.group_coordinator"
    )

    def _compute_superbill_count(self):
        counts = dict(
            self.env["healthcare.superbill"]._read_group(
                [("client_id", "in", self.ids)], ["client_id"], ["__count"]
            )
        )
        for partner in self:
            partner.superbill_count = counts.get(partner, 0)

    def action_view_superbills(self):
        """Open the superbills of this client, replaced and void ones, too."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_superbill_action"
        )
        return {
            **action,
            "domain": [("client_id", "=", self.id)],
            "context": {"superbill_client_id": self.id},
        }

    def action_superbill(self):
        """Ask for dates and providers of a new superbill of this client."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_superbill_period_action"
        )
        return {**action, "context": {"default_client_id": self.id}}
