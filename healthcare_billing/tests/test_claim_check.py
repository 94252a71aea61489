from datetime import date, timedelta

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .claim_common import TAXONOMY, ClaimCommon
from .common import A_DAY, STAFF_NPI


@tagged("post_install", "-at_install")
class TestClaimCheck(ClaimCommon):
    """Each thing that is missing is found, opens what mends it, and is gone when mended."""

    def setUp(self):
        super().setUp()
        self.claim = self._claims()

    def assert_missing(self, code, record, broken, mended=None, target=None):
        """Break a record, see the issue and the refusal, mend it, see that it is gone."""
        former = mended or {
            name: record[name].id if record._fields[name].relational else record[name]
            for name in broken
        }
        self.assertNotIn(code, self._issue_codes(self.claim))
        record.write(broken)
        self.assertIn(code, self._issue_codes(self.claim))
        issue = self.claim.issue_ids.filtered(lambda issue: issue.code == code)
        self.assertTrue(issue.remedy)
        self.assertEqual((self.claim.is_incomplete, issue.severity), (True, "error"))
        found = self.claim.search([("is_incomplete", "=", True)])
        self.assertIn(self.claim, found)
        self.assertIn(self.claim, self.claim.search([("issue_ids", "in", issue.ids)]))
        self.assertNotIn(self.claim, self.claim.search([("is_incomplete", "=", False)]))
        with self.assertRaisesRegex(UserError, f"{self.claim.name} .*{issue.name}"):
            self.claim.action_submit()
        self.assertEqual(self.claim.state, "awaiting_submission")
        action = issue.with_context(healthcare_mend_claim_id=self.claim.id).action_mend()
        if target is not None:
            self.assertEqual((action["res_model"], action.get("res_id")), (target._name, target.id))
        record.write(former)
        self.assertNotIn(code, self._issue_codes(self.claim))

    def test_complete(self):
        self.assertFalse(self._issue_codes(self.claim))
        self.assertFalse(self.claim.is_incomplete)
        self.assertIn(self.claim, self.claim.search([("is_incomplete", "=", False)]))
        self.assertIn(self.claim, self.claim.search([("issue_ids", "=", False)]))
        self.claim.action_submit()

    def test_client(self):
        for code, broken in (
            ("client_birth_date", {"birth_date": False}),
            ("client_sex", {"sex": False}),
            ("client_address", {"street": False}),
            ("client_address", {"zip": False}),
            ("client_address", {"state_id": False}),
        ):
            with self.subTest(broken=broken):
                self.assert_missing(code, self.ivy, broken, target=self.ivy)

    def test_legal_name_is_a_warning(self):
        """Without one the claim says the usual name, as the superbill does."""
        self.ivy.legal_name = " "
        self.assertEqual(self._issue_codes(self.claim), {"client_legal_name"})
        self.assertFalse(self.claim.is_incomplete)
        self.claim.action_submit()

    def test_states_matter_in_the_united_states_only(self):
        self.ivy.write({"country_id": self.env.ref("base.be").id, "state_id": False})
        self.assertNotIn("client_address", self._issue_codes(self.claim))

    def test_coverage(self):
        coverage = self.ivy.coverage_ids
        self.assert_missing("missing_member_id", coverage, {"member_id": False}, target=coverage)
        self.assert_missing(
            "coverage_dates", coverage, {"date_to": A_DAY - timedelta(days=1)}, target=coverage
        )
        self.assert_missing("missing_coverage", self.claim, {"coverage_id": False})

    def test_subscriber(self):
        """Who isn't insured by an own policy: the policy holder is named, with all data."""
        coverage = self.ivy.coverage_ids
        self.assert_missing("missing_subscriber", coverage, {"relationship": "19"}, target=coverage)
        parent = self.env["res.partner"].create({"name": "Paul Parent"})
        coverage.write({"relationship": "19", "subscriber_id": parent.id})
        self.assertEqual(self._issue_codes(self.claim), {"subscriber_data"})
        issue = self.claim.issue_ids.with_context(healthcare_mend_claim_id=self.claim.id)
        self.assertEqual(issue.action_mend()["res_id"], parent.id)
        parent.write({"birth_date": "1950-01-01", "sex": "male", **self.address})
        self.assertFalse(self._issue_codes(self.claim))

    def test_payer(self):
        payer = self.payer
        self.assert_missing("missing_payer_id", payer, {"edi_payer_id": False}, target=payer)
        self.assert_missing(
            "missing_filing_indicator", payer, {"claim_filing_indicator": False}, target=payer
        )

    def test_paper_needs_an_address_and_no_payer_id(self):
        self.payer.write({"claim_format": "cms1500", "edi_payer_id": False})
        claim = self._claims(self._invoices(self._visit(hour=13)))
        self.assertEqual(self._issue_codes(claim), {"payer_address"})
        self.payer.write(self.address)
        self.assertFalse(self._issue_codes(claim))

    def test_providers(self):
        wizard = self.env["healthcare.provider.details"]
        for code, name in (("provider_npi", "npi"), ("provider_taxonomy", "taxonomy_code")):
            with self.subTest(code=code):
                self.assert_missing(code, self.provider, {name: False}, target=wizard)
        self.assert_missing(
            "missing_provider", self.claim.line_ids, {"rendering_provider_id": False}
        )

    def test_r8_provider_is_a_rendering_one(self):
        """Whoever gave the care, or was typed on the claim."""
        wizard = self.env["healthcare.provider.details"]
        self.assert_missing(
            "provider_not_rendering",
            self.provider,
            {"is_rendering_provider": False},
            target=wizard,
        )
        aide = self._provider(
            "Aide", npi=STAFF_NPI, taxonomy_code=TAXONOMY, is_rendering_provider=False
        )
        line = self.claim.line_ids
        self.assert_missing("provider_not_rendering", line, {"rendering_provider_id": aide.id})
        line.rendering_provider_id = aide
        issue = self.claim.issue_ids.with_context(healthcare_mend_claim_id=self.claim.id)
        self.assertEqual(issue.action_mend()["context"], {"default_employee_id": aide.id})

    def _cpt_claim(self, **vals):
        """A claim of CPT-coded care of a licensed provider, billed in 2025; and the license."""
        service = self._service("Invented", "0000X", 100.0, code_system="cpt")
        cpt_license = self.env["healthcare.cpt.license"].create(
            {"employee_id": self.provider.id, "year": 2025}
        )
        cpt_license.action_mark_paid()
        visit = self._visit(hour=14, product_id=service.id, **vals)
        moves = self._invoices(visit, invoice_date=date(2025, 6, 2))
        return self._claims(moves), cpt_license

    def test_r8_typed_provider_needs_a_license(self):
        """The invoice was asked about whoever gave the care; the claim names somebody else."""
        self.claim = self._cpt_claim()[0]
        other = self._second_provider()
        line = self.claim.line_ids
        self.assert_missing("missing_license", line, {"rendering_provider_id": other.id})
        line.rendering_provider_id = other
        issue = self.claim.issue_ids.with_context(healthcare_mend_claim_id=self.claim.id)
        self.assertEqual(issue.code, "missing_license")
        action = issue.action_mend()
        self.assertEqual(action["res_model"], "healthcare.cpt.license.assign")
        self.assertEqual(
            action["context"], {"default_employee_ids": other.ids, "default_year": 2025}
        )
        own = self.env["healthcare.cpt.license"].create({"employee_id": other.id, "year": 2025})
        self.assertEqual(self._issue_codes(self.claim), {"missing_license"})  # not paid yet
        self.assertEqual(issue.action_mend()["res_id"], own.id)
        own.action_mark_paid()
        self.assertFalse(self._issue_codes(self.claim))

    def test_r8_license_that_was_undone_since(self):
        self.claim, cpt_license = self._cpt_claim()
        self.assertFalse(self._issue_codes(self.claim))
        cpt_license.action_mark_unpaid()
        self.assertEqual(self._issue_codes(self.claim), {"missing_license"})

    def test_r8_year_of_the_first_invoice(self):
        """Billed again in another year: the license of the first invoice's year counts."""
        first = self._cpt_claim()[0]
        old = first.invoice_ids
        charge = old.invoice_line_ids.charge_id
        new = old._credit_and_rebill({charge: {"price_unit": 90.0}}, invoice_date=date(2026, 1, 8))
        claim = self._claims(new)
        self.assertEqual(claim.invoice_ids, new)
        self.assertFalse(self._issue_codes(claim))

    def test_r8_year_of_the_care_by_the_setting(self):
        claim = self._cpt_claim(day=A_DAY - timedelta(days=90))[0]
        self.assertFalse(self._issue_codes(claim))
        self.company.healthcare_license_date = "service"
        self.assertEqual(self._issue_codes(claim), {"missing_license"})
        issue = claim.issue_ids.with_context(healthcare_mend_claim_id=claim.id)
        self.assertEqual(issue.action_mend()["context"]["default_year"], 2024)

    def test_r8_a_void_names_whom_the_payer_knows(self):
        claim, cpt_license = self._cpt_claim()
        claim.action_submit()
        claim.action_accept()
        claim.payer_claim_number = "ICN-1"
        void = self.env["healthcare.claim"].browse(claim.action_void()["res_id"])
        cpt_license.action_mark_unpaid()
        self.assertFalse(self._issue_codes(void))
        self.provider.is_rendering_provider = False
        self.assertFalse(self._issue_codes(void))

    def test_billing_provider_instead_of_the_practice(self):
        """Who bills under the own NPI needs it; the practice's isn't asked for then."""
        other = self._provider("Sam Second", npi=STAFF_NPI)
        self.claim.billing_provider_id = other
        self.company.healthcare_npi = False
        self.assertEqual(self._issue_codes(self.claim), {"billing_provider"})
        issue = self.claim.issue_ids.with_context(healthcare_mend_claim_id=self.claim.id)
        self.assertEqual(issue.action_mend()["context"], {"default_employee_id": other.id})
        other.taxonomy_code = TAXONOMY
        self.assertFalse(self._issue_codes(self.claim))

    def test_practice(self):
        self.env.user.group_ids |= self.env.ref("base.group_system")
        partner = self.company.partner_id
        for code, record, broken in (
            ("practice_npi", self.company, {"healthcare_npi": False}),
            ("practice_taxonomy", self.company, {"healthcare_taxonomy_code": False}),
            ("practice_tax_id", partner, {"vat": False}),
            ("practice_address", partner, {"zip": "12207"}),
            ("practice_address", partner, {"street": False}),
        ):
            with self.subTest(broken=broken):
                self.assert_missing(code, record, broken)

    def test_practice_is_mended_by_administrators(self):
        self.company.healthcare_npi = False
        self.env.invalidate_all()
        claim = self.claim.with_env(self._act_as(self._user("billing_user")))
        issue = claim.issue_ids.with_context(healthcare_mend_claim_id=claim.id)
        with self.assertRaisesRegex(UserError, "ask an administrator"):
            issue.action_mend()

    def test_diagnoses(self):
        line = self.claim.line_ids
        self.assert_missing("missing_pointer", line, {"pointers": ""}, mended={"pointers": "A"})
        self.claim.diagnosis_line_ids.unlink()
        self.assertEqual(self._issue_codes(self.claim), {"missing_diagnosis"})

    def test_late_and_outdated_diagnoses(self):
        account = self.ivy.billing_account_ids
        made = account.diagnosis_line_ids
        after = A_DAY + timedelta(days=1)
        self.assert_missing("late_diagnosis", made, {"diagnosed_on": after}, target=account)
        self.assertEqual(
            bool(self.claim.item_ids.charge_id._late_diagnoses()),
            "late_diagnosis" in self._issue_codes(self.claim),
        )
        self.assert_missing("outdated_diagnosis", self.diagnosis, {"valid_from": after})

    def test_lines(self):
        line = self.claim.line_ids
        self.assert_missing("missing_place", line, {"place_of_service_id": False})
        self.assert_missing("place_not_allowed", self.place, {"allowed_837p": False})
        self.assert_missing("missing_code", line.sudo(), {"code": False})
        self.assert_missing("missing_units", line.sudo(), {"units": 0.0})

    def test_authorization_where_the_payer_asks_for_it(self):
        self.assert_missing(
            "missing_authorization",
            self.payer,
            {"requires_authorization": True},
        )
        self.payer.requires_authorization = True
        self.claim.authorization_number = "A-1"
        self.assertFalse(self._issue_codes(self.claim))

    def test_accident(self):
        self.assert_missing("accident_data", self.claim, {"related_cause": "AA"})
        self.claim.write({"related_cause": "EM", "accident_date": A_DAY})
        self.assertFalse(self._issue_codes(self.claim))
        self.claim.related_cause = "AA"
        self.assertEqual(self._issue_codes(self.claim), {"accident_data"})
        self.claim.accident_state_id = self.ivy.state_id
        self.assertFalse(self._issue_codes(self.claim))

    def test_timely_filing_is_a_warning(self):
        self.payer.timely_filing_days = 30
        self.assertEqual(self._issue_codes(self.claim), {"timely_filing"})
        self.assertFalse(self.claim.is_incomplete)
        self.claim.action_submit()

    def test_nothing_is_asked_of_what_is_in_flight(self):
        self.claim.action_submit()
        self.ivy.birth_date = False
        self.assertFalse(self._issue_codes(self.claim))
        self.claim._reject("No birth date")
        self.assertEqual(self._issue_codes(self.claim), {"client_birth_date"})

    def test_many_are_refused_together_and_each_is_named(self):
        other = self._claims(self._invoices(self._visit(self._complete_client("Bob"), hour=12)))
        self.ivy.birth_date = False
        with self.assertRaises(UserError) as caught:
            (self.claim | other).action_submit()
        self.assertIn(self.claim.name, str(caught.exception))
        self.assertNotIn(other.name, str(caught.exception))
        self.assertEqual(other.state, "awaiting_submission")

    def test_long_lists_are_cut(self):
        visits = self._visit(hour=12)
        clients = [self._complete_client(f"Client {n}", birth_date=False) for n in range(12)]
        for client in clients:
            visits |= self._visit(client)
        claims = self._claims(self._invoices(visits))
        with self.assertRaisesRegex(UserError, "and 2 more claims"):
            claims.action_submit()

    def test_every_condition_has_its_words_and_the_other_way_round(self):
        conditions = self.env["healthcare.claim"]._issue_conditions()
        issues = self.env["healthcare.claim.issue"].search([])
        self.assertEqual(set(conditions), set(issues.mapped("code")))

    def test_search_by_words(self):
        self.ivy.sex = False
        found = self.claim.search([("issue_ids.name", "ilike", "no sex")])
        self.assertIn(self.claim, found)
        self.assertFalse(self.claim.search([("issue_ids.name", "ilike", "no birth date")]))

    def test_growth(self):
        """The check is one query, however many claims there are."""

        def claims(number):
            clients = [self._complete_client(f"C {n}", sex=False) for n in range(number)]
            visits = self.env["healthcare.appointment"]
            for client in clients:
                visits |= self._visit(client)
            return self._claims(self._invoices(visits))

        counts = []
        for number in (1, 5, 10):
            made = claims(number)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            made.mapped("issue_ids.name")
            made.search([("is_incomplete", "=", True)])
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[1], counts[2], counts)

    def test_diagnosis_of_a_new_code(self):
        """A biller changes the diagnosis on the claim, and the line follows by its letter."""
        newer = self.env["healthcare.diagnosis"].create({"code": "ZZ9.02", "name": "Newer"})
        self.claim.write(
            {
                "diagnosis_line_ids": [
                    Command.delete(self.claim.diagnosis_line_ids.id),
                    Command.create({"diagnosis_id": newer.id}),
                ]
            }
        )
        self.assertEqual(self._issue_codes(self.claim), {"missing_pointer"})
        self.claim.line_ids.pointers = "A"
        self.assertFalse(self._issue_codes(self.claim))
        self.assertEqual(self.claim.line_ids.pointer_ids.diagnosis_id, newer)
