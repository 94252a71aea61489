from datetime import date, timedelta
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from odoo.addons.healthcare_billing.models.healthcare_charge_transfer import TRANSFER

from .common import A_DAY
from .completeness_common import CompletenessCommon


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
        family = charge = charge.with_context(healthcare_transfer=TRANSFER)
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
