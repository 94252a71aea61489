from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .receivable_common import ReceivableCommon


@tagged("post_install", "-at_install")
class TestReceivableScreens(ReceivableCommon):
    """Receivables on appointment and partner, and back to the billing office."""

    def test_counts_and_actions(self):
        client = self._insured_client("Ines", copay=20.0)
        visit = self._appointment(client)
        self._execute(visit, post=True)
        self._statement(visit.charge_ids, client)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual((client.care_balance, client.care_receivable_count), (20.0, 1))
        self.assertEqual((self.payer.care_balance, self.payer.care_receivable_count), (60.0, 1))
        self.assertEqual(client.care_statement_count, 1)
        self.assertEqual(len(client.care_receivable_ids), 2)
        self.assertEqual(visit.statement_count, 1)
        self.assertEqual(len(visit.receivable_ids), 2)
        self.assertEqual(visit.amount_residual, 80.0)
        for action, count in (
            (visit.action_view_receivables(), 2),
            (client.action_view_care_receivables(), 1),
        ):
            rows = self.env["healthcare.receivable"].search(action["domain"])
            self.assertEqual(len(rows), count)
        self.assertEqual(rows.action_open()["res_id"], visit.id)
        statement = client.action_view_care_statements()["res_id"]
        self.assertEqual(visit.action_view_statements()["res_id"], statement)

    def test_return_to_the_billing_office(self):
        client = self._insured_client("Ines", copay=20.0)
        charge = self._charge(client)
        rows = self._rows_of(charge)
        with self.assertRaisesRegex(UserError, "Nothing of this awaits payment"):
            rows.action_return_to_billing()
        self._execute(charge, post=True)
        rows = self._rows_of(charge)
        mine = rows.filtered(lambda row: row.responsibility == "primary")
        mine.action_return_to_billing()
        self.assertEqual(
            {row.responsibility: row.stage for row in self._rows_of(charge)},
            {"client": "awaiting_payment", "primary": "billing_office"},
        )
        self.assertEqual((charge.ledger_payer, charge.balance_payer), (60.0, 60.0))
        self.assertIn("Back at the billing office", charge.appointment_id.message_ids[0].body)
        with self.assertRaises(UserError):  # again: nothing to do
            self._rows_of(charge).filtered(
                lambda row: row.responsibility == "primary"
            ).action_return_to_billing()

    def test_who_may(self):
        charge = self._charge(self.anna)
        self._execute(charge, post=True)
        rows = self._rows_of(charge)
        accountant = self._act_as(self._user("accountant"))
        self.assertTrue(rows.with_env(accountant).balance)
        with self.assertRaises(AccessError):
            rows.with_env(accountant).action_return_to_billing()
        for kind in ("care_staff", "accountant", "no_group"):
            user = self._act_as(
                self._user(kind, login=f"{kind}_2") if kind == "accountant" else self._user(kind)
            )
            with self.assertRaises(AccessError):
                self.anna.with_env(user).read(["care_balance"])
        biller = self._act_as(self._user("billing_user"))
        rows.with_env(biller).action_return_to_billing()
        self.assertTrue(charge.returned_client)

    def test_forms_open_for_everybody(self):
        visit = self._appointment(self.anna)
        self._execute(visit, post=True)
        for kind in ("coordinator", "billing_user"):
            with Form(visit.with_env(self._act_as(self._user(kind)))) as form:
                form.billing_note = "Seen"
        arch = (
            self.env["res.partner"]
            .with_user(self._user("no_group"))
            .get_view(self.env.ref("base.view_partner_form").id, "form")["arch"]
        )
        self.assertNotIn("care_balance", arch)
