"""Reading what a form may ask now, and of whom."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q, Subquery

from customers import consent
from customers.addresses import address_hashes
from customers.consent import State
from customers.models import (
    ConsentEntry,
    ConsentForm,
    ConsentState,
    Customer,
    Purpose,
    PurposeKind,
    Suppression,
    SuppressionReason,
    Wording,
)

# What no fresh yes lifts: a mailbox that is not there, and somebody who asked to be forgotten.
UNREACHABLE = (SuppressionReason.BOUNCE, SuppressionReason.ERASURE)


def form_by_key(key: str) -> ConsentForm | None:
    """Return the form with this key, None if it is not there or put away."""
    forms = ConsentForm.objects.select_related("first", "second")
    return forms.filter(key=key, archived_at__isnull=True).first()


def may_be_asked(purpose: Purpose, channel: str) -> bool:
    """Say whether a purpose is asked on a channel at all: an invoice never is."""
    kind = PurposeKind(purpose.kind)
    return purpose.archived_at is None and kind.needs_consent and channel in purpose.channels


def current_texts(purpose: Purpose, now: datetime) -> dict[str, Wording]:
    """Return the newest published version of a purpose's text, by language."""
    published = purpose.wordings.published(now)
    newest = published.values("version")[:1]
    found = published.filter(version=Subquery(newest)).select_related("purpose")
    return {wording.language: wording for wording in found}


def can_be_mailed(address: str) -> bool:
    """Say whether a service mail may go to an address."""
    stopped = Suppression.objects.filter(address_hash__in=address_hashes(address))
    return not stopped.filter(Q(everything=True) | Q(reason__in=UNREACHABLE)).exists()


def is_permitted(people: Sequence[Customer], wording: Wording, channel: str, now: datetime) -> bool:
    """Say whether a yes to what this text is about holds for the address of these customers."""
    hashes = address_hashes(people[0].email) if people else frozenset()
    return ConsentState.objects.filter(
        customer__in=people,
        purpose=wording.purpose_id,
        channel=channel,
        state__in=[State.GIVEN, State.RENEWED],
        valid_until__gt=now,
        entry__address_hash__in=hashes,
        entry__wording__scope_hash=wording.scope_hash,
    ).exists()


def standing(customer: Customer, purpose: Purpose, channel: str) -> ConsentState | None:
    """Return where a customer stands, with the entry that says so."""
    states = ConsentState.objects.filter(customer=customer, purpose=purpose, channel=channel)
    return states.select_related("entry").first()


def told(customer: Customer, purpose: Purpose, channel: str) -> list[consent.Entry]:
    """Return all that the ledger has of a customer for a purpose and channel, oldest first."""
    rows = ConsentEntry.objects.filter(customer=customer, purpose=purpose, channel=channel)
    return [
        consent.Entry(row.pk, row.occurred_at, purpose.key, channel, State(row.state))
        for row in rows.order_by("pk")
    ]
