from odoo import api, fields, models
from odoo.exceptions import UserError


class HealthcareBillingInstalment(models.Model):
    """A part of a fixed fee, and when it is due."""

    _name = "healthcare.billing.instalment"
    _description = "Fixed Fee Instalment"
    _order = "account_id, date, id"
    _check_company_auto = True

    account_id = fields.Many2one(
        "healthcare.billing.account", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True, precompute=True)
    currency_id = fields.Many2one(related="account_id.currency_id")
    name = fields.Char(string="Description", help="Printed on the bill.")
    date = fields.Date(required=True, string="Due from")
    amount = fields.Monetary(required=True, help="Untaxed.")
    charge_ids = fields.One2many("healthcare.charge", "instalment_id")
    is_billed = fields.Boolean(compute="_compute_is_billed", search="_search_is_billed")

    _check_amount = models.Constraint("CHECK (amount > 0)", "An instalment must be above zero.")

    @api.depends("charge_ids.is_live")
    def _compute_is_billed(self):
        billed = set(self._billed_ids())
        for instalment in self:
            instalment.is_billed = instalment._origin.id in billed

    def _billed_ids(self):
        """Ids of those that an invoice or draft holds."""
        # sudo: who may see the agreement need not be allowed to see invoices
        lines = self.env["account.move.line"].sudo()
        groups = lines._read_group(
            [("charge_id.instalment_id", "in", self.ids), ("charge_live", "=", True)],
            ["charge_id"],
        )
        return [charge.instalment_id.id for (charge,) in groups]

    def _search_is_billed(self, operator, value):
        if operator != "in":
            return NotImplemented
        lines = self.env["account.move.line"].sudo()  # sudo: see _billed_ids
        held = lines._search([("charge_id.instalment_id", "!=", False), ("charge_live", "=", True)])
        billed = (
            self.env["healthcare.charge"]
            .sudo()
            ._search([("id", "in", held.subselect("charge_id"))])
        )
        return [("id", "in", billed.subselect("instalment_id"))]

    def write(self, vals):
        if "amount" in vals:
            self._check_amount_not_billed(vals["amount"])
        return super().write(vals)

    def _check_amount_not_billed(self, amount):
        """A bill keeps what it bills: another sum would be owed by nobody."""
        billed = self.filtered("is_billed").filtered(
            lambda instalment: instalment.currency_id.compare_amounts(instalment.amount, amount)
        )
        if billed:
            raise UserError(
                self.env._(
                    "%s is on a bill: its sum can't change. Delete the draft, or credit the bill, "
                    "or add another instalment.",
                    billed[0].display_name,
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_billed(self):
        # sudo: who may change the agreement need not be allowed to see its charges
        used = self.filtered(lambda instalment: instalment.sudo().charge_ids)
        if used:
            raise UserError(
                self.env._(
                    "%s was billed, and can't be deleted. Of an instalment whose bill was credited "
                    "or canceled, change date and sum instead.",
                    used[0].display_name,
                )
            )

    @api.depends("name", "date")
    def _compute_display_name(self):
        for instalment in self:
            instalment.display_name = instalment.name or self.env._(
                "Instalment of %s", fields.Date.to_string(instalment.date)
            )
