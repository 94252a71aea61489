from odoo import models

from .healthcare_charge import PART_FIELDS, RESPONSIBILITIES


class HealthcareCharge(models.Model):
    """What claims must know of transfers: who owes the care after all of them."""

    _inherit = "healthcare.charge"

    def _is_moved_away(self, party):
        """Whether transfers left nothing of this care with a party.

        :param str party: responsibility
        """
        self.ensure_one()
        field = PART_FIELDS.get(party)
        moves = self.child_ids.filtered(lambda charge: charge.kind == "transfer")
        if not field or not moves:
            return False
        left = sum((self | self.child_ids).mapped(field))
        return self.currency_id.compare_amounts(left, 0.0) <= 0

    def _log_transfers(self):
        """Tell the claims of the care, too, that somebody owes more of it, or less."""
        result = super()._log_transfers()
        names = dict(RESPONSIBILITIES)
        # sudo: whoever moves a debt need not be allowed to see claims
        items = (
            self.env["healthcare.claim.item"]
            .sudo()
            .search([("charge_id", "in", self.parent_id.ids), ("claim_live", "=", True)])
        )
        by_care = items.grouped(lambda item: (item.charge_id.id, item.responsibility))
        texts = {}
        for transfer in self:
            for party, field in PART_FIELDS.items():
                for item in by_care.get((transfer.parent_id.id, party), ()):
                    amount = transfer[field]
                    if not transfer.currency_id.is_zero(amount):
                        texts.setdefault(item.claim_id, []).append(
                            self.env._(
                                "%(codes)s: %(party)s owes %(amount)s more by a transfer.",
                                codes=item.line_id._names(),
                                party=names[party],
                                amount=transfer.currency_id.format(amount),
                            )
                            if amount > 0
                            else self.env._(
                                "%(codes)s: %(party)s owes %(amount)s less by a transfer. A claim "
                                "keeps the full amount: look whether the payer must be told.",
                                codes=item.line_id._names(),
                                party=names[party],
                                amount=transfer.currency_id.format(-amount),
                            )
                        )
        claims = self.env["healthcare.claim"].browse(claim.id for claim in texts)
        # sudo: see above
        claims.sudo()._message_log_batch(
            {claim.id: "\n".join(lines) for claim, lines in texts.items()}
        )
        return result
