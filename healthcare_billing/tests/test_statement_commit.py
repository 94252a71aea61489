from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import A_DAY
from .statement_common import StatementCommon


@tagged("post_install", "-at_install")
class TestStatementCommit(StatementCommon):
    """Commit and recommit (R18); a charge is posted once, and told many times (R19)."""

    def test_r18_commit_invoices_and_posts(self):
        charges = self._visits(self.anna)
        statement = self._statement(self.anna)
        statement._commit()
        self.assertEqual(statement.state, "committed")
        self.assertEqual(statement.committed_on, self.today)
        self.assertEqual(self._stages(charges), ["awaiting_payment"] * 2)
        self.assertEqual(statement.move_ids.care_statement_id, statement)
        self.assertEqual(statement.move_ids.state, "posted")
        self.assertEqual(statement.move_ids.amount_total, 160.0)
        self.assertEqual(statement.age, 0)
        self.assertProof()

    def test_r18_commit_is_done_once(self):
        self._visits(self.anna)
        statement = self._statement(self.anna)
        statement.action_commit()
        move = statement.move_ids
        statement.action_commit()
        statement.action_recommit()
        self.assertEqual(statement.move_ids, move)
        self.assertProof()

    def test_r19_overlapping_statements_book_once(self):
        charges = self._visits(self.anna)
        first, second = self._statement(self.anna), self._statement(self.anna)
        (first | second)._commit()
        self.assertEqual(first.move_ids, second.move_ids)
        self.assertEqual(sum(first.move_ids.mapped("amount_total")), 160.0)
        self.assertEqual(charges.mapped("amount_residual"), [80.0, 80.0])
        self.assertProof()

    def test_r18_only_the_addressees_parts(self):
        client = self._insured_client("Ines", copay=20.0)
        charge = self._charge(client)
        statement = self._statement(self.payer)
        statement._commit()
        self.assertEqual(statement.move_ids.amount_total, 60.0)
        self.assertEqual((charge.ledger_client, charge.ledger_payer), (0.0, 60.0))
        stages = {row.responsibility: row.stage for row in self._receivables(charge)}
        self.assertEqual(stages, {"client": "billing_office", "primary": "awaiting_payment"})
        self._statement(client)._commit()
        self.assertEqual((charge.ledger_client, charge.ledger_payer), (20.0, 60.0))
        self.assertProof()

    def test_r18_missing_quotes_are_set_existing_ones_stay(self):
        self.payer.requires_fee_schedule = True
        unpriced = self._charge(self._insured_client("Ines"))
        schedule = self._fee_schedule({self.visit_service: 70.0}, payer=self._payer("Other"))
        statement = self._statement(self.payer, fee_schedule_id=schedule.id)
        statement._commit()
        self.assertEqual((unpriced.amount, unpriced.price_source), (70.0, "fee_schedule"))
        self.assertEqual(unpriced.ledger_payer, 70.0)
        quoted = self._charge(self.anna)
        other = self._statement(self.anna, fee_schedule_id=schedule.id)
        other._commit()
        self.assertEqual(quoted.amount, 80.0)
        self.assertProof()

    def test_r18_override_sets_quotes(self):
        charges = self._visits(self.anna)
        self._execute(charges[0], post=True)
        statement = self._statement(self.anna, statement_type="complete", overrides_quotes=True)
        statement.line_ids[0].price = 60.0
        statement.line_ids[1].price = 65.0
        statement._commit()
        self.assertEqual(charges.mapped("amount"), [80.0, 65.0])
        self.assertEqual(charges[0].child_ids.amount, -20.0)
        self.assertEqual(charges.mapped("ledger_client"), [60.0, 65.0])
        self.assertProof()

    def test_r18_override_corrects_with_the_addressee_of_the_invoice(self):
        """The guarantor who is named later neither owes the correction nor is credited."""
        charges = self._visits(self.anna, 3)
        move = self._execute(charges[:2], post=True).move_ids
        statement = self._statement(self.anna, statement_type="complete", overrides_quotes=True)
        lower, higher, _new = statement.line_ids.sorted("service_date")
        lower.price, higher.price = 60.0, 95.0
        self.anna.billing_account_ids.guarantor_id = self.payer
        statement._commit()
        documents = charges.child_ids.invoice_line_ids.move_id
        self.assertEqual(documents.partner_id, self.anna)
        self.assertEqual(documents.care_statement_id, statement)
        self.assertEqual(charges[:2].client_debtor_id, self.anna)
        self.assertEqual(charges[:2].mapped("ledger_client"), [60.0, 95.0])
        self.assertEqual(move.amount_residual, 140.0)  # the credit is set off against its item
        self.assertEqual(
            documents.filtered(lambda document: document.move_type == "out_refund").payment_state,
            "paid",
        )
        self.assertEqual(statement.exclusion_ids.charge_id, charges[2])  # the guarantor's now
        self.assertProof()

    def test_r18_typed_price_without_override_is_only_told(self):
        charge = self._charge(self.anna)
        statement = self._statement(self.anna)
        statement.line_ids.write({"price": 60.0, "amount_due": 60.0})
        statement._commit()
        self.assertEqual((charge.amount, charge.ledger_client), (80.0, 80.0))
        self.assertEqual((statement.amount_total, statement.amount_due_now), (60.0, 80.0))

    def test_taxes_are_told(self):
        tax = self.company_data["default_tax_sale"].copy({"amount": 10.0, "name": "Ten"})
        self.visit_service.taxes_id = tax
        charge = self._charge(self.anna)
        statement = self._statement(self.anna)
        self.assertEqual(statement.amount_total, 80.0)
        statement._commit()
        self.assertEqual((statement.line_ids.price, statement.amount_total), (88.0, 88.0))
        self.assertEqual(charge.ledger_client, 88.0)
        self.assertProof()

    def _taxed(self, percent):
        tax = self.company_data["default_tax_sale"].copy({"amount": percent, "name": "Taxed"})
        self.visit_service.taxes_id = tax

    def test_r18_added_by_hand_tells_what_is_invoiced(self):
        self._taxed(15.0)
        charges = self._visits(self.anna)
        statement = self._statement(self.anna, load=False)
        line = statement._add_items(self._receivables(charges[0]))
        self.assertEqual((line.by_hand, line.is_typed), (True, False))
        statement._commit()
        self.assertEqual((line.price, line.amount_due, line.balance), (92.0, 92.0, 92.0))
        statement._add_items(self._receivables(charges[1]))  # commits it, too
        self.assertEqual(statement.line_ids.mapped("amount_due"), [92.0, 92.0])
        self.assertEqual((statement.amount_total, statement.amount_due_now), (184.0, 184.0))
        self.assertProof()

    def test_r18_typed_amounts_are_told_as_typed(self):
        self._taxed(15.0)
        charges = self._visits(self.anna, 3)
        statement = self._statement(self.anna)
        statement.line_ids[0].amount_due = 50.0
        statement.line_ids[1].distance = 12.0
        self.assertEqual(statement.line_ids.mapped("by_hand"), [True, True, False])
        self.assertEqual(statement.line_ids.mapped("is_typed"), [True, False, False])
        statement._load_items()
        self.assertEqual(statement.line_ids.mapped("amount_due"), [50.0, 80.0, 80.0])
        statement._commit()
        self.assertEqual(statement.line_ids.mapped("amount_due"), [50.0, 92.0, 92.0])
        self.assertEqual(charges.mapped("ledger_client"), [92.0] * 3)

    def test_r18_typed_amounts_survive_being_left_out(self):
        charges = self._visits(self.anna)
        charges[0].appointment_id.approval_state = "rejected"
        statement = self._statement(self.anna)
        statement.line_ids[0].amount_due = 50.0
        statement._commit()
        self.assertTrue(statement.exclusion_ids.is_typed)
        charges[0].appointment_id.approval_state = "approved"
        statement.action_recommit()
        self.assertEqual(statement.line_ids.mapped("amount_due"), [50.0, 80.0])
        self.assertEqual(statement.line_ids.mapped("is_typed"), [True, False])

    # -- drafts ----------------------------------------------------------------------------------
    def test_r18_drafts_are_detached(self):
        charges = self._visits(self.anna, 3)
        draft = self._execute(charges[:2]).move_ids
        statement = self._statement(
            self.anna, statement_type="custom", with_drafts=True, date_to=A_DAY + timedelta(days=1)
        )
        self.assertEqual(statement.line_ids.charge_id, charges[0])
        statement._commit()
        self.assertEqual(draft.invoice_line_ids.charge_id, charges[1])
        self.assertEqual(draft.amount_total, 80.0)
        self.assertFalse(draft.is_manually_modified)
        self.assertEqual(charges[0].billing_stage, "awaiting_payment")
        self._statement(self.anna, statement_type="custom", with_drafts=True)._commit()
        self.assertFalse(draft.exists())
        self.assertEqual(charges.mapped("ledger_client"), [80.0] * 3)
        self.assertProof()

    def test_r18_draft_changed_by_hand_is_left_out_with_the_reason(self):
        charges = self._visits(self.anna)
        draft = self._execute(charges[0]).move_ids
        draft.invoice_line_ids.filtered("charge_id").name = "Changed"
        draft.is_manually_modified = True
        statement = self._statement(self.anna, statement_type="custom", with_drafts=True)
        self.assertEqual(statement.line_count, 2)
        left = statement._commit()
        self.assertEqual(statement.line_ids.charge_id, charges[1])
        self.assertEqual((left.charge_id, left.kind), (charges[0], "draft"))
        self.assertIn("changed by hand", left.message)
        self.assertTrue(draft.exists())
        draft.unlink()
        statement.action_recommit()
        self.assertFalse(statement.exclusion_ids)
        self.assertEqual(statement.line_ids.charge_id, charges)
        self.assertEqual(charges.mapped("ledger_client"), [80.0, 80.0])
        self.assertProof()

    # -- left out --------------------------------------------------------------------------------
    def test_r18_posted_to_another_party_is_left_out(self):
        charges = self._visits(self.anna)
        statement = self._statement(self.anna)
        daughter = self.env["res.partner"].create({"name": "Daughter"})
        self.anna.billing_account_ids.guarantor_id = daughter
        move = self._execute(charges[0], post=True).move_ids
        self.assertEqual(move.partner_id, daughter)
        self.anna.billing_account_ids.guarantor_id = False
        left = statement._commit()
        self.assertEqual((left.charge_id, left.kind), (charges[0], "other_party"))
        self.assertIn("Daughter", left.message)
        self.assertTrue(left.can_mend)
        self.assertEqual(left.action_mend()["res_model"], "healthcare.responsibility.transfer")
        self.assertEqual(statement.line_ids.charge_id, charges[1])
        self.assertEqual(charges.mapped("ledger_client"), [80.0, 80.0])
        self.assertProof()

    def test_blocked_items_are_told_with_what_mends_them(self):
        charges = self._visits(self.anna)
        charges[0].appointment_id.approval_state = "rejected"
        statement = self._statement(self.anna)
        left = statement._commit()
        self.assertEqual(statement.line_ids.charge_id, charges[1])
        self.assertEqual((left.kind, left.reason_id.code), ("blocked", "rejected"))
        self.assertEqual(statement.amount_total, 80.0)
        self.assertIn("Left out", "".join(statement.message_ids.mapped("body")))
        charges[0].appointment_id.approval_state = "approved"
        statement.action_recommit()
        self.assertEqual(statement.line_ids.charge_id, charges)
        self.assertProof()

    def test_locked_month_leaves_all_out_and_says_so(self):
        charge = self._charge(self.anna)
        statement = self._statement(self.anna, date=A_DAY)
        self.company.sale_lock_date = A_DAY
        with self.assertRaises(UserError) as error:
            statement._commit()
        self.assertRegex(str(error.exception), "(?s)Nothing of ST.*lock")
        self.assertEqual((statement.state, statement.line_count), ("draft", 1))
        self.assertEqual(charge.ledger_client, 0.0)
        statement.date = self.today
        statement._commit()
        self.assertEqual(charge.ledger_client, 80.0)

    def test_empty_statement_is_not_committed(self):
        statement = self._statement(self._client("Nobody"))
        with self.assertRaisesRegex(UserError, "no items"):
            statement._commit()

    # -- several at once -------------------------------------------------------------------------
    def test_r28_one_that_can_not_be_committed_stops_no_other(self):
        blocked = self._visits(self.anna)
        blocked.appointment_id.approval_state = "rejected"
        bruno = self._patient("Bruno")
        charge = self._charge(bruno)
        bad, good = self._statement(self.anna), self._statement(bruno)
        bad.line_ids[0].amount_due = 50.0
        nothing = self._statement(self._client("Nobody"))
        params = (bad | good | nothing).action_commit()["params"]
        self.assertEqual((bad | good | nothing).mapped("state"), ["draft", "committed", "draft"])
        self.assertEqual(charge.ledger_client, 80.0)
        self.assertEqual(params["type"], "warning")
        self.assertEqual(
            params["message"],
            "Statements committed: 1. Items that await payment: 1. Still drafts, their logs say "
            f"why: {bad.name}, {nothing.name}.",
        )
        # the drafts are what they were, and say why
        self.assertEqual(bad.line_ids.charge_id, blocked)
        self.assertEqual((bad.amount_total, bad.line_ids[0].is_typed), (130.0, True))
        self.assertFalse(bad.exclusion_ids)
        self.assertIn("ejected", "".join(bad.message_ids.mapped("body")))
        self.assertIn("has no items", "".join(nothing.message_ids.mapped("body")))
        blocked.appointment_id.approval_state = "approved"
        self.assertEqual((bad | good).action_commit()["params"]["type"], "success")
        self.assertEqual(blocked.mapped("ledger_client"), [80.0, 80.0])
        self.assertProof()

    def test_notification_tells_what_became_of_the_items(self):
        self.company.healthcare_qa_review = True
        self._charge(self.anna)
        office = self._charge(self.anna, hour=13)
        office.appointment_id.action_qa_done()
        statement = self._statement(self.anna, statement_type="custom", with_qa=True)
        params = statement.action_commit()["params"]
        self.assertEqual(
            params["message"], "Items that await payment: 1. Invoiced when QA is done: 1."
        )
        self.assertEqual((params["type"], params["title"]), ("success", statement.name))
        params = statement.action_commit()["params"]  # it was committed already
        self.assertEqual(
            (params["type"], params["message"]), ("warning", "There was nothing to commit.")
        )

    # -- QA --------------------------------------------------------------------------------------
    def test_r18_qa_items_stay_and_are_booked_as_the_committer(self):
        self.company.healthcare_qa_review = True
        charge = self._charge(self.anna)
        office = self._charge(self.anna, hour=13)
        office.appointment_id.action_qa_done()
        statement = self._statement(self.anna, statement_type="custom", with_qa=True)
        biller = self._user("billing_user")
        statement.with_env(self._act_as(biller))._commit()
        self.assertEqual(statement.committed_by_id, biller)
        self.assertEqual((charge.billing_stage, office.ledger_client), ("qa", 80.0))
        line = statement.line_ids.filtered(lambda line: line.charge_id == charge)
        self.assertTrue(line.waits_for_qa)
        self.assertFalse(statement.needs_recommit)
        self.assertFalse(self.env["healthcare.statement.line"].search(line._reviewed_domain()))
        with self.enter_registry_test_mode():
            charge.appointment_id.action_qa_done()
            self.env.flush_all()
            self.env.ref("healthcare_billing.ir_cron_statement_after_qa").method_direct_trigger()
        self.env.invalidate_all()
        self.assertFalse(line.waits_for_qa)
        self.assertEqual(charge.billing_stage, "awaiting_payment")
        self.assertEqual(charge.invoice_line_ids.move_id.create_uid, biller)
        self.assertEqual(charge.invoice_line_ids.move_id.care_statement_id, statement)
        self.assertProof()

    def test_r18_a_lost_race_ends_its_transaction(self):
        """What the database refuses is rolled back as a whole, and is taken up again soon."""
        self._charge(self.anna)
        statement = self._statement(self.anna)
        cron = self.env.ref("healthcare_billing.ir_cron_statement_after_qa")
        triggers = [("cron_id", "=", cron.id)]
        before = self.env["ir.cron.trigger"].search_count(triggers)
        refused = SerializationFailure("could not serialize access")
        with (
            patch.object(type(statement), "_commit_after_qa", side_effect=refused),
            patch.object(self.env.cr, "rollback") as rollback,
        ):
            statement.line_ids._try_after_qa(statement)
        rollback.assert_called_once_with()
        self.assertEqual(self.env["ir.cron.trigger"].search_count(triggers), before + 1)

    # -- recommit --------------------------------------------------------------------------------
    def test_r18_recommit_when_an_item_fell_back(self):
        charges = self._visits(self.anna)
        statement = self._statement(self.anna)
        statement._commit()
        self.assertFalse(statement.needs_recommit)
        charges[0]._set_returned("client")
        self.assertTrue(statement.needs_recommit)
        found = self.env["healthcare.statement"].search([("needs_recommit", "=", True)])
        self.assertIn(statement, found)
        statement.action_recommit()
        self.assertFalse(statement.needs_recommit)
        self.assertEqual(self._stages(charges), ["awaiting_payment"] * 2)

    def test_r18_recommit_bills_again_what_was_credited(self):
        charges = self._visits(self.anna)
        statement = self._statement(self.anna)
        statement._commit()
        self._credit(statement.move_ids)
        self.assertTrue(statement.needs_recommit)
        statement.action_recommit()
        self.assertEqual(charges.mapped("ledger_client"), [80.0, 80.0])
        self.assertFalse(statement.needs_recommit)
        self.assertProof()

    def test_r18_those_to_recommit_are_found_by_one_query(self):
        """The search finds what the field tells, however many items there are."""
        self.company.healthcare_qa_review = True
        self._charge(self.anna)
        qa = self._statement(self.anna, statement_type="custom", with_qa=True)
        self.company.healthcare_qa_review = False
        awaits, fallen, voided, paid, closed = cases = [
            self._client(name) for name in ("Awaits", "Fallen", "Voided", "Paid", "Closed")
        ]
        charges = {client: self._charge(client) for client in cases}
        own = {client: self._statement(client) for client in cases}
        qa._commit()
        for statement in own.values():
            statement._commit()
        charges[fallen]._set_returned("client")
        self._credit(own[voided].move_ids)
        self._pay(own[paid].move_ids, 80.0)
        own[closed]._close_unpaid()
        all_own = qa.union(*own.values())
        found = all_own.search([("needs_recommit", "=", True), ("id", "in", all_own.ids)])
        self.assertEqual(found, own[fallen] | own[voided])
        self.assertEqual(found, all_own.filtered("needs_recommit"))
        others = all_own.search([("needs_recommit", "=", False), ("id", "in", all_own.ids)])
        self.assertEqual(others, all_own - found)
        self.assertIn(own[awaits], others)
        self.env.flush_all()
        with self.assertQueryCount(1):
            all_own.search([("needs_recommit", "=", True)])

    # -- after the commit --------------------------------------------------------------------------
    def test_added_after_the_commit_is_committed_at_once(self):
        first = self._charge(self.anna)
        statement = self._statement(self.anna)
        statement._commit()
        second = self._charge(self.anna, hour=13)
        second.appointment_id._park()
        lines = statement._add_items(self._receivables(second))
        self.assertEqual(lines.charge_id, second)
        self.assertEqual(second.billing_stage, "awaiting_payment")
        self.assertEqual(statement.amount_total, 160.0)
        self.assertEqual(self._stages(first), ["awaiting_payment"])
        self.assertProof()

    def test_r18_detached_goes_back_unless_held_elsewhere(self):
        charges = self._visits(self.anna)
        first = self._statement(self.anna)
        first._commit()
        second = self._statement(self.anna, statement_type="complete")
        second.line_ids.filtered(lambda line: line.charge_id == charges[1]).action_detach()
        second._commit()
        first._detach(first.line_ids)
        self.assertEqual(self._stages(charges), ["awaiting_payment", "billing_office"])
        self.assertFalse(first.line_ids)
        second._detach(second.line_ids)
        self.assertEqual(self._stages(charges), ["billing_office", "billing_office"])
        self.assertProof()

    def test_items_of_committed_statements_are_not_made_by_hand(self):
        charge = self._charge(self.anna)
        statement = self._statement(self.anna)
        statement._commit()
        other = self._charge(self.anna, hour=13)
        with self.assertRaisesRegex(UserError, "Add Items"):
            self.env["healthcare.statement.line"].create(
                {
                    "statement_id": statement.id,
                    "charge_id": other.id,
                    "responsibility": "client",
                }
            )
        with self.assertRaisesRegex(UserError, "Detach"):
            statement.line_ids.unlink()
        with self.assertRaisesRegex(UserError, "one by one"):
            statement._load_items()
        self.assertEqual(statement.line_ids.charge_id, charge)
