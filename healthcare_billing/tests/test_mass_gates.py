from datetime import date, timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import A_DAY
from .mass_common import MassCommon


@tagged("post_install", "-at_install")
class TestMassGates(MassCommon):
    """Which accounts have a row (R24), and what of it changes before it is billed."""

    def assert_left_out(self, account, code, run=None):
        run = run or self._mass_run()
        self.assertFalse(self._row(run, account), account.name)
        left_out = run.exclusion_ids.filtered(
            lambda exclusion: exclusion.charge_id.billing_account_id == account
        )
        self.assertIn(code, left_out.mapped("reason_id.code"))

    def test_r24_billable(self):
        account = self._matter(billable=False)
        self.assertFalse(self._row(self._mass_run(), account))
        account.billable = True
        self.assertTrue(self._row(self._mass_run(), account))

    def test_r24_active(self):
        account = self._matter()
        for status, code in (("on_hold", "account_on_hold"), ("closed", "account_closed")):
            account.billing_status = status
            self.assert_left_out(account, code)
        account.billing_status = "active"
        self.assertTrue(self._row(self._mass_run(), account))
        account.active = False
        self.assert_left_out(account, "account_closed")

    def test_r24_not_excluded(self):
        account = self._matter(exclude_from_mass_billing=True)
        self.assert_left_out(account, "mass_excluded")
        self.assertFalse(self._codes(self._record(account, work=(5.0,)), door="batch"))

    def test_r24_has_a_client(self):
        account = self._matter()
        account.client_id.active = False
        self.assert_left_out(account, "client_archived")

    def test_r24_no_draft_bill_of_whatever_door(self):
        account = self._matter()
        charges = self.env["healthcare.charge"].search([("billing_account_id", "=", account.id)])
        draft = self._execute(charges).move_ids
        self._record(account, work=(10.0,))
        self.assert_left_out(account, "draft_bill")
        draft.action_post()
        self.assertEqual(self._row(self._mass_run(), account).amount, 10.0)

    def test_r24_no_gate_lets_a_fee_without_work_through(self):
        gates = (
            {"billable": False},
            {"billing_status": "on_hold"},
            {"billing_status": "closed"},
            {"active": False},
            {"exclude_from_mass_billing": True},
        )
        fee = {"work": (), "billing_basis": "fixed", "quote_amount": 10.0}
        accounts = [self._matter(**fee, **gate) for gate in gates]
        archived = self._matter(**fee)
        archived.client_id.active = False
        free = self._matter(**fee)
        run = self._mass_run()
        self.assertTrue(self._row(run, free))
        for account in (*accounts, archived):
            self.assertFalse(self._row(run, account), account._mass_billing_reasons(run))

    def test_r24_a_fee_waits_for_its_date_and_for_open_books(self):
        account = self._matter(work=(), billing_basis="fixed", quote_amount=10.0)
        self.assertFalse(self._row(self._mass_run(self.today + timedelta(days=2)), account))
        self.company.sale_lock_date = A_DAY
        self.assertFalse(self._row(self._mass_run(A_DAY), account))
        self.assertTrue(self._row(self._mass_run(A_DAY + timedelta(days=1)), account))

    def test_r24_both_cut_offs(self):
        account = self._matter(work=(10.0,))
        self._record(account, work=(20.0,), expenses=(5.0,), day=A_DAY + timedelta(days=3))
        self._record(account, work=(40.0,), day=A_DAY + timedelta(days=6))
        run = self._mass_run(A_DAY + timedelta(days=5), A_DAY)
        self.assertEqual(self._row(run, account).amount, 10.0)
        run.set_mass_dates(date_up_to="2025-03-06")
        self.assertEqual(self._row(run, account).amount, 35.0)
        run.set_mass_dates(date_up_to="2025-03-31")
        self.assertEqual(self._row(run, account).amount, 35.0, "later than the invoice's date")
        self.assertIn("service_after_invoice", run.exclusion_ids.mapped("reason_id.code"))
        run.set_mass_dates(invoice_date="2025-03-31")
        row = self._row(run, account)
        self.assertEqual((row.amount_time, row.amount_expense), (70.0, 5.0))
        move = self._bill(run, account)
        self.assertEqual(move.invoice_date, date(2025, 3, 31))

    def test_r24_a_date_that_is_none(self):
        with self.assertRaisesRegex(UserError, "isn't a date"):
            self._mass_run().set_mass_dates(invoice_date="someday")

    def test_r24_other_runs_are_no_list_of_mass_billing(self):
        """Whatever a client sends: a run of another door keeps its dates, rows and ticks."""
        run = self._plan(self._record(self._matter(work=()), work=(10.0,))).save()
        day = run.invoice_date
        for name, args in (
            ("set_mass_dates", ["2025-03-31"]),
            ("set_on_all_rows", [{"payment_term_id": False}]),
            ("action_bill", []),
            ("mass_bill", [[], str(day), str(day)]),
        ):
            with self.subTest(name), self.assertRaisesRegex(UserError, "isn't a list of mass"):
                getattr(run, name)(*args)
        self.assertEqual((run.invoice_date, run.date_up_to), (day, False))
        self.assertTrue(run.line_ids.selected)

    def test_r24_files_are_for_cycles(self):
        payer = self._payer("Program", payer_type="other", invoicing_model="payer_file")
        account = self._matter(work=())
        account.payer_id = payer
        self._record(account, work=(10.0,))
        self.assert_left_out(account, "wrong_door")

    def test_r24_other_doors_leave_quotes_and_fees_alone(self):
        account = self._matter(work=(), billing_basis="quote", quote_amount=10.0)
        charge = self._record(account, work=(10.0,))
        for door in ("batch", "cycle", "adhoc"):
            self.assertIn("agreed_basis", self._codes(charge, door=door))
        self.assertFalse(self._codes(charge, door="manual"))

    # -- companies, rights -----------------------------------------------------------------------
    def test_r24_another_company_never_appears(self):
        other = self.env["res.company"].create({"name": "Second Practice", "healthcare_tz": "UTC"})
        self.env.user.company_ids += other
        theirs = self._matter("Theirs", work=(), billing_basis="fixed", quote_amount=10.0)
        theirs.company_id = other
        self._record(theirs, work=(10.0,))
        ours = self._matter("Ours")
        run = self._mass_run()
        self.assertTrue(self._row(run, ours))
        self.assertFalse(self._row(run, theirs))
        both = self.env["healthcare.billing.run"].with_context(
            allowed_company_ids=[self.company.id, other.id]
        )
        self.assertFalse(self._row(both._open_mass_billing(A_DAY), theirs))

    def test_r24_a_billing_user_can_do_it_all(self):
        fixed = self._matter("Fixed", billing_basis="fixed", quote_amount=30.0)
        quoted = self._matter("Quoted", billing_basis="quote", quote_amount=30.0)
        env = self._act_as(self._user("billing_user"))
        run = env["healthcare.billing.run"]._open_mass_billing(A_DAY)
        self.assertEqual(run.user_id, env.user)
        rows = self._row(run, fixed) + self._row(run, quoted)
        rows.write({"payment_term_id": env.ref("account.account_payment_term_30days").id})
        run.action_bill([("id", "in", rows.ids)])
        run.action_execute()
        self.assertEqual(rows.mapped("state"), ["created"] * 2)
        self.assertEqual(rows.move_id.mapped("amount_untaxed"), [30.0, 30.0])
        rows.move_id.action_post()
        with self.assertRaises(AccessError):
            rows.basis_note = "forged"

    def test_r24_coordinators_and_care_staff_can_not(self):
        run = self._mass_run()
        for kind in ("care_staff", "coordinator"):
            env = self._act_as(self._user(kind))
            with self.assertRaises(AccessError):
                env["healthcare.billing.run"]._open_mass_billing(A_DAY)
            with self.assertRaises(AccessError):
                run.with_env(env).action_bill()

    def test_r24_what_billing_decides_nobody_types(self):
        account = self._matter(work=())
        forged = {"made_by_basis": True, "covered_by": "quote", "fee_number": 7}
        charges = self.env["healthcare.charge"].with_context(
            **{f"default_{name}": value for name, value in forged.items()}
        )
        charge = charges.create(
            {
                "client_id": account.client_id.id,
                "billing_account_id": account.id,
                "product_id": self.service.id,
                "price_unit": 10.0,
                **forged,
            }
        )
        charge.write(forged)
        self.assertEqual(
            (charge.made_by_basis, charge.covered_by, charge.fee_number), (False, False, 0)
        )
        self.assertEqual(charge.billing_stage, "billing_office")

    # -- rows ------------------------------------------------------------------------------------
    def test_r24_terms_and_template_per_row_and_for_all(self):
        first, second = self._matter("First"), self._matter("Second")
        report = self.env.ref("account.account_invoices_without_payment")
        own = self.env.ref("account.account_invoices")
        terms = self.env.ref("account.account_payment_term_30days")
        second.invoice_template_id = own
        run = self._mass_run()
        self.assertEqual(self._row(run, second).invoice_template_id, own)
        run.set_on_all_rows({"payment_term_id": terms.id, "invoice_template_id": report.id})
        self._row(run, second).payment_term_id = self.env.ref(
            "account.account_payment_term_immediate"
        )
        run.action_search_again()
        self._bill(run)
        moves = self._row(run, first).move_id + self._row(run, second).move_id
        self.assertEqual(moves.invoice_template_id, report)
        self.assertEqual(moves.mapped("invoice_date_due"), [A_DAY + timedelta(days=30), A_DAY])
        with self.assertRaisesRegex(UserError, "Only terms and template"):
            self._mass_run().set_on_all_rows({"selected": True})
        with self.assertRaisesRegex(UserError, "deleted meanwhile"):
            self._mass_run().set_on_all_rows({"payment_term_id": 10**9})

    def test_r24_a_row_without_terms_is_due_at_once(self):
        terms = self.env.ref("account.account_payment_term_30days")
        account = self._matter("First", payment_term_id=terms.id)
        other = self._matter("Second", payment_term_id=terms.id)
        run = self._mass_run()
        row = self._row(run, account)
        self.assertEqual(row.payment_term_id, terms)
        row.payment_term_id = False
        run.action_search_again()
        self._bill(run)
        moves = self._row(run, account).move_id + self._row(run, other).move_id
        self.assertEqual(
            moves.invoice_payment_term_id.mapped("id"),
            [self.env.ref("account.account_payment_term_immediate").id, terms.id],
        )
        self.assertEqual(moves.mapped("invoice_date_due"), [A_DAY, A_DAY + timedelta(days=30)])

    def test_r24_a_template_that_nobody_chose_on_the_row_follows_the_account(self):
        account = self._matter()
        run = self._mass_run()
        account.invoice_template_id = self.env.ref("account.account_invoices")
        run.action_search_again()
        self.assertEqual(self._row(run, account).invoice_template_id, account.invoice_template_id)

    def test_r24_rows_stay_as_they_were_chosen(self):
        account = self._matter()
        run = self._mass_run()
        row = self._row(run, account)
        row.payment_term_id = self.env.ref("account.account_payment_term_30days")
        self._record(account, work=(11.0,))
        self.assertEqual(self._mass_run(), run)
        self.assertEqual(self._row(run, account), row)
        self.assertEqual((row.amount, row.amount_wip), (111.0, 111.0))
        self.assertEqual(row.payment_term_id, self.env.ref("account.account_payment_term_30days"))

    def test_r24_a_negative_sum_needs_a_tick(self):
        account = self._matter(work=())
        charge = self._record(account, work=(-20.0,))
        charge.kind = "discount"
        run = self._mass_run()
        row = self._row(run, account)
        self.assertEqual((row.amount, row.needs_tick, row.selected), (-20.0, True, False))
        self.assertIn("credit note", row.basis_note)
        with self.assertRaisesRegex(UserError, "nothing to bill"):
            run.action_bill([("id", "=", row.id)])
        row.bill_again = True
        self.assertEqual(self._bill(run, account).move_type, "out_refund")

    # -- changed since the list was shown --------------------------------------------------------
    def test_r28_changed_since_preview(self):
        account, quoted = self._matter(), self._matter(billing_basis="quote", quote_amount=50.0)
        run = self._mass_run()
        self._record(account, work=(5.0,))  # new work isn't on the row, nor billed
        quoted.quote_amount = 60.0
        self._bill(run, account | quoted)
        self.assertEqual(self._row(run, account).move_id.amount_untaxed, 100.0)
        row = self._row(run, quoted)
        self.assertEqual(row.state, "skipped")
        self.assertIn("60.00 instead of", row.message)
        run.action_retry()
        self.assertEqual((row.state, row.move_id.amount_untaxed), ("created", 60.0))

    def test_r28_a_fee_that_is_due_no_more_says_why(self):
        fee = {"work": (), "billing_basis": "fixed", "quote_amount": 10.0}
        held, billed, other = (self._matter(name, **fee) for name in ("Held", "Billed", "Other"))
        run = self._mass_run()
        run.action_bill([("billing_account_id", "in", (held | billed | other).ids)])
        held.billing_status = "on_hold"
        rival = self.env["healthcare.billing.run"].with_user(self._user("billing_user"))
        rival = rival.with_context(allowed_company_ids=self.company.ids)._open_mass_billing(A_DAY)
        self._bill(rival, billed)
        run.action_execute()
        self.assertIn("On Hold", self._row(run, held).message)
        self.assertIn("draft bill", self._row(run, billed).message)
        self.assertEqual(
            [self._row(run, account).state for account in (held, billed, other)],
            ["skipped", "skipped", "created"],
        )
        self.assertEqual(self._row(run, other).move_id.amount_untaxed, 10.0)

    @mute_logger("odoo.addons.healthcare_billing.models.billing_engine_execution")
    def test_r28_one_bad_row_never_stops_the_run(self):
        self.company.healthcare_fee_adjustment_product_id = False
        bad = self._matter("Bad", billing_basis="quote", quote_amount=50.0)
        good = self._matter("Good", billing_basis="quote", quote_amount=100.0)
        plain = self._matter("Plain")
        run = self._mass_run()
        self._bill(run, bad | good | plain)
        row = self._row(run, bad)
        self.assertEqual(row.state, "failed")
        self.assertIn("Fee Difference Service", row.message)
        self.assertEqual(
            [self._row(run, account).move_id.amount_untaxed for account in (good, plain)],
            [100.0, 100.0],
        )
        bad.adjustment_product_id = self.service
        run.action_retry()
        self.assertEqual(row.move_id.amount_untaxed, 50.0)
