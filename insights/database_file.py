"""Which SQLite file in VAR_DIR is in use: the demo shop's, or that of a shop of one's own.

A file `database` holds the name; without it, it is the demo shop's. The settings read it when a
program starts, so this is standard library only.
"""

import os
import re
from pathlib import Path

POINTER = "database"
# Where a new installation begins: with the demo shop, unless it is told otherwise.
FIRST = "db.sqlite3"
OWN = "shop.sqlite3"
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.sqlite3")


class BadPointer(ValueError):
    """VAR_DIR/database names no file that can be used; the message says the way out."""


def chosen(var_dir: Path) -> Path:
    """Return the file in use. Raises BadPointer rather than begin an empty one unasked."""
    pointer = var_dir / POINTER
    try:
        name = pointer.read_bytes().decode(errors="replace").strip()
    except FileNotFoundError:
        return var_dir / FIRST
    except OSError as error:
        raise BadPointer(f"{pointer} cannot be read: {error.strerror}.") from None
    if not PLAIN_NAME.fullmatch(name):
        raise BadPointer(
            f"{pointer} says {name[:80]!r}; it must be the plain name of a file beside it that "
            f"ends in .sqlite3. Write one, or remove {pointer} to open {FIRST}."
        )
    if name != FIRST and not (var_dir / name).is_file():
        raise BadPointer(
            f"{pointer} names {name}, which is not there. Put it back from a backup, or remove "
            f"{pointer} to open {FIRST}."
        )
    return var_dir / name


def choose(file: Path) -> None:
    """Use this file from the next start on: what is read is always the old name or the new one."""
    draft = file.with_name(f"{POINTER}.new")
    draft.touch(mode=0o600)
    with draft.open("w") as text:
        text.write(file.name + "\n")
        text.flush()
        os.fsync(text.fileno())
    draft.replace(file.with_name(POINTER))
    keep_names(file.parent)


def keep_names(directory: Path) -> None:
    """Return when the names in a directory will survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
