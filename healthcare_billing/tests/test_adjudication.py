from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..models.healthcare_charge_adjudication import Adjudication
from .common import A_DAY
from .test_superbill import SuperbillCommon


class CorrectionCommon(SuperbillCommon):
    """Charges with corrections, and what the ledger says of them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.contra = cls.env["account.account"].create(
            {"name": "Contractual allowances", "code": "400999", "account_type": "income"}
        )
        cls.reason = cls.env.ref("healthcare_billing.adjustment_reason_45")
        cls.reason.account_id = cls.contra
        cls.trip = cls._service("Trip", "A0428", 1500.0, unit_rule="visit")
        cls.ines = cls._insured_client("Ines")

    def _trip(self, client=None, **vals):
        """A charge of 1,500.00."""
        return self._charge(client or self.ines, product_id=self.trip.id, **vals)

    def _posted_trip(self, client=None, **vals):
        charge = self._trip(client, **vals)
        return charge, self._execute(charge, post=True).move_ids

    def _adjudicate(self, charge, *args, **kwargs):
        return charge._adjudicate({charge: Adjudication(*args, **kwargs)})

    def _extras_of_r4(self, charge, party="primary"):
        """Service charge of 20.00, discount of 5.00, finance charge of 7.00."""
        for kind, amount in (("service_charge", 20.0), ("discount", 5.0), ("finance_charge", 7.0)):
            charge._add_extra(kind, {(charge, party): amount})

    def _pay_item(self, charge, amount, party="primary"):
        """Money for an item, in a line that names it; what isn't open stays a credit of it."""
        moves = (
            charge._family()
            ._posted_document_lines()
            .move_id.filtered(lambda move: move.move_type == "out_invoice")
        )
        account = moves.line_ids.filtered(lambda line: line.display_type == "payment_term")[0]
        entry = self.env["account.move"].create(
            {
                "journal_id": self.company_data["default_journal_bank"].id,
                "line_ids": [
                    (0, 0, {
                        "account_id": self.company_data["default_journal_bank"]
                        .default_account_id.id,
                        "debit": amount,
                    }),
                    (0, 0, {
                        "account_id": account.account_id.id,
                        "partner_id": account.partner_id.id,
                        "credit": amount,
                        "charge_id": charge.id,
                        "responsibility": party,
                    }),
                ],
            }
        )  # fmt: skip
        entry.action_post()
        lines = moves.sorted("id").line_ids.filtered(
            lambda line: line.display_type == "payment_term" and not line.reconciled
        )
        (lines | entry.line_ids.filtered("charge_id")).reconcile()
        return entry

    def assertProof(self):
        for own in self.env["healthcare.receivable"]._proof(self.company).values():
            self.assertEqual(own["difference"], 0.0, own)

    def _documents(self, charge):
        return charge._family()._posted_document_lines().move_id


