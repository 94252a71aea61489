from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .healthcare_statement_type import CHOSEN_STAGES

# In the context of what makes, moves and removes items; an object, because no client can send it.
LISTING = object()
# What decides which items a statement takes in; a change of it loads them again.
CRITERIA = (
    "partner_id", "company_id", "currency_id", "statement_type", "date_from", "date_to",
    "fee_schedule_id", "overrides_quotes", *CHOSEN_STAGES,
)  # fmt: skip


class HealthcareStatement(models.Model):
    """How items come on statements and leave them; ``healthcare_statement_type.py`` says which.

    An item is a charge with its corrections, of one party. Everything here works on many statements
    at once: what has the same criteria is searched together.
    """

    _inherit = "healthcare.statement"

    unpriced_count = fields.Integer(
        compute="_compute_unpriced_count",
        string="Without a Price",
        help="Care of this addressee that has no price yet, and so is on no statement.",
    )

    @api.depends("partner_id", "company_id", "state", "statement_type", "date_from", "date_to")
    def _compute_unpriced_count(self):
        # sudo: accountants read statements, and no charges; only how many there are is told
        drafts = self.sudo().filtered(lambda statement: statement.state == "draft")
        found = drafts._find_unpriced()
        for statement in self:
            on_it = statement.sudo().line_ids.charge_id
            statement.unpriced_count = len(found.get(statement, on_it) - on_it)

    # -- what is found ---------------------------------------------------------------------------
    def _alike(self):
        """Group statements with the same criteria, so that each question is asked once.

        :return: list of recordsets
        """
        with_partner = self.filtered("partner_id")
        return list(
            with_partner.grouped(
                lambda statement: tuple(
                    statement[name] for name in CRITERIA if name != "partner_id"
                )
            ).values()
        )

    def _find_receivables(self):
        """Receivables that each statement takes in.

        :return: ``{statement: healthcare.receivable recordset}``
        """
        found = {}
        for statements in self._alike():
            partners = statements.partner_id
            rows = self.env["healthcare.receivable"].search_fetch(
                Domain("partner_id", "in", partners.ids) & statements[0]._type_domain(),
                ["charge_id", "responsibility", "partner_id", "balance"],
            )
            own = rows.grouped("partner_id")
            for statement in statements:
                found[statement] = own.get(statement.partner_id._origin, rows.browse())
        return found

    def _find_unpriced(self):
        """Care without a price yet: it has no balance, and is told as soon as a price is known.

        :return: ``{statement: healthcare.charge recordset}``
        """
        found = {}
        for statements in self._alike():
            charges = self.env["healthcare.charge"].search(
                statements[0]._unpriced_domain(statements.partner_id)
            )
            own = charges.grouped(lambda charge: charge._unpriced_debtor())
            for statement in statements:
                found[statement] = own.get(statement.partner_id._origin, charges.browse())
        return found

    def _unpriced_domain(self, partners=None):
        """Care without a price that a statement of this type takes in.

        :param partners: only of these addressees
        :return: :class:`Domain` on ``healthcare.charge``
        """
        self.ensure_one()
        if self.statement_type == "collections":  # what was never told isn't collected
            return Domain.FALSE
        stages = ["billing_office"]
        if self.statement_type == "complete" or (self.statement_type == "custom" and self.with_qa):
            stages.append("qa")
        domain = (
            Domain("is_priced", "=", False)
            & Domain("parent_id", "=", False)
            & Domain("billing_stage", "in", stages)
            & Domain("company_id", "=", self.company_id.id)
            & Domain("product_id", "!=", False)
            & self._date_domain()
            & (
                Domain("appointment_id", "=", False)
                | Domain("appointment_id.parked", "=", False)
                | Domain("appointment_id.parked_until", "<=", fields.Date.context_today(self))
            )
        )
        if partners is not None:
            domain &= Domain("payer_debtor_id", "in", partners.ids) | (
                Domain("payer_debtor_id", "=", False)
                & Domain("client_debtor_id", "in", partners.ids)
            )
        return domain

    # -- what is told of them --------------------------------------------------------------------
    def _item_values(self):
        """Items that these statements take in now, with what is told of each.

        :return: ``{statement: {(charge, responsibility): line values}}``
        """
        result = {statement: {} for statement in self}
        receivables = self._find_receivables()
        charges = self.env["healthcare.charge"].union(
            *(rows.charge_id for rows in receivables.values())
        )
        amounts = charges._item_amounts()
        for statement, rows in receivables.items():
            for row in rows:
                charge, party = row.charge_id, row.responsibility
                told = amounts[charge.id, party]
                result[statement][charge, party] = self._line_values(charge, party, *told)
        self._quote_items(result)
        return result

    def _quote_items(self, items):
        """Add what has no price yet, and, with override, tell the fee schedule's prices.

        :param dict items: of ``_item_values``, changed in place
        """
        unpriced = self._find_unpriced()
        for statements in self._alike():
            quoted = {}  # statement -> ids of its charges that are priced anew
            for statement in statements:
                own = set(unpriced[statement].ids) if statement in unpriced else set()
                if statement.overrides_quotes and statement.fee_schedule_id:
                    # what a payer allowed, or an invoice says, is no quote any more
                    own |= {
                        charge.id
                        for charge, _party in items[statement]
                        if not charge.is_held and not charge.is_adjudicated
                    }
                quoted[statement] = own
            charges = self.env["healthcare.charge"].browse(sorted(set().union(*quoted.values())))
            quotes = charges._item_quotes(statements[0].fee_schedule_id)
            by_partner = statements.grouped(lambda statement: statement.partner_id._origin)
            for (charge, party), told in quotes.items():
                for statement in by_partner.get(charge._debtor_of(party), ()):
                    if charge.id in quoted[statement]:
                        vals = self._line_values(charge, party, *told)
                        items[statement][charge, party] = vals

    @api.model
    def _line_values(self, charge, party, price, amount_due):
        """Values of one item. Distance and time are copied: what is printed may be corrected."""
        return {
            "charge_id": charge.id,
            "responsibility": party,
            "price": price,
            "amount_due": amount_due,
            "distance": charge.appointment_id.distance,
            "waiting_minutes": charge.appointment_id.waiting_minutes,
        }

    # -- loading ---------------------------------------------------------------------------------
    def _load_items(self):
        """Make the items of drafts those that they take in now.

        Items that were added or changed by hand stay, and so do amounts that were typed.

        :raise UserError: one of them was committed already
        """
        self._check_draft()
        gone = self.env["healthcare.statement.line"]
        new = []
        for statement, wanted in self._item_values().items():
            for line in statement.line_ids:
                vals = wanted.pop((line.charge_id, line.responsibility), None)
                if vals is not None:
                    line._follow(vals)
                elif not line.by_hand:
                    gone |= line
            new += [{**vals, "statement_id": statement.id} for vals in wanted.values()]
        listing = gone.with_context(healthcare_listing=LISTING)
        listing.unlink()
        listing.create(new)

    def _check_draft(self):
        told = self.filtered(lambda statement: statement.state != "draft")
        if told:
            raise UserError(
                self.env._(
                    "%s was committed: its items are added and taken off one by one.", told[0].name
                )
            )

    @api.onchange(*CRITERIA)
    def _onchange_criteria(self):
        """The live preview: the items of the form are those that would be loaded."""
        if self.state != "draft":
            return
        wanted = self._item_values().get(self, {})
        lines = self.line_ids
        for line in self.line_ids:
            vals = wanted.pop((line.charge_id._origin, line.responsibility), None)
            if vals is not None:
                line._follow(vals)
            elif not line.by_hand:
                lines -= line
        for vals in wanted.values():
            lines += self.env["healthcare.statement.line"].new(vals)
        self.line_ids = lines

    def action_load_items(self):
        """Load the items of drafts again."""
        self.check_access("write")
        self._load_items()

    # -- adding and taking off -------------------------------------------------------------------
    def _add_items(self, receivables):
        """Put receivables on a statement by hand, parked ones, too.

        On a committed statement just these are committed; what can't be is left out and told.

        :param receivables: ``healthcare.receivable`` records of the addressee
        :return: the new ``healthcare.statement.line`` records that are on it now
        :raise UserError: somebody else owes it, or the statement is closed
        """
        self.ensure_one()
        self.check_access("write")
        if self.state not in ("draft", "committed"):
            raise UserError(self.env._("%s is closed. Reopen it, or make a new one.", self.name))
        others = receivables.filtered(
            lambda row: not row.charge_id._is_owed_by(row.responsibility, self.partner_id)
        )
        if others:
            raise UserError(
                self.env._(
                    "%(care)s is owed by %(owes)s, not by %(addressee)s. Transfer the "
                    "responsibility to this party first: that credits and bills it again.",
                    care=", ".join(others[:5].charge_id.mapped("display_name")),
                    owes=", ".join(others.partner_id.mapped("display_name")),
                    addressee=self.partner_id.display_name,
                )
            )
        if receivables.company_id - self.company_id or receivables.currency_id - self.currency_id:
            raise UserError(
                self.env._("A statement tells of one company and currency only: choose others.")
            )
        self._in_turn()
        lines = self._list_receivables({self: receivables})
        if self.state == "committed":
            lines = lines._commit_items()
        return lines

    def _list_receivables(self, receivables):
        """Make items of receivables that are chosen by hand, on many statements together.

        :param dict receivables: ``{statement: healthcare.receivable records}`` of its addressee
        :return: the new ``healthcare.statement.line`` records, without what was listed already
        """
        known = {(line.statement_id, line.charge_id, line.responsibility) for line in self.line_ids}
        rows = self.env["healthcare.receivable"].union(*receivables.values())
        amounts = rows.charge_id._item_amounts()
        lines = self.line_ids.with_context(healthcare_listing=LISTING).create(
            [
                {
                    **self._line_values(
                        row.charge_id,
                        row.responsibility,
                        *amounts[row.charge_id.id, row.responsibility],
                    ),
                    "statement_id": statement.id,
                    "by_hand": True,
                }
                for statement, own in receivables.items()
                for row in own
                if (statement, row.charge_id, row.responsibility) not in known
            ]
        )
        lines = lines.with_env(self.env)
        if lines:
            self._log_items(lines.grouped("statement_id"), self.env._("Added"))
        return lines

    def _detach(self, lines):
        """Take items off a statement that isn't closed.

        What this statement alone had committed goes back to the billing office.

        :param lines: ``healthcare.statement.line`` records of it
        """
        self.ensure_one()
        self.check_access("write")
        lines &= self.line_ids
        if not lines:
            return
        self._in_turn()
        if self.state not in ("draft", "committed"):
            raise UserError(self.env._("%s is closed: its items stay on it.", self.name))
        self._log_items({self: lines}, self.env._("Taken off"))
        if self.state == "committed":
            lines._release()
        lines.with_context(healthcare_listing=LISTING).unlink()

    def _in_turn(self):
        """One user at a time, and none who hasn't seen what the one before did.

        :raise UserError: somebody else is at work on it
        """
        self._take_turn(
            self.env._(
                "Another user is working on %s right now. Try again in a moment.",
                ", ".join(self[:5].mapped("name")),
            )
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_committed(self):
        told = self.filtered(
            lambda statement: statement.state not in ("draft", "canceled") or statement.committed_on
        )
        if told:
            raise UserError(
                self.env._(
                    "%s was committed, and its journal is kept: cancel it instead of deleting it.",
                    told[0].name,
                )
            )

    # -- journal ---------------------------------------------------------------------------------
    def _log_items(self, lines_by_statement, text):
        """Say in the journals which items were added or taken off.

        :param dict lines_by_statement: ``{statement: lines}``
        :param str text: what happened
        """
        bodies = defaultdict(list)
        for statement, lines in lines_by_statement.items():
            bodies[statement.id] += [
                f"{line.charge_id.display_name}: {line.currency_id.format(line.amount_due)}"
                for line in lines
            ]
        self.browse(bodies)._message_log_batch(
            bodies={
                statement_id: f"{text}: {', '.join(told)}" for statement_id, told in bodies.items()
            }
        )
