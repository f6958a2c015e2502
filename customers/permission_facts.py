"""What an import of permissions has to know before it writes, for a batch in a few queries."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import NamedTuple

from django.utils import timezone

from customers.addresses import address_hashes
from customers.cells import folded
from customers.consent import Actor, State
from customers.models import (
    ConsentEntry,
    ConsentState,
    Customer,
    Purpose,
    PurposeKind,
    Suppression,
    Wording,
)


class Key(NamedTuple):
    """What a state is about."""

    customer_id: int
    purpose_id: int
    channel: str


class Standing(NamedTuple):
    """Where a customer stands, and since which day."""

    state: State
    on: date


NOTHING = Standing(State.NONE, date.min)

# A no that stands; a yes that somebody else tells of does nothing against it.
NOES = frozenset({State.REFUSED, State.INVALIDATED, State.WITHDRAWN, State.OBJECTED})
CONFLICTS: Mapping[State, str] = {
    State.SHOWN: "the customer was asked on {on} and has not said yes",
    State.PENDING: "the customer was asked on {on} and has not confirmed yet",
    State.REFUSED: "the customer said no on {on}",
    State.EXPIRED: "the permission ran out on {on}",
    State.STALE: "what is done changed on {on}, and the permission was for what was done before",
    State.WITHDRAWN: "the customer took this back on {on}",
    State.INVALIDATED: "the permission was declared invalid on {on}",
    State.OBJECTED: "the customer objected on {on}",
}


# Who did nothing said nothing (Planet49, C-673/17).
NO_ACT = (
    *("preticked", "prechecked", "bydefault", "implied", "implicit", "assumed"),
    *("vooraangevinkt", "voorafaangevinkt", "vooringevuld", "voorafingevuld"),
    *("standaardaan", "stilzwijgend", "optout"),
)


def says_nothing_was_done(method: str) -> bool:
    """Say whether a method is none: a box that was ticked beforehand, or silence."""
    plain = re.sub(r"[\W_]+", "", method.casefold())
    return any(word in plain for word in NO_ACT)


@dataclass(frozen=True)
class Ground:
    """A purpose with what it does now, and the texts that may be agreed to.

    `changed_at` says since when it does that; None where it never did anything else.
    """

    purpose: Purpose
    wordings: Sequence[Wording]

    @property
    def scope(self) -> str:
        """What the newest text of its own says is done; "" without one."""
        return self._own[-1].scope_hash if self._own else ""

    @property
    def changed_at(self) -> datetime | None:
        if len({one.scope_hash for one in self._own}) < 2:
            return None
        return min(one.published_at for one in self._own if one.scope_hash == self.scope)

    def shown(self, text: str, at: datetime) -> Wording | None:
        """Return the wording with this exact text that stands for what is done now."""
        wanted = plain(text)
        return next(
            (
                one
                for one in self.wordings
                if one.scope_hash == self.scope and one.published_at <= at and wanted in _texts(one)
            ),
            None,
        )

    @cached_property
    def _own(self) -> Sequence[Wording]:
        return [one for one in self.wordings if not one.is_imported]


def _texts(wording: Wording) -> tuple[str, ...]:
    """Return the texts under which a wording is known: the sentence, or with the line below it."""
    if wording.is_imported:
        return (plain(wording.details),)
    return plain(wording.label), plain(f"{wording.label} {wording.helper}")


def plain(text: str) -> str:
    """Return a text without what a spreadsheet does to it: how it breaks, how é is written."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def grounds(now: datetime) -> dict[str, Ground]:
    """Return all purposes by key in lower case, each with the texts published until now."""
    found: dict[int, list[Wording]] = defaultdict(list)
    published = Wording.objects.filter(published_at__lte=now)
    for wording in published.order_by("version", "pk"):
        found[wording.purpose_id].append(wording)
    return {
        folded(purpose.key): Ground(purpose, found[purpose.pk])
        for purpose in Purpose.objects.order_by("key")
    }


