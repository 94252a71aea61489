"""Who works at the practice, what it offers, who comes and who pays: tables, no code.

All names, addresses and numbers are invented. Codes are HCPCS level II with short names of our own,
or local ones that begin with MST.
"""

from types import MappingProxyType
from typing import NamedTuple

NOTHING = MappingProxyType({})


class Staff(NamedTuple):
    key: str
    name: str
    job: str
    credentials: str = ""
    npi: str = ""  # nine digits, the check digit is added; NPIs that begin with 2 aren't in use


STAFF = (
    Staff("whitfield", "Dana Whitfield", "Clinical Director", "PsyD", "299900101"),
    Staff("obi", "Marcus Obi", "Therapist", "LCSW", "299900202"),
    Staff("raman", "Priya Raman", "Therapist", "LMFT", "299900303"),
    Staff("becker", "Tom Becker", "Peer Specialist", "CPS"),  # no NPI yet
    Staff("suarez", "Elena Suarez", "Outreach Counselor", "LMHC", "299900404"),
    Staff("keller", "Joan Keller", "Front Desk"),
)

# login (also the password) -> name, group, member of staff
USERS = {
    "therapist": ("Marcus Obi", "group_care_staff", "obi"),
    "coordinator": ("Joan Keller", "group_coordinator", "keller"),
    "biller": ("Ruth Nolan", "group_billing_user", ""),
    "manager": ("Dana Whitfield", "group_billing_manager", "whitfield"),
}


class Service(NamedTuple):
    key: str
    code: str
    name: str
    price: float
    minutes: tuple  # lengths of visits that occur
    values: dict  # of product.product: unit rule (R3), activity code
    place: str = "11"


SERVICES = (
    Service(
        "counseling", "H0004", "Behavioral counseling, 15 min", 32.50, (45, 50, 53, 60),
        {"unit_rule": "block", "rounding_method": "nearest", "activity_code": "IND"},
    ),
    Service(
        "assessment", "H0031", "Mental health assessment", 185.00, (60, 90),
        {"unit_rule": "visit", "activity_code": "ASM"},
    ),
    Service(
        "plan", "H0032", "Service plan development", 120.00, (60,),
        {"unit_rule": "flat", "activity_code": "PLAN"},
    ),
    Service("group", "H0005", "Group counseling", 45.00, (90,), {"unit_rule": "visit"}),
    Service(
        "peer", "H0038", "Peer support, 15 min", 18.25, (30, 45, 60),
        {
            "unit_rule": "block", "rounding_method": "up", "time_basis": "clocked",
            "activity_code": "PEER",
        },
        place="12",
    ),
    Service(
        "day", "H2012", "Day treatment, per hour", 42.00, (120, 180),
        {
            "unit_rule": "hour", "rounding_method": "down", "rounding_minutes": "30",
            "time_basis": "clocked", "activity_code": "DAY",
        },
        place="53",
    ),
    Service(
        "education", "H2027", "Psychoeducation, 15 min", 21.75, (20, 40),
        {"unit_rule": "block"},  # exact time, so 20 minutes are 1.33 units; no activity code
    ),
    Service(
        "case", "T1016", "Case management, 15 min", 24.00, (15, 25, 35),
        {
            "unit_rule": "block", "rounding_method": "nearest", "rounding_minutes": "5",
            "activity_code": "CASE",
        },
    ),
    Service(
        "crisis", "H2011", "Crisis intervention, 15 min", 48.00, (60,),
        {"unit_rule": "block", "rounding_method": "up"}, place="12",
    ),
    Service(
        "mileage", "A0080", "Outreach mileage, per mile", 0.70, (30,), {"unit_rule": "mile"},
        place="99",
    ),
    Service("couples", "MST10", "Couples session", 140.00, (80,), {"unit_rule": "visit"}),
    Service("intro", "MST20", "Introductory call", 0.00, (15,), {"unit_rule": "visit"}, "02"),
    Service("workshop", "MST30", "Stress workshop", 60.00, (120,), {"unit_rule": "visit"}),
    Service("walkin", "", "Walk-in consultation", 90.00, (30, 45), {"unit_rule": "visit"}),
    # An invented code, which stands for the licensed ones that can't be shipped (R8).
    Service(
        "testing", "MST40", "Psychological testing", 210.00, (90,),
        {"unit_rule": "visit", "code_system": "cpt"},
    ),
)  # fmt: skip
# R8: member of staff -> what became of this year's CPT license. All had one last year.
LICENSES = {"obi": "paid", "raman": "paid", "suarez": "to_pay", "whitfield": "canceled"}
LICENSE_FEE = 18.50
TAXONOMY = "199Z00000X"  # of the staff
PRACTICE_NPI, PRACTICE_TAXONOMY, PRACTICE_TAX_ID = "299900600", "299Z00000X", "99-0000007"
TAXED_SERVICE = "workshop"
TAX_PERCENT = 6.0


