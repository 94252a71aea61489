from odoo import api, models
from odoo.tools import SQL

from .healthcare_charge_billing import CARE_DOCUMENTS


class HealthcareReceivable(models.Model):
    """Charges and ledger agree at all times; this asks both, and tells the difference."""

    _inherit = "healthcare.receivable"

    @api.model
    def _proof(self, company):
        """Compare what charges tell with what is open in the ledger.

        :param company: ``res.company`` record
        :return: ``{currency: {"ledger", "charges", "pseudo", "unapplied", "difference"}}``: open
            receivables of documents of care and of payments that name charges; balances of charges
            that are posted; the open part of these documents' lines without a charge; payments on
            account that name a charge (negative); ledger less all others
        """
        self.env.flush_all()
        sums = {}
        for name, rows in (
            ("ledger", self._proof_documents(company)),
            ("charges", self._proof_charges(company)),
            ("pseudo", self._proof_pseudo_items(company)),
            ("unapplied", self._proof_unapplied(company)),
        ):
            for currency_id, amount in rows:
                currency = self.env["res.currency"].browse(currency_id)
                own = sums.setdefault(
                    currency, dict.fromkeys(("ledger", "charges", "pseudo", "unapplied"), 0.0)
                )
                own[name] += amount or 0.0
        for currency, own in sums.items():
            own["ledger"] += own["unapplied"]
            told = own["charges"] + own["pseudo"] + own["unapplied"]
            own["difference"] = currency.round(own["ledger"] - told)
        return sums

    @api.model
    def _proof_documents(self, company):
        """Open receivables of posted documents that carry charges, per currency."""
        return self.env.execute_query(
            SQL(
                """SELECT l.currency_id, SUM(l.amount_residual_currency)
                     FROM account_move_line l
                     JOIN account_move m ON m.id = l.move_id
                    WHERE l.company_id = %(company)s AND m.state = 'posted'
                      AND m.move_type IN %(types)s AND l.display_type = 'payment_term'
                      AND EXISTS (SELECT 1 FROM account_move_line care
                                   WHERE care.move_id = m.id AND care.charge_id IS NOT NULL)
                 GROUP BY l.currency_id""",
                company=company.id,
                types=CARE_DOCUMENTS,
            )
        )

    @api.model
    def _proof_charges(self, company):
        return self.env.execute_query(
            SQL(
                """SELECT currency_id, SUM(ledger_client + ledger_payer + ledger_secondary)
                     FROM healthcare_charge
                    WHERE company_id = %s AND parent_id IS NULL
                 GROUP BY currency_id""",
                company.id,
            )
        )

    @api.model
    def _proof_unapplied(self, company):
        """What payments that name a charge have not paid yet, per currency (negative)."""
        return self.env.execute_query(
            SQL(
                """SELECT l.currency_id, SUM(l.amount_residual_currency)
                     FROM account_move_line l
                     JOIN account_move m ON m.id = l.move_id
                     JOIN account_account a ON a.id = l.account_id
                    WHERE l.company_id = %(company)s AND m.state = 'posted'
                      AND m.move_type NOT IN %(types)s AND l.charge_id IS NOT NULL
                      AND a.account_type IN ('asset_receivable', 'liability_payable')
                 GROUP BY l.currency_id""",
                company=company.id,
                types=CARE_DOCUMENTS,
            )
        )

    @api.model
    def _proof_pseudo_items(self, company):
        """What is open on lines without a charge of documents that carry charges."""
        ids = self.env.execute_query(
            SQL(
                """SELECT m.id FROM account_move m
                    WHERE m.company_id = %(company)s AND m.state = 'posted'
                      AND m.move_type IN %(types)s AND m.amount_residual <> 0
                      AND EXISTS (SELECT 1 FROM account_move_line l
                                   WHERE l.move_id = m.id AND l.charge_id IS NOT NULL)
                      AND EXISTS (SELECT 1 FROM account_move_line l
                                   WHERE l.move_id = m.id AND l.charge_id IS NULL
                                     AND l.display_type = 'product')""",
                company=company.id,
                types=CARE_DOCUMENTS,
            )
        )
        moves = self.env["account.move"].browse(id_ for (id_,) in ids)
        return [
            (move.currency_id.id, sum(amount for key, amount in shares.items() if not key[0]))
            for move, shares in moves._open_shares().items()
        ]
