"""Writing the consent ledger: one way in, under the lock of the customer.

Whatever the rules refuse is refused here, whatever they allow is one new line and a new state.
"""

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from customers.addresses import address_hash, address_hashes, erased_references
from customers.chain import START, Fact, digest, link
from customers.consent import (
    ALLOWING,
    Actor,
    Forbidden,
    Grade,
    Sale,
    State,
    check,
    is_repetition,
    soft_opt_in,
    takes_over,
)
from customers.models import (
    ConsentEntry,
    ConsentState,
    Customer,
    Evidence,
    Purpose,
    PurposeKind,
    SuppressionReason,
    Wording,
)
from customers.stop_log import Line, log_after_commit
from customers.suppressions import Stop, lift, suppress

logger = logging.getLogger(__name__)

# What a fresh yes of the customer lifts: a stop they, or their mail program, asked for.
LIFTED_BY_A_YES = (SuppressionReason.OBJECTION, SuppressionReason.COMPLAINT)

# What must hold after a backup was put back as well.
LOGGED = frozenset({State.WITHDRAWN, State.OBJECTED, State.INVALIDATED})


class Erased(Forbidden):
    """An erased customer can be stopped and never be won back."""


class Unproven(ValueError):
    """A yes that cannot be recorded; the text names what is missing and the way out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """What somebody did: all that a line of the ledger needs besides the customer.

    `address` is the plain address; only its keyed hash is stored. `evidence` is kept apart from
    the ledger, where it can be erased. A soft opt-in comes with its `sale`.
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
    sale: Sale | None = None
    caused_by: ConsentEntry | None = None


def record_consent(*, customer: Customer, act: Act, now: datetime) -> ConsentEntry:
    """Write what a customer did into the ledger and return the line; a no said twice is one no.

    An objection to one marketing purpose is one to all of them, and to the profiling for them.
    Raises Forbidden for a change this actor may not make, Erased, and Unproven.
    """
    with transaction.atomic():
        locked = Customer.objects.select_for_update().get(pk=customer.pk)
        entry = _record(locked, act, now)
        if act.state is State.OBJECTED and PurposeKind(act.purpose.kind).is_marketing:
            for also in _other_marketing(locked, act):
                _record(locked, replace(also, caused_by=entry), now)
    return entry


def _other_marketing(customer: Customer, act: Act) -> list[Act]:
    """Return the same objection to all other marketing that the ledger knows the customer for."""
    states = ConsentState.objects.filter(customer=customer).select_related("purpose")
    return [
        replace(act, purpose=state.purpose, channel=state.channel)
        for state in states.order_by("pk")
        if PurposeKind(state.purpose.kind).is_marketing
    ]


def _record(customer: Customer, act: Act, now: datetime) -> ConsentEntry:
    standing = (
        ConsentState.objects.filter(customer=customer, purpose=act.purpose, channel=act.channel)
        .select_related("entry")
        .first()
    )
    before = State(standing.state) if standing else State.NONE
    if act.state is State.OBJECTED:
        stop_addresses({address_hash(act.address), address_hash(customer.email)}, now)
    if standing and is_repetition(before, act.state):
        return standing.entry
    check_act(customer, before, act, now)
    entry = _append(customer, act, now)
    if standing is None or takes_over(standing.entry, entry):
        _project(entry)
    _lift(entry, act.purpose, now)
    if act.state in LOGGED:
        log_after_commit([_logged(entry, customer, act.purpose)])
    return entry


# -- What is refused ------------------------------------------------------------------------------


def check_act(customer: Customer, before: State, act: Act, now: datetime) -> None:
    """Raise Forbidden, Erased or Unproven unless this may be written after the state before it."""
    opens = act.state in ALLOWING or act.state is State.PENDING
    try:
        if customer.erased_at and opens:
            raise Erased(before, act.state, act.actor)
        check(before, act.state, act.actor)
    except Forbidden:
        # An attempt to turn a no into a yes is worth knowing of.
        logger.warning(
            "Refused in the ledger: customer %d, purpose %s, %s to %s by %s",
            customer.pk, act.purpose.key, before, act.state, act.actor,
        )  # fmt: skip
        raise
    problem = next((text for text, stands in _problems(customer, act, now) if stands), "")
    if opens and problem:
        logger.warning(
            "Refused in the ledger: customer %d, purpose %s, %s by %s is not proven",
            customer.pk, act.purpose.key, act.state, act.actor,
        )  # fmt: skip
        raise Unproven(f"A yes to {act.purpose.key} was not recorded: {problem}")


