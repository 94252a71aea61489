from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import A_DAY
from .mass_common import MassCommon


@tagged("post_install", "-at_install")
class TestRealization(MassCommon):
    """What work was worth, and what agreed fees made of it: the ledger says the same."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        account = cls.company_data["default_account_revenue"].copy(
            {"code": "REAL01", "name": "Differences"}
        )
        fees = account.copy({"code": "REAL02", "name": "Fixed fees"})
        cls.company.healthcare_fee_adjustment_product_id.property_account_income_id = account
        cls.company.healthcare_fixed_fee_product_id.property_account_income_id = fees
        cls.differences, cls.fees = account, fees

    def _post(self, account):
        move = self._bill(self._mass_run(), account)
        move.action_post()
        return move

    def _rows(self, *domain):
        self.env.flush_all()
        return self.env["healthcare.realization"].search(
            [("company_id", "=", self.company.id), *domain]
        )

    def _credit_of(self, account):
        lines = self.env["account.move.line"].search(
            [("account_id", "=", account.id), ("parent_state", "=", "posted")]
        )
        return -sum(lines.mapped("balance"))

    def _assert_is_the_ledger(self):
        rows = self._rows()
        self.assertAlmostEqual(
            sum(rows.mapped("amount_difference")), self._credit_of(self.differences)
        )
        self.assertAlmostEqual(sum(rows.mapped("amount_fee")), self._credit_of(self.fees))
        for row in rows:
            self.assertAlmostEqual(row.amount_gain, row.amount_agreed - row.amount_recorded)

    def test_a_quote_below_the_work(self):
        account = self._matter(work=(100.0, 50.0), billing_basis="quote", quote_amount=100.0)
        move = self._post(account)
        rows = self._rows()
        self.assertEqual(rows.move_id, move)
        self.assertEqual(sorted(rows.mapped("amount_recorded")), [50.0, 100.0])
        self.assertEqual(sorted(rows.mapped("amount_agreed")), [33.33, 66.67])
        self.assertEqual(sum(rows.mapped("amount_agreed")), move.amount_untaxed)
        self.assertEqual(self._credit_of(self.differences), -50.0)
        self._assert_is_the_ledger()

    def test_a_fixed_fee_takes_the_work_back_and_books_the_fee(self):
        account = self._matter(work=(300.0,), billing_basis="fixed", quote_amount=250.0)
        self._post(account)
        row = self._rows()
        self.assertEqual(
            (row.amount_recorded, row.amount_agreed, row.amount_fee, row.amount_difference),
            (300.0, 250.0, 250.0, -300.0),
        )
        self.assertEqual((row.amount_gain, round(row.realization, 2)), (-50.0, 83.33))
        self._assert_is_the_ledger()

    def test_a_fee_without_work_has_a_row_of_its_own(self):
        self._post(self._matter(work=(), billing_basis="fixed", quote_amount=80.0))
        row = self._rows()
        self.assertEqual((row.amount_recorded, row.amount_agreed, row.amount_gain), (0, 80.0, 80.0))
        self._assert_is_the_ledger()

    def test_work_as_recorded_and_drafts_have_none(self):
        self._post(self._matter("As recorded"))
        draft = self._matter("Draft", billing_basis="quote", quote_amount=10.0)
        self._bill(self._mass_run(), draft)
        self.assertFalse(self._rows())

    def test_expenses_on_top_are_not_part_of_it(self):
        account = self._matter(
            work=(100.0,),
            expenses=(20.0,),
            billing_basis="quote",
            quote_amount=90.0,
            expenses_on_top=True,
        )
        self._post(account)
        self.assertEqual(sum(self._rows().mapped("amount_recorded")), 100.0)
        self._assert_is_the_ledger()

    def test_what_is_credited_is_gone(self):
        account = self._matter(work=(100.0,), billing_basis="quote", quote_amount=60.0)
        move = self._post(account)
        move._reverse_moves([{"invoice_date": A_DAY, "date": A_DAY}], cancel=True)
        rows = self._rows()
        self.assertEqual(sum(rows.mapped("amount_recorded")), 0.0)
        self.assertEqual(sum(rows.mapped("amount_difference")), 0.0)
        self._assert_is_the_ledger()

    def test_the_percentage_of_a_group_is_that_of_its_sums(self):
        self._post(self._matter("A", work=(100.0,), billing_basis="quote", quote_amount=50.0))
        self._post(self._matter("B", work=(300.0,), billing_basis="quote", quote_amount=300.0))
        self.env.flush_all()
        model = self.env["healthcare.realization"]
        ((agreed, recorded, percent),) = model._read_group(
            [("company_id", "=", self.company.id)],
            [],
            ["amount_agreed:sum", "amount_recorded:sum", "realization:avg"],
        )
        self.assertEqual((agreed, recorded, percent), (350.0, 400.0, 87.5))
        by_account = model.formatted_read_group(
            [("company_id", "=", self.company.id)],
            ["billing_account_id", "employee_id", "date:month"],
            ["amount_gain:sum"],
        )
        self.assertEqual(sorted(g["amount_gain:sum"] for g in by_account), [-50.0, 0.0])

    def test_many_lines_share_to_the_cent(self):
        account = self._matter(
            work=tuple(10.01 + n / 7 for n in range(9)), billing_basis="quote", quote_amount=77.77
        )
        move = self._post(account)
        self.assertAlmostEqual(sum(self._rows().mapped("amount_agreed")), move.amount_untaxed)
        self._assert_is_the_ledger()

    def test_rights(self):
        self._post(self._matter(billing_basis="quote", quote_amount=60.0))
        self.env.flush_all()
        users = self._users("coordinator", "billing_user", "accountant")
        with self.assertRaises(AccessError):
            self._act_as(users["coordinator"])["healthcare.realization"].search([])
        for kind in ("billing_user", "accountant"):
            rows = self._act_as(users[kind])["healthcare.realization"].search([])
            self.assertTrue(rows)
            data = rows.web_read(
                {
                    "billing_account_id": {"fields": {"display_name": {}}},
                    "employee_id": {"fields": {"display_name": {}}},
                    "amount_agreed": {},
                }
            )
            self.assertIn("Matter", data[0]["billing_account_id"]["display_name"])

    def test_other_companies_are_not_seen(self):
        self._post(self._matter(billing_basis="quote", quote_amount=60.0))
        self.env.flush_all()
        other = self.setup_other_company()["company"]
        model = self.env["healthcare.realization"].with_user(self._user("billing_manager"))
        self.assertTrue(model.search([("company_id", "=", self.company.id)]))
        model.env.user.sudo().write({"company_ids": [(4, other.id)]})
        foreign = model.with_context(allowed_company_ids=other.ids)
        self.assertFalse(foreign.search([("company_id", "=", self.company.id)]))
