from datetime import date
from unittest.mock import patch

from freezegun import freeze_time
from psycopg2.errors import CheckViolation, UniqueViolation

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import CareCommon

NOW = "2025-03-12 15:00:00"  # 11:00 in New York


class LicenseCommon(CareCommon):
    """A practice that pays licenses to a vendor, with a service under an invented CPT code."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vendor = cls.env["res.partner"].create({"name": "License Vendor"})
        cls.company.write(
            {"healthcare_license_fee": 20.0, "healthcare_license_vendor_id": cls.vendor.id}
        )
        cls.cpt_service = cls._service("Invented", "0000X", 100.0, code_system="cpt")
        cls.licenses = cls.env["healthcare.cpt.license"]

    @classmethod
    def _license(cls, employee=None, year=2025, paid=False, **vals):
        cpt_license = cls.licenses.create(
            {"employee_id": (employee or cls.provider).id, "year": year} | vals
        )
        if paid:
            cpt_license.action_mark_paid()
        return cpt_license

    @classmethod
    def _bill(cls, licenses):
        return cls.env["account.move"].browse(licenses.action_create_bill()["res_id"])

    @classmethod
    def _pay(cls, bill):
        return (
            cls.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=bill.ids)
            .create({})
            ._create_payments()
        )

    @classmethod
    def _cpt_charge(cls, client=None, **vals):
        client = client or cls._client()
        return cls._charge(client, product_id=cls.cpt_service.id, **vals)


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestCptLicense(LicenseCommon):
    """R8: one license per employee and calendar year."""

    def test_r8_new_license(self):
        cpt_license = self._license()
        self.assertRecordValues(
            cpt_license,
            [
                {
                    "state": "to_pay",
                    "date_from": date(2025, 3, 12),
                    "date_to": date(2025, 12, 31),
                    "release_year": 2025,
                    "fee": 20.0,
                    "company_id": self.company.id,
                }
            ],
        )
        self.assertEqual(cpt_license.display_name, "Pat Provider (2025)")

    def test_r8_license_of_another_year_is_for_all_of_it(self):
        for year in (2024, 2026):
            cpt_license = self._license(year=year)
            self.assertEqual(cpt_license.date_from, date(year, 1, 1))
            self.assertEqual(cpt_license.date_to, date(year, 12, 31))

    @freeze_time("2026-01-01 03:00:00")
    def test_r8_the_day_is_the_practices(self):
        """22:00 on 31 December in New York."""
        cpt_license = self.licenses.create({"employee_id": self.provider.id})
        self.assertEqual(cpt_license.year, 2025)
        self.assertEqual(cpt_license.date_from, date(2025, 12, 31))

    def test_r8_one_per_employee_and_year(self):
        cpt_license = self._license()
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(UniqueViolation),
            self.env.cr.savepoint(),
        ):
            self._license()
        self._license(year=2026)
        self._license(self._provider("Other"))
        cpt_license.action_cancel()
        again = self._license()
        with self.assertRaisesRegex(UserError, "another license meanwhile"):
            cpt_license.action_restore()
        again.unlink()
        cpt_license.action_restore()
        self.assertEqual(cpt_license.state, "to_pay")

    def test_r8_dates_are_in_the_year(self):
        cpt_license = self._license()
        for vals in (
            {"date_from": date(2024, 12, 31)},
            {"date_to": date(2026, 1, 1)},
            {"date_from": date(2025, 6, 1), "date_to": date(2025, 5, 1)},
            {"fee": -1.0},
        ):
            with (
                self.subTest(vals=vals),
                mute_logger("odoo.sql_db"),
                self.assertRaises(CheckViolation),
                self.env.cr.savepoint(),
            ):
                cpt_license.write(vals)
                self.env.flush_all()
            cpt_license.invalidate_recordset()

    def test_paid_license_keeps_person_year_and_fee(self):
        cpt_license = self._license(paid=True)
        for vals in (
            {"employee_id": self._provider("Other").id},
            {"year": 2026},
            {"fee": 1.0},
        ):
            with self.subTest(vals=vals), self.assertRaisesRegex(UserError, "keeps its"):
                cpt_license.write(vals)
        cpt_license.write({"fee": 20.0, "year": 2025, "date_from": date(2025, 1, 1)})
        with self.assertRaisesRegex(UserError, "can't be deleted"):
            cpt_license.unlink()

    def test_mark_as_paid_and_back(self):
        cpt_license = self._license(paid=True)
        self.assertEqual(cpt_license.state, "paid")
        self.assertEqual(cpt_license.marked_paid_on, date(2025, 3, 12))
        cpt_license.action_mark_unpaid()
        self.assertEqual(cpt_license.state, "to_pay")
        cpt_license.action_cancel()
        cpt_license.action_mark_paid()
        self.assertEqual(cpt_license.state, "canceled")

    # -- assigning ------------------------------------------------------------------------------

    def _wizard(self, employees, **vals):
        return self.env["healthcare.cpt.license.assign"].create(
            {"employee_ids": employees.ids} | vals
        )

    def test_assign_many(self):
        employees = self.provider + self._provider("Other") + self._provider("Third")
        self._license(paid=True)
        form = Form(
            self.env["healthcare.cpt.license.assign"].with_context(
                active_model="hr.employee.public", active_ids=employees.ids
            )
        )
        self.assertEqual(form.already_text, "Have one for 2025 already: Pat Provider.")
        self.assertEqual((form.assign_count, form.amount), (2, 40.0))
        form.fee = 18.5
        form.year = 2026
        self.assertFalse(form.already_text)
        form.year = 2025
        action = form.save().action_assign()
        licenses = self.licenses.search(action["domain"])
        self.assertEqual(licenses.employee_id, employees)
        self.assertEqual(sorted(licenses.mapped("fee")), [18.5, 18.5, 20.0])
        self.assertEqual(employees.mapped("cpt_access"), [True] * 3)
        self._wizard(employees).action_assign()
        self.assertEqual(self.licenses.search_count([("employee_id", "in", employees.ids)]), 3)

    def test_assign_without_renewal(self):
        self._wizard(self.provider, renew=False).action_assign()
        self.assertFalse(self.provider.cpt_access)

    def test_assign_needs_somebody_and_a_year(self):
        with self.assertRaisesRegex(UserError, "Choose the care providers"):
            self._wizard(self.env["hr.employee"]).action_assign()
        with self.assertRaisesRegex(UserError, "four digits"):
            self._wizard(self.provider, year=25).action_assign()

    def test_assign_in_the_own_company_only(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        self.env.user.company_ids += other
        stranger = self._provider("Stranger", company_id=other.id)
        with self.assertRaisesRegex(UserError, "another company: Stranger"):
            self._wizard(stranger).action_assign()

    # -- vendor bills ---------------------------------------------------------------------------

    def _three(self):
        return self.licenses.union(
            *(self._license(self._provider(name)) for name in ("Ada", "Ben", "Cid"))
        )

    def test_one_bill_for_many(self):
        licenses = self._three()
        canceled, paid = self._license(self._provider("Dee")), self._license(paid=True)
        canceled.action_cancel()
        bill = self._bill(licenses + canceled + paid)
        self.assertRecordValues(
            bill,
            [
                {
                    "move_type": "in_invoice",
                    "partner_id": self.vendor.id,
                    "amount_total": 60.0,
                    "state": "draft",
                    "cpt_license_count": 3,
                }
            ],
        )
        self.assertEqual(
            bill.invoice_line_ids.mapped("name"),
            ["CPT license 2025: Ada", "CPT license 2025: Ben", "CPT license 2025: Cid"],
        )
        self.assertEqual(licenses.bill_id, bill)
        self.assertEqual(set(licenses.mapped("state")), {"to_pay"})
        self.assertFalse((canceled + paid).bill_id)

    def test_license_is_paid_with_its_bill(self):
        licenses = self._three()
        bill = self._bill(licenses)
        bill.action_post()
        self.assertEqual(set(licenses.mapped("state")), {"to_pay"})
        payment = self._pay(bill)
        self.assertIn(bill.payment_state, ("paid", "in_payment"))
        self.assertEqual(set(licenses.mapped("state")), {"paid"})
        payment.action_draft()
        payment.action_cancel()
        self.assertEqual(bill.payment_state, "not_paid")
        self.assertEqual(set(licenses.mapped("state")), {"to_pay"})
        self._pay(bill)
        self.assertEqual(set(licenses.mapped("state")), {"paid"})
        bill.button_draft()
        self.assertEqual(set(licenses.mapped("state")), {"to_pay"})

    def test_part_payment_pays_no_license(self):
        licenses = self._three()
        bill = self._bill(licenses)
        bill.action_post()
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=bill.ids
        ).create({"amount": 20.0})._create_payments()
        self.assertEqual(bill.payment_state, "partial")
        self.assertEqual(set(licenses.mapped("state")), {"to_pay"})

    def test_nobody_is_billed_twice(self):
        licenses = self._three()
        bill = self._bill(licenses[:2])
        self.assertEqual(self._bill(licenses).invoice_line_ids.cpt_license_id, licenses[2])
        with self.assertRaisesRegex(UserError, "None of these licenses is left"):
            licenses.action_create_bill()
        with self.assertRaisesRegex(UserError, "on a vendor bill"):
            licenses.action_mark_paid()
        self.assertFalse(bill.copy().invoice_line_ids.cpt_license_id)
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(UniqueViolation),
            self.env.cr.savepoint(),
        ):
            bill.copy().invoice_line_ids[0].cpt_license_id = licenses[0]
            self.env.flush_all()

    def test_bill_canceled(self):
        licenses = self._three()
        bill = self._bill(licenses)
        bill.button_cancel()
        self.assertFalse(licenses.bill_id)
        again = self._bill(licenses)
        self.assertEqual(licenses.bill_id, again)
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(UniqueViolation),
            self.env.cr.savepoint(),
        ):
            bill.button_draft()
            self.env.flush_all()

    def test_bill_or_its_line_deleted(self):
        licenses = self._three()
        bill = self._bill(licenses)
        with self.assertRaisesRegex(UserError, "draft bill: Ada"):
            licenses[0].action_cancel()
        bill.invoice_line_ids.filtered(lambda line: line.cpt_license_id == licenses[0]).unlink()
        self.assertFalse(licenses[0].bill_id)
        licenses[0].action_cancel()
        self.assertEqual(licenses[1:].bill_id, bill)
        bill.unlink()
        self.assertFalse(licenses.bill_id)
        self.assertEqual(len(self._bill(licenses).invoice_line_ids), 2)

    def test_bill_reversed(self):
        licenses = self._three()
        bill = self._bill(licenses)
        bill.action_post()
        refund = bill._reverse_moves([{"invoice_date": date(2025, 3, 12)}], cancel=True)
        self.assertEqual(bill.payment_state, "reversed")
        self.assertFalse(refund.invoice_line_ids.cpt_license_id)
        self.assertFalse(licenses.bill_id)
        self.assertEqual(set(licenses.mapped("state")), {"to_pay"})
        again = self._bill(licenses)
        again.action_post()
        self._pay(again)
        self.assertEqual(set(licenses.mapped("state")), {"paid"})

    def _credit_note(self, bill, keep):
        """A vendor's credit note over some lines of a bill; draft."""
        refund = bill._reverse_moves([{"invoice_date": date(2025, 3, 12)}])
        refund.invoice_line_ids.filtered(
            lambda line: line.credit_of_line_id.cpt_license_id not in keep
        ).unlink()
        return refund

    def test_r8_license_that_the_vendor_credited_is_due_again(self):
        licenses = self._three()
        bill = self._bill(licenses)
        bill.action_post()
        refund = self._credit_note(bill, licenses[:1])
        self.assertEqual(set(licenses.mapped("bill_id")), {bill})
        refund.action_post()
        self._pay(bill)
        (bill | refund).line_ids.filtered(
            lambda line: line.account_type == "liability_payable" and not line.reconciled
        ).reconcile()
        self.assertEqual(licenses.mapped("state"), ["to_pay", "paid", "paid"])
        self.assertFalse(licenses[0].bill_id)
        again = self._bill(licenses[0])
        again.action_post()
        self._pay(again)
        self.assertEqual(licenses.mapped("state"), ["paid", "paid", "paid"])

    def test_r8_part_of_a_fee_credited_gives_no_license_back(self):
        licenses = self._three()
        bill = self._bill(licenses)
        bill.action_post()
        refund = self._credit_note(bill, licenses[:1])
        refund.invoice_line_ids.price_unit = 5.0
        refund.action_post()
        self.assertEqual(licenses[0].bill_id, bill)

    def test_r8_vendors_credit_note_undone(self):
        licenses = self._three()
        bill = self._bill(licenses)
        bill.action_post()
        refund = self._credit_note(bill, licenses[:1])
        refund.action_post()
        self.assertFalse(licenses[0].bill_id)
        refund.button_draft()
        self.assertEqual(licenses[0].bill_id, bill)
        refund.action_post()
        refund._reverse_moves([{"invoice_date": date(2025, 3, 13)}], cancel=True)
        self.assertEqual(licenses[0].bill_id, bill)

    def test_posted_bill_stays_when_a_license_is_canceled(self):
        licenses = self._three()
        bill = self._bill(licenses)
        bill.action_post()
        licenses[0].action_cancel()
        self._pay(bill)
        self.assertEqual(licenses.mapped("state"), ["canceled", "paid", "paid"])
        self.assertEqual(bill.amount_total, 60.0)

    def test_bill_needs_vendor_and_fee(self):
        cpt_license = self._license(fee=0.0)
        with self.assertRaisesRegex(UserError, "have no fee: Pat Provider"):
            cpt_license.action_create_bill()
        self.company.healthcare_license_vendor_id = False
        with self.assertRaisesRegex(UserError, "Choose the vendor"):
            cpt_license.action_create_bill()

    def test_bill_by_the_product_of_the_settings(self):
        account = self.company_data["default_account_expense"].copy({"name": "Licenses"})
        self.company.healthcare_license_product_id = self.env["product.product"].create(
            {
                "name": "License",
                "type": "service",
                "property_account_expense_id": account.id,
                "supplier_taxes_id": [],
            }
        )
        line = self._bill(self._license()).invoice_line_ids
        self.assertEqual(line.account_id, account)
        self.assertEqual(line.price_total, 20.0)
        self.assertEqual(line.name, "CPT license 2025: Pat Provider")

    def test_bill_without_a_product_has_no_tax(self):
        line = self._bill(self._license()).invoice_line_ids
        self.assertFalse(line.tax_ids)
        self.assertTrue(line.account_id)

    def test_only_vendor_bills_pay_licenses(self):
        move = self.init_invoice("out_invoice", amounts=[20.0])
        with self.assertRaisesRegex(ValidationError, "vendor bills"):
            move.invoice_line_ids.cpt_license_id = self._license()

    def test_two_companies_two_bills(self):
        other = self.setup_other_company(name="Elsewhere")["company"]
        other.write({"healthcare_license_vendor_id": self.vendor.id, "healthcare_license_fee": 9})
        self.env.user.company_ids += other
        licenses = self._license().with_context(allowed_company_ids=[self.company.id, other.id])
        licenses += licenses._assign(self._provider("Far", company_id=other.id), 2025)
        action = licenses.action_create_bill()
        bills = self.env["account.move"].browse(action["domain"][0][2])
        self.assertEqual(bills.company_id, self.company + other)
        self.assertEqual(sorted(bills.mapped("amount_total")), [9.0, 20.0])

    def test_other_companies_licenses_are_hidden(self):
        other = self.setup_other_company(name="Elsewhere")["company"]
        mine = self._license()
        theirs = self._license(self._provider("Far", company_id=other.id))
        env = self._act_as(self._user("billing_manager"))
        found = env["healthcare.cpt.license"].search([("id", "in", (mine + theirs).ids)])
        self.assertEqual(found.ids, mine.ids)
        with self.assertRaises(AccessError):
            theirs.with_env(env).action_mark_paid()

    # -- rights ---------------------------------------------------------------------------------

    def test_manager_without_hr_rights_does_it_all(self):
        env = self._act_as(self._user("billing_manager"))
        self.assertFalse(env.user.has_group("hr.group_hr_user"))
        wizard = env["healthcare.cpt.license.assign"].create(
            {"employee_ids": self.provider.ids, "year": 2025}
        )
        action = wizard.action_assign()
        self.assertTrue(self.provider.cpt_access)
        licenses = env["healthcare.cpt.license"].search(action["domain"])
        bill = env["account.move"].browse(licenses.action_create_bill()["res_id"])
        bill.action_post()
        env["account.payment.register"].with_context(
            active_model="account.move", active_ids=bill.ids
        ).create({})._create_payments()
        self.assertEqual(licenses.state, "paid")
        details = env["healthcare.provider.details"].with_context(
            default_employee_id=self.provider.id
        )
        self.env.invalidate_all()
        self.assertTrue(details.create({}).cpt_access)
        details.create({"cpt_access": False}).action_save()
        self.assertFalse(self.provider.cpt_access)
        self.assertEqual(licenses.state, "paid")

    def test_others_change_no_license(self):
        cpt_license = self._license()
        for kind in ("billing_user", "accountant"):
            env = self._act_as(self._user(kind))
            theirs = cpt_license.with_env(env)
            theirs.read(["state", "employee_id", "display_name"])
            for action in ("action_mark_paid", "action_cancel", "action_create_bill"):
                with self.subTest(user=kind, action=action), self.assertRaises(AccessError):
                    getattr(theirs, action)()
            with self.subTest(user=kind), self.assertRaises(AccessError):
                env["healthcare.cpt.license.assign"].create({"employee_ids": self.provider.ids})
        env = self._act_as(self._user("billing_user", login="another_biller"))
        with self.assertRaisesRegex(AccessError, "Only billing managers"):
            self.provider.with_env(env)._write_provider_details({"cpt_access": True})
        env["healthcare.provider.details"].create(
            {"employee_id": self.provider.id, "credentials": "RN"}
        ).action_save()
        self.assertEqual(self.provider.credentials, "RN")

    def test_accountant_pays_no_license_by_linking_a_bill(self):
        cpt_license = self._license()
        bill = self.init_invoice("in_invoice", partner=self.vendor, amounts=[20.0])
        env = self._act_as(self._user("accountant"))
        with self.assertRaises(AccessError):
            bill.with_env(env).invoice_line_ids.cpt_license_id = cpt_license.id


