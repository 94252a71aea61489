"""Statements of the transport company: made, committed and closed as its tables say."""

from collections import defaultdict
from datetime import timedelta

from . import transport_data as data
from .books import Books


class TransportStatements(Books):
    """Statement days and what becomes of statements. What each party owes is added up here as the
    office would on paper, and compared with each statement.

    :param carrier: :class:`~.transport.TransportCompany`, without trips
    :param env: of a billing manager of the company
    :ivar statements: ``{(number of the month, party): healthcare.statement}``
    :ivar owed: ``{party: what it owes by our own book}``
    """

    def __init__(self, carrier, env):
        super().__init__(env)
        self.carrier = carrier
        self.statements = {}
        self.canceled = self.env["healthcare.statement"]
        self.owed = defaultdict(float)
        self.written_off = 0.0
        self.bank = self._journal("bank")

    # -- days ------------------------------------------------------------------------------------
    def statement_day(self, month):
        """The third of the next month."""
        return min(self.carrier.first_days[month + 1] + timedelta(days=2), self.carrier.today)

    def pay_day(self, month):
        return min(self.statement_day(month) + timedelta(days=17), self.carrier.today)

    # -- who -------------------------------------------------------------------------------------
    def party(self, key):
        """Payer, client, or the client's billing contact."""
        found = self.carrier.payers.get(key)
        if not found:
            account = self.carrier.accounts[key]
            found = account.guarantor_id or account.client_id
        return found.with_env(self.env)

    def outcome(self, month, key):
        return data.OUTCOMES[key][month - 1]

    def stated(self, month):
        """Keys of the parties that have a statement of a month."""
        return [key for key in data.OUTCOMES if self.outcome(month, key)]

    def _journal(self, kind):
        return self.env["account.journal"].search(
            [("type", "=", kind), ("company_id", "=", self.company.id)], limit=1
        )

    def _reason(self, kind):
        """An adjustment reason of a kind."""
        return self.env["healthcare.adjustment.reason"].search([("kind", "=", kind)], limit=1)

    def open_statements(self):
        """Those that are left to look at, and await payment."""
        return self.env["healthcare.statement"].search(
            [("company_id", "=", self.company.id), ("state", "=", "committed")]
        )

    # -- making ----------------------------------------------------------------------------------
    def state(self, month):
        """Statements of a month, by hand or all at once."""
        if month in data.EXPRESS_MONTHS:
            self._express(month)
        else:
            for key in self.stated(month):
                self._generate(month, key)
        for key in self.stated(month):
            statement = self.statements[month, key]
            self._equal(
                f"{self.party(key).name} owes by our book, month {month}",
                round(self.owed[key], 2),
                f"statement {statement.name}",
                statement.amount_total,
            )

    def _express(self, month):
        """Statements of everybody who owes something, committed at once."""
        dialog = self.env["healthcare.statement.express"].create(
            {
                "date": self.statement_day(month),
                "settles_ledger": True,
                "to_insurance": False,
                "to_government": False,
            }
        )
        run = self.env["healthcare.billing.run"].browse(dialog.action_search()["res_id"])
        run.action_execute()
        failed = run.line_ids.filtered(lambda row: row.state != "created")
        if failed:
            raise SystemExit("\n".join(failed.mapped("message")))
        made = {statement.partner_id: statement for statement in run.statement_ids}
        stated = {key: self.party(key) for key in self.stated(month)}
        self._count(
            f"Parties with a statement of month {month}", sorted(p.name for p in stated.values()),
            "express run", sorted(partner.name for partner in made),
        )  # fmt: skip
        for key, partner in stated.items():
            self.statements[month, key] = made[partner]
        self._date_back(run.statement_ids, committed_on=self.statement_day(month))

    def _generate(self, month, key):
        """One statement by the generator, as its outcome wants it."""
        outcome = self.outcome(month, key)
        statement = self.env["healthcare.statement"].create(
            {
                "partner_id": self.party(key).id,
                "date": self.statement_day(month),
                **self._criteria(month, outcome),
            }
        )
        statement.settles_ledger = bool(statement._ledger_balance())
        statement._load_items()
        statement._load_ledger()
        self.statements[month, key] = statement
        if outcome != "draft":
            self._commit(statement)
        return statement

    def _criteria(self, month, outcome):
        """Differential, but for who asked for all of the month, be it reviewed or not."""
        if outcome != "qa":
            return {}
        return {
            "statement_type": "custom",
            "date_from": self.carrier.first_days[month],
            "date_to": self.carrier.first_days[month + 1],
            "with_qa": True,
        }

    def _commit(self, statement):
        statement._commit()
        self._date_back(statement, committed_on=statement.date)

    def _date_back(self, statements, **dates):
        """Months that are over: what was done in them has dates of them, and so has its age."""
        # sudo: dates that users can't type
        statements.sudo().write(dates)

    # -- closing ---------------------------------------------------------------------------------
    def settle(self, month):
        """What became of the statements of a month until the next one's."""
        for key in self.stated(month):
            self._add_extra(month, key)
            getattr(self, f"_close_{self.outcome(month, key)}")(month, key)
            paid = self.outcome(month, key) in ("paid", "short", "courtesy", "over")
            self._date_back(
                self.statements[month, key],
                closed_on=self.pay_day(month) if paid else self.statement_day(month + 1),
            )

    def _add_extra(self, month, key):
        """A charge or discount on the first item of a statement."""
        if (month, key) not in data.EXTRAS:
            return
        kind, amount, description = data.EXTRAS[month, key]
        item = self.statements[month, key].line_ids.sorted("id")[:1]
        item.charge_id._add_extra(
            kind,
            {(item.charge_id, item.responsibility): amount},
            description=description,
            date=self.pay_day(month),
        )
        self.owed[key] += -amount if kind == "discount" else amount

    def _pay(self, month, key, amount, **options):
        """A payment of a statement."""
        amount = round(amount, 2)
        payment = self.statements[month, key]._close_paid(
            amount, self.bank, self.pay_day(month), **options
        )
        self.owed[key] -= amount
        self._equal(f"{self.party(key).name} paid", amount, "payment", payment.amount)
        return payment

    def _close_paid(self, month, key):
        self._pay(month, key, self.owed[key])

    def _close_short(self, month, key):
        self._pay(month, key, self.owed[key] - data.SHORT[key][month])

    def _close_courtesy(self, month, key):
        """The rest is given up."""
        self._pay(
            month, key, self.owed[key] - data.SHORT[key][month],
            under="write_off", reason=self._reason("courtesy"),
        )  # fmt: skip
        self.written_off += self.owed.pop(key)

    def _close_left(self, month, key):
        """The rest was to come; it didn't: closed by a payment of nothing."""
        self._pay(month, key, self.owed[key] - data.SHORT[key][month], under="leave_open")
        statement = self.statements[month, key]
        self._count(f"{statement.name} with a rest", statement.state, "is", "committed")
        statement._close_paid(0.0, self.bank, self.statement_day(month + 1))

    def _close_over(self, month, key):
        self._pay(month, key, self.owed[key] + data.OVERPAID)

    def _close_unpaid(self, month, key):
        self.statements[month, key]._close_unpaid()

    def _close_redone(self, month, key):
        """Its mistake was seen when it was out: canceled, made again, and paid."""
        self.statements[month, key]._close_canceled()
        self.canceled |= self.statements[month, key]
        self._generate(month, key)
        self._close_paid(month, key)
