from datetime import date

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class HealthcareBillingAccountStatus(models.Model):
    """Since when a billing account has, or had, a status.

    An account without any has its present status since ever. Changing the status of an account
    writes today's; the date can be corrected, and what is the latest is the account's status.
    """

    _name = "healthcare.billing.account.status"
    _description = "Billing Account Status"
    _order = "account_id, date_from nulls first, id"
    _rec_name = "status"
    _check_company_auto = True

    account_id = fields.Many2one(
        "healthcare.billing.account", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True, precompute=True)
    status = fields.Selection(
        [("active", "Active"), ("on_hold", "On Hold"), ("closed", "Closed")],
        required=True,
        default="active",
    )
    date_from = fields.Date(string="Since", help="First day of the status. Empty: since ever.")

    _day_uniq = models.UniqueIndex(
        "(account_id, COALESCE(date_from, '-infinity'::date))",
        "A billing account has one status a day. Change the one that begins on that day.",
    )

    @api.constrains("date_from")
    def _check_date_from(self):
        for status in self:
            if status.date_from and status.date_from > status.company_id._care_today():
                raise ValidationError(
                    self.env._(
                        "A status can't begin in the future. Change it on the day on which it "
                        "begins."
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        """What an account was before the first date that is written down stays known."""
        accounts = self.env["healthcare.billing.account"].browse(
            {vals["account_id"] for vals in vals_list if vals.get("account_id")}
        )
        since_ever = {vals.get("account_id") for vals in vals_list if not vals.get("date_from")}
        first = accounts.filtered(lambda a: not a.status_ids and a.id not in since_ever)
        super().create([{"account_id": a.id, "status": a.billing_status} for a in first])
        statuses = super().create(vals_list)
        statuses.account_id._follow_status_history()
        return statuses

    def write(self, vals):
        accounts = self.account_id
        result = super().write(vals)
        (accounts | self.account_id)._follow_status_history()
        return result

    def unlink(self):
        accounts = self.account_id
        result = super().unlink()
        accounts.exists()._follow_status_history()
        return result


class HealthcareBillingAccount(models.Model):
    """Writes down when the status changed, and tells what it was on a day."""

    _inherit = "healthcare.billing.account"

    status_ids = fields.One2many(
        "healthcare.billing.account.status", "account_id", string="Status History"
    )

    def write(self, vals):
        before = {account: account.billing_status for account in self}
        result = super().write(vals)
        if "billing_status" in vals:
            changed = self.filtered(lambda account: account.billing_status != before[account])
            changed._log_status(before)
        return result

    def _log_status(self, before):
        """Today's status joins the history; an account without any had the former one since ever.

        :param dict before: former status per account
        """
        History = self.env["healthcare.billing.account.status"]
        values = []
        for account in self:
            history = account.status_ids.sorted(lambda s: s.date_from or date.min)
            if history[-1:].status == account.billing_status:
                continue  # it comes from the history
            today = account.company_id._care_today()
            if not history:
                values.append({"account_id": account.id, "status": before[account]})
            same_day = history.filtered(lambda s, today=today: s.date_from == today)
            if same_day:
                same_day.status = account.billing_status
            else:
                values.append(
                    {
                        "account_id": account.id,
                        "status": account.billing_status,
                        "date_from": today,
                    }
                )
        History.create(values)

    def _follow_status_history(self):
        """What is the latest in the history is the account's status."""
        for account in self:
            latest = account.status_ids.sorted(lambda s: s.date_from or date.min)[-1:]
            if latest and latest.status != account.billing_status:
                account.billing_status = latest.status

    def _status_periods(self):
        """The history of these accounts, read at once.

        Before the first one that is written down, an account had that one.

        :return: ``{account: [(first day, status), …]}`` in order; the first one begins at
            ``date.min``
        """
        rows = self.env["healthcare.billing.account.status"].search_fetch(
            [("account_id", "in", self.ids)], ["account_id", "date_from", "status"]
        )
        periods = {account: [] for account in self}
        for row in rows:
            of_account = periods[row.account_id]
            of_account.append((row.date_from if of_account else date.min, row.status))
        for account, known in periods.items():
            if not known:
                known.append((date.min, account.billing_status))
        return periods
