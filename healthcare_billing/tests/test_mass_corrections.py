from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import A_DAY
from .completeness_common import STATUSES
from .mass_common import MassCommon


class EndOfExample(Exception):
    """Nothing of an example stays in the database."""


class MassCorrectionsCommon(MassCommon):
    """Bills on a quote or fixed fee, and what becomes of them."""

    def _charges(self, account):
        return self.env["healthcare.charge"].search([("billing_account_id", "=", account.id)])

    def _made(self, move, kind=None):
        charges = move.invoice_line_ids.charge_id.filtered("made_by_basis")
        return charges.filtered(lambda charge: charge.kind == kind) if kind else charges

    def _left(self, account):
        """What is left of its quote in the ledger now."""
        account.invalidate_recordset(["quote_billed", "quote_left"])
        return account.quote_left

    def _posted(self, account):
        move = self._bill(self._mass_run(), account)
        move.action_post()
        return move

    def _pay(self, move, amount=None):
        wizard = (
            self.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({} if amount is None else {"amount": amount})
        )
        return wizard._create_payments()

    def assert_nothing_lingers(self, account):
        """What was made for bills that are gone waits nowhere, and nothing is billed twice."""
        made = self._charges(account).filtered("made_by_basis")
        stages = {charge.billing_stage for charge in made.filtered(lambda c: not c.is_live)}
        self.assertLessEqual(stages, {"not_billable"})
        for charge in self._charges(account):
            self.assertLessEqual(len(charge._live_lines()), len(charge._parts()))


