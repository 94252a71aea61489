import json

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .healthcare_appointment import OPEN_STAGES

# Columns of a row that follow the plan, whether or not its sum changes.
FOLLOWED_DETAILS = (
    "account_count", "amount_time", "amount_expense", "amount_agreed", "basis", "basis_note",
    "needs_tick", "last_billed",
)  # fmt: skip


class HealthcareBillingRun(models.Model):
    """Runs of mass billing: the list of what every billing account would be billed (R24)."""

    _inherit = "healthcare.billing.run"

    date_up_to = fields.Date(
        string="Invoice up to",
        readonly=True,
        copy=False,
        help="Last day whose work and expenses are billed.",
    )

    def _engine(self):
        """The engine, knowing the cut-off of this run."""
        engine = super()._engine()
        return engine.with_context(healthcare_mass_run=self.id if self.door == "mass" else False)

    # -- the list --------------------------------------------------------------------------------
    @api.model
    def _open_mass_billing(self, invoice_date=None, date_up_to=None):
        """The user's list of mass billing in this company, up to date; made when there is none.

        :param date invoice_date: default today, where care is given
        :param date date_up_to: last day that is billed; default the invoice date
        :return: ``healthcare.billing.run`` record in state draft
        """
        self.check_access("create")
        run = self._own_mass_list()
        day = self._given_date(invoice_date) or self.env.company._care_today()
        dates = {"invoice_date": day, "date_up_to": self._given_date(date_up_to) or day}
        # sudo: see create and write
        if run:
            run._open_preview()
            run.sudo().write(dates)
        else:
            run = self.sudo().create(
                {
                    "door": "mass",
                    "user_id": self.env.uid,
                    "company_id": self.env.company.id,
                    "options": {"split_by": []},
                    **dates,
                }
            )
            run = run.with_env(self.env)
        run._search_mass()
        return run

    @api.model
    def _own_mass_list(self):
        """The list that this user has open in this company, or none."""
        if not self.has_access("read"):  # who may see an account need not be a biller
            return self.browse()
        return self.search(
            [
                ("door", "=", "mass"),
                ("state", "=", "draft"),
                ("user_id", "=", self.env.uid),
                ("company_id", "=", self.env.company.id),
            ],
            limit=1,
        )

    def _search_mass(self):
        """Plan what could be billed up to the cut-off now."""
        self.ensure_one()
        domain = [
            ("company_id", "=", self.company_id.id),
            ("billing_stage", "in", OPEN_STAGES),
            ("service_date", "<=", fields.Date.to_string(self.date_up_to)),
        ]
        self.sudo().charge_domain = domain  # sudo: see write
        charges = self.env["healthcare.charge"]._find_to_bill(domain)
        self._load_plan(self._engine().plan(charges, **self._plan_options()))

    def set_mass_dates(self, invoice_date=None, date_up_to=None):
        """Plan the list for other dates; rows that are still there stay as the user chose them.

        :param invoice_date: date or text, of all bills; default: unchanged
        :param date_up_to: date or text, the last day that is billed; default: unchanged
        """
        self._check_mass_list()
        self._open_preview()
        dates = {
            "invoice_date": self._given_date(invoice_date) or self.invoice_date,
            "date_up_to": self._given_date(date_up_to) or self.date_up_to,
        }
        self.sudo().write(dates)  # sudo: see write
        self._search_mass()

    def _check_mass_list(self):
        """Only a list of mass billing has its dates, terms and question.

        :raise UserError: a run of another door
        """
        self.ensure_one()
        if self.door != "mass":
            raise UserError(
                self.env._(
                    "%s isn't a list of mass billing. Do it in Billing → Mass Billing.",
                    self.name,
                )
            )

    @api.model
    def _given_date(self, value):
        """:return: the date that a caller means, or None; a clear error where it is none"""
        try:
            return fields.Date.to_date(value)
        except (TypeError, ValueError) as error:
            raise UserError(self.env._("“%s” isn't a date.", value)) from error

    def set_on_all_rows(self, vals):
        """Give every row the same payment terms or template.

        :param dict vals: ``payment_term_id`` and/or ``invoice_template_id``: id or False
        """
        self._check_mass_list()
        lines = self.env["healthcare.billing.run.line"]
        if set(vals) - {"payment_term_id", "invoice_template_id"}:
            raise UserError(self.env._("Only terms and template are chosen for all rows."))
        for name, value in vals.items():
            chosen = lines[name].browse(value or [])
            if not chosen.exists() and chosen:
                raise UserError(
                    self.env._("What you chose was deleted meanwhile. Reload the page.")
                )
        self._write_on_rows({name: value or False for name, value in vals.items()})

    def action_search_again(self):
        """Plan the list anew, of accounts as they are now."""
        if self.door != "mass":
            return super().action_search_again()
        self._open_preview()
        self._search_mass()
        return None

    def _replan(self, charges):
        """Of fees that need no work, only those of the changed accounts are planned again."""
        scoped = self
        if self.door == "mass":
            scoped = self.with_context(healthcare_mass_accounts=charges.billing_account_id.ids)
        return super(HealthcareBillingRun, scoped)._replan(charges)

    def _update_rows(self, invoices, keys=None):
        invoices = list(invoices)
        if self.door == "mass":
            self._follow_details([i for i in invoices if keys is None or i.key in keys])
        return super()._update_rows(invoices, keys)

    @api.model
    def _row_values(self, invoice):
        """Also whose quote or fee it is, with or without work, and the template as planned.

        ``fees`` are the fees' numbers: ticked is a second fee, and not whatever comes next.
        """
        values = super()._row_values(invoice)
        if invoice.details:
            values["accounts"] = [basis.account_id for basis in invoice.bases]
            values["fees"] = self._fee_numbers(invoice)
            values["template"] = invoice.details["invoice_template_id"] or None
        return values

    @api.model
    def _fee_numbers(self, invoice):
        return [fee.number for basis in invoice.bases for fee in basis.fees]

    def _follow_details(self, invoices):
        """What rows that are there tell besides their sums follows the plan, in one statement.

        So does the template, unless the user chose another one. What isn't due any more loses its
        tick.
        """
        if not invoices:
            return
        lines = self.env["healthcare.billing.run.line"]
        booleans = {name for name in FOLLOWED_DETAILS if lines._fields[name].type == "boolean"}
        rows = [
            SQL(
                "%s",
                (
                    invoice.key,
                    json.dumps(self._row_values(invoice)),
                    invoice.details["invoice_template_id"] or None,
                    *(
                        None
                        if invoice.details[name] is False and name not in booleans
                        else invoice.details[name]
                        for name in FOLLOWED_DETAILS
                    ),
                ),
            )
            for invoice in invoices
        ]
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE healthcare_billing_run_line l SET %s, values = v.contents::jsonb,"
                " invoice_template_id = CASE WHEN l.invoice_template_id IS NOT DISTINCT FROM"
                " (l.values ->> 'template')::int THEN v.template::int"
                " ELSE l.invoice_template_id END,"
                " selected = l.selected AND (NOT v.needs_tick OR COALESCE(l.bill_again, FALSE))"
                " FROM (VALUES %s) AS v(plan_key, contents, template, %s)"
                " WHERE l.run_id = %s AND l.plan_key = v.plan_key AND l.state = 'planned'",
                SQL(", ").join(
                    SQL(
                        "%s = v.%s::%s",
                        SQL.identifier(name),
                        SQL.identifier(name),
                        SQL(lines._fields[name].column_type[1]),  # pylint: disable=sql-injection  # of the ORM
                    )
                    for name in FOLLOWED_DETAILS
                ),
                SQL(", ").join(rows),
                SQL(", ").join(SQL.identifier(name) for name in FOLLOWED_DETAILS),
                self.id,
            )
        )

    # -- billing ---------------------------------------------------------------------------------
    def action_bill(self, domain=()):
        """Tick just these rows, and ask before they are billed.

        What needs a tick of its own, because nothing is due, is left out without it.

        :param domain: which rows of the list; default all
        :return: window action of the question
        :raise UserError: nothing of it can be billed
        """
        self._check_mass_list()
        self._write_on_rows({"selected": False})
        due = Domain("needs_tick", "=", False) | Domain("bill_again", "=", True)
        self._write_on_rows({"selected": True}, list(Domain(domain) & due))
        if not self.selected_count:
            raise UserError(
                self.env._(
                    "There is nothing to bill in what you chose. Rows whose fee or quote is billed "
                    "already need the tick “Bill Again”."
                )
            )
        chosen = self.env["healthcare.billing.run.line"].search_count(
            Domain(domain) & Domain("run_id", "=", self.id) & Domain("state", "=", "planned")
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Bill"),
            "res_model": "healthcare.billing.run.confirm",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_run_id": self.id,
                "default_without_tick_count": chosen - self.selected_count,
                "dialog_size": "medium",
            },
        }
