from datetime import date, timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import A_DAY, CareCommon

CLOCKS_FORWARD = date(2025, 3, 9)  # in New York: at 2:00 it becomes 3:00
CLOCKS_BACK = date(2025, 11, 2)  # at 2:00 it becomes 1:00


class ApprovalCommon(CareCommon):
    """Visits of a service that is billed per hour."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hourly = cls._service("Home care", "T1019", 20.0, unit_rule="hour")
        cls.client = cls._client("Hanna Home")

    @classmethod
    def _visit(cls, day=A_DAY, hour=9.0, hours=2.0, clocked=None, **vals):
        """A planned visit of two hours.

        :param clocked: hours between the clock stamps, None for none
        """
        start = cls._local(day, hour)
        vals = {"product_id": cls.hourly.id, "state": "scheduled"} | vals
        if clocked is not None:
            vals |= {"clock_in": start, "clock_out": start + timedelta(hours=clocked)}
        return cls._appointment(
            vals.pop("client", cls.client),
            day,
            hour,
            stop=start + timedelta(hours=hours),
            **vals,
        )

    def assertApproved(self, visit, units):
        self.assertEqual((visit.approval_state, visit.has_approved_qty), ("approved", True))
        self.assertAlmostEqual(visit.approved_qty, units, 2)
        self.assertEqual(visit.approved_by_id, self.env.user)
        self.assertTrue(visit.approved_on)
        self.assertAlmostEqual(visit.charge_ids.quantity, units, 2)

    def assertUndecided(self, visit, state="not_approved"):
        self.assertEqual(visit.approval_state, state)
        self.assertEqual((visit.has_approved_qty, visit.approved_qty), (False, 0.0))
        self.assertFalse(visit.approved_on or visit.approved_by_id)

    def assertLeftOut(self, decision, **expected):
        self.assertEqual(decision.left_out, expected)


@tagged("post_install", "-at_install")
class TestApprovedUnits(ApprovalCommon):
    def test_r12_typing_hours_approves(self):
        visit = self._visit()
        visit.approved_qty = 1.5
        self.assertApproved(visit, 1.5)
        self.assertEqual(visit.state, "completed")  # who approves says that it took place
        self.assertEqual(visit.charge_ids.billing_stage, "billing_office")

    def test_r12_typing_zero_approves_and_bills_zero(self):
        visit = self._visit()
        visit.approved_qty = 0.0
        self.assertApproved(visit, 0.0)
        self.assertEqual(visit.charge_ids.amount, 0.0)
        self.assertEqual(visit.units_to_bill, 0.0)

    def test_r12_emptied_cell_is_no_zero(self):
        visit = self._visit(hours=3.0)
        visit.approved_qty = 0.0
        visit.write({"approved_qty": 0.0, "has_approved_qty": False})
        self.assertEqual(visit.approval_state, "approved")
        self.assertEqual(visit.charge_ids.quantity, 3.0)  # the service's rule counts again

    def test_r12_typing_other_hours_later_keeps_the_moment(self):
        """Newly approved is what was approved since, not what was corrected since."""
        visit = self._visit()
        visit.approved_qty = 1.0
        moment = fields.Datetime.now() - timedelta(days=3)
        visit.approved_on = moment
        visit.approved_qty = 2.0
        self.assertEqual(visit.approved_on, moment)
        self.assertEqual(visit.charge_ids.quantity, 2.0)

    def test_r12_overrides_never_approve(self):
        for name in ("bill_override_qty", "pay_override_qty"):
            for value in (0.0, 5.0):
                with self.subTest(name=name, value=value):
                    visit = self._visit()
                    visit[name] = value
                    self.assertUndecided(visit)
                    self.assertEqual(visit.state, "scheduled")

    def test_r12_override_beats_approved_hours(self):
        visit = self._visit()
        visit.approved_qty = 1.5
        visit.bill_override_qty = 0.0
        self.assertEqual(visit.charge_ids.quantity, 0.0)
        visit.has_bill_override = False
        self.assertEqual(visit.charge_ids.quantity, 1.5)

    def test_r12_hours_given_when_it_is_made_approve(self):
        visit = self._visit(approved_qty=1.5)
        self.assertApproved(visit, 1.5)
        self.assertEqual(visit.state, "completed")
        form_sends_zero = self._visit(approved_qty=0.0)
        self.assertUndecided(form_sends_zero)
        given = self._visit(approved_qty=0.0, has_approved_qty=True)
        self.assertApproved(given, 0.0)

    def test_r12_new_appointment_in_the_form_approves_nothing(self):
        self.env.user.group_ids |= self.env.ref("healthcare_billing.group_use_approval")
        form = Form(self.env["healthcare.appointment"])
        form.client_id = self.client
        form.product_id = self.hourly
        form.start = self._local(A_DAY)
        visit = form.save()
        self.assertUndecided(visit)
        with Form(visit) as form:
            form.billing_note = "Key under the mat"
        self.assertUndecided(visit)

    def test_units_of_a_posted_invoice(self):
        visit = self._visit()
        visit.approved_qty = 2.0
        run = self._execute(visit)
        visit.approved_qty = 3.0  # on a draft: the invoice is regenerated
        run.move_ids.action_post()
        for name in ("approved_qty", "bill_override_qty"):
            with self.assertRaisesRegex(UserError, "posted: its units can't change"):
                visit[name] = 4.0
        visit.pay_override_qty = 4.0  # payroll is no invoice


@tagged("post_install", "-at_install")
class TestApprove(ApprovalCommon):
    def test_to_scheduled_and_to_clocked(self):
        visits = self._visit(clocked=2.5) | self._visit(hours=1.0, clocked=0.75)
        decision = visits._approve("scheduled")
        self.assertEqual(decision, (visits, {}))
        self.assertApproved(visits[0], 2.0)
        self.assertApproved(visits[1], 1.0)
        visits._unapprove()
        visits._approve("clocked")
        self.assertApproved(visits[0], 2.5)
        self.assertApproved(visits[1], 0.75)
        self.assertIn("Approved to the clocked time: 2.50 hours", visits[0].message_ids[0].body)

    def test_r3_rule_and_rounding_of_the_service(self):
        """By the chosen time, whatever time the service counts by itself."""
        for vals, clocked, scheduled_units, clocked_units in (
            ({"unit_rule": "block", "block_minutes": 15, "time_basis": "clocked"}, 1.75, 8.0, 7.0),
            ({"unit_rule": "block", "block_minutes": 15}, 1.75, 8.0, 7.0),
            ({"rounding_method": "nearest", "rounding_minutes": "15"}, 1.9, 2.0, 2.0),
            ({"rounding_method": "up", "rounding_minutes": "30"}, 2.1, 2.0, 2.5),
            ({"unit_rule": "visit"}, 1.75, 1.0, 1.0),
            ({"unit_rule": "mile"}, 1.75, 12.3, 12.3),
        ):
            with self.subTest(vals=vals):
                service = self._service("S", "T1", 10.0, **({"unit_rule": "hour"} | vals))
                values = {"product_id": service.id, "clocked": clocked, "distance": 12.3}
                visit = self._visit(**values)
                visit._approve("scheduled")
                self.assertApproved(visit, scheduled_units)
                visit = self._visit(**values)
                visit._approve("clocked")
                self.assertApproved(visit, clocked_units)

    def test_clocked_for_no_time_is_zero(self):
        visit = self._visit(clocked=0.0)
        visit._approve("clocked")
        self.assertApproved(visit, 0.0)

    def test_left_out_with_the_reason(self):
        ready = self._visit(clocked=2.0)
        vacant = self._visit(clocked=2.0, is_vacant=True)
        unscheduled = self._visit(clocked=2.0, is_unscheduled=True)
        tomorrow = self._visit(day=self.today + timedelta(days=2))
        no_clock = self._visit()
        half_clocked = self._visit(clock_in=self._local(A_DAY))
        no_service = self._visit(clocked=2.0, product_id=False)
        canceled = self._visit(clocked=2.0, state="canceled")
        approved = self._visit(clocked=2.0)
        approved.approved_qty = 1.0
        rejected = self._visit(clocked=2.0)
        rejected._reject()
        invoiced = self._visit(clocked=2.0, state="completed")
        self._execute(invoiced)
        everything = (
            ready | vacant | unscheduled | tomorrow | no_clock | half_clocked | no_service
            | canceled | approved | rejected | invoiced
        )  # fmt: skip
        decision = everything._approve("clocked")
        self.assertEqual(decision.done, ready)
        self.assertLeftOut(
            decision,
            vacant=vacant,
            unscheduled=unscheduled,
            not_begun=tomorrow,
            no_clock=no_clock | half_clocked,
            no_service=no_service,
            not_billable=canceled,
            approved=approved,
            rejected=rejected,
            invoiced=invoiced,
        )
        self.assertEqual(approved.approved_qty, 1.0)
        lines = "\n".join(everything._left_out_lines(decision.left_out))
        self.assertIn("2 left out because it has no clock stamps", lines)
        self.assertIn(invoiced.name, lines)

    def test_r12_matching_within_the_tolerance(self):
        same, near, far = (self._visit(clocked=2 + minutes / 60) for minutes in (0, -15, 16))
        without = self._visit()
        visits = same | near | far | without
        decision = visits._approve("clocked", matching=True)
        self.assertEqual(decision.done, same | near)
        self.assertLeftOut(decision, no_match=far, no_clock=without)
        self.assertApproved(near, 1.75)
        self.company.healthcare_match_minutes = 16
        self.assertEqual(far._approve("scheduled", matching=True).done, far)
        self.assertApproved(far, 2.0)

    def test_missed_visits_that_are_billed(self):
        """A no-show isn't made a visit by its approval."""
        missed = self._visit(state="no_show")
        missed._approve("scheduled")
        self.assertApproved(missed, 2.0)
        self.assertEqual(missed.state, "no_show")

    def test_r12_nobody_approves_what_cannot_be(self):
        future = self._visit(day=self.today + timedelta(days=2))
        for visit, text in (
            (self._visit(is_vacant=True), "vacant"),
            (self._visit(is_unscheduled=True), "unscheduled"),
            (future, "hasn't begun"),
        ):
            for vals in ({"approval_state": "approved"}, {"approved_qty": 2.0}):
                with self.subTest(text=text, vals=vals), self.assertRaisesRegex(UserError, text):
                    visit.write(vals)
            with self.subTest(text=text), self.assertRaisesRegex(UserError, text):
                visit.action_approve_scheduled()
        with self.assertRaisesRegex(UserError, "vacant"):
            self._visit(is_vacant=True, approved_qty=2.0)
        future.clock_in = fields.Datetime.now()  # somebody came early
        future.approved_qty = 2.0
        self.assertEqual(future.approval_state, "approved")

    def test_as_is_keeps_given_units_and_follows_the_time_without(self):
        visit = self._visit()
        visit._approve("as_is")
        self.assertEqual(visit.approval_state, "approved")
        self.assertFalse(visit.has_approved_qty)
        visit.duration = 3.0
        self.assertEqual(visit.charge_ids.quantity, 3.0)

    def test_in_qa_after_approval(self):
        self.company.healthcare_qa_review = True
        visit = self._visit()
        visit._approve("scheduled")
        self.assertEqual((visit.state, visit.qa_state), ("completed", "review"))

    def test_unapprove_and_reject_clear(self):
        for method, state in (("_unapprove", "not_approved"), ("_reject", "rejected")):
            with self.subTest(method=method):
                visit = self._visit(hours=3.0)
                visit.approved_qty = 1.0
                decision = getattr(visit, method)()
                self.assertEqual(decision.done, visit)
                self.assertUndecided(visit, state)
                self.assertEqual(visit.charge_ids.quantity, 3.0)
                again = getattr(visit, method)()
                self.assertFalse(again.done)

    def test_invoiced_visits_are_refused_by_name(self):
        visits = self._visit() | self._visit(hour=13.0)
        visits._approve("scheduled")
        billed, free = visits
        self._execute(billed)
        for method in ("action_unapprove", "action_reject"):
            with self.subTest(method=method):
                message = getattr(visits, method)()["params"]["message"]
                self.assertIn(f"1 left out because it is invoiced ({billed.name})", message)
                with self.assertRaisesRegex(UserError, f"{billed.name}: it is invoiced"):
                    getattr(billed, method)()
        for vals in ({"approval_state": "not_approved"}, {"approval_state": "rejected"}):
            with self.assertRaisesRegex(UserError, f"{billed.name} is on invoice"):
                billed.write(vals)
        self.assertEqual(billed.approval_state, "approved")
        self.assertEqual(free.approval_state, "rejected")

    def test_premiums_are_counted_and_approved_with_the_visit(self):
        visit = self._visit()
        premium = self.env["healthcare.charge"].create(
            {
                "appointment_id": visit.id,
                "kind": "premium",
                "product_id": self.visit_service.id,
                "price_unit": 5.0,
            }
        )
        self.assertEqual(visit.premium_count, 1)
        self.assertIn("not_approved", self._codes(premium, door="cycle"))
        visit._approve("scheduled")
        self.assertFalse(self._codes(premium, door="cycle"))
        self.assertEqual(premium.quantity, 1.0)


