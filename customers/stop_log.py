"""What was taken back, stopped, restricted and erased, in a file outside the database.

A backup that is put back knows nothing of what happened after it was made. Each line of the file
is one JSON object that says it again, in keyed hashes: no name, no address, no reference.

    {"kind": "stop", "at", "entry", "customer", "reference", "purpose", "channel", "state",
     "occurred_at"}
    {"kind": "suppressed", "at", "address", "reason", "everything", "review_at"}
    {"kind": "lifted", "at", "address", "reason"}
    {"kind": "erased", "at", "customer", "reference"}
    {"kind": "restricted", "at", "customer", "reference"}
    {"kind": "unrestricted", "at", "customer", "reference"}

Lines are written after the commit, and stay when they cannot be: a stop never fails for the log.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import transaction

logger = logging.getLogger(__name__)

Line = Mapping[str, str | int | bool | None]


def log_after_commit(lines: Iterable[Line]) -> None:
    """Append lines once the running transaction is committed."""
    wanted = list(lines)
    if wanted:
        transaction.on_commit(partial(append, wanted), robust=True)


def append(lines: Iterable[Line]) -> None:
    """Append lines in one write and see them onto the disk; processes take turns.

    A half line that a crash left behind is ended first, so that only that one is lost.
    """
    text = "".join(f"{json.dumps(line, sort_keys=True)}\n" for line in lines).encode()
    try:
        file = os.open(settings.STOP_LOG, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            size = os.fstat(file).st_size
            whole = size == 0 or os.pread(file, 1, size - 1) == b"\n"
            _write(file, text if whole else b"\n" + text)
            os.fsync(file)
        finally:
            os.close(file)
    except OSError:
        # What was stopped is stopped in the database; only a restored backup would miss it.
        logger.exception("The log of stops (STOP_LOG) could not be written")


def _write(file: int, text: bytes) -> None:
    while text:
        text = text[os.write(file, text) :]


@dataclass(frozen=True, slots=True)
class Read:
    """What the file says; `damaged` holds the numbers of lines that are no whole object."""

    lines: list[dict[str, object]]
    damaged: list[int]


def read(path: Path | None = None) -> Read:
    """Return the lines of the file in order; none if there is no file yet."""
    lines: list[dict[str, object]] = []
    damaged: list[int] = []
    try:
        text = (path or settings.STOP_LOG).read_bytes()
    except FileNotFoundError:
        return Read([], [])
    for number, line in enumerate(text.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        if isinstance(found, dict) and "kind" in found and "at" in found:
            lines.append(found)
        else:
            damaged.append(number)
    return Read(lines, damaged)
