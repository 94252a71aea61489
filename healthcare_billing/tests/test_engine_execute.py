from datetime import date, timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import CareCommon


@tagged("post_install", "-at_install")
class TestEngineExecute(CareCommon):
    """``execute``: once, with a result per row; retry, undo, cancel."""

    def _clients(self, number):
        return [self._client(f"Client {i}") for i in range(number)]

    def _charges(self, number=3):
        charges = self.env["healthcare.charge"]
        for client in self._clients(number):
            charges |= self._charge(client)
        return charges

    def _lines(self, move, *names):
        return [tuple(line[name] for name in names) for line in move.line_ids]

    # -- invoices --------------------------------------------------------------------------------
    def test_invoice_has_a_section_per_appointment(self):
        client = self._client(lang="en_US")
        charges = self._charge(client) | self._charge(client, hour=11, product_id=self.service.id)
        move = self._execute(charges).line_ids.move_id
        sections = move.invoice_line_ids.filtered(lambda l: l.display_type == "line_section")
        self.assertEqual(
            sections.mapped("name"),
            ["03/03/2025 - Pat Provider - Nursing", "03/03/2025 - Pat Provider - Therapy"],
        )
        self.assertEqual(
            move.invoice_line_ids.mapped("display_type"),
            ["line_section", "product", "line_section", "product"],
        )
        self.assertRecordValues(
            move.invoice_line_ids.filtered("charge_id"),
            [
                {
                    "quantity": 1.0,
                    "price_unit": 80.0,
                    "charge_units": 1.0,
                    "responsibility": "client",
                },
                {
                    "quantity": 4.0,
                    "price_unit": 30.0,
                    "charge_units": 4.0,
                    "responsibility": "client",
                },
            ],
        )
        self.assertRecordValues(
            move,
            [{
                "healthcare_client_id": client.id, "payment_reference": move.billing_ref,
                "service_date_from": date(2025, 3, 3), "service_date_to": date(2025, 3, 3),
                "amount_total": 200.0, "is_manually_modified": False,
            }],
        )  # fmt: skip
        self.assertTrue(move.billing_ref)
        self.assertNotIn(self.diagnosis.code, str(move.invoice_line_ids.mapped("name")))

    def test_split_charge_has_the_odd_cent_at_the_payer(self):
        third = self._service("Third", "T1003", 33.335)
        client = self._insured_client()
        charge = self._charge(client, product_id=third.id)
        charge.quantity = 2.0  # 66.67
        charge.amount_client = 33.33
        run = self._execute(charge)
        lines = run.line_ids.move_id.invoice_line_ids.filtered("charge_id")
        self.assertEqual(
            {line.responsibility: (line.quantity, line.price_subtotal) for line in lines},
            {"client": (1.0, 33.33), "primary": (1.0, 33.34)},
        )
        self.assertEqual(lines.mapped("charge_units"), [2.0, 2.0])

    def test_post_books_and_moves_the_stages(self):
        charge = self._charge(self._client())
        self.assertEqual(charge.billing_stage, "billing_office")
        run = self._execute(charge)
        self.assertEqual((charge.billing_stage, charge.amount_invoiced), ("draft", 0.0))
        move = run.line_ids.move_id
        move.action_post()
        self.assertEqual((charge.billing_stage, charge.amount_invoiced), ("awaiting_payment", 80.0))
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        ).create({})._create_payments()
        self.assertEqual(charge.billing_stage, "finished")
        self.assertEqual(charge.appointment_id.billing_stage, "finished")

    def test_post_at_once(self):
        run = self._execute(self._charges(), post=True)
        self.assertEqual(set(run.line_ids.move_id.mapped("state")), {"posted"})
        self.assertEqual(run.line_ids.mapped("state"), ["created"] * 3)

    def test_zero_invoice_is_posted_and_finished(self):
        free = self._service("Free", "H0031", 0.0)
        charge = self._charge(self._client(), product_id=free.id)
        move = self._execute(charge).line_ids.move_id
        self.assertEqual((move.state, move.amount_total), ("posted", 0.0))
        self.assertEqual(charge.billing_stage, "finished")

    def test_negative_plan_is_a_refund_that_is_made_once(self):
        charge = self._charge(self._client())
        self._execute(charge, post=True)
        child = self.env["healthcare.charge"].create(
            {"parent_id": charge.id, "kind": "adjustment", "price_unit": -15.0}
        )
        move = self._execute(child, post=True).line_ids.move_id
        self.assertRecordValues(
            move, [{"move_type": "out_refund", "amount_total": 15.0, "state": "posted"}]
        )
        receivable = move.line_ids.filtered(lambda l: l.display_type == "payment_term")
        self.assertEqual(receivable.balance, -15.0)
        self.assertEqual(self._plan(child).blocked[child.id], ("already_invoiced",))
        self.assertEqual(child.amount_invoiced, -15.0)

    def test_mixed_signs_on_one_invoice(self):
        charge = self._charge(self._client())
        child = self.env["healthcare.charge"].create(
            {"parent_id": charge.id, "kind": "discount", "price_unit": -10.0}
        )
        move = self._execute(charge | child, post=True).line_ids.move_id
        self.assertEqual((move.move_type, move.amount_total), ("out_invoice", 70.0))

    def test_several_payment_terms(self):
        term = self.env["account.payment.term"].create(
            {
                "name": "30 now, rest in 60 days",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 30.0, "nb_days": 0}),
                    Command.create({"value": "percent", "value_amount": 70.0, "nb_days": 60}),
                ],
            }
        )
        client = self._client(account={"payment_term_id": term.id})
        today = self.today
        move = self._execute(self._charge(client), post=True).line_ids.move_id
        due = move.line_ids.filtered(lambda l: l.display_type == "payment_term")
        self.assertEqual(
            sorted(zip(due.mapped("date_maturity"), due.mapped("balance"), strict=True)),
            [(today, 24.0), (today + timedelta(days=60), 56.0)],
        )

    def test_taxed_service_goes_the_plain_path(self):
        taxed = self._service("Taxed", "S9999", 100.0, taxes_id=[Command.set(self.tax_sale_a.ids)])
        move = self._execute(self._charge(self._client(), product_id=taxed.id)).line_ids.move_id
        self.assertRecordValues(move, [{"amount_untaxed": 100.0, "amount_tax": 15.0}])

    def test_care_takes_no_tax_from_its_income_account(self):
        self.company_data["default_account_revenue"].tax_ids = self.tax_sale_a
        move = self._execute(self._charge(self._client())).line_ids.move_id
        self.assertEqual(move.amount_tax, 0.0)
        line = move.invoice_line_ids.filtered("charge_id")
        line.quantity = 2.0  # and none comes when a biller edits the draft
        line.account_id = self.company_data["default_account_revenue"].copy()
        self.assertFalse(line.tax_ids)

    def test_foreign_currency_fee_schedule(self):
        euro = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        self._fee_schedule({self.visit_service: 100.0}, currency_id=euro.id)
        charge = self._charge(self._insured_client())
        self.assertEqual((charge.currency_id, charge.amount), (euro, 100.0))
        move = self._execute(charge, post=True).line_ids.move_id
        self.assertRecordValues(
            move, [{"currency_id": euro.id, "amount_total": 100.0, "amount_total_signed": 50.0}]
        )

    def test_client_level_charge_without_appointment(self):
        client = self._client()
        charge = self.env["healthcare.charge"].create(
            {
                "client_id": client.id,
                "billing_account_id": client.billing_account_ids.id,
                "kind": "fixed_fee",
                "product_id": self.visit_service.id,
                "price_unit": 45.0,
                "service_date": "2025-03-01",
            }
        )
        move = self._execute(charge | self._charge(client)).line_ids.move_id
        self.assertEqual(move.amount_total, 125.0)
        # it comes before the first section, or it would read as part of an appointment
        self.assertEqual(
            move.invoice_line_ids.mapped("display_type"), ["product", "line_section", "product"]
        )

    def test_lang_of_the_addressee(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        client = self._client(lang="fr_FR")
        move = self._execute(self._charge(client)).line_ids.move_id
        self.assertTrue(move.invoice_line_ids[0].name.startswith("03/03/2025"))

    # -- exactly once ----------------------------------------------------------------------------
    def test_running_twice_creates_nothing(self):
        charges = self._charges()
        plan = self._plan(charges)
        first = plan.save()
        second = plan.save()
        engine = self._engine()
        engine.execute(first)
        engine.execute(first)
        self.assertEqual(len(first.move_ids), 3)
        engine.execute(second)
        self.assertEqual(second.line_ids.mapped("state"), ["skipped"] * 3)
        self.assertEqual(len(charges.invoice_line_ids), 3)
        refs = set(first.move_ids.mapped("billing_ref"))
        for line in second.line_ids:
            self.assertIn("Already invoiced on", line.message)
            self.assertTrue(any(ref in line.message for ref in refs))

    def test_changed_price_is_skipped_not_booked(self):
        charges = self._charges(2)
        run = self._plan(charges).save()
        charges[0].price_unit = 90.0
        self._engine().execute(run)
        self.assertEqual(run.line_ids.mapped("state"), ["skipped", "created"])
        self.assertIn("Changed since preview", run.line_ids[0].message)
        run.action_retry()
        self.assertEqual(run.line_ids.mapped("state"), ["created", "created"])
        self.assertEqual(run.line_ids[0].amount, 90.0)
        self.assertEqual(run.line_ids[0].move_id.amount_total, 90.0)

    def test_charge_blocked_since_preview_is_skipped_with_its_reason(self):
        charges = self._charges(2)
        run = self._plan(charges).save()
        charges[0].appointment_id.parked = True
        self._engine().execute(run)
        self.assertEqual(run.line_ids.mapped("state"), ["skipped", "created"])
        self.assertIn("Parked", run.line_ids[0].message)

    def test_unselected_rows_stay_to_bill(self):
        charges = self._charges()
        run = self._plan(charges).save()
        run.line_ids[1].selected = False
        run.action_execute()
        self.assertEqual(run.line_ids.mapped("state"), ["created", "planned", "created"])
        self.assertEqual(charges[1].billing_stage, "billing_office")
        self.assertEqual(len(self._plan(charges).invoices), 1)

    def test_nothing_selected_is_said(self):
        run = self._plan(self._charges(1)).save()
        run.action_deselect_all()
        with self.assertRaisesRegex(UserError, "Select at least one"):
            run.action_execute()

    def test_double_click(self):
        run = self._plan(self._charges()).save()
        run.action_execute()
        run.action_execute()
        self.assertEqual(len(run.move_ids), 3)

    # -- faults ----------------------------------------------------------------------------------
    def test_r28_one_bad_row_never_stops_the_run(self):
        charges = self._charges(4)
        run = self._plan(charges).save()
        bad = charges[1]
        engine = type(self.env["healthcare.billing.engine"])
        prepare = engine._prepare_charge_line

        def fail_for_one(self, charge, *args):
            if charge == bad:
                raise UserError(self.env._("This one is broken"))
            return prepare(self, charge, *args)

        with patch.object(engine, "_prepare_charge_line", fail_for_one):
            run.action_execute()
        self.assertEqual(run.line_ids.mapped("state"), ["created", "failed", "created", "created"])
        self.assertEqual(run.line_ids[1].message, "This one is broken")
        self.assertRecordValues(run, [{"created_count": 3, "failed_count": 1, "progress": 100.0}])
        moves = run.move_ids
        run.action_retry()
        self.assertEqual(run.line_ids.mapped("state"), ["created"] * 4)
        self.assertEqual(len(run.move_ids - moves), 1, "only the failed row was made")

    @mute_logger("odoo.addons.healthcare_billing.models.billing_engine")
    def test_r28_an_unexpected_error_is_kept_too(self):
        run = self._plan(self._charges(2)).save()
        engine = type(self.env["healthcare.billing.engine"])
        with patch.object(engine, "_create_moves", side_effect=ZeroDivisionError("oops")):
            run.action_execute()
        self.assertEqual(run.line_ids.mapped("state"), ["failed"] * 2)
        self.assertIn("oops", run.line_ids[0].message)
        self.assertFalse(run.move_ids)

    def test_row_that_cant_be_posted_isnt_created(self):
        charges = self._charges(2)
        bank = self.env["res.partner.bank"].create(
            {"acc_number": "1", "partner_id": self.company.partner_id.id}
        )
        run = self._plan(charges).save()
        post = type(self.env["account.move"])._post

        def post_all_but_one(self, soft=True):
            if charges[0] in self.invoice_line_ids.charge_id:
                raise UserError(self.env._("Archived bank account"))
            return post(self, soft)

        with patch.object(type(self.env["account.move"]), "_post", post_all_but_one):
            self._engine().execute(run, post=True)
        self.assertTrue(bank)
        self.assertEqual(run.line_ids.mapped("state"), ["failed", "created"])
        self.assertFalse(charges[0].invoice_line_ids)
        self.assertEqual(charges[0].billing_stage, "billing_office")

    def test_archived_journal_fails_with_a_readable_reason(self):
        run = self._plan(self._charges(1)).save()
        self.company_data["default_journal_sale"].active = False
        other = self.env["account.journal"].search(
            [("type", "=", "sale"), ("company_id", "=", self.company.id)]
        )
        self.assertFalse(other)
        self._engine().execute(run)
        self.assertEqual(run.line_ids.state, "skipped")
        self.assertIn("income account", run.line_ids.message.lower())

    # -- undo, cancel ----------------------------------------------------------------------------
    def test_undo_deletes_drafts_and_frees_the_charges(self):
        charges = self._charges()
        run = self._execute(charges)
        moves = run.move_ids
        run.action_undo()
        self.assertFalse(moves.exists())
        self.assertEqual(run.line_ids.mapped("state"), ["undone"] * 3)
        self.assertEqual(set(charges.mapped("billing_stage")), {"billing_office"})
        self.assertEqual(len(self._plan(charges).invoices), 3)

    def test_undo_of_posted_needs_a_manager(self):
        run = self._execute(self._charges(1), post=True)
        biller = self._user("billing_user")
        with self.assertRaisesRegex(UserError, "billing manager"):
            run.with_user(biller).action_undo()

    def test_undo_reverses_what_is_locked_and_dates_it_today(self):
        charges = self._charges(2)
        run = self._execute(charges, post=True, invoice_date=date(2025, 12, 31))
        moves = run.move_ids
        self.company.sale_lock_date = date(2025, 12, 31)
        run.action_undo()
        self.assertEqual(moves.exists(), moves)
        self.assertEqual(set(moves.mapped("payment_state")), {"reversed"})
        self.assertEqual(set(moves.reversal_move_ids.mapped("date")), {self.today})
        self.assertEqual(set(charges.mapped("billing_stage")), {"billing_office"})
        self.assertEqual(charges.mapped("amount_invoiced"), [0.0, 0.0])
        self.assertEqual(len(self._plan(charges).invoices), 2)

    def test_undo_reverses_on_the_first_open_day(self):
        run = self._execute(self._charges(1), post=True)
        move = run.move_ids
        self.company.sale_lock_date = self.today
        run.action_undo()
        self.assertEqual(
            move.reversal_move_ids.date,
            self.today + timedelta(days=1),
        )

    def test_undo_reverses_what_was_sent(self):
        run = self._execute(self._charges(2), post=True)
        sent, unsent = run.move_ids.sorted("name")
        sent.is_move_sent = True
        run.action_undo()
        self.assertEqual(sent.payment_state, "reversed")
        self.assertFalse(unsent.exists())

    def test_undo_leaves_no_gap_in_the_numbers(self):
        run = self._execute(self._charges(1), post=True)
        later = self._execute(self._charges(1), post=True).move_ids
        move = run.move_ids
        run.action_undo()
        self.assertEqual((move.payment_state, later.state), ("reversed", "posted"))

    def test_undo_leaves_what_credit_notes_took_back(self):
        charges = self._charges(2)
        run = self._execute(charges, post=True)
        credited, other = run.move_ids.sorted("name")
        credit = credited._reverse_moves(cancel=True)
        run.action_undo()
        self.assertEqual(run.line_ids.mapped("state"), ["undone"] * 2)
        self.assertIn(credit.name, " ".join(run.line_ids.filtered("message").mapped("message")))
        self.assertEqual(credited.reversal_move_ids, credit, "not credited twice")
        self.assertTrue(credited.exists())
        self.assertEqual(charges.mapped("amount_invoiced"), [0.0, 0.0])
        self.assertFalse(other.exists() and other.state == "posted" and not other.reversal_move_ids)

    def test_undo_with_a_draft_credit_note_is_refused(self):
        run = self._execute(self._charges(1), post=True)
        run.move_ids._reverse_moves()
        with self.assertRaisesRegex(UserError, "credit notes"):
            run.action_undo()

    def test_undo_with_money_is_refused(self):
        run = self._execute(self._charges(1), post=True)
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=run.move_ids.ids
        ).create({})._create_payments()
        with self.assertRaisesRegex(UserError, "reconciled"):
            run.action_undo()

    def test_undo_takes_back_what_isnt_paid(self):
        run = self._execute(self._charges(3), post=True)
        paid = run.line_ids[1].move_id
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=paid.ids
        ).create({})._create_payments()
        run.action_undo()
        self.assertEqual(run.line_ids.mapped("state"), ["undone", "created", "undone"])
        self.assertIn("reconciled", run.line_ids[1].message)

    def test_cancel_drops_a_preview_only(self):
        run = self._plan(self._charges(1)).save()
        run.action_cancel()
        self.assertEqual(run.state, "canceled")
        with self.assertRaisesRegex(UserError, "canceled"):
            self._engine().execute(run)
        done = self._execute(self._charges(1))
        with self.assertRaisesRegex(UserError, "undo"):
            done.action_cancel()

    def test_a_run_that_made_invoices_cant_be_deleted(self):
        run = self._execute(self._charges(1))
        with self.assertRaises(UserError):
            run.unlink()

    def test_the_run_remembers_a_deleted_draft(self):
        charges = self._charges(1)
        run = self._execute(charges)
        run.move_ids.unlink()
        self.assertEqual(run.line_ids.state, "deleted")
        self.assertTrue(run.line_ids.billing_ref)
        self.assertEqual(charges.billing_stage, "billing_office")

    def test_search_again_keeps_the_selection(self):
        client = self._client("Anna")
        parked = self._charge(client, parked=True)
        self._charge(self._client("Ben"))
        wizard = self.env["healthcare.batch.invoicing"].create(
            {"date_from": "2025-03-01", "date_to": "2025-03-31"}
        )
        run = self.env["healthcare.billing.run"].browse(wizard.action_search()["res_id"])
        ben = run.line_ids
        self.assertEqual(ben.partner_id.name, "Ben")
        ben.selected = False
        parked.appointment_id.parked = False
        run.action_search_again()
        self.assertEqual(
            {line.partner_id.name: line.selected for line in run.line_ids},
            {"Anna": True, "Ben": False},
        )
        self.assertFalse(run.exclusion_ids)

    # -- growth ----------------------------------------------------------------------------------
    def test_queries_per_invoice_dont_grow(self):
        """N and 2N invoices within one chunk: creation asks the database nothing per invoice."""

        def run_of(number):
            charges = self._charges(number)
            run = self._plan(charges).save()
            self.env.flush_all()
            self.env.invalidate_all()
            return run

        engine = self._engine()
        engine.execute(run_of(2))
        counts = []
        for number in (10, 20):
            run = run_of(number)
            before = self.env.cr.sql_log_count
            engine.execute(run)
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 3, counts)

    # -- the record -------------------------------------------------------------------------------
    def test_a_run_is_no_users_to_write(self):
        run = self._execute(self._charges(1)).with_user(self._user("billing_user"))
        for record, values in (
            (run, {"state": "draft"}),
            (run, {"invoice_date": "2025-01-01"}),
            (run.line_ids, {"state": "planned"}),
            (run.line_ids, {"amount": 1.0}),
            (run.line_ids, {"selected": False}),
        ):
            with self.subTest(values), self.assertRaises(AccessError):
                record.write(values)
        with self.assertRaises(AccessError):
            run.line_ids.unlink()
        with self.assertRaises(UserError):
            run.unlink()

    def test_a_billing_user_does_all_of_it(self):
        charges = self._charges(2)
        biller = self._user("billing_user")
        engine = self.env["healthcare.billing.engine"].with_user(biller)
        run = engine.plan(charges.with_user(biller)).save()
        run.line_ids[0].selected = False
        run.action_execute()
        self.assertEqual(run.line_ids.mapped("state"), ["planned", "created"])
        self.assertEqual(run.progress, 100.0)
        run.action_undo()
        self.assertEqual(run.line_ids.mapped("state"), ["planned", "undone"])

    def test_search_again_needs_a_search(self):
        run = self._plan(self._charges(1)).save()
        with self.assertRaisesRegex(UserError, "search"):
            run.action_search_again()
        self.assertEqual(len(run.line_ids), 1)

    # -- dates that nobody moves ------------------------------------------------------------------
    def test_tax_lock_date_blocks_taxed_care_only(self):
        taxed = self._service("Taxed", "S9999", 100.0, taxes_id=[Command.set(self.tax_sale_a.ids)])
        charges = self._charge(self._client("T"), product_id=taxed.id) | self._charges(1)
        self.company.tax_lock_date = self.today - timedelta(days=1)
        plan = self._plan(charges, invoice_date=self.today - timedelta(days=2))
        self.assertEqual(plan.blocked, {charges[0].id: ("locked_period",)})
        self.assertEqual(len(plan.invoices), 1)

    def test_post_drafts_moves_no_date(self):
        run = self._execute(self._charges(1), invoice_date=date(2025, 12, 30))
        self.company.sale_lock_date = date(2025, 12, 31)
        run.action_post_drafts()
        self.assertEqual(run.move_ids.date, date(2025, 12, 30))
        self.assertEqual(run.move_ids.state, "draft")
        self.assertIn("locked", run.line_ids.message)

    def test_tax_in_the_price_is_a_block_reason(self):
        tax = self.tax_sale_a.copy({"name": "Included", "price_include_override": "tax_included"})
        service = self._service("Incl", "S9998", 115.0, taxes_id=[Command.set(tax.ids)])
        charge = self._charge(self._client(), product_id=service.id)
        self.assertEqual(self._codes(charge), {"included_tax"})
        tax.price_include_override = "tax_excluded"
        self.assertEqual(self._codes(charge), set())

    def test_correction_of_taxed_care_is_taxed_alike(self):
        taxed = self._service("Taxed", "S9999", 100.0, taxes_id=[Command.set(self.tax_sale_a.ids)])
        charge = self._charge(self._client(), product_id=taxed.id)
        child = self.env["healthcare.charge"].create(
            {"parent_id": charge.id, "kind": "adjustment", "price_unit": -99.99}
        )
        move = self._execute(charge | child, post=True).line_ids.move_id
        self.assertRecordValues(move, [{"amount_untaxed": 0.01, "amount_tax": 0.0}])

    def test_archived_appointments_are_not_billed(self):
        charge = self._charge(self._client())
        charge.appointment_id.active = False
        self.assertEqual(self._codes(charge), {"archived"})

    # -- R7 ---------------------------------------------------------------------------------------
    def test_r7_hidden_means_gone(self):
        client = self._client()
        seen = self._charge(client)
        missed = self._charge(client, hour=11, state="no_show")
        moved = self._charge(client, hour=13, state="late_canceled")
        values = {"date_from": "2025-03-01", "date_to": "2025-03-31"}

        def search(hide):
            wizard = self.env["healthcare.batch.invoicing"].create({**values, "hide_missed": hide})
            return self.env["healthcare.billing.run"].browse(wizard.action_search()["res_id"])

        self.assertEqual(search(False).line_ids.charge_ids, seen | missed | moved)
        run = search(True)
        self.assertEqual((run.line_ids.charge_ids, run.amount_total), (seen, 80.0))
        self.assertFalse(run.exclusion_ids)
        run.action_execute()
        self.assertFalse((missed | moved).invoice_line_ids)
