import threading

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.healthcare_charge_adjudication import Adjudication
from ..models.healthcare_charge_correction import CORRECTING
from .test_concurrency import RETRIED, RaceCommon


@tagged("post_install", "-at_install")
class TestCorrectionConcurrency(RaceCommon):
    """Two users correct the same posted invoice: exactly one correction happens."""

    @classmethod
    def _remove_billing(cls, env):  # pylint: disable=missing-return
        # by SQL: what was credited and billed again can't be taken back by anybody
        for query in (
            "DELETE FROM account_partial_reconcile WHERE company_id = %s",
            (
                "DELETE FROM account_full_reconcile WHERE id NOT IN (SELECT full_reconcile_id FROM"
                " account_partial_reconcile WHERE full_reconcile_id IS NOT NULL) AND %s > 0"
            ),
            "UPDATE account_move_line SET credit_of_line_id = NULL WHERE company_id = %s",
            "DELETE FROM account_move_line WHERE company_id = %s",
            (
                "UPDATE account_move SET rebill_of_id = NULL, reversed_entry_id = NULL"
                " WHERE company_id = %s"
            ),
            "DELETE FROM account_move WHERE company_id = %s",
        ):
            env.cr.execute(query, [cls.company_id])
        env.invalidate_all()
        own = [("company_id", "=", cls.company_id)]
        children = env["healthcare.charge"].search([*own, ("parent_id", "!=", False)])
        children.with_context(healthcare_correcting=CORRECTING).unlink()
        payers = env["healthcare.billing.account"].search(own).payer_id
        super()._remove_billing(env)
        payers.unlink()

    def _posted(self, **account):
        """Commit a posted invoice of the first charge; returns its id."""
        with self._committed() as env:
            charge = env["healthcare.charge"].browse(self.charge_ids[0])
            if account:
                charge.billing_account_id.write(account)
                charge.appointment_id.payer_id = account["payer_id"]
            run = env["healthcare.billing.engine"].execute(
                env["healthcare.billing.engine"].plan(charge), post=True
            )
            self.assertEqual(run.line_ids.state, "created", run.line_ids.message)
            return run.move_ids.id

    def _at_once(self, act):
        """Run ``act(env, n)`` in two threads, with Odoo's retries.

        :return: what the users were told: one text per refusal
        """
        barrier = threading.Barrier(2)
        told = []

        def click(number):
            barrier.wait(timeout=30)
            for _attempt in range(6):
                try:
                    with self._committed() as env:
                        act(env, number)
                    return
                except RETRIED:
                    continue
                except UserError as error:
                    told.append(str(error))
                    return

        threads = [threading.Thread(target=click, args=(n,)) for n in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=90)
        return told

    def _rebill(self, env, move_id, fee):
        charge = env["healthcare.charge"].browse(self.charge_ids[0])
        return env["account.move"].browse(move_id)._credit_and_rebill({charge: {"price_unit": fee}})

    @mute_logger("odoo.sql_db")
    def test_r29_two_users_at_once(self):
        move_id = self._posted()
        told = self._at_once(lambda env, n: self._rebill(env, move_id, 60.0 + n))
        self.assertEqual(len(told), 1, told)
        with self._committed() as env:
            move = env["account.move"].browse(move_id)
            self.assertEqual(len(move.reversal_move_ids), 1)
            self.assertEqual(len(move.rebilled_by_ids), 1)
            self.assertIn(move.rebilled_by_ids.amount_total, (60.0, 61.0))
            self.assertEqual(move.amount_residual, 0.0)

    @mute_logger("odoo.sql_db")
    def test_rival_committed_after_we_looked(self):
        """Ours is refused on its old snapshot, and on a new one told what happened."""
        move_id = self._posted()
        with self._session() as ours:
            ours["account.move"].browse(move_id).read(["state"])
            with self._committed() as rival:
                self._rebill(rival, move_id, 60.0)
            with self.assertRaises(RETRIED):
                self._rebill(ours, move_id, 70.0)
        with self._session() as again, self.assertRaisesRegex(UserError, "billed again by"):
            self._rebill(again, move_id, 70.0)

    @mute_logger("odoo.sql_db")
    def test_rival_not_yet_committed(self):
        move_id = self._posted()
        with self._session() as rival:
            self._rebill(rival, move_id, 60.0)
            rival.flush_all()
            with (
                self._session() as ours,
                self.assertRaisesRegex(UserError, "Another user"),
            ):
                self._rebill(ours, move_id, 70.0)

    @mute_logger("odoo.sql_db")
    def test_transfer_never_moves_more_than_is_owed(self):
        """Two transfers of all that is owed: the second one is too much, whatever it saw."""
        with self._committed() as env:
            payer = env["res.partner"].create(
                {"name": "Race payer", "is_payer": True, "payer_type": "facility"}
            )
            company = env["res.company"].browse(self.company_id)
            payer.property_account_receivable_id = company.partner_id.property_account_receivable_id
            payer_id = payer.id
        self._posted(payer_id=payer_id)

        def transfer(env, _number):
            env["healthcare.charge"].browse(self.charge_ids[0])._transfer(
                50.0, from_party="primary", to_party="client", reason="x"
            )

        told = self._at_once(transfer)
        self.assertEqual(len(told), 1, told)
        with self._committed() as env:
            charge = env["healthcare.charge"].browse(self.charge_ids[0])
            self.assertEqual(charge.child_ids.mapped("amount_client"), [50.0])

    @mute_logger("odoo.sql_db")
    def test_transfers_of_two_charges_share_what_is_open(self):
        """Two charges of one invoice that is half paid: only one of them can still be moved."""
        with self._committed() as env:
            company = env["res.company"].browse(self.company_id)
            payer = env["res.partner"].create(
                {
                    "name": "Race payer",
                    "is_payer": True,
                    "payer_type": "facility",
                    "invoicing_model": "payer_batched",
                }
            )
            payer.property_account_receivable_id = company.partner_id.property_account_receivable_id
            charges = env["healthcare.charge"].browse(self.charge_ids[:2])
            charges.billing_account_id.payer_id = payer
            charges.appointment_id.payer_id = payer
            engine = env["healthcare.billing.engine"]
            move = engine.execute(engine.plan(charges), post=True).move_ids.ensure_one()
            self.assertEqual(len(move.invoice_line_ids.charge_id), 2)
            receivable = move.line_ids.filtered(lambda line: line.display_type == "payment_term")
            accounts = {
                receivable.account_id: -50.0,
                move.journal_id.default_account_id: 50.0,
            }
            paid = env["account.move"].create(
                {
                    "journal_id": move.journal_id.id,
                    "line_ids": [
                        Command.create(
                            {"account_id": account.id, "partner_id": payer.id, "balance": balance}
                        )
                        for account, balance in accounts.items()
                    ],
                }
            )
            paid.action_post()
            (receivable | paid.line_ids.filtered("credit")).reconcile()
            self.assertEqual(move.amount_residual, 50.0)

        def transfer(env, number):
            env["healthcare.charge"].browse(self.charge_ids[number])._transfer(
                50.0, from_party="primary", to_party="client", reason="x"
            )

        told = self._at_once(transfer)
        self.assertEqual(len(told), 1, told)
        with self._committed() as env:
            charges = env["healthcare.charge"].browse(self.charge_ids[:2])
            self.assertEqual(charges.child_ids.mapped("amount_client"), [50.0])

    @mute_logger("odoo.sql_db")
    def test_r29_two_users_confirm_the_same_transfer(self):
        with self._committed() as env:
            company = env["res.company"].browse(self.company_id)
            payer = env["res.partner"].create(
                {"name": "Race payer", "is_payer": True, "payer_type": "facility"}
            )
            payer.property_account_receivable_id = company.partner_id.property_account_receivable_id
            payer_id = payer.id
        self._posted(payer_id=payer_id)
        with self._committed() as env:
            charge = env["healthcare.charge"].browse(self.charge_ids[0])
            wizard = env["healthcare.responsibility.transfer"].browse(
                charge.action_transfer_responsibility()["res_id"]
            )
            wizard.write({"reason": "x", "bill_now": False})
            wizard.line_ids.amount = 20.0
            wizard_id = wizard.id
        self._at_once(
            lambda env, _n: (
                env["healthcare.responsibility.transfer"].browse(wizard_id).action_confirm()
            )
        )
        with self._committed() as env:
            charge = env["healthcare.charge"].browse(self.charge_ids[0])
            self.assertEqual(charge.child_ids.mapped("amount_client"), [20.0])
            env["healthcare.responsibility.transfer"].browse(wizard_id).unlink()

    @mute_logger("odoo.sql_db")
    def test_transfer_after_a_rival_committed(self):
        with self._committed() as env:
            payer = env["res.partner"].create(
                {"name": "Race payer", "is_payer": True, "payer_type": "facility"}
            )
            company = env["res.company"].browse(self.company_id)
            payer.property_account_receivable_id = company.partner_id.property_account_receivable_id
            payer_id = payer.id
        self._posted(payer_id=payer_id)
        vals = {"from_party": "primary", "to_party": "client", "reason": "x"}
        with self._session() as ours:
            charge = ours["healthcare.charge"].browse(self.charge_ids[0])
            charge.read(["amount"])
            with self._committed() as rival:
                rival["healthcare.charge"].browse(self.charge_ids[0])._transfer(50.0, **vals)
            with self.assertRaises(RETRIED):
                charge._transfer(50.0, **vals)

    @mute_logger("odoo.sql_db")
    def test_r29_adjudicated_by_two(self):
        """Both say the same: one of them books it."""
        self._posted()

        def adjudicate(env, _number):
            charge = env["healthcare.charge"].browse(self.charge_ids[0])
            charge._adjudicate({charge: Adjudication(30.0)})

        told = self._at_once(adjudicate)
        with self._committed() as env:
            charge = env["healthcare.charge"].browse(self.charge_ids[0])
            self.assertEqual(len(charge.child_ids), 1, told)
            self.assertEqual((charge.is_adjudicated, charge.amount_residual), (True, 30.0))

    @mute_logger("odoo.sql_db")
    def test_r29_added_by_a_double_click(self):
        self._posted()
        with self._committed() as env:
            charge = env["healthcare.charge"].browse(self.charge_ids[0])
            wizard_id = charge.action_add_extra()["res_id"]
            env["healthcare.charge.extra"].browse(wizard_id).amount = 7.0

        def confirm(env, _number):
            env["healthcare.charge.extra"].browse(wizard_id).action_confirm()

        told = self._at_once(confirm)
        with self._committed() as env:
            charge = env["healthcare.charge"].browse(self.charge_ids[0])
            self.assertEqual(charge.child_ids.mapped("amount"), [7.0], told)

    @mute_logger("odoo.sql_db")
    def test_r29_written_off_by_two(self):
        """Items are written off once, whatever both of them saw."""
        self._posted()
        with self._committed() as env:
            reason = env.ref("healthcare_billing.adjustment_reason_bad_debt")
            company = env["res.company"].browse(self.company_id)
            account = env["account.account"].search(
                [
                    *env["account.account"]._check_company_domain(company),
                    ("account_type", "=", "income"),
                ],
                limit=1,
            )
            before = reason.with_company(company).account_id
            reason.with_company(company).account_id = account
            journal = env["account.journal"].create(
                {"name": "Loss", "code": "LOSS", "type": "general", "company_id": company.id}
            )
            self.own.append(("account.journal", journal.ids))

        def write_off(env, _number):
            charge = env["healthcare.charge"].browse(self.charge_ids[0])
            charge._write_off_items(
                [(charge, "client", charge.ledger_client)],
                env.ref("healthcare_billing.adjustment_reason_bad_debt"),
                charge.company_id._care_today(),
            )

        told = self._at_once(write_off)
        with self._committed() as env:
            charge = env["healthcare.charge"].browse(self.charge_ids[0])
            move = charge.invoice_line_ids.move_id
            self.assertEqual((len(told), len(move.write_off_ids)), (1, 1), told)
            self.assertEqual(charge.amount_residual, 0.0)
            reason = env.ref("healthcare_billing.adjustment_reason_bad_debt")
            reason.with_company(charge.company_id).account_id = before
