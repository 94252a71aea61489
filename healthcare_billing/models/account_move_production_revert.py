from collections import defaultdict
from dataclasses import dataclass, field

from odoo import api, models
from odoo.tools import split_every

from .account_move_posting import CHUNK_SIZE

# Identity, so that no client can send it: bills that are reverted stay drafts.
REVERTING = object()

# How many bills one request reverses: each takes a credit note and a bill of its own.
MAX_REVERSALS = 50


@dataclass(frozen=True)
class RevertPlan:
    """What would become of bills if they were reverted now; all in the order of the list.

    :ivar in_place: become drafts and keep their numbers
    :ivar reverse: are reversed, and billed again as new drafts; at most :data:`MAX_REVERSALS`
    :ivar left: would be reversed as well, the next time
    :ivar dict refused: ``{bill: text}``
    """

    in_place: models.Model
    reverse: models.Model
    left: models.Model
    refused: dict


@dataclass
class Reverted:
    """What became of bills that somebody reverted.

    :ivar drafts: made drafts in place
    :ivar left: not reversed yet, because they are too many for one request
    :ivar dict again: ``{reversed bill: its new drafts}``
    :ivar dict refused: ``{bill: text}`` why it is as it was
    """

    drafts: models.Model
    left: models.Model
    again: dict = field(default_factory=dict)
    refused: dict = field(default_factory=dict)


