from datetime import timedelta

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..models.account_payment_charge import CareMoney, OnAccount
from .common import A_DAY
from .test_superbill import SuperbillCommon


class PaymentCommon(SuperbillCommon):
    """A practice that receives money for care."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bank = cls.company_data["default_journal_bank"]
        cls.payments = cls.env["account.payment"]

    def _three(self, client=None, **vals):
        """Charges of 80.00 on three days, the newest first, and their invoice."""
        visits = self.env["healthcare.appointment"]
        for days in (2, 1, 0):
            visits += self._appointment(
                client or self.anna, day=A_DAY + timedelta(days=days), **vals
            )
        charges = visits.charge_ids.sorted("service_date")
        return charges, self._execute(visits, post=True).move_ids

    def _receive(self, items, partner=None, **options):
        """Receive money by bank today.

        :param items: list of (charge, amount) of clients, or of ``CareMoney``
        """
        items = [
            item if isinstance(item, CareMoney) else CareMoney(item[0], "client", item[1])
            for item in items
        ]
        return self.payments._receive_for_care(
            partner or self.anna, options.pop("journal", self.bank),
            options.pop("date", self.today), items, **options,
        )  # fmt: skip

    def _receivables(self, payment):
        return payment.move_id.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )

    def assertProof(self):
        for own in self.env["healthcare.receivable"]._proof(self.company).values():
            self.assertEqual(own["difference"], 0.0, own)


@tagged("post_install", "-at_install")
class TestPaymentCharge(PaymentCommon):
    """Payments name the charges that they are for, in the ledger (design 4, R5)."""

    def test_r5_money_goes_to_the_charge_that_it_names(self):
        charges, move = self._three()
        payment = self._receive([(charges[2], 80.0), (charges[1], 30.0)], memo="Check 17")
        self.assertEqual(payment.amount, 110.0)
        self.assertIn(payment.state, ("paid", "in_process"))
        self.assertEqual(payment.move_id.state, "posted")
        self.assertEqual(charges.mapped("amount_residual"), [80.0, 50.0, 0.0])
        self.assertEqual(charges.mapped("amount_paid"), [0.0, 30.0, 80.0])
        self.assertEqual(move.amount_residual, 130.0)
        self.assertEqual(self._receivables(payment).charge_id, charges[2] | charges[1])
        self.assertTrue(all(self._receivables(payment).mapped("reconciled")))
        self.assertEqual((payment.care_applied, payment.care_unapplied), (110.0, 0.0))
        self.assertProof()

    def test_r5_oldest_visit_of_each_of_two_invoices(self):
        first, first_move = self._three()
        second, second_move = self._three(hour=15)
        self._receive([(first[0], 80.0), (second[0], 80.0)])
        self.assertEqual(first.mapped("amount_residual"), [0.0, 80.0, 80.0])
        self.assertEqual(second.mapped("amount_residual"), [0.0, 80.0, 80.0])
        self.assertEqual((first_move | second_move).mapped("amount_residual"), [160.0, 160.0])
        self.assertProof()

    def test_payers_check_over_many_clients(self):
        clients = [self._insured_client(f"Client {n}", copay=20.0) for n in range(3)]
        charges = self.env["healthcare.charge"].union(*(self._charge(c) for c in clients))
        self._execute(charges, post=True)
        items = [CareMoney(charge, "primary", 60.0) for charge in charges]
        items[1] = items[1]._replace(amount=45.5)
        payment = self._receive(items, partner=self.payer)
        self.assertEqual(payment.amount, 165.5)
        self.assertEqual(charges.mapped("balance_payer"), [0.0, 14.5, 0.0])
        self.assertEqual(charges.mapped("balance_client"), [20.0] * 3)
        self.assertEqual(payment.reconciled_invoices_count, 3)
        self.assertProof()

    def test_more_than_is_open_is_refused(self):
        charges, _move = self._three()
        with self.assertRaisesRegex(UserError, "80.00 is open"):
            self._receive([(charges[0], 80.01)])
        self._receive([(charges[0], 80.0)])
        with self.assertRaisesRegex(UserError, "0.00 is open"):
            self._receive([(charges[0], 0.01)])
        self.assertEqual(charges.mapped("amount_residual"), [0.0, 80.0, 80.0])
        self.assertProof()

    def test_same_item_twice_adds_up(self):
        charges, _move = self._three()
        with self.assertRaisesRegex(UserError, "80.00 is open"):
            self._receive([(charges[0], 50.0), (charges[0], 50.0)])
        payment = self._receive([(charges[0], 30.0), (charges[0], 50.0)])
        self.assertEqual(len(self._receivables(payment)), 1)

    def test_unposted_items_are_refused(self):
        charge = self._charge(self.anna)
        with self.assertRaisesRegex(UserError, "isn't invoiced to this party yet"):
            self._receive([(charge, 80.0)])
        self._execute(charge)
        with self.assertRaisesRegex(UserError, "isn't invoiced to this party yet"):
            self._receive([(charge, 80.0)])

    def test_dates_that_cant_be_booked_are_refused(self):
        charges, _move = self._three()
        with self.assertRaisesRegex(UserError, "in the future"):
            self._receive([(charges[0], 80.0)], date=self.today + timedelta(days=1))
        self.company.hard_lock_date = self.today - timedelta(days=3)
        with self.assertRaisesRegex(UserError, "locked"):
            self._receive([(charges[0], 80.0)], date=self.today - timedelta(days=3))

    def test_nothing_received_is_refused(self):
        charges, _move = self._three()
        with self.assertRaisesRegex(UserError, "Nothing is received"):
            self._receive([])
        with self.assertRaisesRegex(UserError, "Nothing is received"):
            self._receive([(charges[0], 0.0)])

    def test_other_currency_is_refused(self):
        charges, _move = self._three()
        euro = self.setup_other_currency("EUR")
        journal = self.bank.copy({"currency_id": euro.id})
        with self.assertRaisesRegex(UserError, "One payment has one currency"):
            self._receive([(charges[0], 80.0)], journal=journal)

    def test_item_of_several_invoices_oldest_first(self):
        charge = self._charge(self.anna)
        first = self._execute(charge, post=True, invoice_date=A_DAY).move_ids
        child = self.env["healthcare.charge"].create(
            {"parent_id": charge.id, "kind": "service_charge", "price_unit": 20.0}
        )
        second = self._execute(child, post=True).move_ids
        self.assertEqual(charge.balance_client, 100.0)
        payment = self._receive([(charge, 90.0)])
        self.assertEqual((first.amount_residual, second.amount_residual), (0.0, 10.0))
        self.assertEqual(len(self._receivables(payment)), 2)
        self.assertEqual(charge.balance_client, 10.0)
        self.assertProof()

    def test_credit_of_an_item_is_used_up(self):
        charge = self._charge(self.anna)
        move = self._execute(charge, post=True).move_ids
        self._receive([(charge, 80.0)])
        self._credit(move, amount=30.0)
        self.assertEqual(charge.balance_client, -30.0)
        other = self._charge(self.anna, hour=14)
        self._execute(other, post=True)
        payment = self._receive([(other, 80.0), (charge, -30.0)])
        self.assertEqual(payment.amount, 50.0)
        self.assertEqual((charge.balance_client, other.balance_client), (0.0, 0.0))
        with self.assertRaises(UserError):
            self._receive([(charge, -0.01)])
        self.assertProof()

    def test_ledger_lines_are_paid(self):
        charges, move = self._three()
        invoice = self.init_invoice("out_invoice", partner=self.anna, amounts=[50.0], post=True)
        line = invoice.line_ids.filtered(lambda line: line.display_type == "payment_term")
        payment = self._receive([(charges[0], 10.0)], ledger=[(line, invoice.amount_residual)])
        self.assertEqual(invoice.amount_residual, 0.0)
        self.assertEqual(payment.amount, 10.0 + invoice.amount_total)
        self.assertEqual(move.amount_residual, 230.0)
        with self.assertRaisesRegex(UserError, "is open"):
            self._receive([], ledger=[(line, 0.01)])
        self.assertProof()

    def test_mixed_parties_on_one_invoice(self):
        """A payer's part that is addressed to the client: money for one pays not the other."""
        client = self._insured_client("Ines", copay=20.0)
        other = self._payer("Other Insurance", invoicing_model="client_individual")
        client.billing_account_ids.coverage_ids |= self._coverage(client, other, sequence=20)
        charge = self._charge(client)
        charge.write({"amount_payer": 0.0, "amount_client": 20.0, "amount_secondary": 60.0})
        move = self._execute(charge, post=True).move_ids
        self.assertEqual(len(move), 1)
        self._receive([CareMoney(charge, "secondary", 50.0)], partner=client)
        self.assertEqual((charge.balance_client, charge.balance_secondary), (20.0, 10.0))
        self._receive([CareMoney(charge, "client", 20.0)], partner=client)
        self.assertEqual((charge.balance_client, charge.balance_secondary), (0.0, 10.0))
        self.assertProof()

    # -- never edited ------------------------------------------------------------------------
    def test_canceled_payment_is_owed_again(self):
        charges, _move = self._three()
        payment = self._receive([(charges[1], 80.0)])
        payment.action_cancel_for_care()
        self.assertEqual(payment.state, "canceled")
        self.assertEqual(charges.mapped("amount_residual"), [80.0] * 3)
        self.assertProof()
        again = self._receive([(charges[1], 80.0)])
        self.assertEqual(charges.mapped("amount_residual"), [80.0, 0.0, 80.0])
        self.assertNotEqual(again, payment)
        self.assertProof()

    def test_payment_is_never_edited(self):
        charges, _move = self._three()
        payment = self._receive([(charges[0], 80.0), (charges[1], 20.0)])
        for vals in (
            {"amount": 50.0},
            {"partner_id": self.partner_b.id},
            {"date": self.today - timedelta(days=2)},
            {"journal_id": self.company_data["default_journal_cash"].id},
        ):
            with self.subTest(vals), self.assertRaisesRegex(UserError, "Cancel it"):
                payment.write(vals)
        with self.assertRaisesRegex(UserError, "Cancel it"):
            payment.action_draft()
        payment.write({"amount": 100.0, "memo": "A note", "partner_id": self.anna.id})
        self.assertEqual(len(self._receivables(payment)), 2)

    def test_entry_keeps_its_lines(self):
        charges, _move = self._three()
        payment = self._receive([(charges[0], 80.0), (charges[1], 20.0)])
        with self.assertRaisesRegex(UserError, "Cancel it"):
            payment.move_id.button_draft()  # from the journal entry's own form
        payment.partner_bank_id = False
        self.assertEqual(self._receivables(payment).charge_id, charges[0] | charges[1])
        self.assertProof()


