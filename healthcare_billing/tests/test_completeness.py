from datetime import date, timedelta
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import SQL, mute_logger

from .common import A_DAY, CareCommon

STATUSES = ("invoiced", "credited", "later", "draft", "ready", "blocked", "not_billable")


class CompletenessCommon(CareCommon):
    """Reports over the month of ``A_DAY``, checked against charges, plan and ledger."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.alice = cls._client("Alice Adams")
        cls.ivy = cls._insured_client("Ivy Insured", copay=20.0)

    def _report(self, env=None, **criteria):
        report = (env or self.env)["healthcare.completeness"].create(
            {"date_from": A_DAY.replace(day=1), "date_to": A_DAY.replace(day=31)} | criteria
        )
        report.action_compute()
        return report

    def _figures(self, report):
        """Figures that aren't zero."""
        return {name: report[name] for name in STATUSES if report[name]}

    def _checked(self, **criteria):
        """A report that holds whatever is in it, to the cent and from other sources."""
        report = self._report(**criteria)
        same = self.company.currency_id.compare_amounts
        charges = self.env["healthcare.charge"].search(report._charge_domain())
        lines = self.env["account.move.line"].search(
            [
                ("charge_id", "in", charges.ids),
                ("parent_state", "=", "posted"),
                ("date", "<=", report.as_of),
            ]
        )
        lines = lines.filtered(lambda line: line.account_id.internal_group in ("income", "expense"))
        self.assertFalse(report.gap)
        self.assertFalse(report.ledger_gap)
        self.assertFalse(same(sum(report[name] for name in STATUSES), report.delivered))
        ledger = -sum(lines.mapped("balance"))
        self.assertFalse(same(report.ledger, ledger), (report.ledger, ledger))
        self.assertFalse(same(report.invoiced - report.difference + report.exchange, report.ledger))
        self.assertEqual(report.row_ids.charge_id.filtered(lambda c: c not in charges).ids, [])
        told = report.row_ids.grouped("charge_id")
        for charge in charges:
            rows = told.get(charge)
            if rows is None:
                self.assertEqual(charge.billing_stage, "planned")
                self.assertGreaterEqual(charge.service_date, self.company._care_today())
                continue
            self.assertFalse(
                charge.currency_id.compare_amounts(sum(rows.mapped("amount")), charge.amount),
                charge.display_name,
            )
        if report.as_of >= self.today:
            self._check_against_plan(report, charges)
        return report

    def _check_against_plan(self, report, charges):
        """Ready is what the engine would bill now; blocked is what it tells as blocked."""
        plan = self._plan(charges & report.row_ids.charge_id, invoice_date=report.invoice_date)
        planned = {
            (part.charge_id, part.responsibility): part.amount
            for invoice in plan.invoices
            for part in invoice.parts
        }
        rows = report.row_ids
        ready = rows.filtered(lambda row: row.status == "ready")
        self.assertEqual(
            {(row.charge_id.id, row.responsibility): row.amount for row in ready}, planned
        )
        reasons = {
            reason.code: reason.id for reason in self.env["healthcare.block.reason"].search([])
        }
        for row in rows.filtered(lambda row: row.status in ("blocked", "not_billable")):
            self.assertEqual(row.reason_id.id, reasons[plan.blocked[row.charge_id.id][0]])
        for status, state in (("draft", "draft"), ("invoiced", "posted")):
            live = charges.invoice_line_ids.filtered(
                lambda line, state=state: line.charge_live and line.parent_state == state
            )
            told = rows.filtered(
                lambda row, s=status: (
                    row.status == s and (row.amount or row.cause not in ("credit", "exchange"))
                )
            )
            self.assertEqual(set(told.charge_id.ids), set(live.charge_id.ids), status)
            self.assertEqual(len(told), len(live), status)

    def _bill(self, charges, post=True, **options):
        run = self._execute(charges, post=post, **options)
        self.assertEqual(set(run.line_ids.mapped("state")), {"created"})
        return run.line_ids.move_id

    def _credit(self, moves, share=None, day=None):
        """Credit notes of these moves, posted; with a share, of so much of each line."""
        notes = moves._reverse_moves(
            [{"invoice_date": day or self.today, "date": day or self.today} for _move in moves]
        )
        if share is not None:
            for line in notes.invoice_line_ids.filtered(lambda l: l.display_type == "product"):
                line.price_unit = line.currency_id.round(line.price_unit * share)
        notes.action_post()
        return notes


