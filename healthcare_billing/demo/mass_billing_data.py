"""Whose matters the care-management firm works on, what was agreed, and what its bills come to:
tables, no code.

All names, addresses and numbers are invented. Codes are HCPCS level II with short names of our own,
or local ones that begin with CPC.
"""

from types import MappingProxyType
from typing import NamedTuple

NOTHING = MappingProxyType({})

COMPANY = "Cedar Point Care Management"
STAFF = {
    "adler": ("Judith Adler", "Care Manager"),
    "okafor": ("Samuel Okafor", "Care Manager"),
    "winter": ("Clara Winter", "Expert Assessor"),
}

# login (also the password) -> name, groups
USERS = {
    "matter_coordinator": ("Owen Price", ("group_coordinator",)),
    "matter_biller": ("Hanna Weiss", ("group_billing_user",)),
    "matter_manager": ("Judith Adler", ("group_billing_manager",)),
}


class Service(NamedTuple):
    key: str
    code: str
    name: str
    price: float
    values: dict = NOTHING


HOURLY = MappingProxyType({"unit_rule": "hour"})
SERVICES = (
    Service("manage", "CPC10", "Care management, per hour", 160.00, HOURLY),
    Service("assess", "CPC20", "Expert assessment, per hour", 240.00, HOURLY),
    Service("case", "T1017", "Case management, 15 min", 40.00, {"unit_rule": "block"}),
)
# what was paid for clients; has no list price
EXPENSES = (
    Service("travel", "CPC90", "Travel to the client", 0.00, {"unit_rule": "flat"}),
    Service("records", "CPC91", "Medical records", 0.00, {"unit_rule": "flat"}),
    Service("court", "CPC92", "Filing fee of the court", 0.00, {"unit_rule": "flat"}),
)

# key -> name, invoicing model
PAYERS = {
    "guardian": ("Cedar County Public Guardian", "payer_batched"),
    "trust": ("Alder Family Trust Services", "payer_individual"),
}


class Matter(NamedTuple):
    """A billing account of a client of its own.

    :ivar before: work of the month before last: hours, or (expense, amount)
    :ivar last: work of last month
    :ivar now: work of this month
    :ivar billed_before: what mass billing must come to for the month before last; None: no bill
    :ivar billed: what it must come to for last month
    :ivar options: fields of ``healthcare.billing.account``
    """

    key: str
    client: str
    name: str
    service: str
    staff: str
    before: tuple = ()
    last: tuple = ()
    now: tuple = ()
    billed_before: float | None = None
    billed: float | None = None
    options: dict = NOTHING
    payer: str = ""


def _quote(amount, **options):
    return {"billing_basis": "quote", "quote_amount": amount, **options}


def _monthly(amount, **options):
    return {"billing_basis": "fixed", "quote_amount": amount, **options}


