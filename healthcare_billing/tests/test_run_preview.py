from psycopg2.errors import SerializationFailure

from odoo import api
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .run_preview_common import PreviewCommon
from .test_concurrency import RaceCommon


@tagged("post_install", "-at_install")
class TestSelection(PreviewCommon):
    def test_r30_totals_are_of_all_rows(self):
        run = self.run
        self.assertEqual(
            self._amounts(), {"Alice Adams": 160, "Ivy Insured": 20, self.payer.name: 140}
        )
        self.assertEqual((run.line_count, run.selected_count), (3, 3))
        self.assertEqual(run.selected_charge_count, 4)  # client and payer share two
        self.assertEqual((run.amount_selected, run.amount_total), (320.0, 320.0))

    def test_one_row(self):
        totals = self.run.set_selected(self._row(self.alice).ids, False)
        self.assertEqual(totals["selected_count"], 2)
        self.assertEqual(totals["selected_charge_count"], 2)
        self.assertEqual(totals["amount_selected"], 160.0)
        self.assertEqual(self.run.amount_total, 320.0)
        self.assertFalse(self._row(self.alice).selected)
        totals = self.run.set_selected(self._row(self.alice).ids, True)
        self.assertEqual(totals["amount_selected"], 320.0)

    def test_all_and_none(self):
        self.run.action_deselect_all()
        self.assertEqual((self.run.selected_count, self.run.amount_selected), (0, 0.0))
        self.run.action_select_all()
        self.assertEqual((self.run.selected_count, self.run.amount_selected), (3, 320.0))

    def test_rows_chosen_in_their_list(self):
        (self._row(self.alice) | self._row(self.payer)).action_deselect()
        self.assertEqual(self.run.amount_selected, 20.0)
        self._row(self.payer).action_select()
        self.assertEqual(self.run.amount_selected, 160.0)

    def test_rows_of_another_run_are_not_touched(self):
        other = self._search()
        self.run.set_selected(other.line_ids.ids, False)
        self.assertEqual(other.selected_count, 3)

    def test_only_in_a_preview(self):
        self.run.action_execute()
        for act in (
            lambda: self.run.set_selected(self.run.line_ids.ids, False),
            self.run.action_select_all,
            self.run.line_ids.action_deselect,
            self.run.action_search_again,
        ):
            with self.assertRaisesRegex(UserError, "Only a preview"):
                act()

    def test_what_is_not_selected_is_not_billed(self):
        self.run.set_selected(self._row(self.alice).ids, False)
        confirm = self.env["healthcare.billing.run.confirm"].create({"run_id": self.run.id})
        self.assertEqual((confirm.invoice_count, confirm.item_count, confirm.amount), (2, 2, 160.0))
        confirm.with_env(self.run.env).action_confirm()
        self.assertEqual(self.run.move_ids.partner_id, self.ivy | self.payer)

    def test_confirmation_says_when_it_takes_a_while(self):
        Confirm = self.run.env["healthcare.billing.run.confirm"]
        self.assertFalse(Confirm.create({"run_id": self.run.id}).in_background)
        self.company.healthcare_background_rows = 2
        self.assertTrue(Confirm.create({"run_id": self.run.id}).in_background)

    def _confirm(self):
        """The question, as it is asked now."""
        Confirm = self.run.env["healthcare.billing.run.confirm"]
        return Form(Confirm.with_context(default_run_id=self.run.id)).save()

    def test_yes_means_what_was_shown(self):
        """Whatever happens meanwhile, even where count and sum stay the same."""
        nora = self._client("Nora New")
        self._visit(nora)
        self._visit(nora, hour=0.5)
        self.run.action_search_again()
        new, alice = self._row(nora), self._row(self.alice)
        new.selected = False
        for change in (
            lambda: self.run.set_selected(new.ids, True),
            lambda: self.run.set_selected(alice.ids, False),  # one as dear as the other
            lambda: new.write(
                {"charge_ids": [Command.update(new.charge_ids[0].id, {"quantity": 2.0})]}
            ),
            lambda: self.run.write({"post": True}),
        ):
            confirm = self._confirm()
            shown = (confirm.invoice_count, confirm.amount)
            change()
            confirm.invalidate_recordset()
            self.assertEqual((confirm.invoice_count, confirm.amount), shown)
            with self.assertRaisesRegex(UserError, "The selection has changed: look again"):
                confirm.action_confirm()
            self.assertFalse(self.run.move_ids)
        self.assertNotEqual(alice.selected, new.selected)
        confirm = self._confirm()
        confirm.action_confirm()
        self.assertEqual(self.run.move_ids.partner_id, self.ivy | self.payer | nora)
        self.assertEqual(set(self.run.move_ids.mapped("state")), {"posted"})
        confirm.action_confirm()  # a second click finds nothing left to do
        self.assertEqual(len(self.run.move_ids), 3)

    def test_search_again_keeps_what_was_decided(self):
        row = self._row(self.alice)
        row.write({"selected": False, "group_single_claim": True, "narration": "<p>Hello</p>"})
        ids = self.run.line_ids.ids
        self._visit(self.alice, hour=1)
        new = self._visit(self._client("Nora New"))
        self.run.action_search_again()
        row = self._row(self.alice)
        self.assertEqual((row.selected, row.amount), (False, 240.0))
        self.assertEqual((row.group_single_claim, str(row.narration)), (True, "<p>Hello</p>"))
        self.assertLess(set(ids), set(self.run.line_ids.ids))
        self.assertTrue(self._row(new.client_id).selected)
        self.assert_as_planned()

    def test_search_again_drops_what_is_gone(self):
        self.visits.filtered(lambda v: v.client_id == self.ivy).write({"parked": True})
        self.run.action_search_again()
        self.assertEqual(self._amounts(), {"Alice Adams": 160})
        self.assertEqual(self.run.excluded_count, 2)
        self.visits.action_unpark()
        self.run.action_search_again()
        self.assertEqual((self.run.line_count, self.run.excluded_count), (3, 0))
        self.assert_as_planned()
        self.assertEqual(self.run.line_ids.mapped("sequence"), [0, 1, 2])


