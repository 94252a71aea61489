import logging
from datetime import date

from psycopg2.errors import UniqueViolation

from odoo import api, models
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import format_list, split_every

_logger = logging.getLogger(__name__)

RENEWAL_CHUNK = 100
MAX_TRIES = 5


class HealthcareCptLicense(models.Model):
    """Renewing licenses on 1 January, and letting those of the last year expire."""

    _inherit = "healthcare.cpt.license"

    @api.model
    def _cron_renew(self):
        """Scheduled action: expire what is over, and renew on 1 January of each company's day.

        Whoever is active, has CPT code access and had a license in any earlier year gets this
        year's, dated 1 January, on whatever day this runs. A canceled license of this year is a
        decision, and no reason to buy another one. Running again adds nothing.
        """
        companies = self.env["res.company"].search(Domain.TRUE)
        for today, members in companies.grouped(lambda own: own._care_today()).items():
            self._expire(members, today)
        self.env["ir.cron"]._commit_progress(remaining=1)
        for year, members in companies.grouped(lambda own: own._care_today().year).items():
            due = self._employees_to_renew(members, year).ids
            for employee_ids in split_every(RENEWAL_CHUNK, due, list):
                self._renew_safely(employee_ids, year)
                if not self.env["ir.cron"]._commit_progress(len(employee_ids), remaining=1):
                    return
        self.env["ir.cron"]._commit_progress(remaining=0)

    @api.model
    def _expire(self, companies, today):
        """Let the state of paid licenses follow the calendar."""
        over = self.search(
            [
                ("company_id", "in", companies.ids),
                ("state", "=", "paid"),
                ("date_to", "<", today),
            ]
        )
        self.env.add_to_compute(self._fields["state"], over)
        self.env.flush_all()

    @api.model
    def _employees_to_renew(self, companies, year):
        """Employees of these companies whose license is renewed, and isn't yet.

        Their earlier license may be of another company: of the one that employed them then.
        """
        before = self._read_group(
            [("year", "<", year), ("state", "!=", "canceled")], ["employee_id"]
        )
        current = self._read_group([("year", "=", year)], ["employee_id"])
        due = {employee.id for (employee,) in before} - {employee.id for (employee,) in current}
        return self.env["hr.employee"].search(
            [
                ("id", "in", list(due)),
                ("cpt_access", "=", True),
                ("company_id", "in", companies.ids),
            ],
            order="id",
        )

    @api.model
    def _renew_safely(self, employee_ids, year):
        """Renew; who was assigned one meanwhile is left alone, and one fault stops nobody else.

        Each call is a transaction of its own: the scheduled action commits before and after.
        """
        for _attempt in range(MAX_TRIES):
            try:
                renewed = self._assign(
                    self.env["hr.employee"].browse(employee_ids), year, date_from=date(year, 1, 1)
                )
                renewed._tell_renewal(year)
                self.env.flush_all()
                return
            except (UniqueViolation, *PG_CONCURRENCY_EXCEPTIONS_TO_RETRY):
                self.env.cr.rollback()  # a new snapshot shows what the others did
            except Exception:  # the other employees must go on
                self.env.cr.rollback()
                if len(employee_ids) == 1:
                    _logger.exception("CPT license of employee %s not renewed", employee_ids)
                    return
                break
        if len(employee_ids) == 1:
            _logger.warning("CPT license of employee %s is renewed later", employee_ids)
            return
        for employee_id in employee_ids:
            self._renew_safely([employee_id], year)
            self.env["ir.cron"]._commit_progress(remaining=1)

    def _tell_renewal(self, year):
        """Tell the billing managers of each company what is to be paid now.

        In the transaction that makes the licenses: told once, as they are made once.
        """
        managers = self.env.ref("healthcare_billing.group_billing_manager").all_user_ids
        for company, licenses in self.grouped("company_id").items():
            told = managers.filtered(
                lambda user, company=company: (
                    user.active and company in user.company_ids and user._is_internal()
                )
            )
            if told:
                licenses[0].message_notify(
                    partner_ids=told.partner_id.ids,
                    subject=self.env._("CPT licenses of %s to pay", year),
                    body=self.env._(
                        "%(number)s CPT licenses of %(company)s were renewed for %(year)s. Until "
                        "they are paid, no CPT-coded care of these providers can be invoiced: "
                        "%(names)s.",
                        number=len(licenses),
                        company=company.name,
                        year=year,
                        # sudo: only names get out
                        names=format_list(self.env, licenses.sudo().employee_id.mapped("name")),
                    ),
                )
