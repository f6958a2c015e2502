"""The one gate for contacting anybody: reserve, then confirm, or give back.

Under the lock of the customer's row permission is asked about and the dose decided, and only then
is the contact reserved. Withdrawing and erasing take the same lock, so after them no claim says
yes. A reservation holds until the end of its lease and not a moment longer, whoever cleans up.
"""

import hashlib
import json
import logging
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from customers.contact_queries import Judged, Snapshot, look, past
from customers.models import Contact, ContactStatus, Customer, Decision
from customers.plans import OutOfRange, Plan

logger = logging.getLogger(__name__)

# So many customers are locked at a time.
BATCH = 500
# Clocks of other systems differ by a little.
SAME_TIME = timedelta(minutes=5)
# Nobody plans further ahead than a permission or a policy can be known.
FARTHEST = timedelta(days=366)
LONGEST_REQUEST = 200


class RequestConflict(ValueError):
    """The same request id with something else behind it."""

    def __init__(self, request_id: str) -> None:
        super().__init__(
            f"Request {request_id!r} was used for another contact. Give each contact its own."
        )


class UnknownRequest(LookupError):
    """No contact has this request id."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"No contact has the request {request_id!r}. Reserve it first.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A contact that is asked for.

    `request_id` is chosen by who asks: asked again with it, the answer is the same. `source` is the
    id of what asks ("mailing:7"), never a name.
    """

    request_id: str
    customer: Customer
    plan: Plan
    source: str

    def __post_init__(self) -> None:
        if not 0 < len(self.request_id) <= LONGEST_REQUEST or "\x00" in self.request_id:
            raise OutOfRange(
                "request_id",
                f"The request id has {len(self.request_id)} characters. "
                f"Give 1 to {LONGEST_REQUEST}, without NUL.",
            )

    @property
    def digest(self) -> str:
        """A hash of what is asked, but for whom: records of customers are merged."""
        plan = self.plan
        said = [
            plan.channel,
            plan.kind,
            plan.category.pk if plan.category else None,
            plan.purpose_key,
            plan.points,
            plan.at.isoformat() if plan.at else None,
            plan.lease.total_seconds() if plan.lease else None,
            self.source,
        ]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    def is_behind(self, contact: Contact) -> bool:
        """Return whether a contact with this request's id is what it asks for."""
        return contact.digest == self.digest and contact.customer_id == self.customer.pk


@dataclass(frozen=True, slots=True)
class Claim:
    """What came of a request: a contact, or why not; with neither, its id was used before.

    Of a request that was answered before only the contact is known.
    """

    request: Request
    contact: Contact | None = None
    judged: Judged | None = None

    @property
    def is_conflict(self) -> bool:
        return self.contact is None and self.judged is None


# -- Reserving ------------------------------------------------------------------------------------


def claim_contact(*, request: Request, now: datetime) -> Claim:
    """Decide on one contact and reserve it if it may be; RequestConflict if its id is taken."""
    [claim] = claim_contacts(requests=[request], now=now)
    if claim.is_conflict:
        raise RequestConflict(request.request_id)
    return claim


def claim_contacts(*, requests: Sequence[Request], now: datetime) -> list[Claim]:
    """Decide on many contacts, each exactly, and reserve those that may be.

    In batches in the order of the customers, each in a transaction of its own: what is claimed
    stays claimed if a later batch fails. Answers come in the order of the requests.
    """
    for one in requests:
        check_time(one.plan, now)
    in_order = sorted(range(len(requests)), key=lambda n: requests[n].customer.pk)
    claims: dict[int, Claim] = {}
    for start in range(0, len(in_order), BATCH):
        numbers = in_order[start : start + BATCH]
        found = _claim_batch([requests[n] for n in numbers], now)
        claims.update(zip(numbers, found, strict=True))
    return [claims[n] for n in range(len(requests))]


def check_time(plan: Plan, now: datetime) -> None:
    """Refuse a plan for a moment that is over, or that is too far away: OutOfRange."""
    if plan.at and plan.at < now - SAME_TIME:
        raise OutOfRange("at", f"{plan.at.isoformat()} is over. Leave it out for now.")
    if plan.at and plan.at > now + FARTHEST:
        raise OutOfRange("at", f"{plan.at.isoformat()} is further away than {FARTHEST.days} days.")


