from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import A_DAY
from .test_credit_rebill import RebillCommon


@tagged("post_install", "-at_install")
class TestTransfer(RebillCommon):
    """Responsibility after the fact."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = cls._insured_client(copay=20.0)
        cls.charge = cls._charge(cls.client)
        cls.moves = cls._bill(cls.charge)
        cls.payer_move = cls.moves.filtered(lambda move: move.partner_id == cls.payer)
        cls.client_move = cls.moves - cls.payer_move

    def _dialog(self, action):
        return self.env["healthcare.responsibility.transfer"].browse(action["res_id"])

    # -- one invoice per party ------------------------------------------------------------------

    def test_lines_say_what_each_party_owes(self):
        for move in self.moves:
            line = move.invoice_line_ids.filtered("charge_id")
            self.assertEqual((line.charge_amount_payer, line.charge_amount_client), (60.0, 20.0))

    def test_other_partys_invoices(self):
        self.assertEqual(self.payer_move.other_party_move_ids, self.client_move)
        self.assertEqual(self.client_move.other_party_move_ids, self.payer_move)
        action = self.payer_move.action_view_other_party_moves()
        self.assertEqual(action["res_id"], self.client_move.id)

    def test_accountant_sees_sums_and_other_invoices(self):
        env = self._act_as(self._user("accountant"))
        move = self.payer_move.with_env(env)
        line = move.invoice_line_ids.filtered("charge_id")
        self.assertEqual((line.charge_amount_payer, line.charge_amount_client), (60.0, 20.0))
        self.assertEqual(move.other_party_move_count, 1)
        with self.assertRaises(AccessError):
            move.action_transfer_responsibility()

    # -- moving a debt --------------------------------------------------------------------------

    def test_to_the_client(self):
        transfer = self.charge._transfer(
            15.0, from_party="primary", to_party="client", reason="Deductible"
        )
        self.assertEqual((transfer.kind, transfer.parent_id), ("transfer", self.charge))
        self.assertEqual(
            (transfer.amount, transfer.amount_client, transfer.amount_payer), (0.0, 15.0, -15.0)
        )
        moves = transfer._bill_transfers()
        refund = moves.filtered(lambda move: move.move_type == "out_refund")
        invoice = moves - refund
        self.assertEqual((refund.partner_id, refund.amount_total), (self.payer, 15.0))
        self.assertEqual((invoice.partner_id, invoice.amount_total), (self.client, 15.0))
        self.assertEqual(set(moves.mapped("state")), {"posted"})
        self.assertEqual(refund.reversed_entry_id, self.payer_move)
        self.assertEqual((refund.amount_residual, self.payer_move.amount_residual), (0.0, 45.0))
        self.assertEqual(refund.billing_run_id.door, "transfer")
        self.assertIn(invoice, self.payer_move.other_party_move_ids)
        self.assertEqual(self.charge._owed_by("primary"), 45.0)
        self.assertEqual(self.charge._owed_by("client"), 35.0)
        self.assertEqual((self.charge | transfer).mapped("amount_invoiced"), [80.0, 0.0])

    def test_and_back(self):
        self.charge._transfer(
            15.0, from_party="primary", to_party="client", reason="x"
        )._bill_transfers()
        back = self.charge._transfer(35.0, from_party="client", to_party="primary", reason="y")
        back._bill_transfers()
        self.assertEqual(self.charge._owed_by("primary"), 80.0)
        self.assertEqual(self.charge._owed_by("client"), 0.0)

    def test_more_than_owed_is_refused(self):
        with self.assertRaisesRegex(UserError, "still owes"):
            self.charge._transfer(60.01, from_party="primary", to_party="client", reason="x")
        self.charge._transfer(50.0, from_party="primary", to_party="client", reason="x")
        with self.assertRaisesRegex(UserError, "still owes"):  # what waits counts too
            self.charge._transfer(10.01, from_party="primary", to_party="client", reason="x")
        for amount in (0.0, -5.0):
            with self.assertRaisesRegex(UserError, "more than 0.00"):
                self.charge._transfer(amount, from_party="primary", to_party="client", reason="x")
        with self.assertRaisesRegex(UserError, "different"):
            self.charge._transfer(1.0, from_party="client", to_party="client", reason="x")

    def test_what_was_paid_cant_be_moved(self):
        self._pay(self.payer_move, 50.0)
        self.assertEqual(self.charge._owed_by("primary"), 10.0)
        with self.assertRaisesRegex(UserError, "still owes"):
            self.charge._transfer(10.01, from_party="primary", to_party="client", reason="x")

    def test_unbilled_care_is_refused(self):
        charge = self._charge(self.client, hour=14)
        with self.assertRaisesRegex(UserError, "typing the parts"):
            charge._transfer(10.0, from_party="primary", to_party="client", reason="x")

    def test_r7_missed_care_stays_the_clients(self):
        missed = self._charge(self.client, hour=14, state="no_show")
        self._bill(missed)
        with self.assertRaisesRegex(UserError, "always the client's"):
            missed._transfer(10.0, from_party="client", to_party="primary", reason="x")

    def test_self_payers_have_nobody_to_transfer_to(self):
        charge = self._charge(self._client())
        self._bill(charge)
        with self.assertRaisesRegex(UserError, "no payer"):
            charge._transfer(10.0, from_party="client", to_party="primary", reason="x")

    def test_secondary_payer(self):
        second = self._payer("Second Insurance")
        cover = self._coverage(self.client, second, sequence=20)
        self.client.billing_account_ids.coverage_ids |= cover
        transfer = self.charge._transfer(
            25.0, from_party="primary", to_party="secondary", reason="Second in line"
        )
        moves = transfer._bill_transfers()
        invoice = moves.filtered(lambda move: move.move_type == "out_invoice")
        self.assertEqual((invoice.partner_id, invoice.amount_total), (second, 25.0))

    def test_without_a_secondary_payer_nothing_is_billed(self):
        transfer = self.charge._transfer(
            25.0, from_party="primary", to_party="secondary", reason="x"
        )
        with self.assertRaisesRegex(UserError, "can't be billed now"), self.cr.savepoint():
            transfer._bill_transfers()
        self.assertFalse(transfer._ledger_lines())

    # -- later ----------------------------------------------------------------------------------

    def test_next_run_bills_what_wasnt_billed_at_once(self):
        transfer = self.charge._transfer(15.0, from_party="primary", to_party="client", reason="x")
        self.assertEqual(transfer.billing_stage, "billing_office")
        other = self._charge(self.client, hour=14)
        moves = self._execute(transfer | other, post=True, door="batch").move_ids
        payer = moves.filtered(lambda move: move.partner_id == self.payer)
        self.assertEqual((payer.move_type, payer.amount_total), ("out_invoice", 45.0))
        self.assertEqual((moves - payer).amount_total, 35.0)

    def test_unbilled_transfer_can_be_deleted(self):
        transfer = self.charge._transfer(15.0, from_party="primary", to_party="client", reason="x")
        transfer.unlink()
        self.assertEqual(self.charge._owed_by("primary"), 60.0)

    # -- dialog ---------------------------------------------------------------------------------

    def test_dialog_from_an_invoice(self):
        wizard = self._dialog(self.payer_move.action_transfer_responsibility())
        self.assertEqual((wizard.from_party, wizard.to_party), ("primary", "client"))
        self.assertEqual(wizard.line_ids.amount_owed, 60.0)
        with Form(wizard) as form:
            form.reason = "Not covered"
            with form.line_ids.edit(0) as line:
                line.amount = 60.0
        action = wizard.action_confirm()
        moves = self.env["account.move"].search(action["domain"])
        self.assertEqual(sorted(moves.mapped("amount_total")), [60.0, 60.0])
        self.assertEqual(self.payer_move.payment_state, "reversed")
        for record in (self.payer_move, self.client_move, self.charge.appointment_id, *moves):
            self.assertIn("Not covered", record.message_ids[:1].body)
        self.assertEqual(wizard.action_confirm(), action)  # double click
        self.assertEqual(len(self.charge.child_ids), 1)

    def test_dialog_from_charges(self):
        other = self._charge(self.client, hour=14)
        self._bill(other)
        wizard = self._dialog((self.charge | other).action_transfer_responsibility())
        self.assertEqual(wizard.from_party, "primary")
        wizard.reason = "x"
        with self.assertRaisesRegex(UserError, "more than 0.00"):
            wizard.action_confirm()
        with Form(wizard) as form:
            form.move_all = True
            form.bill_now = False
        self.assertEqual(wizard.amount, 120.0)
        wizard.action_confirm()
        self.assertEqual(set((self.charge | other).child_ids.mapped("amount_client")), {60.0})

    def test_reason_is_needed(self):
        wizard = self._dialog(self.payer_move.action_transfer_responsibility())
        wizard.line_ids.amount = 5.0
        with self.assertRaisesRegex(UserError, "Say why"):
            wizard.action_confirm()

    def test_rights(self):
        env = self._act_as(self._user("billing_user"))
        action = self.payer_move.with_env(env).action_transfer_responsibility()
        wizard = env["healthcare.responsibility.transfer"].browse(action["res_id"])
        wizard.read()
        wizard.line_ids.read()
        wizard.reason = "x"
        wizard.line_ids.amount = 5.0
        wizard.action_confirm()
        self.assertEqual(self.charge.child_ids.create_uid, env.user)
        coordinator = self._act_as(self._user("coordinator"))
        with self.assertRaises(AccessError):
            self.charge.with_env(coordinator).action_transfer_responsibility()

    # -- together with credit and rebill --------------------------------------------------------

    def test_credit_and_rebill_of_what_was_transferred(self):
        self.charge._transfer(
            15.0, from_party="primary", to_party="client", reason="x"
        )._bill_transfers()
        new = self.payer_move._credit_and_rebill({self.charge: {"price_unit": 100.0}})
        payer = new.filtered(lambda move: move.partner_id == self.payer)
        self.assertEqual((payer.amount_total, payer.amount_residual), (80.0, 65.0))
        self.assertEqual(self.payer_move.amount_residual, 0.0)
        self.assertEqual(self.charge._owed_by("primary"), 65.0)
        self.assertEqual(self.charge._owed_by("client"), 35.0)

    @settings(
        max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(st.lists(st.tuples(st.booleans(), st.integers(1, 8000)), min_size=1, max_size=5))
    def test_r5_to_the_cent(self, steps):
        """Whatever is moved, back and forth: the parties owe the charge together, to the cent."""
        with self.cr.savepoint() as savepoint:
            for to_client, cents in steps:
                giver, taker = ("primary", "client") if to_client else ("client", "primary")
                amount = cents / 100
                owed = self.charge._owed_by(giver)
                if amount > owed:
                    with self.assertRaises(UserError), self.cr.savepoint():
                        self.charge._transfer(amount, from_party=giver, to_party=taker, reason="x")
                    continue
                transfer = self.charge._transfer(
                    amount, from_party=giver, to_party=taker, reason="x"
                )
                transfer._bill_transfers()
                self.assertAlmostEqual(self.charge._owed_by(giver), owed - amount, 2)
            total = self.charge._owed_by("primary") + self.charge._owed_by("client")
            self.assertAlmostEqual(total, 80.0, 2)
            lines = self.env["account.move.line"].search(
                [
                    ("partner_id", "in", (self.payer | self.client).ids),
                    ("account_id.account_type", "=", "asset_receivable"),
                    ("parent_state", "=", "posted"),
                ]
            )
            self.assertAlmostEqual(sum(lines.mapped("amount_residual")), 80.0, 2)
            savepoint.rollback()
            self.env.invalidate_all(flush=False)

    def test_completeness_counts_it(self):
        self.charge._transfer(
            15.0, from_party="primary", to_party="client", reason="x"
        )._bill_transfers()
        self.assertEqual(A_DAY, self.charge.service_date)
        self.assertEqual(self.charge.child_ids.service_date, A_DAY)
