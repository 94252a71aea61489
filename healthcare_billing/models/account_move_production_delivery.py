from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools.mail import email_normalize_all

# Options of billing accounts that their bills show, and that can be edited there.
DELIVERY_OPTIONS = {"delivery_email", "print_copies", "delivery_template_id"}


class AccountMove(models.Model):
    """Producing bills: printed and e-mailed by the options of their billing accounts (R25).

    The options are the accounts': editing them on a bill edits its accounts, with the rights of
    whoever does it, and nothing of the entry. Its addresses are those of whoever agreed with it,
    payer or client: what somebody else owes of its care goes to that contact's own address, and so
    does a bill of several accounts, which can't be for the eyes of all their addresses.
    """

    _inherit = "account.move"

    delivery_email = fields.Char(
        string="E-mail to",
        compute="_compute_delivery_options",
        inverse="_inverse_delivery_email",
        compute_sudo=True,
        groups="base.group_user",
        help="Addresses, separated by commas, that get the bills of its billing account. Edited "
        "here, they are changed on the billing account. What others than the account's payer or "
        "client owe, and bills of several accounts, go to the address on the addressee's contact.",
    )
    delivery_options_of = fields.Selection(
        [
            ("account", "Billing Account"),
            ("addressee", "Addressee"),
            ("accounts", "Several Billing Accounts"),
        ],
        compute="_compute_delivery_options_of",
        compute_sudo=True,
        groups="base.group_user",
        help="Whose options count. Billing account: they are edited here. Addressee: the address "
        "on their contact, else the billing account's. Several billing accounts: the address on "
        "the payer's contact, the most copies; nothing is edited here.",
    )
    print_copies = fields.Selection(
        [("0", "Do Not Print"), ("1", "1 Copy"), ("2", "2 Copies")],
        string="Print",
        compute="_compute_delivery_options",
        inverse="_inverse_print_copies",
        compute_sudo=True,
        groups="base.group_user",
        help="Edited here, it is changed on the billing account.",
    )
    delivery_template_id = fields.Many2one(
        "mail.template",
        string="E-mail Template",
        domain="[('model', '=', 'account.move')]",
        compute="_compute_delivery_options",
        inverse="_inverse_delivery_template_id",
        compute_sudo=True,
        groups="base.group_user",
        help="Edited here, it is changed on the billing account. Empty: the e-mail for invoices of "
        "care.",
    )
    bill_accounts = fields.Char(
        string="Billing Account",
        compute="_compute_bill_accounts",
        compute_sudo=True,
        groups="base.group_user",
        help="Whose care is on the bill.",
    )

    @api.depends("partner_id", "invoice_line_ids.charge_id.billing_account_id.payer_id")
    def _compute_delivery_options_of(self):
        for move in self:
            accounts = move._mass_accounts()
            if len(accounts) > 1:
                move.delivery_options_of = "accounts"
            elif accounts and accounts._agreed_addressee() != move.partner_id:
                move.delivery_options_of = "addressee"
            else:
                move.delivery_options_of = "account"

    @api.depends(
        "is_mass_bill",
        "delivery_options_of",
        "partner_id.email",
        "invoice_line_ids.charge_id.billing_account_id.delivery_email",
        "invoice_line_ids.charge_id.billing_account_id.print_copies",
        "invoice_line_ids.charge_id.billing_account_id.delivery_template_id",
    )
    def _compute_delivery_options(self):
        """Of a bill for several accounts: the most copies."""
        for move in self:
            accounts = move._mass_accounts()
            if move.delivery_options_of == "account":
                move.delivery_email = accounts.delivery_email
            else:
                move.delivery_email = move._wants_email() and move.partner_id.email
            copies = [account.print_copies for account in accounts]
            move.print_copies = max(copies, default="0") if move.is_mass_bill else False
            move.delivery_template_id = accounts.delivery_template_id[:1]

    @api.depends("invoice_line_ids.charge_id.billing_account_id.name")
    def _compute_bill_accounts(self):
        for move in self:
            names = move._mass_accounts().mapped("display_name")
            told = names[:2] + ([f"+{len(names) - 2}"] if len(names) > 2 else [])
            move.bill_accounts = ", ".join(told) or False

    def _inverse_delivery_email(self):
        self._check_options_of_one_account()
        if self.filtered(lambda move: move.delivery_options_of == "addressee"):
            raise UserError(
                self.env._(
                    "These bills go to the address of their addressee, who isn't the one that the "
                    "billing account's addresses are for: change it on the contact."
                )
            )
        self._save_option("delivery_email")

    def _inverse_print_copies(self):
        self._check_options_of_one_account()
        self._save_option("print_copies")

    def _inverse_delivery_template_id(self):
        self._check_options_of_one_account()
        self._save_option("delivery_template_id")

    def _check_options_of_one_account(self):
        """What is meant for one client must not be written on the accounts of all the others.

        :raise UserError: a bill is for several accounts
        """
        shared = self.filtered(lambda move: move.delivery_options_of == "accounts")
        if shared:
            raise UserError(
                self.env._(
                    "These bills are for several billing accounts: they go to the address on their "
                    "payer's contact. Change that, or the options of each billing account: %s",
                    ", ".join(move._care_reference() for move in shared[:10]),
                )
            )

    def _save_option(self, name):
        """Write an option on the billing accounts of these bills, as the user who edits it."""
        for value, moves in self.grouped(name).items():
            # sudo: which accounts they are; who may not edit those is told below
            accounts = moves.sudo()._mass_accounts().sudo(self.env.su)
            accounts.write({name: value.id if isinstance(value, models.Model) else value})

    def write(self, vals):
        """Options of the billing account are none of the entry: core needn't look at its lines."""
        if vals and DELIVERY_OPTIONS.issuperset(vals):
            quiet = {"skip_invoice_sync": True, "skip_is_manually_modified": True}
            return super(AccountMove, self.with_context(**quiet)).write(vals)
        return super().write(vals)

    # -- produce ---------------------------------------------------------------------------------
    def _bill_addresses(self):
        """Valid addresses that get this bill by e-mail.

        :return: list of normalized addresses, each once
        """
        self.ensure_one()
        return list(dict.fromkeys(email_normalize_all(self.delivery_email or "")))

    def _wants_email(self):
        """Whether any of its billing accounts wants e-mails, whatever address this one goes to."""
        self.ensure_one()
        return any(self._mass_accounts().mapped("delivery_email"))

    def _was_emailed(self):
        """Whether the client has it by e-mail already, whoever sent it."""
        self.ensure_one()
        return self.delivery_document == "invoice" and self.delivery_state == "sent"

    def _bills_to_email(self):
        """Those of these bills that producing e-mails: not what is out already."""
        return self.filtered(lambda move: not move._was_emailed() and move._bill_addresses())

    def _copies(self):
        self.ensure_one()
        return int(self.print_copies or 0)

    def _production_plan(self):
        """What would become of each bill if it were produced now. Writes nothing.

        :return: ``{outcome: account.move recordset}``: ``produce``; ``sending``: its e-mail is on
            its way; ``no_address``: none of its addresses is valid; ``other``: not in production
        """
        outcomes = self.grouped(lambda move: move._production_outcome())
        return {key: self.browse(moves.ids) for key, moves in outcomes.items()}

    def _production_outcome(self):
        self.ensure_one()
        if self.production_state != "production":
            return "other"
        if self.delivery_state == "queued":  # by whomever, and whichever document
            return "sending"
        if self._was_emailed():
            return "produce"
        # sudo: whoever produces need not be allowed to read all accounts of a bill
        if self.sudo()._wants_email() and not self._bill_addresses():
            return "no_address"
        return "produce"

    def _pages_to_print(self):
        """Copies of these bills, without those that were printed before and only failed as e-mail.

        :return: list of ids in the order of these bills, one for each copy
        """
        return [move.id for move in self if not move.produced_on for _copy in range(move._copies())]

    def _produce(self):
        """Leave e-mails to the sending queue, and bills that are done to their clients.

        The locks come first, and what is produced isn't produced again: two users, or a double
        click, send and print once. What is on paper counts as sent, as what core prints.

        :return: (plan of ``_production_plan`` with ``busy``, list of ids to print)
        :raise UserError: e-mails are switched off
        """
        self._check_may_process()
        free = self.try_lock_for_update()
        plan = free._production_plan()
        bills = plan.get("produce", self.browse())
        plan.get("no_address", self.browse())._set_delivery(
            "no_address", self._delivery_refusals()["no_address"], delivery_document="invoice"
        )
        pages = (self & bills)._pages_to_print()
        by_email = bills._bills_to_email()
        if by_email:
            self._check_sending_is_on()
        now = fields.Datetime.now()
        # what is out by e-mail already comes back if that bounces, as the others do
        emailed = bills.filtered(lambda move: move._was_emailed())
        emailed._write_result({"produced_on": now, "production_by_email": True})
        others = bills - by_email - emailed
        others._write_result({"produced_on": now, "production_by_email": False})
        by_email._set_delivery(
            "queued",
            produced_on=now,
            production_by_email=True,
            delivery_document="invoice",
            delivery_mail_ids=[Command.clear()],
            delivery_user_id=self.env.uid,
            sending_data=self._sending_data(),
        )
        self.browse(dict.fromkeys(pages))._set_sent()
        if by_email:
            self._trigger_sending()
        return {**plan, "busy": self - free}, pages


