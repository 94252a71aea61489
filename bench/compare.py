"""Create, and create and post, side by side on the same data."""

from time import perf_counter

from . import contenders
from .measure import Series, print_table, rotated, say
from .practice import INVOICE_DATE, Practice

TARGETS = {"create": 3.0, "create+post": 2.2}
WARM_UP = 10  # invoices


def run(session, report, *, invoices, lines, rounds):
    """Measure all contenders whose addons are installed.

    The invoices are shared out to the rounds. In each round everyone bills the same care, in
    another order than in the round before, and everything is rolled back.

    :param int invoices: that each contender makes in all rounds together
    :param int lines: visits on each invoice
    """
    rounds = max(1, min(rounds, invoices))
    field = _field(session)
    slices = [WARM_UP] + [
        invoices * (number + 1) // rounds - invoices * number // rounds for number in range(rounds)
    ]
    tasks = _prepare(session, field, slices, lines)
    say(f"warming up, then {rounds} rounds of {slices[1]} invoices x {lines} lines")
    _round(session, field, tasks[0])
    series = {(contender, step): Series() for contender in field for step in TARGETS}
    for number, task in enumerate(tasks[1:]):
        for contender, samples in _round(session, rotated(field, number), task).items():
            for step, sample in samples.items():
                series[contender, step].add(sample, slices[number + 1])
    for step, target in TARGETS.items():
        _report(report, step, target, field, series)


def _field(session):
    """Everybody who can take part in this database."""
    with session.transaction() as env:
        installed = env["ir.module.module"]._installed()
    return [
        contender
        for contender in (
            contenders.Engine(),
            contenders.PlainInOne(),
            contenders.PlainInChunks(),
            contenders.PlainQuiet(),
            contenders.SaleOrders(),
            contenders.OcaContract(),
        )
        if contender.module is None or contender.module in installed
    ]


def _prepare(session, field, slices, lines):
    """Make the care, and everybody's documents of it.

    :param list slices: numbers of invoices
    :return: for each slice ``{contender: task}``
    """
    say(f"making care for {sum(slices)} invoices")
    with session.transaction(commit=True) as env:
        practice = Practice(env)
        charges = [practice.add_clients(number, lines) for number in slices]
    session.analyze()
    tasks = [{} for _slice in slices]
    for contender in field:
        started = perf_counter()
        with session.transaction(commit=True) as env:
            engine = env["healthcare.billing.engine"]
            for number, charge_ids, task in zip(slices, charges, tasks, strict=True):
                own = env["healthcare.charge"].browse(charge_ids)
                plan = engine.plan(own, invoice_date=INVOICE_DATE)
                if len(plan.invoices) != number or plan.blocked:
                    raise AssertionError(f"{len(plan.invoices)} invoices: {plan.blocked}")
                task[contender] = contender.prepare(env, plan.invoices)
        say(f"prepared {contender.name} ({perf_counter() - started:.0f} s)")
    session.analyze()
    return tasks


def _round(session, field, task):
    """Let everyone bill the same care.

    :return: ``{contender: {step: Sample}}``
    :raise AssertionError: they didn't make the same
    """
    samples, made = {}, {}
    for contender in field:
        samples[contender], made[contender.name] = contender.measure(session, task[contender])
    first = next(iter(made.values()))
    for name, found in made.items():
        if found != first:
            raise AssertionError(f"{name} made something else:\n{found}\n{first}")
    say("each made " + ", ".join(f"{value} {key}" for key, value in list(first.items())[:-2]))
    return samples


def _report(report, step, target, field, series):
    """Table of a step; the quickest one of the plain ways counts as Odoo's own."""
    print(f"\n{step}, per invoice (median of the rounds)")
    own = series[field[0], step]
    plain = [contender for contender in field if isinstance(contender, contenders.PlainInOne)]
    plain.remove(min(plain, key=lambda contender: series[contender, step].processor))
    busy = any(series[contender, step].was_busy for contender in field)
    rows = []
    for contender in field:
        found = series[contender, step]
        rows.append(
            (
                contender.name,
                f"{found.milliseconds:.1f} ms",
                f"{found.milliseconds / own.milliseconds:.2f}",
                f"{found.processor:.1f} ms",
                f"{found.processor / own.processor:.2f}",
                f"{found.queries:.2f}",
            )
        )
        if contender not in (field[0], *plain):
            ratio = found.judged(busy) / own.judged(busy)
            report.add(
                f"{step}: times faster than {contender.name}",
                f"{ratio:.2f}",
                f">= {target}",
                ratio >= target,
                busy,
            )
    print_table(("", "time", "times", "processor", "times", "queries"), rows)
