"""The addon comes to a ledger that is in use, and leaves it, without touching what is there.

Works on copies of the database that has the addon's dependencies only; ``./dev test`` names it.
"""

import json
import re
import unittest

from databases import copy_database, drop_database, required_template, run, shell

from odoo.tests.common import get_db_name

ADDON = "healthcare_billing"
MOVES, LINES_PER_MOVE = 2500, 20
# Tables that may be huge, and are the customer's: an installation adds columns, and writes nothing.
NATIVE_TABLES = (
    "account_move",
    "account_move_line",
    "res_partner",
    "product_template",
    "product_product",
    "hr_employee",
    "hr_version",
)
# Administrators get the new groups.
MAY_CHANGE = {"res_partner": "id NOT IN (SELECT partner_id FROM res_users)"}
COMPLAINT = re.compile(r"^\S+ \S+ \d+ (WARNING|ERROR|CRITICAL) .*", re.MULTILINE)

# Rows made by Odoo itself, which SQL then multiplies: so they are as valid as it gets.
OLD_LEDGER = """
from odoo.fields import Command
company = env.company
partner = env["res.partner"].create({"name": "Old customer", "is_company": True})
product = env["product.product"].create({"name": "Old product", "default_code": "00000"})
env["hr.employee"].create([{"name": f"Old employee {i}"} for i in range(20)])
env["product.pricelist"].create({"name": "Old price list"})
move = env["account.move"].create({
    "move_type": "out_invoice", "partner_id": partner.id, "invoice_date": "2024-05-06",
    "invoice_line_ids": [
        Command.create({"product_id": product.id, "price_unit": 10.01 + i})
        for i in range(%(product_lines)s)
    ],
})
move.action_post()
assert len(move.line_ids) == %(lines)s, len(move.line_ids)
env.flush_all()

def multiply(table, template_id, number, **changed):
    env.cr.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_name = %%s AND column_name <> 'id' AND is_generated = 'NEVER'", [table])
    values = {name: f'"{name}"' for (name,) in env.cr.fetchall()} | changed
    env.cr.execute(
        f'INSERT INTO {table} ({", ".join(values)}) SELECT {", ".join(values.values())}'
        f" FROM {table} JOIN generate_series(1, {number}) n ON TRUE"
        f" WHERE {'move_id' if table == 'account_move_line' else 'id'} = {template_id}")

multiply("res_partner", partner.id, 2000, name="'Old customer ' || n",
         complete_name="'Old customer ' || n", commercial_partner_id="NULL")
env.cr.execute("UPDATE res_partner SET commercial_partner_id = id"
               " WHERE commercial_partner_id IS NULL")
multiply("product_template", product.product_tmpl_id.id, 500)
env.cr.execute("INSERT INTO product_product (product_tmpl_id, active, default_code)"
               " SELECT id, TRUE, 'OLD' || id FROM product_template t WHERE NOT EXISTS"
               " (SELECT 1 FROM product_product p WHERE p.product_tmpl_id = t.id)")
env.cr.execute("SELECT last_value FROM account_move_id_seq")
first = env.cr.fetchone()[0]
multiply("account_move", move.id, %(moves)s - 1, id=f"{first} + n", sequence_number="1000 + n",
         name="'OLD/2024/' || 1000 + n", sequence_prefix="'OLD/2024/'")
env.cr.execute("SELECT setval('account_move_id_seq', MAX(id)) FROM account_move")
multiply("account_move_line", move.id, %(moves)s - 1, move_id=f"{first} + n",
         move_name="'OLD/2024/' || 1000 + n")
env.cr.execute("INSERT INTO account_move_line_account_tax_rel SELECT l.id, p.taxes_id"
               " FROM account_move_line l CROSS JOIN (SELECT %%s AS taxes_id) p"
               " WHERE l.display_type = 'product' AND l.move_id > %%s",
               [product.taxes_id.id, first])
env.cr.commit()
env.cr.execute("ANALYZE")
"""

