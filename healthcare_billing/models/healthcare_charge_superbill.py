import hashlib
import json
from datetime import date

from odoo import models

from .superbill_draft import SuperbillDraft

MAX_DIAGNOSES_PER_SUPERBILL = 12
LETTERS = "ABCDEFGHIJKL"
# States of a claim that left the house.
SUBMITTED = ("submitted", "accepted", "rejected", "paid")


class HealthcareCharge(models.Model):
    """What superbills say of charges: one document per client and rendering provider."""

    _inherit = "healthcare.charge"

    def _superbill_drafts(self, moves=None, per_invoice=False):
        """What superbills of these charges would say, and what is missing for them.

        Charges that no superbill may name (R7: missed and future appointments; corrections) are
        left out. More than twelve diagnoses don't fit: they are split into several superbills.

        :param moves: ``account.move`` records for which they are made
        :param bool per_invoice: never bring the charges of two of these invoices together
        :return: list of :class:`SuperbillDraft`
        """
        moves = moves if moves is not None else self.env["account.move"]
        roots = self.filtered(lambda charge: not charge.parent_id) | self.parent_id
        charges = roots.filtered(lambda charge: charge._is_on_superbills())
        charges = charges.sorted(lambda charge: (charge.service_date, charge.id))
        groups = {}
        for charge, charge_moves in charges._with_moves(moves, per_invoice):
            key = (
                charge.company_id, charge.client_id, charge.employee_id, charge.currency_id,
                charge_moves if per_invoice else moves.browse(),
            )  # fmt: skip
            former_ids, former_moves = groups.get(key, ([], moves.browse()))
            groups[key] = ([*former_ids, charge.id], former_moves | charge_moves)
        money = charges._superbill_money()
        submitted = charges._submitted_to_payers()
        drafts = []
        for ids, group_moves in groups.values():
            for part, chunk in enumerate(charges._some(ids)._split_by_diagnoses()):
                values = chunk._in_superbill_language()._superbill_values(money, chunk & submitted)
                drafts.append(
                    SuperbillDraft(
                        key="-".join(
                            str(number)
                            for number in (
                                chunk.company_id.id, chunk.client_id.id, chunk.employee_id.id,
                                chunk.currency_id.id, *(group_moves.ids if per_invoice else ()),
                                f"part{part}",
                            )
                        ),
                        charges=chunk,
                        moves=group_moves,
                        values=values,
                        problems=[],
                    )
                )  # fmt: skip
        charges._check_superbill_drafts(drafts)
        return drafts

    def _in_superbill_language(self):
        """These charges of one client, in the language of their superbill.

        It is the client's, or else the practice's, and never that of whoever issues it: else the
        same care would be another superbill for each of them.
        """
        installed = self.env["res.lang"]._get_data
        languages = (self.client_id.lang, self.company_id.partner_id.lang)
        lang = next((lang for lang in languages if lang and installed(code=lang)), "en_US")
        return self.with_context(lang=lang)

    def _is_on_superbills(self):
        """Whether a superbill may name this care at all: what a payer may be told, and past."""
        self.ensure_one()
        return (
            self._is_reportable()
            and self.service_date <= self.company_id._care_today()
            and (not self.billing_account_id or self.billing_account_id.billable)
        )

    def _with_moves(self, moves, per_invoice):
        """Charges with those of the invoices that bill them.

        :return: list of ``(charge, account.move records)``; a charge that two of the invoices bill
            in part comes once per invoice if they are kept apart
        """
        per_charge = {}
        # sudo: what an invoice bills is asked by charges, that were read with the user's rights
        for line in moves.sudo().invoice_line_ids.filtered("charge_id"):
            root = line.charge_id.parent_id or line.charge_id
            per_charge.setdefault(root.id, []).append(line.move_id.id)

        def some(ids):
            return moves.browse(dict.fromkeys(ids)).with_prefetch(moves._prefetch_ids)

        result = []
        for charge in self:
            charge_moves = some(per_charge.get(charge.id, ()))
            if per_invoice:
                result += [(charge, some(move.ids)) for move in charge_moves]
            else:
                result.append((charge, charge_moves))
        return result

    def _superbill_diagnoses(self):
        """Diagnoses that may stand for this charge: those made by the day of care."""
        self.ensure_one()
        return self._ordered_diagnoses() - self._late_diagnoses()

    def _split_by_diagnoses(self):
        """Charges in runs that have no more diagnoses than a superbill has letters."""
        runs, known = [[]], self.env["healthcare.diagnosis"]
        for charge in self:
            diagnoses = charge._superbill_diagnoses()
            if len(known | diagnoses) > MAX_DIAGNOSES_PER_SUPERBILL:
                runs.append([])
                known = diagnoses
            known |= diagnoses
            runs[-1].append(charge.id)
        return [self._some(ids) for ids in runs if ids]

    def _some(self, ids):
        """Some of these charges, that go on being read together with the others."""
        return self.browse(ids).with_prefetch(self._prefetch_ids)

    # -- money -----------------------------------------------------------------------------------
    def _superbill_money(self):
        """What charges came to, with their corrections, and who paid how much of it.

        The client asks the insurer to repay what the client paid: "paid" is the money on the
        client's own invoices. What payers and others paid is told beside it, because the balance
        wouldn't be right without it.

        :return: ``{charge: {amount_adjusted, amount_paid, amount_paid_others}}``
        """
        by_client = self._paid_amounts(("client",))
        by_all = self._paid_amounts()
        adjusted = self._superbill_adjustments()
        return {
            charge: {
                "amount_adjusted": adjusted[charge],
                "amount_paid": by_client[charge],
                "amount_paid_others": charge.currency_id.round(by_all[charge] - by_client[charge]),
            }
            for charge in self
        }

    def _superbill_adjustments(self):
        """Corrections of charges, posted part credits and taxes: ``{charge: amount}``.

        A line that was credited in full doesn't bill the charge any more, and changes nothing.
        """
        totals = {
            charge: sum(child.amount for child in charge.child_ids if child.is_priced)
            for charge in self
        }
        # sudo: see _paid_amounts
        for line in (
            self.env["account.move.line"]
            .sudo()
            .search(
                [
                    ("charge_id", "in", (self | self.child_ids).ids),
                    ("charge_live", "=", True),
                    ("parent_state", "=", "posted"),
                ]
            )
        ):
            sign = -1 if line.move_type == "out_refund" else 1
            root = self.browse((line.charge_id.parent_id or line.charge_id).id)
            tax = line.price_total - line.price_subtotal
            totals[root] += sign * (tax - line.charge_credited)
        return {charge: charge.currency_id.round(total) for charge, total in totals.items()}

    # -- what it says ----------------------------------------------------------------------------
    def _superbill_values(self, money, submitted):
        """Values of the superbill of these charges, in their language.

        :param dict money: see :meth:`_superbill_money`
        :param submitted: those of the charges that the practice claims itself
        """
        diagnoses = self.env["healthcare.diagnosis"].union(
            *(charge._superbill_diagnoses() for charge in self)
        )
        letters = dict(zip(diagnoses, LETTERS, strict=False))
        lines = [
            charge._superbill_line_values(letters) | {"sequence": number} | money[charge]
            for number, charge in enumerate(self, 1)
        ]
        values = {
            **self._superbill_practice(),
            **self._superbill_provider(),
            **self._superbill_client(),
            **self._superbill_insurance(),
            "currency_id": self.currency_id.id,
            "date_from": min(self.mapped("service_date")),
            "date_to": max(self.mapped("service_date")),
            "diagnoses": [[letter, d.code, d.name] for d, letter in letters.items()],
            "is_submitted": bool(submitted),
        }
        for name in ("amount_adjusted", "amount_paid", "amount_paid_others"):
            values[name] = self.currency_id.round(sum(line[name] for line in lines))
        values["amount_charged"] = self.currency_id.round(sum(line["amount"] for line in lines))
        values["amount_balance"] = self.currency_id.round(
            values["amount_charged"]
            + values["amount_adjusted"]
            - values["amount_paid"]
            - values["amount_paid_others"]
        )
        values["fingerprint"] = _fingerprint(values, lines)
        values["issued_on"] = self.company_id._care_today()
        values["line_ids"] = [(0, 0, line) for line in lines]
        return values

    def _superbill_line_values(self, letters):
        self.ensure_one()
        return {
            "charge_id": self.id,
            "service_date": self.service_date,
            "place_of_service": self.place_of_service_id.code or "",
            "service_code": self.service_code or "",
            # the practice's own name of the service: texts of code sets are not ours to print
            "description": self.product_id.name,
            "modifiers": ", ".join(self.modifier_ids.sorted().mapped("code")),
            "pointers": ", ".join(letters[d] for d in self._superbill_diagnoses()),
            "quantity": self.quantity,
            "price_unit": self.price_unit,
            "amount": self.amount,
        }

    def _superbill_practice(self):
        company = self.company_id
        return {
            "company_id": company.id,
            "practice_name": company.name,
            "practice_address": _address(company.partner_id),
            "practice_phone": company.phone or "",
            "practice_email": company.email or "",
            "practice_npi": company.healthcare_npi or "",
            "practice_tax_id": company.vat or "",
        }

    def _superbill_provider(self):
        provider = self.employee_id  # billers read its public profile
        return {
            "employee_id": provider.id,
            "provider_name": provider.name or "",
            "provider_credentials": provider.credentials or "",
            "provider_npi": provider.npi or "",
        }

    def _superbill_client(self):
        client = self.client_id
        return {
            "client_id": client.id,
            "client_name": client.legal_name or client.name,
            "client_birth_date": client.birth_date,
            "client_sex": client.sex,
            "client_address": _address(client),
        }

    def _superbill_insurance(self):
        """The policy with which the client claims: that of the billing account, else the client's.

        :return: values of the superbill, empty texts without a policy
        """
        coverage = self._superbill_coverage()
        relationship = dict(coverage._fields["relationship"]._description_selection(self.env))
        return {
            "insurer_name": coverage.payer_id.name or "",
            "member_id": coverage.member_id or "",
            "group_number": coverage.group_number or "",
            "subscriber_name": coverage.subscriber_id.name or "",
            "subscriber_relationship": relationship.get(coverage.relationship, ""),
        }

    def _superbill_coverage(self):
        charge = self._some(self.ids[-1:])
        day = charge.service_date
        own = charge.billing_account_id._ordered_coverages(day) if charge.billing_account_id else ()
        coverages = own or charge.client_id.coverage_ids.filtered(
            lambda coverage: (
                coverage._covers(day) and coverage.company_id in (charge.company_id, False)
            )
        )
        return (coverages or self.env["healthcare.coverage"])[:1]

    def _submitted_to_payers(self):
        """Those of the charges that the practice itself claimed from payers."""
        # sudo: that it was claimed is printed, whoever prints
        items = (
            self.env["healthcare.claim.item"]
            .sudo()
            .search([("charge_id", "in", self.ids), ("claim_id.state", "in", SUBMITTED)])
        )
        return self & self.browse(items.charge_id.ids)


def _address(partner):
    lines = partner._display_address(without_company=True).splitlines()
    return "\n".join(line.strip() for line in lines if line.strip())


def _fingerprint(values, lines):
    """Two superbills with the same one say the same."""

    def plain(value):
        return value.isoformat() if isinstance(value, date) else value

    content = [
        sorted((name, plain(value)) for name, value in group.items()) for group in (values, *lines)
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
