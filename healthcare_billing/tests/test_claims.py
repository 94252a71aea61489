from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

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

    def test_later_versions(self):
        def accepted(number):
            claims = self._some_claims(number)
            claims.action_submit()
            claims.action_accept()
            claims.payer_claim_number = "ICN"
            return claims

        def void_and_back(claims):
            claims.action_void()
            voids = claims.successor_ids
            self.assertEqual(voids.origin_claim_id, claims)
            self.assertEqual(len(set(voids.mapped("name"))), len(claims))

        def rejected(number):
            claims = accepted(number)
            claims._reject("Not covered")
            return claims

        for prepare, act in (
            (accepted, lambda claims: claims.action_replace()),
            (accepted, void_and_back),
            (rejected, lambda claims: claims.action_resubmit()),
            (rejected, lambda claims: claims.action_step_back()),
        ):
            self._assert_no_growth(prepare, act)

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
