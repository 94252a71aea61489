from collections import defaultdict
from datetime import date
from typing import NamedTuple

from odoo import models

from .healthcare_charge import PART_FIELDS
from .healthcare_charge_balance import OWED_STAGES
from .healthcare_charge_paid import _root_id

# Statements in these states were told to somebody.
TOLD_STATES = ("committed", "paid", "unpaid", "sold")
MONEY_JOURNALS = ("bank", "cash", "credit")


class Activity(NamedTuple):
    """Something that happened to a charge, as it is told to whoever gets a statement of it."""

    date: date
    text: str
    party: str  # its name, or empty
    amount: float | None  # what it adds to the balance; None: nothing


class HealthcareCharge(models.Model):
    """What became of charges: invoices, claims, denials, appeals, payments, corrections.

    No diagnosis, note or reason that somebody typed is told, and no person but the payers.
    """

    _inherit = "healthcare.charge"

    def _activities(self):
        """Everything that happened to these charges with their corrections, the oldest first.

        The amounts of a charge add up to its balance (``amount_residual``).

        :return: ``{charge id: [Activity]}`` of the charges that are corrected
        """
        roots = self._roots()
        family = roots._family()
        lines = family._posted_document_lines()
        found = {charge.id: [] for charge in roots}
        for rows in (
            family._document_activities(lines),
            family._unbilled_activities(lines),
            roots._settlement_activities(lines.move_id),
            family._claim_activities(),
        ):
            for charge_id, activity in rows:
                if charge_id in found:
                    found[charge_id].append(activity)
        for activities in found.values():
            activities.sort(key=lambda activity: activity.date or date.max)
        return found

    def _party_labels(self):
        """Names of the parties: ``{responsibility: label}``."""
        field = self.env["healthcare.statement.line"]._fields["responsibility"]
        return dict(field._description_selection(self.env))

    def _document_activities(self, lines):
        """What posted invoices and credit notes ask for, or give back.

        :param lines: of ``_posted_document_lines``
        """
        parties = self._party_labels()
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        amounts = defaultdict(float)
        for line in lines:
            charge, move = line.charge_id, line.move_id
            kind = charge.kind if charge.parent_id else False
            sign = -1 if move.move_type == "out_refund" else 1
            amounts[_root_id(line), move, line.responsibility, kind] += sign * line.price_total
        for (charge_id, move, party, kind), amount in amounts.items():
            if kind:
                text = self.env._("%(kind)s (%(number)s)", kind=kinds[kind], number=move.name)
            elif move.move_type == "out_refund":
                text = self.env._("Credit note %s", move.name)
            else:
                text = self.env._("Invoice %s", move.name)
            amount = move.currency_id.round(amount)
            yield charge_id, Activity(move.invoice_date, text, parties.get(party, ""), amount)

    def _unbilled_activities(self, lines):
        """What no posted document holds yet.

        :param lines: of ``_posted_document_lines``
        """
        parties = self._party_labels()
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        held = {(line.charge_id.id, line.responsibility) for line in lines if line.charge_live}
        for charge in self:
            if charge.billing_stage not in OWED_STAGES:
                continue
            for party, name in PART_FIELDS.items():
                amount = charge[name]
                if (charge.id, party) in held or charge.currency_id.is_zero(amount):
                    continue
                text = self.env._("%s, not invoiced yet", kinds[charge.kind])
                yield (
                    charge._root().id,
                    Activity(charge.service_date, text, parties[party], amount),
                )

    def _settlement_activities(self, moves):
        """Payments, refunds and write-offs, by R5: what names a charge, then the oldest care.

        :param moves: posted documents of these charges
        """
        parties = self._party_labels()
        exact, named, _rest = moves._activity_settlements_name()
        for move in moves:
            sign = 1 if move.move_type == "out_refund" else -1
            asked = move._asked_per_party()
            left = {key: abs(amount) - exact[move.id][key] for key, amount in asked.items()}
            for charge_id, amount in named[move.id].items():
                own = {key: left[key] for key in left if key[0] == charge_id}
                for key, part in _take(move.currency_id, own, amount).items():
                    left[key] -= part
            for counterpart, amount in move._activity_settlements():
                text = move._settlement_text(counterpart)
                for (charge_id, party), part in _parts(move, asked, left, counterpart, amount):
                    activity = Activity(counterpart.date, text, parties.get(party, ""), sign * part)
                    yield charge_id, activity

    def _claim_activities(self):
        """Claims with what payers did with them; a replacement is the appeal of a denied one."""
        # sudo: who may print a statement may tell that a claim was sent, and nothing else of it
        items = self.env["healthcare.claim.item"].sudo().search([("charge_id", "in", self.ids)])
        told = set()
        for item in items:
            claim, root = item.claim_id, item.charge_id._root()
            if (root.id, claim.id) in told:
                continue
            told.add((root.id, claim.id))
            payer = claim.payer_id.name
            sent = {
                "1": self.env._("Claim %s sent", claim.name),
                "7": self.env._("Appeal: replacement claim %s sent", claim.name),
                "8": self.env._("Claim %s, which takes an earlier one back, sent", claim.name),
            }
            for day, text in (
                (claim.date_submitted, sent[claim.frequency]),
                (claim.date_accepted, self.env._("Claim %s accepted", claim.name)),
                (claim.date_rejected, self.env._("Claim %s denied", claim.name)),
                (claim.date_paid, self.env._("Claim %s paid", claim.name)),
            ):
                if day:
                    yield root.id, Activity(day, text, payer, None)

    def _statement_activities(self):
        """Statements that hold these charges, and were told to somebody.

        :return: ``{charge id: [(healthcare.statement record, Activity)]}``: only to be told to the
            addressee of that statement
        """
        # sudo: as for claims
        lines = (
            self.env["healthcare.statement.line"]
            .sudo()
            .search([("charge_id", "in", self.ids), ("statement_id.state", "in", TOLD_STATES)])
        )
        found = defaultdict(list)
        for line in lines:
            statement = line.statement_id
            text = self.env._("Statement %s", statement.name)
            activity = Activity(statement.committed_on or statement.date, text, "", None)
            found[line.charge_id.id].append((statement, activity))
        return found


