class SendingCommon:
    """What the servers do to send e-mails. For classes with ``MailCase`` and a ``send_cron``."""

    def _run_cron(self, cron):
        """What the server's scheduler does; an exception in it fails the test."""
        with self.enter_registry_test_mode():
            self.assertIs(cron.method_direct_trigger(), True)
        self.env.invalidate_all()

    def _send(self):
        """What the servers do: Odoo's queue, the mail queue, and learning of the results."""
        with self.mock_mail_gateway(mail_unlink_sent=True):
            self._run_cron(self.send_cron)
            self.env["mail.mail"].process_email_queue()
        self._learn()

    def _learn(self):
        self._run_cron(self.env.ref("healthcare_billing.ir_cron_delivery_results"))

    def _receivers(self):
        return sorted(address for mail in self._mails for address in mail["email_to"])
