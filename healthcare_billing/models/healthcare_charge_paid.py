from collections import defaultdict

from odoo import models

PROFIT_AND_LOSS = ("income", "expense")


class HealthcareCharge(models.Model):
    """How much of a charge was paid, by whom, in money.

    The ledger knows what was paid on an invoice, not on a line of it. The money goes to the
    charges of the invoice as rule R5 says: first what names the charge, then the oldest date of
    service. What the charges of an invoice get, and what its other lines get, add up to what was
    paid on it, to the cent.
    """

    _inherit = "healthcare.charge"

    def _paid_amounts(self, responsibilities=None):
        """What was paid on the posted invoices that bill these charges.

        Money only: credit notes, write-offs and exchange differences settle an invoice too, but
        nobody paid them. Paid is what is reconciled with the invoice; money on account isn't yet.
        What was paid for a correction is told at the charge that it corrects, so a correction
        itself has 0.0. Taxes are included.

        :param responsibilities: only what these parties paid, such as ``("client",)``: keys of
            ``account.move.line.responsibility``; default all
        :return: ``{charge: amount}`` for each charge in self, in the charge's currency
        """
        roots = self.filtered(lambda charge: not charge.parent_id)
        family = roots | roots.child_ids
        # sudo: who may see a charge may know what is paid on it, also without rights on the ledger
        lines = (
            self.env["account.move.line"]
            .sudo()
            .search([("charge_id", "in", family.ids), ("parent_state", "=", "posted")])
        )
        # credit notes, too: what was paid back on them is paid no more
        moves = lines.filtered(lambda line: line.move_id.is_sale_document()).move_id
        totals = defaultdict(float)
        for move, shares in moves._paid_per_line().items():
            for line, amount in shares.items():
                if line.charge_id and (
                    not responsibilities or line.responsibility in responsibilities
                ):
                    root = line.charge_id.parent_id or line.charge_id
                    totals[root.id] += amount if move.move_type == "out_invoice" else -amount
        return {
            charge: charge.currency_id.round(0.0 if charge.parent_id else totals[charge.id])
            for charge in self
        }


class AccountMove(models.Model):
    _inherit = "account.move"

    def _paid_per_line(self):
        """Share the money paid on invoices (or refunded on credit notes) among their lines (R5).

        :return: ``{move: {line: amount}}``, amounts positive, in the invoice's currency, lines
            without money left out
        """
        named, rest = self._money_received()
        groups = self._asked_per_group()
        return {
            move: _share(move.currency_id, groups[move], named[move.id], rest[move.id])
            for move in self
        }

    def _asked_per_group(self):
        """What invoices ask for each charge with its corrections, see :func:`_open_per_group`.

        A credit note of a transfer names the charge that it takes from, as a reversal does.

        :return: ``{move: groups}``
        """
        taken = self._taken_by_transfers()
        return {
            move: _open_per_group(
                move.currency_id,
                move.invoice_line_ids.filtered(lambda line: line.display_type == "product"),
                taken[move.id],
            )
            for move in self
        }

    def _taken_by_transfers(self):
        """What credit notes of transfers, set off against these invoices, took from each charge.

        :return: ``{move id: {id of the charge that is corrected: amount}}``, taxes included
        """
        taken = defaultdict(lambda: defaultdict(float))
        used = defaultdict(float)
        receivable = self.filtered(lambda move: move.move_type == "out_invoice").line_ids.filtered(
            lambda line: line.display_type == "payment_term"
        )
        for partial in receivable.matched_credit_ids.sorted("id"):
            note, move = partial.credit_move_id.move_id, partial.debit_move_id.move_id
            if note.move_type != "out_refund":
                continue
            left = partial.debit_amount_currency
            billed = {_root_id(line) for line in move.invoice_line_ids if line.charge_id}
            for line in note.invoice_line_ids:
                if line.charge_id and not line._is_counter_line() and _root_id(line) in billed:
                    amount = move.currency_id.round(min(left, line.price_total - used[line]))
                    taken[move.id][_root_id(line)] += amount
                    used[line] += amount
                    left -= amount
        return taken

    def _money_received(self):
        """What is reconciled with the receivable lines of invoices, and is money.

        :return: ``({move id: {charge id: amount}}, {move id: amount})``: money that names the
            charge, and the rest
        """
        named = defaultdict(lambda: defaultdict(float))
        rest = defaultdict(float)
        receivable = self.line_ids.filtered(
            lambda line: line.account_id.account_type in ("asset_receivable", "liability_payable")
        )
        partials = self.env["account.partial.reconcile"].search(
            ["|", ("debit_move_id", "in", receivable.ids), ("credit_move_id", "in", receivable.ids)]
        )
        counterparts = partials.debit_move_id.move_id | partials.credit_move_id.move_id
        money_share = (counterparts - self)._money_share()
        for partial in partials:
            for line, counterpart, amount in (
                (partial.debit_move_id, partial.credit_move_id, partial.debit_amount_currency),
                (partial.credit_move_id, partial.debit_move_id, partial.credit_amount_currency),
            ):
                if line not in receivable:
                    continue
                money = amount * money_share.get(counterpart.move_id.id, 0.0)
                if counterpart.charge_id:
                    named[line.move_id.id][counterpart.charge_id.id] += money
                else:
                    rest[line.move_id.id] += money
        for move in self:
            rest[move.id] = move.currency_id.round(rest[move.id])
            for charge_id, money in named[move.id].items():
                named[move.id][charge_id] = move.currency_id.round(money)
        return named, rest

    def _money_share(self):
        """Which part of what these entries settle is money.

        An entry that settles receivables at the expense of profit and loss is a credit note, a
        write-off, a discount or an exchange difference, in part or in full.

        :return: ``{move id: 0.0 to 1.0}``
        """
        settled, lost = defaultdict(float), defaultdict(float)
        entries = self.filtered(lambda move: not move.is_invoice(include_receipts=True))
        for move, account, balance in self.env["account.move.line"]._read_group(
            [("move_id", "in", entries.ids)], ["move_id", "account_id"], ["balance:sum"]
        ):
            if account.account_type in ("asset_receivable", "liability_payable"):
                settled[move.id] += balance
            elif account.internal_group in PROFIT_AND_LOSS:
                lost[move.id] += balance
        share = {}
        for move in entries:
            total = settled[move.id]
            # money brings the receivable down; what is lost has the other sign
            share[move.id] = min(max(1.0 + lost[move.id] / total, 0.0), 1.0) if total else 1.0
        return share


