from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import A_DAY
from .completeness_common import CompletenessCommon

CUT_OFF = A_DAY.replace(day=31)


class AccrualCommon(CompletenessCommon):
    """Care of one month, and what of it is accrued on the month's last day."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.accrued = cls.env["account.account"].create(
            {"code": "123400", "name": "Accrued revenue", "account_type": "asset_current"}
        )
        cls.company.healthcare_accrual_account_id = cls.accrued
        cls.revenue = cls.company_data["default_account_revenue"]
        cls.other_revenue = cls.revenue.copy({"code": "400777", "name": "Nursing revenue"})
        cls.nursing = cls._service(
            "Night nursing", "T1002", 50.0, property_account_income_id=cls.other_revenue.id
        )
        cls.accountant = cls._user("accountant")

    def _month(self, env=None, **criteria):
        return self._report(
            env, as_of=CUT_OFF, date_to=CUT_OFF, **{"invoice_date": CUT_OFF} | criteria
        )

    def _dialog(self, report):
        action = report.action_accrue()
        self.assertEqual(action["res_model"], "healthcare.accrual.book")
        return report.env[action["res_model"]].browse(action["res_id"])

    def _book(self, report):
        self._dialog(report).action_book()
        return report.env["healthcare.accrual"]._live(report.company_id, report.as_of)

    def _lines(self, move):
        return {(line.account_id, line.balance) for line in move.line_ids}


@tagged("post_install", "-at_install")
class TestAccrual(AccrualCommon):
    def test_accrual_lines(self):
        """Ready, blocked, on drafts and invoiced later are accrued, by income account."""
        self._appointment(self.alice)  # ready, 80.00
        self._appointment(self.alice, hour=11, parked=True)  # blocked, 80.00
        self._appointment(self.alice, hour=13, product_id=self.nursing.id)  # ready, 50.00
        self._execute(self._appointment(self.alice, hour=15))  # on a draft of today
        self._bill(self._appointment(self.alice, hour=17))  # posted today: later
        invoiced = self._execute(self._appointment(self.alice, hour=18), invoice_date=CUT_OFF)
        invoiced.move_ids.action_post()
        self._appointment(self.alice, hour=19, billable=False)
        report = self._month()
        open_amounts = report.later + report.draft + report.ready + report.blocked
        self.assertEqual((report.accruable, open_amounts), (370.0, 370.0))
        dialog = self._dialog(report)
        self.assertEqual(
            {(line.account_id, line.amount) for line in dialog.line_ids},
            {(self.revenue, 320.0), (self.other_revenue, 50.0)},
        )
        self.assertEqual(dialog.amount, report.accruable)
        dialog.action_book()
        accrual = report.accrual_id
        self.assertEqual((accrual.amount, accrual.date), (370.0, CUT_OFF))
        self.assertEqual(
            self._lines(accrual.move_id),
            {(self.accrued, 370.0), (self.revenue, -320.0), (self.other_revenue, -50.0)},
        )
        self.assertEqual(
            self._lines(accrual.reversal_id),
            {(self.accrued, -370.0), (self.revenue, 320.0), (self.other_revenue, 50.0)},
        )
        self.assertEqual(accrual.move_id.date, CUT_OFF)
        self.assertEqual(accrual.reversal_id.date, CUT_OFF + timedelta(days=1))
        moves = accrual.move_id | accrual.reversal_id
        self.assertEqual(set(moves.mapped("state")), {"posted"})
        self.assertEqual(set(moves.journal_id.mapped("type")), {"general"})
        self.assertEqual(accrual.reversal_id.reversed_entry_id, accrual.move_id)

    def test_accrual_names_nobody(self):
        """The entries name no client, no service, no partner, and have no tax."""
        self.revenue.tax_ids = self.company_data["default_tax_sale"]
        self._appointment(self.alice)
        self._appointment(self.ivy, hour=11)
        accrual = self._book(self._month())
        moves = accrual.move_id | accrual.reversal_id
        self.assertFalse(moves.partner_id | moves.line_ids.partner_id)
        self.assertFalse(moves.line_ids.tax_ids)
        self.assertFalse(moves.line_ids.product_id)
        self.assertFalse(moves.line_ids.charge_id)
        texts = " ".join([*moves.mapped("ref"), *moves.line_ids.mapped("name")])
        for word in ("Alice", "Ivy", "Nursing", "T1001", "Test Insurance"):
            self.assertNotIn(word, texts)

    def test_accrual_never_billed(self):
        """Rejected, vacant and unscheduled visits are no revenue to come (R12)."""
        self._appointment(self.alice)
        self._appointment(self.alice, hour=11, approval_state="rejected")
        self._appointment(self.alice, hour=13, is_vacant=True, parked=True)
        self._appointment(self.alice, hour=15, is_unscheduled=True)
        report = self._month()
        self.assertEqual((report.blocked, report.accruable), (240.0, 80.0))
        dialog = self._dialog(report)
        self.assertEqual((dialog.amount, dialog.never_amount), (80.0, 240.0))

    def test_accrual_leaves_the_report_as_it_is(self):
        """An accrual is no invoice: the report's own ledger figure doesn't know it."""
        self._appointment(self.alice)
        before = self._figures(self._month())
        self._book(self._month())
        report = self._month()
        self.assertEqual(self._figures(report), before)
        self.assertEqual(report.state, "agrees")
        self.assertEqual(report.accrued, 80.0)

    def test_accrual_revenue_moves_between_months(self):
        """With its invoice of the next month, the revenue of each month is the care's."""
        self._appointment(self.alice)
        self._book(self._month())
        run = self._execute(
            self.env["healthcare.charge"].search([("client_id", "=", self.alice.id)]),
            invoice_date=CUT_OFF + timedelta(days=5),
        )
        run.move_ids.action_post()
        lines = self.env["account.move.line"].search(
            [("account_id", "=", self.revenue.id), ("parent_state", "=", "posted")]
        )
        march = lines.filtered(lambda line: line.date <= CUT_OFF)
        self.assertEqual(-sum(march.mapped("balance")), 80.0)
        self.assertEqual(-sum((lines - march).mapped("balance")), 0.0)

    def test_accrual_twice(self):
        """A second click opens what is booked; also from a dialog that was open before."""
        self._appointment(self.alice)
        report = self._month()
        first, second = self._dialog(report), self._dialog(report)
        opened = first.action_book()
        self.assertEqual(second.action_book()["domain"], opened["domain"])
        self.assertEqual(report.action_accrue()["domain"], opened["domain"])
        self.assertEqual(self._month().action_accrue()["domain"], opened["domain"])
        self.assertEqual(self.env["healthcare.accrual"].search_count([]), 1)

    def test_accrual_changed_meanwhile(self):
        """What changed since the sums were shown is shown first, and not booked unseen."""
        self._appointment(self.alice)
        dialog = self._dialog(self._month())
        self._appointment(self.alice, hour=11)
        again = dialog.action_book()
        self.assertEqual(again["res_id"], dialog.id)
        self.assertTrue(dialog.has_changed)
        self.assertEqual(dialog.amount, 160.0)
        self.assertFalse(self.env["healthcare.accrual"].search([]))
        dialog.action_book()
        self.assertEqual(self.env["healthcare.accrual"].search([]).amount, 160.0)

    def test_accrual_undo(self):
        """Undone, both entries are canceled, and the cut-off can be booked anew."""
        self._appointment(self.alice)
        report = self._month()
        accrual = self._book(report)
        report.action_undo_accrual()
        self.assertFalse(accrual.live)
        self.assertFalse(report.accrual_id)
        self.assertEqual(set((accrual.move_id | accrual.reversal_id).mapped("state")), {"cancel"})
        self.assertTrue(self._book(report).live)
        self.assertEqual(self.env["healthcare.accrual"].search_count([]), 2)

    def test_accrual_lock_dates(self):
        """No entry moves: a locked cut-off is refused, and so is a locked next day."""
        self._appointment(self.alice)
        report = self._month()
        for lock in (CUT_OFF, CUT_OFF + timedelta(days=1)):
            self.company.fiscalyear_lock_date = lock
            with self.assertRaisesRegex(UserError, "locked until"):
                report.action_accrue()
        self.company.fiscalyear_lock_date = False
        dialog = self._dialog(report)
        self.company.fiscalyear_lock_date = CUT_OFF
        with self.assertRaisesRegex(UserError, "locked until"):
            dialog.action_book()
        self.company.fiscalyear_lock_date = CUT_OFF - timedelta(days=1)
        dialog.action_book()
        accrual = report.accrual_id
        self.assertEqual(accrual.move_id.date, CUT_OFF)
        self.company.fiscalyear_lock_date = CUT_OFF
        with self.assertRaisesRegex(UserError, "locked until"):
            accrual.action_undo()
        self.assertTrue(accrual.live)

    def test_accrual_criteria(self):
        """An accrual is of all care of a company until its cut-off."""
        self._appointment(self.alice)
        for criteria, message in (
            ({"client_ids": [Command.set(self.alice.ids)]}, "filters"),
            ({"product_ids": [Command.set(self.nursing.ids)]}, "filters"),
            ({"date_to": A_DAY}, "same day"),
            ({"as_of": A_DAY}, "same day"),
            ({"as_of": self.today + timedelta(days=1)}, "future"),
        ):
            report = self._report(
                **{"as_of": CUT_OFF, "date_to": CUT_OFF, "invoice_date": CUT_OFF} | criteria
            )
            with self.assertRaisesRegex(UserError, message):
                report.action_accrue()

    def test_accrual_setup(self):
        """What is missing is named: account, journal, the income account of a service."""
        self._appointment(self.alice)
        report = self._month()
        self.company.healthcare_accrual_account_id = False
        with self.assertRaisesRegex(UserError, "no account for accrued revenue"):
            report.action_accrue()
        self.company.healthcare_accrual_account_id = self.accrued
        own = self.env["account.journal"].create(
            {"name": "Accruals", "code": "ACR", "type": "general"}
        )
        self.company.healthcare_accrual_journal_id = own
        accrual = self._book(report)
        self.assertEqual((accrual.move_id | accrual.reversal_id).journal_id, own)

    def test_accrual_without_income_account(self):
        self._appointment(self.alice, product_id=self.nursing.id)
        self.nursing.property_account_income_id = False
        self.nursing.categ_id.property_account_income_categ_id = False
        self.company.income_account_id = False
        engine = self.env["healthcare.billing.engine"]
        engine._sale_journal(self.company).default_account_id = False
        with self.assertRaisesRegex(UserError, "Night nursing has no income account|no income"):
            self._month().action_accrue()

    def test_accrual_nothing(self):
        with self.assertRaisesRegex(UserError, "nothing to accrue"):
            self._dialog(self._month()).action_book()

    def test_accrual_warnings(self):
        """Drafts dated in the period, and older care, are told before booking."""
        self._execute(self._appointment(self.alice), invoice_date=CUT_OFF)
        self._appointment(self.alice, day=A_DAY - timedelta(days=40))
        dialog = self._dialog(self._month())
        self.assertEqual((dialog.early_draft_amount, dialog.older_count), (80.0, 1))
        self.assertEqual(dialog.amount, 0.0, "it is revenue of the period when it is posted")

    def test_accrual_not_delivered(self):
        """A past visit that nobody completed or clocked isn't revenue."""
        self._appointment(self.alice)
        self._appointment(self.alice, hour=11, state="scheduled")
        clocked = self._appointment(self.alice, hour=13, state="scheduled")
        clocked.write({"clock_in": clocked.start, "clock_out": clocked.stop})
        self.assertEqual(clocked.state, "scheduled")
        dialog = self._dialog(self._month())
        self.assertEqual((dialog.amount, dialog.never_amount), (160.0, 80.0))

    def test_accrual_names_open_cycles(self):
        """What an open cycle will invoice in the period would count twice."""
        self._appointment(self.alice)
        cycle = self.env["healthcare.billing.cycle"].create(
            {
                "date_from": A_DAY,
                "date_to": A_DAY + timedelta(days=7),
                "invoice_date": CUT_OFF,
            }
        )
        self.assertEqual(self._dialog(self._month()).open_cycles, cycle.name)
        cycle.invoice_date = CUT_OFF + timedelta(days=1)
        self.assertFalse(self._dialog(self._month()).open_cycles)

    def test_accrual_fiscal_position(self):
        """The account is that of the invoice to be, mapped for its addressee."""
        mapped = self.revenue.copy({"code": "400888", "name": "Program revenue"})
        position = self.env["account.fiscal.position"].create(
            {
                "name": "Program",
                "account_ids": [
                    Command.create(
                        {"account_src_id": self.revenue.id, "account_dest_id": mapped.id}
                    )
                ],
            }
        )
        self.payer.property_account_position_id = position
        self._appointment(self.ivy)  # 20.00 client, 60.00 payer
        amounts = {line.account_id: line.amount for line in self._dialog(self._month()).line_ids}
        self.assertEqual(amounts, {self.revenue: 20.0, mapped: 60.0})
        run = self._execute(self.env["healthcare.charge"].search([("client_id", "=", self.ivy.id)]))
        booked = {}
        for line in run.move_ids.invoice_line_ids.filtered("charge_id"):
            booked[line.account_id] = booked.get(line.account_id, 0.0) - line.balance
        self.assertEqual(booked, amounts)

    def test_accrual_foreign_currency(self):
        """Converted by the rate of the cut-off, into company currency."""
        currency = self.setup_other_currency(
            "EUR", rates=[("2025-01-01", 2.0), ("2025-04-10", 4.0)]
        )
        self._fee_schedule({self.visit_service: 60.0}, currency_id=currency.id)
        self._appointment(self._insured_client("Eve Euro"))
        report = self._month(invoice_date=self.today)
        with self.assertRaisesRegex(UserError, "rate of the cut-off"):
            report.action_accrue()
        accrual = self._book(self._month())
        self.assertEqual(
            self._lines(accrual.move_id), {(self.accrued, 30.0), (self.revenue, -30.0)}
        )
        self.assertEqual(accrual.move_id.line_ids.currency_id, self.company.currency_id)

    def test_accrual_per_company(self):
        """Each company books its own, and sees no other's."""
        other = self._create_company(name="Other Practice")
        self._appointment(self.alice)
        accrual = self._book(self._month())
        other_env = self.env(context={**self.env.context, "allowed_company_ids": other.ids})
        report = other_env["healthcare.completeness"].create(
            {
                "company_id": other.id,
                "date_from": A_DAY.replace(day=1),
                "date_to": CUT_OFF,
                "as_of": CUT_OFF,
                "invoice_date": CUT_OFF,
            }
        )
        report.action_compute()
        self.assertFalse(report.accrual_id)
        with self.assertRaisesRegex(UserError, "no account for accrued revenue of Other"):
            report.action_accrue()
        stranger = self._user("billing_manager", login="stranger")
        stranger.write({"company_ids": [Command.set(other.ids)], "company_id": other.id})
        with self.assertRaises(AccessError):
            accrual.with_user(stranger).with_context(allowed_company_ids=other.ids).read(["amount"])

    def test_accrual_rights(self):
        """Managers and accountants with Invoicing book; a billing user sees it, and may not."""
        self._appointment(self.alice)
        biller = self._act_as(self._user("billing_user"))
        report = self._month(biller)
        self.assertFalse(report.may_accrue)
        with self.assertRaises(AccessError):
            report.action_accrue()
        auditor = self._user("no_group", login="auditor")
        auditor.group_ids |= self.env.ref("account.group_account_readonly")
        with self.assertRaises(AccessError):
            self._month(self._act_as(auditor)).action_accrue()
        theirs = self._month(self._act_as(self.accountant))
        self.assertTrue(theirs.may_accrue)
        accrual = self._book(theirs)
        self.assertEqual(accrual.amount, 80.0)
        self.assertEqual(self._month(biller).accrued, 80.0)
        with self.assertRaises(AccessError):
            accrual.with_env(biller).action_undo()
        manager = self._act_as(self._user("billing_manager"))
        accrual.with_env(manager).action_undo()
        self.assertEqual(self._book(self._month(manager)).amount, 80.0)
