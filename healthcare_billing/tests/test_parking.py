from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..models.account_payment_charge import CareMoney
from .receivable_common import ReceivableCommon


@tagged("post_install", "-at_install")
class TestParking(ReceivableCommon):
    """R9: parked care waits, with an alarm for who parked it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.biller = cls._user("billing_user")
        cls.visit = cls._appointment(cls.anna)
        cls.until = cls.today + timedelta(days=10)

    def _dialog(self, visits=None, user=None, **vals):
        """The dialog, opened and answered by a user."""
        visits = (visits or self.visit).with_env(self._act_as(user or self.biller))
        wizard = visits.env["healthcare.appointment.park"].browse(visits.action_park()["res_id"])
        wizard.write({"until": self.until, "reason": "Waits for the appeal", **vals})
        wizard.action_park()
        self.env.invalidate_all()

    def _alarms(self, visits=None):
        return (visits or self.visit).activity_ids

    def test_r9_alarm_on_the_day(self):
        self._dialog()
        self.assertTrue(self.visit.parked)
        self.assertEqual(self.visit.parked_by_id, self.biller)
        alarm = self._alarms()
        self.assertEqual((alarm.user_id, alarm.date_deadline), (self.biller, self.until))
        self.assertNotIn("appeal", f"{alarm.summary}{alarm.note}")  # activities are e-mailed
        self.assertFalse(self.visit.is_park_alarm)
        self.visit.parked_until = self.today
        self.assertTrue(self.visit.is_park_alarm)
        found = self.env["healthcare.appointment"].search([("is_park_alarm", "=", True)])
        self.assertEqual(found, self.visit)
        self.assertEqual(self._alarms().date_deadline, self.today)

    def test_r9_snooze_moves_the_alarm_and_leaves_it_to_who_parked(self):
        self._dialog()
        later = self.until + timedelta(days=5)
        self._dialog(user=self._user("billing_manager"), until=later)
        alarm = self._alarms()
        self.assertEqual((alarm.user_id, alarm.date_deadline), (self.biller, later))
        self.assertEqual(self.visit.parked_by_id, self.biller)

    def test_r9_taken_out_there_is_no_alarm(self):
        self._dialog()
        self.visit.action_unpark()
        self.assertFalse(self._alarms())
        self.assertFalse(self.visit.parked or self.visit.parked_by_id or self.visit.parked_until)

    def test_r9_without_a_day_there_is_no_alarm(self):
        self._dialog(until=False)
        self.assertTrue(self.visit.parked)
        self.assertFalse(self._alarms())

    def test_r9_a_day_that_has_come_is_refused(self):
        with self.assertRaisesRegex(UserError, "future"):
            self._dialog(until=self.today)

    def test_r9_receivables_are_told_as_parked(self):
        self._dialog()
        self.assertTrue(self._rows_of(self.visit.charge_ids).parked)
        self.visit.parked_until = self.today
        self.assertFalse(self._rows_of(self.visit.charge_ids).parked)

    def test_r9_receivables_are_parked_from_the_list(self):
        charges = self.visit.charge_ids | self._charge(self.anna, hour=13)
        action = self._rows_of(charges).action_park()
        self.env[action["res_model"]].browse(action["res_id"]).action_park()
        self.assertEqual(charges.appointment_id.mapped("parked"), [True, True])

    def test_r9_full_payment_ends_parking(self):
        self._execute(self.visit, post=True)
        move = self.visit.charge_ids.invoice_line_ids.move_id
        self._dialog()
        self._pay(move, 30.0)
        self.assertTrue(self.visit.parked)
        self._pay(move, 50.0)
        self.assertFalse(self.visit.parked)
        self.assertFalse(self._alarms())
        self.assertIn("Paid in full", "".join(self.visit.message_ids.mapped("body")))
        self.assertProof()

    def test_r9_money_that_names_the_charge_ends_parking(self):
        charges, _move = self._three(hour=13)
        visit = charges[2].appointment_id
        self._dialog(visit)
        self.env["account.payment"]._receive_for_care(
            self.anna,
            self.company_data["default_journal_bank"],
            self.today,
            [CareMoney(charges[2], "client", 80.0)],
        )
        self.assertFalse(visit.parked)

    def test_r9_payment_of_other_care_leaves_it_parked(self):
        self._execute(self.visit, post=True)
        self._dialog()
        other = self._charge(self.anna, hour=13)
        self._pay(self._execute(other, post=True).move_ids, 80.0)
        self.assertTrue(self.visit.parked)

    def test_r9_paid_on_an_invoice_that_stays_open(self):
        charges, move = self._three(hour=13)
        visit = charges[0].appointment_id
        self._dialog(visit)
        self._pay(move, 80.0)
        self.assertEqual(charges[0].amount_residual, 0.0)
        self.assertFalse(visit.parked)

    def test_care_staff_dont_park(self):
        staff = self._user("care_staff")
        own = self._appointment(self.anna, employee_id=staff.employee_id.id, hour=15)
        with self.assertRaises(AccessError):
            own.with_env(self._act_as(staff)).action_park()
        with self.assertRaises(AccessError):
            own.with_env(self._act_as(staff))._park()

    def test_made_parked(self):
        visit = self._appointment(self.anna, hour=16, parked=True, parked_until=self.until)
        self.assertEqual(visit.parked_by_id, self.env.user)
        self.assertEqual(self._alarms(visit).date_deadline, self.until)


@tagged("post_install", "-at_install")
class TestQualityReview(ReceivableCommon):
    """QA: review, corrections, handed in again, done."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.healthcare_qa_review = True
        cls.staff = cls._user("care_staff")
        cls.coordinator = cls._user("coordinator")
        cls.visit = cls._appointment(cls.anna, employee_id=cls.staff.employee_id.id)

    def _ask(self, text="The signature is missing."):
        visit = self.visit.with_env(self._act_as(self.coordinator))
        action = visit.action_qa_corrections()
        wizard = visit.env[action["res_model"]].with_context(**action["context"])
        wizard.create({"text": text}).action_ask()
        self.env.invalidate_all()

    def test_the_whole_way(self):
        self.assertEqual(self.visit.qa_state, "review")
        self.assertEqual(self.visit.billing_stage, "qa")
        self._ask()
        self.assertEqual(self.visit.qa_state, "corrections")
        activity = self.visit.activity_ids
        self.assertEqual(activity.user_id, self.staff)
        self.assertNotIn("signature", f"{activity.summary}{activity.note}")
        self.assertIn("signature", "".join(self.visit.message_ids.mapped("body")))
        self._ask("And the odometer.")
        self.assertEqual(len(self.visit.activity_ids), 1)
        self.visit.with_env(self._act_as(self.staff)).action_qa_hand_in()
        self.assertEqual(self.visit.qa_state, "review")
        self.assertFalse(self.visit.activity_ids)
        self.visit.with_env(self._act_as(self.coordinator)).action_qa_done()
        self.assertEqual(
            (self.visit.qa_state, self.visit.billing_stage), ("done", "billing_office")
        )
        with self.assertRaisesRegex(AccessError, "Only coordinators"):
            self.visit.with_env(self._act_as(self.staff)).action_qa_reopen()
        self.visit.with_env(self._act_as(self.coordinator)).action_qa_reopen()
        self.assertEqual(self.visit.billing_stage, "qa")

    def test_what_is_billed_is_not_reviewed_again(self):
        self.visit.action_qa_done()
        self._execute(self.visit, post=True)
        with self.assertRaisesRegex(UserError, "is on invoice"):
            self.visit.action_qa_reopen()

    def test_only_what_is_reviewed_is_done_or_corrected(self):
        other = self._appointment(self.anna, hour=13, state="scheduled")
        other.action_qa_done()
        self.assertEqual(other.qa_state, "none")
        with self.assertRaisesRegex(UserError, "under review"):
            other.action_qa_corrections()

    def test_staff_end_no_review(self):
        visit = self.visit.with_env(self._act_as(self.staff))
        with self.assertRaises(AccessError):
            visit.action_qa_done()
