"""Odoo's Sales: confirmed orders of the same lines, invoiced together."""

from odoo.fields import Command

from .base import Contender, sections_and_lines


class SaleOrders(Contender):
    """Only ``_create_invoices`` is measured; the orders belong to different customers."""

    name = "sale: _create_invoices"
    module = "sale"

    def prepare(self, env, invoices):
        env = env(context={**env.context, "tracking_disable": True})
        services = env["product.product"].search([("is_healthcare_service", "=", True)])
        services.invoice_policy = "order"
        orders = env["sale.order"].create([self._order(env, invoice) for invoice in invoices])
        orders.action_confirm()
        return orders.ids

    def _order(self, env, invoice):
        return {
            "partner_id": invoice.partner_id,
            "payment_term_id": invoice.values["invoice_payment_term_id"],
            "order_line": [
                Command.create({**self._line(line), "sequence": sequence})
                for sequence, line in enumerate(sections_and_lines(env, invoice), start=10)
            ],
        }

    def _line(self, line):
        if line["display_type"] != "product":
            return {"display_type": line["display_type"], "name": line["name"]}
        return {
            "name": line["name"],
            "product_id": line["product_id"],
            "product_uom_qty": line["quantity"],
            "price_unit": line["price_unit"],
            "tax_ids": False,
        }

    def create(self, env, task):
        return env["sale.order"].browse(task)._create_invoices().with_env(env)
