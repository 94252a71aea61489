from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import A_DAY
from .completeness_common import CompletenessCommon


@tagged("post_install", "-at_install")
class TestCompletenessRights(CompletenessCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = cls._users()

    def test_who_may(self):
        move = self._bill(self._charge(self.ivy))
        self._charge(self.ivy, hour=10, parked=True)
        for kind in self.users:
            env = self._act_as(self.users[kind])
            with self.subTest(user=kind):
                if kind not in ("billing_user", "billing_manager", "accountant"):
                    with self.assertRaises(AccessError):
                        self._report(env)
                    continue
                report = self._report(env)
                self.assertEqual((report.delivered, report.ledger), (160.0, 80.0))
                self.assertEqual(report.state, "agrees")
                self.assertTrue(report.row_ids.mapped("display_name"))
                rows = report.row_ids.web_read(
                    {n: {} for n, f in report.row_ids._fields.items()
                     if report.row_ids._has_field_access(f, "read")}
                )  # fmt: skip
                self.assertEqual(len(rows), 4)
                self.assertEqual("charge_id" in rows[0], kind != "accountant")
                invoiced = report.row_ids.filtered("move_id")
                self.assertEqual(invoiced.move_id, move)
                self.assertTrue(invoiced[0].action_open())
                blocked = report.row_ids - invoiced
                self.assertEqual(bool(blocked[0].action_open()), kind != "accountant")
                self.assertTrue(
                    env["ir.actions.report"]._render_qweb_html(
                        "healthcare_billing.report_completeness", report.ids
                    )
                )

    def test_own_reports_only(self):
        self._charge(self.alice)
        report = self._report(self._act_as(self.users["billing_user"]))
        self.env.flush_all()
        for record in (report, report.row_ids, report.line_ids):
            self.assertTrue(record)
            other = record.with_env(self._act_as(self.users["billing_manager"]))
            self.assertFalse(other.search([]))
            with self.assertRaises(AccessError):
                other.read(["display_name"])

    def test_rows_are_not_written(self):
        self._charge(self.alice)
        report = self._report(self._act_as(self.users["billing_user"]))
        for record in (report.row_ids, report.line_ids):
            with self.assertRaises(AccessError):
                record.amount_company = 1.0
            with self.assertRaises(AccessError):
                record.create({"report_id": report.id})

    def test_menus(self):
        names = ("healthcare_completeness_menu", "healthcare_completeness_menu_accounting")
        for kind, visible in (
            ("coordinator", (False, False)),
            ("billing_user", (True, False)),
            ("accountant", (False, True)),
        ):
            found = self.env["ir.ui.menu"].with_user(self.users[kind])._visible_menu_ids()
            self.assertEqual(
                tuple(self.env.ref(f"healthcare_billing.{name}").id in found for name in names),
                visible,
                kind,
            )

    def test_companies(self):
        self._charge(self.alice)
        company = self.setup_other_company()["company"]
        env = self.env(context={**self.env.context, "allowed_company_ids": company.ids})
        client = env["res.partner"].create({"name": "Elsewhere", "is_healthcare_client": True})
        env["healthcare.appointment"].create(
            {
                "client_id": client.id,
                "product_id": self.visit_service.id,
                "start": self._local(A_DAY),
                "state": "completed",
            }
        )
        self.assertEqual(self._checked().row_ids.client_id, self.alice)
        there = self._report(env, company_id=company.id)
        self.assertEqual(there.row_ids.client_id, client)
        for kind in ("billing_user", "accountant"):
            with self.subTest(user=kind), self.assertRaises(UserError):
                self._report(self._act_as(self.users[kind]), company_id=company.id)
        with self.assertRaises(UserError):
            self._report(self._act_as(self.env.user), company_id=company.id)  # not ticked
