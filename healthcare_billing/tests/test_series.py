from datetime import date, datetime, time, timedelta
from itertools import islice
from unittest.mock import patch

import pytz
from dateutil import rrule
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged

from ..models.healthcare_series_mixin import MAX_APPOINTMENTS, WEEKDAYS
from .common import CareCommon

NAIVE = {"daily": rrule.DAILY, "weekly": rrule.WEEKLY, "monthly": rrule.MONTHLY}
# Tuesdays in New York: clocks go back on 2 November 2025, and forward on 8 March 2026.
TUESDAY = date(2025, 10, 21)


class SeriesCommon(CareCommon):
    """A client with a weekly session on Tuesdays at 9:00, seen from the day before."""

    NOW = datetime(2025, 10, 20, 12)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = cls._insured_client(copay=20.0)

    def setUp(self):
        super().setUp()
        self._travel(self.NOW)

    def _travel(self, now):
        """The addon's clock shows ``now`` (naive UTC) for the rest of the test."""
        patcher = patch("odoo.fields.Datetime.now", lambda *_args: now)
        patcher.start()
        self.addCleanup(patcher.stop)

    def _first(self, day=TUESDAY, hour=9.0, **vals):
        return self._appointment(self.client, day=day, hour=hour, state="scheduled", **vals)

    def _dialog(self, appointment=None, mode="new", env=None, **vals):
        """The dialog as it opens on an appointment, with other values typed into it."""
        model = (env or self.env)["healthcare.appointment.schedule"].with_context(
            default_mode=mode, default_appointment_id=appointment and appointment.id
        )
        names = list(model._fields)
        defaults = {
            name: value for name, value in model.default_get(names).items() if name not in vals
        }
        return model.create({**defaults, **vals})

    def _series(self, count=5, first=None, **vals):
        """A weekly series of ``count`` appointments."""
        dialog = self._dialog(first or self._first(), count=count, **vals)
        dialog.action_apply()
        return dialog.result_id

    def _local_times(self, appointments):
        zone = pytz.timezone(self.company.healthcare_tz)
        return [
            pytz.utc.localize(a.start).astimezone(zone).replace(tzinfo=None)
            for a in appointments.sorted("start")
        ]