@tagged("post_install", "-at_install")
class TestLeftOut(PreviewCommon):
    """One line per reason, with the button that mends it."""

    def _reason(self, code):
        return self.run.left_out_ids.filtered(lambda reason: reason.reason_id.code == code)

    def test_one_line_per_reason(self):
        self.visits[:2].write({"parked": True})
        self.company.healthcare_requires_signed_note = True
        self.run.action_search_again()
        self.assertEqual(
            {(r.reason_id.code, r.item_count, r.amount) for r in self.run.left_out_ids},
            {("parked", 2, 160.0), ("unsigned_note", 4, 320.0)},
        )
        self.assertEqual(self.run.excluded_count, 4)
        self.assertTrue(all(self.run.left_out_ids.mapped("remedy")))

    def test_single_item_opens_what_mends_it(self):
        self.visits[0].parked = True
        self.run.action_search_again()
        action = self._reason("parked").action_mend()
        self.assertEqual(
            (action["res_model"], action["res_id"]), ("healthcare.appointment", self.visits[0].id)
        )

    def test_many_items_open_their_list(self):
        self.visits[:2].write({"parked": True})
        self.run.action_search_again()
        action = self._reason("parked").action_mend()
        self.assertEqual(action["res_model"], "healthcare.billing.run.exclusion")
        items = self.env[action["res_model"]].search(action["domain"])
        self.assertEqual(items.charge_id, self.visits[:2].charge_ids)

    def test_many_items_that_one_record_mends_open_it(self):
        self.visit_service.default_code = False
        self.run.action_search_again()
        reason = self._reason("missing_code")
        self.assertEqual(reason.item_count, 4)
        action = reason.action_mend()
        self.assertEqual(
            (action["res_model"], action["res_id"]),
            ("product.template", self.visit_service.product_tmpl_id.id),
        )

    def test_items_without_the_record_are_mended_one_by_one(self):
        self.visits[2:].write({"employee_id": False})
        self.run.action_search_again()
        action = self._reason("missing_provider").action_mend()
        self.assertEqual(action["res_model"], "healthcare.billing.run.exclusion")

    def test_accountant_reads_the_reasons(self):
        self.visits[0].parked = True
        self.run.action_search_again()
        accountant = self._act_as(self._user("accountant"))
        run = self.run.with_env(accountant)
        self.assertEqual(run.left_out_ids.mapped("item_count"), [1])

    def test_accountant_has_no_fix_button(self):
        """It would only give an access error; on the phone, too."""
        for user, expected in ((self._user("accountant"), False), (self.biller, True)):
            env = self._act_as(user)
            for model in ("healthcare.billing.run.exclusion", "healthcare.billing.run"):
                views = ("list", "kanban") if model.endswith("exclusion") else ("form",)
                for view in views:
                    arch = env[model].get_view(view_type=view)["arch"]
                    with self.subTest(user=user.login, model=model, view=view):
                        self.assertEqual('name="action_mend"' in arch, expected)