MATTERS = (
    # -- as recorded
    Matter(
        "ames", "Nora Ames", "Care at home", "manage", "adler",
        (3.0,), (2.0, 2.5, ("travel", 36.40)), (2.0,), 480.00, 756.40,
        {"delivery_email": "ames@example.com"},
    ),
    Matter(
        "orr", "Leon Orr", "Move to assisted living", "manage", "okafor",
        (), (1.5, 3.0, ("records", 18.75), ("travel", 22.10)), (1.0,), None, 760.85,
        {"delivery_email": "helen.orr@example.com", "print_copies": "2"},
    ),
    Matter(
        "stern", "Paula Stern", "Consultation", "case", "okafor", (), (0.75,), (), None, 120.00,
    ),
    # -- a quote is for all work until it is raised
    Matter(  # more than the work
        "boyd", "Walter Boyd", "Guardianship assessment", "assess", "winter",
        (), (4.0, 4.0), (1.0,), None, 2400.00,
        _quote(2400.00, delivery_email="boyd@example.com, counsel@example.com"),
    ),
    Matter(  # less than the work, expenses included
        "castle", "Irene Castle", "Capacity report", "assess", "winter",
        (), (5.0, 2.0, ("records", 25.00)), (1.0,), None, 1500.00,
        _quote(1500.00, print_copies="1"), "trust",
    ),
    Matter(  # raised meanwhile: its rest is billed
        "duval", "Peter Duval", "Life-care plan", "assess", "winter",
        (4.5,), (3.0,), (), 1000.00, 800.00,
        _quote(1000.00, delivery_email="duval@example.com"),
    ),
    Matter(  # used up
        "engel", "Marta Engel", "Home safety report", "assess", "winter",
        (3.0,), (2.0,), (), 900.00, None,
        _quote(900.00, delivery_email="engel@example.com"),
    ),
    # -- fixed fees
    Matter(
        "frost", "Edwin Frost", "Monthly care management", "manage", "adler",
        (2.5,), (1.5, 2.0), (1.0,), 450.00, 450.00,
        _monthly(450.00, delivery_email="frost@example.com", print_copies="1"),
    ),
    Matter(  # there is no work that it would cover
        "grove", "Ida Grove", "On call", "manage", "adler",
        (), (), (), 120.00, 120.00,
        _monthly(120.00, delivery_email="grove@example.com"),
    ),
    Matter(
        "hurst", "Simon Hurst", "Monthly care management", "manage", "okafor",
        (1.0,), (1.0, ("travel", 48.75)), (("travel", 12.60),), 300.00, 348.75,
        _monthly(300.00, expenses_on_top=True, print_copies="2"),
    ),
    Matter(  # one instalment is due, one later
        "ibsen", "Greta Ibsen", "Estate and care plan", "manage", "adler",
        (), (4.0, ("court", 85.00)), (1.5,), None, 1200.00,
        {"billing_basis": "fixed", "delivery_email": "ibsen@example.com"},
    ),
    Matter(  # none is due
        "jarvis", "Hugo Jarvis", "Discharge plan", "manage", "adler",
        (), (2.0,), (), None, None,
        {"billing_basis": "fixed", "delivery_email": "jarvis@example.com"},
    ),
    # -- not in the list
    Matter(
        "kranz", "Olga Kranz", "Billed by hand", "manage", "okafor",
        (), (1.0,), (), None, None, {"exclude_from_mass_billing": True},
    ),
    Matter("lowe", "Martin Lowe", "Waits for the court", "manage", "okafor", (), (1.5,)),
    Matter("marsh", "Agnes Marsh", "Closed last month", "manage", "okafor", (), (0.5,)),
    Matter("noble", "Ivan Noble", "Second opinion", "assess", "winter", (), (1.0,), (0.5,)),
    # -- one bill for all of them
    Matter(
        "penn", "Alma Penn", "Wardship", "case", "okafor",
        (2.0,), (1.25,), (1.0,), 320.00, 200.00, {"print_copies": "1"}, "guardian",
    ),
    Matter(
        "quade", "Felix Quade", "Wardship", "case", "okafor",
        (), (2.0, ("court", 40.00)), (0.5,), None, 360.00, {"print_copies": "1"}, "guardian",
    ),
    Matter(
        "rusk", "Tilda Rusk", "Wardship", "case", "okafor",
        (1.0,), (0.5,), (), 160.00, 80.00, {"print_copies": "1"}, "guardian",
    ),
)  # fmt: skip

# Bought for clients: on one bill of a vendor, with the firm's markup; other expenses are typed.
VENDOR = "Lakeshore Records Service"
MARKUP = 25.0  # percent
BOUGHT = {"orr": 15.00, "castle": 20.00}  # matter -> cost of its records
NOT_TAKEN = ("Search in the archive", 30.00)  # on the same bill; nobody is billed for it yet

BILLING_CONTACT = ("orr", "Helen Orr")
# raised after the bills of a month: the next bill is for the rest
QUOTES_RAISED = MappingProxyType({"before": ("duval", 1800.00), "last": ("boyd", 3000.00)})
QUOTE_USED_UP = "engel"
# matter -> instalments: name, days after the first of last month, amount
INSTALMENTS = {
    "ibsen": (("First half", 14, 1200.00), ("Second half", 100, 800.00)),
    "jarvis": (("Upon discharge", 100, 600.00),),
}
STATUS = {"lowe": "on_hold", "marsh": "closed"}
SUM_ONLY = "boyd"  # its bill shows no prices of lines
DRAFTED = "noble"  # has a draft bill that mass billing didn't make

# What becomes of last month's bills; all others are approved and produced.
LEFT_AS_DRAFTS = ("castle", "hurst")
LEFT_IN_PRODUCTION = ("orr", "boyd", "duval", "penn")
MAIL_FAILED = "ibsen"  # its bill stays in production, too
REVERTED = "boyd"  # approved, taken back, approved again
PAID = "ames"
# options changed in bill production -> what the accounts have afterwards
OPTIONS_CHANGED = MappingProxyType(
    {
        "grove": {"delivery_email": "grove@example.com, ida.grove@example.com"},
        "orr": {"print_copies": "1"},
    }
)
