from odoo.tests import HttpCase, tagged

from .cycle_common import CycleInvoicesCommon

OVERVIEW = "/odoo/action-healthcare_billing.healthcare_invoice_overview_action"


@tagged("post_install", "-at_install")
class TestInvoiceExportTour(CycleInvoicesCommon, HttpCase):
    browser_size = "1400x850"

    def test_files_of_two_programs(self):
        self.env["res.config.settings"].create({"group_use_billing_cycles": True}).execute()
        self.visit_service.activity_code = "ACT9"
        for name, code in (("North Program", "GOV1"), ("South Program", "GOV2")):
            program = self._payer(
                name, invoicing_model="payer_file", payer_type="facility", edi_payer_id=code
            )
            client = self._client(f"Client of {name}", account={"payer_id": program.id})
            self._coverage(client, program, member_id="M-2")
            self._generate(self._approved(client)).action_post()
        biller = self._user("billing_user")
        self.start_tour(OVERVIEW, "healthcare_billing_invoice_export_tour", login=biller.login)
