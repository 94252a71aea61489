from odoo import fields, models


class HealthcareChargeExtra(models.TransientModel):
    """What is added to items of many statements is told on each of them."""

    _inherit = "healthcare.charge.extra"

    statement_ids = fields.Many2many(
        "healthcare.statement", "healthcare_charge_extra_statement_rel", string="Statements"
    )

    def _tell_on_statement(self, changes):
        """Each of the chosen statements asks for what was added to its items."""
        result = super()._tell_on_statement(changes)
        for item in (self.statement_ids - self.statement_id).line_ids:
            amount = changes.get((item.charge_id, item.responsibility))
            if amount:
                item.amount_due += amount
        return result
