from odoo import api, fields, models
from odoo.exceptions import UserError


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
        something else (a payment came in, say) is replaced.

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
        """What superbills of these invoices would say: ``{move: [SuperbillDraft]}``."""
        invoices = self.filtered(
            lambda move: move.move_type == "out_invoice" and move.state != "cancel"
        )
        charges = invoices.invoice_line_ids.charge_id
        drafts = {move: [] for move in self}
        for draft in charges._superbill_drafts(moves=invoices, per_invoice=True):
            drafts[draft.moves].append(draft)
        return drafts

    def action_superbill(self):
        """Show what the superbills of these invoices would say, and what is missing."""
        invoices = self.filtered(lambda move: move.move_type == "out_invoice")
        return self.env["healthcare.superbill.preview"]._open(
            invoices.invoice_line_ids.charge_id, moves=invoices, per_invoice=True
        )

    def action_view_superbills(self):
        """Open the superbills that were issued for this invoice."""
        return self.env["healthcare.superbill"]._action_of(self.superbill_ids)
