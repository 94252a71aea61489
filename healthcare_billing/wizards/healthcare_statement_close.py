from odoo import api, fields, models
from odoo.fields import Command


class HealthcareStatementClose(models.TransientModel):
    """What becomes of a statement, and of each of its items, before it is closed."""

    _name = "healthcare.statement.close"
    _description = "Close a Statement"

    statement_id = fields.Many2one("healthcare.statement", required=True, readonly=True)
    partner_id = fields.Many2one(related="statement_id.partner_id")
    company_id = fields.Many2one(related="statement_id.company_id")
    currency_id = fields.Many2one(related="statement_id.currency_id")
    statement_state = fields.Selection(related="statement_id.state")
    outcome = fields.Selection(
        selection="_selection_outcome", string="Close As", required=True, default="paid"
    )
    date = fields.Date(required=True, default=fields.Date.context_today)
    amount = fields.Monetary(
        string="Amount Received",
        help="0.00 closes what was left open. Less than 0.00 is paid back to the addressee.",
    )
    journal_id = fields.Many2one(
        "account.journal",
        domain="[('type', 'in', ('bank', 'cash', 'credit')), ('company_id', '=', company_id)]",
    )
    memo = fields.Char(string="Reference", help="Number of the check, for example.")
    under = fields.Selection(
        selection="_selection_under", string="What Is Short", required=True, default="return"
    )
    over = fields.Selection(
        [("on_account", "Credit of the addressee"), ("target", "Another item")],
        string="What Is Too Much",
        required=True,
        default="on_account",
    )
    target_id = fields.Many2one(
        "healthcare.receivable",
        string="Goes to",
        domain="[('partner_id', '=', partner_id), ('company_id', '=', company_id)]",
    )
    reason_id = fields.Many2one(
        "healthcare.adjustment.reason", domain="[('kind', '=', reason_kind)]"
    )
    reason_kind = fields.Char(compute="_compute_reason_kind")
    agency_id = fields.Many2one("res.partner", string="Collection Agency")
    proceeds = fields.Monetary(
        string="Agency Pays", help="For all items; 0.00 if it pays later, or nothing."
    )
    reverse_invoices = fields.Boolean(
        string="Void Its Invoices",
        help="Those that nothing but committing this statement made, and of which nothing is paid.",
    )
    line_ids = fields.One2many("healthcare.statement.close.line", "wizard_id")
    ledger_open = fields.Monetary(compute="_compute_totals", string="Ledger Balance")
    ledger_settled = fields.Monetary(compute="_compute_totals", string="Settled of It")
    left = fields.Monetary(compute="_compute_totals", string="Short")
    surplus = fields.Monetary(compute="_compute_totals", string="Too Much")

    @api.model
    def _open(self, statement):
        """Dialog for a statement that isn't closed.

        :return: window action
        """
        draft = statement.state == "draft"
        wizard = self.create(
            {
                "statement_id": statement.id,
                "outcome": "canceled" if draft else "paid",
                "amount": 0.0 if draft else statement._amount_to_pay(),
                "journal_id": self._default_journal(statement.company_id).id,
                "line_ids": [
                    Command.create({"item_id": line.id})
                    for line in statement.line_ids.sorted(lambda line: line._payment_order())
                ],
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Close %s", statement.name),
            "res_model": self._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
        }

    @api.model
    def _default_journal(self, company):
        """The first bank journal of the company."""
        return self.env["account.journal"].search(
            [("type", "in", ("bank", "cash")), ("company_id", "=", company.id)],
            order="type, sequence, id",
            limit=1,
        )

    @api.depends("outcome")
    def _compute_reason_kind(self):
        for wizard in self:
            wizard.reason_kind = "sold" if wizard.outcome == "sold" else "courtesy"

    @api.onchange("outcome", "under")
    def _onchange_reason(self):
        """The company's reason of the kind that is asked for."""
        if self.reason_id.kind != self.reason_kind:
            self.reason_id = self.company_id._default_reason(self.reason_kind)

    # -- choices ---------------------------------------------------------------------------------
    @api.model
    def _selection_outcome(self):
        """Nobody is offered what closing would refuse: selling is a billing manager's."""
        sold = [("sold", self.env._("Sold to Collections"))] if self._may_give_up() else []
        return [
            ("paid", self.env._("Paid")),
            ("unpaid", self.env._("Unpaid")),
            *sold,
            ("canceled", self.env._("Canceled")),
        ]

    @api.model
    def _selection_under(self):
        """So is writing off."""
        text = self.env._("Write off as a courtesy")
        courtesy = [("write_off", text)] if self._may_give_up() else []
        return [
            ("return", self.env._("Back to the billing office")),
            *courtesy,
            ("leave_open", self.env._("Leave open")),
        ]

    @api.model
    def _may_give_up(self):
        """Whether the user may sell, or write off, what is owed."""
        return self.env.su or self.env.user.has_group("healthcare_billing.group_billing_manager")

    # -- preview ---------------------------------------------------------------------------------
    def _chosen_items(self):
        """The items that the money is for; None for all of them."""
        chosen = self.line_ids.filtered("is_chosen")
        return None if len(chosen) == len(self.line_ids) else chosen.item_id

    def _allocation(self):
        """How the amount is allotted, as closing will do it."""
        self.ensure_one()
        return self.statement_id._allocate(
            self.currency_id.round(self.amount), self._chosen_items()
        )

    @api.depends("amount", "outcome", "line_ids.is_chosen", "statement_id")
    def _compute_totals(self):
        for wizard in self:
            paid = wizard.outcome == "paid" and wizard.statement_id.state == "committed"
            allocation = wizard._allocation() if paid else None
            ledger = allocation.ledger if paid else []
            wizard.ledger_open = sum(share.open for share in ledger)
            wizard.ledger_settled = sum(share.credit + share.money for share in ledger)
            wizard.left = allocation.left if paid else 0.0
            wizard.surplus = allocation.surplus if paid else 0.0

    # -- doing it --------------------------------------------------------------------------------
    def action_confirm(self):
        """Close the statement, once: a second click finds it closed, and says so."""
        self.ensure_one()
        getattr(self, f"_close_as_{self.outcome}")()
        return {"type": "ir.actions.act_window_close"}

    def _close_as_paid(self):
        self.statement_id._close_paid(
            self.amount,
            self.journal_id,
            self.date,
            under=self.under,
            over=self.over,
            lines=self._chosen_items(),
            reason=self.reason_id if self.under == "write_off" else None,
            target=self.target_id if self.over == "target" else None,
            memo=self.memo or "",
        )

    def _close_as_unpaid(self):
        self.statement_id._close_unpaid()

    def _close_as_sold(self):
        self.statement_id._close_sold(
            self.reason_id,
            self.date,
            proceeds=self.proceeds,
            journal=self.journal_id,
            agency=self.agency_id,
        )

    def _close_as_canceled(self):
        self.statement_id._close_canceled(self.reverse_invoices)

    def action_download(self):
        """The file for a collection agency, of what would be sold."""
        self.ensure_one()
        return self.env["healthcare.statement.bulk"]._download(self.statement_id)


class HealthcareStatementCloseLine(models.TransientModel):
    """One item, what it gets, and what becomes of it."""

    _name = "healthcare.statement.close.line"
    _description = "Close a Statement: Item"

    wizard_id = fields.Many2one(
        "healthcare.statement.close", required=True, ondelete="cascade", index=True
    )
    item_id = fields.Many2one("healthcare.statement.line", required=True, readonly=True)
    currency_id = fields.Many2one(related="item_id.currency_id")
    charge_id = fields.Many2one(related="item_id.charge_id")
    client_id = fields.Many2one(related="item_id.client_id")
    service_date = fields.Date(related="item_id.service_date")
    told = fields.Monetary(related="item_id.amount_due", string="On the Statement")
    is_chosen = fields.Boolean(string="Pay", default=True)
    open = fields.Monetary(compute="_compute_preview", string="Open Now")
    settled = fields.Monetary(compute="_compute_preview", string="Gets")
    left = fields.Monetary(compute="_compute_preview")
    becomes = fields.Char(compute="_compute_preview")

    @api.depends(
        "wizard_id.amount",
        "wizard_id.outcome",
        "wizard_id.under",
        "wizard_id.line_ids.is_chosen",
    )
    def _compute_preview(self):
        for wizard in self.wizard_id:
            paid = wizard.outcome == "paid"
            shares = wizard._allocation().items if paid else wizard.statement_id._open_items()
            for line in wizard.line_ids:
                share = shares.get(line.item_id._origin)
                line.open = share.open if share else 0.0
                line.settled = share.settled if share else 0.0
                line.left = share.left if share else 0.0
                line.becomes = line._what_becomes(wizard)

    def _what_becomes(self, wizard):
        """What closing makes of the item, in words."""
        back = self.env._("Billing office")
        if self.currency_id.is_zero(self.left):
            return self.env._("Paid")
        if wizard.outcome == "canceled":
            return self.env._("Stays as it was") if wizard.statement_state == "draft" else back
        if wizard.outcome == "unpaid" or self.left < 0:
            return back
        if wizard.outcome == "sold":
            return self.env._("Sold")
        if wizard.under == "write_off" and self.is_chosen:
            return self.env._("Written off")
        return self.env._("Left open") if wizard.under == "leave_open" else back
