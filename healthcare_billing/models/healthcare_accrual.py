from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_date

# Besides Invoicing, which whoever posts needs.
BOOKKEEPERS = (
    "healthcare_billing.group_billing_manager",
    "account.group_account_user",
    "account.group_account_manager",
)


class HealthcareAccrual(models.Model):
    """Care that was delivered and not invoiced at a cut-off, booked as accrued revenue.

    One entry on the cut-off, and its reversal on the day after. The database allows one per
    company and cut-off while both entries stand: canceling one of them, or *Undo*, makes room for
    another. The entries name accounts and a date, nothing and nobody of the care.

    Who may: billing managers and accountants, with Invoicing, which posting needs.
    """

    _name = "healthcare.accrual"
    _description = "Accrual of Delivered Care"
    _order = "date desc, id desc"
    _check_company_auto = True

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date("Cut-off", required=True, readonly=True)
    amount = fields.Monetary(readonly=True, help="Untaxed, in company currency.")
    move_id = fields.Many2one(
        "account.move",
        string="Entry",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    reversal_id = fields.Many2one(
        "account.move",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    live = fields.Boolean(compute="_compute_live", store=True, help="Neither entry was canceled.")

    _one_per_cut_off = models.UniqueIndex(
        "(company_id, date) WHERE live",
        "The accrual of that day was booked meanwhile. Open the report again to see it.",
    )

    @api.depends("move_id.state", "reversal_id.state")
    def _compute_live(self):
        for accrual in self:
            states = {accrual.move_id.state, accrual.reversal_id.state}
            accrual.live = "cancel" not in states

    @api.depends("date")
    def _compute_display_name(self):
        for accrual in self:
            accrual.display_name = self.env._("Accrual of %s", format_date(self.env, accrual.date))

    # -- rights ----------------------------------------------------------------------------------
    @api.model
    def _may_book(self):
        """Whether the user may book accruals, and undo them."""
        user = self.env.user
        return self.env.su or (
            user.has_group("account.group_account_invoice")
            and any(user.has_group(group) for group in BOOKKEEPERS)
        )

    @api.model
    def _check_may_book(self):
        if not self._may_book():
            raise AccessError(
                self.env._(
                    "Only billing managers, and accountants with the right “Invoicing”, can book "
                    "accruals. Ask one of them."
                )
            )

    # -- where it is booked ----------------------------------------------------------------------
    @api.model
    def _journal(self, company):
        """The company's accrual journal, default its first general one."""
        # sudo: which journal the settings name is no secret
        journal = company.sudo().healthcare_accrual_journal_id
        if journal:
            return journal.sudo(False)
        Journal = self.env["account.journal"]
        return Journal.search(
            [*Journal._check_company_domain(company), ("type", "=", "general")], limit=1
        )

    @api.model
    def _check_setup(self, company):
        """Account and journal are there.

        :raise UserError: says what to set
        """
        # sudo: see above
        if not company.sudo().healthcare_accrual_account_id:
            raise UserError(
                self.env._(
                    "There is no account for accrued revenue of %s. Choose one in the settings of "
                    "Care Billing, under Billing Cycles.",
                    company.name,
                )
            )
        if not self._journal(company):
            raise UserError(
                self.env._(
                    "%s has no journal of type “Miscellaneous”. Make one, or choose the accrual "
                    "journal in the settings of Care Billing, under Billing Cycles.",
                    company.name,
                )
            )

    @api.model
    def _check_open_period(self, company, day):
        """Both entries can be posted on their dates, which are never moved.

        :raise UserError: names the lock
        """
        journal = self._journal(company)
        for date in (day, day + timedelta(days=1)):
            locks = company._get_violated_lock_dates(date, False, journal)
            if locks:
                lock_date, field = locks[-1]
                labels = company.fields_get([field], ["string"])
                raise UserError(
                    self.env._(
                        "The accrual needs an entry on %(day)s, and the books of %(company)s are "
                        "locked until %(lock)s (%(label)s). Choose a later day of the books, or "
                        "have an accountant open the period.",
                        day=format_date(self.env, date),
                        company=company.name,
                        lock=format_date(self.env, lock_date),
                        label=labels[field]["string"],
                    )
                )

    @api.model
    def _live(self, company, day):
        """The accrual of that day, or none."""
        return self.search(
            [("company_id", "=", company.id), ("date", "=", day), ("live", "=", True)], limit=1
        )

    # -- booking ---------------------------------------------------------------------------------
    @api.model
    def _book(self, company, day, amounts):
        """Post entry and reversal.

        :param date day: the cut-off; the reversal is of the next day
        :param dict amounts: ``{income account: amount in company currency}``, revenue positive
        :return: the new record
        :raise UserError: no setup, a locked period, or nothing to book
        """
        self._check_may_book()
        self._check_setup(company)
        self._check_open_period(company, day)
        amounts = {
            account: company.currency_id.round(amount)
            for account, amount in amounts.items()
            if not company.currency_id.is_zero(amount)
        }
        if not amounts:
            raise UserError(
                self.env._("There is nothing to accrue: all delivered care was invoiced.")
            )
        move = (
            self.env["account.move"]
            .with_company(company)
            .create(self._prepare_move(company, day, amounts))
        )
        move._post(soft=False)
        reversal = move._reverse_moves(
            [{"date": day + timedelta(days=1), "ref": self._reference(day, is_reversal=True)}],
            cancel=True,
        )
        # sudo: nobody makes these by hand; who may book was checked
        return (
            self.sudo()
            .create(
                {
                    "company_id": company.id,
                    "date": day,
                    "amount": sum(amounts.values()),
                    "move_id": move.id,
                    "reversal_id": reversal.id,
                }
            )
            .sudo(False)
        )

    @api.model
    def _reference(self, day, is_reversal=False):
        day = format_date(self.env, day)
        if is_reversal:
            return self.env._("Reversal of accrued revenue, care until %s", day)
        return self.env._("Accrued revenue, care until %s", day)

    @api.model
    def _prepare_move(self, company, day, amounts):
        """Values of the entry: one line per income account, one on the accrual account."""
        label = self._reference(day)
        # sudo: see _journal
        accrued = company.sudo().healthcare_accrual_account_id
        lines = [(accrued, sum(amounts.values()))]
        lines += [(account, -amount) for account, amount in amounts.items()]
        return {
            "move_type": "entry",
            "company_id": company.id,
            "journal_id": self._journal(company).id,
            "date": day,
            "ref": label,
            "line_ids": [
                fields.Command.create(
                    {
                        "account_id": account.id,
                        "name": label,
                        "balance": company.currency_id.round(balance),
                        # an account's default taxes are for invoices
                        "tax_ids": [fields.Command.clear()],
                    }
                )
                for account, balance in lines
            ],
        }

    # -- actions ---------------------------------------------------------------------------------
    def action_view_moves(self):
        """Entry and reversal."""
        moves = self.move_id | self.reversal_id
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Accrued Revenue"),
            "res_model": "account.move",
            "views": [
                (self.env.ref("account.view_move_tree").id, "list"),
                (self.env.ref("account.view_account_move_kanban").id, "kanban"),
                (False, "form"),
            ],
            "domain": [("id", "in", moves.ids)],
        }

    def action_undo(self):
        """Cancel entry and reversal, so that the cut-off can be booked anew.

        :raise UserError: the period is locked meanwhile, or core refuses
        """
        self._check_may_book()
        for accrual in self.filtered("live"):
            accrual._check_open_period(accrual.company_id, accrual.date)
            moves = accrual.reversal_id | accrual.move_id
            moves.line_ids.remove_move_reconcile()
            moves.filtered(lambda move: move.state == "posted").button_draft()
            moves.button_cancel()
        return True
