from collections import defaultdict

from odoo import models

from .healthcare_charge_paid import _root_id, _set_off, _share


class AccountMove(models.Model):
    """What is open on posted documents of care, told per charge and party.

    The ledger knows what is open on a document, not on a line of it. It is shared among the
    document's lines by rule R5: what is set off by an entry or document that names a charge goes to
    that charge, the rest to the oldest care first, and lines without care come last. Shares add up
    to what the ledger says, to the cent, whatever was set off against what.
    """

    _inherit = "account.move"

    def _open_shares(self):
        """Share what is open on posted invoices and credit notes of care.

        :return: ``{move: {(id of the corrected charge or False, responsibility or False):
            amount}}``, taxes included, in the document's currency; positive is owed to the
            practice. The amounts of a document add up to its open amount.
        """
        shares, partly = {}, self.browse()
        for move in self:
            asked = move._asked_per_party()
            if move.currency_id.is_zero(move.amount_residual):
                shares[move] = dict.fromkeys(asked, 0.0)
            elif not move.currency_id.compare_amounts(move.amount_residual, move.amount_total):
                shares[move] = asked
            else:
                partly |= move
        return shares | partly._open_shares_of_settled()

    def _asked_per_party(self):
        """What a document asks for each charge with its corrections, per party.

        :return: as the values of ``_open_shares``, the oldest care first; they add up to the total
        """
        self.ensure_one()
        asked, days = defaultdict(float), {}
        for line in self.invoice_line_ids:
            if line.display_type != "product":
                continue
            root = line.charge_id.parent_id or line.charge_id
            key = (root.id, line.responsibility) if root else (False, False)
            days[key] = (not root, str(root.service_date or ""), root.id or 0)
            asked[key] += line.price_total
        rest = self.amount_total - sum(asked.values())  # roundings of taxes and cash
        if not self.currency_id.is_zero(rest):
            last = max(days, key=days.get) if days else (False, False)
            asked[last] += rest
        sign = -1 if self.move_type == "out_refund" else 1
        return {
            key: sign * self.currency_id.round(asked[key])
            for key in sorted(asked, key=lambda key: days.get(key, (True, "", 0)))
        }

    def _open_shares_of_settled(self):
        """Shares of documents of which something, but not all, is set off."""
        parts = defaultdict(lambda: defaultdict(float))
        rest = defaultdict(float)
        for move, _partial, _counterpart, named, unnamed in self._settlements():
            for key, amount in named.items():
                parts[move][key] += amount
            rest[move] += unnamed
        return {move: move._shares_after(parts[move], rest[move]) for move in self}

    def _shares_after(self, parts, rest):
        """What is open on this document when so much of it is settled.

        :param dict parts: of settlements, see ``_settlements``
        :param float rest: of settlements that names nothing
        :return: as the values of ``_open_shares``
        """
        self.ensure_one()
        currency, sign = self.currency_id, -1 if self.move_type == "out_refund" else 1
        charges = self.env["healthcare.charge"]
        asked = self._asked_per_party()
        groups = _set_off(
            currency,
            [(charges.browse(key[0] or []), key, sign * amount) for key, amount in asked.items()],
        )
        exact = {key: currency.round(amount) for key, amount in parts.items() if key in asked}
        named = defaultdict(float)  # another party's: it counts for the charge
        for key, amount in parts.items():
            if key not in exact:
                named[key[0]] += currency.round(amount)
        left = [(charge, key, amount - exact.get(key, 0.0)) for charge, key, amount in groups]
        gone = _share(currency, left, named, currency.round(rest))
        return {
            key: sign * currency.round(amount - gone.get(key, 0.0)) for _charge, key, amount in left
        }

    def _settlements(self):
        """Each time that something was set off against these documents, in the order of doing.

        A payment's item names one charge and party. A document of care names those that both are
        about, by what it asks for them.

        :return: iterator of ``(move, partial reconciliation, the other journal item, {(charge id,
            responsibility): amount}, amount that names no charge)``, in the document's currency
        """
        receivable = self.line_ids.filtered(lambda line: line.display_type == "payment_term")
        partials = (receivable.matched_debit_ids | receivable.matched_credit_ids).sorted("id")
        asked = {move: move._asked_per_party() for move in self}
        for partial in partials:
            for line, counterpart, amount in (
                (partial.debit_move_id, partial.credit_move_id, partial.debit_amount_currency),
                (partial.credit_move_id, partial.debit_move_id, partial.credit_amount_currency),
            ):
                if line not in receivable:
                    continue
                move = line.move_id
                if counterpart.charge_id:
                    parts = {(_root_id(counterpart), counterpart.responsibility): amount}
                else:
                    parts = counterpart.move_id._common_care(asked[move], amount)
                yield move, partial, counterpart, parts, amount - sum(parts.values())

    def _common_care(self, asked, amount):
        """How much of what this document settles of another one is about the same care.

        :param dict asked: of the document that is settled, see ``_asked_per_party``
        :param float amount: that is settled
        :return: ``{(charge id, responsibility): amount}``
        """
        self.ensure_one()
        if not self.is_sale_document():
            return {}
        theirs = {key[0] for key, part in asked.items() if key[0] and part}
        parts = {}
        for key, own in self._asked_per_party().items():
            if key[0] in theirs:
                parts[key] = self.currency_id.round(min(abs(own), amount))
                amount -= parts[key]
        return parts
