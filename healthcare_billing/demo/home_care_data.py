"""Who works at the home-care agency, whom it visits and who pays: tables, no code.

All names, addresses and numbers are invented. Codes are HCPCS level II with short names of our own,
or local ones that begin with HHC.
"""

from datetime import time
from types import MappingProxyType
from typing import NamedTuple

NOTHING = MappingProxyType({})

COMPANY = "Harbor Home Care"
# key -> name, NPI's first nine digits, department
CAREGIVERS = {
    "reyes": ("Rosa Reyes", "299901101", "support"),
    "stone": ("Caleb Stone", "299901202", "support"),
    "tanaka": ("Yumi Tanaka", "299901303", "support"),
    "underhill": ("Grace Underhill, RN", "299901404", "nursing"),
}
DEPARTMENTS = {"support": "Home Support", "nursing": "Home Nursing"}
GROUPS = {"river": "Riverside", "north": "North Side"}

# login (also the password) -> name, groups; care of closed cycles is approved by the manager
USERS = {
    "agency_coordinator": ("Iris Vance", ("group_coordinator",)),
    "agency_biller": ("Noel Hart", ("group_billing_user",)),
    "agency_manager": (
        "Greta Lind",
        ("group_billing_manager", "group_closed_visit_adjustments"),
    ),
}

HOURLY = MappingProxyType(
    {"unit_rule": "hour", "rounding_method": "nearest", "rounding_minutes": "15"}
)


class Service(NamedTuple):
    key: str
    code: str
    name: str
    price: float
    values: dict = NOTHING


SERVICES = (
    Service("aide", "S9122", "Home aide, per hour", 34.00, {**HOURLY, "activity_code": "A10"}),
    Service("nurse", "S9123", "Home nursing, per hour", 82.00, {**HOURLY, "activity_code": "N20"}),
    Service("homemaker", "S5130", "Homemaker, per hour", 26.00, HOURLY),
    Service("respite", "S9125", "Respite care, per hour", 30.00, HOURLY),  # no activity code
    Service("escort", "HHC10", "Escort, per visit", 28.00, {"unit_rule": "visit"}),
    # what is billed on top
    Service("weekend", "HHC20", "Weekend premium", 6.50, {"unit_rule": "visit"}),
    Service("evening", "HHC21", "Evening premium", 4.25, {"unit_rule": "visit"}),
    Service("holiday", "HHC22", "Holiday premium", 20.00, {"unit_rule": "visit"}),
    Service("mile", "HHC23", "Mileage, per mile", 0.70, {"unit_rule": "mile"}),
    Service("button", "HHC30", "Emergency button, monthly", 35.00, {"unit_rule": "flat"}),
)  # fmt: skip


class Payer(NamedTuple):
    key: str
    name: str
    model: str
    values: dict = NOTHING
    fees: dict = NOTHING  # service -> price
    holiday_fees: dict = NOTHING


# all four invoicing models; a holiday rate comes before a payer's multiplier, never both
PAYERS = (
    Payer("lakeview", "Lakeview Care Plan", "client_individual", {}, {"aide": 29.50}),
    Payer(
        "harbor", "Harbor Long-Term Care", "payer_individual",
        {"payer_type": "insurance", "holiday_multiplier": 1.5},
        {"aide": 31.00, "nurse": 78.00},
    ),
    Payer("pine", "Pine County Senior Services", "payer_batched", {"payer_type": "facility"}),
    Payer(
        "waiver", "State Waiver Program", "payer_file",
        {
            "payer_type": "government", "requires_fee_schedule": True,
            "requires_activity_code": True, "holiday_multiplier": 2.0,
        },
        {"aide": 24.00, "nurse": 70.00, "respite": 27.00}, {"aide": 36.00},
    ),
)  # fmt: skip


class Client(NamedTuple):
    key: str
    name: str
    group: str
    service: str
    staff: str
    days: tuple  # days of the week, Monday is 0
    start: time
    hours: float
    payer: str = ""


WEEKDAYS = (0, 1, 2, 3, 4)
CLIENTS = (
    Client("baxter", "Ada Baxter", "river", "aide", "reyes", (0, 2, 4), time(9), 3.0),
    Client("colby", "Earl Colby", "north", "homemaker", "stone", (1,), time(10), 2.0),
    Client("lowell", "Vera Lowell", "north", "escort", "stone", (3,), time(14), 1.0),
    Client("dalton", "May Dalton", "river", "aide", "reyes", (1, 3), time(18, 30), 3.0, "lakeview"),
    Client("ellis", "Ruth Ellis", "north", "aide", "tanaka", WEEKDAYS, time(8), 2.0, "harbor"),
    Client("flores", "Ines Flores", "river", "nurse", "underhill", (2,), time(11), 1.0, "harbor"),
    Client("garner", "Roy Garner", "river", "aide", "stone", (5, 6), time(9), 2.0, "pine"),
    Client("hobbs", "Lena Hobbs", "north", "aide", "stone", (3, 5), time(12), 2.0, "pine"),
    Client("irving", "Sol Irving", "river", "aide", "tanaka", WEEKDAYS, time(13), 2.0, "waiver"),
    Client("jonas", "Pearl Jonas", "north", "aide", "reyes", (0, 2, 4), time(15), 1.5, "waiver"),
    Client("kemp", "Otis Kemp", "north", "nurse", "underhill", (1,), time(9), 1.0, "waiver"),
)  # fmt: skip
GUARANTOR = ("colby", "Joan Colby")
DIAGNOSIS = "F41.9"
BUTTON = "baxter"  # pays for it monthly, whatever visits there are
DISCHARGED = "lowell"  # billed ad hoc
LATE_MINUTES = 40  # what ("dalton", 2) was clocked longer than planned

# Visits that differ, by (client, number of the visit in the month). ``service`` and ``reason`` are
# keys and codes, all else are fields of healthcare.appointment.
MONTH_BEFORE = {
    ("ellis", 3): {"late": True},  # approved after the cycle was closed: the next one takes it over
    ("colby", 2): {"distance": 5.0},
}
LAST_MONTH = {
    ("dalton", 2): {"overtime": LATE_MINUTES},
    ("garner", 1): {"rejected": True},
    ("hobbs", 2): {"is_vacant": True, "employee_id": False},
    ("irving", 2): {"state": "canceled", "reason": "WEATHER"},  # charged to nobody
    ("irving", 4): {"service": "respite"},  # no activity code
    ("kemp", 2): {"service": ""},
    ("colby", 2): {"state": "no_show", "reason": "NOSHOW"},  # the client's
    ("jonas", 3): {"bill_override_qty": 1.0},
    ("jonas", 4): {"bill_override_qty": 0.0},
    ("colby", 1): {"distance": 8.0},
    ("ellis", 5): {"later": True},  # approved after the cycle's first invoices
    ("ellis", 6): {"later": True},
    ("baxter", 8): {"unapproved": True},
}
UNSCHEDULED = ("baxter", time(20))  # clocked in without a schedule
