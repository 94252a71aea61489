from odoo import models

from .healthcare_charge import PRICING


class AgreedCharges(dict):
    """What bills on a quote or fee bill under it.

    ``{(bill, billing account, quote or fixed, responsibility): charges}``, what was made for the
    bill among them.
    """

    def touched_differences(self, corrections):
        """Differences that follow corrected work, as corrections whose sum isn't known yet.

        :param dict corrections: ``{charge: changed values}``
        """
        changed = {charge for charge, vals in corrections.items() if charge._changes_invoice(vals)}
        return {
            difference: {"price_unit": False}
            for charges in self.values()
            if not changed.isdisjoint(charges)
            for difference in charges._agreed_difference()
        }


class AccountMove(models.Model):
    _inherit = "account.move"

    def _agreed_charges(self):
        """What of these bills was billed under quotes and fees.

        :return: :class:`AgreedCharges`
        """
        covered = self._live_charge_lines().filtered(
            lambda line: line.responsibility == line.charge_id.covered_party
        )
        groups = covered.grouped(
            lambda line: (
                line.move_id,
                line.charge_id.billing_account_id,
                line.charge_id.covered_by,
                line.responsibility,
            )
        )
        return AgreedCharges((key, lines.charge_id) for key, lines in groups.items())


class HealthcareCharge(models.Model):
    """Credit and rebill of work under a quote or fee: the bill is still what was agreed."""

    _inherit = "healthcare.charge"

    def _agreed_difference(self):
        """Of a bill's charges under an agreement, the one that makes up the difference, if any."""
        return self.filtered(lambda c: c.made_by_basis and c.kind == "adjustment")[:1]

    def _keep_agreed_sums(self, agreed, before):
        """The difference takes what corrections changed of the work that an agreement covers.

        :param agreed: :class:`AgreedCharges`
        :param dict before: of ``_parts_before_rebill``
        :return: the differences that changed, new ones among them
        """
        engine = self.env["healthcare.billing.engine"]
        pricing = self.with_context(healthcare_pricing=PRICING)
        differences, values = pricing.browse(), []
        for (_move, account, rule, party), charges in agreed.items():
            work = charges.filtered(lambda charge: not charge.made_by_basis)
            change = sum(c._parts().get(party, 0.0) - before[c].get(party, 0.0) for c in work)
            if account.currency_id.is_zero(change):
                continue
            difference = charges._agreed_difference().with_env(pricing.env)
            if difference:
                difference.price_unit = account.currency_id.round(difference.amount - change)
                differences |= difference
                continue
            day = max(work.mapped("service_date"))
            common = engine._prepare_basis_common(account, rule, party, day)
            # whoever was billed still is, though the account has another payer by now
            common["payer_id"] = work[:1].payer_id.id
            amount = account.currency_id.round(-change)
            values.append(engine._prepare_difference(account, common, amount))
        return (differences | pricing.create(values)).with_env(self.env)
