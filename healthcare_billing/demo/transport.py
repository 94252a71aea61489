"""A medical-transport company: vans and an ambulance, 19 passengers, and who pays for them."""

from datetime import datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

from dateutil.relativedelta import relativedelta

from odoo.fields import Command

from . import transport_data as data
from .company import DemoCompany

MONTHS = 5  # that are over


class Trip:
    """A trip of the tables, and what it has to come to: worked out here, not by the addon."""

    def __init__(self, company, client, day, values):
        self.company, self.client, self.day = company, client, day
        self.values = dict(values)
        self.waited = self.values.pop("waited", 0)
        self.reason = self.values.pop("reason", "")
        self.appointment = None

    @property
    def is_missed(self):
        return self.values.get("state") == "no_show"

    @property
    def amount(self):
        """Base rate, miles and waiting, at the contract's prices or retail."""
        service = self.client.service
        amount = self._fee(service)
        if not self.is_missed:
            amount += self._cents(self.client.miles * self._fee(f"{service}_mile"))
            amount += self.waited * self._fee("waiting")
        return round(amount, 2)

    def _fee(self, service):
        payer = self.company.payer_rows.get(self.client.payer)
        retail = self.company.service_rows[service].price
        return payer.fees.get(service, retail) if payer else retail

    @staticmethod
    def _cents(amount):
        """Half a cent is one, as on an invoice."""
        return float(Decimal(str(round(amount, 6))).quantize(Decimal("0.01"), ROUND_HALF_UP))


