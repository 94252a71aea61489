"""What is asked of everyone who makes invoices."""

from collections import Counter

from ..measure import Clock
from ..practice import INVOICE_DATE


class Contender:
    """Makes the invoices of the same care.

    :cvar str name: in the table
    :cvar str module: addon it needs besides the product, or None
    """

    name = ""
    module = None

    def prepare(self, env, invoices):
        """Make the documents that the invoices are made from; this isn't measured.

        :param invoices: list of :class:`PlannedInvoice`, one per customer
        :return: what ``create`` needs: plain values, no records
        """
        raise NotImplementedError

    def create(self, env, task):
        """Make the invoices.

        :param task: what ``prepare`` returned
        :return: ``account.move`` recordset
        """
        raise NotImplementedError

    def measure(self, session, task):
        """Create, then post, in a transaction of its own that is rolled back.

        :return: ``{step: Sample}``, and a summary of what was made
        """
        with session.transaction() as env:
            clock = Clock(env)
            moves = self.create(env, task)
            created = clock.read()
            moves.action_post()
            posted = clock.read()
            return {"create": created, "create+post": posted}, summary(moves)


def summary(moves):
    """What must be the same, whoever made the invoices."""
    return {
        "invoices": len(moves),
        **Counter(f"{line.display_type} lines" for line in moves.line_ids),
        "total": round(sum(moves.mapped("amount_total")), 2),
        "state": set(moves.mapped("state")),
        "dates": set(moves.mapped("invoice_date")) == {INVOICE_DATE},
    }


def sections_and_lines(env, invoice):
    """Lines of a planned invoice as the engine words them, for documents of others.

    :return: list of dicts
    """
    engine = env["healthcare.billing.engine"]
    return engine._prepare_lines(invoice, engine._prefetch_charges([invoice]))
