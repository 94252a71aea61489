from psycopg2.errors import UniqueViolation

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_concurrency import RaceCommon


@tagged("post_install", "-at_install")
class TestVendorExpenseRace(RaceCommon):
    """Two who bill the same line of a vendor bill to their clients at the same moment."""

    @classmethod
    def _prepare(cls, env):
        result = super()._prepare(env)
        env = env(context={"allowed_company_ids": [cls.company_id]})
        accounts = env["account.account"].create(
            [
                {"name": "Race cost", "code": "RACE3", "account_type": "expense"},
                {"name": "Race payable", "code": "RACE4", "account_type": "liability_payable",
                 "reconcile": True},
            ]
        )  # fmt: skip
        journal = env["account.journal"].create(
            {"name": "Race purchases", "code": "RACEP", "type": "purchase",
             "default_account_id": accounts[0].id}
        )  # fmt: skip
        vendor = env["res.partner"].create({"name": "Race vendor"})
        vendor.property_account_payable_id = accounts[1]
        cls.own = [
            ("res.partner", vendor.ids), ("account.journal", journal.ids),
            ("account.account", accounts.ids), *cls.own,
        ]  # fmt: skip
        cls.vendor_id = vendor.id
        return result

    @classmethod
    def _remove_billing(cls, env):
        env["healthcare.charge"].search(
            [("company_id", "=", cls.company_id), ("vendor_line_id", "!=", False)]
        ).unlink()
        return super()._remove_billing(env)

    def setUp(self):
        super().setUp()
        with self._committed() as env:
            bill = env["account.move"].create(
                {
                    "move_type": "in_invoice",
                    "partner_id": self.vendor_id,
                    "invoice_date": "2025-03-03",
                    "invoice_line_ids": [Command.create({"name": "Taxi", "price_unit": 40.0,
                                                         "tax_ids": []})],
                }
            )  # fmt: skip
            bill.action_post()
            self.bill_id = bill.id

    def _take(self, env, number):
        """Somebody bills the line to the client of this number."""
        account = env["healthcare.charge"].browse(self.charge_ids[number]).billing_account_id
        action = env["account.move"].browse(self.bill_id).action_bill_to_clients()
        dialog = env[action["res_model"]].browse(action["res_id"])
        self.assertFalse(dialog.line_ids.is_taken)
        dialog.line_ids.billing_account_id = account
        dialog.action_bill()
        env.flush_all()

    @mute_logger("odoo.sql_db")
    def test_two_take_a_line_at_once(self):
        """Each for another client: the second one is told, and the line is billed once."""
        with self._session() as first, self._session() as second:
            for env in (first, second):  # both see a line that nobody took
                self.assertFalse(env["account.move"].browse(self.bill_id).client_expense_count)
            self._take(first, 0)
            first.cr.commit()
            with self.assertRaises(UniqueViolation) as caught:
                self._take(second, 1)
        with self._committed() as env:
            text = env["healthcare.charge"]._sql_error_to_message(caught.exception)
            self.assertIn("was billed to a client meanwhile", text)
            charge = env["healthcare.charge"].search(
                [("vendor_line_id.move_id", "=", self.bill_id)]
            )
            self.assertEqual(charge.client_id.name, "Racer 0")
