from psycopg2.errors import LockNotAvailable

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .test_concurrency import RETRIED, RaceCommon


@tagged("post_install", "-at_install")
class TestStatementCloseConcurrency(RaceCommon):
    """Two committed transactions close the same statement: exactly one of them does (R29)."""

    @classmethod
    def _prepare(cls, env):
        super()._prepare(env)
        env = env(context={"allowed_company_ids": [cls.company_id]})
        account = env["account.account"].create(
            {"name": "Race money", "code": "RACE3", "account_type": "asset_current",
             "reconcile": True}
        )  # fmt: skip
        env["res.company"].browse(cls.company_id).transfer_account_id = account
        journal = env["account.journal"].create(
            {"name": "Race bank", "code": "RBNK", "type": "bank"}
        )
        cls.journal_id = journal.id
        cls.own = [
            ("account.journal", journal.ids),
            *cls.own,
            ("account.account", (account | journal.default_account_id).ids),
        ]

    @classmethod
    def _remove(cls):
        with cls._committed() as env:
            env["res.company"].browse(cls.company_id).transfer_account_id = False
        super()._remove()

    @classmethod
    def _remove_billing(cls, env):
        own = [("company_id", "=", cls.company_id)]
        payments = env["account.payment"].search(own)
        payments.filtered(lambda payment: payment.state != "canceled").action_cancel()
        payments.move_id.with_context(force_delete=True).unlink()
        payments.unlink()
        statements = env["healthcare.statement"].search(own)
        statements.state = "draft"
        statements.unlink()
        super()._remove_billing(env)

    def setUp(self):
        super().setUp()
        with self._committed() as env:
            client = env["healthcare.charge"].browse(self.charge_ids[0]).client_id
            statement = env["healthcare.statement"].create(
                {"partner_id": client.id, "company_id": self.company_id}
            )
            statement._load_items()
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

    @mute_logger("odoo.sql_db")
    def test_r29_rival_is_not_done_yet(self):
        with self._session() as rival:
            self._unpaid(rival)
            with self._session() as ours, self.assertRaisesRegex(UserError, "Another user"):
                self._unpaid(ours)
            rival.cr.commit()
        with self._committed() as env:
            self.assertEqual(self._statement(env).line_ids.charge_id.statement_count, 1)

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
