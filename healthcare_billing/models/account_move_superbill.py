from odoo import api, fields, models
from odoo.exceptions import UserError

from .superbill_draft import ERROR


class AccountMove(models.Model):
    """Superbills of the care on invoices."""

    _inherit = "account.move"

    superbill_ids = fields.Many2many(
        "healthcare.superbill",
        "healthcare_superbill_move_rel",
        "move_id",
        "superbill_id",
        string="Superbills",
        readonly=True,
        copy=False,
        groups="healthcare_billing.group_billing_user",
    )
    superbill_count = fields.Integer(
        compute="_compute_superbill_count", groups="healthcare_billing.group_billing_user"
    )

    @api.depends("superbill_ids")
    def _compute_superbill_count(self):
        for move in self:
            move.superbill_count = len(move.superbill_ids)

    def _create_superbills(self):
        """Issue the superbills of the care on these invoices, each invoice for itself.

        One per invoice, client and rendering provider. Where a present superbill says the same
        already, it is taken, and no new number is given; one that covers the same care but says
        something else (a payment came in, say) is replaced. Care that a larger superbill covers is
        not put on a second one: the larger one is taken, as it is today.

        :return: ``healthcare.superbill`` records
        :raise UserError: naming all that is missing on any of the invoices
        """
        drafts = self._superbill_drafts()
        problems = self._superbill_problems(drafts)
        if problems:
            texts = [text for texts in problems.values() for text in texts]
            raise UserError("\n".join(dict.fromkeys(texts)))
        return self.env["healthcare.superbill"]._issue(
            [draft for group in drafts.values() for draft in group]
        )

    def _superbill_problems(self, drafts=None):
        """What keeps the superbills of these invoices from being issued.

        :param dict drafts: from :meth:`_superbill_drafts`, when they are at hand
        :return: ``{move: [texts]}``, only invoices with problems
        """
        drafts = self._superbill_drafts() if drafts is None else drafts
        problems = {}
        for move in self:
            texts = [problem.text for draft in drafts[move] for problem in draft.errors]
            if not drafts[move]:
                texts = [
                    self.env._(
                        "%s has no care on it that may be on a superbill. Missed appointments and "
                        "other fees never are.",
                        move._care_reference(),
                    )
                ]
            if texts:
                problems[move] = list(dict.fromkeys(texts))
        return problems

    def _superbill_drafts(self):
        """What superbills of these invoices would say: ``{move: [SuperbillDraft]}``.

        Nobody looks at each of them before they are issued: what makes a client able to claim care
        twice is an error here, not a warning.
        """
        invoices = self.filtered(
            lambda move: move.move_type == "out_invoice" and move.state != "cancel"
        )
        charges = invoices.invoice_line_ids.charge_id
        drafts = {move: [] for move in self}
        for draft in charges._superbill_drafts(moves=invoices, per_invoice=True):
            drafts[draft.moves].append(draft)
        drafts = self._take_larger_superbills(drafts)
        self._refuse_repeated_care([draft for group in drafts.values() for draft in group])
        return drafts

    @api.model
    def _take_larger_superbills(self, drafts):
        """Drafts of which others, or present superbills, cover all and more give way to those."""
        by_charge = {}
        for group in drafts.values():
            for draft in group:
                for charge in draft.charges:
                    by_charge.setdefault(charge, []).append(draft)
        present = self.env["healthcare.charge"].union(*by_charge)._present_superbills()
        today = {}
        result = {move: [] for move in drafts}
        for move, group in drafts.items():
            for draft in group:
                others = (d for d in by_charge[draft.charges[0]] if d.charges >= draft.charges)
                largest = max(others, key=lambda other: len(other.charges))
                covering = [
                    superbill
                    for superbill in present.get(draft.charges[0], ())
                    if superbill.line_ids.charge_id > largest.charges
                ]
                taken = [largest]
                if covering:
                    superbill = covering[0]
                    if superbill not in today:
                        today[superbill] = superbill._drafts_of_today()
                    taken = today[superbill]
                result[move] += [each._replace(moves=each.moves | move) for each in taken]
        return result

    @api.model
    def _refuse_repeated_care(self, drafts):
        """No care on two superbills, be they present or about to be issued."""
        first = {}
        for draft in drafts:
            advice = self.env._(
                "Issue one superbill for all of it from the client or the appointments, or void "
                "the other one first."
            )
            draft.problems[:] = [
                problem._replace(level=ERROR, text=f"{problem.text} {advice}")
                if problem.code == "twice" and problem.level != ERROR
                else problem
                for problem in draft.problems
            ]
            others = [first.setdefault(charge, draft) for charge in draft.charges]
            repeated = [other for other in others if other.charges != draft.charges]
            if repeated:
                draft.problems.append(
                    draft.charges._superbill_problem(
                        "twice",
                        ERROR,
                        self.env._(
                            "%(count)s of these services are on the superbill of "
                            "%(invoice)s too. %(advice)s",
                            count=len(repeated),
                            invoice=repeated[0].moves[:1]._care_reference(),
                            advice=advice,
                        ),
                    )
                )

    def action_superbill(self):
        """Show what the superbills of these invoices would say, and what is missing."""
        invoices = self.filtered(lambda move: move.move_type == "out_invoice")
        return self.env["healthcare.superbill.preview"]._open(
            invoices.invoice_line_ids.charge_id, moves=invoices, per_invoice=True
        )

    def action_view_superbills(self):
        """Open the superbills that were issued for this invoice."""
        return self.env["healthcare.superbill"]._action_of(self.superbill_ids)
