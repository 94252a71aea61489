from decimal import ROUND_HALF_UP, Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2.errors import CheckViolation, UniqueViolation

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import A_DAY
from .expense_common import ExpenseCommon

FORM = "healthcare_billing.healthcare_charge_view_form_expense"
SOME = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
)


@tagged("post_install", "-at_install")
class TestTypedExpenses(ExpenseCommon):
    """Expenses that somebody types: cost, markup, price, and what the client reads."""

    def test_form_needs_only_client_description_and_cost(self):
        self.company.healthcare_expense_markup = 10.0
        account = self._matter(work=())
        charges = self.env["healthcare.charge"].with_context(default_kind="expense")
        with Form(charges, view=FORM) as form:
            form.client_id = account.client_id
            self.assertEqual(form.billing_account_id, account)
            form.description = "Parking at the hospital"
            form.expense_cost = 12.35
            self.assertEqual(form.price_unit, 13.585)
        expense = form.record
        self.assertEqual((expense.kind, expense.amount), ("expense", 13.59))
        self.assertEqual(expense.product_id, self.company.healthcare_expense_product_id)
        self.assertEqual(expense.price_reason, "Cost and 10% markup")
        self.assertEqual(expense.display_name, "Parking at the hospital")

    def test_a_typed_price_says_its_markup_and_stays(self):
        account = self._matter(work=())
        charges = self.env["healthcare.charge"].with_context(
            default_kind="expense", default_billing_account_id=account.id
        )
        with Form(charges, view=FORM) as form:
            form.description = "Taxi"
            form.expense_cost = 30.0
            form.price_unit = 40.0
            self.assertAlmostEqual(form.expense_markup, 100 / 3)
            self.assertEqual(form.price_unit, 40.0)
        self.assertEqual(form.record.amount, 40.0)

    def test_markup_of_account_before_that_of_company_zero_included(self):
        self.company.healthcare_expense_markup = 10.0
        account = self._matter(work=())
        self.assertEqual(self._expense(account, expense_cost=50.0).amount, 55.0)
        account.expense_markup = 0.0
        self.assertTrue(account.has_expense_markup, "0 is a markup")
        self.assertEqual(self._expense(account, expense_cost=50.0).amount, 50.0)
        account.expense_markup = 25.0
        self.assertEqual(self._expense(account, expense_cost=50.0).amount, 62.5)

    def test_another_cost_gives_another_price(self):
        account = self._matter(work=())
        expense = self._expense(account, expense_cost=50.0, expense_markup=20.0, quantity=2.0)
        self.assertEqual(expense.amount, 120.0)
        expense.expense_cost = 10.0
        self.assertEqual(expense.amount, 24.0)
        expense.write({"expense_cost": 20.0, "price_unit": 21.0})
        self.assertEqual(expense.amount, 42.0)

    @SOME
    @given(
        cost=st.integers(0, 10**7).map(lambda n: n / 100),
        markup=st.integers(0, 20000).map(lambda n: n / 100),
    )
    def test_markup_is_rounded_half_up(self, cost, markup):
        """Like the paper and pencil of who checks a bill."""
        exact = Decimal(str(cost)) * (1 + Decimal(str(markup)) / 100)
        price = self.env["healthcare.charge"]._expense_price(cost, markup)
        self.assertEqual(
            Decimal(str(price)).quantize(Decimal("0.0001")),
            exact.quantize(Decimal("0.0001"), ROUND_HALF_UP),
        )

    def test_without_a_service_for_expenses_it_says_what_to_do(self):
        self.company.healthcare_expense_product_id = False
        account = self._matter(work=())
        with self.assertRaisesRegex(UserError, "Expense Service"):
            self._expense(account, expense_cost=1.0)
        self.assertTrue(self._expense(account, expense_cost=1.0, product_id=self.service.id))

    def test_markup_is_never_negative(self):
        account = self._matter(work=())
        with mute_logger("odoo.sql_db"), self.assertRaises(CheckViolation):
            account.expense_markup = -1.0
            self.env.flush_all()

    def test_an_expense_on_a_bill_is_frozen(self):
        account = self._matter(work=())
        expense = self._expense(account, expense_cost=10.0, description="Taxi")
        self._bill(self._mass_run(), account).action_post()
        for vals in ({"description": "Bus"}, {"expense_cost": 5.0}, {"expense_markup": 5.0}):
            with self.assertRaisesRegex(UserError, "can't change any more"):
                expense.write(vals)


