from odoo import models
from odoo.exceptions import AccessError, UserError


class AccountMove(models.Model):
    """Void a posted invoice (R15): it is credited in full, and its care is free to bill again.

    The reversal is dated today, or on the first open day. What paid the invoice is taken off it
    first, and stays as credit of its payer. What was written off by us is taken back: as a credit
    it would be money that nobody paid.
    """

    _inherit = "account.move"

    def action_void(self):
        """Say what voiding does, and ask why, before it is done.

        :return: window action on a new ``healthcare.invoice.void``
        """
        self._check_may_void()
        return self.env["healthcare.invoice.void"]._open(self)

    def _check_may_void(self):
        """Posted invoices are taken back by billing managers only, as by undoing a run.

        :raise AccessError: for anybody else
        :raise UserError: not a posted invoice that bills care now
        """
        manager = self.env.user.has_group("healthcare_billing.group_billing_manager")
        if not manager and not self.env.su:
            raise AccessError(self.env._("Only a billing manager can void posted invoices."))
        self.check_access("write")
        for move in self:
            move._check_may_rebill()

    def _void(self, reason):
        """Void these posted invoices, all or none.

        :param str reason: told on invoices and credit notes
        :return: the credit notes, in the order of the invoices
        :raise UserError: no reason, or one of them can't be voided
        """
        if not reason or not reason.strip():
            raise UserError(self.env._("Say why the invoice is voided."))
        if len(self.try_lock_for_update(allow_referencing=True)) < len(self):
            raise UserError(
                self.env._("Another user is working on one of these invoices. Try again.")
            )
        self._check_may_void()
        credits = self.browse()
        for move in self:
            credits |= move._void_one(reason.strip())
        self.env.flush_all()  # the guard answers here, and what is freed is free in the database
        return credits

    def _void_one(self, reason):
        """Void one invoice.

        :return: its credit note
        """
        write_offs = self._live_write_offs()
        unapplied = self._unapplied_by_voiding()
        write_offs._take_back_write_off(reason)
        self._check_no_foreign_write_off(self._release_payments())
        self._release_registered_payments()
        credit = self._credit_for_rebill(reason)
        text = self.env._(
            "Voided by %(credit)s. Reason: %(reason)s.", credit=credit.name, reason=reason
        )
        if unapplied:
            text += " " + self.env._(
                "Unapplied credit now: %s.",
                ", ".join(
                    f"{name} {currency.format(amount)}" for name, amount, currency in unapplied
                ),
            )
        (self | credit)._message_log_batch(bodies=dict.fromkeys((self | credit).ids, text))
        # sudo: rows are the engine's record, and the run may be another company's
        rows = (
            self.env["healthcare.billing.run.line"]
            .sudo()
            .search(
                [
                    ("move_id", "=", self.id),
                    ("state", "=", "created"),
                    ("run_id.marks_sent", "=", False),
                ]
            )
        )
        rows._set_result({"state": "undone", "message": self.env._("Voided by %s", credit.name)})
        return credit

    def _unapplied_by_voiding(self):
        """Money that voiding takes off this invoice; it stays as credit of whoever paid it.

        :return: list of (payment's name, amount, currency)
        """
        self.ensure_one()
        receivable = self.line_ids.filtered(lambda line: line.display_type == "payment_term")
        notes = self._own_credit_notes() | self._live_write_offs()
        found = {}
        for partial in receivable.matched_credit_ids:
            other = partial.credit_move_id.move_id
            if other not in notes and other not in receivable.matched_credit_ids.exchange_move_id:
                found[other] = found.get(other, 0.0) + partial.debit_amount_currency
        return [
            *((move.name, amount, self.currency_id) for move, amount in found.items()),
            *(
                # registered, and without an entry until the bank confirms it
                (payment.name or payment.display_name, payment.amount, payment.currency_id)
                for payment in self.matched_payment_ids.filtered(lambda p: not p.move_id)
            ),
        ]

    def _check_no_foreign_write_off(self, released):
        """A discount or write-off within a payment would stay as a credit that nobody paid.

        :param dict released: of ``_release_payments``
        :raise UserError: with the entries
        """
        for line, item in released.items():
            if not self.company_currency_id.is_zero(item.lost):
                raise UserError(
                    self.env._(
                        "%(entry)s also writes %(amount)s of %(invoice)s off. As a credit that "
                        "would be money that nobody paid: unreconcile and correct that entry "
                        "first.",
                        entry=line.move_id.name,
                        amount=self.company_currency_id.format(item.lost),
                        invoice=self._care_reference(),
                    )
                )


class HealthcareInvoiceOverview(models.Model):
    _inherit = "healthcare.invoice.overview"

    def action_void(self):
        """Void the invoices of these rows."""
        return self.move_id.action_void()
