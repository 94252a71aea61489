from collections import defaultdict
from datetime import date as Date
from typing import NamedTuple

from odoo import api, fields, models

from .healthcare_charge_balance import PARTIES

# What happens on one day is told in this order.
EVENT_KINDS = (
    "care", "invoice", "finance_charge", "service_charge", "discount", "adjustment", "transfer",
    "credit", "statement", "payment", "refund", "set_off", "write_off", "exchange", "entry",
    "closed", "on_account",
)  # fmt: skip


class ReceivableEvent(NamedTuple):
    """Something that happened to one party's part of a charge with its corrections.

    ``amount`` is what it changed on the balance, positive: more is owed. All events of an item
    add up to its balance. ``told`` is the amount of what changed none: a statement's, or money on
    account that waits for its invoice.
    """

    date: Date
    kind: str  # of EVENT_KINDS
    document: models.BaseModel  # account.move, healthcare.statement, or an empty record
    charge: models.BaseModel  # that is corrected
    responsibility: str
    partner: models.BaseModel  # who is asked or pays
    amount: float = 0.0
    told: float = 0.0
    note: str = ""


class HealthcareCharge(models.Model):
    """Everything that made the balance of a charge what it is (R4, R5)."""

    _inherit = "healthcare.charge"

    def _receivable_events(self):
        """Invoices, corrections, payments, write-offs and statements of these charges.

        sudo: who may see a charge may know what became of it; callers decide whom they show it.

        :return: list of ``ReceivableEvent``, the oldest first
        """
        roots = self.sudo().filtered(lambda charge: not charge.parent_id)
        lines = roots._family()._posted_document_lines()
        events = [
            *roots._events_of_unbilled(),
            *roots._events_of_documents(lines),
            *roots._events_of_settlements(lines.move_id),
            *roots._events_of_money_on_account(),
            *roots._events_of_statements(),
        ]
        return sorted(
            events,
            key=lambda event: (
                event.date,
                EVENT_KINDS.index(event.kind),
                event.document.id or 0,
                event.charge.id,
                event.responsibility,
            ),
        )

    def _events_of_unbilled(self):
        """What is owed as quoted, because no posted invoice holds it."""
        nothing = self.env["account.move"]
        for charge in self:
            for party, suffix in PARTIES.items():
                amount = charge.currency_id.round(
                    charge[f"balance_{suffix}"] - charge[f"ledger_{suffix}"]
                )
                if amount:
                    debtor = charge[f"{suffix}_debtor_id"]
                    day = charge.service_date
                    yield ReceivableEvent(day, "care", nothing, charge, party, debtor, amount)

    def _events_of_documents(self, lines):
        """What posted invoices and credit notes ask for these charges.

        :param lines: of ``_posted_document_lines``
        """
        sums = defaultdict(float)
        for line in lines:
            root = line.charge_id._root()
            kind = line.charge_id.kind if line.charge_id != root else "invoice"
            if kind not in EVENT_KINDS:
                kind = "invoice"
            if kind == "invoice" and line.move_type == "out_refund":
                kind = "credit"
            sign = -1 if line.move_type == "out_refund" else 1
            sums[line.move_id, root, line.responsibility, kind] += sign * line.price_total
        asked = {move: move._asked_per_party() for move in lines.move_id}
        for move, root, party, kind in sums:
            rest = asked[move].pop((root.id, party), None)
            if rest is not None:  # roundings of taxes and cash: to one of the item's events
                told = sum(sums[key] for key in sums if key[:3] == (move, root, party))
                sums[move, root, party, kind] += rest - told
        for (move, root, party, kind), amount in sums.items():
            yield ReceivableEvent(
                move.date, kind, move, root, party, move.partner_id, move.currency_id.round(amount)
            )

    def _events_of_settlements(self, moves):
        """Payments, write-offs and credits that were set off against documents of these charges."""
        sums, others, known = defaultdict(float), {}, set(self.ids)
        for move, partial, counterpart, effects in moves._settlement_effects():
            for (charge_id, party), amount in effects.items():
                if charge_id in known:
                    root = self.browse(charge_id)
                    # a credit that is set off against the invoice of its own item changes nothing
                    sums[move.currency_id, partial, root, party] += amount
                    others.setdefault((partial, root, party), counterpart)
        for (currency, partial, root, party), total in sums.items():
            amount = currency.round(total)
            if amount:
                other = others[partial, root, party]
                yield ReceivableEvent(
                    partial.max_date,
                    other.move_id._settling_kind(amount),
                    other.move_id,
                    root,
                    party,
                    other.partner_id,
                    amount,
                )

    def _events_of_money_on_account(self):
        """Payments that name these charges, and still wait for an invoice of them."""
        lines = self.env["account.move.line"].search(
            [
                ("charge_id", "in", self._family().ids),
                ("parent_state", "=", "posted"),
                ("move_type", "not in", ("out_invoice", "out_refund")),
                ("account_id.account_type", "in", ("asset_receivable", "liability_payable")),
                ("reconciled", "=", False),
            ],
            order="id",
        )
        for line in lines:
            yield ReceivableEvent(
                line.date,
                "on_account",
                line.move_id,
                line.charge_id._root(),
                line.responsibility,
                line.partner_id,
                told=line.amount_residual_currency,
            )

    def _events_of_statements(self):
        """When statements told these charges, and what became of it."""
        lines = self.env["healthcare.statement.line"].search([("charge_id", "in", self.ids)])
        outcomes = dict(lines._fields["outcome"]._description_selection(self.env))
        states = dict(
            self.env["healthcare.statement"]._fields["state"]._description_selection(self.env)
        )
        for line in lines:
            statement = line.statement_id
            item = (statement, line.charge_id, line.responsibility, statement.partner_id)
            yield ReceivableEvent(
                statement.committed_on or statement.date,
                "statement",
                *item,
                told=line.amount_due,
                note="" if statement.committed_on else states[statement.state],
            )
            if statement.closed_on:
                note = outcomes.get(line.outcome) or states[statement.state]
                yield ReceivableEvent(statement.closed_on, "closed", *item, note=note)


