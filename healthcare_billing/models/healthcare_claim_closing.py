from odoo import api, models
from odoo.tools import SQL

from .healthcare_claim import FINAL_STATES


class HealthcareClaim(models.Model):
    """What becomes of claims when their invoice is canceled, credited or deleted."""

    _inherit = "healthcare.claim"

    @api.model
    def _ledger_conditions(self):
        return {**super()._ledger_conditions(), "moved_away": ("held", self._moved_away())}

    @api.model
    def _moved_away(self):
        """SQL condition: transfers left nothing of some care with who gets the claim."""
        care, kin = (
            SQL(
                "CASE item.responsibility WHEN 'primary' THEN %(alias)s.amount_payer"
                " ELSE %(alias)s.amount_secondary END",
                alias=SQL.identifier(alias),
            )
            for alias in ("care", "kin")
        )
        return SQL(
            "(cl.frequency <> '8' AND EXISTS (SELECT 1 FROM healthcare_claim_item item"
            " JOIN healthcare_charge care ON care.id = item.charge_id"
            " JOIN healthcare_charge kin ON kin.parent_id = care.id"
            " WHERE item.claim_id = cl.id AND item.responsibility <> 'tertiary'"
            " GROUP BY item.id, care.id"
            " HAVING BOOL_OR(kin.kind = 'transfer') AND %s + SUM(%s) <= 0))",
            care,
            kin,
        )

    def _follow_invoices(self, texts):
        """Follow what the ledger still bills.

        Nothing billed any more: the claim is closed. A part of it: it leaves a claim that wasn't
        sent yet; what the payer has stays as it is, and says so. What transfers left nothing of
        with the payer leaves a claim that wasn't sent yet, too; what the payer has was right.

        :param dict texts: what happened, per claim
        """
        # sudo: whoever voids an invoice need not be allowed to see its claims
        ended = given_up = self.browse().sudo()
        for claim in self.sudo():
            items = claim.item_ids
            gone = items.filtered(lambda item: not item.invoice_line_id.charge_live)
            unsent = claim.state == "awaiting_submission"
            moved = items.filtered(
                lambda item, unsent=unsent: (
                    unsent and item.charge_id._is_moved_away(item.responsibility)
                )
            )
            if gone == items:
                ended |= claim
            elif gone | moved == items:
                given_up |= claim
            elif unsent and (gone or moved):
                codes = (gone | moved).line_id._names()
                claim._take_off(gone | moved)
                claim._log(
                    self.env._("%(event)s Taken off: %(codes)s.", event=texts[claim], codes=codes)
                )
            elif gone or any(item.invoice_line_id.charge_credited for item in items):
                claim._log(
                    self.env._(
                        "%s Only a part of this claim is billed as it was: look whether the payer "
                        "must be told.",
                        texts[claim],
                    )
                )
        ended._close(texts)
        for claim in given_up:
            claim._give_up(
                self.env._("%s The payer owes nothing of this care any more.", texts[claim])
            )
            claim._log(claim.close_reason)

    def _take_off(self, items):
        """Let go of charges that aren't billed to the payer any more."""
        lines = items.line_id
        items.unlink()
        for line in lines:
            line.units = sum(line.item_ids.mapped("units"))
            line.amount = sum(line.item_ids.mapped("amount"))
        lines.filtered(lambda line: not line.item_ids).unlink()

    def _close(self, texts):
        """Nothing of these claims is billed any more.

        A later version that no payer has yet ends together with its origin, which the payer still
        has.

        :param dict texts: what happened, per claim; kept, and told in the history
        """
        # sudo: whoever voids an invoice need not be allowed to see its claims
        claims = self.sudo().filtered(lambda claim: claim.state not in FINAL_STATES)
        if not claims:
            return
        unsent = claims.filtered(
            lambda claim: claim.frequency == "7" and not claim._is_at_payer(claim.state)
        )
        for claim in claims:
            claim.close_reason = texts[claim]
        claims._set_state("closed")
        claims._message_log_batch({claim.id: texts[claim] for claim in claims})
        claims.filtered("needs_void")._log(
            self.env._("The payer has this claim already: send a void, with “Create Void”.")
        )
        unsent.origin_claim_id._close({claim.origin_claim_id: texts[claim] for claim in unsent})


class HealthcareClaimLine(models.Model):
    _inherit = "healthcare.claim.line"

    def _names(self):
        """Codes and days of lines, for messages."""
        return ", ".join(
            self.env._("%(code)s of %(day)s", code=line.code or line.product_id.name,
                       day=line.service_date)
            for line in self
        )  # fmt: skip
