from contextlib import contextmanager
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from ..models import healthcare_billing_run_background as background
from .common import A_DAY, CareCommon

NO_LICENSE = "This provider has no license."


@tagged("post_install", "-at_install")
class TestBackground(CareCommon):
    """Large runs: a scheduled action works on them in chunks, each committed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.healthcare_background_rows = 2
        cls.startClassPatcher(patch.object(background, "CHUNK_SIZE", 3))
        cls.cron = cls.env.ref("healthcare_billing.ir_cron_billing_run")
        cls.Run = cls.registry["healthcare.billing.run"]

    def _saved_run(self, number=8, **options):
        charges = self.env["healthcare.charge"]
        for index in range(number):
            charges |= self._charge(self._client(f"Client {index}"))
        return self._plan(charges, **options).save()

    def _started_run(self, number=8, **vals):
        run = self._saved_run(number)
        run.write(vals)
        run.action_execute()
        self.assertEqual(run.state, "running")
        return run

    def _work(self):
        """What the server's scheduler does when the action is triggered."""
        with self.enter_registry_test_mode():
            self.cron.method_direct_trigger()
        self.env.invalidate_all()

    @contextmanager
    def _patched(self, name, method):
        """Replace a method of runs; the replacement gets the original as first argument."""
        original = getattr(self.Run, name)

        def replacement(run, *args):
            return method(original, run, *args)

        with patch.object(self.Run, name, replacement):
            yield

    # -- in the request, or not -------------------------------------------------------------------

    def test_small_run_is_done_in_the_request(self):
        run = self._saved_run(2)
        run.action_execute()
        self.assertEqual((run.state, run.created_count), ("done", 2))
        self.assertEqual(run.progress, 100.0)

    def test_large_run_is_left_to_the_scheduled_action(self):
        triggers = self.env["ir.cron.trigger"].search_count([("cron_id", "=", self.cron.id)])
        run = self._started_run()
        self.assertEqual(run.task_total, 8)
        self.assertEqual(run.progress, 0.0)
        self.assertFalse(run.line_ids.move_id)
        self.assertEqual(
            self.env["ir.cron.trigger"].search_count([("cron_id", "=", self.cron.id)]),
            triggers + 1,
        )
        self._work()
        self.assertEqual((run.state, run.created_count), ("done", 8))
        self.assertEqual(len(run.line_ids.move_id), 8)
        self.assertEqual(run.progress, 100.0)

    def test_only_selected_rows_count(self):
        run = self._saved_run()
        run.line_ids[2:].selected = False
        run.action_execute()
        self.assertEqual((run.state, run.created_count), ("done", 2))

    def test_setting_of_zero_leaves_all_to_the_background(self):
        self.company.healthcare_background_rows = 0
        run = self._started_run(1)
        self._work()
        self.assertEqual((run.state, run.created_count), ("done", 1))

    def test_works_as_the_user_who_started_it(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        user = self._user("billing_user", lang="fr_FR", tz="America/New_York")
        run = self._saved_run()
        seen = []

        def look(original, this, line_ids):
            seen.append((this.env.user, this.env.company, this.env.lang, this.env.su))
            return original(this, line_ids)

        run.with_env(self._act_as(user)).action_execute()
        self.assertEqual(run.user_id, user)
        with self._patched("_run_chunk", look):
            self._work()
        self.assertEqual(set(seen), {(user, self.company, "fr_FR", False)})
        self.assertEqual(run.created_count, 8)
        self.assertEqual(run.line_ids.move_id.create_uid, user)

    def test_user_who_lost_his_rights_bills_nothing(self):
        user = self._user("billing_user")
        run = self._saved_run()
        run.with_env(self._act_as(user)).action_execute()
        user.group_ids = [Command.set(self.env.ref("base.group_user").ids)]
        with self.assertLogs("odoo.addons.healthcare_billing", "ERROR"):
            self._work()
        self.assertFalse(run.line_ids.move_id)
        self.assertEqual((run.state, run.failed_count), ("done", 8))
        self.assertIn("not allowed", run.line_ids[0].message)
        run.action_retry()
        self._work()
        self.assertEqual((run.state, run.created_count), ("done", 8))

    def test_archived_user_bills_nothing(self):
        user = self._user("billing_user")
        run = self._saved_run()
        run.with_env(self._act_as(user)).action_execute()
        user.active = False
        with self.assertLogs("odoo.addons.healthcare_billing", "ERROR"):
            self._work()
        self.assertEqual((run.state, run.failed_count), ("done", 8))
        self.assertIn("archived", run.line_ids[0].message)

    def test_who_billed_stays_known(self):
        biller = self._user("billing_user")
        run = self._saved_run()
        run.with_env(self._act_as(biller)).action_execute()
        self._work()
        run.action_undo()
        self.assertEqual((run.user_id, run.task_user_id), (biller, self.env.user))
        self._work()
        self.assertEqual((run.user_id, run.task_user_id), (biller, self.env.user))

    def test_without_the_scheduled_action_all_is_done_in_the_request(self):
        self.cron.active = False
        run = self._saved_run()
        self.assertFalse(run._goes_to_background())
        run.action_execute()
        self.assertEqual((run.state, run.created_count), ("done", 8))

    def test_runs_of_several_companies(self):
        other = self.setup_other_company()["company"]
        other.healthcare_tz = "America/New_York"
        env = self.env(context={"allowed_company_ids": [self.company.id, other.id]})
        service = self._service("Elsewhere", "E1", 50.0, property_account_income_id=False)
        client = self._client("Both")
        account = (
            self.env["healthcare.billing.account"]
            .with_company(other)
            .create({"client_id": client.id, "company_id": other.id})
        )
        foreign = env["healthcare.appointment"].with_company(other)
        foreign = foreign.create(
            [
                {
                    "client_id": client.id,
                    "billing_account_id": account.id,
                    "company_id": other.id,
                    "start": self._local(A_DAY),
                    "product_id": service.id,
                    "state": "completed",
                }
            ]
        )
        charges = (self._charge(client) | self._charge(self._client())).with_env(env)
        run = env["healthcare.billing.engine"].plan(charges | foreign.charge_ids).save()
        self.assertEqual(len(run.line_ids), 3)
        run.action_execute()
        self._work()
        self.assertEqual(
            run.line_ids.mapped("state"), ["created"] * 3, run.line_ids.mapped("message")
        )
        self.assertEqual(run.line_ids.move_id.company_id, self.company | other)

    # -- progress, end, stop ----------------------------------------------------------------------

    def test_progress_grows_chunk_by_chunk(self):
        run = self._started_run()
        seen = []

        def look(original, this, line_ids):
            this.invalidate_recordset()
            seen.append(round(this.progress))
            return original(this, line_ids)

        with self._patched("_run_chunk", look):
            self._work()
        self.assertEqual(seen, [0, 38, 75])
        self.assertEqual(run.progress, 100.0)

    def test_user_is_told_at_the_end(self):
        run = self._started_run()
        sent = []
        with patch.object(
            self.registry["res.users"],
            "_bus_send",
            lambda user, kind, message, **kw: sent.append((user, kind, message)),
        ):
            self._work()
        self.assertEqual([(user, kind) for user, kind, _message in sent], [
            (self.env.user, "simple_notification")
        ])  # fmt: skip
        self.assertIn(run.name, sent[0][2]["title"])
        self.assertIn("8 invoices created", sent[0][2]["message"])
        message = self.env["mail.message"].search(
            [("res_id", "=", run.id), ("message_type", "=", "user_notification")]
        )
        self.assertEqual(message.partner_ids, self.env.user.partner_id)
        self.assertIn("8 invoices created", message.body)

    def test_stop(self):
        run = self._started_run()
        done = []

        def stop_after_the_first(original, this, line_ids):
            original(this, line_ids)
            done.append(line_ids)
            if len(done) == 1:
                this.action_stop()

        with self._patched("_run_chunk", stop_after_the_first):
            self._work()
        self.assertEqual(run.state, "done")
        self.assertEqual((run.created_count, run.skipped_count), (3, 5))
        skipped = run.line_ids.filtered(lambda line: line.state == "skipped")
        self.assertEqual(set(skipped.mapped("message")), {"Stopped before it was billed. Retry."})
        first = run.line_ids.move_id
        run.action_retry()
        self.assertEqual(run.state, "running")
        self._work()
        self.assertEqual((run.state, run.created_count), ("done", 8))
        self.assertLess(first, run.line_ids.move_id)

    def test_stop_before_the_first_row(self):
        run = self._started_run()
        run.action_stop()
        self._work()
        self.assertEqual((run.state, run.skipped_count), ("done", 8))
        self.assertFalse(run.line_ids.move_id)

    def test_stop_closes_a_run_that_nobody_works_on(self):
        """Such as when the server doesn't run scheduled actions at all."""
        run = self._started_run()
        run._run_chunk(run.line_ids.ids[:3])
        run.action_stop()
        self.assertEqual((run.state, run.created_count, run.skipped_count), ("done", 3, 5))
        self._work()
        self.assertEqual(len(run.move_ids), 3)

    def test_nobody_told_is_no_reason_to_go_on_for_ever(self):
        run = self._started_run()

        def fail(*_args, **_kwargs):
            raise ZeroDivisionError

        with (
            patch.object(self.Run, "message_post", fail),
            patch.object(self.Run, "message_notify", fail),
            self.assertLogs("odoo.addons.healthcare_billing", "ERROR"),
        ):
            self._work()
        self.assertEqual((run.state, run.created_count), ("done", 8))

    def test_a_run_given_up_is_told(self):
        run = self._started_run()

        def fail(original, this):
            raise ZeroDivisionError("no chunks")

        with (
            self._patched("_task_chunks", fail),
            self.assertLogs("odoo.addons.healthcare_billing", "ERROR"),
        ):
            self._work()
        self.assertEqual((run.state, run.failed_count), ("done", 8))
        message = self.env["mail.message"].search(
            [("res_id", "=", run.id), ("message_type", "=", "user_notification")]
        )
        self.assertEqual(message.partner_ids, self.env.user.partner_id)

    def test_a_run_that_cant_be_closed_doesnt_stop_the_others(self):
        broken, sound = self._started_run(), self._started_run()

        def fail(original, this, *args):
            if this == broken:
                raise ZeroDivisionError
            return original(this, *args)

        with (
            self._patched("_task_chunks", fail),
            self._patched("_set_failed", fail),
            self.assertLogs("odoo.addons.healthcare_billing", "ERROR"),
        ):
            self._work()
        self.assertEqual(sound.state, "done")
        self.assertEqual(sound.created_count, 8)

    def test_messages_are_plain_text(self):
        run = self._saved_run(1)
        self.company.currency_id.symbol = "'"
        notification = run.action_execute()
        self.assertIn("'", notification["params"]["message"])
        self.assertNotIn("&#39;", str(notification["params"]["message"]))

    def test_stop_of_a_finished_run_does_nothing(self):
        run = self._started_run()
        self._work()
        run.action_stop()
        self.assertEqual((run.state, run.created_count), ("done", 8))

    # -- once, whatever happens -------------------------------------------------------------------

    def test_second_click_finds_it_running(self):
        run = self._started_run()
        triggered = self.env["ir.cron.trigger"].search_count([("cron_id", "=", self.cron.id)])
        run.action_execute()
        self.assertEqual(
            self.env["ir.cron.trigger"].search_count([("cron_id", "=", self.cron.id)]), triggered
        )
        for action in ("action_retry", "action_undo", "action_post_drafts", "action_cancel"):
            with self.subTest(action=action), self.assertRaisesRegex(UserError, "background"):
                getattr(run, action)()
        self._work()
        self.assertEqual(len(run.move_ids), 8)

    def test_time_is_up(self):
        """The scheduled action ends in time, and takes the rest up when it runs again."""
        run = self._started_run()
        with patch.object(
            self.registry["ir.cron"], "_commit_progress", lambda *_args, **_kwargs: 0
        ):
            self.assertFalse(run._as_its_user()._work_on_task())
        self.env.invalidate_all()
        self.assertEqual((run.state, run.created_count), ("running", 3))
        self._work()
        self.assertEqual((run.state, run.created_count), ("done", 8))
        self.assertEqual(len(run.move_ids), 8)

    def test_chunk_twice_adds_nothing(self):
        run = self._started_run()
        for _twice in range(2):
            for line_ids in ([*run.line_ids.ids[:3]], run.line_ids.ids):
                run._run_chunk(line_ids)
        self.assertEqual(len(run.move_ids), 8)
        self.assertTrue(run._finish_task())
        self.assertTrue(run._finish_task())
        self.assertEqual(len(run.message_ids.filtered(lambda m: "8 invoices" in m.body)), 1)

    def test_unfinished_task_is_not_closed(self):
        run = self._started_run()
        run._run_chunk(run.line_ids.ids[:3])
        self.assertFalse(run._finish_task())
        self.assertEqual(run.state, "running")

    def test_serialization_failure_is_tried_again(self):
        run = self._started_run()
        trials = []

        def fail_first(original, this, line_ids):
            trials.append(line_ids)
            original(this, line_ids)
            if len(trials) == 1:
                raise SerializationFailure("could not serialize access")

        with self._patched("_run_chunk", fail_first), patch.object(background.time, "sleep"):
            self._work()
        self.assertEqual(len(trials), 4)
        self.assertEqual((run.state, run.created_count), ("done", 8))
        self.assertEqual(len(run.move_ids), 8)

    def test_chunk_that_never_succeeds_fails_and_can_be_retried(self):
        run = self._started_run()
        bad = set(run.line_ids.ids[:3])

        def fail(original, this, line_ids):
            original(this, line_ids)
            if bad & set(line_ids):
                raise SerializationFailure("could not serialize access")

        with self._patched("_run_chunk", fail), patch.object(background.time, "sleep"):
            self._work()
        self.assertEqual((run.state, run.created_count, run.failed_count), ("done", 5, 3))
        self.assertEqual(len(run.move_ids), 5)
        self.company.healthcare_background_rows = 100
        run.action_retry()
        self.assertEqual((run.created_count, len(run.move_ids)), (8, 8))

    def test_broken_chunk_does_not_stop_the_others(self):
        run = self._started_run()
        broken = set(run.line_ids.ids[3:6])

        def fail(original, this, line_ids):
            if broken & set(line_ids):
                raise ZeroDivisionError
            return original(this, line_ids)

        with (
            self._patched("_run_chunk", fail),
            self.assertLogs("odoo.addons.healthcare_billing", "ERROR"),
        ):
            self._work()
        self.assertEqual((run.state, run.created_count, run.failed_count), ("done", 5, 3))
        failed = run.line_ids.filtered(lambda line: line.state == "failed")
        self.assertTrue(all(failed.mapped("message")))

    def test_runs_are_worked_on_one_after_the_other(self):
        first, second = self._started_run(), self._started_run()
        self._work()
        self.assertEqual((first + second).mapped("state"), ["done"] * 2)
        self.assertEqual((first + second).mapped("created_count"), [8, 8])

    # -- the other tasks --------------------------------------------------------------------------

    def test_post_in_the_background(self):
        run = self._started_run()
        self._work()
        bad = run.line_ids[4].move_id
        original = self.registry["account.move"]._post

        def refuse(moves, soft=True):
            if bad in moves:
                raise UserError(NO_LICENSE)
            return original(moves, soft)

        with patch.object(self.registry["account.move"], "_post", refuse):
            run.action_post_drafts()
            self.assertEqual((run.state, run.task), ("running", "post"))
            self._work()
        self.assertEqual(run.state, "done")
        self.assertEqual(bad.state, "draft")
        self.assertEqual(set((run.line_ids.move_id - bad).mapped("state")), {"posted"})
        self.assertEqual(run.line_ids[4].message, NO_LICENSE)
        self.assertTrue(
            run.message_ids.filtered(lambda m: "7 invoices are posted, 1 stay" in m.body)
        )
        self.company.healthcare_background_rows = 100
        run.action_post_drafts()
        self.assertEqual(bad.state, "posted")
        self.assertFalse(run.line_ids[4].message)

    def test_undo_in_the_background(self):
        run = self._started_run(post=True)
        self._work()
        self.assertEqual(set(run.line_ids.move_id.mapped("state")), {"posted"})
        charges = run.line_ids.charge_ids
        run.action_undo()
        self.assertEqual((run.state, run.task), ("running", "undo"))
        self._work()
        self.assertEqual(set(run.line_ids.mapped("state")), {"undone"})
        self.assertEqual(set(charges.mapped("billing_stage")), {"billing_office"})
        # the last numbers were taken back first, so that no number is missing
        self.assertFalse(self.env["account.move"].search([("billing_run_id", "=", run.id)]))

    def test_undo_leaves_what_was_paid_meanwhile(self):
        run = self._started_run(post=True)
        self._work()
        run.action_undo()
        paid = run.line_ids[2].move_id
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=paid.ids
        ).create({})._create_payments()
        self._work()
        self.assertEqual(run.line_ids[2].state, "created")
        self.assertIn("Money is reconciled", run.line_ids[2].message)
        self.assertEqual(paid.state, "posted")
        others = run.line_ids - run.line_ids[2]
        self.assertEqual(set(others.mapped("state")), {"undone"})

    def test_undo_of_a_mixed_run_leaves_no_gap(self):
        """Numbers don't follow the rows when some invoices go core's way (taxed)."""
        taxed = self._service("Taxed", "S9999", 100.0, taxes_id=[Command.set(self.tax_sale_a.ids)])
        charges = self.env["healthcare.charge"]
        for index in range(8):
            service = taxed if index % 3 == 1 else self.visit_service
            charges |= self._charge(self._client(f"Mixed {index}"), product_id=service.id)
        run = self._plan(charges).save()
        run.post = True
        run.action_execute()
        self._work()
        self.assertEqual(set(run.line_ids.mapped("state")), {"created"})
        run.action_undo()
        self._work()
        self.assertEqual(set(run.line_ids.mapped("state")), {"undone"})
        self.assertFalse(any(run.line_ids.mapped("message")))
        self.assertFalse(self.env["account.move"].search([("billing_run_id", "=", run.id)]))

    def test_queries_of_a_chunk_do_not_grow(self):
        counts = []
        for number in (3, 20, 40):
            run = self._started_run(number)
            line_ids = run.line_ids.ids
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            run._run_chunk(line_ids)
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(len(run.move_ids), number)
        self.assertLessEqual(counts[2], counts[1] + 5, counts)

    def test_queries_of_posting_per_invoice(self):
        """Core numbers invoices one by one; nothing of ours is asked per invoice."""
        per_invoice = []
        for number in (20, 40):
            run = self._started_run(number)
            run._run_chunk(run.line_ids.ids)
            run._finish_task()
            run.action_post_drafts()
            line_ids = run.line_ids.ids
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            run._run_chunk(line_ids)
            self.env.flush_all()
            per_invoice.append((self.env.cr.sql_log_count - before) / number)
            self.assertEqual(set(run.line_ids.move_id.mapped("state")), {"posted"})
        self.assertLess(per_invoice[1], per_invoice[0])
        self.assertLess(per_invoice[1], 10)
