from odoo.exceptions import RedirectWarning, UserError
from odoo.tests import Form, tagged

from .test_credit_rebill import RebillCommon


@tagged("post_install", "-at_install")
class TestCreditRebillDialog(RebillCommon):
    """What the dialog shows is what is billed, to the cent."""

    def _open(self, move):
        wizard = self.env["healthcare.credit.rebill"].browse(
            move.action_credit_and_rebill()["res_id"]
        )
        wizard.reason = "Wrong"
        return wizard

    def _confirm(self, wizard):
        action = wizard.action_confirm()
        if action.get("res_id"):
            return self.env["account.move"].browse(action["res_id"])
        return self.env["account.move"].search(action["domain"])

    def _add_on(self, appointment, price=30.0):
        """A second service charge of an appointment, frozen at its price of today."""
        service = self._service("Add-on", "T1013", price)
        return service, self.env["healthcare.charge"].create(
            {"appointment_id": appointment.id, "product_id": service.id}
        )

    def test_another_service_at_the_old_fee(self):
        """The new service brings its own fee; typing the old one again is typing."""
        charge = self._charge(self._client())
        other = self._service("Other", "T1002", 120.0)
        wizard = self._open(self._bill(charge))
        with Form(wizard) as form, form.line_ids.edit(0) as line:
            line.product_id = other
            self.assertEqual(line.amount, 120.0)
            line.price_unit = 80.0
            self.assertEqual(line.amount, 80.0)
        self.assertEqual(self._confirm(wizard).amount_total, 80.0)
        self.assertEqual((charge.product_id, charge.price_source), (other, "typed"))
        self._proof(charge)

    def test_another_service_with_the_old_units(self):
        charge = self._charge(self._client())
        wizard = self._open(self._bill(charge))
        with Form(wizard) as form, form.line_ids.edit(0) as line:
            line.product_id = self.service
            line.quantity = 1.0
            self.assertEqual(line.amount, 30.0)
        self.assertEqual(self._confirm(wizard).amount_total, 30.0)
        self.assertEqual((charge.quantity, charge.quantity_typed), (1.0, True))

    def test_another_service_without_its_modifier(self):
        modifier = self.env["healthcare.modifier"].search([], limit=1)
        other = self._service("Other", "T1002", 120.0, modifier_ids=[(6, 0, modifier.ids)])
        charge = self._charge(self._client())
        wizard = self._open(self._bill(charge))
        with Form(wizard) as form, form.line_ids.edit(0) as line:
            line.product_id = other
            line.modifier_ids.clear()
        self._confirm(wizard)
        self.assertFalse(charge.modifier_ids)

    def test_another_service_keeps_typed_parts(self):
        charge = self._charge(self._insured_client(copay=20.0))
        other = self._service("Other", "T1002", 120.0)
        wizard = self._open(self._bill(charge)[0])
        with Form(wizard) as form, form.line_ids.edit(0) as line:
            line.product_id = other
            line.amount_client = 20.0
            line.amount_client = 0.0
            line.amount_client = 20.0
        self._confirm(wizard)
        self.assertEqual((charge.amount_client, charge.amount_payer), (20.0, 100.0))
        self._proof(charge)

    def test_r2_another_service_leaves_add_ons_alone(self):
        """A changed list price touches no other charge of the appointment."""
        charge = self._charge(self._client())
        service, add_on = self._add_on(charge.appointment_id)
        other = self._service("Other", "T1002", 120.0)
        old = self._bill(charge, add_on)
        service.list_price = 55.0
        wizard = self._open(old)
        with Form(wizard) as form, form.line_ids.edit(0) as line:
            line.product_id = other
        self.assertEqual(wizard.amount_after, 150.0)
        self.assertEqual(self._confirm(wizard).amount_total, 150.0)
        self.assertEqual(add_on.price_unit, 30.0)
        self.assertEqual(charge.appointment_id.product_id, other)

    def test_r2_an_appointments_new_service_leaves_add_ons_alone(self):
        appointment = self._charge(self._client()).appointment_id
        service, add_on = self._add_on(appointment)
        service.list_price = 55.0
        appointment.product_id = self.service
        self.assertEqual(add_on.price_unit, 30.0)
        self.assertEqual(appointment.charge_ids[0].amount, 120.0)
        appointment.payer_id = self.payer  # who pays decides by which prices
        self.assertEqual(add_on.price_unit, 55.0)

    def test_r2_reprice_leaves_add_ons_alone(self):
        client = self._client(account={"default_product_id": self.visit_service.id})
        appointment = self.env["healthcare.appointment"].create(
            {
                "client_id": client.id,
                "start": self._local(self.today),
                "employee_id": self.provider.id,
            }
        )
        charge = appointment.charge_ids
        service, add_on = self._add_on(appointment)
        service.list_price = 55.0
        client.billing_account_ids.default_product_id = self.service
        proposals = appointment.charge_ids._reprice_proposals()
        self.assertEqual(list(proposals), [charge])
        self.assertFalse(charge._reprice({charge: proposals[charge].mark}))
        self.assertEqual(charge.product_id, self.service)
        self.assertEqual(add_on.price_unit, 30.0)

    def test_what_was_not_corrected_stays(self):
        """Whatever else corrects a charge along with another one is refused, not billed."""
        client = self._client()
        one, two = (self._charge(client, hour=9 + n) for n in range(2))
        old = self._bill(one, two)
        correct = type(one)._correct_for_rebill

        def leak(charge, vals):
            correct(charge, vals)
            two.price_unit = 81.0

        self.patch(type(one), "_correct_for_rebill", leak)
        with self.assertRaisesRegex(UserError, "would change as well"), self.cr.savepoint():
            old._credit_and_rebill({one: {"price_unit": 70.0}})
        self.assertFalse(old.reversal_move_ids)

    def test_a_typed_part_follows_the_fee(self):
        """The party that wasn't typed owes the rest of the new amount."""
        charge = self._charge(self._insured_client(copay=20.0))
        wizard = self._open(self._bill(charge)[0])
        with Form(wizard) as form, form.line_ids.edit(0) as line:
            line.amount_client = 35.0
            line.price_unit = 100.0
            self.assertEqual((line.amount_client, line.amount_payer), (35.0, 65.0))
            line.price_unit = 30.0
            self.assertEqual((line.amount_client, line.amount_payer), (30.0, 0.0))
            line.price_unit = 100.0
            line.amount_payer = 90.0
            line.price_unit = 120.0
            self.assertEqual((line.amount_client, line.amount_payer), (30.0, 90.0))
        self._confirm(wizard)
        self.assertEqual((charge.amount_client, charge.amount_payer), (30.0, 90.0))
        self._proof(charge)

    def test_what_blocks_is_told_with_the_button_that_mends_it(self):
        client = self._client()
        charge = self._charge(client)
        wizard = self._open(self._bill(charge))
        wizard.line_ids.price_unit = 95.0
        client.billing_account_ids.billing_status = "on_hold"
        with self.assertRaises(RedirectWarning) as caught, self.cr.savepoint():
            wizard.action_confirm()
        text, action = caught.exception.args[:2]
        for told in (charge.display_name, self.provider.name, "can't be billed now"):
            self.assertIn(told, text)
        self.assertEqual(
            (action["res_model"], action["res_id"]),
            ("healthcare.billing.account", client.billing_account_ids.id),
        )
