import threading
from contextlib import contextmanager, suppress
from unittest.mock import patch

from psycopg2.errors import ExclusionViolation, LockNotAvailable, SerializationFailure

from odoo import SUPERUSER_ID, api
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, tagged
from odoo.tools import mute_logger

RETRIED = (LockNotAvailable, SerializationFailure)


class RaceCommon(BaseCase):
    """Care of a practice that is committed, and removed again after the test."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = Registry(get_db_name())
        cls.addClassCleanup(cls._remove)
        with cls._committed() as env:
            cls._prepare(env)

    @classmethod
    @contextmanager
    def _committed(cls):
        """Environment of a transaction that is committed at the end."""
        with cls.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            company = getattr(cls, "company_id", None)
            if company:
                env = env(context={"allowed_company_ids": [company]})
            yield env
            env.flush_all()

    @contextmanager
    def _session(self):
        """Environment of a transaction that the test ends by itself."""
        cr = self.registry.cursor()
        try:
            yield api.Environment(cr, SUPERUSER_ID, {"allowed_company_ids": [self.company_id]})
        finally:
            cr.rollback()
            cr.close()

    @classmethod
    def _prepare(cls, env):
        company = env["res.company"].create({"name": "Race Practice", "healthcare_tz": "UTC"})
        cls.company_id = company.id
        env = env(context={"allowed_company_ids": [company.id]})
        accounts = env["account.account"].create(
            [
                {"name": "Race income", "code": "RACE1", "account_type": "income"},
                {"name": "Race receivable", "code": "RACE2", "account_type": "asset_receivable",
                 "reconcile": True},
            ]
        )  # fmt: skip
        company.partner_id.with_company(company).property_account_receivable_id = accounts[1]
        journal = env["account.journal"].create(
            {"name": "Race sales", "code": "RACE", "type": "sale",
             "default_account_id": accounts[0].id}
        )  # fmt: skip
        service = env["product.product"].create(
            {"name": "Race service", "default_code": "RACE1", "is_healthcare_service": True,
             "list_price": 50.0, "company_id": company.id}
        )  # fmt: skip
        cls.own = [("account.journal", journal.ids), ("account.account", accounts.ids)]
        cls.service_id = service.id

    @classmethod
    def _remove(cls):
        with cls._committed() as env:
            cls._remove_billing(env)
            env["product.product"].browse(cls.service_id).product_tmpl_id.unlink()
            company = env["res.company"].browse(cls.company_id)
            company.partner_id.property_account_receivable_id = False
            for model, ids in cls.own:
                env[model].browse(ids).unlink()
            # companies can't be deleted: the next class, or run, makes another of that name
            company.write({"active": False, "name": f"Race Practice {company.id}"})

    @classmethod
    def _remove_billing(cls, env):
        own = [("company_id", "=", cls.company_id)]
        moves = env["account.move"].search(own)
        moves.filtered(lambda move: move.state == "posted").button_draft()
        moves.with_context(force_delete=True).unlink()
        runs = env["healthcare.billing.run"].search(own)
        runs.line_ids.state = "planned"
        runs.unlink()
        charges = env["healthcare.charge"].search(own)
        charges.unlink()
        env["healthcare.appointment"].search(own).unlink()
        accounts = env["healthcare.billing.account"].search(own)
        clients = accounts.client_id
        accounts.unlink()
        clients.unlink()

    def setUp(self):
        super().setUp()
        with self._committed() as env:
            clients = env["res.partner"].create(
                [{"name": f"Racer {i}", "is_healthcare_client": True} for i in range(3)]
            )
            clients.property_account_receivable_id = (
                env["res.company"].browse(self.company_id).partner_id.property_account_receivable_id
            )
            appointments = env["healthcare.appointment"].create(
                [
                    {"client_id": client.id, "product_id": self.service_id,
                     "start": "2025-03-03 09:00:00", "state": "completed"}
                    for client in clients
                ]
            )  # fmt: skip
            self.charge_ids = appointments.charge_ids.ids

        def clean():
            with self._committed() as env:
                self._remove_billing(env)

        self.addCleanup(clean)

    # -- helpers ---------------------------------------------------------------------------------
    def _plan(self, env):
        engine = env["healthcare.billing.engine"]
        return engine.plan(env["healthcare.charge"].browse(self.charge_ids))

    def _bill(self, env, plan=None):
        run = env["healthcare.billing.engine"].execute(plan or self._plan(env))
        env.flush_all()
        return run


@tagged("post_install", "-at_install")
class TestConcurrency(RaceCommon):
    """Two committed transactions over the same charges: exactly one of them bills."""

    def _assert_billed_once(self):
        with self._committed() as env:
            charges = env["healthcare.charge"].browse(self.charge_ids)
            self.assertEqual(len(charges.invoice_line_ids), len(charges))
            self.assertEqual(set(charges.mapped("billing_stage")), {"draft"})

    # -- races -----------------------------------------------------------------------------------
    @mute_logger("odoo.sql_db")
    def test_rival_committed_after_our_plan(self):
        """Ours is refused by the row lock, and on a new snapshot skips every row, saying why."""
        with self._session() as ours:
            plan = self._plan(ours)
            run_id = None
            with self._committed() as rival:
                rival_run = self._bill(rival)
                run_id = rival_run.id
                self.assertEqual(set(rival_run.line_ids.mapped("state")), {"created"})
            with self.assertRaises(RETRIED):
                self._bill(ours, plan)
        with self._committed() as again:
            run = self._bill(again)
            self.assertNotEqual(run.id, run_id)
            self.assertFalse(run.line_ids)
        self._assert_billed_once()

    @mute_logger("odoo.sql_db")
    def test_rival_committed_after_our_preview(self):
        """Order turned: our saved preview is executed on a snapshot that sees the rival."""
        with self._committed() as ours:
            run_id = self._plan(ours).save().id
        with self._committed() as rival:
            self._bill(rival)
        with self._committed() as ours:
            run = ours["healthcare.billing.run"].browse(run_id)
            run.action_execute()
            self.assertEqual(set(run.line_ids.mapped("state")), {"skipped"})
            self.assertTrue(all("Already invoiced on" in line.message for line in run.line_ids))
        self._assert_billed_once()

    @mute_logger("odoo.sql_db")
    def test_rival_not_yet_committed(self):
        """Without the rival's commit in between: ours doesn't wait, and says who holds the care."""
        with self._session() as rival:
            self._bill(rival)
            with self._committed() as ours:
                run = self._bill(ours)
                self.assertEqual(set(run.line_ids.mapped("state")), {"skipped"})
                self.assertIn("Another user", run.line_ids[0].message)
                run_id = run.id
            rival.cr.commit()
        with self._committed() as ours:
            run = ours["healthcare.billing.run"].browse(run_id)
            run.action_retry()
            self.assertEqual(set(run.line_ids.mapped("state")), {"skipped"})
            self.assertIn("Already invoiced on", run.line_ids[0].message)
        self._assert_billed_once()

    @mute_logger("odoo.sql_db")
    def test_rival_rolled_back(self):
        with self._session() as rival:
            self._bill(rival)
            with self._committed() as ours:
                run_id = self._bill(ours).id
        with self._committed() as ours:
            run = ours["healthcare.billing.run"].browse(run_id)
            run.action_retry()
            self.assertEqual(set(run.line_ids.mapped("state")), {"created"})
        self._assert_billed_once()

    @mute_logger("odoo.sql_db")
    def test_guard_without_locks(self):
        """Even where nobody locks, the database lets only one of two invoices live."""

        def no_lock(_engine, lines):
            return lines

        with self._session() as ours:
            plan = self._plan(ours)
            with self._committed() as rival:
                self._bill(rival)
            engine = type(ours["healthcare.billing.engine"])
            with patch.object(engine, "_lock_lines", no_lock), suppress(*RETRIED):
                # (suppressed: the charges' own rows may tell first, and the request is retried)
                run = self._bill(ours, plan)
                self.assertEqual(set(run.line_ids.mapped("state")), {"skipped"})
                self.assertIn("Billed meanwhile", run.line_ids[0].message)
        self._assert_billed_once()

    @mute_logger("odoo.sql_db")
    def test_guard_against_plain_sql_race(self):
        """The constraint alone, with both invoices inserted before either commits."""
        with self._committed() as env:
            charges = env["healthcare.charge"].browse(self.charge_ids)
            moves = env["account.move"].create(
                [
                    {
                        "move_type": "out_invoice",
                        "partner_id": charge.client_id.id,
                        "invoice_line_ids": [Command.create({"name": "x", "price_unit": 1.0})],
                    }
                    for charge in charges[:2]
                ]
            )
            line_ids = moves.invoice_line_ids.ids
        query = (
            "UPDATE account_move_line SET charge_id = %s, responsibility = 'client',"
            " charge_live = TRUE WHERE id = %s"
        )
        outcome = []

        def second_writer():
            with self._session() as env:
                try:
                    env.cr.execute(query, [self.charge_ids[0], line_ids[1]])
                    env.cr.commit()
                except ExclusionViolation:
                    outcome.append("refused")

        with self._session() as first:
            first.cr.execute(query, [self.charge_ids[0], line_ids[0]])
            thread = threading.Thread(target=second_writer)
            thread.start()
            first.cr.commit()
            thread.join(timeout=30)
        self.assertEqual(outcome, ["refused"])

    @mute_logger("odoo.sql_db")
    def test_r29_double_click_of_two_users_at_once(self):
        """Two requests execute the same preview at the same moment, with Odoo's own retries."""
        with self._committed() as env:
            run_id = self._plan(env).save().id
        barrier = threading.Barrier(2)
        problems = []

        def click():
            barrier.wait(timeout=30)
            for _attempt in range(5):
                try:
                    with self._committed() as env:
                        env["healthcare.billing.run"].browse(run_id).action_execute()
                    return
                except RETRIED:
                    continue
                except Exception as error:  # noqa: BLE001  # what the second user is told
                    problems.append(str(error))
                    return

        threads = [threading.Thread(target=click) for _user in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        self.assertTrue(
            all("executed by another user" in problem for problem in problems), problems
        )
        self._assert_billed_once()
