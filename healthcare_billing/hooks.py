"""Installing on, and leaving, a ledger that is already in use."""

from odoo.tools import SQL
from odoo.tools.sql import column_exists

# Stored computed columns, and columns with a default, on tables that may hold millions of rows. A
# column that exists before the module is loaded is left empty by the ORM, which is the right value
# for every old row.
PREPARED_COLUMNS = {
    "account_move": {
        "service_date_from": "date",
        "service_date_to": "date",
        "claim_state": "varchar",
        "production_state": "varchar",
    },
    "account_move_line": {"charge_live": "bool", "charge_credited": "numeric"},
    "product_template": {
        "code_system": "varchar",
        # plain fields with a default: the ORM would write it on every old product
        "unit_rule": "varchar",
        "block_minutes": "int4",
        "rounding_method": "varchar",
        "rounding_minutes": "varchar",
        "time_basis": "varchar",
        "default_duration": "float8",
    },
}


def pre_init_hook(env):
    """Add the stored computed columns by SQL, so that no old row is computed."""
    for table, columns in PREPARED_COLUMNS.items():
        for column, sql_type in columns.items():
            if not column_exists(env.cr, table, column):
                env.cr.execute(
                    SQL(
                        "ALTER TABLE %s ADD COLUMN %s %s",
                        SQL.identifier(table),
                        SQL.identifier(column),
                        SQL(sql_type),  # pylint: disable=sql-injection  # a constant of this file
                    )
                )


def uninstall_hook(env):
    """Take our feature switches out of base.group_user, so that their groups can be deleted.

    Invoices, partners, products and employees are native records: they stay, without our columns.
    The Pricelists option stays on, because switching it off would archive the price lists.
    """
    feature_groups = env["res.groups"].browse(
        env["ir.model.data"]
        .search([("module", "=", "healthcare_billing"), ("model", "=", "res.groups")])
        .mapped("res_id")
    )
    env.ref("base.group_user").implied_ids -= feature_groups
