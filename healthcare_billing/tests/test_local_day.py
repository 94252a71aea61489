from datetime import date, timedelta

from odoo.fields import Datetime
from odoo.tests import tagged

from .common import A_DAY, CareCommon


@tagged("post_install", "-at_install")
class TestLocalDay(CareCommon):
    """R6 on appointments, charges and the batch wizard; test_masters tests the day itself."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = cls._client()
        # Neither the user's nor the server's day may count.
        cls.env.user.tz = "Asia/Tokyo"
        cls.env = cls.env(context={**cls.env.context, "tz": "Asia/Tokyo"})

    def assertDay(self, charge, day):
        self.assertEqual(charge.service_date, day)
        self.assertEqual(charge.appointment_id.service_date, day)

    def _found(self, **criteria):
        """Charges that the batch wizard's criteria pick."""
        wizard = self.env["healthcare.batch.invoicing"].create(
            {"date_from": False, "date_to": False} | criteria
        )
        return self.env["healthcare.charge"].search(wizard._charge_domain())

    def test_r6_half_past_eleven_at_night_belongs_to_that_day(self):
        charge = self._charge(self.client, hour=23.5)
        self.assertEqual(charge.appointment_id.start.date(), A_DAY + timedelta(days=1))
        self.assertDay(charge, A_DAY)

    def test_r6_midnight_belongs_to_the_new_day(self):
        self.assertDay(self._charge(self.client, hour=0), A_DAY)
        self.assertDay(self._charge(self.client, hour=24), A_DAY + timedelta(days=1))

    def test_r6_a_visit_over_midnight_belongs_to_the_day_it_starts(self):
        charge = self._charge(self.client, hour=23.5, stop=self._local(A_DAY, 30))
        self.assertDay(charge, A_DAY)

    def test_r6_day_follows_a_reschedule(self):
        charge = self._charge(self.client, hour=23.5)
        charge.appointment_id.start += timedelta(minutes=30)
        self.assertDay(charge, A_DAY + timedelta(days=1))

    def test_r6_days_of_clock_changes(self):
        """In 2025 New York skips 2:00 on March 9, and has 1:00 twice on November 2."""
        for day, utc_hours in ((date(2025, 3, 9), (5, 3.5)), (date(2025, 11, 2), (4, 4.5))):
            for hour in (0.0, 23.5):
                with self.subTest(day=day, hour=hour):
                    self.assertDay(self._charge(self.client, day=day, hour=hour), day)
            start = self._charge(self.client, day=day, hour=0).appointment_id.start
            self.assertEqual(start.hour, utc_hours[0])
        before = self._local(date(2025, 11, 2), 0) + timedelta(hours=24, minutes=59)
        charge = self._charge(self.client, start=before)  # 23:59, in the 25th hour
        self.assertDay(charge, date(2025, 11, 2))
        charge = self._charge(self.client, start=before + timedelta(minutes=1))
        self.assertDay(charge, date(2025, 11, 3))

    def test_r6_batch_wizard_picks_half_open_local_days(self):
        first, last = date(2025, 3, 1), date(2025, 3, 31)
        inside = self.env["healthcare.charge"].union(
            *(
                self._charge(self.client, day=day, hour=hour)
                for day, hour in ((first, 0.0), (last, 23.5), (date(2025, 3, 9), 2.5))
            )
        )
        for day, hour in ((date(2025, 2, 28), 23.99), (date(2025, 4, 1), 0.0)):
            self._charge(self.client, day=day, hour=hour)
        self.assertEqual(self._found(date_from=first, date_to=last), inside)

    def test_r6_batch_wizard_picks_one_day(self):
        charge = self._charge(self.client, hour=23.5)
        self._charge(self.client, hour=24)
        self._charge(self.client, hour=-0.5)
        self.assertEqual(self._found(date_from=A_DAY, date_to=A_DAY), charge)

    def test_r6_batch_wizard_with_open_ends(self):
        early = self._charge(self.client, day=date(2025, 1, 1))
        late = self._charge(self.client, day=date(2025, 5, 1))
        self.assertEqual(self._found(date_from=A_DAY), late)
        self.assertEqual(self._found(date_to=A_DAY), early)
        self.assertEqual(self._found(), early + late)

    def test_r6_batch_wizard_picks_nothing_that_is_done_with(self):
        """Visits of the past that nobody finished are found, to be told, and never billed."""
        unfinished = self._charge(self.client, state="scheduled")
        self._charge(self.client, state="canceled")
        self._execute(self._charge(self.client))
        missed = self._charge(self.client, state="no_show")
        found = self._found(date_from=A_DAY, date_to=A_DAY)
        self.assertEqual(found, unfinished + missed)
        plan = self._plan(found, door="batch")
        self.assertEqual(plan.charge_ids, tuple(missed.ids))
        self.assertEqual(dict(plan.blocked), {unfinished.id: ("planned",)})

    def test_r6_batch_wizard_criteria(self):
        insured = self._insured_client()
        colleague = self._provider("Colleague")
        one = self._charge(self.client)
        two = self._charge(insured, employee_id=colleague.id)
        self.assertEqual(self._found(client_ids=self.client.ids), one)
        self.assertEqual(self._found(payer_ids=self.payer.ids), two)
        self.assertEqual(self._found(employee_ids=colleague.ids), two)
        self.assertEqual(self._found(appointment_ids=two.appointment_id.ids), two)

    def test_r6_batch_run_shows_what_was_picked(self):
        inside = self._charge(self.client, hour=23.5)
        self._charge(self.client, hour=24)
        action = (
            self.env["healthcare.batch.invoicing"]
            .create({"date_from": A_DAY, "date_to": A_DAY})
            .action_search()
        )
        run = self.env["healthcare.billing.run"].browse(action["res_id"])
        self.assertEqual((run.state, run.door), ("draft", "batch"))
        self.assertEqual(run.line_ids.charge_ids, inside)
        self.assertEqual(run.amount_selected, 80.0)

    def test_r6_service_date_of_a_client_level_charge_is_the_practices_day(self):
        """Without a day given, it is the local one."""
        self.company.healthcare_tz = "Pacific/Kiritimati"  # UTC+14
        charge = self.env["healthcare.charge"].create(
            {"client_id": self.client.id, "kind": "finance_charge", "price_unit": 7.0}
        )
        self.assertEqual(charge.service_date, self.company._care_local_date(Datetime.now()))
