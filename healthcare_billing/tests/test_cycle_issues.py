from datetime import timedelta
from time import perf_counter

from lxml import etree

from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from .common import CareCommon


class CycleIssueCommon(CareCommon):
    """A cycle of the last 30 days and the next 10, over visits that lack this and that."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = cls.company._care_today()
        cls.biller = cls._user("billing_user", tz="America/New_York")
        cls.program = cls._payer(
            "State Program",
            payer_type="government",
            invoicing_model="payer_file",
            requires_fee_schedule=True,
            requires_activity_code=True,
        )
        cls.care = cls._service("Home care", "T1019", 40.0)
        cls.care.product_tmpl_id.activity_code = "A-10"
        cls._fee_schedule({cls.care: 36.0}, payer=cls.program)
        cls.alice = cls._client("Alice Adams")
        cls.gus = cls._insured_client("Gus Government", payer=cls.program)
        cls.cycle = cls.env["healthcare.billing.cycle"].create(
            {
                "date_from": cls.today - timedelta(days=30),
                "date_to": cls.today + timedelta(days=10),
                "back_billing_date": cls.today - timedelta(days=60),
                "invoice_date": cls.today,
            }
        )

    @classmethod
    def _visit(cls, client, days_ago=1, **vals):
        vals = {"product_id": cls.care.id} | vals
        return cls._appointment(client, day=cls.today - timedelta(days=days_ago), **vals)

    def _check(self, user=None, visits="all", cycle=None):
        env = self._act_as(user or self.biller)
        action = (cycle or self.cycle).with_env(env).action_view_issues()
        check = env[action["res_model"]].browse(action["res_id"])
        if visits != "all":
            check.visits = visits
            check.action_check()
        return check

    def _found(self, check):
        """``{visit: {code, …}}``"""
        return {
            issue.appointment_id.with_env(self.env): set(issue.reason_ids.mapped("code"))
            for issue in check.issue_ids.filtered(lambda issue: not issue.is_mended)
        }

    def _filtered(self, check, name):
        """Visits that a filter of the list leaves."""
        arch = self.env["healthcare.cycle.issue"].get_view(
            self.env.ref("healthcare_billing.healthcare_cycle_issue_view_search").id, "search"
        )["arch"]
        [node] = etree.fromstring(arch).xpath(f"//filter[@name='{name}']")
        domain = Domain(safe_eval(node.get("domain"))) & Domain("check_id", "=", check.id)
        return check.issue_ids.search(domain).appointment_id.with_env(self.env)


@tagged("post_install", "-at_install")
class TestCycleIssues(CycleIssueCommon):
    def test_issue_reasons_before_approval(self):
        """What would keep a visit back is told before it is approved; that it isn't, is not."""
        good = self._visit(self.alice)
        uncoded = self._visit(self.alice, product_id=self._service("Call", False, 5.0).id)
        unpriced = self._visit(self.gus, product_id=self.visit_service.id)
        no_service = self._visit(self.alice, product_id=False)
        parked = self._visit(self.alice, parked=True)
        check = self._check()
        self.assertEqual(
            self._found(check),
            {
                uncoded: {"missing_code"},
                unpriced: {"missing_bill_code", "missing_activity_code"},
                no_service: {"missing_service"},
                parked: {"parked"},
            },
        )
        self.assertNotIn(good, self._found(check))
        self.assertEqual((check.item_count, check.issue_count), (5, 4))
        self.assertEqual(check.unapproved_count, 5)
        counts = {row.reason_id.code: row.item_count for row in check.reason_ids}
        self.assertEqual(
            counts,
            {
                "missing_code": 1,
                "missing_bill_code": 1,
                "missing_activity_code": 1,
                "missing_service": 1,
                "parked": 1,
            },
        )
        self.assertEqual(self._filtered(check, "service_code"), uncoded | no_service)
        self.assertEqual(self._filtered(check, "bill_code"), unpriced)
        self.assertEqual(self._filtered(check, "activity_code"), unpriced)
        self.assertEqual(self._filtered(check, "other"), parked)

    def test_issue_planned_visits(self):
        """A visit to come is no issue; that it has no code, price or service is one already."""
        coming = self._visit(self.alice, days_ago=-5, state="scheduled")
        uncoded = self._visit(
            self.alice, -5, state="scheduled", product_id=self._service("Call", False, 5.0).id
        )
        no_service = self._visit(self.alice, -6, state="scheduled", product_id=False)
        overdue = self._visit(self.alice, 3, state="scheduled")
        self.assertFalse(no_service.charge_ids)
        check = self._check()
        found = self._found(check)
        self.assertEqual(found, {uncoded: {"missing_code"}, no_service: {"missing_service"}})
        self.assertNotIn(coming, found)
        self.assertNotIn(overdue, found)  # it waits for its approval, which completes it (R12)

    def test_issue_canceled_is_no_false_positive(self):
        """A canceled visit has issues only if its reason bills, and none among scheduled ones."""
        Reason = self.env["healthcare.cancel.reason"]
        free, billed = Reason.create(
            [
                {"code": "T-FREE", "name": "Sick", "state": "canceled", "bill": False},
                {"code": "T-BILL", "name": "No access", "state": "canceled", "bill": True},
            ]
        )
        uncoded = self._service("Call", False, 5.0)
        for reason, pay in ((free, True), (free, False)):
            reason.pay = pay
            self._visit(
                self.alice, product_id=uncoded.id, state="canceled", cancel_reason_id=reason.id
            )
        self._visit(self.alice, product_id=uncoded.id, state="canceled")
        self._visit(self.alice, product_id=uncoded.id, billable=False)
        self._visit(self.alice, product_id=uncoded.id, approval_state="rejected")
        charged = self._visit(
            self.alice, product_id=uncoded.id, state="canceled", cancel_reason_id=billed.id
        )
        missed = self._visit(self.alice, product_id=uncoded.id, state="no_show")
        took_place = self._visit(self.alice, product_id=uncoded.id)
        check = self._check()
        self.assertEqual(set(self._found(check)), {charged, missed, took_place})
        self.assertEqual(self._filtered(check, "scheduled"), took_place)
        self.assertEqual(self._filtered(check, "canceled"), charged | missed)
        scheduled = self._check(visits="scheduled")
        self.assertEqual(set(self._found(scheduled)), {took_place})
        self.assertEqual(scheduled.item_count, 1)

    def test_issue_scope(self):
        """Own days and carry-overs of the cycle's payers; what is invoiced has no issues."""
        uncoded = self._service("Call", False, 5.0)
        inside = self._visit(self.alice, 30, product_id=uncoded.id)
        carried = self._visit(self.alice, 60, product_id=uncoded.id)
        self._visit(self.alice, 61, product_id=uncoded.id)
        self._visit(self.alice, -10, state="scheduled", product_id=uncoded.id)
        last = self._visit(self.alice, -9, state="scheduled", product_id=uncoded.id)
        invoiced = self._visit(self.alice)
        self._execute(invoiced)
        invoiced.product_id.default_code = False
        check = self._check()
        self.assertEqual(set(self._found(check)), {inside, carried, last})
        self.cycle.payer_ids = self.program
        self.assertFalse(self._check().issue_ids)

    def test_issue_mended_in_the_list(self):
        """A service filled in: the visit has it, its charge is made, and the row is done with."""
        no_service = self._visit(self.alice, -6, state="scheduled", product_id=False)
        check = self._check()
        issue = check.issue_ids
        issue.product_id = self.care
        self.assertEqual(no_service.product_id, self.care)
        self.assertTrue(no_service.charge_ids.is_priced)
        self.assertTrue(issue.is_mended)
        self.assertFalse(issue.reason_ids)
        check.action_check()
        self.assertFalse(check.issue_ids)

    def test_issue_half_mended(self):
        """What another reason still keeps back stays, with what is left of its reasons."""
        visit = self._visit(self.gus, product_id=False)
        check = self._check()
        self.assertEqual(
            self._found(check)[visit],
            {"missing_service", "missing_bill_code"},
        )
        check.issue_ids.product_id = self.visit_service
        self.assertEqual(self._found(check)[visit], {"missing_bill_code", "missing_activity_code"})
        self.assertEqual(check.issue_ids.reason_id.code, "missing_bill_code")

    def test_issue_mended_by_button(self):
        """A step of one click is done; what one record mends for all is opened for all."""
        parked = self._visit(self.alice, parked=True)
        uncoded = self._service("Call", False, 5.0)
        self._visit(self.alice, product_id=uncoded.id)
        self._visit(self.alice, product_id=uncoded.id)
        check = self._check()
        issue = check.issue_ids.filtered(lambda issue: issue.appointment_id.id == parked.id)
        issue.action_mend()
        self.assertFalse(parked.parked)
        self.assertTrue(issue.is_mended)
        row = check.reason_ids.filtered(lambda row: row.reason_id.code == "missing_code")
        action = row.action_mend()
        self.assertEqual(
            (action["res_model"], action["res_id"]),
            ("product.template", uncoded.product_tmpl_id.id),
        )
        uncoded.default_code = "X-1"
        touched = check.issue_ids.filtered("is_touched")
        self.assertEqual(len(touched), 1)
        check.action_look_at_touched()
        self.assertTrue(touched.is_mended)
        check.action_check()
        self.assertFalse(check.issue_ids)

    def test_issue_items_action(self):
        """Show opens the items of one reason, without those that were mended."""
        parked = self._visit(self.alice, parked=True)
        self._visit(self.alice, product_id=self._service("Call", False, 5.0).id)
        check = self._check()
        row = check.reason_ids.filtered(lambda row: row.reason_id.code == "parked")
        action = row.action_view_items()
        issues = check.env[action["res_model"]].search(action["domain"])
        self.assertEqual(issues.appointment_id.ids, parked.ids)
        self.assertEqual(len(check.env[action["res_model"]].search(
            check.action_view_all()["domain"])), 2)  # fmt: skip

    def test_issue_of_premiums(self):
        """What is the visit's is told once; what a premium lacks itself is told of it."""
        visit = self._visit(self.alice, parked=True)
        premium = self.env["healthcare.charge"].create(
            {
                "appointment_id": visit.id,
                "kind": "premium",
                "product_id": self._service("Weekend", "WE", 6.0).id,
            }
        )
        check = self._check()
        self.assertEqual(check.issue_ids.charge_id.ids, (visit.charge_ids - premium).ids)
        other = self._visit(self.gus)
        unpriced = premium.create(
            {
                "appointment_id": other.id,
                "kind": "premium",
                "product_id": premium.product_id.id,
            }
        )
        self.assertFalse(unpriced.is_priced)
        issue = self._check().issue_ids.filtered(lambda i: i.charge_id.id == unpriced.id)
        self.assertEqual(issue.reason_ids.mapped("code"), ["missing_bill_code"])
        self.assertEqual(issue.item_id.id, premium.product_id.id)

    def test_issue_invoice_date(self):
        """Judged for the cycle's invoice date; one to come is told once, not per visit."""
        visit = self._visit(self.alice)
        self.cycle.invoice_date = self.today + timedelta(days=10)
        check = self._check()
        self.assertTrue(check.is_dated_ahead)
        self.assertFalse(check.issue_ids)
        self.cycle.invoice_date = self.today - timedelta(days=2)
        check = self._check()
        self.assertFalse(check.is_dated_ahead)
        self.assertEqual(self._found(check), {visit: {"service_after_invoice"}})

    def test_issue_rights(self):
        """Checks are their user's; care staff see none; a coordinator mends visits."""
        self._visit(self.alice, product_id=False)
        check = self._check()
        other = self._user("coordinator")
        with self.assertRaises(AccessError):
            check.with_user(other).read(["item_count"])
        theirs = self._check(other)
        theirs.issue_ids.product_id = self.care
        self.assertTrue(theirs.issue_ids.is_mended)
        staff = self._user("care_staff")
        with self.assertRaises(AccessError):
            self._check(staff)

    def test_issue_volume(self):
        """The number of queries doesn't depend on how many visits there are."""
        uncoded = self._service("Call", False, 5.0)
        counts = []
        for number in (1, 40, 80):
            self.env["healthcare.appointment"].create(
                [
                    {
                        "client_id": self.alice.id,
                        "start": self._local(self.today - timedelta(days=2)),
                        "employee_id": self.provider.id,
                        "product_id": uncoded.id,
                        "state": "completed",
                    }
                ]
                * number
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            started = perf_counter()
            check = self._check()
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
            self.assertLess(perf_counter() - started, 10)
        self.assertEqual(check.issue_count, 121)
        self.assertLessEqual(counts[2], counts[1] + 2, counts)
