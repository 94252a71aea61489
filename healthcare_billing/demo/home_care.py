"""A home-care agency of 4 caregivers and 11 clients, beside the practice: a company of its own."""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from odoo.fields import Command

from . import home_care_data as data
from .company import DemoCompany

# Each day of the week comes four times in them, whatever the month.
DAYS = 28


class Visit:
    """A visit of the tables, and what it has to come to: worked out here, not by the addon.

    :ivar hours: billed if it is approved as it was planned or clocked
    """

    def __init__(self, agency, client, number, day, values):
        self.agency, self.client, self.number, self.day = agency, client, number, day
        self.values = dict(values)
        self.late = self.values.pop("late", False)
        self.later = self.values.pop("later", False)
        self.unapproved = self.values.pop("unapproved", False)
        self.rejected = self.values.pop("rejected", False)
        self.overtime = self.values.pop("overtime", 0)
        self.service = self.values.pop("service", client.service)
        self.reason = self.values.pop("reason", "")
        self.override = self.values.get("bill_override_qty")
        self.appointment = None

    @property
    def is_billable(self):
        """Whether it may ever be billed as it is."""
        return bool(
            self.service
            and not self.rejected
            and not self.values.get("is_vacant")
            and self.values.get("state") != "canceled"
            and not (self.client.payer == "waiver" and self.service == "respite")
        )

    @property
    def department(self):
        return "nursing" if self.client.service == "nurse" else "support"

    @property
    def units(self):
        """Override, or hours to the nearest quarter of one, or one per visit."""
        if self.override is not None:
            return self.override
        if self.service == "escort":
            return 1.0
        minutes = self.client.hours * 60 + self.overtime
        return int(minutes / 15 + 0.5) / 4

    @property
    def amount(self):
        """What its charges must come to, premiums included."""
        payer = self.agency.payer_rows.get(self.client.payer)
        fee = self.agency.service_rows[self.service].price
        if payer:
            fee = payer.fees.get(self.service, fee)
            if self.day == self.agency.holiday:
                multiplied = round(fee * payer.values.get("holiday_multiplier", 1.0), 4)
                fee = payer.holiday_fees.get(self.service, multiplied)
        return self._cents(self.units * fee) + self._premiums()

    @staticmethod
    def _cents(amount):
        """Half a cent is one, as on an invoice."""
        return float(Decimal(str(round(amount, 6))).quantize(Decimal("0.01"), ROUND_HALF_UP))

    def _premiums(self):
        if self.client.payer == "waiver" or self.values.get("state") == "no_show":
            return 0.0
        price = {key: row.price for key, row in self.agency.service_rows.items()}
        is_holiday = self.day == self.agency.holiday and self.client.payer in ("", "pine")
        return self._cents(
            price["weekend"] * (self.day.weekday() >= 5)
            + price["evening"] * (self.client.start.hour >= 18)
            + price["holiday"] * is_holiday
            + price["mile"] * self.values.get("distance", 0.0)
        )


