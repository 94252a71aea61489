import threading
from unittest.mock import patch

from odoo.exceptions import ConcurrencyError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_concurrency import RETRIED, RaceCommon


@tagged("post_install", "-at_install")
class TestDeliveryConcurrency(RaceCommon):
    """Two users, two workers, or a server that dies: each document is e-mailed exactly once."""

    def setUp(self):
        super().setUp()
        with self._committed() as env:
            charges = env["healthcare.charge"].browse(self.charge_ids)
            for number, client in enumerate(charges.client_id):
                client.email = f"racer{number}@example.com"
            self.move_ids = self._bill_and_post(env).ids
        self.addCleanup(self._remove_mails)

    def _bill_and_post(self, env):
        run = self._bill(env)
        run.move_ids._post(soft=False)
        return run.move_ids.sorted("id")

    def _remove_mails(self):
        with self._committed() as env:
            domain = [("model", "=", "account.move"), ("res_id", "in", self.move_ids)]
            env["mail.mail"].search(domain).unlink()

    def _moves(self, env):
        return env["account.move"].browse(self.move_ids)

    def _queue(self, env, **choices):
        plan = self._moves(env)._queue_delivery("invoice", **choices)
        env.flush_all()
        return {outcome: len(moves) for outcome, moves in plan.items() if moves}

    def _send(self, env):
        env["account.move"]._send_slice(self.move_ids)
        env.flush_all()

    def _assert_mailed_once(self):
        with self._committed() as env:
            for move in self._moves(env):
                mails = move.message_ids.filtered(
                    lambda message: "Invoice" in (message.subject or "")
                )
                self.assertEqual(len(mails), 1, move.name)
                self.assertEqual(move.delivery_mail_ids, mails)
                self.assertFalse(move.sending_data)

    # -- queueing --------------------------------------------------------------------------------
    @mute_logger("odoo.sql_db")
    def test_r29_rival_queued_after_our_snapshot(self):
        with self._session() as ours:
            self._moves(ours).mapped("state")  # our snapshot
            with self._committed() as rival:
                self.assertEqual(self._queue(rival), {"send": 3})
            with self.assertRaises(RETRIED):  # the request is tried again
                self._queue(ours)
        with self._committed() as again:
            self.assertEqual(self._queue(again), {"queued": 3})
        with self._committed() as env:
            self._send(env)
        self._assert_mailed_once()

    @mute_logger("odoo.sql_db")
    def test_r29_rival_not_yet_committed(self):
        with self._session() as rival:
            self._queue(rival)
            with self._committed() as ours:
                self.assertEqual(self._queue(ours), {"busy": 3})
            rival.cr.commit()
        with self._committed() as env:
            self._send(env)
        self._assert_mailed_once()

    @mute_logger("odoo.sql_db")
    def test_r29_two_users_click_at_once(self):
        barrier = threading.Barrier(2)
        results, problems = [], []

        def click():
            barrier.wait(timeout=30)
            for _attempt in range(5):
                try:
                    with self._committed() as env:
                        results.append(self._queue(env))
                    return
                except RETRIED:
                    continue
                except Exception as error:  # noqa: BLE001  # shown by the assertion
                    problems.append(repr(error))
                    return

        threads = [threading.Thread(target=click) for _user in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        self.assertFalse(problems)
        self.assertEqual(sum(result.get("send", 0) for result in results), 3, results)
        with self._committed() as env:
            self._send(env)
        self._assert_mailed_once()

    # -- sending ---------------------------------------------------------------------------------
    @mute_logger("odoo.sql_db")
    def test_two_workers_send_once(self):
        """A scheduled action, and somebody who runs it by hand in a second server."""
        with self._committed() as env:
            self._queue(env)
        with self._session() as first:
            self._send(first)
            with self._committed() as second:
                self._send(second)  # finds all of them locked
            first.cr.commit()
        with self._committed() as again:
            self._send(again)
        self._assert_mailed_once()

    def test_a_server_dies_before_the_commit(self):
        """Nothing has left the house, and the next start sends it."""
        with self._committed() as env:
            self._queue(env)
        with self._session() as dying:
            self._send(dying)
            self.assertFalse(self._moves(dying)[0].sending_data)
        with self._committed() as env:
            self.assertTrue(all(move.sending_data for move in self._moves(env)))
            self.assertFalse(self._moves(env).delivery_mail_ids)
            self._send(env)
        self._assert_mailed_once()

    @mute_logger("odoo.sql_db", "odoo.addons.mail.models.mail_mail")
    def test_a_mail_that_is_out_is_not_sent_again_because_the_invoice_is_edited(self):
        """Learning of results is apart from the mail server's answer."""
        with self._committed() as env:
            self._queue(env)
            self._send(env)
        with self._session() as mail_server:
            move = self._moves(mail_server)[0]
            notice = move.delivery_mail_ids.notification_ids
            with self._committed() as editor:
                self._moves(editor)[0].write({"ref": "edited meanwhile"})
            notice.write({"notification_status": "sent"})
            mail_server.cr.commit()
        with self._committed() as env:
            env["account.move"]._update_delivery_results()
            self.assertEqual(
                self._moves(env).mapped("delivery_state"), ["sent", "queued", "queued"]
            )

    @mute_logger("odoo.sql_db")
    def test_posting_goes_on_on_a_new_snapshot(self):
        """One chunk that somebody works on neither stops the others nor stays behind."""
        with self._committed() as env:
            self._moves(env).button_draft()
            self._moves(env).posting_user_id = env.ref("base.user_root")
        tries = []
        model = type(env["account.move"])
        original = model._post_waiting

        def post_waiting(moves):
            if not tries:
                tries.append(1)
                with self._committed() as rival:
                    # what the posting writes as well, and isn't locked by it
                    self._moves(rival).partner_id.write({"comment": "changed"})
                moves.partner_id.write({"comment": "ours"})
                moves.env.flush_all()
            return original(moves)

        with (
            self._session() as ours,
            patch.object(model, "_post_waiting", post_waiting),
            patch.object(type(ours["ir.cron"]), "_commit_progress", lambda *_a, **_k: 100.0),
            patch("odoo.addons.healthcare_billing.models.account_move_posting.CHUNK_SIZE", 2),
        ):
            ours["account.move"]._cron_post_documents()
            ours.cr.commit()
        with self._committed() as env:
            self.assertEqual(set(self._moves(env).mapped("state")), {"posted"})
            self.assertFalse(self._moves(env).posting_user_id)

    @mute_logger("odoo.sql_db")
    def test_a_race_of_superbills_is_tried_again(self):
        """A lost race that isn't the database's own kind of conflict is no failure either."""
        with self._committed() as env:
            self._queue(env)
        tries = []
        model = type(env["account.move"])
        original = model._send_invoices

        def send_invoices(moves, documents):
            if not tries:
                tries.append(1)
                raise ConcurrencyError("issued meanwhile")
            return original(moves, documents)

        with self._session() as ours, patch.object(model, "_send_invoices", send_invoices):
            ours["account.move"]._try_to_send_slice(self.move_ids)
            ours.cr.commit()
        self._assert_mailed_once()

    @mute_logger("odoo.sql_db")
    def test_a_slice_is_tried_again_on_a_new_snapshot(self):
        with self._committed() as env:
            self._queue(env)
        tries = []
        model = type(env["account.move"])
        original = model._send_slice

        def send_slice(moves, ids):
            if not tries:
                tries.append(1)
                moves.search([("id", "in", ids)]).mapped("ref")  # our snapshot
                with self._committed() as rival:
                    self._moves(rival).write({"ref": "changed"})
            return original(moves, ids)

        with self._session() as ours, patch.object(model, "_send_slice", send_slice):
            ours["account.move"]._try_to_send_slice(self.move_ids)
            ours.cr.commit()
        self._assert_mailed_once()
