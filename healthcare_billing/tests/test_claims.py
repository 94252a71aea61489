from datetime import timedelta

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .claim_common import ClaimCommon
from .common import A_DAY


@tagged("post_install", "-at_install")
class TestClaimBuilding(ClaimCommon):
    """What goes on a claim, what doesn't, and why."""

    def test_claim_of_an_invoice(self):
        """Client, payer, policy, provider, place, charge: everything comes from the care."""
        visit = self._visit()
        visit.charge_ids.modifier_ids = self.modifiers[:2]
        move = self._invoices(visit)
        claim = self._claims(move)
        self.assertEqual(claim.state, "awaiting_submission")
        self.assertEqual((claim.client_id, claim.payer_id), (self.ivy, self.payer))
        self.assertEqual(claim.coverage_id, self.ivy.coverage_ids)
        self.assertEqual((claim.responsibility, claim.frequency), ("primary", "1"))
        self.assertEqual(claim.rendering_provider_id, self.provider)
        self.assertEqual(claim.place_of_service_id, self.place)
        self.assertFalse(claim.billing_provider_id)
        self.assertEqual(claim.diagnosis_line_ids.diagnosis_id, self.diagnosis)
        line = claim.line_ids
        self.assertEqual((line.code, line.units, line.amount), ("T1001", 1.0, 80.0))
        self.assertEqual(line.service_date, A_DAY)
        self.assertEqual(line.modifier_ids, self.modifiers[:2])
        self.assertEqual(line.pointers, "A")
        self.assertEqual(claim.item_ids.charge_id, visit.charge_ids)
        self.assertEqual(claim.invoice_ids, move)
        self.assertEqual((move.claim_ids, move.claim_count), (claim, 1))
        self.assertEqual(move.claim_state, "awaiting_submission")
        self.assertIn(move.name, claim.message_ids[0].body)

    def test_r27_full_amount_and_the_clients_part_apart(self):
        """The co-pay doesn't lower the claim; what the client owes and paid is told besides."""
        ivy = self._complete_client("Ivy Copay")
        ivy.coverage_ids.copay_amount = 20.0
        moves = self._invoices(self._visit(ivy))
        payer_move = moves.filtered(lambda move: move.partner_id == self.payer)
        client_move = moves - payer_move
        self.assertEqual((payer_move.amount_total, client_move.amount_total), (60.0, 20.0))
        claim = self._claims(moves)
        self.assertEqual(claim.amount_total, 80.0)
        self.assertEqual((claim.amount_client, claim.amount_client_paid), (20.0, 0.0))
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=client_move.ids
        ).create({"amount": 5.0})._create_payments()
        self.env.invalidate_all()
        self.assertEqual((claim.amount_client, claim.amount_client_paid), (20.0, 5.0))
        self.assertEqual(claim.amount_total, 80.0)

    def test_control_numbers(self):
        """One per version, at most 14 of A-Z, 0-9 and hyphen, never used again."""
        first = self._claims()
        second = self._claims(self._invoices(self._visit(hour=12)))
        self.assertNotEqual(first.name, second.name)
        for claim in first | second:
            self.assertRegex(claim.name, r"^[A-Z0-9-]{1,14}$")
        with self.assertRaises(UserError):
            first.unlink()
        with self.assertRaises(UserError):
            first.copy()
        first.action_cancel()
        again = self._claims(first.invoice_ids)
        self.assertNotIn(again.name, (first + second).mapped("name"))

    def test_control_number_that_payers_cannot_return(self):
        sequence = self.env["ir.sequence"].search([("code", "=", "healthcare.claim")])
        sequence.prefix = "CLAIM/2025/"
        with self.assertRaises(Exception) as caught, self.env.cr.savepoint():
            self._claims()
        self.assertIn("healthcare_claim_check_name", str(caught.exception))

    def test_what_is_left_out_and_why(self):
        """Self-pay, the client's part, drafts, credits, other invoices, and facilities."""
        copay = self._complete_client("Cora Copay")
        copay.coverage_ids.copay_amount = 20.0
        facility = self._payer("Nursing Home", payer_type="facility")
        other = self.init_invoice("out_invoice", amounts=[77.0], post=True)
        credited = self._invoices(self._visit(self._complete_client("Ada")))
        credit = self._credit(credited)
        cases = {
            "client_part": self._invoices(self._visit(self._client("Sue Selfpay"))),
            "not_posted": self._invoices(self._visit(self._complete_client("Dora")), post=False),
            "credited": credited,
            "credit_note": credit,
            "not_care": other,
            "no_claims": self._invoices(self._visit(self._complete_client("Fay", payer=facility))),
        }
        for reason, moves in cases.items():
            with self.subTest(reason=reason):
                plan = self._plan_claims(moves)
                self.assertFalse(plan.claims)
                self.assertEqual(self._left_out(plan), [reason])
        plan = self._plan_claims(self._invoices(self._visit(copay)))
        self.assertEqual(len(plan.claims), 1)
        self.assertEqual(self._left_out(plan), ["client_part"])

    def test_r7_missed_care_is_never_claimed(self):
        """Even where it got on an invoice to the payer, because it was missed afterwards."""
        visit = self._visit()
        move = self._invoices(visit)
        self.assertEqual(len(self._plan_claims(move).claims), 1)
        # (the form refuses it; whatever comes around it must not reach a payer)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE healthcare_appointment SET state = 'no_show' WHERE id = %s", [visit.id]
        )
        self.env.invalidate_all()
        plan = self._plan_claims(move)
        self.assertFalse(plan.claims)
        self.assertEqual(self._left_out(plan), ["missed"])
        late = self._visit(hour=14, state="late_canceled")
        plan = self._plan_claims(self._invoices(late))
        self.assertEqual(self._left_out(plan), ["client_part"])

    def test_what_is_on_a_claim_is_not_claimed_again(self):
        claim = self._claims()
        plan = self._plan_claims(claim.invoice_ids)
        self.assertFalse(plan.claims)
        self.assertEqual(self._left_out(plan), ["on_claim"])
        self.assertEqual(plan.left_out[0].claim_id, claim.id)
        with self.assertRaisesRegex(UserError, "nothing here"):
            self._claims(claim.invoice_ids)

    def test_guard_of_the_database(self):
        """A plan made before another claim took the charge is refused, and writes nothing."""
        move = self._invoices()
        plan = self._plan_claims(move)
        builder = self.env["healthcare.claim.builder"]
        claim = builder.create_claims(plan)
        with self.assertRaisesRegex(UserError, "meanwhile"):
            builder.create_claims(plan)
        self.assertEqual(move.claim_ids, claim)

    def test_secondary_payer_gets_a_claim_of_its_own(self):
        second = self._payer("Second Insurance", edi_payer_id="TEST2", claim_filing_indicator="CI")
        coverage = self._coverage(self.ivy, second, sequence=20, member_id="M-2")
        self.ivy.billing_account_ids.coverage_ids += coverage
        visit = self._visit()
        visit.charge_ids.amount_secondary = 30.0
        moves = self._invoices(visit)
        claims = self._claims(moves)
        self.assertEqual(len(claims), 2)
        secondary = claims.filtered(lambda claim: claim.responsibility == "secondary")
        self.assertEqual((secondary.payer_id, secondary.coverage_id), (second, coverage))
        self.assertEqual(set(claims.mapped("amount_total")), {80.0})

    def test_billing_provider_of_the_account(self):
        account = self.ivy.billing_account_ids
        account.billing_provider_id = self.provider
        claim = self._claims()
        self.assertEqual(claim.billing_provider_id, self.provider)
        claim.with_env(self._act_as(self._user("billing_user"))).billing_provider_id = False
        self.assertFalse(account.billing_provider_id)

    def test_from_a_billing_run(self):
        run = self._execute(self._visit(), post=True)
        action = run.action_add_to_claims()
        preview = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual((preview.claim_count, preview.move_ids), (1, run.move_ids))


