from psycopg2.errors import CheckViolation, ExclusionViolation

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import CareCommon


@tagged("post_install", "-at_install")
class TestGuard(CareCommon):
    """A charge is live on at most one invoice per responsibility, whatever the code path."""

    def _invoiced(self, post=False, name="Self Payer", **vals):
        charge = self._charge(self._client(name, **vals))
        return charge, self._execute(charge, post=post).line_ids.move_id

    def _native_invoice(self, charge, responsibility="client"):
        """What a user or another addon might do."""
        return self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": charge.client_id.id,
                "invoice_date": "2025-03-04",
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": charge.product_id.id,
                            "price_unit": charge.amount,
                            "charge_id": charge.id,
                            "responsibility": responsibility,
                        }
                    )
                ],
            }
        )

    def _credit(self, move, post=True, **vals):
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({"journal_id": move.journal_id.id, "reason": "wrong"})
        )
        credit = self.env["account.move"].browse(wizard.refund_moves()["res_id"])
        if vals:
            credit.invoice_line_ids.filtered("charge_id").write(vals)
        if post:
            credit.action_post()
        return credit

    # -- the constraint --------------------------------------------------------------------------
    @mute_logger("odoo.sql_db")
    def test_no_code_path_bills_a_charge_twice(self):
        charge, _move = self._invoiced()
        with self.assertRaises(ExclusionViolation), self.env.cr.savepoint():
            self._native_invoice(charge)
            self.env.flush_all()

    @mute_logger("odoo.sql_db")
    def test_a_charge_line_names_who_is_responsible(self):
        charge = self._charge(self._client())
        with self.assertRaises(CheckViolation), self.env.cr.savepoint():
            self._native_invoice(charge, responsibility=False)
            self.env.flush_all()

    def test_each_responsible_party_once(self):
        charge = self._charge(self._insured_client(copay=20.0))
        run = self._execute(charge)
        self.assertEqual(len(run.line_ids.move_id), 2)
        self.assertEqual(
            sorted(charge.invoice_line_ids.mapped("responsibility")), ["client", "primary"]
        )

    def test_legal_swap_within_one_flush(self):
        """Two drafts exchange their charges; a row-by-row unique index would refuse."""
        charges = self._charge(self._client("A")) | self._charge(self._client("B"))
        lines = self._execute(charges).line_ids.move_id.invoice_line_ids.filtered("charge_id")
        first, second = lines.sudo()
        first.charge_id, second.charge_id = second.charge_id, first.charge_id
        self.env.flush_all()
        self.assertEqual(first.charge_id, charges[1])
        self.assertEqual(lines.mapped("charge_live"), [True, True])

    # -- freed by ... ----------------------------------------------------------------------------
    def test_deleting_the_draft_frees(self):
        charge, move = self._invoiced()
        move.unlink()
        self.assertFalse(charge.is_live)
        self.assertEqual(charge.billing_stage, "billing_office")
        self.assertEqual(self._execute(charge).line_ids.state, "created")

    def test_deleting_the_line_frees(self):
        charge, move = self._invoiced()
        move.invoice_line_ids.filtered("charge_id").unlink()
        self.assertEqual(charge.billing_stage, "billing_office")

    def test_canceling_frees_and_resetting_takes_again(self):
        charge, move = self._invoiced()
        move.button_cancel()
        self.assertFalse(charge.is_live)
        move.button_draft()
        self.assertTrue(charge.is_live)
        self.assertEqual(charge.billing_stage, "draft")

    def test_reset_of_a_canceled_invoice_names_the_invoice_that_has_its_charge(self):
        charge, move = self._invoiced()
        move.button_cancel()
        other = self._execute(charge).line_ids.move_id
        with self.assertRaisesRegex(UserError, other.billing_ref):
            move.button_draft()
        other.unlink()
        move.button_draft()
        self.assertTrue(charge.is_live)

    def test_full_credit_frees_only_when_posted(self):
        charge, move = self._invoiced(post=True)
        credit = self._credit(move, post=False)
        self.assertEqual(
            credit.invoice_line_ids.filtered("charge_id").credit_of_line_id,
            move.invoice_line_ids.filtered("charge_id"),
        )
        self.assertTrue(charge.is_live)
        credit.action_post()
        self.assertFalse(charge.is_live)
        self.assertEqual((charge.billing_stage, charge.amount_invoiced), ("billing_office", 0.0))
        self.assertEqual(self._execute(charge).line_ids.state, "created")

    def test_partial_credit_lowers_the_balance_and_frees_nothing(self):
        charge, move = self._invoiced(post=True)
        self._credit(move, price_unit=30.0)
        self.assertTrue(charge.is_live)
        self.assertEqual(charge.amount_invoiced, 50.0)
        self.assertEqual(self._plan(charge).blocked[charge.id], ("already_invoiced",))
        self._credit(move, price_unit=50.0)
        self.assertFalse(charge.is_live, "both credits together cover the line")

    def test_reset_of_a_credit_note_takes_the_charge_again(self):
        charge, move = self._invoiced(post=True)
        credit = self._credit(move)
        credit.button_draft()
        self.assertTrue(charge.is_live)

    def test_reset_of_a_credit_note_whose_charge_was_billed_again(self):
        charge, move = self._invoiced(post=True)
        credit = self._credit(move)
        other = self._execute(charge, post=True).line_ids.move_id
        with self.assertRaisesRegex(UserError, other.name):
            credit.button_draft()

    def test_reverse_and_create(self):
        charge, move = self._invoiced(post=True)
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({"journal_id": move.journal_id.id, "reason": "wrong"})
        )
        new = self.env["account.move"].browse(wizard.modify_moves()["res_id"])
        self.env.flush_all()
        self.assertEqual(move.payment_state, "reversed")
        line = new.invoice_line_ids.filtered("charge_id")
        self.assertRecordValues(
            line, [{"charge_id": charge.id, "responsibility": "client", "charge_live": True}]
        )
        self.assertFalse(line.credit_of_line_id)
        new.action_post()
        self.assertEqual((charge.billing_stage, charge.amount_invoiced), ("awaiting_payment", 80.0))

    def test_duplicate_has_no_charges(self):
        charge, move = self._invoiced()
        copy = move.copy()
        self.assertFalse(copy.invoice_line_ids.charge_id)
        self.assertFalse(copy.billing_ref)
        self.env.flush_all()
        self.assertEqual(len(charge.invoice_line_ids), 1)

    def test_reversal_of_a_credit_note_for_negative_charges(self):
        charge, _move = self._invoiced(post=True)
        child = self.env["healthcare.charge"].create(
            {"parent_id": charge.id, "kind": "adjustment", "price_unit": -15.0}
        )
        refund = self._execute(child, post=True).line_ids.move_id
        self.assertTrue(child.is_live)
        refund._reverse_moves(cancel=True)
        self.assertFalse(child.is_live)
        self.assertEqual(len(self._plan(child).invoices), 1)

    # -- frozen while billed ---------------------------------------------------------------------
    def test_r2_invoiced_charges_are_frozen(self):
        charge, move = self._invoiced()
        for values in (
            {"price_unit": 1.0},
            {"quantity": 9.0},
            {"product_id": self.service.id},
            {"amount_client": 0.0, "amount_payer": 80.0},
        ):
            with self.subTest(values), self.assertRaisesRegex(UserError, move.billing_ref):
                charge.write(values)
        with self.assertRaisesRegex(UserError, move.billing_ref):
            charge.appointment_id.product_id = self.service
        with self.assertRaisesRegex(UserError, move.billing_ref):
            charge.appointment_id.action_schedule()
        with self.assertRaises(UserError):
            charge.appointment_id.unlink()
        charge.appointment_id.stop = charge.appointment_id.start
        self.assertEqual(charge.quantity, 1.0)

    def test_hand_edit_of_a_draft_is_cores(self):
        _charge, move = self._invoiced()
        self.assertFalse(move.is_manually_modified)
        with Form(move) as form:
            form.ref = "by hand"
        self.assertTrue(move.is_manually_modified)
        self.assertEqual(move.amount_total, 80.0)

    def test_a_line_changed_by_hand_is_said(self):
        charge, move = self._invoiced()
        self.assertFalse(charge.invoiced_otherwise)
        move.invoice_line_ids.filtered("charge_id").discount = 50.0
        self.assertTrue(charge.invoiced_otherwise)
        move.action_post()
        self.assertEqual(charge.amount_invoiced, 40.0)
        self._credit(move)
        self.assertFalse(charge.invoiced_otherwise)

    def test_mass_posting_through_cores_wizard(self):
        charges = self._charge(self._client("A")) | self._charge(self._client("B"))
        moves = self._execute(charges).line_ids.move_id
        wizard = (
            self.env["validate.account.move"]
            .with_context(active_model="account.move", active_ids=moves.ids)
            .create({})
        )
        wizard.validate_move()
        self.assertEqual(moves.mapped("state"), ["posted"] * 2)
        self.assertEqual(charges.mapped("billing_stage"), ["awaiting_payment"] * 2)

    def test_accountant_without_care_groups_posts_and_credits(self):
        charge, move = self._invoiced()
        accountant = self._user("accountant")
        move = move.with_user(accountant)
        move.action_post()
        self.assertEqual(charge.billing_stage, "awaiting_payment")
        credit = self._credit(move)
        self.assertEqual(charge.billing_stage, "billing_office")
        credit.with_user(accountant).button_draft()
        self.assertTrue(charge.is_live)

    # -- by other native buttons -------------------------------------------------------------------
    def _reverse(self, move):
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({"journal_id": move.journal_id.id, "reason": "again"})
        )
        return self.env["account.move"].browse(wizard.refund_moves()["res_id"])

    def test_credit_note_of_a_credit_note_bills_again(self):
        charge, move = self._invoiced(post=True)
        credit = self._credit(move)
        self.assertFalse(charge.is_live)
        again = self._reverse(credit)
        self.assertEqual(again.move_type, "out_invoice")
        self.assertFalse(charge.is_live, "a draft takes nothing back")
        again.action_post()
        self.assertTrue(charge.is_live)
        self.assertEqual(charge.amount_invoiced, 80.0)
        self.assertEqual(self._plan(charge).blocked[charge.id], ("already_invoiced",))
        again.button_draft()
        self.assertFalse(charge.is_live)

    def test_credit_note_of_a_credit_note_when_billed_meanwhile(self):
        charge, move = self._invoiced(post=True)
        credit = self._credit(move)
        other = self._execute(charge, post=True).line_ids.move_id
        with self.assertRaisesRegex(UserError, other.name):
            self._reverse(credit).action_post()

    def test_partial_credit_of_a_credit_note(self):
        charge, move = self._invoiced(post=True)
        again = self._reverse(self._credit(move))
        again.invoice_line_ids.filtered("charge_id").price_unit = 30.0
        again.action_post()
        line = move.invoice_line_ids.filtered("charge_id")
        self.assertEqual((line.charge_credited, charge.amount_invoiced), (50.0, 30.0))
        self.assertTrue(charge.is_live)

    def test_an_invoice_of_care_stays_one(self):
        _charge, move = self._invoiced()
        with self.assertRaisesRegex(UserError, "credit note"):
            move.action_switch_move_type()
        _charge, move = self._invoiced(post=True, name="B")
        with self.assertRaisesRegex(UserError, "credit note"):
            self._credit(move, post=False).action_switch_move_type()

    def test_a_credited_invoice_cant_be_deleted(self):
        _charge, move = self._invoiced(post=True)
        credit = self._credit(move)
        move.button_draft()
        with self.assertRaisesRegex(UserError, credit.name):
            move.unlink()

    def test_canceled_invoice_of_changed_care_cant_come_back(self):
        charge, move = self._invoiced()
        move.button_cancel()
        charge.price_unit = 5.0
        with self.assertRaisesRegex(UserError, "changed since"):
            move.button_draft()
        charge.price_unit = 80.0
        move.button_draft()
        self.assertTrue(charge.is_live)

    def test_credited_invoice_of_changed_care_cant_come_back(self):
        charge, move = self._invoiced(post=True)
        credit = self._credit(move)
        charge.price_unit = 5.0
        with self.assertRaisesRegex(UserError, "changed since"):
            credit.button_draft()

    def test_reverse_and_create_keeps_the_billing_reference(self):
        _charge, move = self._invoiced(post=True)
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({"journal_id": move.journal_id.id, "reason": "wrong"})
        )
        new = self.env["account.move"].browse(wizard.modify_moves()["res_id"])
        self.assertRecordValues(
            new,
            [
                {
                    "billing_ref": move.billing_ref,
                    "payment_reference": move.billing_ref,
                    "billing_run_id": move.billing_run_id.id,
                }
            ],
        )

    # -- by RPC ------------------------------------------------------------------------------------
    @mute_logger("odoo.sql_db")
    def test_a_biller_cant_write_around_the_guard(self):
        charge, move = self._invoiced(post=True)
        line = move.with_user(self._user("billing_user")).invoice_line_ids.filtered("charge_id")
        for values in (
            {"charge_live": False},
            {"charge_credited": 80.0},
            {"charge_id": False},
            {"responsibility": "tertiary"},
            {"credit_of_line_id": line.id},
        ):
            with self.subTest(values), self.assertRaises(UserError):
                line.write(values)
        self.env.flush_all()
        self.assertTrue(charge.is_live)

    @mute_logger("odoo.sql_db")
    def test_context_keys_make_no_second_bill(self):
        charge, move = self._invoiced(post=True)
        copying = move.with_context(include_business_fields=True, move_reverse_cancel=False)
        with self.assertRaises(ExclusionViolation), self.env.cr.savepoint():
            copying.copy()
            self.env.flush_all()
        self.assertEqual(len(charge.invoice_line_ids), 1)

    def test_nobody_is_billed_who_owes_nothing(self):
        _charge, move = self._invoiced()
        line = move.invoice_line_ids.filtered("charge_id")
        with self.assertRaises(ValidationError):
            line.sudo().responsibility = "primary"

    def test_a_line_keeps_its_charge(self):
        """Else the invoice could be posted without it, and the care billed again."""
        charge, move = self._invoiced()
        other = self._charge(self._client("Other"))
        line = move.invoice_line_ids.filtered("charge_id")
        for values in (
            {"charge_id": False, "responsibility": False},
            {"charge_id": False},
            {"charge_id": other.id},
            {"responsibility": "primary"},
        ):
            for record, vals in (
                (line, values),
                (move, {"invoice_line_ids": [Command.update(line.id, values)]}),
            ):
                with self.subTest(values), self.assertRaises(UserError):
                    record.write(vals)
        self.assertEqual(line.charge_id, charge)
        line.write({"charge_id": charge.id, "responsibility": "client"})  # nothing changes
        move.action_post()
        with self.assertRaises(UserError):
            line.sudo().charge_id = other

    def test_an_invoice_stays_with_its_run(self):
        _charge, move = self._invoiced()
        run = self._execute(self._charge(self._client("Other")))
        for run_id in (run.id, False):
            with self.subTest(run_id), self.assertRaises(UserError):
                move.billing_run_id = run_id
        move.write({"billing_run_id": move.billing_run_id.id, "ref": "x"})

    def test_provenance_and_stage_cant_be_typed(self):
        charge = self._charge(self._client())
        source, reason = charge.price_source, charge.price_reason
        charge.with_context(healthcare_pricing=True).write(
            {"price_source": "fee_schedule", "price_reason": "x", "billing_stage": "finished"}
        )
        self.assertRecordValues(
            charge,
            [{"price_source": source, "price_reason": reason, "billing_stage": "billing_office"}],
        )
        charge.with_context(healthcare_pricing=True).price_unit = 1.0
        self.assertEqual(charge.price_source, "typed")

    def test_r2_an_invoiced_charge_stays_where_it_is(self):
        charge, move = self._invoiced()
        other = self._appointment(self._client("Other"))
        for values in (
            {"appointment_id": other.id},
            {"service_date": "2025-01-01"},
            {"kind": "expense"},
        ):
            with self.subTest(values), self.assertRaisesRegex(UserError, move.billing_ref):
                charge.write(values)
        with self.assertRaisesRegex(UserError, move.billing_ref):
            charge.appointment_id.employee_id = self._provider("Somebody Else")

    def test_a_correction_goes_before_its_charge(self):
        charge = self._charge(self._client())
        child = self.env["healthcare.charge"].create(
            {"parent_id": charge.id, "kind": "adjustment", "price_unit": -5.0}
        )
        self.assertEqual(child.product_id, charge.product_id)
        with self.assertRaisesRegex(UserError, "corrections"):
            charge.unlink()
        (child | charge).unlink()
