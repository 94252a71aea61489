"""Very much care at once: time to plan it, and memory to plan and bill it."""

import resource
import threading
from time import perf_counter

from .growth import always_in_background, preview, work_in_background
from .measure import Clock, Series, say
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
    plans = Series()
    for _round in range(ROUNDS):
        plans.add(_plan(session, charge_ids))
    planned = peak()
    samples = ", ".join(str(sample) for sample, _number in plans.samples)
    print(f"\nplan of {len(charge_ids)} charges: {samples}")
    seconds_to_plan = plans.judged() / 1000
    report.add(
        f"plan {len(charge_ids)} charges, seconds",
        f"{seconds_to_plan:.1f}",
        f"< {PLAN_SECONDS:.0f}",
        seconds_to_plan < PLAN_SECONDS,
        plans.was_busy,
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
        f" {peak()} MiB when {made} of {charges // lines} invoices were made ({billing})"
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

    :return: :class:`Sample`
    """
    with session.transaction() as env:
        charges = env["healthcare.charge"].browse(charge_ids)
        clock = Clock(env)
        plan = env["healthcare.billing.engine"].plan(charges, invoice_date=INVOICE_DATE)
        sample = clock.read()
        if plan.blocked or len(plan.charge_ids) != len(charge_ids):
            raise AssertionError(f"{len(plan.blocked)} charges blocked")
        return sample


def _bill(session, run_id, seconds):
    """Bill in the background; after some time somebody presses *Stop*.

    :return: number of invoices, and :class:`Sample`
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
