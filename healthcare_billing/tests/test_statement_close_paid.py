from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .statement_close_common import StatementCloseCommon


@tagged("post_install", "-at_install")
class TestStatementClosePaid(StatementCloseCommon):
    """Close as paid (R20): the order of money, what is short, and what is too much."""

    def test_r20_paid_in_full(self):
        charges, move = self._three()
        statement = self._statement()
        self.assertEqual(statement._amount_to_pay(), 240.0)
        payment = self._close(statement, 240.0, memo="Check 12")
        self.assertEqual((payment.amount, payment.memo), (240.0, "Check 12"))
        self.assertEqual(statement.state, "paid")
        self.assertEqual(statement.closed_on, self.today)
        self.assertEqual(statement.payment_ids, payment)
        self.assertEqual(self._outcomes(statement), ["paid"] * 3)
        self.assertEqual(statement.line_ids.mapped("amount_paid"), [80.0] * 3)
        self.assertEqual(charges.mapped("amount_residual"), [0.0] * 3)
        self.assertEqual(set(charges.mapped("billing_stage")), {"finished"})
        self.assertEqual(move.amount_residual, 0.0)
        self.assertProof()

    def test_r20_oldest_first_and_the_rest_returns(self):
        charges, _move = self._three()
        statement = self._statement()
        self._close(statement, 100.0)
        # its own close state: paid, though not in full
        self.assertEqual(statement.state, "paid")
        self.assertEqual(charges.mapped("amount_residual"), [0.0, 60.0, 80.0])
        self.assertEqual(self._outcomes(statement), ["paid", "short", "returned"])
        self.assertEqual(charges.mapped("returned_client"), [False, True, True])
        self.assertEqual(charges.mapped("statement_count"), [0, 0, 0])
        following = self._statement(statement_type="differential")
        self.assertEqual(following.line_ids.mapped("amount_due"), [60.0, 80.0])
        self.assertEqual(charges.mapped("returned_client"), [False] * 3)
        self.assertProof()

    def test_r20_payer_still_matches_first(self):
        charges, _move = self._three()
        ben = self._patient("Ben Brown")
        other = self._charge(ben, day=charges[0].service_date - timedelta(days=9))
        self._execute(other, post=True)
        statement = self._statement()
        self._add_line(statement, other)
        self._close(statement, 250.0)
        self.assertEqual(charges.mapped("amount_residual"), [0.0] * 3)
        self.assertEqual(other.amount_residual, 70.0)
        self.assertProof()

    def test_r20_credits_are_set_off_first(self):
        charges, _move, note = self._with_credit()
        self.assertEqual(charges.mapped("ledger_client"), [-30.0, 80.0, 80.0])
        statement = self._statement()
        self.assertEqual((statement.amount_total, statement._amount_to_pay()), (130.0, 130.0))
        payment = self._close(statement, 130.0)
        self.assertEqual(payment.amount, 130.0)
        self.assertEqual(charges.mapped("ledger_client"), [0.0] * 3)
        self.assertEqual(note.amount_residual, 0.0)
        self.assertEqual(self._outcomes(statement), ["paid"] * 3)
        # the entry between says which care the credit paid
        lines = statement.set_off_ids.line_ids
        self.assertEqual(
            {(line.charge_id, line.balance) for line in lines},
            {(charges[0], 30.0), (charges[1], -30.0)},
        )
        self.assertEqual(set(lines.mapped("reconciled")), {True})
        self.assertProof()

    def test_r20_credit_pays_by_itself(self):
        charges, _move, _note = self._with_credit()
        statement = self._statement()
        payment = self._close(statement, 0.0)
        self.assertFalse(payment)
        self.assertEqual(charges.mapped("ledger_client"), [0.0, 50.0, 80.0])
        self.assertEqual(self._outcomes(statement), ["paid", "short", "returned"])
        self.assertProof()

    def test_r20_credit_of_an_item_is_set_off_within_it(self):
        charges, move = self._three()
        note = self._credit(move, charges[0], 30.0)
        note.line_ids.remove_move_reconcile()
        self.assertEqual(charges.mapped("ledger_client"), [50.0, 80.0, 80.0])
        statement = self._statement()
        self._close(statement, 210.0)
        self.assertEqual(charges.mapped("ledger_client"), [0.0] * 3)
        self.assertEqual((move | note).mapped("amount_residual"), [0.0, 0.0])
        self.assertProof()

    def test_r20_leave_open_is_closed_by_nothing(self):
        charges, _move = self._three()
        statement = self._statement()
        self._close(statement, 100.0, under="leave_open")
        self.assertEqual((statement.state, statement.closed_on), ("committed", False))
        self.assertEqual(charges.mapped("returned_client"), [False] * 3)
        self.assertFalse(statement.needs_recommit)
        self.assertEqual(statement._amount_to_pay(), 140.0)
        self._close(statement, 20.0, under="leave_open")
        self.assertEqual(statement.line_ids.mapped("amount_paid"), [80.0, 40.0, 0.0])
        self.assertFalse(self._close(statement, 0.0))
        self.assertEqual(statement.state, "paid")
        self.assertEqual(self._outcomes(statement), ["paid", "short", "returned"])
        self.assertEqual(charges.mapped("returned_client"), [False, True, True])
        self.assertEqual(len(statement.payment_ids), 2)
        self.assertProof()

    def test_r20_leave_open_and_all_is_paid(self):
        self._three()
        statement = self._statement()
        self._close(statement, 240.0, under="leave_open")
        self.assertEqual(statement.state, "paid")

    def test_r20_courtesy(self):
        charges, move = self._three()
        statement = self._statement()
        self._close(statement, 200.0, under="write_off", reason=self.courtesy)
        self.assertEqual(self._outcomes(statement), ["paid", "paid", "written_off"])
        self.assertEqual(statement.line_ids.mapped("amount_lost"), [0.0, 0.0, 40.0])
        entry = statement.write_off_ids
        self.assertEqual(
            [(line.account_id, line.balance) for line in entry.line_ids.sorted("balance")],
            [(self.company_data["default_account_receivable"], -40.0), (self.loss, 40.0)],
        )
        self.assertEqual(entry.line_ids.filtered("charge_id").charge_id, charges[2])
        self.assertEqual((move.amount_residual, move.amount_total), (0.0, 240.0))
        self.assertEqual(charges.mapped("amount_paid"), [80.0, 80.0, 40.0])
        self.assertEqual(statement._ledger_balance(), 0.0)
        self.assertProof()

    def test_r20_courtesy_is_the_managers(self):
        self._three()
        statement = self._statement()
        user = self._user("billing_user")
        own = statement.with_env(self._act_as(user))
        with self.assertRaisesRegex(AccessError, "manager"):
            own._close_paid(200.0, self.bank, self.today, under="write_off", reason=self.courtesy)
        with self.assertRaisesRegex(UserError, "reason"):
            self._close(statement, 200.0, under="write_off")

    def test_r20_surplus_is_a_credit_of_the_addressee(self):
        charges, _move = self._three()
        statement = self._statement()
        payment = self._close(statement, 250.0)
        self.assertEqual(payment.amount, 250.0)
        self.assertEqual(statement._ledger_balance(), -10.0)
        self.assertEqual(charges.mapped("amount_residual"), [0.0] * 3)
        # carried forward: the next statement offers it, and its payment uses it up
        new = self._charge(self.anna, hour=15)
        following = self._statement(settles_ledger=True, ledger_amount=-10.0)
        self.assertEqual((following.amount_total, following._amount_to_pay()), (70.0, 70.0))
        self._close(following, 70.0)
        self.assertEqual(new.amount_residual, 0.0)
        self.assertEqual(following._ledger_balance(), 0.0)
        self.assertProof()

    def test_r20_surplus_goes_to_a_chosen_item(self):
        charges, _move = self._three()
        statement = self._statement()
        statement._detach(statement.line_ids.filtered(lambda line: line.charge_id == charges[2]))
        row = self.env["healthcare.receivable"].search([("charge_id", "=", charges[2].id)])
        self._close(statement, 250.0, over="target", target=row)
        self.assertEqual(charges.mapped("amount_residual"), [0.0, 0.0, 0.0])
        # what is left over waits for no care: the next statement tells it
        self.assertFalse(charges._on_account_amounts())
        self.assertEqual(statement._ledger_balance(), -10.0)
        self.assertProof()

    def test_r20_surplus_for_another_party_is_refused(self):
        self._three()
        other = self._charge(self._patient("Ben Brown"))
        self._execute(other, post=True)
        statement = self._statement()
        row = self.env["healthcare.receivable"].search([("charge_id", "=", other.id)])
        with self.assertRaisesRegex(UserError, "isn't owed by Anna"):
            self._close(statement, 250.0, over="target", target=row)
        with self.assertRaisesRegex(UserError, "Choose the item"):
            self._close(statement, 250.0, over="target")

    def test_r20_paid_elsewhere_meanwhile_gets_nothing(self):
        charges, _move = self._three()
        first, second = self._statement(), self._statement()
        self._close(first, 240.0)
        payment = self._close(second, 240.0)
        self.assertEqual(payment.amount, 240.0)
        self.assertEqual(charges.mapped("amount_residual"), [0.0] * 3)
        self.assertEqual(self._outcomes(second), ["paid"] * 3)
        self.assertEqual(second.line_ids.mapped("amount_paid"), [0.0] * 3)
        self.assertEqual(second._ledger_balance(), -240.0)
        self.assertProof()

    def test_r20_only_chosen_items(self):
        charges, _move = self._three()
        statement = self._statement()
        last = statement.line_ids.filtered(lambda line: line.charge_id == charges[2])
        self._close(statement, 80.0, lines=last)
        self.assertEqual(charges.mapped("amount_residual"), [80.0, 80.0, 0.0])
        self.assertEqual(self._outcomes(statement), ["returned", "returned", "paid"])
        with self.assertRaisesRegex(UserError, "at least one"):
            self._close(self._statement(), 1.0, lines=last)

    def test_r20_only_chosen_items_are_written_off(self):
        charges, _move = self._three()
        statement = self._statement()
        last = statement.line_ids.filtered(lambda line: line.charge_id == charges[2])
        self._close(statement, 50.0, lines=last, under="write_off", reason=self.courtesy)
        self.assertEqual(charges.mapped("ledger_client"), [80.0, 80.0, 0.0])
        self.assertEqual(self._outcomes(statement), ["returned", "returned", "written_off"])
        self.assertEqual(charges.mapped("returned_client"), [True, True, False])
        self.assertEqual(sum(statement.line_ids.mapped("amount_lost")), 30.0)
        self.assertProof()

    def test_r20_what_others_owe_is_not_asked(self):
        """After a rebilling: money may reach such items last, but nobody is asked for it."""
        charges, _move = self._three()
        other = self._charge(self._patient("Ben Brown"), hour=15)
        self._execute(other, post=True)
        plain = self._plain_invoice(self.anna, 50.0)
        statement = self._statement(settles_ledger=True, ledger_amount=50.0)
        line = self._add_line(statement, other)
        self.assertEqual((statement._amount_to_pay(), statement.amount_due_now), (290.0, 240.0))
        # the ledger balance comes first
        allocation = statement._allocate(300.0)
        self.assertEqual(allocation.items[line].money, 10.0)
        self.assertEqual((allocation.left, allocation.surplus), (0.0, 0.0))
        # who paid what was asked has nothing left open
        self._close(statement, 290.0, under="leave_open")
        self.assertEqual((statement.state, line.outcome), ("paid", "returned"))
        self.assertEqual(plain.amount_residual, 0.0)
        self.assertEqual((charges | other).mapped("amount_residual"), [0.0, 0.0, 0.0, 80.0])
        self.assertProof()

    def test_r20_ledger_balance_is_settled_last_and_as_told(self):
        charges, _move = self._three()
        plain = self._plain_invoice(self.anna, 50.0)
        statement = self._statement(settles_ledger=True, ledger_amount=50.0)
        self.assertEqual(statement.amount_total, 290.0)
        self.assertEqual(statement._amount_to_pay(), 290.0)
        self._close(statement, 260.0)
        self.assertEqual(charges.mapped("amount_residual"), [0.0] * 3)
        self.assertEqual(plain.amount_residual, 30.0)
        self.assertEqual(statement._ledger_balance(), 30.0)
        self.assertProof()

    def test_r20_edited_ledger_balance_moves_no_more_than_it_tells(self):
        self._three()
        plain = self._plain_invoice(self.anna, 50.0)
        statement = self._statement(settles_ledger=True, ledger_amount=20.0)
        self.assertEqual(plain.amount_residual, 50.0)
        self._close(statement, 300.0)
        self.assertEqual(plain.amount_residual, 30.0)
        # 40.00 too much: a credit beside what is still open
        self.assertEqual(statement._ledger_balance(), -10.0)
        self.assertProof()

    def test_r20_credit_is_paid_back(self):
        charges, move = self._three()
        self._receive([(charges[0], 80.0), (charges[1], 80.0), (charges[2], 80.0)])
        note = self._credit(move, charges[0], 30.0)
        statement = self._statement()
        self.assertEqual(statement.amount_total, -30.0)
        with self.assertRaisesRegex(UserError, "no credit of"):
            self._close(statement, -31.0)
        payment = self._close(statement, -30.0)
        self.assertEqual((payment.payment_type, payment.amount), ("outbound", 30.0))
        self.assertEqual(note.amount_residual, 0.0)
        self.assertEqual(charges.mapped("amount_residual"), [0.0] * 3)
        self.assertEqual((statement.state, statement.line_ids.outcome), ("paid", "paid"))
        self.assertProof()

    def test_r20_care_in_qa_is_paid_on_account(self):
        self.company.healthcare_qa_review = True
        charge = self._charge(self.anna)
        self.assertEqual(charge.billing_stage, "qa")
        charge.appointment_id._freeze_prices_after_qa()
        statement = self._statement(statement_type="custom", with_qa=True)
        self.assertEqual(statement.line_ids.charge_id, charge)
        self._close(statement, 80.0)
        self.assertEqual(charge._on_account_amounts(), {(charge.id, "client"): 80.0})
        self.assertEqual(statement.line_ids.outcome, "paid")
        self.assertProof()

    def test_r20_payers_statement(self):
        clients = [self._insured_client(name, copay=20.0) for name in ("Ines", "Ivan")]
        charges = self.env["healthcare.charge"].union(*(self._charge(c) for c in clients))
        statement = self._statement(self.payer)
        self.assertEqual(statement.amount_total, 120.0)
        self._close(statement, 90.0)
        self.assertEqual(charges.mapped("balance_payer"), [0.0, 30.0])
        self.assertEqual(charges.mapped("balance_client"), [20.0, 20.0])
        self.assertEqual(charges.mapped("returned_payer"), [False, True])
        self.assertEqual(charges.mapped("returned_client"), [False, False])
        self.assertProof()

    def test_r29_closed_once(self):
        self._three()
        statement = self._statement()
        self._close(statement, 240.0)
        with self.assertRaisesRegex(UserError, "was closed already"):
            self._close(statement, 240.0)
        self.assertEqual(len(statement.payment_ids), 1)

    def test_draft_is_not_paid(self):
        self._three()
        statement = self._statement(commit=False)
        with self.assertRaisesRegex(UserError, "draft"):
            self._close(statement, 240.0)

    def test_bad_input_changes_nothing(self):
        charges, _move, _note = self._with_credit()
        statement = self._statement()
        with self.assertRaisesRegex(UserError, "journal"):
            statement._close_paid(10.0, self.env["account.journal"], self.today)
        with self.assertRaisesRegex(UserError, "future"):
            statement._close_paid(10.0, self.bank, self.today + timedelta(days=1))
        self.company.sale_lock_date = self.today
        self.company.fiscalyear_lock_date = self.today
        with self.assertRaisesRegex(UserError, "locked"):
            statement._close_paid(0.0, self.bank, self.today)
        self.assertEqual(statement.state, "committed")
        self.assertEqual(charges.mapped("ledger_client"), [-30.0, 80.0, 80.0])

    def test_payment_values_reach_the_payment(self):
        """Online payments close statements by the same way."""
        self._three()
        payment = self._close(
            self._statement(),
            100.0,
            under="leave_open",
            payment_values={"payment_reference": "T-1"},
        )
        self.assertEqual(payment.payment_reference, "T-1")

    def test_dialog_tells_before_what_it_does(self):
        charges, _move = self._three()
        statement = self._statement()
        wizard = self.env["healthcare.statement.close"].browse(statement.action_close()["res_id"])
        self.assertEqual((wizard.outcome, wizard.amount, wizard.left), ("paid", 240.0, 0.0))
        self.assertTrue(wizard.journal_id)
        wizard.amount = 100.0
        self.assertEqual(wizard.left, 140.0)
        self.assertEqual(wizard.line_ids.mapped("settled"), [80.0, 20.0, 0.0])
        self.assertEqual(
            wizard.line_ids.mapped("becomes"),
            ["Paid", "Billing office", "Billing office"],
        )
        wizard.line_ids[0].is_chosen = False
        self.assertEqual(wizard.line_ids.mapped("settled"), [0.0, 80.0, 20.0])
        wizard.action_confirm()
        self.assertEqual(charges.mapped("amount_residual"), [80.0, 0.0, 60.0])
        with self.assertRaisesRegex(UserError, "was closed already"):
            wizard.action_confirm()

    def test_dialog_in_a_form(self):
        self._three()
        statement = self._statement()
        action = statement.action_close()
        wizard = self.env["healthcare.statement.close"].browse(action["res_id"])
        with Form(wizard) as form:
            form.amount = 90.0
            self.assertEqual(form.left, 150.0)
            form.under = "write_off"
            self.assertEqual(form.reason_id.kind, "courtesy")
        self.assertEqual(wizard.line_ids.mapped("becomes"), ["Paid", "Written off", "Written off"])

    def test_r20_statement_of_nothing_but_a_ledger_balance(self):
        plain = self._plain_invoice(self.anna, 50.0)
        statement = self.env["healthcare.statement"].create(
            {
                "partner_id": self.anna.id,
                "settles_ledger": True,
                "ledger_amount": 50.0,
            }
        )
        statement._commit()
        self._close(statement, 50.0)
        self.assertEqual((plain.amount_residual, statement.state), (0.0, "paid"))
