from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import clean_context, format_date


class AccountMove(models.Model):
    """Mark as sent: posted and ``is_move_sent``, without sending anything (R14).

    And what invoices have to do with the billing cycle that they belong to: one that is closing
    closes with its last draft, whoever posts, deletes or moves it.
    """

    _inherit = "account.move"

    # -- mark as sent ----------------------------------------------------------------------------
    def action_mark_as_sent(self):
        """Post drafts, and mark as sent, without sending; what fails never stops the others.

        :return: client action that tells the result; None for a single invoice
        :raise UserError: a single invoice can't be posted
        """
        self._check_may_process()
        if len(self) == 1:
            return self._mark_one_as_sent()
        run = self._mark_as_sent()
        if run.state == "running":
            return run._background_notification()
        notification = run._result_notification()
        if run._has_problems():
            return run._problem_rows_action()
        return notification

    def _mark_one_as_sent(self):
        self._check_may_be_sent()
        if self.state == "draft":
            refusal = self._date_refusal()
            if refusal:
                raise UserError(refusal)
            self.env["healthcare.billing.engine"]._post_moves(self)
        self._set_sent()

    def _mark_as_sent(self):
        """Post drafts and mark these invoices as sent, by a run: many in the background.

        Twice changes nothing. What can't be posted stays a draft, and its row says why.

        :return: the ``healthcare.billing.run``
        :raise AccessError: not a billing user's
        """
        self._check_may_process()
        self._check_may_be_sent()
        run = self._sending_run()
        run._begin()
        run._start_task("post")
        return run

    def _check_may_be_sent(self):
        """Only invoices of care that aren't canceled."""
        # sudo: has_charges is for internal users, which billers are; lines may be another's
        others = self.filtered(lambda move: move.state == "cancel" or not move.sudo().has_charges)
        if others or not self:
            raise UserError(
                self.env._(
                    "Only invoices of care that aren't canceled can be marked as sent: %s",
                    ", ".join(move._care_reference() for move in others[:10]) or "-",
                )
            )

    def _set_sent(self):
        """Nothing of the entry changes: core needn't look at the lines."""
        unsent = self.filtered(lambda move: not move.is_move_sent)
        if unsent:
            unsent.with_context(skip_invoice_sync=True).write({"is_move_sent": True})

    def _refusal_of_future_date(self):
        """Why a draft can't be posted today; nothing of ours moves a date.

        :return: text, or False
        """
        self.ensure_one()
        day = max(filter(None, (self.invoice_date, self.date)), default=False)
        if day and day > fields.Date.context_today(self):
            return self.env._(
                "Its date %s is in the future. Change the date, or wait for it.",
                format_date(self.env, day),
            )
        return False

    def _refusal_of_lock_date(self):
        self.ensure_one()
        if self._get_violated_lock_dates(self.date, self._affect_tax_report()):
            return self.env._(
                "The books are locked on its date. Change the date, or delete the draft and bill "
                "again."
            )
        return False

    # -- the run ---------------------------------------------------------------------------------
    def _sending_run(self, cycle=None):
        """A run whose rows are these invoices, to be posted and marked as sent.

        :param cycle: the billing cycle that it closes
        :return: ``healthcare.billing.run``, not started
        """
        runs = self.env["healthcare.billing.run"]
        runs.check_access("create")
        # sudo: users make no runs by hand; defaults that a caller sends along must not count either
        run = (
            runs.sudo()
            .with_context(clean_context(self.env.context))
            .create(
                {
                    "user_id": self.env.uid,
                    "company_id": (cycle or self[:1]).company_id.id,
                    "invoice_date": cycle.invoice_date
                    if cycle
                    else fields.Date.context_today(self),
                    "door": "cycle" if cycle else "send",
                    "billing_cycle_id": cycle.id if cycle else False,
                    "cycle_mode": "closing" if cycle else False,
                    "marks_sent": True,
                    "state": "done",  # its rows have their invoices: there is nothing to preview
                }
            )
        )
        run._add_existing(self)
        return run.with_env(self.env)

    # -- the cycle follows -----------------------------------------------------------------------
    def _cycles_in_closing(self):
        """sudo: whoever posts or deletes need not be allowed to read billing cycles."""
        return self.sudo().billing_cycle_id.filtered(lambda cycle: cycle.state == "closing")

    def _post(self, soft=True):
        """What is posted by hand while its cycle is closing is marked as sent, as the others."""
        posted = super()._post(soft)
        if not self.env.context.get("healthcare_closing_run"):
            cycles = posted._cycles_in_closing()
            if cycles:
                posted.filtered(lambda move: move.sudo().billing_cycle_id in cycles)._set_sent()
                cycles._close_if_done()
        return posted

    def unlink(self):
        cycles = self._cycles_in_closing()
        result = super().unlink()
        cycles._close_if_done()
        return result

    def button_cancel(self):
        result = super().button_cancel()
        self._cycles_in_closing()._close_if_done()
        return result

    def button_draft(self):
        """An invoice of a closed cycle stays sent: it is voided instead (R15)."""
        # sudo: see _cycles_in_closing
        closed = self.filtered(
            lambda move: move.state != "draft" and move.sudo().billing_cycle_id.state == "closed"
        )
        if closed:
            raise UserError(
                self.env._(
                    "The billing cycle of %s is closed. Void the invoice instead: a later cycle "
                    "bills its care again.",
                    ", ".join(move._care_reference() for move in closed[:10]),
                )
            )
        result = super().button_draft()
        # sudo: see _cycles_in_closing; whoever closes these cycles meanwhile has to see this
        self.sudo().billing_cycle_id._touch()
        return result

    @api.model_create_multi
    def create(self, vals_list):
        """No invoice is added to a cycle that is closing or closed."""
        given = {vals.get("billing_cycle_id") for vals in vals_list}
        given.add(self.env.context.get("default_billing_cycle_id"))
        # sudo: whoever makes invoices need not be allowed to read billing cycles
        self.env["healthcare.billing.cycle"].sudo().browse(given - {None, False})._check_open()
        return super().create(vals_list)

    def write(self, vals):
        """Which cycle an invoice belongs to is decided by its run and by closing only."""
        if "billing_cycle_id" not in vals:
            return super().write(vals)
        if not self.env.su and any(
            move.billing_cycle_id.id != vals["billing_cycle_id"] for move in self
        ):
            raise AccessError(
                self.env._("The billing cycle of an invoice is recorded, and can't be changed.")
            )
        cycles = self._cycles_in_closing()
        result = super().write(vals)
        cycles._close_if_done()
        return result

    def action_move_to_next_cycle(self):
        """Leave these drafts to the next billing cycle of the same scope, made if there is none.

        Their dates stay: to bill them with the dates of that cycle, make them again there.

        :raise UserError: not a draft of a cycle
        """
        self._check_may_process()
        wrong = self.filtered(lambda move: move.state != "draft" or not move.billing_cycle_id)
        if wrong:
            raise UserError(
                self.env._(
                    "Only drafts of a billing cycle can be moved to the next one: %s",
                    ", ".join(move._care_reference() for move in wrong[:10]),
                )
            )
        for cycle, moves in self.grouped("billing_cycle_id").items():
            following = cycle._next_cycle()
            bodies = dict.fromkeys(
                moves.ids,
                self.env._(
                    "Moved from billing cycle %(cycle)s to %(next)s.",
                    cycle=cycle.name,
                    next=following.name,
                ),
            )
            moves._message_log_batch(bodies=bodies)
            # sudo: see write; moving a draft isn't an edit of what is on it
            moves.sudo().with_context(skip_is_manually_modified=True).write(
                {"billing_cycle_id": following.id}
            )
            following.sudo()._touch()  # sudo: whoever closes it meanwhile has to see this


