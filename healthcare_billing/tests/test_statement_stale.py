from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .statement_close_common import StatementCloseCommon

LOGGER = "odoo.addons.healthcare_billing.models.healthcare_statement_stale"


@tagged("post_install", "-at_install")
class TestStatementStale(StatementCloseCommon):
    """Forgotten statements close by themselves (R23)."""

    def _run(self):
        cron = self.env.registry["ir.cron"]
        with patch.object(cron, "_commit_progress", return_value=99):
            self.env["healthcare.statement"]._cron_close_stale()

    def _age(self, statement, days):
        """Make a statement as old as that."""
        self.env.flush_all()
        day = self.today - timedelta(days=days)
        self.env.cr.execute(
            "UPDATE healthcare_statement SET create_date = %s, committed_on = "
            "CASE WHEN committed_on IS NOT NULL THEN %s::date END WHERE id = %s",
            [day, day, statement.id],
        )
        statement.invalidate_recordset()

    def test_r23_drafts_cancel_after_two_years(self):
        self._three()
        old, young = self._statement(commit=False), self._statement(commit=False)
        self._age(old, 733)
        self._age(young, 720)
        self._run()
        self.assertEqual((old.state, young.state), ("canceled", "draft"))
        self.assertIn("automatically", old.message_ids[0].body)

    def test_r23_committed_ones_close_as_unpaid(self):
        charges, _move = self._three()
        statement = self._statement()
        self._age(statement, 730)
        self._run()
        self.assertEqual(statement.state, "committed")
        self._age(statement, 731)
        self._run()
        self.assertEqual(statement.state, "unpaid")
        self.assertEqual(charges.mapped("statement_count"), [1] * 3)
        self._run()  # again: nothing is closed twice
        self.assertEqual(charges.mapped("statement_count"), [1] * 3)
        self.assertProof()

    def test_r23_days_are_the_companys(self):
        self._three()
        statement = self._statement()
        self._age(statement, 40)
        self.company.healthcare_stale_days = 0  # never
        self._age(statement, 4000)
        self._run()
        self.assertEqual(statement.state, "committed")
        self.company.healthcare_stale_days = 30
        self._run()
        self.assertEqual(statement.state, "unpaid")

    def test_r23_one_that_fails_stops_no_other(self):
        self._three()
        bad, good = self._statement(), self._statement()
        self._age(bad, 900)
        self._age(good, 900)
        finish = type(bad)._finish_closing

        def fail(records, state, texts=None):
            if records == bad:
                raise UserError(self.env._("Lightning"))
            return finish(records, state, texts)

        with (
            patch.object(type(bad), "_finish_closing", fail),
            self.assertLogs(LOGGER, "ERROR") as logs,
        ):
            self._run()
        self.assertIn(f"statement {bad.id} ", logs.output[0])
        self.assertEqual((bad.state, good.state), ("committed", "unpaid"))
        self._run()
        self.assertEqual(bad.state, "unpaid")

    def test_r23_a_lost_race_ends_its_transaction(self):
        """What the database refuses is rolled back as a whole, never in a savepoint only."""
        self._three()
        bad, good = self._statement(), self._statement()
        for statement in bad | good:
            self._age(statement, 900)
        finish = type(bad)._finish_closing

        def lose(records, state, texts=None):
            if records == bad:
                raise SerializationFailure("could not serialize access")
            return finish(records, state, texts)

        with (
            patch.object(type(bad), "_finish_closing", lose),
            patch.object(self.env.cr, "rollback") as rollback,
        ):
            self._run()
        rollback.assert_called_once_with()
        self.assertEqual((bad.state, good.state), ("committed", "unpaid"))

    def test_r23_forgotten_drafts_leave_their_items(self):
        charges, _move = self._three()
        draft = self._statement(commit=False)
        self._age(draft, 733)
        self._run()
        self.assertEqual(draft.state, "canceled")
        self.assertEqual(charges.mapped("returned_client"), [False] * 3)

    @mute_logger(LOGGER)
    def test_r23_stops_when_the_time_is_over(self):
        self._three()
        statements = self._statement() | self._statement()
        for statement in statements:
            self._age(statement, 900)
        with patch.object(self.env.registry["ir.cron"], "_commit_progress", side_effect=[1, 0]):
            self.env["healthcare.statement"]._cron_close_stale()
        self.assertEqual(statements.mapped("state"), ["unpaid", "committed"])
