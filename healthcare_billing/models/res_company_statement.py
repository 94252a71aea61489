from odoo import fields, models


class ResCompany(models.Model):
    """How a practice rebills what isn't paid, and when it gives up."""

    _inherit = "res.company"

    healthcare_collections_count = fields.Integer(
        string="Statements before Collections",
        default=3,
        help="Collections statements take in what was billed this often, and not paid.",
    )
    healthcare_collections_days = fields.Integer(
        string="Days before Collections",
        default=90,
        help="... or what is owed longer than this, since the day of care. 0: never for its age.",
    )
    healthcare_stale_days = fields.Integer(
        string="Days before a Statement is Stale",
        default=730,
        help="A committed statement that is open longer is closed as unpaid. 0: never.",
    )

    _check_statement_settings = models.Constraint(
        "CHECK (healthcare_collections_count >= 0 AND healthcare_collections_days >= 0"
        " AND healthcare_stale_days >= 0)",
        "Numbers of statements and days can't be negative.",
    )