class AccountMoveSend(models.AbstractModel):
    """E-mails of bills: to exactly whom the billing account names, with its e-mail and template."""

    _inherit = "account.move.send"

    @api.model
    def _get_default_pdf_report_id(self, move):
        return move._bill_template() or super()._get_default_pdf_report_id(move)

    @api.model
    def _get_default_mail_template_id(self, move):
        # sudo: accountants send too
        bill = move.sudo()
        if bill.is_mass_bill and bill.delivery_template_id:
            return bill.delivery_template_id.with_env(self.env)
        return super()._get_default_mail_template_id(move)

    @api.model
    def _get_default_mail_partner_ids(self, move, mail_template, mail_lang):
        """Whom the bill is for; what was produced by e-mail goes nowhere else."""
        bill = move.sudo()  # sudo: see above
        addresses = bill.is_mass_bill and bill._bill_addresses()
        if not addresses and not bill.production_by_email:
            return super()._get_default_mail_partner_ids(move, mail_template, mail_lang)
        partners = self.env["res.partner"].with_company(move.company_id)
        if addresses and bill.delivery_options_of != "account":
            partners |= move.partner_id
        elif addresses:
            # a contact may have several addresses, and all of them would get it
            partners |= move._partner_find_from_emails_single(
                addresses,
                filter_found=lambda partner: len(email_normalize_all(partner.email)) == 1,
            )
        return partners.filtered("email")

    @api.model
    def _send_mail(self, move, mail_template, **kwargs):
        """Core also notifies who follows the invoice, which its addressee always does."""
        if move.sudo().is_mass_bill:  # sudo: see above
            kwargs["notify_skip_followers"] = True
        return super()._send_mail(move, mail_template, **kwargs)