class TransportCompany(DemoCompany):
    """Loads the company into the company of ``env``. Its trips come month by month, as they were
    driven: what was owed at the end of a month doesn't know of the next one.

    :ivar first_days: ``{number of the month: its first day}``; 1 is five months ago, 5 last month,
        6 this one
    :ivar trips: ``{(number of the month, client, number in the month): Trip}``
    """

    users = data.USERS

    def __init__(self, env, today=None):
        super().__init__(env, today)
        self.payer_rows = {payer.key: payer for payer in data.PAYERS}
        self.service_rows = {service.key: service for service in data.SERVICES}
        self.first_days = {
            number: self.this_month - relativedelta(months=MONTHS + 1 - number)
            for number in range(1, MONTHS + 2)
        }
        self.trips = {}

    def load(self):
        """Create all but the trips.

        :return: self
        """
        self._load_company()
        self._load_crew()
        self._load_services()
        self._load_payers()
        self._load_mileage()
        self._load_clients()
        self.env.flush_all()
        return self

    @property
    def charges(self):
        """All charges of the company, corrections included."""
        return self.env["healthcare.charge"].search([("company_id", "=", self.company.id)])

    def trips_of(self, *keys, months=None):
        """Trips of clients, or of a payer's clients.

        :param str keys: of clients and payers; empty for all
        :param months: numbers; empty for all
        :return: list of :class:`Trip`
        """
        return [
            trip
            for (month, client, _number), trip in self.trips.items()
            if (not keys or client in keys or trip.client.payer in keys)
            and (not months or month in months)
        ]

    def create_users(self):
        """Those of the office, and a client who looks at her statements in the portal."""
        users = super().create_users()
        client = self.clients[data.PORTAL]
        self.env["res.users"].with_context(no_reset_password=True).create(
            {
                "partner_id": client.id,
                "name": client.name,
                "login": data.PORTAL_LOGIN,
                "password": data.PORTAL_LOGIN,
                "company_id": self.company.id,
                "company_ids": [Command.set(self.company.ids)],
                "group_ids": [Command.set(self.env.ref("base.group_portal").ids)],
            }
        )
        return users

    # -- who and what ----------------------------------------------------------------------------
    def _load_company(self):
        self.company.write(
            {
                "healthcare_qa_review": True,
                "healthcare_npi": self._npi(data.NPI),
                "healthcare_taxonomy_code": data.TAXONOMY,
                "vat": data.TAX_ID,
            }
        )
        self._create(
            "account.journal", ["cash"], [{"name": "Cash", "code": "CSH9", "type": "cash"}]
        )
        self._load_losses()
        self._load_online_payment()

    def _load_online_payment(self):
        """Pay statements with the provider that only pretends to, where it is installed."""
        if self.env["ir.module.module"]._get("payment_demo").state != "installed":
            return
        provider = self.env.ref("payment.payment_provider_demo").copy(
            {"company_id": self.company.id, "state": "test", "is_published": True}
        )
        provider.journal_id = self.env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", self.company.id)], limit=1
        )
        methods = self.env["payment.method"].with_context(active_test=False)
        provider.payment_method_ids = methods.search([("code", "=", "demo")], limit=1)
        provider.payment_method_ids.active = True

    def _load_losses(self):
        """Accounts of what isn't collected, by the kind of the reason."""
        reasons = self.env["healthcare.adjustment.reason"].search([])
        for kind, (code, name) in data.LOSSES.items():
            own = reasons.filtered(lambda reason, kind=kind: reason.kind == kind)
            own.with_company(self.company).account_id = self.env["account.account"].create(
                {
                    "code": code,
                    "name": name,
                    "account_type": "income" if code < "5" else "expense",
                    "company_ids": [Command.set(self.company.ids)],
                }
            )

    def _load_crew(self):
        self.staff = self._create(
            "hr.employee",
            data.CREW,
            [
                {
                    "name": name,
                    "job_title": job,
                    "work_email": f"{key}@example.com",
                    "is_rendering_provider": bool(npi),
                    "npi": self._npi(npi),
                    "taxonomy_code": npi and data.TAXONOMY,
                }
                for key, (name, job, npi) in data.CREW.items()
            ],
        )

    def _load_services(self):
        """Rides, and the miles that each kind of ride has on top."""
        self.services = self._create_services(data.SERVICES, place="41")

    def _load_mileage(self):
        """Miles are a premium of the ride: charged for whatever distance was driven. Claims tell
        of services only, so insurers' miles are a second service of the trip instead.
        """
        others = [p.id for key, p in self.payers.items() if key not in data.INSURERS]
        self.premiums = self._create(
            "healthcare.premium",
            data.RIDES,
            [
                {
                    "name": self.services[f"{ride}_mile"].name,
                    "rule": "mile",
                    "product_id": self.services[f"{ride}_mile"].id,
                    "service_ids": [Command.set(self.services[ride].ids)],
                    "payer_ids": [Command.set(others)],
                    "include_self_pay": True,
                }
                for ride in data.RIDES
            ],
        )

    def _load_payers(self):
        self.payers = self._create(
            "res.partner",
            self.payer_rows,
            [
                {
                    "name": payer.name,
                    "is_company": True,
                    "is_payer": True,
                    "payer_type": payer.kind,
                    "invoicing_model": payer.model,
                    "email": f"accounts.{payer.key}@example.com",
                    **self._at(f"{300 + 10 * number} North Road", "10995"),
                    **payer.values,
                }
                for number, payer in enumerate(data.PAYERS)
            ],
        )
        for payer in data.PAYERS:
            if payer.fees:
                self.payers[payer.key].with_company(
                    self.company
                ).fee_schedule_id = self._create_contract(payer)

    def _create_contract(self, payer):
        """A rule per price that was agreed; what was left blank has none."""
        return self.env["product.pricelist"].create(
            {
                "name": f"{payer.name} {self.first_days[1].year}",
                "company_id": self.company.id,
                "currency_id": self.company.currency_id.id,
                "item_ids": [
                    Command.create(
                        {
                            "applied_on": "0_product_variant",
                            "product_id": self.services[service].id,
                            "compute_price": "fixed",
                            "fixed_price": price,
                        }
                    )
                    for service, price in payer.fees.items()
                ],
            }
        )

    def _load_clients(self):
        self.clients = self._create(
            "res.partner",
            [client.key for client in data.CLIENTS],
            [
                {
                    "name": client.name,
                    "legal_name": client.name,
                    "is_healthcare_client": True,
                    "birth_date": self.this_month.replace(year=1938 + number),
                    "sex": ("female", "male")[number % 2],
                    "email": f"{client.key}@example.com",
                    **self._at(f"{4 + 9 * number} Ferry Lane", "10995"),
                }
                for number, client in enumerate(data.CLIENTS)
            ],
        )
        key, name = data.GUARANTOR
        guarantor = self.env["res.partner"].create(
            {
                "name": name,
                "email": "julia.pratt@example.com",
                "company_id": self.company.id,
                **self._at("61 Ferry Lane", "10995"),
            }
        )
        diagnosis = self._by_code("healthcare.diagnosis")[data.DIAGNOSIS]
        self.accounts = {}
        for number, client in enumerate(data.CLIENTS):
            account = self.accounts[client.key] = self.clients[client.key].billing_account_ids
            account.write(
                {
                    "payer_id": client.payer and self.payers[client.payer].id,
                    "guarantor_id": client.key == key and guarantor.id,
                    "default_product_id": self.services[client.service].id,
                    "diagnosis_ids": [Command.set(diagnosis.ids)],
                }
            )
            if client.copay is not None:
                account.coverage_ids = self.env["healthcare.coverage"].create(
                    {
                        "client_id": self.clients[client.key].id,
                        "payer_id": self.payers[client.payer].id,
                        "member_id": f"T{2000 + 7 * number}",
                        "copay_amount": client.copay,
                        "company_id": self.company.id,
                    }
                )

    # -- trips -----------------------------------------------------------------------------------
    def drive(self, month):
        """Trips of a month: driven, priced and reviewed, but for the odd ones.

        :param int month: its number
        :return: list of :class:`Trip`
        """
        trips = {
            (month, client.key, number): Trip(
                self,
                client,
                self.first_days[month] + timedelta(days=day),
                data.ODD_TRIPS.get((month, client.key, number), {}),
            )
            for client in data.CLIENTS
            if month in client.months
            for number, day in enumerate(client.days, start=1)
        }
        reasons = self._by_code("healthcare.cancel.reason")
        appointments = self.env["healthcare.appointment"].create(
            [self._trip_values(key, trip, reasons) for key, trip in trips.items()]
        )
        for trip, appointment in zip(trips.values(), appointments, strict=True):
            trip.appointment = appointment
        self.trips.update(trips)
        self._charge_by_hand(trips.values())
        self.env.flush_all()
        return list(trips.values())

    def _trip_values(self, key, trip, reasons):
        _month, _client, number = key
        start = self._utc(datetime.combine(trip.day, time(7 + 2 * number)))
        driven = timedelta(minutes=15 + round(3 * trip.client.miles))
        clocked = {"clock_in": start, "clock_out": start + driven}
        return {
            **self._route(trip.client, number % 2 == 0),
            "start": start,
            "stop": start + driven,
            "distance": 0.0 if trip.is_missed else trip.client.miles,
            "state": "completed",
            "note_state": "signed",
            "qa_state": "done",
            "cancel_reason_id": trip.reason and reasons[trip.reason].id,
            "abn_signed_on": "abn_signed_by" in trip.values and trip.day,
            **({} if trip.is_missed else clocked),
            **trip.values,
        }

    def _route(self, client, is_return):
        """Who is driven, by whom, whence and where."""
        home = self.clients[client.key]
        places = [f"{home.street}, {home.city}", client.destination]
        pickup, dropoff = reversed(places) if is_return else places
        return {
            "company_id": self.company.id,
            "client_id": home.id,
            "employee_id": self.staff[data.CREW_OF[client.service]].id,
            "product_id": self.services[client.service].id,
            "pickup_address": pickup,
            "dropoff_address": dropoff,
        }

    def _charge_by_hand(self, trips):
        """Half hours that a crew waited, and miles that insurers are told of."""
        waiting = [
            {
                "appointment_id": trip.appointment.id,
                "kind": "premium",
                "product_id": self.services["waiting"].id,
                "quantity": trip.waited,
            }
            for trip in trips
            if trip.waited
        ]
        miles = [
            {
                "appointment_id": trip.appointment.id,
                "kind": "service",
                "product_id": self.services[f"{trip.client.service}_mile"].id,
                "quantity": trip.client.miles,
                "diagnosis_ids": [Command.set(trip.appointment.diagnosis_ids.ids)],
            }
            for trip in trips
            if trip.client.payer in data.INSURERS
        ]
        self.env["healthcare.charge"].create(waiting + miles)

    def schedule(self):
        """Trips of next week."""
        rows = {client.key: client for client in data.CLIENTS}
        self.scheduled = self.env["healthcare.appointment"].create(
            [
                {
                    **self._route(rows[key], is_return=False),
                    "start": self._utc(
                        datetime.combine(self.today + timedelta(days=3 + number), time(9))
                    ),
                    "distance": rows[key].miles,
                }
                for number, key in enumerate(data.SCHEDULED)
            ]
        )
