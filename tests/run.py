"""Runs the tests on SQLite, and beside it on PostgreSQL; each has a share of the browser's files.

`python3 start.py test [pytest arguments]` comes here. What a machine lacks is listed as NOT RUN
at the end; REQUIRE=postgres,redis,browser turns each of those into a failure.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BASE_DIR = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BASE_DIR))

from tests import servers  # noqa: E402  (after the path)

KNOWN = ("postgres", "redis", "browser")
# pytest ends with 5 when it selected nothing, as in `start.py test tests/browser` on PostgreSQL.
NOTHING_SELECTED = 5
INTERRUPTED = 2


def main(arguments: list[str]) -> int:
    required = required_parts()
    signal.signal(signal.SIGTERM, leave)
    not_run: dict[str, str] = {}
    try:
        codes = run_passes(arguments, not_run)
    except KeyboardInterrupt:
        codes = [INTERRUPTED]
    report(not_run, required)
    if not_run.keys() & required:
        codes.append(1)
    return worst(codes)


def leave(number: int, _frame: object) -> None:
    """Leave by the way that stops the servers."""
    raise SystemExit(128 + number)


def required_parts() -> set[str]:
    parts = {part.strip() for part in os.environ.get("REQUIRE", "").split(",")} - {""}
    if not parts <= set(KNOWN):
        raise SystemExit(f"REQUIRE={os.environ['REQUIRE']}: it takes {', '.join(KNOWN)}.")
    return parts


@dataclass
class Pass:
    """One run of pytest, with a var/ and a broker of its own."""

    name: str
    arguments: list[str]
    environment: dict[str, str]


def run_passes(arguments: list[str], not_run: dict[str, str]) -> list[int]:
    """Run pytest once for each database and return the exit codes."""
    with ExitStack() as stack:
        found = find_parts(stack, not_run)
        database = {"DATABASE_URL": found.pop("DATABASE_URL", "")}
        if "postgres" in not_run:
            return [run_pytest(Pass("SQLite", arguments, environment_of(stack, found)))]
        without_half, without_rest = shares_of_browser()
        sqlite = Pass("SQLite", [*arguments, *without_half], environment_of(stack, found))
        own = {"REDIS_URL": stack.enter_context(servers.broker())} if "REDIS_URL" in found else {}
        postgres = Pass(
            "PostgreSQL",
            [*arguments, *without_rest],
            environment_of(stack, found | own | database) | {"TESTS_WITHOUT_ROWS": "elsewhere"},
        )
        if "REDIS_URL" in os.environ:
            # One given broker is one queue, in which two runs would meet.
            return [run_pytest(sqlite), run_pytest(postgres)]
        return run_beside(sqlite, postgres)


def environment_of(stack: ExitStack, found: Mapping[str, str]) -> dict[str, str]:
    var_dir = stack.enter_context(tempfile.TemporaryDirectory(prefix="insights-tests-"))
    environment = {**os.environ, **found, "VAR_DIR": var_dir}
    if not found.get("DATABASE_URL"):
        environment.pop("DATABASE_URL", None)
    return environment


def run_beside(shown: Pass, told: Pass) -> list[int]:
    """Run two at once: one is seen as it goes, the other is told when both are done."""
    with tempfile.TemporaryFile() as log, ExitStack() as stack:
        process = start(told, stdout=log, stderr=subprocess.STDOUT)
        stack.callback(stop, process)
        code = run_pytest(shown)
        print(f"\n===== Tests on {told.name}, which ran beside them =====", flush=True)
        codes = [code, wait(process)]
        log.seek(0)
        shutil.copyfileobj(log, sys.stdout.buffer)
        sys.stdout.flush()
    return codes


def find_parts(stack: ExitStack, not_run: dict[str, str]) -> dict[str, str]:
    """Start what there is; return where it is, and note what there is not."""
    finders = {
        "browser": ("CHROMIUM", servers.chromium),
        "redis": ("REDIS_URL", lambda: stack.enter_context(servers.broker())),
        "postgres": ("DATABASE_URL", lambda: stack.enter_context(servers.postgres())),
    }
    found = {}
    for part, (variable, find) in finders.items():
        try:
            found[variable] = find()
        except servers.NotAvailable as missing:
            not_run[part] = str(missing)
    return found


def shares_of_browser() -> tuple[list[str], list[str]]:
    """Return what leaves out half of the browser's files, and what leaves out the others.

    What a browser shows is the same on both databases, and takes as long as all the rest.
    """
    files = sorted((BASE_DIR / "tests" / "browser").glob("test_*.py"))
    half = files[::2]
    one, other = (
        [f"--ignore={file.relative_to(BASE_DIR)}" for file in share]
        for share in (half, [file for file in files if file not in half])
    )
    return one, other


def run_pytest(one: Pass) -> int:
    print(f"\n===== Tests on {one.name} =====", flush=True)
    process = start(one)
    try:
        return wait(process)
    finally:
        stop(process)


def start(one: Pass, **given: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pytest", *one.arguments]
    return subprocess.Popen(command, cwd=BASE_DIR, env=one.environment, **given)


def wait(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait()
    except KeyboardInterrupt:
        # Ctrl-C has reached pytest as well: let it finish and say how far it came.
        with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            process.wait(20)
        raise


def stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        process.wait()


def worst(codes: list[int]) -> int:
    """Return the worst exit code; nothing selected is only worth a word if it was in all."""
    selected = [code for code in codes if code != NOTHING_SELECTED]
    return max((abs(code) for code in selected), default=NOTHING_SELECTED)


def report(not_run: dict[str, str], required: set[str]) -> None:
    for part, why in not_run.items():
        text = f"NOT RUN: {part} – {why}"
        if part in required:
            text += " (required: this is a failure)"
        print(f"\033[1;31m{text}\033[0m" if sys.stdout.isatty() else text, flush=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
