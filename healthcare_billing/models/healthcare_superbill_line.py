from odoo import api, fields, models
from odoo.exceptions import UserError

from .healthcare_superbill import ISSUING


class HealthcareSuperbillLine(models.Model):
    """What a superbill says of one charge; it stays as it was printed."""

    _name = "healthcare.superbill.line"
    _description = "Superbill Line"
    _order = "superbill_id, sequence, id"

    superbill_id = fields.Many2one(
        "healthcare.superbill", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="superbill_id.company_id", store=True, precompute=True)
    currency_id = fields.Many2one(related="superbill_id.currency_id")
    sequence = fields.Integer()
    # The document stands by itself: it outlives the charge.
    charge_id = fields.Many2one("healthcare.charge", index="btree_not_null", ondelete="set null")
    appointment_id = fields.Many2one(related="charge_id.appointment_id")
    service_date = fields.Date(required=True)
    place_of_service = fields.Char()
    service_code = fields.Char(string="Code")
    description = fields.Char(string="Service")
    modifiers = fields.Char()
    pointers = fields.Char(string="Diagnoses", help="Letters of the superbill's diagnoses.")
    quantity = fields.Float(string="Units", digits=(16, 2))
    price_unit = fields.Float(
        string="Fee", digits=(16, 4), min_display_digits=2, aggregator=None, help="Per unit."
    )
    amount = fields.Monetary()
    amount_adjusted = fields.Monetary(
        string="Adjusted", help="Corrections, credits and taxes: what is owed besides the fee."
    )
    amount_paid = fields.Monetary(string="Paid by Client")
    amount_paid_others = fields.Monetary(string="Paid by Others")

    @api.model_create_multi
    def create(self, vals_list):
        self._check_issuing()
        return super().create(vals_list)

    def write(self, vals):
        self._check_issuing()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        self._check_issuing()

    def _check_issuing(self):
        if self.env.context.get("healthcare_superbill") is not ISSUING:
            raise UserError(
                self.env._("A superbill stays as it was issued. Issue a new one that replaces it.")
            )
