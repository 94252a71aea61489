from odoo import fields, models


class HealthcareAdjustmentReason(models.Model):
    """Why an amount is not collected, and where the ledger books it.

    Contractual, sequestration and denial reasons carry the code of the payer's remittance (CARC)
    and its group; the others are the practice's own decisions and have none.
    """

    _name = "healthcare.adjustment.reason"
    _description = "Adjustment Reason"
    _inherit = "healthcare.code.mixin"
    _order = "kind, code, id"

    name = fields.Char(translate=True)
    kind = fields.Selection(
        [
            ("contractual", "Contractual"),
            ("sequestration", "Sequestration"),
            ("courtesy", "Courtesy write-off"),
            ("bad_debt", "Bad debt"),
            ("small_balance", "Small balance"),
            ("sold", "Sold receivable"),
            ("denial", "Denial"),
        ],
        required=True,
        default="contractual",
    )
    account_id = fields.Many2one(
        "account.account",
        company_dependent=True,
        ondelete="restrict",
        domain="[('account_type', 'in', ('income', 'income_other', 'expense', 'expense_other'))]",
        help="Contra-revenue or expense account that takes the amount. It differs by company.",
    )
    carc_group = fields.Selection(
        [
            ("CO", "CO – Contractual obligation"),
            ("PR", "PR – Patient responsibility"),
            ("OA", "OA – Other adjustment"),
            ("PI", "PI – Payer-initiated reduction"),
        ],
        "CARC Group",
        help="Who bears the amount, in the words of the payer's remittance.",
    )
    product_id = fields.Many2one(
        "product.product",
        ondelete="restrict",
        domain="[('type', '=', 'service')]",
        help="Names the adjustment on invoices, where it has a line of its own.",
    )

    def _contra_account(self, company):
        """Account of what a payer's decision, or a discount, takes off revenue.

        :return: the reason's account, or its service's; empty: that of the care itself
        """
        self.ensure_one()
        own = self.with_company(company)
        product = own.product_id.product_tmpl_id
        return own.account_id or (
            product.get_product_accounts()["income"] if product else own.account_id
        )
