from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from .account_payment_charge import CareMoney, OnAccount
from .healthcare_charge_balance import PARTIES

# What becomes of items that the money doesn't cover.
UNDER = ("return", "write_off", "leave_open")
# What becomes of money that nothing is open for.
OVER = ("on_account", "target")


class HealthcareStatement(models.Model):
    """Close a statement as paid (R20); online payments come this way, too.

    The statement is paid even if it is underpaid: what is short goes back to the billing office, or
    is written off as a courtesy, or is left open, with the statement, until it is closed by 0.00.
    """

    _inherit = "healthcare.statement"

    payment_ids = fields.Many2many(
        "account.payment",
        "healthcare_statement_payment_rel",
        string="Payments",
        readonly=True,
        copy=False,
        help="Money that was received for this statement.",
    )
    set_off_ids = fields.Many2many(
        "account.move",
        "healthcare_statement_set_off_rel",
        string="Credits Set Off",
        readonly=True,
        copy=False,
    )
    payment_count = fields.Integer(compute="_compute_payment_count")

    @api.depends("payment_ids")
    def _compute_payment_count(self):
        for statement in self:
            statement.payment_count = len(statement.payment_ids)

    def action_view_payments(self):
        """Open the payments of this statement."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Payments"),
            "res_model": "account.payment",
            "views": [(False, "list"), (False, "form")],
            "domain": [("id", "in", self.payment_ids.ids)],
        }

    def _close_paid(
        self,
        amount,
        journal,
        date,
        *,
        under="return",
        over="on_account",
        lines=None,
        reason=None,
        target=None,
        memo="",
        payment_method_line=None,
        payment_values=None,
    ):
        """Book what was paid for the statement, and close it.

        :param float amount: in the statement's currency; 0.00 closes what was left open; less than
            0.00 is paid back to the addressee
        :param journal: bank, cash or card ``account.journal``; none needed for 0.00
        :param date date: of payment and entries
        :param str under: see ``UNDER``
        :param str over: see ``OVER``
        :param lines: money, and what is written off, only for these items: the others go back, or
            stay open with the statement
        :param reason: ``healthcare.adjustment.reason`` of what is written off
        :param target: with ``over="target"`` the statement line or receivable that gets the surplus
        :param dict payment_values: further values of the payment
        :return: the posted ``account.payment``, or an empty record
        :raise UserError: not open any more, wrong amount, journal, date or choice
        """
        self.ensure_one()
        self._begin_closing(("committed",))
        amount = self.currency_id.round(amount)
        self._check_paid_choices(amount, journal, under, over, reason, lines)
        allocation = self._allocate(amount, lines)
        if allocation.surplus < 0:
            raise UserError(
                self.env._(
                    "There is no credit of %s that could be paid back.",
                    self.currency_id.format(-allocation.surplus),
                )
            )
        extra = self._surplus_parts(allocation, over, target)
        entry = self._set_off(allocation, date)
        payment = self._book_payment(
            amount, journal, date, allocation, extra, memo, payment_method_line, payment_values
        )
        written_off = self.env["account.move"]
        if under == "write_off":
            written_off = self._write_off_short(allocation, lines, reason, date, memo)
        self._record_payment(payment, entry, written_off)
        self._finish_payment(allocation, under, written_off, self._text_of_payment(payment, extra))
        return payment

    def _check_paid_choices(self, amount, journal, under, over, reason, lines):
        if under not in UNDER or over not in OVER:
            raise ValueError(f"close as paid: {under}, {over}")
        if amount and not journal:
            raise UserError(self.env._("Choose the journal that received the money."))
        if under == "write_off" and not reason:
            raise UserError(self.env._("Choose a reason for what is written off."))
        if lines is not None and not lines & self.line_ids:
            raise UserError(self.env._("Choose at least one item that is paid."))

    # -- money -----------------------------------------------------------------------------------
    def _surplus_parts(self, allocation, over, target):
        """Where the money goes that nothing on the statement is open for.

        :return: tuple of lists (:class:`CareMoney`, :class:`OnAccount`)
        """
        surplus = allocation.surplus
        if self.currency_id.is_zero(surplus):
            return [], []
        nothing = self.env["healthcare.charge"]  # what waits for no care is told as a credit
        if over == "on_account":
            return [], [OnAccount(self.partner_id, nothing, False, surplus)]
        charge, party = self._surplus_target(target)
        money = self._most(self._open_on_target(allocation, charge, party), surplus)
        rest = self.currency_id.round(surplus - money)
        return (
            [CareMoney(charge, party, money)] if money else [],
            [OnAccount(self.partner_id, nothing, False, rest)] if rest else [],
        )

    def _open_on_target(self, allocation, charge, party):
        """What is open in the ledger on the item that gets the surplus, besides what it gets."""
        for line, share in allocation.items.items():
            if (line.charge_id, line.responsibility) == (charge, party):
                return share.posted - share.credit - share.money
        return charge[f"ledger_{PARTIES[party]}"]

    def _book_payment(
        self, amount, journal, date, allocation, extra, memo, method_line, payment_values
    ):
        """The payment with its line per item, or the refund.

        :return: ``account.payment`` record, empty for 0.00
        """
        payments = self.env["account.payment"]
        if not amount:
            return payments
        money = [
            CareMoney(line.charge_id, line.responsibility, share.money)
            for line, share in allocation.items.items()
            if share.money
        ]
        ledger = [(share.line, share.money) for share in allocation.ledger if share.money]
        options = {
            "memo": memo or self.env._("Statement %s", self.custom_ref or self.name),
            "payment_method_line": method_line,
            "payment_values": payment_values,
        }
        if amount < 0:
            return payments._refund_for_care(
                self.partner_id,
                journal,
                date,
                [item._replace(amount=-item.amount) for item in money],
                ledger=[(line, -part) for line, part in ledger],
                **options,
            )
        advances = [
            OnAccount(self.partner_id, line.charge_id, line.responsibility, share.advance)
            for line, share in allocation.items.items()
            if share.advance
        ]
        return payments._receive_for_care(
            self.partner_id,
            journal,
            date,
            [*money, *extra[0]],
            ledger=ledger,
            on_account=[*advances, *extra[1]],
            **options,
        )

    # -- what is short ---------------------------------------------------------------------------
    def _write_off_short(self, allocation, chosen, reason, date, note):
        """Write off what is short on items in the ledger that the addressee still owes.

        :param chosen: only of these items; None: of all
        :return: the entries
        """
        items = []
        for line, share in allocation.items.items():
            if chosen is not None and line not in chosen:
                continue
            left = self._most(share.left, share.posted - share.credit - share.money)
            if left and line._is_owed_by_addressee():
                items.append((line.charge_id, line.responsibility, left))
                line._record({"amount_lost": line.amount_lost + left})
        if not items:
            return self.env["account.move"]
        return self.env["healthcare.charge"]._write_off_items(items, reason, date, note)

    def _record_payment(self, payment, set_off, written_off):
        """Remember what closing booked.

        sudo: the links are told, and written by nothing else.
        """
        self.sudo().write(
            {
                "payment_ids": [fields.Command.link(id_) for id_ in payment.ids],
                "set_off_ids": [fields.Command.link(id_) for id_ in set_off.ids],
                "write_off_ids": [fields.Command.link(id_) for id_ in written_off.ids],
            }
        )

    def _finish_payment(self, allocation, under, written_off, text):
        """Say what became of each item, and close, unless something is left open."""
        self.env.flush_all()
        self.line_ids.invalidate_recordset(["balance"])
        outcomes = defaultdict(self.line_ids.browse)
        for line, share in allocation.items.items():
            if share.settled:
                line._record({"amount_paid": line.amount_paid + share.settled})
            if self.currency_id.is_zero(share.left):
                outcomes["paid"] |= line
            elif written_off and not line._is_open():
                outcomes["written_off"] |= line
            else:
                outcomes["short" if line.amount_paid else "returned"] |= line
        unpaid = outcomes["short"] | outcomes["returned"]
        # what somebody else owes by now keeps nothing open for the addressee
        if under == "leave_open" and unpaid.filtered(lambda line: line._is_owed_by_addressee()):
            self._message_log(body=self.env._("%s The rest is left open.", text))
            return
        for outcome, lines in outcomes.items():
            if outcome in ("short", "returned"):
                lines._release(outcome)
            else:
                lines._set_outcome(outcome)
        self._finish_closing("paid", {self.id: text})

    def _text_of_payment(self, payment, extra):
        """What the statement's journal says."""
        if not payment:
            return self.env._("Closed without money.")
        amount = format_amount(self.env, payment.amount, payment.currency_id)
        text = (
            self.env._("%(amount)s paid back by %(payment)s.", amount=amount, payment=payment.name)
            if payment.payment_type == "outbound"
            else self.env._(
                "%(amount)s received by %(payment)s.", amount=amount, payment=payment.name
            )
        )
        kept = sum(part.amount for part in extra[1])
        if kept:
            text += " " + self.env._("Credit kept: %s.", self.currency_id.format(kept))
        return text
