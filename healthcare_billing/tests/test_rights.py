import re
from pathlib import Path

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import A_DAY, USER_GROUPS, CareCommon

RIGHTS = Path(__file__).parents[2] / "docs" / "rights.md"
OPERATIONS = {"r": "read", "w": "write", "c": "create", "d": "unlink"}
NATIVE_MODELS = (
    "res.partner",
    "account.move",
    "account.move.line",
    "account.payment",
    "payment.transaction",
)


def read_tables():
    """The tables of docs/rights.md.

    :return: ``{heading of the first column: {first cell: {kind of user: cell}}}``
    """
    tables, head = {}, None
    for line in RIGHTS.read_text().splitlines():
        if not line.startswith("|"):
            head = None
            continue
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        if head is None:
            head = cells
            rows = tables[head[0]] = {}
        elif not set(cells[0]) <= set("-: "):
            assert cells[0] not in rows, f"{cells[0]} is twice in {RIGHTS}"
            kinds = [name.replace(" ", "_") for name in head[1:]]
            rows[cells[0]] = dict(zip(kinds, cells[1:], strict=True))
    return tables


@tagged("post_install", "-at_install")
class TestRights(CareCommon):
    """docs/rights.md is true, and complete."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tables = read_tables()
        cls.users = cls._users()
        cls.client = cls._insured_client()
        employee = cls.users["care_staff"].employee_id
        cls.own = cls._appointment(cls.client, employee_id=employee.id)
        cls.foreign = cls._appointment(cls.client, hour=14)

    # -- the tables -----------------------------------------------------------------------------

    def test_every_model_of_ours_is_in_the_table(self):
        ours = {
            name
            for name, model in self.env.registry.items()
            if name.startswith("healthcare.") and not model._abstract
        }
        self.assertEqual(set(self.tables["model"]), ours)
        for name, row in self.tables["model"].items():
            self.assertEqual(set(row), set(USER_GROUPS), name)

    def test_every_field_of_ours_on_native_models_is_in_the_table(self):
        ours = {
            f"{model}.{name}"
            for model in NATIVE_MODELS
            for name, field in self.env[model]._fields.items()
            if field._module == "healthcare_billing"
        }
        self.assertEqual(set(self.tables["field"]), ours)
        for name, row in self.tables["field"].items():
            self.assertEqual(set(row), set(USER_GROUPS), name)

    def test_records(self):
        for name, row in self.tables["model"].items():
            for kind, cell in row.items():
                letters = cell.split()[0].strip("-")
                self.assertLessEqual(set(letters), set(OPERATIONS), cell)
                model = self._act_as(self.users[kind])[name]
                for letter, operation in OPERATIONS.items():
                    with self.subTest(model=name, user=kind, operation=operation):
                        allowed = letter in letters
                        self.assertEqual(model.has_access(operation), allowed)
                        if not allowed:
                            with self.assertRaises(AccessError):
                                model.check_access(operation)

    def test_own_records(self):
        own_superbill, foreign_superbill = self._superbills()
        records = {
            "healthcare.appointment": (self.own, self.foreign),
            "healthcare.charge": (self.own.charge_ids, self.foreign.charge_ids),
            "healthcare.superbill": (own_superbill, foreign_superbill),
            "healthcare.appointment.series": (
                self._series_of(self.own),
                self._series_of(self.foreign),
            ),
        }
        limited = {
            (name, kind)
            for name, row in self.tables["model"].items()
            for kind, cell in row.items()
            if cell.endswith(" own")
        }
        self.assertEqual({name for name, _kind in limited}, set(records))
        for name, (own, foreign) in records.items():
            for kind, cell in self.tables["model"][name].items():
                env = self._act_as(self.users[kind])
                for letter in cell.split()[0].strip("-"):
                    operation = OPERATIONS[letter]
                    with self.subTest(model=name, user=kind, operation=operation):
                        self.assertTrue(own.with_env(env).has_access(operation))
                        self.assertEqual(
                            foreign.with_env(env).has_access(operation),
                            (name, kind) not in limited,
                        )
                if "r" in cell:
                    found = env[name].search([("id", "in", (own + foreign).ids)])
                    self.assertEqual(
                        found.ids,
                        own.ids
                        if (name, kind) in limited
                        else sorted((own + foreign).ids, key=found.ids.index),
                    )

    def _superbills(self):
        """One of the portal user's own, and one of somebody else."""
        self.company.vat = "12-3456789"
        me = self.users["portal"].partner_id
        me.write({"is_healthcare_client": True, "birth_date": "1990-01-01"})
        me.billing_account_ids.diagnosis_ids = self.diagnosis
        self.client.birth_date = "1990-01-01"
        charges = self._charge(me) + self._charge(self.client)
        drafts = charges._superbill_drafts()
        return self.env["healthcare.superbill"]._issue(
            sorted(drafts, key=lambda draft: draft.values["client_id"] != me.id)
        )

    def _series_of(self, appointment):
        series = self.env["healthcare.appointment.series"]
        template = series._template_of(appointment)
        return series.create(template | {"date_start": A_DAY})

    def test_fields(self):
        move = self._execute(self.own, post=True).line_ids.move_id
        payment = self.env["account.payment"].create(
            {"partner_id": self.client.id, "amount": 5.0, "partner_type": "customer"}
        )
        records = {
            "account.payment": payment,
            "payment.transaction": self._transaction(),
            "res.partner": self.client,
            "account.move": move,
            "account.move.line": move.invoice_line_ids[-1],
        }
        for name, row in self.tables["field"].items():
            model, field = name.rsplit(".", 1)
            for kind, cell in row.items():
                self.assertIn(cell, ("r", "-"), name)
                record = records[model].with_env(self._act_as(self.users[kind]))
                with self.subTest(field=name, user=kind):
                    if cell == "r":
                        record.read([field])
                        self.assertIn(field, record.fields_get([field]))
                    else:
                        with self.assertRaises(AccessError):
                            record.read([field])

    def _transaction(self):
        """An online payment."""
        # sudo: payments come from the public
        method = self.env.ref("payment.payment_method_unknown").sudo()
        provider = (
            self.env["payment.provider"]
            .sudo()
            .create(
                {
                    "name": "Test",
                    "company_id": self.company.id,
                    "payment_method_ids": [Command.set(method.ids)],
                }
            )
        )
        return (
            self.env["payment.transaction"]
            .sudo()
            .create(
                {
                    "provider_id": provider.id,
                    "payment_method_id": method.id,
                    "reference": "R-1",
                    "amount": 5.0,
                    "currency_id": self.company.currency_id.id,
                    "partner_id": self.client.id,
                }
            )
            .sudo(False)
        )

    # -- every field of a form ------------------------------------------------------------------

    def test_care_users_read_every_field_that_their_forms_may_show(self):
        """A computed field that looks where its user may not would break the whole form."""
        self.own.write({"parked": True, "authorization_id": False})
        for kind in ("care_staff", "coordinator", "billing_user", "billing_manager"):
            env = self._act_as(self.users[kind])
            for record in (
                self.own,
                self.own.charge_ids,
                self.client.billing_account_ids,
                self.client.coverage_ids,
            ):
                record = record.with_env(env)
                self.env.invalidate_all()
                names = list(record.fields_get())
                for name in names:
                    with self.subTest(user=kind, model=record._name, field=name):
                        record.read([name])
            reasons = self.own.with_env(env).block_reason_ids
            self.assertEqual(reasons.mapped("code"), ["parked"], kind)

    def test_accountant_reads_every_field_of_runs_and_invoices_of_care(self):
        run = self._execute(self.own + self._appointment(self.client, parked=True))
        env = self._act_as(self.users["accountant"])
        for record in (run, run.line_ids, run.exclusion_ids, run.line_ids.move_id):
            record = record.with_env(env)
            self.env.invalidate_all()
            for name, field in record._fields.items():
                if field._module == "healthcare_billing" and record._has_field_access(
                    field, "read"
                ):
                    with self.subTest(model=record._name, field=name):
                        record.read([name])

    # -- what the tables can't show -------------------------------------------------------------

    def test_care_staff_complete_own_care_and_it_is_priced(self):
        self._fee_schedule({self.visit_service: 65.0})
        env = self._act_as(self.users["care_staff"])
        appointment = env["healthcare.appointment"].create(
            {
                "client_id": self.client.id,
                "employee_id": self.users["care_staff"].employee_id.id,
                "product_id": self.visit_service.id,
                "start": self._local(A_DAY),
            }
        )
        appointment.action_complete()
        appointment.action_sign_note()
        charge = appointment.charge_ids
        self.assertEqual((charge.price_unit, charge.billing_stage), (65.0, "billing_office"))
        appointment.product_id = self.service
        self.assertEqual((charge.product_id, charge.quantity), (self.service, 4.0))
        self.assertEqual(appointment.amount_total, 120.0)

    def test_care_staff_decide_nothing_about_billing(self):
        own = self.own.with_env(self._act_as(self.users["care_staff"]))
        for vals in (
            {"approval_state": "approved"},
            {"approved_qty": 9.0},
            {"bill_override_qty": 9.0},
            {"bill_override_qty": 0.0},
            {"pay_override_qty": 9.0},
            {"billable": False},
            {"parked": True},
            {"qa_state": "done"},
        ):
            with self.subTest(vals=vals):
                with self.assertRaises(AccessError):
                    own.write(vals)
                with self.assertRaises(AccessError):
                    own.create(
                        {"client_id": self.client.id, "employee_id": own.employee_id.id} | vals
                    )
                self.foreign.with_env(self._act_as(self.users["coordinator"])).write(vals)
        with self.assertRaises(AccessError):
            own.action_approve()
        # what a form sends of fields that nobody touched
        own.write({"approval_state": "not_approved", "billable": True, "parked": False})
        own.create(
            {
                "client_id": self.client.id,
                "employee_id": own.employee_id.id,
                "approval_state": "not_approved",
                "bill_override_qty": 0.0,
                "has_bill_override": False,
                "billable": True,
                "qa_state": "none",
            }
        )

    def test_care_staff_hand_in_for_review_again(self):
        self.company.healthcare_qa_review = True
        own = self.own.with_env(self._act_as(self.users["care_staff"]))
        self.own.qa_state = "corrections"
        own.qa_state = "review"
        self.assertEqual(self.own.qa_state, "review")
        with self.assertRaises(AccessError):
            own.qa_state = "none"

    def test_care_staff_take_no_foreign_appointments(self):
        env = self._act_as(self.users["care_staff"])
        with self.assertRaises(AccessError):
            self.foreign.with_env(env).write({"note_state": "signed"})
        with self.assertRaises(AccessError):
            env["healthcare.appointment"].create(
                {"client_id": self.client.id, "employee_id": self.provider.id}
            )

    def test_care_staff_and_coordinators_bill_nothing(self):
        for kind in ("care_staff", "coordinator"):
            env = self._act_as(self.users[kind])
            engine = env["healthcare.billing.engine"]
            with self.subTest(user=kind), self.assertRaises(AccessError):
                engine.execute(engine.plan(self.own.charge_ids.with_env(env)))

    def test_users_without_care_groups_plan_nothing(self):
        for kind in ("no_group", "accountant", "portal"):
            env = self._act_as(self.users[kind])
            charges = env["healthcare.charge"].browse(self.own.charge_ids.ids)
            with self.subTest(user=kind), self.assertRaises(AccessError):
                env["healthcare.billing.engine"].plan(charges)

    def test_billing_user_bills_posts_and_undoes_drafts(self):
        env = self._act_as(self.users["billing_user"])
        engine = env["healthcare.billing.engine"]
        run = engine.execute(engine.plan(self.own.charge_ids.with_env(env)))
        self.assertEqual(run.created_count, 1)
        run.action_undo()
        posted = engine.execute(engine.plan(self.own.charge_ids.with_env(env)), post=True)
        self.assertEqual(posted.move_ids.state, "posted")
        with self.assertRaisesRegex(UserError, "billing manager"):
            posted.action_undo()
        posted.with_env(self._act_as(self.users["billing_manager"])).action_undo()
        self.assertEqual(self.own.billing_stage, "billing_office")

    def test_billing_user_changes_no_prices_of_services(self):
        service = self.service.with_env(self._act_as(self.users["billing_user"]))
        with self.assertRaises(AccessError):
            service.list_price = 1.0
        service.with_env(self._act_as(self.users["billing_manager"])).list_price = 1.0

    def test_accountant_credits_an_invoice_of_care(self):
        """Whoever keeps the books needs no care group, and the charge is free again."""
        move = self._execute(self.own, post=True).line_ids.move_id
        env = self._act_as(self.users["accountant"])
        wizard = (
            env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({"journal_id": move.journal_id.id})
        )
        wizard.reverse_moves()
        credit = env["account.move"].search([("reversed_entry_id", "=", move.id)])
        credit.action_post()
        self.env.invalidate_all()
        self.assertEqual(self.own.billing_stage, "billing_office")
        self.assertFalse(self._codes(self.own))

    # -- companies ------------------------------------------------------------------------------

    def _other_company(self):
        """Another company with a client, an appointment, and a run."""
        company = self.setup_other_company()["company"]
        company.healthcare_tz = "America/New_York"
        env = self.env(context={**self.env.context, "allowed_company_ids": company.ids})
        client = env["res.partner"].create({"name": "Elsewhere", "is_healthcare_client": True})
        coverage = env["healthcare.coverage"].create(
            {"client_id": client.id, "payer_id": self.payer.id}
        )
        client.billing_account_ids.rate_ids = [
            Command.create({"product_id": self.visit_service.id, "fee": 70.0})
        ]
        appointments = env["healthcare.appointment"].create(
            [
                {
                    "client_id": client.id,
                    "product_id": self.visit_service.id,
                    "start": self._local(A_DAY),
                    "state": "completed",
                    "parked": parked,
                }
                for parked in (False, True)
            ]
        )
        authorization = env["healthcare.authorization"].create(
            {
                "number": "A",
                "client_id": client.id,
                "payer_id": self.payer.id,
                "date_to": "2030-01-01",
                "units": 1.0,
            }
        )
        engine = env["healthcare.billing.engine"]
        run = engine.execute(engine.plan(appointments.charge_ids))
        self.assertEqual(run.company_id, company)
        return company, (
            appointments,
            appointments.charge_ids,
            client.billing_account_ids,
            client.billing_account_ids.rate_ids,
            coverage,
            authorization,
            run,
            run.line_ids,
            run.exclusion_ids,
        )

    def test_other_companys_care_is_invisible(self):
        company, records = self._other_company()
        for user in (self.users["billing_manager"], self.env.user):
            env = self.env(user=user, context={"allowed_company_ids": self.company.ids})
            both = self.env(
                user=user, context={"allowed_company_ids": (self.company + company).ids}
            )
            for theirs in records:
                with self.subTest(user=user.login, model=theirs._name):
                    self.assertTrue(theirs)
                    self.assertFalse(env[theirs._name].search([("id", "in", theirs.ids)]))
                    with self.assertRaises(AccessError):
                        theirs.with_env(env).check_access("read")
                    if user == self.env.user:  # who may be in both companies
                        found = both[theirs._name].search([("id", "in", theirs.ids)])
                        self.assertEqual(set(found.ids), set(theirs.ids))

    def test_other_companys_charges_are_not_planned(self):
        _company, (_appointments, charges, *_rest) = self._other_company()
        env = self._act_as(self.users["billing_manager"])
        with self.assertRaises(AccessError):
            env["healthcare.billing.engine"].plan(charges.with_env(env))

    def test_every_model_with_a_company_has_a_company_rule(self):
        for name in self.tables["model"]:
            model = self.env[name]
            if "company_id" not in model._fields or model._transient:
                continue
            rules = (
                self.env["ir.rule"]
                .sudo()
                .search([("model_id.model", "=", name), ("groups", "=", False)])
            )
            self.assertTrue(
                any(re.search(r"company_id.*company_ids", r.domain_force or "") for r in rules),
                name,
            )

    def test_records_of_two_companies_never_mix(self):
        company, (_a, _charges, accounts, _r, coverage, authorization, *_rest) = (
            self._other_company()
        )
        theirs = self.env["res.partner"].create(
            {"name": "Theirs", "company_id": company.id, "is_payer": True}
        )
        employee = self.env["hr.employee"].create({"name": "Theirs", "company_id": company.id})
        client = accounts.client_id
        client.with_context(allowed_company_ids=self.company.ids)._create_missing_billing_accounts()
        mine = self._appointment(client)
        self.assertEqual(mine.company_id, self.company)
        account = mine.billing_account_id
        self.assertEqual(account.company_id, self.company)
        for record, vals in (
            (mine, {"billing_account_id": accounts.id}),
            (mine, {"employee_id": employee.id}),
            (mine, {"payer_id": theirs.id}),
            (mine, {"authorization_id": authorization.id}),
            (account, {"payer_id": theirs.id}),
            (account, {"coverage_ids": [Command.link(coverage.id)]}),
            (account, {"guarantor_id": theirs.id}),
            (mine.charge_ids, {"employee_id": employee.id}),
        ):
            with self.subTest(model=record._name, vals=vals), self.assertRaises(UserError):
                record.write(vals)

    def test_appointment_takes_the_account_of_its_company(self):
        company, (_a, _charges, accounts, *_rest) = self._other_company()
        appointment = self._appointment(accounts.client_id)
        self.assertFalse(appointment.billing_account_id)
        self.assertEqual(self._codes(appointment), {"missing_account"})
        there = self._appointment(accounts.client_id, company_id=company.id, employee_id=False)
        self.assertEqual(there.billing_account_id, accounts)
