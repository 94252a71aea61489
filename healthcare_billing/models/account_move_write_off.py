from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tools import format_date

# What the practice itself decides not to collect. The others come with a payer's remittance.
WRITE_OFF_KINDS = ("courtesy", "bad_debt", "small_balance")


class AccountMove(models.Model):
    """Write off what is open on a posted invoice of care, by an adjustment reason.

    An entry of its own per invoice: Dr the reason's account, Cr the invoice's receivable, set off
    against it. Revenue stays what it was, and so does the invoice; what is written off is no money
    for anybody who asks what was paid. It is taken back by core's *Reverse Entry*, or along with
    voiding the invoice.
    """

    _inherit = "account.move"

    write_off_of_id = fields.Many2one(
        "account.move",
        string="Writes Off",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        groups="base.group_user",
        help="The invoice of which this entry writes something off.",
    )
    write_off_ids = fields.One2many(
        "account.move", "write_off_of_id", string="Write-offs", groups="base.group_user"
    )
    write_off_count = fields.Integer(compute="_compute_write_off_count", groups="base.group_user")

    @api.depends("write_off_ids")
    def _compute_write_off_count(self):
        for move in self:
            move.write_off_count = len(move.write_off_ids)

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_write_off_link(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_write_off_link(vals)
        return super().write(vals)

    @api.model
    def _check_write_off_link(self, vals):
        """What was written off decides what is told as paid: only a write-off says so."""
        default = self.env.context.get("default_write_off_of_id")
        if not self.env.su and (vals.get("write_off_of_id") or default):
            raise UserError(
                self.env._("What an entry writes off is recorded, and can't be changed.")
            )

    def action_view_write_offs(self):
        """Open the entries that write something of these invoices off."""
        entries = self.write_off_ids
        action = {
            "type": "ir.actions.act_window",
            "name": self.env._("Write-offs"),
            "res_model": "account.move",
            "views": [(False, "list"), (False, "form")],
            "domain": [("id", "in", entries.ids)],
        }
        if len(entries) == 1:
            return {**action, "views": [(False, "form")], "res_id": entries.id}
        return action

    def action_write_off(self):
        """Ask for reason, amounts and date.

        :return: window action on a new ``healthcare.write.off``
        """
        self._check_may_write_off()
        return self.env["healthcare.write.off"]._open(self)

    def _check_may_write_off(self):
        """Giving money up is for billing managers.

        :raise AccessError: for anybody else
        :raise UserError: not a posted invoice of care on which something is open
        """
        manager = self.env.user.has_group("healthcare_billing.group_billing_manager")
        if not manager and not self.env.su:
            raise AccessError(self.env._("Only a billing manager can write off what is owed."))
        self.check_access("write")
        for move in self:
            if move.move_type != "out_invoice" or move.state != "posted" or not move.has_charges:
                raise UserError(
                    self.env._(
                        "%s isn't a posted invoice of care: there is nothing to write off.",
                        move._care_reference(),
                    )
                )
            if move.currency_id.compare_amounts(move.amount_residual, 0.0) <= 0:
                raise UserError(self.env._("Nothing is open on %s.", move._care_reference()))
        if not self:
            raise UserError(self.env._("Choose posted invoices on which something is open."))

    def _write_off(self, reason, date, amounts=None, note=""):
        """Write off what is open, or a part of it; all or none.

        :param reason: ``healthcare.adjustment.reason`` of a kind of the practice's own
        :param date date: of the entries
        :param dict amounts: ``{invoice: amount}`` in its currency, default all that is open
        :param str note: told on entries and invoices
        :return: the posted entries, in the order of the invoices
        :raise UserError: wrong reason, date or amount
        """
        if len(self.try_lock_for_update(allow_referencing=True)) < len(self):
            raise UserError(
                self.env._("Another user is working on one of these invoices. Try again.")
            )
        self._check_may_write_off()
        amounts = amounts or {move: move.amount_residual for move in self}
        self._check_write_off_amounts(amounts)
        entries = self.browse()
        for company, moves in self.grouped("company_id").items():
            account = reason._write_off_account(company)
            journal = self._write_off_journal(company)
            company._check_write_off_date(date, journal)
            values = [
                move._prepare_write_off(reason, account, journal, date, amounts[move], note)
                for move in moves
            ]
            # sudo: only this may say what an entry writes off
            made = self.env["account.move"].with_company(company).sudo().create(values)
            made._post(soft=False)
            entries |= made.with_env(self.env)
        for entry in entries:
            entry._set_off_write_off()
        entries._log_write_offs(reason, note)
        return entries

    @api.model
    def _check_write_off_amounts(self, amounts):
        for move, amount in amounts.items():
            if (
                move.currency_id.compare_amounts(amount, 0.0) <= 0
                or move.currency_id.compare_amounts(amount, move.amount_residual) > 0
            ):
                raise UserError(
                    self.env._(
                        "Of %(invoice)s, more than nothing and at most %(open)s can be written "
                        "off.",
                        invoice=move._care_reference(),
                        open=move.currency_id.format(move.amount_residual),
                    )
                )

    @api.model
    def _write_off_journal(self, company):
        journals = self.env["account.journal"]
        journal = journals.search(
            [*journals._check_company_domain(company), ("type", "=", "general")], limit=1
        )
        if not journal:
            raise UserError(
                self.env._(
                    "%s has no journal for miscellaneous entries: make one first.", company.name
                )
            )
        return journal

    def _prepare_write_off(self, reason, account, journal, date, amount, note):
        """Values of the entry that writes an amount of this invoice off.

        :param float amount: in the invoice's currency
        """
        shares = self._write_off_shares(amount)
        return self._prepare_write_off_entry(reason, account, journal, date, shares, note)

    def _prepare_write_off_entry(self, reason, account, journal, date, credits, note):
        """Values of an entry: the reason's account first, then what is credited.

        :param list credits: of ``_write_off_shares``
        """
        self.ensure_one()
        label = self.env._(
            "Write-off of %(invoice)s: %(reason)s", invoice=self.name, reason=reason.display_name
        )
        common = {
            "name": label,
            "currency_id": self.currency_id.id,
            "adjustment_reason_id": reason.id,
            "partner_id": self.commercial_partner_id.id,
        }
        return {
            "move_type": "entry",
            "journal_id": journal.id,
            "date": date,
            "ref": f"{label}. {note}" if note else label,
            "write_off_of_id": self.id,
            "line_ids": [
                Command.create(
                    common
                    | {
                        "account_id": account.id,
                        "amount_currency": sum(share[1] for share in credits),
                        "balance": sum(share[2] for share in credits),
                    }
                ),
                *(
                    Command.create(
                        common
                        | {
                            "account_id": line.account_id.id,
                            "amount_currency": -in_currency,
                            "balance": -balance,
                        }
                    )
                    for line, in_currency, balance in credits
                ),
            ],
        }

    def _write_off_shares(self, amount):
        """Share an amount among the open receivable lines, the earliest due first.

        :return: list of (journal item, amount in its currency, amount in company currency)
        """
        self.ensure_one()
        shares = []
        lines = self._open_receivable_lines()
        for line in lines:
            part = min(amount, line.amount_residual_currency)
            if self.currency_id.compare_amounts(part, 0.0) <= 0:
                break
            amount -= part
            balance = line.amount_residual
            if self.currency_id.compare_amounts(part, line.amount_residual_currency):
                balance *= part / line.amount_residual_currency
            shares.append((line, part, self.company_currency_id.round(balance)))
        return shares

    def _open_receivable_lines(self):
        return self.line_ids.filtered(
            lambda line: line.display_type == "payment_term" and not line.reconciled
        ).sorted(lambda line: (line.date_maturity or line.date, line.id))

    def _set_off_write_off(self):
        """Reconcile this entry with the invoice of which it writes something off."""
        self.ensure_one()
        open_lines = self.write_off_of_id._open_receivable_lines()
        for line in self.line_ids.filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        ):
            target = open_lines.filtered(
                lambda other, line=line: (
                    other.account_id == line.account_id and not other.reconciled
                )
            )[:1]
            (target | line).reconcile()

    def _log_write_offs(self, reason, note):
        """Say on invoice and entry what was written off, and why."""
        bodies = {}
        for entry in self:
            amount = sum(
                line.amount_currency for line in entry.line_ids if line.amount_currency > 0
            )
            text = self.env._(
                "%(amount)s of %(invoice)s written off by %(entry)s: %(reason)s.",
                amount=entry.line_ids[:1].currency_id.format(amount),
                invoice=entry.write_off_of_id.name,
                entry=entry.name,
                reason=reason.display_name,
            )
            if note:
                text += f" {note}"
            bodies[entry.id] = bodies[entry.write_off_of_id.id] = text
        (self | self.write_off_of_id)._message_log_batch(bodies=bodies)

    # -- taken back ------------------------------------------------------------------------------
    def _live_write_offs(self):
        """Posted write-offs of these invoices that nobody took back."""
        return self.write_off_ids.filtered(
            lambda entry: (
                entry.state == "posted"
                and not entry.reversal_move_ids.filtered(lambda move: move.state == "posted")
            )
        )

    def _take_back_write_off(self, reason):
        """Reverse these entries, dated today or on the first open day.

        :return: the reversals
        """
        if not self:
            return self.browse()
        return self._reverse_moves(
            [
                {"date": entry._reversal_dates()["date"], "ref": f"{entry.ref} ({reason})"}
                for entry in self
            ],
            cancel=True,
        )


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    # copied: the reversal of a write-off takes it out of the report by the same reason
    adjustment_reason_id = fields.Many2one(
        "healthcare.adjustment.reason",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        groups="base.group_user",
        help="Why this isn't collected.",
    )


