import logging

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError, ValidationError
from odoo.tools import SQL

from .account_payment_charge import CareMoney

_logger = logging.getLogger(__name__)


class PaymentTransaction(models.Model):
    """Online payments of statements: the money goes to the items, once, however often told."""

    _inherit = "payment.transaction"

    healthcare_statement_id = fields.Many2one(
        "healthcare.statement",
        string="Statement",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        groups="base.group_user",
        help="The statement of care that is paid.",
    )

    @api.model
    def _compute_reference_prefix(self, separator, **values):
        """References of payments are the statement's number."""
        if statement_id := values.get("healthcare_statement_id"):
            return self.env["healthcare.statement"].browse(statement_id).name
        return super()._compute_reference_prefix(separator, **values)

    def _paid_statement(self):
        """The statement that this payment, or the one that it captures, is for.

        :return: ``healthcare.statement`` record in sudo, or empty
        """
        self.ensure_one()
        transaction = self.sudo()  # sudo: payments come from the public
        if transaction.operation == "refund":
            return self.env["healthcare.statement"].sudo()
        source = transaction.source_transaction_id
        return (transaction | source).healthcare_statement_id[:1]

    def _refunded_statement(self):
        """The statement whose payment this one gives back.

        :return: ``healthcare.statement`` record in sudo, or empty
        """
        self.ensure_one()
        if self.operation != "refund":
            return self.env["healthcare.statement"].sudo()
        # sudo: providers tell of refunds as the public
        return self.sudo().source_transaction_id.healthcare_statement_id

    def _create_payment(self, **extra_create_values):
        """The payment of a statement is allocated to its items, as if a biller had closed it.

        Core asks for it once per transaction, in the transaction of the database that marks it as
        processed: of two at the same time the database refuses one, which finds it done.
        """
        statement = self._paid_statement() or self._refunded_statement()
        if not statement:
            return super()._create_payment(**extra_create_values)
        statement._await_turn()
        if self.operation == "refund":
            payment = self._refund_statement(statement)
        else:
            payment = self._pay_statement(statement)
        if not payment:
            # money that moved must be booked: on account of the addressee
            payment = super()._create_payment(
                **{**extra_create_values, "partner_id": statement.partner_id.id}
            )
        self.payment_id = payment
        return payment

    def _pay_statement(self, statement):
        """Allocate the money of this transaction to the items of a statement.

        :return: the posted ``account.payment``, or empty when the statement can't take it
        """
        try:
            with self.env.cr.savepoint():
                return statement.with_company(statement.company_id)._close_paid(
                    self.amount,
                    self.provider_id.journal_id,
                    fields.Date.context_today(statement),
                    under="leave_open",
                    over="on_account",
                    **self._booking_options(),
                )
        except LockError:
            raise  # for a moment only: core tries again
        except (UserError, ValidationError) as error:
            _logger.info("statement %s can't take payment %s: %s", statement.id, self.id, error)
            statement._warn_of_payment(self, str(error))
            return self.env["account.payment"]

    def _refund_statement(self, statement):
        """Pay back what was credited on the items of a statement, or never applied.

        :return: the posted ``account.payment``, or empty when less than that is a credit
        """
        # sudo: see above
        payments = self.env["account.payment"].sudo().with_company(statement.company_id)
        try:
            items, ledger = self._credits_to_refund(statement)
            with self.env.cr.savepoint():
                return payments._refund_for_care(
                    statement.partner_id,
                    self.provider_id.journal_id,
                    fields.Date.context_today(statement),
                    items,
                    ledger=ledger,
                    **self._booking_options(),
                )
        except LockError:
            raise  # for a moment only: core tries again
        except (UserError, ValidationError) as error:
            _logger.info("refund %s of statement %s: %s", self.id, statement.id, error)
            statement._warn_of_refund(self, str(error))
            return self.env["account.payment"]

    def _credits_to_refund(self, statement):
        """The credits that this refund pays back: of the items first, then what is on account.

        :return: (list of :class:`CareMoney`, list of (open journal item, amount)), together as much
            as the refund
        :raise UserError: there is less
        """
        currency, left = statement.currency_id, abs(self.amount)
        items, ledger = [], []
        for charge, party, credit in statement._open_credits():
            part = currency.round(min(left, credit))
            if part > 0:
                items.append(CareMoney(charge, party, part))
                left = currency.round(left - part)
        paid = self.sudo().source_transaction_id.payment_id  # sudo: see above
        for line in paid.care_line_ids.filtered(lambda line: line.parent_state == "posted"):
            part = currency.round(min(left, -line.amount_residual_currency))
            if part > 0:
                ledger.append((line, part))
                left = currency.round(left - part)
        if left:
            raise UserError(
                self.env._(
                    "%s of it is no credit of this statement's items.", currency.format(left)
                )
            )
        return items, ledger

    def _booking_options(self):
        """How the payment of this transaction is told from others.

        As core does it: refunds, too, go through the line by which the money came.
        """
        lines = self.provider_id.journal_id.inbound_payment_method_line_ids
        return {
            "memo": f"{self.reference} - {self.provider_reference or ''}",
            "payment_method_line": lines.filtered(
                lambda line: line.payment_provider_id == self.provider_id
            )[:1],
            "payment_values": {
                "payment_transaction_id": self.id,
                "payment_token_id": self.token_id.id,
            },
        }

    def _log_message_on_linked_documents(self, message):
        result = super()._log_message_on_linked_documents(message)
        if statement := self._paid_statement() or self._refunded_statement():
            statement.message_post(body=message, author_id=self.env.user.partner_id.id)
        return result


