from dataclasses import dataclass

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Command


@dataclass(frozen=True, slots=True)
class PartCredits:
    """What credit notes took back of lines that bill their charge all the same.

    :ivar dict kept: ``{(charge id, responsibility): untaxed amount}`` of what isn't corrected
    :ivar list text: sentences that tell what isn't kept, because what is corrected replaces it
    """

    kept: dict
    text: list


class AccountMove(models.Model):
    """Credit notes of credit and rebill, and what becomes of those of before."""

    _inherit = "account.move"

    def _own_credit_notes(self):
        """Posted credit notes that take lines of this invoice back."""
        return self.reversal_move_ids.filtered(
            lambda move: move.state == "posted" and move.line_ids.credit_of_line_id & self.line_ids
        )

    def _part_credited_lines(self):
        return self._live_charge_lines().filtered(
            lambda line: not line.currency_id.is_zero(line.charge_credited)
        )

    def _part_credits(self, corrections):
        """What of earlier credit notes has to be credited on the new invoices, too.

        The amount of a corrected charge is what somebody typed as owed: no credit goes off that.

        :param dict corrections: ``{charge: changed values}``
        :return: :class:`PartCredits`
        """
        kept, text = {}, []
        for line in self._part_credited_lines():
            charge = line.charge_id
            if charge._changes_invoice(corrections.get(charge, {})):
                notes = line.credited_by_line_ids.move_id & line.move_id._own_credit_notes()
                text.append(
                    self.env._(
                        "%(amount)s credited on %(charge)s before by %(credit)s isn't credited "
                        "again: the corrected charge is owed in full.",
                        amount=line.currency_id.format(line.charge_credited),
                        charge=charge.display_name,
                        credit=", ".join(notes.mapped("name")),
                    )
                )
            else:
                kept[charge.id, line.responsibility] = line.charge_credited
        return PartCredits(kept, text)

    def _credit_parts_again(self, kept, reason):
        """What was credited in part stays credited: on these posted invoices as on the old ones.

        :param dict kept: of :class:`PartCredits`
        :return: posted credit notes
        """
        credits = self.browse()
        for move in self:
            amounts = {
                line: kept[line.charge_id.id, line.responsibility]
                for line in move.invoice_line_ids
                if (line.charge_id.id, line.responsibility) in kept
            }
            if not amounts:
                continue
            credit = move._draft_credit_note(reason)
            credit.invoice_line_ids = [
                Command.update(line.id, origin._values_to_credit(amounts[origin]))
                if (origin := line.credit_of_line_id) in amounts
                else Command.delete(line.id)
                for line in credit.invoice_line_ids
            ]
            credit._post(soft=False)  # core sets it off against its invoice
            credits |= credit
        return credits

    def _draft_credit_note(self, reason):
        dates = self._reversal_dates()
        return self._reverse_moves(
            [{**dates, "invoice_date_due": dates["date"], "ref": self._credit_note_ref(reason)}]
        )

    def _credit_for_rebill(self, reason):
        """A posted credit note over what earlier ones left of this invoice.

        :raise UserError: earlier credit notes took back what isn't linked line by line
        """
        self.ensure_one()
        earlier = self._own_credit_notes()
        credit = self._draft_credit_note(reason)
        if earlier:
            credit._leave_out_what_was_credited()
            left = self.amount_untaxed - sum(earlier.mapped("amount_untaxed"))
            if self.currency_id.compare_amounts(credit.amount_untaxed, left):
                raise UserError(
                    self.env._(
                        "%(invoice)s was credited in part by %(credit)s, and not line by line: "
                        "credit the rest by hand, then bill the care again.",
                        invoice=self._care_reference(),
                        credit=", ".join(earlier.mapped("name")),
                    )
                )
        credit.with_context(move_reverse_cancel=True)._post(soft=False)
        return credit

    def _credit_note_ref(self, reason):
        if reason:
            return self.env._("Reversal of: %(name)s, %(why)s", name=self.name, why=reason)
        return self.env._("Reversal of: %s", self.name)

    def _leave_out_what_was_credited(self):
        """Of a draft credit note, take off what posted ones took back before."""
        commands = []
        for line in self.invoice_line_ids.filtered("credit_of_line_id"):
            origin = line.credit_of_line_id
            if not origin.charge_live:
                commands.append(Command.delete(line.id))
            elif not origin.currency_id.is_zero(origin.charge_credited):
                left = abs(origin.price_subtotal) - origin.charge_credited
                commands.append(Command.update(line.id, origin._values_to_credit(left)))
        self.write({"invoice_line_ids": commands})


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _values_to_credit(self, amount):
        """Values of a counter-line that takes back a part of this line.

        :param float amount: untaxed, not negative
        """
        self.ensure_one()
        sign = -1 if self.price_subtotal < 0 else 1
        return {"quantity": 1.0, "discount": 0.0, "price_unit": sign * amount}
