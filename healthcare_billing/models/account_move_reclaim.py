from odoo import models

from .healthcare_claim import FINAL_STATES

# In the context of the credit notes of credit and rebill; an object, because no client can send it.
REBILLING = object()


class AccountMove(models.Model):
    """Credit and rebill leaves the claims of that care alone which is billed again as it was."""

    _inherit = "account.move"

    def _credit_and_rebill(self, corrections, **options):
        """Care of which payers would be told the same as before stays on its claims.

        All claims of the invoice would end else, with a void for each that a payer has.
        """
        # sudo: the claims follow the ledger, whoever corrects it
        cares = self.sudo()._live_charge_lines().charge_id
        cares = cares._live_lines().move_id._live_charge_lines().charge_id._roots()
        items = (
            self.env["healthcare.claim.item"]
            .sudo()
            .search([("charge_id", "in", cares.ids), ("claim_id.state", "not in", FINAL_STATES)])
        )
        told = {
            item: item._told_to_payer(item.invoice_line_id)
            for item in items.filtered("invoice_line_id.charge_live")
        }
        new = super()._credit_and_rebill(corrections, **options)
        items._follow_rebilling(told, new)
        return new

    def _credit_for_rebill(self, reason):
        """What becomes of the claims is seen when the care is billed again."""
        moves = self.with_context(healthcare_rebilling=REBILLING)
        credit = super(AccountMove, moves)._credit_for_rebill(reason)
        return credit.with_env(self.env)

    def _follow_up_claims(self):
        if self.env.context.get("healthcare_rebilling") is REBILLING:
            return None
        return super()._follow_up_claims()
