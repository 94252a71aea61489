from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import A_DAY, CareCommon
from .test_tours import ScreenCommon


class MyDayCommon(CareCommon):
    """A provider with a visit that is going on now."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.now = fields.Datetime.now().replace(second=0, microsecond=0)
        cls.today = cls.company._care_local_date(cls.now)
        cls.staff = cls._user("care_staff", tz="America/New_York")
        cls.client = cls._client(
            "Ivy Insured", phone="+1 555 010 0199", street="12 Maple Street", city="Albany"
        )
        cls.visit = cls._visit_now()
        cls.mine = cls.visit.with_env(cls._act_as(cls.staff))

    @classmethod
    def _visit_now(cls, **vals):
        """A visit of one hour of today, whatever time it is."""
        return cls.env["healthcare.appointment"].create(
            {
                "client_id": cls.client.id,
                "start": cls.now,
                "employee_id": cls.staff.employee_id.id,
                "product_id": cls.visit_service.id,
            }
            | vals
        )

    def _my_day(self, user=None):
        env = self._act_as(user or self.staff)
        return env["healthcare.appointment"].search([("is_my_day", "=", True)], order="start")


@tagged("post_install", "-at_install")
class TestMyDay(MyDayCommon):
    def test_own_visits_of_the_local_day(self):
        """R6: today is the local day of care; others' visits and other days aren't there."""
        late = self._visit_now(start=self._local(self.today, 23.5))
        tomorrow = self._visit_now(start=self._local(self.today + timedelta(days=1), 0.0))
        other = self._visit_now(employee_id=self.provider.id)
        self.assertEqual(set(self._my_day()), {self.visit, late})
        self.assertTrue(late.with_env(self.mine.env).is_my_day)
        self.assertFalse(tomorrow.with_env(self.mine.env).is_my_day)
        self.assertNotIn(other, self._my_day())
        self.assertFalse(self._my_day(self._user("coordinator")))
        self.assertFalse(
            self.mine.search([("is_my_day", "!=", True), ("id", "in", (self.visit | late).ids)])
        )

    def test_begun_yesterday_and_not_completed(self):
        """A night's visit ends on another day: it stays until its provider completes it."""
        yesterday = self.now - timedelta(days=1)
        night = self._visit_now(start=yesterday, clock_in=yesterday)
        self.assertIn(night, self._my_day())
        night.clock_out = self.now
        self.assertIn(night, self._my_day())
        self.assertTrue(night.with_env(self.mine.env).is_my_day)
        night.with_env(self.mine.env).action_complete()
        self.assertNotIn(night, self._my_day())
        self.assertFalse(night.with_env(self.mine.env).is_my_day)

    def test_address_phone_and_hours(self):
        self.assertEqual(self.mine.visit_phone, "+1 555 010 0199")
        self.assertIn("12 Maple Street, ", self.mine.visit_address)
        early = self._visit_now(start=self._local(A_DAY, 9.0))
        self.assertEqual(early.local_hours, "9:00 AM – 10:00 AM")
        early.pickup_address = "1 Station Road"
        early.invalidate_recordset()
        self.assertEqual(early.visit_address, "1 Station Road")

    def test_no_third_party_learns_where_clients_live(self):
        arch = self.env.ref("healthcare_billing.healthcare_appointment_view_kanban_my_day").arch
        self.assertNotIn("http", arch)