class HealthcareStatement(models.Model):
    _inherit = "healthcare.statement"

    def _await_turn(self):
        """Wait for who works on the statement, its items or their documents.

        If any of them was changed meanwhile, the database has us try again. What is paid online is
        paid: it can't be told to come back later, as a biller is.
        """
        self.ensure_one()
        charges = self.line_ids.charge_id._family()
        moves = charges._posted_document_lines() | charges._live_lines() | self._ledger_lines()
        for records in (self, charges, moves.move_id):
            if records:
                self.env.cr.execute(
                    SQL(
                        "SELECT id FROM %s WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
                        SQL.identifier(records._table),
                        records.ids,
                    )
                )

    def _warn_of_payment(self, transaction, reason):
        """Have somebody look at money that came for a statement which couldn't take it.

        :param transaction: ``payment.transaction`` record
        :param str reason: why not
        """
        self.ensure_one()
        note = self.env._(
            "%(amount)s came by online payment %(reference)s. It couldn't be given to the items, "
            "and is on account of the addressee: %(reason)s",
            amount=transaction.currency_id.format(transaction.amount),
            reference=transaction.reference,
            reason=reason,
        )
        self._have_looked_at(self.env._("Online payment to allocate"), note)

    def _warn_of_refund(self, transaction, reason):
        """Have somebody look at money that went back though it was no credit.

        :param transaction: ``payment.transaction`` record
        :param str reason: why it pays back no item
        """
        self.ensure_one()
        note = self.env._(
            "%(amount)s went back by online refund %(reference)s. The addressee owes it, until it "
            "is set off against a credit note: %(reason)s",
            amount=transaction.currency_id.format(abs(transaction.amount)),
            reference=transaction.reference,
            reason=reason,
        )
        self._have_looked_at(self.env._("Online refund to allocate"), note)

    def _have_looked_at(self, summary, note):
        """An activity of who committed the statement."""
        self.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=summary,
            note=note,
            user_id=(self.committed_by_id or self.create_uid).id,
        )

    def _open_credits(self):
        """What the addressee has as invoiced credits of the items today, the oldest first.

        :return: list of (charge, responsibility, amount above 0.00)
        """
        self.ensure_one()
        return [
            (line.charge_id, line.responsibility, -share.posted)
            for line, share in self._open_items().items()
            if share.posted < 0 and line._is_owed_by_addressee()
        ]
