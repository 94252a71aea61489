from odoo import fields, models


class HealthcarePlaceOfService(models.Model):
    """Where care happens (CMS place-of-service code)."""

    _name = "healthcare.place.of.service"
    _description = "Place of Service"
    _inherit = "healthcare.code.mixin"

    effective_from = fields.Date(help="First date of service that this code may stand on.")
    medicare_rate = fields.Selection(
        [("facility", "Facility"), ("nonfacility", "Non-facility")],
        help="Which of its two rates Medicare pays here.",
    )
    allowed_837p = fields.Boolean(
        "On Professional Claims", default=True, help="May stand on an 837P or CMS-1500 claim."
    )
