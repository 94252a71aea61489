from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class HealthcareExpenseBill(models.TransientModel):
    """For which clients the lines of a vendor bill were bought, and what they pay for them."""

    _name = "healthcare.expense.bill"
    _description = "Bill a Vendor Bill to Clients"

    move_id = fields.Many2one(
        "account.move", string="Vendor Bill", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="move_id.company_id")
    currency_id = fields.Many2one(related="company_id.currency_id")
    is_foreign = fields.Boolean(compute="_compute_is_foreign")
    billing_account_id = fields.Many2one(
        "healthcare.billing.account",
        string="Client of All Lines",
        domain="[('company_id', '=', company_id), ('billing_status', '!=', 'closed')]",
        help="Fills in the lines that have none yet.",
    )
    with_tax = fields.Boolean(
        string="Cost with Tax",
        help="For taxes that the practice can't recover: the client's cost is the total.",
    )
    line_ids = fields.One2many("healthcare.expense.bill.line", "wizard_id")
    has_taken = fields.Boolean(compute="_compute_has_taken")
    amount = fields.Monetary(compute="_compute_amount", string="To Bill")

    @api.depends("move_id")
    def _compute_is_foreign(self):
        for wizard in self:
            wizard.is_foreign = wizard.move_id.currency_id != wizard.currency_id

    @api.depends("line_ids.is_taken")
    def _compute_has_taken(self):
        for wizard in self:
            wizard.has_taken = any(wizard.line_ids.mapped("is_taken"))

    @api.depends("line_ids.price", "line_ids.billing_account_id", "line_ids.is_taken")
    def _compute_amount(self):
        for wizard in self:
            wizard.amount = sum(line.price for line in wizard.line_ids if line._is_chosen())

    @api.model
    def _open_for(self, move):
        """A dialog with a row per line of a vendor bill.

        :param move: ``account.move``
        :raise UserError: it isn't a posted vendor bill, or has nothing to bill
        """
        lines = move.invoice_line_ids.filtered(lambda line: line.display_type == "product")
        lines._check_billable_to_clients()
        if not lines:
            raise UserError(self.env._("%s has no lines.", move.display_name))
        return self.create(
            {
                "move_id": move.id,
                "line_ids": [Command.create({"vendor_line_id": line.id}) for line in lines],
            }
        )

    @api.onchange("billing_account_id")
    def _onchange_billing_account_id(self):
        for line in self.line_ids.filtered(lambda line: not line.is_taken):
            if self.billing_account_id and not line.billing_account_id:
                line.billing_account_id = self.billing_account_id

    @api.onchange("with_tax")
    def _onchange_with_tax(self):
        for line in self.line_ids.filtered(lambda line: not line.is_taken):
            line.with_tax = self.with_tax

    def action_bill(self):
        """Make an expense of each line that names a billing account.

        :return: window action on the expenses
        :raise UserError: no line names one
        """
        self.ensure_one()
        chosen = self.line_ids.filtered(lambda line: line._is_chosen())
        if not chosen:
            raise UserError(self.env._("Choose the client of at least one line."))
        charges = self.env["healthcare.charge"]._take_vendor_lines(
            [line._prepare_expense() for line in chosen]
        )
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_charge_action_expense"
        )
        return {**action, "domain": [("id", "in", charges.ids)], "context": {}}


class HealthcareExpenseBillLine(models.TransientModel):
    """A line of the vendor bill, and what the client pays for it."""

    _name = "healthcare.expense.bill.line"
    _description = "Line of a Vendor Bill to Bill to a Client"

    wizard_id = fields.Many2one("healthcare.expense.bill", required=True, ondelete="cascade")
    vendor_line_id = fields.Many2one(
        "account.move.line", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="vendor_line_id.company_id")
    currency_id = fields.Many2one(related="company_id.currency_id")
    bill_currency_id = fields.Many2one(
        related="vendor_line_id.currency_id", string="Currency of the Bill"
    )
    bill_amount = fields.Monetary(
        related="vendor_line_id.price_subtotal",
        currency_field="bill_currency_id",
        string="On the Bill",
    )
    taken_note = fields.Char(related="vendor_line_id.client_expense_note", string="Billed Already")
    is_taken = fields.Boolean(compute="_compute_is_taken")
    name = fields.Char(
        string="Description",
        compute="_compute_name",
        store=True,
        readonly=False,
        help="Printed on the client's bill.",
    )
    billing_account_id = fields.Many2one(
        "healthcare.billing.account",
        string="Client",
        domain="[('company_id', '=', company_id), ('billing_status', '!=', 'closed')]",
    )
    with_tax = fields.Boolean(
        help="For a tax that the practice can't recover: the client's cost is the total."
    )
    cost = fields.Monetary(compute="_compute_cost", store=True, readonly=False)
    markup = fields.Float(
        string="Markup (%)", compute="_compute_markup", store=True, readonly=False
    )
    price = fields.Monetary(compute="_compute_price", store=True, readonly=False)

    @api.depends("vendor_line_id")
    def _compute_is_taken(self):
        for line in self:
            line.is_taken = bool(line.vendor_line_id.client_charge_ids)

    @api.depends("vendor_line_id")
    def _compute_name(self):
        for line in self:
            source = line.vendor_line_id
            line.name = (source.name or source.product_id.name or "").replace("\n", " ")

    @api.depends("vendor_line_id", "with_tax")
    def _compute_cost(self):
        for line in self:
            line.cost = line.vendor_line_id._client_cost(line.with_tax)

    @api.depends("billing_account_id")
    def _compute_markup(self):
        for line in self:
            account = line.billing_account_id
            line.markup = account._expense_markup_percent() if account else 0.0

    @api.depends("cost", "markup")
    def _compute_price(self):
        for line in self:
            line.price = line.currency_id.round(line.cost * (1 + line.markup / 100))

    @api.onchange("price")
    def _onchange_price(self):
        """A typed price says its markup; that gives this very price again."""
        currency = self.currency_id
        expected = currency.round(self.cost * (1 + self.markup / 100))
        if self.cost and currency.compare_amounts(self.price, expected):
            self.markup = (self.price / self.cost - 1) * 100

    def _is_chosen(self):
        return bool(self.billing_account_id) and not self.is_taken

    def _prepare_expense(self):
        """Values of the charge that it becomes."""
        self.ensure_one()
        return self.vendor_line_id._prepare_client_expense(
            self.billing_account_id,
            self.cost,
            self.markup,
            self.price,
            description=self.name or False,
        )
