"""Deleting at night what was kept long enough: each app its own, the counts in the log."""

import logging
from datetime import datetime

from customers import retention as of_customers
from feedback.services import drop_old_comments
from insights import reject_files
from mailings.people import drop_old_deliveries

logger = logging.getLogger(__name__)


def tidy(now: datetime) -> dict[str, int]:
    """Delete what is older than the settings allow, and return how much of what.

    The import page tidies its own refused rows.
    """
    gone = {
        **of_customers.tidy(now),
        "deliveries": drop_old_deliveries(now),
        "comments": drop_old_comments(now),
        "reject_files": reject_files.drop_old(now),
    }
    if any(gone.values()):
        logger.info("retention %s", " ".join(f"{what}={n}" for what, n in gone.items()))
    return gone
