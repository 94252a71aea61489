from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..models.healthcare_charge import RESPONSIBILITIES

# Tertiary payers have no part of a charge.
PARTIES = [party for party in RESPONSIBILITIES if party[0] != "tertiary"]


class HealthcareResponsibilityTransfer(models.TransientModel):
    """Who shall owe what another party was invoiced for."""

    _name = "healthcare.responsibility.transfer"
    _description = "Transfer Responsibility"

    company_id = fields.Many2one("res.company", required=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    from_party = fields.Selection(PARTIES, string="From", required=True)
    to_party = fields.Selection(PARTIES, string="To", required=True)
    # required on the form: the dialog opens without one
    reason = fields.Char(help="Such as: deductible, not covered, wrong payer.")
    bill_now = fields.Boolean(
        default=True,
        help="Credit the one party, invoice the other, and post both at once. Else the next "
        "billing run does so.",
    )
    move_all = fields.Boolean(string="Everything Still Owed")
    line_ids = fields.One2many("healthcare.responsibility.transfer.line", "wizard_id")
    amount = fields.Monetary(compute="_compute_amount", string="To Move")
    transfer_ids = fields.Many2many("healthcare.charge", string="Made", readonly=True)

    @api.depends("line_ids.amount")
    def _compute_amount(self):
        for wizard in self:
            wizard.amount = sum(wizard.line_ids.mapped("amount"))

    @api.model
    def _open(self, charges, party=None):
        """Dialog for charges.

        :param charges: ``healthcare.charge`` recordset without corrections
        :param str party: who owes now, default the one who owes most
        :return: window action
        """
        if not charges:
            raise UserError(self.env._("No care of this invoice is billed now."))
        if len(charges.company_id) > 1:
            raise UserError(self.env._("Transfer for one company at a time."))
        if not party:
            owed = {
                name: sum(movable.owed for movable in charges._movable_amounts(name).values())
                for name, _label in PARTIES
            }
            party = max(owed, key=owed.get)
        wizard = self.create(
            {
                "company_id": charges.company_id.id,
                "from_party": party,
                "to_party": "primary" if party == "client" else "client",
                "line_ids": [Command.create({"charge_id": charge.id}) for charge in charges],
            }
        )
        if len(wizard.line_ids) == 1:
            wizard.line_ids.amount = wizard.line_ids.amount_owed
        return wizard._show()

    def _show(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Transfer Responsibility"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "large"},
        }

    @api.onchange("from_party")
    def _onchange_from_party(self):
        if self.from_party == self.to_party:
            self.to_party = "primary" if self.from_party == "client" else "client"
        for line in self.line_ids:
            owed = line.amount_owed
            line.amount = owed if self.move_all else min(line.amount, owed)

    @api.onchange("move_all")
    def _onchange_move_all(self):
        if self.move_all:
            for line in self.line_ids:
                line.amount = line.amount_owed

    def action_confirm(self):
        """Make the transfers, and bill them if wanted; all or nothing. Once: a second click shows
        what the first one made.

        :return: window action
        :raise UserError: nothing to move, or what can't be moved
        """
        self.ensure_one()
        if not self.try_lock_for_update():
            raise UserError(self.env._("This is being transferred right now."))
        if self.transfer_ids:
            return self._show_made()
        if not self.reason:
            raise UserError(self.env._("Say why the responsibility is transferred."))
        lines = self.line_ids.filtered(lambda line: not line.currency_id.is_zero(line.amount))
        if not lines:
            raise UserError(self.env._("Type how much is to be moved, more than 0.00."))
        transfers = self.env["healthcare.charge"]
        for line in lines:
            transfers |= line.charge_id._transfer(
                line.amount,
                from_party=self.from_party,
                to_party=self.to_party,
                reason=self.reason,
            )
        self.transfer_ids = transfers
        if self.bill_now:
            transfers._bill_transfers()
        transfers._log_transfers()
        return self._show_made()

    def _show_made(self):
        """The credit notes and invoices of the transfers, if there are any yet."""
        moves = self.transfer_ids._ledger_lines().with_env(self.env).move_id
        if moves:
            return moves._care_invoices_action(moves)
        return {"type": "ir.actions.act_window_close"}


class HealthcareResponsibilityTransferLine(models.TransientModel):
    """One charge, what the party owes of it, and how much of that moves."""

    _name = "healthcare.responsibility.transfer.line"
    _description = "Transfer Responsibility: Charge"

    wizard_id = fields.Many2one(
        "healthcare.responsibility.transfer", required=True, ondelete="cascade", index=True
    )
    charge_id = fields.Many2one("healthcare.charge", required=True, ondelete="cascade")
    service_date = fields.Date(related="charge_id.service_date", string="Date")
    client_id = fields.Many2one(related="charge_id.client_id")
    product_id = fields.Many2one(related="charge_id.product_id", string="Service")
    currency_id = fields.Many2one(related="charge_id.currency_id")
    amount_owed = fields.Monetary(
        compute="_compute_amount_owed",
        string="Still Owes",
        help="Money that names no charge counts for the oldest care first. Where the payer meant "
        "another charge, type what is to be moved: up to what is open on the invoice.",
    )
    amount = fields.Monetary(string="Move")

    @api.depends("charge_id", "wizard_id.from_party")
    def _compute_amount_owed(self):
        for party, lines in self.grouped(lambda line: line.wizard_id.from_party).items():
            owed = lines.charge_id._movable_amounts(party) if party else {}
            for line in lines:
                line.amount_owed = owed[line.charge_id].owed if party else 0.0
