from collections import defaultdict

from odoo import fields, models

from .healthcare_charge_balance import PARTIES
from .healthcare_charge_billing import CARE_DOCUMENTS


class AccountMove(models.Model):
    """Invoices that a statement made when it was committed."""

    _inherit = "account.move"

    care_statement_id = fields.Many2one(
        "healthcare.statement",
        string="Made by Statement",
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        groups="base.group_user",
        help="The statement whose commit invoiced this. Others may tell it, too.",
    )

    # -- what came back, and is posted anew ------------------------------------------------------
    def _post(self, soft=True):
        posted = super()._post(soft)
        posted._end_returns()
        return posted

    def _end_returns(self):
        """Care that is billed anew, or voided, isn't back at the billing office any more.

        A correction alone changes nothing: the item stays where it is.
        """
        # sudo: whoever posts need not be allowed to read charges
        documents = self.sudo().filtered(
            lambda move: move.move_type in CARE_DOCUMENTS and move.state == "posted"
        )
        ended = defaultdict(lambda: self.env["healthcare.charge"])
        for line in documents.invoice_line_ids.filtered("charge_id"):
            suffix = PARTIES.get(line.responsibility)
            if not suffix or not line.charge_id[f"returned_{suffix}"]:
                continue
            voids = line._is_counter_line() and not line.credit_of_line_id.charge_live
            if line.charge_live or voids:
                ended[line.responsibility] |= line.charge_id
        for party, charges in ended.items():
            charges._set_returned(party, False)

    # -- drafts that a statement takes items off ---------------------------------------------------
    def _refusal_to_detach(self):
        """Drafts of care that a statement may not take anything off, and why.

        :return: ``{move: text}``
        """
        edited = self._edited_by_hand()
        refusals = {}
        for move in self:
            if move in edited:
                text = self.env._("It is on draft %s, which was changed by hand.")
            elif move.production_state and move.production_state != "draft":
                text = self.env._("It is on bill %s, which is in production.")
            elif move.posted_before:
                text = self.env._("It is on draft %s, which was posted before.")
            elif move.billing_cycle_id and move.billing_cycle_id.state != "open":
                text = self.env._("It is on draft %s of a billing cycle that is being closed.")
            elif any(move.sudo().invoice_line_ids.charge_id.mapped("made_by_basis")):
                # sudo: whoever bills need not see every charge of the draft
                text = self.env._("It is on draft %s, which bills a quote or fixed fee.")
            else:
                continue
            refusals[move] = text % move._care_reference()
        return refusals

    def _detach_care(self, lines):
        """Take items off drafts of care; a draft of which nothing is left is deleted.

        :param lines: ``account.move.line`` records of these drafts
        """
        emptied = self.filtered(
            lambda move: (
                not (
                    move.invoice_line_ids.filtered(lambda line: line.display_type == "product")
                    - lines
                )
            )
        )
        for move in self - emptied:  # core computes each draft's balance again
            own = lines & move.invoice_line_ids
            own |= move._sections_of_only(own)
            move.with_context(skip_is_manually_modified=True).write(
                {"invoice_line_ids": [fields.Command.delete(line.id) for line in own]}
            )
        (self - emptied)._message_log_batch(
            bodies={
                move.id: self.env._("A statement took care off this draft.")
                for move in self - emptied
            }
        )
        emptied.unlink()
        self.env.flush_all()  # what is freed must be free before it is taken
