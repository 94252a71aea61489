from datetime import date, timedelta

import psycopg2

from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import CareCommon

MARCH = date(2025, 3, 1)  # a Saturday
APRIL = date(2025, 4, 1)  # a Tuesday
MAY = date(2025, 5, 1)


class ClientPremiumCommon(CareCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.meals = cls._service("Meals", "S5170", 7.0, unit_rule="visit")
        cls.client = cls._client()
        cls.account = cls.client.billing_account_ids

    @classmethod
    def _premium(cls, period="day", account=None, **vals):
        return cls.env["healthcare.client.premium"].create(
            {
                "account_id": (account or cls.account).id,
                "product_id": cls.meals.id,
                "period": period,
                "date_from": date(2025, 1, 1),
            }
            | vals
        )

    @classmethod
    def _cycle(cls, date_from=MARCH, date_to=APRIL, **vals):
        return cls.env["healthcare.billing.cycle"].create(
            {"date_from": date_from, "date_to": date_to, "company_id": cls.company.id} | vals
        )

    @classmethod
    def _history(cls, *rows, account=None):
        """Statuses of the account, each with its first day; None: since ever."""
        cls.env["healthcare.billing.account.status"].create(
            [
                {"account_id": (account or cls.account).id, "status": status, "date_from": day}
                for status, day in rows
            ]
        )

    def _by_period(self, charges):
        return charges.grouped(lambda charge: charge.client_premium_id.period)

    def _days(self, charges):
        return sorted(charges.mapped("service_date"))


@tagged("post_install", "-at_install")
class TestStatusHistory(ClientPremiumCommon):
    """When the status of a billing account changed."""

    def _rows(self):
        return [(row.status, row.date_from) for row in self.account.status_ids]

    def test_accounts_without_history_are_as_they_are_since_ever(self):
        self.assertFalse(self.account.status_ids)
        self.assertEqual(self.account._status_periods(), {self.account: [(date.min, "active")]})

    def test_changes_are_written_down(self):
        today = self.company._care_today()
        self.account.billing_status = "on_hold"
        self.assertEqual(self._rows(), [("active", False), ("on_hold", today)])

    def test_written_again_is_no_change(self):
        self.account.billing_status = "active"
        self.assertFalse(self.account.status_ids)

    def test_changed_twice_a_day_is_one_row(self):
        today = self.company._care_today()
        self.account.billing_status = "on_hold"
        self.account.billing_status = "closed"
        self.assertEqual(self._rows(), [("active", False), ("closed", today)])

    def test_corrected_date(self):
        self.account.billing_status = "closed"
        self.account.status_ids[-1].date_from = MARCH
        self.assertEqual(self.account.billing_status, "closed")
        self.assertEqual(
            self.account._status_periods()[self.account], [(date.min, "active"), (MARCH, "closed")]
        )

    def test_a_date_by_hand_keeps_what_was_before(self):
        self._history(("on_hold", MARCH))
        self.assertEqual(self._rows(), [("active", False), ("on_hold", MARCH)])
        self.assertEqual(self.account.billing_status, "on_hold")
        self._history(("active", APRIL))
        self.assertEqual(self.account.billing_status, "active")
        self.assertEqual(len(self.account.status_ids), 3)

    def test_the_latest_is_the_accounts_status(self):
        self._history(("on_hold", MARCH), ("active", APRIL))
        self.account.status_ids[-1].unlink()
        self.assertEqual(self.account.billing_status, "on_hold")
        self.account.status_ids[-1].status = "closed"
        self.assertEqual(self.account.billing_status, "closed")

    def test_no_status_of_the_future(self):
        tomorrow = self.company._care_today() + timedelta(days=1)
        with self.assertRaises(ValidationError):
            self._history(("closed", tomorrow))

    def test_one_a_day(self):
        self._history(("on_hold", MARCH))
        with (
            self.assertRaises(psycopg2.IntegrityError),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            self._history(("closed", MARCH))

    def test_coordinators_change_it(self):
        account = self.account.with_env(self._act_as(self._user("coordinator")))
        account.billing_status = "on_hold"
        account.status_ids[-1].date_from = MARCH
        self.assertEqual(len(account.status_ids), 2)


@tagged("post_install", "-at_install")
class TestClientPremiums(ClientPremiumCommon):
    """Flat by the day, week or month, for days on which the account is active."""

    # -- periods --------------------------------------------------------------------------------

    def test_daily(self):
        charges = self._premium() and self._cycle()._make_client_premiums()
        self.assertEqual(self._days(charges), [MARCH + timedelta(days=n) for n in range(31)])
        charge = charges[0]
        self.assertEqual((charge.kind, charge.product_id), ("premium", self.meals))
        self.assertEqual((charge.client_id, charge.amount), (self.client, 7.0))
        self.assertEqual(charge.billing_account_id, self.account)
        self.assertFalse(charge.appointment_id)

    def test_weekly_from_monday_dated_on_its_first_day(self):
        """1 March 2025 is a Saturday: that week began in February."""
        self._premium("week")
        charges = self._cycle()._make_client_premiums()
        self.assertEqual(self._days(charges), [date(2025, 3, day) for day in (3, 10, 17, 24, 31)])
        self.assertFalse(self._cycle()._make_client_premiums())
        april = self._cycle(APRIL, MAY)._make_client_premiums()
        self.assertEqual(self._days(april), [date(2025, 4, day) for day in (7, 14, 21, 28)])

    def test_monthly(self):
        self._premium("month", quantity=2.0)
        charges = self._cycle(date(2025, 3, 15), date(2025, 5, 15))._make_client_premiums()
        self.assertEqual(self._days(charges), [APRIL, MAY])
        self.assertEqual(charges.mapped("quantity"), [2.0, 2.0])

    def test_begins_and_ends_in_the_middle(self):
        self._premium(date_from=date(2025, 3, 10), date_to=date(2025, 3, 12))
        self._premium("month", date_from=date(2025, 3, 20))
        self._premium("week", date_from=date(2025, 3, 12), date_to=date(2025, 3, 17))
        charges = self._by_period(self._cycle()._make_client_premiums())
        self.assertEqual(self._days(charges["day"]), [date(2025, 3, d) for d in (10, 11, 12)])
        self.assertEqual(self._days(charges["month"]), [date(2025, 3, 20)])
        self.assertEqual(self._days(charges["week"]), [date(2025, 3, 12), date(2025, 3, 17)])

    def test_no_day_of_the_future(self):
        today = self.company._care_today()
        self._premium(date_from=today - timedelta(days=1))
        cycle = self._cycle(today - timedelta(days=5), today + timedelta(days=5))
        charges = cycle._make_client_premiums()
        self.assertEqual(self._days(charges), [today - timedelta(days=1), today])

    # -- once -----------------------------------------------------------------------------------

    def test_twice_adds_nothing(self):
        self._premium()
        cycle = self._cycle()
        self.assertEqual(len(cycle._make_client_premiums()), 31)
        self.assertFalse(cycle._make_client_premiums())

    def test_overlapping_cycles_charge_each_day_once(self):
        self._premium()
        self._premium("week")
        self._premium("month")
        first = self._cycle()._make_client_premiums()
        other = self._cycle(date(2025, 3, 20), date(2025, 4, 11), back_billing_date=MARCH)
        second = other._make_client_premiums()
        self.assertFalse(set(first.mapped("service_date")) & set(second.mapped("service_date")))
        self.assertEqual(len(second), 10 + 1 + 1)

    def test_back_billing_takes_in_what_was_missed(self):
        self._premium("week")
        charges = self._cycle(APRIL, MAY, back_billing_date=date(2025, 3, 24))
        self.assertEqual(
            self._days(charges._make_client_premiums())[:3],
            [date(2025, 3, 24), date(2025, 3, 31), date(2025, 4, 7)],
        )

    def test_once_in_the_database(self):
        premium = self._premium("month")
        charge = self._cycle()._make_client_premiums()
        with (
            self.assertRaises(psycopg2.IntegrityError),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            self.env["healthcare.charge"].create(
                premium._prepare_charge(charge.premium_period, charge.service_date)
            )
            self.env.flush_all()

    def test_closed_cycle_makes_none(self):
        self._premium()
        cycle = self._cycle()
        cycle.sudo().state = "closed"
        self.assertFalse(cycle._make_client_premiums())

    # -- status ---------------------------------------------------------------------------------

    def test_only_days_on_which_the_account_is_active(self):
        self._premium()
        self._history(("on_hold", date(2025, 3, 11)), ("active", date(2025, 3, 30)))
        days = self._days(self._cycle()._make_client_premiums())
        self.assertEqual(days, [date(2025, 3, d) for d in (*range(1, 11), 30, 31)])

    def test_on_hold_if_flagged_closed_never(self):
        self._premium(billable_on_hold=True)
        self._history(("on_hold", date(2025, 3, 11)), ("closed", date(2025, 3, 15)))
        days = self._days(self._cycle()._make_client_premiums())
        self.assertEqual(days, [date(2025, 3, d) for d in range(1, 15)])

    def test_week_and_month_in_which_one_day_counts(self):
        self._premium("week")
        self._premium("month")
        self._history(("on_hold", date(2025, 2, 20)), ("active", date(2025, 3, 12)))
        self._history(("closed", date(2025, 3, 18)))
        charges = self._by_period(self._cycle()._make_client_premiums())
        self.assertEqual(self._days(charges["week"]), [date(2025, 3, 12), date(2025, 3, 17)])
        self.assertEqual(self._days(charges["month"]), [date(2025, 3, 12)])

    def test_corrected_history_takes_off_what_isnt_billed(self):
        self._premium()
        self._premium("month")
        cycle = self._cycle()
        cycle._make_client_premiums()
        self._history(("on_hold", date(2025, 2, 10)), ("active", date(2025, 3, 29)))
        self.assertFalse(cycle._make_client_premiums())
        charges = self.env["healthcare.charge"].search(list(cycle._premium_domain()))
        by_period = self._by_period(charges)
        self.assertEqual(self._days(by_period["day"]), [date(2025, 3, d) for d in (29, 30, 31)])
        self.assertEqual(self._days(by_period["month"]), [date(2025, 3, 29)])

    def test_corrected_history_leaves_what_an_invoice_held(self):
        self._premium("month")
        cycle = self._cycle()
        charge = cycle._make_client_premiums()
        self._execute(charge, post=True)
        self._history(("closed", date(2025, 2, 1)), ("active", APRIL))
        self.assertFalse(cycle._make_client_premiums())
        self.assertEqual((charge.exists().service_date, charge.is_live), (MARCH, True))

    # -- scope ----------------------------------------------------------------------------------

    def test_scope_of_the_cycle(self):
        insured = self._insured_client("Insured").billing_account_ids
        category = self.env["res.partner.category"].create({"name": "North"})
        department = self.env["hr.department"].create({"name": "Home"})
        own, other = self._premium("month"), self._premium("month", account=insured)
        for vals, expected in (
            ({"payer_ids": [Command.set(self.payer.ids)]}, other),
            ({"payer_ids": [Command.set(self.payer.ids)], "include_self_pay": True}, own | other),
            ({"client_group_ids": [Command.set(category.ids)]}, own),
            ({"department_ids": [Command.set(department.ids)]}, other),
            ({"bill_code_group_ids": [Command.set(self.meals.categ_id.ids)]}, own | other),
        ):
            self.client.category_id = category
            insured.department_id = department
            with self.subTest(vals):
                charges = self._cycle(**vals)._make_client_premiums()
                self.assertEqual(charges.client_premium_id, expected)
                charges.unlink()

    def test_not_of_accounts_that_arent_billable(self):
        self._premium()
        self.account.billable = False
        self.assertFalse(self._cycle()._make_client_premiums())

    # -- billing --------------------------------------------------------------------------------

    def test_billed_by_the_payer_with_its_day(self):
        insured = self._insured_client("Insured").billing_account_ids
        self._premium("month", account=insured)
        charge = self._cycle()._make_client_premiums()
        self.assertEqual((charge.amount_payer, charge.payer_id), (7.0, self.payer))
        self.assertFalse(self._codes(charge, door="cycle"))
        move = self._execute(charge, door="cycle").move_ids
        self.assertEqual(move.partner_id, self.payer)
        self.assertIn("03/01/2025", move.invoice_line_ids.name)

    def test_on_hold_is_billed_on_hold_if_flagged(self):
        for flagged, codes in ((True, set()), (False, {"account_on_hold"})):
            client = self._client(f"Held {flagged}")
            self._premium("month", client.billing_account_ids, billable_on_hold=flagged)
            charge = self._cycle()._make_client_premiums()
            client.billing_account_ids.billing_status = "on_hold"
            self.assertEqual(self._codes(charge, door="cycle"), codes)

    def test_r16_none_on_ad_hoc_invoices(self):
        self._premium("month")
        charge = self._cycle()._make_client_premiums()
        wizard = self.env["healthcare.adhoc.invoice"].create({"client_id": self.client.id})
        self.assertNotIn(charge, self.env["healthcare.charge"].search(wizard._charge_domain()))

    def test_premiums_of_a_cycle(self):
        self._premium("month")
        cycle = self._cycle()
        self.env["healthcare.premium"].create(
            {"name": "Every", "rule": "visit", "product_id": self.meals.id}
        )
        visit = self._appointment(self.client)
        self._appointment(self.client, day=APRIL)
        action = cycle.action_view_premiums()
        charges = self.env["healthcare.charge"].search(action["domain"])
        self.assertEqual(len(charges), 2)
        self.assertEqual(charges.appointment_id, visit)
        self.assertEqual(charges.client_premium_id.period, "month")

    def test_premiums_of_a_cycle_without_those_billed_elsewhere(self):
        self._premium("month")
        charge = self._cycle()._make_client_premiums()
        self._execute(charge)
        later = self._cycle(APRIL, MAY, back_billing_date=MARCH)
        self.assertFalse(charge & charge.search(later._premium_domain()))

    def test_coordinators_look_at_the_premiums(self):
        self._premium("month")
        cycle = self._cycle()
        user = self._user("coordinator")
        cycle = cycle.with_env(self._act_as(user))
        self.assertTrue(
            cycle.env["healthcare.charge"].search(cycle.action_view_premiums()["domain"])
        )
        self.assertEqual(cycle.premium_count, 1)

    def test_used_premium_cant_be_deleted(self):
        premium = self._premium("month")
        self._cycle()._make_client_premiums()
        with (
            self.assertRaises(psycopg2.IntegrityError),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            premium.unlink()

    def test_added_in_the_form_of_the_account(self):
        self.env.user.group_ids |= self.env.ref("healthcare_billing.group_use_billing_cycles")
        with Form(self.account) as form, form.client_premium_ids.new() as line:
            line.product_id = self.meals
            line.period = "week"
        self.assertEqual(self.account.client_premium_ids.period, "week")
        with Form(self.account) as form, form.status_ids.new() as line:
            line.status = "on_hold"
            line.date_from = MARCH
        self.assertEqual(self.account.billing_status, "on_hold")
        self.assertEqual(len(self.account.status_ids), 2)

    def test_queries_dont_grow_with_clients(self):
        cycle = self._cycle(date_to=date(2025, 3, 4))

        def queries(count):
            for n in range(count):
                client = self._client(f"Client {count} {n}")
                self._premium("day", client.billing_account_ids)
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            cycle._make_client_premiums()
            self.env.flush_all()
            return self.env.cr.sql_log_count - start

        queries(2)
        few, many = queries(5), queries(15)
        self.assertLess(many, few + 5)  # one per client would be ten more

    def test_corrected_history_takes_off_what_a_draft_of_the_cycle_holds(self):
        self._premium("month")
        cycle = self._cycle()
        charge = cycle._make_client_premiums()
        run = self._execute(charge, door="cycle")
        run.move_ids.sudo().billing_cycle_id = cycle
        self._history(("closed", date(2025, 2, 1)), ("active", APRIL))
        self.assertFalse(cycle._make_client_premiums())
        self.assertTrue(charge.premium_lapsed)
        run.move_ids.unlink()
        self.assertEqual(self._codes(charge, door="cycle"), {"not_billable"})
        self.account.status_ids.filtered("date_from").unlink()
        self.assertFalse(cycle._make_client_premiums())
        self.assertFalse(self._codes(charge, door="cycle"))
