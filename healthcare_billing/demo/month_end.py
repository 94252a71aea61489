"""Last month's care, invoiced as a biller does it, and added up again from the ledger."""

from collections import defaultdict
from datetime import timedelta

from dateutil.relativedelta import relativedelta

from .books import Equation

MISSED_AND_OTHERS = {"not_billable": "not billable"}


class MonthEnd:
    """Batch invoicing of one month of care.

    :param env: of a billing user
    :param date first: first day of the month
    """

    def __init__(self, env, first):
        self.env = env
        self.company = env.company
        self.first = first
        self.last = first + relativedelta(months=1, days=-1)
        self.run = env["healthcare.billing.run"]
        self.preview_amount = 0.0
        self.stages = {}

    @property
    def moves(self):
        """The run's invoices and credit notes."""
        return self.run.move_ids

    @property
    def selected(self):
        """Charges on the run's rows, each once, though client and payer get a row each."""
        return self.run.line_ids.charge_ids

    @property
    def left_out(self):
        """Charges that the run leaves out, each once, though it may have several reasons."""
        return self.run.exclusion_ids.charge_id

    def invoice(self, invoice_date=None):
        """Search, look at the preview, create the drafts, post them.

        :return: self
        """
        self.stages = self._count_stages()
        wizard = self.env["healthcare.batch.invoicing"].create(
            {
                "date_from": self.first,
                "date_to": self.last,
                **({"invoice_date": invoice_date} if invoice_date else {}),
            }
        )
        self.run = self.run.browse(wizard.action_search()["res_id"])
        self.preview_amount = self.run.amount_selected
        self.run.action_execute()
        self.moves.filtered(lambda move: move.state == "draft").action_post()
        self.env.flush_all()
        return self

    def _care(self):
        """Every charge of the month, whatever became of it."""
        return self.env["healthcare.charge"].search(
            [
                ("company_id", "=", self.company.id),
                ("service_date", ">=", self.first),
                ("service_date", "<", self.last + timedelta(days=1)),
            ]
        )

    def _count_stages(self):
        """Charges of the month by stage, before anything of it is invoiced."""
        stages = defaultdict(lambda: self.env["healthcare.charge"])
        for charge in self._care():
            stages[charge.billing_stage] |= charge
        return dict(stages)

    def completeness(self):
        """What became of all care of the month, computed now.

        :return: ``healthcare.completeness`` record
        """
        report = self.env["healthcare.completeness"].create(
            {"date_from": self.first, "date_to": self.last}
        )
        report.action_compute()
        return report

    # -- what must be equal ----------------------------------------------------------------------
    def equations(self):
        """Everything that must add up, from independent sources.

        :return: list of :class:`Equation`
        """
        own = self.company.currency_id
        moves, lines = self.moves, self.moves.line_ids
        kept = sum(len(self.stages.get(stage, ())) for stage in MISSED_AND_OTHERS)
        income, receivable = -self._balance("income"), self._balance("asset_receivable")
        taxes = -sum(lines.filtered("tax_line_id").mapped("balance"))
        return [
            Equation(
                "Items selected, left out, not billable and scheduled",
                len(self.selected) + len(self.left_out) + kept,
                "items of the month", len(self._care()),
            ),
            Equation(
                "Items selected", len(self.selected),
                "items on invoices", len(lines.charge_id),
            ),
            Equation(
                "Rows", len(self.run.line_ids),
                "posted invoices", len(moves.filtered(lambda move: move.state == "posted")),
            ),
            *self._equations_by_currency(),
            Equation("Preview", self.preview_amount, "income accounts", income, own),
            Equation("Run", self.run.amount_created, "income accounts", income, own),
            Equation(
                "Invoices untaxed", sum(moves.mapped("amount_untaxed_signed")),
                "income accounts", income, own,
            ),
            Equation(
                "Invoices with taxes", sum(moves.mapped("amount_total_signed")),
                "receivable accounts", receivable, own,
            ),
            Equation("Income and taxes", income + taxes, "receivable accounts", receivable, own),
            *self._equations_of_completeness(),
        ]  # fmt: skip

    def _equations_of_completeness(self):
        """All care of the month is accounted for, and its invoiced part is the ledger's."""
        own = self.company.currency_id
        report = self.completeness()
        terms = sum(amount for _label, amount in report._fields_of_equation())
        return [
            Equation("Delivered", report.delivered, "what became of it", terms, own),
            Equation(
                "Invoiced by the charges", report.invoiced + report.exchange,
                "ledger", report.ledger, own,
            ),
            Equation("Lines that differ", report.difference_count, "none", 0),
            Equation("Care lines without an item", report.lost_count, "none", 0),
        ]  # fmt: skip

    def _equations_by_currency(self):
        """Rows, charges' parts and invoices, in the currency that each is in."""
        for currency, rows in self.run.line_ids.grouped("currency_id").items():
            moves = self.moves.filtered(lambda move, c=currency: move.currency_id == c)
            invoiced = sum(
                -move.amount_untaxed if move.move_type == "out_refund" else move.amount_untaxed
                for move in moves
            )
            charges = self.selected.filtered(lambda charge, c=currency: charge.currency_id == c)
            yield Equation(
                f"Rows in {currency.name}", sum(rows.mapped("amount")),
                "invoices untaxed", invoiced, currency,
            )  # fmt: skip
            yield Equation(
                f"Items in {currency.name}", sum(charges.mapped("amount")),
                "invoices untaxed", invoiced, currency,
            )  # fmt: skip

    # -- what is printed -------------------------------------------------------------------------
    def table(self):
        """The month as a table: selected, left out by reason, invoiced, and the ledger's sums.

        :return: str
        """
        kept = {
            name: self._sum(self.stages[stage])
            for stage, name in MISSED_AND_OTHERS.items()
            if stage in self.stages
        }
        kept["left out"] = self._sum(self.left_out)
        selected = (len(self.selected), self.run.amount_created)
        count, amount = map(sum, zip(*kept.values(), selected, strict=True))
        day = self.run.invoice_date
        rows = [
            f"{self.run.name}: care from {self.first} to {self.last}, invoiced on {day}",
            self._row("", "items", "invoices", "amount"),
            self._row("Care of the month", count, "", amount),
            *(self._row(f"  {name}", n, "", amount) for name, (n, amount) in kept.items()),
            self._row("  selected", selected[0], len(self.run.line_ids), selected[1]),
        ]
        rows += ["", self._row("Left out because of (one or more)", "items", "", "amount")]
        rows += [
            self._row(f"  {reason.name}", n, "", amount)
            for reason, exclusions in self.run.exclusion_ids.grouped("reason_id").items()
            for n, amount in [self._sum(exclusions.charge_id)]
        ]
        rows += ["", self._row("Invoiced", "items", "invoices", "amount"), *self._ledger_rows()]
        rows += ["", *self._completeness_rows()]
        return "\n".join(rows)

    def _completeness_rows(self):
        report = self.completeness()
        yield self._row("Completeness", "items", "", "amount")
        yield self._row("  delivered", report.charge_count, "", report.delivered)
        for place, (label, amount) in enumerate(report._fields_of_equation()):
            yield self._row(f"  {'+' if place else '='} {label.lower()}", "", "", amount)
        yield self._row("  invoiced part in the ledger", "", "", report.ledger)
        yield self._row("  difference", "", "", report.difference)

    def _ledger_rows(self):
        for (kind, currency), moves in sorted(
            self.moves.grouped(self._kind_of).items(), key=lambda item: str(item[0])
        ):
            name = f"  {kind}" + (f" in {currency.name}" if currency else "")
            untaxed = sum(moves.mapped("amount_untaxed_signed"))
            yield self._row(name, len(moves.line_ids.charge_id), len(moves), untaxed)
        yield self._row("  = ledger, income", "", "", -self._balance("income"))
        yield self._row(
            "  = ledger, receivable (with taxes)", "", "", self._balance("asset_receivable")
        )

    def _balance(self, account_type):
        """Balance of the invoices' lines on accounts of a type, from the ledger itself."""
        lines = self.moves.line_ids.filtered(
            lambda line: line.account_id.account_type == account_type
        )
        return sum(lines.mapped("balance"))

    @staticmethod
    def _sum(charges):
        """Number and amount of charges, in company currency."""
        return len(charges), sum(charge._in_company_currency(charge.amount) for charge in charges)

    def _kind_of(self, move):
        """Who is invoiced, and the currency if it is a foreign one."""
        if move.move_type == "out_refund":
            name = "credit notes"
        else:
            name = "to payers" if move.partner_id.is_payer else "to clients and guarantors"
        foreign = move.currency_id != self.company.currency_id
        return name, foreign and move.currency_id

    def _row(self, name, items, invoices, amount):
        """A line of the table; ``amount`` is a number in company currency, or a title."""
        if not isinstance(amount, str):
            amount = self.company.currency_id.format(amount)
        # format() joins sign and number with spaces and marks that a terminal shows as boxes
        amount = amount.replace("\N{NO-BREAK SPACE}", " ")
        amount = amount.replace("\N{ZERO WIDTH NO-BREAK SPACE}", "")
        return f"{name:<40}{items:>8}{invoices:>10}{amount:>15}"