@tagged("post_install", "-at_install")
class TestClaimPreview(ClaimCommon):
    """What would be created is shown first, and exactly that is created."""

    def _preview(self, moves):
        action = moves.action_add_to_claims()
        return self.env[action["res_model"]].browse(action["res_id"])

    def test_preview_writes_nothing_and_says_all(self):
        selfpay = self._invoices(self._visit(self._client("Sue Selfpay")))
        moves = self._invoices(self._visit() | self._visit(hour=12, product_id=self.service.id))
        before = self.env["healthcare.claim"].search_count([])
        preview = self._preview(moves | selfpay)
        self.assertEqual(self.env["healthcare.claim"].search_count([]), before)
        self.assertEqual((preview.claim_count, preview.invoice_count), (2, 1))
        self.assertEqual((preview.item_count, preview.amount_total), (2, 200.0))
        self.assertEqual(preview.line_ids.mapped("codes"), ["T1001", "H0004"])
        self.assertEqual(preview.line_ids.mapped("why_apart"), ["code", "code"])
        self.assertEqual(preview.exclusion_ids.reason, "client_part")
        self.assertEqual((preview.left_out_count, preview.amount_left_out), (1, 80.0))

    def test_create_what_was_shown_once(self):
        preview = self._preview(self._invoices())
        first = preview.action_create()
        self.assertEqual(first["res_id"], preview.claim_ids.id)
        self.assertEqual(preview.action_create()["res_id"], preview.claim_ids.id)
        self.assertEqual(len(preview.move_ids.claim_ids), 1)

    def test_changed_since_the_preview(self):
        moves = self._invoices(self._visit() | self._visit(hour=12, product_id=self.service.id))
        preview = self._preview(moves)
        moves.group_single_claim = True
        with self.assertRaisesRegex(UserError, "look again"):
            preview.action_create()
        self.assertFalse(moves.claim_ids)

    def test_group_and_split_in_the_preview(self):
        moves = self._invoices(self._visit() | self._visit(hour=12, product_id=self.service.id))
        preview = self._preview(moves)
        self.assertTrue(preview.can_group)
        preview.action_group()
        self.assertEqual((preview.claim_count, moves.group_single_claim), (1, True))
        self.assertTrue(preview.can_split)
        preview.action_split()
        self.assertEqual((preview.claim_count, moves.group_single_claim), (2, False))

    def test_single_claim_flag_is_locked_once_there_is_a_claim(self):
        claim = self._claims()
        move = claim.invoice_ids
        with self.assertRaisesRegex(UserError, "cancel the claim"):
            move.group_single_claim = True
        claim.action_cancel()
        move.group_single_claim = True

    def test_nothing_to_claim(self):
        preview = self._preview(self._invoices(self._visit(self._client("Sue Selfpay"))))
        self.assertEqual((preview.claim_count, preview.left_out_count), (0, 1))
        with self.assertRaisesRegex(UserError, "nothing here"):
            preview.action_create()
        with self.assertRaisesRegex(UserError, "Choose invoices"):
            self.env["account.move"].action_add_to_claims()


