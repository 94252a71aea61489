from odoo import api, models

from .healthcare_charge import PRICING


class HealthcareCharge(models.Model):
    """Where a charge's price comes from (R1), and when it is frozen (R2)."""

    _inherit = "healthcare.charge"

    def _apply_prices(self):
        """Look the price up and freeze it (R2). Typed prices and invoiced charges stay."""
        charges = self.filtered(lambda c: c.price_source != "typed" and not c.is_held)
        alike = {}  # one write for all charges of the same price
        for charge, price in charges._find_prices().items():
            alike.setdefault(tuple(price.items()), []).append(charge.id)
        for price, ids in alike.items():
            same = self.browse(ids).with_prefetch(self._prefetch_ids)
            same.with_context(healthcare_pricing=PRICING).write(dict(price))

    def _find_prices(self, services=None):
        """Price each charge by the first rule that hits (R1), and say which.

        Billing account's rate; rule of the payer's fee schedule on this very service by date of
        service; practice default. With a payer that requires a fee schedule there is no default.
        On a holiday the fee schedule's holiday rate, else the payer's multiplier: never both.

        :param dict services: service per charge, default its own: what would another one cost?
        :return: ``{charge: values of is_priced, price_unit, price_source, price_reason,
            currency_id}``
        """
        services = services or {charge: charge.product_id for charge in self}
        prices = {}
        holidays = self._on_holidays()
        by_schedule = self._find_fee_schedule_prices(services, holidays)
        for charge in self:
            service = services[charge]
            price = (
                charge._account_price(service)
                or by_schedule.get(charge)
                or charge._default_price(service)
            )
            is_holiday_rate = price.pop("is_holiday_rate", False)
            if charge in holidays and not is_holiday_rate:
                price = charge._holiday_price(price)
            prices[charge] = {"currency_id": charge.company_id.currency_id.id, **price}
        return prices

    def _account_price(self, service):
        """The client's own fee for a service, or None."""
        self.ensure_one()
        account = self.billing_account_id
        rate = account.rate_ids.filtered(lambda rate: rate.product_id == service)[:1]
        if rate:
            fee = rate.fee
        elif account.has_default_fee and account.default_product_id == service:
            fee = account.default_fee
        else:
            return None
        if not service:
            return None
        return {
            "is_priced": True,
            "price_unit": fee,
            "price_source": "billing_account",
            "price_reason": self.env._("Rate of billing account %s", account.name),
        }

    def _find_fee_schedule_prices(self, services, holidays):
        """Prices by the payers' fee schedules.

        :param dict services: service per charge
        :param holidays: charges of care that was given on a holiday
        """
        rules = self._find_fee_schedule_rules(services=services, holidays=holidays)
        return {
            charge: {
                "is_priced": True,
                "price_unit": price,
                "price_source": "fee_schedule",
                "price_reason": self._fee_schedule_reason(schedule, rule, charge.service_date),
                "currency_id": schedule.currency_id.id,
                "is_holiday_rate": rule.is_holiday_rate,
            }
            for charge, (schedule, rule, price) in rules.items()
        }

    @api.model
    def _fee_schedule_reason(self, schedule, rule, day):
        if rule.is_holiday_rate:
            return self.env._(
                "Holiday rate of fee schedule %(schedule)s on %(day)s",
                schedule=schedule.name,
                day=day,
            )
        return self.env._("Fee schedule %(schedule)s on %(day)s", schedule=schedule.name, day=day)

    def _find_fee_schedule_rules(self, days=None, services=None, holidays=None):
        """Rules of the payers' fee schedules on the very service, one call per schedule and day.

        :param dict days: day per charge, default the date of service
        :param dict services: service per charge, default its own
        :param holidays: charges of those that are given on a holiday on that day
        :return: ``{charge: (schedule, rule, price)}``, only charges with a rule
        """
        services = services or {charge: charge.product_id for charge in self}
        holidays = set(self._on_holidays(days) if holidays is None else holidays)
        groups = {}
        for charge in self:
            schedule = charge._own_fee_schedule()
            if schedule.active and services[charge]:
                day = days[charge] if days else charge.service_date
                key = (charge.company_id, schedule, day, charge in holidays)
                groups.setdefault(key, self.browse())
                groups[key] |= charge
        prices = {}
        for (company, schedule, day, is_holiday), charges in groups.items():
            noon = company._care_noon(day)
            found = {}
            # a holiday rate first: where there is none, holidays are days like the others
            for care_holiday in (True, False) if is_holiday else (False,):
                wanted = self.env["product.product"].union(*(services[c] for c in charges))
                wanted = wanted.filtered(lambda p, found=found: p.id not in found)
                found.update(self._own_rules(schedule, wanted, noon, care_holiday))
            for charge in charges:
                if services[charge].id in found:
                    prices[charge] = (schedule, *found[services[charge].id])
        return prices

    def _own_fee_schedule(self):
        """The fee schedule that prices this charge: its payer's."""
        self.ensure_one()
        return self.payer_id.with_company(self.company_id).fee_schedule_id

    @api.model
    def _own_rules(self, schedule, services, moment, care_holiday):
        """Rules of a fee schedule on these very services: a global rule or category never counts.

        :param datetime moment: noon of the day of care
        :param bool care_holiday: only the rates for holidays
        :return: ``{service id: (rule, price)}``
        """
        found = schedule._compute_price_rule(services, 1.0, date=moment, care_holiday=care_holiday)
        rules = self.env["product.pricelist.item"].browse(
            [rule_id for _price, rule_id in found.values() if rule_id]
        )
        own = rules.filtered(lambda r: r.applied_on in ("0_product_variant", "1_product"))
        by_id = {rule.id: rule for rule in own}
        return {
            service_id: (by_id[rule_id], price)
            for service_id, (price, rule_id) in found.items()
            if rule_id in by_id
        }

    def _apply_prices_of_new_day(self, days):
        """Contracts price by date of service (R1): where care moved to a day on which another rule
        or multiplier holds, take its price. The same ones, changed meanwhile, change nothing (R2).

        :param dict days: former date of service per charge
        """
        before, after = self._day_terms(days), self._day_terms()
        self.filtered(lambda charge: before[charge] != after[charge])._apply_prices()

    def _day_terms(self, days=None):
        """What prices charges by the day of care: rule of the fee schedule, holiday multiplier.

        :param dict days: day per charge, default the date of service
        :return: ``{charge: (schedule, rule, multiplier)}``
        """
        holidays = self._on_holidays(days)
        rules = self._find_fee_schedule_rules(days, holidays=holidays)
        terms = {}
        for charge in self:
            schedule, rule = rules.get(charge, (None, None))[:2]
            multiplied = charge in holidays and not (rule and rule.is_holiday_rate)
            multiplier = charge._holiday_multiplier(charge.price_source) if multiplied else 1.0
            terms[charge] = (schedule, rule, multiplier)
        return terms

    # -- holidays --------------------------------------------------------------------------------
    def _on_holidays(self, days=None):
        """Charges of care that is given on a holiday, by the payer's calendar or the company's.

        :param dict days: day per charge, default the date of service
        """
        keys = {
            charge: (
                charge.company_id,
                charge.payer_id,
                days[charge] if days else charge.service_date,
            )
            for charge in self
        }
        holidays = self.env["res.company"]._care_holidays(keys.values())
        return self.filtered(lambda charge: keys[charge] in holidays)

    def _holiday_multiplier(self, price_source):
        """What the payer multiplies the fee of this charge with on a holiday; 1.0 is nothing.

        Fees that were typed or agreed with the client are what they are, and premiums are
        multiplied by nobody.

        :param str price_source: where the fee comes from
        """
        self.ensure_one()
        if self.kind != "service" or price_source not in ("fee_schedule", "practice_default"):
            return 1.0
        return self.payer_id.holiday_multiplier or 1.0

    def _holiday_price(self, price):
        """The price on a holiday that the fee schedule has no rate of its own for.

        :param dict price: see ``_find_prices``
        """
        self.ensure_one()
        multiplier = self._holiday_multiplier(price["price_source"])
        if multiplier == 1.0:
            return price
        return {
            **price,
            "price_unit": price["price_unit"] * multiplier,
            "price_reason": self.env._(
                "%(reason)s × %(multiplier)s on a holiday",
                reason=price["price_reason"],
                multiplier=f"{multiplier:g}",
            ),
        }

    def _default_price(self, service):
        """The practice's list price of a service, or no price."""
        self.ensure_one()
        missing = {"is_priced": False, "price_unit": 0.0, "price_source": "missing"}
        if not service:
            return {**missing, "price_reason": self.env._("No service, no price")}
        if self.payer_id.requires_fee_schedule:
            return {
                **missing,
                "price_reason": self.env._(
                    "%s requires a fee schedule, and none has this service on this date",
                    self.payer_id.name,
                ),
            }
        product = service.with_company(self.company_id)
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
            "price_reason": self.env._("List price of %s", service.display_name),
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
