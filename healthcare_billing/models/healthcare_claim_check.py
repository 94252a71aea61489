"""What a claim lacks: one SQL condition per issue, in this one place."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

# Names in one message: more can be seen in the list.
MAX_TOLD = 10


class HealthcareClaim(models.Model):
    """Missing data is found when it is asked for, and never stored: it stands on other records.

    Submitting, the list's filter and the claim's form all use ``_issue_conditions``. The texts are
    ``healthcare.claim.issue`` records.
    """

    _inherit = "healthcare.claim"

    issue_ids = fields.Many2many(
        "healthcare.claim.issue",
        compute="_compute_issue_ids",
        search="_search_issue_ids",
        string="To Look at",
    )
    missing_count = fields.Integer(
        string="Missing", compute="_compute_issue_ids", help="Things that must be mended."
    )
    is_incomplete = fields.Boolean(
        compute="_compute_issue_ids", search="_search_is_incomplete", string="Incomplete"
    )

    # -- reading ---------------------------------------------------------------------------------
    @api.depends(
        "state", "is_superseded", "original_reference", "coverage_id", "billing_provider_id",
        "place_of_service_id", "related_cause", "accident_date", "accident_state_id",
        "diagnosis_line_ids.diagnosis_id", "line_ids.pointer_ids", "line_ids.authorization_number",
        "line_ids.rendering_provider_id", "line_ids.place_of_service_id",
    )  # fmt: skip
    def _compute_issue_ids(self):
        issues = self._origin._issues()
        none = self.env["healthcare.claim.issue"]
        for claim in self:
            claim.issue_ids = issues.get(claim._origin.id, none)
            claim.missing_count = len(
                claim.issue_ids.filtered(lambda issue: issue.severity == "error")
            )
            claim.is_incomplete = bool(claim.missing_count)

    def _issues(self):
        """What these claims lack.

        :return: ``{claim id: healthcare.claim.issue recordset}``, only claims with an issue
        """
        if not self.ids:
            return {}
        by_code = {issue.code: issue for issue in self.env["healthcare.claim.issue"].search([])}
        none = self.env["healthcare.claim.issue"]
        rows = self.env.execute_query(self._issues_query(SQL("cl.id = ANY(%s)", self.ids)))
        return {
            claim_id: none.union(*(by_code[code] for code in codes if code in by_code))
            for claim_id, codes in rows
        }

    def _search_issue_ids(self, operator, value):
        Issue = self.env["healthcare.claim.issue"]
        if operator == "any":
            issues = Issue.search(value)
        elif operator == "in":
            issues = Issue.browse(id_ for id_ in value if id_)
        else:
            return NotImplemented
        rows = self.env.execute_query(self._issues_query(self._open_claims_sql()))
        codes = set(issues.sudo().mapped("code"))
        found = Domain("id", "in", [row[0] for row in rows if codes & set(row[1])])
        if operator == "in" and False in value:
            found |= Domain("id", "not in", [row[0] for row in rows])
        return found

    def _search_is_incomplete(self, operator, value):
        if operator != "in":
            return NotImplemented
        errors = self.env["healthcare.claim.issue"].search([("severity", "=", "error")])
        codes = set(errors.mapped("code"))
        rows = self.env.execute_query(self._issues_query(self._open_claims_sql()))
        ids = [row[0] for row in rows if codes & set(row[1])]
        incomplete, complete = Domain("id", "in", ids), Domain("id", "not in", ids)
        return Domain.OR(incomplete if wanted else complete for wanted in value)

    @api.model
    def _open_claims_sql(self):
        return SQL(
            "cl.company_id = ANY(%s) AND cl.state NOT IN ('closed', 'canceled')",
            self.env.companies.ids,
        )

    # -- refusing --------------------------------------------------------------------------------
    def _check_complete(self):
        """Refuse claims that lack something, and say which lack what.

        :raise UserError: nothing is submitted
        """
        texts = []
        for claim_id, issues in self._issues().items():
            errors = issues.filtered(lambda issue: issue.severity == "error")
            if errors:
                claim = self.browse(claim_id)
                names = ", ".join(errors.mapped("name"))
                texts.append(f"{claim.name} ({claim.client_id.display_name}): {names}")
        if texts:
            more = len(texts) - MAX_TOLD
            if more > 0:
                texts = [*texts[:MAX_TOLD], self.env._("… and %s more claims", more)]
            raise UserError(
                self.env._(
                    "Something is missing, and nothing was submitted:\n%s\nOpen the claim: each "
                    "line there has a button that opens what mends it.",
                    "\n".join(texts),
                )
            )

    # -- the query -------------------------------------------------------------------------------
    @api.model
    def _issues_query(self, scope):
        """SQL query: id and issue codes of the claims in a scope that have any.

        Aliases for conditions: cl claim, client, payer, cov coverage, sub subscriber, co company,
        cop the company's address, bp billing provider.

        :param SQL scope: condition on ``healthcare_claim cl``
        """
        # everything the conditions read must be in the database
        self.env.flush_all()
        states = {
            "open": ("awaiting_submission", "rejected"),
            "held": ("awaiting_submission", "submitted", "accepted", "rejected", "paid"),
        }
        cases = [
            SQL("CASE WHEN cl.state IN %s AND %s THEN %s END", states[when], sql, code)
            for code, (when, sql) in self._issue_conditions().items()
        ]
        return SQL(
            """
            SELECT cl.id, codes.found
              FROM healthcare_claim cl
              JOIN res_partner client ON client.id = cl.client_id
         LEFT JOIN res_country country ON country.id = client.country_id
              JOIN res_partner payer ON payer.id = cl.payer_id
         LEFT JOIN healthcare_coverage cov ON cov.id = cl.coverage_id
         LEFT JOIN res_partner sub ON sub.id = cov.subscriber_id
         LEFT JOIN res_country sub_country ON sub_country.id = sub.country_id
              JOIN res_company co ON co.id = cl.company_id
              JOIN res_partner cop ON cop.id = co.partner_id
         LEFT JOIN res_country co_country ON co_country.id = cop.country_id
         LEFT JOIN hr_employee bp ON bp.id = cl.billing_provider_id
        CROSS JOIN LATERAL (
                   SELECT array_remove(ARRAY[%(cases)s]::text[], NULL)
                   ) AS codes(found)
             WHERE %(scope)s AND cl.is_superseded IS NOT TRUE AND codes.found <> '{}'
            """,
            cases=SQL(", ").join(cases),
            scope=scope,
        )

    @api.model
    def _issue_conditions(self):
        """When a claim lacks what.

        Overriders add codes, on the aliases of ``_issues_query``, and a ``healthcare.claim.issue``
        record with the texts.

        :return: ``{code: (when, SQL condition)}``; when is *open* (before the payer has it, or
            after it was rejected) or *held* (any claim that isn't closed)
        """
        return {
            **self._client_conditions(),
            **self._coverage_conditions(),
            **self._provider_conditions(),
            **self._content_conditions(),
            **self._ledger_conditions(),
        }

    @api.model
    def _blank(self, *columns):
        """SQL condition: one of these texts is empty."""
        conditions = [
            SQL("COALESCE(TRIM(%s), '') = ''", SQL.identifier(*column.split(".")))
            for column in columns
        ]
        return SQL("(%s)", SQL(" OR ").join(conditions))

    @api.model
    def _no_address(self, alias, country):
        """SQL condition: no address that a letter would reach. States matter in the US."""
        return SQL(
            "(%s OR (%s.state_id IS NULL AND COALESCE(%s.code, 'US') = 'US'))",
            self._blank(f"{alias}.street", f"{alias}.city", f"{alias}.zip"),
            SQL.identifier(alias),
            SQL.identifier(country),
        )

    @api.model
    def _any_line(self, condition):
        """SQL condition: this holds for a line of the claim (cll), or its provider (rp)."""
        return SQL(
            "EXISTS (SELECT 1 FROM healthcare_claim_line cll"
            " LEFT JOIN hr_employee rp ON rp.id = cll.rendering_provider_id"
            " WHERE cll.claim_id = cl.id AND %s)",
            condition,
        )

    @api.model
    def _client_conditions(self):
        return {
            # a warning: without one, the claim says the client's usual name
            "client_legal_name": ("open", self._blank("client.legal_name")),
            "client_birth_date": ("open", SQL("client.birth_date IS NULL")),
            "client_sex": ("open", SQL("client.sex IS NULL")),
            "client_address": ("open", self._no_address("client", "country")),
        }

    @api.model
    def _coverage_conditions(self):
        other = SQL("(cov.id IS NOT NULL AND cov.relationship <> '18')")
        return {
            "missing_coverage": ("open", SQL("cov.id IS NULL")),
            "coverage_dates": (
                "open",
                SQL("(cov.date_from > cl.service_date_from OR cov.date_to < cl.service_date_to)"),
            ),
            "missing_member_id": (
                "open",
                SQL("(cov.id IS NOT NULL AND %s)", self._blank("cov.member_id")),
            ),
            "missing_subscriber": (
                "open",
                SQL("(%s AND (sub.id IS NULL OR sub.id = cl.client_id))", other),
            ),
            "subscriber_data": (
                "open",
                SQL(
                    "(%s AND sub.id IS NOT NULL AND sub.id <> cl.client_id AND (%s"
                    " OR sub.birth_date IS NULL OR sub.sex IS NULL OR %s))",
                    other,
                    SQL("COALESCE(TRIM(sub.legal_name), TRIM(sub.name), '') = ''"),
                    self._no_address("sub", "sub_country"),
                ),
            ),
            "missing_payer_id": (
                "open",
                SQL("(cl.claim_format = '837p' AND %s)", self._blank("payer.edi_payer_id")),
            ),
            "payer_address": (
                "open",
                SQL(
                    "(cl.claim_format = 'cms1500' AND %s)",
                    self._blank("payer.street", "payer.city", "payer.zip"),
                ),
            ),
            "missing_filing_indicator": ("open", SQL("payer.claim_filing_indicator IS NULL")),
        }

    @api.model
    def _provider_conditions(self):
        practice = SQL("bp.id IS NULL")
        return {
            "practice_npi": (
                "open",
                SQL("(%s AND %s)", practice, self._blank("co.healthcare_npi")),
            ),
            "practice_taxonomy": (
                "open",
                SQL("(%s AND %s)", practice, self._blank("co.healthcare_taxonomy_code")),
            ),
            "practice_tax_id": ("open", self._blank("cop.vat")),
            "practice_address": (
                "open",
                SQL(
                    "(%s OR (COALESCE(co_country.code, 'US') = 'US'"
                    " AND LENGTH(REGEXP_REPLACE(cop.zip, '[^0-9]', '', 'g')) <> 9))",
                    self._no_address("cop", "co_country"),
                ),
            ),
            "billing_provider": (
                "open",
                SQL("(bp.id IS NOT NULL AND %s)", self._blank("bp.npi", "bp.taxonomy_code")),
            ),
            "missing_provider": (
                "open",
                self._any_line(SQL("cll.rendering_provider_id IS NULL")),
            ),
            # a void names whom the payer knows already
            "provider_not_rendering": (
                "open",
                SQL(
                    "(cl.frequency <> '8' AND %s)",
                    self._any_line(
                        SQL("rp.id IS NOT NULL AND rp.is_rendering_provider IS NOT TRUE")
                    ),
                ),
            ),
            # R8: a claim can name another provider than its invoice was asked for
            "missing_license": (
                "open",
                SQL("(cl.frequency <> '8' AND EXISTS (%s))", self._unlicensed_lines_sql()),
            ),
            "provider_npi": (
                "open",
                self._any_line(SQL("rp.id IS NOT NULL AND %s", self._blank("rp.npi"))),
            ),
            "provider_taxonomy": (
                "open",
                self._any_line(SQL("rp.id IS NOT NULL AND %s", self._blank("rp.taxonomy_code"))),
            ),
        }

    @api.model
    def _unlicensed_lines_sql(self):
        """SQL query: provider and year of each CPT-coded line whose provider has no paid license.

        By the same rule and for the same year as posting asks the invoice. Provider after provider
        in the order of the lines; aliases: cl claim, co company.
        """
        licenses = self.env["healthcare.cpt.license"]
        billed_on = SQL(
            "COALESCE(%s, m.invoice_date, %s::date)",
            self.env["account.move"]._first_billed_on_sql(SQL("m")),
            fields.Date.context_today(self),
        )
        year = licenses._license_year_sql(SQL("co"), SQL("cll.service_date"), billed_on)
        return SQL(
            "SELECT rp.id, %(year)s FROM healthcare_claim_line cll"
            " JOIN hr_employee rp ON rp.id = cll.rendering_provider_id"
            " AND rp.is_rendering_provider"
            " JOIN product_product pp ON pp.id = cll.product_id"
            " JOIN product_template pt ON pt.id = pp.product_tmpl_id AND pt.code_system = 'cpt'"
            " JOIN healthcare_claim_item item ON item.line_id = cll.id"
            " LEFT JOIN account_move m ON m.id = item.move_id"
            " WHERE cll.claim_id = cl.id AND %(lacks)s"
            " ORDER BY cll.sequence, cll.id, item.id",
            year=year,
            lacks=licenses._lacks_license_sql(SQL("rp.id"), year),
        )

    def _first_missing_license(self):
        """Who needs which license first, for this claim.

        :return: ``(hr.employee record, year)``, or None when none is missing
        """
        self.ensure_one()
        self.env.flush_all()  # as in _issues_query
        rows = self.env.execute_query(
            SQL(
                "SELECT missing.* FROM healthcare_claim cl"
                " JOIN res_company co ON co.id = cl.company_id"
                " CROSS JOIN LATERAL (%s LIMIT 1) AS missing WHERE cl.id = %s",
                self._unlicensed_lines_sql(),
                self.id,
            )
        )
        return next(
            ((self.env["hr.employee"].browse(id_), year) for id_, year in rows),
            None,
        )

    @api.model
    def _content_conditions(self):
        pointed = SQL(
            "SELECT 1 FROM healthcare_claim_pointer ptr"
            " JOIN healthcare_diagnosis dx ON dx.id = ptr.diagnosis_id"
        )
        known = SQL(
            "healthcare_billing_account_diagnosis made WHERE made.diagnosis_id = ptr.diagnosis_id"
            " AND made.account_id = cl.billing_account_id AND made.diagnosed_on > cll.service_date"
        )
        return {
            "missing_diagnosis": (
                "open",
                SQL(
                    "NOT EXISTS (SELECT 1 FROM healthcare_claim_diagnosis cd"
                    " WHERE cd.claim_id = cl.id)"
                ),
            ),
            "missing_pointer": (
                "open",
                SQL(
                    "(EXISTS (SELECT 1 FROM healthcare_claim_diagnosis cd"
                    " WHERE cd.claim_id = cl.id) AND %s)",
                    self._any_line(
                        SQL(
                            "NOT EXISTS (SELECT 1 FROM healthcare_claim_pointer ptr"
                            " WHERE ptr.line_id = cll.id)"
                        )
                    ),
                ),
            ),
            "late_diagnosis": (
                "open",
                self._any_line(
                    SQL(
                        "EXISTS (%s WHERE ptr.line_id = cll.id AND EXISTS (SELECT 1 FROM %s))",
                        pointed,
                        known,
                    )
                ),
            ),
            "outdated_diagnosis": (
                "open",
                self._any_line(
                    SQL(
                        "EXISTS (%s WHERE ptr.line_id = cll.id AND (dx.valid_from >"
                        " cll.service_date OR dx.valid_to < cll.service_date))",
                        pointed,
                    )
                ),
            ),
            "missing_code": ("open", self._any_line(self._blank("cll.code"))),
            "missing_units": ("open", self._any_line(SQL("COALESCE(cll.units, 0) <= 0"))),
            "missing_place": (
                "open",
                self._any_line(SQL("cll.place_of_service_id IS NULL")),
            ),
            "place_not_allowed": (
                "open",
                self._any_line(
                    SQL(
                        "EXISTS (SELECT 1 FROM healthcare_place_of_service pos"
                        " WHERE pos.id = cll.place_of_service_id AND NOT"
                        " COALESCE(pos.allowed_837p, FALSE))"
                    )
                ),
            ),
            "missing_authorization": (
                "open",
                SQL(
                    "(payer.requires_authorization AND %s)",
                    self._any_line(self._blank("cll.authorization_number")),
                ),
            ),
            "missing_original": (
                "open",
                SQL("(cl.frequency <> '1' AND %s)", self._blank("cl.original_reference")),
            ),
            "accident_data": (
                "open",
                SQL(
                    "(cl.related_cause IS NOT NULL AND (cl.accident_date IS NULL"
                    " OR (cl.related_cause = 'AA' AND cl.accident_state_id IS NULL)))"
                ),
            ),
        }

    @api.model
    def _ledger_conditions(self):
        today = fields.Date.context_today(self)
        items = SQL(
            "SELECT 1 FROM healthcare_claim_item item"
            " LEFT JOIN account_move_line l ON l.id = item.invoice_line_id"
            " WHERE item.claim_id = cl.id"
        )
        return {
            "invoice_not_posted": (
                "open",
                SQL(
                    "(cl.frequency <> '8' AND EXISTS (%s AND l.parent_state = 'draft'))",
                    items,
                ),
            ),
            "partly_credited": (
                "held",
                SQL(
                    "(cl.frequency <> '8' AND EXISTS (%s AND (NOT COALESCE(l.charge_live, FALSE)"
                    " OR l.charge_credited <> 0)))",
                    items,
                ),
            ),
            "earlier_not_voided": (
                "open",
                SQL(
                    "(cl.frequency = '1' AND EXISTS (SELECT 1 FROM healthcare_claim_item item"
                    " JOIN healthcare_claim_item other ON other.charge_id = item.charge_id"
                    " AND other.responsibility = item.responsibility"
                    " JOIN healthcare_claim former ON former.id = other.claim_id"
                    " AND former.needs_void WHERE item.claim_id = cl.id))"
                ),
            ),
            "timely_filing": (
                "open",
                SQL(
                    "(COALESCE(payer.timely_filing_days, 0) > 0"
                    " AND cl.service_date_from + payer.timely_filing_days < %s)",
                    today,
                ),
            ),
        }
