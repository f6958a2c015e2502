"""Requests of people about their own data: taken in with a date by which they are done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from customers.models import Customer, DataRequest, RequestKind, RequestSource, RequestState


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What somebody asks, how it came in, and for a correction the fields with their new values."""

    kind: RequestKind
    source: RequestSource
    text: str = ""
    corrections: Mapping[str, str] = field(default_factory=dict)
    # The id of the colleague who took it in.
    handled_by: str = ""


def receive_request(*, customer: Customer, asked: Asked, now: datetime) -> DataRequest:
    """Take a request in and return it; the same one that is still open is not taken in twice."""
    with transaction.atomic():
        locked = Customer.objects.select_for_update().get(pk=customer.pk)
        wanted = {"kind": asked.kind, "text": asked.text, "corrections": dict(asked.corrections)}
        same = DataRequest.objects.filter(customer=locked, state=RequestState.OPEN, **wanted)
        return same.first() or DataRequest.objects.create(
            customer=locked,
            source=asked.source,
            received_at=now,
            due_on=a_month_after(timezone.localdate(now)),
            handled_by=asked.handled_by,
            **wanted,
        )


def a_month_after(day: date) -> date:
    """Return the same day a month later, or the last of that month (Regulation 1182/71)."""
    year, month = divmod(day.year * 12 + day.month, 12)
    following = date(year, month + 1, 1)
    longest = (date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1) - following).days
    return following.replace(day=min(day.day, longest))


def finish_request(
    *, request: DataRequest, state: RequestState, answer: str, handled_by: str, now: datetime
) -> bool:
    """Close a request that is open and return whether it was: of two who finish it, one does."""
    changed = DataRequest.objects.filter(pk=request.pk, state=RequestState.OPEN).update(
        state=state, answer=answer, handled_by=handled_by, finished_at=now, corrections={}
    )
    return bool(changed)
