from datetime import timedelta

from lxml import etree

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from .common import A_DAY
from .mass_common import MassCommon


@tagged("post_install", "-at_install")
class TestMassBillingScreen(MassCommon):
    """What the screen of mass billing asks the server."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.anna = cls._matter("Anna Adams", work=(100.0,), expenses=(20.0,))
        cls.ben = cls._matter("Ben Brown", work=(200.0,), billing_basis="quote", quote_amount=500.0)
        cls.mass = cls._mass_run()
        cls.runs = cls.env["healthcare.billing.run"]

    def _list_domain(self, user=None):
        action = self.runs.with_user(user or self.env.user).action_view_mass_list()
        names = {"uid": (user or self.env.user).id, "allowed_company_ids": self.company.ids}
        return safe_eval(action["domain"], names)

    def test_r30_totals_are_of_the_whole_search(self):
        self._matter("Nora Nothing", billing_basis="quote", work=(40.0,))
        self.mass.action_search_again()
        totals = self.runs.mass_screen([])
        self.assertEqual((totals["row_count"], totals["list_count"]), (3, 3))
        self.assertEqual((totals["due_count"], totals["due"]), (2, 620.0))
        self.assertEqual(totals["wip"], 360.0)
        found = self.runs.mass_screen([("basis", "=", "wip")])
        self.assertEqual((found["row_count"], found["list_count"], found["due"]), (1, 3, 120.0))

    def test_r30_no_column_sums_up_the_page_only(self):
        view = self.env.ref("healthcare_billing.healthcare_billing_run_line_view_list_mass")
        views = self.env[view.model].get_views([(view.id, "list")])
        arch = etree.fromstring(views["views"]["list"]["arch"])
        self.assertTrue(arch.xpath("//field[@name='amount']"))
        self.assertFalse(arch.xpath("//field[@sum or @avg]/@name"), "the bar has the totals")

    def test_r24_the_list_is_the_users_own_and_open_one(self):
        self.assertEqual(
            self.env["healthcare.billing.run.line"].search(self._list_domain()), self.mass.line_ids
        )
        biller = self._user("billing_user")
        own = self.runs.with_user(biller)._open_mass_billing(A_DAY)
        lines = self.env["healthcare.billing.run.line"].search(self._list_domain(biller))
        self.assertEqual(lines, own.line_ids)

    def test_r24_after_billing_the_screen_opens_the_next_list(self):
        self._bill(self.mass, self.anna)
        self.assertFalse(self.env["healthcare.billing.run.line"].search(self._list_domain()))
        totals = self.runs.mass_screen(self._list_domain())
        self.assertNotEqual(totals["run_id"], self.mass.id)
        self.assertEqual((totals["row_count"], totals["due"]), (1, 500.0))

    def test_r24_a_search_names_what_is_not_on_the_list(self):
        self._matter("Eve Evans", exclude_from_mass_billing=True)
        self.mass.action_search_again()
        missing = self.runs.mass_missing([*self._list_domain(), ("client_id", "ilike", "eve")])
        self.assertEqual([found["client"] for found in missing], ["Eve Evans"])
        self.assertTrue(missing[0]["reason"])
        self.assertFalse(self.runs.mass_missing([("client_id", "ilike", "anna")]), "it is listed")
        self.assertFalse(self.runs.mass_missing([("amount", ">", 9000)]), "names nobody")
        self.assertFalse(self.runs.mass_missing([("payer_id", "=", False)]), "names nobody")

    def test_r24_a_search_that_finds_rows_names_what_is_missing_too(self):
        other = self._matter("Anna Ames", exclude_from_mass_billing=True)
        self.mass.action_search_again()
        totals = self.runs.mass_screen([*self._list_domain(), ("client_id", "ilike", "anna a")])
        self.assertEqual(totals["row_count"], 1)
        self.assertEqual([found["id"] for found in totals["missing"]], other.ids)
        self.assertFalse(self.runs.mass_screen(self._list_domain())["missing"])

    def test_r24_an_archived_account_says_that_it_is(self):
        eve = self._matter("Eve Evans")
        eve.active = False
        [found] = self.runs.mass_missing([("client_id", "ilike", "eve ev")])
        self.assertEqual(found["id"], eve.id)
        self.assertIn("archived", found["reason"])

    def test_r24_an_empty_list_says_why_too(self):
        self._bill(self.mass)
        totals = self.runs.mass_screen([("client_id", "ilike", "anna a")])
        self.assertEqual((totals["row_count"], totals["list_count"]), (0, 0))
        self.assertEqual([found["id"] for found in totals["missing"]], self.anna.ids)
        self.assertIn("draft", totals["missing"][0]["reason"])

    def test_r24_accounts_not_on_the_list_can_be_searched(self):
        eve = self._matter("Eve Evans", exclude_from_mass_billing=True)
        accounts = self.env["healthcare.billing.account"]
        all_three = [("id", "in", (self.anna | self.ben | eve).ids)]
        self.assertEqual(accounts.search([*all_three, ("is_on_mass_list", "=", False)]), eve)
        self.assertEqual(
            accounts.search([*all_three, ("is_on_mass_list", "=", True)]), self.anna | self.ben
        )
        self.assertTrue(self.anna.is_on_mass_list)
        self.assertFalse(eve.is_on_mass_list)

    def test_r29_a_window_that_shows_other_dates_bills_nothing(self):
        self.mass.set_mass_dates(date_up_to=A_DAY + timedelta(days=1))
        with self.assertRaisesRegex(UserError, "another window"):
            self.mass.mass_bill([], str(A_DAY), str(A_DAY))
        action = self.mass.mass_bill([], str(A_DAY), str(A_DAY + timedelta(days=1)))
        self.assertEqual(action["res_model"], "healthcare.billing.run.confirm")

    def test_r29_terms_changed_after_the_question_are_asked_about_again(self):
        action = self.mass.action_bill()
        question = self.env["healthcare.billing.run.confirm"].with_context(**action["context"])
        question = question.create({})
        self.mass.set_on_all_rows(
            {"payment_term_id": self.env["account.payment.term"].create({"name": "Ten days"}).id}
        )
        with self.assertRaisesRegex(UserError, "selection has changed"):
            question.action_confirm()
        self.assertFalse(self.mass.move_ids)

    def test_r24_the_question_tells_what_is_left_out(self):
        nora = self._matter("Nora Nothing", billing_basis="quote", work=(40.0,))
        self.mass.action_search_again()
        chosen = [("billing_account_id", "in", (nora | self.anna).ids)]
        action = self.mass.action_bill(chosen)
        question = self.env["healthcare.billing.run.confirm"].with_context(**action["context"])
        question = question.create({})
        self.assertEqual((question.invoice_count, question.amount), (1, 120.0))
        self.assertEqual((question.without_tick_count, question.other_count), (1, 1))
        action = question.action_confirm()["params"]["next"]
        self.assertEqual(action["res_model"], "account.move", "the drafts are next")

    def test_r24_an_added_charge_is_on_the_row(self):
        row = self._row(self.mass, self.anna)
        context = row.new_charge_defaults("expense")
        charge = (
            self.env["healthcare.charge"]
            .with_context(**context)
            .create({"product_id": self.service.id, "quantity": 1, "price_unit": 5.0})
        )
        self.assertEqual((charge.kind, charge.billing_account_id), ("expense", self.anna))
        self.assertTrue(row.plan_new_charge(charge.id))
        self.assertEqual((row.amount_expense, row.amount), (25.0, 125.0))

    def test_r25_delivery_of_several_accounts_is_their_payers(self):
        payer = self._payer("Guardian", invoicing_model="payer_batched", payer_type="facility")
        payer.email = "office@guardian.example.com"
        wards = self._matter("Ward One", payer_id=payer.id)
        wards |= self._matter("Ward Two", payer_id=payer.id)
        wards[0].write({"delivery_email": "one@example.com", "print_copies": "2"})
        run = self._mass_run()
        row = run.line_ids.filtered(lambda line: line.partner_id == payer)
        self.assertEqual(row.bill_for, "Guardian (2 accounts)")
        self.assertEqual(row.delivery, "office@guardian.example.com · 2 Copies")
        wards[0].delivery_email = False
        row.invalidate_recordset(["delivery"])
        self.assertEqual(row.delivery, "2 Copies")

    def test_r25_delivery_is_that_of_the_account(self):
        self.anna.write({"delivery_email": "anna@example.com", "print_copies": "2"})
        self.assertEqual(self._row(self.mass, self.anna).delivery, "anna@example.com · 2 Copies")
        self.assertEqual(self._row(self.mass, self.ben).delivery, "None")

    def test_r24_look_at_what_keeps_an_account_off_the_list(self):
        draft = self._bill(self.mass, self.anna)
        action = self.anna.action_mend_mass_billing()
        self.assertEqual((action["res_model"], action["res_id"]), ("account.move", draft.id))
        self.ben.exclude_from_mass_billing = True
        action = self.ben.action_mend_mass_billing()
        self.assertEqual(action["res_model"], "healthcare.billing.account")

    def test_rights_only_billers_bill(self):
        for kind in ("coordinator", "accountant"):
            with self.subTest(kind), self.assertRaises(AccessError):
                self.runs.with_user(self._user(kind)).action_open_mass_billing()

    def test_r28_rows_that_failed_are_shown_instead_of_the_drafts(self):
        action = self.mass.action_bill()
        question = self.env["healthcare.billing.run.confirm"].with_context(**action["context"])
        question = question.create({})
        self._row(self.mass, self.anna).charge_ids[
            0
        ].price_unit = 1.0  # meanwhile, by somebody else
        action = question.action_confirm()["params"]["next"]
        self.assertEqual((action["res_model"], action["res_id"]), (self.mass._name, self.mass.id))
        self.assertEqual((self.mass.created_count, self.mass.skipped_count), (1, 1))
