from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import A_DAY
from .test_cycle_generate import GenerateCommon


@tagged("post_install", "-at_install")
class TestCycleGuard(GenerateCommon):
    """R14: restricted scheduling, and visits of closed cycles."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.biller = cls._user("billing_user")
        cls.adjuster = cls._user("coordinator", login="adjuster")
        cls.adjuster.group_ids = [
            Command.link(cls.env.ref("healthcare_billing.group_closed_visit_adjustments").id)
        ]

    # -- what is closed --------------------------------------------------------------------------
    def test_r14_charges_of_closed_visits_stay(self):
        visit = self._approved(self.alice)
        self.cycle.sudo().state = "closed"
        charge = visit.charge_ids
        coordinator = self._act_as(self._user("coordinator"))
        own = charge.with_env(coordinator)
        for attempt in (
            lambda: own.write({"price_unit": 1.0}),
            lambda: own.write({"quantity": 9.0}),
            lambda: own.unlink(),
            lambda: own.create({"appointment_id": visit.id, "product_id": self.service.id}),
        ):
            with self.assertRaisesRegex(UserError, self.cycle.name):
                attempt()
        own.write({"price_unit": charge.price_unit})  # no change
        self.assertIn(charge, charge.with_env(coordinator)._reprice({charge: None}))
        charge.with_env(self._act_as(self.adjuster)).quantity = 2.0
        self.assertEqual(charge.quantity, 2.0)

    def test_r14_no_cycle_is_made_closed(self):
        own = self.cycle.with_env(self._act_as(self.biller))
        with self.assertRaises(AccessError):
            own.create({"date_from": A_DAY, "state": "closed"})
        forged = own.with_context(default_state="closed").create({"date_from": A_DAY})
        self.assertEqual(forged.state, "open")
        following = own.browse(own.action_create_next()["res_id"])
        self.assertEqual(following.origin_id, own)
        with self.assertRaises(AccessError):
            following.origin_id = False

    def test_r14_no_invoice_is_added_to_a_closed_cycle(self):
        self.cycle.sudo().state = "closed"
        moves = self.env["account.move"].with_env(self._act_as(self.biller))
        vals = {"move_type": "out_invoice", "partner_id": self.alice.id}
        with self.assertRaisesRegex(UserError, self.cycle.name):
            moves.create({**vals, "billing_cycle_id": self.cycle.id})
        with self.assertRaisesRegex(UserError, self.cycle.name):
            moves.with_context(default_billing_cycle_id=self.cycle.id).create(vals)
        self.assertFalse(moves.create(vals).billing_cycle_id)

    # -- restricted scheduling -------------------------------------------------------------------
    def test_r14_restricted_days_take_no_new_visits(self):
        self.cycle.payer_ids = self.batched
        self.cycle.restrict_scheduling = True
        with self.assertRaisesRegex(UserError, self.cycle.name):
            self._appointment(self.carol, state="scheduled")
        self._appointment(self.alice, state="scheduled")  # another payer
        self._appointment(self.carol, day=A_DAY + timedelta(days=7), state="scheduled")
        self.cycle.restrict_scheduling = False
        self._appointment(self.carol, state="scheduled")

    def test_r14_nothing_moves_into_restricted_days(self):
        inside = self._appointment(self.carol)
        outside = self._appointment(self.carol, day=A_DAY + timedelta(days=7))
        of_alice = self._appointment(self.alice)
        self.cycle.payer_ids = self.batched
        self.cycle.restrict_scheduling = True
        with self.assertRaisesRegex(UserError, self.cycle.name):
            outside.start = inside.start
        with self.assertRaisesRegex(UserError, self.cycle.name):
            of_alice.payer_id = self.batched
        inside.start += timedelta(days=1)  # it is there already
        inside.employee_id = self._provider("Other")

    def test_r14_restriction_counts_in_every_state(self):
        for state in ("open", "closing", "closed"):
            self.cycle.sudo().write({"state": state, "restrict_scheduling": True})
            with self.assertRaisesRegex(UserError, "restricts scheduling"):
                self._appointment(self.alice)

    def test_r14_a_clock_in_without_schedule_is_no_planning(self):
        self.cycle.restrict_scheduling = True
        visit = self._appointment(self.alice, is_unscheduled=True, state="scheduled")
        self.assertTrue(visit)

    def test_r14_restriction_costs_no_query_per_visit(self):
        self.cycle.write(
            {"restrict_scheduling": True, "payer_ids": [Command.set(self.batched.ids)]}
        )

        def cost(count):
            visits = self.env["healthcare.appointment"].union(
                *(self._appointment(self.alice, hour=8 + n / 10) for n in range(count))
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            visits._check_may_schedule()
            return self.cr.sql_log_count - before

        cost(1)
        self.assertEqual(cost(4), cost(8))

    # -- closed cycles ---------------------------------------------------------------------------
    def test_r14_visits_of_a_closed_cycle(self):
        visit = self._approved(self.alice)
        later = self._appointment(self.alice, day=A_DAY + timedelta(days=7))
        self.cycle.sudo().state = "closed"
        mine = visit.with_user(self.biller)
        for vals in (
            {"approval_state": "not_approved"},
            {"approved_qty": 2.0},
            {"bill_override_qty": 0.0, "has_bill_override": True},
            {"state": "no_show"},
            {"start": visit.start + timedelta(hours=1)},
            {"product_id": self.service.id},
            {"employee_id": self._provider("Other").id},
            {"billable": False},
        ):
            with self.assertRaisesRegex(UserError, "Closed billing visit adjustments"):
                mine.write(vals)
        with self.assertRaisesRegex(UserError, "Closed billing visit adjustments"):
            mine.unlink()
        decision = mine._unapprove()
        self.assertFalse(decision.done)
        self.assertEqual(decision.left_out, {"closed": mine})
        mine.billing_note = "Asked for the signature."
        mine.approval_state = visit.approval_state  # nothing changes
        later.with_user(self.biller).approval_state = "approved"
        visit.with_user(self.adjuster).approval_state = "not_approved"

    def test_r14_visits_that_were_invoiced_in_a_closed_cycle(self):
        self.cycle.back_billing_date = A_DAY - timedelta(days=7)
        visit = self._approved(self.alice, day=A_DAY - timedelta(days=3))
        self._run().line_ids.move_id._mark_as_sent()
        self.cycle.sudo().state = "closed"
        with self.assertRaisesRegex(UserError, self.cycle.name):
            visit.with_user(self.biller).pay_override_qty = 2.0

    def test_r14_other_filters_are_not_bound(self):
        visit = self._appointment(self.alice)
        self.cycle.payer_ids = self.batched
        self.cycle.sudo().state = "closed"
        visit.with_user(self.biller).approval_state = "approved"
