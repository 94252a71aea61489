from odoo import fields, models


class HealthcareBlockReason(models.Model):
    """The words for a reason that keeps a charge from being billed, and for what mends it.

    Which charges a reason blocks is decided by the billing engine, which knows it by ``code``;
    nothing is stored on the charge. The rows come with the addon and are read-only in it.
    """

    _name = "healthcare.block.reason"
    _description = "Reason That Blocks Billing"
    _inherit = "healthcare.code.mixin"
    _order = "sequence, code, id"

    name = fields.Char(translate=True)
    description = fields.Text("Why", required=True, translate=True)
    remedy = fields.Text("What Mends It", required=True, translate=True)
    sequence = fields.Integer(default=100, help="Order in which the reasons of a charge are told.")
    mend_target = fields.Selection(
        [
            ("appointment", "Appointment"),
            ("charge", "Charge"),
            ("billing_account", "Billing account"),
            ("client", "Client"),
            ("payer", "Payer"),
            ("product", "Service"),
            ("employee", "Care provider"),
            ("authorization", "Authorization"),
            ("company", "Company"),
            ("none", "Nothing to mend"),
        ],
        "Mended On",
        required=True,
        default="none",
        help="The record that the button of this reason opens.",
    )

    def _compute_display_name(self):
        """Billers read the words; the code is the engine's."""
        for reason in self:
            reason.display_name = reason.name
