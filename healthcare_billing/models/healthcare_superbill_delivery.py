import base64
import io

from odoo import models
from odoo.tools.pdf import add_banner

from .healthcare_superbill import ISSUING

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

    def _pdf_contents(self):
        """The PDFs, drawn once and kept; one that was replaced, or is void, says so on each page.

        :return: ``{superbill: bytes}``
        :raise AccessError: when the user may not read one of the superbills
        """
        self.check_access("read")
        self._keep_pdfs()
        # sudo: access to the superbill is access to its PDF, through this method only
        return {
            superbill: superbill._marked(
                base64.b64decode(superbill.sudo().with_context(bin_size=False).pdf)
            )
            for superbill in self
        }

    def _keep_pdfs(self):
        """Draw the PDFs that nobody asked for yet, and keep them.

        Two users who do so at once write the same superbill: one of them is tried again, and finds
        what the other one kept.
        """
        # sudo: the PDF is the document's, whoever is the first to look at it
        missing = self.sudo().search([("id", "in", self.ids), ("pdf", "=", False)])
        missing = missing.with_context(healthcare_superbill=ISSUING)
        for superbill, content in missing._draw().items():
            superbill.pdf = base64.b64encode(content)

    def _draw(self):
        """Draw the PDFs of today's template: ``{superbill: bytes}``."""
        if not self:
            return {}
        streams = self.env["ir.actions.report"]._render_qweb_pdf_prepare_streams(
            REPORT, {}, res_ids=self.ids
        )
        if any(not streams.get(superbill.id, {}).get("stream") for superbill in self):
            # together they couldn't be told apart
            return {superbill: superbill._draw()[superbill] for superbill in self}
        return {superbill: streams[superbill.id]["stream"].getvalue() for superbill in self}

    def _marked(self, content):
        """The PDF with a mark on each page, unless this is the present superbill."""
        self.ensure_one()
        if self.state == "issued":
            return content
        superbill = self.with_context(lang=self.client_id.lang or self.env.lang)
        text = superbill.env._("Void")
        if self.state == "replaced":
            # sudo: replaced or not is told to whoever may read the superbill
            text = superbill.env._("Replaced by %s", superbill.sudo().replaced_by_id.name)
        return add_banner(io.BytesIO(content), text).getvalue()

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
        """What goes along with the e-mails: nothing, clients read superbills in the portal; a copy
        of the PDF where the practice wants e-mails to carry it.

        :return: ``{superbill: ir.attachment records}``
        """
        none = self.env["ir.attachment"]
        carried = self.filtered(
            lambda superbill: superbill.company_id.healthcare_email_content == "pdf"
        )
        # as the composer's: posting hands them over to the message
        copies = none.create(
            [
                {
                    "name": superbill._pdf_name(),
                    "raw": content,
                    "mimetype": "application/pdf",
                    "res_model": "mail.compose.message",
                    "res_id": 0,
                }
                for superbill, content in carried._pdf_contents().items()
            ]
        )
        return dict.fromkeys(self, none) | dict(zip(carried, copies, strict=True))

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
                "default_attachment_ids": self._mail_attachments()[self].ids,
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
        attachments = (self - unreachable)._mail_attachments()
        for superbill in self - unreachable:
            superbill.message_post_with_source(
                template,
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
                partner_ids=superbill.client_id.ids,
                attachment_ids=attachments[superbill].ids,
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
