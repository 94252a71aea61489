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

        :param dict services: service per charge, default its own: what would another one cost?
        :return: ``{charge: values of is_priced, price_unit, price_source, price_reason,
            currency_id}``
        """
        services = services or {charge: charge.product_id for charge in self}
        prices = {}
        by_schedule = self._find_fee_schedule_prices(services)
        for charge in self:
            service = services[charge]
            price = (
                charge._account_price(service)
                or by_schedule.get(charge)
                or charge._default_price(service)
            )
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

    def _find_fee_schedule_prices(self, services):
        """Prices by the payers' fee schedules.

        :param dict services: service per charge
        """
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
            for charge, (schedule, _rule_id, price) in self._find_fee_schedule_rules(
                services=services
            ).items()
        }

    def _find_fee_schedule_rules(self, days=None, services=None):
        """Rules of the payers' fee schedules on the very service, one call per schedule and day.

        :param dict days: day per charge, default the date of service
        :param dict services: service per charge, default its own
        :return: ``{charge: (schedule, rule id, price)}``, only charges with a rule
        """
        services = services or {charge: charge.product_id for charge in self}
        groups = {}
        for charge in self:
            schedule = charge.payer_id.with_company(charge.company_id).fee_schedule_id
            if schedule.active and services[charge]:
                day = days[charge] if days else charge.service_date
                key = (charge.company_id, schedule, day)
                groups.setdefault(key, self.browse())
                groups[key] |= charge
        prices = {}
        for (company, schedule, day), charges in groups.items():
            noon = company._care_noon(day)
            wanted = self.env["product.product"].union(*(services[c] for c in charges))
            found = schedule._compute_price_rule(wanted, 1.0, date=noon)
            rules = self.env["product.pricelist.item"].browse(
                [rule_id for _price, rule_id in found.values() if rule_id]
            )
            own_rules = set(
                rules.filtered(lambda r: r.applied_on in ("0_product_variant", "1_product")).ids
            )
            for charge in charges:
                price, rule_id = found[services[charge].id]
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
