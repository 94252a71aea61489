from datetime import date, timedelta

from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_concurrency import RETRIED, RaceCommon

MONDAY = date(2025, 3, 3)


@tagged("post_install", "-at_install")
class TestClientPremiumRace(RaceCommon):
    """Two who make the client premiums of the same days at the same moment."""

    @classmethod
    def _remove_billing(cls, env):
        own = [("company_id", "=", cls.company_id)]
        env["healthcare.charge"].search([*own, ("client_premium_id", "!=", False)]).unlink()
        env["healthcare.client.premium"].search(own).unlink()
        cycles = env["healthcare.billing.cycle"].search(own)
        result = super()._remove_billing(env)
        cycles.unlink()
        return result

    def setUp(self):
        super().setUp()
        with self._committed() as env:
            charges = env["healthcare.charge"].browse(self.charge_ids)
            env["healthcare.client.premium"].create(
                [
                    {
                        "account_id": account.id,
                        "product_id": self.service_id,
                        "period": period,
                        "date_from": MONDAY,
                    }
                    for account in charges.billing_account_id
                    for period in ("day", "week", "month")
                ]
            )
            # two cycles that share their days: nothing but the premiums' rows is in common
            cycles = env["healthcare.billing.cycle"].create(
                [
                    {
                        "company_id": self.company_id,
                        "date_from": MONDAY,
                        "date_to": MONDAY + timedelta(days=days),
                    }
                    for days in (7, 10)
                ]
            )
            self.cycle_ids = cycles.ids

    def _make(self, env, number):
        cycle = env["healthcare.billing.cycle"].browse(self.cycle_ids[number])
        charges = cycle._make_client_premiums()
        env.flush_all()
        return charges

    def _look(self, env):
        """Take a snapshot, as who reads the list first does."""
        self.assertEqual(len(env["healthcare.client.premium"].search(
            [("company_id", "=", self.company_id)])), 9)  # fmt: skip
        self.assertFalse(self._charges(env))

    def _charges(self, env):
        return env["healthcare.charge"].search(
            [("company_id", "=", self.company_id), ("client_premium_id", "!=", False)]
        )

    def _assert_once(self, days):
        with self._committed() as env:
            charges = self._charges(env)
            by_period = charges.grouped(lambda charge: charge.client_premium_id.period)
            self.assertEqual(
                {period: len(own) for period, own in by_period.items()},
                {"day": 3 * days, "week": 3 * -(-days // 7), "month": 3},
            )
            keys = {(charge.client_premium_id, charge.premium_period) for charge in charges}
            self.assertEqual(len(keys), len(charges))

    # -- races -----------------------------------------------------------------------------------
    @mute_logger("odoo.sql_db")
    def test_two_generate_at_once(self):
        """Both saw none: the second one loses, is run again, and adds only what is missing."""
        with self._session() as first, self._session() as second:
            self._look(first)
            self._look(second)
            self.assertEqual(len(self._make(first, 0)), 3 * (7 + 1 + 1))
            first.cr.commit()
            with self.assertRaises(RETRIED):
                self._make(second, 1)
        self._assert_once(7)
        with self._committed() as again:
            self.assertEqual(len(self._make(again, 1)), 3 * (3 + 1))
        self._assert_once(10)

    @mute_logger("odoo.sql_db")
    def test_two_generate_the_same_cycle(self):
        """Run again, the second one finds everything made."""
        with self._session() as first, self._session() as second:
            self._look(first)
            self._look(second)
            self._make(first, 0)
            first.cr.commit()
            with self.assertRaises(RETRIED):
                self._make(second, 0)
        with self._committed() as again:
            self.assertFalse(self._make(again, 0))
        self._assert_once(7)

    @mute_logger("odoo.sql_db")
    def test_first_one_gives_up(self):
        """What wasn't committed keeps nobody from making it."""
        with self._session() as first:
            self._make(first, 0)
        with self._committed() as second:
            self._make(second, 0)
        self._assert_once(7)
