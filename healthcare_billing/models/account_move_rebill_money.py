from dataclasses import dataclass

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Command


@dataclass(frozen=True, slots=True)
class Released:
    """What was taken off a credited invoice, in company currency.

    :ivar float open_before: what the journal item left open before
    :ivar float lost: which part of what was taken off is no money: written off, for example
    """

    open_before: float
    lost: float


class AccountMove(models.Model):
    """What paid an invoice that is credited and billed again goes over to the new one."""

    _inherit = "account.move"

    def _post(self, soft=True):
        """A new invoice that was left as a draft takes over what paid the old one."""
        posted = super()._post(soft)
        posted._drop_lost_bequests()
        posted._take_bequests()
        return posted

    # -- off the old invoice ---------------------------------------------------------------------
    def _release_payments(self):
        """Unreconcile what paid this invoice; credit notes of it stay reconciled.

        :return: ``{journal item: Released}`` of payments and other credits
        """
        self.ensure_one()
        receivable = self.line_ids.filtered(lambda line: line.display_type == "payment_term")
        notes = self._own_credit_notes()
        partials = receivable.matched_credit_ids | receivable.matched_debit_ids
        exchange = partials.exchange_move_id  # goes with its partial
        before = {}
        for partial in partials:
            other = (partial.debit_move_id | partial.credit_move_id) - receivable
            if other.move_id in notes:
                partials -= partial
            elif other.move_id not in exchange:
                before[other] = other.amount_residual
        partials.unlink()
        shares = self.browse(line.move_id.id for line in before)._money_share()
        return {
            line: Released(
                open_before=amount,
                lost=abs(line.amount_residual - amount) * (1.0 - shares.get(line.move_id.id, 1.0)),
            )
            for line, amount in before.items()
        }

    def _release_registered_payments(self):
        """Take the payments that were registered on this invoice off it.

        They may have no journal entry until the bank confirms them. Core takes whatever is
        reconciled with their invoice for that, which a credit note isn't.

        :return: ``account.payment`` recordset
        """
        self.ensure_one()
        payments = self.matched_payment_ids
        self.matched_payment_ids = False
        return payments

    def _hand_over_registered_payments(self, registered):
        """Register the payments on the new invoices of the same addressee.

        :param dict registered: per credited invoice, of ``_release_registered_payments``
        """
        for move, payments in registered.items():
            move._heirs()[:1].matched_payment_ids |= payments

    # -- on to the new ones ----------------------------------------------------------------------
    def _heirs(self):
        """The new invoices of the same addressee."""
        self.ensure_one()
        return self.rebilled_by_ids.filtered(
            lambda new: (
                new.state != "cancel" and new.commercial_partner_id == self.commercial_partner_id
            )
        )

    def _bequeath_payments(self, payments):
        """Note on the new invoices what they take over; drafts do so when they are posted.

        :param dict payments: per credited invoice, of ``_release_payments``
        """
        for move, released in payments.items():
            if released:
                lines = [Command.link(line.id) for line in released]
                # sudo: only corrections may say what an invoice inherits
                move._heirs().sudo().write({"rebill_credit_line_ids": lines})

    def _drop_lost_bequests(self):
        """Forget what can't pay a draft any more: meanwhile undone, or made somebody else's.

        Without that, core refuses to post an invoice because of an entry that isn't posted, or the
        money of one customer pays the debt of another. An invoice that is posted at once needs no
        such look: what it takes over paid the old one a moment ago.
        """
        for move in self.filtered("rebill_credit_line_ids"):
            lines = move.rebill_credit_line_ids
            lost = lines - lines.filtered(move._may_inherit)
            if lost:
                # sudo: see _bequeath_payments
                move.sudo().rebill_credit_line_ids -= lost
                move._message_log(
                    body=self.env._(
                        "Not set off against this invoice, because it was undone or is another "
                        "customer's now: %s.",
                        ", ".join(entry._care_reference() for entry in lost.move_id),
                    )
                )

    def _may_inherit(self, line):
        """Whether a journal item can pay this invoice; one without a partner is nobody else's."""
        self.ensure_one()
        partner = line.partner_id.commercial_partner_id
        return line.parent_state == "posted" and (
            not partner or partner == self.commercial_partner_id
        )

    def _take_bequests(self):
        """Set what paid the replaced invoices off against these: money first, write-offs last."""
        heirs = self.filtered("rebill_credit_line_ids")
        lines = heirs.rebill_credit_line_ids
        shares = lines.move_id._money_share()
        ordered = lines.sorted(lambda line: -shares.get(line.move_id.id, 1.0))
        for move in heirs:
            for line in ordered & move.rebill_credit_line_ids:
                move._set_off_against_lines(line)
            move.sudo().rebill_credit_line_ids = False  # sudo: see _bequeath_payments

    def _check_may_wait_as_draft(self, payments, part_credits):
        """What can't be undone by whoever changes or deletes the draft needs it posted at once.

        :param dict payments: per credited invoice, of ``_release_payments``
        :param part_credits: :class:`PartCredits`
        :raise UserError: something was written off, or credited in part
        """
        currency = self.company_currency_id
        lost = sum(item.lost for released in payments.values() for item in released.values())
        if part_credits.kept or not currency.is_zero(lost):
            raise UserError(
                self.env._(
                    "%s was written off, or credited, in part. That has to go over to the new "
                    "invoice: don't leave it as a draft.",
                    ", ".join(move._care_reference() for move in self),
                )
            )

    def _check_no_write_off_left(self, payments):
        """A write-off that the new invoices don't need would be a credit that nobody paid.

        :param dict payments: per credited invoice, of ``_release_payments``
        :raise UserError: with the entries that wrote it off
        """
        for move, released in payments.items():
            for line, item in released.items():
                lost = min(item.lost, self._left_open(line, item))
                if not move.company_currency_id.is_zero(lost):
                    raise UserError(
                        self.env._(
                            "Of %(invoice)s, %(amount)s more was written off by %(entry)s than "
                            "is left to write off; nobody paid it, so it can't stay as a credit. "
                            "Unreconcile that entry and correct it, then credit and rebill.",
                            invoice=move._care_reference(),
                            amount=move.company_currency_id.format(lost),
                            entry=line.move_id.name,
                        )
                    )

    def _left_open(self, line, item):
        """What a released journal item leaves open now, beyond what it left open before."""
        return max(-(line.amount_residual - item.open_before), 0.0)

    def _surplus_text(self, payments):
        """Sentences that tell what is left over of payments."""
        surplus = sum(
            self._left_open(line, item)
            for released in payments.values()
            for line, item in released.items()
        )
        currency = self.company_currency_id
        if currency.is_zero(surplus):
            return []
        return [self.env._("Payments of %s stay as open credit.", currency.format(surplus))]

    def _set_off_against_lines(self, counterparts):
        receivable = self.line_ids.filtered(lambda line: line.display_type == "payment_term")
        for account, lines in (receivable | counterparts).grouped("account_id").items():
            open_lines = lines.filtered(
                lambda line: line.parent_state == "posted" and not line.reconciled
            )
            if account.reconcile and open_lines & receivable and open_lines & counterparts:
                open_lines.reconcile()

    def _set_off_against(self, moves):
        """Reconcile receivables of these documents with those of others."""
        self._set_off_against_lines(
            moves.line_ids.filtered(lambda line: line.display_type == "payment_term")
        )

    def _invoices_taken_from(self):
        """Of a credit note by a transfer: the invoices that bill what it takes from."""
        self.ensure_one()
        parties = {
            (line.charge_id._root(), line.responsibility)
            for line in self.invoice_line_ids
            if line.charge_id
        }
        lines = self.invoice_line_ids.charge_id._family()._live_lines().with_env(self.env)
        return lines.filtered(
            lambda line: (
                (line.charge_id._root(), line.responsibility) in parties
                and line.parent_state == "posted"
                and line.move_type == "out_invoice"
                and line.move_id.commercial_partner_id == self.commercial_partner_id
            )
        ).move_id