@tagged("post_install", "-at_install")
class TestRecord(PreviewCommon):
    """A run says who billed what, and the background believes it: nobody forges one."""

    def _forged(self):
        admin = self.env.ref("base.user_admin")
        return {"state": "running", "task": "execute", "user_id": admin.id, "task_total": 3}

    def test_users_make_no_runs(self):
        Run = self.run.env["healthcare.billing.run"]
        move = self._execute(self._charge(self._client("Mia"))).line_ids.move_id
        holder = move.billing_run_id
        forged = self._forged()
        for vals in (
            {},
            forged,
            {"name": "RUN/1"},
            {"post": True},
            {"state": "done", "move_ids": [Command.link(move.id)]},
            {"line_ids": [Command.link(self.run.line_ids[0].id)]},
            {"charge_domain": [["id", ">", 0]]},
        ):
            with self.subTest(vals=vals), self.assertRaisesRegex(AccessError, "made by a search"):
                Run.create(vals)
        with self.assertRaises(AccessError):
            Run.with_context(**{f"default_{k}": v for k, v in forged.items()}).create({})
        with self.assertRaises(AccessError):
            self.run.copy()
        self.assertEqual(move.billing_run_id, holder)

    def test_defaults_sent_along_with_a_search_do_not_count(self):
        forged = {f"default_{name}": value for name, value in self._forged().items()}
        wizard = self.run.env["healthcare.batch.invoicing"].create({})
        action = wizard.with_context(**forged).action_search()
        run = self.run.env["healthcare.billing.run"].browse(action["res_id"])
        self.assertEqual((run.state, run.task, run.user_id), ("draft", False, self.biller))
        self.assertEqual(run.create_uid, self.biller)
        self.assertFalse(run.env.su)

    def test_users_write_no_lists_of_runs(self):
        other = self._search()
        move = self._execute(self._charge(self._client("Mia"))).line_ids.move_id
        row = other.line_ids[0]
        for vals in (
            {"move_ids": [Command.link(move.id)]},
            {"line_ids": [Command.link(row.id)]},
            {"line_ids": [Command.update(self.run.line_ids[0].id, {"selected": False})]},
            {"line_ids": [Command.clear()]},
            {"exclusion_ids": [Command.clear()]},
            {"left_out_ids": [Command.clear()]},
            {"task_user_id": self.env.uid},
            {"user_id": self.env.uid},
        ):
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                self.run.write(vals)
        self.assertEqual((row.run_id, self.run.line_count), (other, 3))

    def test_whether_to_post_is_chosen_in_a_preview(self):
        self.run.post = True
        self.run.sudo().state = "running"
        with self.assertRaisesRegex(AccessError, "in a preview only"):
            self.run.post = False

    def test_users_make_and_remove_no_rows(self):
        row = self.run.line_ids[0]
        vals = {"run_id": self.run.id, "partner_id": self.alice.id}
        for act in (
            lambda: row.create(vals),
            row.copy,
            row.unlink,
            lambda: row.write({"run_id": self._search().id}),
            lambda: self.run.exclusion_ids.create({"run_id": self.run.id}),
        ):
            with self.assertRaises(AccessError):
                act()

    def test_running_run_stays(self):
        self.company.healthcare_background_rows = 0
        self.run.action_execute()
        self.assertEqual(self.run.state, "running")
        with self.assertRaisesRegex(UserError, "is worked on can't be deleted"):
            self.run.unlink()
        with self.assertRaisesRegex(UserError, "is worked on can't be deleted"):
            self.run.sudo().unlink()
        self.run.sudo().state = "draft"
        self.run.unlink()


