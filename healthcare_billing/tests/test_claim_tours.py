from odoo.tests import HttpCase, tagged

from .claim_common import ClaimCommon


class ClaimScreenCommon(ClaimCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.biller = cls._user("billing_user", tz="America/New_York")
        cls.ivy.coverage_ids.member_id = False
        visits = cls._visit() | cls._visit(hour=12, product_id=cls.service.id)
        cls.move = cls._invoices(visits)


@tagged("post_install", "-at_install")
class TestClaimTours(ClaimScreenCommon):
    def test_claim(self):
        """From the invoice to a paid claim, by way of a fix, a rejection and a new version."""
        self.start_tour(
            "/odoo/care-invoices", "healthcare_billing_claim_tour", login=self.biller.login
        )
        claims = self.move.claim_ids.sorted("id")
        self.assertEqual(claims.mapped("state"), ["rejected", "paid"])
        self.assertEqual(claims[1].payer_claim_number, "ICN-42")
        self.assertEqual(claims[1].origin_claim_id, claims[0])
        self.assertEqual(claims[1].line_ids[0].modifier_ids, self.modifiers[0])
        self.assertFalse(self.visit_service.modifier_ids)


@tagged("post_install", "-at_install")
class TestClaimPhoneTours(ClaimScreenCommon):
    browser_size = "390x844"
    touch_enabled = True

    def test_claim_on_the_phone(self):
        """From the invoice, by way of the preview, to a paid claim."""
        self.start_tour(
            "/odoo/care-invoices", "healthcare_billing_claim_phone_tour", login=self.biller.login
        )
        self.assertEqual(self.move.claim_ids.state, "paid")
        self.assertTrue(self.move.group_single_claim)
