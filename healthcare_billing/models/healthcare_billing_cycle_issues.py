from odoo import models


class HealthcareBillingCycle(models.Model):
    """What keeps care of the cycle from being billed, seen before it is approved."""

    _inherit = "healthcare.billing.cycle"

    def action_view_issues(self):
        """Look through the cycle's care now, and open what was found.

        :return: window action on a new ``healthcare.cycle.check``
        """
        self.ensure_one()
        check = self.env["healthcare.cycle.check"].create({"cycle_id": self.id})
        check.action_check()
        return check._open()

    def _days_domain(self):
        """All days that the cycle may bill: its own, and those of its back-billing date."""
        return self._own_days_domain() | self._carry_over_domain()
