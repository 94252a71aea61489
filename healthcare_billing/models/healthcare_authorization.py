from odoo import api, fields, models


class HealthcareAuthorization(models.Model):
    """A payer's promise to pay for a number of units of some services."""

    _name = "healthcare.authorization"
    _description = "Prior Authorization"
    _order = "date_to desc, id desc"
    _rec_name = "number"
    _check_company_auto = True

    number = fields.Char(required=True)
    client_id = fields.Many2one(
        "res.partner", required=True, index=True, ondelete="cascade", check_company=True
    )
    payer_id = fields.Many2one(
        "res.partner",
        required=True,
        index=True,
        ondelete="restrict",
        domain="[('is_payer', '=', True)]",
        check_company=True,
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    product_ids = fields.Many2many(
        "product.product",
        string="Services",
        domain="[('is_healthcare_service', '=', True)]",
        help="Empty: any service.",
    )
    date_from = fields.Date(required=True, default=fields.Date.context_today)
    date_to = fields.Date(required=True, help="Last day covered.")
    units = fields.Float(digits=(16, 2), required=True, string="Authorized Units")
    units_used = fields.Float(
        digits=(16, 2),
        compute="_compute_units_used",
        help="Units of this authorization that are on invoices.",
    )
    units_left = fields.Float(digits=(16, 2), compute="_compute_units_used")
    active = fields.Boolean(default=True)

    _check_dates = models.Constraint(
        "CHECK (date_to >= date_from)", "An authorization can't end before it starts."
    )
    _check_units = models.Constraint("CHECK (units >= 0)", "Units can't be negative.")

    @api.depends("units")
    def _compute_units_used(self):
        used = dict(
            self.env["healthcare.charge"]._read_group(
                [
                    ("authorization_id", "in", self.ids),
                    ("kind", "=", "service"),
                    # a missed appointment is the client's, and uses no units
                    ("appointment_id.state", "not in", ("late_canceled", "no_show")),
                    ("invoice_line_ids.charge_live", "=", True),
                ],
                ["authorization_id"],
                ["quantity:sum"],
            )
        )
        for authorization in self:
            authorization.units_used = used.get(authorization, 0.0)
            authorization.units_left = authorization.units - authorization.units_used
