from odoo import models


class AccountMoveReversal(models.TransientModel):
    _inherit = "account.move.reversal"

    def _modify_default_reverse_values(self, origin_move):
        """The invoice that is made again keeps the practice's own number, and its run."""
        values = super()._modify_default_reverse_values(origin_move)
        if origin_move.billing_ref:
            values.update(
                billing_ref=origin_move.billing_ref,
                payment_reference=origin_move.billing_ref,
                billing_run_id=origin_move.billing_run_id.id,
            )
        return values
