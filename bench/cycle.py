"""A home-care cycle from approval to closing, of N visits and of four times as many."""

from collections import defaultdict

from dateutil.relativedelta import relativedelta

from odoo.tools import SQL

from .growth import report_steps, work_in_background
from .measure import Clock, Sample, say
from .practice import FIRST_DAY, INVOICE_DATE, Practice
from .volume import peak

GROWTH = 4
TARGET = 5.0  # times as long for four times the visits
FILE_SHARE = 4  # every fourth client's payer takes files: one invoice for all of them
LATE_SHARE = 10  # every tenth visit is approved after the first invoices; as many are resubmitted
PEAK = 1024  # MiB


class Agency(Practice):
    """Clients who pay for themselves, and every fourth with a payer that takes files."""

    def _make_clients(self, number, visits):
        ids = super()._make_clients(number, visits)
        payer = self.env["res.partner"].search([("name", "=", "Bench Program")], limit=1)
        payer = payer or payer.create(
            {
                "name": "Bench Program",
                "is_company": True,
                "is_payer": True,
                "payer_type": "other",
                "invoicing_model": "payer_file",
            }
        )
        clients = self.env["res.partner"].browse(ids[::FILE_SHARE])
        clients.billing_account_ids.payer_id = payer
        appointments = self.env["healthcare.appointment"].search([("client_id", "in", clients.ids)])
        appointments.payer_id = payer
        self.env.flush_all()
        return ids


