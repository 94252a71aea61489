from odoo import api, models
from odoo.tools import SQL, format_date


class HealthcareBillingEngine(models.AbstractModel):
    """Expenses on bills: their own words, the day, and what a vendor bill still says."""

    _inherit = "healthcare.billing.engine"

    @api.model
    def _charge_line_name(self, charge, part, lang):
        """An expense is printed by its description, whoever's part of it is billed."""
        if charge.kind != "expense" or not charge.description:
            return super()._charge_line_name(charge, part, lang)
        if part.is_whole:
            return charge.description
        engine = self.with_context(lang=lang)
        if part.responsibility == "client":
            return engine.env._("%s (client's part)", charge.description)
        return engine.env._("%s (payer's part)", charge.description)

    @api.model
    def _day_names(self, charge, invoice, lang):
        """No title of an appointment says when an expense was, nor for whom."""
        if charge.kind != "expense" or charge.appointment_id:
            return super()._day_names(charge, invoice, lang)
        names = [format_date(self.env, charge.service_date, lang_code=lang)]
        return names if invoice.client_id else [*names, charge.client_id.name]

    @api.model
    def _block_conditions(self, companies, invoice_date):
        """What the practice doesn't owe (any more) isn't billed on.

        A bill that was paid before the vendor credited it stays "paid": then its credits tell, once
        they come to all of it. Which line a smaller credit is for, nobody knows.
        """
        return {
            **super()._block_conditions(companies, invoice_date),
            "vendor_bill_changed": SQL(
                "(c.vendor_line_id IS NOT NULL AND EXISTS (SELECT 1 FROM account_move_line vl"
                " JOIN account_move vb ON vb.id = vl.move_id WHERE vl.id = c.vendor_line_id"
                " AND (vb.state <> 'posted' OR vb.payment_state = 'reversed'"
                " OR ABS(vl.price_subtotal - c.vendor_amount) > 0.000001"
                " OR vb.amount_untaxed <= (SELECT SUM(vr.amount_untaxed) FROM account_move vr"
                " WHERE vr.reversed_entry_id = vb.id AND vr.state = 'posted'"
                " AND vr.currency_id = vb.currency_id))))"
            ),
        }
