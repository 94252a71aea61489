from collections import defaultdict

from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class HealthcareCompleteness(models.TransientModel):
    """What stands on invoices of care and names no charge.

    An extra line is nobody's mistake. But a line that takes revenue away beside the care changes
    what the care brought in, though every charge agrees (amber). And care on an invoice that names
    no charge any more is in the books, while its charge is to be billed again (red).
    """

    _inherit = "healthcare.completeness"

    other_income = fields.Monetary(
        string="Not Care",
        readonly=True,
        help="Lines without a charge on these invoices and their credit notes, untaxed. Not part "
        "of the equation.",
    )
    beside_income = fields.Monetary(
        string="Changed Beside Care",
        readonly=True,
        help="Lines without a charge that take revenue of these invoices away, or give it back, "
        "and invoices of runs that hold no care at all.",
    )
    beside_count = fields.Integer(string="Lines Beside Care", readonly=True)
    lost_income = fields.Monetary(
        string="Care without an Item",
        readonly=True,
        help="Booked as care, by lines that name no charge (any more).",
    )
    lost_count = fields.Integer(string="Care Lines without an Item", readonly=True)

    # -- actions ---------------------------------------------------------------------------------
    def action_view_other_income(self):
        """Journal items on invoices of this care that are no care."""
        return self._other_lines_action(self.env._("Not Care"), "all")

    def action_view_beside(self):
        """Journal items that change revenue beside the care."""
        return self._other_lines_action(self.env._("Beside Care"), "beside")

    def action_view_lost(self):
        """Journal items of care without a charge."""
        return self._other_lines_action(self.env._("Care without an Item"), "lost")

    def _other_lines_action(self, name, kind):
        self.ensure_one()
        found = self._other_lines(self._scope_ids())[kind]
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "account.move.line",
            "views": [(False, "list"), (False, "form")],
            "domain": [("id", "in", [line["id"] for line in found])],
        }

    # -- figures ---------------------------------------------------------------------------------
    def _other_figures(self, charge_ids):
        """Values of the fields above."""
        found = self._other_lines(charge_ids)
        amounts = {
            kind: self.currency_id.round(-sum(line["balance"] for line in lines))
            for kind, lines in found.items()
        }
        return {
            "other_income": amounts["all"],
            "beside_income": amounts["beside"],
            "beside_count": len(found["beside"]),
            "lost_income": amounts["lost"],
            "lost_count": len(found["lost"]),
        }

    def _other_lines(self, charge_ids):
        """Posted lines without a charge: all of them, and those that somebody should look at.

        :return: ``{"all": lines, "beside": lines, "lost": lines}``, lines as lists of dicts
        """
        invoices = self._invoices_of(charge_ids)
        orphans, strays = self._orphans()
        documents = self._with_reversals(invoices | orphans)
        orphans = self._with_reversals(orphans)
        found = {"all": [], "beside": [], "lost": []}
        by_root = defaultdict(list)
        for line in self._fetch_other_lines(documents, strays):
            found["all"].append(line)
            line["is_orphan"] = line["move_id"] in orphans
            by_root[line["root_id"]].append(line)
        for lines in by_root.values():  # a credit note makes up for what it credits
            lost, others = self._split_lost(lines)
            if self._makes_a_difference(lost):
                found["lost"] += lost
            found["beside"] += self._lines_beside(others)
        return found

    def _split_lost(self, lines):
        """Lines that were care, apart from the others.

        One that lost its charge still says who owed it, what credits it doesn't: that is known by
        its service, and so is care on a copy.
        """
        lost_here = any(line["was_care"] for line in lines)
        lost, others = [], []
        for line in lines:
            service = line["is_service"] and (lost_here or line["is_orphan"])
            (lost if line["was_care"] or service else others).append(line)
        return lost, others

    def _makes_a_difference(self, lines):
        return not self.currency_id.is_zero(sum(line["balance"] for line in lines))

    def _lines_beside(self, lines):
        """Those that change what an invoice of care, or its credit note, brings in.

        :param list lines: of one invoice and its credit notes, without charges, and no care
        """
        orphans = [line for line in lines if line["is_orphan"]]
        if self._makes_a_difference(orphans):
            return orphans
        against = [
            line
            for line in lines
            if (line["balance"] < 0 if line["is_credit"] else line["balance"] > 0)
        ]
        if self._makes_a_difference(against):
            return against
        if self.currency_id.compare_amounts(sum(line["balance"] for line in lines), 0.0) > 0:
            return [line for line in lines if line["balance"] > 0]
        return []

    # -- reading ---------------------------------------------------------------------------------
    # Ids are found step by step, so that no statement depends on how many rows the planner thinks
    # there are.
    def _found_ids(self, query):
        return {id_ for (id_,) in self.env.execute_query(query)}

    def _invoices_of(self, charge_ids):
        """Invoices and credit notes with a line of these charges."""
        return self._found_ids(
            SQL(
                "SELECT DISTINCT l.move_id FROM account_move_line l WHERE l.charge_id = ANY(%s)",
                list(charge_ids),
            )
        )

    def _with_reversals(self, move_ids):
        """These and what reverses them, and what reverses that."""
        found, latest = set(move_ids), set(move_ids)
        while latest:
            reversals = self._found_ids(
                SQL("SELECT m.id FROM account_move m WHERE m.reversed_entry_id = ANY(%s)",
                    list(latest))
            )  # fmt: skip
            latest = reversals - found
            found |= latest
        return found

    def _orphans(self):
        """Invoices of the engine that hold no charge, and lines that lost theirs beside others.

        They tell nothing of when care was given: those with an accounting date from the first day
        of care to the date of the books count.

        :return: set of moves' ids, set of lines' ids
        """
        domain = self._orphan_domain()
        if domain.is_false():
            return set(), set()
        # sudo: the sums don't depend on who reads them; the domain names the ticked company
        candidates = self.env["account.move"].sudo().search(domain, order="id").ids
        with_care = self._found_ids(
            SQL(
                "SELECT DISTINCT l.move_id FROM account_move_line l"
                " WHERE l.move_id = ANY(%s) AND l.charge_id IS NOT NULL",
                candidates,
            )
        )
        strays = self._found_ids(
            SQL(
                "SELECT l.id FROM account_move_line l WHERE l.move_id = ANY(%s)"
                " AND l.charge_id IS NULL AND l.responsibility IS NOT NULL",
                list(with_care),
            )
        )
        return set(candidates) - with_care, strays

    def _orphan_domain(self):
        """Posted documents that the engine made, or that are copies of such, by the filters.

        Of staff and departments an invoice knows nothing.
        """
        if self.employee_ids or self.department_ids:
            return Domain.FALSE
        domain = (
            Domain("company_id", "=", self.company_id.id)
            & Domain("state", "=", "posted")
            & Domain("move_type", "in", ("out_invoice", "out_refund"))
            & Domain("date", ">=", self.date_from)
            & Domain("date", "<=", self.as_of)
            & Domain.OR(
                Domain(name, "!=", False)
                for name in ("billing_run_id", "billing_ref", "healthcare_client_id")
            )
        )
        if self.client_ids:
            clients = self.client_ids.ids
            domain &= Domain("healthcare_client_id", "in", clients) | Domain(
                "partner_id", "in", clients
            )
        if self.payer_ids:
            domain &= Domain("partner_id", "in", self.payer_ids.ids)
        if self.product_ids:
            domain &= Domain("invoice_line_ids.product_id", "in", self.product_ids.ids)
        return domain

    def _fetch_other_lines(self, move_ids, line_ids):
        """Posted lines without a charge of these moves, and these lines.

        ``was_care``: the line still says who owed the care. ``is_credit``: of a credit note for an
        invoice, not one of its own.

        :return: list of dicts
        """
        self.env.cr.execute(
            SQL(
                """SELECT l.id, l.move_id, l.balance::float AS balance,
                          COALESCE(m.reversed_entry_id, m.id) AS root_id,
                          m.move_type = 'out_refund' AS is_credit,
                          l.responsibility IS NOT NULL AS was_care,
                          COALESCE(pt.is_healthcare_service, FALSE) AS is_service
                     FROM account_move_line l
                     JOIN account_move m ON m.id = l.move_id
                LEFT JOIN product_product pp ON pp.id = l.product_id
                LEFT JOIN product_template pt ON pt.id = pp.product_tmpl_id
                    WHERE (l.move_id = ANY(%(moves)s) OR l.id = ANY(%(lines)s))
                      AND l.parent_state = 'posted' AND l.date <= %(as_of)s
                      AND l.charge_id IS NULL AND l.display_type = 'product'
                 ORDER BY l.id""",
                moves=list(move_ids),
                lines=list(line_ids),
                as_of=self.as_of,
            )
        )
        return self.env.cr.dictfetchall()