@tagged("post_install", "-at_install")
class TestExpensesOnBills(ExpenseCommon):
    """Expenses are billed with the time, through every door, in their own words."""

    def test_r24_billed_with_the_time(self):
        account = self._matter(work=(100.0,))
        self._expense(account, expense_cost=20.0, expense_markup=10.0, description="Interpreter")
        row = self._row(self._mass_run(), account)
        self.assertEqual((row.amount_time, row.amount_expense, row.amount), (100.0, 22.0, 122.0))
        bill = self._bill(row.run_id, account)
        self.assertEqual(bill.amount_untaxed, 122.0)
        line = bill.invoice_line_ids.filtered(lambda line: line.charge_id.kind == "expense")
        self.assertEqual(line.name, "Interpreter - 03/03/2025")
        bill.action_post()
        self.assertEqual(line.charge_id.billing_stage, "awaiting_payment")

    def test_r24_a_quote_covers_expenses_unless_they_are_on_top(self):
        inside = self._matter("Inside", billing_basis="quote", quote_amount=150.0)
        on_top = self._matter(
            "On top", billing_basis="quote", quote_amount=150.0, expenses_on_top=True
        )
        for account in inside | on_top:
            self._expense(account, expense_cost=20.0, description="Taxi")
        run = self._mass_run()
        self.assertEqual(self._row(run, inside).amount, 150.0)
        self.assertEqual(self._row(run, on_top).amount, 170.0)

    def test_the_printed_bill_shows_description_and_date(self):
        account = self._matter(work=())
        self._expense(account, expense_cost=20.0, description="Parking at the hospital")
        bill = self._bill(self._mass_run(), account)
        html, _type = self.env["ir.actions.report"]._render_qweb_html(
            "account.account_invoices", bill.ids
        )
        text = html.decode()
        self.assertIn("Parking at the hospital", text)
        self.assertIn("03/03/2025", text)
        self.assertNotIn("20.00 cost", text)

    def test_batch_and_ad_hoc_invoices_take_them(self):
        """R16 keeps premiums of the client off ad hoc invoices, not expenses."""
        account = self._matter(work=())
        expense = self._expense(account, expense_cost=20.0, description="Taxi")
        for door in ("batch", "adhoc", "cycle", "manual", "mass"):
            self.assertFalse(self._codes(expense, door=door), door)
        wizard = self.env["healthcare.batch.invoicing"].create(
            {
                "client_ids": [Command.set(account.client_id.ids)],
                "date_from": False,
                "date_to": False,
            }
        )
        action = wizard.action_search()
        run = self.env["healthcare.billing.run"].browse(action["res_id"])
        self.assertEqual(run.line_ids.charge_ids, expense)
        run.action_execute()
        self.assertEqual(run.line_ids.move_id.amount_untaxed, 20.0)

    def test_ad_hoc_dialog_finds_them(self):
        account = self._matter(work=())
        expense = self._expense(account, expense_cost=20.0, description="Taxi")
        wizard = self.env["healthcare.adhoc.invoice"].create({"client_id": account.client_id.id})
        run = self.env["healthcare.billing.run"].browse(wizard.action_search()["res_id"])
        self.assertEqual(run.line_ids.charge_ids, expense)

    def test_the_payer_owes_expenses_of_its_accounts(self):
        client = self._insured_client()
        expense = self._expense(client.billing_account_ids, expense_cost=20.0)
        self.assertEqual((expense.amount_payer, expense.payer_id), (20.0, self.payer))