class Payer(NamedTuple):
    key: str
    name: str
    values: dict
    # service -> contract price; two prices: the second one from the middle of last month
    fees: dict = NOTHING
    currency: str = "USD"


PAYERS = (
    Payer(
        "blue_harbor", "Blue Harbor Health Plan",
        {
            "requires_fee_schedule": True, "requires_signed_note": True,
            "edi_payer_id": "BHHP1", "claim_filing_indicator": "HM",
        },
        {
            "counseling": (30.10, 31.40), "assessment": 168.00, "plan": 0.00, "group": 41.20,
            "peer": 16.00, "education": 19.99, "case": 22.50,
        },
    ),
    Payer(
        "summit", "Summit Mutual",
        {"edi_payer_id": "SUMM7", "claim_filing_indicator": "CI", "timely_filing_days": 180},
        {"case": 21.00},
    ),
    Payer("evergreen", "Evergreen Benefit Trust", {}),
    Payer(
        "veterans", "Veterans Outreach Fund",
        {
            "payer_type": "government", "requires_activity_code": True,
            "requires_authorization": True,
        },
        {"counseling": 29.15, "peer": 17.10},
    ),
    Payer(
        "school", "Cedar Hall School District",
        {"payer_type": "facility", "invoicing_model": "payer_batched"},
    ),
    Payer(
        "county", "Alder County Care Program",
        {"payer_type": "government", "invoicing_model": "payer_file"},
    ),
    Payer(
        "northern", "Northern Lights Assistance",
        {"payer_type": "affiliate", "requires_approval": True},
        {"counseling": 41.35, "case": 30.05}, "CAD",
    ),
    Payer("old_mill", "Old Mill Insurance", {}, {"counseling": 27.00}),
    Payer("puerto", "Seguros Puerto Azul", {}, {"counseling": 540.00}, "MXN"),
    Payer(
        "lakeside", "Lakeside Savings Plan",
        {"payer_type": "other", "invoicing_model": "client_individual"}, {"counseling": 33.00},
    ),
)  # fmt: skip
ARCHIVED_FEE_SCHEDULE = "old_mill"
CURRENCY_RATES = {"CAD": 1.3725, "MXN": 18.4}  # per US dollar
ARCHIVED_CURRENCY = "MXN"


class Client(NamedTuple):
    key: str
    name: str
    service: str
    staff: str
    payer: str = ""  # empty: pays for all of it
    copay: float | None = None  # None: no policy with the payer
    account: dict = NOTHING
    diagnoses: tuple = ()
    before: int = 3  # visits in the month before last