class HealthcareBillingRun(models.Model):
    _inherit = "healthcare.billing.run"

    def _add_existing(self, moves):
        """Rows for invoices that exist already, without those that have one.

        :param moves: ``account.move`` recordset
        """
        self.ensure_one()
        known = self.line_ids.move_id
        values = []
        for move in moves - known:
            sign = -1 if move.move_type == "out_refund" else 1
            payer = move.partner_id.is_payer and move.partner_id
            values.append(
                {
                    "run_id": self.id,
                    "sequence": len(known) + len(values),
                    "company_id": move.company_id.id,
                    "currency_id": move.currency_id.id,
                    # a draft that lost its addressee can't be posted: its row has to say so
                    "partner_id": (move.partner_id or move.company_id.partner_id).id,
                    "client_id": move.healthcare_client_id.id,
                    "payer_id": payer.id if payer else False,
                    "state": "created",
                    "amount": sign * move.amount_untaxed,
                    "amount_company": move.amount_untaxed_signed,
                    "move_id": move.id,
                    "billing_ref": move.billing_ref,
                }
            )
        # sudo: rows are the engine's to make
        return self.env["healthcare.billing.run.line"].sudo().create(values)

    def _problem_rows_action(self):
        """The rows that couldn't be done, with what can be done about each."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_billing_run_line_action_drafts_left"
        )
        return {**action, "domain": [*self._task_domain("post")], "target": "current"}
