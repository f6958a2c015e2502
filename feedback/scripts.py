"""The widget's script as it is sent: plain and zipped, with the hashes that pages pin it by."""

import base64
import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.conf import settings


class Script(NamedTuple):
    """A file in the two forms it is sent in."""

    plain: bytes
    zipped: bytes
    hash: str
    # What a page that pins the script names, so that its browser runs nothing else.
    integrity: str


DIRECTORY = settings.BASE_DIR / "static" / "widget"


@cache
def load(path: Path) -> Script:
    """Return a script; its hash is the first 16 hex digits of its SHA-256."""
    plain = path.read_bytes()
    return Script(
        plain=plain,
        zipped=gzip.compress(plain, 9, mtime=0),
        hash=hashlib.sha256(plain).hexdigest()[:16],
        integrity="sha384-" + base64.b64encode(hashlib.sha384(plain).digest()).decode(),
    )


def current() -> Script:
    """Return the script that pages get now."""
    return load(DIRECTORY / "widget.js")
