from datetime import date, datetime, timedelta

from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .test_series import TUESDAY, SeriesCommon

WEEK = timedelta(weeks=1)


@tagged("post_install", "-at_install")
class TestSeriesEdit(SeriesCommon):
    """“This” and “this and all future”: what changes, what stays, and that it is told."""

    def setUp(self):
        super().setUp()
        self.series = self._series(count=6)
        self.visits = self.series.appointment_ids.sorted("start")

    def _edit(self, visit, **vals):
        return self._dialog(visit, mode="edit", **vals)

    def _delete(self, visit, scope="future"):
        return self._dialog(visit, mode="delete", scope=scope)

    def test_dialog_opens_with_the_rest_of_the_rule(self):
        dialog = self._edit(self.visits[2])
        self.assertEqual((dialog.scope, dialog.date_start), ("future", TUESDAY + 2 * WEEK))
        self.assertEqual((dialog.count, dialog.start_time, dialog.tue), (4, 9.0, True))
        self.assertEqual(dialog.member_ids.appointment_id, self.visits[2:])
        self.assertEqual(len(dialog.date_ids), 4)
        self.assertFalse(any(dialog.date_ids.mapped("conflict")))
        self.assertEqual(dialog.summary, "New appointments: 4 · replaced: 4 · staying: 0")

    def test_this_and_future_begins_a_new_series(self):
        dialog = self._edit(self.visits[2], start_time=14.5, duration=0.75)
        old_ids = self.visits[2:].ids
        new = self.series.browse(dialog.action_apply()["res_id"])
        self.assertFalse(self.env["healthcare.appointment"].browse(old_ids).exists())
        self.assertEqual(self.series.appointment_ids, self.visits[:2])
        self.assertEqual(self.series.until, TUESDAY + 2 * WEEK - timedelta(days=1))
        self.assertEqual(new.previous_id, self.series)
        self.assertEqual(
            self._local_times(new.appointment_ids),
            [datetime(2025, 11, 4, 14, 30) + n * WEEK for n in range(4)],
        )
        self.assertEqual(set(new.appointment_ids.mapped("duration")), {0.75})
        self.assertIn("4 appointments deleted", self.series.message_ids[0].body)

    def test_changed_default_reaches_future_sessions_only(self):
        """Seed 004: correct the client's default, recreate the future sessions; the past stays."""
        self.visits[0].action_complete()
        account = self.client.billing_account_ids
        account.write({"default_product_id": self.service.id, "default_fee": 25.0})
        dialog = self._edit(self.visits[1], product_id=self.service.id)
        dialog.action_apply()
        self.assertEqual(self.visits[0].charge_ids.price_unit, 80.0)
        charges = dialog.result_id.appointment_ids.charge_ids
        self.assertEqual(len(charges), 5)
        self.assertEqual(set(charges.mapped("price_unit")), {25.0})
        self.assertEqual(set(charges.mapped("price_source")), {"billing_account"})

    def test_completed_missed_and_invoiced_ones_stay_and_are_told(self):
        completed, missed, invoiced, checked_in, *_rest = self.visits[1:]
        completed.action_complete()
        missed.action_no_show()
        invoiced.action_complete()
        moves = self._execute(invoiced).move_ids
        checked_in.clock_in = checked_in.start
        dialog = self._edit(self.visits[0], start_time=15.0)
        told = {line.appointment_id: line.remark for line in dialog.member_ids if line.stays}
        self.assertIn(told[invoiced], [f"On invoice {move._care_reference()}" for move in moves])
        self.assertEqual(
            told,
            {
                completed: "Completed",
                missed: "No-Show",
                invoiced: told[invoiced],
                checked_in: "Checked in",
            },
        )
        self.assertEqual(
            {line.day: line.conflict for line in dialog.date_ids if not line.selected},
            {
                visit.service_date: f"{visit.name} stays on {visit.service_date:%m/%d/%Y}"
                for visit in told
            },
        )
        dialog.action_apply()
        for visit in told:
            self.assertEqual(visit.exists().series_id, self.series)
        self.assertEqual(dialog.result_id.appointment_count, 2)

    def test_past_ones_that_nobody_completed_stay(self):
        self._travel(datetime(2025, 10, 30, 12))
        dialog = self._delete(self.visits[0])
        stays = dialog.member_ids.filtered("stays")
        self.assertEqual(stays.appointment_id, self.visits[:2])
        self.assertIn("day is over", stays[0].remark)

    def test_what_was_done_by_hand_stays_unless_ticked(self):
        typed, moved = self.visits[2], self.visits[3]
        typed.charge_ids.price_unit = 55.0
        moved.start += timedelta(hours=1)
        dialog = self._edit(self.visits[1], start_time=13.0)
        by_hand = dialog.member_ids.filtered("remark")
        self.assertEqual(by_hand.appointment_id, typed | moved)
        self.assertFalse(any(by_hand.mapped("selected")))
        with Form(dialog) as form, form.member_ids.edit(2) as line:
            line.selected = True
        self.assertEqual(len(dialog.date_ids.filtered("selected")), 4)
        dialog.action_apply()
        self.assertTrue(typed.exists())
        self.assertFalse(moved.exists())

    def test_other_weekday_and_provider(self):
        other = self._provider("Other Provider")
        dialog = self._edit(self.visits[3], tue=False, fri=True, employee_id=other.id)
        dialog.action_apply()
        self.assertEqual(
            dialog.result_id.appointment_ids.sorted("start").mapped("service_date"),
            [date(2025, 11, 14) + n * WEEK for n in range(3)],
        )
        self.assertEqual(dialog.result_id.appointment_ids.employee_id, other)

    def test_changed_time_lists_conflicts_again(self):
        busy = self._appointment(self._client("Busy"), day=TUESDAY + 4 * WEEK, hour=14.0)
        dialog = self._edit(self.visits[3])
        self.assertFalse(dialog.date_ids.filtered("conflict"))
        with Form(dialog) as form:
            form.start_time = 14.0
        self.assertEqual(
            dialog.date_ids.filtered("conflict").mapped("conflict"), [f"Provider has {busy.name}"]
        )

    def test_this_only(self):
        visit = self.visits[2]
        dialog = self._edit(
            visit, scope="this", date_start=TUESDAY + 2 * WEEK + timedelta(days=1), start_time=16.0
        )
        self.assertEqual(len(dialog.date_ids), 1)
        dialog.action_apply()
        self.assertEqual(self._local_times(visit), [datetime(2025, 11, 5, 16)])
        self.assertEqual(visit.series_id, self.series)
        self.assertEqual(self.series.appointment_count, 6)

    def test_this_only_of_an_invoiced_one_is_refused(self):
        visit = self.visits[0]
        visit.action_complete()
        self._execute(visit)
        dialog = self._edit(visit, scope="this", product_id=self.service.id)
        with self.assertRaisesRegex(UserError, "is on invoice"):
            dialog.action_apply()
        with self.assertRaisesRegex(UserError, "On invoice"):
            self._delete(visit, scope="this").action_apply()

    def test_what_is_ticked_in_the_form_is_what_happens(self):
        """The form sends both lists with the rest; neither is computed over what was ticked."""
        model = self.env["healthcare.appointment.schedule"].with_context(
            default_mode="edit", default_appointment_id=self.visits[2].id
        )
        form = Form(model)
        form.start_time = 11.0
        with form.member_ids.edit(1) as line:
            line.selected = False
        with form.date_ids.edit(3) as line:
            line.selected = False
        dialog = form.save()
        self.assertEqual(
            dialog.summary, "New appointments: 2 · skipped dates: 2 · replaced: 3 · staying: 1"
        )
        dialog.action_apply()
        self.assertTrue(self.visits[3].exists())
        self.assertEqual(dialog.result_id.appointment_count, 2)

    # -- delete --------------------------------------------------------------------------------

    def test_delete_this_and_future(self):
        self.visits[4].action_complete()
        dialog = self._delete(self.visits[2])
        self.assertEqual(dialog.summary, "Deleted: 3 · staying: 1")
        dialog.action_apply()
        self.assertEqual(self.visits.exists(), self.visits[:2] | self.visits[4])
        self.assertEqual(self.series.until, TUESDAY + 2 * WEEK - timedelta(days=1))
        self.assertTrue(self.series.active)

    def test_delete_this_only(self):
        self._delete(self.visits[2], scope="this").action_apply()
        self.assertEqual(self.visits.exists(), self.visits - self.visits[2])

    def test_delete_all_from_the_first_puts_the_series_away(self):
        self._delete(self.visits[0]).action_apply()
        self.assertFalse(self.visits.exists())
        self.assertFalse(self.series.active)
        self.assertEqual(len(self.series.message_ids.filtered(lambda m: "deleted" in m.body)), 1)

    def test_series_that_begins_between_its_weekdays_can_end_at_its_first_appointment(self):
        """From Monday on, on Tuesdays: before the first Tuesday the rule makes no date."""
        monday = TUESDAY - timedelta(days=1)
        values = {"date_start": monday, "tue": True, "count": 4, "start_time": 15.0}
        for change in (self._delete, self._edit):
            with self.subTest(change.__name__):
                series = self.series.create({**self.series._series_values(), **values})
                visits = series._create_appointments(series._rule_dates())
                self.assertEqual(visits[0].service_date, TUESDAY)
                change(visits[0]).action_apply()
                self.assertFalse(visits.exists())
                self.assertFalse(series.active)

    def test_series_that_keeps_only_an_appointment_off_its_rule(self):
        """Monday's appointment was repeated on Tuesdays, and all of those go."""
        monday = self._first(day=TUESDAY - timedelta(days=1), hour=15.0)
        series = self._series(first=monday, mon=False, tue=True, count=4)
        first_tuesday = series.appointment_ids.sorted("start")[1]
        self.assertEqual(first_tuesday.service_date, TUESDAY)
        self._delete(first_tuesday).action_apply()
        self.assertEqual(series.appointment_ids, monday)
        self.assertTrue(series.active)
        self.assertEqual(series.until, monday.service_date)

    def test_ending_never_prolongs(self):
        """The last one was moved past the end of the rule, and is deleted there."""
        self.visits[-1].start += 8 * WEEK
        self._delete(self.visits[-1]).action_apply()
        self.assertEqual((self.series.end_type, self.series.count), ("count", 6))

    def test_second_click_changes_nothing(self):
        dialog = self._edit(self.visits[2], start_time=10.0)
        result = dialog.action_apply()
        self.assertEqual(dialog.action_apply(), result)
        self.assertEqual(dialog.result_id.appointment_count, 4)
        dialog = self._delete(dialog.result_id.appointment_ids.sorted("start")[:1])
        dialog.action_apply()
        dialog.action_apply()

    def test_what_changed_since_the_preview_stops_it(self):
        dialog = self._edit(self.visits[1], start_time=10.0)
        dialog.date_ids.mapped("label")
        self._delete(self.visits[4]).action_apply()
        with self.assertRaisesRegex(UserError, "changed meanwhile"):
            dialog.action_apply()
        dialog = self._edit(self.visits[1], start_time=10.0)
        dialog.date_ids.mapped("label")
        self.visits[2].action_complete()
        with self.assertRaisesRegex(UserError, "can't be deleted: Completed"):
            dialog.action_apply()
        self.assertEqual(self.series.appointment_count, 4)

    def test_nothing_ticked_deletes_nothing(self):
        dialog = self._edit(self.visits[1])
        dialog.date_ids.selected = False
        with self.assertRaisesRegex(UserError, "Tick"):
            dialog.action_apply()
        dialog = self._delete(self.visits[1])
        dialog.member_ids.selected = False
        with self.assertRaisesRegex(UserError, "Tick"):
            dialog.action_apply()
        self.assertEqual(self.visits.exists(), self.visits)

    def test_buttons_of_the_series_act_on_the_next_one(self):
        self._travel(datetime(2025, 11, 5, 12))
        self.assertEqual(self.series.next_start, self.visits[3].start)
        self.assertEqual(self.series.upcoming_count, 3)
        context = self.series.action_change_upcoming()["context"]
        self.assertEqual(context["default_appointment_id"], self.visits[3].id)
        self._travel(datetime(2026, 1, 5, 12))
        with self.assertRaisesRegex(UserError, "still to come"):
            self.series.action_delete_upcoming()

    def test_queries_do_not_grow(self):
        def cost(count, hour):
            first = self._first(hour=hour)
            series = self._series(count=count, first=first)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            dialog = self._edit(first, start_time=hour + 0.25)
            dialog.date_ids.mapped("conflict")
            self.env.flush_all()
            preview = self.env.cr.sql_log_count - before
            dialog.action_apply()
            self.env.flush_all()
            self.assertFalse(series.active)
            return preview, self.env.cr.sql_log_count - before - preview

        cost(3, 5.0)
        once, twice = cost(30, 12.0), cost(60, 15.0)
        for few, many in zip(once, twice, strict=True):
            self.assertLessEqual(many, few + 3, (once, twice))
