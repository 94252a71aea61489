from datetime import timedelta

from odoo import fields, models
from odoo.fields import Domain

from .healthcare_billing_cycle_visits import CARE_OFFICE
from .healthcare_charge import PRICING


class HealthcareBillingCycle(models.Model):
    """Premiums of a cycle: those of its visits, and those of its clients."""

    _inherit = "healthcare.billing.cycle"

    premium_count = fields.Integer(
        compute="_compute_premium_count", string="Premiums", groups=CARE_OFFICE
    )

    def _compute_premium_count(self):
        for cycle in self:
            cycle.premium_count = self.env["healthcare.charge"].search_count(
                cycle._premium_domain()
            )

    def _premium_domain(self):
        """Premium charges of the cycle, of visits and of clients."""
        self.ensure_one()
        premiums = Domain("kind", "=", "premium") & self._charge_domain()
        return premiums & ~self._premiums_billed_elsewhere()

    def _premiums_billed_elsewhere(self):
        """Premiums of carry-over days that an invoice outside the cycle holds."""
        if not self.back_billing_date:
            return Domain.FALSE
        # sudo: who may see premiums need not be allowed to see invoices
        lines = self.env["account.move.line"].sudo()
        held = lines.search(
            [
                ("charge_live", "=", True),
                ("charge_id.kind", "=", "premium"),
                ("charge_id.company_id", "=", self.company_id.id),
                ("charge_id.service_date", ">=", self.back_billing_date),
                ("charge_id.service_date", "<", self.date_from),
                ("move_id.billing_cycle_id", "!=", self.id),
            ]
        )
        return Domain("id", "in", held.charge_id.ids)

    def action_view_premiums(self):
        """Open the premiums of the cycle; what its clients owe by the day is made before."""
        self.ensure_one()
        if self.env["healthcare.charge"].has_access("create"):
            self._make_client_premiums()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_premium_charge_action"
        )
        return {**action, "domain": list(self._premium_domain())}

    # -- client premiums -------------------------------------------------------------------------
    def _make_client_premiums(self):
        """Charge the client premiums of the cycle's days up to today, each day, week or month once.

        What isn't due any more, because the dates of the premium or the history of the account were
        corrected, goes again, or moves to the first day that counts, while nothing is billed.
        Running it twice adds nothing. Two at the same time: the second one loses the race for the
        premiums' rows, is run again by the framework, and finds everything made.

        :return: charges that were made
        """
        charges = self.env["healthcare.charge"].with_context(healthcare_pricing=PRICING)
        if self.state != "open":
            return charges
        first = self.back_billing_date or self.date_from
        stop = min(self.date_to, self.company_id._care_today() + timedelta(days=1))
        premiums = self._client_premiums(first, stop)
        due = premiums._due_days(first, stop)
        known = premiums._charges_of(due)
        premiums._correct_charges(due, known)
        missing = {
            key: day for key, day in due.items() if day and first <= day < stop and key not in known
        }
        premiums.browse({premium.id for premium, _start in missing})._claim()
        return charges.create(
            [premium._prepare_charge(start, day) for (premium, start), day in missing.items()]
        )

    def _client_premiums(self, first, stop):
        """Client premiums in the cycle's scope that reach into a range of days."""
        self.ensure_one()
        return self.env["healthcare.client.premium"].search(
            self._scope_domain()
            & Domain("account_id.billable", "=", True)
            & Domain("account_id.active", "=", True)
            & Domain("date_from", "<", stop)
            & (Domain("date_to", "=", False) | Domain("date_to", ">=", first))
        )