@tagged("post_install", "-at_install")
class TestVendorExpenses(ExpenseCommon):
    """Expenses that are taken from vendor bills, each line once."""

    def test_lines_become_expenses_with_markup(self):
        self.company.healthcare_expense_markup = 10.0
        account = self._matter(work=())
        bill = self._vendor_bill(100.0, 33.33, 7.0)
        dialog = self._dialog(bill)
        dialog.line_ids[:2].billing_account_id = account
        self.assertEqual(dialog.line_ids.mapped("price"), [110.0, 36.66, 7.0])
        self.assertEqual(dialog.amount, 146.66)
        action = dialog.action_bill()
        charges = self.env["healthcare.charge"].search(action["domain"], order="id")
        self.assertEqual(charges.mapped("amount"), [110.0, 36.66])
        self.assertEqual(charges.mapped("expense_cost"), [100.0, 33.33])
        self.assertEqual(charges.vendor_line_id, bill.invoice_line_ids[:2])
        self.assertEqual(set(charges.mapped("service_date")), {A_DAY})
        self.assertEqual(charges[0].description, "Interpreter 1")
        self.assertEqual(bill.client_expense_count, 2)

    @SOME
    @given(
        cost=st.integers(1, 10**6).map(lambda n: n / 100),
        markup=st.integers(0, 10000).map(lambda n: n / 100),
    )
    def test_markup_on_a_line_is_rounded_once(self, cost, markup):
        line = self.env["healthcare.expense.bill.line"].new(
            {"vendor_line_id": self._any_line().id, "cost": cost, "markup": markup}
        )
        exact = Decimal(str(cost)) * (1 + Decimal(str(markup)) / 100)
        self.assertEqual(
            Decimal(str(line.price)).quantize(Decimal("0.01")),
            exact.quantize(Decimal("0.01"), ROUND_HALF_UP),
        )

    def _any_line(self):
        if not hasattr(self, "_line"):
            self._line = self._vendor_bill(1.0).invoice_line_ids
        return self._line

    def test_each_line_once(self):
        account = self._matter(work=())
        bill = self._vendor_bill(100.0)
        first, second = self._dialog(bill), self._dialog(bill)
        (first | second).line_ids.billing_account_id = account
        first.action_bill()
        second.invalidate_recordset()
        self.assertTrue(second.line_ids.is_taken)
        with self.assertRaisesRegex(UserError, "at least one line"):
            second.action_bill()
        vals = second.line_ids._prepare_expense()
        with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation):
            self.env["healthcare.charge"]._take_vendor_lines([vals])

    def test_a_deleted_expense_frees_its_line(self):
        account = self._matter(work=())
        bill = self._vendor_bill(100.0)
        self._bill_to(bill, account).unlink()
        self.assertTrue(self._bill_to(bill, account))

    def test_cost_with_tax_that_is_not_recovered(self):
        account = self._matter(work=())
        tax = self.env["account.tax"].create(
            {"name": "10 %", "amount": 10.0, "type_tax_use": "purchase"}
        )
        dialog = self._dialog(self._vendor_bill(80.0, taxes=tax))
        self.assertEqual(dialog.line_ids.cost, 80.0)
        with Form(dialog) as form:
            form.billing_account_id = account
            form.with_tax = True
        self.assertEqual((dialog.line_ids.cost, dialog.line_ids.price), (88.0, 88.0))
        self.assertEqual(dialog.line_ids.billing_account_id, account)

    def test_costs_in_another_currency_are_those_of_the_ledger(self):
        currency = self.setup_other_currency("EUR", rates=[("2025-01-01", 2.0)])
        account = self._matter(work=())
        tax = self.env["account.tax"].create(
            {"name": "10 %", "amount": 10.0, "type_tax_use": "purchase"}
        )
        bill = self._vendor_bill(100.0, currency_id=currency.id, taxes=tax)
        dialog = self._dialog(bill)
        self.assertTrue(dialog.is_foreign)
        self.assertEqual(dialog.line_ids.cost, bill.invoice_line_ids.balance)
        self.assertEqual(dialog.line_ids.cost, 50.0)
        dialog.line_ids.with_tax = True
        self.assertEqual(dialog.line_ids.cost, 55.0)
        dialog.line_ids.billing_account_id = account
        charge = self.env["healthcare.charge"].search(dialog.action_bill()["domain"])
        self.assertEqual((charge.currency_id, charge.amount), (account.currency_id, 55.0))

    def test_a_credit_of_the_vendor_is_given_on(self):
        account = self._matter(work=(100.0,))
        refund = self._vendor_bill(30.0, move_type="in_refund")
        charge = self._bill_to(refund, account)
        self.assertEqual((charge.expense_cost, charge.amount), (-30.0, -30.0))
        self.assertEqual(self._bill(self._mass_run(), account).amount_untaxed, 70.0)

    def test_only_posted_vendor_bills(self):
        with self.assertRaisesRegex(UserError, "posted vendor bills"):
            self._vendor_bill(1.0, post=False).action_bill_to_clients()
        invoice = self.init_invoice("out_invoice", amounts=[5.0], post=True)
        with self.assertRaisesRegex(UserError, "posted vendor bills"):
            invoice.action_bill_to_clients()
        self.assertFalse(invoice.can_bill_to_clients)

    def test_nobody_types_which_line_it_was(self):
        account = self._matter(work=())
        line = self._vendor_bill(1.0).invoice_line_ids
        expense = self._expense(account, expense_cost=1.0, vendor_line_id=line.id)
        expense.write({"vendor_line_id": line.id, "vendor_amount": 5.0})
        self.assertFalse(expense.vendor_line_id)

    # -- what becomes of the vendor bill ---------------------------------------------------------
    def test_unbilled_of_a_vendor_bill_that_is_taken_back(self):
        account = self._matter(work=(100.0,))
        bill = self._vendor_bill(40.0)
        charge = self._bill_to(bill, account)
        self.assertFalse(self._codes(charge, door="mass"))
        bill.button_draft()
        self.assertEqual(self._codes(charge, door="mass"), {"vendor_bill_changed"})
        self.assertEqual(self._row(self._mass_run(), account).amount, 100.0)
        bill.action_post()
        self.assertFalse(self._codes(charge, door="mass"))
        bill.button_draft()
        bill.invoice_line_ids.price_unit = 45.0
        bill.action_post()
        self.assertEqual(self._codes(charge, door="mass"), {"vendor_bill_changed"})
        with self.assertRaisesRegex(UserError, "Delete the expense first"):
            bill.button_draft()
            bill.invoice_line_ids.unlink()

    def test_unbilled_of_a_vendor_bill_that_is_reversed(self):
        account = self._matter(work=())
        bill = self._vendor_bill(40.0)
        charge = self._bill_to(bill, account)
        bill._reverse_moves([{"invoice_date": A_DAY, "date": A_DAY}], cancel=True)
        self.assertEqual(self._codes(charge, door="mass"), {"vendor_bill_changed"})

    def test_unbilled_of_a_paid_vendor_bill_that_is_credited(self):
        account = self._matter(work=())
        bill = self._vendor_bill(40.0, 60.0)
        charge = self._bill_to(bill, account)[0]
        pay = self.env["account.payment.register"]
        pay = pay.with_context(active_model="account.move", active_ids=bill.ids)
        pay.create({"payment_date": A_DAY})._create_payments()
        self.assertIn(bill.payment_state, ("paid", "in_payment"))
        part = bill._reverse_moves([{"invoice_date": A_DAY, "date": A_DAY}])
        part.invoice_line_ids[1].unlink()
        part.action_post()
        self.assertFalse(self._codes(charge, door="mass"), "a credit of a part")
        rest = bill._reverse_moves([{"invoice_date": A_DAY, "date": A_DAY}])
        rest.invoice_line_ids[0].unlink()
        self.assertFalse(self._codes(charge, door="mass"), "the other credit is a draft")
        rest.action_post()
        self.assertIn(bill.payment_state, ("paid", "in_payment"))
        self.assertEqual(self._codes(charge, door="mass"), {"vendor_bill_changed"})

    def test_billed_of_a_vendor_bill_that_is_taken_back_is_told(self):
        account = self._matter(work=())
        bill = self._vendor_bill(40.0)
        self._bill_to(bill, account)
        invoice = self._bill(self._mass_run(), account)
        invoice.action_post()
        self.assertEqual(
            bill.invoice_line_ids.client_expense_note, f"{account.client_id.name}: {invoice.name}"
        )
        bill.button_draft()
        self.assertIn(invoice.name, bill.message_ids[0].body)
        self.assertIn("taken back", invoice.message_ids[0].body)
        self.assertEqual(invoice.state, "posted")

    def test_lines_say_what_became_of_them(self):
        account = self._matter("Bea", work=())
        bill = self._vendor_bill(40.0, 50.0)
        dialog = self._dialog(bill)
        dialog.line_ids[0].billing_account_id = account
        dialog.action_bill()
        notes = bill.invoice_line_ids.mapped("client_expense_note")
        self.assertEqual(notes, ["Bea: not billed yet", False])
        self.assertEqual(self._dialog(bill).line_ids[0].taken_note, "Bea: not billed yet")

    # -- rights ----------------------------------------------------------------------------------
    def test_rights(self):
        account = self._matter(work=())
        bill = self._vendor_bill(40.0)
        users = self._users("coordinator", "billing_user", "accountant")
        for kind in ("coordinator", "accountant"):
            with self.assertRaises(AccessError):
                self._act_as(users[kind])["healthcare.expense.bill"].create({"move_id": bill.id})
        self.assertFalse(bill.with_env(self._act_as(users["accountant"])).can_bill_to_clients)
        env = self._act_as(users["billing_user"])
        self.assertTrue(bill.with_env(env).can_bill_to_clients)
        dialog = self._dialog(bill, env)
        dialog.line_ids.billing_account_id = account.id
        charge = env["healthcare.charge"].search(dialog.action_bill()["domain"])
        self.assertEqual((charge.amount, charge.create_uid), (40.0, users["billing_user"]))
        # who keeps the books sees for whom it was, and takes the bill back without care rights
        accountant = bill.with_env(self._act_as(users["accountant"]))
        self.assertIn("not billed yet", accountant.invoice_line_ids.client_expense_note)
        accountant.button_draft()
        self.assertEqual(bill.state, "draft")

    def test_a_coordinator_types_expenses(self):
        account = self._matter(work=())
        env = self._act_as(self._user("coordinator"))
        charges = env["healthcare.charge"].with_context(default_kind="expense")
        with Form(charges, view=FORM) as form:
            form.client_id = account.client_id.with_env(env)
            form.description = "Taxi"
            form.expense_cost = 9.0
        self.assertEqual(form.record.amount, 9.0)

    def test_multi_company(self):
        account = self._matter(work=())
        other = self.setup_other_company()["company"]
        bill = self._vendor_bill(1.0)
        foreign = self._client("Foreign").billing_account_ids.copy({"company_id": other.id})
        with self.assertRaises(UserError):
            self._bill_to(bill, foreign)
        self.assertTrue(self._bill_to(bill, account))

    def test_mass_billing_off_hides_the_button(self):
        bill = self._vendor_bill(1.0)
        user = self._user("billing_user")
        self.env.ref("base.group_user").implied_ids -= self.env.ref(
            "healthcare_billing.group_use_mass_billing"
        )
        self.assertFalse(bill.with_env(self._act_as(user)).can_bill_to_clients)
