"""Taking back and lowering: at once, without a reason, however often, for all of an address.

Whoever has a link of a mail may do all of this, and nothing here can be used to raise anything. A
link to a record that was merged lowers the record it became.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from customers.consent import ALLOWING, Actor, State
from customers.ledger import Act, record_consent
from customers.models import ConsentEntry, ConsentState, Customer, Purpose, PurposeKind
from customers.queries import survivor

# What can be taken back: a yes, and one that waits for its confirmation.
STANDING = [*ALLOWING, State.PENDING]

PAUSE = timedelta(days=91)


@dataclass(frozen=True, kw_only=True, slots=True)
class Means:
    """How somebody took something back, and where; who relays it says why, in `evidence`."""

    method: str
    place: str = ""
    actor: Actor = Actor.CUSTOMER
    actor_id: str = ""
    evidence: str = ""


def withdraw(
    *, customer: Customer, purpose: Purpose, channel: str, means: Means, now: datetime
) -> list[ConsentEntry]:
    """Take back what a customer permits for a purpose on a channel; return the entries.

    Also where nothing was permitted, so that it stays that way whatever a file says later. Other
    records with the same address lose the same: a mail to either arrives at the same person.
    """
    with transaction.atomic():
        customer, people = _same_address(customer)
        return [
            record_consent(
                customer=one, act=_act(one, purpose, channel, State.WITHDRAWN, means, now), now=now
            )
            for one in people
            if _can_lower(one, purpose, channel, asked=one.pk == customer.pk)
        ]


def stands(*, customer: Customer, purpose: Purpose, channel: str) -> bool:
    """Say whether there is something to take back, for any record with the customer's address."""
    people = _with_same_address(customer)
    states = ConsentState.objects.filter(purpose=purpose, channel=channel, state__in=STANDING)
    return states.filter(customer__in=people).exists()


def withdraw_all(*, customer: Customer, means: Means, now: datetime) -> list[ConsentEntry]:
    """Take back everything a customer permits, on every channel; return the entries."""
    with transaction.atomic():
        standing = _standing(_same_address(customer)[1])
        return [
            record_consent(
                customer=state.customer,
                act=_act(state.customer, state.purpose, state.channel, State.WITHDRAWN, means, now),
                now=now,
            )
            for state in standing
        ]


def object_to_marketing(
    *, customer: Customer, purpose: Purpose, channel: str, means: Means, now: datetime
) -> ConsentEntry:
    """Record an objection: it stops all marketing and the profiling for it, and the address.

    Other records with the address lose their marketing: a fresh yes to one thing lifts the stop of
    the address, and must not bring back what another record permitted before.
    """
    with transaction.atomic():
        customer, people = _same_address(customer)
        act = _act(customer, purpose, channel, State.OBJECTED, means, now)
        entry = record_consent(customer=customer, act=act, now=now)
        for state in _standing(one for one in people if one.pk != customer.pk):
            if PurposeKind(state.purpose.kind).is_marketing:
                lost = _act(
                    state.customer, state.purpose, state.channel, State.WITHDRAWN, means, now
                )
                also = replace(lost, caused_by=entry)
                record_consent(customer=state.customer, act=also, now=now)
        return entry


def pause(*, customer: Customer, now: datetime) -> datetime:
    """Stop marketing for three months; return until when. A longer pause stays as it is."""
    with transaction.atomic():
        locked = _locked(customer)
        until = max(locked.paused_until or now, now + PAUSE)
        Customer.objects.filter(pk=locked.pk).update(paused_until=until)
    return until


def limit(*, customer: Customer, messages: int) -> int:
    """Take at most so many messages a month; return what holds. A lower limit stays."""
    with transaction.atomic():
        locked = _locked(customer)
        holds = min(locked.monthly_limit or messages, messages)
        Customer.objects.filter(pk=locked.pk).update(monthly_limit=holds)
    return holds


def _locked(customer: Customer) -> Customer:
    """Lock and return the record that counts: the survivor of one that was merged."""
    return _lock(customer, lambda one: Customer.objects.filter(pk=one.pk))[0]


def _same_address(customer: Customer) -> tuple[Customer, Sequence[Customer]]:
    """Lock and return the record that counts, and all with its address, by their ids."""
    return _lock(customer, _with_same_address)


def _lock(
    customer: Customer, people_of: Callable[[Customer], QuerySet[Customer]]
) -> tuple[Customer, Sequence[Customer]]:
    """Lock the record that counts and its people, and no record that was merged into another.

    Of one that was merged while we waited the lock is let go with the savepoint: who locks all
    records of a person would wait for it, and we for them.
    """
    while True:
        customer = survivor(customer)
        with transaction.atomic():
            people = list(people_of(customer).select_for_update().order_by("pk"))
            if survivor(customer).pk == customer.pk:
                return next(one for one in people if one.pk == customer.pk), people
            transaction.set_rollback(True)


def _with_same_address(customer: Customer) -> QuerySet[Customer]:
    return Customer.objects.filter(pk=customer.pk) | Customer.objects.with_address(customer.email)


def _standing(people: Iterable[Customer]) -> Sequence[ConsentState]:
    return list(
        ConsentState.objects.filter(customer__in=people, state__in=STANDING)
        .select_related("customer", "purpose")
        .order_by("customer_id", "pk")
    )


def _can_lower(customer: Customer, purpose: Purpose, channel: str, *, asked: bool) -> bool:
    """Say whether there is something to take back; who asked is believed, but an objection stays.

    An objection is stronger already, and taking back must never fail.
    """
    states = ConsentState.objects.filter(customer=customer, purpose=purpose, channel=channel)
    state = states.values_list("state", flat=True).first() or State.NONE
    return state != State.OBJECTED if asked else state in STANDING


def _act(
    customer: Customer, purpose: Purpose, channel: str, state: State, means: Means, now: datetime
) -> Act:
    return Act(
        purpose=purpose,
        channel=channel,
        state=state,
        actor=means.actor,
        actor_id=means.actor_id,
        method=means.method,
        place=means.place,
        evidence=means.evidence,
        occurred_at=now,
        address=customer.email,
    )
