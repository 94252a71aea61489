from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

# What only closing and reopening write.
STATE_FIELDS = {"state", "closing_run_id"}


class HealthcareBillingCycle(models.Model):
    """Closing a cycle (R14): its drafts are posted and marked as sent, then nothing moves any more.

    The work is a billing run's, whose rows are the drafts. The cycle's state follows from what is
    there: it is closed as soon as none of its invoices is a draft, by whatever way the last one
    was posted, deleted or moved. Until then it stays *closing*, and nothing is generated.

    Who comes last closes. Two users who deal with the last two drafts at once both write the
    cycle (``_touch``), so that the database lets one of them try again and see the other's work.
    """

    _inherit = "healthcare.billing.cycle"

    closing_run_id = fields.Many2one(
        "healthcare.billing.run",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    closing_progress = fields.Float(related="closing_run_id.progress")
    closing_running = fields.Boolean(compute="_compute_closing_running")
    drafts_left_count = fields.Integer(
        string="Drafts Left",
        compute="_compute_drafts_left_count",
        groups="account.group_account_invoice,account.group_account_readonly",
    )

    @api.depends("closing_run_id.state")
    def _compute_closing_running(self):
        for cycle in self:
            cycle.closing_running = cycle.closing_run_id.state == "running"

    def _compute_drafts_left_count(self):
        counts = dict(
            self.env["account.move"]._read_group(
                [("billing_cycle_id", "in", self.ids), ("state", "=", "draft")],
                ["billing_cycle_id"],
                ["__count"],
            )
        )
        for cycle in self:
            cycle.drafts_left_count = counts.get(cycle._origin, 0)

    @api.model
    def _guarded_names(self):
        return super()._guarded_names() | (set() if self.env.su else STATE_FIELDS)

    @api.model_create_multi
    def create(self, vals_list):
        """A new cycle is open: one that is made closed would keep others off its visits."""
        if not self.env.su and any(
            vals.get("state", "open") != "open" or vals.get("closing_run_id") for vals in vals_list
        ):
            self._refuse_state()
        return super().create(vals_list)

    def write(self, vals):
        """The state follows from closing and reopening only; so stays what a cycle was made of."""
        if (STATE_FIELDS | {"origin_id"}) & set(vals) and not self.env.su:
            self._refuse_state()
        return super().write(vals)

    def _refuse_state(self):
        raise AccessError(
            self.env._("The state of a billing cycle is changed by its buttons only.")
        )

    # -- close -----------------------------------------------------------------------------------
    def action_close(self):
        """Show what closing does, before it is done.

        :return: window action on a new ``healthcare.cycle.close``
        """
        self.ensure_one()
        self._check_may_close()
        if self.state == "closing" and self.drafts_left_count and not self.closing_running:
            return self.action_view_drafts_left()
        return self.env["healthcare.cycle.close"]._open(self)

    def _check_may_close(self):
        """Closing posts: it is for billing users.

        :raise AccessError: for anybody else
        """
        self.env["account.move"]._check_may_process()
        self.check_access("write")

    def _start_closing(self, restrict_scheduling=None):
        """Post the cycle's drafts and mark them as sent, now or in the background; then close.

        Doing so twice, or by two users, changes nothing: what is done already is left alone.

        :param bool restrict_scheduling: None leaves it as it is
        :return: client action that tells the result, or that it is under way
        :raise UserError: another run works on the cycle
        """
        self.ensure_one()
        self._check_may_close()
        if not self.try_lock_for_update():
            raise UserError(
                self.env._("%s is worked on by another user. Try again in a moment.", self.name)
            )
        if self.state == "closed":
            return self._closing_notification()
        if self.closing_running:
            return self.closing_run_id._background_notification()
        self._check_no_run_works()
        vals = {"state": "closing"}
        if restrict_scheduling is not None:
            vals["restrict_scheduling"] = restrict_scheduling
        self.sudo().write(vals)  # sudo: see write
        self._touch()
        moves = self._moves_to_close()
        if not moves:
            self.sudo()._close_if_done()
            return self._closing_notification()
        run = self.closing_run_id
        if run:
            run._add_existing(moves)
        else:
            run = moves._sending_run(cycle=self)
            self.sudo().closing_run_id = run  # sudo: see write
        run._begin()
        return run._start_task("post")

    def _moves_to_close(self):
        """Invoices of the cycle that are drafts, or posted and not marked as sent yet."""
        return self.env["account.move"].search(
            [
                ("billing_cycle_id", "=", self.id),
                "|",
                ("state", "=", "draft"),
                "&",
                ("state", "=", "posted"),
                ("is_move_sent", "=", False),
            ],
            order="invoice_date, id",
        )

    def _check_no_run_works(self):
        """What the background makes meanwhile would come as a draft into a closed cycle."""
        # sudo: whoever closes sees the runs of the cycle's companies, whichever are ticked
        working = self.sudo().run_ids.filtered(lambda run: run.state == "running")
        if working:
            raise UserError(
                self.env._(
                    "%s works on this cycle in the background. Wait for its result, or stop it.",
                    working[0].name,
                )
            )

    def _close_if_done(self):
        """Close those of these cycles that are closing and have no draft left.

        sudo in all callers: whoever posts, deletes or moves the last draft closes the cycle.
        """
        closing = self.filtered(lambda cycle: cycle.state == "closing")
        if not closing:
            return
        closing._touch()
        drafts = dict(
            self.env["account.move"]._read_group(
                [("billing_cycle_id", "in", closing.ids), ("state", "=", "draft")],
                ["billing_cycle_id"],
                ["__count"],
            )
        )
        for cycle in closing:
            if not drafts.get(cycle) and not cycle.closing_running:
                cycle.state = "closed"
                cycle._message_log(body=self.env._("Closed: no draft is left."))

    def _closing_notification(self):
        """Tell where closing stands, and show the cycle again."""
        states = dict(self._fields["state"]._description_selection(self.env))
        left = self.drafts_left_count
        message = self.env._("%s invoices are drafts still.", left) if left else states[self.state]
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.name,
                "message": message,
                "type": "warning" if left else "success",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    # -- what is left ----------------------------------------------------------------------------
    def action_view_drafts_left(self):
        """The drafts that couldn't be posted, with the reason of each and what can be done."""
        self.ensure_one()
        self._check_may_close()
        if self.state == "closing" and self.closing_run_id and not self.closing_running:
            # a sent invoice that was reset to draft since has no row yet
            self.closing_run_id._add_existing(self._moves_to_close())
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_billing_run_line_action_drafts_left"
        )
        domain = (
            Domain("run_id", "=", self.closing_run_id.id)
            & Domain("move_id.state", "=", "draft")
            & Domain("move_id.billing_cycle_id", "=", self.id)
        )
        return {**action, "name": self.env._("Drafts Left of %s", self.name), "domain": [*domain]}

    # -- next cycle ------------------------------------------------------------------------------
    def _next_cycle(self):
        """The next open cycle of the same scope, made if there is none.

        :return: ``healthcare.billing.cycle``
        """
        self.ensure_one()
        candidates = self.search(
            [
                ("company_id", "=", self.company_id.id),
                ("state", "=", "open"),
                ("date_from", ">=", self.date_to),
            ],
            order="date_from, id",
        )
        same = candidates.filtered(lambda cycle: cycle._scope_values() == self._scope_values())
        return same[:1] or self.create(self._prepare_next())

    def _scope_values(self):
        """What besides its days decides which care a cycle bills."""
        self.ensure_one()
        return (
            self.payer_ids,
            self.include_self_pay,
            self.department_ids,
            self.client_group_ids,
            self.bill_code_group_ids,
        )

    # -- reopen ----------------------------------------------------------------------------------
    def action_reopen(self):
        """Ask why, before a closed cycle is opened again."""
        self.ensure_one()
        self._check_may_reopen()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Reopen %s", self.name),
            "res_model": "healthcare.cycle.reopen",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_cycle_id": self.id},
        }

    def _check_may_reopen(self):
        """Reopening is for billing managers.

        :raise AccessError: for anybody else
        """
        manager = self.env.user.has_group("healthcare_billing.group_billing_manager")
        if not manager and not self.env.su:
            raise AccessError(self.env._("Only a billing manager can reopen a billing cycle."))

    def _reopen(self, reason):
        """Open a closed cycle, or one that is closing, again. What was sent stays sent.

        :param str reason: told in the chatter
        :raise UserError: no reason, or the background works on it
        """
        self.ensure_one()
        self._check_may_reopen()
        if not reason or not reason.strip():
            raise UserError(self.env._("Say why the cycle is opened again."))
        if not self.try_lock_for_update():
            raise UserError(
                self.env._("%s is worked on by another user. Try again in a moment.", self.name)
            )
        if self.state == "open":
            return
        self._check_no_run_works()
        self.sudo().write({"state": "open", "closing_run_id": False})  # sudo: see write
        self._touch()
        self.message_post(body=self.env._("Reopened. Reason: %s", reason.strip()))


