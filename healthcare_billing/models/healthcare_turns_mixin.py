from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL


def touch(records):
    """Write the rows of these records, and nothing else, so that whoever touches them too waits.

    A lock isn't enough: once it is released, a transaction with an older snapshot passes it, and
    doesn't see what was done meanwhile. Writing the row makes the database refuse it, and the
    framework runs it again on a new snapshot.

    :param records: of any model, core's as well
    """
    if not records:  # an empty set flushes nothing: core calls overrides with none while it writes
        return
    records.env.flush_all()
    records.env.cr.execute(
        SQL(
            """UPDATE %s SET write_uid = %s, write_date = NOW() AT TIME ZONE 'UTC'
                WHERE id = ANY(%s)""",
            SQL.identifier(records._table),
            records.env.uid,
            records.ids,
        )
    )
    records.invalidate_recordset(["write_uid", "write_date"])


def take_turn(records, refusal):
    """One user at a time for these records, and none who hasn't seen what the one before did.

    :param records: of any model
    :param str refusal: told to whoever comes while somebody else is at it
    :raise UserError: somebody else is
    """
    if len(records.try_lock_for_update(allow_referencing=True)) < len(records):
        raise UserError(refusal)
    touch(records)


class HealthcareTurnsMixin(models.AbstractModel):
    """Records of which two changes at the same time must come in turn, see ``touch``."""

    _name = "healthcare.turns.mixin"
    _description = "Changes in Turn"

    def _touch(self):
        touch(self)

    def _take_turn(self, refusal):
        take_turn(self, refusal)
