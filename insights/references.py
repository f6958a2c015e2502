"""The code of a request: on the page that says something went wrong, and in the log lines of it.

Random and kept nowhere else, so it says nothing about who asked for what. Somebody reads it out,
and support finds the lines that belong to it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from secrets import token_hex

_current: ContextVar[str] = ContextVar("reference", default="")


def new_reference() -> str:
    """Return a code that is short enough to be read out, such as 4F1C-90B2."""
    text = token_hex(4).upper()
    return f"{text[:4]}-{text[4:]}"


@contextmanager
def referred_to_as(reference: str) -> Iterator[None]:
    """Let everything inside be found under this code."""
    token = _current.set(reference)
    try:
        yield
    finally:
        _current.reset(token)


def current_reference() -> str:
    """Return the code of the request that is being answered, "" outside of one."""
    return _current.get()
