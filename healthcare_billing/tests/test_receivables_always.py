from collections import Counter
from datetime import timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import A_DAY
from .completeness_common import CompletenessCommon

# What can be done -> method, and what to
STEPS = {
    "visit": ("visit", "care"),
    "insured visit": ("insured_visit", "care"),
    "correct": ("correct", "care"),
    "invoice": ("invoice", "care"),
    "invoice again": ("invoice", "care"),  # twice as often
    "extra line": ("extra_line", "drafts"),
    "post": ("post", "drafts"),
    "pay": ("pay", "open"),
    "pay again": ("pay", "open"),
    "undo a payment": ("unreconcile", "invoices"),
    "credit": ("credit", "invoices"),
    "credit part": ("credit_part", "invoices"),
    "set off anywhere": ("set_off", "notes"),
    "transfer": ("transfer", "care"),
    "write off": ("write_off", "open"),
    "void": ("void", "invoices"),
    "cancel": ("cancel", "drafts"),
    "undo": ("undo", "moves"),
}
steps = st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 5))


class EndOfExample(Exception):
    """Nothing of an example stays in the database."""


@tagged("post_install", "-at_install")
class TestReceivablesAlways(CompletenessCommon):
    """Whatever is done, in whatever order: charges and ledger agree to the cent, and nothing is
    posted twice (design, section 4)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reason = cls.env.ref("healthcare_billing.adjustment_reason_bad_debt")
        cls.reason.account_id = cls.company_data["default_account_expense"]

    def setUp(self):
        super().setUp()
        self.done = Counter()  # action -> how often it was done, and not refused

    # -- what always holds -----------------------------------------------------------------------
    def _check(self):
        self.env.flush_all()
        for own in self.env["healthcare.receivable"]._proof(self.company).values():
            self.assertEqual(own["difference"], 0.0, own)
        charges = self.env["healthcare.charge"].search([("company_id", "=", self.company.id)])
        self._check_stored(charges)
        self._check_posted_once(charges)

    def _check_stored(self, charges):
        """What is stored is what would be computed now."""
        names = ("client", "payer", "secondary")
        fields = [f"{kind}_{name}" for kind in ("balance", "ledger") for name in names]
        stored = {charge: [charge[name] for name in fields] for charge in charges}
        for name in fields:
            self.env.add_to_compute(charges._fields[name], charges)
        for charge in charges:
            self.assertEqual([charge[name] for name in fields], stored[charge], charge.display_name)

    def _check_posted_once(self, charges):
        """A party is billed what it owes of a charge at most once."""
        for charge in charges:
            for party, part in charge._parts().items():
                live = charge.invoice_line_ids.filtered(
                    lambda line, party=party: (
                        line.charge_live
                        and line.parent_state == "posted"
                        and line.responsibility == party
                    )
                )
                self.assertLessEqual(len(live), 1)
                if live:
                    self.assertLessEqual(abs(live.price_subtotal), abs(part) + 0.005)

    # -- what is done ----------------------------------------------------------------------------
    @mute_logger("odoo.sql_db", "odoo.addons.healthcare_billing.models.billing_engine")
    def _step(self, action, number):
        """One thing that somebody does, to whatever the number picks.

        :return: whether there was something to do it to
        """
        charges = self.env["healthcare.charge"].search(
            [("client_id", "in", (self.alice | self.ivy).ids)], order="id"
        )
        moves = charges.invoice_line_ids.move_id.filtered("has_charges").sorted("id")
        posted = moves.filtered(lambda move: move.state == "posted")
        invoices = posted.filtered(lambda move: move.move_type == "out_invoice")
        targets = {
            "care": charges,
            "drafts": moves.filtered(lambda move: move.state == "draft"),
            "invoices": invoices,
            "open": invoices.filtered("amount_residual"),
            "notes": posted.filtered(lambda m: m.move_type == "out_refund" and m.amount_residual),
            "moves": moves,
        }
        name, among = STEPS[action]
        records = targets[among]
        picked = records[number % len(records)] if records else records
        return bool(picked) and getattr(self, f"_do_{name}")(picked, number) is not False

    def _do_visit(self, _charge, number):
        self._charge(self.alice, day=A_DAY + timedelta(days=number), hour=8 + number)

    def _do_insured_visit(self, _charge, number):
        self._charge(self.ivy, day=A_DAY + timedelta(days=number), hour=14 + number)

    def _do_correct(self, charge, number):
        charge.create(
            {
                "parent_id": charge._root().id,
                "kind": "adjustment",
                "price_unit": (-3.33, 4.44)[number % 2] * (number + 1),
            }
        )

    def _do_invoice(self, charge, number):
        charges = charge.search([("client_id", "=", charge.client_id.id)])
        self._execute(charges[number % 2 :], post=number % 3 > 0)

    def _do_extra_line(self, move, _number):
        move.invoice_line_ids = [Command.create({"name": "Extra", "price_unit": 7.0})]

    def _do_post(self, move, _number):
        move.action_post()

    def _do_pay(self, move, number):
        share = (0.1, 0.5, 1.0, 1.25, 0.33, 0.77)[number]
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        ).create({"amount": round(move.amount_residual * share, 2)})._create_payments()

    def _do_unreconcile(self, move, _number):
        move.line_ids.remove_move_reconcile()

    def _do_credit(self, move, _number):
        self._credit(move)

    def _do_credit_part(self, move, number):
        self._credit(move, share=(0.1, 0.5, 0.9)[number % 3])

    def _do_set_off(self, note, number):
        """A credit note against any open invoice of the same customer."""
        lines = self.env["account.move.line"].search(
            [
                ("partner_id", "=", note.commercial_partner_id.id),
                ("account_id.account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
                ("amount_residual", ">", 0.0),
            ],
            order="id",
        )
        open_note = note.line_ids.filtered(
            lambda line: line.display_type == "payment_term" and not line.reconciled
        )
        if not lines:
            return False
        (lines[number % len(lines)] | open_note).reconcile()
        return True

    def _do_transfer(self, charge, number):
        root = charge._root()
        parties = ("primary", "client") if number % 2 else ("client", "primary")
        amount = root._owed_by(parties[0])
        if amount <= 0:
            return False
        share = (0.5, 1.0)[number % 2]
        root._transfer(
            round(amount * share, 2),
            from_party=parties[0],
            to_party=parties[1],
            reason="Test",
        )._bill_transfers()
        return True

    def _do_write_off(self, move, number):
        share = (0.5, 1.0)[number % 2]
        move._write_off(self.reason, self.today, {move: round(move.amount_residual * share, 2)})

    def _do_void(self, move, _number):
        move._void("Test")

    def _do_cancel(self, move, _number):
        move.button_cancel()

    def _do_undo(self, move, _number):
        if not move.billing_run_id:
            return False
        move.billing_run_id.action_undo()
        return True

    # -- playing ---------------------------------------------------------------------------------
    def _try(self, action, number):
        """A step; what the product refuses leaves everything as it was."""
        try:
            with self.env.cr.savepoint():
                done = self._step(action, number)
                self.env.flush_all()
        except UserError:
            self.env.invalidate_all()
        else:
            self.done[action] += done

    def _start(self):
        """What there is before the first step."""
        self._charge(self.alice)
        self._charge(self.ivy)

    def _play(self, chosen):
        """An example: these steps, one after the other, and nothing stays of it."""
        try:
            with self.env.cr.savepoint():
                self._start()
                for action, number in chosen:
                    self._try(action, number)
                    self._check()
                raise EndOfExample
        except EndOfExample:
            self.env.invalidate_all()

    def assertDone(self, actions):
        """Each of these happened: the examples don't just get refusals."""
        self.assertFalse({action for action in actions if not self.done[action]}, self.done)

    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(steps, min_size=6, max_size=16))
    def _examples(self, chosen):
        self._play(chosen)

    def test_always(self):
        self._examples()
        self.assertDone(
            ("invoice", "post", "pay again", "undo a payment", "credit", "void", "write off")
        )
