from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import HttpCase, tagged

from ..models import account_move_production_report as report
from .production_common import ProductionCommon


class ProductionScreens(ProductionCommon, HttpCase):
    """A biller in front of bills: two to approve, one of a future day, one that failed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("base.group_user").implied_ids |= cls.env.ref(
            "healthcare_billing.group_use_mass_billing"
        )
        cls.accounts = [
            cls._matter(name, work=(fee,))
            for name, fee in (("Anna", 100.0), ("Ben", 110.0), ("Cora", 120.0), ("Dora", 130.0))
        ]
        cls.anna, cls.ben, cls.cora, cls.dora = cls._drafts(*cls.accounts)
        cls.accounts[3].delivery_email = "full@example.com"
        cls.dora._approve_bills()
        cls.dora._set_delivery(
            "failed",
            "E-mail not delivered: mailbox is full",
            delivery_document="invoice",
            produced_on=fields.Datetime.now(),
            production_by_email=True,
        )

    def _move_cora_to_the_future(self):
        self.cora.with_context(skip_is_manually_modified=True).invoice_date = (
            fields.Date.context_today(self.cora) + timedelta(days=2)
        )


@tagged("post_install", "-at_install")
class TestProductionTour(ProductionScreens):
    @patch.object(report, "PDF_PART", 2)
    def test_r25_drafts_to_production(self):
        self.accounts[0].print_copies = "1"
        self._move_cora_to_the_future()
        self.start_tour(
            "/odoo/draft-bills",
            "healthcare_billing_bill_production_tour",
            login=self.biller.login,
        )
        bills = self.anna | self.ben
        self.assertEqual(bills.mapped("production_state"), ["production"] * 2)
        for account in self.accounts[:2]:
            self.assertEqual(account.delivery_email, "desk@example.com")
        self.assertEqual((self.cora | self.dora).mapped("production_state"), ["draft"] * 2)
        self._send()
        self.assertEqual(bills.mapped("production_state"), ["produced"] * 2)


@tagged("post_install", "-at_install")
class TestBillInPortal(ProductionScreens):
    def test_r25_the_portal_shows_the_template_of_the_bill(self):
        name = "healthcare_billing.test_own_bill"
        self.env["ir.ui.view"].sudo().create(
            {
                "name": name,
                "key": name,
                "type": "qweb",
                "arch": f"<t t-name='{name}'><html><body>Own template</body></html></t>",
            }
        )
        report = self.env.ref("account.account_invoices").sudo()
        self.dora.invoice_template_id = report.copy({"name": "Own", "report_name": name})
        self.authenticate(self.biller.login, self.biller.login)
        for bill, shown in ((self.dora, True), (self.anna, False)):
            response = self.url_open(f"/my/invoices/{bill.id}?report_type=html")
            self.assertEqual(response.status_code, 200)
            self.assertIs("Own template" in response.text, shown)


@tagged("post_install", "-at_install")
class TestProductionPhoneTour(ProductionScreens):
    browser_size = "390x844"
    touch_enabled = True

    def test_r25_production_on_the_phone(self):
        (self.anna | self.ben)._approve_bills()
        self.start_tour(
            "/odoo/bill-production",
            "healthcare_billing_bill_production_phone_tour",
            login=self.biller.login,
        )
        self.assertEqual(self.accounts[0].delivery_email, "desk@example.com")
        self.assertEqual(self.ben.production_state, "produced")
        self._send()
        self.assertEqual((self.anna | self.dora).mapped("production_state"), ["produced"] * 2)

    def test_r25_draft_bills_on_the_phone(self):
        self._move_cora_to_the_future()
        self.start_tour(
            "/odoo/draft-bills",
            "healthcare_billing_draft_bills_phone_tour",
            login=self.biller.login,
        )
        self.assertEqual((self.anna | self.ben).mapped("production_state"), ["production"] * 2)
        self.assertEqual(self.cora.production_state, "draft")