# What a practice leaves behind; prints the native facts that must survive.
CARE = """
import json
from odoo import fields
from odoo.fields import Command
payer = env["res.partner"].create({
    "name": "Insurance", "is_company": True, "is_payer": True,
    "invoicing_model": "payer_individual", "payer_type": "other"})
schedule = env["product.pricelist"].create({"name": "Contract"})
payer.fee_schedule_id = schedule
client = env["res.partner"].create({"name": "Care Client", "is_healthcare_client": True})
client.billing_account_ids.payer_id = payer
product = env["product.product"].create({
    "name": "Nursing", "default_code": "T1001", "is_healthcare_service": True, "list_price": 80.0})
employee = env["hr.employee"].create(
    {"name": "Pat Provider", "is_rendering_provider": True, "npi": "1234567893"})
env["res.company"].search([]).write({"healthcare_qa_review": False})
env.ref("base.group_user").implied_ids += env.ref("healthcare_billing.group_use_qa")
visits = env["healthcare.appointment"].create([{
    "client_id": client.id, "product_id": product.id, "employee_id": employee.id,
    "start": fields.Datetime.subtract(fields.Datetime.now(), days=day), "state": "completed",
} for day in (2, 3, 4)])
visits[0].charge_ids.amount_client = 20.0
visits[0].message_post(body="Note")
env["ir.attachment"].create({"name": "note", "raw": b"x", "res_model": visits._name,
                             "res_id": visits[0].id})
engine = env["healthcare.billing.engine"]
posted = engine.execute(engine.plan(visits[:2].charge_ids), post=True).move_ids
posted[0]._reverse_moves(cancel=True)
draft = engine.execute(engine.plan(visits[2].charge_ids)).move_ids
moves = posted | posted.reversal_move_ids | draft
assert set(moves.mapped("state")) == {"posted", "draft"}
env.flush_all()
print("FACTS" + json.dumps({
    "moves": {move.id: [move.name, move.state, move.amount_total, move.amount_residual,
                        len(move.line_ids), sum(move.line_ids.mapped("debit"))] for move in moves},
    "partners": (payer | client).ids, "product": product.id, "employee": employee.id,
    "pricelists": env["product.pricelist"].search([]).ids,
    "sequences": env["ir.sequence"].search([("code", "like", "healthcare.%")]).ids,
}))
env.cr.commit()
"""

# Odoo still computes on what is left: an open invoice can be paid, a draft posted.
AFTER_UNINSTALL = """
from odoo import fields
assert "healthcare.charge" not in env
assert "charge_id" not in env["account.move.line"]._fields
for move in env["account.move"].browse(%(moves)s):
    if move.state == "draft":
        move.action_post()
    if move.move_type == "out_invoice" and move.payment_state == "not_paid":
        env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids).create({})._create_payments()
    assert move.payment_state in ("paid", "in_payment", "reversed"), move.payment_state
env["res.config.settings"].create({}).execute()
env.cr.commit()
"""


class Facts:
    """What is made once for all tests: a database with an old ledger and then the addon."""

    installed: str
    log: str


def setUpModule():
    template = required_template("HEALTHCARE_DEPENDENCIES_DB")
    # ./dev removes what begins with the name of its test database, however the tests end
    DatabaseCase.database = Facts.installed = f"{get_db_name()}-installed"
    copy_database(template, Facts.installed)
    DatabaseCase.make_old_ledger()
    Facts.log = DatabaseCase.install()


def tearDownModule():
    drop_database(Facts.installed)


