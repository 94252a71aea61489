from collections import defaultdict

from psycopg2 import errors

from odoo import api, models
from odoo.tools import frozendict

from .healthcare_charge_correction import Corrections


class HealthcareBillingEngine(models.AbstractModel):
    """Invoices of what a statement tells: just its addressee's parts, posted at once (R18)."""

    _inherit = "healthcare.billing.engine"

    @api.model
    def _book_items(self, items, invoice_date, run=None):
        """Invoice and post items; one that can't be is told why, and stops no other.

        :param dict items: ``{(charge id, responsibility): statement}``; the charges are corrected
            ones, their corrections go along
        :param date invoice_date: of all invoices
        :param run: ``healthcare.billing.run`` record that the invoices are of, if any
        :return: ``{(charge id, responsibility): (block reason codes, text)}`` of what isn't booked
        """
        charges = self.env["healthcare.charge"].browse(dict.fromkeys(key[0] for key in items))
        parts = {}  # (charge id, party) -> item
        for root_id, by_party in charges._unbilled_parts().items():
            for party, own in by_party.items():
                if (root_id, party) in items:
                    parts |= {(charge.id, party): (root_id, party) for charge in own}
        # corrections of what is posted go where it went, whoever is invoiced from now on
        late = charges.browse(dict.fromkeys(key[0] for key in parts))._parts_of_posted()
        late = {part: told for part, told in late.items() if part in parts}
        first = {part: item for part, item in parts.items() if part not in late}
        engine = self._statement_engine(items, parts)
        refused = engine._book_parts(first, invoice_date, run)
        late_items = {part: parts[part] for part in late if parts[part] not in refused}
        engine = engine.with_context(healthcare_corrections=Corrections(late))
        return refused | engine._book_parts(late_items, invoice_date, run)

    @api.model
    def _book_parts(self, parts, invoice_date, run=None):
        """See ``_book_items``.

        :param dict parts: ``{(charge id, responsibility): item}``
        """
        refused = {}
        if not parts:
            return refused
        engine, plan = self._plan_parts(parts, invoice_date)
        by_charge = defaultdict(list)
        for (charge_id, _party), item in parts.items():
            by_charge[charge_id].append(item)
        for charge_id, codes in plan.blocked.items():
            if codes != ("already_invoiced",):
                for item in by_charge[charge_id]:
                    refused[item] = (codes, "")
        if refused:  # a charge goes with its corrections, or not at all
            parts = {part: item for part, item in parts.items() if item not in refused}
            engine, plan = self._plan_parts(parts, invoice_date)

        def book(invoices):
            moves = engine._book(
                list(invoices), run or self.env["healthcare.billing.run"], post=True
            )
            if engine._corrections():
                moves._set_off_within_items()

        def fail(invoices, error):
            if isinstance(error, errors.ExclusionViolation):
                text = self.env._("Billed meanwhile by another user.")
            else:
                text = self._failure_text(error)
            for part in invoices[0].parts:
                refused[parts[part.charge_id, part.responsibility]] = ((), text)

        engine._isolate_faults(plan.invoices, book, fail)
        return refused

    @api.model
    def _plan_parts(self, parts, invoice_date):
        """The engine that sees only these parts, and what it would make of them."""
        engine = self.with_context(healthcare_only_parts=frozenset(parts))
        charges = self.env["healthcare.charge"].browse(dict.fromkeys(key[0] for key in parts))
        return engine, engine.plan(charges, invoice_date=invoice_date)

    @api.model
    def _statement_engine(self, items, parts):
        """The engine, knowing on whose statement each of these parts is told.

        :param dict items: see ``_book_items``
        :param dict parts: ``{(charge id, responsibility): item}``
        """
        owners = {
            (charge_id, items[item].partner_id.id): items[item].id
            for (charge_id, _party), item in parts.items()
        }
        return self.with_context(
            healthcare_billing_door="statement",
            healthcare_statements=frozendict(owners),
        )

    @api.model
    def _splits(self, row, group, options):
        """What different statements tell is on different invoices: each is canceled on its own."""
        splits = super()._splits(row, group, options)
        owners = self._statement_owners()
        return (*splits, owners.get((row["id"], group[2]), False)) if owners else splits

    @api.model
    def _statement_owners(self):
        """``{(charge id, addressee id): statement id}`` while statements are committed."""
        owners = self.env.context.get("healthcare_statements")
        return owners if isinstance(owners, frozendict) else {}

    @api.model
    def _prepare_move(self, invoice, charges, number, run):
        """An invoice knows the statement whose commit made it."""
        vals = super()._prepare_move(invoice, charges, number, run)
        owners = self._statement_owners()
        if owners:
            charge_id = invoice.charge_ids[0] if invoice.charge_ids else False
            vals["care_statement_id"] = owners.get((charge_id, invoice.partner_id), False)
        return vals
