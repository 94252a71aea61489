import io
from collections import OrderedDict

from odoo import models
from odoo.tools import split_every

REPORT = "healthcare_billing.action_report_bills"
# How many documents are drawn into one PDF: more take longer than a browser waits.
PDF_PART = 100


class AccountMove(models.Model):
    """Bills as paper: in the order of their list, each by its own template, in as many copies."""

    _inherit = "account.move"

    def _bill_template(self):
        """The template of a bill, if one was chosen that can print it.

        :return: ``ir.actions.report`` record, or none
        """
        self.ensure_one()
        # sudo: accountants and the portal print too
        template = self.sudo().invoice_template_id
        if template and not self._is_action_report_available(template):
            return template.browse()
        return template.with_env(self.env)

    def _print_documents(self, document):
        moves = self.filtered(lambda move: move.state != "cancel")
        if document == "invoice" and moves and any(move._bill_template() for move in moves):
            self._check_may_process()
            return self._print_pages(moves.ids)
        return super()._print_documents(document)

    def _print_pages(self, ids):
        """One PDF of documents.

        :param list ids: of invoices, in printing order, once for each copy
        :return: report action
        """
        return self.env.ref(REPORT).report_action(ids, config=False)

    def _page_parts(self, ids):
        """Documents in parts that a browser can wait for.

        :return: list of lists of ids
        """
        return list(split_every(PDF_PART, ids, list))

    def _get_invoice_pdf_proforma(self):
        """Core draws its own template, whatever was chosen."""
        template = self._bill_template()
        if not template:
            return super()._get_invoice_pdf_proforma()
        reports = self.env["ir.actions.report"]
        content, kind = reports._pre_render_qweb_pdf(
            template.report_name, self.ids, data={"proforma": True}
        )
        return {
            "filename": self._get_invoice_proforma_pdf_report_filename(),
            "filetype": "pdf",
            "content": reports._get_splitted_report(template.report_name, content, kind)[self.id],
        }


class IrActionsReport(models.Model):
    _inherit = "ir.actions.report"

    def _render_qweb_pdf_prepare_streams(self, report_ref, data, res_ids=None):
        """Bills: each template draws its own, and they are put together in the given order."""
        if not res_ids or self._get_report(report_ref) != self.env.ref(REPORT):
            return super()._render_qweb_pdf_prepare_streams(report_ref, data, res_ids=res_ids)
        default = self.env.ref("account.account_invoices")
        moves = self.env["account.move"].browse(dict.fromkeys(res_ids))
        drawn = {}
        for template, own in moves.grouped(lambda move: move._bill_template() or default).items():
            name = template.report_name
            streams = self._render_qweb_pdf_prepare_streams(name, dict(data or {}), own.ids)
            if not all(id_ in streams and streams[id_]["stream"] for id_ in own.ids):
                # a template without headings can't be cut: bill by bill then
                streams = {
                    id_: next(
                        iter(
                            self._render_qweb_pdf_prepare_streams(
                                name, dict(data or {}), [id_]
                            ).values()
                        )
                    )
                    for id_ in own.ids
                }
            drawn.update({id_: streams[id_]["stream"].getvalue() for id_ in own.ids})
        return OrderedDict(
            ((id_, place), {"stream": io.BytesIO(drawn[id_]), "attachment": None})
            for place, id_ in enumerate(res_ids)
        )
