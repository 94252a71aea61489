from datetime import date, timedelta

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.healthcare_billing.models.billing_plan import BillingPlan

from .common import A_DAY, CareCommon


@tagged("post_install", "-at_install")
class TestEnginePlan(CareCommon):
    """``plan``: who is invoiced for what, and what is left out, without a write."""

    def _by_partner(self, plan):
        return {invoice.partner_id: invoice for invoice in plan.invoices}

    # -- addressee and grouping ------------------------------------------------------------------
    def test_no_payer_bills_the_client_one_invoice_per_client(self):
        anna, ben = self._client("Anna"), self._client("Ben")
        charges = self._charge(anna) | self._charge(anna, hour=11) | self._charge(ben)
        plan = self._plan(charges)
        self.assertIsInstance(plan, BillingPlan)
        invoices = self._by_partner(plan)
        self.assertEqual(set(invoices), {anna.id, ben.id})
        self.assertEqual(invoices[anna.id].amounts, {"client": 160.0})
        self.assertEqual(len(invoices[anna.id].charge_ids), 2)
        self.assertFalse(plan.blocked)

    def test_billing_contact_gets_the_clients_invoice(self):
        guardian = self.env["res.partner"].create({"name": "Guardian"})
        child = self._client("Child", account={"guarantor_id": guardian.id})
        (invoice,) = self._plan(self._charge(child)).invoices
        self.assertEqual((invoice.partner_id, invoice.client_id), (guardian.id, child.id))

    def test_one_guarantor_of_two_clients_gets_two_invoices(self):
        guardian = self.env["res.partner"].create({"name": "Guardian"})
        account = {"guarantor_id": guardian.id}
        charges = self._charge(self._client("Kid 1", account=account))
        charges |= self._charge(self._client("Kid 2", account=account))
        self.assertEqual(len(self._plan(charges).invoices), 2)

    def test_payer_individual_one_invoice_per_payer_and_client(self):
        charges = self._charge(self._insured_client("A")) | self._charge(self._insured_client("B"))
        plan = self._plan(charges)
        self.assertEqual([i.partner_id for i in plan.invoices], [self.payer.id] * 2)
        self.assertEqual(len({i.client_id for i in plan.invoices}), 2)

    def test_payer_batched_one_invoice_for_all_clients(self):
        self.payer.invoicing_model = "payer_batched"
        charges = self._charge(self._insured_client("A")) | self._charge(self._insured_client("B"))
        (invoice,) = self._plan(charges).invoices
        self.assertEqual((invoice.partner_id, invoice.client_id), (self.payer.id, False))
        self.assertEqual(invoice.amount, 160.0)

    def test_payer_batched_is_left_out_of_the_batch_door(self):
        self.payer.invoicing_model = "payer_batched"
        charge = self._charge(self._insured_client())
        plan = self._plan(charge, door="batch")
        self.assertFalse(plan.invoices)
        self.assertEqual(plan.blocked[charge.id], ("wrong_door",))

    def test_client_individual_payer_bills_the_client(self):
        self.payer.invoicing_model = "client_individual"
        client = self._insured_client()
        (invoice,) = self._plan(self._charge(client)).invoices
        self.assertEqual(invoice.partner_id, client.id)

    def test_copay_makes_two_invoices_for_one_charge(self):
        client = self._insured_client(copay=20.0)
        charge = self._charge(client)
        invoices = self._by_partner(self._plan(charge))
        self.assertEqual(invoices[client.id].amounts, {"client": 20.0})
        self.assertEqual(invoices[self.payer.id].amounts, {"primary": 60.0})
        self.assertEqual(invoices[client.id].charge_ids, invoices[self.payer.id].charge_ids)

    def test_secondary_payer_gets_its_own_invoice(self):
        second = self._payer("Second Insurance")
        client = self._insured_client()
        coverage = self._coverage(client, second, sequence=20)
        client.billing_account_ids.coverage_ids |= coverage
        charge = self._charge(client)
        charge.amount_secondary = 30.0
        invoices = self._by_partner(self._plan(charge))
        self.assertEqual(invoices[second.id].amounts, {"secondary": 30.0})
        self.assertEqual(invoices[self.payer.id].amounts, {"primary": 50.0})

    def test_secondary_part_without_second_coverage_is_blocked(self):
        charge = self._charge(self._insured_client())
        charge.amount_secondary = 30.0
        self.assertEqual(self._codes(charge), {"missing_coverage"})

    def test_companies_currencies_terms_and_methods_split_always(self):
        client = self._client()
        account = client.billing_account_ids
        term = self.env.ref("account.account_payment_term_30days")
        other = account.copy({"payment_term_id": term.id})
        charges = self._charge(client, billing_account_id=account.id)
        charges |= self._charge(client, hour=11, billing_account_id=other.id)
        plan = self._plan(charges)
        self.assertEqual(len(plan.invoices), 2)
        self.assertEqual(
            {i.values["invoice_payment_term_id"] for i in plan.invoices},
            {term.id, self.env.ref("account.account_payment_term_immediate").id},
        )

    def test_split_by_staff_service_appointment_department(self):
        client = self._client()
        other = self._provider("Other")
        charges = self._charge(client)
        charges |= self._charge(client, hour=10)
        charges |= self._charge(client, hour=11, employee_id=other.id, product_id=self.service.id)
        count = lambda *split: len(self._plan(charges, split_by=split).invoices)
        self.assertEqual(count(), 1)
        self.assertEqual(count("staff"), 2)
        self.assertEqual(count("service"), 2)
        self.assertEqual(count("appointment"), 3)
        self.assertEqual(count("department"), 1)
        self.assertEqual(count("client", "staff"), 2)

    def test_split_by_client_splits_a_batched_payer(self):
        self.payer.invoicing_model = "payer_batched"
        charges = self._charge(self._insured_client("A")) | self._charge(self._insured_client("B"))
        self.assertEqual(len(self._plan(charges, split_by=("client",)).invoices), 2)

    def test_unknown_split_is_refused_with_the_known_ones(self):
        with self.assertRaisesRegex(UserError, "department"):
            self._plan(self._charge(self._client()), split_by=("weather",))

    def test_options_reach_the_invoice(self):
        term = self.env.ref("account.account_payment_term_30days")
        run = self._execute(
            self._charge(self._client()),
            narration="Thank you",
            reference="PO 7",
            payment_term_id=term.id,
            group_single_claim=True,
            extra_lines=[{"name": "Late fee", "price_unit": 5.0, "quantity": 2}],
        )
        move = run.line_ids.move_id
        self.assertRecordValues(
            move,
            [{
                "ref": "PO 7", "invoice_payment_term_id": term.id, "group_single_claim": True,
                "amount_total": 90.0, "invoice_date_due": move.invoice_date + timedelta(days=30),
            }],
        )  # fmt: skip
        self.assertIn("Thank you", move.narration)
        self.assertEqual(run.line_ids.amount, 90.0)

    def test_single_claim_follows_the_accounts_when_not_said(self):
        client = self._client(account={"group_single_claim": True})
        (invoice,) = self._plan(self._charge(client)).invoices
        self.assertTrue(invoice.values["group_single_claim"])
        (invoice,) = self._plan(self._charge(client, hour=12), group_single_claim=False).invoices
        self.assertFalse(invoice.values["group_single_claim"])

    def test_addressees_own_settings(self):
        client = self._client()
        position = self.env["account.fiscal.position"].create({"name": "Abroad"})
        term = self.env.ref("account.account_payment_term_15days")
        client.write(
            {"property_account_position_id": position.id, "property_payment_term_id": term.id}
        )
        (invoice,) = self._plan(self._charge(client)).invoices
        self.assertEqual(invoice.values["fiscal_position_id"], position.id)
        self.assertEqual(invoice.values["invoice_payment_term_id"], term.id)

    def test_zero_priced_charge_is_somebodys(self):
        free = self._service("Free", "H0031", 0.0)
        (invoice,) = self._plan(self._charge(self._client(), product_id=free.id)).invoices
        self.assertEqual((invoice.amount, invoice.move_type), (0.0, "out_invoice"))
        (invoice,) = self._plan(
            self._charge(self._insured_client("I"), product_id=free.id)
        ).invoices
        self.assertEqual(invoice.partner_id, self.payer.id)

    def test_negative_sum_is_a_credit_note(self):
        charge = self._charge(self._client())
        self._execute(charge)
        child = self.env["healthcare.charge"].create(
            {"parent_id": charge.id, "kind": "adjustment", "price_unit": -15.0}
        )
        (invoice,) = self._plan(charge | child).invoices
        self.assertEqual((invoice.amount, invoice.move_type), (-15.0, "out_refund"))

    # -- purity ----------------------------------------------------------------------------------
    def test_plan_writes_nothing(self):
        charges = self._charge(self._insured_client(copay=10.0)) | self._charge(self._client())
        self.env.flush_all()
        written = []
        execute = self.env.cr.execute

        def spy(query, *args, **kwargs):
            text = getattr(query, "code", None) or str(query)
            if text.lstrip().split(None, 1)[0].upper() in ("INSERT", "UPDATE", "DELETE"):
                written.append(text)
            return execute(query, *args, **kwargs)

        self.patch(self.env.cr, "execute", spy)
        plan = self._plan(charges)
        self.env.flush_all()
        self.assertEqual(len(plan.invoices), 3)
        self.assertEqual(written, [])

    def test_plan_is_immutable(self):
        (invoice,) = self._plan(self._charge(self._client())).invoices
        with self.assertRaises(AttributeError):
            invoice.amount = 1.0
        with self.assertRaises(TypeError):
            invoice.amounts["client"] = 1.0

    def test_plan_needs_read_access(self):
        charge = self._charge(self._client())
        stranger = self._user("no_group")
        with self.assertRaises(AccessError):
            charge.with_user(stranger).env["healthcare.billing.engine"].plan(
                charge.with_user(stranger)
            )

    def test_empty_plan(self):
        plan = self._plan(self.env["healthcare.charge"])
        self.assertEqual((plan.invoices, dict(plan.blocked)), ((), {}))
        run = self._execute(self.env["healthcare.charge"])
        self.assertRecordValues(run, [{"state": "done", "created_count": 0, "amount_total": 0.0}])

    def test_queries_dont_grow_with_the_charges(self):
        def charges_of(number):
            clients = [self._insured_client(f"Q{number}-{i}", copay=5.0) for i in range(number)]
            charges = self.env["healthcare.charge"]
            for client in clients:
                charges |= self._charge(client) | self._charge(client, hour=12)
            self.env.flush_all()
            return charges.browse(charges.ids)

        few, many = charges_of(5), charges_of(20)
        self.env.invalidate_all()
        self._plan(few)  # what is cached per request is not counted
        counts = []
        for charges in (few, many):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._plan(charges)
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[0], counts[1])

    # -- saved -----------------------------------------------------------------------------------
    def test_save_keeps_the_preview(self):
        insured = self._insured_client(copay=20.0)
        charges = self._charge(insured)
        parked = self._charge(self._client(), parked=True)
        run = self._plan(charges | parked).save()
        self.assertEqual(run.state, "draft")
        self.assertEqual(run.line_count, 2)
        self.assertRecordValues(
            run,
            [{
                "selected_count": 2, "selected_charge_count": 1, "amount_selected": 80.0,
                "amount_total": 80.0, "excluded_count": 1, "invoice_date": self.today,
            }],
        )  # fmt: skip
        self.assertEqual(run.exclusion_ids.reason_id.mapped("code"), ["parked"])
        run.line_ids[0].selected = False
        self.assertEqual(run.amount_total, 80.0)
        self.assertEqual(run.amount_selected, run.line_ids[1].amount)
        self.assertFalse(charges.is_live)

    def test_r30_totals_are_of_the_whole_run_in_company_currency(self):
        """R30: not of a page, and never a sum of different currencies."""
        other = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        schedule = self._fee_schedule({self.visit_service: 100.0}, currency_id=other.id)
        self.assertEqual(schedule.currency_id, other)
        charges = self._charge(self._insured_client()) | self._charge(self._client())
        run = self._plan(charges).save()
        self.assertEqual(run.amount_total, 50.0 + 80.0)
        self.assertEqual(set(run.line_ids.mapped("amount")), {100.0, 80.0})

    def test_locked_period_and_future_dates_block(self):
        charge = self._charge(self._client())
        tomorrow = self.today + timedelta(days=1)
        self.assertEqual(self._codes(charge, invoice_date=tomorrow), {"future_invoice_date"})
        self.assertEqual(
            self._codes(charge, invoice_date=A_DAY - timedelta(days=1)), {"service_after_invoice"}
        )
        self.company.sale_lock_date = date(2025, 12, 31)
        self.assertEqual(self._codes(charge, invoice_date=date(2025, 12, 31)), {"locked_period"})
        self.assertEqual(self._codes(charge, invoice_date=date(2026, 1, 1)), set())

    def test_other_companys_journal_is_used_for_its_charges(self):
        company_2 = self.setup_other_company()["company"]
        env = self.env(
            context={**self.env.context, "allowed_company_ids": (self.company | company_2).ids}
        )
        client = self._client()
        env["healthcare.billing.account"].create(
            {"client_id": client.id, "company_id": company_2.id}
        )
        service = env["product.product"].with_company(company_2).create(
            {"name": "S2", "is_healthcare_service": True, "default_code": "T1002",
             "list_price": 10.0, "taxes_id": [Command.clear()]}
        )  # fmt: skip
        theirs = env["healthcare.appointment"].create(
            {"client_id": client.id, "company_id": company_2.id, "product_id": service.id,
             "start": self._local(A_DAY), "state": "completed"}
        ).charge_ids  # fmt: skip
        ours = self._charge(client).with_env(env)
        engine = env["healthcare.billing.engine"]
        run = engine.execute(engine.plan(ours | theirs))
        self.assertEqual(
            run.line_ids.mapped("state"), ["created"] * 2, run.line_ids.mapped("message")
        )
        self.assertEqual(run.line_ids.move_id.company_id, self.company | company_2)
        for move in run.line_ids.move_id:
            self.assertEqual(move.journal_id.company_id, move.company_id)
        self.assertEqual(run.amount_total, sum(run.line_ids.mapped("amount_company")))
        with self.assertRaisesRegex(UserError, company_2.name):
            self._engine().execute(run.with_context(allowed_company_ids=self.company.ids))
