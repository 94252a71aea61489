from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import A_DAY
from .test_visit_approval import ApprovalCommon


class UnscheduledCommon(ApprovalCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.staff = cls._user("care_staff", tz="America/New_York")
        cls.coordinator = cls._user("coordinator")
        cls.hourly.default_duration = 1.5
        cls.client.billing_account_ids.default_product_id = cls.hourly

    def _check_in(self, client=None, user=None):
        env = self._act_as(user or self.staff)
        return env["healthcare.appointment"]._check_in_unscheduled(
            (client or self.client).with_env(env)
        )

    @classmethod
    def _unscheduled(cls, hour=9.0, hours=3.0, **vals):
        """An unscheduled visit of three hours that was clocked in and out."""
        start = cls._local(A_DAY, hour)
        return cls._appointment(
            vals.pop("client", cls.client),
            A_DAY,
            hour,
            product_id=cls.hourly.id,
            is_unscheduled=True,
            clock_in=start,
            clock_out=start + timedelta(hours=hours),
            **vals,
        )

    def _wizard(self, visits, user=None):
        visits = visits.with_env(self._act_as(user or self.coordinator))
        action = visits.action_add_to_schedule()
        return visits.env[action["res_model"]].browse(action["res_id"])


@tagged("post_install", "-at_install")
class TestUnscheduledCheckIn(UnscheduledCommon):
    def test_care_staff_check_in_without_a_schedule(self):
        visit = self._check_in()
        self.assertEqual(
            (visit.client_id, visit.employee_id), (self.client, self.staff.employee_id)
        )
        self.assertTrue(visit.is_unscheduled and visit.clock_in)
        self.assertFalse(visit.env.su)
        self.assertEqual(visit.create_uid, self.staff)
        self.assertTrue(visit.is_my_day)
        visit.action_check_out()
        visit.action_complete()
        self.assertEqual(visit.state, "completed")

    def test_r12_unscheduled_is_billed_through_no_door(self):
        visit = self._check_in().sudo()
        visit.clock_out = visit.clock_in
        visit.action_complete()
        for door in (None, "manual", "batch", "cycle", "adhoc"):
            self.assertIn("unscheduled", self._codes(visit, door=door))

    def test_r29_a_second_click_finds_the_first_visit(self):
        visit = self._check_in()
        self.assertEqual(self._check_in(), visit)
        with self.assertRaisesRegex(UserError, "still checked in at Hanna Home"):
            self._check_in(self._client("Otto Other"))
        visit.action_check_out()
        self.assertNotEqual(self._check_in(), visit)

    def test_who_is_no_employee(self):
        with self.assertRaisesRegex(UserError, "no employee"):
            self._check_in(user=self.coordinator)

    def test_the_planned_visit_is_shown(self):
        now = fields.Datetime.now()
        env = self._act_as(self.staff)
        wizard = env["healthcare.unscheduled.check.in"].create({"client_id": self.client.id})
        self.assertFalse(wizard.planned_id)
        planned = self.env["healthcare.appointment"].create(
            {
                "client_id": self.client.id,
                "employee_id": self.staff.employee_id.id,
                "start": now,
            }
        )
        wizard = Form(env["healthcare.unscheduled.check.in"])
        wizard.client_id = self.client.with_env(env)
        self.assertEqual(wizard.planned_id.id, planned.id)
        wizard.save().action_check_in_planned()
        self.assertTrue(planned.clock_in)
        self.assertFalse(planned.is_unscheduled)

    def test_care_staff_cannot_say_that_it_was_scheduled(self):
        visit = self._check_in()
        for vals in ({"is_unscheduled": False}, {"was_unscheduled": True}):
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                visit.write(vals)
        with self.assertRaises(AccessError):
            visit.action_add_to_schedule()
        with self.assertRaises(AccessError):
            visit.action_reject()

    def test_never_lost(self):
        visit = self._check_in().with_env(self._act_as(self.coordinator))
        with self.assertRaisesRegex(UserError, "can't be deleted"):
            visit.unlink()


@tagged("post_install", "-at_install")
class TestAddToSchedule(UnscheduledCommon):
    def test_r12_service_and_its_usual_length(self):
        visit = self._unscheduled()
        wizard = self._wizard(visit)
        line = wizard.line_ids
        self.assertEqual((line.product_id, line.duration), (self.hourly, 1.5))
        self.assertEqual(line.start, visit.clock_in)
        wizard.action_apply()
        self.assertFalse(visit.is_unscheduled)
        self.assertTrue(visit.was_unscheduled)
        self.assertEqual(visit.duration, 1.5)
        self.assertEqual(visit.clocked_duration, 3.0)
        self.assertEqual(visit.approval_state, "not_approved")
        self.assertEqual(visit.charge_ids.quantity, 1.5)
        self.assertIn("clocked in without a schedule", visit.message_ids[0].body)

    def test_r12_auto_approval_approves_the_scheduled_time(self):
        visits = self._unscheduled() | self._unscheduled(hour=14.0, hours=0.5)
        wizard = self._wizard(visits)
        wizard.auto_approve = True
        wizard.action_apply()
        for visit in visits:
            self.assertEqual(visit.approval_state, "approved")
            self.assertEqual((visit.approved_qty, visit.charge_ids.quantity), (1.5, 1.5))
            self.assertFalse(self._codes(visit, door="cycle"))

    def test_other_service_and_length(self):
        visit = self._unscheduled()
        wizard = self._wizard(visit)
        with Form(wizard) as form, form.line_ids.edit(0) as line:
            line.product_id = self.service
            self.assertEqual(line.duration, 1.0)
            line.duration = 2.5
        wizard.action_apply()
        self.assertEqual((visit.product_id, visit.duration), (self.service, 2.5))

    def test_conflicts_are_shown_before(self):
        self._visit(hour=9.5)
        free, busy = self._unscheduled(hour=14.0), self._unscheduled()
        wizard = self._wizard(free | busy)
        by_visit = {line.appointment_id: line for line in wizard.line_ids}
        self.assertFalse(by_visit[free].conflicts)
        self.assertIn("Client and provider have", by_visit[busy].conflicts)
        self.assertEqual((wizard.conflict_count, wizard.selected_count), (1, 2))
        self.assertTrue(busy.is_unscheduled)  # nothing happened yet
        by_visit[busy].selected = False
        wizard.action_apply()
        self.assertEqual((free.is_unscheduled, busy.is_unscheduled), (False, True))

    def test_without_a_service(self):
        self.client.billing_account_ids.default_product_id = False
        visit = self._unscheduled()
        visit.product_id = False
        with self.assertRaisesRegex(UserError, "Choose a service"):
            self._wizard(visit).action_apply()

    def test_r29_two_dialogs_on_one_visit(self):
        visit = self._unscheduled()
        first, second = self._wizard(visit), self._wizard(visit)
        first.action_apply()
        with self.assertRaisesRegex(UserError, "somebody was faster"):
            second.action_apply()

    def test_reject_keeps_it(self):
        visit = self._unscheduled()
        visit.action_reject()
        self.assertTrue(visit.exists())
        self.assertEqual(visit.approval_state, "rejected")
        with self.assertRaisesRegex(UserError, "nobody rejected"):
            visit.action_add_to_schedule()
        visit.action_unapprove()
        self._wizard(visit).action_apply()
        self.assertFalse(visit.is_unscheduled)

    def test_list_of_a_cycle(self):
        cycle = self.env["healthcare.billing.cycle"].create(
            {"date_from": A_DAY, "date_to": A_DAY + timedelta(days=1)}
        )
        visit = self._unscheduled()
        self._unscheduled(hour=33.0)  # the next day
        action = cycle.action_view_unscheduled()
        found = self.env["healthcare.appointment"].search(action["domain"])
        self.assertEqual(found, visit)
        self.assertEqual(cycle.unscheduled_count, 1)
        self.assertNotIn(
            visit, self.env["healthcare.appointment"].search(cycle.action_view_visits()["domain"])
        )
