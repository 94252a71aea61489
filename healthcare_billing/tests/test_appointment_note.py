from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import CareCommon


@tagged("post_install", "-at_install")
class TestAppointmentNote(CareCommon):
    """Who signs a note, who is asked to, and who is told that somebody else has to."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.healthcare_note_policy = "cosign"
        cls.staff = cls._user("care_staff")
        cls.supervisor = cls._user("coordinator")
        cls.manager = cls._user("billing_manager")
        cls.other = cls._user("billing_user")
        cls.staff.employee_id.parent_id = cls.env["hr.employee"].create(
            {"name": "Sue Supervisor", "user_id": cls.supervisor.id, "company_id": cls.company.id}
        )
        cls.visit = cls._appointment(cls._client("Ivy"), employee_id=cls.staff.employee_id.id)

    def _as(self, user):
        self.env.invalidate_all()
        return self.visit.with_env(self._act_as(user))

    def _shown(self, user):
        visit = self._as(user)
        return visit.can_sign_note, visit.is_cosign_awaited

    def test_cosign_asks_each_of_them_once(self):
        self.assertEqual(self._shown(self.staff), (True, False))
        self.assertEqual(self._shown(self.other), (False, False))
        action = self._as(self.staff).action_sign_note()
        self.assertIn("Waits for the supervisor: Sue Supervisor", action["params"]["message"])
        self.assertEqual(self.visit.note_state, "draft")
        self.assertEqual(self._shown(self.staff), (False, True))
        self.assertEqual(self._shown(self.supervisor), (True, True))
        self.assertEqual(self._shown(self.manager), (True, True))
        self.assertTrue(self._as(self.staff).action_sign_note())  # told again, nothing changes
        with self.assertRaisesRegex(UserError, "only the provider"):
            self._as(self.other).action_sign_note()
        self.assertFalse(self._as(self.supervisor).action_sign_note())
        self.assertEqual(
            (self.visit.note_state, self.visit.note_signed_by_id, self.visit.note_cosigned_by_id),
            ("signed", self.staff, self.supervisor),
        )
        for user in (self.staff, self.supervisor, self.manager):
            self.assertEqual(self._shown(user), (False, False))

    def test_supervisor_first(self):
        self.assertFalse(self._as(self.supervisor).action_sign_note())
        self.assertEqual(self._shown(self.supervisor), (False, False))
        self.assertEqual(self._shown(self.staff), (True, False))
        self._as(self.staff).action_sign_note()
        self.assertEqual(self.visit.note_state, "signed")

    def test_a_signed_note_keeps_its_signatures(self):
        self.company.healthcare_note_policy = "approve"
        self._as(self.staff).action_sign_note()
        self._as(self.manager).action_sign_note()
        self.assertEqual(self.visit.note_signed_by_id, self.staff)

    def test_nobody_of_the_office_signs_for_who_can_log_in(self):
        """One signature is enough, and it says whose it is."""
        self.company.healthcare_note_policy = "approve"
        coordinator = self._user("coordinator", login="other_coordinator")
        for user in (self.other, coordinator):
            self.assertEqual(self._shown(user), (False, False))
            with self.assertRaisesRegex(UserError, "only the provider"):
                self._as(user).action_sign_note()
        self.assertFalse(self.visit.note_signed_by_id | self.visit.note_cosigned_by_id)
        self.assertNotEqual(self.visit.note_state, "signed")
        self.assertEqual(self._shown(self.staff), (True, False))
        self._as(self.staff).action_sign_note()
        self.assertEqual(
            (self.visit.note_state, self.visit.note_signed_by_id), ("signed", self.staff)
        )

    def test_who_stands_in_is_recorded_as_supervisor(self):
        self.company.healthcare_note_policy = "approve"
        visits = self.visit | self._appointment(
            self.visit.client_id, hour=15, employee_id=self.staff.employee_id.id
        )
        for visit, user in zip(visits, (self.supervisor, self.manager), strict=True):
            self.visit = visit
            self.assertEqual(self._shown(user), (True, False))
            self.assertFalse(self._as(user).action_sign_note())
            self.assertEqual(
                (visit.note_state, visit.note_signed_by_id.id, visit.note_cosigned_by_id),
                ("signed", False, user),
            )

    def test_anybody_of_the_office_signs_for_who_cannot_log_in(self):
        self.company.healthcare_note_policy = "approve"
        self.staff.employee_id.user_id = False
        self.assertEqual(self._shown(self.other), (True, False))
        self._as(self.other).action_sign_note()
        self.assertEqual(
            (self.visit.note_state, self.visit.note_signed_by_id), ("signed", self.other)
        )

    def test_provider_without_a_login(self):
        """Somebody signs for them; the supervisor's signature is enough."""
        self.staff.employee_id.user_id = False
        self.assertEqual(self._shown(self.other), (True, False))
        self._as(self.other).action_sign_note()
        self.assertEqual(self._shown(self.other), (False, True))
        self._as(self.supervisor).action_sign_note()
        self.assertEqual(self.visit.note_state, "signed")
        self.assertEqual(self.visit.note_signed_by_id, self.other)

    def test_changed_policy_leaves_no_note_behind(self):
        self._as(self.staff).action_sign_note()
        self.company.healthcare_note_policy = "approve"
        self.assertEqual(self._shown(self.staff), (True, False))
        self._as(self.staff).action_sign_note()
        self.assertEqual(self.visit.note_state, "signed")

    def test_nobody_signs_what_did_not_take_place(self):
        self.visit.action_schedule()
        self.assertEqual(self._shown(self.staff), (False, False))

    def test_reason_has_a_button_only_for_those_who_can_sign(self):
        self.company.healthcare_requires_signed_note = True
        self._as(self.staff).action_sign_note()
        for user, has_button in ((self.staff, False), (self.supervisor, True)):
            visit = self._as(user)
            reason = visit.block_reason_ids.filtered(lambda r: r.code == "unsigned_note")
            reason = reason.with_context(healthcare_mend_appointment_id=visit.id)
            self.assertEqual(reason.has_mend_button, has_button)
