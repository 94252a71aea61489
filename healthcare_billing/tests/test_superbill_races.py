import threading

from odoo.exceptions import ConcurrencyError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import NPI
from .test_concurrency import RETRIED, RaceCommon


@tagged("post_install", "-at_install")
class TestSuperbillRaces(RaceCommon):
    """R29: the same superbill, issued twice at once, is one superbill with one number."""

    @classmethod
    def _prepare(cls, env):  # pylint: disable=missing-return
        super()._prepare(env)
        env["res.company"].browse(cls.company_id).vat = "12-3456789"
        env = env(context={"allowed_company_ids": [cls.company_id]})
        cls.diagnosis_id = (
            env["healthcare.diagnosis"].create({"code": "RACE9", "name": "Race condition"}).id
        )
        cls.employee_id = (
            env["hr.employee"]
            .create({"name": "Race Provider", "npi": NPI, "company_id": cls.company_id})
            .id
        )

    @classmethod
    def _remove_billing(cls, env):
        superbills = env["healthcare.superbill"].search([("company_id", "=", cls.company_id)])
        for table in ("healthcare_superbill_line", "healthcare_superbill"):
            env.cr.execute(f"DELETE FROM {table} WHERE company_id = %s", [cls.company_id])
        env["mail.message"].search(
            [("model", "=", "healthcare.superbill"), ("res_id", "in", superbills.ids)]
        ).unlink()
        env.invalidate_all()
        return super()._remove_billing(env)

    @classmethod
    def _remove(cls):  # pylint: disable=missing-return
        super()._remove()
        with cls._committed() as env:
            env["hr.employee"].browse(cls.employee_id).unlink()
            env["healthcare.diagnosis"].browse(cls.diagnosis_id).unlink()

    def setUp(self):
        super().setUp()
        with self._committed() as env:
            charges = env["healthcare.charge"].browse(self.charge_ids)
            charges.client_id.birth_date = "1990-01-01"
            charges.appointment_id.write(
                {"employee_id": self.employee_id, "diagnosis_ids": [(6, 0, [self.diagnosis_id])]}
            )

    def _issue(self, env):
        charges = env["healthcare.charge"].browse(self.charge_ids[:1])
        return env["healthcare.superbill"]._issue(charges._superbill_drafts())

    def _present(self):
        with self._committed() as env:
            return env["healthcare.superbill"].search([("company_id", "=", self.company_id)]).ids

    @mute_logger("odoo.sql_db")
    def test_r29_issued_meanwhile(self):
        with self._session() as ours:
            drafts = ours["healthcare.charge"].browse(self.charge_ids[:1])._superbill_drafts()
            with self._committed() as rival:
                first = self._issue(rival).id
            with self.assertRaises((ConcurrencyError, *RETRIED)):
                ours["healthcare.superbill"]._issue(drafts)
        with self._committed() as again:  # what Odoo does next
            self.assertEqual(self._issue(again).id, first)
        self.assertEqual(self._present(), [first])

    @mute_logger("odoo.sql_db")
    def test_r29_double_click(self):
        barrier = threading.Barrier(2)
        problems = []

        def click():
            barrier.wait(timeout=30)
            for _attempt in range(5):
                try:
                    with self._committed() as env:
                        self._issue(env)
                    return
                except (ConcurrencyError, *RETRIED):
                    continue
                except Exception as error:  # noqa: BLE001  # what the second user is told
                    problems.append(error)
                    return

        threads = [threading.Thread(target=click) for _click in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        self.assertFalse(problems)
        self.assertEqual(len(self._present()), 1)
