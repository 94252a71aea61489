import unittest

from odoo.fields import Command
from odoo.tests import HttpCase

from odoo.addons.mail.tests.common import mail_new_test_user

from .statement_print_common import CONFIDENTIAL, StatementPrintCommon


class StatementPortalCommon(StatementPrintCommon, HttpCase):
    """A client, another one, a payer's clerk, and their logins."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = cls.env["res.partner"].create(
            {"name": "Payer's Clerk", "parent_id": cls.payer.id}
        )
        cls.child = cls.env["res.partner"].create(
            {"name": "Anna's Contact", "parent_id": cls.anna.id}
        )
        cls.visit = cls._appointment(cls.anna, billing_note=CONFIDENTIAL["billing note"])
        cls._execute(cls.visit, post=True)
        cls.statement = cls._statement(cls.anna)
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
                ("clerk", cls.clerk),
                ("child", cls.child),
            )
        }

    def _login(self, name):
        self.authenticate(self.users[name].login, self.users[name].login)

    def _url(self, suffix="", statement=None):
        return f"/my/statements/{(statement or self.statement).id}{suffix}"

    def _link(self, statement=None, extra=""):
        statement = statement or self.statement
        return self._url(f"?access_token={statement._portal_ensure_token()}{extra}", statement)

    def _page(self, url):
        response = self.url_open(url)
        self.assertEqual(response.status_code, 200, url)
        self.assertNothingConfidential(response.text)
        return response.text


class StatementPaymentCommon(StatementPortalCommon):
    """Statements that can be paid online, by the provider that is there for trying things out."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        demo = cls.env["ir.module.module"]._get("payment_demo")
        if demo.state not in ("installed", "to upgrade"):
            raise unittest.SkipTest("payment_demo isn't installed: there is nothing to pay with")
        # sudo: providers of another company
        template = cls.env.ref("payment.payment_provider_demo").sudo()
        cls.provider_demo = template.copy(
            {"company_id": cls.company.id, "state": "test", "is_published": True}
        )
        cls.provider_demo.journal_id = cls.company_data["default_journal_bank"]
        cls.method = (
            cls.env["payment.method"]
            .sudo()
            .with_context(active_test=False)
            .search([("code", "=", "demo")], limit=1)
        )
        cls.method.active = True
        cls.provider_demo.payment_method_ids = cls.method

    def _begin(self, amount=80.0, statement=None, token=None, **kwargs):
        """Begin a payment, as the page does; returns the transaction."""
        statement = statement or self.statement
        values = self.make_jsonrpc_request(
            self._url("/transaction", statement),
            {
                "access_token": token or statement._portal_ensure_token(),
                "amount": amount,
                "provider_id": self.provider_demo.id,
                "payment_method_id": self.method.id,
                "token_id": None,
                "flow": "direct",
                "tokenization_requested": False,
                "landing_route": "/somewhere/else",
                **kwargs,
            },
        )
        return self.env["payment.transaction"].search([("reference", "=", values["reference"])])

    def _notify(self, transaction):
        """What the provider tells, and what core does then."""
        transaction._process(
            "demo", {"reference": transaction.reference, "simulated_state": "done"}
        )
        transaction._post_process()
        self.env.invalidate_all()

    def _pay_online(self, amount=80.0, **kwargs):
        transaction = self._begin(amount, **kwargs)
        self._notify(transaction)
        return transaction
