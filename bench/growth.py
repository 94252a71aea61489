"""Ten times the care takes hardly more than ten times as long."""

from .measure import Clock, Series, say
from .practice import INVOICE_DATE, Practice

TARGET = 11.0
ROUNDS = 3
SMALL = 0.5  # seconds: below, a step says nothing of growth


def run(session, report, *, invoices, lines):
    """Bill N invoices several times, and 10 N once, as the background does: commit per chunk.

    :param int invoices: N
    """
    always_in_background(session)
    small, large = Series(), Series()
    for _round in range(ROUNDS):
        small.add(_bill(session, invoices, lines))
    large.add(_bill(session, 10 * invoices, lines))
    busy = small.was_busy or large.was_busy
    ratio = large.judged(busy) / small.judged(busy)
    print(
        f"\ngrowth: {invoices} invoices {', '.join(str(sample) for sample, _n in small.samples)};"
        f" {10 * invoices} invoices {large.samples[0][0]}"
    )
    report.add(
        f"create {10 * invoices} invoices: times as long as {invoices}",
        f"{ratio:.2f}",
        f"<= {TARGET}",
        ratio <= TARGET,
        busy,
    )


def report_steps(report, subject, things, samples, growth, target):
    """Report how much longer each step takes for more.

    Of the processor's time: the machine may have other things to do.

    :param str subject: what is measured
    :param str things: what there is more of
    :param samples: of the small and of the large size, ``{step: Sample}``
    :param growth: how many times as many
    :param float target: times as long at most
    """
    smaller, larger = samples
    for step, small in smaller.items():
        large = larger[step]
        ratio = large.processor / max(small.processor, 0.01)
        if large.seconds >= SMALL:
            report.add(
                f"{subject}, {step}: {growth} times the {things}, times as long",
                f"{ratio:.1f}",
                f"<= {target:.0f}",
                ratio <= target,
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

    :return: :class:`Sample`
    """
    with session.transaction(user="base.user_root") as env:
        clock = Clock(env)
        env["healthcare.billing.run"]._cron_work_on_runs()
        return clock.read()


def _bill(session, invoices, lines):
    """Make care, bill it and keep it.

    :return: :class:`Sample` of the billing
    """
    with session.transaction(commit=True) as env:
        charge_ids = Practice(env).add_clients(invoices, lines)
    session.analyze()
    run_id = preview(session, charge_ids)
    sample = work_in_background(session)
    with session.transaction() as env:
        made = env["healthcare.billing.run"].browse(run_id).created_count
    if made != invoices:
        raise AssertionError(f"{made} of {invoices} invoices made")
    say(f"{invoices} invoices: {sample}")
    return sample