@tagged("post_install", "-at_install")
class TestClock(MyDayCommon):
    def test_has_started(self):
        later = self._visit_now(start=self.now + timedelta(hours=1))
        self.assertTrue(self.visit.has_started)
        self.assertFalse(later.has_started)
        later.clock_in = self.now  # came early
        self.assertTrue(later.has_started)

    def test_in_and_out(self):
        self.mine.action_check_in()
        clock_in = self.visit.clock_in
        self.assertTrue(clock_in)
        self.mine.action_check_in()  # a second click
        self.assertEqual(self.visit.clock_in, clock_in)
        self.mine.action_check_out()
        clock_out = self.visit.clock_out
        self.assertGreaterEqual(clock_out, clock_in)
        self.visit.clock_out = clock_out + timedelta(minutes=10)
        self.mine.action_check_out()
        self.assertEqual(self.visit.clock_out, clock_out + timedelta(minutes=10))

    def test_out_before_in(self):
        with self.assertRaisesRegex(UserError, "Check in at"):
            self.mine.action_check_out()

    def test_only_today_and_only_scheduled(self):
        tomorrow = self._visit_now(start=self._local(self.today + timedelta(days=1), 9.0))
        with self.assertRaisesRegex(UserError, "another day"):
            tomorrow.with_env(self.mine.env).action_check_in()
        self.visit.action_no_show()
        with self.assertRaisesRegex(UserError, "not scheduled"):
            self.mine.action_check_in()

    def test_only_own(self):
        other = self._visit_now(employee_id=self.provider.id)
        with self.assertRaises(AccessError):
            other.with_env(self.mine.env).action_check_in()
        with self.assertRaises(AccessError):
            other.with_env(self.mine.env)._enter_times(self.now - timedelta(hours=1), self.now)

    def test_forgotten_check_out_asks_for_the_time(self):
        begun = self.now - timedelta(hours=9)
        visit = self._visit_now(start=begun, clock_in=begun).with_env(self.mine.env)
        self.assertTrue(visit.is_clock_forgotten)
        action = visit.action_check_out()
        self.assertFalse(visit.clock_out)
        dialog = Form(
            self.mine.env["healthcare.appointment.clock"].with_context(**action["context"])
        ).save()
        self.assertEqual((dialog.clock_in, dialog.clock_out), (begun, begun + timedelta(hours=1)))
        dialog.action_save()
        self.assertEqual(visit.clocked_duration, 1.0)
        self.assertIn("entered by hand", visit.message_ids[0].body)

    def test_times_that_cannot_be(self):
        for clock_in, clock_out, text in (
            (self.now, self.now, "after its beginning"),
            (self.now, self.now + timedelta(hours=1), "future"),
            (self.now - timedelta(hours=30), self.now, "24 hours"),
        ):
            with self.subTest(text), self.assertRaisesRegex(UserError, text):
                self.mine._enter_times(clock_in, clock_out)
        self.visit.action_no_show()
        with self.assertRaisesRegex(UserError, "no times"):
            self.mine._enter_times(self.now - timedelta(hours=1), self.now)

    def test_times_of_an_invoiced_visit(self):
        self.visit.action_complete()
        self._execute(self.visit)
        with self.assertRaisesRegex(UserError, "is on invoice"):
            self.mine._enter_times(self.now - timedelta(hours=1), self.now)

    def test_clocked_time_is_billed_where_the_service_says_so(self):
        service = self._service(
            "Clocked", "T1002", 10.0, unit_rule="block", block_minutes=15, time_basis="clocked"
        )
        self.visit.product_id = service
        self.mine._enter_times(self.now - timedelta(minutes=45), self.now)
        self.assertEqual(self.visit.charge_ids.quantity, 3.0)


