from odoo import api, models
from odoo.exceptions import UserError


class HealthcareCharge(models.Model):
    """Invoices of just some parties' parts of charges: by a statement, or to be paid at once."""

    _inherit = "healthcare.charge"

    @api.model
    def _invoice_parts(self, parts, door, invoice_date=None):
        """Invoice and post these parts, and no others of the same charges.

        What a posted document bills already is left as it is. A charge takes its corrections along,
        a correction comes alone.

        :param parts: iterable of (charge id, responsibility)
        :param str door: of ``healthcare.billing.run``
        :param date invoice_date: default today
        :return: the posted ``account.move`` records, in which credits are credit notes
        :raise UserError: with every reason that keeps a part from being billed; then nothing is
        """
        wanted = self._parts_with_corrections(parts)
        moves = self.env["account.move"]
        if not wanted:
            return moves
        engine = self.env["healthcare.billing.engine"].with_context(
            healthcare_billing_door=door, healthcare_only_parts=frozenset(wanted)
        )
        charges = self.browse(dict.fromkeys(charge_id for charge_id, _party in wanted))
        for company, own in charges.grouped("company_id").items():
            moves |= engine.with_company(company)._bill_or_raise(own, invoice_date=invoice_date)
        engine._post_moves(moves.filtered(lambda move: move.state == "draft"))
        return moves.with_env(self.env)

    @api.model
    def _parts_with_corrections(self, parts):
        """Parts that no posted document bills, corrections of charges included.

        :param parts: iterable of (charge id, responsibility)
        :return: set of the same
        :raise UserError: a part on a draft
        """
        wanted = set(parts)
        charges = self.browse(dict.fromkeys(charge_id for charge_id, _party in wanted))
        for child in charges.child_ids:
            for party in child._parts():
                if (child.parent_id.id, party) in wanted:
                    wanted.add((child.id, party))
        held = {
            (line.charge_id.id, line.responsibility): line
            for line in (charges | charges.child_ids)._live_lines()
        }
        drafts = [
            line for part, line in held.items() if part in wanted and line.parent_state == "draft"
        ]
        if drafts:
            raise UserError(
                self.env._(
                    "This care is on drafts. Post them, or delete them, first:\n%s",
                    "\n".join(
                        f"{line.charge_id.display_name}: {line.move_id._care_reference()}"
                        for line in drafts[:20]
                    ),
                )
            )
        return wanted - set(held)
