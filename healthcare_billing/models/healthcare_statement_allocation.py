from typing import NamedTuple

from odoo import models
from odoo.exceptions import UserError

from .healthcare_charge_balance import PARTIES


class ItemShare(NamedTuple):
    """What a payment of a statement does with one of its items, in the statement's currency.

    :ivar float open: what is open today; negative is a credit of the addressee
    :ivar float credit: settled by credits; negative: this is a credit, and is used up so far
    :ivar float money: on posted invoices of the item; negative: its credit is paid back
    :ivar float advance: money that is kept for the item until it is invoiced
    :ivar float posted: the part of ``open`` that is in the ledger
    """

    open: float = 0.0
    credit: float = 0.0
    money: float = 0.0
    advance: float = 0.0
    posted: float = 0.0

    @property
    def settled(self):
        return self.credit + self.money + self.advance

    @property
    def left(self):
        return self.open - self.settled


class LedgerShare(NamedTuple):
    """The same of a journal item outside of care; ``open`` is what the statement tells of it."""

    line: models.BaseModel
    open: float
    credit: float = 0.0
    money: float = 0.0

    @property
    def left(self):
        return self.open - self.credit - self.money


class Allocation(NamedTuple):
    """How an amount is allotted to a statement's items and the addressee's ledger balance.

    :ivar dict items: ``{statement line: ItemShare}``, in the order in which money reaches them
    :ivar list ledger: of :class:`LedgerShare`
    :ivar float surplus: what nothing is open for; less than 0.00: there is no such credit
    """

    items: dict
    ledger: list
    surplus: float

    @property
    def left(self):
        """What the addressee goes on owing of the items; credits that are left don't count."""
        return self.left_of(self.items)

    def left_of(self, lines):
        """The same of some of the items.

        :param lines: lines of the statement
        """
        wanted = set(lines)
        return sum(
            max(share.left, 0.0)
            for line, share in self.items.items()
            if line in wanted and line._is_owed_by_addressee()
        )

    @property
    def ledger_left(self):
        """What the addressee goes on owing of the ledger balance, as far as it is told."""
        return sum(max(share.left, 0.0) for share in self.ledger)


