from odoo.tests import HttpCase, tagged

from .test_superbill import SuperbillCommon


class TherapyMonthCommon(SuperbillCommon, HttpCase):
    """A practice that asks for signed notes, with a client of whom all is known."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # the calendar's today is the browser's, which is UTC
        cls.company.write({"healthcare_tz": "UTC", "healthcare_requires_signed_note": True})
        cls.env.ref("base.group_user").implied_ids |= cls.env.ref(
            "healthcare_billing.group_use_superbills"
        )
        cls.biller = cls._user("billing_user", tz="UTC")

    def _month(self, tour):
        """Run a tour, and prove what it left: one session, invoiced once, on one superbill."""
        self.start_tour("/odoo", tour, login=self.biller.login)
        appointment = self.env["healthcare.appointment"].search([("client_id", "=", self.anna.id)])
        self.assertRecordValues(appointment, [{"state": "completed", "note_state": "signed"}])
        move = appointment.charge_ids.invoice_line_ids.move_id
        self.assertRecordValues(
            move, [{"state": "posted", "amount_total": 80.0, "partner_id": self.anna.id}]
        )
        superbill = self.env["healthcare.superbill"].search([("client_id", "=", self.anna.id)])
        self.assertRecordValues(
            superbill, [{"state": "issued", "amount_charged": 80.0, "move_ids": move.ids}]
        )
        self.assertEqual(superbill.line_ids.charge_id, appointment.charge_ids)


@tagged("post_install", "-at_install")
class TestTherapyMonth(TherapyMonthCommon):
    def test_from_the_session_to_the_superbill(self):
        """Schedule, complete, sign, batch invoice, post, superbill: as the guide tells it."""
        self._month("healthcare_billing_therapy_month_tour")


@tagged("post_install", "-at_install")
class TestTherapyMonthOnThePhone(TherapyMonthCommon):
    browser_size = "390x844"
    touch_enabled = True

    def test_from_the_session_to_the_superbill(self):
        self._month("healthcare_billing_therapy_month_phone_tour")
