from odoo import api, fields, models

from ..models.healthcare_statement_line_change import TOLD_FIELDS


class HealthcareStatementPrice(models.TransientModel):
    """Change what a statement tells of an item, and, where wanted, its price for good."""

    _name = "healthcare.statement.price"
    _description = "Price of a Statement's Item"

    line_id = fields.Many2one("healthcare.statement.line", required=True, readonly=True)
    charge_id = fields.Many2one(related="line_id.charge_id", string="Item")
    currency_id = fields.Many2one(related="line_id.currency_id")
    balance = fields.Monetary(related="line_id.balance")
    is_held = fields.Boolean(related="charge_id.is_held")
    is_posted = fields.Boolean(compute="_compute_is_posted")
    price = fields.Monetary()
    amount_due = fields.Monetary()
    distance = fields.Float(string="Distance (miles)", digits=(16, 2))
    waiting_minutes = fields.Integer()
    update_quote = fields.Boolean(
        string="Also Update the Underlying Quote",
        help="The new price counts from now on, on all statements, and changes the balance.",
    )

    @api.depends("line_id")
    def _compute_is_posted(self):
        """Whether this party's part is in the ledger, so that its price is corrected there."""
        posted = self.line_id.charge_id._posted_parties()
        for wizard in self:
            line = wizard.line_id
            wizard.is_posted = line.responsibility in posted.get(line.charge_id, ())

    def action_apply(self):
        """Tell the new values, and correct the charge where that is wanted."""
        self.ensure_one()
        self.line_id._change_told(
            {name: self[name] for name in TOLD_FIELDS}, update_quote=self.update_quote
        )
        return {"type": "ir.actions.act_window_close"}


class HealthcareStatementLine(models.Model):
    _inherit = "healthcare.statement.line"

    def action_change_price(self):
        """Ask for another price.

        :return: window action on a new ``healthcare.statement.price``
        """
        self.ensure_one()
        wizard = self.env["healthcare.statement.price"].create(
            {"line_id": self.id, **{name: self[name] for name in TOLD_FIELDS}}
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Price of %s", self.charge_id.display_name),
            "res_model": wizard._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "medium"},
        }
