from collections import defaultdict

from odoo import models


class AccountMove(models.Model):
    """How what is open on documents of care became what it is: each settlement, told per item."""

    _inherit = "account.move"

    def _settlement_effects(self):
        """What each settlement of these documents changed on the balance of each item (R5).

        Settlements are played again one by one, so that each is told by the same rule as all of
        them together. What an item asks for, and all effects on it, add up to what
        ``_open_shares`` says.

        :return: list of ``(move, partial reconciliation, the other journal item, {(charge id or
            False, responsibility or False): amount})`` in the document's currency; negative
            amounts lower what is owed to the practice
        """
        settlements = defaultdict(list)
        for settlement in self._settlements():
            settlements[settlement[0]].append(settlement)
        moves = self.browse(move.id for move in settlements)
        now_open = moves._open_shares()
        result = []
        for move, done in settlements.items():
            result += move._effects_of(done, now_open[move])
        return result

    def _effects_of(self, settlements, now_open):
        """The effects on one document.

        :param list settlements: of ``_settlements``, in the order of doing
        :param dict now_open: what is open after all of them, see ``_open_shares``
        """
        self.ensure_one()
        asked = self._asked_per_party()
        named, rest = defaultdict(float), 0.0
        before, result = asked, []
        for place, (_move, partial, counterpart, parts, unnamed) in enumerate(settlements, 1):
            for key, part in parts.items():
                named[key] += part
            rest += unnamed
            # the last one also tells what is set off within the document
            done = place == len(settlements)
            after = now_open if done else self._shares_after(named, rest)
            effects = {key: self.currency_id.round(after[key] - before[key]) for key in asked}
            result.append(
                (self, partial, counterpart, {key: part for key, part in effects.items() if part})
            )
            before = after
        return result

    def _open_shares_on(self, date):
        """What was open on posted documents of care at the end of a day, as ``_open_shares``."""
        shares = {move: dict(move._asked_per_party()) for move in self}
        for move, partial, _counterpart, effects in self._settlement_effects():
            if partial.max_date <= date:
                for key, amount in effects.items():
                    shares[move][key] = move.currency_id.round(shares[move][key] + amount)
        return shares
