from odoo import api, fields, models
from odoo.tools import SQL, split_every

from .delivery_results import delivery_results

# What is rendered and handed to the mail server's queue in one transaction.
SLICE_SIZE = 20


class Outbox:
    """Keeps which message a call of core posted; an object, because no client can send it."""

    message_id = None


class AccountMove(models.Model):
    """The background of deliveries: Odoo's sending queue in slices, and what became of each e-mail.

    A slice is one transaction: whenever the server stops, an invoice is still queued, or its mail
    lies in the mail queue and the invoice says so.
    """

    _inherit = "account.move"

    # -- working on the queue --------------------------------------------------------------------
    @api.model
    def _care_queue_domain(self):
        """Domain of the documents of care that wait to be sent."""
        return [
            ("delivery_user_id", "!=", False),
            ("sending_data", "!=", False),
            ("state", "=", "posted"),
        ]

    def _is_in_care_queue(self):
        self.ensure_one()
        return bool(self.state == "posted" and self.delivery_user_id and self.sending_data)

    @api.model
    def _cron_account_move_send(self, job_count=10):
        """Documents of care first: slice by slice, each of one company and one transaction."""
        if not self._work_on_care_queue():
            return None
        return super()._cron_account_move_send(job_count)

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
        by_user = waiting.grouped("delivery_user_id")
        left = len(waiting)
        self.env["ir.cron"]._commit_progress(remaining=left)
        for ids in slices:
            self._try_to_send_slice(ids)
            left -= len(ids)
            if not self.env["ir.cron"]._commit_progress(len(ids), remaining=left):
                return False
        for user, moves in by_user.items():
            moves._tell_sender(user)
        return True

    @api.model
    def _try_to_send_slice(self, move_ids):
        """Send a slice, or keep with each of its invoices why not."""
        if not self._try_part(self._send_slice, self._record_delivery_failures, move_ids):
            self._trigger_sending()  # they stay queued: the next start takes them up

    @api.model
    def _record_delivery_failures(self, move_ids, error):
        """Keep with those that still wait why they couldn't be sent."""
        for move in self.browse(move_ids).filtered(lambda move: move._is_in_care_queue()):
            self._record_delivery_failure(move, error)

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
        senders = self._delivery_senders()
        for document, documents in moves.grouped("delivery_document").items():
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
        # core passes over those whose addressees lost their address since, without a word
        passed_over = moves.filtered(lambda move: move.delivery_user_id and not move.sending_data)
        passed_over._set_nobody()

    @api.model
    def _record_delivery_failure(self, move, error):
        """Keep with an invoice why it couldn't be sent; it leaves the queue."""
        reason = self.env["healthcare.billing.engine"]._failure_text(
            error, self.env._("Nothing was sent, and the invoice itself is unchanged: try again.")
        )
        move._set_delivery("failed", reason, sending_data=False)

    def message_post(self, **kwargs):
        message = super().message_post(**kwargs)
        outbox = self.env.context.get("care_outbox")
        if isinstance(outbox, Outbox):
            # what the posting makes others post has come back before
            outbox.message_id = message.id
        return message

    def _set_handed_over(self, messages):
        """These messages carry the documents; whether they arrive, the mail queue will know.

        Colleagues who only follow the record are nobody: see ``_update_delivery_results``.

        :param messages: ``mail.message`` recordset
        :return: whether there was anybody to hand them to
        """
        self.ensure_one()
        meant = messages.notification_ids.filtered(
            lambda notice: notice.res_partner_id in notice.mail_message_id.partner_ids
        )
        if not meant:
            self._set_nobody()
            return False
        self._set_delivery(
            "queued",
            sending_data=False,
            delivery_mail_ids=[fields.Command.set(messages.ids)],
        )
        return True

    def _set_nobody(self):
        """Say of these that there was nobody to hand them to."""
        self._set_delivery(
            "failed", self.env._("There was nobody to send it to."), sending_data=False
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
        results = delivery_results(
            self.env,
            "account_move",
            "account_move_delivery_mail_rel",
            "move_id",
            SQL("record.sending_data IS NULL"),
        )
        for (state, text), move_ids in results.items():
            self.browse(move_ids)._write_result({"delivery_state": state, "delivery_message": text})