class HealthcareBillingRun(models.Model):
    _inherit = "healthcare.billing.run"

    def _begin(self):
        """Who bills care of a cycle, and who closes it, come in turn, whatever their snapshots."""
        result = super()._begin()
        self.billing_cycle_id.sudo()._touch()  # sudo: which cycle it is was chosen before
        return result


class HealthcareBillingRunLine(models.Model):
    """What can be done about a draft that couldn't be posted when its cycle was closed."""

    _inherit = "healthcare.billing.run.line"

    def action_post_again(self):
        """Try to post these drafts again; those that fail say why."""
        for run, lines in self._rows_of_drafts().grouped("run_id").items():
            run._begin()
            run._start_task("post", lines)
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def action_delete_draft(self):
        """Delete these drafts: their care is free to bill again. Once posted, they are canceled."""
        moves = self._rows_of_drafts().move_id
        seen = moves.filtered("posted_before")
        seen.button_cancel()
        (moves - seen).unlink()
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def action_move_to_next_cycle(self):
        """Leave these drafts to the next billing cycle."""
        self._rows_of_drafts().move_id.action_move_to_next_cycle()
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def _rows_of_drafts(self):
        """Those whose invoice is a draft still: somebody else may have been quicker."""
        self.env["account.move"]._check_may_process()
        return self.filtered(
            lambda line: (
                line.run_id.marks_sent
                and line.move_id.state == "draft"
                and (
                    line.run_id.cycle_mode != "closing"
                    or line.move_id.billing_cycle_id == line.run_id.billing_cycle_id
                )
            )
        )
