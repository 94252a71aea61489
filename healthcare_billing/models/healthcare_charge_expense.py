from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import float_compare, float_round

from .healthcare_charge import PRICING

# What was taken from a vendor bill is recorded when it is taken, never typed.
VENDOR_FIELDS = {"vendor_line_id", "vendor_amount"}
INVOICING_GROUPS = "account.group_account_invoice,account.group_account_readonly"
PRICE_DIGITS = 4


class HealthcareCharge(models.Model):
    """Expenses: things bought for a client, typed or taken from a line of a vendor bill.

    The price is the cost with the markup, unless another one is typed. An expense without a service
    of its own is booked on the company's, and ``description`` is what the client reads.
    """

    _inherit = "healthcare.charge"

    description = fields.Char(help="Printed on the bill. Empty: the name of the service.")
    expense_cost = fields.Float(
        string="Cost per Unit",
        digits=(16, PRICE_DIGITS),
        min_display_digits=2,
        aggregator=None,
        help="What it cost the practice. The client doesn't see it.",
    )
    # unrounded: a typed price is the cost with this very markup
    expense_markup = fields.Float(
        string="Markup (%)", aggregator=None, help="Added to the cost: the price."
    )
    vendor_line_id = fields.Many2one(
        "account.move.line",
        string="Vendor Bill Line",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        groups=INVOICING_GROUPS,
    )
    vendor_move_id = fields.Many2one(
        related="vendor_line_id.move_id", string="Vendor Bill", groups=INVOICING_GROUPS
    )
    vendor_amount = fields.Float(
        readonly=True,
        copy=False,
        groups=INVOICING_GROUPS,
        help="Untaxed amount of the vendor bill's line when it was taken, in the bill's currency.",
    )

    invoice_names = fields.Char(
        string="Invoices",
        compute="_compute_invoice_names",
        compute_sudo=True,
        groups=INVOICING_GROUPS,
        help="Those that bill it now, drafts included.",
    )

    _vendor_line_uniq = models.UniqueIndex(
        "(vendor_line_id) WHERE vendor_line_id IS NOT NULL",
        "A line of this vendor bill was billed to a client meanwhile. Open the bill again.",
    )

    @api.depends("description", "kind")
    def _compute_display_name(self):
        result = super()._compute_display_name()
        for charge in self:
            if charge.kind == "expense" and not charge.appointment_id:
                if charge.description:
                    charge.display_name = charge.description
                elif not charge.id:
                    charge.display_name = self.env._("New Expense")
        return result

    @api.depends("billing_stage")
    def _compute_invoice_names(self):
        lines = self._live_lines().grouped("charge_id")
        for charge in self:
            moves = lines[charge._origin].move_id if charge._origin in lines else ()
            charge.invoice_names = ", ".join(move._care_reference() for move in moves)

    # -- price -----------------------------------------------------------------------------------
    @api.model
    def _expense_price(self, cost, markup):
        """Price per unit of what cost so much.

        :param float markup: percent
        """
        return float_round(cost * (1 + markup / 100), precision_digits=PRICE_DIGITS)

    @api.onchange("client_id")
    def _onchange_expense_client(self):
        """A client with one billing account needs no choice of it."""
        if self.kind == "expense" and self.client_id != self.billing_account_id.client_id:
            self.billing_account_id = self._only_account(self.client_id)

    @api.onchange("billing_account_id")
    def _onchange_expense_account(self):
        account = self.billing_account_id
        if self.kind == "expense" and account:
            self.client_id = account.client_id
            self.payer_id = account.payer_id
            if not self._origin:
                self.expense_markup = account._expense_markup_percent()

    @api.onchange("expense_cost", "expense_markup")
    def _onchange_expense_cost(self):
        if self.kind == "expense" and self.expense_cost:
            self.price_unit = self._expense_price(self.expense_cost, self.expense_markup)
            self.is_priced = True

    @api.onchange("price_unit")
    def _onchange_expense_price(self):
        """A typed price says its markup; that gives this very price again."""
        if self.kind != "expense" or not self.expense_cost:
            return
        expected = self._expense_price(self.expense_cost, self.expense_markup)
        if float_compare(self.price_unit, expected, precision_digits=PRICE_DIGITS):
            self.expense_markup = (self.price_unit / self.expense_cost - 1) * 100

    @api.model
    def _mark_typed_price(self, vals):
        result = super()._mark_typed_price(vals)
        if vals.get("expense_cost") and "price_reason" in vals:
            vals["price_reason"] = self.env._(
                "Cost and %s%% markup", f"{vals.get('expense_markup') or 0.0:.6g}"
            )
        return result

    # -- create, write ---------------------------------------------------------------------------
    @api.model
    def _only_account(self, client):
        """The billing account of a client who has a single one in use here."""
        accounts = client.billing_account_ids.filtered(
            lambda account: (
                account.company_id == self.env.company and account.billing_status != "closed"
            )
        )
        return accounts if len(accounts) == 1 else accounts.browse()

    @api.model_create_multi
    def create(self, vals_list):
        ids = {vals["billing_account_id"] for vals in vals_list if vals.get("billing_account_id")}
        self.env["healthcare.billing.account"].browse(ids).fetch(["client_id"])  # read together
        return super().create(
            [self._complete_expense(self._without_vendor(vals)) for vals in vals_list]
        )

    def write(self, vals):
        """Another cost or markup gives another price, unless one is given along with it."""
        vals = self._without_vendor(vals)
        changed = {"expense_cost", "expense_markup"} & set(vals)
        if not changed or "price_unit" in vals:
            return super().write(vals)
        by_price = self.grouped(lambda charge: charge._price_of_cost(vals))
        for price, charges in by_price.items():
            priced = {} if price is None else {"price_unit": price, "is_priced": True}
            super(HealthcareCharge, charges).write({**vals, **priced})
        return True

    def _price_of_cost(self, vals):
        """The price that another cost or markup gives, or None: it has nothing to do with it.

        :param dict vals: to be written
        """
        self.ensure_one()
        cost = vals.get("expense_cost", self.expense_cost)
        if self.kind != "expense" or not (cost or "expense_cost" in vals):
            return None
        return self._expense_price(cost, vals.get("expense_markup", self.expense_markup))

    @api.model
    def _without_vendor(self, vals):
        """Values without what only taking a vendor bill's line decides."""
        if self.env.context.get("healthcare_pricing") is PRICING:
            return vals
        return {name: value for name, value in vals.items() if name not in VENDOR_FIELDS}

    @api.model
    def _complete_expense(self, vals):
        """What follows from an expense's client or billing account, and the price from its cost.

        :raise UserError: no service is chosen, and the company has none for expenses
        """
        kind = vals.get("kind", self.env.context.get("default_kind"))
        if kind != "expense" or vals.get("appointment_id") or vals.get("parent_id"):
            return vals
        vals = dict(vals)
        account = self.env["healthcare.billing.account"].browse(vals.get("billing_account_id"))
        if not account and vals.get("client_id"):
            account = self._only_account(self.env["res.partner"].browse(vals["client_id"]))
        if account:
            followers = {
                "billing_account_id": account.id,
                "client_id": account.client_id.id,
                "company_id": account.company_id.id,
                "department_id": account.department_id.id,
            }
            vals = {**vals, **{name: vals.get(name) or id_ for name, id_ in followers.items()}}
            vals.setdefault("payer_id", account.payer_id.id)
        if not vals.get("product_id"):
            company = self.env["res.company"].browse(vals.get("company_id")) or self.env.company
            vals["product_id"] = self._expense_product(company).id
        if vals.get("expense_cost") and "expense_markup" not in vals and "price_unit" not in vals:
            vals["expense_markup"] = account._expense_markup_percent() if account else 0.0
        if "expense_cost" in vals and "price_unit" not in vals:
            vals["price_unit"] = self._expense_price(
                vals["expense_cost"], vals.get("expense_markup") or 0.0
            )
            vals["is_priced"] = True
        return vals

    @api.model
    def _expense_product(self, company):
        """The service that expenses without one are booked on.

        :raise UserError: none is chosen
        """
        # sudo: who records expenses need not be allowed to read settings of the company
        product = company.sudo().healthcare_expense_product_id
        if not product:
            raise UserError(
                self.env._(
                    "Choose a service, or ask an administrator to choose the Expense Service in "
                    "the settings of Care Billing (%s).",
                    company.name,
                )
            )
        return product.sudo(False)

    # -- vendor bills ----------------------------------------------------------------------------
    @api.model
    def _take_vendor_lines(self, vals_list):
        """Make expenses of lines of vendor bills, each line once.

        :param vals_list: values with ``vendor_line_id``, as ``_prepare_client_expense`` gives them
        :return: ``healthcare.charge`` recordset
        :raise UserError: a line can't be billed to clients
        """
        lines = self.env["account.move.line"].browse(vals["vendor_line_id"] for vals in vals_list)
        lines.check_access("read")
        lines._check_billable_to_clients()
        return self.with_context(healthcare_pricing=PRICING).create(vals_list).with_env(self.env)

    def action_open_expense(self):
        """Open the expense's own form."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.display_name,
            "res_model": self._name,
            "res_id": self.id,
            "views": [
                (self.env.ref("healthcare_billing.healthcare_charge_view_form_expense").id, "form")
            ],
        }
