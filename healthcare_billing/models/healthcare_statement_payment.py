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
            and self.currency_id.compare_amounts(self._amount_to_pay(), 0.0) > 0
        )

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
        due = self._amount_to_pay()
        if (
            self.currency_id.compare_amounts(amount, 0.0) <= 0
            or self.currency_id.compare_amounts(amount, due) > 0
        ):
            raise UserError(
                self.env._(
                    "Please pay more than nothing, and at most %s.", self.currency_id.format(due)
                )
            )
