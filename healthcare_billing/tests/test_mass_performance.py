from odoo.tests import tagged

from .common import A_DAY
from .mass_common import MassCommon


@tagged("post_install", "-at_install")
class TestMassPerformance(MassCommon):
    """Twice the accounts cost no more queries: the list, its billing, and what isn't on it."""

    NUMBER = 6

    def _matters(self, number):
        """As many accounts of each kind, with work and without."""
        clients = self.env["res.partner"].create(
            [{"name": f"Client {i}", "is_healthcare_client": True} for i in range(4 * number)]
        )
        accounts = clients.billing_account_ids
        kinds = (
            {"billing_basis": "wip"},
            {"billing_basis": "quote", "quote_amount": 50.0},
            {"billing_basis": "fixed", "quote_amount": 50.0},
            {
                "billing_basis": "fixed",
                "instalment_ids": [(0, 0, {"date": A_DAY, "amount": 20.0})],
            },
        )
        for index, kind in enumerate(kinds):
            own = accounts[index * number : (index + 1) * number]
            own.write(kind)
            for account in own[: number // 2 + 1]:
                self._record(account, work=(30.0,), expenses=(5.0,))
        return accounts

    def _queries(self, act):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        act()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def assert_no_growth(self, prepare, act, slack=2):
        """``act(prepare(2N))`` needs no more queries than ``act(prepare(N))``."""
        counts = []
        for number in (1, self.NUMBER, 2 * self.NUMBER):  # the first one fills caches
            given = prepare(number)
            counts.append(self._queries(lambda given=given: act(given)))
        self.assertLessEqual(counts[2], counts[1] + slack, counts)

    def test_open_the_list(self):
        self.assert_no_growth(self._matters, lambda accounts: self._mass_run())

    def test_open_it_again_with_what_changed(self):
        def prepare(number):
            accounts = self._matters(number)
            run = self._mass_run()
            for account in accounts:
                self._record(account, work=(1.0,))
            return run

        self.assert_no_growth(prepare, lambda run: run.action_search_again())

    def test_bill(self):
        def prepare(number):
            accounts = self._matters(number)
            run = self._mass_run()
            run.action_bill([("billing_account_id", "in", accounts.ids)])
            return run

        self.assert_no_growth(prepare, lambda run: run.action_execute())

    def test_why_not_on_the_list(self):
        def prepare(number):
            accounts = self._matters(number)
            accounts[::3].billing_status = "on_hold"
            run = self._mass_run()
            return accounts, run

        self.assert_no_growth(
            prepare, lambda given: given[0].browse(given[0].ids)._mass_billing_reasons(given[1])
        )

    def test_what_quotes_have_left(self):
        self.assert_no_growth(
            self._matters,
            lambda accounts: accounts.browse(accounts.ids).mapped("quote_left"),
        )
