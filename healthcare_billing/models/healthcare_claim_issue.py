from odoo import api, fields, models


class HealthcareClaimIssue(models.Model):
    """The words for something that a claim lacks, and for what mends it.

    Which claims lack it is decided by one SQL condition per ``code``
    (``healthcare.claim._issue_conditions``); nothing is stored on the claim. The rows come with the
    addon and are read-only in it.
    """

    _name = "healthcare.claim.issue"
    _description = "Missing on a Claim"
    _inherit = "healthcare.code.mixin"
    _order = "severity, sequence, code, id"

    name = fields.Char(translate=True)
    remedy = fields.Text("What Mends It", required=True, translate=True)
    sequence = fields.Integer(default=100, help="Order in which the issues of a claim are told.")
    severity = fields.Selection(
        [("error", "Must be mended"), ("warning", "Look at it")],
        required=True,
        default="error",
        help="A claim can't be submitted while something must be mended.",
    )
    mend_target = fields.Selection(
        [
            ("claim", "The claim itself"),
            ("client", "Client"),
            ("coverage", "Coverage"),
            ("subscriber", "Subscriber"),
            ("payer", "Payer"),
            ("employee", "Rendering provider"),
            ("billing_employee", "Billing provider"),
            ("license", "CPT license"),
            ("practice", "Practice"),
            ("company", "Address of the practice"),
            ("billing_account", "Billing account"),
            ("invoice", "Invoice"),
        ],
        "Mended On",
        required=True,
        default="claim",
        help="The record that the button of this issue opens.",
    )
    has_mend_button = fields.Boolean(compute="_compute_has_mend_button")

    @api.depends("mend_target")
    def _compute_has_mend_button(self):
        """What is mended by filling in the claim's own form needs no button."""
        for issue in self:
            issue.has_mend_button = issue.mend_target != "claim"

    def _compute_display_name(self):
        """Billers read the words; the code is the check's."""
        for issue in self:
            issue.display_name = issue.name

    def action_mend(self):
        """Open the record that mends this issue of the claim in the context."""
        self.ensure_one()
        claim = self.env["healthcare.claim"].browse(self.env.context["healthcare_mend_claim_id"])
        return claim._mend_action(self)
