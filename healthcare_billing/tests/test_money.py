from collections import Counter
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.healthcare_billing.models.billing_engine import SPLIT_COLUMNS
from odoo.addons.healthcare_billing.models.healthcare_charge_transfer import TRANSFER

from .common import CareCommon

PAYING = ("self_pay", "copay", "two_payers", "batched")
PART_FIELDS = {
    "client": "amount_client",
    "primary": "amount_payer",
    "secondary": "amount_secondary",
}


def decimals(low, high, digits):
    """Numbers with so many decimals."""
    scale = 10**digits
    return st.integers(round(low * scale), round(high * scale)).map(lambda n: n / scale)


shares = st.none() | st.sampled_from([0.0, 1.0]) | decimals(0, 1, 3)
corrections = st.tuples(
    st.sampled_from(["adjustment", "transfer", "discount"]), decimals(0, 1.2, 3)
)
visits = st.fixed_dictionaries(
    {
        "paying": st.sampled_from(PAYING),
        "missed": st.sampled_from([False, False, False, True]),
        "units": decimals(0, 12, 2),
        "price": decimals(0, 300, 4),
        "client_share": shares,
        "secondary_share": shares,
        "corrections": st.lists(corrections, max_size=2),
    }
)

# Three times 0.495: half a cent each, which core would spread over the lines.
HALF_CENTS = [
    {
        "paying": "self_pay",
        "missed": False,
        "units": 1.5,
        "price": 0.33,
        "client_share": None,
        "secondary_share": None,
        "corrections": [],
    }
] * 3


class Undo(Exception):
    """Ends an example: nothing of it stays in the database."""


