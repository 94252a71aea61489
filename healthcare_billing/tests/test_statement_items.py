from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from ..models.healthcare_charge_adjudication import Adjudication
from .common import A_DAY
from .statement_common import StatementCommon


@tagged("post_install", "-at_install")
class TestStatementItems(StatementCommon):
    """What statements take in (R17), and how items come on them and leave them."""

    # -- types -----------------------------------------------------------------------------------
    def test_r17_differential_takes_what_is_at_the_billing_office(self):
        office = self._charge(self.anna)
        posted = self._charge(self.anna, hour=11)
        self._execute(posted, post=True)
        draft = self._charge(self.anna, hour=13)
        self._execute(draft)
        self._charge(self.anna, hour=15, state="scheduled")
        back = self._charge(self.anna, hour=17)
        self._execute(back, post=True)
        back._set_returned("client")
        statement = self._statement(self.anna)
        self.assertEqual(statement.line_ids.charge_id, office | back)
        self.assertEqual(statement.amount_total, 160.0)
        self.assertEqual(statement.addressee_type, "client")

    def test_r17_differential_takes_in_credits_once(self):
        """What is owed to the client is told on the next statement, and not on every one."""
        charges = self._visits(self.anna)
        move = self._execute(charges, post=True).move_ids
        self._pay(move, 160.0)
        credit = self._credit(move, charges[0], 30.0)
        self.assertEqual(credit.amount_residual, 30.0)
        statement = self._statement(self.anna)
        self.assertEqual(statement.line_ids.mapped("amount_due"), [-30.0])
        statement._commit()
        self.assertFalse(self._statement(self.anna).line_ids)
        self.assertProof()

    def test_r17_complete_takes_a_range_of_any_stage(self):
        charges = self._visits(self.anna, 3)
        self._execute(charges[1], post=True)
        statement = self._statement(
            self.anna,
            statement_type="complete",
            date_from=A_DAY,
            date_to=A_DAY + timedelta(days=2),
        )
        self.assertEqual(statement.line_ids.charge_id, charges[:2])
        self._pay(charges[1].invoice_line_ids.move_id, 80.0)
        statement._load_items()
        self.assertEqual(statement.line_ids.charge_id, charges[0])

    def test_r17_collections_by_statements_and_days(self):
        self.company.write({"healthcare_collections_count": 2, "healthcare_collections_days": 0})
        charge = self._charge(self.anna)
        for count in (1, 2):
            self.assertFalse(self._statement(self.anna, statement_type="collections").line_ids)
            statement = self._statement(self.anna)
            statement._commit()
            statement.sudo().state = "unpaid"
            statement.line_ids._release("returned")
            self.assertEqual(charge.statement_count, count)
        collections = self._statement(self.anna, statement_type="collections")
        self.assertEqual(collections.line_ids.charge_id, charge)
        self.company.write({"healthcare_collections_count": 9, "healthcare_collections_days": 30})
        collections._load_items()
        self.assertEqual(collections.line_ids.charge_id, charge)  # owed since 2025

    def test_r17_collections_only_of_what_was_told(self):
        self.company.write({"healthcare_collections_count": 0, "healthcare_collections_days": 1})
        charge = self._charge(self.anna)
        self._execute(charge, post=True)
        self.assertFalse(self._statement(self.anna, statement_type="collections").line_ids)

    def test_r17_custom_takes_chosen_stages(self):
        self.company.healthcare_qa_review = True
        in_qa = self._charge(self.anna)
        self.company.healthcare_qa_review = False
        office = self._charge(self.anna, hour=11)
        posted = self._charge(self.anna, hour=13)
        self._execute(posted, post=True)
        self.company.healthcare_qa_review = True
        in_qa._compute_billing()
        self.assertEqual(in_qa.billing_stage, "qa")
        self.assertEqual(self._statement(self.anna).line_ids.charge_id, office)
        custom = self._statement(
            self.anna, statement_type="custom", with_qa=True, with_awaiting_payment=False
        )
        self.assertEqual(custom.line_ids.charge_id, in_qa | office)

    def test_r9_parked_is_never_picked_and_may_be_added(self):
        charge = self._charge(self.anna)
        charge.appointment_id._park()
        statement = self._statement(self.anna)
        self.assertFalse(statement.line_ids)
        statement._add_items(self._receivables(charge))
        self.assertEqual(statement.line_ids.charge_id, charge)
        statement._load_items()
        self.assertEqual(statement.line_ids.charge_id, charge, "added by hand: it stays")
        statement._commit()
        self.assertEqual(charge.billing_stage, "awaiting_payment")
        self.assertProof()

    def test_each_party_is_told_its_part(self):
        client = self._insured_client("Ines", copay=20.0)
        charge = self._charge(client)
        own, payers = self._statement(client), self._statement(self.payer)
        self.assertEqual((own.amount_total, payers.amount_total), (20.0, 60.0))
        self.assertEqual(payers.addressee_type, "insurance")
        self.assertEqual((own.line_ids | payers.line_ids).charge_id, charge)

    # -- prices ----------------------------------------------------------------------------------
    def _unpriced(self):
        """Care of a client whose payer has no contract price for it."""
        self.payer.requires_fee_schedule = True
        client = self._insured_client("Ines")
        return client, self._charge(client)

    def test_care_without_a_price_is_counted_and_priced_by_the_fee_schedule(self):
        client, charge = self._unpriced()
        self.assertFalse(charge.is_priced)
        statement = self._statement(self.payer)
        self.assertEqual((statement.line_count, statement.unpriced_count), (0, 1))
        schedule = self._fee_schedule({self.visit_service: 70.0}, payer=self._payer("Other"))
        statement.fee_schedule_id = schedule
        statement._load_items()
        self.assertEqual(statement.line_ids.mapped("price"), [70.0])
        self.assertFalse(charge.is_priced, "quoted when it is committed, not before")
        statement.invalidate_recordset(["unpriced_count"])
        self.assertEqual(statement.unpriced_count, 0)
        self.assertFalse(self._statement(client).unpriced_count, "the payer owes it")

    def test_override_shows_the_prices_of_the_fee_schedule(self):
        charge = self._charge(self.anna)
        schedule = self._fee_schedule({self.visit_service: 70.0}, payer=self._payer("Other"))
        statement = self._statement(self.anna, fee_schedule_id=schedule.id)
        self.assertEqual(statement.amount_total, 80.0, "what is quoted stays")
        statement.overrides_quotes = True
        statement._load_items()
        self.assertEqual(statement.amount_total, 70.0)
        self.assertEqual(charge.amount, 80.0)

    # -- the form ----------------------------------------------------------------------------------
    def test_form_previews_live(self):
        charges = self._visits(self.anna, 3)
        self._execute(charges[0], post=True)
        with Form(self.env["healthcare.statement"]) as form:
            form.partner_id = self.anna
            self.assertEqual(len(form.line_ids), 2)
            form.statement_type = "complete"
            self.assertEqual(len(form.line_ids), 3)
            form.date_to = A_DAY + timedelta(days=2)
            self.assertEqual(len(form.line_ids), 2)
        statement = form.record
        self.assertEqual(statement.line_ids.charge_id, charges[:2])
        self.assertEqual(statement.amount_total, 160.0)
        with Form(statement) as form:
            form.statement_type = "differential"
            form.date_to = False
        self.assertEqual(statement.line_ids.charge_id, charges[1:])

    def test_form_may_be_empty(self):
        with Form(self.env["healthcare.statement"]) as form:
            form.partner_id = self._client("Nobody")
        self.assertFalse(form.record.line_ids)
        self.assertTrue(form.record.name.startswith("ST"))

    def test_form_keeps_what_was_typed(self):
        self._visits(self.anna)
        statement = self._statement(self.anna)
        with Form(statement) as form, form.line_ids.edit(0) as line:
            line.amount_due = 50.0
        self.assertEqual(statement.amount_total, 130.0)
        self.assertIn("50.00", "".join(statement.message_ids.mapped("body")))
        statement._load_items()
        self.assertEqual(statement.amount_total, 130.0)

    # -- adding and taking off -------------------------------------------------------------------
    def test_add_refuses_what_somebody_else_owes(self):
        client = self._insured_client("Ines", copay=20.0)
        charge = self._charge(client)
        statement = self._statement(client)
        with self.assertRaisesRegex(UserError, "Transfer the responsibility"):
            statement._add_items(self._receivables(charge, "primary"))
        with self.assertRaisesRegex(UserError, "owed by"):
            statement.line_ids = [
                Command.create({"charge_id": charge.id, "responsibility": "primary"})
            ]

    def test_add_and_detach_by_the_wizard(self):
        charges = self._visits(self.anna)
        statement = self._statement(self.anna, load=False)
        action = self._receivables(charges).action_add_to_statement()
        wizard = self.env[action["res_model"]].browse(action["res_id"])
        wizard.statement_id = statement
        self.assertEqual(wizard.amount, 160.0)
        wizard.action_add()
        self.assertEqual(statement.line_count, 2)
        self.assertFalse(wizard.known_ids - wizard.receivable_ids)
        statement.line_ids[:1].action_detach()
        self.assertEqual(statement.line_ids.charge_id, charges[1])
        self.assertIn("Taken off", "".join(statement.message_ids.mapped("body")))
        statement._load_items()
        self.assertEqual(statement.line_count, 2)

    def test_wizard_makes_a_statement(self):
        charge = self._charge(self.anna)
        action = self._receivables(charge).action_add_to_statement()
        result = self.env[action["res_model"]].browse(action["res_id"]).action_add()
        statement = self.env["healthcare.statement"].browse(result["res_id"])
        self.assertEqual((statement.partner_id, statement.line_ids.charge_id), (self.anna, charge))

    def test_adding_twice_adds_once(self):
        charge = self._charge(self.anna)
        statement = self._statement(self.anna)
        statement._add_items(self._receivables(charge))
        self.assertEqual(statement.line_count, 1)

    # -- price edits -----------------------------------------------------------------------------
    def _change(self, line, update_quote=True, **vals):
        action = line.action_change_price()
        wizard = self.env[action["res_model"]].browse(action["res_id"])
        wizard.write({"update_quote": update_quote, **vals})
        wizard.action_apply()

    def test_price_of_the_statement_only(self):
        charge = self._charge(self.anna)
        statement = self._statement(self.anna)
        self._change(statement.line_ids, update_quote=False, price=90.0, distance=12.5)
        self.assertEqual((statement.line_ids.price, statement.line_ids.amount_due), (90.0, 80.0))
        self.assertEqual((charge.amount, charge.appointment_id.distance), (80.0, 0.0))
        self.assertEqual(statement.line_ids.distance, 12.5)

    def test_price_updates_the_quote(self):
        charge = self._charge(self.anna)
        statement = self._statement(self.anna)
        self._change(statement.line_ids, price=95.5)
        self.assertEqual((charge.amount, charge.price_source), (95.5, "typed"))
        self.assertEqual(statement.amount_total, 95.5)

    def test_price_of_one_party_leaves_the_other(self):
        client = self._insured_client("Ines", copay=20.0)
        charge = self._charge(client)
        statement = self._statement(self.payer)
        self._change(statement.line_ids, price=50.0)
        self.assertEqual((charge.amount_client, charge.amount_payer), (20.0, 50.0))

    def test_price_dialog_knows_what_is_posted_of_the_party(self):
        client = self._insured_client("Ines", copay=20.0)
        charge = self._charge(client)
        own, payers = self._statement(client), self._statement(self.payer)
        wizards = self.env["healthcare.statement.price"].create(
            [{"line_id": statement.line_ids.id} for statement in (own, payers)]
        )
        self.assertEqual(wizards.mapped("is_posted"), [False, False])
        payers._commit()
        wizards.invalidate_recordset()
        self.assertEqual(wizards.mapped("is_held"), [True, True])
        self.assertEqual(wizards.mapped("is_posted"), [False, True])
        self._change(own.line_ids, price=25.0)
        self.assertEqual((charge.balance_client, charge.ledger_client), (25.0, 0.0))
        own._commit()
        self.assertEqual((own.amount_total, charge.ledger_client), (25.0, 25.0))
        self.assertProof()

    def test_closed_statements_say_so_by_their_number(self):
        self._charge(self.anna)
        statement = self._statement(self.anna)
        statement._commit()
        statement._close_unpaid()
        with self.assertRaisesRegex(UserError, f"{statement.name} is closed"):
            statement.line_ids.price = 70.0

    def test_price_of_what_is_posted_is_corrected(self):
        charge = self._charge(self.anna)
        move = self._execute(charge, post=True).move_ids
        statement = self._statement(self.anna, statement_type="complete")
        self._change(statement.line_ids, price=70.0)
        self.assertEqual(move.amount_total, 80.0)
        self.assertEqual(move.amount_residual, 70.0)
        self.assertEqual((charge.amount, charge.child_ids.amount), (80.0, -10.0))
        self.assertEqual(charge.amount_residual, 70.0)
        self.assertEqual(statement.line_ids.amount_due, 70.0)
        self.assertProof()
        self._change(statement.line_ids, price=75.0)
        self.assertEqual(charge.amount_residual, 75.0)
        self.assertProof()

    def test_price_of_what_is_paid_leaves_a_credit(self):
        charge = self._charge(self.anna)
        move = self._execute(charge, post=True).move_ids
        statement = self._statement(self.anna, statement_type="complete")
        self._pay(move, 80.0)
        self._change(statement.line_ids, price=70.0)
        self.assertEqual(charge.amount_residual, -10.0)
        self.assertProof()

    def test_r18_price_of_what_is_posted_is_corrected_with_its_addressee(self):
        """Whoever is invoiced from now on: the correction goes to whom the care was billed."""
        charges = self._visits(self.anna, 3)
        move = self._execute(charges, post=True).move_ids
        statement = self._statement(self.anna, statement_type="complete")
        self.anna.billing_account_ids.guarantor_id = self.payer
        first, second, third = statement.line_ids.sorted("service_date")
        self._change(first, price=60.0)
        self._change(second, price=95.0)
        documents = charges.child_ids.invoice_line_ids.move_id
        self.assertEqual(documents.partner_id, self.anna)
        self.assertEqual(documents.billing_run_id.mapped("door"), ["adjustment"] * 2)
        self.assertEqual(move.amount_residual, 220.0)
        self.assertEqual(charges.mapped("balance_client"), [60.0, 95.0, 80.0])
        self.assertEqual(charges.client_debtor_id, self.anna)
        self.assertEqual(self._receivables(charges).partner_id, self.anna)
        self.assertEqual((third.price, third.amount_due), (80.0, 80.0))
        self.assertProof()

    def test_r5_debtor_is_whom_the_care_was_billed(self):
        """A correction on somebody else's invoice doesn't say that he owes the care."""
        charge = self._charge(self.anna)
        self._execute(charge, post=True)
        self.anna.billing_account_ids.guarantor_id = self.payer
        child = charge.create({"parent_id": charge.id, "kind": "adjustment", "price_unit": 7.0})
        other = self._execute(child, post=True).move_ids
        self.assertEqual(other.partner_id, self.payer)
        self.assertEqual((charge.client_debtor_id, charge.balance_client), (self.anna, 87.0))

    def test_r4_price_of_what_is_adjudicated_stays(self):
        charge = self._charge(self._insured_client("Ines", copay=20.0))
        self._execute(charge, post=True)
        charge._adjudicate({charge: Adjudication(60.0)})
        statement = self._statement(charge.client_id, statement_type="complete")
        with self.assertRaisesRegex(UserError, "was adjudicated"):
            self._change(statement.line_ids, price=35.0)
        self.assertEqual((charge.amount_residual, charge.allowed_amount), (60.0, 60.0))
        self._change(statement.line_ids, price=35.0, update_quote=False)  # told only
        self.assertEqual(charge.amount_residual, 60.0)
        self.assertProof()

    def test_r4_override_leaves_the_allowed_price(self):
        """Invoiced or not, the fee schedule's price is no quote of what a payer decided."""
        charges = self._visits(self.anna)
        self._execute(charges[0], post=True)
        charges._adjudicate({charge: Adjudication(60.0) for charge in charges})
        schedule = self._fee_schedule({self.visit_service: 70.0}, payer=self._payer("Other"))
        statement = self._statement(
            self.anna,
            statement_type="complete",
            fee_schedule_id=schedule.id,
            overrides_quotes=True,
        )
        self.assertEqual(statement.line_ids.mapped("price"), [60.0, 60.0])
        statement.line_ids.sorted("service_date")[0].price = 75.0
        statement._commit()
        self.assertEqual(charges.mapped("amount_residual"), [60.0, 60.0])
        self.assertEqual(statement.line_ids.charge_id, charges[1])
        self.assertIn("was adjudicated", statement.exclusion_ids.message)
        self.assertProof()

    def test_price_that_no_fee_gives(self):
        charge = self._charge(self.anna)
        charge.quantity = 0.0
        statement = self._statement(self.anna, load=False)
        with self.assertRaisesRegex(UserError, "no fee per unit"):
            charge._quote_item("client", 10.0)
        self.assertTrue(statement)

    # -- ledger ----------------------------------------------------------------------------------
    def test_ledger_balance_is_what_isnt_care(self):
        charge = self._charge(self.anna)
        self._execute(charge, post=True)
        self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.anna.id,
                "invoice_date": A_DAY,
                "invoice_line_ids": [
                    Command.create({"name": "Copies", "price_unit": 5.0, "tax_ids": []})
                ],
            }
        ).action_post()
        payment = self.env["account.payment"].create(
            {
                "partner_id": self.anna.id,
                "amount": 12.0,
                "payment_type": "inbound",
                "partner_type": "customer",
            }
        )
        payment.action_post()
        statement = self._statement(self.anna, statement_type="complete")
        self.assertEqual(statement._ledger_balance(), -7.0)
        self.assertEqual(statement._ledger_balances(), {statement: -7.0})
        self.assertEqual(len(statement._ledger_lines()), 2)
        with Form(statement) as form:
            form.settles_ledger = True
            self.assertEqual(form.ledger_amount, -7.0)
            form.ledger_amount = -5.0
        self.assertEqual(statement.amount_total, 75.0)
        self.assertEqual(charge.amount_residual, 80.0)

    # -- rights ----------------------------------------------------------------------------------
    def test_accountants_read_statements_and_no_charges(self):
        self._visits(self.anna)
        statement = self._statement(self.anna)
        statement._commit()
        draft = self._statement(self.anna)
        env = self._act_as(self._user("accountant"))
        self.assertFalse(env["healthcare.charge"].has_access("read"))
        for record in (statement, draft):
            form = Form(record.with_env(env))
            self.assertEqual(form.amount_total, record.amount_total)
        own = statement.with_env(env)
        self.assertEqual((own.amount_due_now, own.move_count), (160.0, 1))
        self.assertEqual(set(own.line_ids.mapped("stage")), {"awaiting_payment"})
        self.assertFalse(own.needs_recommit)
        with self.assertRaises(AccessError):
            own.action_recommit()

    # -- deleting --------------------------------------------------------------------------------
    def test_what_was_committed_is_never_deleted(self):
        self._visits(self.anna)
        canceled = self._statement(self.anna)
        canceled._commit()
        canceled._close_canceled()
        with self.assertRaisesRegex(UserError, "journal is kept"):
            canceled.unlink()
        draft = self._statement(self.anna)
        draft._close_canceled()
        other = self._statement(self.anna)
        (draft | other).unlink()
        self.assertFalse((draft | other).exists())

    # -- charges and discounts -------------------------------------------------------------------
    def test_form_offers_charges_and_discounts(self):
        charges = self._visits(self.anna)
        env = self._act_as(self._user("billing_user"))
        statement = self._statement(self.anna).with_env(env)
        arch = statement.get_view(view_type="form")["arch"]
        self.assertIn('name="action_add_extra"', arch.partition("</header>")[0])
        wizard = env["healthcare.charge.extra"].browse(statement.action_add_extra()["res_id"])
        self.assertEqual(wizard.line_ids.charge_id, charges)
        self.assertEqual(wizard.statement_id, statement)
        reader = self._act_as(self._user("accountant"))
        arch = statement.with_env(reader).get_view(view_type="form")["arch"]
        self.assertNotIn("action_add_extra", arch)
