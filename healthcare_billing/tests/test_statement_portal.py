from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import JsonRpcException, tagged
from odoo.tools import mute_logger

from .statement_portal_common import StatementPaymentCommon, StatementPortalCommon
from .statement_print_common import CONFIDENTIAL

# What a statement is about: who only holds its link learns nothing of it.
CARE = ("Nursing", "T1001", "Anna", "03/03/2025", "INV/")


@tagged("post_install", "-at_install")
class TestStatementPortal(StatementPortalCommon):
    """Addressees see their own statements; the link shows number and amount; others see nothing."""

    def setUp(self):
        super().setUp()
        # the drawing itself is tested in test_statement_print.py
        self.enterContext(
            patch.object(
                self.registry["ir.actions.report"],
                "_run_wkhtmltopdf",
                lambda *_args, **_options: b"%PDF-1.4 drawn",
            )
        )

    # -- own ones --------------------------------------------------------------------------------
    def test_addressee_sees_and_prints(self):
        self._login("anna")
        self.assertIn(self.statement.name, self._page("/my/statements"))
        page = self._page(self._url())
        for text in (self.statement.name, "80.00", "Nursing"):
            self.assertIn(text, page)
        for suffix, disposition in (("/pdf", "inline"), ("/pdf?download=1", "attachment")):
            pdf = self.url_open(self._url(suffix))
            self.assertEqual(pdf.headers["Content-Type"], "application/pdf")
            self.assertTrue(pdf.headers["Content-Disposition"].startswith(disposition))
            self.assertTrue(pdf.content.startswith(b"%PDF"))

    def test_card_on_the_home_page(self):
        for name, count in (("anna", 1), ("ben", 0), ("clerk", 0), ("child", 0)):
            self._login(name)
            self.assertIn("/my/statements", self.url_open("/my/home").text)
            counters = self.make_jsonrpc_request("/my/counters", {"counters": ["statement_count"]})
            self.assertEqual(counters["statement_count"], count, name)

    def test_many_pages(self):
        for hour in range(4, 8):
            charge = self._charge(self.ben, hour=hour)
            self._execute(charge, post=True)
            self._statement(self.ben, charge)
        self._login("ben")
        with patch("odoo.addons.portal.controllers.portal.CustomerPortal._items_per_page", 3):
            first = self._page("/my/statements")
            second = self._page("/my/statements/page/2?sortby=name")
        self.assertEqual((first.count(">ST"), second.count(">ST")), (3, 1))
        self.assertEqual(self.url_open("/my/statements?sortby=nonsense").status_code, 200)

    def test_billers_look_at_the_page_too(self):
        user = self._user("billing_user")
        self.authenticate(user.login, user.login)
        self.assertIn("Nursing", self._page(self._url()))

    # -- not others' -----------------------------------------------------------------------------
    def _assert_refused(self, statement=None):
        statement = statement or self.statement
        for suffix in ("", "/pdf", "/pdf?download=1"):
            response = self.url_open(self._url(suffix, statement))
            self.assertNotEqual(response.headers.get("Content-Type"), "application/pdf", suffix)
            self.assertNotIn(statement.name, response.text, suffix)
            self.assertNotIn("Nursing", response.text, suffix)

    def test_others_see_nothing(self):
        """Another client, a contact of the addressee, and a clerk of the payer."""
        for name in ("ben", "child", "clerk"):
            with self.subTest(user=name):
                self._login(name)
                self.assertNotIn(self.statement.name, self._page("/my/statements"))
                self._assert_refused()
                page = self._page(self._link())
                self.assertIn("logged in as somebody else", page)
                self.assertNotIn("Nursing", page)

    def test_a_payers_clerk_sees_no_statement_of_the_payer(self):
        """The payer's statement names patients; its contacts share its commercial partner."""
        client = self._insured_client("Ines", copay=20.0)
        self._execute(self._charge(client), post=True)
        theirs = self._statement(self.payer)
        self._login("clerk")
        self.assertNotIn(theirs.name, self._page("/my/statements"))
        self._assert_refused(theirs)

    def test_other_billers_see_no_statement_of_another_company(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        user = self._user("billing_user")
        user.write({"company_ids": [Command.set(other.ids)], "company_id": other.id})
        self.authenticate(user.login, user.login)
        self._assert_refused()

    def test_drafts_and_canceled_ones_are_not_shown(self):
        self._login("anna")
        for state in ("draft", "canceled"):
            self.statement.sudo().state = state
            self.assertNotIn(self.statement.name, self._page("/my/statements"))
            self._assert_refused()
            self.assertNotIn(self.statement.name, self._page(self._link()))

    # -- the link --------------------------------------------------------------------------------
    def test_link_shows_number_and_amount_only(self):
        self._assert_refused()
        page = self._page(self._link())
        self.assertIn(self.statement.name, page)
        self.assertIn("80.00", page)
        self.assertIn(f"/web/login?redirect=/my/statements/{self.statement.id}", page)
        for text in CARE:
            self.assertNotIn(text, page)
        wrong = self._page(self._url("?access_token=wrong"))
        self.assertNotIn(self.statement.name, wrong)
        self.assertEqual(self.url_open("/my/statements/999999999").status_code, 200)

    @mute_logger("odoo.http")
    def test_link_opens_no_messages(self):
        self.statement.message_post(body=CONFIDENTIAL["memo"], subtype_xmlid="mail.mt_comment")
        token = self.statement._portal_ensure_token()
        for params in ({}, {"token": token}, {"access_token": token}):
            try:
                answer = self.make_jsonrpc_request(
                    "/mail/thread/messages",
                    {
                        "thread_model": "healthcare.statement",
                        "thread_id": self.statement.id,
                        **params,
                    },
                )
            except JsonRpcException:
                continue
            self.assertNotIn(CONFIDENTIAL["memo"], str(answer))

    def test_portal_users_read_nothing_by_rpc(self):
        for name in ("anna", "ben", "clerk"):
            env = self._act_as(self.users[name])
            for model in ("healthcare.statement", "healthcare.statement.line"):
                with self.assertRaises(AccessError):
                    env[model].search([])
            with self.assertRaises(AccessError):
                self.statement.with_env(env)._printed()
            with self.assertRaises(AccessError):
                self.statement.with_env(env)._pdf_contents()

    # -- without payment providers ---------------------------------------------------------------
    def test_without_providers_nothing_is_paid_online(self):
        self.assertFalse(self.statement._payment_providers())
        self.assertEqual(self.statement._pay_url(), "")
        page = self._page(self._link())
        self.assertIn("paid online", page)
        self.assertNotIn('name="amount"', page)


@tagged("post_install", "-at_install")
class TestStatementPayment(StatementPaymentCommon):
    """Statements are paid online: all, or a chosen amount; the money goes to the items, once."""

    def test_link_and_code_on_the_print(self):
        document = self.statement._printed()[0]
        self.assertIn(f"/my/statements/{self.statement.id}?access_token=", document.pay_url)
        self.assertTrue(document.pay_qr.startswith("data:image/png;base64,"))
        html = self._html(self.statement)
        self.assertIn("Pay online", html)
        self.statement.sudo().state = "paid"
        self.assertNotIn("Pay online", self._html(self.statement))

    def test_page_takes_an_amount_then_shows_the_ways_to_pay(self):
        page = self._page(self._link())
        self.assertIn('name="amount"', page)
        self.assertNotIn("o_payment_form", page)
        page = self._page(self._link(extra="&payment=1&amount=30.5"))
        self.assertIn('id="o_payment_form"', page)
        self.assertIn('data-amount="30.5"', page)
        for text in CARE:
            self.assertNotIn(text, page)
        for wrong in ("-5", "0", "80.01", "nan", "inf", "x"):
            page = self._page(self._link(extra=f"&payment=1&amount={wrong}"))
            self.assertNotIn('id="o_payment_form"', page, wrong)
            self.assertIn("invalid-feedback", page, wrong)

    def test_paid_in_full_closes_the_statement(self):
        transaction = self._pay_online()
        charge = self.visit.charge_ids
        self.assertEqual(transaction.reference, self.statement.name)
        self.assertEqual(transaction.partner_id, self.anna)
        self.assertIn("/my/statements/", transaction.landing_route)
        payment = transaction.payment_id
        self.assertEqual(payment.payment_transaction_id, transaction)
        self.assertEqual(payment.partner_id, self.anna)
        self.assertEqual((payment.amount, payment.state), (80.0, "paid"))
        self.assertEqual(charge.amount_residual, 0.0)
        self.assertEqual(charge.billing_stage, "finished")
        self.assertEqual(self.statement.state, "paid")
        self.assertIn("closed", self._page(self._link()))
        self.assertProof()

    def test_a_chosen_amount_leaves_the_rest_open(self):
        other = self._charge(self.anna, hour=15)
        self._execute(other, post=True)
        statement = self._statement(self.anna)
        self._pay_online(100.0, statement=statement)
        self.assertEqual(statement.state, "committed")
        self.assertEqual(statement._amount_to_pay(), 60.0)
        self._pay_online(60.0, statement=statement)
        self.assertEqual((self.visit.charge_ids | other).mapped("amount_residual"), [0.0, 0.0])
        self.assertEqual(statement.state, "paid")
        self.assertProof()

    def test_notified_twice_pays_once(self):
        transaction = self._pay_online(50.0)
        payment = transaction.payment_id
        self._notify(transaction)
        transaction._post_process()
        self.assertEqual(transaction.payment_id, payment)
        payments = self.env["account.payment"].search([("partner_id", "=", self.anna.id)])
        self.assertEqual(payments, payment)
        self.assertEqual(self.statement._amount_to_pay(), 30.0)
        self.assertProof()

    def test_paid_elsewhere_meanwhile_is_on_account(self):
        """Two browser tabs: the second payment finds nothing open."""
        first, second = self._begin(80.0), self._begin(80.0)
        self._notify(first)
        self._notify(second)
        self.assertEqual(second.payment_id.amount, 80.0)
        self.assertEqual(second.payment_id.partner_id, self.anna)
        self.assertEqual(self.visit.charge_ids.amount_residual, 0.0)
        open_credit = sum(
            self.env["account.move.line"]
            .search(
                [
                    ("partner_id", "=", self.anna.id),
                    ("account_type", "=", "asset_receivable"),
                    ("parent_state", "=", "posted"),
                ]
            )
            .mapped("amount_residual")
        )
        self.assertEqual(open_credit, -80.0)
        activity = self.statement.activity_ids
        self.assertIn("Online payment", activity.summary)
        self.assertProof()

    def test_somebody_else_pays_by_the_link(self):
        """The money is the addressee's, whoever pays; saved cards are the payer's own."""
        self._login("ben")
        transaction = self._pay_online()
        self.assertEqual(transaction.partner_id, self.ben)
        self.assertEqual(transaction.payment_id.partner_id, self.anna)
        self.assertEqual(self.visit.charge_ids.amount_residual, 0.0)
        self.assertProof()

    @mute_logger("odoo.http")
    def test_wrong_links_and_amounts_begin_nothing(self):
        before = self.env["payment.transaction"].search_count([])
        for vals in (
            {"token": "wrong"},
            {"amount": 80.01},
            {"amount": 0.0},
            {"amount": -1.0},
            {"amount": "nan"},
            {"amount": None},
            {"flow": "token", "token_id": 1},
            {"custom_create_values": {"state": "done"}},
        ):
            with self.subTest(vals), self.assertRaises(JsonRpcException):
                self._begin(**vals)
        self.statement.sudo().state = "canceled"
        with self.assertRaises(JsonRpcException):
            self._begin()
        self.assertEqual(self.env["payment.transaction"].search_count([]), before)

    def test_public_sees_no_saved_cards_and_saves_none(self):
        card = self.env["payment.token"].create(
            {
                "provider_id": self.provider_demo.id,
                "payment_method_id": self.method.id,
                "partner_id": self.anna.id,
                "provider_ref": "card",
                "payment_details": "4242",
                "active": True,
            }
        )
        extra = "&payment=1&amount=80"
        self.assertNotIn(card.payment_details, self._page(self._link(extra=extra)))
        self.assertFalse(self._begin(tokenization_requested=True).tokenize)
        self._login("anna")
        self.assertIn(card.payment_details, self._page(self._link(extra=extra)))

    def test_declined_payment_moves_nothing(self):
        transaction = self._begin()
        for state in ("error", "cancel"):
            with mute_logger("odoo.addons.payment.models.payment_transaction"):
                transaction._process(
                    "demo", {"reference": transaction.reference, "simulated_state": state}
                )
            transaction._post_process()
        self.assertFalse(transaction.payment_id)
        self.assertEqual(self.statement._amount_to_pay(), 80.0)
        self.assertEqual(self.statement.state, "committed")

    def test_statement_that_cant_take_the_money_keeps_it_on_account(self):
        transaction = self._begin()
        self.statement.sudo().state = "canceled"
        self._notify(transaction)
        payment = transaction.payment_id
        self.assertEqual((payment.amount, payment.partner_id), (80.0, self.anna))
        self.assertEqual(self.visit.charge_ids.amount_residual, 80.0)
        self.assertTrue(self.statement.activity_ids)
        self.assertProof()
