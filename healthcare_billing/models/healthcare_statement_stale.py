import logging
from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.fields import Domain

from ..tools.races import RETRIED_ERRORS

_logger = logging.getLogger(__name__)

DRAFT_YEARS = 2  # a draft that nobody committed for so long is forgotten


class HealthcareStatement(models.Model):
    """Statements that were forgotten close by themselves (R23)."""

    _inherit = "healthcare.statement"

    @api.model
    def _cron_close_stale(self):
        """Scheduled action: drafts older than two years cancel, committed ones close as unpaid.

        When the latter happens each company's settings say. One statement is one transaction: one
        that can't be closed is logged and left for the next time, and stops no other. Running again
        does nothing.
        """
        due = self._stale_statements()
        cron = self.env["ir.cron"]
        left = sum(len(statements) for _method, statements in due)
        cron._commit_progress(remaining=left)
        for method, statements in due:
            for statement_id in statements.ids:
                self.browse(statement_id)._close_stale(method)
                left -= 1
                if not cron._commit_progress(1, remaining=left):
                    return

    @api.model
    def _stale_statements(self):
        """What is to be closed today, in all companies.

        :return: list of (name of the method that closes them, statements)
        """
        due = []
        for company in self.env["res.company"].search(Domain.TRUE):
            today = company._care_today()
            created = fields.Datetime.to_datetime(today - relativedelta(years=DRAFT_YEARS))
            drafts = [("state", "=", "draft"), ("create_date", "<", created)]
            due.append(("_close_canceled", company, drafts))
            days = company.healthcare_stale_days
            if days:
                day = today - timedelta(days=days)
                committed = [("state", "=", "committed"), ("committed_on", "<", day)]
                due.append(("_close_unpaid", company, committed))
        return [
            (method, self.search([("company_id", "=", company.id), *domain], order="id"))
            for method, company, domain in due
        ]

    def _close_stale(self, method):
        """Close one statement, on behalf of nobody; a fault is logged, and undone."""
        self.ensure_one()
        statement = self.with_company(self.company_id)
        try:
            with self.env.cr.savepoint():
                getattr(statement, method)()
                statement._message_log(
                    body=self.env._("Closed automatically: it was left open too long.")
                )
                self.env.flush_all()
        except RETRIED_ERRORS:
            # Somebody works on it: then it isn't forgotten. The others, each in a transaction of
            # its own, need a new snapshot: on this one nothing can be trusted any more.
            self.env.cr.rollback()
            _logger.info("statement %s is in use", self.id)
        except Exception:  # the other statements must go on
            _logger.exception("statement %s can't be closed as stale", self.id)
