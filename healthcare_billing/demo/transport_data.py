"""Whom the transport company drives, who pays for it and what it comes to: tables, no code.

All names, addresses and numbers are invented. Codes are HCPCS level II with short names of our own.
"""

from types import MappingProxyType
from typing import NamedTuple

NOTHING = MappingProxyType({})

COMPANY = "Bridge Street Medical Transport"
NPI, TAXONOMY, TAX_ID = "299901900", "299Z00000X", "99-0000019"
# key -> name, job, NPI's first nine digits
CREW = {
    "vega": ("Luis Vega", "Wheelchair Van Driver", ""),
    "ward": ("Tina Ward", "Stretcher Van Driver", ""),
    "young": ("Sam Young, EMT", "Ambulance Crew", "299902100"),
}

# login (also the password) -> name, groups
USERS = {
    "transport_coordinator": ("Dina Marsh", ("group_coordinator",)),
    "transport_biller": ("Paul Reeve", ("group_billing_user",)),
    "transport_manager": ("Carla Stone", ("group_billing_manager",)),
}
PORTAL_LOGIN = "transport_client"  # of the client of PORTAL


class Service(NamedTuple):
    key: str
    code: str
    name: str
    price: float
    values: dict = NOTHING


# a trip has a base rate, and its miles as a second service
SERVICES = (
    Service("wheel", "A0130", "Wheelchair van trip", 45.00),
    Service("stretcher", "T2005", "Stretcher van trip", 120.00),
    Service("ambulance", "A0428", "Basic life support, non-emergency", 560.00),
    Service("wheel_mile", "S0215", "Non-emergency mileage, per mile", 3.00, {"unit_rule": "mile"}),
    Service(
        "stretcher_mile", "T2049", "Stretcher van mileage, per mile", 4.50, {"unit_rule": "mile"}
    ),
    Service(
        "ambulance_mile", "A0425", "Ambulance ground mileage, per mile", 14.00,
        {"unit_rule": "mile"},
    ),
    Service("waiting", "T2007", "Waiting time, half hour", 22.50, {"unit_rule": "flat"}),
)  # fmt: skip
RIDES = ("wheel", "stretcher", "ambulance")
CREW_OF = {"wheel": "vega", "stretcher": "ward", "ambulance": "young"}


class Payer(NamedTuple):
    """Who pays for trips of others.

    :ivar fees: service -> contract price; one that isn't here is blank, and means retail
    """

    key: str
    name: str
    kind: str
    model: str
    fees: dict = NOTHING
    values: dict = NOTHING


PAYERS = (
    Payer(
        "lakeside", "Lakeside Rehabilitation Center", "facility", "payer_batched",
        {"wheel": 38.00, "wheel_mile": 2.50},  # stretchers: retail
    ),
    Payer(
        "northgate", "Northgate Dialysis", "facility", "payer_batched",
        {"wheel": 34.00, "waiting": 0.00},  # waits for nothing; miles: retail
    ),
    Payer(
        "mercy", "Mercy Hill Hospital", "facility", "payer_batched",
        {"ambulance": 480.00, "ambulance_mile": 12.00, "stretcher": 105.00},
    ),
    Payer(
        "tricounty", "Tri-County Ambulance", "affiliate", "payer_batched",
        {"ambulance": 430.00, "ambulance_mile": 11.00, "wheel": 36.00, "wheel_mile": 2.25},
    ),
    Payer(
        "beacon", "Beacon Valley Health Plan", "insurance", "payer_individual", NOTHING,
        {"edi_payer_id": "BVHP1", "claim_filing_indicator": "CI"},
    ),
    Payer(
        "assistance", "County Medical Assistance", "government", "payer_individual",
        {"ambulance": 310.00, "ambulance_mile": 8.50},
        {"edi_payer_id": "CMA01", "claim_filing_indicator": "MC"},
    ),
)  # fmt: skip
INSURERS = ("beacon", "assistance")  # billed by invoice and claim

HOME = "home"


class Client(NamedTuple):
    """A passenger.

    :ivar days: of every month on which there is a trip, counted from its first
    :ivar destination: from home and back again the next time
    :ivar months: numbers of the months with trips; 1 is five months ago, 5 is last month
    """

    key: str
    name: str
    service: str
    days: tuple
    miles: float
    destination: str
    payer: str = ""
    months: tuple = (1, 2, 3, 4, 5)
    copay: float | None = None


