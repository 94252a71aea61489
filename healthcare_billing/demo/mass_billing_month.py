"""The firm's months: mass billing, draft bills, bill production, and the sums of all of it."""

from datetime import timedelta

from . import mass_billing_data as data
from .books import Books


class MatterMonths(Books):
    """Bills the month before last and last month as the firm's office does. Drafts, bills in
    production and produced ones are left to look at; this month's work waits to be billed.

    :param firm: :class:`MatterFirm`
    :param env: of a billing manager of the firm
    """

    def __init__(self, firm, env):
        super().__init__(env)
        self.firm = firm

    def work(self):
        """Everything.

        :return: self
        """
        self.bill_month_before()
        self.raise_quote("before")
        self.draft_by_hand()
        self.bill_last_month()
        self.approve()
        self.revert()
        self.change_options()
        self.produce()
        self.pay()
        self.raise_quote("last")
        self.compare_quotes()
        self.compare_ledger()
        return self

    # -- billing ---------------------------------------------------------------------------------
    def bill_month_before(self):
        firm = self.firm
        run = self._open_list(firm.last_month, firm.last_month - timedelta(days=1))
        self._compare_rows(run, ("before",), "billed_before")
        self.before = self._bill(run, "billed_before")
        self._approve(self.before)
        self._deliver(self.before)

    def raise_quote(self, month):
        """A quote is raised, after what it was is billed: its rest can be."""
        key, amount = data.QUOTES_RAISED[month]
        self._account(key).quote_amount = amount

    def draft_by_hand(self):
        """Somebody made a draft for a matter: mass billing leaves it out."""
        firm = self.firm
        dialog = self.env["healthcare.batch.invoicing"].create(
            {
                "client_ids": firm.clients[data.DRAFTED].ids,
                "date_from": firm.last_month,
                "date_to": firm.this_month - timedelta(days=1),
                "invoice_date": firm.this_month,
            }
        )
        run = self.env["healthcare.billing.run"].browse(dialog.action_search()["res_id"])
        run.action_execute()
        self.by_hand = run.move_ids

    def bill_last_month(self):
        firm = self.firm
        self.run = self._open_list(firm.this_month, firm.this_month - timedelta(days=1))
        self._compare_rows(self.run, ("last",), "billed")
        self.drafts = self._bill(self.run, "billed")

    def _open_list(self, invoice_date, up_to):
        return self.env["healthcare.billing.run"]._open_mass_billing(invoice_date, up_to)

    def _compare_rows(self, run, months, billed):
        """Work in progress of the list, against the tables."""
        keys = self._listed(months, billed)
        worked = [self.firm.worked(key, month) for key in keys for month in months]
        time, expenses = (round(sum(sums), 2) for sums in zip(*worked, strict=True))
        rows = run.line_ids
        self._equal("Time", time, "rows", sum(rows.mapped("amount_time")))
        self._equal("Expenses", expenses, "rows", sum(rows.mapped("amount_expense")))
        # a payer that is billed for all clients at once has one row
        self._count("Matters", len(keys), "in the list", sum(rows.mapped("account_count")))

    def _listed(self, months, billed):
        """Matters that have a row: a bill is due, or their quote is used up."""
        return [
            key
            for key, matter in self.firm.matters.items()
            if getattr(matter, billed) is not None
            or (key == data.QUOTE_USED_UP and any(getattr(matter, month) for month in months))
        ]

    def _bill(self, run, billed):
        """*Bill All*, and yes to the question.

        :return: the draft bills
        """
        run.action_bill()
        run.action_execute()
        failed = run.line_ids.filtered(lambda row: row.selected and row.state != "created")
        if failed:
            raise SystemExit("\n".join(failed.mapped("message")))
        drafts = run.line_ids.move_id
        expected = sum(getattr(matter, billed) or 0.0 for matter in data.MATTERS)
        self._equal("Agreed", round(expected, 2), "draft bills", self._untaxed(drafts))
        self._equal("Rows", run.amount_created, "draft bills", self._untaxed(drafts))
        self._compare_realization(drafts)
        return drafts

    def _compare_realization(self, moves):
        """Work keeps its value; fees and one difference per matter make the agreed sum of it."""
        charges = moves.invoice_line_ids.charge_id
        made = charges.filtered("made_by_basis")
        work, fees, differences = (
            sum(some.mapped("amount"))
            for some in (
                charges - made,
                made.filtered(lambda charge: charge.kind == "fixed_fee"),
                made.filtered(lambda charge: charge.kind == "adjustment"),
            )
        )
        self._equal(
            "Work, fees and differences", work + fees + differences,
            "bills", self._untaxed(moves),
        )  # fmt: skip

    # -- draft bills and bill production ---------------------------------------------------------
    def approve(self):
        """All drafts but two are posted, and go to bill production."""
        self._approve(self.drafts - self._bills_of(*data.LEFT_AS_DRAFTS))
        self._count("Drafts", len(data.LEFT_AS_DRAFTS), "left", self._count_in("draft"))

    def _approve(self, drafts):
        posted, waiting, left = drafts._approve_bills()
        failed = "\n".join(move.delivery_message or move.display_name for move in waiting | left)
        if failed:
            raise SystemExit(failed)
        self._count("Approved", len(drafts), "in production", len(self._in(posted, "production")))

    def revert(self):
        """A bill is taken back to the drafts, and approved again: the books are as before."""
        bill = self._bills_of(data.REVERTED)
        number, income = bill.name, self._income(bill)
        done = bill._revert()
        if done.refused:
            raise SystemExit("\n".join(done.refused.values()))
        self._count("Reverted", bill.ids, "among the drafts", self._in(done.drafts, "draft").ids)
        self._approve(bill)
        self._count("Number before it was reverted", number, "after", bill.name)
        self._equal("Income before it was reverted", income, "after", self._income(bill))

    def change_options(self):
        """How bills are delivered, changed on bills in production: saved to their accounts."""
        for key, options in data.OPTIONS_CHANGED.items():
            self._bills_of(key).write(dict(options))
            account = self._account(key)
            for name, value in options.items():
                self._count(
                    f"{self.firm.matters[key].client} {name}", value, "saved", account[name]
                )

    def produce(self):
        """All but a few; one e-mail fails, and its bill stays in production."""
        failing = self._bills_of(data.MAIL_FAILED)
        bills = self._in(self.drafts, "production") - self._bills_of(*data.LEFT_IN_PRODUCTION)
        self._deliver(bills, failing)
        self._count("Produced", len(bills - failing), "are so", self._count_in("produced"))

    def _deliver(self, bills, failing=()):
        """Produce, and leave e-mails as the queue does; the demo has no mail server."""
        pages = bills._produce()[1]
        copies = sum(int(bill.print_copies) for bill in bills)
        self._count("Copies by the options", copies, "to print", len(pages))
        queued = bills.filtered(lambda bill: bill.delivery_state == "queued")
        queued.sudo().sending_data = False
        for bill in queued:
            if bill in failing:
                bill._set_delivery("failed", self.env._("The mail server refused the address."))
            else:
                bill._set_delivery("sent")

    def pay(self):
        """A bill is paid."""
        bill = self._bills_of(data.PAID)
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=bill.ids
        ).create({"payment_date": self.firm.today})._create_payments()
        self.paid = bill.amount_total

    def _bills_of(self, *keys):
        """Last month's bills of matters."""
        accounts = self.firm.env["healthcare.billing.account"].union(
            *(self.firm.accounts[key] for key in keys)
        )
        return self.drafts.filtered(
            lambda move: move.invoice_line_ids.charge_id.billing_account_id & accounts
        )

    def _account(self, key):
        return self.firm.accounts[key].with_env(self.env)

    @staticmethod
    def _in(moves, state):
        """Bills that are in a state of production."""
        return moves.filtered(lambda move: move.production_state == state)

    def _count_in(self, state):
        """Number of last month's bills in a state of production."""
        return len(self._in(self.drafts, state))

    # -- what must be equal ----------------------------------------------------------------------
    def compare_quotes(self):
        """What is left of each quote: drafts count as billed."""
        for key, matter in self.firm.matters.items():
            account = self._account(key)
            if account.billing_basis == "quote":
                billed = (matter.billed_before or 0.0) + (matter.billed or 0.0)
                left = account.quote_amount - billed
                self._equal(f"Quote left, {matter.client}", left, "account", account.quote_left)

    def compare_ledger(self):
        """Bills, income, receivables and differences, each from the ledger; then all care."""
        firm = self.firm
        posted = self.posted = (self.before | self.drafts).filtered(lambda m: m.state == "posted")
        drafts = self.drafts - posted
        self._equal("Posted bills", self._untaxed(posted), "income", self._income(posted))
        receivable = self._balance(posted, "asset_receivable")
        self._equal("Posted bills", self._untaxed(posted), "receivable", receivable)
        self.open = sum(posted.mapped("amount_residual"))
        self._equal("Posted and not paid", self._untaxed(posted) - self.paid, "open", self.open)
        adjustments = posted.invoice_line_ids.charge_id.filtered(
            lambda charge: charge.made_by_basis and charge.kind == "adjustment"
        )
        self.differences = sum(adjustments.mapped("amount"))
        lines = posted.line_ids.filtered(lambda line: line.account_id == firm.difference_account)
        self._equal("Differences", self.differences, "their account", -sum(lines.mapped("balance")))
        self._compare_realization_report()
        self.report = self._compare_books(firm.month_before, firm.today)
        self._equal("Invoiced", self.report.invoiced, "posted bills", self._untaxed(posted))
        on_drafts = self._untaxed(drafts | self.by_hand)
        self._equal("On drafts", self.report.draft, "draft bills", on_drafts)

    def _compare_realization_report(self):
        """*Reporting > Realization* says of agreed fees what the ledger says."""
        [(recorded, agreed, fees, difference)] = self.env["healthcare.realization"]._read_group(
            [("company_id", "=", self.company.id)],
            [],
            ["amount_recorded:sum", "amount_agreed:sum", "amount_fee:sum", "amount_difference:sum"],
        )
        self._equal("Realization report", difference, "differences", self.differences)
        self._equal("Recorded, fees and differences", recorded + fees + difference,
                    "agreed", agreed)  # fmt: skip
        self.realized = (recorded, agreed)

    # -- what is printed -------------------------------------------------------------------------
    def table(self):
        """Where the firm's bills are, and what the work realized.

        :return: str
        """
        states = dict(self.before._fields["production_state"]._description_selection(self.env))
        counts = map(len, (self.firm.clients, self.firm.staff, self.firm.appointments))
        title = "{}: {} clients, {} staff, {} appointments".format(self.company.name, *counts)
        rows = [title, ""]
        for name, moves in (("month before last", self.before), ("last month", self.drafts)):
            for state, bills in moves.grouped("production_state").items():
                label = f"Bills of the {name}: {states[state]}"
                rows.append(self._row(label, len(bills), self._untaxed(bills)))
        recorded, agreed = self.realized
        rows += [
            self._row("Work under quotes and fixed fees", "", recorded),
            self._row("Agreed for it", "", agreed),
            self._row("Booked on the account of differences", "", self.differences),
            self._row("Ledger, income", "", self._income(self.posted)),
            self._row("Open", "", self.open),
        ]
        return "\n".join(rows)
