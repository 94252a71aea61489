import threading
from datetime import date

from psycopg2.errors import UniqueViolation

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_concurrency import RETRIED, RaceCommon

YEAR = 2025


@tagged("post_install", "-at_install")
class TestCptConcurrency(RaceCommon):
    """Two committed transactions over the same licenses: assigned, renewed and billed once."""

    @classmethod
    def _prepare(cls, env):  # pylint: disable=missing-return
        super()._prepare(env)
        company = env["res.company"].browse(cls.company_id)
        env = env(context={"allowed_company_ids": [company.id]})
        accounts = env["account.account"].create(
            [
                {"name": "Race expense", "code": "RACE3", "account_type": "expense"},
                {"name": "Race payable", "code": "RACE4", "account_type": "liability_payable",
                 "reconcile": True},
            ]
        )  # fmt: skip
        journal = env["account.journal"].create(
            {"name": "Race purchases", "code": "RACP", "type": "purchase",
             "default_account_id": accounts[0].id}
        )  # fmt: skip
        vendor = env["res.partner"].create({"name": "Race vendor"})
        vendor.property_account_payable_id = accounts[1]
        company.write({"healthcare_license_fee": 20.0, "healthcare_license_vendor_id": vendor.id})
        cls.own = [
            ("account.journal", journal.ids),
            ("res.partner", vendor.ids),
            *cls.own,
            ("account.account", accounts.ids),
        ]

    @classmethod
    def _remove(cls):
        with cls._committed() as env:
            env["res.company"].browse(cls.company_id).healthcare_license_vendor_id = False
        return super()._remove()

    @classmethod
    def _remove_billing(cls, env):  # pylint: disable=missing-return
        super()._remove_billing(env)
        licenses = env["healthcare.cpt.license"].search([("company_id", "=", cls.company_id)])
        licenses.write({"is_canceled": True})
        licenses.unlink()
        env["hr.employee"].search([("company_id", "=", cls.company_id)]).unlink()

    def setUp(self):
        super().setUp()
        with self._committed() as env:
            employees = env["hr.employee"].create(
                [{"name": f"Racer {i}", "company_id": self.company_id, "cpt_access": True}
                 for i in range(3)]
            )  # fmt: skip
            self.employee_ids = employees.ids
            env["healthcare.cpt.license"]._assign(employees, YEAR - 1)

    def _assign(self, env):
        employees = env["hr.employee"].browse(self.employee_ids)
        licenses = env["healthcare.cpt.license"]._assign(employees, YEAR)
        env.flush_all()
        return licenses

    def _licenses(self, env, year=YEAR):
        return env["healthcare.cpt.license"].search(
            [("employee_id", "in", self.employee_ids), ("year", "=", year)]
        )

    def _assert_assigned_once(self):
        with self._committed() as env:
            licenses = self._licenses(env)
            self.assertEqual(sorted(licenses.employee_id.ids), sorted(self.employee_ids))
            self.assertEqual(len(licenses), 3)

    @mute_logger("odoo.sql_db")
    def test_assigned_once(self):
        with self._session() as ours:
            self.assertFalse(self._licenses(ours))  # our snapshot is older than the rival
            with self._committed() as rival:
                self._assign(rival)
            with self.assertRaises(UniqueViolation):
                self._assign(ours)
        with self._committed() as again:
            self.assertFalse(self._assign(again))
        self._assert_assigned_once()

    @mute_logger("odoo.sql_db")
    def test_r8_renewal_meets_a_user_who_assigns(self):
        """The rival assigns one of the three by hand while the renewal is under way."""
        with self._session() as ours:
            self.assertFalse(self._licenses(ours))
            with self._committed() as rival:
                one = rival["hr.employee"].browse(self.employee_ids[1])
                rival["healthcare.cpt.license"]._assign(one, YEAR, 7.0)
            ours["healthcare.cpt.license"]._renew_safely(self.employee_ids, YEAR)
            ours.cr.commit()
        self._assert_assigned_once()
        with self._committed() as env:
            licenses = self._licenses(env)
            self.assertEqual(sorted(licenses.mapped("fee")), [7.0, 20.0, 20.0])
            renewed = licenses.filtered(lambda own: own.fee == 20.0)
            self.assertEqual(set(renewed.mapped("date_from")), {date(YEAR, 1, 1)})

    @mute_logger("odoo.sql_db")
    def test_billed_once_after_the_rivals_commit(self):
        with self._session() as ours:
            licenses = self._licenses(ours, YEAR - 1)
            self.assertEqual(set(licenses.mapped("state")), {"to_pay"})
            with self._committed() as rival:
                self._licenses(rival, YEAR - 1).action_create_bill()
            with self.assertRaises(RETRIED):
                licenses.action_create_bill()
        with (
            self._session() as again,
            self.assertRaisesRegex(UserError, "None of these licenses is left"),
        ):
            self._licenses(again, YEAR - 1).action_create_bill()

    def test_billed_once_before_the_rivals_commit(self):
        with self._session() as rival:
            self._licenses(rival, YEAR - 1).action_create_bill()
            with (
                self._session() as ours,
                self.assertRaisesRegex(UserError, "Somebody else is working"),
            ):
                self._licenses(ours, YEAR - 1).action_create_bill()

    @mute_logger("odoo.sql_db")
    def test_r29_double_click_of_two_managers(self):
        barrier = threading.Barrier(2)
        problems = []

        def click():
            barrier.wait(timeout=30)
            for _attempt in range(5):
                try:
                    with self._committed() as env:
                        self._licenses(env, YEAR - 1).action_create_bill()
                    return
                except RETRIED:
                    continue
                except UserError as error:
                    problems.append(str(error))
                    return

        threads = [threading.Thread(target=click) for _manager in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        self.assertEqual(len(problems), 1, problems)
        with self._committed() as env:
            bills = env["account.move"].search([("company_id", "=", self.company_id)])
            self.assertEqual(len(bills), 1)
            self.assertEqual(len(bills.invoice_line_ids), 3)
