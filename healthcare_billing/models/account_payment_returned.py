from odoo import models

from .healthcare_statement_close import CLOSED_STATES


class AccountPayment(models.Model):
    """Money that is taken back: what it paid is asked for again.

    A statement that was closed as paid waits for nothing any more. What its payment paid would be
    open, and on no statement: so it goes back to the billing office, and is told on the next one.
    """

    _inherit = "account.payment"

    def action_cancel(self):
        paid = self.move_id.line_ids._paid_documents()
        result = super().action_cancel()
        paid._return_unpaid(self)
        return result

    def _tell_statements(self, back):
        """Say in the journals of statements that money for them is gone.

        :param back: ``healthcare.statement.line`` records of what went back to the billing office
        """
        # sudo: who cancels payments need not be allowed to see statements
        statements = self.env["healthcare.statement"].sudo()
        bodies = {}
        for statement in statements.search([("payment_ids", "in", self.ids)]) | back.statement_id:
            items = back.filtered(lambda line, told=statement: line.statement_id == told)
            names = ", ".join((statement.payment_ids & self or self).mapped("display_name"))
            text = (
                self.env._("Taken back: %s.", names)
                if names
                else self.env._("A settlement without money was taken back.")
            )
            if items:
                text += " " + self.env._(
                    "Open again, and back at the billing office: %s.",
                    ", ".join(items.charge_id.mapped("display_name")),
                )
            bodies[statement.id] = text
        statements.browse(bodies)._message_log_batch(bodies=bodies)


class AccountMove(models.Model):
    _inherit = "account.move"

    def js_remove_outstanding_partial(self, partial_id):
        partial = self.env["account.partial.reconcile"].browse(partial_id)
        credit = partial.credit_move_id
        paid, payments = credit._paid_documents(), credit.payment_id
        result = super().js_remove_outstanding_partial(partial_id)
        (paid & self)._return_unpaid(payments)
        return result

    def _return_unpaid(self, payments):
        """Take items of these invoices back to the billing office that nobody asks for any more.

        Those are open, were told on a statement that is closed, and on none that is committed.
        What no statement ever told goes on awaiting payment: its invoice asks for it.

        :param payments: ``account.payment`` records that don't pay them any more; none if it was a
            credit that was set off
        """
        # sudo: who cancels payments need not be allowed to see charges and statements
        charges = self.sudo().invoice_line_ids.charge_id
        keys = {
            (line.charge_id._root(), line.responsibility)
            for line in self.sudo().invoice_line_ids.filtered("charge_id")
        }
        told = (
            self.env["healthcare.statement.line"]
            .sudo()
            .search(
                [
                    ("charge_id", "in", charges._roots().ids),
                    ("statement_id.state", "in", CLOSED_STATES),
                ]
            )
        )
        held = told._held_elsewhere()
        back = told.filtered(
            lambda line: (
                (line.charge_id, line.responsibility) in keys - held
                and line.currency_id.compare_amounts(line._posted_balance(), 0.0) > 0
            )
        )
        for party, lines in back.grouped("responsibility").items():
            lines.charge_id._set_returned(party)
        payments._tell_statements(back)


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _paid_documents(self):
        """Invoices of care that these receivable lines pay."""
        paying = self.filtered(lambda line: line.account_type == "asset_receivable")
        return paying.matched_debit_ids.debit_move_id.move_id.filtered(
            lambda move: move.move_type == "out_invoice" and move.has_charges
        )

    def action_unreconcile_match_entries(self):
        lines = self.browse(self.env.context.get("active_ids", ()))._all_reconciled_lines()
        payments, paid = lines.payment_id, lines._paid_documents()
        result = super().action_unreconcile_match_entries()
        paid._return_unpaid(payments)
        return result
