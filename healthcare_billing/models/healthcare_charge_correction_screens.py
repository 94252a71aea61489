from odoo import models
from odoo.exceptions import UserError

from .healthcare_charge_balance import PARTIES


class HealthcareCharge(models.Model):
    """What opens the dialogs of adjudications, charges and discounts, and write-offs."""

    _inherit = "healthcare.charge"

    def _adjudication_lines(self):
        """Values of the dialog's lines: as decided before, else as billed."""
        net = self._net_parts()
        values = []
        for charge in self:
            base, moved, finance, total = charge._adjudication_sums(net)
            others = charge._is_payer_responsible() or base["primary"] or base["secondary"]
            allowed = charge.allowed_amount if charge.is_adjudicated else sum(base.values())
            values.append(
                {
                    "charge_id": charge.id,
                    "has_payer": bool(others),
                    "billed": sum(total.values()),
                    "finance": sum(finance.values()),
                    "client_billed": base["client"] + moved["client"],
                    "allowed": allowed,
                    "sequestration": charge.sequestration_amount,
                }
            )
        return values

    def _items_in_question(self):
        """Parties that owe, or have a credit, of these charges; else those that are asked.

        :return: list of ``(charge, responsibility)``
        """
        items = []
        for charge in self._roots():
            open_parties = [
                party for party, suffix in PARTIES.items() if charge[f"balance_{suffix}"]
            ]
            items += [(charge, party) for party in open_parties or charge._parts()]
        return items

    def action_adjudicate(self):
        """Record what a payer allows of these charges.

        :return: window action on a new ``healthcare.adjudication``
        """
        return self.env["healthcare.adjudication"]._open(self._roots())

    def action_unadjudicate(self):
        """Take back what was recorded: quote, service charges and discounts count again.

        :raise UserError: none of them was adjudicated
        """
        if not self._roots().filtered("is_adjudicated"):
            raise UserError(self.env._("None of this care was adjudicated."))
        self._unadjudicate()

    def action_add_extra(self):
        """Add finance charges, service charges or discounts to these charges.

        :return: window action on a new ``healthcare.charge.extra``
        """
        return self.env["healthcare.charge.extra"]._open(self._items_in_question())


class HealthcareAppointment(models.Model):
    _inherit = "healthcare.appointment"

    def action_adjudicate(self):
        """Record what a payer allows of these appointments."""
        return self.charge_ids.action_adjudicate()

    def action_add_extra(self):
        """Add charges or discounts to the care of these appointments."""
        return self.charge_ids.action_add_extra()


class HealthcareReceivable(models.Model):
    _inherit = "healthcare.receivable"

    def action_add_extra(self):
        """Add charges or discounts to these receivables."""
        items = [(row.charge_id, row.responsibility) for row in self]
        return self.env["healthcare.charge.extra"]._open(items)

    def action_write_off(self):
        """Write off what is posted of these receivables.

        :return: window action on a new ``healthcare.item.write.off``
        """
        items = [(row.charge_id, row.responsibility) for row in self if row.ledger > 0]
        return self.env["healthcare.item.write.off"]._open(items)


class HealthcareStatement(models.Model):
    _inherit = "healthcare.statement"

    def action_add_extra(self):
        """Add charges or discounts to this statement's items; it tells what they add.

        :return: window action on a new ``healthcare.charge.extra``
        """
        self.ensure_one()
        items = [(line.charge_id, line.responsibility) for line in self.line_ids]
        return self.env["healthcare.charge.extra"]._open(items, self)
