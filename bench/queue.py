"""One run in the job queue: with one worker, and with two."""

import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from time import monotonic, sleep

from .growth import always_in_background
from .measure import say
from .practice import INVOICE_DATE, Practice

TARGET = 1.7
PATIENCE = 900  # seconds
WARM_UP = 50  # invoices: the workers have loaded what they need when the run begins


def run(session, report, *, invoices, lines, rounds):
    """Bill the same number of invoices with one and with two workers, several times each.

    Server and runner of the queue are real. What counts is the time between the start of the first
    job and the end of the last one.
    """
    always_in_background(session)
    seconds = {1: [], 2: []}
    for _round in range(rounds):
        for workers, found in seconds.items():
            with server(session.database, workers):
                _bill(session, WARM_UP * workers, lines)
                found.append(_bill(session, invoices, lines))
            say(f"{workers} worker(s): {found[-1]:.1f} s")
    one, two = (statistics.median(seconds[workers]) for workers in (1, 2))
    ratio = one / two
    print(f"\n{invoices} invoices: one worker {one:.1f} s, two workers {two:.1f} s")
    report.add(
        f"{invoices} invoices with two workers: times faster than with one",
        f"{ratio:.2f}",
        f">= {TARGET}",
        ratio >= TARGET,
    )


@contextmanager
def server(database, workers):
    """Odoo with so many workers for requests, all of which the queue may use."""
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [
                *("odoo", f"--database={database}", f"--db-filter=^{database}$"),
                # what is pushed to browsers has a process of its own, and a port
                *(f"--http-port={_free_port()}", f"--gevent-port={_free_port()}"),
                *(f"--workers={workers}", "--max-cron-threads=0"),
                *("--load=base,rpc,web,queue_job", "--log-level=warn"),
            ],
            env=os.environ
            | {"ODOO_QUEUE_JOB_CHANNELS": f"root:{workers},root.healthcare_billing:{workers}"},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield
        except Exception:
            log.seek(0)
            sys.stderr.write(log.read()[-3000:])
            raise
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _bill(session, invoices, lines):
    """Make care and leave a run over it to the queue; wait for its end.

    :return: seconds between the start of the first job and the end of the last one
    """
    with session.transaction(commit=True) as env:
        charge_ids = Practice(env).add_clients(invoices, lines)
    session.analyze()
    with session.transaction(commit=True) as env:
        charges = env["healthcare.charge"].browse(charge_ids)
        run = env["healthcare.billing.engine"].plan(charges, invoice_date=INVOICE_DATE).save()
        run.action_execute()
        run_id, keys = run.id, f"{run._job_key()}-%"
    waited = monotonic()
    while monotonic() - waited < PATIENCE:
        sleep(0.5)
        with session.transaction(user="base.user_root") as env:
            done = env["healthcare.billing.run"].browse(run_id)
            if done.state == "running":
                continue
            jobs = env["queue.job"].search([("identity_key", "=like", keys)])
            if done.created_count != invoices or set(jobs.mapped("state")) != {"done"}:
                raise AssertionError(f"{done.created_count} invoices, {jobs.mapped('state')}")
            tries = sum(jobs.mapped("retry"))
            if tries > len(jobs):
                say(f"{tries - len(jobs)} of {len(jobs)} jobs had to be tried again")
            say(f"jobs took {sum(jobs.mapped('exec_time')):.1f} s together")
            env.cr.execute(
                "SELECT EXTRACT(EPOCH FROM MAX(date_done) - MIN(date_started)) FROM queue_job"
                " WHERE id = ANY(%s)",
                [jobs.ids],
            )
            return float(env.cr.fetchone()[0])
    raise AssertionError(f"the queue didn't finish within {PATIENCE} seconds")
