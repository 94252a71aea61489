import csv  # pylint: disable=deprecated-module  # Odoo 19's own csv_writer names it instead
import io
from datetime import timedelta

from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.tests import HttpCase, tagged

from .cycle_common import CycleInvoicesCommon

COLUMNS = (
    "payer_id,payer_name,member_id,client_reference,service_date,start,stop,units,activity_code,"
    "service_code,amount,currency,invoice_reference,invoice_number,visit_number"
)


@tagged("post_install", "-at_install")
class TestInvoiceExport(CycleInvoicesCommon, HttpCase):
    """Invoices as PDF, spreadsheet, or a file per payer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._payer(
            "=Program", invoicing_model="payer_file", payer_type="facility", edi_payer_id="GOV1"
        )
        cls.visit_service.activity_code = "ACT9"

    def _program_client(self, name, **vals):
        client = self._client(name, account={"payer_id": self.program.id}, **vals)
        self._coverage(client, self.program, member_id=f"M-{name}")
        return client

    def _program_move(self):
        self.visits = self._approved(self._program_client("Ann", ref="+C1")) | self._approved(
            self._program_client("Ben"), hour=23.5
        )
        move = self._generate(self.visits)
        move.action_post()
        return move

    def _wizard(self, action):
        return self.env["healthcare.invoice.export"].browse(action["res_id"])

    def _rows(self, moves):
        wizard = self._wizard(moves.action_export_care())
        wizard.format = "payer_file"
        action = wizard.action_export()
        name, mime, content = wizard.part_ids._content()
        self.assertEqual(action["url"], f"/healthcare_billing/invoice_export/{wizard.part_ids.id}")
        self.assertEqual(mime, "text/csv; charset=utf-8")
        text = content.decode()
        return name, text, list(csv.DictReader(io.StringIO(text)))

    def test_payer_file(self):
        move = self._program_move()
        name, text, rows = self._rows(move)
        self.assertTrue(name.endswith("-GOV1.csv"))
        self.assertEqual(text.splitlines()[0], COLUMNS)
        ann, ben = self.visits
        day = self.first.isoformat()
        self.assertEqual(
            rows[0],
            {
                "payer_id": "GOV1", "payer_name": "'=Program", "member_id": "M-Ann",
                "client_reference": "'+C1", "service_date": day, "start": f"{day}T09:00",
                "stop": f"{day}T10:00", "units": "1.00", "activity_code": "ACT9",
                "service_code": "T1001", "amount": "80.00", "currency": move.currency_id.name,
                "invoice_reference": move.billing_ref, "invoice_number": move.name,
                "visit_number": ann.name,
            },
        )  # fmt: skip
        # a visit that ends the next day belongs to the day on which it began
        self.assertEqual(
            (rows[1]["service_date"], rows[1]["start"], rows[1]["visit_number"]),
            (day, f"{day}T23:30", ben.name),
        )
        self.assertEqual(rows[1]["stop"], f"{self.first + timedelta(days=1)}T00:30")

    def test_one_row_per_visit(self):
        move = self._program_move()
        visit = self.visits[0]
        self.assertEqual(len(self._rows(move)[2]), 2)
        self.assertEqual(self._rows(move)[2][0]["invoice_number"], move.name)
        self.assertEqual(visit.name, self._rows(move)[2][0]["visit_number"])

    def test_voided_and_credited_care_is_not_told(self):
        move = self._program_move()
        part = move._draft_credit_note("")
        part.invoice_line_ids.filtered(
            lambda line: line.charge_id in self.visits[0].charge_ids
        ).unlink()
        part.action_post()
        rows = self._rows(move | part)[2]
        self.assertEqual([row["visit_number"] for row in rows], [self.visits[0].name])
        other = self._generate(self._approved(self._program_client("Dee"), hour=12))
        other.action_post()
        credit = other._void("Twice")
        wizard = self._wizard((other | credit).action_export_care())
        wizard.format = "payer_file"
        with self.assertRaisesRegex(UserError, "nothing to export"):
            wizard.action_export()

    def test_drafts_are_left_out(self):
        posted = self._program_move()
        draft = self._generate(self._approved(self._program_client("Dee"), hour=12))
        wizard = self._wizard((posted | draft).action_export_care())
        self.assertEqual(wizard.left_out_count, 1)
        self.assertEqual(len(self._rows(posted | draft)[2]), 2)
        wizard = self._wizard(draft.action_export_care())
        wizard.format = "payer_file"
        with self.assertRaisesRegex(UserError, "no legal number"):
            wizard.action_export()

    def test_parts_are_of_one_payer(self):
        wizard = self._wizard(self._program_move().action_export_care())
        wizard.format = "payer_file"
        wizard.action_export()
        wizard.part_ids.payer_id = self.payer
        with self.assertRaisesRegex(UserError, "one payer"):
            wizard.part_ids._content()

    def test_refused_with_the_visits_that_lack_an_activity_code(self):
        move = self._program_move()
        self.visit_service.activity_code = False
        wizard = self._wizard(move.action_export_care())
        wizard.format = "payer_file"
        with self.assertRaises(RedirectWarning) as caught:
            wizard.action_export()
        message, action = caught.exception.args[:2]
        for visit in self.visits:
            self.assertIn(visit.name, message)
        self.assertEqual(action["domain"], [("id", "in", self.visits.ids)])

    def test_a_file_per_payer(self):
        other = self._payer("Other", invoicing_model="payer_file", payer_type="facility")
        client = self._client("Cy", account={"payer_id": other.id})
        moves = self._program_move() | self._generate(self._approved(client))
        moves[1].action_post()
        wizard = self._wizard(moves.action_export_care())
        self.assertEqual((wizard.move_count, wizard.payer_count), (2, 2))
        wizard.format = "payer_file"
        wizard.action_export()
        self.assertEqual(wizard.part_ids.payer_id, self.program | other)

    def test_only_payers_with_files(self):
        wizard = self._wizard(self._drafts("Ann").action_export_care())
        wizard.format = "payer_file"
        with self.assertRaisesRegex(UserError, "None of these payers"):
            wizard.action_export()

    def test_pdf_in_parts(self):
        moves = self._drafts("Ann", "Ben", "Cy")
        wizard = self._wizard(moves.action_export_care())
        self.patch_part_size(2)
        wizard.action_export()
        self.assertEqual(wizard.part_ids.mapped("move_count"), [2, 1])
        self.assertEqual(wizard.part_ids.mapped("name"), ["Invoices 1 to 2", "Invoices 3 to 3"])
        action = wizard.part_ids[0].action_download()
        self.assertEqual(action["type"], "ir.actions.report")

    def patch_part_size(self, size):
        from ..wizards import healthcare_invoice_export as module

        self.patch(module, "PDF_PART", size)

    def test_cycle_exports_what_is_there(self):
        moves = self._drafts("Ann", "Ben")
        moves[1].button_cancel()
        wizard = self._wizard(self.cycle.action_export_invoices())
        self.assertEqual(wizard.move_ids, moves[0])
        self.assertEqual(wizard.cycle_id, self.cycle)

    def test_file_leaves_a_trace_without_clients(self):
        self._program_move()
        wizard = self._wizard(self.cycle.action_export_invoices())
        wizard.format = "payer_file"
        wizard.action_export()
        wizard.part_ids._content()
        body = self.cycle.message_ids[0].body
        self.assertIn("2 rows, 1", body)
        self.assertNotIn("Ann", body)

    def test_spreadsheet_has_no_formulas(self):
        from openpyxl import load_workbook

        move = self._program_move()
        wizard = self._wizard(move.action_export_care())
        wizard.format = "xlsx"
        wizard.action_export()
        book = load_workbook(io.BytesIO(wizard.part_ids._content()[2]))
        sheet = book.worksheets[0]
        self.assertEqual(sheet["C2"].value, "=Program")
        self.assertEqual(sheet["C2"].data_type, "s")
        self.assertEqual((sheet["J2"].value, sheet["L2"].value), (160.0, "Posted, Not Sent"))
        items = book.worksheets[1]
        self.assertEqual([row[6].value for row in items.iter_rows(min_row=2)], [80.0, 80.0])

    def test_download_is_its_users(self):
        move = self._program_move()
        biller = self._user("billing_user", password="biller-password")
        other = self._user("billing_user", login="other_biller", password="other-password")
        wizard = self._wizard(move.with_user(biller).action_export_care()).with_user(biller)
        wizard.format = "payer_file"
        url = wizard.action_export()["url"]
        self.env.flush_all()
        self.authenticate(other.login, "other-password")
        self.assertEqual(self.url_open(url).status_code, 403)
        self.authenticate(biller.login, "biller-password")
        response = self.url_open(url)
        self.assertEqual(response.status_code, 200)
        self.assertIn("attachment", response.headers["Content-Disposition"])
        self.assertTrue(response.text.startswith("payer_id,"))
        self.assertEqual(self.url_open("/healthcare_billing/invoice_export/0").status_code, 404)

    def test_rights(self):
        move = self._drafts("Ann")
        for kind in ("coordinator", "accountant"):
            with self.subTest(kind=kind), self.assertRaises(AccessError):
                move.with_user(self._user(kind)).action_export_care()
