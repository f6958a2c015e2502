"""Files with rows that imports refused: they hold personal data, so lines and files of them go."""

import csv
import logging
import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from customers.cells import folded
from customers.csv_rows import REJECT_COLUMNS
from insights.models import ImportJob

logger = logging.getLogger(__name__)


def mentions(identifiers: Collection[str]) -> int:
    """Return how many refused rows name one of these references or addresses."""
    wanted = _wanted(identifiers)
    return sum(_names(row, wanted) for path in _files() for row in _rows(path)) if wanted else 0


def forget(identifiers: Collection[str]) -> int:
    """Remove the refused rows that name one of these, and return how many that were.

    The file of an import that is running now is left to who writes it; it goes after
    RETENTION_REJECTS_DAYS like all others.
    """
    wanted = _wanted(identifiers)
    return sum(_forget(path, wanted) for path in _files()) if wanted else 0


def drop_old(now: datetime) -> int:
    """Delete the files of imports by command that are older than RETENTION_REJECTS_DAYS."""
    limit = (now - timedelta(days=settings.RETENTION_REJECTS_DAYS)).timestamp()
    old = [path for path in _by_command() if path.stat().st_mtime < limit]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _wanted(identifiers: Collection[str]) -> set[str]:
    return {folded(one) for one in identifiers if one}


def _by_command() -> Iterator[Path]:
    yield from sorted((settings.VAR_DIR / "rejects").glob("*.csv"))


def _files() -> Iterator[Path]:
    """Yield the files of commands, and those of the import page whose import has ended."""
    yield from _by_command()
    ended = ImportJob.objects.exclude(rejects="").exclude(status=ImportJob.Status.RUNNING)
    for job in ended.order_by("pk"):
        path = Path(job.rejects.path)
        if path.exists():
            yield path


def _rows(path: Path) -> Iterator[list[str]]:
    with open(path, encoding="utf-8", newline="") as file:
        yield from csv.reader(file)


def _names(row: list[str], wanted: set[str]) -> bool:
    """Say whether a cell is one of these, or the reason of the refusal quotes it."""
    reason = folded(row[2]) if len(row) >= len(REJECT_COLUMNS) else ""
    cells = {folded(cell.removeprefix("'")) for cell in row}
    return not wanted.isdisjoint(cells) or any(f"'{one}'" in reason for one in wanted)


def _forget(path: Path, wanted: set[str]) -> int:
    """Write the file anew without these rows, beside it, and put it in its place."""
    rows = list(_rows(path))
    left = [row for row in rows if not _names(row, wanted)]
    if len(left) == len(rows):
        return 0
    beside = path.with_suffix(".part")
    try:
        with open(beside, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(left)
        os.replace(beside, path)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()
    return len(rows) - len(left)