@tagged("post_install", "-at_install")
class TestCompleteness(CompletenessCommon):
    """Each thing that can become of a charge has its place, and the sum is always the care's."""

    # -- places ---------------------------------------------------------------------------------

    def test_nothing(self):
        report = self._checked(date_from=date(2020, 1, 1), date_to=date(2020, 1, 31))
        self.assertEqual((report.charge_count, report.delivered, report.state), (0, 0.0, "agrees"))
        self.assertFalse(report.line_ids)

    def test_each_status(self):
        self._bill(self._charge(self.alice))
        self._bill(self._charge(self.alice, hour=10), post=False)
        self._charge(self.alice, hour=11)
        self._charge(self.alice, hour=12, parked=True, note_state="draft")
        self._charge(self.alice, hour=13, state="canceled")
        report = self._checked()
        self.assertEqual(
            self._figures(report),
            dict.fromkeys(("invoiced", "draft", "ready", "blocked", "not_billable"), 80.0),
        )
        self.assertEqual((report.delivered, report.charge_count), (400.0, 5))
        self.assertEqual((report.ledger, report.state), (80.0, "agrees"))
        self.assertEqual(
            [
                (l.status, l.reason_id.code, l.charge_count, l.amount_company)
                for l in report.line_ids
            ],
            [
                ("invoiced", False, 1, 80.0),
                ("draft", False, 1, 80.0),
                ("ready", False, 1, 80.0),
                ("blocked", "parked", 1, 80.0),
                ("not_billable", "not_billable", 1, 80.0),
            ],
        )

    def test_first_reason_counts_and_all_are_told(self):
        self.company.healthcare_requires_signed_note = True
        self._charge(self.alice, parked=True)
        row = self._checked().row_ids
        self.assertEqual((row.status, row.reason_id.code), ("blocked", "parked"))
        self.assertEqual(row.reasons, "Parked, Note not signed")

    def test_parts_have_their_own_status(self):
        """The client's part is posted and credited again, the payer's on a draft."""
        charge = self._charge(self.ivy)
        moves = self._bill(charge, post=False)
        own = moves.filtered(lambda move: move.partner_id == self.ivy)
        own.action_post()
        self.assertEqual(self._figures(self._checked()), {"invoiced": 20.0, "draft": 60.0})
        self._credit(own)
        charge.appointment_id.parked = True
        report = self._checked()
        self.assertEqual(self._figures(report), {"draft": 60.0, "blocked": 20.0})
        blocked = report.row_ids.filtered(lambda row: row.status == "blocked")
        self.assertEqual(blocked.responsibility, "client")
        self.assertEqual(report.charge_count, 1)

    def test_planned_and_overdue(self):
        today = self.company._care_today()
        criteria = {"date_from": today - timedelta(days=2), "date_to": today + timedelta(days=9)}
        for days in (-1, 0, 1):
            self._charge(self.alice, day=today + timedelta(days=days), state="scheduled")
        report = self._checked(**criteria)
        self.assertEqual(self._figures(report), {"blocked": 80.0})
        self.assertEqual(report.row_ids.reason_id.code, "planned")
        self.assertEqual((report.planned_count, report.planned_amount), (2, 160.0))

    def test_local_days(self):
        """R6: 23:30 on the last day of the month is that month's."""
        last = A_DAY.replace(day=31)
        late = self._charge(self.alice, day=last, hour=23.5)
        self._charge(self.alice, day=last + timedelta(days=1), hour=0.25)
        self.assertEqual(self._checked().row_ids.charge_id, late)

    def test_nothing_owed_is_counted(self):
        charge = self._charge(self.ivy)
        charge.price_unit = 0.0
        report = self._checked()
        self.assertEqual((report.charge_count, report.row_ids.status), (1, "ready"))
        move = self._bill(charge, post=False)
        self.assertEqual(move.state, "posted")
        report = self._checked()
        self.assertEqual((report.row_ids.status, report.row_ids.amount), ("invoiced", 0.0))
        self._credit(move)
        self.assertEqual(self._checked().row_ids.status, "ready")

    def test_without_price(self):
        service = self._service("Unpriced", "T2000", 0.0)
        self.payer.requires_fee_schedule = True
        self._charge(self.ivy, product_id=service.id)
        report = self._checked()
        self.assertEqual(report.row_ids.reason_id.code, "missing_bill_code")
        self.assertEqual(report.delivered, 0.0)

    def test_corrections_and_transfers(self):
        """Negative children are negative amounts; a transfer moves, and adds nothing."""
        charge = self._charge(self.ivy)
        family = charge
        for kind, price in (("adjustment", -15.0), ("transfer", 0.0)):
            family |= charge.create({"parent_id": charge.id, "kind": kind, "price_unit": price})
        family[2].write({"amount_client": 5.0, "amount_payer": -5.0})
        self.assertEqual(self._figures(self._checked()), {"ready": 65.0})
        self._bill(family)
        report = self._checked()
        self.assertEqual((self._figures(report), report.state), ({"invoiced": 65.0}, "agrees"))
        self.assertEqual(len(report.row_ids.filtered(lambda r: r.charge_id == family[2])), 2)

    def test_credit_note_for_a_negative_sum(self):
        charge = self._charge(self.alice)
        self._bill(charge)
        child = charge.create({"parent_id": charge.id, "kind": "adjustment", "price_unit": -30.0})
        self.assertEqual(self._figures(self._checked()), {"invoiced": 80.0, "ready": -30.0})
        note = self._bill(child)
        self.assertEqual(note.move_type, "out_refund")
        report = self._checked()
        self.assertEqual((self._figures(report), report.ledger), ({"invoiced": 50.0}, 50.0))
        self.assertEqual(report.state, "agrees")

    def test_two_payers(self):
        second = self._payer("Second Insurance")
        coverage = self._coverage(self.ivy, second, sequence=20)
        self.ivy.billing_account_ids.coverage_ids += coverage
        charge = self._charge(self.ivy)
        charge.write({"amount_client": 20.0, "amount_secondary": 25.0, "amount_payer": 35.0})
        report = self._checked()
        self.assertEqual(
            {(row.responsibility, row.payer_id, row.amount) for row in report.row_ids},
            {
                ("client", self.payer, 20.0),
                ("primary", self.payer, 35.0),
                ("secondary", second, 25.0),
            },
        )
        self._bill(charge)
        self.assertEqual(self._figures(self._checked()), {"invoiced": 80.0})

    # -- credits --------------------------------------------------------------------------------

    def test_credited_in_full_is_to_bill_again(self):
        charge = self._charge(self.alice)
        move = self._bill(charge)
        note = self._credit(move)
        self.assertEqual(self._figures(self._checked()), {"ready": 80.0})
        self._credit(note)
        report = self._checked()
        self.assertEqual((self._figures(report), report.state), ({"invoiced": 80.0}, "agrees"))

    def test_credited_in_part(self):
        """What a credit note took back of a charge that stays billed: given up."""
        move = self._bill(self._charge(self.alice))
        note = self._credit(move, share=0.25)
        report = self._checked()
        self.assertEqual(self._figures(report), {"invoiced": 60.0, "credited": 20.0})
        self.assertEqual((report.ledger, report.state), (60.0, "agrees"))
        self._credit(note)
        report = self._checked()
        self.assertEqual((self._figures(report), report.state), ({"invoiced": 80.0}, "agrees"))

    def test_credit_and_rebill(self):
        charge = self._charge(self.alice)
        self._credit(self._bill(charge))
        self._bill(charge)
        report = self._checked()
        self.assertEqual((self._figures(report), report.ledger), ({"invoiced": 80.0}, 80.0))

    def test_draft_credit_note_changes_nothing_yet(self):
        self._bill(self._charge(self.alice))._reverse_moves()
        report = self._checked()
        self.assertEqual((self._figures(report), report.state), ({"invoiced": 80.0}, "agrees"))

    def test_canceled_and_back_to_draft(self):
        charge = self._charge(self.alice)
        move = self._bill(charge)
        move.button_draft()
        self.assertEqual(self._figures(self._checked()), {"draft": 80.0})
        move.button_cancel()
        self.assertEqual(self._figures(self._checked()), {"ready": 80.0})

    # -- differences ----------------------------------------------------------------------------

    def _edit(self, move, price):
        with Form(move) as form, form.invoice_line_ids.edit(1) as line:
            line.price_unit = price

    def test_edited_by_hand(self):
        charge = self._charge(self.alice)
        move = self._bill(charge, post=False)
        self._edit(move, 72.5)
        report = self._checked()
        self.assertEqual((report.state, report.draft_difference), ("drafts", 7.5))
        self.assertEqual((self._figures(report), report.difference), ({"draft": 80.0}, 0.0))
        move.action_post()
        self.assertTrue(charge.invoiced_otherwise)
        report = self._checked()
        self.assertEqual(self._figures(report), {"invoiced": 80.0})
        self.assertEqual((report.ledger, report.difference, report.state), (72.5, 7.5, "differs"))
        rows = self.env["healthcare.completeness.row"].search(
            report.action_view_difference()["domain"]
        )
        self.assertEqual((rows.charge_id, rows.move_id, rows.cause), (charge, move, "edited"))
        self.assertEqual(
            (rows.amount_company, rows.amount_ledger, rows.difference), (80, 72.5, 7.5)
        )

    def test_differences_that_cancel_out_are_still_told(self):
        for hour, price in ((9, 70.0), (10, 90.0)):
            move = self._bill(self._charge(self.alice, hour=hour), post=False)
            self._edit(move, price)
            move.action_post()
        report = self._checked()
        self.assertEqual((report.difference, report.difference_count), (0.0, 2))
        self.assertEqual(report.state, "differs")

    def test_credited_too_much(self):
        """More was credited than was ever invoiced: the care is free, and the books are short."""
        self._credit(self._bill(self._charge(self.alice)), share=1.5)
        report = self._checked()
        self.assertEqual(self._figures(report), {"ready": 80.0})
        self.assertEqual((report.ledger, report.difference, report.state), (-40, 40, "differs"))
        self.assertEqual(
            report.row_ids.filtered("cause").mapped(lambda r: (r.status, r.cause)),
            [("invoiced", "credit")],
        )

    def test_care_on_a_balance_sheet_account(self):
        """No income was booked, though charge and line agree."""
        moves = [self._bill(self._charge(self.alice, hour=hour), post=False) for hour in (9, 10)]
        line = moves[0].invoice_line_ids.filtered("charge_id")
        line.account_id = self.company_data["default_account_revenue"].copy(
            {"account_type": "liability_current"}
        )
        report = self._checked()
        self.assertEqual((report.state, report.draft_difference), ("drafts", 80.0))
        for move in moves:
            move.action_post()
        report = self._checked()
        self.assertEqual((report.invoiced, report.ledger), (160.0, 80.0))
        self.assertEqual((report.difference, report.state), (80.0, "differs"))
        rows = self.env["healthcare.completeness.row"].search(
            report.action_view_difference()["domain"]
        )
        self.assertEqual((rows.move_id, rows.cause), (moves[0], "account"))
        self._credit(moves[0])
        self.assertEqual(self._checked().state, "agrees")

    def test_contra_revenue_is_a_result(self):
        """An expense account (say, for discounts) is no balance sheet."""
        move = self._bill(self._charge(self.alice), post=False)
        line = move.invoice_line_ids.filtered("charge_id")
        line.account_id = self.company_data["default_account_expense"]
        move.action_post()
        self.assertEqual(self._checked().state, "agrees")

    def test_ledger_that_no_line_explains(self):
        """The ledger is asked by itself: if it says something else, nothing is green."""
        self._bill(self._charge(self.alice))
        Report = self.registry["healthcare.completeness"]
        with patch.object(Report, "_ledger_amount", lambda *_args: 79.0):
            report = self._report()
        self.assertEqual((report.difference_count, report.ledger_gap), (0, -1.0))
        self.assertEqual(report.state, "differs")
        self.assertIn("explained by no line", self._html(report))

    def test_lines_that_are_no_care(self):
        """Extra lines of a run, and lines that somebody added: apart, and in no sum of care."""
        move = self._bill(
            self._charge(self.alice), post=False, extra_lines=[{"name": "Copy", "price_unit": 5.0}]
        )
        move.invoice_line_ids = [Command.create({"name": "Parking", "price_unit": 3.0})]
        move.action_post()
        report = self._checked()
        self.assertEqual((report.state, report.ledger), ("agrees", 80.0))
        self.assertEqual(report.other_income, 8.0)
        other = self.env["account.move.line"].search(report.action_view_other_income()["domain"])
        self.assertEqual(set(other.mapped("name")), {"Copy", "Parking"})
        self._credit(move)
        self.assertEqual(self._checked().other_income, 0.0)

    def _journal_items(self, action):
        return self.env["account.move.line"].search(action["domain"])

    def test_revenue_taken_away_beside_care(self):
        """A line typed below the care: every charge agrees, and nothing was earned."""
        charge = self._charge(self.alice)
        move = self._bill(charge, post=False)
        move.invoice_line_ids = [Command.create({"name": "Courtesy", "price_unit": -80.0})]
        move.action_post()
        report = self._checked()
        self.assertEqual((report.state, report.difference), ("beside", 0.0))
        self.assertEqual((report.beside_income, report.beside_count), (-80.0, 1))
        self.assertEqual(self._journal_items(report.action_view_beside()).name, "Courtesy")
        self.assertIn("Look at lines beside the care", self._html(report))
        self._credit(move)
        self.assertEqual(self._checked().state, "agrees")

    def test_an_extra_line_hides_nothing(self):
        move = self._bill(self._charge(self.alice), post=False)
        move.invoice_line_ids = [
            Command.create({"name": name, "price_unit": price})
            for name, price in (("Report", 100.0), ("Courtesy", -80.0))
        ]
        move.action_post()
        report = self._checked()
        self.assertEqual((report.state, report.other_income), ("beside", 20.0))
        self.assertEqual(self._journal_items(report.action_view_beside()).name, "Courtesy")

    def test_credit_notes_that_take_more_than_care(self):
        move = self._bill(self._charge(self.alice))
        note = move._reverse_moves()
        note.invoice_line_ids = [Command.create({"name": "Goodwill", "price_unit": 30.0})]
        note.action_post()
        report = self._checked()
        self.assertEqual((report.state, report.beside_income), ("beside", -30.0))
        self.assertEqual(self._journal_items(report.action_view_beside()).name, "Goodwill")

    def test_care_that_lost_its_charge(self):
        """Booked, and to be billed again: red, until it is credited."""
        charge = self._charge(self.alice)
        move = self._bill(charge, post=False)
        line = move.invoice_line_ids.filtered("charge_id")
        line.sudo().charge_id = False  # users can't
        move.action_post()
        report = self._checked()
        self.assertEqual((self._figures(report), report.ledger), ({"ready": 80.0}, 0.0))
        self.assertEqual((report.state, report.lost_income), ("differs", 80.0))
        self.assertEqual(self._journal_items(report.action_view_lost()), line)
        self.assertIn("name no", self._html(report))
        for criteria, state in (
            ({"client_ids": [Command.set(self.alice.ids)]}, "differs"),
            ({"client_ids": [Command.set(self.ivy.ids)]}, "agrees"),
            ({"payer_ids": [Command.set(self.payer.ids)]}, "agrees"),
            ({"product_ids": [Command.set(self.visit_service.ids)]}, "differs"),
            ({"employee_ids": [Command.set(self.provider.ids)]}, "agrees"),  # nobody can tell
            ({"as_of": self.today - timedelta(days=1)}, "agrees"),
        ):
            with self.subTest(criteria=criteria):
                self.assertEqual(self._checked(**criteria).state, state)
        self._credit(move)
        self.assertEqual(self._checked().state, "agrees")

    def test_one_line_of_several_lost_its_charge(self):
        charges = self._charge(self.alice) | self._charge(self.alice, hour=10)
        move = self._bill(charges, post=False)
        line = move.invoice_line_ids.filtered(lambda line: line.charge_id == charges[1])
        line.sudo().charge_id = False  # users can't
        move.action_post()
        report = self._checked()
        self.assertEqual(self._figures(report), {"invoiced": 80.0, "ready": 80.0})
        self.assertEqual((report.state, report.lost_income), ("differs", 80.0))
        self.assertEqual(self._journal_items(report.action_view_lost()), line)
        self._credit(move)
        self.assertEqual(self._checked().state, "agrees")

    def test_copied_invoice(self):
        """Core's *Duplicate* books the care a second time, without naming it."""
        move = self._bill(self._charge(self.alice))
        copy = move.copy()
        copy.invoice_date = self.today
        copy.action_post()
        report = self._checked()
        self.assertEqual((report.state, report.lost_income), ("differs", 80.0))
        self.assertEqual(self._journal_items(report.action_view_lost()).move_id, copy)

    def test_invoice_of_a_run_without_care(self):
        """Its care was deleted, something else is left: somebody should look."""
        move = self._bill(
            self._charge(self.alice), post=False, extra_lines=[{"name": "Copy", "price_unit": 5.0}]
        )
        move.invoice_line_ids.filtered("charge_id").unlink()
        move.action_post()
        report = self._checked()
        self.assertEqual((report.state, report.beside_income), ("beside", 5.0))
        self.assertEqual(self._journal_items(report.action_view_beside()).name, "Copy")

    def test_taxes_are_not_care(self):
        self.visit_service.taxes_id = self.company_data["default_tax_sale"]
        move = self._bill(self._charge(self.alice) | self._charge(self.alice, hour=10))
        self.assertTrue(move.amount_tax)
        report = self._checked()
        self.assertEqual((self._figures(report), report.state), ({"invoiced": 160.0}, "agrees"))

    # -- currencies -----------------------------------------------------------------------------

    def _foreign_charges(self, prices):
        currency = self.setup_other_currency(
            "CAD", rates=[("2020-01-01", 1.3), (str(self.today - timedelta(days=1)), 1.7)]
        )
        payer = self._payer("Northern Insurance")
        self._fee_schedule(
            {self.visit_service: 70.0}, payer=payer, currency_id=currency.id, name="CAD"
        )
        client = self._insured_client("Nora North", payer=payer)
        charges = self.env["healthcare.charge"]
        for number, price in enumerate(prices):
            charge = self._charge(client, hour=8 + number)
            self.assertEqual(charge.currency_id, currency)
            charge.price_unit = price
            charges |= charge
        return charges

    def test_foreign_currency(self):
        """Each currency adds up in itself; the books are in company currency, at booked rates."""
        for tax in (False, True):
            with self.subTest(tax=tax):
                if tax:
                    self.visit_service.taxes_id = self.company_data["default_tax_sale"]
                charges = self._foreign_charges([70.0, 33.33, 0.07, 11.11, 19.99])
                report = self._checked()
                self.assertTrue(report.has_foreign_currency)
                before = report.ledger
                self._bill(charges, invoice_date=A_DAY + timedelta(days=20))
                report = self._checked()
                self.assertEqual(report.state, "agrees")
                self.assertEqual(report.exchange, 0.0)
                self.assertGreater(report.ledger, before)

    def test_exchange_differences_are_told_apart(self):
        """Credited at another rate than invoiced: a rest stays in the books, none in currency."""
        charges = self._foreign_charges([70.0])
        move = self._bill(charges, invoice_date=A_DAY + timedelta(days=20))
        self._credit(move)
        report = self._checked()
        self.assertEqual(report.state, "agrees")
        self.assertEqual(report.exchange_count, 1)
        self.assertEqual(report.exchange, report.ledger)
        self.assertAlmostEqual(report.exchange, 70 / 1.3 - 70 / 1.7, 1)
        rows = self.env["healthcare.completeness.row"].search(
            report.action_view_exchange()["domain"]
        )
        self.assertEqual(rows.cause, "exchange")

    def test_typed_balance_in_foreign_currency(self):
        """Right in foreign currency, wrong in the books: that is no exchange difference."""
        move = self._execute(self._foreign_charges([70.0])).line_ids.move_id
        line = move.invoice_line_ids.filtered("charge_id")
        due = move.line_ids.filtered(lambda line: line.display_type == "payment_term")
        booked = line.balance
        move.line_ids = [
            Command.update(line.id, {"balance": booked * 10}),
            Command.update(due.id, {"balance": -booked * 10}),
        ]
        report = self._checked()
        self.assertEqual((report.state, report.row_ids.cause), ("drafts", "edited"))
        move.action_post()
        self.assertEqual((line.balance, line.amount_currency), (booked * 10, -70.0))
        report = self._checked()
        self.assertEqual((report.state, report.exchange_count), ("differs", 0))
        self.assertEqual(report.row_ids.cause, "edited")
        self.assertAlmostEqual(report.difference, booked * 9, 2)

    def test_same_number_in_another_currency(self):
        move = self._execute(self._foreign_charges([70.0])).line_ids.move_id
        move.currency_id = self.setup_other_currency("EUR", rates=[("2020-01-01", 0.5)])
        move.invoice_line_ids.filtered("charge_id").price_unit = 70.0
        move.action_post()
        report = self._checked()
        self.assertEqual((report.state, report.row_ids.cause), ("differs", "edited"))

    # -- the books on an earlier date -----------------------------------------------------------

    def test_books_of_an_earlier_date(self):
        charge = self._charge(self.alice)
        move = self._bill(charge, invoice_date=A_DAY + timedelta(days=20))
        on = {name: A_DAY + timedelta(days=days) for name, days in
              (("before", 19), ("then", 20), ("credited", 30), ("again", 40))}  # fmt: skip
        self.assertEqual(self._figures(self._checked(as_of=on["before"])), {"later": 80.0})
        self.assertEqual(self._figures(self._checked(as_of=on["then"])), {"invoiced": 80.0})
        part = self._credit(move, share=0.5, day=on["credited"])
        self.assertEqual(self._figures(self._checked(as_of=on["then"])), {"invoiced": 80.0})
        halves = {"invoiced": 40.0, "credited": 40.0}
        self.assertEqual(self._figures(self._checked(as_of=on["credited"])), halves)
        self._credit(move, share=0.5, day=on["credited"])
        self.assertEqual(self._figures(self._checked(as_of=on["then"])), {"invoiced": 80.0})
        self.assertEqual(self._figures(self._checked(as_of=on["credited"])), {"ready": 80.0})
        self._credit(part, day=on["again"])
        self.assertEqual(self._figures(self._checked(as_of=on["credited"])), {"later": 80.0})
        self.assertEqual(self._figures(self._checked(as_of=on["again"])), halves)
        for day in on.values():
            self.assertEqual(self._checked(as_of=day).state, "agrees")

    def test_rebilled_later(self):
        charge = self._charge(self.alice)
        move = self._bill(charge, invoice_date=A_DAY + timedelta(days=20))
        self._credit(move, day=A_DAY + timedelta(days=30))
        self._bill(charge, invoice_date=A_DAY + timedelta(days=40))
        for days, figures in (
            (20, {"invoiced": 80.0}), (30, {"later": 80.0}), (40, {"invoiced": 80.0}),
        ):  # fmt: skip
            report = self._checked(as_of=A_DAY + timedelta(days=days))
            self.assertEqual((self._figures(report), report.state), (figures, "agrees"))

    def test_backdated_rebilling_is_twice_in_the_books(self):
        """Rebilled on a date before the credit note's: the books of that date hold it twice."""
        charge = self._charge(self.alice)
        self._credit(self._bill(charge, invoice_date=A_DAY), day=A_DAY + timedelta(days=30))
        self._bill(charge, invoice_date=A_DAY + timedelta(days=10))
        report = self._checked(as_of=A_DAY + timedelta(days=15))
        self.assertEqual((report.invoiced, report.ledger, report.state), (80.0, 160.0, "differs"))
        self.assertEqual(self._checked().state, "agrees")

    # -- criteria -------------------------------------------------------------------------------

    def test_filters(self):
        department = self.env["hr.department"].create({"name": "East"})
        other = self._provider("Other Provider", npi="1888888884")
        mine = self._charge(
            self.ivy, employee_id=other.id, product_id=self.service.id, department_id=department.id
        )
        self._charge(self.alice)
        for name, record in (
            ("client_ids", self.ivy),
            ("payer_ids", self.payer),
            ("employee_ids", other),
            ("department_ids", department),
            ("product_ids", self.service),
        ):
            with self.subTest(name=name):
                report = self._checked(**{name: [Command.set(record.ids)]})
                self.assertEqual(report.row_ids.charge_id, mine)
                self.assertTrue(report._criteria_texts())
        self.assertEqual(self._checked().charge_count, 2)

    def test_criteria_that_cannot_be(self):
        with self.assertRaisesRegex(UserError, "after the last"):
            self._report(date_from=A_DAY, date_to=A_DAY - timedelta(days=1))
        with self.assertRaisesRegex(UserError, "future"):
            self._report(invoice_date=self.today + timedelta(days=3))

    def test_other_criteria_hide_the_figures(self):
        self._charge(self.alice)
        form = Form(self._report())
        self.assertTrue(form.computed_on)
        form.date_from = A_DAY - timedelta(days=3)
        self.assertFalse(form.computed_on)

    def test_computed_again(self):
        charge = self._charge(self.alice)
        report = self._report()
        self._bill(charge)
        report.action_compute()
        self.assertEqual((len(report.row_ids), report.invoiced, report.ready), (1, 80.0, 0.0))

    def test_drill_down(self):
        charge = self._charge(self.alice)
        report = self._report()
        Row = self.env["healthcare.completeness.row"]
        status = report.with_context(healthcare_status="ready").action_view_status()
        self.assertEqual(Row.search(status["domain"]).charge_id, charge)
        self.assertEqual(Row.search(report.line_ids.action_view_rows()["domain"]).charge_id, charge)
        self.assertEqual(report.row_ids.action_open()["res_id"], charge.appointment_id.id)
        move = self._bill(charge)
        self.assertEqual(self._report().row_ids.action_open()["res_id"], move.id)

    def test_no_status_is_everything(self):
        """By RPC, the method can be called without the screen's context."""
        self._charge(self.alice)
        report = self._report()
        everything = report.action_view_rows()["domain"]
        for status in (None, "nonsense"):
            action = report.with_context(healthcare_status=status).action_view_status()
            self.assertEqual(action["domain"], everything)
        self.assertEqual(report.action_view_status()["domain"], everything)

    def _read_everything(self, report):
        """What screen and print ask of the rows."""
        Row = self.env["healthcare.completeness.row"]
        names = [name for name, field in Row._fields.items() if field.type == "many2one"]
        domain = [("report_id", "=", report.id)]
        read = Row.web_search_read(
            domain, {n: {"fields": {"display_name": {}}} for n in names}, order="client_id, id"
        )
        for name in names:
            groups = Row.formatted_read_group(domain, [name], ["amount_company:sum"])
            self.assertEqual(sum(g["amount_company:sum"] for g in groups), report.delivered, name)
        return read["records"]

    def test_merged_client(self):
        """An open report outlives what it names."""
        twin = self._client("Alice Adamson")
        department = self.env["hr.department"].create({"name": "Closing"})
        self._charge(twin, department_id=department.id)
        self._charge(self.alice)
        report = self._report()
        self.env.flush_all()
        self.env.cr.execute(  # left over where the rows were made by an earlier version
            "ALTER TABLE healthcare_completeness_row"
            " DROP CONSTRAINT IF EXISTS healthcare_completeness_row_client_id_fkey,"
            " DROP CONSTRAINT IF EXISTS healthcare_completeness_row_department_id_fkey"
        )
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((twin | self.alice).ids, self.alice)
        self.env["healthcare.charge"].search([]).department_id = False
        self.env["healthcare.appointment"].search([]).department_id = False
        department.unlink()
        self.assertFalse(twin.exists() or department.exists())
        self.env.invalidate_all()
        records = self._read_everything(report)
        told = {record["client_id"] and record["client_id"]["id"] for record in records}
        self.assertEqual((len(records), told), (2, {self.alice.id, False}))
        self.assertFalse(report.row_ids.department_id)
        self.assertIn("Alice Adams", self._html(report))
        report.action_compute()
        self.assertEqual(report.row_ids.client_id, self.alice)

    def test_pivot(self):
        self._bill(self._charge(self.alice))
        self._charge(self.ivy)
        report = self._report()
        Row = self.env["healthcare.completeness.row"]
        for groupby in (
            "status", "reason_id", "client_id", "payer_id", "employee_id", "department_id",
            "product_id", "service_date:month", "responsibility", "appointment_state", "kind",
        ):  # fmt: skip
            groups = Row.formatted_read_group(
                [("report_id", "=", report.id)],
                [groupby],
                ["amount_company:sum", "charge_id:count_distinct"],
            )
            self.assertEqual(sum(g["amount_company:sum"] for g in groups), 160.0, groupby)

    # -- print ----------------------------------------------------------------------------------

    def _html(self, report):
        content, _type = self.env["ir.actions.report"]._render_qweb_html(
            "healthcare_billing.report_completeness", report.ids
        )
        return content.decode()

    def test_print(self):
        self.company.external_report_layout_id = self.env.ref("web.external_layout_standard")
        self.assertEqual(self._report().action_print()["type"], "ir.actions.report")
        move = self._bill(self._charge(self.alice), post=False)
        self._charge(self.ivy, parked=True)
        self.assertIn("The books agree.", self._html(self._report()))
        self._edit(move, 70.0)
        self.assertIn("drafts were changed by hand", self._html(self._report()))
        move.action_post()
        html = self._html(self._report(client_ids=[Command.set((self.alice | self.ivy).ids)]))
        self.assertIn("The books differ", html)
        for text in (move.name, "Invoice Changed by Hand", "Parked", "Alice Adams, Ivy Insured"):
            self.assertIn(text, html)
        self.assertNotIn(self.diagnosis.code, html)

    def test_long_tables_are_summed_up(self):
        for name in ("Ann", "Ben", "Cem"):
            self._charge(self._client(name))
        table = self._report()._table_by("client_id", limit=2)
        self.assertEqual([sum(amounts.values()) for _name, amounts in table], [80.0, 80.0, 80.0])
        self.assertEqual(table[-1][0], "1 others")


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


