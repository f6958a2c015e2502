"""What a colleague writes down for a customer who called, wrote or came by: only ever a no.

A yes cannot be relayed. Whoever tries is refused by the same rule as everybody, and it is logged.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from customers.consent import Actor, Forbidden, Method, State
from customers.models import ConsentEntry, ConsentState, Customer, Purpose
from customers.withdrawals import Means, object_to_marketing, withdraw

logger = logging.getLogger(__name__)

# How it came in; the ledger keeps the code.
WAYS_IN = (Method.PHONE_NOTE, Method.PAPER, Method.MAIL, Method.TILL)


class NoEvidence(ValueError):
    """Something relayed that nobody could check later."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"Nothing was recorded: {what}. Write down how and when it came, and what was asked."
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Relayed:
    """What a customer asked for, how it came (one of WAYS_IN), who took it in, and the words.

    `colleague` is an id, never a name; `evidence` is kept apart from the ledger.
    """

    purpose: Purpose
    channel: str
    state: State
    method: str
    colleague: str
    evidence: str


def relay(*, customer: Customer, relayed: Relayed, now: datetime) -> list[ConsentEntry]:
    """Record a withdrawal or an objection on request, and return the entries.

    Raises Forbidden for any other state, and NoEvidence.
    """
    if relayed.state not in {State.WITHDRAWN, State.OBJECTED}:
        _refuse(customer, relayed)
    if relayed.method not in WAYS_IN:
        raise NoEvidence(f"“{relayed.method}” is no way it can have come in")
    if not relayed.evidence.strip():
        raise NoEvidence("the evidence is empty")
    means = Means(
        method=relayed.method,
        actor=Actor.ADMIN,
        actor_id=relayed.colleague,
        evidence=relayed.evidence.strip(),
    )
    if relayed.state is State.WITHDRAWN:
        return withdraw(
            customer=customer,
            purpose=relayed.purpose,
            channel=relayed.channel,
            means=means,
            now=now,
        )
    return [
        object_to_marketing(
            customer=customer,
            purpose=relayed.purpose,
            channel=relayed.channel,
            means=means,
            now=now,
        )
    ]


def _refuse(customer: Customer, relayed: Relayed) -> NoReturn:
    """Refuse and log: nobody but the customer says yes, and nothing else is asked at a desk."""
    states = ConsentState.objects.filter(
        customer=customer, purpose=relayed.purpose, channel=relayed.channel
    )
    before = State(states.values_list("state", flat=True).first() or State.NONE)
    logger.warning(
        "Refused at the desk: customer %d, purpose %s, %s to %s by colleague %s",
        customer.pk, relayed.purpose.key, before, relayed.state, relayed.colleague,
    )  # fmt: skip
    raise Forbidden(before, relayed.state, Actor.ADMIN)
