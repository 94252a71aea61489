from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError


class AccountMove(models.Model):
    _inherit = "account.move"

    # Portal users read invoices, and a many2one's name without access to its record: every field
    # of ours is for internal users only.
    healthcare_client_id = fields.Many2one(
        "res.partner", string="Care Client", index="btree_not_null", groups="base.group_user"
    )
    billing_run_id = fields.Many2one(
        "healthcare.billing.run",
        index="btree_not_null",
        copy=False,
        ondelete="set null",
        groups="base.group_user",
    )
    billing_cycle_id = fields.Many2one(
        "healthcare.billing.cycle",
        index="btree_not_null",
        copy=False,
        ondelete="restrict",
        groups="base.group_user",
    )
    billing_ref = fields.Char(
        string="Billing Reference",
        copy=False,
        index="btree_not_null",
        groups="base.group_user",
        help="The practice's own number: known before posting, kept when the draft is made again.",
    )
    group_single_claim = fields.Boolean(string="One Claim", groups="base.group_user")
    service_date_from = fields.Date(
        string="Care From", compute="_compute_service_dates", store=True, groups="base.group_user"
    )
    service_date_to = fields.Date(
        string="Care To", compute="_compute_service_dates", store=True, groups="base.group_user"
    )
    has_charges = fields.Boolean(compute="_compute_has_charges", groups="base.group_user")

    @api.depends("move_type", "invoice_line_ids.charge_id.service_date")
    def _compute_service_dates(self):
        for move in self:
            charges = move.is_sale_document() and move.invoice_line_ids.charge_id
            dates = charges.mapped("service_date") if charges else ()
            move.service_date_from = min(dates, default=False)
            move.service_date_to = max(dates, default=False)

    @api.depends("move_type", "invoice_line_ids.charge_id")
    def _compute_has_charges(self):
        for move in self:  # items of payments name the charges that they are for
            move.has_charges = move.is_sale_document() and bool(move.invoice_line_ids.charge_id)

    def _care_reference(self):
        """Number by which a biller knows this invoice, posted or not."""
        self.ensure_one()
        if self.name and self.name != "/":
            return self.name
        return self.billing_ref or self.env._("Draft (%s)", self.id)

    def unlink(self):
        """A run remembers that its invoice was deleted."""
        # sudo: whoever may delete the invoice need not be allowed to see billing runs
        lines = (
            self.env["healthcare.billing.run.line"]
            .sudo()
            .search([("move_id", "in", self.ids), ("state", "=", "created")])
        )
        lines.state = "deleted"
        return super().unlink()

    def write(self, vals):
        if "move_type" in vals:
            self._check_type_change(vals["move_type"])
        if "billing_run_id" in vals and not self.env.su:
            self._check_run_change(vals["billing_run_id"])
        return super().write(vals)

    def _check_run_change(self, run_id):
        """A run is the record of which invoices it made."""
        if any(move.billing_run_id.id != run_id for move in self):
            raise UserError(
                self.env._("Which billing run made an invoice is recorded, and can't be changed.")
            )

    def _check_type_change(self, move_type):
        """An invoice of care made a credit note (or back) would take its charges along."""
        moves = self.filtered(lambda move: move.move_type != move_type)
        if moves.invoice_line_ids.charge_id:
            raise UserError(
                self.env._(
                    "An invoice of care can't be turned into a credit note, nor back. Delete the "
                    "draft, and bill or credit again."
                )
            )

    def button_draft(self):
        """Putting a canceled invoice or a posted credit note back takes its charges again."""
        lines = self._care_lines()
        canceled = lines.filtered(lambda line: line.parent_state == "cancel")
        posted = lines.filtered(lambda line: line.parent_state == "posted")
        takes = canceled.filtered(lambda line: not line._is_counter_line())
        takes |= posted.filtered(lambda line: line._frees())
        takes._check_charges_still_free()
        return super().button_draft()

    def _post(self, soft=True):
        """A credit note of a credit note bills the care again: it must still be free."""
        lines = self._care_lines()
        lines.filtered(
            lambda line: line._is_counter_line() and not line._frees()
        )._check_charges_still_free()
        return super()._post(soft)

    def _care_lines(self):
        """Lines by which these documents bill or credit care (sudo: _check_charges_still_free)."""
        documents = self.sudo().filtered(lambda move: move.is_sale_document())
        return documents.line_ids.filtered("charge_id")

    def _take_back(self):
        """Undo invoices: delete what nobody has seen or booked on, reverse the rest.

        Deleting, canceling or reversing for reasons of lock dates, hashes and audit trail is
        core's decision (``_unlink_or_reverse``). Besides, what was sent, or would leave a gap in
        the numbers, is reversed: dated today, or on the first open day.

        :return: the reversals
        """
        posted = self.filtered(lambda move: move.state == "posted")
        to_reverse = posted.filtered(lambda move: move.is_move_sent or not move._can_be_unlinked())
        if not (posted - to_reverse)._is_end_of_seq_chain():
            to_reverse = posted
        (self - to_reverse)._unlink_or_reverse()
        return to_reverse._reverse_moves(
            [move._reversal_dates() for move in to_reverse], cancel=True
        )

    def _reversal_dates(self):
        """Dates of a reversal made now."""
        self.ensure_one()
        day = fields.Date.context_today(self)
        locks = self._get_violated_lock_dates(day, self._affect_tax_report())
        if locks:
            day = locks[-1][0] + timedelta(days=1)
        return {"invoice_date": day, "date": day}

    @api.model
    def _get_thread_with_access(self, thread_id, *, hash=None, pid=None, token=None, **kwargs):
        """The link of an e-mail opens neither the lines of care nor what was written about it."""
        # sudo: that it is an invoice of care isn't told, it only closes the door
        if self.browse(thread_id).sudo().exists().has_charges:
            hash = pid = token = None  # core's name
        return super()._get_thread_with_access(thread_id, hash=hash, pid=pid, token=token, **kwargs)

    def action_view_appointments(self):
        """Open the appointments on these invoices."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_appointment_action"
        )
        appointments = self.invoice_line_ids.charge_id.appointment_id
        return {**action, "domain": [("id", "in", appointments.ids)], "context": {}}

    @api.model
    def _care_invoices_action(self, moves):
        """Action that shows these invoices.

        :param moves: ``account.move`` recordset
        """
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account.action_move_out_invoice_type"
        )
        action["context"] = {"default_move_type": "out_invoice"}
        if len(moves) == 1:
            return {**action, "views": [(False, "form")], "res_id": moves.id}
        return {**action, "domain": [("id", "in", moves.ids)]}

    def _get_name_invoice_report(self):
        """Invoices of care print with dates of service, provider, code and units."""
        self.ensure_one()
        # sudo: the portal prints too, and may not read our fields
        if self.sudo().has_charges:
            return "healthcare_billing.report_care_invoice_document"
        return super()._get_name_invoice_report()
