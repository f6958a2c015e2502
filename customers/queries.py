"""Reading who the customers are and what they bought."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.conf import settings
from django.db.models import Exists, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from customers import consent
from customers.addresses import address_hashes, erased_references
from customers.cells import folded
from customers.consent import Answer, Grade, Person, State, Terms, Use, soft_opt_in
from customers.lifecycle import Clocks, Labelled, classify, pool_clocks
from customers.models import (
    Category,
    ConsentEntry,
    ConsentState,
    Customer,
    CustomerMerge,
    LedgerCheck,
    Product,
    Purchase,
    Purpose,
    PurposeKind,
    Suppression,
    SuppressionReason,
    Wording,
    current_scope,
)

# Customers looked at together: a query's worth, whatever their number.
CUSTOMER_BATCH = 2_000


# -- By the keys that people use ------------------------------------------------------------------


def customers_by_reference(references: Iterable[str]) -> dict[str, Customer]:
    """Return the customers with these references, the erased ones included.

    Who was erased is found by the hash that stands in the place of the reference.
    """
    wanted = set(references)
    known = Customer.objects.filter(reference__in=wanted)
    found = {customer.reference: customer for customer in known}
    hashed = {one: text for text in wanted - found.keys() for one in erased_references(text)}
    if hashed:
        erased = Customer.objects.filter(erased_at__isnull=False, reference__in=hashed)
        found |= {hashed[customer.reference]: customer for customer in erased}
    return found


def people_by_reference(references: Iterable[str]) -> dict[str, Customer]:
    """Return the same, but for a record that was merged the one it became."""
    return as_they_are_now(customers_by_reference(references))


def as_they_are_now(found: Mapping[str, Customer]) -> dict[str, Customer]:
    """Return customers with those that were merged replaced by the record they became."""
    became = survivors(one.pk for one in found.values())
    return {key: became.get(one.pk, one) for key, one in found.items()}


def survivors(ids: Iterable[int]) -> dict[int, Customer]:
    """Return what those of the records that were merged became, by their ids."""
    became: dict[int, int] = {}
    wanted = set(ids)
    while wanted:
        merges = CustomerMerge.objects.filter(absorbed__in=wanted)
        steps = dict(merges.values_list("absorbed_id", "survivor_id"))
        became |= steps
        wanted = set(steps.values()) - became.keys()
    people = Customer.objects.in_bulk(set(became.values()) - became.keys()) if became else {}
    return {pk: people[_end_of(became, pk)] for pk in became}


def _end_of(became: Mapping[int, int], pk: int) -> int:
    while pk in became:
        pk = became[pk]
    return pk


def erased_addresses(addresses: Iterable[str]) -> set[str]:
    """Return those of the addresses that belonged to somebody who was erased."""
    hashed = {one: text for text in addresses for one in address_hashes(text)}
    stopped = Suppression.objects.filter(
        reason=SuppressionReason.ERASURE, address_hash__in=list(hashed)
    )
    return {hashed[one] for one in stopped.values_list("address_hash", flat=True)}


def products_by_code(codes: Iterable[str]) -> dict[str, Product]:
    """Return the products with these codes, in whatever case, with their categories."""
    wanted = {folded(code) for code in codes}
    found = Product.objects.filter(sku_folded__in=wanted)
    found = found.select_related("category__parent__parent__parent")
    return {product.sku_folded: product for product in found}


def categories_by_name(names: Iterable[str]) -> dict[str, Category]:
    """Return the categories with these names, in whatever case."""
    wanted = {folded(name) for name in names}
    found = Category.objects.filter(name_folded__in=wanted)
    found = found.select_related("parent__parent__parent")
    return {category.name_folded: category for category in found}


# -- Who is the same person -----------------------------------------------------------------------


def same_person(customer: Customer) -> list[int]:
    """Return the ids of a customer and of all records that were merged with theirs, ascending."""
    found, wanted = {customer.pk}, {customer.pk}
    while wanted:
        merges = CustomerMerge.objects.filter(Q(survivor__in=wanted) | Q(absorbed__in=wanted))
        pairs = merges.values_list("survivor", "absorbed")
        wanted = {one for pair in pairs for one in pair} - found
        found |= wanted
    return sorted(found)


def merge_of(customer: Customer) -> CustomerMerge | None:
    """Return how a record became part of another, None for one that stands for itself."""
    return CustomerMerge.objects.filter(absorbed=customer).select_related("survivor").first()


def survivor(customer: Customer) -> Customer:
    """Return the record that counts: the customer's own, or the one it became in the end."""
    return survivors([customer.pk]).get(customer.pk, customer)


# -- Permission -----------------------------------------------------------------------------------