# What can be done -> method, and what to
STEPS = {
    "visit": ("visit", "care"),
    "insured visit": ("insured_visit", "care"),
    "correct": ("correct", "care"),
    "bill": ("bill", "care"),
    "bill again": ("bill", "care"),  # twice as often
    "bill and post": ("bill_and_post", "care"),
    "bill and post again": ("bill_and_post", "care"),
    "post": ("post", "drafts"),
    "credit": ("credit", "invoices"),
    "credit part": ("credit_part", "invoices"),
    "credit the credit": ("credit", "notes"),
    "rebill": ("rebill", "invoices"),
    "undo": ("undo", "moves"),
    "to draft": ("to_draft", "others"),
    "cancel": ("cancel", "drafts"),
    "delete": ("delete", "drafts"),
    "edit": ("edit", "drafts"),
    "discount": ("discount", "drafts"),
    "extra line": ("extra_line", "drafts"),
    "park": ("park", "care"),
    "miss": ("miss", "care"),
}
BY_HAND = {"edit", "discount", "credit part"}
steps = st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 5))


class EndOfExample(Exception):
    """Nothing of an example stays in the database."""


@tagged("post_install", "-at_install")
class TestCompletenessAlways(CompletenessCommon):
    """Whatever is done to care and invoices, in whatever order: the report adds up."""

    @mute_logger("odoo.sql_db", "odoo.addons.healthcare_billing.models.billing_engine")
    def _step(self, action, number):
        """One thing that somebody does, to whatever the number picks."""
        charges = self.env["healthcare.charge"].search(
            [("client_id", "in", (self.alice | self.ivy).ids)], order="id"
        )
        moves = charges.invoice_line_ids.move_id.sorted("id")
        drafts = moves.filtered(lambda move: move.state == "draft")
        posted = moves.filtered(lambda move: move.state == "posted")
        targets = {
            "care": charges,
            "drafts": drafts,
            "invoices": posted.filtered(lambda move: move.move_type == "out_invoice"),
            "notes": posted.filtered(lambda move: move.move_type == "out_refund"),
            "others": moves - drafts,
            "moves": moves,
        }
        name, among = STEPS[action]
        records = targets[among]
        picked = records[number % len(records)] if records else records
        if picked:
            getattr(self, f"_do_{name}")(picked, number)

    def _do_visit(self, _charge, number):
        self._charge(self.alice, day=A_DAY + timedelta(days=number), hour=8 + number)

    def _do_insured_visit(self, _charge, number):
        self._charge(self.ivy, day=A_DAY + timedelta(days=number), hour=14 + number)

    def _do_correct(self, charge, number):
        charge.create(
            {"parent_id": charge.id, "kind": "adjustment", "price_unit": -3.33 * (number + 1)}
        )

    def _do_bill(self, charge, number, post=False):
        charges = charge.search([("client_id", "=", charge.client_id.id)])
        day = A_DAY + timedelta(days=30 + number)
        self._execute(charges[number % 2 :], post=post, invoice_date=day)

    def _do_bill_and_post(self, charge, number):
        self._do_bill(charge, number, post=True)

    def _do_post(self, move, _number):
        move.action_post()

    def _do_credit(self, move, number):
        self._credit(move, day=A_DAY + timedelta(days=40 + number))

    def _do_credit_part(self, move, number):
        self._credit(move, share=(0.1, 0.5, 1.25)[number % 3], day=A_DAY + timedelta(days=45))

    def _do_rebill(self, move, _number):
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=move.ids
        )
        wizard.create({"journal_id": move.journal_id.id}).modify_moves()

    def _do_undo(self, move, _number):
        move.billing_run_id.action_undo()

    def _do_to_draft(self, move, _number):
        move.button_draft()

    def _do_cancel(self, move, _number):
        move.button_cancel()

    def _do_delete(self, move, _number):
        move.unlink()

    def _do_edit(self, move, number):
        move.invoice_line_ids.filtered("charge_id")[0].price_unit = 10.0 * number

    def _do_discount(self, move, _number):
        move.invoice_line_ids.filtered("charge_id")[-1].discount = 10.0

    def _do_extra_line(self, move, _number):
        move.invoice_line_ids = [Command.create({"name": "Extra", "price_unit": 7.0})]

    def _do_park(self, charge, number):
        charge.appointment_id.parked = number % 2 == 0

    def _do_miss(self, charge, _number):
        charge.appointment_id.action_no_show()

    def _try(self, action, number):
        """A step; what the product refuses leaves everything as it was."""
        try:
            with self.env.cr.savepoint():
                self._step(action, number)
                self.env.flush_all()
        except (UserError, ValueError):
            self.env.invalidate_all()

    def _play(self, chosen):
        self._charge(self.alice)
        self._charge(self.ivy)
        for action, number in chosen:
            self._try(action, number)
            report = self._checked()
            if report.state == "agrees":
                self.assertFalse(
                    self.company.currency_id.compare_amounts(report.invoiced, report.ledger)
                )
        for days in (29, 32, 43, 47, 53):
            self._checked(as_of=A_DAY + timedelta(days=days))
        if not {action for action, _number in chosen} & BY_HAND:
            self.assertEqual(self._checked().state, "agrees")

    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(steps, min_size=4, max_size=14))
    def test_always(self, chosen):
        try:
            with self.env.cr.savepoint():
                self._play(chosen)
                raise EndOfExample
        except EndOfExample:
            self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestCompletenessSpeed(CompletenessCommon):
    def _queries(self, number):
        charges = (
            self.env["healthcare.appointment"]
            .create(
                [
                    {
                        "client_id": (self.ivy if index % 2 else self.alice).id,
                        "start": self._local(A_DAY + timedelta(days=index % 20)),
                        "product_id": self.visit_service.id,
                        "employee_id": self.provider.id,
                        "state": "completed",
                        "parked": index % 5 == 0,
                    }
                    for index in range(number)
                ]
            )
            .charge_ids
        )
        self._execute(charges[::3], post=True)
        report = self.env["healthcare.completeness"].create(
            {"date_from": A_DAY, "date_to": A_DAY + timedelta(days=30)}
        )
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        report.action_compute()
        report.web_read({"delivered": {}, "state": {}, "line_ids": {"fields": {"amount": {}}}})
        count = self.env.cr.sql_log_count - before
        self.assertEqual(report.state, "agrees")
        return count

    def test_queries_do_not_grow(self):
        self._queries(4)
        self.assertLessEqual(self._queries(24), self._queries(12) + 1)

    def test_statistics_do_not_matter(self):
        """Last counted when they were empty, tables are filled: nothing may loop over loops."""
        for model in (
            "healthcare.charge", "healthcare.appointment", "healthcare.authorization",
            "account.move", "account.move.line",
        ):  # fmt: skip
            self.env.cr.execute(SQL("ANALYZE %s", SQL.identifier(self.env[model]._table)))
        self._queries(6)  # what is made once
        self.env.cr.execute("SET LOCAL statement_timeout = '5s'")
        self._queries(600)
        self.env.cr.execute("SET LOCAL statement_timeout = 0")

    def test_today_is_the_default(self):
        report = self.env["healthcare.completeness"].create({})
        self.assertEqual(report.date_to, self.company._care_today())
        self.assertEqual(report.as_of, fields.Date.context_today(report))
        self.assertEqual(report.date_from.day, 1)
