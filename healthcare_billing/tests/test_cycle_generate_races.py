from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_concurrency import RETRIED, RaceCommon


@tagged("post_install", "-at_install")
class TestCycleGenerateRaces(RaceCommon):
    """Generating a cycle twice at once, and generating against closing: committed transactions."""

    def setUp(self):
        super().setUp()
        with self._committed() as env:
            cycle = env["healthcare.billing.cycle"].create(
                {
                    "company_id": self.company_id,
                    "date_from": "2025-03-03",
                    "last_day": "2025-03-09",
                    "invoice_date": "2025-03-09",
                }
            )
            self.cycle_id = cycle.id
            charges = env["healthcare.charge"].browse(self.charge_ids)
            charges.appointment_id.write({"approval_state": "approved"})

    def _cycle(self, env):
        return env["healthcare.billing.cycle"].browse(self.cycle_id)

    @classmethod
    def _remove_billing(cls, env):
        cycles = env["healthcare.billing.cycle"].search([("company_id", "=", cls.company_id)])
        cycles.state = "open"
        result = super()._remove_billing(env)
        cycles.unlink()
        return result

    def _generate(self, env, mode="all"):
        run = self._cycle(env)._plan_run(mode)
        run.action_execute()
        env.flush_all()
        return run

    def _assert_once(self, drafts=3):
        with self._committed() as env:
            lines = env["account.move.line"].search(
                [("charge_id", "in", self.charge_ids), ("charge_live", "=", True)]
            )
            self.assertEqual(len(lines), len(self.charge_ids))
            self.assertEqual(len(self._cycle(env).move_ids), drafts)

    @mute_logger("odoo.sql_db")
    def test_two_previews_of_all(self):
        """The second replaces what its preview knew: these drafts are gone, so it is skipped."""
        with self._committed() as env:
            self._generate(env)
        with self._committed() as env:
            first, second = (self._cycle(env)._plan_run("all").id for _n in range(2))
        for run_id, state in ((first, "created"), (second, "skipped")):
            with self._committed() as env:
                run = env["healthcare.billing.run"].browse(run_id)
                run.action_execute()
                self.assertEqual(set(run.line_ids.mapped("state")), {state})
        self._assert_once()

    @mute_logger("odoo.sql_db")
    def test_rival_committed_while_we_generate(self):
        with self._committed() as env:
            self._generate(env)
        with self._committed() as env:
            run_id = self._cycle(env)._plan_run("all").id
        with self._session() as ours:
            run = ours["healthcare.billing.run"].browse(run_id)
            self.assertEqual(run.state, "draft")
            with self._committed() as rival:
                self._generate(rival)
            with self.assertRaises(RETRIED):
                run.action_execute()
                ours.flush_all()
        self._assert_once()

    @mute_logger("odoo.sql_db")
    def test_generate_against_closing(self):
        """Whoever is second starts again on a new snapshot, and sees the first."""
        with self._committed() as env:
            run_id = self._cycle(env)._plan_run("all").id
        with self._session() as ours:
            run = ours["healthcare.billing.run"].browse(run_id)
            self.assertEqual(self._cycle(ours).state, "open")
            with self._committed() as rival:
                self._cycle(rival)._start_closing()
                self.assertEqual(self._cycle(rival).state, "closed")
            with self.assertRaises(RETRIED):
                run.action_execute()
                ours.flush_all()
        with self._session() as again, self.assertRaisesRegex(UserError, "is closed"):
            again["healthcare.billing.run"].browse(run_id).action_execute()

    @mute_logger("odoo.sql_db")
    def test_closing_against_generate(self):
        with self._session() as closing:
            self.assertEqual(self._cycle(closing).state, "open")
            with self._committed() as env:
                self._generate(env)
            with self.assertRaises(RETRIED):
                self._cycle(closing)._start_closing()
                closing.flush_all()
        self._assert_once()
