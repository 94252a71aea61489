from collections import defaultdict
from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import SQL, format_date

from .healthcare_appointment import OPEN_STAGES


class MassFacts(NamedTuple):
    """What the database says of accounts, as of a list of mass billing.

    :ivar listed: ids of the accounts that have a row
    :ivar drafts: ``{account id: names of its draft bills}``
    :ivar recorded: ``{account id: (items up to the cut-off, day of the first later one or None)}``
    :ivar blocked: ``{account id: [(reason's name, number of items), …]}``
    :ivar notes: ``{account id: text}`` of quotes and fees of which nothing is due
    """

    listed: set
    drafts: dict
    recorded: dict
    blocked: dict
    notes: dict


class HealthcareBillingAccount(models.Model):
    """Why a billing account isn't on the list of mass billing (R24)."""

    _inherit = "healthcare.billing.account"

    mass_billing_reason = fields.Char(
        compute="_compute_mass_billing_reason",
        string="Mass Billing Says",
        groups="healthcare_billing.group_billing_user",
        help="Why it isn't on the list of mass billing, or that it is.",
    )

    @api.depends_context("healthcare_mass_run")
    def _compute_mass_billing_reason(self):
        """Of the list in the context, else of the user's own."""
        runs = self.env["healthcare.billing.run"]
        run = self.env["healthcare.billing.engine"]._mass_run().exists() or runs._own_mass_list()
        reasons = self._origin._mass_billing_reasons(run)
        for account in self:
            account.mass_billing_reason = reasons.get(account._origin, False)

    def _mass_billing_reasons(self, run, *, again=False):
        """Why these accounts aren't on a list of mass billing, each by its first reason.

        A few queries, however many accounts.

        :param run: ``healthcare.billing.run`` record; empty: as if one were opened today
        :param bool again: why they wouldn't be on it any more, whatever it shows
        :return: ``{account: text}``, for accounts on the list too
        """
        facts = self._mass_facts(run)
        if again:
            facts = facts._replace(listed=set())
        up_to = run.date_up_to or self.env.company._care_today()
        company = run.company_id or self.env.company
        return {account: account._mass_reason(company, up_to, facts) for account in self}

    def _mass_reason(self, company, up_to, facts):
        """The first reason of one account, in the order in which a biller would look.

        :param company: of the list
        :param date up_to: the list's cut-off
        :param facts: :class:`MassFacts`
        :return: text
        """
        self.ensure_one()
        if self.id in facts.listed:
            return self.env._("It is on the list.")
        return (
            self._mass_refusal(company)
            or self._draft_bill_reason(facts.drafts.get(self.id))
            or self._recorded_reason(up_to, facts)
        )

    def _mass_refusal(self, company):
        """What of the account itself keeps it off the list, or None."""
        if self.company_id != company:
            return self.env._(
                "It belongs to %(own)s, and this is the list of %(company)s.",
                own=self.company_id.name,
                company=company.name,
            )
        for condition, text in self._mass_conditions():
            if not self.filtered_domain(condition):
                return text(self)
        return None

    def _draft_bill_reason(self, names):
        if not names:
            return None
        return self.env._("It has a draft bill: %s. Approve or delete it first.", ", ".join(names))

    def _recorded_reason(self, up_to, facts):
        """What of the recorded work keeps it off the list: there is none, or it can't be billed."""
        count, later = facts.recorded.get(self.id, (0, None))
        blocked = facts.blocked.get(self.id)
        if count and blocked:
            return self.env._(
                "What is recorded can't be billed yet: %s.",
                ", ".join(f"{name} ({number})" for name, number in blocked),
            )
        note = facts.notes.get(self.id)
        if count:
            return note or self.env._("It was recorded or changed meanwhile: search again.")
        if later:
            return self.env._(
                "Everything is later than %(up_to)s: the first of it is of %(day)s.",
                up_to=format_date(self.env, up_to),
                day=format_date(self.env, later),
            )
        return note or self.env._("Nothing is recorded that isn't billed.")

    # -- facts -----------------------------------------------------------------------------------
    def _mass_facts(self, run):
        """Read for all these accounts together what the reasons need.

        :return: :class:`MassFacts`
        """
        self.env.flush_all()
        up_to = run.date_up_to or self.env.company._care_today()
        return MassFacts(
            listed=self._listed_on(run),
            drafts=self._draft_bills(run),
            recorded=self._recorded_up_to(up_to),
            blocked=self._blocked_on(run),
            notes=self._agreement_notes(run, up_to),
        )

    def _listed_on(self, run):
        """Ids of those that have a row: alone, or together with other accounts of their payer."""
        rows = self.env.execute_query(run._mass_accounts_query())
        return {account_id for (account_id,) in rows} & set(self.ids)

    def _draft_bills(self, run):
        """Names of the draft bills of these accounts, those of the list itself left out.

        :return: ``{account id: sorted names}``
        """
        # sudo: a draft counts whoever made it; only its number is told
        lines = self.env["account.move.line"].sudo()
        groups = lines._read_group(
            [
                ("charge_live", "=", True),
                ("parent_state", "=", "draft"),
                ("charge_id.billing_account_id", "in", self.ids),
            ],
            ["move_id", "charge_id"],
        )
        names = defaultdict(set)
        for move, charge in groups:
            if not run or move.billing_run_id != run:
                names[charge.billing_account_id.id].add(move._care_reference())
        return {account_id: sorted(found) for account_id, found in names.items()}

    def _recorded_up_to(self, up_to):
        """What waits to be billed on these accounts.

        :return: ``{account id: (items up to the cut-off, day of the first later one or None)}``
        """
        rows = self.env.execute_query(
            SQL(
                """SELECT billing_account_id,
                          COUNT(*) FILTER (WHERE service_date <= %(up_to)s),
                          MIN(service_date) FILTER (WHERE service_date > %(up_to)s)
                     FROM healthcare_charge
                    WHERE billing_account_id = ANY(%(accounts)s) AND billing_stage IN %(stages)s
                 GROUP BY 1""",
                up_to=up_to,
                accounts=self.ids,
                stages=tuple(OPEN_STAGES),
            )
        )
        return {account_id: (count, later) for account_id, count, later in rows}

    def _blocked_on(self, run):
        """Why the list leaves out what is recorded on these accounts.

        :return: ``{account id: [(reason's name, number of items), …]}``, the most frequent first
        """
        rows = self.env.execute_query(
            SQL(
                """SELECT c.billing_account_id, x.reason_id, COUNT(DISTINCT x.charge_id)
                     FROM healthcare_billing_run_exclusion x
                     JOIN healthcare_charge c ON c.id = x.charge_id
                    WHERE x.run_id = %s AND c.billing_account_id = ANY(%s)
                 GROUP BY 1, 2
                 ORDER BY 3 DESC, 2""",
                run.id or 0,
                self.ids,
            )
        )
        names = {
            reason.id: reason.name
            for reason in self.env["healthcare.block.reason"].browse({row[1] for row in rows})
        }
        blocked = defaultdict(list)
        for account_id, reason_id, count in rows:
            blocked[account_id].append((names[reason_id], count))
        return dict(blocked)

    def _agreement_notes(self, run, up_to):
        """What there is to say of quotes and fees of which nothing is due.

        :return: ``{account id: text}``
        """
        if not run:
            return {}
        agreements = self.env["healthcare.billing.engine"]._agreements(self, run)
        upcoming = self._next_instalments(up_to)
        notes = {}
        for account in self:
            agreement = agreements[account.id]
            if account.id in upcoming:
                notes[account.id] = self.env._(
                    "No instalment is due: the next one is of %s.",
                    format_date(self.env, upcoming[account.id]),
                )
            elif agreement and agreement.needs_tick and account.billing_basis == "fixed":
                notes[account.id] = self.env._(
                    "%s Nothing else is recorded that isn't billed.", agreement.note
                )
        return notes

    def _next_instalments(self, up_to):
        """Days of the next instalments of accounts that have none due.

        :return: ``{account id: date}``
        """
        # sudo: when a fee is due is part of the account, which the user reads
        instalments = self.sudo().instalment_ids
        billed = set(instalments._billed_ids())
        upcoming = defaultdict(list)
        for instalment in instalments:
            if instalment.id not in billed:
                upcoming[instalment.account_id.id].append(instalment.date)
        return {account_id: min(days) for account_id, days in upcoming.items() if min(days) > up_to}
