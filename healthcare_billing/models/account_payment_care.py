from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .account_payment_charge import BOOKING

# What the journal entry was made of.
BOOKED_FIELDS = (
    "amount", "currency_id", "date", "destination_account_id", "journal_id", "partner_id",
    "partner_type", "payment_method_line_id", "payment_type",
)  # fmt: skip
# The same of the journal entry, and of its items.
ENTRY_FIELDS = {"currency_id", "date", "journal_id", "origin_payment_id", "partner_id"}
ITEM_FIELDS = {
    "account_id", "amount_currency", "balance", "charge_id", "credit", "currency_id", "debit",
    "move_id", "partner_id", "responsibility",
}  # fmt: skip
# In the context of what cancels payments; an object, because no client can send it.
CANCELING = object()


class AccountPayment(models.Model):
    """Payments for care as they are afterwards: what is applied, and nothing is edited.

    Core makes a draft's entry again from the payment, with one receivable line: what was paid for
    which care would be lost.
    """

    _inherit = "account.payment"

    care_applied = fields.Monetary(
        string="Applied",
        compute="_compute_care_applied",
        compute_sudo=True,
        groups="base.group_user",
        help="Set off against invoices, credits and other entries.",
    )
    care_unapplied = fields.Monetary(
        string="Unapplied",
        compute="_compute_care_applied",
        compute_sudo=True,
        groups="base.group_user",
        help="On account, until what it is for is invoiced.",
    )

    care_line_ids = fields.Many2many(
        "account.move.line",
        string="What It Is For",
        compute="_compute_care_applied",
        compute_sudo=True,
        groups="base.group_user",
    )
    pays_care = fields.Boolean(
        compute="_compute_pays_care",
        search="_search_pays_care",
        groups="base.group_user",
        help="Received for care, or set off against invoices of care.",
    )

    @api.depends("state", "amount", "move_id.line_ids.amount_residual_currency")
    def _compute_care_applied(self):
        for payment in self:
            payment.care_line_ids = payment.move_id.line_ids.filtered(
                lambda line: line.account_type == "asset_receivable"
            )
            lines = payment.care_line_ids.filtered(lambda line: line.parent_state == "posted")
            sign = 1 if payment.payment_type == "outbound" else -1
            payment.care_unapplied = sign * sum(lines.mapped("amount_residual_currency"))
            booked = sign * sum(lines.mapped("amount_currency"))
            payment.care_applied = booked - payment.care_unapplied

    @api.depends("is_for_care", "move_id.line_ids.matched_debit_ids")
    def _compute_pays_care(self):
        found = self.search([("id", "in", self.ids), ("pays_care", "=", True)])
        for payment in self:
            payment.pays_care = payment in found

    def _search_pays_care(self, operator, value):
        if operator not in ("in", "not in") or set(value) != {True}:
            return NotImplemented
        self.env["account.partial.reconcile"].flush_model(["debit_move_id", "credit_move_id"])
        self.env["account.move.line"].flush_model(["move_id", "charge_id"])
        paid = SQL(
            """(SELECT own.move_id FROM account_move_line own
                  JOIN account_partial_reconcile partial
                    ON own.id IN (partial.debit_move_id, partial.credit_move_id)
                  JOIN account_move_line other
                    ON other.id IN (partial.debit_move_id, partial.credit_move_id)
                  JOIN account_move_line care ON care.move_id = other.move_id
                 WHERE care.charge_id IS NOT NULL)"""
        )
        domain = Domain("is_for_care", "=", True) | Domain("move_id", "in", paid)
        return domain if operator == "in" else ~domain

    # -- never edited ----------------------------------------------------------------------------
    @api.model_create_multi
    def create(self, vals_list):
        default = self.env.context.get("default_is_for_care")
        if any(vals.get("is_for_care", default) for vals in vals_list):
            self._check_books_care()
        return super().create(vals_list)

    @api.model
    def _check_books_care(self):
        """Only what books the entry says that it is for care, and nobody takes it back."""
        if self.env.context.get("healthcare_booking") is not BOOKING:
            raise UserError(
                self.env._(
                    "Whether a payment is for care is recorded when it is received, and can't be "
                    "changed."
                )
            )

    def write(self, vals):
        if "is_for_care" in vals and any(
            payment.is_for_care != bool(vals["is_for_care"]) for payment in self
        ):
            self._check_books_care()
        booked = {name: vals[name] for name in BOOKED_FIELDS if name in vals}
        for payment in self.filtered(lambda payment: payment.is_for_care and payment.move_id):
            undone = vals.get("state") in ("draft", "canceled") and not self._is_canceling()
            if undone or any(payment._would_change(name, value) for name, value in booked.items()):
                raise payment._never_edited()
        return super().write(vals)

    @api.model
    def _is_canceling(self):
        return self.env.context.get("healthcare_canceling") is CANCELING

    def _would_change(self, name, value):
        """Whether a value is another one than the field's; the same again is no edit."""
        self.ensure_one()
        field = self._fields[name]
        old, new = (field.convert_to_cache(item, self) for item in (self[name], value))
        return old != new

    def _never_edited(self):
        self.ensure_one()
        return UserError(
            self.env._(
                "%s says what was paid for which care. Cancel it, and receive the money again.",
                self.display_name,
            )
        )

    def action_draft(self):
        """Put back to draft, it would forget what it paid, and which care that was."""
        for payment in self.filtered("is_for_care"):
            raise payment._never_edited()
        return super().action_draft()

    def action_cancel(self):
        """Canceling is the one way to take a payment for care back."""
        return super(
            AccountPayment, self.with_context(healthcare_canceling=CANCELING)
        ).action_cancel()

    def _synchronize_to_moves(self, changed_fields):
        """The entry of money for care is kept as it was booked."""
        return super(
            AccountPayment, self.filtered(lambda payment: not payment.is_for_care)
        )._synchronize_to_moves(changed_fields)

    def action_cancel_for_care(self):
        """Cancel posted payments for care: what they paid is owed again."""
        self.filtered("is_for_care").action_cancel()

    def action_refund_for_care(self):
        """Pay back what of this payment isn't applied.

        :return: window action on a new ``healthcare.refund.payment``
        """
        self.ensure_one()
        return self.env["healthcare.refund.payment"]._open_for_payment(self)


class AccountMove(models.Model):
    """The entry of money for care is as final as its payment."""

    _inherit = "account.move"

    def write(self, vals):
        guarded = ENTRY_FIELDS & set(vals)
        if guarded or vals.get("state") in ("draft", "cancel"):
            for move in self._booked_for_care():
                if vals.get("state") in ("draft", "cancel") or any(
                    self._field_will_change(move, vals, name) for name in guarded
                ):
                    raise move.origin_payment_id._never_edited()
        return super().write(vals)

    def _booked_for_care(self):
        """Entries of payments for care that are booked, unless their payment is canceled now."""
        if self.env["account.payment"]._is_canceling():
            return self.browse()
        # sudo: the flag is asked, whatever the user may read of payments
        return self.filtered(
            lambda move: (
                move.state != "draft" and move.origin_payment_id.sudo().is_for_care  # as above
            )
        )


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def write(self, vals):
        guarded = ITEM_FIELDS & set(vals)
        if guarded:
            booked = self.move_id._booked_for_care()
            for line in self.filtered(lambda line: line.move_id in booked):
                if any(booked._field_will_change(line, vals, name) for name in guarded):
                    raise line.move_id.origin_payment_id._never_edited()
        return super().write(vals)
