import base64
import re
from datetime import date, timedelta

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from ..models.healthcare_superbill import ISSUING
from .common import A_DAY, NPI, CareCommon

PRACTICE_NPI = "1245319599"


class SuperbillCommon(CareCommon):
    """A practice with all that a superbill says of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write(
            {
                "vat": "12-3456789",
                "healthcare_npi": PRACTICE_NPI,
                "street": "1 Main Street",
                "city": "Albany",
                "phone": "555-0100",
            }
        )
        cls.provider.credentials = "LCSW"
        cls.office = cls.env["healthcare.place.of.service"].search([("code", "=", "11")])
        cls.visit_service.place_of_service_id = cls.office
        cls.service.place_of_service_id = cls.office
        cls.anna = cls._patient("Anna Adams", legal_name="Annabel Adams")

    @classmethod
    def _patient(cls, name, **vals):
        """A self-pay client of whom all is known."""
        return cls._client(
            name,
            account={"diagnosis_ids": [Command.set(cls.diagnosis.ids)]},
            **{"birth_date": "1980-05-17", "street": "2 Elm Street", "city": "Troy"} | vals,
        )

    @classmethod
    def _diagnoses(cls, count):
        return cls.env["healthcare.diagnosis"].create(
            [{"code": f"ZX{n:02}", "name": f"Condition {n}"} for n in range(count)]
        )

    @classmethod
    def _issue(cls, records, **options):
        """Issue the superbills of charges or appointments."""
        drafts = cls._charges_of(records)._superbill_drafts(**options)
        return cls.env["healthcare.superbill"]._issue(drafts)

    def _credit(self, move, lines=None, amount=None):
        """Credit lines of an invoice through the native wizard, and reconcile."""
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({"journal_id": move.journal_id.id})
        )
        wizard.reverse_moves()
        credit = self.env["account.move"].search([("reversed_entry_id", "=", move.id)])
        keep = credit.invoice_line_ids.filtered(
            lambda line: not line.charge_id or line.charge_id in (lines or line.charge_id)
        )
        (credit.invoice_line_ids - keep).unlink()
        if amount is not None:
            keep.filtered("charge_id").price_unit = amount
        credit.action_post()
        receivable = (move | credit).line_ids.filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        )
        receivable.filtered(lambda line: not line.reconciled).reconcile()
        return credit

    @classmethod
    def _pay(cls, move, amount, **vals):
        wizard = (
            cls.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({"amount": amount, **vals})
        )
        return wizard._create_payments()

    def _problems(self, records, level=None):
        drafts = self._charges_of(records)._superbill_drafts()
        return [p.code for draft in drafts for p in draft.problems if level in (None, p.level)]


@tagged("post_install", "-at_install")
class TestSuperbill(SuperbillCommon):
    # -- what it says ----------------------------------------------------------------------------
    def test_snapshot(self):
        """Practice, provider, client by the legal name, codes, pointers, money."""
        coverage = self._coverage(self.anna, self.payer, member_id="M-77", group_number="G-1")
        self.service.modifier_ids = self.env["healthcare.modifier"].search([], limit=2)
        first = self._appointment(self.anna)
        second = self._appointment(
            self.anna, day=A_DAY + timedelta(days=1), product_id=self.service.id
        )
        superbill = self._issue(first + second)
        self.assertRecordValues(
            superbill,
            [
                {
                    "state": "issued",
                    "client_name": "Annabel Adams",
                    "client_birth_date": date(1980, 5, 17),
                    "practice_npi": PRACTICE_NPI,
                    "practice_tax_id": "12-3456789",
                    "practice_phone": "555-0100",
                    "provider_name": "Pat Provider",
                    "provider_credentials": "LCSW",
                    "provider_npi": NPI,
                    "insurer_name": "Test Insurance",
                    "member_id": coverage.member_id,
                    "group_number": "G-1",
                    "date_from": A_DAY,
                    "date_to": A_DAY + timedelta(days=1),
                    "amount_charged": 200.0,
                    "amount_paid": 0.0,
                    "amount_balance": 200.0,
                    "is_submitted": False,
                }
            ],
        )
        self.assertIn("1 Main Street", superbill.practice_address)
        self.assertIn("2 Elm Street", superbill.client_address)
        self.assertEqual(superbill.diagnoses, [["A", "ZZ9.01", "Test diagnosis"]])
        modifiers = ", ".join(self.service.modifier_ids.sorted().mapped("code"))
        self.assertRecordValues(
            superbill.line_ids,
            [
                {
                    "charge_id": first.charge_ids.id,
                    "service_date": A_DAY,
                    "place_of_service": "11",
                    "service_code": "T1001",
                    "description": "Nursing",
                    "modifiers": "",
                    "pointers": "A",
                    "quantity": 1.0,
                    "price_unit": 80.0,
                    "amount": 80.0,
                },
                {
                    "charge_id": second.charge_ids.id,
                    "service_date": A_DAY + timedelta(days=1),
                    "place_of_service": "11",
                    "service_code": "H0004",
                    "description": "Therapy",
                    "modifiers": modifiers,
                    "pointers": "A",
                    "quantity": 4.0,
                    "price_unit": 30.0,
                    "amount": 120.0,
                },
            ],
        )

    def test_one_per_client_and_provider(self):
        other = self._provider("Olga Other", npi="1888888884")
        ben = self._patient("Ben Brown")
        visits = (
            self._appointment(self.anna)
            + self._appointment(self.anna, hour=11)
            + self._appointment(self.anna, hour=13, employee_id=other.id)
            + self._appointment(ben)
        )
        superbills = self._issue(visits)
        self.assertEqual(
            {(s.client_id, s.employee_id, len(s.line_ids)) for s in superbills},
            {(self.anna, self.provider, 2), (self.anna, other, 1), (ben, self.provider, 1)},
        )
        self.assertEqual(len(set(superbills.mapped("name"))), 3)

    def test_r7_missed_and_planned_appointments_are_never_on_it(self):
        done = self._appointment(self.anna)
        others = self._appointment(self.anna, hour=10, state="scheduled")
        for hour, state in enumerate(("late_canceled", "no_show", "rescheduled", "canceled"), 11):
            others += self._appointment(self.anna, hour=hour, state=state)
        superbill = self._issue(done + others)
        self.assertEqual(superbill.line_ids.charge_id, done.charge_ids)
        self.assertFalse(others.charge_ids._superbill_drafts())

    def test_r7_missed_ones_on_the_invoice_are_not_on_its_superbill(self):
        visits = self._appointment(self.anna) + self._appointment(
            self.anna, hour=11, state="no_show"
        )
        move = self._execute(visits, post=True).move_ids
        self.assertEqual(move.amount_total, 160.0)
        superbill = move._create_superbills()
        self.assertEqual(superbill.amount_charged, 80.0)
        self.assertEqual(superbill.move_ids, move)

    def test_free_care_may_be_on_it(self):
        self.visit_service.list_price = 0.0
        superbill = self._issue(self._appointment(self.anna))
        self.assertEqual(superbill.line_ids.mapped("amount"), [0.0])

    def test_more_than_twelve_diagnoses_make_two(self):
        diagnoses = self._diagnoses(16)
        visits = self._appointment(self.anna).browse()
        for n in range(4):
            part = diagnoses[n * 4 : n * 4 + 4]
            visits += self._appointment(
                self.anna, day=A_DAY + timedelta(days=n), diagnosis_ids=[Command.set(part.ids)]
            )
        self.assertIn("split", self._problems(visits))
        superbills = self._issue(visits)
        self.assertEqual([len(s.diagnoses) for s in superbills], [12, 4])
        self.assertEqual([len(s.line_ids) for s in superbills], [3, 1])
        self.assertEqual(superbills[0].diagnoses[-1][0], "L")
        self.assertEqual(superbills[1].line_ids.pointers, "A, B, C, D")

    # -- languages -------------------------------------------------------------------------------
    def _french_visit(self):
        """A visit whose superbill says things that have a French name."""
        self.env["res.lang"]._activate_lang("fr_FR")
        country = self.env.ref("base.us")
        country.with_context(lang="fr_FR").name = "États-Unis"
        relationship = self.env["ir.model.fields.selection"].search(
            [("field_id.model", "=", "healthcare.coverage"), ("value", "=", "19")]
        )
        relationship.with_context(lang="fr_FR").name = "Enfant"
        self.visit_service.with_context(lang="fr_FR").name = "Séance"
        (self.anna | self.company.partner_id).country_id = country
        parent = self.env["res.partner"].create({"name": "Paul Parent"})
        self._coverage(self.anna, self.payer, relationship="19", subscriber_id=parent.id)
        return self._appointment(self.anna)

    def _issued_in(self, lang, visit):
        return self._issue(visit.charge_ids.with_context(lang=lang))

    def test_whoever_issues_it_it_is_the_same(self):
        """It says what it says in the practice's language, not in the user's."""
        visit = self._french_visit()
        self.anna.lang = False
        self.company.partner_id.lang = "en_US"
        superbill = self._issued_in("fr_FR", visit)
        self.assertIn("United States", superbill.client_address)
        self.assertIn("United States", superbill.practice_address)
        self.assertEqual(self._issued_in("en_US", visit), superbill)
        self.assertEqual(superbill.state, "issued")
        self.assertFalse(superbill.with_context(lang="fr_FR").has_changed)

    def test_it_is_in_the_clients_language(self):
        visit = self._french_visit()
        self.anna.lang = "fr_FR"
        superbill = self._issued_in("en_US", visit)
        self.assertIn("États-Unis", superbill.client_address)
        self.assertEqual(superbill.subscriber_relationship, "Enfant")
        self.assertEqual(superbill.line_ids.description, "Séance")
        self.assertEqual(self._issued_in("fr_FR", visit), superbill)

    # -- what is missing -------------------------------------------------------------------------
    def test_everything_there_no_problem(self):
        self.assertFalse(self._problems(self._appointment(self.anna)))

    def test_missing_header_data(self):
        visit = self._appointment(self.anna)
        for record, vals, code, level in (
            (self.anna, {"birth_date": False}, "birth_date", "error"),
            (self.anna, {"street": False, "city": False}, "address", "warning"),
            (self.company, {"vat": False}, "tax_id", "error"),
            (self.company, {"healthcare_npi": False}, "practice_npi", "warning"),
            (self.provider, {"npi": False}, "provider_npi", "warning"),
            (self.provider, {"credentials": False}, "credentials", "warning"),
            (self.provider, {"is_rendering_provider": False}, "not_rendering", "warning"),
            (self.visit_service, {"default_code": False}, "code", "error"),
        ):
            before = {name: record[name] for name in vals}
            record.write(vals)
            with self.subTest(code=code):
                self.assertEqual(self._problems(visit), [code])
                self.assertEqual(self._problems(visit, level), [code])
                if level == "error":
                    with self.assertRaises(UserError):
                        self._issue(visit)
            record.write(before)
        self.provider.npi = self.company.healthcare_npi = False
        self.assertEqual(self._problems(visit, "error"), ["provider_npi"])

    def test_r8_license_of_care_that_nobody_billed(self):
        """Told, with the button that mends it; what is billed was asked when it was posted."""
        cpt = self._service("Invented", "0000X", 100.0, code_system="cpt")
        place = self.env["healthcare.place.of.service"].search([("code", "=", "11")])
        visit = self._appointment(self.anna, product_id=cpt.id, place_of_service_id=place.id)
        self.assertEqual(self._problems(visit, "warning"), ["license"])
        action = visit.action_superbill()
        preview = self.env[action["res_model"]].browse(action["res_id"])
        action = preview.problem_ids.action_mend()
        self.assertEqual(action["res_model"], "healthcare.cpt.license.assign")
        self.assertEqual(action["context"]["default_employee_ids"], self.provider.ids)
        cpt_license = self.env["healthcare.cpt.license"].create({"employee_id": self.provider.id})
        self.assertEqual(self._problems(visit), ["license"])
        cpt_license.action_mark_paid()
        self.assertFalse(self._problems(visit))
        self._execute(visit, post=True)
        cpt_license.action_mark_unpaid()
        self.assertFalse(self._problems(visit))

    def test_missing_diagnosis_is_an_error(self):
        visit = self._appointment(self.anna, diagnosis_ids=[Command.clear()])
        visit.diagnosis_ids = False
        self.assertEqual(self._problems(visit, "error"), ["diagnosis"])
        with self.assertRaisesRegex(UserError, f"No diagnosis.*{visit.name}"):
            self._issue(visit)
        visit.diagnosis_ids = self.diagnosis
        self._issue(visit)

    def test_forgotten_diagnosis_reaches_invoiced_care(self):
        visit = self._appointment(self.anna)
        visit.diagnosis_ids = False
        move = self._execute(visit, post=True).move_ids
        self.assertEqual(list(move._superbill_problems()), list(move))
        visit.diagnosis_ids = self.diagnosis
        self.assertFalse(move._superbill_problems())
        self.assertEqual(move._create_superbills().line_ids.pointers, "A")

    def test_diagnosis_made_after_the_session_isnt_printed(self):
        late, early = self._diagnoses(2)
        account = self.anna.billing_account_ids
        visit = self._appointment(self.anna, diagnosis_ids=[Command.set((late + early).ids)])
        account.diagnosis_line_ids = [
            Command.clear(),
            Command.create({"diagnosis_id": late.id, "diagnosed_on": A_DAY + timedelta(days=1)}),
            Command.create({"diagnosis_id": early.id, "diagnosed_on": A_DAY}),
        ]
        self.assertEqual(self._problems(visit), ["late_diagnosis"])
        superbill = self._issue(visit)
        self.assertEqual(superbill.diagnoses, [["A", early.code, early.name]])
        account.diagnosis_line_ids[1].diagnosed_on = A_DAY + timedelta(days=2)
        self.assertEqual(self._problems(visit, "error"), ["diagnosis"])

    def test_medicare_and_medicaid_patients_are_told_of(self):
        self.payer.claim_filing_indicator = "MC"
        self._coverage(self.anna, self.payer)
        self.assertEqual(self._problems(self._appointment(self.anna)), ["no_self_claim"])

    def test_care_in_qa_waits(self):
        self.company.healthcare_qa_review = True
        visit = self._appointment(self.anna)
        self.assertEqual(self._problems(visit, "error"), ["qa"])
        visit.qa_state = "done"
        self.assertFalse(self._problems(visit))

    def test_one_bad_invoice_doesnt_stop_the_others(self):
        ben = self._patient("Ben Brown", birth_date=False)
        cora = self._patient("Cora Clark")
        visits = (
            self._appointment(self.anna)
            + self._appointment(ben)
            + self._appointment(cora, state="no_show")
        )
        moves = self._execute(visits, post=True).move_ids
        by_client = {move.partner_id: move for move in moves}
        problems = moves._superbill_problems()
        self.assertEqual(set(problems), {by_client[ben], by_client[cora]})
        self.assertIn("birth date", problems[by_client[ben]][0])
        self.assertIn("may be on a superbill", problems[by_client[cora]][0])
        with self.assertRaisesRegex(UserError, "birth date"):
            moves._create_superbills()
        self.assertTrue((moves - by_client[ben] - by_client[cora])._create_superbills())

    # -- numbers ---------------------------------------------------------------------------------
    def test_same_content_same_number(self):
        move = self._execute(self._appointment(self.anna), post=True).move_ids
        superbill = move._create_superbills()
        self.assertEqual(move._create_superbills(), superbill)
        self.assertEqual(self._issue(superbill.line_ids.charge_id), superbill)
        self.assertEqual(superbill.move_ids, move)

    def test_change_makes_a_new_one_and_keeps_the_old(self):
        move = self._execute(self._appointment(self.anna), post=True).move_ids
        old = move._create_superbills()
        pdf = old._pdf_contents()[old]
        self._pay(move, 80.0)
        self.assertTrue(old.has_changed)
        new = move._create_superbills()
        self.assertNotEqual(new.name, old.name)
        self.assertEqual((old.state, old.replaced_by_id, new.replaces_ids), ("replaced", new, old))
        self.assertEqual((old.amount_paid, new.amount_paid, new.amount_balance), (0.0, 80.0, 0.0))
        self.assertEqual(base64.b64decode(old.sudo().pdf), pdf)
        self.assertFalse(new.has_changed)
        with self.assertRaisesRegex(UserError, new.name):
            old._reissue()
        self.assertEqual(new._reissue(), new)

    def test_bigger_one_replaces_its_parts(self):
        first, second, third = (self._appointment(self.anna, hour=hour) for hour in (9, 11, 13))
        one, two = self._issue(first), self._issue(second + third)
        both = self._issue(first + second + third)
        self.assertEqual((one + two).replaced_by_id, both)
        self.assertIn("twice", self._problems(first + second))
        part = self._issue(first + second)
        self.assertEqual((both.state, part.state), ("issued", "issued"))

    def test_numbers_are_never_reused(self):
        first = self._issue(self._appointment(self.anna))
        first._void("Wrong client")
        again = self._issue(first.line_ids.charge_id)
        self.assertNotEqual(again, first)
        self.assertGreater(again.name, first.name)
        self.assertEqual((first.state, first.void_reason), ("void", "Wrong client"))
        with self.assertRaisesRegex(UserError, "is void"):
            first._void("Again")
        with self.assertRaisesRegex(UserError, "Say why"):
            again._void("  ")

    def test_numbers_are_a_companys_own(self):
        """Two companies may give the same number; one company that gives it twice is told so."""
        first = self._issue(self._appointment(self.anna))
        elsewhere = self.setup_other_company()["company"]
        values = {
            name: first[name]
            for name in ("issued_on", "date_from", "date_to", "name", "fingerprint")
        }
        twin = self.env["healthcare.superbill"].with_context(healthcare_superbill=ISSUING)
        twin.create(
            {
                **values,
                "company_id": elsewhere.id,
                "client_id": self.anna.id,
                "currency_id": elsewhere.currency_id.id,
            }
        )
        sequence = self.env["ir.sequence"].search([("code", "=", "healthcare.superbill")], limit=1)
        own = sequence.copy({"company_id": self.company.id, "code": sequence.code})
        own.number_next = int(re.search(r"\d+", first.name).group())
        visit = self._appointment(self.anna, hour=15)
        with self.assertRaisesRegex(UserError, "given already.*next number"):
            self._issue(visit)
        self.assertEqual(first.state, "issued")
        own.number_next = 500
        self.assertIn("500", self._issue(visit).name)

    def test_issued_ones_stay(self):
        superbill = self._issue(self._appointment(self.anna)).sudo()
        for vals in ({"client_name": "X"}, {"name": "SB1"}, {"state": "void"}, {"line_ids": []}):
            with self.subTest(vals=vals), self.assertRaises(UserError):
                superbill.write(vals)
        with self.assertRaises(UserError):
            superbill.unlink()
        with self.assertRaises(UserError):
            superbill.copy()
        with self.assertRaises(UserError):
            superbill.line_ids.amount = 1.0
        with self.assertRaises(UserError):
            superbill.line_ids.unlink()
        with self.assertRaises(UserError):
            superbill.line_ids.copy({"superbill_id": superbill.id})

    def test_it_keeps_what_it_said(self):
        visit = self._appointment(self.anna)
        superbill = self._issue(visit)
        self.anna.write({"legal_name": "Somebody Else", "birth_date": "2000-01-01"})
        self.diagnosis.name = "Renamed"
        self.visit_service.name = "Renamed"
        self.assertEqual(superbill.client_name, "Annabel Adams")
        self.assertIn("Test diagnosis", superbill.diagnosis_list)
        self.assertEqual(superbill.line_ids.description, "Nursing")
        self.assertTrue(superbill.has_changed)
        visit.unlink()
        self.assertEqual(superbill.line_ids.service_code, "T1001")

    # -- rights and companies --------------------------------------------------------------------
    def test_who_issues_and_who_reads(self):
        visit = self._appointment(self.anna)
        superbill = self._issue(self._appointment(self.anna, hour=15))
        users = self._users("care_staff", "coordinator", "billing_user", "accountant")
        for kind in ("care_staff", "accountant"):
            with self.subTest(user=kind), self.assertRaises(AccessError):
                superbill.with_env(self._act_as(users[kind])).read(["name"])
        env = self._act_as(users["coordinator"])
        self.assertEqual(superbill.with_env(env).client_name, "Annabel Adams")
        self.assertTrue(superbill.with_env(env)._pdf_contents())
        with self.assertRaises(AccessError):
            superbill.with_env(env)._void("No right")
        with self.assertRaises(AccessError):
            env["healthcare.superbill"]._issue(visit.charge_ids.with_env(env)._superbill_drafts())
        env = self._act_as(users["billing_user"])
        issued = env["healthcare.superbill"]._issue(
            visit.charge_ids.with_env(env)._superbill_drafts()
        )
        self.assertEqual(issued.provider_npi, NPI)
        with self.assertRaises(UserError):
            env["healthcare.superbill"].create({"name": "SB1", "client_id": self.anna.id})
        issued._void("Right")
        for name in issued.fields_get():
            issued.read([name])

    def test_other_companys_superbills(self):
        superbill = self._issue(self._appointment(self.anna))
        company = self.setup_other_company()["company"]
        manager = self._user("billing_manager")
        manager.write({"company_ids": [Command.set(company.ids)], "company_id": company.id})
        env = self.env(user=manager, context={"allowed_company_ids": company.ids})
        self.assertFalse(env["healthcare.superbill"].search([]))
        self.assertFalse(env["healthcare.superbill.line"].search([]))
        with self.assertRaises(AccessError):
            superbill.with_env(env).read(["name"])

    # -- growth ----------------------------------------------------------------------------------
    def test_queries_dont_grow_with_the_invoices(self):
        def invoices(count):
            visits = self.env["healthcare.appointment"]
            for n in range(count):
                visits += self._appointment(self._patient(f"Client {count} {n}"))
            return self._execute(visits, post=True).move_ids

        few, many = invoices(4), invoices(8)
        self.env.flush_all()

        def queries(moves):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.assertFalse(moves.browse(moves.ids)._superbill_problems())
            return self.env.cr.sql_log_count - start

        queries(few)
        queries(many)
        self.assertEqual(queries(many), queries(few))
