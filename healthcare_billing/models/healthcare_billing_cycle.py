from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

# What decides which care a cycle bills, and how it is dated: fixed once it is closing.
PARAMETER_FIELDS = {
    "company_id",
    "date_from",
    "date_to",
    "back_billing_date",
    "invoice_date",
    "payer_ids",
    "include_self_pay",
    "department_ids",
    "client_group_ids",
    "bill_code_group_ids",
}


class HealthcareBillingCycle(models.Model):
    """A period whose care is approved, invoiced and closed together.

    =========  =====================================================  ======================
    state      means                                                  next
    =========  =====================================================  ======================
    open       visits are approved, invoices made and made again      close
    closing    the background posts the drafts; nothing is generated  closed, or open again
    closed     every invoice is posted or void                        reopen (managers)
    =========  =====================================================  ======================

    Ranges are half-open (R6): ``date_to`` is the day after the last one. People see and print
    ``last_day``.
    """

    _name = "healthcare.billing.cycle"
    _description = "Billing Cycle"
    _inherit = ("mail.thread", "healthcare.guarded.mixin", "healthcare.turns.mixin")
    _order = "date_from desc, id desc"
    _check_company_auto = True

    name = fields.Char(required=True, readonly=True, copy=False, default="/")
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    date_from = fields.Date(
        string="From",
        required=True,
        default=lambda self: self.env.company._care_today(),
        tracking=True,
        help="First day of care that the cycle bills.",
    )
    date_to = fields.Date(
        string="To (exclusive)",
        required=True,
        compute="_compute_date_to",
        store=True,
        readonly=False,
        precompute=True,
        tracking=True,
        help="The day after the last day of care that the cycle bills.",
    )
    last_day = fields.Date(
        compute="_compute_last_day",
        inverse="_inverse_last_day",
        help="Last day of care that the cycle bills, included.",
    )
    back_billing_date = fields.Date(
        string="Back-billing from",
        tracking=True,
        help="Also bills approved care from this day on that was never invoiced. Empty: none.",
    )
    invoice_date = fields.Date(
        required=True,
        default=fields.Date.context_today,
        tracking=True,
        help="Printed on the invoices, and the date on which they are posted.",
    )
    payer_ids = fields.Many2many(
        "res.partner",
        "healthcare_billing_cycle_payer_rel",
        string="Payers",
        check_company=True,
        domain="[('is_payer', '=', True)]",
        help="Empty: all payers, and clients who pay for themselves.",
    )
    include_self_pay = fields.Boolean(
        string="Also Self-pay",
        help="With chosen payers: also clients who pay for themselves.",
    )
    department_ids = fields.Many2many(
        "hr.department", string="Departments", check_company=True, help="Empty: all."
    )
    client_group_ids = fields.Many2many(
        "res.partner.category", string="Client Groups", help="Empty: all."
    )
    bill_code_group_ids = fields.Many2many(
        "product.category", string="Bill-code Groups", help="With those below them. Empty: all."
    )
    restrict_scheduling = fields.Boolean(
        tracking=True,
        help="Nobody can plan new visits of these payers on the days of the cycle.",
    )
    state = fields.Selection(
        [("open", "Open"), ("closing", "Closing"), ("closed", "Closed")],
        default="open",
        required=True,
        readonly=True,
        copy=False,
        index=True,
        tracking=True,
    )
    origin_id = fields.Many2one(
        "healthcare.billing.cycle",
        string="Made from",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="A cycle made from another one begins where the latest one for its payers ends.",
    )
    run_ids = fields.One2many("healthcare.billing.run", "billing_cycle_id", string="Billing Runs")
    move_ids = fields.One2many(
        "account.move",
        "billing_cycle_id",
        string="Invoices",
        groups="account.group_account_invoice,account.group_account_readonly",
    )

    _check_range = models.Constraint(
        "CHECK (date_to > date_from)", "A billing cycle has at least one day."
    )
    _check_back_billing = models.Constraint(
        "CHECK (back_billing_date IS NULL OR back_billing_date <= date_from)",
        "Back-billing begins on or before the first day of the cycle.",
    )

    # -- computes --------------------------------------------------------------------------------
    @api.depends("date_from")
    def _compute_date_to(self):
        """A new cycle takes a month."""
        for cycle in self:
            if cycle.date_from and (not cycle.date_to or cycle.date_to <= cycle.date_from):
                cycle.date_to = cycle.date_from + relativedelta(months=1)

    @api.depends("date_to")
    def _compute_last_day(self):
        for cycle in self:
            cycle.last_day = cycle.date_to and cycle.date_to - relativedelta(days=1)

    def _inverse_last_day(self):
        for cycle in self:
            if cycle.last_day:
                cycle.date_to = cycle.last_day + relativedelta(days=1)

    @api.constrains("date_from", "date_to")
    def _check_length(self):
        for cycle in self:
            if cycle.date_to > cycle.date_from + relativedelta(years=2):
                raise ValidationError(
                    self.env._("A billing cycle has two years at most. Please check the dates.")
                )

    # -- create ----------------------------------------------------------------------------------
    @api.model_create_multi
    def create(self, vals_list):
        numbers = self.env["ir.sequence"]._next_many("healthcare.billing.cycle", len(vals_list))
        for vals, number in zip(vals_list, numbers, strict=True):
            vals["name"] = number
        return super().create(vals_list)

    # -- what the cycle is about -----------------------------------------------------------------
    def _scope_domain(self):
        """Filters of the cycle besides its days, on appointments and on charges alike.

        :return: :class:`Domain` on company, payer, department, client group and bill-code group
        """
        self.ensure_one()
        domain = Domain("company_id", "=", self.company_id.id)
        if self.payer_ids:
            payers = Domain("payer_id", "in", self.payer_ids.ids)
            if self.include_self_pay:
                payers |= Domain("payer_id", "=", False)
            domain &= payers
        if self.department_ids:
            domain &= Domain("department_id", "in", self.department_ids.ids)
        if self.client_group_ids:
            domain &= Domain("client_id.category_id", "in", self.client_group_ids.ids)
        if self.bill_code_group_ids:
            domain &= Domain("product_id.categ_id", "child_of", self.bill_code_group_ids.ids)
        return domain

    def _own_days_domain(self):
        """Care of the cycle's own days."""
        self.ensure_one()
        return Domain("service_date", ">=", self.date_from) & Domain(
            "service_date", "<", self.date_to
        )

    def _carry_over_domain(self):
        """Care before the cycle's days that its back-billing date takes in (R11)."""
        self.ensure_one()
        if not self.back_billing_date:
            return Domain.FALSE
        return Domain("service_date", ">=", self.back_billing_date) & Domain(
            "service_date", "<", self.date_from
        )
