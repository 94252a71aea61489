from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError

from .healthcare_charge_balance import PARTIES

DAYS_PER_MONTH = 30


class HealthcareCharge(models.Model):
    """How much is charged, or taken off: fixed, per item, per cent, or by the month.

    ==========  ==================================================================================
    method      amount of an item
    ==========  ==================================================================================
    fixed       its share of one amount, in proportion to the balances; the last one has the cents
    per_item    the amount
    percent     per cent of its balance
    monthly     (balance - finance charges that are open) x rate / 100 x days / 30, where days are
                those since the invoice was due, or since the last finance charge: no day is charged
                twice, and there is no interest on interest
    ==========  ==================================================================================

    A discount takes at most what is owed. Amounts are told as balances are: with taxes where the
    part is posted, untaxed where it isn't yet.
    """

    _inherit = "healthcare.charge"

    extra_date = fields.Date(
        string="Charged on",
        readonly=True,
        copy=False,
        help="Of a finance charge, service charge or discount. Days till then are charged.",
    )

    # -- nobody types it -------------------------------------------------------------------------
    @api.model
    def _guarded_names(self):
        return super()._guarded_names() | {"extra_date"}

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_extra_date(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_extra_date(vals)
        return super().write(vals)

    def _check_extra_date(self, vals):
        """From it the days count that are charged."""
        if "extra_date" not in vals or self._is_correcting():
            return
        day = fields.Date.to_date(vals["extra_date"]) or False
        if any(charge.extra_date != day for charge in self) if self else day:
            raise UserError(
                self.env._("Till when days are charged is recorded with the finance charge.")
            )

    # -- amounts ---------------------------------------------------------------------------------
    @api.model
    def _extra_amounts(self, kind, method, value, items, date):
        """How much each item is charged, or gets off.

        :param str kind: finance_charge, service_charge or discount
        :param str method: fixed, per_item, percent or monthly
        :param float value: amount, or per cent
        :param list items: of ``(charge, responsibility)``
        :param date date: up to which days count
        :return: ``{(charge, responsibility): amount}``, 0.00 for nothing
        """
        balances = {(charge, party): charge[f"balance_{PARTIES[party]}"] for charge, party in items}
        if method == "per_item":
            amounts = dict.fromkeys(balances, value)
        elif method == "percent":
            amounts = {item: max(owed, 0.0) * value / 100 for item, owed in balances.items()}
        elif method == "monthly":
            amounts = self._monthly_amounts(value, balances, date)
        else:
            amounts = self._fixed_shares(value, balances)
        result = {}
        for (charge, party), amount in amounts.items():
            amount = max(charge.currency_id.round(amount), 0.0)
            if kind == "discount":
                amount = min(amount, max(balances[charge, party], 0.0))
            result[charge, party] = amount
        return result

    @api.model
    def _fixed_shares(self, value, balances):
        """Shares of one amount in proportion to the balances, or alike where nothing is owed.

        :param dict balances: ``{(charge, responsibility): amount}``
        """
        weights = {item: max(owed, 0.0) for item, owed in balances.items()}
        if not any(weights.values()):
            weights = dict.fromkeys(balances, 1.0)
        rest, total, shares = value, sum(weights.values()), {}
        for item, weight in weights.items():
            currency = item[0].currency_id
            shares[item] = currency.round(rest * weight / total) if weight else 0.0
            rest = currency.round(rest - shares[item])
            total -= weight
        return shares

    @api.model
    def _monthly_amounts(self, rate, balances, date):
        charges = self.browse(dict.fromkeys(charge.id for charge, _party in balances))
        since = charges._interest_since()
        interest = charges._open_interest()
        return {
            (charge, party): max(owed - interest[charge, party], 0.0)
            * rate
            / 100
            * max((date - since.get((charge, party), date)).days, 0)
            / DAYS_PER_MONTH
            for (charge, party), owed in balances.items()
        }

    def _open_interest(self):
        """Finance charges that are still owed, as the ledger says, and those not posted yet.

        On a document that asks for care and interest of one item, what is paid is the care first:
        so nobody pays interest on what he may have paid.

        :return: ``{(charge, responsibility): amount}``, 0.00 by default
        """
        fees = self.child_ids.filtered(lambda child: child.kind == "finance_charge")
        interest = defaultdict(float)
        if not fees:
            return interest
        lines = fees._posted_document_lines()
        asked = defaultdict(float)
        for line in lines:
            sign = -1 if line.move_type == "out_refund" else 1
            key = (line.charge_id.parent_id.id, line.responsibility)
            asked[key, line.move_id] += sign * line.price_total
        for move, shares in lines.move_id._open_shares().items():
            for key, left in shares.items():
                amount = asked[key, move]
                if amount * left > 0:
                    part = min(abs(left), abs(amount))
                    interest[self.browse(key[0]), key[1]] += part if left > 0 else -part
        for charge_id, parts in fees._unbilled_amounts(lines).items():
            for party, amount in parts.items():
                interest[self.browse(charge_id), party] += amount
        return interest

    @api.model
    def _untaxed_extras(self, kind, amounts, services):
        """What is booked so that balances change by these amounts.

        A posted balance has taxes, and so has what changes it. One that isn't posted yet is as
        quoted: untaxed.

        :param str kind: finance_charge, service_charge or discount
        :param dict amounts: ``{(charge, responsibility): amount}``
        :param dict services: ``{company: product.product record}`` that is booked
        :return: the same amounts, untaxed
        """
        charges = self.browse(dict.fromkeys(charge.id for charge, _party in amounts))
        untaxed = {item: item[0].currency_id.round(amount) for item, amount in amounts.items()}
        for company, own in charges.grouped("company_id").items():
            taxes = services[company].taxes_id._filter_taxes_by_company(company)
            if not taxes:
                continue
            posted = own._posted_parties()
            addressees = {
                (charge, party): self.env["res.partner"].browse(posted[charge][party] or [])
                or charge._debtor_of(party)
                for charge, party in amounts
                if party in posted.get(charge, ())
            }
            partners = self.env["res.partner"].union(*addressees.values()).with_company(company)
            engine = self.env["healthcare.billing.engine"].with_company(company)
            positions = engine._fiscal_positions(partners, company)
            for item, partner in addressees.items():
                position = self.env["account.fiscal.position"].browse(positions[partner.id] or [])
                untaxed[item] = position.map_tax(taxes)._untaxed_part(
                    untaxed[item], item[0].currency_id, at_most=kind == "discount"
                )
        return untaxed

    def _due_dates(self):
        """Since when the items of these charges are due: the earliest of what is open.

        :return: ``{(charge, responsibility): date}``, only what is posted and owed
        """
        due = {}
        for (charge_id, party), moves in self._open_item_shares().items():
            days = [
                move.invoice_date_due or move.invoice_date
                for move, amount in moves.items()
                if amount > 0
            ]
            if days:
                due[self.browse(charge_id), party] = min(days)
        return due

    def _interest_since(self):
        """Up to which day the items were charged for being late; at first the due date.

        :return: as of ``_due_dates``
        """
        since = self._due_dates()
        for child in self.child_ids:
            if child.kind == "finance_charge" and child.extra_date:
                for party in child._parts():
                    key = (child.parent_id, party)
                    if key in since:
                        since[key] = max(since[key], child.extra_date)
        return since


class AccountTax(models.Model):
    _inherit = "account.tax"

    def _untaxed_part(self, amount, currency, at_most=False):
        """What has to be booked so that it is this amount with these taxes.

        :param float amount: taxes included
        :param bool at_most: no cent more than the amount, where it can't be met
        """
        untaxed = self.with_context(force_price_include=True).compute_all(amount, currency)
        untaxed = currency.round(untaxed["total_excluded"])
        total = self.compute_all(untaxed, currency)["total_included"]
        if at_most and currency.compare_amounts(total, amount) > 0:
            untaxed = currency.round(untaxed - currency.rounding)
        return untaxed
