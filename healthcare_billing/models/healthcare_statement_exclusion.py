from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError

from .healthcare_charge import RESPONSIBILITIES


class LeftOut(NamedTuple):
    """Why an item isn't committed.

    :ivar kind: see ``healthcare.statement.exclusion.kind``
    :ivar text: in words
    :ivar code: block reason that can be mended, or ""
    """

    kind: str
    text: str
    code: str = ""


class HealthcareStatementExclusion(models.Model):
    """An item that a commit left out, and why: nobody is asked for it on this statement."""

    _name = "healthcare.statement.exclusion"
    _description = "Left out of a Statement"
    _order = "statement_id, service_date, id"
    _rec_name = "charge_id"

    statement_id = fields.Many2one(
        "healthcare.statement", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="statement_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="statement_id.currency_id")
    charge_id = fields.Many2one("healthcare.charge", required=True, index=True, ondelete="cascade")
    responsibility = fields.Selection(RESPONSIBILITIES, required=True)
    client_id = fields.Many2one(related="charge_id.client_id")
    service_date = fields.Date(related="charge_id.service_date", store=True)
    price = fields.Monetary()
    amount_due = fields.Monetary()
    by_hand = fields.Boolean()
    is_typed = fields.Boolean()
    kind = fields.Selection(
        [
            ("blocked", "Can't be billed"),
            ("other_party", "Owed by another party"),
            ("draft", "On a draft"),
            ("failed", "Failed"),
            ("busy", "In use"),
        ],
        required=True,
    )
    reason_id = fields.Many2one("healthcare.block.reason", ondelete="set null")
    message = fields.Text(string="Why", required=True)
    can_mend = fields.Boolean(compute="_compute_can_mend")

    _item_once = models.UniqueIndex(
        "(statement_id, charge_id, responsibility)", "This item was left out already."
    )

    @api.depends("kind", "reason_id")
    def _compute_can_mend(self):
        for exclusion in self:
            exclusion.can_mend = (
                exclusion.kind == "other_party" or exclusion.reason_id.has_mend_button
            )

    def action_mend(self):
        """Open the record that mends it; what another party owes is transferred."""
        self.ensure_one()
        if self.kind == "other_party":
            return self.charge_id.action_transfer_responsibility()
        if not self.reason_id:
            raise UserError(self.env._("Open the charge to see what can be done: %s", self.message))
        return self.charge_id._mend_action(self.reason_id)

    def action_drop(self):
        """Forget these items: they aren't wanted on the statement."""
        self.unlink()
