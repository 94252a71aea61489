"""What the demo companies have in common: their dates, addresses, services and users."""

from datetime import datetime
from types import MappingProxyType

import pytz
from dateutil.relativedelta import relativedelta
from stdnum import luhn

from odoo.fields import Command

QUIET = {
    "tracking_disable": True,
    "mail_create_nolog": True,
    "mail_create_nosubscribe": True,
    "mail_notrack": True,
}


class DemoCompany:
    """A firm that is loaded into the company of ``env``: two months that are over, and this one.

    :param env: of an administrator; its company has a chart of accounts
    :param date today: default today in the company's time zone
    :cvar users: ``{login: (name, groups)}``; the login is the password, too
    """

    users = MappingProxyType({})

    def __init__(self, env, today=None):
        self.env = env(context={**env.context, **QUIET})
        self.company = env.company
        self.timezone = self.company._care_timezone()
        self.today = today or datetime.now(self.timezone).date()
        self.this_month = self.today.replace(day=1)
        self.last_month = self.this_month - relativedelta(months=1)
        self.month_before = self.this_month - relativedelta(months=2)

    def create_users(self):
        """One user per kind of work.

        :return: ``{login: res.users}``
        """
        users = self.env["res.users"].with_context(no_reset_password=True)
        created = users.create(
            [
                {
                    "name": name,
                    "login": login,
                    "password": login,
                    "email": f"{login}@example.com",
                    "tz": self.company.healthcare_tz,
                    "company_id": self.company.id,
                    "company_ids": [Command.set(self.company.ids)],
                    "group_ids": [
                        Command.set(
                            [self.env.ref(f"healthcare_billing.{group}").id for group in groups]
                        )
                    ],
                }
                for login, (name, groups) in self.users.items()
            ]
        )
        return dict(zip(self.users, created, strict=True))

    def _create(self, model, keys, vals_list):
        """Create records, with the company.

        :return: ``{key: record}``
        """
        vals_list = [{"company_id": self.company.id, **vals} for vals in vals_list]
        return dict(zip(keys, self.env[model].create(vals_list), strict=True))

    def _create_services(self, services, place):
        """Untaxed services that are given at one kind of place.

        :param services: rows with key, code, name, price and values of ``product.product``
        :param str place: code of the place of service
        :return: ``{key: product.product}``
        """
        places = self._by_code("healthcare.place.of.service")
        return self._create(
            "product.product",
            [service.key for service in services],
            [
                {
                    "name": service.name,
                    "default_code": service.code,
                    "is_healthcare_service": True,
                    "list_price": service.price,
                    "place_of_service_id": places[place].id,
                    "taxes_id": [Command.clear()],
                    **service.values,
                }
                for service in services
            ],
        )

    def _by_code(self, model):
        return {record.code: record for record in self.env[model].search([])}

    @staticmethod
    def _npi(digits):
        """A National Provider Identifier from its first nine digits."""
        return digits and digits + luhn.calc_check_digit("80840" + digits)

    def _at(self, street, zip_code):
        """Values of an address; all of them are in one town."""
        return {
            "street": street,
            "city": "Maple Falls",
            "state_id": self.env.ref("base.state_us_27").id,
            "zip": zip_code,
            "country_id": self.env.ref("base.us").id,
        }

    def _utc(self, local):
        """A local time as the ORM wants it."""
        return self.timezone.localize(local).astimezone(pytz.utc).replace(tzinfo=None)