def may_process(customer: Customer, purpose: str, channel: str, now: datetime) -> Answer:
    """Say whether a customer may be reached for a purpose, in two queries; unknown means no.

    Purpose.DoesNotExist for a key nobody set up.
    """
    use = use_of(channel, address_hashes(customer.email), now)
    stopped = Suppression.objects.filter(address_hash__in=use.addresses)
    row: Any = Purpose.objects.annotate(
        scope=current_scope("pk", now),
        suppressed=Exists(stopped),
        unreachable=Exists(stopped.filter(everything=True)),
    ).get(key=purpose)
    state = (
        ConsentState.objects.filter(customer=customer, purpose=row, channel=channel)
        .select_related("entry__wording")
        .first()
    )
    person = person_of(customer, suppressed=row.suppressed, unreachable=row.unreachable)
    return answer_for(terms_of(row, row.scope), person, use, state.entry if state else None)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a customer stands with a purpose on a channel; `entry` is what was last recorded."""

    purpose: Purpose
    channel: str
    answer: Answer
    entry: ConsentEntry | None

    @property
    def state(self) -> State:
        return State(self.entry.state) if self.entry else State.NONE


def standings(customers: Collection[Customer], now: datetime) -> dict[int, list[Standing]]:
    """Return where customers stand with everything, by id, in three queries for all of them.

    With every purpose that is in use on each of its channels, and with whatever else the ledger
    knows of them; in the order of the purposes.
    """
    rows = Purpose.objects.annotate(scope=current_scope("pk", now)).order_by("pk")
    purposes = {row.pk: (row, terms_of(row, row.scope)) for row in rows}
    asked = [
        (pk, channel)
        for pk, (row, terms) in purposes.items()
        if not terms.archived
        for channel in row.channels
    ]
    told: dict[int, dict[tuple[int, str], ConsentEntry]] = defaultdict(dict)
    states = ConsentState.objects.filter(customer__in=[one.pk for one in customers])
    for state in states.select_related("entry__wording").order_by("pk"):
        told[state.customer_id][state.purpose_id, state.channel] = state.entry
    addresses = {one.pk: address_hashes(one.email) for one in customers}
    stops = _stops(set().union(*addresses.values()))
    found: dict[int, list[Standing]] = {}
    for one in customers:
        stopped = [stops[address] for address in addresses[one.pk] if address in stops]
        person = person_of(one, suppressed=bool(stopped), unreachable=any(stopped))
        keys = dict.fromkeys([*asked, *told[one.pk]])
        found[one.pk] = []
        for pk, channel in sorted(keys, key=itemgetter(0)):
            purpose, terms = purposes[pk]
            entry = told[one.pk].get((pk, channel))
            answer = answer_for(terms, person, use_of(channel, addresses[one.pk], now), entry)
            found[one.pk].append(Standing(purpose, channel, answer, entry))
    return found


def _stops(addresses: Collection[str]) -> dict[str, bool]:
    """Return which of these addresses are stopped, each with whether for everything."""
    found: dict[str, bool] = {}
    rows = Suppression.objects.filter(address_hash__in=addresses)
    for stopped, everything in rows.values_list("address_hash", "everything"):
        found[stopped] = everything or found.get(stopped, False)
    return found


def answer_for(terms: Terms, person: Person, use: Use, row: ConsentEntry | None) -> Answer:
    """Say whether somebody may be reached, given the line of the ledger that counts."""
    entries = [_as_entry(row, terms.key)] if row else []
    return consent.may_process(entries, terms, person, use)


def terms_of(purpose: Purpose, scope: str | None) -> Terms:
    """Return what a purpose asks of a permission; `scope` is the hash of what is done now."""
    kind = PurposeKind(purpose.kind)
    return Terms(
        key=purpose.key,
        scope=scope or "",
        minimum_grade=Grade(purpose.minimum_grade),
        minimum_age=purpose.minimum_age,
        archived=purpose.archived_at is not None,
        needs_consent=kind.needs_consent,
        is_marketing=kind.is_marketing,
    )


def person_of(customer: Customer, *, suppressed: bool, unreachable: bool) -> Person:
    """Return what of a customer matters for permission."""
    return Person(
        restricted=customer.restricted_at is not None,
        erased=customer.erased_at is not None,
        suppressed=suppressed,
        unreachable=unreachable,
        paused_until=customer.paused_until,
    )


def use_of(channel: str, addresses: frozenset[str], now: datetime) -> Use:
    """Return how and when somebody would be reached, on which addresses (hashed)."""
    today = timezone.localdate(now)
    return Use(
        channel=channel,
        addresses=addresses,
        now=now,
        soft_allowed=soft_opt_in(channel, settings.ORGANISATION_KIND, today),
    )


def current_wordings(now: datetime) -> dict[Purpose, list[Wording]]:
    """Return the purposes in use, each with its newest published text in all its languages."""
    purposes = Purpose.objects.filter(archived_at=None).order_by("pk")
    newest: dict[int, dict[str, Wording]] = defaultdict(dict)
    versions: dict[int, int] = {}
    for row in Wording.objects.published(now).order_by("-version", "language"):
        if versions.setdefault(row.purpose_id, row.version) == row.version:
            newest[row.purpose_id][row.language] = row
    return {purpose: list(newest[purpose.pk].values()) for purpose in purposes}


def _as_entry(row: ConsentEntry, purpose: str) -> consent.Entry:
    return consent.Entry(
        seq=row.pk,
        occurred_at=row.occurred_at,
        purpose=purpose,
        channel=row.channel,
        state=State(row.state),
        address=row.address_hash,
        scope=row.wording.scope_hash if row.wording else "",
        grade=Grade(row.grade),
        valid_until=row.valid_until,
        old_enough=row.old_enough,
    )


@dataclass(frozen=True, slots=True)
class LedgerAlarm:
    """What the newest verification of the ledger found, a key of verification.FINDINGS.

    `row` is the id of the first row that shows it, `since` when it was first found.
    """

    finding: str
    row: int | None
    since: datetime


def ledger_alarm() -> LedgerAlarm | None:
    """Return what is wrong with the ledger; None if all was well when it was last verified."""
    newest = LedgerCheck.objects.order_by("-pk").first()
    if newest is None or not newest.finding:
        return None
    sound = LedgerCheck.objects.filter(finding="").order_by("-pk").values("pk")[:1]
    first = LedgerCheck.objects.filter(pk__gt=Coalesce(Subquery(sound), 0)).order_by("pk")[0]
    return LedgerAlarm(newest.finding, newest.row, first.checked_at)


def ledger_is_sound() -> bool:
    """Say whether mailings may be made: the last verification of the ledger found nothing."""
    return ledger_alarm() is None


# -- Customer types -------------------------------------------------------------------------------


@dataclass(slots=True)
class History:
    """What a customer's type depends on: purchase days, and contracts as (bought on, until)."""

    days: list[date] = field(default_factory=list)
    contracts: list[tuple[date, date]] = field(default_factory=list)

    def label(self, pooled: Clocks, at: date) -> Labelled:
        """Return the type as of the start of day `at`."""
        running = [until for bought_on, until in self.contracts if bought_on < at]
        return classify(self.days, max(running, default=None), pooled, at)


