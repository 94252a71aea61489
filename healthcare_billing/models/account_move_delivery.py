from odoo import api, fields, models
from odoo.exceptions import AccessError, RedirectWarning, UserError

# The result of processing is written by the system only, and which bills are those of mass billing:
# that decides what bill production may do with them.
RESULT_FIELDS = {
    "delivered_on",
    "delivery_document",
    "delivery_mail_ids",
    "delivery_message",
    "delivery_state",
    "delivery_user_id",
    "is_mass_bill",
    "posting_user_id",
    "produced_on",
    "production_by_email",
}


class AccountMove(models.Model):
    """Delivery of invoices of care: who got what by e-mail, when, and why not.

    The queue is Odoo's own: ``sending_data`` on the invoice, and the scheduled action that works
    on it. Whoever may edit invoices may write that: which document is sent, and on whose behalf,
    is taken from ``delivery_document`` and ``delivery_user_id``, which nobody writes by hand.
    """

    _inherit = "account.move"

    delivery_state = fields.Selection(
        [
            ("queued", "Queued"),
            ("sent", "Sent"),
            ("failed", "Failed"),
            ("no_address", "No Address"),
        ],
        string="Delivery",
        copy=False,
        readonly=True,
        groups="base.group_user",
        help="What became of the last e-mail of this invoice, or its superbill. Empty: none was "
        "asked for.",
    )
    delivery_document = fields.Selection(
        [("invoice", "Invoice"), ("superbill", "Superbill")],
        string="Delivered Document",
        copy=False,
        readonly=True,
        groups="base.group_user",
    )
    delivery_message = fields.Char(
        string="Result",
        copy=False,
        readonly=True,
        groups="base.group_user",
        help="Why it couldn't be posted or sent. Trying again clears it.",
    )
    delivery_user_id = fields.Many2one(
        "res.users",
        string="E-mail Asked by",
        copy=False,
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        groups="base.group_user",
        help="Waits to be e-mailed on behalf of this user.",
    )
    delivered_on = fields.Datetime(
        string="Delivered on", copy=False, readonly=True, groups="base.group_user"
    )
    delivery_mail_ids = fields.Many2many(
        "mail.message",
        "account_move_delivery_mail_rel",
        "move_id",
        "message_id",
        string="E-mails of the Delivery",
        copy=False,
        readonly=True,
        groups="base.group_user",
    )

    _delivery_state_idx = models.Index(
        "(delivery_state, company_id) WHERE delivery_state IS NOT NULL"
    )

    @api.model
    def default_get(self, fields):
        """Nothing was processed before it exists, whatever the context or a user's defaults say."""
        return super().default_get([name for name in fields if name not in RESULT_FIELDS])

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            # forms give empty values for all that they show
            self._check_result_fields([name for name, value in vals.items() if value])
        return super().create(vals_list)

    def write(self, vals):
        self._check_result_fields(vals)
        return super().write(vals)

    def _check_result_fields(self, names):
        """Results, and by which door a bill came, are a record of what happened.

        :raise AccessError: a user writes them by hand
        """
        if not self.env.su and not RESULT_FIELDS.isdisjoint(names):
            raise AccessError(
                self.env._("Results of billing and deliveries can't be changed by hand.")
            )

    def button_draft(self):
        """Core forgets what was queued; say so."""
        # sudo: whoever may take invoices back need not be a biller
        queued = self.sudo().filtered(lambda move: move.sending_data and move.delivery_state)
        result = super().button_draft()
        queued._set_delivery(
            "failed", self.env._("Taken back to draft before it was sent. Post and send it again.")
        )
        return result

    def _set_delivery(self, state, message=False, **vals):
        """Keep what became of the delivery, in one write for all.

        Nobody waits for it any more, unless ``vals`` say so. What failed has nothing to learn of
        e-mails that went out before.
        """
        forget = {"delivery_mail_ids": [fields.Command.clear()]}
        self._write_result(
            {
                **(forget if state in ("failed", "no_address") else {}),
                "delivery_state": state,
                "delivery_message": message,
                "delivery_user_id": False,
                "delivered_on": fields.Datetime.now(),
                **vals,
            }
        )

    def _write_result(self, vals):
        """Write results of processing.

        None of them has to do with the entry: core needn't look at the lines of each invoice, nor
        take it for an edit by hand.
        """
        if self:
            # sudo: users don't write them by hand
            quiet = {"skip_invoice_sync": True, "skip_is_manually_modified": True}
            self.sudo().with_context(**quiet).write(vals)

    def _get_mail_template(self):
        """Invoices of care have a mail of their own, that tells nothing of the care."""
        # sudo: accountants send too
        if self and all(self.sudo().mapped("has_charges")):
            template = self.env.ref(
                "healthcare_billing.mail_template_care_invoice", raise_if_not_found=False
            )
            if template:
                return template
        return super()._get_mail_template()

    # -- asking for it ---------------------------------------------------------------------------
    def _care_addressee_is_payer(self):
        """Whether an invoice goes to who pays for others, not to client or billing contact."""
        self.ensure_one()
        return self.partner_id.is_payer and self.partner_id != self.healthcare_client_id

    def _care_clients(self):
        """Clients whose care is on these invoices.

        :return: ``res.partner`` recordset
        """
        return self.healthcare_client_id | self.invoice_line_ids.charge_id.client_id

    def _delivery_recipients(self, document):
        """Who gets a document by e-mail: the invoice's addressee, the superbill's clients."""
        self.ensure_one()
        return self._care_clients() if document == "superbill" else self.partner_id

    def _delivery_plan(self, document, to_payers=False, resend=False, post=False):
        """What would become of each invoice if its document were sent now. Writes nothing.

        :param str document: invoice or superbill
        :param bool to_payers: invoices addressed to payers are sent to them, instead of refused
        :param bool resend: also what was sent before
        :param bool post: drafts are posted first, instead of refused
        :return: ``{outcome: account.move recordset}`` with the outcomes of
            ``_delivery_refusals``, and ``send``, ``queued`` (already), ``resend`` (sent before)
        """
        self._read_recipients(document)
        outcomes = self.grouped(
            lambda move: move._delivery_outcome(document, to_payers, resend, post)
        )
        return {key: self.browse(moves.ids) for key, moves in outcomes.items()}

    def _read_recipients(self, document):
        """Read at once what is asked for recipients one by one."""
        if document == "superbill":
            clients = self._care_clients()
            clients.mapped("email_normalized")
            clients.sudo().mapped("user_ids")  # sudo: see _who_can_open

    def _who_can_open(self, clients):
        """Whom an e-mail about a superbill is of use: a link to the portal needs a login.

        :param clients: ``res.partner`` recordset
        :return: those of them
        """
        if self.company_id.healthcare_email_content == "pdf":
            return clients
        # sudo: which contacts are users is no secret of the biller's
        return clients.filtered(lambda client: client.sudo().user_ids)

    def _addressees_without_login(self):
        """Addressees who can pay by the link they get, and don't see what the invoice is for.

        :return: ``res.partner`` recordset
        """
        linked = self.filtered(lambda move: move.company_id.healthcare_email_content == "link")
        addressees = linked.partner_id
        # sudo: which contacts are users is no secret of the biller's
        users = self.env["res.users"].sudo()
        families = users.search(
            [("partner_id.commercial_partner_id", "in", addressees.commercial_partner_id.ids)]
        ).partner_id.commercial_partner_id
        return addressees.filtered(lambda partner: partner.commercial_partner_id not in families)

    def _delivery_outcome(self, document, to_payers, resend, post):
        """One of the outcomes of ``_delivery_plan``, for one invoice."""
        self.ensure_one()
        if not self.has_charges:
            return "not_care"
        if self.state == "cancel":
            return "canceled"
        if self.sending_data:
            return "queued"
        if document == "superbill" and self.move_type != "out_invoice":
            return "credit_note"
        if document == "invoice" and not to_payers and self._care_addressee_is_payer():
            return "payer"
        recipients = self._delivery_recipients(document).filtered("email_normalized")
        if not recipients:
            return "no_address"
        if document == "superbill" and not self._who_can_open(recipients):
            return "no_portal"
        if self.state == "draft" and not post:
            return "draft"
        sent = self.delivery_document == document and self.delivery_state in ("queued", "sent")
        return "resend" if sent and not resend else "send"

    @api.model
    def _delivery_refusals(self):
        """Texts of what isn't sent, kept with the invoice.

        :return: ``{outcome: text}``
        """
        return {
            "not_care": self.env._("Not an invoice of care."),
            "canceled": self.env._("It is canceled."),
            "draft": self.env._("Still a draft. Post it first."),
            "credit_note": self.env._("A credit note has no superbill."),
            "payer": self.env._(
                "Addressed to a payer: not e-mailed to the client. Tick that payers get theirs "
                "too, or send its superbill."
            ),
            "no_portal": self.env._(
                "The client can't open the portal yet. Grant portal access on the contact, or have "
                "e-mails carry the PDF (Settings)."
            ),
            "no_address": self.env._(
                "No valid e-mail address. Enter it on the contact, and send again."
            ),
        }

    def _queue_delivery(self, document, to_payers=False, resend=False, post=False):
        """Leave documents to Odoo's sending queue; what can't be sent says why at once.

        The locks come first, and what is queued isn't queued again: two users, or a double click,
        send once.

        :param str document: invoice or superbill
        :param bool to_payers: invoices addressed to payers are sent to them, instead of refused
        :param bool resend: also what was sent before
        :param bool post: post drafts first
        :return: ``{outcome: account.move recordset}``, see ``_delivery_plan``; ``busy`` are those
            that somebody else works on right now
        """
        self._check_may_process()
        self._check_sending_is_on()
        free = self.try_lock_for_update()
        plan = free._delivery_plan(document, to_payers, resend, post)
        # that payers' invoices don't go to clients is no failure
        states = {"no_address": "no_address", "payer": False}
        for outcome, text in self._delivery_refusals().items():
            refused = plan.get(outcome, self.browse())
            refused.filtered(lambda move: move.delivery_state != "sent")._set_delivery(
                states.get(outcome, "failed"), text, delivery_document=document
            )
        to_send = plan.get("send", self.browse())
        to_send._set_delivery(
            "queued",
            delivery_document=document,
            delivery_mail_ids=[fields.Command.clear()],
            delivery_user_id=self.env.uid,
            sending_data=self._sending_data(),
        )
        to_send.filtered(lambda move: move.state == "draft")._post_documents()
        if to_send:
            self._trigger_sending()
        return {**plan, "busy": self - free}

    def _sending_data(self):
        """What core's queue needs to know."""
        return {
            "author_user_id": self.env.user.id,
            "author_partner_id": self.env.user.partner_id.id,
        }

    def _check_sending_is_on(self):
        """Nothing may be queued that nobody would send.

        :raise UserError: the scheduled action is switched off
        """
        # sudo: a biller may not read scheduled actions
        cron = self.env.ref("account.ir_cron_account_move_send").sudo()
        if cron.active:
            return
        message = self.env._(
            "E-mails aren't sent, because the scheduled action “%s” is switched off. Ask your "
            "administrator to switch it on.",
            cron.name,
        )
        if not self.env.user.has_group("base.group_system"):
            raise UserError(message)
        raise RedirectWarning(
            message, cron._get_records_action(), self.env._("Open the scheduled action")
        )

    @api.model
    def _trigger_sending(self):
        """Have the queue worked on as soon as this transaction is committed."""
        # sudo: a biller may not read scheduled actions
        self.env.ref("account.ir_cron_account_move_send").sudo()._trigger()
