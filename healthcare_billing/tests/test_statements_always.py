from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..models.account_payment_charge import CareMoney, OnAccount
from . import test_corrections_always as corrections
from . import test_receivables_always as always

# What is done with statements and money -> to what
STATEMENTS = {
    "tell": "partners",
    "commit": "drafts",
    "commit again": "drafts",
    "commit express": "partners",
    "recommit": "committed",
    "add": "open",
    "detach": "open",
    "price": "open",
    "close short": "owed",
    "close short again": "owed",
    "close over": "committed",
    "close without money": "committed",
    "close unpaid": "committed",
    "sell": "owed",
    "cancel statement": "open",
    "reopen": "closed",
    "reopen again": "closed",
    "receive": "partners",
    "receive on account": "partners",
    "refund": "partners",
    "cancel payment": "payments",
    "rebill": "invoices",
}
# Each example does everything once, in another order and to something else.
ACTIONS = sorted((*always.STEPS, *corrections.CORRECTIONS, *STATEMENTS))
examples = st.tuples(
    st.permutations(ACTIONS),
    st.lists(st.integers(0, 5), min_size=len(ACTIONS), max_size=len(ACTIONS)),
)


@tagged("post_install", "-at_install")
class TestStatementsAlways(corrections.TestCorrectionsAlways):
    """The same while statements ask for the money, and are paid, sold, taken back and reopened.

    Beside what always holds, each step moves just as much of the receivable accounts as somebody
    paid, gave up or took back; and what was done once is refused, or changes nothing, again.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bank = cls.company_data["default_journal_bank"]
        cls.sold = cls.env.ref("healthcare_billing.adjustment_reason_sold")
        cls.courtesy = cls.env.ref("healthcare_billing.adjustment_reason_courtesy")
        (cls.sold | cls.courtesy).account_id = cls.company_data["default_account_expense"]

    # -- what is looked at -----------------------------------------------------------------------
    def _owed(self):
        """What the receivable accounts say."""
        self.env.flush_all()
        lines = self.env["account.move.line"].search(self._receivable_domain())
        return sum(lines.mapped("balance"))

    def _receivable_domain(self):
        return [
            ("company_id", "=", self.company.id),
            ("account_id.account_type", "=", "asset_receivable"),
            ("parent_state", "=", "posted"),
        ]

    def _on_receivable(self, moves):
        """What entries, or documents, changed of the receivable accounts."""
        lines = moves.line_ids.filtered_domain(self._receivable_domain())
        return sum(lines.mapped("balance"))

    def _posted(self):
        return self.env["account.move"].search(
            [("company_id", "=", self.company.id), ("state", "=", "posted")]
        )

    def _rows_of(self, partner):
        """What somebody owes now."""
        self.env.flush_all()
        self.env["healthcare.receivable"].invalidate_model()
        return self.env["healthcare.receivable"].search(
            [("partner_id", "=", partner.id), ("company_id", "=", self.company.id)],
            order="charge_id, responsibility",
        )

    def assertOwed(self, amount):
        self.assertAlmostEqual(self._owed(), amount, 2)

    def assertClosed(self, statement, state):
        """It is closed, says what became of each item, and isn't closed again."""
        self.assertEqual(statement.state, state)
        self.assertNotIn(False, statement.line_ids.mapped("outcome"))
        with self.assertRaisesRegex(UserError, "was closed already"):
            statement._close_unpaid()

    # -- steps -----------------------------------------------------------------------------------
    def _step(self, action, number):
        if action not in STATEMENTS:
            return super()._step(action, number)
        records = self._among(STATEMENTS[action], number)
        picked = records[number % len(records)] if records else records
        name = action.removesuffix(" again").replace(" ", "_")
        return bool(picked) and getattr(self, f"_do_{name}")(picked, number) is not False

    def _among(self, among, number):
        """Records that can be picked, the oldest first."""
        partners = self.alice | self.ivy | self.payer
        if among == "partners":
            return partners
        if among == "payments":
            return self.env["account.payment"].search(
                [("is_for_care", "=", True), ("state", "in", ("in_process", "paid"))], order="id"
            )
        if among == "invoices":
            lines = self.env["account.move.line"].search(
                [
                    ("company_id", "=", self.company.id),
                    ("charge_id.parent_id", "=", False),
                    ("charge_live", "=", True),
                    ("move_id.move_type", "=", "out_invoice"),
                    ("parent_state", "=", "posted"),
                ],
                order="id",
            )
            return lines.move_id.sorted("id")
        if among == "owed":
            return self._owed_statements(number)
        states = {
            "drafts": ("draft",),
            "committed": ("committed",),
            "open": ("draft", "committed"),
            "closed": ("paid", "unpaid", "sold"),
        }
        statements = self.env["healthcare.statement"]
        domain = [("partner_id", "in", partners.ids), ("state", "in", states[among])]
        found = statements.search(domain, order="id")
        if not found and among != "closed":
            found = self._do_tell(partners[number % 3], number)
            if among == "committed":
                found._commit()
        return found

    def _owed_statements(self, number):
        """Committed statements of which something is to be paid, a new one if there is none."""
        found = self._among("committed", number).filtered(lambda own: own._amount_to_pay())
        if not found:
            self._charge(self.alice, hour=18)
            found = self._do_tell(self.alice, number)
            found._commit()
        return found

    def _do_tell(self, partner, number):
        statement = self.env["healthcare.statement"].create(
            {
                "partner_id": partner.id,
                "statement_type": ("complete", "differential")[number > 3],
                "settles_ledger": number % 2,
            }
        )
        statement._load_items()
        statement._load_ledger()
        return statement

    def _do_commit(self, statement, _number):
        before, posted = self._owed(), self._posted()
        statement._commit()
        self.assertFalse(statement.needs_recommit)
        made = self._posted() - posted
        self.assertOwed(before + self._on_receivable(made))
        statement._commit()
        statement._recommit()
        self.assertEqual(self._posted(), made | posted)

    def _do_commit_express(self, _partner, number):
        wizard = self.env["healthcare.statement.express"].create(
            {"minimum": (0.0, 10.0)[number % 2]}
        )
        run = self.env["healthcare.billing.run"].browse(wizard.action_search()["res_id"])
        run.action_execute()
        posted = self._posted()
        run.action_execute()
        self.assertEqual(self._posted(), posted)
        return "committed" in run.statement_ids.mapped("state")

    def _do_recommit(self, statement, _number):
        statement._recommit()
        self.assertFalse(statement.needs_recommit)
        posted = self._posted()
        statement._recommit()
        self.assertEqual(self._posted(), posted)

    def _do_add(self, statement, number):
        """What was given since is added, and whatever else isn't on it."""
        client = self.alice if statement.partner_id == self.alice else self.ivy
        self._charge(client, hour=13 + number)
        on_it = {(line.charge_id, line.responsibility) for line in statement.line_ids}
        new = self._rows_of(statement.partner_id).filtered(
            lambda row: (row.charge_id, row.responsibility) not in on_it
        )
        added = statement._add_items(new)
        self.assertLessEqual(added, statement.line_ids)
        return bool(added)

    def _do_detach(self, statement, number):
        before = self._owed()
        if not statement.line_ids:
            return False
        line = statement.line_ids[number % len(statement.line_ids)]
        statement._detach(line)
        self.assertFalse(line.exists())
        self.assertOwed(before)
        return True

    def _do_price(self, statement, number):
        if not statement.line_ids:
            return False
        line = statement.line_ids[number % len(statement.line_ids)]
        line._change_told({"price": 20.0 + 11 * number}, update_quote=True)
        return True

    def _do_close_short(self, statement, number):
        to_pay = statement._amount_to_pay()
        amount = round(to_pay * (0.33, 0.9)[number % 2], 2)
        if not amount:
            return False
        under = ("return", "write_off", "leave_open")[number // 2]
        before, given_up = self._owed(), statement.write_off_ids
        payment = statement._close_paid(
            amount, self.bank, self.today, under=under, reason=self.courtesy
        )
        self.assertEqual(payment.amount, amount)
        self.assertOwed(before - amount + self._on_receivable(statement.write_off_ids - given_up))
        if under != "leave_open":
            self.assertClosed(statement, "paid")
        return True

    def _do_close_over(self, statement, number):
        """More than is owed: a credit, or for one of the items."""
        target = statement.line_ids[:1] if number % 2 else statement.line_ids.browse()
        before, amount = self._owed(), statement._amount_to_pay() + 13.13
        payment = statement._close_paid(
            amount, self.bank, self.today, over="target" if target else "on_account", target=target
        )
        self.assertOwed(before - amount)
        self.assertClosed(statement, "paid")
        self.assertAlmostEqual(payment.care_applied + payment.care_unapplied, amount, 2)

    def _do_close_without_money(self, statement, _number):
        before = self._owed()
        self.assertFalse(statement._close_paid(0.0, self.bank, self.today))
        self.assertOwed(before)
        self.assertClosed(statement, "paid")

    def _do_close_unpaid(self, statement, _number):
        before = self._owed()
        statement._close_unpaid()
        self.assertOwed(before)
        self.assertClosed(statement, "unpaid")

    def _do_sell(self, statement, number):
        before = self._owed()
        proceeds = (0.0, 5.0)[number % 2]
        statement._close_sold(self.sold, self.today, proceeds=proceeds, journal=self.bank)
        sold = statement.line_ids.filtered(lambda line: line.outcome == "sold")
        self.assertOwed(before - sum(sold.mapped("amount_lost")))
        self.assertClosed(statement, "sold")

    def _do_cancel_statement(self, statement, number):
        before = self._owed()
        notes = statement._close_canceled(reverse_invoices=number % 2)
        self.assertOwed(before + self._on_receivable(notes))
        self.assertClosed(statement, "canceled")

    def _do_reopen(self, statement, _number):
        before = self._owed()
        given_up = self._on_receivable(statement.write_off_ids._standing_entries())
        statement._reopen()
        self.assertEqual(statement.state, "committed")
        self.assertOwed(before - given_up)
        with self.assertRaisesRegex(UserError, "is open"):
            statement._reopen()

    def _do_receive(self, partner, number):
        """Money for up to two items, invoiced or not."""
        rows = self._rows_of(partner).filtered(lambda row: row.balance > 0)[number % 2 :][:2]
        keys = [(row.charge_id.id, row.responsibility) for row in rows]
        left = {key: self._left_to_pay(key) for key in keys}
        share = (0.25, 1.0)[number // 3]
        paid = {key: round(amount * share, 2) for key, amount in left.items() if amount > 0}
        if not paid:
            return False
        items = [
            CareMoney(
                self.env["healthcare.charge"].browse(charge_id), party, paid[charge_id, party]
            )
            for charge_id, party in paid
        ]
        payment = self.env["account.payment"]._receive_or_invoice(
            partner, self.bank, self.today, items
        )
        self.assertAlmostEqual(payment.amount, sum(paid.values()), 2)
        for key, amount in paid.items():
            self.assertAlmostEqual(self._left_to_pay(key), left[key] - amount, 2)
        return True

    def _left_to_pay(self, key):
        return self.env["healthcare.charge"]._payable_items([key])[0].amount

    def _do_receive_on_account(self, partner, number):
        """For a charge that waits, or for nothing that is known."""
        charge = self._rows_of(partner)[:1].charge_id if number % 2 else False
        charge = charge or self.env["healthcare.charge"]
        party = "client" if partner != self.payer else "primary"
        kept = OnAccount(partner, charge, party if charge else False, 11.11)
        before = self._owed()
        self.env["account.payment"]._receive_for_care(
            partner, self.bank, self.today, [], on_account=[kept]
        )
        self.assertOwed(before - 11.11)

    def _do_refund(self, partner, _number):
        """What was credited, or received and never applied."""
        items, ledger = [], []
        rows = self._rows_of(partner).filtered(lambda row: row.ledger < 0 and row.balance < 0)
        if rows:
            amount = -max(rows[0].ledger, rows[0].balance)
            items = [CareMoney(rows[0].charge_id, rows[0].responsibility, amount)]
        else:
            line = self.env["account.move.line"].search(
                [
                    *self._receivable_domain(),
                    ("payment_id.is_for_care", "=", True),
                    ("amount_residual", "<", 0.0),
                ],
                order="id",
                limit=1,
            )
            amount = -line.amount_residual
            ledger = [(line, amount)]
        if not amount:
            return False
        before = self._owed()
        payment = self.env["account.payment"]._refund_for_care(
            partner, self.bank, self.today, items, ledger=ledger
        )
        self.assertEqual((payment.payment_type, payment.amount), ("outbound", amount))
        self.assertOwed(before + amount)
        return True

    def _do_cancel_payment(self, payment, _number):
        before, booked = self._owed(), self._on_receivable(payment.move_id)
        payment.action_cancel_for_care()
        self.assertEqual(payment.state, "canceled")
        self.assertOwed(before - booked)

    def _do_rebill(self, move, number):
        charges = move._live_charge_lines().charge_id
        charge = charges.filtered(lambda charge: not charge.parent_id).sorted("id")[:1]
        move._credit_and_rebill({charge: {"price_unit": 20.0 + 7 * number}})
        self.assertTrue(move.reversal_move_ids)

    # -- playing ---------------------------------------------------------------------------------
    def _start(self):
        """Some care, and a statement for everybody."""
        result = super()._start()
        for number, partner in enumerate(self.alice | self.ivy | self.payer):
            self._do_tell(partner, number)
        return result

    @settings(
        max_examples=3,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(examples)
    def _examples(self, example):
        self._play(zip(*example, strict=True))

    def test_always(self):
        self._examples()
        self.assertDone({*STATEMENTS, *corrections.CORRECTIONS, "invoice", "credit", "pay"})
