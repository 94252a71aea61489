from datetime import timedelta

from odoo.tests import HttpCase, tagged

from .cycle_common import CycleInvoicesCommon

ADHOC = "/odoo/action-healthcare_billing.healthcare_adhoc_invoice_action"


@tagged("post_install", "-at_install")
class TestCycleClosingTours(CycleInvoicesCommon, HttpCase):
    """Close, void, write off, bill ad hoc: at a desk."""

    suffix = "tour"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls._user("billing_manager", tz="America/New_York")

    def _tour(self, url, name):
        name = f"healthcare_billing_{name}_{self.suffix}"
        self.start_tour(url, name, login=self.manager.login, timeout=300)

    def test_close(self):
        anna, ben = self._drafts("Anna Adams", "Ben Brown")
        tomorrow = self.today + timedelta(days=1)
        anna.write({"invoice_date": tomorrow, "date": tomorrow})
        self._appointment(self._client("Late Larry"), approval_state="not_approved")
        self._tour(f"/odoo/healthcare.billing.cycle/{self.cycle.id}", "cycle_close")
        self.assertEqual((ben.state, ben.is_move_sent), ("posted", True))
        self.assertEqual(anna.billing_cycle_id.origin_id, self.cycle)
        self.assertEqual(self.cycle.state, "closed")
        self.assertTrue(self.cycle.restrict_scheduling)

    def test_void(self):
        move = self._drafts("Anna Adams")
        self.cycle._start_closing()
        self._pay(move, 30.0)
        self._tour(f"/odoo/account.move/{move.id}", "void")
        self.assertEqual(move.payment_state, "reversed")
        self.assertEqual(move.invoice_line_ids.charge_id.billing_stage, "billing_office")

    def test_write_off(self):
        move = self._drafts("Anna Adams")
        move.action_mark_as_sent()
        self.env["healthcare.adjustment.reason"].create(
            {
                "code": "TOUR",
                "name": "Tour bad debt",
                "kind": "bad_debt",
                "account_id": self.company_data["default_account_expense"].id,
            }
        )
        self._tour(f"/odoo/account.move/{move.id}", "write_off")
        self.assertEqual(move.amount_residual, 75.0)

    def test_adhoc(self):
        client = self._client("Anna Adams")
        visit = self._approved(client)
        self._approved(client, hour=15, approval_state="rejected")
        self._tour(ADHOC, "adhoc")
        self.assertEqual(visit.charge_ids.billing_stage, "draft")


@tagged("post_install", "-at_install")
class TestCycleClosingToursOnPhone(TestCycleClosingTours):
    """The same in the hand."""

    browser_size = "390x844"
    touch_enabled = True
    suffix = "phone_tour"
