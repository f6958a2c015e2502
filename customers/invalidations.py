"""Declaring a faulty batch of permissions invalid: proposed, approved by a second person, done.

A batch is all permissions in force that were given on a text, at a place, in a stretch of time.
Nothing is deleted: each permission gets an entry that says it is invalid, and why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, QuerySet

from customers.bell import ring_after_commit
from customers.consent import ALLOWING, Actor, Method, State
from customers.ledger import Act, record_consent
from customers.models import ConsentEntry, ConsentState, Customer, Invalidation, Wording

# Where one person alone looks after permission, a night's sleep is the second pair of eyes.
WAIT_ALONE = timedelta(hours=24)
# As many customers are locked at once.
BATCH = 100


class NothingInForce(ValueError):
    def __init__(self) -> None:
        super().__init__(
            "No permission in force was given like that: there is nothing to declare invalid. "
            "Look at the text, the place and the stretch of time again."
        )


class NeedsAnother(ValueError):
    """Who proposed it may not approve it."""

    def __init__(self) -> None:
        super().__init__("You proposed this yourself. A second person has to approve it.")


class TooEarly(ValueError):
    """Who is alone may approve their own proposal a day later, at `earliest`."""

    def __init__(self, earliest: datetime) -> None:
        self.earliest = earliest
        super().__init__(
            f"You proposed this yourself and nobody else can approve it. You can from "
            f"{earliest:%Y-%m-%d %H:%M} UTC."
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Which permissions: a text or a place or both, from `since` and before `until`."""

    wording: Wording | None = None
    place: str = ""
    since: datetime | None = None
    until: datetime | None = None


# -- Reads ----------------------------------------------------------------------------------------


def in_force(batch: Batch | Invalidation) -> QuerySet[ConsentState]:
    """Return the states that stand on a permission of the batch."""
    if batch.wording is None and not batch.place:
        # Everything ever permitted is no batch.
        return ConsentState.objects.none()
    found = ConsentState.objects.filter(state__in=ALLOWING)
    if batch.wording is not None:
        found = found.filter(entry__wording=batch.wording)
    if batch.place:
        found = found.filter(entry__place=batch.place)
    if batch.since:
        found = found.filter(entry__occurred_at__gte=batch.since)
    if batch.until:
        found = found.filter(entry__occurred_at__lt=batch.until)
    return found


@dataclass(frozen=True, slots=True)
class Hit:
    """How many permissions a batch holds for a purpose (by its id) on a channel."""

    purpose_id: int
    channel: str
    permissions: int


def hits(batch: Batch | Invalidation) -> Sequence[Hit]:
    """Count the permissions of a batch that are in force, per purpose and channel."""
    rows = in_force(batch).values_list("purpose_id", "channel").order_by("purpose_id", "channel")
    return [Hit(*row) for row in rows.annotate(n=Count("pk"))]


def any_due() -> bool:
    """Say whether an approved batch waits to be carried out."""
    return _due().exists()


def _due() -> QuerySet[Invalidation]:
    return Invalidation.objects.filter(approved_at__isnull=False, done_at__isnull=True)


# -- Writes ---------------------------------------------------------------------------------------


def propose(*, batch: Batch, reason: str, colleague: str, now: datetime) -> Invalidation:
    """Propose to declare a batch invalid; NothingInForce if it holds no permission."""
    entries = in_force(batch).count()
    if not entries:
        raise NothingInForce
    return Invalidation.objects.create(
        wording=batch.wording,
        place=batch.place,
        since=batch.since,
        until=batch.until,
        reason=reason,
        entries=entries,
        proposed_by=colleague,
        proposed_at=now,
    )


def approve(*, pk: int, colleague: str, alone: bool, now: datetime) -> bool:
    """Approve a proposal and say whether it was still open: of two who do, one does.

    `alone` says that nobody else can. Raises NeedsAnother, and TooEarly for who is alone.
    """
    with transaction.atomic():
        row = Invalidation.objects.select_for_update().get(pk=pk)
        if row.approved_at or row.dropped_at:
            return False
        if row.proposed_by == colleague and not alone:
            raise NeedsAnother
        if row.proposed_by == colleague and now < row.proposed_at + WAIT_ALONE:
            raise TooEarly(row.proposed_at + WAIT_ALONE)
        row.approved_by, row.approved_at = colleague, now
        row.save(update_fields=["approved_by", "approved_at"])
        ring_after_commit("invalidations")
    return True


def drop(*, pk: int, now: datetime) -> bool:
    """Drop a proposal that nobody approved yet, and say whether it was still open."""
    waiting = Invalidation.objects.filter(pk=pk, approved_at__isnull=True, dropped_at__isnull=True)
    return bool(waiting.update(dropped_at=now))


def carry_out_due(now: datetime) -> int:
    """Carry out every approved batch, the oldest first; return how many permissions ended."""
    return sum(carry_out(row, now) for row in _due().order_by("approved_at", "pk"))


def carry_out(invalidation: Invalidation, now: datetime) -> int:
    """End the permissions of an approved batch, some at a time; return how many.

    May be stopped anywhere and run again, or twice at once: each permission ends once.
    """
    ended, last = 0, 0
    while batch := list(
        in_force(invalidation)
        .filter(customer_id__gt=last)
        .order_by("customer_id")
        .values_list("customer_id", flat=True)
        .distinct()[:BATCH]
    ):
        last = batch[-1]
        ended += _end(invalidation, batch, now)
    total = ConsentEntry.objects.filter(
        method=Method.INVALIDATION, place=_place(invalidation)
    ).count()
    Invalidation.objects.filter(pk=invalidation.pk, done_at__isnull=True).update(
        done_at=now, entries=total
    )
    return ended


def _end(invalidation: Invalidation, customers: Sequence[int], now: datetime) -> int:
    with transaction.atomic():
        # First the lock, then what stands: somebody may have taken theirs back meanwhile.
        list(Customer.objects.select_for_update().filter(pk__in=customers).order_by("pk"))
        standing = in_force(invalidation).filter(customer_id__in=customers)
        rows = list(standing.select_related("customer", "purpose", "entry").order_by("pk"))
        for state in rows:
            record_consent(customer=state.customer, act=_act(invalidation, state, now), now=now)
    return len(rows)


def _act(invalidation: Invalidation, state: ConsentState, now: datetime) -> Act:
    return Act(
        purpose=state.purpose,
        channel=state.channel,
        state=State.INVALIDATED,
        actor=Actor.ADMIN,
        actor_id=invalidation.approved_by,
        method=Method.INVALIDATION,
        place=_place(invalidation),
        evidence=invalidation.reason,
        occurred_at=now,
        caused_by=state.entry,
    )


def _place(invalidation: Invalidation) -> str:
    return f"invalidation {invalidation.pk}"