class AccountMove(models.Model):
    """Reverting approved bills to drafts (R25), by the rules of un-posting.

    Refused when money is reconciled. Made a draft again in place while nobody got it, nothing
    protects it and its period is open; else reversed, today or on the first open day, and billed
    again as a new draft with the same billing reference. The same charges are billed again, those
    that were made for a quote or fee included: nothing is billed twice, and no number is lost.
    """

    _inherit = "account.move"

    def _revert_plan(self):
        """What would become of each bill if it were reverted now. Writes nothing.

        :return: :class:`RevertPlan`
        """
        in_place = set(self._revertible_in_place().ids)
        settled = self._settled_by()
        refused = {}
        for move in self:
            if text := move._revert_refusal(settled.get(move), move.id in in_place):
                refused[move] = text
        free = self.filtered(lambda move: move not in refused)
        reverse = free.filtered(lambda move: move.id not in in_place)
        return RevertPlan(free - reverse, reverse[:MAX_REVERSALS], reverse[MAX_REVERSALS:], refused)

    def _revert_refusal(self, settled, in_place):
        """Why a bill can't be reverted.

        :param settled: names of what settles it, see :meth:`_settled_by`
        :param bool in_place: whether it could be a draft again without a reversal
        :return: text, or False
        """
        self.ensure_one()
        if self.production_state not in ("production", "produced"):
            return self.env._("It isn't an approved bill.")
        if settled:
            return self.env._("Paid, credited or written off by %s.", ", ".join(settled))
        notes = [note for note in self.reversal_move_ids if note.state == "draft"]
        if notes:
            return self.env._(
                "It has a credit note that is a draft: %s.",
                ", ".join(note._care_reference() for note in notes),
            )
        if self.move_type == "out_refund" and not in_place:
            return self.env._(
                "It is a credit note that was sent, or its books are locked, and credit notes "
                "aren't reversed. Record what it credits too much as work or an expense, and bill "
                "that."
            )
        return False

    def _settled_by(self):
        """What is reconciled with bills, or registered as their payment. Read once for all.

        :return: ``{bill: names}`` of those that are settled, in whole or in part
        """
        names = defaultdict(dict)  # as ordered sets
        terms = self.line_ids.filtered(lambda line: line.display_type == "payment_term")
        own = set(terms.ids)
        for partial in terms.matched_credit_ids | terms.matched_debit_ids:
            debit, credit = partial.debit_move_id, partial.credit_move_id
            for line, other in ((debit, credit), (credit, debit)):
                if line.id in own and other.move_id != line.move_id:
                    names[line.move_id][other.move_id.name] = True
        for move in self:
            for payment in move.matched_payment_ids:
                if not payment.move_id and payment.state not in ("canceled", "rejected"):
                    names[move][payment.display_name] = True
        return {move: list(found) for move, found in names.items()}

    def _revertible_in_place(self):
        """Bills that nobody got, that nothing protects, and whose periods are open.

        Each period is looked at once.
        """
        taxed = set(self.line_ids.filtered(lambda line: line._affect_tax_report()).move_id.ids)
        groups = self.filtered(
            lambda move: (
                not (move.is_move_sent or move.inalterable_hash or move.restrict_mode_hash_table)
            )
        ).grouped(lambda move: (move.company_id, move.journal_id, move.date, move.id in taxed))
        return self.browse(
            id_
            for (company, journal, date, has_tax), moves in groups.items()
            if not company._get_violated_lock_dates(date, has_tax, journal)
            for id_ in moves.ids
        )

    def _revert(self):
        """Make approved bills drafts again; one that can't be never stops the others.

        What is reversed takes long: of many, the rest is left for the next time.

        :return: :class:`Reverted`
        :raise AccessError: not a billing user
        """
        self._check_may_process()
        free = self.try_lock_for_update(allow_referencing=True)
        engine = self.env["healthcare.billing.engine"]
        plan = free._revert_plan()
        busy = self.env._("Another user is working on it right now. Try again.")
        done = Reverted(plan.in_place, plan.left)
        done.refused.update({**dict.fromkeys(self - free, busy), **plan.refused})

        def in_place(moves):
            moves._revert_in_place()

        def reverse(move):
            done.again[move] = move._revert_by_reversal()

        def fail(move, error):
            done.again.pop(move, None)
            done.refused[move] = engine._failure_text(error, self.env._("Nothing was changed."))

        for ids in split_every(CHUNK_SIZE, plan.in_place.ids):
            engine._isolate_faults(self.browse(ids), in_place, fail)
        for move in plan.reverse:
            engine._isolate_faults(move, reverse, fail)
        done.drafts = plan.in_place.filtered(lambda move: move not in done.refused)
        return done

    def _revert_in_place(self):
        self.with_context(skip_is_manually_modified=True).button_draft()
        self._message_log_batch(
            bodies=dict.fromkeys(self.ids, self.env._("Reverted from production to a draft bill."))
        )

    def _revert_by_reversal(self):
        """Reverse this bill, and bill the same again as a draft.

        The draft has the date of the reversal: no period gets what its reversal doesn't take out.

        :return: the new drafts
        """
        self._check_may_rebill()
        bill = self.with_context(skip_is_manually_modified=True, healthcare_keeps_drafts=REVERTING)
        charges = bill._live_charge_lines().charge_id
        parts = bill._live_parts()
        credit = bill._credit_for_rebill(self.env._("reverted to a draft bill"))
        self.env.flush_all()  # what is freed must be free in the database
        new = bill._bill_again(bill, charges, credit.invoice_date, only_parts=parts)
        documents = bill | credit | new
        text = self.env._(
            "Reverted from production: %(bill)s is reversed by %(credit)s, and again a draft bill "
            "as %(new)s.",
            bill=self.name,
            credit=credit.name,
            new=", ".join(move._care_reference() for move in new),
        )
        documents._message_log_batch(bodies=dict.fromkeys(documents.ids, text))
        return new.with_env(self.env)

    def _bill_again(self, origin, charges, invoice_date, *, only_parts):
        """What bills a bill of mass billing again is one too."""
        new = super()._bill_again(origin, charges, invoice_date, only_parts=only_parts)
        for replaced, moves in new.grouped("rebill_of_id").items():
            if not replaced.is_mass_bill:
                continue
            # only the system says so: users don't write it by hand
            moves._write_result(
                {"is_mass_bill": True, "invoice_template_id": replaced.invoice_template_id.id}
            )
            term = replaced.invoice_payment_term_id
            drafts = moves.filtered(
                lambda move, term=term: (
                    move.state == "draft" and move.invoice_payment_term_id != term
                )
            )
            if drafts:  # terms chosen for this bill only
                drafts.with_context(skip_is_manually_modified=True).invoice_payment_term_id = term
        return new

    def button_draft(self):
        """A draft bill isn't produced, whichever button made it one."""
        result = super().button_draft()
        # sudo: whoever may take invoices back need not be a biller
        produced = self.sudo().filtered(lambda move: move.is_mass_bill and move.produced_on)
        produced._write_result({"produced_on": False, "production_by_email": False})
        return result


class HealthcareBillingEngine(models.AbstractModel):
    _inherit = "healthcare.billing.engine"

    @api.model
    def _moves_posted_at_once(self, moves, run):
        """A bill of nothing that is reverted is a draft, as the others."""
        if self.env.context.get("healthcare_keeps_drafts") is REVERTING:
            return moves.browse()
        return super()._moves_posted_at_once(moves, run)
