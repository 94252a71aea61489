"""Express statements of N addressees and of four times as many: search, commit, recommit."""

from odoo.tools import SQL

from .growth import always_in_background, report_steps, work_in_background
from .measure import Clock, Sample, say
from .practice import INVOICE_DATE, Practice
from .volume import peak

GROWTH = 4
TARGET = 5.0  # times as long for four times the addressees
FINDS = 1.0  # seconds of the processor per 1,000 addressees
QUERIES = 12  # per addressee: what core asks to number and post each invoice, and the chunk's share
PEAK = 1024  # MiB
CRITERIA = {"statement_type": "differential"}


def run(session, report, *, addressees, lines):
    """Commit statements of a quarter of the addressees, then of all of them.

    :param int addressees: of the larger run
    :param int lines: open charges of each
    """
    always_in_background(session)
    sizes = [max(1, addressees // GROWTH), addressees]
    samples = [_work(session, size, lines) for size in sizes]
    for size, found in zip(sizes, samples, strict=True):
        for step, sample in found.items():
            print(f"{size:>8,} addressees, {step:<28}{sample}")
    report_steps(report, "express statements", "addressees", samples, GROWTH, TARGET)
    finds = 1000 * samples[1]["search"].processor / addressees
    report.add(
        f"express statements of {addressees * lines} charges, search, processor s per 1,000",
        f"{finds:.1f}",
        f"<= {FINDS:.0f}",
        finds <= FINDS,
    )
    queries = samples[1]["commit all"].queries / addressees
    report.add(
        "express statements, commit, queries per addressee",
        f"{queries:.1f}",
        f"<= {QUERIES}",
        queries <= QUERIES,
    )
    report.add(f"peak memory, {addressees} addressees, MiB", peak(), f"< {PEAK}", peak() < PEAK)


def _work(session, addressees, lines):
    """One express run, from its search to the last commit, and what follows.

    :return: ``{step: Sample}``
    """
    say(f"making {addressees} addressees with {lines} open charges each")
    charge_ids = _prepare(session, addressees, lines)
    took = {}

    def step(name, action, background=None):
        with session.transaction(commit=True) as env:
            clock = Clock(env)
            action(env)
            parts = [clock.read()]
        if background:
            parts.append(background(session))
        took[name] = Sample(
            seconds=sum(sample.seconds for sample in parts),
            processor=sum(sample.processor for sample in parts),
            queries=sum(sample.queries for sample in parts),
        )
        say(f"{addressees} addressees, {name}: {took[name]}")

    step("search", _search)
    step("search again", lambda env: _last_run(env).action_search_again())
    step("commit all", lambda env: _last_run(env).action_execute(), work_in_background)
    step("what fell back", _fallen_back)
    _check(session, charge_ids)
    return took


def _prepare(session, addressees, lines):
    """Clients who owe something, and nobody else's care to tell.

    :return: ids of the charges
    """
    with session.transaction(commit=True) as env:
        env.cr.execute(
            """UPDATE healthcare_charge
                  SET billing_stage = 'not_billable', balance_client = 0, balance_payer = 0,
                      balance_secondary = 0, amount_residual = 0
                WHERE billing_stage IN ('planned', 'qa', 'billing_office')"""
        )
        charge_ids = Practice(env).add_clients(addressees, lines)
    session.analyze()
    return charge_ids


def _search(env):
    """The preview, and the first page of it with its totals, as the screen asks for it."""
    run = env["healthcare.billing.run"]._open_express(INVOICE_DATE, CRITERIA, minimum=0.01)
    run.line_ids.search([("run_id", "=", run.id)], limit=80).read(
        ["partner_id", "charge_count", "amount", "selected"]
    )
    run.read(["line_count", "amount_total", "selected_count", "amount_selected"])


def _last_run(env):
    return env["healthcare.billing.run"].search([("door", "=", "statement")], limit=1)


def _fallen_back(env):
    """What the list asks to offer its filter and buttons."""
    env["healthcare.statement"].search([("needs_recommit", "=", True)])


def _check(session, charge_ids):
    """Each charge is on one committed statement, and posted once, of the same sum."""
    with session.transaction() as env:
        env.cr.execute(
            SQL(
                """SELECT COUNT(*), COUNT(*) FILTER (WHERE posted.times = 1),
                          COUNT(*) FILTER (WHERE told.times = 1)
                     FROM healthcare_charge c
                     JOIN LATERAL (SELECT COUNT(*) AS times FROM account_move_line l
                                    WHERE l.charge_id = c.id AND l.charge_live
                                      AND l.parent_state = 'posted') posted ON TRUE
                     JOIN LATERAL (SELECT COUNT(*) AS times FROM healthcare_statement_line l
                                     JOIN healthcare_statement s ON s.id = l.statement_id
                                    WHERE l.charge_id = c.id AND s.state = 'committed') told ON TRUE
                    WHERE c.id = ANY(%s)""",
                charge_ids,
            )
        )
        charges, posted, told = env.cr.fetchone()
        proof = env["healthcare.receivable"]._proof(env.company)
    if not charges == posted == told or any(own["difference"] for own in proof.values()):
        raise AssertionError(f"{charges} charges, {posted} posted once, {told} told once; {proof}")
