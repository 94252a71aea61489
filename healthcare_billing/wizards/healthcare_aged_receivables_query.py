from collections import defaultdict

from odoo import fields, models
from odoo.tools import SQL

from ..models.healthcare_charge_billing import CARE_DOCUMENTS
from ..models.healthcare_receivable import age_bucket_sql


class HealthcareAgedReceivables(models.TransientModel):
    """Reads the open items of the receivable accounts, and their balance, from the ledger."""

    _inherit = "healthcare.aged.receivables"

    def _compute_rows(self):
        """Make the rows anew, and the figures from them."""
        self.ensure_one()
        self.env["healthcare.aged.receivables.row"].flush_model()
        self.env["account.move.line"].flush_model()
        self.env["account.partial.reconcile"].flush_model()
        self.env["healthcare.charge"].flush_model()
        self.env["res.partner"].flush_model()
        self.flush_recordset()
        self.env.cr.execute(
            SQL("DELETE FROM healthcare_aged_receivables_row WHERE report_id = %s", self.id)
        )
        self.env.cr.execute(self._insert_rows_sql())
        self.env["healthcare.aged.receivables.row"].invalidate_model()
        self._split_shared_documents()
        self.write(self._figures())
        self.invalidate_recordset()

    def _line_condition_sql(self):
        """SQL condition on journal items ``l`` with account ``a``: what the report is about."""
        return SQL(
            "l.company_id = %s AND l.parent_state = 'posted' AND l.date <= %s"
            " AND a.account_type = 'asset_receivable'",
            self.company_id.id,
            self.as_of,
        )

    def _insert_rows_sql(self):
        """Query that makes a row of each item that was open at the end of the day.

        What was open is the item's balance less what was reconciled with it up to that day: both
        sides of a reconciliation are on the same account, so the rows add up to the accounts.
        """
        return SQL(
            """
            WITH items AS (
                SELECT l.id, l.move_id, l.partner_id, l.account_id, l.charge_id, l.responsibility,
                       l.balance, l.date_maturity, m.move_type,
                       COALESCE(m.invoice_date, l.date) AS day
                  FROM account_move_line l
                  JOIN account_account a ON a.id = l.account_id
                  JOIN account_move m ON m.id = l.move_id
                 WHERE %(condition)s
            ), settled AS (
                SELECT id, SUM(amount) AS amount
                  FROM (SELECT p.debit_move_id AS id, p.amount
                          FROM account_partial_reconcile p
                          JOIN items ON items.id = p.debit_move_id
                         WHERE p.max_date <= %(as_of)s
                     UNION ALL
                        SELECT p.credit_move_id, -p.amount
                          FROM account_partial_reconcile p
                          JOIN items ON items.id = p.credit_move_id
                         WHERE p.max_date <= %(as_of)s) parts
              GROUP BY id
            ), open AS (
                SELECT items.*,
                       ROUND(items.balance - COALESCE(settled.amount, 0), %(digits)s) AS amount
                  FROM items
             LEFT JOIN settled ON settled.id = items.id
                 WHERE ROUND(items.balance - COALESCE(settled.amount, 0), %(digits)s) <> 0
            ), care AS (
                SELECT l.move_id, MIN(l.responsibility) AS responsibility,
                       COUNT(DISTINCT l.responsibility) AS parties,
                       MIN(c.client_id) AS client_id, COUNT(DISTINCT c.client_id) AS clients
                  FROM account_move_line l
                  JOIN healthcare_charge c ON c.id = l.charge_id
                 WHERE l.move_id IN (SELECT move_id FROM open WHERE move_type IN %(documents)s)
              GROUP BY l.move_id
            ), aged AS (
                SELECT open.*, %(as_of)s - CASE WHEN %(by_due)s
                                                THEN COALESCE(open.date_maturity, open.day)
                                                ELSE open.day END AS age
                  FROM open
            )
            INSERT INTO healthcare_aged_receivables_row (
                report_id, create_uid, create_date, company_id, currency_id, move_id, partner_id,
                client_id, debtor_type, responsibility, origin, account_id, date, date_due, age,
                age_bucket, amount
            )
            SELECT %(report)s, %(uid)s, %(now)s, %(company)s, %(currency)s, aged.move_id,
                   aged.partner_id,
                   CASE WHEN care.clients = 1 THEN care.client_id ELSE charge.client_id END,
                   CASE WHEN partner.is_payer THEN COALESCE(partner.payer_type, 'other')
                        WHEN care.move_id IS NULL AND aged.charge_id IS NULL THEN 'beside'
                        ELSE 'client' END,
                   CASE WHEN care.move_id IS NULL THEN aged.responsibility
                        WHEN care.parties = 1 THEN care.responsibility END,
                   CASE WHEN care.move_id IS NOT NULL THEN 'care'
                        WHEN aged.charge_id IS NOT NULL THEN 'on_account' ELSE 'other' END,
                   aged.account_id, aged.day, COALESCE(aged.date_maturity, aged.day), aged.age,
                   %(bucket)s,
                   aged.amount
              FROM aged
         LEFT JOIN care ON care.move_id = aged.move_id
         LEFT JOIN healthcare_charge charge ON charge.id = aged.charge_id
         LEFT JOIN res_partner partner ON partner.id = aged.partner_id
          ORDER BY aged.id
            """,
            condition=self._line_condition_sql(),
            as_of=self.as_of,
            by_due=self.basis == "due",
            digits=self.currency_id.decimal_places,
            documents=CARE_DOCUMENTS,
            bucket=age_bucket_sql(SQL("aged.age")),
            report=self.id,
            uid=self.env.uid,
            now=fields.Datetime.now(),
            company=self.company_id.id,
            currency=self.currency_id.id,
        )

    def _split_shared_documents(self):
        """Tell the open amount of documents that bill several parties of care per party (R5).

        Such a document is rare: client and payer are invoiced apart, unless one owes both parts.
        """
        Row = self.env["healthcare.aged.receivables.row"].sudo()  # rows are the system's to write
        shared = Row.search(
            [
                ("report_id", "=", self.id),
                ("origin", "=", "care"),
                ("responsibility", "=", False),
            ]
        )
        # sudo: what is open per party is read off lines and charges, which accountants don't see
        shares = shared.move_id.sudo()._open_shares_on(self.as_of)
        values = []
        for row in shared:
            parts = defaultdict(float)
            for (_charge_id, party), amount in shares[row.move_id].items():
                parts[party] += amount
            split = _split(self.currency_id, row.amount, parts)
            first, *others = split.items()
            row.responsibility, row.amount = first
            values += [
                {**row.copy_data()[0], "responsibility": party or False, "amount": amount}
                for party, amount in others
            ]
        Row.create(values)

    def _figures(self):
        """Sums of the rows, and the balance of the accounts."""
        Row = self.env["healthcare.aged.receivables.row"]
        figures = dict.fromkeys(
            ("amount_0_30", "amount_31_60", "amount_61_90", "amount_90_plus", "amount_care",
             "amount_on_account", "amount_other", "total"),
            0.0,
        )  # fmt: skip
        count = 0
        for bucket, origin, amount, rows in Row._read_group(
            [("report_id", "=", self.id)], ["age_bucket", "origin"], ["amount:sum", "__count"]
        ):
            figures[f"amount_{bucket}"] += amount
            figures[f"amount_{origin}"] += amount
            figures["total"] += amount
            count += rows
        figures = {name: self.currency_id.round(amount) for name, amount in figures.items()}
        [(balance,)] = self.env.execute_query(
            SQL(
                """SELECT COALESCE(SUM(l.balance), 0)
                     FROM account_move_line l
                     JOIN account_account a ON a.id = l.account_id
                    WHERE %s""",
                self._line_condition_sql(),
            )
        )
        ledger = self.currency_id.round(float(balance))
        return {
            **figures,
            "row_count": count,
            "ledger": ledger,
            "difference": self.currency_id.round(ledger - figures["total"]),
            "computed_on": fields.Datetime.now(),
        }


def _split(currency, amount, parts):
    """Share an amount by parts; cents go to the last one.

    :param dict parts: ``{party: amount}``, in any currency
    :return: ``{party: amount}`` that add up, parts of nothing left out
    """
    parts = {party: part for party, part in parts.items() if part}
    total = sum(parts.values())
    if not total:
        return {next(iter(parts), False): amount}
    split, left = {}, amount
    for party, part in parts.items():
        split[party] = currency.round(amount * part / total)
        left = currency.round(left - split[party])
    split[next(reversed(split))] += left
    return split
