from odoo.fields import Command

from ..models.healthcare_statement_items import LISTING
from .test_payment_charge import PaymentCommon


class StatementCloseCommon(PaymentCommon):
    """A practice whose statements are out, and are paid, or not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.loss = cls.company_data["default_account_expense"]
        cls.sold = cls.env.ref("healthcare_billing.adjustment_reason_sold")
        cls.courtesy = cls.env.ref("healthcare_billing.adjustment_reason_courtesy")
        (cls.sold | cls.courtesy).account_id = cls.loss
        cls.outstanding = cls.company_data["default_journal_bank"].default_account_id

    def _statement(self, partner=None, commit=True, **vals):
        """A complete statement of all that somebody owes."""
        statement = self.env["healthcare.statement"].create(
            {"partner_id": (partner or self.anna).id, "statement_type": "complete"} | vals
        )
        statement._load_items()
        if commit:
            statement._commit()
        return statement

    def _add_line(self, statement, charge, party="client"):
        """Put an item on a statement whoever owes it, as it is after a rebilling."""
        return (
            self.env["healthcare.statement.line"]
            .with_context(healthcare_listing=LISTING)
            .create(
                {
                    "statement_id": statement.id,
                    "charge_id": charge.id,
                    "responsibility": party,
                    "price": charge.balance_client,
                    "amount_due": charge.balance_client,
                }
            )
        )

    def _close(self, statement, amount, **options):
        return statement._close_paid(amount, self.bank, self.today, **options)

    def _plain_invoice(self, partner, amount):
        """A posted invoice that isn't about care."""
        move = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": partner.id,
                "invoice_date": self.today,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "name": "Copies",
                            "price_unit": amount,
                            "account_id": self.company_data["default_account_revenue"].id,
                            "tax_ids": [Command.clear()],
                        }
                    )
                ],
            }
        )
        move.action_post()
        return move

    def _with_credit(self, amount=30.0):
        """Three charges of 80.00, of which the first is paid, and then credited in part.

        :return: (charges, invoice, credit note that is open)
        """
        charges, move = self._three()
        self._receive([(charges[0], 80.0)])
        note = self._credit(move, charges[0], amount)
        note.line_ids.remove_move_reconcile()
        return charges, move, note

    def _outcomes(self, statement):
        return statement.line_ids.sorted("service_date").mapped("outcome")
