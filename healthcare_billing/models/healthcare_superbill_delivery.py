from odoo import models

REPORT = "healthcare_billing.healthcare_superbill_report"
MAIL_TEMPLATE = "healthcare_billing.mail_template_superbill"


class HealthcareSuperbill(models.Model):
    """How a superbill reaches the client: on paper, by e-mail, through the portal."""

    _inherit = "healthcare.superbill"

    # -- PDF -------------------------------------------------------------------------------------
    def _pdf_name(self):
        """File name of the PDF; nothing clinical, and no name of the client."""
        self.ensure_one()
        return f"{self.env._('Superbill')} {self.name}.pdf".replace("/", "-")

    def _pdf_attachment(self):
        """The PDF of superbills, drawn once and kept.

        :return: ``ir.attachment`` records, one per superbill, in their order
        """
        kept = self._kept_pdfs()
        missing = self.filtered(lambda superbill: superbill.id not in kept)
        if missing:
            # sudo: the PDF is the document's, whoever is the first to look at it
            report = self.env["ir.actions.report"].sudo()
            report.with_context(force_report_rendering=True)._render_qweb_pdf(REPORT, missing.ids)
            kept = self._kept_pdfs()
        return self.env["ir.attachment"].browse(kept[superbill.id] for superbill in self)

    def _kept_pdfs(self):
        """``{superbill id: attachment id}`` of the PDFs that were drawn already."""
        names = {superbill.id: superbill._pdf_name() for superbill in self}
        # sudo: access to the superbill is access to its PDF
        found = (
            self.env["ir.attachment"]
            .sudo()
            .search_fetch(
                [
                    ("res_model", "=", self._name),
                    ("res_id", "in", self.ids),
                    ("name", "in", list(names.values())),
                    ("mimetype", "=", "application/pdf"),
                ],
                ["res_id", "name"],
                order="id desc",
            )
        )
        return {pdf.res_id: pdf.id for pdf in found if pdf.name == names[pdf.res_id]}

    def action_print(self):
        """Download the PDF."""
        return self.env.ref(REPORT).report_action(self)

    def _get_report_base_filename(self):
        self.ensure_one()
        return self._pdf_name().removesuffix(".pdf")

    # -- e-mail ----------------------------------------------------------------------------------
    def _mail_get_partner_fields(self, introspect_fields=False):
        return ["client_id"]

    def _get_thread_with_access(self, thread_id, *, hash=None, pid=None, token=None, **kwargs):
        """The link in the mail opens a door to the login, not to what was written here."""
        return super()._get_thread_with_access(thread_id, **kwargs)

    def _mail_attachments(self):
        """What goes along with the e-mail: nothing, clients read superbills in the portal; the PDF
        where the practice wants e-mails to carry it.

        :return: ``ir.attachment`` records
        """
        self.ensure_one()
        if self.company_id.healthcare_email_content == "pdf":
            return self._pdf_attachment()
        return self.env["ir.attachment"]

    def action_send(self):
        """Write the e-mail that tells the client of the superbill."""
        self.ensure_one()
        self._check_present()
        template = self.env.ref(MAIL_TEMPLATE)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send Superbill"),
            "res_model": "mail.compose.message",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_model": self._name,
                "default_res_ids": self.ids,
                "default_template_id": template.id,
                "default_composition_mode": "comment",
                "default_attachment_ids": self._mail_attachments().ids,
                "default_email_layout_xmlid": "mail.mail_notification_light",
            },
        }

    def _send_by_email(self):
        """Send superbills to their clients, without clinical data in the mail.

        :return: those that weren't sent, because the client has no e-mail address
        """
        self._check_present()
        template = self.env.ref(MAIL_TEMPLATE)
        unreachable = self.filtered(lambda superbill: not superbill.client_id.email)
        for superbill in self - unreachable:
            superbill.message_post_with_source(
                template,
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
                partner_ids=superbill.client_id.ids,
                attachment_ids=superbill._mail_attachments().ids,
                email_layout_xmlid="mail.mail_notification_light",
            )
        return unreachable

    def _last_mails(self):
        """The messages that e-mailed these superbills last.

        :return: ``mail.message`` records with their notifications readable
        """
        # sudo: the notifications of a message are its recipients'
        messages = self.env["mail.message"].sudo()
        for superbill in self:
            messages |= superbill.sudo().message_ids.filtered("partner_ids")[:1]
        return messages