class HealthcareAdjustmentReason(models.Model):
    _inherit = "healthcare.adjustment.reason"

    def _write_off_account(self, company, kinds=WRITE_OFF_KINDS):
        """Account that takes what is written off for this reason.

        :param kinds: of reasons that may be chosen
        :raise UserError: not a reason of the practice's own, or without an account
        """
        self.ensure_one()
        if self.kind not in kinds:
            raise UserError(
                self.env._(
                    "%s comes with a payer's remittance: choose a courtesy, bad debt or small "
                    "balance reason.",
                    self.display_name,
                )
            )
        account = self.with_company(company).account_id
        if not account:
            raise UserError(
                self.env._(
                    "%(reason)s has no account in %(company)s: choose one in Care Billing > "
                    "Configuration > Reasons > Adjustment.",
                    reason=self.display_name,
                    company=company.name,
                )
            )
        return account


class ResCompany(models.Model):
    _inherit = "res.company"

    def _check_write_off_date(self, date, journal):
        """Nothing of ours moves a date: where the books are closed, somebody has to choose.

        :raise UserError: in the future, or locked
        """
        self.ensure_one()
        if date > fields.Date.context_today(self):
            raise UserError(
                self.env._(
                    "%s is in the future: a write-off is booked when it is decided.",
                    format_date(self.env, date),
                )
            )
        if self._get_violated_lock_dates(date, False, journal):
            raise UserError(
                self.env._(
                    "The books of %(company)s are locked on %(date)s: choose a later date.",
                    company=self.name,
                    date=format_date(self.env, date),
                )
            )


class HealthcareInvoiceOverview(models.Model):
    _inherit = "healthcare.invoice.overview"

    def action_write_off(self):
        """Write off what is open on the invoices of these rows."""
        return self.move_id.filtered(
            lambda move: move.state == "posted" and move.amount_residual > 0
        ).action_write_off()
