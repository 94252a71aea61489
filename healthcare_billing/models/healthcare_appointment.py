from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.units import minutes_between

CHARGE_STAGES = [
    ("planned", "Planned"),
    ("qa", "In QA"),
    ("billing_office", "To Bill"),
    ("draft", "On a Draft Invoice"),
    ("awaiting_payment", "Awaiting Payment"),
    ("finished", "Finished"),
    ("not_billable", "Not Billable"),
]

# Stages of care that no invoice holds in full, and that may be billed.
OPEN_STAGES = ["planned", "qa", "billing_office"]

# What decides price, addressee or account of the service charge.
REPRICING_FIELDS = {"product_id", "billing_account_id", "payer_id"}
# What decides how many units it has.
QUANTITY_FIELDS = {
    "start",
    "stop",
    "clock_in",
    "clock_out",
    "distance",
    "approval_state",
    "approved_qty",
    "has_approved_qty",
    "has_bill_override",
    "bill_override_qty",
}
# What decides who owes it.
SPLIT_FIELDS = {"state", "cancel_reason_id"}


class HealthcareAppointment(models.Model):
    """A visit, session or trip: the care that happens, and the source of its charges.

    =====================  ==========  ===========  ============  ===============
    may                    care staff  coordinator  billing user  billing manager
    =====================  ==========  ===========  ============  ===============
    read                   own         all          all           all
    create, change         own         all          all           all
    delete (not invoiced)  no          all          all           all
    approve, end QA        no          all          all           all
    override units, park   no          all          all           all
    type prices and parts  no          all          all           all
    =====================  ==========  ===========  ============  ===============
    """

    _name = "healthcare.appointment"
    _description = "Care Appointment"
    _inherit = (
        "mail.thread",
        "mail.activity.mixin",
        "healthcare.guarded.mixin",
        "healthcare.computed.mixin",
    )
    _order = "start desc, id desc"
    _check_company_auto = True

    # The name stands in calendars, mails and payment references: a number, nothing clinical.
    name = fields.Char(
        string="Number", required=True, readonly=True, copy=False, default="/", index="trigram"
    )
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")

    # -- who -------------------------------------------------------------------------------------
    client_id = fields.Many2one(
        "res.partner",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        domain="[('is_healthcare_client', '=', True)]",
        tracking=True,
    )
    billing_account_id = fields.Many2one(
        "healthcare.billing.account",
        compute="_compute_billing_account_id",
        store=True,
        readonly=False,
        precompute=True,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        domain="[('client_id', '=', client_id), ('company_id', '=', company_id)]",
        tracking=True,
    )
    payer_id = fields.Many2one(
        "res.partner",
        compute="_compute_payer_id",
        store=True,
        readonly=False,
        precompute=True,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        domain="[('is_payer', '=', True)]",
        tracking=True,
    )
    employee_id = fields.Many2one(
        "hr.employee",
        string="Provider",
        default=lambda self: self._default_employee_id(),
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        tracking=True,
    )
    employee_user_id = fields.Many2one(
        related="employee_id.user_id", string="Provider's User", related_sudo=True
    )
    department_id = fields.Many2one(
        "hr.department",
        compute="_compute_department_id",
        store=True,
        readonly=False,
        precompute=True,
        check_company=True,
    )

    # -- what ------------------------------------------------------------------------------------
    product_id = fields.Many2one(
        "product.product",
        string="Service",
        compute="_compute_product_id",
        store=True,
        readonly=False,
        precompute=True,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        domain="[('is_healthcare_service', '=', True)]",
        tracking=True,
    )
    place_of_service_id = fields.Many2one(
        "healthcare.place.of.service",
        compute="_compute_place_of_service_id",
        store=True,
        readonly=False,
        precompute=True,
    )
    diagnosis_ids = fields.Many2many(
        "healthcare.diagnosis",
        compute="_compute_diagnosis_ids",
        store=True,
        readonly=False,
        precompute=True,
        string="Diagnoses",
    )
    authorization_id = fields.Many2one(
        "healthcare.authorization",
        check_company=True,
        index="btree_not_null",
        domain="[('client_id', '=', client_id)]",
    )

    # -- when ------------------------------------------------------------------------------------
    start = fields.Datetime(required=True, index=True, default=fields.Datetime.now, tracking=True)
    stop = fields.Datetime(
        compute="_compute_stop", store=True, readonly=False, precompute=True, tracking=True
    )
    duration = fields.Float(
        compute="_compute_duration", inverse="_inverse_duration", help="Scheduled hours."
    )
    clock_in = fields.Datetime(copy=False)
    clock_out = fields.Datetime(copy=False)
    clocked_duration = fields.Float(compute="_compute_clocked_duration", help="Clocked hours.")
    service_date = fields.Date(
        compute="_compute_service_date",
        store=True,
        precompute=True,
        index=True,
        help="Local day on which the appointment starts.",
    )

    # -- state -----------------------------------------------------------------------------------
    state = fields.Selection(
        [
            ("scheduled", "Scheduled"),
            ("completed", "Completed"),
            ("late_canceled", "Late Canceled"),
            ("no_show", "No-Show"),
            ("rescheduled", "Rescheduled"),
            ("canceled", "Canceled"),
        ],
        default="scheduled",
        required=True,
        index=True,
        copy=False,
        tracking=True,
    )
    cancel_reason_id = fields.Many2one("healthcare.cancel.reason", copy=False, tracking=True)
    note_state = fields.Selection(
        [("missing", "Missing"), ("draft", "Draft"), ("signed", "Signed")],
        string="Note",
        default="missing",
        required=True,
        copy=False,
        tracking=True,
    )
    note_signed_by_id = fields.Many2one("res.users", string="Note Signed by", copy=False)
    note_cosigned_by_id = fields.Many2one("res.users", string="Note Co-signed by", copy=False)
    qa_state = fields.Selection(
        [
            ("none", "None"),
            ("review", "Review"),
            ("corrections", "Corrections"),
            ("done", "Done"),
        ],
        string="QA",
        default="none",
        required=True,
        copy=False,
        tracking=True,
    )
    approval_state = fields.Selection(
        [
            ("not_approved", "Not Approved"),
            ("approved", "Approved"),
            ("rejected", "Rejected"),
        ],
        string="Approval",
        default="not_approved",
        required=True,
        copy=False,
        tracking=True,
    )
    approved_qty = fields.Float(string="Approved Units", digits=(16, 2), copy=False)
    approved_on = fields.Datetime(readonly=True, copy=False)
    approved_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    to_resubmit = fields.Boolean(
        string="Resubmit",
        copy=False,
        tracking=True,
        help="The next “Marked for resubmission” of its billing cycle credits what was invoiced, "
        "and invoices it again.",
    )
    has_bill_override = fields.Boolean(copy=False)
    bill_override_qty = fields.Float(
        string="Bill Override", digits=(16, 2), copy=False, help="Units to bill; 0 is a value."
    )
    has_pay_override = fields.Boolean(copy=False)
    pay_override_qty = fields.Float(
        string="Pay Override", digits=(16, 2), copy=False, help="Units to pay; 0 is a value."
    )
    is_unscheduled = fields.Boolean(copy=False, help="Clocked in without a schedule.")
    is_vacant = fields.Boolean(help="Nobody is assigned to give this care yet.")
    billable = fields.Boolean(default=True, copy=False, tracking=True)
    parked = fields.Boolean(copy=False, tracking=True)
    parked_until = fields.Date(copy=False)
    parked_reason = fields.Char(copy=False)

    # -- trip ------------------------------------------------------------------------------------
    pickup_address = fields.Char(string="Pick-up")
    dropoff_address = fields.Char(string="Drop-off")
    distance = fields.Float(string="Distance (miles)", digits=(16, 2), copy=False)
    waiting_minutes = fields.Integer(copy=False)

    # -- notes: lines that begin with "!" may be printed, everything else is confidential --------
    preauthorization_note = fields.Text(copy=False)
    dispatcher_note = fields.Text(copy=False)
    billing_note = fields.Text(copy=False)

    # -- money -----------------------------------------------------------------------------------
    charge_ids = fields.One2many("healthcare.charge", "appointment_id", copy=False)
    amount_total = fields.Monetary(
        compute="_compute_amounts", store=True, string="Charged", help="Untaxed."
    )
    amount_client = fields.Monetary(compute="_compute_amounts", store=True, string="Client's Part")
    amount_payer = fields.Monetary(compute="_compute_amounts", store=True, string="Payers' Part")
    billing_stage = fields.Selection(
        CHARGE_STAGES,
        compute="_compute_billing_stage",
        store=True,
        index=True,
        help="The least advanced stage of the appointment's charges.",
    )
    block_reason_ids = fields.Many2many(
        "healthcare.block.reason",
        compute="_compute_block_reason_ids",
        search="_search_block_reason_ids",
        string="Why Not Billed",
        help="Everything that keeps this appointment from being billed today.",
    )
    invoice_ids = fields.Many2many(
        "account.move",
        compute="_compute_invoice_ids",
        compute_sudo=True,  # the count is for those too who may not read invoices
        string="Invoices",
        groups="account.group_account_invoice,account.group_account_readonly",
    )
    invoice_count = fields.Integer(compute="_compute_invoice_ids", compute_sudo=True)

    _check_times = models.Constraint(
        "CHECK (stop IS NULL OR stop >= start)", "An appointment can't end before it starts."
    )
    _check_clock = models.Constraint(
        "CHECK (clock_out IS NULL OR clock_in IS NULL OR clock_out >= clock_in)",
        "Nobody can clock out before clocking in.",
    )
    _check_quantities = models.Constraint(
        "CHECK (distance >= 0 AND approved_qty >= 0 AND bill_override_qty >= 0"
        " AND pay_override_qty >= 0 AND waiting_minutes >= 0)",
        "Units, distance and waiting time can't be negative.",
    )

    @api.model
    def _default_employee_id(self):
        """Care staff plan for themselves: they may not see other appointments."""
        user = self.env.user
        own_only = user.has_group("healthcare_billing.group_care_staff") and not user.has_group(
            "healthcare_billing.group_coordinator"
        )
        return user.employee_id.id if own_only else False

    # -- computes --------------------------------------------------------------------------------
    @api.depends("client_id", "company_id")
    def _compute_billing_account_id(self):
        accounts = self.env["healthcare.billing.account"].search(
            [("client_id", "in", self.client_id.ids), ("company_id", "in", self.company_id.ids)]
        )
        first = {}
        for account in accounts.sorted(lambda account: account.billing_status != "active"):
            first.setdefault((account.client_id.id, account.company_id.id), account)
        for appointment in self:
            account = appointment.billing_account_id
            key = (appointment.client_id.id, appointment.company_id.id)
            if account and (account.client_id.id, account.company_id.id) == key:
                continue
            appointment.billing_account_id = first.get(key, False)

    @api.depends("billing_account_id")
    def _compute_payer_id(self):
        for appointment in self:
            appointment.payer_id = appointment.billing_account_id.payer_id

    @api.depends("billing_account_id")
    def _compute_product_id(self):
        for appointment in self:
            appointment.product_id = (
                appointment.product_id or appointment.billing_account_id.default_product_id
            )

    @api.depends("billing_account_id")
    def _compute_department_id(self):
        for appointment in self:
            appointment.department_id = (
                appointment.department_id or appointment.billing_account_id.department_id
            )

    @api.depends("billing_account_id")
    def _compute_diagnosis_ids(self):
        for appointment in self:
            day = appointment.service_date or fields.Date.context_today(appointment)
            appointment.diagnosis_ids = (
                appointment.diagnosis_ids or appointment.billing_account_id._diagnoses_on(day)
            )

    @api.depends("product_id")
    def _compute_place_of_service_id(self):
        for appointment in self:
            appointment.place_of_service_id = (
                appointment.place_of_service_id or appointment.product_id.place_of_service_id
            )

    @api.depends("start", "product_id")
    def _compute_stop(self):
        """Keep the length when the start moves; a new appointment gets the service's length.

        ``write`` gives the end itself: here the old start of a saved appointment is gone already.
        """
        for appointment in self:
            before = appointment._origin
            if before.start and before.stop and before.product_id == appointment.product_id:
                length = before.stop - before.start
            else:
                length = timedelta(hours=appointment.product_id.default_duration or 1.0)
            appointment.stop = appointment.start and appointment.start + length

    @api.depends("start", "stop")
    def _compute_duration(self):
        for appointment in self:
            appointment.duration = minutes_between(appointment.start, appointment.stop) / 60.0

    def _inverse_duration(self):
        for appointment in self:
            appointment.stop = appointment.start + timedelta(hours=appointment.duration)

    @api.depends("clock_in", "clock_out")
    def _compute_clocked_duration(self):
        for appointment in self:
            minutes = minutes_between(appointment.clock_in, appointment.clock_out)
            appointment.clocked_duration = minutes / 60.0

    # Not on the company's time zone: changing it must not move care that was billed.
    @api.depends("start", "company_id")
    def _compute_service_date(self):
        for appointment in self:
            appointment.service_date = appointment.start and (
                appointment.company_id._care_local_date(appointment.start)
            )

    @api.depends("charge_ids.amount", "charge_ids.amount_client", "charge_ids.currency_id")
    def _compute_amounts(self):
        for appointment in self:
            charges = appointment.charge_ids
            appointment.amount_total = sum(c._in_company_currency(c.amount) for c in charges)
            appointment.amount_client = sum(
                c._in_company_currency(c.amount_client) for c in charges
            )
            appointment.amount_payer = appointment.amount_total - appointment.amount_client

    @api.depends("charge_ids.billing_stage")
    def _compute_billing_stage(self):
        order = [stage for stage, _label in CHARGE_STAGES]
        for appointment in self:
            stages = set(appointment.charge_ids.mapped("billing_stage")) - {False}
            open_stages = stages - {"not_billable"}
            appointment.billing_stage = min(open_stages or stages, key=order.index, default=False)

    @api.depends_context("healthcare_billing_door")
    @api.depends("charge_ids.block_reason_ids", "state", "note_state", "parked", "approval_state")
    def _compute_block_reason_ids(self):
        reasons_per_charge = self.env["healthcare.billing.engine"]._block_reasons(
            self.charge_ids._origin
        )
        none = self.env["healthcare.block.reason"]
        for appointment in self:
            charge_ids = appointment.charge_ids._origin.ids
            appointment.block_reason_ids = none.union(
                *(reasons_per_charge.get(charge_id, none) for charge_id in charge_ids)
            )

    def _search_block_reason_ids(self, operator, value):
        if operator not in ("in", "any"):
            return NotImplemented
        return [("charge_ids.block_reason_ids", operator, value)]

    def _compute_invoice_ids(self):
        for appointment in self:
            moves = appointment.charge_ids._ledger_lines().move_id
            appointment.invoice_ids = moves
            appointment.invoice_count = len(moves)

    @api.depends("name")
    def _compute_display_name(self):
        for appointment in self:
            new = appointment.name == "/"
            appointment.display_name = self.env._("New Appointment") if new else appointment.name

    # -- constraints -----------------------------------------------------------------------------
    @api.constrains("client_id")
    def _check_client(self):
        for appointment in self:
            if appointment.client_id and not appointment.client_id.is_healthcare_client:
                raise ValidationError(
                    self.env._(
                        "%s is not a care client. Tick “Care Client” on the contact first.",
                        appointment.client_id.display_name,
                    )
                )

    @api.constrains("client_id", "billing_account_id")
    def _check_billing_account(self):
        for appointment in self:
            account = appointment.billing_account_id
            if account and account.client_id != appointment.client_id:
                raise ValidationError(
                    self.env._(
                        "Appointment %(appointment)s: the billing account belongs to another "
                        "client. Choose one of this client's accounts.",
                        appointment=appointment.name,
                    )
                )
