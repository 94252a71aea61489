from odoo.tests import tagged

from .test_tours import ScreenCommon


@tagged("post_install", "-at_install")
class TestChargeCorrectionTours(ScreenCommon):
    """A finance charge, a payer's decision, and the decision taken back: at a desk."""

    tour = "healthcare_billing_charge_correction_tour"

    def test_corrections(self):
        charge = self._visit(self._client("Anna Adams")).charge_ids
        self._execute(charge, post=True)
        self.start_tour(
            f"/odoo/healthcare.charge/{charge.id}", self.tour, login=self.biller.login, timeout=300
        )
        self.assertEqual(
            charge.child_ids.sorted("id").mapped("kind"),
            ["finance_charge", "adjustment", "adjustment"],
        )
        self.assertEqual(charge.child_ids.sorted("id").mapped("amount"), [7.0, -51.0, 51.0])
        self.assertEqual((charge.is_adjudicated, charge.ledger_client), (False, 87.0))
        lines = charge.child_ids.invoice_line_ids
        self.assertIn("Late since March", lines.mapped("name"))
        self.assertEqual(set(lines.mapped("parent_state")), {"posted"})


@tagged("post_install", "-at_install")
class TestChargeCorrectionToursOnPhone(TestChargeCorrectionTours):
    """The same in the hand."""

    browser_size = "390x844"
    touch_enabled = True
    tour = "healthcare_billing_charge_correction_phone_tour"
