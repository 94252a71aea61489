from odoo import http
from odoo.http import content_disposition, request

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class BillingRunController(http.Controller):
    @http.route(
        "/healthcare_billing/run/<int:run_id>/xlsx", type="http", auth="user", readonly=True
    )
    def xlsx(self, run_id):
        """The run's list as a spreadsheet, for whoever may read the run.

        :raise AccessError: told as 403
        :raise NotFound: there is no such run
        """
        run = request.env["healthcare.billing.run"].browse(run_id)
        run.check_access("read")
        if not run.exists():
            raise request.not_found()
        name = run.name.replace("/", "-")
        return request.make_response(
            run._xlsx_content(),
            headers=[
                ("Content-Type", XLSX),
                ("Content-Disposition", content_disposition(f"{name}.xlsx")),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )
