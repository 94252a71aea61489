from datetime import timedelta

from odoo.tests import tagged

from .common import A_DAY
from .test_appointment_screens import MyDayCommon
from .test_tours import ScreenCommon
from .test_visit_approval import ApprovalCommon


class VisitApprovalScreens(ApprovalCommon, ScreenCommon):
    """Visits of a practice in which visits are approved."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("base.group_user").implied_ids |= cls.env.ref(
            "healthcare_billing.group_use_approval"
        )
        cls.coordinator = cls._user("coordinator", tz="America/New_York")

    @classmethod
    def _of(cls, name, hour=9.0, clocked=2.0, **vals):
        """A visit of two hours of a new client."""
        client = cls._client(name)
        start = cls._local(A_DAY, hour)
        if clocked is not None:
            vals |= {"clock_in": start, "clock_out": start + timedelta(hours=clocked)}
        return cls.env["healthcare.appointment"].create(
            {
                "client_id": client.id,
                "employee_id": cls.provider.id,
                "product_id": cls.hourly.id,
                "start": start,
                "stop": start + timedelta(hours=2),
            }
            | vals
        )

    def _tour(self, path, name):
        self.start_tour(
            f"/odoo/{path}", f"healthcare_billing_{name}_tour", login=self.coordinator.login
        )


@tagged("post_install", "-at_install")
class TestVisitApprovalTours(VisitApprovalScreens):
    def test_visit_approval(self):
        """Cells that may be empty, approval of one, of all that is shown, and of the chosen."""
        alice, bob, cora = (
            self._of("Alice Adams"),
            self._of("Bob Brown"),
            self._of("Cora Clark", clocked=None),
        )
        daily = self._client("Daily Client")
        visits = self.env["healthcare.appointment"]
        for day in range(81):  # more than a page
            start = self._local(A_DAY + timedelta(days=1 + day))
            visits += visits.create(
                {
                    "client_id": daily.id,
                    "employee_id": self.provider.id,
                    "product_id": self.hourly.id,
                    "start": start,
                    "stop": start + timedelta(hours=2),
                    "clock_in": start,
                    "clock_out": start + timedelta(minutes=110),
                }
            )
        self._tour("visit-approval", "visit_approval")
        self.assertEqual((alice.approval_state, alice.approved_qty), ("approved", 0.0))
        self.assertFalse(alice.has_bill_override)
        self.assertEqual((bob.approval_state, bob.approved_qty), ("approved", 2.0))
        self.assertEqual(set(visits.mapped("approved_qty")), {1.83})
        self.assertEqual(cora.approval_state, "rejected")

    def test_unscheduled(self):
        """Add one with approval, see what another one collides with, and reject that."""
        alice = self._of("Alice Adams", is_unscheduled=True, clocked=3.0)
        self._of("Planned Client", hour=15.0)
        bob = self._of("Bob Brown", hour=14.5, is_unscheduled=True)
        self._tour("unscheduled-visits", "unscheduled")
        self.assertFalse(alice.is_unscheduled)
        self.assertEqual((alice.approval_state, alice.approved_qty), ("approved", 1.0))
        self.assertTrue(bob.is_unscheduled)
        self.assertEqual(bob.approval_state, "rejected")


@tagged("post_install", "-at_install")
class TestVisitApprovalPhoneTours(VisitApprovalScreens, MyDayCommon):
    browser_size = "390x844"
    touch_enabled = True

    def test_visit_approval_on_the_phone(self):
        self.visit.unlink()
        alice, bob, cora = (self._of(name) for name in ("Alice Adams", "Bob Brown", "Cora Clark"))
        self._tour("visit-approval", "visit_approval_phone")
        self.assertEqual(
            (alice + bob + cora).mapped("approval_state"), ["approved", "rejected", "approved"]
        )

    def test_check_in_without_a_schedule(self):
        neighbor = self._client("Aaron Neighbor")
        self.start_tour(
            "/odoo/my-day",
            "healthcare_billing_unscheduled_phone_tour",
            login=self.staff.login,
        )
        visit = self.env["healthcare.appointment"].search([("client_id", "=", neighbor.id)])
        self.assertTrue(visit.is_unscheduled and visit.clock_in and visit.clock_out)
        self.assertEqual((visit.state, visit.employee_id), ("completed", self.staff.employee_id))
        self.assertIn("unscheduled", self._codes(visit))
