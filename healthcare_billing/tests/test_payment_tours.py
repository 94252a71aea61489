from odoo.tests import tagged

from .test_tours import ScreenCommon


@tagged("post_install", "-at_install")
class TestPaymentTours(ScreenCommon):
    """Money at the desk."""

    tour = "healthcare_billing_payment_tour"

    def test_receive_at_the_appointment(self):
        visit = self._visit(self._client("Dana Desk"))
        self.start_tour(
            f"/odoo/healthcare.appointment/{visit.id}", self.tour, login=self.biller.login,
            timeout=300,
        )  # fmt: skip
        self.assertEqual(visit.charge_ids.balance_client, 50.0)
        payment = self.env["account.payment"].search([("is_for_care", "=", True)])
        self.assertEqual((payment.amount, payment.memo), (30.0, "Cash at the desk"))


@tagged("post_install", "-at_install")
class TestPaymentToursOnPhone(TestPaymentTours):
    """The same in the hand."""

    browser_size = "390x844"
    touch_enabled = True
    tour = "healthcare_billing_payment_phone_tour"


@tagged("post_install", "-at_install")
class TestPayerCheckTour(ScreenCommon):
    """A payer's check over several clients' care, received and canceled."""

    def test_payers_check(self):
        clients = [self._insured_client(f"Client {n}", copay=20.0) for n in range(2)]
        visits = [self._visit(client, hour=0.25 + n) for n, client in enumerate(clients)]
        charges = self.env["healthcare.charge"].union(*(visit.charge_ids for visit in visits))
        self.start_tour(
            "/odoo/care-receive-payment", "healthcare_billing_payer_check_tour",
            login=self.biller.login, timeout=300,
        )  # fmt: skip
        payment = self.env["account.payment"].search([("is_for_care", "=", True)])
        self.assertEqual((payment.amount, payment.state), (100.0, "canceled"))
        self.assertEqual(charges.mapped("balance_payer"), [60.0, 60.0])
