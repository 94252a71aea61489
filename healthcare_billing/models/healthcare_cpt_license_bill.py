from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class HealthcareCptLicense(models.Model):
    """Paying licenses: on vendor bills, or by hand for those who book them elsewhere."""

    _inherit = "healthcare.cpt.license"

    def action_create_bill(self):
        """Put all selected licenses that are due on one vendor bill per company, and open it."""
        bills = self._create_bills()
        action = self.env["ir.actions.act_window"]._for_xml_id("account.action_move_in_invoice")
        if len(bills) == 1:
            return {**action, "views": [(False, "form")], "res_id": bills.id}
        return {**action, "domain": [("id", "in", bills.ids)]}

    def _create_bills(self):
        """Make draft vendor bills, a line per license; those paid or on a bill are left out.

        :return: ``account.move`` recordset, one bill per company
        :raise UserError: nothing to bill, no vendor, no fee, or somebody else is billing them
        """
        self._lock()
        due = self.filtered(lambda own: own.state == "to_pay" and not own.bill_id)
        if not due:
            raise UserError(
                self.env._(
                    "None of these licenses is left to bill: they are paid, canceled, or on a "
                    "vendor bill already."
                )
            )
        due._check_billable()
        due._release_reversed_bills()
        return self.env["account.move"].create(
            [
                licenses.with_company(company)._bill_values()
                for company, licenses in due.grouped("company_id").items()
            ]
        )

    def _lock(self):
        """Nobody else bills or pays these licenses until this transaction ends."""
        self.check_access("write")
        if len(self.try_lock_for_update(allow_referencing=True)) < len(self):
            raise UserError(
                self.env._("Somebody else is working on these licenses. Try again in a moment.")
            )

    def _check_billable(self):
        for company in self.company_id:
            if not company.sudo().healthcare_license_vendor_id:  # sudo: a setting
                raise UserError(
                    self.env._(
                        "To whom are CPT licenses paid? Choose the vendor in the Settings of Care "
                        "Billing, for %s.",
                        company.name,
                    )
                )
        if free := self.filtered(lambda own: own.currency_id.is_zero(own.fee)):
            raise UserError(
                self.env._(
                    "These licenses have no fee: %s. Enter the fee, or mark them as paid.",
                    free._names(),
                )
            )

    def _release_reversed_bills(self):
        """A bill or line that was reversed in full paid for nothing: it lets its licenses go."""
        # the unique index counts every line of a bill that isn't canceled
        self.bill_line_ids.filtered(
            lambda line: line.move_id.payment_state == "reversed" or line._gives_license_back()
        ).cpt_license_id = False
        self.env.flush_all()

    def _bill_values(self):
        """Values of one vendor bill for these licenses of one company."""
        company = self.company_id.ensure_one().sudo()  # sudo: settings
        return {
            "move_type": "in_invoice",
            "company_id": company.id,
            "partner_id": company.healthcare_license_vendor_id.id,
            "currency_id": company.currency_id.id,
            "invoice_date": fields.Date.context_today(self),
            "invoice_line_ids": [
                Command.create(cpt_license._bill_line_values(company.healthcare_license_product_id))
                for cpt_license in self.sorted(lambda own: (own.year, own.employee_id.name or ""))
            ],
        }

    def _bill_line_values(self, product):
        """Values of this license's line; expense account and taxes are the product's.

        :param product: ``product.product`` record, or none: the journal's account, and no tax
        """
        self.ensure_one()
        values = {
            "name": self.env._(
                "CPT license %(year)s: %(name)s", year=self.year, name=self.employee_id.name
            ),
            "quantity": 1.0,
            "price_unit": self.fee,
            "cpt_license_id": self.id,
        }
        if product:
            return {**values, "product_id": product.id}
        return {**values, "tax_ids": [Command.clear()]}

    def action_mark_paid(self):
        """Mark licenses as paid that have no vendor bill here."""
        self._lock()
        if billed := self.filtered("bill_id"):
            raise UserError(
                self.env._(
                    "These licenses are on a vendor bill, and become paid with it: %s.",
                    billed._names(),
                )
            )
        due = self.filtered(lambda own: own.state == "to_pay")
        for company, licenses in due.grouped("company_id").items():
            licenses.marked_paid_on = company._care_today()

    def action_mark_unpaid(self):
        """Take back that licenses were marked as paid."""
        self._lock()
        self.marked_paid_on = False

    def action_cancel(self):
        """Cancel licenses; what was booked for them stays in the books."""
        self._lock()
        if drafts := self.filtered(lambda own: own.bill_id.state == "draft"):
            raise UserError(
                self.env._(
                    "These licenses are on a draft bill: %s. First delete their lines there, or "
                    "the bill.",
                    drafts._names(),
                )
            )
        self.is_canceled = True

    def action_restore(self):
        """Take back that licenses were canceled; they are due, or paid, as before."""
        self._lock()
        for year, licenses in self.filtered("is_canceled").grouped("year").items():
            if others := self._holders(licenses.employee_id, year):
                raise UserError(
                    self.env._("There is another license meanwhile: %s.", others._names())
                )
        self.is_canceled = False

    def action_view_bill(self):
        """Open the vendor bill."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "res_id": self.bill_id.id,
            "views": [(False, "form")],
        }
