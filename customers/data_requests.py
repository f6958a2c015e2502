"""Requests of people about their own data: taken in with a date by which they are done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from customers.addresses import erased_references
from customers.bell import ring_after_commit
from customers.models import Customer, DataRequest, RequestKind, RequestSource, RequestState
from customers.services import change_address
from customers.stop_log import Line, log_after_commit


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
        if asked.source == RequestSource.OWN_PAGE:
            # Asked behind a link mailed to their address: done at once.
            ring_after_commit("requests")
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


# What a restriction is asked with that is to be lifted: only the customer asks that.
LIFT = {"lift": "yes"}

# What a correction may be of.
CORRECTABLE = ("name", "email", "language")


def rectify(*, customer: Customer, corrections: Mapping[str, str], now: datetime) -> list[str]:
    """Correct what a customer said is wrong, and return the names of the fields that changed.

    NotCorrectable for another field, ValidationError for what is no address.
    """
    if other := sorted(set(corrections) - set(CORRECTABLE)):
        raise NotCorrectable(other)
    with transaction.atomic():
        locked = Customer.objects.select_for_update().get(pk=customer.pk)
        changed = [name for name in CORRECTABLE if _differs(locked, name, corrections)]
        for name in changed:
            setattr(locked, name, corrections[name])
        locked.clean_fields(exclude={"reference"})
        plain = [name for name in changed if name != "email"]
        if plain:
            locked.save(update_fields=plain)
        if "email" in changed:
            change_address(customer=customer, email=corrections["email"], now=now)
    customer.refresh_from_db()
    return changed


def _differs(customer: Customer, name: str, corrections: Mapping[str, str]) -> bool:
    return name in corrections and corrections[name] != getattr(customer, name)


class NotCorrectable(ValueError):
    """A field that nobody corrects here."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(
            f"{', '.join(names)} cannot be corrected here, only {', '.join(CORRECTABLE)}. What the "
            "shop knows is corrected in the shop, and comes with the next import."
        )


def restrict(*, customer: Customer, now: datetime) -> None:
    """Keep the data of a customer and do nothing with them; since when stays as it is."""
    Customer.objects.filter(pk=customer.pk, restricted_at__isnull=True).update(restricted_at=now)
    log_after_commit([_line("restricted", customer, now)])


def lift_restriction(*, customer: Customer, now: datetime) -> None:
    """Use the data again; only at the customer's own request."""
    Customer.objects.filter(pk=customer.pk).update(restricted_at=None)
    log_after_commit([_line("unrestricted", customer, now)])


def _line(kind: str, customer: Customer, now: datetime) -> Line:
    reference = erased_references(customer.reference)[0]
    return {"kind": kind, "at": now.isoformat(), "customer": customer.pk, "reference": reference}


def finish_request(
    *, request: DataRequest, state: RequestState, answer: str, handled_by: str, now: datetime
) -> bool:
    """Close a request that is open and return whether it was: of two who finish it, one does."""
    changed = DataRequest.objects.filter(pk=request.pk, state=RequestState.OPEN).update(
        state=state, answer=answer, handled_by=handled_by, finished_at=now, corrections={}
    )
    return bool(changed)
