from datetime import timedelta

from odoo.tests import tagged

from .test_tours import ScreenCommon


@tagged("post_install", "-at_install")
class TestCorrectionTours(ScreenCommon):
    """A changed fee, a wrong invoice, a debt of somebody else: at a desk."""

    tours = ("healthcare_billing_reprice_tour", "healthcare_billing_transfer_tour")

    def _tour(self, url, name):
        """Its steps wait for what the page says, the whole of it as long as they may together."""
        self.start_tour(url, name, login=self.biller.login, timeout=300)

    def test_reprice(self):
        client = self._client(
            account={"default_product_id": self.visit_service.id, "default_fee": 90.0}
        )
        sessions = [self._visit(client, hour=0.25 + n / 4) for n in range(3)]
        invoiced = self._appointment(client, day=self.today - timedelta(days=2))
        old = self._execute(invoiced, post=True).move_ids
        self._tour(f"/odoo/res.partner/{client.id}", self.tours[0])
        fees = [session.charge_ids.price_unit for session in sessions]
        self.assertEqual(sorted(fees), [90.0, 110.0, 110.0])
        self.assertEqual(invoiced.charge_ids.price_unit, 110.0)
        self.assertEqual(old.rebilled_by_ids.amount_total, 110.0)
        self.assertEqual(old.amount_residual, 0.0)

    def test_transfer(self):
        charge = self._visit(self._insured_client(copay=20.0)).charge_ids
        moves = self._execute(charge, post=True).move_ids
        payer_move = moves.filtered(lambda move: move.partner_id == self.payer)
        self._tour(f"/odoo/account.move/{payer_move.id}", self.tours[1])
        self.assertEqual(charge._owed_by("primary"), 45.0)
        self.assertEqual(charge._owed_by("client"), 35.0)
        self.assertEqual(payer_move.amount_residual, 45.0)


@tagged("post_install", "-at_install")
class TestCorrectionToursOnPhone(TestCorrectionTours):
    """The same in the hand."""

    browser_size = "390x844"
    touch_enabled = True
    tours = ("healthcare_billing_reprice_phone_tour", "healthcare_billing_transfer_phone_tour")
