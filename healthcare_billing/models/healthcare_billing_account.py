from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command, Domain


class HealthcareBillingAccount(models.Model):
    """Why and by whom a client's care is paid: a service contract, matter or episode of care."""

    _name = "healthcare.billing.account"
    _description = "Care Billing Account"
    _inherit = ("mail.thread", "healthcare.turns.mixin")
    _order = "client_id, sequence, id"
    _check_company_auto = True

    name = fields.Char(
        compute="_compute_name", store=True, readonly=False, precompute=True, required=True
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    client_id = fields.Many2one(
        "res.partner", required=True, index=True, ondelete="restrict", check_company=True
    )
    payer_id = fields.Many2one(
        "res.partner",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        tracking=True,
        help="Empty: the client pays.",
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    coverage_ids = fields.Many2many(
        "healthcare.coverage",
        "healthcare_account_coverage_rel",
        "account_id",
        "coverage_id",
        string="Coverages",
        check_company=True,
        help="In the order in which they pay: primary, secondary, tertiary.",
    )
    guarantor_id = fields.Many2one(
        "res.partner",
        string="Billing Contact",
        index="btree_not_null",
        check_company=True,
        help="Receives the client's invoices. Empty: the client.",
    )
    preferred_payment_method_line_id = fields.Many2one(
        "account.payment.method.line",
        string="Payment Method",
        domain="[('payment_type', '=', 'inbound'), ('company_id', '=', company_id)]",
    )
    department_id = fields.Many2one("hr.department", check_company=True)
    diagnosis_line_ids = fields.One2many(
        "healthcare.billing.account.diagnosis", "account_id", string="Diagnoses", copy=True
    )
    diagnosis_ids = fields.Many2many(
        "healthcare.diagnosis",
        compute="_compute_diagnosis_ids",
        inverse="_inverse_diagnosis_ids",
        string="Present Diagnoses",
        help="Put on each new appointment.",
    )
    default_product_id = fields.Many2one(
        "product.product",
        string="Default Service",
        domain="[('is_healthcare_service', '=', True)]",
        check_company=True,
    )
    has_default_fee = fields.Boolean(
        string="Own Fee",
        help="The default service costs this client the fee given here. Needed because 0.00 is a "
        "fee too: free.",
    )
    default_fee = fields.Float(digits=(16, 4), min_display_digits=2)
    rate_ids = fields.One2many(
        "healthcare.billing.account.rate", "account_id", string="Rates", copy=True
    )
    payment_term_id = fields.Many2one("account.payment.term", check_company=True)
    billable = fields.Boolean(default=True, tracking=True)
    billing_status = fields.Selection(
        [("active", "Active"), ("on_hold", "On Hold"), ("closed", "Closed")],
        default="active",
        required=True,
        tracking=True,
    )
    group_single_claim = fields.Boolean(
        string="One Claim per Invoice",
        help="Bring all appointments of an invoice into a single claim.",
    )

    _check_default_fee = models.Constraint(
        "CHECK (default_fee >= 0)", "The default fee can't be negative."
    )

    @api.depends("client_id", "payer_id")
    def _compute_name(self):
        for account in self:
            payer = account.payer_id.name or self.env._("Self-pay")
            account.name = f"{account.client_id.name} - {payer}" if account.client_id else payer

    @api.depends("diagnosis_line_ids.diagnosis_id", "diagnosis_line_ids.resolved_on")
    def _compute_diagnosis_ids(self):
        today = fields.Date.context_today(self)
        for account in self:
            account.diagnosis_ids = account.diagnosis_line_ids.filtered(
                lambda line: not line.resolved_on or line.resolved_on >= today
            ).diagnosis_id

    def _inverse_diagnosis_ids(self):
        """Add and take away present diagnoses; resolved ones are history, and stay."""
        today = fields.Date.context_today(self)
        for account in self:
            present = account.diagnosis_ids
            lines = account.diagnosis_line_ids
            gone = lines.filtered(
                lambda line, present=present: (
                    line.diagnosis_id not in present
                    and (not line.resolved_on or line.resolved_on >= today)
                )
            )
            back = lines.filtered(
                lambda line, present=present: (
                    line.diagnosis_id in present and line.resolved_on and line.resolved_on < today
                )
            )
            account.diagnosis_line_ids = [
                *(Command.delete(line.id) for line in gone),
                *(Command.update(line.id, {"resolved_on": False}) for line in back),
                *(
                    Command.create({"diagnosis_id": diagnosis.id})
                    for diagnosis in present - lines.diagnosis_id
                ),
            ]

    @api.constrains("client_id")
    def _check_client(self):
        for account in self:
            if not account.client_id.is_healthcare_client:
                raise ValidationError(
                    self.env._(
                        "%s is not a care client. Tick “Care Client” on the contact first.",
                        account.client_id.display_name,
                    )
                )

    @api.constrains("payer_id")
    def _check_payer(self):
        for account in self:
            if account.payer_id and not account.payer_id.is_payer:
                raise ValidationError(
                    self.env._(
                        "%s is not a payer. Tick “Payer” on the contact first.",
                        account.payer_id.display_name,
                    )
                )

    @api.constrains("guarantor_id")
    def _check_guarantor(self):
        # sudo: who stores a contact of a company need not be allowed to see that company
        self.guarantor_id.sudo()._check_may_get_care_invoices()

    @api.constrains("coverage_ids", "client_id")
    def _check_coverages(self):
        for account in self:
            if account.coverage_ids.client_id - account.client_id:
                raise ValidationError(
                    self.env._("A billing account can only use its own client's coverages.")
                )

    @api.onchange("default_fee")
    def _onchange_default_fee(self):
        if self.default_fee:
            self.has_default_fee = True

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._mark_given_fee(vals)
        return super().create(vals_list)

    def write(self, vals):
        if "company_id" in vals or "client_id" in vals:
            self._check_unused(vals)
        return super().write(self._mark_given_fee(dict(vals)))

    @api.model
    def _mark_given_fee(self, vals):
        """A fee that is written is a given fee, 0.00 included, unless the caller says otherwise."""
        if "default_fee" in vals:
            vals.setdefault("has_default_fee", True)
        return vals

    def _check_unused(self, vals):
        """Moving a used account to another client or company would move what was billed."""
        changed = self.filtered(
            lambda account: any(
                vals.get(name, account[name].id) != account[name].id
                for name in ("company_id", "client_id")
            )
        )
        used = Domain("billing_account_id", "in", changed.ids)
        if changed and self.env["healthcare.charge"].search_count(used, limit=1):
            raise UserError(
                self.env._(
                    "Charges were made on this billing account: its client and company can't "
                    "change. Close it and create another."
                )
            )

    # -- who pays --------------------------------------------------------------------------------
    def _ordered_coverages(self, day):
        """Coverages valid on a day, in paying order.

        :param date day: date of service
        :return: ``healthcare.coverage`` recordset
        """
        self.ensure_one()
        return self.coverage_ids.filtered(lambda coverage: coverage._covers(day)).sorted(
            lambda coverage: (coverage.sequence, coverage.id)
        )

    def _default_copay(self, payer, day):
        """Client's share agreed with a payer, per appointment, in company currency."""
        if not self or not payer:
            return 0.0
        coverages = self._ordered_coverages(day)
        return coverages.filtered(lambda coverage: coverage.payer_id == payer)[:1].copay_amount

    # -- diagnoses -------------------------------------------------------------------------------
    def _diagnoses_on(self, day):
        """Diagnoses that apply to care given on a day, the primary one first."""
        return self.diagnosis_line_ids.filtered(lambda line: line._applies_on(day)).diagnosis_id

    def _order_diagnoses(self, diagnoses):
        """Put diagnoses in the order of the client's list; others follow by code."""
        order = {line.diagnosis_id: n for n, line in enumerate(self.diagnosis_line_ids)}
        return diagnoses.sorted(
            lambda diagnosis: (order.get(diagnosis, len(order)), diagnosis.code, diagnosis.id)
        )
