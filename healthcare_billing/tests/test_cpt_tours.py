from odoo.tests import tagged

from .test_tours import ScreenCommon

LICENSES = "/odoo/action-healthcare_billing.healthcare_cpt_license_action"


class LicenseScreenCommon(ScreenCommon):
    """A billing manager of a practice that uses CPT licenses."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        vendor = cls.env["res.partner"].create({"name": "License Vendor"})
        cls.company.write(
            {"healthcare_license_fee": 20.0, "healthcare_license_vendor_id": vendor.id}
        )
        cls.env["res.config.settings"].create({"group_use_cpt_licenses": True}).execute()
        cls.manager = cls._user("billing_manager", tz="America/New_York")
        cls.licenses = cls.env["healthcare.cpt.license"]

    def _license(self):
        return self.licenses._assign(self.provider, self.today.year)


@tagged("post_install", "-at_install")
class TestCptTours(LicenseScreenCommon):
    def test_assign_bill_and_pay(self):
        """The whole way of a license, and the report of its year."""
        self.start_tour("/odoo", "healthcare_billing_cpt_license_tour", login=self.manager.login)
        licenses = self.licenses.search([("company_id", "=", self.company.id)])
        self.assertEqual(licenses.employee_id, self.provider + self.newcomer)
        self.assertEqual(set(licenses.mapped("state")), {"paid"})
        self.assertEqual(licenses.bill_id.amount_total, 40.0)
        self.assertTrue(self.provider.cpt_access and self.newcomer.cpt_access)

    def test_mend_from_the_draft(self):
        """A draft tells what it lacks, leads there, and can be posted then."""
        cpt_license = self._license()
        cpt_license.action_mark_paid()
        service = self._service("Invented", "0000X", 100.0, code_system="cpt")
        visit = self._visit(self._client("Alice Adams"), product_id=service.id)
        move = self._execute(visit).move_ids
        cpt_license.action_mark_unpaid()
        self.start_tour(
            f"/odoo/care-invoices/{move.id}",
            "healthcare_billing_cpt_mend_tour",
            login=self.manager.login,
        )
        self.assertEqual(move.state, "posted")


@tagged("post_install", "-at_install")
class TestCptPhoneTours(LicenseScreenCommon):
    browser_size = "390x844"
    touch_enabled = True

    def test_assign_bill_and_pay_on_the_phone(self):
        self.start_tour(
            LICENSES, "healthcare_billing_cpt_license_phone_tour", login=self.manager.login
        )
        cpt_license = self.licenses.search([("company_id", "=", self.company.id)])
        self.assertEqual(cpt_license.employee_id, self.provider)
        self.assertEqual((cpt_license.state, cpt_license.year), ("paid", self.today.year))
        self.assertEqual(cpt_license.bill_id.amount_total, 20.0)