@tagged("post_install", "-at_install")
class TestClaimStates(ClaimCommon):
    """Awaiting submission, submitted, accepted or rejected, paid; and later versions."""

    def test_on_the_way_to_paid(self):
        claim = self._claims().with_context(tracking_disable=False, mail_notrack=False)
        self._flush_tracking()
        move = claim.invoice_ids
        for action, state, date in (
            ("action_submit", "submitted", "date_submitted"),
            ("action_accept", "accepted", "date_accepted"),
            ("action_mark_paid", "paid", "date_paid"),
        ):
            getattr(claim, action)()
            self.assertEqual((claim.state, claim[date]), (state, self.today))
            self.assertEqual(move.claim_state, state)
            self._flush_tracking()
            with self.assertRaises(UserError):  # a second click
                getattr(claim, action)()
        self.assertEqual(
            claim.message_ids.sudo().tracking_value_ids.mapped("new_value_char")[::-1],
            ["Submitted", "Accepted", "Paid"],
        )

    def test_many_at_once(self):
        claims = self._claims() | self._claims(self._invoices(self._visit(hour=12)))
        claims.action_submit()
        self.assertEqual(set(claims.mapped("state")), {"submitted"})
        claims[0].action_accept()
        with self.assertRaisesRegex(UserError, claims[0].name):
            claims.action_accept()
        self.assertEqual(claims[1].state, "submitted")

    def test_reject_and_resubmit(self):
        """Rejected before the payer looked at it: an original again, under a new number."""
        claim = self._submitted()
        wizard = self.env["healthcare.claim.reject"].with_context(
            **claim.action_open_reject()["context"]
        )
        form = Form(wizard)
        form.reason = "Unknown member"
        form.save().action_reject()
        self.assertEqual((claim.state, claim.reject_reason), ("rejected", "Unknown member"))
        self.assertEqual(claim.date_rejected, self.today)
        action = claim.action_resubmit()
        version = self.env["healthcare.claim"].browse(action["res_id"])
        self.assertEqual((version.state, version.frequency), ("awaiting_submission", "1"))
        self.assertEqual(version.origin_claim_id, claim)
        self.assertNotEqual(version.name, claim.name)
        self.assertEqual(version.item_ids.charge_id, claim.item_ids.charge_id)
        self.assertEqual((claim.state, claim.is_live, version.is_live), ("rejected", False, True))
        self.assertEqual(claim.action_resubmit()["res_id"], version.id)  # a second click
        self.assertEqual(claim.invoice_ids.claim_state, "awaiting_submission")

    def test_denied_after_acceptance_is_replaced(self):
        claim = self._accepted()
        claim._reject("Not covered")
        version = self.env["healthcare.claim"].browse(claim.action_resubmit()["res_id"])
        self.assertEqual((version.frequency, version.original_reference), ("7", "ICN-1"))

    def test_replacement(self):
        claim = self._accepted()
        claim.action_mark_paid()
        version = self.env["healthcare.claim"].browse(claim.action_replace()["res_id"])
        self.assertEqual((version.frequency, version.original_reference), ("7", "ICN-1"))
        self.assertEqual((claim.state, claim.is_live), ("paid", False))
        self.assertEqual(claim.action_replace()["res_id"], version.id)
        version.action_cancel()
        self.assertTrue(claim.is_live)
        again = self.env["healthcare.claim"].browse(claim.action_replace()["res_id"])
        self.assertNotEqual(again, version)

    def test_replacement_names_the_payers_number(self):
        claim = self._accepted(number=False)
        version = self.env["healthcare.claim"].browse(claim.action_replace()["res_id"])
        self.assertIn("missing_original", self._issue_codes(version))
        with self.assertRaisesRegex(UserError, "No payer's claim number"):
            version.action_submit()
        version.original_reference = "ICN-9"
        version.action_submit()

    def test_void(self):
        """The charges are held until the payer has taken the void, and then free."""
        claim = self._accepted()
        void = self.env["healthcare.claim"].browse(claim.action_void()["res_id"])
        self.assertEqual((void.frequency, void.original_reference), ("8", "ICN-1"))
        self.assertEqual((claim.is_live, void.is_live), (True, False))
        self.assertEqual(claim.action_void()["res_id"], void.id)
        with self.assertRaisesRegex(UserError, "voided"):
            claim.action_replace()
        void.action_submit()
        self.assertEqual(claim.state, "accepted")
        void.action_accept()
        self.assertEqual((claim.state, claim.needs_void), ("closed", False))
        self.assertIn(void.name, claim.close_reason)
        self.assertEqual(len(self._plan_claims(claim.invoice_ids).claims), 1)

    def test_step_back(self):
        claim = self._accepted()
        for state in ("submitted", "awaiting_submission"):
            claim.action_step_back()
            self.assertEqual(claim.state, state)
        self.assertFalse(claim.date_submitted)
        with self.assertRaises(AccessError):
            submitted = self._submitted(self._invoices(self._visit(hour=12)))
            submitted.with_env(self._act_as(self._user("billing_user"))).action_step_back()

    def test_cancel_frees_the_charges(self):
        claim = self._claims()
        claim.action_cancel()
        self.assertEqual((claim.state, claim.invoice_ids.claim_state), ("canceled", False))
        again = self._claims(claim.invoice_ids)
        self.assertTrue(again.is_live)
        with self.assertRaises(UserError):
            self._submitted(self._invoices(self._visit(hour=12))).action_cancel()

    def test_versions(self):
        claim = self._rejected()
        second = self.env["healthcare.claim"].browse(claim.action_resubmit()["res_id"])
        for version in claim | second:
            self.assertEqual(
                self.env["healthcare.claim"].search(version.action_view_versions()["domain"]),
                claim | second,
            )