def _root_id(line):
    return (line.charge_id.parent_id or line.charge_id).id


def _open_per_group(currency, lines, taken):
    """What the lines of an invoice still ask for after credits, corrections with their charge.

    What is asked less than nothing for, such as the difference to a lower quote, is set off.

    :param dict taken: ``{charge id: amount}`` that credit notes of transfers took
    :return: list of ``(root charge or empty record, line that tells it, amount)``, oldest care
        first, lines without care last
    """
    groups = {}
    for line in lines:
        root = line.charge_id.parent_id or line.charge_id
        key = root.id or f"line {line.id}"
        teller, amount = groups.get(key, (line, 0.0))
        if line.charge_id == root:
            teller = line
        # credits are untaxed; what is left of the tax goes with what is left of the line
        part = 1.0
        if line.charge_credited and line.price_subtotal:
            part = max(1.0 - line.charge_credited / abs(line.price_subtotal), 0.0)
        groups[key] = (teller, amount + line.price_total * part)
    result = []
    for teller, amount in groups.values():
        root = teller.charge_id.parent_id or teller.charge_id
        result.append((root, teller, currency.round(amount - taken.get(root.id, 0.0))))
    return _set_off(
        currency,
        sorted(
            result,
            key=lambda item: (
                not item[0],
                str(item[0].service_date or ""),
                item[0].id or 0,
                item[1].sequence,
                item[1].id,
            ),
        ),
    )


def _set_off(currency, groups):
    """Take what is asked less than nothing for off the other groups, the last of them first.

    Money goes to the first ones first: set off so, they are paid in full by what the invoice is
    of. What is agreed on for a billing account is about its own work before any other's.

    :param groups: as of :func:`_open_per_group`
    :return: the same with amounts that aren't negative, as long as the invoice isn't
    """
    amounts = [amount for _root, _line, amount in groups]
    for place, (root, _line, _amount) in enumerate(groups):
        if amounts[place] >= 0:
            continue
        account = root.billing_account_id
        for other in sorted(
            range(len(groups)),
            key=lambda index: (groups[index][0].billing_account_id != account, -index),
        ):
            part = max(min(amounts[other], -amounts[place]), 0.0)
            amounts[other] = currency.round(amounts[other] - part)
            amounts[place] = currency.round(amounts[place] + part)
    return [
        (root, line, amount) for (root, line, _amount), amount in zip(groups, amounts, strict=True)
    ]


def _share(currency, groups, named, rest):
    """Give money to the groups of lines: what names the charge, then in their order.

    :param groups: see :func:`_open_per_group`
    :param dict named: ``{charge id: money}``
    :param float rest: money that names nothing
    :return: ``{line: money}``, which adds up to all the money
    """
    shares = defaultdict(float)
    named = dict(named)
    for root, line, _open in groups:
        ids = [root.id, *root.child_ids.ids] if root else []
        for charge_id in ids:
            shares[line] += named.pop(charge_id, 0.0)
    rest += sum(named.values())  # names a charge that isn't on this invoice
    for _root, line, open_amount in groups:
        money = currency.round(min(max(open_amount - shares[line], 0.0), max(rest, 0.0)))
        shares[line] += money
        rest -= money
    if groups and not currency.is_zero(rest):  # cents, or more than the invoice asks for
        shares[groups[-1][1]] += currency.round(rest)
    return {line: money for line, money in shares.items() if not currency.is_zero(money)}
