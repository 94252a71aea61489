from odoo.tests import tagged

from .test_tours import ScreenCommon

CYCLES = "/odoo/action-healthcare_billing.healthcare_billing_cycle_action"


class CycleScreenCommon(ScreenCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.config.settings"].create({"group_use_billing_cycles": True}).execute()
        cls.alice, cls.bob = cls._client("Alice Adams"), cls._client("Bob Brown")
        cls.visits = cls._visit(cls.alice) | cls._visit(cls.bob)
        cls.visits.approval_state = "approved"

    def _month(self, tour):
        """Create a cycle, preview, create; change a visit, regenerate its draft."""
        self.start_tour(CYCLES, tour, login=self.biller.login)
        cycle = self.env["healthcare.billing.cycle"].search([], order="id desc", limit=1)
        move = cycle.move_ids.filtered(lambda move: move.partner_id == self.alice)
        self.assertEqual((move.state, move.amount_total), ("draft", 80.0))
        self.visits[0].approved_qty = 2.0
        self.env.flush_all()
        self.start_tour(
            f"/odoo/customer-invoices/{move.id}",
            "healthcare_billing_cycle_regenerate_tour",
            login=self.biller.login,
        )
        self.assertEqual(move.amount_total, 160.0)
        self.assertEqual(cycle.run_ids.mapped("state"), ["done", "done"])


@tagged("post_install", "-at_install")
class TestCycleTour(CycleScreenCommon):
    browser_size = "1400x850"

    def test_cycle_on_the_desktop(self):
        self._month("healthcare_billing_cycle_generate_tour")


@tagged("post_install", "-at_install")
class TestCyclePhoneTour(CycleScreenCommon):
    browser_size = "390x844"
    touch_enabled = True

    def test_cycle_on_the_phone(self):
        self._month("healthcare_billing_cycle_generate_phone_tour")
