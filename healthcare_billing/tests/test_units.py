from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..tools.units import (
    UNIT_RULES,
    billed_minutes,
    care_units,
    minutes_between,
    round_minutes,
)

STEPS = (5, 10, 15, 30, 60)
minutes = st.integers(0, 48 * 60 * 60).map(lambda seconds: seconds / 60)  # to the second
methods = st.sampled_from(("up", "down", "nearest"))
steps = st.sampled_from(STEPS)
repeatable = settings(derandomize=True, deadline=None)


@tagged("post_install", "-at_install")
class TestUnits(BaseCase):
    """R3, unit by unit and rounding by rounding."""

    def assertRounded(self, method, step, pairs):
        for given_minutes, rounded in pairs.items():
            with self.subTest(method=method, step=step, minutes=given_minutes):
                self.assertEqual(round_minutes(given_minutes, method, step), rounded)

    def test_r3_rounding_up_15(self):
        self.assertRounded("up", 15, {0: 0, 1: 15, 14: 15, 15: 15, 16: 30, 60: 60, 61: 75})

    def test_r3_rounding_down_15(self):
        self.assertRounded("down", 15, {0: 0, 14: 0, 15: 15, 29: 15, 30: 30, 74: 60})

    def test_r3_rounding_nearest_15_counts_eight_minutes(self):
        self.assertRounded("nearest", 15, {0: 0, 7: 0, 8: 15, 22: 15, 23: 30, 52: 45, 53: 60})

    def test_r3_rounding_nearest_half_goes_up(self):
        self.assertRounded("nearest", 5, {2.5: 5, 7.5: 10, 12.5: 15})
        self.assertRounded("nearest", 15, {7.5: 15, 22.5: 30})

    def test_r3_rounding_other_steps(self):
        self.assertRounded("up", 5, {1: 5, 6: 10})
        self.assertRounded("up", 10, {1: 10, 11: 20})
        self.assertRounded("nearest", 30, {14: 0, 15: 30, 44: 30, 45: 60})
        self.assertRounded("down", 60, {59: 0, 60: 60, 119: 60})

    def test_r3_rounding_none(self):
        self.assertRounded("none", 15, {0: 0, 7: 7, 50: 50})

    def test_r3_float_noise_is_no_time(self):
        hours = 125 / 60
        self.assertGreater(hours * 60, 125)
        self.assertEqual(round_minutes(hours * 60, "up", 5), 125)
        self.assertEqual(round_minutes(15.000000000000002, "up", 15), 15)
        self.assertEqual(round_minutes(14.999999999999998, "down", 15), 15)

    def test_r3_negative_time_is_none(self):
        for method in ("none", "up", "down", "nearest"):
            self.assertEqual(round_minutes(-20, method, 15), 0)

    def test_r3_visit_counts_visits_whatever_the_time(self):
        self.assertEqual(care_units("visit", scheduled_minutes=500), 1)
        self.assertEqual(care_units("visit", visits=3), 3)
        self.assertEqual(care_units("visit", visits=0), 0)

    def test_r3_flat_is_one(self):
        self.assertEqual(care_units("flat", visits=3, scheduled_minutes=500, distance=9), 1)

    def test_r3_hour(self):
        self.assertEqual(care_units("hour", scheduled_minutes=90), Decimal("1.5"))
        self.assertEqual(
            care_units("hour", scheduled_minutes=50, rounding_method="up", rounding_minutes=30), 1
        )

    def test_r3_block(self):
        self.assertEqual(care_units("block", scheduled_minutes=60, block_minutes=15), 4)
        self.assertEqual(
            care_units(
                "block",
                scheduled_minutes=53,
                block_minutes=15,
                rounding_method="nearest",
                rounding_minutes=15,
            ),
            4,
        )

    def test_r3_block_without_rounding_leaves_fractions(self):
        units = care_units("block", scheduled_minutes=20, block_minutes=15)
        self.assertAlmostEqual(float(units), 4 / 3, places=12)

    def test_r3_block_rounded_to_less_than_a_block_leaves_fractions(self):
        units = care_units(
            "block",
            scheduled_minutes=31,
            block_minutes=30,
            rounding_method="up",
            rounding_minutes=15,
        )
        self.assertEqual(units, Decimal("1.5"))

    def test_r3_mile_is_the_distance(self):
        self.assertEqual(care_units("mile", distance=12.3, scheduled_minutes=60), Decimal("12.3"))

    def test_r3_clocked_time(self):
        self.assertEqual(billed_minutes(60, 50, "clocked"), 50)
        self.assertEqual(billed_minutes(60, 70, "clocked"), 70)
        self.assertEqual(billed_minutes(60, 50, "scheduled"), 60)

    def test_r3_clocked_falls_back_to_scheduled(self):
        for nothing in (0, 0.0, None, -5):
            self.assertEqual(billed_minutes(60, nothing, "clocked"), 60)

    def test_r3_seconds_of_a_clock_are_cut(self):
        nine = datetime(2026, 3, 2, 9)
        late = nine + timedelta(seconds=12)
        self.assertEqual(minutes_between(late, nine + timedelta(hours=1, seconds=20)), 60)
        self.assertEqual(minutes_between(nine, nine + timedelta(seconds=59)), 0)
        self.assertEqual(minutes_between(nine, nine - timedelta(hours=1)), 0)
        self.assertEqual(minutes_between(nine, False), 0)
        self.assertEqual(minutes_between(None, nine), 0)

    def test_r3_nonsense_is_refused(self):
        for call in (
            lambda: care_units("week"),
            lambda: care_units("block", scheduled_minutes=15, block_minutes=0),
            lambda: care_units("hour", rounding_method="sideways"),
            lambda: care_units("hour", rounding_method="up", rounding_minutes=0),
            lambda: care_units("hour", time_basis="felt"),
        ):
            with self.assertRaises(ValueError):
                call()

    # --- for any time --------------------------------------------------------------------------

    @repeatable
    @given(minutes, methods, steps)
    def test_r3_any_rounding_gives_a_multiple_within_one_step(self, time, method, step):
        rounded = round_minutes(time, method, step)
        self.assertEqual(rounded % step, 0)
        self.assertLess(abs(rounded - Decimal(str(time))), step + Decimal("0.0001"))

    @repeatable
    @given(minutes, steps)
    def test_r3_any_rounding_down_nearest_up_are_in_order(self, time, step):
        down, nearest, up = (round_minutes(time, m, step) for m in ("down", "nearest", "up"))
        self.assertLessEqual(down, round_minutes(time))
        self.assertGreaterEqual(up, round_minutes(time))
        self.assertIn(nearest, (down, up))
        self.assertIn(up - down, (0, step))
        distance = abs(nearest - round_minutes(time))
        self.assertLessEqual(distance, Decimal(step) / 2)

    @repeatable
    @given(minutes, methods, steps)
    def test_r3_any_rounding_twice_changes_nothing(self, time, method, step):
        rounded = round_minutes(time, method, step)
        self.assertEqual(round_minutes(rounded, method, step), rounded)

    @repeatable
    @given(minutes, minutes, methods, steps)
    def test_r3_any_longer_time_never_bills_less(self, one, other, method, step):
        short, long = sorted((one, other))
        self.assertLessEqual(round_minutes(short, method, step), round_minutes(long, method, step))

    @repeatable
    @given(st.integers(0, 500), steps, methods)
    def test_r3_any_hours_kept_as_floats_round_like_minutes(self, whole, step, method):
        """125 minutes kept as hours come back as 125.00000000000001."""
        self.assertEqual(
            round_minutes(whole / 60 * 60, method, step), round_minutes(whole, method, step)
        )

    @repeatable
    @given(st.integers(0, 2000), st.integers(1, 240), methods, steps)
    def test_r3_any_blocks_are_the_rounded_time_divided(self, time, block, method, step):
        units = care_units(
            "block",
            scheduled_minutes=time,
            block_minutes=block,
            rounding_method=method,
            rounding_minutes=step,
        )
        self.assertAlmostEqual(
            float(units * block), float(round_minutes(time, method, step)), places=9
        )
        if step % block == 0:
            self.assertEqual(units, units.to_integral_value())

    @repeatable
    @given(st.sampled_from(UNIT_RULES), minutes, minutes, st.floats(0, 5000), methods)
    def test_r3_any_units_are_finite_and_never_negative(
        self, rule, scheduled, clocked, miles, method
    ):
        units = care_units(
            rule,
            scheduled_minutes=scheduled,
            clocked_minutes=clocked,
            distance=miles,
            rounding_method=method,
            time_basis="clocked",
        )
        self.assertTrue(units.is_finite())
        self.assertGreaterEqual(units, 0)
