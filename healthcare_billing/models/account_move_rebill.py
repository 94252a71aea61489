import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

# What of an invoice line without a charge is billed again.
LOOSE_LINE_FIELDS = (
    "display_type", "name", "product_id", "product_uom_id", "quantity", "price_unit", "discount",
    "tax_ids", "account_id", "analytic_distribution",
)  # fmt: skip

# Written by corrections only.
RECORDED_FIELDS = ("rebill_of_id", "rebill_credit_line_ids")


class AccountMove(models.Model):
    """Credit and rebill: a posted invoice of care is credited, corrected and billed again.

    One transaction: a correction that can't be billed leaves everything as it was. The number
    series stay whole, because nothing posted is changed or deleted. It takes what a credit note of
    core takes, and the right to bill care: billing users and above. Credit notes are in
    ``models/account_move_rebill_credit.py``, payments in ``models/account_move_rebill_money.py``.
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

    rebill_credit_line_ids = fields.Many2many(
        "account.move.line",
        "account_move_rebill_credit_rel",
        string="Payments Waiting",
        copy=False,
        readonly=True,
        groups="base.group_user",
        help="What paid the credited invoice, and is set off against this one when it is posted.",
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

    @api.model_create_multi
    def create(self, vals_list):
        defaults = {name: self.env.context.get(f"default_{name}") for name in RECORDED_FIELDS}
        for vals in vals_list:
            self._check_recorded({**defaults, **vals})
        return super().create(vals_list)

    def write(self, vals):
        self._check_recorded(vals)
        return super().write(vals)

    @api.model
    def _check_recorded(self, vals):
        """What bills what again decides who inherits payments: only a correction says so."""
        if not self.env.su and any(vals.get(name) for name in RECORDED_FIELDS):
            raise UserError(
                self.env._(
                    "Which invoice bills another one again is recorded by Credit & Rebill, and "
                    "can't be changed."
                )
            )

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
        self.env["healthcare.charge"]._check_no_transfer_waits(corrections)
        moves = self | self._other_invoices_to_rebill(corrections)
        charges = moves._live_charge_lines().charge_id
        before = charges._parts_before_rebill()
        billed = moves._live_parts()
        agreed = moves._agreed_charges()
        part_credits = moves._part_credits(corrections | agreed.touched_differences(corrections))
        payments = {move: move._release_payments() for move in moves}
        registered = {move: move._release_registered_payments() for move in moves}
        if not post:
            moves._check_may_wait_as_draft(payments, part_credits)
        credits = self.browse(move._credit_for_rebill(reason).id for move in moves)
        self.env.flush_all()  # what is freed must be free in the database
        moved = charges._correct_all_for_rebill(corrections, before, agreed)
        charges |= charges.browse(charge_id for charge_id, _party in moved)
        new = moves._bill_again(self, charges, invoice_date, only_parts=billed | moved)
        if post:
            new.filtered(lambda move: move.state == "draft")._post(soft=False)
            credits |= new._credit_parts_again(part_credits.kept, reason)
        moves._hand_over_registered_payments(registered)
        moves._bequeath_payments(payments)
        if post:
            new._take_bequests()
            moves._check_no_write_off_left(payments)
        told = moves._surplus_text(payments) + part_credits.text
        self._log_rebilling(moves, credits, new, corrections, reason, told)
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

    # -- bill again ------------------------------------------------------------------------------
    def _live_parts(self):
        """Who is billed for which charge by these invoices now.

        :return: frozenset of ``(charge id, responsibility)``
        """
        return frozenset(
            (line.charge_id.id, line.responsibility) for line in self._live_charge_lines()
        )

    def _first_billed_on(self):
        """When the care of these invoices was first billed, however often it was billed again."""
        dates = []
        for move in self:
            while move.rebill_of_id:
                move = move.rebill_of_id
            dates.append(move.invoice_date)
        return min(dates)

    @api.model
    def _first_billed_on_sql(self, move):
        """SQL expression: when what an invoice bills again was first billed, else NULL.

        :param SQL move: alias of ``account_move``
        """
        return SQL(
            "(WITH RECURSIVE replaced AS ("
            " SELECT o.id, o.rebill_of_id, o.invoice_date FROM account_move o"
            " WHERE o.id = %s.rebill_of_id"
            " UNION ALL SELECT o.id, o.rebill_of_id, o.invoice_date"
            " FROM replaced r JOIN account_move o ON o.id = r.rebill_of_id)"
            " SELECT invoice_date FROM replaced WHERE rebill_of_id IS NULL)",
            move,
        )

    def _bill_again(self, origin, charges, invoice_date, *, only_parts):
        """Draft invoices of the corrected charges, by the engine, linked to what they replace.

        :param origin: the invoice that somebody corrected; its run's way of splitting counts
        :param frozenset only_parts: ``(charge id, responsibility)`` to bill: what was left out of
            all invoices on purpose isn't billed along
        """
        options = origin.billing_run_id.options or {}
        engine = self.env["healthcare.billing.engine"].with_company(origin.company_id)
        new = engine.with_context(
            healthcare_billing_door="rebill",
            healthcare_only_parts=only_parts,
            healthcare_license_day=self._first_billed_on(),
        )._bill_or_raise(
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
            move.sudo().rebill_of_id = replaced  # sudo: only this may say what it bills again
            if replaced not in followed and move.state == "draft":
                move._follow_up(replaced)
                followed |= replaced
        for replaced in self - followed:
            replaced._add_loose_lines_to(new.filtered(lambda move: move.state == "draft")[:1])
        new.filtered(lambda move: move.state == "posted")._join_replaced_cycle()
        return new

    def _join_replaced_cycle(self):
        """What bills an invoice of a billing cycle again belongs to that cycle once it is posted.

        As a draft it doesn't: a closed cycle has none, and generating would delete it, with the
        payments that wait for it.
        """
        # sudo: whoever posts need not be allowed to read billing cycles, nor may write them
        again = self.sudo().filtered(
            lambda move: not move.billing_cycle_id and move.rebill_of_id.billing_cycle_id
        )
        quiet = again.with_context(skip_invoice_sync=True, skip_is_manually_modified=True)
        for cycle, moves in quiet.grouped(lambda move: move.rebill_of_id.billing_cycle_id).items():
            moves.write({"billing_cycle_id": cycle.id})

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
    def _log_rebilling(self, moves, credits, new, corrections, reason, told):
        """Say on every document what became of it, and on each appointment what changed.

        :param list told: further sentences
        """
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
        text = " ".join([text, *told])
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
                done = not move._live_charge_lines() and move.rebilled_by_ids
                results[move] = done or str(error)  # done: along with another party's invoice
            except Exception as error:
                _logger.exception("credit and rebill of %s failed", move.id)
                results[move] = self.env._(
                    "Unexpected error (%s). Nothing was changed; your administrator finds the "
                    "details in the server log.",
                    str(error).strip() or type(error).__name__,
                )
        return results
