from collections import defaultdict

from odoo import api, models
from odoo.fields import Domain


class ResCompany(models.Model):
    """Holidays of care: public holidays of the payer's calendar, else of the company's."""

    _inherit = "res.company"

    @api.model
    def _care_holidays(self, wanted):
        """Which local days are holidays, for whom; one query however many are asked for.

        A public holiday is time off without a resource. It makes a holiday of the local days whose
        noon lies in it: so a calendar that was kept in a neighboring time zone spills over to no
        other day, and an afternoon off makes no holiday.

        :param wanted: iterable of (company, payer, local day); payer may be empty
        :return: set of those that are holidays
        """
        by_calendar = defaultdict(set)
        for company, payer, day in set(wanted):
            # sudo: the calendar of a payer decides prices, whoever makes the appointment
            calendar = payer.sudo().holiday_calendar_id or company.healthcare_holiday_calendar_id
            if calendar and day:
                by_calendar[calendar].add((company, payer, day))
        if not by_calendar:
            return set()
        found = set()
        leaves = self._care_holiday_leaves(by_calendar)
        for calendar, asked in by_calendar.items():
            for key in asked:
                company, _payer, day = key
                noon = company._care_noon(day)
                owner = calendar.company_id or company
                if any(
                    leave.date_from <= noon <= leave.date_to
                    and (leave.calendar_id or calendar) == calendar
                    and (leave.calendar_id or (leave.company_id or owner) == owner)
                    for leave in leaves
                ):
                    found.add(key)
        return found

    @api.model
    def _care_holiday_leaves(self, by_calendar):
        """Public holidays that may lie on one of these days.

        :param dict by_calendar: ``{resource.calendar: {(company, payer, day)}}``
        :return: ``resource.calendar.leaves`` recordset
        """
        noons = [c._care_noon(day) for asked in by_calendar.values() for c, _payer, day in asked]
        calendar_ids = [calendar.id for calendar in by_calendar]
        domain = (
            Domain("resource_id", "=", False)
            & Domain("time_type", "=", "leave")
            & Domain("calendar_id", "in", [*calendar_ids, False])
            & Domain("date_from", "<=", max(noons))
            & Domain("date_to", ">=", min(noons))
        )
        # sudo: see above; holidays without a calendar are those of all calendars of their company
        return (
            self.env["resource.calendar.leaves"]
            .sudo()
            .search_fetch(domain, ["calendar_id", "company_id", "date_from", "date_to"])
        )
