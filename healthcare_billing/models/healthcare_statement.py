from odoo import api, fields, models


class HealthcareStatement(models.Model):
    """What one party owes, told on one document; charges are posted once, told many times.

    =========  =====================================================  =========================
    state      means                                                  next
    =========  =====================================================  =========================
    draft      put together; nothing is moved or booked               commit, cancel
    committed  its items are invoiced and await payment; it ages      recommit, close
    paid       closed with money, be it less than was asked           reopen
    unpaid     closed without: items are told on the next statement   reopen
    sold       its items were sold to a collection agency             reopen
    canceled   a mistake: items go back unless others hold them       -
    =========  =====================================================  =========================

    A statement has no balance of its own: its items are charges, and what is open on these the
    ledger says. Prices and amounts on its lines are what was told when it was made.

    =====================  ==========  ===========  ============  ===============  ==========
    may                    care staff  coordinator  billing user  billing manager  accountant
    =====================  ==========  ===========  ============  ===============  ==========
    read                   no          no           yes           yes              yes
    make, commit, close    no          no           yes           yes              no
    sell, reopen           no          no           no            yes              no
    =====================  ==========  ===========  ============  ===============  ==========
    """

    _name = "healthcare.statement"
    _description = "Statement of Receivables"
    _inherit = ("portal.mixin", "mail.thread", "mail.activity.mixin", "healthcare.turns.mixin")
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(
        string="Number", required=True, readonly=True, copy=False, default="/", index="trigram"
    )
    custom_ref = fields.Char(
        string="Custom ID",
        copy=False,
        tracking=True,
        help="Number by which the addressee knows it.",
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(
        "res.currency",
        compute="_compute_currency_id",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Addressee",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        tracking=True,
        help="Client or billing contact, insurance, facility or affiliate.",
    )
    addressee_type = fields.Selection(
        [
            ("client", "Client"),
            ("insurance", "Insurance"),
            ("government", "Government"),
            ("facility", "Facility"),
            ("affiliate", "Affiliate"),
            ("other", "Other Payer"),
        ],
        compute="_compute_addressee_type",
        store=True,
        precompute=True,
    )
    statement_type = fields.Selection(
        [
            ("differential", "Differential"),
            ("complete", "Complete"),
            ("collections", "Collections"),
            ("custom", "Custom"),
        ],
        default="differential",
        required=True,
        tracking=True,
        help="Differential: all that is at the billing office. Complete: all of a date range. "
        "Collections: billed before and not paid. Custom: stages and dates chosen.",
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("committed", "Committed"),
            ("paid", "Closed: Paid"),
            ("unpaid", "Closed: Unpaid"),
            ("sold", "Closed: Sold"),
            ("canceled", "Canceled"),
        ],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        index=True,
        tracking=True,
    )
    date = fields.Date(
        string="Statement Date", required=True, default=fields.Date.context_today, tracking=True
    )
    date_from = fields.Date(string="Care From", tracking=True)
    date_to = fields.Date(
        string="Care Before", tracking=True, help="The day after the last one (half-open)."
    )
    fee_schedule_id = fields.Many2one(
        "product.pricelist",
        check_company=True,
        tracking=True,
        help="Prices what has no price yet. Empty: each payer's own.",
    )
    overrides_quotes = fields.Boolean(
        string="Override Quotes",
        tracking=True,
        help="On committing, the prices on this statement replace those that were quoted.",
    )
    committed_on = fields.Date(readonly=True, copy=False, tracking=True)
    committed_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    closed_on = fields.Date(readonly=True, copy=False, tracking=True)
    age = fields.Integer(
        string="Age (Days)",
        compute="_compute_age",
        help="From committing to closing. A draft has none.",
    )
    comment = fields.Text(tracking=True, help="Printed over the items.")
    line_ids = fields.One2many("healthcare.statement.line", "statement_id", copy=False)
    line_count = fields.Integer(compute="_compute_amounts", store=True, string="Items")
    settles_ledger = fields.Boolean(
        string="Include Ledger Balance",
        tracking=True,
        help="Asks also for what else the addressee owes, or has as a credit.",
    )
    ledger_amount = fields.Monetary(
        string="Ledger Balance",
        tracking=True,
        help="As told on the statement. The ledger only moves when the statement is paid.",
    )
    amount_items = fields.Monetary(compute="_compute_amounts", store=True)
    amount_total = fields.Monetary(
        string="Amount Due", compute="_compute_amounts", store=True, help="As told when made."
    )
    amount_due_now = fields.Monetary(
        string="Due Now",
        compute="_compute_amount_due_now",
        help="What the addressee owes of the items today, less credits and what is paid already.",
    )
    run_id = fields.Many2one(
        "healthcare.billing.run", readonly=True, copy=False, index="btree_not_null"
    )
    move_ids = fields.Many2many(
        "account.move",
        compute="_compute_move_ids",
        string="Invoices",
        help="Posted invoices behind the items.",
    )

    @api.depends("company_id")
    def _compute_currency_id(self):
        for statement in self:
            statement.currency_id = statement.currency_id or statement.company_id.currency_id

    @api.depends("partner_id")
    def _compute_addressee_type(self):
        for statement in self:
            partner = statement.partner_id
            statement.addressee_type = (
                partner.payer_type or "other" if partner.is_payer else "client"
            )

    @api.depends("line_ids.amount_due", "settles_ledger", "ledger_amount")
    def _compute_amounts(self):
        for statement in self:
            items = sum(statement.line_ids.mapped("amount_due"))
            ledger = statement.ledger_amount if statement.settles_ledger else 0.0
            statement.line_count = len(statement.line_ids)
            statement.amount_items = items
            statement.amount_total = statement.currency_id.round(items + ledger)

    @api.depends("line_ids.balance", "partner_id")
    def _compute_amount_due_now(self):
        # sudo: accountants read statements, and no charges
        statements = self.sudo()
        prepaid = statements.line_ids.charge_id._prepaid_amounts()  # of all of them at once
        for statement in statements:
            statement.amount_due_now = statement._amount_to_pay(statement.line_ids, prepaid)

    @api.depends("committed_on", "closed_on")
    def _compute_age(self):
        for statement in self:
            start = statement.committed_on
            end = statement.closed_on or fields.Date.context_today(statement)
            statement.age = (end - start).days if start else 0

    @api.depends("line_ids.charge_id")
    def _compute_move_ids(self):
        for statement in self:
            statement.move_ids = statement.line_ids._posted_moves()

    def _compute_access_url(self):
        result = super()._compute_access_url()
        for statement in self:
            statement.access_url = f"/my/statements/{statement.id}"
        return result

    @api.model_create_multi
    def create(self, vals_list):
        numbers = self.env["ir.sequence"]._next_many("healthcare.statement", len(vals_list))
        for vals, number in zip(vals_list, numbers, strict=True):
            vals["name"] = number
        return super().create(vals_list)
