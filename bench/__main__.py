"""``python -m bench``, as ``./dev bench`` calls it: one part after the other, then the results."""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from .measure import Report

# part -> the database it works in
PARTS = {
    "create": "compare",
    "growth": "product",
    "plan": "product",
    "memory": "product",
    "queue": "queue",
    "cycle": "product",
    "mass": "product",
    "statements": "product",
}


def main():
    options = parse()
    if options.list_databases:
        print(*sorted({PARTS[part] for part in chosen_parts(options.only)}))
        return
    report = Report()
    for part in chosen_parts(options.only):
        report.lines += measure(part, options)
    report.print()


def parse():
    parser = argparse.ArgumentParser(
        prog="./dev bench", description="Measures the billing engine beside Odoo's own ways."
    )
    number = {"type": positive, "metavar": "N"}
    parser.add_argument(
        "invoices", nargs="?", **number,
        help="that each makes in all rounds together (default 1000; queue: 2000 a round; cycle:"
        " visits of the larger cycle, default 4000; mass: billing accounts, statements:"
        " addressees, default 5000)",
    )  # fmt: skip
    parser.add_argument("lines", nargs="?", default=5, **number, help="of each (default 5)")
    parser.add_argument("--rounds", **number, help="(default 5; queue: 1)")
    parser.add_argument("--only", choices=PARTS, help="one part instead of all")
    parser.add_argument(
        "--charges", default=100_000, **number, help="for plan and memory (default 100000)"
    )
    parser.add_argument(
        "--seconds", type=float, default=120, metavar="S",
        help="how long the memory part bills; 0: to the end (default 120)",
    )  # fmt: skip
    # given by ./dev
    parser.add_argument("--databases", metavar="PREFIX", help=argparse.SUPPRESS)
    parser.add_argument("--addons", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--list-databases", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def chosen_parts(only):
    """The memory part plans, too; the job queue, cycles and mass billing, when asked for."""
    return [only] if only else ["create", "growth", "memory"]


def measure(part, options):
    """Run a part in a process of its own.

    :return: lines for the report
    """
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "result.json")
        invoices, rounds = {
            "queue": (2000, 1),
            "cycle": (4000, 1),
            "mass": (5000, 1),
            "statements": (5000, 1),
        }.get(part, (1000, 5))
        values = {
            "invoices": options.invoices or invoices,
            "rounds": options.rounds or rounds,
            **{name: getattr(options, name) for name in ("lines", "charges", "seconds")},
        }
        database = f"{options.databases}-{PARTS[part]}"
        subprocess.run(
            [
                *(sys.executable, "-m", "bench.part", part),
                *("--database", database, "--addons", options.addons),
                *("--options", json.dumps(values), "--result", str(result)),
            ],
            check=True,
        )
        return [tuple(line) for line in json.loads(result.read_text())]


if __name__ == "__main__":
    main()
