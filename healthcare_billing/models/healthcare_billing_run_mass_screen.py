from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .account_move_mass import BILL_TEMPLATES

LIST_ACTION = "healthcare_billing.healthcare_mass_billing_action_list"
DRAFT_BILLS_ACTION = "healthcare_billing.account_move_action_draft_bills"
# Of how many accounts that aren't on the list a search tells why.
MISSING_LIMIT = 5
# What a search of rows means for billing accounts.
ACCOUNT_FIELDS = {
    "billing_account_id": "id",
    "client_id": "client_id",
    "payer_id": "payer_id",
    "department_id": "department_id",
}


class HealthcareBillingRun(models.Model):
    """What the screen of mass billing asks: its totals, its buttons, and what isn't on the list.

    The list's window action names no run: its rows are those of the user's open list, so that a
    favorite, a reload or the way back after billing show what is to bill now.
    """

    _inherit = "healthcare.billing.run"

    is_open_mass_list = fields.Boolean(compute="_compute_is_open_mass_list")

    @api.depends("door", "state", "user_id", "company_id")
    @api.depends_context("uid", "company")
    def _compute_is_open_mass_list(self):
        own = self._own_mass_list()
        for run in self:
            run.is_open_mass_list = run._origin == own

    # -- opening ---------------------------------------------------------------------------------
    @api.model
    def action_open_mass_billing(self):
        """Plan the list for today, and open it."""
        self._open_mass_billing()
        return self._mass_list_action()

    def action_view_mass_list(self):
        """Open the list as it is, with its dates."""
        return self._mass_list_action()

    @api.model
    def _mass_list_action(self):
        return self.env["ir.actions.act_window"]._for_xml_id(LIST_ACTION)

    # -- totals ----------------------------------------------------------------------------------
    @api.model
    def mass_screen(self, domain):
        """Totals over all rows that a search shows, whatever page is shown (R30).

        Opens a list if the user has none any more, as after billing it.

        :param domain: of ``healthcare.billing.run.line``, as the view has it
        :return: dict: ``run_id``, ``invoice_date`` and ``date_up_to`` (text), ``currency_id``;
            of the rows found ``row_count``, ``due_count``, ``wip`` and ``due`` (in the run's
            currency; due: without those that need a tick); of the list ``list_count``; and
            ``missing_count``, the accounts that aren't on it, and ``missing``, those of them that
            the search names, see ``mass_missing``
        """
        run = self._own_mass_list() or self._open_mass_billing()
        lines = self.env["healthcare.billing.run.line"]
        found = Domain(domain) & Domain("run_id", "=", run.id) & Domain("state", "=", "planned")
        row_count, due_count, wip, due = 0, 0, 0.0, 0.0
        rows = lines._read_group(
            found,
            ["currency_id", "needs_tick", "bill_again"],
            ["__count", "amount_time:sum", "amount_expense:sum", "amount_company:sum"],
        )
        for currency, needs_tick, bill_again, count, time, expenses, amount in rows:
            row_count += count
            wip += currency._convert(
                time + expenses, run.currency_id, run.company_id, run.invoice_date
            )
            if bill_again or not needs_tick:
                due_count += count
                due += amount
        return {
            "run_id": run.id,
            "invoice_date": fields.Date.to_string(run.invoice_date),
            "date_up_to": fields.Date.to_string(run.date_up_to),
            "currency_id": run.currency_id.id,
            "row_count": row_count,
            "due_count": due_count,
            "wip": run.currency_id.round(wip),
            "due": run.currency_id.round(due),
            "list_count": lines.search_count([("run_id", "=", run.id), ("state", "=", "planned")]),
            "missing_count": self.env["healthcare.billing.account"].search_count(
                [("company_id", "=", run.company_id.id), ("is_on_mass_list", "=", False)]
            ),
            "missing": self.mass_missing(domain),
        }

    @api.model
    def mass_choices(self):
        """What can be chosen for all rows.

        :return: dict: ``terms`` and ``templates``, lists of ``(id, name)``
        """
        company = self.env["account.payment.term"]._check_company_domain(self.env.company)
        terms = self.env["account.payment.term"].search(company)
        templates = self.env["ir.actions.report"].search(BILL_TEMPLATES)
        return {
            name: [(record.id, record.display_name) for record in records]
            for name, records in (("terms", terms), ("templates", templates))
        }

    def _mass_accounts_query(self):
        """SQL query of the ids of the billing accounts that are on these lists."""
        return SQL(
            """SELECT listed.billing_account_id FROM healthcare_billing_run_line listed
                WHERE listed.run_id = ANY(%(runs)s) AND listed.billing_account_id IS NOT NULL
                UNION
               SELECT c.billing_account_id FROM healthcare_billing_run_line l
                 JOIN healthcare_run_line_charge_rel rel ON rel.line_id = l.id
                 JOIN healthcare_charge c ON c.id = rel.charge_id
                WHERE l.run_id = ANY(%(runs)s) AND l.billing_account_id IS NULL
                UNION
               SELECT jsonb_array_elements_text(l.values -> 'accounts')::int
                 FROM healthcare_billing_run_line l
                WHERE l.run_id = ANY(%(runs)s) AND l.billing_account_id IS NULL""",
            runs=self.ids,
        )

    # -- what isn't on the list ------------------------------------------------------------------
    @api.model
    def mass_missing(self, domain):
        """Billing accounts that a search names and that aren't on the list, with the reasons.

        Whether the search finds rows or not: a client may have one account on the list and one
        that isn't. Archived accounts are told about too, after the others.

        :param domain: of ``healthcare.billing.run.line``, as the view has it
        :return: list of dicts of a few accounts: ``id``, ``name``, ``client``, ``reason``; empty if
            the search names nobody
        """
        named = []

        def of_accounts(condition):
            name, _dot, rest = condition.field_expr.partition(".")
            if name not in ACCOUNT_FIELDS:
                return Domain.TRUE
            target = ACCOUNT_FIELDS[name]
            if target == "id" and not rest and "like" in condition.operator:
                target = "display_name"
            if condition.value:  # whether there is a payer names nobody
                named.append(name)
            return Domain(
                f"{target}.{rest}" if rest else target, condition.operator, condition.value
            )

        accounts_domain = Domain(domain).map_conditions(of_accounts)
        if not named:
            return []
        accounts = self.env["healthcare.billing.account"].with_context(active_test=False)
        accounts = accounts.search(
            accounts_domain
            & Domain("company_id", "=", self.env.company.id)
            & Domain("is_on_mass_list", "=", False),
            limit=MISSING_LIMIT,
            order=f"active DESC, {accounts._order}",
        )
        return [
            {
                "id": account.id,
                "name": account.display_name,
                "client": account.client_id.display_name,
                "reason": account.mass_billing_reason or "",
            }
            for account in accounts
        ]

    # -- billing ---------------------------------------------------------------------------------
    def mass_bill(self, domain, invoice_date, date_up_to):
        """Ask before the rows of a search or selection are billed, as a window shows them.

        :param domain: of ``healthcare.billing.run.line``
        :param str invoice_date: of the list, as the window shows it
        :param str date_up_to: cut-off, as the window shows it
        :return: window action of the question
        :raise UserError: the list was billed, or planned for other dates, in another window
        """
        self._check_mass_list()
        shown = (fields.Date.to_date(invoice_date), fields.Date.to_date(date_up_to))
        if self.state != "draft" or shown != (self.invoice_date, self.date_up_to):
            raise UserError(
                self.env._(
                    "The list was billed or changed in another window meanwhile. Search again, "
                    "and look at it once more."
                )
            )
        return self.action_bill(domain)

    def _selection_mark(self):
        """Mass billing also shows dates, terms and templates: those it shows are booked."""
        mark = super()._selection_mark()
        if self.door != "mass":
            return mark
        lines = self.env["healthcare.billing.run.line"]
        query = lines._search([("run_id", "=", self.id), ("selected", "=", True)])
        [[chosen]] = self.env.execute_query(
            SQL(
                """SELECT md5(string_agg(CONCAT_WS('/', id, COALESCE(payment_term_id, 0),
                                                   COALESCE(invoice_template_id, 0)),
                                         ',' ORDER BY id))
                     FROM healthcare_billing_run_line
                    WHERE id IN %s""",
                query.subselect(),
            )
        )
        return f"{mark}-{self.invoice_date}-{self.date_up_to}-{chosen}"

    def action_view_draft_bills(self):
        """Where drafts of mass billing are looked through and approved."""
        return self.env["ir.actions.act_window"]._for_xml_id(DRAFT_BILLS_ACTION)

    def _after_mass_billing(self):
        """What is shown once the question is answered: the drafts, or why not all are made.

        :return: window action: of the drafts; of the run while it works, or if rows failed
        """
        self.ensure_one()
        if self.state == "done" and not self._has_problems():
            return self.action_view_draft_bills()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_billing_run_action"
        )
        return {**action, "views": [(False, "form")], "res_id": self.id}