@tagged("post_install", "-at_install")
class TestApprovalNights(ApprovalCommon):
    """R6: instants are billed, not what the clock on the wall shows."""

    def _night(self, day, **vals):
        start, stop = self._local(day, 22.0), self._local(day + timedelta(days=1), 6.0)
        return self._appointment(
            self.client,
            day,
            22.0,
            stop=stop,
            product_id=self.hourly.id,
            clock_in=start,
            clock_out=stop,
            state="scheduled",
            **vals,
        )

    def test_r6_night_in_which_the_clocks_change(self):
        for changes_on, hours in ((CLOCKS_FORWARD, 7.0), (CLOCKS_BACK, 9.0)):
            for basis in ("scheduled", "clocked"):
                with self.subTest(day=changes_on, basis=basis):
                    visit = self._night(changes_on - timedelta(days=1))
                    visit._approve(basis)
                    self.assertApproved(visit, hours)
                    self.assertEqual(visit.service_date, changes_on - timedelta(days=1))

    def test_r6_visit_across_midnight_is_one_visit_of_its_first_day(self):
        visit = self._night(A_DAY)
        visit._approve("scheduled", matching=True)
        self.assertApproved(visit, 8.0)
        self.assertEqual(visit.charge_ids.service_date, A_DAY)

    def test_r6_across_midnight_at_the_end_of_a_cycle(self):
        """The visit is of the cycle in which it starts, and of that one only."""
        cycles = self.env["healthcare.billing.cycle"].create(
            [
                {"date_from": A_DAY - timedelta(days=6), "date_to": A_DAY + timedelta(days=1)},
                {"date_from": A_DAY + timedelta(days=1), "date_to": A_DAY + timedelta(days=8)},
            ]
        )
        visit = self._night(A_DAY)
        self.assertEqual(visit.billing_cycle_ids, cycles[0])


