import logging

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError, ValidationError
from odoo.tools import SQL

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

    def _create_payment(self, **extra_create_values):
        """The payment of a statement is allocated to its items, as if a biller had closed it.

        Core asks for it once per transaction, in the transaction of the database that marks it as
        processed: of two at the same time the database refuses one, which finds it done.
        """
        statement = self._paid_statement()
        if not statement:
            return super()._create_payment(**extra_create_values)
        statement._await_turn()
        payment = self._pay_statement(statement)
        if not payment:
            # money that came must be booked: on account of the addressee
            payment = super()._create_payment(
                **{**extra_create_values, "partner_id": statement.partner_id.id}
            )
        self.payment_id = payment
        return payment

    def _pay_statement(self, statement):
        """Allocate the money of this transaction to the items of a statement.

        :return: the posted ``account.payment``, or empty when the statement can't take it
        """
        provider = self.provider_id
        journal = provider.journal_id
        method_line = journal.inbound_payment_method_line_ids.filtered(
            lambda line: line.payment_provider_id == provider
        )[:1]
        try:
            with self.env.cr.savepoint():
                return statement.with_company(statement.company_id)._close_paid(
                    self.amount,
                    journal,
                    fields.Date.context_today(statement),
                    under="leave_open",
                    over="on_account",
                    memo=f"{self.reference} - {self.provider_reference or ''}",
                    payment_method_line=method_line,
                    payment_values={
                        "payment_transaction_id": self.id,
                        "payment_token_id": self.token_id.id,
                    },
                )
        except LockError:
            raise  # for a moment only: core tries again
        except (UserError, ValidationError) as error:
            _logger.info("statement %s can't take payment %s: %s", statement.id, self.id, error)
            statement._warn_of_payment(self, str(error))
            return self.env["account.payment"]

    def _log_message_on_linked_documents(self, message):
        result = super()._log_message_on_linked_documents(message)
        if statement := self._paid_statement():
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
        self.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=self.env._("Online payment to allocate"),
            note=note,
            user_id=(self.committed_by_id or self.create_uid).id,
        )
