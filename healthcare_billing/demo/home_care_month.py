"""The agency's months: approve, generate, regenerate, resubmit, close, and the next cycle."""

from datetime import timedelta

from . import home_care_data as data
from .books import Books

RESUBMITTED = ("jonas", 1)
SHORTENED, SHORTENED_TO = ("garner", 2), 1.5
WRITTEN_OFF = "colby"
VOIDED = "ellis"


class AgencyMonths(Books):
    """What the agency's office does, in the order in which it does it. A cycle in each state is
    left to look at: closed, closing with a draft that can't be posted, and open.

    :param agency: :class:`HomeCareAgency`
    :param env: of a billing manager of the agency
    """

    def __init__(self, agency, env):
        super().__init__(env)
        self.agency = agency
        self.expected = {}

    def work(self):
        """Everything.

        :return: self
        """
        self.bill_month_before()
        self.bill_nursing()
        self.bill_ad_hoc()
        self.bill_last_month()
        self.accrue()
        self.compare_books()
        return self

    # -- the month before last: from approval to a closed cycle ----------------------------------
    def bill_month_before(self):
        agency = self.agency
        self.closed = self.env["healthcare.billing.cycle"].create(
            {
                "date_from": agency.month_before,
                "date_to": agency.last_month,
                "back_billing_date": agency.month_before - timedelta(days=31),
                "invoice_date": agency.last_month + timedelta(days=2),
                "department_ids": agency.departments["support"].ids,
            }
        )
        visits = [v for v in agency.visits_of(agency.month_before) if not v.late]
        self._approve(visits)
        expected = self._expected(visits) + agency.service_rows["button"].price
        run = self._generate(self.closed, "all")
        self._equal("Approved visits", expected, "first invoices", run.amount_created)
        self._equal("Rows", run.amount_created, "drafts", self._untaxed(self.closed.move_ids))
        expected += self._shorten()
        self._equal("With a visit shortened", expected, "drafts", self._untaxed_of(self.closed))
        self._resubmit()
        self.closed._start_closing(restrict_scheduling=True)
        moves = self.closed.move_ids
        self._equal("Visits", expected, "closed invoices", self._untaxed(moves))
        self._equal("Closed invoices", self._untaxed(moves), "ledger", self._income(moves))
        sent = moves.filtered(lambda move: move.state == "posted" and move.is_move_sent)
        self._count("Invoices", len(moves), "sent", len(sent))
        self._write_off()
        self._void()

    def _approve(self, visits):
        """Approve: matching ones to the schedule, the others to what was clocked."""
        appointments = self._appointments([v for v in visits if self._may_approve(v)])
        rejected = self._appointments([v for v in visits if v.rejected])
        rejected._reject()
        appointments._approve("scheduled", matching=True)
        left = appointments.filtered(lambda visit: visit.approval_state == "not_approved")
        left.filtered("clock_out")._approve("clocked")
        left.filtered(lambda visit: visit.approval_state == "not_approved")._approve("as_is")

    @staticmethod
    def _may_approve(visit):
        return (
            not visit.rejected
            and not visit.unapproved
            and not visit.values.get("is_vacant")
            and visit.values.get("state") != "canceled"
        )

    def _appointments(self, visits):
        return self.env["healthcare.appointment"].browse(v.appointment.id for v in visits)

    def _expected(self, visits):
        return round(sum(v.amount for v in visits if v.is_billable and not v.unapproved), 2)

    def _generate(self, cycle, mode):
        run = cycle._plan_run(mode)
        run.action_execute()
        failed = run.line_ids.filtered(lambda line: line.state not in ("created", "deleted"))
        if failed:
            raise SystemExit("\n".join(failed.mapped("message")))
        return run

    def _shorten(self):
        """One visit was shorter: told on it, and its draft made again with its number.

        :return: what it changes
        """
        visit = self.agency.visits[(self.agency.month_before, *SHORTENED)]
        before = visit.amount
        draft = self._draft_of(visit)
        number = draft.billing_ref
        self._appointments([visit]).bill_override_qty = SHORTENED_TO
        visit.override = SHORTENED_TO
        draft._regenerate_draft()
        self._count("Number of the draft", number, "made again", draft.billing_ref)
        return visit.amount - before

    def _draft_of(self, visit):
        return self._appointments([visit]).charge_ids.invoice_line_ids.move_id.ensure_one()

    def _resubmit(self):
        """The state's program asks for a visit again: credited, and on another invoice."""
        visit = self.agency.visits[(self.agency.month_before, *RESUBMITTED)]
        self._draft_of(visit)._mark_as_sent()
        self._appointments([visit]).to_resubmit = True
        self._generate(self.closed, "resubmission")
        moves = self._appointments([visit]).charge_ids.invoice_line_ids.move_id
        self._count("Documents of the resubmitted visit", len(moves), "of", 3)

    def _write_off(self):
        """A small rest of a client's invoice is given up."""
        move = self._invoice_of(WRITTEN_OFF)
        account = self.agency.env["account.account"].create(
            {
                "code": "600199",
                "name": "Courtesy Write-offs",
                "account_type": "expense",
                "company_ids": self.company.ids,
            }
        )
        reason = self.agency.env["healthcare.adjustment.reason"].search(
            [("kind", "=", "courtesy")], limit=1
        )
        reason.with_company(self.company).account_id = account
        entries = move._write_off(
            reason.with_env(self.env), self.agency.last_month + timedelta(days=20), {move: 12.0}
        )
        self.written_off = entries
        self._equal("Written off", 12.0, "ledger", sum(entries.line_ids.mapped("debit")))

    def _void(self):
        """A sent invoice is void: the next cycle takes its visits over."""
        self.voided = self._invoice_of(VOIDED)
        self.voided._void(self.env._("Sent to the wrong office"))

    def _invoice_of(self, client):
        visits = [
            v for v in self.agency.visits_of(self.agency.month_before) if v.client.key == client
        ]
        moves = self._appointments(visits).charge_ids.invoice_line_ids.move_id
        return moves.filtered(
            lambda move: move.move_type == "out_invoice" and move.state == "posted"
        )[:1]

    # -- nursing: a cycle that can't be closed yet -----------------------------------------------
    def bill_nursing(self):
        agency = self.agency
        self.closing = self.env["healthcare.billing.cycle"].create(
            {
                "date_from": agency.month_before,
                "date_to": agency.last_month,
                "invoice_date": agency.last_month + timedelta(days=2),
                "department_ids": agency.departments["nursing"].ids,
            }
        )
        visits = agency.visits_of(agency.month_before, "nursing")
        self._approve(visits)
        run = self._generate(self.closing, "all")
        self._equal("Nursing visits", self._expected(visits), "invoices", run.amount_created)
        draft = run.move_ids[:1]
        draft.invoice_date = agency.today + timedelta(days=30)  # a slip of the hand
        self.closing._start_closing()

    # -- one client who leaves -------------------------------------------------------------------
    def bill_ad_hoc(self):
        agency = self.agency
        visits = [v for v in agency.visits_of(agency.last_month) if v.client.key == data.DISCHARGED]
        self._approve(visits)
        dialog = self.env["healthcare.adhoc.invoice"].create(
            {
                "client_id": agency.clients[data.DISCHARGED].id,
                "date_from": agency.last_month,
                "invoice_date": agency.last_month + timedelta(days=27),
                "post": True,
            }
        )
        run = self.env["healthcare.billing.run"].browse(dialog.action_search()["res_id"])
        run.action_execute()
        self.ad_hoc = run.move_ids
        self._equal("Ad hoc", self._expected(visits), "invoice", self._untaxed(self.ad_hoc))

    # -- last month: cloned, with what was late --------------------------------------------------
    def bill_last_month(self):
        agency = self.agency
        action = self.closed.action_create_next()
        self.open = self.env["healthcare.billing.cycle"].browse(action["res_id"])
        self.open.invoice_date = agency.today
        late = [v for v in agency.visits_of(agency.month_before) if v.late]
        voided = [
            v
            for v in agency.visits_of(agency.month_before)
            if v.client.key == VOIDED and not v.late
        ]
        own = [v for v in agency.visits_of(agency.last_month) if v.client.key != data.DISCHARGED]
        self._approve([*late, *(v for v in own if not v.later)])
        first = [*late, *voided, *(v for v in own if not v.later)]
        expected = self._expected(first) + agency.service_rows["button"].price
        run = self._generate(self.open, "all")
        self._equal("Approved and carried over", expected, "invoices", run.amount_created)
        later = [v for v in own if v.later]
        self._approve(later)
        run = self._generate(self.open, "new")
        self._equal("Newly approved", self._expected(later), "invoices", run.amount_created)
        self.expected["open"] = expected + self._expected(later)
        self._equal(
            "All of last month", self.expected["open"], "drafts", self._untaxed_of(self.open)
        )

    # -- the end of last month -------------------------------------------------------------------
    def accrue(self):
        """What was delivered by the end of last month, and not invoiced then."""
        agency = self.agency
        cut_off = agency.this_month - timedelta(days=1)
        self.report = self.env["healthcare.completeness"].create(
            {
                "date_from": agency.month_before,
                "date_to": cut_off,
                "as_of": cut_off,
                "invoice_date": agency.today,
            }
        )
        self.report.action_compute()
        dialog = self.env["healthcare.accrual.book"].browse(self.report.action_accrue()["res_id"])
        dialog.action_book()
        self.accrual = self.report.accrual_id
        self._equal("Accrued", self.accrual.amount, "report", self.report.accruable)
        account = agency.company.healthcare_accrual_account_id
        for name, day, amount in (
            ("cut-off", cut_off, self.accrual.amount),
            ("day after", agency.this_month, 0.0),
        ):
            [(balance,)] = self.env["account.move.line"]._read_group(
                [
                    ("account_id", "=", account.id),
                    ("parent_state", "=", "posted"),
                    ("date", "<=", day),
                ],
                [],
                ["balance:sum"],
            )
            self._equal(f"Accrued on the {name}", amount, "ledger", balance or 0.0)

    # -- the books -------------------------------------------------------------------------------
    def compare_books(self):
        """All care of the agency against the ledger."""
        self.books = self._compare_books(self.agency.month_before, self.agency.today)
        self._equal("Drafts of the open cycle", self.expected["open"], "on drafts",
                    self.books.draft - self._untaxed_of(self.closing))  # fmt: skip

    # -- sums ------------------------------------------------------------------------------------
    def _untaxed_of(self, cycle):
        return self._untaxed(cycle.move_ids.filtered(lambda move: move.state == "draft"))

    # -- what is printed -------------------------------------------------------------------------
    def table(self):
        """The cycles, the corrections and the accrual.

        :return: str
        """
        states = dict(self.closed._fields["state"]._description_selection(self.env))
        counts = map(len, (self.agency.clients, self.agency.staff, self.agency.appointments))
        title = "{}: {} clients, {} caregivers, {} visits".format(self.company.name, *counts)
        rows = [title, ""]
        rows += [
            self._row(
                f"{cycle.name} {cycle.date_from} to {cycle.last_day}, {states[cycle.state]}",
                len(cycle.move_ids),
                self._untaxed(cycle.move_ids),
            )
            for cycle in (self.closed, self.closing, self.open)
        ]
        rows += [
            self._row("Invoiced ad hoc", len(self.ad_hoc), self._untaxed(self.ad_hoc)),
            self._row("Void", len(self.voided), self._untaxed(self.voided)),
            self._row("Written off", len(self.written_off), 12.0),
            self._row(f"Accrued on {self.accrual.date}", 1, self.accrual.amount),
        ]
        return "\n".join(rows)
