from collections import Counter, defaultdict
from dataclasses import replace

from psycopg2.errors import ExclusionViolation

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command

from .claim_plan import ClaimPlan, LeftOut, PlannedClaim, PlannedClaimItem, PlannedClaimLine

# Lines that a form has room for; form of those payers that name none.
LINE_LIMITS = {"837p": 50, "cms1500": 6}
DEFAULT_FORMAT = "837p"
MAX_CLAIM_DIAGNOSES = 12
# Payers that pay invoices, and take no claims.
PAYERS_WITHOUT_CLAIMS = ("facility", "affiliate")
LEFT_OUT_REASONS = [
    ("not_care", "Not an invoice of care"),
    ("credit_note", "Credit note"),
    ("not_posted", "The invoice isn't posted"),
    ("client_part", "The client pays this part"),
    ("missed", "Missed, canceled or not reportable care"),
    ("credited", "Credited"),
    ("moved", "All of it was moved to somebody else"),
    ("same_care", "Part of care that another invoice line claims in full"),
    ("no_claims", "This payer gets invoices only"),
    ("on_claim", "Already on a claim"),
]


class HealthcareClaimBuilder(models.AbstractModel):
    """Turns posted invoices of payers into claims. Nothing else creates an original claim.

    ``plan`` only reads and says which claims there would be; ``create_claims`` writes them, once:
    the guard on ``healthcare.claim.item`` holds whatever calls it.
    """

    _name = "healthcare.claim.builder"
    _description = "Claim Builder"

    # -- plan ------------------------------------------------------------------------------------
    @api.model
    def plan(self, moves):
        """Say which claims these invoices make (R26), and what of them makes none, and why.

        Writes nothing.

        :param moves: ``account.move`` recordset
        :return: :class:`ClaimPlan`, claims in the order of invoices and dates of service
        """
        moves.check_access("read")
        self.env["healthcare.claim"].check_access("read")
        ready, left_out = self._sort_out(moves)
        coverages = self._coverages(ready)
        claims = []
        for lines in self._by_invoice_and_party(ready).values():
            claims += self._plan_party(lines, coverages)
        return ClaimPlan(tuple(claims), tuple(left_out))

    @api.model
    def _sort_out(self, moves):
        """Invoice lines that belong on a claim, and the others with their reasons.

        :return: (``account.move.line`` recordset, list of :class:`LeftOut`)
        """
        lines = moves.invoice_line_ids.filtered("charge_id").sorted(
            lambda line: (line.move_id.id, line.charge_id.service_date, line.sequence, line.id)
        )
        # sudo: an invoice that this user may not see bills the care all the same
        billed = self._parties_billed(lines.sudo())
        holders = self._claims_holding(lines)
        # sums of invoices without care, and of what else stands on invoices of care, are no claims
        left_out = [
            LeftOut(move.id, False, "not_care", move.amount_untaxed)
            for move in moves - lines.move_id
        ]
        ready = lines.browse()
        for line in lines:
            key = self._care_key(line)
            reason = self._left_out_reason(line, holders)
            if not reason and line.charge_id.parent_id and key in billed:
                reason = "same_care"
            if reason:
                claim_id = holders.get(key, False)
                left_out.append(
                    LeftOut(
                        line.move_id.id,
                        line.charge_id.id,
                        reason,
                        line.price_subtotal,
                        claim_id if reason == "on_claim" else False,
                    )
                )
            else:
                ready |= line
                billed.add(key)
        return ready, left_out

    @api.model
    def _care_of(self, line):
        """The charge that a payer is told of: of a transfer, the one that it was made of."""
        return line.charge_id._root()

    @api.model
    def _care_key(self, line):
        return (self._care_of(line).id, line.responsibility)

    @api.model
    def _parties_billed(self, lines):
        """Who is billed for the care of these lines by a line of its own, and not by a transfer.

        :return: set of (charge id, responsibility)
        """
        return {
            (line.charge_id.id, line.responsibility)
            for line in lines.charge_id._roots().invoice_line_ids
            if line.charge_live
        }

    @api.model
    def _claims_holding(self, lines):
        """Claims that hold the care of these lines now.

        :return: ``{(charge id, responsibility): claim id}``
        """
        # sudo: a claim that this user may not see holds its charges all the same
        items = (
            self.env["healthcare.claim.item"]
            .sudo()
            .search_fetch(
                [("charge_id", "in", lines.charge_id._roots().ids), ("claim_live", "=", True)],
                ["charge_id", "responsibility", "claim_id"],
            )
        )
        return {(item.charge_id.id, item.responsibility): item.claim_id.id for item in items}

    @api.model
    def _left_out_reason(self, line, holders):
        """Why an invoice line goes on no claim, or None. Overriders add their own."""
        move, care = line.move_id, self._care_of(line)
        if move.move_type != "out_invoice":
            return "credit_note"
        if line.responsibility == "client":
            return "client_part"
        correction = line.charge_id - care
        if not care._is_reportable() or (correction and correction.kind != "transfer"):
            return "missed"
        if move.state != "posted":
            return "not_posted"
        if not line.charge_live:
            return "credited"
        if self._payer_of(line).payer_type in PAYERS_WITHOUT_CLAIMS:
            return "no_claims"
        if self._care_key(line) in holders:
            return "on_claim"
        if care._is_moved_away(line.responsibility):
            return "moved"
        return None

    @api.model
    def _payer_of(self, line):
        """Who gets the claim: of a charge's first payer its own, else whom the invoice names."""
        care = self._care_of(line)
        if line.responsibility == "primary" and care.payer_id:
            return care.payer_id
        return line.move_id.partner_id

    @api.model
    def _coverages(self, lines):
        """Policies of the clients of these lines.

        :return: ``{(client, payer): healthcare.coverage recordset in paying order}``
        """
        coverages = self.env["healthcare.coverage"].search(
            [("client_id", "in", lines.charge_id._roots().client_id.ids)], order="sequence, id"
        )
        return coverages.grouped(lambda coverage: (coverage.client_id, coverage.payer_id))

    @api.model
    def _coverage_of(self, line, coverages):
        """The policy that a line is claimed under; those of the billing account come first."""
        charge = self._care_of(line)
        known = coverages.get(
            (charge.client_id, self._payer_of(line)), self.env["healthcare.coverage"]
        )
        valid = known.filtered(
            lambda coverage: (
                coverage.company_id in (coverage.company_id.browse(), charge.company_id)
                and coverage._covers(charge.service_date)
            )
        )
        return (valid & charge.billing_account_id.coverage_ids)[:1] or valid[:1]

    @api.model
    def _by_invoice_and_party(self, lines):
        """Lines per invoice, client, payer and responsibility: what one claim can hold at most."""
        return lines.grouped(
            lambda line: (
                line.move_id,
                self._care_of(line).client_id,
                self._payer_of(line),
                line.responsibility,
            )
        )

    @api.model
    def _plan_party(self, lines, coverages):
        """Claims of one client to one payer from one invoice.

        :return: list of :class:`PlannedClaim`
        """
        move, payer = lines.move_id, self._payer_of(lines[0])
        cares = lines.charge_id._roots()
        visits = {care.appointment_id or care for care in cares}
        per_code = len(visits) > 1 and not move.group_single_claim
        groups = defaultdict(list)
        for line in lines:
            groups[self._split_key(line, payer, coverages, per_code)].append(line)
        reasons = self._split_reasons(groups)
        claims = []
        for key, members in groups.items():
            chunks = self._fit(self._planned_lines(members, payer), payer)
            for chunk in chunks:
                why = (*reasons, "full") if len(chunks) > 1 else reasons
                claims.append(self._planned_claim(members[0], payer, dict(key), chunk, why))
        return claims

    @api.model
    def _split_key(self, line, payer, coverages, per_code):
        """What separates claims of one client to one payer (R26): pairs of name and value.

        Overriders add pairs; a name that is a field of the claim fills it.
        """
        charge = self._care_of(line)
        key = [
            ("coverage_id", self._coverage_of(line, coverages).id),
            ("billing_provider_id", charge.billing_account_id.billing_provider_id.id),
        ]
        if per_code:
            key.append(("code", charge.service_code or charge.product_id.id))
        if not payer.claim_mixes_providers:
            key.append(("provider", charge.employee_id.id))
        if payer.claim_splits_places:
            key.append(("place", charge.place_of_service_id.id))
        if self._format_of(payer) == "cms1500":  # the form has one box for it
            key.append(("authorization", charge.authorization_id.id))
        return tuple(key)

    @api.model
    def _split_reasons(self, groups):
        """Names of what differs between the groups."""
        names = [name for name, _value in next(iter(groups))]
        return tuple(name for n, name in enumerate(names) if len({key[n][1] for key in groups}) > 1)

    @api.model
    def _format_of(self, payer):
        return payer.claim_format or DEFAULT_FORMAT

    @api.model
    def _planned_lines(self, lines, payer):
        """Claim lines of invoice lines; identical ones merged if the payer wants that.

        :return: list of :class:`PlannedClaimLine`
        """
        planned = {}
        for line in lines:
            new = self._planned_line(line)
            key = new.merge_key if payer.claim_merges_lines else line.id
            if key in planned:
                new = replace(new, items=planned[key].items + new.items)
            planned[key] = new
        return list(planned.values())

    @api.model
    def _planned_line(self, line):
        charge = self._care_of(line)
        return PlannedClaimLine(
            items=(PlannedClaimItem(charge.id, line.id, charge.amount, charge.quantity),),
            service_date=charge.service_date,
            product_id=charge.product_id.id,
            code=charge.service_code or False,
            modifier_ids=tuple(charge.modifier_ids.ids),
            diagnosis_ids=tuple(charge._ordered_diagnoses().ids),
            place_of_service_id=charge.place_of_service_id.id,
            rendering_provider_id=charge.employee_id.id,
            authorization_id=charge.authorization_id.id,
        )

    @api.model
    def _fit(self, lines, payer):
        """Cut lines into what one claim has room for: lines of its form, and 12 diagnoses.

        :param list lines: :class:`PlannedClaimLine`
        :return: list of lists
        """
        limit = LINE_LIMITS[self._format_of(payer)]
        chunks, known = [], set()
        for line in lines:
            union = known | set(line.diagnosis_ids)
            if not chunks or len(chunks[-1]) == limit or len(union) > MAX_CLAIM_DIAGNOSES:
                chunks.append([])
                union = set(line.diagnosis_ids)
            chunks[-1].append(line)
            known = union
        return chunks

    @api.model
    def _planned_claim(self, line, payer, key, lines, reasons):
        care = self._care_of(line)
        diagnoses = dict.fromkeys(
            diagnosis_id for planned in lines for diagnosis_id in planned.diagnosis_ids
        )
        return PlannedClaim(
            move_id=line.move_id.id,
            company_id=line.company_id.id,
            currency_id=care.currency_id.id,
            client_id=care.client_id.id,
            payer_id=payer.id,
            responsibility=line.responsibility,
            coverage_id=key["coverage_id"],
            billing_account_id=care.billing_account_id.id,
            billing_provider_id=key["billing_provider_id"],
            claim_format=self._format_of(payer),
            lines=tuple(lines),
            diagnosis_ids=tuple(diagnoses),
            reasons=reasons,
        )

    # -- create ----------------------------------------------------------------------------------
    @api.model
    def create_claims(self, plan):
        """Write planned claims, awaiting submission.

        :param plan: :class:`ClaimPlan`
        :return: ``healthcare.claim`` recordset
        :raise UserError: some of the care was claimed meanwhile
        """
        claims = self.env["healthcare.claim"]
        claims.check_access("write")
        if not plan.claims:
            raise UserError(self.env._("There is nothing here to claim."))
        numbers = claims._draw_numbers(len(plan.claims))
        values = [
            {**self._claim_values(claim), "name": number}
            for claim, number in zip(plan.claims, numbers, strict=True)
        ]
        try:
            with self.env.cr.savepoint():
                # sudo: claims are made of invoices only, never typed
                made = claims.sudo().create(values)
                made.flush_recordset()
        except ExclusionViolation as error:
            raise UserError(
                self.env._(
                    "Some of this care was put on a claim meanwhile. Nothing was created: add the "
                    "invoices to the claims again to see what is left."
                )
            ) from error
        made._log_origin()
        return made.with_env(self.env)

    @api.model
    def _claim_values(self, claim):
        """Values of a ``healthcare.claim`` from a :class:`PlannedClaim`."""
        return {
            "company_id": claim.company_id,
            "currency_id": claim.currency_id,
            "client_id": claim.client_id,
            "payer_id": claim.payer_id,
            "responsibility": claim.responsibility,
            "coverage_id": claim.coverage_id,
            "billing_account_id": claim.billing_account_id,
            "billing_provider_id": claim.billing_provider_id,
            "rendering_provider_id": self._most_common(claim, "rendering_provider_id"),
            "place_of_service_id": self._most_common(claim, "place_of_service_id"),
            "claim_format": claim.claim_format,
            "diagnosis_line_ids": [
                Command.create({"sequence": n, "diagnosis_id": diagnosis_id})
                for n, diagnosis_id in enumerate(claim.diagnosis_ids, 1)
            ],
            "line_ids": [
                Command.create(self._line_values(claim, line, n))
                for n, line in enumerate(claim.lines, 1)
            ],
        }

    @api.model
    def _most_common(self, claim, name):
        """A claim names who gave most of its care, and where; its lines say what differs."""
        return Counter(getattr(line, name) for line in claim.lines).most_common(1)[0][0]

    @api.model
    def _line_values(self, claim, line, number):
        return {
            "sequence": number,
            "service_date": line.service_date,
            "product_id": line.product_id,
            "code": line.code,
            "modifier_ids": [Command.set(line.modifier_ids)],
            "place_of_service_id": line.place_of_service_id,
            "rendering_provider_id": line.rendering_provider_id,
            "authorization_id": line.authorization_id,
            "units": line.units,
            "amount": line.amount,
            "pointer_ids": [
                Command.create({"sequence": n, "diagnosis_id": diagnosis_id})
                for n, diagnosis_id in enumerate(line.diagnosis_ids, 1)
            ],
            "item_ids": [
                Command.create(
                    {
                        "charge_id": item.charge_id,
                        "invoice_line_id": item.invoice_line_id,
                        "move_id": claim.move_id,
                        "responsibility": claim.responsibility,
                        "amount": item.amount,
                        "units": item.units,
                    }
                )
                for item in line.items
            ],
        }
