"""OCA's ``contract``: contracts of the same lines, invoiced as by its scheduled action.

The addon is AGPL. It is fetched for measuring only and is no part of the product.
"""

from odoo.fields import Command

from ..practice import INVOICE_DATE
from .base import Contender, sections_and_lines


class OcaContract(Contender):
    """Only what its scheduled action calls for all contracts of a company is measured."""

    name = "OCA contract: recurring invoices"
    module = "contract"

    def prepare(self, env, invoices):
        env = env(
            context={
                **env.context,
                "tracking_disable": True,
                "mail_create_nosubscribe": True,
                "skip_modification_mail": True,
            }
        )
        contracts = env["contract.contract"].create(
            [self._contract(env, invoice) for invoice in invoices]
        )
        return contracts.ids

    def _contract(self, env, invoice):
        due = {"date_start": INVOICE_DATE, "recurring_next_date": INVOICE_DATE}
        return {
            **due,
            "name": f"Contract of {invoice.partner_id}",
            "partner_id": invoice.partner_id,
            "recurring_rule_type": "monthly",
            "recurring_invoicing_type": "pre-paid",
            "payment_term_id": invoice.values["invoice_payment_term_id"],
            "contract_line_ids": [
                Command.create({**due, **self._line(line), "sequence": sequence})
                for sequence, line in enumerate(sections_and_lines(env, invoice), start=10)
            ],
        }

    def _line(self, line):
        if line["display_type"] != "product":
            return {"display_type": line["display_type"], "name": line["name"]}
        return {
            "name": line["name"],
            "product_id": line["product_id"],
            "quantity": line["quantity"],
            "specific_price": line["price_unit"],
        }

    def create(self, env, task):
        contracts = env["contract.contract"].browse(task)
        return contracts._recurring_create_invoice(INVOICE_DATE)
