from datetime import date
from unittest.mock import patch

from lxml import etree

from odoo.exceptions import AccessError
from odoo.tests import Form, HttpCase, tagged
from odoo.tools import mute_logger
from odoo.tools.safe_eval import safe_eval

from .common import CareCommon

NEW_NPI = "1888888884"  # typed in the tours
CRITERIA = "/odoo/action-healthcare_billing.healthcare_batch_invoicing_action"
MENUS_OF_BILLERS = (
    "healthcare_batch_invoicing_menu",
    "healthcare_billing_run_menu",
    "account_move_menu_care",
)


class ScreenCommon(CareCommon, HttpCase):
    """A biller in front of a practice with care of today."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = cls.company._care_local_date(cls.env.cr.now())
        cls.biller = cls._user("billing_user", tz="America/New_York")
        cls.newcomer = cls._provider("Nina Newcomer")

    @classmethod
    def _visit(cls, client, hour=0.25, **vals):
        return cls._appointment(client, day=cls.today, hour=hour, **vals)


@tagged("post_install", "-at_install")
class TestTours(ScreenCommon):
    def test_batch_invoicing(self):
        """Criteria, run, deselect, confirm, result, invoice, posting: the whole first road."""
        alice, bob, cora = (
            self._client(name) for name in ("Alice Adams", "Bob Brown", "Cora Clark")
        )
        self._visit(alice)
        self._visit(bob)
        self._visit(bob, hour=0.5)
        self._visit(cora, product_id=self._service("Phone call", False, 25.0).id)
        self.start_tour("/odoo", "healthcare_billing_batch_invoicing_tour", login=self.biller.login)
        run = self.env["healthcare.billing.run"].search([("user_id", "=", self.biller.id)])
        self.assertEqual(run.state, "done")
        self.assertEqual(run.move_ids.partner_id, alice)
        self.assertEqual(run.move_ids.state, "posted")
        self.assertEqual(run.move_ids.amount_total, 80.0)

    def test_run_screen(self):
        """Criteria, page and row selection, correction, apply to all, left out, search again."""
        clients = self.env["res.partner"].create(
            [{"name": f"Client {n:02}", "is_healthcare_client": True} for n in range(82)]
        )
        start = self._local(self.today, 0.25)
        self.env["healthcare.appointment"].create(
            [
                {
                    "client_id": client.id,
                    "start": start,
                    "employee_id": self.provider.id,
                    "product_id": self.visit_service.id,
                    "state": "completed",
                }
                for client in clients
            ]
        )
        self._visit(self._insured_client("Ivy Insured", copay=20.0), hour=0.5)
        self._visit(self._client("Nina's Client"), employee_id=self.newcomer.id)
        self._visit(self._client("Moe Missed"), state="no_show")
        self._visit(self._client("Cora Clark"), product_id=self._service("Call", False, 25.0).id)
        self.biller.group_ids |= self.env.ref("product.group_product_manager")
        self.start_tour(CRITERIA, "healthcare_billing_run_screen_tour", login=self.biller.login)
        run = self.env["healthcare.billing.run"].search([("user_id", "=", self.biller.id)])
        moves = run.move_ids
        self.assertEqual(len(moves), 4)
        self.assertEqual(sum(moves.mapped("amount_total")), 380.0)
        self.assertEqual(set(moves.mapped("group_single_claim")), {True})
        self.assertTrue(all("Thank you" in str(move.narration) for move in moves))
        ivy = moves.filtered(lambda move: move.partner_id.name == "Ivy Insured")
        self.assertEqual(ivy.amount_total, 55.0)

    def test_progress(self):
        """A run in the background shows how far it is, and can be stopped."""
        self._visit(self._client("Alice Adams"))
        wizard = self._act_as(self.biller)["healthcare.batch.invoicing"].create({})
        run = self.env["healthcare.billing.run"].browse(wizard.action_search()["res_id"])
        run.sudo().write(
            {
                "state": "running",
                "task": "execute",
                "task_total": 1,
                "task_user_id": self.biller.id,
            }
        )
        rows = self.registry["healthcare.billing.run.line"]

        # somebody is at work on the rows, else the run would be closed at once
        with patch.object(rows, "try_lock_for_update", lambda rows, **_options: rows.browse()):
            self.start_tour(
                f"/odoo/healthcare.billing.run/{run.id}",
                "healthcare_billing_run_progress_tour",
                login=self.biller.login,
            )
        self.assertTrue(run.stop_requested)
        self.assertEqual(run.state, "running")

    def test_appointment(self):
        """From a new appointment to its invoice, mending what keeps it from being billed."""
        client = self._insured_client("Ivy Insured")
        self.start_tour(
            "/odoo/care-appointments",
            "healthcare_billing_appointment_tour",
            login=self.biller.login,
        )
        appointment = self.env["healthcare.appointment"].search([("client_id", "=", client.id)])
        self.assertEqual(appointment.state, "completed")
        self.assertEqual(self.newcomer.npi, NEW_NPI)
        self.assertFalse(appointment.block_reason_ids)


@tagged("post_install", "-at_install")
class TestPhoneTours(ScreenCommon):
    browser_size = "390x844"
    touch_enabled = True

    def test_run_screen_on_the_phone(self):
        self._visit(self._client("Alice Adams"))
        self._visit(self._insured_client("Ivy Insured", copay=20.0))
        self._visit(self._client("Cora Clark"), product_id=self._service("Call", False, 25.0).id)
        self.start_tour(
            CRITERIA, "healthcare_billing_run_screen_phone_tour", login=self.biller.login
        )
        run = self.env["healthcare.billing.run"].search([("user_id", "=", self.biller.id)])
        self.assertEqual(sum(run.move_ids.mapped("amount_total")), 300.0)

    def test_appointment_on_the_phone(self):
        appointment = self._visit(
            self._insured_client("Ivy Insured"), employee_id=self.newcomer.id, state="scheduled"
        )
        self.start_tour(
            "/odoo/care-appointments",
            "healthcare_billing_appointment_phone_tour",
            login=self.biller.login,
        )
        self.assertEqual(appointment.state, "completed")
        self.assertEqual(self.newcomer.npi, NEW_NPI)


@tagged("post_install", "-at_install")
class TestScreens(ScreenCommon):
    """What the screens rely on, without a browser."""

    def test_who_sees_which_menu(self):
        for kind, menus in (
            ("care_staff", ()),
            ("coordinator", ()),
            ("billing_user", MENUS_OF_BILLERS),
        ):
            user = self.biller if kind == "billing_user" else self._user(kind)
            visible = self.env["ir.ui.menu"].with_user(user)._visible_menu_ids()
            for name in MENUS_OF_BILLERS:
                menu = self.env.ref(f"healthcare_billing.{name}")
                self.assertEqual(menu.id in visible, name in menus, f"{kind}: {name}")

    def test_menus_of_a_solo_practice(self):
        """Stations that aren't switched on have no menu."""
        self.env.ref("base.group_user").implied_ids -= self.env.ref(
            "healthcare_billing.group_use_billing_accounts"
        ) | self.env.ref("healthcare_billing.group_use_authorizations")
        visible = self.env["ir.ui.menu"].with_user(self.biller)._visible_menu_ids()
        for name in ("healthcare_billing_account_menu", "healthcare_authorization_menu"):
            self.assertNotIn(self.env.ref(f"healthcare_billing.{name}").id, visible)

    @mute_logger("odoo.http")
    def test_batch_invoicing_by_rpc_needs_the_billing_group(self):
        """Without the group neither the criteria nor a run can be made through RPC."""
        for kind in ("no_group", "care_staff", "coordinator"):
            user = self._user(kind)
            self.authenticate(user.login, user.login)
            for model, method, args in (
                ("healthcare.batch.invoicing", "create", [[{}]]),
                ("healthcare.billing.run", "create", [[{}]]),
                ("healthcare.billing.run", "search", [[]]),
                ("healthcare.billing.run.confirm", "create", [[{}]]),
            ):
                error = self._call(model, method, args).get("error")
                self.assertTrue(error, f"{kind} may call {model}.{method}")
                self.assertEqual(error["data"]["name"], "odoo.exceptions.AccessError")

    def _call(self, model, method, args):
        response = self.url_open(
            f"/web/dataset/call_kw/{model}/{method}",
            json={
                "jsonrpc": "2.0",
                "method": "call",
                "params": {"model": model, "method": method, "args": args, "kwargs": {}},
            },
        )
        return response.json()

    def test_criteria_by_staff_need_no_right_on_employees(self):
        """A biller without HR rights narrows the search to a provider."""
        self._visit(self._client("Alice Adams"))
        other = self._visit(self._client("Bob Brown"), employee_id=self.newcomer.id)
        env = self._act_as(self.biller)
        wizard = Form(env["healthcare.batch.invoicing"])
        wizard.employee_ids.add(env["hr.employee.public"].browse(self.newcomer.id))
        action = wizard.save().action_search()
        run = env["healthcare.billing.run"].browse(action["res_id"])
        self.assertEqual(run.line_ids.charge_ids, other.charge_ids)

    def test_mend_steps(self):
        """Reasons of the appointment itself are mended in one step."""
        self.company.healthcare_requires_signed_note = True
        appointment = self._visit(self._client("Alice Adams"), parked=True)
        reasons = appointment.block_reason_ids.with_context(
            healthcare_mend_appointment_id=appointment.id
        )
        self.assertEqual(set(reasons.mapped("code")), {"parked", "unsigned_note"})
        self.assertTrue(all(reasons.mapped("has_mend_button")))
        for reason in reasons:
            reason.action_mend()
        appointment.invalidate_recordset(["block_reason_ids"])
        self.assertFalse(appointment.block_reason_ids)

    def test_form_does_not_type_what_it_computed(self):
        """Changing the units in the form leaves the split to its defaults (co-pay)."""
        appointment = self._visit(self._insured_client("Ivy Insured", copay=20.0))
        with Form(appointment) as form, form.charge_ids.edit(0) as charge:
            charge.quantity = 2.0
        charge = appointment.charge_ids
        self.assertEqual((charge.amount_client, charge.amount_payer), (20.0, 140.0))
        self.assertFalse(charge.parts_typed)

    def test_charge_line_in_the_form_gets_its_price(self):
        appointment = self._visit(self._insured_client("Ivy Insured"))
        with Form(appointment) as form, form.charge_ids.new() as charge:
            charge.product_id = self.service
        charge = appointment.charge_ids.filtered(lambda c: c.product_id == self.service)
        self.assertEqual((charge.price_unit, charge.price_source), (30.0, "practice_default"))
        self.assertEqual(charge.amount_payer, 30.0)

    def test_staff_plan_for_themselves(self):
        """The form that care staff open names them as provider; a biller's names nobody."""
        staff = self._user("care_staff")
        for user, employee in (
            (staff, staff.employee_id),
            (self.biller, staff.browse().employee_id),
        ):
            form = Form(self._act_as(user)["healthcare.appointment"])
            self.assertEqual(form.employee_id.id, employee.id)

    def test_calendar_title_and_display_name(self):
        """Only our own calendar tells the client; the name that goes elsewhere doesn't."""
        appointment = self._visit(self._client("Alice Adams"))
        self.assertEqual(appointment.calendar_title, "Alice Adams")
        self.assertNotIn("Alice", appointment.display_name)

    def test_filters_of_appointments(self):
        """The search view's filters find what they say."""
        blocked = self._visit(
            self._client("Cora"), product_id=self._service("Call", False, 25.0).id
        )
        ready = self._visit(self._client("Alice Adams"))
        planned = self._visit(self._client("Bob Brown"), state="scheduled")
        mine = blocked | ready | planned
        arch = etree.fromstring(
            self.env.ref("healthcare_billing.healthcare_appointment_view_search").arch
        )

        def found(name):
            domain = arch.find(f".//filter[@name='{name}']").get("domain")
            records = self.env["healthcare.appointment"].search(
                [("id", "in", mine.ids), *self._evaluated(domain)]
            )
            return records

        self.assertEqual(found("blocked"), blocked)
        self.assertEqual(found("unbilled"), blocked | ready)
        self.assertEqual(found("today"), mine)
        self.assertEqual(found("this_month"), mine)
        self.assertFalse(found("my_appointments"))

    def _evaluated(self, domain):
        return safe_eval(domain, {"uid": self.env.uid})


