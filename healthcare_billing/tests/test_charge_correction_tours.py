from odoo.tests import tagged

from .test_tours import ScreenCommon


@tagged("post_install", "-at_install")
class TestChargeCorrectionTours(ScreenCommon):
    """A finance charge, a payer's decision, and the decision taken back."""

    def _play(self, name):
        """Play a tour on a posted charge of 80.00.

        :return: the charge
        """
        charge = self._visit(self._client("Anna Adams")).charge_ids
        self._execute(charge, post=True)
        self.start_tour(
            f"/odoo/healthcare.charge/{charge.id}",
            f"healthcare_billing_charge_correction_{name}",
            login=self.biller.login,
            timeout=300,
        )
        return charge

    def test_corrections(self):
        charge = self._play("tour")
        children = charge.child_ids.sorted("id")
        self.assertEqual(children.mapped("kind"), ["finance_charge", "adjustment", "adjustment"])
        self.assertEqual(children.mapped("amount"), [7.0, -51.0, 51.0])
        self.assertEqual((charge.is_adjudicated, charge.ledger_client), (False, 87.0))
        lines = children.invoice_line_ids
        self.assertIn("Late since March", lines.mapped("name"))
        self.assertEqual(set(lines.mapped("parent_state")), {"posted"})


@tagged("post_install", "-at_install")
class TestChargeCorrectionToursOnPhone(TestChargeCorrectionTours):
    """A finance charge, in the hand."""

    browser_size = "390x844"
    touch_enabled = True

    def test_corrections(self):
        charge = self._play("phone_tour")
        self.assertEqual(charge.child_ids.mapped("amount"), [7.0])
        self.assertEqual((charge.is_adjudicated, charge.ledger_client), (False, 87.0))
