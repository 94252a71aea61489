from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

# What one row of the preview is for, besides the invoicing model's own grouping.
ROW_SPLITS = {"client": (), "staff": ("staff",), "appointment": ("appointment",)}
# R7: what "Hide No-shows, Reschedules & Cancellations" leaves out of list, totals and creation.
MISSED_STATES = ("no_show", "late_canceled", "rescheduled", "canceled")


class HealthcareBatchInvoicing(models.TransientModel):
    """Criteria of batch invoicing. Searching makes a billing run, which is the preview."""

    _name = "healthcare.batch.invoicing"
    _description = "Batch Invoicing"

    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company,
        domain=lambda self: [("id", "in", self.env.companies.ids)],
    )
    date_from = fields.Date(
        string="Care from",
        default=lambda self: self.env.company._care_today().replace(day=1),
    )
    date_to = fields.Date(
        string="to",
        default=lambda self: (
            self.env.company._care_today().replace(day=1) + relativedelta(months=1, days=-1)
        ),
        help="Last day of care that is invoiced.",
    )
    client_ids = fields.Many2many(
        "res.partner",
        "healthcare_batch_client_rel",
        string="Clients",
        domain="[('is_healthcare_client', '=', True)]",
    )
    pays_by = fields.Selection(
        [("insurance", "Insurance or another payer"), ("self", "Self-pay")],
        string="Client Pays by",
    )
    payer_ids = fields.Many2many(
        "res.partner",
        "healthcare_batch_payer_rel",
        string="Primary Insurance",
        domain="[('is_payer', '=', True)]",
    )
    # public profiles: billers may not access employees, and the ids are the same
    employee_ids = fields.Many2many("hr.employee.public", string="Staff")
    product_ids = fields.Many2many(
        "product.product",
        string="Service Types",
        domain="[('is_healthcare_service', '=', True)]",
    )
    place_of_service_ids = fields.Many2many(
        "healthcare.place.of.service", string="Places of Service"
    )
    note_state = fields.Selection(
        [("missing", "Missing"), ("draft", "Draft"), ("signed", "Signed")],
        string="Note Signature",
    )
    appointment_ids = fields.Many2many("healthcare.appointment", string="Appointments")
    appointment_count = fields.Integer(compute="_compute_appointment_count")
    invoice_date = fields.Date(
        required=True, default=fields.Date.context_today, help="Also the posting date."
    )
    hide_missed = fields.Boolean(
        string="Hide No-shows, Reschedules & Cancellations",
        help="Leave them out of list, totals and creation.",
    )
    rows = fields.Selection(
        [
            ("client", "Per client"),
            ("staff", "Per client and staff member"),
            ("appointment", "Per appointment"),
        ],
        string="One Invoice",
        required=True,
        default="client",
    )
    post = fields.Boolean(string="Post at Once")

    @api.depends("appointment_ids")
    def _compute_appointment_count(self):
        for wizard in self:
            wizard.appointment_count = len(wizard.appointment_ids)

    @api.onchange("date_from", "date_to")
    def _onchange_dates(self):
        if self.date_from and self.date_to and self.date_from > self.date_to:
            self.date_to = self.date_from + relativedelta(day=31)

    @api.onchange("pays_by")
    def _onchange_pays_by(self):
        if self.pays_by == "self":
            self.payer_ids = False

    def _charge_domain(self):
        """Charges that are unbilled, or overdue to be finished; empty criteria match all.

        :return: domain as a list, so that the run can keep it
        """
        self.ensure_one()
        if self.appointment_ids:
            return [("appointment_id", "in", self.appointment_ids.ids)]
        self._check_criteria()
        today = fields.Date.to_string(self.company_id._care_today())
        domain = Domain("company_id", "=", self.company_id.id)
        domain &= Domain("billing_stage", "in", ["billing_office", "qa"]) | (
            # visits of the past that nobody finished: never billed, but said
            Domain("billing_stage", "=", "planned") & Domain("service_date", "<", today)
        )
        if self.hide_missed:  # R7
            domain &= Domain("appointment_id", "=", False) | Domain(
                "appointment_id.state", "not in", MISSED_STATES
            )
        if self.date_from:
            domain &= Domain("service_date", ">=", fields.Date.to_string(self.date_from))
        if self.date_to:
            domain &= Domain("service_date", "<=", fields.Date.to_string(self.date_to))
        if self.pays_by:
            domain &= Domain("payer_id", "!=" if self.pays_by == "insurance" else "=", False)
        if self.note_state:
            domain &= Domain("appointment_id.note_state", "=", self.note_state)
        for name, records in self._chosen_records().items():
            if records:
                domain &= Domain(name, "in", records.ids)
        return list(domain)

    def _chosen_records(self):
        """Criteria that are records.

        :return: ``{field of the charge: recordset}``
        """
        return {
            "client_id": self.client_ids,
            "payer_id": self.payer_ids,
            "employee_id": self.employee_ids,
            "product_id": self.product_ids,
            "place_of_service_id": self.place_of_service_ids,
        }

    def _check_criteria(self):
        """Refuse criteria that contradict each other, rather than find nothing."""
        if self.date_from and self.date_to and self.date_from > self.date_to:
            raise UserError(self.env._("The first day of care is after the last one."))
        if self.pays_by == "self" and self.payer_ids:
            raise UserError(
                self.env._(
                    "Care that clients pay for themselves has no insurance: clear Primary "
                    "Insurance, or choose another way of paying."
                )
            )

    def action_search(self):
        """Plan the invoices, save the plan, and show it.

        :return: window action on the run
        """
        self.ensure_one()
        charge_domain = self._charge_domain()
        charges = self.env["healthcare.charge"]._find_to_bill(charge_domain)
        door = "manual" if self.appointment_ids else "batch"
        engine = self.env["healthcare.billing.engine"].with_context(healthcare_billing_door=door)
        run = (
            engine.with_company(self.company_id)
            .plan(charges, invoice_date=self.invoice_date, split_by=ROW_SPLITS[self.rows])
            .save()
        )
        run.post = self.post
        run.sudo().charge_domain = charge_domain  # sudo: the record of what was searched
        return {
            "type": "ir.actions.act_window",
            "name": run.name,
            "res_model": "healthcare.billing.run",
            "res_id": run.id,
            "views": [(False, "form")],
        }
