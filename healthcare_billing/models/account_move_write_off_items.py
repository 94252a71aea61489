from collections import defaultdict

from odoo import api, models
from odoo.exceptions import AccessError, UserError

from .account_move_write_off import WRITE_OFF_KINDS
from .healthcare_charge_balance import PARTIES

# Items are also sold; whole invoices aren't.
ITEM_KINDS = (*WRITE_OFF_KINDS, "sold")


class HealthcareCharge(models.Model):
    """Write off what single items owe, whatever else is on their invoices."""

    _inherit = "healthcare.charge"

    def _write_off_items(self, items, reason, date, note=""):
        """Write off what parties owe of charges, an entry per invoice; all or none.

        The entry's receivable lines name the charge and its party, so that what is written off is
        this item's, and not the oldest care's on the invoice (R5). Sold receivables are written
        off alike: Dr loss on sold receivables, Cr receivable.

        :param items: iterable of ``(charge, responsibility, amount)``, taxes included, at most what
            is posted and open
        :param reason: ``healthcare.adjustment.reason``: courtesy, bad debt, small balance or sold
        :param date date: of the entries
        :param str note: told on entries and invoices
        :return: the posted entries
        :raise UserError: wrong reason, date or amount, or care that isn't posted
        """
        manager = self.env.user.has_group("healthcare_billing.group_billing_manager")
        if not manager and not self.env.su:
            raise AccessError(self.env._("Only a billing manager can write off what is owed."))
        amounts = defaultdict(float)
        for charge, party, amount in items:
            amounts[charge._root(), party] += amount
        charges = self.browse(dict.fromkeys(charge.id for charge, _party in amounts))
        if not charges:
            raise UserError(self.env._("Choose what is to be written off."))
        charges.check_access("write")
        charges._lock_for_correction()
        documents = charges._family()._posted_document_lines().move_id.with_env(self.env)
        documents._set_off_within_items()
        for (charge, party), amount in amounts.items():
            charge._check_item_write_off(party, amount)
        parts = charges._write_off_parts(amounts)
        return self.env["account.move"]._book_item_write_offs(parts, reason, date, note)

    def _check_item_write_off(self, party, amount):
        self.ensure_one()
        most = self[f"ledger_{PARTIES[party]}"]
        if (
            self.currency_id.compare_amounts(amount, 0.0) <= 0
            or self.currency_id.compare_amounts(amount, most) > 0
        ):
            raise UserError(
                self.env._(
                    "Of %(charge)s, more than nothing and at most %(open)s can be written off: "
                    "what is posted and open. What isn't invoiced yet needs no write-off.",
                    charge=self.display_name,
                    open=self.currency_id.format(most),
                )
            )

    def _write_off_parts(self, amounts):
        """Share what is written off among the invoices on which the items are open, oldest first.

        :param dict amounts: ``{(charge, responsibility): amount}``
        :return: ``{invoice: [(charge, responsibility, amount)]}``
        """
        shares = self._open_item_shares()
        parts = defaultdict(list)
        for (charge, party), amount in amounts.items():
            left = charge.currency_id.round(amount)
            own = shares[charge.id, party]
            for move in sorted(own, key=lambda move: (move.invoice_date, move.id)):
                part = min(left, own[move])
                if charge.currency_id.compare_amounts(part, 0.0) > 0:
                    parts[move.with_env(self.env)].append((charge, party, part))
                    left = charge.currency_id.round(left - part)
        return parts


class AccountMove(models.Model):
    _inherit = "account.move"

    @api.model
    def _book_item_write_offs(self, parts, reason, date, note=""):
        """Book entries that write items off, and set them off against their invoices.

        :param dict parts: ``{invoice: [(charge, responsibility, amount)]}``
        :return: the posted entries, in the order of the invoices
        :raise UserError: wrong reason or date, or more than is open on an invoice
        """
        moves = self.browse(move.id for move in parts)
        entries = self.browse()
        plan = []
        for company, own in moves.grouped("company_id").items():
            account = reason._write_off_account(company, ITEM_KINDS)
            journal = self._write_off_journal(company)
            company._check_write_off_date(date, journal)
            credits = {move: move._item_credits(parts[move]) for move in own}
            values = [
                move._prepare_item_write_off(reason, account, journal, date, credits[move], note)
                for move in own
            ]
            # sudo: only this may say what an entry writes off, and which care it names
            made = self.env["account.move"].with_company(company).sudo().create(values)
            made._post(soft=False)
            made = made.with_env(self.env)
            for move, entry in zip(own, made, strict=True):
                lines = entry.line_ids.filtered("charge_id").sorted("sequence")
                plan += [
                    line | target
                    for line, (_item, target, _part, _balance) in zip(
                        lines, credits[move], strict=True
                    )
                ]
            entries |= made
        self.env["account.move.line"]._reconcile_plan(plan)
        entries._log_write_offs(reason, note)
        return entries

    def _item_credits(self, items):
        """Share what is written off of items among this invoice's receivables, earliest due first.

        :param items: list of ``(charge, responsibility, amount)`` in the invoice's currency
        :return: list of ``((charge, responsibility), journal item, amount in its currency, amount
            in company currency)``
        :raise UserError: more than is open
        """
        self.ensure_one()
        lines = self._open_receivable_lines()
        left = {line: line.amount_residual_currency for line in lines}
        booked = {line: line.amount_residual for line in lines}
        credits = []
        for charge, party, amount in items:
            for line in lines:
                part = self.currency_id.round(min(amount, left[line]))
                if self.currency_id.compare_amounts(part, 0.0) <= 0:
                    continue
                balance = booked[line]
                if self.currency_id.compare_amounts(part, left[line]):
                    balance = self.company_currency_id.round(balance * part / left[line])
                left[line] = self.currency_id.round(left[line] - part)
                booked[line] = self.company_currency_id.round(booked[line] - balance)
                amount = self.currency_id.round(amount - part)
                credits.append(((charge, party), line, part, balance))
            if not self.currency_id.is_zero(amount):
                raise UserError(
                    self.env._("More is to be written off of %s than is open.", self.name)
                )
        return credits

    def _prepare_item_write_off(self, reason, account, journal, date, credits, note):
        """Values of the entry that writes items of this invoice off.

        :param list credits: of ``_item_credits``
        """
        values = self._prepare_write_off_entry(
            reason,
            account,
            journal,
            date,
            [(line, part, balance) for _item, line, part, balance in credits],
            note,
        )
        for (_command, _id, line), ((charge, party), *_rest) in zip(
            values["line_ids"][1:], credits, strict=True
        ):
            line["charge_id"] = charge.id
            line["responsibility"] = party
        for sequence, (_command, _id, line) in enumerate(values["line_ids"], start=10):
            line["sequence"] = sequence
        return values
