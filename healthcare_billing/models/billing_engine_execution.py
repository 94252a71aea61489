import logging

from psycopg2 import errors

from odoo import api, models
from odoo.exceptions import UserError

from ..tools.races import RETRIED_ERRORS
from .billing_plan import BillingPlan

_logger = logging.getLogger(__name__)

# How many invoices are created together; in the background, what one transaction holds.
CHUNK_SIZE = 100


class HealthcareBillingEngine(models.AbstractModel):
    """How a plan is carried out: in chunks, each row with its result, none stopping the others."""

    _inherit = "healthcare.billing.engine"

    @api.model
    def execute(self, plan_or_run, *, post=False):
        """Create the invoices of a plan, or of the selected lines of a saved run, in this request.

        Every line ends as created, skipped (with the reason) or failed (with the error); none
        stops the others. Running again only takes up what is left.

        :param plan_or_run: :class:`BillingPlan` or ``healthcare.billing.run`` record
        :param bool post: also post, within the same row: a row that can't be posted isn't created
        :return: the ``healthcare.billing.run`` record
        """
        run = plan_or_run.save() if isinstance(plan_or_run, BillingPlan) else plan_or_run
        run._begin()
        run._set_task("execute")
        engine = run._engine()
        for line_ids in run._task_chunks():
            lines = run.line_ids.browse(line_ids)
            engine.with_company(lines.company_id)._execute_chunk(lines, post=post)
        run._finish()
        return run

    @api.model
    def _execute_chunk(self, lines, post=False):
        """Create the invoices of some rows of one run and company, together if possible.

        :param lines: ``healthcare.billing.run.line`` records
        """
        run = lines.run_id
        lines = self._lock_lines(lines)
        replanned = {
            invoice.key: invoice
            for invoice in self.plan(lines.charge_ids, **run._plan_options()).invoices
        }
        changes = lines._changes_since_preview(replanned)
        for line, change in changes.items():
            line._set_result({"state": "skipped", "message": change})
        ready = {
            line: line._apply_to(replanned[line.plan_key]) for line in lines if line not in changes
        }

        def book(rows):
            moves = self._book([ready[row] for row in rows], run, post)
            self._record_created(rows, moves)

        self._isolate_faults(lines.browse(line.id for line in ready), book)

    @api.model
    def _post_chunk(self, lines):
        """Post the drafts of some rows of one run; what can't be posted stays a draft."""
        locked = lines.browse()
        # the same question for many drafts is asked once
        for (_company, _journal, day, has_tax), alike in lines.grouped(
            lambda line: (
                line.move_id.company_id, line.move_id.journal_id, line.move_id.date,
                line.move_id._affect_tax_report(),
            )
        ).items():  # fmt: skip
            if alike[0].move_id._get_violated_lock_dates(day, has_tax):
                locked |= alike
        locked._set_result(
            {
                "message": self.env._(
                    "The books are locked on its date. Change the date, or delete the draft and "
                    "bill again."
                )
            }
        )
        self._isolate_faults(lines - locked, self._post_rows)

    @api.model
    def _post_rows(self, lines):
        """Post the drafts of these rows. Overriders may do more with what is posted."""
        self._post_moves(lines.move_id)

    @api.model
    def _undo_chunk(self, lines):
        """Take back the invoices of some rows of one run; their charges are free again."""
        obstacles = lines.run_id._undo_obstacles(lines.move_id)
        for line in lines:
            if line.move_id in obstacles:
                line._set_result({"message": obstacles[line.move_id]})
        self._isolate_faults(
            lines.filtered(lambda line: line.move_id not in obstacles), self._undo_rows
        )

    @api.model
    def _undo_rows(self, lines):
        credited = lines.run_id._credited_moves(lines.move_id)
        lines._set_result({"state": "undone"})
        notes = {move: move.reversal_move_ids for move in credited}
        rows = {line.move_id: line for line in lines}
        for reversal in (lines.move_id - credited)._take_back():
            notes[reversal.reversed_entry_id] = reversal
        for move, reversals in notes.items():
            names = ", ".join(reversal._care_reference() for reversal in reversals)
            rows[move]._set_result({"message": self.env._("Credited by %s", names)})

    @api.model
    def _lock_lines(self, lines):
        """Take the charges' row locks; lines whose charges somebody else is billing are skipped.

        A charge that a rival billed after this transaction began raises a serialization failure
        here, and the whole transaction is tried again.
        """
        charges = lines.charge_ids
        free = charges.try_lock_for_update(allow_referencing=True)
        busy = charges - free
        if busy:
            held = lines.filtered(lambda line: line.charge_ids & busy)
            held._set_result(
                {
                    "state": "skipped",
                    "message": self.env._(
                        "Another user is billing this care right now. Retry in a moment."
                    ),
                }
            )
            lines -= held
        return lines

    @api.model
    def _book(self, planned, run, post):
        """Create, and post where asked, invoices; an invoice of nothing is posted at once."""
        moves = self._create_moves(planned, run)
        self.env.flush_all()  # the guard answers here, within the savepoint
        self._check_booked_as_planned(planned, moves)
        to_post = moves if post else self._moves_posted_at_once(moves, run)
        if to_post:
            self._post_moves(to_post)
        return moves

    @api.model
    def _moves_posted_at_once(self, moves, run):
        """Of new drafts, those that wait for nobody's decision: there is nothing to pay."""
        return moves.filtered(lambda move: move.currency_id.is_zero(move.amount_total))

    @api.model
    def _check_booked_as_planned(self, planned, moves):
        """What was confirmed is what is booked, whatever core or other addons made of it."""
        for invoice, move in zip(planned, moves, strict=True):
            booked = move.amount_untaxed * (-1 if move.move_type == "out_refund" else 1)
            if move.currency_id.compare_amounts(booked, invoice.amount):
                raise UserError(
                    self.env._(
                        "The invoice would be of %(booked)s, not %(planned)s as shown: look at the "
                        "taxes of its services.",
                        booked=move.currency_id.format(booked),
                        planned=move.currency_id.format(invoice.amount),
                    )
                )

    @api.model
    def _post_moves(self, moves):
        """Post without letting core move a date: future and locked dates were refused before."""
        moves._post(soft=False)
        self.env.flush_all()

    # -- one bad row never stops a run -----------------------------------------------------------
    @api.model
    def _isolate_faults(self, lines, act, fail=None):
        """Do something for all rows at once; what fails is halved until the faulty row is alone.

        :param lines: ``healthcare.billing.run.line`` records, or others that ``fail`` is given for
        :param act: function of rows; what it did is undone when it raises
        :param fail: function of one row and its exception; default: keep the reason with the row
        """
        if not lines:
            return
        try:
            with self.env.cr.savepoint():
                act(lines)
                self.env.flush_all()
        except RETRIED_ERRORS:
            raise  # the whole transaction must be tried again on a new snapshot
        except Exception as error:  # noqa: BLE001  # whatever it is, find the row it belongs to
            if len(lines) == 1:
                (fail or self._record_failure)(lines, error)
            else:
                half = len(lines) // 2
                self._isolate_faults(lines[:half], act, fail)
                self._isolate_faults(lines[half:], act, fail)

    @api.model
    def _record_created(self, lines, moves):
        """Keep with each row its invoice."""
        for line, move in zip(lines, moves, strict=True):
            line._set_result(
                {
                    "state": "created",
                    "message": False,
                    "move_id": move.id,
                    "billing_ref": move.billing_ref,
                    # as booked: the ledger converts a foreign currency line by line
                    "amount_company": move.company_id.currency_id._convert(
                        move.amount_untaxed_signed,
                        line.run_id.currency_id,
                        move.company_id,
                        move.invoice_date,
                    ),
                }
            )

    @api.model
    def _record_failure(self, line, error):
        """Keep the reason with the row, in words for a biller."""
        if isinstance(error, errors.ExclusionViolation):
            line._set_result({"state": "skipped", "message": line._billed_meanwhile_message()})
            return
        line.run_id._set_failed(line, self._failure_text(error))

    @api.model
    def _failure_text(self, error, consequence=None):
        """Why something couldn't be done, in words for a biller.

        :param Exception error: what was raised
        :param str consequence: a sentence on what did or didn't happen, for an error that nobody
            foresaw; default: nothing was booked
        """
        if isinstance(error, UserError):
            return str(error).strip()
        if isinstance(error, errors.IntegrityError):
            _logger.warning("refused by the database: %s", error)
            return self.env._(
                "The database refused this row (%s): it uses something that was deleted, or "
                "lacks something. Search again.",
                error.diag.constraint_name or error.diag.column_name or "",
            )
        _logger.error("unexpected error", exc_info=error)
        return self.env._(
            "Unexpected error (%(error)s). %(consequence)s Your administrator finds the details in "
            "the server log.",
            error=str(error).strip() or type(error).__name__,
            consequence=consequence or self.env._("Nothing was booked for this row."),
        )
