from odoo.exceptions import UserError
from odoo.tests import tagged

from .claim_common import ClaimCommon


@tagged("post_install", "-at_install")
class TestClaimTransfers(ClaimCommon):
    """Who owes care changed after the fact, and its claims follow."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.care = cls._visit().charge_ids

    def _transfer(self, amount, giver="primary", taker="client", care=None):
        transfer = (care or self.care)._transfer(
            amount, from_party=giver, to_party=taker, reason="Test"
        )
        moves = transfer._bill_transfers()
        transfer._log_transfers()
        return moves.filtered(lambda move: move.move_type == "out_invoice")

    def _self_paid(self):
        """Care that the client was billed for in full, though there is a payer."""
        self.care.write({"amount_client": 80.0})
        return self._invoices(self.care.appointment_id)

    def test_r27_care_moved_to_the_payer_is_claimed_in_full(self):
        move = self._self_paid()
        self.assertFalse(self._plan_claims(move).claims)
        moved = self._transfer(30.0, "client", "primary")
        claim = self._claims(moved)
        self.assertEqual((claim.payer_id, claim.client_id), (self.payer, self.ivy))
        self.assertEqual((claim.amount_total, claim.codes), (80.0, "T1001"))
        self.assertEqual(claim.item_ids.charge_id, self.care)
        self.assertEqual(claim.coverage_id, self.ivy.coverage_ids)
        self.assertEqual(moved.claim_ids, claim)
        claim.action_submit()
        # moved later: it is claimed already
        more = self._transfer(50.0, "client", "primary")
        self.assertEqual(self._left_out(self._plan_claims(more)), ["on_claim"])
        self.assertEqual(self._left_out(self._plan_claims(moved | more)), ["on_claim"] * 2)

    def test_two_transfers_make_one_claim(self):
        self._self_paid()
        moved = self._transfer(30.0, "client", "primary")
        moved |= self._transfer(50.0, "client", "primary")
        plan = self._plan_claims(moved)
        self.assertEqual([claim.amount for claim in plan.claims], [80.0])
        self.assertEqual(self._left_out(plan), ["same_care"])

    def test_transfer_to_who_is_billed_anyway(self):
        """The charge's own line makes the claim, be it on another invoice."""
        self.care.write({"amount_client": 20.0})
        moves = self._invoices(self.care.appointment_id)
        moved = self._transfer(20.0, "client", "primary")
        self.assertEqual(self._left_out(self._plan_claims(moved)), ["same_care"])
        self.assertEqual(len(self._plan_claims(moves | moved).claims), 1)

    def test_crediting_the_moved_care_closes_its_claim(self):
        self._self_paid()
        moved = self._transfer(80.0, "client", "primary")
        claim = self._claims(moved)
        self._credit(moved)
        self.assertEqual(claim.state, "closed")

    def test_care_moved_away_is_not_claimed(self):
        move = self._invoices(self.care.appointment_id)
        self._transfer(80.0)
        plan = self._plan_claims(move)
        self.assertFalse(plan.claims)
        self.assertEqual(self._left_out(plan), ["moved"])
        self._transfer(10.0, "client", "primary")
        self.assertEqual(len(self._plan_claims(move).claims), 1)

    def test_r27_part_moved_away_keeps_the_claim(self):
        claim = self._claims(self._invoices(self.care.appointment_id))
        self._transfer(30.0)
        self.assertEqual((claim.state, claim.amount_total), ("awaiting_submission", 80.0))
        self.assertIn("less by a transfer", claim.message_ids[0].body)
        self.assertFalse(self._issue_codes(claim))

    def test_all_moved_away_before_submission(self):
        claim = self._claims(self._invoices(self.care.appointment_id))
        self._transfer(80.0)
        self.assertEqual((claim.state, claim.needs_void), ("canceled", False))
        self.assertIn("owes nothing", claim.close_reason)

    def test_some_moved_away_before_submission(self):
        visits = self.care.appointment_id | self._visit(hour=12)
        claim = self._claims(self._invoices(visits, group_single_claim=True))
        self._transfer(80.0)
        self.assertEqual((claim.state, claim.amount_total), ("awaiting_submission", 80.0))
        self.assertNotIn(self.care, claim.item_ids.charge_id)

    def test_moved_away_in_flight_is_told(self):
        claim = self._accepted(self._invoices(self.care.appointment_id))
        self._transfer(80.0)
        self.assertEqual((claim.state, claim.amount_total), ("accepted", 80.0))
        self.assertEqual(self._issue_codes(claim), {"moved_away"})
        self.assertIn("less by a transfer", claim.message_ids[0].body)

    def test_all_moved_away_while_a_replacement_waits(self):
        """The replacement was never sent; what the payer has counts again."""
        claim = self._accepted(self._invoices(self.care.appointment_id))
        version = self.env["healthcare.claim"].browse(claim.action_replace()["res_id"])
        self._transfer(80.0)
        self.assertEqual((version.state, claim.state), ("canceled", "accepted"))
        self.assertTrue(claim.is_live)

    def test_clients_invoice_is_no_event_of_the_claim(self):
        """Crediting the client's part says nothing to the payer."""
        self.care.write({"amount_client": 20.0})
        moves = self._invoices(self.care.appointment_id)
        claim = self._submitted(moves)
        told = claim.message_ids
        self._credit(moves.filtered(lambda move: move.partner_id == self.ivy))
        self.assertEqual(claim.state, "submitted")
        self.assertEqual(claim.message_ids, told)


