from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class HealthcareAdhocInvoice(models.TransientModel):
    """Criteria of an ad hoc invoice (R16): one client, any time, what was never invoiced.

    Only what clients and payers are invoiced for one by one; visits that have begun and are
    approved; no premiums of the client, which belong to a cycle. The preview is a billing run, and
    says of each other visit why it isn't on it.
    """

    _name = "healthcare.adhoc.invoice"
    _description = "Ad Hoc Invoice"

    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company,
        domain=lambda self: [("id", "in", self.env.companies.ids)],
    )
    # required on the form: the dialog opens without one
    client_id = fields.Many2one("res.partner", domain="[('is_healthcare_client', '=', True)]")
    date_from = fields.Date(string="Care from")
    date_to = fields.Date(
        string="to",
        default=lambda self: self.env.company._care_today(),
        help="Last day of care that is invoiced.",
    )
    invoice_date = fields.Date(
        required=True, default=fields.Date.context_today, help="Also the posting date."
    )
    post = fields.Boolean(string="Post at Once")

    def _charge_domain(self):
        """The client's charges that no invoice holds.

        :return: domain as a list, so that the run can keep it
        :raise UserError: no client, or dates that contradict each other
        """
        self.ensure_one()
        if not self.client_id:
            raise UserError(self.env._("Choose a client."))
        if self.date_from and self.date_to and self.date_from > self.date_to:
            raise UserError(self.env._("The first day of care is after the last one."))
        domain = (
            Domain("company_id", "=", self.company_id.id)
            & Domain("client_id", "=", self.client_id.id)
            & Domain("billing_stage", "in", ["planned", "qa", "billing_office"])
            & Domain("client_premium_id", "=", False)  # R16: those are for cycles only
        )
        if self.date_from:
            domain &= Domain("service_date", ">=", fields.Date.to_string(self.date_from))
        if self.date_to:
            domain &= Domain("service_date", "<=", fields.Date.to_string(self.date_to))
        return list(domain)

    def action_search(self):
        """Plan the invoices, save the plan, and show it.

        :return: window action on the run
        """
        self.ensure_one()
        charge_domain = self._charge_domain()
        charges = self.env["healthcare.charge"]._find_to_bill(charge_domain)
        engine = self.env["healthcare.billing.engine"].with_context(healthcare_billing_door="adhoc")
        run = (
            engine.with_company(self.company_id)
            .plan(charges, invoice_date=self.invoice_date)
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


class ResPartner(models.Model):
    _inherit = "res.partner"

    def action_adhoc_invoice(self):
        """Bill this client now."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_adhoc_invoice_action"
        )
        return {**action, "context": {"default_client_id": self.id}}
