from odoo import api, fields, models
from odoo.tools import float_compare

from .healthcare_charge import RESPONSIBILITIES


class AccountMoveLine(models.Model):
    """The link between a charge and the ledger, and the guard that keeps it single.

    ``charge_live`` marks the line that bills a charge now. The exclusion constraint lets at most
    one such line exist per charge and responsibility, whatever code path, user or race makes it.
    It is deferrable, because a plain unique index is checked row by row and would refuse legal
    swaps within one flush.
    """

    _inherit = "account.move.line"

    charge_id = fields.Many2one(
        "healthcare.charge",
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        groups="base.group_user",
    )
    responsibility = fields.Selection(RESPONSIBILITIES, copy=False, groups="base.group_user")
    charge_units = fields.Float(
        digits=(16, 2),
        copy=False,
        groups="base.group_user",
        help="Units of the charge. A line that bills a part of it has quantity 1 and the part as "
        "its price.",
    )
    credit_of_line_id = fields.Many2one(
        "account.move.line",
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        groups="base.group_user",
        help="The line that this one reverses.",
    )
    credited_by_line_ids = fields.One2many(
        "account.move.line", "credit_of_line_id", groups="base.group_user"
    )
    charge_live = fields.Boolean(
        compute="_compute_charge_live",
        store=True,
        copy=False,
        groups="base.group_user",
        help="This line bills its charge now: not canceled, not credited in full.",
    )

    _charge_live_once = models.Constraint(
        "EXCLUDE (charge_id WITH =, responsibility WITH =) WHERE (charge_live)"
        " DEFERRABLE INITIALLY IMMEDIATE",
        "This care is already on another invoice. Refresh the page, and search again.",
    )
    _charge_responsibility = models.Constraint(
        "CHECK (charge_id IS NULL OR responsibility IS NOT NULL)",
        "An invoice line of a charge must say who is responsible for it.",
    )

    @api.depends(
        "charge_id",
        "credit_of_line_id",
        "parent_state",
        "move_id.move_type",
        "price_subtotal",
        "credited_by_line_ids.parent_state",
        "credited_by_line_ids.price_subtotal",
    )
    def _compute_charge_live(self):
        """A charge's line is live until canceled, or until posted counter-lines cover it.

        Lines of a credit note that the engine made for negative charges bill these charges and are
        live too; counter-lines (reversals) never are.
        """
        for line in self:
            line.charge_live = bool(
                line.charge_id
                and not line.credit_of_line_id
                and line.parent_state != "cancel"
                and line.move_id.move_type in ("out_invoice", "out_refund")
                and not line._is_credited_in_full()
            )

    def _is_credited_in_full(self):
        self.ensure_one()
        credits = self.credited_by_line_ids.filtered(lambda line: line.parent_state == "posted")
        if not credits:
            return False
        rounding = (self.currency_id or self.company_id.currency_id).rounding
        return (
            float_compare(
                abs(sum(credits.mapped("price_subtotal"))),
                abs(self.price_subtotal),
                precision_rounding=rounding,
            )
            >= 0
        )

    @api.model_create_multi
    def create(self, vals_list):
        # What was freed in this transaction must be free in the database before it is taken again.
        if any(vals.get("charge_id") for vals in vals_list):
            self.flush_model(["charge_live"])
        return super().create(vals_list)

    def _copy_data_extend_business_fields(self, values):
        """Core calls this for reversals and for the new invoice of "Reverse and Create"."""
        res = super()._copy_data_extend_business_fields(values)
        if self.charge_id:
            values["charge_id"] = self.charge_id.id
            values["responsibility"] = self.responsibility
            values["charge_units"] = self.charge_units
            if "move_reverse_cancel" in self.env.context:  # only set while reversing
                values["credit_of_line_id"] = self.id
        return res

    def _get_computed_taxes(self):
        """Care has the taxes of its service only; core falls back to those of the account."""
        if self.charge_id and not self.product_id.taxes_id:
            return self.env["account.tax"]
        return super()._get_computed_taxes()
