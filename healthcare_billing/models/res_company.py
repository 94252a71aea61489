from datetime import datetime, time, timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tools import SQL

from odoo.addons.base.models.res_partner import _tz_get

from ..tools.codes import is_valid_npi, is_valid_taxonomy_code


class ResCompany(models.Model):
    """Care policies, and the local day that care is dated and filtered by (R6)."""

    _inherit = "res.company"

    healthcare_tz = fields.Selection(
        _tz_get,
        "Time Zone of Care",
        required=True,
        default=lambda self: self.env.user.tz or "UTC",
        help="Decides which day a visit belongs to, for everyone and wherever they are.",
    )
    healthcare_note_policy = fields.Selection(
        [("approve", "Supervisor approves"), ("cosign", "Supervisor co-signs")],
        "Supervision of Notes",
        required=True,
        default="approve",
        help="What a supervisor does with the notes of those who need supervision.",
    )
    healthcare_qa_review = fields.Boolean(
        "QA Review of Every Visit", help="Completed visits are reviewed before they can be billed."
    )
    healthcare_background_rows = fields.Integer(
        string="Rows per Request",
        default=200,
        help="Billing runs with more invoices than this work in the background.",
    )
    healthcare_email_content = fields.Selection(
        [("link", "A link to the portal"), ("pdf", "The document as PDF")],
        string="E-mails Carry",
        required=True,
        default="link",
        help="What e-mails of invoices and superbills hold. With a link nothing clinical leaves "
        "the house: clients open their documents in the portal.",
    )
    healthcare_requires_signed_note = fields.Boolean(
        "Require Signed Notes",
        help="No visit is billed before its note is signed, self-pay included. "
        "Otherwise each payer says whether it asks for that.",
    )

    healthcare_match_minutes = fields.Integer(
        "Clock Tolerance",
        default=15,
        help="Visits whose clocked and scheduled times differ by no more than these minutes are "
        "matching, and can be approved together.",
    )
    healthcare_holiday_calendar_id = fields.Many2one(
        "resource.calendar",
        "Holidays of Care",
        help="Its public holidays count for premiums and holiday rates, unless the payer has a "
        "calendar of its own.",
    )
    healthcare_accrual_account_id = fields.Many2one(
        "account.account",
        "Accrued Revenue",
        help="Asset account that takes care which was delivered and not invoiced at a cut-off.",
    )
    healthcare_accrual_journal_id = fields.Many2one(
        "account.journal",
        "Accrual Journal",
        help="Journal of the accrual of delivered care and of its reversal.",
    )

    healthcare_npi = fields.Char(
        "NPI of the Practice",
        help="National Provider Identifier of the organization that bills: ten digits.",
    )
    healthcare_taxonomy_code = fields.Char(
        "Taxonomy Code of the Practice",
        help="Provider taxonomy: the specialty under which the practice bills, ten characters.",
    )

    healthcare_license_date = fields.Selection(
        [("invoice", "Invoice date"), ("service", "Date of service")],
        "CPT License of the Year of",
        required=True,
        default="invoice",
        help="Which date decides the year whose CPT license a rendering provider needs. It makes a "
        "difference for care of December that is invoiced in January.",
    )
    healthcare_license_fee = fields.Monetary(
        "CPT License Fee", help="Proposed for new CPT licenses: the fee per person and year."
    )
    healthcare_license_vendor_id = fields.Many2one(
        "res.partner", "CPT License Vendor", help="Vendor of the bills for CPT licenses."
    )
    healthcare_license_product_id = fields.Many2one(
        "product.product",
        "CPT License Product",
        help="Gives the lines of those bills their expense account and taxes. Without it, they are "
        "booked on the default account of the purchase journal, without tax.",
    )

    healthcare_fixed_fee_product_id = fields.Many2one(
        "product.product",
        "Fixed Fee Service",
        domain="[('is_healthcare_service', '=', True)]",
        help="Fixed fees of mass billing are booked on its income account.",
    )
    healthcare_fee_adjustment_product_id = fields.Many2one(
        "product.product",
        "Fee Difference Service",
        domain="[('is_healthcare_service', '=', True)]",
        help="What a quote or fixed fee bills more or less than the recorded work is booked on its "
        "income account: its balance is what the work didn't realize.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        companies = super().create(vals_list)
        companies._set_fee_products()
        return companies

    @api.model
    def _fee_services(self):
        """Services that every company has from the start, and may replace.

        :return: ``{name of the field: (name, code)}``
        """
        return {
            "healthcare_fixed_fee_product_id": (self.env._("Fixed fee"), "FEE"),
            "healthcare_fee_adjustment_product_id": (
                self.env._("Difference to the agreed fee"),
                "FEE-DIFF",
            ),
        }

    def _set_fee_products(self):
        """Give these companies, or all, the services that they lack: one for all of them.

        They aren't data of the addon, with which they would be deleted: invoices need them.
        """
        # sudo: whoever adds a company need not be allowed to make services
        companies = self.sudo()
        for field_name, (name, code) in self._fee_services().items():
            lacking = companies.search(
                [(field_name, "=", False), *([("id", "in", self.ids)] if self else [])]
            )
            if not lacking:
                continue
            others = companies.search(
                [(field_name, "!=", False), (f"{field_name}.company_id", "=", False)], limit=1
            )
            shared = others[field_name]
            lacking[field_name] = shared or shared.create(
                {
                    "name": name,
                    "default_code": code,
                    "type": "service",
                    "is_healthcare_service": True,
                    "code_system": "local",
                    "taxes_id": [Command.clear()],
                    "purchase_ok": False,
                }
            )

    @api.constrains("healthcare_npi", "healthcare_taxonomy_code")
    def _check_healthcare_codes(self):
        for company in self:
            if company.healthcare_npi and not is_valid_npi(company.healthcare_npi):
                raise ValidationError(
                    self.env._(
                        "%s is not a National Provider Identifier: it has ten digits, the last of "
                        "which is a check digit. Please compare it with the NPI registry.",
                        company.healthcare_npi,
                    )
                )
            code = company.healthcare_taxonomy_code
            if code and not is_valid_taxonomy_code(code):
                raise ValidationError(
                    self.env._(
                        "%s is not a provider taxonomy code: it has three digits, six digits or "
                        "capital letters, and an X at the end.",
                        code,
                    )
                )

    def _init_column(self, column_name):
        """Existing companies start in their own time zone: their address's, else the admin's."""
        if column_name != "healthcare_tz":
            return super()._init_column(column_name)
        # in SQL: while columns are being made, records can't be read
        self.env.cr.execute(
            SQL(
                """
                UPDATE res_company company
                   SET healthcare_tz = COALESCE(
                           NULLIF(partner.tz, ''),
                           (SELECT NULLIF(admin.tz, '')
                              FROM ir_model_data data
                              JOIN res_users users ON users.id = data.res_id
                              JOIN res_partner admin ON admin.id = users.partner_id
                             WHERE data.module = 'base' AND data.name = 'user_admin'),
                           'UTC')
                  FROM res_partner partner
                 WHERE partner.id = company.partner_id AND company.healthcare_tz IS NULL
                """
            )
        )
        return None

    def write(self, vals):
        """Switching QA review moves what is not billed yet, and touches nothing else."""
        result = super().write(vals)
        if "healthcare_qa_review" in vals:
            # sudo: company settings are not changed by care users only
            charges = self.env["healthcare.charge"].sudo()
            open_charges = charges.search(
                [("company_id", "in", self.ids), ("billing_stage", "in", ("qa", "billing_office"))]
            )
            self.env.add_to_compute(charges._fields["billing_stage"], open_charges)
        return result

    # ------------------------------------------------------------------------------------------
    # The local day (R6)
    # ------------------------------------------------------------------------------------------

    def _care_timezone(self):
        """The time zone of care, as a pytz one."""
        self.ensure_one()
        return pytz.timezone(self.healthcare_tz or "UTC")

    def _care_today(self):
        """Today, where care is given."""
        return self._care_local_date(fields.Datetime.now())

    def _care_local_date(self, dt_utc):
        """The local day that a naive UTC datetime falls on; False without one.

        A visit that starts 23:30 belongs to that day, whatever the day is in UTC.
        """
        if not dt_utc:
            return False
        return dt_utc.replace(tzinfo=pytz.utc).astimezone(self._care_timezone()).date()

    def _care_day_bounds(self, date_from, date_to):
        """The local days [date_from, date_to) as naive UTC datetimes [start, stop).

        Half-open on both sides: ``date_to`` itself is not in the range, and neither is a visit
        that starts at ``stop``. An open end (False) gives False.
        """
        timezone = self._care_timezone()
        return tuple(day and self._care_day_start(timezone, day) for day in (date_from, date_to))

    def _care_noon(self, day):
        """Noon of a local day as a naive UTC datetime: for what compares whole days by datetimes,
        such as the dates of pricelist rules. Noon is never skipped nor doubled by a clock change.
        """
        noon = self._care_timezone().localize(datetime.combine(day, time(12)))
        return noon.astimezone(pytz.utc).replace(tzinfo=None)

    def _care_moment(self, day, hours):
        """A local time of a local day as a naive UTC datetime.

        A time that comes twice when the clocks change is the first one; one that is skipped is as
        much later.

        :param date day: local day
        :param float hours: local time, 9.5 is 9:30
        """
        timezone = self._care_timezone()
        local = datetime.combine(day, time.min) + timedelta(minutes=round(hours * 60))
        try:
            moment = timezone.localize(local, is_dst=None)
        except pytz.AmbiguousTimeError:
            moment = timezone.localize(local, is_dst=True)
        except pytz.NonExistentTimeError:
            moment = timezone.localize(local, is_dst=False)
        return moment.astimezone(pytz.utc).replace(tzinfo=None)

    def _care_local_hours(self, dt_utc):
        """The local time of a naive UTC datetime in hours, to the minute: 9:30 is 9.5."""
        local = dt_utc.replace(tzinfo=pytz.utc).astimezone(self._care_timezone())
        return local.hour + local.minute / 60

    @staticmethod
    def _care_day_start(timezone, day):
        """The first instant of ``day`` in ``timezone``, as a naive UTC datetime.

        Some zones change their clocks at midnight. Where it comes twice, the day starts with the
        first one; where it is skipped, the day starts when the clock jumps past it.
        """
        midnight = datetime.combine(day, time.min)
        try:
            start = timezone.localize(midnight, is_dst=None)
        except pytz.AmbiguousTimeError:
            start = timezone.localize(midnight, is_dst=True)
        except pytz.NonExistentTimeError:
            start = timezone.localize(midnight, is_dst=False)
        return start.astimezone(pytz.utc).replace(tzinfo=None)
