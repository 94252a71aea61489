from collections import defaultdict
from typing import NamedTuple

from odoo import models

from .healthcare_charge import PART_FIELDS
from .healthcare_charge_paid import _root_id, _share


class Movable(NamedTuple):
    """What a party owes of a charge with its corrections, untaxed.

    :ivar owed: by R5, where money that names no charge counts for the oldest care first; of all
        charges of an invoice together it is what is open on it
    :ivar most: what may be moved at most, because a biller may know that the payer meant another
        charge: as much as the charge was billed with, and as is open on the invoice
    """

    owed: float
    most: float


class HealthcareCharge(models.Model):
    """What a party still owes of a charge: what waits to be moved is taken off."""

    _inherit = "healthcare.charge"

    def _owed_by(self, party):
        """What a party still owes of this charge and its corrections, on posted invoices.

        :param str party: responsibility
        :return: amount in the charge's currency, what waits to be billed taken off
        """
        self.ensure_one()
        return self._movable_amounts(party)[self].owed

    def _movable_amounts(self, party):
        """See :class:`Movable`.

        :param str party: responsibility
        :return: ``{charge: Movable}`` for each charge in self, in its currency
        """
        lines = self._family()._posted_lines_of(party).grouped(_root_id)
        moves = self.env["account.move"].sudo().union(*(own.move_id for own in lines.values()))
        invoices = moves.filtered(lambda move: move.move_type == "out_invoice")
        others = self.browse(_root_id(line) for line in invoices.invoice_line_ids if line.charge_id)
        waiting = (self | others)._waiting_amounts(party)
        by_charge = invoices._open_per_charge(
            {charge_id: -amount for charge_id, amount in waiting.items() if amount < 0}
        )
        result = {}
        for charge in self:
            root = charge._root()
            billed = sum(
                (-1 if line.move_type == "out_refund" else 1)
                * (line.price_subtotal - line.charge_credited)
                for line in lines.get(root.id, ())
            )
            leaving, coming = min(waiting[root.id], 0.0), max(waiting[root.id], 0.0)
            result[charge] = Movable(
                *(
                    max(root.currency_id.round(min(billed + leaving, amount) + coming), 0.0)
                    for amount in by_charge[root.id]
                )
            )
        return result

    def _posted_lines_of(self, party):
        """Posted lines that bill these charges to a party now.

        sudo (see ``_ledger_lines``): care rights decide who transfers.
        """
        return self._live_lines().filtered(
            lambda line: line.responsibility == party and line.parent_state == "posted"
        )

    def _waiting_amounts(self, party):
        """What transfers that aren't billed yet will add to, or take from, a party's debt.

        :return: ``{id of the charge that is corrected: amount}``, 0.0 by default
        """
        waiting = defaultdict(float)
        transfers = self._family().filtered(lambda charge: charge.kind == "transfer")
        for transfer in transfers - transfers._posted_lines_of(party).charge_id:
            waiting[transfer.parent_id.id] += transfer[PART_FIELDS[party]]
        return waiting


class AccountMove(models.Model):
    _inherit = "account.move"

    def _open_per_charge(self, waiting):
        """Share what is open on posted invoices among the charges that they bill (R5).

        :param dict waiting: ``{charge id: amount}``, untaxed, that will be taken from charges
        :return: ``{charge id: (owed, most)}`` untaxed, over all these invoices; see ``Movable``
        """
        result = defaultdict(lambda: (0.0, 0.0))
        waiting = dict(waiting)
        named, _rest = self._money_received()
        for move, groups in self._asked_per_group().items():
            currency, residual = move.currency_id, move.amount_residual
            settled = sum(amount for _root, _line, amount in groups) - residual
            settled -= sum(named[move.id].values())
            untaxed = {root: move._untaxed_share(root) for root, _line, _amount in groups if root}
            leaving = {}
            for root, _line, amount in groups:
                if root:
                    part = currency.round(min(waiting.get(root.id, 0.0) / untaxed[root], amount))
                    leaving[root.id] = max(part, 0.0)
                    waiting[root.id] = waiting.get(root.id, 0.0) - part * untaxed[root]
            money = defaultdict(float)
            for charge_id, amount in named[move.id].items():
                money[_root_of(groups, charge_id)] += amount
            unnamed = max(currency.round(settled), 0.0)
            gone = {key: money[key] + leaving.get(key, 0.0) for key in money | leaving}
            shares = _share(currency, groups, gone, unnamed)
            for root, line, amount in groups:
                if root:
                    owed = max(amount - shares.get(line, 0.0), 0.0)
                    most = min(amount - gone.get(root.id, 0.0), residual - sum(leaving.values()))
                    before = result[root.id]
                    result[root.id] = (
                        before[0] + currency.round(owed * untaxed[root]),
                        before[1] + currency.round(max(most, 0.0) * untaxed[root]),
                    )
        return result

    def _untaxed_share(self, charge):
        """Which part of what this invoice asks for a charge and its corrections is untaxed."""
        lines = self.invoice_line_ids.filtered(
            lambda line: line.charge_id and _root_id(line) == charge.id
        )
        total = sum(lines.mapped("price_total"))
        return sum(lines.mapped("price_subtotal")) / total if total else 1.0


def _root_of(groups, charge_id):
    """The charge on an invoice that money names, itself or by a correction of it."""
    for root, _line, _amount in groups:
        if charge_id == root.id or charge_id in root.child_ids.ids:
            return root.id
    return charge_id
