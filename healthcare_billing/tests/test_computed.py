from odoo.exceptions import UserError
from odoo.tests import tagged

from .claim_common import ClaimCommon


@tagged("post_install", "-at_install")
class TestComputedFields(ClaimCommon):
    """What is computed can't be written, whoever tries: buttons and rights rely on it."""

    def _assert_refused(self, record, **vals):
        before = record.read(list(vals))
        with self.assertRaisesRegex(UserError, "computed"):
            record.write(dict(vals))
        self.assertEqual(record.read(list(vals)), before)

    def test_invoice(self):
        claim = self._claims()
        env = self._act_as(self._user("accountant"))
        move = claim.invoice_ids.with_env(env)
        self._assert_refused(move, claim_state="paid")
        self._assert_refused(move, claim_state=False)
        self._assert_refused(move, service_date_from="2020-01-01")
        move.write({"claim_state": "awaiting_submission", "narration": "x"})  # as it is
        claim.action_submit()  # and it is still computed
        self.assertEqual(move.claim_state, "submitted")

    def test_license(self):
        env = self._act_as(self._user("billing_manager"))
        other = self.company.create({"name": "Elsewhere"})
        cpt_license = self.env["healthcare.cpt.license"].create({"employee_id": self.provider.id})
        self._assert_refused(cpt_license.with_env(env), state="paid")
        self._assert_refused(cpt_license.with_env(env), company_id=other.id)

    def test_care(self):
        env = self._act_as(self._user("billing_manager"))
        charge = self._visit().charge_ids.with_env(env)
        self._assert_refused(charge, amount=1.0)
        self._assert_refused(charge.appointment_id, amount_total=1.0)
        self._assert_refused(charge.appointment_id, billing_stage="finished")

    def test_companies_follow_the_account(self):
        env = self._act_as(self._user("billing_manager"))
        other = self.company.create({"name": "Elsewhere"})
        account = self.ivy.billing_account_ids.with_env(env)
        rate = env["healthcare.billing.account.rate"].create(
            {"account_id": account.id, "product_id": self.service.id, "fee": 1.0}
        )
        for record in (rate, account.diagnosis_line_ids[:1]):
            self._assert_refused(record, company_id=other.id)
