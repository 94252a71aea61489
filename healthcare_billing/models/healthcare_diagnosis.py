from odoo import fields, models


class HealthcareDiagnosis(models.Model):
    """A diagnosis code (ICD-10-CM in the United States), written with its dot."""

    _name = "healthcare.diagnosis"
    _description = "Diagnosis Code"
    _inherit = "healthcare.code.mixin"

    valid_from = fields.Date(help="First date of service that this code may stand on.")
    valid_to = fields.Date(help="Last date of service that this code may stand on.")

    _valid_period = models.Constraint(
        "CHECK (valid_from IS NULL OR valid_to IS NULL OR valid_from <= valid_to)",
        "A diagnosis code can't stop being valid before it starts.",
    )
