from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .statement_close_common import StatementCloseCommon


@tagged("post_install", "-at_install")
class TestStatementClose(StatementCloseCommon):
    """Unpaid, sold and canceled statements, and those that are opened again (R20)."""

    # -- unpaid ----------------------------------------------------------------------------------
    def test_r20_unpaid_items_are_billed_again(self):
        charges, _move = self._three()
        statement = self._statement()
        self._receive([(charges[0], 80.0)])
        statement._close_unpaid()
        self.assertEqual((statement.state, statement.closed_by_id), ("unpaid", self.env.user))
        self.assertEqual(self._outcomes(statement), ["paid", "returned", "returned"])
        self.assertEqual(charges.mapped("statement_count"), [0, 1, 1])
        self.assertEqual(charges.mapped("returned_client"), [False, True, True])
        self.assertEqual(statement.line_ids[0].stage, "finished")
        following = self._statement(statement_type="differential")
        self.assertEqual(following.line_ids.charge_id, charges[1:])
        following._close_unpaid()
        self.assertEqual(charges.mapped("statement_count"), [0, 2, 2])
        self.assertProof()

    def test_r20_unpaid_stays_where_another_statement_asks_for_it(self):
        charges, _move = self._three()
        first, second = self._statement(), self._statement()
        first._close_unpaid()
        self.assertEqual(charges.mapped("returned_client"), [False] * 3)
        self.assertEqual(self._outcomes(first), ["held"] * 3)
        self.assertEqual(charges.mapped("statement_count"), [0] * 3)
        self.assertFalse(second.needs_recommit)
        second._close_unpaid()
        self.assertEqual(charges.mapped("returned_client"), [True] * 3)
        self.assertEqual(charges.mapped("statement_count"), [1] * 3)

    def test_age_stops_at_closing(self):
        self._three()
        statement = self._statement()
        statement.sudo().committed_on = self.today - timedelta(days=31)
        self.assertEqual(statement.age, 31)
        statement._close_unpaid()
        statement.sudo().closed_on = self.today - timedelta(days=1)
        self.assertEqual(statement.age, 30)

    # -- canceled --------------------------------------------------------------------------------
    def test_r20_canceled_goes_back_as_if_it_had_never_been(self):
        charges, _move = self._three()
        statement = self._statement()
        statement._close_canceled()
        self.assertEqual(charges.mapped("returned_client"), [True] * 3)
        self.assertEqual(charges.mapped("statement_count"), [0] * 3)
        self.assertEqual(set(self._outcomes(statement)), {"canceled"})
        with self.assertRaisesRegex(UserError, "was closed already"):
            statement._close_canceled()
        with self.assertRaisesRegex(UserError, "was closed already"):
            statement._reopen()

    def test_r20_canceled_keeps_what_another_statement_asks_for(self):
        charges, _move = self._three()
        first, second = self._statement(), self._statement()
        second._detach(second.line_ids[2:])
        first._close_canceled()
        self.assertEqual(charges.mapped("returned_client"), [False, False, True])

    def test_draft_is_canceled(self):
        charges, _move = self._three()
        statement = self._statement(commit=False)
        with self.assertRaisesRegex(UserError, "draft"):
            statement._close_unpaid()
        statement._close_canceled()
        self.assertEqual(statement.state, "canceled")
        self.assertEqual(statement.age, 0)
        self.assertEqual(set(charges.mapped("billing_stage")), {"awaiting_payment"})

    def test_r20_a_canceled_draft_leaves_invoiced_care_where_it_is(self):
        charges, _move = self._three()
        draft, committed = self._statement(commit=False), self._statement()
        draft._close_canceled()
        self.assertEqual(self._outcomes(draft), ["canceled"] * 3)
        self.assertEqual(charges.mapped("returned_client"), [False] * 3)
        # a committed one beside it is canceled with a draft: its items go back, once
        other = self._statement(commit=False)
        (other | committed)._close_canceled()
        self.assertEqual(charges.mapped("returned_client"), [True] * 3)
        charges._set_returned("client", False)
        self._statement(commit=False)._close_canceled()
        self.assertEqual(charges.mapped("returned_client"), [False] * 3)
        self.assertFalse(self._statement(statement_type="differential", commit=False).line_ids)

    def test_r20_canceled_with_the_invoices_that_it_made(self):
        old, _move = self._three()
        new = self._charge(self.anna, hour=15)
        statement = self._statement()
        self.assertEqual(new.billing_stage, "awaiting_payment")
        notes = statement._close_canceled(reverse_invoices=True)
        self.assertEqual(notes.reversed_entry_id.invoice_line_ids.charge_id, new)
        self.assertEqual((new.billing_stage, new.ledger_client), ("billing_office", 0.0))
        self.assertEqual(old.mapped("ledger_client"), [80.0] * 3)
        self.assertProof()

    def test_r20_paid_invoices_stay(self):
        new = self._charge(self.anna)
        statement = self._statement()
        self._receive([(new, 10.0)])
        self.assertFalse(statement._close_canceled(reverse_invoices=True))
        self.assertEqual(new.ledger_client, 70.0)

    def test_r20_invoices_stay_that_another_statement_asks_for(self):
        new = self._charge(self.anna)
        first = self._statement()
        self._statement()
        self.assertFalse(first._close_canceled(reverse_invoices=True))
        self.assertEqual(new.ledger_client, 80.0)

    def _stage(self, charge):
        """Where the client's part is, as the database has it now."""
        self.env.flush_all()
        row = self.env["healthcare.receivable"].search([("charge_id", "=", charge.id)])
        row.invalidate_recordset()
        return row.stage

    def test_r20_what_is_not_invoiced_does_not_come_back(self):
        """Care in QA stays there when its statement is closed."""
        self.company.healthcare_qa_review = True
        charge = self._charge(self.anna)
        statement = self._statement()
        self.assertTrue(statement.line_ids.waits_for_qa)
        statement._close_unpaid()
        self.assertFalse(charge.returned_client)
        self.assertEqual(self._stage(charge), "qa")
        self.assertEqual(statement.line_ids.stage, "qa")

    def test_r20_posted_anew_it_is_not_at_the_billing_office_any_more(self):
        new = self._charge(self.anna)
        self._statement()._close_canceled(reverse_invoices=True)
        self.assertEqual((new.returned_client, new.returned_to_billing), (False, False))
        self.assertEqual(self._stage(new), "billing_office")
        self._execute(new, post=True)
        self.assertEqual(self._stage(new), "awaiting_payment")
        new._set_returned("client")
        live = new.invoice_line_ids.filtered("charge_live")
        self._credit(live.move_id)
        self.assertFalse(new.returned_client)
        self._execute(new, post=True)
        self.assertEqual(self._stage(new), "awaiting_payment")
        self.assertProof()

    def test_r20_a_correction_leaves_an_item_where_it_is(self):
        charge = self._charge(self.anna)
        self._execute(charge, post=True)
        charge._set_returned("client")
        charge._add_extra("service_charge", {(charge, "client"): 5.0})
        self.assertEqual(charge.ledger_client, 85.0)
        self.assertTrue(charge.returned_client)
        self.assertEqual(self._stage(charge), "billing_office")

    # -- sold ------------------------------------------------------------------------------------
    def test_r20_sold(self):
        charges, move = self._three()
        statement = self._statement()
        self._receive([(charges[0], 50.0)])
        agency = self.env["res.partner"].create({"name": "Collect & Co."})
        proceeds = statement._close_sold(
            self.sold, self.today, proceeds=60.0, journal=self.bank, agency=agency
        )
        self.assertEqual((statement.state, statement.agency_id), ("sold", agency))
        self.assertEqual(self._outcomes(statement), ["sold"] * 3)
        self.assertEqual(statement.line_ids.mapped("amount_lost"), [30.0, 80.0, 80.0])
        self.assertEqual(set(charges.mapped("billing_stage")), {"finished"})
        self.assertEqual(charges.mapped("amount_paid"), [50.0, 0.0, 0.0])
        self.assertEqual((move.amount_residual, move.amount_untaxed), (0.0, 240.0))
        # Dr loss on sold receivables, Cr receivable
        lines = statement.write_off_ids.line_ids
        loss = lines.filtered(lambda line: line.account_id == self.loss)
        self.assertEqual(sum(loss.mapped("balance")), 190.0)
        self.assertEqual(lines.filtered("charge_id").charge_id, charges)
        # Dr bank, Cr that loss
        self.assertEqual(statement.proceeds_move_id, proceeds)
        self.assertEqual(
            {line.account_id: line.balance for line in proceeds.line_ids}[self.loss], -60.0
        )
        self.assertEqual(proceeds.state, "posted")
        self.assertProof()

    def test_r20_sold_once_though_told_twice(self):
        charges, _move = self._three()
        first, second = self._statement(), self._statement()
        (first | second)._close_sold(self.sold, self.today)
        self.assertEqual(first.line_ids.mapped("amount_lost"), [80.0] * 3)
        self.assertEqual(second.line_ids.mapped("amount_lost"), [0.0] * 3)
        self.assertEqual(set(second.line_ids.mapped("outcome")), {"sold"})
        self.assertEqual(second.write_off_ids, first.write_off_ids)
        self.assertEqual(len(first.write_off_ids), 1)
        self.assertEqual(charges.mapped("amount_residual"), [0.0] * 3)
        self.assertProof()

    def test_r20_credits_are_not_sold(self):
        charges, _move, _note = self._with_credit()
        statement = self._statement()
        statement._close_sold(self.sold, self.today)
        self.assertEqual(charges.mapped("ledger_client"), [-30.0, 0.0, 0.0])
        self.assertEqual(self._outcomes(statement), ["returned", "sold", "sold"])
        self.assertTrue(charges[0].returned_client)
        self.assertProof()

    def test_r20_selling_is_the_managers(self):
        self._three()
        statement = self._statement()
        own = statement.with_env(self._act_as(self._user("billing_user")))
        with self.assertRaisesRegex(AccessError, "manager"):
            own._close_sold(self.sold, self.today)
        with self.assertRaisesRegex(UserError, "sold receivables"):
            statement._close_sold(self.courtesy, self.today)
        with self.assertRaisesRegex(UserError, "bank or cash journal"):
            statement._close_sold(self.sold, self.today, proceeds=5.0)
        own._close_unpaid()
        with self.assertRaisesRegex(AccessError, "manager"):
            own._reopen()
        self.assertEqual(statement.state, "unpaid")

    # -- opened again ----------------------------------------------------------------------------
    def test_r20_reopened_awaits_payment(self):
        charges, _move = self._three()
        statement = self._statement()
        statement.sudo().committed_on = self.today - timedelta(days=31)
        statement._close_unpaid()
        statement._reopen()
        self.assertEqual((statement.state, statement.closed_on), ("committed", False))
        self.assertEqual(statement.age, 31)
        self.assertEqual(charges.mapped("statement_count"), [0] * 3)
        self.assertEqual(charges.mapped("returned_client"), [False] * 3)
        self._close(statement, 240.0)
        self.assertEqual(statement.state, "paid")
        with self.assertRaisesRegex(UserError, "was closed already"):
            statement._close_unpaid()

    def test_r20_reopened_after_the_sale(self):
        charges, move = self._three()
        statement = self._statement()
        statement._close_sold(self.sold, self.today)
        statement._reopen()
        self.assertEqual(charges.mapped("ledger_client"), [80.0] * 3)
        self.assertEqual(move.amount_residual, 240.0)
        self.assertEqual(statement.line_ids.mapped("amount_lost"), [0.0] * 3)
        self.assertProof()
        # sold again: the entries that were taken back are not taken back twice
        statement._close_sold(self.sold, self.today)
        statement._reopen()
        self.assertEqual(charges.mapped("ledger_client"), [80.0] * 3)
        self.assertEqual(len(statement.write_off_ids.reversal_move_ids), 2)
        self.assertProof()

    def test_r20_reopened_after_a_courtesy(self):
        charges, _move = self._three()
        statement = self._statement()
        payment = self._close(statement, 200.0, under="write_off", reason=self.courtesy)
        statement._reopen()
        self.assertEqual(charges.mapped("ledger_client"), [0.0, 0.0, 40.0])
        self.assertEqual(payment.move_id.state, "posted")
        self.assertEqual(statement._amount_to_pay(), 40.0)
        self.assertProof()
