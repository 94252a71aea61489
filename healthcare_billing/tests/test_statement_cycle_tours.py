from odoo.tests import HttpCase, tagged

from .statement_close_common import StatementCloseCommon


@tagged("post_install", "-at_install")
class TestStatementCycleTours(StatementCloseCommon, HttpCase):
    """A manager bills, is paid short, bills again, and sells what nobody pays."""

    def test_commit_pay_short_rebill_sell(self):
        self.env.ref("base.group_user").implied_ids |= self.env.ref(
            "healthcare_billing.group_use_statements"
        )
        self.company.write({"healthcare_collections_count": 1, "healthcare_collections_days": 0})
        manager = self._user("billing_manager", login="statement_manager")
        charges = self._charge(self.anna, hour=9) | self._charge(self.anna, hour=11)
        self.start_tour(
            "/odoo", "healthcare_billing_statement_cycle_tour", login=manager.login, timeout=400
        )
        paid, unpaid, sold = self.env["healthcare.statement"].search(
            [("partner_id", "=", self.anna.id)], order="id"
        )
        self.assertEqual([paid.state, unpaid.state, sold.state], ["paid", "unpaid", "sold"])
        self.assertEqual(paid.payment_ids.amount, 50.0)
        self.assertEqual(paid.payment_ids.journal_id.type, "bank")
        self.assertCountEqual(paid.line_ids.mapped("outcome"), ["short", "returned"])
        self.assertEqual(sold.statement_type, "collections")
        self.assertEqual(sold.line_ids.charge_id, charges)
        self.assertEqual(charges.mapped("statement_count"), [1, 1])
        self.assertEqual(charges.mapped("amount_residual"), [0.0, 0.0])
        losses = sold.write_off_ids.line_ids.filtered(lambda line: line.account_id == self.loss)
        self.assertEqual(sum(losses.mapped("balance")), 110.0)
        # three statements, and each visit invoiced once
        invoices = charges.invoice_line_ids.move_id.filtered("invoice_date")
        self.assertEqual((len(invoices), invoices.amount_total), (1, 160.0))
        self.assertProof()
