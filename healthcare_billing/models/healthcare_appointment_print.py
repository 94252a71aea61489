import re

from odoo import fields, models

# Not str.splitlines(): that takes rarer characters for ends of lines too, and what is confidential
# must not become a line of its own by one of them.
LINE_END = re.compile(r"\r\n|\r|\n")
# Notes of which lines may be printed, in this order.
PRINTED_NOTES = ("preauthorization_note", "dispatcher_note", "billing_note")


class HealthcareAppointment(models.Model):
    """What of an appointment is told on statements, besides its charges."""

    _inherit = "healthcare.appointment"

    abn_signed_by = fields.Char(
        string="Notice of Non-coverage Signed by",
        copy=False,
        tracking=True,
        help="Who signed the advance notice that insurance won't cover this care. Statements name "
        "this person.",
    )
    abn_signed_on = fields.Date(string="Notice Signed on", copy=False, tracking=True)

    def _printed_comments(self):
        """Lines of the notes that are meant to be read by others: they begin with "!" (R21).

        :return: list of texts, without their mark; everything else in the notes is confidential
        """
        self.ensure_one()
        comments = []
        for name in PRINTED_NOTES:
            for line in LINE_END.split(self[name] or ""):
                if line.startswith("!") and (text := line[1:].strip()):
                    comments.append(text)
        return comments