@tagged("post_install", "-at_install")
class TestOnAccount(PaymentCommon):
    """Money before the invoice: it waits, and pays what it names."""

    def _on_account(self, charge, amount, partner=None, party="client"):
        partner = partner or self.anna
        return self._receive(
            [], partner=partner, on_account=[OnAccount(partner, charge, party, amount)]
        )

    def test_money_on_account_waits_for_its_charge(self):
        visit = self._appointment(self.anna, state="scheduled")
        charge = visit.charge_ids
        payment = self._on_account(charge, 50.0)
        self.assertEqual((payment.care_applied, payment.care_unapplied), (0.0, 50.0))
        self.assertEqual(charge._on_account_amounts(), {(charge.id, "client"): 50.0})
        self.assertProof()
        visit.state = "completed"
        move = self._execute(charge, post=True).move_ids
        self.assertEqual(move.amount_residual, 30.0)
        self.assertEqual(charge.balance_client, 30.0)
        self.assertEqual((payment.care_applied, payment.care_unapplied), (50.0, 0.0))
        self.assertFalse(charge._on_account_amounts())
        self.assertProof()

    def test_money_on_account_never_pays_another_charge(self):
        visits = self.env["healthcare.appointment"]
        for days in (0, 1):
            visits += self._appointment(self.anna, day=A_DAY + timedelta(days=days))
        first, second = visits.charge_ids
        payment = self._on_account(second, 100.0)
        move = self._execute(visits, post=True).move_ids
        self.assertEqual((first.balance_client, second.balance_client), (80.0, 0.0))
        self.assertEqual(move.amount_residual, 80.0)
        self.assertEqual((payment.care_applied, payment.care_unapplied), (80.0, 20.0))
        self.assertEqual(second._on_account_amounts(), {(second.id, "client"): 20.0})
        self.assertProof()

    def test_money_of_another_party_waits(self):
        client = self._insured_client("Ines", copay=20.0)
        charge = self._charge(client)
        self._on_account(charge, 60.0, partner=self.payer, party="primary")
        self._execute(charge, post=True)
        self.assertEqual((charge.balance_client, charge.balance_payer), (20.0, 0.0))
        self.assertProof()

    def test_voided_invoice_leaves_its_money_with_the_charge(self):
        charge = self._charge(self.anna)
        move = self._execute(charge, post=True).move_ids
        payment = self._receive([(charge, 80.0)])
        move.line_ids.remove_move_reconcile()
        self._credit(move)
        self.assertEqual(charge._on_account_amounts(), {(charge.id, "client"): 80.0})
        self._execute(charge, post=True)
        self.assertEqual((charge.balance_client, payment.care_unapplied), (0.0, 0.0))
        self.assertProof()

    def test_money_on_account_without_a_charge_stays(self):
        payment = self._receive(
            [], on_account=[OnAccount(self.anna, self.env["healthcare.charge"], False, 25.0)]
        )
        self._execute(self._charge(self.anna), post=True)
        self.assertEqual(payment.care_unapplied, 25.0)
        self.assertProof()

    # -- invoiced to be paid -----------------------------------------------------------------
    def test_just_these_parts_are_invoiced(self):
        client = self._insured_client("Ines", copay=20.0)
        charges = self._charge(client) | self._charge(client, hour=14)
        moves = charges._invoice_parts({(charges[0].id, "client")}, "payment")
        self.assertEqual(moves.mapped("state"), ["posted"])
        self.assertEqual(moves.partner_id, client)
        self.assertEqual(moves.amount_total, 20.0)
        self.assertEqual(moves.billing_run_id.door, "payment")
        self.assertEqual(charges.mapped("ledger_client"), [20.0, 0.0])
        self.assertEqual(charges.mapped("ledger_payer"), [0.0, 0.0])
        again = charges._invoice_parts({(charges[0].id, "client")}, "payment")
        self.assertFalse(again)
        self.assertProof()

    def test_parts_take_their_corrections_along(self):
        charge = self._charge(self.anna)
        self.env["healthcare.charge"].create(
            {"parent_id": charge.id, "kind": "discount", "price_unit": -30.0}
        )
        moves = charge._invoice_parts({(charge.id, "client")}, "payment")
        self.assertEqual(moves.amount_total, 50.0)
        self.assertProof()

    def test_parts_that_cant_be_billed_say_why(self):
        planned = self._charge(self.anna, state="scheduled")
        with self.assertRaisesRegex(UserError, "can't be billed now"):
            planned._invoice_parts({(planned.id, "client")}, "payment")
        drafted = self._charge(self.anna, hour=14)
        self._execute(drafted)
        with self.assertRaisesRegex(UserError, "on drafts"):
            drafted._invoice_parts({(drafted.id, "client")}, "payment")
