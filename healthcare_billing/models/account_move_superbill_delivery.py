from odoo import api, models
from odoo.exceptions import UserError


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
        action = ready._create_superbills().action_print()
        if not without:
            return action
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": self.env._(
                    "%s invoices have no superbill: their column Result says why.", len(without)
                ),
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
            documents.with_user(user).with_context(
                allowed_company_ids=documents.company_id.ids
            )._email_superbills()

    def _email_superbills(self):
        """E-mail the superbills of these invoices; PDFs, where wanted, are drawn all at once."""
        superbills = {move: move._create_superbills() for move in self}
        documents = self.env["healthcare.superbill"].union(*superbills.values())
        if documents.company_id.healthcare_email_content == "pdf":
            documents._pdf_attachment()
        for move, own in superbills.items():
            unreachable = own._send_by_email()
            if unreachable:
                names = ", ".join(unreachable.client_id.mapped("name"))
                text = self.env._("Not sent to %s: there is no e-mail address.", names)
                move._set_delivery("failed", text, sending_data=False)
            else:
                move._set_handed_over(own._last_mails())