@tagged("post_install", "-at_install")
class TestSeriesRule(SeriesCommon):
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        frequency=st.sampled_from(sorted(NAIVE)),
        interval=st.integers(1, 5),
        weekdays=st.sets(st.sampled_from(WEEKDAYS)),
        day=st.dates(date(2024, 1, 1), date(2027, 12, 31)),
        minutes=st.integers(0, 24 * 60 - 1),
        count=st.integers(1, 320),
        until_days=st.none() | st.integers(0, 900),
    )
    def test_rule_is_the_naive_rule_in_local_time(
        self, frequency, interval, weekdays, day, minutes, count, until_days
    ):
        """Local days of the rule are those of a plain rrule, all different, 300 at most (R6)."""
        rule = self.env["healthcare.appointment.series"].new(
            {
                "company_id": self.company.id,
                "frequency": frequency,
                "interval": interval,
                "date_start": day,
                "start_time": minutes / 60,
                "duration": 1.0,
                "end_type": "count" if until_days is None else "until",
                "count": count,
                "until": until_days is not None and day + timedelta(days=until_days),
                **dict.fromkeys(weekdays, True),
            }
        )
        options = {"interval": interval}
        if frequency == "weekly":
            chosen = weekdays or {WEEKDAYS[day.weekday()]}
            options["byweekday"] = [WEEKDAYS.index(name) for name in chosen]
        if until_days is None:
            options["count"] = count
        else:
            options["until"] = datetime.combine(rule.until, time.max)
        naive = rrule.rrule(
            NAIVE[frequency], dtstart=datetime.combine(day, time(*divmod(minutes, 60))), **options
        )
        expected = list(islice(naive, MAX_APPOINTMENTS + 1))
        if not 0 < len(expected) <= MAX_APPOINTMENTS:
            with self.assertRaises(UserError):
                rule._rule_dates()
            return
        days = rule._rule_dates()
        self.assertEqual(days, [moment.date() for moment in expected])
        self.assertEqual(len(set(days)), len(days))
        zone = pytz.timezone(self.company.healthcare_tz)
        for moment in expected:
            start, stop = rule._slot(moment.date())
            self.assertEqual(stop - start, timedelta(hours=1))
            self.assertEqual(self.company._care_local_date(start), moment.date())
            local = pytz.utc.localize(start).astimezone(zone).replace(tzinfo=None)
            if local != moment:  # the clocks skip this hour: as much later
                self.assertEqual(local - moment, timedelta(hours=1))

    def test_nine_stays_nine_when_the_clocks_change(self):
        series = self._series(count=4)
        times = self._local_times(series.appointment_ids)
        self.assertEqual(times, [datetime(2025, 10, 21, 9) + timedelta(weeks=n) for n in range(4)])
        starts = series.appointment_ids.sorted("start").mapped("start")
        self.assertEqual([start.hour for start in starts], [13, 13, 14, 14])

    def test_late_evening_belongs_to_the_local_day(self):
        """R6: 23:30 is of that day, and the rule is on its weekday, whatever UTC says."""
        series = self._series(count=3, first=self._first(hour=23.5))
        self.assertTrue(series.tue)
        self.assertEqual(
            series.appointment_ids.sorted("start").mapped("service_date"),
            [TUESDAY + timedelta(weeks=n) for n in range(3)],
        )

    def test_skipped_and_doubled_hours(self):
        self.assertEqual(
            self.company._care_moment(date(2026, 3, 8), 2.5), datetime(2026, 3, 8, 7, 30)
        )
        self.assertEqual(
            self.company._care_moment(date(2025, 11, 2), 1.5), datetime(2025, 11, 2, 5, 30)
        )

    def test_months(self):
        rule = self.env["healthcare.appointment.series"].new(
            {"frequency": "monthly", "date_start": date(2025, 1, 31), "count": 3}
        )
        self.assertEqual([day.month for day in rule._rule_dates()], [1, 3, 5])
        rule.month_by = "weekday"  # the fifth Friday is the last one
        self.assertEqual(
            rule._rule_dates(), [date(2025, 1, 31), date(2025, 2, 28), date(2025, 3, 28)]
        )

    def test_at_most_300(self):
        dialog = self._dialog(self._first(), frequency="daily", count=301)
        self.assertIn("300", dialog.rule_problem)
        self.assertFalse(dialog.date_ids)
        with self.assertRaisesRegex(UserError, "300"):
            dialog.action_apply()
        dialog.count = 300
        self.assertFalse(dialog.rule_problem)
        self.assertEqual(len(dialog.date_ids), 299)
        dialog.action_apply()
        self.assertEqual(dialog.result_id.appointment_count, 300)
        with self.assertRaises(ValidationError):
            dialog.result_id.count = 301

    def test_bad_rules_are_told(self):
        first = self._first()
        for vals in (
            {"interval": 0},
            {"interval": -1},
            {"count": 0},
            {"end_type": "until", "until": False},
            {"end_type": "until", "until": TUESDAY - timedelta(days=1)},
            {"duration": 0.0},
            {"duration": 25.0},
            {"start_time": 24.0},
            {"start_time": -1.0},
        ):
            with self.subTest(vals=vals):
                dialog = self._dialog(first, **vals)
                self.assertTrue(dialog.rule_problem)
                with self.assertRaises(UserError):
                    dialog.action_apply()
        self.assertFalse(first.series_id)


