"""Ten times the care takes hardly more than ten times as long."""

import statistics
from time import perf_counter

from .measure import say
from .practice import INVOICE_DATE, Practice

TARGET = 11.0
ROUNDS = 3


def run(session, report, *, invoices, lines):
    """Bill N invoices several times, and 10 N once, as the background does: commit per chunk.

    :param int invoices: N
    """
    always_in_background(session)
    small = [_bill(session, invoices, lines) for _round in range(ROUNDS)]
    large = _bill(session, 10 * invoices, lines)
    ratio = large / statistics.median(small)
    print(
        f"\ngrowth: {invoices} invoices {statistics.median(small):.1f} s"
        f" (median of {', '.join(f'{seconds:.1f}' for seconds in small)});"
        f" {10 * invoices} invoices {large:.1f} s"
    )
    report.add(
        f"create {10 * invoices} invoices: times as long as {invoices}",
        f"{ratio:.2f}",
        f"<= {TARGET}",
        ratio <= TARGET,
    )


def always_in_background(session):
    """Whatever its size, a run is done by the scheduled action."""
    with session.transaction(commit=True) as env:
        env.company.healthcare_background_rows = 0


def preview(session, charge_ids):
    """A saved run over these charges, which the background is to execute.

    :return: its id
    """
    with session.transaction(commit=True) as env:
        charges = env["healthcare.charge"].browse(charge_ids)
        run = env["healthcare.billing.engine"].plan(charges, invoice_date=INVOICE_DATE).save()
        run.action_execute()
        return run.id


def work_in_background(session):
    """What the scheduled action does; without a limit of time, as it isn't called by one.

    :return: seconds
    """
    with session.transaction(user="base.user_root") as env:
        started = perf_counter()
        env["healthcare.billing.run"]._cron_work_on_runs()
        return perf_counter() - started


def _bill(session, invoices, lines):
    """Make care, bill it and keep it.

    :return: seconds of the billing
    """
    with session.transaction(commit=True) as env:
        charge_ids = Practice(env).add_clients(invoices, lines)
    session.analyze()
    run_id = preview(session, charge_ids)
    seconds = work_in_background(session)
    with session.transaction() as env:
        made = env["healthcare.billing.run"].browse(run_id).created_count
    if made != invoices:
        raise AssertionError(f"{made} of {invoices} invoices made")
    say(f"{invoices} invoices: {seconds:.1f} s")
    return seconds
