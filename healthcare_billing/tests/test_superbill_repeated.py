from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.mail.tests.common import mail_new_test_user

from .test_delivery import DeliveryCommon
from .test_superbill import SuperbillCommon


@tagged("post_install", "-at_install")
class TestSuperbillRepeated(SuperbillCommon, DeliveryCommon):
    """No client gets two valid superbills of the same care from invoices, where nobody looks."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("base.group_user").implied_ids |= cls.env.ref(
            "healthcare_billing.group_use_superbills"
        )
        cls.anna = cls._patient("Anna Adams", email="anna@example.com")
        cls.first, cls.second = (cls._appointment(cls.anna, hour=hour) for hour in (9, 14))
        cls.moves = cls.env["account.move"]
        for visit in (cls.first, cls.second):
            cls.moves |= cls._execute(visit, post=True).move_ids

    def _print(self, moves):
        return moves.with_env(self._act_as(self.biller))._print_documents("superbill")

    def _present(self):
        return self.env["healthcare.superbill"].search([("state", "=", "issued")])

    def test_larger_one_is_taken(self):
        monthly = self._issue(self.first + self.second)
        self.assertEqual(self.moves._create_superbills(), monthly)
        self.assertEqual(monthly.move_ids, self.moves)
        self._print(self.moves[0])
        self.assertEqual(self._present(), monthly)
        self.assertEqual(monthly.amount_charged, 160.0)

    def test_larger_one_is_taken_as_it_is_today(self):
        monthly = self._issue(self.first + self.second)
        self._pay(self.moves[0], 80.0)
        action = self._print(self.moves[1])
        new = self._present()
        self.assertEqual(action["context"]["active_ids"], new.ids)
        self.assertEqual(monthly.replaced_by_id, new)
        self.assertEqual((new.amount_charged, new.amount_paid), (160.0, 80.0))
        self.assertEqual(self.moves._create_superbills(), new)

    def test_email_of_a_part_sends_the_larger_one(self):
        mail_new_test_user(
            self.env, login="anna", groups="base.group_portal", partner_id=self.anna.id
        )
        monthly = self._issue(self.first + self.second)
        self._queue(self.moves[0], "superbill")
        self._send()
        self.assertEqual(self.moves[0].delivery_state, "sent")
        self.assertIn(f"/my/superbills/{monthly.id}", self._mails[0]["body"])
        self.assertEqual(self._present(), monthly)

    def test_larger_one_of_the_same_batch_is_taken(self):
        """A payer's invoice over one of two visits, and the client's co-pays of both."""
        ines = self._insured_client(
            "Ines", copay=20.0, birth_date="1980-01-01", street="5 Ash Street", city="Troy"
        )
        ines.billing_account_ids.diagnosis_ids = [Command.set(self.diagnosis.ids)]
        visits = self._appointment(ines) + self._appointment(ines, hour=16)
        visits[1].charge_ids.amount_payer = 0.0
        moves = self._execute(visits, post=True).move_ids
        self.assertEqual(sorted(len(move.invoice_line_ids.charge_id) for move in moves), [1, 2])
        for order in (moves, moves[::-1]):
            superbill = order._create_superbills()
            self.assertEqual(len(superbill), 1)
            self.assertEqual((superbill.move_ids, superbill.amount_charged), (moves, 160.0))
            superbill._void("Again in the other order")

    def test_overlapping_one_is_refused(self):
        """Neither covers the other: the column Result says so, nothing is issued."""
        third = self._appointment(self.anna, hour=16)
        crossing = self._issue(self.second + third)
        both = self.first + self.second
        self.moves.button_draft()
        self.moves.button_cancel()
        move = self._execute(both, post=True).move_ids
        with self.assertRaisesRegex(UserError, f"{crossing.name}.*void"):
            self._print(move)
        self.assertEqual(self._present(), crossing)
        fine = self._invoice(self._patient("Ben Brown"))
        action = self._print(move | fine)
        self.assertIn("1 invoices have no superbill", action["params"]["message"])
        self.assertIn(crossing.name, move.delivery_message)
        crossing._void("Wrong dates")
        self._print(move)
        self.assertFalse(move.delivery_message)
        self.assertEqual(
            self._present().filtered(lambda s: s.client_id == self.anna).move_ids, move
        )

    def test_notes_are_kept_and_told(self):
        """What doesn't keep it from being issued isn't lost where nobody sees a preview."""
        self.payer.claim_filing_indicator = "MC"
        self._coverage(self.anna, self.payer, member_id="M-1")
        action = self._print(self.moves)
        self.assertIn("Please note what is said on 2 of", action["params"]["message"])
        self.assertEqual(action["params"]["next"]["type"], "ir.actions.report")
        superbills = self.moves.superbill_ids
        for superbill in superbills:
            self.assertIn("Medicare", superbill.notes)
            self.assertIn(superbill.name, action["params"]["message"])
        self.assertEqual(
            self.env["healthcare.superbill"].search([("notes", "!=", False)]), superbills
        )
