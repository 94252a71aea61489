from datetime import date, datetime, timedelta

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

NPI = "1234567893"  # the example of the NPI standard
OTHER_NPI = "2345678900"
CODE_SETS = (
    "healthcare.adjustment.reason",
    "healthcare.cancel.reason",
    "healthcare.diagnosis",
    "healthcare.modifier",
    "healthcare.place.of.service",
)
# Shown on the form of a product, which any internal user may open.
ON_SERVICES = ("healthcare.modifier", "healthcare.place.of.service")
BLOCK_CODES = {
    "after_cut_off",
    "agreed_basis",
    "client_archived",
    "draft_bill",
    "mass_excluded",
    "no_instalment_due",
    "vendor_bill_changed",
    "archived",
    "included_tax",
    "already_invoiced",
    "planned",
    "not_billable",
    "parked",
    "vacant",
    "unscheduled",
    "rejected",
    "not_approved",
    "in_qa",
    "missing_account",
    "account_on_hold",
    "account_closed",
    "wrong_door",
    "not_started",
    "unsigned_note",
    "missing_service",
    "missing_code",
    "missing_bill_code",
    "missing_price",
    "missing_activity_code",
    "missing_diagnosis",
    "missing_coverage",
    "missing_provider",
    "missing_npi",
    "missing_license",
    "missing_authorization",
    "authorization_used_up",
    "archived_fee_schedule",
    "currency_inactive",
    "missing_income_account",
    "service_after_invoice",
    "future_invoice_date",
    "locked_period",
}


def group(name):
    return f"healthcare_billing.group_{name}"