class DatabaseCase(unittest.TestCase):
    """Looks at, and works on, one database from outside."""

    database: str

    @classmethod
    def sql(cls, query):
        """Rows of a query, as lists of text; NULL is an empty one."""
        out = run(
            "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-F", "\t", "-d", cls.database, "-c", query
        )
        return [line.split("\t") for line in out.splitlines() if line]

    @classmethod
    def shell(cls, script):
        return shell(cls.database, script)

    @classmethod
    def install(cls):
        """Install the addon; returns the log."""
        return run(
            "odoo", "-d", cls.database, "-i", ADDON, "--stop-after-init", "--no-http"
        )  # fmt: skip

    @classmethod
    def make_old_ledger(cls):
        cls.shell(
            OLD_LEDGER
            # the invoice's tax and receivable lines come on top of its product lines
            % {"moves": MOVES, "lines": LINES_PER_MOVE, "product_lines": LINES_PER_MOVE - 2}
        )
        cls.sql("CREATE SCHEMA old")
        for table in NATIVE_TABLES:
            cls.sql(f"CREATE TABLE old.{table} AS SELECT *, xmin::text AS version FROM {table}")

    def state(self):
        return self.sql(f"SELECT state FROM ir_module_module WHERE name = '{ADDON}'")[0][0]

    @classmethod
    def work_on_copy(cls, name):
        """From now on work on a copy: what is changed there doesn't concern other tests.

        :return: function that goes back to the original
        """
        original, cls.database = cls.database, f"{cls.database}-{name}"
        copy_database(original, cls.database)

        def go_back():
            drop_database(cls.database)
            cls.database = original

        return go_back

    def assert_no_complaints(self, log):
        self.assertEqual([found.group() for found in COMPLAINT.finditer(log)], [])

    def assert_values_as_before(self, table):
        """Every old row has its old values in every old column."""
        condition = f"WHERE {MAY_CHANGE[table]}" if table in MAY_CHANGE else ""
        columns = [
            f'"{name}"'
            for (name,) in self.sql(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = 'old'"
                f" AND table_name = '{table}' AND column_name <> 'version' ORDER BY 1"
            )
        ]
        names = ", ".join(columns)
        lost = self.sql(
            f"SELECT id FROM (SELECT {names} FROM old.{table} EXCEPT ALL SELECT {names}"
            f" FROM public.{table}) lost {condition}"
        )
        self.assertEqual(lost[:10], [], f"{len(lost)} rows of {table} changed")


class TestInstallation(DatabaseCase):
    """Installing over 50,000 journal items."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.log = Facts.log
        cls.columns = cls.sql(
            "SELECT table_name, column_name FROM information_schema.columns new"
            " WHERE table_schema = 'public' AND table_name IN"
            " (SELECT tablename FROM pg_tables WHERE schemaname = 'old') AND NOT EXISTS"
            " (SELECT 1 FROM information_schema.columns old WHERE old.table_schema = 'old'"
            " AND old.table_name = new.table_name AND old.column_name = new.column_name)"
        )

    def test_installs_without_a_complaint(self):
        self.assertEqual(self.state(), "installed")
        self.assert_no_complaints(self.log)

    def test_the_old_ledger_is_one(self):
        """The test would say nothing about an empty or invalid ledger."""
        self.assertGreaterEqual(
            int(self.sql("SELECT COUNT(*) FROM old.account_move_line")[0][0]), 50000
        )
        unbalanced = self.sql(
            "SELECT move_id FROM account_move_line GROUP BY move_id HAVING SUM(balance) <> 0"
        )
        self.assertEqual(unbalanced, [])
        self.addCleanup(self.work_on_copy("changed"))
        self.shell(
            "move = env['account.move'].search([('name', '=', 'OLD/2024/2000')])\n"
            "lines = move.line_ids\n"
            "assert not lines.filtered('charge_live') and not move.has_charges\n"
            "move.button_draft(); move.action_post()\n"
            "assert move.state == 'posted' and move.line_ids == lines\n"
        )

    def test_no_old_row_is_rewritten(self):
        """An UPDATE gives a row a new version; adding a column doesn't."""
        for table in NATIVE_TABLES:
            with self.subTest(table=table):
                rows = self.sql(
                    f"SELECT o.id FROM old.{table} o LEFT JOIN public.{table} n USING (id)"
                    " WHERE n.xmin::text IS DISTINCT FROM o.version"
                    f" AND {MAY_CHANGE.get(table, 'TRUE')}"
                )
                self.assertEqual(rows[:10], [], f"{len(rows)} rows of {table} were rewritten")
                self.assert_values_as_before(table)

    def test_our_columns_are_empty_on_old_rows(self):
        for expected in (
            ["account_move", "billing_ref"],
            ["account_move", "service_date_from"],
            ["account_move_line", "charge_live"],
            ["res_partner", "is_healthcare_client"],
            ["product_template", "unit_rule"],
            ["hr_employee", "npi"],
        ):
            self.assertIn(expected, self.columns)
        for table, name in self.columns:
            with self.subTest(table=table, column=name):
                filled = self.sql(
                    f"SELECT COUNT(*) FROM public.{table} JOIN old.{table} USING (id)"
                    f' WHERE public.{table}."{name}" IS NOT NULL'
                )
                self.assertEqual(filled, [["0"]])

    def test_the_guard_is_there(self):
        """Constraints that can't be added are only a warning to Odoo."""
        found = {name for (name,) in self.sql("SELECT conname FROM pg_constraint")}
        self.assertLessEqual(
            {"account_move_line_charge_live_once", "account_move_line_charge_responsibility"}, found
        )

    def test_every_company_has_a_time_zone(self):
        self.assertEqual(self.sql("SELECT id FROM res_company WHERE healthcare_tz IS NULL"), [])

    def test_updating_rewrites_nothing_either(self):
        """The next version comes to a ledger that is still the practice's."""
        tables = [table for table in NATIVE_TABLES if table.startswith("account")]
        before = {t: self.sql(f"SELECT MAX(xmin::text::bigint) FROM {t}") for t in tables}
        self.addCleanup(self.work_on_copy("changed"))
        log = run("odoo", "-d", self.database, "-u", ADDON, "--stop-after-init", "--no-http")
        after = {t: self.sql(f"SELECT MAX(xmin::text::bigint) FROM {t}") for t in tables}
        self.assert_no_complaints(log)
        self.assertEqual(after, before)


