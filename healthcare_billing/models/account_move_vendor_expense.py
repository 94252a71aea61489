from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

VENDOR_TYPES = ("in_invoice", "in_refund")


class AccountMove(models.Model):
    """Vendor bills whose lines clients are billed for."""

    _inherit = "account.move"

    can_bill_to_clients = fields.Boolean(
        compute="_compute_can_bill_to_clients",
        groups="base.group_user",
        help="A posted vendor bill, and the user bills clients.",
    )
    client_expense_count = fields.Integer(
        string="Client Expenses",
        compute="_compute_client_expense_count",
        compute_sudo=True,
        groups="base.group_user",
        help="Lines of this vendor bill that were billed, or wait to be billed, to clients.",
    )

    @api.depends("move_type", "state")
    @api.depends_context("uid")
    def _compute_can_bill_to_clients(self):
        user = self.env.user
        may_bill = user.has_group("healthcare_billing.group_billing_user") and user.has_group(
            "healthcare_billing.group_use_mass_billing"
        )
        for move in self:
            move.can_bill_to_clients = (
                may_bill and move.move_type in VENDOR_TYPES and move.state == "posted"
            )

    @api.depends("invoice_line_ids.client_charge_ids")
    def _compute_client_expense_count(self):
        bills = self.filtered(lambda move: move.move_type in VENDOR_TYPES)
        counts = {}
        for charge in self.env["healthcare.charge"].search(bills._client_expense_domain()):
            move = charge.vendor_line_id.move_id
            counts[move] = counts.get(move, 0) + 1
        for move in self:
            move.client_expense_count = counts.get(move._origin, 0)

    def _client_expense_domain(self):
        return Domain("vendor_line_id.move_id", "in", self.ids)

    def action_view_client_expenses(self):
        """Open what clients were, or are to be, billed of this vendor bill."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_charge_action_expense"
        )
        return {**action, "domain": list(self._client_expense_domain()), "context": {}}

    def action_bill_to_clients(self):
        """Choose for which clients the lines were bought.

        :return: window action on a new ``healthcare.expense.bill``
        """
        self.ensure_one()
        wizard = self.env["healthcare.expense.bill"]._open_for(self)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Bill to Clients"),
            "res_model": wizard._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
        }

    # -- a bill that changes after clients were billed -------------------------------------------
    def button_draft(self):
        """Also on the way to canceling: bills of clients stay, and whoever keeps them is told."""
        billed = self._billed_client_expenses()
        result = super().button_draft()
        self._tell_expenses_are_billed(billed, self.env._("This vendor bill was put back to draft"))
        return result

    def _reverse_moves(self, default_values_list=None, cancel=False):
        reversals = super()._reverse_moves(default_values_list, cancel)
        self._tell_expenses_are_billed(
            self._billed_client_expenses(), self.env._("A credit note of this vendor bill was made")
        )
        return reversals

    def _billed_client_expenses(self):
        """Expenses of these vendor bills that stand on invoices of clients.

        sudo: whoever keeps the books need not be allowed to read charges
        """
        bills = self.filtered(lambda move: move.move_type in VENDOR_TYPES)
        if not bills:
            return self.env["healthcare.charge"].sudo()
        charges = self.env["healthcare.charge"].sudo().search(bills._client_expense_domain())
        return charges.filtered("is_live")

    def _tell_expenses_are_billed(self, charges, what):
        """Note on vendor bills, and on the invoices of clients, that they don't agree any more.

        :param charges: billed expenses
        :param str what: what happened to the vendor bill
        """
        bodies = {}
        for bill, own in charges.grouped(lambda c: c.vendor_line_id.move_id).items():
            invoices = own._live_lines().move_id
            names = ", ".join(invoice._care_reference() for invoice in invoices)
            bodies[bill.id] = self.env._(
                "%(what)s, but clients were billed for it: %(invoices)s. Credit them if they "
                "shouldn't pay.",
                what=what,
                invoices=names,
            )
            for invoice in invoices:
                bodies[invoice.id] = self.env._(
                    "Vendor bill %s, which is billed on here, was taken back or credited.",
                    bill.display_name,
                )
        if bodies:
            self.browse(bodies).sudo()._message_log_batch(bodies=bodies)


class AccountMoveLine(models.Model):
    """Lines of vendor bills, and the clients who pay for them. Each line is billed once."""

    _inherit = "account.move.line"

    client_charge_ids = fields.One2many(
        "healthcare.charge",
        "vendor_line_id",
        string="Client Expense",
        groups="healthcare_billing.group_billing_user",
    )
    client_expense_note = fields.Char(
        string="Billed to Client",
        compute="_compute_client_expense_note",
        compute_sudo=True,
        groups="base.group_user",
        help="For whom it was bought, and the invoice on which the client pays for it.",
    )

    # not on what becomes of the charges: billing would look for their vendor bills each time
    @api.depends("client_charge_ids")
    def _compute_client_expense_note(self):
        charges = self.env["healthcare.charge"].search([("vendor_line_id", "in", self.ids)])
        lines = charges._live_lines().grouped("charge_id")
        notes = {}
        for charge in charges:
            moves = lines[charge].move_id if charge in lines else ()
            where = ", ".join(move._care_reference() for move in moves)
            notes[charge.vendor_line_id] = self.env._(
                "%(client)s: %(where)s",
                client=charge.client_id.name,
                where=where or self.env._("not billed yet"),
            )
        for line in self:
            line.client_expense_note = notes.get(line._origin, False)

    def _check_billable_to_clients(self):
        for line in self:
            move = line.move_id
            if (
                move.move_type not in VENDOR_TYPES
                or move.state != "posted"
                or line.display_type != "product"
            ):
                raise UserError(
                    self.env._(
                        "%s: only lines of posted vendor bills can be billed to clients.",
                        move.display_name,
                    )
                )

    def _client_cost(self, with_tax=False):
        """What a line of a vendor bill cost, in company currency; a vendor's credit is negative.

        Untaxed it is what the ledger says. Taxes that the practice can't recover are added at the
        bill's own rate.
        """
        self.ensure_one()
        if not with_tax:
            return self.balance
        sign = -1 if self.move_id.move_type == "in_refund" else 1
        rate = self.move_id.invoice_currency_rate or 1.0
        return self.company_id.currency_id.round(sign * self.price_total / rate)

    def _prepare_client_expense(self, account, cost, markup, price, **vals):
        """Values of the expense that bills this line to a client.

        :param account: ``healthcare.billing.account``
        :param float cost: in company currency
        :param float markup: percent
        :param float price: in company currency
        """
        self.ensure_one()
        return {
            "kind": "expense",
            "billing_account_id": account.id,
            "client_id": account.client_id.id,
            "company_id": account.company_id.id,
            "service_date": self.move_id.invoice_date or self.date,
            "description": self.name,
            "quantity": 1.0,
            "expense_cost": cost,
            "expense_markup": markup,
            "price_unit": price,
            "is_priced": True,
            "vendor_line_id": self.id,
            "vendor_amount": self.price_subtotal,
            **vals,
        }

    @api.ondelete(at_uninstall=False)
    def _unlink_except_billed_to_client(self):
        # sudo: whoever keeps the books need not be allowed to read charges
        charge = self.env["healthcare.charge"].sudo().search([("vendor_line_id", "in", self.ids)])
        if charge:
            raise UserError(
                self.env._(
                    "“%(line)s” was taken as an expense of %(client)s. Delete the expense first.",
                    line=charge[0].vendor_line_id.name or charge[0].display_name,
                    client=charge[0].client_id.name,
                )
            )
