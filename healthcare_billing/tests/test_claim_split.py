from datetime import timedelta

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .claim_common import ClaimCommon
from .common import A_DAY


@tagged("post_install", "-at_install")
class TestClaimSplit(ClaimCommon):
    """R26: how many claims an invoice makes."""

    def _many(self, number, client=None, **vals):
        """Visits on days one after the other."""
        visits = self.env["healthcare.appointment"]
        for day in range(number):
            visits |= self._visit(client, day=A_DAY - timedelta(days=number - day), **vals)
        return visits

    def _planned(self, visits, **options):
        return self._plan_claims(self._invoices(visits, **options)).claims

    def _shape(self, claims):
        """Codes and number of lines of each claim."""
        return sorted((", ".join(claim.codes), len(claim.lines)) for claim in claims)

    def test_r26_one_claim_per_code_of_several_appointments(self):
        visits = self._many(2) | self._visit(product_id=self.service.id)
        claims = self._planned(visits)
        self.assertEqual(self._shape(claims), [("H0004", 1), ("T1001", 2)])
        self.assertEqual({claim.reasons for claim in claims}, {("code",)})

    def test_r26_all_codes_of_one_appointment_stay_together(self):
        visit = self._visit()
        self.env["healthcare.charge"].create(
            {
                "appointment_id": visit.id,
                "product_id": self.service.id,
                "diagnosis_ids": [Command.set(self.diagnosis.ids)],
            }
        )
        self.assertEqual(self._shape(self._planned(visit)), [("T1001, H0004", 2)])

    def test_r26_single_claim(self):
        """The flag of the invoice, as the billing account or the batch has set it."""
        visits = self._many(2) | self._visit(product_id=self.service.id)
        claims = self._planned(visits, group_single_claim=True)
        self.assertEqual(self._shape(claims), [("T1001, H0004", 3)])
        self.assertEqual(claims[0].reasons, ())
        account = self.ivy.billing_account_ids
        account.group_single_claim = True
        later = self._many(2, hour=15) | self._visit(product_id=self.service.id, hour=15)
        self.assertEqual(self._shape(self._planned(later)), [("T1001, H0004", 3)])

    def test_clients_never_share_a_claim(self):
        """One invoice for all clients of a batched payer makes a claim per client."""
        payer = self._payer("Batched", payer_type="government", invoicing_model="payer_batched")
        clients = [self._complete_client(f"Client {n}", payer=payer) for n in range(2)]
        visits = self._visit(clients[0]) | self._visit(clients[1])
        moves = self._invoices(visits)
        self.assertEqual(len(moves), 1)
        moves_claims = self._plan_claims(moves).claims
        self.assertEqual(
            {claim.client_id for claim in moves_claims}, {client.id for client in clients}
        )

    def test_invoices_never_share_a_claim(self):
        moves = self._invoices(self._visit()) | self._invoices(self._visit(hour=12))
        self.assertEqual(len(self._plan_claims(moves).claims), 2)

    def test_split_by_coverage(self):
        """A new policy number in between."""
        old = self.ivy.coverage_ids
        old.date_to = A_DAY
        new = self._coverage(
            self.ivy, self.payer, member_id="M-NEW", date_from=A_DAY + timedelta(days=1)
        )
        self.ivy.billing_account_ids.coverage_ids += new
        visits = self._visit() | self._visit(day=A_DAY + timedelta(days=1))
        claims = self._planned(visits, group_single_claim=True)
        self.assertEqual([claim.coverage_id for claim in claims], [old.id, new.id])
        self.assertEqual(claims[0].reasons, ("coverage_id",))

    def test_coverage_of_the_account_comes_first(self):
        other = self._coverage(self.ivy, self.payer, member_id="M-OTHER", sequence=1)
        claims = self._planned(self._visit())
        self.assertNotEqual(claims[0].coverage_id, other.id)

    def test_no_valid_coverage_is_told_by_the_check(self):
        move = self._invoices(self._visit())
        self.ivy.coverage_ids.date_to = A_DAY - timedelta(days=1)
        claim = self._claims(move)
        self.assertFalse(claim.coverage_id)
        self.assertEqual(self._issue_codes(claim), {"missing_coverage"})

    def test_split_by_billing_provider(self):
        account = self.ivy.billing_account_ids.copy({"payer_id": self.payer.id})
        account.write(
            {
                "billing_provider_id": self.provider.id,
                "coverage_ids": [Command.set(self.ivy.coverage_ids.ids)],
            }
        )
        visits = self._visit() | self._visit(hour=12, billing_account_id=account.id)
        visits.charge_ids.diagnosis_ids = False
        visits.diagnosis_ids = self.diagnosis
        claims = self._planned(visits, group_single_claim=True)
        self.assertEqual({claim.billing_provider_id for claim in claims}, {False, self.provider.id})

    def test_split_by_rendering_provider_unless_the_payer_mixes_them(self):
        second = self._second_provider()
        visits = self._visit() | self._visit(hour=12, employee_id=second.id)
        move = self._invoices(visits, group_single_claim=True)
        claims = self._plan_claims(move).claims
        self.assertEqual((len(claims), claims[0].reasons), (2, ("provider",)))
        self.payer.claim_mixes_providers = True
        claim = self._claims(move)
        self.assertEqual(len(claim), 1)
        self.assertEqual(claim.line_ids.rendering_provider_id, self.provider | second)

    def test_split_by_place_where_the_payer_wants_that(self):
        visits = self._many(2) | self._visit(place_of_service_id=self.home.id)
        move = self._invoices(visits, group_single_claim=True)
        claims = self._plan_claims(move).claims
        self.assertEqual(len(claims), 1)
        self.payer.claim_splits_places = True
        self.assertEqual(len(self._plan_claims(move).claims), 2)
        self.payer.claim_splits_places = False
        claim = self._claims(move)
        self.assertEqual(claim.place_of_service_id, self.place)  # where most of it was
        self.assertEqual(claim.line_ids.place_of_service_id, self.place | self.home)

    def test_six_lines_on_paper(self):
        self.payer.claim_format = "cms1500"
        claims = self._planned(self._many(13), group_single_claim=True)
        self.assertEqual([len(claim.lines) for claim in claims], [6, 6, 1])
        self.assertEqual(claims[0].reasons, ("full",))
        self.assertEqual(sum(claim.amount for claim in claims), 13 * 80.0)

    def test_fifty_lines_electronically(self):
        claims = self._planned(self._many(51), group_single_claim=True)
        self.assertEqual([len(claim.lines) for claim in claims], [50, 1])
        self.assertEqual(len({id_ for claim in claims for id_ in claim.charge_ids}), 51)

    def test_twelve_diagnoses(self):
        diagnoses = self._diagnoses(13)
        visits = self._many(4)
        for n, visit in enumerate(visits.sorted("start")):
            visit.diagnosis_ids = diagnoses[n * 4 : n * 4 + 4]
        claims = self._planned(visits, group_single_claim=True)
        self.assertEqual([len(claim.diagnosis_ids) for claim in claims], [12, 1])
        self.assertEqual(claims[0].diagnosis_ids, tuple(diagnoses[:12].ids))
        self.assertEqual(claims[0].reasons, ("full",))

    def test_diagnoses_in_order_each_once(self):
        """The primary one of the earliest visit comes first; lines keep their own order."""
        first, second, third = self._diagnoses(3)
        early, late = self._many(2).sorted("start")
        early.diagnosis_ids = second | third
        late.diagnosis_ids = first | second
        claim = self._claims(self._invoices(early | late, group_single_claim=True))
        self.assertEqual(list(claim.diagnosis_line_ids.diagnosis_id), [second, third, first])
        self.assertEqual(claim.line_ids.mapped("pointers"), ["AB", "CA"])

    def test_one_authorization_on_paper(self):
        visits = self._many(2)
        for number, visit in enumerate(visits):
            visit.authorization_id = self.env["healthcare.authorization"].create(
                {
                    "number": f"A-{number}",
                    "client_id": self.ivy.id,
                    "payer_id": self.payer.id,
                    "date_from": "2025-01-01",
                    "date_to": "2030-01-01",
                    "units": 9.0,
                }
            )
        move = self._invoices(visits, group_single_claim=True)
        claim = self._plan_claims(move).claims
        self.assertEqual(len(claim), 1)
        self.payer.claim_format = "cms1500"
        claims = self._claims(move)
        self.assertEqual(set(claims.mapped("authorization_number")), {"A-0", "A-1"})

    def test_identical_lines_are_merged_where_the_payer_wants_that(self):
        visits = self._visit() | self._visit(hour=12) | self._visit(hour=15)
        visits[2].charge_ids.modifier_ids = self.modifiers[:1]
        move = self._invoices(visits, group_single_claim=True)
        self.assertEqual(len(self._plan_claims(move).claims[0].lines), 3)
        self.payer.claim_merges_lines = True
        claim = self._claims(move)
        self.assertEqual(claim.line_ids.mapped("units"), [2.0, 1.0])
        self.assertEqual(claim.line_ids.mapped("amount"), [160.0, 80.0])
        self.assertEqual(len(claim.line_ids[0].item_ids), 2)
        self.assertEqual(len(claim.item_ids), 3)

    def test_different_authorizations_are_never_merged(self):
        self.payer.claim_merges_lines = True
        visits = self._visit() | self._visit(hour=12)
        visits[0].authorization_id = self.env["healthcare.authorization"].create(
            {
                "number": "A-1",
                "client_id": self.ivy.id,
                "payer_id": self.payer.id,
                "date_from": "2025-01-01",
                "date_to": "2030-01-01",
                "units": 9.0,
            }
        )
        claims = self._planned(visits, group_single_claim=True)
        self.assertEqual([len(claim.lines) for claim in claims], [2])

    def test_merged_charge_is_credited(self):
        """What is left of a merged line is what is still billed."""
        self.payer.claim_merges_lines = True
        visits = self._visit() | self._visit(hour=12)
        claim = self._claims(self._invoices(visits, group_single_claim=True))
        self.assertEqual(claim.line_count, 1)
        credit = self._credit(claim.invoice_ids, post=False)
        credit.invoice_line_ids.filtered("charge_id")[0].unlink()
        credit.action_post()
        self.assertEqual(
            (claim.line_ids.units, claim.line_ids.amount, len(claim.item_ids)), (1.0, 80.0, 1)
        )

    def test_plan_is_pure(self):
        move = self._invoices(self._many(2))
        self.env.flush_all()
        before = self.env["healthcare.claim"].search_count([])
        first, second = self._plan_claims(move), self._plan_claims(move)
        self.assertEqual(first, second)
        self.assertEqual(self.env["healthcare.claim"].search_count([]), before)

    def test_service_without_code(self):
        """Claims of services without a code are split by service, and the check tells it."""
        move = self._invoices(self._visit() | self._visit(hour=12, product_id=self.service.id))
        (self.visit_service | self.service).default_code = False
        claims = self._claims(move)
        self.assertEqual(len(claims), 2)
        with self.assertRaisesRegex(UserError, "without service code"):
            claims.action_submit()
