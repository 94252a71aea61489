from odoo import api, models

from .account_move_delivery_queue import Outbox


class AccountMoveSend(models.AbstractModel):
    """Invoices of care are sent the native way, with their own mail and what it may carry.

    By the company's setting an e-mail carries the link to the portal only (nothing clinical leaves
    the house), or the PDF. That holds for the queue and for the button *Send* alike; files that a
    user adds by hand are the user's.
    """

    _inherit = "account.move.send"

    @api.model
    def _carries_link_only(self, move):
        """Whether the mails of an invoice must not carry documents."""
        # sudo: accountants send too, and may not read our fields on charges
        move = move.sudo()
        return move.has_charges and move.company_id.healthcare_email_content == "link"

    # -- defaults --------------------------------------------------------------------------------
    @api.model
    def _get_default_sending_methods(self, move):
        """What was asked for is an e-mail, whatever the addressee's usual way is."""
        if self.env.context.get("care_delivery"):
            return {"email"}
        return super()._get_default_sending_methods(move)

    @api.model
    def _get_default_mail_attachments_widget(
        self, move, mail_template, invoice_edi_format=None, extra_edis=None, pdf_report=None
    ):
        if self._carries_link_only(move):
            return self._get_mail_template_attachments_data(mail_template)
        return super()._get_default_mail_attachments_widget(
            move,
            mail_template,
            invoice_edi_format=invoice_edi_format,
            extra_edis=extra_edis,
            pdf_report=pdf_report,
        )

    @api.model
    def _get_default_sending_settings(self, move, from_cron=False, **custom_settings):
        """An empty list of files comes back from the wizard as False, which core can't iterate.

        The mail's link needs a token, which the template itself must not write: core renders it on
        some invoice when it is installed.
        """
        if move.has_charges:
            move.sudo()._portal_ensure_token()  # sudo: as core's own portal link does
        settings = super()._get_default_sending_settings(
            move, from_cron=from_cron, **custom_settings
        )
        if "mail_attachments_widget" in settings:
            settings["mail_attachments_widget"] = settings["mail_attachments_widget"] or []
        return settings

    @api.model
    def _get_invoice_extra_attachments(self, move):
        if self.env.context.get("care_link_only"):
            return self.env["ir.attachment"]
        return super()._get_invoice_extra_attachments(move)

    @api.model
    def _get_mail_params(self, move, move_data):
        """Core adds the invoice's PDF, wanted or not."""
        only_link = self._carries_link_only(move)
        sender = self.with_context(care_link_only=True) if only_link else self
        return super(AccountMoveSend, sender)._get_mail_params(move, move_data)

    # -- documents -------------------------------------------------------------------------------
    @api.model
    def _needs_no_document(self, move, move_data):
        """A link needs no PDF: the portal makes it when it is opened. Electronic formats do."""
        return (
            self.env.context.get("care_delivery")
            and self._carries_link_only(move)
            and not move_data["extra_edis"]
            and not move_data["invoice_edi_format"]
        )

    @api.model
    def _generate_invoice_documents(self, invoices_data, allow_fallback_pdf=False):
        documents = {}
        for move, data in invoices_data.items():
            if self._needs_no_document(move, data):
                data["proforma_pdf_attachment"] = self.env["ir.attachment"]
            else:
                documents[move] = data
        return super()._generate_invoice_documents(documents, allow_fallback_pdf=allow_fallback_pdf)

    @api.model
    def _link_invoice_documents(self, invoices_data):
        """Core takes a drawn PDF for a sent one; of what is e-mailed, the e-mail decides that."""
        unsent = self.env["account.move"].browse(
            move.id for move in invoices_data if not move.is_move_sent
        )
        result = super()._link_invoice_documents(invoices_data)
        if self.env.context.get("care_delivery"):
            unsent.filtered("has_charges").is_move_sent = False
        return result

    # -- sending ---------------------------------------------------------------------------------
    @api.model
    def _generate_and_send_invoices(
        self,
        moves,
        from_cron=False,
        allow_raising=True,
        allow_fallback_pdf=False,
        **custom_settings,
    ):
        """Documents of care in the queue are sent by their own slices, whoever calls."""
        if from_cron and not self.env.context.get("care_delivery"):
            moves = moves.filtered(lambda move: not move.sudo()._is_in_care_queue())
            if not moves:
                return self.env["ir.attachment"]
        return super()._generate_and_send_invoices(
            moves,
            from_cron=from_cron,
            allow_raising=allow_raising,
            allow_fallback_pdf=allow_fallback_pdf,
            **custom_settings,
        )

    @api.model
    def _send_mail(self, move, mail_template, **kwargs):
        """An invoice of care knows its e-mail, and so what becomes of it."""
        move = move.sudo()  # sudo: results of deliveries are written by the system only
        if not move.has_charges:
            return super()._send_mail(move, mail_template, **kwargs)
        # the mail has a button of its own
        outbox = Outbox()
        sender = move.with_context(email_notification_allow_header=False, care_outbox=outbox)
        result = super()._send_mail(sender, mail_template, **kwargs)
        message = self.env["mail.message"].browse(outbox.message_id)
        move.delivery_document = "invoice"
        # sudo: its notifications are its recipients'
        if move._set_handed_over(message.sudo()):
            move.is_move_sent = True
        return result

    # -- errors, and what is told ----------------------------------------------------------------
    @api.model
    def _hook_if_errors(self, moves_data, allow_raising=True):
        """An invoice of care keeps why it couldn't be sent."""
        result = super()._hook_if_errors(moves_data, allow_raising=allow_raising)
        for move, data in moves_data.items():
            if move.sudo().has_charges and not data["error"].get("retry"):
                move._set_delivery("failed", self._format_error_text(data["error"]))
        return result

    @api.model
    def _send_notifications_to_partners(self, moves_grouped_by_author_partner_id, is_success=True):
        """Thousands of e-mails are told once, not slice by slice."""
        if self.env.context.get("care_delivery"):
            return None
        return super()._send_notifications_to_partners(
            moves_grouped_by_author_partner_id, is_success=is_success
        )