@tagged("post_install", "-at_install")
class TestCodeSets(TransactionCase):
    """The lists that users edit, and who may."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            name: new_test_user(cls.env, f"masters_{name}", groups=group(name))
            for name in ("care_staff", "coordinator", "billing_user", "billing_manager")
        } | {
            "accountant": new_test_user(
                cls.env, "masters_accountant", groups="account.group_account_readonly"
            ),
            "invoicing": new_test_user(
                cls.env, "masters_invoicing", groups="account.group_account_invoice"
            ),
            "internal": new_test_user(cls.env, "masters_internal", groups="base.group_user"),
        }

    def test_rights_table(self):
        read, write, everything = {"read"}, {"read", "write", "create"}, {"read", "write", "create"}
        everything = everything | {"unlink"}
        rights = {
            "care_staff": read,
            "coordinator": read,
            "billing_user": write,
            "billing_manager": everything,
            "accountant": read,
            "invoicing": read,
            "internal": set(),
        }
        for model in CODE_SETS:
            for name, allowed in rights.items():
                if name == "internal" and model in ON_SERVICES:
                    allowed = read
                records = self.env[model].with_user(self.users[name])
                for operation in ("read", "write", "create", "unlink"):
                    with self.subTest(model=model, user=name, operation=operation):
                        self.assertEqual(records.has_access(operation), operation in allowed)
        for name, user in self.users.items():
            reasons = self.env["healthcare.block.reason"].with_user(user)
            self.assertEqual(reasons.has_access("read"), name != "internal")
            for operation in ("write", "create", "unlink"):
                self.assertFalse(reasons.has_access(operation))

    def test_code_sets_come_filled(self):
        for model in CODE_SETS:
            with self.subTest(model=model):
                self.assertGreater(self.env[model].search_count([]), 9)

    def test_menus_open_for_billers(self):
        for name in (
            "healthcare_adjustment_reason_action",
            "healthcare_block_reason_action",
            "healthcare_cancel_reason_action",
            "healthcare_diagnosis_action",
            "healthcare_modifier_action",
            "healthcare_place_of_service_action",
            "healthcare_provider_action",
            "healthcare_service_action",
        ):
            with self.subTest(action=name):
                action = self.env.ref(f"healthcare_billing.{name}")
                records = self.env[action.res_model].with_user(self.users["billing_user"])
                views = records.get_views(action.views + [(action.search_view_id.id, "search")])
                self.assertEqual(set(views["views"]), {"list", "form", "search"})
                specification = {node: {} for node in views["models"][action.res_model]["fields"]}
                found = records.web_search_read([], specification, limit=1)["records"]
                self.assertTrue(found or action.res_model == "product.template")

    def test_found_by_code_and_name(self):
        home = self.env["healthcare.place.of.service"].search([("code", "=", "12")])
        self.assertEqual(home.display_name, "12 – Home")
        self.assertIn(home.id, dict(home.name_search("12")))
        self.assertIn(home.id, dict(home.name_search("Home")))

    @mute_logger("odoo.sql_db")
    def test_codes_are_unique_archived_ones_included(self):
        for model in CODE_SETS:
            record = self.env[model].search([], limit=1)
            record.active = False
            with self.subTest(model=model), self.assertRaises(IntegrityError), self.cr.savepoint():
                record.create({"code": record.code, "name": "Again"})
            copy = record.copy()
            self.assertNotEqual(copy.code, record.code)

    @mute_logger("odoo.sql_db")
    def test_diagnosis_period(self):
        with self.assertRaises(IntegrityError), self.cr.savepoint():
            self.env["healthcare.diagnosis"].create(
                {
                    "code": "Z-TEST",
                    "name": "Backwards",
                    "valid_from": "2026-02-01",
                    "valid_to": "2026-01-01",
                }
            )

    def test_modifiers_that_change_the_price_come_first(self):
        modifiers = self.env["healthcare.modifier"].search([("code", "in", ("GT", "HO", "KX"))])
        self.assertEqual(modifiers.mapped("code"), ["HO", "GT", "KX"])

    def test_cancel_reasons_cover_each_state_and_bill_and_pay_are_independent(self):
        reasons = self.env["healthcare.cancel.reason"].search([])
        states = {"late_canceled", "no_show", "rescheduled", "canceled"}
        self.assertEqual(set(reasons.mapped("state")), states)
        self.assertTrue(reasons.filtered(lambda r: r.pay and not r.bill))

    def test_adjustment_reasons_cover_each_kind_and_book_by_company(self):
        reasons = self.env["healthcare.adjustment.reason"].search([])
        kinds = dict(reasons._fields["kind"]._description_selection(self.env))
        self.assertEqual(set(reasons.mapped("kind")), set(kinds))
        self.assertTrue(reasons._fields["account_id"].company_dependent)
        own = reasons.filtered(lambda r: r.kind not in ("contractual", "sequestration", "denial"))
        self.assertFalse(any(own.mapped("carc_group")))
        self.assertTrue(all((reasons - own).mapped("carc_group")))

    def test_r10_each_block_reason_tells_why_and_what_mends_it(self):
        reasons = self.env["healthcare.block.reason"].search([])
        self.assertEqual(set(reasons.mapped("code")), BLOCK_CODES)
        for reason in reasons:
            with self.subTest(code=reason.code):
                self.assertTrue(reason.description.endswith("."))
                self.assertTrue(reason.remedy.endswith("."))
                self.assertEqual(reason.display_name, reason.name)

    def test_r1_pricelists_are_on_for_every_internal_user(self):
        self.assertTrue(self.users["internal"].has_group("product.group_product_pricelist"))

    def test_group_ladder(self):
        ladder = ["care_staff", "coordinator", "billing_user", "billing_manager"]
        for step, name in enumerate(ladder):
            user = self.users[name]
            for other_step, other in enumerate(ladder):
                self.assertEqual(user.has_group(group(other)), other_step <= step)
            self.assertEqual(user.has_group("account.group_account_invoice"), step >= 2)
            self.assertFalse(user.has_group(group("closed_visit_adjustments")))


@tagged("post_install", "-at_install")
class TestCareProviders(TransactionCase):
    """Billers without HR rights find, read and maintain what claims say about staff."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.env["res.company"].create({"name": "Other practice"})
        cls.employee = cls.env["hr.employee"].create(
            {
                "name": "Ada Therapist",
                "npi": NPI,
                "taxonomy_code": "1041C0700X",
                "is_rendering_provider": True,
                "credentials": "LCSW",
            }
        )
        cls.colleague = cls.env["hr.employee"].create({"name": "Ben Aide"})
        cls.stranger = cls.env["hr.employee"].create(
            {"name": "Cy Elsewhere", "company_id": cls.other_company.id}
        )
        cls.biller = new_test_user(cls.env, "masters_biller", groups=group("billing_user"))
        cls.coordinator = new_test_user(cls.env, "masters_coord", groups=group("coordinator"))
        # private: everything below reads through the public profile
        cls.env.flush_all()
        cls.env.invalidate_all()

    def as_biller(self, employee):
        return employee.with_user(self.biller)

    def test_biller_has_no_hr_rights(self):
        self.assertFalse(self.biller.has_group("hr.group_hr_user"))
        self.assertFalse(self.as_biller(self.employee).has_access("write"))

    def test_biller_searches_employees_by_provider_fields(self):
        employees = self.env["hr.employee"].with_user(self.biller)
        for domain in (
            [("npi", "=", NPI)],
            [("taxonomy_code", "=", "1041C0700X")],
            [("credentials", "ilike", "lcsw")],
            [("is_rendering_provider", "=", True), ("name", "=", "Ada Therapist")],
        ):
            with self.subTest(domain=domain):
                self.assertEqual(employees.search(domain), self.employee)

    def test_biller_reads_provider_fields(self):
        [values] = self.as_biller(self.employee).read(
            ["npi", "taxonomy_code", "is_rendering_provider", "credentials"]
        )
        self.assertEqual(values["npi"], NPI)
        self.assertEqual(values["credentials"], "LCSW")
        self.assertTrue(values["is_rendering_provider"])

    def test_public_profile_view_keeps_its_columns_when_created_again(self):
        self.env["hr.employee.public"].init()
        found = self.env["hr.employee.public"].with_user(self.biller).search([("npi", "=", NPI)])
        self.assertEqual(found.id, self.employee.id)

    def test_biller_maintains_npi(self):
        self.as_biller(self.colleague)._write_provider_details(
            {"npi": OTHER_NPI, "is_rendering_provider": True}
        )
        self.assertEqual(self.colleague.npi, OTHER_NPI)
        with self.assertRaises(AccessError):
            self.as_biller(self.colleague).write({"npi": NPI})

    def test_biller_writes_nothing_else(self):
        with self.assertRaisesRegex(AccessError, "work_phone"):
            self.as_biller(self.colleague)._write_provider_details({"work_phone": "1"})

    def test_others_do_not_maintain_npi(self):
        with self.assertRaises(AccessError):
            self.colleague.with_user(self.coordinator)._write_provider_details({"npi": OTHER_NPI})

    def test_biller_leaves_other_companies_alone(self):
        with self.assertRaises(AccessError):
            self.as_biller(self.stranger)._write_provider_details({"npi": OTHER_NPI})
        self.assertFalse(self.stranger.npi)

    def test_wizard_shows_and_saves(self):
        wizard = Form(
            self.env["healthcare.provider.details"]
            .with_user(self.biller)
            .with_context(default_employee_id=self.employee.id)
        )
        self.assertEqual(wizard.npi, NPI)
        self.assertEqual(wizard.credentials, "LCSW")
        wizard.taxonomy_code = " 251e00000x "
        wizard.save().action_save()
        self.assertEqual(self.employee.taxonomy_code, "251E00000X")
        self.assertEqual(self.employee.npi, NPI)

    def test_wizard_warns_of_a_duplicate_and_refuses_it(self):
        context = {"default_employee_id": self.colleague.id}
        wizards = self.env["healthcare.provider.details"].with_user(self.biller)
        wizard = wizards.with_context(**context).create({"npi": NPI})
        self.assertIn("Ada Therapist", wizard._onchange_provider_codes()["warning"]["message"])
        with self.assertRaisesRegex(ValidationError, "Ada Therapist already has the NPI"):
            wizard.action_save()

    def test_wizard_opens_on_no_one_of_another_company(self):
        wizards = self.env["healthcare.provider.details"].with_user(self.biller)
        with self.assertRaises(AccessError):
            wizards.with_context(default_employee_id=self.stranger.id).default_get(
                ["employee_id", "npi"]
            )

    def test_profile_button_is_for_billers(self):
        profile = self.env["hr.employee.public"]
        view = self.env.ref("hr.hr_employee_public_view_form")
        button = "Edit provider details"
        for user, shown in ((self.biller, True), (self.coordinator, False)):
            arch = profile.with_user(user).get_view(view.id, "form")["arch"]
            self.assertEqual(button in arch, shown)
            self.assertIn("taxonomy_code", arch)

    def test_npi_is_checked(self):
        for wrong in ("1234567890", "123456789", "ABCDEFGHIJ", NPI + "0"):
            with self.subTest(npi=wrong), self.assertRaisesRegex(ValidationError, "check digit"):
                self.colleague.npi = wrong

    def test_taxonomy_code_is_checked(self):
        with self.assertRaisesRegex(ValidationError, "taxonomy"):
            self.colleague.taxonomy_code = "THERAPIST"

    def test_npi_of_one_person_employed_twice_is_a_warning_only(self):
        self.stranger.npi = NPI
        message = self.as_biller(self.employee)._npi_warning(NPI)["warning"]["message"]
        self.assertNotIn("Cy Elsewhere", message)
        self.assertIn("another company", message)

    def test_npi_of_someone_hired_again(self):
        self.employee.active = False
        self.colleague.npi = NPI
        with self.assertRaisesRegex(ValidationError, "already has the NPI"):
            self.employee.active = True

    def test_npi_is_not_copied(self):
        self.assertNotIn("npi", self.employee.copy_data()[0])


