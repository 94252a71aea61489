from odoo.tests import tagged

from .statement_portal_common import StatementPaymentCommon


@tagged("post_install", "-at_install")
class TestStatementPortalTours(StatementPaymentCommon):
    """A client pays a statement in the browser: a part of it, and then the rest."""

    def test_pay_in_two_parts(self):
        self.start_tour(
            "/my/home",
            "healthcare_billing_statement_portal_tour",
            login=self.users["anna"].login,
            timeout=300,
        )
        self.assertEqual(self.statement.state, "paid")
        self.assertEqual(self.statement.payment_ids.sorted("id").mapped("amount"), [30.0, 50.0])
        self.assertEqual(self.visit.charge_ids.amount_residual, 0.0)
        self.assertProof()


@tagged("post_install", "-at_install")
class TestStatementPortalToursOnPhone(TestStatementPortalTours):
    """The same in the hand."""

    browser_size = "390x844"
    touch_enabled = True
