"""Requests of people about their own data: taken in with a date by which they are done."""

from collections.abc import Mapping
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from customers.models import Customer, DataRequest, RequestKind, RequestSource, RequestState


def receive_request(
    *,
    customer: Customer,
    kind: RequestKind,
    source: RequestSource,
    now: datetime,
    text: str = "",
    corrections: Mapping[str, str] | None = None,
    handled_by: str = "",
) -> DataRequest:
    """Take a request in and return it; the same one that is still open is not taken in twice."""
    with transaction.atomic():
        locked = Customer.objects.select_for_update().get(pk=customer.pk)
        open_ones = DataRequest.objects.filter(customer=locked, kind=kind, state=RequestState.OPEN)
        same = open_ones.filter(corrections=dict(corrections or {}), text=text).first()
        return same or DataRequest.objects.create(
            customer=locked,
            kind=kind,
            source=source,
            received_at=now,
            due_on=a_month_after(timezone.localdate(now)),
            text=text,
            corrections=dict(corrections or {}),
            handled_by=handled_by,
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
