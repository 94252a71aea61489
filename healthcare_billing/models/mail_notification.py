from datetime import timedelta

from odoo import fields, models

# What a notification can come to; the others are on their way.
FAILED_STATES = ("bounce", "exception", "canceled")
FINAL_STATES = ("sent", *FAILED_STATES)


class MailNotification(models.Model):
    """E-mails that arrive, or don't, are told to the invoices they carried."""

    _inherit = "mail.notification"

    def write(self, vals):
        result = super().write(vals)
        if vals.get("notification_status") in FINAL_STATES:
            # sudo: the mail's sender need not be allowed to read what it belongs to
            messages = self.sudo().mail_message_id
            if any(message.model in self._delivery_models() for message in messages):
                self._schedule_delivery_results()
        return result

    def _delivery_models(self):
        """Models whose messages deliver documents of care."""
        return ("account.move", "healthcare.statement", "healthcare.superbill")

    def _schedule_delivery_results(self):
        """Have invoices learn of their e-mails within a minute, once for all of that minute.

        Not here: a mail server's answer must never be rolled back because somebody edits the
        invoice at the same time; the e-mail would be sent again.
        """
        minute = fields.Datetime.now().replace(second=0, microsecond=0) + timedelta(minutes=1)
        # sudo: whoever sends a mail may not read scheduled actions
        cron = self.env.ref("healthcare_billing.ir_cron_delivery_results").sudo()
        scheduled = [("cron_id", "=", cron.id), ("call_at", "=", minute)]
        if not self.env["ir.cron.trigger"].sudo().search_count(scheduled, limit=1):
            cron._trigger(at=minute)
