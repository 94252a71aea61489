from odoo import fields, models

from ..models.healthcare_charge_extra import EXTRA_SIGNS


class HealthcareChargeExtra(models.TransientModel):
    """What is added to items of many statements is told on each of them."""

    _inherit = "healthcare.charge.extra"

    statement_ids = fields.Many2many(
        "healthcare.statement", "healthcare_charge_extra_statement_rel", string="Statements"
    )

    def _tell_on_statement(self, lines):
        """Each of the chosen statements asks for what was added to its items."""
        result = super()._tell_on_statement(lines)
        sign = EXTRA_SIGNS[self.kind]
        added = {(line.charge_id, line.responsibility): sign * line.amount for line in lines}
        for item in (self.statement_ids - self.statement_id).line_ids:
            amount = added.get((item.charge_id, item.responsibility))
            if amount:
                item.amount_due += amount
        return result
