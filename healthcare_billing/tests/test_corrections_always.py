from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from odoo.tests import tagged

from ..models.healthcare_charge_adjudication import Adjudication
from . import test_receivables_always as always

CORRECTIONS = ("adjudicate", "unadjudicate", "extra", "extra again", "write off items")
steps = st.tuples(st.sampled_from(sorted((*always.STEPS, *CORRECTIONS * 3))), st.integers(0, 5))


@tagged("post_install", "-at_install")
class TestCorrectionsAlways(always.TestReceivablesAlways):
    """The same with payers' decisions, charges, discounts and items that are written off."""

    def _step(self, action, number):
        if action not in CORRECTIONS:
            return super()._step(action, number)
        roots = self.env["healthcare.charge"].search(
            [("client_id", "in", (self.alice | self.ivy).ids), ("parent_id", "=", False)],
            order="id",
        )
        name = action.removesuffix(" again").replace(" ", "_")
        return getattr(self, f"_do_{name}")(roots[number % len(roots)], number) is not False

    def _do_adjudicate(self, charge, number):
        allowed = (0.0, 33.33, 60.0, 80.0, 95.5, 1.0)[number]
        client_part = round(allowed / 3, 2) if number % 2 and charge.payer_id else None
        kept_back = (0.0, 1.01)[allowed > 1.01]
        charge._adjudicate({charge: Adjudication(allowed, kept_back, client_part)})
        finance = sum(child.amount for child in charge.child_ids if child.kind == "finance_charge")
        billed = sum(charge._net_parts().values())
        self.assertAlmostEqual(billed, allowed - kept_back + finance, 2)  # R4
        self.assertFalse(
            charge._adjudicate({charge: Adjudication(allowed, kept_back, client_part)})
        )

    def _do_unadjudicate(self, charge, _number):
        made = charge.child_ids.filtered("is_adjudication")
        charge._unadjudicate()
        self.assertFalse(charge.is_adjudicated)
        net = charge._net_parts()
        made = (made.exists() | charge.child_ids).filtered("is_adjudication")
        for party in ("client", "primary", "secondary"):
            self.assertAlmostEqual(sum(net[child.id, party] for child in made), 0.0, 2)

    def _do_extra(self, charge, number):
        kind = ("finance_charge", "service_charge", "discount")[number % 3]
        party = "primary" if charge._is_payer_responsible() and number > 2 else "client"
        balance = charge.amount_residual
        charge._add_extra(kind, {(charge, party): 3.07})
        change = -3.07 if kind == "discount" else 3.07
        self.assertAlmostEqual(charge.amount_residual, balance + change, 2)

    def _do_write_off_items(self, charge, number):
        items = [
            (charge, party, round(charge[f"ledger_{name}"] * (0.5, 1.0)[number % 2], 2))
            for party, name in (("client", "client"), ("primary", "payer"))
            if charge[f"ledger_{name}"] > 0
        ]
        if not items:
            return False
        before = charge.amount_residual
        charge._write_off_items(items, self.reason, self.today)
        written_off = sum(amount for _charge, _party, amount in items)
        self.assertAlmostEqual(charge.amount_residual, before - written_off, 2)
        return True

    @settings(
        max_examples=15,
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
        self.assertDone(CORRECTIONS)
