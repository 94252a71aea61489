from odoo import models
from odoo.exceptions import UserError


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def unlink(self):
        """A fee or difference that is taken off a draft was made for it alone."""
        # sudo: whoever may change the bill need not be allowed to read charges
        made = self.sudo().charge_id.filtered("made_by_basis")
        result = super().unlink()
        if made:
            made._drop_unused_basis()
        return result

    def _check_charges_still_free(self):
        """Also the fee of a bill that comes back must not be billed by another one meanwhile."""
        result = super()._check_charges_still_free()
        billing = self.browse({line._billing_line().id for line in self}).filtered(
            lambda line: not line.charge_live and line.charge_id.kind == "fixed_fee"
        )
        if billing.charge_id:
            billing.charge_id._check_fees_still_free()
        return result


class HealthcareCharge(models.Model):
    _inherit = "healthcare.charge"

    def _check_fees_still_free(self):
        """Refuse to bill fees again whose month or instalment another bill holds.

        sudo in all callers: see ``account.move.line._check_charges_still_free``.

        :raise UserError: with the bill
        """
        fees = self.filtered("made_by_basis")
        rivals = self.env["account.move.line"].search(
            [
                ("charge_live", "=", True),
                ("charge_id.made_by_basis", "=", True),
                ("charge_id.kind", "=", "fixed_fee"),
                ("charge_id.billing_account_id", "in", fees.billing_account_id.ids),
                ("charge_id", "not in", fees.ids),
            ]
        )
        held = {line.charge_id._fee_key(): line.move_id for line in rivals}
        for fee in fees:
            if fee._fee_key() in held:
                raise UserError(
                    self.env._(
                        "The fixed fee of %(account)s was billed meanwhile on %(invoice)s. Delete, "
                        "cancel or credit that one first.",
                        account=fee.billing_account_id.display_name,
                        invoice=held[fee._fee_key()]._care_reference(),
                    )
                )

    def _fee_key(self):
        """What a fixed fee is for."""
        self.ensure_one()
        return self.billing_account_id, self.instalment_id, self.fee_period
