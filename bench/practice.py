"""Care to bill: a few clients made by the addon itself, and as many copies as are asked for."""

from datetime import date, datetime, time, timedelta

import pytz

from odoo.fields import Command
from odoo.tools import SQL

from .session import TIME_ZONE

FIRST_DAY = date(2025, 3, 3)
# Orders know no invoice date: theirs is today's, and so is everybody's.
INVOICE_DATE = datetime.now(pytz.timezone(TIME_ZONE)).date()
SEED_CLIENTS = 20
STAFF = 10
SERVICES = (
    ("Individual session", "BENCH1", 95.00),
    ("Group session", "BENCH2", 42.50),
    ("Assessment", "BENCH3", 180.00),
    ("Family session", "BENCH4", 120.00),
    ("Telephone session", "BENCH5", 33.33),
)
SILENT = {
    "tracking_disable": True,
    "mail_create_nolog": True,
    "mail_create_nosubscribe": True,
    "mail_notrack": True,
}

# table -> (how its rows are found, columns that name rows of these tables)
COPIED = {
    "res_partner": ("id", {"commercial_partner_id": "res_partner"}),
    "healthcare_billing_account": ("client_id", {"client_id": "res_partner"}),
    "healthcare_appointment": (
        "client_id",
        {"client_id": "res_partner", "billing_account_id": "healthcare_billing_account"},
    ),
    "healthcare_charge": (
        "client_id",
        {
            "client_id": "res_partner",
            "client_debtor_id": "res_partner",
            "billing_account_id": "healthcare_billing_account",
            "appointment_id": "healthcare_appointment",
        },
    ),
}
# column -> expression; m.new is the id of the copy
NAMES = {
    ("res_partner", "name"): "'Client c' || m.new",
    ("res_partner", "complete_name"): "'Client c' || m.new",
    ("healthcare_appointment", "name"): "'BENCH' || m.new",
}


class Practice:
    """Makes self-paying clients, each with the same number of visits to bill.

    :param env: its company gives the care
    """

    def __init__(self, env):
        self.env = env(context={**env.context, **SILENT})

    @classmethod
    def set_up_once(cls, session):
        """Give the firm of a database its policies, services and staff."""
        with session.transaction(commit=True) as env:
            if not env["product.product"].search_count([("default_code", "like", "BENCH_")]):
                cls(env)._set_up()

    def _set_up(self):
        self.env.company.write(
            {
                "healthcare_tz": TIME_ZONE,
                "healthcare_qa_review": False,
                "healthcare_requires_signed_note": False,
            }
        )
        self.env["product.product"].create(
            [
                {
                    "name": name,
                    "default_code": code,
                    "is_healthcare_service": True,
                    "type": "service",
                    "list_price": price,
                    "taxes_id": [Command.clear()],
                }
                for name, code, price in SERVICES
            ]
        )
        self.env["hr.employee"].create(
            [
                {"name": f"Provider {number}", "is_rendering_provider": True}
                for number in range(STAFF)
            ]
        )

    def add_clients(self, number, visits):
        """New clients with completed visits of one charge each: one invoice per client.

        :param int number: of clients
        :param int visits: of each
        :return: ids of their charges
        """
        seeds = self._make_clients(min(number, SEED_CLIENTS), visits)
        rest = number - len(seeds)
        copies = Copies(self.env, seeds, rest) if rest else ()
        charges = self.env["healthcare.charge"].search([("client_id", "in", seeds)]).ids
        if rest:
            charges += copies.make()
        return charges

    def _make_clients(self, number, visits):
        """Clients and visits as users would type them."""
        offset = self.env["res.partner"].search_count([("is_healthcare_client", "=", True)])
        clients = self.env["res.partner"].create(
            [
                {"name": f"Client {offset + index}", "is_healthcare_client": True}
                for index in range(number)
            ]
        )
        services = self.env["product.product"].search([("default_code", "like", "BENCH_")])
        staff = self.env["hr.employee"].search([("is_rendering_provider", "=", True)])
        self.env["healthcare.appointment"].create(
            [
                {
                    "client_id": client.id,
                    "start": datetime.combine(FIRST_DAY + timedelta(days=visit), time(15)),
                    "employee_id": staff[index % len(staff)].id,
                    "product_id": services[(index + visit) % len(services)].id,
                    "state": "completed",
                }
                for index, client in enumerate(clients)
                for visit in range(visits)
            ]
        )
        self.env.flush_all()
        return clients.ids


