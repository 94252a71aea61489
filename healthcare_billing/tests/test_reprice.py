from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from odoo.addons.healthcare_billing.wizards import healthcare_reprice

from .common import A_DAY, CareCommon


class RepriceCommon(CareCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_service = cls._service(
            "Long session", "T1002", 120.0, unit_rule="block", block_minutes=30
        )
        cls.client = cls._client(
            account={"default_product_id": cls.visit_service.id, "default_fee": 90.0}
        )
        cls.account = cls.client.billing_account_ids
        cls.past = cls._planned(A_DAY, state="completed")
        cls.future = cls._planned(cls.today + timedelta(days=30))

    @classmethod
    def _planned(cls, day, client=None, **vals):
        """An appointment that takes the client's default service, unless one is given."""
        return cls.env["healthcare.appointment"].create(
            {
                "client_id": (client or cls.client).id,
                "start": cls._local(day),
                "employee_id": cls.provider.id,
            }
            | vals
        )

    def _reprice(self, records=None):
        """Open the dialog."""
        action = (records or self.account).action_reprice()
        self.assertEqual(action["res_model"], "healthcare.reprice")
        return self.env["healthcare.reprice"].browse(action["res_id"])

    def _lines(self, wizard, appointments=None):
        lines = wizard.past_line_ids | wizard.future_line_ids
        return lines.filtered(
            lambda line: not appointments or line.charge_id.appointment_id in appointments
        )


@tagged("post_install", "-at_install")
class TestReprice(RepriceCommon):
    # -- where the service comes from -----------------------------------------------------------

    def test_service_source_is_remembered(self):
        self.assertEqual(self.past.product_source, "default")
        self.assertEqual(self._planned(A_DAY, product_id=self.service.id).product_source, "chosen")
        none = self._client("No Default")
        chosen = self._appointment(none)
        self.assertEqual(chosen.product_source, "no_default")
        self.account.default_product_id = self.service
        self.assertEqual(self.past.product_source, "default")
        self.past.product_id = self.other_service
        self.assertEqual(self.past.product_source, "chosen")
        self.past.product_id = self.service
        self.assertEqual(self.past.product_source, "default")

    # -- preview --------------------------------------------------------------------------------

    def test_r2_changed_fee_touches_nothing_until_ticked(self):
        before = self.past.charge_ids
        self.account.default_fee = 110.0
        self.assertEqual((before.price_unit, before.amount), (90.0, 90.0))
        wizard = self._reprice()
        self.assertEqual(before.price_unit, 90.0)
        line = wizard.past_line_ids
        self.assertEqual(line.charge_id, before)
        self.assertEqual((line.fee_before, line.fee_after), (90.0, 110.0))
        self.assertEqual((line.amount_before, line.amount_after), (90.0, 110.0))
        self.assertIn("90.00", line.fee_text)
        self.assertIn("110.00", line.fee_text)
        self.assertEqual(line.code_text, "T1001")
        self.assertIn(self.account.name, line.source_before)
        self.assertEqual(wizard.future_line_ids.charge_id, self.future.charge_ids)
        self.assertEqual((wizard.line_count, wizard.selected_count), (2, 2))
        self.assertEqual((wizard.amount_before, wizard.amount_after), (180.0, 220.0))

    def test_r2_only_what_is_ticked_is_applied(self):
        self.account.default_fee = 110.0
        wizard = self._reprice()
        wizard.past_line_ids.selected = False
        self.assertEqual((wizard.selected_count, wizard.selected_difference), (1, 20.0))
        wizard.action_apply()
        self.assertEqual(self.past.charge_ids.price_unit, 90.0)
        charge = self.future.charge_ids
        self.assertEqual((charge.price_unit, charge.price_source), (110.0, "billing_account"))
        self.assertIn(self.account.name, charge.price_reason)
        self.assertEqual(charge.amount_client, 110.0)
        self.assertEqual(self._lines(wizard).charge_id, self.past.charge_ids)
        self.assertFalse(self._lines(wizard).selected)  # the tick of before is kept
        self.assertIn("1", wizard.result)
        message = self.future.message_ids[:1]
        self.assertIn("110.00", message.body)
        self.assertEqual(message.author_id, self.env.user.partner_id)
        self.assertIn("110.00", self.account.message_ids[:1].body)

    def test_changed_code_brings_units_modifiers_and_price(self):
        modifier = self.env["healthcare.modifier"].search([], limit=1)
        self.other_service.modifier_ids = modifier
        self.account.write({"default_product_id": self.other_service.id, "has_default_fee": False})
        wizard = self._reprice()
        line = self._lines(wizard, self.past)
        self.assertEqual(line.code_text, "T1001 → T1002")
        self.assertEqual((line.quantity_after, line.fee_after), (2.0, 120.0))
        self.assertEqual(line.amount_after, 240.0)
        wizard.action_apply()
        charge = self.past.charge_ids
        self.assertEqual(self.past.product_id, self.other_service)
        self.assertEqual(charge.product_id, self.other_service)
        self.assertEqual((charge.quantity, charge.price_unit, charge.amount), (2.0, 120.0, 240.0))
        self.assertEqual(charge.modifier_ids, modifier)
        self.assertEqual(charge.price_source, "practice_default")
        self.assertEqual(self.past.product_source, "default")
        self.assertFalse(self._lines(self._reprice()))

    def test_code_and_fee_change_together(self):
        self.account.write({"default_product_id": self.other_service.id, "default_fee": 100.0})
        wizard = self._reprice()
        self.assertEqual(set(self._lines(wizard).mapped("amount_after")), {200.0})
        wizard.action_apply()
        self.assertEqual(self.past.amount_total, 200.0)
        self.assertEqual(self.future.amount_total, 200.0)

    def test_free_is_a_fee(self):
        self.account.default_fee = 0.0
        wizard = self._reprice()
        self.assertEqual(set(self._lines(wizard).mapped("fee_after")), {0.0})
        wizard.action_apply()
        self.assertTrue(self.past.charge_ids.is_priced)
        self.assertEqual(self.past.charge_ids.amount, 0.0)

    def test_changed_rate_reprices_chosen_services_too(self):
        chosen = self._planned(A_DAY, product_id=self.service.id)
        self.account.rate_ids = [Command.create({"product_id": self.service.id, "fee": 25.0})]
        lines = self._lines(self._reprice())
        self.assertEqual(lines.charge_id, chosen.charge_ids)
        self.assertEqual((lines.fee_before, lines.fee_after, lines.amount_after), (30.0, 25.0, 100))

    # -- what isn't offered, or not ticked ------------------------------------------------------

    def test_r2_typed_price_is_shown_but_never_ticked(self):
        self.past.charge_ids.price_unit = 75.0
        self.account.default_fee = 110.0
        wizard = self._reprice()
        line = self._lines(wizard, self.past)
        self.assertEqual((line.origin, line.selected), ("typed", False))
        self.assertIn(self.env.user.name, line.source_before)
        self.assertEqual(wizard.typed_count, 1)
        wizard.action_apply()
        self.assertEqual(self.past.charge_ids.price_unit, 75.0)
        self._lines(wizard, self.past).selected = True
        wizard.action_apply()
        self.assertEqual(self.past.charge_ids.price_unit, 110.0)
        self.assertEqual(self.past.charge_ids.price_source, "billing_account")

    def test_r28_refused_charge_keeps_its_typed_price(self):
        charge = self.past.charge_ids
        charge.price_unit = 75.0
        add_on = self.env["healthcare.charge"].create(
            {
                "appointment_id": self.past.id,
                "kind": "service",
                "product_id": self.service.id,
                "price_unit": 30.0,
            }
        )
        self._execute(add_on, post=True)  # the appointment's service can't change any more
        self.account.write({"default_product_id": self.other_service.id, "default_fee": 100.0})
        wizard = self._reprice()
        line = self._lines(wizard, self.past).filtered(lambda line: line.charge_id == charge)
        line.selected = True
        self._lines(wizard, self.future).selected = True
        wizard.action_apply()
        self.assertIn("Skipped", wizard.result)
        self.assertEqual(
            (charge.price_source, charge.is_priced, charge.price_unit, charge.amount),
            ("typed", True, 75.0, 75.0),
        )
        self.assertEqual(self.future.charge_ids.product_id, self.other_service)

    def test_typed_price_survives_everything_but_its_own_tick(self):
        """A typed fee equal to the new one is no difference."""
        self.past.charge_ids.price_unit = 110.0
        self.account.default_fee = 110.0
        self.assertNotIn(self.past.charge_ids, self._lines(self._reprice()).charge_id)

    def test_chosen_service_keeps_its_code(self):
        chosen = self._planned(A_DAY, product_id=self.service.id)
        self.account.default_product_id = self.other_service
        self.assertNotIn(chosen.charge_ids, self._lines(self._reprice()).charge_id)

    def test_service_chosen_before_there_was_a_default(self):
        """The seed's case: sessions with the practice's code, then the client gets a code."""
        client = self._client("Late Default")
        early = self._appointment(client)
        client.billing_account_ids.write(
            {"default_product_id": self.other_service.id, "default_fee": 100.0}
        )
        wizard = self._reprice(client.billing_account_ids)
        line = self._lines(wizard)
        self.assertEqual((line.origin, line.selected), ("no_default", False))
        self.assertEqual(wizard.no_default_count, 1)
        line.selected = True
        wizard.action_apply()
        self.assertEqual(early.charge_ids.product_id, self.other_service)
        self.assertEqual(early.amount_total, 200.0)

    def test_list_prices_of_others_arent_the_accounts_business(self):
        plain = self._client("Plain", account={"default_product_id": self.visit_service.id})
        self._planned(A_DAY, client=plain)
        self.visit_service.list_price = 99.0
        self.assertFalse(self._lines(self._reprice(plain.billing_account_ids)))
        self.assertFalse(plain.billing_account_ids.action_reprice_if_affected())

    def test_missed_and_canceled_appointments(self):
        missed = self._planned(A_DAY, state="no_show")
        canceled = self._planned(A_DAY, state="canceled")
        self.account.default_fee = 110.0
        charges = self._lines(self._reprice()).charge_id
        self.assertIn(missed.charge_ids, charges)
        self.assertNotIn(canceled.charge_ids, charges)

    def test_two_charges_of_the_same_service_keep_their_code(self):
        """Following the appointment would change both, whatever was ticked."""
        self.past.charge_ids.copy({"appointment_id": self.past.id})
        self.account.write({"default_product_id": self.other_service.id})
        lines = self._lines(self._reprice())
        self.assertEqual(lines.filtered("service_changes").charge_id, self.future.charge_ids)

    # -- ticking --------------------------------------------------------------------------------

    def test_r2_many_at_once_never_ticks_what_somebody_decided(self):
        """A typed fee, and a service chosen before there was a default: by their own box only."""
        self.past.charge_ids.price_unit = 75.0
        client = self._client("Late Default")
        early = self._appointment(client)
        client.billing_account_ids.write(
            {"default_product_id": self.other_service.id, "default_fee": 100.0}
        )
        self.account.default_fee = 110.0
        wizard = self._reprice(self.account | client.billing_account_ids)
        wizard.write({"date_from": A_DAY - timedelta(days=400)})
        decided = self._lines(wizard).filtered(lambda line: line.origin != "default")
        self.assertEqual(decided.charge_id, (self.past | early).charge_ids)
        self.assertEqual(set(decided.mapped("origin")), {"typed", "no_default"})
        for what in ("all", "past", "future", "dates"):
            with self.subTest(what=what):
                wizard.with_context(healthcare_tick=what).action_tick()
                self.assertFalse(any(decided.mapped("selected")))
        decided[0].selected = True
        wizard.with_context(healthcare_tick="future").action_tick()
        self.assertEqual(decided.mapped("selected"), [True, False])
        wizard.with_context(healthcare_tick="none").action_tick()
        self.assertFalse(any(self._lines(wizard).mapped("selected")))

    def test_ticks_by_past_future_dates_all_none(self):
        between = self._planned(A_DAY + timedelta(days=10), state="completed")
        self.account.default_fee = 110.0
        wizard = self._reprice()

        def tick(what, **dates):
            wizard.write({"date_from": False, "date_to": False, **dates})
            wizard.with_context(healthcare_tick=what).action_tick()
            return self._lines(wizard).filtered("selected").charge_id.appointment_id

        self.assertEqual(tick("none"), self.env["healthcare.appointment"])
        self.assertEqual(tick("all"), self.past | between | self.future)
        self.assertEqual(tick("past"), self.past | between)
        self.assertEqual(tick("future"), self.future)
        day = A_DAY + timedelta(days=10)
        self.assertEqual(tick("dates", date_from=day), between | self.future)
        self.assertEqual(tick("dates", date_to=day), self.past | between)
        self.assertEqual(tick("dates", date_from=day, date_to=day), between)
        with self.assertRaisesRegex(UserError, "after the last"):
            tick("dates", date_from=day, date_to=A_DAY)
        with self.assertRaisesRegex(UserError, "first or the last"):
            tick("dates")
        tick("none")
        with self.assertRaisesRegex(UserError, "Nothing is ticked"):
            wizard.action_apply()

    # -- changed since --------------------------------------------------------------------------

    def test_changed_since_the_preview_is_skipped_and_told(self):
        self.account.default_fee = 110.0
        wizard = self._reprice()
        self.past.charge_ids.quantity = 2.0
        wizard.action_apply()
        self.assertEqual(self.past.charge_ids.price_unit, 90.0)
        self.assertEqual(self.future.charge_ids.price_unit, 110.0)
        self.assertIn("changed since", wizard.result)
        self.assertIn("changed since", self._lines(wizard, self.past).message)
        wizard.action_apply()  # now it is shown as it is
        self.assertEqual(self.past.charge_ids.amount, 220.0)

    def test_default_changed_again_since_the_preview(self):
        self.account.default_fee = 110.0
        wizard = self._reprice()
        self.account.default_fee = 120.0
        wizard.action_apply()
        self.assertEqual(self.past.charge_ids.price_unit, 90.0)
        self.assertEqual(set(self._lines(wizard).mapped("fee_after")), {120.0})

    def test_invoiced_since_the_preview(self):
        self.account.default_fee = 110.0
        wizard = self._reprice()
        wizard.invoiced_from = A_DAY
        move = self._execute(self.past, post=True).move_ids
        wizard.action_apply()
        self.assertEqual(self.past.charge_ids.price_unit, 90.0)
        self.assertIn("invoiced since", wizard.result)
        self.assertEqual(wizard.invoiced_line_ids.move_id, move)

    def test_double_click_applies_once(self):
        self.account.default_fee = 110.0
        wizard = self._reprice()
        wizard.action_apply()
        with self.assertRaisesRegex(UserError, "Nothing is ticked"):
            wizard.action_apply()

    # -- invoiced -------------------------------------------------------------------------------

    def test_drafts_are_listed_apart_and_can_be_deleted(self):
        recent = self._planned(self.today - timedelta(days=3), state="completed")
        draft = self._execute(recent).move_ids
        self.account.default_fee = 110.0
        wizard = self._reprice()
        line = wizard.invoiced_line_ids
        self.assertEqual((line.move_id, line.selected), (draft, False))
        self.assertEqual(line.action_open_invoice()["res_id"], draft.id)
        with self.assertRaisesRegex(UserError, "posted"):
            line.selected = True
            wizard.action_credit_and_rebill_ticked()
        line.action_delete_draft()
        self.assertFalse(draft.exists())
        self.assertIn(recent.charge_ids, wizard.past_line_ids.charge_id)
        wizard.with_context(healthcare_tick="all").action_tick()
        wizard.action_apply()
        self.assertEqual(recent.amount_total, 110.0)

    def test_posted_ones_open_credit_and_rebill_filled_in(self):
        recent = self._planned(self.today - timedelta(days=3), state="completed")
        posted = self._execute(recent, post=True).move_ids
        self.account.default_fee = 110.0
        wizard = self._reprice()
        action = wizard.invoiced_line_ids.action_credit_and_rebill()
        rebill = self.env["healthcare.credit.rebill"].browse(action["res_id"])
        self.assertEqual(rebill.move_id, posted)
        self.assertEqual(rebill.line_ids.price_unit, 110.0)
        rebill.reason = "New fee"
        new = self.env["account.move"].browse(rebill.action_confirm()["res_id"])
        self.assertEqual(new.amount_total, 110.0)
        self.assertEqual(recent.charge_ids.price_source, "billing_account")

    def test_several_posted_ones_at_once(self):
        """One bad never stops the others: each line says what became of it."""
        day = self.today - timedelta(days=3)
        visits = [self._planned(day, state="completed") for _n in range(3)]
        moves = [self._execute(visit, post=True).move_ids for visit in visits]
        self.account.default_fee = 110.0
        wizard = self._reprice()
        wizard.invoiced_line_ids.selected = True
        # a draft credit note stands in the way of the second
        moves[1]._reverse_moves([{"date": self.today, "invoice_date": self.today}])
        wizard.action_credit_and_rebill_ticked()
        self.assertEqual([visit.charge_ids.price_unit for visit in visits], [110.0, 90.0, 110.0])
        left = wizard.invoiced_line_ids
        self.assertEqual(left.charge_id, visits[1].charge_ids)
        self.assertIn("draft", left.message)
        self.assertIn(moves[0].rebilled_by_ids.name, wizard.result)

    def test_old_invoices_are_listed_when_asked_for(self):
        posted = self._execute(self.past, post=True).move_ids
        self.account.default_fee = 110.0
        wizard = self._reprice()
        self.assertFalse(wizard.invoiced_line_ids)
        wizard.invoiced_from = A_DAY
        wizard.action_refresh()
        self.assertEqual(wizard.invoiced_line_ids.move_id, posted)

    def test_older_invoices_beyond_the_limit_are_counted(self):
        later = self._planned(A_DAY + timedelta(days=1), state="completed")
        draft = self._planned(A_DAY - timedelta(days=1), state="completed")
        self._execute(later, post=True)
        self._execute(self.past, post=True)
        self._execute(draft)
        self._execute(self._planned(A_DAY, product_id=self.service.id, state="completed"))
        self.account.default_fee = 110.0
        wizard = self._reprice()
        wizard.invoiced_from = False
        with patch.object(healthcare_reprice, "MAX_INVOICED", 2):
            wizard.action_refresh()
        self.assertEqual(wizard.invoiced_line_ids.charge_id, (self.past | later).charge_ids)
        self.assertEqual(wizard.unlisted_count, 1)
        self.assertEqual(wizard.future_line_ids.charge_id, self.future.charge_ids)
        wizard.action_refresh()
        self.assertEqual((len(wizard.invoiced_line_ids), wizard.unlisted_count), (3, 0))

    # -- the client form ------------------------------------------------------------------------

    def test_client_form_edits_the_only_account(self):
        self.assertEqual(self.client.care_default_product_id, self.visit_service)
        self.assertEqual(self.client.care_default_fee, 90.0)
        with Form(self.client) as form:
            form.care_default_product_id = self.other_service
            form.care_default_fee = 100.0
        self.assertEqual(self.account.default_product_id, self.other_service)
        self.assertEqual(self.account.default_fee, 100.0)
        with Form(self.client) as form:
            form.care_default_fee = 0.0
        self.assertEqual((self.account.has_default_fee, self.account.default_fee), (True, 0.0))
        with Form(self.client) as form:
            form.care_has_default_fee = False
        self.assertFalse(self.account.has_default_fee)
        self.client.care_default_fee = 0.0
        self.assertTrue(self.account.has_default_fee)

    def test_changed_default_service_keeps_agreed_rates(self):
        """Whoever writes the service alone has said nothing about a fee."""
        rate = {"product_id": self.other_service.id, "fee": 22.0}
        self.account.write({"has_default_fee": False, "rate_ids": [Command.create(rate)]})
        self.client.write({"care_default_product_id": self.other_service.id})
        self.assertEqual(self.account.default_product_id, self.other_service)
        self.assertEqual(self.account.rate_ids.fee, 22.0)
        self.assertEqual(
            (self.client.care_has_default_fee, self.client.care_default_fee), (True, 22.0)
        )

    def test_fee_of_one_service_is_not_that_of_another(self):
        rates = [
            Command.create({"product_id": self.visit_service.id, "fee": 70.0}),
            Command.create({"product_id": self.other_service.id, "fee": 22.0}),
        ]
        self.account.write({"has_default_fee": False, "rate_ids": rates})
        for service in (self.other_service, self.service):
            self.client.with_context(care_fee_given=True).care_default_product_id = service
            self.assertEqual(self.account.rate_ids.mapped("fee"), [70.0, 22.0])
        self.assertFalse(self.client.care_has_default_fee)
        self.client.care_default_product_id = self.visit_service
        with Form(self.client) as form:
            form.care_default_product_id = self.service
            self.assertFalse(form.care_has_default_fee)
        self.assertEqual(self.account.rate_ids.mapped("fee"), [70.0, 22.0])
        self.assertFalse(self.account.has_default_fee)
        self.client.write(
            {"care_default_product_id": self.other_service.id, "care_has_default_fee": False}
        )
        self.assertEqual(self.account.rate_ids.product_id, self.visit_service)  # asked for

    def test_client_form_edits_the_rate_of_the_default_service(self):
        """A rate comes before the default fee: editing a fee that doesn't count helps nobody."""
        self.account.rate_ids = [Command.create({"product_id": self.visit_service.id, "fee": 70.0})]
        self.assertEqual(self.client.care_default_fee, 70.0)
        with Form(self.client) as form:
            form.care_default_fee = 65.0
        self.assertEqual(self.account.rate_ids.fee, 65.0)
        self.assertEqual(set(self._lines(self._reprice()).mapped("fee_after")), {65.0})
        with Form(self.client) as form:
            form.care_has_default_fee = False
        self.assertFalse(self.account.rate_ids)
        self.assertEqual(set(self._lines(self._reprice()).mapped("fee_after")), {80.0})

    def test_new_client_with_default_service(self):
        client = self.env["res.partner"].create(
            {
                "name": "New",
                "is_healthcare_client": True,
                "care_default_product_id": self.service.id,
                "care_default_fee": 35.0,
            }
        )
        account = client.billing_account_ids
        self.assertEqual((account.default_product_id, account.default_fee), (self.service, 35.0))
        self.assertEqual(self._planned(A_DAY, client=client).charge_ids.price_unit, 35.0)

    def test_clients_with_several_accounts_have_a_list(self):
        self.account.copy({"payer_id": self.payer.id})
        self.client.invalidate_recordset()
        self.assertFalse(self.client.care_account_id)
        self.assertFalse(self.client.care_default_product_id)
        self.client.care_default_fee = 5.0  # nowhere to keep it, and nothing breaks
        self.assertEqual(self.account.default_fee, 90.0)

    def test_accounts_of_other_companies_dont_count(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.account.copy({"company_id": other.id, "default_fee": 1.0})
        self.client.invalidate_recordset()
        self.assertEqual(self.client.care_default_fee, 90.0)
        self.env.user.company_ids |= other
        there = self.client.with_company(other)
        self.assertEqual(there.care_default_fee, 1.0)
        # several companies ticked: the one in front counts, and saving never fails
        self.account.default_fee = 110.0
        both = self.client.with_context(allowed_company_ids=[self.company.id, other.id])
        action = both.action_reprice_if_affected()
        wizard = self.env["healthcare.reprice"].browse(action["res_id"])
        self.assertEqual(wizard.account_ids, self.account)
        third = self.env["res.company"].create({"name": "Third"})
        self.env.user.company_ids |= third
        with self.assertRaisesRegex(UserError, "no billing account"):
            self.client.with_company(third).action_reprice()
        self.assertFalse(self.client.with_company(third).action_reprice_if_affected())

    # -- after saving ---------------------------------------------------------------------------

    def test_dialog_only_when_something_is_affected(self):
        self.assertFalse(self.client.action_reprice_if_affected())
        self.account.default_fee = 110.0
        action = self.client.action_reprice_if_affected()
        self.assertEqual(action["res_model"], "healthcare.reprice")
        wizard = self.client.action_reprice()  # works at any time
        self.assertTrue(self.env["healthcare.reprice"].browse(wizard["res_id"]).line_count)

    def test_rights(self):
        self.account.default_fee = 110.0
        for kind in ("coordinator", "billing_user", "billing_manager"):
            env = self._act_as(self._user(kind))
            action = self.account.with_env(env).action_reprice_if_affected()
            if kind == "coordinator":
                self.assertEqual(action["tag"], "display_notification")
                self.assertIn("2", action["params"]["message"])
                with self.assertRaises(AccessError):
                    self.account.with_env(env).action_reprice()
            else:
                wizard = env["healthcare.reprice"].browse(action["res_id"])
                wizard.read()
                wizard.line_ids.read()
        wizard.action_apply()
        self.assertEqual(self.past.charge_ids.price_unit, 110.0)
        stranger = self._act_as(self._user("billing_user", login="stranger"))
        with self.assertRaises(AccessError):
            wizard.with_env(stranger).read(["result"])

    def test_preview_is_what_is_applied(self):
        """To the cent, whatever service, fee, units and currency."""
        insured = self._insured_client(copay=20.0)
        account = insured.billing_account_ids
        account.write({"default_product_id": self.service.id})
        self._fee_schedule({self.other_service: 33.333})
        visits = self.env["healthcare.appointment"]
        for n in range(4):
            visits |= self._planned(
                A_DAY + timedelta(days=n), client=insured, state="completed", duration=0.5 + n / 3
            )
        account.write({"default_product_id": self.other_service.id})
        wizard = self._reprice(account)
        shown = {line.charge_id: line.amount_after for line in self._lines(wizard)}
        self.assertEqual(len(shown), 4)
        wizard.action_apply()
        for charge, amount in shown.items():
            self.assertEqual(charge.amount, amount)
            self.assertEqual(charge.amount_client, min(20.0, amount))
            self.assertEqual(charge.price_source, "fee_schedule")
        self.assertFalse(self._lines(wizard))

    def test_growth(self):
        """Many charges take hardly more queries than few (one write per price)."""

        def count(size):
            client = self._client(f"Client {size}", account={"default_fee": 50.0})
            account = client.billing_account_ids
            account.default_product_id = self.visit_service
            self.env["healthcare.appointment"].create(
                [
                    {
                        "client_id": client.id,
                        "start": self._local(A_DAY + timedelta(days=n)),
                        "employee_id": self.provider.id,
                        "state": "completed",
                    }
                    for n in range(size)
                ]
            )
            account.write({"default_product_id": self.other_service.id, "default_fee": 60.0})
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            wizard = self._reprice(account)
            self.env.flush_all()
            opened = self.cr.sql_log_count - before
            before = self.cr.sql_log_count
            wizard.action_apply()
            self.env.flush_all()
            self.assertFalse(self._lines(wizard))
            return opened, self.cr.sql_log_count - before

        count(2)  # warm up
        opened_10, applied_10 = count(10)
        opened_40, applied_40 = count(40)
        self.assertLess(opened_40 - opened_10, 20)
        self.assertLess(applied_40 - applied_10, 60)
