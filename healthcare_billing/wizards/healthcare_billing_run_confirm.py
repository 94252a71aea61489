from odoo import api, fields, models
from odoo.exceptions import UserError


class HealthcareBillingRunConfirm(models.TransientModel):
    """Asks once more before a run books, with the true count and sum of what is selected.

    What it showed is kept: yes means that, and not what somebody ticked meanwhile.
    """

    _name = "healthcare.billing.run.confirm"
    _description = "Confirm a Billing Run"

    run_id = fields.Many2one("healthcare.billing.run", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="run_id.currency_id")
    # precomputed and writable: the form sends back what it showed
    invoice_count = fields.Integer(
        compute="_compute_shown", store=True, precompute=True, readonly=False
    )
    item_count = fields.Integer(
        compute="_compute_shown", store=True, precompute=True, readonly=False
    )
    amount = fields.Monetary(compute="_compute_shown", store=True, precompute=True, readonly=False)
    post = fields.Boolean(compute="_compute_shown", store=True, precompute=True, readonly=False)
    mark = fields.Char(compute="_compute_shown", store=True, precompute=True, readonly=False)
    invoice_date = fields.Date(related="run_id.invoice_date")
    door = fields.Selection(related="run_id.door")
    date_up_to = fields.Date(related="run_id.date_up_to")
    without_tick_count = fields.Integer(
        help="Rows that were chosen, but are left out: nothing is due, and nobody ticked them."
    )
    other_count = fields.Integer(
        compute="_compute_other_count", help="Rows of the list that were not chosen."
    )
    replaced_count = fields.Integer(related="run_id.replaced_count")
    dropped_count = fields.Integer(related="run_id.dropped_count")
    in_background = fields.Boolean(compute="_compute_in_background")

    @api.depends("run_id")  # and nothing else: what was shown stays
    def _compute_shown(self):
        for wizard in self:
            run = wizard.run_id._origin
            wizard.invoice_count = run.selected_count
            wizard.item_count = run.selected_charge_count
            wizard.amount = run.amount_selected
            wizard.post = run.post
            wizard.mark = run._selection_mark() if run else False

    @api.depends("run_id")
    def _compute_in_background(self):
        for wizard in self:
            wizard.in_background = wizard.run_id._goes_to_background()

    @api.depends("run_id", "without_tick_count")  # what was shown stays
    def _compute_other_count(self):
        for wizard in self:
            run = wizard.run_id
            wizard.other_count = run.line_count - run.selected_count - wizard.without_tick_count

    def action_confirm(self):
        """Execute the run, close the question, and tell the result.

        :raise UserError: the selection isn't the one that was shown
        """
        self.ensure_one()
        run = self.run_id
        # a preview only: a second click on what runs or is done just tells the result
        if run.state == "draft" and run._selection_mark() != self.mark:
            raise UserError(
                self.env._(
                    "The selection has changed: look again. Go back, and create the invoices from "
                    "what is selected now."
                )
            )
        action = run.action_execute()
        action["params"]["next"] = (
            run._after_mass_billing()
            if run.door == "mass"
            else {"type": "ir.actions.act_window_close"}
        )
        return action
