from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class HealthcareStatementDelivery(models.TransientModel):
    """Which statements are e-mailed, and which aren't, before it is done."""

    _name = "healthcare.statement.delivery"
    _description = "E-mail Statements"

    statement_ids = fields.Many2many(
        "healthcare.statement",
        "healthcare_statement_delivery_rel",
        string="Statements",
        readonly=True,
    )
    resend = fields.Boolean(string="Send Again", help="Also what was sent before.")
    statement_count = fields.Integer(compute="_compute_outcomes")
    send_count = fields.Integer(compute="_compute_outcomes")
    sent_count = fields.Integer(compute="_compute_outcomes")
    queued_count = fields.Integer(compute="_compute_outcomes")
    draft_count = fields.Integer(compute="_compute_outcomes")
    closed_count = fields.Integer(compute="_compute_outcomes")
    no_address_count = fields.Integer(compute="_compute_outcomes")
    no_address_names = fields.Char(compute="_compute_outcomes")
    only_link = fields.Boolean(compute="_compute_outcomes")

    @api.depends("statement_ids", "resend")
    def _compute_outcomes(self):
        for wizard in self:
            statements = wizard._origin.statement_ids or wizard.statement_ids._origin
            plan = statements._delivery_plan(wizard.resend)
            counts = {outcome: len(found) for outcome, found in plan.items()}
            nobody = plan.get("no_address", statements.browse()).partner_id
            wizard.statement_count = len(statements)
            wizard.send_count = counts.get("send", 0)
            wizard.sent_count = counts.get("resend", 0)
            wizard.queued_count = counts.get("queued", 0)
            wizard.draft_count = counts.get("draft", 0)
            wizard.closed_count = counts.get("closed", 0)
            wizard.no_address_count = counts.get("no_address", 0)
            wizard.no_address_names = ", ".join(nobody[:5].mapped("display_name")) + (
                "…" if nobody[5:] else ""
            )
            wizard.only_link = "pdf" not in statements.company_id.mapped("healthcare_email_content")

    @api.model
    def _open(self, statements):
        """Dialog for statements.

        :raise UserError: there are none
        """
        statements.check_access("write")
        if not statements:
            raise UserError(self.env._("Select at least one statement."))
        wizard = self.create({"statement_ids": [Command.set(statements.ids)]})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("E-mail Statements"),
            "res_model": self._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def action_send(self):
        """Queue the e-mails; the column E-mail of the list tells what became of each."""
        self.ensure_one()
        plan = self.statement_ids._queue_delivery(self.resend)
        counts = {outcome: len(found) for outcome, found in plan.items() if found}
        texts = [self.env._("%s e-mails are queued.", counts.pop("send", 0))]
        if before := counts.pop("resend", 0):
            texts.append(self.env._("%s were sent before.", before))
        if queued := counts.pop("queued", 0):
            texts.append(self.env._("%s were queued already.", queued))
        if busy := counts.pop("busy", 0):
            texts.append(self.env._("%s are being worked on by somebody else. Try again.", busy))
        if refused := sum(counts.values()):
            texts.append(
                self.env._("%s aren't sent: their column E-mail Result says why.", refused)
            )
        problems = bool(busy or refused)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": " ".join(texts),
                "type": "warning" if problems else "success",
                "sticky": problems,
                "next": {"type": "ir.actions.act_window_close"},
            },
        }


class HealthcareStatement(models.Model):
    _inherit = "healthcare.statement"

    def action_send(self):
        """E-mail the statements to their addressees, after a look at what will happen."""
        return self.env["healthcare.statement.delivery"]._open(self)
