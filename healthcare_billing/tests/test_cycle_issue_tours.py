from odoo.tests import HttpCase, tagged

from .test_cycle_issues import CycleIssueCommon


class CycleIssueScreenCommon(CycleIssueCommon, HttpCase):
    """A visit without a service, a parked one, and one whose service has no code."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.biller.group_ids |= cls.env.ref("product.group_product_manager")
        cls.bob, cls.cora = (cls._client(name) for name in ("Bob Brown", "Cora Clark"))
        cls.no_service = cls._visit(cls.alice, product_id=False)
        cls.parked = cls._visit(cls.bob, parked=True)
        cls.uncoded = cls._visit(cls.cora, product_id=cls._service("Call", False, 5.0).id)

    def _issues_tour(self, name):
        check = self._check()
        self.start_tour(f"/odoo/healthcare.cycle.check/{check.id}", name, login=self.biller.login)


@tagged("post_install", "-at_install")
class TestCycleIssueTour(CycleIssueScreenCommon):
    def test_issues(self):
        self._issues_tour("healthcare_billing_cycle_issue_tour")
        self.assertEqual(self.no_service.product_id, self.visit_service)
        self.assertFalse(self.parked.parked)
        self.assertEqual(self.uncoded.product_id.default_code, "X-1")


@tagged("post_install", "-at_install")
class TestCycleIssuePhoneTour(CycleIssueScreenCommon):
    browser_size = "390x844"
    touch_enabled = True

    def test_issues_on_the_phone(self):
        self._issues_tour("healthcare_billing_cycle_issue_phone_tour")
        self.assertFalse(self.parked.parked)
