from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, HttpCase, tagged
from odoo.tools import mute_logger

from .common import CareCommon


class BatchCommon(CareCommon):
    """A biller who asks for this month's care."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = cls.company._care_local_date(cls.env.cr.now())
        cls.biller = cls._user("billing_user", tz="America/New_York")
        cls.alice = cls._client("Alice Adams")
        cls.ivy = cls._insured_client("Ivy Insured", copay=20.0)

    @classmethod
    def _visit(cls, client, hour=0.25, **vals):
        return cls._appointment(client, day=cls.today, hour=hour, **vals)

    def _search(self, user=None, **criteria):
        """The run that a search with these criteria makes."""
        env = self._act_as(user or self.biller)
        wizard = env["healthcare.batch.invoicing"].create(criteria)
        return env["healthcare.billing.run"].browse(wizard.action_search()["res_id"])


@tagged("post_install", "-at_install")
class TestBatchCriteria(BatchCommon):
    """Criteria narrow the search; empty ones match all."""

    def test_r6_empty_criteria_find_all_unbilled_care(self):
        visits = self._visit(self.alice) | self._visit(self.ivy)
        self._execute(self._visit(self.alice, hour=0.5))
        old = self._appointment(self.alice)
        self.assertEqual(self._search().line_ids.charge_ids, visits.charge_ids)
        run = self._search(date_from=False, date_to=False)
        self.assertEqual(run.line_ids.charge_ids, (visits | old).charge_ids)

    def test_client(self):
        own = self._visit(self.alice)
        self._visit(self.ivy)
        run = self._search(client_ids=[Command.set(self.alice.ids)])
        self.assertEqual(run.line_ids.charge_ids, own.charge_ids)

    def test_pays_by(self):
        own, insured = self._visit(self.alice), self._visit(self.ivy)
        self.assertEqual(self._search(pays_by="self").line_ids.charge_ids, own.charge_ids)
        self.assertEqual(self._search(pays_by="insurance").line_ids.charge_ids, insured.charge_ids)

    def test_primary_insurance(self):
        other = self._payer("Other Insurance")
        self._visit(self.ivy)
        second = self._visit(self._insured_client("Olga", payer=other))
        run = self._search(payer_ids=[Command.set(other.ids)])
        self.assertEqual(run.line_ids.charge_ids, second.charge_ids)

    def test_staff_service_and_place(self):
        place = self.env["healthcare.place.of.service"].search([], limit=1)
        nina = self._provider("Nina Newcomer")
        self._visit(self.alice)
        by_nina = self._visit(self.alice, hour=0.5, employee_id=nina.id)
        therapy = self._visit(self.alice, hour=0.75, product_id=self.service.id)
        there = self._visit(self.alice, hour=1, place_of_service_id=place.id)
        for criteria, visit in (
            ({"employee_ids": nina.ids}, by_nina),
            ({"product_ids": self.service.ids}, therapy),
            ({"place_of_service_ids": place.ids}, there),
        ):
            with self.subTest(criteria=criteria):
                run = self._search(**{name: [Command.set(ids)] for name, ids in criteria.items()})
                self.assertEqual(run.line_ids.charge_ids, visit.charge_ids)

    def test_note_signature(self):
        visits = {
            state: self._visit(self.alice, hour=hour, note_state=state)
            for hour, state in enumerate(("missing", "draft", "signed"))
        }
        for state, visit in visits.items():
            self.assertEqual(self._search(note_state=state).line_ids.charge_ids, visit.charge_ids)

    def test_r7_hidden_means_gone_from_list_totals_and_creation(self):
        visit = self._visit(self.alice)
        missed = self._visit(self.ivy, state="no_show")
        run = self._search()
        self.assertEqual(run.amount_total, 160.0)
        run = self._search(hide_missed=True)
        self.assertEqual(run.line_ids.charge_ids, visit.charge_ids)
        self.assertEqual((run.amount_total, run.excluded_count), (80.0, 0))
        run.action_execute()
        self.assertFalse(missed.charge_ids.is_live)

    def test_rows_per_client_staff_or_appointment(self):
        nina = self._provider("Nina Newcomer")
        self._visit(self.alice)
        self._visit(self.alice, hour=0.5)
        self._visit(self.alice, hour=0.75, employee_id=nina.id)
        for rows, count in (("client", 1), ("staff", 2), ("appointment", 3)):
            run = self._search(rows=rows)
            self.assertEqual((run.line_count, run.amount_total), (count, 240.0), rows)

    def test_contradictions_are_said(self):
        with self.assertRaisesRegex(UserError, "first day of care"):
            self._search(date_from="2025-03-02", date_to="2025-03-01")
        with self.assertRaisesRegex(UserError, "no insurance"):
            self._search(pays_by="self", payer_ids=[Command.set(self.payer.ids)])

    def test_form_clears_the_insurance_of_self_payers(self):
        form = Form(self._act_as(self.biller)["healthcare.batch.invoicing"])
        form.pays_by = "insurance"
        form.payer_ids.add(self.payer)
        form.pays_by = "self"
        self.assertFalse(form.payer_ids)

    def test_prices_are_found_by_the_search(self):
        """What had no price when it was made, and has one now, is billed."""
        free = self._service("Late priced", "S5000", 0.0)
        charge = self._visit(self.alice, product_id=free.id).charge_ids
        charge.write({"is_priced": False})
        charge.price_source = "missing"
        free.list_price = 15.0
        run = self._search()
        self.assertEqual(run.line_ids.charge_ids, charge)
        self.assertEqual(run.amount_total, 15.0)

    def test_chosen_appointments(self):
        """The same preview, of these appointments only, whatever their dates; parked ones, too."""
        old = self._appointment(self.alice, parked=True)
        self._visit(self.alice)
        action = old.with_env(self._act_as(self.biller)).action_batch_invoice()
        run = self._act_as(self.biller)["healthcare.billing.run"].browse(action["res_id"])
        self.assertEqual(run.door, "manual")
        self.assertEqual(run.line_ids.charge_ids, old.charge_ids)
        run.action_search_again()
        self.assertEqual(run.line_ids.charge_ids, old.charge_ids)

    def test_company_can_be_chosen(self):
        company = self._create_company(name="Second Practice")
        company.healthcare_tz = "America/New_York"
        self.biller.company_ids |= company
        self._visit(self.alice)
        env = self._act_as(self.biller)
        env = env(context={"allowed_company_ids": (self.company | company).ids})
        wizard = env["healthcare.batch.invoicing"].create({"company_id": company.id})
        run = env["healthcare.billing.run"].browse(wizard.action_search()["res_id"])
        self.assertEqual((run.company_id, run.line_count), (company, 0))


@tagged("post_install", "-at_install")
class TestBatchAccess(BatchCommon, HttpCase):
    """Only the billing group: no menu, and an access error by RPC for the others."""

    def test_others_have_no_menu(self):
        menu = self.env.ref("healthcare_billing.healthcare_batch_invoicing_menu")
        for kind in ("no_group", "care_staff", "coordinator", "accountant"):
            visible = self.env["ir.ui.menu"].with_user(self._user(kind))._visible_menu_ids()
            self.assertNotIn(menu.id, visible, kind)

    @mute_logger("odoo.http")
    def test_others_get_an_access_error_by_rpc(self):
        self._visit(self.alice)
        run = self._search()
        wizard = self._act_as(self.biller)["healthcare.batch.invoicing"].create({})
        calls = (
            ("healthcare.batch.invoicing", "create", [[{}]]),
            ("healthcare.batch.invoicing", "action_search", [wizard.ids]),
            ("healthcare.billing.run", "read", [run.ids, ["name"]]),
            ("healthcare.billing.run", "set_selected", [run.ids, run.line_ids.ids, False]),
            ("healthcare.billing.run", "action_select_all", [run.ids]),
            ("healthcare.billing.run", "action_search_again", [run.ids]),
            ("healthcare.billing.run", "action_execute", [run.ids]),
            ("healthcare.billing.run.line", "search_read", [[]]),
            ("healthcare.billing.run.line", "action_deselect", [run.line_ids.ids]),
            ("healthcare.billing.run.line", "write", [run.line_ids.ids, {"selected": False}]),
            ("healthcare.billing.run.exclusion", "search_read", [[]]),
            ("healthcare.billing.run.reason", "search_read", [[]]),
            ("healthcare.billing.run.apply", "create", [[{"run_id": run.id}]]),
            ("healthcare.billing.run.confirm", "create", [[{"run_id": run.id}]]),
        )
        for kind in ("no_group", "care_staff", "coordinator"):
            user = self._user(kind)
            self.authenticate(user.login, user.login)
            for model, method, args in calls:
                with self.subTest(user=kind, call=f"{model}.{method}"):
                    self.assertEqual(self._error(model, method, args), AccessError)
        self.assertTrue(run.line_ids.selected)

    @mute_logger("odoo.http")
    def test_accountants_only_read_runs(self):
        self._visit(self.alice)
        run = self._search()
        user = self._user("accountant")
        self.authenticate(user.login, user.login)
        self.assertIsNone(self._error("healthcare.billing.run", "read", [run.ids, ["name"]]))
        for model, method, args in (
            ("healthcare.batch.invoicing", "create", [[{}]]),
            ("healthcare.billing.run", "set_selected", [run.ids, run.line_ids.ids, False]),
            ("healthcare.billing.run", "action_deselect_all", [run.ids]),
            ("healthcare.billing.run.line", "write", [run.line_ids.ids, {"selected": False}]),
            ("healthcare.billing.run.apply", "create", [[{"run_id": run.id}]]),
        ):
            with self.subTest(call=f"{model}.{method}"):
                self.assertEqual(self._error(model, method, args), AccessError)
        self.assertTrue(run.line_ids.selected)

    def _error(self, model, method, args):
        """Class of the error that a call through RPC gives, or None."""
        answer = self.url_open(
            f"/web/dataset/call_kw/{model}/{method}",
            json={
                "jsonrpc": "2.0",
                "method": "call",
                "params": {"model": model, "method": method, "args": args, "kwargs": {}},
            },
        ).json()
        if "error" not in answer:
            return None
        names = {f"odoo.exceptions.{error.__name__}": error for error in (AccessError, UserError)}
        return names.get(answer["error"]["data"]["name"], answer["error"]["data"]["name"])
