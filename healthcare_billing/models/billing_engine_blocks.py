"""What keeps a charge off an invoice: one SQL condition per reason, in this one place."""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .healthcare_charge import SIGNED_KINDS

# Charges with these codes are done with, or will never be billed: no other reason matters.
FINAL_CODES = ("already_invoiced", "not_billable")
# Doors that take approved visits only, whatever their payer asks for (R12).
APPROVED_DOORS = ("cycle", "adhoc")


class HealthcareBillingEngine(models.AbstractModel):
    """Block reasons are computed, never stored: they depend on the date and on the door.

    ``plan``, list filters, counts and "why not billed" all use the conditions of
    ``_block_conditions``. The texts are ``healthcare.block.reason`` records.
    """

    _inherit = "healthcare.billing.engine"

    # -- reading ---------------------------------------------------------------------------------
    @api.model
    def _block_reasons(self, charges, invoice_date=None):
        """Reasons that keep charges from being billed.

        :param charges: ``healthcare.charge`` recordset
        :param date invoice_date: default today
        :return: ``{charge id: healthcare.block.reason recordset}``, without invoiced charges
        """
        codes = self._blocked_codes(charges, invoice_date or fields.Date.context_today(self))
        by_code = {reason.code: reason for reason in self.env["healthcare.block.reason"].search([])}
        none = self.env["healthcare.block.reason"]
        return {
            charge_id: none.union(*(by_code[code] for code in found if code in by_code))
            for charge_id, found in codes.items()
            if found != ["already_invoiced"]
        }

    @api.model
    def _blocked_codes(self, charges, invoice_date):
        """Codes of the reasons per charge.

        :return: ``{charge id: [code, …]}``, only charges with a reason
        """
        if not charges.ids:
            return {}
        self._flush_billing()
        rows = self.env.execute_query(
            SQL(
                "SELECT c.id, codes.found FROM %(source)s CROSS JOIN LATERAL (SELECT %(codes)s) "
                "AS codes(found) WHERE c.id = ANY(%(ids)s) AND codes.found <> '{}'",
                source=self._charge_source(SQL("c0.id = ANY(%s)", charges.ids)),
                codes=self._block_codes_sql(self._companies_of(charges), invoice_date),
                ids=charges.ids,
            )
        )
        return dict(rows)

    @api.model
    def _search_block_reasons(self, operator, value):
        """Domain on charges for ``block_reason_ids``: unbilled charges that a reason keeps back."""
        Reason = self.env["healthcare.block.reason"]
        if operator == "any":
            reasons = Reason.search(value)
        elif operator == "in":
            reasons = Reason.browse(id_ for id_ in value if id_)
        else:
            return NotImplemented
        self._flush_billing()
        open_stages = ("planned", "qa", "billing_office", "not_billable")
        codes = self._block_codes_sql(self.env.companies, fields.Date.context_today(self))
        found = SQL(
            "SELECT c.id FROM %(source)s CROSS JOIN LATERAL (SELECT %(codes)s) AS codes(found) "
            "WHERE c.billing_stage IN %(stages)s AND %(match)s",
            source=self._charge_source(SQL("c0.billing_stage IN %s", open_stages)),
            codes=codes,
            stages=open_stages,
            match=SQL("codes.found && %s::text[]", [reason.code for reason in reasons.sudo()]),
        )
        matching = Domain("id", "in", [row[0] for row in self.env.execute_query(found)])
        if operator == "in" and False in value:
            blocked = SQL(
                "SELECT c.id FROM %s CROSS JOIN LATERAL (SELECT %s) AS codes(found) "
                "WHERE c.billing_stage IN %s AND codes.found <> '{}'",
                self._charge_source(SQL("c0.billing_stage IN %s", open_stages)),
                codes,
                open_stages,
            )
            ids = [row[0] for row in self.env.execute_query(blocked)]
            matching |= Domain("id", "not in", ids)
        return matching

    @api.model
    def _flush_billing(self):
        """Everything the conditions read must be in the database."""
        self.env.flush_all()

    @api.model
    def _companies_of(self, charges):
        """Companies of charges, without reading the charges one by one."""
        rows = self.env.execute_query(
            SQL("SELECT DISTINCT company_id FROM healthcare_charge WHERE id = ANY(%s)", charges.ids)
        )
        return self.env["res.company"].browse(company_id for (company_id,) in rows)

    # -- the query -------------------------------------------------------------------------------
    @api.model
    def _charge_source(self, scope):
        """FROM clause with the aliases that conditions and plan use.

        c charge, a appointment, cr cancel reason, b billing account, p payer, pp/pt product,
        e provider, co company, cur currency, fs fee schedule, au authorization with ``used``
        units in billing order, live the responsibilities that invoices hold
        (``parts``), and those that this plan replaces (``released``).

        The aggregates are materialized: PostgreSQL would make them again for each charge where it
        has no true statistics, as on a new database.

        :param SQL scope: condition on ``healthcare_charge c0`` that bounds the aggregates
        """
        return SQL(
            """healthcare_charge c
            LEFT JOIN healthcare_appointment a ON a.id = c.appointment_id
            LEFT JOIN healthcare_cancel_reason cr ON cr.id = a.cancel_reason_id
            LEFT JOIN healthcare_billing_account b ON b.id = c.billing_account_id
            LEFT JOIN res_partner p ON p.id = c.payer_id
            LEFT JOIN product_pricelist fs
                   ON fs.id = (p.fee_schedule_id ->> c.company_id::text)::int
            LEFT JOIN product_product pp ON pp.id = c.product_id
            LEFT JOIN product_template pt ON pt.id = pp.product_tmpl_id
            LEFT JOIN hr_employee e ON e.id = c.employee_id
            LEFT JOIN res_company co ON co.id = c.company_id
            LEFT JOIN res_currency cur ON cur.id = c.currency_id
            LEFT JOIN (
                WITH known AS MATERIALIZED (
                SELECT used.id, auth.id AS authorization_id, auth.units, auth.date_from,
                       auth.date_to, auth.client_id, auth.payer_id, auth.active, used.used
                  FROM (
                    SELECT u.id, u.authorization_id,
                           SUM(u.quantity) OVER (
                               PARTITION BY u.authorization_id
                               ORDER BY u.billing_stage IN ('planned', 'qa', 'billing_office'),
                                        u.service_date, u.id
                           ) AS used
                      FROM healthcare_charge u
                 LEFT JOIN healthcare_appointment ua ON ua.id = u.appointment_id
                     WHERE u.kind = 'service'
                       AND u.billing_stage <> 'not_billable'
                       AND (ua.id IS NULL OR ua.state IN ('scheduled', 'completed'))
                       AND u.authorization_id IN (
                           SELECT c0.authorization_id FROM healthcare_charge c0 WHERE %(scope)s
                       )
                  ) used
                  JOIN healthcare_authorization auth ON auth.id = used.authorization_id
                ) SELECT * FROM known
            ) au ON au.id = c.id
            LEFT JOIN (
                WITH known AS MATERIALIZED (
                SELECT l.charge_id,
                       array_agg(l.responsibility::text) FILTER (WHERE NOT %(released)s) AS parts,
                       array_agg(l.responsibility::text) FILTER (WHERE %(released)s) AS released
                  FROM account_move_line l
                 WHERE l.charge_live
                   AND l.charge_id IN (SELECT c0.id FROM healthcare_charge c0 WHERE %(scope)s)
              GROUP BY l.charge_id
                ) SELECT * FROM known
            ) live ON live.charge_id = c.id""",
            scope=scope,
            released=self._released_lines_sql(SQL("l")),
        )

    @api.model
    def _released_lines_sql(self, line):
        """SQL condition: a live line that this plan replaces, so that its part is free for it.

        :param SQL line: alias of ``account_move_line``
        """
        return SQL("FALSE")

    @api.model
    def _billable_care_sql(self):
        """SQL condition: care that may be billed at all, as ``_is_billable`` says of a visit."""
        return SQL(
            "(COALESCE(b.billable, TRUE) AND (a.id IS NULL OR (a.billable"
            " AND (a.state IN ('scheduled', 'completed')"
            " OR COALESCE(cr.bill, a.state IN ('late_canceled', 'no_show'))))))"
        )

    @api.model
    def _block_codes_sql(self, companies, invoice_date):
        """SQL expression: text array of the codes that hold for charge ``c``."""
        conditions = self._block_conditions(companies, invoice_date)
        final = [SQL("WHEN %s THEN ARRAY[%s]", conditions.pop(code), code) for code in FINAL_CODES]
        others = [SQL("CASE WHEN %s THEN %s END", sql, code) for code, sql in conditions.items()]
        return SQL(
            "CASE %s ELSE array_remove(ARRAY[%s]::text[], NULL) END",
            SQL(" ").join(final),
            SQL(", ").join(others),
        )

    @api.model
    def _block_conditions(self, companies, invoice_date):
        """One SQL condition per block reason code (R7, R9, R10, R12).

        Overriders add codes, on the aliases of ``_charge_source``, and a
        ``healthcare.block.reason`` record with the texts.

        :param companies: companies whose lock dates matter
        :param date invoice_date: date of the invoice to be
        :return: ``{code: SQL}`` in the order in which a biller should mend them
        """
        today = fields.Date.context_today(self)
        door = self.env.context.get("healthcare_billing_door")
        by_hand = door in ("manual", "rebill", "transfer", "statement")
        payer_concerned = SQL("(c.amount_payer <> 0 OR c.amount_secondary <> 0)")
        primary_owes = self._owes_sql(SQL("c.amount_payer"))
        secondary_owes = self._owes_sql(SQL("c.amount_secondary"))
        payer_owes = SQL("(%s OR %s)", primary_owes, secondary_owes)
        insured = SQL("(%s AND p.payer_type IN ('insurance', 'government'))", payer_owes)
        valid_cover = SQL(
            "cov.active AND (cov.date_from IS NULL OR cov.date_from <= c.service_date)"
            " AND (cov.date_to IS NULL OR cov.date_to >= c.service_date)"
        )
        covered = SQL(
            "EXISTS (SELECT 1 FROM healthcare_coverage cov WHERE cov.client_id = c.client_id"
            " AND cov.payer_id = c.payer_id AND %s)",
            valid_cover,
        )
        authorized = SQL(
            "SELECT 1 FROM healthcare_authorization_product_product_rel listed"
            " WHERE listed.healthcare_authorization_id = au.authorization_id"
        )
        licenses = self.env["healthcare.cpt.license"]
        return {
            "already_invoiced": SQL(
                "(live.parts IS NOT NULL AND live.parts @> array_remove(ARRAY["
                "CASE WHEN c.amount_client <> 0 THEN 'client' END,"
                "CASE WHEN c.amount_payer <> 0 THEN 'primary' END,"
                "CASE WHEN c.amount_secondary <> 0 THEN 'secondary' END]::text[], NULL))"
            ),
            # the stage of what is replaced is still that of the invoice
            "not_billable": SQL(
                "(c.billing_stage = 'not_billable' OR COALESCE(c.premium_lapsed, FALSE)"
                " OR (live.released IS NOT NULL AND NOT %s))",
                self._billable_care_sql(),
            ),
            "planned": SQL(
                "(c.billing_stage = 'planned'"
                " OR (live.released IS NOT NULL AND a.state = 'scheduled'))"
            ),
            "in_qa": SQL(
                "(c.billing_stage = 'qa' OR (live.released IS NOT NULL AND co.healthcare_qa_review"
                " AND a.qa_state IN ('review', 'corrections')))"
            ),
            "parked": SQL("FALSE")
            if by_hand
            else SQL("(a.parked AND (a.parked_until IS NULL OR a.parked_until > %s))", today),
            "archived": SQL("a.active = FALSE"),
            "vacant": SQL("COALESCE(a.is_vacant, FALSE)"),
            "unscheduled": SQL("COALESCE(a.is_unscheduled, FALSE)"),
            "rejected": SQL("a.approval_state = 'rejected'"),
            "not_approved": SQL(
                "(a.approval_state = 'not_approved' AND (%s OR (p.requires_approval AND %s)))",
                door in APPROVED_DOORS,
                payer_owes,
            ),
            "missing_account": SQL("c.billing_account_id IS NULL"),
            # a client premium that is charged on hold is billed on hold
            "account_on_hold": SQL(
                "(b.billing_status = 'on_hold' AND NOT EXISTS (SELECT 1"
                " FROM healthcare_client_premium held WHERE held.id = c.client_premium_id"
                " AND held.billable_on_hold))"
            ),
            "account_closed": SQL("(b.billing_status = 'closed' OR NOT b.active)"),
            "wrong_door": SQL(
                "((%s AND %s AND p.invoicing_model IN ('payer_batched', 'payer_file'))"
                " OR (%s AND c.kind = 'premium' AND c.appointment_id IS NULL))",
                door in ("batch", "adhoc"),
                payer_concerned,
                door == "adhoc",  # R16: premiums of a client belong to a cycle
            ),
            # R16
            "not_started": SQL("(%s AND a.start > %s)", door == "adhoc", fields.Datetime.now()),
            "unsigned_note": SQL(
                "(a.state = 'completed' AND a.note_state <> 'signed' AND"
                " (co.healthcare_requires_signed_note OR (p.requires_signed_note AND %s)))",
                payer_owes,
            ),
            "missing_service": SQL("(c.kind = 'service' AND c.product_id IS NULL)"),
            "missing_code": SQL(
                "(c.kind = 'service' AND pp.id IS NOT NULL AND COALESCE(pp.default_code, '') = '')"
            ),
            "missing_bill_code": SQL(
                "(NOT COALESCE(c.is_priced, FALSE) AND COALESCE(p.requires_fee_schedule, FALSE))"
            ),
            "missing_price": SQL(
                "(NOT COALESCE(c.is_priced, FALSE)"
                " AND NOT COALESCE(p.requires_fee_schedule, FALSE)"
                " AND NOT (c.kind = 'service' AND c.product_id IS NULL))"
            ),
            "included_tax": self._has_tax_sql(
                SQL(
                    "COALESCE(tax.price_include_override, co.account_price_include)"
                    " = 'tax_included'"
                )
            ),
            "archived_fee_schedule": SQL("(fs.active = FALSE AND %s)", payer_owes),
            "currency_inactive": SQL("NOT cur.active"),
            "missing_activity_code": SQL(
                # without a price yet, nobody owes anything
                "(c.kind = 'service' AND p.requires_activity_code AND (%s"
                " OR (NOT COALESCE(c.is_priced, FALSE)"
                " AND COALESCE(a.state, '') IN ('', 'scheduled', 'completed')))"
                " AND pp.id IS NOT NULL AND COALESCE(pt.activity_code, '') = '')",
                payer_owes,
            ),
            "missing_diagnosis": SQL(
                "(c.kind = 'service' AND c.parent_id IS NULL AND %s AND NOT EXISTS (SELECT 1 FROM"
                " healthcare_charge_healthcare_diagnosis_rel d WHERE d.healthcare_charge_id ="
                " c.id))",
                insured,
            ),
            "missing_coverage": SQL(
                "((%s AND p.payer_type IN ('insurance', 'government') AND NOT %s)"
                " OR (c.amount_secondary <> 0 AND %s IS NULL))",
                primary_owes,
                covered,
                self._secondary_payer_sql(),
            ),
            "missing_provider": SQL("(c.kind = 'service' AND %s AND e.id IS NULL)", insured),
            "missing_npi": SQL(
                "(c.kind = 'service' AND %s AND e.id IS NOT NULL AND COALESCE(e.npi, '') = '')",
                insured,
            ),
            # R8
            "missing_license": SQL(
                "(%s AND pt.code_system = 'cpt' AND e.is_rendering_provider AND %s)",
                licenses._bills_care_sql(SQL("c")),
                licenses._lacks_license_sql(
                    SQL("e.id"),
                    licenses._license_year_sql(
                        SQL("co"),
                        SQL("c.service_date"),
                        SQL("%s::date", self._license_day(invoice_date)),
                    ),
                ),
            ),
            "missing_authorization": SQL(
                "(c.kind = 'service' AND p.requires_authorization AND %s AND (au.id IS NULL"
                " OR au.client_id <> c.client_id OR au.payer_id <> c.payer_id OR NOT au.active"
                " OR c.service_date NOT BETWEEN au.date_from AND au.date_to"
                " OR (EXISTS (%s) AND NOT EXISTS (%s AND listed.product_product_id ="
                " c.product_id))))",
                payer_owes,
                authorized,
                authorized,
            ),
            "authorization_used_up": SQL("(%s AND au.used > au.units)", payer_owes),
            "missing_income_account": self._missing_income_account_sql(companies),
            "service_after_invoice": SQL(
                "(c.billing_stage <> 'planned' AND c.service_date > %s)", invoice_date
            ),
            "future_invoice_date": SQL("%s", invoice_date > today),
            "locked_period": SQL(
                "(c.company_id = ANY(%s) OR (c.company_id = ANY(%s) AND %s))",
                self._locked_companies(companies, invoice_date).ids,
                self._locked_companies(companies, invoice_date, has_tax=True).ids,
                self._has_tax_sql(SQL("TRUE")),
            ),
        }

    @api.model
    def _owes_sql(self, part):
        """SQL condition: a part makes a payer owe something.

        A credit of what was billed needs no coverage, approval or contract of today, which would
        keep a debt on a payer just because he isn't the one. A reduction of what wasn't billed
        yet goes the way of what it reduces.

        :param SQL part: the payer's part of ``c``
        """
        return SQL(
            "(%(part)s > 0 OR (%(part)s < 0 AND NOT (c.kind IN %(kinds)s AND EXISTS ("
            "SELECT 1 FROM account_move_line billed"
            " WHERE billed.charge_id = c.parent_id AND billed.charge_live AND NOT %(released)s))))",
            part=part,
            kinds=SIGNED_KINDS,
            released=self._released_lines_sql(SQL("billed")),
        )

    @api.model
    def _has_tax_sql(self, condition):
        """SQL condition: the service has a tax in the charge's company, for which this holds.

        As core chooses (``_filter_taxes_by_company``): a branch without taxes of its own has those
        of the nearest company above it.

        :param SQL condition: on the alias ``tax``
        """
        return SQL(
            "EXISTS (SELECT 1 FROM ("
            " SELECT tax.*, RANK() OVER (ORDER BY LENGTH(owner.parent_path) DESC) AS distance"
            " FROM product_taxes_rel rel"
            " JOIN account_tax tax ON tax.id = rel.tax_id AND tax.active"
            " JOIN res_company owner ON owner.id = tax.company_id"
            " WHERE rel.prod_id = pt.id AND co.parent_path LIKE owner.parent_path || '%%'"
            ") tax WHERE tax.distance = 1 AND %s)",
            condition,
        )

    @api.model
    def _secondary_payer_sql(self):
        """SQL expression: payer of the first valid coverage that isn't the charge's own payer's.

        What is taken back is taken from whom it was billed to, whatever is covered today.
        """
        return SQL(
            "(CASE WHEN c.amount_secondary <> 0 THEN COALESCE((SELECT invoice.partner_id"
            " FROM account_move_line billed JOIN account_move invoice ON invoice.id ="
            " billed.move_id WHERE c.amount_secondary < 0 AND billed.charge_live"
            " AND billed.responsibility = 'secondary' AND (billed.charge_id = c.parent_id"
            " OR billed.charge_id IN (SELECT sibling.id FROM healthcare_charge sibling"
            " WHERE sibling.parent_id = c.parent_id)) AND invoice.move_type = 'out_invoice'"
            " ORDER BY billed.id DESC LIMIT 1), (SELECT cov.payer_id"
            " FROM healthcare_account_coverage_rel rel"
            " JOIN healthcare_coverage cov ON cov.id = rel.coverage_id"
            " WHERE rel.account_id = c.billing_account_id AND cov.active"
            " AND cov.payer_id IS DISTINCT FROM c.payer_id"
            " AND (cov.date_from IS NULL OR cov.date_from <= c.service_date)"
            " AND (cov.date_to IS NULL OR cov.date_to >= c.service_date)"
            " ORDER BY cov.sequence, cov.id LIMIT 1)) END)"
        )

    @api.model
    def _sale_journal(self, company):
        """Journal for the company's invoices of care."""
        Journal = self.env["account.journal"]
        return Journal.search(
            [*Journal._check_company_domain(company), ("type", "=", "sale")], limit=1
        )

    @api.model
    def _missing_income_account_sql(self, companies):
        """SQL condition: no journal, or no account wherever core and we look for one."""
        # sudo: who may see why care isn't billed need not be allowed to read journals and accounts
        engine = self.sudo()
        journals = {company: engine._sale_journal(company) for company in companies}
        without_journal = companies.filtered(lambda company: not journals[company])
        without_default = (companies - without_journal).filtered(
            lambda company: (
                not journals[company].default_account_id
                and not engine._default_income_account(company)
            )
        )
        own_account = SQL("(pt.property_account_income_id ->> c.company_id::text)::int")
        category_account = SQL(
            "(SELECT (pc.property_account_income_categ_id ->> c.company_id::text)::int"
            " FROM product_category pc WHERE pc.id = pt.categ_id)"
        )
        return SQL(
            "(c.company_id = ANY(%s) OR (c.company_id = ANY(%s) AND COALESCE(%s, %s) IS NULL))",
            without_journal.ids,
            without_default.ids,
            own_account,
            category_account,
        )

    @api.model
    def _default_income_account(self, company):
        """Income account of services that have none, nor their category: core's fallbacks."""
        fallbacks = (
            ("product.template", "property_account_income_id"),
            ("product.category", "property_account_income_categ_id"),
        )
        return company.sudo().income_account_id or any(
            self.env[model]
            ._fields[name]
            .get_company_dependent_fallback(self.env[model].with_company(company))
            for model, name in fallbacks
        )

    @api.model
    def _locked_companies(self, companies, invoice_date, has_tax=False):
        """Companies in whose books nothing (taxed) can be posted on that date by this user.

        Core would silently move the date; we never do.
        """
        # sudo: see above; whose exceptions from lock dates count is still the user's
        return companies.filtered(
            lambda company: (
                (journal := self.sudo()._sale_journal(company))
                and company.with_company(company)._get_violated_lock_dates(
                    invoice_date, has_tax, journal
                )
            )
        )