class AccountMove(models.Model):
    _inherit = "account.move"

    def _activity_settlements(self):
        """What was set off against a posted document.

        :return: iterable of (counterpart ``account.move.line``, amount in the document's currency),
            the oldest first
        """
        self.ensure_one()
        receivable = self.line_ids.filtered(lambda line: line.display_type == "payment_term")
        for partial in (receivable.matched_debit_ids | receivable.matched_credit_ids).sorted("id"):
            if partial.debit_move_id in receivable:
                yield partial.credit_move_id, partial.debit_amount_currency
            else:
                yield partial.debit_move_id, partial.credit_amount_currency

    def _settlement_text(self, counterpart):
        """What a counterpart is, in words for the addressee: no memo, no reason.

        :param counterpart: ``account.move.line`` record that settles this document
        """
        other = counterpart.move_id
        if other.write_off_of_id:
            return self.env._("Written off")
        if other.is_sale_document():
            return self.env._("Set off against %s", other.name)
        if other.journal_id.type in MONEY_JOURNALS:
            refund = self.move_type == "out_refund"
            return self.env._("Refund") if refund else self.env._("Payment")
        return self.env._("Entry %s", other.name)


def _parts(move, asked, left, counterpart, amount):
    """Which parts of a document a counterpart settles.

    :param dict asked: of the document, see ``_asked_per_party``
    :param dict left: what names nothing goes to these, and lowers them
    :param counterpart: ``account.move.line`` record
    :param float amount: that it settles
    :return: (key of ``asked``, amount) pairs
    """
    if charge := counterpart.charge_id:
        root = charge._root()
        key = (root.id, counterpart.responsibility)
        own = [key] if key in asked else [known for known in asked if known[0] == root.id]
        if own:
            return [(own[0], amount)]
    # a credit note of the same care is told as such
    told = counterpart.move_id._common_care(asked, amount)
    return _take(move.currency_id, left, amount - sum(told.values())).items()


def _take(currency, left, amount):
    """Give an amount to what is left open, in its order; the last one gets the rest.

    :param dict left: ``{key: open amount}``, lowered by what they get
    :return: ``{key: amount}``
    """
    shares = {}
    for key in left:
        share = currency.round(min(max(left[key], 0.0), amount))
        if not currency.is_zero(share):
            shares[key] = share
            left[key] -= share
            amount -= share
    if left and not currency.is_zero(amount):
        last = list(left)[-1]
        shares[last] = currency.round(shares.get(last, 0.0) + amount)
    return shares
