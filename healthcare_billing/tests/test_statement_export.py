import csv  # pylint: disable=deprecated-module  # Odoo 19's own csv_writer names it instead
from io import BytesIO, StringIO

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..tools.csv_file import csv_file
from .statement_print_common import StatementPrintCommon


@tagged("post_install", "-at_install")
class TestStatementExport(StatementPrintCommon, HttpCase):
    """Statements as CSV and spreadsheet; what a party owes, without any workflow."""

    def _rows(self, content):
        return list(csv.reader(StringIO(content.decode("utf-8-sig"))))

    def _dangerous(self):
        self.anna.name = "=cmd|' /C calc'!A1"
        self.visit_service.name = "+Service"
        charge = self._charge(self.anna, distance=2.0)
        self._execute(charge, post=True)
        return self._statement(self.anna, charge, custom_ref="@ref")

    def test_csv_has_no_formulas(self):
        statement = self._dangerous()
        titles, row = self._rows(statement._export_csv())
        self.assertEqual(len(titles), len(row))
        values = dict(zip(titles, row, strict=True))
        self.assertEqual(values["Addressee"], "'=cmd|' /C calc'!A1")
        self.assertEqual(values["Service"], "'+Service")
        self.assertEqual(values["Your Number"], "'@ref")
        self.assertEqual(values["Amount Due"], "80.00")
        self.assertNothingConfidential(statement._export_csv().decode())

    def test_csv_cells(self):
        rows = self._rows(
            csv_file(["a"], [["-1+2", -1.5, "\tx", "\rx", None, False, 0, 0.0, 'say "x", y', "é"]])
        )
        self.assertEqual(
            rows[1], ["'-1+2", "-1.50", "'\tx", "'\rx", "", "", "0", "0.00", 'say "x", y', "é"]
        )

    def test_credits_stay_numbers(self):
        charge = self._charge(self.anna)
        move = self._execute(charge, post=True).move_ids
        note = self._credit(move, charge, 30.0)
        note.line_ids.remove_move_reconcile()
        self._pay(move, 80.0)
        statement = self._statement(self.anna)
        row = self._rows(statement._export_csv())[1]
        self.assertIn("-30.00", row)

    def test_xlsx(self):
        from openpyxl import load_workbook

        sheet = load_workbook(BytesIO(self._dangerous()._export_xlsx())).active
        cells = [cell.value for cell in sheet[2]]
        self.assertIn("=cmd|' /C calc'!A1", cells)
        self.assertTrue(all(cell.data_type != "f" for cell in sheet[2]))
        self.assertEqual([cell.value for cell in sheet[3]].count(80.0), 1)

    def test_an_empty_statement_has_no_rows(self):
        statement = self._statement(self.ben)
        self.assertEqual(len(self._rows(statement._export_csv())), 1)
        self.assertTrue(statement._export_xlsx())

    @mute_logger("odoo.http")
    def test_download(self):
        statement = self._dangerous()
        user, other = self._user("billing_user"), self._user("billing_manager")
        action = statement.with_env(self._act_as(user)).action_export()
        wizard = self.env["healthcare.statement.export"].browse(action["res_id"])
        self.assertEqual((wizard.statement_count, wizard.item_count), (1, 1))
        url = wizard.with_user(user).action_download()["url"]
        self.authenticate(user.login, user.login)
        for kind, mime in (("xlsx", "application/vnd"), ("csv", "text/csv")):
            response = self.url_open(url.replace("xlsx", kind))
            self.assertEqual(response.status_code, 200)
            self.assertTrue(response.headers["Content-Type"].startswith(mime))
        self.assertEqual(self.url_open(url.replace("xlsx", "pdf")).status_code, 404)
        self.authenticate(other.login, other.login)
        self.assertEqual(self.url_open(url).status_code, 403)

    def test_accountants_export_without_rights_on_care(self):
        statement = self._dangerous().with_env(self._act_as(self._user("accountant")))
        self.assertEqual(len(self._rows(statement._export_csv())), 2)
        self.assertTrue(statement.action_export())
        with self.assertRaises(UserError):
            statement.browse().action_export()
        for kind in ("coordinator", "portal"):
            with self.assertRaises(AccessError):
                statement.with_env(self._act_as(self._user(kind)))._export_csv()


@tagged("post_install", "-at_install")
class TestQuickStatement(StatementPrintCommon):
    """All that a party owes today, on paper, and nothing else happens."""

    def _quick(self, partners):
        return self._html(partners, "report_quick_statement")

    def test_all_receivables_of_a_party(self):
        posted = self._charge(self.anna)
        move = self._execute(posted, post=True).move_ids
        self._pay(move, 30.0)
        unbilled = self._charge(self.anna, hour=12)
        parked = self._appointment(self.anna, hour=15, parked=True).charge_ids
        before = (posted | unbilled | parked).mapped("billing_stage")
        document = self.anna._printed_receivables()[0]
        self.assertEqual(sorted(item.due for item in document.items), [50.0, 80.0, 80.0])
        self.assertEqual((document.due, document.now), (210.0, 210.0))
        html = self._quick(self.anna)
        self.assertIn(move.name, html)
        self.assertIn("210.00", html)
        self.assertNothingConfidential(html)
        self.assertEqual((posted | unbilled | parked).mapped("billing_stage"), before)
        self.assertFalse(self.env["healthcare.statement"].search_count([]))

    def test_a_document_for_each_party(self):
        client = self._insured_client("Ines", copay=20.0)
        self._execute(self._charge(client), post=True)
        documents = (client | self.payer | self.ben)._printed_receivables()
        self.assertEqual([d.partner for d in documents], [client, self.payer, self.ben])
        self.assertEqual([d.due for d in documents], [20.0, 60.0, 0.0])
        self.assertEqual([d.others for d in documents], [False, True, False])
        html = self._quick(self.ben)
        self.assertIn("There are no items", html)
        self.assertNotIn("Ines", html)

    def test_what_else_is_owed(self):
        self.init_invoice("out_invoice", partner=self.anna, amounts=[33.0], post=True)
        self._charge(self.anna)
        document = self.anna._printed_receivables()[0]
        self.assertEqual(document.ledger, 33.0)
        self.assertEqual(document.due, 113.0)

    def test_rights(self):
        self._charge(self.anna)
        for kind in ("billing_user", "accountant"):
            partner = self.anna.with_env(self._act_as(self._user(kind)))
            self.assertEqual(len(partner._printed_receivables()), 1)
        for kind in ("coordinator", "no_group"):
            partner = self.anna.with_env(self._act_as(self._user(kind)))
            with self.assertRaises(AccessError):
                partner._printed_receivables()