@tagged("post_install", "-at_install")
class TestMoney(CareCommon):
    """Whatever is charged to whomever: invoices, ledger and charges say the same sums."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clients = {
            "self_pay": cls._client("Self Payer"),
            "copay": cls._insured_client("Insured", copay=15.55),
            "two_payers": cls._insured_client("Twice Insured"),
            "batched": cls._insured_client(
                "Batched", payer=cls._payer("Batched", invoicing_model="payer_batched")
            ),
        }
        second = cls._coverage(cls.clients["two_payers"], cls._payer("Second"), sequence=20)
        cls.clients["two_payers"].billing_account_ids.coverage_ids = [Command.link(second.id)]

    def _make(self, drawn):
        """Charges of a drawn list of visits; what the rules of parts refuse is left out."""
        charges = self.env["healthcare.charge"]
        for number, visit in enumerate(drawn):
            charge = self._charge(
                self.clients[visit["paying"]],
                hour=8 + number,
                state="no_show" if visit["missed"] else "completed",
            )
            charge.write({"quantity": visit["units"], "price_unit": visit["price"]})
            self._split(charge, visit)
            charges |= charge
            for kind, share in visit["corrections"]:
                charges |= self._correct(charge, kind, share)
        return charges

    def _split(self, charge, visit):
        if not charge._is_payer_responsible():
            return
        amount = charge.amount
        if visit["client_share"] is not None:
            charge.amount_client = charge.currency_id.round(amount * visit["client_share"])
        if visit["paying"] == "two_payers" and visit["secondary_share"] is not None:
            rest = amount - charge.amount_client
            secondary = charge.currency_id.round(rest * visit["secondary_share"])
            client = charge.amount_client
            charge.write(
                {
                    "amount_client": client,
                    "amount_secondary": secondary,
                    "amount_payer": charge.currency_id.round(amount - client - secondary),
                }
            )

    def _correct(self, charge, kind, share):
        amount = charge.currency_id.round(charge.amount * share)
        child = (
            self.env["healthcare.charge"]
            .with_context(healthcare_transfer=TRANSFER)
            .create(
                {
                    "parent_id": charge.id,
                    "kind": kind,
                    "price_unit": 0.0 if kind == "transfer" else -amount,
                }
            )
        )
        if kind == "transfer" and child._is_payer_responsible():
            child.write({"amount_client": amount, "amount_payer": -amount})
        return child

    # -- sums -----------------------------------------------------------------------------------

    def assert_same(self, first, second, *message):
        self.assertEqual(self.company.currency_id.compare_amounts(first, second), 0,
                         f"{first} is not {second} {message}")  # fmt: skip

    def _receivable(self, moves):
        lines = moves.line_ids.filtered(lambda l: l.account_id.account_type == "asset_receivable")
        return sum(lines.mapped("balance"))

    def _sums(self, charges):
        return {name: sum(charges.mapped(field)) for name, field in PART_FIELDS.items()}

    def assert_ledger_has(self, moves, charges):
        """The invoices bill exactly these charges, each part once."""
        lines = moves.invoice_line_ids.filtered("charge_id")
        live = Counter((line.charge_id, line.responsibility) for line in lines)
        self.assertEqual(set(live.values()), {1})
        booked = {name: 0.0 for name in PART_FIELDS}
        for line in lines:
            amount = line.move_id.direction_sign * -line.price_subtotal
            self.assert_same(amount, -line.balance, "subtotal and ledger")
            self.assert_same(amount, line.charge_id[PART_FIELDS[line.responsibility]], "line")
            booked[line.responsibility] += amount
        for name, amount in self._sums(charges).items():
            self.assert_same(booked[name], amount, name)
        total = sum(charges.mapped("amount"))
        self.assert_same(sum(moves.mapped("amount_untaxed_signed")), total)
        self.assert_same(sum(moves.mapped("amount_total_signed")), self._receivable(moves))
        self.assert_same(self._receivable(moves) - sum(moves.mapped("amount_tax_signed")), total)
        for move in moves:
            self.assert_same(sum(move.line_ids.mapped("balance")), 0.0)
            self.assertGreaterEqual(move.amount_total, 0.0)
        for charge in charges:
            self.assertTrue(charge.is_live)
            self.assert_same(charge.amount_invoiced, charge.amount, charge.kind)

    def _check(self, drawn, split_by, fast, taxed):
        if taxed:
            # A correction has no service, so no tax: with it the sign of the total, taxes included,
            # may be another than that of the plan.
            drawn = [visit | {"corrections": []} for visit in drawn]
            self.visit_service.taxes_id = self.company_data["default_tax_sale"]
        charges = self._make(drawn)
        plan = self._plan(charges, split_by=split_by)
        self.assertEqual((plan.blocked, set(plan.charge_ids)), ({}, set(charges.ids)))
        planned = [invoice.amount for invoice in plan.invoices]
        self.assert_same(sum(planned), sum(charges.mapped("amount")))

        engine = type(self.env["healthcare.billing.engine"])
        may_be_fast = engine._can_use_fast_path
        with patch.object(engine, "_can_use_fast_path", lambda *args: fast and may_be_fast(*args)):
            run = self._engine().execute(plan, post=True)
        self.assertEqual(
            set(run.line_ids.mapped("state")), {"created"}, run.line_ids.mapped("message")
        )
        moves = run.line_ids.move_id
        self.assertEqual(set(moves.mapped("state")), {"posted"})
        for line, amount in zip(run.line_ids, planned, strict=True):
            self.assert_same(line.amount, amount)
            self.assert_same(line.move_id.amount_untaxed_signed, amount, "planned")
        self.assert_ledger_has(moves, charges)
        self.assertFalse(self._plan(charges).invoices)

        credits = moves._reverse_moves(cancel=True)
        self.assertEqual(set(credits.mapped("state")), {"posted"})
        self.assert_same(self._receivable(moves | credits), 0.0, "credited")
        self.assert_same(sum((moves | credits).mapped("amount_residual_signed")), 0.0, "open")
        for charge in charges:
            self.assertFalse(charge.is_live)
            self.assert_same(charge.amount_invoiced, 0.0)
            self.assertEqual(charge.billing_stage, "billing_office")
        again = self._plan(charges, split_by=split_by)
        self.assertEqual([invoice.amount for invoice in again.invoices], planned)
        self.assert_ledger_has(self._engine().execute(again, post=True).move_ids, charges)

    @settings(
        max_examples=12,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],  # a failure is told at once, not made smaller
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.lists(visits, min_size=1, max_size=4),
        st.sets(st.sampled_from(sorted(SPLIT_COLUMNS)), max_size=2),
        st.booleans(),
        st.booleans(),
    )
    @example(HALF_CENTS, set(), True, False)
    @example(HALF_CENTS, set(), False, False)
    @example(HALF_CENTS, set(), False, True)
    def test_sums_agree(self, drawn, split_by, fast, taxed):
        """Drawn visits, on both of the engine's paths, with and without a sales tax."""
        try:
            with self.env.cr.savepoint():
                self._check(drawn, tuple(split_by), fast, taxed)
                raise Undo
        except Undo:
            self.env.invalidate_all()
