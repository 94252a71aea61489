from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..models.account_payment_charge import CareMoney
from ..models.healthcare_charge import RESPONSIBILITIES
from ..models.healthcare_charge_balance import PARTIES


class HealthcareRefundPayment(models.TransientModel):
    """Which credits are paid back: credit notes of care, and money that was never applied."""

    _name = "healthcare.refund.payment"
    _inherit = "healthcare.turns.mixin"
    _description = "Pay Back"

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one("res.partner", string="Paid to", required=True, readonly=True)
    date = fields.Date(required=True, default=fields.Date.context_today)
    journal_id = fields.Many2one(
        "account.journal",
        string="Paid from",
        check_company=True,
        domain="[('type', 'in', ('bank', 'cash', 'credit')), ('company_id', '=', company_id)]",
        default=lambda self: self.env["healthcare.receive.payment"]._default_journal(),
    )
    memo = fields.Char(string="Reference")
    line_ids = fields.One2many("healthcare.refund.payment.line", "wizard_id")
    amount = fields.Monetary(compute="_compute_amount", string="To Pay Back")
    payment_id = fields.Many2one("account.payment", string="Paid Back", readonly=True)

    @api.depends("line_ids.amount")
    def _compute_amount(self):
        for wizard in self:
            wizard.amount = sum(wizard.line_ids.mapped("amount"))

    @api.model
    def _open_for_partner(self, partner):
        """The dialog with all credits of a partner in this company.

        :return: window action
        :raise UserError: there are none
        """
        owner = partner.commercial_partner_id
        rows = self.env["healthcare.receivable"].search(
            [
                ("company_id", "=", self.env.company.id),
                ("partner_id.commercial_partner_id", "=", owner.id),
                ("ledger", "<", 0.0),
            ]
        )
        lines = self.env["account.move.line"].search(partner._on_account_domain())
        return self._open(partner, self._lines_of_items(rows) + self._lines_of_money(lines))

    @api.model
    def _open_for_payment(self, payment):
        """The dialog with what of a payment isn't applied.

        :param payment: ``account.payment`` record
        """
        credits = payment.care_line_ids.filtered(
            lambda line: line.parent_state == "posted" and line.amount_residual_currency < 0
        )
        partner = credits.partner_id[:1] or payment.partner_id
        own = credits.filtered(lambda line: line.partner_id == partner)
        return self.with_company(payment.company_id)._open(partner, self._lines_of_money(own))

    @api.model
    def _lines_of_items(self, receivables):
        return [
            {
                "charge_id": row.charge_id.id,
                "responsibility": row.responsibility,
                "is_open": -row.ledger,
                "amount": -row.ledger,
            }
            for row in receivables
            if row.currency_id == self.env.company.currency_id
        ]

    @api.model
    def _lines_of_money(self, lines):
        return [
            {
                "line_id": line.id,
                "charge_id": line.charge_id.id,
                "responsibility": line.responsibility,
                "is_open": -line.amount_residual_currency,
                "amount": -line.amount_residual_currency,
            }
            for line in lines
            if line.currency_id == line.company_currency_id
        ]

    @api.model
    def _open(self, partner, lines):
        if not lines:
            raise UserError(
                self.env._("%s has no credit that could be paid back.", partner.display_name)
            )
        wizard = self.create(
            {
                "partner_id": partner.id,
                "line_ids": [Command.create(values) for values in lines],
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Pay Back"),
            "res_model": self._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def action_refund(self):
        """Book the payment, once.

        :return: window action on the payment
        :raise UserError: what can't be paid back
        """
        self.ensure_one()
        self._touch()  # a second click waits, and finds it booked
        if not self.payment_id:
            if not self.journal_id:
                raise UserError(self.env._("Choose the journal that the money is paid from."))
            paid = self.line_ids.filtered("amount")
            if any(line.amount < 0 for line in paid):
                raise UserError(self.env._("What is paid back is more than 0.00."))
            self.payment_id = self.env["account.payment"]._refund_for_care(
                self.partner_id,
                self.journal_id,
                self.date,
                [
                    CareMoney(line.charge_id, line.responsibility, line.amount)
                    for line in paid
                    if not line.line_id
                ],
                ledger=[(line.line_id, line.amount) for line in paid if line.line_id],
                memo=self.memo or "",
            )
        return self.payment_id._get_records_action(name=self.env._("Payment"))


class HealthcareRefundPaymentLine(models.TransientModel):
    """One credit, and how much of it is paid back."""

    _name = "healthcare.refund.payment.line"
    _description = "Pay Back: Credit"

    wizard_id = fields.Many2one(
        "healthcare.refund.payment", required=True, ondelete="cascade", index=True
    )
    line_id = fields.Many2one("account.move.line", string="Journal Item", readonly=True)
    charge_id = fields.Many2one("healthcare.charge", readonly=True)
    responsibility = fields.Selection(
        [party for party in RESPONSIBILITIES if party[0] in PARTIES],
        string="Part of",
        readonly=True,
    )
    name = fields.Char(string="Credit", compute="_compute_name")
    service_date = fields.Date(related="charge_id.service_date")
    currency_id = fields.Many2one(related="wizard_id.currency_id")
    is_open = fields.Monetary(string="Open", readonly=True)
    amount = fields.Monetary(string="Pay Back")

    @api.depends("line_id", "charge_id")
    def _compute_name(self):
        for line in self:
            care = line.charge_id.appointment_id.name or line.charge_id.display_name
            if not line.line_id:
                line.name = self.env._("Credit for %s", care)
            elif line.charge_id:
                line.name = self.env._(
                    "%(payment)s, on account for %(care)s",
                    payment=line.line_id.move_name,
                    care=care,
                )
            else:
                line.name = self.env._("%s, on account", line.line_id.move_name)