@tagged("post_install", "-at_install")
class TestCptRenewal(LicenseCommon):
    """R8: on 1 January of the practice's day, for active employees whose access is on."""

    def setUp(self):
        super().setUp()
        with freeze_time(NOW):
            self.provider.cpt_access = True
            self.old = self._license(paid=True)
        commit = patch.object(self.env.registry["ir.cron"], "_commit_progress", return_value=99)
        commit.start()
        self.addCleanup(commit.stop)

    def _renew(self, now="2026-01-01 05:00:00"):
        with freeze_time(now):
            self.licenses._cron_renew()
        return self.licenses.search(
            [("company_id", "=", self.company.id), ("year", "=", int(now[:4]))]
        )

    def test_r8_renewed_on_1_january_of_the_local_day(self):
        self.assertEqual(len(self._renew("2025-12-31 23:30:00")), 1)
        self.assertFalse(self._renew("2026-01-01 04:59:00"))  # 23:59 in New York
        self.assertEqual(self.old.state, "paid")
        renewed = self._renew("2026-01-01 05:00:00")
        self.assertRecordValues(
            renewed,
            [
                {
                    "employee_id": self.provider.id,
                    "state": "to_pay",
                    "date_from": date(2026, 1, 1),
                    "date_to": date(2026, 12, 31),
                    "release_year": 2026,
                    "fee": 20.0,
                }
            ],
        )
        self.assertEqual(self.old.state, "expired")

    def test_r8_running_again_adds_nothing(self):
        renewed = self._renew()
        self.assertEqual(self._renew("2026-01-01 06:00:00"), renewed)
        self.assertEqual(self._renew("2026-07-01 06:00:00"), renewed)

    def test_renewal_is_told_once(self):
        manager = self._user("billing_manager").partner_id
        biller = self._user("billing_user").partner_id
        told = self.env["mail.message"].sudo().search(
            [("partner_ids", "in", (manager + biller).ids)]
        )  # fmt: skip
        self._renew()
        self._renew("2026-01-02 05:00:00")
        messages = (
            self.env["mail.message"]
            .sudo()
            .search([("partner_ids", "in", (manager + biller).ids), ("id", "not in", told.ids)])
        )
        self.assertEqual(len(messages), 1)
        self.assertIn(manager, messages.partner_ids)
        self.assertNotIn(biller, messages.partner_ids)
        self.assertIn("Pat Provider", messages.body)

    def test_r8_catches_up_when_late(self):
        """Late within the year: dated 1 January. A year that was missed is not bought."""
        renewed = self._renew("2026-05-20 12:00:00")
        self.assertEqual(renewed.date_from, date(2026, 1, 1))
        self.assertEqual(len(self._renew("2028-02-02 12:00:00")), 1)
        self.assertFalse(self.licenses.search([("year", "=", 2027)]))

    def test_r8_access_off_or_archived_is_not_renewed(self):
        self.provider.cpt_access = False
        gone = self._provider("Gone", cpt_access=True)
        with freeze_time(NOW):
            self._license(gone)
        gone.active = False
        never = self._provider("Never had one", cpt_access=True)
        self.assertFalse(self._renew())
        self.assertFalse(self.licenses.search([("employee_id", "=", never.id)]))

    @freeze_time("2025-07-01 12:00:00")
    def test_r8_switched_off_in_mid_year_holds_to_31_december(self):
        self.provider.cpt_access = False
        self.assertEqual(self.old.state, "paid")
        self.assertEqual(self.old.date_to, date(2025, 12, 31))

    def test_r8_canceled_license_is_a_decision(self):
        renewed = self._renew()
        with freeze_time("2026-01-02 12:00:00"):
            renewed.action_cancel()
        self.assertEqual(self._renew("2026-01-03 12:00:00"), renewed)

    def test_r8_moved_to_a_company_of_another_day(self):
        """Renewed by the company of today, whatever the company and its day were then."""
        other = self.setup_other_company(name="Elsewhere")["company"]
        other.write({"healthcare_tz": "Pacific/Kiritimati", "healthcare_license_fee": 9.0})
        self.provider.company_id = other
        self.assertEqual(self.old.company_id, self.company)
        # in New York it is the day before
        self._renew("2026-03-01 12:00:00")
        renewed = self.licenses.search([("year", "=", 2026)])
        self.assertEqual((renewed.employee_id, renewed.company_id), (self.provider, other))
        self._renew("2026-03-02 12:00:00")
        self.assertEqual(self.licenses.search([("year", "=", 2026)]), renewed)

    def test_r8_license_of_last_year_was_canceled(self):
        with freeze_time(NOW):
            self.old.action_cancel()
        self.assertFalse(self._renew())

    def test_unpaid_license_stays_due_when_its_year_is_over(self):
        with freeze_time(NOW):
            self.old.action_mark_unpaid()
        self._renew()
        self.assertEqual(self.old.state, "to_pay")
        with freeze_time("2026-01-05 12:00:00"):
            self.old.action_mark_paid()
        self.assertEqual(self.old.state, "expired")

    def test_one_fault_stops_nobody_else(self):
        others = [self._provider(name, cpt_access=True) for name in ("Ada", "Ben")]
        with freeze_time(NOW):
            for other in others:
                self._license(other)
        real = type(self.licenses)._assign

        def failing(licenses, employees, *args, **vals):
            if others[0] in employees:
                raise ValidationError(self.env._("broken"))
            return real(licenses, employees, *args, **vals)

        with (
            patch.object(self.env.cr, "rollback"),
            patch.object(type(self.licenses), "_assign", failing),
            self.assertLogs("odoo.addons.healthcare_billing", "ERROR"),
        ):
            renewed = self._renew()
        self.assertEqual(renewed.employee_id, self.provider + others[1])

    def test_queries_do_not_grow_with_employees(self):
        def count(number):
            employees = self.env["hr.employee"].create(
                [{"name": f"E{number}-{i}", "company_id": self.company.id, "cpt_access": True}
                 for i in range(number)]
            )  # fmt: skip
            with freeze_time(NOW):
                self.licenses._assign(employees, 2025)
            self.env.flush_all()
            self.env.invalidate_all()
            with freeze_time("2026-01-01 12:00:00"):
                due = self.licenses._employees_to_renew(self.company, 2026)
                before = self.env.cr.sql_log_count
                self.licenses._renew_safely(due.ids, 2026)
                return self.env.cr.sql_log_count - before

        count(1)
        self.assertLessEqual(count(12), count(6) + 4)
