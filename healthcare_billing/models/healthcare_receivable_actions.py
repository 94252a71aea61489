from collections import defaultdict

from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain


class HealthcareReceivable(models.Model):
    """What people do with receivables: see what is behind them, take them back, park them."""

    _inherit = "healthcare.receivable"

    @api.model
    def _list_action(self, domain, name):
        """Window action on some receivables.

        :param domain: of ``healthcare.receivable``
        """
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_receivable_action"
        )
        return {**action, "name": name, "domain": list(Domain(domain)), "context": {}}

    def action_open(self):
        """Open the appointment; care without one is opened as its charge."""
        self.ensure_one()
        record = self.appointment_id or self.charge_id
        action = {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "views": [(False, "form")],
        }
        if not self.appointment_id:
            form = self.env.ref("healthcare_billing.healthcare_charge_view_form")
            action["views"] = [(form.id, "form")]
        return action

    def action_return_to_billing(self):
        """Take what was invoiced, and not paid, back to the billing office.

        The ledger goes on holding it; the next differential statement tells it again. Rows that
        are there already are left as they are.

        :raise UserError: nothing of it awaits payment
        """
        # what changes is a flag of charges that only the system writes
        if not self.env.su and not self.env.user.has_group("healthcare_billing.group_billing_user"):
            raise AccessError(self.env._("Only billing users can take care back."))
        rows = self.filtered(lambda row: row.stage == "awaiting_payment")
        if not rows:
            raise UserError(
                self.env._(
                    "Nothing of this awaits payment: what isn't invoiced, or came back before, is "
                    "at the billing office already."
                )
            )
        for party, of_party in rows.grouped("responsibility").items():
            of_party.charge_id._set_returned(party)
        rows._log_return()
        rows.invalidate_recordset()
        return True

    def _log_return(self):
        """Tell on the appointments what went back."""
        parties = dict(self._fields["responsibility"]._description_selection(self.env))
        bodies = defaultdict(list)
        for row in self:
            bodies[row.appointment_id.id].append(
                self.env._(
                    "Back at the billing office: %(service)s, %(party)s, %(amount)s.",
                    service=row.product_id.display_name or row.charge_id.display_name,
                    party=parties[row.responsibility],
                    amount=row.currency_id.format(row.balance),
                )
            )
        bodies.pop(False, None)
        self.env["healthcare.appointment"].browse(bodies)._message_log_batch(
            bodies={id_: "\n".join(texts) for id_, texts in bodies.items()}
        )

    def action_park(self):
        """Keep the appointments of these rows out of every generator, for now."""
        if not self.appointment_id:
            raise UserError(self.env._("Only care of appointments can be parked."))
        return self.appointment_id.action_park()


class HealthcareStatement(models.Model):
    _inherit = "healthcare.statement"

    def _list_action(self):
        """Window action on these statements; a single one is opened."""
        action = {
            "type": "ir.actions.act_window",
            "name": self.env._("Statements"),
            "res_model": "healthcare.statement",
            "views": [(False, "list"), (False, "form")],
            "domain": [("id", "in", self.ids)],
        }
        if len(self) == 1:
            return {**action, "views": [(False, "form")], "res_id": self.id}
        return action
