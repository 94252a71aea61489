from datetime import date

from odoo.tests import tagged

from .common import A_DAY
from .mass_common import MassCommon

LATER = date(2025, 3, 20)
MONTH_END = date(2025, 3, 31)


@tagged("post_install", "-at_install")
class TestMassReasons(MassCommon):
    """Every account that isn't on the list of mass billing says why (R24)."""

    def assert_reason(self, account, text, run=None):
        run = run or self._mass_run(MONTH_END)
        self.assertFalse(self._row(run, account), account.name)
        self.assertRegex(account._mass_billing_reasons(run)[account], text)

    def test_r24_on_the_list(self):
        account = self._matter()
        run = self._mass_run()
        self.assertEqual(account._mass_billing_reasons(run)[account], "It is on the list.")
        shown = account.with_context(healthcare_mass_run=run.id).mass_billing_reason
        self.assertEqual(shown, "It is on the list.")
        self.assertEqual(account.mass_billing_reason, shown, "without context: the user's own list")

    def test_r24_not_billable(self):
        self.assert_reason(self._matter(billable=False), "isn't billable")

    def test_r24_on_hold_and_closed(self):
        self.assert_reason(self._matter(billing_status="on_hold"), "On Hold")
        self.assert_reason(self._matter(billing_status="closed"), "Closed")

    def test_r24_archived(self):
        account = self._matter()
        account.active = False
        self.assert_reason(account, "account is archived")
        account = self._matter()
        account.client_id.active = False
        self.assert_reason(account, "client is archived")

    def test_r24_excluded(self):
        self.assert_reason(self._matter(exclude_from_mass_billing=True), "excluded")

    def test_r24_draft_bill_is_named(self):
        account = self._matter()
        move = self._bill(self._mass_run(), account)
        self._record(account, work=(10.0,))
        self.assert_reason(account, f"draft bill: {move.billing_ref}")

    def test_r24_nothing_recorded(self):
        self.assert_reason(self._matter(work=()), "Nothing is recorded")

    def test_r24_everything_is_later(self):
        account = self._matter(day=LATER)
        self.assert_reason(account, "03/20/2025", self._mass_run(MONTH_END, A_DAY))

    def test_r24_blocked_with_counts(self):
        account = self._matter(work=(10.0, 20.0))
        self.env["healthcare.charge"].search([("billing_account_id", "=", account.id)]).write(
            {"product_id": self._service("No Code", False, 1.0).id}
        )
        self.assert_reason(account, r"can't be billed yet: No service code \(2\)")

    def test_r24_no_instalment_is_due(self):
        account = self._matter(
            billing_basis="fixed",
            instalment_ids=[(0, 0, {"date": date(2025, 4, 1), "amount": 60.0})],
        )
        self.assert_reason(account, r"No instalment due \(1\)")
        idle = self._matter(
            work=(),
            billing_basis="fixed",
            instalment_ids=[(0, 0, {"date": date(2025, 4, 1), "amount": 60.0})],
        )
        self.assert_reason(idle, "next one is of 04/01/2025")

    def test_r24_fee_of_the_month_is_billed(self):
        account = self._matter(billing_basis="fixed", quote_amount=50.0)
        self._bill(self._mass_run(MONTH_END), account).action_post()
        self.assert_reason(account, "March 2025 is billed already")

    def test_r24_billed_by_cycles_only(self):
        payer = self._payer("Program", payer_type="other", invoicing_model="payer_file")
        account = self._matter(work=())
        account.payer_id = payer
        self._record(account, work=(10.0,))
        self.assert_reason(account, "billing cycles only")

    def test_r24_of_another_company(self):
        other = self.env["res.company"].create({"name": "Second Practice"})
        self.env.user.company_ids += other
        account = self._matter()
        run = self.env["healthcare.billing.run"].with_company(other)._open_mass_billing(A_DAY)
        self.assertFalse(self._row(run, account))
        self.assertRegex(account._mass_billing_reasons(run)[account], "It belongs to")
