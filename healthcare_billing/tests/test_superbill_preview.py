from datetime import timedelta

from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common import A_DAY
from .test_superbill import SuperbillCommon


@tagged("post_install", "-at_install")
class TestSuperbillPreview(SuperbillCommon):
    """What is missing is told, and mended, before a superbill gets its number."""

    def _preview(self, action):
        self.assertEqual(action["res_model"], "healthcare.superbill.preview")
        return self.env[action["res_model"]].browse(action["res_id"])

    def test_client_door(self):
        self._appointment(self.anna)
        self._appointment(self.anna, hour=11, state="no_show")
        self._appointment(self.anna, day=A_DAY + timedelta(days=40))
        form = Form(
            self.env["healthcare.superbill.period"].with_context(
                **self.anna.action_superbill()["context"]
            )
        )
        form.date_from, form.date_to = A_DAY, A_DAY + timedelta(days=30)
        wizard = form.save()
        preview = self._preview(wizard.action_preview())
        self.assertEqual(preview.document_ids.mapped("amount_charged"), [80.0])
        self.assertEqual(preview.never_count, 1)
        self.assertEqual(preview.document_ids.state, "ready")
        superbill = self.env["healthcare.superbill"].browse(preview.action_issue()["res_id"])
        self.assertEqual(superbill.amount_charged, 80.0)
        self.assertEqual(self.anna.superbill_count, 1)
        again = self._preview(wizard.action_preview())
        self.assertEqual(again.document_ids.superbill_id, superbill)
        self.assertEqual(again.document_ids.state, "issued")
        form.employee_ids.add(self.env["hr.employee.public"].browse(self._provider("New").id))
        with self.assertRaisesRegex(UserError, "no care in these dates"):
            form.save().action_preview()

    def test_preview_tells_mends_and_leaves_out(self):
        good = self._appointment(self.anna)
        bad = self._appointment(self.anna, hour=11)
        bad.diagnosis_ids = False
        self.anna.birth_date = False
        preview = self._preview((good + bad).action_superbill())
        self.assertEqual(preview.document_ids.state, "missing")
        self.assertEqual((preview.ready_count, preview.error_count), (0, 1))
        with self.assertRaisesRegex(UserError, "birth date"):
            preview.action_issue()
        birth, diagnosis = preview.problem_ids
        action = birth.action_mend()
        self.assertEqual((action["res_model"], action["res_id"]), ("res.partner", self.anna.id))
        self.anna.birth_date = "1990-01-01"
        preview.invalidate_recordset()
        preview.problem_ids.invalidate_recordset()
        preview.document_ids.invalidate_recordset()
        self.assertTrue(birth.is_solved)
        self.assertFalse(diagnosis.is_solved)
        self.assertEqual(diagnosis.action_mend()["res_id"], bad.id)
        diagnosis.action_leave_out()
        self.assertEqual(preview.left_out_count, 1)
        self.assertEqual(preview.document_ids.state, "ready")
        superbill = self.env["healthcare.superbill"].browse(preview.action_issue()["res_id"])
        self.assertEqual(superbill.line_ids.charge_id, good.charge_ids)

    def test_nothing_for_a_superbill(self):
        missed = self._appointment(self.anna, state="no_show")
        with self.assertRaisesRegex(UserError, "never missed or planned"):
            missed.action_superbill()

    def test_preview_of_many_issues_what_it_can(self):
        ben = self._patient("Ben Brown", birth_date=False)
        visits = self._appointment(self.anna) + self._appointment(ben)
        preview = self._preview(visits.action_superbill())
        self.assertEqual((preview.ready_count, preview.error_count), (1, 1))
        superbill = self.env["healthcare.superbill"].browse(preview.action_issue()["res_id"])
        self.assertEqual(superbill.client_id, self.anna)

    def test_invoice_door(self):
        move = self._execute(self._appointment(self.anna), post=True).move_ids
        preview = self._preview(move.action_superbill())
        superbill = self.env["healthcare.superbill"].browse(preview.action_issue()["res_id"])
        self.assertEqual(superbill.move_ids, move)
        self.assertEqual(move.superbill_count, 1)
        self.assertEqual(move.action_view_superbills()["res_id"], superbill.id)
        self._preview(superbill.action_reissue())

    def test_missing_diagnoses_come_from_the_client(self):
        """Many visits without one: it is entered once in the client's list, and taken by all."""
        account = self.anna.billing_account_ids
        account.diagnosis_line_ids.unlink()
        visits = self._appointment(self.anna).browse()
        for hour in (9, 11, 13, 15):
            visits += self._appointment(self.anna, hour=hour)
        preview = self._preview(visits.action_superbill())
        problem = preview.problem_ids
        self.assertIn("and 1 more", problem.name)
        self.assertEqual((problem.code, problem.charge_count), ("diagnosis", 4))
        action = problem.action_mend()
        self.assertEqual((action["res_model"], action["res_id"]), (account._name, account.id))
        self.assertFalse(preview.fill_count)
        account.diagnosis_ids = self.diagnosis
        preview.invalidate_recordset()
        self.assertEqual(preview.fill_count, 4)
        preview.action_take_diagnoses()
        self.assertFalse(preview.problem_ids)
        self.assertEqual(visits.charge_ids.diagnosis_ids, self.diagnosis)
