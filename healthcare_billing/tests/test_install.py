from psycopg2.errors import UndefinedColumn

from odoo.tests import TransactionCase, tagged
from odoo.tools import mute_logger
from odoo.tools.sql import column_exists, table_columns

from .. import hooks
from .common import CareCommon

# Tables of other modules that may be large when this addon is installed.
NATIVE_MODELS = (
    "account.move",
    "account.move.line",
    "res.partner",
    "product.template",
    "product.product",
    "hr.employee",
)


@tagged("post_install", "-at_install")
class TestInstall(TransactionCase):
    """Installing on a ledger in use computes no old row."""

    def _filled_columns(self):
        """Columns of ours on native tables that the ORM fills for old rows unless they exist."""
        found = {}
        for model in NATIVE_MODELS:
            records = self.env[model]
            for name, field in records._fields.items():
                if field._module != "healthcare_billing" or not field.column_type:
                    continue
                if not field.store or field.inherited or field.company_dependent:
                    continue
                default = field.default and field.default(records)
                if field.compute or default not in (None, False):
                    found.setdefault(records._table, set()).add(name)
        return found

    def test_hook_prepares_every_column_that_old_rows_would_be_filled_in(self):
        filled = self._filled_columns()
        self.assertIn("charge_live", filled["account_move_line"])
        self.assertEqual(
            {table: set(columns) for table, columns in hooks.PREPARED_COLUMNS.items()}, filled
        )

    def test_hook_prepares_columns_of_the_fields_types(self):
        """Another type would make the ORM convert the column, row by row."""
        for table, columns in hooks.PREPARED_COLUMNS.items():
            model = self.env[table.replace("_", ".")]
            existing = table_columns(self.cr, table)
            for name, sql_type in columns.items():
                with self.subTest(table=table, column=name):
                    self.assertEqual(sql_type, model._fields[name].column_type[0])
                    self.assertEqual(existing[name]["udt_name"], sql_type)

    def test_hook_adds_empty_columns_to_old_tables(self):
        self.env.flush_all()
        for table, columns in hooks.PREPARED_COLUMNS.items():
            for name in columns:
                self.cr.execute(f'ALTER TABLE "{table}" DROP COLUMN "{name}" CASCADE')
        with mute_logger("odoo.sql_db"), self.assertRaises(UndefinedColumn), self.cr.savepoint():
            self.cr.execute("SELECT charge_live FROM account_move_line")
        hooks.pre_init_hook(self.env)
        for table, columns in hooks.PREPARED_COLUMNS.items():
            for name, sql_type in columns.items():
                self.assertTrue(column_exists(self.cr, table, name))
                self.assertEqual(table_columns(self.cr, table)[name]["udt_name"], sql_type)
                self.cr.execute(f'SELECT count("{name}") FROM "{table}"')
                self.assertEqual(self.cr.fetchone(), (0,))

    def test_hook_runs_twice(self):
        """Installing again after an uninstall that left a column is no error."""
        hooks.pre_init_hook(self.env)

    def test_old_rows_are_left_empty(self):
        """What a row from before the addon holds reads as nothing, not as something to compute."""
        template = self.env["product.template"].create({"name": "Older than the addon"})
        columns = hooks.PREPARED_COLUMNS["product_template"]
        assignments = ", ".join(f'"{name}" = NULL' for name in columns)
        self.env.flush_all()
        self.cr.execute(f"UPDATE product_template SET {assignments} WHERE id = %s", [template.id])
        template.invalidate_recordset()
        for name in columns:
            self.assertFalse(template[name])
        template.name = "Still works"
        self.env.flush_all()

    def test_pricelists_option_is_implied_and_each_company_has_a_default_list(self):
        user_group = self.env.ref("base.group_user")
        self.assertIn(self.env.ref("product.group_product_pricelist"), user_group.all_implied_ids)


@tagged("post_install", "-at_install")
class TestUninstall(CareCommon):
    """Leaving: native records stay whole."""

    def test_hook_frees_base_group_user_from_our_groups(self):
        user_group = self.env.ref("base.group_user")
        self.env["res.config.settings"].create(
            {"group_use_qa": True, "group_use_transport": True}
        ).execute()
        ours = (
            self.env["ir.model.data"]
            .sudo()
            .search([("module", "=", "healthcare_billing"), ("model", "=", "res.groups")])
            .mapped("res_id")
        )
        self.assertTrue(set(user_group.implied_ids.ids) & set(ours))
        native = set(user_group.implied_ids.ids) - set(ours)
        hooks.uninstall_hook(self.env)
        self.assertEqual(set(user_group.implied_ids.ids), native)
        self.assertIn(self.env.ref("product.group_product_pricelist").id, native)

    def test_hook_touches_no_native_record(self):
        schedule = self._fee_schedule({self.visit_service: 65.0})
        client = self._insured_client()
        move = self._execute(self._charge(client), post=True).line_ids.move_id
        before = move.copy_data(), move.amount_total, move.line_ids.ids
        hooks.uninstall_hook(self.env)
        self.env.invalidate_all()
        self.assertEqual((move.copy_data(), move.amount_total, move.line_ids.ids), before)
        self.assertEqual(move.state, "posted")
        for record in (schedule, client, self.payer, self.visit_service, self.provider):
            self.assertTrue(record.exists().active)

    def test_native_rows_need_nothing_of_ours(self):
        """No foreign key of a native table deletes native rows together with ours."""
        self.cr.execute(
            """
            SELECT conrelid::regclass::text, conname
              FROM pg_constraint
             WHERE contype = 'f' AND confdeltype = 'c'
               AND conrelid::regclass::text = ANY(%s)
               AND confrelid::regclass::text LIKE 'healthcare_%%'
            """,
            [[self.env[model]._table for model in NATIVE_MODELS]],
        )
        self.assertEqual(self.cr.fetchall(), [])
        required = [
            f"{model}.{name}"
            for model in (*NATIVE_MODELS, "res.partner")
            for name, field in self.env[model]._fields.items()
            if field._module == "healthcare_billing" and field.required
        ]
        self.assertEqual(required, [])

    def test_our_records_own_no_native_ones(self):
        """Data of ours in native models goes with the addon; what users made doesn't."""
        data = (
            self.env["ir.model.data"]
            .sudo()
            .search(
                [
                    ("module", "=", "healthcare_billing"),
                    ("model", "in", [*NATIVE_MODELS, "product.pricelist", "account.journal"]),
                ]
            )
        )
        demo = data.filtered(lambda d: "demo" in d.name)
        self.assertFalse((data - demo).mapped("complete_name"))


@tagged("post_install", "-at_install")
class TestModuleData(TransactionCase):
    """What users may have changed isn't written again by an update."""

    def test_code_sets_survive_updates(self):
        data = self.env["ir.model.data"].search(
            [
                ("module", "=", "healthcare_billing"),
                (
                    "model",
                    "in",
                    (
                        "healthcare.adjustment.reason",
                        "healthcare.cancel.reason",
                        "healthcare.diagnosis",
                        "healthcare.modifier",
                        "healthcare.place.of.service",
                        "ir.sequence",
                        "ir.rule",
                    ),
                ),
            ]
        )
        self.assertTrue(data)
        self.assertFalse(data.filtered(lambda d: not d.noupdate).mapped("complete_name"))
