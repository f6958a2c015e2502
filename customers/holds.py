"""Leaving somebody alone for a while: after a complaint, an unhappy answer, or because they asked.

A complaint and a wish stop everything but service; an unhappy answer halves the dose until somebody
followed up, or 30 days have passed.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from customers.models import ContactHold, Customer, HoldReason

UNHAPPY_FOR = timedelta(days=30)
# Beyond it there is no telling from when on somebody may be contacted.
LONGEST_HOLD = timedelta(days=3_653)


def hold_contacts(
    *, customer: Customer, reason: str, until: datetime | None, source: str, now: datetime
) -> ContactHold:
    """Contact a customer less, or not at all, until a moment or until it is lifted.

    Asked again for the same source it lasts as long as the later of both. ValueError for an end
    that lies in the past or more than ten years ahead, and for an unhappy answer without one.
    """
    if until is not None and until <= now:
        raise ValueError(f"The hold would end on {until:%Y-%m-%d %H:%M}. Give an end to come.")
    if until is not None and until > now + LONGEST_HOLD:
        raise ValueError(f"The hold would end on {until:%Y-%m-%d}. Give no end for ten years on.")
    if until is None and reason == HoldReason.UNHAPPY:
        raise ValueError("An unhappy answer lowers the dose for a time. Give an end.")
    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=customer.pk)
        standing = ContactHold.objects.filter(
            customer=customer, reason=reason, source=source, released_at=None
        ).first()
        if standing is None:
            return ContactHold.objects.create(
                customer=customer, reason=reason, until=until, source=source, created_at=now
            )
        ends = [standing.until, until]
        standing.until = None if None in ends else max(one for one in ends if one)
        standing.save(update_fields=["until"])
        return standing


@dataclass(frozen=True, slots=True)
class Unhappy:
    """An answer that somebody was unhappy in; `source` is its id."""

    customer_id: int
    answered_at: datetime
    source: str

    @property
    def until(self) -> datetime:
        return self.answered_at + UNHAPPY_FOR


def hold_unhappy(answers: Iterable[Unhappy], now: datetime) -> int:
    """Lower the dose of customers after unhappy answers, for 30 days from each; return how many.

    What is longer ago, and what is known already, changes nothing.
    """
    holds = [
        ContactHold(
            customer_id=one.customer_id,
            reason=HoldReason.UNHAPPY,
            created_at=one.answered_at,
            until=one.until,
            source=one.source,
        )
        for one in answers
        if one.until > now
    ]
    if not holds:
        return 0
    with transaction.atomic():
        lock_customers({one.customer_id for one in holds})
        ContactHold.objects.bulk_create(holds, batch_size=500, ignore_conflicts=True)
    return len(holds)


def lock_customers(ids: Collection[int]) -> None:
    """Take the lock of customers, ascending: before any row that points at them is locked."""
    rows = Customer.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    list(rows.values_list("pk", flat=True))


def lift_holds(*, customer_id: int, source: str, released_by: str, now: datetime) -> None:
    """Lift what a source holds a customer for; the lock of the customer is the caller's."""
    ContactHold.objects.filter(customer=customer_id, source=source, released_at=None).update(
        released_at=now, released_by=released_by
    )


def move_holds(absorbed: Customer, survivor: Customer, now: datetime) -> None:
    """Leave a survivor alone for whatever the absorbed one was, in the transaction of a merge."""
    holds = ContactHold.objects.filter(customer=absorbed)
    for one in holds.in_force(now):
        hold_contacts(
            customer=survivor, reason=one.reason, until=one.until, source=one.source, now=now
        )
    holds.filter(released_at=None).update(released_at=now, released_by="merge")
    holds.update(customer=survivor)


def release_hold(*, hold: ContactHold, released_by: str, now: datetime) -> ContactHold:
    """Lift a hold; one that was lifted before stays as it is."""
    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=hold.customer_id)
        ContactHold.objects.filter(pk=hold.pk, released_at=None).update(
            released_at=now, released_by=released_by
        )
        hold.refresh_from_db()
        return hold
