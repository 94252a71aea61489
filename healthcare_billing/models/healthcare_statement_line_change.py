from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError

from .healthcare_charge_balance import PARTIES
from .healthcare_statement_items import LISTING

# What a statement tells of an item, and people may correct while it isn't closed.
TOLD_FIELDS = ("price", "amount_due", "distance", "waiting_minutes")
# The amounts among them follow the charge, unless somebody typed others.
TOLD_AMOUNTS = ("price", "amount_due")


class HealthcareStatementLine(models.Model):
    """Items that are added, corrected and taken off: each change is told in the journal."""

    _inherit = "healthcare.statement.line"

    by_hand = fields.Boolean(
        readonly=True,
        copy=False,
        help="Added or corrected by hand: loading the items again leaves it on the statement.",
    )
    is_typed = fields.Boolean(
        string="Amount Typed",
        readonly=True,
        copy=False,
        help="Its price or amount was typed: committing tells that, and not what is invoiced.",
    )
    waits_for_qa = fields.Boolean(
        string="In QA",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="Committed while in QA: invoiced when QA is done.",
    )
    state = fields.Selection(related="statement_id.state", string="Statement's Status")
    stage = fields.Selection(
        selection=lambda self: (
            self.env["healthcare.receivable"]._fields["stage"]._description_selection(self.env)
        ),
        compute="_compute_stage",
        help="Where the item is, for this party.",
    )

    @api.depends(
        "responsibility",
        "charge_id.billing_stage",
        "charge_id.returned_client",
        "charge_id.returned_payer",
        "charge_id.returned_secondary",
        "charge_id.balance_client",
        "charge_id.balance_payer",
        "charge_id.balance_secondary",
        "charge_id.ledger_client",
        "charge_id.ledger_payer",
        "charge_id.ledger_secondary",
    )
    def _compute_stage(self):
        """As ``healthcare.receivable`` tells it, and finished without a balance.

        sudo: accountants read statements, and no charges.
        """
        for line in self:
            charge, suffix = line.charge_id.sudo(), PARTIES.get(line.responsibility)
            if not charge or not suffix:
                line.stage = False
            elif not charge[f"balance_{suffix}"]:
                unbilled = charge.billing_stage in ("planned", "qa", "not_billable", "draft")
                line.stage = charge.billing_stage if unbilled else "finished"
                if not charge.is_priced and charge.billing_stage == "billing_office":
                    line.stage = "billing_office"
            elif charge[f"ledger_{suffix}"]:
                back = charge[f"returned_{suffix}"]
                line.stage = "billing_office" if back else "awaiting_payment"
            elif charge.billing_stage in ("qa", "draft"):
                line.stage = charge.billing_stage
            else:
                line.stage = "billing_office"

    # -- create, write, delete -------------------------------------------------------------------
    @api.model_create_multi
    def create(self, vals_list):
        by_hand = not self._is_listing()
        if by_hand:
            ids = {vals.get("statement_id") for vals in vals_list} - {None, False}
            statements = self.statement_id.browse(ids)
            told = statements.filtered(lambda statement: statement.state != "draft")
            if told:
                raise UserError(
                    self.env._(
                        "%s was committed: add items by “Add Items”, which commits them, too.",
                        told[0].name,
                    )
                )
        lines = super().create(vals_list)
        if by_hand:
            lines._check_debtor()
        return lines

    def _check_debtor(self):
        """Nobody is told what somebody else owes."""
        for line in self:
            if not line._is_owed_by_addressee():
                debtor = line.charge_id._debtor_of(line.responsibility)
                raise UserError(
                    self.env._(
                        "%(charge)s is owed by %(owes)s, not by %(addressee)s.",
                        charge=line.charge_id.display_name,
                        owes=debtor.display_name or self.env._("nobody"),
                        addressee=line.statement_id.partner_id.display_name,
                    )
                )

    def write(self, vals):
        if self._is_listing():
            return super().write(vals)
        moved = {"statement_id", "charge_id", "responsibility"} & set(vals)
        if any(line[name].id != vals[name] for name in moved - {"responsibility"} for line in self):
            raise UserError(
                self.env._("An item stays what it is: take it off, and add the other one.")
            )
        if any(
            line.responsibility != vals.get("responsibility", line.responsibility) for line in self
        ):
            raise UserError(self.env._("An item stays the same party's: add the other party's."))
        changed = self.filtered(lambda line: line._changes(vals))
        closed = changed.filtered(lambda line: line.state not in ("draft", "committed"))
        if closed:
            raise UserError(
                self.env._(
                    "%s is closed: its items stay as they were told.", closed[0].statement_id.name
                )
            )
        before = {line: {name: line[name] for name in TOLD_FIELDS} for line in changed}
        typed = self.filtered(lambda line: line._changes(vals, TOLD_AMOUNTS))
        result = super().write(vals)
        if changed:
            listing = changed.with_context(healthcare_listing=LISTING)
            listing.write({"by_hand": True})
            (listing & typed).write({"is_typed": True})
            changed._log_changes(before)
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_committed(self):
        told = self.statement_id.filtered(lambda statement: statement.state != "draft")
        if told and not self._is_listing():
            raise UserError(
                self.env._(
                    "%s was committed: take items off by “Detach”, which takes them back to the "
                    "billing office.",
                    told[0].name,
                )
            )

    def unlink(self):
        """What is taken off a draft is told in its journal."""
        if not self._is_listing():
            self.statement_id._log_items(self.grouped("statement_id"), self.env._("Taken off"))
        return super().unlink()

    def _is_listing(self):
        return self.env.context.get("healthcare_listing") is LISTING

    def _changes(self, vals, names=TOLD_FIELDS):
        self.ensure_one()
        return any(
            name in vals and self._fields[name].convert_to_cache(vals[name], self) != self[name]
            for name in names
        )

    def _follow(self, vals):
        """Tell what the item is now, unless somebody typed something else."""
        self.ensure_one()
        if self.is_typed:
            return
        changed = {
            name: vals[name]
            for name in TOLD_AMOUNTS
            if self.currency_id.compare_amounts(self[name], vals[name])
        }
        if changed:
            self.with_context(healthcare_listing=LISTING).update(changed)

    def _log_changes(self, before):
        """Say in the statements' journals what was typed.

        :param dict before: ``{line: {field: value}}``
        """
        bodies = defaultdict(list)
        for line, values in before.items():
            changes = [
                f"{line._fields[name]._description_string(self.env)} "
                f"{line._told(name, value)} → {line._told(name, line[name])}"
                for name, value in values.items()
                if value != line[name]
            ]
            if changes:
                bodies[line.statement_id.id].append(
                    f"{line.charge_id.display_name}: {', '.join(changes)}"
                )
        statements = self.env["healthcare.statement"].browse(bodies)
        statements._message_log_batch(
            bodies={statement_id: "; ".join(told) for statement_id, told in bodies.items()}
        )

    def _told(self, name, value):
        monetary = self._fields[name].type == "monetary"
        return self.currency_id.format(value) if monetary else f"{value:g}"

    # -- going back ------------------------------------------------------------------------------
    def _release(self, outcome=False):
        """Let go of items of committed statements: what is open goes back to the billing office.

        What another committed statement holds goes on awaiting payment.

        :param str outcome: kept with the items; False: none, because they are taken off
        """
        self._uncommit()
        if outcome:
            self.with_context(healthcare_listing=LISTING).write({"outcome": outcome})

    def _uncommit(self):
        """See ``_release``: only the stages of the charges."""
        held = self._held_elsewhere()
        back = self.filtered(
            lambda line: (
                not line.currency_id.is_zero(line.balance)
                and (line.charge_id, line.responsibility) not in held
            )
        )
        for party, lines in back.grouped("responsibility").items():
            lines.charge_id._set_returned(party)

    def _held_elsewhere(self):
        """Items that other committed statements hold, too.

        :return: set of ``(charge, responsibility)``
        """
        others = self.search(
            [
                ("charge_id", "in", self.charge_id.ids),
                ("statement_id", "not in", self.statement_id.ids),
                ("statement_id.state", "=", "committed"),
                ("outcome", "=", False),
            ]
        )
        return {(line.charge_id, line.responsibility) for line in others}

    def action_detach(self):
        """Take these items off their statements."""
        for statement, lines in self.grouped("statement_id").items():
            statement._detach(lines)
