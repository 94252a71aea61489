from datetime import timedelta

from odoo.tests import tagged

from .common import A_DAY, CareCommon


@tagged("post_install", "-at_install")
class TestUnitsOnCharges(CareCommon):
    """R3 as an appointment applies it to its charge; the arithmetic is tested in test_units."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = cls._client()

    def _visit(self, **vals):
        return self._appointment(self.client, **({"product_id": self.service.id} | vals))

    def assertUnits(self, appointment, units):
        self.assertEqual(appointment.charge_ids.quantity, units)
        charge = appointment.charge_ids
        self.assertEqual(charge.amount, charge.currency_id.round(units * charge.price_unit))

    # -- from time ------------------------------------------------------------------------------

    def test_r3_service_length_by_default(self):
        self.service.default_duration = 0.75
        appointment = self._visit()
        self.assertEqual(appointment.stop - appointment.start, timedelta(minutes=45))
        self.assertUnits(appointment, 3.0)

    def test_r3_scheduled_time_whatever_is_clocked(self):
        appointment = self._visit()
        appointment.write(
            {"clock_in": appointment.start, "clock_out": appointment.start + timedelta(hours=3)}
        )
        self.assertUnits(appointment, 4.0)

    def test_r3_clocked_time(self):
        self.service.time_basis = "clocked"
        appointment = self._visit()
        self.assertUnits(appointment, 4.0)  # nothing clocked yet
        appointment.write(
            {"clock_in": appointment.start, "clock_out": appointment.start + timedelta(minutes=90)}
        )
        self.assertUnits(appointment, 6.0)
        appointment.clock_out = False
        self.assertUnits(appointment, 4.0)

    def test_r3_seconds_of_the_clock_are_not_billed(self):
        self.service.write(
            {"time_basis": "clocked", "rounding_method": "up", "rounding_minutes": "15"}
        )
        appointment = self._visit()
        appointment.write(
            {
                "clock_in": appointment.start + timedelta(seconds=12),
                "clock_out": appointment.start + timedelta(minutes=60, seconds=20),
            }
        )
        self.assertUnits(appointment, 4.0)

    def test_r3_rounding_of_the_service(self):
        self.service.write({"rounding_method": "nearest", "rounding_minutes": "15"})
        start = self._local(A_DAY)
        for minutes, units in ((52, 3.0), (53, 4.0)):
            with self.subTest(minutes=minutes):
                self.assertUnits(self._visit(stop=start + timedelta(minutes=minutes)), units)

    def test_r3_hour_mile_flat(self):
        start = self._local(A_DAY)
        stop = start + timedelta(minutes=90)
        for rule, units in (("hour", 1.5), ("mile", 12.3), ("flat", 1.0), ("visit", 1.0)):
            with self.subTest(rule=rule):
                self.service.unit_rule = rule
                self.assertUnits(self._visit(stop=stop, distance=12.3), units)

    def test_r3_units_follow_the_times(self):
        appointment = self._visit()
        appointment.stop += timedelta(minutes=30)
        self.assertUnits(appointment, 6.0)
        appointment.duration = 0.5
        self.assertUnits(appointment, 2.0)

    def test_r3_units_follow_the_distance(self):
        self.service.unit_rule = "mile"
        appointment = self._visit(distance=5.0)
        appointment.distance = 7.5
        self.assertUnits(appointment, 7.5)

    def test_rescheduling_keeps_the_length(self):
        appointment = self._visit(stop=self._local(A_DAY, 9.5))
        for start in (self._local(A_DAY, 14), self._local(A_DAY + timedelta(days=3), 8)):
            appointment.start = start
            self.assertEqual(appointment.stop, start + timedelta(minutes=30))
            self.assertUnits(appointment, 2.0)

    def test_rescheduling_many_keeps_each_ones_length(self):
        short = self._visit(stop=self._local(A_DAY, 9.5))
        long = self._visit(stop=self._local(A_DAY, 11))
        start = self._local(A_DAY + timedelta(days=1), 8)
        (short + long).start = start
        self.assertEqual(short.stop, start + timedelta(minutes=30))
        self.assertEqual(long.stop, start + timedelta(hours=2))

    # -- overrides ------------------------------------------------------------------------------

    def test_r3_override_beats_time(self):
        appointment = self._visit()
        appointment.bill_override_qty = 2.0
        self.assertTrue(appointment.has_bill_override)
        self.assertUnits(appointment, 2.0)
        appointment.stop += timedelta(hours=1)
        self.assertUnits(appointment, 2.0)

    def test_r3_override_of_zero_is_a_value(self):
        appointment = self._visit()
        appointment.bill_override_qty = 0.0
        self.assertTrue(appointment.has_bill_override)
        self.assertUnits(appointment, 0.0)

    def test_r3_override_of_zero_at_creation(self):
        self.assertUnits(self._visit(bill_override_qty=0.0), 0.0)

    def test_r3_form_that_sends_an_empty_override_overrides_nothing(self):
        self.assertUnits(self._visit(bill_override_qty=0.0, has_bill_override=False), 4.0)

    def test_r3_override_taken_back(self):
        appointment = self._visit(bill_override_qty=0.0)
        appointment.has_bill_override = False
        self.assertUnits(appointment, 4.0)

    def test_r3_pay_override_never_bills(self):
        appointment = self._visit(pay_override_qty=1.0)
        self.assertTrue(appointment.has_pay_override)
        self.assertUnits(appointment, 4.0)

    def test_r12_overrides_never_approve(self):
        appointment = self._visit(bill_override_qty=2.0, pay_override_qty=2.0)
        self.assertEqual(appointment.approval_state, "not_approved")

    # -- approved units -------------------------------------------------------------------------

    def test_r3_approved_units_count_once_approved(self):
        appointment = self._visit(approved_qty=3.0, approval_state="not_approved")
        self.assertUnits(appointment, 4.0)
        appointment.action_approve()
        self.assertUnits(appointment, 3.0)
        appointment.approval_state = "not_approved"
        self.assertUnits(appointment, 4.0)

    def test_r3_override_beats_approved_units(self):
        appointment = self._visit(approved_qty=3.0, approval_state="approved")
        appointment.bill_override_qty = 1.0
        self.assertUnits(appointment, 1.0)

    def test_r3_approval_without_units_approves_the_time(self):
        appointment = self._visit()
        appointment.action_approve()
        self.assertUnits(appointment, 4.0)

    # -- typed units ----------------------------------------------------------------------------

    def test_r3_typed_units_survive(self):
        appointment = self._visit()
        appointment.charge_ids.quantity = 2.5
        appointment.stop += timedelta(hours=1)
        appointment.start += timedelta(days=1)
        appointment.write({"clock_in": appointment.start, "clock_out": appointment.stop})
        appointment.action_approve()
        self.assertUnits(appointment, 2.5)

    def test_r3_typed_zero_units_survive(self):
        appointment = self._visit()
        appointment.charge_ids.quantity = 0.0
        appointment.stop += timedelta(hours=1)
        self.assertUnits(appointment, 0.0)

    def test_r3_another_service_counts_its_own_units(self):
        appointment = self._visit()
        appointment.charge_ids.quantity = 2.5
        appointment.product_id = self.visit_service
        self.assertUnits(appointment, 1.0)

    def test_r3_typed_units_keep_the_price_source(self):
        appointment = self._visit()
        appointment.charge_ids.quantity = 2.5
        self.assertEqual(appointment.charge_ids.price_source, "practice_default")

    def test_r3_invoiced_units_never_follow(self):
        appointment = self._visit()
        self._execute(appointment)
        appointment.stop += timedelta(hours=1)
        self.assertUnits(appointment, 4.0)
