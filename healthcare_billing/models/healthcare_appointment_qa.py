from odoo import models

TO_CORRECT = "healthcare_billing.mail_activity_type_corrections"


class HealthcareAppointment(models.Model):
    """QA review: completed care is looked through before it is billed.

    ===========  ======================================  ==========================================
    qa_state     means                                   next
    ===========  ======================================  ==========================================
    none         not to be reviewed, or not given yet    review, when it is completed
    review       waits for somebody who looks through    done, or corrections with what to correct
    corrections  waits for the provider, who gets an     review again, when it is handed in
                 activity
    done         over to the billing office, or to the   review again, while nothing is billed
                 statement that it is on
    ===========  ======================================  ==========================================

    Care staff hand in their own care again; everything else is for coordinators (see
    ``healthcare_appointment_guard.py``).
    """

    _inherit = "healthcare.appointment"

    def _enter_qa(self):
        """Where the company reviews, completed care goes to QA first."""
        self.filtered(
            lambda appointment: (
                appointment.state == "completed"
                and appointment.qa_state == "none"
                and appointment.company_id.healthcare_qa_review
            )
        ).qa_state = "review"

    def action_qa_done(self):
        """The review found nothing to correct: over to the billing office."""
        self.filtered(lambda a: a.qa_state in ("review", "corrections")).qa_state = "done"

    def action_qa_corrections(self):
        """Ask what is to be corrected.

        :return: window action on a new ``healthcare.appointment.correct``
        """
        return self.env["healthcare.appointment.correct"]._open(self)

    def action_qa_hand_in(self):
        """The provider corrected it: review it again."""
        self.filtered(lambda a: a.qa_state == "corrections").qa_state = "review"

    def action_qa_reopen(self):
        """Review it again, while nothing of it is billed."""
        self._check_no_live_charge()
        self.filtered(lambda a: a.qa_state == "done").qa_state = "review"

    def _ask_corrections(self, text):
        """Back to the provider, who gets an activity.

        The text is confidential: it stays in the log of the appointment, because activities are
        sent by e-mail.

        :param str text: what is to be corrected
        """
        asked = self.filtered(lambda a: a.qa_state in ("review", "corrections"))
        asked.qa_state = "corrections"
        if text:
            asked._message_log_batch(bodies=dict.fromkeys(asked.ids, text))
        # sudo: the provider's user is for everybody to write to, employees aren't for billers
        asked = asked.sudo()
        told = set(asked.activity_search([TO_CORRECT]).mapped("res_id"))
        without = asked.filtered(lambda appointment: appointment.id not in told)
        for user, own in without.grouped(lambda a: a.employee_id.user_id).items():
            if user:
                own.activity_schedule(TO_CORRECT, user_id=user.id)

    def write(self, vals):
        result = super().write(vals)
        if vals.get("qa_state", "corrections") != "corrections":
            # sudo: the activity belongs to the provider, whoever ends the review
            self.sudo().activity_unlink([TO_CORRECT])
        return result