@tagged("post_install", "-at_install")
class TestClaimRebilling(ClaimCommon):
    """Credit and rebill ends the claims of corrected care only."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.visits = cls._visit() | cls._visit(hour=12, product_id=cls.service.id)
        cls.first, cls.second = cls.visits.charge_ids.sorted("id")
        cls.move = cls._invoices(cls.visits)

    def _paid_claims(self):
        claims = self._accepted(self.move)
        claims.action_mark_paid()
        self.assertEqual(len(claims), 2)
        first = claims.filtered(lambda claim: claim.item_ids.charge_id == self.first)
        return first, claims - first

    def test_unchanged_care_keeps_its_claim(self):
        first, second = self._paid_claims()
        new = self.move._credit_and_rebill({self.first: {"price_unit": 95.0}})
        self.assertEqual((first.state, first.needs_void), ("closed", True))
        self.assertEqual((second.state, second.needs_void), ("paid", False))
        item = second.item_ids
        self.assertEqual((item.move_id, item.invoice_line_id.move_id), (new, new))
        self.assertTrue(item.invoice_line_id.charge_live)
        self.assertFalse(self._issue_codes(second))
        self.assertIn("stays as it is", second.message_ids[0].body)
        self.assertEqual(new.claim_state, "paid")
        plan = self._plan_claims(new)
        self.assertEqual([claim.amount for claim in plan.claims], [95.0])
        self._credit(new)  # and it still follows
        self.assertEqual((second.state, second.needs_void), ("closed", True))

    def test_batched_invoice_of_many_clients(self):
        self.payer.invoicing_model = "payer_batched"
        visits = self._visit(hour=14) | self._visit(self._complete_client("Ben"), hour=16)
        move = self._execute(visits, post=True).move_ids
        self.assertEqual(len(move), 1)
        claims = self._submitted(move)
        charge = visits[0].charge_ids
        move._credit_and_rebill({charge: {"price_unit": 95.0}})
        kept = claims.filtered(lambda claim: claim.client_id.name == "Ben")
        self.assertEqual((kept.state, (claims - kept).state), ("submitted", "closed"))

    def test_codes_are_told_to_payers_too(self):
        first, second = self._paid_claims()
        self.move._credit_and_rebill({self.first: {"modifier_ids": self.modifiers[:1].ids}})
        self.assertEqual((first.state, second.state), ("closed", "paid"))

    def test_r27_other_parts_change_no_claim(self):
        first, second = self._paid_claims()
        self.move._credit_and_rebill({self.first: {"amount_client": 20.0}})
        self.assertEqual((first.state, second.state), ("paid", "paid"))
        self.assertEqual(first.item_ids.invoice_line_id.price_subtotal, 60.0)

    def test_care_moved_to_the_client_alone(self):
        first, second = self._paid_claims()
        self.move._credit_and_rebill({self.first: {"amount_client": 80.0}})
        self.assertEqual((first.state, second.state), ("closed", "paid"))

    def test_drafts(self):
        """Billed again as a draft: the claim waits for it."""
        claims = self._claims(self.move)
        self.move._credit_and_rebill({self.first: {"price_unit": 95.0}}, post=False)
        kept = claims.filtered(lambda claim: claim.item_ids.charge_id == self.second)
        self.assertEqual((kept.state, (claims - kept).state), ("awaiting_submission", "closed"))
        self.assertEqual(self._issue_codes(kept), {"invoice_not_posted"})
        with self.assertRaisesRegex(UserError, "draft"):
            kept.action_submit()

    def test_one_claim_of_both(self):
        self.move.group_single_claim = True
        claim = self._accepted(self.move)
        self.move._credit_and_rebill({self.first: {"price_unit": 95.0}})
        self.assertEqual(claim.state, "accepted")
        self.assertEqual(self._issue_codes(claim), {"partly_credited"})
        version = self.env["healthcare.claim"].browse(claim.action_replace()["res_id"])
        self.assertEqual(version.item_ids.charge_id, self.second)
        new = self.first.invoice_line_ids.filtered("charge_live").move_id
        self.assertEqual(
            [claim.charge_ids for claim in self._plan_claims(new).claims], [(self.first.id,)]
        )

    def test_earlier_version_follows(self):
        """A version that may count again points to what bills the care now."""
        second = self._paid_claims()[1]
        version = self.env["healthcare.claim"].browse(second.action_replace()["res_id"])
        self.move._credit_and_rebill({self.first: {"price_unit": 95.0}})
        self.assertEqual(version.state, "awaiting_submission")
        version.action_cancel()
        self.assertTrue(second.is_live)
        self.assertFalse(self._issue_codes(second))
