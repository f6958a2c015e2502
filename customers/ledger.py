"""Writing the consent ledger: one way in, under the lock of the customer.

Whatever the rules refuse is refused here, whatever they allow is one new line and a new state.
"""

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from customers.addresses import address_hash
from customers.chain import START, Fact, digest, link
from customers.consent import (
    ALLOWING,
    Actor,
    Forbidden,
    Grade,
    State,
    check,
    is_repetition,
    strictest,
)
from customers.models import (
    ConsentEntry,
    ConsentState,
    Customer,
    Evidence,
    Purpose,
    Suppression,
    SuppressionReason,
    Wording,
)

logger = logging.getLogger(__name__)

# What a fresh yes of the customer lifts: a stop they, or their mail program, asked for.
LIFTED_BY_A_YES = (SuppressionReason.OBJECTION, SuppressionReason.COMPLAINT)


class Erased(Forbidden):
    """An erased customer can be stopped and never be won back."""


class TooYoung(ValueError):
    """Somebody said to be too young for a purpose."""

    def __init__(self, purpose: Purpose) -> None:
        super().__init__(
            f"{purpose.key} is for people of {purpose.minimum_age} and older, and the customer "
            "said to be younger. Nothing was recorded as permitted."
        )


class NoPermissionText(ValueError):
    """A yes to a text that was not published, or not for this purpose."""

    def __init__(self, purpose: Purpose, wording: Wording | None, at: datetime) -> None:
        shown = f"wording {wording.pk}" if wording else "no wording"
        super().__init__(
            f"A yes to {purpose.key} needs the wording that was shown; {shown} was not published "
            f"for it on {at:%Y-%m-%d}. Publish the wording first, or give the one that was shown."
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """What somebody did: all that a line of the ledger needs besides the customer.

    `address` is the plain address; only its keyed hash is stored. `evidence` is kept apart from
    the ledger, where it can be erased.
    """

    purpose: Purpose
    channel: str
    state: State
    actor: Actor
    method: str
    occurred_at: datetime
    address: str = ""
    actor_id: str = ""
    place: str = ""
    wording: Wording | None = None
    evidence: str = ""
    grade: Grade = Grade.D
    old_enough: bool | None = None
    caused_by: ConsentEntry | None = None


def record_consent(*, customer: Customer, act: Act, now: datetime) -> ConsentEntry:
    """Write what a customer did into the ledger and return the line; a no said twice is one no.

    Raises Forbidden for a change this actor may not make, Erased, TooYoung and NoPermissionText.
    """
    with transaction.atomic():
        locked = Customer.objects.select_for_update().get(pk=customer.pk)
        standing = (
            ConsentState.objects.filter(customer=locked, purpose=act.purpose, channel=act.channel)
            .select_related("entry")
            .first()
        )
        before = State(standing.state) if standing else State.NONE
        if standing and is_repetition(before, act.state):
            return standing.entry
        _check(locked, before, act)
        entry = _append(locked, act, now)
        _project(entry, standing)
        _suppress(entry, locked, now)
    return entry


def _check(customer: Customer, before: State, act: Act) -> None:
    allows = act.state in ALLOWING
    try:
        if customer.erased_at and (allows or act.state is State.PENDING):
            raise Erased(before, act.state, act.actor)
        check(before, act.state, act.actor)
    except Forbidden:
        # An attempt to turn a no into a yes is worth knowing of.
        logger.warning(
            "Refused in the ledger: customer %d, purpose %s, %s to %s by %s",
            customer.pk, act.purpose.key, before, act.state, act.actor,
        )  # fmt: skip
        raise
    if allows and act.old_enough is False:
        raise TooYoung(act.purpose)
    if act.state in {State.GIVEN, State.RENEWED}:
        _check_wording(act)


def _check_wording(act: Act) -> None:
    wording = act.wording
    if (
        wording is None
        or wording.purpose_id != act.purpose.pk
        or wording.published_at > act.occurred_at
    ):
        raise NoPermissionText(act.purpose, wording, act.occurred_at)


def _append(customer: Customer, act: Act, now: datetime) -> ConsentEntry:
    last = ConsentEntry.objects.filter(customer=customer).order_by("-pk").first()
    salt = secrets.token_hex(16) if act.evidence else ""
    entry = ConsentEntry(
        customer=customer,
        purpose=act.purpose,
        channel=act.channel,
        state=act.state,
        occurred_at=act.occurred_at,
        recorded_at=now,
        address_hash=address_hash(act.address),
        actor=act.actor,
        actor_id=act.actor_id,
        method=act.method,
        place=act.place,
        wording=act.wording,
        evidence_hash=digest(salt + act.evidence) if act.evidence else "",
        grade=act.grade,
        valid_until=now + timedelta(days=act.purpose.valid_days) if act.state in ALLOWING else None,
        old_enough=act.old_enough,
        caused_by=act.caused_by,
        previous_hash=last.hash if last else START,
    )
    entry.hash = link(entry.previous_hash, facts_of(entry, shown(act.wording)))
    entry.save(force_insert=True)
    if act.evidence:
        Evidence.objects.create(entry=entry, text=act.evidence, salt=salt)
    return entry


def shown(wording: Wording | None) -> tuple[str, str]:
    """Return the hashes of what a wording says and of what it does."""
    return (wording.text_hash, wording.scope_hash) if wording else ("", "")


def facts_of(entry: ConsentEntry, wording: tuple[str, str]) -> Mapping[str, Fact]:
    """Return what the hash of a line is taken over: everything it says but its own number.

    `wording` holds the two hashes of the wording, so that the text cannot change under it.
    """
    return {
        "customer": entry.customer_id,
        "purpose": entry.purpose_id,
        "channel": entry.channel,
        "state": str(entry.state),
        "occurred_at": entry.occurred_at,
        "recorded_at": entry.recorded_at,
        "address": entry.address_hash,
        "actor": str(entry.actor),
        "actor_id": entry.actor_id,
        "method": entry.method,
        "place": entry.place,
        "wording": entry.wording_id,
        "text": wording[0],
        "scope": wording[1],
        "evidence": entry.evidence_hash,
        "grade": str(entry.grade),
        "valid_until": entry.valid_until,
        "old_enough": entry.old_enough,
        "caused_by": entry.caused_by_id,
    }


def _project(entry: ConsentEntry, standing: ConsentState | None) -> None:
    """Let the line count; at the same moment the stricter one does, as in consent.current."""
    if (
        standing
        and standing.entry.occurred_at == entry.occurred_at
        and strictest([State(standing.state), State(entry.state)]) != entry.state
    ):
        return
    ConsentState.objects.update_or_create(
        customer_id=entry.customer_id,
        purpose_id=entry.purpose_id,
        channel=entry.channel,
        defaults={"state": entry.state, "entry": entry, "valid_until": entry.valid_until},
    )


def _suppress(entry: ConsentEntry, customer: Customer, now: datetime) -> None:
    """Stop the address after an objection; a yes of the customer's own lifts that."""
    hashes = {entry.address_hash, address_hash(customer.email)} - {""}
    if entry.state == State.OBJECTED:
        Suppression.objects.bulk_create(
            [
                Suppression(address_hash=one, reason=SuppressionReason.OBJECTION, created_at=now)
                for one in sorted(hashes)
            ],
            ignore_conflicts=True,
        )
    elif entry.state == State.GIVEN and entry.actor == Actor.CUSTOMER:
        Suppression.objects.filter(
            address_hash=entry.address_hash, reason__in=LIFTED_BY_A_YES
        ).delete()
