"""One worker at a time makes the list or the rows of a mailing; who falls silent is taken over."""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from mailings.models import Mailing

# A worker shows life with every batch.
SILENT = timedelta(minutes=2)


def free(mailings: QuerySet[Mailing], now: datetime) -> QuerySet[Mailing]:
    """Return those of the mailings that no worker has."""
    return mailings.filter(Q(claimed_at=None) | Q(claimed_at__lte=now - SILENT))


def take(mailings: QuerySet[Mailing], now: datetime) -> Mailing | None:
    """Take the first of the mailings that no other worker has."""
    waiting = free(mailings, now).select_related("purpose", "category", "touchpoint")
    for mailing in waiting.order_by("pk"):
        if still_ours(mailing, now):
            return mailing
    return None


def still_ours(mailing: Mailing, now: datetime) -> bool:
    """Show life, unless it was cancelled or another worker took over meanwhile."""
    shown = ours(mailing).update(claimed_at=now)
    mailing.claimed_at = now
    return bool(shown)


def ours(mailing: Mailing) -> QuerySet[Mailing]:
    """Return the mailing as long as it is as we took it, else nothing."""
    return Mailing.objects.filter(
        pk=mailing.pk, status=mailing.status, claimed_at=mailing.claimed_at
    )
