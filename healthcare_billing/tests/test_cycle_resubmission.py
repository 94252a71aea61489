from odoo.exceptions import UserError
from odoo.tests import tagged

from .test_cycle_generate import GenerateCommon


@tagged("post_install", "-at_install")
class TestCycleResubmission(GenerateCommon):
    """R13: visits marked for resubmission are credited, and invoiced again."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.erin = cls._client("Erin", account={"payer_id": cls.file_payer.id})
        cls.frank = cls._client("Frank", account={"payer_id": cls.file_payer.id})
        cls.visits = cls._approved(cls.erin) | cls._approved(cls.frank) | cls._approved(cls.alice)
        drafts = cls._run().line_ids.move_id
        drafts._mark_as_sent()
        cls.sent = drafts.filtered(lambda move: move.partner_id == cls.file_payer)

    def test_r13_resubmission_credits_just_these_visits(self):
        (self.visits[0] | self.visits[2]).to_resubmit = True
        run = self._run("resubmission", execute=False)
        self.assertEqual(run.line_ids.charge_ids.appointment_id, self.visits[0])
        self.assertEqual(run.credited_line_ids.move_id, self.sent)
        self.assertFalse(self.sent.reversal_move_ids, "a preview changes nothing")
        run.action_execute()
        credit = self.sent.reversal_move_ids
        self.assertEqual((credit.state, credit.amount_untaxed), ("posted", 80.0))
        self.assertEqual(credit.billing_cycle_id, self.cycle)
        self.assertEqual(
            credit.invoice_line_ids.credit_of_line_id.charge_id, self.visits[0].charge_ids
        )
        new = run.line_ids.move_id
        self.assertEqual((new.state, new.amount_untaxed), ("draft", 80.0))
        self.assertEqual(self.sent.amount_residual, 80.0)
        self.assertEqual(self.visits[0].invoice_ids, self.sent | credit | new)
        self.assertFalse(self.visits[0].to_resubmit)
        self.assertTrue(self.visits[2].to_resubmit, "not of a payer with file billing")
        self._assert_agrees(self.visits)
        with self.assertRaisesRegex(UserError, "at least one"):
            self._run("resubmission", execute=False).action_execute()

    def test_r13_nothing_marked_nothing_done(self):
        run = self._run("resubmission", execute=False)
        self.assertFalse(run.line_ids)

    def test_r13_failed_resubmission_credits_nothing(self):
        self.visits[0].to_resubmit = True
        run = self._run("resubmission", execute=False)
        self.erin.billing_account_ids.billing_status = "on_hold"
        run.action_execute()
        self.assertEqual(run.line_ids.state, "skipped")
        self.assertFalse(self.sent.reversal_move_ids)
        self.assertTrue(self.visits[0].to_resubmit)

    def test_r13_partly_credited_line(self):
        """What a credit note took back before isn't credited again."""
        credit = self.sent._draft_credit_note("")
        line = credit.invoice_line_ids.filtered(
            lambda line: line.credit_of_line_id.charge_id == self.visits[0].charge_ids
        )
        (credit.invoice_line_ids - line).unlink()
        line.price_unit = 30.0
        credit.action_post()
        self.visits[0].to_resubmit = True
        self._run("resubmission")
        credits = self.sent.reversal_move_ids - credit
        self.assertEqual(credits.amount_untaxed, 50.0)
        self._assert_agrees(self.visits)

    def test_r13_two_invoices_of_one_payer(self):
        more = self._approved(self.erin, hour=11)
        self._run("new").line_ids.move_id._mark_as_sent()
        (self.visits[0] | more).to_resubmit = True
        run = self._run("resubmission")
        self.assertEqual(len(run.line_ids), 1)
        self.assertEqual(run.line_ids.amount, 160.0)
        credits = self.env["account.move"].search(
            [("billing_cycle_id", "=", self.cycle.id), ("move_type", "=", "out_refund")]
        )
        self.assertEqual(credits.mapped("amount_untaxed"), [80.0, 80.0])
        self._assert_agrees(self.visits | more)
