"""Reading what a colleague who looks after permission needs: finding a customer, and the record."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from customers.consent import ALLOWING, State
from customers.models import (
    AccessLog,
    Channel,
    ConsentEntry,
    ConsentForm,
    Customer,
    CustomerMerge,
    DataRequest,
    Purpose,
    PurposeKind,
    RequestState,
    Wording,
)
from customers.queries import Standing, merge_of, standings
from insights import consent_words
from insights.accounts import Role
from insights.colleagues import role_of
from insights.consent_words import Told, purpose_name

# More than fit a page say: type more.
MOST_FOUND = 50
# A part of a name that is shorter finds half of everybody.
SHORTEST_NAME = 2
LATEST_VIEWS = 20

OPEN_YES = ALLOWING | {State.PENDING}


def search(term: str) -> list[Customer]:
    """Return at most MOST_FOUND customers: with this reference or address, or part of the name.

    The address is looked up by its hash, so in whatever case it is typed.
    """
    term = term.strip()
    found = Customer.objects.filter(reference=term)
    if "@" in term:
        found |= Customer.objects.with_address(term)
    elif len(term) >= SHORTEST_NAME:
        found |= Customer.objects.filter(name__icontains=term)
    return list(found.order_by("name", "pk")[:MOST_FOUND])


@dataclass(frozen=True, slots=True)
class Line:
    """Whether a purpose may be used on a channel now, and why, in words.

    `proof` is the permission that stands, with its grade and end, if there is one.
    """

    name: str
    channel: str
    allowed: bool
    reason: str
    proof: ConsentEntry | None


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the history, in words."""

    entry: ConsentEntry
    sentence: str
    name: str
    way: str
    tone: str
    evidence: str
    # Of the record that was merged into this one, if it was written there.
    reference: str

    @property
    def wording(self) -> Wording | None:
        return self.entry.wording

    @property
    def is_yes(self) -> bool:
        """Whether there is something to prove: a no needs no proof."""
        return self.entry.state in ALLOWING


@dataclass(frozen=True, slots=True)
class View:
    """Who looked at the record, in words, and when."""

    at: datetime
    kind: str
    who: str


@dataclass(frozen=True, slots=True)
class Record:
    """All that a colleague sees of one customer."""

    customer: Customer
    who: str
    lines: Sequence[Line]
    # How many purposes that need a yes may be used now.
    usable: int
    events: Sequence[Event]
    views: Sequence[View]
    requests: Sequence[DataRequest]
    merged_into: CustomerMerge | None
    merged_from: Sequence[CustomerMerge]


def customer_of(reference: str) -> Customer:
    """Return the customer with this reference; Customer.DoesNotExist if there is none."""
    return Customer.objects.get(reference=reference)


def record_of(customer: Customer, now: datetime) -> Record:
    """Return the whole record of a customer; what was merged into it is part of its history."""
    merged_from = list(
        CustomerMerge.objects.filter(survivor=customer).select_related("absorbed").order_by("pk")
    )
    entries = _entries([customer, *_absorbed(merged_from)])
    views = list(
        AccessLog.objects.filter(customer=customer).order_by("-viewed_at", "-pk")[:LATEST_VIEWS]
    )
    names = colleagues_by_id(
        [*(entry.actor_id for entry in entries), *(view.viewer for view in views)]
    )
    who = customer.name or _("The customer")
    where = standings([customer], now)[customer.pk]
    return Record(
        customer=customer,
        who=who,
        lines=[_line(one) for one in where],
        usable=sum(
            one.answer.allowed for one in where if PurposeKind(one.purpose.kind).needs_consent
        ),
        events=_events(customer, entries, names, who),
        views=[
            View(view.viewed_at, str(consent_words.VIEWS[view.kind]), _viewer(view, names))
            for view in views
        ],
        requests=list(
            DataRequest.objects.filter(customer=customer, state=RequestState.OPEN).order_by(
                "due_on"
            )
        ),
        merged_into=merge_of(customer),
        merged_from=merged_from,
    )


