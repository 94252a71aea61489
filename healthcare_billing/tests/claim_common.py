from odoo.fields import Command

from .common import NPI, STAFF_NPI, CareCommon

TAXONOMY = "101YM0800X"


class ClaimCommon(CareCommon):
    """A practice whose claims lack nothing, and a client with everything that a payer asks for."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("base.group_user").implied_ids |= cls.env.ref(
            "healthcare_billing.group_use_claims"
        )
        cls.us = cls.env.ref("base.us")
        cls.address = {
            "street": "1 Main Street",
            "city": "Albany",
            "zip": "12207",
            "state_id": cls.env.ref("base.state_us_27").id,
            "country_id": cls.us.id,
        }
        cls.company.write({"healthcare_npi": NPI, "healthcare_taxonomy_code": TAXONOMY})
        cls.company.partner_id.write({**cls.address, "zip": "12207-0001", "vat": "12-3456789"})
        cls.provider.taxonomy_code = TAXONOMY
        cls.payer.write({"edi_payer_id": "TEST1", "claim_filing_indicator": "CI"})
        cls.place = cls.env["healthcare.place.of.service"].search([("code", "=", "11")])
        cls.home = cls.env["healthcare.place.of.service"].search([("code", "=", "12")])
        cls.ivy = cls._complete_client("Ivy Insured")
        cls.modifiers = cls.env["healthcare.modifier"].create(
            [{"code": code, "name": f"Test {code}"} for code in ("ZA", "ZB", "ZC", "ZD", "ZE")]
        )

    @classmethod
    def _complete_client(cls, name, **vals):
        """A client of whom a claim can be submitted."""
        return cls._insured_client(
            name,
            **{
                "birth_date": "1980-05-06",
                "sex": "female",
                "legal_name": f"{name} Legal",
                **cls.address,
                **vals,
            },
        )

    @classmethod
    def _second_provider(cls):
        return cls._provider("Sam Second", npi=STAFF_NPI, taxonomy_code=TAXONOMY)

    @classmethod
    def _visit(cls, client=None, **vals):
        """A completed visit that may stand on a claim."""
        return cls._appointment(client or cls.ivy, **{"place_of_service_id": cls.place.id, **vals})

    @classmethod
    def _diagnoses(cls, number, client=None):
        """More diagnoses, all in the client's list."""
        diagnoses = cls.env["healthcare.diagnosis"].create(
            [{"code": f"ZZ8.{n:02}", "name": f"Test {n}"} for n in range(number)]
        )
        account = (client or cls.ivy).billing_account_ids
        account.diagnosis_ids = [Command.set(diagnoses.ids)]
        return diagnoses

    @classmethod
    def _invoices(cls, visits=None, post=True, **options):
        """Invoices of visits; default one visit of the common client."""
        return cls._execute(visits or cls._visit(), post=post, **options).move_ids

    @classmethod
    def _plan_claims(cls, moves):
        return cls.env["healthcare.claim.builder"].plan(moves)

    @classmethod
    def _claims(cls, moves=None):
        """Claims of invoices; default one of one visit."""
        builder = cls.env["healthcare.claim.builder"]
        return builder.create_claims(builder.plan(moves or cls._invoices()))

    @classmethod
    def _submitted(cls, moves=None):
        claims = cls._claims(moves)
        claims.action_submit()
        return claims

    @classmethod
    def _accepted(cls, moves=None, number="ICN-1"):
        claims = cls._submitted(moves)
        claims.action_accept()
        claims.payer_claim_number = number
        return claims

    @classmethod
    def _rejected(cls, moves=None, reason="Unknown member"):
        claims = cls._submitted(moves)
        claims._reject(reason)
        return claims

    @classmethod
    def _credit(cls, moves, post=True):
        """Full credit notes of invoices."""
        credits = moves._reverse_moves([move._reversal_dates() for move in moves])
        if post:
            credits.action_post()
        return credits

    def _issue_codes(self, claim):
        self.env.invalidate_all()
        return set(claim.issue_ids.mapped("code"))

    def _left_out(self, plan):
        return sorted(out.reason for out in plan.left_out)

    def _flush_tracking(self):
        """Write the history, as the end of a request does."""
        self.env.flush_all()
        self.env.cr.flush()
