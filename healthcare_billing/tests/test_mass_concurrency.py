from datetime import date
from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_concurrency import RETRIED, RaceCommon

MONTH_END = date(2025, 3, 31)


@tagged("post_install", "-at_install")
class TestMassConcurrency(RaceCommon):
    """Two lists of mass billing over the same accounts: each fee and quote is billed once."""

    def setUp(self):
        super().setUp()
        with self._committed() as env:
            charges = env["healthcare.charge"].browse(self.charge_ids)
            fixed, quoted, idle = charges.billing_account_id
            fixed.write({"billing_basis": "fixed", "quote_amount": 80.0})
            quoted.write({"billing_basis": "quote", "quote_amount": 60.0})
            idle.write({"billing_basis": "fixed", "quote_amount": 30.0})
            idle_visits = charges.filtered(lambda c: c.billing_account_id == idle).appointment_id
            idle_visits.charge_ids.unlink()
            idle_visits.unlink()
            self.account_ids = (fixed | quoted | idle).ids
            self.idle_id, self.quoted_id = idle.id, quoted.id
            self.ours_id, self.theirs_id = self._list(env), self._list(env)

    def _list(self, env):
        """A list of its own, as another user has it."""
        run = env["healthcare.billing.run"]._open_mass_billing(MONTH_END)
        run.user_id = env.ref("base.user_admin")
        return run.id

    def _bill(self, env, run_id, account_id=None):
        run = env["healthcare.billing.run"].browse(run_id)
        run.action_bill([("billing_account_id", "=", account_id)] if account_id else [])
        run.action_execute()
        env.flush_all()
        return run

    def assert_billed_once(self):
        with self._committed() as env:
            charges = env["healthcare.charge"].search(
                [("billing_account_id", "in", self.account_ids)]
            )
            bills = charges.invoice_line_ids.move_id
            self.assertEqual(sorted(bills.mapped("amount_untaxed")), [30.0, 60.0, 80.0])
            fees = charges.filtered(lambda charge: charge.kind == "fixed_fee")
            self.assertEqual(fees.mapped("fee_number"), [1, 1])

    @mute_logger("odoo.sql_db")
    def test_two_lists_are_billed_at_once(self):
        with self._session() as ours:
            ours["healthcare.billing.run"].browse(self.ours_id).state  # noqa: B018  # our snapshot
            with self._committed() as rival:
                run = self._bill(rival, self.theirs_id)
                self.assertEqual(set(run.line_ids.mapped("state")), {"created"})
            with self.assertRaises(RETRIED):
                self._bill(ours, self.ours_id)
        with self._committed() as again:
            run = self._bill(again, self.ours_id)
            self.assertEqual(set(run.line_ids.mapped("state")), {"skipped"})
            self.assertIn("draft bill", " ".join(run.line_ids.mapped("message")).lower())
        self.assert_billed_once()

    @mute_logger("odoo.sql_db")
    def test_a_fee_without_work_waits_for_who_bills_it(self):
        with self._session() as rival:
            self._bill(rival, self.theirs_id, self.idle_id)
            with self._session() as ours:
                ours.cr.execute("SET LOCAL lock_timeout = '200ms'")
                with self.assertRaises(RETRIED):
                    self._bill(ours, self.ours_id, self.idle_id)
            rival.cr.commit()
        with self._committed() as again:
            self._bill(again, self.ours_id)
        self.assert_billed_once()

    @mute_logger("odoo.sql_db", "odoo.addons.healthcare_billing.models.billing_engine_execution")
    def test_the_database_refuses_a_second_fee(self):
        """Also where nothing of the account is locked."""
        accounts = self.registry["healthcare.billing.account"]
        unlocked = patch.object(accounts, "_touch", lambda self: None)
        with self._session() as ours:
            ours["healthcare.billing.run"].browse(self.ours_id).state  # noqa: B018  # our snapshot
            with self._committed() as rival:
                self._bill(rival, self.theirs_id)
            with unlocked:
                run = self._bill(ours, self.ours_id, self.idle_id)
            row = run.line_ids.filtered("selected")
            self.assertEqual((row.state, len(row)), ("skipped", 1))
            self.assertIn("billed meanwhile", row.message)
        self.assert_billed_once()

    @mute_logger("odoo.sql_db")
    def test_a_quote_is_billed_once_by_lists_of_different_work(self):
        """The rows have different work of it: nothing but the account is shared."""
        with self._committed() as env:
            account = env["healthcare.billing.account"].browse(self.quoted_id)
            charges = env["healthcare.charge"].browse(self.charge_ids).exists()
            old = charges.filtered(lambda c: c.billing_account_id == account)
            old.appointment_id.parked = True
            env["healthcare.appointment"].create(
                {
                    "client_id": account.client_id.id,
                    "product_id": self.service_id,
                    "start": "2025-03-04 09:00:00",
                    "state": "completed",
                    "diagnosis_ids": [Command.clear()],
                }
            )
            theirs_id = self._list(env)
            old.appointment_id.parked = False
        with self._session() as ours:
            ours["healthcare.billing.run"].browse(self.ours_id).state  # noqa: B018  # our snapshot
            with self._committed() as rival:
                self._bill(rival, theirs_id, self.quoted_id)
            with self.assertRaises(RETRIED):
                self._bill(ours, self.ours_id, self.quoted_id)
        with self._committed() as again:
            run = self._bill(again, self.ours_id)
            row = run.line_ids.filtered(lambda line: line.billing_account_id.id == self.quoted_id)
            self.assertEqual(row.state, "skipped")
        self.assert_billed_once()