def _claim_batch(requests: Sequence[Request], now: datetime) -> list[Claim]:
    try:
        return _claim_together(requests, now)
    except IntegrityError:
        # Another customer got the same request id meanwhile; now that contact can be read.
        return _claim_together(requests, now)


def _claim_together(requests: Sequence[Request], now: datetime) -> list[Claim]:
    with transaction.atomic():
        customers = locked({one.customer.pk for one in requests})
        plans = [one.plan for one in requests]
        snapshot, known = look(customers, plans, now, [one.request_id for one in requests])
        claims = [_claim(one, snapshot, known) for one in requests]
        fresh = [(one, one.judged) for one in claims if one.judged]
        Contact.objects.bulk_create([one.contact for one, _ in fresh if one.contact])
        Decision.objects.bulk_create(
            [_decision(judged, one.request.source, now) for one, judged in fresh]
        )
        return claims


def locked(ids: Collection[int]) -> dict[int, Customer]:
    """Lock customers in the order of their ids, for the transaction around it."""
    rows = Customer.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    return {one.pk: one for one in rows}


def _claim(request: Request, snapshot: Snapshot, known: dict[str, Contact]) -> Claim:
    """Answer one request, and let what it reserves weigh for those after it."""
    earlier = known.get(request.request_id)
    if earlier:
        same = request.is_behind(earlier)
        return Claim(request, contact=earlier) if same else Claim(request)
    judged = snapshot.judge(request.customer.pk, request.plan)
    if not judged.verdict.allows:
        return Claim(request, judged=judged)
    contact = _contact(request, judged, snapshot.now)
    known[request.request_id] = contact
    snapshot.contacts.setdefault(request.customer.pk, []).append(past(contact))
    return Claim(request, contact, judged)


def _contact(request: Request, judged: Judged, now: datetime) -> Contact:
    plan = judged.plan
    return Contact(
        request_id=request.request_id,
        digest=request.digest,
        customer=judged.customer,
        channel=plan.channel,
        kind=plan.kind,
        category=plan.category,
        purpose=judged.purpose,
        points=judged.points,
        from_at=judged.at,
        to_at=judged.at + plan.for_as_long,
        status=ContactStatus.RESERVED,
        reserved_at=now,
        policy_id=judged.policy_id,
        customer_type=judged.customer.customer_type,
        involvement=judged.involved.level,
        source=request.source,
    )


def _decision(judged: Judged, source: str, now: datetime) -> Decision:
    verdict = judged.verdict
    first = next(iter(verdict.reasons), None)
    return Decision(
        customer=judged.customer,
        purpose=judged.purpose,
        channel=judged.plan.channel,
        allowed=verdict.allows,
        reason=judged.answer.reason,
        entry_id=judged.entry.pk if judged.entry else None,
        kind=judged.plan.kind,
        outcome=verdict.outcome,
        code=first.code if first else "",
        rule=first.rule if first else "",
        next_allowed_at=verdict.next_allowed_at,
        asker=source,
        decided_at=now,
    )


# -- What was sent elsewhere ----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class SentContact:
    """A contact that another system had: sent, so that nothing is decided about it any more."""

    request_id: str
    customer_id: int
    channel: str
    kind: str
    category_id: int | None
    points: int
    sent_at: datetime
    customer_type: str
    involvement: str
    source: str


def add_sent_contacts(contacts: Sequence[SentContact], now: datetime) -> set[str]:
    """Store contacts whose requests are new, and return these requests.

    Under the lock of their customers, so that no claim that runs at the time misses them.
    """
    with transaction.atomic():
        locked({one.customer_id for one in contacts})
        asked = [one.request_id for one in contacts]
        known = set(
            Contact.objects.filter(request_id__in=asked).values_list("request_id", flat=True)
        )
        new = {one.request_id: one for one in contacts if one.request_id not in known}
        Contact.objects.bulk_create([_sent(one, now) for one in new.values()], batch_size=BATCH)
        return set(new)


def _sent(past: SentContact, now: datetime) -> Contact:
    return Contact(
        **asdict(past),
        digest=hashlib.sha256(past.request_id.encode()).hexdigest(),
        from_at=past.sent_at,
        to_at=past.sent_at,
        reserved_at=min(past.sent_at, now),
        status=ContactStatus.SENT,
    )
