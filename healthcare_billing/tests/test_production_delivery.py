from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .production_common import ProductionCommon


@tagged("post_install", "-at_install")
class TestBillProduction(ProductionCommon):
    """Bills are produced by the options of their billing accounts (R25)."""

    def _produce(self, bills):
        plan, pages = self._as_biller(bills)._produce()
        return {outcome: len(moves) for outcome, moves in plan.items() if moves}, pages

    # -- what producing does ---------------------------------------------------------------------
    def test_r25_without_options_it_only_leaves_the_list(self):
        bill = self._bills(self._matter())
        self.assertEqual(self._produce(bill), ({"produce": 1}, []))
        self.assertEqual(bill.production_state, "produced")
        self.assertTrue(bill.produced_on)
        self.assertFalse(bill.is_move_sent, "nobody got it")
        self.assertFalse(bill.sending_data)

    def test_r25_copies_are_printed_in_the_order_of_the_list(self):
        none, one, two = self._bills(
            self._matter("None"),
            self._matter("One", print_copies="1"),
            self._matter("Two", print_copies="2"),
        )
        _plan, pages = self._produce(two | none | one)
        self.assertEqual(pages, [two.id, two.id, one.id])
        self.assertEqual((none | one | two).mapped("production_state"), ["produced"] * 3)
        self.assertEqual((none | one | two).mapped("is_move_sent"), [False, True, True])

    def test_r25_what_is_to_print_stays_until_somebody_has_it(self):
        """The PDF is drawn after the bills are produced: when that fails, nothing is lost."""
        bill = self._bills(self._matter(print_copies="2"))
        dialog = self._dialog(self._as_biller(bill).action_produce_bills())
        self.assertEqual(self._dialog(dialog.action_confirm()), dialog)
        self.assertEqual(bill.production_state, "produced")
        self.assertIn("Download what is to be printed", dialog.note_ids.mapped("name")[-1])
        self.assertEqual(dialog.part_ids.mapped("page_ids"), [[bill.id, bill.id]])
        for _time in range(2):
            report = dialog.part_ids.action_download()
            self.assertEqual(report["report_name"], "healthcare_billing.report_bills")
            self.assertEqual(report["context"]["active_ids"], [bill.id, bill.id])

    def test_r25_a_bill_that_is_emailed_stays_until_it_is_out(self):
        account = self._matter(delivery_email="a@example.com, B@Example.com", print_copies="1")
        bill = self._bills(account)
        dialog = self._dialog(self._as_biller(bill).action_produce_bills())
        texts = " ".join(dialog.note_ids.mapped("name"))
        self.assertIn("Printed: 1. Copies in all: 1.", texts)
        self.assertIn("of their accounts: 1.", texts)
        self._dialog(dialog.action_confirm())
        self.assertEqual((bill.production_state, bill.delivery_state), ("production", "queued"))
        self._send()
        self.assertEqual((bill.production_state, bill.delivery_state), ("produced", "sent"))
        receivers = [f'"{name}@example.com" <{name}@example.com>' for name in "ab"]
        self.assertEqual(self._receivers(), receivers)

    def test_r25_exactly_the_addresses_of_the_account(self):
        """Neither the addressee, who follows the invoice, nor anybody else."""
        account = self._matter("Anna", delivery_email="own-desk@example.com")
        account.client_id.email = "anna@example.com"
        office = self.env["res.partner"].create({"name": "Desk", "email": "own-desk@example.com"})
        bill = self._bills(account)
        bill.message_subscribe(account.client_id.ids)
        self._produce(bill)
        self._send()
        self.assertEqual(bill.delivery_mail_ids.notified_partner_ids, office)
        self.assertEqual(len(self._mails), 1)
        self.assertIn("own-desk@example.com", self._receivers()[0])
        mail = self._mails[0]
        for secret in ("Therapy", "H0004"):
            self.assertNotIn(secret, mail["body"] + mail["subject"])

    def test_r25_a_contact_with_more_addresses_is_not_the_one(self):
        several = self.env["res.partner"].create(
            {"name": "Several", "email": "multi@example.com, other@example.com"}
        )
        bill = self._bills(self._matter(delivery_email="multi@example.com"))
        self._produce(bill)
        self._send()
        receivers = bill.delivery_mail_ids.notified_partner_ids
        self.assertEqual(receivers.mapped("email"), ["multi@example.com"])
        self.assertNotIn(several, receivers)
        self.assertEqual(len(self._receivers()), 1)
        self.assertNotIn("other@example.com", self._receivers()[0])

    def _insured_bills(self, **account):
        """The payer's bill of an insured client, and the client's own: co-pay, late cancel."""
        client = self._insured_client(copay=15.0, account=account)
        self._charge(client)
        self._appointment(client, hour=14, state="late_canceled").charge_ids.price_unit = 25.0
        bills = self._bill(self._mass_run(), client.billing_account_ids)
        bills._approve_bills()
        payers = bills.filtered(lambda move: move.partner_id == self.payer)
        return payers, bills - payers

    def test_r25_the_clients_own_bill_does_not_go_to_the_insurer(self):
        payers, clients = self._insured_bills(delivery_email="claims@insurer.example.com")
        account = clients._mass_accounts()
        account.client_id.email = "family@example.com"
        self.assertEqual(payers.delivery_email, "claims@insurer.example.com")
        self.assertEqual(clients.delivery_email, "family@example.com")
        with self.assertRaisesRegex(UserError, "on the contact"):
            self._as_biller(clients).write({"delivery_email": "other@example.com"})
        self.assertEqual(account.delivery_email, "claims@insurer.example.com")
        self._produce(payers | clients)
        self._send()
        receivers = {
            move: move.delivery_mail_ids.notified_partner_ids.mapped("email")
            for move in payers | clients
        }
        self.assertEqual(
            receivers, {payers: ["claims@insurer.example.com"], clients: ["family@example.com"]}
        )

    def test_r25_the_clients_own_bill_without_an_address_is_told(self):
        payers, clients = self._insured_bills(delivery_email="claims@insurer.example.com")
        self.assertFalse(clients.delivery_email)
        self.assertEqual(self._produce(payers | clients), ({"produce": 1, "no_address": 1}, []))
        self.assertEqual((clients.delivery_state, payers.delivery_state), ("no_address", "queued"))

    def test_r25_an_account_of_the_client_names_the_clients_addresses(self):
        """Where the payer isn't billed, or a billing contact is, the bill is the account's."""
        payer = self._payer("Elsewhere", invoicing_model="client_individual")
        contact = self.env["res.partner"].create({"name": "Aunt", "email": "aunt@example.com"})
        account = self._matter(
            delivery_email="a@example.com", payer_id=payer.id, guarantor_id=contact.id
        )
        bill = self._bills(account)
        self.assertEqual(bill.partner_id, contact)
        self.assertEqual(bill.delivery_email, "a@example.com")

    def test_r25_the_accounts_own_email_template(self):
        template = self.env.ref("healthcare_billing.mail_template_care_invoice").copy(
            {"name": "Own", "subject": "Your bill {{ object.name }}"}
        )
        bill = self._bills(
            self._matter(delivery_email="a@example.com", delivery_template_id=template.id)
        )
        self._produce(bill)
        self._send()
        self.assertEqual(self._mails[0]["subject"], f"Your bill {bill.name}")

    def test_r25_a_bill_of_several_accounts_goes_to_its_payer_only(self):
        payer = self._payer(
            "Firm", payer_type="other", invoicing_model="payer_batched", email="firm@example.com"
        )
        one = self._matter("One", work=(), payer_id=payer.id)
        two = self._matter("Two", work=(), payer_id=payer.id)
        for account, email, copies in ((one, "a@example.com", "1"), (two, False, "2")):
            account.write({"delivery_email": email, "print_copies": copies})
            self._record(account, work=(50.0,))
        run = self._mass_run()
        self.assertFalse(run.exclusion_ids.mapped("reason_id.code"))
        bill = self._bill(run)
        bill._approve_bills()
        self.assertEqual(bill._mass_accounts(), one | two)
        self.assertEqual(bill.delivery_email, "firm@example.com")
        for vals in (
            {"delivery_email": "c@example.com"},
            {"print_copies": "0"},
            {"delivery_template_id": bill._get_mail_template().id},
        ):
            with self.assertRaisesRegex(UserError, "several billing accounts"):
                self._as_biller(bill).write(vals)
        self.env.invalidate_all()
        accounts = (one | two).sorted("print_copies")
        self.assertEqual(accounts.mapped("print_copies"), ["1", "2"])
        self.assertEqual(accounts.mapped("delivery_email"), ["a@example.com", False])
        self.assertFalse(accounts.delivery_template_id)
        self.assertEqual(self._produce(bill), ({"produce": 1}, [bill.id, bill.id]))
        self._send()
        self.assertEqual(bill.delivery_mail_ids.notified_partner_ids, payer)
        self.assertEqual(len(self._receivers()), 1)

    # -- what goes wrong -------------------------------------------------------------------------
    @mute_logger("odoo.addons.mail.models.mail_mail")
    def test_r25_a_failed_email_stays_with_its_reason_and_is_sent_again(self):
        account = self._matter(delivery_email="a@example.com", print_copies="1")
        bill = self._bills(account)
        _plan, pages = self._produce(bill)
        self.assertEqual(pages, bill.ids)
        self._run_cron(self.send_cron)
        bill.delivery_mail_ids.notification_ids.sudo().write(
            {"notification_status": "exception", "failure_type": "mail_smtp"}
        )
        mails = self.env["mail.mail"].sudo()
        mails.search([("mail_message_id", "in", bill.delivery_mail_ids.ids)]).unlink()
        self._learn()
        self.assertEqual((bill.production_state, bill.delivery_state), ("production", "failed"))
        self.assertIn("not delivered", bill.delivery_message)
        plan, pages = self._produce(bill)
        self.assertEqual((plan, pages), ({"produce": 1}, []), "it is printed already")
        self._send()
        self.assertEqual((bill.production_state, bill.delivery_message), ("produced", False))

    def test_r25_a_bounce_comes_back_into_production(self):
        bill = self._bills(self._matter(delivery_email="a@example.com"))
        self._produce(bill)
        self._send()
        self.assertEqual(bill.production_state, "produced")
        bill.delivery_mail_ids.notification_ids.sudo().write(
            {"notification_status": "bounce", "failure_type": "mail_bounce"}
        )
        self._learn()
        self.assertEqual((bill.production_state, bill.delivery_state), ("production", "failed"))
        self.assertTrue(bill.delivery_message)

    def test_r25_without_its_address_it_is_sent_to_nobody(self):
        """What was produced by e-mail doesn't go to the addressee because addresses are gone."""
        account = self._matter(delivery_email="a@example.com")
        account.client_id.email = "client@example.com"
        bill = self._bills(account)
        self._produce(bill)
        account.delivery_email = False
        self._send()
        self.assertFalse(self._mails)
        self.assertEqual((bill.production_state, bill.delivery_state), ("production", "failed"))
        self._produce(bill)
        self.assertEqual(bill.production_state, "produced", "it only leaves the list now")

    def test_r25_no_valid_address_is_told_and_stays(self):
        account = self._matter(delivery_email="a@example.com")
        bill = self._bills(account)
        self.env.cr.execute(
            "UPDATE healthcare_billing_account SET delivery_email = 'nobody' WHERE id = %s",
            account.ids,
        )
        account.invalidate_recordset()
        bill.invalidate_recordset()
        dialog = self._dialog(bill.action_produce_bills())
        self.assertFalse(dialog.can_confirm)
        self.assertEqual(dialog.note_ids.move_id, bill)
        self.assertEqual(self._produce(bill), ({"no_address": 1}, []))
        self.assertEqual((bill.production_state, bill.delivery_state), ("production", "no_address"))

    def test_r29_producing_twice_sends_and_prints_once(self):
        bill = self._bills(self._matter(delivery_email="a@example.com", print_copies="1"))
        dialog = self._dialog(bill.action_produce_bills())
        dialog.action_confirm()
        self.assertEqual(dialog.action_confirm()["type"], "ir.actions.act_window_close")
        self.assertEqual(self._produce(bill), ({"sending": 1}, []))
        self._send()
        self.assertEqual(len(self._mails), 1)
        self.assertEqual(self._produce(bill), ({"other": 1}, []))

    def test_r25_a_superbill_sent_later_brings_nothing_back(self):
        bill = self._bills(self._matter(delivery_email="a@example.com"))
        self._produce(bill)
        self._send()
        bill._set_delivery("failed", "no portal", delivery_document="superbill")
        self.assertEqual(bill.production_state, "produced")

    # -- one bill --------------------------------------------------------------------------------
    def test_r25_email_manually_and_create_payment_take_one_bill(self):
        one, two = self._bills(
            self._matter("One", delivery_email="a@example.com"), self._matter("Two")
        )
        for name in ("action_email_bill", "action_pay_bill"):
            with self.assertRaisesRegex(Exception, "exactly one"):
                getattr(one | two, name)()
            with self.assertRaisesRegex(Exception, "exactly one"):
                getattr(one.browse(), name)()
        action = self._as_biller(one).action_email_bill()
        wizard = self.env[action["res_model"]].with_context(**action["context"]).create({})
        self.assertEqual(wizard.mail_partner_ids.mapped("email"), ["a@example.com"])
        self.assertEqual(
            wizard.template_id, self.env.ref("healthcare_billing.mail_template_care_invoice")
        )
        action = self._as_biller(one).action_pay_bill()
        self.assertEqual(action["res_model"], "account.payment.register")
        register = self.env[action["res_model"]].with_context(**action["context"]).create({})
        register.action_create_payments()
        self.assertIn(one.payment_state, ("paid", "in_payment"))
        self.assertEqual(one.production_state, "production", "it is still to be produced")

    def test_r29_what_was_emailed_by_hand_is_not_emailed_again(self):
        bill = self._bills(self._matter(delivery_email="a@example.com", print_copies="1"))
        action = self._as_biller(bill).action_email_bill()
        wizard = self.env[action["res_model"]].with_context(**action["context"]).create({})
        with self.mock_mail_gateway(mail_unlink_sent=True):
            wizard.action_send_and_print()
            self.assertEqual(bill.delivery_state, "queued")
            self.assertEqual(self._produce(bill), ({"sending": 1}, []))
            self.env["mail.mail"].process_email_queue()
        self._learn()
        self.assertEqual((bill.production_state, bill.delivery_state), ("production", "sent"))
        dialog = self._dialog(self._as_biller(bill).action_produce_bills())
        texts = " ".join(dialog.note_ids.mapped("name"))
        self.assertIn("1 were e-mailed already", texts)
        self.assertIn("of their accounts: 0.", texts)
        self.assertEqual(self._produce(bill), ({"produce": 1}, bill.ids))
        self._send()
        self.assertFalse(self._mails)
        self.assertEqual(bill.production_state, "produced")
        bill._write_result({"delivery_state": "failed"})
        self.assertEqual(self._produce(bill), ({"produce": 1}, []), "a bounce comes back")
        self._send()
        self.assertEqual(self._receivers(), ['"a@example.com" <a@example.com>'])

    # -- options ---------------------------------------------------------------------------------
    def test_r25_options_edited_in_production_are_the_accounts(self):
        accounts = self._matter("One"), self._matter("Two")
        bills = self._bills(*accounts)
        self.env.cr.precommit.run()
        before = bills.line_ids.mapped("write_date")
        self._as_biller(bills).write({"delivery_email": "a@example.com", "print_copies": "2"})
        self.env.cr.precommit.run()
        for account in accounts:
            self.assertEqual((account.delivery_email, account.print_copies), ("a@example.com", "2"))
            self.assertIn(
                "delivery_email", account.message_ids.tracking_value_ids.field_id.mapped("name")
            )
        self.assertEqual(bills.mapped("delivery_email"), ["a@example.com"] * 2)
        self.assertEqual(bills.line_ids.mapped("write_date"), before, "the entry is untouched")
        self.assertFalse(any(bills.mapped("is_manually_modified")))

    def test_r25_wrong_addresses_are_refused(self):
        bill = self._bills(self._matter(delivery_email="a@example.com"))
        with self.assertRaises(ValidationError):
            self._as_biller(bill).write({"delivery_email": "nobody at all"})

    def test_r25_who_may_not_edit_accounts_edits_none_here(self):
        bill = self._bills(self._matter())
        accountant = self._user("accountant")
        with self.assertRaises(AccessError):
            bill.with_env(self._act_as(accountant)).write({"print_copies": "2"})

    # -- growth ----------------------------------------------------------------------------------
    def test_producing_more_bills_takes_no_more_queries(self):
        def count(number, name):
            accounts = [
                self._matter(name, delivery_email=f"{name}{n}@example.com", print_copies="1")
                for n in range(number)
            ]
            bills = self.env["account.move"].browse(self._bills(*accounts).ids)
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            plan, _pages = bills._produce()
            self.env.flush_all()
            self.assertEqual(len(plan["produce"]), number)
            return self.env.cr.sql_log_count - start

        count(2, "warm")
        few, many = count(4, "few"), count(8, "many")
        self.assertLessEqual(many, few + 2)
