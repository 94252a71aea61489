from odoo import api, fields, models


class HealthcareAppointment(models.Model):
    """Whether an appointment's service is the client's default one: only then a changed default
    offers to change it."""

    _inherit = "healthcare.appointment"

    product_source = fields.Selection(
        [
            ("default", "Client's default service"),
            ("no_default", "Chosen when the client had no default service"),
            ("chosen", "Another service than the client's default one"),
        ],
        string="Service Comes from",
        compute="_compute_product_source",
        store=True,
        precompute=True,
        help="As it was when the service was chosen; a default that changes later changes nothing.",
    )

    # Not on the account's default service: what counts is the default of the day it was chosen.
    @api.depends("product_id", "billing_account_id")
    def _compute_product_source(self):
        for appointment in self:
            default = appointment.billing_account_id.default_product_id
            if not appointment.product_id:
                appointment.product_source = False
            elif not default:
                appointment.product_source = "no_default"
            elif default == appointment.product_id:
                appointment.product_source = "default"
            else:
                appointment.product_source = "chosen"
