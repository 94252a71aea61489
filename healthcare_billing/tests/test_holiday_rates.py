from datetime import date, timedelta

from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import A_DAY, CareCommon

HOLIDAY = date(2025, 7, 4)
NEXT_DAY = date(2025, 7, 5)


class HolidayCommon(CareCommon):
    """A company with a calendar in which 4 July 2025 is a public holiday."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.calendar = cls._holidays("Holidays", HOLIDAY)
        cls.company.healthcare_holiday_calendar_id = cls.calendar
        cls.client = cls._insured_client()

    @classmethod
    def _holidays(cls, name, *days, hours=(0, 24), **vals):
        """A calendar with public holidays, written in the company's local time."""
        calendar = cls.env["resource.calendar"].create(
            {"name": name, "company_id": cls.company.id, "tz": cls.company.healthcare_tz} | vals
        )
        for day in days:
            cls.env["resource.calendar.leaves"].create(
                {
                    "name": name,
                    "calendar_id": calendar.id,
                    "resource_id": False,
                    "date_from": cls._local(day, hours[0]),
                    "date_to": cls._local(day, hours[1]) - timedelta(seconds=1),
                }
            )
        return calendar

    @classmethod
    def _holiday_rule(cls, product, price, **vals):
        return {
            "applied_on": "0_product_variant",
            "product_id": product.id,
            "compute_price": "fixed",
            "fixed_price": price,
            "is_holiday_rate": True,
        } | vals


@tagged("post_install", "-at_install")
class TestHolidays(HolidayCommon):
    """Which local day is a holiday, for whom."""

    def _is_holiday(self, day, payer=None, company=None):
        key = (company or self.company, payer or self.payer, day)
        return key in self.env["res.company"]._care_holidays([key])

    def test_company_calendar(self):
        self.assertTrue(self._is_holiday(HOLIDAY))
        self.assertFalse(self._is_holiday(NEXT_DAY))
        self.assertFalse(self._is_holiday(HOLIDAY - timedelta(days=1)))

    def test_payer_calendar_comes_first(self):
        self.payer.holiday_calendar_id = self._holidays("Payer", NEXT_DAY)
        self.assertFalse(self._is_holiday(HOLIDAY))
        self.assertTrue(self._is_holiday(NEXT_DAY))
        self.assertTrue(self._is_holiday(HOLIDAY, payer=self._payer("Other")))

    def test_self_pay_has_the_company_calendar(self):
        key = (self.company, self.env["res.partner"], HOLIDAY)
        self.assertEqual(self.env["res.company"]._care_holidays([key]), {key})

    def test_without_calendar_there_are_none_and_nothing_is_asked(self):
        self.company.healthcare_holiday_calendar_id = False
        self.payer.holiday_calendar_id = False
        with self.assertQueryCount(0):
            self.assertFalse(self._is_holiday(HOLIDAY))

    def test_time_off_of_one_person_is_no_holiday(self):
        leave = self.calendar.leave_ids
        leave.resource_id = self.env["resource.resource"].create(
            {"name": "Someone", "calendar_id": self.calendar.id}
        )
        self.assertFalse(self._is_holiday(HOLIDAY))

    def test_other_time_type_is_no_holiday(self):
        self.calendar.leave_ids.time_type = "other"
        self.assertFalse(self._is_holiday(HOLIDAY))

    def test_an_afternoon_off_is_no_holiday(self):
        self.payer.holiday_calendar_id = self._holidays("Half", NEXT_DAY, hours=(13, 18))
        self.assertFalse(self._is_holiday(NEXT_DAY))

    def test_calendar_of_another_time_zone_keeps_to_its_day(self):
        """Midnight to midnight in Chicago is 1 to 1 in New York: no holiday on the next day."""
        self.payer.holiday_calendar_id = self._holidays("Chicago", HOLIDAY, hours=(1, 25))
        self.assertTrue(self._is_holiday(HOLIDAY))
        self.assertFalse(self._is_holiday(NEXT_DAY))

    def test_holiday_without_calendar_is_one_of_all_calendars_of_its_company(self):
        leave = self.env["resource.calendar.leaves"].create(
            {
                "name": "Everywhere",
                "calendar_id": False,
                "date_from": self._local(NEXT_DAY, 0),
                "date_to": self._local(NEXT_DAY, 23),
            }
        )
        self.assertEqual(leave.company_id, self.company)
        self.assertTrue(self._is_holiday(NEXT_DAY))
        other = self.setup_other_company()["company"]
        other.healthcare_holiday_calendar_id = self._holidays("Other", company_id=other.id)
        self.assertFalse(self._is_holiday(NEXT_DAY, company=other))

    def test_several_days_in_one_holiday(self):
        self.calendar.leave_ids.date_to += timedelta(days=2)
        for n in range(3):
            self.assertTrue(self._is_holiday(HOLIDAY + timedelta(days=n)))
        self.assertFalse(self._is_holiday(HOLIDAY + timedelta(days=3)))

    def test_one_query_however_many_are_asked(self):
        others = [self._payer(f"Payer {n}") for n in range(3)]
        for n, payer in enumerate(others):
            payer.holiday_calendar_id = self._holidays(f"Calendar {n}", NEXT_DAY)
        days = [HOLIDAY + timedelta(days=n) for n in range(30)]
        keys = [(self.company, payer, day) for payer in others for day in days]
        self.env["res.company"]._care_holidays(keys)  # calendars and zones are in the cache
        self.env.flush_all()
        with self.assertQueryCount(1):
            found = self.env["res.company"]._care_holidays(keys)
        self.assertEqual(found, {(self.company, payer, NEXT_DAY) for payer in others})


