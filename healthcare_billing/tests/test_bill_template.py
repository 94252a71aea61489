import re

from odoo.tests import tagged

from .mass_common import MassCommon

SUM_ONLY = "healthcare_billing.action_report_care_bill_sum"


@tagged("post_install", "-at_install")
class TestBillTemplate(MassCommon):
    """The bill without prices of lines, for clients with an agreed fee."""

    def _text(self, report, move):
        html, _type = self.env["ir.actions.report"]._render_qweb_html(report, move.ids)
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.decode()))

    def test_only_the_total_is_told(self):
        account = self._matter(work=(111.0, 52.5), billing_basis="quote", quote_amount=140.0)
        move = self._bill(self._mass_run(), account)
        usual, sum_only = self._text("account.account_invoices", move), self._text(SUM_ONLY, move)
        self.assertIn("Difference to the quote", usual)
        self.assertIn("52.50", usual)
        for text in ("52.50", "111.00", "23.50", "Difference to the quote", "Amount"):
            self.assertNotIn(f" {text} ", sum_only)
        self.assertIn("Therapy", sum_only)
        self.assertIn("03/03/2025", sum_only)
        self.assertIn("140.00", sum_only)

    def test_taxes_of_the_total_are_told(self):
        tax = self.env["account.tax"].create(
            {"name": "8 %", "amount": 8.0, "tax_group_id": self.tax_sale_a.tax_group_id.id}
        )
        self.service.taxes_id = tax
        self.company.healthcare_fee_adjustment_product_id.taxes_id = tax
        account = self._matter(work=(100.0,), billing_basis="quote", quote_amount=50.0)
        text = self._text(SUM_ONLY, self._bill(self._mass_run(), account))
        for amount in ("50.00", "4.00", "54.00"):
            self.assertIn(amount, text)
        self.assertNotIn("100.00", text)

    def test_titles_over_nothing_are_left_out(self):
        client = self._client("Visited")
        account = client.billing_account_ids
        account.write({"billing_basis": "quote", "quote_amount": 60.0})
        self._appointment(client)
        move = self._bill(self._mass_run(), account)
        self.assertIn("Agreed fee", self._text("account.account_invoices", move))
        text = self._text(SUM_ONLY, move)
        self.assertNotIn("Agreed fee", text)
        self.assertIn("Nursing", text)

    def test_it_can_be_chosen_on_accounts_and_rows(self):
        template = self.env.ref(SUM_ONLY)
        account = self._matter(billing_basis="quote", quote_amount=60.0)
        account.invoice_template_id = template
        run = self._mass_run()
        self.assertEqual(self._row(run, account).invoice_template_id, template)
        self.assertEqual(self._bill(run, account).invoice_template_id, template)
