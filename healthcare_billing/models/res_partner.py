from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

CARE_GROUPS = "healthcare_billing.group_care_staff"
# Kinds of plan that a claim names (X12 5010, SBR09).
CLAIM_FILING_INDICATORS = [
    ("11", "Other non-federal program"),
    ("12", "Preferred provider organization (PPO)"),
    ("13", "Point of service (POS)"),
    ("14", "Exclusive provider organization (EPO)"),
    ("15", "Indemnity"),
    ("16", "HMO Medicare risk"),
    ("17", "Dental maintenance organization"),
    ("AM", "Automobile medical"),
    ("BL", "Blue Cross/Blue Shield"),
    ("CH", "TRICARE/CHAMPUS"),
    ("CI", "Commercial insurance"),
    ("DS", "Disability"),
    ("FI", "Federal employees program"),
    ("HM", "Health maintenance organization"),
    ("LM", "Liability medical"),
    ("MA", "Medicare part A"),
    ("MB", "Medicare part B"),
    ("MC", "Medicaid"),
    ("OF", "Other federal program"),
    ("TV", "Title V"),
    ("VA", "Veterans Affairs plan"),
    ("WC", "Workers' compensation"),
    ("ZZ", "Unknown"),
]


class ResPartner(models.Model):
    """Clients (receive care) and payers (pay for it).

    That somebody is a patient is itself protected health information, and every internal user can
    read any partner: each field about the client carries the care groups.
    """

    _inherit = "res.partner"

    # -- client ----------------------------------------------------------------------------------
    is_healthcare_client = fields.Boolean(
        string="Care Client", groups=CARE_GROUPS, index="btree_not_null", copy=False
    )
    birth_date = fields.Date(groups=CARE_GROUPS, copy=False)
    sex = fields.Selection(
        [("female", "Female"), ("male", "Male"), ("x", "Unspecified")],
        groups=CARE_GROUPS,
        copy=False,
    )
    legal_name = fields.Char(
        groups=CARE_GROUPS,
        copy=False,
        help="Name as on the insurance card. Claims and superbills use it; invoices and "
        "statements use the display name.",
    )
    billing_account_ids = fields.One2many(
        "healthcare.billing.account", "client_id", string="Billing Accounts", groups=CARE_GROUPS
    )
    coverage_ids = fields.One2many(
        "healthcare.coverage", "client_id", string="Coverages", groups=CARE_GROUPS
    )
    authorization_ids = fields.One2many(
        "healthcare.authorization", "client_id", string="Authorizations", groups=CARE_GROUPS
    )
    appointment_count = fields.Integer(compute="_compute_appointment_count", groups=CARE_GROUPS)

    # -- payer -----------------------------------------------------------------------------------
    is_payer = fields.Boolean(string="Payer", groups="base.group_user", index="btree_not_null")
    payer_type = fields.Selection(
        [
            ("insurance", "Insurance"),
            ("government", "Government Program"),
            ("facility", "Facility"),
            ("affiliate", "Affiliate"),
            ("other", "Other"),
        ],
        groups="base.group_user",
    )
    invoicing_model = fields.Selection(
        [
            ("client_individual", "Client, one invoice per client"),
            ("payer_individual", "Payer, one invoice per client"),
            ("payer_batched", "Payer, one invoice for all clients"),
            ("payer_file", "Payer, file billing"),
        ],
        groups="base.group_user",
        help="Who is invoiced for care that this payer covers, and how many clients share an "
        "invoice. Batched and file billing go through billing cycles.",
    )
    fee_schedule_id = fields.Many2one(
        "product.pricelist",
        company_dependent=True,
        groups="base.group_user",
        help="Contract prices. Only rules on the service itself count; without one, the practice "
        "default applies unless the payer requires a fee schedule.",
    )
    edi_payer_id = fields.Char(string="EDI Payer ID", groups="base.group_user")
    claim_filing_indicator = fields.Selection(CLAIM_FILING_INDICATORS, groups="base.group_user")
    timely_filing_days = fields.Integer(groups="base.group_user")
    holiday_calendar_id = fields.Many2one(
        "resource.calendar",
        string="Holidays",
        groups="base.group_user",
        help="Calendar whose public holidays count for this payer's premiums and rates. Empty: "
        "the company's.",
    )
    # no default: that would write every old contact; payers get 1.00 when they become payers
    holiday_multiplier = fields.Float(
        digits=(16, 4),
        min_display_digits=2,
        groups="base.group_user",
        help="Multiplies fees from the fee schedule or list price for care on holidays. A holiday "
        "rate of the fee schedule comes first. Typed fees, fees agreed with the client and "
        "premiums stay as they are. 1.00: no difference.",
    )
    requires_fee_schedule = fields.Boolean(groups="base.group_user")
    requires_activity_code = fields.Boolean(groups="base.group_user")
    requires_signed_note = fields.Boolean(groups="base.group_user")
    requires_authorization = fields.Boolean(groups="base.group_user")
    requires_approval = fields.Boolean(groups="base.group_user")

    @api.constrains("is_healthcare_client", "parent_id", "is_company")
    def _check_client_is_commercial_partner(self):
        """A client below a company would show its invoices to that company's portal users."""
        # sudo: whoever moves a contact below a company may not know that it is a client
        for partner in self.sudo():
            if partner.is_healthcare_client and partner.commercial_partner_id != partner:
                raise ValidationError(
                    self.env._(
                        "%(client)s is a care client and can't be a contact of %(company)s: the "
                        "portal users of that company would see the client's invoices. Remove the "
                        "company, and name it as payer or guarantor on the billing account.",
                        client=partner.display_name,
                        company=partner.commercial_partner_id.display_name,
                    )
                )

    @api.constrains("parent_id", "is_company", "type")
    def _check_billing_contact(self):
        below = self.filtered(lambda partner: partner.commercial_partner_id != partner)
        if below:
            # sudo: see _check_client_is_commercial_partner
            accounts = self.env["healthcare.billing.account"].sudo().with_context(active_test=False)
            contacts = accounts.search([("guarantor_id", "in", below.ids)]).guarantor_id
            contacts._check_may_get_care_invoices()

    def _check_may_get_care_invoices(self):
        """Who gets a client's invoices must not share them with an employer.

        Core shows an invoice to all portal users of the addressee's company. A company can be the
        billing contact itself, or by its invoice address: then that is what was meant.
        """
        for partner in self:
            company = partner.commercial_partner_id
            if company != partner and partner.type != "invoice":
                raise ValidationError(
                    self.env._(
                        "%(contact)s is a contact of %(company)s and can't be a billing contact: "
                        "the portal users of that company would see the client's invoices. Store "
                        "the person without a company, or name the company or its invoice address.",
                        contact=partner.display_name,
                        company=company.display_name,
                    )
                )

    @api.constrains("timely_filing_days")
    def _check_timely_filing_days(self):
        if any(partner.timely_filing_days < 0 for partner in self):
            raise ValidationError(self.env._("Timely filing days can't be negative."))

    @api.constrains("holiday_multiplier")
    def _check_holiday_multiplier(self):
        if any(partner.holiday_multiplier < 0 for partner in self):
            raise ValidationError(
                self.env._("A holiday multiplier can't be negative. 1.00 makes no difference.")
            )

    def _compute_appointment_count(self):
        counts = dict(
            self.env["healthcare.appointment"]._read_group(
                [("client_id", "in", self.ids)], ["client_id"], ["__count"]
            )
        )
        for partner in self:
            partner.appointment_count = counts.get(partner, 0)

    @api.model_create_multi
    def create(self, vals_list):
        partners = super().create(vals_list)
        # sudo: whoever makes a contact need not be allowed to know clients and payers
        created = partners.sudo()
        partners.browse(created.filtered("is_payer").ids)._complete_payers()
        partners.browse(
            created.filtered("is_healthcare_client").ids
        )._create_missing_billing_accounts()
        return partners

    def write(self, vals):
        if "is_healthcare_client" in vals and not vals["is_healthcare_client"]:
            self._check_never_cared_for()
        result = super().write(vals)
        if vals.get("is_payer"):
            self._complete_payers()
        if vals.get("is_healthcare_client"):
            self._create_missing_billing_accounts()
        return result

    def _check_never_cared_for(self):
        """Who was a client stays one: the rules that protect clients must go on protecting them."""
        # sudo: appointments of other companies and providers count too
        appointment = (
            self.env["healthcare.appointment"]
            .sudo()
            .with_context(active_test=False)
            .search([("client_id", "in", self.ids)], limit=1)
        )
        if appointment:
            raise UserError(
                self.env._(
                    "%s has appointments, and stays a care client. Archive the contact instead.",
                    appointment.client_id.display_name,
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_cared_for(self):
        accounts = self._all_billing_accounts()
        used = self.env["healthcare.appointment"].sudo().with_context(active_test=False).search(
            [("billing_account_id", "in", accounts.ids)], limit=1
        ) or self.env["healthcare.charge"].sudo().search(
            [("billing_account_id", "in", accounts.ids)], limit=1
        )  # sudo: care of other companies and providers counts too
        if used:
            raise UserError(
                self.env._(
                    "%s has appointments or charges, and can't be deleted. Archive the contact "
                    "instead.",
                    used.client_id.display_name,
                )
            )

    def unlink(self):
        """The account that was made along with a client goes with a client that never used it."""
        self._unlink_except_cared_for()
        self._all_billing_accounts().unlink()
        return super().unlink()

    def _all_billing_accounts(self):
        """Accounts of these clients, archived ones too.

        sudo: whoever may delete the contact need not be allowed to see or delete accounts.
        """
        accounts = self.env["healthcare.billing.account"].sudo().with_context(active_test=False)
        return accounts.search([("client_id", "in", self.ids)])

    def _complete_payers(self):
        """Give payers the usual type and invoicing model where none was chosen."""
        for name, value in (
            ("invoicing_model", "payer_individual"),
            ("payer_type", "insurance"),
            ("holiday_multiplier", 1.0),
        ):
            unset = self.filtered(lambda partner, name=name: not partner[name])
            if unset:
                unset.write({name: value})

    def _create_missing_billing_accounts(self):
        """Give each client a self-pay billing account, so that a small practice never needs to."""
        accounts = self.env["healthcare.billing.account"]
        if not self:  # most contacts are no clients, and are made by users without care groups
            return accounts
        served = accounts._read_group(
            [("client_id", "in", self.ids), ("company_id", "=", self.env.company.id)],
            ["client_id"],
        )
        missing = self - self.browse(client.id for (client,) in served)
        # sudo: whoever may create clients gets their account, even without rights on accounts
        return accounts.sudo().create([{"client_id": client.id} for client in missing])

    def action_view_appointments(self):
        """Open the client's appointments."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_appointment_action"
        )
        return {
            **action,
            "domain": [("client_id", "=", self.id)],
            "context": {"default_client_id": self.id},
        }
