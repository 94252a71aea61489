from datetime import timedelta
from io import BytesIO
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import A_DAY, CareCommon

try:
    from openpyxl import load_workbook
except ImportError:  # comes with Odoo; without it the files aren't read back
    load_workbook = None


class ExportCommon(CareCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dangerous = cls._client('=HYPERLINK("http://example.com")')
        cls.ivy = cls._insured_client("Ivy Insured", copay=20.0)
        cls.left_out = cls._client("+1 Left Out")

    def _run(self, number=1, post=False):
        visits = self.env["healthcare.appointment"]
        for index in range(number):
            day = A_DAY + timedelta(days=index)
            visits |= self._appointment(self.dangerous, day=day)
            visits |= self._appointment(self.ivy, day=day)
            visits |= self._appointment(self.left_out, day=day, parked=True)
        return self._execute(visits, post=post, split_by=["appointment"])

    def _sheets(self, content):
        """``{sheet: rows of cells}``"""
        return {
            sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()]
            for sheet in load_workbook(BytesIO(content)).worksheets
        }


@tagged("post_install", "-at_install")
class TestRunExport(ExportCommon):
    """The run's list: the same rows, sums and reasons as the run has."""

    def setUp(self):
        super().setUp()
        if load_workbook is None:
            self.skipTest("openpyxl is not installed")

    def test_spreadsheet(self):
        run = self._run(2, post=True)
        sheets = self._sheets(run._xlsx_content())
        self.assertEqual(list(sheets), ["Invoices", "Left Out", "Run"])
        title, *rows = sheets["Invoices"]
        total = rows.pop()
        self.assertEqual(title[:3], ["Invoice", "Invoiced to", "Client"])
        self.assertEqual(len(rows), len(run.line_ids))
        self.assertEqual({row[0] for row in rows}, set(run.move_ids.mapped("name")))
        self.assertEqual(sum(row[5] for row in rows), run.amount_created)
        self.assertEqual((total[4], total[7]), (6, run.amount_created))
        left_out = sheets["Left Out"][1:]
        self.assertEqual(
            [(row[0], row[1], row[4], row[6]) for row in left_out],
            [(x.reason_id.name, x.client_id.name, x.amount, x.remedy) for x in run.exclusion_ids],
        )
        self.assertEqual(left_out[0][2].date(), A_DAY)
        self.assertEqual(sheets["Run"][0], ["Billing Run", run.name])

    def test_texts_are_no_formulas(self):
        run = self._run()
        run.line_ids[0].sudo().message = "@SUM(A1)"
        for prefix in "=+-@\t":
            self.left_out.name = f"{prefix}1 Left Out"
            workbook = load_workbook(BytesIO(run._xlsx_content()))
            kinds = {
                cell.data_type
                for sheet in workbook.worksheets
                for row in sheet.iter_rows()
                for cell in row
            }
            self.assertNotIn("f", kinds)
            names = [row[1].value for row in workbook["Left Out"].iter_rows(min_row=2)]
            self.assertEqual({name.strip() for name in names}, {self.left_out.name.strip()})

    def test_preview_and_empty(self):
        run = self._plan(self._appointment(self.dangerous).charge_ids).save()
        run.action_deselect_all()
        rows = self._sheets(run._xlsx_content())["Invoices"]
        self.assertEqual(rows[1][8], "Not selected")
        empty = self._plan(self.env["healthcare.charge"]).save()
        self.assertEqual(len(self._sheets(empty._xlsx_content())["Invoices"]), 1)

    def test_totals_are_the_runs(self):
        run = self._run(2)
        totals = run._print_totals(run._print_rows())
        self.assertEqual(totals, [("Created", 6, 6, run.amount_created)])
        self.assertEqual(run._print_booked(), run.amount_created)

    def _html(self, run, env=None):
        content, _type = (env or self.env)["ir.actions.report"]._render_qweb_html(
            "healthcare_billing.report_billing_run", run.ids
        )
        return content.decode()

    def test_print(self):
        run = self._run(2, post=True)
        html = self._html(run)
        for name in run.move_ids.mapped("name"):
            self.assertIn(name, html)
        for text in (run.name, "Ivy Insured", "Parked", "2 items were left out"):
            self.assertIn(text, html)
        self.assertNotIn(self.diagnosis.code, html)
        self.assertNotIn("text-danger", html)

    def test_print_tells_what_failed_and_what_was_changed(self):
        run = self._run()
        run.line_ids[0].sudo().write({"state": "failed", "message": "No journal"})
        self.assertIn("No journal", self._html(run))
        run.line_ids[0].sudo().write({"state": "created", "message": False})
        run.move_ids[0].invoice_line_ids = [Command.create({"name": "Extra", "price_unit": 7.0})]
        self.assertIn("text-danger", self._html(run))

    def test_menu(self):
        bindings = self.env["ir.actions.actions"].get_bindings("healthcare.billing.run")
        names = {action["name"] for action in bindings["report"]}
        self.assertLessEqual({"List of Invoices", "Spreadsheet (XLSX)"}, names)

    def test_queries_do_not_grow(self):
        counts = []
        for number in (1, 4, 8):
            run = self._run(number)
            for make in (lambda run: run._xlsx_content(), self._html):
                self.env.flush_all()
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                make(run.browse(run.id))
                counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[4], counts[2] + 1, counts)
        self.assertLessEqual(counts[5], counts[3] + 1, counts)


@tagged("post_install", "-at_install")
class TestRunExportRights(ExportCommon, HttpCase):
    @mute_logger("odoo.http")
    def test_who_may(self):
        run = self._run(post=True)
        url = run.action_export_xlsx()["url"]
        users = self._users()
        for kind, user in users.items():
            with self.subTest(user=kind):
                self.authenticate(user.login, user.login)
                answer = self.url_open(url, allow_redirects=False)
                if kind in ("billing_user", "billing_manager", "accountant"):
                    self.assertEqual(answer.status_code, 200)
                    name = run.name.replace("/", "-")
                    self.assertIn(f"{name}.xlsx", answer.headers["Content-Disposition"])
                    self.assertEqual(answer.content[:2], b"PK")
                    html = TestRunExport._html(self, run, self._act_as(user))
                    self.assertIn("Parked", html)
                else:
                    self.assertIn(answer.status_code, (303, 403))
                    with self.assertRaises(AccessError):
                        run.with_user(user).action_export_xlsx()
        self.authenticate(users["billing_user"].login, users["billing_user"].login)
        self.assertEqual(self.url_open("/healthcare_billing/run/0/xlsx").status_code, 404)

    def test_other_companys_run(self):
        run = self._run()
        company = self.setup_other_company()["company"]
        env = self.env(user=self.env.user, context={"allowed_company_ids": company.ids})
        with patch.object(type(run), "_xlsx_content") as content:
            with self.assertRaises(AccessError):
                run.with_env(env).action_export_xlsx()
            content.assert_not_called()
