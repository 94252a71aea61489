from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..models.account_move_write_off_items import ITEM_KINDS
from ..models.healthcare_charge import RESPONSIBILITIES
from ..models.healthcare_charge_balance import PARTIES


class HealthcareItemWriteOff(models.TransientModel):
    """How much of which items is written off, or was sold, why, and when."""

    _name = "healthcare.item.write.off"
    _description = "Write Off Items"

    company_id = fields.Many2one("res.company", required=True)
    currency_id = fields.Many2one("res.currency", required=True)
    reason_id = fields.Many2one("healthcare.adjustment.reason", domain=[("kind", "in", ITEM_KINDS)])
    account_id = fields.Many2one(
        "account.account", compute="_compute_account_id", string="Booked on"
    )
    date = fields.Date(required=True, default=fields.Date.context_today)
    note = fields.Char(help="Told on entries and invoices.")
    line_ids = fields.One2many("healthcare.item.write.off.line", "wizard_id")
    amount = fields.Monetary(compute="_compute_amount", string="To Write Off")

    @api.depends("reason_id", "company_id")
    def _compute_account_id(self):
        for wizard in self:
            reason = wizard.reason_id.with_company(wizard.company_id)
            wizard.account_id = reason.account_id

    @api.depends("line_ids.amount")
    def _compute_amount(self):
        for wizard in self:
            wizard.amount = sum(wizard.line_ids.mapped("amount"))

    @api.model
    def _open(self, items):
        """Dialog for items of which something is posted and open.

        :param list items: of ``(charge, responsibility)``
        :return: window action
        :raise UserError: none, or of several companies or currencies
        """
        charges = self.env["healthcare.charge"].browse(charge.id for charge, _party in items)
        if not charges:
            raise UserError(
                self.env._("Choose what is invoiced and open: nothing else can be written off.")
            )
        if len(charges.company_id) > 1 or len(charges.currency_id) > 1:
            raise UserError(self.env._("Do this for one company and currency after the other."))
        wizard = self.create(
            {
                "company_id": charges.company_id.id,
                "currency_id": charges.currency_id.id,
                "line_ids": [
                    Command.create(
                        {
                            "charge_id": charge.id,
                            "responsibility": party,
                            "partner_id": charge[f"{PARTIES[party]}_debtor_id"].id,
                            "open_amount": charge[f"ledger_{PARTIES[party]}"],
                            "amount": charge[f"ledger_{PARTIES[party]}"],
                        }
                    )
                    for charge, party in items
                ],
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Write Off"),
            "res_model": self._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "large"},
        }

    def action_confirm(self):
        """Book it, once: a second click finds nothing open, and says so.

        :raise UserError: no reason, or what can't be written off
        """
        self.ensure_one()
        if not self.reason_id:
            raise UserError(self.env._("Choose a reason."))
        lines = self.line_ids.filtered("amount")
        lines.charge_id._write_off_items(
            [(line.charge_id, line.responsibility, line.amount) for line in lines],
            self.reason_id,
            self.date,
            self.note or "",
        )
        return {"type": "ir.actions.act_window_close"}


class HealthcareItemWriteOffLine(models.TransientModel):
    """One item, what is open of it in the ledger, and how much of that is written off."""

    _name = "healthcare.item.write.off.line"
    _description = "Write Off Items: Item"

    wizard_id = fields.Many2one(
        "healthcare.item.write.off", required=True, ondelete="cascade", index=True
    )
    charge_id = fields.Many2one("healthcare.charge", required=True, ondelete="cascade")
    responsibility = fields.Selection(RESPONSIBILITIES, required=True, readonly=True)
    partner_id = fields.Many2one("res.partner", string="Owed by", readonly=True)
    service_date = fields.Date(related="charge_id.service_date", string="Date")
    client_id = fields.Many2one(related="charge_id.client_id")
    product_id = fields.Many2one(related="charge_id.product_id", string="Service")
    currency_id = fields.Many2one(related="charge_id.currency_id")
    open_amount = fields.Monetary(string="Open", readonly=True)
    amount = fields.Monetary(string="Write Off")