@tagged("post_install", "-at_install")
class TestAppointmentScreens(ScreenCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # the week that the browser of the tours shows is that of UTC
        cls.company.healthcare_tz = "UTC"
        cls.env = cls.env(context={**cls.env.context, "tz": "UTC"})
        cls.today = cls.env.cr.now().date()
        cls.client = cls._insured_client("Ivy Insured")

    def _planned(self, **vals):
        return self._visit(self.client, hour=12.0, state="scheduled", **vals)

    def _tour(self, name):
        url = "/odoo/care-appointments?view_type=calendar"
        self.start_tour(url, f"healthcare_billing_{name}_tour", login=self.biller.login)

    def _holiday(self, weeks):
        day = self.today + timedelta(weeks=weeks)
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Winter Holiday",
                "calendar_id": self.company.resource_calendar_id.id,
                "date_from": self._local(day, 0),
                "date_to": self._local(day, 23.98),
            }
        )

    def test_schedule_repeat_and_change(self):
        """Calendar, popover, form, repeat with a holiday, this and all future at another time."""
        visit = self._planned()
        self._holiday(weeks=2)
        self._tour("schedule")
        series = self.env["healthcare.appointment.series"].search(
            [("client_id", "=", self.client.id)]
        )
        self.assertFalse(visit.exists())
        self.assertEqual(len(series.appointment_ids), 9)
        self.assertEqual(series.start_time, 16.5)

    def test_delete_this_and_future_from_the_calendar(self):
        visit = self._planned()
        series = self.env["healthcare.appointment.series"].create(
            series_values(visit, self.today, count=4)
        )
        visit.series_id = series
        series._create_appointments(series._rule_dates()[1:])
        self._tour("series_delete")
        self.assertFalse(series.appointment_ids.exists())

    def test_delete_an_invoiced_one_from_the_calendar(self):
        visit = self._visit(self.client, hour=12.0)
        self._execute(visit, invoice_date=self.today)
        self._tour("invoiced_delete")
        self.assertTrue(visit.exists())

    def test_calendar_titles_and_names(self):
        """Our own calendar may name the client; nothing names a diagnosis."""
        visit = self._planned()
        arch = self.env.ref("healthcare_billing.healthcare_appointment_view_calendar").arch
        self.assertNotIn("diagnosis", arch)
        self.assertNotIn(self.diagnosis.code, visit.calendar_title)

    def test_invoice_is_told_to_staff_without_the_right_to_read_it(self):
        staff = self._user("care_staff")
        visit = self._visit(self.client, employee_id=staff.employee_id.id)
        self._execute(visit, invoice_date=self.today)
        text = visit.with_env(self._act_as(staff)).invoice_text
        self.assertIn("(Draft)", text)


def series_values(appointment, day, **vals):
    """Values of a weekly series that begins with this appointment."""
    template = appointment.env["healthcare.appointment.series"]._template_of(appointment)
    hours = appointment.company_id._care_local_hours(appointment.start)
    return template | {"date_start": day, "start_time": hours} | vals


@tagged("post_install", "-at_install")
class TestAppointmentPhoneScreens(MyDayCommon, ScreenCommon):
    browser_size = "390x844"
    touch_enabled = True

    def _phone_tour(self, url, name, user):
        self.start_tour(url, name, login=user.login)

    def test_my_day(self):
        """Check in, check out, complete, sign: without opening the form."""
        self._phone_tour("/odoo/my-day", "healthcare_billing_my_day_phone_tour", self.staff)
        self.assertEqual((self.visit.state, self.visit.note_state), ("completed", "signed"))
        self.assertTrue(self.visit.clock_in and self.visit.clock_out)

    def test_my_day_without_the_clock(self):
        """Complete without checking in, sign, and see that the supervisor has to sign, too."""
        self.company.healthcare_note_policy = "cosign"
        self.staff.employee_id.parent_id = self.env["hr.employee"].create(
            {"name": "Sue Supervisor", "company_id": self.company.id}
        )
        self._phone_tour(
            "/odoo/my-day", "healthcare_billing_my_day_unclocked_phone_tour", self.staff
        )
        self.assertEqual((self.visit.state, self.visit.note_state), ("completed", "draft"))
        self.assertFalse(self.visit.clock_in)

    def test_my_day_without_visits(self):
        self.visit.employee_id = self.provider
        self._phone_tour("/odoo/my-day", "healthcare_billing_my_day_empty_phone_tour", self.staff)

    def test_forgotten_check_out(self):
        begun = self.now - timedelta(hours=9)
        self.visit.write({"start": begun, "clock_in": begun})
        self._phone_tour("/odoo/my-day", "healthcare_billing_forgotten_phone_tour", self.staff)
        self.assertEqual(self.visit.clock_out, begun + timedelta(hours=1))

    def test_repeat_and_change_on_the_phone(self):
        self.visit.start = self._local(self.today, 12.0)
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Winter Holiday",
                "calendar_id": self.company.resource_calendar_id.id,
                "date_from": self._local(self.today + timedelta(weeks=2), 0),
                "date_to": self._local(self.today + timedelta(weeks=2), 23.98),
            }
        )
        self.start_tour(
            "/odoo/care-appointments",
            "healthcare_billing_series_phone_tour",
            login=self.biller.login,
        )
        series = self.env["healthcare.appointment.series"].search(
            [("client_id", "=", self.client.id)]
        )
        self.assertEqual(len(series.appointment_ids), 9)
