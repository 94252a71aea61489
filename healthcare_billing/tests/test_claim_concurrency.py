import threading

from psycopg2.errors import ExclusionViolation

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_concurrency import RETRIED, RaceCommon


@tagged("post_install", "-at_install")
class TestClaimConcurrency(RaceCommon):
    """Committed transactions over the same invoices: exactly one of them claims the care."""

    @classmethod
    def _prepare(cls, env):  # pylint: disable=missing-return
        super()._prepare(env)
        payer = env["res.partner"].create(
            {
                "name": "Race Insurance",
                "is_company": True,
                "is_payer": True,
                "payer_type": "other",
                "invoicing_model": "payer_individual",
            }
        )
        payer.with_company(cls.company_id).property_account_receivable_id = (
            env["res.company"]
            .browse(cls.company_id)
            .partner_id.with_company(cls.company_id)
            .property_account_receivable_id
        )
        cls.payer_id = payer.id

    @classmethod
    def _remove(cls):
        with cls._committed() as env:
            cls._remove_billing(env)
            env["res.partner"].browse(cls.payer_id).unlink()
        return super()._remove()

    @classmethod
    def _remove_billing(cls, env):
        # claims are never deleted by anybody: only the test cleans up after itself
        env.cr.execute("DELETE FROM healthcare_claim WHERE company_id = %s", [cls.company_id])
        env.invalidate_all()
        return super()._remove_billing(env)

    def setUp(self):
        super().setUp()
        with self._committed() as env:
            charges = env["healthcare.charge"].browse(self.charge_ids)
            charges.appointment_id.payer_id = self.payer_id
            run = env["healthcare.billing.engine"].execute(
                env["healthcare.billing.engine"].plan(charges), post=True
            )
            self.assertEqual(set(run.line_ids.mapped("state")), {"created"})
            self.move_ids = run.move_ids.ids

    def _plan(self, env):
        return env["healthcare.claim.builder"].plan(env["account.move"].browse(self.move_ids))

    def _claim(self, env, plan=None):
        claims = env["healthcare.claim.builder"].create_claims(plan or self._plan(env))
        env.flush_all()
        return claims

    def _assert_claimed_once(self):
        with self._committed() as env:
            items = env["healthcare.claim.item"].search([("move_id", "in", self.move_ids)])
            self.assertEqual(sorted(items.charge_id.ids), sorted(self.charge_ids))
            self.assertEqual(len(items), len(self.charge_ids))

    @mute_logger("odoo.sql_db")
    def test_rival_committed_after_our_plan(self):
        """Ours is refused and, on a new snapshot, finds nothing left to claim."""
        with self._session() as ours:
            plan = self._plan(ours)
            self.assertEqual(len(plan.claims), 3)
            with self._committed() as rival:
                self._claim(rival)
            with self.assertRaises((UserError, *RETRIED)):
                self._claim(ours, plan)
        with self._committed() as again:
            plan = self._plan(again)
            self.assertFalse(plan.claims)
            self.assertEqual({out.reason for out in plan.left_out}, {"on_claim"})
        self._assert_claimed_once()

    @mute_logger("odoo.sql_db")
    def test_two_users_at_the_same_moment(self):
        """Two requests, with Odoo's own retries: one makes the claims, the other is told."""
        barrier = threading.Barrier(2)
        outcome = []

        def click():
            with self._session() as env:
                plan = self._plan(env)
                barrier.wait(timeout=30)
                for _attempt in range(5):
                    try:
                        self._claim(env, plan)
                        env.cr.commit()
                        outcome.append("created")
                        return
                    except RETRIED:
                        env.cr.rollback()
                        env.invalidate_all()
                        plan = self._plan(env)
                    except UserError as error:
                        outcome.append(str(error))
                        return

        threads = [threading.Thread(target=click) for _user in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        self.assertEqual(len(outcome), 2, outcome)
        self.assertIn("created", outcome)
        other = next(text for text in outcome if text != "created")
        self.assertRegex(other, "meanwhile|nothing here to claim")
        self._assert_claimed_once()

    @mute_logger("odoo.sql_db")
    def test_plain_sql_cannot_bypass_the_guard(self):
        with self._committed() as env:
            self._claim(env)
        with self._session() as env, self.assertRaises(ExclusionViolation):
            env.cr.execute(
                "INSERT INTO healthcare_claim_item"
                " (line_id, claim_id, charge_id, responsibility, claim_live)"
                " SELECT line_id, claim_id, charge_id, responsibility, TRUE"
                " FROM healthcare_claim_item WHERE charge_id = %s",
                [self.charge_ids[0]],
            )

    @mute_logger("odoo.sql_db")
    def test_invoice_canceled_while_it_is_claimed(self):
        """Neither may win unseen: else a claim would live without its invoice."""
        with self._session() as ours:
            plan = self._plan(ours)
            with self._committed() as rival:
                moves = rival["account.move"].browse(self.move_ids)
                moves.button_draft()
                moves.button_cancel()
            with self.assertRaises(RETRIED):
                self._claim(ours, plan)
        with self._committed() as again:
            plan = self._plan(again)
            self.assertFalse(plan.claims)
        with self._committed() as env:
            self.assertFalse(env["healthcare.claim"].search([("company_id", "=", self.company_id)]))

    @mute_logger("odoo.sql_db")
    def test_claimed_while_the_invoice_is_canceled(self):
        """The other way round: the cancellation is retried, and closes the new claims."""
        with self._session() as ours:
            moves = ours["account.move"].browse(self.move_ids)
            moves.mapped("state")
            with self._committed() as rival:
                self._claim(rival)
            with self.assertRaises(RETRIED):
                moves.button_draft()
                ours.flush_all()
        with self._committed() as again:
            moves = again["account.move"].browse(self.move_ids)
            moves.button_draft()
            moves.button_cancel()
        with self._committed() as env:
            claims = env["healthcare.claim"].search([("company_id", "=", self.company_id)])
            self.assertEqual((len(claims), set(claims.mapped("state"))), (3, {"closed"}))

    @mute_logger("odoo.sql_db")
    def test_resubmitted_by_two_users(self):
        with self._committed() as env:
            claims = self._claim(env)
            claims._set_state("submitted")
            claims._reject("No")
            claim_id = claims[0].id
        with self._session() as ours:
            claim = ours["healthcare.claim"].browse(claim_id)
            claim.mapped("state")
            with self._committed() as rival:
                rival["healthcare.claim"].browse(claim_id).action_resubmit()
            with self.assertRaises((UserError, *RETRIED)):
                claim.action_resubmit()
                ours.flush_all()
        with self._committed() as env:
            claim = env["healthcare.claim"].browse(claim_id)
            self.assertEqual(len(claim.successor_ids), 1)