def _problems(customer: Customer, act: Act, now: datetime) -> list[tuple[str, bool]]:
    """Return what can be wrong with a yes, each with whether it is."""
    purpose, yes = act.purpose, act.state in {State.GIVEN, State.RENEWED}
    imported = act.actor is Actor.IMPORT
    return [
        (f"it would have been given on {act.occurred_at:%Y-%m-%d}, which is in the future. Check "
         "the clock or the column of the file.", act.occurred_at > now),
        ("this purpose is archived. Ask for another one.", purpose.archived_at is not None),
        (f"it is not asked by {act.channel}, only by {', '.join(purpose.channels)}.",
         act.channel not in purpose.channels),
        ("it was given on another address than the customer's. Change the address first; the new "
         "one is asked anew.", not {address_hash(act.address)} & address_hashes(customer.email)),
        (f"it is for people of {purpose.minimum_age} and older, and the customer said to be "
         "younger.", act.old_enough is False),
        (f"it needs the text that was shown, and {_named(act.wording)} was not published for it "
         f"by {act.occurred_at:%Y-%m-%d}. Publish the text first, or name the one that was shown.",
         yes and not _was_published(act)),
        ("an import needs evidence in each row (date, method, source, text), and is of grade C.",
         imported and (not act.evidence or act.grade is not Grade.C)),
        ("a sale stands in for a yes only with all five facts: paid, to the same legal entity, for "
         "similar products, informed, and with a way out offered.",
         act.state is State.SOFT and not (act.sale and act.sale.complete)),
        ("a sale stands in for a yes to marketing messages only.",
         act.state is State.SOFT and purpose.kind != PurposeKind.MARKETING),
        (f"a sale does not stand in for a yes by {act.channel} (Telecommunicatiewet 11.7).",
         act.state is State.SOFT and not soft_opt_in(
             act.channel, settings.ORGANISATION_KIND, timezone.localdate(now))),
    ]  # fmt: skip


def _was_published(act: Act) -> bool:
    shown = act.wording
    return (
        shown is not None
        and shown.purpose_id == act.purpose.pk
        and shown.published_at <= act.occurred_at
    )


def _named(wording: Wording | None) -> str:
    return f"text {wording.pk}" if wording else "none"


# -- What is written ------------------------------------------------------------------------------


def _append(customer: Customer, act: Act, now: datetime) -> ConsentEntry:
    last = ConsentEntry.objects.filter(customer=customer).order_by("-pk").first()
    entry, evidence = compose(customer, act, last.hash if last else START, now)
    entry.save(force_insert=True)
    if evidence:
        # Known to the database only now.
        evidence.entry = entry
        evidence.save(force_insert=True)
    return entry


def compose(
    customer: Customer, act: Act, before: str, now: datetime
) -> tuple[ConsentEntry, Evidence | None]:
    """Return the line that says what was done, chained to the hash before it, and its evidence."""
    salt = secrets.token_hex(16) if act.evidence else ""
    lasts = timedelta(days=act.purpose.valid_days)
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
        valid_until=act.occurred_at + lasts if act.state in ALLOWING else None,
        old_enough=act.old_enough,
        caused_by=act.caused_by,
        previous_hash=before,
    )
    entry.hash = link(before, facts_of(entry, shown(act.wording)))
    return entry, Evidence(text=act.evidence, salt=salt) if act.evidence else None


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


def _project(entry: ConsentEntry) -> None:
    ConsentState.objects.update_or_create(
        customer_id=entry.customer_id,
        purpose_id=entry.purpose_id,
        channel=entry.channel,
        defaults={"state": entry.state, "entry": entry, "valid_until": entry.valid_until},
    )


# -- What follows from it -------------------------------------------------------------------------


def stop_addresses(hashes: set[str], now: datetime) -> None:
    """Stop marketing to addresses that somebody objected for; without an end."""
    suppress(hashes=hashes, stop=Stop(reason=SuppressionReason.OBJECTION), now=now)


def _lift(entry: ConsentEntry, purpose: Purpose, now: datetime) -> None:
    """Lift what was stopped, where the customer freshly says yes to marketing on that address."""
    if (
        entry.state == State.GIVEN
        and entry.actor == Actor.CUSTOMER
        and PurposeKind(purpose.kind).is_marketing
    ):
        lift(hashes=[entry.address_hash], reasons=LIFTED_BY_A_YES, now=now)


def _logged(entry: ConsentEntry, customer: Customer, purpose: Purpose) -> Line:
    """Return what the log of stops says of an entry, for when a backup does not have it."""
    return {
        "kind": "stop",
        "at": entry.recorded_at.isoformat(),
        "entry": entry.hash,
        "customer": customer.pk,
        "reference": erased_references(customer.reference)[0],
        "purpose": purpose.key,
        "channel": str(entry.channel),
        "state": str(entry.state),
        "occurred_at": entry.occurred_at.isoformat(),
    }
