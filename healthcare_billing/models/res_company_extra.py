from odoo import api, fields, models


class ResCompany(models.Model):
    """Services and reasons of what is added to, or taken off, care that was given."""

    _inherit = "res.company"

    healthcare_finance_charge_product_id = fields.Many2one(
        "product.product",
        "Finance Charge Service",
        domain="[('is_healthcare_service', '=', True)]",
        help="Finance charges are booked on its income account. They stay when a payer decides.",
    )
    healthcare_service_charge_product_id = fields.Many2one(
        "product.product",
        "Service Charge Service",
        domain="[('is_healthcare_service', '=', True)]",
        help="Service charges are booked on its income account, until a payer decides.",
    )
    healthcare_discount_product_id = fields.Many2one(
        "product.product",
        "Discount Service",
        domain="[('is_healthcare_service', '=', True)]",
        help="Discounts are booked on its income account, until a payer decides.",
    )
    healthcare_sold_reason_id = fields.Many2one(
        "healthcare.adjustment.reason",
        "Reason of Sold Receivables",
        domain="[('kind', '=', 'sold')]",
        default=lambda self: self._default_adjustment_reason("sold"),
        help="Its account takes the loss on receivables that are sold to a collection agency.",
    )
    healthcare_courtesy_reason_id = fields.Many2one(
        "healthcare.adjustment.reason",
        "Reason of Courtesy Write-offs",
        domain="[('kind', '=', 'courtesy')]",
        default=lambda self: self._default_adjustment_reason("courtesy"),
        help="Proposed where what is left of a statement is written off.",
    )

    @api.model
    def _default_adjustment_reason(self, name):
        xmlid = f"healthcare_billing.adjustment_reason_{name}"
        # sudo: whoever adds a company need not be allowed to read reasons; False while installing
        return self.env.ref(xmlid, raise_if_not_found=False) or False

    @api.model
    def _fee_services(self):
        return super()._fee_services() | {
            "healthcare_finance_charge_product_id": (self.env._("Finance charge"), "FINANCE"),
            "healthcare_service_charge_product_id": (self.env._("Service charge"), "SERVICE"),
            "healthcare_discount_product_id": (self.env._("Discount"), "DISCOUNT"),
        }

    def _extra_service(self, kind):
        """The service that finance charges, service charges or discounts are booked on.

        :param str kind: finance_charge, service_charge or discount
        :return: ``product.product`` record
        """
        self.ensure_one()
        name = f"healthcare_{kind}_product_id"
        if not self[name]:  # the addon was updated, or somebody emptied the setting
            self._set_fee_products()
        return self[name]

    def _default_reason(self, kind):
        """What is written off for, unless somebody says otherwise.

        :param str kind: sold or courtesy
        :return: ``healthcare.adjustment.reason`` record, empty where somebody deleted ours
        """
        self.ensure_one()
        return (
            self[f"healthcare_{kind}_reason_id"]
            or self._default_adjustment_reason(kind)
            or self.env["healthcare.adjustment.reason"]
        )