@dataclass(frozen=True)
class Known:
    """Where the customers of a batch stand, and all others who have an address of theirs."""

    states: Mapping[Key, Standing]
    # By customer: everybody else with that address. A mail to either arrives at the same person.
    twins: Mapping[int, Sequence[Customer]]
    # Keyed hashes of addresses that must not be written to.
    stopped: frozenset[str]
    # Customers who objected to any marketing.
    objected: frozenset[int]
    # What earlier imports wrote: a second run adds nothing.
    told: Collection[tuple[Key, str, datetime]]

    def in_the_way(self, customer: Customer, purpose: Purpose, channel: str) -> str:
        """Return which no stands in the way of a yes that was given elsewhere, "" for none.

        A mail goes to an address, so what was said on another record with it counts too.
        """
        key = Key(customer.pk, purpose.pk, channel)
        standing = self.states.get(key, NOTHING)
        if standing.state is not State.NONE:
            return CONFLICTS[standing.state].format(on=standing.on)
        if customer.restricted_at is not None:
            return "nothing may be done with the data of this customer, at their own request"
        if address_hashes(customer.email) & self.stopped:
            return "the address must not be written to: somebody objected, complained or was erased"
        twins = self.twins[customer.pk]
        if PurposeKind(purpose.kind).is_marketing and self.objected.intersection(
            {customer.pk, *(twin.pk for twin in twins)}
        ):
            return "the customer objected to marketing"
        for twin in twins:
            of_twin = self.states.get(key._replace(customer_id=twin.pk), NOTHING)
            if of_twin.state in NOES:
                told = CONFLICTS[of_twin.state].format(on=of_twin.on)
                return f"another record has this address, and there {told}"
        return ""


def known(customers: Iterable[Customer], *, lock: bool) -> Known:
    """Return where these customers stand, locked in the order of their ids if asked for."""
    asked = {customer.pk: customer for customer in customers}
    hashes = {one: address_hashes(customer.email) for one, customer in asked.items()}
    addresses = {one for found in hashes.values() for one in found}
    same = Customer.objects.filter(address_hash__in=addresses, erased_at__isnull=True)
    people = {**asked, **{one.pk: one for one in same}}
    owners: dict[str, set[int]] = defaultdict(set)
    for one in people.values():
        owners[one.address_hash].add(one.pk)
    if lock:
        everybody = Customer.objects.filter(pk__in=people).order_by("pk")
        list(everybody.select_for_update().values_list("pk"))
    states = _states(people)
    return Known(
        states={key: standing for key, (standing, _) in states.items()},
        twins={
            one: [
                people[other]
                for other in sorted({pk for each in found for pk in owners[each]} - {one})
            ]
            for one, found in hashes.items()
        },
        stopped=frozenset(
            Suppression.objects.filter(address_hash__in=addresses).values_list(
                "address_hash", flat=True
            )
        ),
        objected=frozenset(
            key.customer_id
            for key, (standing, marketing) in states.items()
            if marketing and standing.state is State.OBJECTED
        ),
        told=_told(people),
    )


def _states(people: Iterable[int]) -> dict[Key, tuple[Standing, bool]]:
    """Return where people stand, each with whether it is about marketing."""
    rows = ConsentState.objects.filter(customer__in=list(people)).select_related("entry", "purpose")
    return {
        Key(row.customer_id, row.purpose_id, row.channel): (
            Standing(State(row.state), timezone.localdate(row.entry.occurred_at)),
            PurposeKind(row.purpose.kind).is_marketing,
        )
        for row in rows
    }


def _told(people: Iterable[int]) -> set[tuple[Key, str, datetime]]:
    rows = ConsentEntry.objects.filter(customer__in=list(people), actor=Actor.IMPORT)
    return {
        (Key(row.customer_id, row.purpose_id, row.channel), row.state, row.occurred_at)
        for row in rows
    }