class HomeCareAgency(DemoCompany):
    """Loads the agency into the company of ``env``: care of the month before last, of last month,
    and what is scheduled. Nothing is approved yet.

    :param env: of an administrator; its company has a chart of accounts
    :param date today: default today in the company's time zone
    """

    users = data.USERS

    def __init__(self, env, today=None):
        super().__init__(env, today)
        self.payer_rows = {payer.key: payer for payer in data.PAYERS}
        self.service_rows = {service.key: service for service in data.SERVICES}
        wednesdays = [day for day in self._days(self.last_month) if day.weekday() == 2]
        self.holiday = wednesdays[1]
        self.visits = {}  # (first of month, client, number) -> Visit

    def load(self):
        """Create everything.

        :return: self
        """
        self._load_company()
        self._load_staff()
        self._load_services()
        self._load_payers()
        self._load_premiums()
        self._load_clients()
        self._load_visits()
        self.env.flush_all()
        return self

    @property
    def appointments(self):
        """All visits of the agency."""
        return self.env["healthcare.appointment"].search([("company_id", "=", self.company.id)])

    def visits_of(self, month, department="support"):
        """Visits of the tables in a month.

        :return: list of :class:`Visit`
        """
        return [
            visit
            for (first, _client, _number), visit in self.visits.items()
            if first == month and visit.department == department
        ]

    # -- who and what ----------------------------------------------------------------------------
    def _load_company(self):
        calendar = self.env["resource.calendar"].create(
            {"name": "Holidays of Care", "company_id": self.company.id}
        )
        midnight = self._utc(datetime.combine(self.holiday, datetime.min.time()))
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Founders' Day",
                "calendar_id": calendar.id,
                "company_id": self.company.id,
                "date_from": midnight,
                "date_to": midnight + timedelta(hours=23, minutes=59),
            }
        )
        accrued = self.env["account.account"].create(
            {
                "code": "101499",
                "name": "Accrued Revenue of Care",
                "account_type": "asset_current",
                "company_ids": [Command.set(self.company.ids)],
            }
        )
        self.company.write(
            {
                "healthcare_holiday_calendar_id": calendar.id,
                "healthcare_accrual_account_id": accrued.id,
                "healthcare_npi": self._npi("299901600"),
            }
        )

    def _load_staff(self):
        self.departments = self._create(
            "hr.department",
            data.DEPARTMENTS,
            [{"name": name} for name in data.DEPARTMENTS.values()],
        )
        self.staff = self._create(
            "hr.employee",
            data.CAREGIVERS,
            [
                {
                    "name": name,
                    "work_email": f"{key}@example.com",
                    "department_id": self.departments[department].id,
                    "is_rendering_provider": True,
                    "npi": self._npi(npi),
                }
                for key, (name, npi, department) in data.CAREGIVERS.items()
            ],
        )

    def _load_services(self):
        self.services = self._create_services(data.SERVICES, place="12")

    def _load_payers(self):
        self.payers = self._create(
            "res.partner",
            [payer.key for payer in data.PAYERS],
            [
                {
                    "name": payer.name,
                    "is_company": True,
                    "is_payer": True,
                    "payer_type": "other",
                    "email": f"claims.{payer.key}@example.com",
                    "invoicing_model": payer.model,
                    **payer.values,
                }
                for payer in data.PAYERS
            ],
        )
        for payer in data.PAYERS:
            if payer.fees:
                schedule = self.env["product.pricelist"].create(
                    {
                        "name": f"{payer.name} {self.last_month.year}",
                        "company_id": self.company.id,
                        "currency_id": self.company.currency_id.id,
                        "item_ids": [
                            Command.create(
                                {
                                    "applied_on": "0_product_variant",
                                    "product_id": self.services[service].id,
                                    "compute_price": "fixed",
                                    "fixed_price": price,
                                    "is_holiday_rate": is_holiday,
                                }
                            )
                            for fees, is_holiday in (
                                (payer.fees, False),
                                (payer.holiday_fees, True),
                            )
                            for service, price in fees.items()
                        ],
                    }
                )
                self.payers[payer.key].with_company(self.company).fee_schedule_id = schedule

    def _load_premiums(self):
        """Weekend, evening, holiday and mile; the state's program pays none of them."""
        others = [Command.set([p.id for key, p in self.payers.items() if key != "waiver"])]
        common = {"payer_ids": others, "include_self_pay": True}
        rules = {
            "weekend": {"name": "Weekend", "rule": "weekend", **common},
            "evening": {
                "name": "Evening",
                "rule": "window",
                "hour_from": 18.0,
                "hour_to": 6.0,
                **common,
            },
            "holiday": {
                "name": "Holiday",
                "rule": "holiday",
                "include_self_pay": True,
                "payer_ids": [Command.set(self.payers["pine"].ids)],
            },
            "mile": {"name": "Mileage", "rule": "mile", **common},
        }
        self.premiums = self._create(
            "healthcare.premium",
            rules,
            [{**values, "product_id": self.services[key].id} for key, values in rules.items()],
        )

    def _load_clients(self):
        groups = self.env["res.partner.category"].create(
            [{"name": name} for name in data.GROUPS.values()]
        )
        groups = dict(zip(data.GROUPS, groups, strict=True))
        self.clients = self._create(
            "res.partner",
            [client.key for client in data.CLIENTS],
            [
                {
                    "name": client.name,
                    "legal_name": client.name,
                    "is_healthcare_client": True,
                    "category_id": [Command.set(groups[client.group].ids)],
                    "email": f"{client.key}@example.com",
                    **self._at(f"{3 + 8 * number} Harbor Road", "10998"),
                }
                for number, client in enumerate(data.CLIENTS)
            ],
        )
        diagnosis = self.env["healthcare.diagnosis"].search([("code", "=", data.DIAGNOSIS)])
        key, name = data.GUARANTOR
        guarantor = self.env["res.partner"].create(
            {"name": name, "email": "family@example.com", "company_id": self.company.id}
        )
        self.accounts = {}
        for number, client in enumerate(data.CLIENTS):
            account = self.accounts[client.key] = self.clients[client.key].billing_account_ids
            account.write(
                {
                    "payer_id": client.payer and self.payers[client.payer].id,
                    "guarantor_id": client.key == key and guarantor.id,
                    "default_product_id": self.services[client.service].id,
                    "department_id": self.departments[
                        "nursing" if client.service == "nurse" else "support"
                    ].id,
                    "diagnosis_ids": [Command.set(diagnosis.ids)],
                }
            )
            if client.payer:
                coverage = self.env["healthcare.coverage"].create(
                    {
                        "client_id": self.clients[client.key].id,
                        "payer_id": self.payers[client.payer].id,
                        "member_id": f"H{1000 + number}",
                        "company_id": self.company.id,
                    }
                )
                account.coverage_ids = coverage
        self.client_premium = self.env["healthcare.client.premium"].create(
            {
                "account_id": self.accounts[data.BUTTON].id,
                "product_id": self.services["button"].id,
                "period": "month",
                "date_from": self.month_before,
            }
        )

    # -- visits ----------------------------------------------------------------------------------
    def _days(self, month):
        return [month + timedelta(days=number) for number in range(DAYS)]

    def _load_visits(self):
        reasons = {r.code: r for r in self.env["healthcare.cancel.reason"].search([])}
        for month, odd in (
            (self.month_before, data.MONTH_BEFORE),
            (self.last_month, data.LAST_MONTH),
        ):
            for client in data.CLIENTS:
                days = [day for day in self._days(month) if day.weekday() in client.days]
                for number, day in enumerate(days, start=1):
                    self.visits[month, client.key, number] = Visit(
                        self, client, number, day, odd.get((client.key, number), {})
                    )
        values = [self._visit_values(visit, reasons) for visit in self.visits.values()]
        appointments = self.env["healthcare.appointment"].create(values)
        for visit, appointment in zip(self.visits.values(), appointments, strict=True):
            visit.appointment = appointment
        self._load_unscheduled()
        self._load_planned()

    def _visit_values(self, visit, reasons):
        client = visit.client
        start = self._utc(datetime.combine(visit.day, client.start))
        stop = start + timedelta(hours=client.hours)
        held = visit.values.get("state", "scheduled") == "scheduled"
        held = held and not visit.values.get("is_vacant")
        # a few minutes early, and as many early home
        clocked = {
            "clock_in": start - timedelta(minutes=4),
            "clock_out": stop - timedelta(minutes=4) + timedelta(minutes=visit.overtime),
        }
        return {
            "client_id": self.clients[client.key].id,
            "employee_id": self.staff[client.staff].id,
            "product_id": self.services[visit.service].id if visit.service else False,
            "start": start,
            "stop": stop,
            "cancel_reason_id": visit.reason and reasons[visit.reason].id,
            **(clocked if held else {}),
            **visit.values,
        }

    def _load_unscheduled(self):
        """Somebody clocked in at a client's who wasn't on the schedule."""
        key, at = data.UNSCHEDULED
        start = self._utc(datetime.combine(self.last_month + timedelta(days=10), at))
        self.unscheduled = self.env["healthcare.appointment"].create(
            {
                "client_id": self.clients[key].id,
                "employee_id": self.staff["tanaka"].id,
                "product_id": self.services["aide"].id,
                "start": start,
                "clock_in": start,
                "clock_out": start + timedelta(minutes=50),
                "is_unscheduled": True,
            }
        )

    def _load_planned(self):
        """The next week's visits."""
        tomorrow = self.today + timedelta(days=1)
        self.env["healthcare.appointment"].create(
            [
                {
                    "client_id": self.clients[client.key].id,
                    "employee_id": self.staff[client.staff].id,
                    "product_id": self.services[client.service].id,
                    "start": self._utc(datetime.combine(day, client.start)),
                    "stop": self._utc(datetime.combine(day, client.start))
                    + timedelta(hours=client.hours),
                }
                for client in data.CLIENTS
                for day in (tomorrow + timedelta(days=number) for number in range(7))
                if day.weekday() in client.days
            ]
        )
