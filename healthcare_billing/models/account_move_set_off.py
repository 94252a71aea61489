from collections import defaultdict

from odoo import models


def _by_date(move):
    return (move.invoice_date, move.id)


class AccountMove(models.Model):
    """Documents of care settle each other only where they are about the same items.

    An item is a charge with its corrections, one party's part. A charge's credit would else pay
    another charge that happens to be on the same invoice.
    """

    _inherit = "account.move"

    def _set_off_within_items(self):
        """Set these posted documents off against the others of their items, oldest first.

        What is open on the smaller of two documents must be open on the other one item by item,
        the other way round. What doesn't fit stays open: a credit of its item.
        """
        items = self.sudo().invoice_line_ids.charge_id  # sudo: see _posted_document_lines
        others = items._family()._posted_document_lines().move_id.with_env(self.env)
        documents = self | others
        shares = {
            move: {key: amount for key, amount in own.items() if amount}
            for move, own in documents._open_shares().items()
        }
        holders = defaultdict(list)
        for move in documents:
            for key in shares[move]:
                holders[key].append(move)
        plan = []
        for move in self:
            about = dict.fromkeys(other for key in shares[move] for other in holders[key])
            for other in documents.browse(other.id for other in about).sorted(_by_date):
                pair = move._covered_by(other, shares) and (move, other)
                pair = pair or (other._covered_by(move, shares) and (other, move))
                if not pair:
                    continue
                small, large = pair
                for key, amount in shares[small].items():
                    shares[large][key] = move.currency_id.round(shares[large][key] + amount)
                shares[small] = {}
                plan += small._receivable_pairs(large)
        if plan:
            self.env["account.move.line"]._reconcile_plan(plan)

    def _covered_by(self, other, shares):
        """Whether all that is open on this document is open on the other with the opposite sign.

        :param dict shares: ``{move: {item: amount other than 0.00}}``
        """
        self.ensure_one()
        own, theirs = shares[self], shares[other]
        return bool(
            own
            and self != other
            and self.commercial_partner_id == other.commercial_partner_id
            and self.company_id == other.company_id
            and self.currency_id == other.currency_id
            and all(
                key[0]
                and amount * theirs.get(key, 0.0) < 0
                and self.currency_id.compare_amounts(abs(theirs[key]), abs(amount)) >= 0
                for key, amount in own.items()
            )
        )

    def _receivable_pairs(self, other):
        """What of two documents is reconciled with each other: their receivables per account.

        :return: list for ``account.move.line._reconcile_plan``
        """
        lines = (self | other).line_ids.filtered(
            lambda line: line.display_type == "payment_term" and not line.reconciled
        )
        return [
            own
            for account, own in lines.grouped("account_id").items()
            if account.reconcile and len(own.move_id) > 1
        ]
