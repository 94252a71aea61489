from odoo import api, fields, models

# Reports that a bill can be printed with.
BILL_TEMPLATES = [("is_invoice_report", "=", True), ("model", "=", "account.move")]


class AccountMove(models.Model):
    """Bills of mass billing: draft, in production, produced.

    Where a bill is follows from what is stored about it, and from nothing else: a bill that is to
    be e-mailed is produced once the e-mail is out, and isn't any more when it bounces later.
    """

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
        domain=BILL_TEMPLATES,
        groups="base.group_user",
        help="Empty: the invoice of care.",
    )
    produced_on = fields.Datetime(copy=False, readonly=True, groups="base.group_user")
    production_by_email = fields.Boolean(
        string="Produced by E-mail",
        copy=False,
        readonly=True,
        groups="base.group_user",
        help="It went out by e-mail when it was produced last, or had gone out before.",
    )
    production_state = fields.Selection(
        [("draft", "Draft Bill"), ("production", "Bill Production"), ("produced", "Produced")],
        string="Production",
        compute="_compute_production_state",
        store=True,
        copy=False,
        index="btree_not_null",
        groups="base.group_user",
        help="Where a bill of mass billing is. Empty: other invoices, and bills that are canceled "
        "or credited in full.",
    )

    @api.depends(
        "is_mass_bill",
        "state",
        "payment_state",
        "rebilled_by_ids",
        "produced_on",
        "production_by_email",
        "delivery_state",
        "delivery_document",
        "is_move_sent",
    )
    def _compute_production_state(self):
        for move in self:
            gone = move.state == "cancel" or move.payment_state == "reversed"
            if not move.is_mass_bill or gone or move.rebilled_by_ids:
                move.production_state = False
            elif move.state == "draft":
                move.production_state = "draft"
            else:
                move.production_state = "produced" if move._is_produced() else "production"

    def _is_produced(self):
        """Whether nothing is left to do about a posted bill."""
        self.ensure_one()
        if not self.produced_on or not self.production_by_email:
            return bool(self.produced_on)
        if self.delivery_document == "superbill":  # e-mailed since: what is known is of that
            return self.is_move_sent
        return self.delivery_state == "sent"

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
