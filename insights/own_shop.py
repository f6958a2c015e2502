"""Leaving the demo: a new, empty database beside it, which is chosen when it is complete.

The demo shop stays as it is, in its own file. A crash leaves the old shop or the new one.
"""

import fcntl
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth.models import User

from insights.accounts import DEMO_DOMAIN
from insights.database_file import FIRST, OWN, choose, keep_names

# Set by `serve` for its programs: it starts them again when another file is chosen.
SUPERVISED = "INSIGHTS_SUPERVISED"
# Some five on a slow machine.
PREPARED_WITHIN_SECONDS = 120


class NotOpened(Exception):
    """The own shop could not be made, so nothing has changed; the message is the reason."""


def offered() -> bool:
    """Whether the demo shop can be left from here: a trial, on the demo shop's own file."""
    file = settings.DATABASE_FILE
    return (
        not settings.PRODUCTION
        and file is not None
        and file.name == FIRST
        and User.objects.filter(email__endswith=DEMO_DOMAIN).exists()
    )


def is_open() -> bool:
    """Whether this program works on a shop that was begun beside the demo."""
    return settings.DATABASE_FILE is not None and settings.DATABASE_FILE.name != FIRST


def supervised() -> bool:
    return SUPERVISED in os.environ


def open_own_shop() -> str:
    """Make the own shop, unless there is one already, and choose it; return what `prepare` said.

    That is the link that makes the first administrator, for as long as there is no login. Running
    programs see the demo until they are started again. Raises NotOpened.
    """
    file = settings.VAR_DIR / OWN
    try:
        with _one_at_a_time():
            said = prepared(file) if file.exists() else _made(file)
            choose(file)
    except OSError as error:
        raise NotOpened(f"{error.strerror} ({settings.VAR_DIR})") from error
    return said


def _made(file: Path) -> str:
    """Make a database under another name, so that what has this name is always complete."""
    draft = file.with_suffix(".draft")
    for ending in ("", "-wal", "-shm", "-journal"):
        draft.with_name(draft.name + ending).unlink(missing_ok=True)
    said = prepared(draft)
    # What SQLite still keeps beside the file would be lost with its name.
    with closing(sqlite3.connect(draft)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    draft.rename(file)
    keep_names(file.parent)
    return said


def prepared(file: Path) -> str:
    """Run `prepare` on a database file, in a program of its own as the settings are read once."""
    try:
        done = subprocess.run(
            [sys.executable, "manage.py", "prepare", "--no-demo"],
            cwd=settings.BASE_DIR,
            env={**os.environ, "DATABASE_URL": f"sqlite:///{quote(str(file))}"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PREPARED_WITHIN_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotOpened(f"not ready after {PREPARED_WITHIN_SECONDS} seconds") from None
    if done.returncode:
        raise NotOpened((done.stderr.strip().splitlines() or ["no reason was given"])[-1])
    return done.stdout.strip()


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Let the second of two presses wait; it then finds the shop of the first."""
    with (settings.VAR_DIR / "own_shop.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