@tagged("post_install", "-at_install")
class TestMassCorrections(MassCorrectionsCommon):
    """Deleting, canceling, crediting, voiding, undoing and billing again of mass bills."""

    # -- drafts ----------------------------------------------------------------------------------
    def test_r25_a_deleted_draft_returns_everything(self):
        for basis in ("quote", "fixed"):
            account = self._matter(billing_basis=basis, quote_amount=70.0)
            work = self._charges(account)
            move = self._bill(self._mass_run(), account)
            self.assertEqual(work.billing_stage, "draft")
            move.unlink()
            self.assertEqual(self._charges(account), work)
            self.assertEqual(work.billing_stage, "billing_office")
            self.assertEqual(self._left(account), 70.0)
            row = self._row(self._mass_run(), account)
            self.assertEqual((row.amount, row.needs_tick), (70.0, False))

    def test_r25_a_fee_taken_off_a_draft_is_due_again(self):
        account = self._matter(work=(30.0,), billing_basis="fixed", quote_amount=70.0)
        move = self._bill(self._mass_run(), account)
        fee = self._made(move, "fixed_fee")
        move.invoice_line_ids.filtered(lambda line: line.charge_id == fee).unlink()
        self.assertFalse(fee.exists())
        move.action_post()
        row = self._row(self._mass_run(), account)
        self.assertEqual((row.amount, row.needs_tick), (70.0, False))

    def test_r25_a_canceled_bill_and_back(self):
        account = self._matter(work=(30.0,), billing_basis="fixed", quote_amount=70.0)
        move = self._bill(self._mass_run(), account)
        move.button_cancel()
        self.assertFalse(move.production_state)
        self.assert_nothing_lingers(account)
        self.assertEqual(self._row(self._mass_run(), account).amount, 70.0)
        move.button_draft()
        self.assertEqual(move.amount_untaxed, 70.0)
        self.assertEqual(set(self._charges(account).mapped("billing_stage")), {"draft"})
        self.assertRegex(
            account._mass_billing_reasons(self._mass_run())[account], "has a draft bill"
        )

    def test_r25_a_canceled_fee_that_was_billed_again_stays_canceled(self):
        account = self._matter(work=(), billing_basis="fixed", quote_amount=70.0)
        first = self._bill(self._mass_run(), account)
        first.button_cancel()
        second = self._posted(account)
        self.assertEqual(self._made(second).fee_number, 2)
        with self.assertRaisesRegex(UserError, f"billed meanwhile on {second.name}"):
            first.button_draft()
        second._void("Wrong month")
        first.button_draft()
        self.assertEqual(self._made(first).fee_number, 1)
        self.assert_nothing_lingers(account)

    def test_r25_a_canceled_quote_whose_work_was_billed_stays_canceled(self):
        account = self._matter(billing_basis="quote", quote_amount=70.0)
        first = self._bill(self._mass_run(), account)
        first.button_cancel()
        self.assertEqual(self._left(account), 70.0)
        self._posted(account)
        with self.assertRaisesRegex(UserError, "billed elsewhere"):
            first.button_draft()
        self.assertEqual(self._left(account), 0.0)

    # -- posted ----------------------------------------------------------------------------------
    def test_r15_a_voided_fee_is_due_again_without_a_tick(self):
        account = self._matter(work=(100.0,), billing_basis="fixed", quote_amount=70.0)
        move = self._posted(account)
        credit = move._void("Wrong addressee")
        self.assertEqual(credit.amount_total, 70.0)
        self.assert_nothing_lingers(account)
        run = self._mass_run()
        row = self._row(run, account)
        self.assertEqual((row.amount, row.amount_wip, row.needs_tick), (70.0, 100.0, False))
        again = self._bill(run, account)
        self.assertEqual(again.amount_untaxed, 70.0)
        self.assertEqual(self._made(again, "fixed_fee").fee_number, 2)
        again.action_post()
        self.assert_nothing_lingers(account)
        self.assertFalse(self._row(self._mass_run(), account))

    def test_r15_a_voided_instalment_is_due_again(self):
        account = self._matter(
            work=(), billing_basis="fixed", instalment_ids=[(0, 0, {"date": A_DAY, "amount": 9.0})]
        )
        self._posted(account)._void("Wrong addressee")
        self.assertFalse(account.instalment_ids.is_billed)
        again = self._posted(account)
        self.assertEqual((again.amount_untaxed, self._made(again).fee_number), (9.0, 2))

    def test_r15_a_voided_quote_is_left_again(self):
        account = self._matter(billing_basis="quote", quote_amount=70.0)
        move = self._posted(account)
        self.assertEqual(self._left(account), 0.0)
        move._void("Wrong addressee")
        self.assertEqual(self._left(account), 70.0)
        self.assertEqual(self._posted(account).amount_untaxed, 70.0)
        self.assertEqual(self._left(account), 0.0)
        self.assert_nothing_lingers(account)

    def test_r4_a_part_credit_gives_back_of_the_quote(self):
        """Also where the bill has a negative difference."""
        account = self._matter(work=(100.0,), billing_basis="quote", quote_amount=70.0)
        move = self._posted(account)
        note = move._reverse_moves([{"invoice_date": A_DAY, "date": A_DAY}])
        for line in note.invoice_line_ids.filtered("charge_id"):
            line.price_unit *= 0.5
        note.action_post()
        self.assertEqual(note.amount_untaxed, 35.0)
        self.assertEqual((self._left(account), account.quote_billed), (35.0, 35.0))

    def test_r28_undo_of_drafts_and_of_posted_bills(self):
        for post in (False, True):
            account = self._matter(billing_basis="fixed", quote_amount=70.0)
            run = self._mass_run()
            move = self._bill(run, account)
            if post:
                move.action_post()
                move.is_move_sent = True  # so it is credited, not deleted
            run.action_undo()
            self.assertEqual(self._row(run, account).state, "undone")
            self.assert_nothing_lingers(account)
            row = self._row(self._mass_run(), account)
            self.assertEqual((row.amount, row.amount_wip, row.needs_tick), (70.0, 100.0, False))

    def test_credit_and_rebill_keeps_what_was_made_for_the_bill(self):
        account = self._matter(work=(100.0,), billing_basis="fixed", quote_amount=70.0)
        move = self._posted(account)
        made = self._made(move)
        work = move.invoice_line_ids.charge_id - made
        new = move._credit_and_rebill({work: {"price_unit": 90.0}}, reason="Typing error")
        self.assertEqual(new.invoice_line_ids.charge_id, work | made)
        self.assertEqual(new.amount_untaxed, 70.0, "what was agreed")
        self.assertEqual(self._made(new, "fixed_fee").fee_number, 1)
        self.assertTrue(new.is_mass_bill)
        self.assertEqual(new.production_state, "production")
        self.assert_nothing_lingers(account)
        self.assertFalse(self._row(self._mass_run(), account))
        new._void("Not this month")
        again = self._posted(account)
        self.assertEqual(again.amount_untaxed, 70.0)
        self.assertEqual(self._made(again, "fixed_fee").fee_number, 2)
        self.assert_nothing_lingers(account)

    def test_r25_only_what_replaces_a_mass_bill_becomes_one(self):
        template = self.env.ref("account.account_invoices")
        client = self._insured_client(copay=20.0)
        charge = self._charge(client)
        moves = self._posted(client.billing_account_ids)
        own = moves.filtered(lambda move: move.partner_id == client)
        self.assertEqual((len(moves), len(own)), (2, 1))
        (moves - own).invoice_template_id = template
        own._write_result({"is_mass_bill": False})  # as if it had been billed on its own
        new = (moves - own)._credit_and_rebill({charge: {"price_unit": 100.0}}, post=False)
        again = new.filtered(lambda move: move.partner_id == client)
        self.assertEqual((len(again), again.is_mass_bill), (1, False))
        self.assertEqual((new - again).mapped("is_mass_bill"), [True])
        self.assertEqual((new - again).invoice_template_id, template)
        self.assertEqual((new - again).production_state, "draft")

    def test_credit_and_rebill_of_a_quote(self):
        account = self._matter(work=(100.0, 20.0), billing_basis="quote", quote_amount=150.0)
        move = self._posted(account)
        work = (move.invoice_line_ids.charge_id - self._made(move))[:1]
        new = move._credit_and_rebill({work: {"price_unit": 90.0}}, reason="Typing error")
        self.assertEqual((new.amount_untaxed, self._left(account)), (150.0, 0.0))
        self.assertEqual(self._made(new).amount, 40.0)
        self.assert_nothing_lingers(account)

    def test_r4_a_corrected_bill_is_still_what_was_agreed(self):
        """Work goes down, up, and to where nothing differs: the difference takes it all."""
        account = self._matter(work=(100.0, 50.0), billing_basis="quote", quote_amount=120.0)
        move = self._posted(account)
        work = move.invoice_line_ids.charge_id - self._made(move)
        charge = work.filtered(lambda c: c.amount == 50.0)
        for fee, difference in ((20.0, 0.0), (73.33, -53.33), (1.01, 18.99)):
            wizard = self.env["healthcare.credit.rebill"].browse(
                move.action_credit_and_rebill()["res_id"]
            )
            line = wizard.line_ids.filtered(lambda line: line.charge_id == charge)
            line.price_unit = fee
            line._onchange_amount()
            self.assertEqual((wizard.amount_before, wizard.amount_after), (120.0, 120.0))
            wizard.reason = "Typing error"
            wizard.action_confirm()
            move = move.rebilled_by_ids
            self.assertEqual((move.state, move.amount_untaxed), ("posted", 120.0))
            self.assertEqual(self._made(move).mapped("amount"), [difference])
            self.assertEqual((account.quote_billed, self._left(account)), (120.0, 0.0))
            income = self.env["account.move.line"].search(
                [("charge_id.billing_account_id", "=", account.id), ("parent_state", "=", "posted")]
            )
            self.assertAlmostEqual(sum(income.mapped("balance")), -120.0, 2)
            product = self._made(move).product_id
            booked = income.filtered(lambda line, product=product: line.product_id == product)
            self.assertAlmostEqual(-sum(booked.mapped("balance")), difference, 2)
            self.assert_nothing_lingers(account)

    def test_r4_a_difference_that_arises_is_made(self):
        account = self._matter(work=(100.0,), billing_basis="quote", quote_amount=100.0)
        move = self._posted(account)
        work = move.invoice_line_ids.charge_id
        self.assertFalse(self._made(move))
        new = move._credit_and_rebill({work: {"price_unit": 70.5}}, reason="Typing error")
        self.assertEqual((new.amount_untaxed, self._made(new).amount), (100.0, 29.5))
        self.assertEqual((self._made(new).kind, self._left(account)), ("adjustment", 0.0))
        self.assert_nothing_lingers(account)

    def test_r4_a_corrected_bill_that_was_credited_in_part_is_owed_in_full(self):
        """The credit isn't given again: not off the difference that follows the work, either."""
        account = self._matter(work=(100.0,), billing_basis="quote", quote_amount=70.0)
        move = self._posted(account)
        note = move._reverse_moves([{"invoice_date": A_DAY, "date": A_DAY}])
        for line in note.invoice_line_ids.filtered("charge_id"):
            line.price_unit *= 0.5
        note.action_post()
        work = move.invoice_line_ids.charge_id - self._made(move)
        new = move._credit_and_rebill({work: {"price_unit": 90.0}}, reason="Typing error")
        self.assertEqual((new.amount_untaxed, new.amount_residual), (70.0, 70.0))
        self.assertEqual(self._left(account), 0.0)

    def test_r4_what_no_agreement_covers_moves_no_difference(self):
        account = self._matter(
            expenses=(20.0,), billing_basis="fixed", quote_amount=60.0, expenses_on_top=True
        )
        move = self._posted(account)
        expense = move.invoice_line_ids.charge_id.filtered(lambda c: c.kind == "expense")
        new = move._credit_and_rebill({expense: {"price_unit": 25.0}}, reason="Typing error")
        self.assertEqual((move.amount_untaxed, new.amount_untaxed), (80.0, 85.0))
        self.assertEqual(self._made(new, "adjustment").amount, -100.0)

    def test_r4_a_corrected_co_pay_leaves_the_payer_what_was_agreed(self):
        client = self._insured_client(copay=15.0)
        account = client.billing_account_ids
        account.write({"billing_basis": "quote", "quote_amount": 50.0})
        charge = self._charge(client)  # 80.00
        moves = self._bill(self._mass_run(), account)
        moves.action_post()
        payers = moves.filtered(lambda move: move.partner_id == self.payer)
        new = payers._credit_and_rebill(
            {charge: {"amount_client": 25.0, "amount_payer": 55.0}}, reason="Co-pay"
        )
        sums = {move.partner_id: move.amount_untaxed for move in new}
        self.assertEqual(sums, {self.payer: 50.0, client: 25.0})
        self.assertEqual(self._made(new).amount, -5.0)
        self.assertEqual(self._left(account), 0.0)

    # -- claims, superbills ----------------------------------------------------------------------
    def test_r26_claims_and_superbills_never_tell_of_what_was_made(self):
        client = self._insured_client()
        account = client.billing_account_ids
        account.write({"billing_basis": "fixed", "quote_amount": 200.0})
        charge = self._charge(client)
        move = self._posted(account)
        plan = self.env["healthcare.claim.builder"].plan(move)
        told = [charge_id for claim in plan.claims for charge_id in claim.charge_ids]
        self.assertEqual(told, charge.ids)
        self.assertEqual({item.charge_id for item in plan.left_out}, set(self._made(move).ids))
        drafts = move.invoice_line_ids.charge_id._superbill_drafts(move)
        self.assertEqual([draft.charges for draft in drafts], [charge])

    # -- completeness ----------------------------------------------------------------------------
    def _report(self):
        report = self.env["healthcare.completeness"].create(
            {"date_from": A_DAY.replace(day=1), "date_to": A_DAY.replace(day=31)}
        )
        report.action_compute()
        self.assertFalse(report.gap)
        self.assertFalse(report.ledger_gap)
        self.assertAlmostEqual(sum(report[name] for name in STATUSES), report.delivered, 2)
        return report

    def test_completeness_adds_up_whatever_becomes_of_the_bill(self):
        quoted = self._matter(work=(100.0,), billing_basis="quote", quote_amount=70.0)
        fixed = self._matter(work=(100.0,), billing_basis="fixed", quote_amount=170.0)
        before = self._report()
        self.assertEqual((before.delivered, before.ready), (200.0, 200.0))
        run = self._mass_run()
        self._bill(run, quoted | fixed)
        moves = self._row(run, quoted).move_id + self._row(run, fixed).move_id
        report = self._report()
        self.assertEqual((report.delivered, report.draft), (240.0, 240.0))
        moves.action_post()
        report = self._report()
        self.assertEqual((report.delivered, report.invoiced, report.ledger), (240.0,) * 3)
        moves[0]._void("Wrong")
        report = self._report()
        self.assertEqual((report.ready, report.ledger), (100.0, 170.0))
        self._posted(quoted)
        self.assertEqual(self._report().ledger, 240.0)


