"""A therapy practice of 6 staff and 34 clients, with every odd case that billing knows."""

import random
from datetime import date, datetime, time, timedelta
from types import MappingProxyType

from dateutil.relativedelta import relativedelta

from odoo.fields import Command

from . import practice_data as data
from .company import DemoCompany

SEED = 19
# The months are of different length; only this many working days of each are used, so that units
# and prices are the same whenever the data is loaded.
WORKING_DAYS = 20


class TherapyPractice(DemoCompany):
    """Loads the practice into the company of ``env``.

    The same in every company and at every time, but for the dates: care of the month before last,
    of last month (with all the odd cases), of this month so far, and what is scheduled.

    :param env: of an administrator; its company has a chart of accounts
    :param date today: default today in the company's time zone
    """

    users = MappingProxyType(
        {login: (name, (group,)) for login, (name, group, _staff) in data.USERS.items()}
    )

    def __init__(self, env, today=None):
        super().__init__(env, today)
        self.random = random.Random(SEED)
        self.staff, self.services, self.payers = {}, {}, {}
        self.clients, self.accounts = {}, {}
        self.appointments = self.env["healthcare.appointment"]
        self._busy_until = {}  # (member of staff, day) -> end of the last visit

    def load(self):
        """Create everything.

        :return: self
        """
        self._load_company()
        self._load_staff()
        self._load_licenses()
        self._load_services()
        self._load_payers()
        self._load_clients()
        self._load_policies()
        self._load_appointments()
        self._change_charges()
        self._change_afterwards()
        self.env.flush_all()
        return self

    @property
    def charges(self):
        """All charges of the practice, corrections and client-level ones included."""
        return self.env["healthcare.charge"].search([("company_id", "=", self.company.id)])

    def create_users(self):
        users = super().create_users()
        for login, (_name, _group, staff) in data.USERS.items():
            if staff:
                self.staff[staff].user_id = users[login]
        return users

    # -- who and what ----------------------------------------------------------------------------
    def _load_company(self):
        vendor = self.env["res.partner"].create({"name": "Code License Office", "is_company": True})
        self.company.write(
            {
                "healthcare_qa_review": True,
                "healthcare_npi": self._npi(data.PRACTICE_NPI),
                "healthcare_taxonomy_code": data.PRACTICE_TAXONOMY,
                "vat": data.PRACTICE_TAX_ID,
                "healthcare_license_fee": data.LICENSE_FEE,
                "healthcare_license_vendor_id": vendor.id,
            }
        )

    def _load_licenses(self):
        """CPT licenses of last year and of this one: to pay, paid, canceled, expired."""
        licenses = self.env["healthcare.cpt.license"]
        staff = self.env["hr.employee"].union(*(self.staff[key] for key in data.LICENSES))
        staff.cpt_access = True
        licenses._assign(staff, self.today.year - 1).action_mark_paid()
        self.licenses = dict(
            zip(data.LICENSES, licenses._assign(staff, self.today.year), strict=True)
        )
        by_state = {
            state: licenses.union(
                *(self.licenses[key] for key, wanted in data.LICENSES.items() if wanted == state)
            )
            for state in data.LICENSES.values()
        }
        by_state["canceled"].action_cancel()
        bill = by_state["paid"]._create_bills()
        bill.invoice_date = self.this_month
        bill._post(soft=False)
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=bill.ids
        ).create({"payment_date": self.this_month})._create_payments()

    def _load_staff(self):
        self.staff = self._create(
            "hr.employee",
            [member.key for member in data.STAFF],
            [
                {
                    "name": member.name,
                    "job_title": member.job,
                    "work_email": f"{member.key}@example.com",
                    "credentials": member.credentials,
                    "is_rendering_provider": bool(member.credentials),
                    "npi": self._npi(member.npi),
                    "taxonomy_code": member.npi and data.TAXONOMY,
                }
                for member in data.STAFF
            ],
        )

    def _load_services(self):
        places = self._by_code("healthcare.place.of.service")
        modifiers = self._by_code("healthcare.modifier")
        tax = self._create_tax()
        self.services = self._create(
            "product.product",
            [service.key for service in data.SERVICES],
            [
                {
                    "name": service.name,
                    "default_code": service.code,
                    "is_healthcare_service": True,
                    "list_price": service.price,
                    "default_duration": service.minutes[0] / 60,
                    "place_of_service_id": places[service.place].id,
                    "taxes_id": [Command.set(tax.ids if service.key == data.TAXED_SERVICE else [])],
                    "modifier_ids": [
                        Command.set(modifiers["HQ"].ids if service.key == "group" else [])
                    ],
                    **service.values,
                }
                for service in data.SERVICES
            ],
        )

    def _create_tax(self):
        """A sales tax; care itself has none."""
        distribution = self.company.account_sale_tax_id.invoice_repartition_line_ids
        own = {
            "company_id": self.company.id,
            "country_id": self.company.account_fiscal_country_id.id,
        }
        group = self.env["account.tax.group"].create({"name": "Sales Tax", **own})
        tax = self.env["account.tax"].create(
            {
                "name": f"Sales Tax {data.TAX_PERCENT:g}%",
                "tax_group_id": group.id,
                **own,
                "amount": data.TAX_PERCENT,
                "type_tax_use": "sale",
            }
        )
        lines = tax.invoice_repartition_line_ids | tax.refund_repartition_line_ids
        lines.filtered(
            lambda line: line.repartition_type == "tax"
        ).account_id = distribution.account_id
        return tax

    def _load_payers(self):
        self._load_currencies()
        self.payers = self._create(
            "res.partner",
            [payer.key for payer in data.PAYERS],
            [
                {
                    "name": payer.name,
                    "is_company": True,
                    "is_payer": True,
                    "email": f"claims.{payer.key}@example.com",
                    **self._address(100 + number),
                    **payer.values,
                }
                for number, payer in enumerate(data.PAYERS)
            ],
        )
        with_contract = [payer for payer in data.PAYERS if payer.fees]
        schedules = self._create(
            "product.pricelist",
            [payer.key for payer in with_contract],
            [
                {
                    "name": f"{payer.name} {self.last_month.year}",
                    "currency_id": self._currency(payer.currency).id,
                    "item_ids": [Command.create(rule) for rule in self._fee_rules(payer)],
                }
                for payer in with_contract
            ],
        )
        for key, schedule in schedules.items():
            self.payers[key].with_company(self.company).fee_schedule_id = schedule
        # A rule on everything is no contract on a service (R1).
        schedules["summit"].item_ids = [
            Command.create(
                {"applied_on": "3_global", "compute_price": "percentage", "percent_price": 50.0}
            )
        ]

    def _load_currencies(self):
        for code, rate in data.CURRENCY_RATES.items():
            currency = self._currency(code)
            # Odoo prints all dollars as $.
            currency.write({"active": True, "symbol": f"{code} ", "position": "before"})
            self.env["res.currency.rate"].create(
                {
                    "currency_id": currency.id,
                    "company_id": self.company.id,
                    "name": self.month_before - relativedelta(years=1),
                    "rate": rate,
                }
            )

    def _currency(self, code):
        currencies = self.env["res.currency"].with_context(active_test=False)
        return currencies.search([("name", "=", code)])

    def _fee_rules(self, payer):
        """Pricelist rules of a contract; some prices rise in the middle of last month."""
        change = self._noon(self._working_days(self.last_month)[WORKING_DAYS // 2])
        for service, price in payer.fees.items():
            rule = {
                "applied_on": "0_product_variant",
                "product_id": self.services[service].id,
                "compute_price": "fixed",
            }
            if not isinstance(price, tuple):
                yield {**rule, "fixed_price": price}
                continue
            yield {**rule, "fixed_price": price[0], "date_end": change - timedelta(hours=12)}
            yield {**rule, "fixed_price": price[1], "date_start": change - timedelta(hours=12)}

    def _load_clients(self):
        guarantors = [client for client in data.CLIENTS if "guarantor" in client.account]
        contacts = self._create(
            "res.partner",
            [client.key for client in guarantors],
            [
                {
                    "name": client.account["guarantor"],
                    "email": f"{client.key}.family@example.com",
                    **self._address(200 + number),
                }
                for number, client in enumerate(guarantors)
            ],
        )
        self.clients = self._create(
            "res.partner",
            [client.key for client in data.CLIENTS] + ["zeller"],
            [
                self._client_values(number, client.key, client.name)
                for number, client in enumerate(data.CLIENTS)
            ]
            + [self._client_values(len(data.CLIENTS), "zeller", "Max Zeller")],
        )
        diagnoses = self._by_code("healthcare.diagnosis")
        for client in data.CLIENTS:
            account = self.accounts[client.key] = self.clients[client.key].billing_account_ids
            account.write(self._account_values(client, contacts.get(client.key), diagnoses))
        client, code = data.DIAGNOSED_LATER
        late = self.accounts[client].diagnosis_line_ids.filtered(
            lambda line: line.diagnosis_id == diagnoses[code]
        )
        late.diagnosed_on = self._working_days(self.last_month)[WORKING_DAYS // 2]
        client, service = data.SECOND_ACCOUNT
        self.accounts[client, service] = self.env["healthcare.billing.account"].create(
            {
                "client_id": self.clients[client].id,
                "company_id": self.company.id,
                "sequence": 20,
                "default_product_id": self.services[service].id,
            }
        )
        self.accounts[data.ACCOUNT_ARCHIVED].active = False

    def _client_values(self, number, key, name):
        """Values of a client; about every fourth is a minor."""
        years = self.random.randint(8, 17) if number % 4 == 2 else self.random.randint(19, 78)
        born = date(self.last_month.year - years, 1 + number % 12, self.random.randint(1, 28))
        return {
            "name": name,
            "legal_name": key != data.NO_LEGAL_NAME and name,
            "is_healthcare_client": True,
            "email": f"{key}@example.com",
            "phone": f"(555) 555-01{number:02d}",
            "birth_date": born,
            "sex": self.random.choice(["female", "male", "x"]),
            **self._address(number),
        }

    def _address(self, number):
        name = ("Alder", "Birch", "Elm", "Oak")[number % 4]
        return self._at(f"{11 + 7 * number} {name} Street", "10999")

    def _account_values(self, client, guarantor, diagnoses):
        """Values of a client's billing account; ``client.account`` says them in short."""
        values = dict(client.account)
        values.pop("guarantor", None)
        term, rates = values.pop("term", None), values.pop("rates", {})
        return {
            "payer_id": client.payer and self.payers[client.payer].id,
            "guarantor_id": guarantor and guarantor.id,
            "default_product_id": self.services[client.service].id,
            "diagnosis_ids": [Command.set([diagnoses[code].id for code in client.diagnoses])],
            "payment_term_id": term and self.env.ref(f"account.{term}").id,
            "rate_ids": [
                Command.create({"product_id": self.services[service].id, "fee": fee})
                for service, fee in rates.items()
            ],
            **values,
        }

    def _load_policies(self):
        insured = [client for client in data.CLIENTS if client.copay is not None]
        vals_list = [
            {
                "client_id": self.clients[client.key].id,
                "payer_id": self.payers[client.payer].id,
                "member_id": f"{client.payer[:2].upper()}{70000 + 13 * number}",
                "copay_amount": client.copay,
                "date_from": self.month_before - relativedelta(years=1),
                "date_to": client.key == data.POLICY_ENDED and self.last_month - timedelta(days=1),
            }
            for number, client in enumerate(insured)
        ] + [
            {
                "client_id": self.clients[client].id,
                "payer_id": self.payers[payer].id,
                "member_id": f"EV{500 + number}",
                "sequence": 20,
            }
            for number, (client, payer) in enumerate(data.SECOND_POLICIES.items())
        ]
        self._create("healthcare.coverage", range(len(vals_list)), vals_list)
        for client in insured:
            self.accounts[client.key].coverage_ids = self.clients[client.key].coverage_ids
        self.authorizations = self._create(
            "healthcare.authorization",
            data.AUTHORIZED_UNITS,
            [
                {
                    "number": f"VOF-{4100 + number}",
                    "client_id": self.clients[client].id,
                    "payer_id": self.payers["veterans"].id,
                    "units": units,
                    "date_from": self.month_before,
                    "date_to": self.this_month + relativedelta(months=3),
                }
                for number, (client, units) in enumerate(data.AUTHORIZED_UNITS.items())
            ],
        )

    # -- visits ----------------------------------------------------------------------------------
    def _load_appointments(self):
        """All visits in one call; ``self.visits`` finds those of last month again."""
        self.reasons = self._by_code("healthcare.cancel.reason")
        keys, vals_list = [], []
        for key, vals in self._visits():
            keys.append(key)
            vals_list.append(vals)
        self.appointments = self.env["healthcare.appointment"].create(vals_list)
        self.visits = {
            key: appointment
            for key, appointment in zip(keys, self.appointments, strict=True)
            if key
        }

    def _visits(self):
        """Yield (key of the visit or None, values)."""
        before, last = self._working_days(self.month_before), self._working_days(self.last_month)
        recent = self._recent_days()
        ahead = self._working_days(self.today + timedelta(days=1))
        for number, client in enumerate(data.CLIENTS):
            for visit in range(client.before):
                yield None, self._visit(client, before[(3 * number + 6 * visit) % WORKING_DAYS])
            for visit in range(1, data.LAST_MONTH + 1):
                day = last[(3 * number + 3 * visit) % WORKING_DAYS]
                odd = data.ODD_VISITS.get((client.key, visit), {})
                yield (client.key, visit), self._visit(client, day, **odd)
            for visit in range(data.THIS_MONTH):
                yield None, self._visit(client, recent[(number + visit) % len(recent)])
            for visit in range(data.SCHEDULED):
                day = ahead[(3 * number + 7 * visit) % WORKING_DAYS]
                yield None, self._visit(client, day, **self._not_yet())
        yield from self._group_visits(last, ahead)
        yield from self._special_visits(last)

    def _not_yet(self):
        return {
            "state": "scheduled", "note_state": "missing", "qa_state": "none",
            "approval_state": "not_approved",
        }  # fmt: skip

    def _group_visits(self, last, ahead):
        """Group sessions: one appointment per member, at the same time."""
        clients = {client.key: client for client in data.CLIENTS}
        days = [(last[5 * session], {}) for session in range(data.GROUP_SESSIONS)]
        days.append((ahead[4], self._not_yet()))
        for session, (day, values) in enumerate(days):
            for key in data.GROUP_MEMBERS:
                missed = session == 2 and key == "keene"
                yield ("group", session, key), self._visit(
                    clients[key], day, time(17, 0), service="group", staff=data.GROUP_STAFF,
                    **(values or ({"state": "no_show", "reason": "NOSHOW"} if missed else {})),
                )  # fmt: skip

    def _special_visits(self, last):
        """Visits at an hour, or of an account, that the others don't have."""
        clients = {client.key: client for client in data.CLIENTS}
        # 23:30 on the last day of a month is the next month's first day in UTC (R6).
        for key, first in (("night", self.this_month), ("night before", self.last_month)):
            yield (
                key,
                self._visit(
                    clients["wynn"], first - timedelta(days=1), time(23, 30), service="crisis"
                ),
            )
        client, service = data.SECOND_ACCOUNT
        for number, day in enumerate((last[8], last[17])):
            yield (
                ("couples", number),
                {
                    **self._visit(clients[client], day, service=service),
                    "billing_account_id": self.accounts[client, service].id,
                },
            )

    def _visit(self, client, day, at=None, **odd):
        """Values of one appointment of a client.

        :param time at: local start; default when the member of staff is free
        :param odd: values that differ, as in ``ODD_VISITS``
        """
        service = odd.pop("service", client.service)
        staff = odd.pop("staff", client.staff)
        reason = odd.pop("reason", None)
        minutes = self.random.choice(self._minutes(service))
        start = self._start(staff, day, minutes, at)
        payer = self.payers.get(client.payer)
        return {
            "company_id": self.company.id,
            "client_id": self.clients[client.key].id,
            # where the service was forgotten, not even the account's default one is taken
            "product_id": service and self.services[service].id,
            "employee_id": staff and self.staff[staff].id,
            "authorization_id": client.key in self.authorizations
            and self.authorizations[client.key].id,
            "start": start,
            "stop": start + timedelta(minutes=minutes),
            "state": "completed",
            "note_state": "signed",
            "qa_state": "done",
            "approval_state": "approved" if payer and payer.requires_approval else "not_approved",
            "cancel_reason_id": reason and self.reasons[reason].id,
            **self._clock(start, minutes, odd.get("state")),
            **odd,
        }

    def _minutes(self, service):
        lengths = {entry.key: entry.minutes for entry in data.SERVICES}
        return lengths.get(service, (45,))

    def _clock(self, start, minutes, state):
        """Clock stamps around the schedule, where somebody was there."""
        early, late = self.random.randint(-4, 6), self.random.randint(-9, 12)
        if state not in (None, "completed"):
            return {}
        return {
            "clock_in": start + timedelta(minutes=early),
            "clock_out": start + timedelta(minutes=minutes + late),
        }

    def _start(self, staff, day, minutes, at):
        """Start in UTC: the given local time, or the member of staff's next free quarter."""
        if at:
            return self._utc(datetime.combine(day, at))
        begin = self._busy_until.get((staff, day)) or datetime.combine(day, time(8, 0))
        quarters = -(-minutes // 15)
        self._busy_until[staff, day] = begin + timedelta(minutes=15 * quarters)
        return self._utc(begin)

    # -- dates -----------------------------------------------------------------------------------
    def _noon(self, day):
        return self.company._care_noon(day)

    def _working_days(self, first):
        """The first working days from a day on."""
        days = (first + timedelta(days=number) for number in range(2 * WORKING_DAYS))
        return [day for day in days if day.weekday() < 5][:WORKING_DAYS]

    def _recent_days(self):
        """Days of this month that are over; on the first of a month, today."""
        days = [
            self.this_month + timedelta(days=number)
            for number in range((self.today - self.this_month).days)
        ]
        return [day for day in days if day.weekday() < 5] or days or [self.today]

    # -- charges ---------------------------------------------------------------------------------
    def _change_charges(self):
        """What people type into charges, and charges that no visit makes by itself."""
        charge = {key: visit.charge_ids for key, visit in self.visits.items()}
        charge["pike", 3].price_unit = 28.00
        # The second payer's part; 0.00 for the client moves the co-pay to the payer.
        for key in (("abara", 4), ("abara", 6), ("irwin", 2), ("irwin", 3)):
            charge[key].amount_secondary = 15.00
        charge["gable", 2].amount_client = 0.00
        charge["hale", 4].amount_secondary = 10.00  # who has no second policy
        adjustments = self._by_code("healthcare.adjustment.reason")
        self.env["healthcare.charge"].create(
            [
                {"appointment_id": self.visits["lomax", 4].id, "kind": "expense"},
                {
                    "appointment_id": self.visits["night"].id,
                    "kind": "premium",
                    "price_unit": 25.00,
                },
                {
                    "parent_id": charge["keene", 2].id,
                    "kind": "adjustment",
                    "price_unit": -12.50,
                    "adjustment_reason_id": adjustments["COURTESY"].id,
                },
                {
                    "parent_id": charge["lund", 2].id,
                    "kind": "adjustment",
                    "price_unit": -10.00,
                    "adjustment_reason_id": adjustments["HARDSHIP"].id,
                },
                # Owed by us to a client who had no other care: a credit note.
                {
                    "client_id": self.clients["zeller"].id,
                    "company_id": self.company.id,
                    "billing_account_id": self.clients["zeller"].billing_account_ids.id,
                    "service_date": self._working_days(self.last_month)[9],
                    "kind": "discount",
                    "price_unit": -35.00,
                },
            ]
        )

    def _change_afterwards(self):
        """What changed after care was priced, and must not change a price (R2)."""
        self.env.flush_all()
        self.services["plan"].list_price = 132.00
        payer = self.payers[data.ARCHIVED_FEE_SCHEDULE].with_company(self.company)
        payer.fee_schedule_id.active = False
        self._currency(data.ARCHIVED_CURRENCY).active = False
