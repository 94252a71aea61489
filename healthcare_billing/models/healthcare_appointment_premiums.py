from odoo import fields, models
from odoo.fields import Command

from .healthcare_appointment_screens import MISSED_STATES
from .healthcare_charge import MAX_MODIFIERS, PRICING

# What decides which premiums a visit gets, and how many units of them.
PREMIUM_FIELDS = {
    "company_id",
    "client_id",
    "billing_account_id",
    "payer_id",
    "department_id",
    "product_id",
    "start",
    "stop",
    "duration",
    "clock_in",
    "clock_out",
    "distance",
    "state",
    "removed_premium_ids",
}


class HealthcareAppointment(models.Model):
    """The premiums of a visit, kept true while nothing of it is billed.

    They are charges like the service's: approved, blocked, priced and invoiced with the visit. A
    visit that was missed has none.
    """

    _inherit = "healthcare.appointment"

    removed_premium_ids = fields.Many2many(
        "healthcare.premium",
        "healthcare_appointment_removed_premium_rel",
        string="Removed Premiums",
        copy=False,
        help="Somebody took them off this visit: they don't come back by themselves. Remove one "
        "here, and its rule counts again.",
    )

    def _premium_charges(self):
        return self.charge_ids.filtered(lambda charge: charge.premium_id and not charge.parent_id)

    def _sync_premiums(self, touched):
        """Give visits the premiums of today's rules, and take off those that don't hold any more.

        Visits that an invoice holds for good stay as they are; so do premiums added by hand, and
        units that were typed.

        :param set touched: names of the fields that were written
        """
        if not touched & PREMIUM_FIELDS:
            return
        # sudo: charges follow the visit, whoever may change that (see _sync_service_charges)
        visits = self.sudo()
        premiums = self.env["healthcare.premium"]._for_companies(visits.company_id)
        charges = visits._premium_charges().with_context(healthcare_pricing=PRICING)
        if not premiums and not charges:
            return
        visits -= visits.charge_ids.filtered("is_held").appointment_id
        # one that isn't in use any more stays where it is, as long as its rule holds
        wanted = visits._wanted_premiums(premiums | charges.premium_id)
        units_of = {}
        for charge in charges.filtered(lambda c: c.appointment_id in visits):
            units = wanted.pop((charge.appointment_id, charge.premium_id), 0.0)
            if charge.appointment_id._is_missed() or not (units or charge.premium_by_hand):
                units_of.setdefault(0.0, charges.browse())
                units_of[0.0] |= charge
            elif charge.premium_by_hand or charge.quantity_typed:
                units = charge.quantity
            if units and (charge.quantity != units or charge.premium_lapsed):
                units_of.setdefault(units, charges.browse())
                units_of[units] |= charge
        units_of.pop(0.0, charges.browse())._lapse_premiums()
        for units, changed in units_of.items():
            changed.write({"quantity": units, "premium_lapsed": False})
        charges.create(
            [
                visit._prepare_premium_charge(premium, units)
                for (visit, premium), units in wanted.items()
                if premium.active
            ]
        )

    def _follow_with_premiums(self, touched, former_sources, former_days):
        """Keep premiums and their prices true after visits were written.

        :param set touched: names of the fields that were written
        :param dict former_sources: ``_charge_sources`` before, per appointment id
        :param dict former_days: date of service before, per appointment id
        """
        self._sync_premiums(touched)
        payers = ("payer_id", "billing_account_id")
        repriced = self.filtered(
            lambda a: any(former_sources[a.id][name] != a[name].id for name in payers)
        )
        repriced._reprice_premiums()
        moved = (self - repriced).filtered(lambda a: a.service_date != former_days[a.id])
        charges = moved.sudo()._premium_charges()  # sudo: see _sync_premiums
        charges._apply_prices_of_new_day({c: former_days[c.appointment_id.id] for c in charges})

    def _wanted_premiums(self, premiums):
        """Premiums that rules give to visits.

        :param premiums: ``healthcare.premium`` recordset
        :return: ``{(appointment, premium): units}``
        """
        charged = self.filtered(lambda a: a.service_date and a._makes_charge())
        holidays = set()
        if "holiday" in premiums.mapped("rule"):
            holidays = self.env["res.company"]._care_holidays(
                (visit.company_id, visit.payer_id, visit.service_date) for visit in charged
            )
        wanted = {}
        for visit in charged.filtered(lambda a: not a._is_missed()):
            is_holiday = (visit.company_id, visit.payer_id, visit.service_date) in holidays
            for premium in premiums - visit.removed_premium_ids:
                units = premium._units_for(visit, is_holiday)
                if units:
                    wanted[visit, premium] = units
        return wanted

    def _is_missed(self):
        """Whether the visit didn't take place."""
        self.ensure_one()
        return self.state in MISSED_STATES

    def _prepare_premium_charge(self, premium, units):
        """Values of the charge of a premium."""
        self.ensure_one()
        service = premium.product_id
        return {
            "appointment_id": self.id,
            "kind": "premium",
            "premium_id": premium.id,
            "product_id": service.id,
            "quantity": units,
            "quantity_typed": False,
            "modifier_ids": [Command.set(service.modifier_ids[:MAX_MODIFIERS].ids)],
        }

    def _reprice_premiums(self):
        """Premiums cost what the visit's payer and account say (R1), as its service does."""
        charges = self.sudo()._premium_charges()  # sudo: see _sync_premiums
        charges.filtered(lambda charge: not charge.is_held)._apply_prices()

    def _freeze_prices_after_qa(self):
        """With QA review on, the price of the day QA ends counts for premiums too (R2)."""
        result = super()._freeze_prices_after_qa()
        self.filtered("company_id.healthcare_qa_review")._reprice_premiums()
        return result

    def _premium_units(self):
        """``{visit: {premium: (units, lapsed)}}``"""
        return {
            visit: {
                charge.premium_id: (charge.quantity, charge.premium_lapsed)
                for charge in visit._premium_charges()
            }
            for visit in self.sudo()  # sudo: see _sync_premiums
        }

    def action_apply_premiums(self):
        """Give these visits the premiums of today's rules, such as one that is new.

        What an invoice holds stays as it is, and so do visits of closed cycles.

        :return: notification action: how many visits changed
        """
        self.check_access("write")
        visits = self - self._in_closed_cycle()
        before = visits._premium_units()
        visits._sync_premiums(PREMIUM_FIELDS)
        after = visits._premium_units()
        changed = sum(before[visit] != after[visit] for visit in after)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if changed else "info",
                "message": self.env._(
                    "Visits whose premiums changed: %(changed)s of %(chosen)s. What is invoiced, "
                    "or belongs to a closed cycle, stays as it is.",
                    changed=changed,
                    chosen=len(self),
                ),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
