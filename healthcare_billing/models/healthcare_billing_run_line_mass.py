from dataclasses import replace
from types import MappingProxyType

from odoo import api, fields, models

from .account_move_mass import BILL_TEMPLATES

BASES = [
    ("wip", "Work in Progress"),
    ("quote", "Quote"),
    ("fixed", "Fixed Fee"),
    ("mixed", "Several"),
]


class HealthcareBillingRunLine(models.Model):
    """A billing account's row: what there is to bill, on which basis, and what will be billed."""

    _inherit = "healthcare.billing.run.line"

    billing_account_id = fields.Many2one(
        "healthcare.billing.account", readonly=True, index="btree_not_null", ondelete="set null"
    )
    account_count = fields.Integer(string="Billing Accounts", readonly=True)
    bill_for = fields.Char(
        compute="_compute_bill_for", help="The client, or the payer of one bill for several."
    )
    last_billed = fields.Date(readonly=True)
    amount_time = fields.Monetary(
        string="Time", readonly=True, help="Recorded work, besides expenses."
    )
    amount_expense = fields.Monetary(string="Expenses", readonly=True)
    amount_wip = fields.Monetary(
        string="Work in Progress", compute="_compute_amount_wip", help="Time and expenses."
    )
    amount_agreed = fields.Monetary(
        string="Quote or Fee",
        readonly=True,
        help="What is left of the quote, or the fixed fees that are due.",
    )
    basis = fields.Selection(BASES, readonly=True)
    basis_note = fields.Char(string="Why", readonly=True)
    needs_tick = fields.Boolean(
        string="Nothing Due", readonly=True, help="Billed only with the tick “Bill Again”."
    )
    bill_again = fields.Boolean(
        help="Bill it although its fee or quote is billed already: a fixed fee a second time, more "
        "work under a quote at nothing."
    )
    payment_term_id = fields.Many2one("account.payment.term", string="Payment Terms")
    invoice_template_id = fields.Many2one(
        "ir.actions.report",
        string="Bill Template",
        domain=BILL_TEMPLATES,
    )

    @api.depends("client_id", "partner_id", "account_count")
    def _compute_bill_for(self):
        for line in self:
            name = (line.client_id or line.partner_id).display_name
            several = line.account_count > 1
            line.bill_for = (
                self.env._("%(payer)s (%(count)s accounts)", payer=name, count=line.account_count)
                if several
                else name
            )

    @api.depends("amount_time", "amount_expense")
    def _compute_amount_wip(self):
        for line in self:
            line.amount_wip = line.amount_time + line.amount_expense

    @api.model
    def _user_fields(self):
        return super()._user_fields() | {"payment_term_id", "invoice_template_id", "bill_again"}

    def _apply_to(self, planned):
        """Terms and template as chosen on the row; without terms it is due at once, as shown."""
        planned = super()._apply_to(planned)
        if self.run_id.door != "mass":
            return planned
        # the cached id: each row asks
        immediate = self.env["ir.model.data"]._xmlid_to_res_id(
            "account.account_payment_term_immediate"
        )
        chosen = {
            "invoice_template_id": self.invoice_template_id.id,
            "invoice_payment_term_id": self.payment_term_id.id or immediate,
        }
        return replace(planned, values=MappingProxyType({**planned.values, **chosen}))

    def _mass_accounts(self):
        """Billing accounts of these rows, those whose fee needs no work among them."""
        ids = [id_ for line in self for id_ in (line.values or {}).get("accounts", ())]
        named = self.billing_account_id.browse(ids).exists()
        return self.billing_account_id | self.charge_ids.billing_account_id | named

    def _changes_since_preview(self, planned):
        """Also what is due no more isn't billed, unless somebody ticked that it is."""
        changes = super()._changes_since_preview(planned)
        if self.run_id.door != "mass":
            return changes
        gone = self.filtered(lambda line: line.plan_key not in planned and not line.charge_ids)
        reasons = gone.billing_account_id._mass_billing_reasons(self.run_id, again=True)
        for line in self:
            invoice = planned.get(line.plan_key)
            if line.billing_account_id in reasons and line in gone:
                changes[line] = reasons[line.billing_account_id]
            elif line not in changes and invoice.details["needs_tick"]:
                change = line._tick_missing(invoice)
                if change:
                    changes[line] = change
        return changes

    def _tick_missing(self, planned):
        """Why nobody agreed to bill what isn't due, or None.

        :param planned: :class:`PlannedInvoice`, planned now
        """
        if not self.bill_again:
            return planned.details["basis_note"]
        if (self.values or {}).get("fees") != self.run_id._fee_numbers(planned):
            return self.env._("Its fee was billed again meanwhile. Search again.")
        return None

    def _plan_again(self):
        """Of fees that need no work, only those of these rows are planned again."""
        scoped = self
        if "mass" in self.run_id.mapped("door"):
            scoped = self.with_context(healthcare_mass_accounts=self._mass_accounts().ids)
        return super(HealthcareBillingRunLine, scoped)._plan_again()