@tagged("post_install", "-at_install")
class TestCareServices(AccountTestInvoicingCommon):
    """Services: code, unit, and no tax whatever the company's default is."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.default_tax = cls.company_data["default_tax_sale"]
        cls.env.company.account_sale_tax_id = cls.default_tax

    def service(self, **values):
        return self.env["product.product"].create(
            {"name": "Care", "is_healthcare_service": True} | values
        )

    # --- tax -----------------------------------------------------------------------------------

    def test_other_products_keep_their_default_tax(self):
        self.assertEqual(
            self.env["product.product"].create({"name": "Cup"}).taxes_id, self.default_tax
        )

    def test_service_has_no_tax_made_as_product_or_template(self):
        self.assertFalse(self.service().taxes_id)
        template = self.env["product.template"].create(
            {"name": "Care", "is_healthcare_service": True}
        )
        self.assertFalse(template.taxes_id)
        self.assertEqual(template.type, "service")

    def test_service_has_no_tax_of_other_companies(self):
        other = self.setup_other_company()
        self.assertTrue(other["company"].account_sale_tax_id)
        self.assertFalse(self.service().sudo().taxes_id)

    def test_service_keeps_typed_taxes(self):
        service = self.service(taxes_id=[Command.set(self.default_tax.ids)])
        self.assertEqual(service.taxes_id, self.default_tax)

    def test_service_form_has_no_tax(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_service_action"
        )
        context = {
            "default_type": "service",
            "default_is_healthcare_service": True,
            "default_purchase_ok": False,
        }
        for key in context:
            self.assertIn(key, action["context"])
        form = Form(self.env["product.template"].with_context(**context))
        form.name = "Visit"
        self.assertFalse(form.save().taxes_id)

    def test_product_form_drops_the_default_tax_when_it_becomes_care(self):
        form = Form(self.env["product.template"])
        form.name = "Visit"
        form.is_healthcare_service = True
        template = form.save()
        self.assertFalse(template.taxes_id)
        self.assertEqual(template.type, "service")

    def test_new_chart_of_accounts_puts_no_tax_on_care(self):
        service = self.service().product_tmpl_id
        cup = self.env["product.template"].create({"name": "Cup", "taxes_id": False})
        (service + cup)._force_default_sale_tax(self.env.company)
        self.assertFalse(service.taxes_id)
        self.assertEqual(cup.taxes_id, self.default_tax)

    # --- code system ---------------------------------------------------------------------------

    def test_r8_code_system_is_suggested(self):
        self.assertEqual(self.service(default_code="T1019").code_system, "hcpcs")
        self.assertEqual(self.service(default_code="00000").code_system, "cpt")
        self.assertEqual(self.service(default_code="COUNSEL").code_system, "local")
        self.assertFalse(self.service().code_system)
        self.assertFalse(
            self.env["product.product"].create({"default_code": "T1019", "name": "Cup"}).code_system
        )

    def test_r8_code_system_follows_the_code(self):
        service = self.service(default_code="COUNSEL")
        service.default_code = "T1019"
        self.assertEqual(service.code_system, "hcpcs")

    def test_r8_typed_code_system_stays(self):
        service = self.service(default_code="00000", code_system="local")
        self.assertEqual(service.code_system, "local")
        service.default_code = "00001"
        self.assertEqual(service.code_system, "local")
        service.product_tmpl_id.name = "Renamed"
        self.env.flush_all()
        self.assertEqual(service.code_system, "local")

    def test_r8_copy_has_neither_code_nor_code_system(self):
        service = self.service(default_code="00000", code_system="local")
        copy = service.with_env(self.env).copy()
        self.assertTrue(copy.is_healthcare_service)
        self.assertFalse(copy.default_code)
        self.assertFalse(copy.code_system)
        copy.default_code = "T1019"
        self.assertEqual(copy.code_system, "hcpcs")

    def test_r8_typed_code_system_stays_in_the_form(self):
        form = Form(
            self.env["product.template"].with_context(
                default_type="service", default_is_healthcare_service=True
            )
        )
        form.name = "Visit"
        form.default_code = "00000"
        self.assertEqual(form.code_system, "cpt")
        form.code_system = "local"
        form.default_code = "00002"
        self.assertEqual(form.code_system, "local")
        template = form.save()
        self.assertEqual(template.code_system, "local")
        template.default_code = "T1019"
        self.assertEqual(template.code_system, "local")

    def test_r8_suggestion_sent_back_by_the_form_stays_a_suggestion(self):
        form = Form(
            self.env["product.template"].with_context(
                default_type="service", default_is_healthcare_service=True
            )
        )
        form.name = "Visit"
        form.default_code = "T1019"
        template = form.save()
        self.assertFalse(template.code_system_manual)
        template.default_code = "00000"
        self.assertEqual(template.code_system, "cpt")

    def test_r8_ticked_later(self):
        product = self.env["product.product"].create({"name": "Care", "default_code": "T1019"})
        product.write({"type": "service", "is_healthcare_service": True})
        self.assertEqual(product.code_system, "hcpcs")

    # --- units ---------------------------------------------------------------------------------

    def test_r3_units_of_a_service(self):
        service = self.service(
            unit_rule="block",
            block_minutes=15,
            rounding_method="nearest",
            rounding_minutes="15",
            time_basis="clocked",
        )
        self.assertEqual(service._care_units(scheduled_minutes=60, clocked_minutes=53), 4.0)
        self.assertEqual(service._care_units(scheduled_minutes=60), 4.0)
        service.unit_rule = "hour"
        self.assertEqual(service._care_units(scheduled_minutes=60, clocked_minutes=80), 1.25)
        service.unit_rule = "mile"
        self.assertEqual(service._care_units(distance=7.4), 7.4)
        service.unit_rule = "flat"
        self.assertEqual(service._care_units(visits=2), 1.0)
        self.assertIsInstance(service._care_units(), float)

    def test_r3_units_of_a_product_older_than_the_addon(self):
        product = self.env["product.product"].create({"name": "Old", "type": "service"})
        product.product_tmpl_id.write(
            {
                "unit_rule": False,
                "rounding_method": False,
                "rounding_minutes": False,
                "time_basis": False,
                "block_minutes": 0,
            }
        )
        self.assertEqual(product._care_units(scheduled_minutes=45), 1.0)
        with Form(product.product_tmpl_id) as form:
            form.is_healthcare_service = True
        self.assertEqual(product.unit_rule, "visit")
        self.assertEqual(product.block_minutes, 15)
        self.assertEqual(product.default_duration, 1.0)

    @mute_logger("odoo.sql_db")
    def test_r3_service_without_block_or_step_is_refused(self):
        for values in (
            {"unit_rule": "block", "block_minutes": 0},
            {"rounding_method": "up", "rounding_minutes": False},
            {"default_duration": -1.0},
        ):
            with (
                self.subTest(values=values),
                self.assertRaises(IntegrityError),
                self.cr.savepoint(),
            ):
                self.service(**values)

    def test_service_takes_four_modifiers(self):
        modifiers = self.env["healthcare.modifier"].search([], limit=5)
        service = self.service(modifier_ids=[Command.set(modifiers[:4].ids)])
        with self.assertRaisesRegex(ValidationError, "more than 4 modifiers"):
            service.modifier_ids |= modifiers


@tagged("post_install", "-at_install")
class TestCareDay(TransactionCase):
    """R6: days are local and half-open, wherever the user and the server are."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        companies = cls.env["res.company"]
        cls.east = companies.create({"name": "East", "healthcare_tz": "America/New_York"})
        cls.west = companies.create({"name": "West", "healthcare_tz": "America/Los_Angeles"})
        cls.env.user.tz = "Asia/Tokyo"

    def hours(self, company, day):
        start, stop = company._care_day_bounds(day, day + timedelta(days=1))
        return (stop - start) / timedelta(hours=1)

    def test_r6_half_open_range(self):
        start, stop = self.east._care_day_bounds(date(2026, 1, 1), date(2026, 2, 1))
        self.assertEqual(start, datetime(2026, 1, 1, 5))
        self.assertEqual(stop, datetime(2026, 2, 1, 5))
        self.assertEqual(self.east._care_local_date(start), date(2026, 1, 1))
        self.assertEqual(self.east._care_local_date(stop), date(2026, 2, 1))
        last = stop - timedelta(seconds=1)
        self.assertEqual(self.east._care_local_date(last), date(2026, 1, 31))

    def test_r6_empty_and_open_ranges(self):
        day = date(2026, 1, 1)
        start, stop = self.east._care_day_bounds(day, day)
        self.assertEqual(start, stop)
        self.assertEqual(self.east._care_day_bounds(False, day), (False, start))
        self.assertEqual(self.east._care_day_bounds(day, False), (start, False))
        self.assertFalse(self.east._care_local_date(False))

    def test_r6_half_past_eleven_at_night_is_that_day(self):
        half_past = datetime(2026, 7, 2, 3, 30)  # 23:30 on July 1 in New York
        self.assertEqual(self.east._care_local_date(half_past), date(2026, 7, 1))
        start, stop = self.east._care_day_bounds(date(2026, 7, 1), date(2026, 7, 2))
        self.assertTrue(start <= half_past < stop)

    def test_r6_each_company_has_its_own_day(self):
        instant = datetime(2026, 1, 2, 6)  # 1:00 in New York, 22:00 the day before in Los Angeles
        self.assertEqual(self.east._care_local_date(instant), date(2026, 1, 2))
        self.assertEqual(self.west._care_local_date(instant), date(2026, 1, 1))

    def test_r6_days_of_clock_changes(self):
        self.assertEqual(self.hours(self.east, date(2026, 3, 8)), 23)
        self.assertEqual(self.hours(self.east, date(2026, 11, 1)), 25)
        self.assertEqual(self.hours(self.east, date(2026, 11, 2)), 24)

    def test_r6_days_follow_each_other_in_every_kind_of_zone(self):
        """Also where clocks change at midnight (Havana, Santiago, Beirut) or by half an hour."""
        zones = (
            "UTC",
            "America/New_York",
            "America/Havana",
            "America/Santiago",
            "Asia/Beirut",
            "Australia/Lord_Howe",
            "Asia/Kolkata",
        )
        one = timedelta(days=1)
        for zone in zones:
            self.east.healthcare_tz = zone
            day = date(2025, 1, 1)
            previous_stop = self.east._care_day_bounds(day, day)[0]
            while day.year == 2025:
                with self.subTest(zone=zone, day=day):
                    start, stop = self.east._care_day_bounds(day, day + one)
                    self.assertEqual(start, previous_stop)
                    self.assertEqual(self.east._care_local_date(start), day)
                    self.assertEqual(
                        self.east._care_local_date(start - timedelta(seconds=1)), day - one
                    )
                    self.assertEqual(self.east._care_local_date(self.east._care_noon(day)), day)
                previous_stop = stop
                day += one

    def test_r6_time_zone_is_required_and_defaults_to_the_users(self):
        company = self.env["res.company"].create({"name": "New practice"})
        self.assertEqual(company.healthcare_tz, "Asia/Tokyo")

    def test_settings_switch_stations_and_policies(self):
        staff = new_test_user(self.env, "masters_staff", groups=group("care_staff"))
        switches = (
            "group_use_approval",
            "group_use_qa",
            "group_use_authorizations",
            "group_use_transport",
            "group_use_billing_accounts",
        )
        for name in switches:
            self.assertFalse(staff.has_group(f"healthcare_billing.{name}"))
        settings = self.env["res.config.settings"].create({name: True for name in switches})
        settings.healthcare_tz = "America/Denver"
        settings.healthcare_requires_signed_note = True
        settings.execute()
        for name in switches:
            self.assertTrue(staff.has_group(f"healthcare_billing.{name}"))
        self.assertEqual(self.env.company.healthcare_tz, "America/Denver")
        self.assertTrue(self.env.company.healthcare_requires_signed_note)
        self.assertTrue(staff.has_group("product.group_product_pricelist"))
