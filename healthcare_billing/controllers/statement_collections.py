from odoo import http
from odoo.http import content_disposition, request


class StatementCollectionsController(http.Controller):
    @http.route("/healthcare_billing/collections/<int:bulk_id>", type="http", auth="user")
    def download(self, bulk_id):
        """The file for a collection agency, for whoever chose its statements.

        :raise AccessError: told as 403
        :raise NotFound: there is no such choice
        """
        bulk = request.env["healthcare.statement.bulk"].browse(bulk_id)
        if not bulk.exists():
            raise request.not_found()
        bulk.check_access("read")
        name, mime, content = bulk._statements()._collections_file()
        return request.make_response(
            content,
            headers=[
                ("Content-Type", mime),
                ("Content-Disposition", content_disposition(name)),
                ("X-Content-Type-Options", "nosniff"),
                ("Cache-Control", "no-store"),
            ],
        )
