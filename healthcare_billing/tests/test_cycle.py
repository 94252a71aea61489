from datetime import date

from psycopg2 import IntegrityError

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import CareCommon


@tagged("post_install", "-at_install")
class TestCycle(CareCommon):
    """Parameters of billing cycles, the next one, overlaps (R11, R14)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_payer = cls._payer("Other Payer")

    @classmethod
    def _cycle(cls, first=date(2025, 3, 1), last=date(2025, 3, 31), **vals):
        return cls.env["healthcare.billing.cycle"].create(
            {"date_from": first, "last_day": last, "invoice_date": last} | vals
        )

    def test_r11_new_cycle_begins_today(self):
        with Form(self.env["healthcare.billing.cycle"]) as form:
            self.assertEqual(form.date_from, self.today)
            form.last_day = self.today
        self.assertEqual((form.record.date_to - form.record.date_from).days, 1)
        self.assertTrue(form.record.name.startswith("CYC/"))

    def test_r11_next_begins_where_the_latest_of_the_same_payers_ends(self):
        payers = [Command.set(self.payer.ids)]
        first = self._cycle(date(2025, 3, 3), date(2025, 3, 16), payer_ids=payers)
        self._cycle(date(2025, 4, 7), date(2025, 4, 20), payer_ids=payers)
        self._cycle(
            date(2025, 6, 1), date(2025, 6, 30), payer_ids=[Command.link(self.other_payer.id)]
        )
        self._cycle(date(2025, 7, 1), date(2025, 7, 31))
        new = self.env["healthcare.billing.cycle"].browse(first.action_create_next()["res_id"])
        self.assertEqual((new.date_from, new.last_day), (date(2025, 4, 21), date(2025, 5, 4)))
        self.assertEqual(new.payer_ids, self.payer)
        self.assertEqual(new.invoice_date, new.last_day)
        with self.assertRaisesRegex(UserError, "made from another"):
            new.date_from = date(2025, 4, 20)
        with self.assertRaisesRegex(UserError, "made from another"):
            new.payer_ids = self.other_payer

    def test_r11_next_keeps_filters_and_distances(self):
        group = self.env["res.partner.category"].create({"name": "Program A"})
        department = self.env["hr.department"].create({"name": "North"})
        cycle = self._cycle(
            date(2025, 3, 3),
            date(2025, 3, 9),
            back_billing_date=date(2025, 2, 3),
            invoice_date=date(2025, 3, 12),
            client_group_ids=[Command.set(group.ids)],
            department_ids=[Command.set(department.ids)],
            bill_code_group_ids=[Command.set(self.product_category.ids)],
            restrict_scheduling=True,
        )
        new = cycle.browse(cycle.action_create_next()["res_id"])
        self.assertEqual((new.date_from, new.last_day), (date(2025, 3, 10), date(2025, 3, 16)))
        self.assertEqual(new.back_billing_date, date(2025, 2, 10))
        self.assertEqual(new.invoice_date, date(2025, 3, 19))
        self.assertEqual(new.client_group_ids, group)
        self.assertEqual(new.department_ids, department)
        self.assertEqual(new.bill_code_group_ids, self.product_category)
        self.assertFalse(new.restrict_scheduling, "scheduling is restricted on purpose only")

    def test_r11_whole_months_are_followed_by_whole_months(self):
        cycle = self._cycle(
            date(2025, 1, 1), date(2025, 1, 31), back_billing_date=date(2024, 12, 1)
        )
        new = cycle.browse(cycle.action_create_next()["res_id"])
        self.assertEqual((new.date_from, new.last_day), (date(2025, 2, 1), date(2025, 2, 28)))
        self.assertEqual(new.back_billing_date, date(2025, 1, 1))

    def test_r11_back_billing_isnt_after_the_first_day(self):
        with self.assertRaisesRegex(IntegrityError, "back_billing"), mute_logger("odoo.sql_db"):
            self._cycle(back_billing_date=date(2025, 3, 2))

    def test_overlaps_are_shown(self):
        march = self._cycle(payer_ids=[Command.set(self.payer.ids)])
        other = self._cycle(payer_ids=[Command.set(self.other_payer.ids)])
        april = self._cycle(date(2025, 4, 1), date(2025, 4, 30))
        self.assertFalse((march | other | april).overlap_ids)
        april.back_billing_date = date(2025, 3, 20)
        self.assertEqual(april.overlap_ids, march | other)
        march.invalidate_recordset(["overlap_ids"])
        self.assertEqual(march.overlap_ids, april)

    def test_r14_parameters_are_those_of_an_open_cycle(self):
        cycle = self._cycle()
        for state in ("closing", "closed"):
            cycle.sudo().state = state
            with self.assertRaises(UserError):
                cycle.last_day = date(2025, 4, 1)
            with self.assertRaises(UserError):
                cycle.payer_ids = self.payer
            with self.assertRaises(UserError):
                cycle.unlink()
            cycle.restrict_scheduling = True  # also at closing
            cycle.last_day = cycle.last_day  # nothing changes
        cycle.sudo().state = "open"
        cycle.last_day = date(2025, 4, 1)
        cycle.unlink()
