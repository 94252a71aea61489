from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.account_payment_charge import CareMoney
from .statement_race_common import StatementRaceCommon
from .test_concurrency import RETRIED


@tagged("post_install", "-at_install")
class TestPaymentConcurrency(StatementRaceCommon):
    """Two committed transactions receive money for the same care: exactly one of them books it."""

    def _charges(self, env):
        return env["healthcare.charge"].browse(self.charge_ids)

    def _receive(self, env, amount=50.0, charges=None):
        charges = charges if charges is not None else self._charges(env)
        payment = env["account.payment"]._receive_or_invoice(
            charges.client_id[:1],
            env["account.journal"].browse(self.journal_id),
            env["account.payment"]._fields["date"].context_today(charges),
            [CareMoney(charge, "client", amount) for charge in charges],
        )
        env.flush_all()
        return payment

    def _invoice(self):
        with self._committed() as env:
            run = env["healthcare.billing.engine"].execute(self._plan(env), post=True)
            self.assertEqual(set(run.line_ids.mapped("state")), {"created"})

    def _assert_paid_once(self):
        with self._committed() as env:
            charges = self._charges(env)
            self.assertEqual(charges.mapped("balance_client"), [0.0] * len(charges))
            payments = env["account.payment"].search(
                [("company_id", "=", self.company_id), ("state", "!=", "canceled")]
            )
            self.assertEqual(payments.mapped("amount"), [150.0])
            self.assertProof(env)

    @mute_logger("odoo.sql_db")
    def test_rival_committed_after_we_looked(self):
        self._invoice()
        with self._session() as ours:
            self.assertEqual(self._charges(ours).mapped("balance_client"), [50.0] * 3)
            with self._committed() as rival:
                self._receive(rival)
            with self.assertRaises(RETRIED):
                self._receive(ours)
        with self._committed() as again, self.assertRaisesRegex(UserError, "is open"):
            self._receive(again)
        self._assert_paid_once()

    @mute_logger("odoo.sql_db")
    def test_rival_not_yet_committed(self):
        self._invoice()
        with self._session() as rival:
            self._receive(rival)
            with self._session() as ours, self.assertRaisesRegex(UserError, "Another user"):
                self._receive(ours)
            rival.cr.commit()
        self._assert_paid_once()

    @mute_logger("odoo.sql_db")
    def test_rivals_invoice_and_receive(self):
        """Neither is the care invoiced twice, nor is the money booked twice."""
        with self._session() as ours:
            self.assertEqual(self._charges(ours).mapped("ledger_client"), [0.0] * 3)
            with self._committed() as rival:
                self._receive(rival)
            with self.assertRaises(RETRIED):
                self._receive(ours)
        self._assert_paid_once()

    @mute_logger("odoo.sql_db")
    def test_second_click_while_the_first_is_booked(self):
        self._invoice()
        with self._committed() as env:
            action = self._charges(env).client_id[0].action_receive_payment()
            wizard = env["healthcare.receive.payment"].browse(action["res_id"])
            wizard.write({"amount": 50.0, "journal_id": self.journal_id})
            wizard._share()
            wizard_id = wizard.id
        with self._session() as ours:
            second = ours["healthcare.receive.payment"].browse(wizard_id)
            self.assertFalse(second.payment_id)
            with self._committed() as rival:
                rival["healthcare.receive.payment"].browse(wizard_id).action_receive()
            with self.assertRaises(RETRIED):
                second.action_receive()
        with self._committed() as again:
            again["healthcare.receive.payment"].browse(wizard_id).action_receive()
            self.assertEqual(
                again["account.payment"].search_count([("company_id", "=", self.company_id)]), 1
            )
            self.assertProof(again)
