from odoo import fields, models
from odoo.exceptions import UserError

from .healthcare_statement_items import LISTING


class HealthcareStatementLine(models.Model):
    """Prices of items: told on one statement only, or changed for good."""

    _inherit = "healthcare.statement.line"

    def _change_told(self, vals, *, update_quote=False):
        """Tell something else of an item.

        :param dict vals: price, amount_due, distance, waiting_minutes: what is told
        :param bool update_quote: the price also counts for the charge from now on: typed on it
            before it is invoiced, afterwards by a correction that is booked at once. The amount due
            then is the new balance.
        :raise UserError: the charge can't have that price now, or the statement is closed
        """
        self.ensure_one()
        self.statement_id._in_turn()
        if not update_quote:
            self.write(vals)
            return
        if len(self.charge_id.try_lock_for_update(allow_referencing=True)) < len(self.charge_id):
            raise UserError(
                self.env._("Another user is working on %s right now.", self.charge_id.display_name)
            )
        child = self.charge_id._quote_item(self.responsibility, vals["price"])
        if child and self.responsibility in self.charge_id._parties_posted():
            child._book_correction()
        price, balance = self.charge_id._item_amounts()[self.charge_id.id, self.responsibility]
        by_hand = self.by_hand
        self.write({**vals, "price": price, "amount_due": balance})
        # it is what the charge says: loading again may follow it
        self.with_context(healthcare_listing=LISTING).write({"by_hand": by_hand, "is_typed": False})


class HealthcareCharge(models.Model):
    _inherit = "healthcare.charge"

    def _parties_posted(self):
        """Responsibilities for which a posted invoice bills this charge."""
        self.ensure_one()
        return {
            line.responsibility
            for line in self._posted_document_lines()
            if line.charge_live and line.charge_id == self
        }

    def _book_correction(self):
        """Invoice or credit a correction of what is posted, at once.

        The credit is set off against the invoice of the same care, as far as it is open.

        :return: posted ``account.move`` records
        :raise UserError: why it can't be booked now; then nothing is
        """
        engine = self.env["healthcare.billing.engine"].with_context(
            healthcare_billing_door="adjustment"
        )
        moves = self.env["account.move"]
        for company, charges in self.grouped("company_id").items():
            day = fields.Date.context_today(self)
            moves |= engine.with_company(company)._bill_or_raise(charges, invoice_date=day)
        moves.filtered(lambda move: move.state == "draft")._post(soft=False)
        for note in moves.filtered(lambda move: move.move_type == "out_refund"):
            note._set_off_within_care()
        return moves


class AccountMove(models.Model):
    _inherit = "account.move"

    def _set_off_within_care(self):
        """Reconcile a credit note with the invoice of the same care, if that much is open on it.

        Else it stays an open credit: what is credited for one charge never pays another silently.
        """
        self.ensure_one()
        asked = {key: -amount for key, amount in self._asked_per_party().items() if key[0]}
        for invoice in self._invoices_taken_from():
            shares = invoice._open_shares()[invoice]
            if all(
                self.currency_id.compare_amounts(shares.get(key, 0.0), amount) >= 0
                for key, amount in asked.items()
            ):
                self._set_off_against(invoice)
                return