@tagged("post_install", "-at_install")
class TestAdjudication(CorrectionCommon):
    """R4: quote and extras before a payer decides, the allowed price and finance charges after."""

    # -- the two vectors -------------------------------------------------------------------------
    def test_r4_before_adjudication(self):
        """1500 + 20 - 5 + 7 - 1425 = 97."""
        charge, _move = self._posted_trip()
        self._extras_of_r4(charge)
        self.assertEqual(charge.balance_payer, 1522.0)
        self._pay_item(charge, 1425.0)
        self.assertEqual((charge.amount_residual, charge.balance_payer), (97.0, 97.0))
        self.assertEqual(charge.ledger_payer, 97.0)
        self.assertProof()

    def test_r4_after_adjudication(self):
        """360 + 7 - 310 - 5 = 52, whatever was quoted, charged and discounted."""
        charge, _move = self._posted_trip()
        self._extras_of_r4(charge)
        self._adjudicate(charge, 360.0, 5.0)
        self.assertEqual(charge.amount_residual, 362.0)
        self._pay_item(charge, 310.0)
        self.assertEqual((charge.amount_residual, charge.ledger_payer), (52.0, 52.0))
        self.assertProof()

    def test_r4_paid_before_adjudication(self):
        charge, _move = self._posted_trip()
        self._extras_of_r4(charge)
        self._pay_item(charge, 310.0)
        self._adjudicate(charge, 360.0, 5.0)
        self.assertEqual((charge.amount_residual, charge.ledger_payer), (52.0, 52.0))
        self.assertProof()

    def test_r4_unposted(self):
        """The same on care that isn't invoiced yet, and when it is."""
        charge = self._trip()
        self._extras_of_r4(charge)
        self.assertEqual((charge.amount_residual, charge.ledger_payer), (1522.0, 0.0))
        self.assertFalse(charge._family()._ledger_lines())
        self._execute(charge | charge.child_ids, post=True)
        self._pay_item(charge, 1425.0)
        self.assertEqual((charge.amount_residual, charge.ledger_payer), (97.0, 97.0))
        self.assertProof()

    def test_r4_adjudicated_unposted(self):
        charge = self._trip()
        self._extras_of_r4(charge)
        self._adjudicate(charge, 360.0, 5.0)
        self.assertEqual((charge.amount_residual, charge.ledger_payer), (362.0, 0.0))
        self.assertFalse(charge.returned_to_billing)
        self._execute(charge | charge.child_ids, post=True)
        self._pay_item(charge, 310.0)
        self.assertEqual((charge.amount_residual, charge.ledger_payer), (52.0, 52.0))
        self.assertProof()

    def test_r4_denied_is_adjudicated(self):
        charge, _move = self._posted_trip()
        self._extras_of_r4(charge)
        self._adjudicate(charge, 0.0)
        self.assertTrue(charge.is_adjudicated)
        self.assertEqual(charge.amount_residual, 7.0)  # finance charges stay
        self.assertProof()

    def test_r4_allowed_more_than_quoted(self):
        charge, _move = self._posted_trip()
        self._adjudicate(charge, 1600.0)
        self.assertEqual((charge.amount_residual, charge.ledger_payer), (1600.0, 1600.0))
        self.assertProof()

    # -- entries ---------------------------------------------------------------------------------
    def test_one_delta_on_the_contra_account(self):
        charge, move = self._posted_trip()
        self._extras_of_r4(charge)
        child = self._adjudicate(charge, 360.0, 5.0)
        self.assertEqual(
            (child.kind, child.amount, child.amount_payer), ("adjustment", -1160.0, -1160.0)
        )
        line = child.invoice_line_ids
        self.assertEqual(
            (line.account_id, line.debit, line.parent_state), (self.contra, 1160.0, "posted")
        )
        self.assertEqual(line.move_id.move_type, "out_refund")
        self.assertEqual(line.move_id.partner_id, self.payer)
        self.assertEqual(line.adjustment_reason_id, self.reason)
        self.assertIn(self.reason.name, line.name)
        self.assertEqual(line.move_id.payment_state, "paid")
        self.assertEqual(move.amount_untaxed, 1500.0)
        self.assertIn("360.00", charge.appointment_id.message_ids[0].body)

    def test_without_account_revenue_is_reduced(self):
        self.reason.account_id = False
        charge, move = self._posted_trip()
        child = self._adjudicate(charge, 360.0)
        self.assertEqual(
            child.invoice_line_ids.account_id,
            move.invoice_line_ids.filtered("charge_id").account_id,
        )

    def test_twice_is_once(self):
        charge, _move = self._posted_trip()
        self.assertTrue(self._adjudicate(charge, 360.0, 5.0))
        self.assertFalse(self._adjudicate(charge, 360.0, 5.0))
        more = self._adjudicate(charge, 400.0)
        self.assertEqual(more.amount, 45.0)
        self.assertEqual(charge.amount_residual, 400.0)
        self.assertProof()

    def test_unadjudicating_revives(self):
        charge, _move = self._posted_trip()
        self._extras_of_r4(charge)
        self._adjudicate(charge, 360.0, 5.0)
        opposite = charge._unadjudicate()
        self.assertEqual(opposite.amount, 1160.0)
        self.assertEqual(opposite.invoice_line_ids.account_id, self.contra)
        self.assertEqual((charge.amount_residual, charge.is_adjudicated), (1522.0, False))
        self.assertFalse(charge._unadjudicate())
        self._adjudicate(charge, 360.0, 5.0)
        self.assertEqual(charge.amount_residual, 362.0)
        self.assertProof()

    def test_unadjudicating_unposted_leaves_nothing(self):
        charge = self._trip()
        self._extras_of_r4(charge)
        self._adjudicate(charge, 360.0, 5.0, client_part=60.0)
        self.assertEqual((charge.balance_client, charge.balance_payer), (60.0, 302.0))
        charge._unadjudicate()
        self.assertEqual((charge.balance_client, charge.balance_payer), (0.0, 1522.0))
        self.assertEqual(len(charge.child_ids), 3)

    # -- who owes --------------------------------------------------------------------------------
    def test_patient_responsibility_is_a_transfer(self):
        charge, _move = self._posted_trip()
        children = self._adjudicate(charge, 360.0, client_part=100.0)
        self.assertEqual(children.mapped("kind"), ["transfer", "adjustment"])
        self.assertEqual((charge.balance_client, charge.balance_payer), (100.0, 260.0))
        self.assertEqual((charge.ledger_client, charge.ledger_payer), (100.0, 260.0))
        self.assertEqual(charge.client_debtor_id, self.ines)
        revenue = children[0].invoice_line_ids
        self.assertEqual(sum(revenue.mapped("balance")), 0.0)
        self.assertEqual(set(revenue.account_id), {self.company_data["default_account_revenue"]})
        self._adjudicate(charge, 360.0, client_part=40.0)
        self.assertEqual((charge.balance_client, charge.balance_payer), (40.0, 320.0))
        charge._unadjudicate()
        self.assertEqual((charge.balance_client, charge.balance_payer), (0.0, 1500.0))
        self.assertProof()

    def test_copay_stays(self):
        client = self._insured_client("Cora", copay=20.0)
        charge, _moves = self._posted_trip(client)
        self._adjudicate(charge, 360.0, 5.0)
        self.assertEqual((charge.balance_client, charge.balance_payer), (20.0, 335.0))
        self._adjudicate(charge, 0.0)
        self.assertEqual((charge.balance_client, charge.balance_payer), (0.0, 0.0))
        self.assertProof()

    def test_self_pay_is_the_clients(self):
        charge, _move = self._posted_trip(self.anna)
        self._adjudicate(charge, 360.0)
        self.assertEqual((charge.balance_client, charge.balance_payer), (360.0, 0.0))
        with self.assertRaisesRegex(UserError, "has no payer"):
            self._adjudicate(charge, 360.0, client_part=100.0)

    def test_what_is_left_is_returned(self):
        charge, _move = self._posted_trip()
        self._adjudicate(charge, 360.0)
        self.assertTrue(charge.returned_payer)
        self._adjudicate(charge, 0.0)
        self.assertFalse(charge.returned_payer)

    def test_r4_unadjudicating_leaves_it_to_rebilling(self):
        """What came back unpaid before the decision is still at the billing office after it."""
        charge, _move = self._posted_trip()
        told, _move = self._posted_trip(hour=13)
        settled, _move = self._posted_trip(hour=16)
        charge._set_returned("primary")
        self._pay_item(settled, 1500.0)
        for each in (charge, told, settled):
            self._adjudicate(each, 360.0)
        statement = self.env["healthcare.statement"].create(
            {"partner_id": self.payer.id, "statement_type": "complete"}
        )
        rows = self.env["healthcare.receivable"].search([("charge_id", "=", told.id)])
        statement._add_items(rows)
        statement._commit()
        self.assertTrue(settled.returned_payer)  # the credit
        for each in (charge, told, settled):
            each._unadjudicate()
        self.assertEqual(charge.balance_payer, 1500.0)
        self.assertEqual(
            [each.returned_payer for each in (charge, told, settled)], [True, False, False]
        )
        differential = self.env["healthcare.statement"].create({"partner_id": self.payer.id})
        differential._load_items()
        self.assertEqual(differential.line_ids.charge_id, charge)
        self.assertEqual(differential.amount_total, 1500.0)
        self.assertProof()

    # -- set off within the item -----------------------------------------------------------------
    def test_credit_never_pays_another_charge(self):
        """What a payer overpaid stays a credit of its item, though others are open."""
        self.payer.invoicing_model = "payer_batched"
        other_client = self._insured_client("Otto")
        charge, other = self._trip(), self._trip(other_client)
        move = self._execute(charge | other, post=True).move_ids
        self.assertEqual(len(move), 1)
        self._pay_item(charge, 1000.0)
        self._adjudicate(charge, 360.0)
        self.assertEqual((charge.amount_residual, other.amount_residual), (-640.0, 1500.0))
        self._adjudicate(other, 360.0)
        self.assertEqual((charge.amount_residual, other.amount_residual), (-640.0, 360.0))
        self.assertProof()

    def test_one_note_per_invoice(self):
        """A remittance over many charges of one invoice is one credit note."""
        self.payer.invoicing_model = "payer_batched"
        charges = self._trip() | self._trip(self._insured_client("Otto"))
        move = self._execute(charges, post=True).move_ids
        children = charges._adjudicate(dict.fromkeys(charges, Adjudication(360.0)))
        note = children.invoice_line_ids.move_id
        self.assertEqual((len(note), note.payment_state), (1, "paid"))
        self.assertEqual(charges.mapped("amount_residual"), [360.0, 360.0])
        self.assertEqual(move.amount_residual, 720.0)
        self.assertProof()

    # -- what is refused -------------------------------------------------------------------------
    def test_what_cant_be_allowed(self):
        charge, _move = self._posted_trip()
        for args in ((-1.0,), (10.0, 11.0), (10.0, -1.0)):
            with self.assertRaisesRegex(UserError, "allowed price"):
                self._adjudicate(charge, *args)
        with self.assertRaisesRegex(UserError, "can owe between"):
            self._adjudicate(charge, 10.0, 1.0, client_part=9.5)
        planned = self._trip(hour=12, state="scheduled")
        with self.assertRaisesRegex(UserError, "isn't owed by anybody"):
            self._adjudicate(planned, 10.0)
        self.company.fiscalyear_lock_date = self.today - timedelta(days=1)
        with self.assertRaisesRegex(UserError, "can't be billed now"):
            self._adjudicate(charge, 10.0, date=self.today - timedelta(days=1))

    def test_account_that_was_closed(self):
        """A payer's decision is booked whatever became of the account and its coverage."""
        charge, _move = self._posted_trip()
        self.ines.billing_account_ids.write({"billing_status": "closed"})
        self.ines.coverage_ids.date_to = A_DAY
        charge.appointment_id.parked = True
        self._adjudicate(charge, 360.0)
        charge._unadjudicate()
        self.assertEqual(charge.amount_residual, 1500.0)
        self.assertProof()

    def test_written_by_adjudicating_only(self):
        charge, _move = self._posted_trip()
        manager = charge.with_user(self._user("billing_manager"))
        with self.assertRaisesRegex(UserError, "recorded by"):
            manager.is_adjudicated = True
        unposted = self._trip(hour=12)
        child = self._adjudicate(unposted, 360.0)
        with self.assertRaisesRegex(UserError, "recorded by"):
            child.with_user(manager.env.user).price_unit = -3.0
        with self.assertRaisesRegex(UserError, "recorded by"):
            child.with_user(manager.env.user).unlink()
        with self.assertRaisesRegex(UserError, "holds what was quoted fast"):
            unposted.price_unit = 90.0
        unposted._unadjudicate()
        unposted.price_unit = 90.0
        self.assertEqual(unposted.amount_residual, 90.0)
        unposted.is_priced = False
        with self.assertRaisesRegex(UserError, "has no price yet"):
            self._adjudicate(unposted, 360.0)

    def test_many_charges_take_no_more_queries_each(self):
        """What is read and locked is read for all; only documents cost."""
        counts = []
        for number in (4, 8):
            charges = self.env["healthcare.charge"].union(
                *(self._trip(day=A_DAY + timedelta(days=day)) for day in range(number))
            )
            self._execute(charges, post=True)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            charges._adjudicate(dict.fromkeys(charges, Adjudication(360.0)))
            self.env.flush_all()
            counts.append(self.cr.sql_log_count - before)
        self.assertLess(counts[1] - counts[0], 4 * 25, counts)

    def test_rights(self):
        charge, _move = self._posted_trip()
        with self.assertRaises(AccessError):
            self._adjudicate(charge.with_user(self._user("coordinator")), 360.0)
        self._adjudicate(charge.with_user(self._user("billing_user")), 360.0)
        self.assertEqual(charge.amount_residual, 360.0)
