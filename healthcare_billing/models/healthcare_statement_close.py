from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_date

from .healthcare_charge_balance import PARTIES

CLOSED_STATES = ("paid", "unpaid", "sold")


class HealthcareStatement(models.Model):
    """Close a statement, once, and open it again.

    Closing says what became of the *statement*. What became of the money the ledger says: "paid" is
    a statement for which somebody paid something, however little; what is left of its items goes
    back to the billing office, and is told on the next statement.

    ==========  ========================================================================
    closed as   items with a balance
    ==========  ========================================================================
    unpaid      are back at the billing office; each was billed once more
    canceled    are back as if it had never been; those of a draft were never taken
    paid, sold  see ``healthcare_statement_pay.py`` and ``healthcare_statement_sale.py``
    ==========  ========================================================================

    Items that another committed statement holds stay where they are: they are asked for there, and
    are counted as billed when that one closes.
    """

    _inherit = "healthcare.statement"

    closed_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    is_closed = fields.Boolean(compute="_compute_is_closed")
    write_off_ids = fields.Many2many(
        "account.move",
        "healthcare_statement_write_off_rel",
        string="Write-offs",
        readonly=True,
        copy=False,
        help="What closing the statement wrote off: courtesy, or sold items.",
    )
    write_off_count = fields.Integer(compute="_compute_write_off_count")

    @api.depends("state")
    def _compute_is_closed(self):
        for statement in self:
            statement.is_closed = statement.state not in ("draft", "committed")

    @api.depends("write_off_ids")
    def _compute_write_off_count(self):
        for statement in self:
            statement.write_off_count = len(statement.write_off_ids)

    # -- dialogs ---------------------------------------------------------------------------------
    def action_close(self):
        """Ask how the statement is closed.

        :return: window action
        """
        self.ensure_one()
        self._check_states(("draft", "committed"))
        return self.env["healthcare.statement.close"]._open(self)

    def action_reopen(self):
        """Await payment again; what closing wrote off is owed again."""
        self._reopen()

    def action_view_write_offs(self):
        """Open the entries of this statement's closing."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Write-offs"),
            "res_model": "account.move",
            "views": [(False, "list"), (False, "form")],
            "domain": [("id", "in", self.write_off_ids.ids)],
        }

    # -- who and when ----------------------------------------------------------------------------
    def _begin_closing(self, states, manager=False):
        """One user at a time, and only what is still open.

        :param states: in which statements may be
        :param bool manager: only a billing manager may
        :raise AccessError: somebody else
        :raise UserError: closed already, or somebody is at it now
        """
        if (
            manager
            and not self.env.su
            and not self.env.user.has_group("healthcare_billing.group_billing_manager")
        ):
            raise AccessError(self.env._("Only a billing manager can sell or reopen statements."))
        self.check_access("write")
        self._in_turn()
        self.invalidate_recordset(["state"])
        self._check_states(states)

    def _check_states(self, states):
        names = dict(self._fields["state"]._description_selection(self.env))
        for statement in self:
            if statement.state in states:
                continue
            if statement.state == "draft":
                text = self.env._(
                    "Statement %s is a draft, nothing is asked for yet: commit or cancel it.",
                    statement.name,
                )
            elif statement.state == "committed":
                text = self.env._("Statement %s is open.", statement.name)
            else:
                text = self.env._(
                    "Statement %(name)s was closed already: %(state)s.",
                    name=statement.name,
                    state=names[statement.state],
                )
            raise UserError(text)

    def _check_closing_date(self, date, journal):
        """Nothing of ours moves a date: where the books are closed, somebody has to choose.

        :raise UserError: none, in the future, or locked
        """
        company = self.company_id
        if not date or date > fields.Date.context_today(self):
            raise UserError(self.env._("A statement is closed on a day that isn't in the future."))
        if company._get_violated_lock_dates(date, False, journal):
            raise UserError(
                self.env._(
                    "The books of %(company)s are locked on %(date)s: choose a later date.",
                    company=company.name,
                    date=format_date(self.env, date),
                )
            )

    # -- closing ---------------------------------------------------------------------------------
    def _close_unpaid(self):
        """Give up waiting: the next differential statement takes the items in (R20).

        ``statement_count`` of what goes back is one more, however many statements that told it
        close together.

        :raise UserError: one of them isn't open
        """
        self._begin_closing(("committed",))
        done = self.line_ids.filtered(lambda line: not line._is_open())
        done._set_outcome("paid")
        held = (self.line_ids - done)._told_again()
        held._set_outcome("held")
        (self.line_ids - done - held)._release("returned")
        self._finish_closing("unpaid")

    def _close_canceled(self, reverse_invoices=False):
        """Take statements back that are a mistake: drafts, or committed ones.

        :param bool reverse_invoices: also void the invoices that nothing but their commit made, and
            of which nothing is paid
        :return: the credit notes
        :raise UserError: one of them is closed already
        """
        self._begin_closing(("draft", "committed"))
        moves = self._moves_to_reverse() if reverse_invoices else self.env["account.move"]
        committed = self.filtered(lambda statement: statement.state == "committed")
        committed.line_ids._release("canceled")
        # a draft holds nothing: its items are where they were
        (self - committed).line_ids._set_outcome("canceled")
        self._finish_closing("canceled")
        if not moves:
            return moves
        reason = self.env._("Statement canceled: %s", ", ".join(self.mapped("name")))
        return moves._void(reason)

    def _moves_to_reverse(self):
        """Unpaid invoices that the commit of these statements made, and nobody else asks for.

        :return: ``account.move`` recordset
        """
        own = self.line_ids.charge_id._family()
        moves = (
            self.env["account.move"]
            .search([("care_statement_id", "in", self.ids), ("state", "=", "posted")])
            .filtered(
                lambda move: (
                    move.move_type == "out_invoice"
                    and not move.currency_id.compare_amounts(
                        move.amount_residual, move.amount_total
                    )
                    and move.invoice_line_ids.charge_id <= own
                )
            )
        )
        asked_elsewhere = (
            self.env["healthcare.statement.line"]
            .search(
                [
                    ("charge_id", "in", moves.invoice_line_ids.charge_id._roots().ids),
                    ("statement_id", "not in", self.ids),
                    ("statement_id.state", "=", "committed"),
                ]
            )
            ._posted_moves()
        )
        return moves - asked_elsewhere

    def _finish_closing(self, state, texts=None):
        """Stop the clock, and say what happened.

        :param dict texts: ``{statement id: text}`` for the journal, beside what is tracked
        """
        self._record(
            {
                "state": state,
                "closed_on": fields.Date.context_today(self),
                "closed_by_id": self.env.uid,
            }
        )
        if texts:
            self._message_log_batch(bodies=texts)

    # -- open again ------------------------------------------------------------------------------
    def _reopen(self):
        """Await payment again, and go on ageing.

        What closing wrote off, or sold, is owed again: its entries are reversed, and statements
        that were sold together are told. Money stays where it is: a payment is a fact, and is
        canceled on its own if it wasn't one. So is what an agency paid: it is reversed first.

        :raise UserError: not closed, or canceled, or an agency's payment stands
        """
        self._begin_closing(CLOSED_STATES, manager=True)
        reason = self.env._("Reopened: %s", ", ".join(self.mapped("name")))
        # sudo: write-offs are read through the statement, whose rights were asked
        entries = self.sudo().write_off_ids._standing_entries()
        self._check_proceeds_reversed(entries)
        others = self._sold_together(entries)
        reversals = entries._take_back_write_off(reason)
        self._record(self._reopened_values())
        self.invalidate_recordset()
        lines = self.line_ids
        lines._set_outcome(False)
        lines._record({"amount_lost": 0.0})
        for party, own in lines.grouped("responsibility").items():
            own.charge_id._set_returned(party, False)
        texts = {
            statement.id: self.env._(
                "Reopened. Taken back: %s.", ", ".join(reversals.mapped("name"))
            )
            for statement in self
            if reversals
        }
        if texts:
            self._message_log_batch(bodies=texts)
        others._tell_taken_back(entries, reversals, reason)

    def _reopened_values(self):
        return {"state": "committed", "closed_on": False, "closed_by_id": False}


class HealthcareStatementLine(models.Model):
    _inherit = "healthcare.statement.line"

    amount_paid = fields.Monetary(
        string="Paid",
        readonly=True,
        copy=False,
        help="What the payments of this statement paid of the item, credits included.",
    )
    amount_lost = fields.Monetary(
        string="Given Up",
        readonly=True,
        copy=False,
        help="What was sold or written off when the statement was closed.",
    )

    def _is_open(self):
        self.ensure_one()
        return not self.currency_id.is_zero(self.balance)

    def _posted_balance(self):
        """What is open on the item in the ledger."""
        self.ensure_one()
        return self.charge_id[f"ledger_{PARTIES[self.responsibility]}"]

    def _set_outcome(self, outcome):
        self.filtered(lambda line: line.outcome != outcome)._record({"outcome": outcome})


class AccountMove(models.Model):
    _inherit = "account.move"

    def _standing_entries(self):
        """Posted write-offs that nobody took back."""
        return self.filtered(lambda entry: entry.write_off_of_id and entry._stands())

    def _stands(self):
        """Whether it is posted, and nobody reversed it."""
        self.ensure_one()
        return self.state == "posted" and not self.reversal_move_ids.filtered(
            lambda move: move.state == "posted"
        )
