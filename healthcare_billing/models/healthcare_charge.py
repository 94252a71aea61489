from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command

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
    "product_id",
    "quantity",
    "price_unit",
    "is_priced",
    "currency_id",
    "billing_account_id",
    "payer_id",
    "client_id",
    "company_id",
    *PART_FIELDS.values(),
}
# Kinds whose parts may differ in sign from the amount: they move debts.
SIGNED_KINDS = ("adjustment", "transfer")
MAX_MODIFIERS = 4
MAX_DIAGNOSES = 4


class HealthcareCharge(models.Model):
    """What is owed for one thing done: the only thing that the engine puts on invoices.

    A correction is a child charge (kind adjustment or transfer), never a second invoice line of
    the same charge. ``amount`` is untaxed and always the sum of its parts per responsibility.
    """

    _name = "healthcare.charge"
    _description = "Care Charge"
    _order = "service_date, appointment_id, parent_id nulls first, id"
    _check_company_auto = True

    appointment_id = fields.Many2one(
        "healthcare.appointment", index="btree_not_null", ondelete="cascade", check_company=True
    )
    parent_id = fields.Many2one(
        "healthcare.charge",
        string="Corrects",
        index="btree_not_null",
        ondelete="cascade",
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

    # -- price --------------------------------------------------------------------------------------
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

    # -- who owes it --------------------------------------------------------------------------------
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
    parts_typed = fields.Boolean(
        compute="_compute_parts",
        store=True,
        readonly=False,
        precompute=True,
        help="The parts were typed, and no default replaces them.",
    )

    # -- billing ------------------------------------------------------------------------------------
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
    amount_invoiced = fields.Monetary(
        compute="_compute_billing",
        store=True,
        help="Untaxed, on posted invoices, less posted credits.",
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
        "(company_id, service_date) WHERE billing_stage = 'billing_office'"
    )

    # -- computes -----------------------------------------------------------------------------------
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
                or fields.Date.context_today(charge)
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

    @api.depends(
        "amount",
        "payer_id",
        "billing_account_id",
        "appointment_id.state",
        "appointment_id.charge_ids",
    )
    def _compute_parts(self):
        """Split the amount; typed parts of client and secondary payer are kept as far as it goes.

        They fall with the payer's debt: when somebody owes again, the defaults count.
        """
        for charge in self:
            client, secondary = charge.amount_client, charge.amount_secondary
            if charge.is_live:  # who owes it stands in the ledger
                charge.amount_client, charge.amount_secondary = client, secondary
                charge.amount_payer = charge.amount_payer
                charge.parts_typed = charge.parts_typed
                continue
            charge.parts_typed = charge.parts_typed and charge._is_payer_responsible()
            if not charge.parts_typed:
                client, secondary = charge._default_client_part(), 0.0
            elif charge.kind not in SIGNED_KINDS:
                client = min(client, max(charge.amount, 0.0))
                secondary = min(secondary, max(charge.amount - client, 0.0))
            charge.amount_client = client
            charge.amount_secondary = secondary
            charge.amount_payer = charge.currency_id.round(charge.amount - client - secondary)

    def _is_payer_responsible(self):
        """Whether anybody but the client can owe this charge (R7, invoicing model)."""
        self.ensure_one()
        return bool(
            self.payer_id
            and self.payer_id.invoicing_model != "client_individual"
            and not (self.appointment_id and self.appointment_id._is_client_only())
        )

    def _default_client_part(self):
        """The co-pay for the first service of an appointment; all of it without a payer."""
        self.ensure_one()
        if not self._is_payer_responsible():
            return self.amount
        if not self._is_first_service() or self.amount <= 0:
            return 0.0
        copay = self.company_id.currency_id._convert(
            self.billing_account_id._default_copay(self.service_date),
            self.currency_id,
            self.company_id,
            self.service_date,
        )
        return min(copay, self.amount)

    def _is_first_service(self):
        """Whether this is the charge of its appointment that carries the co-pay."""
        self.ensure_one()
        if self.kind != "service" or self.parent_id:
            return False
        ids = self.appointment_id._service_charges()._origin.ids
        return not ids or self._origin.id == min(ids)

    @api.depends("invoice_line_ids.charge_live")
    def _compute_is_live(self):
        live = {
            charge.id
            for (charge,) in self.env["account.move.line"]._read_group(
                [("charge_id", "in", self.ids), ("charge_live", "=", True)], ["charge_id"]
            )
        }
        for charge in self:
            charge.is_live = charge._origin.id in live

    @api.depends(
        "amount",
        "amount_client",
        "amount_payer",
        "amount_secondary",
        "appointment_id.state",
        "appointment_id.qa_state",
        "appointment_id.billable",
        "appointment_id.cancel_reason_id",
        "billing_account_id.billable",
        "company_id.healthcare_qa_review",
        "invoice_line_ids.charge_live",
        "invoice_line_ids.parent_state",
        "invoice_line_ids.price_subtotal",
        "invoice_line_ids.move_id.payment_state",
    )
    def _compute_billing(self):
        """Stage and invoiced sum, from one read of the ledger for all charges."""
        ledger = self._ledger_summary()
        for charge in self:
            invoiced, parts = ledger.get(charge._origin.id, (0.0, {}))
            charge.amount_invoiced = invoiced
            charge.billing_stage = charge._stage(parts)

    def _ledger_summary(self):
        """What the ledger says of charges.

        :return: ``{charge id: (posted amount net of credits, {responsibility: stage})}`` where
            stage is that of the live line: draft, awaiting_payment or finished
        """
        summary = {}
        lines = self.env["account.move.line"].search_fetch(
            [("charge_id", "in", self.ids)],
            [
                "charge_id", "responsibility", "charge_live", "parent_state", "price_subtotal",
                "move_type", "move_id", "credit_of_line_id",
            ],
        )  # fmt: skip
        for line in lines:
            invoiced, parts = summary.get(line.charge_id.id, (0.0, {}))
            if line.parent_state == "posted":
                refund = line.move_type == "out_refund"
                invoiced += -line.price_subtotal if refund else line.price_subtotal
            if line.charge_live:
                if line.parent_state == "draft":
                    stage = "draft"
                elif line.move_id.payment_state in ("paid", "in_payment", "reversed"):
                    stage = "finished"
                else:
                    stage = "awaiting_payment"
                parts[line.responsibility] = stage
            summary[line.charge_id.id] = (invoiced, parts)
        return summary

    def _stage(self, live_parts):
        """Where the charge is on the road.

        :param dict live_parts: stage per responsibility that an invoice holds
        """
        self.ensure_one()
        open_parts = set(self._parts()) - set(live_parts)
        if live_parts and not open_parts:
            order = ("draft", "awaiting_payment", "finished")
            return min(live_parts.values(), key=order.index)
        appointment = self.appointment_id
        if appointment and not appointment._is_billable():
            return "not_billable"
        if self.billing_account_id and not self.billing_account_id.billable:
            return "not_billable"
        if appointment.state == "scheduled":
            return "planned"
        if appointment.company_id.healthcare_qa_review and appointment.qa_state in (
            "review",
            "corrections",
        ):
            return "qa"
        return "billing_office"

    def _parts(self):
        """Who owes how much of the charge; somebody always does, be it 0.00.

        :return: ``{responsibility: amount}`` in the charge's currency
        """
        self.ensure_one()
        parts = {
            responsibility: self[name]
            for responsibility, name in PART_FIELDS.items()
            if not self.currency_id.is_zero(self[name])
        }
        return parts or {"primary" if self._is_payer_responsible() else "client": 0.0}

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
        return self.currency_id._convert(
            amount, company.currency_id, company, self.service_date
        )

    # -- constraints --------------------------------------------------------------------------------
    # Not on "amount": it is computed before its parts, which then still are those of the old one.
    @api.constrains("amount_client", "amount_payer", "amount_secondary")
    def _check_parts(self):
        for charge in self:
            total = charge.amount_client + charge.amount_payer + charge.amount_secondary
            if charge.currency_id.compare_amounts(total, charge.amount):
                raise ValidationError(
                    self.env._(
                        "%(charge)s: the parts of client and payers add up to %(total)s, not to "
                        "the charge's %(amount)s.",
                        charge=charge.display_name,
                        total=charge.currency_id.format(total),
                        amount=charge.currency_id.format(charge.amount),
                    )
                )
            parts = [charge[name] for name in PART_FIELDS.values()]
            low, high = sorted((0.0, charge.amount))
            if charge.kind not in SIGNED_KINDS and any(
                charge.currency_id.compare_amounts(part, low) < 0
                or charge.currency_id.compare_amounts(part, high) > 0
                for part in parts
            ):
                raise ValidationError(
                    self.env._(
                        "%(charge)s: nobody can owe more than the charge's %(amount)s, or less "
                        "than nothing.",
                        charge=charge.display_name,
                        amount=charge.currency_id.format(charge.amount),
                    )
                )

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
                raise ValidationError(
                    self.env._("A charge needs an appointment, or a client.")
                )
            if charge.parent_id.parent_id:
                raise ValidationError(
                    self.env._("A correction is made of the charge, not of another correction.")
                )

    # -- create, write, delete ----------------------------------------------------------------------
    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("parent_id") and "appointment_id" not in vals:
                vals["appointment_id"] = self.browse(vals["parent_id"]).appointment_id.id
            if vals.get("kind") == "transfer":  # moves a debt, has no price of its own
                vals.setdefault("price_unit", 0.0)
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
        if not self.env.context.get("healthcare_pricing"):
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
    def _mark_typed_price(self, vals):
        """A price that is given is typed, unless a form only sends the 0.00 of an empty field."""
        if not vals["price_unit"] and not vals.get("is_priced", True):
            return
        vals["is_priced"] = True
        vals.setdefault("price_source", "typed")
        vals.setdefault(
            "price_reason", self.env._("Typed by %s", self.env.user.name)
        )

    @api.model
    def _only_parts(self, vals):
        return {name: vals[name] for name in PART_FIELDS.values() if name in vals}

    @api.model
    def _without_parts(self, vals):
        return {name: value for name, value in vals.items() if name not in PART_FIELDS.values()}

    def _completed_parts(self, typed):
        """Typed parts, and the rest on whoever was not typed: the sum never changes.

        Typing the client's part moves the difference to the payer, typing a payer's part moves it
        to the client; typing 0.00 so moves all of it.

        :param dict typed: some of the part fields
        :return: all of the part fields
        """
        self.ensure_one()
        insured = self._is_payer_responsible()
        if insured or not any(typed.get(n) for n in ("amount_payer", "amount_secondary")):
            parts = {name: typed.get(name, self[name]) for name in PART_FIELDS.values()}
            rest = "amount_payer" if "amount_payer" not in typed else "amount_client"
            if rest in typed:  # all typed: _check_parts tells when the sum is wrong
                return {**parts, "parts_typed": True}
            if rest == "amount_payer" and not insured:
                rest = "amount_client"
            others = sum(value for name, value in parts.items() if name != rest)
            parts[rest] = self.currency_id.round(self.amount - others)
            return {**parts, "parts_typed": True}
        raise UserError(
            self.env._(
                "%s has no payer who could owe a part: the client owes all of it. Choose a payer "
                "on the billing account first. Missed appointments are always the client's.",
                self.display_name,
            )
        )

    def _check_not_billed(self, vals):
        names = BILLED_FIELDS & set(vals)
        if not names:
            return
        changed = self.filtered(lambda charge: charge._changes(vals, names))
        line = changed._live_lines()[:1]
        if line:
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
        line = self._ledger_lines()[:1]
        if line:
            raise UserError(
                self.env._(
                    "%(charge)s is on invoice %(invoice)s and can't be deleted.",
                    charge=line.charge_id.display_name,
                    invoice=line.move_id._care_reference(),
                )
            )

    # -- ledger -------------------------------------------------------------------------------------
    def _ledger_lines(self):
        """All invoice and credit lines of these charges.

        sudo: care staff may not read the ledger, yet must be told that it holds the charge.
        """
        return self.env["account.move.line"].sudo().search([("charge_id", "in", self.ids)])

    def _live_lines(self):
        """Lines that bill these charges now, on drafts or posted invoices (sudo: see above)."""
        return self._ledger_lines().filtered("charge_live")

    # -- following the appointment ------------------------------------------------------------------
    def _take_service_from_appointment(self):
        for charge in self:
            product = charge.appointment_id.product_id
            if product and charge.product_id != product:
                charge.write(
                    {
                        "product_id": product.id,
                        "modifier_ids": [Command.set(product.modifier_ids[:MAX_MODIFIERS].ids)],
                        "price_source": "missing",
                        "is_priced": False,
                        "quantity_typed": False,
                    }
                )

    def _take_quantity_from_appointment(self):
        for charge in self.with_context(healthcare_pricing=True):
            units = charge.appointment_id._billable_units()
            if not charge.quantity_typed and charge.quantity != units:
                charge.quantity = units

    def _take_diagnoses_from_appointment(self):
        for charge in self:
            known = charge.appointment_id.diagnosis_ids
            kept = charge.diagnosis_ids & known
            charge.diagnosis_ids = kept or known[:MAX_DIAGNOSES]

    # -- price (R1) ---------------------------------------------------------------------------------
    def _apply_prices(self):
        """Look the price up and freeze it (R2). Typed prices and invoiced charges stay."""
        charges = self.filtered(lambda c: c.price_source != "typed" and not c.is_live)
        for charge, price in charges._find_prices().items():
            charge.with_context(healthcare_pricing=True).write(price)

    def _find_prices(self):
        """Price each charge by the first rule that hits (R1), and say which.

        Billing account's rate; rule of the payer's fee schedule on this very service by date of
        service; practice default. With a payer that requires a fee schedule there is no default.

        :return: ``{charge: values of is_priced, price_unit, price_source, price_reason,
            currency_id}``
        """
        prices = {}
        by_schedule = self._find_fee_schedule_prices()
        for charge in self:
            price = charge._account_price() or by_schedule.get(charge) or charge._default_price()
            prices[charge] = {"currency_id": charge.company_id.currency_id.id, **price}
        return prices

    def _account_price(self):
        """The client's own fee for the service, or None."""
        self.ensure_one()
        account = self.billing_account_id
        rate = account.rate_ids.filtered(lambda rate: rate.product_id == self.product_id)[:1]
        if rate:
            fee = rate.fee
        elif account.has_default_fee and account.default_product_id == self.product_id:
            fee = account.default_fee
        else:
            return None
        if not self.product_id:
            return None
        return {
            "is_priced": True,
            "price_unit": fee,
            "price_source": "billing_account",
            "price_reason": self.env._("Rate of billing account %s", account.name),
        }

    def _find_fee_schedule_prices(self):
        """Prices by the payers' fee schedules."""
        return {
            charge: {
                "is_priced": True,
                "price_unit": price,
                "price_source": "fee_schedule",
                "price_reason": self.env._(
                    "Fee schedule %(schedule)s on %(day)s",
                    schedule=schedule.name,
                    day=charge.service_date,
                ),
                "currency_id": schedule.currency_id.id,
            }
            for charge, (schedule, _rule_id, price) in self._find_fee_schedule_rules().items()
        }

    def _find_fee_schedule_rules(self, days=None):
        """Rules of the payers' fee schedules on the very service, one call per schedule and day.

        :param dict days: day per charge, default the date of service
        :return: ``{charge: (schedule, rule id, price)}``, only charges with a rule
        """
        groups = {}
        for charge in self:
            schedule = charge.payer_id.with_company(charge.company_id).fee_schedule_id
            if schedule.active and charge.product_id:
                day = days[charge] if days else charge.service_date
                key = (charge.company_id, schedule, day)
                groups.setdefault(key, self.browse())
                groups[key] |= charge
        prices = {}
        for (company, schedule, day), charges in groups.items():
            noon = company._care_noon(day)
            found = schedule._compute_price_rule(charges.product_id, 1.0, date=noon)
            rules = self.env["product.pricelist.item"].browse(
                [rule_id for _price, rule_id in found.values() if rule_id]
            )
            own_rules = set(
                rules.filtered(lambda r: r.applied_on in ("0_product_variant", "1_product")).ids
            )
            for charge in charges:
                price, rule_id = found[charge.product_id.id]
                if rule_id in own_rules:
                    prices[charge] = (schedule, rule_id, price)
        return prices

    def _apply_prices_of_new_day(self, days):
        """Contracts price by date of service (R1): where care moved to a day on which another rule
        holds, take its price. The same rule, changed meanwhile, changes nothing (R2).

        :param dict days: former date of service per charge
        """
        before = self._find_fee_schedule_rules(days)
        after = self._find_fee_schedule_rules()
        self.filtered(
            lambda charge: before.get(charge, ())[:2] != after.get(charge, ())[:2]
        )._apply_prices()

    def _default_price(self):
        """The practice's list price, or no price."""
        self.ensure_one()
        missing = {"is_priced": False, "price_unit": 0.0, "price_source": "missing"}
        if not self.product_id:
            return {**missing, "price_reason": self.env._("No service, no price")}
        if self.payer_id.requires_fee_schedule:
            return {
                **missing,
                "price_reason": self.env._(
                    "%s requires a fee schedule, and none has this service on this date",
                    self.payer_id.name,
                ),
            }
        product = self.product_id.with_company(self.company_id)
        price = product.currency_id._convert(
            product.lst_price,
            self.company_id.currency_id,
            self.company_id,
            self.service_date,
            round=False,
        )
        return {
            "is_priced": True,
            "price_unit": price,
            "price_source": "practice_default",
            "price_reason": self.env._("List price of %s", self.product_id.display_name),
        }

    def action_find_price(self):
        """Look up the price of charges that have none."""
        self.filtered(lambda charge: not charge.is_priced)._apply_prices()

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