CLIENTS = (
    # -- those who pay for themselves ------------------------------------------------------------
    Client("pike", "Aaron Pike", "counseling", "obi", diagnoses=("F41.1",)),
    Client(
        "lund", "Beatrice Lund", "counseling", "raman", diagnoses=("F43.23",),
        account={"rates": {"counseling": 27.4875}, "term": "account_payment_term_30days"},
    ),
    Client(
        "moss", "Calvin Moss", "counseling", "raman", diagnoses=("F90.0",),
        account={"guarantor": "Renee Moss", "term": "account_payment_term_15days"},
    ),
    Client(
        "finch", "Dolores Finch", "couples", "raman", diagnoses=("Z63.0",),
        account={"default_fee": 118.00},
    ),
    Client("cho", "Edwin Cho", "peer", "becker", account={"rates": {"peer": 0.00}}),
    Client(
        "grady", "Fiona Grady", "workshop", "whitfield",
        account={"term": "account_payment_term_30days_early_discount"},
    ),
    Client("haller", "Gus Haller", "counseling", "obi", account={"billing_status": "on_hold"}),
    Client(
        "ito", "Hana Ito", "counseling", "whitfield", account={"billing_status": "closed"}, before=0
    ),
    Client(
        "quill", "Jonas Quill", "intro", "whitfield",
        account={"term": "account_payment_term_advance_60days"}, before=1,
    ),
    # -- Blue Harbor: contract prices only, signed notes -----------------------------------------
    Client("abara", "Ngozi Abara", "counseling", "obi", "blue_harbor", 20, {}, ("F33.1", "Z63.0")),
    Client("brandt", "Otto Brandt", "counseling", "raman", "blue_harbor", 20, {}, ("F43.23",)),
    Client("carver", "Lila Carver", "counseling", "whitfield", "blue_harbor", 25, {}, ("F41.0",)),
    Client("dupree", "Theo Dupree", "counseling", "obi", "blue_harbor", 20, before=0),
    Client("engle", "Mona Engle", "case", "suarez", "blue_harbor", 20, {}, ("F32.A",)),
    Client("foss", "Ivan Foss", "peer", "becker", "blue_harbor", 0, {}, ("F10.20",), before=0),
    Client("gable", "Ruth Gable", "education", "raman", "blue_harbor", 15, {}, ("F32.1",)),
    # -- Summit: list prices ---------------------------------------------------------------------
    Client("hale", "Simon Hale", "counseling", "obi", "summit", 35, {}, ("F43.10",)),
    Client("irwin", "Peg Irwin", "counseling", "raman", "summit", 0, {}, ("F31.9",)),
    Client("jarvis", "Cole Jarvis", "day", "suarez", "summit", None, {}, ("F20.9",), before=0),
    Client("keene", "Abby Keene", "day", "suarez", "summit", 30, {}, ("F33.0",)),
    Client(
        "lomax", "Nils Lomax", "counseling", "whitfield", "summit", 35,
        {"group_single_claim": True}, ("F43.22", "F51.01"),
    ),
    # -- Veterans: authorized units, activity codes ----------------------------------------------
    Client("mercer", "Walt Mercer", "counseling", "suarez", "veterans", 0, {}, ("F43.10",)),
    Client("nyberg", "Ida Nyberg", "peer", "suarez", "veterans", 0, {}, ("F33.2",), before=0),
    Client("ortega", "Luis Ortega", "case", "suarez", "veterans", 0, {}, ("F11.20",), before=0),
    # -- payers that are invoiced by billing cycles ----------------------------------------------
    Client("perry", "Zoe Perry", "counseling", "raman", "school", None, {}, ("F84.0",), before=0),
    Client("quist", "Milo Quist", "counseling", "raman", "school", None, {}, ("F90.2",), before=0),
    Client("reyes", "Ana Reyes", "day", "suarez", "county", 0, {}, ("F25.9",), before=0),
    # -- a payer abroad that approves each visit -------------------------------------------------
    Client("sato", "Ken Sato", "counseling", "obi", "northern", None, {}, ("F43.21",)),
    Client("tran", "Mai Tran", "case", "suarez", "northern", None, {}, ("F40.10",)),
    # -- odd ones --------------------------------------------------------------------------------
    Client("ulrich", "Bea Ulrich", "counseling", "obi", "old_mill", 10, {}, ("F41.9",), before=0),
    Client("vega", "Rosa Vega", "counseling", "obi", "puerto", 0, {}, ("F50.9",), before=0),
    Client("wynn", "Hugh Wynn", "counseling", "whitfield", "lakeside", None, {}, ("F60.3",)),
    Client("yates", "Dora Yates", "counseling", "whitfield", before=0),
)  # fmt: skip
# visits per client last month, this month so far, and scheduled
LAST_MONTH, THIS_MONTH, SCHEDULED = 6, 1, 2