@tagged("post_install", "-at_install")
class TestSeriesCreation(SeriesCommon):
    def test_repeat_an_appointment(self):
        """The appointment is the first of the series; the others are like it, at today's fees."""
        first = self._first(product_id=self.service.id)
        self._fee_schedule({self.service: 45.0})
        series = self._series(count=3, first=first)
        appointments = series.appointment_ids.sorted("start")
        self.assertEqual(appointments[0], first)
        self.assertEqual(len(appointments), 3)
        for name in ("client_id", "billing_account_id", "payer_id", "employee_id", "product_id"):
            self.assertEqual(appointments[1][name], first[name], name)
        self.assertEqual(appointments.mapped("diagnosis_ids"), self.diagnosis)
        self.assertEqual(set(appointments.mapped("state")), {"scheduled"})
        self.assertEqual(first.charge_ids.price_unit, 30.0)  # R2: made before the contract
        later = (appointments - first).charge_ids
        self.assertEqual(set(later.mapped("price_unit")), {45.0})
        self.assertEqual(set(later.mapped("price_source")), {"fee_schedule"})
        self.assertEqual(set(later.mapped("billing_stage")), {"planned"})
        self.assertEqual(len(set(appointments.mapped("name"))), 3)

    def test_what_is_not_copied(self):
        """What was decided on one appointment says nothing about the next ones."""
        first = self._first(
            billable=False, billing_note="! secret", parked=True, bill_override_qty=0.0
        )
        series = self._series(count=2, first=first)
        other = series.appointment_ids - first
        self.assertTrue(other.billable)
        self.assertFalse(other.billing_note or other.parked or other.has_bill_override)

    def test_own_payer_and_diagnoses_are_kept_defaults_are_not(self):
        own = self.env["healthcare.diagnosis"].create({"code": "ZZ9.02", "name": "Own"})
        other_payer = self._payer("Other Insurance")
        first = self._first(diagnosis_ids=[Command.set(own.ids)], payer_id=other_payer.id)
        series = self._series(count=2, first=first)
        second = series.appointment_ids - first
        self.assertEqual(second.diagnosis_ids, own)
        self.assertEqual(second.payer_id, other_payer)
        self.assertFalse(self._template_of_default().get("payer_id"))

    def _template_of_default(self):
        series = self._series(count=2, first=self._first(day=TUESDAY + timedelta(days=1)))
        return series._appointment_values()

    def test_from_the_menu(self):
        form = Form(self.env["healthcare.appointment.schedule"])
        form.client_id = self.client
        form.product_id = self.service
        form.employee_id = self.provider
        form.date_start = TUESDAY
        form.count = 3
        self.assertEqual(form.billing_account_id, self.client.billing_account_ids)
        self.assertEqual(len(form.date_ids), 3)
        dialog = form.save()
        action = dialog.action_apply()
        series = self.env["healthcare.appointment.series"].browse(action["res_id"])
        self.assertEqual(
            self._local_times(series.appointment_ids),
            [datetime(2025, 10, 21, 9) + timedelta(weeks=n) for n in range(3)],
        )
        self.assertEqual(series.display_name, "Every week on Tue at 9:00\u202fAM")

    def test_double_click_makes_one_series(self):
        first = self._first()
        dialog = self._dialog(first, count=3)
        self.assertEqual(dialog.action_apply(), dialog.action_apply())
        self.assertEqual(len(first.series_id.appointment_ids), 3)
        with self.assertRaisesRegex(UserError, "already"):
            self._dialog(first, count=3).action_apply()

    def test_first_appointment_off_the_rule_counts(self):
        dialog = self._dialog(self._first(), count=4, tue=False, thu=True)
        self.assertEqual(
            dialog.date_ids.mapped("day"),
            [TUESDAY + timedelta(days=2, weeks=n) for n in range(3)],
        )

    def test_no_date_ticked(self):
        dialog = self._dialog(self._first(), count=2)
        dialog.date_ids.selected = False
        with self.assertRaisesRegex(UserError, "Tick"):
            dialog.action_apply()

    def test_queries_do_not_grow(self):
        """Twice the dates: no more queries, neither for the preview nor for the appointments."""

        def cost(count, hour):
            first = self._first(hour=hour)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            dialog = self._dialog(first, count=count)
            dialog.date_ids.mapped("conflict")
            self.env.flush_all()
            preview = self.env.cr.sql_log_count - before
            dialog.action_apply()
            self.env.flush_all()
            return preview, self.env.cr.sql_log_count - before - preview

        cost(3, 7.0)  # fills caches
        once, twice = cost(30, 9.0), cost(60, 12.0)
        for few, many in zip(once, twice, strict=True):
            self.assertLessEqual(many, few + 2, (once, twice))


