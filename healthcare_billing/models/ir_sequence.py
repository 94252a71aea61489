from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL


class IrSequence(models.Model):
    _inherit = "ir.sequence"

    @api.model
    def _next_many(self, code, count):
        """Draw many numbers of the current company's sequence at once.

        One query for a standard sequence; one call per number where the sequence has no gaps or
        has date ranges, because then only core knows which counter is next.

        :param str code: technical code of the sequence
        :param int count: how many numbers
        :return: list of ``count`` strings
        """
        if not count:
            return []
        sequence = self.search(
            [("code", "=", code), ("company_id", "in", [self.env.company.id, False])],
            order="company_id",
            limit=1,
        )
        if not sequence:
            raise UserError(
                self.env._("There is no number sequence “%s”. Create it in Settings.", code)
            )
        if sequence.implementation != "standard" or sequence.use_date_range:
            return [sequence.next_by_id() for _number in range(count)]
        rows = self.env.execute_query(
            SQL(
                "SELECT nextval(%s) FROM generate_series(1, %s)",
                f"ir_sequence_{sequence.id:03d}",
                count,
            )
        )
        prefix, suffix = sequence._get_prefix_suffix()
        return [f"{prefix}{number:0{sequence.padding}d}{suffix}" for (number,) in rows]
