from odoo import fields, models
from odoo.exceptions import UserError


class HealthcareStatement(models.Model):
    """Paying a statement online: how much, by which link, and what the money does.

    A link shows number and amount, and takes payments; what the statement is about takes a login as
    its addressee. The money is allocated like any other (``_close_paid``); what it doesn't cover
    stays open.
    """

    _inherit = "healthcare.statement"

    transaction_ids = fields.One2many(
        "payment.transaction",
        "healthcare_statement_id",
        string="Online Payments",
        groups="base.group_user",
    )

    def _is_payable(self):
        """Whether it takes payments: it was committed, and something is open."""
        self.ensure_one()
        return (
            self.state == "committed"
            and self.currency_id.compare_amounts(self._payable_amount(), 0.0) > 0
        )

    def _amount_asked(self):
        """What the addressee is asked for today: less what came online and waits as a credit.

        :return: amount, at least 0.00
        """
        self.ensure_one()
        due = self._amount_to_pay()
        return self._most(due - self._online_credit(), due)

    def _payable_amount(self):
        """What may be paid online now: of what is asked for, what isn't on its way already.

        :return: amount, at least 0.00
        """
        self.ensure_one()
        asked = self._amount_asked()
        return self._most(asked - self._online_underway(), asked)

    def _online_credit(self):
        """What was paid online for the statement, couldn't be given to its items, and is left.

        What of it the statement tells in its ledger balance is set off there.

        :return: amount, at least 0.00
        """
        # sudo: payments come from the public, and statements are read without rights on the ledger
        statement = self.sudo()
        payments = statement.transaction_ids.payment_id - statement.payment_ids
        lines = payments.move_id.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and line.parent_state == "posted"
        )
        told = sum(share.open for share in self._open_ledger() if share.line in lines)
        return self.currency_id.round(told - sum(lines.mapped("amount_residual_currency")))

    def _online_underway(self):
        """What is being paid online: told to be coming, authorized, or not booked yet.

        An authorization that was captured in parts counts with what is left of it.

        :return: amount, at least 0.00
        """
        underway = 0.0
        transactions = self.sudo().transaction_ids  # sudo: as before
        for transaction in transactions | transactions.child_transaction_ids:
            if transaction.operation == "refund" or transaction.payment_id:
                continue
            parts = transaction.child_transaction_ids
            ended = parts.filtered(lambda part: part.state in ("done", "cancel"))
            if transaction.source_transaction_id:
                states = ("done",)  # until then it is a part of the authorization
            else:
                states = ("pending", "authorized", "done")
            if transaction.state in states:
                underway += transaction.amount - sum(ended.mapped("amount"))
        return self.currency_id.round(underway)

    def _pay_url(self):
        """Address of its page with the token that opens it.

        :return: str, empty when nothing can be paid, or not online
        """
        self.ensure_one()
        if not self._is_payable() or not self._payment_providers():
            return ""
        return f"{self.get_base_url()}{self.sudo().get_portal_url()}"  # sudo: keeps the token

    def _payment_providers(self):
        """Ways to pay online that are open to the public, in this company.

        :return: ``payment.provider`` records
        """
        # sudo: that one can pay online is no secret
        return (
            self.env["payment.provider"]
            .sudo()
            .search(
                [
                    *self.env["payment.provider"]._check_company_domain(self.company_id),
                    ("state", "in", ("enabled", "test")),
                    ("is_published", "=", True),
                ]
            )
        )

    def _check_payable_amount(self, amount):
        """Whether this may be paid online now.

        :param float amount: in its currency
        :raise UserError: nothing can be paid, or not this much
        """
        self.ensure_one()
        if not self._is_payable():
            raise UserError(self.env._("There is nothing to pay on this statement any more."))
        due = self._payable_amount()
        if (
            self.currency_id.compare_amounts(amount, 0.0) <= 0
            or self.currency_id.compare_amounts(amount, due) > 0
        ):
            raise UserError(
                self.env._(
                    "Type an amount of more than 0.00, and of at most %s.",
                    self.currency_id.format(due),
                )
            )