class Copies:
    """Copies of clients with all that hangs on them, by ``INSERT … SELECT``.

    What the addon made for the originals is copied column by column; only keys and names differ.

    :param env: environment
    :param list client_ids: the originals
    :param int number: of copies in all; they may be less than a multiple of the originals
    """

    def __init__(self, env, client_ids, number):
        self.env = env
        self.client_ids = client_ids
        self.number = number

    def make(self):
        """Make the copies.

        :return: ids of the new charges
        """
        for table, (owner, references) in COPIED.items():
            self._map(table, owner)
            self._insert(table, references)
        self.env.cr.execute("SELECT new FROM bench_healthcare_charge ORDER BY new")
        charges = [new for (new,) in self.env.cr.fetchall()]
        for table in COPIED:
            self.env.cr.execute(SQL("DROP TABLE %s", SQL.identifier(f"bench_{table}")))
        self.env.invalidate_all()
        return charges

    def _map(self, table, owner):
        """Which new row is the copy of which old one: (old, copy, new)."""
        self.env.cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE %(map)s ON COMMIT DROP AS
                   SELECT t.id AS old, n AS copy,
                          (SELECT COALESCE(MAX(id), 0) FROM %(table)s)
                          + row_number() OVER (ORDER BY n, t.id) AS new
                     FROM %(table)s t
                     JOIN unnest(%(clients)s) WITH ORDINALITY c(id, rank) ON t.%(owner)s = c.id
                     JOIN generate_series(0, %(rounds)s) n
                       ON n * %(length)s + c.rank <= %(number)s""",
                map=SQL.identifier(f"bench_{table}"),
                table=SQL.identifier(table),
                owner=SQL.identifier(owner),
                clients=self.client_ids,
                rounds=self.number // len(self.client_ids),
                length=len(self.client_ids),
                number=self.number,
            )
        )
        self.env.cr.execute(SQL("ANALYZE %s", SQL.identifier(f"bench_{table}")))

    def _insert(self, table, references):
        self.env.cr.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'",
            [table],
        )
        columns = [name for (name,) in self.env.cr.fetchall()]
        joins = [
            SQL(
                "LEFT JOIN %s %s ON %s.old = t.%s AND %s.copy = m.copy",
                SQL.identifier(f"bench_{target}"),
                alias,
                alias,
                SQL.identifier(column),
                alias,
            )
            for column, target in references.items()
            for alias in [SQL.identifier(f"r_{column}")]
        ]
        self.env.cr.execute(
            SQL(
                "INSERT INTO %s (%s) SELECT %s FROM %s t JOIN %s m ON m.old = t.id %s",
                SQL.identifier(table),
                SQL(", ").join(SQL.identifier(name) for name in columns),
                SQL(", ").join(self._value(table, name, references) for name in columns),
                SQL.identifier(table),
                SQL.identifier(f"bench_{table}"),
                SQL(" ").join(joins),
            )
        )
        self.env.cr.execute(
            SQL(
                "SELECT setval(pg_get_serial_sequence(%s, 'id'), (SELECT MAX(id) FROM %s))",
                table,
                SQL.identifier(table),
            )
        )

    def _value(self, table, column, references):
        if column == "id":
            return SQL("m.new")
        if column in references:
            return SQL("%s.new", SQL.identifier(f"r_{column}"))
        if (table, column) in NAMES:
            return SQL(NAMES[table, column])
        return SQL("t.%s", SQL.identifier(column))
