"""Very much care at once: time to plan it, and memory to plan and bill it."""

import resource
import statistics
import threading
from time import perf_counter

from .growth import always_in_background, preview, work_in_background
from .measure import say
from .practice import INVOICE_DATE, Practice

PLAN_SECONDS = 10.0
PEAK = 1024  # MiB
ROUNDS = 3


def run(session, report, *, charges, lines, memory, seconds):
    """Plan so many charges; with ``memory``, also save the plan and bill for some time.

    :param int charges: in all
    :param int lines: charges on each invoice
    :param bool memory: measure memory, too
    :param float seconds: how long to bill; None: to the end
    """
    say(f"making {charges} charges")
    with session.transaction(commit=True) as env:
        charge_ids = Practice(env).add_clients(charges // lines, lines)
    session.analyze()
    start = peak()
    times = [_plan(session, charge_ids) for _round in range(ROUNDS)]
    planned = peak()
    print(f"\nplan of {len(charge_ids)} charges: {', '.join(f'{t:.1f}' for t in times)} s")
    median = statistics.median(times)
    report.add(
        f"plan {len(charge_ids)} charges, seconds",
        f"{median:.1f}",
        f"< {PLAN_SECONDS:.0f}",
        median < PLAN_SECONDS,
    )
    if not memory:
        return
    always_in_background(session)
    started = perf_counter()
    run_id = preview(session, charge_ids)
    saved = peak()
    print(f"plan, save and start of the run: {perf_counter() - started:.1f} s")
    made, billing = _bill(session, run_id, seconds)
    print(
        f"peak memory: {start} MiB before, {planned} MiB with the plan, {saved} MiB when saved,"
        f" {peak()} MiB when {made} of {charges // lines} invoices were made ({billing:.0f} s)"
    )
    report.add(
        f"peak memory for {len(charge_ids)} charges, {made} invoices, MiB",
        peak(),
        f"< {PEAK}",
        peak() < PEAK,
    )


def peak():
    """The most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _plan(session, charge_ids):
    """Plan in a transaction of its own, with nothing read before.

    :return: seconds
    """
    with session.transaction() as env:
        charges = env["healthcare.charge"].browse(charge_ids)
        started = perf_counter()
        plan = env["healthcare.billing.engine"].plan(charges, invoice_date=INVOICE_DATE)
        seconds = perf_counter() - started
        if plan.blocked or len(plan.charge_ids) != len(charge_ids):
            raise AssertionError(f"{len(plan.blocked)} charges blocked")
        return seconds


def _bill(session, run_id, seconds):
    """Bill in the background; after some time somebody presses *Stop*.

    :return: number of invoices, and seconds
    """

    def stop():
        with session.transaction(commit=True) as env:
            env["healthcare.billing.run"].browse(run_id).action_stop()

    timer = threading.Timer(seconds, stop) if seconds else None
    if timer:
        timer.start()
    needed = work_in_background(session)
    if timer:
        timer.cancel()
    with session.transaction() as env:
        return env["healthcare.billing.run"].browse(run_id).created_count, needed
