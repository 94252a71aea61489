from odoo import api, fields, models
from odoo.fields import Command, Domain


class HealthcareCycleClose(models.TransientModel):
    """What closing a billing cycle does, before it is done."""

    _name = "healthcare.cycle.close"
    _description = "Close a Billing Cycle"

    cycle_id = fields.Many2one("healthcare.billing.cycle", required=True, ondelete="cascade")
    company_id = fields.Many2one(related="cycle_id.company_id")
    currency_id = fields.Many2one(related="cycle_id.currency_id")
    restrict_scheduling = fields.Boolean(
        help="Nobody can plan new visits of these payers on the days of the cycle any more."
    )
    line_ids = fields.One2many("healthcare.cycle.close.line", "wizard_id", readonly=True)
    draft_count = fields.Integer(compute="_compute_totals", string="Drafts")
    draft_amount = fields.Monetary(compute="_compute_totals", string="Amount of the Drafts")
    unsent_count = fields.Integer(
        compute="_compute_left_behind",
        string="Posted, Not Sent",
        help="Posted invoices of the cycle: they are only marked as sent.",
    )
    unapproved_count = fields.Integer(compute="_compute_left_behind", string="Visits Not Approved")
    unbilled_count = fields.Integer(
        compute="_compute_left_behind", string="Approved, on No Invoice"
    )
    unscheduled_count = fields.Integer(compute="_compute_left_behind", string="Unscheduled Visits")
    in_background = fields.Boolean(compute="_compute_in_background")

    @api.model
    def _open(self, cycle):
        """Dialog for a cycle.

        :param cycle: ``healthcare.billing.cycle`` record
        :return: window action
        """
        wizard = self.create(
            {
                "cycle_id": cycle.id,
                "restrict_scheduling": cycle.restrict_scheduling,
                "line_ids": [Command.create(vals) for vals in self._values_per_addressee(cycle)],
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Close %s", cycle.name),
            "res_model": self._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
        }

    @api.model
    def _values_per_addressee(self, cycle):
        """Drafts per payer; those of clients together.

        :return: list of values of lines
        """
        totals = {}
        for partner, count, amount in self.env["account.move"]._read_group(
            [("billing_cycle_id", "=", cycle.id), ("state", "=", "draft")],
            ["partner_id"],
            ["__count", "amount_total_signed:sum"],
        ):
            payer = partner if partner.is_payer else partner.browse()
            known = totals.get(payer, (0, 0.0))
            totals[payer] = (known[0] + count, known[1] + amount)
        return [
            {"payer_id": payer.id, "draft_count": count, "amount": amount}
            for payer, (count, amount) in sorted(
                totals.items(), key=lambda item: (not item[0], item[0].display_name or "")
            )
        ]

    @api.depends("line_ids")
    def _compute_totals(self):
        for wizard in self:
            wizard.draft_count = sum(wizard.line_ids.mapped("draft_count"))
            wizard.draft_amount = sum(wizard.line_ids.mapped("amount"))

    @api.depends("cycle_id")
    def _compute_left_behind(self):
        moves, visits = self.env["account.move"], self.env["healthcare.appointment"]
        for wizard in self:
            wizard.unsent_count = moves.search_count(
                [
                    ("billing_cycle_id", "=", wizard.cycle_id.id),
                    ("state", "=", "posted"),
                    ("is_move_sent", "=", False),
                ]
            )
            for kind in ("unapproved", "unbilled", "unscheduled"):
                wizard[f"{kind}_count"] = visits.search_count(wizard._left_behind_domain(kind))

    def _left_behind_domain(self, kind):
        """Visits of the cycle that no invoice holds when it is closed.

        :param str kind: unapproved, unbilled (approved, but on no invoice) or unscheduled
        """
        self.ensure_one()
        cycle = self.cycle_id
        domain = cycle._scope_domain() & (cycle._own_days_domain() | cycle._carry_over_domain())
        if kind == "unscheduled":
            return (
                domain
                & Domain("is_unscheduled", "=", True)
                & Domain("approval_state", "!=", "rejected")
            )
        domain &= Domain("is_unscheduled", "=", False) & Domain(
            "billing_stage", "in", ("planned", "qa", "billing_office")
        )
        approved = "approved" if kind == "unbilled" else "not_approved"
        return domain & Domain("approval_state", "=", approved)

    @api.depends("line_ids")
    def _compute_in_background(self):
        for wizard in self:
            drafts = wizard.draft_count + wizard.unsent_count
            # sudo: a setting, and a scheduled action that a biller may not read
            cron = self.env.ref("healthcare_billing.ir_cron_billing_run").sudo()
            wizard.in_background = (
                cron.active and drafts > wizard.company_id.sudo().healthcare_background_rows
            )

    # -- what is left behind ---------------------------------------------------------------------
    def action_view_unapproved(self):
        """Open the visits that nobody approved."""
        return self._view("unapproved", self.env._("Visits Not Approved"))

    def action_view_unbilled(self):
        """Open the visits that are approved, and on no invoice."""
        return self._view("unbilled", self.env._("Approved, on No Invoice"))

    def action_view_unscheduled(self):
        """Open the visits that nobody had scheduled."""
        return self._view("unscheduled", self.env._("Unscheduled Visits"))

    def _view(self, kind, name):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_appointment_action"
        )
        domain = [*self._left_behind_domain(kind)]
        return {**action, "name": name, "domain": domain, "context": {}, "target": "current"}

    # -- close -----------------------------------------------------------------------------------
    def action_confirm(self):
        """Close the cycle, or begin to."""
        self.ensure_one()
        cycle = self.cycle_id
        action = cycle._start_closing(self.restrict_scheduling)
        if cycle.state == "closing" and not cycle.closing_running and cycle.drafts_left_count:
            return cycle.action_view_drafts_left()
        action["params"]["next"] = {"type": "ir.actions.act_window_close"}
        return action


class HealthcareCycleCloseLine(models.TransientModel):
    """Drafts of one payer, or of all clients."""

    _name = "healthcare.cycle.close.line"
    _description = "Close a Billing Cycle: Payer"

    wizard_id = fields.Many2one(
        "healthcare.cycle.close", required=True, ondelete="cascade", index=True
    )
    payer_id = fields.Many2one("res.partner")
    name = fields.Char(string="Invoiced to", compute="_compute_name")
    currency_id = fields.Many2one(related="wizard_id.currency_id")
    draft_count = fields.Integer(string="Drafts")
    amount = fields.Monetary()

    @api.depends("payer_id")
    def _compute_name(self):
        for line in self:
            line.name = line.payer_id.display_name or self.env._("Clients")


class HealthcareCycleReopen(models.TransientModel):
    """Why a closed cycle is opened again."""

    _name = "healthcare.cycle.reopen"
    _description = "Reopen a Billing Cycle"

    cycle_id = fields.Many2one("healthcare.billing.cycle", required=True, ondelete="cascade")
    reason = fields.Char(required=True)

    def action_confirm(self):
        """Open it again."""
        self.ensure_one()
        self.cycle_id._reopen(self.reason)
        return {"type": "ir.actions.act_window_close"}
