from datetime import date, datetime, time, timedelta

import pytz

from odoo import fields
from odoo.fields import Command

from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.addons.mail.tests.common import mail_new_test_user

NPI = "1234567893"  # the example of the NPI standard
STAFF_NPI = "2345678900"
A_DAY = date(2025, 3, 3)  # a Monday in the past, in winter time in New York

# Kind of user -> groups, as docs/rights.md names them.
USER_GROUPS = {
    "no_group": "base.group_user",
    "care_staff": "healthcare_billing.group_care_staff",
    "coordinator": "healthcare_billing.group_coordinator",
    "billing_user": "healthcare_billing.group_billing_user",
    "billing_manager": "healthcare_billing.group_billing_manager",
    "accountant": "account.group_account_user",
    "portal": "base.group_portal",
}


class CareCommon(AccountTestInvoicingCommon):
    """A practice in New York with one payer, two services and one provider.

    Tests run as a user with every right of the practice; ``_user(kind)`` makes the others.
    """

    @classmethod
    def get_default_groups(cls):
        return (
            super().get_default_groups()
            | cls.quick_ref("healthcare_billing.group_billing_manager")
            | cls.quick_ref("hr.group_hr_manager")
        )

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        cls.company.write(
            {
                "healthcare_tz": "America/New_York",
                "healthcare_qa_review": False,
                "healthcare_requires_signed_note": False,
            }
        )
        cls.env = cls.env(context={**cls.env.context, "tz": "America/New_York"})
        cls.today = fields.Date.context_today(cls.env.user)
        cls.diagnosis = cls.env["healthcare.diagnosis"].create(
            {"code": "ZZ9.01", "name": "Test diagnosis"}
        )
        cls.payer = cls._payer("Test Insurance")
        cls.service = cls._service(
            "Therapy", "H0004", 30.0, unit_rule="block", block_minutes=15, default_duration=1.0
        )
        cls.visit_service = cls._service("Nursing", "T1001", 80.0, unit_rule="visit")
        cls.provider = cls._provider("Pat Provider", npi=NPI)

    # -- masters --------------------------------------------------------------------------------

    @classmethod
    def _payer(cls, name, **vals):
        """A payer that is invoiced, one invoice per client."""
        return cls.env["res.partner"].create(
            {
                "name": name,
                "is_company": True,
                "is_payer": True,
                "payer_type": "insurance",
                "invoicing_model": "payer_individual",
            }
            | vals
        )

    @classmethod
    def _service(cls, name, code, price, **vals):
        """A care service without tax, on the company's revenue account."""
        return cls.env["product.product"].create(
            {
                "name": name,
                "default_code": code,
                "is_healthcare_service": True,
                "type": "service",
                "list_price": price,
                "taxes_id": [Command.clear()],
                "supplier_taxes_id": [Command.clear()],
                "categ_id": cls.product_category.id,
                "property_account_income_id": cls.company_data["default_account_revenue"].id,
            }
            | vals
        )

    @classmethod
    def _provider(cls, name, **vals):
        """An employee who gives care."""
        return cls.env["hr.employee"].create(
            {"name": name, "is_rendering_provider": True, "company_id": cls.company.id} | vals
        )

    @classmethod
    def _fee_schedule(cls, rules, payer=None, **vals):
        """A fee schedule, given to a payer.

        :param rules: ``{product: price}``, or a list of pricelist item values
        :param payer: default the common payer
        """
        if isinstance(rules, dict):
            rules = [
                {
                    "applied_on": "0_product_variant",
                    "product_id": product.id,
                    "compute_price": "fixed",
                    "fixed_price": price,
                }
                for product, price in rules.items()
            ]
        schedule = cls.env["product.pricelist"].create(
            {
                "name": "Contract",
                "currency_id": cls.company.currency_id.id,
                "company_id": cls.company.id,
                "item_ids": [Command.create(rule) for rule in rules],
            }
            | vals
        )
        (payer or cls.payer).fee_schedule_id = schedule
        return schedule

    # -- clients --------------------------------------------------------------------------------

    @classmethod
    def _client(cls, name="Self Payer", account=None, **vals):
        """A client with the self-pay billing account that each new client gets.

        :param dict account: values for the billing account
        """
        client = cls.env["res.partner"].create({"name": name, "is_healthcare_client": True} | vals)
        if account:
            client.billing_account_ids.write(account)
        return client

    @classmethod
    def _insured_client(cls, name="Insured", payer=None, copay=0.0, account=None, **vals):
        """A client whose account names a payer, with coverage and a default diagnosis."""
        payer = payer or cls.payer
        client = cls._client(name, **vals)
        coverage = cls._coverage(client, payer, copay_amount=copay)
        client.billing_account_ids.write(
            {
                "payer_id": payer.id,
                "coverage_ids": [Command.set(coverage.ids)],
                "diagnosis_ids": [Command.set(cls.diagnosis.ids)],
            }
            | (account or {})
        )
        return client

    @classmethod
    def _coverage(cls, client, payer, **vals):
        return cls.env["healthcare.coverage"].create(
            {
                "client_id": client.id,
                "payer_id": payer.id,
                "member_id": "M-1",
                "company_id": cls.company.id,
            }
            | vals
        )

    # -- care -----------------------------------------------------------------------------------

    @classmethod
    def _local(cls, day, hour=9.0, company=None):
        """A local time of the practice as naive UTC datetime.

        :param hour: number of hours, 23.5 is 23:30
        """
        minutes = round(hour * 60)
        timezone = pytz.timezone((company or cls.company).healthcare_tz)
        moment = datetime.combine(day, time(0)) + timedelta(minutes=minutes)
        return timezone.localize(moment).astimezone(pytz.utc).replace(tzinfo=None)

    @classmethod
    def _appointment(cls, client, day=A_DAY, hour=9.0, **vals):
        """A completed visit of one hour, by the common provider."""
        return cls.env["healthcare.appointment"].create(
            {
                "client_id": client.id,
                "start": cls._local(day, hour),
                "employee_id": cls.provider.id,
                "product_id": cls.visit_service.id,
                "state": "completed",
            }
            | vals
        )

    @classmethod
    def _charge(cls, client, **vals):
        """The charge of a new appointment.

        :param vals: of the appointment, with ``day`` and ``hour``
        """
        return cls._appointment(client, **vals).charge_ids

    # -- engine ---------------------------------------------------------------------------------

    @classmethod
    def _charges_of(cls, records):
        return records.charge_ids if records._name == "healthcare.appointment" else records

    @classmethod
    def _engine(cls, door=None):
        engine = cls.env["healthcare.billing.engine"]
        return engine.with_context(healthcare_billing_door=door) if door else engine

    @classmethod
    def _plan(cls, charges, door=None, **options):
        """Plan charges (or the charges of appointments)."""
        return cls._engine(door).plan(cls._charges_of(charges), **options)

    @classmethod
    def _execute(cls, charges, post=False, door=None, **options):
        """Plan and execute; returns the run."""
        plan = cls._plan(charges, door=door, **options)
        return cls._engine(door).execute(plan, post=post)

    @classmethod
    def _codes(cls, charges, door=None, **options):
        """Block codes of one charge, as a set."""
        charges = cls._charges_of(charges).ensure_one()
        return set(cls._plan(charges, door=door, **options).blocked.get(charges.id, ()))

    # -- users ----------------------------------------------------------------------------------

    @classmethod
    def _user(cls, kind, login=None, **vals):
        """A user of one kind, see ``USER_GROUPS``; care staff have an employee."""
        user = mail_new_test_user(
            cls.env,
            login=login or f"care_{kind}",
            name=kind.replace("_", " ").title(),
            groups=USER_GROUPS[kind],
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
            **vals,
        )
        if kind == "care_staff":
            cls.env["hr.employee"].create(
                {
                    "name": user.name,
                    "user_id": user.id,
                    "company_id": cls.company.id,
                    "npi": STAFF_NPI,
                }
            )
        return user

    @classmethod
    def _users(cls, *kinds):
        """``{kind: user}`` for these kinds, default all."""
        return {kind: cls._user(kind) for kind in kinds or USER_GROUPS}

    @classmethod
    def _act_as(cls, user):
        """Environment of a user in the company of these tests."""
        return cls.env(user=user, context={"allowed_company_ids": cls.company.ids})
