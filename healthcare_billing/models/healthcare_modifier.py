from odoo import fields, models


class HealthcareModifier(models.Model):
    """A two-character code that says more about a service: who gave it, how, to how many.

    ``sequence`` is the order in which modifiers stand on a charge and on a claim. Payers price by
    the first ones, so those that change the price come before those that only inform.
    """

    _name = "healthcare.modifier"
    _description = "Service Code Modifier"
    _inherit = "healthcare.code.mixin"
    _order = "sequence, code, id"

    source = fields.Selection(
        [("hcpcs", "HCPCS level II"), ("cpt", "CPT"), ("local", "Local")],
        required=True,
        default="local",
        help="Whose code set this is.",
    )
    category = fields.Char(help="What the modifier tells; only for finding it in the list.")
    sequence = fields.Integer(
        default=20, help="Order on charges and claims; those that change the price come first."
    )
