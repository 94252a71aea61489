from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.codes import is_valid_npi
from .claim_builder import MAX_CLAIM_DIAGNOSES

CLAIM_STATES = [
    ("awaiting_submission", "Awaiting Submission"),
    ("submitted", "Submitted"),
    ("accepted", "Accepted"),
    ("rejected", "Rejected"),
    ("paid", "Paid"),
    ("closed", "Closed"),
    ("canceled", "Canceled"),
]
CLAIM_RESPONSIBILITIES = [
    ("primary", "Primary Payer"),
    ("secondary", "Secondary Payer"),
    ("tertiary", "Tertiary Payer"),
]
FINAL_STATES = ("closed", "canceled")
# The payer has it, and decides: what is on it can't change.
IN_FLIGHT_STATES = ("submitted", "accepted")
EDITABLE_STATES = ("awaiting_submission", "rejected", "paid")


class HealthcareClaim(models.Model):
    """What a payer is asked to pay for a client's care.

    A claim is one *submission version*: sent again, corrected or voided, it gets a successor with a
    control number of its own. It keeps the full amounts of its charges, whatever the client pays
    (R27).

    ==============================  ==========  ============  ===============  ==========
    may                             care staff  billing user  billing manager  accountant
    ==============================  ==========  ============  ===============  ==========
    read                            no          all           all              no
    create (from posted invoices)   no          yes           yes              no
    change while not in flight      no          yes           yes              no
    submit, accept, reject, pay     no          yes           yes              no
    take a step back                no          no            yes              no
    delete                          no          no            no               no
    ==============================  ==========  ============  ===============  ==========
    """

    _name = "healthcare.claim"
    _description = "Claim"
    _inherit = ("mail.thread",)
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(string="Control Number", required=True, readonly=True, copy=False)
    company_id = fields.Many2one("res.company", required=True, index=True, readonly=True)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    state = fields.Selection(
        CLAIM_STATES,
        default="awaiting_submission",
        required=True,
        readonly=True,
        index=True,
        copy=False,
        tracking=True,
    )

    # -- parties ---------------------------------------------------------------------------------
    client_id = fields.Many2one(
        "res.partner",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
        check_company=True,
    )
    payer_id = fields.Many2one(
        "res.partner",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
        check_company=True,
    )
    responsibility = fields.Selection(
        CLAIM_RESPONSIBILITIES, string="Claimed from", required=True, readonly=True
    )
    coverage_id = fields.Many2one(
        "healthcare.coverage",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        domain="[('client_id', '=', client_id), ('payer_id', '=', payer_id)]",
        tracking=True,
    )
    member_id = fields.Char(related="coverage_id.member_id", string="Member ID")
    billing_account_id = fields.Many2one(
        "healthcare.billing.account",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
    )
    billing_provider_id = fields.Many2one(
        "hr.employee",
        string="Bills under Own NPI",
        ondelete="restrict",
        check_company=True,
        domain="[('is_rendering_provider', '=', True)]",
        tracking=True,
        help="Provider who bills under the own NPI instead of the practice's. A choice made here "
        "is the default of the client's later claims too. Empty: the practice bills.",
    )
    rendering_provider_id = fields.Many2one(
        "hr.employee",
        ondelete="restrict",
        check_company=True,
        domain="[('is_rendering_provider', '=', True)]",
        tracking=True,
        help="Who gave the care, or most of it. Lines may name somebody else.",
    )
    place_of_service_id = fields.Many2one(
        "healthcare.place.of.service",
        string="Place of Service",
        ondelete="restrict",
        tracking=True,
    )

    # -- versions --------------------------------------------------------------------------------
    claim_format = fields.Selection(
        [("837p", "Electronic (837P)"), ("cms1500", "Paper (CMS-1500)")],
        string="Form",
        required=True,
        readonly=True,
        default="837p",
    )
    frequency = fields.Selection(
        [("1", "Original"), ("7", "Replacement"), ("8", "Void")],
        string="Type",
        required=True,
        readonly=True,
        default="1",
    )
    origin_claim_id = fields.Many2one(
        "healthcare.claim",
        string="Follows",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        help="The version that this one is sent instead of, replaces or voids.",
    )
    successor_ids = fields.One2many(
        "healthcare.claim", "origin_claim_id", string="Followed by", readonly=True
    )
    is_superseded = fields.Boolean(
        readonly=True, copy=False, help="A later version took over its charges."
    )
    voided_by_id = fields.Many2one(
        "healthcare.claim",
        string="Voided by",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        help="The void that the payer has taken, and that so closed this claim.",
    )
    is_live = fields.Boolean(
        compute="_compute_is_live",
        store=True,
        precompute=True,
        help="Holds its charges: no other claim to the same payer can be made of them.",
    )
    needs_void = fields.Boolean(
        string="Void to Send",
        compute="_compute_needs_void",
        store=True,
        help="The payer still has this claim, but its invoice was credited or canceled.",
    )
    is_editable = fields.Boolean(compute="_compute_is_editable")
    payer_claim_number = fields.Char(
        string="Payer's Claim Number",
        copy=False,
        tracking=True,
        help="Number under which the payer knows this claim; told when it is accepted or paid.",
    )
    original_reference = fields.Char(
        string="Payer's Original Number",
        copy=False,
        tracking=True,
        help="The payer's number of the claim that is replaced or voided.",
    )

    # -- content ---------------------------------------------------------------------------------
    line_ids = fields.One2many("healthcare.claim.line", "claim_id", string="Lines")
    item_ids = fields.One2many("healthcare.claim.item", "claim_id", string="Charges", readonly=True)
    diagnosis_line_ids = fields.One2many(
        "healthcare.claim.diagnosis", "claim_id", string="Diagnoses"
    )
    authorization_number = fields.Char(
        compute="_compute_authorization_number",
        inverse="_inverse_authorization_number",
        help="Number of the payer's authorization, of all lines.",
    )
    amount_total = fields.Monetary(
        string="Charged", compute="_compute_totals", store=True, help="The charges' full amount."
    )
    line_count = fields.Integer(compute="_compute_totals", store=True)
    service_date_from = fields.Date(string="Care From", compute="_compute_totals", store=True)
    service_date_to = fields.Date(string="Care To", compute="_compute_totals", store=True)
    codes = fields.Char(compute="_compute_totals", store=True)
    amount_client = fields.Monetary(
        string="Client's Part",
        compute="_compute_amount_client",
        help="What the client owes of these charges. It doesn't lower what is claimed.",
    )
    amount_client_paid = fields.Monetary(
        string="Paid by Client",
        compute="_compute_amount_client",
        help="What the client has paid of it.",
    )
    invoice_ids = fields.Many2many("account.move", compute="_compute_invoice_ids")
    invoice_count = fields.Integer(compute="_compute_invoice_ids")

    # -- what a biller tells the payer -----------------------------------------------------------
    accept_assignment = fields.Selection(
        [("A", "Assigned"), ("B", "Clinical laboratory services only"), ("C", "Not assigned")],
        default="A",
        required=True,
        tracking=True,
        help="Assigned: the provider accepts what the plan allows as full price.",
    )
    signature_on_file = fields.Boolean(
        string="Client's Signature on File",
        default=True,
        tracking=True,
        help="The client has signed that data about the care may be given to the payer.",
    )
    benefits_assigned = fields.Selection(
        [("Y", "Yes"), ("N", "No, pay the client"), ("W", "Not applicable")],
        string="Payer Pays the Provider",
        default="Y",
        required=True,
        tracking=True,
    )
    related_cause = fields.Selection(
        [
            ("AA", "Auto accident"),
            ("EM", "Employment"),
            ("OA", "Other accident"),
        ],
        string="Caused by",
        tracking=True,
        help="Empty: neither an accident nor the client's work.",
    )
    accident_date = fields.Date(tracking=True)
    accident_state_id = fields.Many2one(
        "res.country.state", string="State of Accident", ondelete="restrict", tracking=True
    )
    referring_provider = fields.Char(tracking=True, help="Name of who sent the client here.")
    referring_npi = fields.Char(string="Referring NPI", tracking=True)
    referring_qualifier = fields.Selection(
        [("DN", "Referring"), ("DK", "Ordering"), ("DQ", "Supervising")],
        string="Role",
        default="DN",
        tracking=True,
    )
    note = fields.Char(
        string="Note to the Payer", size=80, tracking=True, help="At most 80 characters."
    )

    # -- history ---------------------------------------------------------------------------------
    date_submitted = fields.Date(string="Submitted on", readonly=True, copy=False)
    date_accepted = fields.Date(string="Accepted on", readonly=True, copy=False)
    date_rejected = fields.Date(string="Rejected on", readonly=True, copy=False)
    date_paid = fields.Date(string="Paid on", readonly=True, copy=False)
    date_closed = fields.Date(string="Closed on", readonly=True, copy=False)
    reject_reason = fields.Char(readonly=True, copy=False, tracking=True)
    close_reason = fields.Char(string="Why Closed", readonly=True, copy=False)
    state_before_closing = fields.Selection(CLAIM_STATES, readonly=True, copy=False)

    _name_unique = models.UniqueIndex("(name)", "This control number was used already.")
    _check_name = models.Constraint(
        "CHECK (name ~ '^[A-Z0-9][A-Z0-9-]{0,13}$')",
        "A control number has at most 14 characters: capital letters, digits and hyphens. Change "
        "prefix, suffix or size of the sequence “Claim control number”.",
    )
    _awaiting_idx = models.Index("(company_id) WHERE state = 'awaiting_submission'")

    # -- computes --------------------------------------------------------------------------------
    @api.depends("state", "frequency", "is_superseded")
    def _compute_is_live(self):
        """A void asks for nothing; a superseded version has handed its charges on."""
        for claim in self:
            claim.is_live = (
                claim.state not in FINAL_STATES
                and claim.frequency != "8"
                and not claim.is_superseded
            )

    @api.depends(
        "state",
        "state_before_closing",
        "date_accepted",
        "successor_ids.state",
        "successor_ids.frequency",
    )
    def _compute_needs_void(self):
        for claim in self:
            voids = claim.successor_ids.filtered(
                lambda successor: (
                    successor.frequency == "8" and successor.state not in ("rejected", "canceled")
                )
            )
            claim.needs_void = (
                claim.state == "closed"
                and claim.frequency != "8"
                and claim._is_at_payer(claim.state_before_closing)
                and not voids
            )

    def _is_at_payer(self, state):
        """Whether the payer has this claim; one denied after it was accepted is still there.

        :param str state: the claim's, or the one that it had before it was closed
        """
        self.ensure_one()
        return state in (*IN_FLIGHT_STATES, "paid") or bool(
            state == "rejected" and self.date_accepted
        )

    @api.depends("state", "is_superseded")
    def _compute_is_editable(self):
        for claim in self:
            claim.is_editable = claim.state in EDITABLE_STATES and not claim.is_superseded

    @api.depends("line_ids.amount", "line_ids.service_date", "line_ids.code")
    def _compute_totals(self):
        for claim in self:
            lines = claim.line_ids
            days = lines.mapped("service_date")
            claim.amount_total = sum(lines.mapped("amount"))
            claim.line_count = len(lines)
            claim.service_date_from = min(days, default=False)
            claim.service_date_to = max(days, default=False)
            claim.codes = ", ".join(dict.fromkeys(code for code in lines.mapped("code") if code))

    @api.depends("line_ids.authorization_number")
    def _compute_authorization_number(self):
        for claim in self:
            numbers = claim.line_ids.mapped("authorization_number")
            claim.authorization_number = ", ".join(dict.fromkeys(n for n in numbers if n))

    def _inverse_authorization_number(self):
        for claim in self:
            if ", " not in (claim.authorization_number or ""):  # several: told on the lines
                claim.line_ids.authorization_number = claim.authorization_number

    @api.depends("item_ids.move_id")
    def _compute_invoice_ids(self):
        for claim in self:
            claim.invoice_ids = claim.item_ids.move_id
            claim.invoice_count = len(claim.invoice_ids)

    @api.depends("item_ids.charge_id.amount_client")
    def _compute_amount_client(self):
        # sudo: who may see a claim may know what the client owes of it
        charges = self.sudo().item_ids.charge_id
        paid = charges._paid_amounts(("client",))
        for claim in self:
            own = claim.sudo().item_ids.charge_id
            claim.amount_client = sum((own | own.child_ids).mapped("amount_client"))
            claim.amount_client_paid = sum(paid[charge] for charge in own)

    # -- constraints -----------------------------------------------------------------------------
    @api.constrains("diagnosis_line_ids")
    def _check_diagnosis_count(self):
        for claim in self:
            if len(claim.diagnosis_line_ids) > MAX_CLAIM_DIAGNOSES:
                raise ValidationError(
                    self.env._(
                        "%(claim)s: a claim has room for %(number)s diagnoses.",
                        claim=claim.name,
                        number=MAX_CLAIM_DIAGNOSES,
                    )
                )

    @api.constrains("referring_npi")
    def _check_referring_npi(self):
        for claim in self:
            if claim.referring_npi and not is_valid_npi(claim.referring_npi):
                raise ValidationError(
                    self.env._(
                        "%s is not a National Provider Identifier: it has ten digits, the last of "
                        "which is a check digit.",
                        claim.referring_npi,
                    )
                )

    @api.constrains("coverage_id", "client_id", "payer_id")
    def _check_coverage(self):
        for claim in self:
            coverage = claim.coverage_id
            if coverage and (coverage.client_id, coverage.payer_id) != (
                claim.client_id,
                claim.payer_id,
            ):
                raise ValidationError(
                    self.env._(
                        "%(claim)s: this coverage isn't one of %(client)s with %(payer)s.",
                        claim=claim.name,
                        client=claim.client_id.display_name,
                        payer=claim.payer_id.display_name,
                    )
                )

    # -- helpers ---------------------------------------------------------------------------------
    @api.model
    def _draw_numbers(self, count):
        """Control numbers of new submission versions; a number is never used again."""
        return self.env["ir.sequence"]._next_many("healthcare.claim", count)

    def _log_origin(self):
        """Say in the history of new claims what they were made of."""
        bodies = {
            claim.id: self.env._(
                "Made of %s.", ", ".join(move._care_reference() for move in claim.invoice_ids)
            )
            for claim in self
        }
        self._message_log_batch(bodies)

    def _log(self, text):
        """Note the same on all of these claims, in the user's name."""
        # sudo: whoever voids an invoice need not be allowed to see its claims
        self.sudo()._message_log_batch({claim.id: Markup("%s") % text for claim in self})

    def _form_action(self):
        """Window action on these claims."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_claim_action"
        )
        if len(self) == 1:
            return {**action, "views": [(False, "form")], "res_id": self.id}
        return {**action, "domain": [("id", "in", self.ids)], "context": {}}

    def action_view_invoices(self):
        """Open the invoices that this claim was made of."""
        return self.env["account.move"]._care_invoices_action(self.invoice_ids)

    def action_view_versions(self):
        """Open the claims before and after this one, from the first to the last version."""
        self.ensure_one()
        chain = self
        while chain[-1].origin_claim_id:
            chain += chain[-1].origin_claim_id
        later = chain.successor_ids - chain
        while later:
            chain += later
            later = later.successor_ids - chain
        return chain.sorted("id")._form_action()
