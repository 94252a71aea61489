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
        if child:
            child._book_corrections(fields.Date.context_today(self))
        price, balance = self.charge_id._item_amounts()[self.charge_id.id, self.responsibility]
        by_hand = self.by_hand
        self.write({**vals, "price": price, "amount_due": balance})
        # it is what the charge says: loading again may follow it
        self.with_context(healthcare_listing=LISTING).write({"by_hand": by_hand, "is_typed": False})
