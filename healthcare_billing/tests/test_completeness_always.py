from datetime import timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .common import A_DAY
from .completeness_common import CompletenessCommon

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
