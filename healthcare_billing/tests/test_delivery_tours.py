from odoo.tests import HttpCase, tagged

from .test_delivery import DeliveryCommon

PROCESS = "/odoo/action-healthcare_billing.healthcare_invoice_processing_action"


class ProcessingScreenCommon(DeliveryCommon, HttpCase):
    """A biller in front of three invoices: one to send, a draft, and one without an address."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("base.group_user").implied_ids |= cls.env.ref(
            "healthcare_billing.group_use_superbills"
        )
        clients = {
            name: cls._client(name, email=email)
            for name, email in (
                ("Anna Adams", "anna@example.com"),
                ("Ben Brown", "ben@example.com"),
                ("Cora Clark", False),
            )
        }
        cls.anna_invoice = cls._invoice(clients["Anna Adams"])
        cls.ben_invoice = cls._invoice(clients["Ben Brown"], post=False)
        cls.cora_invoice = cls._invoice(clients["Cora Clark"])

    def _assert_queued(self):
        self.assertEqual(self.anna_invoice.delivery_state, "queued")
        self.assertEqual(self.ben_invoice.delivery_state, "queued")
        self.assertEqual(self.ben_invoice.state, "posted")
        self.assertEqual(self.cora_invoice.delivery_state, "no_address")
        self.assertEqual(
            self.anna_invoice.sending_data["author_user_id"], self.biller.id, "as who clicked"
        )


@tagged("post_install", "-at_install")
class TestProcessingTour(ProcessingScreenCommon):
    def test_process_existing_invoices(self):
        self.start_tour(
            "/odoo", "healthcare_billing_invoice_processing_tour", login=self.biller.login
        )
        self._assert_queued()


@tagged("post_install", "-at_install")
class TestProcessingPhoneTour(ProcessingScreenCommon):
    browser_size = "390x844"
    touch_enabled = True

    def test_process_existing_invoices_on_the_phone(self):
        self.start_tour(
            PROCESS, "healthcare_billing_invoice_processing_phone_tour", login=self.biller.login
        )
        self._assert_queued()
