from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.codes import suggest_code_system

MAX_MODIFIERS = 4
UNIT_FIELDS = [
    "unit_rule",
    "block_minutes",
    "rounding_method",
    "rounding_minutes",
    "time_basis",
    "default_duration",
]


class ProductTemplate(models.Model):
    """A service of care: what is billed, under which code, counted in which unit.

    The code is the native internal reference, the fee the native sales price. Care has no sales
    tax: a new service takes none of the companies' default taxes, those that a user sets stay.
    """

    _inherit = "product.template"

    is_healthcare_service = fields.Boolean(
        "Care Service", help="Can be scheduled for clients and billed to them and their payers."
    )
    code_system = fields.Selection(
        [("cpt", "CPT"), ("hcpcs", "HCPCS level II"), ("local", "Local")],
        compute="_compute_code_system",
        inverse="_inverse_code_system",
        store=True,
        readonly=False,
        copy=False,  # nor is the code
        help="The code set that the service code comes from. Suggested from the look of the code; "
        "correct it where a local code looks like another. CPT needs a license.",
    )
    code_system_manual = fields.Boolean(
        "Code System Set by Hand",
        copy=False,
        help="Technical: the code system isn't the suggested one and stays when the code changes.",
    )
    unit_rule = fields.Selection(
        [
            ("visit", "Per visit"),
            ("hour", "Per hour"),
            ("block", "Per block of minutes"),
            ("mile", "Per mile"),
            ("flat", "Flat"),
        ],
        "Billed",
        default="visit",
        help="What one unit of this service is. Flat: one, whatever the time and number of visits.",
    )
    block_minutes = fields.Integer(
        "Minutes per Block", default=15, help="Length of one unit when billed per block."
    )
    rounding_method = fields.Selection(
        [("none", "Not rounded"), ("up", "Up"), ("down", "Down"), ("nearest", "Nearest")],
        "Rounding",
        default="none",
        help="How the time is rounded before units are counted. Nearest: half a step goes up.",
    )
    rounding_minutes = fields.Selection(
        [(step, f"{step} minutes") for step in ("5", "10", "15", "30", "60")],
        "Rounded To",
        default="15",
    )
    time_basis = fields.Selection(
        [("scheduled", "Scheduled time"), ("clocked", "Clocked time")],
        default="scheduled",
        help="The time that is billed. Without clock stamps, clocked falls back to scheduled.",
    )
    default_duration = fields.Float(
        "Usual Duration", default=1.0, help="Hours that a new appointment of this service takes."
    )
    modifier_ids = fields.Many2many(
        "healthcare.modifier", string="Modifiers", help="Put on each new charge of this service."
    )
    place_of_service_id = fields.Many2one(
        "healthcare.place.of.service",
        "Usual Place of Service",
        ondelete="restrict",
    )
    activity_code = fields.Char(help="Activity code that government programs ask for in files.")

    _block_minutes_positive = models.Constraint(
        "CHECK (unit_rule IS DISTINCT FROM 'block' OR COALESCE(block_minutes, 0) > 0)",
        "A service billed per block needs a block of at least one minute.",
    )
    _rounding_step = models.Constraint(
        "CHECK (COALESCE(rounding_method, 'none') = 'none' OR rounding_minutes IS NOT NULL)",
        "Please choose the minutes that time is rounded to.",
    )
    _default_duration_positive = models.Constraint(
        "CHECK (default_duration IS NULL OR default_duration >= 0)",
        "The usual duration of a service can't be negative.",
    )

    @api.depends("default_code", "product_variant_ids.default_code", "is_healthcare_service")
    def _compute_code_system(self):
        """R8: suggest from the code, but never override what was set by hand.

        Variants with codes of several systems count as CPT if one does: needing a license too
        many can be seen and corrected, needing one too few can't.
        """
        for template in self:
            if not template.is_healthcare_service:
                template.code_system = False
            elif not template.code_system_manual:
                codes = [
                    template.default_code or "",
                    *template.product_variant_ids.mapped("default_code"),
                ]
                suggested = {suggest_code_system(code) for code in codes}
                template.code_system = next(
                    (system for system in ("cpt", "hcpcs", "local") if system in suggested),
                    template.code_system,
                )

    @api.onchange("code_system")
    def _inverse_code_system(self):
        """Remember whether this is a decision or only the suggestion, sent back by a form."""
        for template in self:
            template.code_system_manual = bool(
                template.code_system
                and template.code_system != suggest_code_system(template.default_code)
            )

    @api.constrains("modifier_ids")
    def _check_modifier_ids(self):
        for template in self:
            if len(template.modifier_ids) > MAX_MODIFIERS:
                raise ValidationError(
                    self.env._(
                        "%(service)s has more than %(count)s modifiers, and claims take no more.",
                        service=template.display_name,
                        count=MAX_MODIFIERS,
                    )
                )

    @api.onchange("is_healthcare_service")
    def _onchange_is_healthcare_service(self):
        """A new product that becomes a care service loses the tax that it got by default.

        One older than this addon gets the defaults of the fields that it had no use for.
        """
        if self.is_healthcare_service:
            for name, value in self.default_get(UNIT_FIELDS).items():
                self[name] = self[name] or value
        if self.is_healthcare_service and not self._origin:
            self.type = "service"
            default_taxes = self._fields["taxes_id"].default(self)
            self.taxes_id = self.taxes_id.filtered(lambda tax: tax._origin not in default_taxes)

    @api.model
    def default_get(self, fields):
        """A care service (by context: the services' own menu) has no default sales tax."""
        defaults = super().default_get(fields)
        context = self.env.context
        if context.get("default_is_healthcare_service") and "default_taxes_id" not in context:
            defaults.pop("taxes_id", None)
        return defaults

    @api.model
    def _care_service_vals(self, vals_list):
        """Complete the values of new care services, of templates or variants: service, no tax."""
        by_default = self.env.context.get("default_is_healthcare_service")
        return [
            {"taxes_id": False, "type": "service"} | vals
            if vals.get("is_healthcare_service", by_default) and not vals.get("product_tmpl_id")
            else vals
            for vals in vals_list
        ]

    @api.model_create_multi
    def create(self, vals_list):
        return super().create(self._care_service_vals(vals_list))

    def _force_default_sale_tax(self, companies):
        """Neither other companies nor a new chart of accounts put their default tax on care."""
        care = self.filtered("is_healthcare_service")
        return super(ProductTemplate, self - care)._force_default_sale_tax(companies)
