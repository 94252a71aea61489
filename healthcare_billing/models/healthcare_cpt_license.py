from datetime import date

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_list

# The states in which a license was paid: an expired one still covers invoices of its own year.
PAID_STATES = ("paid", "expired")


class HealthcareCptLicense(models.Model):
    """The right of one employee to use CPT codes in one calendar year (R8).

    The fee is for the calendar year, whatever the day it was assigned: a license of March covers
    all invoices (or all care, by ``res.company.healthcare_license_date``) of that year. What
    counts is that it is paid, by its vendor bill or, without one, by hand. ``state`` follows the
    bill: an undone payment, or a bill that is canceled, deleted,
    reversed or credited by its vendor, makes it due again.

    Two guards no code path can go around: one license per employee and year that isn't canceled,
    and one vendor bill per license (on ``account.move.line``).

    ============  ====  ======  =====  ======
    user          read  write   bill   delete
    ============  ====  ======  =====  ======
    billing user  yes
    manager       yes   yes     yes    if never billed nor paid
    accountant    yes
    ============  ====  ======  =====  ======
    """

    _name = "healthcare.cpt.license"
    _description = "CPT License"
    _inherit = ("mail.thread", "healthcare.computed.mixin")
    _order = "year desc, date_from, id"
    _rec_names_search = ("employee_id",)
    _check_company_auto = True

    employee_id = fields.Many2one(
        "hr.employee",
        "Care Provider",
        required=True,
        index=True,
        tracking=True,
        check_company=True,
        ondelete="restrict",
    )
    company_id = fields.Many2one(
        "res.company", compute="_compute_company_id", store=True, precompute=True, index=True
    )
    year = fields.Integer(
        required=True,
        tracking=True,
        aggregator=None,
        default=lambda self: self.env.company._care_today().year,
        help="The calendar year that the license is for.",
    )
    date_from = fields.Date(
        "Since",
        compute="_compute_dates",
        store=True,
        precompute=True,
        readonly=False,
        required=True,
        help="The day it was assigned; 1 January when it was renewed. It covers the whole year.",
    )
    date_to = fields.Date(
        "Until",
        compute="_compute_dates",
        store=True,
        precompute=True,
        readonly=False,
        required=True,
    )
    release_year = fields.Integer(
        compute="_compute_release_year",
        store=True,
        precompute=True,
        readonly=False,
        required=True,
        aggregator=None,
        help="The yearly release of the code set that the license is for.",
    )
    fee = fields.Monetary(
        required=True,
        tracking=True,
        default=lambda self: self.env.company.healthcare_license_fee,
        help="What this license costs for its year.",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    is_canceled = fields.Boolean(copy=False)
    marked_paid_on = fields.Date(
        copy=False, help="The day on which it was marked as paid, without a vendor bill."
    )
    bill_line_ids = fields.One2many("account.move.line", "cpt_license_id")
    bill_id = fields.Many2one(
        "account.move",
        "Vendor Bill",
        compute="_compute_state",
        store=True,
        tracking=True,
        index="btree_not_null",
        help="The bill on which this license is; none when it was canceled, reversed or credited.",
    )
    state = fields.Selection(
        [
            ("to_pay", "To Pay"),
            ("paid", "Paid"),
            ("canceled", "Canceled"),
            ("expired", "Expired"),
        ],
        compute="_compute_state",
        store=True,
        tracking=True,
        index=True,
        help="Expired: was paid, and its year is over.",
    )

    _employee_year_uniq = models.UniqueIndex(
        "(employee_id, year) WHERE state IS DISTINCT FROM 'canceled'",
        "This care provider already has a CPT license for that year. Refresh the page.",
    )
    _dates_in_year = models.Constraint(
        "CHECK (EXTRACT(YEAR FROM date_from) = year AND EXTRACT(YEAR FROM date_to) = year"
        " AND date_from <= date_to)",
        "A CPT license is for one calendar year: both of its dates are in that year, in order.",
    )
    _fee_not_negative = models.Constraint(
        "CHECK (fee >= 0)", "The fee of a CPT license can't be negative."
    )

    # -- computed --------------------------------------------------------------------------------
    @api.depends("employee_id")
    def _compute_company_id(self):
        """Whoever employed the provider then paid: a later move to another company is no matter."""
        for cpt_license in self:
            cpt_license.company_id = (
                cpt_license.employee_id.sudo().company_id or cpt_license.env.company
            )

    @api.depends("year")
    def _compute_dates(self):
        for cpt_license in self:
            year = cpt_license.year
            if not 1 <= year <= 9999:  # half typed; the constraint answers when it is saved
                continue
            today = (cpt_license.company_id or self.env.company)._care_today()
            cpt_license.date_from = today if today.year == year else date(year, 1, 1)
            cpt_license.date_to = date(year, 12, 31)

    @api.depends("year")
    def _compute_release_year(self):
        for cpt_license in self:
            cpt_license.release_year = cpt_license.year

    @api.depends("employee_id", "year")
    def _compute_display_name(self):
        for cpt_license in self:
            cpt_license.display_name = self.env._(
                "%(name)s (%(year)s)",
                name=cpt_license.employee_id.display_name or "",
                year=cpt_license.year,
            )

    @api.depends(
        "is_canceled",
        "marked_paid_on",
        "date_to",
        "bill_line_ids.move_id.state",
        "bill_line_ids.move_id.payment_state",
        "bill_line_ids.price_subtotal",
        "bill_line_ids.credited_by_line_ids.parent_state",
        "bill_line_ids.credited_by_line_ids.price_subtotal",
        "bill_line_ids.credited_by_line_ids.credited_by_line_ids.parent_state",
    )
    def _compute_state(self):
        """Follow the bill. That a year is over is no change of a record: the daily task tells."""
        for cpt_license in self:
            lines = cpt_license.bill_line_ids.filtered(lambda line: not line._gives_license_back())
            bill = lines.move_id.filtered(
                lambda move: move.state != "cancel" and move.payment_state != "reversed"
            )[:1]
            paid_by_bill = bill.state == "posted" and bill.payment_state in ("paid", "in_payment")
            cpt_license.bill_id = bill
            if cpt_license.is_canceled:
                cpt_license.state = "canceled"
            elif not (paid_by_bill or cpt_license.marked_paid_on):
                cpt_license.state = "to_pay"
            elif cpt_license.date_to and cpt_license._is_over():
                cpt_license.state = "expired"
            else:
                cpt_license.state = "paid"

    def _is_over(self):
        self.ensure_one()
        return self.date_to < (self.company_id or self.env.company)._care_today()

    # -- guards ----------------------------------------------------------------------------------
    @api.model_create_multi
    def create(self, vals_list):
        # one that was just canceled holds the year in the database until its state is there
        self.flush_model(["state"])
        return super().create(vals_list)

    def write(self, vals):
        """What was billed or paid was for this person, year and sum."""
        settled = {name: vals[name] for name in ("employee_id", "year", "fee") if name in vals}
        if settled and any(
            (own.employee_id.id if name == "employee_id" else own[name]) != value
            for own in self.filtered(lambda own: own.bill_id or own.state != "to_pay")
            for name, value in settled.items()
        ):
            raise UserError(
                self.env._(
                    "A CPT license that is on a bill, or paid, keeps its care provider, year and "
                    "fee. Cancel it, and assign another one."
                )
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_billed_or_paid(self):
        for cpt_license in self:
            if cpt_license.bill_line_ids or cpt_license.state in PAID_STATES:
                raise UserError(
                    self.env._(
                        "The CPT license of %s was billed or paid, and can't be deleted. Cancel it "
                        "instead.",
                        cpt_license.display_name,
                    )
                )

    # -- assigning ------------------------------------------------------------------
    @api.model
    def _holders(self, employees, year):
        """Licenses of these employees for a year, canceled ones left out.

        :param employees: ``hr.employee`` recordset
        :return: ``healthcare.cpt.license`` recordset, at most one per employee
        """
        return self.search(
            [
                ("employee_id", "in", employees.ids),
                ("year", "=", year),
                ("state", "!=", "canceled"),
            ]
        )

    @api.model
    def _assign(self, employees, year, fee=None, **vals):
        """Create a license for each employee who has none for that year.

        :param employees: ``hr.employee`` recordset
        :param float fee: default: what each employee's company says in Settings
        :param vals: other values of the new licenses
        :return: the new licenses
        """
        # sudo: billing managers have no rights on employees, and need only their companies
        employees = (employees - self._holders(employees, year).employee_id).sudo()
        return self.create(
            [
                {
                    "employee_id": employee.id,
                    "year": year,
                    "fee": employee.company_id.healthcare_license_fee if fee is None else fee,
                    **vals,
                }
                for employee in employees
            ]
        )

    # -- the rule, as SQL ------------------------------------------------------------------------
    @api.model
    def _lacks_license_sql(self, employee, year):
        """SQL condition: this employee has no paid license for this year.

        :param SQL employee: expression of the id of an ``hr_employee``
        :param SQL year: expression of the year, an integer
        """
        return SQL(
            "NOT EXISTS (SELECT 1 FROM healthcare_cpt_license license"
            " WHERE license.employee_id = %s AND license.year = %s AND license.state IN %s)",
            employee,
            year,
            PAID_STATES,
        )

    @api.model
    def _bills_care_sql(self, charge):
        """SQL condition: this charge bills what was done, so that its code needs a license.

        Whatever its kind: a service with a CPT code may be entered as a premium or an expense. Only
        corrections use nobody's code anew.

        :param SQL charge: alias of ``healthcare_charge``
        """
        return SQL("%s.kind NOT IN ('adjustment', 'transfer')", charge)

    @api.model
    def _license_year_sql(self, company, service_date, invoice_date):
        """SQL expression: the year whose license counts, by the company's setting.

        :param SQL company: alias of ``res_company``
        :param SQL service_date: expression of the date of service
        :param SQL invoice_date: expression of the invoice date
        """
        return SQL(
            "EXTRACT(YEAR FROM CASE WHEN %s.healthcare_license_date = 'service' THEN %s ELSE %s"
            " END)::int",
            company,
            service_date,
            invoice_date,
        )

    # -- screens ---------------------------------------------------------------------------------
    @api.model
    def _mend_action(self, employee, year):
        """Window action by which a missing license is mended: assign one, or pay the one there.

        :param employee: ``hr.employee`` record
        """
        existing = self._holders(employee, year)
        if existing and self.has_access("read"):
            return {
                "type": "ir.actions.act_window",
                "name": self.env._("CPT License"),
                "res_model": self._name,
                "res_id": existing.id,
                "views": [(False, "form")],
            }
        if not self.has_access("create"):
            raise UserError(
                self.env._(
                    "%(name)s needs a paid CPT license for %(year)s. Ask a billing manager to "
                    "assign and pay it.",
                    name=employee.display_name,
                    year=year,
                )
            )
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "healthcare_billing.healthcare_cpt_license_assign_action"
            ),
            "context": {"default_employee_ids": employee.ids, "default_year": year},
        }

    def _names(self):
        return format_list(self.env, self.mapped("display_name"))
