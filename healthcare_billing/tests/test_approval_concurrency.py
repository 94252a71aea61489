from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_concurrency import RETRIED, RaceCommon


@tagged("post_install", "-at_install")
class TestApprovalRaces(RaceCommon):
    """Approval against approval, and against whoever invoices the same visits at that moment."""

    def _visits(self, env):
        return env["healthcare.charge"].browse(self.charge_ids).appointment_id

    def _states(self):
        with self._committed() as env:
            return set(self._visits(env).mapped("approval_state"))

    @mute_logger("odoo.sql_db")
    def test_r29_two_users_approve_at_once(self):
        """The second one waits for nothing, and is told; afterwards they are approved already."""
        with self._session() as first:
            self.assertEqual(len(self._visits(first)._approve("scheduled").done), 3)
            with self._committed() as second:
                visits = self._visits(second)
                decision = visits._approve("scheduled")
                self.assertFalse(decision.done)
                self.assertEqual(decision.left_out, {"busy": visits})
            first.cr.commit()
        with self._committed() as second:
            decision = self._visits(second)._approve("scheduled")
            self.assertEqual(set(decision.left_out), {"approved"})
        with self._committed() as env:
            visits = self._visits(env)
            self.assertEqual(set(visits.mapped("approved_qty")), {1.0})
            notes = visits.message_ids.filtered(lambda message: "Approved" in (message.body or ""))
            self.assertEqual(len(notes), 3)

    @mute_logger("odoo.sql_db")
    def test_r29_approved_since_our_snapshot(self):
        with self._session() as ours:
            self._visits(ours).mapped("approval_state")
            with self._committed() as rival:
                self._visits(rival)._approve("scheduled")
            with self.assertRaises(RETRIED):
                self._visits(ours)._approve("scheduled")

    @mute_logger("odoo.sql_db")
    def test_unapprove_while_somebody_invoices(self):
        """No visit ends up on an invoice and not approved."""
        with self._committed() as env:
            self._visits(env)._approve("scheduled")
        with self._session() as biller:
            self._bill(biller)
            with self._committed() as office:
                decision = self._visits(office)._unapprove()
                self.assertFalse(decision.done)
                self.assertEqual(set(decision.left_out), {"busy"})
            biller.cr.commit()
        with self._committed() as office:
            decision = self._visits(office)._unapprove()
            self.assertEqual(set(decision.left_out), {"invoiced"})
            with self.assertRaisesRegex(UserError, "is on invoice"):
                self._visits(office).write({"approval_state": "not_approved"})
        self.assertEqual(self._states(), {"approved"})

    @mute_logger("odoo.sql_db")
    def test_invoiced_since_our_snapshot(self):
        with self._committed() as env:
            self._visits(env)._approve("scheduled")
        with self._session() as office:
            self._visits(office).mapped("approval_state")
            with self._committed() as biller:
                self._bill(biller)
            with self.assertRaises(RETRIED):
                self._visits(office)._unapprove()
        self.assertEqual(self._states(), {"approved"})

    @mute_logger("odoo.sql_db")
    def test_invoicing_while_somebody_unapproves(self):
        """Order turned: the biller is told that somebody holds the care, and bills nothing."""
        with self._committed() as env:
            self._visits(env)._approve("scheduled")
        with self._session() as office:
            self.assertEqual(len(self._visits(office)._unapprove().done), 3)
            with self._committed() as biller:
                run = self._bill(biller)
                self.assertEqual(set(run.line_ids.mapped("state")), {"skipped"})
            office.cr.commit()
        self.assertEqual(self._states(), {"not_approved"})
