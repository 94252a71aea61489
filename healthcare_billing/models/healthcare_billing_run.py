from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

# What the engine and the actions write, and no user.
RECORD_FIELDS = {
    "name", "company_id", "user_id", "door", "state", "invoice_date", "options", "charge_domain",
    "executed_on", "task", "task_total", "stop_requested",
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
    _inherit = ("mail.thread",)
    _order = "id desc"

    name = fields.Char(required=True, readonly=True, copy=False, default="/")
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    user_id = fields.Many2one(
        "res.users", string="Run by", readonly=True, default=lambda self: self.env.user
    )
    door = fields.Selection(
        [
            ("direct", "Direct"),
            ("batch", "Batch Invoicing"),
            ("manual", "Chosen Appointments"),
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

    @api.depends("line_ids.selected", "line_ids.amount_company", "line_ids.charge_ids")
    def _compute_totals(self):
        """Totals of the whole run, not of the visible page; in a form, of what is ticked there."""
        for run in self:
            lines = run.line_ids
            selected = lines.filtered("selected")
            run.line_count = len(lines)
            run.selected_count = len(selected)
            # shared ones count once; sudo: accountants read runs but no charges, only how many
            run.selected_charge_count = len(selected.sudo().charge_ids)
            run.amount_selected = sum(selected.mapped("amount_company"))
            run.amount_total = sum(lines.mapped("amount_company"))

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
        for run in self:
            run.draft_count = len(run._draft_moves())

    def _draft_moves(self):
        return self.line_ids.move_id.filtered(lambda move: move.state == "draft")

    @api.model_create_multi
    def create(self, vals_list):
        numbers = self.env["ir.sequence"]._next_many("healthcare.billing.run", len(vals_list))
        for vals, number in zip(vals_list, numbers, strict=True):
            vals["name"] = number
        return super().create(vals_list)

    def write(self, vals):
        """A run is the record of who billed what: users decide on it by its actions only."""
        if RECORD_FIELDS & set(vals) and not self.env.su:
            raise AccessError(self.env._("A billing run can't be changed by hand."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_done(self):
        # sudo: rows of companies that the user has not ticked count too
        if any(line.state != "planned" for line in self.sudo().line_ids):
            raise UserError(
                self.env._("A run that made invoices is their record, and can't be deleted.")
            )

    # -- plan ↔ run ------------------------------------------------------------------------------
    def _engine(self):
        """The engine, seeing what this run's door may bill."""
        self.ensure_one()
        return self.env["healthcare.billing.engine"].with_context(healthcare_billing_door=self.door)

    def _plan_options(self):
        """Keyword arguments for ``plan``: the same question, asked again."""
        self.ensure_one()
        options = dict(self.options or {})
        options["invoice_date"] = self.invoice_date
        options.setdefault("extra_lines", ())
        return options

    def _load_plan(self, plan):
        """Write the plan's invoices as lines and its left-out charges as exclusions."""
        self.ensure_one()
        companies = self.env["res.company"]
        currencies = self.env["res.currency"]
        lines = []
        for sequence, invoice in enumerate(plan.invoices):
            company = companies.browse(invoice.company_id)
            amount_company = currencies.browse(invoice.currency_id)._convert(
                invoice.amount, self.currency_id, company, self.invoice_date
            )
            lines.append(
                {
                    "run_id": self.id,
                    "sequence": sequence,
                    "company_id": invoice.company_id,
                    "currency_id": invoice.currency_id,
                    "partner_id": invoice.partner_id,
                    "client_id": invoice.client_id,
                    "payer_id": invoice.payer_id,
                    "charge_ids": [fields.Command.set(invoice.charge_ids)],
                    "charge_count": len(invoice.charge_ids),
                    "amount": invoice.amount,
                    "amount_company": amount_company,
                    "plan_key": invoice.key,
                    "values": {"amounts": dict(invoice.amounts)},
                }
            )
        # sudo: users may select rows, and make none
        sudo_env = self.sudo().env
        sudo_env["healthcare.billing.run.line"].create(lines)
        sudo_env["healthcare.billing.run.exclusion"].create(self._prepare_exclusions(plan.blocked))

    def _prepare_exclusions(self, blocked):
        reasons = {r.code: r.id for r in self.env["healthcare.block.reason"].search([])}
        return [
            {"run_id": self.id, "charge_id": charge_id, "reason_id": reasons[code]}
            for charge_id, codes in blocked.items()
            for code in codes
            if code in reasons and code not in ("already_invoiced", "not_billable")
        ]

    # -- selection -------------------------------------------------------------------------------
    def action_select_all(self):
        """Tick every row, whatever page is shown."""
        self._check_preview()
        self.line_ids.selected = True

    def action_deselect_all(self):
        """Untick every row."""
        self._check_preview()
        self.line_ids.selected = False

    def action_search_again(self):
        """Plan the same criteria anew, keeping what was unticked."""
        self.ensure_one()
        self.check_access("write")
        self._check_preview()
        if not self.charge_domain:
            raise UserError(
                self.env._("%s wasn't made by a search. Go back and search anew.", self.name)
            )
        deselected = set(self.line_ids.filtered(lambda l: not l.selected).mapped("plan_key"))
        # sudo: users may select rows, and delete none
        self.sudo().line_ids.unlink()
        self.sudo().exclusion_ids.unlink()
        charges = self.env["healthcare.charge"].search(self.charge_domain)
        charges.action_find_price()
        self._load_plan(self._engine().plan(charges, **self._plan_options()))
        self.line_ids.filtered(lambda line: line.plan_key in deselected).selected = False

    def _check_preview(self):
        if any(run.state != "draft" for run in self):
            raise UserError(self.env._("Only a preview can be changed. Search again."))

    def action_view_moves(self):
        """Open the run's invoices."""
        return self.env["account.move"]._care_invoices_action(self.line_ids.move_id)