def run(session, report, *, visits, lines):
    """Work through a cycle of a quarter of the visits, then through one of all of them.

    :param int visits: of the larger cycle
    :param int lines: visits of each client
    """
    # all runs but those of a single invoice
    with session.transaction(commit=True) as env:
        env.company.healthcare_background_rows = 1
    sizes = [max(lines * FILE_SHARE, visits // GROWTH), visits]
    samples = [_work(session, size, lines) for size in sizes]
    _print(sizes, samples)
    report_steps(report, "cycle", "visits", samples, GROWTH, TARGET)
    report.add(f"peak memory, {visits} visits, MiB", peak(), f"< {PEAK}", peak() < PEAK)


def _print(sizes, samples):
    print(f"\n{'seconds per 1,000 visits':<26}" + "".join(f"{size:>16,} visits" for size in sizes))
    for step in samples[0]:
        cells = []
        for size, found in zip(sizes, samples, strict=True):
            number = STEP_SHARES.get(step, lambda n: n)(size)
            cells.append(
                f"{1000 * found[step].seconds / number:>13.2f} ({found[step].seconds:6.1f})"
            )
        print(f"{step:<26}" + "".join(f"{cell:>23}" for cell in cells))
    print("(in brackets: seconds in all)")


STEP_SHARES = {
    "generate newly approved": lambda visits: max(1, visits // LATE_SHARE),
    "generate resubmission": lambda visits: max(1, visits // LATE_SHARE // FILE_SHARE),
}


def _work(session, visits, lines):
    """One cycle, each step in transactions of its own.

    :return: ``{step: Sample}``
    """
    cycle_id = _prepare(session, visits, lines)
    took = {}

    def step(name, action, *, background=True):
        parts = [_in_transaction(session, cycle_id, action)]
        if background:
            parts.append(work_in_background(session))
        took[name] = _sum(parts)
        say(f"{visits} visits, {name}: {took[name]}")

    step("approve", lambda cycle: _approve(cycle, late=False), background=False)
    step("look for issues", lambda cycle: cycle.action_view_issues(), background=False)
    step("generate all", _plan("all"))
    step("generate all again", _plan("all"))
    _in_transaction(session, cycle_id, lambda cycle: _approve(cycle, late=True))
    step("generate newly approved", _plan("new"))
    step("regenerate a draft", _regenerate, background=False)
    _in_transaction(session, cycle_id, _send_file)
    work_in_background(session)
    _in_transaction(session, cycle_id, _mark)
    step("generate resubmission", _plan("resubmission"))
    step("close", lambda cycle: cycle._start_closing())
    _check(session, cycle_id, visits)
    return took


def _prepare(session, visits, lines):
    """Visits that nobody approved yet, in a department of their own, and their cycle.

    :return: id of the cycle
    """
    say(f"making {visits} visits")
    with session.transaction(commit=True) as env:
        charge_ids = Agency(env).add_clients(visits // lines, lines)
        department = env["hr.department"].create({"name": f"Bench {visits}"})
        env.flush_all()
        for table, column in (("healthcare_charge", "id"), ("healthcare_appointment", "id")):
            ids = charge_ids
            if table == "healthcare_appointment":
                env.cr.execute(
                    "SELECT DISTINCT appointment_id FROM healthcare_charge WHERE id = ANY(%s)",
                    [charge_ids],
                )
                ids = [id_ for (id_,) in env.cr.fetchall()]
            env.cr.execute(
                SQL(
                    "UPDATE %s SET department_id = %s WHERE %s = ANY(%s)",
                    SQL.identifier(table),
                    department.id,
                    SQL.identifier(column),
                    ids,
                )
            )
        env.invalidate_all(flush=False)
        cycle = env["healthcare.billing.cycle"].create(
            {
                "date_from": FIRST_DAY,
                "date_to": FIRST_DAY + relativedelta(months=2),
                "invoice_date": INVOICE_DATE,
                "department_ids": department.ids,
            }
        )
        cycle_id = cycle.id
    session.analyze()
    return cycle_id


def _in_transaction(session, cycle_id, action):
    """:return: :class:`Sample` of the action on the cycle, in a transaction that is kept"""
    with session.transaction(commit=True) as env:
        clock = Clock(env)
        action(env["healthcare.billing.cycle"].browse(cycle_id))
        return clock.read()


def _sum(samples):
    return Sample(
        seconds=sum(sample.seconds for sample in samples),
        processor=sum(sample.processor for sample in samples),
        queries=sum(sample.queries for sample in samples),
    )


def _visits(cycle):
    domain = cycle._scope_domain() & cycle._own_days_domain()
    return cycle.env["healthcare.appointment"].search(domain, order="id")


def _approve(cycle, *, late):
    """Approve every tenth visit, or all others."""
    visits = _visits(cycle)
    chosen = visits[::LATE_SHARE]
    (chosen if late else visits - chosen)._approve("scheduled")


def _plan(mode):
    def generate(cycle):
        cycle._plan_run(mode).action_execute()

    return generate


def _regenerate(cycle):
    """One client's draft."""
    drafts = cycle.move_ids.filtered(
        lambda move: move.state == "draft" and not move.partner_id.is_payer
    )
    drafts[:1]._regenerate_draft()


def _file_moves(cycle):
    return cycle.move_ids.filtered(lambda move: move.partner_id.is_payer)


def _send_file(cycle):
    """The payer got its file."""
    _file_moves(cycle)._mark_as_sent()


def _mark(cycle):
    """Every tenth of the visits in the file is sent again."""
    charges = _file_moves(cycle).invoice_line_ids.charge_id.sorted("id")
    charges.appointment_id[::LATE_SHARE].to_resubmit = True


def _check(session, cycle_id, visits):
    """Everything was billed, and the cycle is closed."""
    with session.transaction() as env:
        cycle = env["healthcare.billing.cycle"].browse(cycle_id)
        states = defaultdict(int)
        for state, count in env["account.move"]._read_group(
            [("billing_cycle_id", "=", cycle_id)], ["state"], ["__count"]
        ):
            states[state] += count
        stages = dict(
            env["healthcare.charge"]._read_group(
                cycle._scope_domain(), ["billing_stage"], ["__count"]
            )
        )
        if cycle.state != "closed" or set(states) != {"posted"}:
            raise AssertionError(f"cycle {cycle.state}, invoices {dict(states)}")
        if sum(stages.get(stage, 0) for stage in ("awaiting_payment", "finished")) != visits:
            raise AssertionError(f"charges {stages}")
