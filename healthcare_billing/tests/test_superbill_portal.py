from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import HttpCase, JsonRpcException, tagged
from odoo.tools import mute_logger

from odoo.addons.mail.tests.common import mail_new_test_user

from .test_superbill import SuperbillCommon

# What a superbill says; whoever isn't its client learns nothing of it.
SECRETS = {
    "diagnosis": "Secret condition",
    "diagnosis code": "QQ7.77",
    "legal name": "Secret Legal Name",
    "member": "SECRET-MEMBER-1",
    "code": "T1001",
    "provider": "Pat Provider",
}
# All that a client reads of the record; the rest is in the PDF.
VISIBLE = {
    "access_token", "access_url", "access_warning", "amount_adjusted", "amount_balance",
    "amount_charged", "amount_paid", "amount_paid_others", "client_id", "company_id", "create_date",
    "create_uid", "currency_id", "date_from", "date_to", "display_name", "id", "issued_on", "name",
    "provider_name", "state", "write_date", "write_uid",
}  # fmt: skip


@tagged("post_install", "-at_install")
class TestSuperbillPortal(SuperbillCommon, HttpCase):
    """Clients see and print their own superbills; nobody else sees anything of them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.diagnosis.write({"code": SECRETS["diagnosis code"], "name": SECRETS["diagnosis"]})
        cls.anna.write({"name": "Anna Portal", "legal_name": SECRETS["legal name"]})
        cls._coverage(cls.anna, cls.payer, member_id=SECRETS["member"])
        cls.mother = cls.env["res.partner"].create({"name": "Mother"})
        cls.anna.billing_account_ids.guarantor_id = cls.mother
        cls.ben = cls._patient("Ben Portal")
        cls.clerk = cls.env["res.partner"].create(
            {"name": "Payer's Clerk", "parent_id": cls.payer.id}
        )
        cls.visit = cls._appointment(cls.anna)
        cls.move = cls._execute(cls.visit, post=True).move_ids
        cls.superbill = cls.move._create_superbills()
        cls.replaced = cls._issue(cls._appointment(cls.anna, hour=13))
        cls.anna.phone = "555-0199"
        cls.void = cls._issue(cls._appointment(cls.anna, hour=15))
        cls.void._void("Test")
        cls.users = {
            name: mail_new_test_user(
                cls.env,
                login=f"portal_{name}",
                groups="base.group_portal",
                partner_id=partner.id,
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            for name, partner in (
                ("anna", cls.anna),
                ("ben", cls.ben),
                ("mother", cls.mother),
                ("clerk", cls.clerk),
            )
        }

    def setUp(self):
        super().setUp()
        # the drawing itself is tested in test_superbill.py
        self.enterContext(
            patch.object(
                self.registry["ir.actions.report"],
                "_run_wkhtmltopdf",
                lambda *_args, **_options: b"%PDF-1.4 drawn",
            )
        )

    def _login(self, name):
        self.authenticate(self.users[name].login, self.users[name].login)

    def _url(self, suffix="", superbill=None):
        return f"/my/superbills/{(superbill or self.superbill).id}{suffix}"

    def assert_no_secret(self, text):
        for kind, secret in SECRETS.items():
            self.assertNotIn(secret, text, kind)

    # -- own ones --------------------------------------------------------------------------------
    def test_client_sees_and_prints(self):
        self._login("anna")
        page = self.url_open("/my/superbills").text
        self.assertIn(self.superbill.name, page)
        self.assertNotIn(self.void.name, page)
        page = self.url_open(self._url())
        self.assertEqual(page.status_code, 200)
        self.assertIn("80.00", page.text)
        for secret in ("diagnosis", "diagnosis code", "member", "legal name"):
            self.assertNotIn(SECRETS[secret], page.text)
        for suffix, disposition in (("/pdf", "inline"), ("/pdf?download=1", "attachment")):
            pdf = self.url_open(self._url(suffix))
            self.assertEqual(pdf.headers["Content-Type"], "application/pdf")
            self.assertTrue(pdf.headers["Content-Disposition"].startswith(disposition))
            self.assertTrue(pdf.content.startswith(b"%PDF"))
            self.assertEqual(pdf.content, self.superbill._pdf_contents()[self.superbill])

    def test_card_on_the_home_page(self):
        for name, count in (("anna", 2), ("ben", 0), ("mother", 0), ("clerk", 0)):
            self._login(name)
            self.assertIn("/my/superbills", self.url_open("/my/home").text)
            counters = self.make_jsonrpc_request("/my/counters", {"counters": ["superbill_count"]})
            self.assertEqual(counters["superbill_count"], count, name)

    def test_many_pages(self):
        for hour in range(4, 8):
            self._issue(self._appointment(self.ben, hour=hour))
        self._login("ben")
        with patch("odoo.addons.portal.controllers.portal.CustomerPortal._items_per_page", 3):
            first = self.url_open("/my/superbills").text
            second = self.url_open("/my/superbills/page/2?sortby=name").text
        self.assertEqual(first.count("/pdf"), 3)
        self.assertEqual(second.count("/pdf"), 1)
        self.assertEqual(self.url_open("/my/superbills?sortby=nonsense").status_code, 200)

    # -- not others' -----------------------------------------------------------------------------
    def _assert_refused(self, superbill=None, token=""):
        superbill = superbill or self.superbill
        for suffix in ("", "/pdf", "/pdf?download=1"):
            query = f"{'&' if '?' in suffix else '?'}access_token={token}" if token else ""
            response = self.url_open(self._url(suffix + query, superbill))
            self.assertNotEqual(response.headers.get("Content-Type"), "application/pdf", suffix)
            if not token or suffix:
                self.assertNotIn(superbill.name, response.text, suffix)
            self.assert_no_secret(response.text)

    def test_others_are_sent_away(self):
        """Another client, the billing contact, and the payer's clerk, with and without link."""
        token = self.superbill._portal_ensure_token()
        for name in ("ben", "mother", "clerk"):
            with self.subTest(user=name):
                self._login(name)
                self.assertNotIn(self.superbill.name, self.url_open("/my/superbills").text)
                self._assert_refused()
                self._assert_refused(token=token)
                page = self.url_open(self._url(f"?access_token={token}")).text
                self.assertIn("logged in as somebody else", page)

    def test_void_and_replaced_ones_are_gone(self):
        new = self._issue(self.superbill.line_ids.charge_id + self.replaced.line_ids.charge_id)
        self.assertEqual((self.superbill + self.replaced).replaced_by_id, new)
        self._login("anna")
        page = self.url_open("/my/superbills").text
        self.assertIn(new.name, page)
        for gone in (self.superbill, self.replaced, self.void):
            self.assertNotIn(gone.name, page)
            self._assert_refused(gone)

    def test_public_with_and_without_the_link(self):
        """The link of the e-mail says the number, and where to log in. Nothing else."""
        self._assert_refused()
        self._assert_refused(token="wrong")
        token = self.superbill._portal_ensure_token()
        self._assert_refused(token=token)
        page = self.url_open(self._url(f"?access_token={token}")).text
        self.assertIn(self.superbill.name, page)
        self.assertIn(f"/web/login?redirect=/my/superbills/{self.superbill.id}", page)
        self.assertNotIn("80.00", page)
        self.assertNotIn("Anna", page)
        self._assert_refused(self.replaced, token=token)
        self.assertEqual(self.url_open("/my/superbills/999999999").status_code, 200)

    @mute_logger("odoo.http")
    def test_link_opens_no_messages(self):
        self.superbill.message_post(body=SECRETS["diagnosis"], subtype_xmlid="mail.mt_comment")
        token = self.superbill._portal_ensure_token()
        for params in ({}, {"token": token}, {"access_token": token}):
            try:
                answer = self.make_jsonrpc_request(
                    "/mail/thread/messages",
                    {
                        "thread_model": "healthcare.superbill",
                        "thread_id": self.superbill.id,
                        **params,
                    },
                )
            except JsonRpcException:
                continue
            self.assertNotIn(SECRETS["diagnosis"], str(answer))

    # -- RPC -------------------------------------------------------------------------------------
    def test_what_a_client_reads_by_rpc(self):
        env = self._act_as(self.users["anna"])
        superbills = env["healthcare.superbill"].search([])
        self.assertEqual(superbills, self.superbill + self.replaced)
        fields = set(superbills.fields_get())
        ours = {
            name
            for name in fields
            if not name.startswith(("message_", "activity_", "website_", "has_", "my_", "rating_"))
        }
        self.assertEqual(ours, VISIBLE)
        for name in ("diagnoses", "client_birth_date", "member_id", "line_ids", "move_ids"):
            with self.assertRaises(AccessError):
                superbills.read([name])
            with self.assertRaises(AccessError):
                superbills.search([(name, "!=", False)])
        for method, args, error in (
            ("write", [{"state": "void"}], UserError),
            ("unlink", [], AccessError),
            ("_void", ["x"], AccessError),
            ("_reissue", [], AccessError),
            ("action_reissue", [], AccessError),
            ("message_post", [], AccessError),
        ):
            with self.subTest(method=method), self.assertRaises(error):
                getattr(superbills[0], method)(*args)
        with self.assertRaises(UserError):
            env["healthcare.superbill"].create({"name": "X"})
        with self.assertRaises(AccessError):
            env["healthcare.superbill.line"].search([])
        self.assertEqual(self.superbill.state, "issued")

    def test_others_read_nothing_by_rpc(self):
        self.superbill._keep_pdfs()
        pdf = (
            self.env["ir.attachment"]
            .sudo()
            .search([("res_id", "=", self.superbill.id), ("res_field", "=", "pdf")])
        )
        for name in ("ben", "mother", "clerk"):
            env = self._act_as(self.users[name])
            self.assertFalse(env["healthcare.superbill"].search([]))
            with self.assertRaises(AccessError):
                self.superbill.with_env(env).read(["name"])
            with self.assertRaises(AccessError):
                pdf.with_env(env).read(["datas"])

    # -- own invoices ----------------------------------------------------------------------------
    def test_own_invoice_prints_without_the_superbill(self):
        """The native portal of invoices shows nothing of the superbill, and none of its fields."""
        self._login("mother")  # the addressee
        html = self.url_open(f"/my/invoices/{self.move.id}?report_type=html").text
        self.assertIn(self.move.name, html)
        for text in (self.superbill.name, SECRETS["diagnosis"], SECRETS["legal name"]):
            self.assertNotIn(text, html)
        move = self.move.with_env(self._act_as(self.users["mother"]))
        with self.assertRaises(AccessError):
            move.read(["superbill_ids"])
