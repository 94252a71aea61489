import math

from odoo import api, fields, models
from odoo.exceptions import UserError

# Measured: 50 invoices are drawn in eleven seconds. This many stay well within a request.
PRINT_LIMIT = 100


class HealthcareInvoiceDelivery(models.TransientModel):
    """What is done with chosen invoices of care, and what won't be, before it is done."""

    _name = "healthcare.invoice.delivery"
    _description = "Print, E-mail or Post Invoices of Care"

    task = fields.Selection(
        [("print", "Print"), ("email", "E-mail to Client"), ("post", "Post")],
        required=True,
        readonly=True,
    )
    document = fields.Selection(selection="_selection_document", required=True, default="invoice")
    move_ids = fields.Many2many("account.move", string="Invoices", readonly=True)
    to_payers = fields.Boolean(
        string="Also E-mail Payers",
        help="Invoices addressed to a payer go to that payer's e-mail address, never to a client.",
    )
    post_drafts = fields.Boolean(string="Post Drafts First")
    resend = fields.Boolean(string="Send Again", help="Also what was sent, or queued, before.")
    currency_id = fields.Many2one("res.currency", compute="_compute_counts")
    move_count = fields.Integer(string="Chosen", compute="_compute_counts")
    amount_total = fields.Monetary(string="Total", compute="_compute_counts")
    draft_count = fields.Integer(compute="_compute_counts")
    send_count = fields.Integer(compute="_compute_outcomes")
    payer_count = fields.Integer(compute="_compute_outcomes")
    waiting_draft_count = fields.Integer(compute="_compute_outcomes")
    sent_count = fields.Integer(compute="_compute_outcomes")
    no_address_count = fields.Integer(compute="_compute_outcomes")
    no_portal_count = fields.Integer(compute="_compute_outcomes")
    no_login_count = fields.Integer(compute="_compute_outcomes")
    no_login_payer_count = fields.Integer(compute="_compute_outcomes")
    queued_count = fields.Integer(compute="_compute_outcomes")
    other_count = fields.Integer(compute="_compute_outcomes")
    part = fields.Integer(default=1, help="Many documents are printed in parts, one PDF each.")
    part_count = fields.Integer(compute="_compute_counts")

    @api.model
    def _selection_document(self):
        """Superbills where they are in use."""
        documents = [("invoice", self.env._("Invoice"))]
        if self.env.user.has_group("healthcare_billing.group_use_superbills"):
            documents.append(("superbill", self.env._("Superbill")))
        return documents

    @api.depends("move_ids")
    def _compute_counts(self):
        for wizard in self:
            moves = self._origin_moves(wizard)
            currencies = (moves.company_id or self.env.company).currency_id
            wizard.currency_id = currencies if len(currencies) == 1 else False
            wizard.move_count = len(moves)
            # there is no sum of different currencies
            amounts = moves.mapped("amount_total_signed") if wizard.currency_id else []
            wizard.amount_total = sum(amounts)
            wizard.draft_count = len(moves.filtered(lambda move: move.state == "draft"))
            wizard.part_count = math.ceil(len(moves) / PRINT_LIMIT)

    @api.depends("move_ids", "document", "to_payers", "post_drafts", "resend")
    def _compute_outcomes(self):
        for wizard in self:
            moves = self._origin_moves(wizard)
            plan = moves._delivery_plan(wizard.document, **wizard._choices()) if moves else {}
            counts = {outcome: len(found) for outcome, found in plan.items()}
            to_tell = plan.get("send", moves.browse())
            if wizard.document == "superbill":
                to_tell = moves.browse()  # refused without a login
            no_login = to_tell._addressees_without_login()
            wizard.no_login_count = len(no_login)
            wizard.no_login_payer_count = len(no_login.filtered("is_payer"))
            wizard.send_count = counts.pop("send", 0)
            wizard.waiting_draft_count = counts.pop("draft", 0)
            wizard.payer_count = counts.pop("payer", 0)
            wizard.sent_count = counts.pop("resend", 0)
            wizard.no_address_count = counts.pop("no_address", 0)
            wizard.no_portal_count = counts.pop("no_portal", 0)
            wizard.queued_count = counts.pop("queued", 0)
            wizard.other_count = sum(counts.values())

    @api.model
    def _origin_moves(self, wizard):
        return wizard._origin.move_ids or wizard.move_ids._origin

    def _choices(self):
        """Options of the delivery as ticked."""
        self.ensure_one()
        return {"to_payers": self.to_payers, "resend": self.resend, "post": self.post_drafts}

    def action_confirm(self):
        """Do what was asked for.

        :return: report action, or a notification of the result
        """
        self.ensure_one()
        if not self.move_ids:
            raise UserError(self.env._("Select at least one invoice."))
        return getattr(self, f"_do_{self.task}")()

    def _do_print(self):
        if not 1 <= self.part <= self.part_count:
            raise UserError(
                self.env._("There are parts 1 to %(last)s: choose one.", last=self.part_count)
            )
        start = (self.part - 1) * PRINT_LIMIT
        moves = self.move_ids.sorted("id")[start : start + PRINT_LIMIT]
        action = moves._print_documents(self.document)
        report = action["params"]["next"] if action["type"] == "ir.actions.client" else action
        report["close_on_report_download"] = self.part == self.part_count
        if self.part < self.part_count:
            self.part += 1  # the dialog stays open: the next click prints the next part
        return action

    def _do_post(self):
        drafts = self.move_ids.filtered(lambda move: move.state == "draft")
        if not drafts:
            raise UserError(self.env._("There is nothing to post: none of these is a draft."))
        waiting = drafts._post_documents()
        left = (drafts - waiting).filtered(lambda move: move.state == "draft")
        texts = [self.env._("%s invoices are posted.", len(drafts - waiting - left))]
        if waiting:
            texts = [self.env._("%s invoices are posted in the background.", len(waiting))]
        if left:
            texts.append(self.env._("%s stay drafts: their column Result says why.", len(left)))
        return self._notification(texts, bool(left))

    def _do_email(self):
        plan = self.move_ids._queue_delivery(self.document, **self._choices())
        counts = {outcome: len(moves) for outcome, moves in plan.items() if moves}
        sent = counts.pop("send", 0)
        before = counts.pop("resend", 0)
        queued = counts.pop("queued", 0)
        busy = counts.pop("busy", 0)
        refused = sum(counts.values())
        texts = [self.env._("%s e-mails are queued.", sent)]
        if before:
            texts.append(self.env._("%s were sent before.", before))
        if queued:
            texts.append(self.env._("%s were queued already.", queued))
        if busy:
            texts.append(self.env._("%s are being worked on by somebody else. Try again.", busy))
        if refused:
            texts.append(self.env._("%s aren't sent: their column Result says why.", refused))
        return self._notification(texts, bool(refused or busy))

    def _notification(self, texts, problems):
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
