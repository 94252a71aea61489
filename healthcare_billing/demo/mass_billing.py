"""A care-management firm that bills by matter: 3 staff, 19 clients, and every kind of agreement."""

from datetime import datetime, time, timedelta

from odoo.fields import Command

from . import mass_billing_data as data
from .company import DemoCompany

MONTHS = ("before", "last", "now")


class MatterFirm(DemoCompany):
    """Loads the firm into the company of ``env``: time and expenses of the month before last, of
    last month and of this one. Nothing is billed yet.

    :ivar accounts: ``{key of the matter: healthcare.billing.account}``
    """

    users = data.USERS

    def __init__(self, env, today=None):
        super().__init__(env, today)
        self.matters = {matter.key: matter for matter in data.MATTERS}
        self.first_days = dict(
            zip(MONTHS, (self.month_before, self.last_month, self.this_month), strict=True)
        )

    def load(self):
        """Create everything.

        :return: self
        """
        self._load_company()
        self._load_staff()
        self.services = self._create_services(data.SERVICES + data.EXPENSES, place="11")
        self._load_payers()
        self._load_clients()
        self._load_accounts()
        self._load_time()
        self._load_expenses()
        self._end_matters()
        self.env.flush_all()
        return self

    @property
    def charges(self):
        """All charges of the firm."""
        return self.env["healthcare.charge"].search([("company_id", "=", self.company.id)])

    def worked(self, key, month):
        """What the work of a matter comes to: worked out here, not by the addon.

        :param str month: before, last or now
        :return: (time, expenses)
        """
        matter = self.matters[key]
        price = {service.key: service.price for service in data.SERVICES}[matter.service]
        # a unit of case management is a quarter of an hour
        units = 4 if matter.service == "case" else 1
        entries = getattr(matter, month)
        hours = sum(entry for entry in entries if not isinstance(entry, tuple))
        return hours * units * price, sum(entry[1] for entry in entries if isinstance(entry, tuple))

    # -- who and what ----------------------------------------------------------------------------
    def _load_company(self):
        """What is billed more or less than the work is booked on an account of its own."""
        account = self.env["account.account"].create(
            {
                "code": "400199",
                "name": "Differences to Agreed Fees",
                "account_type": "income",
                "company_ids": [Command.set(self.company.ids)],
            }
        )
        difference = self.company.healthcare_fee_adjustment_product_id
        difference.with_company(self.company).property_account_income_id = account
        self.difference_account = account
        self.terms = self.env.ref("account.account_payment_term_30days")
        self.company.healthcare_expense_markup = data.MARKUP

    def _load_staff(self):
        self.staff = self._create(
            "hr.employee",
            data.STAFF,
            [
                {"name": name, "job_title": job, "work_email": f"{key}@example.com"}
                for key, (name, job) in data.STAFF.items()
            ],
        )

    def _load_payers(self):
        self.payers = self._create(
            "res.partner",
            data.PAYERS,
            [
                {
                    "name": name,
                    "is_company": True,
                    "is_payer": True,
                    "payer_type": "other",
                    "invoicing_model": model,
                    "email": f"accounts.{key}@example.com",
                    "property_payment_term_id": self.terms.id,
                    **self._at(f"{20 + 5 * number} Court Square", "10997"),
                }
                for number, (key, (name, model)) in enumerate(data.PAYERS.items())
            ],
        )

    def _load_clients(self):
        self.clients = self._create(
            "res.partner",
            self.matters,
            [
                {
                    "name": matter.client,
                    "legal_name": matter.client,
                    "is_healthcare_client": True,
                    "email": f"{key}@example.com",
                    **self._at(f"{5 + 6 * number} Cedar Lane", "10997"),
                }
                for number, (key, matter) in enumerate(self.matters.items())
            ],
        )
        self.contact = self.env["res.partner"].create(
            {
                "name": data.BILLING_CONTACT[1],
                "email": "helen.orr@example.com",
                "company_id": self.company.id,
                **self._at("8 Orchard Street", "10996"),
            }
        )

    def _load_accounts(self):
        sum_only = self.env.ref("healthcare_billing.action_report_care_bill_sum")
        self.accounts = {}
        for key, matter in self.matters.items():
            account = self.accounts[key] = self.clients[key].billing_account_ids
            account.write(
                {
                    "name": f"{matter.client} - {matter.name}",
                    "payer_id": matter.payer and self.payers[matter.payer].id,
                    "guarantor_id": key == data.BILLING_CONTACT[0] and self.contact.id,
                    "default_product_id": self.services[matter.service].id,
                    "payment_term_id": self.terms.id,
                    "invoice_template_id": key == data.SUM_ONLY and sum_only.id,
                    "instalment_ids": [
                        Command.create(
                            {
                                "name": name,
                                "date": self.last_month + timedelta(days=days),
                                "amount": amount,
                            }
                        )
                        for name, days, amount in data.INSTALMENTS.get(key, ())
                    ],
                    **matter.options,
                }
            )

    def _end_matters(self):
        """On hold and closed, with work that was recorded before."""
        for key, status in data.STATUS.items():
            self.accounts[key].billing_status = status

    # -- time and expenses -----------------------------------------------------------------------
    def _entries(self):
        """Yield (matter, day, hours or (expense, amount)) of all that was done."""
        for number, matter in enumerate(data.MATTERS):
            for month, first in self.first_days.items():
                for place, entry in enumerate(getattr(matter, month)):
                    day = first + timedelta(days=2 + number + 2 * place)
                    yield matter, min(day, self.today), entry

    def _load_time(self):
        """A finished appointment per entry of hours."""
        vals_list = []
        for matter, day, hours in self._entries():
            if isinstance(hours, tuple):
                continue
            start = self._utc(datetime.combine(day, time(9)))
            vals_list.append(
                {
                    "company_id": self.company.id,
                    "client_id": self.clients[matter.key].id,
                    "billing_account_id": self.accounts[matter.key].id,
                    "employee_id": self.staff[matter.staff].id,
                    "product_id": self.services[matter.service].id,
                    "start": start,
                    "stop": start + timedelta(hours=hours),
                    "state": "completed",
                    "note_state": "signed",
                }
            )
        self.appointments = self.env["healthcare.appointment"].create(vals_list)

    def _load_expenses(self):
        """What was paid for clients: from a vendor's bill, or typed."""
        self.vendor_bill = self._create_vendor_bill()
        dialog = self.env["healthcare.expense.bill"]._open_for(self.vendor_bill)
        for line, key in zip(dialog.line_ids, data.BOUGHT, strict=False):
            line.billing_account_id = self.accounts[key]
        dialog.action_bill()
        names = {service.key: service.name for service in data.EXPENSES}
        self.env["healthcare.charge"].create(
            [
                {
                    "company_id": self.company.id,
                    "client_id": self.clients[matter.key].id,
                    "billing_account_id": self.accounts[matter.key].id,
                    "payer_id": self.accounts[matter.key].payer_id.id,
                    "product_id": self.services[entry[0]].id,
                    "service_date": day,
                    "kind": "expense",
                    "description": names[entry[0]],
                    "price_unit": entry[1],
                }
                for matter, day, entry in self._entries()
                if isinstance(entry, tuple) and entry[0] != "records"
            ]
        )

    def _create_vendor_bill(self):
        """Records of two clients, and something else, on one bill."""
        lines = [("Certified copy of medical records", cost) for cost in data.BOUGHT.values()]
        vendor = self.env["res.partner"].create({"name": data.VENDOR, "is_company": True})
        day = self.last_month + timedelta(days=12)
        bill = self.env["account.move"].create(
            {
                "move_type": "in_invoice",
                "partner_id": vendor.id,
                "ref": "LR-2207",
                "invoice_date": day,
                "date": day,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "name": name,
                            "quantity": 1.0,
                            "price_unit": cost,
                            "tax_ids": [Command.clear()],
                        }
                    )
                    for name, cost in [*lines, data.NOT_TAKEN]
                ],
            }
        )
        bill._post(soft=False)
        return bill
