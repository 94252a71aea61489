"""Mass billing of N billing accounts and of four times as many: list, bill, approve."""

from odoo.tools import SQL

from .growth import report_steps, work_in_background
from .measure import Clock, Sample, say
from .practice import INVOICE_DATE, Practice
from .volume import peak

GROWTH = 4
TARGET = 5.0  # times as long for four times the accounts
OPENS = 2.0  # seconds of the processor per 1,000 accounts
# What the screen shows of a row.
SHOWN = (
    "billing_account_id", "partner_id", "last_billed", "amount_time", "amount_expense",
    "amount_wip", "basis", "amount_agreed", "amount", "basis_note", "needs_tick", "bill_again",
    "payment_term_id", "invoice_template_id", "selected",
)  # fmt: skip
PEAK = 1024  # MiB
# Of each four accounts one is billed so; the last has nothing but its fee.
BASES = (
    {"billing_basis": "wip"},
    {"billing_basis": "quote", "quote_amount": 300.0},
    {"billing_basis": "fixed", "quote_amount": 250.0},
    {"billing_basis": "fixed", "quote_amount": 120.0},
)


def run(session, report, *, accounts, lines):
    """Bill a quarter of the accounts, then all of them.

    :param int accounts: of the larger list
    :param int lines: visits of each account that has work
    """
    with session.transaction(commit=True) as env:
        env.company.healthcare_background_rows = 1
    sizes = [max(len(BASES), accounts // GROWTH), accounts]
    samples = [_work(session, size, lines) for size in sizes]
    _print(sizes, samples)
    report_steps(report, "mass billing", "accounts", samples, GROWTH, TARGET)
    opens = 1000 * samples[1]["open the list"].processor / accounts
    report.add(
        f"mass billing of {accounts} accounts, open the list, processor s per 1,000",
        f"{opens:.1f}",
        f"<= {OPENS:.0f}",
        opens <= OPENS,
    )
    report.add(f"peak memory, {accounts} accounts, MiB", peak(), f"< {PEAK}", peak() < PEAK)


def _print(sizes, samples):
    print(f"\n{'processor s per 1,000':<28}" + "".join(f"{s:>16,} accounts" for s in sizes))
    for step in samples[0]:
        cells = [
            f"{1000 * found[step].processor / size:>15.2f} ({found[step].seconds:6.1f})"
            for size, found in zip(sizes, samples, strict=True)
        ]
        print(f"{step:<28}" + "".join(f"{cell:>25}" for cell in cells))
    print("(in brackets: seconds by the clock, in all)")


def _work(session, accounts, lines):
    """One list from its opening to the last approval, each step in transactions of its own.

    :return: ``{step: Sample}``
    """
    say(f"making {accounts} billing accounts")
    account_ids = _prepare(session, accounts, lines)
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
        say(f"{accounts} accounts, {name}: {took[name]}")

    step("open the list", _open)
    step("open it again", _open)
    step("bill all", lambda env: _bill(env), work_in_background)
    step("why not on the list", lambda env: _reasons(env, account_ids))
    step("approve all", _approve, _post_in_background)
    _check(session, account_ids)
    return took


def _prepare(session, accounts, lines):
    """Accounts of each basis, and nobody else's work to bill.

    :return: ids of the accounts
    """
    with session.transaction(commit=True) as env:
        env.cr.execute(
            """UPDATE healthcare_billing_account SET exclude_from_mass_billing = TRUE;
               UPDATE healthcare_charge SET billing_stage = 'not_billable'
                WHERE billing_stage IN ('planned', 'qa', 'billing_office')"""
        )
        charge_ids = Practice(env).add_clients(accounts, lines)
        env.cr.execute(
            SQL(
                "SELECT DISTINCT billing_account_id FROM healthcare_charge WHERE id = ANY(%s)"
                " ORDER BY 1",
                charge_ids,
            )
        )
        account_ids = [account_id for (account_id,) in env.cr.fetchall()]
        for index, values in enumerate(BASES):
            own = env["healthcare.billing.account"].browse(account_ids[index :: len(BASES)])
            own.with_context(tracking_disable=True).write(values)
        idle = account_ids[len(BASES) - 1 :: len(BASES)]
        env.flush_all()
        env.cr.execute(
            SQL(
                "UPDATE healthcare_charge SET billing_stage = 'not_billable'"
                " WHERE billing_account_id = ANY(%s);"
                " UPDATE healthcare_appointment SET billable = FALSE"
                " WHERE billing_account_id = ANY(%s)",
                idle,
                idle,
            )
        )
        env.invalidate_all(flush=False)
    session.analyze()
    return account_ids


def _open(env):
    """The list, and the first page of it with its totals, as the screen asks for it."""
    run = env["healthcare.billing.run"]._open_mass_billing(INVOICE_DATE)
    run.line_ids.search([("run_id", "=", run.id)], limit=80).read(SHOWN)
    run.read(["line_count", "amount_total", "selected_count", "amount_selected"])


def _bill(env):
    run = env["healthcare.billing.run"]._own_mass_list()
    run.action_bill()
    run.action_execute()


def _reasons(env, account_ids):
    accounts = env["healthcare.billing.account"].browse(account_ids)
    run = env["healthcare.billing.run"]._open_mass_billing(INVOICE_DATE)
    accounts._mass_billing_reasons(run)
    run.action_cancel()


def _approve(env):
    env["account.move"].search(
        [("is_mass_bill", "=", True), ("state", "=", "draft")]
    )._post_documents()


def _post_in_background(session):
    """What the scheduled action does; without a limit of time, as it isn't called by one.

    :return: :class:`Sample`
    """
    with session.transaction(user="base.user_root") as env:
        clock = Clock(env)
        env["account.move"]._cron_post_documents()
        return clock.read()


def _check(session, account_ids):
    """Each account has one bill, approved, of what was agreed."""
    with session.transaction() as env:
        env.cr.execute(
            SQL(
                """SELECT b.billing_basis, b.quote_amount, m.state, m.amount_untaxed,
                          COUNT(*) OVER (PARTITION BY b.id)
                     FROM healthcare_billing_account b
                     JOIN LATERAL (SELECT DISTINCT l.move_id FROM healthcare_charge c
                                     JOIN account_move_line l ON l.charge_id = c.id
                                    WHERE c.billing_account_id = b.id) bill ON TRUE
                     JOIN account_move m ON m.id = bill.move_id
                    WHERE b.id = ANY(%s)""",
                account_ids,
            )
        )
        bills = env.cr.fetchall()
    wrong = [
        bill
        for bill in bills
        if bill[2] != "posted" or bill[4] != 1 or (bill[0] != "wip" and bill[1] != bill[3])
    ]
    if len(bills) != len(account_ids) or wrong:
        raise AssertionError(f"{len(bills)} bills of {len(account_ids)} accounts, {wrong[:5]}")
