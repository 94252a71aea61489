from odoo import api, fields, models
from odoo.exceptions import UserError


class HealthcareCycleRegenerate(models.TransientModel):
    """Asks how one draft of a billing cycle is made again."""

    _name = "healthcare.cycle.regenerate"
    _description = "Regenerate a Draft Invoice"

    move_id = fields.Many2one("account.move", string="Invoice", required=True, ondelete="cascade")
    outdated_reason = fields.Char(related="move_id.outdated_reason")
    what = fields.Selection(
        [
            ("own", "Only the visits of this invoice"),
            ("new", "Also newly approved visits that belong on it"),
        ],
        required=True,
        default="own",
    )
    is_edited = fields.Boolean(compute="_compute_is_edited")
    overwrite = fields.Boolean(string="Overwrite what was edited by hand")

    @api.depends("move_id")
    def _compute_is_edited(self):
        edited = self.move_id._edited_by_hand()
        for wizard in self:
            wizard.is_edited = wizard.move_id in edited

    def action_regenerate(self):
        """Make the draft again, and show it.

        :return: client action that tells the result, and loads the invoice again
        """
        self.ensure_one()
        self.move_id._check_may_regenerate()
        if self.is_edited and not self.overwrite:
            raise UserError(
                self.env._("Tick that what was edited by hand may be lost, or leave the draft.")
            )
        before = self.move_id.amount_untaxed
        run = self.move_id._regenerate_draft(self.what == "new", overwrite=self.overwrite)
        move = self.move_id
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": move._care_reference(),
                "message": self.env._(
                    "Made again by %(run)s: %(now)s, %(before)s before. %(dropped)s items dropped "
                    "off.",
                    run=run.name,
                    now=move.currency_id.format(move.amount_untaxed),
                    before=move.currency_id.format(before),
                    dropped=run.excluded_count,
                ),
                "type": "success",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
