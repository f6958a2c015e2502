"""What importing the two real data sets costs, on a fresh SQLite database.

    python -m bench.importing [--data DIRECTORY]

Each step is a process of its own. The anchor is a plain csv.reader going through the same file,
before and after.
"""

import argparse
import csv
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.timing import print_table, seconds

PROJECT = Path(__file__).resolve().parent.parent

PURCHASES = (
    "import_purchases {data}/online_retail.csv.gz --map customer=CustomerID "
    "--map product=StockCode --map purchased_at=InvoiceDate --map quantity=Quantity "
    "--map price=UnitPrice --map order=InvoiceNo --map name=Description "
    "--time-zone Europe/London --create-missing --json"
)
RESPONSES = (
    "import_responses {data}/cofacts_thumbs.csv.gz --map value=score --recode value:-1=0 "
    "--map answered_at=created_at --map customer=user --map product=reply_id --set scale=thumb "
    "--set touchpoint=Cofacts --create-missing --json"
)
COUNTS = ("read", "created", "updated", "unchanged", "rejected")


@dataclass(frozen=True)
class Step:
    """A command to time, the file it reads, and what was asked of it."""

    text: str
    command: str
    file: str = ""
    goal: str = ""


# A sweep after each import, so that no later step does an earlier one's work.
STEPS = [
    Step("purchases", PURCHASES, "online_retail.csv.gz", "≤ 240 s, ≤ 400 MB"),
    Step("purchases again", PURCHASES, "online_retail.csv.gz", "changes nothing"),
    Step("customer types", "customer_types --at 2011-12-10 --json", goal="≤ 20 s"),
    Step("sweep: labels the customers", "sweep"),
    Step("answers", RESPONSES, "cofacts_thumbs.csv.gz"),
    Step("answers again", RESPONSES, "cofacts_thumbs.csv.gz", "changes nothing"),
    Step("sweep: folds, computes KPIs", "sweep"),
    Step("sweep: nothing to do", "sweep"),
]


@dataclass(frozen=True)
class Run:
    """How a process went."""

    seconds: float
    cpu_seconds: float
    megabytes: float
    said: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=PROJECT.parent / "shared" / "data")
    data = parser.parse_args().data
    with tempfile.TemporaryDirectory(prefix="insights-bench-") as var_dir:
        run("migrate", var_dir)
        lines = [line(step, data, var_dir) for step in STEPS]
    print()
    print_table(["step", "s", "CPU s", "peak MB", "rows/s", "÷ csv.reader", "rows", "goal"], lines)


def line(step: Step, data: Path, var_dir: str) -> list[str]:
    """Run a step between two passes of the anchor and return its line of the table."""
    before = plain(data / step.file) if step.file else 0.0
    done = run(step.command.format(data=data), var_dir)
    print(f"{step.text}: {done.seconds:.1f} s. {done.said}", flush=True)
    shown = [step.text, *(f"{x:.1f}" for x in (done.seconds, done.cpu_seconds))]
    shown.append(f"{done.megabytes:.0f}")
    if not step.file:
        return [*shown, "", "", "", step.goal]
    anchor = (before + plain(data / step.file)) / 2
    counts = json.loads(done.said)
    return [
        *shown,
        f"{counts['read'] / done.seconds:,.0f}",
        f"{done.seconds / anchor:.0f}×",
        ", ".join(f"{counts[name]:,} {name}" for name in COUNTS if counts[name]),
        step.goal,
    ]


def run(command: str, var_dir: str) -> Run:
    """Run a command of manage.py in a process of its own, to the end."""
    environment: dict[str, Any] = {**os.environ, "VAR_DIR": var_dir}
    environment.pop("DATABASE_URL", None)
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", *command.split()],
            cwd=PROJECT,
            env=environment,
            stdout=output,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        spent = time.perf_counter() - start
        if process.returncode:
            raise SystemExit(f"manage.py {command} ended with {process.returncode}.")
        output.seek(0)
        # Linux counts in KiB, macOS in bytes.
        unit = 1024 if sys.platform == "linux" else 1
        return Run(
            seconds=spent,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            megabytes=usage.ru_maxrss * unit / 1e6,
            said=output.read().strip(),
        )


def plain(path: Path) -> float:
    """Return how long csv.reader takes for a file, doing nothing with the rows."""

    def read() -> None:
        with gzip.open(path, "rt", newline="", encoding="utf-8") as text:
            deque(csv.reader(text), maxlen=0)

    return seconds(read)


if __name__ == "__main__":
    main()
