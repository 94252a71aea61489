from odoo import http
from odoo.http import content_disposition, request


class InvoiceExportController(http.Controller):
    @http.route("/healthcare_billing/invoice_export/<int:part_id>", type="http", auth="user")
    def download(self, part_id):
        """A file of an export, for whoever asked for it and may read its invoices.

        :raise AccessError: told as 403
        :raise NotFound: there is no such file
        """
        part = request.env["healthcare.invoice.export.part"].browse(part_id)
        if not part.exists():
            raise request.not_found()
        part.check_access("read")
        name, mime, content = part._content()
        return request.make_response(
            content,
            headers=[
                ("Content-Type", mime),
                ("Content-Disposition", content_disposition(name.replace("/", "-"))),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )
