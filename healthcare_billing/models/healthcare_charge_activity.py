from datetime import date
from typing import NamedTuple

from odoo import models

from .healthcare_statement_type import TOLD_STATES

# Events that are told with the number of their document: the addressee knows it.
NUMBERED = ("invoice", "credit", "set_off", "statement")


class Activity(NamedTuple):
    """Something that happened to a charge, as it is told to whoever gets a statement of it."""

    date: date
    text: str
    party: str  # its name, or empty
    amount: float | None  # what it adds to the balance; None: nothing
    statement: models.BaseModel | None = None  # only to be told to its addressee


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
        found = {charge.id: [] for charge in roots}
        for charge_id, activity in (*roots._event_activities(), *roots._claim_activities()):
            found[charge_id].append(activity)
        for activities in found.values():
            activities.sort(key=lambda activity: activity.date)
        return found

    def _party_labels(self):
        """Names of the parties: ``{responsibility: label}``."""
        field = self.env["healthcare.statement.line"]._fields["responsibility"]
        return dict(field._description_selection(self.env))

    def _event_activities(self):
        """What the ledger and statements say, see ``_receivable_events``."""
        parties = self._party_labels()
        events = self.env["healthcare.receivable.events"]
        labels = events._event_labels()
        for event in self._receivable_events():
            text, amount, statement = labels[event.kind], event.amount, None
            if event.kind in NUMBERED:
                text = f"{text} {events._document_name(event.document)}"
            if event.kind == "on_account":
                # waits for its invoice: the balance doesn't know of it yet
                text = f"{text}: {event.charge.currency_id.format(-event.told)}"
                amount = None
            elif event.kind in ("statement", "closed"):
                if event.kind == "closed" or event.document.state not in TOLD_STATES:
                    continue
                amount, statement = None, event.document
            party = parties.get(event.responsibility, "")
            yield event.charge.id, Activity(event.date, text, party, amount, statement)

    def _claim_activities(self):
        """Claims with what payers did with them; a replacement is the appeal of a denied one."""
        # sudo: who may print a statement may tell that a claim was sent, and nothing else of it
        items = self.env["healthcare.claim.item"].sudo()
        told = set()
        for item in items.search([("charge_id", "in", self._family().ids)]):
            claim, root = item.claim_id, item.charge_id._root()
            if (root, claim) in told:
                continue
            told.add((root, claim))
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
                    yield root.id, Activity(day, text, claim.payer_id.name, None)
