from dataclasses import replace
from types import MappingProxyType

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
BASES = [
    ("wip", "Work in Progress"),
    ("quote", "Quote"),
    ("fixed", "Fixed Fee"),
    ("mixed", "Several"),
]


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
        run = self.search(
            [
                ("door", "=", "mass"),
                ("state", "=", "draft"),
                ("user_id", "=", self.env.uid),
                ("company_id", "=", self.env.company.id),
            ],
            limit=1,
        )
        day = invoice_date or self.env.company._care_today()
        dates = {"invoice_date": day, "date_up_to": date_up_to or day}
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
        self._open_preview()
        dates = {
            "invoice_date": fields.Date.to_date(invoice_date) or self.invoice_date,
            "date_up_to": fields.Date.to_date(date_up_to) or self.date_up_to,
        }
        self.sudo().write(dates)  # sudo: see write
        self._search_mass()

    def set_on_all_rows(self, vals):
        """Give every row the same payment terms or template.

        :param dict vals: ``payment_term_id`` and/or ``invoice_template_id``: id or False
        """
        unknown = set(vals) - {"payment_term_id", "invoice_template_id"}
        if unknown:
            raise UserError(self.env._("Only terms and template are chosen for all rows."))
        self._write_on_rows(vals)

    def action_search_again(self):
        """Plan the list anew, of accounts as they are now."""
        if self.door != "mass":
            return super().action_search_again()
        self._open_preview()
        self._search_mass()
        return None

    def _update_rows(self, invoices, keys=None):
        invoices = list(invoices)
        super()._update_rows(invoices, keys)
        if self.door == "mass":
            self._follow_details([i for i in invoices if keys is None or i.key in keys])

    def _follow_details(self, invoices):
        """What rows tell besides their sums follows the plan, in one statement."""
        if not invoices:
            return
        rows = [
            SQL("%s", (invoice.key, *(invoice.details[name] or None for name in FOLLOWED_DETAILS)))
            for invoice in invoices
        ]
        lines = self.env["healthcare.billing.run.line"]
        casts = [SQL(lines._fields[name].column_type[1]) for name in FOLLOWED_DETAILS]  # pylint: disable=sql-injection  # of the ORM
        self.env.cr.execute(
            SQL(
                "UPDATE healthcare_billing_run_line l SET %s FROM (VALUES %s) AS v(plan_key, %s)"
                " WHERE l.run_id = %s AND l.plan_key = v.plan_key",
                SQL(", ").join(
                    SQL("%s = v.%s::%s", SQL.identifier(name), SQL.identifier(name), cast)
                    for name, cast in zip(FOLLOWED_DETAILS, casts, strict=True)
                ),
                SQL(", ").join(rows),
                SQL(", ").join(SQL.identifier(name) for name in FOLLOWED_DETAILS),
                self.id,
            )
        )
        self._forget_rows()

    # -- billing ---------------------------------------------------------------------------------
    def action_bill(self, domain=()):
        """Tick just these rows, and ask before they are billed.

        What needs a tick of its own, because nothing is due, is left out without it.

        :param domain: which rows of the list; default all
        :return: window action of the question
        :raise UserError: nothing of it can be billed
        """
        self.ensure_one()
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
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Bill"),
            "res_model": "healthcare.billing.run.confirm",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_run_id": self.id},
        }


class HealthcareBillingRunLine(models.Model):
    """A billing account's row: what there is to bill, on which basis, and what will be billed."""

    _inherit = "healthcare.billing.run.line"

    billing_account_id = fields.Many2one(
        "healthcare.billing.account", readonly=True, index="btree_not_null", ondelete="set null"
    )
    account_count = fields.Integer(string="Billing Accounts", readonly=True)
    last_billed = fields.Date(readonly=True)
    amount_time = fields.Monetary(
        string="Time", readonly=True, help="Recorded work, besides expenses."
    )
    amount_expense = fields.Monetary(string="Expenses", readonly=True)
    amount_wip = fields.Monetary(
        string="Work in Progress", compute="_compute_amount_wip", help="Time and expenses."
    )
    amount_agreed = fields.Monetary(
        string="Quote or Fee",
        readonly=True,
        help="What is left of the quote, or the fixed fees that are due.",
    )
    basis = fields.Selection(BASES, readonly=True)
    basis_note = fields.Char(string="Why", readonly=True)
    needs_tick = fields.Boolean(
        string="Nothing Due", readonly=True, help="Billed only with the tick “Bill Again”."
    )
    bill_again = fields.Boolean(
        help="Bill it although its fee or quote is billed already: a fixed fee a second time, more "
        "work under a quote at nothing."
    )
    payment_term_id = fields.Many2one("account.payment.term", string="Payment Terms")
    invoice_template_id = fields.Many2one(
        "ir.actions.report",
        string="Bill Template",
        domain="[('is_invoice_report', '=', True), ('model', '=', 'account.move')]",
    )

    @api.depends("amount_time", "amount_expense")
    def _compute_amount_wip(self):
        for line in self:
            line.amount_wip = line.amount_time + line.amount_expense

    @api.model
    def _user_fields(self):
        return super()._user_fields() | {"payment_term_id", "invoice_template_id", "bill_again"}

    def _apply_to(self, planned):
        """Terms and template as chosen on the row."""
        planned = super()._apply_to(planned)
        if self.run_id.door != "mass":
            return planned
        chosen = {"invoice_template_id": self.invoice_template_id.id}
        if self.payment_term_id:
            chosen["invoice_payment_term_id"] = self.payment_term_id.id
        return replace(planned, values=MappingProxyType({**planned.values, **chosen}))

    def _changes_since_preview(self, planned):
        """Also what is due no more isn't billed, unless somebody ticked that it is."""
        changes = super()._changes_since_preview(planned)
        for line in self:
            invoice = planned.get(line.plan_key)
            needs_tick = invoice and any(basis.needs_tick for basis in invoice.bases)
            if line not in changes and needs_tick and not line.bill_again:
                changes[line] = invoice.details["basis_note"]
        return changes
