from datetime import timedelta
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import A_DAY, CareCommon


class RebillCommon(CareCommon):
    @classmethod
    def _bill(cls, *charges, **options):
        """Posted invoices of charges."""
        records = cls.env["healthcare.charge"].union(*charges)
        return cls._execute(records, post=True, **options).move_ids

    @classmethod
    def _pay(cls, move, amount=None):
        """Register a payment; returns it."""
        wizard = (
            cls.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({} if amount is None else {"amount": amount})
        )
        return wizard._create_payments()

    def _assert_whole(self, old, new):
        """Old is credited in full, everything reconciled with what it belongs to."""
        credit = old.reversal_move_ids.filtered(lambda move: move.state == "posted")
        self.assertTrue(credit)
        self.assertFalse(any(old.line_ids.mapped("charge_live")))
        self.assertEqual(old.amount_residual, 0.0)
        self.assertEqual(new.rebill_of_id, old)
        self.assertIn(new, old.rebilled_by_ids)
        for move in old | credit | new:
            self.assertIn("Credit and rebill", move.message_ids[:1].body)

    def _proof(self, charges):
        """Ledger and charges agree: invoiced is the sum of what live lines say."""
        for charge in charges:
            lines = charge._live_lines()
            self.assertEqual(len(lines), len(charge._parts()), charge.display_name)
            billed = sum(
                (-1 if line.move_type == "out_refund" else 1) * line.price_subtotal
                for line in lines
            )
            self.assertAlmostEqual(billed, charge.amount, 2)
            self.assertAlmostEqual(charge.amount_invoiced, charge.amount, 2)
            self.assertFalse(charge.invoiced_otherwise)


