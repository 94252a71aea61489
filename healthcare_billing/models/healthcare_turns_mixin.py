from odoo import models
from odoo.tools import SQL


class HealthcareTurnsMixin(models.AbstractModel):
    """Records of which two changes at the same time must come in turn.

    A lock isn't enough: once it is released, a transaction with an older snapshot passes it, and
    doesn't see what was done meanwhile. Writing the record makes the database refuse it, and the
    framework runs it again on a new snapshot.
    """

    _name = "healthcare.turns.mixin"
    _description = "Changes in Turn"

    def _touch(self):
        """Write these records' rows, and nothing else, so that whoever touches them too waits."""
        if not self:  # an empty set flushes nothing: core calls overrides with none while it writes
            return
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """UPDATE %s SET write_uid = %s, write_date = NOW() AT TIME ZONE 'UTC'
                    WHERE id = ANY(%s)""",
                SQL.identifier(self._table),
                self.env.uid,
                self.ids,
            )
        )
        self.invalidate_recordset(["write_uid", "write_date"])
