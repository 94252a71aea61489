from odoo import models
from odoo.exceptions import UserError


class HealthcareStatement(models.Model):
    """Finance charges, service charges and discounts on many statements' items at once."""

    _inherit = "healthcare.statement"

    def action_bulk_extra(self):
        """Add charges or discounts to the items of these statements, to each item once.

        :return: window action on a new ``healthcare.charge.extra``
        :raise UserError: none of them is open
        """
        statements = self.filtered(lambda statement: statement.state in ("draft", "committed"))
        if not statements:
            raise UserError(self.env._("Choose statements that are open: draft or committed."))
        items = [(line.charge_id, line.responsibility) for line in statements.line_ids]
        action = self.env["healthcare.charge.extra"]._open(items)
        self.env["healthcare.charge.extra"].browse(action["res_id"]).statement_ids = statements
        return action
