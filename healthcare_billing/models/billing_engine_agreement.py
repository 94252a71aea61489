from collections import defaultdict
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from odoo import api, models
from odoo.tools import SQL, format_date, format_list

from .billing_plan import PlannedBasis, PlannedFee

# How many months without a bill a row tells about.
MAX_MONTHS_TOLD = 12


class Agreement(NamedTuple):
    """What a billing account agreed on, as of a run's cut-off.

    :ivar account: ``healthcare.billing.account`` record
    :ivar left: what is left of the quote, or the sum of the fees; in company currency
    :ivar fees: tuple of :class:`PlannedFee`
    :ivar note: text
    :ivar needs_tick: nothing is due
    """

    account: object
    left: float
    fees: tuple
    note: str
    needs_tick: bool

    @property
    def waits(self):
        """A fee by instalments of which none is due: what it covers isn't billed at all."""
        return bool(
            self.needs_tick
            and self.account.billing_basis == "fixed"
            and self.account.instalment_ids
        )

    def covers(self, row):
        """Whether what a plan row says of a charge is covered, if the agreed party owes it.

        Nothing is covered twice: what is billed so already leaves other parties' parts as recorded.

        :param dict row: of ``_plan_rows``
        """
        account = self.account
        return (
            row["billing_account_id"] == account.id
            and not (account.expenses_on_top and row["kind"] == "expense")
            and row["covered_party"] not in (row["live"] or ())
        )


