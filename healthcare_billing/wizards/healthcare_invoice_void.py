from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class HealthcareInvoiceVoid(models.TransientModel):
    """Why invoices are voided, and what becomes of what was paid on them (R15)."""

    _name = "healthcare.invoice.void"
    _description = "Void Invoices"

    move_ids = fields.Many2many(
        "account.move", "healthcare_invoice_void_move_rel", string="Invoices", readonly=True
    )
    move_names = fields.Char(string="Voided", compute="_compute_move_names")
    line_ids = fields.One2many("healthcare.invoice.void.line", "wizard_id", readonly=True)
    has_write_offs = fields.Boolean(compute="_compute_move_names")
    reversal_date = fields.Date(compute="_compute_move_names", string="Credit Note Dated")
    # required on the form: the dialog opens without one
    reason = fields.Char(help="Told on invoices and credit notes.")
    confirmed = fields.Boolean(string="I know that these payments become unapplied credit")

    @api.model
    def _open(self, moves):
        """Dialog for posted invoices.

        :param moves: ``account.move`` recordset
        :return: window action
        """
        lines = [
            {"move_id": move.id, "payment": name, "amount": amount, "currency_id": currency.id}
            for move in moves
            for name, amount, currency in move._unapplied_by_voiding()
        ]
        wizard = self.create(
            {
                "move_ids": [Command.set(moves.ids)],
                "line_ids": [Command.create(vals) for vals in lines],
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Void"),
            "res_model": self._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
        }

    @api.depends("move_ids")
    def _compute_move_names(self):
        for wizard in self:
            moves = wizard.move_ids
            wizard.move_names = ", ".join(move._care_reference() for move in moves[:10])
            if len(moves) > 10:
                wizard.move_names += self.env._(" and %s more", len(moves) - 10)
            wizard.has_write_offs = bool(moves._live_write_offs())
            wizard.reversal_date = max(
                (move._reversal_dates()["date"] for move in moves), default=False
            )

    def action_confirm(self):
        """Void them, and show the credit notes.

        :raise UserError: what was paid isn't what was shown, or wasn't agreed to
        """
        self.ensure_one()
        self.move_ids._check_may_void()
        shown = sorted((line.move_id.id, line.payment, line.amount) for line in self.line_ids)
        now = sorted(
            (move.id, name, amount)
            for move in self.move_ids
            for name, amount, _currency in move._unapplied_by_voiding()
        )
        if shown != now:
            raise UserError(
                self.env._("What is paid on these invoices has changed. Close, and look again.")
            )
        if self.line_ids and not self.confirmed:
            raise UserError(
                self.env._("Tick that these payments become unapplied credit, or discard.")
            )
        credits = self.move_ids._void(self.reason)
        return self.env["account.move"]._care_invoices_action(credits)


class HealthcareInvoiceVoidLine(models.TransientModel):
    """A payment that becomes unapplied credit."""

    _name = "healthcare.invoice.void.line"
    _description = "Void Invoices: Payment"

    wizard_id = fields.Many2one(
        "healthcare.invoice.void", required=True, ondelete="cascade", index=True
    )
    move_id = fields.Many2one("account.move", string="Invoice")
    payment = fields.Char()
    currency_id = fields.Many2one("res.currency")
    amount = fields.Monetary()
