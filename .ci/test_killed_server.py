"""A server that is killed in the middle of a run loses, halves and doubles nothing.

Works on a copy of the test database, with real servers that get SIGKILL; ``./dev test`` starts it.
"""

import os
import random
import signal
import subprocess
import time
import unittest

import psycopg2
from databases import copy_database, drop_database, required_template, shell

from odoo.tests.common import get_db_name

ROWS = 400  # four chunks
# Kills while invoices are made and posted, and while they are undone.
KILLS = {"execute": 6, "undo": 3}
DONE = {
    "execute": "SELECT COUNT(*) FROM healthcare_billing_run_line WHERE state = 'created'",
    "undo": "SELECT COUNT(*) FROM healthcare_billing_run_line WHERE state = 'undone'",
}
PATIENCE = 120  # seconds, for anything that must happen

# A practice with enough care for a run in the background.
PRACTICE = """
from datetime import timedelta
from odoo import fields
env["account.chart.template"].try_loading("generic_coa", env.company, install_demo=False)
env.company.write({"healthcare_qa_review": False, "healthcare_background_rows": 10})
service = env["product.product"].create({
    "name": "Nursing", "default_code": "T1001", "is_healthcare_service": True, "list_price": 80.0,
    "taxes_id": False})
clients = env["res.partner"].create(
    [{"name": f"Client {i}", "is_healthcare_client": True} for i in range(%(rows)s)])
visits = env["healthcare.appointment"].create([{
    "client_id": client.id, "product_id": service.id, "state": "completed",
    "start": fields.Datetime.now() - timedelta(days=2),
} for client in clients])
run = env["healthcare.billing.engine"].plan(visits.charge_ids).save()
run.post = True
assert run.line_count == %(rows)s, run.line_count
env["ir.cron"].search([("id", "!=", env.ref("healthcare_billing.ir_cron_billing_run").id)]).write(
    {"active": False})
run.action_execute()
assert run.state == "running", run.state
env.cr.commit()
env.cr.execute("ANALYZE")
env.cr.commit()
"""

UNDO = """
run = env["healthcare.billing.run"].search([])
run.action_undo()
assert run.state == "running", run.state
env.cr.commit()
"""


def setUpModule():
    KilledServerCase.database = f"{get_db_name()}-killed"
    copy_database(required_template("HEALTHCARE_ADDON_DB"), KilledServerCase.database)
    shell(KilledServerCase.database, PRACTICE % {"rows": ROWS})


def tearDownModule():
    drop_database(KilledServerCase.database)


