from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .healthcare_appointment import CHARGE_STAGES

RESPONSIBILITIES = [
    ("client", "Client"),
    ("primary", "Primary Payer"),
    ("secondary", "Secondary Payer"),
    ("tertiary", "Tertiary Payer"),
]
# Responsibility -> field that holds its part of the charge.
PART_FIELDS = {
    "client": "amount_client",
    "primary": "amount_payer",
    "secondary": "amount_secondary",
}
# Frozen as soon as an invoice holds the charge: from then on only credit and rebill.
BILLED_FIELDS = {
    "appointment_id",
    "parent_id",
    "employee_id",
    "service_date",
    "kind",
    "product_id",
    "quantity",
    "price_unit",
    "is_priced",
    "currency_id",
    "billing_account_id",
    "payer_id",
    "client_id",
    "company_id",
    "description",
    "expense_cost",
    "expense_markup",
    *PART_FIELDS.values(),
}
# Kinds whose parts may differ in sign from the amount: they move debts.
SIGNED_KINDS = ("adjustment", "transfer")
# Told by the addon, never typed.
COMPUTED_FIELDS = (
    "price_source", "price_reason", "billing_stage", "amount_invoiced", "invoiced_otherwise",
)  # fmt: skip
# What a charge costs is typed on it, or follows from its service: no default of the caller.
PRICE_FIELDS = (
    "quantity", "quantity_typed", "is_priced", "price_unit", "copay", "parts_typed",
    *PART_FIELDS.values(),
)  # fmt: skip
# In the context of writes by the addon itself; an object, because no client can send it.
PRICING = object()
MAX_MODIFIERS = 4
MAX_DIAGNOSES = 4