CLINIC, HOSPITAL = "Northgate Dialysis, 300 North Road", "Mercy Hill Hospital, 1 Hill Street"
CLIENTS = (
    # -- facilities and the affiliate, who are billed directly
    Client("abbott", "Ruth Abbott", "wheel", (3, 10, 17), 6.4, HOSPITAL, "lakeside"),
    Client("barlow", "Otto Barlow", "stretcher", (12,), 11.0, HOSPITAL, "lakeside"),
    Client("crane", "Inez Crane", "wheel", (2, 9, 16), 4.2, CLINIC, "northgate"),
    Client("dunn", "Carl Dunn", "wheel", (4, 11, 18), 7.5, CLINIC, "northgate"),
    Client("eads", "Vera Eads", "ambulance", (6,), 18.3, HOSPITAL, "mercy"),
    Client("fry", "Hugh Fry", "stretcher", (13, 20), 9.0, HOSPITAL, "mercy"),
    Client("gale", "Nora Gale", "ambulance", (8,), 22.0, HOSPITAL, "tricounty"),
    Client("hood", "Ben Hood", "wheel", (15,), 5.5, CLINIC, "tricounty"),
    # -- insured
    Client("ivers", "Anna Ivers", "ambulance", (5, 19), 14.6, HOSPITAL, "beacon", (2, 4), 50.00),
    Client("jewell", "Dale Jewell", "ambulance", (14,), 12.0, HOSPITAL, "beacon", (3,), 0.00),
    Client("knox", "Opal Knox", "ambulance", (7, 20), 10.2, HOSPITAL, "assistance", (3, 5), 0.00),
    # -- those who pay for themselves
    Client("lamb", "Peter Lamb", "wheel", (3, 21), 5.0, CLINIC),
    Client("moody", "Sara Moody", "stretcher", (11,), 8.8, HOSPITAL, "", (1, 2)),
    Client("nash", "Ivy Nash", "wheel", (16,), 3.5, HOSPITAL, "", (5,)),
    Client("odell", "Frank Odell", "wheel", (22,), 12.4, HOSPITAL, "", (5,)),
    Client("pratt", "Lena Pratt", "wheel", (9,), 6.0, CLINIC, "", (4, 5)),
    Client("quinn", "Rosa Quinn", "stretcher", (18,), 7.2, HOSPITAL, "", (4, 5)),
    Client("royce", "Amy Royce", "wheel", (10,), 9.6, CLINIC, "", (3, 4)),
    Client("sands", "Tom Sands", "wheel", (12,), 2.0, CLINIC, "", (2, 3)),
)  # fmt: skip
GUARANTOR = ("pratt", "Julia Pratt")
DIAGNOSIS = "F41.9"

# Trips that differ, by (month, client, number of the trip in the month). ``waited`` are half hours
# that are charged; ``reason`` is a code, all else are fields of healthcare.appointment.
ODD_TRIPS = MappingProxyType(
    {
        (2, "dunn", 1): {"waiting_minutes": 40, "waited": 1},  # free by contract
        (3, "fry", 2): {"waiting_minutes": 65, "waited": 2},
        (4, "abbott", 2): {
            "waiting_minutes": 10,
            "dispatcher_note": "Picked up at the side entrance, gate code is with dispatch.\n"
            "!The nurse on duty asked for the later return trip.",
        },
        (5, "crane", 3): {
            "preauthorization_note": "Called twice, nobody had the chart.",
            "billing_note": "!Ms. Perez of the clinic confirmed by phone that it pays this ride.\n"
            "She sounded annoyed; be kind.",
        },
        (5, "eads", 1): {
            "billing_note": "!Transfer between two buildings of the hospital, ordered by it.",
        },
        (3, "jewell", 1): {
            "preauthorization_note": "!The plan was asked before, and said no.",
            "abn_signed_by": "Karen Jewell (daughter)",  # knew that the plan might not pay
        },
        # still reviewed: only who asks for it gets them on a statement
        (5, "crane", 2): {"qa_state": "review"},
        (5, "dunn", 3): {"qa_state": "corrections"},
        # the client didn't come to the door: hers alone, without miles
        (5, "pratt", 1): {"state": "no_show", "reason": "NOSHOW"},
        (5, "odell", 1): {"state": "scheduled", "qa_state": "none"},  # paid before it is driven
        # R9: no generator picks it up until somebody decides
        (3, "royce", 1): {"parked": True, "parked_reason": "Her son says that his firm pays"},
        (5, "fry", 2): {"parked": True, "parked_reason": "The hospital asks for the run sheet"},
    }
)
SCHEDULED = ("abbott", "crane", "eads", "lamb", "quinn")  # have a trip to come

# -- what the office does with it ------------------------------------------------------------------
# What becomes of each party's statement of a month; empty: it has none.
# paid: in full
# short: the rest is told again; courtesy: it is written off; left: waited for, then told again
# over: the surplus is a credit
# unpaid
# redone: canceled, made again and paid
# open, draft: left to look at; qa: open, with what is still reviewed; prepaid: paid before the trip
OUTCOMES = MappingProxyType(
    {
        "lakeside": ("paid", "paid", "paid", "paid", "open"),
        "northgate": ("short", "paid", "courtesy", "paid", "qa"),
        "mercy": ("unpaid", "paid", "redone", "paid", "draft"),
        "tricounty": ("over", "paid", "paid", "unpaid", "open"),
        "lamb": ("paid", "unpaid", "paid", "paid", "open"),
        "moody": ("unpaid", "unpaid", "unpaid", "", ""),  # then sold
        "sands": ("", "left", "paid", "", ""),
        "royce": ("", "", "", "unpaid", "open"),
        "pratt": ("", "", "", "paid", "open"),
        "quinn": ("", "", "", "unpaid", "open"),
        "ivers": ("", "", "paid", "", ""),  # what the plan left to her
        "jewell": ("", "", "", "unpaid", "open"),  # what the plan denied
        "odell": ("", "", "", "", "prepaid"),
    }
)
EXPRESS_MONTHS = (2, 3, 4)  # all statements at once
SHORT = {"northgate": {1: 34.00, 3: 5.50}, "sands": {2: 11.00}}  # what wasn't paid
OVERPAID = 50.00  # by the affiliate; its next statement settles it
# (month, party) -> charged or discounted on the first item of the statement, before it is closed
EXTRAS = MappingProxyType(
    {
        (3, "tricounty"): ("service_charge", 15.00, "Call-out at night"),
        (3, "lamb"): ("finance_charge", 1.80, "1.5% on what was overdue"),
        (4, "lakeside"): ("discount", 10.00, "Paid within ten days"),
    }
)
PORTAL = "quinn"
CASH = "nash"  # paid at the door, without a statement
PREPAID = "odell"  # paid before the trip
SOLD, SOLD_FOR, SOLD_MONTH = "moody", 80.00, 4
AGENCY = "Lantern Receivables Agency"

# kind of adjustment reason -> (code, name) of the account that takes what isn't collected
LOSSES = MappingProxyType(
    {
        "contractual": ("400190", "Contractual Adjustments"),
        "sequestration": ("400191", "Sequestration"),
        "denial": ("400192", "Denied Care"),
        "courtesy": ("600190", "Courtesy Write-offs"),
        "sold": ("600191", "Loss on Sold Receivables"),
    }
)
# What insurers decided: (month, client, trip) -> allowed for the ride, allowed for its miles,
# sequestered of the ride, the client's part of the ride
DECISIONS = MappingProxyType(
    {
        (2, "ivers", 1): (480.00, 175.20, 0.00, 50.00),
        (2, "ivers", 2): (480.00, 175.20, 0.00, 100.00),  # 50.00 more than was billed
        (3, "knox", 1): (310.00, 86.70, 6.20, 0.00),
        (3, "knox", 2): (310.00, 60.00, 6.20, 0.00),
        (4, "ivers", 1): (480.00, 175.20, 0.00, 50.00),
        (4, "ivers", 2): (0.00, 0.00, 0.00, 0.00),  # denied, and nobody may be asked instead
    }
)
DENIED = (3, "jewell", 1)  # and the client is asked instead
DENIAL = "Not medically necessary by the plan's rules."