@tagged("post_install", "-at_install")
class TestMassMoney(MassCorrectionsCommon):
    """R5 with a difference below nothing: what is open adds up to the ledger's residual."""

    def assert_open_is_residual(self, move):
        charges = move.invoice_line_ids.charge_id
        party = move.invoice_line_ids.filtered("charge_id")[:1].responsibility
        owed = {charge: movable.owed for charge, movable in charges._movable_amounts(party).items()}
        paid = charges._paid_amounts()
        self.assertAlmostEqual(sum(owed.values()), move.amount_residual, 2)
        self.assertAlmostEqual(sum(paid.values()), move.amount_total - move.amount_residual, 2)
        for charge in charges:
            self.assertGreaterEqual(owed[charge], 0.0)
            self.assertGreaterEqual(paid[charge], 0.0)
            self.assertLessEqual(
                charge.currency_id.compare_amounts(
                    owed[charge] + paid[charge], max(charge.amount, 0.0)
                ),
                0,
                charge.display_name,
            )
        return owed, paid

    def test_r5_a_fee_below_the_work(self):
        account = self._matter(work=(), billing_basis="fixed", quote_amount=250.0)
        first = self._record(account, work=(120.0,))
        second = self._record(account, work=(180.0,), day=A_DAY + timedelta(days=1))
        run = self._mass_run(A_DAY + timedelta(days=5))
        move = self._bill(run, account)
        move.action_post()
        owed, _paid = self.assert_open_is_residual(move)
        self.assertEqual((owed[first], owed[second]), (120.0, 130.0), "the work, at the fee")
        self._pay(move, 150.0)
        owed, paid = self.assert_open_is_residual(move)
        self.assertEqual((paid[first], paid[second]), (120.0, 30.0))
        self._pay(move)
        owed, paid = self.assert_open_is_residual(move)
        self.assertEqual(move.payment_state, "paid")
        self.assertEqual((paid[first], paid[second]), (120.0, 130.0))
        self.assertEqual(sum(owed.values()), 0.0)
        self.assertEqual(set(move.invoice_line_ids.charge_id.mapped("billing_stage")), {"finished"})

    def test_r5_each_account_of_a_bill_has_its_own_difference(self):
        facility = self._payer("Facility", payer_type="facility", invoicing_model="payer_batched")
        quoted = self._matter("Q", (), payer_id=facility.id, billing_basis="quote", quote_amount=60)
        plain = self._matter("P", (), payer_id=facility.id)
        work = self._record(quoted, work=(100.0,))
        other = self._record(plain, work=(50.0,), day=A_DAY + timedelta(days=1))
        run = self._mass_run(A_DAY + timedelta(days=5))
        row = run.line_ids.filtered(lambda line: line.partner_id == facility)
        run.action_bill([("id", "=", row.id)])
        run.action_execute()
        row.move_id.action_post()
        owed, _paid = self.assert_open_is_residual(row.move_id)
        self.assertEqual((owed[work], owed[other]), (60.0, 50.0))

    @given(
        work=st.lists(st.integers(1, 50_000), min_size=1, max_size=4),
        agreed=st.integers(1, 100_000),
        basis=st.sampled_from(["quote", "fixed"]),
        share=st.integers(1, 99),
    )
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    def test_r5_always(self, work, agreed, basis, share):
        with self.assertRaises(EndOfExample), self.env.cr.savepoint():
            account = self._matter(
                work=[cents / 100 for cents in work],
                billing_basis=basis,
                quote_amount=agreed / 100,
            )
            move = self._posted(account)
            self.assert_open_is_residual(move)
            part = move.currency_id.round(move.amount_total * share / 100)
            if part:
                self._pay(move, part)
                self.assert_open_is_residual(move)
            if move.amount_residual:
                self._pay(move)
                self.assert_open_is_residual(move)
            raise EndOfExample
