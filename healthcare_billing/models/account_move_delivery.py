import random
import time

from odoo import api, fields, models
from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL, split_every

# What is rendered and handed to the mail server's queue in one transaction.
SLICE_SIZE = 20
# How often a slice is tried again because others worked on the same invoices.
MAX_TRIES = 5
# Bounces come back within days. What is older doesn't change any more.
RESULT_DAYS = 60
# The result of processing is written by the system only.
RESULT_FIELDS = {
    "delivery_date",
    "delivery_document",
    "delivery_mail_ids",
    "delivery_message",
    "delivery_state",
    "posting_user_id",
}


class AccountMove(models.Model):
    """Delivery of invoices of care: who got what by e-mail, when, and why not.

    The queue is Odoo's own: ``sending_data`` on the invoice, and the scheduled action that works
    on it. ``care_document`` in it says what is to be sent.
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
    delivery_date = fields.Datetime(
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
        """Results are a record of what happened.

        :raise AccessError: a user writes them by hand
        """
        if not self.env.su and not RESULT_FIELDS.isdisjoint(names):
            raise AccessError(self.env._("Results of deliveries can't be changed by hand."))

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
        """Keep what became of the delivery, in one write for all."""
        self._write_result(
            {
                "delivery_state": state,
                "delivery_message": message,
                "delivery_date": fields.Datetime.now(),
                **vals,
            }
        )

    def _write_result(self, vals):
        """Write results of processing.

        None of them has to do with the entry: core needn't look at the lines of each invoice.
        """
        if self:
            # sudo: users don't write them by hand
            self.sudo().with_context(skip_invoice_sync=True).write(vals)

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
        outcomes = self.grouped(
            lambda move: move._delivery_outcome(document, to_payers, resend, post)
        )
        return {key: self.browse(moves.ids) for key, moves in outcomes.items()}

    def _can_open_superbill(self, clients):
        """Whether an e-mail about a superbill is of use: a link to the portal needs a login."""
        # sudo: which contacts are users is no secret of the biller's
        return self.company_id.healthcare_email_content == "pdf" or clients.sudo().user_ids

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
        if document == "superbill" and not self._can_open_superbill(recipients):
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
                "Addressed to a payer, so it isn't e-mailed to the client. Tick that payers get "
                "theirs too, or send its superbill."
            ),
            "no_portal": self.env._(
                "The client can't open the portal yet. Grant portal access on the contact, or have "
                "e-mails carry the PDF (Settings)."
            ),
            "no_address": self.env._(
                "The addressee has no valid e-mail address. Enter it on the contact, and send "
                "again."
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
        for outcome, text in self._delivery_refusals().items():
            state = "no_address" if outcome == "no_address" else "failed"
            refused = plan.get(outcome, self.browse())
            refused.filtered(lambda move: move.delivery_state != "sent")._set_delivery(
                state, text, delivery_document=document
            )
        to_send = plan.get("send", self.browse())
        to_send._set_delivery(
            "queued",
            delivery_document=document,
            delivery_mail_ids=[fields.Command.clear()],
            sending_data=self._sending_data(document),
        )
        to_send.filtered(lambda move: move.state == "draft")._post_documents()
        if to_send:
            self._trigger_sending()
        return {**plan, "busy": self - free}

    def _sending_data(self, document):
        """What core's queue needs to know, and which document it is."""
        return {
            "author_user_id": self.env.user.id,
            "author_partner_id": self.env.user.partner_id.id,
            "care_document": document,
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

    # -- working on the queue --------------------------------------------------------------------
    @api.model
    def _care_queue_domain(self):
        """Domain of the documents of care that wait to be sent."""
        return [
            ("delivery_state", "=", "queued"),
            ("sending_data", "!=", False),
            ("state", "=", "posted"),
        ]

    def _is_in_care_queue(self):
        self.ensure_one()
        return bool(
            self.state == "posted"
            and self.delivery_state == "queued"
            and (self.sending_data or {}).get("care_document")
        )

    @api.model
    def _cron_account_move_send(self, job_count=10):
        """Documents of care first: slice by slice, each of one company and one transaction."""
        if self._work_on_care_queue():
            super()._cron_account_move_send(job_count)

    @api.model
    def _work_on_care_queue(self):
        """Send what is queued, until time is up.

        :return: whether nothing is left
        """
        waiting = self.search(self._care_queue_domain(), order="company_id, id")
        if not waiting:
            return True
        slices = [
            ids
            for moves in waiting.grouped("company_id").values()
            for ids in split_every(SLICE_SIZE, moves.ids, list)
        ]
        by_author = waiting.grouped(lambda move: (move.sending_data or {}).get("author_user_id"))
        left = len(waiting)
        self.env["ir.cron"]._commit_progress(remaining=left)
        for ids in slices:
            self._try_to_send_slice(ids)
            left -= len(ids)
            if not self.env["ir.cron"]._commit_progress(len(ids), remaining=left):
                return False
        for author_id, moves in by_author.items():
            moves._tell_sender(self.env["res.users"].browse(author_id or ()).exists())
        return True

    @api.model
    def _try_to_send_slice(self, move_ids):
        """Send a slice; when others changed the same invoices, again on a new snapshot.

        The scheduled action commits before and after: nothing but this slice is rolled back.
        """
        for trial in range(MAX_TRIES):
            try:
                self._send_slice(move_ids)
                self.env.flush_all()
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                self.env.cr.rollback()
                time.sleep(random.uniform(0.0, 0.1 * 2**trial))  # not for secrets
            except Exception as error:  # noqa: BLE001  # the other slices must go on
                self.env.cr.rollback()
                for move in self.browse(move_ids).filtered(lambda move: move._is_in_care_queue()):
                    self._record_delivery_failure(move, error)
                return
            else:
                return
        self._trigger_sending()  # they stay queued: the next start takes them up

    @api.model
    def _send_slice(self, move_ids):
        """Send queued documents of one company in this transaction, whose first statement locks.

        Mails are only handed to the mail queue: nothing has left the house when this is undone.

        :param list move_ids: ids of queued invoices of one company
        """
        moves = self.browse(move_ids).try_lock_for_update()
        moves = moves.filtered(lambda move: move._is_in_care_queue())
        company = moves.company_id[:1]
        moves = moves.with_company(company).with_context(
            care_delivery=True, mail_notify_force_send=False
        )
        by_document = moves.grouped(lambda move: move.sending_data["care_document"])
        senders = self._delivery_senders()
        for document, documents in by_document.items():
            self.env["healthcare.billing.engine"].with_company(company)._isolate_faults(
                documents, senders[document], self._record_delivery_failure
            )
        self.env.ref("mail.ir_cron_mail_scheduler_action")._trigger()

    @api.model
    def _delivery_senders(self):
        """How each document is sent.

        :return: ``{document: function of account.move recordset}``
        """
        return {"invoice": self._send_invoices, "superbill": self._send_superbills}

    @api.model
    def _send_invoices(self, moves):
        """Invoices go the native way (see ``account.move.send``)."""
        # from the moves: they carry the context of the delivery
        moves.env["account.move.send"]._generate_and_send_invoices(moves, from_cron=True)

    @api.model
    def _send_superbills(self, moves):
        raise UserError(self.env._("Superbills are not in use here."))

    @api.model
    def _record_delivery_failure(self, move, error):
        """Keep with an invoice why it couldn't be sent; it leaves the queue."""
        reason = self.env["healthcare.billing.engine"]._failure_text(error)
        move._set_delivery("failed", reason, sending_data=False)

    def _set_handed_over(self, messages):
        """These messages carry the documents; whether they arrive, the mail queue will know.

        :param messages: ``mail.message`` recordset
        """
        self.ensure_one()
        if not messages.notification_ids:
            self._set_delivery(
                "failed", self.env._("There was nobody to send it to."), sending_data=False
            )
            return
        self._set_delivery(
            "queued",
            sending_data=False,
            delivery_mail_ids=[fields.Command.set(messages.ids)],
        )

    def _tell_sender(self, user):
        """Tell who queued these that the queue is done; once for all of them."""
        failed = len(self.exists().filtered(lambda move: move.delivery_state == "failed"))
        user._bus_send(
            "simple_notification",
            {
                "title": self.env._("E-mails of care documents"),
                "message": self.env._(
                    "%(done)s are on their way, %(failed)s failed.",
                    done=len(self) - failed,
                    failed=failed,
                ),
                "type": "warning" if failed else "success",
            },
        )

    # -- what became of it -----------------------------------------------------------------------
    @api.model
    def _cron_delivery_results(self):
        """Scheduled action: what the mail server and bounces said of the e-mails."""
        self._update_delivery_results()

    @api.model
    def _update_delivery_results(self):
        """Invoices whose e-mails arrived, failed or bounced say so. One query, one write a result.

        Only who was meant counts: colleagues who follow an invoice may bounce.
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT move.id,
                       CASE WHEN bool_or(notice.bad) THEN 'failed' ELSE 'sent' END,
                       MIN(notice.failure_type) FILTER (WHERE notice.bad),
                       MIN(notice.failure_reason) FILTER (WHERE notice.bad)
                  FROM account_move move
                  JOIN account_move_delivery_mail_rel rel ON rel.move_id = move.id
                  JOIN LATERAL (
                        SELECT notification.*,
                               notification.notification_status
                                   IN ('bounce', 'exception', 'canceled') AS bad
                          FROM mail_notification notification
                          JOIN mail_message_res_partner_rel meant
                            ON meant.mail_message_id = notification.mail_message_id
                           AND meant.res_partner_id = notification.res_partner_id
                         WHERE notification.mail_message_id = rel.message_id
                       ) notice ON TRUE
                 WHERE move.delivery_state IN ('queued', 'sent', 'failed')
                   AND move.sending_data IS NULL
                   AND move.delivery_date > %s
              GROUP BY move.id
                HAVING bool_and(notice.bad OR notice.notification_status IN ('sent', 'pending'))
                   AND move.delivery_state
                       != CASE WHEN bool_or(notice.bad) THEN 'failed' ELSE 'sent' END
                """,
                fields.Datetime.subtract(fields.Datetime.now(), days=RESULT_DAYS),
            )
        )
        results = {}
        for move_id, state, failure_type, reason in rows:
            key = (state, failure_type, reason if failure_type in (None, "unknown") else None)
            results.setdefault(key, []).append(move_id)
        Notification = self.env["mail.notification"]
        for (state, failure_type, reason), move_ids in results.items():
            notice = Notification.new({"failure_type": failure_type, "failure_reason": reason})
            text = notice.format_failure_reason() if state == "failed" else False
            self.browse(move_ids)._write_result({"delivery_state": state, "delivery_message": text})
