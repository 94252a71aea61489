from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import HttpCase, JsonRpcException, tagged
from odoo.tools import mute_logger

from odoo.addons.mail.tests.common import mail_new_test_user

from .common import CareCommon

ADDON = "healthcare_billing"
# Nothing of this may reach anybody through the portal.
CLINICAL = {
    "diagnosis": "Secret condition",
    "diagnosis code": "QQ7.77",
    "note": "Secret billing note",
    "dispatcher's note": "Secret dispatcher note",
    "cancel reason": "Secret cancel reason",
    "member": "SECRET-MEMBER-1",
    "legal name": "Secret Legal Name",
}


@tagged("post_install", "-at_install")
class TestPortal(CareCommon, HttpCase):
    """Clients see their invoices, and nobody else's; nobody sees more than the invoice says."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.diagnosis.write({"code": CLINICAL["diagnosis code"], "name": CLINICAL["diagnosis"]})
        cls.anna = cls._insured_client("Anna Portal", copay=20.0, legal_name=CLINICAL["legal name"])
        cls.anna.coverage_ids.member_id = CLINICAL["member"]
        cls.ben = cls._client("Ben Portal")
        cls.staff = cls.env["res.partner"].create(
            {"name": "Payer's Clerk", "parent_id": cls.payer.id}
        )
        cls.visits = cls._appointment(
            cls.anna,
            billing_note=CLINICAL["note"],
            dispatcher_note=CLINICAL["dispatcher's note"],
        )
        cls.visits |= cls._appointment(cls.anna, hour=11, product_id=cls.service.id)
        moves = cls._execute(cls.visits, post=True).move_ids
        cls.client_invoice = moves.filtered(lambda move: move.partner_id == cls.anna)
        cls.payer_invoice = moves - cls.client_invoice
        cls.other_invoice = cls._execute(cls._charge(cls.ben), post=True).move_ids
        cls.draft = cls._execute(cls._charge(cls.ben, hour=15)).move_ids
        cls.users = {
            name: mail_new_test_user(
                cls.env, login=f"portal_{name}", groups="base.group_portal", partner_id=partner.id
            )
            for name, partner in (("anna", cls.anna), ("ben", cls.ben), ("clerk", cls.staff))
        }

    def _login(self, name):
        self.authenticate(self.users[name].login, self.users[name].login)

    def _page(self, path):
        response = self.url_open(path)
        self.assertEqual(response.status_code, 200, path)
        return response.text

    def _html(self, move, **query):
        query = "".join(f"&{name}={value}" for name, value in query.items())
        return self._page(f"/my/invoices/{move.id}?report_type=html{query}")

    def assert_nothing_clinical(self, text):
        for kind, secret in CLINICAL.items():
            self.assertNotIn(secret, text, kind)

    def _listed(self):
        page = self._page("/my/invoices")
        self.assert_nothing_clinical(page)
        moves = self.client_invoice | self.payer_invoice | self.other_invoice | self.draft
        return moves.filtered(lambda move: f"/my/invoices/{move.id}?" in page)

    # -- own documents ---------------------------------------------------------------------------
    def test_setup_is_what_it_says(self):
        self.assertEqual(
            (self.client_invoice.amount_total, self.payer_invoice.amount_total), (40.0, 160.0)
        )
        self.assertEqual(self.payer_invoice.partner_id, self.payer)
        self.assertTrue(self.visits.diagnosis_ids)

    def test_client_lists_own_posted_invoices_only(self):
        self._login("anna")
        self.assertEqual(self._listed(), self.client_invoice)
        self._login("ben")
        self.assertEqual(self._listed(), self.other_invoice)

    def test_client_reads_the_printed_invoice(self):
        self._login("anna")
        html = self._html(self.client_invoice)
        for text in (
            self.client_invoice.name,
            self.client_invoice.billing_ref,
            "Pat Provider - Nursing",  # the sections
            "Pat Provider - Therapy",
            "T1001",
            "03/03/2025",
        ):
            self.assertIn(text, html)
        self.assert_nothing_clinical(html)
        self.assert_nothing_clinical(self._page(f"/my/invoices/{self.client_invoice.id}"))

    def test_draft_of_ones_own_isnt_listed(self):
        self._login("ben")
        self.assertNotIn(self.draft, self._listed())
        self._assert_refused(self.draft)

    # -- documents of others ---------------------------------------------------------------------
    def _assert_refused(self, move):
        for path in (f"/my/invoices/{move.id}", f"/my/invoices/{move.id}?report_type=html"):
            response = self.url_open(path)
            self.assertIn(response.url.rsplit("?")[0].rsplit("/", 1)[-1], ("my", "home"), path)
            for text in (move.billing_ref, move.name or move.billing_ref, "Pat Provider"):
                self.assertNotIn(text, response.text)

    def test_another_client_is_sent_away(self):
        self._login("ben")
        self._assert_refused(self.client_invoice)
        self._assert_refused(self.payer_invoice)

    def test_payers_clerk_sees_the_payers_invoices_only(self):
        self._login("clerk")
        self.assertEqual(self._listed(), self.payer_invoice)
        self.assert_nothing_clinical(self._html(self.payer_invoice))
        self._assert_refused(self.client_invoice)
        self._assert_refused(self.other_invoice)

    def test_employers_portal_sees_nothing_of_an_employee_who_is_a_client(self):
        """Core shows an invoice to every portal user of the addressee's company."""
        employer = self.env["res.partner"].create({"name": "Employer", "is_company": True})
        for partner in self.anna | self.ben:
            with self.assertRaisesRegex(ValidationError, "can't be a contact"):
                partner.parent_id = employer

    def test_guarantor_who_works_somewhere_doesnt_share_with_the_colleagues(self):
        employer = self.env["res.partner"].create({"name": "Employer", "is_company": True})
        mother = self.env["res.partner"].create({"name": "Mother", "parent_id": employer.id})
        with self.assertRaisesRegex(ValidationError, "portal users"):
            self.ben.billing_account_ids.guarantor_id = mother
        mother.parent_id = False
        self.ben.billing_account_ids.guarantor_id = mother
        with self.assertRaisesRegex(ValidationError, "portal users"):
            mother.parent_id = employer

    def test_a_company_can_be_guarantor_by_its_invoice_address(self):
        employer = self.env["res.partner"].create({"name": "Employer", "is_company": True})
        for guarantor in (
            employer,
            self.env["res.partner"].create(
                {"name": "Accounts", "parent_id": employer.id, "type": "invoice"}
            ),
        ):
            self.ben.billing_account_ids.guarantor_id = guarantor

    # -- access by link --------------------------------------------------------------------------
    def test_link_needs_no_login_and_shows_number_and_amount_only(self):
        token = self.client_invoice._portal_ensure_token()
        path = f"/my/invoices/{self.client_invoice.id}?access_token={token}"
        page = self._page(path)
        self.assertIn(self.client_invoice.name, page)
        self.assertIn("40.00", page)
        self.assertIn("/web/login?redirect=", page)
        self.assert_nothing_of_the_care(page)
        for report_type in ("html", "pdf", "text"):
            response = self.url_open(f"{path}&report_type={report_type}&download=1")
            self.assertIn("/web/login", response.url, report_type)
            self.assert_nothing_of_the_care(response.text)
        self._login("ben")  # somebody else, who was sent the link
        page = self._page(path)
        self.assertIn("somebody else", page)
        self.assert_nothing_of_the_care(page)

    def test_link_and_login_show_the_invoice(self):
        self._login("anna")
        token = self.client_invoice._portal_ensure_token()
        path = f"/my/invoices/{self.client_invoice.id}?access_token={token}"
        self.assertIn("invoice_html", self._page(path))
        self.assertIn(self.visit_service.name, self._html(self.client_invoice))

    def test_link_to_an_invoice_without_care_shows_all_of_it(self):
        move = self.init_invoice("out_invoice", self.ben, post=True, amounts=[12.0])
        path = f"/my/invoices/{move.id}?access_token={move._portal_ensure_token()}"
        self.assertIn("invoice_html", self._page(path))
        self.assertIn(move.name, self._page(f"{path}&report_type=html"))

    def test_link_opens_no_messages(self):
        move = self.client_invoice
        token = move._portal_ensure_token()
        moves = self.env["account.move"].with_user(self.env.ref("base.public_user"))
        self.assertFalse(moves._get_thread_with_access(move.id, token=token))
        plain = self.init_invoice("out_invoice", self.ben, post=True, amounts=[12.0])
        token = plain._portal_ensure_token()
        self.assertTrue(moves._get_thread_with_access(plain.id, token=token))

    def assert_nothing_of_the_care(self, text):
        self.assert_nothing_clinical(text)
        for secret in (self.visit_service.name, self.service.name, self.provider.name):
            self.assertNotIn(secret, text)

    def test_link_opens_nothing_else(self):
        token = self.client_invoice._portal_ensure_token()
        # nothing else opens with it, nor without it
        for move, query in (
            (self.client_invoice, ""),
            (self.client_invoice, "?access_token=wrong"),
            (self.payer_invoice, f"?access_token={token}"),
            (self.other_invoice, f"?access_token={token}"),
        ):
            response = self.url_open(f"/my/invoices/{move.id}{query}")
            self.assertIn("/web/login", response.url, (move, query))
            self.assertNotIn(move.billing_ref, response.text)

    # -- RPC -------------------------------------------------------------------------------------
    def _own_moves(self, name):
        env = self._act_as(self.users[name])
        return env["account.move"].search([]), env

    def test_portal_reads_none_of_our_models(self):
        """But their own superbills: see test_superbill_portal.py."""
        env = self._act_as(self.users["anna"])
        ours = [
            name
            for name, model in env.registry.items()
            if name.startswith("healthcare.")
            and not model._abstract
            and name != "healthcare.superbill"
        ]
        self.assertIn("healthcare.charge", ours)
        for name in ours:
            with self.subTest(model=name):
                with self.assertRaises(AccessError):
                    env[name].search([], limit=1)
                record = self.env[name].search([], limit=1).with_env(env)
                if record:
                    with self.assertRaises(AccessError):
                        record.read(["display_name"])

    def test_engine_isnt_a_door(self):
        """Public methods of a model without records are guarded by what they read."""
        env = self._act_as(self.users["anna"])
        charges = self.visits.charge_ids.with_env(env)
        with self.assertRaises(AccessError):
            env["healthcare.billing.engine"].plan(charges)
        for method in ("action_view_invoices", "action_batch_invoice", "action_complete"):
            with self.assertRaises(AccessError):
                getattr(self.visits.with_env(env), method)()

    def test_portal_reads_none_of_our_fields(self):
        moves, env = self._own_moves("anna")
        self.assertEqual(moves, self.client_invoice)
        for records in (moves, moves.invoice_line_ids, self.anna.with_env(env)):
            ours = [
                name
                for name, field in records._fields.items()
                if field._modules and set(field._modules) == {ADDON}
            ]
            self.assertTrue(ours)
            visible = set(records.fields_get())
            for name in ours:
                with self.subTest(model=records._name, field=name):
                    self.assertNotIn(name, visible)
                    with self.assertRaises(AccessError):
                        records.read([name])
                    with self.assertRaises(AccessError):
                        records.search([(name, "!=", False)])

    @mute_logger("odoo.http")
    def test_portal_gets_no_name_by_rpc(self):
        """Over the wire: a many2one is read with its name."""
        self._login("clerk")

        def call(model, method, *args, **kwargs):
            return self.make_jsonrpc_request(
                f"/web/dataset/call_kw/{model}/{method}",
                {"model": model, "method": method, "args": args, "kwargs": kwargs},
            )

        move = self.payer_invoice
        self.assertEqual(call("account.move", "read", move.ids, ["name"])[0]["name"], move.name)
        for model, method, *args in (
            ("account.move", "read", move.ids, ["healthcare_client_id"]),
            ("account.move", "web_read", move.ids, {"healthcare_client_id": {"fields": {}}}),
            ("account.move", "web_search_read", [], {"billing_run_id": {}}),
            ("account.move", "read_group", [], ["id:count"], ["healthcare_client_id"]),
            (
                "account.move",
                "search_read",
                [("healthcare_client_id.name", "ilike", "A")],
                ["name"],
            ),
            ("account.move.line", "read", move.line_ids.ids, ["charge_id"]),
            ("account.move.line", "search", [("charge_id.diagnosis_ids.name", "ilike", "Secret")]),
            ("account.move.line", "export_data", move.line_ids.ids, ["charge_id/diagnosis_ids"]),
            ("healthcare.charge", "search_read", [], ["client_id"]),
            ("healthcare.appointment", "name_search", ""),
            ("healthcare.block.reason", "search_read", [], ["name"]),
            ("res.partner", "read", self.anna.ids, ["name"]),
            ("res.partner", "search_read", [("is_healthcare_client", "=", True)], ["name"]),
        ):
            with self.subTest(model=model, method=method, args=args):
                with self.assertRaises(JsonRpcException) as caught:
                    call(model, method, *args)
                error = "UserError" if method == "export_data" else "AccessError"
                self.assertIn(error, str(caught.exception))

    def test_messages_on_the_invoice_say_nothing_clinical(self):
        messages = (self.client_invoice | self.payer_invoice).message_ids
        self.assert_nothing_clinical(" ".join(messages.mapped(lambda m: f"{m.subject} {m.body}")))
        self.assertFalse(
            messages.tracking_value_ids.field_id.filtered(lambda f: f.modules == ADDON)
        )

    def test_invoice_keeps_silent_about_a_missed_visits_reason(self):
        reason = self.env["healthcare.cancel.reason"].create(
            {"code": "SECRET", "name": CLINICAL["cancel reason"], "bill": True}
        )
        visit = self._appointment(
            self.ben, hour=17, state="no_show", cancel_reason_id=reason.id,
            diagnosis_ids=[Command.set(self.diagnosis.ids)],
        )  # fmt: skip
        move = self._execute(visit, post=True).move_ids
        self._login("ben")
        html = self._html(move)
        self.assertIn(move.billing_ref, html)
        self.assert_nothing_clinical(html)