class KilledServerCase(unittest.TestCase):
    database = ""

    def setUp(self):
        self.connection = self._connect(self.database)
        self.bell = self._connect("postgres")  # where servers listen
        self.server = None
        self.addCleanup(self._kill)

    def _connect(self, database):
        connection = psycopg2.connect(
            dbname=database, host=os.environ["PGHOST"], user=os.environ["PGUSER"]
        )
        connection.autocommit = True
        self.addCleanup(connection.close)
        return connection

    # -- the server -----------------------------------------------------------------------------

    def _start(self):
        """Start a server that does nothing but scheduled actions."""
        self.server = subprocess.Popen(
            ["odoo", "-d", self.database, "--no-http", "--max-cron-threads=1", "--log-level=error"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def _kill(self):
        """SIGKILL, and wait until the database has noticed."""
        if not self.server:
            return
        os.killpg(self.server.pid, signal.SIGKILL)
        self.server.wait()
        self.server = None
        self._wait_for(
            "SELECT COUNT(*) = 0 FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    def _rows(self, query):
        with self.connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    def _value(self, query):
        return self._rows(query)[0][0]

    def _wait_for(self, query):
        """Wait until a query says true."""
        end = time.monotonic() + PATIENCE
        while not self._value(query):
            self.assertLess(time.monotonic(), end, f"waited in vain: {query}")
            time.sleep(0.02)

    def _wait_until_it_works(self):
        """The scheduled action holds the lock on its own record while it works.

        A server looks for work once a minute, or when it is notified; and what was killed often in
        a row has to wait for its next turn. Nobody has time for that here.
        """
        end = time.monotonic() + PATIENCE
        while self._rows(
            "UPDATE ir_cron SET nextcall = now() - interval '1 day' WHERE id IN ("
            " SELECT id FROM ir_cron WHERE id = (SELECT res_id FROM ir_model_data"
            " WHERE module = 'healthcare_billing' AND name = 'ir_cron_billing_run')"
            " FOR NO KEY UPDATE SKIP LOCKED) RETURNING id"
        ):
            self.assertLess(time.monotonic(), end, "the scheduled action doesn't start")
            with self.bell.cursor() as cursor:
                cursor.execute("SELECT pg_notify('cron_trigger', %s)", [self.database])
            time.sleep(0.1)

    # -- what must be true whenever it is looked at ---------------------------------------------

    def _done(self, task):
        """Number of rows that have got what the task is for."""
        return self._value(DONE[task])

    def _assert_whole(self):
        """Each row has an invoice that is whole, or none; no care is billed twice."""
        for wrong, query in {
            "created row without its invoice": """
                SELECT l.id FROM healthcare_billing_run_line l
             LEFT JOIN account_move m ON m.id = l.move_id
                 WHERE l.state = 'created' AND (m.id IS NULL OR m.state <> 'posted')""",
            "invoice without its row": """
                SELECT m.id FROM account_move m WHERE m.billing_run_id IS NOT NULL
                   AND m.move_type = 'out_invoice' AND m.id NOT IN (
                       SELECT move_id FROM healthcare_billing_run_line
                        WHERE move_id IS NOT NULL)""",
            "unfinished row with an invoice": """
                SELECT id FROM healthcare_billing_run_line
                 WHERE state = 'planned' AND move_id IS NOT NULL""",
            "row that failed": """
                SELECT id FROM healthcare_billing_run_line
                 WHERE state IN ('failed', 'skipped') OR message IS NOT NULL""",
            "half an invoice": """
                SELECT m.id FROM account_move m JOIN account_move_line l ON l.move_id = m.id
                 WHERE m.billing_run_id IS NOT NULL
              GROUP BY m.id HAVING SUM(l.balance) <> 0
                    OR COUNT(*) FILTER (WHERE l.display_type = 'product') <> 1
                    OR COUNT(*) FILTER (WHERE l.display_type = 'payment_term') <> 1""",
            "care billed twice": """
                SELECT charge_id FROM account_move_line WHERE charge_live
              GROUP BY charge_id HAVING COUNT(*) > 1""",
            "charge that doesn't know its invoice": """
                SELECT c.id FROM healthcare_charge c
                 WHERE (c.billing_stage IN ('draft', 'awaiting_payment')) <> EXISTS (
                       SELECT 1 FROM account_move_line l WHERE l.charge_id = c.id
                          AND l.charge_live)""",
            "number that is missing or there twice": """
                SELECT sequence_prefix FROM account_move
                 WHERE state = 'posted' AND move_type = 'out_invoice'
              GROUP BY sequence_prefix
                HAVING MAX(sequence_number) - MIN(sequence_number) + 1 <> COUNT(*)
                    OR COUNT(DISTINCT sequence_number) <> COUNT(*)""",
        }.items():
            with self.subTest(wrong):
                self.assertFalse(self._rows(query))

    # -- tests ----------------------------------------------------------------------------------

    def _kill_often(self, task):
        """Kill servers at random moments until enough, then let one finish."""
        chance = random.Random(f"{task} 2")
        for number in range(KILLS[task]):
            self._start()
            self._wait_until_it_works()
            before = self._done(task)
            if number % 2:  # a chunk further at least, so that the work ends one day
                self._wait_for(f"SELECT ({DONE[task]}) > {min(before, ROWS - 1)}")
            time.sleep(chance.uniform(0.0, 1.5))
            self._kill()
            self._assert_whole()
            self.assertGreaterEqual(self._done(task), before)
        self._start()
        self._wait_until_it_works()
        self._wait_for("SELECT state = 'done' FROM healthcare_billing_run")
        self._kill()
        self._assert_whole()
        self.assertEqual(self._done(task), ROWS)
        self.assertEqual(
            self._value(
                "SELECT COUNT(*) FROM mail_message WHERE model = 'healthcare.billing.run'"
                " AND message_type = 'user_notification'"
            ),
            1 if task == "execute" else 2,
        )

    def test_kill_while_billing_and_while_undoing(self):
        self._kill_often("execute")
        self.assertEqual(
            self._value("SELECT COUNT(*) FROM account_move WHERE billing_run_id IS NOT NULL"), ROWS
        )
        shell(self.database, UNDO)
        self._kill_often("undo")
        self.assertEqual(
            self._value("SELECT COUNT(*) FROM account_move WHERE billing_run_id IS NOT NULL"), 0
        )
        self.assertEqual(
            self._value(
                "SELECT COUNT(*) FROM healthcare_charge WHERE billing_stage = 'billing_office'"
            ),
            ROWS,
        )
