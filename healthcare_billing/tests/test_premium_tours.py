from odoo.tests import HttpCase, tagged

from .cycle_common import CycleInvoicesCommon


class PremiumScreenCommon(CycleInvoicesCommon, HttpCase):
    """A client, and services that premiums bill."""

    suffix = "tour"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("base.group_user").implied_ids |= cls.env.ref(
            "healthcare_billing.group_use_billing_cycles"
        )
        cls.manager = cls._user("billing_manager", tz="America/New_York")
        cls.coordinator = cls._user("coordinator", tz="America/New_York")
        cls.extra = cls._service("Evening extra", "S0215", 10.0, unit_rule="visit")
        cls.meals = cls._service("Meals", "S5170", 7.0, unit_rule="visit")
        cls.anna = cls._client("Anna Adams")
        cls.account = cls.anna.billing_account_ids

    @classmethod
    def _premium(cls, name, rule):
        return cls.env["healthcare.premium"].create(
            {"name": name, "rule": rule, "product_id": cls.extra.id}
        )

    def _tour(self, path, name, user=None):
        name = f"healthcare_billing_{name}_{self.suffix}"
        user = user or self.coordinator
        self.start_tour(f"/odoo/{path}", name, login=user.login, timeout=180)


@tagged("post_install", "-at_install")
class TestPremiumTours(PremiumScreenCommon):
    """Premiums under Configuration, on account and visit, and of a cycle: at a desk."""

    def test_premium(self):
        self._tour("care-premiums", "premium", self.manager)
        premium = self.env["healthcare.premium"].search([("name", "=", "Evening")])
        self.assertEqual((premium.rule, premium.product_id), ("window", self.extra))
        self.assertEqual((premium.hour_from, premium.hour_to), (17.5, 22.0))

    def test_client_premium(self):
        self._tour(f"healthcare.billing.account/{self.account.id}", "client_premium")
        premium = self.account.client_premium_ids
        self.assertEqual((premium.product_id, premium.period), (self.meals, "month"))
        self.assertEqual(premium.quantity, 2.0)

    def test_manual_premium(self):
        premium = self._premium("Two persons", "manual")
        visit = self._appointment(self.anna)
        self._tour(f"care-appointments/{visit.id}", "manual_premium")
        charge = visit._premium_charges()
        self.assertEqual((charge.premium_id, charge.premium_by_hand), (premium, True))
        self.assertEqual(charge.amount, 10.0)

    def test_premiums_of_a_cycle(self):
        self._premium("Every", "visit")
        self._appointment(self.anna)
        premium = self.env["healthcare.client.premium"].create(
            {"account_id": self.account.id, "product_id": self.meals.id, "date_from": self.first}
        )
        self._tour(f"care-billing-cycles/{self.cycle.id}", "cycle_premiums", self.manager)
        self.assertEqual(premium.charge_ids.service_date, self.first)


@tagged("post_install", "-at_install")
class TestPremiumToursOnPhone(TestPremiumTours):
    """The same in the hand."""

    browser_size = "390x844"
    touch_enabled = True
    suffix = "phone_tour"


@tagged("post_install", "-at_install")
class TestApplyPremiumsTour(PremiumScreenCommon):
    """A new premium for visits that were there before: chosen in the list."""

    def test_apply_premiums(self):
        visit = self._appointment(self.anna)
        every = self._premium("Every", "visit")
        self.assertFalse(visit._premium_charges())
        self._tour("care-appointments?view_type=list", "apply_premiums")
        self.assertEqual(visit._premium_charges().premium_id, every)
