"""Logs without personal data: an exception is named, and what it says is left out.

The text of an exception often carries the row it is about, such as the address that a unique
constraint refused. Where it happened is what somebody needs to mend it.
"""

import logging
import traceback
from types import TracebackType

from insights.references import current_reference

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class PrivateFormatter(logging.Formatter):
    """Prints where an exception came from and its class, not its text.

    A line that belongs to a request begins with its code, which stands on the page of an error too.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:
        request = getattr(record, "request", None)
        code = getattr(request, "reference", "") or current_reference()
        record.reference = f"[{code}] " if code else ""
        return super().formatMessage(record)

    def formatException(self, ei: ExcInfo) -> str:
        kind, _error, frames = ei
        name = kind.__qualname__ if kind else "no exception"
        return "".join([*traceback.format_tb(frames), name])


class WithoutPath(logging.Filter):
    """Writes the route of a request instead of its path, which may hold a token or a reference."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if request is not None and isinstance(record.args, tuple):
            match = getattr(request, "resolver_match", None)
            route = f"/{match.route}" if match else "(no route)"
            record.args = tuple(
                route if argument == request.path else argument for argument in record.args
            )
        return True


class WithoutExceptionText(logging.Filter):
    """Takes the text of the exception out of Celery's own message about a failed task."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, dict) and "exc" in record.args:
            error = (
                record.exc_info[0].__qualname__ if record.exc_info and record.exc_info[0] else ""
            )
            record.args = {**record.args, "exc": error, "traceback": ""}
        return True
