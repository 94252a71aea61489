from odoo import models

from .healthcare_charge_balance import PARTIES


class HealthcareCharge(models.Model):
    """What a payer's decision, and taking it back, leave to the billing office."""

    _inherit = "healthcare.charge"

    def _return_what_is_left(self):
        """What is left after a payer's decision is told on the next statement."""
        for party, suffix in PARTIES.items():
            left = self.filtered(lambda charge, name=f"ledger_{suffix}": charge[name])
            left._set_returned(party, True)
            (self - left)._set_returned(party, False)

    def _keep_returned(self):
        """What was back at the billing office goes on being there when a decision is taken back.

        Else it would await payment on no statement, and nobody would be asked for it again. Only
        what is settled isn't told any more, and what a committed statement holds is told on that.
        """
        held = {
            (line.charge_id, line.responsibility)
            for line in self.env["healthcare.statement.line"].search(
                [
                    ("charge_id", "in", self.ids),
                    ("statement_id.state", "=", "committed"),
                    ("outcome", "=", False),
                ]
            )
        }
        for party, suffix in PARTIES.items():
            gone = self.browse()
            for charge in self.filtered(f"returned_{suffix}"):
                if (charge, party) in held or not charge[f"ledger_{suffix}"]:
                    gone |= charge
            if gone:
                gone._set_returned(party, False)
