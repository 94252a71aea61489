from json import dumps

from odoo import api, fields, models
from odoo.tools import SQL

from .healthcare_completeness import STATUSES

# In units of the currency's rounding: less is no difference of rates.
FEW_CENTS = 10


# Blocked for good: what nobody will ever bill is no revenue to come (R12).
NEVER_CODES = ["rejected", "vacant", "unscheduled"]

# Accounts whose balance is a result of the year, by the first word of their type.
RESULT_GROUPS = ["income", "expense"]


class HealthcareCompleteness(models.TransientModel):
    """How the rows are made: some small steps over the engine's own source and conditions.

    Nothing here says what blocks a charge: source, codes and the payer of the secondary part are
    the engine's SQL. Amounts are untaxed. Company currency: what is booked at the rate of its
    invoice, the rest at the rate of ``invoice_date``.

    Each step fills a temporary table with an index and statistics of its own. One statement would
    be at the mercy of the statistics of charges and journal items: where these were last counted
    before they were filled, the planner takes them for empty, and loops over loops.
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
        charge_ids = self._scope_ids()
        totals, delivered_ids = self._totals(charge_ids)
        rates = self._rates({currency_id for currency_id, *_rest in totals})
        self._make_steps(engine, delivered_ids, rates)
        execute(self._insert_rows_sql())
        execute(self._insert_lines_sql())
        self.env.invalidate_all(flush=False)
        self.write(self._figures(charge_ids, delivered_ids, totals, rates))

    # -- scope -----------------------------------------------------------------------------------
    def _scope_ids(self):
        """Ids of the charges, by criteria and record rules."""
        Charge = self.env["healthcare.charge"]
        if not Charge.has_access("read"):
            # sudo: accountants see no charges, but may see that all of them got into the books
            # (the domain names one company, which is checked to be ticked)
            Charge = Charge.sudo()
        charges = Charge.with_context(active_test=False)
        return charges.search(self._charge_domain(), order="id").ids

    def _totals(self, charge_ids):
        """Sums of the charges themselves, and which of them are delivered.

        :return: list of (currency id, count, amount, is delivered), list of ids
        """
        found = self.env.execute_query(
            SQL(
                """SELECT c.currency_id, COUNT(*), SUM(c.amount), %s, array_agg(c.id)
                     FROM healthcare_charge c
                    WHERE c.id = ANY(%s)
                 GROUP BY 1, 4""",
                self._delivered_sql(),
                charge_ids,
            )
        )
        delivered = [id_ for *_sums, done, ids in found if done for id_ in ids]
        return [row[:4] for row in found], delivered

    def _delivered_sql(self):
        """Condition on ``c``: care that was given, or is overdue to be told.

        A planned visit counts from the day after it was due; one that was invoiced always.
        """
        return SQL(
            "NOT (c.billing_stage = 'planned' AND c.service_date >= %(today)s AND NOT EXISTS"
            " (SELECT 1 FROM account_move_line l"
            " WHERE l.charge_id = c.id AND l.parent_state = 'posted'))",
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
    def _make_steps(self, engine, charge_ids, rates):
        """Tables from which the rows are made; they are gone when the transaction ends."""
        self._make_care(engine, charge_ids, rates)
        self._make_table("line", self._line_sql(), "id", "charge_id", "credit_of_line_id")
        self._make_table("chain", self._chain_sql(), "id", "root_id")
        self._make_table("billed", self._billed_sql(), "charge_id, responsibility")
        self._make_table("ledger", self._ledger_sql(), "charge_id, responsibility")
        self._make_table("result", self._result_sql(), "charge_id")

    def _make_care(self, engine, charge_ids, rates):
        """The charges, by the engine's query.

        Its source joins sums of authorizations and journal items. Who takes the charges for a
        handful makes these sums again for each of them: joins have to be by hash or merge here,
        which takes time in proportion whatever the statistics say.
        """
        set_loops = "SELECT set_config('enable_nestloop', %s, TRUE)"  # for this transaction
        [(before,)] = self.env.execute_query(SQL("SELECT current_setting('enable_nestloop')"))
        self.env.cr.execute(SQL(set_loops, "off"))
        self._make_table("care", self._care_sql(engine, charge_ids, rates), "id")
        self.env.cr.execute(SQL(set_loops, before))

    def _make_table(self, name, query, *indexes):
        """A temporary table with what the query finds.

        :param str indexes: columns of each index
        """
        execute = self.env.cr.execute
        table = SQL.identifier(f"completeness_{name}")
        execute(SQL("DROP TABLE IF EXISTS pg_temp.%s", table))
        execute(SQL("CREATE TEMPORARY TABLE %s ON COMMIT DROP AS %s", table, query))
        for columns in indexes:
            execute(SQL("CREATE INDEX ON %s (%s)", table, SQL(columns)))
        execute(SQL("ANALYZE %s", table))

    def _insert_rows_sql(self):
        reasons = self.env["healthcare.block.reason"].search_fetch([], ["code", "name"])
        return SQL(
            """
            INSERT INTO healthcare_completeness_row (
                report_id, create_uid, create_date, charge_id, appointment_id, move_id, company_id,
                company_currency_id, currency_id, service_date, client_id, payer_id, responsibility,
                employee_id, department_id, product_id, appointment_state, kind, status, reason_id,
                reasons, amount, amount_company, amount_ledger, difference, cause,
                is_accruable
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
                        WHEN row.elsewhere THEN 'account'
                        WHEN row.amount = row.books_currency AND care.currency_id <> %(own)s
                         AND row.at_rate
                        THEN 'exchange'
                        WHEN row.stray THEN 'credit'
                        ELSE 'edited' END,
                   row.status IN ('later', 'ready')
                   -- a draft that is dated in the period is revenue of it when it is posted
                   OR (row.status = 'draft' AND COALESCE(move.invoice_date, %(today)s) > %(as_of)s)
                   OR (row.status = 'blocked' AND NOT care.codes && %(never)s
                       AND NOT ('planned' = ANY(care.codes) AND care.clock_in IS NULL))
              FROM completeness_result result
              JOIN completeness_care care ON care.id = result.charge_id
        CROSS JOIN LATERAL (VALUES
                       (result.status, result.amount - result.credited,
                        result.company - result.credited_company, result.books,
                        result.books_currency, result.elsewhere, result.at_rate, result.move_id,
                        FALSE, result.status IS NOT NULL),
                       ('credited', result.credited, result.credited_company, NULL, NULL, FALSE,
                        TRUE, result.move_id, FALSE, result.credited <> 0),
                       ('invoiced', 0, 0, result.posted, result.posted_currency,
                        result.posted_elsewhere, result.posted_at_rate, result.last_move_id, TRUE,
                        result.status IS DISTINCT FROM 'invoiced'
                        AND (result.posted <> 0 OR result.posted_currency <> 0))
                   ) AS row(status, amount, company, books, books_currency, elsewhere, at_rate,
                            move_id, stray, told)
        CROSS JOIN LATERAL (
                   -- of an invoice in foreign currency core spreads the cents over its lines
                   SELECT CASE WHEN care.currency_id <> %(own)s AND row.amount = row.books_currency
                                AND ABS(row.company - row.books) <= %(few_cents)s
                               THEN row.books ELSE row.company END AS company
                   ) AS valued
         LEFT JOIN account_move move ON move.id = row.move_id
             WHERE row.told
          ORDER BY care.service_date, care.id
            """,
            report=self.id,
            uid=self.env.uid,
            now=fields.Datetime.now(),
            own=self.currency_id.id,
            few_cents=self._few_cents(),
            never=NEVER_CODES,
            today=fields.Date.context_today(self),
            as_of=self.as_of,
            reason_ids=dumps({reason.code: reason.id for reason in reasons}),
            reason_names=dumps({reason.code: reason.name for reason in reasons}),
        )

    def _care_sql(self, engine, charge_ids, rates):
        """Charges with the engine's codes of what keeps them back."""
        return SQL(
            """SELECT c.id, c.appointment_id, c.company_id, c.currency_id, c.service_date,
                      c.client_id, c.payer_id, c.employee_id, c.department_id, c.product_id, c.kind,
                      a.state AS appointment_state, a.clock_in, %(codes)s AS codes,
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
                WHERE c.id = ANY(%(ids)s)""",
            codes=engine._block_codes_sql(self.company_id, self.invoice_date),
            secondary=engine._secondary_payer_sql(),
            source=engine._charge_source(SQL("c0.id = ANY(%s)", charge_ids)),
            ids=charge_ids,
            rates=dumps(rates),
        )

    def _line_sql(self):
        """Journal items of this care. A charge of 0.00 is one party's, whoever it was before.

        ``on_result``: booked as income or expense, what a balance sheet holds is none.
        ``at_rate``: in the charge's currency, and converted by the rate of its own invoice.
        """
        return SQL(
            """SELECT l.id, l.charge_id, l.charge_live, l.parent_state, l.date, l.price_subtotal,
                      l.balance, l.amount_currency, l.credit_of_line_id, l.move_id, m.move_type,
                      COALESCE(care.party_of_nothing, l.responsibility) AS responsibility,
                      l.parent_state = 'posted' AND l.date <= %(as_of)s AS is_booked,
                      %(on_result)s AS on_result,
                      COALESCE(l.currency_id = care.currency_id
                               AND ABS(l.balance - ROUND(l.amount_currency
                                                         / NULLIF(m.invoice_currency_rate, 0),
                                                         %(digits)s)) <= %(few_cents)s,
                               FALSE) AS at_rate,
                      CASE WHEN l.currency_id = care.currency_id AND l.currency_id <> %(own)s
                           THEN COALESCE(NULLIF(m.invoice_currency_rate, 0), care.rate)
                           ELSE care.rate END AS rate
                 FROM completeness_care care
                 JOIN account_move_line l ON l.charge_id = care.id
                 JOIN account_move m ON m.id = l.move_id
            LEFT JOIN account_account account ON account.id = l.account_id""",
            as_of=self.as_of,
            on_result=self._on_result_sql(),
            digits=self.currency_id.decimal_places,
            few_cents=self._few_cents(),
            own=self.currency_id.id,
        )

    @api.model
    def _on_result_sql(self):
        """Condition on ``account``: income or expense, as its internal group says."""
        return SQL(
            "COALESCE(split_part(account.account_type, '_', 1) = ANY(%s), FALSE)", RESULT_GROUPS
        )

    def _few_cents(self):
        return FEW_CENTS * self.currency_id.rounding

    def _chain_sql(self):
        """Each line with the line that bills, which it takes (or gives) back in the end."""
        return SQL(
            """WITH RECURSIVE chain(id, root_id, move_type, root_type, rate) AS (
               SELECT l.id, l.id, l.move_type, l.move_type, l.rate
                 FROM completeness_line l
            LEFT JOIN completeness_line origin ON origin.id = l.credit_of_line_id
                WHERE origin.id IS NULL OR origin.move_type = l.move_type
            UNION ALL
               SELECT l.id, chain.root_id, l.move_type, chain.root_type, chain.rate
                 FROM chain
                 JOIN completeness_line l ON l.credit_of_line_id = chain.id
                WHERE l.move_type <> chain.move_type
               )
               SELECT * FROM chain"""
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
                 FROM completeness_line root
                 JOIN (
                   SELECT chain.root_id,
                          COALESCE(SUM(way.sign * ABS(l.price_subtotal))
                                   FILTER (WHERE l.is_booked), 0) AS credited,
                          COALESCE(SUM(way.sign * ROUND(ABS(l.price_subtotal) / chain.rate,
                                                        %(digits)s))
                                   FILTER (WHERE l.is_booked), 0) AS credited_company,
                          COUNT(*) FILTER (WHERE l.is_booked AND way.sign <> 0) AS counters,
                          BOOL_OR(NOT l.is_booked) AS changed_later
                     FROM completeness_chain chain
                     JOIN completeness_line l ON l.id = chain.id
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
        """What the books say of each part, drafts apart: income and expense accounts only."""
        return SQL(
            """SELECT l.charge_id, l.responsibility,
                      COALESCE(-SUM(l.balance) FILTER (WHERE kind.is_booked AND l.on_result), 0)
                          AS posted,
                      COALESCE(-SUM(l.amount_currency)
                               FILTER (WHERE kind.is_booked AND l.on_result), 0)
                          AS posted_currency,
                      COALESCE(BOOL_OR(kind.is_elsewhere) FILTER (WHERE kind.is_booked), FALSE)
                          AS posted_elsewhere,
                      COALESCE(BOOL_AND(l.at_rate) FILTER (WHERE kind.is_booked), FALSE)
                          AS posted_at_rate,
                      MAX(l.move_id) FILTER (WHERE kind.is_booked) AS last_move_id,
                      COALESCE(BOOL_OR(l.charge_live AND l.parent_state = 'posted'), FALSE)
                          AS is_posted,
                      COALESCE(BOOL_OR(kind.is_draft), FALSE) AS is_draft,
                      COALESCE(-SUM(l.balance) FILTER (WHERE kind.is_draft AND l.on_result), 0)
                          AS draft,
                      COALESCE(-SUM(l.amount_currency)
                               FILTER (WHERE kind.is_draft AND l.on_result), 0)
                          AS draft_currency,
                      COALESCE(BOOL_OR(kind.is_elsewhere) FILTER (WHERE kind.is_draft), FALSE)
                          AS draft_elsewhere,
                      COALESCE(BOOL_AND(l.at_rate) FILTER (WHERE kind.is_draft), FALSE)
                          AS draft_at_rate,
                      MAX(l.move_id) FILTER (WHERE l.charge_live) AS live_move_id,
                      MAX(l.rate) FILTER (WHERE l.charge_live) AS live_rate
                 FROM completeness_line l
           CROSS JOIN LATERAL (
                      SELECT l.is_booked, l.charge_live AND l.parent_state = 'draft' AS is_draft,
                             NOT l.on_result AND (l.balance <> 0 OR l.amount_currency <> 0)
                                 AS is_elsewhere
                      ) kind
             GROUP BY l.charge_id, l.responsibility"""
        )

    def _part_sql(self):
        """Who owes how much of each charge; somebody owes one of 0.00, too."""
        return SQL(
            """SELECT care.id AS charge_id, owed.responsibility, owed.amount, care.rate, care.codes
                 FROM completeness_care care
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
                      COALESCE(ledger.posted_elsewhere, FALSE) AS posted_elsewhere,
                      COALESCE(ledger.posted_at_rate, FALSE) AS posted_at_rate,
                      ledger.draft, ledger.draft_currency, ledger.draft_elsewhere,
                      ledger.draft_at_rate
                 FROM (%s) part
            FULL JOIN completeness_ledger ledger
                   ON ledger.charge_id = part.charge_id
                  AND ledger.responsibility = part.responsibility
            LEFT JOIN completeness_billed billed
                   ON billed.charge_id = ledger.charge_id
                  AND billed.responsibility = ledger.responsibility""",
            self._part_sql(),
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
                      CASE known.status WHEN 'invoiced' THEN known.posted_elsewhere
                                        WHEN 'draft' THEN known.draft_elsewhere
                                        END AS elsewhere,
                      CASE known.status WHEN 'invoiced' THEN known.posted_at_rate
                                        WHEN 'draft' THEN known.draft_at_rate
                                        END AS at_rate,
                      CASE WHEN known.status = 'invoiced' THEN known.billed_move_id
                           WHEN known.status IN ('draft', 'later') THEN known.live_move_id
                           END AS move_id
                 FROM (%(known)s) known""",
            digits=self.currency_id.decimal_places,
            known=self._known_sql(),
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

    def _figures(self, charge_ids, delivered_ids, totals, rates):
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
        difference = sum(amount for key, (_n, amount) in real.items() if key[0] == "invoiced")
        ledger = self._ledger_amount(delivered_ids)
        explained = figures["invoiced"] - difference - exchange[1]
        return {
            **{status: own.round(amount) for status, amount in figures.items()},
            **self._other_figures(charge_ids),
            "computed_on": fields.Datetime.now(),
            "charge_count": sum(n for _currency, n, _amount, done in totals if done),
            "delivered": own.round(sum(figures.values()) + gap),
            "gap": gap,
            "ledger": ledger,
            "ledger_gap": own.round(ledger - explained),
            "difference": own.round(difference),
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
            "has_foreign_currency": any(currency != own.id for currency in rates),
        }

    def _ledger_amount(self, charge_ids):
        """Income of this care by the ledger alone: posted journal items that name a charge."""
        [(amount,)] = self.env.execute_query(
            SQL(
                """SELECT COALESCE(-SUM(l.balance), 0)
                     FROM account_move_line l
                     JOIN account_account account ON account.id = l.account_id
                    WHERE l.charge_id = ANY(%(ids)s) AND l.parent_state = 'posted'
                      AND l.date <= %(as_of)s AND %(on_result)s""",
                ids=charge_ids,
                as_of=self.as_of,
                on_result=self._on_result_sql(),
            )
        )
        return float(amount)
