from typing import Any, NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import clean_context, format_date

from .healthcare_charge_balance import PARTIES
from .healthcare_turns_mixin import take_turn

# In the context of what books money for care; an object, because no client can send it.
BOOKING = object()
# How many items an error names.
MAX_TOLD = 10


class CareMoney(NamedTuple):
    """Money for one party's part of one charge with its corrections.

    :ivar charge: ``healthcare.charge`` record; of a correction, the charge that it corrects counts
    :ivar str responsibility: whose part
    :ivar float amount: taxes included, in the currency of its invoices; less than 0.00 uses up an
        open credit of the item
    """

    charge: Any
    responsibility: str
    amount: float


class OnAccount(NamedTuple):
    """Money that nothing is invoiced for yet.

    :ivar partner: ``res.partner`` whose credit it is
    :ivar charge: the charge that it waits for, or an empty recordset
    :ivar responsibility: whose part of the charge, or False without a charge
    :ivar float amount: more than 0.00
    """

    partner: Any
    charge: Any
    responsibility: Any
    amount: float


class CareEntry(NamedTuple):
    """One receivable line of a payment.

    :ivar float amount: received for it, less than 0.00 for what is paid back or used up
    :ivar targets: journal items of one document that it is set off against, or none
    """

    partner: Any
    account: Any
    charge: Any
    responsibility: Any
    amount: float
    currency: Any
    targets: Any


