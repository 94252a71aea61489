from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .statement_common import StatementCommon

POSTING_QUERIES = 4  # per invoice: its number (three), and who follows it


@tagged("post_install", "-at_install")
class TestStatementExpress(StatementCommon):
    """Statements for all addressees at once, through a run with a result per row (R28, R30)."""

    def _express(self, **vals):
        wizard = self.env["healthcare.statement.express"].create(vals)
        return self.env["healthcare.billing.run"].browse(wizard.action_search()["res_id"])

    def _row(self, run, partner):
        return run.line_ids.filtered(lambda line: line.partner_id == partner)

    def test_preview_has_a_row_per_addressee(self):
        client = self._insured_client("Ines", copay=20.0)
        self._charge(client)
        self._visits(self.anna)
        run = self._express()
        self.assertEqual((run.state, run.door), ("draft", "statement"))
        rows = {
            line.partner_id: (line.amount, line.charge_count)
            for line in run.line_ids
            if line.partner_id in self.anna | client | self.payer
        }
        self.assertEqual(rows, {self.anna: (160.0, 2), client: (20.0, 1), self.payer: (60.0, 1)})
        self.assertFalse(self.env["healthcare.statement"].search([("run_id", "=", run.id)]))

    def test_commits_every_statement(self):
        client = self._insured_client("Ines", copay=20.0)
        charge = self._charge(client)
        charges = self._visits(self.anna)
        run = self._express()
        run.action_execute()
        self.assertEqual(run.state, "done")
        self.assertEqual(set(run.line_ids.mapped("state")), {"created"})
        statement = self._row(run, self.anna).statement_id
        self.assertEqual((statement.state, statement.amount_total), ("committed", 160.0))
        self.assertEqual(statement.run_id, run)
        self.assertEqual(statement.move_ids.billing_run_id, run)
        self.assertEqual(self._stages(charges | charge), ["awaiting_payment"] * 4)
        self.assertIn(run.name, "".join(statement.message_ids.mapped("body")))
        self.assertFalse(self._express().line_ids.filtered(lambda l: l.partner_id == self.anna))
        self.assertProof()

    def test_twice_adds_nothing(self):
        self._visits(self.anna)
        run = self._express()
        run.action_execute()
        run.action_execute()
        self.assertEqual(
            len(self.anna.env["healthcare.statement"].search([("partner_id", "=", self.anna.id)])),
            1,
        )

    def test_kinds_minimum_and_cut_off(self):
        facility = self._payer("Hospital", payer_type="facility")
        resident = self._insured_client("Ines", payer=facility)
        self._charge(resident)
        self._visits(self.anna)
        run = self._express(to_clients=False)
        self.assertIn(facility, run.line_ids.partner_id)
        self.assertNotIn(self.anna, run.line_ids.partner_id)
        run = self._express(to_facilities=False, to_insurance=False)
        self.assertNotIn(facility, run.line_ids.partner_id)
        self.assertNotIn(self.anna, self._express(minimum=160.01).line_ids.partner_id)
        self.assertIn(self.anna, self._express(minimum=160.0).line_ids.partner_id)
        day = self.env["healthcare.charge"].search([("client_id", "=", self.anna.id)])[1]
        run = self._express(date_to=day.service_date)
        self.assertEqual(self._row(run, self.anna).amount, 80.0)

    def test_r18_care_without_a_price_is_on_express_statements(self):
        """Committing prices it: so who owes nothing else gets a statement, too."""
        self.payer.requires_fee_schedule = True
        unpriced = self._charge(self._insured_client("Ines"))
        self.assertFalse(unpriced.is_priced)
        self.assertNotIn(self.payer, self._express().line_ids.partner_id)  # nothing prices it
        schedule = self._fee_schedule({self.visit_service: 70.0}, payer=self.payer)
        self.assertTrue(schedule)
        run = self._express()
        row = self._row(run, self.payer)
        self.assertEqual((row.charge_count, row.amount), (1, 70.0))
        self.assertNotIn(self.payer, self._express(to_insurance=False).line_ids.partner_id)
        self.assertNotIn(self.payer, self._express(minimum=70.01).line_ids.partner_id)
        kept = self._charge(self._insured_client("Karl"))
        self.assertTrue(kept.is_priced)
        run = self._express()
        row = self._row(run, self.payer)
        self.assertEqual((row.charge_count, row.amount), (2, 150.0 if kept.amount == 80 else 140.0))
        run.action_execute()
        self.assertEqual(row.state, "created")
        self.assertEqual(row.statement_id.line_ids.charge_id, unpriced | kept)
        self.assertEqual((unpriced.amount, unpriced.ledger_payer), (70.0, 70.0))
        self.assertProof()

    def test_nobody_is_ticked(self):
        with self.assertRaisesRegex(UserError, "kind of addressee"):
            self._express(
                to_clients=False,
                to_insurance=False,
                to_government=False,
                to_facilities=False,
                to_affiliates=False,
                to_others=False,
            )

    def test_credits_only_where_asked_for(self):
        charge = self._charge(self.anna)
        move = self._execute(charge, post=True).move_ids
        self._pay(move, 80.0)
        self._credit(move, charge, 30.0)
        self.assertNotIn(self.anna, self._express().line_ids.partner_id)
        run = self._express(minimum=0.0)
        self.assertEqual(self._row(run, self.anna).amount, -30.0)
        run.action_execute()
        self.assertEqual(self._row(run, self.anna).statement_id.amount_total, -30.0)
        self.assertProof()

    def test_r28_what_can_not_be_committed_stops_nobody(self):
        bad = self._visits(self.anna)
        bad.appointment_id.approval_state = "rejected"
        bruno = self._patient("Bruno")
        self._charge(bruno)
        clara = self._patient("Clara")
        self._charge(clara)
        run = self._express()
        book = type(self.env["healthcare.statement"])._load_items

        def fail_for_clara(statements):
            if clara in statements.partner_id:
                raise UserError(self.env._("No statement for Clara today."))
            return book(statements)

        with patch.object(type(self.env["healthcare.statement"]), "_load_items", fail_for_clara):
            run.action_execute()
        self.assertEqual(self._row(run, bruno).state, "created")
        self.assertEqual(self._row(run, self.anna).state, "skipped")
        self.assertIn("ejected", self._row(run, self.anna).message)
        self.assertEqual(self._row(run, clara).state, "failed")
        self.assertIn("No statement for Clara", self._row(run, clara).message)
        self.assertEqual(run.statement_ids.partner_id & (bruno | clara | self.anna), bruno)
        bad.appointment_id.approval_state = "approved"
        run.action_retry()
        self.assertEqual(set(run.line_ids.mapped("state")), {"created"})
        self.assertProof()

    def test_changed_since_the_preview_is_not_committed(self):
        self._charge(self.anna)
        run = self._express()
        late = self._charge(self.anna, hour=13)
        run.action_execute()
        row = self._row(run, self.anna)
        self.assertEqual(row.state, "skipped")
        self.assertIn("160.00", row.message)
        self.assertFalse(row.statement_id)
        run.action_retry()
        self.assertEqual((row.state, row.statement_id.line_count), ("created", 2))
        self.assertEqual(late.billing_stage, "awaiting_payment")
        self.assertProof()

    def test_r28_undo_cancels_the_statements(self):
        charge = self._charge(self.anna)
        run = self._express()
        run.action_execute()
        statement = self._row(run, self.anna).statement_id
        run.action_undo()
        self.assertEqual(self._row(run, self.anna).state, "undone")
        self.assertEqual(statement.state, "canceled")
        self.assertEqual(charge.ledger_client, 0.0)
        self.assertEqual(self._stages(charge), ["billing_office"])
        self.assertProof()
        biller = self._act_as(self._user("billing_user"))
        with self.assertRaisesRegex(UserError, "manager"):
            run.with_env(biller).action_undo()

    def test_unticked_rows_are_left_alone(self):
        self._charge(self.anna)
        bruno = self._patient("Bruno")
        self._charge(bruno)
        run = self._express()
        self._row(run, bruno).action_deselect()
        run.action_search_again()
        self.assertFalse(self._row(run, bruno).selected)
        run.action_execute()
        self.assertFalse(run.statement_ids.filtered(lambda s: s.partner_id == bruno))
        self.assertTrue(run.statement_ids.filtered(lambda s: s.partner_id == self.anna))

    def test_large_runs_go_to_the_background(self):
        self.company.healthcare_background_rows = 1
        self._charge(self.anna)
        self._charge(self._patient("Bruno"))
        run = self._express()
        biller = self._user("billing_user")
        run.with_env(self._act_as(biller)).action_execute()
        self.assertEqual(run.state, "running")
        with self.enter_registry_test_mode():
            self.env.ref("healthcare_billing.ir_cron_billing_run").method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(run.state, "done")
        statement = self._row(run, self.anna).statement_id
        self.assertEqual(statement.committed_by_id, biller)
        self.assertProof()

    def test_ledger_balance_is_asked_for_too(self):
        self._charge(self.anna)
        self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.anna.id,
                "invoice_date": self.today,
                "invoice_line_ids": [
                    Command.create({"name": "Copies", "price_unit": 5.0, "tax_ids": []})
                ],
            }
        ).action_post()
        run = self._express(settles_ledger=True)
        run.action_execute()
        statement = self._row(run, self.anna).statement_id
        self.assertEqual((statement.ledger_amount, statement.amount_total), (5.0, 85.0))

    # -- growth ----------------------------------------------------------------------------------
    def _queries(self, act):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        act()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def test_queries_do_not_grow_with_addressees(self):
        """Twice the addressees cost no more queries, but for those by which core numbers and posts
        each invoice of its own: four."""
        found, committed = [], []
        for number in (1, 5, 10):  # the first one fills caches
            clients = self.env["res.partner"].create(
                [{"name": f"C{i}", "is_healthcare_client": True} for i in range(number)]
            )
            for client in clients:
                self._visits(client)
            runs = []
            found.append(self._queries(lambda runs=runs: runs.append(self._express())))
            committed.append(self._queries(runs[0].action_execute))
            self.assertEqual(runs[0].created_count, number)
        self.assertLessEqual(found[2], found[1] + 2, found)
        self.assertLessEqual(committed[2], committed[1] + 5 * POSTING_QUERIES + 2, committed)
