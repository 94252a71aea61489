from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.mail.tests.common import MockEmail

from ..models import account_move_delivery_queue as delivery
from ..models.account_move_delivery import RESULT_FIELDS
from .common import A_DAY, USER_GROUPS, CareCommon
from .sending_common import SendingCommon

SECRETS = ("Nursing", "T1001", "ZZ9.01", "Test diagnosis", "Pat Provider")


class DeliveryCommon(CareCommon, SendingCommon, MockEmail):
    """Invoices of clients with an address, and what the server does with the queue."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.email = "practice@example.com"
        cls.anna = cls._client("Anna", email="anna@example.com")
        cls.ben = cls._client("Ben", email="ben@example.com")
        cls.send_cron = cls.env.ref("account.ir_cron_account_move_send")
        cls.biller = cls._user("billing_user", email="biller@example.com")

    @classmethod
    def _invoice(cls, client, post=True, **vals):
        """Invoices of one visit of a client, addressed as the billing account says."""
        return cls._execute(cls._charge(client, **vals), post=post).move_ids

    @classmethod
    def _invoices(cls, number, post=True, **vals):
        """One invoice each of so many clients with an address."""
        clients = cls.env["res.partner"].create(
            [
                {
                    "name": f"Client {n}",
                    "is_healthcare_client": True,
                    "email": f"client{n}@example.com",
                }
                for n in range(number)
            ]
        )
        visits = cls.env["healthcare.appointment"].create(
            [
                {
                    "client_id": client.id,
                    "start": cls._local(A_DAY),
                    "employee_id": cls.provider.id,
                    "product_id": cls.visit_service.id,
                    "state": "completed",
                }
                for client in clients
            ]
        )
        return cls._execute(visits, post=post).move_ids.sorted("id")

    def _queue(self, moves, document="invoice", user=None, **choices):
        """Queue as a biller; returns the plan as ``{outcome: number}``."""
        plan = moves.with_env(self._act_as(user or self.biller))._queue_delivery(
            document, **choices
        )
        return {outcome: len(found) for outcome, found in plan.items() if found}


@tagged("post_install", "-at_install")
class TestDelivery(DeliveryCommon):
    """E-mails of invoices: to whom, with what, and what became of each."""

    # -- the road --------------------------------------------------------------------------------
    def test_queued_then_sent(self):
        moves = self._invoice(self.anna) | self._invoice(self.ben)
        self.assertEqual(moves.mapped("delivery_state"), [False, False])
        self.assertEqual(self._queue(moves), {"send": 2})
        self.assertEqual(set(moves.mapped("delivery_state")), {"queued"})
        self.assertTrue(all(moves.mapped("is_being_sent")))
        self._send()
        self.assertEqual(set(moves.mapped("delivery_state")), {"sent"})
        self.assertEqual(set(moves.mapped("delivery_document")), {"invoice"})
        self.assertTrue(all(moves.mapped("delivered_on")))
        self.assertTrue(all(moves.mapped("is_move_sent")))
        self.assertFalse(any(moves.mapped("is_being_sent")))
        self.assertEqual(len(self._mails), 2)
        receivers = " ".join(self._receivers())
        self.assertIn("anna@example.com", receivers)
        self.assertIn("ben@example.com", receivers)

    def test_it_waits_in_the_mail_queue_until_it_is_sent(self):
        move = self._invoice(self.anna)
        self._queue(move)
        self._run_cron(self.send_cron)
        self._learn()
        self.assertEqual(move.delivery_state, "queued")
        self.assertFalse(move.sending_data)
        self.assertEqual(len(move.delivery_mail_ids), 1)
        self.assertEqual(move.delivery_mail_ids.partner_ids, self.anna)

    def test_the_author_is_who_asked(self):
        move = self._invoice(self.anna)
        self._queue(move)
        self._send()
        self.assertEqual(self._mails[0]["email_from"], '"company_1_data" <practice@example.com>')
        self.assertEqual(len(self._mails), 1)

    # -- what it carries -------------------------------------------------------------------------
    def _body(self):
        return self._mails[0]["body"]

    def test_link_only_by_default(self):
        self.assertEqual(self.company.healthcare_email_content, "link")
        move = self._invoice(self.anna)
        self._queue(move)
        self._send()
        mail = self._mails[0]
        self.assertFalse(mail["attachments"])
        self.assertFalse(move.invoice_pdf_report_id, "no PDF is made that nobody gets")
        self.assertIn(f"/my/invoices/{move.id}?access_token={move.access_token}", mail["body"])
        self.assertIn(move.name, mail["subject"])
        self.assertIn("80.00", mail["body"])
        for secret in SECRETS:
            self.assertNotIn(secret, mail["body"] + mail["subject"])
        self.assertNotIn("Anna", mail["subject"])

    def test_a_pdf_that_exists_is_not_attached_to_a_link(self):
        move = self._invoice(self.anna)
        self.env["ir.attachment"].create(
            {
                "name": "kept.pdf",
                "raw": b"%PDF-1.4",
                "res_model": "account.move",
                "res_id": move.id,
                "res_field": "invoice_pdf_report_file",
            }
        )
        move.invalidate_recordset()
        self.assertTrue(move.invoice_pdf_report_id)
        self._queue(move)
        self._send()
        self.assertFalse(self._mails[0]["attachments"])
        self.assertFalse(move.delivery_mail_ids.attachment_ids)

    def test_pdf_by_setting(self):
        self.company.healthcare_email_content = "pdf"
        move = self._invoice(self.anna)
        self._queue(move)
        self._send()
        self.assertEqual(len(self._mails[0]["attachments"]), 1)
        self.assertIn(move.name.replace("/", "_"), self._mails[0]["attachments"][0][0])
        self.assertEqual(move.delivery_state, "sent")

    def test_the_native_send_button_follows_the_setting(self):
        move = self._invoice(self.anna)
        wizard = self.env["account.move.send.wizard"].create({"move_id": move.id})
        self.assertEqual(
            wizard.template_id, self.env.ref("healthcare_billing.mail_template_care_invoice")
        )
        self.assertFalse(wizard.mail_attachments_widget)
        with self.mock_mail_gateway():
            wizard.action_send_and_print()
            self.env["mail.mail"].process_email_queue()
        self.assertFalse(self._mails[0]["attachments"])
        self._learn()
        self.assertEqual(move.delivery_state, "sent")

    def test_other_invoices_are_sent_as_ever(self):
        other = self.init_invoice("out_invoice", partner=self.anna, amounts=[10.0], post=True)
        self.assertEqual(
            other._get_mail_template(), self.env.ref("account.email_template_edi_invoice")
        )
        with self.mock_mail_gateway():
            self.env["account.move.send"]._generate_and_send_invoices(other)
        self.assertFalse(other.delivery_state)
        self.assertEqual(self._queue(other), {"not_care": 1})

    def test_in_the_language_of_the_addressee(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        template = self.env.ref("healthcare_billing.mail_template_care_invoice")
        template.with_context(lang="fr_FR").subject = "Facture {{ object.name }}"
        self.anna.lang = "fr_FR"
        moves = self._invoice(self.anna) | self._invoice(self.ben)
        self._queue(moves)
        self._send()
        subjects = {mail["email_to"][0]: mail["subject"] for mail in self._mails}
        french = next(s for address, s in subjects.items() if "anna@" in address)
        english = next(s for address, s in subjects.items() if "ben@" in address)
        self.assertIn("Facture", french)
        self.assertNotIn("Facture", english)

    # -- to whom ---------------------------------------------------------------------------------
    def test_the_billing_contact_gets_it(self):
        mother = self.env["res.partner"].create({"name": "Mother", "email": "mother@example.com"})
        child = self._client("Child", account={"guarantor_id": mother.id})
        move = self._invoice(child)
        self.assertEqual(self._queue(move), {"send": 1})
        self._send()
        self.assertIn("mother@example.com", self._receivers()[0])

    def test_a_payers_invoice_never_goes_to_the_client(self):
        self.payer.email = "payer@example.com"
        client = self._insured_client("Ivy", copay=20.0, email="ivy@example.com")
        moves = self._invoice(client)
        to_payer = moves.filtered(lambda move: move.partner_id == self.payer)
        self.assertEqual(len(moves), 2)
        self.assertEqual(self._queue(moves), {"send": 1, "payer": 1})
        self.assertFalse(to_payer.delivery_state, "no failure")
        self.assertIn("Addressed to a payer", to_payer.delivery_message)
        self._send()
        self.assertEqual(len(self._mails), 1)
        self.assertIn("ivy@example.com", self._receivers()[0])
        # asked for: it goes to the payer, and to nobody else
        self.assertEqual(self._queue(moves, to_payers=True), {"send": 1, "resend": 1})
        self._send()
        self.assertEqual(len(self._mails), 1)
        self.assertIn("payer@example.com", self._receivers()[0])
        self.assertFalse(to_payer.delivery_message)

    def test_no_address_is_told_at_once(self):
        self.anna.email = False
        self.ben.email = "no address at all"
        moves = self._invoice(self.anna) | self._invoice(self.ben)
        self.assertEqual(self._queue(moves), {"no_address": 2})
        self.assertEqual(set(moves.mapped("delivery_state")), {"no_address"})
        self.assertFalse(any(moves.mapped("sending_data")))
        self.anna.email = "anna@example.com"
        self.assertEqual(self._queue(moves), {"send": 1, "no_address": 1})
        self.assertFalse(moves[0].delivery_message, "a retry clears it")

    def test_drafts_are_told_or_posted_first(self):
        move = self._invoice(self.anna, post=False)
        self.assertEqual(self._queue(move), {"draft": 1})
        self.assertEqual(move.delivery_state, "failed")
        self.assertIn("draft", move.delivery_message)
        self.assertEqual(self._queue(move, post=True), {"send": 1})
        self.assertEqual((move.state, move.delivery_state), ("posted", "queued"))
        self._send()
        self.assertEqual(move.delivery_state, "sent")

    def test_a_draft_that_cannot_be_posted_is_not_sent(self):
        bad, good = self._invoice(self.anna, post=False), self._invoice(self.ben, post=False)
        bad.partner_bank_id = self.env["res.partner.bank"].create(
            {"acc_number": "X1", "partner_id": self.company.partner_id.id, "active": False}
        )
        self._queue(bad | good, post=True)
        self.assertEqual((bad.state, bad.delivery_state), ("draft", "failed"))
        self.assertIn("Not posted", bad.delivery_message)
        self.assertFalse(bad.sending_data)
        self._send()
        self.assertEqual(good.delivery_state, "sent")
        self.assertEqual(len(self._mails), 1)

    def test_a_canceled_one_is_refused(self):
        move = self._invoice(self.anna, post=False)
        move.button_cancel()
        self.assertEqual(self._queue(move), {"canceled": 1})
        self.assertEqual(move.delivery_state, "failed")

    def test_taken_back_to_draft_while_queued(self):
        move = self._invoice(self.anna)
        self._queue(move)
        move.button_draft()
        self.assertEqual(move.delivery_state, "failed")
        self._send()
        self.assertFalse(self._mails)

    # -- once ------------------------------------------------------------------------------------
    def test_queued_twice_is_sent_once(self):
        move = self._invoice(self.anna)
        self.assertEqual(self._queue(move), {"send": 1})
        self.assertEqual(self._queue(move), {"queued": 1})
        self._send()
        self.assertEqual(len(self._mails), 1)
        self.assertEqual(self._queue(move), {"resend": 1})
        self._send()
        self.assertFalse(self._mails)
        self.assertEqual(self._queue(move, resend=True), {"send": 1})
        self._send()
        self.assertEqual(len(self._mails), 1)

    # -- one bad never stops the others ----------------------------------------------------------
    @mute_logger("odoo.addons.healthcare_billing.models.billing_engine_execution")
    def test_one_bad_invoice_does_not_stop_the_others(self):
        moves = self._invoices(5)
        bad = moves[2]
        self._queue(moves)
        sender = self.registry["account.move.send"]
        original = sender._get_mail_params

        def params(model, move, data):
            if move == bad:
                raise ZeroDivisionError("broken layout")
            return original(model, move, data)

        with patch.object(sender, "_get_mail_params", params):
            self._send()
        self.assertEqual((moves - bad).mapped("delivery_state"), ["sent"] * 4)
        self.assertEqual(bad.delivery_state, "failed")
        self.assertIn("broken layout", bad.delivery_message)
        self.assertIn("Nothing was sent", bad.delivery_message)
        self.assertNotIn("row", bad.delivery_message)
        self.assertFalse(bad.sending_data)
        self.assertEqual(len(self._mails), 4)
        self.assertEqual(self._queue(moves), {"send": 1, "resend": 4})
        self._send()
        self.assertEqual(bad.delivery_state, "sent")
        self.assertFalse(bad.delivery_message)

    def test_an_error_of_the_document_is_told(self):
        """What core and other addons report without raising."""
        self.company.healthcare_email_content = "pdf"
        moves = self._invoice(self.anna) | self._invoice(self.ben)
        self._queue(moves)
        sender = self.registry["account.move.send"]

        def before(_model, invoice, data):
            if invoice == moves[0]:
                data["error"] = {"error_title": "No stamp", "errors": ["of the office"]}

        with patch.object(sender, "_hook_invoice_document_before_pdf_report_render", before):
            self._send()
        self.assertEqual(moves.mapped("delivery_state"), ["failed", "sent"])
        self.assertIn("No stamp", moves[0].delivery_message)

    def _assert_nobody_got(self, move):
        self.assertEqual(move.delivery_state, "failed")
        self.assertIn("nobody", move.delivery_message)
        self.assertFalse(move.is_move_sent)

    def test_what_nobody_got_was_not_sent(self):
        """Who lost the address while it waited; a PDF counts as sent for core once it is drawn."""
        for content, client in (("link", self.anna), ("pdf", self.ben)):
            with self.subTest(content=content):
                self.company.healthcare_email_content = content
                move, address = self._invoice(client), client.email
                self._queue(move)
                client.email = False
                self._send()
                self._assert_nobody_got(move)
                client.email = address
                self.assertEqual(self._queue(move), {"send": 1})
                self._send()
                self.assertEqual((move.delivery_state, move.is_move_sent), ("sent", True))

    def test_followers_are_nobody(self):
        """A mail of which only colleagues are told who follow the invoice."""
        move = self._invoice(self.anna)
        move.message_subscribe(self.biller.partner_id.ids)
        self._queue(move)
        sender = self.registry["account.move.send"]
        original = sender._get_mail_params

        def without_addressee(model, *args):
            return {**original(model, *args), "partner_ids": []}

        with patch.object(sender, "_get_mail_params", without_addressee):
            self._send()
        self._assert_nobody_got(move)

    def test_slices_of_one_company_each(self):
        branch = self.setup_other_company(name="Other practice")["company"]
        branch.write({"healthcare_tz": "America/New_York", "email": "other@example.com"})
        env = self.env(context={**self.env.context, "allowed_company_ids": branch.ids})
        own = self._invoice(self.anna)
        other_client = env["res.partner"].create(
            {"name": "Olga", "is_healthcare_client": True, "email": "olga@example.com"}
        )
        visit = env["healthcare.appointment"].create(
            {
                "client_id": other_client.id,
                "start": self._local(A_DAY),
                "product_id": self.visit_service.id,
                "state": "completed",
            }
        )
        engine = env["healthcare.billing.engine"].with_company(branch)
        foreign = engine.execute(engine.plan(visit.charge_ids), post=True).move_ids
        self.biller.company_ids |= branch
        both = self.env(
            user=self.biller, context={"allowed_company_ids": (self.company | branch).ids}
        )
        moves = own.with_env(both) | foreign.with_env(both)
        plan = moves._queue_delivery("invoice")
        self.assertEqual(len(plan["send"]), 2)
        slices = []
        original = self.registry["account.move"]._send_slice

        def send_slice(model, ids):
            slices.append(model.browse(ids).company_id)
            return original(model, ids)

        with patch.object(self.registry["account.move"], "_send_slice", send_slice):
            self._send()
        self.assertEqual(sorted(slices, key=len), sorted(slices))
        self.assertEqual({company.id for company in slices}, {self.company.id, branch.id})
        self.assertEqual(own.delivery_state, "sent")
        self.assertEqual(foreign.delivery_state, "sent")
        senders = {mail["email_from"].split("<")[1] for mail in self._mails}
        self.assertEqual(senders, {"practice@example.com>", "other@example.com>"})

    def test_time_is_up(self):
        """The queue goes on where it stopped; the rest of core's queue waits for it."""
        moves = self._invoices(3)
        self._queue(moves)
        cron = self.registry["ir.cron"]
        with (
            patch.object(delivery, "SLICE_SIZE", 2),
            patch.object(cron, "_commit_progress", lambda *_a, **_k: 0),
            self.mock_mail_gateway(),
        ):
            self.env["account.move"]._cron_account_move_send()
        self.env.invalidate_all()
        self.assertEqual([bool(move.sending_data) for move in moves], [False, False, True])
        self._send()
        self.assertEqual(set(moves.mapped("delivery_state")) - {"queued"}, {"sent"})

    # -- what became of it -----------------------------------------------------------------------
    @mute_logger("odoo.addons.mail.models.mail_mail")
    def test_a_mail_that_fails_says_why(self):
        moves = self._invoice(self.anna) | self._invoice(self.ben)
        self._queue(moves)
        self._run_cron(self.send_cron)
        notices = moves.delivery_mail_ids.sudo().notification_ids
        self.assertEqual(notices.res_partner_id, self.anna | self.ben)
        bad = notices.filtered(lambda notice: notice.res_partner_id == self.anna)
        bad.write({"notification_status": "exception", "failure_type": "mail_smtp"})
        (notices - bad).write({"notification_status": "sent"})
        self._learn()
        self.assertEqual(moves.mapped("delivery_state"), ["failed", "sent"])
        self.assertIn("Connection failed", moves[0].delivery_message)
        # somebody has it sent again from the chatter
        bad.write({"notification_status": "sent", "failure_type": False})
        self._learn()
        self.assertEqual(moves[0].delivery_state, "sent")
        self.assertFalse(moves[0].delivery_message)

    def test_a_later_failure_is_not_made_good_by_an_earlier_success(self):
        move = self._invoice(self.anna)
        self._queue(move)
        self._send()
        self.assertEqual(move.delivery_state, "sent")
        sender = self.env["account.move.send"]
        error = {"error_title": "Broken", "errors": ["layout"]}
        sender._hook_if_errors(
            {move: {"author_partner_id": self.env.user.partner_id.id, "error": error}},
            allow_raising=False,
        )
        self._learn()
        self.assertEqual(move.delivery_state, "failed")
        self.assertIn("Broken", move.delivery_message)

    def test_it_knows_its_own_message(self):
        """Not what an automation writes on the invoice because of it."""
        move = self._invoice(self.anna)
        self._queue(move)
        model = self.registry["account.move"]
        original = model._message_post_after_hook

        def after(record, message, values):
            result = original(record, message, values)
            if message.partner_ids:
                record.message_post(body="An automation noticed", message_type="notification")
            return result

        with patch.object(model, "_message_post_after_hook", after):
            self._send()
        self.assertEqual(move.delivery_mail_ids.partner_ids, self.anna)
        self.assertNotIn("automation", move.delivery_mail_ids.body)
        self.assertEqual(move.delivery_state, "sent")

    def test_a_bounce_comes_later(self):
        move = self._invoice(self.anna)
        self._queue(move)
        self._send()
        self.assertEqual(move.delivery_state, "sent")
        self.env["ir.cron.trigger"].search([]).unlink()
        notice = move.delivery_mail_ids.sudo().notification_ids
        notice.write({"notification_status": "bounce", "failure_type": "mail_bounce"})
        triggers = self.env["ir.cron.trigger"].search([])
        self.assertEqual(
            triggers.cron_id, self.env.ref("healthcare_billing.ir_cron_delivery_results")
        )
        self._learn()
        self.assertEqual(move.delivery_state, "failed")
        self.assertEqual(move.delivery_message, "E-mail not delivered: Bounce")

    def test_a_follower_who_bounces_is_not_the_client(self):
        colleague = self.env["res.partner"].create({"name": "C", "email": "c@example.com"})
        move = self._invoice(self.anna)
        move.message_subscribe(colleague.ids)
        self._queue(move)
        self._send()
        notices = move.delivery_mail_ids.sudo().notification_ids
        self.assertIn(colleague, notices.res_partner_id)
        notices.filtered(lambda notice: notice.res_partner_id == colleague).write(
            {"notification_status": "bounce", "failure_type": "mail_bounce"}
        )
        self._learn()
        self.assertEqual(move.delivery_state, "sent")

    # -- rights ----------------------------------------------------------------------------------
    def test_only_billers_queue(self):
        move = self._invoice(self.anna)
        for kind in USER_GROUPS:
            user = self.biller if kind == "billing_user" else self._user(kind)
            with self.subTest(kind=kind):
                if kind in ("billing_user", "billing_manager"):
                    move.sudo().write({"sending_data": False, "delivery_state": False})
                    self.assertEqual(self._queue(move, user=user), {"send": 1})
                else:
                    with self.assertRaises(AccessError):
                        self._queue(move, user=user)

    def test_results_are_not_written_by_hand(self):
        move = self._invoice(self.anna).with_env(self._act_as(self.biller))
        for values in (
            {"delivery_state": "sent"},
            {"delivery_message": "Fine"},
            {"posting_user_id": self.biller.id},
            {"delivery_user_id": self.biller.id},
        ):
            with self.subTest(values=values), self.assertRaises(AccessError):
                move.write(values)

    def test_results_are_no_defaults(self):
        """Neither the context nor a user's own defaults say what was never done."""
        forged = {
            "delivery_message": "Fine",
            "delivery_state": "sent",
            "delivery_user_id": self.env.uid,
            "posting_user_id": self.env.uid,
        }
        env = self._act_as(self.biller)
        context = {f"default_{name}": value for name, value in forged.items()}
        values = {"move_type": "out_invoice", "partner_id": self.anna.id}
        moves = env["account.move"].with_context(**context).create(values)
        moves |= self._invoice(self.anna).with_env(env).with_context(**context).copy()
        for name, value in forged.items():
            env["ir.default"].set("account.move", name, value, user_id=True)
        moves |= env["account.move"].create(values)
        for name in forged:
            self.assertFalse(any(moves.mapped(name)), name)

    def test_no_field_of_ours_takes_the_name_of_one_of_cores(self):
        for name in (*RESULT_FIELDS, "created_on"):
            self.assertEqual(
                self.env["account.move"]._fields[name]._modules, ("healthcare_billing",), name
            )

    def test_a_copy_was_not_sent(self):
        move = self._invoice(self.anna)
        self._queue(move)
        self.assertFalse(move.copy().delivery_state)

    def test_nothing_is_queued_that_nobody_sends(self):
        self.send_cron.active = False
        move = self._invoice(self.anna)
        with self.assertRaisesRegex(UserError, "switched off"):
            self._queue(move)
        self.assertFalse(move.delivery_state)

    # -- many ------------------------------------------------------------------------------------
    def test_queueing_does_not_grow(self):
        counts = []
        for number in (5, 20, 40):
            moves = self._invoices(number)
            moves[0].partner_id.email = False
            draft = self._invoices(1, post=False)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._queue(moves | draft)
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[2], counts[1] + 2, counts)

    def test_learning_does_not_grow(self):
        counts = []
        for number in (5, 20, 40):
            moves = self._invoices(number)
            self._queue(moves)
            self._run_cron(self.send_cron)
            moves.delivery_mail_ids.sudo().notification_ids.write({"notification_status": "sent"})
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["account.move"]._update_delivery_results()
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(set(moves.mapped("delivery_state")), {"sent"})
        self.assertLessEqual(counts[2], counts[1] + 2, counts)
