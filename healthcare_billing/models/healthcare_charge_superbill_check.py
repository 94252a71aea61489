from odoo import models
from odoo.tools import format_date

from .superbill_draft import ERROR, WARNING, SuperbillProblem

# Programs whose own rules make the provider claim, not the patient.
NO_SELF_CLAIM = ("MC", "MA", "MB")


class HealthcareCharge(models.Model):
    """What is missing on a superbill, told before it is issued.

    Without the identifiers of provider and practice, birth date, code or diagnosis no insurer
    repays anything: these are errors. Everything else is told, and left to the user.
    """

    _inherit = "healthcare.charge"

    def _check_superbill_drafts(self, drafts):
        """Fill in the problems of drafts that were made together."""
        present = self._present_superbills()
        for draft in drafts:
            draft.problems.extend(
                [
                    *draft.charges._superbill_problems_of_header(draft.values),
                    *(
                        problem
                        for charge in draft.charges
                        for problem in charge._superbill_problems_of_charge()
                    ),
                    *self._superbill_problems_of_others(draft, present),
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

    def _superbill_problem(self, code, level, text, record=None, charge=None):
        return SuperbillProblem(
            code, level, text, record, self.browse() if charge is None else charge
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

    def _superbill_problems_of_charge(self):
        """Problems of one line."""
        self.ensure_one()
        problem = self._superbill_problem
        source = self.appointment_id or self
        told = {"visit": source.display_name, "day": self._superbill_day()}
        late = self._late_diagnoses()
        result = []
        if not self._superbill_diagnoses():
            text = (
                self.env._(
                    "%(visit)s of %(day)s has no diagnosis that was made by that day.", **told
                )
                if late
                else self.env._("%(visit)s of %(day)s has no diagnosis.", **told)
            )
            record = self.billing_account_id if late else source
            result.append(problem("diagnosis", ERROR, text, record, self))
        if late:
            result.append(
                problem(
                    "late_diagnosis",
                    WARNING,
                    self.env._(
                        "%(visit)s of %(day)s: %(diagnoses)s was diagnosed later, and isn't "
                        "printed for it.",
                        diagnoses=", ".join(late.mapped("code")),
                        **told,
                    ),
                    self.billing_account_id,
                    self,
                )
            )
        if not self.service_code:
            result.append(
                problem(
                    "code",
                    ERROR,
                    self.env._("The service %s has no code.", self.product_id.name),
                    self.product_id.product_tmpl_id,
                    self,
                )
            )
        if not self.is_priced:
            result.append(
                problem(
                    "price",
                    ERROR,
                    self.env._("%(visit)s of %(day)s has no price.", **told),
                    source,
                    self,
                )
            )
        if self.billing_stage == "qa":
            result.append(
                problem(
                    "qa",
                    ERROR,
                    self.env._("%(visit)s of %(day)s is in QA review.", **told),
                    source,
                    self,
                )
            )
        if not self.place_of_service_id:
            result.append(
                problem(
                    "place",
                    WARNING,
                    self.env._("%(visit)s of %(day)s has no place of service.", **told),
                    source,
                    self,
                )
            )
        return result

    def _superbill_day(self):
        return format_date(self.env, self.service_date)

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
