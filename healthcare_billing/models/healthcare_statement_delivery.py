from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import split_every

from .delivery_results import delivery_results
from .healthcare_statement_print import PRINT_REPORT

MAIL_TEMPLATE = "healthcare_billing.mail_template_statement"
# What is rendered and handed to the mail server's queue in one transaction.
SLICE_SIZE = 20
# Told to the addressee: not what is still being put together, was sold, or was a mistake.
SENT_STATES = ("committed", "paid", "unpaid")
RESULT_FIELDS = {
    "delivered_on",
    "delivery_mail_ids",
    "delivery_message",
    "delivery_state",
    "delivery_user_id",
}


class HealthcareStatement(models.Model):
    """E-mails of statements: each to its own addressee alone, with what became of it.

    They are sent in the background, slice by slice; a slice is one transaction. Whenever the
    server stops, a statement is still queued, or its mail lies in the mail queue, and the statement
    says so.
    """

    _inherit = "healthcare.statement"

    delivery_state = fields.Selection(
        [
            ("queued", "Queued"),
            ("sent", "Sent"),
            ("failed", "Failed"),
            ("no_address", "No Address"),
        ],
        string="E-mail",
        copy=False,
        readonly=True,
        index="btree_not_null",
        help="What became of the last e-mail. Empty: none was asked for.",
    )
    delivery_message = fields.Char(
        string="E-mail Result",
        copy=False,
        readonly=True,
        help="Why it couldn't be sent. Trying again clears it.",
    )
    delivered_on = fields.Datetime(string="E-mailed on", copy=False, readonly=True)
    delivery_user_id = fields.Many2one(
        "res.users",
        string="E-mail Asked by",
        copy=False,
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        help="Waits to be e-mailed on behalf of this user.",
    )
    delivery_mail_ids = fields.Many2many(
        "mail.message",
        "healthcare_statement_delivery_mail_rel",
        "statement_id",
        "message_id",
        string="E-mails",
        copy=False,
        readonly=True,
    )

    @api.model
    def _record_fields(self):
        """What became of e-mails is a record of what happened, too."""
        return super()._record_fields() | RESULT_FIELDS

    def _set_delivery(self, state, message=False, **vals):
        """Keep what became of the e-mails, in one write for all."""
        if self:
            self._record(
                {
                    "delivery_state": state,
                    "delivery_message": message,
                    "delivery_user_id": False,
                    "delivered_on": fields.Datetime.now(),
                    **vals,
                }
            )

    # -- PDF -------------------------------------------------------------------------------------
    def _pdf_contents(self):
        """The PDFs as they are today, drawn one by one: nobody gets a page of another statement.

        :return: ``{statement: bytes}``
        :raise AccessError: when the user may not read one of the statements
        """
        self.check_access("read")
        # sudo: access to the statement is access to its PDF
        report = self.env["ir.actions.report"].sudo()
        contents = {}
        for statement in self:
            streams = report._render_qweb_pdf_prepare_streams(PRINT_REPORT, {}, statement.ids)
            contents[statement] = streams[statement.id]["stream"].getvalue()
        return contents

    # -- asking for it ---------------------------------------------------------------------------
    def _delivery_plan(self, resend=False):
        """What would become of each statement if it were sent now. Writes nothing.

        :param bool resend: also what was sent before
        :return: ``{outcome: healthcare.statement recordset}`` with the outcomes of
            ``_delivery_refusals``, and ``send``, ``queued`` (already), ``resend`` (sent before)
        """
        outcomes = self.grouped(lambda statement: statement._delivery_outcome(resend))
        return {key: self.browse(found.ids) for key, found in outcomes.items()}

    def _delivery_outcome(self, resend):
        """One of the outcomes of ``_delivery_plan``, for one statement."""
        self.ensure_one()
        if self.state == "draft":
            return "draft"
        if self.state not in SENT_STATES:
            return "closed"
        if self.delivery_user_id:
            return "queued"
        if not self.partner_id.email_normalized:
            return "no_address"
        sent = self.delivery_state in ("queued", "sent")
        return "resend" if sent and not resend else "send"

    @api.model
    def _delivery_refusals(self):
        """Texts of what isn't sent, kept with the statement.

        :return: ``{outcome: text}``
        """
        return {
            "draft": self.env._("Still a draft. Commit it first."),
            "closed": self.env._("It was sold or canceled."),
            "no_address": self.env._(
                "No valid e-mail address. Enter it on the contact, and send again."
            ),
        }

    def _queue_delivery(self, resend=False):
        """Leave statements to the background; what can't be sent says why at once.

        The locks come first, and what is queued isn't queued again: two users, or a double click,
        send once.

        :param bool resend: also what was sent before
        :return: ``{outcome: healthcare.statement recordset}``, see ``_delivery_plan``; ``busy`` are
            those that somebody else works on right now
        """
        self._check_may_send()
        free = self.try_lock_for_update(allow_referencing=True)
        free._touch()
        plan = free._delivery_plan(resend)
        for outcome, text in self._delivery_refusals().items():
            refused = plan.get(outcome, self.browse())
            state = "no_address" if outcome == "no_address" else "failed"
            refused.filtered(lambda own: own.delivery_state != "sent")._set_delivery(state, text)
        to_send = plan.get("send", self.browse())
        to_send._set_delivery(
            "queued",
            delivery_user_id=self.env.uid,
            delivery_mail_ids=[Command.clear()],
        )
        if to_send:
            self._trigger_sending()
        return {**plan, "busy": self - free}

    def _check_may_send(self):
        """Telling parties what they owe is for billing users.

        :raise AccessError: for anybody else
        :raise UserError: none is chosen, or the background is switched off
        """
        self.check_access("write")
        if not self:
            raise UserError(self.env._("Select at least one statement."))
        # sudo: a biller may not read scheduled actions
        cron = self.env.ref("healthcare_billing.ir_cron_statement_sending").sudo()
        if not cron.active:
            raise UserError(
                self.env._(
                    "E-mails aren't sent, because the scheduled action “%s” is switched off. Ask "
                    "your administrator to switch it on.",
                    cron.name,
                )
            )

    @api.model
    def _trigger_sending(self):
        """Have the queue worked on as soon as this transaction is committed."""
        # sudo: a biller may not read scheduled actions
        self.env.ref("healthcare_billing.ir_cron_statement_sending").sudo()._trigger()

    # -- working on the queue --------------------------------------------------------------------
    @api.model
    def _cron_send_statements(self):
        """Scheduled action: send what is queued, until time is up."""
        waiting = self.search([("delivery_user_id", "!=", False)], order="company_id, id")
        slices = [
            ids
            for statements in waiting.grouped("company_id").values()
            for ids in split_every(SLICE_SIZE, statements.ids, list)
        ]
        left = len(waiting)
        self.env["ir.cron"]._commit_progress(remaining=left)
        moves = self.env["account.move"]  # it knows how to try a part again
        for ids in slices:
            if not moves._try_part(self._send_slice, self._record_failures, ids):
                self._trigger_sending()  # they stay queued: the next start takes them up
            left -= len(ids)
            if not self.env["ir.cron"]._commit_progress(len(ids), remaining=left):
                return

    @api.model
    def _send_slice(self, statement_ids):
        """Send queued statements of one company in this transaction, whose first statement locks.

        Mails are only handed to the mail queue: nothing has left the house when this is undone.

        :param list statement_ids: ids of queued statements of one company
        """
        statements = self.browse(statement_ids).try_lock_for_update(allow_referencing=True)
        statements = statements.filtered("delivery_user_id")
        self.env["healthcare.billing.engine"]._isolate_faults(
            statements, lambda part: part._send_now(), lambda part, error: part._fail(error)
        )
        self.env.ref("mail.ir_cron_mail_scheduler_action")._trigger()

    @api.model
    def _record_failures(self, statement_ids, error):
        """Keep with those that still wait why they couldn't be sent."""
        for statement in self.browse(statement_ids).filtered("delivery_user_id"):
            statement._fail(error)

    def _fail(self, error):
        """Keep why it couldn't be sent; it leaves the queue."""
        text = self.env["healthcare.billing.engine"]._failure_text(
            error, self.env._("Nothing was sent, and the statement is unchanged: try again.")
        )
        self._set_delivery("failed", text)

    def _send_now(self):
        """Hand each queued statement to the mail queue, as who asked for it.

        What changed while it waited counts: a statement that was canceled isn't sent.
        """
        refusals = self._delivery_refusals()
        for user, statements in self.grouped("delivery_user_id").items():
            statements = statements.with_user(user).with_context(
                allowed_company_ids=statements.company_id.ids,
                lang=user.lang,
                tz=user.tz,
                mail_notify_force_send=False,
            )
            statements._check_may_send()
            for statement in statements:
                # sudo: waits no more, whatever comes of it
                statement.sudo().delivery_user_id = False
                outcome = statement._delivery_outcome(resend=True)
                if outcome == "send":
                    statement._send_by_email()
                else:
                    state = "no_address" if outcome == "no_address" else "failed"
                    statement._set_delivery(state, refusals[outcome])

    def _send_by_email(self):
        """E-mail one statement to its addressee, and to nobody else."""
        self.ensure_one()
        self.sudo()._portal_ensure_token()  # sudo: the link is the mail's
        message = self.with_context(healthcare_statement_mail=True).message_post_with_source(
            self.env.ref(MAIL_TEMPLATE),
            message_type="comment",
            subtype_xmlid="mail.mt_note",
            partner_ids=self.partner_id.ids,
            attachment_ids=self._mail_attachments().ids,
            email_layout_xmlid="mail.mail_notification_light",
        )
        # sudo: its notifications are its recipients'
        if message.sudo().notification_ids.res_partner_id != self.partner_id:
            raise UserError(self.env._("There was nobody to send it to."))
        self._set_delivery("queued", delivery_mail_ids=[Command.set(message.ids)])

    def _mail_attachments(self):
        """The PDF, where the practice wants e-mails to carry documents; else a link is enough.

        :return: ``ir.attachment`` records
        """
        attachments = self.env["ir.attachment"]
        if self.company_id.healthcare_email_content != "pdf":
            return attachments
        # as the composer's: posting hands it over to the message
        return attachments.create(
            {
                "name": f"{self._get_report_base_filename()}.pdf",
                "raw": self._pdf_contents()[self],
                "mimetype": "application/pdf",
                "res_model": "mail.compose.message",
                "res_id": 0,
            }
        )

    def _notify_get_recipients(self, message, msg_vals=False, **kwargs):
        """A statement's e-mail reaches its addressee alone, whoever follows the record."""
        recipients = super()._notify_get_recipients(message, msg_vals=msg_vals, **kwargs)
        if self.env.context.get("healthcare_statement_mail"):
            recipients = [own for own in recipients if own["id"] == self.partner_id.id]
        return recipients

    def _mail_get_partner_fields(self, introspect_fields=False):
        return ["partner_id"]

    def _get_thread_with_access(self, thread_id, *, hash=None, pid=None, token=None, **kwargs):
        """The link in the mail opens a door to the payment, not to what was written here."""
        return super()._get_thread_with_access(thread_id, **kwargs)

    # -- what became of it -----------------------------------------------------------------------
    @api.model
    def _update_delivery_results(self):
        """Statements whose e-mails arrived, failed or bounced say so."""
        results = delivery_results(
            self.env,
            self._table,
            "healthcare_statement_delivery_mail_rel",
            "statement_id",
        )
        for (state, text), ids in results.items():
            # sudo: users don't write results by hand
            self.browse(ids).sudo().write({"delivery_state": state, "delivery_message": text})


class AccountMove(models.Model):
    _inherit = "account.move"

    @api.model
    def _update_delivery_results(self):
        """One scheduled action learns of the e-mails of all documents of care."""
        self.env["healthcare.statement"]._update_delivery_results()
        return super()._update_delivery_results()