@tagged("post_install", "-at_install")
class TestApprovalDoors(ApprovalCommon):
    def test_cycle_and_ad_hoc_bill_approved_care_only(self):
        """Whatever the payer says; charges without an appointment need no approval."""
        insured = self._visit(client=self._insured_client(), state="completed")
        own_charge = self.env["healthcare.charge"].create(
            {
                "client_id": self.client.id,
                "billing_account_id": self.client.billing_account_ids.id,
                "kind": "expense",
                "product_id": self.visit_service.id,
                "price_unit": 5.0,
                "service_date": A_DAY,
            }
        )
        own_pay = self._visit(state="completed")
        for door in ("cycle", "adhoc"):
            for visit in (insured, own_pay):
                self.assertIn("not_approved", self._codes(visit, door=door))
                self.assertNotIn("not_approved", self._codes(visit))
            self.assertNotIn("not_approved", self._codes(own_charge, door=door))
        own_pay._approve("scheduled")
        for door in ("cycle", "adhoc"):
            self.assertFalse(self._codes(own_pay, door=door))

    def test_issues_follow_the_door(self):
        visit = self._visit(state="completed")
        in_cycle = visit.with_context(healthcare_billing_door="cycle")
        self.assertNotIn("not_approved", visit.block_reason_ids.mapped("code"))
        self.assertIn("not_approved", in_cycle.block_reason_ids.mapped("code"))


