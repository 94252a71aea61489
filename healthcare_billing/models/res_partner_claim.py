from odoo import fields, models


class ResPartner(models.Model):
    """How a payer wants its claims."""

    _inherit = "res.partner"

    claim_format = fields.Selection(
        [("837p", "Electronic (837P)"), ("cms1500", "Paper (CMS-1500)")],
        groups="base.group_user",
        help="Decides how much a claim has room for: 50 lines electronically, 6 on the form. "
        "Empty: electronic.",
    )
    claim_mixes_providers = fields.Boolean(
        string="Several Providers on a Claim",
        groups="base.group_user",
        help="This payer takes claims on which several people gave the care. Otherwise each "
        "rendering provider gets a claim.",
    )
    claim_splits_places = fields.Boolean(
        string="One Place of Service per Claim",
        groups="base.group_user",
        help="This payer wants a claim for each place of service.",
    )
    claim_merges_lines = fields.Boolean(
        string="Merge Identical Lines",
        groups="base.group_user",
        help="Lines of the same day, code, modifiers, place, provider, diagnoses and authorization "
        "become one, with the sum of their units: some payers reject the second one as a "
        "duplicate.",
    )
