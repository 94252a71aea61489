"""Sums of a demo company that must be equal, each added up on its own."""

from typing import NamedTuple

from .company import QUIET


class Equation(NamedTuple):
    """Two sums that must be the same, each added up on its own.

    :ivar currency: of both sums; empty for counts
    """

    left_name: str
    left: float
    right_name: str
    right: float
    currency: object = None

    def holds(self):
        """To the cent; counts exactly."""
        if self.currency:
            return not self.currency.compare_amounts(self.left, self.right)
        return self.left == self.right

    def __str__(self):
        sign = "=" if self.holds() else "is not"
        left, right = (
            self.currency.format(value) if self.currency else str(value)
            for value in (self.left, self.right)
        )
        return f"{self.left_name} {left} {sign} {self.right_name} {right}"


class Books:
    """What an office does in its months, and the equations that it collects on the way.

    :param env: of a billing manager of the company
    """

    def __init__(self, env):
        self.env = env(context={**env.context, **QUIET})
        self.company = self.env.company
        self.currency = self.company.currency_id
        self.equations = []

    def _equal(self, left_name, left, right_name, right):
        self.equations.append(Equation(left_name, left, right_name, right, self.currency))

    def _count(self, left_name, left, right_name, right):
        self.equations.append(Equation(left_name, left, right_name, right))

    def _compare_books(self, date_from, date_to):
        """All care of a period against the ledger.

        :return: ``healthcare.completeness`` record
        """
        report = self.env["healthcare.completeness"].create(
            {"date_from": date_from, "date_to": date_to}
        )
        report.action_compute()
        total = sum(amount for _label, amount in report._fields_of_equation())
        self._equal("Delivered", report.delivered, "what became of it", total)
        self._equal("Invoiced", report.invoiced, "ledger", report.ledger)
        return report

    @staticmethod
    def _untaxed(moves):
        return sum(moves.mapped("amount_untaxed_signed"))

    @staticmethod
    def _balance(moves, account_type):
        """Balance of invoices' lines on accounts of a type, from the ledger itself."""
        lines = moves.line_ids.filtered(lambda line: line.account_id.account_type == account_type)
        return sum(lines.mapped("balance"))

    def _income(self, moves):
        return -self._balance(moves, "income")

    def _row(self, name, count, amount):
        """A line of what is printed."""
        text = self.currency.format(amount)
        # format() joins sign and number with spaces and marks that a terminal shows as boxes
        text = text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{ZERO WIDTH NO-BREAK SPACE}", "")
        return f"{name:<52}{count:>6}{text:>15}"
