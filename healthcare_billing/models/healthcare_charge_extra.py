from odoo import fields, models
from odoo.exceptions import UserError

from .healthcare_charge_balance import PARTIES

# kind -> sign of what it adds to the balance
EXTRA_SIGNS = {"finance_charge": 1, "service_charge": 1, "discount": -1}


class HealthcareCharge(models.Model):
    """Finance charges, service charges and discounts: children of the care that they are about."""

    _inherit = "healthcare.charge"

    def _add_extra(self, kind, amounts, *, product=None, reason=None, description="", date=None):
        """Charge parties more, or less, for care; all or none.

        Where the care is posted for the party it is invoiced (a discount: credited) at once, and
        set off within its item. Else it goes on the invoice that takes the care.

        :param str kind: finance_charge, service_charge or discount
        :param dict amounts: ``{(charge, responsibility): amount}`` by which balances change, more
            than 0.00: taxes included where the part is posted, untaxed where it isn't yet
        :param product: service that it is booked on, default the company's for the kind
        :param reason: ``healthcare.adjustment.reason``, whose account takes a discount
        :param str description: printed instead of the service's name
        :param date date: of the documents, default today
        :return: the child charges, in the order of the amounts
        :raise UserError: adjudicated care (but for finance charges), a discount of more than is
            owed, or what can't be booked now
        """
        charges = self.browse(dict.fromkeys(charge.id for charge, _party in amounts))
        charges._check_may_correct()
        charges._lock_for_correction()
        for (charge, party), amount in amounts.items():
            charge._check_extra(kind, party, amount)
        services = {
            company: product or company._extra_service(kind) for company in charges.company_id
        }
        values = []
        for (charge, party), amount in self._untaxed_extras(kind, amounts, services).items():
            values.append(
                charge._correction_values(
                    kind,
                    party,
                    EXTRA_SIGNS[kind] * amount,
                    reason,
                    product_id=services[charge.company_id].id,
                    description=description,
                    extra_date=date or fields.Date.context_today(self),
                )
            )
        children = charges._make_corrections(values)
        charges._book_by_date(children, dict.fromkeys(charges, date))
        charges._log_extras(children)
        return children

    def _check_extra(self, kind, party, amount):
        """Refuse what can't be added to, or taken off, this charge.

        :raise UserError: with the reason
        """
        self.ensure_one()
        names = dict(self._party_names())
        if kind not in EXTRA_SIGNS or party not in PARTIES:
            raise UserError(self.env._("Choose a kind of charge or discount, and who gets it."))
        if self.currency_id.compare_amounts(amount, 0.0) <= 0:
            raise UserError(self.env._("%s: type an amount of more than 0.00.", self.display_name))
        if self.is_adjudicated and kind != "finance_charge":
            raise UserError(
                self.env._(
                    "%s was adjudicated: a payer's decision voids service charges and discounts. "
                    "Only finance charges can be added.",
                    self.display_name,
                )
            )
        if party != "client" and not self._is_payer_responsible():
            raise UserError(
                self.env._(
                    "%s has no payer: charges and discounts are the client's.", self.display_name
                )
            )
        balance = self[f"balance_{PARTIES[party]}"]
        if kind == "discount" and self.currency_id.compare_amounts(amount, balance) > 0:
            raise UserError(
                self.env._(
                    "%(charge)s: %(party)s owes %(balance)s; a discount can't be more than that.",
                    charge=self.display_name,
                    party=names[party],
                    balance=self.currency_id.format(balance),
                )
            )

    def _log_extras(self, children):
        """Say on appointments and documents what was added, or taken off."""
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        texts = {}
        for charge, own in children.grouped("parent_id").items():
            texts[charge] = ", ".join(
                f"{child.description or kinds[child.kind]} {child.currency_id.format(child.amount)}"
                for child in own
            )
        self._log_on_care(texts)
