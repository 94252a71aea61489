import io
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools.pdf import PdfFileReader, PdfFileWriter

from .common import NPI
from .test_superbill import PRACTICE_NPI, SuperbillCommon

REPORT = "healthcare_billing.healthcare_superbill_report"


class PdfCommon(SuperbillCommon):
    """Superbills are printed as real users do; what wkhtmltopdf would draw is counted."""

    def setUp(self):
        super().setUp()
        self.drawings = []
        self.enterContext(
            patch.object(self.registry["ir.actions.report"], "_run_wkhtmltopdf", self._drawing)
        )

    def _drawing(self, bodies, **_options):
        """One page for each superbill; a drawing differs from all others by its width."""
        self.drawings.append(len(bodies))
        writer = PdfFileWriter()
        for _body in bodies:
            writer.addBlankPage(width=600 + len(self.drawings), height=800)
        stream = io.BytesIO()
        writer.write(stream)
        return stream.getvalue()

    def _print(self, superbills, user):
        report = self.env["ir.actions.report"].with_env(self._act_as(user))
        report = report.with_context(force_report_rendering=True)
        return report._render_qweb_pdf(REPORT, superbills.ids)[0]

    def _text(self, content):
        return "".join(page.extract_text() for page in PdfFileReader(io.BytesIO(content)).pages)


