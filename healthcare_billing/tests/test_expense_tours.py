from odoo.tests import HttpCase, tagged

from .expense_common import ExpenseCommon


class ExpenseScreenCommon(ExpenseCommon, HttpCase):
    """Two clients, and a vendor bill."""

    suffix = "tour"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("base.group_user").implied_ids |= cls.env.ref(
            "healthcare_billing.group_use_billing_accounts"
        )
        cls.company.healthcare_expense_markup = 10.0
        cls.biller = cls._user("billing_user", tz="America/New_York")
        cls.anna = cls._client("Anna Adams").billing_account_ids
        cls.ben = cls._client("Ben Brown").billing_account_ids

    def _tour(self, path, name, suffix=None):
        name = f"healthcare_billing_{name}_{suffix or self.suffix}"
        self.start_tour(f"/odoo/{path}", name, login=self.biller.login, timeout=180)


@tagged("post_install", "-at_install")
class TestExpenseTours(ExpenseScreenCommon):
    """Expenses, typed and from vendor bills, and billing options: at a desk."""

    def test_expense_typed(self):
        self._tour("care-expenses", "expense")
        expense = self.anna.expense_ids
        self.assertEqual((expense.description, expense.expense_cost), ("Parking", 20.0))
        self.assertEqual(expense.amount, 22.0)

    def test_vendor_bill_to_clients(self):
        bill = self._vendor_bill(100.0, 50.0)
        self._tour(f"account.move/{bill.id}", "vendor_expense")
        self.assertEqual(self.ben.expense_ids.vendor_line_id, bill.invoice_line_ids[0])
        self.assertEqual(self.ben.expense_ids.amount, 110.0)

    def test_billing_options(self):
        self._tour(f"healthcare.billing.account/{self.anna.id}", "options")
        self.assertEqual(self.anna.quote_amount, 400.0)
        self.assertEqual(self.anna.delivery_email, "anna@example.com, office@example.com")
        self.assertEqual(self.anna._expense_markup_percent(), 15.0)


@tagged("post_install", "-at_install")
class TestExpenseToursOnPhone(TestExpenseTours):
    """The same in the hand."""

    browser_size = "390x844"
    touch_enabled = True
    suffix = "phone_tour"


@tagged("post_install", "-at_install")
class TestBulkOptionsTour(ExpenseScreenCommon):
    """Delivery of many clients at once, in the list."""

    def test_bulk_options(self):
        self._tour("action-healthcare_billing.healthcare_billing_account_action", "bulk_options")
        for account in self.anna | self.ben:
            self.assertEqual(account.delivery_email, "clerk@example.com")
