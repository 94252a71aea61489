import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

_logger = logging.getLogger(__name__)

# What of an invoice line without a charge is billed again.
LOOSE_LINE_FIELDS = (
    "display_type", "name", "product_id", "product_uom_id", "quantity", "price_unit", "discount",
    "tax_ids", "account_id", "analytic_distribution",
)  # fmt: skip


class AccountMove(models.Model):
    """Credit and rebill: a posted invoice of care is credited, corrected and billed again.

    One transaction: a correction that can't be billed leaves everything as it was. The number
    series stay whole, because nothing posted is changed or deleted. It takes what a credit note of
    core takes, and the right to bill care: billing users and above.
    """

    _inherit = "account.move"

    rebill_of_id = fields.Many2one(
        "account.move",
        string="Bills Again",
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        groups="base.group_user",
        help="The credited invoice whose care this one bills again.",
    )
    rebilled_by_ids = fields.One2many(
        "account.move", "rebill_of_id", string="Billed Again by", groups="base.group_user"
    )
    rebilled_by_count = fields.Integer(
        compute="_compute_rebilled_by_count", groups="base.group_user"
    )

    has_live_charges = fields.Boolean(
        compute="_compute_has_live_charges", compute_sudo=True, groups="base.group_user"
    )

    @api.depends("invoice_line_ids.charge_live")
    def _compute_has_live_charges(self):
        for move in self:
            move.has_live_charges = any(move.invoice_line_ids.mapped("charge_live"))

    @api.depends("rebilled_by_ids")
    def _compute_rebilled_by_count(self):
        for move in self:
            move.rebilled_by_count = len(move.rebilled_by_ids)

    def action_view_rebilled_by(self):
        """Open the invoices that bill this one's care again."""
        self.ensure_one()
        return self._care_invoices_action(self.rebilled_by_ids)

    def action_credit_and_rebill(self):
        """Correct a posted invoice of care: credit it, change its charges, bill them again.

        :return: window action on a new ``healthcare.credit.rebill``
        :raise UserError: not a posted invoice that bills care now
        """
        self.ensure_one()
        return self._open_credit_and_rebill({})

    def _open_credit_and_rebill(self, corrections):
        """The dialog, with corrections filled in.

        :param dict corrections: ``{charge: values}``
        """
        self._check_may_rebill()
        return self.env["healthcare.credit.rebill"]._open(self, corrections)

    def _check_may_rebill(self):
        self.ensure_one()
        if self.move_type != "out_invoice" or self.state != "posted":
            raise UserError(
                self.env._(
                    "%s isn't a posted invoice. A draft is deleted, or changed, instead.",
                    self._care_reference(),
                )
            )
        if not self._live_charge_lines():
            again = ", ".join(move._care_reference() for move in self.rebilled_by_ids)
            if again:
                raise UserError(
                    self.env._(
                        "%(invoice)s was credited and billed again by %(again)s already.",
                        invoice=self._care_reference(),
                        again=again,
                    )
                )
            raise UserError(
                self.env._(
                    "%s bills no care now: it has none, or was credited already.",
                    self._care_reference(),
                )
            )
        draft = self.reversal_move_ids.filtered(lambda move: move.state == "draft")
        if draft:
            raise UserError(
                self.env._(
                    "%(invoice)s has a credit note that is a draft: %(credit)s. Post or delete it "
                    "first.",
                    invoice=self._care_reference(),
                    credit=draft[0]._care_reference(),
                )
            )

    def _live_charge_lines(self):
        return self.invoice_line_ids.filtered(lambda line: line.charge_id and line.charge_live)

    # -- one invoice -----------------------------------------------------------------------------
    def _credit_and_rebill(self, corrections, *, reason="", invoice_date=None, post=True):
        """Credit this invoice, correct its charges, and bill them again.

        Where a changed charge stands on another party's invoice too, that one is credited and
        billed again along with it. Payments go over to the new invoices of the same addressee.

        :param dict corrections: ``{charge: wanted values}``; units in the service's unit, amounts
            untaxed in the charge's currency
        :param str reason: told on all documents
        :param date invoice_date: of the new invoices, default today
        :param bool post: False leaves the new invoices as drafts
        :return: the new invoices
        :raise UserError: nothing changed, or what can't be credited or billed
        """
        self.ensure_one()
        if not self.try_lock_for_update(allow_referencing=True):
            raise UserError(
                self.env._("Another user is working on %s right now.", self._care_reference())
            )
        self._check_may_rebill()
        own = self._live_charge_lines().charge_id
        corrections = {
            charge: changed
            for charge, vals in corrections.items()
            if charge in own and (changed := charge._corrected_values(vals))
        }
        if not corrections:
            raise UserError(
                self.env._("Nothing was changed: there is nothing to credit and bill again.")
            )
        moves = self | self._other_invoices_to_rebill(corrections)
        charges = moves._live_charge_lines().charge_id
        payments = {move: move._release_payments() for move in moves}
        registered = {move: move._release_registered_payments() for move in moves}
        credits = self.browse(move._credit_for_rebill(reason).id for move in moves)
        self.env.flush_all()  # what is freed must be free in the database
        for charge, vals in corrections.items():
            charge._correct_for_rebill(vals)
        new = moves._bill_again(self, charges, invoice_date)
        if post:
            new.filtered(lambda move: move.state == "draft")._post(soft=False)
        moves._hand_over_registered_payments(registered)
        surplus = (
            moves._take_over_payments(payments)
            if post
            else sum(move._surplus(lines) for move, lines in payments.items())
        )
        self._log_rebilling(moves, credits, new, corrections, reason, surplus)
        self.env.flush_all()  # the guard answers here
        return new

    def _other_invoices_to_rebill(self, corrections):
        """Invoices of other parties that what changes stands on as well.

        :raise UserError: one of them is a draft, or can't be credited
        """
        self.ensure_one()
        changed = self.env["healthcare.charge"].browse(
            charge.id for charge, vals in corrections.items() if charge._changes_invoice(vals)
        )
        others = changed._live_lines().with_env(self.env).move_id - self
        if len(others.try_lock_for_update(allow_referencing=True)) < len(others):
            raise UserError(
                self.env._("Another user is working on %s right now.", self._care_reference())
            )
        for move in others:
            if move.state == "draft":
                raise UserError(
                    self.env._(
                        "The same care is on the draft %s of another party. Post or delete it "
                        "first.",
                        move._care_reference(),
                    )
                )
            move._check_may_rebill()
        return others

    # -- money -----------------------------------------------------------------------------------
    def _own_credit_notes(self):
        """Posted credit notes that take lines of this invoice back."""
        return self.reversal_move_ids.filtered(
            lambda move: move.state == "posted" and move.line_ids.credit_of_line_id & self.line_ids
        )

    def _release_payments(self):
        """Unreconcile what paid this invoice; credit notes of it stay reconciled.

        :return: ``{journal item: open amount before}`` of payments and other credits
        """
        self.ensure_one()
        receivable = self.line_ids.filtered(lambda line: line.display_type == "payment_term")
        notes = self._own_credit_notes()
        partials = receivable.matched_credit_ids | receivable.matched_debit_ids
        exchange = partials.exchange_move_id  # goes with its partial
        released = {}
        for partial in partials:
            other = (partial.debit_move_id | partial.credit_move_id) - receivable
            if other.move_id in notes:
                partials -= partial
            elif other.move_id not in exchange:
                released[other] = other.amount_residual
        partials.unlink()
        return released

    def _release_registered_payments(self):
        """Take the payments that were registered on this invoice off it.

        They may have no journal entry until the bank confirms them. Core takes whatever is
        reconciled with their invoice for that, which a credit note isn't.

        :return: ``account.payment`` recordset
        """
        self.ensure_one()
        payments = self.matched_payment_ids
        self.matched_payment_ids = False
        return payments

    def _hand_over_registered_payments(self, registered):
        """Register the payments on the new invoices of the same addressee.

        :param dict registered: per credited invoice, of ``_release_registered_payments``
        """
        for move, payments in registered.items():
            heirs = move.rebilled_by_ids.filtered(
                lambda new, move=move: new.commercial_partner_id == move.commercial_partner_id
            )
            heirs[:1].matched_payment_ids |= payments

    def _take_over_payments(self, payments):
        """Set released payments off against the new invoices of the same addressee.

        :param dict payments: per credited invoice, of ``_release_payments``
        :return: what is left over of them, in company currency
        """
        surplus = 0.0
        for move, released in payments.items():
            if released:
                heirs = move.rebilled_by_ids.filtered(
                    lambda new, move=move: (
                        new.state == "posted"
                        and new.commercial_partner_id == move.commercial_partner_id
                    )
                )
                heirs._set_off_against_lines(self.env["account.move.line"].union(*released))
                surplus += move._surplus(released)
        return surplus

    def _surplus(self, released):
        """What released payments leave open now, beyond what they left open before."""
        return -sum(line.amount_residual - before for line, before in released.items())

    def _set_off_against_lines(self, counterparts):
        receivable = self.line_ids.filtered(lambda line: line.display_type == "payment_term")
        for account, lines in (receivable | counterparts).grouped("account_id").items():
            open_lines = lines.filtered(lambda line: not line.reconciled)
            if account.reconcile and open_lines & receivable and open_lines & counterparts:
                open_lines.reconcile()

    def _set_off_against(self, moves):
        """Reconcile receivables of these documents with those of others."""
        self._set_off_against_lines(
            moves.line_ids.filtered(lambda line: line.display_type == "payment_term")
        )

    def _invoices_taken_from(self):
        """Of a credit note by a transfer: the invoices that bill what it takes from."""
        self.ensure_one()
        parties = {
            (line.charge_id._root(), line.responsibility)
            for line in self.invoice_line_ids
            if line.charge_id
        }
        lines = self.invoice_line_ids.charge_id._family()._live_lines().with_env(self.env)
        return lines.filtered(
            lambda line: (
                (line.charge_id._root(), line.responsibility) in parties
                and line.parent_state == "posted"
                and line.move_type == "out_invoice"
                and line.move_id.commercial_partner_id == self.commercial_partner_id
            )
        ).move_id

    # -- credit ----------------------------------------------------------------------------------
    def _credit_for_rebill(self, reason):
        """A posted credit note over what earlier ones left of this invoice.

        :raise UserError: earlier credit notes took back what isn't linked line by line
        """
        self.ensure_one()
        earlier = self._own_credit_notes()
        dates = self._reversal_dates()
        credit = self._reverse_moves(
            [{**dates, "invoice_date_due": dates["date"], "ref": self._credit_note_ref(reason)}]
        )
        if earlier:
            credit._leave_out_what_was_credited()
            left = self.amount_untaxed - sum(earlier.mapped("amount_untaxed"))
            if self.currency_id.compare_amounts(credit.amount_untaxed, left):
                raise UserError(
                    self.env._(
                        "%(invoice)s was credited in part by %(credit)s, and not line by line: "
                        "credit the rest by hand, then bill the care again.",
                        invoice=self._care_reference(),
                        credit=", ".join(earlier.mapped("name")),
                    )
                )
        credit.with_context(move_reverse_cancel=True)._post(soft=False)
        return credit

    def _credit_note_ref(self, reason):
        if reason:
            return self.env._("Reversal of: %(name)s, %(why)s", name=self.name, why=reason)
        return self.env._("Reversal of: %s", self.name)

    def _leave_out_what_was_credited(self):
        """Of a draft credit note, take off what posted ones took back before."""
        commands = []
        for line in self.invoice_line_ids.filtered("credit_of_line_id"):
            origin = line.credit_of_line_id
            if not origin.charge_live:
                commands.append(Command.delete(line.id))
            elif not origin.currency_id.is_zero(origin.charge_credited):
                left = abs(origin.price_subtotal) - origin.charge_credited
                sign = -1 if origin.price_subtotal < 0 else 1
                vals = {"quantity": 1.0, "discount": 0.0, "price_unit": sign * left}
                commands.append(Command.update(line.id, vals))
        self.write({"invoice_line_ids": commands})

    # -- bill again ------------------------------------------------------------------------------
    def _bill_again(self, origin, charges, invoice_date):
        """Draft invoices of the corrected charges, by the engine, linked to what they replace.

        :param origin: the invoice that somebody corrected; its run's way of splitting counts
        """
        options = origin.billing_run_id.options or {}
        engine = self.env["healthcare.billing.engine"].with_company(origin.company_id)
        new = engine.with_context(healthcare_billing_door="rebill")._bill_or_raise(
            charges,
            invoice_date=invoice_date,
            split_by=options.get("split_by") or (),
            payment_term_id=options.get("payment_term_id"),
            group_single_claim=origin.group_single_claim,
            narration=origin.narration,
            reference=origin.ref,
        )
        followed = self.browse()
        for move in new:
            replaced = self._replaced_by(move) or origin
            move.rebill_of_id = replaced
            if replaced not in followed and move.state == "draft":
                move._follow_up(replaced)
                followed |= replaced
        for replaced in self - followed:
            replaced._add_loose_lines_to(new.filtered(lambda move: move.state == "draft")[:1])
        return new

    def _replaced_by(self, new):
        """Of these credited invoices, the one that a new invoice replaces."""
        parties = set(new.invoice_line_ids.filtered("charge_id").mapped("responsibility"))
        return (
            self.filtered(lambda move: move.partner_id == new.partner_id)[:1]
            or self.filtered(
                lambda move: (
                    parties
                    & set(move.invoice_line_ids.filtered("charge_id").mapped("responsibility"))
                )
            )[:1]
        )

    def _follow_up(self, replaced):
        """This draft takes the place of a credited invoice: its own number, and what isn't care."""
        if replaced.billing_ref and replaced.partner_id == self.partner_id:
            self.write(
                {
                    "billing_ref": replaced.billing_ref,
                    "payment_reference": replaced.billing_ref,
                }
            )
            rows = self.billing_run_id.line_ids.filtered(lambda row: row.move_id == self)
            rows._set_result({"billing_ref": replaced.billing_ref})
        if replaced.invoice_user_id:
            self.invoice_user_id = replaced.invoice_user_id
        replaced._add_loose_lines_to(self)

    def _add_loose_lines_to(self, new):
        """What was invoiced besides charges is invoiced again."""
        loose = self.invoice_line_ids.filtered(
            lambda line: not line.charge_id and line.display_type in ("product", "line_note")
        )
        if not loose:
            return
        if not new:
            raise UserError(
                self.env._(
                    "%s has lines besides care, and no new invoice could take them. Credit it by "
                    "hand.",
                    self._care_reference(),
                )
            )
        new.write(
            {
                "invoice_line_ids": [
                    Command.create(
                        {
                            name: value
                            for name, value in line.copy_data()[0].items()
                            if name in LOOSE_LINE_FIELDS
                        }
                    )
                    for line in loose
                ]
            }
        )

    # -- told ------------------------------------------------------------------------------------
    def _log_rebilling(self, moves, credits, new, corrections, reason, surplus):
        """Say on every document what became of it, and on each appointment what changed."""
        names = {
            "invoices": ", ".join(move._care_reference() for move in moves),
            "credits": ", ".join(move._care_reference() for move in credits),
            "new": ", ".join(move._care_reference() for move in new),
        }
        text = self.env._(
            "Credit and rebill: %(invoices)s credited by %(credits)s, billed again by %(new)s.",
            **names,
        )
        if reason:
            text += " " + self.env._("Reason: %s.", reason)
        if not self.company_currency_id.is_zero(surplus):
            text += " " + self.env._(
                "Payments of %s stay as open credit.", self.company_currency_id.format(surplus)
            )
        documents = moves | credits | new
        documents._message_log_batch(bodies=dict.fromkeys(documents.ids, text))
        charges = self.env["healthcare.charge"].browse(charge.id for charge in corrections)
        appointments = charges.appointment_id
        appointments._message_log_batch(bodies=dict.fromkeys(appointments.ids, text))

    # -- many invoices ---------------------------------------------------------------------------
    def _credit_and_rebill_each(self, corrections, **options):
        """Correct several invoices; one that can't be corrected never stops the others.

        :param dict corrections: ``{charge: wanted values}``
        :param options: of ``_credit_and_rebill``
        :return: ``{invoice: new invoices or text}``: the text says why it was left as it was
        """
        results = {}
        for move in self:
            own = move._live_charge_lines().charge_id
            wanted = {charge: vals for charge, vals in corrections.items() if charge in own}
            try:
                with self.env.cr.savepoint():
                    results[move] = move._credit_and_rebill(wanted, **options)
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                raise  # the whole transaction is tried again on a new snapshot
            except UserError as error:
                results[move] = move.rebilled_by_ids or str(error)
            except Exception as error:
                _logger.exception("credit and rebill of %s failed", move.id)
                results[move] = self.env._(
                    "Unexpected error (%s). Nothing was changed; your administrator finds the "
                    "details in the server log.",
                    str(error).strip() or type(error).__name__,
                )
        return results