@tagged("post_install", "-at_install")
class TestClaimInvoice(ClaimCommon):
    """Cancel, credit or delete the invoice, and its claim follows."""

    def test_credit_closes_the_claim(self):
        claim = self._claims()
        credit = self._credit(claim.invoice_ids, post=False)
        self.assertEqual(claim.state, "awaiting_submission")
        credit.action_post()
        self.assertEqual((claim.state, claim.needs_void), ("closed", False))
        self.assertIn(credit.name, claim.close_reason)
        self.assertFalse(claim.invoice_ids.claim_state)

    def test_cancel_closes_the_claim(self):
        claim = self._claims()
        claim.invoice_ids.button_draft()
        self.assertIn("invoice_not_posted", self._issue_codes(claim))
        self.assertEqual(claim.state, "awaiting_submission")
        claim.invoice_ids.button_cancel()
        self.assertEqual(claim.state, "closed")

    def test_deleting_the_draft_closes_the_claim(self):
        claim = self._claims()
        charge = claim.item_ids.charge_id
        claim.invoice_ids.button_draft()
        claim.invoice_ids.with_context(force_delete=True).unlink()
        self.assertEqual((claim.state, claim.item_ids.move_id.ids), ("closed", []))
        self.assertEqual(claim.amount_total, 80.0)
        again = self._claims(self._invoices(charge.appointment_id))
        self.assertEqual(again.item_ids.charge_id, charge)

    def test_in_flight_needs_a_void(self):
        """The payer has it: closing says so, and makes the void of what was claimed."""
        for number, make in enumerate((self._submitted, self._accepted)):
            claim = make(self._invoices(self._visit(hour=10 + number)))
            self._credit(claim.invoice_ids)
            self.assertEqual((claim.state, claim.needs_void), ("closed", True))
            self.assertIn(claim, self.env["healthcare.claim"].search([("needs_void", "=", True)]))
            void = self.env["healthcare.claim"].browse(claim.action_void()["res_id"])
            self.assertEqual((void.frequency, void.amount_total), ("8", 80.0))
            self.assertFalse(claim.needs_void)
            void.action_cancel()
            self.assertTrue(claim.needs_void)

    def test_new_claim_after_credit_warns_of_the_old_one(self):
        claim = self._accepted()
        charge = claim.item_ids.charge_id
        self._credit(claim.invoice_ids)
        again = self._claims(self._invoices(charge.appointment_id))
        self.assertEqual(self._issue_codes(again), {"earlier_not_voided"})
        claim.action_void()
        self.assertFalse(self._issue_codes(again))

    def test_credited_while_a_replacement_waits(self):
        """The replacement was never sent; what the payer has must be voided."""
        claim = self._accepted()
        version = self.env["healthcare.claim"].browse(claim.action_replace()["res_id"])
        self._credit(claim.invoice_ids)
        self.assertEqual((version.state, version.needs_void), ("closed", False))
        self.assertEqual((claim.state, claim.needs_void), ("closed", True))

    def test_partial_credit_is_told(self):
        claim = self._accepted()
        credit = self._credit(claim.invoice_ids, post=False)
        credit.invoice_line_ids.filtered("charge_id").price_unit = 30.0
        credit.action_post()
        self.assertEqual(claim.state, "accepted")
        self.assertEqual(self._issue_codes(claim), {"partly_credited"})
        self.assertIn(credit.name, claim.message_ids[0].body)

    def _two_lines(self):
        moves = self._invoices(self._visit() | self._visit(hour=12), group_single_claim=True)
        return self._claims(moves)

    def _credit_one_line(self, claim):
        credit = self._credit(claim.invoice_ids, post=False)
        lines = credit.invoice_line_ids.filtered("charge_id")
        lines[0].unlink()
        credit.action_post()
        return credit

    def test_one_of_two_lines_credited_before_submission(self):
        claim = self._two_lines()
        self._credit_one_line(claim)
        self.assertEqual((claim.state, claim.line_count), ("awaiting_submission", 1))
        self.assertEqual(claim.amount_total, 80.0)
        self.assertFalse(self._issue_codes(claim))

    def test_one_of_two_lines_credited_in_flight(self):
        claim = self._two_lines()
        claim.action_submit()
        claim.action_accept()
        claim.payer_claim_number = "ICN-1"
        self._credit_one_line(claim)
        self.assertEqual((claim.state, claim.amount_total), ("accepted", 160.0))
        self.assertEqual(self._issue_codes(claim), {"partly_credited"})
        version = self.env["healthcare.claim"].browse(claim.action_replace()["res_id"])
        self.assertEqual((version.line_count, version.amount_total), (1, 80.0))

    def test_accountant_credits_without_seeing_claims(self):
        claim = self._submitted()
        env = self._act_as(self._user("accountant"))
        wizard = (
            env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=claim.invoice_ids.ids)
            .create({"journal_id": claim.invoice_ids.journal_id.id})
        )
        wizard.reverse_moves()
        credit = env["account.move"].search([("reversed_entry_id", "=", claim.invoice_ids.id)])
        credit.action_post()
        self.env.invalidate_all()
        self.assertEqual((claim.state, claim.needs_void), ("closed", True))


