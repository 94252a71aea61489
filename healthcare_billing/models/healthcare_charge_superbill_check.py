from odoo import models
from odoo.tools import format_date

from .healthcare_cpt_license import PAID_STATES
from .superbill_draft import ERROR, WARNING, SuperbillProblem

# Programs whose own rules make the provider claim, not the patient.
NO_SELF_CLAIM = ("MC", "MA", "MB")
# Visits named in one text; the others are counted.
MAX_VISITS = 3


class HealthcareCharge(models.Model):
    """What is missing on a superbill, told before it is issued.

    Without the identifiers of provider and practice, birth date, code or diagnosis no insurer
    repays anything: these are errors. Everything else is told, and left to the user.
    """

    _inherit = "healthcare.charge"

    def _check_superbill_drafts(self, drafts):
        """Fill in the problems of drafts that were made together."""
        present = self._present_superbills()
        claimed = self._on_live_claims()
        unlicensed = self._without_license()
        for draft in drafts:
            draft.problems.extend(
                [
                    *draft.charges._superbill_problems_of_header(draft.values),
                    *draft.charges._superbill_problems_of_services(),
                    *draft.charges._superbill_problems_of_licenses(unlicensed),
                    *self._superbill_problems_of_others(draft, present),
                    *self._superbill_problems_of_claims(draft.charges & claimed),
                ]
            )
        parts = {}
        for draft in drafts:
            parts.setdefault(draft.key.rsplit("-", 1)[0], []).append(draft)
        for split in parts.values():
            if len(split) > 1:
                split[0].problems.append(
                    self._superbill_problem(
                        "split",
                        WARNING,
                        self.env._(
                            "%(client)s: more than twelve diagnoses don't fit on one superbill. "
                            "There are going to be %(count)s.",
                            client=split[0].values["client_name"],
                            count=len(split),
                        ),
                    )
                )

    def _superbill_problem(self, code, level, text, records=None, charges=None):
        return SuperbillProblem(
            code, level, text, records, self.browse() if charges is None else charges
        )

    def _superbill_problems_of_header(self, values):
        """Problems of practice, provider, client and policy."""
        problem = self._superbill_problem
        company, client, coverage = self.company_id, self.client_id, self._superbill_coverage()
        name = client.display_name
        provider = self.employee_id
        result = []
        if not provider:
            result.append(
                problem(
                    "provider",
                    ERROR,
                    self.env._("%s: the appointments have no provider.", name),
                    self.appointment_id[:1],
                )
            )
        elif not values["provider_npi"]:
            result.append(
                problem(
                    "provider_npi",
                    # supervised providers have none of their own: the practice's stands for them
                    WARNING if values["practice_npi"] else ERROR,
                    self.env._("%s has no NPI.", values["provider_name"]),
                    provider,
                )
            )
        if provider and not provider.is_rendering_provider:
            result.append(
                problem(
                    "not_rendering",
                    WARNING,
                    self.env._("%s isn't a rendering provider.", values["provider_name"]),
                    provider,
                )
            )
        if provider and not values["provider_credentials"]:
            result.append(
                problem(
                    "credentials",
                    WARNING,
                    self.env._("%s has no credentials.", values["provider_name"]),
                    provider,
                )
            )
        if not values["practice_tax_id"]:
            result.append(
                problem("tax_id", ERROR, self.env._("%s has no tax ID.", company.name), company)
            )
        if not values["practice_npi"] and values["provider_npi"]:
            result.append(
                problem(
                    "practice_npi", WARNING, self.env._("%s has no NPI.", company.name), company
                )
            )
        if not values["practice_address"]:
            result.append(
                problem(
                    "practice_address",
                    WARNING,
                    self.env._("%s has no address.", company.name),
                    company,
                )
            )
        if not values["client_birth_date"]:
            result.append(
                problem("birth_date", ERROR, self.env._("%s has no birth date.", name), client)
            )
        if not values["client_address"]:
            result.append(
                problem("address", WARNING, self.env._("%s has no address.", name), client)
            )
        if coverage and not coverage.member_id:
            result.append(
                problem(
                    "member_id",
                    WARNING,
                    self.env._(
                        "%(client)s: the policy with %(payer)s has no member ID.",
                        client=name,
                        payer=coverage.payer_id.name,
                    ),
                    coverage,
                )
            )
        if coverage.payer_id.claim_filing_indicator in NO_SELF_CLAIM:
            result.append(
                problem(
                    "no_self_claim",
                    WARNING,
                    self.env._(
                        "%(client)s is covered by %(payer)s. Medicare and Medicaid take claims "
                        "from providers, not from patients, unless the provider opted out.",
                        client=name,
                        payer=coverage.payer_id.name,
                    ),
                    coverage,
                )
            )
        return result

    def _without_license(self):
        """Those of these charges that nobody billed and whose provider lacks a license (R8).

        What is billed was asked when its invoice was posted.
        """
        asked = self.filtered(
            lambda charge: (
                charge.product_id.code_system == "cpt"
                and charge.employee_id.is_rendering_provider
                and not charge.is_live
            )
        )
        years = {charge: charge._license_year() for charge in asked}
        # sudo: that one is missing is told, whoever prints
        licenses = (
            self.env["healthcare.cpt.license"]
            .sudo()
            .search(
                [
                    ("employee_id", "in", asked.employee_id.ids),
                    ("year", "in", list(set(years.values()))),
                    ("state", "in", PAID_STATES),
                ]
            )
        )
        paid = {(own.employee_id.id, own.year) for own in licenses}
        return asked.filtered(lambda charge: (charge.employee_id.id, years[charge]) not in paid)

    def _superbill_problems_of_licenses(self, unlicensed):
        """A superbill names a code that its provider may not use yet.

        :param unlicensed: see :meth:`_without_license`
        """
        charges = self & unlicensed
        if not charges:
            return []
        return [
            self._superbill_problem(
                "license",
                WARNING,
                self.env._(
                    "%(provider)s has no paid CPT license for %(visits)s.",
                    provider=charges.employee_id.name,
                    visits=charges._visits_text(),
                ),
                charges.employee_id,
                charges,
            )
        ]

    def _superbill_problems_of_services(self):
        """Problems of the lines: one for all services that lack the same."""
        undiagnosed = self.filtered(lambda charge: not charge._superbill_diagnoses())
        late = self.filtered(lambda charge: charge._late_diagnoses())
        uncoded = self.filtered(lambda charge: not charge.service_code)
        result = []
        for code, level, text, charges, records in (
            (
                "diagnosis",
                ERROR,
                self.env._("No diagnosis that was made by the day of care: %s."),
                undiagnosed,
                undiagnosed._mends_diagnosis(),
            ),
            (
                "price",
                ERROR,
                self.env._("No price: %s."),
                self.filtered(lambda charge: not charge.is_priced),
                None,
            ),
            (
                "qa",
                ERROR,
                self.env._("Still in QA review: %s."),
                self.filtered(lambda charge: charge.billing_stage == "qa"),
                None,
            ),
            (
                "place",
                WARNING,
                self.env._("No place of service: %s."),
                self.filtered(lambda charge: not charge.place_of_service_id),
                None,
            ),
        ):
            if charges:
                result.append(
                    self._superbill_problem(
                        code,
                        level,
                        text % charges._visits_text(),
                        records or charges._visits(),
                        charges,
                    )
                )
        if uncoded:
            names = ", ".join(uncoded.product_id.mapped("name"))
            result.append(
                self._superbill_problem(
                    "code",
                    ERROR,
                    self.env._("Services without a code: %s.", names),
                    uncoded.product_id.product_tmpl_id,
                    uncoded,
                )
            )
        if late:
            diagnoses = self.env["healthcare.diagnosis"].union(
                *(charge._late_diagnoses() for charge in late)
            )
            result.append(
                self._superbill_problem(
                    "late_diagnosis",
                    WARNING,
                    self.env._(
                        "%(diagnoses)s was diagnosed later, and isn't printed for %(visits)s.",
                        diagnoses=", ".join(diagnoses.mapped("code")),
                        visits=late._visits_text(),
                    ),
                    late.billing_account_id,
                    late,
                )
            )
        return result

    def _mends_diagnosis(self):
        """Where diagnoses are missing: on the visits, or in the client's list, if that is why."""
        without = self.filtered(
            lambda charge: (
                charge.billing_account_id
                and not charge.billing_account_id._diagnoses_on(charge.service_date)
            )
        )
        return without.billing_account_id if without else self._visits()

    def _take_clients_diagnoses(self):
        """Give visits without any diagnosis those that the client had on that day.

        :return: the charges that got some
        """
        charges = self._without_diagnosis()
        for diagnoses, appointments in charges.appointment_id.grouped(
            lambda visit: visit.billing_account_id._diagnoses_on(visit.service_date)
        ).items():
            appointments.diagnosis_ids = diagnoses
        return charges

    def _without_diagnosis(self):
        """Charges without any diagnosis whose client had some on the day of care."""
        return self.filtered(
            lambda charge: (
                charge.appointment_id
                and not charge.diagnosis_ids
                and not charge.appointment_id.diagnosis_ids
                and charge.billing_account_id._diagnoses_on(charge.service_date)
            )
        )

    def _visits(self):
        """What to open to mend these charges: their appointments, or the charges themselves."""
        return self.appointment_id or self

    def _visits_text(self):
        """The first of these visits by number and day, and how many more there are."""
        visits = [
            self.env._(
                "%(visit)s of %(day)s",
                visit=(charge.appointment_id or charge).display_name,
                day=format_date(self.env, charge.service_date),
            )
            for charge in self[:MAX_VISITS]
        ]
        if len(self) > MAX_VISITS:
            visits.append(self.env._("and %s more", len(self) - MAX_VISITS))
        return ", ".join(visits)

    def _on_live_claims(self):
        """Those of the charges that are on a claim of the practice now, sent or not."""
        # sudo: see _submitted_to_payers
        items = (
            self.env["healthcare.claim.item"]
            .sudo()
            .search([("charge_id", "in", self.ids), ("claim_live", "=", True)])
        )
        return self & self.browse(items.charge_id.ids)

    def _superbill_problems_of_claims(self, charges):
        """What practice and client both claim is paid once only."""
        if not charges:
            return []
        return [
            self._superbill_problem(
                "claimed",
                WARNING,
                self.env._(
                    "The practice claims these itself: %s. The superbill says so once the claim "
                    "is submitted.",
                    charges._visits_text(),
                ),
                charges._visits(),
                charges,
            )
        ]

    def _present_superbills(self):
        """Present superbills on which these charges are: ``{charge: superbill}``."""
        lines = self.env["healthcare.superbill.line"].search(
            [("charge_id", "in", self.ids), ("superbill_id.state", "=", "issued")]
        )
        present = {}
        for line in lines:
            present[line.charge_id] = present.get(line.charge_id, line.superbill_id.browse())
            present[line.charge_id] |= line.superbill_id
        return present

    def _superbill_problems_of_others(self, draft, present):
        """Care that stays on another present superbill could be claimed twice."""
        others = {}
        for charge in draft.charges:
            for superbill in present.get(charge, ()):
                others.setdefault(superbill, charge.browse())
                others[superbill] |= charge
        result = []
        for superbill, charges in others.items():
            if superbill.line_ids.charge_id <= draft.charges:
                continue  # it is replaced
            result.append(
                self._superbill_problem(
                    "twice",
                    WARNING,
                    self.env._(
                        "%(count)s of these services are on superbill %(superbill)s too: the "
                        "client could claim them twice.",
                        count=len(charges),
                        superbill=superbill.name,
                    ),
                    superbill,
                )
            )
        return result
