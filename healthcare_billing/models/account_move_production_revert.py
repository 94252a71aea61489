from dataclasses import dataclass, field

from odoo import api, models

# Identity, so that no client can send it: bills that are reverted stay drafts.
REVERTING = object()


@dataclass
class Reverted:
    """What became of bills that somebody reverted.

    :ivar drafts: made drafts in place
    :ivar dict again: ``{reversed bill: its new drafts}``
    :ivar dict refused: ``{bill: text}`` why it is as it was
    """

    drafts: models.Model
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

        :return: ``{outcome: account.move recordset}`` with the outcomes ``in_place``, ``reverse``
            and ``refused``
        """

        def outcome(move):
            if move._revert_refusal():
                return "refused"
            return "in_place" if move._may_revert_in_place() else "reverse"

        return {key: self.browse(moves.ids) for key, moves in self.grouped(outcome).items()}

    def _revert_refusal(self):
        """Why a bill can't be reverted.

        :return: text, or False
        """
        self.ensure_one()
        if self.production_state not in ("production", "produced"):
            return self.env._("It isn't an approved bill.")
        names = self._settled_by()
        if names:
            return self.env._("Paid, credited or written off by %s.", ", ".join(names))
        notes = self.reversal_move_ids.filtered(lambda move: move.state == "draft")
        if notes:
            return self.env._(
                "It has a credit note that is a draft: %s.",
                ", ".join(note._care_reference() for note in notes),
            )
        if self.move_type == "out_refund" and not self._may_revert_in_place():
            return self.env._(
                "It is a credit note that was sent, or its books are locked, and credit notes "
                "aren't reversed. Record what it credits too much as work or an expense, and bill "
                "that."
            )
        return False

    def _settled_by(self):
        """What is reconciled with this bill, or registered as its payment.

        :return: list of names
        """
        self.ensure_one()
        receivable = self.line_ids.filtered(lambda line: line.display_type == "payment_term")
        partials = receivable.matched_credit_ids | receivable.matched_debit_ids
        others = (partials.credit_move_id | partials.debit_move_id) - receivable
        payments = self.matched_payment_ids.filtered(
            lambda payment: not payment.move_id and payment.state not in ("canceled", "rejected")
        )
        return [*others.move_id.mapped("name"), *payments.mapped("display_name")]

    def _may_revert_in_place(self):
        """Nobody got it, nothing protects it, and its period is open."""
        self.ensure_one()
        return (
            not self.is_move_sent
            and not self.inalterable_hash
            and not self.restrict_mode_hash_table
            and not self._get_violated_lock_dates(self.date, self._affect_tax_report())
        )

    def _revert(self):
        """Make approved bills drafts again; one that can't be never stops the others.

        :return: :class:`Reverted`
        :raise AccessError: not a billing user
        """
        self._check_may_process()
        free = self.try_lock_for_update(allow_referencing=True)
        engine = self.env["healthcare.billing.engine"]
        done = Reverted(self.browse())
        busy = self.env._("Another user is working on it right now. Try again.")
        done.refused.update(dict.fromkeys(self - free, busy))
        plan = free._revert_plan()
        for move in plan.get("refused", self.browse()):
            done.refused[move] = move._revert_refusal()

        def in_place(moves):
            moves._revert_in_place()

        def reverse(move):
            done.again[move] = move._revert_by_reversal()

        def fail(move, error):
            done.again.pop(move, None)
            done.refused[move] = engine._failure_text(error, self.env._("Nothing was changed."))

        drafts = plan.get("in_place", self.browse())
        engine._isolate_faults(drafts, in_place, fail)
        for move in plan.get("reverse", self.browse()):
            engine._isolate_faults(move, reverse, fail)
        done.drafts = drafts.filtered(lambda move: move not in done.refused)
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
        if origin.is_mass_bill:
            quiet = new.with_context(skip_is_manually_modified=True, skip_invoice_sync=True)
            quiet.write(
                {"is_mass_bill": True, "invoice_template_id": origin.invoice_template_id.id}
            )
            term = origin.invoice_payment_term_id
            drafts = new.filtered(
                lambda move: move.state == "draft" and move.invoice_payment_term_id != term
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