class HealthcareCharge(models.Model):
    """What is owed for one thing done: the only thing that the engine puts on invoices.

    A correction is a child charge (kind adjustment or transfer), never a second invoice line of
    the same charge. ``amount`` is untaxed and always the sum of its parts per responsibility.
    """

    _name = "healthcare.charge"
    _description = "Care Charge"
    _inherit = ("healthcare.guarded.mixin", "healthcare.computed.mixin")
    _order = "service_date, appointment_id, parent_id nulls first, id"
    _check_company_auto = True

    appointment_id = fields.Many2one(
        "healthcare.appointment", index="btree_not_null", ondelete="cascade", check_company=True
    )
    parent_id = fields.Many2one(
        "healthcare.charge",
        string="Corrects",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
    )
    child_ids = fields.One2many("healthcare.charge", "parent_id", string="Corrections")
    company_id = fields.Many2one(
        "res.company",
        compute="_compute_from_appointment",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        index=True,
    )
    client_id = fields.Many2one(
        "res.partner",
        compute="_compute_from_appointment",
        store=True,
        readonly=False,
        precompute=True,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
    )
    billing_account_id = fields.Many2one(
        "healthcare.billing.account",
        compute="_compute_from_appointment",
        store=True,
        readonly=False,
        precompute=True,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
    )
    payer_id = fields.Many2one(
        "res.partner",
        compute="_compute_from_appointment",
        store=True,
        readonly=False,
        precompute=True,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
    )
    employee_id = fields.Many2one(
        "hr.employee",
        string="Provider",
        compute="_compute_from_appointment",
        store=True,
        readonly=False,
        precompute=True,
        index="btree_not_null",
        check_company=True,
    )
    department_id = fields.Many2one(
        "hr.department",
        compute="_compute_from_appointment",
        store=True,
        readonly=False,
        precompute=True,
        check_company=True,
    )
    place_of_service_id = fields.Many2one(
        "healthcare.place.of.service",
        compute="_compute_from_appointment",
        store=True,
        readonly=False,
        precompute=True,
    )
    authorization_id = fields.Many2one(
        "healthcare.authorization",
        compute="_compute_from_appointment",
        store=True,
        readonly=False,
        precompute=True,
        index="btree_not_null",
        check_company=True,
    )
    service_date = fields.Date(
        compute="_compute_service_date",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        index=True,
        help="Local day on which the care was given.",
    )
    kind = fields.Selection(
        [
            ("service", "Service"),
            ("premium", "Premium"),
            ("expense", "Expense"),
            ("fixed_fee", "Fixed Fee"),
            ("finance_charge", "Finance Charge"),
            ("service_charge", "Service Charge"),
            ("discount", "Discount"),
            ("adjustment", "Adjustment"),
            ("transfer", "Transfer"),
        ],
        default="service",
        required=True,
        index=True,
    )
    product_id = fields.Many2one(
        "product.product",
        string="Service",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
    )
    service_code = fields.Char(related="product_id.default_code", string="Code")
    modifier_ids = fields.Many2many("healthcare.modifier", string="Modifiers")
    diagnosis_ids = fields.Many2many("healthcare.diagnosis", string="Diagnoses")

    # -- price -----------------------------------------------------------------------------------
    quantity = fields.Float(string="Units", digits=(16, 2), default=1.0, required=True)
    quantity_typed = fields.Boolean(
        help="The units were typed, and no longer follow the appointment's time."
    )
    is_priced = fields.Boolean(help="A price is known. 0.00 is a price: free.")
    price_unit = fields.Float(
        string="Fee per Unit", digits=(16, 4), min_display_digits=2, aggregator=None
    )
    price_source = fields.Selection(
        [
            ("typed", "Typed"),
            ("billing_account", "Billing Account"),
            ("fee_schedule", "Fee Schedule"),
            ("practice_default", "Practice Default"),
            ("missing", "No Price"),
        ],
        default="missing",
        required=True,
        readonly=True,
    )
    price_reason = fields.Char(readonly=True, string="Where the Price Comes from")
    currency_id = fields.Many2one(
        "res.currency",
        compute="_compute_currency_id",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
    )
    amount = fields.Monetary(compute="_compute_amount", store=True, precompute=True)
    adjustment_reason_id = fields.Many2one("healthcare.adjustment.reason")

    # -- who owes it -----------------------------------------------------------------------------
    amount_client = fields.Monetary(
        string="Client Owes",
        compute="_compute_parts",
        store=True,
        readonly=False,
        precompute=True,
    )
    amount_payer = fields.Monetary(
        string="Payer Owes",
        compute="_compute_parts",
        store=True,
        readonly=False,
        precompute=True,
    )
    amount_secondary = fields.Monetary(
        string="Secondary Owes",
        compute="_compute_parts",
        store=True,
        readonly=False,
        precompute=True,
    )
    copay = fields.Float(
        string="Agreed Co-pay",
        digits=(16, 2),
        compute="_compute_copay",
        store=True,
        precompute=True,
        help="As the coverage said when the charge was made, in company currency.",
    )
    parts_typed = fields.Boolean(
        compute="_compute_parts",
        store=True,
        readonly=False,
        precompute=True,
        help="The parts were typed, and no default replaces them.",
    )

    # -- billing ---------------------------------------------------------------------------------
    invoice_line_ids = fields.One2many(
        "account.move.line",
        "charge_id",
        string="Invoice Lines",
        groups="account.group_account_invoice,account.group_account_readonly",
    )
    is_live = fields.Boolean(
        compute="_compute_is_live",
        compute_sudo=True,
        string="Invoiced",
        help="On an invoice, draft or posted, that wasn't credited in full.",
    )
    is_held = fields.Boolean(
        compute="_compute_is_held",
        compute_sudo=True,
        string="Frozen",
        help="On an invoice for good: on a draft of an open billing cycle it still follows its "
        "visit, until the draft is made again or posted.",
    )
    amount_invoiced = fields.Monetary(
        compute="_compute_billing",
        store=True,
        help="Untaxed, on posted invoices, less posted credits.",
    )
    invoiced_otherwise = fields.Boolean(
        compute="_compute_billing",
        store=True,
        help="The invoice line was changed by hand, and no longer says what the charge says.",
    )
    billing_stage = fields.Selection(
        CHARGE_STAGES, compute="_compute_billing", store=True, index=True
    )
    block_reason_ids = fields.Many2many(
        "healthcare.block.reason",
        compute="_compute_block_reason_ids",
        search="_search_block_reason_ids",
        string="Why Not Billed",
    )

    _check_quantity = models.Constraint("CHECK (quantity >= 0)", "Units can't be negative.")
    _to_bill_idx = models.Index(
        "(company_id, service_date) WHERE billing_stage IN ('planned', 'qa', 'billing_office')"
    )

    # -- computes --------------------------------------------------------------------------------
    @api.depends(
        "appointment_id.company_id",
        "appointment_id.client_id",
        "appointment_id.billing_account_id",
        "appointment_id.payer_id",
        "appointment_id.employee_id",
        "appointment_id.department_id",
        "appointment_id.place_of_service_id",
        "appointment_id.authorization_id",
        "parent_id",
    )
    def _compute_from_appointment(self):
        for charge in self:
            source = charge.appointment_id or charge.parent_id
            if not source:
                charge.company_id = charge.company_id or self.env.company
                continue
            for name in (
                "company_id",
                "client_id",
                "billing_account_id",
                "payer_id",
                "employee_id",
                "department_id",
                "place_of_service_id",
                "authorization_id",
            ):
                charge[name] = source[name]

    @api.depends("appointment_id.service_date", "parent_id")
    def _compute_service_date(self):
        for charge in self:
            charge.service_date = (
                charge.appointment_id.service_date
                or charge.parent_id.service_date
                or charge.service_date
                or (charge.company_id or self.env.company)._care_today()
            )

    @api.depends("company_id", "parent_id")
    def _compute_currency_id(self):
        for charge in self:
            charge.currency_id = (
                charge.currency_id
                or charge.parent_id.currency_id
                or (charge.company_id or self.env.company).currency_id
            )

    @api.depends("appointment_id.name", "product_id.default_code")
    def _compute_display_name(self):
        for charge in self:
            source = charge.appointment_id.name or self.env._("Charge %s", charge.id)
            charge.display_name = f"{source}/{charge.id or self.env._('new')}"

    @api.depends("quantity", "price_unit", "is_priced", "currency_id")
    def _compute_amount(self):
        for charge in self:
            amount = charge.quantity * charge.price_unit if charge.is_priced else 0.0
            charge.amount = charge.currency_id.round(amount) if charge.currency_id else amount

    @api.depends_context("healthcare_billing_door")
    @api.depends(
        "billing_stage",
        "is_priced",
        "product_id",
        "diagnosis_ids",
        "employee_id",
        "payer_id",
        "billing_account_id",
        "authorization_id",
        "service_date",
        "amount_payer",
    )
    def _compute_block_reason_ids(self):
        reasons = self.env["healthcare.billing.engine"]._block_reasons(self._origin)
        for charge in self:
            charge.block_reason_ids = reasons.get(
                charge._origin.id, self.env["healthcare.block.reason"]
            )

    def _search_block_reason_ids(self, operator, value):
        return self.env["healthcare.billing.engine"]._search_block_reasons(operator, value)

    def _in_company_currency(self, amount):
        """An amount of this charge in its company's currency, at the rate of the service date."""
        self.ensure_one()
        company = self.company_id
        if self.currency_id == company.currency_id or not self.service_date:
            return amount
        return self.currency_id._convert(amount, company.currency_id, company, self.service_date)

    # -- constraints -----------------------------------------------------------------------------
    @api.constrains("modifier_ids", "diagnosis_ids", "appointment_id")
    def _check_codes(self):
        for charge in self:
            if len(charge.modifier_ids) > MAX_MODIFIERS:
                raise ValidationError(
                    self.env._("A charge has at most %s modifiers.", MAX_MODIFIERS)
                )
            if len(charge.diagnosis_ids) > MAX_DIAGNOSES:
                raise ValidationError(
                    self.env._("A charge has at most %s diagnoses.", MAX_DIAGNOSES)
                )
            if charge.appointment_id and charge.diagnosis_ids - charge.appointment_id.diagnosis_ids:
                raise ValidationError(
                    self.env._(
                        "%s: a charge can only point to diagnoses of its appointment. Add the "
                        "diagnosis to the appointment first.",
                        charge.display_name,
                    )
                )

    @api.constrains("appointment_id", "client_id", "company_id", "parent_id")
    def _check_source(self):
        for charge in self:
            if not charge.appointment_id and not charge.client_id:
                raise ValidationError(self.env._("A charge needs an appointment, or a client."))
            if charge.parent_id and charge.parent_id.client_id != charge.client_id:
                raise ValidationError(
                    self.env._("A correction is for the client of the charge that it corrects.")
                )
            if charge.parent_id.parent_id:
                raise ValidationError(
                    self.env._("A correction is made of the charge, not of another correction.")
                )

    # -- create, write, delete -------------------------------------------------------------------
    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._drop_computed(vals)
            if vals.get("parent_id"):
                # with the service come its account and taxes
                parent = self.browse(vals["parent_id"])
                vals.setdefault("appointment_id", parent.appointment_id.id)
                vals.setdefault("product_id", parent.product_id.id)
            if "price_unit" in vals:
                self._mark_typed_price(vals)
            if "quantity" in vals:
                vals.setdefault("quantity_typed", True)
        charges = super().create([self._without_parts(vals) for vals in vals_list])
        charges.filtered(lambda c: c.price_source == "missing" and not c.is_priced)._apply_prices()
        for charge, vals in zip(charges, vals_list, strict=True):
            parts = self._only_parts(vals)
            if parts:
                charge.write(parts)
        return charges

    def write(self, vals):
        vals = dict(vals)
        self._check_not_billed(vals)
        if self.env.context.get("healthcare_pricing") is not PRICING:
            self._drop_computed(vals)
            if "price_unit" in vals:
                self._mark_typed_price(vals)
            if "quantity" in vals:
                vals.setdefault("quantity_typed", True)
        parts = self._only_parts(vals)
        if not parts:
            return super().write(vals)
        rest = self._without_parts(vals)
        if rest:
            super().write(rest)
        for charge in self:
            # a form sends back the parts that it computed: only other ones are typed
            if any(charge.currency_id.compare_amounts(charge[n], parts[n]) for n in parts):
                super(HealthcareCharge, charge).write(charge._completed_parts(parts))
        return True

    @api.model
    def _guarded_names(self):
        """Also for superusers: the charge of an appointment is made by whoever makes that."""
        return super()._guarded_names() | {*COMPUTED_FIELDS, *PRICE_FIELDS}

    @api.model
    def _drop_computed(self, vals):
        """Where a price comes from, and what is billed, nobody types."""
        for name in COMPUTED_FIELDS:
            vals.pop(name, None)

    def _check_not_billed(self, vals):
        names = BILLED_FIELDS & set(vals)
        if not names:
            return
        # is_held is asked once for all charges that are at hand, however they are written
        changed = self.filtered(lambda charge: charge.is_held and charge._changes(vals, names))
        if changed:
            line = changed._live_lines()[:1]
            raise UserError(
                self.env._(
                    "%(charge)s is on invoice %(invoice)s and can't change any more. Delete the "
                    "draft, or credit the invoice, then bill it again.",
                    charge=line.charge_id.display_name,
                    invoice=line.move_id._care_reference(),
                )
            )

    def _changes(self, vals, names):
        self.ensure_one()
        for name in names:
            field = self._fields[name]
            old = self[name].id if field.type == "many2one" else self[name]
            if (old or False) != (vals[name] or False):
                return True
        return False

    @api.ondelete(at_uninstall=False)
    def _unlink_except_invoiced(self):
        if self.child_ids - self:
            raise UserError(
                self.env._("Delete the corrections of a charge before the charge itself.")
            )
        # sudo: care staff may not read the ledger; payments that name a charge hold it, too
        line = self.env["account.move.line"].sudo().search([("charge_id", "in", self.ids)], limit=1)
        if line:
            raise UserError(
                self.env._(
                    "%(charge)s is on %(invoice)s and can't be deleted.",
                    charge=line.charge_id.display_name,
                    invoice=line.move_id._care_reference(),
                )
            )

    def action_view_appointment(self):
        """Open the appointment (or, for a client's own charge, the charge)."""
        self.ensure_one()
        target = self.appointment_id or self
        return {
            "type": "ir.actions.act_window",
            "res_model": target._name,
            "res_id": target.id,
            "views": [(False, "form")],
        }

    def _mend_action(self, reason):
        """Open the record on which a block reason can be mended.

        :param reason: ``healthcare.block.reason`` record
        :return: window action
        """
        self.ensure_one()
        targets = {
            "appointment": self.appointment_id,
            "billing_account": self.billing_account_id,
            "client": self.client_id,
            "payer": self.payer_id,
            "product": self.product_id.product_tmpl_id,
            "employee": self.employee_id,
            "authorization": self.authorization_id,
            "company": self.company_id,
        }
        if reason.mend_target == "employee" and self.employee_id:
            return {
                **self.env["ir.actions.act_window"]._for_xml_id(
                    "healthcare_billing.healthcare_provider_details_action"
                ),
                "context": {"default_employee_id": self.employee_id.id},
            }
        target = targets.get(reason.mend_target) or self.appointment_id or self
        return {
            "type": "ir.actions.act_window",
            "name": reason.name,
            "res_model": target._name,
            "res_id": target.id,
            "views": [(False, "form")],
            "target": "new" if target._name != "res.company" else "current",
        }
