from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_concurrency import RETRIED, RaceCommon


@tagged("post_install", "-at_install")
class TestProductionConcurrency(RaceCommon):
    """Two users produce, or revert, the same bills at once: it is done once (R29)."""

    def setUp(self):
        super().setUp()
        with self._committed() as env:
            charges = env["healthcare.charge"].browse(self.charge_ids)
            charges.billing_account_id.write(
                {"delivery_email": "race@example.com", "print_copies": "1"}
            )
            run = self._bill(env)
            run.move_ids._post(soft=False)
            run.move_ids.is_mass_bill = True
            self.move_ids = run.move_ids.ids

    def _moves(self, env):
        return env["account.move"].browse(self.move_ids)

    def _produce(self, env):
        plan, pages = self._moves(env)._produce()
        env.flush_all()
        return {outcome: len(moves) for outcome, moves in plan.items() if moves}, len(pages)

    @mute_logger("odoo.sql_db")
    def test_r29_a_rival_produced_after_our_snapshot(self):
        number = len(self.move_ids)
        with self._session() as ours:
            self._moves(ours).mapped("state")  # our snapshot
            with self._committed() as rival:
                self.assertEqual(self._produce(rival), ({"produce": number}, number))
            with self.assertRaises(RETRIED):  # the request is tried again
                self._produce(ours)
        with self._committed() as again:
            self.assertEqual(self._produce(again), ({"sending": number}, 0))

    @mute_logger("odoo.sql_db")
    def test_r29_a_rival_is_producing(self):
        number = len(self.move_ids)
        with self._session() as rival:
            self._produce(rival)
            with self._committed() as ours:
                self.assertEqual(self._produce(ours), ({"busy": number}, 0))
            rival.cr.commit()

    @mute_logger("odoo.sql_db")
    def test_r29_nobody_reverts_what_is_being_produced(self):
        with self._session() as rival:
            self._produce(rival)
            with self._committed() as ours:
                done = self._moves(ours)._revert()
                self.assertEqual(len(done.refused), len(self.move_ids))
            rival.cr.commit()
