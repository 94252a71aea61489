from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    """Policies of care (per company) and the stations of billing that are in use (for all)."""

    _inherit = "res.config.settings"

    healthcare_tz = fields.Selection(related="company_id.healthcare_tz", readonly=False)
    healthcare_note_policy = fields.Selection(
        related="company_id.healthcare_note_policy", readonly=False
    )
    healthcare_qa_review = fields.Boolean(related="company_id.healthcare_qa_review", readonly=False)
    healthcare_requires_signed_note = fields.Boolean(
        related="company_id.healthcare_requires_signed_note", readonly=False
    )
    healthcare_background_rows = fields.Integer(
        related="company_id.healthcare_background_rows", readonly=False
    )
    healthcare_email_content = fields.Selection(
        related="company_id.healthcare_email_content", readonly=False
    )
    healthcare_match_minutes = fields.Integer(
        related="company_id.healthcare_match_minutes", readonly=False
    )
    healthcare_holiday_calendar_id = fields.Many2one(
        related="company_id.healthcare_holiday_calendar_id", readonly=False
    )
    healthcare_accrual_account_id = fields.Many2one(
        related="company_id.healthcare_accrual_account_id", readonly=False
    )
    healthcare_accrual_journal_id = fields.Many2one(
        related="company_id.healthcare_accrual_journal_id", readonly=False
    )
    healthcare_fixed_fee_product_id = fields.Many2one(
        related="company_id.healthcare_fixed_fee_product_id", readonly=False
    )
    healthcare_fee_adjustment_product_id = fields.Many2one(
        related="company_id.healthcare_fee_adjustment_product_id", readonly=False
    )
    healthcare_expense_product_id = fields.Many2one(
        related="company_id.healthcare_expense_product_id", readonly=False
    )
    healthcare_expense_markup = fields.Float(
        related="company_id.healthcare_expense_markup", readonly=False
    )
    healthcare_npi = fields.Char(related="company_id.healthcare_npi", readonly=False)
    healthcare_taxonomy_code = fields.Char(
        related="company_id.healthcare_taxonomy_code", readonly=False
    )
    healthcare_tax_id = fields.Char(related="company_id.vat", readonly=False)
    healthcare_license_date = fields.Selection(
        related="company_id.healthcare_license_date", readonly=False
    )
    healthcare_license_fee = fields.Monetary(
        related="company_id.healthcare_license_fee",
        readonly=False,
        currency_field="currency_id",
    )
    healthcare_license_vendor_id = fields.Many2one(
        related="company_id.healthcare_license_vendor_id", readonly=False
    )
    healthcare_license_product_id = fields.Many2one(
        related="company_id.healthcare_license_product_id", readonly=False
    )

    group_use_approval = fields.Boolean(
        "Visit Approval", implied_group="healthcare_billing.group_use_approval"
    )
    group_use_billing_cycles = fields.Boolean(
        "Billing Cycles", implied_group="healthcare_billing.group_use_billing_cycles"
    )
    group_use_mass_billing = fields.Boolean(
        "Mass Billing", implied_group="healthcare_billing.group_use_mass_billing"
    )
    healthcare_collections_count = fields.Integer(
        related="company_id.healthcare_collections_count", readonly=False
    )
    healthcare_collections_days = fields.Integer(
        related="company_id.healthcare_collections_days", readonly=False
    )
    healthcare_rebilling_days = fields.Integer(
        related="company_id.healthcare_rebilling_days", readonly=False
    )
    healthcare_stale_days = fields.Integer(
        related="company_id.healthcare_stale_days", readonly=False
    )
    group_use_statements = fields.Boolean(
        "Statements", implied_group="healthcare_billing.group_use_statements"
    )
    group_use_qa = fields.Boolean("Quality Review", implied_group="healthcare_billing.group_use_qa")
    group_use_authorizations = fields.Boolean(
        "Authorizations", implied_group="healthcare_billing.group_use_authorizations"
    )
    group_use_transport = fields.Boolean(
        "Transport", implied_group="healthcare_billing.group_use_transport"
    )
    group_use_billing_accounts = fields.Boolean(
        "Several Billing Accounts per Client",
        implied_group="healthcare_billing.group_use_billing_accounts",
    )
    group_use_superbills = fields.Boolean(
        "Superbills", implied_group="healthcare_billing.group_use_superbills"
    )
    group_use_claims = fields.Boolean("Claims", implied_group="healthcare_billing.group_use_claims")
    group_use_cpt_licenses = fields.Boolean(
        "CPT Licenses", implied_group="healthcare_billing.group_use_cpt_licenses"
    )
