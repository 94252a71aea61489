from odoo import api, fields, models
from odoo.exceptions import ValidationError


class HealthcareCoverage(models.Model):
    """A client's policy with a payer."""

    _name = "healthcare.coverage"
    _description = "Coverage"
    _order = "client_id, sequence, id"
    _rec_names_search = ("member_id", "payer_id.name")

    client_id = fields.Many2one("res.partner", required=True, index=True, ondelete="cascade")
    payer_id = fields.Many2one(
        "res.partner",
        required=True,
        index=True,
        ondelete="restrict",
        domain="[('is_payer', '=', True)]",
    )
    company_id = fields.Many2one(
        "res.company",
        default=lambda self: self.env.company,
        index="btree_not_null",
        help="Empty: valid in every company.",
    )
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")
    sequence = fields.Integer(default=10, help="Paying order: primary first.")
    member_id = fields.Char(string="Member ID")
    group_number = fields.Char()
    subscriber_id = fields.Many2one("res.partner", help="Who holds the policy. Empty: the client.")
    relationship = fields.Selection(
        [
            ("18", "Self"),
            ("01", "Spouse"),
            ("19", "Child"),
            ("20", "Employee"),
            ("53", "Life Partner"),
            ("39", "Organ Donor"),
            ("40", "Cadaver Donor"),
            ("G8", "Other Relationship"),
            ("21", "Unknown"),
        ],
        default="18",
        required=True,
        string="Relationship to Subscriber",
    )
    date_from = fields.Date(string="Valid From")
    date_to = fields.Date(string="Valid To", help="Last day of cover.")
    copay_amount = fields.Monetary(
        string="Co-pay", help="Share of each appointment that the client owes."
    )
    active = fields.Boolean(default=True)

    _check_dates = models.Constraint(
        "CHECK (date_to IS NULL OR date_from IS NULL OR date_to >= date_from)",
        "A coverage can't end before it starts.",
    )
    _check_copay = models.Constraint("CHECK (copay_amount >= 0)", "A co-pay can't be negative.")

    @api.depends("company_id")
    def _compute_currency_id(self):
        for coverage in self:
            coverage.currency_id = (coverage.company_id or self.env.company).currency_id

    @api.depends("payer_id", "member_id")
    def _compute_display_name(self):
        for coverage in self:
            parts = (coverage.payer_id.name, coverage.member_id)
            coverage.display_name = " - ".join(part for part in parts if part)

    @api.constrains("payer_id")
    def _check_payer(self):
        for coverage in self:
            if not coverage.payer_id.is_payer:
                raise ValidationError(
                    self.env._(
                        "%s is not a payer. Tick “Payer” on the contact first.",
                        coverage.payer_id.display_name,
                    )
                )

    def _covers(self, day):
        """Whether the policy is in force on a day (both ends included)."""
        self.ensure_one()
        return (
            self.active
            and (not self.date_from or self.date_from <= day)
            and (not self.date_to or self.date_to >= day)
        )