class HealthcareBillingEngine(models.AbstractModel):
    """Quotes and fixed fees: what is left, what is due, and what they make of recorded work."""

    _inherit = "healthcare.billing.engine"

    @api.model
    def _agreements(self, accounts, run):
        """What accounts agreed on, read together.

        :param run: ``healthcare.billing.run`` record, whose cut-off counts
        :return: ``{account id: Agreement or None}``, None for work as recorded
        """
        quoted = accounts.filtered(lambda account: account.billing_basis == "quote")
        fixed = accounts.filtered(lambda account: account.billing_basis == "fixed")
        billed = quoted._billed_of_quote() if quoted else {}
        known = self._known_fees(fixed) if fixed else {}
        skipped = self._skipped_months(known, run.date_up_to.replace(day=1))
        month = format_date(self.env, run.date_up_to, date_format="MMMM y")
        agreements = dict.fromkeys(accounts.ids)
        for account in quoted:
            agreements[account.id] = self._quote_agreement(account, billed.get(account.id, 0.0))
        for account in fixed:
            agreements[account.id] = (
                self._instalment_agreement(account, known, run.date_up_to)
                if account.instalment_ids
                else self._month_agreement(
                    account,
                    known,
                    run.date_up_to.replace(day=1),
                    month,
                    self._skipped_note(skipped.get(account.id)),
                )
            )
        return agreements

    @api.model
    def _quote_agreement(self, account, billed):
        currency = account.currency_id
        left = max(currency.round(account.quote_amount - billed), 0.0)
        quote = currency.format(account.quote_amount)
        if currency.is_zero(account.quote_amount):
            note = self.env._("No quote is entered: the work would be billed at nothing.")
        elif currency.is_zero(left):
            note = self.env._(
                "Quote of %s is billed: more work would be billed at nothing. Raise the quote, or "
                "bill work in progress.",
                quote,
            )
        elif currency.is_zero(billed):
            note = self.env._("Quote of %s", quote)
        else:
            note = self.env._(
                "Rest of the quote of %(quote)s: %(billed)s is billed",
                quote=quote,
                billed=currency.format(billed),
            )
        return Agreement(account, left, (), note, currency.is_zero(left))

    @api.model
    def _known_fees(self, accounts):
        """Fixed fees that were made before.

        :return: ``{(account id, instalment id, period): (last number, whether one is billed)}``
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """SELECT c.billing_account_id, COALESCE(c.instalment_id, 0), c.fee_period,
                          MAX(c.fee_number), COALESCE(BOOL_OR(l.id IS NOT NULL), FALSE)
                     FROM healthcare_charge c
                LEFT JOIN account_move_line l ON l.charge_id = c.id AND l.charge_live
                    WHERE c.billing_account_id = ANY(%s) AND c.made_by_basis
                      AND c.kind = 'fixed_fee'
                 GROUP BY 1, 2, 3""",
                accounts.ids,
            )
        )
        return {tuple(key): (number, billed) for *key, number, billed in rows}

    @api.model
    def _skipped_months(self, known, period):
        """Months between the last one whose fee was billed and that of the cut-off.

        No bill asks for the fee of a month that had none: the row tells, somebody decides.

        :param dict known: of ``_known_fees``
        :param date period: first day of the month of the cut-off
        :return: ``{account id: [first day of month, …]}``, at most ``MAX_MONTHS_TOLD`` each
        """
        billed = defaultdict(list)
        for (account_id, _instalment, month), (_number, is_billed) in known.items():
            if is_billed and month and month < period:
                billed[account_id].append(month)
        months = [period - relativedelta(months=ago) for ago in range(MAX_MONTHS_TOLD, 0, -1)]
        return {
            account_id: [month for month in months if month > max(fees)]
            for account_id, fees in billed.items()
        }

    @api.model
    def _skipped_note(self, months):
        """Which months weren't billed, in words: April and May 2025.

        :param months: list of first days, or None
        :return: text, empty if there are none
        """
        if not months:
            return ""
        is_one_year = months[0].year == months[-1].year
        names = [
            format_date(self.env, month, date_format="LLLL" if is_one_year else "MMMM y")
            for month in months[:-1]
        ]
        names.append(format_date(self.env, months[-1], date_format="MMMM y"))
        if len(names) == 1:
            return self.env._("%s was not billed.", names[0])
        return self.env._("%s were not billed.", format_list(self.env, names))

    @api.model
    def _month_agreement(self, account, known, period, month, skipped):
        """The fee of the month of the cut-off.

        :param dict known: of ``_known_fees``
        :param date period: first day of the month
        :param str month: its name
        :param str skipped: of ``_skipped_note``
        """
        number, billed = known.get((account.id, 0, period), (0, False))
        if account.currency_id.is_zero(account.quote_amount):
            note = self.env._("No fixed fee is entered: the work would be billed at nothing.")
            return Agreement(account, 0.0, (), note, True)
        fees = (PlannedFee(False, period, number + 1, account.quote_amount),)
        note = self.env._("Fixed fee for %s", month)
        if billed:
            note = self.env._(
                "The fixed fee for %s is billed already: bill it a second time?", month
            )
        note = " · ".join(filter(None, [note, skipped]))
        return Agreement(account, account.quote_amount, fees, note, billed)

    @api.model
    def _instalment_agreement(self, account, known, up_to):
        """All instalments that are due, and that no bill holds.

        :param dict known: of ``_known_fees``
        :param date up_to: cut-off
        """
        fees, names = [], []
        for instalment in account.instalment_ids:
            number, billed = known.get((account.id, instalment.id, None), (0, False))
            if instalment.date <= up_to and not billed:
                fees.append(PlannedFee(instalment.id, None, number + 1, instalment.amount))
                names.append(instalment.display_name)
        note = ", ".join(names) or self.env._("No instalment is due.")
        left = account.currency_id.round(sum(fee.amount for fee in fees))
        return Agreement(account, left, tuple(fees), note, not fees)

    @api.model
    def _planned_basis(self, agreement, parts, currency):
        """What an agreement makes of the parts of the invoice to whoever agreed to it.

        :param list parts: ``(row, responsibility, amount)``
        :param currency: of the account
        :return: :class:`PlannedBasis`, or None: there is nothing of it to bill
        """
        account = agreement.account
        party = account._agreed_party()
        covered = [
            (row["id"], amount)
            for row, responsibility, amount in parts
            if responsibility == party and agreement.covers(row)
        ]
        if not covered and (agreement.needs_tick or not agreement.fees):
            return None
        total = currency.round(sum(amount for _id, amount in covered))
        fees = sum(fee.amount for fee in agreement.fees)
        return PlannedBasis(
            account_id=account.id,
            rule=account.billing_basis,
            responsibility=party,
            covered_ids=tuple(charge_id for charge_id, _amount in covered),
            covered=total,
            agreed=agreement.left,
            fees=agreement.fees,
            adjustment=currency.round(agreement.left - fees - total),
            note=agreement.note,
            needs_tick=agreement.needs_tick,
        )
