from psycopg2.errors import LockNotAvailable

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .statement_race_common import StatementRaceCommon
from .test_concurrency import RETRIED


@tagged("post_install", "-at_install")
class TestStatementCloseConcurrency(StatementRaceCommon):
    """Two committed transactions close the same statement: exactly one of them does (R29)."""

    def setUp(self):
        super().setUp()
        with self._committed() as env:
            statement = self._make_statement(env)
            statement._commit()
            self.assertEqual(statement.line_count, 1)
            self.statement_id = statement.id

    def _statement(self, env):
        return env["healthcare.statement"].browse(self.statement_id)

    def _pay(self, env):
        statement = self._statement(env)
        payment = statement._close_paid(
            50.0,
            env["account.journal"].browse(self.journal_id),
            fields.Date.context_today(statement),
        )
        env.flush_all()
        return payment

    def _unpaid(self, env):
        self._statement(env)._close_unpaid()
        env.flush_all()

    @mute_logger("odoo.sql_db")
    def test_r29_rival_paid_after_we_looked(self):
        with self._session() as ours:
            self.assertEqual(self._statement(ours).state, "committed")
            with self._committed() as rival:
                self._pay(rival)
            with self.assertRaises(RETRIED):
                self._pay(ours)
        with self._committed() as again, self.assertRaisesRegex(UserError, "was closed already"):
            self._pay(again)
        with self._committed() as env:
            statement = self._statement(env)
            self.assertEqual(statement.payment_ids.mapped("amount"), [50.0])
            self.assertEqual(statement.amount_due_now, 0.0)
            self.assertProof(env)

    @mute_logger("odoo.sql_db")
    def test_r29_rival_is_not_done_yet(self):
        with self._session() as rival:
            self._unpaid(rival)
            with self._session() as ours, self.assertRaisesRegex(UserError, "Another user"):
                self._unpaid(ours)
            rival.cr.commit()
        with self._committed() as env:
            self.assertEqual(self._statement(env).line_ids.charge_id.statement_count, 1)
            self.assertProof(env)

    @mute_logger("odoo.sql_db")
    def test_r29_paid_by_one_and_unpaid_for_the_other(self):
        with self._session() as ours:
            self.assertEqual(self._statement(ours).state, "committed")
            with self._committed() as rival:
                self._pay(rival)
            with self.assertRaises(RETRIED):
                self._unpaid(ours)
        with self._committed() as env:
            self.assertEqual(self._statement(env).state, "paid")
            self.assertEqual(self._statement(env).line_ids.charge_id.statement_count, 0)
            self.assertProof(env)

    @mute_logger("odoo.sql_db")
    def test_r29_second_click_in_the_dialog_of_many(self):
        with self._committed() as env:
            action = self._statement(env).action_bulk_close()
            bulk = env["healthcare.statement.bulk"].browse(action["res_id"])
            bulk.write({"operation": "paid", "journal_id": self.journal_id})
        with self._session() as ours:
            second = ours["healthcare.statement.bulk"].browse(bulk.id)
            self.assertFalse(second.is_started)
            with self._committed() as rival:
                rival["healthcare.statement.bulk"].browse(bulk.id).action_run()
            with self.assertRaises(RETRIED):
                second.action_run()
                ours.flush_all()
        with self._committed() as again:
            again["healthcare.statement.bulk"].browse(bulk.id).action_run()
            self.assertEqual(len(self._statement(again).payment_ids), 1)
            self.assertProof(again)

    @mute_logger("odoo.sql_db")
    def test_r29_money_from_online_waits_for_its_turn(self):
        """Somebody works on the invoice for a moment: the payment isn't put on account for that."""
        with self._committed() as env:
            statement = self._statement(env)
            locked = {
                "account_move": statement.move_ids.id,
                "healthcare_charge": statement.line_ids.charge_id.id,
                "healthcare_statement": statement.id,
            }
        for table, id_ in locked.items():
            lock = SQL("SELECT FROM %s WHERE id = %s FOR UPDATE", SQL.identifier(table), id_)
            with self.subTest(table), self._session() as rival, self._session() as ours:
                rival.cr.execute(lock)
                ours.cr.execute("SET LOCAL lock_timeout = '100ms'")  # it waits: don't wait for it
                with self.assertRaises(LockNotAvailable):
                    self._statement(ours)._await_turn()
        with self._session() as ours:
            self.assertEqual(self._statement(ours).state, "committed")
            with self._committed() as rival:
                self._pay(rival)
            with self.assertRaises(RETRIED):  # core tries again, on a new snapshot
                self._statement(ours)._await_turn()
        with self._committed() as env:
            self.assertProof(env)
