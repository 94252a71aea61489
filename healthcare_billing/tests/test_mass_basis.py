from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import A_DAY
from .mass_common import MassCommon

cents = st.integers(1, 100_000).map(lambda number: number / 100)


class EndOfExample(Exception):
    """Nothing of an example stays in the database."""


@tagged("post_install", "-at_install")
class TestMassBasis(MassCommon):
    """What is billed of recorded work: quote, fixed fee, instalments, or the work (R24)."""

    def _due(self, account, day=A_DAY):
        """What the list would bill of an account: (sum, needs a tick)."""
        row = self._row(self._mass_run(day), account)
        return row.amount, row.needs_tick

    # -- quote -----------------------------------------------------------------------------------
    def test_r24_quote_above_and_below_the_work(self):
        above = self._matter(work=(100.0,), billing_basis="quote", quote_amount=130.0)
        below = self._matter(work=(100.0, 7.0), billing_basis="quote", quote_amount=70.0)
        same = self._matter(work=(100.0,), billing_basis="quote", quote_amount=100.0)
        run = self._mass_run()
        self._bill(run, above | below | same)
        for account, agreed, difference in (
            (above, 130, [30]),
            (below, 70, [-37]),
            (same, 100, []),
        ):
            lines = self._row(run, account).move_id.invoice_line_ids
            self.assertEqual(sum(lines.mapped("price_subtotal")), agreed)
            made = lines.charge_id.filtered("made_by_basis")
            self.assertEqual(made.mapped("amount"), difference)
            work = lines.charge_id - made
            self.assertEqual(set(work.mapped("covered_by")), {"quote"})
            self.assertEqual(sum(work.mapped("amount_invoiced")), 0.0, "a draft")

    def test_r24_the_rest_of_a_quote_that_was_raised(self):
        account = self._matter(work=(40.0,), billing_basis="quote", quote_amount=100.0)
        self._bill(self._mass_run(), account).action_post()
        self._record(account, work=(10.0,))
        self.assertEqual(self._due(account), (0.0, True))
        account.quote_amount = 125.0
        row = self._row(self._mass_run(), account)
        self.assertEqual((row.amount, row.needs_tick), (25.0, False))
        self.assertIn("Rest of the quote", row.basis_note)
        self.assertEqual(self._bill(row.run_id, account).amount_untaxed, 25.0)
        self.assertEqual((account.quote_billed, account.quote_left), (125.0, 0.0))

    def test_r24_work_under_a_used_up_quote_is_consumed_by_a_tick(self):
        account = self._matter(work=(40.0,), billing_basis="quote", quote_amount=40.0)
        self._bill(self._mass_run(), account).action_post()
        more = self._record(account, work=(10.0,))
        run = self._mass_run()
        with self.assertRaisesRegex(UserError, "Bill Again"):
            run.action_bill([("billing_account_id", "=", account.id)])
        row = self._row(run, account)
        row.bill_again = True
        move = self._bill(run, account)
        self.assertEqual((move.amount_total, move.state), (0.0, "draft"))
        move.action_post()
        self.assertEqual(more.covered_by, "quote")
        self.assertFalse(self._row(self._mass_run(), account))

    def test_r24_without_a_quote_nothing_is_billed_silently(self):
        for basis in ("quote", "fixed"):
            account = self._matter(billing_basis=basis)
            self.assertEqual(self._due(account), (0.0, True))

    def test_r24_billed_otherwise_is_not_of_the_quote(self):
        """Work of a bill that was credited, billed by hand as recorded, uses nothing of it up."""
        account = self._matter(work=(40.0,), billing_basis="quote", quote_amount=100.0)
        move = self._bill(self._mass_run(), account)
        work = move.invoice_line_ids.charge_id.filtered(lambda c: not c.made_by_basis)
        move.unlink()
        self._execute(work, post=True, door="manual")
        self.assertFalse(work.covered_by)
        self.assertEqual(account.quote_left, 100.0)

    def _bill_party(self, account, partner):
        """Bill and post the row of one addressee."""
        run = self._mass_run()
        row = self._row(run, account).filtered(lambda line: line.partner_id == partner)
        run.action_bill([("id", "=", row.id)])
        run.action_execute()
        row.move_id.action_post()
        return row.move_id

    def test_r24_a_co_pay_billed_apart_leaves_the_quote_used(self):
        """Whoever is billed first: what the payer paid under the quote stays so."""
        for payer_first in (True, False):
            client = self._insured_client(copay=15.0)
            account = client.billing_account_ids
            account.write({"billing_basis": "quote", "quote_amount": 50.0})
            charge = self._charge(client)  # 80.00
            parties = (self.payer, client) if payer_first else (client, self.payer)
            with self.subTest(payer_first=payer_first):
                moves = [self._bill_party(account, partner) for partner in parties]
                sums = {move.partner_id: move.amount_untaxed for move in moves}
                self.assertEqual(sums, {self.payer: 50.0, client: 15.0})
                self.assertEqual((charge.covered_by, charge.covered_party), ("quote", "primary"))
                account.invalidate_recordset(["quote_billed", "quote_left"])
                self.assertEqual((account.quote_billed, account.quote_left), (50.0, 0.0))
                payers = self.env["healthcare.realization"].search(
                    [("billing_account_id", "=", account.id)]
                )
                self.assertEqual(
                    (payers.amount_recorded, payers.amount_agreed), (65.0, 50.0), "without co-pay"
                )
                self._charge(client, hour=12)
                row = self._row(self._mass_run(), account)
                row = row.filtered(lambda line: line.partner_id == self.payer)
                self.assertEqual((row.amount, row.needs_tick), (0.0, True))

    def test_r24_a_used_up_quote_stays_used_when_the_payer_changes(self):
        client = self._insured_client()
        account = client.billing_account_ids
        account.write({"billing_basis": "quote", "quote_amount": 60.0})
        self._charge(client)
        self._bill(self._mass_run(), account).action_post()
        account.payer_id = False
        self.assertEqual((account.quote_billed, account.quote_left), (60.0, 0.0))
        realized = self.env["healthcare.realization"].search(
            [("billing_account_id", "=", account.id)]
        )
        self.assertEqual((realized.amount_recorded, realized.amount_agreed), (80.0, 60.0))
        self._record(account, work=(10.0,))
        self.assertEqual(self._due(account), (0.0, True))

    def test_r24_a_co_pay_of_covered_work_is_no_part_of_the_next_agreement(self):
        """The payer goes, and the client is who agreed: the co-pay left over is as recorded."""
        client = self._insured_client(copay=15.0)
        account = client.billing_account_ids
        account.write({"billing_basis": "quote", "quote_amount": 50.0})
        self._charge(client)
        self._bill_party(account, self.payer)
        account.payer_id = False
        self._bill_party(account, client)
        account.invalidate_recordset(["quote_billed", "quote_left"])
        self.assertEqual((account.quote_billed, account.quote_left), (50.0, 0.0))

    # -- fixed fee -------------------------------------------------------------------------------
    def test_r24_a_fee_for_each_month(self):
        account = self._matter(work=(), billing_basis="fixed", quote_amount=80.0)
        run = self._mass_run(date(2025, 3, 31), A_DAY)
        self.assertIn("March 2025", self._row(run, account).basis_note)
        march = self._bill(run, account)
        march.action_post()
        self.assertFalse(self._row(self._mass_run(date(2025, 3, 31)), account))
        run = self._mass_run(date(2025, 4, 1))
        april = self._bill(run, account)
        fees = (march | april).invoice_line_ids.charge_id
        self.assertEqual(
            fees.sorted("id").mapped("fee_period"), [date(2025, 3, 1), date(2025, 4, 1)]
        )
        self.assertEqual(fees.mapped("fee_number"), [1, 1])

    def test_r24_a_row_tells_which_months_had_no_bill(self):
        """A month without a run is never billed by itself: its fee is told, not forgotten."""
        account = self._matter(work=(), billing_basis="fixed", quote_amount=80.0)

        def note(day):
            return self._row(self._mass_run(day), account).basis_note

        self.assertEqual(note(A_DAY), "Fixed fee for March 2025", "never billed: none is missing")
        march = self._bill(self._mass_run(), account)
        march.action_post()
        self.assertEqual(note(date(2025, 4, 30)), "Fixed fee for April 2025")
        self.assertIn("· April 2025 was not billed.", note(date(2025, 5, 31)))
        self.assertIn("· April and May 2025 were not billed.", note(date(2025, 6, 30)))
        may = self._bill(self._mass_run(date(2025, 5, 31)), account)
        may.action_post()
        self.assertIn("· June 2025 was not billed.", note(date(2025, 7, 31)))
        may._void("Wrong month")
        self.assertIn("· April, May, and June 2025 were not billed.", note(date(2025, 7, 31)))

    def test_r24_of_months_without_a_bill_the_last_twelve_are_told(self):
        engine = self.env["healthcare.billing.engine"]
        known = {(1, 0, date(2024, 1, 1)): (1, True), (2, 0, date(2024, 1, 1)): (1, False)}
        skipped = engine._skipped_months(known, date(2026, 3, 1))
        self.assertEqual(list(skipped), [1], "never billed: nothing is missing")
        self.assertEqual((len(skipped[1]), skipped[1][0]), (12, date(2025, 3, 1)))
        self.assertEqual(
            engine._skipped_note(skipped[1][-4:]),
            "November 2025, December 2025, January 2026, and February 2026 were not billed.",
        )

    def test_r24_edge_case_14(self):
        """Two mass billings in one interval: the second fee comes only with a tick."""
        account = self._matter(work=(30.0,), billing_basis="fixed", quote_amount=80.0)
        self._bill(self._mass_run(), account).action_post()
        self._record(account, work=(30.0,))
        run = self._mass_run()
        row = self._row(run, account)
        self.assertEqual((row.amount, row.needs_tick, row.selected), (80.0, True, False))
        self.assertIn("billed already", row.basis_note)
        run.action_select_all()  # whatever is ticked: nothing is billed without the row's own
        run.action_execute()
        self.assertEqual(row.state, "skipped")
        self.assertIn("billed already", row.message)
        row = self._row(self._mass_run(), account)
        row.bill_again = True
        again = self._bill(row.run_id, account)
        fee = again.invoice_line_ids.charge_id.filtered(lambda c: c.kind == "fixed_fee")
        self.assertEqual((fee.fee_number, again.amount_untaxed), (2, 80.0))

    def test_r29_a_tick_is_for_the_second_fee_and_no_third(self):
        account = self._matter(billing_basis="fixed", quote_amount=80.0)
        self._bill(self._mass_run(), account).action_post()
        self._record(account, expenses=(5.0,))
        row = self._row(self._mass_run(), account)
        row.bill_again = True
        rival = self.env["healthcare.billing.run"].with_user(self._user("billing_user"))
        rival = rival.with_context(allowed_company_ids=self.company.ids)._open_mass_billing(A_DAY)
        theirs = self._row(rival, account)
        theirs.bill_again = True
        draft = self._bill(rival, account)
        draft.invoice_line_ids.filtered(lambda l: l.charge_id.kind == "expense").unlink()
        draft.action_post()
        self._bill(row.run_id, account)
        self.assertEqual(row.state, "skipped")
        self.assertIn("billed again meanwhile", row.message)

    def test_r24_what_is_due_no_more_loses_its_tick(self):
        account = self._matter(billing_basis="fixed", quote_amount=80.0)
        row = self._row(self._mass_run(), account)
        self.assertTrue(row.selected)
        account.quote_amount = 0.0
        row.run_id.action_search_again()
        self.assertEqual((row.selected, row.needs_tick), (False, True))

    # -- instalments -----------------------------------------------------------------------------
    def _by_instalments(self, *instalments, **vals):
        return self._matter(
            billing_basis="fixed",
            instalment_ids=[
                (0, 0, {"date": A_DAY + timedelta(days=days), "amount": amount})
                for days, amount in instalments
            ],
            **vals,
        )

    def test_r24_several_instalments_at_once_then_none_then_the_next(self):
        account = self._by_instalments((-31, 40.0), (0, 60.0), (20, 25.0), work=(10.0,))
        run = self._mass_run()
        row = self._row(run, account)
        self.assertEqual((row.amount, row.amount_agreed), (100.0, 100.0))
        move = self._bill(run, account)
        fees = move.invoice_line_ids.charge_id.filtered(lambda c: c.kind == "fixed_fee")
        self.assertEqual(fees.mapped("amount"), [40.0, 60.0])
        self.assertEqual(account.instalment_ids.mapped("is_billed"), [True, True, False])
        move.action_post()
        self._record(account, work=(5.0,))
        self.assertFalse(self._row(self._mass_run(A_DAY + timedelta(days=10)), account))
        self.assertEqual(self._due(account, A_DAY + timedelta(days=20)), (25.0, False))

    def test_r24_a_billed_instalment_stays(self):
        account = self._by_instalments((0, 40.0), (20, 60.0))
        first, second = account.instalment_ids
        move = self._bill(self._mass_run(), account)
        with self.assertRaisesRegex(UserError, "can't be deleted"):
            first.unlink()
        with self.assertRaisesRegex(UserError, "can't be deleted"):
            account.instalment_ids = [(2, first.id)]
        with self.assertRaisesRegex(UserError, "its sum can't change"):
            first.amount = 50.0
        second.unlink()
        move.unlink()
        first.amount = 50.0
        first.unlink()

    def test_r24_a_co_pay_does_not_wait_for_an_instalment(self):
        client = self._insured_client(copay=15.0)
        account = client.billing_account_ids
        account.write(
            {
                "billing_basis": "fixed",
                "instalment_ids": [(0, 0, {"date": date(2099, 1, 1), "amount": 60.0})],
            }
        )
        charge = self._charge(client)
        row = self._row(self._mass_run(), account)
        self.assertEqual((row.partner_id, row.amount), (client, 15.0))
        self._bill(row.run_id, account).action_post()
        run = self._mass_run()
        self.assertFalse(self._row(run, account))
        self.assertIn("no_instalment_due", run.exclusion_ids.mapped("reason_id.code"))
        self.assertFalse(charge.covered_by)

    # -- what isn't covered ----------------------------------------------------------------------
    def test_r24_expenses_on_top(self):
        account = self._matter(
            expenses=(20.0,), billing_basis="quote", quote_amount=60.0, expenses_on_top=True
        )
        row = self._row(self._mass_run(), account)
        self.assertEqual((row.amount_time, row.amount_expense, row.amount), (100.0, 20.0, 80.0))
        move = self._bill(row.run_id, account)
        self.assertEqual((move.amount_untaxed, account.quote_left), (80.0, 0.0))
        move.action_post()
        self._record(account, expenses=(3.0,))
        row = self._row(self._mass_run(), account)
        self.assertEqual((row.amount, row.needs_tick, row.basis), (3.0, False, "wip"))

    def test_r24_foreign_currency_is_billed_as_recorded(self):
        account = self._matter(work=(100.0,), billing_basis="quote", quote_amount=60.0)
        euro = self.env.ref("base.EUR")
        euro.active = True
        self._record(account, work=(33.0,)).currency_id = euro
        rows = self._row(self._mass_run(), account)
        self.assertEqual(
            sorted((row.currency_id.name, row.amount, row.basis) for row in rows),
            [("EUR", 33.0, "wip"), ("USD", 60.0, "quote")],
        )
        foreign = rows.filtered(lambda row: row.currency_id == euro)
        self.assertIn("another currency", foreign.basis_note)
        self._bill(rows.run_id, account)
        self.assertEqual(sorted(rows.move_id.mapped("amount_untaxed")), [33.0, 60.0])
        self.assertEqual(account.quote_left, 0.0)

    def test_r24_two_rows_with_a_co_pay_outside_the_quote(self):
        client = self._insured_client(copay=15.0)
        account = client.billing_account_ids
        account.write({"billing_basis": "quote", "quote_amount": 200.0})
        self._charge(client)  # 80.00
        late = self._appointment(client, hour=14, state="late_canceled")
        late.charge_ids.price_unit = 25.0
        rows = self._row(self._mass_run(), account)
        amounts = {row.partner_id: (row.amount, row.basis) for row in rows}
        self.assertEqual(amounts, {client: (40.0, "wip"), self.payer: (200.0, "quote")})
        self._bill(rows.run_id, account)
        self.assertEqual(account.quote_billed, 200.0)
        payers = rows.filtered(lambda row: row.partner_id == self.payer).move_id
        self.assertEqual(
            sorted(payers.invoice_line_ids.filtered("charge_id").mapped("price_subtotal")),
            [65.0, 135.0],
        )

    def test_r24_a_quote_counts_once_whoever_pays(self):
        """What another payer, or the client alone, owes of the work is billed as recorded."""
        client = self._insured_client()
        account = client.billing_account_ids
        account.write({"billing_basis": "quote", "quote_amount": 100.0})
        self._charge(client)
        second = self._payer("Second Insurance")
        self._coverage(client, second)
        other = self._appointment(client, hour=12)
        other.payer_id = second
        alone = self._appointment(client, hour=15)
        alone.payer_id = False
        rows = self._row(self._mass_run(), account)
        self.assertEqual(
            {row.partner_id: (row.amount, row.basis) for row in rows},
            {self.payer: (100.0, "quote"), second: (80.0, "wip"), client: (80.0, "wip")},
        )

    # -- several accounts on one bill ------------------------------------------------------------
    def test_r24_consolidated_each_account_on_its_own_basis(self):
        facility = self._payer("Facility", payer_type="facility", invoicing_model="payer_batched")

        def matter(name, work, **vals):
            account = self._matter(name, work=(), payer_id=facility.id, **vals)
            self._record(account, work=work)
            return account

        quoted = matter("Quoted", (100.0,), billing_basis="quote", quote_amount=60.0)
        fixed = matter("Fixed", (30.0,), billing_basis="fixed", quote_amount=50.0)
        idle = matter("Idle", (), billing_basis="fixed", quote_amount=20.0)
        plain = matter("Plain", (7.0,))
        accounts = quoted | fixed | idle | plain
        run = self._mass_run()
        row = run.line_ids.filtered(lambda line: line.partner_id == facility)
        self.assertEqual(
            (row.account_count, row.amount, row.amount_wip, row.basis, row.billing_account_id.id),
            (4, 137.0, 137.0, "mixed", False),
        )
        reasons = accounts._mass_billing_reasons(run)
        self.assertEqual(set(reasons.values()), {"It is on the list."})
        run.action_bill([("id", "=", row.id)])
        run.action_execute()
        self.assertEqual((row.state, row.move_id.amount_untaxed), ("created", 137.0))
        made = row.move_id.invoice_line_ids.charge_id.filtered("made_by_basis")
        self.assertEqual(
            sorted((c.billing_account_id.client_id.name, c.kind, c.amount) for c in made),
            [
                ("Fixed", "adjustment", -30.0),
                ("Fixed", "fixed_fee", 50.0),
                ("Idle", "fixed_fee", 20.0),
                ("Quoted", "adjustment", -40.0),
            ],
        )
        self.assertIn("Idle", " ".join(row.move_id.invoice_line_ids.mapped("name")))
        self.assertEqual(row.move_id._mass_accounts(), accounts)
        for account in accounts:
            self.assertRegex(account._mass_billing_reasons(self._mass_run())[account], "draft bill")

    # -- always ----------------------------------------------------------------------------------
    @given(
        work=st.lists(cents, min_size=1, max_size=4),
        expenses=st.lists(cents, max_size=2),
        agreed=st.integers(0, 200_000).map(lambda number: number / 100),
        basis=st.sampled_from(["wip", "quote", "fixed"]),
        on_top=st.booleans(),
    )
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    def test_r24_always_what_was_agreed_to_the_cent_and_once(
        self, work, expenses, agreed, basis, on_top
    ):
        with self.assertRaises(EndOfExample), self.env.cr.savepoint():
            account = self._matter(
                work=work,
                expenses=expenses,
                billing_basis=basis,
                quote_amount=agreed,
                expenses_on_top=on_top,
            )
            row = self._row(self._mass_run(), account)
            row.bill_again = True
            move = self._bill(row.run_id, account)
            self.assertEqual(row.state, "created", row.message)
            recorded, extra = sum(work), sum(expenses)
            expected = {
                "wip": recorded + extra,
                "quote": agreed + (extra if on_top else 0.0),
                "fixed": agreed + (extra if on_top else 0.0),
            }[basis]
            self.assertAlmostEqual(move.amount_untaxed, expected, 2)
            lines = move.invoice_line_ids.filtered("charge_id")
            self.assertAlmostEqual(sum(lines.mapped("price_subtotal")), expected, 2)
            charges = lines.charge_id
            self.assertLessEqual(len(charges.filtered(lambda c: c.kind == "adjustment")), 1)
            kept = charges.filtered(lambda c: not c.made_by_basis)
            self.assertAlmostEqual(sum(kept.mapped("amount")), recorded + extra, 2)
            move.action_post()
            self.assertFalse(self._row(self._mass_run(), account), "billed once")
            raise EndOfExample
