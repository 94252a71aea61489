from odoo import api, models

from .healthcare_charge import PRICING


class HealthcareCharge(models.Model):
    """Where a charge's price comes from (R1), and when it is frozen (R2)."""

    _inherit = "healthcare.charge"

    def _apply_prices(self):
        """Look the price up and freeze it (R2). Typed prices and invoiced charges stay."""
        charges = self.filtered(lambda c: c.price_source != "typed" and not c.is_live)
        for charge, price in charges._find_prices().items():
            charge.with_context(healthcare_pricing=PRICING).write(price)

    def _find_prices(self):
        """Price each charge by the first rule that hits (R1), and say which.

        Billing account's rate; rule of the payer's fee schedule on this very service by date of
        service; practice default. With a payer that requires a fee schedule there is no default.

        :return: ``{charge: values of is_priced, price_unit, price_source, price_reason,
            currency_id}``
        """
        prices = {}
        by_schedule = self._find_fee_schedule_prices()
        for charge in self:
            price = charge._account_price() or by_schedule.get(charge) or charge._default_price()
            prices[charge] = {"currency_id": charge.company_id.currency_id.id, **price}
        return prices

    def _account_price(self):
        """The client's own fee for the service, or None."""
        self.ensure_one()
        account = self.billing_account_id
        rate = account.rate_ids.filtered(lambda rate: rate.product_id == self.product_id)[:1]
        if rate:
            fee = rate.fee
        elif account.has_default_fee and account.default_product_id == self.product_id:
            fee = account.default_fee
        else:
            return None
        if not self.product_id:
            return None
        return {
            "is_priced": True,
            "price_unit": fee,
            "price_source": "billing_account",
            "price_reason": self.env._("Rate of billing account %s", account.name),
        }

    def _find_fee_schedule_prices(self):
        """Prices by the payers' fee schedules."""
        return {
            charge: {
                "is_priced": True,
                "price_unit": price,
                "price_source": "fee_schedule",
                "price_reason": self.env._(
                    "Fee schedule %(schedule)s on %(day)s",
                    schedule=schedule.name,
                    day=charge.service_date,
                ),
                "currency_id": schedule.currency_id.id,
            }
            for charge, (schedule, _rule_id, price) in self._find_fee_schedule_rules().items()
        }

    def _find_fee_schedule_rules(self, days=None):
        """Rules of the payers' fee schedules on the very service, one call per schedule and day.

        :param dict days: day per charge, default the date of service
        :return: ``{charge: (schedule, rule id, price)}``, only charges with a rule
        """
        groups = {}
        for charge in self:
            schedule = charge.payer_id.with_company(charge.company_id).fee_schedule_id
            if schedule.active and charge.product_id:
                day = days[charge] if days else charge.service_date
                key = (charge.company_id, schedule, day)
                groups.setdefault(key, self.browse())
                groups[key] |= charge
        prices = {}
        for (company, schedule, day), charges in groups.items():
            noon = company._care_noon(day)
            found = schedule._compute_price_rule(charges.product_id, 1.0, date=noon)
            rules = self.env["product.pricelist.item"].browse(
                [rule_id for _price, rule_id in found.values() if rule_id]
            )
            own_rules = set(
                rules.filtered(lambda r: r.applied_on in ("0_product_variant", "1_product")).ids
            )
            for charge in charges:
                price, rule_id = found[charge.product_id.id]
                if rule_id in own_rules:
                    prices[charge] = (schedule, rule_id, price)
        return prices

    def _apply_prices_of_new_day(self, days):
        """Contracts price by date of service (R1): where care moved to a day on which another rule
        holds, take its price. The same rule, changed meanwhile, changes nothing (R2).

        :param dict days: former date of service per charge
        """
        before = self._find_fee_schedule_rules(days)
        after = self._find_fee_schedule_rules()
        self.filtered(
            lambda charge: before.get(charge, ())[:2] != after.get(charge, ())[:2]
        )._apply_prices()

    def _default_price(self):
        """The practice's list price, or no price."""
        self.ensure_one()
        missing = {"is_priced": False, "price_unit": 0.0, "price_source": "missing"}
        if not self.product_id:
            return {**missing, "price_reason": self.env._("No service, no price")}
        if self.payer_id.requires_fee_schedule:
            return {
                **missing,
                "price_reason": self.env._(
                    "%s requires a fee schedule, and none has this service on this date",
                    self.payer_id.name,
                ),
            }
        product = self.product_id.with_company(self.company_id)
        price = product.currency_id._convert(
            product.lst_price,
            self.company_id.currency_id,
            self.company_id,
            self.service_date,
            round=False,
        )
        return {
            "is_priced": True,
            "price_unit": price,
            "price_source": "practice_default",
            "price_reason": self.env._("List price of %s", self.product_id.display_name),
        }

    def action_find_price(self):
        """Look up the price of charges that have none."""
        self.filtered(lambda charge: not charge.is_priced)._apply_prices()

    @api.model
    def _mark_typed_price(self, vals):
        """A price that is given is typed, unless a form only sends the 0.00 of an empty field."""
        if not vals["price_unit"] and not vals.get("is_priced", True):
            return
        vals["is_priced"] = True
        vals.setdefault("price_source", "typed")
        vals.setdefault("price_reason", self.env._("Typed by %s", self.env.user.name))
