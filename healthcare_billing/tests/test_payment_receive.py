from datetime import timedelta

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import A_DAY
from .test_payment_charge import PaymentCommon


@tagged("post_install", "-at_install")
class TestReceivePayment(PaymentCommon):
    """The dialog: from an appointment, a client, and for a payer's check."""

    def _wizard(self, record):
        """Dialog opened from an appointment or a partner."""
        return self._opened(record.action_receive_payment())

    def _opened(self, action):
        return self.env["healthcare.receive.payment"].browse(action["res_id"])

    def _payment(self, wizard):
        wizard.action_receive()
        return wizard.payment_id

    # -- an appointment ------------------------------------------------------------------------
    def test_appointment_with_a_price_is_invoiced_posted_and_paid(self):
        visit = self._appointment(self.anna)
        other = self._charge(self.anna, hour=14)
        wizard = self._wizard(visit)
        self.assertEqual((wizard.partner_id, wizard.amount), (self.anna, 80.0))
        self.assertEqual(wizard.line_ids.mapped("how"), ["invoice"])
        payment = self._payment(wizard)
        self.assertEqual(payment.amount, 80.0)
        self.assertEqual(visit.charge_ids.billing_stage, "finished")
        self.assertEqual(payment.reconciled_invoice_ids.billing_run_id.door, "payment")
        self.assertEqual(other.billing_stage, "billing_office")
        self.assertProof()

    def test_appointment_with_a_price_paid_in_part(self):
        visit = self._appointment(self.anna)
        wizard = self._wizard(visit)
        with Form(wizard) as form:
            form.amount = 30.0
        self.assertEqual(wizard.line_ids.amount, 30.0)
        self._payment(wizard)
        self.assertEqual(visit.charge_ids.balance_client, 50.0)
        again = self._wizard(visit)
        self.assertEqual((again.amount, again.line_ids.how), (50.0, "invoiced"))
        self._payment(again)
        self.assertEqual(visit.charge_ids.billing_stage, "finished")
        self.assertProof()

    def test_before_care_money_waits_and_names_the_appointment(self):
        visit = self._appointment(self.anna, state="scheduled")
        wizard = self._wizard(visit)
        self.assertEqual((wizard.amount, wizard.line_ids.how), (80.0, "on_account"))
        self.assertTrue(wizard.line_ids.reason)
        with Form(wizard) as form:
            form.amount = 20.0
        payment = self._payment(wizard)
        self.assertEqual(payment.care_unapplied, 20.0)
        self.assertEqual(visit.amount_on_account, 20.0)
        self.assertEqual(self.anna.care_on_account, 20.0)
        self.assertEqual(self._wizard(visit).amount, 60.0)
        visit.state = "completed"
        self._execute(visit, post=True)
        self.assertEqual((payment.care_unapplied, visit.amount_on_account), (0.0, 0.0))
        self.assertEqual(visit.charge_ids.balance_client, 60.0)
        self.assertProof()

    def test_money_on_account_is_shown_where_it_matters(self):
        """On the appointment and the client, to billers, and only while there is some."""
        visit = self._appointment(self.anna, state="scheduled")
        other = self._appointment(self.anna, hour=14, state="scheduled")
        env = self._act_as(self._user("billing_user"))
        shown = Form(visit.with_env(env))
        self.assertTrue(shown._get_modifier("amount_on_account", "invisible"))
        wizard = self._wizard(visit)
        with Form(wizard) as form:
            form.amount = 20.0
        payment = self._payment(wizard)
        shown = Form(visit.with_env(env))
        self.assertFalse(shown._get_modifier("amount_on_account", "invisible"))
        self.assertEqual(shown.amount_on_account, 20.0)
        self.assertEqual(Form(other.with_env(env)).amount_on_account, 0.0)
        client = Form(self.anna.with_env(env))
        self.assertEqual(client.care_on_account, 20.0)
        action = self.anna.with_env(env).action_view_on_account()
        self.assertEqual(self.env["account.payment"].search(action["domain"]), payment)

    def test_without_a_price_any_amount_waits(self):
        unpriced = self._service("Unpriced", "T1002", 0.0, unit_rule="visit")
        self.payer.requires_fee_schedule = True
        client = self._insured_client("Ines")
        visit = self._appointment(client, product_id=unpriced.id)
        self.assertFalse(visit.charge_ids.is_priced)
        wizard = self._wizard(visit)
        self.assertEqual((wizard.amount, wizard.line_ids.how), (0.0, "on_account"))
        wizard.write({"amount": 25.0, "line_ids": [
            Command.update(wizard.line_ids.id, {"amount": 25.0})
        ]})  # fmt: skip
        self._payment(wizard)
        self.assertEqual(visit.amount_on_account, 25.0)
        self.assertProof()

    def test_blocked_care_takes_money_on_account_and_says_why(self):
        self.company.healthcare_requires_signed_note = True
        visit = self._appointment(self.anna)
        wizard = self._wizard(visit)
        self.assertEqual(wizard.line_ids.how, "on_account")
        self.assertIn("ote", wizard.line_ids.reason)
        self._payment(wizard)
        self.assertEqual(visit.amount_on_account, 80.0)
        self.assertEqual(visit.charge_ids.billing_stage, "billing_office")

    def test_care_on_a_draft_is_paid_when_that_is_posted(self):
        visit = self._appointment(self.anna)
        draft = self._execute(visit).move_ids
        wizard = self._wizard(visit)
        self.assertEqual(wizard.line_ids.how, "on_account")
        self.assertIn(draft.billing_ref, wizard.line_ids.reason)
        self._payment(wizard)
        self.assertEqual(draft.state, "draft")
        draft.action_post()
        self.assertEqual(visit.charge_ids.billing_stage, "finished")
        self.assertProof()

    def test_copay_is_the_clients_part_only(self):
        client = self._insured_client("Ines", copay=20.0)
        visit = self._appointment(client)
        wizard = self._wizard(visit)
        self.assertEqual(wizard.line_ids.mapped("responsibility"), ["client"])
        self.assertEqual(wizard.amount, 20.0)
        payment = self._payment(wizard)
        self.assertEqual(payment.reconciled_invoice_ids.amount_total, 20.0)
        charge = visit.charge_ids
        self.assertEqual((charge.balance_client, charge.ledger_payer), (0.0, 0.0))
        self.assertEqual(charge.balance_payer, 60.0)
        self.assertProof()

    def test_parked_care_can_be_paid(self):
        visit = self._appointment(self.anna, parked=True)
        wizard = self._wizard(visit)
        self.assertEqual(wizard.line_ids.how, "invoice")
        self._payment(wizard)
        self.assertEqual(visit.charge_ids.balance_client, 0.0)

    def test_care_that_isnt_billed_is_refused(self):
        visit = self._appointment(self.anna, billable=False)
        with self.assertRaisesRegex(UserError, "nothing to pay"):
            visit.action_receive_payment()

    # -- a client ------------------------------------------------------------------------------
    def test_client_pays_the_oldest_first(self):
        charges, _move = self._three()
        unbilled = self._charge(self.anna, day=A_DAY - timedelta(days=5))
        wizard = self._wizard(self.anna)
        self.assertEqual(len(wizard.line_ids), 4)
        with Form(wizard) as form:
            form.amount = 200.0
        self.assertEqual(wizard.line_ids.mapped("amount"), [80.0, 80.0, 40.0, 0.0])
        self.assertEqual(wizard.remaining, 0.0)
        self._payment(wizard)
        self.assertEqual(unbilled.balance_client, 0.0)
        self.assertEqual(charges.mapped("balance_client"), [0.0, 40.0, 80.0])
        self.assertProof()

    def test_surplus_stays_on_account(self):
        self._three()
        wizard = self._wizard(self.anna)
        with Form(wizard) as form:
            form.amount = 300.0
        self.assertEqual((wizard.shared, wizard.remaining), (240.0, 60.0))
        payment = self._payment(wizard)
        self.assertEqual((payment.amount, payment.care_unapplied), (300.0, 60.0))
        self.assertEqual(self.anna.care_on_account, 60.0)
        found = self.env["account.payment"].search(
            [("pays_care", "=", True), ("is_reconciled", "=", False)]
        )
        self.assertIn(payment, found)
        self.assertProof()

    def test_more_than_received_is_refused(self):
        self._three()
        wizard = self._wizard(self.anna)
        wizard.amount = 240.0
        wizard._share()
        wizard.amount = 100.0
        with self.assertRaisesRegex(UserError, "were received"):
            wizard.action_receive()

    def test_guarantor_pays_what_the_client_owes(self):
        guarantor = self.env["res.partner"].create({"name": "Gail Guarantor"})
        self.anna.billing_account_ids.guarantor_id = guarantor
        charge = self._charge(self.anna)
        self._execute(charge, post=True)
        wizard = self._wizard(self.anna)
        self.assertEqual(wizard.line_ids.charge_id, charge)
        wizard.amount = 80.0
        wizard._share()
        payment = self._payment(wizard)
        self.assertEqual(self._receivables(payment).partner_id, guarantor)
        self.assertEqual(charge.balance_client, 0.0)

    def test_second_click_books_nothing(self):
        self._three()
        wizard = self._wizard(self.anna)
        wizard.amount = 80.0
        wizard._share()
        payment = self._payment(wizard)
        wizard.action_receive()
        self.assertEqual(wizard.payment_id, payment)
        self.assertEqual(self.env["account.payment"].search_count([("is_for_care", "=", True)]), 1)

    def test_second_dialog_finds_it_paid(self):
        charges, _move = self._three()
        first, second = self._wizard(self.anna), self._wizard(self.anna)
        for wizard in (first, second):
            wizard.amount = 80.0
            wizard._share()
        self._payment(first)
        with self.assertRaisesRegex(UserError, "is open"):
            second.action_receive()
        self.assertEqual(charges.mapped("balance_client"), [0.0, 80.0, 80.0])

    # -- a payer's check -----------------------------------------------------------------------
    def test_payers_check_from_the_menu(self):
        clients = [self._insured_client(f"Client {n}", copay=20.0) for n in range(3)]
        charges = self.env["healthcare.charge"].union(*(self._charge(c) for c in clients))
        self._execute(charges[:2], post=True)
        form = Form(self.env["healthcare.receive.payment"])
        form.partner_id = self.payer
        form.amount = 150.0
        form.memo = "Check 4711"
        wizard = form.save()
        wizard.action_load()
        self.assertEqual(wizard.line_ids.mapped("how"), ["invoiced", "invoiced", "invoice"])
        self.assertEqual(wizard.is_open, 180.0)
        self.assertFalse(sum(wizard.line_ids.mapped("amount")))
        wizard.action_share()
        self.assertEqual(wizard.line_ids.mapped("amount"), [60.0, 60.0, 30.0])
        payment = self._payment(wizard)
        self.assertEqual(payment.memo, "Check 4711")
        self.assertEqual(charges.mapped("balance_payer"), [0.0, 0.0, 30.0])
        self.assertEqual(charges.mapped("ledger_client"), [20.0, 20.0, 0.0])
        self.assertProof()

    def test_queries_dont_grow_with_the_items(self):
        counts = []
        for number in (4, 8):
            payer = self._payer(f"Payer {number}")
            clients = [
                self._insured_client(f"Client {number}/{n}", payer=payer) for n in range(number)
            ]
            charges = self.env["healthcare.charge"].union(*(self._charge(c) for c in clients))
            self._execute(charges, post=True)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            wizard = self._opened(payer.action_receive_payment())
            wizard.amount = wizard.is_open
            wizard._share()
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(len(wizard.line_ids), number)
        self.assertLessEqual(counts[1], counts[0] + 4)

    # -- rights --------------------------------------------------------------------------------
    def test_billing_user_receives(self):
        user = self._user("billing_user")
        visit = self._appointment(self.anna)
        env = self._act_as(user)
        wizard = env["healthcare.receive.payment"].browse(
            visit.with_env(env).action_receive_payment()["res_id"]
        )
        wizard.action_receive()
        self.assertEqual(visit.charge_ids.billing_stage, "finished")
        wizard.payment_id.action_cancel_for_care()
        self.assertEqual(visit.charge_ids.billing_stage, "awaiting_payment")
        self.assertProof()
