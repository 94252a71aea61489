from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .test_adjudication import CorrectionCommon


@tagged("post_install", "-at_install")
class TestChargeExtra(CorrectionCommon):
    """Finance charges, service charges and discounts are children, posted where their root is."""

    def test_posted_at_once(self):
        charge, move = self._posted_trip()
        child = charge._add_extra("finance_charge", {(charge, "primary"): 7.0})
        self.assertEqual(
            (child.kind, child.amount_payer, child.parent_id), ("finance_charge", 7.0, charge)
        )
        self.assertEqual(child.product_id, self.company.healthcare_finance_charge_product_id)
        invoice = child.invoice_line_ids.move_id
        self.assertEqual((invoice.state, invoice.move_type), ("posted", "out_invoice"))
        self.assertEqual(
            (invoice.partner_id, invoice.billing_run_id.door), (self.payer, "adjustment")
        )
        self.assertEqual((charge.ledger_payer, move.amount_total), (1507.0, 1500.0))
        self.assertProof()

    def test_discount_is_set_off_within_its_item(self):
        self.payer.invoicing_model = "payer_batched"
        charge, other = self._trip(), self._trip(self._insured_client("Otto"))
        move = self._execute(charge | other, post=True).move_ids
        child = charge._add_extra(
            "discount", {(charge, "primary"): 500.0}, description="Prompt payment"
        )
        self.assertEqual((child.amount, child.invoice_line_ids.name), (-500.0, "Prompt payment"))
        self.assertEqual(child.invoice_line_ids.move_id.payment_state, "paid")
        self.assertEqual(move.amount_residual, 2500.0)
        self.assertEqual((charge.amount_residual, other.amount_residual), (1000.0, 1500.0))
        self.assertProof()

    def test_discount_on_what_is_paid_in_part(self):
        charge, _move = self._posted_trip()
        self._pay_item(charge, 1425.0)
        charge._add_extra("discount", {(charge, "primary"): 75.0})
        self.assertEqual(charge.amount_residual, 0.0)
        self.assertEqual(charge.billing_stage, "finished")
        self.assertProof()

    def test_unbilled_goes_with_its_root(self):
        charge = self._trip()
        child = charge._add_extra("service_charge", {(charge, "primary"): 20.0})
        self.assertFalse(child._ledger_lines())
        self.assertEqual((charge.amount_residual, child.billing_stage), (1520.0, "billing_office"))
        moves = self._execute(charge | child, post=True).move_ids
        self.assertEqual((len(moves), moves.amount_total), (1, 1520.0))

    def test_each_party_its_own(self):
        client = self._insured_client("Cora", copay=20.0)
        charge, moves = self._posted_trip(client)
        children = charge._add_extra(
            "finance_charge", {(charge, "client"): 1.0, (charge, "primary"): 2.0}
        )
        self.assertEqual((charge.balance_client, charge.balance_payer), (21.0, 1482.0))
        self.assertEqual(children.invoice_line_ids.move_id.partner_id, moves.partner_id)
        self.assertProof()

    def test_goes_to_whom_the_care_was_billed(self):
        charge, move = self._posted_trip(self.anna)
        self.anna.billing_account_ids.guarantor_id = self.payer
        child = charge._add_extra("finance_charge", {(charge, "client"): 7.0})
        self.assertEqual(child.invoice_line_ids.move_id.partner_id, move.partner_id)

    def test_r4_adjudicated_takes_finance_charges_only(self):
        charge, _move = self._posted_trip()
        self._adjudicate(charge, 360.0)
        for kind in ("service_charge", "discount"):
            with self.assertRaisesRegex(UserError, "was adjudicated"):
                charge._add_extra(kind, {(charge, "primary"): 5.0})
        charge._add_extra("finance_charge", {(charge, "primary"): 7.0})
        self.assertEqual(charge.amount_residual, 367.0)
        self._adjudicate(charge, 360.0)  # nothing new
        self.assertEqual(charge.amount_residual, 367.0)
        self.assertProof()

    def test_reason_takes_the_discount(self):
        courtesy = self.env.ref("healthcare_billing.adjustment_reason_courtesy")
        courtesy.account_id = self.contra
        charge, _move = self._posted_trip()
        child = charge._add_extra("discount", {(charge, "primary"): 5.0}, reason=courtesy)
        self.assertEqual(child.invoice_line_ids.account_id, self.contra)
        self.assertEqual(child.invoice_line_ids.adjustment_reason_id, courtesy)

    def test_what_is_refused(self):
        charge, _move = self._posted_trip(self.anna)
        with self.assertRaisesRegex(UserError, "more than 0.00"):
            charge._add_extra("discount", {(charge, "client"): 0.0})
        with self.assertRaisesRegex(UserError, "can't be more than that"):
            charge._add_extra("discount", {(charge, "client"): 1500.01})
        with self.assertRaisesRegex(UserError, "has no payer"):
            charge._add_extra("discount", {(charge, "primary"): 1.0})
        with self.assertRaisesRegex(UserError, "Choose a kind"):
            charge._add_extra("gift", {(charge, "client"): 1.0})
        with self.assertRaises(AccessError):
            charge.with_user(self._user("coordinator"))._add_extra(
                "discount", {(charge, "client"): 1.0}
            )

    def test_services_are_made_once(self):
        field = "healthcare_discount_product_id"
        self.company[field] = False
        service = self.company._extra_service("discount")
        self.assertTrue(service)
        self.assertEqual(self.company._extra_service("discount"), service)
        self.assertFalse(service.taxes_id)
        other = self.env["res.company"].create({"name": "Other"})
        self.assertTrue(other[field])
