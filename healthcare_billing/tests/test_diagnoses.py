from datetime import timedelta

from psycopg2.errors import CheckViolation

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import A_DAY, CareCommon

DAY = timedelta(days=1)


@tagged("post_install", "-at_install")
class TestDiagnoses(CareCommon):
    """A client's diagnoses have an order and dates, which care, claims and superbills follow."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.codes = cls.env["healthcare.diagnosis"].create(
            [{"code": f"ZZ8.0{number}", "name": f"Finding {number}"} for number in range(6)]
        )
        cls.client = cls._client()
        cls.account = cls.client.billing_account_ids

    def _diagnose(self, diagnosis, sequence=10, **vals):
        self.account.diagnosis_line_ids = [
            Command.create({"diagnosis_id": diagnosis.id, "sequence": sequence, **vals})
        ]

    def test_new_appointment_takes_what_applies_on_its_day(self):
        early, resolved, later = self.codes[:3]
        self._diagnose(early)
        self._diagnose(resolved, resolved_on=A_DAY - DAY)
        self._diagnose(later, diagnosed_on=A_DAY + DAY)
        self.assertEqual(self._appointment(self.client).diagnosis_ids, early)
        self.assertEqual(self._appointment(self.client, A_DAY + DAY).diagnosis_ids, early + later)
        self.assertEqual(
            self._appointment(self.client, A_DAY - DAY).diagnosis_ids, early + resolved
        )

    def test_pointers_follow_the_clients_order_not_the_codes(self):
        for sequence, diagnosis in enumerate(self.codes[::-1]):
            self._diagnose(diagnosis, sequence)
        charge = self._appointment(self.client).charge_ids
        self.assertEqual(list(charge._ordered_diagnoses()), list(self.codes[5:1:-1]))

    def test_unlisted_diagnoses_come_last(self):
        self._diagnose(self.codes[3])
        appointment = self._appointment(self.client, diagnosis_ids=self.codes[:4].ids)
        ordered = appointment.charge_ids._ordered_diagnoses()
        self.assertEqual(list(ordered), [self.codes[3], *self.codes[:3]])

    def test_late_diagnosis_is_told(self):
        self._diagnose(self.codes[0], diagnosed_on=A_DAY)
        self._diagnose(self.codes[1], diagnosed_on=A_DAY + DAY)
        charge = self._appointment(self.client, diagnosis_ids=self.codes[:2].ids).charge_ids
        self.assertEqual(charge._late_diagnoses(), self.codes[1])

    def test_present_diagnoses_can_be_set_as_a_whole(self):
        self._diagnose(self.codes[0], resolved_on=A_DAY)
        self.account.diagnosis_ids = self.codes[1:3]
        self.account.diagnosis_ids = self.codes[2:4]
        self.assertEqual(
            self.account.diagnosis_line_ids.diagnosis_id, self.codes[0] + self.codes[2:4]
        )
        self.assertEqual(self.account.diagnosis_ids, self.codes[2:4])
        self.account.diagnosis_ids = self.codes[:1]  # it is back
        self.assertEqual(self.account.diagnosis_ids, self.codes[:1])

    def test_dates_in_order(self):
        with self.assertRaises(CheckViolation), mute_logger("odoo.sql_db"):
            self._diagnose(self.codes[0], diagnosed_on=A_DAY, resolved_on=A_DAY - DAY)

    def test_r7_only_care_that_was_given_is_reportable(self):
        for state, expected in (
            ("scheduled", False), ("completed", True), ("late_canceled", False),
            ("no_show", False), ("rescheduled", False), ("canceled", False),
        ):  # fmt: skip
            with self.subTest(state):
                charge = self._appointment(self.client, state=state).charge_ids
                self.assertIs(charge._is_reportable(), expected)
        done = self._appointment(self.client)
        done.billable = False
        self.assertFalse(done.charge_ids._is_reportable())