class AccountPayment(models.Model):
    """Money for care: one receivable line per charge and party, so that the ledger says what of a
    check was paid for what, and forgets it when the payment is canceled.

    Core's registration pays invoices; it can't pay the oldest visit of each of two invoices.
    """

    _inherit = "account.payment"

    is_for_care = fields.Boolean(
        string="For Care",
        readonly=True,
        copy=False,
        groups="base.group_user",
        help="Received for charges: it is canceled and received again, never edited.",
    )

    # -- in and out ------------------------------------------------------------------------------
    @api.model
    def _receive_for_care(
        self,
        partner,
        journal,
        date,
        items,
        *,
        ledger=(),
        on_account=(),
        memo="",
        payment_method_line=None,
        payment_values=None,
    ):
        """Register what somebody paid, posted, each part where it belongs.

        :param partner: ``res.partner`` who paid; the items may be others'
        :param journal: ``account.journal`` of type bank, cash or credit card
        :param date date: not in the future, not locked
        :param items: iterable of :class:`CareMoney`; of several invoices of an item the oldest is
            paid first
        :param ledger: iterable of (open receivable ``account.move.line``, amount); less than 0.00
            uses up a credit
        :param on_account: iterable of :class:`OnAccount`
        :param payment_method_line: default the first one of the journal
        :param dict payment_values: further values of the payment
        :return: the posted ``account.payment``; its amount is the sum of all parts
        :raise UserError: what isn't invoiced, more than is open, another currency or company, a
            date that can't be booked on, nothing received
        """
        entries = [
            *self._care_entries(items),
            *self._ledger_entries(ledger),
            *self._on_account_entries(on_account, journal.company_id),
        ]
        return self._book_for_care(
            "inbound", partner, journal, date, entries, memo, payment_method_line, payment_values
        )

    @api.model
    def _refund_for_care(
        self,
        partner,
        journal,
        date,
        items=(),
        *,
        ledger=(),
        memo="",
        payment_method_line=None,
        payment_values=None,
    ):
        """Pay back what was credited, or received and never applied.

        :param items: iterable of :class:`CareMoney` with amounts above 0.00, of items that are
            credits: their credit notes are paid out
        :param ledger: iterable of (open credit, amount above 0.00): money on account paid back
        :return: the posted outbound ``account.payment``
        :raise UserError: see ``_receive_for_care``; somebody else's credit
        """
        entries = [
            *self._care_entries(item._replace(amount=-item.amount) for item in items),
            *self._ledger_entries((line, -amount) for line, amount in ledger),
        ]
        self._check_own_credits(partner, entries)
        return self._book_for_care(
            "outbound", partner, journal, date, entries, memo, payment_method_line, payment_values
        )

    @api.model
    def _check_own_credits(self, partner, entries):
        """A credit is paid back to whose it is.

        :raise UserError: somebody else's
        """
        owner = partner.commercial_partner_id
        for entry in entries:
            if entry.partner.commercial_partner_id != owner:
                raise UserError(
                    self.env._(
                        "%(credit)s is a credit of %(owner)s: it can't be paid back to "
                        "%(partner)s.",
                        credit=", ".join(entry.targets.move_id.mapped("display_name")),
                        owner=entry.partner.display_name or self.env._("nobody"),
                        partner=partner.display_name,
                    )
                )

    # -- what it is for --------------------------------------------------------------------------
    @api.model
    def _care_entries(self, items):
        """Share amounts of items among their open documents, the oldest first.

        :param items: iterable of :class:`CareMoney`
        :return: list of :class:`CareEntry`
        :raise UserError: with all items that aren't invoiced, or have less open
        """
        asked = {}
        for item in items:
            key = (item.charge._root(), item.responsibility)
            asked[key] = asked.get(key, 0.0) + item.amount
        charges = self.env["healthcare.charge"].union(*(charge for charge, _party in asked))
        moves = charges._family()._posted_document_lines().move_id
        self._take_in_turn(moves)
        open_on = {}
        for move, shares in moves._open_shares().items():
            for (charge_id, party), amount in shares.items():
                open_on.setdefault((charge_id, party), []).append((move, amount))
        entries, refused = [], []
        for (charge, party), amount in asked.items():
            if charge.currency_id.is_zero(amount):
                continue
            documents = open_on.get((charge.id, party), [])
            is_open = charge.currency_id.round(sum(part for _move, part in documents))
            sign = 1 if amount > 0 else -1
            if charge.currency_id.compare_amounts(sign * amount, sign * is_open) > 0:
                refused.append(self._refusal(charge, party, amount, documents, is_open))
                continue
            entries += self._entries_of_item(charge, party, amount, documents)
        if refused:
            raise UserError("\n".join(refused[:MAX_TOLD]))
        return entries

    @api.model
    def _entries_of_item(self, charge, party, amount, documents):
        """Entries of one item, one per document.

        :param documents: list of (document, what is open on it for this item)
        """
        entries = []
        sign = 1 if amount > 0 else -1
        left = abs(charge.currency_id.round(amount))
        for move, is_open in sorted(
            documents, key=lambda document: (document[0].invoice_date, document[0].id)
        ):
            part = charge.currency_id.round(min(left, sign * is_open))
            if charge.currency_id.compare_amounts(part, 0.0) <= 0:
                continue
            targets = move._open_receivable_lines()
            entries.append(
                CareEntry(
                    move.commercial_partner_id,
                    targets.account_id[:1],
                    charge,
                    party,
                    sign * part,
                    move.currency_id,
                    targets,
                )
            )
            left = charge.currency_id.round(left - part)
        return entries

    @api.model
    def _refusal(self, charge, party, amount, documents, is_open):
        """Why an item can't be paid."""
        names = dict(charge._party_names())
        values = {
            "charge": charge.display_name,
            "party": names[party],
            "amount": charge.currency_id.format(amount),
        }
        if not documents:
            return self.env._(
                "%(charge)s isn't invoiced to this party yet: %(party)s. Invoice it first, or "
                "receive %(amount)s on account.",
                **values,
            )
        return self.env._(
            "%(charge)s, %(party)s: %(open)s is open, so %(amount)s can't be booked for it. "
            "Refresh, and share the amount anew.",
            open=charge.currency_id.format(is_open),
            **values,
        )

    @api.model
    def _ledger_entries(self, ledger):
        """Entries that settle open receivable lines, whatever they are of.

        :param ledger: iterable of (``account.move.line``, amount)
        :raise UserError: not an open receivable, less is open, or a credit that nobody paid
        """
        ledger = [(line, amount) for line, amount in ledger if amount]
        lines = self.env["account.move.line"].union(*(line for line, _amount in ledger))
        self._take_in_turn(lines.move_id)
        entries = []
        for line, amount in ledger:
            if amount < 0 and not line._may_be_paid_back():
                raise UserError(
                    self.env._(
                        "%s is no money that was received. If it was booked by mistake, reverse "
                        "it.",
                        line.move_id.display_name,
                    )
                )
            sign = 1 if amount > 0 else -1
            if (
                line.parent_state != "posted"
                or line.account_type != "asset_receivable"
                or line.currency_id.compare_amounts(
                    sign * amount, sign * line.amount_residual_currency
                )
                > 0
            ):
                raise UserError(
                    self.env._(
                        "%(entry)s: %(open)s is open, so %(amount)s can't be booked for it. "
                        "Refresh, and share the amount anew.",
                        entry=line.move_id.display_name,
                        open=line.currency_id.format(line.amount_residual_currency),
                        amount=line.currency_id.format(amount),
                    )
                )
            entries.append(
                CareEntry(
                    line.partner_id,
                    line.account_id,
                    line.charge_id,  # money on account that is paid back waits no more
                    line.responsibility,
                    amount,
                    line.currency_id,
                    line,
                )
            )
        return entries

    @api.model
    def _on_account_entries(self, on_account, company):
        """Entries that stay open until something is invoiced.

        :param on_account: iterable of :class:`OnAccount`
        """
        entries = []
        for partner, charge, party, amount in on_account:
            if amount <= 0 or (charge and party not in PARTIES):
                raise UserError(
                    self.env._("Money on account is more than 0.00, and for one of the parties.")
                )
            owner = partner.with_company(company).commercial_partner_id
            root = charge._root() if charge else charge
            entries.append(
                CareEntry(
                    owner,
                    owner.property_account_receivable_id,
                    root,
                    party if charge else False,
                    amount,
                    root.currency_id,
                    self.env["account.move.line"],
                )
            )
        return entries

    @api.model
    def _take_in_turn(self, moves):
        """One user at a time for what is paid; who comes later is run again, and sees it.

        :raise UserError: somebody else is at it now
        """
        take_turn(moves, self.env._("Another user is booking money on these invoices. Try again."))

    # -- booking ---------------------------------------------------------------------------------
    @api.model
    def _book_for_care(
        self, kind, partner, journal, date, entries, memo, method_line, payment_values
    ):
        """Create and post a payment with these receivable lines, and set them off.

        :param str kind: inbound or outbound
        :param entries: list of :class:`CareEntry`
        :return: ``account.payment`` record
        """
        company = journal.company_id
        currency = self._currency_of(entries, journal)
        total = currency.round(sum(entry.amount for entry in entries))
        amount = total if kind == "inbound" else -total
        self._check_may_book(kind, journal, date, entries, amount)
        method_line = method_line or journal._get_available_payment_method_lines(kind)[:1]
        if not method_line:
            raise UserError(
                self.env._(
                    "%s has no payment method for this: add one in the journal's settings.",
                    journal.display_name,
                )
            )
        # Defaults that a caller sends along must not count; in editions where payments have no
        # entry until the bank confirms them, this one has: its lines say what was paid.
        context = {
            **clean_context(self.env.context),
            "force_payment_move": True,
            "healthcare_booking": BOOKING,
        }
        payment = (
            self.with_context(context)  # pylint: disable=context-overridden
            .with_company(company)
            .create(
                {
                    "payment_type": kind,
                    "partner_type": "customer",
                    "partner_id": partner.id,
                    "journal_id": journal.id,
                    "payment_method_line_id": method_line.id,
                    "date": date,
                    "currency_id": currency.id,
                    "amount": amount,
                    "memo": memo or False,
                    "is_for_care": True,
                    **(payment_values or {}),
                }
            )
        )
        payment._generate_journal_entry(line_ids=payment._care_line_commands(entries))
        payment.action_post()
        payment._set_off_entries(entries)
        return payment.with_env(self.env)

    @api.model
    def _currency_of(self, entries, journal):
        """The one currency of all parts.

        :raise UserError: several currencies, or another one than the journal's
        """
        default = journal.currency_id or journal.company_id.currency_id
        currencies = self.env["res.currency"].union(*(entry.currency for entry in entries))
        currency = currencies[:1] or default
        if len(currencies) > 1 or (journal.currency_id and currency != default):
            raise UserError(
                self.env._(
                    "One payment has one currency. These are in %(currencies)s, and %(journal)s "
                    "is in %(currency)s.",
                    currencies=", ".join((currencies or default).mapped("name")),
                    journal=journal.display_name,
                    currency=default.name,
                )
            )
        return currency

    @api.model
    def _check_may_book(self, kind, journal, date, entries, amount):
        """Refuse what core would book elsewhere, on another date, or not at all."""
        company = journal.company_id
        if journal.type not in ("bank", "cash", "credit"):
            raise UserError(self.env._("Choose a bank, cash or card journal."))
        if not date:
            raise UserError(self.env._("Type the date of the payment."))
        if date > fields.Date.context_today(self):
            raise UserError(
                self.env._(
                    "%s is in the future: money is booked when it was received or paid.",
                    format_date(self.env, date),
                )
            )
        if company._get_violated_lock_dates(date, False, journal):
            raise UserError(
                self.env._(
                    "The books of %(company)s are locked on %(date)s: choose a later date.",
                    company=company.name,
                    date=format_date(self.env, date),
                )
            )
        companies = self.env["res.company"].union(
            *(entry.targets.company_id or entry.charge.company_id for entry in entries)
        )
        if companies - company:
            raise UserError(
                self.env._(
                    "%(journal)s is a journal of %(company)s: what other companies are owed is "
                    "received by theirs.",
                    journal=journal.display_name,
                    company=company.name,
                )
            )
        if amount <= 0 or not entries:
            raise UserError(
                self.env._("Nothing is received: the parts add up to nothing.")
                if kind == "inbound"
                else self.env._("Nothing is paid back: the parts add up to nothing.")
            )

    def _care_line_commands(self, entries):
        """Journal items: the money first, then a receivable line per entry, in their order."""
        self.ensure_one()
        company, currency = self.company_id, self.currency_id
        lines, balance = [], 0.0
        for sequence, entry in enumerate(entries, start=1):
            own = currency._convert(-entry.amount, company.currency_id, company, self.date)
            balance += own
            lines.append(
                {
                    "name": self._care_label(entry),
                    "sequence": sequence,
                    "date_maturity": self.date,
                    "partner_id": entry.partner.id,
                    "account_id": entry.account.id,
                    "currency_id": currency.id,
                    "amount_currency": -entry.amount,
                    "balance": own,
                    "charge_id": entry.charge.id,
                    "responsibility": entry.responsibility,
                }
            )
        money = {
            "name": self.memo or self.env._("Payment for care"),
            "sequence": 0,
            "date_maturity": self.date,
            "partner_id": self.partner_id.commercial_partner_id.id,
            "account_id": self.outstanding_account_id.id,
            "currency_id": currency.id,
            "amount_currency": currency.round(sum(entry.amount for entry in entries)),
            "balance": company.currency_id.round(-balance),
        }
        return [Command.create(values) for values in (money, *lines)]

    def _care_label(self, entry):
        """What a journal item says: numbers only, since accountants read them, too."""
        if entry.targets:
            names = ", ".join(dict.fromkeys(entry.targets.move_id.mapped("name")))
            return self.env._("Payment of %s", names)
        if entry.charge:
            return self.env._("On account for %s", entry.charge.display_name)
        return self.env._("On account")

    def _set_off_entries(self, entries):
        """Reconcile this payment's lines, document by document."""
        self.ensure_one()
        lines = self.move_id.line_ids.sorted("sequence")[1:]
        plan = {}
        for line, entry in zip(lines, entries, strict=True):
            if entry.targets:
                plan[entry.targets] = plan.get(entry.targets, entry.targets) | line
        self.env["account.move.line"]._reconcile_plan(list(plan.values()))
