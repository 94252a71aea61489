from bisect import bisect_right
from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models


class HealthcareClientPremium(models.Model):
    """What a client is billed by the day, week or month, whatever visits there are.

    Only for days on which the billing account is active; on hold, if that is ticked; never closed.
    A week (from Monday) or month is billed in full as soon as one such day lies in it, and dated
    on the first one. Billing cycles make the charges; each day, week or month is charged once,
    however many cycles cover it.
    """

    _name = "healthcare.client.premium"
    _description = "Client Premium"
    _order = "account_id, sequence, id"
    _rec_name = "product_id"
    _check_company_auto = True

    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    account_id = fields.Many2one(
        "healthcare.billing.account",
        string="Billing Account",
        required=True,
        index=True,
        ondelete="cascade",
        check_company=True,
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True, precompute=True)
    # as on visits and charges, so that the filters of a billing cycle hold here too
    client_id = fields.Many2one(related="account_id.client_id")
    payer_id = fields.Many2one(related="account_id.payer_id")
    department_id = fields.Many2one(related="account_id.department_id")
    product_id = fields.Many2one(
        "product.product",
        string="Service",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        domain="[('is_healthcare_service', '=', True)]",
        help="Carries the price, like any other service.",
    )
    period = fields.Selection(
        [("day", "Daily"), ("week", "Weekly"), ("month", "Monthly")],
        required=True,
        default="month",
    )
    quantity = fields.Float(
        string="Units", digits=(16, 2), default=1.0, required=True, help="Each day, week or month."
    )
    date_from = fields.Date(
        string="From", required=True, default=lambda self: self.env.company._care_today()
    )
    date_to = fields.Date(string="Until", help="Last day. Empty: no end.")
    billable_on_hold = fields.Boolean(
        string="Also on Hold", help="Also for days on which the billing account is on hold."
    )
    charge_ids = fields.One2many("healthcare.charge", "client_premium_id", string="Charges")
    charged_on = fields.Datetime(
        readonly=True, copy=False, help="When a billing cycle last made charges of it."
    )

    _check_quantity = models.Constraint(
        "CHECK (quantity > 0)", "A premium has a quantity of more than nothing."
    )
    _check_dates = models.Constraint(
        "CHECK (date_to IS NULL OR date_to >= date_from)",
        "A client premium can't end before it begins.",
    )

    def _period_of(self, day):
        """The day, week or month that a day belongs to.

        :return: (first day, first day after)
        """
        self.ensure_one()
        if self.period == "month":
            start = day.replace(day=1)
            return start, start + relativedelta(months=1)
        if self.period == "week":
            start = day - timedelta(days=day.weekday())
            return start, start + timedelta(weeks=1)
        return day, day + timedelta(days=1)

    def _due_days(self, first, stop):
        """Days, weeks and months to be charged, of those that a range of days touches.

        :param date first: first day of the range
        :param date stop: first day after it
        :return: ``{(premium, first day of the period): first day in it that counts, or None}``;
            that day may lie outside the range, where a week or month began before it
        """
        history = self.account_id._status_periods()
        due = {}
        for premium in self:
            periods = history[premium.account_id]
            day = first
            while day < stop:
                start, after = premium._period_of(day)
                due[premium, start] = premium._first_day_that_counts(start, after, periods)
                day = after
        return due

    def _first_day_that_counts(self, start, after, periods):
        """First day of [start, after) within the premium's dates on which the account counts.

        :param list periods: history of the account, of ``_status_periods``
        """
        self.ensure_one()
        since = [first for first, _status in periods]
        day = max(start, self.date_from)
        while day < after and (not self.date_to or day <= self.date_to):
            if self._counts(periods[bisect_right(since, day) - 1][1]):
                return day
            day += timedelta(days=1)
        return None

    def _counts(self, status):
        """Whether days on which the account has this status are charged."""
        self.ensure_one()
        return status == "active" or (status == "on_hold" and self.billable_on_hold)

    def _prepare_charge(self, period_start, day):
        """Values of the charge of one day, week or month.

        :param date period_start: first day of the period
        :param date day: first day in it that counts
        """
        self.ensure_one()
        account = self.account_id
        return {
            "kind": "premium",
            "client_premium_id": self.id,
            "premium_period": period_start,
            "service_date": day,
            "company_id": self.company_id.id,
            "client_id": account.client_id.id,
            "billing_account_id": account.id,
            "payer_id": account.payer_id.id,
            "department_id": account.department_id.id,
            "product_id": self.product_id.id,
            "quantity": self.quantity,
            "quantity_typed": False,
        }

    def _charges_of(self, due):
        """What was charged of these periods, by whatever cycle.

        :return: ``{(premium, first day of the period): charge}``
        """
        charges = self.env["healthcare.charge"].search(
            [
                ("client_premium_id", "in", self.ids),
                ("premium_period", "in", list({start for _premium, start in due})),
            ]
        )
        return {(charge.client_premium_id, charge.premium_period): charge for charge in charges}

    def _correct_charges(self, due, known):
        """Charges follow corrected dates and histories, as long as no invoice holds them for good.

        What stands on a draft stays there until it is made again: it only isn't billed any more.

        :param dict due: of ``_due_days``
        :param dict known: of ``_charges_of``; what is deleted is taken out of it
        """
        none = self.env["healthcare.charge"]
        wrong = {
            key: charge
            for key, charge in known.items()
            if key in due and (charge.service_date != due[key] or charge.premium_lapsed)
        }
        charges = none.union(*wrong.values())
        history = charges._ledger_lines().charge_id | charges.child_ids.parent_id
        gone, moved = none, {}
        for key, charge in wrong.items():
            if charge.is_held:
                continue
            if due[key] or charge.id in history.ids:
                moved.setdefault(due[key], none)
                moved[due[key]] |= charge
            else:
                gone |= known.pop(key)
        moved.pop(None, none).write({"premium_lapsed": True})
        for day, own in moved.items():
            own.write({"service_date": day, "premium_lapsed": False})
        gone.unlink()

    def _claim(self):
        """Whoever makes charges writes the premiums' rows: of two at the same time one fails.

        The framework runs that one again, on a snapshot that has the other one's charges.
        """
        # sudo: follows from the right to make charges
        self.sudo().charged_on = fields.Datetime.now()
        self.flush_recordset(["charged_on"])

    def action_view_charges(self):
        """Open what this premium was charged."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_charge_action"
        )
        return {**action, "domain": [("client_premium_id", "in", self.ids)], "context": {}}


class HealthcareBillingAccount(models.Model):
    _inherit = "healthcare.billing.account"

    client_premium_ids = fields.One2many(
        "healthcare.client.premium", "account_id", string="Client Premiums"
    )


class HealthcareCharge(models.Model):
    _inherit = "healthcare.charge"

    client_premium_id = fields.Many2one(
        "healthcare.client.premium",
        index="btree_not_null",
        ondelete="restrict",
        readonly=True,
        copy=False,
        check_company=True,
    )
    premium_period = fields.Date(
        readonly=True,
        copy=False,
        help="First day of the day, week or month that a client premium is charged for.",
    )

    _client_premium_uniq = models.UniqueIndex(
        "(client_premium_id, premium_period) WHERE client_premium_id IS NOT NULL",
        "That day, week or month of the client premium is charged already.",
    )
    _check_client_premium = models.Constraint(
        "CHECK (client_premium_id IS NULL"
        " OR (premium_period IS NOT NULL AND appointment_id IS NULL AND kind = 'premium'))",
        "A client premium is a charge without an appointment, for one day, week or month.",
    )

    @api.model
    def _guarded_names(self):
        return super()._guarded_names() | {"client_premium_id", "premium_period"}
