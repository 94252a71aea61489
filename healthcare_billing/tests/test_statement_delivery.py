from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.mail.tests.common import MockEmail

from ..models import healthcare_statement_delivery as delivery
from .sending_common import SendingCommon
from .statement_print_common import StatementPrintCommon


@tagged("post_install", "-at_install")
class TestStatementDelivery(StatementPrintCommon, SendingCommon, MockEmail):
    """E-mails of statements: each to its own addressee alone, with what became of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.email = "practice@example.com"
        cls.send_cron = cls.env.ref("healthcare_billing.ir_cron_statement_sending")
        cls.biller = cls._user("billing_user", email="biller@example.com")
        cls.statement = cls._of(cls.anna)
        cls.other = cls._of(cls.ben)

    @classmethod
    def _of(cls, client, **vals):
        """A statement of one visit of a client."""
        charge = cls._charge(client)
        cls._execute(charge, post=True)
        return cls._statement(client, charge, **vals)

    @classmethod
    def _many(cls, number):
        """Statements of so many clients with an address."""
        found = cls.env["healthcare.statement"]
        for n in range(number):
            found |= cls._of(cls._patient(f"Client {n}", email=f"client{n}@example.com"))
        return found

    def _queue(self, statements, **options):
        plan = statements.with_env(self._act_as(self.biller))._queue_delivery(**options)
        return {outcome: len(found) for outcome, found in plan.items() if found}

    def _sent_to(self):
        """``{addresses: bodies}`` of the mails that left."""
        return {tuple(mail["email_to"]): mail["body"] for mail in self._mails}

    # -- the road --------------------------------------------------------------------------------
    def test_queued_then_sent(self):
        both = self.statement | self.other
        self.assertEqual(self._queue(both), {"send": 2})
        self.assertEqual(both.mapped("delivery_state"), ["queued"] * 2)
        self.assertEqual(both.delivery_user_id, self.biller)
        self._send()
        self.assertEqual(both.mapped("delivery_state"), ["sent"] * 2)
        self.assertFalse(both.delivery_user_id)
        self.assertTrue(all(both.mapped("delivered_on")))
        self.assertEqual(len(self._mails), 2)

    def test_queued_twice_is_sent_once(self):
        self.assertEqual(self._queue(self.statement), {"send": 1})
        self.assertEqual(self._queue(self.statement), {"queued": 1})
        self._send()
        self.assertEqual(len(self._mails), 1)
        self.assertEqual(self._queue(self.statement), {"resend": 1})
        self.assertEqual(self._queue(self.statement, resend=True), {"send": 1})
        self._send()
        self.assertEqual(len(self._mails), 1)

    # -- nobody else -----------------------------------------------------------------------------
    def test_no_statement_reaches_anothers_addressee(self):
        """Followers, authors, colleagues and namesakes get nothing; each mail has one recipient."""
        statements = self._many(5) | self.statement | self.other
        outsider = self.env["res.partner"].create({"name": "X", "email": "outsider@example.com"})
        for statement in statements:
            statement.message_subscribe(
                (outsider | self.biller.partner_id | (statements - statement).partner_id).ids,
                self.env["mail.message.subtype"].search([]).ids,
            )
        self._queue(statements)
        self._send()
        self.assertEqual(len(self._mails), len(statements))
        by_address = {s.partner_id.email: s for s in statements}
        for mail in self._mails:
            self.assertEqual(len(mail["email_to"]), 1, mail["email_to"])
            self.assertFalse(mail["email_cc"])
            own = [s for address, s in by_address.items() if address in mail["email_to"][0]]
            self.assertEqual(len(own), 1, mail["email_to"])
            self.assertIn(own[0].name, mail["body"] + mail["subject"])
            self.assertIn(f"access_token={own[0].access_token}", mail["body"])
            for foreign in statements - own[0]:
                self.assertNotIn(foreign.name, mail["body"] + mail["subject"])
                self.assertNotIn(foreign.access_token, mail["body"])
        for statement in statements:
            notices = statement.delivery_mail_ids.sudo().notification_ids
            self.assertEqual(notices.res_partner_id, statement.partner_id)

    def test_a_template_with_more_recipients_reaches_the_addressee_alone(self):
        template = self.env.ref(delivery.MAIL_TEMPLATE).sudo()
        template.write({"partner_to": str(self.ben.id), "email_cc": "cc@example.com"})
        self._queue(self.statement)
        with mute_logger("odoo.addons.healthcare_billing.models.billing_engine_execution"):
            self._send()
        for addresses in self._sent_to():
            self.assertIn("anna@example.com", addresses[0])

    def test_shared_addresses_get_one_mail_each(self):
        """Two clients at one address: two statements, two mails, each with its own."""
        self.ben.email = self.anna.email
        self._queue(self.statement | self.other)
        self._send()
        self.assertEqual(len(self._mails), 2)
        bodies = [mail["body"] for mail in self._mails]
        for statement in self.statement | self.other:
            self.assertEqual(len([body for body in bodies if statement.name in body]), 1)

    # -- what it carries -------------------------------------------------------------------------
    def test_link_only_by_default(self):
        self._queue(self.statement)
        self._send()
        mail = self._mails[0]
        self.assertFalse(mail["attachments"])
        self.assertIn("80.00", mail["body"])
        for secret in ("Nursing", "T1001", "Pat Provider", "03/03/2025"):
            self.assertNotIn(secret, mail["body"] + mail["subject"])
        self.assertNothingConfidential(mail["body"])
        self.assertNotIn("Anna", mail["subject"])

    def test_pdf_by_setting(self):
        self.company.healthcare_email_content = "pdf"
        drawn = {}

        def draw(report, bodies, **_options):
            drawn[len(drawn)] = bodies
            return b"%PDF-1.4 " + str(len(drawn)).encode()

        with patch.object(self.registry["ir.actions.report"], "_run_wkhtmltopdf", draw):
            self._queue(self.statement | self.other)
            self._send()
        self.assertEqual(len(drawn), 2, "one by one")
        for mail in self._mails:
            self.assertEqual(len(mail["attachments"]), 1)
            own = self.statement if "anna" in mail["email_to"][0] else self.other
            self.assertEqual(mail["attachments"][0][0], f"Statement {own.name}.pdf")
        for bodies, foreign in zip(drawn.values(), (self.other, self.statement), strict=True):
            self.assertNotIn(foreign.name, "".join(map(str, bodies)))

    # -- what isn't sent -------------------------------------------------------------------------
    def test_why_not(self):
        draft = self._of(self._patient("Dora", email="dora@example.com"), state="draft")
        sold = self._of(self._patient("Sol", email="sol@example.com"), state="sold")
        nowhere = self._of(self._patient("Nora"))
        self.assertEqual(
            self._queue(draft | sold | nowhere), {"draft": 1, "closed": 1, "no_address": 1}
        )
        self.assertEqual(
            (draft | sold | nowhere).mapped("delivery_state"), ["failed", "failed", "no_address"]
        )
        self.assertIn("Commit", draft.delivery_message)
        self._send()
        self.assertFalse(self._mails)
        nowhere.partner_id.email = "nora@example.com"
        self.assertEqual(self._queue(nowhere), {"send": 1})
        self._send()
        self.assertEqual((nowhere.delivery_state, nowhere.delivery_message), ("sent", False))

    def test_canceled_while_it_waited(self):
        self._queue(self.statement | self.other)
        self.statement.sudo().state = "canceled"
        self.other.partner_id.email = False
        self._send()
        self.assertFalse(self._mails)
        self.assertEqual(self.statement.delivery_state, "failed")
        self.assertEqual(self.other.delivery_state, "no_address")

    def test_one_bad_one_never_stops_the_others(self):
        statements = self._many(4)
        bad = statements[1]
        send = type(bad)._send_by_email

        def fail(statement):
            if statement.id == bad.id:
                raise UserError(self.env._("No way"))
            send(statement)

        with patch.object(self.registry["healthcare.statement"], "_send_by_email", fail):
            self._queue(statements)
            self._send()
        self.assertEqual(bad.delivery_state, "failed")
        self.assertEqual(bad.delivery_message, "No way")
        self.assertEqual(set((statements - bad).mapped("delivery_state")), {"sent"})
        self.assertEqual(len(self._mails), 3)
        self.assertEqual(self._queue(bad), {"send": 1})

    def test_a_sender_who_lost_the_right(self):
        self._queue(self.statement)
        self.biller.group_ids = self.env.ref("base.group_user")
        self._send()
        self.assertFalse(self._mails)
        self.assertEqual(self.statement.delivery_state, "failed")

    def test_bounces_are_told(self):
        self._queue(self.statement)
        self._send()
        notice = self.statement.delivery_mail_ids.sudo().notification_ids
        notice.write({"notification_status": "bounce", "failure_type": "mail_bounce"})
        self._learn()
        self.assertEqual(self.statement.delivery_state, "failed")
        self.assertIn("not delivered", self.statement.delivery_message)

    # -- rights ----------------------------------------------------------------------------------
    def test_rights(self):
        for kind in ("coordinator", "accountant"):
            with self.assertRaises(AccessError):
                self.statement.with_env(self._act_as(self._user(kind)))._queue_delivery()
        own = self.statement.with_env(self._act_as(self.biller))
        for name in delivery.RESULT_FIELDS:
            with self.subTest(name), self.assertRaises(AccessError):
                own.write({name: False})
        self.send_cron.active = False
        with self.assertRaises(UserError):
            own._queue_delivery()

    # -- dialog ----------------------------------------------------------------------------------
    def test_dialog_tells_what_will_happen(self):
        nowhere = self._of(self._patient("Nora"))
        draft = self._of(self._patient("Dora", email="dora@example.com"), state="draft")
        chosen = (self.statement | self.other | nowhere | draft).with_env(self._act_as(self.biller))
        action = chosen.action_send()
        wizard = chosen.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual((wizard.statement_count, wizard.send_count, wizard.draft_count), (4, 2, 1))
        self.assertEqual((wizard.no_address_count, wizard.no_address_names), (1, "Nora"))
        result = wizard.action_send()
        self.assertEqual(result["params"]["type"], "warning")
        self.assertIn("2 e-mails are queued.", result["params"]["message"])
        with self.assertRaises(UserError):
            chosen.browse().action_send()