class TestUninstallation(DatabaseCase):
    """Uninstalling after care was billed, and installing again."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.addClassCleanup(cls.work_on_copy("left"))
        cls.our_fields = cls._xml_ids("ir.model.fields")
        cls.our_groups = cls._xml_ids("res.groups")
        cls.our_menus = cls._xml_ids("ir.ui.menu")
        out = cls.shell(CARE)
        cls.facts = json.loads(out.partition("FACTS")[2].splitlines()[0])
        cls.log = run("odoo", "module", "uninstall", "-d", cls.database, ADDON)

    @classmethod
    def _xml_ids(cls, model):
        """Records that are the addon's alone."""
        rows = cls.sql(
            f"SELECT res_id FROM ir_model_data WHERE model = '{model}' GROUP BY res_id"
            f" HAVING MIN(module) = '{ADDON}' AND MAX(module) = '{ADDON}'"
        )
        return [int(id_) for (id_,) in rows]

    def test_uninstalls_without_a_complaint(self):
        self.assertEqual(self.state(), "uninstalled")
        self.assert_no_complaints(self.log)

    def test_native_records_stay_with_their_amounts(self):
        ids = ", ".join(self.facts["moves"])
        rows = self.sql(
            "SELECT m.id, m.name, m.state, m.amount_total, m.amount_residual,"
            " COUNT(*), SUM(l.debit) FROM account_move m JOIN account_move_line l"
            f" ON l.move_id = m.id WHERE m.id IN ({ids}) GROUP BY m.id"
        )
        found = {
            id_: [name, state, float(total), float(residual), int(lines), float(debit)]
            for id_, name, state, total, residual, lines, debit in rows
        }
        expected = {
            id_: [fact[0] or "", *fact[1:5], round(fact[5], 2)]
            for id_, fact in self.facts["moves"].items()
        }
        self.assertEqual(found, expected)
        for table, ids in (
            ("res_partner", self.facts["partners"]),
            ("product_product", [self.facts["product"]]),
            ("hr_employee", [self.facts["employee"]]),
            ("product_pricelist", self.facts["pricelists"]),
        ):
            where = ", ".join(map(str, ids))
            active = self.sql(f"SELECT COUNT(*) FROM {table} WHERE active AND id IN ({where})")
            self.assertEqual(active, [[str(len(ids))]], table)
        for table in NATIVE_TABLES:
            self.assert_values_as_before(table)

    def test_nothing_of_ours_stays(self):
        self.assertTrue(self.our_fields and self.our_groups and self.our_menus)
        queries = (
            """SELECT table_name FROM information_schema.tables
                WHERE table_name LIKE '%healthcare%'""",
            """SELECT table_name, column_name FROM information_schema.columns
                WHERE table_schema = 'public' AND (column_name LIKE '%healthcare%' OR column_name
                   IN ('charge_id', 'charge_live', 'credit_of_line_id', 'responsibility', 'npi',
                       'billing_ref', 'billing_run_id', 'service_date_from', 'is_payer',
                       'code_system',
                       'fee_schedule_id', 'unit_rule', 'taxonomy_code', 'birth_date'))""",
            """SELECT conname FROM pg_constraint WHERE conname LIKE '%healthcare%'
                   OR conname LIKE '%charge_live%' OR conname LIKE '%charge_resp%'""",
            """SELECT indexname FROM pg_indexes WHERE indexname LIKE '%healthcare%'
                   OR indexdef LIKE '%charge_id%'""",
            f"SELECT model, name FROM ir_model_data WHERE module = '{ADDON}'",
            f"SELECT id FROM ir_model_fields WHERE id IN ({', '.join(map(str, self.our_fields))})",
            f"SELECT id FROM res_groups WHERE id IN ({', '.join(map(str, self.our_groups))})",
            "SELECT model FROM ir_model WHERE model LIKE 'healthcare.%'",
            "SELECT name FROM ir_act_window WHERE res_model LIKE 'healthcare.%'",
            f"""SELECT name FROM ir_ui_view
                 WHERE arch_fs LIKE '{ADDON}/%' OR model LIKE 'healthcare.%'""",
            f"SELECT id FROM ir_ui_menu WHERE id IN ({', '.join(map(str, self.our_menus))})",
            "SELECT code FROM ir_sequence WHERE code LIKE 'healthcare.%'",
            "SELECT model FROM mail_message WHERE model LIKE 'healthcare.%'",
            "SELECT res_model FROM mail_followers WHERE res_model LIKE 'healthcare.%'",
            "SELECT res_model FROM ir_attachment WHERE res_model LIKE 'healthcare.%'",
            f"SELECT path FROM ir_asset WHERE path LIKE '%{ADDON}%'",
        )
        for query in queries:
            with self.subTest(query=query):
                self.assertEqual(self.sql(query), [])
        for id_ in self.facts["sequences"]:
            self.assertEqual(
                self.sql(f"SELECT 1 FROM pg_class WHERE relname = 'ir_sequence_{id_:03d}'"), []
            )

    def test_internal_users_keep_only_what_odoo_gave_them(self):
        """The feature switches are gone; Pricelists stays on: off would archive all of them."""
        implied = self.sql(
            "SELECT i.hid FROM res_groups_implied_rel i JOIN ir_model_data d ON d.res_id = i.gid"
            " AND d.module = 'base' AND d.name = 'group_user' WHERE d.model = 'res.groups'"
        )
        self.assertFalse({int(id_) for (id_,) in implied} & set(self.our_groups))
        pricelists = self.sql(
            "SELECT res_id FROM ir_model_data WHERE module = 'product'"
            " AND name = 'group_product_pricelist'"
        )
        self.assertIn(pricelists[0], implied)
        users = ", ".join(map(str, self.our_groups))
        self.assertEqual(
            self.sql(f"SELECT uid FROM res_groups_users_rel WHERE gid IN ({users})"), []
        )

    def test_the_books_go_on_and_it_can_come_back(self):
        self.addCleanup(self.work_on_copy("changed"))
        self.shell(AFTER_UNINSTALL % {"moves": [int(id_) for id_ in self.facts["moves"]]})
        archived = self.sql(
            "SELECT id FROM product_pricelist WHERE NOT active"
            f" AND id IN ({', '.join(map(str, self.facts['pricelists']))})"
        )
        self.assertEqual(archived, [], "saving Settings archived the price lists")
        log = self.install()
        self.assertEqual(self.state(), "installed")
        self.assert_no_complaints(log)
        self.shell(CARE)