class AccountMove(models.Model):
    _inherit = "account.move"

    def _settling_kind(self, amount):
        """What kind of event it is that this entry settles an item.

        :param float amount: that it changed on the balance
        :return: one of ``EVENT_KINDS``
        """
        self.ensure_one()
        if self.write_off_of_id:
            return "write_off"
        if self.is_sale_document():
            return "set_off"
        if self.journal_id == self.company_id.currency_exchange_journal_id:
            return "exchange"
        if self.origin_payment_id or self.statement_line_id:
            return "payment" if amount < 0 else "refund"
        return "entry"


class HealthcareReceivableEvents(models.AbstractModel):
    """Shows the events of charges as a table with the balance after each of them."""

    _name = "healthcare.receivable.events"
    _description = "Events of Receivables"

    @api.model
    def _event_labels(self):
        """``{kind: what the user reads}``; whoever adds a kind names it here."""
        return {
            "care": self.env._("Care, not invoiced yet"),
            "invoice": self.env._("Invoice"),
            "credit": self.env._("Credit note"),
            "finance_charge": self.env._("Finance charge"),
            "service_charge": self.env._("Service charge"),
            "discount": self.env._("Discount"),
            "adjustment": self.env._("Adjustment"),
            "transfer": self.env._("Transfer"),
            "statement": self.env._("Statement"),
            "closed": self.env._("Statement"),
            "payment": self.env._("Payment"),
            "refund": self.env._("Money paid back"),
            "set_off": self.env._("Set off"),
            "write_off": self.env._("Write-off"),
            "exchange": self.env._("Exchange difference"),
            "entry": self.env._("Journal entry"),
            "on_account": self.env._("Payment on account, not applied yet"),
        }

    @api.model
    def _rows(self, events):
        """Rows of the table of some events.

        :param list events: of ``_receivable_events``, of charges in one currency
        :return: list of dicts for the template ``healthcare_billing.receivable_events``
        """
        labels = self._event_labels()
        parties = dict(
            self.env["account.move.line"]._fields["responsibility"]._description_selection(self.env)
        )
        balance, rows = 0.0, []
        for event in events:
            currency = event.charge.currency_id
            balance = currency.round(balance + event.amount)
            rows.append(
                {
                    "event": event,
                    "date": fields.Date.to_date(event.date),
                    "label": labels[event.kind],
                    "party": parties.get(event.responsibility, ""),
                    "document": self._document_name(event.document),
                    "url": event.document and f"/odoo/{event.document._name}/{event.document.id}",
                    "balance": balance,
                    "currency": currency,
                }
            )
        return rows

    @api.model
    def _document_name(self, document):
        """What a document of an event is called: invoices by their legal number."""
        if document._name == "account.move":
            return document and (document.name or document.ref or "")
        return document.name
