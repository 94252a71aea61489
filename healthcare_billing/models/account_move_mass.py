from odoo import api, fields, models


class AccountMove(models.Model):
    """Bills of mass billing: draft, in production, produced."""

    _inherit = "account.move"

    is_mass_bill = fields.Boolean(
        string="Mass Bill",
        readonly=True,
        copy=False,
        groups="base.group_user",
        help="Made by mass billing: goes from draft bills over bill production to the client.",
    )
    invoice_template_id = fields.Many2one(
        "ir.actions.report",
        string="Bill Template",
        copy=False,
        domain="[('is_invoice_report', '=', True), ('model', '=', 'account.move')]",
        groups="base.group_user",
        help="Empty: the invoice of care.",
    )
    produced_on = fields.Datetime(copy=False, readonly=True, groups="base.group_user")
    production_state = fields.Selection(
        [("draft", "Draft Bill"), ("production", "Bill Production"), ("produced", "Produced")],
        compute="_compute_production_state",
        store=True,
        copy=False,
        index="btree_not_null",
        groups="base.group_user",
        help="Where a bill of mass billing is. Empty: other invoices, and canceled bills.",
    )

    @api.depends("is_mass_bill", "state", "produced_on")
    def _compute_production_state(self):
        for move in self:
            if not move.is_mass_bill or move.state == "cancel":
                move.production_state = False
            elif move.state == "draft":
                move.production_state = "draft"
            else:
                move.production_state = "produced" if move.produced_on else "production"

    def _mass_accounts(self):
        """Billing accounts whose care is on these bills.

        :return: ``healthcare.billing.account`` recordset
        """
        return self.invoice_line_ids.charge_id.billing_account_id

    def unlink(self):
        """What was made for a bill goes with it."""
        # sudo: whoever may delete the bill need not be allowed to read charges
        charges = self.sudo().invoice_line_ids.charge_id.filtered("made_by_basis")
        result = super().unlink()
        charges._drop_unused_basis()
        return result
