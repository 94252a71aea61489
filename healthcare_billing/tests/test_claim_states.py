from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .claim_common import ClaimCommon


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

    def test_step_back_of_a_void_restores_what_it_voided(self):
        claim = self._accepted()
        claim.action_mark_paid()
        void = self.env["healthcare.claim"].browse(claim.action_void()["res_id"])
        void.action_submit()
        void.action_accept()
        void.action_mark_paid()
        void.action_step_back()
        self.assertEqual((void.state, claim.state), ("accepted", "closed"))
        again = self._claims(claim.invoice_ids)
        with self.assertRaisesRegex(UserError, again.name):
            void.action_step_back()
        again.action_cancel()
        void.action_step_back()
        self.assertEqual((void.state, claim.state), ("submitted", "paid"))
        self.assertEqual((claim.is_live, claim.date_closed), (True, False))
        self.assertEqual(self._left_out(self._plan_claims(claim.invoice_ids)), ["on_claim"])
        void.action_accept()  # and once more
        self.assertEqual((claim.state, claim.voided_by_id), ("closed", void))

    def test_step_back_of_a_void_of_credited_care(self):
        """Credited, not voided: what was closed for its invoice stays closed."""
        claim = self._accepted()
        self._credit(claim.invoice_ids)
        void = self.env["healthcare.claim"].browse(claim.action_void()["res_id"])
        void.action_submit()
        void.action_accept()
        void.action_step_back()
        self.assertEqual((claim.state, claim.needs_void), ("closed", False))

    def test_denied_claim_goes_back_to_accepted(self):
        claim = self._accepted()
        claim._reject("Not covered")
        claim.action_step_back()
        self.assertEqual((claim.state, claim.date_accepted), ("accepted", self.today))
        self.assertFalse(claim.date_rejected or claim.reject_reason)

    def test_denied_claim_is_replaced_or_voided_not_canceled(self):
        claim = self._accepted()
        claim._reject("Not covered")
        with self.assertRaisesRegex(UserError, "void it"):
            claim.action_cancel()
        void = self.env["healthcare.claim"].browse(claim.action_void()["res_id"])
        void.action_submit()
        void.action_accept()
        self.assertEqual(claim.state, "closed")
        rejected = self._rejected(self._invoices(self._visit(hour=12)))
        with self.assertRaisesRegex(UserError, "Cancel it"):
            rejected.action_void()

    def test_credit_of_a_denied_claim_needs_a_void(self):
        claim = self._accepted()
        claim._reject("Not covered")
        self._credit(claim.invoice_ids)
        self.assertEqual((claim.state, claim.needs_void), ("closed", True))

    def test_cancel_frees_the_charges(self):
        claim = self._claims()
        claim.action_cancel()
        self.assertEqual((claim.state, claim.invoice_ids.claim_state), ("canceled", False))
        again = self._claims(claim.invoice_ids)
        self.assertTrue(again.is_live)
        with self.assertRaises(UserError):
            self._submitted(self._invoices(self._visit(hour=12))).action_cancel()

    def test_void_that_the_payer_rejects(self):
        """What is being voided isn't sent again; a void is given up without harm."""
        claim = self._accepted()
        claim._reject("Not covered")
        void = self.env["healthcare.claim"].browse(claim.action_void()["res_id"])
        with self.assertRaisesRegex(UserError, void.name):
            claim.action_resubmit()
        void.action_submit()
        void.action_accept()
        void._reject("Unknown number")
        self.assertEqual((claim.state, claim.needs_void), ("closed", True))
        void.action_cancel()
        self.assertNotEqual(claim.action_void()["res_id"], void.id)

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
        with self.assertRaisesRegex(UserError, "not voided"):
            again.action_submit()
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

    def test_nothing_moves_to_a_claim_in_flight(self):
        """Neither a diagnosis nor a line, written directly or through the claim."""
        submitted = self._submitted(self._invoices(self._visit(hour=12)))
        claim = self._claim()
        diagnosis = self.env["healthcare.diagnosis"].create({"code": "ZZ7.9", "name": "Other"})
        claim.write({"diagnosis_line_ids": [Command.create({"diagnosis_id": diagnosis.id})]})
        added = claim.diagnosis_line_ids[-1]
        for record in (added, claim.line_ids):
            with self.assertRaises(UserError):
                record.write({"claim_id": submitted.id})
            with self.assertRaises(UserError):
                record.write({"company_id": self.company.create({"name": "Other"}).id})
        for change in ("diagnosis_line_ids", "line_ids"):
            with self.assertRaises(UserError):
                claim.browse(submitted.id).write({change: [Command.link(claim[change][-1:].id)]})
        other = self._claims(self._invoices(self._visit(hour=14)))
        with self.assertRaises(UserError):  # not even to one that may be changed
            added.claim_id = other
        with self.assertRaises(UserError):
            added.copy({"claim_id": submitted.id})
        added.write({"claim_id": claim.id, "sequence": 5})  # what is there anyway

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