class HealthcareStatement(models.Model):
    """How the payment of a statement reaches its items (R20); nothing here writes.

    Credits come first: items with a negative balance, and credits of the addressee if the statement
    tells a ledger balance. Then money, in this order: whom the item is told to still owes it, it
    isn't finished, the oldest care. What is open *today* counts, not what was told when the
    statement was made: an item that was paid elsewhere meanwhile gets nothing. Then the ledger
    balance, as far as the statement tells it. What somebody else owes by now comes last: it may be
    paid, and isn't asked for.
    """

    _inherit = "healthcare.statement"

    def _allocate(self, amount, lines=None, prepaid=None):
        """Allot an amount to what is open today.

        :param float amount: money in the statement's currency; less than 0.00 is paid back to the
            addressee, of credits
        :param lines: only to these items, and to no ledger balance; default all
        :param dict prepaid: of ``healthcare.charge._prepaid_amounts``, for whoever has asked for it
        :return: :class:`Allocation` of all items, chosen or not
        """
        self.ensure_one()
        chosen = set(self.line_ids if lines is None else lines)
        items = self._open_items(prepaid)
        ledger = self._open_ledger() if lines is None else []
        own, others = [], []
        for line in items:
            if line in chosen:
                (own if line._is_owed_by_addressee() else others).append(line)
        self._set_off_credits(items, ledger, own)
        for line in own:
            items[line], amount = self._pay_item(items[line], amount)
        for place, share in enumerate(ledger):
            money = self._most(share.left, amount) - self._most(-share.left, -amount)
            amount -= money
            ledger[place] = share._replace(money=money)
        for line in others:
            items[line], amount = self._pay_item(items[line], amount)
        return Allocation(items, ledger, self.currency_id.round(amount))

    def _amount_to_pay(self, lines=None, prepaid=None):
        """The money that settles all that the addressee owes today, credits set off.

        Every "due now" is this one: in lists, on paper, in the portal, and when it is closed.

        :param lines: only of these items, and of no ledger balance; default all
        :param dict prepaid: see ``_allocate``
        :return: amount, at least 0.00
        """
        allocation = self._allocate(0.0, lines, prepaid)
        left = allocation.left if lines is None else allocation.left_of(lines)
        return self.currency_id.round(left + allocation.ledger_left)

    # -- what is open ----------------------------------------------------------------------------
    def _open_items(self, prepaid=None):
        """What is open on the items today, in R20's order.

        :param dict prepaid: see ``_allocate``
        :return: ``{statement line: ItemShare}``, nothing allotted yet
        """
        self.ensure_one()
        if prepaid is None:
            prepaid = self.line_ids.charge_id._prepaid_amounts()
        items = {}
        for line in self.line_ids.sorted(lambda line: line._payment_order()):
            suffix = PARTIES[line.responsibility]
            posted = line.charge_id[f"ledger_{suffix}"]
            # what is paid on account for care that isn't invoiced is paid
            waiting = line.charge_id[f"balance_{suffix}"] - posted
            waiting -= prepaid.get((line.charge_id.id, line.responsibility), 0.0)
            items[line] = ItemShare(
                open=self.currency_id.round(posted + waiting), posted=self.currency_id.round(posted)
            )
        return items

    def _open_ledger(self):
        """How much of which journal items the statement's ledger balance is about, oldest first.

        The balance may have been edited, and others may have paid meanwhile: it is at most what the
        statement tells, and at most what is open.

        :return: list of :class:`LedgerShare`, nothing allotted yet
        """
        self.ensure_one()
        if not self.settles_ledger:
            return []
        told, currency = self.ledger_amount, self.currency_id
        amounts = self._ledger_amounts()
        credits = -sum(min(amount, 0.0) for amount in amounts.values())
        debits = sum(max(amount, 0.0) for amount in amounts.values())
        debits = min(max(told + credits, 0.0), debits)
        credits = min(max(debits - told, 0.0), credits)
        parts = []
        for line in sorted(amounts, key=lambda line: (line.date_maturity or line.date, line.id)):
            residual = amounts[line]
            if residual > 0:
                part = self._most(residual, debits)
                debits -= part
            else:
                part = -self._most(-residual, credits)
                credits += part
            if not currency.is_zero(part):
                parts.append(LedgerShare(line, part))
        return parts

    # -- who gets what ---------------------------------------------------------------------------
    def _most(self, wanted, available):
        """What is wanted, as far as it is available; never negative."""
        return self.currency_id.round(max(min(wanted, available), 0.0))

    def _set_off_credits(self, items, ledger, own):
        """Let credits of the addressee settle what the addressee owes in the ledger.

        :param dict items: of ``_open_items``, is changed
        :param list ledger: of ``_open_ledger``, is changed
        :param list own: the lines that take part: of what the addressee owes
        """
        credits = {line: self._most(-items[line].posted, -items[line].open) for line in own}
        available = sum(credits.values()) - sum(min(share.open, 0.0) for share in ledger)
        used = 0.0
        for line in own:
            share = items[line]
            part = self._most(min(share.posted, share.open), available - used)
            items[line] = share._replace(credit=part)
            used += part
        for place, share in enumerate(ledger):
            part = self._most(share.open, available - used)
            ledger[place] = share._replace(credit=part)
            used += part
        for line, most in credits.items():
            part = self._most(most, used)
            used -= part
            if part:
                items[line] = items[line]._replace(credit=-part)
        for place, share in enumerate(ledger):
            part = self._most(-share.open, used)
            used -= part
            if part:
                ledger[place] = share._replace(credit=-part)

    def _pay_item(self, share, amount):
        """Give money to an item: to what is posted, the rest is kept for it.

        :return: (changed ItemShare, money that is left)
        """
        if share.open > 0:
            money = self._most(min(share.posted, share.open) - share.credit, amount)
            advance = self._most(share.open - max(share.posted, 0.0), amount - money)
        else:  # a credit: less than what is posted of it was used up
            money = -self._most(-max(share.posted, share.open) + share.credit, -amount)
            advance = 0.0
        return share._replace(money=money, advance=advance), amount - money - advance

    def _surplus_target(self, target):
        """The item that gets what is paid too much.

        :param target: line of a statement or receivable
        :return: (charge, responsibility)
        :raise UserError: none, or somebody else's
        """
        self.ensure_one()
        if not target:
            raise UserError(self.env._("Choose the item that gets what is paid too much."))
        target.ensure_one()
        charge, party = target.charge_id, target.responsibility
        if not charge._is_owed_by(party, self.partner_id):
            raise UserError(
                self.env._(
                    "%(charge)s isn't owed by %(partner)s: choose another item for what is paid "
                    "too much, or keep it as a credit.",
                    charge=charge.display_name,
                    partner=self.partner_id.display_name,
                )
            )
        return charge, party


class HealthcareStatementLine(models.Model):
    _inherit = "healthcare.statement.line"

    def _is_owed_by_addressee(self):
        """Whether whom the statement is addressed to still owes the item, or has its credit."""
        self.ensure_one()
        # sudo: accountants read statements, and no charges
        charge = self.charge_id.sudo()
        return charge._is_owed_by(self.responsibility, self.statement_id.partner_id)

    def _payment_order(self):
        """Sort key of R20: payer still matches, not finished, oldest service."""
        self.ensure_one()
        return (
            not self._is_owed_by_addressee(),
            self.charge_id.billing_stage == "finished",
            str(self.service_date or ""),
            self.charge_id.id,
            self.id,
        )
