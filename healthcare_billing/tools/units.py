"""Billing units from time and distance (R3). Pure: no ORM, decimal arithmetic inside.

R3: *Units from time: per visit, per hour, per block of N minutes, per mile, flat; rounding
none/up/down/nearest to 5/10/15/30/60 minutes, from scheduled or clocked time.*
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

UNIT_RULES = ("visit", "hour", "block", "mile", "flat")
TIME_RULES = ("hour", "block")
TIME_BASES = ("scheduled", "clocked")

_ROUNDING = {"up": ROUND_CEILING, "down": ROUND_FLOOR, "nearest": ROUND_HALF_UP}
ROUNDING_METHODS = ("none", *_ROUNDING)

_NOISE = Decimal("0.0001")


def _decimal(value):
    """``value`` as a Decimal without the binary noise of a float (0.1 is one tenth)."""
    return value if isinstance(value, Decimal) else Decimal(str(value or 0))


def _duration(minutes):
    """``minutes`` as a Decimal that is never negative and carries no float noise.

    Hours kept as floats and multiplied by 60 come back as 125.00000000000001; rounded *up*,
    that would bill five minutes more. Six milliseconds is below anything that a clock gives.
    """
    return max(_decimal(minutes), Decimal(0)).quantize(_NOISE, ROUND_HALF_UP)


def minutes_between(start, stop):
    """Minutes from ``start`` to ``stop``, both cut to the minute; 0 if missing or reversed.

    The seconds of a clock are not billed: 9:00:12 to 10:00:20 reads 9:00 to 10:00 on every sheet
    and claim, and rounding those eight seconds up would bill a quarter of an hour nobody can see.
    """
    if not start or not stop:
        return 0.0
    start, stop = (stamp.replace(second=0, microsecond=0) for stamp in (start, stop))
    return max((stop - start).total_seconds() / 60, 0.0)


def round_minutes(minutes, method="none", step=15):
    """Round ``minutes`` to a multiple of ``step`` by ``method`` (none, up, down, nearest).

    Half a step goes up with ``nearest``. The result differs from ``minutes`` by less than a step.
    """
    if method not in ROUNDING_METHODS:
        raise ValueError(f"unknown rounding method {method!r}")
    minutes = _duration(minutes)
    if method == "none":
        return minutes
    step = _decimal(step)
    if step <= 0:
        raise ValueError("the rounding step must be positive")
    return (minutes / step).to_integral_value(_ROUNDING[method]) * step


def billed_minutes(scheduled_minutes=0.0, clocked_minutes=0.0, time_basis="scheduled"):
    """The minutes that count: clocked ones if ``time_basis`` says so *and* there are any.

    Nothing clocked (0) falls back to the schedule: a visit without clock stamps is one whose clock
    was forgotten, not one of no length. That it lacks them is for approval to see, not for pricing.
    """
    if time_basis not in TIME_BASES:
        raise ValueError(f"unknown time basis {time_basis!r}")
    clocked = _duration(clocked_minutes)
    return clocked if time_basis == "clocked" and clocked else _duration(scheduled_minutes)


def care_units(
    unit_rule,
    *,
    visits=1,
    scheduled_minutes=0.0,
    clocked_minutes=0.0,
    distance=0.0,
    block_minutes=15,
    rounding_method="none",
    rounding_minutes=15,
    time_basis="scheduled",
):
    """The quantity to bill for one service, as a Decimal (R3).

    - ``visit``: the number of visits, however long they were;
    - ``flat``: 1, however many visits there were;
    - ``hour``: rounded minutes / 60;
    - ``block``: rounded minutes / ``block_minutes``;
    - ``mile``: the distance as given.

    Time is rounded first and divided after, and the division is exact. So 20 minutes without
    rounding are 1.333… blocks of 15, and blocks come out whole only when the rounding step is a
    multiple of the block. Whole 15-minute units by the usual "eight minutes count" practice are
    blocks of 15 with ``nearest`` to 15.
    """
    if unit_rule not in UNIT_RULES:
        raise ValueError(f"unknown unit rule {unit_rule!r}")
    if unit_rule == "flat":
        return Decimal(1)
    if unit_rule == "visit":
        return _decimal(visits)
    if unit_rule == "mile":
        return _decimal(distance)
    minutes = round_minutes(
        billed_minutes(scheduled_minutes, clocked_minutes, time_basis),
        rounding_method,
        rounding_minutes,
    )
    per_unit = _decimal(60 if unit_rule == "hour" else block_minutes)
    if per_unit <= 0:
        raise ValueError("the minutes of a block must be positive")
    return minutes / per_unit