def _absorbed(merges: Iterable[CustomerMerge]) -> Iterator[Customer]:
    """Yield the records that were merged into one, and what had been merged into those."""
    for merge in merges:
        yield merge.absorbed
        earlier = CustomerMerge.objects.filter(survivor=merge.absorbed)
        yield from _absorbed(earlier.select_related("absorbed"))


def _entries(people: Iterable[Customer]) -> list[ConsentEntry]:
    """Return the lines of the ledger, the oldest first."""
    rows = ConsentEntry.objects.filter(customer__in=list(people))
    return list(rows.select_related("customer", "purpose", "wording", "evidence").order_by("pk"))


# -- Where the customer stands --------------------------------------------------------------------


def _line(one: Standing) -> Line:
    return Line(
        name=purpose_name(one.purpose),
        channel=consent_words.channel_name(one.channel),
        allowed=one.answer.allowed,
        reason=consent_words.reason(one.answer),
        proof=one.entry if one.entry and one.entry.state in ALLOWING else None,
    )


def lowerable() -> list[tuple[str, str]]:
    """Return what can be taken back or objected to, as choices of ("purpose key:channel", words).

    Also what was never permitted: it then stays that way, whatever a file says later.
    """
    return [
        (f"{purpose.key}:{channel}", f"{purpose_name(purpose)}, {Channel(channel).label}")
        for purpose in Purpose.objects.order_by("pk")
        if PurposeKind(purpose.kind).needs_consent
        for channel in purpose.channels
        if channel in Channel.values
    ]


# -- What happened --------------------------------------------------------------------------------

# How the ledger begins the place of a form, by its key.
FORM = "form:"


def _events(
    customer: Customer, entries: Sequence[ConsentEntry], names: dict[str, str], who: str
) -> list[Event]:
    """Return the history in words, the newest first."""
    places = place_names(entry.place for entry in entries)
    before: dict[tuple[int, int, str], State] = {}
    events = []
    for entry in entries:
        key = (entry.customer_id, entry.purpose_id, entry.channel)
        told = Told(
            who=who,
            colleague=names.get(entry.actor_id, _("a colleague")),
            place=str(places.get(entry.place, entry.place)),
            before=before.get(key, State.NONE),
        )
        before[key] = State(entry.state)
        events.append(
            Event(
                entry=entry,
                sentence=consent_words.sentence(entry, told),
                name=purpose_name(entry.purpose),
                way=consent_words.method_name(entry.method),
                tone=consent_words.tone(entry.state),
                evidence=_evidence(entry),
                reference="" if entry.customer_id == customer.pk else entry.customer.reference,
            )
        )
    return events[::-1]


def _evidence(entry: ConsentEntry) -> str:
    found = getattr(entry, "evidence", None)
    return found.text if found else ""


def place_names(places: Iterable[str]) -> dict[str, Any]:
    """Return the names of places where something was ticked, as the ledger calls them."""
    keys = {place.removeprefix(FORM) for place in places}
    found = ConsentForm.objects.filter(key__in=keys).values_list("key", "name")
    return {f"{FORM}{key}": name for key, name in found} | dict(consent_words.PLACES)


# -- Who of us ------------------------------------------------------------------------------------


def colleagues_by_id(ids: Iterable[str]) -> dict[str, str]:
    """Return the names of colleagues with their roles, by id: "Noor Demo, administrator"."""
    wanted = {int(one) for one in ids if one.isdecimal()}
    users = User.objects.filter(pk__in=wanted).prefetch_related("groups")
    return {str(user.pk): _with_role(user) for user in users}


def _with_role(user: User) -> str:
    name, role = user.get_full_name() or user.email, role_of(user)
    return f"{name} ({role.label})" if role else name


def _viewer(view: AccessLog, names: dict[str, str]) -> str:
    role = str(Role(view.role).label) if view.role in Role.values else view.role
    return names.get(view.viewer) or role or view.viewer