@tagged("post_install", "-at_install")
class TestInvoiceReport(ScreenCommon):
    def _html(self, moves):
        html, _kind = self.env["ir.actions.report"]._render_qweb_html(
            "account.account_invoices", moves.ids
        )
        return html.decode()

    def test_what_the_invoice_says(self):
        """Dates of service, provider, code, units, client and reference; never a diagnosis."""
        client = self._insured_client("Ivy Insured", copay=20.0)
        run = self._execute(
            self._appointment(client, day=date(2025, 3, 3), product_id=self.service.id)
            | self._appointment(client, day=date(2025, 3, 4))
        )
        payer_move = run.move_ids.filtered(lambda move: move.partner_id == self.payer)
        html = self._html(payer_move)
        for text in (
            "03/03/2025",
            "03/04/2025",
            "Pat Provider",
            "H0004",
            "T1001",
            "4.00",
            "Ivy Insured",
            payer_move.billing_ref,
        ):
            self.assertIn(text, html)
        for text in (self.diagnosis.code, self.diagnosis.name):
            self.assertNotIn(text, html)

    def test_many_and_other_invoices_in_one_document(self):
        """Care and other invoices print together, each in its own layout."""
        run = self._execute(
            self._appointment(self._client("Alice Adams"))
            | self._appointment(self._client("Bob Brown"))
        )
        other = self.init_invoice("out_invoice", amounts=[77.0], post=True)
        html = self._html(run.move_ids | other)
        for move in run.move_ids:
            self.assertIn(move.billing_ref, html)
        self.assertIn(other.name, html)
        self.assertEqual(html.count('name="th_service_code"'), 2)

    def test_accountant_and_portal_user_print(self):
        """Neither may read charges; both see the care on the invoice."""
        client = self._client("Alice Adams", email="alice@example.com")
        move = self._execute(self._appointment(client), post=True).move_ids
        accountant = self._user("accountant")
        html, _kind = (
            self.env(user=accountant)["ir.actions.report"]
            .with_context(allowed_company_ids=self.company.ids)
            ._render_qweb_html("account.account_invoices", move.ids)
        )
        self.assertIn(b"T1001", html)
        portal = self._user("portal", login="portal_alice")
        portal.partner_id = client
        self.authenticate("portal_alice", "portal_alice")
        response = self.url_open(move.get_portal_url(report_type="html"))
        self.assertEqual(response.status_code, 200)
        self.assertIn("T1001", response.text)
        self.assertIn("Pat Provider", response.text)

    def test_bulk_posting_is_the_native_one(self):
        """The list's own "Confirm Entries" posts invoices of care."""
        run = self._execute(
            self._appointment(self._client("Alice Adams"))
            | self._appointment(self._client("Bob Brown"))
        )
        moves = run.move_ids.with_user(self.biller)
        self.env["validate.account.move"].with_user(self.biller).with_context(
            active_model="account.move", active_ids=moves.ids
        ).create({}).validate_move()
        self.assertEqual(set(moves.mapped("state")), {"posted"})

    def test_no_rights_no_run(self):
        with self.assertRaises(AccessError):
            self.env["healthcare.batch.invoicing"].with_user(self._user("coordinator")).create({})
