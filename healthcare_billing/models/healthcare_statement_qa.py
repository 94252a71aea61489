import logging

from odoo import api, models

from ..tools.races import RETRIED_ERRORS

_logger = logging.getLogger(__name__)


class HealthcareStatementLine(models.Model):
    """What was committed while in QA is invoiced as soon as QA is done, as its committer (R18)."""

    _inherit = "healthcare.statement.line"

    @api.model
    def _cron_commit_after_qa(self):
        """Scheduled action: book what waited for QA, each statement in its own transaction."""
        statements = self.search(self._reviewed_domain()).statement_id.sorted("id")
        self.env["ir.cron"]._commit_progress(remaining=len(statements))
        for statement in statements:
            self._try_after_qa(statement)
            if not self.env["ir.cron"]._commit_progress(1):
                return

    @api.model
    def _reviewed_domain(self):
        return [
            ("waits_for_qa", "=", True),
            ("statement_id.state", "=", "committed"),
            ("charge_id.billing_stage", "!=", "qa"),
        ]

    @api.model
    def _try_after_qa(self, statement):
        """Book what is reviewed of a statement; what goes wrong stops no other one."""
        try:
            with self.env.cr.savepoint():
                statement._commit_after_qa()
                self.env.flush_all()
        except RETRIED_ERRORS:
            # Somebody works on it: the next start takes it up. The others, each in a transaction of
            # its own, need a new snapshot: on this one nothing can be trusted any more.
            self.env.cr.rollback()
            _logger.info("statement %s waits for its turn", statement.name)
            self.env.ref("healthcare_billing.ir_cron_statement_after_qa")._trigger()
        except Exception:  # the other statements must go on
            _logger.exception("statement %s: reviewed care wasn't committed", statement.name)


class HealthcareStatement(models.Model):
    _inherit = "healthcare.statement"

    def _commit_after_qa(self):
        """Commit what waited for QA and is reviewed, with the rights of who committed it."""
        self.ensure_one()
        user = self.committed_by_id
        statement = self.with_user(user).with_context(
            allowed_company_ids=self.company_id.ids, lang=user.lang, tz=user.tz
        )
        statement = statement.with_company(self.company_id)
        statement._in_turn()
        lines = statement.line_ids.filtered(lambda line: line.waits_for_qa and not line._is_in_qa())
        lines._commit_items()


class HealthcareAppointment(models.Model):
    _inherit = "healthcare.appointment"

    def _freeze_prices_after_qa(self):
        """What statements wait for is booked at once."""
        result = super()._freeze_prices_after_qa()
        # sudo: whoever ends QA need not be allowed to see statements, or scheduled actions
        waiting = self.env["healthcare.statement.line"].sudo()
        if waiting.search_count(
            [("appointment_id", "in", self.ids), ("waits_for_qa", "=", True)], limit=1
        ):
            self.env.ref("healthcare_billing.ir_cron_statement_after_qa").sudo()._trigger()
        return result
