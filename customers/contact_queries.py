"""What a decision on a contact rests on, read for one customer or many in the same five queries.

Inside a claim it is read under the lock of the customers' rows, outside it for a look: both come to
the same answer.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, FilteredRelation, OuterRef, Q, Subquery

from customers.addresses import address_hashes
from customers.consent import Answer, Terms
from customers.dose_policy import Limit, Policy
from customers.dosing import (
    MONTH,
    Code,
    Hold,
    Outcome,
    PastContact,
    Profile,
    Reason,
    Verdict,
    Wanted,
    decide,
)
from customers.involvement import Involved
from customers.models import (
    ConsentEntry,
    ConsentState,
    Contact,
    ContactStatus,
    Customer,
    DosePolicy,
    HoldReason,
    LedgerCheck,
    Purpose,
    Suppression,
    current_scope,
)
from customers.models.dosing import DONE
from customers.plans import PURPOSES, OutOfRange, Plan, UnknownWord, check_purpose
from customers.policies import policy_with
from customers.queries import answer_for, person_of, terms_of, use_of
from customers.wall_clocks import holidays_of, zone_of


@dataclass(frozen=True, slots=True)
class Judged:
    """What was decided on a plan, and on what it rests."""

    plan: Plan
    customer: Customer
    purpose: Purpose
    verdict: Verdict
    answer: Answer
    entry: ConsentEntry | None
    involved: Involved
    points: int
    at: datetime
    policy_id: int | None
    policy_version: int | None


@dataclass(frozen=True, slots=True)
class _Stops:
    suppressed: bool = False
    unreachable: bool = False


@dataclass(slots=True)
class Snapshot:
    """What is known of some customers at a moment. `contacts` are those that count, by customer."""

    now: datetime
    customers: Mapping[int, Customer]
    policy_id: int | None
    policy: Policy | None
    ledger_is_sound: bool
    purposes: Mapping[str, tuple[Purpose, Terms]]
    entries: Mapping[tuple[int, int, str], ConsentEntry]
    stops: Mapping[int, _Stops]
    holds: Mapping[int, list[Hold]]
    contacts: dict[int, list[PastContact]]

    def judge(self, customer: int, plan: Plan) -> Judged:
        """Decide on a plan for one of the customers."""
        person = self.customers[customer]
        # A moment that is over by a little is now: its lease would be over before it began.
        at = max(plan.at or self.now, self.now)
        purpose, terms = self.purposes[plan.purpose_key]
        entry = self.entries.get((customer, purpose.pk, plan.channel))
        answer = self._answer(person, terms, entry, plan.channel, at)
        involved = plan.involved
        points = self._points(plan)
        wanted = Wanted(
            channel=plan.channel,
            kind=plan.kind,
            purpose=plan.purpose_key,
            category=plan.category.pk if plan.category else None,
            involvement=involved.level,
            points=points,
            at=at,
            lease=plan.for_as_long,
        )
        return Judged(
            plan=plan,
            customer=person,
            purpose=purpose,
            verdict=self._verdict(person, terms, wanted, answer, entry),
            answer=answer,
            entry=entry,
            involved=involved,
            points=points,
            at=at,
            policy_id=self.policy_id,
            policy_version=self.policy.version if self.policy else None,
        )

    def permits(self, customer: int, plan: Plan) -> bool:
        """Say whether a customer permits a contact; dose is not asked about."""
        purpose, terms = self.purposes[plan.purpose_key]
        entry = self.entries.get((customer, purpose.pk, plan.channel))
        at = plan.at or self.now
        return self._answer(self.customers[customer], terms, entry, plan.channel, at).allowed

    def _points(self, plan: Plan) -> int:
        """Return what it weighs: what the sender says, and never less than the policy does."""
        usual = self.policy.points.get(plan.kind, 1) if self.policy else 1
        return max(plan.points or 0, usual)

    def _answer(
        self,
        person: Customer,
        terms: Terms,
        entry: ConsentEntry | None,
        channel: str,
        at: datetime,
    ) -> Answer:
        """Ask about permission. A pause is a matter of dose here: it ends by itself, on a day."""
        stops = self.stops.get(person.pk, _Stops())
        facts = person_of(person, suppressed=stops.suppressed, unreachable=stops.unreachable)
        use = use_of(channel, address_hashes(person.email), at)
        return answer_for(terms, replace(facts, paused_until=None), use, entry)

    def _verdict(
        self,
        person: Customer,
        terms: Terms,
        wanted: Wanted,
        answer: Answer,
        entry: ConsentEntry | None,
    ) -> Verdict:
        if answer.allowed and terms.needs_consent and not self.ledger_is_sound:
            return Verdict(Outcome.DENY, [Reason(Code.LEDGER)])
        zone = zone_of(person)
        profile = Profile(
            customer_type=person.customer_type,
            zone=zone or ZoneInfo("UTC"),
            refusal="" if answer.allowed else answer.reason,
            missing=self._missing(person, zone),
            paused_until=person.paused_until if terms.is_marketing else None,
            monthly_limit=person.monthly_limit,
            promise=_promise(entry),
            holds=self.holds.get(person.pk, ()),
        )
        policy = self.policy or Policy(version=0)
        days = holidays_of(policy.country, wanted.at.year)
        return decide(wanted, profile, self.contacts.get(person.pk, ()), policy, days)

    def _missing(self, person: Customer, zone: ZoneInfo | None) -> str:
        if self.policy is None:
            return "policy"
        return f"time zone {person.time_zone}" if zone is None else ""


def look(
    customers: Mapping[int, Customer],
    plans: Collection[Plan],
    now: datetime,
    requests: Collection[str] = (),
) -> tuple[Snapshot, dict[str, Contact]]:
    """Read what deciding on these plans needs, in four queries for however many customers.

    Also returned are contacts that exist already under these request ids. UnknownWord for a purpose
    that nobody set up, OutOfRange for one that is about something else.
    """
    ids = list(customers)
    purposes, policy_id, digest, finding = _purposes(plans, now)
    policy = policy_with(policy_id, digest) if policy_id else None
    stops, holds = _stops_and_holds(ids, now)
    entries = _entries(ids, [one.pk for one, _ in purposes.values()], plans)
    since = _since(plans, policy, entries.values(), now)
    contacts, known = _contacts(ids, requests, since, now)
    snapshot = Snapshot(
        now=now,
        customers=customers,
        policy_id=policy_id,
        policy=policy,
        ledger_is_sound=not finding,
        purposes=purposes,
        entries=entries,
        stops=stops,
        holds=holds,
        contacts=contacts,
    )
    return snapshot, known


def may_contact(customer: Customer, plan: Plan, now: datetime) -> Judged:
    """Say whether a customer may be contacted, and if not why and when; nothing is reserved.

    The customer's row is read again: five queries.
    """
    customers = Customer.objects.in_bulk([customer.pk])
    return look(customers, [plan], now)[0].judge(customer.pk, plan)


# -- The queries ----------------------------------------------------------------------------------


def _purposes(
    plans: Collection[Plan], now: datetime
) -> tuple[dict[str, tuple[Purpose, Terms]], int | None, str, str]:
    """Return the purposes, the policy in force and what is wrong with the ledger, in one query."""
    keys = {one.purpose_key for one in plans}
    newest = DosePolicy.objects.order_by("-version")
    checks = LedgerCheck.objects.order_by("-pk")
    rows = Purpose.objects.filter(key__in=keys).annotate(
        scope=current_scope("pk", now),
        policy=Subquery(newest.values("pk")[:1]),
        digest=Subquery(newest.values("digest")[:1]),
        finding=Subquery(checks.values("finding")[:1]),
    )
    found = {row.key: row for row in rows}
    kinds = {key: row.kind for key, row in found.items()}
    try:
        for one in plans:
            check_purpose(one, kinds)
    except (UnknownWord, OutOfRange):
        # Once more with all there are, so that the message can name what would fit.
        kinds = dict(Purpose.objects.values_list("key", "kind"))
        for one in plans:
            check_purpose(one, kinds)
    first: Any = next(iter(found.values()))
    purposes: dict[str, tuple[Purpose, Terms]] = {
        key: (row, terms_of(row, row.scope)) for key, row in found.items()
    }
    return purposes, first.policy, first.digest or "", first.finding or ""


def _entries(
    ids: Collection[int], purposes: Collection[int], plans: Collection[Plan]
) -> dict[tuple[int, int, str], ConsentEntry]:
    channels = {one.channel for one in plans}
    states = ConsentState.objects.filter(
        customer__in=ids, purpose__in=purposes, channel__in=channels
    ).select_related("entry__wording")
    return {(one.customer_id, one.purpose_id, one.channel): one.entry for one in states}


def _stops_and_holds(
    ids: Collection[int], now: datetime
) -> tuple[dict[int, _Stops], dict[int, list[Hold]]]:
    """Return whose address is stopped, and who is left alone for a while."""
    mine = Q(address_hash=OuterRef("address_hash")) | Q(address_hash=OuterRef("older_hash"))
    stopped = Suppression.objects.filter(mine)
    in_force = Q(holds__released_at__isnull=True) & (
        Q(holds__until__isnull=True) | Q(holds__until__gt=now)
    )
    rows = Customer.objects.filter(pk__in=ids).annotate(
        hold=FilteredRelation("holds", condition=in_force),
        suppressed=Exists(stopped),
        unreachable=Exists(stopped.filter(everything=True)),
    )
    stops: dict[int, _Stops] = {}
    held: dict[int, list[Hold]] = defaultdict(list)
    fields = ("pk", "suppressed", "unreachable", "hold__reason", "hold__until")
    for pk, suppressed, unreachable, reason, until in rows.values_list(*fields).order_by("pk"):
        stops[pk] = _Stops(suppressed, unreachable)
        if reason:
            held[pk].append(Hold(reason, until, halves=reason == HoldReason.UNHAPPY))
    return stops, held


def _contacts(
    ids: Collection[int], requests: Collection[str], since: datetime, now: datetime
) -> tuple[dict[int, list[PastContact]], dict[str, Contact]]:
    """Return the contacts that count since a moment, and those of the requests.

    One query, and one more where a request was made before.
    """
    theirs = Q(customer__in=ids, to_at__gt=since)
    rows = Contact.objects.filter(theirs | Q(request_id__in=requests) if requests else theirs)
    counting: dict[int, list[PastContact]] = defaultdict(list)
    known, wanted, people = set(), set(requests), set(ids)
    for customer, request, status, *facts in rows.order_by("pk").values_list(*_FACTS):
        if request in wanted:
            known.add(request)
        past = PastContact(*facts)
        if past.purpose is None:
            # What came in with a file was asked for no purpose; its kind decides it.
            past = replace(past, purpose=PURPOSES[past.kind])
        if customer in people and (status in DONE or _is_leased(status, past.to_at, now)):
            counting[customer].append(past)
    asked_before = Contact.objects.filter(request_id__in=known) if known else ()
    return counting, {one.request_id: one for one in asked_before}


_FACTS = (
    *("customer_id", "request_id", "status"),
    *("pk", "channel", "kind", "category_id", "purpose__key", "points", "from_at", "to_at"),
)


def _is_leased(status: str, to_at: datetime, now: datetime) -> bool:
    return status == ContactStatus.RESERVED and to_at > now


def _since(
    plans: Collection[Plan],
    policy: Policy | None,
    entries: Iterable[ConsentEntry],
    now: datetime,
) -> datetime:
    """Return how far back anything looks that may hold for these plans."""
    earliest = min([now, *(one.at for one in plans if one.at)])
    windows = [MONTH, *(one.window for one in map(_promise, entries) if one)]
    if policy:
        # After an unhappy answer one in a window becomes one in two.
        windows += [2 * policy.looks_back(one.channel, one.kind) for one in plans]
    return earliest - max(windows)


def past(contact: Contact) -> PastContact:
    """Return a stored contact as the rules see it."""
    return PastContact(
        id=contact.pk,
        channel=contact.channel,
        kind=contact.kind,
        category=contact.category_id,
        purpose=contact.purpose.key if contact.purpose else PURPOSES[contact.kind],
        points=contact.points,
        from_at=contact.from_at,
        to_at=contact.to_at,
    )


def _promise(entry: ConsentEntry | None) -> Limit | None:
    """Return how often the text they agreed to said it would be."""
    wording = entry.wording if entry else None
    if wording is None or wording.promised_messages is None or wording.promised_days is None:
        return None
    return Limit(wording.promised_messages, timedelta(days=wording.promised_days))
