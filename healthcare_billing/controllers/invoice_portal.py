from odoo import http
from odoo.http import request

from odoo.addons.account.controllers.portal import PortalAccount


class CareInvoicePortal(PortalAccount):
    """A link to an invoice of care shows number, amount and payment; what it is for takes a login.

    E-mails are forwarded and read by others, and the lines of an invoice name services, dates and
    providers.
    """

    @http.route()
    def portal_my_invoice_detail(
        self, invoice_id, access_token=None, report_type=None, download=False, **kw
    ):
        if report_type and self._only_holds_link(invoice_id):
            return request.redirect(self._invoice_login_url(invoice_id))
        return super().portal_my_invoice_detail(
            invoice_id, access_token=access_token, report_type=report_type, download=download, **kw
        )

    def _invoice_get_page_view_values(self, invoice, access_token, **kwargs):
        values = super()._invoice_get_page_view_values(invoice, access_token, **kwargs)
        if self._only_holds_link(invoice.id):
            values["healthcare_login_url"] = self._invoice_login_url(invoice.id)
            values["healthcare_wrong_user"] = not request.env.user._is_public()
        return values

    def _show_report(self, model, report_type, report_ref, download=False):
        """A bill looks in the portal as it was printed and e-mailed."""
        if model._name == "account.move" and (template := model._bill_template()):
            report_ref = template.report_name
        return super()._show_report(model, report_type, report_ref, download=download)

    def _only_holds_link(self, invoice_id):
        """Whether this is an invoice of care that the user may not read without the link."""
        invoice = request.env["account.move"].browse(invoice_id)
        # sudo: that it is an invoice of care isn't told, it only closes the door
        return bool(invoice.sudo().exists().has_charges and not invoice.has_access("read"))

    def _invoice_login_url(self, invoice_id):
        return f"/web/login?redirect=/my/invoices/{invoice_id}"
