from odoo import fields, models


class HealthcareBillingAccountDiagnosis(models.Model):
    """A client's diagnosis, with the days on which it was made and resolved.

    Payers reject care under a diagnosis that was made after it, and the first one in the list is
    the primary one on claims and superbills.
    """

    _name = "healthcare.billing.account.diagnosis"
    _description = "Billing Account Diagnosis"
    _inherit = "healthcare.computed.mixin"
    _order = "account_id, sequence, id"
    _rec_name = "diagnosis_id"

    account_id = fields.Many2one(
        "healthcare.billing.account", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True, precompute=True)
    sequence = fields.Integer(default=10)
    diagnosis_id = fields.Many2one("healthcare.diagnosis", required=True, ondelete="restrict")
    diagnosed_on = fields.Date(help="Day on which it was diagnosed. Empty: before any care here.")
    resolved_on = fields.Date(help="Last day of care to which it applies. Empty: it still does.")

    _account_diagnosis_unique = models.UniqueIndex(
        "(account_id, diagnosis_id)", "This diagnosis is already in the client's list."
    )
    _check_days = models.Constraint(
        "CHECK (resolved_on IS NULL OR diagnosed_on IS NULL OR resolved_on >= diagnosed_on)",
        "A diagnosis can't be resolved before it was made.",
    )

    def _is_made_by(self, day):
        """Whether the diagnosis was known on a day of care."""
        self.ensure_one()
        return not self.diagnosed_on or self.diagnosed_on <= day

    def _applies_on(self, day):
        """Whether the diagnosis was known and not yet resolved on a day of care."""
        return self._is_made_by(day) and (not self.resolved_on or self.resolved_on >= day)
