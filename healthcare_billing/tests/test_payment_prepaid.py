from datetime import timedelta

from odoo.tests import tagged

from ..models.account_payment_charge import OnAccount
from .common import A_DAY
from .statement_close_common import StatementCloseCommon


@tagged("post_install", "-at_install")
class TestPaymentPrepaid(StatementCloseCommon):
    """What is paid before it is invoiced isn't asked for again, and what is too much is told."""

    def _prepay(self, charge, amount=80.0):
        return self._receive([], on_account=[OnAccount(self.anna, charge, "client", amount)])

    def _express(self, minimum=0.0):
        """Amounts of Anna's rows of an express run."""
        run = self.env["healthcare.billing.run"]._open_express(
            self.today, {"statement_type": "differential"}, minimum=minimum
        )
        return run.line_ids.filtered(lambda line: line.partner_id == self.anna).mapped("amount")

    def _quick(self):
        (document,) = self.anna._printed_receivables()
        self.assertEqual(sum(i.due for g in document.groups for i in g.items), document.due)
        return document.due

    def test_r18_prepaid_care_is_asked_nowhere(self):
        charge = self._charge(self.anna)
        self._prepay(charge)
        statement = self._statement(commit=False)
        self.assertEqual(statement.line_ids.mapped("price"), [80.0])
        self.assertEqual(statement.line_ids.mapped("amount_due"), [0.0])
        self.assertEqual((statement.amount_total, statement._amount_to_pay()), (0.0, 0.0))
        self.assertEqual(self._quick(), 0.0)
        self.assertEqual((self._express(), self._express(minimum=50.0)), ([0.0], []))
        statement._commit()
        self.assertEqual((charge.balance_client, statement.amount_total), (0.0, 0.0))
        self.assertProof()

    def test_r18_prepaid_in_part(self):
        charge = self._charge(self.anna)
        self._prepay(charge, 30.0)
        statement = self._statement(commit=False)
        self.assertEqual((statement.amount_total, statement._amount_to_pay()), (50.0, 50.0))
        self.assertEqual((self._quick(), self._express(50.0), self._express(51.0)), (50, [50], []))
        statement._commit()
        self.assertEqual((charge.balance_client, statement.amount_total), (50.0, 50.0))
        self.assertProof()

    def test_r18_prepaid_care_in_qa_is_asked_nowhere(self):
        self.company.healthcare_qa_review = True
        charge = self._charge(self.anna)
        charge.appointment_id._freeze_prices_after_qa()
        self._prepay(charge)
        statement = self._statement(statement_type="custom", with_qa=True)
        self.assertEqual((statement.amount_total, statement.amount_due_now), (0.0, 0.0))
        self.assertEqual(statement._amount_to_pay(), 0.0)

    def test_r18_prepaid_care_without_a_price(self):
        charge = self._charge(self.anna)
        charge.write({"price_unit": 0.0, "is_priced": False})
        self._prepay(charge, 30.0)
        statement = self._statement(commit=False)
        self.assertEqual(statement.line_ids.mapped("price"), [80.0])
        self.assertEqual(statement.line_ids.mapped("amount_due"), [50.0])
        self.assertEqual(statement._ledger_balance(), 0.0)  # all of it waits

    def test_r18_prepaid_care_without_a_price_on_express_statements(self):
        """The row shows the sum that its statement asks for, and so isn't taken for changed."""
        self.payer.requires_fee_schedule = True
        client = self._insured_client("Ines")
        charge = self._charge(client)
        self.assertFalse(charge.is_priced)
        money = OnAccount(self.payer, charge, "primary", 30.0)
        self._receive([], partner=self.payer, on_account=[money])
        self._fee_schedule({self.visit_service: 70.0}, payer=self.payer)
        run = self.env["healthcare.billing.run"]._open_express(
            self.today, {"statement_type": "differential"}
        )
        row = run.line_ids.filtered(lambda line: line.partner_id == self.payer)
        self.assertEqual(row.amount, 40.0)
        run.action_execute()
        self.assertEqual((row.state, row.statement_id.amount_total), ("created", 40.0))
        self.assertEqual(charge.balance_payer, 40.0)
        self.assertProof()

    # -- more than the care costs ----------------------------------------------------------------
    def test_r20_more_than_the_care_costs_is_a_credit(self):
        charge = self._charge(self.anna)
        self._prepay(charge, 100.0)
        statement = self._statement(commit=False, settles_ledger=True)
        statement._load_ledger()
        self.assertEqual((statement.amount_items, statement.ledger_amount), (0.0, -20.0))
        self.assertEqual(statement._ledger_balances(), {statement: -20.0})
        (document,) = self.anna._printed_receivables()
        self.assertEqual((document.due, document.ledger), (-20.0, -20.0))
        statement._commit()
        self.assertEqual(statement._ledger_balance(), -20.0)
        self.assertProof()

    def test_r20_that_credit_pays_the_next_care(self):
        first = self._charge(self.anna)
        payment = self._prepay(first, 100.0)
        self._statement()
        second = self._charge(self.anna, day=A_DAY + timedelta(days=1))
        statement = self._statement(settles_ledger=True, ledger_amount=-20.0)
        self.assertEqual(statement._amount_to_pay(), 60.0)
        self._close(statement, 60.0)
        self.assertEqual((first | second).mapped("balance_client"), [0.0, 0.0])
        self.assertEqual((payment.care_unapplied, statement._ledger_balance()), (0.0, 0.0))
        self.assertProof()

    def test_r20_money_for_care_to_come_waits(self):
        planned = self._charge(self.anna, state="scheduled")
        self._prepay(planned, 100.0)
        statement = self._statement(commit=False)
        self.assertEqual(statement._ledger_balance(), 0.0)
        self.assertEqual(statement._ledger_balances(), {statement: 0.0})
        planned.appointment_id.state = "canceled"
        self.assertEqual(planned.billing_stage, "not_billable")
        self.assertEqual(statement._ledger_balance(), -100.0)

    def test_r20_rest_of_a_surplus_is_told(self):
        charges, _move = self._three()
        statement = self._statement()
        line = statement.line_ids.filtered(lambda line: line.charge_id == charges[0])
        payment = self._close(statement, 300.0, over="target", target=line)
        self.assertEqual(payment.care_unapplied, 60.0)
        self.assertFalse(charges._on_account_amounts())
        following = self._statement(commit=False, settles_ledger=True)
        following._load_ledger()
        self.assertEqual((following.ledger_amount, following.amount_total), (-60.0, -60.0))
        self.assertEqual([document.due for document in self.anna._printed_receivables()], [-60.0])
        self.assertProof()
