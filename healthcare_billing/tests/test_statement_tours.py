from odoo.tests import HttpCase, tagged

from .statement_common import StatementCommon


@tagged("post_install", "-at_install")
class TestStatementTours(StatementCommon, HttpCase):
    """A biller makes a statement, and all of them at once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("base.group_user").implied_ids |= cls.env.ref(
            "healthcare_billing.group_use_statements"
        )
        cls.biller = cls._user("billing_user", login="statement_biller")
        cls.charges = cls._visits(cls.anna)
        cls.ben = cls._patient("Ben Brown")

    def test_generate_and_commit(self):
        self.charges[0].appointment_id.approval_state = "rejected"
        self.start_tour("/odoo", "healthcare_billing_statement_tour", login=self.biller.login)
        statement = self.env["healthcare.statement"].search([("partner_id", "=", self.anna.id)])
        self.assertEqual(statement.state, "committed")
        self.assertFalse(statement.line_ids)
        self.assertEqual(self._stages(self.charges), ["billing_office"] * 2)
        self.assertEqual(self.charges.mapped("ledger_client"), [0.0, 80.0])
        self.assertProof()

    def test_express(self):
        self._charge(self.ben)
        self.start_tour(
            "/odoo", "healthcare_billing_statement_express_tour", login=self.biller.login
        )
        statements = self.env["healthcare.statement"].search(
            [("partner_id", "in", (self.anna | self.ben).ids)]
        )
        self.assertEqual(set(statements.mapped("state")), {"committed"})
        self.assertEqual(sum(statements.mapped("amount_total")), 240.0)
        self.assertProof()
