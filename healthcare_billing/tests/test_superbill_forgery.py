from odoo import http
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .test_superbill_pdf import PdfCommon

FORGED = b"%PDF-1.4\n%FORGED\n1 0 obj\n<<>>\nendobj\ntrailer<<>>\n%%EOF"


@tagged("post_install", "-at_install")
class TestSuperbillForgery(PdfCommon, HttpCase):
    """What is handed out as the practice's superbill is what the practice drew."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = cls._users("coordinator", "billing_user", "portal")
        me = cls.users["portal"].partner_id
        me.write({"is_healthcare_client": True, "birth_date": "1990-01-01"})
        me.billing_account_ids.diagnosis_ids = cls.diagnosis
        cls.superbill = cls._issue(cls._appointment(me))

    def _upload(self, kind):
        """Attach a file that is called like the superbill's, as the web client does."""
        login = self.users[kind].login
        self.authenticate(login, login)
        return self.url_open(
            "/mail/attachment/upload",
            data={
                "thread_id": self.superbill.id,
                "thread_model": self.superbill._name,
                "csrf_token": http.Request.csrf_token(self),
            },
            files={"ufile": (self.superbill._pdf_name(), FORGED, "application/pdf")},
        )

    def _attachments(self):
        return self.env["ir.attachment"].search(
            [("res_model", "=", self.superbill._name), ("res_id", "=", self.superbill.id)]
        )

    def _assert_genuine(self):
        self.env.invalidate_all()
        self.assertNotIn(b"FORGED", self.superbill._pdf_contents()[self.superbill])
        for kind in ("billing_user", "coordinator"):
            self.assertNotIn(b"FORGED", self._print(self.superbill, self.users[kind]))
        self.company.healthcare_email_content = "pdf"
        self.assertNotIn(b"FORGED", self.superbill._mail_attachments()[self.superbill].raw)
        login = self.users["portal"].login
        self.authenticate(login, login)
        page = self.url_open(f"/my/superbills/{self.superbill.id}/pdf")
        self.assertEqual(page.headers["Content-Type"], "application/pdf")
        self.assertNotIn(b"FORGED", page.content)
        self.assertEqual(len(self.drawings), 1)

    @mute_logger("odoo.http")
    def test_readers_attach_nothing(self):
        for kind in ("portal", "coordinator"):
            with self.subTest(user=kind):
                self.assertNotEqual(self._upload(kind).status_code, 200)
                self.assertFalse(self._attachments())
                with self.assertRaises(AccessError):
                    self.superbill.with_env(self._act_as(self.users[kind])).message_post(body="x")
        self._assert_genuine()

    def test_an_attached_file_is_no_superbill(self):
        """Billers may attach, before and after it is drawn: it never stands for the superbill."""
        self.assertEqual(self._upload("billing_user").status_code, 200)
        self.assertEqual(self._attachments().name, self.superbill._pdf_name())
        self._assert_genuine()
        self._upload("billing_user")
        self._assert_genuine()
