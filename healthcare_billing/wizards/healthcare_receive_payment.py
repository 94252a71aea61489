from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.account_payment_charge import CareMoney
from ..models.healthcare_charge import RESPONSIBILITIES
from ..models.healthcare_charge_balance import PARTIES

# More items than this are shown on a page, not in a dialog.
DIALOG_ITEMS = 20


class HealthcareReceivePayment(models.TransientModel):
    """Who paid how much, and for which care: a copay at the desk, or a payer's check over
    thousands of items."""

    _name = "healthcare.receive.payment"
    _inherit = "healthcare.turns.mixin"
    _description = "Receive Payment"

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")
    partner_id = fields.Many2one("res.partner", string="Paid by")
    shown_partner_id = fields.Many2one("res.partner", readonly=True)
    date = fields.Date(required=True, default=fields.Date.context_today)
    amount = fields.Monetary(string="Amount Received")
    journal_id = fields.Many2one(
        "account.journal",
        string="Received in",
        check_company=True,
        domain="[('type', 'in', ('bank', 'cash', 'credit')), ('company_id', '=', company_id)]",
        default=lambda self: self._default_journal(),
    )
    available_method_line_ids = fields.Many2many(
        "account.payment.method.line", compute="_compute_available_method_line_ids"
    )
    method_line_id = fields.Many2one(
        "account.payment.method.line",
        string="Payment Method",
        compute="_compute_method_line_id",
        store=True,
        readonly=False,
        domain="[('id', 'in', available_method_line_ids)]",
    )
    memo = fields.Char(string="Reference", help="Such as the number of the check.")
    share_oldest = fields.Boolean(
        string="Oldest First",
        help="Share the amount among the items, the oldest care first, whenever it is changed.",
    )
    line_ids = fields.One2many("healthcare.receive.payment.line", "wizard_id")
    line_count = fields.Integer(compute="_compute_totals")
    is_open = fields.Monetary(compute="_compute_totals", string="Open")
    shared = fields.Monetary(compute="_compute_totals", string="For These Items")
    remaining = fields.Monetary(
        compute="_compute_totals", help="Kept on account for who paid, for no care in particular."
    )
    has_waiting = fields.Boolean(compute="_compute_totals")
    payment_id = fields.Many2one("account.payment", string="Received", readonly=True)

    def _compute_display_name(self):
        self.display_name = self.env._("Receive Payment")

    @api.model
    def _default_journal(self):
        journals = self.env["account.journal"]
        return journals.search(
            [
                *journals._check_company_domain(self.env.company),
                ("type", "in", ("bank", "cash", "credit")),
            ],
            limit=1,
        )

    @api.depends("journal_id", "company_id")
    def _compute_currency_id(self):
        for wizard in self:
            wizard.currency_id = wizard.journal_id.currency_id or wizard.company_id.currency_id

    @api.depends("journal_id")
    def _compute_available_method_line_ids(self):
        for wizard in self:
            lines = wizard.journal_id._get_available_payment_method_lines("inbound")
            wizard.available_method_line_ids = lines

    @api.depends("journal_id")
    def _compute_method_line_id(self):
        for wizard in self:
            if wizard.method_line_id not in wizard.available_method_line_ids:
                wizard.method_line_id = wizard.available_method_line_ids[:1]

    @api.depends("amount", "line_ids.amount", "line_ids.is_open")
    def _compute_totals(self):
        for wizard in self:
            currency = wizard.currency_id
            wizard.line_count = len(wizard.line_ids)
            wizard.has_waiting = any(wizard.line_ids.mapped("reason"))
            wizard.is_open = sum(wizard.line_ids.mapped("is_open"))
            wizard.shared = currency.round(sum(wizard.line_ids.mapped("amount")))
            wizard.remaining = currency.round(wizard.amount - wizard.shared)

    # -- opening ---------------------------------------------------------------------------------
    @api.model
    def _open(self, partner, keys, company):
        """The dialog with these items, filled in as if all of them were paid.

        :param partner: who pays
        :param keys: iterable of (charge id, responsibility)
        :param company: ``res.company`` of the charges
        :return: window action
        """
        if len(company) > 1:
            raise UserError(self.env._("Receive payments for one company at a time."))
        wizard = self.with_company(company).create(
            {
                "company_id": company.id,
                "partner_id": partner.id,
                "share_oldest": True,
            }
        )
        wizard._load(keys)
        wizard.amount = max(sum(wizard.line_ids.mapped("is_open")), 0.0)
        wizard._share()
        return wizard._action()

    @api.model
    def _open_for_partner(self, partner):
        """The dialog with all that a partner owes, or that is owed of a client.

        :param partner: ``res.partner`` record
        """
        wizard = self.create({"partner_id": partner.id, "share_oldest": not partner.is_payer})
        wizard._load(wizard._keys_of_partner())
        return wizard._action()

    def _action(self):
        """A dialog for few items, a page for many."""
        self.ensure_one()
        is_page = len(self.line_ids) > DIALOG_ITEMS
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Receive Payment"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "current" if is_page else "new",
            "context": {"receive_payment_page": is_page},
        }

    def _stay(self):
        """What a button does that changes the items: a page is read again, a dialog would close."""
        return False if self._is_page() else self._action()

    @api.model
    def _is_page(self):
        return bool(self.env.context.get("receive_payment_page"))

    def _keys_of_partner(self):
        """Items that the partner, or a contact of it, owes in this company."""
        self.ensure_one()
        owner = self.partner_id.commercial_partner_id
        rows = self.env["healthcare.receivable"].search_fetch(
            [
                ("company_id", "=", self.company_id.id),
                "|",
                ("partner_id.commercial_partner_id", "=", owner.id),
                "&",
                ("client_id", "=", self.partner_id.id),
                ("responsibility", "=", "client"),
            ],
            ["charge_id", "responsibility"],
        )
        return [(row.charge_id.id, row.responsibility) for row in rows]

    def _load(self, keys):
        """Show these items instead of those shown before."""
        self.ensure_one()
        items = self.env["healthcare.charge"]._payable_items(keys)
        self.line_ids.unlink()
        self.env["healthcare.receive.payment.line"].create(
            [
                {
                    "wizard_id": self.id,
                    "charge_id": item.charge.id,
                    "responsibility": item.responsibility,
                    "is_open": item.amount,
                    "how": item.how,
                    "reason": item.reason,
                }
                for item in items
                if item.charge.currency_id == self.currency_id
            ]
        )
        self.shown_partner_id = self.partner_id

    # -- sharing ---------------------------------------------------------------------------------
    @api.onchange("amount", "share_oldest")
    def _onchange_amount(self):
        if self.share_oldest:
            self._share()

    def _share(self):
        """Share the amount among what is open, the oldest care first (R5); credits stay."""
        self.ensure_one()
        left = self.amount
        for line in self.line_ids.sorted(lambda line: (line.sequence, line._origin.id)):
            part = self.currency_id.round(max(min(line.is_open, left), 0.0))
            left -= part
            if self.currency_id.compare_amounts(line.amount, part):
                line.amount = part

    def action_share(self):
        """Share the amount, the oldest care first.

        :return: window action on this dialog, none on a page
        """
        self._share()
        return self._stay()

    def action_clear(self):
        """Take all amounts off the items.

        :return: window action on this dialog, none on a page
        """
        self.share_oldest = False
        self.line_ids.amount = 0.0
        return self._stay()

    def action_load(self):
        """Show what the chosen partner owes.

        :return: window action on this dialog, none on a page
        """
        self.ensure_one()
        if not self.partner_id:
            raise UserError(self.env._("Choose who paid."))
        self._load(self._keys_of_partner())
        if self.share_oldest:
            self._share()
        return self._stay()

    def action_view_lines(self):
        """All items in a list that can be searched, grouped and typed into."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Items"),
            "res_model": "healthcare.receive.payment.line",
            "views": [(False, "list"), (False, "search")],
            "domain": [("wizard_id", "=", self.id)],
        }

    # -- booking ---------------------------------------------------------------------------------
    def action_receive(self):
        """Book the payment, once: a second click finds it booked.

        :return: window action on the payment, or a message that closes the dialog
        :raise UserError: what can't be received
        """
        self.ensure_one()
        self._touch()  # a second click waits, and finds it booked
        if self.payment_id:
            return self._received_action()
        if not self.partner_id:
            raise UserError(self.env._("Choose who paid."))
        if self.partner_id != self.shown_partner_id and self.line_ids:
            raise UserError(self.env._("These items are another partner's. Show the open items."))
        if not self.journal_id:
            raise UserError(self.env._("Choose the journal that received the money."))
        if self.currency_id.compare_amounts(self.remaining, 0.0) < 0:
            raise UserError(
                self.env._(
                    "%(shared)s are shared among the items, but %(amount)s were received. Change "
                    "the amount, or the items.",
                    shared=self.currency_id.format(self.shared),
                    amount=self.currency_id.format(self.amount),
                )
            )
        self.payment_id = self.env["account.payment"]._receive_or_invoice(
            self.partner_id,
            self.journal_id,
            self.date,
            [
                CareMoney(line.charge_id, line.responsibility, line.amount)
                for line in self.line_ids
                if not self.currency_id.is_zero(line.amount)
            ],
            surplus=self.remaining,
            memo=self.memo or "",
            payment_method_line=self.method_line_id,
        )
        return self._received_action()

    def _received_action(self):
        """Say what was booked; a page goes on to the payment."""
        payment = self.payment_id
        if self._is_page():
            return payment._get_records_action(name=self.env._("Payment"))
        message = self.env._(
            "%(amount)s received: %(payment)s.",
            amount=self.currency_id.format(payment.amount),
            payment=payment.name,
        )
        if not self.currency_id.is_zero(payment.care_unapplied):
            message += " " + self.env._(
                "%s of it are on account.", self.currency_id.format(payment.care_unapplied)
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": message,
                "type": "success",
                "next": {"type": "ir.actions.act_window_close"},
            },
        }


class HealthcareReceivePaymentLine(models.TransientModel):
    """One item, what is open of it, and how much of the money is for it."""

    _name = "healthcare.receive.payment.line"
    _description = "Receive Payment: Item"
    _order = "sequence, id"

    wizard_id = fields.Many2one(
        "healthcare.receive.payment", required=True, ondelete="cascade", index=True
    )
    sequence = fields.Integer(default=10)
    currency_id = fields.Many2one(related="charge_id.currency_id")
    charge_id = fields.Many2one("healthcare.charge", required=True, readonly=True)
    responsibility = fields.Selection(
        [party for party in RESPONSIBILITIES if party[0] in PARTIES],
        string="Part of",
        required=True,
        readonly=True,
    )
    client_id = fields.Many2one(related="charge_id.client_id", store=True)
    service_date = fields.Date(related="charge_id.service_date", store=True)
    product_id = fields.Many2one(related="charge_id.product_id", store=True)
    appointment_id = fields.Many2one(related="charge_id.appointment_id", store=True)
    is_open = fields.Monetary(string="Open", readonly=True)
    how = fields.Selection(
        [
            ("invoiced", "Pays the invoice"),
            ("invoice", "Is invoiced now"),
            ("on_account", "Waits on account"),
        ],
        string="What Happens",
        readonly=True,
    )
    reason = fields.Char(string="Why It Waits", readonly=True)
    amount = fields.Monetary(string="Paid")
