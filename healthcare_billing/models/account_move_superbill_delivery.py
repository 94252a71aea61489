from odoo import api, models
from odoo.exceptions import UserError

from .mail_notification import FAILED_STATES


class AccountMove(models.Model):
    """Superbills of invoices: printed as one PDF, or e-mailed to the clients.

    They are the clients', whoever the invoices are addressed to.
    """

    _inherit = "account.move"

    # -- print -----------------------------------------------------------------------------------
    def _print_superbills(self):
        """Superbills of these invoices as one PDF; where something is missing, the invoice says it.

        :return: report action, after a notification where some have none
        :raise UserError: when none can be issued
        """
        problems = self._superbill_problems()
        without = self.browse(move.id for move in problems)
        for move, texts in problems.items():
            move._write_result({"delivery_message": self._no_superbill_text(texts)})
        ready = self - without
        if not ready:
            texts = [text for texts in problems.values() for text in texts]
            raise UserError("\n".join(list(dict.fromkeys(texts))[:10]))
        self._forget_missing(ready)
        superbills = ready._create_superbills()
        action = superbills.action_print()
        texts = []
        if without:
            texts.append(
                self.env._(
                    "%s invoices have no superbill: their column Result says why.", len(without)
                )
            )
        noted = superbills.filtered("notes")
        if noted:
            texts.append(
                self.env._(
                    "Please note what is said on %(count)s of the superbills: %(numbers)s.",
                    count=len(noted),
                    numbers=", ".join(noted[:5].mapped("name")) + ("…" if noted[5:] else ""),
                )
            )
        if not texts:
            return action
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": " ".join(texts),
                "type": "warning",
                "sticky": True,
                "next": action,
            },
        }

    @api.model
    def _no_superbill_text(self, texts):
        return self.env._("No superbill: %s", " ".join(texts))

    @api.model
    def _forget_missing(self, moves):
        """What was missing is no longer; other results stay."""
        moves.filtered(
            lambda move: (
                move.delivery_message and move.state == "posted" and not move.delivery_state
            )
        )._write_result({"delivery_message": False})

    # -- e-mail ----------------------------------------------------------------------------------
    @api.model
    def _send_superbills(self, moves):
        """Issue the superbills of queued invoices as who asked for it, and tell the clients."""
        for user, documents in moves.grouped("delivery_user_id").items():
            documents._as_user(user)._email_superbills()

    def _email_superbills(self):
        """E-mail the superbills of these invoices; PDFs, where wanted, are drawn all at once."""
        superbills = {move: move._create_superbills() for move in self}
        documents = self.env["healthcare.superbill"].union(*superbills.values())
        if documents.company_id.healthcare_email_content == "pdf":
            documents._keep_pdfs()
        missing = self._not_mailed_yet(documents)
        for move, own in superbills.items():
            move._email_to_clients(own, missing & own or own)

    def _email_to_clients(self, superbills, to_send):
        """E-mail superbills of this invoice; whoever can't get one is named.

        :param superbills: all of this invoice
        :param to_send: those to be e-mailed now
        """
        self.ensure_one()
        clients = to_send.client_id
        no_address = clients - clients.filtered("email_normalized")
        no_login = (clients - no_address) - self._who_can_open(clients - no_address)
        left_out = no_address | no_login
        to_send.filtered(lambda superbill: superbill.client_id not in left_out)._send_by_email()
        if not left_out:
            self._set_handed_over(superbills._last_mails())
            return
        texts = []
        if no_address:
            names = ", ".join(no_address.mapped("name"))
            texts.append(self.env._("Not sent to %s: there is no valid e-mail address.", names))
        if no_login:
            names = ", ".join(no_login.mapped("name"))
            texts.append(self.env._("Not sent to %s: they can't open the portal yet.", names))
        if superbills.client_id - left_out:
            texts.append(self.env._("The others have theirs, and don't get it again."))
        self._set_delivery("failed", " ".join(texts), sending_data=False)

    @api.model
    def _not_mailed_yet(self, superbills):
        """Superbills whose client wasn't e-mailed, or didn't get it. Trying again is for them.

        :param superbills: ``healthcare.superbill`` recordset
        """
        # sudo: the notifications of a message are its recipients'
        messages = self.env["mail.message"].sudo()
        notices = messages.search_fetch(
            [
                ("model", "=", superbills._name),
                ("res_id", "in", superbills.ids),
                ("partner_ids", "!=", False),
            ],
            ["res_id", "partner_ids"],
        ).notification_ids
        mailed = {
            (notice.mail_message_id.res_id, notice.res_partner_id.id)
            for notice in notices
            if notice.notification_status not in FAILED_STATES
            and notice.res_partner_id in notice.mail_message_id.partner_ids
        }
        return superbills.filtered(
            lambda superbill: (superbill.id, superbill.client_id.id) not in mailed
        )
