from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

# What the engine and the actions write, and no user. Through the lists, rows and invoices of one
# run could be moved to another.
RECORD_FIELDS = {
    "name", "company_id", "user_id", "door", "state", "invoice_date", "options", "charge_domain",
    "executed_on", "task", "task_total", "task_user_id", "stop_requested", "line_ids",
    "exclusion_ids", "left_out_ids", "move_ids", "billing_cycle_id", "cycle_mode", "marks_sent",
    "cycle_scope", "replaced_move_ids", "kept_move_ids", "credited_line_ids", "replaced_marks",
    "overwrites_edited", "target_move_id", "date_up_to",
}  # fmt: skip


class HealthcareBillingRun(models.Model):
    """A plan written down: the preview of every door, and the record of who billed what.

    =====================  ===========================================  ======================
    state                  means                                        next
    =====================  ===========================================  ======================
    draft                  preview: nothing is booked                   execute, cancel
    running                the background works on it (``task``)        stop
    done                   every selected row has its result            retry, undo
    canceled               the preview was dropped                      -
    =====================  ===========================================  ======================
    """

    _name = "healthcare.billing.run"
    _description = "Billing Run"
    _inherit = ("mail.thread", "healthcare.turns.mixin")
    _order = "id desc"

    name = fields.Char(required=True, readonly=True, copy=False, default="/")
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    billing_cycle_id = fields.Many2one(
        "healthcare.billing.cycle",
        readonly=True,
        index="btree_not_null",
        copy=False,
        ondelete="restrict",
    )
    cycle_mode = fields.Selection(
        [
            ("all", "All Invoices"),
            ("new", "Only Newly Approved"),
            ("resubmission", "Marked for Resubmission"),
            ("regenerate", "Regenerate One Draft"),
            ("closing", "Closing"),
        ],
        readonly=True,
        copy=False,
        help="What of the billing cycle this run invoices, or that it closes the cycle.",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Run by",
        readonly=True,
        default=lambda self: self.env.user,
        help="Who billed: posting or undoing later doesn't change it.",
    )
    door = fields.Selection(
        [
            ("direct", "Direct"),
            ("batch", "Batch Invoicing"),
            ("manual", "Chosen Appointments"),
            ("cycle", "Billing Cycle"),
            ("adhoc", "Ad Hoc Invoice"),
            ("mass", "Mass Billing"),
            ("statement", "Statement"),
            ("payment", "Receive Payment"),
            ("adjustment", "Adjustment"),
            ("send", "Mark as Sent"),
            ("rebill", "Credit & Rebill"),
            ("transfer", "Transfer"),
        ],
        default="direct",
        required=True,
        readonly=True,
    )
    state = fields.Selection(
        [
            ("draft", "Preview"),
            ("running", "In Progress"),
            ("done", "Done"),
            ("canceled", "Canceled"),
        ],
        default="draft",
        required=True,
        readonly=True,
        index=True,
        tracking=True,
    )
    task = fields.Selection(
        [("execute", "Create Invoices"), ("post", "Post Drafts"), ("undo", "Undo")],
        readonly=True,
        copy=False,
        help="What the background does, or did last.",
    )
    task_user_id = fields.Many2one(
        "res.users",
        string="Last Task by",
        readonly=True,
        copy=False,
        help="Who started what the background does, or did last. It works with this user's rights.",
    )
    task_total = fields.Integer(string="Rows of the Task", readonly=True, copy=False)
    stop_requested = fields.Boolean(readonly=True, copy=False)
    invoice_date = fields.Date(required=True, readonly=True, default=fields.Date.context_today)
    options = fields.Json(default=dict, export_string_translation=False)
    charge_domain = fields.Json(
        export_string_translation=False, help="The criteria, to search again."
    )
    post = fields.Boolean(
        string="Post at Once", help="Post the invoices, instead of leaving drafts to look through."
    )
    line_ids = fields.One2many("healthcare.billing.run.line", "run_id")
    exclusion_ids = fields.One2many("healthcare.billing.run.exclusion", "run_id")
    move_ids = fields.One2many("account.move", "billing_run_id", string="Invoices")
    executed_on = fields.Datetime(readonly=True, copy=False)

    line_count = fields.Integer(compute="_compute_totals", string="Invoices in Total")
    selected_count = fields.Integer(compute="_compute_totals", string="Invoices Selected")
    selected_charge_count = fields.Integer(compute="_compute_totals", string="Items Selected")
    amount_selected = fields.Monetary(compute="_compute_totals")
    amount_total = fields.Monetary(
        compute="_compute_totals", help="Selected and unselected together."
    )
    excluded_count = fields.Integer(compute="_compute_results", string="Items Left out")
    move_count = fields.Integer(compute="_compute_results")
    draft_count = fields.Integer(compute="_compute_draft_count", string="Drafts")
    created_count = fields.Integer(compute="_compute_results")
    skipped_count = fields.Integer(compute="_compute_results")
    failed_count = fields.Integer(compute="_compute_results")
    amount_created = fields.Monetary(compute="_compute_results")

    @api.depends("line_ids.selected", "line_ids.amount_company", "line_ids.charge_count")
    def _compute_totals(self):
        """Totals of the whole run (R30), asked from the database: a run may have 5,000 rows."""
        rows = self.env["healthcare.billing.run.line"]._read_group(
            [("run_id", "in", self.ids)],
            ["run_id", "selected"],
            ["__count", "amount_company:sum"],
        )
        totals = {(run.id, selected): values for run, selected, *values in rows}
        items = self._count_selected_charges()
        for run in self:
            saved = run._origin.id
            selected_count, amount_selected = totals.get((saved, True), (0, 0.0))
            other_count, amount_other = totals.get((saved, False), (0, 0.0))
            run.line_count = selected_count + other_count
            run.selected_count = selected_count
            run.selected_charge_count = items.get(saved, 0)
            run.amount_selected = amount_selected
            run.amount_total = run.currency_id.round(amount_selected + amount_other)

    def _count_selected_charges(self):
        """Items on selected rows; one that client and payer share counts once.

        :return: ``{run id: number}``
        """
        lines = self.env["healthcare.billing.run.line"]
        # accountants read runs but no charges: only the link is counted
        query = lines._search([("run_id", "in", self.ids), ("selected", "=", True)])
        return dict(
            self.env.execute_query(
                SQL(
                    """SELECT l.run_id, COUNT(DISTINCT rel.charge_id)
                         FROM healthcare_run_line_charge_rel rel
                         JOIN healthcare_billing_run_line l ON l.id = rel.line_id
                        WHERE l.id IN %s
                     GROUP BY l.run_id""",
                    query.subselect(),
                )
            )
        )

    @api.depends("line_ids.state", "exclusion_ids", "state")
    def _compute_results(self):
        rows = self.env["healthcare.billing.run.line"]._read_group(
            [("run_id", "in", self.ids)],
            ["run_id", "state"],
            ["__count", "amount_company:sum"],
        )
        results = {(run.id, state): (count, amount) for run, state, count, amount in rows}
        excluded = dict(
            self.env["healthcare.billing.run.exclusion"]._read_group(
                [("run_id", "in", self.ids)], ["run_id"], ["charge_id:count_distinct"]
            )
        )
        for run in self:
            saved = run._origin  # in a form, too, results are those of the saved run
            count = {state: n for (run_id, state), (n, _a) in results.items() if run_id == saved.id}
            run.created_count = count.get("created", 0)
            run.skipped_count = count.get("skipped", 0)
            run.failed_count = count.get("failed", 0)
            run.move_count = run.created_count
            run.amount_created = results.get((saved.id, "created"), (0, 0.0))[1]
            run.excluded_count = excluded.get(saved, 0)

    @api.depends("line_ids.move_id.state")
    def _compute_draft_count(self):
        drafts = {
            run.id: count
            for run, count in self.env["healthcare.billing.run.line"]._read_group(
                [("run_id", "in", self.ids), ("move_id.state", "=", "draft")],
                ["run_id"],
                ["move_id:count_distinct"],
            )
        }
        for run in self:
            run.draft_count = drafts.get(run._origin.id, 0)

    def _draft_moves(self):
        """Drafts that the rows of these runs made."""
        lines = self.env["healthcare.billing.run.line"]
        rows = lines._search([("run_id", "in", self.ids), ("move_id.state", "=", "draft")])
        return self.env["account.move"].search([("id", "in", rows.subselect("move_id"))])

    @api.model_create_multi
    def create(self, vals_list):
        """Number new runs. Only the engine makes them, by saving a plan.

        :raise AccessError: a user tries to: state and user of a run decide what the background
            does, and with whose rights
        """
        if not self.env.su:
            raise AccessError(self.env._("Billing runs are made by a search, not by hand."))
        numbers = self.env["ir.sequence"]._next_many("healthcare.billing.run", len(vals_list))
        for vals, number in zip(vals_list, numbers, strict=True):
            vals["name"] = number
        return super().create(vals_list)

    def write(self, vals):
        """A run is the record of who billed what: users decide on it by its actions only."""
        if RECORD_FIELDS & set(vals) and not self.env.su:
            raise AccessError(self.env._("A billing run can't be changed by hand."))
        if "post" in vals and not self.env.su and any(run.state != "draft" for run in self):
            raise AccessError(self.env._("Whether to post is chosen in a preview only."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_done(self):
        if any(run.state == "running" for run in self):
            raise UserError(
                self.env._("A run that is worked on can't be deleted. Stop it, or wait for it.")
            )
        # sudo: rows of companies that the user has not ticked count too
        if self.sudo().line_ids.search_count(
            [("run_id", "in", self.ids), ("state", "!=", "planned")], limit=1
        ):
            raise UserError(
                self.env._("A run that made invoices is their record, and can't be deleted.")
            )

    def action_view_moves(self):
        """Open the run's invoices."""
        return self.env["account.move"]._care_invoices_action(self.line_ids.move_id)

    def action_process_moves(self):
        """Open the run's invoices to print, e-mail or post them."""
        return self.env["account.move"]._process_action([("billing_run_id", "in", self.ids)])
