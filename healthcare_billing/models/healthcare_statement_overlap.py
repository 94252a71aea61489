from odoo import fields, models


class HealthcareStatementLine(models.Model):
    """Items that several open statements tell: they are billed once more when the last one closes.

    A statement that closes as unpaid before leaves its item where it is, *held*: another one goes
    on asking for it. If that one is taken back, as if it had never been, the closing before it is
    what took the item back, and counts.
    """

    _inherit = "healthcare.statement.line"

    outcome = fields.Selection(selection_add=[("held", "On Another Statement")])

    def _told_again(self):
        """Those of these items that go on being asked for, or that another one of these tells.

        :return: the lines that don't bring their item back: of each item all but the last one
        """
        elsewhere = self._held_elsewhere()
        last = {(line.charge_id, line.responsibility): line for line in self.sorted("id")}
        return self.filtered(
            lambda line: (
                (line.charge_id, line.responsibility) in elsewhere
                or last[line.charge_id, line.responsibility] != line
            )
        )

    def _release(self, outcome=False):
        """What is taken off, or canceled, was never asked for: what closed before it counts."""
        result = super()._release(outcome)
        if outcome in (False, "canceled"):
            self._count_held()
        return result

    def _count_held(self):
        """Let the last closing as unpaid count that left an item to these lines, and no other."""
        elsewhere = self._held_elsewhere()
        since = {}
        for line in self:
            key = line.charge_id, line.responsibility
            committed = line.statement_id.committed_on
            if committed and key not in elsewhere:
                since[key] = min(committed, since.get(key, committed))
        closings = self.search(
            [
                ("charge_id", "in", self.charge_id.ids),
                ("statement_id", "not in", self.statement_id.ids),
                ("statement_id.state", "=", "unpaid"),
                ("outcome", "in", ("held", "returned")),
            ],
            order="id",
        ).filtered(
            lambda line: (
                (line.charge_id, line.responsibility) in since
                and line.statement_id.closed_on >= since[line.charge_id, line.responsibility]
            )
        )
        for lines in closings.grouped(lambda line: (line.charge_id, line.responsibility)).values():
            if set(lines.mapped("outcome")) == {"held"}:
                lines[-1]._set_outcome("returned")
