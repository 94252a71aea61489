"""Clock, counters and tables."""

import gc
import os
import statistics
import sys
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time

STARTED = perf_counter()
# Odoo and PostgreSQL work in turn, and hardly wait for a disk: where much more time passed than
# they worked, others had the processors.
BUSY = 1.25


def say(message):
    """Progress, apart from the results."""
    print(f"[{perf_counter() - STARTED:4.0f}s] {message}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Sample:
    """What one step took.

    :ivar processor: seconds of processor time, of this process and of its PostgreSQL backend; the
        figure to look at when the machine has other things to do as well
    """

    seconds: float
    processor: float
    queries: int

    def __str__(self):
        return f"{self.seconds:.1f} s (processor {self.processor:.1f} s)"


@dataclass
class Series:
    """The samples of one step over all rounds, per invoice."""

    samples: list = field(default_factory=list)

    def add(self, sample, invoices=1):
        self.samples.append((sample, invoices))

    def _median(self, name):
        return statistics.median(
            getattr(sample, name) / invoices for sample, invoices in self.samples
        )

    @property
    def milliseconds(self):
        return 1000 * self._median("seconds")

    @property
    def processor(self):
        return 1000 * self._median("processor")

    @property
    def queries(self):
        return self._median("queries")

    @property
    def was_busy(self):
        """Whether the machine did other work meanwhile."""
        return self.milliseconds > BUSY * self.processor

    def judged(self, busy=None):
        """Milliseconds to judge by: time, or on a busy machine processor time.

        :param bool busy: default: as found here
        """
        busy = self.was_busy if busy is None else busy
        return self.processor if busy else self.milliseconds


class Clock:
    """Measures steps of one transaction, from its making.

    :param env: of the transaction
    """

    def __init__(self, env):
        self.env = env
        env.cr.execute("SELECT pg_backend_pid()")
        self.backend = Path(f"/proc/{env.cr.fetchone()[0]}/stat")
        gc.collect()
        self.queries = env.cr.sql_log_count
        self.processor = self._processor_time()
        self.started = perf_counter()

    def _processor_time(self):
        own = process_time()
        if not self.backend.exists():  # PostgreSQL is elsewhere
            return own
        user, system = self.backend.read_text().rpartition(")")[2].split()[11:13]
        return own + (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def read(self):
        """What was needed until now, with all that Odoo writes before a commit.

        :return: :class:`Sample`
        """
        self.env.cr.flush()
        return Sample(
            seconds=perf_counter() - self.started,
            processor=self._processor_time() - self.processor,
            queries=self.env.cr.sql_log_count - self.queries,
        )


def rotated(things, number):
    """The same things, beginning with another one each time."""
    shift = number % len(things)
    return [*things[shift:], *things[:shift]]


class Report:
    """What is measured against a target."""

    def __init__(self):
        self.lines = []

    def add(self, title, figure, target, met, busy=False):
        """Add a line.

        :param bool met: whether the target is met
        :param bool busy: the machine did other work, so that the figure is of processor time
        """
        verdict = "ok" if met else "NOT met"
        self.lines.append((title, figure, target, verdict, "processor time" if busy else ""))

    def print(self):
        print()
        print_table(("figure", "measured", "target", "", ""), self.lines)
        if any(line[-1] for line in self.lines):
            print("Others used this machine's processors meanwhile: processor time was compared.")


def print_table(head, rows):
    """Columns as wide as they must be; the first one to the left, the others to the right."""
    rows = [tuple(map(str, row)) for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, tuple("-" * width for width in widths))
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        print("  ".join(cells).rstrip())
    sys.stdout.flush()
