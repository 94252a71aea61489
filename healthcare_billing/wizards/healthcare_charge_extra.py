from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..models.healthcare_charge import RESPONSIBILITIES
from ..models.healthcare_charge_balance import PARTIES
from ..models.healthcare_charge_extra import EXTRA_SIGNS


class HealthcareChargeExtra(models.TransientModel):
    """Which items are charged, or get a discount, and how much; shown before it is booked."""

    _name = "healthcare.charge.extra"
    _description = "Add Charges and Discounts"

    company_id = fields.Many2one("res.company", required=True)
    currency_id = fields.Many2one("res.currency", required=True)
    statement_id = fields.Many2one("healthcare.statement", ondelete="cascade")
    kind = fields.Selection(
        [
            ("finance_charge", "Finance Charge"),
            ("service_charge", "Service Charge"),
            ("discount", "Discount"),
        ],
        required=True,
        default="finance_charge",
    )
    method = fields.Selection(
        [
            ("per_item", "Amount per item"),
            ("fixed", "One amount, shared"),
            ("percent", "Per cent of the balance"),
            ("monthly", "Monthly rate on what is overdue"),
        ],
        required=True,
        default="per_item",
    )
    amount = fields.Monetary()
    rate = fields.Float(string="Rate (%)", digits=(16, 3))
    scope = fields.Selection(
        [
            ("all", "All items"),
            ("unpaid", "Items with a balance"),
            ("overdue", "Overdue items"),
            ("ticked", "Ticked items"),
        ],
        string="Which",
        required=True,
        default="unpaid",
    )
    date = fields.Date(
        required=True,
        default=fields.Date.context_today,
        help="Of invoices and credit notes; days overdue count till then.",
    )
    description = fields.Char(help="Printed on the document. Empty: the name of the service.")
    reason_id = fields.Many2one(
        "healthcare.adjustment.reason",
        domain="[('kind', '=', 'courtesy')]",
        help="Its account takes the discount; without one, the discount service's does.",
    )
    line_ids = fields.One2many("healthcare.charge.extra.line", "wizard_id")
    total = fields.Monetary(compute="_compute_total")
    item_count = fields.Integer(compute="_compute_total")
    is_done = fields.Boolean(readonly=True)

    @api.depends("line_ids.amount")
    def _compute_total(self):
        for wizard in self:
            lines = wizard.line_ids.filtered("amount")
            wizard.total = sum(lines.mapped("amount"))
            wizard.item_count = len(lines)

    @api.model
    def _open(self, items, statement=None):
        """Dialog for items.

        :param list items: of ``(charge, responsibility)``
        :param statement: ``healthcare.statement`` that tells what is added
        :return: window action
        :raise UserError: none, or of several companies or currencies
        """
        charges = self.env["healthcare.charge"].browse(charge.id for charge, _party in items)
        if not charges:
            raise UserError(self.env._("Choose care that somebody owes."))
        if len(charges.company_id) > 1 or len(charges.currency_id) > 1:
            raise UserError(self.env._("Do this for one company and currency after the other."))
        due = charges._due_dates()
        wizard = self.create(
            {
                "company_id": charges.company_id.id,
                "currency_id": charges.currency_id.id,
                "statement_id": statement.id if statement else False,
                "line_ids": [
                    Command.create(
                        {
                            "charge_id": charge.id,
                            "responsibility": party,
                            "due_date": due.get((charge, party)),
                            "partner_id": charge[f"{PARTIES[party]}_debtor_id"].id,
                            "balance": charge[f"balance_{PARTIES[party]}"],
                        }
                    )
                    for charge, party in dict.fromkeys(items)
                ],
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Add Charges and Discounts"),
            "res_model": self._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }

    @api.onchange("method")
    def _onchange_method(self):
        """What isn't overdue isn't charged by the month."""
        if self.method == "monthly" and self.scope in ("all", "unpaid"):
            self.scope = "overdue"

    def action_confirm(self):
        """Add it; all or nothing, and once.

        :raise UserError: nothing to add, or what can't be booked
        """
        self.ensure_one()
        if not self.try_lock_for_update():
            raise UserError(self.env._("This is being added right now."))
        close = {"type": "ir.actions.act_window_close"}
        if self.is_done:
            return close
        lines = self.line_ids.filtered("amount")
        if not lines:
            raise UserError(
                self.env._("Nothing would be added: type an amount or rate, and choose the items.")
            )
        before = {(line.charge_id, line.responsibility): line._owed() for line in lines}
        lines.charge_id._add_extra(
            self.kind,
            {(line.charge_id, line.responsibility): line.amount for line in lines},
            reason=self.reason_id if self.kind == "discount" else None,
            description=self.description or "",
            date=self.date,
        )
        self._tell_on_statement(
            {
                (line.charge_id, line.responsibility): line.currency_id.round(
                    line._owed() - before[line.charge_id, line.responsibility]
                )
                for line in lines
            }
        )
        self.is_done = True
        return close

    def _tell_on_statement(self, changes):
        """What the statement asks for includes what was added for it.

        :param dict changes: ``{(charge, responsibility): amount}`` by which balances changed
        """
        for item in self.statement_id.line_ids:
            amount = changes.get((item.charge_id, item.responsibility))
            if amount:
                item.amount_due += amount


class HealthcareChargeExtraLine(models.TransientModel):
    """One item, and what it is charged."""

    _name = "healthcare.charge.extra.line"
    _description = "Add Charges and Discounts: Item"

    wizard_id = fields.Many2one(
        "healthcare.charge.extra", required=True, ondelete="cascade", index=True
    )
    charge_id = fields.Many2one("healthcare.charge", required=True, ondelete="cascade")
    responsibility = fields.Selection(RESPONSIBILITIES, required=True, readonly=True)
    partner_id = fields.Many2one("res.partner", string="Owed by", readonly=True)
    service_date = fields.Date(related="charge_id.service_date", string="Date")
    client_id = fields.Many2one(related="charge_id.client_id")
    product_id = fields.Many2one(related="charge_id.product_id", string="Service")
    currency_id = fields.Many2one(related="charge_id.currency_id")
    due_date = fields.Date(string="Due", readonly=True)
    balance = fields.Monetary(readonly=True)
    is_ticked = fields.Boolean(string="Ticked")
    is_void = fields.Boolean(compute="_compute_note")
    note = fields.Char(compute="_compute_note")
    amount = fields.Monetary(string="Added", compute="_compute_amount")
    balance_then = fields.Monetary(string="Owed Then", compute="_compute_amount")

    @api.depends("wizard_id.kind", "wizard_id.scope", "wizard_id.date", "due_date", "charge_id")
    def _compute_note(self):
        """Why an item gets nothing."""
        for line in self:
            adjudicated = line.charge_id.is_adjudicated
            line.is_void = adjudicated and line.wizard_id.kind != "finance_charge"
            line.note = False
            if line.is_void:
                line.note = self.env._("Adjudicated: finance charges only")
            elif line.wizard_id.scope == "overdue" and not line._is_overdue():
                line.note = self.env._("Not overdue")

    @api.depends(
        "is_ticked",
        "wizard_id.kind",
        "wizard_id.method",
        "wizard_id.amount",
        "wizard_id.rate",
        "wizard_id.scope",
        "wizard_id.date",
    )
    def _compute_amount(self):
        """Of all items of the dialog together: one amount is shared among those that are chosen."""
        for wizard in self.wizard_id:
            chosen = wizard.line_ids.filtered(lambda line: line._is_chosen())
            by_rate = wizard.method in ("percent", "monthly")
            amounts = self.env["healthcare.charge"]._extra_amounts(
                wizard.kind,
                wizard.method,
                wizard.rate if by_rate else wizard.amount,
                [(line.charge_id, line.responsibility) for line in chosen],
                wizard.date or fields.Date.context_today(self),
            )
            for line in wizard.line_ids:
                key = (line.charge_id, line.responsibility)
                line.amount = amounts.get(key, 0.0) if line in chosen else 0.0
                line.balance_then = line.balance + EXTRA_SIGNS[wizard.kind] * line.amount

    def _owed(self):
        """What is owed now; ``balance`` is what was owed when the dialog was opened."""
        self.ensure_one()
        return self.charge_id[f"balance_{PARTIES[self.responsibility]}"]

    def _is_chosen(self):
        self.ensure_one()
        wizard = self.wizard_id
        if self.is_void:
            return False
        if wizard.scope == "unpaid":
            return self.balance > 0
        if wizard.scope == "overdue":
            return self._is_overdue()
        return wizard.scope == "all" or self.is_ticked

    def _is_overdue(self):
        self.ensure_one()
        day = self.wizard_id.date
        return bool(self.due_date and day and self.due_date < day)
