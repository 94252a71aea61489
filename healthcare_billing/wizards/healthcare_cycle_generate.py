from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

# How many drafts the dialog names.
MAX_NAMED = 10


class HealthcareCycleGenerate(models.TransientModel):
    """Asks which invoices of a billing cycle to make; the answer is a preview (R13)."""

    _name = "healthcare.cycle.generate"
    _description = "Generate Invoices of a Billing Cycle"

    cycle_id = fields.Many2one("healthcare.billing.cycle", required=True, ondelete="cascade")
    company_id = fields.Many2one(related="cycle_id.company_id")
    mode = fields.Selection(
        [
            ("new", "Only newly approved: what no invoice holds yet"),
            ("all", "All invoices: drafts are made again, with what is new"),
            ("resubmission", "Visits marked for resubmission: credited, and invoiced again"),
        ],
        string="Generate",
        required=True,
        default="new",
    )
    scope = fields.Selection(
        [("cycle", "Whole cycle"), ("chosen", "Chosen clients or payers")],
        string="For",
        required=True,
        default="cycle",
    )
    client_ids = fields.Many2many(
        "res.partner",
        "healthcare_cycle_generate_client_rel",
        string="Clients",
        domain="[('is_healthcare_client', '=', True)]",
    )
    payer_ids = fields.Many2many(
        "res.partner",
        "healthcare_cycle_generate_payer_rel",
        string="Payers",
        domain="[('is_payer', '=', True)]",
    )
    draft_count = fields.Integer(compute="_compute_drafts", string="Drafts")
    edited_count = fields.Integer(compute="_compute_drafts", string="Drafts Edited by Hand")
    edited_names = fields.Char(compute="_compute_drafts", string="Edited by Hand")
    overwrite = fields.Boolean(
        string="Overwrite invoices edited by hand",
        help="What somebody changed or added on these drafts is lost.",
    )

    @api.depends("cycle_id", "mode", "scope", "client_ids", "payer_ids")
    def _compute_drafts(self):
        for wizard in self:
            drafts = self.env["account.move"]
            if wizard.mode == "all" and wizard.cycle_id:
                drafts = wizard.cycle_id._drafts(wizard._chosen_domain())
            edited = drafts._edited_by_hand()
            wizard.draft_count = len(drafts)
            wizard.edited_count = len(edited)
            names = [
                f"{move._care_reference()} ({move.partner_id.display_name})"
                for move in edited[:MAX_NAMED]
            ]
            if len(edited) > MAX_NAMED:
                names.append("…")
            wizard.edited_names = ", ".join(names)

    def _chosen_domain(self):
        """Domain on charges of what was chosen; all if nothing was."""
        self.ensure_one()
        domain = Domain.TRUE
        if self.scope == "chosen" and self.client_ids:
            domain &= Domain("client_id", "in", self.client_ids.ids)
        if self.scope == "chosen" and self.payer_ids:
            domain &= Domain("payer_id", "in", self.payer_ids.ids)
        return domain

    def action_preview(self):
        """Plan, save the plan, and show it.

        :return: window action on the run
        """
        self.ensure_one()
        chosen = self.scope == "chosen"
        if chosen and not self.client_ids and not self.payer_ids:
            raise UserError(self.env._("Choose clients or payers, or the whole cycle."))
        run = self.cycle_id._plan_run(
            self.mode,
            self.client_ids if chosen else None,
            self.payer_ids if chosen else None,
            overwrite=self.overwrite,
        )
        return {
            "type": "ir.actions.act_window",
            "name": run.name,
            "res_model": "healthcare.billing.run",
            "res_id": run.id,
            "views": [(False, "form")],
        }
