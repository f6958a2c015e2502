"""What another system tells about a customer's permission: it relays, it does not decide.

A withdrawal is one that a colleague might have relayed: the customer told somebody else, and that
system is named. So its actor is the admin, who says why, and not the customer, whom we did not
see. A yes is an import of one row: with evidence, of grade C, and only where nothing was recorded.
"""

from dataclasses import dataclass
from datetime import datetime

from customers.consent import Actor, Forbidden, Grade, Method, State
from customers.ledger import Act, record_consent
from customers.models import ApiKey, ConsentEntry, ConsentState, Customer, Purpose, Wording
from customers.withdrawals import Means, withdraw

PLACE = "api"


@dataclass(frozen=True, kw_only=True, slots=True)
class Yes:
    """A yes that was given elsewhere: the facts without which it is none."""

    purpose: Purpose
    channel: str
    occurred_at: datetime
    method: str
    source: str
    wording: Wording
    evidence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TakenBack:
    """What a customer no longer permits; when they said so and how, if the system knows."""

    purpose: Purpose
    channel: str
    occurred_at: datetime | None = None
    evidence: str = ""


def relay_withdrawal(
    *, customer: Customer, no: TakenBack, key: ApiKey, now: datetime
) -> list[ConsentEntry]:
    """Take back what a customer no longer permits; it counts from now, and never fails."""
    happened = f"Happened: {no.occurred_at.isoformat()}" if no.occurred_at else ""
    told = [_teller(key), happened, no.evidence]
    means = Means(
        method=Method.API,
        place=PLACE,
        actor=Actor.ADMIN,
        actor_id=viewer_of(key),
        evidence="\n".join(filter(None, told)),
    )
    return withdraw(customer=customer, purpose=no.purpose, channel=no.channel, means=means, now=now)


def relay_yes(
    *, customer: Customer, yes: Yes, key: ApiKey, now: datetime
) -> tuple[ConsentEntry, bool]:
    """Record a yes given elsewhere: with True, or the same earlier one with False.

    Raises Forbidden where anything else was recorded before, and Unproven.
    """
    act = Act(
        purpose=yes.purpose,
        channel=yes.channel,
        state=State.GIVEN,
        actor=Actor.IMPORT,
        actor_id=viewer_of(key),
        method=yes.method,
        place=yes.source,
        wording=yes.wording,
        occurred_at=yes.occurred_at,
        address=customer.email,
        evidence="\n".join([_teller(key), yes.evidence]),
        grade=Grade.C,
    )
    try:
        return record_consent(customer=customer, act=act, now=now), True
    except Forbidden:
        if known := _same(customer, act):
            return known, False
        raise


def _same(customer: Customer, act: Act) -> ConsentEntry | None:
    """Return the line that says just this already: of a request whose answer was lost."""
    state = ConsentState.objects.filter(
        customer=customer,
        purpose=act.purpose,
        channel=act.channel,
        state=State.GIVEN,
        entry__actor=Actor.IMPORT,
        entry__actor_id=act.actor_id,
        entry__method=act.method,
        entry__place=act.place,
        entry__wording=act.wording,
        entry__occurred_at=act.occurred_at,
        entry__evidence__text=act.evidence,
    )
    found = state.select_related("entry").first()
    return found.entry if found else None


def viewer_of(key: ApiKey) -> str:
    """Return how the ledger and the access log name a key."""
    return f"key:{key.pk}"


def _teller(key: ApiKey) -> str:
    return f"Told by the system “{key.name}” ({viewer_of(key)})."
