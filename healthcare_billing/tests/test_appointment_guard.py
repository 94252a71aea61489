from lxml import etree

from odoo.tests import tagged

from .common import A_DAY, CareCommon

# What care staff can't decide, as defaults that a caller or a user may give.
DECISIONS = {
    "approval_state": "approved",
    "approved_qty": 99.0,
    "has_bill_override": True,
    "bill_override_qty": 99.0,
    "note_state": "signed",
    "qa_state": "done",
    "billable": False,
    "parked": True,
}
PRICES = {"price_unit": 999.0, "is_priced": True, "price_source": "typed", "quantity": 99.0}


@tagged("post_install", "-at_install")
class TestAppointmentGuard(CareCommon):
    """Defaults are values, too: nobody decides by them what they can't decide by writing."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = cls._client("Ivy Insured")
        cls.other_client = cls._client("Otto Other")
        cls.staff = cls._user("care_staff")

    def _own_visit(self, user=None, **context):
        env = self._act_as(user or self.staff)
        return (
            env["healthcare.appointment"]
            .with_context(**context)
            .create(
                {
                    "client_id": self.client.id,
                    "employee_id": self.staff.employee_id.id,
                    "product_id": self.visit_service.id,
                    "start": self._local(A_DAY),
                }
            )
        )

    def _assert_undecided(self, visit):
        visit = visit.sudo()
        self.assertEqual((visit.approval_state, visit.approved_qty), ("not_approved", 0.0))
        self.assertEqual((visit.has_bill_override, visit.bill_override_qty), (False, 0.0))
        self.assertEqual((visit.note_state, visit.qa_state), ("missing", "none"))
        self.assertFalse(visit.note_signed_by_id)
        self.assertEqual((visit.billable, visit.parked), (True, False))
        charge = visit.charge_ids
        self.assertEqual(
            (charge.quantity, charge.price_unit, charge.price_source),
            (1.0, 80.0, "practice_default"),
        )

    def test_care_staff_decide_nothing_by_the_context(self):
        context = {f"default_{name}": value for name, value in {**DECISIONS, **PRICES}.items()}
        visit = self._own_visit(default_note_signed_by_id=self.env.ref("base.user_admin").id)
        self._assert_undecided(visit)
        self._assert_undecided(self._own_visit(**context))

    def test_care_staff_decide_nothing_by_their_own_defaults(self):
        defaults = self._act_as(self.staff)["ir.default"]
        for name, value in DECISIONS.items():
            defaults.set("healthcare.appointment", name, value, user_id=True)
        for name, value in PRICES.items():
            defaults.set("healthcare.charge", name, value, user_id=True)
        self._assert_undecided(self._own_visit())

    def test_defaults_of_the_practice_count(self):
        self.env["ir.default"].set("healthcare.appointment", "approval_state", "approved")
        self.assertEqual(self._own_visit().approval_state, "approved")

    def test_coordinators_may_decide_by_the_context(self):
        visit = self._own_visit(self._user("coordinator"), default_approved_qty=3.0)
        self.assertEqual(visit.approved_qty, 3.0)

    def test_the_charge_takes_no_defaults_from_where_the_appointment_was_made(self):
        """The form of one client, on which another one was chosen."""
        visit = self._own_visit(
            self._user("coordinator"),
            default_client_id=self.other_client.id,
            default_employee_id=self.provider.id,
        )
        self.assertEqual(visit.client_id, self.client)
        self.assertEqual(visit.charge_ids.client_id, self.client)
        self.assertEqual(visit.charge_ids.employee_id, self.staff.employee_id)

    def test_nobody_tells_where_a_price_comes_from(self):
        env = self._act_as(self._user("coordinator"))
        context = {f"default_{name}": value for name, value in PRICES.items()}
        charge = (
            env["healthcare.charge"]
            .with_context(**context)
            .create(
                {
                    "client_id": self.client.id,
                    "product_id": self.visit_service.id,
                    "service_date": A_DAY,
                }
            )
        )
        self.assertEqual((charge.price_unit, charge.price_source), (80.0, "practice_default"))
        self.assertEqual(charge.quantity, 1.0)

    def test_only_reviewers_see_the_buttons_of_review(self):
        stations = ("group_use_approval", "group_use_qa")
        for station in stations:
            self.env.ref("base.group_user").implied_ids |= self.env.ref(
                f"healthcare_billing.{station}"
            )
        buttons = {"action_approve", "action_reject", "action_qa_done", "action_qa_corrections"}
        for user, seen in ((self.staff, set()), (self._user("coordinator"), buttons)):
            env = self._act_as(user)
            arch = etree.fromstring(env["healthcare.appointment"].get_view()["arch"])
            header = {button.get("name") for button in arch.findall(".//header//button")}
            self.assertEqual(header & buttons, seen, user.name)
            self.assertIn("action_sign_note", header)