@tagged("post_install", "-at_install")
class TestSuperbillPdf(PdfCommon):
    """The PDF of a superbill is drawn once, whoever prints first, and handed out to the end."""

    def test_kept_whoever_prints_first(self):
        manager = self._user("billing_manager")
        for kind in ("coordinator", "billing_user"):
            user = self._user(kind)
            visit = self._appointment(self._patient(f"Client of {kind}"))
            superbill = self._issue(visit)
            with self.subTest(user=kind):
                self.drawings.clear()
                first = self._print(superbill, user)
                self.company.name = f"Renamed by {kind}"
                self.assertEqual(self._print(superbill, user), first)
                self.assertEqual(self._print(superbill, manager), first)
                self.assertEqual(len(self.drawings), 1)

    def test_many_are_drawn_at_once(self):
        superbills = self._issue(
            self._appointment(self.anna) + self._appointment(self._patient("Ben Brown"))
        )
        superbills._keep_pdfs()
        third = self._issue(self._appointment(self._patient("Cora Clark")))
        user = self._user("billing_user")
        content = self._print(superbills | third, user)
        self.assertEqual(self.drawings, [2, 1])
        self.assertEqual(len(PdfFileReader(io.BytesIO(content)).pages), 3)
        contents = superbills.with_env(self._act_as(user))._pdf_contents()
        self.assertEqual(list(contents), list(superbills))
        self.assertNotEqual(*[superbill.sudo().pdf for superbill in superbills[:1] | third])

    def test_drawn_one_by_one_when_they_cant_be_told_apart(self):
        superbills = self._issue(
            self._appointment(self.anna) + self._appointment(self._patient("Ben Brown"))
        )
        report = self.registry["ir.actions.report"]
        original = report._render_qweb_pdf_prepare_streams

        def together(reports, report_ref, data, res_ids=None):
            streams = original(reports, report_ref, data, res_ids=res_ids)
            if len(streams) > 1 and reports.env.context.get("healthcare_superbill"):
                return {False: {"stream": io.BytesIO(b"all"), "attachment": None}}
            return streams

        with patch.object(report, "_render_qweb_pdf_prepare_streams", together):
            contents = superbills._pdf_contents()
        self.assertEqual(self.drawings, [2, 1, 1])
        self.assertEqual(len(set(contents.values())), 2)

    def test_who_may_not_read_prints_nothing(self):
        superbill = self._issue(self._appointment(self.anna))
        superbill._keep_pdfs()
        for kind in ("no_group", "care_staff", "accountant"):
            with self.subTest(user=kind), self.assertRaises(AccessError):
                self._print(superbill, self._user(kind))

    def test_nobody_reads_or_writes_the_kept_file_past_the_superbill(self):
        superbill = self._issue(self._appointment(self.anna))
        superbill._keep_pdfs()
        attachment = (
            self.env["ir.attachment"]
            .sudo()
            .search([("res_model", "=", superbill._name), ("res_field", "=", "pdf")])
        )
        self.assertEqual(attachment.res_id, superbill.id)
        env = self._act_as(self._user("billing_manager"))
        for act in (
            lambda: superbill.with_env(env).read(["pdf"]),
            lambda: attachment.with_env(env).read(["datas"]),
            lambda: attachment.with_env(env).write({"raw": b"%PDF other"}),
            lambda: attachment.with_env(env).unlink(),
            lambda: env["ir.attachment"].create(
                {
                    "name": "pdf",
                    "raw": b"%PDF other",
                    "res_model": superbill._name,
                    "res_field": "pdf",
                    "res_id": superbill.id,
                }
            ),
        ):
            with self.assertRaises(AccessError):
                act()

    def test_replaced_and_void_ones_are_marked(self):
        """Drawn before or afterwards: what isn't the present superbill says so on each page."""
        user = self._user("billing_user")
        for drawn_before in (True, False):
            with self.subTest(drawn_before=drawn_before):
                client = self._patient(f"Client {drawn_before}")
                move = self._execute(self._appointment(client), post=True).move_ids
                old = move._create_superbills()
                if drawn_before:
                    self.assertFalse(self._text(self._print(old, user)))
                self._pay(move, 80.0)
                new = move._create_superbills()
                new._keep_pdfs()
                new._void("Wrong client")
                self.assertIn(f"Replaced by {new.name}", self._text(self._print(old, user)))
                both = self._print(old | new, user)
                self.assertIn("Void", self._text(both))
                self.assertEqual(len(PdfFileReader(io.BytesIO(both)).pages), 2)
        html, _kind = self.env["ir.actions.report"]._render_qweb_html(REPORT, new.ids)
        self.assertIn("Void", html.decode())

    def test_print(self):
        superbill = self._issue(self._appointment(self.anna))
        html, _kind = self.env["ir.actions.report"]._render_qweb_html(
            "healthcare_billing.healthcare_superbill_report", superbill.ids
        )
        for text in (
            superbill.name, "Annabel Adams", "05/17/1980", "12-3456789", NPI, PRACTICE_NPI,
            "Pat Provider", "LCSW", "ZZ9.01", "Test diagnosis", "T1001", "Nursing", "03/03/2025",
            "80.00", "were not submitted to insurance",
        ):  # fmt: skip
            self.assertIn(text, html.decode())

    def test_mail_says_nothing_clinical(self):
        self.anna.email = "anna@example.com"
        superbill = self._issue(self._appointment(self.anna))
        superbill._keep_pdfs()
        self.assertFalse(superbill._send_by_email())
        mail = superbill.message_ids.filtered(lambda m: m.message_type == "comment")
        self.assertEqual(mail.partner_ids, self.anna)
        self.assertIn(superbill.name, mail.subject)
        self.assertFalse(mail.attachment_ids)
        text = f"{mail.subject} {mail.body}"
        self.assertIn(f"/my/superbills/{superbill.id}", text)
        for secret in ("Annabel", "ZZ9.01", "Test diagnosis", "T1001", "Nursing", "Pat Provider"):
            self.assertNotIn(secret, text)
        self.company.healthcare_email_content = "pdf"
        self.assertFalse(superbill._send_by_email())
        message = superbill._last_mails()
        self.assertEqual(message.attachment_ids.raw, superbill._pdf_contents()[superbill])
        self.assertEqual(message.attachment_ids.name, f"Superbill {superbill.name}.pdf")
        self.anna.email = False
        self.assertEqual(superbill._send_by_email(), superbill)
