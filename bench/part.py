"""``python -m bench.part``: one part in a process of its own, so that its memory is its own."""

import argparse
import json
from pathlib import Path

from . import compare, cycle, growth, ledger, mass, queue, statements, volume
from .measure import Report
from .practice import Practice
from .session import Session


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "part",
        choices=(
            "ledger", "create", "growth", "plan", "memory", "queue", "cycle", "mass", "statements"
        ),
    )  # fmt: skip
    parser.add_argument("--database", required=True)
    parser.add_argument("--addons", help="further folder with addons")
    parser.add_argument("--options", type=json.loads, default={})
    parser.add_argument("--result", type=Path, help="file for the figures")
    arguments = parser.parse_args()
    session = Session(arguments.database, arguments.addons)
    if arguments.part == "ledger":
        ledger.prepare(session)
        return
    Practice.set_up_once(session)
    report = Report()
    run_part(arguments.part, session, report, arguments.options)
    arguments.result.write_text(json.dumps(report.lines))


def run_part(part, session, report, options):
    """Call the part's ``run`` with what it wants of the options."""
    invoices, lines = options["invoices"], options["lines"]
    if part == "create":
        compare.run(session, report, invoices=invoices, lines=lines, rounds=options["rounds"])
    elif part == "growth":
        growth.run(session, report, invoices=max(1, invoices // 2), lines=lines)
    elif part == "cycle":
        cycle.run(session, report, visits=invoices, lines=lines)
    elif part == "mass":
        mass.run(session, report, accounts=invoices, lines=lines)
    elif part == "statements":
        statements.run(session, report, addressees=invoices, lines=lines)
    elif part == "queue":
        queue.run(session, report, invoices=invoices, lines=lines, rounds=options["rounds"])
    else:
        volume.run(
            session,
            report,
            charges=options["charges"],
            lines=lines,
            memory=part == "memory",
            seconds=options["seconds"],
        )


if __name__ == "__main__":
    main()
