"""Writing down what ended by itself: permissions that ran out, and those for something else.

Nothing waits for this: from that moment on they no longer count (consent.may_process). Here the
ledger gets its line, so that everybody can read when and why.
"""

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from customers.consent import ALLOWING, Actor, Method, State
from customers.ledger import Act, record_consent
from customers.models import ConsentState, Customer, current_scope

# Looked at together: a query's worth, whatever their number.
BATCH = 500


def record_endings(now: datetime) -> int:
    """Write an entry for each permission that ended since the last time; return how many."""
    return sum(end(state, now) for state in _ended(now))


def _ended(now: datetime) -> Iterator[ConsentState]:
    """Yield the states that still say yes and no longer count, in the order of the customers."""
    found = (
        ConsentState.objects.filter(state__in=ALLOWING)
        .annotate(scope=current_scope("purpose", now))
        .filter(
            Q(valid_until__lte=now)
            | (~Q(state=State.SOFT) & ~Q(entry__wording__scope_hash=F("scope")))
        )
        .select_related("customer", "purpose", "entry")
        .order_by("customer_id", "pk")
    )
    last = (0, 0)
    while batch := list(
        found.filter(Q(customer_id__gt=last[0]) | Q(customer_id=last[0], pk__gt=last[1]))[:BATCH]
    ):
        last = (batch[-1].customer_id, batch[-1].pk)
        yield from batch


def end(state: ConsentState, now: datetime) -> bool:
    """Write that a permission ended, unless the customer did something meanwhile."""
    ran_out = state.valid_until is not None and state.valid_until <= now
    act = Act(
        purpose=state.purpose,
        channel=state.channel,
        state=State.EXPIRED if ran_out else State.STALE,
        actor=Actor.SYSTEM,
        method=Method.RAN_OUT if ran_out else Method.NEW_TEXT,
        occurred_at=now,
        caused_by=state.entry,
    )
    with transaction.atomic():
        locked = Customer.objects.select_for_update().get(pk=state.customer_id)
        if not ConsentState.objects.filter(pk=state.pk, entry_id=state.entry_id).exists():
            return False
        record_consent(customer=locked, act=act, now=now)
    return True
