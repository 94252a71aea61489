from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL


class HealthcareAppointment(models.Model):
    """What stands in the way of an appointment: holidays, leave, and other appointments."""

    _inherit = "healthcare.appointment"

    @api.model
    def _find_conflicts(self, slots, *, company, client, employee, payer, without=None):
        """What each of these times collides with, asked once for all of them.

        :param list slots: (start, stop) as naive UTC datetimes
        :param without: appointments that don't count, because they are to be replaced
        :return: list of lists of sentences, in the order of the slots
        """
        found = [[] for _slot in slots]
        if not slots:
            return found
        for leave_from, leave_to, text in self._closed_times(slots, company, employee, payer):
            for index, (start, stop) in enumerate(slots):
                if start < leave_to and stop > leave_from and text not in found[index]:
                    found[index].append(text)
        for index, text in self._find_overlaps(slots, company, client, employee, without):
            found[index].append(text)
        return found

    @api.model
    def _closed_times(self, slots, company, employee, payer):
        """Holidays of company and payer, and leave of the provider, within these times.

        :return: list of (from, to, sentence)
        """
        # sudo: planners may not read other people's leave; that somebody is away is all they learn
        resource = employee.sudo().resource_id
        payer_calendar = payer.sudo().holiday_calendar_id
        company_calendars = company.sudo().resource_calendar_id | resource.calendar_id
        global_leave = Domain("resource_id", "=", False)
        of_company = Domain("company_id", "in", [company.id, False])
        calendars = Domain("calendar_id", "in", [False, *company_calendars.ids])
        wanted = global_leave & of_company & calendars
        if payer_calendar:
            wanted |= global_leave & Domain("calendar_id", "=", payer_calendar.id)
        if resource:
            wanted |= Domain("resource_id", "=", resource.id)
        leaves = (
            self.env["resource.calendar.leaves"]
            .sudo()
            .search(
                wanted
                & Domain("time_type", "=", "leave")
                & Domain("date_from", "<", max(stop for _start, stop in slots))
                & Domain("date_to", ">", min(start for start, _stop in slots)),
                order="date_from, id",
            )
        )
        closed = []
        for leave in leaves:
            if leave.resource_id:
                text = self.env._("%s is on leave", employee.name)
            elif leave.calendar_id and leave.calendar_id == payer_calendar:
                text = self.env._(
                    "Holiday of %(payer)s: %(holiday)s",
                    payer=payer.name,
                    holiday=leave.name or self.env._("closed"),
                )
            else:
                text = self.env._("Holiday: %s", leave.name or self.env._("closed"))
            closed.append((leave.date_from, leave.date_to, text))
        return closed

    @api.model
    def _find_overlaps(self, slots, company, client, employee, without):
        """Other appointments of the provider or the client at these times, in one query.

        :return: list of (index of the slot, sentence)
        """
        if not client and not employee:
            return []
        self.flush_model(
            ["start", "stop", "state", "active", "client_id", "employee_id", "company_id"]
        )
        # SQL without record rules: what others do is told as busy, without saying with whom
        rows = self.env.execute_query(
            SQL(
                """
                SELECT slot.index, appointment.id,
                       COALESCE(appointment.employee_id = %(employee)s, FALSE),
                       COALESCE(appointment.client_id = %(client)s, FALSE)
                  FROM unnest(%(indexes)s, %(starts)s::timestamp[], %(stops)s::timestamp[])
                       AS slot(index, start, stop)
                  JOIN healthcare_appointment appointment
                    ON appointment.start < slot.stop AND appointment.stop > slot.start
                 WHERE appointment.active
                   AND appointment.company_id = %(company)s
                   AND appointment.state IN ('scheduled', 'completed')
                   AND appointment.id <> ALL(%(without)s)
                   AND (appointment.employee_id = %(employee)s
                        OR appointment.client_id = %(client)s)
              ORDER BY slot.index, appointment.start, appointment.id
                """,
                company=company.id,
                employee=employee.id or None,
                client=client.id or None,
                indexes=list(range(len(slots))),
                starts=[start for start, _stop in slots],
                stops=[stop for _start, stop in slots],
                without=without.ids if without else [0],
            )
        )
        others = self.browse(row[1] for row in rows)
        known = set(others._filtered_access("read").ids) if others else set()
        names = dict(zip(others.ids, others.sudo().mapped("name"), strict=True)) if others else {}
        overlaps = []
        for index, id_, same_employee, same_client in rows:
            if same_employee and same_client:
                who = self.env._("Client and provider have")
            elif same_employee:
                who = self.env._("Provider has")
            else:
                who = self.env._("Client has")
            what = names[id_] if id_ in known else self.env._("another appointment")
            overlaps.append((index, f"{who} {what}"))
        return overlaps
