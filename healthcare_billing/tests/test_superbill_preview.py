from datetime import timedelta
from unittest.mock import patch

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

    def test_diagnoses_are_written_for_all_visits_at_once(self):
        """No query more for each visit than writing the visits themselves takes."""
        other = self._patient("Other")
        other.billing_account_ids.diagnosis_ids = self._diagnoses(1)
        visits = self._appointment(self.anna) + self._appointment(self.anna, hour=11)
        visits += self._appointment(other)
        visits.diagnosis_ids = False
        model, written = self.registry["healthcare.appointment"], []
        original = model.write

        def write(records, vals):
            written.append((len(records), set(vals)))
            return original(records, vals)

        with patch.object(model, "write", write):
            charges = visits.charge_ids._take_clients_diagnoses()
        self.assertEqual(charges, visits.charge_ids)
        diagnoses = [count for count, names in written if names == {"diagnosis_ids"}]
        self.assertEqual(sorted(diagnoses), [1, 2])
        self.assertEqual(visits[:2].diagnosis_ids, self.diagnosis)
        self.assertEqual(visits[2].diagnosis_ids, other.billing_account_ids.diagnosis_ids)

    # -- what is issued is what was shown --------------------------------------------------------
    def _assert_shown_again(self, preview):
        before = self.env["healthcare.superbill"].search_count([])
        action = preview.action_issue()
        self.assertIn("Changed since the preview", action["params"]["message"])
        self.assertEqual(action["params"]["next"]["res_id"], preview.id)
        self.assertEqual(self.env["healthcare.superbill"].search_count([]), before)
        preview.invalidate_recordset()

    def test_changed_since_the_preview(self):
        """A payment, and what isn't even in the row: it is shown again, then issued as shown."""
        visit = self._appointment(self.anna)
        move = self._execute(visit, post=True).move_ids
        preview = self._preview(visit.action_superbill())
        self._pay(move, 30.0)
        self._assert_shown_again(preview)
        self.assertEqual(preview.document_ids.amount_paid, 30.0)
        self.anna.street = "3 Oak Street"
        self._assert_shown_again(preview)
        superbill = self.env["healthcare.superbill"].browse(preview.action_issue()["res_id"])
        self.assertEqual(superbill.amount_paid, 30.0)
        self.assertIn("3 Oak Street", superbill.client_address)

    def test_gone_since_the_preview(self):
        ben = self._patient("Ben Brown")
        mine, his = self._appointment(self.anna), self._appointment(ben)
        preview = self._preview((mine + his).action_superbill())
        his.state = "no_show"
        self._assert_shown_again(preview)
        self.assertEqual(preview.document_ids.client_id, self.anna)

    def test_what_the_user_mended_is_no_change(self):
        """Issue goes on after Fix; unless the money changed meanwhile."""
        visit = self._appointment(self.anna)
        move = self._execute(visit, post=True).move_ids
        self.anna.birth_date = False
        preview = self._preview(visit.action_superbill())
        self.anna.birth_date = "1990-01-01"
        for record in (preview, preview.problem_ids, preview.document_ids):
            record.invalidate_recordset()
        self._pay(move, 30.0)
        self._assert_shown_again(preview)
        self.anna.birth_date = False
        preview.action_check()
        self.anna.birth_date = "1990-01-01"
        for record in (preview, preview.problem_ids, preview.document_ids):
            record.invalidate_recordset()
        superbill = self.env["healthcare.superbill"].browse(preview.action_issue()["res_id"])
        self.assertEqual(superbill.amount_paid, 30.0)
