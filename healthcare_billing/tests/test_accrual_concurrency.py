from datetime import date, timedelta

from psycopg2.errors import SerializationFailure, UniqueViolation

from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_concurrency import RaceCommon

CUT_OFF = date(2025, 3, 31)


@tagged("post_install", "-at_install")
class TestAccrualRace(RaceCommon):
    """Two who book the accrual of the same cut-off at the same moment."""

    @classmethod
    def _prepare(cls, env):
        result = super()._prepare(env)
        env = env(context={"allowed_company_ids": [cls.company_id]})
        account = env["account.account"].create(
            {"name": "Race accrued", "code": "RACE3", "account_type": "asset_current"}
        )
        journals = env["account.journal"].create(
            [
                {"name": f"Race accruals {number}", "code": f"RAC{number}", "type": "general"}
                for number in range(2)
            ]
        )
        company = env["res.company"].browse(cls.company_id)
        company.healthcare_accrual_account_id = account
        cls.journal_ids = journals.ids
        cls.own = [("account.journal", journals.ids), *cls.own, ("account.account", account.ids)]
        return result

    @classmethod
    def _remove(cls):
        with cls._committed() as env:
            company = env["res.company"].browse(cls.company_id)
            company.healthcare_accrual_account_id = company.healthcare_accrual_journal_id = False
        return super()._remove()

    def _book(self, env, journal_id):
        """Each in a journal of its own, so that no sequence makes one wait for the other."""
        company = env["res.company"].browse(self.company_id)
        income = env["account.account"].search([("code", "=", "RACE1")], limit=1)
        accruals = env["healthcare.accrual"]
        journal = env["account.journal"].browse(journal_id)
        self.patch(type(accruals), "_journal", lambda self, company: self.env[
            "account.journal"].browse(journal.id))  # fmt: skip
        return accruals._book(company, CUT_OFF, {income: 50.0})

    @mute_logger("odoo.sql_db")
    def test_accrual_race(self):
        """Both looked, both found none: one books, and the other can't."""
        with self._session() as first, self._session() as second:
            for env in (first, second):
                company = env["res.company"].browse(self.company_id)
                self.assertFalse(env["healthcare.accrual"]._live(company, CUT_OFF))
            self._book(first, self.journal_ids[0])
            first.flush_all()
            first.cr.commit()
            with self.assertRaises((UniqueViolation, SerializationFailure)):
                self._book(second, self.journal_ids[1])
                second.flush_all()
        with self._session() as env:
            company = env["res.company"].browse(self.company_id)
            accrual = env["healthcare.accrual"].search([("company_id", "=", company.id)])
            self.assertEqual(len(accrual), 1)
            self.assertEqual(accrual.reversal_id.date, CUT_OFF + timedelta(days=1))
            moves = env["account.move"].search([("company_id", "=", company.id)])
            self.assertEqual(moves, accrual.move_id | accrual.reversal_id)
