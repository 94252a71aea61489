from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .healthcare_charge import PART_FIELDS, RESPONSIBILITIES


class HealthcareCharge(models.Model):
    """Responsibility after the fact: a child charge takes from one party and gives to another."""

    _inherit = "healthcare.charge"

    transfer_reason = fields.Char(string="Reason", help="Why the responsibility was transferred.")

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
    def _owed_by(self, party):
        """What a party still owes of this charge and its corrections, on posted invoices.

        Money that an invoice got counts against all of it: of a part-paid invoice no more than
        what is open can be moved.

        :param str party: responsibility
        :return: amount in the charge's currency, what waits to be billed taken off
        """
        self.ensure_one()
        family = self._family()
        # sudo: care rights decide who transfers; the ledger's lines are read for the sum only
        lines = family._live_lines().filtered(
            lambda line: line.responsibility == party and line.parent_state == "posted"
        )
        billed = sum(
            (-1 if line.move_type == "out_refund" else 1)
            * (line.price_subtotal - line.charge_credited)
            for line in lines
        )
        invoices = lines.move_id.filtered(lambda move: move.move_type == "out_invoice")
        open_amount = min(billed, sum(invoices.mapped("amount_residual")))
        waiting = sum(
            child[PART_FIELDS[party]]
            for child in family - self
            if child not in lines.charge_id and child.kind == "transfer"
        )
        return max(self.currency_id.round(open_amount + waiting), 0.0)

    def _check_transferable(self, amount, from_party, to_party):
        self.ensure_one()
        names = dict(RESPONSIBILITIES)
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
        owed = self._owed_by(from_party)
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
        if not charge.try_lock_for_update(allow_referencing=True):
            raise UserError(
                self.env._("Another user is working on %s right now.", charge.display_name)
            )
        # A lock alone doesn't tell a transaction that began earlier of what was done under it: the
        # changed row does, and the request is tried again.
        self.env.cr.execute(
            SQL("UPDATE healthcare_charge SET write_date = write_date WHERE id = %s", charge.id)
        )
        amount = charge.currency_id.round(amount)
        charge._check_transferable(amount, from_party, to_party)
        parts = dict.fromkeys(PART_FIELDS.values(), 0.0)
        parts[PART_FIELDS[from_party]] = -amount
        parts[PART_FIELDS[to_party]] = amount
        return self.create(
            {
                "parent_id": charge.id,
                "kind": "transfer",
                "transfer_reason": reason,
                **parts,
            }
        )

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
        names = dict(RESPONSIBILITIES)
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
