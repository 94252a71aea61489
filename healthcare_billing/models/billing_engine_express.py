from odoo import api, models

# Statements of a run don't tell each step in their journals: the run is the record.
QUIET = {"tracking_disable": True, "mail_create_nolog": True, "mail_create_nosubscribe": True}


class HealthcareBillingEngine(models.AbstractModel):
    """Chunks of express runs: statements are made, filled and committed together."""

    _inherit = "healthcare.billing.engine"

    @api.model
    def _execute_chunk(self, lines, post=False):
        """Rows of an express run become statements, not invoices of their own."""
        if lines.run_id.door != "statement":
            return super()._execute_chunk(lines, post)
        lines = self._lock_lines(lines)
        return self._isolate_faults(lines, self._make_statements)

    @api.model
    def _make_statements(self, lines):
        """Make, fill and commit the statements of these rows of one run.

        A row whose sum isn't the one that was shown, or of which nothing can be committed, is
        skipped, and leaves no statement.
        """
        run = lines.run_id
        statements = (
            self.env["healthcare.statement"]
            .with_context(**QUIET)
            .create(
                [
                    {
                        **run._statement_values(),
                        "partner_id": line.partner_id.id,
                        "currency_id": line.currency_id.id,
                    }
                    for line in lines
                ]
            )
        )
        statements._record({"run_id": run.id})
        rows = dict(zip(statements, lines, strict=True))
        statements._load_items()
        statements._load_ledger()
        changed = statements.filtered(
            lambda statement: statement.currency_id.compare_amounts(
                statement.amount_items, rows[statement].amount
            )
        )
        for statement in changed:
            rows[statement]._set_result(
                {
                    "state": "skipped",
                    "message": self.env._(
                        "Changed since preview: %(now)s instead of %(before)s. Look at what is "
                        "owed, then retry.",
                        now=statement.currency_id.format(statement.amount_items),
                        before=statement.currency_id.format(rows[statement].amount),
                    ),
                }
            )
        statements -= changed
        empty = statements._commit_drafts(run)
        for statement in empty:
            rows[statement]._set_result({"state": "skipped", "message": statement._reasons_text()})
        committed = statements - empty
        for statement in committed:
            rows[statement]._set_result(self._statement_result(statement))
        committed._message_log_batch(
            bodies={
                statement.id: self.env._("Made and committed by %s.", run.name)
                for statement in committed
            }
        )
        (changed | empty).unlink()

    @api.model
    def _statement_result(self, statement):
        """What a row tells of its statement."""
        left = len(statement.exclusion_ids)
        return {
            "state": "created",
            "statement_id": statement.id,
            "billing_ref": statement.name,
            "message": self.env._("%s items were left out", left) if left else False,
        }

    @api.model
    def _undo_chunk(self, lines):
        """Statements of an express run are canceled, each on its own."""
        if lines.run_id.door != "statement":
            return super()._undo_chunk(lines)
        return self._isolate_faults(lines, self._cancel_statements, self._record_not_undone)

    @api.model
    def _cancel_statements(self, lines):
        lines.statement_id._close_canceled(reverse_invoices=True)
        lines._set_result({"state": "undone", "message": False})

    @api.model
    def _record_not_undone(self, line, error):
        """The statement stays, and its row says why."""
        line._set_result({"message": self._failure_text(error)})
