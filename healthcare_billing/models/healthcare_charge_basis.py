from odoo import api, fields, models

from .healthcare_charge import PRICING, RESPONSIBILITIES

# Written when a bill is made, never by hand.
BASIS_FIELDS = {
    "covered_by", "covered_party", "made_by_basis", "instalment_id", "fee_period", "fee_number"
}  # fmt: skip


class HealthcareCharge(models.Model):
    """What quotes and fixed fees cover, and the charges that are made for them.

    A charge that was made for a bill belongs to that bill: when it is deleted or credited, nothing
    of it waits to be billed. The next bill makes its own, unless the same bill is made again.
    """

    _inherit = "healthcare.charge"

    covered_by = fields.Selection(
        [("quote", "Quote"), ("fixed", "Fixed Fee")],
        readonly=True,
        copy=False,
        help="What it was billed under: it is paid with the quote or fee, and not billed again.",
    )
    covered_party = fields.Selection(
        RESPONSIBILITIES,
        readonly=True,
        copy=False,
        help="Whose part was billed under the quote or fee. It stays, whoever pays by now.",
    )
    made_by_basis = fields.Boolean(
        string="Made for a Bill",
        readonly=True,
        copy=False,
        help="A fixed fee, or the difference between a quote and the recorded work.",
    )
    instalment_id = fields.Many2one(
        "healthcare.billing.instalment",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
    )
    fee_period = fields.Date(
        readonly=True, copy=False, help="First day of the month that a fixed fee is for."
    )
    fee_number = fields.Integer(
        readonly=True, copy=False, help="How many times this month or instalment was billed."
    )

    _fixed_fee_uniq = models.UniqueIndex(
        "(billing_account_id, COALESCE(instalment_id, 0), COALESCE(fee_period, '-infinity'::date),"
        " fee_number) WHERE made_by_basis AND kind = 'fixed_fee'",
        "This fixed fee was billed meanwhile. Search again.",
    )

    @api.model
    def _guarded_names(self):
        return super()._guarded_names() | BASIS_FIELDS

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._without_basis(vals) for vals in vals_list])

    def write(self, vals):
        return super().write(self._without_basis(vals))

    @api.model
    def _without_basis(self, vals):
        """Values without what only billing decides."""
        if self.env.context.get("healthcare_pricing") is PRICING:
            return vals
        return {name: value for name, value in vals.items() if name not in BASIS_FIELDS}

    def _mark_covered(self, rules):
        """Keep what these charges are billed under, and whose part that is.

        What stands on a bill under a quote or fee stays so, when another part is billed later.

        :param dict rules: ``{charge id: (quote or fixed, responsibility)}``; others are billed as
            recorded
        """
        billed = self.filtered("covered_by")._live_lines()
        held = billed.filtered(lambda l: l.responsibility == l.charge_id.covered_party).charge_id
        free = self - held.with_env(self.env)
        by_rule = free.grouped(lambda charge: rules.get(charge.id, (False, False)))
        for (rule, party), charges in by_rule.items():
            changed = charges.filtered(
                lambda c, rule=rule, party=party: (c.covered_by, c.covered_party) != (rule, party)
            )
            changed.with_context(healthcare_pricing=PRICING).write(
                {"covered_by": rule, "covered_party": party}
            )

    def _stage(self, live_parts):
        stage = super()._stage(live_parts)
        if self.made_by_basis and stage in ("planned", "qa", "billing_office"):
            return "not_billable"
        return stage

    def _drop_unused_basis(self):
        """Delete what was made for bills that are gone; what the ledger knows stays, unbilled."""
        # sudo: nobody else may delete what was made for a bill, and whoever deletes that bill must
        unused = self.sudo().exists().filtered("made_by_basis")
        (unused - unused._ledger_lines().charge_id).unlink()
