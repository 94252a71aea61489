import csv  # pylint: disable=deprecated-module  # Odoo 19's own csv_writer names it instead
from codecs import BOM_UTF8
from datetime import timedelta
from io import StringIO
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import Form, HttpCase, tagged

from ..models.healthcare_statement_collections import COLLECTIONS_COLUMNS
from .statement_close_common import StatementCloseCommon


class BulkCommon(StatementCloseCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ben = cls._patient("Ben Brown", legal_name="Benedict Brown")

    def _two(self):
        """Open statements of two clients over 240.00 each."""
        self._three()
        self._three(self.ben)
        return self._statement() | self._statement(self.ben)

    def _bulk(self, statements, operation, **vals):
        wizard = self.env["healthcare.statement.bulk"].browse(
            statements.action_bulk_close()["res_id"]
        )
        wizard.write({"operation": operation} | vals)
        return wizard

    def _csv(self, statements):
        return list(csv.DictReader(StringIO(statements._collections_csv().decode("utf-8-sig"))))


@tagged("post_install", "-at_install")
class TestStatementBulk(BulkCommon):
    """Many statements are closed at once, each with its result (R28)."""

    def test_unpaid(self):
        statements = self._two()
        wizard = self._bulk(statements, "unpaid")
        self.assertEqual((wizard.count, wizard.amount), (2, 480.0))
        wizard.action_run()
        self.assertEqual(statements.mapped("state"), ["unpaid", "unpaid"])
        self.assertEqual((wizard.done_count, wizard.failed_count), (2, 0))

    def test_paid_each_by_its_amount(self):
        statements = self._two()
        wizard = self._bulk(statements, "paid")
        wizard.line_ids[1].amount = 100.0
        wizard.action_run()
        self.assertEqual(statements.mapped("state"), ["paid", "paid"])
        self.assertEqual(statements.payment_ids.mapped("amount"), [240.0, 100.0])
        self.assertEqual(statements.mapped("amount_due_now"), [0.0, 140.0])
        self.assertProof()

    def test_r28_one_that_fails_stops_no_other(self):
        statements = self._two()
        wizard = self._bulk(statements, "unpaid")
        statements[0]._close_unpaid()
        wizard.action_run()
        self.assertEqual(wizard.line_ids.mapped("state"), ["failed", "done"])
        self.assertIn("was closed already", wizard.line_ids[0].message)
        # the dialog goes, the journal stays
        self.assertIn("Not closed: Statement", statements[0].message_ids[0].body)
        self.assertEqual(statements.line_ids.charge_id.mapped("statement_count"), [1] * 6)
        # again: nothing is closed twice
        wizard.action_run()
        self.assertEqual(statements.line_ids.charge_id.mapped("statement_count"), [1] * 6)

    def test_r28_a_fault_leaves_no_traces(self):
        statements = self._two()
        wizard = self._bulk(statements, "sold", reason_id=self.sold.id)
        finish = type(statements)._finish_closing

        def fail(records, state, texts=None):
            if records == statements[0]:
                raise UserError(self.env._("Lightning"))
            return finish(records, state, texts)

        with patch.object(type(statements), "_finish_closing", fail):
            wizard.action_run()
        self.assertEqual(wizard.line_ids.mapped("message"), ["Lightning", ""])
        self.assertEqual(statements.mapped("state"), ["committed", "sold"])
        self.assertEqual(statements.mapped("amount_due_now"), [240.0, 0.0])
        self.assertFalse(statements[0].write_off_ids)
        self.assertProof()

    def test_long_work_is_continued(self):
        statements = self._two()
        wizard = self._bulk(statements, "unpaid")
        with patch("odoo.addons.healthcare_billing.wizards.healthcare_statement_bulk.BUDGET", -1):
            wizard.action_run()
        self.assertEqual(wizard.waiting_count, 2)
        wizard.action_run()
        self.assertEqual(wizard.done_count, 2)

    def test_sold_with_one_payment_of_the_agency(self):
        statements = self._two()
        wizard = self._bulk(
            statements, "sold", reason_id=self.sold.id, proceeds=100.0, journal_id=self.bank.id
        )
        wizard.action_run()
        entry = statements.proceeds_move_id
        self.assertEqual(len(entry), 1)
        self.assertEqual(
            sum(line.balance for line in entry.line_ids if line.account_id == self.loss), -100.0
        )
        wizard.action_run()
        self.assertEqual(statements.proceeds_move_id, entry)
        self.assertProof()

    def test_agencys_money_is_checked_before_anything_is_sold(self):
        statements = self._two()
        cash = self.company_data["default_journal_cash"]
        purchases = self.company_data["default_journal_purchase"]
        for proceeds, journal, message in (
            (100.0, cash.browse(), "bank or cash journal"),
            (100.0, purchases, "bank or cash journal"),
            (-1.0, cash, "0.00 or more"),
        ):
            wizard = self._bulk(
                statements,
                "sold",
                reason_id=self.sold.id,
                proceeds=proceeds,
                journal_id=journal.id,
            )
            with (
                patch.object(type(statements), "_close_sold") as close,
                self.assertRaisesRegex(UserError, message),
            ):
                wizard.action_run()
            close.assert_not_called()
        self.assertEqual(set(statements.mapped("state")), {"committed"})
        self.assertFalse(statements.write_off_ids)
        dialog = self.env["healthcare.statement.close"].browse(
            statements[0].action_close()["res_id"]
        )
        for form, field in ((Form(dialog), "outcome"), (Form(wizard), "operation")):
            setattr(form, field, "sold")
            form.proceeds = 100.0
            form.journal_id = cash.browse()
            with self.assertRaisesRegex(AssertionError, "journal_id"):
                form.save()

    def test_the_settings_reasons_are_proposed(self):
        """Not the first ones that there are."""
        statements = self._two()
        agency = self.sold.copy({"name": "Sold to the agency", "account_id": self.loss.id})
        kindness = self.courtesy.copy({"name": "Kindness", "account_id": self.loss.id})
        for sold, courtesy in ((self.sold, self.courtesy), (agency, kindness)):
            self.company.write(
                {
                    "healthcare_sold_reason_id": sold.id,
                    "healthcare_courtesy_reason_id": courtesy.id,
                }
            )
            self.assertEqual(self._bulk(statements, "sold").reason_id, sold)
            dialog = self.env["healthcare.statement.close"].browse(
                statements[0].action_close()["res_id"]
            )
            with Form(dialog) as form:
                form.amount = 90.0
                form.under = "write_off"
                self.assertEqual(form.reason_id, courtesy)
                form.outcome = "sold"
                self.assertEqual(form.reason_id, sold)
        self._bulk(statements, "sold").action_run()
        entries = statements.write_off_ids
        self.assertEqual(entries.line_ids.adjustment_reason_id, agency)
        self.assertProof()

    def test_selling_and_writing_off_are_offered_to_managers_only(self):
        statements = self._two()
        biller = self._act_as(self._user("billing_user"))
        manager = self._act_as(self._user("billing_manager"))
        for env, offered in ((biller, False), (manager, True)):
            for model, name, value in (
                ("healthcare.statement.bulk", "operation", "sold"),
                ("healthcare.statement.close", "outcome", "sold"),
                ("healthcare.statement.close", "under", "write_off"),
            ):
                field = env[model].fields_get([name], ["selection"])[name]
                self.assertEqual(value in dict(field["selection"]), offered, (model, name))
        own = statements.with_env(biller)
        wizard = own.env["healthcare.statement.bulk"].browse(own.action_bulk_close()["res_id"])
        wizard.write({"operation": "sold", "reason_id": self.sold.id})  # as any client may send
        wizard.action_run()
        self.assertEqual(set(wizard.line_ids.mapped("state")), {"failed"})
        self.assertIn("Only a billing manager", wizard.line_ids[0].message)
        self.assertEqual(set(statements.mapped("state")), {"committed"})
        # the file is for whoever closes statements
        self.assertIn("/collections/", own.action_collections_file()["url"])

    def test_canceled_with_drafts(self):
        statements = self._two()
        statements |= self._statement(commit=False)
        self._bulk(statements, "canceled").action_run()
        self.assertEqual(set(statements.mapped("state")), {"canceled"})

    def test_charges_on_the_items_of_all(self):
        self._three()
        statements = self._statement() | self._statement()
        wizard = self.env["healthcare.charge.extra"].browse(
            statements.action_bulk_extra()["res_id"]
        )
        self.assertEqual(len(wizard.line_ids), 3)
        wizard.write({"kind": "finance_charge", "method": "per_item", "amount": 5.0})
        wizard.action_confirm()
        self.assertEqual(statements.mapped("amount_total"), [255.0, 255.0])
        self.assertEqual(statements.mapped("amount_due_now"), [255.0, 255.0])
        statements._close_unpaid()
        with self.assertRaisesRegex(UserError, "that are open"):
            statements.action_bulk_extra()
        self.assertProof()

    def test_phone_closes_from_the_cards(self):
        """Where no list is with its buttons, the menu of the chosen cards has them."""
        statements = self._two()
        action = self.env.ref("healthcare_billing.healthcare_statement_action_bulk_close")
        self.assertEqual(action.binding_view_types, "kanban")
        opened = action.with_context(
            active_model="healthcare.statement", active_ids=statements.ids
        ).run()
        wizard = self.env[opened["res_model"]].browse(opened["res_id"])
        self.assertEqual(wizard.line_ids.statement_id, statements)

    def test_one_company_at_a_time(self):
        with self.assertRaisesRegex(UserError, "Choose statements"):
            self.env["healthcare.statement"].action_bulk_close()


@tagged("post_install", "-at_install")
class TestStatementCollections(BulkCommon, HttpCase):
    """The file for a collection agency (R20)."""

    def test_r20_each_item_once(self):
        charges, _move = self._three()
        self._three(self.ben)
        statements = self._statement() | self._statement() | self._statement(self.ben)
        rows = self._csv(statements)
        self.assertEqual(len(rows), 6)
        self.assertEqual(sum(float(row["amount_sold"]) for row in rows), 480.0)
        row = next(row for row in rows if row["service_date"] == str(charges[0].service_date))
        self.assertEqual(
            (row["debtor"], row["client_birth_date"], row["times_billed"], row["currency"]),
            ("Annabel Adams", "1980-05-17", "0", "USD"),
        )
        self.assertEqual(row["statements"], ", ".join(statements[:2].mapped("name")))
        self.assertTrue(row["invoices"])
        # nothing clinical
        text = statements._collections_csv().decode()
        for secret in (self.visit_service.name, self.visit_service.default_code, "ZZ9.01"):
            self.assertNotIn(secret, text)

    def test_r20_the_same_after_the_sale(self):
        charges, _move = self._three()
        statements = self._statement() | self._statement()
        self._receive([(charges[0], 30.0)])
        before = self._csv(statements)
        statements._close_sold(self.sold, self.today)
        after = self._csv(statements)
        self.assertEqual(before, after)
        self.assertEqual([row["amount_sold"] for row in after], ["50.00", "80.00", "80.00"])
        self.assertEqual([row["amount_paid"] for row in after], ["30.00", "0.00", "0.00"])
        self.assertEqual(self._csv(statements[0]), after)

    def test_r20_canceled_statements_told_nothing(self):
        self._three()
        mistake, right = self._statement(), self._statement()
        mistake.sudo().committed_on = self.today - timedelta(days=9)
        mistake._close_canceled()
        rows = self._csv(right)
        self.assertEqual({row["statements"] for row in rows}, {right.name})
        self.assertEqual({row["first_stated_on"] for row in rows}, {str(self.today)})

    def test_texts_are_never_formulas(self):
        for name in ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"):
            client = self._patient("Formula", legal_name=name, street=name)
            self._charge(client)
            row = self._csv(self._statement(client))[0]
            self.assertEqual((row["debtor"], row["street"]), (f"'{name}", f"'{name}"))

    def test_credits_are_no_rows(self):
        self._with_credit()
        self.assertEqual(
            [row["amount_sold"] for row in self._csv(self._statement())], ["80.00", "80.00"]
        )

    def test_download(self):
        statements = self._two()
        manager = self._user("billing_manager", password="billing_manager")
        bulk = self.env["healthcare.statement.bulk"].with_user(manager)._of(statements, "sold")
        self.authenticate(manager.login, "billing_manager")
        response = self.url_open(f"/healthcare_billing/collections/{bulk.id}")
        self.assertEqual(response.status_code, 200)
        self.assertIn("attachment", response.headers["Content-Disposition"])
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        rows = list(csv.reader(StringIO(response.content.decode("utf-8-sig"))))
        self.assertTrue(response.content.startswith(BOM_UTF8))
        self.assertEqual((tuple(rows[0]), len(rows)), (COLLECTIONS_COLUMNS, 7))
        self.assertIn("downloaded the file", statements[0].message_ids[0].body)
        accountant = self._user("accountant", password="accountant")
        self.authenticate(accountant.login, "accountant")
        response = self.url_open(f"/healthcare_billing/collections/{bulk.id}")
        self.assertEqual(response.status_code, 403)
