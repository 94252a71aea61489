from collections import defaultdict

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Command


class HealthcareStatement(models.Model):
    """Set credits of the addressee off against what the addressee owes, before money is asked for.

    A credit note that is reconciled with another item's invoice would pay the oldest care there
    (R5). So an entry of its own stands between: a journal item for each credit that is used up, and
    one for each item that is settled by it, both naming their charge. No money moves.
    """

    _inherit = "healthcare.statement"

    def _set_off(self, allocation, date):
        """Book what an allocation settles by credits.

        :param allocation: :class:`Allocation`
        :param date date: of the entry
        :return: the posted entry, or an empty record
        """
        self.ensure_one()
        legs = self._set_off_legs(allocation)
        if not legs:
            return self.env["account.move"]
        journal = self.env["account.move"]._write_off_journal(self.company_id)
        self._check_closing_date(date, journal)
        label = self.env._("Credits set off on statement %s", self.name)
        # sudo: who closes statements needs no right to write journal entries by hand
        entry = (
            self.env["account.move"]
            .sudo()
            .with_company(self.company_id)
            .create(
                {
                    "move_type": "entry",
                    "journal_id": journal.id,
                    "date": date,
                    "ref": label,
                    "line_ids": [
                        Command.create(
                            {
                                "name": label,
                                "sequence": place,
                                "account_id": lines[0].account_id.id,
                                "partner_id": lines[0].partner_id.id,
                                "currency_id": self.currency_id.id,
                                "amount_currency": -amount,
                                "charge_id": charge_id,
                                "responsibility": party,
                            }
                        )
                        for place, (lines, amount, charge_id, party) in enumerate(legs)
                    ],
                }
            )
        )
        entry._post(soft=False)
        plan = defaultdict(self.env["account.move.line"].sudo().browse)
        for (lines, *_rest), own in zip(legs, entry.line_ids.sorted("sequence"), strict=True):
            plan[lines] |= own
        self.env["account.move.line"].sudo()._reconcile_plan(
            [lines.sudo() | own for lines, own in plan.items()]
        )
        return entry.with_env(self.env)

    def _set_off_legs(self, allocation):
        """What the entry consists of.

        An item of which an invoice and a credit note are open is set off against itself first: then
        what is open on it has one sign, and money that pays it settles all of it.

        :return: list of (open journal items of a document, amount that is settled of them (negative
            for a credit), charge id or False, responsibility or False); the amounts add up to 0.00
        """
        involved = {
            (line.charge_id.id, line.responsibility): share
            for line, share in allocation.items.items()
            if share.credit or share.money
        }
        documents = self._open_documents(involved)
        legs = []
        for key, share in involved.items():
            debits = [(move, part) for move, part in documents[key] if part > 0]
            credits = [(move, part) for move, part in documents[key] if part < 0]
            within = min(sum(part for _move, part in debits), -sum(part for _move, part in credits))
            settled = within + max(share.credit, 0.0)
            used = within + max(-share.credit, 0.0)
            legs += self._legs_of(debits, settled, 1, key)
            legs += self._legs_of(credits, used, -1, key)
        for share in allocation.ledger:
            if share.credit:
                legs.append((share.line, share.credit, False, False))
        return legs

    def _legs_of(self, documents, amount, sign, key):
        """Take an amount off an item's documents, the oldest first.

        :param list documents: of (move, open amount of the item)
        :param int sign: 1 for invoices, -1 for credits
        """
        legs = []
        for move, part in documents:
            taken = self._most(sign * part, amount)
            amount -= taken
            if taken:
                lines = move._open_receivable_lines()
                legs.append((lines, sign * taken, *key))
        if not self.currency_id.is_zero(amount):
            raise UserError(
                self.env._("What is open on these items changed meanwhile. Close it again.")
            )
        return legs

    def _open_documents(self, keys):
        """Posted documents on which something of these items is open, the oldest first.

        :param keys: iterable of (charge id, responsibility)
        :return: ``{key: [(move, amount), ...]}``
        """
        charges = self.env["healthcare.charge"].browse({charge_id for charge_id, _party in keys})
        found = defaultdict(list)
        moves = charges._family()._posted_document_lines().move_id
        for move, shares in moves.sorted(lambda move: (move.date, move.id))._open_shares().items():
            for key, amount in shares.items():
                if key in keys and not move.currency_id.is_zero(amount):
                    found[key].append((move, amount))
        return found