@tagged("post_install", "-at_install")
class TestClaimCorrections(ClaimCommon):
    """Modifiers, pointers, numbers: on the claim, logged, and not while in flight."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.visit_service.product_tmpl_id.modifier_ids = cls.modifiers[:1]
        cls.biller = cls._user("billing_user")

    def _claim(self, *args):
        return self._claims(*args).with_env(self._act_as(self.biller))

    def test_modifiers_come_from_the_service_and_never_change_it(self):
        claim = self._claim()
        line = claim.line_ids
        self.assertEqual(line.modifier_ids, self.modifiers[:1])
        line.modifier_ids = self.modifiers[1:3]
        self.assertEqual(self.visit_service.modifier_ids, self.modifiers[:1])
        self.assertEqual(claim.item_ids.charge_id.modifier_ids, self.modifiers[:1])
        message = claim.message_ids[0]
        self.assertEqual(message.author_id, self.biller.partner_id)
        self.assertIn("Modifiers: ZA → ZB, ZC", message.body)

    def test_at_most_four_modifiers(self):
        line = self._claim().line_ids
        line.modifier_ids = self.modifiers[:4]
        with self.assertRaisesRegex(ValidationError, "at most 4"):
            line.modifier_ids = self.modifiers

    def test_not_while_in_flight(self):
        """Before submission, after rejection and when paid; not in between, not when followed."""
        claim = self._claim()
        line = claim.line_ids

        def assert_locked():
            for change in (
                {"modifier_ids": [Command.set(self.modifiers[:2].ids)]},
                {"pointers": ""},
                {"authorization_number": "X"},
            ):
                with self.subTest(state=claim.state, change=change), self.assertRaises(UserError):
                    line.write(change)
            with self.assertRaises(UserError):
                claim.note = "Late"
            with self.assertRaises(UserError):
                claim.diagnosis_line_ids.unlink()

        line.authorization_number = "A-1"
        claim.action_submit()
        assert_locked()
        claim.action_accept()
        assert_locked()
        claim.payer_claim_number = "ICN-1"
        claim.action_mark_paid()
        line.modifier_ids = self.modifiers[:2]
        version = claim.browse(claim.action_replace()["res_id"])
        assert_locked()
        self.assertEqual(version.line_ids.modifier_ids, self.modifiers[:2])
        self.assertEqual(version.line_ids.authorization_number, "A-1")

    def test_again_after_rejection(self):
        claim = self._claim()
        claim.action_submit()
        claim._reject("Wrong modifier")
        claim.line_ids.modifier_ids = self.modifiers[2:3]
        version = claim.browse(claim.action_resubmit()["res_id"])
        self.assertEqual(version.line_ids.modifier_ids, self.modifiers[2:3])

    def test_pointers(self):
        """Letters of the claim's diagnoses, in the line's own order."""
        diagnoses = self._diagnoses(3)
        claim = self._claim(self._invoices(self._visit()))
        line = claim.line_ids
        self.assertEqual(line.pointers, "ABC")
        line.pointers = "c, a"
        self.assertEqual(line.pointers, "CA")
        self.assertEqual(line.pointer_ids.diagnosis_id, diagnoses[2] + diagnoses[0])
        self.assertIn("Diagnoses: ABC → CA", claim.message_ids[0].body)
        for wrong in ("AD", "AA", "ABCAB", "?"):
            with self.subTest(pointers=wrong), self.assertRaises(ValidationError):
                line.pointers = wrong
        claim.diagnosis_line_ids[0].unlink()
        self.env.invalidate_all()
        self.assertEqual(line.pointers, "B")
        self.assertEqual(claim.diagnosis_line_ids.mapped("letter"), ["A", "B"])

    def test_order_of_diagnoses(self):
        diagnoses = self._diagnoses(2)
        claim = self._claim(self._invoices(self._visit()))
        first, second = claim.diagnosis_line_ids
        with Form(claim) as form, form.diagnosis_line_ids.edit(0) as row:
            row.sequence = 9
        self.env.invalidate_all()
        self.assertEqual((first.letter, second.letter), ("B", "A"))
        self.assertEqual(claim.line_ids.pointers, "BA")
        self.assertEqual(claim.line_ids.pointer_ids.diagnosis_id, diagnoses)

    def test_at_most_twelve_diagnoses(self):
        claim = self._claim()
        more = self.env["healthcare.diagnosis"].create(
            [{"code": f"ZZ7.{n:02}", "name": "Test"} for n in range(12)]
        )
        with self.assertRaisesRegex(ValidationError, "12 diagnoses"):
            claim.write(
                {"diagnosis_line_ids": [Command.create({"diagnosis_id": d.id}) for d in more]}
            )

    def test_header_passes_on_to_lines(self):
        second = self._second_provider()
        claim = self._claim()
        claim.write({"rendering_provider_id": second.id, "authorization_number": "A-7"})
        self.assertEqual(claim.line_ids.rendering_provider_id.id, second.id)
        self.assertEqual(claim.line_ids.authorization_number, "A-7")

    def test_what_nobody_types(self):
        claim = self._claim()
        for change in ({"state": "paid"}, {"payer_id": self._payer("Other").id}, {"name": "X"}):
            with self.subTest(change=change), self.assertRaises(UserError):
                claim.write(change)
        for change in ({"amount": 1.0}, {"units": 3.0}, {"code": "X"}, {"product_id": False}):
            with self.subTest(change=change), self.assertRaises(UserError):
                claim.line_ids.write(change)
        for model in ("healthcare.claim", "healthcare.claim.line", "healthcare.claim.item"):
            with self.assertRaises(AccessError):
                claim.env[model].create({})

    def test_form(self):
        """The form of a biller sends back nothing that would be refused."""
        claim = self._claim()
        with Form(claim) as form:
            form.note = "Second visit of the day"
            with form.line_ids.edit(0) as line:
                line.modifier_ids.add(self.modifiers[3])
        self.assertEqual(claim.line_ids.modifier_ids, self.modifiers[0] + self.modifiers[3])

    def test_coverage_of_somebody_else(self):
        claim = self._claim()
        other = self._complete_client("Other")
        with self.assertRaises(ValidationError):
            claim.coverage_id = other.coverage_ids


@tagged("post_install", "-at_install")
class TestClaimRights(ClaimCommon):
    def test_billing_user_does_it_all(self):
        env = self._act_as(self._user("billing_user"))
        move = self._invoices().with_env(env)
        preview = env["healthcare.claim.preview"].browse(move.action_add_to_claims()["res_id"])
        claim = env["healthcare.claim"].browse(preview.action_create()["res_id"])
        claim.action_submit()
        claim._reject("No")
        version = claim.browse(claim.action_resubmit()["res_id"])
        version.action_submit()
        version.action_accept()
        version.payer_claim_number = "ICN"
        version.action_mark_paid()
        for record in (claim, claim.line_ids, claim.item_ids, preview, preview.line_ids):
            self.env.invalidate_all()
            for name in record.fields_get():
                with self.subTest(model=record._name, field=name):
                    record.read([name])

    def test_others_make_no_claims(self):
        move = self._invoices()
        for kind in ("accountant", "coordinator", "care_staff", "no_group", "portal"):
            user = self._user(kind)
            with self.subTest(user=kind), self.assertRaises(AccessError):
                move.with_env(self._act_as(user)).action_add_to_claims()
        claim = self._claims(move)
        for user in self.env["res.users"].search([("login", "in", ["care_accountant"])]):
            self.assertEqual(move.with_env(self._act_as(user)).claim_state, claim.state)
            self.assertFalse(move.with_env(self._act_as(user)).can_add_to_claims)

    def test_other_companys_claims(self):
        claim = self._claims()
        company = self.setup_other_company()["company"]
        env = self.env(context={"allowed_company_ids": company.ids})
        for record in (claim, claim.line_ids, claim.item_ids, claim.diagnosis_line_ids,
                       claim.line_ids.pointer_ids):  # fmt: skip
            with self.subTest(model=record._name):
                self.assertFalse(env[record._name].search([("id", "in", record.ids)]))
                with self.assertRaises(AccessError):
                    record.with_env(env).check_access("read")

    def test_previews_are_their_users(self):
        env = self._act_as(self._user("billing_user"))
        preview = self.env["healthcare.claim.preview"].browse(
            self._invoices().action_add_to_claims()["res_id"]
        )
        for record in (preview, preview.line_ids):
            with self.assertRaises(AccessError):
                record.with_env(env).check_access("read")

    def test_menu_is_a_station(self):
        menu = self.env.ref("healthcare_billing.healthcare_claim_menu")
        biller, staff = self._user("billing_user"), self._user("coordinator")
        self.assertIn(menu.id, self.env["ir.ui.menu"].with_user(biller)._visible_menu_ids())
        self.assertNotIn(menu.id, self.env["ir.ui.menu"].with_user(staff)._visible_menu_ids())
        self.env.ref("base.group_user").implied_ids -= self.env.ref(
            "healthcare_billing.group_use_claims"
        )
        self.assertNotIn(menu.id, self.env["ir.ui.menu"].with_user(biller)._visible_menu_ids())


@tagged("post_install", "-at_install")
class TestClaimVolume(ClaimCommon):
    """Twice the invoices cost no more queries."""

    NUMBER = 6

    def _some_invoices(self, number):
        clients = [self._complete_client(f"Client {n}") for n in range(number)]
        visits = self.env["healthcare.appointment"]
        for client in clients:
            visits |= self._visit(client, day=A_DAY + timedelta(days=1))
            visits |= self._visit(client, product_id=self.service.id)
        return self._invoices(visits)

    def _assert_no_growth(self, prepare, act, slack=2):
        counts = []
        for number in (1, self.NUMBER, 2 * self.NUMBER):  # the first one fills caches
            given = prepare(number)
            self.env.flush_all()
            self.env.invalidate_all()
            given = given.browse(given.ids)
            before = self.env.cr.sql_log_count
            act(given)
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[2], counts[1] + slack, counts)

    def _some_claims(self, number):
        return self._claims(self._some_invoices(number))

    def test_preview(self):
        self._assert_no_growth(self._some_invoices, lambda moves: moves.action_add_to_claims())

    def test_create(self):
        builder = self.env["healthcare.claim.builder"]
        self._assert_no_growth(
            self._some_invoices, lambda moves: builder.create_claims(builder.plan(moves))
        )

    def test_submit_accept_pay(self):
        for action in ("action_submit", "action_accept", "action_mark_paid"):
            with self.subTest(action=action):

                def prepare(number, action=action):
                    claims = self._some_claims(number)
                    if action != "action_submit":
                        claims.action_submit()
                    return claims

                self._assert_no_growth(
                    prepare, lambda claims, action=action: getattr(claims, action)()
                )

    def test_list(self):
        claims = self.env["healthcare.claim"]
        spec = {
            name: {"fields": {"display_name": {}}} if name.endswith(("_id", "_ids")) else {}
            for name in claims.get_view(view_type="list")["models"]["healthcare.claim"]
        }
        self._assert_no_growth(
            self._some_claims,
            lambda made: made.web_search_read([("id", "in", made.ids)], spec),
        )

    def test_post_and_credit_of_claimed_invoices(self):
        def claimed(number):
            moves = self._some_invoices(number)
            self._claims(moves)
            return moves

        self._assert_no_growth(claimed, lambda moves: moves._follow_up_claims())

        def credited(number):
            moves = claimed(number)
            moves.button_draft()
            return moves

        self._assert_no_growth(credited, lambda moves: moves.button_cancel(), slack=10)
