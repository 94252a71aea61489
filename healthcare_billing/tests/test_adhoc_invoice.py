from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .cycle_common import CycleInvoicesCommon


@tagged("post_install", "-at_install")
class TestAdhocInvoice(CycleInvoicesCommon):
    """R16: one client, individual models, never invoiced, begun and approved."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = cls._client("Ann")

    def _search(self, **vals):
        wizard = self.env["healthcare.adhoc.invoice"].create({"client_id": self.client.id} | vals)
        return self.env["healthcare.billing.run"].browse(wizard.action_search()["res_id"])

    def _reasons(self, run):
        return {
            exclusion.charge_id.appointment_id: exclusion.reason_id.code
            for exclusion in run.exclusion_ids
        }

    def test_r16_preview_and_creation(self):
        visit = self._approved(self.client)
        self._approved(self._client("Somebody else"))
        run = self._search()
        self.assertEqual((run.door, run.state, run.line_count), ("adhoc", "draft", 1))
        self.assertEqual(run.line_ids.charge_ids, visit.charge_ids)
        self.assertFalse(run.move_ids)
        run.action_execute()
        self.assertEqual(run.move_ids.amount_total, 80.0)
        self.assertFalse(run.move_ids.billing_cycle_id)
        self.assertFalse(self._search().line_ids)  # never twice

    def test_r16_deleted_or_void_is_eligible_again(self):
        visit = self._approved(self.client)
        self._generate(visit).unlink()
        self.assertEqual(self._search().line_ids.charge_ids, visit.charge_ids)
        move = self._generate(visit)
        self.assertFalse(self._search().line_ids)
        move.action_mark_as_sent()
        move._void("Wrong")
        self.assertEqual(self._search().line_ids.charge_ids, visit.charge_ids)

    def test_r16_individual_models_only(self):
        for model, shown in (
            ("client_individual", True), ("payer_individual", True),
            ("payer_batched", False), ("payer_file", False),
        ):  # fmt: skip
            with self.subTest(model=model):
                payer = self._payer(model, invoicing_model=model, payer_type="facility")
                client = self._client(model, account={"payer_id": payer.id})
                visit = self._approved(client)
                run = self._search(client_id=client.id)
                self.assertEqual(bool(run.line_ids), shown)
                if not shown:
                    self.assertEqual(self._reasons(run), {visit: "wrong_door"})

    def test_r16_only_what_has_begun(self):
        later = self._appointment(
            self.client,
            start=fields.Datetime.now() + timedelta(hours=2),
            state="scheduled",
        )
        begun = self._approved(self.client, start=fields.Datetime.now() - timedelta(hours=2))
        early = self._approved(self.client, start=fields.Datetime.now() + timedelta(hours=3))
        run = self._search(date_to=self.today + timedelta(days=2))
        self.assertEqual(run.line_ids.charge_ids.appointment_id, begun)
        codes = {}
        for exclusion in run.exclusion_ids:
            codes.setdefault(exclusion.charge_id.appointment_id, set()).add(
                exclusion.reason_id.code
            )
        self.assertIn("planned", codes[later])
        self.assertIn("not_started", codes[early])

    def test_r16_other_doors_do_not_ask_whether_it_began(self):
        charge = self._approved(
            self.client, start=fields.Datetime.now() + timedelta(hours=3)
        ).charge_ids
        options = {"invoice_date": self.today + timedelta(days=1)}
        self.assertIn("not_started", self._codes(charge, door="adhoc", **options))
        self.assertNotIn("not_started", self._codes(charge, door="manual", **options))

    def test_r16_unapproved_says_why(self):
        visit = self._appointment(self.client, approval_state="not_approved")
        run = self._search()
        self.assertEqual(self._reasons(run), {visit: "not_approved"})

    def test_r16_no_client_premiums(self):
        account = self.client.billing_account_ids
        premium = self.env["healthcare.charge"].create(
            {
                "client_id": self.client.id,
                "billing_account_id": account.id,
                "product_id": self.visit_service.id,
                "kind": "premium",
                "service_date": self.first,
                "quantity": 1,
                "price_unit": 10.0,
            }
        )
        self.assertIn("wrong_door", self._codes(premium, door="adhoc"))
        self.assertNotIn("wrong_door", self._codes(premium, door="cycle"))

    def test_from_the_client(self):
        action = self.client.action_adhoc_invoice()
        self.assertEqual(action["context"], {"default_client_id": self.client.id})
        self.env.ref("base.group_user").implied_ids |= self.env.ref(
            "healthcare_billing.group_use_billing_cycles"
        )
        partner = self.env["res.partner"].with_user(self._user("billing_user"))
        self.assertIn("action_adhoc_invoice", partner.get_view(view_type="form")["arch"])
        partner = self.env["res.partner"].with_user(self._user("coordinator"))
        self.assertNotIn("action_adhoc_invoice", partner.get_view(view_type="form")["arch"])

    def test_criteria(self):
        with self.assertRaisesRegex(UserError, "Choose a client"):
            self._search(client_id=False)
        with self.assertRaisesRegex(UserError, "after the last one"):
            self._search(date_from=self.today, date_to=self.today - timedelta(days=1))

    def test_rights(self):
        self._approved(self.client)
        coordinator = self._user("coordinator")
        with self.assertRaises(AccessError):
            self.env["healthcare.adhoc.invoice"].with_user(coordinator).create({})
        user = self._user("billing_user")
        wizard = self.env["healthcare.adhoc.invoice"].with_user(user)
        action = wizard.create({"client_id": self.client.id, "post": True}).action_search()
        run = self.env["healthcare.billing.run"].with_user(user).browse(action["res_id"])
        run.action_execute()
        self.assertEqual(run.move_ids.state, "posted")
