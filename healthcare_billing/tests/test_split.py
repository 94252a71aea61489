from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.healthcare_billing.models.healthcare_charge_transfer import TRANSFER

from .common import A_DAY, CareCommon

cents = st.integers(0, 100_000).map(lambda value: value / 100)


@tagged("post_install", "-at_install")
class TestSplit(CareCommon):
    """Who owes a charge: the parts of client and payers always add up to its amount."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.two_payers_client, cls.second_payer = cls._two_payers()

    @classmethod
    def _two_payers(cls):
        client = cls._insured_client("Twice Insured", copay=15.0)
        second = cls._payer("Second Insurance")
        coverage = cls._coverage(client, second, sequence=20)
        client.billing_account_ids.coverage_ids = [Command.link(coverage.id)]
        return client, second

    def assertParts(self, charge, client, payer, secondary=0.0):
        charge.ensure_one()
        self.assertEqual(
            (charge.amount_client, charge.amount_payer, charge.amount_secondary),
            (client, payer, secondary),
        )
        self.assertSum(charge)

    def assertSum(self, charge):
        total = charge.amount_client + charge.amount_payer + charge.amount_secondary
        self.assertEqual(charge.currency_id.compare_amounts(total, charge.amount), 0)

    def _child(self, charge, **vals):
        charges = self.env["healthcare.charge"].with_context(healthcare_transfer=TRANSFER)
        return charges.create({"parent_id": charge.id} | vals)

    # -- defaults -------------------------------------------------------------------------------

    def test_r2_changed_copay_touches_no_charge(self):
        client = self._insured_client("Frozen", copay=20.0)
        charge = self._charge(client)
        client.coverage_ids.copay_amount = 7.0
        self.env["healthcare.charge"].create(
            {
                "appointment_id": charge.appointment_id.id,
                "product_id": self.service.id,
                "kind": "service",
            }
        )
        charge.quantity = 2.0
        self.assertEqual(charge.amount_client, 20.0)
        self.assertEqual(self._charge(client, hour=15).amount_client, 7.0)

    def test_without_payer_the_client_owes_all(self):
        self.assertParts(self._charge(self._client()), 80.0, 0.0)

    def test_with_payer_and_no_copay_the_payer_owes_all(self):
        self.assertParts(self._charge(self._insured_client()), 0.0, 80.0)

    def test_copay_is_the_clients(self):
        self.assertParts(self._charge(self._insured_client(copay=15.0)), 15.0, 65.0)

    def test_copay_is_never_more_than_the_charge(self):
        charge = self._charge(self._insured_client(copay=100.0))
        self.assertParts(charge, 80.0, 0.0)
        charge.price_unit = 0.0
        self.assertParts(charge, 0.0, 0.0)

    def test_copay_of_an_expired_coverage_is_none(self):
        client = self._insured_client(copay=15.0)
        client.coverage_ids.date_to = "2025-03-02"
        self.assertParts(self._charge(client), 0.0, 80.0)
        client.coverage_ids.date_to = A_DAY  # the last day counts
        self.assertParts(self._charge(client, hour=14), 15.0, 65.0)

    def test_copay_of_another_payers_coverage_is_none(self):
        client = self._insured_client()
        coverage = self._coverage(client, self._payer("Other"), copay_amount=15.0)
        client.billing_account_ids.coverage_ids = [Command.link(coverage.id)]
        self.assertParts(self._charge(client), 0.0, 80.0)

    def test_copay_counts_once_per_appointment(self):
        appointment = self._appointment(self._insured_client(copay=15.0))
        first = appointment.charge_ids
        second = self.env["healthcare.charge"].create(
            {"appointment_id": appointment.id, "product_id": self.service.id}
        )
        self.assertParts(first, 15.0, 65.0)
        self.assertParts(second, 0.0, 30.0)
        second.quantity = 2.0
        self.assertParts(second, 0.0, 60.0)
        self.assertEqual(appointment.amount_client, 15.0)

    def test_copay_in_company_currency_on_a_charge_in_another(self):
        eur = self.setup_other_currency("EUR")
        self._fee_schedule({self.visit_service: 65.0}, currency_id=eur.id)
        charge = self._charge(self._insured_client(copay=15.0))
        self.assertEqual(charge.currency_id, eur)
        self.assertParts(charge, 30.0, 35.0)  # 2 EUR per company currency
        self.assertEqual(charge.appointment_id.amount_client, 15.0)

    def test_payer_that_bills_the_client_leaves_all_to_the_client(self):
        self.payer.invoicing_model = "client_individual"
        self.assertParts(self._charge(self._insured_client(copay=15.0)), 80.0, 0.0)

    def test_no_service_no_debt(self):
        appointment = self._appointment(self._client(), product_id=False, state="scheduled")
        self.assertFalse(appointment.charge_ids)
        appointment.action_complete()
        self.assertParts(appointment.charge_ids, 0.0, 0.0)
        self.assertEqual(self._codes(appointment), {"missing_service"})

    # -- R7 -------------------------------------------------------------------------------------

    def test_r7_no_show_and_late_cancel_are_the_clients_alone(self):
        client = self._insured_client(copay=15.0)
        for state in ("no_show", "late_canceled"):
            with self.subTest(state=state):
                charge = self._charge(client, state=state)
                self.assertParts(charge, 80.0, 0.0)
                self.assertEqual(charge.billing_stage, "billing_office")
                appointment = self._appointment(client, state="scheduled")
                self.assertParts(appointment.charge_ids, 15.0, 65.0)
                appointment.state = state
                self.assertParts(appointment.charge_ids, 80.0, 0.0)

    def test_r7_no_show_goes_to_the_billing_contact(self):
        parent = self.env["res.partner"].create({"name": "Parent"})
        client = self._insured_client(copay=15.0, account={"guarantor_id": parent.id})
        (invoice,) = self._plan(self._charge(client, state="no_show")).invoices
        self.assertEqual(invoice.partner_id, parent.id)
        self.assertEqual(dict(invoice.amounts), {"client": 80.0})

    def test_r7_no_show_needs_nothing_that_only_a_payer_asks_for(self):
        self.payer.write({"requires_authorization": True, "requires_approval": True})
        client = self._insured_client(account={"diagnosis_ids": False})
        client.coverage_ids.unlink()
        charge = self._charge(client, state="no_show", employee_id=False)
        self.assertFalse(self._codes(charge))

    def test_r7_no_show_taken_back_has_the_default_parts_again(self):
        appointment = self._appointment(self._insured_client(copay=15.0), state="scheduled")
        charge = appointment.charge_ids
        charge.amount_client = 40.0
        appointment.action_no_show()
        self.assertParts(charge, 80.0, 0.0)
        appointment.action_schedule()
        self.assertParts(charge, 15.0, 65.0)

    def test_r7_typed_parts_of_a_payer_are_refused_on_a_no_show(self):
        charge = self._charge(self._insured_client(), state="no_show")
        with self.assertRaisesRegex(UserError, "has no payer"):
            charge.amount_payer = 80.0
        charge.amount_client = 0.0
        self.assertParts(charge, 80.0, 0.0)

    def test_r2_invoiced_appointment_cannot_become_a_no_show(self):
        appointment = self._appointment(self._insured_client())
        self._execute(appointment)
        with self.assertRaisesRegex(UserError, "is on invoice"):
            appointment.state = "no_show"

    def test_r2_invoiced_appointment_cannot_move_to_another_day(self):
        appointment = self._appointment(self._insured_client())
        self._execute(appointment)
        with self.assertRaisesRegex(UserError, "is on invoice"):
            appointment.start = self._local(A_DAY, 33)
        appointment.start = self._local(A_DAY, 10)  # the clock of that day may be corrected
        self.assertEqual(appointment.service_date, A_DAY)

    # -- typed parts ----------------------------------------------------------------------------

    def test_typed_client_part_moves_the_rest_to_the_payer(self):
        charge = self._charge(self._insured_client(copay=15.0))
        charge.amount_client = 30.0
        self.assertParts(charge, 30.0, 50.0)

    def test_typed_payer_part_moves_the_rest_to_the_client(self):
        charge = self._charge(self._insured_client(copay=15.0))
        charge.amount_payer = 50.0
        self.assertParts(charge, 30.0, 50.0)

    def test_typing_zero_moves_all(self):
        charge = self._charge(self._insured_client(copay=15.0))
        charge.amount_client = 0.0
        self.assertParts(charge, 0.0, 80.0)
        charge.amount_payer = 0.0
        self.assertParts(charge, 80.0, 0.0)

    def test_typed_parts_at_creation(self):
        appointment = self._appointment(self._insured_client())
        charge = self.env["healthcare.charge"].create(
            {
                "appointment_id": appointment.id,
                "product_id": self.service.id,
                "quantity": 2.0,
                "amount_client": 10.0,
            }
        )
        self.assertParts(charge, 10.0, 50.0)

    def test_typed_parts_survive_another_price_as_far_as_it_goes(self):
        charge = self._charge(self._insured_client(copay=15.0))
        charge.amount_client = 30.0
        charge.price_unit = 100.0
        self.assertParts(charge, 30.0, 70.0)
        charge.price_unit = 20.0
        self.assertParts(charge, 20.0, 0.0)

    def test_typed_sum_that_is_wrong_is_refused(self):
        charge = self._charge(self._insured_client())
        with self.assertRaisesRegex(ValidationError, "add up to"):
            charge.write({"amount_client": 10.0, "amount_payer": 60.0})

    def test_typed_part_beyond_the_charge_is_refused(self):
        """It would credit the other party with care that was given."""
        charge = self._charge(self._insured_client())
        for name in ("amount_client", "amount_payer"):
            with self.subTest(name=name), self.assertRaisesRegex(ValidationError, "more than"):
                charge[name] = 100.0
            with self.subTest(name=name), self.assertRaises(ValidationError):
                charge[name] = -1.0

    def test_payer_part_without_payer_is_refused(self):
        charge = self._charge(self._client())
        with self.assertRaisesRegex(UserError, "has no payer"):
            charge.amount_payer = 10.0
        charge.amount_client = 0.0  # nobody else there: stays the client's
        self.assertParts(charge, 80.0, 0.0)

    def test_typed_parts_fall_when_the_payer_goes(self):
        appointment = self._appointment(self._insured_client(copay=15.0))
        charge = appointment.charge_ids
        charge.amount_client = 40.0
        appointment.payer_id = False
        self.assertParts(charge, 80.0, 0.0)
        appointment.payer_id = self.payer
        self.assertParts(charge, 15.0, 65.0)

    def test_price_and_part_typed_together(self):
        charge = self._charge(self._insured_client())
        charge.write({"price_unit": 50.0, "amount_client": 20.0})
        self.assertParts(charge, 20.0, 30.0)

    # -- secondary payer ------------------------------------------------------------------------

    def test_secondary_part_comes_from_the_payer(self):
        client, second = self.two_payers_client, self.second_payer
        charge = self._charge(client)
        charge.amount_secondary = 25.0
        self.assertParts(charge, 15.0, 40.0, 25.0)
        invoices = {
            invoice.partner_id: dict(invoice.amounts) for invoice in self._plan(charge).invoices
        }
        self.assertEqual(
            invoices,
            {
                client.id: {"client": 15.0},
                self.payer.id: {"primary": 40.0},
                second.id: {"secondary": 25.0},
            },
        )

    def test_secondary_part_without_secondary_coverage_blocks(self):
        charge = self._charge(self._insured_client())
        charge.amount_secondary = 25.0
        self.assertEqual(self._codes(charge), {"missing_coverage"})

    def test_secondary_part_survives_the_primarys(self):
        charge = self._charge(self.two_payers_client)
        charge.write({"amount_client": 0.0, "amount_secondary": 30.0})
        self.assertParts(charge, 0.0, 50.0, 30.0)
        charge.amount_payer = 40.0
        self.assertParts(charge, 10.0, 40.0, 30.0)

    # -- corrections ----------------------------------------------------------------------------

    def test_transfer_moves_twenty_from_payer_to_client(self):
        charge = self._charge(self._insured_client())
        transfer = self._child(charge, kind="transfer", amount_client=20.0, amount_payer=-20.0)
        self.assertEqual(transfer.amount, 0.0)
        self.assertParts(transfer, 20.0, -20.0)
        self.assertParts(charge, 0.0, 80.0)
        self.assertTrue(transfer.is_priced)
        self.assertEqual(transfer.appointment_id, charge.appointment_id)
        self.assertEqual(transfer.service_date, charge.service_date)
        self.assertEqual(transfer.payer_id, self.payer)

    def test_transfer_with_one_side_given(self):
        charge = self._charge(self._insured_client())
        transfer = self._child(charge, kind="transfer", amount_client=20.0)
        self.assertParts(transfer, 20.0, -20.0)

    def test_transfer_is_billed_as_invoice_and_credit(self):
        client = self._insured_client()
        charge = self._charge(client)
        self._execute(charge, post=True)
        transfer = self._child(charge, kind="transfer", amount_client=20.0, amount_payer=-20.0)
        self.assertFalse(self._codes(transfer))
        plan = self._plan(transfer)
        self.assertEqual(
            {(i.partner_id, i.move_type, i.amount) for i in plan.invoices},
            {(client.id, "out_invoice", 20.0), (self.payer.id, "out_refund", -20.0)},
        )

    def test_adjustment_is_the_payers_by_default(self):
        charge = self._charge(self._insured_client(copay=15.0))
        adjustment = self._child(charge, kind="adjustment", price_unit=-30.0)
        self.assertParts(adjustment, 0.0, -30.0)

    def test_correction_of_a_correction_is_refused(self):
        charge = self._charge(self._insured_client())
        adjustment = self._child(charge, kind="adjustment", price_unit=-30.0)
        with self.assertRaises(ValidationError):
            self._child(adjustment, kind="adjustment", price_unit=-3.0)

    # -- for any sums ---------------------------------------------------------------------------

    @settings(
        derandomize=True,
        deadline=None,
        max_examples=20,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        copay=cents,
        edits=st.lists(
            st.tuples(
                st.sampled_from(
                    ("amount_client", "amount_payer", "amount_secondary", "price_unit", "quantity")
                ),
                cents,
            ),
            max_size=6,
        ),
    )
    def test_any_parts_add_up_and_are_never_negative(self, copay, edits):
        client = self.two_payers_client
        client.coverage_ids.copay_amount = copay
        charge = self._charge(client)
        for name, value in edits:
            if name == "quantity":
                value = round(value % 10, 2)
            try:
                with self.env.cr.savepoint():
                    charge[name] = value
            except ValidationError:
                self.assertIn(name, ("amount_client", "amount_payer", "amount_secondary"))
            else:
                self.assertEqual(charge[name], value)
            self.assertSum(charge)
            for part in (charge.amount_client, charge.amount_payer, charge.amount_secondary):
                self.assertGreaterEqual(part, 0.0)
