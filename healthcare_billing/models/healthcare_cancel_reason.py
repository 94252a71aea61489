from odoo import fields, models


class HealthcareCancelReason(models.Model):
    """Why an appointment did not happen as planned, and who bears it.

    ``bill`` (the client is charged) and ``pay`` (the staff member is paid) are independent: a
    client who doesn't open the door may owe the fee of a visit that the caregiver is paid for.
    """

    _name = "healthcare.cancel.reason"
    _description = "Cancellation Reason"
    _inherit = "healthcare.code.mixin"
    _order = "state, name, id"

    name = fields.Char(translate=True)
    state = fields.Selection(
        [
            ("late_canceled", "Late canceled"),
            ("no_show", "No-show"),
            ("rescheduled", "Rescheduled"),
            ("canceled", "Canceled"),
        ],
        "Appointment Becomes",
        required=True,
        default="canceled",
    )
    bill = fields.Boolean("Bill the Client", help="The appointment is charged to the client.")
    pay = fields.Boolean("Pay the Staff", help="The appointment counts as worked for the staff.")
