from datetime import timedelta

from odoo.tests import HttpCase, tagged

from .common import CareCommon


class AccrualScreenCommon(CareCommon, HttpCase):
    """A billing manager, and care of this month: ready, parked and rejected."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls._user("billing_manager", tz="America/New_York")
        cls.company.healthcare_accrual_account_id = cls.env["account.account"].create(
            {"code": "123400", "name": "Accrued revenue", "account_type": "asset_current"}
        )
        day = cls.company._care_today()
        for name, vals in (
            ("Alice Adams", {}),
            ("Bob Brown", {"parked": True}),
            ("Cora Clark", {"approval_state": "rejected"}),
        ):
            cls._appointment(cls._client(name), day=day, hour=0.25, **vals)

    def _accrual_tour(self, name):
        self.start_tour("/odoo/care-completeness", name, login=self.manager.login)
        return self.env["healthcare.accrual"].search([("company_id", "=", self.company.id)])


@tagged("post_install", "-at_install")
class TestAccrualTour(AccrualScreenCommon):
    def test_accrual_tour(self):
        accrual = self._accrual_tour("healthcare_billing_accrual_tour")
        self.assertEqual((accrual.amount, accrual.live), (160.0, False))
        self.assertEqual(accrual.reversal_id.date - accrual.move_id.date, timedelta(days=1))


@tagged("post_install", "-at_install")
class TestAccrualPhoneTour(AccrualScreenCommon):
    browser_size = "390x844"
    touch_enabled = True

    def test_accrual_on_the_phone(self):
        accrual = self._accrual_tour("healthcare_billing_accrual_phone_tour")
        self.assertEqual((accrual.amount, accrual.live), (160.0, True))
