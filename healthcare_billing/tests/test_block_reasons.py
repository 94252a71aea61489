from datetime import date, timedelta

from odoo.exceptions import UserError
from odoo.fields import Command, Date
from odoo.tests import tagged

from .common import A_DAY, CareCommon


@tagged("post_install", "-at_install")
class TestBlockReasons(CareCommon):
    """What keeps a charge back: every code blocks, is found by search, and can be mended."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reasons = {r.code: r for r in cls.env["healthcare.block.reason"].search([])}
        cls.client = cls._insured_client()
        cls.account = cls.client.billing_account_ids
        cls.self_payer = cls._client()
        # Always there, so that every search has something to leave out.
        cls.ready = cls._charge(cls.client, hour=7)
        cls.other = cls._charge(cls.self_payer, hour=7, parked=True)

    def assertSearchAgrees(self):
        """Searching by reason finds what the field shows, for every reason."""
        Charge = self.env["healthcare.charge"]
        charges = Charge.search([("company_id", "=", self.company.id)])
        charges.invalidate_recordset(["block_reason_ids"])
        charges.appointment_id.invalidate_recordset(["block_reason_ids"])
        mine = ("id", "in", charges.ids)
        for reason in charges.block_reason_ids | self.reasons["planned"]:
            shown = charges.filtered(lambda c, reason=reason: reason in c.block_reason_ids)
            for domain in (
                [("block_reason_ids", "in", reason.ids)],
                [("block_reason_ids", "=", reason.id)],
                [("block_reason_ids.code", "=", reason.code)],
            ):
                self.assertEqual(Charge.search([mine, *domain]), shown, domain)
            self.assertEqual(
                Charge.search([mine, ("block_reason_ids", "not in", reason.ids)]),
                charges - shown,
            )
            self.assertEqual(
                self.env["healthcare.appointment"].search(
                    [("charge_ids", "in", charges.ids), ("block_reason_ids", "in", reason.ids)]
                ),
                charges.appointment_id.filtered(
                    lambda a, reason=reason: reason in a.block_reason_ids
                ),
            )
        blocked = charges.filtered("block_reason_ids")
        self.assertEqual(Charge.search([mine, ("block_reason_ids", "!=", False)]), blocked)
        self.assertEqual(Charge.search([mine, ("block_reason_ids", "=", False)]), charges - blocked)
        return charges

    def assertBlocked(self, charge, *codes, **plan):
        """These codes and no others block the charge, in plan and field alike."""
        self.assertEqual(self._codes(charge, **plan), set(codes))
        self.assertNotIn(charge.id, self._plan(charge, **plan).charge_ids)
        if not plan:
            self.assertSearchAgrees()
            self.assertEqual(set(charge.block_reason_ids.mapped("code")), set(codes))

    def assertFree(self, charge, **plan):
        self.assertFalse(self._codes(charge, **plan))
        self.assertIn(charge.id, self._plan(charge, **plan).charge_ids)
        if not plan:
            self.assertSearchAgrees()
            self.assertFalse(charge.block_reason_ids)

    def _visit(self, client=None, **vals):
        return self._charge(client or self.client, **vals)

    # -- every code has its words ---------------------------------------------------------------

    def test_every_code_has_a_reason_record(self):
        conditions = self._engine()._block_conditions(self.company, Date.today())
        self.assertEqual(set(conditions), set(self.reasons))
        for reason in self.reasons.values():
            self.assertTrue(reason.description and reason.remedy)

    def test_reasons_of_nothing_are_none(self):
        charges = self.env["healthcare.charge"]
        self.assertEqual(self._engine()._block_reasons(charges), {})
        self.assertFalse(self._plan(charges).blocked)

    def test_several_reasons_are_all_told(self):
        charge = self._visit(parked=True, is_vacant=True, employee_id=False)
        self.assertBlocked(charge, "parked", "vacant", "missing_provider")

    # -- done with ------------------------------------------------------------------------------

    def test_already_invoiced_until_undone(self):
        charge = self._visit()
        run = self._execute(charge)
        self.assertEqual(self._codes(charge), {"already_invoiced"})
        self.assertSearchAgrees()
        self.assertFalse(charge.block_reason_ids)  # invoiced isn't "not billed"
        run.action_undo()
        self.assertFree(charge)

    def test_already_invoiced_only_when_every_part_is(self):
        client = self._insured_client(copay=15.0)
        charge = self._visit(client)
        run = self._execute(charge)
        run.line_ids.filtered(lambda line: line.partner_id == client).move_id.unlink()
        self.assertFree(charge)
        (invoice,) = self._plan(charge).invoices
        self.assertEqual(dict(invoice.amounts), {"client": 15.0})

    def test_already_invoiced_when_free(self):
        charge = self._visit()
        charge.price_unit = 0.0
        self._execute(charge)
        self.assertEqual(self._codes(charge), {"already_invoiced"})

    def test_not_billable_appointment(self):
        charge = self._visit(billable=False, parked=True)
        self.assertBlocked(charge, "not_billable")
        charge.appointment_id.write({"billable": True, "parked": False})
        self.assertFree(charge)

    def test_not_billable_account(self):
        charge = self._visit()
        self.account.billable = False
        self.assertBlocked(charge, "not_billable")
        self.account.billable = True
        self.assertFree(charge)

    def test_not_billable_cancellation(self):
        for state in ("canceled", "rescheduled"):
            with self.subTest(state=state):
                self.assertBlocked(self._visit(state=state), "not_billable")

    def test_r7_no_show_bills_as_its_reason_says(self):
        reason = self.env["healthcare.cancel.reason"].create(
            {"code": "T", "name": "Test", "state": "no_show", "bill": False}
        )
        charge = self._visit(state="no_show", cancel_reason_id=reason.id)
        self.assertBlocked(charge, "not_billable")
        charge.appointment_id.cancel_reason_id = False
        self.assertFree(charge)
        (invoice,) = self._plan(charge).invoices
        self.assertEqual((invoice.partner_id, invoice.payer_id), (self.client.id, False))

    def test_canceled_with_a_reason_that_bills(self):
        reason = self.env["healthcare.cancel.reason"].create(
            {"code": "T", "name": "Test", "state": "canceled", "bill": True}
        )
        charge = self._visit(state="canceled", cancel_reason_id=reason.id)
        self.assertFree(charge)
        self.assertEqual(charge.amount_client, 80.0)

    # -- the appointment ------------------------------------------------------------------------

    def test_planned_until_completed_missed_or_late_canceled(self):
        for action in ("action_complete", "action_no_show", "action_late_cancel"):
            with self.subTest(action=action):
                charge = self._visit(state="scheduled")
                self.assertBlocked(charge, "planned")
                for door in ("manual", "batch"):
                    self.assertEqual(self._codes(charge, door=door), {"planned"})
                getattr(charge.appointment_id, action)()
                self.assertFree(charge)

    def test_r9_parked_is_not_picked(self):
        charge = self._visit(parked=True)
        self.assertBlocked(charge, "parked")
        self.assertEqual(self._codes(charge, door="batch"), {"parked"})
        charge.appointment_id.action_unpark()
        self.assertFree(charge)

    def test_r9_parked_can_be_added_by_hand(self):
        charge = self._visit(parked=True)
        self.assertFree(charge, door="manual")
        self.assertEqual(self._execute(charge, door="manual").created_count, 1)

    def test_r9_parked_stays_on_its_document_and_is_posted_and_paid(self):
        charge = self._visit()
        move = self._execute(charge).line_ids.move_id
        charge.appointment_id._park()
        self.assertEqual(move.invoice_line_ids.charge_id, charge)
        move.action_post()
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        ).create({}).action_create_payments()
        self.assertEqual(charge.billing_stage, "finished")

    def test_r9_parked_until_a_day_is_free_on_it(self):
        today = Date.context_today(self.env.user)
        charge = self._visit(parked=True, parked_until=today + timedelta(days=1))
        self.assertBlocked(charge, "parked")
        charge.appointment_id.parked_until = today
        self.assertFree(charge)

    def test_r12_vacant_is_never_billed(self):
        charge = self._visit(is_vacant=True)
        self.assertBlocked(charge, "vacant")
        self.assertEqual(self._codes(charge, door="manual"), {"vacant"})
        with self.assertRaises(UserError):
            charge.appointment_id.action_approve()
        charge.appointment_id.is_vacant = False
        self.assertFree(charge)

    def test_r12_unscheduled_is_never_billed(self):
        charge = self._visit(is_unscheduled=True)
        self.assertBlocked(charge, "unscheduled")
        self.assertEqual(self._codes(charge, door="manual"), {"unscheduled"})
        with self.assertRaises(UserError):
            charge.appointment_id.action_approve()
        charge.appointment_id.is_unscheduled = False
        self.assertFree(charge)

    def test_r12_rejected_is_never_billed(self):
        charge = self._visit()
        charge.appointment_id.action_reject()
        self.assertBlocked(charge, "rejected")
        self.assertEqual(self._codes(charge, door="manual"), {"rejected"})
        charge.appointment_id.action_approve()
        self.assertFree(charge)

    def test_not_approved_where_the_payer_requires_it(self):
        self.payer.requires_approval = True
        charge = self._visit()
        self.assertBlocked(charge, "not_approved")
        charge.appointment_id.action_approve()
        self.assertFree(charge)
        self.assertFree(self._visit(self.self_payer))

    def test_in_qa_until_done(self):
        self.company.healthcare_qa_review = True
        charge = self._visit()
        self.assertBlocked(charge, "in_qa")
        charge.appointment_id.action_qa_corrections()
        self.assertBlocked(charge, "in_qa")
        charge.appointment_id.action_qa_done()
        self.assertFree(charge)

    def test_r10_unsigned_note_where_the_payer_requires_it(self):
        self.payer.requires_signed_note = True
        charge = self._visit(note_state="draft")
        self.assertBlocked(charge, "unsigned_note")
        charge.appointment_id.action_sign_note()
        self.assertFree(charge)
        self.assertFree(self._visit(self.self_payer))

    def test_r10_unsigned_note_where_the_practice_requires_it(self):
        charge = self._visit(self.self_payer)
        self.company.healthcare_requires_signed_note = True
        self.assertBlocked(charge, "unsigned_note")
        charge.appointment_id.action_sign_note()
        self.assertFree(charge)

    def test_r7_nobody_signs_the_note_of_a_no_show(self):
        self.company.healthcare_requires_signed_note = True
        self.assertFree(self._visit(state="no_show"))

    # -- the billing account --------------------------------------------------------------------

    def test_missing_account(self):
        charge = self._visit(self.self_payer)
        charge.appointment_id.billing_account_id = False
        self.assertBlocked(charge, "missing_account")
        charge.appointment_id.billing_account_id = self.self_payer.billing_account_ids
        self.assertFree(charge)

    def test_r10_account_on_hold(self):
        charge = self._visit()
        self.account.billing_status = "on_hold"
        self.assertEqual(self._codes(charge), {"account_on_hold"})
        self.assertSearchAgrees()
        self.account.billing_status = "active"
        self.assertFree(charge)

    def test_r10_account_closed(self):
        charge = self._visit()
        self.account.billing_status = "closed"
        self.assertBlocked(charge, "account_closed")
        self.account.billing_status = "active"
        self.assertFree(charge)

    def test_r10_account_archived(self):
        charge = self._visit()
        self.account.active = False
        self.assertBlocked(charge, "account_closed")
        self.account.active = True
        self.assertFree(charge)

    def test_wrong_door_for_payers_billed_by_cycle(self):
        charge = self._visit()
        for model in ("payer_batched", "payer_file"):
            with self.subTest(model=model):
                self.payer.invoicing_model = model
                self.assertBlocked(charge, "wrong_door", door="batch")
                self.assertFree(charge, door="manual")
                self.assertFree(self._visit(state="no_show"), door="batch")
                self.payer.invoicing_model = "payer_individual"
                self.assertFree(charge, door="batch")

    # -- what was done --------------------------------------------------------------------------

    def test_r10_missing_service(self):
        """Care whose service was forgotten isn't lost: it is left out, and says so."""
        charge = self._visit(product_id=False)
        self.assertBlocked(charge, "missing_service")
        charge.price_unit = 5.0
        self.assertBlocked(charge, "missing_service")
        charge.product_id = self.service
        self.assertFree(charge)

    def test_r10_missing_service_filled_in_on_the_appointment(self):
        charge = self._visit(product_id=False)
        charge.appointment_id.product_id = self.service
        self.assertFree(charge)
        self.assertEqual((charge.product_id, charge.quantity), (self.service, 4.0))
        self.assertEqual(charge.amount, 120.0)
        self.assertEqual(charge.appointment_id.charge_ids, charge)

    def test_r10_missing_code(self):
        charge = self._visit()
        self.visit_service.default_code = False
        self.assertBlocked(charge, "missing_code")
        self.visit_service.default_code = "T1001"
        self.assertFree(charge)

    def test_r10_missing_bill_code(self):
        self.payer.requires_fee_schedule = True
        charge = self._visit()
        self.assertBlocked(charge, "missing_bill_code")
        self._fee_schedule({self.visit_service: 60.0})
        charge.action_find_price()
        self.assertFree(charge)
        self.assertEqual(charge.price_unit, 60.0)

    def test_r10_missing_price(self):
        charge = self._visit()
        charge.write({"is_priced": False, "price_source": "missing"})
        self.assertBlocked(charge, "missing_price")
        charge.action_find_price()
        self.assertFree(charge)

    def test_r10_missing_activity_code(self):
        self.payer.requires_activity_code = True
        charge = self._visit()
        self.assertBlocked(charge, "missing_activity_code")
        self.visit_service.activity_code = "A-1"
        self.assertFree(charge)

    def test_r10_missing_diagnosis(self):
        charge = self._visit(diagnosis_ids=False)
        self.assertFalse(charge.diagnosis_ids)
        self.assertBlocked(charge, "missing_diagnosis")
        charge.appointment_id.diagnosis_ids = self.diagnosis
        self.assertEqual(charge.diagnosis_ids, self.diagnosis)
        self.assertFree(charge)

    def test_r10_only_insurers_ask_for_clinical_data(self):
        charge = self._visit(diagnosis_ids=False, employee_id=False)
        self.client.coverage_ids.active = False
        self.assertBlocked(charge, "missing_diagnosis", "missing_coverage", "missing_provider")
        self.payer.payer_type = "facility"
        self.assertFree(charge)

    def test_r10_missing_coverage(self):
        charge = self._visit()
        coverage = self.client.coverage_ids
        for vals in (
            {"date_to": A_DAY - timedelta(days=1)},
            {"date_to": False, "date_from": A_DAY + timedelta(days=1)},
            {"date_from": False, "active": False},
            {"active": True, "payer_id": self._payer("Other").id},
        ):
            with self.subTest(vals=vals):
                coverage.write(vals)
                self.assertEqual(self._codes(charge), {"missing_coverage"})
        self.assertBlocked(charge, "missing_coverage")
        coverage.write({"payer_id": self.payer.id, "date_from": A_DAY, "date_to": A_DAY})
        self.assertFree(charge)

    def test_r10_missing_provider(self):
        charge = self._visit(employee_id=False)
        self.assertBlocked(charge, "missing_provider")
        charge.appointment_id.employee_id = self.provider
        self.assertFree(charge)

    def test_r10_missing_npi(self):
        self.provider.npi = False
        charge = self._visit()
        # the visit that is always there has the same provider
        self.assertBlocked(charge, "missing_npi")
        self.assertFree(self._visit(self.self_payer))
        self.provider._write_provider_details({"npi": "1234567893"})
        self.assertFree(charge)

    # -- authorizations -------------------------------------------------------------------------

    def _authorization(self, **vals):
        return self.env["healthcare.authorization"].create(
            {
                "number": "AUTH-1",
                "client_id": self.client.id,
                "payer_id": self.payer.id,
                "date_from": A_DAY,
                "date_to": A_DAY,
                "units": 10.0,
            }
            | vals
        )

    def test_r10_missing_authorization(self):
        self.payer.requires_authorization = True
        charge = self._visit()
        self.assertBlocked(charge, "missing_authorization")
        charge.appointment_id.authorization_id = self._authorization()
        self.assertFree(charge)

    def test_r10_authorization_that_does_not_fit_is_none(self):
        self.payer.requires_authorization = True
        stranger = self._insured_client("Stranger")
        day = timedelta(days=1)
        for vals in (
            {"client_id": stranger.id},
            {"payer_id": self._payer("Other").id},
            {"date_from": A_DAY + day, "date_to": A_DAY + day},
            {"date_from": A_DAY - day, "date_to": A_DAY - day},
            {"product_ids": [Command.set(self.service.ids)]},
            {"active": False},
        ):
            with self.subTest(vals=vals):
                charge = self._visit(authorization_id=self._authorization(**vals).id)
                self.assertEqual(self._codes(charge), {"missing_authorization"})
        products = self.service + self.visit_service
        fits = self._authorization(product_ids=[Command.set(products.ids)])
        self.assertFree(self._visit(authorization_id=fits.id))

    def test_r10_authorization_used_up_in_order_of_service(self):
        authorization = self._authorization(units=2.0, date_to=A_DAY + timedelta(days=5))
        late, early, middle = (
            self._visit(day=A_DAY + timedelta(days=days), authorization_id=authorization.id)
            for days in (2, 0, 1)
        )
        self.assertFree(early)
        self.assertFree(middle)
        self.assertBlocked(late, "authorization_used_up")
        # what is invoiced came first, whatever its date
        middle.appointment_id.authorization_id = False
        self._execute(late)
        middle.appointment_id.authorization_id = authorization
        self.assertBlocked(middle, "authorization_used_up")
        self.assertEqual((authorization.units_used, authorization.units_left), (1.0, 1.0))
        authorization.units = 3.0
        self.assertFree(middle)

    def test_r10_authorization_of_exactly_enough_units(self):
        authorization = self._authorization(units=4.0)
        charge = self._visit(product_id=self.service.id, authorization_id=authorization.id)
        self.assertFree(charge)
        authorization.units = 3.99
        self.assertBlocked(charge, "authorization_used_up")

    def test_r7_missed_appointments_use_no_authorized_units(self):
        authorization = self._authorization(units=1.0)
        missed = self._visit(hour=6, state="no_show", authorization_id=authorization.id)
        charge = self._visit(authorization_id=authorization.id)
        self.assertFree(missed)
        self.assertFree(charge)
        self._execute(missed)
        authorization.invalidate_recordset()
        self.assertEqual(authorization.units_used, 0.0)

    # -- price lists, currency, ledger ----------------------------------------------------------

    def test_r10_archived_fee_schedule(self):
        schedule = self._fee_schedule({self.visit_service: 60.0})
        charge = self._visit()
        schedule.active = False
        self.assertBlocked(charge, "archived_fee_schedule")
        self.assertFree(self._visit(self.self_payer))
        schedule.active = True
        self.assertFree(charge)

    def test_currency_inactive(self):
        eur = self.setup_other_currency("EUR")
        schedule = self._fee_schedule({self.visit_service: 60.0}, currency_id=eur.id)
        charge = self._visit()
        schedule.unlink()
        eur.active = False
        self.assertBlocked(charge, "currency_inactive")
        eur.active = True
        self.assertFree(charge)

    def test_missing_income_account_without_sales_journal(self):
        charge = self._visit()
        journals = self.env["account.journal"].search(
            [("type", "=", "sale"), ("company_id", "=", self.company.id)]
        )
        journals.active = False
        self.assertIn("missing_income_account", self._codes(charge))
        self.assertSearchAgrees()
        journals.active = True
        self.assertFree(charge)

    def test_missing_income_account_of_the_service(self):
        """No account anywhere: neither service, category, company nor journal."""
        category = self.env["product.category"].create({"name": "Bare"})
        service = self._service(
            "Bare", "T1002", 10.0, categ_id=category.id, property_account_income_id=False
        )
        charge, other = self._visit(product_id=service.id), self._visit(hour=15)
        self.assertFree(charge)
        category.property_account_income_categ_id = False
        self.company.income_account_id = False
        journal = self._engine()._sale_journal(self.company)
        self.assertFree(charge)
        journal.default_account_id = False
        self.assertBlocked(charge, "missing_income_account")
        self.assertFree(other)
        for record, name in (
            (service, "property_account_income_id"),
            (category, "property_account_income_categ_id"),
            (self.company, "income_account_id"),
            (journal, "default_account_id"),
        ):
            with self.subTest(field=name):
                record[name] = self.company_data["default_account_revenue"]
                self.assertFree(charge)
                record[name] = False
                self.assertEqual(self._codes(charge), {"missing_income_account"})

    def test_r10_service_after_invoice(self):
        charge = self._visit()
        self.assertBlocked(charge, "service_after_invoice", invoice_date=A_DAY - timedelta(days=1))
        self.assertFree(charge, invoice_date=A_DAY)

    def test_r10_future_invoice_date(self):
        charge = self._visit()
        today = Date.context_today(self.env.user)
        self.assertBlocked(charge, "future_invoice_date", invoice_date=today + timedelta(days=1))
        self.assertFree(charge, invoice_date=today)

    def test_r10_locked_period(self):
        charge = self._visit()
        for lock in ("sale_lock_date", "fiscalyear_lock_date"):
            with self.subTest(lock=lock):
                self.company[lock] = date(2025, 3, 31)
                self.assertBlocked(charge, "locked_period", invoice_date=date(2025, 3, 31))
                self.assertFree(charge, invoice_date=date(2025, 4, 1))
                self.company[lock] = False
                self.assertFree(charge, invoice_date=date(2025, 3, 31))

    def test_r10_purchase_lock_is_not_ours(self):
        charge = self._visit()
        self.company.purchase_lock_date = date(2025, 3, 31)
        self.assertFree(charge, invoice_date=date(2025, 3, 31))

    # -- never an aborted run -------------------------------------------------------------------

    def test_r10_one_blocked_charge_stops_no_run(self):
        blocked = self._visit(parked=True)
        free = self._visit(hour=15)
        run = self._execute(blocked + free)
        self.assertEqual(run.created_count, 1)
        self.assertEqual(run.line_ids.charge_ids, free)
        self.assertEqual(run.exclusion_ids.mapped("charge_id"), blocked)
        self.assertEqual(run.exclusion_ids.reason_id.code, "parked")

    def test_reasons_of_client_level_charges(self):
        """Charges without an appointment have no state to be blocked by."""
        charge = self.env["healthcare.charge"].create(
            {
                "client_id": self.client.id,
                "billing_account_id": self.account.id,
                "kind": "finance_charge",
                "price_unit": 7.0,
                "service_date": A_DAY,
            }
        )
        self.assertFree(charge)
