from odoo.fields import Command

from .common import A_DAY
from .mass_common import MassCommon


class ExpenseCommon(MassCommon):
    """Vendor bills whose lines are bought for clients."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("base.group_user").implied_ids |= cls.env.ref(
            "healthcare_billing.group_use_mass_billing"
        )
        cls.vendor = cls.env["res.partner"].create({"name": "Interpreters Inc."})

    @classmethod
    def _vendor_bill(cls, *amounts, post=True, taxes=None, move_type="in_invoice", **vals):
        """A posted vendor bill with a line per amount."""
        bill = cls.env["account.move"].create(
            {
                "move_type": move_type,
                "partner_id": cls.vendor.id,
                "invoice_date": A_DAY,
                "date": A_DAY,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "name": f"Interpreter {number}",
                            "price_unit": amount,
                            "account_id": cls.company_data["default_account_expense"].id,
                            "tax_ids": [Command.set(taxes.ids if taxes else [])],
                        }
                    )
                    for number, amount in enumerate(amounts, start=1)
                ],
            }
            | vals
        )
        if post:
            bill.action_post()
        return bill

    @classmethod
    def _dialog(cls, bill, env=None):
        """The dialog "Bill to Clients" of a vendor bill."""
        action = bill.with_env(env or cls.env).action_bill_to_clients()
        return (env or cls.env)[action["res_model"]].browse(action["res_id"])

    @classmethod
    def _bill_to(cls, bill, account, **vals):
        """Bill all lines of a vendor bill to one billing account.

        :return: the expenses
        """
        dialog = cls._dialog(bill)
        dialog.line_ids.write({"billing_account_id": account.id, **vals})
        action = dialog.action_bill()
        return cls.env["healthcare.charge"].search(action["domain"])

    @classmethod
    def _expense(cls, account, **vals):
        """A typed expense."""
        return cls.env["healthcare.charge"].create(
            {"kind": "expense", "billing_account_id": account.id, "service_date": A_DAY} | vals
        )
