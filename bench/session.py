"""Odoo in this process: one registry, and a fresh transaction for whatever is measured."""

from contextlib import contextmanager

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tools import config

TIME_ZONE = "America/New_York"


class Session:
    """Access to one database.

    :param str database: its name
    :param str addons: further folder with addons, if any
    """

    def __init__(self, database, addons=None):
        options = [f"--database={database}", "--log-level=warn", "--max-cron-threads=0"]
        if addons:
            options.append(f"--addons-path={','.join([*config['addons_path'], addons])}")
        config.parse_config(options, setup_logging=True)
        self.database = database
        self.registry = Registry(database)

    @contextmanager
    def transaction(self, *, user=None, commit=False):
        """A new transaction with an empty cache; rolled back in the end unless it is to be kept.

        :param str user: XML id; default the administrator, with rights checked as for anybody
        :param bool commit: keep what was done
        """
        with self.registry.cursor() as cursor:
            root = api.Environment(cursor, SUPERUSER_ID, {})
            uid = root["ir.model.data"]._xmlid_to_res_id(user or "base.user_admin")
            context = {"lang": "en_US", "tz": TIME_ZONE}
            try:
                yield api.Environment(cursor, uid, context)
                if commit:
                    cursor.commit()
            finally:
                cursor.rollback()

    def analyze(self):
        """Let PostgreSQL know how large its tables are: it plans by what it knew last."""
        with self.registry.cursor() as cursor:
            cursor.execute("ANALYZE")
            cursor.commit()
