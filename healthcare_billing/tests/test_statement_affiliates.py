from odoo.tests import tagged

from .statement_close_common import StatementCloseCommon


@tagged("post_install", "-at_install")
class TestStatementAffiliates(StatementCloseCommon):
    """An affiliate pays for clients of its own: its statement takes in the care of all of them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.affiliate = cls._payer("Sister Practice", payer_type="affiliate")
        cls.sent = [
            cls._insured_client(name, payer=cls.affiliate, copay=copay)
            for name, copay in (("Ines", 20.0), ("Karl", 0.0))
        ]

    def _care(self):
        return self.env["healthcare.charge"].union(*(self._charge(client) for client in self.sent))

    def test_statement_of_an_affiliate(self):
        charges = self._care()
        self._charge(self.anna)  # nobody's but hers
        statement = self._statement(self.affiliate, statement_type="differential", commit=False)
        self.assertEqual(statement.addressee_type, "affiliate")
        self.assertEqual(statement.line_ids.charge_id, charges)
        self.assertEqual(set(statement.line_ids.mapped("responsibility")), {"primary"})
        self.assertEqual(statement.amount_total, 140.0)
        statement._commit()
        self.assertEqual(statement.move_ids.partner_id, self.affiliate)
        self.assertEqual(statement.move_ids.mapped("state"), ["posted"] * 2)
        # the copay isn't the affiliate's, and is on no document yet
        self.assertEqual(charges.mapped("balance_client"), [20.0, 0.0])
        self.assertEqual(charges.mapped("ledger_client"), [0.0, 0.0])
        payment = self._close(statement, 140.0)
        self.assertEqual(payment.partner_id, self.affiliate)
        self.assertEqual(statement.state, "paid")
        self.assertEqual(charges.mapped("balance_payer"), [0.0, 0.0])
        self.assertProof()

    def test_express_for_affiliates_only(self):
        charges = self._care()
        self._charge(self.anna)
        others = ("clients", "insurance", "government", "facilities", "others")
        wizard = self.env["healthcare.statement.express"].create(
            {f"to_{kind}": False for kind in others}
        )
        run = self.env["healthcare.billing.run"].browse(wizard.action_search()["res_id"])
        self.assertEqual(run.line_ids.partner_id, self.affiliate)
        run.action_execute()
        statement = run.line_ids.statement_id
        self.assertEqual((statement.state, statement.addressee_type), ("committed", "affiliate"))
        self.assertEqual(statement.line_ids.charge_id, charges)
        self.assertEqual(statement.amount_total, 140.0)
        self.assertProof()