def clocks(at: date) -> Clocks:
    """Measure how fast customers come back, from all purchase days before `at`."""
    return pool_clocks((days for _, days in _days_per_customer(at)), at)


def histories(at: date, ids: Iterable[int]) -> Mapping[int, History]:
    """Return the purchase days before `at` and the contracts of these customers.

    A customer without any has an empty history.
    """
    chosen = Q(customer_id__in=list(ids))
    found: dict[int, History] = defaultdict(History)
    for customer_id, days in _days_per_customer(at, chosen):
        found[customer_id].days = days
    # A contract may be free of charge, but not returned.
    contracts = Purchase.objects.filter(chosen, contract_until__isnull=False, quantity__gt=0)
    for purchase in contracts.only("customer_id", "purchased_at", "contract_until"):
        if purchase.contract_until:
            bought_on = timezone.localdate(purchase.purchased_at, timezone.get_default_timezone())
            found[purchase.customer_id].contracts.append((bought_on, purchase.contract_until))
    return found


def labelled_customers(at: date) -> Iterator[list[tuple[Customer, Labelled]]]:
    """Yield all customers who are not erased with their type as of the start of day `at`.

    In batches, so that memory does not grow with their number.
    """
    pooled, last = clocks(at), 0
    while batch := list(
        Customer.objects.filter(pk__gt=last, erased_at__isnull=True).order_by("pk")[:CUSTOMER_BATCH]
    ):
        last = batch[-1].pk
        known = histories(at, [customer.pk for customer in batch])
        yield [(customer, known[customer.pk].label(pooled, at)) for customer in batch]


def labelled_customer(reference: str, at: date) -> Labelled:
    """Return one customer's type with its reason; raises Customer.DoesNotExist."""
    customer = Customer.objects.get(reference=reference, erased_at__isnull=True)
    return histories(at, [customer.pk])[customer.pk].label(clocks(at), at)


def types_on(moments: Collection[tuple[int, date]], pooled: Clocks) -> dict[tuple[int, date], str]:
    """Return the types that customers had on past days, as {(customer id, day): type}.

    Recency and frequency are those of the day. The clocks are given, as they are measured over
    all customers and so only once for many questions.
    """
    if not moments:
        return {}
    newest = max(day for _, day in moments)
    known = histories(newest, {customer_id for customer_id, _ in moments})
    return {(pk, day): known[pk].label(pooled, day).type for pk, day in moments}


def _days_per_customer(at: date, *chosen: Q) -> Iterator[tuple[int, list[date]]]:
    """Yield (customer id, local purchase days before `at` in order), one customer at a time."""
    # The lines of an order have one moment: told apart by the database, few are left to turn into
    # local days here.
    rows = (
        Purchase.objects.counting()
        .filter(*chosen, purchased_at__lt=_midnight(at))
        .order_by("customer_id", "purchased_at")
        .values_list("customer_id", "purchased_at")
        .distinct()
        .iterator(chunk_size=10_000)
    )
    zone = timezone.get_default_timezone()
    for customer_id, group in groupby(rows, key=itemgetter(0)):
        days = (timezone.localdate(moment, zone) for _, moment in group)
        yield customer_id, [day for day, _ in groupby(days)]


def _midnight(day: date) -> datetime:
    """Return the start of a local day of the organisation."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())
