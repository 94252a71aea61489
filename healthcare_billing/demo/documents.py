"""Invoices as PDF files, from a shell."""

import logging
import shutil
import threading
from contextlib import contextmanager

from werkzeug.serving import WSGIRequestHandler, make_server

from odoo import http

_logger = logging.getLogger(__name__)


class _SilentHandler(WSGIRequestHandler):
    def log(self, type, message, *args):
        """Requests for style sheets are nobody's business."""


def write_pdf(env, records, path, report="account.account_invoices"):
    """Print records into one file, by default invoices as the Print menu does.

    :param path: ``pathlib.Path``
    :param str report: of ``ir.actions.report``
    """
    with _style_sheets(env):
        content, _type = env["ir.actions.report"]._render_qweb_pdf(report, res_ids=records.ids)
    path.write_bytes(content)


def can_print():
    """Whether the program that makes PDF files is there."""
    return bool(shutil.which("wkhtmltopdf"))


@contextmanager
def _style_sheets(env):
    """Serve style sheets and pictures while wkhtmltopdf runs: it asks for them by HTTP.

    Only committed data can be served, and this process must serve one database only, as
    ``odoo shell -d NAME`` does.
    """
    parameters = env["ir.config_parameter"].sudo()
    if parameters.get_param("report.url"):  # somebody else serves them
        yield
        return
    server = make_server("127.0.0.1", 0, http.root, threaded=True, request_handler=_SilentHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        parameters.set_param("report.url", f"http://127.0.0.1:{server.server_port}")
        yield
    finally:
        parameters.set_param("report.url", False)
        server.shutdown()
        server.server_close()
