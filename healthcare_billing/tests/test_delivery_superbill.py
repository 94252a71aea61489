from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.mail.tests.common import mail_new_test_user

from .test_delivery import DeliveryCommon
from .test_superbill import SuperbillCommon

SECRETS = ("ZZ9.01", "Test diagnosis", "Nursing", "T1001", "Annabel")


@tagged("post_install", "-at_install")
class TestSuperbillDelivery(SuperbillCommon, DeliveryCommon):
    """Superbills of existing invoices: one PDF, or an e-mail to each client."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("base.group_user").implied_ids |= cls.env.ref(
            "healthcare_billing.group_use_superbills"
        )
        cls.anna = cls._patient("Anna Adams", legal_name="Annabel", email="anna@example.com")
        cls.bert = cls._patient("Bert Bond", email="bert@example.com")
        for client in cls.anna | cls.bert:
            mail_new_test_user(
                cls.env,
                login=client.name,
                groups="base.group_portal",
                partner_id=client.id,
                name=client.name,
                email=client.email,
            )

    def _print(self, moves):
        return moves.with_env(self._act_as(self.biller))._print_documents("superbill")

    # -- print -----------------------------------------------------------------------------------
    def test_print_issues_one_per_client(self):
        moves = self._invoice(self.anna) | self._invoice(self.bert)
        action = self._print(moves)
        self.assertEqual(action["report_name"], "healthcare_billing.report_superbill")
        self.assertEqual(moves.superbill_ids.client_id, self.anna | self.bert)
        self._print(moves)
        self.assertEqual(len(moves.superbill_ids), 2, "printed again, not issued again")

    def test_print_leaves_out_what_lacks_something(self):
        self.bert.birth_date = False
        moves = self._invoice(self.anna) | self._invoice(self.bert)
        action = self._print(moves)
        self.assertIn("1 invoices have no superbill", action["params"]["message"])
        self.assertEqual(action["params"]["next"]["type"], "ir.actions.report")
        self.assertEqual(moves.superbill_ids.client_id, self.anna)
        self.assertIn("No superbill:", moves[1].delivery_message)
        self.bert.birth_date = "1970-01-01"
        self.assertEqual(self._print(moves)["type"], "ir.actions.report")
        self.assertFalse(moves[1].delivery_message)

    def test_print_nothing(self):
        self.anna.birth_date = False
        move = self._invoice(self.anna)
        with self.assertRaises(UserError):
            self._print(move)

    # -- e-mail ----------------------------------------------------------------------------------
    def test_email_tells_the_client_and_nothing_clinical(self):
        move = self._invoice(self.anna)
        self.assertEqual(self._queue(move, "superbill"), {"send": 1})
        self._send()
        self.assertEqual((move.delivery_state, move.delivery_document), ("sent", "superbill"))
        self.assertEqual(len(self._mails), 1)
        mail = self._mails[0]
        self.assertIn("anna@example.com", mail["email_to"][0])
        self.assertFalse(mail["attachments"])
        self.assertIn(f"/my/superbills/{move.superbill_ids.id}", mail["body"])
        for secret in SECRETS:
            self.assertNotIn(secret, mail["body"] + mail["subject"])
        self.assertFalse(move.is_move_sent, "the invoice itself wasn't sent")

    def test_who_asked_for_it_is_answered_in_the_own_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.biller.lang = "fr_FR"
        moves = self._invoice(self.anna)
        self._queue(moves, "superbill")
        with patch.object(
            type(moves), "_email_to_clients", autospec=True, side_effect=lambda move, *_args: None
        ) as email:
            self._send()
        self.assertEqual(email.call_args.args[0].env.lang, "fr_FR")
        self.assertEqual(email.call_args.args[0].env.user, self.biller)

    def test_email_carries_the_pdf_by_setting(self):
        self.company.healthcare_email_content = "pdf"
        client = self._patient("Without login", email="nologin@example.com")
        move = self._invoice(client)
        self._queue(move, "superbill")
        self._send()
        self.assertEqual(move.delivery_state, "sent")
        (attachment,) = self._mails[0]["attachments"]
        self.assertIn(move.superbill_ids.name, attachment[0])
        sent = move.superbill_ids._last_mails().attachment_ids
        self.assertEqual(sent.raw, move.superbill_ids._pdf_contents()[move.superbill_ids])

    def test_a_link_is_of_no_use_without_a_login(self):
        move = self._invoice(self._patient("Without login", email="nologin@example.com"))
        self.assertEqual(self._queue(move, "superbill"), {"no_portal": 1})
        self.assertEqual(move.delivery_state, "failed")
        self.assertIn("portal", move.delivery_message)

    def test_of_a_payers_invoice_it_goes_to_the_client(self):
        self.payer.email = "payer@example.com"
        self.anna.billing_account_ids.write(
            {
                "payer_id": self.payer.id,
                "coverage_ids": [Command.set(self._coverage(self.anna, self.payer).ids)],
            }
        )
        move = self._invoice(self.anna)
        self.assertEqual(move.partner_id, self.payer)
        self.assertEqual(self._queue(move, "superbill"), {"send": 1})
        self._send()
        self.assertEqual(len(self._mails), 1)
        self.assertIn("anna@example.com", self._receivers()[0])
        self.assertNotIn(f"/my/invoices/{move.id}", self._mails[0]["body"])

    def test_what_is_missing_fails_one_and_not_the_others(self):
        self.bert.birth_date = False
        moves = self._invoice(self.anna) | self._invoice(self.bert)
        self.assertEqual(self._queue(moves, "superbill"), {"send": 2})
        self._send()
        self.assertEqual(moves.mapped("delivery_state"), ["sent", "failed"])
        self.assertIn("birth date", moves[1].delivery_message)
        self.bert.birth_date = "1970-01-01"
        self.assertEqual(self._queue(moves, "superbill"), {"send": 1, "resend": 1})
        self._send()
        self.assertEqual(moves.mapped("delivery_state"), ["sent", "sent"])

    def _batched_invoice(self):
        """One invoice of a payer for both clients."""
        self.payer.invoicing_model = "payer_batched"
        for client in self.anna | self.bert:
            client.billing_account_ids.write(
                {
                    "payer_id": self.payer.id,
                    "coverage_ids": [Command.set(self._coverage(client, self.payer).ids)],
                }
            )
        visits = self._charge(self.anna) | self._charge(self.bert)
        return self._execute(visits, post=True).move_ids

    def test_one_of_two_clients_without_an_address(self):
        self.bert.email = False
        move = self._batched_invoice()
        self.assertEqual(self._queue(move, "superbill"), {"send": 1})
        self._send()
        self.assertEqual(len(self._mails), 1)
        self.assertEqual(move.delivery_state, "failed")
        self.assertIn("Bert Bond", move.delivery_message)
        self._learn()
        self.assertEqual(move.delivery_state, "failed")
        # trying again is for those who are left
        self._queue(move, "superbill")
        self._send()
        self.assertFalse(self._mails, "she has hers")
        self.assertEqual(move.delivery_state, "failed")
        self.bert.email = "bert@example.com"
        self._queue(move, "superbill")
        self._send()
        self.assertEqual(len(self._mails), 1)
        self.assertIn("bert@example.com", self._receivers()[0])
        self.assertEqual(move.delivery_state, "sent")
        # and sending again is for all
        self._queue(move, "superbill", resend=True)
        self._send()
        self.assertEqual(len(self._mails), 2)

    def test_one_of_two_clients_without_a_login(self):
        """Who can't open the portal gets no link to it, whoever else can."""
        self.bert.user_ids.active = False
        move = self._batched_invoice()
        self.assertEqual(self._queue(move, "superbill"), {"send": 1})
        self._send()
        self.assertEqual(len(self._mails), 1)
        self.assertIn("anna@example.com", self._receivers()[0])
        self.assertEqual(move.delivery_state, "failed")
        self.assertIn("Not sent to Bert Bond: they can't open", move.delivery_message)

    def test_one_of_two_bounces(self):
        move = self._batched_invoice()
        self._queue(move, "superbill")
        self._send()
        notices = move.delivery_mail_ids.sudo().notification_ids
        notices.filtered(lambda notice: notice.res_partner_id == self.bert).write(
            {"notification_status": "bounce", "failure_type": "mail_bounce"}
        )
        self._learn()
        self.assertEqual(move.delivery_state, "failed")
        self._queue(move, "superbill")
        self._send()
        self.assertEqual(len(self._mails), 1)
        self.assertIn("bert@example.com", self._receivers()[0])
        self.assertEqual(move.delivery_state, "sent")

    def test_the_plan_does_not_grow(self):
        clients = self.env["res.partner"].browse()
        for number in range(24):
            clients |= self._patient(f"Many {number}", email=f"many{number}@example.com")
        moves = self._execute(
            self.env["healthcare.charge"].union(*(self._charge(one) for one in clients)), post=True
        ).move_ids
        counts = []
        for number in (2, 12, 24):
            some = self.env["account.move"].browse(moves[:number].ids)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(list(some._delivery_plan("superbill")), ["no_portal"])
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[2], counts[1], counts)

    def test_invoice_and_superbill_are_two_deliveries(self):
        move = self._invoice(self.anna)
        self._queue(move, "superbill")
        self._send()
        self.assertEqual(self._queue(move, "superbill"), {"resend": 1})
        self.assertEqual(self._queue(move, "invoice"), {"send": 1})
        self._send()
        self.assertEqual((move.delivery_state, move.delivery_document), ("sent", "invoice"))

    def test_the_queue_is_not_forged(self):
        """``sending_data`` is core's, and whoever may edit invoices may write it."""
        move = self._invoice(self.anna)
        self._queue(move, "superbill")
        self._send()
        accountant = move.with_env(self._act_as(self._user("accountant")))
        accountant.sending_data = {
            "author_user_id": self.biller.id,
            "author_partner_id": self.biller.partner_id.id,
            "care_document": "superbill",
        }
        move.superbill_ids._void("test")
        self._send()
        self.assertEqual(len(move.superbill_ids), 1, "none was issued")
        documents = [mail for mail in self._mails if "/my/superbills/" in mail["body"]]
        self.assertFalse(documents)

    def test_the_queue_survives_nonsense(self):
        moves = self._invoice(self.anna) | self._invoice(self.bert)
        self._queue(moves, "superbill")
        accountant = moves[0].with_env(self._act_as(self._user("accountant")))
        accountant.sending_data = {
            "author_user_id": 0,
            "author_partner_id": self.biller.partner_id.id,
            "care_document": "nonsense",
        }
        self._send()
        self.assertEqual(moves.mapped("delivery_state"), ["sent", "sent"])
        self.assertEqual(set(moves.mapped("delivery_document")), {"superbill"})

    def test_issued_as_who_asked(self):
        move = self._invoice(self.anna)
        self._queue(move, "superbill")
        users = []
        model = self.registry["healthcare.superbill"]
        original = model._send_by_email

        def send(superbills):
            users.append(superbills.env.user)
            return original(superbills)

        with patch.object(model, "_send_by_email", send):
            self._send()
        self.assertEqual([user.id for user in users], self.biller.ids)