@tagged("post_install", "-at_install")
class TestHolidayRates(HolidayCommon):
    """R1 on holidays: the fee schedule's holiday rate wins over the payer's multiplier."""

    def assertPriced(self, charge, price, source, reason=""):
        self.assertEqual((charge.price_unit, charge.price_source), (price, source))
        self.assertIn(reason, charge.price_reason)

    def _schedule(self, *rules):
        regular = self._holiday_rule(self.visit_service, 20.0, is_holiday_rate=False)
        return self._fee_schedule([regular, *rules], name="Contract")

    # -- precedence -----------------------------------------------------------------------------

    def test_r1_holiday_rate_wins_over_the_multiplier(self):
        """Regular 20, holiday rate 25, multiplier 1.05: 25.00, never 26.25."""
        self._schedule(self._holiday_rule(self.visit_service, 25.0))
        self.payer.holiday_multiplier = 1.05
        charge = self._charge(self.client, day=HOLIDAY)
        self.assertPriced(charge, 25.0, "fee_schedule", "Holiday rate of fee schedule Contract")
        self.assertPriced(self._charge(self.client, day=NEXT_DAY), 20.0, "fee_schedule")

    def test_r1_multiplier_without_a_holiday_rate(self):
        self._schedule()
        self.payer.holiday_multiplier = 1.05
        charge = self._charge(self.client, day=HOLIDAY)
        self.assertPriced(charge, 21.0, "fee_schedule", "× 1.05 on a holiday")
        self.assertIn("Contract", charge.price_reason)
        self.assertPriced(self._charge(self.client, day=NEXT_DAY), 20.0, "fee_schedule")

    def test_r1_multiplier_on_the_practice_default(self):
        self.payer.holiday_multiplier = 1.5
        charge = self._charge(self.client, day=HOLIDAY)
        self.assertPriced(charge, 120.0, "practice_default", "× 1.5 on a holiday")

    def test_r1_holiday_rate_alone_when_a_schedule_is_required(self):
        self.payer.requires_fee_schedule = True
        self._fee_schedule([self._holiday_rule(self.visit_service, 25.0)])
        self.assertPriced(self._charge(self.client, day=HOLIDAY), 25.0, "fee_schedule")
        charge = self._charge(self.client, day=NEXT_DAY)
        self.assertPriced(charge, 0.0, "missing")
        self.assertIn("missing_bill_code", self._codes(charge))

    def test_r1_missing_price_is_multiplied_by_nobody(self):
        self.payer.write({"requires_fee_schedule": True, "holiday_multiplier": 1.5})
        self.assertPriced(self._charge(self.client, day=HOLIDAY), 0.0, "missing")

    def test_r1_free_on_holidays_is_free(self):
        self._schedule(self._holiday_rule(self.visit_service, 0.0))
        self.payer.holiday_multiplier = 2.0
        charge = self._charge(self.client, day=HOLIDAY)
        self.assertPriced(charge, 0.0, "fee_schedule", "Holiday rate")
        self.assertTrue(charge.is_priced)

    def test_r1_agreed_fees_are_what_they_are(self):
        self.env["healthcare.billing.account.rate"].create(
            {
                "account_id": self.client.billing_account_ids.id,
                "product_id": self.visit_service.id,
                "fee": 42.0,
            }
        )
        self._schedule(self._holiday_rule(self.visit_service, 25.0))
        self.payer.holiday_multiplier = 2.0
        self.assertPriced(self._charge(self.client, day=HOLIDAY), 42.0, "billing_account")

    def test_r1_typed_fees_are_what_they_are(self):
        self.payer.holiday_multiplier = 2.0
        appointment = self._appointment(self.client, day=NEXT_DAY, state="scheduled")
        appointment.charge_ids.price_unit = 7.0
        appointment.start = self._local(HOLIDAY)
        self.assertPriced(appointment.charge_ids, 7.0, "typed")

    def test_r1_self_pay_has_no_multiplier(self):
        self.payer.holiday_multiplier = 2.0
        charge = self._charge(self._client(), day=HOLIDAY)
        self.assertPriced(charge, 80.0, "practice_default")

    def test_r1_holiday_by_the_payers_calendar(self):
        self.payer.holiday_calendar_id = self._holidays("Payer", NEXT_DAY)
        self.payer.holiday_multiplier = 1.5
        self.assertPriced(self._charge(self.client, day=HOLIDAY), 80.0, "practice_default")
        self.assertPriced(self._charge(self.client, day=NEXT_DAY), 120.0, "practice_default")

    def test_r6_visit_that_starts_before_midnight_belongs_to_the_holiday(self):
        """23:30 in New York is the next day in UTC."""
        self.payer.holiday_multiplier = 1.5
        self.assertEqual(self._charge(self.client, day=HOLIDAY, hour=23.5).price_unit, 120.0)
        eve = HOLIDAY - timedelta(days=1)
        self.assertEqual(self._charge(self.client, day=eve, hour=23.5).price_unit, 80.0)

    def test_r1_rates_of_other_services_dont_count(self):
        self._schedule(self._holiday_rule(self.service, 25.0))
        self.payer.holiday_multiplier = 1.05
        self.assertPriced(self._charge(self.client, day=HOLIDAY), 21.0, "fee_schedule")

    def test_r1_holiday_rate_with_dates(self):
        until = self._local(date(2025, 6, 30), 12)
        self._schedule(self._holiday_rule(self.visit_service, 25.0, date_end=until))
        self.assertPriced(self._charge(self.client, day=HOLIDAY), 20.0, "fee_schedule")

    def test_r1_global_holiday_rate_never_counts(self):
        everything = {"applied_on": "3_global", "is_holiday_rate": True, "fixed_price": 1.0}
        self._schedule({**everything, "compute_price": "fixed"})
        self.assertPriced(self._charge(self.client, day=HOLIDAY), 20.0, "fee_schedule")

    def test_r1_holiday_rate_based_on_the_regular_rates(self):
        """“Twice the regular rate”: the other list is asked for its rules of every day."""
        regular = self._fee_schedule({self.visit_service: 20.0}, name="Regular")
        twice = self._holiday_rule(
            self.visit_service,
            0.0,
            compute_price="formula",
            base="pricelist",
            base_pricelist_id=regular.id,
            price_discount=-100.0,
        )
        self._schedule(twice)
        self.assertPriced(self._charge(self.client, day=HOLIDAY), 40.0, "fee_schedule")

    def test_r1_expenses_added_by_hand_arent_multiplied(self):
        self.payer.holiday_multiplier = 1.5
        appointment = self._appointment(self.client, day=HOLIDAY)
        expense = self.env["healthcare.charge"].create(
            {"appointment_id": appointment.id, "product_id": self.service.id, "kind": "expense"}
        )
        self.assertEqual(expense.price_unit, 30.0)

    def test_native_prices_know_nothing_of_holiday_rates(self):
        schedule = self._schedule(self._holiday_rule(self.visit_service, 25.0))
        moment = self._local(HOLIDAY, 12)
        price = schedule._get_product_price(self.visit_service, 1.0, date=moment)
        self.assertEqual(price, 20.0)
        schedule.item_ids.filtered(lambda item: not item.is_holiday_rate).unlink()
        price = schedule._get_product_price(self.visit_service, 1.0, date=moment)
        self.assertEqual(price, 80.0)

    # -- R2 -------------------------------------------------------------------------------------

    def test_r2_moved_to_a_holiday_and_back(self):
        self._schedule(self._holiday_rule(self.visit_service, 25.0))
        appointment = self._appointment(self.client, day=NEXT_DAY, state="scheduled")
        appointment.start = self._local(HOLIDAY)
        self.assertPriced(appointment.charge_ids, 25.0, "fee_schedule", "Holiday rate")
        appointment.start = self._local(NEXT_DAY)
        self.assertPriced(appointment.charge_ids, 20.0, "fee_schedule", "2025-07-05")

    def test_r2_moved_to_a_multiplied_day_and_back(self):
        self.payer.holiday_multiplier = 1.5
        appointment = self._appointment(self.client, day=NEXT_DAY, state="scheduled")
        appointment.start = self._local(HOLIDAY)
        self.assertPriced(appointment.charge_ids, 120.0, "practice_default")
        appointment.start = self._local(NEXT_DAY)
        self.assertPriced(appointment.charge_ids, 80.0, "practice_default")

    def test_r2_moved_between_days_alike_keeps_its_price(self):
        self._schedule(self._holiday_rule(self.visit_service, 25.0))
        self.payer.holiday_multiplier = 1.5
        appointment = self._appointment(self.client, state="scheduled")
        self.payer.fee_schedule_id.item_ids.filtered(
            lambda item: not item.is_holiday_rate
        ).fixed_price = 22.0
        appointment.start = self._local(A_DAY + timedelta(days=1))
        self.assertEqual(appointment.charge_ids.price_unit, 20.0)

    def test_r2_agreed_fee_moved_to_a_holiday_stays_frozen(self):
        client = self._insured_client(
            "Agreed",
            account={"default_product_id": self.visit_service.id, "default_fee": 42.0},
        )
        self.payer.holiday_multiplier = 1.5
        appointment = self._appointment(client, day=NEXT_DAY, state="scheduled")
        client.billing_account_ids.default_fee = 50.0
        appointment.start = self._local(HOLIDAY)
        self.assertPriced(appointment.charge_ids, 42.0, "billing_account")

    def test_r2_changed_multiplier_and_calendar_touch_no_charge(self):
        self.payer.holiday_multiplier = 1.5
        charge = self._charge(self.client, day=HOLIDAY)
        self.payer.holiday_multiplier = 2.0
        self.calendar.leave_ids.unlink()
        self.assertPriced(charge, 120.0, "practice_default")

    def test_r2_invoiced_charge_keeps_its_price(self):
        self.payer.holiday_multiplier = 1.5
        charge = self._charge(self.client, day=NEXT_DAY)
        self._execute(charge)
        charge._apply_prices_of_new_day({charge: HOLIDAY})
        self.assertPriced(charge, 80.0, "practice_default")

    # -- the payer ------------------------------------------------------------------------------

    def test_new_payers_have_a_multiplier_of_one(self):
        self.assertEqual(self._payer("New").holiday_multiplier, 1.0)
        old = self.env["res.partner"].create({"name": "Contact"})
        self.assertEqual(old.holiday_multiplier, 0.0)

    def test_no_multiplier_is_none(self):
        """Payers older than the field have 0.00 in it: no care becomes free by that."""
        self.payer.holiday_multiplier = 0.0
        self.assertPriced(self._charge(self.client, day=HOLIDAY), 80.0, "practice_default")

    def test_negative_multiplier_is_refused(self):
        with self.assertRaises(ValidationError):
            self.payer.holiday_multiplier = -1.0

    def test_care_staff_make_visits_on_holidays(self):
        """Prices are found for whoever makes the visit."""
        user = self._user("care_staff")
        self.payer.write(
            {"holiday_multiplier": 1.5, "holiday_calendar_id": self._holidays("P", HOLIDAY).id}
        )
        appointment = (
            self.env["healthcare.appointment"]
            .with_env(self._act_as(user))
            .create(
                {
                    "client_id": self.client.id,
                    "start": self._local(HOLIDAY),
                    "product_id": self.visit_service.id,
                    "diagnosis_ids": [Command.set(self.diagnosis.ids)],
                }
            )
        )
        self.assertEqual(appointment.sudo().charge_ids.price_unit, 120.0)
