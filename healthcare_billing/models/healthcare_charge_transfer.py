from odoo import api, fields, models
from odoo.exceptions import UserError

from .healthcare_charge import BILLED_FIELDS, PART_FIELDS, PRICING
from .healthcare_turns_mixin import take_turn

# In the context of ``_transfer``; an object, because no client can send it.
TRANSFER = object()


class HealthcareCharge(models.Model):
    """Responsibility after the fact: a child charge takes from one party and gives to another."""

    _inherit = "healthcare.charge"

    transfer_reason = fields.Char(string="Reason", help="Why the responsibility was transferred.")

    # -- made by _transfer only --------------------------------------------------------------------
    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("kind", self.env.context.get("default_kind")) == "transfer":
                self._check_may_transfer()
                vals.setdefault("price_unit", 0.0)  # moves a debt, has no price of its own
        return super().create(vals_list)

    def write(self, vals):
        names = BILLED_FIELDS & set(vals)
        if names and self.env.context.get("healthcare_pricing") is not PRICING:
            transfers = self.filtered(lambda charge: charge.kind == "transfer")
            if any(transfer._changes(vals, names) for transfer in transfers) or (
                vals.get("kind") == "transfer" and self - transfers
            ):
                self._check_may_transfer()
        return super().write(vals)

    @api.model
    def _check_may_transfer(self):
        """Only what a party owes can be moved, and nothing but ``_transfer`` checks that."""
        if self.env.context.get("healthcare_transfer") is not TRANSFER:
            raise UserError(
                self.env._(
                    "Who owes what was invoiced is changed by “Transfer Responsibility” on the "
                    "charge or its invoice. Delete an unbilled transfer to make another one."
                )
            )

    # -- a charge and its corrections ------------------------------------------------------------
    def _root(self):
        """The charge that a correction is made of, else the charge itself."""
        self.ensure_one()
        return self.parent_id or self

    def _roots(self):
        return self.browse(dict.fromkeys(charge._root().id for charge in self))

    def _family(self):
        """The charges with all their corrections."""
        roots = self._roots()
        return roots | roots.child_ids

    # -- what may be moved -----------------------------------------------------------------------
    def _check_transferable(self, amount, from_party, to_party):
        self.ensure_one()
        names = dict(self._party_names())
        if from_party == to_party:
            raise UserError(self.env._("Choose two different parties."))
        if self.currency_id.compare_amounts(amount, 0.0) <= 0:
            raise UserError(self.env._("Type how much is to be moved, more than 0.00."))
        if to_party != "client" and not self._is_payer_responsible():
            raise UserError(
                self.env._(
                    "%s has no payer who could owe a part: the client owes all of it. Missed "
                    "appointments are always the client's.",
                    self.display_name,
                )
            )
        owed = self._movable_amounts(from_party)[self].most
        if self.currency_id.compare_amounts(amount, owed) > 0:
            raise UserError(
                self.env._(
                    "%(charge)s: %(party)s still owes %(owed)s on posted invoices; %(amount)s "
                    "can't be moved. What isn't invoiced yet is moved by typing the parts on the "
                    "charge; what was paid is moved by refunding it first.",
                    charge=self.display_name,
                    party=names[from_party],
                    owed=self.currency_id.format(owed),
                    amount=self.currency_id.format(amount),
                )
            )

    # -- doing it --------------------------------------------------------------------------------
    def _transfer(self, amount, *, from_party, to_party, reason):
        """Move a part of what one party owes to another one.

        :param float amount: more than 0.00, in the charge's currency
        :param str from_party: responsibility that owes it now
        :param str to_party: responsibility that will owe it
        :param str reason: why
        :return: the child charge, of 0.00, that moves the debt; nothing is billed yet
        :raise UserError: more than is owed, or to a payer that can't owe it
        """
        self.ensure_one()
        charge = self._root()
        charge._lock_for_transfer(from_party)
        amount = charge.currency_id.round(amount)
        charge._check_transferable(amount, from_party, to_party)
        parts = dict.fromkeys(PART_FIELDS.values(), 0.0)
        parts[PART_FIELDS[from_party]] = -amount
        parts[PART_FIELDS[to_party]] = amount
        return (
            self.with_context(healthcare_transfer=TRANSFER)
            .create(
                {
                    "parent_id": charge.id,
                    "kind": "transfer",
                    "transfer_reason": reason,
                    **parts,
                }
            )
            .with_env(self.env)
        )

    def _lock_for_transfer(self, party):
        """One user at a time, for this charge and for its invoices: other charges are on them."""
        self.ensure_one()
        refusal = self.env._("Another user is working on %s right now.", self.display_name)
        for records in (self, self._family()._posted_lines_of(party).move_id):
            take_turn(records, refusal)

    def _bill_transfers(self):
        """Credit the party that owes less, invoice the one that owes more, and post both.

        The credit is set off against the invoice that it takes from.

        :return: ``account.move`` recordset
        :raise UserError: why it can't be billed now; then nothing is
        """
        engine = self.env["healthcare.billing.engine"].with_context(
            healthcare_billing_door="transfer"
        )
        moves = self.env["account.move"]
        for company, charges in self.grouped("company_id").items():
            moves |= engine.with_company(company)._bill_or_raise(charges)
        for move in moves.filtered(lambda move: move.move_type == "out_refund"):
            origin = move._invoices_taken_from()
            if len(origin) == 1:
                move.reversed_entry_id = origin
        moves.filtered(lambda move: move.state == "draft")._post(soft=False)
        for move in moves.filtered(lambda move: move.move_type == "out_refund"):
            move._set_off_against(move._invoices_taken_from())
        return moves

    def _log_transfers(self):
        """Say on the appointments, and on all invoices that bill them, who owes what, and why."""
        names = dict(self._party_names())
        texts = {}
        for transfer in self:
            parts = {party: transfer[field] for party, field in PART_FIELDS.items()}
            giver, taker = min(parts, key=parts.get), max(parts, key=parts.get)
            text = self.env._(
                "%(charge)s: %(amount)s moved from %(giver)s to %(taker)s. Reason: %(reason)s.",
                charge=transfer.parent_id.display_name,
                amount=transfer.currency_id.format(parts[taker]),
                giver=names[giver],
                taker=names[taker],
                reason=transfer.transfer_reason or "",
            )
            held = transfer._family()._live_lines().with_env(self.env).move_id
            for record in (*transfer.appointment_id, *held):
                texts.setdefault(record, []).append(text)
        for model in ("healthcare.appointment", "account.move"):
            records = self.env[model].browse(r.id for r in texts if r._name == model)
            records._message_log_batch(
                bodies={record.id: "\n".join(texts[record]) for record in records}
            )

    def action_transfer_responsibility(self):
        """Move what one party still owes of these charges to another party.

        :return: window action on a new ``healthcare.responsibility.transfer``
        """
        return self.env["healthcare.responsibility.transfer"]._open(self._roots())
