from odoo import models


class HealthcareClaimItem(models.Model):
    """Charges on claims follow the line that bills them, as long as it says the same."""

    _inherit = "healthcare.claim.item"

    def _told_to_payer(self, line):
        """What a claim of this care says, if it is made of an invoice line.

        :return: values to compare
        """
        self.ensure_one()
        builder = self.env["healthcare.claim.builder"]
        told = builder._planned_line(line)
        return builder._payer_of(line), told.code, told.amount, told.units, told.merge_key

    def _follow_rebilling(self, told, new):
        """Point to the lines that bill this care again; care that changed leaves its claims.

        :param dict told: ``{item: _told_to_payer}`` of before
        :param new: the invoices that bill the care again
        """
        credited = self.filtered(lambda item: item in told and not item.invoice_line_id.charge_live)
        lines = {
            (line.charge_id, line.responsibility): line
            for line in credited.charge_id._family()._live_lines()
            if line.move_id in new
        }
        texts = {}
        for item in credited:
            texts[item.claim_id] = self.env._(
                "%(invoice)s was credited, and billed again by %(again)s.",
                invoice=item.move_id._care_reference(),
                again=", ".join(move._care_reference() for move in new),
            )
            line = lines.get((item.invoice_line_id.charge_id, item.responsibility))
            if line and item._told_to_payer(line) == told[item]:
                item.write({"invoice_line_id": line.id, "move_id": line.move_id.id})
        for claim, text in texts.items():
            if all(item.invoice_line_id.charge_live for item in claim.item_ids):
                claim._log(
                    self.env._(
                        "%s What this claim says stays as it is: nothing is to be done.", text
                    )
                )
        live = self.env["healthcare.claim"].union(*texts).filtered("is_live").sudo()
        live._follow_invoices(texts)
