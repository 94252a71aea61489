from datetime import date, datetime, timedelta

from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import A_DAY, CareCommon


@tagged("post_install", "-at_install")
class TestPricing(CareCommon):
    """R1: the price of a charge, first hit wins, and the charge says which. R2: it is frozen."""

    def assertPriced(self, charge, price, source, reason=""):
        charge.ensure_one()
        self.assertEqual(charge.price_unit, price)
        self.assertEqual(charge.price_source, source)
        self.assertEqual(charge.is_priced, source != "missing")
        self.assertIn(reason, charge.price_reason)

    def _rate(self, client, product, fee):
        return self.env["healthcare.billing.account.rate"].create(
            {
                "account_id": client.billing_account_ids.id,
                "product_id": product.id,
                "fee": fee,
            }
        )

    # -- R1: sources ----------------------------------------------------------------------------

    def test_r1_practice_default(self):
        charge = self._charge(self._client())
        self.assertPriced(charge, 80.0, "practice_default", "Nursing")

    def test_r1_fee_schedule_of_the_payer(self):
        self._fee_schedule({self.visit_service: 65.0}, name="Gold contract")
        charge = self._charge(self._insured_client())
        self.assertPriced(charge, 65.0, "fee_schedule", "Gold contract")

    def test_r1_fee_schedule_rule_on_the_template(self):
        self._fee_schedule(
            [
                {
                    "applied_on": "1_product",
                    "product_tmpl_id": self.visit_service.product_tmpl_id.id,
                    "compute_price": "fixed",
                    "fixed_price": 61.0,
                }
            ]
        )
        self.assertPriced(self._charge(self._insured_client()), 61.0, "fee_schedule")

    def test_r1_fee_schedule_of_another_payer_never_counts(self):
        self._fee_schedule({self.visit_service: 65.0}, payer=self._payer("Other Insurance"))
        self.assertPriced(self._charge(self._insured_client()), 80.0, "practice_default")

    def test_r1_native_pricelist_of_the_payer_never_counts(self):
        """The native property is a customer's list, and falls back to other payers' lists."""
        schedule = self._fee_schedule(
            {self.visit_service: 65.0}, payer=self._payer("Other Insurance")
        )
        self.payer.property_product_pricelist = schedule
        client = self._insured_client()
        client.property_product_pricelist = schedule
        self.assertPriced(self._charge(client), 80.0, "practice_default")

    def test_r1_billing_account_rate(self):
        client = self._client()
        self._rate(client, self.visit_service, 42.5)
        charge = self._charge(client)
        self.assertPriced(charge, 42.5, "billing_account", client.billing_account_ids.name)

    def test_r1_billing_account_default_fee(self):
        client = self._client(
            account={"default_product_id": self.visit_service.id, "default_fee": 50.0}
        )
        self.assertPriced(self._charge(client), 50.0, "billing_account")
        other = self._charge(client, product_id=self.service.id)
        self.assertPriced(other, 30.0, "practice_default")

    def test_r1_default_fee_of_zero_is_a_fee(self):
        client = self._client(
            account={"default_product_id": self.visit_service.id, "default_fee": 0.0}
        )
        self.assertPriced(self._charge(client), 0.0, "billing_account")

    def test_r1_default_service_without_own_fee_has_the_list_price(self):
        client = self._client(account={"default_product_id": self.visit_service.id})
        self.assertPriced(self._charge(client), 80.0, "practice_default")

    def test_r1_typed_names_who_typed_it(self):
        charge = self._charge(self._client())
        charge.price_unit = 12.34
        self.assertPriced(charge, 12.34, "typed", self.env.user.name)
        made = self.env["healthcare.charge"].create(
            {
                "appointment_id": charge.appointment_id.id,
                "product_id": self.service.id,
                "price_unit": 7.0,
            }
        )
        self.assertPriced(made, 7.0, "typed", self.env.user.name)

    def test_r1_order_typed_account_schedule_default(self):
        """Each source, taken away, leaves the price to the next one."""
        client = self._insured_client()
        schedule = self._fee_schedule({self.visit_service: 65.0})
        rate = self._rate(client, self.visit_service, 42.5)
        charge = self._charge(client)
        self.assertPriced(charge, 42.5, "billing_account")
        charge.price_unit = 1.0
        charge._apply_prices()
        self.assertPriced(charge, 1.0, "typed")
        rate.unlink()
        self.assertPriced(self._charge(client), 65.0, "fee_schedule")
        schedule.item_ids.unlink()
        self.assertPriced(self._charge(client), 80.0, "practice_default")
        self.payer.requires_fee_schedule = True
        self.assertPriced(self._charge(client), 0.0, "missing", self.payer.name)

    def test_r1_rate_of_another_service_or_account_never_counts(self):
        client, other = self._client("One"), self._client("Two")
        self._rate(client, self.service, 1.0)
        self._rate(other, self.visit_service, 2.0)
        self.assertPriced(self._charge(client), 80.0, "practice_default")

    def test_r1_rate_beats_default_fee(self):
        client = self._client(
            account={"default_product_id": self.visit_service.id, "default_fee": 50.0}
        )
        self._rate(client, self.visit_service, 42.5)
        self.assertPriced(self._charge(client), 42.5, "billing_account")

    # -- R1: which rules count ------------------------------------------------------------------

    def _loose_rule(self, **vals):
        return {"compute_price": "fixed", "fixed_price": 1.0} | vals

    def test_r1_global_rule_never_counts(self):
        self._fee_schedule([self._loose_rule(applied_on="3_global")])
        self.assertPriced(self._charge(self._insured_client()), 80.0, "practice_default")
        self.payer.requires_fee_schedule = True
        self.assertPriced(self._charge(self._insured_client("Two")), 0.0, "missing")

    def test_r1_category_rule_never_counts(self):
        self._fee_schedule(
            [
                self._loose_rule(
                    applied_on="2_product_category", categ_id=self.visit_service.categ_id.id
                )
            ]
        )
        self.assertPriced(self._charge(self._insured_client()), 80.0, "practice_default")

    def test_r1_own_rule_counts_beside_a_global_one(self):
        schedule = self._fee_schedule({self.visit_service: 65.0})
        schedule.item_ids = [Command.create(self._loose_rule(applied_on="3_global"))]
        self.assertPriced(self._charge(self._insured_client()), 65.0, "fee_schedule")

    def test_r1_archived_fee_schedule_never_counts(self):
        self._fee_schedule({self.visit_service: 65.0}).active = False
        self.assertPriced(self._charge(self._insured_client()), 80.0, "practice_default")

    def test_r1_rules_count_by_date_of_service(self):
        """Contract years change at local midnight, whatever the user's or the server's day is."""
        midnight = self._local(date(2025, 4, 1), 0)
        self._fee_schedule(
            [
                {
                    "applied_on": "0_product_variant",
                    "product_id": self.visit_service.id,
                    "compute_price": "fixed",
                    "fixed_price": price,
                    **dates,
                }
                for price, dates in (
                    (65.0, {"date_end": midnight - timedelta(seconds=1)}),
                    (70.0, {"date_start": midnight}),
                )
            ]
        )
        client = self._insured_client()
        for day, hour, price in (
            (date(2025, 3, 31), 0.0, 65.0),
            (date(2025, 3, 31), 23.5, 65.0),
            (date(2025, 4, 1), 0.0, 70.0),
            (date(2025, 4, 1), 23.5, 70.0),
        ):
            with self.subTest(day=day, hour=hour):
                charge = self._charge(client, day=day, hour=hour)
                self.assertPriced(charge, price, "fee_schedule")

    def test_r1_expired_rule_is_none(self):
        self.payer.requires_fee_schedule = True
        schedule = self._fee_schedule({self.visit_service: 65.0})
        schedule.item_ids.date_end = datetime(2025, 1, 31, 22)
        charge = self._charge(self._insured_client())
        self.assertPriced(charge, 0.0, "missing", "requires a fee schedule")
        self.assertEqual(self._codes(charge), {"missing_bill_code"})

    def test_r1_other_companys_fee_schedule_never_counts(self):
        other = self.setup_other_company()["company"]
        schedule = self._fee_schedule({self.visit_service: 65.0}, company_id=False)
        self.payer.fee_schedule_id = False
        self.payer.with_company(other).fee_schedule_id = schedule
        self.assertPriced(self._charge(self._insured_client()), 80.0, "practice_default")

    # -- R1: free, blank, decimals, currency ----------------------------------------------------

    def test_r1_zero_in_the_contract_is_free_and_priced(self):
        self._fee_schedule({self.visit_service: 0.0})
        charge = self._charge(self._insured_client())
        self.assertPriced(charge, 0.0, "fee_schedule")
        self.assertFalse(self._codes(charge))

    def test_r1_blank_in_the_contract_is_retail(self):
        self._fee_schedule({self.service: 10.0})
        self.assertPriced(self._charge(self._insured_client()), 80.0, "practice_default")

    def test_r1_rate_of_zero_is_free(self):
        client = self._client()
        self._rate(client, self.visit_service, 0.0)
        charge = self._charge(client)
        self.assertPriced(charge, 0.0, "billing_account")
        self.assertFalse(self._codes(charge))

    def test_r1_typed_zero_is_free(self):
        charge = self._charge(self._client())
        charge.price_unit = 0.0
        self.assertPriced(charge, 0.0, "typed")
        self.assertEqual(charge.amount, 0.0)
        self.assertFalse(self._codes(charge))

    def test_r1_four_decimals(self):
        self._fee_schedule({self.service: 1.2345})
        charge = self._charge(self._insured_client(), product_id=self.service.id)
        self.assertPriced(charge, 1.2345, "fee_schedule")
        self.assertEqual((charge.quantity, charge.amount), (4.0, 4.94))
        charge.invalidate_recordset()
        self.assertEqual(charge.price_unit, 1.2345)

    def test_r1_four_decimals_reach_the_invoice(self):
        self._fee_schedule({self.service: 1.2345})
        charge = self._charge(self._insured_client(), product_id=self.service.id)
        move = self._execute(charge).line_ids.move_id
        self.assertEqual(move.amount_untaxed, 4.94)

    def test_r1_no_price_is_not_free(self):
        self.payer.requires_fee_schedule = True
        charge = self._charge(self._insured_client())
        self.assertPriced(charge, 0.0, "missing")
        self.assertEqual(charge.amount, 0.0)
        self.assertEqual(self._codes(charge), {"missing_bill_code"})

    def test_r1_requires_fee_schedule_still_takes_the_accounts_rate(self):
        self.payer.requires_fee_schedule = True
        client = self._insured_client()
        self._rate(client, self.visit_service, 42.5)
        self.assertPriced(self._charge(client), 42.5, "billing_account")

    def test_r1_schedule_in_another_currency(self):
        eur = self.setup_other_currency("EUR")
        self._fee_schedule({self.visit_service: 65.0}, currency_id=eur.id)
        charge = self._charge(self._insured_client())
        self.assertPriced(charge, 65.0, "fee_schedule")
        self.assertEqual(charge.currency_id, eur)
        # 65.00 EUR at 2 EUR per company currency
        self.assertEqual(charge.appointment_id.amount_total, 32.5)
        other = self._charge(self._client())
        self.assertEqual(other.currency_id, self.company.currency_id)

    def test_r1_list_price_is_converted_for_a_company_with_another_currency(self):
        """List prices are in the product's currency, which isn't each company's."""
        eur = self.setup_other_currency("EUR", rates=[])
        other = self.setup_other_company(currency_id=eur.id)["company"]
        service = self._service("Visit", "T1002", 80.0)
        self.assertNotEqual(service.currency_id, eur)
        self.env["res.currency.rate"].create(
            {
                "name": "2025-01-01",
                "currency_id": service.currency_id.id,
                "company_id": other.id,
                "rate": 2.0,
            }
        )
        client = self._client().with_context(allowed_company_ids=other.ids)
        client._create_missing_billing_accounts()
        appointment = client.env["healthcare.appointment"].create(
            {"client_id": client.id, "product_id": service.id, "start": self._local(A_DAY)}
        )
        charge = appointment.charge_ids
        self.assertEqual(charge.company_id, other)
        self.assertEqual(charge.currency_id, eur)
        self.assertPriced(charge, 40.0, "practice_default")

    # -- R2: frozen -----------------------------------------------------------------------------

    def test_r2_changed_list_price_touches_no_charge(self):
        charge = self._charge(self._client())
        self.visit_service.list_price = 99.0
        self.assertPriced(charge, 80.0, "practice_default")
        self.assertEqual(charge.amount, 80.0)
        self.assertPriced(self._charge(self._client("Next")), 99.0, "practice_default")

    def test_r2_changed_rate_touches_no_charge(self):
        client = self._client()
        rate = self._rate(client, self.visit_service, 42.5)
        charge = self._charge(client)
        rate.fee = 50.0
        client.billing_account_ids.write(
            {"default_product_id": self.visit_service.id, "default_fee": 1.0}
        )
        rate.unlink()
        self.assertPriced(charge, 42.5, "billing_account")

    def test_r2_changed_fee_schedule_touches_no_charge(self):
        schedule = self._fee_schedule({self.visit_service: 65.0})
        charge = self._charge(self._insured_client())
        schedule.item_ids.fixed_price = 70.0
        self.payer.fee_schedule_id = False
        self.payer.requires_fee_schedule = True
        self.assertPriced(charge, 65.0, "fee_schedule")

    def test_r2_changed_unit_rule_touches_no_charge(self):
        charge = self._charge(self._client(), product_id=self.service.id)
        self.assertEqual(charge.quantity, 4.0)
        self.service.write({"unit_rule": "hour"})
        self.service.write({"rounding_method": "up", "rounding_minutes": "60"})
        self.assertEqual((charge.quantity, charge.amount), (4.0, 120.0))

    def test_r2_searching_again_touches_no_priced_charge(self):
        """Batch invoicing looks prices up, of charges that have none."""
        charge = self._charge(self._client())
        self.visit_service.list_price = 99.0
        self.env["healthcare.batch.invoicing"].create(
            {"date_from": A_DAY, "date_to": A_DAY}
        ).action_search()
        self.assertPriced(charge, 80.0, "practice_default")

    def test_r2_writing_the_same_values_reprices_nothing(self):
        """Imports and integrations write what they have, changed or not."""
        client = self._insured_client()
        appointment = self._appointment(client)
        self.visit_service.list_price = 99.0
        appointment.write(
            {
                "product_id": self.visit_service.id,
                "payer_id": self.payer.id,
                "billing_account_id": client.billing_account_ids.id,
                "state": "completed",
                "start": appointment.start,
            }
        )
        self.assertPriced(appointment.charge_ids, 80.0, "practice_default")

    def test_r2_charges_added_by_hand_keep_their_service_and_units(self):
        other = self._payer("Other Insurance")
        self._fee_schedule({self.visit_service: 65.0, self.service: 25.0}, payer=other)
        appointment = self._appointment(self._insured_client())
        added = self.env["healthcare.charge"].create(
            {"appointment_id": appointment.id, "product_id": self.service.id, "quantity": 3.0}
        )
        main = appointment.charge_ids - added
        appointment.payer_id = other
        appointment.write({"clock_in": appointment.start, "clock_out": appointment.stop})
        self.assertEqual((added.product_id, added.quantity), (self.service, 3.0))
        self.assertPriced(added, 25.0, "fee_schedule")
        self.assertPriced(main, 65.0, "fee_schedule")
        appointment.product_id = self._service("Visit", "T1002", 10.0)
        self.assertEqual((added.product_id, added.quantity), (self.service, 3.0))
        self.assertEqual(main.product_id.default_code, "T1002")

    def test_r2_unrelated_changes_reprice_nothing(self):
        appointment = self._appointment(self._insured_client(), state="scheduled")
        self.visit_service.list_price = 99.0
        appointment.action_complete()
        appointment.action_sign_note()
        appointment.action_approve()
        appointment.write({"start": appointment.start + timedelta(days=1), "parked": True})
        self.assertPriced(appointment.charge_ids, 80.0, "practice_default")

    def test_r2_another_service_is_priced_anew(self):
        appointment = self._appointment(self._client())
        appointment.product_id = self.service
        self.assertPriced(appointment.charge_ids, 30.0, "practice_default")
        self.assertEqual(appointment.charge_ids.quantity, 4.0)

    def test_r2_another_payer_is_priced_anew(self):
        other = self._payer("Other Insurance")
        self._fee_schedule({self.visit_service: 65.0}, payer=other)
        appointment = self._appointment(self._insured_client())
        appointment.payer_id = other
        self.assertPriced(appointment.charge_ids, 65.0, "fee_schedule")

    def test_r2_another_account_is_priced_anew(self):
        client = self._client()
        account = self.env["healthcare.billing.account"].create({"client_id": client.id})
        self.env["healthcare.billing.account.rate"].create(
            {"account_id": account.id, "product_id": self.visit_service.id, "fee": 5.0}
        )
        appointment = self._appointment(client)
        appointment.billing_account_id = account
        self.assertPriced(appointment.charge_ids, 5.0, "billing_account")

    def test_r2_qa_freezes_the_price_when_it_ends(self):
        self.company.healthcare_qa_review = True
        appointment = self._appointment(self._client())
        charge = appointment.charge_ids
        self.assertEqual((appointment.qa_state, charge.billing_stage), ("review", "qa"))
        self.visit_service.list_price = 90.0
        self.assertPriced(charge, 80.0, "practice_default")
        appointment.action_qa_done()
        self.assertPriced(charge, 90.0, "practice_default")
        self.visit_service.list_price = 100.0
        appointment.action_qa_done()
        self.assertPriced(charge, 90.0, "practice_default")

    def test_r2_qa_keeps_a_typed_price(self):
        self.company.healthcare_qa_review = True
        appointment = self._appointment(self._client())
        appointment.charge_ids.price_unit = 12.0
        appointment.action_qa_done()
        self.assertPriced(appointment.charge_ids, 12.0, "typed")

    def test_r2_without_qa_its_end_changes_nothing(self):
        appointment = self._appointment(self._client())
        self.visit_service.list_price = 90.0
        appointment.qa_state = "done"
        self.assertPriced(appointment.charge_ids, 80.0, "practice_default")

    def test_r2_typed_price_survives_reschedule(self):
        appointment = self._appointment(self._client(), state="scheduled")
        charge = appointment.charge_ids
        charge.price_unit = 12.0
        appointment.start += timedelta(days=7)
        self.assertPriced(charge, 12.0, "typed")
        self.assertEqual(charge.service_date, A_DAY + timedelta(days=7))

    def test_r1_rescheduled_into_another_contract_year_takes_its_price(self):
        """R1 prices by date of service: what moved is the date, not a default."""
        midnight = self._local(date(2025, 4, 1), 0)
        rule = {
            "applied_on": "0_product_variant",
            "product_id": self.visit_service.id,
            "compute_price": "fixed",
        }
        schedule = self._fee_schedule(
            [
                {**rule, "fixed_price": 65.0, "date_end": midnight - timedelta(seconds=1)},
                {**rule, "fixed_price": 70.0, "date_start": midnight},
            ]
        )
        appointment = self._appointment(self._insured_client(), state="scheduled")
        charge = appointment.charge_ids
        schedule.item_ids.filtered(lambda item: item.fixed_price == 65.0).fixed_price = 66.0
        appointment.start += timedelta(days=1)
        self.assertPriced(charge, 65.0, "fee_schedule", "2025-03-03")  # the same rule: R2
        appointment.start = self._local(date(2025, 4, 1), 9)
        self.assertPriced(charge, 70.0, "fee_schedule", "2025-04-01")
        self.payer.requires_fee_schedule = True
        schedule.item_ids.filtered("date_start").date_end = midnight + timedelta(days=10)
        appointment.start = self._local(date(2025, 5, 1), 9)
        self.assertPriced(charge, 0.0, "missing")

    def test_r2_invoiced_charge_is_never_priced_again(self):
        charge = self._charge(self._client())
        self._execute(charge)
        self.visit_service.list_price = 99.0
        charge._apply_prices()
        self.assertPriced(charge, 80.0, "practice_default")

    # -- the forms ------------------------------------------------------------------------------

    def test_r1_charge_added_in_a_list_is_priced_not_free(self):
        """The web client sends 0.00 for a price that nobody typed."""
        appointment = self._appointment(self._client())
        charge = self.env["healthcare.charge"].create(
            {
                "appointment_id": appointment.id,
                "product_id": self.service.id,
                "kind": "service",
                "quantity": 1.0,
                "price_unit": 0.0,
                "is_priced": False,
            }
        )
        self.assertPriced(charge, 30.0, "practice_default")

    # -- the Pricelists option ------------------------------------------------------------------

    def test_r1_saving_settings_keeps_the_fee_schedules(self):
        """With the Pricelists option off, saving Settings archives every list."""
        schedule = self._fee_schedule({self.visit_service: 65.0})
        self.assertTrue(self.env.user.has_group("product.group_product_pricelist"))
        settings = self.env["res.config.settings"].create({})
        self.assertTrue(settings.group_product_pricelist)
        settings.execute()
        self.assertTrue(schedule.active)
        self.assertPriced(self._charge(self._insured_client()), 65.0, "fee_schedule")

    def test_r1_saving_settings_in_the_form_keeps_the_fee_schedules(self):
        schedule = self._fee_schedule({self.visit_service: 65.0})
        with Form(self.env["res.config.settings"]) as form:
            form.group_use_qa = True
        form.record.execute()
        self.assertTrue(schedule.active)
