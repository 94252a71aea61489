from odoo.tests import HttpCase, tagged

from .receivable_common import ReceivableCommon


@tagged("post_install", "-at_install")
class TestReceivableTours(ReceivableCommon, HttpCase):
    """Open receivables and aged receivables on the screen of a billing user."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("base.group_user").implied_ids |= cls.env.ref(
            "healthcare_billing.group_use_statements"
        )
        cls.biller = cls._user("billing_user", tz="America/New_York")
        cls.visit = cls._appointment(cls.anna)
        move = cls._execute(cls.visit, post=True).move_ids
        cls._pay(move, 20.0)

    def test_receivable_tour(self):
        self.start_tour(
            "/odoo/care-receivables", "healthcare_billing_receivable_tour", login=self.biller.login
        )
        self.assertTrue(self.visit.charge_ids.returned_client)
        self.assertTrue(self.visit.parked)
        self.assertEqual(self.visit.activity_ids.user_id, self.biller)

    def test_aged_tour(self):
        self.start_tour(
            "/odoo/care-aged-receivables", "healthcare_billing_aged_tour", login=self.biller.login
        )
