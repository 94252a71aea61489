from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import A_DAY
from .statement_close_common import StatementCloseCommon


@tagged("post_install", "-at_install")
class TestStatementDue(StatementCloseCommon):
    """What is due now, and of whom, is the same wherever it is told (R20)."""

    # -- how much ----------------------------------------------------------------------------------
    def test_r22_singletons_add_up_to_what_is_due_now(self):
        """Credits settle what is owed once, however the statement is printed."""
        charges, _move, _note = self._with_credit(30.0)
        statement = self._statement()
        self.assertEqual(statement.line_ids.mapped("amount_due"), [-30.0, 80.0, 80.0])
        self._receive([(charges[2], 50.0)])
        (whole,) = statement._printed()
        parts = statement._printed(singletons=True)
        self.assertEqual([part.due for part in parts], [-30.0, 80.0, 80.0])
        self.assertEqual([part.now for part in parts], [0.0, 50.0, 30.0])
        self.assertEqual((whole.due, whole.now), (130.0, 80.0))
        self.assertEqual((statement.amount_due_now, statement._amount_to_pay()), (80.0, 80.0))
        self.assertProof()

    def test_r22_the_ledger_balance_is_on_the_last_singleton(self):
        self._three()
        other = self._plain_invoice(self.anna, 50.0)
        statement = self._statement(settles_ledger=True, ledger_amount=50.0)
        self._pay(other, 20.0)
        parts = statement._printed(singletons=True)
        self.assertEqual([part.due for part in parts], [80.0, 80.0, 80.0, 50.0])
        self.assertEqual([part.now for part in parts], [80.0, 80.0, 80.0, 30.0])
        self.assertEqual((statement.amount_due_now, statement._amount_to_pay()), (240.0, 270.0))

    # -- by whom -----------------------------------------------------------------------------------
    def test_r20_another_contact_of_the_company_is_somebody_else(self):
        """Guarantors may be addresses of one company: none is told, or pays, what others owe."""
        employer = self.env["res.partner"].create({"name": "Employer", "is_company": True})
        mother, father = guarantors = self.env["res.partner"].create(
            [
                {"name": name, "parent_id": employer.id, "type": "invoice"}
                for name in ("Mother", "Father")
            ]
        )
        ben = self._patient("Ben")
        self.anna.billing_account_ids.guarantor_id = mother
        ben.billing_account_ids.guarantor_id = father
        self.assertEqual(guarantors.commercial_partner_id, employer)
        own, theirs = self._charge(self.anna), self._charge(ben)
        self._execute(own | theirs, post=True)
        self.assertEqual((own | theirs).client_debtor_id, guarantors)
        statement = self._statement(mother)
        self.assertEqual(statement.line_ids.charge_id, own)
        self.env.flush_all()
        row = self.env["healthcare.receivable"].search([("charge_id", "=", theirs.id)])
        with self.assertRaisesRegex(UserError, "Transfer the responsibility"):
            statement._add_items(row)
        with self.assertRaisesRegex(UserError, "owed by"):
            self._statement(mother, commit=False).line_ids = [
                Command.create({"charge_id": theirs.id, "responsibility": "client"})
            ]
        line = self._add_line(statement, theirs)
        self.assertFalse(line._is_owed_by_addressee())
        self.assertEqual((statement.amount_due_now, statement._amount_to_pay()), (80.0, 80.0))
        with self.assertRaisesRegex(UserError, "isn't owed by"):
            statement._surplus_target(row)
        self.assertEqual(line._refuse_others()[line].kind, "other_party")

    # -- all that a party owes ---------------------------------------------------------------------
    def _foreign_charge(self, amount):
        """A charge of Anna's in another currency."""
        return self.env["healthcare.charge"].create(
            {
                "client_id": self.anna.id,
                "billing_account_id": self.anna.billing_account_ids[:1].id,
                "product_id": self.visit_service.id,
                "service_date": A_DAY,
                "kind": "expense",
                "currency_id": self.setup_other_currency("EUR").id,
                "price_unit": amount,
                "is_priced": True,
            }
        )

    def _quick(self):
        """``{currency: (due of the items, ledger balance, due)}`` of Anna's quick statement."""
        return {
            document.currency.name: (
                sum(item.due for item in document.items),
                document.ledger,
                document.due,
            )
            for document in self.anna._printed_receivables()
        }

    def test_quick_statement_tells_each_currency_once(self):
        home = self.company.currency_id.name
        self._plain_invoice(self.anna, 33.0)
        foreign = self._foreign_charge(12.0)
        self.assertEqual(foreign.currency_id.name, "EUR")
        self.assertEqual(self._quick(), {"EUR": (12.0, None, 12.0), home: (0, 33.0, 33.0)})
        self._charge(self.anna)
        self.assertEqual(self._quick(), {"EUR": (12.0, None, 12.0), home: (80.0, 33.0, 113.0)})

    def test_quick_statement_prices_like_a_statement(self):
        """Corrections are part of the price: what was discounted isn't asked for as a whole."""
        charges, _move = self._three()
        charges._add_extra("discount", {(charges[0], "client"): 15.0})
        self._receive([(charges[1], 30.0)])
        statement = self._statement()
        (document,) = self.anna._printed_receivables()
        told = [
            (item.charge, item.price, item.due) for group in document.groups for item in group.items
        ]
        self.assertEqual(
            told, [(line.charge_id, line.price, line.amount_due) for line in statement.line_ids]
        )
        self.assertEqual([price for _charge, price, _due in told], [65.0, 80.0, 80.0])
        self.assertEqual(document.due, 195.0)
        self.assertProof()