@tagged("post_install", "-at_install")
class TestPreviewRaces(RaceCommon):
    """Choosing rows and starting the run at the same time: what wasn't confirmed isn't billed."""

    def setUp(self):
        super().setUp()
        with self._committed() as env:
            env["res.company"].browse(self.company_id).healthcare_background_rows = 0
            user = env["res.users"].create(
                {
                    "name": "Race Biller",
                    "login": "race_biller",
                    "company_id": self.company_id,
                    "company_ids": [Command.set([self.company_id])],
                    "group_ids": [
                        Command.set(env.ref("healthcare_billing.group_billing_user").ids)
                    ],
                }
            )
            run = self._plan(env).save()
            run.line_ids[0].selected = False
            self.run_id, self.row_id = run.id, run.line_ids[0].id
            self.user_id = user.id
        self.addCleanup(self._remove_user)

    def _remove_user(self):
        with self._committed() as env:
            env["healthcare.billing.run"].browse(self.run_id).exists().state = "done"
            user = env["res.users"].browse(self.user_id)
            partner = user.partner_id
            user.unlink()
            partner.unlink()

    def _run(self, env):
        """The run, for the biller; his session's snapshot is of now."""
        env = api.Environment(env.cr, self.user_id, {"allowed_company_ids": [self.company_id]})
        run = env["healthcare.billing.run"].browse(self.run_id)
        self.assertEqual(run.state, "draft")
        run.line_ids.mapped("selected")
        return run

    def _changes(self, run):
        row = run.line_ids.browse(self.row_id)
        Apply = run.env["healthcare.billing.run.apply"].with_context(default_run_id=run.id)
        return {
            "box of the row": lambda: run.set_selected([self.row_id], True),
            "all": run.action_select_all,
            "button of the list": row.action_select,
            "row's form": lambda: row.write({"selected": True}),
            "search again": run._replan_all,
            "for all": lambda: Apply.create({"claim": "single"}).action_apply(),
        }

    @mute_logger("odoo.sql_db")
    def test_started_after_our_snapshot(self):
        """Ours is refused, and on a new snapshot told that it is no preview any more."""
        for number, name in enumerate(self._changes_names()):
            with self.subTest(change=name), self._session() as ours:
                run = self._run(ours)
                with self._committed() as rival:
                    rival["healthcare.billing.run"].browse(self.run_id).action_execute()
                with self.assertRaises(SerializationFailure):
                    self._changes(run)[name]()
                    run.env.flush_all()
            with self._committed() as env:
                run = env["healthcare.billing.run"].browse(self.run_id)
                self.assertEqual(run.state, "running", number)
                self.assertFalse(run.line_ids.browse(self.row_id).selected)
                with self.assertRaises((AccessError, UserError)):
                    self._changes(
                        run.with_user(self.user_id).with_context(
                            allowed_company_ids=[self.company_id]
                        )
                    )[name]()
                run.state = "draft"

    @mute_logger("odoo.sql_db")
    def test_changed_after_the_starters_snapshot(self):
        """The start is refused; tried again, it finds that the selection isn't what was shown."""
        for name in self._changes_names():
            with self._committed() as env:
                env["healthcare.billing.run"].browse(self.run_id).state = "draft"
                env["healthcare.billing.run.line"].browse(self.row_id).selected = False
                confirm_id = self._run(env).env["healthcare.billing.run.confirm"].create(
                    {"run_id": self.run_id}
                ).id  # fmt: skip
            with self.subTest(change=name):
                with self._session() as starter:
                    env = self._run(starter).env
                    with self._committed() as other:
                        self._changes(self._run(other))[name]()
                    confirm = env["healthcare.billing.run.confirm"].browse(confirm_id)
                    with self.assertRaises(SerializationFailure):
                        confirm.action_confirm()
                with self._session() as starter:
                    run = self._run(starter)
                    confirm = run.env["healthcare.billing.run.confirm"].browse(confirm_id)
                    if not run.line_ids.browse(self.row_id).selected:
                        continue  # another change: what was shown is booked
                    with self.assertRaisesRegex(UserError, "The selection has changed"):
                        confirm.action_confirm()

    def _changes_names(self):
        with self._session() as env:
            return list(self._changes(self._run(env)))

    @mute_logger("odoo.sql_db")
    def test_start_while_rows_are_being_ticked(self):
        with self._session() as ours:
            self._run(ours).set_selected([self.row_id], True)
            with self._committed() as rival, self.assertRaisesRegex(UserError, "by another user"):
                rival["healthcare.billing.run"].browse(self.run_id).action_execute()
