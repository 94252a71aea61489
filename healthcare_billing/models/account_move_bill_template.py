from odoo import models


class AccountMove(models.Model):
    """Bills that tell the sum only."""

    _inherit = "account.move"

    def _without_differences(self, lines):
        """Lines to print where no prices are: what makes up the difference to an agreed fee says
        nothing without its amount, nor does a title over nothing else.

        :param lines: ``account.move.line`` recordset in printing order
        """
        # sudo: the portal and accountants print too, and may not read charges
        differences = lines.filtered(
            lambda line: (
                (charge := line.sudo().charge_id).made_by_basis and charge.kind == "adjustment"
            )
        )
        children = lines.grouped("parent_id")
        titles = differences.parent_id.filtered(
            lambda title: not children.get(title, lines.browse()) - differences
        )
        return lines - differences - titles


class ReportCareBillSum(models.AbstractModel):
    """Gives the template what that of the usual invoice gets."""

    _name = "report.healthcare_billing.report_care_bill_sum"
    _inherit = ("report.account.report_invoice_with_payments",)
    _description = "Invoice without Prices of Lines"