@tagged("post_install", "-at_install")
class TestSeriesConflicts(SeriesCommon):
    def _leave(self, day, calendar=None, **vals):
        return self.env["resource.calendar.leaves"].create(
            {
                "name": "Founders' Day",
                "calendar_id": calendar and calendar.id,
                "date_from": self._local(day, 0),
                "date_to": self._local(day, 23.98),
            }
            | vals
        )

    def _conflicts(self, **vals):
        dialog = self._dialog(self._first(), count=5, **vals)
        return {line.day: line.conflict for line in dialog.date_ids if line.conflict}, dialog

    def test_holiday_of_the_company(self):
        day = TUESDAY + timedelta(weeks=1)
        self._leave(day, self.company.resource_calendar_id)
        found, dialog = self._conflicts()
        self.assertEqual(found, {day: "Holiday: Founders' Day"})
        dialog.action_apply()
        self.assertNotIn(day, dialog.result_id.appointment_ids.mapped("service_date"))
        self.assertEqual(dialog.result_id.appointment_count, 4)

    def test_holiday_of_the_payer_only_for_its_clients(self):
        day = TUESDAY + timedelta(weeks=2)
        calendar = self.env["resource.calendar"].create({"name": "Holidays of the payer"})
        self._leave(day, calendar)
        self.assertEqual(self._conflicts()[0], {})
        self.payer.holiday_calendar_id = calendar
        self.assertEqual(self._conflicts()[0], {day: "Holiday of Test Insurance: Founders' Day"})

    def test_leave_of_the_provider_without_its_reason(self):
        day = TUESDAY + timedelta(weeks=3)
        self._leave(
            day,
            self.provider.resource_id.calendar_id,
            name="Surgery",
            resource_id=self.provider.resource_id.id,
        )
        other = self._provider("Other Provider")
        self._leave(day - timedelta(weeks=1), resource_id=other.resource_id.id)
        coordinator = self._act_as(self._user("coordinator"))
        dialog = self._dialog(self._first(), count=5, env=coordinator)
        found = {line.day: line.conflict for line in dialog.date_ids if line.conflict}
        self.assertEqual(found, {day: "Pat Provider is on leave"})

    def test_overlaps(self):
        """Scheduled and completed care of the provider, or of the client; missed care not."""
        week = timedelta(weeks=1)
        busy = self._appointment(self._client("Busy"), day=TUESDAY + week, hour=9.5)
        other = self._provider("Other Provider")
        own = self._first(day=TUESDAY + 2 * week, hour=8.5, employee_id=other.id)
        self._appointment(self._client("Missed"), day=TUESDAY + 3 * week, state="no_show")
        self._first(day=TUESDAY + 4 * week, hour=10.0)  # begins when the other ends
        found, _dialog = self._conflicts()
        self.assertEqual(
            found,
            {
                TUESDAY + week: f"Provider has {busy.name}",
                TUESDAY + 2 * week: f"Client has {own.name}",
            },
        )

    def test_overlap_that_the_user_may_not_see(self):
        staff = self._user("care_staff")
        self._first(day=TUESDAY + timedelta(weeks=1))
        mine = self._first(employee_id=staff.employee_id.id)
        dialog = self._dialog(mine, count=3, env=self._act_as(staff))
        self.assertEqual(
            dialog.date_ids.filtered("conflict").mapped("conflict"),
            ["Client has another appointment"],
        )

    def test_kept_in_spite_of_a_conflict(self):
        day = TUESDAY + timedelta(weeks=1)
        self._leave(day, self.company.resource_calendar_id)
        _found, dialog = self._conflicts()
        self.assertEqual(dialog.summary, "New appointments: 3 · skipped dates: 1")
        dialog.date_ids.filtered("conflict").selected = True
        dialog.action_apply()
        self.assertIn(day, dialog.result_id.appointment_ids.mapped("service_date"))


@tagged("post_install", "-at_install")
class TestSeriesRights(SeriesCommon):
    def test_staff_repeat_own_care_only(self):
        staff = self._user("care_staff")
        env = self._act_as(staff)
        mine = self._first(employee_id=staff.employee_id.id)
        dialog = self._dialog(mine, count=3, env=env)
        dialog.action_apply()
        self.assertEqual(mine.series_id.appointment_count, 3)
        self.assertEqual(env["healthcare.appointment.series"].search([]), mine.series_id)
        with self.assertRaises(AccessError):
            self._dialog(self._first(day=TUESDAY + timedelta(days=1)), count=3, env=env)
        foreign = self._series(count=2, first=self._first(day=TUESDAY + timedelta(days=2)))
        with self.assertRaises(AccessError):
            foreign.with_env(env).read(["rule_text"])

    def test_staff_cannot_plan_for_others(self):
        staff = self._user("care_staff")
        dialog = self._dialog(
            None,
            env=self._act_as(staff),
            client_id=self.client.id,
            employee_id=self.provider.id,
            product_id=self.service.id,
        )
        with self.assertRaises(AccessError):
            dialog.action_apply()

    def test_staff_cannot_delete(self):
        staff = self._user("care_staff")
        series = self._series(count=3, first=self._first(employee_id=staff.employee_id.id))
        first = series.appointment_ids.sorted("start")[:1]
        for mode in ("delete", "edit"):
            dialog = self._dialog(first, mode=mode, scope="future", env=self._act_as(staff))
            with self.subTest(mode=mode), self.assertRaises(AccessError):
                dialog.action_apply()
        self.assertEqual(len(series.appointment_ids), 3)

    def test_dialogs_are_private(self):
        dialog = self._dialog(self._first(), count=3)
        with self.assertRaises(AccessError):
            dialog.with_env(self._act_as(self._user("coordinator"))).read(["client_id"])

    def test_companies_never_mix(self):
        company = self.env["res.company"].create({"name": "Second", "healthcare_tz": "UTC"})
        theirs = self.env["hr.employee"].create({"name": "Theirs", "company_id": company.id})
        series = self._series(count=2)
        with self.assertRaises(UserError):
            series.employee_id = theirs
        other = self._act_as(self._user("coordinator", login="elsewhere"))
        other.user.write({"company_ids": [Command.link(company.id)]})
        env = self.env(user=other.user, context={"allowed_company_ids": company.ids})
        self.assertFalse(env["healthcare.appointment.series"].search([]))
