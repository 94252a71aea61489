from odoo.tests import HttpCase, tagged

from .common import CareCommon


class CompletenessScreenCommon(CareCommon, HttpCase):
    """A biller, an invoice that was changed by hand, one item to bill, and one parked."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.biller = cls._user("billing_user", tz="America/New_York")
        day = cls.company._care_today()
        alice, bob, cora = (
            cls._client(name) for name in ("Alice Adams", "Bob Brown", "Cora Clark")
        )
        move = cls._execute(cls._appointment(alice, day=day, hour=0.25)).move_ids
        move.invoice_line_ids.filtered("charge_id").price_unit = 70.0
        move.action_post()
        cls._appointment(bob, day=day, hour=0.25)
        cls._appointment(cora, day=day, hour=0.25, parked=True)


@tagged("post_install", "-at_install")
class TestCompletenessTour(CompletenessScreenCommon):
    def test_completeness(self):
        self.start_tour("/odoo", "healthcare_billing_completeness_tour", login=self.biller.login)


@tagged("post_install", "-at_install")
class TestCompletenessPhoneTour(CompletenessScreenCommon):
    browser_size = "390x844"
    touch_enabled = True

    def test_completeness_on_the_phone(self):
        self.start_tour(
            "/odoo/care-completeness",
            "healthcare_billing_completeness_phone_tour",
            login=self.biller.login,
        )
