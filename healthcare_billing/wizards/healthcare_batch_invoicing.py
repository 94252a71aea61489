from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class HealthcareBatchInvoicing(models.TransientModel):
    """Criteria of batch invoicing. Searching makes a billing run, which is the preview."""

    _name = "healthcare.batch.invoicing"
    _description = "Batch Invoicing"

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
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
    payer_ids = fields.Many2many(
        "res.partner",
        "healthcare_batch_payer_rel",
        string="Payers",
        domain="[('is_payer', '=', True)]",
    )
    # public profiles: billers may not access employees, and the ids are the same
    employee_ids = fields.Many2many("hr.employee.public", string="Staff")
    appointment_ids = fields.Many2many("healthcare.appointment", string="Appointments")
    invoice_date = fields.Date(
        required=True, default=fields.Date.context_today, help="Also the posting date."
    )
    hide_missed = fields.Boolean(
        string="Hide No-shows, Reschedules & Cancellations",
        help="Leave them out of list, totals and creation.",
    )
    split_by_staff = fields.Boolean(string="One Invoice per Staff Member")
    post = fields.Boolean(string="Post at Once")

    @api.onchange("date_from", "date_to")
    def _onchange_dates(self):
        if self.date_from and self.date_to and self.date_from > self.date_to:
            self.date_to = self.date_from + relativedelta(day=31)

    def _charge_domain(self):
        """Charges that are unbilled, or overdue to be finished; empty criteria match all.

        :return: domain as a list, so that the run can keep it
        """
        self.ensure_one()
        if self.appointment_ids:
            return [("appointment_id", "in", self.appointment_ids.ids)]
        if self.date_from and self.date_to and self.date_from > self.date_to:
            raise UserError(self.env._("The first day of care is after the last one."))
        domain = Domain("company_id", "=", self.company_id.id)
        today = fields.Date.to_string(self.company_id._care_today())
        domain &= Domain("billing_stage", "in", ["billing_office", "qa"]) | (
            # visits of the past that nobody finished: never billed, but said
            Domain("billing_stage", "=", "planned") & Domain("service_date", "<", today)
        )
        if self.hide_missed:  # R7
            missed = ("no_show", "late_canceled", "rescheduled", "canceled")
            domain &= Domain("appointment_id", "=", False) | Domain(
                "appointment_id.state", "not in", missed
            )
        if self.date_from:
            domain &= Domain("service_date", ">=", fields.Date.to_string(self.date_from))
        if self.date_to:
            domain &= Domain("service_date", "<=", fields.Date.to_string(self.date_to))
        for name, records in (
            ("client_id", self.client_ids),
            ("payer_id", self.payer_ids),
            ("employee_id", self.employee_ids),
        ):
            if records:
                domain &= Domain(name, "in", records.ids)
        return list(domain)

    def action_search(self):
        """Plan the invoices, save the plan, and show it.

        :return: window action on the run
        """
        self.ensure_one()
        charge_domain = self._charge_domain()
        charges = self.env["healthcare.charge"].search(charge_domain)
        charges.action_find_price()
        door = "manual" if self.appointment_ids else "batch"
        engine = self.env["healthcare.billing.engine"].with_context(healthcare_billing_door=door)
        run = engine.plan(
            charges,
            invoice_date=self.invoice_date,
            split_by=("staff",) if self.split_by_staff else (),
        ).save()
        run.post = self.post
        run.sudo().charge_domain = charge_domain  # sudo: the record of what was searched
        return {
            "type": "ir.actions.act_window",
            "name": run.name,
            "res_model": "healthcare.billing.run",
            "res_id": run.id,
            "views": [(False, "form")],
        }
