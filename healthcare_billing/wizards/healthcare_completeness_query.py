from json import dumps

from odoo import fields, models
from odoo.tools import SQL

from .healthcare_completeness import STATUSES

# In units of the currency's rounding: less is no difference of rates.
FEW_CENTS = 10


class HealthcareCompleteness(models.TransientModel):
    """How the rows are made: one statement over the engine's own source and conditions.

    Nothing here says what blocks a charge: source, codes and the payer of the secondary part are
    the engine's SQL. Amounts are untaxed. Company currency: what is booked at the rate of its
    invoice, the rest at the rate of ``invoice_date``.
    """

    _inherit = "healthcare.completeness"

    def _compute_rows(self):
        """Fill rows, sums and figures, by a fixed number of queries."""
        self.ensure_one()
        engine = self.env["healthcare.billing.engine"]
        engine._flush_billing()
        execute = self.env.cr.execute
        for model in ("healthcare.completeness.row", "healthcare.completeness.line"):
            table = SQL.identifier(self.env[model]._table)
            execute(SQL("DELETE FROM %s WHERE report_id = %s", table, self.id))
        delivered = self._delivered_sql(engine)
        totals = self.env.execute_query(
            SQL(
                "SELECT c.currency_id, COUNT(*), SUM(c.amount), %(delivered)s FROM"
                " healthcare_charge c WHERE c.id IN %(scope)s GROUP BY 1, 4",
                delivered=delivered,
                scope=self._scope_sql(),
            )
        )
        rates = self._rates({currency_id for currency_id, *_rest in totals})
        execute(self._insert_rows_sql(engine, delivered, rates))
        execute(self._insert_lines_sql())
        self.env.invalidate_all(flush=False)
        self.write(self._figures(delivered, totals, rates))

    # -- scope -----------------------------------------------------------------------------------
    def _scope_sql(self):
        """Sub-select of the charges' ids, by criteria and record rules."""
        Charge = self.env["healthcare.charge"]
        if not Charge.has_access("read"):
            # sudo: accountants see no charges, but may see that all of them got into the books
            # (the domain names one company, which is checked to be ticked)
            Charge = Charge.sudo()
        return Charge.with_context(active_test=False)._search(self._charge_domain()).subselect()

    def _delivered_sql(self, engine):
        """Condition on ``c``: care that was given, or is overdue to be told.

        A planned visit counts from the day after it was due; one that was invoiced always.
        """
        conditions = engine._block_conditions(self.company_id, self.invoice_date)
        return SQL(
            "NOT (%(planned)s AND c.service_date >= %(today)s AND NOT EXISTS (SELECT 1 FROM"
            " account_move_line l WHERE l.charge_id = c.id AND l.parent_state = 'posted'))",
            planned=conditions["planned"],
            today=self.company_id._care_today(),
        )

    def _rates(self, currency_ids):
        """Units of each currency per unit of company currency, on the invoice date to be."""
        own = self.company_id.currency_id
        return {
            currency.id: own._get_conversion_rate(own, currency, self.company_id, self.invoice_date)
            for currency in self.env["res.currency"].browse(currency_ids)
        }

    # -- rows ------------------------------------------------------------------------------------
    def _insert_rows_sql(self, engine, delivered, rates):
        scope = self._scope_sql()
        reasons = self.env["healthcare.block.reason"].search_fetch([], ["code", "name"])
        return SQL(
            """
            WITH RECURSIVE
            care AS MATERIALIZED (%(care)s),
            line AS MATERIALIZED (%(line)s),
            chain(id, root_id, move_type, root_type, rate) AS (%(chain)s),
            billed AS (%(billed)s),
            ledger AS (%(ledger)s),
            part AS (%(part)s),
            known AS MATERIALIZED (%(known)s),
            result AS MATERIALIZED (%(result)s)
            INSERT INTO healthcare_completeness_row (
                report_id, create_uid, create_date, charge_id, appointment_id, move_id, company_id,
                company_currency_id, currency_id, service_date, client_id, payer_id, responsibility,
                employee_id, department_id, product_id, appointment_state, kind, status, reason_id,
                reasons, amount, amount_company, amount_ledger, difference, cause
            )
            SELECT %(report)s, %(uid)s, %(now)s, care.id, care.appointment_id,
                   row.move_id, care.company_id, %(own)s, care.currency_id, care.service_date,
                   care.client_id,
                   CASE WHEN result.responsibility = 'secondary'
                        THEN COALESCE(care.secondary_payer_id, care.payer_id)
                        ELSE care.payer_id END,
                   result.responsibility, care.employee_id, care.department_id, care.product_id,
                   care.appointment_state, care.kind, row.status,
                   CASE WHEN row.status IN ('blocked', 'not_billable')
                        THEN (%(reason_ids)s::jsonb ->> care.codes[1])::int END,
                   CASE WHEN row.status IN ('blocked', 'not_billable')
                        THEN (SELECT string_agg(COALESCE(%(reason_names)s::jsonb ->> code, code),
                                                ', ' ORDER BY place)
                                FROM unnest(care.codes) WITH ORDINALITY AS found(code, place)) END,
                   row.amount, valued.company, row.books,
                   CASE WHEN row.books IS NOT NULL THEN valued.company - row.books ELSE 0 END,
                   CASE WHEN row.books IS NULL
                          OR (valued.company = row.books AND row.amount = row.books_currency)
                        THEN NULL
                        WHEN row.amount = row.books_currency AND care.currency_id <> %(own)s
                        THEN 'exchange'
                        WHEN row.stray THEN 'credit'
                        ELSE 'edited' END
              FROM result
              JOIN care ON care.id = result.charge_id
        CROSS JOIN LATERAL (VALUES
                       (result.status, result.amount - result.credited,
                        result.company - result.credited_company, result.books,
                        result.books_currency, result.move_id, FALSE,
                        result.status IS NOT NULL),
                       ('credited', result.credited, result.credited_company, NULL, NULL,
                        result.move_id, FALSE, result.credited <> 0),
                       ('invoiced', 0, 0, result.posted, result.posted_currency,
                        result.last_move_id, TRUE,
                        result.status IS DISTINCT FROM 'invoiced'
                        AND (result.posted <> 0 OR result.posted_currency <> 0))
                   ) AS row(status, amount, company, books, books_currency, move_id, stray, told)
        CROSS JOIN LATERAL (
                   -- of an invoice in foreign currency core spreads the cents over its lines
                   SELECT CASE WHEN care.currency_id <> %(own)s AND row.amount = row.books_currency
                                AND ABS(row.company - row.books) <= %(few_cents)s
                               THEN row.books ELSE row.company END AS company
                   ) AS valued
             WHERE row.told
          ORDER BY care.service_date, care.id
            """,
            care=self._care_sql(engine, scope, delivered, rates),
            line=self._line_sql(),
            chain=self._chain_sql(),
            billed=self._billed_sql(),
            ledger=self._ledger_sql(),
            part=self._part_sql(),
            known=self._known_sql(),
            result=self._result_sql(),
            report=self.id,
            uid=self.env.uid,
            now=fields.Datetime.now(),
            own=self.currency_id.id,
            few_cents=FEW_CENTS * self.currency_id.rounding,
            reason_ids=dumps({reason.code: reason.id for reason in reasons}),
            reason_names=dumps({reason.code: reason.name for reason in reasons}),
        )

    def _care_sql(self, engine, scope, delivered, rates):
        """Charges with the engine's codes of what keeps them back."""
        return SQL(
            """SELECT c.id, c.appointment_id, c.company_id, c.currency_id, c.service_date,
                      c.client_id, c.payer_id, c.employee_id, c.department_id, c.product_id, c.kind,
                      a.state AS appointment_state, %(codes)s AS codes,
                      %(secondary)s AS secondary_payer_id,
                      COALESCE(c.amount_client, 0) AS client,
                      COALESCE(c.amount_payer, 0) AS primary,
                      COALESCE(c.amount_secondary, 0) AS secondary,
                      CASE WHEN COALESCE(c.amount_client, 0) <> 0
                             OR COALESCE(c.amount_payer, 0) <> 0
                             OR COALESCE(c.amount_secondary, 0) <> 0 THEN NULL
                           WHEN p.invoicing_model IS NULL OR p.invoicing_model = 'client_individual'
                             OR COALESCE(a.state, '') NOT IN ('', 'scheduled', 'completed')
                           THEN 'client' ELSE 'primary' END AS party_of_nothing,
                      COALESCE((%(rates)s::jsonb ->> c.currency_id::text)::numeric, 1) AS rate
                 FROM %(source)s
                WHERE c.id IN %(scope)s AND %(delivered)s""",
            codes=engine._block_codes_sql(self.company_id, self.invoice_date),
            secondary=engine._secondary_payer_sql(),
            source=engine._charge_source(SQL("c0.id IN %s", scope)),
            scope=scope,
            delivered=delivered,
            rates=dumps(rates),
        )

    def _line_sql(self):
        """Journal items of this care. A charge of 0.00 is one party's, whoever it was before."""
        return SQL(
            """SELECT l.id, l.charge_id, l.charge_live, l.parent_state, l.date, l.price_subtotal,
                      l.balance, l.amount_currency, l.credit_of_line_id, l.move_id, m.move_type,
                      COALESCE(care.party_of_nothing, l.responsibility) AS responsibility,
                      l.parent_state = 'posted' AND l.date <= %(as_of)s AS is_booked,
                      CASE WHEN l.currency_id = care.currency_id AND l.currency_id <> %(own)s
                           THEN COALESCE(NULLIF(m.invoice_currency_rate, 0), care.rate)
                           ELSE care.rate END AS rate
                 FROM care
                 JOIN account_move_line l ON l.charge_id = care.id
                 JOIN account_move m ON m.id = l.move_id""",
            as_of=self.as_of,
            own=self.currency_id.id,
        )

    def _chain_sql(self):
        """Each line with the line that bills, which it takes (or gives) back in the end."""
        return SQL(
            """SELECT l.id, l.id, l.move_type, l.move_type, l.rate
                 FROM line l
            LEFT JOIN line origin ON origin.id = l.credit_of_line_id
                WHERE origin.id IS NULL OR origin.move_type = l.move_type
            UNION ALL
               SELECT l.id, chain.root_id, l.move_type, chain.root_type, chain.rate
                 FROM line l
                 JOIN chain ON chain.id = l.credit_of_line_id
                WHERE l.move_type <> chain.move_type"""
        )

    def _billed_sql(self):
        """The line that billed each part on the date of the books, and what was taken back of it.

        Whether a line bills its charge is ``charge_live``; only where later credits changed it, it
        is told from those of that date.
        """
        return SQL(
            """SELECT DISTINCT ON (root.charge_id, root.responsibility) root.charge_id,
                      root.responsibility, root.id, root.move_id, root.rate,
                      SIGN(-root.amount_currency) AS sign, counter.credited,
                      counter.credited_company
                 FROM line root
                 JOIN (
                   SELECT chain.root_id,
                          COALESCE(SUM(way.sign * ABS(l.price_subtotal))
                                   FILTER (WHERE l.is_booked), 0) AS credited,
                          COALESCE(SUM(way.sign * ROUND(ABS(l.price_subtotal) / chain.rate,
                                                        %(digits)s))
                                   FILTER (WHERE l.is_booked), 0) AS credited_company,
                          COUNT(*) FILTER (WHERE l.is_booked AND way.sign <> 0) AS counters,
                          BOOL_OR(NOT l.is_booked) AS changed_later
                     FROM chain
                     JOIN line l ON l.id = chain.id
               CROSS JOIN LATERAL (SELECT CASE WHEN l.id = chain.root_id THEN 0
                                               WHEN l.move_type <> chain.root_type THEN 1
                                               ELSE -1 END AS sign) way
                    WHERE l.parent_state = 'posted'
                 GROUP BY chain.root_id
                 ) counter ON counter.root_id = root.id
                WHERE root.is_booked
                  AND CASE WHEN NOT counter.changed_later THEN root.charge_live
                           WHEN root.price_subtotal = 0 THEN counter.counters = 0
                           ELSE counter.credited < ABS(root.price_subtotal) END
             ORDER BY root.charge_id, root.responsibility, root.id""",
            digits=self.currency_id.decimal_places,
        )

    def _ledger_sql(self):
        """What the books say of each part, drafts apart."""
        return SQL(
            """SELECT l.charge_id, l.responsibility,
                      COALESCE(-SUM(l.balance) FILTER (WHERE l.is_booked), 0) AS posted,
                      COALESCE(-SUM(l.amount_currency) FILTER (WHERE l.is_booked), 0)
                          AS posted_currency,
                      MAX(l.move_id) FILTER (WHERE l.is_booked) AS last_move_id,
                      COALESCE(BOOL_OR(l.charge_live AND l.parent_state = 'posted'), FALSE)
                          AS is_posted,
                      COALESCE(BOOL_OR(l.charge_live AND l.parent_state = 'draft'), FALSE)
                          AS is_draft,
                      -SUM(l.balance) FILTER (WHERE l.charge_live AND l.parent_state = 'draft')
                          AS draft,
                      -SUM(l.amount_currency)
                          FILTER (WHERE l.charge_live AND l.parent_state = 'draft')
                          AS draft_currency,
                      MAX(l.move_id) FILTER (WHERE l.charge_live) AS live_move_id,
                      MAX(l.rate) FILTER (WHERE l.charge_live) AS live_rate
                 FROM line l
             GROUP BY l.charge_id, l.responsibility"""
        )

    def _part_sql(self):
        """Who owes how much of each charge; somebody owes one of 0.00, too."""
        return SQL(
            """SELECT care.id AS charge_id, owed.responsibility, owed.amount, care.rate, care.codes
                 FROM care
           CROSS JOIN LATERAL (VALUES ('client', care.client), ('primary', care.primary),
                                      ('secondary', care.secondary)
                      ) AS owed(responsibility, amount)
                WHERE owed.amount <> 0 OR owed.responsibility = care.party_of_nothing"""
        )

    def _known_sql(self):
        """What became of each part, and the rate that values it.

        A part that nobody owes any more has no status; ``_insert_rows_sql`` tells what the books
        still hold of it.
        """
        return SQL(
            """SELECT COALESCE(part.charge_id, ledger.charge_id) AS charge_id,
                      COALESCE(part.responsibility, ledger.responsibility) AS responsibility,
                      COALESCE(part.amount, 0) AS amount,
                      CASE WHEN billed.id IS NOT NULL THEN 'invoiced'
                           WHEN ledger.is_draft THEN 'draft'
                           WHEN part.charge_id IS NULL THEN NULL
                           WHEN ledger.is_posted THEN 'later'
                           WHEN part.codes = '{}' THEN 'ready'
                           WHEN 'not_billable' = ANY(part.codes) THEN 'not_billable'
                           ELSE 'blocked' END AS status,
                      COALESCE(billed.rate, ledger.live_rate, part.rate, 1) AS rate,
                      COALESCE(billed.sign * billed.credited, 0) AS credited,
                      COALESCE(billed.sign * billed.credited_company, 0) AS credited_company,
                      billed.move_id AS billed_move_id, ledger.live_move_id, ledger.last_move_id,
                      COALESCE(ledger.posted, 0) AS posted,
                      COALESCE(ledger.posted_currency, 0) AS posted_currency,
                      ledger.draft, ledger.draft_currency
                 FROM part
            FULL JOIN ledger ON ledger.charge_id = part.charge_id
                            AND ledger.responsibility = part.responsibility
            LEFT JOIN billed ON billed.charge_id = ledger.charge_id
                            AND billed.responsibility = ledger.responsibility"""
        )

    def _result_sql(self):
        """Amounts in company currency, and what the books say of each part."""
        return SQL(
            """SELECT known.*, ROUND(known.amount / known.rate, %(digits)s) AS company,
                      CASE known.status WHEN 'invoiced' THEN known.posted
                                        WHEN 'draft' THEN known.draft END AS books,
                      CASE known.status WHEN 'invoiced' THEN known.posted_currency
                                        WHEN 'draft' THEN known.draft_currency
                                        END AS books_currency,
                      CASE WHEN known.status = 'invoiced' THEN known.billed_move_id
                           WHEN known.status IN ('draft', 'later') THEN known.live_move_id
                           END AS move_id
                 FROM known""",
            digits=self.currency_id.decimal_places,
        )

    # -- sums ------------------------------------------------------------------------------------
    def _insert_lines_sql(self):
        return SQL(
            """INSERT INTO healthcare_completeness_line (
                   report_id, create_uid, write_uid, create_date, write_date, sequence, company_id,
                   company_currency_id, currency_id, status, reason_id, charge_count, amount,
                   amount_company, amount_ledger, difference
               )
               SELECT r.report_id, %(uid)s, %(uid)s, %(now)s, %(now)s,
                      ROW_NUMBER() OVER (ORDER BY array_position(%(statuses)s, r.status),
                                         reason.sequence, reason.id, r.currency_id),
                      r.company_id, r.company_currency_id, r.currency_id, r.status, r.reason_id,
                      COUNT(DISTINCT r.charge_id), SUM(r.amount), SUM(r.amount_company),
                      SUM(r.amount_ledger), SUM(r.difference)
                 FROM healthcare_completeness_row r
            LEFT JOIN healthcare_block_reason reason ON reason.id = r.reason_id
                WHERE r.report_id = %(report)s
             GROUP BY r.report_id, r.company_id, r.company_currency_id, r.currency_id, r.status,
                      r.reason_id, reason.id""",
            uid=self.env.uid,
            now=fields.Datetime.now(),
            statuses=[status for status, _label in STATUSES],
            report=self.id,
        )

    def _figures(self, delivered, totals, rates):
        """Values of the report's own fields.

        :param list totals: (currency id, count, amount, is delivered) of the charges themselves
        """
        Row = self.env["healthcare.completeness.row"]
        own = self.currency_id
        figures = dict.fromkeys((status for status, _label in STATUSES), 0.0)
        told = {}
        for line in self.line_ids:
            figures[line.status] += line.amount_company
            told[line.currency_id.id] = told.get(line.currency_id.id, 0.0) + line.amount
        care = {currency: float(amount or 0) for currency, _n, amount, done in totals if done}
        gap = sum(
            own.round((care.get(currency, 0.0) - told.get(currency, 0.0)) / rates[currency])
            for currency in rates
        )
        causes = {
            (status, cause): (count, amount)
            for status, cause, count, amount in Row._read_group(
                [("report_id", "=", self.id), ("cause", "!=", False)],
                ["status", "cause"],
                ["__count", "difference:sum"],
            )
        }
        real = {key: value for key, value in causes.items() if key[1] != "exchange"}
        exchange = causes.get(("invoiced", "exchange"), (0, 0.0))
        planned = [(n, amount, currency) for currency, n, amount, done in totals if not done]
        return {
            **{status: own.round(amount) for status, amount in figures.items()},
            "computed_on": fields.Datetime.now(),
            "charge_count": sum(n for _currency, n, _amount, done in totals if done),
            "delivered": own.round(sum(figures.values()) + gap),
            "gap": gap,
            "ledger": self._ledger_amount(delivered),
            "difference": own.round(
                sum(amount for key, (_n, amount) in real.items() if key[0] == "invoiced")
            ),
            "draft_difference": own.round(
                sum(amount for key, (_n, amount) in real.items() if key[0] == "draft")
            ),
            "difference_count": sum(count for count, _amount in real.values()),
            "exchange_count": exchange[0],
            "exchange": own.round(-exchange[1]),
            "planned_count": sum(count for count, _amount, _currency in planned),
            "planned_amount": sum(
                own.round(float(amount or 0) / rates[currency]) for _n, amount, currency in planned
            ),
            "other_income": self._other_income(),
            "has_foreign_currency": any(currency != own.id for currency in rates),
        }

    def _ledger_amount(self, delivered):
        """Income of this care by the ledger alone: posted journal items that name a charge."""
        [(amount,)] = self.env.execute_query(
            SQL(
                """SELECT COALESCE(-SUM(l.balance), 0)
                     FROM account_move_line l
                    WHERE l.parent_state = 'posted' AND l.date <= %(as_of)s
                      AND l.charge_id IN (
                          SELECT c.id FROM healthcare_charge c
                           WHERE c.id IN %(scope)s AND %(delivered)s)""",
                as_of=self.as_of,
                scope=self._scope_sql(),
                delivered=delivered,
            )
        )
        return float(amount)

    def _other_income_sql(self):
        """FROM and WHERE of posted lines without a charge on documents of this care."""
        return SQL(
            """FROM account_move_line l
               JOIN account_move m ON m.id = l.move_id
              WHERE l.parent_state = 'posted' AND l.date <= %(as_of)s AND l.charge_id IS NULL
                AND l.display_type = 'product'
                AND COALESCE(m.reversed_entry_id, m.id) IN (
                    SELECT own.move_id FROM account_move_line own WHERE own.charge_id IN %(scope)s)
            """,
            as_of=self.as_of,
            scope=self._scope_sql(),
        )

    def _other_income(self):
        [(amount,)] = self.env.execute_query(
            SQL("SELECT COALESCE(-SUM(l.balance), 0) %s", self._other_income_sql())
        )
        return float(amount)

    def _other_income_ids(self):
        return [row[0] for row in self.env.execute_query(
            SQL("SELECT l.id %s", self._other_income_sql())
        )]  # fmt: skip
