from odoo import http
from odoo.http import content_disposition, request

from .billing_run import XLSX

FORMATS = {
    "csv": ("_export_csv", "text/csv; charset=utf-8"),
    "xlsx": ("_export_xlsx", XLSX),
}


class StatementExportController(http.Controller):
    @http.route(
        "/healthcare_billing/statements/<int:wizard_id>/<string:kind>", type="http", auth="user"
    )
    def download(self, wizard_id, kind):
        """A table of statements, for whoever asked for it and may read them.

        :raise AccessError: told as 403
        :raise NotFound: there is no such export
        """
        wizard = request.env["healthcare.statement.export"].browse(wizard_id)
        if kind not in FORMATS or not wizard.exists():
            raise request.not_found()
        wizard.check_access("read")
        method, mime = FORMATS[kind]
        name = f"{request.env._('Statements')}.{kind}"
        return request.make_response(
            getattr(wizard.statement_ids, method)(),
            headers=[
                ("Content-Type", mime),
                ("Content-Disposition", content_disposition(name)),
                ("X-Content-Type-Options", "nosniff"),
                ("Cache-Control", "no-store"),
            ],
        )