# client -> payer of a second policy
SECOND_POLICIES = {"abara": "evergreen", "irwin": "evergreen"}
NO_LEGAL_NAME = "irwin"  # claims need one
POLICY_ENDED = "engle"  # at the end of the month before last
ACCOUNT_ARCHIVED = "yates"
SECOND_ACCOUNT = ("brandt", "couples")  # pays this service himself
DIAGNOSED_LATER = ("lomax", "F51.01")  # in the middle of last month
AUTHORIZED_UNITS = {"mercer": 80, "nyberg": 14}  # the second one isn't enough

GROUP_MEMBERS = ("abara", "gable", "keene", "lomax", "lund", "moss")
GROUP_STAFF, GROUP_SESSIONS = "raman", 4

# Last month: (client, number of the visit) -> values that differ. ``service``, ``staff`` and
# ``reason`` (cancel reason) are keys and codes, all else are fields of healthcare.appointment.
ODD_VISITS = {
    # R7: missed ones are the client's; the reason says whether they are billed
    ("pike", 2): {"state": "no_show", "reason": "NOSHOW"},
    ("pike", 4): {"state": "no_show", "reason": "NOSHOW-EXCUSED"},
    ("carver", 2): {"state": "late_canceled", "reason": "LATE"},
    ("carver", 4): {"state": "late_canceled", "reason": "LATE-EXCUSED"},
    ("hale", 3): {"state": "no_show"},
    ("lomax", 2): {"state": "rescheduled", "reason": "RESCHED-CLIENT"},
    ("keene", 5): {"state": "canceled", "reason": "WEATHER"},
    ("pike", 6): {"billable": False},
    ("moss", 6): {"state": "scheduled", "note_state": "missing"},  # nobody said how it went
    # R9
    ("hale", 5): {"parked": True, "parked_reason": "The plan asks for another note."},
    # R10, R12
    ("abara", 5): {"qa_state": "review"},
    ("lund", 5): {"qa_state": "corrections"},
    ("brandt", 3): {"is_vacant": True, "staff": ""},
    ("brandt", 5): {"is_unscheduled": True},
    ("carver", 5): {"note_state": "draft"},
    ("sato", 2): {"approval_state": "rejected"},
    ("sato", 4): {"approval_state": "not_approved"},
    ("irwin", 4): {"service": ""},
    ("irwin", 5): {"staff": ""},
    ("carver", 6): {"service": "crisis"},  # not on the payer's fee schedule
    ("mercer", 4): {"service": "education"},  # has no activity code
    ("quill", 2): {"service": "walkin"},  # has no code
    ("quill", 3): {"service": "walkin"},
    ("quill", 4): {"service": "counseling"},
    ("quill", 5): {"service": "assessment"},
    # R8: the first one has a license, the second one's was canceled
    ("finch", 2): {"service": "testing"},
    ("carver", 3): {"service": "testing"},
    # other services
    ("abara", 1): {"service": "assessment"},
    ("abara", 2): {"service": "plan"},  # 0.00 on the fee schedule: free
    ("cho", 3): {"service": "mileage", "distance": 14.2},
    ("lomax", 3): {"service": "case"},
    ("mercer", 3): {"service": "case"},  # not on the fee schedule: list price
    ("tran", 3): {"service": "counseling", "approved_qty": 2.0},
    # R3: typed units, and 0 is a value
    ("hale", 2): {"bill_override_qty": 2.0},
    ("hale", 6): {"bill_override_qty": 0.0},
}

# Every reason that a run over last month gives with this data.
REASONS = (
    "planned", "parked", "vacant", "unscheduled", "rejected", "not_approved", "in_qa",
    "missing_account", "account_on_hold", "account_closed", "wrong_door", "unsigned_note",
    "missing_service", "missing_code", "missing_bill_code", "missing_price",
    "archived_fee_schedule", "currency_inactive", "missing_activity_code",
    "missing_diagnosis", "missing_coverage", "missing_provider",
    "missing_npi", "missing_license", "missing_authorization", "authorization_used_up",
)  # fmt: skip