@tagged("post_install", "-at_install")
class TestCreditRebill(RebillCommon):
    def test_fee_is_corrected(self):
        charge = self._charge(self._client())
        old = self._bill(charge)
        number, ref = old.name, old.billing_ref
        new = old._credit_and_rebill({charge: {"price_unit": 95.0}}, reason="Wrong fee")
        self.assertEqual((old.state, old.name), ("posted", number))
        self.assertEqual((new.state, new.amount_total), ("posted", 95.0))
        self.assertEqual((new.billing_ref, new.payment_reference), (ref, ref))
        self.assertEqual(new.billing_run_id.line_ids.billing_ref, ref)
        self.assertEqual(new.billing_run_id.door, "rebill")
        self.assertEqual(new.amount_residual, 95.0)
        self.assertEqual((charge.price_source, charge.price_unit), ("typed", 95.0))
        self.assertIn("Wrong fee", old.message_ids[:1].body)
        self.assertIn("Wrong fee", charge.appointment_id.message_ids[:1].body)
        self._assert_whole(old, new)
        self._proof(charge)

    def test_number_series_stay_whole(self):
        charges = [self._charge(self._client(f"C{n}")) for n in range(3)]
        old = [self._bill(charge) for charge in charges]
        names = [move.name for move in old]
        new = old[1]._credit_and_rebill({charges[1]: {"price_unit": 95.0}})
        self.assertEqual([move.name for move in old], names)
        self.assertEqual(new.sequence_number, old[2].sequence_number + 1)
        self.assertFalse(new.made_sequence_gap)
        self.assertFalse(old[1].reversal_move_ids.made_sequence_gap)

    def test_units_service_and_codes(self):
        modifier = self.env["healthcare.modifier"].search([], limit=1)
        client = self._client()
        charge = self._charge(client)
        charge.appointment_id.diagnosis_ids = self.diagnosis
        old = self._bill(charge)
        new = old._credit_and_rebill(
            {
                charge: {
                    "product_id": self.service.id,
                    "quantity": 3.0,
                    "price_unit": 30.0,
                    "modifier_ids": modifier.ids,
                    "diagnosis_ids": self.diagnosis.ids,
                }
            }
        )
        self.assertEqual(charge.appointment_id.product_id, self.service)
        self.assertEqual((charge.quantity, charge.price_unit, charge.amount), (3.0, 30.0, 90.0))
        self.assertEqual(charge.price_source, "practice_default")  # the list says so
        self.assertEqual(charge.modifier_ids, modifier)
        self.assertEqual(charge.diagnosis_ids, self.diagnosis)
        line = new.invoice_line_ids.filtered("charge_id")
        self.assertEqual((line.product_id, line.quantity), (self.service, 3.0))
        self._assert_whole(old, new)
        self._proof(charge)

    def test_only_codes_change(self):
        modifier = self.env["healthcare.modifier"].search([], limit=1)
        charge = self._charge(self._insured_client(copay=20.0))
        moves = self._bill(charge)
        payer_move = moves.filtered(lambda move: move.partner_id == self.payer)
        new = payer_move._credit_and_rebill({charge: {"modifier_ids": modifier.ids}})
        self.assertEqual(charge.modifier_ids, modifier)
        self.assertEqual((len(new), new.partner_id, new.amount_total), (1, self.payer, 60.0))
        client_move = moves - payer_move
        self.assertFalse(client_move.reversal_move_ids)  # its invoice says the same as before
        self._proof(charge)

    def test_nothing_changed_is_refused(self):
        charge = self._charge(self._client())
        old = self._bill(charge)
        wizard = self.env["healthcare.credit.rebill"].browse(
            old.action_credit_and_rebill()["res_id"]
        )
        wizard.reason = "None"
        with self.assertRaisesRegex(UserError, "Nothing was changed"):
            wizard.action_confirm()
        self.assertFalse(old.reversal_move_ids)

    # -- several parties ------------------------------------------------------------------------

    def test_both_parties_are_credited_and_billed_again(self):
        charge = self._charge(self._insured_client(copay=20.0))
        moves = self._bill(charge)
        by_payer = {move.partner_id == self.payer: move for move in moves}
        new = by_payer[True]._credit_and_rebill({charge: {"price_unit": 100.0}})
        self.assertEqual(sorted(new.mapped("amount_total")), [20.0, 80.0])
        for move in new:
            old = by_payer[move.partner_id == self.payer]
            self._assert_whole(old, move)
        self._proof(charge)

    def test_parts_are_corrected(self):
        charge = self._charge(self._insured_client(copay=20.0))
        moves = self._bill(charge)
        new = moves[0]._credit_and_rebill(
            {charge: {"amount_client": 0.0, "amount_payer": 80.0, "amount_secondary": 0.0}}
        )
        self.assertEqual((new.partner_id, new.amount_total), (self.payer, 80.0))
        self.assertEqual(set(moves.mapped("amount_residual")), {0.0})
        self._proof(charge)

    def test_draft_of_another_party_is_in_the_way(self):
        charge = self._charge(self._insured_client(copay=20.0))
        drafts = self._execute(charge).move_ids
        drafts[0].action_post()
        with self.assertRaisesRegex(UserError, "draft"):
            drafts[0]._credit_and_rebill({charge: {"price_unit": 100.0}})
        self.assertFalse(drafts[0].reversal_move_ids)

    def test_other_charges_of_the_invoice_are_billed_again_unchanged(self):
        client = self._client()
        charges = [self._charge(client, hour=9 + n) for n in range(3)]
        old = self._bill(*charges)
        new = old._credit_and_rebill({charges[1]: {"price_unit": 10.0}})
        self.assertEqual(new.amount_total, 170.0)
        self._assert_whole(old, new)
        self._proof(charges[0] | charges[1] | charges[2])

    def test_split_of_the_run_is_kept(self):
        client = self._client()
        charges = [self._charge(client, hour=9 + n) for n in range(2)]
        moves = self._bill(*charges, split_by=("appointment",))
        new = moves[0]._credit_and_rebill(
            {moves[0].invoice_line_ids.charge_id: {"price_unit": 10.0}}
        )
        self.assertEqual((len(new), new.amount_total), (1, 10.0))
        self.assertFalse(moves[1].reversal_move_ids)

    def test_lines_besides_care_are_billed_again(self):
        charge = self._charge(self._client())
        old = self._execute(
            charge, extra_lines=[{"name": "Copies", "price_unit": 5.0, "quantity": 2}]
        ).move_ids
        old.invoice_line_ids = [Command.create({"display_type": "line_note", "name": "Thanks"})]
        old.action_post()
        new = old._credit_and_rebill({charge: {"price_unit": 100.0}})
        self.assertEqual(new.amount_untaxed, 110.0)
        self.assertIn("Thanks", new.invoice_line_ids.mapped("name"))
        self._assert_whole(old, new)

    # -- money ----------------------------------------------------------------------------------

    def test_payment_goes_over_in_full(self):
        charge = self._charge(self._client())
        old = self._bill(charge)
        payment = self._pay(old)
        new = old._credit_and_rebill({charge: {"price_unit": 95.0}})
        self.assertEqual(new.amount_residual, 15.0)
        self.assertEqual(payment.reconciled_invoice_ids, new)
        self.assertIn(payment.state, ("in_process", "paid"))
        self._assert_whole(old, new)

    def test_payment_without_journal_entry_goes_over(self):
        """Registered, and not yet confirmed by the bank: no journal item to reconcile."""
        charge = self._charge(self._client())
        old = self._bill(charge)
        payment = self.env["account.payment"].create(
            {
                "amount": 80.0,
                "partner_id": old.partner_id.id,
                "journal_id": self.company_data["default_journal_bank"].id,
                "outstanding_account_id": False,
            }
        )
        payment.outstanding_account_id = False
        payment.action_post()
        old.matched_payment_ids = payment
        self.assertFalse(payment.move_id)
        new = old._credit_and_rebill({charge: {"price_unit": 95.0}})
        self.assertEqual(payment.state, "in_process")  # the credit note is no confirmation
        self.assertEqual(payment.invoice_ids, new)
        self.assertEqual(old.payment_state, "reversed")

    def test_surplus_stays_as_open_credit_and_is_told(self):
        charge = self._charge(self._client())
        old = self._bill(charge)
        payment = self._pay(old)
        new = old._credit_and_rebill({charge: {"price_unit": 50.0}})
        self.assertEqual(new.amount_residual, 0.0)
        line = payment.move_id.line_ids.filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        )
        self.assertEqual(line.amount_residual, -30.0)
        self.assertIn("30.00", new.message_ids[:1].body)

    def test_part_payment_goes_over(self):
        charge = self._charge(self._client())
        old = self._bill(charge)
        self._pay(old, 25.0)
        new = old._credit_and_rebill({charge: {"price_unit": 95.0}})
        self.assertEqual(new.amount_residual, 70.0)
        self.assertEqual(new.payment_state, "partial")

    def test_draft_leaves_payment_as_credit(self):
        charge = self._charge(self._client())
        old = self._bill(charge)
        self._pay(old)
        new = old._credit_and_rebill({charge: {"price_unit": 95.0}}, post=False)
        self.assertEqual(new.state, "draft")
        self.assertEqual(old.amount_residual, 0.0)
        self.assertEqual(charge.billing_stage, "draft")
        self.assertIn("80.00", new.message_ids[:1].body)
        new.action_post()
        self.assertEqual(new.amount_residual, 15.0)

    def test_sent_invoice(self):
        charge = self._charge(self._client())
        old = self._bill(charge)
        old.is_move_sent = True
        new = old._credit_and_rebill({charge: {"price_unit": 95.0}})
        self._assert_whole(old, new)

    # -- credited before ------------------------------------------------------------------------

    def _credit(self, old, changes=None):
        """A posted credit note by core; ``{charge: price}`` for lines of a partial one."""
        credit = old._reverse_moves([{"date": self.today, "invoice_date": self.today}])
        for line in credit.invoice_line_ids.filtered("charge_id") if changes is not None else ():
            if line.charge_id in changes:
                line.write({"quantity": 1.0, "price_unit": changes[line.charge_id]})
            else:
                line.unlink()
        credit.action_post()
        return credit

    def test_part_credited_before(self):
        """Only what is left is credited: the credit note of before stays what it is."""
        client = self._client()
        one, two = (self._charge(client, hour=9 + n) for n in range(2))
        old = self._bill(one, two)
        first = self._credit(old, {one: 30.0})
        new = old._credit_and_rebill({one: {"price_unit": 60.0}})
        second = old.reversal_move_ids - first
        self.assertEqual((first.amount_total, second.amount_total), (30.0, 130.0))
        self.assertEqual(new.amount_total, 140.0)
        self.assertEqual(set((old | first | second).mapped("amount_residual")), {0.0})
        self._proof(one | two)

    def test_one_charge_credited_in_full_before(self):
        client = self._client()
        one, two = (self._charge(client, hour=9 + n) for n in range(2))
        old = self._bill(one, two)
        first = self._credit(old, {one: 80.0})
        new = old._credit_and_rebill({two: {"price_unit": 60.0}})
        self.assertEqual((old.reversal_move_ids - first).amount_total, 80.0)
        self.assertEqual(new.amount_total, 60.0)
        self.assertEqual(one.billing_stage, "billing_office")

    def test_credited_in_full_before_is_refused(self):
        charge = self._charge(self._client())
        old = self._bill(charge)
        self._credit(old)
        with self.assertRaisesRegex(UserError, "bills no care"):
            old.action_credit_and_rebill()

    def test_draft_credit_note_is_in_the_way(self):
        charge = self._charge(self._client())
        old = self._bill(charge)
        old._reverse_moves([{"date": self.today}])
        with self.assertRaisesRegex(UserError, "is a draft"):
            old._credit_and_rebill({charge: {"price_unit": 1.0}})

    # -- twice ----------------------------------------------------------------------------------

    def test_double_click(self):
        charge = self._charge(self._client())
        old = self._bill(charge)
        wizard = self.env["healthcare.credit.rebill"].browse(
            old.action_credit_and_rebill()["res_id"]
        )
        wizard.reason = "x"
        wizard.line_ids.price_unit = 95.0
        wizard.action_confirm()
        with self.assertRaisesRegex(UserError, "billed again by"):
            wizard.action_confirm()
        self.assertEqual(len(old.reversal_move_ids), 1)

    def test_again_and_again(self):
        charge = self._charge(self._client())
        move = self._bill(charge)
        self._pay(move)
        for fee in (95.0, 60.0, 80.0):
            new = move._credit_and_rebill({charge: {"price_unit": fee}})
            self._assert_whole(move, new)
            self.assertEqual(new.amount_total, fee)
            move = new
        self.assertEqual(move.amount_residual, 0.0)
        self._proof(charge)

    # -- what stands in the way -----------------------------------------------------------------

    def test_blocked_care_rolls_back_and_says_why(self):
        client = self._client()
        charge = self._charge(client)
        old = self._bill(charge)
        client.billing_account_ids.billing_status = "closed"
        with self.assertRaisesRegex(UserError, "can't be billed now"), self.cr.savepoint():
            old._credit_and_rebill({charge: {"price_unit": 95.0}})
        self.assertFalse(old.reversal_move_ids)
        self.assertEqual(charge.price_unit, 80.0)

    def test_refused_posting_rolls_everything_back(self):
        """Such as a missing license: the gate of ``_post`` answers, and nothing was changed."""
        charge = self._charge(self._client())
        old = self._bill(charge)
        payment = self._pay(old)
        post = type(old)._post

        def gate(moves, soft=True):
            if any(move.move_type == "out_invoice" for move in moves):
                raise UserError(moves.env._("No license"))
            return post(moves, soft)

        with (
            patch.object(type(old), "_post", gate),
            self.assertRaisesRegex(UserError, "No license"),
            self.cr.savepoint(),
        ):
            old._credit_and_rebill({charge: {"price_unit": 95.0}})
        self.env.invalidate_all()
        self.assertFalse(old.reversal_move_ids)
        self.assertEqual(charge.price_unit, 80.0)
        self.assertEqual(payment.reconciled_invoice_ids, old)
        self.assertTrue(charge._live_lines())

    def test_locked_period_of_the_old_invoice(self):
        charge = self._charge(self._client())
        old = self._bill(charge, invoice_date=A_DAY)
        self.company.fiscalyear_lock_date = A_DAY + timedelta(days=40)
        new = old._credit_and_rebill({charge: {"price_unit": 95.0}})
        self.assertEqual(old.date, A_DAY)
        self.assertEqual(old.reversal_move_ids.date, self.today)
        self.assertEqual(new.date, self.today)

    def test_locked_today_is_refused(self):
        charge = self._charge(self._client())
        old = self._bill(charge)
        self.company.fiscalyear_lock_date = self.today
        with self.assertRaisesRegex(UserError, "can't be billed now"), self.cr.savepoint():
            old._credit_and_rebill({charge: {"price_unit": 95.0}})

    def test_hashed_journal(self):
        charge = self._charge(self._client())
        journal = self.env["healthcare.billing.engine"]._sale_journal(self.company)
        journal.restrict_mode_hash_table = True
        old = self._bill(charge)
        self.assertTrue(old.inalterable_hash)
        new = old._credit_and_rebill({charge: {"price_unit": 95.0}})
        self._assert_whole(old, new)

    def test_parked_care_stays_on_its_documents(self):
        """R9: what is on documents stays there; correcting them is no generator."""
        charge = self._charge(self._client())
        old = self._bill(charge)
        charge.appointment_id.parked = True
        new = old._credit_and_rebill({charge: {"price_unit": 95.0}})
        self.assertEqual(new.amount_total, 95.0)

    def test_drafts_and_credit_notes_are_refused(self):
        charge = self._charge(self._client())
        draft = self._execute(charge).move_ids
        with self.assertRaisesRegex(UserError, "isn't a posted invoice"):
            draft.action_credit_and_rebill()
        draft.action_post()
        credit = self._credit(draft)
        with self.assertRaisesRegex(UserError, "isn't a posted invoice"):
            credit.action_credit_and_rebill()

    def test_charges_of_other_invoices_are_left_alone(self):
        charge, stranger = (self._charge(self._client(n)) for n in ("A", "B"))
        old = self._bill(charge)
        self._bill(stranger)
        with self.assertRaisesRegex(UserError, "Nothing was changed"):
            old._credit_and_rebill({stranger: {"price_unit": 1.0}})

    # -- many -----------------------------------------------------------------------------------

    def test_one_bad_never_stops_the_others(self):
        clients = [self._client(f"C{n}") for n in range(3)]
        charges = [self._charge(client) for client in clients]
        moves = self.env["account.move"].union(*(self._bill(charge) for charge in charges))
        clients[1].billing_account_ids.billing_status = "on_hold"
        results = moves.sorted("id")._credit_and_rebill_each(
            {charge: {"price_unit": 95.0} for charge in charges}, reason="x"
        )
        texts = [move for move in moves.sorted("id") if isinstance(results[move], str)]
        self.assertEqual(len(texts), 1)
        self.assertIn("can't be billed", results[texts[0]])
        self.assertEqual([charge.price_unit for charge in charges], [95.0, 80.0, 95.0])
        self._proof(charges[0] | charges[1] | charges[2])

    def test_both_parties_among_many(self):
        """The second one was corrected along with the first."""
        charge = self._charge(self._insured_client(copay=20.0))
        moves = self._bill(charge)
        results = moves._credit_and_rebill_each({charge: {"price_unit": 100.0}})
        self.assertFalse([text for text in results.values() if isinstance(text, str)])
        self._proof(charge)

    @mute_logger("odoo.addons.healthcare_billing.models.account_move_rebill")
    def test_unexpected_errors_are_told(self):
        charge = self._charge(self._client())
        old = self._bill(charge)
        with patch.object(type(old), "_bill_again", side_effect=ZeroDivisionError("boom")):
            results = old._credit_and_rebill_each({charge: {"price_unit": 95.0}})
        self.assertIn("boom", results[old])
        self.assertFalse(old.reversal_move_ids)

    # -- dialog ---------------------------------------------------------------------------------

    def test_dialog_keeps_the_sum_of_the_parts(self):
        charge = self._charge(self._insured_client(copay=20.0))
        moves = self._bill(charge)
        wizard = self.env["healthcare.credit.rebill"].browse(
            moves[0].action_credit_and_rebill()["res_id"]
        )
        self.assertEqual(wizard.other_move_ids, moves[1])
        with Form(wizard) as form:
            form.reason = "Deductible"
            with form.line_ids.edit(0) as line:
                line.price_unit = 100.0
                self.assertEqual((line.amount_client, line.amount_payer), (20.0, 80.0))
                line.amount_client = 35.0
                self.assertEqual(line.amount_payer, 65.0)
                line.price_unit = 100.0
        wizard.action_confirm()
        self.assertEqual((charge.amount_client, charge.amount_payer), (35.0, 65.0))
        self._proof(charge)

    def test_dialog_another_service_brings_units_and_fee(self):
        charge = self._charge(self._client())
        old = self._bill(charge)
        wizard = self.env["healthcare.credit.rebill"].browse(
            old.action_credit_and_rebill()["res_id"]
        )
        with Form(wizard) as form:
            form.reason = "Wrong code"
            with form.line_ids.edit(0) as line:
                line.product_id = self.service
                self.assertEqual((line.quantity, line.price_unit), (4.0, 30.0))
                self.assertEqual(line.amount_client, 120.0)
        action = wizard.action_confirm()
        new = self.env["account.move"].browse(action["res_id"])
        self.assertEqual(new.amount_total, 120.0)
        self.assertFalse(charge.quantity_typed)

    # -- rights ---------------------------------------------------------------------------------

    def test_rights(self):
        for kind in ("billing_user", "billing_manager"):
            charge = self._charge(self._client(kind))
            old = self._bill(charge)
            env = self._act_as(self._user(kind))
            action = old.with_env(env).action_credit_and_rebill()
            wizard = env["healthcare.credit.rebill"].browse(action["res_id"])
            wizard.read()
            wizard.line_ids.read()
            wizard.reason = "x"
            wizard.line_ids.price_unit = 95.0
            wizard.action_confirm()
            self.assertEqual(old.rebilled_by_ids.create_uid, env.user)
        charge = self._charge(self._client("Last"))
        old = self._bill(charge)
        for kind in ("coordinator", "accountant"):
            with self.assertRaises(AccessError):
                old.with_env(self._act_as(self._user(kind))).action_credit_and_rebill()

    # -- proof ----------------------------------------------------------------------------------

    def test_completeness_report_stays_green(self):
        one = self._charge(self._insured_client(copay=20.0))
        two = self._charge(self._client())
        moves = self._bill(one, two)
        moves.filtered(lambda move: one in move.invoice_line_ids.charge_id)[0]._credit_and_rebill(
            {one: {"price_unit": 100.0}}
        )
        one._transfer(10.0, from_party="primary", to_party="client", reason="x")._bill_transfers()
        report = self.env["healthcare.completeness"].create(
            {"date_from": A_DAY, "date_to": self.today, "company_id": self.company.id}
        )
        report.action_compute()
        self.assertEqual((report.state, report.difference, report.gap), ("agrees", 0.0, 0.0))
        self.assertEqual((report.delivered, report.invoiced, report.ledger), (180.0, 180.0, 180.0))

    @settings(
        max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(
        fee=st.integers(0, 20000),
        units=st.integers(1, 5),
        copay=st.integers(0, 5000),
        paid=st.integers(0, 8000),
        again=st.integers(0, 20000),
    )
    def test_r4_to_the_cent(self, fee, units, copay, paid, again):
        """Whatever was paid and corrected: what is open plus what was paid is what is charged."""
        with self.cr.savepoint() as savepoint:
            charge = self._charge(self._insured_client(copay=copay / 100))
            moves = self._bill(charge)
            paid_sum = 0.0
            for move in moves:
                amount = min(paid / 100, move.amount_residual)
                if amount:
                    self._pay(move, amount)
                    paid_sum += amount
            for value in (fee / 100, again / 100):
                if (charge.price_unit, charge.quantity) == (value, units):
                    continue
                move = charge._live_lines().move_id[0]
                move._credit_and_rebill({charge: {"price_unit": value, "quantity": units}})
            self._proof(charge)
            partners = moves.partner_id | charge._live_lines().move_id.partner_id
            open_sum = sum(
                self.env["account.move.line"]
                .search(
                    [
                        ("partner_id", "in", partners.ids),
                        ("account_id.account_type", "=", "asset_receivable"),
                        ("parent_state", "=", "posted"),
                    ]
                )
                .mapped("amount_residual")
            )
            self.assertAlmostEqual(open_sum, charge.amount - paid_sum, 2)
            savepoint.rollback()
            self.env.invalidate_all(flush=False)
