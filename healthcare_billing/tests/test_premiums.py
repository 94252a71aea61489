from datetime import date, timedelta

import psycopg2

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from odoo.addons.healthcare_billing.models.healthcare_charge import PRICING

from .common import A_DAY
from .test_holiday_rates import HOLIDAY, HolidayCommon

SATURDAY = date(2025, 3, 8)
SUNDAY = date(2025, 3, 9)  # the clocks go forward at 2:00
FALL_BACK = date(2025, 11, 2)  # the clocks go back at 2:00


class PremiumCommon(HolidayCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.extra = cls._service("Extra", "S0215", 10.0, unit_rule="visit")
        cls.hourly = cls._service("Extra hours", "S0220", 5.0, unit_rule="hour")

    @classmethod
    def _premium(cls, name="Premium", **vals):
        return cls.env["healthcare.premium"].create(
            {"name": name, "rule": "weekend", "product_id": cls.extra.id} | vals
        )

    def _units(self, appointment):
        """``{premium: units}`` of a visit."""
        return {
            charge.premium_id: charge.quantity
            for charge in appointment.charge_ids.filtered("premium_id")
        }


@tagged("post_install", "-at_install")
class TestPremiumRules(PremiumCommon):
    """Which visits get a premium, and how many units of it."""

    def assertUnits(self, units, premium, **vals):
        appointment = self._appointment(self.client, **vals)
        expected = {premium: units} if units else {}
        self.assertEqual(self._units(appointment), expected)
        return appointment

    # -- days -----------------------------------------------------------------------------------

    def test_weekend_by_the_local_day_of_the_start(self):
        premium = self._premium()
        self.assertUnits(1.0, premium, day=SATURDAY)
        self.assertUnits(1.0, premium, day=SUNDAY)
        self.assertUnits(0, premium, day=A_DAY)
        # Friday 23:30 is Saturday in UTC, and goes on into Saturday: it is Friday's
        self.assertUnits(0, premium, day=SATURDAY - timedelta(days=1), hour=23.5)
        # Sunday 23:30 is Monday in UTC
        self.assertUnits(1.0, premium, day=SUNDAY, hour=23.5)

    def test_chosen_days(self):
        premium = self._premium(mon=True, sat=False, sun=False)
        self.assertUnits(1.0, premium, day=A_DAY)
        self.assertUnits(0, premium, day=SATURDAY)

    def test_weekend_by_the_hour(self):
        premium = self._premium(product_id=self.hourly.id, quantity=2.0)
        appointment = self.assertUnits(3.0, premium, day=SATURDAY, duration=1.5)
        self.assertEqual(appointment._premium_charges().amount, 15.0)

    def test_holiday(self):
        premium = self._premium(rule="holiday")
        self.assertUnits(1.0, premium, day=HOLIDAY)
        self.assertUnits(0, premium, day=HOLIDAY + timedelta(days=1))

    def test_holiday_of_the_payer(self):
        premium = self._premium(rule="holiday")
        self.payer.holiday_calendar_id = self._holidays("Payer", A_DAY)
        self.assertUnits(1.0, premium, day=A_DAY)
        self.assertUnits(0, premium, day=HOLIDAY)

    # -- hours ----------------------------------------------------------------------------------

    def test_window_counts_visits_that_start_in_it(self):
        premium = self._premium(rule="window", hour_from=18.0, hour_to=22.0)
        self.assertUnits(1.0, premium, hour=18)
        self.assertUnits(0, premium, hour=17.75)
        self.assertUnits(0, premium, hour=22)

    def test_window_that_crosses_midnight(self):
        premium = self._premium(rule="window", hour_from=22.0, hour_to=6.0)
        self.assertUnits(1.0, premium, hour=23)
        self.assertUnits(1.0, premium, hour=5.5)
        self.assertUnits(0, premium, hour=6)
        self.assertUnits(0, premium, hour=21.75)

    def test_window_until_midnight(self):
        for hour_to in (0.0, 24.0):
            premium = self._premium(rule="window", hour_from=18.0, hour_to=hour_to)
            self.assertUnits(1.0, premium, hour=23.5)
            self.assertUnits(0, premium, hour=0)
            premium.active = False

    def test_window_by_the_hour_counts_what_lies_inside(self):
        premium = self._premium(
            rule="window", hour_from=18.0, hour_to=22.0, product_id=self.hourly.id
        )
        self.assertUnits(1.5, premium, hour=16, duration=3.5)
        self.assertUnits(4.0, premium, hour=17, duration=6.0)
        self.assertUnits(0, premium, hour=15, duration=3.0)

    def test_night_by_the_hour_of_a_visit_that_crosses_midnight(self):
        premium = self._premium(
            rule="window", hour_from=22.0, hour_to=6.0, product_id=self.hourly.id
        )
        self.assertUnits(8.0, premium, hour=20, duration=12.0)
        # two nights: until 6:00, and again from 22:00 on
        self.assertUnits(4.0, premium, hour=4, duration=20.0)

    def test_night_hours_when_the_clocks_go_forward(self):
        """From 22:00 to 6:00 only seven hours are worked."""
        premium = self._premium(
            rule="window", hour_from=22.0, hour_to=6.0, product_id=self.hourly.id
        )
        start, stop = self._local(SATURDAY, 22), self._local(SUNDAY, 6)
        self.assertUnits(7.0, premium, start=start, stop=stop)

    def test_night_hours_when_the_clocks_go_back(self):
        """From 22:00 to 6:00 nine hours are worked."""
        premium = self._premium(
            rule="window", hour_from=22.0, hour_to=6.0, product_id=self.hourly.id
        )
        start = self._local(FALL_BACK - timedelta(days=1), 22)
        self.assertUnits(9.0, premium, start=start, stop=self._local(FALL_BACK, 6))

    def test_window_by_clocked_time(self):
        self.hourly.time_basis = "clocked"
        premium = self._premium(
            rule="window", hour_from=18.0, hour_to=22.0, product_id=self.hourly.id
        )
        times = {"clock_in": self._local(A_DAY, 17.5), "clock_out": self._local(A_DAY, 19)}
        self.assertUnits(1.0, premium, hour=18, duration=2.0, **times)
        self.assertUnits(2.0, premium, hour=18, duration=2.0)  # nobody clocked
        early = {"clock_in": self._local(A_DAY, 15), "clock_out": self._local(A_DAY, 17)}
        self.assertUnits(0, premium, hour=18, duration=2.0, **early)

    def test_window_by_blocks_with_rounding(self):
        block = self._service("Block", "S0221", 1.0, unit_rule="block", block_minutes=15)
        block.write({"rounding_method": "up", "rounding_minutes": "15"})
        premium = self._premium(rule="window", hour_from=18.0, hour_to=22.0, product_id=block.id)
        self.assertUnits(2.0, premium, hour=17.5, duration=50 / 60)

    # -- visit, mile, manual --------------------------------------------------------------------

    def test_every_visit(self):
        self.assertUnits(2.0, self._premium(rule="visit", quantity=2.0))

    def test_miles(self):
        premium = self._premium(rule="mile", quantity=0.5)
        appointment = self.assertUnits(6.25, premium, distance=12.5)
        appointment.distance = 4.0
        self.assertEqual(self._units(appointment), {premium: 2.0})
        appointment.distance = 0.0
        self.assertFalse(self._units(appointment))

    def test_manual_ones_dont_come_by_themselves(self):
        self.assertUnits(0, self._premium(rule="manual"), day=SATURDAY)

    # -- restrictions ---------------------------------------------------------------------------

    def test_only_chosen_payers(self):
        other = self._payer("Other")
        premium = self._premium(rule="visit", payer_ids=[Command.set(other.ids)])
        self.assertUnits(0, premium)
        client = self._insured_client("Other", payer=other)
        self.assertEqual(self._units(self._appointment(client)), {premium: 1.0})
        self.assertFalse(self._units(self._appointment(self._client())))
        premium.include_self_pay = True
        self.assertEqual(self._units(self._appointment(self._client())), {premium: 1.0})

    def test_only_chosen_services_and_departments(self):
        department = self.env["hr.department"].create({"name": "Night"})
        premium = self._premium(
            rule="visit",
            service_ids=[Command.set(self.visit_service.ids)],
            department_ids=[Command.set(department.ids)],
        )
        self.assertUnits(0, premium)
        self.assertUnits(0, premium, product_id=self.service.id, department_id=department.id)
        self.assertUnits(1.0, premium, department_id=department.id)

    def test_premiums_of_other_companies_dont_count(self):
        company = self.setup_other_company()["company"]
        self.extra.company_id = False
        premium = self._premium(rule="visit", company_id=company.id)
        self.assertUnits(0, premium)

    def test_rules_that_make_no_sense_are_refused(self):
        for vals in (
            {"rule": "weekend", "sat": False, "sun": False},
            {"rule": "window", "hour_from": 8.0, "hour_to": 8.0},
            {"rule": "window", "hour_from": 24.0, "hour_to": 6.0},
            {"rule": "window", "hour_from": -1.0, "hour_to": 6.0},
        ):
            with self.subTest(vals), self.assertRaises(ValidationError):
                self._premium(**vals)

    def test_rule_text(self):
        night = self._premium(rule="window", hour_from=22.5, hour_to=6.0)
        self.assertEqual(night.rule_text, "22:30 to 6:00")
        self.assertEqual(self._premium().rule_text, "Saturday, Sunday")
        self.assertEqual(self._premium(rule="holiday").rule_text, "On holidays")


@tagged("post_install", "-at_install")
class TestPremiumCharges(PremiumCommon):
    """Premiums follow their visit while nothing of it is billed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.weekend = cls._premium("Weekend")

    def _visit(self, day=SATURDAY, **vals):
        return self._appointment(self.client, day=day, **{"state": "scheduled"} | vals)

    # -- price ----------------------------------------------------------------------------------

    def test_r1_price_for_the_visits_payer(self):
        self._fee_schedule({self.extra: 12.0})
        charge = self._visit()._premium_charges()
        self.assertEqual((charge.price_unit, charge.price_source), (12.0, "fee_schedule"))
        self.assertEqual((charge.kind, charge.product_id), ("premium", self.extra))
        self.assertEqual((charge.amount_payer, charge.amount_client), (12.0, 0.0))

    def test_without_a_price_for_the_payer_it_is_blocked(self):
        self.payer.requires_fee_schedule = True
        visit = self._visit(state="completed")
        self.assertEqual(self._codes(visit._premium_charges()), {"missing_bill_code"})

    def test_premium_is_multiplied_by_nobody(self):
        self.payer.holiday_multiplier = 2.0
        self._premium("Holiday", rule="holiday")
        visit = self._visit(HOLIDAY)
        self.assertEqual(visit._premium_charges().price_unit, 10.0)
        self.assertEqual(visit._service_charges().price_unit, 160.0)

    def test_co_pay_is_the_services(self):
        visit = self._appointment(self._insured_client("Copay", copay=20.0), day=SATURDAY)
        self.assertEqual(visit._premium_charges().amount_client, 0.0)
        self.assertEqual(visit._service_charges().amount_client, 20.0)

    def test_r2_another_payer_another_price(self):
        other = self._payer("Other")
        self._fee_schedule({self.extra: 7.0}, payer=other)
        visit = self._visit()
        visit.payer_id = other
        self.assertEqual(visit._premium_charges().price_unit, 7.0)

    def test_r2_another_service_keeps_the_price(self):
        visit = self._visit()
        self.extra.list_price = 99.0
        visit.product_id = self.service
        self.assertEqual(visit._premium_charges().price_unit, 10.0)

    def test_r2_contract_of_the_new_day(self):
        midnight = self._local(date(2025, 4, 1), 0)
        rule = {"applied_on": "0_product_variant", "product_id": self.extra.id}
        self._fee_schedule(
            [
                {**rule, "fixed_price": 6.0, "date_end": midnight - timedelta(seconds=1)},
                {**rule, "fixed_price": 7.0, "date_start": midnight},
            ]
        )
        visit = self._visit()
        self.assertEqual(visit._premium_charges().price_unit, 6.0)
        visit.start = self._local(date(2025, 4, 5))
        self.assertEqual(visit._premium_charges().price_unit, 7.0)

    def test_r2_qa_freezes_the_price_when_it_ends(self):
        self.company.healthcare_qa_review = True
        visit = self._visit(state="completed")
        self.extra.list_price = 11.0
        visit.action_qa_done()
        self.assertEqual(visit._premium_charges().price_unit, 11.0)

    # -- the visit changes ----------------------------------------------------------------------

    def test_moved_off_the_weekend_and_back(self):
        visit = self._visit()
        visit.start = self._local(A_DAY)
        self.assertFalse(visit._premium_charges())
        visit.start = self._local(SUNDAY)
        self.assertEqual(self._units(visit), {self.weekend: 1.0})

    def test_longer_visits_have_more_hours(self):
        self.weekend.product_id = self.hourly
        visit = self._visit()
        visit.duration = 3.0
        self.assertEqual(self._units(visit), {self.weekend: 3.0})
        visit.stop += timedelta(hours=1)
        self.assertEqual(self._units(visit), {self.weekend: 4.0})

    def test_missed_visits_have_none(self):
        for state in ("no_show", "late_canceled", "canceled", "rescheduled"):
            visit = self._visit()
            visit.state = state
            self.assertFalse(visit._premium_charges(), state)
            visit.state = "scheduled"
            self.assertEqual(self._units(visit), {self.weekend: 1.0})

    def test_missed_visits_lose_those_added_by_hand_and_say_so(self):
        visit = self._visit(A_DAY)
        self._add(visit, self.weekend, quantity=2.0)
        visit.state = "no_show"
        self.assertFalse(visit._premium_charges())
        self.assertIn("Weekend × 2", visit.message_ids[0].body)

    def test_typed_units_are_kept(self):
        visit = self._visit()
        visit._premium_charges().quantity = 3.0
        visit.write({"duration": 2.0, "state": "completed"})
        self.assertEqual(self._units(visit), {self.weekend: 3.0})

    def test_typed_fee_is_kept(self):
        visit = self._visit()
        visit._premium_charges().price_unit = 3.0
        visit.write({"duration": 2.0, "state": "completed"})
        self.assertEqual(visit._premium_charges().price_unit, 3.0)

    def test_removed_by_hand_stays_removed(self):
        visit = self._visit()
        visit._premium_charges().unlink()
        self.assertEqual(visit.removed_premium_ids, self.weekend)
        visit.write({"duration": 2.0, "state": "completed"})
        self.assertFalse(visit._premium_charges())
        visit.removed_premium_ids -= self.weekend
        self.assertEqual(self._units(visit), {self.weekend: 1.0})

    def test_removed_in_the_form_stays_removed(self):
        visit = self._visit()
        premium = visit._premium_charges()
        visit.write({"charge_ids": [Command.delete(premium.id)], "duration": 2.0})
        self.assertFalse(visit._premium_charges())
        self.assertEqual(visit.removed_premium_ids, self.weekend)

    def test_what_a_rule_removes_isnt_remembered(self):
        visit = self._visit()
        visit.start = self._local(A_DAY)
        self.assertFalse(visit.removed_premium_ids)

    def test_added_again_by_hand(self):
        visit = self._visit()
        visit._premium_charges().unlink()
        self._add(visit, self.weekend)
        self.assertFalse(visit.removed_premium_ids)
        self.assertEqual(self._units(visit), {self.weekend: 1.0})

    def _add(self, visit, premium, **vals):
        return self.env["healthcare.charge"].create(
            {"appointment_id": visit.id, "premium_id": premium.id} | vals
        )

    def test_added_by_hand_stays_whatever_the_rule_says(self):
        manual = self._premium("Heavy", rule="manual", product_id=self.hourly.id)
        visit = self._visit(A_DAY)
        self._add(visit, manual)
        self._add(visit, self.weekend, quantity=2.0)
        visit.write({"duration": 2.0, "state": "completed"})
        self.assertEqual(self._units(visit), {manual: 1.0, self.weekend: 2.0})
        charge = visit._premium_charges().filtered(lambda c: c.premium_id == manual)
        self.assertEqual((charge.product_id, charge.kind), (self.hourly, "premium"))
        self.assertEqual(charge.price_unit, 5.0)

    def test_premium_added_in_the_form(self):
        manual = self._premium("Heavy", rule="manual", product_id=self.hourly.id)
        self.env.user.group_ids |= self.env.ref("healthcare_billing.group_use_billing_cycles")
        visit = self._visit(A_DAY)
        with Form(visit) as form, form.charge_ids.new() as line:
            line.premium_id = manual
            self.assertEqual(line.product_id, self.hourly)
        self.assertEqual(self._units(visit), {manual: 1.0})
        self.assertEqual(visit._premium_charges().kind, "premium")

    def test_once_per_visit_in_the_database(self):
        visit = self._visit()
        with (
            self.assertRaises(psycopg2.IntegrityError),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            self._add(visit, self.weekend)

    def test_premium_needs_a_visit(self):
        with self.assertRaises(ValidationError):
            self.env["healthcare.charge"].create(
                {"client_id": self.client.id, "premium_id": self.weekend.id}
            )

    def test_premium_out_of_use_stays_where_it_is(self):
        visit = self._visit()
        self.weekend.active = False
        visit.state = "completed"
        self.assertEqual(self._units(visit), {self.weekend: 1.0})
        self.assertFalse(self._units(self._visit()))

    def test_new_premium_reaches_visits_when_asked(self):
        visit = self._visit()
        every = self._premium("Every", rule="visit")
        self.assertEqual(self._units(visit), {self.weekend: 1.0})
        action = visit.action_apply_premiums()
        self.assertEqual(self._units(visit), {self.weekend: 1.0, every: 1.0})
        self.assertIn("changed: 1 of 1", action["params"]["message"])
        self.assertIn("changed: 0 of 1", visit.action_apply_premiums()["params"]["message"])

    def test_r14_new_premium_doesnt_reach_closed_cycles(self):
        visit, later = self._visit(), self._visit(SATURDAY + timedelta(days=7))
        cycle = self.env["healthcare.billing.cycle"].create(
            {"date_from": SATURDAY, "date_to": SATURDAY + timedelta(days=7)}
        )
        cycle.sudo().state = "closed"
        every = self._premium("Every", rule="visit")
        user = self._user("coordinator")
        visits = (visit + later).with_env(self._act_as(user))
        action = visits.action_apply_premiums()
        self.assertIn("changed: 1 of 2", action["params"]["message"])
        self.assertNotIn(every, self._units(visit))
        self.assertIn(every, self._units(later))

    def test_premiums_are_applied_by_who_may_change_the_visits(self):
        staff = self._user("care_staff")
        with self.assertRaises(AccessError):
            self._visit().with_env(self._act_as(staff)).action_apply_premiums()

    def test_used_premium_cant_be_deleted(self):
        self._visit()
        with (
            self.assertRaises(psycopg2.IntegrityError),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            self.weekend.unlink()

    def test_deleted_visit_takes_its_premiums_along(self):
        visit = self._visit()
        charge = visit._premium_charges()
        visit.unlink()
        self.assertFalse(charge.exists())

    # -- billing --------------------------------------------------------------------------------

    def test_billed_with_its_visit(self):
        visit = self._visit(state="completed")
        run = self._execute(visit, post=True)
        self.assertEqual(run.move_ids.amount_untaxed, 90.0)
        self.assertEqual(len(run.move_ids.invoice_line_ids.filtered("charge_id")), 2)

    def test_r12_approved_with_its_visit(self):
        self.payer.requires_approval = True
        visit = self._visit(state="completed")
        self.assertEqual(self._codes(visit._premium_charges()), {"not_approved"})
        visit.approval_state = "approved"
        self.assertFalse(self._codes(visit._premium_charges()))
        visit.approval_state = "rejected"
        self.assertEqual(self._codes(visit._premium_charges()), {"rejected"})

    def test_invoiced_visits_stay_as_they_are(self):
        visit = self._visit(A_DAY, state="completed")
        self._execute(visit)
        self._premium("Every", rule="visit")
        visit.distance = 3.0
        self.assertFalse(visit._premium_charges())
        billed = self._visit(state="completed")
        self._execute(billed)
        premiums = self._units(billed)
        billed.write({"duration": 2.0, "distance": 4.0})
        self.assertEqual(self._units(billed), premiums)

    def test_what_an_invoice_held_is_history(self):
        visit = self._visit(state="completed")
        run = self._execute(visit, post=True)
        run.move_ids._reverse_moves(cancel=True)
        charge = visit._premium_charges()
        self.assertEqual(charge.billing_stage, "billing_office")
        visit.state = "no_show"
        self.assertEqual(charge.billing_stage, "not_billable")
        visit.state = "completed"
        self.assertEqual((charge.billing_stage, charge.quantity), ("billing_office", 1.0))

    def test_r13_draft_of_an_open_cycle_follows_the_visit(self):
        cycle = self.env["healthcare.billing.cycle"].create(
            {"date_from": date(2025, 3, 1), "date_to": date(2025, 4, 1)}
        )
        visit = self._visit(state="completed")
        run = self._execute(visit)
        run.move_ids.sudo().billing_cycle_id = cycle
        charge = visit._premium_charges()
        every = self._premium("Every", rule="visit")
        visit.write({"removed_premium_ids": [Command.link(self.weekend.id)]})
        self.assertTrue(charge.premium_lapsed)
        self.assertIn(every, visit._premium_charges().premium_id)
        run.move_ids.unlink()
        self.assertEqual(charge.billing_stage, "not_billable")

    # -- who ------------------------------------------------------------------------------------

    def test_care_staff_visits_get_premiums(self):
        env = self._act_as(self._user("care_staff"))
        visit = (
            self.env["healthcare.appointment"]
            .with_env(env)
            .create(
                {
                    "client_id": self.client.id,
                    "start": self._local(SATURDAY),
                    "product_id": self.visit_service.id,
                }
            )
        )
        self.assertEqual(self._units(visit.sudo()), {self.weekend: 1.0})
        visit.action_no_show()
        self.assertFalse(visit.sudo()._premium_charges())

    def test_care_staff_decide_no_premiums(self):
        user = self._user("care_staff")
        visit = self._visit(employee_id=user.employee_id.id).with_env(self._act_as(user))
        with self.assertRaises(AccessError):
            visit._premium_charges().unlink()
        with self.assertRaises(AccessError):
            visit.removed_premium_ids = self.weekend
        with self.assertRaises(AccessError):
            visit.removed_premium_ids = [Command.set(self.weekend.ids)]

    def test_coordinators_take_premiums_off(self):
        visit = self._visit().with_env(self._act_as(self._user("coordinator")))
        visit._premium_charges().unlink()
        self.assertEqual(visit.removed_premium_ids, self.weekend)

    # -- growth ---------------------------------------------------------------------------------

    def test_queries_dont_grow_with_visits(self):
        for n in range(4):
            self._premium(f"Every {n}", rule="visit", product_id=self.hourly.id)
        self._premium("Holiday", rule="holiday")

        def queries(count):
            visits = self.env["healthcare.appointment"].create(
                [
                    {
                        "client_id": self.client.id,
                        "start": self._local(HOLIDAY, 8 + n / 10),
                        "product_id": self.visit_service.id,
                        "employee_id": self.provider.id,
                    }
                    for n in range(count)
                ]
            )
            # as if the premiums were new: all of them are missing
            visits._premium_charges().with_context(healthcare_pricing=PRICING).unlink()
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            visits.action_apply_premiums()
            self.env.flush_all()
            visits.write({"state": "completed"})
            self.env.flush_all()
            return self.env.cr.sql_log_count - start

        queries(5)
        few, many = queries(10), queries(20)
        self.assertLessEqual(many, few + 2)
