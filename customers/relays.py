"""What another system tells about a customer's permission: it relays, it does not decide.

A withdrawal is one that a colleague might have relayed: the customer told somebody else, and that
system is named. So its actor is the admin, who says why, and not the customer, whom we did not
see. A yes is an import of one row: with evidence, of grade C, and only where nothing was recorded.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from customers import permission_facts
from customers.consent import Actor, Grade, Method, State
from customers.ledger import Act, Unproven, record_consent
from customers.models import ApiKey, ConsentEntry, ConsentState, Customer, Purpose, Wording
from customers.permission_facts import says_nothing_was_done
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


class InTheWay(ValueError):
    """A no that a yes given elsewhere does not undo; the text says which."""


def relay_yes(
    *, customer: Customer, yes: Yes, key: ApiKey, now: datetime
) -> tuple[ConsentEntry, bool]:
    """Record a yes given elsewhere: with True, or the same earlier one with False.

    Raises Forbidden where anything else was recorded before, InTheWay where another record with
    the address or a wish of the customer says no, and Unproven.
    """
    if says_nothing_was_done(yes.method):
        raise Unproven("The method says that the customer did nothing, and that is no yes.")
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
    with transaction.atomic():
        facts = permission_facts.known([customer], lock=True)
        if known := _same(customer, act):
            return known, False
        stands = ConsentState.objects.filter(
            customer=customer, purpose=yes.purpose, channel=yes.channel
        )
        # What the ledger refuses by itself, it also says and logs.
        if not stands.exists() and (why := facts.in_the_way(customer, yes.purpose, yes.channel)):
            raise InTheWay(why)
        return record_consent(customer=customer, act=act, now=now), True


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
