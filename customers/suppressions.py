"""Stopping addresses, and lifting a stop: in the database, and in the log of stops beside it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from customers.models import Suppression, SuppressionReason
from customers.stop_log import Line, log_after_commit


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """Why addresses are stopped; `everything` stops service mail too."""

    reason: SuppressionReason
    everything: bool = False
    review_at: datetime | None = None


def suppress(*, hashes: Iterable[str], stop: Stop, now: datetime) -> int:
    """Stop addresses, given as keyed hashes, and return how many; one that is stays as it is."""
    wanted = set(hashes) - {""}
    known = Suppression.objects.filter(reason=stop.reason, address_hash__in=wanted)
    wanted -= set(known.values_list("address_hash", flat=True))
    rows = [
        Suppression(
            address_hash=one,
            everything=stop.everything,
            reason=stop.reason,
            created_at=now,
            review_at=stop.review_at,
        )
        for one in sorted(wanted)
    ]
    Suppression.objects.bulk_create(rows, ignore_conflicts=True)
    log_after_commit(_suppressed(row) for row in rows)
    return len(rows)


def lift(*, hashes: Iterable[str], reasons: Iterable[str], now: datetime) -> int:
    """Lift what stops addresses for these reasons, and return how many stops that were."""
    rows = Suppression.objects.filter(address_hash__in=set(hashes), reason__in=list(reasons))
    lifted = [
        {"kind": "lifted", "at": now.isoformat(), "address": row.address_hash, "reason": row.reason}
        for row in rows
    ]
    rows.delete()
    log_after_commit(lifted)
    return len(lifted)


def _suppressed(row: Suppression) -> Line:
    return {
        "kind": "suppressed",
        "at": row.created_at.isoformat(),
        "address": row.address_hash,
        "reason": str(row.reason),
        "everything": row.everything,
        "review_at": row.review_at.isoformat() if row.review_at else None,
    }
