from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..models.account_move_write_off import WRITE_OFF_KINDS


class HealthcareWriteOff(models.TransientModel):
    """How much of which invoices is written off, why, and when."""

    _name = "healthcare.write.off"
    _description = "Write Off"

    reason_id = fields.Many2one(
        "healthcare.adjustment.reason", domain=[("kind", "in", WRITE_OFF_KINDS)]
    )
    account_id = fields.Many2one(
        "account.account", compute="_compute_account_id", string="Booked on"
    )
    lacks_account = fields.Boolean(compute="_compute_account_id")
    date = fields.Date(required=True, default=fields.Date.context_today)
    note = fields.Char(help="Told on entries and invoices.")
    line_ids = fields.One2many("healthcare.write.off.line", "wizard_id")
    company_id = fields.Many2one("res.company", compute="_compute_totals")
    currency_id = fields.Many2one("res.currency", compute="_compute_totals")
    amount = fields.Monetary(
        compute="_compute_totals", string="To Write Off", help="Empty for several currencies."
    )

    @api.model
    def _open(self, moves):
        """Dialog for posted invoices on which something is open.

        :param moves: ``account.move`` recordset
        :return: window action
        """
        wizard = self.create(
            {
                "line_ids": [
                    Command.create({"move_id": move.id, "amount": move.amount_residual})
                    for move in moves
                ]
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Write Off"),
            "res_model": self._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
        }

    @api.depends("reason_id", "line_ids")
    def _compute_account_id(self):
        for wizard in self:
            companies = wizard.line_ids.move_id.company_id
            accounts = [wizard.reason_id.with_company(c).account_id for c in companies]
            wizard.account_id = accounts[0] if len(accounts) == 1 else False
            wizard.lacks_account = bool(wizard.reason_id) and not all(accounts)

    @api.depends("line_ids.amount")
    def _compute_totals(self):
        for wizard in self:
            currencies = wizard.line_ids.currency_id
            wizard.company_id = wizard.line_ids.move_id.company_id[:1]
            wizard.currency_id = currencies[:1]
            wizard.amount = sum(wizard.line_ids.mapped("amount")) if len(currencies) == 1 else False

    def action_confirm(self):
        """Book it, once: a second click finds nothing open, and says so.

        :raise UserError: no reason, or what can't be written off
        """
        self.ensure_one()
        if not self.reason_id:
            raise UserError(self.env._("Choose a reason."))
        amounts = {
            line.move_id: line.amount
            for line in self.line_ids
            if not line.currency_id.is_zero(line.amount)
        }
        moves = self.env["account.move"].browse(move.id for move in amounts)
        moves._write_off(self.reason_id, self.date, amounts, self.note or "")
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": self.env._("Written off on %s invoices.", len(moves)),
                "type": "success",
                "next": {"type": "ir.actions.act_window_close"},
            },
        }


class HealthcareWriteOffLine(models.TransientModel):
    """One invoice, what is open on it, and how much of that is written off."""

    _name = "healthcare.write.off.line"
    _description = "Write Off: Invoice"

    wizard_id = fields.Many2one(
        "healthcare.write.off", required=True, ondelete="cascade", index=True
    )
    move_id = fields.Many2one("account.move", string="Invoice", required=True, readonly=True)
    partner_id = fields.Many2one(related="move_id.partner_id")
    currency_id = fields.Many2one(related="move_id.currency_id")
    residual = fields.Monetary(related="move_id.amount_residual", string="Open")
    amount = fields.Monetary(string="Write Off")
