"""The doorbell: tells the workers that rows of some kind are waiting.

Rows are the queue, so a bell that is not heard costs a few seconds and nothing else: the sweep
finds the rows by itself. That is why ringing never raises and hardly makes anybody wait.
"""

import logging
import time
from functools import partial

from celery import current_app
from django.conf import settings
from django.db import transaction

logger = logging.getLogger(__name__)

# A burst needs one bell: not more than one a second for each kind and process.
QUIET_SECONDS = 1.0
# After a bell that did not ring, leave it alone for five seconds.
PAUSE_SECONDS = 5.0
# A web request waits a third of a second for a frozen broker, and never tries again.
PATIENCE = {"socket_timeout": 0.3, "socket_connect_timeout": 0.3, "max_retries": 0}

_silent_until: dict[str, float] = {}


def ring_after_commit(kind: str) -> None:
    """Ring for a kind of rows ("imports") once the running transaction is committed."""
    transaction.on_commit(partial(ring, kind), robust=True)


def _should_run() -> bool:
    """Say whether there should be a broker: the embedded one is there while the product runs."""
    return bool(settings.REDIS_URL) or settings.EMBEDDED_BROKER_SOCKET.exists()


def ring(kind: str) -> bool:
    """Ask a worker to look for waiting rows of this kind; False if no bell was rung."""
    now = time.monotonic()
    if now < max(_silent_until.get(kind, 0.0), _silent_until.get("*", 0.0)):
        return False
    _silent_until[kind] = now + QUIET_SECONDS
    try:
        with current_app.connection_for_write() as connection:
            connection.transport_options = {**connection.transport_options, **PATIENCE}
            current_app.send_task("sweep", args=(kind,), connection=connection, retry=False)
    except Exception as error:
        # Once for each spell of silence.
        if "*" not in _silent_until:
            logger.log(
                logging.WARNING if _should_run() else logging.DEBUG,
                "bell_not_rung kind=%s error=%s (the rows wait for the next sweep)",
                kind,
                type(error).__name__,
            )
        _silent_until["*"] = time.monotonic() + PAUSE_SECONDS
        return False
    _silent_until.pop("*", None)
    return True