@tagged("post_install", "-at_install")
class TestApprovalScreen(ApprovalCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cycle = cls.env["healthcare.billing.cycle"].create(
            {
                "date_from": A_DAY,
                "date_to": A_DAY + timedelta(days=7),
                "back_billing_date": A_DAY - timedelta(days=7),
            }
        )

    def _found(self, *domain, **context):
        visits = self.env["healthcare.appointment"].with_context(**context)
        return visits.search([("client_id", "=", self.client.id), *domain])

    def test_filters(self):
        same = self._visit(clocked=2.0)
        longer = self._visit(clocked=2.5)
        without = self._visit()
        half = self._visit(clock_in=self._local(A_DAY))
        self._visit(day=self.today + timedelta(days=2))  # not begun: nothing is missing
        self._visit(state="canceled")
        self.assertEqual(self._found(("has_clock_difference", "=", True)), longer)
        self.assertIn(same, self._found(("has_clock_difference", "=", False)))
        self.assertEqual(self._found(("is_clock_missing", "=", True)), without | half)
        self.assertEqual(
            self._found().filtered("is_clock_missing"),
            self._found(("is_clock_missing", "=", True)),
        )
        self.assertEqual(self._found().filtered("has_clock_difference"), longer)
        self.assertEqual((longer.clock_difference, without.clock_difference), (0.5, 0.0))

    def test_seconds_are_no_difference(self):
        visit = self._visit(clocked=2.0)
        visit.clock_out += timedelta(seconds=40)
        self.assertFalse(visit.has_clock_difference)
        self.assertFalse(self._found(("has_clock_difference", "=", True)))

    def test_my_department(self):
        departments = self.env["hr.department"].create(
            [{"name": name, "company_id": self.company.id} for name in ("Nights", "Days")]
        )
        coordinator = self._user("coordinator")
        self.env["hr.employee"].create(
            {
                "name": "Cora",
                "user_id": coordinator.id,
                "company_id": self.company.id,
                "department_id": departments[0].id,
            }
        )
        nights, days = (self._visit(department_id=department.id) for department in departments)
        found = self._act_as(coordinator)["healthcare.appointment"].search(
            [("is_my_department", "=", True)]
        )
        self.assertEqual(found.ids, nights.ids)
        self.assertFalse(days.with_env(self._act_as(coordinator)).is_my_department)
        departments[1].manager_id = coordinator.employee_id
        days.invalidate_recordset()
        self.assertTrue(days.with_env(self._act_as(coordinator)).is_my_department)

    def test_r11_visits_of_a_cycle(self):
        own = self._visit()
        late = self._visit(day=A_DAY - timedelta(days=7))
        too_early = self._visit(day=A_DAY - timedelta(days=8))
        after = self._visit(day=A_DAY + timedelta(days=7))
        other_cycle = self.env["healthcare.billing.cycle"].create(
            {"date_from": A_DAY - timedelta(days=30), "date_to": A_DAY}
        )
        billed = self._visit(day=A_DAY - timedelta(days=3), state="completed")
        self._execute(billed)
        self.assertEqual(self._in_cycle(), own | late)
        billed.charge_ids.invoice_line_ids.move_id.sudo().billing_cycle_id = self.cycle
        self.assertEqual(self._in_cycle(), own | late | billed)
        billed.charge_ids.invoice_line_ids.move_id.sudo().billing_cycle_id = other_cycle
        self.assertEqual(self._in_cycle(), own | late)
        self.assertNotIn(self.cycle, (too_early | after | billed).billing_cycle_ids)
        self.assertEqual(own.billing_cycle_ids, self.cycle)
        self.assertEqual(late.billing_cycle_ids, self.cycle | other_cycle)

    def _in_cycle(self):
        action = self.cycle.action_view_visits()
        visits = self.env["healthcare.appointment"].with_context(**action["context"])
        return visits.search(action["domain"]) & self._found()

    def test_r11_carry_overs_have_an_asterisk(self):
        own, late = self._visit(), self._visit(day=A_DAY - timedelta(days=1))
        marks = self._in_cycle().mapped("carry_over_mark")
        self.assertEqual(sorted(map(bool, marks)), [False, True])
        context = self.cycle._visit_context()
        self.assertEqual(self._found(("is_carry_over", "=", True), **context), late)
        self.assertEqual(self._found(("is_carry_over", "=", False), **context), own)
        self.assertFalse(late.is_carry_over)  # of no cycle

    def test_canceled_care_that_is_not_billed_is_not_listed(self):
        canceled = self._visit(state="canceled")
        self.assertNotIn(canceled, self._in_cycle())
        reason = self.env["healthcare.cancel.reason"].create(
            {"code": "ZZ", "name": "At the door", "state": "canceled", "bill": True}
        )
        canceled.cancel_reason_id = reason
        self.assertIn(canceled, self._in_cycle())

    def test_r14_visits_of_a_closed_cycle(self):
        visit = self._visit()
        self.cycle.sudo().state = "closed"
        self.assertLeftOut(visit._approve("scheduled"), closed=visit)
        self.env.user.group_ids |= self.env.ref("healthcare_billing.group_closed_visit_adjustments")
        self.assertEqual(visit._approve("scheduled").done, visit)

    # -- the dialog ------------------------------------------------------------------------------
    def _dialog(self, visits, **context):
        action = visits.with_context(**context).action_decide()
        return self.env[action["res_model"]].browse(action["res_id"])

    def test_dialog_on_all_that_the_list_shows(self):
        matching, other, without = self._visit(clocked=2.1), self._visit(clocked=4), self._visit()
        domain = [("client_id", "=", self.client.id), ("approval_state", "=", "not_approved")]
        dialog = self._dialog(self.env["healthcare.appointment"], active_domain=domain)
        self.assertEqual((dialog.visit_count, dialog.is_selection), (3, False))
        with Form(dialog) as form:
            form.action = "matching_clocked"
            self.assertEqual(form.ready_count, 1)
            self.assertIn(without.name, form.summary)
            self.assertIn(other.name, form.summary)
        result = dialog.action_apply()
        self.assertIn("Visits approved: 1", result["params"]["message"])
        self.assertIn("differ by more than 15 minutes", result["params"]["message"])
        self.assertApproved(matching, 2.1)
        self.assertUndecided(other)
        self.assertUndecided(without)

    def test_dialog_on_a_selection(self):
        chosen, other = self._visit(), self._visit()
        domain = [("client_id", "=", self.client.id)]
        dialog = self._dialog(chosen, active_domain=domain)
        self.assertEqual((dialog.visit_count, dialog.is_selection), (1, True))
        dialog.action = "reject"
        self.assertEqual(dialog.ready_count, 1)
        dialog.action_apply()
        self.assertEqual((chosen + other).mapped("approval_state"), ["rejected", "not_approved"])
        dialog.action = "unapprove"
        dialog.action_apply()
        self.assertUndecided(chosen)

    # -- rights ----------------------------------------------------------------------------------
    def test_care_staff_decide_nothing(self):
        staff = self._user("care_staff")
        visit = self._visit(employee_id=staff.employee_id.id)
        mine = visit.with_env(self._act_as(staff))
        for method in ("_unapprove", "_reject"):
            visit._approve("scheduled")
            with self.subTest(method=method), self.assertRaises(AccessError):
                getattr(mine, method)()
            visit._unapprove()
        with self.assertRaises(AccessError):
            mine._approve("scheduled")
        for vals in ({"approved_qty": 1.0}, {"has_approved_qty": True}, {"approved_on": A_DAY}):
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                mine.write(vals)
        with self.assertRaises(AccessError):
            mine.action_decide()
        self.assertUndecided(visit)

    def test_coordinators_decide(self):
        visit = self._visit().with_env(self._act_as(self._user("coordinator")))
        visit._approve("scheduled")
        self.assertEqual(visit.approved_by_id, visit.env.user)
        action = self.cycle.with_env(visit.env).action_view_visits()
        found = visit.env["healthcare.appointment"].search(action["domain"])
        self.assertIn(visit, found)

    def test_other_companies_stay_out(self):
        other = self.env["res.company"].create({"name": "Other practice"})
        self.env.user.company_ids = [Command.link(other.id)]
        visit = self._visit()
        stranger = visit.with_context(allowed_company_ids=other.ids)
        with self.assertRaises(AccessError):
            stranger._approve("scheduled")


@tagged("post_install", "-at_install")
class TestApprovalGrowth(ApprovalCommon):
    def _queries(self, number, method):
        clients = self.env["res.partner"].create(
            [{"name": f"C{n}", "is_healthcare_client": True} for n in range(number)]
        )
        start = self._local(A_DAY)
        visits = self.env["healthcare.appointment"].create(
            [
                {
                    "client_id": client.id,
                    "employee_id": self.provider.id,
                    "product_id": self.hourly.id,
                    "start": start,
                    "stop": start + timedelta(hours=2),
                    "clock_in": start,
                    "clock_out": start + timedelta(minutes=100 + n % 4),
                }
                for n, client in enumerate(clients)
            ]
        )
        if method != "_approve":
            visits._approve("clocked")
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        if method == "_approve":
            decision = visits._approve("clocked")
        else:
            decision = getattr(visits, method)()
        self.env.flush_all()
        self.env.cr.precommit.run()
        queries = self.env.cr.sql_log_count - before
        self.assertEqual(len(decision.done), number)
        return queries

    def test_queries_do_not_grow(self):
        """The same few for 20 visits and for 40."""
        for method in ("_approve", "_unapprove", "_reject"):
            with self.subTest(method=method):
                self._queries(20, method)  # warm-up
                few, many = self._queries(20, method), self._queries(40, method)
                self.assertLessEqual(many, few + 2)
