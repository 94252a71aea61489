import io

from odoo import models

from .healthcare_superbill import ISSUING
from .healthcare_superbill_delivery import REPORT


class IrActionsReport(models.Model):
    """Superbills are printed from what was kept, through whichever door."""

    _inherit = "ir.actions.report"

    def _render_qweb_pdf_prepare_streams(self, report_ref, data, res_ids=None):
        # only who draws them to keep them holds ISSUING
        if (
            not res_ids
            or self._get_report(report_ref) != self.env.ref(REPORT)
            or self.env.context.get("healthcare_superbill") is ISSUING
        ):
            return super()._render_qweb_pdf_prepare_streams(report_ref, data, res_ids=res_ids)
        superbills = self.env["healthcare.superbill"].browse(dict.fromkeys(res_ids))
        return {
            superbill.id: {"stream": io.BytesIO(content), "attachment": None}
            for superbill, content in superbills._pdf_contents().items()
        }
