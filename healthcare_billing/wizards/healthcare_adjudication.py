from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..models.healthcare_charge_adjudication import Adjudication
from ..models.healthcare_charge_balance import OWED_STAGES


class HealthcareAdjudication(models.TransientModel):
    """What a payer allows of which charges."""

    _name = "healthcare.adjudication"
    _description = "Adjudicate"

    company_id = fields.Many2one("res.company", required=True)
    date = fields.Date(
        required=True, default=fields.Date.context_today, help="Of credit notes and invoices."
    )
    reason_id = fields.Many2one(
        "healthcare.adjustment.reason",
        string="Difference for",
        domain="[('kind', 'in', ('contractual', 'sequestration', 'denial'))]",
        default=lambda self: self.env.ref("healthcare_billing.adjustment_reason_45", False),
        help="Its account takes what is owed no more; without one, the revenue of the care does.",
    )
    account_id = fields.Many2one("account.account", compute="_compute_account_id")
    line_ids = fields.One2many("healthcare.adjudication.line", "wizard_id")
    is_done = fields.Boolean(readonly=True)

    @api.depends("reason_id", "company_id")
    def _compute_account_id(self):
        for wizard in self:
            reason = wizard.reason_id
            wizard.account_id = reason._contra_account(wizard.company_id) if reason else False

    @api.model
    def _open(self, charges):
        """Dialog for charges that somebody owes.

        :param charges: ``healthcare.charge`` recordset without corrections
        :return: window action
        :raise UserError: none of them can be adjudicated
        """
        charges = charges.filtered(lambda c: c.billing_stage in OWED_STAGES and c.is_priced)
        if not charges:
            raise UserError(
                self.env._("Choose care that was given and has a price: a payer allows a price.")
            )
        if len(charges.company_id) > 1:
            raise UserError(self.env._("Adjudicate for one company at a time."))
        wizard = self.create(
            {
                "company_id": charges.company_id.id,
                "line_ids": [Command.create(values) for values in charges._adjudication_lines()],
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Adjudicate"),
            "res_model": self._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }

    def action_confirm(self):
        """Record it, and book the differences; all or nothing, and once.

        :raise UserError: no reason, or what can't be booked
        """
        self.ensure_one()
        if not self.try_lock_for_update():
            raise UserError(self.env._("This is being recorded right now."))
        close = {"type": "ir.actions.act_window_close"}
        if self.is_done:
            return close
        if not self.reason_id:
            raise UserError(self.env._("Choose what the difference is for."))
        chosen = self.line_ids.filtered("is_decided")
        if not chosen:
            raise UserError(self.env._("Tick what the payer decided on."))
        chosen.charge_id._adjudicate(
            {
                line.charge_id: Adjudication(
                    line.allowed,
                    line.sequestration,
                    line.client_part if line.has_payer else None,
                    self.reason_id,
                    self.date,
                )
                for line in chosen
            }
        )
        self.is_done = True
        return close


class HealthcareAdjudicationLine(models.TransientModel):
    """One charge, what is billed of it, and what a payer allows."""

    _name = "healthcare.adjudication.line"
    _description = "Adjudicate: Charge"

    wizard_id = fields.Many2one(
        "healthcare.adjudication", required=True, ondelete="cascade", index=True
    )
    charge_id = fields.Many2one("healthcare.charge", required=True, ondelete="cascade")
    service_date = fields.Date(related="charge_id.service_date", string="Date")
    client_id = fields.Many2one(related="charge_id.client_id")
    product_id = fields.Many2one(related="charge_id.product_id", string="Service")
    currency_id = fields.Many2one(related="charge_id.currency_id")
    has_payer = fields.Boolean(readonly=True)
    billed = fields.Monetary(readonly=True, help="With all corrections, untaxed.")
    finance = fields.Monetary(readonly=True, help="Finance charges stay, whatever is allowed.")
    client_billed = fields.Monetary(readonly=True)
    is_decided = fields.Boolean(string="Decided", default=True)
    allowed = fields.Monetary(help="0.00 is a denial.")
    sequestration = fields.Monetary(string="Sequestered")
    client_part = fields.Monetary(
        string="Client Owes",
        compute="_compute_client_part",
        store=True,
        readonly=False,
        help="Co-pay, deductible and co-insurance: it moves to the client.",
    )
    difference = fields.Monetary(
        compute="_compute_difference", help="What is booked: negative is owed no more."
    )
    balance_then = fields.Monetary(compute="_compute_difference", string="Owed Then")

    @api.depends("allowed", "sequestration")
    def _compute_client_part(self):
        """As billed, at most all that is allowed; all of it without a payer."""
        for line in self:
            most = max(line.allowed - line.sequestration, 0.0)
            line.client_part = min(line.client_billed, most) if line.has_payer else most

    @api.depends("allowed", "sequestration", "is_decided")
    def _compute_difference(self):
        for line in self:
            owed = line.allowed - line.sequestration + line.finance
            line.difference = owed - line.billed if line.is_decided else 0.0
            line.balance_then = line.charge_id.amount_residual + line.difference
